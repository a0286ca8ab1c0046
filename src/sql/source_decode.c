/* source_decode.c - what stands over a source of files: its lines, decoded into the declared
 * columns.
 *
 *   project   the declared columns
 *     decode    one STRUCT of a line
 *       source    value BINARY, a line of a file
 *
 * So a source never knows JSON, and columns that nobody reads are never decoded (prune.c).
 */
#include "sql/source_schema.h"

/* The mode of Spark's readers; DROPMALFORMED is PERMISSIVE and a filter. */
static enum code read_mode(struct analyser *self, const struct pipeline_source *source, struct plan_decode *decode,
                           bool *drop)
{
    const char *mode = source_option(source, "mode");
    *drop = mode != NULL && same_name(mode, "DROPMALFORMED");
    decode->mode = mode == NULL || *drop ? "PERMISSIVE" : mode;
    if (same_name(decode->mode, "PERMISSIVE") || same_name(decode->mode, "FAILFAST"))
        return E_OK;
    return sql_error(self, source->at, "PERMISSIVE, DROPMALFORMED or FAILFAST",
                     "[PARSE_MODE_UNSUPPORTED] source.%s.mode is %s.", source->name, mode);
}

static enum code check_corrupt(struct analyser *self, const struct pipeline_source *source,
                               const struct plan_decode *decode)
{
    int32_t index = type_field_index(source->schema, decode->corrupt_column, false);
    if (index < 0 || source->schema->fields[index].type->id == TYPE_STRING)
        return E_OK;
    return sql_error(self, source->at, NULL,
                     "[INVALID_CORRUPT_RECORD_TYPE] The column `%s` for corrupt records must have the "
                     "nullable STRING type, but got %s.",
                     decode->corrupt_column, type_text(self->arena, source->schema->fields[index].type));
}

/* The pattern for times of this type, or NULL: then the decoder reads them. */
static const char *time_format(const struct pipeline_source *source, const struct type *type)
{
    if (type->id == TYPE_TIMESTAMP)
        return source_option(source, "timestampFormat");
    return type->id == TYPE_DATE ? source_option(source, "dateFormat") : NULL;
}

/* A folder's name gives it, no line. */
static bool is_of_path(const struct pipeline_source *source, const char *name)
{
    return source->path_columns != NULL && type_field_index(source->path_columns, name, true) >= 0;
}

/* What the decoder makes of a line: the declared columns, all nullable (as Spark has it for files).
 * A time with a pattern is a text here: patterns are of expr/. `with_corrupt`: and the column of
 * corrupt records. */
static const struct type *record_type(struct analyser *self, const struct pipeline_source *source,
                                      const struct plan_decode *decode, bool with_corrupt)
{
    const struct type *declared = source->schema;
    struct field *fields = arena_array(self->arena, struct field, (size_t)declared->field_count + 1);
    int32_t count = 0;
    for (int32_t i = 0; i < declared->field_count; i++) {
        const struct field *field = &declared->fields[i];
        const struct type *type = time_format(source, field->type) != NULL ? type_of(TYPE_STRING) : field->type;
        if (!is_of_path(source, field->name))
            fields[count++] = (struct field){field->name, type, true};
    }
    if (with_corrupt && type_field_index(declared, decode->corrupt_column, false) < 0)
        fields[count++] = (struct field){decode->corrupt_column, type_of(TYPE_STRING), true};
    return type_struct(self->arena, fields, count);
}

static enum code parse_time(struct analyser *self, const struct expr *text, const char *format, const struct type *type,
                            const struct expr **out)
{
    const struct expr *args[2] = {text, expr_string(&self->expr, bytes_of_string(format), text->at)};
    const struct expr *time;
    TRY(placed(self, expr_call(&self->expr, "try_to_timestamp", args, 2, text->at, &time, self->err), text->at));
    *out = time;
    if (type->id == TYPE_TIMESTAMP)
        return E_OK;
    return placed(self, expr_cast(&self->expr, time, type, false, text->at, out, self->err), text->at);
}

