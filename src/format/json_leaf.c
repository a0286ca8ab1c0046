#include "format/json_leaf.h"

#include "base/text_number.h"
#include "format/json_skip.h"
#include "format/json_text.h"

/* ---- numbers ---- */

static void put_double(struct json_column *col, double value)
{
    if (col->type->id == TYPE_FLOAT)
        json_put_float(col, (float)value);
    else
        json_put_double(col, value);
}

static bool put_decimal(struct json_column *col, struct bytes text)
{
    __int128 value;
    if (!decimal_parse(text, col->type->precision, col->type->scale, &value))
        return false;
    if (type_is_wide_decimal(col->type))
        json_put_int128(col, value);
    else
        json_put_int64(col, (int64_t)value);
    return true;
}

static bool put_integer(struct json_column *col, struct bytes text)
{
    int64_t value;
    bool overflow;
    const char *first = (const char *)text.data;
    if (parse_int64(first, first + text.size, &value, &overflow) == NULL || overflow)
        return false;
    switch (col->type->id) {
    case TYPE_INT8: // Jackson takes an unsigned byte too and Spark lets it wrap
        if (value < INT8_MIN || value > UINT8_MAX)
            return false;
        json_put_int8(col, (int8_t)value);
        return true;
    case TYPE_INT16:
        if (value < INT16_MIN || value > INT16_MAX)
            return false;
        json_put_int16(col, (int16_t)value);
        return true;
    case TYPE_INT32:
        if (value < INT32_MIN || value > INT32_MAX)
            return false;
        json_put_int32(col, (int32_t)value);
        return true;
    case TYPE_TIMESTAMP: // seconds, and Spark lets the product wrap
        json_put_int64(col, (int64_t)((uint64_t)value * 1000000));
        return true;
    default: json_put_int64(col, value); return true;
    }
}

static bool put_number(struct json_column *col, struct bytes text, enum json_number kind)
{
    const char *first = (const char *)text.data, *last = first + text.size;
    bool minus_zero = kind == JSON_INTEGER && text.size == 2 && memcmp(text.data, "-0", 2) == 0;
    double value = kind == JSON_NAN ? __builtin_nan("") : kind == JSON_INFINITY ? __builtin_inf() : -__builtin_inf();
    float narrow;
    switch (col->type->id) {
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_TIMESTAMP: return kind == JSON_INTEGER && put_integer(col, text);
    case TYPE_DECIMAL: return (kind == JSON_INTEGER || kind == JSON_FRACTION) && put_decimal(col, text);
    case TYPE_FLOAT:
        if (kind > JSON_FRACTION)
            put_double(col, value);
        else if (parse_float(first + minus_zero, last, &narrow) != NULL)
            json_put_float(col, narrow);
        return true;
    case TYPE_DOUBLE:
        if (kind <= JSON_FRACTION && parse_double(first + minus_zero, last, &value) == NULL)
            return false;
        json_put_double(col, value);
        return true;
    default: return false;
    }
}

/* ---- texts ---- */

/* Spark drops every comma before it reads the number. */
static bool put_decimal_text(struct json_column *col, struct bytes text)
{
    if (memchr(text.data, ',', text.size) == NULL)
        return put_decimal(col, text);
    struct text plain = {0};
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] != ',')
            text_add_char(&plain, (char)text.data[i]);
    bool good = put_decimal(col, text_view(&plain));
    text_free(&plain);
    return good;
}

static bool put_double_word(struct json_column *col, struct bytes text)
{
    enum json_number kind;
    const uint8_t *end = text.data + text.size;
    bool digit = text.size > 0 && json_is_digit(text.data[text.size - 1]);
    return !digit && json_skip_number(text.data, end, &kind) == end && kind > JSON_FRACTION &&
           put_number(col, text, kind);
}

static bool put_date(struct json_column *col, struct bytes text)
{
    int32_t days;
    if (!date_parse(text, &days)) {
        /* As Spark 1.5 wrote them: days since 1970. */
        int64_t count;
        bool overflow;
        const char *first = (const char *)text.data, *last = first + text.size;
        if (parse_int64(first, last, &count, &overflow) != last || overflow || count < INT32_MIN || count > INT32_MAX)
            return false;
        days = (int32_t)count;
    }
    json_put_int32(col, days);
    return true;
}

