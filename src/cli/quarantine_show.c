/* quarantine_show.c - `leat quarantine DIR show`: rows one by one, with the place in the payload that is at fault. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/quantity.h"
#include "cli/quarantine.h"
#include "format/format.h"

enum { LINE_COLUMNS = 100, BEFORE_COLUMNS = 60, KEY_COLUMNS = 40 }; /* of the terminal, of a payload */

struct showing {
    const struct quarantine_flags *flags;
    const struct project *project;
    int64_t shown, matched;
    struct text line;
};

/* ---- bytes as text ---- */

/* Bytes of the character at `text`; 0 when it is none, or would move the cursor. */
static size_t printable(struct bytes text)
{
    uint8_t first = text.data[0];
    size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first < 0x20 || first == 0x7f || size > text.size || !utf8_valid(text.data, size))
        return 0;
    bool control = size == 2 && first == 0xc2 && text.data[1] < 0xa0;
    return control ? 0 : size;
}

/* One character, or \xNN, \n, \t; returns the bytes taken. *columns: how many places it takes. */
static size_t character_add(struct bytes rest, struct text *out, int *columns)
{
    size_t size = printable(rest), before = out->size;
    *columns = 1;
    if (size > 0) {
        text_add(out, rest.data, size);
        return size;
    }
    switch (rest.data[0]) {
    case '\n': text_add_string(out, "\\n"); break;
    case '\t': text_add_string(out, "\\t"); break;
    case '\r': text_add_string(out, "\\r"); break;
    default: text_printf(out, "\\x%02x", rest.data[0]);
    }
    *columns = (int)(out->size - before);
    return 1;
}

static void bytes_show(struct bytes value, int columns_max, struct text *out)
{
    int used = 0, columns;
    for (size_t at = 0; at < value.size && used < columns_max; used += columns)
        at += character_add(bytes_of(value.data + at, value.size - at), out, &columns);
    if (used >= columns_max)
        text_add_string(out, "..");
}

/* From where on a payload is shown, so that `byte` is in sight: at the beginning of a character. */
static size_t window_begin(struct bytes value, int64_t byte)
{
    if (byte <= LINE_COLUMNS - 20)
        return 0;
    size_t from = (size_t)(byte - BEFORE_COLUMNS);
    while (from < (size_t)byte && (value.data[from] & 0xc0) == 0x80)
        from++;
    return from;
}

/* Columns that the bytes before `byte` take. */
static int columns_before(struct bytes value, size_t from, int64_t byte)
{
    struct text ignored = {0};
    int used = 0, columns;
    for (size_t at = from; at < (size_t)byte && at < value.size; used += columns)
        at += character_add(bytes_of(value.data + at, value.size - at), &ignored, &columns);
    text_free(&ignored);
    return used;
}

/* ---- as a card ---- */

static void value_card(const struct batch *batch, int64_t row, struct text *out)
{
    struct bytes value = quarantine_bytes(batch, QUARANTINE_VALUE, row);
    int64_t byte = quarantine_number(batch, QUARANTINE_BYTE, row),
            size = quarantine_number(batch, QUARANTINE_VALUE_BYTES, row);
    char kept[QUANTITY_TEXT_MAX], all[QUANTITY_TEXT_MAX];
    text_add_string(out, "   value     ");
    if (column_is_null(&batch->columns[QUARANTINE_VALUE], row)) {
        text_add_string(out, "NULL\n");
        return;
    }
    bool marked = byte >= 0 && byte <= (int64_t)value.size;
    size_t from = marked ? window_begin(value, byte) : 0;
    text_add_string(out, from > 0 ? ".." : "");
    bytes_show(bytes_of(value.data + from, value.size - from), LINE_COLUMNS, out);
    if (size > (int64_t)value.size)
        text_printf(out, "  (%s of %s kept)", quantity_size((int64_t)value.size, kept), quantity_size(size, all));
    text_add_char(out, '\n');
    if (marked)
        text_printf(out, "%*s^ byte %" PRId64 "\n", 13 + (from > 0 ? 2 : 0) + columns_before(value, from, byte), "",
                    byte);
}

