#include "data/show.h"

#include "data/interval.h"
#include "data/variant.h"

#include <stdio.h>

#include "base/memory.h"

/* ---- one value ---- */

static void show_list(const struct column *col, int64_t row, const struct zone *zone, struct text *out)
{
    bool map = col->type->id == TYPE_MAP;
    const int32_t *offsets = column_offsets(col);
    text_add_char(out, map ? '{' : '[');
    for (int64_t i = offsets[row]; i < offsets[row + 1]; i++) {
        if (i > offsets[row])
            text_add_string(out, ", ");
        column_show(&col->children[0], i, zone, out);
        if (map) {
            text_add_string(out, " -> ");
            column_show(&col->children[1], i, zone, out);
        }
    }
    text_add_char(out, map ? '}' : ']');
}

static void show_struct(const struct column *col, int64_t row, const struct zone *zone, struct text *out)
{
    text_add_char(out, '{');
    for (int32_t i = 0; i < col->child_count; i++) {
        if (i > 0)
            text_add_string(out, ", ");
        column_show(&col->children[i], row, zone, out);
    }
    text_add_char(out, '}');
}

static void show_binary(struct bytes value, struct text *out)
{
    text_add_char(out, '[');
    for (size_t i = 0; i < value.size; i++)
        text_printf(out, "%s%02X", i > 0 ? " " : "", value.data[i]);
    text_add_char(out, ']');
}

void column_show(const struct column *col, int64_t row, const struct zone *zone, struct text *out)
{
    if (column_is_null(col, row)) {
        text_add_string(out, "NULL");
        return;
    }
    char digits[TIMESTAMP_TEXT_MAX];
    char interval[INTERVAL_TEXT_MAX];
    switch (col->type->id) {
    case TYPE_ARRAY:
    case TYPE_MAP: show_list(col, row, zone, out); break;
    case TYPE_STRUCT: show_struct(col, row, zone, out); break;
    case TYPE_BINARY: show_binary(column_bytes_at(col, row), out); break;
    case TYPE_VARIANT: variant_print(column_bytes_at(col, row), zone_utc(), out); break;
    case TYPE_TIMESTAMP: text_add(out, digits, timestamp_print(column_values(col, int64_t)[row], zone, digits)); break;
    case TYPE_INTERVAL_DT:
        text_add(out, interval, interval_print(col->type, column_values(col, int64_t)[row], interval));
        break;
    case TYPE_INTERVAL_YM:
        text_add(out, interval, interval_print(col->type, column_values(col, int32_t)[row], interval));
        break;
    default: column_print(col, row, out); break;
    }
}

/* ---- cells ---- */

static bool continues(char c) { return ((unsigned char)c & 0xc0) == 0x80; }

/* Characters, not bytes: UTF-8's continuation bytes do not count. */
static int64_t width_of(const char *text)
{
    int64_t width = 0;
    for (; *text != '\0'; text++)
        width += !continues(*text);
    return width;
}

