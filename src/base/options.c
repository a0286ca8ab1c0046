#include "base/options.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* ---- quantities ---- */

/* A decimal number: value = digits / 10^fraction. Seen digits past the sixth of the fraction are refused. */
struct quantity {
    int64_t digits;
    int fraction;
};
enum { FRACTION_MAX = 6 };

static bool quantity_parse(const char **text, struct quantity *out)
{
    const char *at = *text;
    struct quantity q = {0};
    int seen = 0;
    bool point = false;
    for (;; at++) {
        if (*at == '.' && !point) {
            point = true;
            continue;
        }
        if (!isdigit((unsigned char)*at))
            break;
        if (__builtin_mul_overflow(q.digits, (int64_t)10, &q.digits) ||
            __builtin_add_overflow(q.digits, (int64_t)(*at - '0'), &q.digits))
            return false;
        q.fraction += point;
        seen++;
    }
    if (seen == 0 || q.fraction > FRACTION_MAX)
        return false;
    *text = at;
    *out = q;
    return true;
}

/* digits * unit / 10^fraction, exact; false when it does not fit or is no whole number of units. */
static bool quantity_times(struct quantity q, int64_t unit, int64_t *out)
{
    __int128 product = (__int128)q.digits * unit;
    for (int i = 0; i < q.fraction; i++) {
        if (product % 10 != 0)
            return false;
        product /= 10;
    }
    if (product > INT64_MAX)
        return false;
    *out = (int64_t)product;
    return true;
}

