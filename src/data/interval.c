#include "data/interval.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "base/text_number.h"

static const struct interval_unit units[] = {
    {"year", 12, 0},
    {"quarter", 3, 0},
    {"month", 1, 0},
    {"week", 0, 604800000000},
    {"day", 0, 86400000000},
    {"hour", 0, 3600000000},
    {"minute", 0, 60000000},
    {"second", 0, 1000000},
    {"millisecond", 0, 1000},
    {"microsecond", 0, 1},
    {NULL, 0, 0},
};

const struct interval_unit *interval_unit_find(struct bytes name)
{
    size_t size = name.size;
    if (size > 1 && tolower(name.data[size - 1]) == 's')
        size--;
    for (const struct interval_unit *unit = units; unit->name != NULL; unit++)
        if (strlen(unit->name) == size && strncasecmp(unit->name, (const char *)name.data, size) == 0)
            return unit;
    return NULL;
}

/* Digits behind the point, in microseconds; those past the sixth are cut. */
static const char *fraction_parse(const char *at, const char *end, int64_t *us)
{
    int64_t worth = 100000;
    for (*us = 0; at < end && isdigit((unsigned char)*at); at++, worth /= 10)
        *us += (*at - '0') * worth;
    return at;
}

bool interval_add(struct bytes number, bool negative, const struct interval_unit *unit, int64_t *months, int64_t *us)
{
    number = bytes_trim(number);
    const char *text = (const char *)number.data, *end = text + number.size;
    bool overflow = false, minus = number.size > 0 && *text == '-';
    int64_t whole = 0, fraction = 0, sum;
    if (text < end && (*text == '-' || *text == '+'))
        while (++text < end && isspace((unsigned char)*text))
            ;
    const char *at = text < end && isdigit((unsigned char)*text) ? parse_int64(text, end, &whole, &overflow) : NULL;
    if (at == NULL && text < end && *text == '.')
        at = text;
    if (at == NULL || overflow)
        return false;
    whole = minus ? -whole : whole;
    if (at < end && *at == '.' && unit->us == 1000000)
        at = fraction_parse(at + 1, end, &fraction);
    if (at != end || __builtin_mul_overflow(whole, unit->us + unit->months, &sum) ||
        __builtin_add_overflow(sum, minus ? -fraction : fraction, &sum))
        return false;
    int64_t *into = unit->months != 0 ? months : us;
    return negative ? !__builtin_sub_overflow(*into, sum, into) : !__builtin_add_overflow(*into, sum, into);
}

bool interval_parse(struct bytes text, bool negative, int64_t *months, int64_t *us)
{
    const char *at = (const char *)text.data, *end = at + text.size;
    bool any = false;
    while (at < end && isspace((unsigned char)*at))
        at++;
    if (end - at > 8 && strncasecmp(at, "interval", 8) == 0)
        at += 8;
    for (;; any = true) {
        while (at < end && isspace((unsigned char)*at))
            at++;
        if (at == end)
            return any;
        const char *number = at;
        while (at < end && !isspace((unsigned char)*at) && !isalpha((unsigned char)*at))
            at++;
        struct bytes digits = bytes_of(number, (size_t)(at - number));
        while (at < end && isspace((unsigned char)*at))
            at++;
        const char *name = at;
        while (at < end && isalpha((unsigned char)*at))
            at++;
        const struct interval_unit *unit = interval_unit_find(bytes_of(name, (size_t)(at - name)));
        if (unit == NULL || !interval_add(digits, negative, unit, months, us))
            return false;
    }
}

/* ---- months, days and microseconds ---- */

/* Adds so many of the unit; weeks are days, all that is shorter are microseconds. */
static bool calendar_add(struct bytes number, const struct interval_unit *unit, struct calendar_interval *into)
{
    static const int64_t day_us = INT64_C(86400000000);
    bool of_days = unit->us >= day_us;
    struct interval_unit plain = *unit;
    int64_t months = 0, us = 0;
    if (of_days)
        plain.us = unit->us / day_us;
    if (!interval_add(number, false, &plain, &months, &us))
        return false;
    if (of_days)
        return us == (int32_t)us && !__builtin_add_overflow(into->days, (int32_t)us, &into->days);
    return months == (int32_t)months && !__builtin_add_overflow(into->months, (int32_t)months, &into->months) &&
           !__builtin_add_overflow(into->us, us, &into->us);
}

