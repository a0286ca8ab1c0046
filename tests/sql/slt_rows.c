#include "slt.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/os.h"
#include "store/store.h"

#define DAY "2026-01-01" /* of times that are written without a date */

/* ---- as fed ---- */

/* One value: a bare word, a JSON text, array or object. Returns the end. */
static const char *value_end(const char *at)
{
    if (*at != '"' && *at != '{' && *at != '[')
        return at + strcspn(at, " ");
    int depth = 0;
    bool quoted = false;
    for (; *at != '\0'; at++) {
        if (quoted && *at == '\\' && at[1] != '\0')
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (!quoted)
            depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        if (!quoted && depth == 0)
            return at + 1;
    }
    return at;
}

static bool is_time(enum type_id id) { return id == TYPE_TIMESTAMP || id == TYPE_TIMESTAMP_NTZ; }

/* 10:20 or 10:20:30.5 */
static bool is_time_of_day(struct bytes text)
{
    return text.size >= 5 && text.data[2] == ':' && memchr(text.data, '-', text.size) == NULL;
}

static void value_feed(const struct type *type, struct bytes value, struct text *out)
{
    bool number = type_is_numeric(type) || type->id == TYPE_BOOLEAN;
    bool json = value.data[0] == '"' || value.data[0] == '{' || value.data[0] == '[';
    if (json || number || bytes_equal_string(value, "null")) {
        text_add(out, value.data, value.size);
        return;
    }
    text_add_char(out, '"');
    if (is_time(type->id) && is_time_of_day(value))
        text_add_string(out, DAY "T");
    text_add(out, value.data, value.size);
    text_add_char(out, '"');
}

/* `-` leaves a column out; | begins a line that is fed as it is. */
enum code slt_row_feed(const struct slt_stream *stream, const char *row, struct text *out, struct error *err)
{
    bool verbatim = row[0] == '|' || strcasecmp(stream->format, "json") != 0;
    if (verbatim) {
        text_printf(out, "%s\n", row + (row[0] == '|'));
        return E_OK;
    }
    const char *at = row, *comma = "";
    text_add_char(out, '{');
    for (int32_t i = 0; i < stream->schema->field_count; i++) {
        const struct field *field = &stream->schema->fields[i];
        at += strspn(at, " ");
        struct bytes value = bytes_of(at, (size_t)(value_end(at) - at));
        if (value.size == 0)
            return fail(err, E_SPEC, "\"%s\" has fewer values than %s has columns", row, stream->name);
        at += value.size;
        if (bytes_equal_string(value, "-"))
            continue;
        text_printf(out, "%s\"%s\":", comma, field->name);
        value_feed(field->type, bytes_equal_string(value, "NULL") ? bytes_of_string("null") : value, out);
        comma = ",";
    }
    text_add_string(out, "}\n");
    return at[strspn(at, " ")] == '\0'
               ? E_OK
               : fail(err, E_SPEC, "\"%s\" has more values than %s has columns", row, stream->name);
}

/* ---- lists ---- */

void slt_rows_add(struct slt_rows *rows, const char *row)
{
    mem_grow(rows->items, rows->capacity, rows->count + 1);
    rows->items[rows->count++] = arena_strdup(&rows->arena, row);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

void slt_rows_sort(struct slt_rows *rows)
{
    if (rows->count > 1)
        qsort(rows->items, (size_t)rows->count, sizeof *rows->items, by_text);
}

void slt_rows_clear(struct slt_rows *rows)
{
    rows->count = 0;
    arena_reset(&rows->arena);
}

void slt_rows_free(struct slt_rows *rows)
{
    mem_free(rows->items);
    arena_free(&rows->arena);
    *rows = (struct slt_rows){0};
}

/* ---- as tables hold them ---- */

/* The member `name` of a line that leat's JSON sink wrote, as it stands there; NULL when it is left
 * out. */
static struct bytes member(const char *line, const char *name)
{
    const char *at = line + 1;
    while (*at == '"') {
        const char *end = value_end(at), *value = end + 1, *behind = value;
        struct bytes key = bytes_of(at + 1, (size_t)(end - at) - 2);
        behind = *value == '"' || *value == '{' || *value == '[' ? value_end(value) : value + strcspn(value, ",}");
        if (bytes_equal_string(key, name))
            return bytes_of(value, (size_t)(behind - value));
        at = *behind == ',' ? behind + 1 : behind;
    }
    return (struct bytes){0};
}

/* A text that can stand without its quotes. */
static bool is_bare(struct bytes text)
{
    if (text.size == 0 || bytes_equal_string(text, "NULL") || strchr("{[|#-", text.data[0]) != NULL)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] == '"' || text.data[i] == '\\')
            return false;
    return true;
}

/* 2026-01-01T00:00:10.000Z is 00:00:10 */
static void time_print(struct bytes text, struct text *out)
{
    const char *at = (const char *)text.data;
    size_t size = text.size, day = sizeof DAY "T" - 1;
    if (size > day && memcmp(at, DAY "T", day) == 0) {
        at += day;
        size -= day;
    }
    const char *fraction = memchr(at, '.', size);
    size_t whole = fraction != NULL ? (size_t)(fraction - at) : size;
    text_add(out, at, whole);
    if (fraction == NULL)
        return;
    if (memcmp(fraction, ".000", 4) != 0)
        text_add(out, fraction, 4);
    size_t zone = size - whole - 4;
    if (!(zone == 1 && fraction[4] == 'Z'))
        text_add(out, fraction + 4, zone);
}

