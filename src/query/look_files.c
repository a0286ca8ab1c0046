/* look_files.c - which columns the files have that a statement names: from footers and folders, or inferred from all
 * their lines.
 */
#include <strings.h>

#include "base/os.h"
#include "format/format.h"
#include "query/scan_files.h"

struct look {
    struct budget *budget;
    const struct session *session;
    struct arena *arena;
    struct pipeline_source *source;
    struct error *err;
};

static struct files_reader_spec reader_spec(const struct look *self, const char *without)
{
    static const struct type nothing = {.id = TYPE_STRUCT};
    return (struct files_reader_spec){.source = self->source,
                                      .schema = &nothing,
                                      .zone = self->session->zone,
                                      .budget = self->budget,
                                      .without = without};
}

/* ---- options ---- */

static bool is_url(const char *path) { return strstr(path, "://") != NULL || strncmp(path, "file:", 5) == 0; }

/* Relative to where the process was started, as on Spark. */
static enum code path_settle(struct look *self)
{
    struct pipeline_source *source = self->source;
    struct setting *options = arena_array(self->arena, struct setting, (size_t)source->option_count + 1);
    struct text absolute = {0};
    enum code code = E_OK;
    for (int32_t i = 0; i < source->option_count; i++) {
        options[i] = source->options[i];
        if (strcasecmp(options[i].name, "path") != 0 || is_url(options[i].value))
            continue;
        text_clear(&absolute);
        code = os_absolute(options[i].value, &absolute, self->err);
        options[i].value = arena_strndup(self->arena, absolute.data != NULL ? absolute.data : "", absolute.size);
    }
    text_free(&absolute);
    source->options = options;
    return code;
}

static const char *format_title(const char *format)
{
    return strcmp(format, "parquet") == 0 ? "Parquet"
           : strcmp(format, "json") == 0  ? "JSON"
           : strcmp(format, "csv") == 0   ? "CSV"
                                          : format;
}

static enum code no_files(const struct look *self)
{
    const char *path = files_option(self->source, "path");
    if (strpbrk(path, "*?[") != NULL)
        return fail(self->err, E_SQL, "[PATH_NOT_FOUND] Path does not exist: %s", path);
    return fail(self->err, E_SQL,
                "[UNABLE_TO_INFER_SCHEMA] Unable to infer schema for %s. It must be specified manually.",
                format_title(self->source->format));
}

/* ---- inferring ---- */

/* Every line of all files, until each() has enough. first: of its file. */
static enum code lines_each(const struct look *self, const char *without,
                            bool (*each)(void *context, struct bytes line, bool first), void *context)
{
    struct files_reader reader;
    struct text file = {0};
    struct batch lines = {0};
    bool more = true;
    const struct files_reader_spec spec = reader_spec(self, without);
    TRY(files_reader_open(&reader, &spec, self->err));
    enum code code = files_reader_next(&reader, &lines, self->err);
    while (code == E_OK && more && lines.rows > 0) {
        for (int64_t row = 0; more && row < lines.rows; row++) {
            struct bytes name = column_bytes_at(&lines.columns[SOURCE_TOPIC], row);
            bool first = name.size != file.size || memcmp(name.data, file.data, name.size) != 0;
            if (first) {
                text_clear(&file);
                text_add(&file, name.data, name.size);
            }
            more = each(context, column_bytes_at(&lines.columns[SOURCE_VALUE], row), first);
        }
        batch_release(&lines);
        if (more)
            code = files_reader_next(&reader, &lines, self->err);
    }
    batch_release(&lines);
    text_free(&file);
    files_reader_close(&reader);
    return code;
}

static bool json_line(void *context, struct bytes line, bool first)
{
    (void)first;
    json_shape_add(context, line);
    return true;
}

static enum code json_columns(const struct look *self, const struct type **out)
{
    const char *corrupt = files_option(self->source, "columnNameOfCorruptRecord");
    struct json_shape *shape = json_shape_new();
    enum code code = lines_each(self, NULL, json_line, shape);
    if (code == E_OK)
        code = json_shape_type(shape, corrupt != NULL ? corrupt : "_corrupt_record", self->arena, out, self->err);
    json_shape_free(shape);
    return code;
}

struct csv_lines {
    struct csv_shape *shape;
    bool header, begun;
};

static bool csv_line(void *context, struct bytes line, bool first)
{
    struct csv_lines *self = context;
    bool names = first && self->header && self->begun; // the header of a further file
    self->begun = true;
    return names || csv_shape_add(self->shape, line);
}