static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (json_is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Whole groups of four, the last of each run padded; blanks between groups. */
static bool put_base64(struct json_column *col, struct bytes text)
{
    if (!json_column_room(col, col->used, (int64_t)text.size))
        return false;
    uint8_t *out = col->values + col->used;
    for (size_t i = 0; i < text.size;) {
        if (text.data[i] <= ' ') {
            i++;
            continue;
        }
        if (text.size - i < 4)
            return false;
        const uint8_t *group = text.data + i;
        int a = base64_digit(group[0]), b = base64_digit(group[1]), c = base64_digit(group[2]),
            d = base64_digit(group[3]);
        int padding = group[3] != '=' ? 0 : group[2] != '=' ? 1 : 2;
        if (a < 0 || b < 0 || (padding < 2 && c < 0) || (padding < 1 && d < 0))
            return false;
        *out++ = (uint8_t)(a << 2 | b >> 4);
        if (padding < 2)
            *out++ = (uint8_t)(b << 4 | c >> 2);
        if (padding < 1)
            *out++ = (uint8_t)(c << 6 | d);
        i += 4;
    }
    json_put_end(col, out - col->values);
    return true;
}

/* [INTERVAL '] text [' qualifier] */
static struct bytes interval_body(struct bytes text, const char *qualifier)
{
    static const char head[] = "INTERVAL '";
    size_t tail = strlen(qualifier) + 2, lead = sizeof head - 1;
    if (text.size <= lead + tail || memcmp(text.data, head, lead) != 0)
        return text;
    const uint8_t *end = text.data + text.size;
    if (memcmp(end - tail, "' ", 2) != 0 || memcmp(end - tail + 2, qualifier, tail - 2) != 0)
        return text;
    return bytes_of(text.data + lead, text.size - lead - tail);
}

/* Digits at *p and the byte behind them; `last` closes the text. */
static bool interval_part(const char **p, const char *end, char behind, int64_t max, int64_t *out)
{
    bool overflow;
    const char *stop = *p < end && json_is_digit((uint8_t) * *p) ? parse_int64(*p, end, out, &overflow) : NULL;
    if (stop == NULL || overflow || *out > max)
        return false;
    if (behind != 0 && (stop == end || *stop != behind))
        return false;
    *p = stop + (behind != 0);
    return true;
}

/* [-]d hh:mm:ss[.ffffff] */
static bool put_day_time(struct json_column *col, struct bytes text)
{
    text = interval_body(text, "DAY TO SECOND");
    const char *p = (const char *)text.data, *end = p + text.size;
    bool negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    int64_t day, hour, minute, second, micro = 0;
    if (!interval_part(&p, end, ' ', 106751991, &day) || !interval_part(&p, end, ':', 23, &hour) ||
        !interval_part(&p, end, ':', 59, &minute) || !interval_part(&p, end, 0, 59, &second))
        return false;
    if (p < end && *p == '.')
        for (int64_t unit = 100000; ++p < end && json_is_digit((uint8_t)*p); unit /= 10)
            micro += (*p - '0') * unit;
    int64_t us;
    if (p != end || __builtin_mul_overflow(((day * 24 + hour) * 60 + minute) * 60 + second, INT64_C(1000000), &us) ||
        __builtin_add_overflow(us, micro, &us))
        return false;
    json_put_int64(col, negative ? -us : us);
    return true;
}

static bool put_time(struct json_column *col, struct bytes text)
{
    int64_t us;
    if (!time_of_day_parse(text, &us))
        return false;
    json_put_int64(col, us);
    return true;
}

/* [-]y-m */
static bool put_year_month(struct json_column *col, struct bytes text)
{
    text = interval_body(text, "YEAR TO MONTH");
    const char *p = (const char *)text.data, *end = p + text.size;
    bool negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    int64_t year, month;
    if (!interval_part(&p, end, '-', 178956970, &year) || !interval_part(&p, end, 0, 11, &month) || p != end)
        return false;
    int64_t months = year * 12 + month;
    if (months > INT32_MAX)
        return false;
    json_put_int32(col, (int32_t)(negative ? -months : months));
    return true;
}

bool json_leaf_put_text(struct json_reader *reader, struct json_column *col, struct bytes text)
{
    int64_t us;
    bool had_zone;
    switch (col->type->id) {
    case TYPE_STRING: return json_put_bytes(col, text);
    case TYPE_BINARY: return put_base64(col, text);
    case TYPE_FLOAT:
    case TYPE_DOUBLE: return put_double_word(col, text);
    case TYPE_DECIMAL: return put_decimal_text(col, text);
    case TYPE_DATE: return put_date(col, text);
    case TYPE_TIMESTAMP:
        if (!timestamp_parse(text, reader->zone, &us))
            return false;
        json_put_int64(col, us);
        return true;
    case TYPE_TIMESTAMP_NTZ:
        if (!timestamp_ntz_parse(text, &us, &had_zone) || had_zone)
            return false;
        json_put_int64(col, us);
        return true;
    case TYPE_INTERVAL_DT: return put_day_time(col, text);
    case TYPE_INTERVAL_YM: return put_year_month(col, text);
    case TYPE_TIME: return put_time(col, text);
    default: return false;
    }
}

/* ---- any token ---- */

static const uint8_t *broken(struct json_reader *reader)
{
    reader->broken = true;
    return NULL;
}

static bool word_at(struct json_reader *reader, const uint8_t *p, const char *word, size_t size)
{
    return (size_t)(reader->end - p) >= size && memcmp(p, word, size) == 0;
}

static const uint8_t *read_string(struct json_reader *reader, struct json_column *col, const uint8_t *p)
{
    bool plain;
    const uint8_t *behind = json_skip_string(p + 1, reader->end, *p, &plain);
    if (behind == NULL)
        return broken(reader);
    struct bytes text = bytes_of(p + 1, (size_t)(behind - p - 2));
    if (!plain) {
        text_clear(&reader->scratch);
        json_text_string(p + 1, reader->end, *p, &reader->scratch);
        text = text_view(&reader->scratch);
    }
    return json_leaf_put_text(reader, col, text) ? behind : NULL;
}

/* The value as it stands, but for broken UTF-8. */
static const uint8_t *exact_text(struct json_reader *reader, const uint8_t *p, int depth)
{
    const uint8_t *behind = json_skip(p, reader->end, depth);
    if (behind != NULL)
        json_text_repair(bytes_of(p, (size_t)(behind - p)), &reader->scratch);
    return behind;
}

/* A STRING takes every value, as text. */
static const uint8_t *read_as_text(struct json_reader *reader, struct json_column *col, const uint8_t *p, int depth)
{
    text_clear(&reader->scratch);
    const uint8_t *behind =
        reader->exact_texts ? exact_text(reader, p, depth) : json_text_value(p, reader->end, depth, &reader->scratch);
    if (behind == NULL)
        return broken(reader);
    return json_put_bytes(col, text_view(&reader->scratch)) ? behind : NULL;
}

static const uint8_t *read_word(struct json_reader *reader, struct json_column *col, const uint8_t *p)
{
    bool value = *p == 't';
    size_t size = value ? 4 : 5;
    if (!word_at(reader, p, value ? "true" : "false", size))
        return broken(reader);
    if (col->type->id != TYPE_BOOLEAN)
        return NULL;
    json_put_boolean(col, value);
    return p + size;
}

const uint8_t *json_leaf_read(struct json_reader *reader, struct json_column *col, const uint8_t *p, int depth)
{
    if (*p == 'n') {
        if (!word_at(reader, p, "null", 4))
            return broken(reader);
        json_put_null(col);
        return p + 4;
    }
    if (col->type->id == TYPE_NULL) {
        const uint8_t *behind = json_skip(p, reader->end, depth);
        if (behind == NULL)
            return broken(reader);
        json_put_null(col);
        return behind;
    }
    if (*p == '"' || *p == '\'')
        return read_string(reader, col, p);
    if (col->type->id == TYPE_STRING)
        return read_as_text(reader, col, p, depth);
    if (*p == 't' || *p == 'f')
        return read_word(reader, col, p);
    if (*p == '{' || *p == '[')
        return NULL;
    enum json_number kind;
    const uint8_t *behind = json_skip_number(p, reader->end, &kind);
    if (behind == NULL)
        return broken(reader);
    return put_number(col, bytes_of(p, (size_t)(behind - p)), kind) ? behind : NULL;
}
