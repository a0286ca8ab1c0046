#include "data/type.h"

#include <strings.h>

/* ORDER TYPE */
static const struct {
    const char *name;
    int32_t width;
} shapes[TYPE_COUNT] = {
    [TYPE_NULL] = {"void", 0},
    [TYPE_BOOLEAN] = {"boolean", 0},
    [TYPE_INT8] = {"tinyint", 1},
    [TYPE_INT16] = {"smallint", 2},
    [TYPE_INT32] = {"int", 4},
    [TYPE_INT64] = {"bigint", 8},
    [TYPE_FLOAT] = {"float", 4},
    [TYPE_DOUBLE] = {"double", 8},
    [TYPE_DECIMAL] = {"decimal", 8},
    [TYPE_STRING] = {"string", 0},
    [TYPE_BINARY] = {"binary", 0},
    [TYPE_DATE] = {"date", 4},
    [TYPE_TIMESTAMP] = {"timestamp", 8},
    [TYPE_TIMESTAMP_NTZ] = {"timestamp_ntz", 8},
    [TYPE_INTERVAL_DT] = {"interval day to second", 8},
    [TYPE_INTERVAL_YM] = {"interval year to month", 4},
    [TYPE_TIME] = {"time", 8},
    [TYPE_INTERVAL] = {"interval", 16},
    [TYPE_ARRAY] = {"array", 0},
    [TYPE_STRUCT] = {"struct", 0},
    [TYPE_MAP] = {"map", 0},
    [TYPE_VARIANT] = {"variant", 0},
};

const struct type *type_of(enum type_id id)
{
    static const struct type plain[TYPE_COUNT] = {
#define PLAIN(name) [TYPE_##name] = {.id = TYPE_##name}
        PLAIN(NULL),
        PLAIN(BOOLEAN),
        PLAIN(INT8),
        PLAIN(INT16),
        PLAIN(INT32),
        PLAIN(INT64),
        PLAIN(FLOAT),
        PLAIN(DOUBLE),
        PLAIN(STRING),
        PLAIN(BINARY),
        PLAIN(DATE),
        PLAIN(TIMESTAMP),
        PLAIN(TIMESTAMP_NTZ),
        PLAIN(INTERVAL_DT),
        PLAIN(INTERVAL_YM),
        PLAIN(TIME),
        PLAIN(INTERVAL),
        PLAIN(VARIANT),
#undef PLAIN
        [TYPE_DECIMAL] = {.id = TYPE_DECIMAL, .precision = 10}, // Spark's DECIMAL without parameters
    };
    always(id < TYPE_ARRAY || id == TYPE_VARIANT); // nested types have parameters
    return &plain[id];
}

const struct type *type_decimal(struct arena *arena, int precision, int scale)
{
    always(precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision);
    struct type *type = arena_new(arena, struct type);
    *type = (struct type){.id = TYPE_DECIMAL, .precision = (uint8_t)precision, .scale = (uint8_t)scale};
    return type;
}

const struct type *type_time(int digits)
{
#define DIGITS(less)                     \
    {                                    \
        .id = TYPE_TIME, .scale = (less) \
    }
    static const struct type times[] = {DIGITS(6), DIGITS(5), DIGITS(4), DIGITS(3), DIGITS(2), DIGITS(1)};
#undef DIGITS
    always(digits >= 0 && digits <= 6);
    return digits == 6 ? type_of(TYPE_TIME) : &times[digits];
}

const struct type *type_interval(enum interval_field from, enum interval_field to)
{
#define PART(family, a, b) [a][b] = {.id = TYPE_INTERVAL_##family, .precision = (a) + 1, .scale = (b) + 1 }
    static const struct type parts[INTERVAL_SECOND + 1][INTERVAL_SECOND + 1] = {
        PART(YM, INTERVAL_YEAR, INTERVAL_YEAR),     PART(YM, INTERVAL_MONTH, INTERVAL_MONTH),
        PART(DT, INTERVAL_DAY, INTERVAL_DAY),       PART(DT, INTERVAL_DAY, INTERVAL_HOUR),
        PART(DT, INTERVAL_DAY, INTERVAL_MINUTE),    PART(DT, INTERVAL_HOUR, INTERVAL_HOUR),
        PART(DT, INTERVAL_HOUR, INTERVAL_MINUTE),   PART(DT, INTERVAL_HOUR, INTERVAL_SECOND),
        PART(DT, INTERVAL_MINUTE, INTERVAL_MINUTE), PART(DT, INTERVAL_MINUTE, INTERVAL_SECOND),
        PART(DT, INTERVAL_SECOND, INTERVAL_SECOND),
    };
#undef PART
    if (from == INTERVAL_YEAR && to == INTERVAL_MONTH)
        return type_of(TYPE_INTERVAL_YM);
    if (from == INTERVAL_DAY && to == INTERVAL_SECOND)
        return type_of(TYPE_INTERVAL_DT);
    always(from <= to && to <= INTERVAL_SECOND && (from <= INTERVAL_MONTH) == (to <= INTERVAL_MONTH));
    return &parts[from][to];
}