/* The value is the first column of the lines, behind it stand those of the path. */
static const struct expr *path_column(struct analyser *self, const struct pipeline_source *source,
                                      const struct plan *lines, const char *name)
{
    return column_of(self, lines, 1 + type_field_index(source->path_columns, name, true), source->at);
}

/* FILE_COLUMN of the lines, where they have it, behind the columns of the projection. */
static int32_t pass_file(struct analyser *self, const struct pipeline_source *source, const struct plan *lines,
                         int32_t count, const struct expr **exprs, const char **names)
{
    if (!source->tells_file)
        return count;
    exprs[count] = column_of(self, lines, type_field_index(lines->schema, FILE_COLUMN, false), source->at);
    names[count] = FILE_COLUMN;
    return count + 1;
}

static enum code project_record(struct analyser *self, const struct pipeline_source *source, struct plan **plan)
{
    const struct type *declared = source->schema;
    int32_t count = declared->field_count, last = (*plan)->schema->field_count - 1;
    const struct expr **exprs = arena_array(self->arena, const struct expr *, (size_t)count + 1);
    const char **names = arena_array(self->arena, const char *, (size_t)count + 1); // and FILE_COLUMN
    const struct expr *record = column_of(self, *plan, last, source->at);
    for (int32_t i = 0; i < count; i++) {
        const struct field *field = &declared->fields[i];
        const char *format = time_format(source, field->type);
        names[i] = field->name;
        if (is_of_path(source, field->name)) {
            exprs[i] = path_column(self, source, *plan, field->name);
            continue;
        }
        TRY(placed(self, expr_field(&self->expr, record, field->name, source->at, &exprs[i], self->err), source->at));
        if (format != NULL)
            TRY(parse_time(self, exprs[i], format, field->type, &exprs[i]));
    }
    count = pass_file(self, source, *plan, count, exprs, names);
    *plan = plan_project(self->arena, *plan, exprs, names, count, source->at);
    return E_OK;
}

/* Records that have something in the column of corrupt ones are left out. */
static enum code drop_corrupt(struct analyser *self, const struct plan_decode *decode, struct plan **plan)
{
    int32_t last = (*plan)->schema->field_count - 1;
    const struct expr *corrupt, *keep;
    struct position at = (*plan)->at;
    TRY(placed(
        self,
        expr_field(&self->expr, column_of(self, *plan, last, at), decode->corrupt_column, at, &corrupt, self->err),
        at));
    TRY(placed(self, expr_call(&self->expr, "isnull", &corrupt, 1, at, &keep, self->err), at));
    *plan = plan_filter(self->arena, *plan, keep, at);
    return E_OK;
}

static struct plan *decode_lines(struct analyser *self, struct plan *lines, const struct plan_decode *decode)
{
    const struct field field = {"record", decode->schema, true};
    const struct type *schema = schema_append(self->arena, lines->schema, &field, 1);
    struct plan *node = plan_over(self->arena, PLAN_DECODE, lines, schema, lines->at);
    const struct expr **exprs = arena_new(self->arena, const struct expr *);
    exprs[0] = column_of(self, lines, 0, lines->at);
    node->exprs = exprs;
    node->expr_count = 1;
    node->decode = *decode;
    return node;
}

/* Which files there are, and how many of them an epoch takes, is not the decoder's: what is
 * remembered of their lines stays when it changes (fingerprint.c). */