static const char *skip_spaces(const char *at, const char *end)
{
    while (at < end && isspace((unsigned char)*at))
        at++;
    return at;
}

bool calendar_interval_parse(struct bytes text, struct calendar_interval *out)
{
    const char *end = (const char *)text.data + text.size, *at = skip_spaces((const char *)text.data, end);
    struct calendar_interval sum = {0};
    if (end - at > 8 && strncasecmp(at, "interval", 8) == 0 && isspace((unsigned char)at[8]))
        at = skip_spaces(at + 8, end);
    if (at == end)
        return false;
    while (at < end) {
        const char *number = at;
        if (*at == '-' || *at == '+')
            at = skip_spaces(at + 1, end);
        while (at < end && (isdigit((unsigned char)*at) || *at == '.'))
            at++;
        struct bytes digits = bytes_of(number, (size_t)(at - number));
        const char *name = skip_spaces(at, end);
        if (name == at) // a blank stands between them
            return false;
        for (at = name; at < end && isalpha((unsigned char)*at);)
            at++;
        const struct interval_unit *unit = interval_unit_find(bytes_of(name, (size_t)(at - name)));
        if (unit == NULL || unit->months == 3 || !calendar_add(digits, unit, &sum))
            return false;
        if (at < end && !isspace((unsigned char)*at))
            return false;
        at = skip_spaces(at, end);
    }
    *out = sum;
    return true;
}

size_t calendar_interval_print(const struct calendar_interval *value, char *out)
{
    const int64_t rest = value->us % 60000000, micros = rest < 0 ? -rest : rest;
    const struct {
        const char *name;
        int64_t count;
    } parts[] = {
        {"years", value->months / 12},
        {"months", value->months % 12},
        {"days", value->days},
        {"hours", value->us / INT64_C(3600000000)},
        {"minutes", value->us % INT64_C(3600000000) / 60000000},
    };
    char *at = out;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i].count != 0)
            at += snprintf(at, 40, "%s%" PRId64 " %s", at > out ? " " : "", parts[i].count, parts[i].name);
    if (rest != 0) {
        at += snprintf(at, 40, "%s%s%" PRId64, at > out ? " " : "", rest < 0 ? "-" : "", micros / 1000000);
        int64_t fraction = micros % 1000000;
        if (fraction != 0)
            *at++ = '.';
        for (int64_t unit = 100000; fraction != 0; fraction %= unit, unit /= 10)
            *at++ = (char)('0' + fraction / unit);
    }
    if (rest != 0 || at == out)
        at += snprintf(at, 20, at == out ? "0 seconds" : " seconds");
    return (size_t)(at - out);
}

/* ---- typed values ---- */

static const char *const field_names[] = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"};
/* What a field behind another one may reach, and what is written in front of it. */
static const int64_t field_most[] = {0, 11, 0, 23, 59, 59};
static const char field_marks[] = {0, '-', 0, ' ', ':', ':'};

int64_t interval_field_units(enum interval_field field)
{
    static const int64_t sizes[] = {12, 1, INT64_C(86400000000), INT64_C(3600000000), 60000000, 1000000};
    return sizes[field];
}

static int print_field(char *out, enum interval_field field, bool first, uint64_t value, uint64_t micros)
{
    bool padded = field >= INTERVAL_HOUR;
    int size = 0;
    if (!first)
        out[size++] = field_marks[field];
    size += snprintf(out + size, 24, padded ? "%02" PRIu64 : "%" PRIu64, value);
    if (field != INTERVAL_SECOND || micros == 0)
        return size;
    out[size++] = '.';
    for (uint64_t unit = 100000; micros != 0; micros %= unit, unit /= 10)
        out[size++] = (char)('0' + micros / unit);
    return size;
}

