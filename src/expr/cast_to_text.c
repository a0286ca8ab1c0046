/* cast_to_text.c - any value as Spark prints it: 1.0E7, [1, null], {a -> 1}, INTERVAL '1 02:03:04.5' DAY TO SECOND. */
#include "base/text_number.h"
#include "expr/cast.h"
#include "expr/writer.h"

enum { VALUE_TEXT_MAX = CALENDAR_INTERVAL_TEXT_MAX }; // the longest flat value

/* A flat value that is neither NULL nor text; at most VALUE_TEXT_MAX bytes. */
static size_t print_flat(const struct column *col, int64_t row, const struct zone *zone, char *out)
{
    switch (col->type->id) {
    case TYPE_BOOLEAN: {
        bool value = bit_get(col->values->data, row);
        memcpy(out, value ? "true" : "false", 5);
        return value ? 4 : 5;
    }
    case TYPE_INT8: return print_int64(column_values(col, int8_t)[row], out);
    case TYPE_INT16: return print_int64(column_values(col, int16_t)[row], out);
    case TYPE_INT32: return print_int64(column_values(col, int32_t)[row], out);
    case TYPE_INT64: return print_int64(column_values(col, int64_t)[row], out);
    case TYPE_FLOAT: return print_float(column_values(col, float)[row], out);
    case TYPE_DOUBLE: return print_double(column_values(col, double)[row], out);
    case TYPE_DECIMAL: return decimal_print(column_decimal_at(col, row), col->type->scale, out);
    case TYPE_DATE: return date_print(column_values(col, int32_t)[row], out);
    case TYPE_TIMESTAMP: return timestamp_print(column_values(col, int64_t)[row], zone, out);
    case TYPE_TIMESTAMP_NTZ: return timestamp_print(column_values(col, int64_t)[row], zone_utc(), out);
    case TYPE_TIME: return time_of_day_print(column_values(col, int64_t)[row], out);
    case TYPE_INTERVAL_DT: return interval_print(col->type, column_values(col, int64_t)[row], out);
    case TYPE_INTERVAL_YM: return interval_print(col->type, column_values(col, int32_t)[row], out);
    case TYPE_INTERVAL: return calendar_interval_print(&column_values(col, struct calendar_interval)[row], out);
    default: return 0;
    }
}

struct nested_style {
    const struct zone *zone;
    bool csv;
    bool exponents;      /* of small DECIMALs: in csv, and without ANSI */
    struct bytes absent; /* csv: stands for a NULL */
};

static void print_value(const struct column *col, int64_t row, const struct nested_style *style, struct text *out);

/* A value within another, behind a blank but where it is the first. */
static void print_item(const struct column *col, int64_t row, bool first, const struct nested_style *style,
                       struct text *out)
{
    bool absent = style->csv && column_is_null(col, row);
    if (absent ? style->absent.size > 0 : !first)
        text_add_char(out, ' ');
    if (absent)
        text_add(out, style->absent.data, style->absent.size);
    else
        print_value(col, row, style, out);
}

static void print_list(const struct column *col, int64_t row, const struct nested_style *style, struct text *out)
{
    bool map = col->type->id == TYPE_MAP;
    int32_t from = column_offsets(col)[row], to = column_offsets(col)[row + 1];
    text_add_char(out, map ? '{' : '[');
    for (int32_t k = from; k < to; k++) {
        if (k > from)
            text_add_char(out, ',');
        print_item(&col->children[0], k, k == from, style, out);
        if (map) {
            text_add(out, " ->", 3);
            print_item(&col->children[1], k, false, style, out);
        }
    }
    text_add_char(out, map ? '}' : ']');
}

static void print_value(const struct column *col, int64_t row, const struct nested_style *style, struct text *out)
{
    if (column_is_null(col, row)) {
        text_add(out, "null", 4);
        return;
    }
    if (col->type->id == TYPE_VARIANT) {
        variant_print(column_bytes_at(col, row), zone_utc(), out); // whatever the session's is, as Spark
    } else if (type_is_varlen(col->type)) {
        struct bytes bytes = column_bytes_at(col, row);
        text_add(out, bytes.data, bytes.size);
    } else if (col->type->id == TYPE_STRUCT) {
        for (int32_t child = 0; child < col->child_count; child++) {
            text_add_char(out, child > 0 ? ',' : '{');
            print_item(&col->children[child], row, child == 0, style, out);
        }
        text_add_string(out, col->child_count == 0 ? "{}" : "}");
    } else if (type_is_nested(col->type)) {
        print_list(col, row, style, out);
    } else if (col->type->id == TYPE_DECIMAL && style->exponents) {
        out->size +=
            decimal_print_scientific(column_decimal_at(col, row), col->type->scale, text_reserve(out, VALUE_TEXT_MAX));
    } else {
        out->size += print_flat(col, row, style->zone, text_reserve(out, VALUE_TEXT_MAX));
    }
}

static void nested_to_text(struct call *call, const struct arg *arg, const struct nested_style *style,
                           struct writer *writer)
{
    struct text text = {.limit = WRITER_ROW_MAX};
    for (int64_t i = 0; i < call->rows; i++) {
        if (!call_valid(call, i)) {
            writer_skip(writer);
            continue;
        }
        text_clear(&text);
        print_value(arg->col, i * arg->step, style, &text);
        writer_put(writer, text_view(&text));
    }
    text_free(&text);
}

/* Without ANSI small ones have an exponent. */
static void decimals_to_text(const struct arg *arg, struct writer *writer)
{
    bool wide = type_is_wide_decimal(arg->col->type);
    for (int64_t i; (i = writer_next(writer)) >= 0;) {
        uint8_t *to = writer_room(writer, DECIMAL_TEXT_MAX);
        if (to != NULL)
            writer_end(writer, decimal_print_scientific(decimal_load(arg, wide, i), arg->col->type->scale, (char *)to));
    }
}

void cast_to_text(struct call *call, const struct arg *arg, struct column *out)
{
    struct writer writer;
    writer_open(&writer, call, out, call->rows * 16);
    if (type_is_nested(arg->col->type) || arg->col->type->id == TYPE_VARIANT) {
        struct nested_style style = {.zone = call->session->zone, .exponents = !call->session->ansi};
        nested_to_text(call, arg, &style, &writer);
        writer_close(&writer);
        return;
    }
    if (arg->col->type->id == TYPE_DECIMAL && !call->session->ansi) {
        decimals_to_text(arg, &writer);
        writer_close(&writer);
        return;
    }
    for (int64_t i = 0; i < call->rows; i++) {
        uint8_t *to = call_valid(call, i) ? writer_room(&writer, VALUE_TEXT_MAX) : NULL;
        if (to != NULL)
            writer_end(&writer, print_flat(arg->col, i, call->session->zone, (char *)to));
        else if (!call_valid(call, i) && writer.row == i)
            writer_skip(&writer);
    }
    writer_close(&writer);
}

void nested_to_csv(struct call *call, const struct arg *arg, struct bytes absent, struct column *out)
{
    struct nested_style style = {.zone = call->session->zone, .csv = true, .exponents = true, .absent = absent};
    struct writer writer;
    writer_open(&writer, call, out, call->rows * 16);
    nested_to_text(call, arg, &style, &writer);
    writer_close(&writer);
}
