#include "data/interval.h"

#include <ctype.h>
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
        if (strlen(unit->name) == size &&
            strncasecmp(unit->name, (const char *)name.data, size) == 0)
            return unit;
    return NULL;
}

static struct bytes trimmed(struct bytes text)
{
    while (text.size > 0 && isspace(text.data[0]))
        text = bytes_of(text.data + 1, text.size - 1);
    while (text.size > 0 && isspace(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* Digits behind the point, in microseconds; those past the sixth are cut. */
static const char *fraction_parse(const char *at, const char *end, int64_t *us)
{
    int64_t worth = 100000;
    for (*us = 0; at < end && isdigit((unsigned char)*at); at++, worth /= 10)
        *us += (*at - '0') * worth;
    return at;
}

bool interval_add(struct bytes number, bool negative, const struct interval_unit *unit,
                  int64_t *months, int64_t *us)
{
    number = trimmed(number);
    const char *text = (const char *)number.data, *end = text + number.size;
    bool overflow = false, minus = number.size > 0 && *text == '-';
    int64_t whole = 0, fraction = 0, sum;
    const char *at = parse_int64(text, end, &whole, &overflow);
    if (at == NULL && text < end && *text == '.')
        at = text;
    if (at == NULL || overflow)
        return false;
    if (at < end && *at == '.' && unit->us == 1000000)
        at = fraction_parse(at + 1, end, &fraction);
    if (at != end || __builtin_mul_overflow(whole, unit->us + unit->months, &sum) ||
        __builtin_add_overflow(sum, minus ? -fraction : fraction, &sum))
        return false;
    int64_t *into = unit->months != 0 ? months : us;
    return negative ? !__builtin_sub_overflow(*into, sum, into)
                    : !__builtin_add_overflow(*into, sum, into);
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
