#include "format/value_text.h"

#include <math.h>

#include "base/text_number.h"

static int64_t integer_at(const struct column *col, int64_t row)
{
    switch (type_width(col->type)) {
    case 1: return column_values(col, int8_t)[row];
    case 2: return column_values(col, int16_t)[row];
    case 4: return column_values(col, int32_t)[row];
    default: return column_values(col, int64_t)[row];
    }
}

static size_t put(char *out, const char *text)
{
    size_t size = strlen(text);
    memcpy(out, text, size);
    return size;
}

static char *two_digits(char *p, uint64_t value)
{
    p[0] = (char)('0' + value / 10);
    p[1] = (char)('0' + value % 10);
    return p + 2;
}

/* Three digits more behind the milliseconds. */
static size_t micros_insert(const struct value_printer *printer, int64_t micros, char *out)
{
    int32_t at = printer->fraction_at + 3;
    out[at] = (char)('0' + micros / 100);
    two_digits(out + at + 1, (uint64_t)micros % 100);
    memcpy(out + at + 3, printer->text + at, (size_t)(printer->size - at));
    return (size_t)printer->size + 3;
}

/* Only the milliseconds change within a second. */
static size_t print_timestamp(struct value_printer *printer, int64_t us, bool local, char *out)
{
    int64_t second = us / 1000000, micro = us % 1000000;
    second -= micro < 0;
    micro += micro < 0 ? 1000000 : 0;
    if (printer->size == 0 || printer->second != second) {
        const struct zone *zone = local || printer->zone == NULL ? zone_utc() : printer->zone;
        printer->size = (int32_t)timestamp_print_iso(us, zone, printer->text);
        printer->second = second;
        printer->fraction_at = (int32_t)((char *)memchr(printer->text, '.', (size_t)printer->size) - printer->text) + 1;
    }
    int32_t milli = (int32_t)(micro / 1000);
    char *fraction = printer->text + printer->fraction_at;
    fraction[0] = (char)('0' + milli / 100);
    two_digits(fraction + 1, (uint64_t)milli % 100);
    memcpy(out, printer->text, TIMESTAMP_TEXT_MAX);
    return printer->exact && micro % 1000 != 0 ? micros_insert(printer, micro % 1000, out) : (size_t)printer->size;
}

static size_t print_local_timestamp(const struct value_printer *printer, int64_t us, char *out)
{
    struct value_printer utc = {.exact = printer->exact};
    return print_timestamp(&utc, us, true, out) - 1; // without the Z
}

size_t value_text(struct value_printer *printer, const struct column *col, int64_t row, char *out)
{
    switch (col->type->id) {
    case TYPE_NULL: return put(out, "null");
    case TYPE_BOOLEAN: return put(out, bit_get(col->values->data, row) ? "true" : "false");
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64: return print_int64(integer_at(col, row), out);
    case TYPE_FLOAT: return print_float(column_values(col, float)[row], out);
    case TYPE_DOUBLE: return print_double(column_values(col, double)[row], out);
    case TYPE_DECIMAL: return decimal_print_scientific(column_decimal_at(col, row), col->type->scale, out);
    case TYPE_DATE: return date_print(column_values(col, int32_t)[row], out);
    case TYPE_TIMESTAMP: return print_timestamp(printer, column_values(col, int64_t)[row], false, out);
    case TYPE_TIMESTAMP_NTZ: return print_local_timestamp(printer, column_values(col, int64_t)[row], out);
    case TYPE_TIME: return time_of_day_print(integer_at(col, row), out);
    case TYPE_INTERVAL_DT:
    case TYPE_INTERVAL_YM: return interval_print(col->type, integer_at(col, row), out);
    case TYPE_INTERVAL: return calendar_interval_print(&column_values(col, struct calendar_interval)[row], out);
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_ARRAY:
    case TYPE_STRUCT:
    case TYPE_MAP:
    case TYPE_VARIANT:
    case TYPE_COUNT: break;
    }
    return 0;
}

size_t value_text_raw(const struct column *col, int64_t row, char *out)
{
    struct value_printer printer = {0};
    bool is_time = col->type->id == TYPE_DATE || col->type->id == TYPE_TIMESTAMP || col->type->id == TYPE_TIMESTAMP_NTZ;
    return is_time ? print_int64(integer_at(col, row), out) : value_text(&printer, col, row, out);
}
