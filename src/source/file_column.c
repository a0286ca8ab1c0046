/* file_column.c - what a file is called, how large it is and when it was changed, as a column of its rows: Spark's _metadata.
 *
 * Fields   SOURCE_FILE_COLUMN is a STRUCT, SOURCE_FILE_COLUMN ".file_name" one field of it; all but row_index are the same in
 *          every row. A file is one block: it is read whole
 * Paths    as Spark writes them: file:/data/a%20b.json, s3://bucket/key
 */
#include <ctype.h>

#include "source/source.h"

static const char PREFIX[] = SOURCE_FILE_COLUMN ".";

bool source_is_file_column(const struct field *field)
{
    return strcmp(field->name, SOURCE_FILE_COLUMN) == 0 || strncmp(field->name, PREFIX, sizeof PREFIX - 1) == 0;
}

static const char *field_name(const struct field *field)
{
    return strncmp(field->name, PREFIX, sizeof PREFIX - 1) == 0 ? field->name + sizeof PREFIX - 1 : field->name;
}

bool source_asks_row(const struct type *schema)
{
    for (int32_t i = 0; i < schema->field_count; i++) {
        const struct field *field = &schema->fields[i];
        bool whole = strcmp(field->name, SOURCE_FILE_COLUMN) == 0 && field->type->id == TYPE_STRUCT;
        if (strcmp(field->name, SOURCE_FILE_COLUMN ".row_index") == 0 ||
            (whole && type_field_index(field->type, "row_index", false) >= 0))
            return true;
    }
    return false;
}

/* What java.net.URI leaves as it is in a path. */
static void path_add(struct text *out, const char *path)
{
    static const char hex[] = "0123456789ABCDEF";
    for (; *path != '\0'; path++) {
        unsigned char byte = (unsigned char)*path;
        if (byte >= 0x80 || isalnum(byte) || strchr("-_.!~*'():@&=+$,;/", byte) != NULL)
            text_add(out, path, 1);
        else
            text_printf(out, "%%%c%c", hex[byte >> 4], hex[byte & 15]);
    }
}

static void text_column(const char *value, int64_t rows, struct column *out)
{
    struct builder builder;
    struct column one;
    int32_t *same = mem_array(int32_t, (size_t)rows); // row 0, again and again
    builder_init(&builder, type_of(TYPE_STRING));
    builder_bytes(&builder, bytes_of_string(value));
    builder_finish(&builder, &one);
    column_gather(out, &one, same, rows);
    column_release(&one);
    builder_release(&builder);
    mem_free(same);
}

static void path_column(const char *path, bool name_only, int64_t rows, struct column *out)
{
    struct text text = {0};
    const char *last = strrchr(path, '/');
    text_add_string(&text, name_only || path[0] != '/' ? "" : "file:");
    path_add(&text, name_only && last != NULL ? last + 1 : path);
    text_column(text.data != NULL ? text.data : "", rows, out);
    text_free(&text);
}

static void number_column(const struct type *type, int64_t value, const int64_t *values, int64_t rows,
                          struct column *out)
{
    *out = (struct column){.type = type, .rows = rows};
    out->values = buffer_new((size_t)rows * sizeof(int64_t));
    int64_t *to = column_values(out, int64_t);
    for (int64_t i = 0; i < rows; i++)
        to[i] = values != NULL ? values[i] : value;
}

static void one_column(const struct source_file *file, const char *name, const struct type *type, int64_t rows,
                       struct column *out)
{
    if (strcmp(name, "file_path") == 0 || strcmp(name, "file_name") == 0)
        path_column(file->path, strcmp(name, "file_name") == 0, rows, out);
    else if (strcmp(name, "file_modification_time") == 0)
        number_column(type, file->modified_us - file->modified_us % 1000, NULL, rows, out); // Spark's are milliseconds
    else if (strcmp(name, "row_index") == 0)
        number_column(type, 0, file->row_numbers, rows, out);
    else
        number_column(type, strcmp(name, "file_block_start") == 0 ? 0 : file->size_bytes, NULL, rows, out);
}

void source_file_column(const struct source_file *file, const struct field *field, int64_t rows, struct column *out)
{
    const struct type *type = field->type;
    if (type->id != TYPE_STRUCT) {
        one_column(file, field_name(field), type, rows, out);
        return;
    }
    *out = (struct column){.type = type, .rows = rows, .child_count = type->field_count};
    out->children = mem_array(struct column, (size_t)type->field_count);
    for (int32_t i = 0; i < type->field_count; i++)
        one_column(file, type->fields[i].name, type->fields[i].type, rows, &out->children[i]);
}

static bool same_bytes(struct bytes a, struct bytes b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

enum code source_each_file(const struct column *topics, int64_t rows,
                           enum code (*each)(void *context, const char *path, int64_t rows, struct column *out,
                                             struct error *err),
                           void *context, struct column *out, struct error *err)
{
    struct text name = {0};
    struct column whole = {0};
    enum code code = E_OK;
    for (int64_t from = 0, to; code == E_OK && from < rows; from = to) {
        struct bytes file = column_bytes_at(topics, from);
        struct column part = {0};
        for (to = from + 1; to < rows && same_bytes(column_bytes_at(topics, to), file);)
            to++;
        text_clear(&name);
        text_add(&name, file.data, file.size);
        code = each(context, name.data, to - from, &part, err);
        if (code == E_OK)
            column_append(&whole, &part, 0, to - from);
        column_release(&part);
    }
    text_free(&name);
    if (code == E_OK)
        *out = whole;
    else
        column_release(&whole);
    return code;
}