static void value_print(const struct type *type, struct bytes value, struct text *out)
{
    bool quoted = value.size >= 2 && value.data[0] == '"';
    struct bytes inner = quoted ? bytes_of(value.data + 1, value.size - 2) : value;
    if (value.size == 0)
        text_add_string(out, "NULL");
    else if (is_time(type->id) && quoted)
        time_print(inner, out);
    else if (quoted && is_bare(inner))
        text_add(out, inner.data, inner.size);
    else
        text_add(out, value.data, value.size);
}

/* The value of a partition column stands in the path: k=v/ */
static bool path_value(const char *path, const char *name, struct bytes *out)
{
    size_t size = strlen(name);
    for (const char *part = path, *slash; (slash = strchr(part, '/')) != NULL; part = slash + 1)
        if ((size_t)(slash - part) > size && memcmp(part, name, size) == 0 && part[size] == '=') {
            *out = bytes_of(part + size + 1, (size_t)(slash - part) - size - 1);
            return true;
        }
    return false;
}

/* Percent signs undone, and in quotes where it cannot stand without. */
static void path_value_print(struct bytes value, struct text *out)
{
    struct text plain = {0};
    if (bytes_equal_string(value, "__HIVE_DEFAULT_PARTITION__")) {
        text_add_string(out, "NULL");
        return;
    }
    for (size_t i = 0; i < value.size; i++) {
        unsigned code;
        bool escaped = value.data[i] == '%' && sscanf((const char *)value.data + i + 1, "%2x", &code) == 1;
        text_add_char(&plain, escaped ? (char)code : (char)value.data[i]);
        i += escaped ? 2 : 0;
    }
    const char *quote = is_bare(text_view(&plain)) ? "" : "\"";
    text_printf(out, "%s%s%s", quote, plain.data != NULL ? plain.data : "", quote);
    text_free(&plain);
}

static void row_print(const struct type *schema, const char *path, const char *line, struct text *out)
{
    text_clear(out);
    for (int32_t i = 0; i < schema->field_count; i++) {
        const struct field *field = &schema->fields[i];
        struct bytes value = {0};
        text_add_string(out, i > 0 ? " " : "");
        if (path_value(path, field->name, &value))
            path_value_print(value, out);
        else
            value_print(field->type, member(line, field->name), out);
    }
}

/* What has no schema in the pipeline: bad records by what is said of them, late ones by their time,
 * both with the record. */
static void odd_row_print(const char *line, struct text *out)
{
    static const char *const said[] = {"reason", "tables", "field", "row", "attempts", "value"};
    struct bytes time = member(line, "event_time"), value = member(line, "value");
    text_clear(out);
    if (time.size > 0) {
        value_print(type_of(TYPE_TIMESTAMP), time, out);
        text_add_char(out, ' ');
        text_add(out, value.data, value.size);
        return;
    }
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        text_add_string(out, i > 0 ? " " : "");
        value_print(type_of(TYPE_STRING), member(line, said[i]), out);
    }
}

static const struct pipeline_table *table_find(const struct pipeline *pipeline, const char *name)
{
    for (int32_t i = 0; i < pipeline->table_count; i++)
        if (strcasecmp(pipeline->tables[i]->name, name) == 0)
            return pipeline->tables[i];
    return NULL;
}

static void file_rows(const struct pipeline_table *table, const char *path, char *text, struct slt_rows *out)
{
    struct text row = {0};
    bool json = table != NULL && strcasecmp(table->format, "json") == 0;
    for (char *line = text, *end; *line != '\0'; line = end) {
        end = line + strcspn(line, "\n");
        if (*end == '\n')
            *end++ = '\0';
        if (json)
            row_print(table->schema, path, line, &row);
        else if (table == NULL)
            odd_row_print(line, &row);
        slt_rows_add(out, json || table == NULL ? row.data : line);
    }
    text_free(&row);
}

static enum code folder_rows(const struct pipeline_table *table, const char *name, struct store *store,
                             struct slt_rows *out, struct error *err)
{
    struct store_list list = {0};
    enum code code = store_list(store, name, true, &list, err);
    for (int32_t i = 0; code == E_OK && i < list.count; i++) {
        const char *path = list.entries[i].path + strlen(name) + 1;
        struct text text = {0};
        if (path[0] == '_')
            continue;
        code = store_get(store, list.entries[i].path, 1 << 24, &text, err);
        if (code == E_OK && text.size > 0)
            file_rows(table, path, text.data, out);
        text_free(&text);
    }
    store_list_free(&list);
    return code;
}

enum code slt_rows_read(const struct pipeline *pipeline, const char *tables, const char *name, struct slt_rows *out,
                        struct error *err)
{
    struct store *store;
    const struct pipeline_table *table = table_find(pipeline, name);
    if (table != NULL && strcasecmp(table->format, "parquet") == 0)
        return fail(err, E_UNSUPPORTED, "%s: the runner reads no Parquet", name);
    TRY(store_open(tables, &store, err));
    enum code code = folder_rows(table, name, store, out, err);
    store_close(store);
    slt_rows_sort(out);
    return code;
}