/* Bytes of the UTF-8 character that starts here; 0 when these bytes are none. */
static size_t character_size(const uint8_t *at, size_t left)
{
    size_t size = at[0] < 0x80                    ? 1
                  : at[0] >= 0xc2 && at[0] < 0xe0 ? 2
                  : at[0] >= 0xe0 && at[0] < 0xf0 ? 3
                  : at[0] >= 0xf0 && at[0] < 0xf5 ? 4
                                                  : 0;
    if (size > left || (at[0] == 0xe0 && left > 1 && at[1] < 0xa0) || (at[0] == 0xed && left > 1 && at[1] >= 0xa0) ||
        (at[0] == 0xf0 && left > 1 && at[1] < 0x90) || (at[0] == 0xf4 && left > 1 && at[1] >= 0x90))
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

/* Control characters and what is not UTF-8 become visible. */
static void escape(struct bytes raw, struct text *out)
{
    static const char names[32] = {
        ['\a'] = 'a', ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\v'] = 'v', ['\f'] = 'f', ['\r'] = 'r'};
    for (size_t i = 0; i < raw.size;) {
        uint8_t c = raw.data[i];
        size_t size = character_size(raw.data + i, raw.size - i);
        if (c < 0x20 && names[c] != 0)
            text_printf(out, "\\%c", names[c]);
        else if (c < 0x20 || c == 0x7f)
            text_printf(out, "\\u%04X", c);
        else if (size == 0)
            text_printf(out, "\\x%02X", c);
        else
            text_add(out, raw.data + i, size);
        i += size > 0 ? size : 1;
    }
}

/* Keep `keep` characters. */
static void cut(struct text *cell, int64_t keep, const char *end)
{
    size_t at = 0;
    for (int64_t seen = 0; at < cell->size; at++)
        if (!continues(cell->data[at]) && seen++ == keep)
            break;
    cell->size = at;
    text_add_string(cell, end);
}

static const char *cell_of(struct show *self, const struct column *col, int64_t row)
{
    struct text raw = {.limit = SHOW_CELL_MAX}, cell = {0};
    column_show(col, row, self->zone, &raw);
    escape(text_view(&raw), &cell);
    if (self->truncate > 0 && cell.size > 0 && width_of(cell.data) > self->truncate)
        cut(&cell, self->truncate < 4 ? self->truncate : self->truncate - 3, self->truncate < 4 ? "" : "...");
    const char *kept = cell.size == 0 ? "" : arena_strndup(&self->arena, cell.data, cell.size);
    text_free(&raw);
    text_free(&cell);
    return kept;
}

void show_init(struct show *self, const struct type *schema, const struct zone *zone, int64_t rows_max,
               int32_t truncate)
{
    *self = (struct show){.schema = schema, .zone = zone, .rows_max = rows_max, .truncate = truncate};
}

void show_add(struct show *self, const struct batch *batch)
{
    size_t fields = (size_t)self->schema->field_count;
    for (int64_t row = 0; row < batch->rows && self->shown < self->rows_max; row++) {
        size_t first = (size_t)self->shown * fields;
        mem_grow(self->cells, self->capacity, first + fields);
        for (size_t i = 0; i < fields; i++)
            self->cells[first + i] = cell_of(self, &batch->columns[i], row);
        self->shown++;
    }
    self->total += batch->rows;
}

void show_clear(struct show *self)
{
    self->shown = self->total = 0;
    arena_reset(&self->arena);
}

void show_close(struct show *self)
{
    mem_free(self->cells);
    arena_free(&self->arena);
    *self = (struct show){0};
}

/* ---- the table ---- */

enum { WIDTH_MIN = 3 }; // Spark's narrowest column

static void fill(struct text *out, char c, int64_t count)
{
    for (; count > 0; count--)
        text_add_char(out, c);
}

static void print_border(const int64_t *widths, int32_t fields, struct text *out)
{
    for (int32_t i = 0; i < fields; i++) {
        text_add_char(out, '+');
        fill(out, '-', widths[i]);
    }
    text_add_string(out, "+\n");
}

static void print_cell(const struct show *self, const char *cell, int64_t width, struct text *out)
{
    text_add_char(out, '|');
    int64_t blanks = width - width_of(cell);
    if (self->truncate > 0)
        fill(out, ' ', blanks);
    text_add_string(out, cell);
    if (self->truncate <= 0)
        fill(out, ' ', blanks);
}

void show_print(const struct show *self, struct text *out)
{
    int32_t fields = self->schema->field_count;
    int64_t *widths = mem_array(int64_t, (size_t)fields + 1);
    for (int32_t i = 0; i < fields; i++) {
        widths[i] =
            width_of(self->schema->fields[i].name) > WIDTH_MIN ? width_of(self->schema->fields[i].name) : WIDTH_MIN;
        for (int64_t row = 0; row < self->shown; row++) {
            int64_t width = width_of(self->cells[row * fields + i]);
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    print_border(widths, fields, out);
    for (int32_t i = 0; i < fields; i++)
        print_cell(self, self->schema->fields[i].name, widths[i], out);
    text_add_string(out, "|\n");
    print_border(widths, fields, out);
    for (int64_t row = 0; row < self->shown; row++) {
        for (int32_t i = 0; i < fields; i++)
            print_cell(self, self->cells[row * fields + i], widths[i], out);
        text_add_string(out, "|\n");
    }
    print_border(widths, fields, out);
    if (self->total > self->shown)
        text_printf(out, "only showing top %lld row%s\n", (long long)self->shown, self->shown == 1 ? "" : "s");
    mem_free(widths);
}