static bool option_is_of_files(const char *name)
{
    static const char *const names[] = {"path",       "schema",         "maxFilesPerTrigger", "maxBytesPerTrigger",
                                        "maxFileAge", "pathGlobFilter", "latestFirst",        "cleanSource"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (same_name(name, names[i]))
            return true;
    return false;
}

static void decode_options_of(struct analyser *self, const struct pipeline_source *source, struct plan_decode *decode)
{
    int32_t count = 0;
    const char **names = arena_array(self->arena, const char *, (size_t)source->option_count + 1);
    const char **values = arena_array(self->arena, const char *, (size_t)source->option_count + 1);
    for (int32_t i = 0; i < source->option_count; i++) {
        if (option_is_of_files(source->options[i].name))
            continue;
        names[count] = source->options[i].name;
        values[count++] = source->options[i].value;
    }
    decode->option_names = names;
    decode->option_values = values;
    decode->option_count = count;
}

static enum code decode_source(struct analyser *self, const struct pipeline_source *source, struct plan **plan)
{
    const char *corrupt = source_option(source, "columnNameOfCorruptRecord");
    bool drop;
    struct plan_decode decode = {
        .format = source->format, .corrupt_column = corrupt != NULL ? corrupt : "_corrupt_record", .exact_texts = true};
    TRY(read_mode(self, source, &decode, &drop));
    TRY(check_corrupt(self, source, &decode));
    decode.schema = record_type(self, source, &decode, drop);
    decode_options_of(self, source, &decode);
    *plan = decode_lines(self, *plan, &decode);
    if (drop)
        TRY(drop_corrupt(self, &decode, plan));
    return project_record(self, source, plan);
}

static enum code project_text(struct analyser *self, const struct pipeline_source *source, struct plan **plan)
{
    const struct type *declared = source->schema;
    int32_t count = declared->field_count;
    const struct expr **exprs = arena_array(self->arena, const struct expr *, (size_t)count + 1);
    const char **names = arena_array(self->arena, const char *, (size_t)count + 1); // and FILE_COLUMN
    for (int32_t i = 0; i < count; i++) {
        names[i] = declared->fields[i].name;
        if (is_of_path(source, names[i]))
            exprs[i] = path_column(self, source, *plan, names[i]);
        else
            TRY(placed(self,
                       expr_cast(&self->expr, column_of(self, *plan, 0, source->at), type_of(TYPE_STRING), false,
                                 source->at, &exprs[i], self->err),
                       source->at));
    }
    count = pass_file(self, source, *plan, count, exprs, names);
    *plan = plan_project(self->arena, *plan, exprs, names, count, source->at);
    return E_OK;
}

/* What a row's file is called, how large it is: Spark's fields, and types. */
static const struct type *with_file(struct analyser *self, const struct pipeline_source *source,
                                    const struct type *schema)
{
    const struct type *text = type_of(TYPE_STRING), *number = type_of(TYPE_INT64);
    const struct field fields[] = {
        {"file_path", text, false},           {"file_name", text, false},
        {"file_size", number, false},         {"file_block_start", number, false},
        {"file_block_length", number, false}, {"file_modification_time", type_of(TYPE_TIMESTAMP), false},
        {"row_index", number, false}};
    bool rows = same_name(source->format, "parquet") || same_name(source->format, "delta");
    const struct field file = {FILE_COLUMN, type_struct(self->arena, fields, rows ? 7 : 6), false};
    return source->tells_file ? schema_append(self->arena, schema, &file, 1) : schema;
}

/* A line, and what the folders around its file give. */
static const struct type *lines_type(struct analyser *self, const struct pipeline_source *source)
{
    const struct field line = {"value", type_of(TYPE_BINARY), true};
    const struct type *type = type_struct(self->arena, &line, 1);
    const struct type *path = source->path_columns;
    return path == NULL ? type : schema_append(self->arena, type, path->fields, path->field_count);
}

enum code source_relation(struct analyser *self, const struct pipeline_source *source, bool streaming,
                          struct plan **out)
{
    bool text = same_name(source->format, "text");
    bool decoded = same_name(source->format, "json") || same_name(source->format, "csv");
    const struct type *schema = with_file(self, source, text || decoded ? lines_type(self, source) : source->schema);
    struct plan *plan = plan_new(self->arena, PLAN_SOURCE, schema, source->at);
    plan->source = source;
    plan->streaming = streaming;
    if (text)
        TRY(project_text(self, source, &plan));
    if (decoded)
        TRY(decode_source(self, source, &plan));
    *out = plan;
    return E_OK;
}
