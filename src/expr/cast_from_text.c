/* cast_from_text.c - STRING to numbers, booleans, dates and timestamps. Blanks and control characters around are
 * trimmed; anything else that does not belong makes the row an error. */
#include <ctype.h>
#include <math.h>
#include <strings.h>

#include "base/text_number.h"
#include "expr/cast.h"

static bool is_space(uint8_t c) { return c <= ' ' || c == 0x7f; }

static struct bytes trim(struct bytes text)
{
    while (text.size > 0 && is_space(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && is_space(text.data[text.size - 1]))
        text.size--;
    return text;
}

static bool is_word(struct bytes text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

/* ---- numbers ---- */

static bool text_to_integer(struct bytes text, int64_t low, int64_t high, int64_t *out)
{
    bool overflow = false;
    text = trim(text);
    const char *start = (const char *)text.data, *end = start + text.size;
    return text.size > 0 && parse_int64(start, end, out, &overflow) == end && !overflow && *out >= low && *out <= high;
}

/* Without ANSI a fraction falls away: '1.9' is 1. */
static struct bytes without_fraction(struct bytes text)
{
    text = trim(text);
    const uint8_t *point = text.size > 0 ? memchr(text.data, '.', text.size) : NULL;
    for (const uint8_t *c = point; c != NULL && ++c < text.data + text.size;)
        if (*c < '0' || *c > '9')
            return text;
    return point == NULL || text.size == 1 ? text : bytes_of(text.data, (size_t)(point - text.data));
}

#define WORD_SIZE_MAX 9 // "-infinity"

static bool text_to_special(struct bytes text, double *out)
{
    static const struct {
        const char *word;
        double value;
    } words[] = {{"inf", INFINITY},   {"+inf", INFINITY},       {"infinity", INFINITY}, {"+infinity", INFINITY},
                 {"-inf", -INFINITY}, {"-infinity", -INFINITY}, {"nan", (double)NAN}};
    for (size_t i = 0; text.size <= WORD_SIZE_MAX && i < sizeof words / sizeof words[0]; i++)
        if (is_word(text, words[i].word)) {
            *out = words[i].value;
            return true;
        }
    return false;
}

/* Java's parseDouble also takes a type suffix. */
static struct bytes cut_suffix(struct bytes text)
{
    uint8_t last = text.size > 1 ? (uint8_t)(text.data[text.size - 1] | 0x20) : 0;
    if ((last == 'd' || last == 'f') &&
        (text.data[text.size - 2] == '.' || (text.data[text.size - 2] >= '0' && text.data[text.size - 2] <= '9')))
        text.size--;
    return text;
}

static bool text_to_double(struct bytes text, bool single, double *out)
{
    text = trim(text);
    if (text.size == 0)
        return false;
    struct bytes digits = cut_suffix(text);
    const char *start = (const char *)digits.data, *end = start + digits.size;
    if (*start == '+' && digits.size > 1 && start[1] != '-' && start[1] != '+')
        start++;
    float narrow = 0;
    const char *stop = single ? parse_float(start, end, &narrow) : parse_double(start, end, out);
    if (stop != end)
        return text_to_special(text, out);
    if (single)
        *out = (double)narrow;
    return true;
}

/* Number syntax that decimal_parse refused has too many digits; anything else is no number. */
static enum reject_code decimal_reason(struct bytes text)
{
    double value;
    bool word = text.size > 0 && (text.data[text.size - 1] | 0x20) >= 'a';
    if (word || !text_to_double(text, false, &value))
        return REJECT_CAST;
    return fabs(value) < 1e38 ? REJECT_NUMERIC_RANGE : REJECT_NUMERIC_SUPPORTED;
}

/* ---- booleans ---- */

static bool text_to_boolean(struct bytes text, bool *out)
{
    static const char *const truths[] = {"t", "true", "y", "yes", "1"}, *const lies[] = {"f", "false", "n", "no", "0"};
    text = trim(text);
    for (size_t i = 0; i < 5; i++) {
        *out = is_word(text, truths[i]);
        if (*out || is_word(text, lies[i]))
            return true;
    }
    return false;
}

/* ---- columns ---- */

#define INTEGER_COLUMN(ctype, low, high)                                                      \
    for (int64_t i = 0; i < call->rows; i++) {                                                \
        int64_t value = 0;                                                                    \
        struct bytes text = legacy ? without_fraction(arg_bytes(arg, i)) : arg_bytes(arg, i); \
        if (!text_to_integer(text, low, high, &value)) {                                      \
            value = 0;                                                                        \
            call_reject(call, i, REJECT_CAST);                                                \
        }                                                                                     \
        column_values(out, ctype)[i] = (ctype)value;                                          \
    }

static void to_integers(struct call *call, const struct arg *arg, struct column *out)
{
    bool legacy = !call->session->ansi && !call->quiet;
    switch (out->type->id) {
    case TYPE_INT8: INTEGER_COLUMN(int8_t, INT8_MIN, INT8_MAX) break;
    case TYPE_INT16: INTEGER_COLUMN(int16_t, INT16_MIN, INT16_MAX) break;
    case TYPE_INT32: INTEGER_COLUMN(int32_t, INT32_MIN, INT32_MAX) break;
    default: INTEGER_COLUMN(int64_t, INT64_MIN, INT64_MAX)
    }
}

static void to_floats(struct call *call, const struct arg *arg, struct column *out)
{
    bool single = out->type->id == TYPE_FLOAT;
    for (int64_t i = 0; i < call->rows; i++) {
        double value = 0;
        if (!text_to_double(arg_bytes(arg, i), single, &value))
            call_reject(call, i, REJECT_CAST);
        if (single)
            column_values(out, float)[i] = (float)value;
        else
            column_values(out, double)[i] = value;
    }
}

static void to_decimals(struct call *call, const struct arg *arg, struct column *out)
{
    const struct type *to = out->type;
    bool wide = type_is_wide_decimal(to);
    for (int64_t i = 0; i < call->rows; i++) {
        int128 value = 0;
        struct bytes text = trim(arg_bytes(arg, i));
        if (!decimal_parse(text, to->precision, to->scale, &value))
            call_reject(call, i, decimal_reason(text));
        decimal_store(out, wide, i, value);
    }
}

static void to_booleans(struct call *call, const struct arg *arg, struct column *out)
{
    for (int64_t i = 0; i < call->rows; i++) {
        bool value = false;
        if (!text_to_boolean(arg_bytes(arg, i), &value))
            call_reject(call, i, REJECT_CAST);
        bit_put(out->values->data, i, value);
    }
}

static void to_dates(struct call *call, const struct arg *arg, struct column *out)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t value = 0;
        if (!date_parse(trim(arg_bytes(arg, i)), &value))
            call_reject(call, i, REJECT_CAST);
        column_values(out, int32_t)[i] = value;
    }
}

