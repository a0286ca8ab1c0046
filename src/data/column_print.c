#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text_number.h"
#include "data/column.h"
#include "data/decimal.h"
#include "data/interval.h"
#include "data/timestamp.h"
#include "data/variant.h"

enum { VALUE_TEXT_MAX = 64 }; // of a number, date or time
_Static_assert(VALUE_TEXT_MAX >= (int)DECIMAL_TEXT_MAX && VALUE_TEXT_MAX >= (int)TIMESTAMP_TEXT_MAX &&
                   VALUE_TEXT_MAX >= (int)DOUBLE_TEXT_MAX,
               "the longest text fits");

static int64_t integer_at(const struct column *col, int64_t row)
{
    switch (type_width(col->type)) {
    case 1: return column_values(col, int8_t)[row];
    case 2: return column_values(col, int16_t)[row];
    case 4: return column_values(col, int32_t)[row];
    default: return column_values(col, int64_t)[row];
    }
}

/* Hive's interval texts: 1 02:03:04.000005000 and 1-2. */
static void print_interval(const struct type *type, int64_t value, struct text *out)
{
    const char *sign = value < 0 ? "-" : "";
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (type->id == TYPE_INTERVAL_YM) {
        text_printf(out, "%s%" PRIu64 "-%" PRIu64, sign, size / 12, size % 12);
        return;
    }
    uint64_t seconds = size / 1000000;
    text_printf(out, "%s%" PRIu64 " %02d:%02d:%02d.%06d000", sign, seconds / 86400, (int)(seconds / 3600 % 24),
                (int)(seconds / 60 % 60), (int)(seconds % 60), (int)(size % 1000000));
}

static void print_decimal(const struct column *col, int64_t row, struct text *out)
{
    char digits[VALUE_TEXT_MAX];
    text_add(out, digits, decimal_print(column_decimal_at(col, row), col->type->scale, digits));
}

/* Without padding, as Spark prints it. */
static void print_base64(struct bytes value, struct text *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < value.size; i += 3) {
        size_t left = value.size - i;
        uint32_t word = 0;
        for (size_t k = 0; k < 3; k++)
            word = word << 8 | (k < left ? value.data[i + k] : 0u);
        for (size_t k = 0; k < 4 && k <= left; k++)
            text_add_char(out, digits[word >> (18 - 6 * k) & 63]);
    }
}

static void print_binary(struct bytes value, enum binary_style style, struct text *out)
{
    if (style == BINARY_AS_TEXT) {
        text_add(out, value.data, value.size);
        return;
    }
    if (style == BINARY_AS_BASE64) {
        print_base64(value, out);
        return;
    }
    bool numbers = style == BINARY_AS_NUMBERS, list = style != BINARY_AS_HEX;
    text_add_string(out, list ? "[" : "");
    for (size_t i = 0; i < value.size; i++) {
        text_add_string(out, i == 0 || !list ? "" : numbers ? ", " : " ");
        text_printf(out, numbers ? "%d" : "%02X", numbers ? (int8_t)value.data[i] : value.data[i]);
    }
    text_add_string(out, list ? "]" : "");
}

static void print_quoted(struct bytes value, struct text *out)
{
    text_add_char(out, '"');
    text_add(out, value.data, value.size);
    text_add_char(out, '"');
}

struct place {
    const struct zone *zone;
    bool inside; /* a nested value, where Hive quotes texts and writes null small */
    enum binary_style binary;
};
static void print_value(const struct column *col, int64_t row, const struct place *place, struct text *out);

static void print_array(const struct column *col, int64_t row, const struct place *inside, struct text *out)
{
    const int32_t *offsets = column_offsets(col);
    text_add_char(out, '[');
    for (int64_t i = offsets[row]; i < offsets[row + 1]; i++) {
        if (i > offsets[row])
            text_add_char(out, ',');
        print_value(&col->children[0], i, inside, out);
    }
    text_add_char(out, ']');
}

static int entry_order(const void *a, const void *b)
{
    const struct bytes *x = a, *y = b;
    int order = memcmp(x->data, y->data, x->size < y->size ? x->size : y->size);
    return order != 0 ? order : (x->size > y->size) - (x->size < y->size);
}

