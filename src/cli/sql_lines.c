/* sql_lines.c - `leat sql --jsonl`: one {"id","sql"} a line in, one {"id","schema","rows","error","message"} a line out.
 *
 * rows     texts: the row's columns in Hive's form, joined by tabs, as Spark's golden files write them
 * error    Spark's condition, or null; message says more
 */
#include <jansson.h>
#include <string.h>

#include "cli/sql_run.h"

enum { LINE_MAX_BYTES = 16 * 1024 * 1024 };

struct answer {
    struct text schema, rows;
    const struct zone *zone;
    const struct session *settings;
    bool some;
};

/* Bytes of the character that `text` starts with; 0 when they are no UTF-8. */
static size_t character_size(const uint8_t *text, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = text[0] < 0x80   ? 1
                  : text[0] < 0xc2 ? 0
                  : text[0] < 0xe0 ? 2
                  : text[0] < 0xf0 ? 3
                  : text[0] < 0xf5 ? 4
                                   : 0;
    uint32_t code = size == 1 ? text[0] : text[0] & (0x7fu >> size);
    if (size > left)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return size > 0 && (code < least[size] || code > 0x10ffff || surrogate) ? 0 : size;
}

/* Bytes of which Java makes one U+FFFD: a character that begins well, up to where it breaks off. */
static size_t broken_size(const uint8_t *text, size_t left)
{
    for (size_t kept = left < 3 ? left : 3; kept > 1; kept--) {
        uint8_t whole[4] = {0x80, 0x80, 0x80, 0x80};
        memcpy(whole, text, kept);
        if (character_size(whole, sizeof whole) > kept)
            return kept;
    }
    return 1;
}

/* A JSON string; bytes that are no UTF-8 become U+FFFD, as in Java's strings. */
static void json_text(struct text *out, struct bytes text)
{
    text_add_char(out, '"');
    for (size_t i = 0; i < text.size;) {
        uint8_t byte = text.data[i];
        size_t size = character_size(text.data + i, text.size - i);
        if (byte == '"' || byte == '\\')
            text_printf(out, "\\%c", byte);
        else if (byte < 0x20)
            text_printf(out, "\\u%04x", byte);
        else if (size == 0)
            text_add_string(out, "\\ufffd");
        else
            text_add(out, text.data + i, size);
        i += size > 0 ? size : broken_size(text.data + i, text.size - i);
    }
    text_add_char(out, '"');
}

static void answer_schema(void *context, const struct type *schema, const struct zone *zone)
{
    struct answer *self = context;
    self->zone = zone;
    type_print(schema, &self->schema);
}

static void answer_rows(void *context, const struct batch *batch)
{
    struct answer *self = context;
    struct text line = {0};
    for (int64_t row = 0; row < batch->rows; row++) {
        text_clear(&line);
        for (int32_t c = 0; c < batch->column_count; c++) {
            text_add_string(&line, c > 0 ? "\t" : "");
            column_print_as(&batch->columns[c], row, self->zone, self->settings->binary, &line);
        }
        text_add_string(&self->rows, self->some ? "," : "");
        json_text(&self->rows, text_view(&line));
        self->some = true;
    }
    text_free(&line);
}

/* The condition; for errors that have none, the text. */
static void json_error(struct text *out, const struct error *err)
{
    struct bytes condition = sql_condition(err);
    json_text(out, condition.size > 0 ? condition : bytes_of_string(err->text));
    text_add_string(out, ",\"message\":");
    json_text(out, bytes_of_string(err->text));
}

static int add_dumped(const char *buffer, size_t size, void *context)
{
    text_add(context, buffer, size);
    return 0;
}

static void answer_print(const struct answer *answer, json_t *id, enum code code, const struct error *err)
{
    struct text out = {0};
    text_add_string(&out, "{\"id\":");
    if (id == NULL || json_dump_callback(id, add_dumped, &out, JSON_ENCODE_ANY | JSON_COMPACT) != 0)
        text_add_string(&out, "null");
    text_add_string(&out, ",\"schema\":");
    if (code == E_OK && answer->schema.size > 0)
        json_text(&out, text_view(&answer->schema));
    else
        text_add_string(&out, "\"struct<>\"");
    text_add_string(&out, ",\"rows\":[");
    if (code == E_OK)
        text_add(&out, answer->rows.data, answer->rows.size);
    text_add_string(&out, "],\"error\":");
    if (code == E_OK)
        text_add_string(&out, "null");
    else
        json_error(&out, err);
    text_add_string(&out, "}\n");
    fwrite(out.data, 1, out.size, stdout);
    fflush(stdout);
    text_free(&out);
}

static void line_run(struct sql_run *run, struct bytes line)
{
    struct answer answer = {.settings = sql_session_settings(run->session)};
    struct error err = {0};
    const struct sql_sink sink = {.schema = answer_schema, .rows = answer_rows, .context = &answer};
    json_t *request = json_loadb((const char *)line.data, line.size, JSON_ALLOW_NUL, NULL);
    const json_t *sql = json_object_get(request, "sql");
    enum code code;
    if (!json_is_string(sql))
        code = fail(&err, E_USAGE, "a line of --jsonl is {\"id\": .., \"sql\": \"..\"}");
    else
        code = sql_run_statement(run, bytes_of(json_string_value(sql), json_string_length(sql)), &sink, &err);
    answer_print(&answer, json_object_get(request, "id"), code, &err);
    json_decref(request);
    text_free(&answer.schema);
    text_free(&answer.rows);
}

int sql_lines_run(struct sql_run *self, FILE *in)
{
    struct text line = {.limit = LINE_MAX_BYTES};
    for (int c = fgetc(in); c != EOF; c = fgetc(in)) {
        if (c != '\n') {
            text_add_char(&line, (char)c);
            continue;
        }
        if (line.size > 0)
            line_run(self, text_view(&line));
        text_clear(&line);
    }
    if (line.size > 0)
        line_run(self, text_view(&line));
    text_free(&line);
    return 0;
}

void sql_lines_script(struct sql_run *self, struct bytes text)
{
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end != NULL ? (size_t)(end - text.data) : text.size;
        if (size > 0)
            line_run(self, bytes_of(text.data, size));
        size += end != NULL;
        text = bytes_of(text.data + size, text.size - size);
    }
}