enum interval_field type_interval_from(const struct type *type)
{
    if (type->precision > 0)
        return (enum interval_field)(type->precision - 1);
    return type->id == TYPE_INTERVAL_YM ? INTERVAL_YEAR : INTERVAL_DAY;
}

enum interval_field type_interval_to(const struct type *type)
{
    if (type->scale > 0)
        return (enum interval_field)(type->scale - 1);
    return type->id == TYPE_INTERVAL_YM ? INTERVAL_MONTH : INTERVAL_SECOND;
}

static const struct type *nested(struct arena *arena, enum type_id id, const struct field *fields, int32_t count)
{
    struct type *type = arena_new(arena, struct type);
    struct field *copy = arena_array(arena, struct field, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        copy[i] = fields[i];
        copy[i].name = arena_strdup(arena, fields[i].name);
    }
    *type = (struct type){.id = id, .field_count = count, .fields = copy};
    return type;
}

const struct type *type_array(struct arena *arena, const struct type *element, bool contains_null)
{
    return nested(arena, TYPE_ARRAY, &(struct field){"element", element, contains_null}, 1);
}

const struct type *type_map(struct arena *arena, const struct type *key, const struct type *value, bool value_null)
{
    const struct field fields[] = {{"key", key, false}, {"value", value, value_null}};
    return nested(arena, TYPE_MAP, fields, 2);
}

const struct type *type_struct(struct arena *arena, const struct field *fields, int32_t count)
{
    return nested(arena, TYPE_STRUCT, fields, count);
}

const struct type *type_copy(struct arena *arena, const struct type *type)
{
    if (type->id == TYPE_DECIMAL)
        return type_decimal(arena, type->precision, type->scale);
    if (type->id == TYPE_TIME)
        return type_time(type_time_digits(type));
    if (type_is_interval(type))
        return type_interval(type_interval_from(type), type_interval_to(type));
    if (!type_is_nested(type))
        return type_of(type->id);
    struct type *copy = arena_new(arena, struct type);
    struct field *fields = arena_array(arena, struct field, (size_t)type->field_count);
    for (int32_t i = 0; i < type->field_count; i++)
        fields[i] = (struct field){arena_strdup(arena, type->fields[i].name), type_copy(arena, type->fields[i].type),
                                   type->fields[i].nullable};
    *copy = *type;
    copy->fields = fields;
    return copy;
}

bool type_equal(const struct type *a, const struct type *b)
{
    if (a == b)
        return true;
    if (a->id != b->id || a->precision != b->precision || a->scale != b->scale || a->field_count != b->field_count)
        return false;
    for (int32_t i = 0; i < a->field_count; i++)
        if (strcmp(a->fields[i].name, b->fields[i].name) != 0 || !type_equal(a->fields[i].type, b->fields[i].type))
            return false;
    return true;
}

static void print_interval(const struct type *type, struct text *out)
{
    static const char *const fields[] = {"year", "month", "day", "hour", "minute", "second"};
    enum interval_field from = type_interval_from(type), to = type_interval_to(type);
    text_printf(out, "interval %s", fields[from]);
    if (from != to)
        text_printf(out, " to %s", fields[to]);
}

void type_print(const struct type *type, struct text *out)
{
    if (type_is_interval(type)) {
        print_interval(type, out);
        return;
    }
    text_add_string(out, shapes[type->id].name);
    if (type->id == TYPE_DECIMAL)
        text_printf(out, "(%d,%d)", type->precision, type->scale);
    if (type->id == TYPE_TIME)
        text_printf(out, "(%d)", type_time_digits(type));
    if (!type_is_nested(type))
        return;
    text_add_char(out, '<');
    for (int32_t i = 0; i < type->field_count; i++) {
        if (i > 0)
            text_add_char(out, ',');
        if (type->id == TYPE_STRUCT)
            text_printf(out, "%s:", type->fields[i].name);
        type_print(type->fields[i].type, out);
    }
    text_add_char(out, '>');
}

int32_t type_field_index(const struct type *type, const char *name, bool ignore_case)
{
    for (int32_t i = 0; i < type->field_count; i++) {
        const char *field = type->fields[i].name;
        if (strcmp(field, name) == 0 || (ignore_case && strcasecmp(field, name) == 0))
            return i;
    }
    return -1;
}

int32_t type_width(const struct type *type) { return type_is_wide_decimal(type) ? 16 : shapes[type->id].width; }
