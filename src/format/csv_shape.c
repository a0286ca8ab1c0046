/* csv_shape.c - what lines of separated values look like together: the columns that Spark infers.
 *
 * Ladder   a column is tried as INT, BIGINT, DECIMAL without a fraction, DOUBLE, DATE, TIMESTAMP, BOOLEAN, beginning with what
 *          it is so far; what it was and what the value is have a common type, or it is STRING for good
 */
#include <ctype.h>
#include <strings.h>

#include "base/text_number.h"
#include "format/csv_options.h"
#include "format/format.h"

enum { CSV_COLUMNS_MAX = 20000, DECIMAL_DIGITS_MAX = 38, LONG_AS_DECIMAL = 20, INT_AS_DECIMAL = 10 };

enum rung {
    RUNG_NONE,
    RUNG_INT,
    RUNG_LONG,
    RUNG_DECIMAL,
    RUNG_DOUBLE,
    RUNG_DATE,
    RUNG_TIMESTAMP,
    RUNG_BOOLEAN,
    RUNG_STRING
};
struct csv_column {
    const char *name;
    enum rung rung;
    int32_t digits; /* DECIMAL */
};
struct csv_shape {
    struct arena arena;
    struct csv_reader_options options;
    struct csv_fields fields;
    const struct zone *zone;
    bool header, infer, begun;
    struct csv_column *columns;    /* heap */
    int32_t count, capacity, open; /* open: columns that are no STRING yet */
};

static bool option_is_true(const char *const *names, const char *const *values, int32_t count, const char *name)
{
    bool is = false;
    for (int32_t i = 0; i < count; i++)
        if (strcasecmp(names[i], name) == 0)
            is = strcasecmp(values[i], "true") == 0;
    return is;
}

enum code csv_shape_new(const char *const *option_names, const char *const *option_values, int32_t option_count,
                        const struct zone *zone, struct csv_shape **out, struct error *err)
{
    struct csv_shape *self = mem_new(struct csv_shape);
    self->zone = zone;
    self->header = option_is_true(option_names, option_values, option_count, "header");
    self->infer = option_is_true(option_names, option_values, option_count, "inferSchema");
    enum code code = csv_options_read(option_names, option_values, option_count, &self->arena, &self->options, err);
    if (code == E_OK)
        code = csv_fields_open(&self->fields, &self->options.fields, err);
    if (code != E_OK) {
        csv_shape_free(self);
        return code;
    }
    *out = self;
    return E_OK;
}

void csv_shape_free(struct csv_shape *self)
{
    if (self == NULL)
        return;
    csv_fields_close(&self->fields);
    mem_free(self->columns);
    arena_free(&self->arena);
    mem_free(self);
}

/* ---- one value ---- */

static bool is_date(struct bytes value)
{
    static const char form[] = "dddd-dd-dd";
    int32_t days;
    if (value.size != sizeof form - 1)
        return false;
    for (size_t i = 0; i < value.size; i++)
        if (form[i] == 'd' ? !isdigit(value.data[i]) : value.data[i] != '-')
            return false;
    return date_parse(value, &days);
}

/* Digits of a whole number, commas between them left out; 0: it is none, or has too many. */
static int32_t whole_digits(struct bytes value)
{
    int32_t digits = 0;
    bool leading = true;
    for (size_t i = value.size > 0 && strchr("+-", value.data[0]) != NULL ? 1 : 0; i < value.size; i++) {
        if (value.data[i] == ',')
            continue;
        if (!isdigit(value.data[i]) || digits == DECIMAL_DIGITS_MAX)
            return 0;
        leading = leading && value.data[i] == '0';
        digits += !leading;
    }
    return value.size > 0 && digits == 0 && isdigit(value.data[value.size - 1]) ? 1 : digits;
}

static bool is_long(struct bytes value, int64_t *out)
{
    bool overflow = false;
    const char *text = (const char *)value.data, *end = text + value.size;
    return value.size > 0 && parse_int64(text, end, out, &overflow) == end && !overflow;
}

/* The first rung from `from` on that holds the value. ORDER RUNG */
static enum rung rung_of(struct csv_shape *self, enum rung from, struct bytes value, int32_t *digits)
{
    int64_t number, us;
    double real;
    bool whole = from <= RUNG_LONG && is_long(value, &number);
    if (from <= RUNG_INT && whole && number >= INT32_MIN && number <= INT32_MAX)
        return RUNG_INT;
    if (whole)
        return RUNG_LONG;
    if (from <= RUNG_DECIMAL && (*digits = whole_digits(value)) > 0)
        return RUNG_DECIMAL;
    if (from <= RUNG_DOUBLE && csv_double(&self->options, value, false, &real))
        return RUNG_DOUBLE;
    if (from <= RUNG_DATE && is_date(value))
        return RUNG_DATE;
    if (from <= RUNG_TIMESTAMP && timestamp_parse(value, self->zone, &us))
        return RUNG_TIMESTAMP;
    if (from <= RUNG_BOOLEAN && value.size <= 5 &&
        (strncasecmp((const char *)value.data, "true", value.size) == 0 ||
         strncasecmp((const char *)value.data, "false", value.size) == 0) &&
        value.size >= 4)
        return RUNG_BOOLEAN;
    return RUNG_STRING;
}