static void cell_add(struct text *out, const char *before, struct bytes cell, const char *after)
{
    if (cell.size == 0)
        return;
    text_add_string(out, before);
    bytes_show(cell, LINE_COLUMNS, out);
    text_add_string(out, after);
}

static void record_card(const struct batch *batch, int64_t row, struct text *out)
{
    char at[TIMESTAMP_TEXT_MAX + 1];
    struct bytes key = quarantine_bytes(batch, QUARANTINE_KEY, row);
    text_add_string(out, "   record    ");
    if (column_is_null(&batch->columns[QUARANTINE_SOURCE], row)) {
        text_add_string(out, "none: the row was made in leat\n");
        return;
    }
    cell_add(out, "", quarantine_bytes(batch, QUARANTINE_TOPIC, row), "");
    text_printf(out, " partition %" PRId64 " offset %" PRId64, quarantine_number(batch, QUARANTINE_PARTITION, row),
                quarantine_number(batch, QUARANTINE_OFFSET, row));
    cell_add(out, ", row ", quarantine_bytes(batch, QUARANTINE_ROW, row), "");
    if (!column_is_null(&batch->columns[QUARANTINE_TIMESTAMP], row))
        text_printf(out, ", %s UTC", quantity_time(quarantine_number(batch, QUARANTINE_TIMESTAMP, row), at));
    if (!column_is_null(&batch->columns[QUARANTINE_KEY], row)) {
        text_add_string(out, ", key ");
        bytes_show(key, KEY_COLUMNS, out);
    }
    text_add_char(out, '\n');
}

/* The place in the SQL, without the project's own folder. */
static struct bytes place_in(const struct project *project, struct bytes at)
{
    const char *folder = project->pipeline->directory;
    size_t size = strlen(folder);
    bool inside = at.size > size + 1 && memcmp(at.data, folder, size) == 0 && at.data[size] == '/';
    return inside ? bytes_of(at.data + size + 1, at.size - size - 1) : at;
}

static void card_print(const struct project *project, const struct batch *batch, int64_t row, int64_t number,
                       struct text *out)
{
    char at[TIMESTAMP_TEXT_MAX + 1];
    struct text tables = {0};
    quarantine_tables(batch, row, &tables);
    text_printf(out, "%s%" PRId64 "  ", number > 1 ? "\n" : "", number);
    cell_add(out, "", quarantine_bytes(batch, QUARANTINE_REASON, row), "");
    cell_add(out, "  ", quarantine_bytes(batch, QUARANTINE_DETAIL, row), "");
    text_add_char(out, '\n');
    cell_add(out, "   lost by   ", text_view(&tables), "");
    cell_add(out, "  at ", place_in(project, quarantine_bytes(batch, QUARANTINE_AT, row)), "");
    cell_add(out, ", field ", quarantine_bytes(batch, QUARANTINE_FIELD, row), "");
    text_add_char(out, '\n');
    record_card(batch, row, out);
    value_card(batch, row, out);
    text_printf(out, "   rejected  %s UTC, epoch %" PRId64 ", attempt %" PRId64,
                quantity_time(quarantine_number(batch, QUARANTINE_REJECTED_AT, row), at),
                quarantine_number(batch, QUARANTINE_EPOCH, row), quarantine_number(batch, QUARANTINE_ATTEMPTS, row));
    cell_add(out, ", in ", quarantine_bytes(batch, QUARANTINE_NAME, row), "");
    cell_add(out, ", replay ", quarantine_bytes(batch, QUARANTINE_REPLAY, row), "");
    cell_add(out, ", id ", quarantine_bytes(batch, QUARANTINE_ID, row), "\n");
    text_free(&tables);
}

/* ---- as JSON, as CSV ---- */

/* Text where it is UTF-8. *other: a name's ending says that it is not. */
static struct column readable(const struct batch *batch, int32_t column, int64_t row, bool *other)
{
    struct column col = batch->columns[column];
    *other = false;
    if (col.type->id != TYPE_BINARY)
        return col;
    struct bytes value = column_bytes_at(&col, row);
    *other = !utf8_valid(value.data, value.size);
    col.type = *other ? col.type : type_of(TYPE_STRING);
    return col;
}