size_t interval_print(const struct type *type, int64_t value, char *out)
{
    enum interval_field from = type_interval_from(type), to = type_interval_to(type);
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int size = snprintf(out, INTERVAL_TEXT_MAX, "INTERVAL '%s", value < 0 ? "-" : "");
    for (enum interval_field field = from; field <= to; field++) {
        uint64_t unit = (uint64_t)interval_field_units(field);
        size += print_field(out + size, field, field == from, left / unit, left % unit);
        left %= unit;
    }
    size += snprintf(out + size, (size_t)(INTERVAL_TEXT_MAX - size), "' %s%s%s", field_names[from],
                     from == to ? "" : " TO ", from == to ? "" : field_names[to]);
    return (size_t)size;
}

/* INTERVAL [-]'..' UNITS: what stands between the quotes; the text itself when it has no such frame. */
static bool unframed(struct bytes text, const struct type *type, struct bytes *out, bool *negative)
{
    char wanted[40];
    const char *at = (const char *)text.data, *end = at + text.size;
    *out = text;
    if (text.size < 9 || strncasecmp(at, "interval", 8) != 0)
        return true;
    for (at += 8; at < end && (isspace((unsigned char)*at) || *at == '-' || *at == '+'); at++)
        *negative ^= *at == '-';
    const char *close = at < end && *at == '\'' ? memchr(at + 1, '\'', (size_t)(end - at - 1)) : NULL;
    if (close == NULL)
        return false;
    enum interval_field from = type_interval_from(type), to = type_interval_to(type);
    snprintf(wanted, sizeof wanted, "%s%s%s", field_names[from], from == to ? "" : " to ",
             from == to ? "" : field_names[to]);
    struct bytes rest = bytes_trim(bytes_of(close + 1, (size_t)(end - close - 1)));
    *out = bytes_of(at + 1, (size_t)(close - at - 1));
    return rest.size == strlen(wanted) && strncasecmp(wanted, (const char *)rest.data, rest.size) == 0;
}

/* Digits at *at; those of a number too large are stepped over. */
static bool take_digits(const char **at, const char *end, int64_t *out, bool *overflow)
{
    const char *start = *at;
    while (*at < end && isdigit((unsigned char)**at))
        ++*at;
    if (*at == start)
        return false;
    *overflow = *overflow || *at - start > 18;
    return *overflow || parse_int64(start, *at, out, overflow) != NULL;
}

enum interval_reading interval_value_read(struct bytes text, const struct type *type, bool negative, int64_t *out)
{
    enum interval_field from = type_interval_from(type), to = type_interval_to(type);
    text = bytes_trim(text);
    const char *at = (const char *)text.data, *end = at + text.size;
    int64_t sum = 0;
    bool overflow = false;
    if (at < end && (*at == '-' || *at == '+'))
        negative ^= *at++ == '-';
    for (enum interval_field field = from; field <= to; field++) {
        int64_t value = 0, scaled, micros = 0;
        if (field > from && (at == end || *at++ != field_marks[field]))
            return INTERVAL_NO_MATCH;
        if (!take_digits(&at, end, &value, &overflow))
            return INTERVAL_NO_MATCH;
        if (field == INTERVAL_SECOND && at < end && *at == '.')
            at = fraction_parse(at + 1, end, &micros);
        overflow = overflow || (field > from && value > field_most[field]) ||
                   __builtin_mul_overflow(negative ? -value : value, interval_field_units(field), &scaled) ||
                   __builtin_add_overflow(sum, scaled, &sum) ||
                   __builtin_add_overflow(sum, negative ? -micros : micros, &sum);
    }
    if (at != end)
        return INTERVAL_NO_MATCH;
    *out = sum;
    return overflow || (type->id == TYPE_INTERVAL_YM && sum != (int32_t)sum) ? INTERVAL_TOO_LARGE : INTERVAL_READ;
}

bool interval_value_parse(struct bytes text, const struct type *type, int64_t *out)
{
    bool negative = false;
    return unframed(bytes_trim(text), type, &text, &negative) &&
           interval_value_read(text, type, negative, out) == INTERVAL_READ;
}
