/* columns_partition.c - values that all rows of a file have: of name=value folders, and of a Delta
 * table's log.
 *
 * Text     as Spark writes it: CAST AS STRING, with Hive's %XX in names of folders, and NULL as below
 */
#include <stdio.h>
#include <strings.h>

#include "base/text_number.h"
#include "source/columns.h"

static const char HIVE_NULL[] = "__HIVE_DEFAULT_PARTITION__";

/* ---- files ---- */

struct column_file *column_files_add(struct column_files *files, const char *name, int64_t size_bytes,
                                     int64_t modified_us)
{
    mem_grow(files->items, files->capacity, files->count + 1);
    struct column_file *file = &files->items[files->count++];
    size_t fields = (size_t)files->schema->field_count;
    *file = (struct column_file){.name = arena_strdup(&files->arena, name),
                                 .size_bytes = size_bytes,
                                 .modified_us = modified_us,
                                 .fixed = arena_array(&files->arena, struct fixed_value, fields)};
    for (size_t i = 0; i < fields; i++) {
        bool of_file = files->tells_file && source_is_file_column(&files->schema->fields[i]);
        file->fixed[i] = (struct fixed_value){.given = of_file, .of_file = of_file};
    }
    return file;
}

void column_files_clear(struct column_files *files)
{
    mem_free(files->items);
    arena_free(&files->arena);
    *files = (struct column_files){.schema = files->schema, .tells_file = files->tells_file};
}

/* ---- names of folders ---- */

void partition_set(struct column_files *files, struct column_file *file, const char *name, const char *value)
{
    int32_t index = type_field_index(files->schema, name, true);
    if (index < 0)
        return;
    bool null = value == NULL || value[0] == '\0' || strcmp(value, HIVE_NULL) == 0;
    file->fixed[index] = (struct fixed_value){.given = true, .text = null ? NULL : arena_strdup(&files->arena, value)};
}

/* Behind as many parts of the path as the pattern has: folders of the table begin there. */
static const char *below(const char *pattern, const char *path)
{
    while (*pattern == '/')
        pattern++;
    while (*path == '/')
        path++;
    while (*pattern != '\0') {
        pattern += strcspn(pattern, "/");
        path += strcspn(path, "/");
        while (*pattern == '/')
            pattern++;
        while (*path == '/')
            path++;
    }
    return path;
}

enum code partition_walk(const char *pattern, const char *path,
                         enum code (*each)(void *context, const char *name, const char *value), void *context)
{
    struct arena arena = {0};
    enum code code = E_OK;
    for (const char *part = below(pattern, path), *end; code == E_OK && (end = strchr(part, '/')) != NULL;
         part = end + 1) {
        const char *sign = memchr(part, '=', (size_t)(end - part));
        if (sign == NULL)
            continue;
        const char *name = store_name_decode(&arena, part, (size_t)(sign - part));
        const char *value = store_name_decode(&arena, sign + 1, (size_t)(end - sign - 1));
        bool null = value[0] == '\0' || strcmp(value, HIVE_NULL) == 0;
        code = each(context, name, null ? NULL : value);
    }
    arena_free(&arena);
    return code;
}

struct entered {
    struct column_files *files;
    struct column_file *file;
};

static enum code partition_enter(void *context, const char *name, const char *value)
{
    const struct entered *self = context;
    partition_set(self->files, self->file, name, value);
    return E_OK;
}

void partition_of_path(struct column_files *files, struct column_file *file, const char *pattern)
{
    struct entered entered = {files, file};
    (void)!partition_walk(pattern, file->name, partition_enter, &entered); // it never fails
}

const struct type *partition_rest(struct arena *arena, const struct column_files *files, const struct column_file *file)
{
    const struct type *schema = files->stored != NULL ? files->stored : files->schema;
    struct field *fields = arena_array(arena, struct field, (size_t)schema->field_count);
    int32_t count = 0;
    for (int32_t i = 0; i < schema->field_count; i++)
        if (!file->fixed[i].given)
            fields[count++] = schema->fields[i];
    return type_struct(arena, fields, count);
}

/* ---- values ---- */

static bool put_integer(struct builder *builder, const char *text, const char *end)
{
    int64_t value, rest = 64 - type_width(builder->type) * 8;
    bool overflow = false;
    if (parse_int64(text, end, &value, &overflow) != end || overflow ||
        (int64_t)((uint64_t)value << rest) >> rest != value)
        return false;
    builder_int(builder, value);
    return true;
}

static bool put_time(struct builder *builder, struct bytes text, const struct zone *zone)
{
    bool had_zone;
    int64_t us;
    int32_t days;
    if (builder->type->id == TYPE_DATE) {
        if (!date_parse(text, &days))
            return false;
        us = days;
    } else if (builder->type->id == TYPE_TIMESTAMP ? !timestamp_parse(text, zone, &us)
                                                   : !timestamp_ntz_parse(text, &us, &had_zone)) {
        return false;
    }
    builder_int(builder, us);
    return true;
}

static bool put_number(struct builder *builder, const char *text, const char *end)
{
    const struct type *type = builder->type;
    __int128 decimal;
    double number;
    if (type->id == TYPE_DECIMAL) {
        if (!decimal_parse(bytes_of(text, (size_t)(end - text)), type->precision, type->scale, &decimal))
            return false;
        builder_int128(builder, decimal);
        return true;
    }
    if (parse_double(text, end, &number) != end)
        return false;
    builder_double(builder, number);
    return true;
}

static bool put(struct builder *builder, const char *text, const struct zone *zone)
{
    struct bytes bytes = bytes_of_string(text);
    switch (builder->type->id) {
    case TYPE_BINARY: // written as the text that its bytes are
    case TYPE_STRING: builder_bytes(builder, bytes); return true;
    case TYPE_BOOLEAN:
        builder_boolean(builder, strcasecmp(text, "true") == 0);
        return strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0;
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ: return put_time(builder, bytes, zone);
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64: return put_integer(builder, text, text + bytes.size);
    default: return put_number(builder, text, text + bytes.size);
    }
}

static enum code value_fail(const struct field *field, const char *text, struct error *err)
{
    struct text type = {0};
    type_print(field->type, &type);
    enum code code = fail(err, E_DATA, "partition column %s: '%s' is no %s", field->name, text, type.data);
    text_free(&type);
    return code;
}

enum code partition_column(const struct field *field, const struct fixed_value *value, const struct zone *zone,
                           int64_t rows, struct column *out, struct error *err)
{
    struct builder builder;
    struct column one;
    enum type_id id = field->type->id;
    if (id == TYPE_NULL || id >= TYPE_INTERVAL_DT)
        return fail(err, E_UNSUPPORTED, "partition column %s: leat reads no such type from a name", field->name);
    if (value->text == NULL) {
        column_all_null(out, field->type, rows);
        return E_OK;
    }
    builder_init(&builder, field->type);
    bool good = put(&builder, value->text, zone);
    if (good) {
        int32_t *same = mem_array(int32_t, (size_t)rows); // row 0, again and again
        builder_finish(&builder, &one);
        column_gather(out, &one, same, rows);
        column_release(&one);
        mem_free(same);
    }
    builder_release(&builder);
    return good ? E_OK : value_fail(field, value->text, err);
}