static void json_line(const struct showing *self, const struct batch *batch, int64_t row, struct text *out)
{
    const char *comma = "{";
    for (int32_t c = 0; c < batch->column_count; c++) {
        bool other;
        if (column_is_null(&batch->columns[c], row))
            continue;
        struct column col = readable(batch, c, row, &other);
        text_printf(out, "%s\"%s%s\":", comma, batch->schema->fields[c].name, other ? "_base64" : "");
        json_write_value(&col, row, self->project->session.zone, out);
        comma = ",";
    }
    text_add_string(out, "}\n");
}

static void csv_cell(struct bytes cell, struct text *out)
{
    text_add_char(out, '"');
    for (size_t i = 0; i < cell.size; i++) {
        if (cell.data[i] == '"')
            text_add_char(out, '"');
        text_add_char(out, (char)cell.data[i]);
    }
    text_add_char(out, '"');
}

/* Bytes that are no text have escapes: a line is one row. */
static void csv_print(struct showing *self, const struct batch *batch, int64_t row, struct text *out)
{
    for (int32_t c = 0; self->shown == 1 && c < batch->column_count; c++)
        text_printf(out, "%s%s", c > 0 ? "," : "", batch->schema->fields[c].name);
    text_add_string(out, self->shown == 1 ? "\n" : "");
    for (int32_t c = 0; c < batch->column_count; c++) {
        text_add_string(out, c > 0 ? "," : "");
        if (column_is_null(&batch->columns[c], row))
            continue;
        text_clear(&self->line);
        if (batch->columns[c].type->id == TYPE_BINARY)
            bytes_show(column_bytes_at(&batch->columns[c], row), INT32_MAX, &self->line);
        else if (c == QUARANTINE_TABLES)
            quarantine_tables(batch, row, &self->line);
        else
            column_show(&batch->columns[c], row, self->project->session.zone, &self->line);
        csv_cell(text_view(&self->line), out);
    }
    text_add_char(out, '\n');
}

/* ---- all of them ---- */

static enum code row_show(void *context, const struct batch *batch, int64_t row, struct error *err)
{
    struct showing *self = context;
    struct text out = {0};
    (void)err;
    self->matched++;
    if (self->flags->limit > 0 && self->shown == self->flags->limit)
        return E_OK;
    self->shown++;
    switch (self->flags->format) {
    case QUARANTINE_AS_JSON: json_line(self, batch, row, &out); break;
    case QUARANTINE_AS_CSV: csv_print(self, batch, row, &out); break;
    default: card_print(self->project, batch, row, self->shown, &out);
    }
    fwrite(out.data, 1, out.size, stdout);
    text_free(&out);
    return E_OK;
}

static void none_show(const struct project *project, const struct quarantine_flags *flags)
{
    struct text out = {0};
    quarantine_topics_print(project, flags, &out);
    printf("no rows\n%s", text_view(&out).size > 0 ? out.data : "");
    text_free(&out);
}

enum code quarantine_show(const struct project *project, const struct quarantine_flags *flags, struct error *err)
{
    struct showing self = {.flags = flags, .project = project};
    const struct quarantine_visitor visitor = {.row = row_show, .context = &self};
    char matched[QUANTITY_TEXT_MAX];
    enum code code = quarantine_visit(project, flags, &visitor, err);
    if (code == E_OK && self.matched == 0)
        code = quarantine_table_check(project, flags, err);
    if (code == E_OK && flags->format == QUARANTINE_AS_TABLE && self.matched > self.shown)
        printf("\n%" PRId64 " of %s rows; --limit shows more, --where COLUMN = .. fewer\n", self.shown,
               quantity_count(self.matched, matched));
    else if (code == E_OK && flags->format == QUARANTINE_AS_TABLE && self.matched == 0)
        none_show(project, flags);
    text_free(&self.line);
    return code;
}
