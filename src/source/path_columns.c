/* path_columns.c - columns that folders name=value give to the files below them: which there are, and of which type.
 *
 * Types    as Spark infers them from the values: INT, BIGINT, DECIMAL(p,0), DOUBLE, DATE (yyyy-MM-dd), TIMESTAMP, else STRING;
 *          of several values the one that holds all
 */
#include <ctype.h>
#include <strings.h>

#include "base/text_number.h"
#include "source/columns.h"

enum { PATH_COLUMNS_MAX = 64, DECIMAL_DIGITS_MAX = 38, LONG_AS_DECIMAL = 20 };

enum rung { RUNG_NONE, RUNG_INT, RUNG_LONG, RUNG_DECIMAL, RUNG_DOUBLE, RUNG_DATE, RUNG_TIMESTAMP, RUNG_STRING };
struct path_column {
    const char *name;
    enum rung rung;
    int32_t digits; /* DECIMAL */
};

/* ---- one value ---- */

static bool has_form(const char *value, const char *form)
{
    for (; *form != '\0'; value++, form++)
        if (*form == '0' ? !isdigit((unsigned char)*value) : *value != *form)
            return false;
    return *value == '\0' || *value == '.';
}

static int32_t digits_of(const char *value)
{
    int32_t digits = 0;
    value += *value == '-' || *value == '+';
    while (*value == '0' && value[1] != '\0')
        value++;
    for (; isdigit((unsigned char)*value); value++)
        digits++;
    return *value == '\0' && digits <= DECIMAL_DIGITS_MAX ? digits : 0;
}

static enum rung rung_of(const char *value, int32_t *digits)
{
    const char *end = value + strlen(value);
    int64_t number, us;
    int32_t days;
    double real;
    bool overflow = false;
    if (parse_int64(value, end, &number, &overflow) == end && !overflow)
        return number >= INT32_MIN && number <= INT32_MAX ? RUNG_INT : RUNG_LONG;
    if ((*digits = digits_of(value)) > 0)
        return RUNG_DECIMAL;
    if (parse_double(value, end, &real) == end)
        return RUNG_DOUBLE;
    if (has_form(value, "0000-00-00") && date_parse(bytes_of_string(value), &days))
        return RUNG_DATE;
    if (has_form(value, "0000-00-00 00:00:00") && timestamp_parse(bytes_of_string(value), zone_utc(), &us))
        return RUNG_TIMESTAMP;
    return RUNG_STRING;
}

static void column_meet(struct path_column *column, const char *value)
{
    int32_t digits = 0;
    enum rung was = column->rung, is = rung_of(value, &digits);
    bool ladder = (was <= RUNG_DOUBLE && is <= RUNG_DOUBLE) ||
                  (was >= RUNG_DATE && was <= RUNG_TIMESTAMP && is >= RUNG_DATE && is <= RUNG_TIMESTAMP);
    column->rung = was == RUNG_NONE ? is : !ladder ? RUNG_STRING : was > is ? was : is;
    if (was == RUNG_LONG || is == RUNG_LONG)
        digits = digits > LONG_AS_DECIMAL ? digits : LONG_AS_DECIMAL;
    column->digits = digits > column->digits ? digits : column->digits;
}

static const struct type *rung_type(struct arena *arena, const struct path_column *column)
{
    switch (column->rung) {
    case RUNG_INT: return type_of(TYPE_INT32);
    case RUNG_LONG: return type_of(TYPE_INT64);
    case RUNG_DECIMAL: return type_decimal(arena, column->digits, 0);
    case RUNG_DOUBLE: return type_of(TYPE_DOUBLE);
    case RUNG_DATE: return type_of(TYPE_DATE);
    case RUNG_TIMESTAMP: return type_of(TYPE_TIMESTAMP);
    case RUNG_NONE:
    case RUNG_STRING: break;
    }
    return type_of(TYPE_STRING);
}

/* ---- all paths ---- */

struct path_columns {
    struct arena *arena;
    struct path_column items[PATH_COLUMNS_MAX];
    int32_t count;
    int32_t at; /* of the path being looked at: the next level */
    bool first;
    const char *path;
    struct error *err;
};