/* Sorted by their texts, as Hive's results are: a map's entries have no order that one could count on. */
static void print_map(const struct column *col, int64_t row, const struct place *inside, struct text *out)
{
    const int32_t *offsets = column_offsets(col);
    size_t count = (size_t)(offsets[row + 1] - offsets[row]), from = 0;
    struct text shown = {0};
    size_t *ends = mem_array(size_t, count + 1);
    struct bytes *entries = mem_array(struct bytes, count + 1);
    for (size_t i = 0; i < count; i++) {
        print_value(&col->children[0], offsets[row] + (int64_t)i, inside, &shown);
        text_add_char(&shown, ':');
        print_value(&col->children[1], offsets[row] + (int64_t)i, inside, &shown);
        ends[i] = shown.size;
    }
    for (size_t i = 0; i < count; from = ends[i++])
        entries[i] = bytes_of(shown.data + from, ends[i] - from);
    qsort(entries, count, sizeof *entries, entry_order);
    text_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            text_add_char(out, ',');
        text_add(out, entries[i].data, entries[i].size);
    }
    text_add_char(out, '}');
    mem_free(entries);
    mem_free(ends);
    text_free(&shown);
}

static void print_struct(const struct column *col, int64_t row, const struct place *inside, struct text *out)
{
    text_add_char(out, '{');
    for (int32_t i = 0; i < col->child_count; i++) {
        if (i > 0)
            text_add_char(out, ',');
        print_quoted(bytes_of_string(col->type->fields[i].name), out);
        text_add_char(out, ':');
        print_value(&col->children[i], row, inside, out);
    }
    text_add_char(out, '}');
}

static void print_value(const struct column *col, int64_t row, const struct place *place, struct text *out)
{
    const struct place nested = {place->zone, true, place->binary};
    char digits[VALUE_TEXT_MAX];
    if (column_is_null(col, row)) {
        text_add_string(out, place->inside ? "null" : "NULL");
        return;
    }
    switch (col->type->id) {
    case TYPE_NULL: break;
    case TYPE_BOOLEAN: text_add_string(out, bit_get(col->values->data, row) ? "true" : "false"); break;
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64: text_printf(out, "%" PRId64, integer_at(col, row)); break;
    case TYPE_FLOAT: text_add(out, digits, print_float(column_values(col, float)[row], digits)); break;
    case TYPE_DOUBLE: text_add(out, digits, print_double(column_values(col, double)[row], digits)); break;
    case TYPE_DECIMAL: print_decimal(col, row, out); break;
    case TYPE_BINARY: print_binary(column_bytes_at(col, row), place->binary, out); break;
    case TYPE_STRING:
        if (place->inside)
            print_quoted(column_bytes_at(col, row), out);
        else
            text_add(out, column_bytes_at(col, row).data, column_bytes_at(col, row).size);
        break;
    case TYPE_DATE: text_add(out, digits, date_print(column_values(col, int32_t)[row], digits)); break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ: {
        const struct zone *zone = col->type->id == TYPE_TIMESTAMP ? place->zone : zone_utc();
        text_add(out, digits, timestamp_print(column_values(col, int64_t)[row], zone, digits));
        break;
    }
    case TYPE_TIME: text_add(out, digits, time_of_day_print(column_values(col, int64_t)[row], digits)); break;
    case TYPE_INTERVAL_DT:
    case TYPE_INTERVAL_YM: print_interval(col->type, integer_at(col, row), out); break;
    case TYPE_INTERVAL:
        out->size += calendar_interval_print(&column_values(col, struct calendar_interval)[row],
                                             text_reserve(out, CALENDAR_INTERVAL_TEXT_MAX));
        break;
    case TYPE_ARRAY: print_array(col, row, &nested, out); break;
    case TYPE_MAP: print_map(col, row, &nested, out); break;
    case TYPE_STRUCT: print_struct(col, row, &nested, out); break;
    case TYPE_VARIANT: variant_print(column_bytes_at(col, row), zone_utc(), out); break;
    case TYPE_COUNT: break;
    }
}

void column_print_in(const struct column *col, int64_t row, const struct zone *zone, struct text *out)
{
    print_value(col, row, &(struct place){zone, false, BINARY_AS_TEXT}, out);
}

void column_print_as(const struct column *col, int64_t row, const struct zone *zone, enum binary_style binary,
                     struct text *out)
{
    print_value(col, row, &(struct place){zone, false, binary}, out);
}

void column_print(const struct column *col, int64_t row, struct text *out)
{
    column_print_in(col, row, zone_utc(), out);
}