/* A time alone is one of today. */
static bool time_today(const struct session *session, struct bytes text, int64_t *out)
{
    int64_t time;
    for (size_t i = 0; i < text.size; i++)
        if (isalpha(text.data[i])) // '1:02 PM' is a TIME only
            return false;
    if (!time_of_day_parse(text, &time))
        return false;
    int64_t now = to_local(session->zone, session->batch_time_us);
    *out = from_local(session->zone, now - floor_rest(now, DAY_US) + time);
    return true;
}

static void to_timestamps(struct call *call, const struct arg *arg, struct column *out)
{
    const struct zone *zone = call->session->zone;
    int64_t *r = column_values(out, int64_t);
    const int32_t *offsets = column_offsets(arg->col);
    const uint8_t *data = arg->col->values->data;
    for (int64_t i = 0; i < call->rows; i++) {
        struct bytes text = bytes_of(data + offsets[i], (size_t)(offsets[i + 1] - offsets[i]));
        r[i] = 0;
        if (!timestamp_parse(text, zone, &r[i]) && !time_today(call->session, text, &r[i]))
            call_reject(call, i, REJECT_CAST);
    }
}

static void to_local_timestamps(struct call *call, const struct arg *arg, struct column *out)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t value = 0;
        bool had_zone;
        if (!timestamp_ntz_parse(arg_bytes(arg, i), &value, &had_zone))
            call_reject(call, i, REJECT_CAST);
        column_values(out, int64_t)[i] = value;
    }
}

/* Digits that the type has no place for are cut. */
static void to_times(struct call *call, const struct arg *arg, struct column *out)
{
    int64_t unit = (int64_t)decimal_power10(6 - type_time_digits(out->type));
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t us = 0;
        if (!time_of_day_parse(arg_bytes(arg, i), &us))
            call_reject(call, i, REJECT_CAST);
        column_values(out, int64_t)[i] = us - us % unit;
    }
}

/* years-months or one number, in any range: what Spark's pattern of the type takes. */
static bool looks_like_months(const struct type *type, struct bytes text)
{
    text = trim(text);
    const uint8_t *p = text.data, *end = p + text.size;
    int numbers = 0;
    p += p < end && (*p == '+' || *p == '-');
    while (p < end && isdigit(*p)) {
        numbers++;
        while (p < end && isdigit(*p))
            p++;
        p += p + 1 < end && *p == '-';
    }
    return p == end && numbers == (type_interval_from(type) == type_interval_to(type) ? 1 : 2);
}

static enum reject_code interval_fault(const struct type *type, struct bytes text)
{
    if (type->id != TYPE_INTERVAL_YM)
        return REJECT_INTERVAL_FORMAT_DAYS;
    return looks_like_months(type, text) ? REJECT_INTERVAL_PARSING : REJECT_INTERVAL_FORMAT;
}

static void to_intervals(struct call *call, const struct arg *arg, struct column *out)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t value = 0;
        if (!interval_value_parse(arg_bytes(arg, i), out->type, &value))
            call_reject(call, i, interval_fault(out->type, arg_bytes(arg, i)));
        if (out->type->id == TYPE_INTERVAL_YM)
            column_values(out, int32_t)[i] = (int32_t)value;
        else
            column_values(out, int64_t)[i] = value;
    }
}

static void to_calendar_intervals(struct call *call, const struct arg *arg, struct column *out)
{
    for (int64_t i = 0; i < call->rows; i++) {
        struct calendar_interval value = {0};
        if (!calendar_interval_parse(arg_bytes(arg, i), &value))
            call_null(call, i); // in any mode
        column_values(out, struct calendar_interval)[i] = value;
    }
}

void cast_from_text(struct call *call, const struct arg *arg, struct column *out)
{
    cast_values(call, out);
    switch (out->type->id) {
    case TYPE_BOOLEAN: to_booleans(call, arg, out); break;
    case TYPE_FLOAT:
    case TYPE_DOUBLE: to_floats(call, arg, out); break;
    case TYPE_DECIMAL: to_decimals(call, arg, out); break;
    case TYPE_DATE: to_dates(call, arg, out); break;
    case TYPE_TIMESTAMP: to_timestamps(call, arg, out); break;
    case TYPE_TIMESTAMP_NTZ: to_local_timestamps(call, arg, out); break;
    case TYPE_INTERVAL_DT:
    case TYPE_INTERVAL_YM: to_intervals(call, arg, out); break;
    case TYPE_TIME: to_times(call, arg, out); break;
    case TYPE_INTERVAL: to_calendar_intervals(call, arg, out); break;
    default: to_integers(call, arg, out);
    }
}