static const char *skip_blanks(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

/* The letters at *text; moves behind them. */
static struct bytes word_parse(const char **text)
{
    const char *at = *text;
    while (isalpha((unsigned char)*at))
        at++;
    struct bytes word = bytes_of(*text, (size_t)(at - *text));
    *text = at;
    return word;
}

struct unit {
    const char *names; /* separated by blanks */
    int64_t size;
};

static const struct unit *unit_find(const struct unit *units, struct bytes word)
{
    for (; units->names != NULL; units++)
        for (const char *name = units->names; *name != '\0';) {
            size_t size = strcspn(name, " ");
            if (size == word.size && strncasecmp(name, (const char *)word.data, size) == 0)
                return units;
            name += size;
            name += *name == ' ';
        }
    return NULL;
}

static const struct unit duration_units[] = {
    {"us microsecond microseconds", 1},
    {"ms msec millisecond milliseconds", 1000},
    {"s sec second seconds", 1000000},
    {"m min minute minutes", INT64_C(60) * 1000000},
    {"h hour hours", INT64_C(3600) * 1000000},
    {"d day days", INT64_C(86400) * 1000000},
    {"w week weeks", INT64_C(7) * 86400 * 1000000},
    {NULL, 0},
};

enum code parse_duration(const char *text, int64_t *out_us, struct error *err)
{
    const char *at = skip_blanks(text);
    if (strncasecmp(at, "interval", 8) == 0 && isspace((unsigned char)at[8]))
        at = skip_blanks(at + 8);
    int64_t total_us = 0;
    if (strcmp(at, "0") == 0) { // nothing is the same in every unit
        *out_us = 0;
        return E_OK;
    }
    do {
        struct quantity q;
        if (!quantity_parse(&at, &q))
            return fail(err, E_SPEC, "\"%s\" is not a duration; write a number and a unit, like 30 seconds", text);
        at = skip_blanks(at);
        struct bytes word = word_parse(&at);
        const struct unit *unit = unit_find(duration_units, word);
        if (unit == NULL && word.size >= 4 &&
            (strncasecmp((const char *)word.data, "mont", 4) == 0 ||
             strncasecmp((const char *)word.data, "year", 4) == 0))
            return fail(err, E_SPEC, "\"%s\": months and years have no fixed length; use days or smaller units", text);
        if (unit == NULL)
            return fail(err, E_SPEC, "\"%s\": the unit is missing or unknown; use ms, seconds, minutes, hours or days",
                        text);
        int64_t us;
        if (!quantity_times(q, unit->size, &us) || __builtin_add_overflow(total_us, us, &total_us))
            return fail(err, E_SPEC, "\"%s\" is finer than a microsecond or too long", text);
        at = skip_blanks(at);
    } while (*at != '\0');
    *out_us = total_us;
    return E_OK;
}

static const struct unit size_units[] = {
    {"b byte bytes", 1},
    {"k kb kib", INT64_C(1) << 10},
    {"m mb mib", INT64_C(1) << 20},
    {"g gb gib", INT64_C(1) << 30},
    {"t tb tib", INT64_C(1) << 40},
    {NULL, 0},
};

enum code parse_size(const char *text, int64_t *out_bytes, struct error *err)
{
    const char *at = skip_blanks(text);
    struct quantity q;
    if (!quantity_parse(&at, &q))
        return fail(err, E_SPEC, "\"%s\" is not a size; write bytes, or a number and k, m, g or t, like 128MB", text);
    at = skip_blanks(at);
    struct bytes word = word_parse(&at);
    const struct unit *unit = word.size == 0 ? size_units : unit_find(size_units, word);
    if (unit == NULL || *skip_blanks(at) != '\0')
        return fail(err, E_SPEC, "\"%s\": the unit is unknown; use k, m, g or t (powers of 1024)", text);
    int64_t size;
    if (!quantity_times(q, unit->size, &size))
        return fail(err, E_SPEC, "\"%s\" is no whole number of bytes, or too large", text);
    *out_bytes = size;
    return E_OK;
}

const char *print_size(size_t bytes, char out[SIZE_TEXT_MAX])
{
    static const char units[] = {'k', 'm', 'g'};
    size_t unit = 0, of = 1024;
    if (bytes < of) {
        snprintf(out, SIZE_TEXT_MAX, "%zu bytes", bytes);
        return out;
    }
    for (; unit + 1 < sizeof units && bytes / of >= 1024; unit++)
        of *= 1024;
    snprintf(out, SIZE_TEXT_MAX, bytes % of == 0 ? "%.0f%c" : "%.1f%c", (double)bytes / (double)of, units[unit]);
    return out;
}

/* ---- the table ---- */

const struct option *option_find(const struct option *options, const char *name)
{
    const char *mark = strchr(name, '#');
    size_t size = mark != NULL && mark[1] != '\0' ? (size_t)(mark - name) + 1 : 0;
    for (; options != NULL && options->name != NULL; options++) {
        if (strcasecmp(options->name, name) == 0)
            return options;
        if (size > 0 && strncasecmp(options->name, name, size) == 0)
            return options;
    }
    return NULL;
}

enum { OPTIONS_MAX = 128 }; /* options that "did you mean" looks through */

const char *options_nearest(const struct option *const *tables, const char *name)
{
    const char *names[OPTIONS_MAX];
    size_t count = 0;
    for (; *tables != NULL; tables++)
        for (const struct option *option = *tables; option->name != NULL && count < OPTIONS_MAX; option++)
            names[count++] = option->name;
    return nearest_word(name, names, count);
}

bool options_have(const struct option *const *tables, const char *name)
{
    for (; *tables != NULL; tables++)
        if (option_find(*tables, name) != NULL)
            return true;
    return false;
}

static enum code unknown_option(const struct option *options, const char *name, struct error *err)
{
    const char *near = options_nearest((const struct option *const[]){options, NULL}, name);
    return fail(err, E_SPEC, "unknown option %s%s%s%s", name, near ? "; did you mean " : "", near ? near : "",
                near ? "?" : "");
}

/* What may be shown of a value: the user sees what he wrote, but never a secret. */
static const char *shown(const struct option *option, const char *value) { return option->secret ? "(secret)" : value; }

enum { LIMIT_TEXT_MAX = 48 };

/* In the largest unit that has a whole number of them, as it would be written. */
static const char *limit_print(const struct option *option, int64_t limit, char out[LIMIT_TEXT_MAX])
{
    const struct unit *units = option->kind == OPTION_BYTES      ? size_units
                               : option->kind == OPTION_DURATION ? duration_units
                                                                 : NULL;
    const struct unit *best = units;
    for (; units != NULL && units->names != NULL; units++)
        if (limit % units->size == 0 && limit >= units->size)
            best = units;
    if (best == NULL)
        snprintf(out, LIMIT_TEXT_MAX, "%" PRId64, limit);
    else
        snprintf(out, LIMIT_TEXT_MAX, "%" PRId64 "%s%.*s", limit / best->size, option->kind == OPTION_BYTES ? "" : " ",
                 (int)strcspn(best->names, " "), best->names);
    return out;
}

static enum code check_range(const struct option *option, const char *value, int64_t number, struct error *err)
{
    bool open = option->min == 0 && option->max == 0;
    if (open ? number >= 0 : number >= option->min && number <= option->max)
        return E_OK;
    if (open)
        return fail(err, E_SPEC, "option %s = %s must not be negative", option->name, shown(option, value));
    char least[LIMIT_TEXT_MAX], most[LIMIT_TEXT_MAX];
    return fail(err, E_SPEC, "option %s = %s must lie from %s to %s", option->name, shown(option, value),
                limit_print(option, option->min, least), limit_print(option, option->max, most));
}

static enum code parse_number(const struct option *option, const char *value, int64_t *out, struct error *err)
{
    if (option->kind == OPTION_BYTES)
        return parse_size(value, out, err);
    if (option->kind == OPTION_DURATION)
        return parse_duration(value, out, err);
    const char *at = skip_blanks(value);
    bool negative = *at == '-';
    struct quantity q;
    at += negative || *at == '+';
    if (!quantity_parse(&at, &q) || q.fraction != 0 || at[-1] == '.' || *skip_blanks(at) != '\0')
        return fail(err, E_SPEC, "\"%s\" is not a whole number", shown(option, value));
    *out = negative ? -q.digits : q.digits;
    return E_OK;
}

static enum code set_number(const struct option *option, char *at, const char *value, struct error *err)
{
    int64_t number = 0;
    if (parse_number(option, value, &number, err) != E_OK) {
        if (option->secret)
            fail(err, E_SPEC, "the value cannot be read");
        return error_note(err, "option %s", option->name);
    }
    TRY(check_range(option, value, number, err));
    memcpy(at, &number, sizeof number);
    return E_OK;
}

static enum code set_enum(const struct option *option, char *at, const char *value, struct error *err)
{
    int index = 0;
    for (const char *choice = option->choices;; index++) {
        size_t size = strcspn(choice, "|");
        if (strlen(value) == size && strncasecmp(choice, value, size) == 0) {
            memcpy(at, &index, sizeof index);
            return E_OK;
        }
        if (choice[size] == '\0')
            break;
        choice += size + 1;
    }
    return fail(err, E_SPEC, "option %s = %s must be one of %s", option->name, shown(option, value), option->choices);
}

static enum code set_boolean(const struct option *option, char *at, const char *value, struct error *err)
{
    bool on = strcasecmp(value, "true") == 0;
    if (!on && strcasecmp(value, "false") != 0)
        return fail(err, E_SPEC, "option %s = %s must be true or false", option->name, shown(option, value));
    memcpy(at, &on, sizeof on);
    return E_OK;
}

static enum code set_value(const struct option *option, void *settings, const char *value, struct arena *arena,
                           struct error *err)
{
    char *at = (char *)settings + option->offset;
    switch (option->kind) {
    case OPTION_STRING: {
        const char *copy = arena_strdup(arena, value);
        memcpy(at, &copy, sizeof copy);
        return E_OK;
    }
    case OPTION_BOOLEAN: return set_boolean(option, at, value, err);
    case OPTION_ENUM: return set_enum(option, at, value, err);
    case OPTION_INT:
    case OPTION_BYTES:
    case OPTION_DURATION: return set_number(option, at, value, err);
    }
    return fail(err, E_BUG, "option %s has no kind", option->name);
}

static void set_zero(const struct option *option, void *settings)
{
    static const size_t sizes[] = {
        [OPTION_STRING] = sizeof(char *), [OPTION_BOOLEAN] = sizeof(bool),     [OPTION_INT] = sizeof(int64_t),
        [OPTION_BYTES] = sizeof(int64_t), [OPTION_DURATION] = sizeof(int64_t), [OPTION_ENUM] = sizeof(int),
    };
    memset((char *)settings + option->offset, 0, sizes[option->kind]);
}

void options_defaults(const struct option *options, void *settings, struct arena *arena)
{
    for (; options != NULL && options->name != NULL; options++) {
        struct error err = {0};
        if (options->initial == NULL)
            set_zero(options, settings);
        else
            always(set_value(options, settings, options->initial, arena, &err) == E_OK);
    }
}

enum code option_set(const struct option *options, void *settings, const char *name, const char *value,
                     struct arena *arena, struct error *err)
{
    const struct option *option = option_find(options, name);
    if (option == NULL)
        return unknown_option(options, name, err);
    return set_value(option, settings, value, arena, err);
}

const char *option_kind_text(const struct option *option)
{
    static const char *const kinds[] = {
        [OPTION_STRING] = "text", [OPTION_BOOLEAN] = "true|false", [OPTION_INT] = "number",
        [OPTION_BYTES] = "size",  [OPTION_DURATION] = "duration",
    };
    return option->kind == OPTION_ENUM ? option->choices : kinds[option->kind];
}

void options_print(const struct option *options, struct text *out)
{
    for (; options != NULL && options->name != NULL; options++) {
        const char *initial = options->initial == NULL ? "-" : options->secret ? "(secret)" : options->initial;
        bool letter = options->name[1] == '\0';
        text_printf(out, "  %s%-*s  %-10s  %-10s  %s\n", letter ? "-" : "--", letter ? 29 : 28, options->name,
                    option_kind_text(options), initial, options->help);
    }
}