static enum code conflict(const struct path_columns *self)
{
    return fail(self->err, E_DATA,
                "[CONFLICTING_PARTITION_COLUMN_NAMES] %s: its folders name=value are not those of the other files",
                self->path);
}

static enum code level_meet(void *context, const char *name, const char *value)
{
    struct path_columns *self = context;
    if (self->at == PATH_COLUMNS_MAX)
        return fail(self->err, E_UNSUPPORTED, "%s: more than %d folders name=value", self->path, PATH_COLUMNS_MAX);
    struct path_column *column = &self->items[self->at++];
    if (self->first)
        *column = (struct path_column){.name = arena_strdup(self->arena, name)};
    else if (self->at > self->count || strcasecmp(column->name, name) != 0)
        return conflict(self);
    if (value != NULL)
        column_meet(column, value);
    return E_OK;
}

enum code source_path_columns(struct arena *arena, const char *pattern, const char *const *paths, int32_t count,
                              const struct type **out, struct error *err)
{
    struct path_columns self = {.arena = arena, .err = err};
    for (int32_t i = 0; i < count; i++) {
        self.at = 0;
        self.path = paths[i];
        self.first = i == 0;
        TRY(partition_walk(pattern, paths[i], level_meet, &self));
        if (i == 0)
            self.count = self.at;
        else if (self.at != self.count)
            return conflict(&self);
    }
    struct field fields[PATH_COLUMNS_MAX];
    for (int32_t i = 0; i < self.count; i++)
        fields[i] = (struct field){self.items[i].name, rung_type(arena, &self.items[i]), true};
    *out = type_struct(arena, fields, self.count);
    return E_OK;
}

/* ---- the value of one file ---- */

struct wanted {
    const char *name;
    struct fixed_value value;
    struct arena arena;
};

static enum code level_want(void *context, const char *name, const char *value)
{
    struct wanted *self = context;
    if (strcasecmp(name, self->name) == 0)
        self->value =
            (struct fixed_value){.given = true, .text = value != NULL ? arena_strdup(&self->arena, value) : NULL};
    return E_OK;
}

bool source_path_may_meet(const char *pattern, const char *path, const struct zone *zone, const struct row_test *tests,
                          int32_t test_count)
{
    bool may = true;
    for (int32_t i = 0; may && i < test_count; i++) {
        const struct row_test *test = &tests[i];
        const struct field field = {test->column, test->value != NULL ? test->value->type : type_of(TYPE_STRING), true};
        struct wanted wanted = {.name = test->column};
        struct column one = {0};
        struct error ignored = {0};
        (void)!partition_walk(pattern, path, level_want, &wanted); // it never fails
        if (wanted.value.given && partition_column(&field, &wanted.value, zone, 1, &one, &ignored) == E_OK)
            may = row_test_value(test, &one, 0);
        column_release(&one);
        arena_free(&wanted.arena);
    }
    return may;
}

enum code source_path_column(const char *pattern, const char *path, const struct field *field, const struct zone *zone,
                             int64_t rows, struct column *out, struct error *err)
{
    struct wanted wanted = {.name = field->name};
    enum code code = partition_walk(pattern, path, level_want, &wanted);
    if (code == E_OK)
        code = partition_column(field, &wanted.value, zone, rows, out, err);
    if (code != E_OK)
        error_note(err, "%s", path);
    arena_free(&wanted.arena);
    return code;
}

const struct type *source_with_path(struct arena *arena, const struct type *columns, const struct type *path)
{
    struct field *fields = arena_array(arena, struct field, (size_t)(columns->field_count + path->field_count) + 1);
    int32_t count = columns->field_count;
    for (int32_t i = 0; i < count; i++) {
        int32_t at = type_field_index(path, columns->fields[i].name, true);
        fields[i] = at >= 0 ? path->fields[at] : columns->fields[i];
    }
    for (int32_t i = 0; i < path->field_count; i++)
        if (type_field_index(columns, path->fields[i].name, true) < 0)
            fields[count++] = path->fields[i];
    return type_struct(arena, fields, count);
}