static enum code csv_columns(const struct look *self, const struct type **out)
{
    const struct pipeline_source *source = self->source;
    const char *header = files_option(source, "header");
    struct csv_lines lines = {.header = header != NULL && strcasecmp(header, "true") == 0};
    const char **names = arena_array(self->arena, const char *, (size_t)source->option_count + 1);
    const char **values = arena_array(self->arena, const char *, (size_t)source->option_count + 1);
    for (int32_t i = 0; i < source->option_count; i++) {
        names[i] = source->options[i].name;
        values[i] = source->options[i].value;
    }
    TRY(csv_shape_new(names, values, source->option_count, self->session->zone, &lines.shape, self->err));
    enum code code = lines_each(self, "header", csv_line, &lines);
    if (code == E_OK)
        csv_shape_type(lines.shape, self->arena, out);
    csv_shape_free(lines.shape);
    if (code == E_OK && *out == NULL)
        *out = type_struct(self->arena, NULL, 0);
    return code;
}

static enum code lines_columns(const struct look *self, const struct type **out)
{
    const struct field text = {"value", type_of(TYPE_STRING), true};
    const char *format = self->source->format;
    if (strcmp(format, "json") == 0)
        return json_columns(self, out);
    if (strcmp(format, "csv") == 0)
        return csv_columns(self, out);
    *out = type_struct(self->arena, &text, 1);
    return E_OK;
}

/* ---- all together ---- */

/* Declared columns that folders give keep the declared type. */
static const struct type *path_as_declared(struct arena *arena, const struct type *declared, const struct type *path)
{
    struct field *fields = arena_array(arena, struct field, (size_t)path->field_count + 1);
    for (int32_t i = 0; i < path->field_count; i++) {
        int32_t at = type_field_index(declared, path->fields[i].name, true);
        fields[i] = at >= 0 ? declared->fields[at] : path->fields[i];
    }
    return type_struct(arena, fields, path->field_count);
}

static enum code shape_find(const struct look *self, struct source_shape *shape)
{
    struct files_reader reader;
    const struct files_reader_spec spec = reader_spec(self, NULL);
    enum code found = files_reader_open(&reader, &spec, self->err);
    if (found == E_ABSENT) { // who asked wrote the path
        const struct error why = *self->err;
        return fail(self->err, E_SQL, "%s", why.text);
    }
    TRY(found);
    enum code code = files_reader_describe(&reader, self->arena, shape, self->err);
    files_reader_close(&reader);
    return code;
}

static enum code columns_look(struct look *self)
{
    struct pipeline_source *source = self->source;
    struct source_shape shape;
    TRY(path_settle(self));
    TRY(shape_find(self, &shape));
    const struct type *declared = source->schema, *columns = declared;
    bool text = strcmp(source->format, "text") == 0, lines = shape.columns == NULL;
    if (declared != NULL)
        shape.path_columns = path_as_declared(self->arena, declared, shape.path_columns);
    else if (shape.files == 0 && !text && strcmp(source->format, "delta") != 0)
        return no_files(self);
    else if (lines)
        TRY(lines_columns(self, &columns));
    else
        columns = shape.columns;
    source->size_bytes = shape.size_bytes;
    source->schema = columns == shape.columns ? columns : source_with_path(self->arena, columns, shape.path_columns);
    source->path_columns = lines && shape.path_columns->field_count > 0 ? shape.path_columns : NULL;
    return E_OK;
}

static enum code columns_find(void *context, struct arena *arena, const struct session *session,
                              struct pipeline_source *source, struct error *err)
{
    struct query_files *files = context;
    struct look look = {files->budget, session, arena, source, err};
    return columns_look(&look);
}

static void options_of(const char *format, const struct option *tables[SQL_FILES_TABLES_MAX])
{
    static const struct option of_schemas[] = {{.name = "inferSchema"}, {0}};
    const struct source_type *type = source_find(format);
    const struct decoder_type *decoder = decoder_find(format);
    if (type != NULL)
        *tables++ = type->options;
    if (decoder != NULL)
        *tables++ = decoder->options;
    if (strcmp(format, "csv") == 0)
        *tables++ = of_schemas;
    *tables = NULL;
}

void query_files_init(struct query_files *self, struct budget *budget)
{
    *self = (struct query_files){.budget = budget, .files = {self, columns_find, options_of}};
}