static void column_meet(struct csv_shape *self, struct csv_column *column, struct bytes value)
{
    static const int32_t as_decimal[] = {[RUNG_INT] = INT_AS_DECIMAL, [RUNG_LONG] = LONG_AS_DECIMAL};
    enum rung was = column->rung;
    int32_t digits = 0;
    if (was == RUNG_STRING)
        return;
    enum rung is = rung_of(self, was == RUNG_NONE ? RUNG_INT : was, value, &digits);
    bool numbers = was <= RUNG_DOUBLE && is <= RUNG_DOUBLE, times = was == RUNG_DATE && is == RUNG_TIMESTAMP;
    column->rung = was == RUNG_NONE || is == was || numbers || times ? is : RUNG_STRING;
    if (is == RUNG_DECIMAL) {
        int32_t least = was == RUNG_INT || was == RUNG_LONG ? as_decimal[was] : column->digits;
        column->digits = digits > least ? digits : least;
    }
    self->open -= column->rung == RUNG_STRING;
}

/* ---- lines ---- */

/* Names that come twice, in any spelling, get their number behind them; empty ones are _c and it. */
static void names_settle(struct csv_shape *self)
{
    bool *twice = mem_array(bool, (size_t)self->count + 1);
    for (int32_t i = 0; i < self->count; i++)
        for (int32_t j = 0; j < self->count && !twice[i]; j++)
            twice[i] = j != i && self->columns[i].name != NULL && self->columns[j].name != NULL &&
                       strcasecmp(self->columns[i].name, self->columns[j].name) == 0;
    for (int32_t i = 0; i < self->count; i++) {
        const char *name = self->columns[i].name;
        if (name == NULL)
            self->columns[i].name = arena_printf(&self->arena, "_c%d", i);
        else if (twice[i])
            self->columns[i].name = arena_printf(&self->arena, "%s%d", name, i);
    }
    mem_free(twice);
}

static bool is_null(const struct csv_shape *self, const struct csv_field *field)
{
    return (field->value.size == 0 && !field->quoted) || bytes_equal_string(field->value, self->options.null_value);
}

static void columns_begin(struct csv_shape *self, struct bytes line)
{
    struct csv_field field;
    csv_fields_start(&self->fields, line);
    while (self->count < CSV_COLUMNS_MAX && csv_fields_next(&self->fields, &field)) {
        bool named = self->header && !is_null(self, &field);
        mem_grow(self->columns, self->capacity, self->count + 1);
        self->columns[self->count++] = (struct csv_column){
            .name = named ? arena_strndup(&self->arena, (const char *)field.value.data, field.value.size) : NULL,
            .rung = self->infer ? RUNG_NONE : RUNG_STRING,
        };
    }
    self->open = self->infer ? self->count : 0;
    names_settle(self);
}

bool csv_shape_add(struct csv_shape *self, struct bytes line)
{
    bool begins = !self->begun;
    struct csv_field field;
    if (begins)
        columns_begin(self, line);
    self->begun = true;
    if (begins && self->header)
        return self->open > 0;
    csv_fields_start(&self->fields, line);
    for (int32_t i = 0; self->open > 0 && i < self->count && csv_fields_next(&self->fields, &field); i++)
        if (!is_null(self, &field))
            column_meet(self, &self->columns[i], field.value);
    return self->open > 0;
}

static const struct type *rung_type(struct arena *arena, const struct csv_column *column)
{
    switch (column->rung) {
    case RUNG_INT: return type_of(TYPE_INT32);
    case RUNG_LONG: return type_of(TYPE_INT64);
    case RUNG_DECIMAL: return type_decimal(arena, column->digits, 0);
    case RUNG_DOUBLE: return type_of(TYPE_DOUBLE);
    case RUNG_DATE: return type_of(TYPE_DATE);
    case RUNG_TIMESTAMP: return type_of(TYPE_TIMESTAMP);
    case RUNG_BOOLEAN: return type_of(TYPE_BOOLEAN);
    case RUNG_NONE:
    case RUNG_STRING: break;
    }
    return type_of(TYPE_STRING);
}

void csv_shape_type(struct csv_shape *self, struct arena *arena, const struct type **out)
{
    struct field *fields = arena_array(arena, struct field, (size_t)self->count + 1);
    for (int32_t i = 0; i < self->count; i++)
        fields[i] =
            (struct field){arena_strdup(arena, self->columns[i].name), rung_type(arena, &self->columns[i]), true};
    *out = self->begun ? type_struct(arena, fields, self->count) : NULL;
}
