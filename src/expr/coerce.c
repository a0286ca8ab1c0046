#include "expr/coerce.h"

#include <ctype.h>

#include "expr/expr.h"

enum { PRECISION_MAX = 38, SCALE_KEPT = 6 };

/* ---- decimals ---- */

static const struct type *decimal_bounded(struct arena *arena, int precision, int scale)
{
    return type_decimal(arena, precision < PRECISION_MAX ? precision : PRECISION_MAX,
                        scale < PRECISION_MAX ? scale : PRECISION_MAX);
}

const struct type *decimal_adjusted(struct arena *arena, int precision, int scale)
{
    if (precision <= PRECISION_MAX)
        return type_decimal(arena, precision, scale);
    int whole = precision - scale;
    int least = scale < SCALE_KEPT ? scale : SCALE_KEPT;
    int left = PRECISION_MAX - whole;
    return type_decimal(arena, PRECISION_MAX, left > least ? left : least);
}

const struct type *decimal_for(struct arena *arena, const struct type *numeric)
{
    switch (numeric->id) {
    case TYPE_INT8: return type_decimal(arena, 3, 0);
    case TYPE_INT16: return type_decimal(arena, 5, 0);
    case TYPE_INT32: return type_decimal(arena, 10, 0);
    case TYPE_INT64: return type_decimal(arena, 20, 0);
    case TYPE_FLOAT: return type_decimal(arena, 14, 7);
    case TYPE_DOUBLE: return type_decimal(arena, 30, 15);
    case TYPE_DECIMAL: return numeric;
    default: return type_decimal(arena, PRECISION_MAX, 18);
    }
}

static int larger(int a, int b) { return a > b ? a : b; }
static int smaller(int a, int b) { return a < b ? a : b; }
static int whole_digits(const struct type *t) { return t->precision - t->scale; }

/* Where digits before the point may give way; a quotient's fraction gives way first. */
static const struct type *exact_quotient(struct arena *arena, const struct type *a, const struct type *b)
{
    int whole = smaller(PRECISION_MAX, whole_digits(a) + b->scale),
        scale = smaller(PRECISION_MAX, larger(SCALE_KEPT, a->scale + b->precision + 1));
    if (whole + scale > PRECISION_MAX) {
        scale -= (whole + scale - PRECISION_MAX) / 2 + 1;
        whole = PRECISION_MAX - scale;
    }
    return decimal_bounded(arena, whole + scale, scale);
}

const struct type *decimal_exact_type(struct arena *arena, enum decimal_operation operation, const struct type *a,
                                      const struct type *b)
{
    int scale = larger(a->scale, b->scale);
    switch (operation) {
    case DECIMAL_SUM: return decimal_bounded(arena, larger(whole_digits(a), whole_digits(b)) + scale + 1, scale);
    case DECIMAL_PRODUCT: return decimal_bounded(arena, a->precision + b->precision + 1, a->scale + b->scale);
    case DECIMAL_REMAINDER: return decimal_bounded(arena, smaller(whole_digits(a), whole_digits(b)) + scale, scale);
    case DECIMAL_QUOTIENT: break;
    }
    return exact_quotient(arena, a, b);
}

const struct type *decimal_sum_type(struct arena *arena, const struct type *a, const struct type *b)
{
    int scale = larger(a->scale, b->scale);
    return decimal_adjusted(arena, larger(whole_digits(a), whole_digits(b)) + scale + 1, scale);
}

const struct type *decimal_product_type(struct arena *arena, const struct type *a, const struct type *b)
{
    return decimal_adjusted(arena, a->precision + b->precision + 1, a->scale + b->scale);
}

const struct type *decimal_quotient_type(struct arena *arena, const struct type *a, const struct type *b)
{
    int scale = larger(SCALE_KEPT, a->scale + b->precision + 1);
    return decimal_adjusted(arena, whole_digits(a) + b->scale + scale, scale);
}

const struct type *decimal_remainder_type(struct arena *arena, const struct type *a, const struct type *b)
{
    int scale = larger(a->scale, b->scale);
    return decimal_adjusted(arena, smaller(whole_digits(a), whole_digits(b)) + scale, scale);
}

static bool decimal_holds(const struct type *decimal, const struct type *integer)
{
    static const int digits[] = {[TYPE_INT8] = 3, [TYPE_INT16] = 5, [TYPE_INT32] = 10, [TYPE_INT64] = 20};
    return whole_digits(decimal) >= digits[integer->id];
}

/* ---- common types ---- */

static bool is_text(const struct type *t) { return t->id == TYPE_STRING; }
static bool is_interval(const struct type *t) { return t->id == TYPE_INTERVAL_DT || t->id == TYPE_INTERVAL_YM; }
static bool is_date_time(const struct type *t) { return t->id >= TYPE_DATE && t->id <= TYPE_TIMESTAMP_NTZ; }
static bool is_atomic(const struct type *t) { return t->id != TYPE_NULL && !type_is_nested(t); }

static const struct type *common_number(struct arena *arena, const struct type *a, const struct type *b)
{
    if (a->id == TYPE_DECIMAL || b->id == TYPE_DECIMAL) {
        const struct type *other = a->id == TYPE_DECIMAL ? b : a, *decimal = a->id == TYPE_DECIMAL ? a : b;
        if (other->id == TYPE_FLOAT || other->id == TYPE_DOUBLE)
            return type_of(TYPE_DOUBLE);
        other = decimal_for(arena, other);
        // Digits in front of the point stay; what is too much goes behind it.
        int scale = larger(decimal->scale, other->scale);
        int precision = larger(whole_digits(decimal), whole_digits(other)) + scale;
        int excess = larger(precision - PRECISION_MAX, 0);
        return decimal_bounded(arena, precision - excess, larger(scale - excess, 0));
    }
    enum type_id wider = a->id > b->id ? a->id : b->id;
    return type_of(wider == TYPE_FLOAT ? TYPE_DOUBLE : wider); // an integer may lose digits in a FLOAT
}

/* What text becomes when it meets a value of the other type. */
static const struct type *common_with_text(const struct type *other)
{
    if (type_is_integer(other))
        return type_of(TYPE_INT64);
    if (type_is_numeric(other))
        return type_of(TYPE_DOUBLE);
    bool apart = is_interval(other) || other->id == TYPE_INTERVAL || other->id == TYPE_VARIANT;
    return apart || !is_atomic(other) ? NULL : other;
}

/* The range that holds both. */
static const struct type *common_interval(const struct type *a, const struct type *b)
{
    enum interval_field from = type_interval_from(a), to = type_interval_to(a);
    from = type_interval_from(b) < from ? type_interval_from(b) : from;
    to = type_interval_to(b) > to ? type_interval_to(b) : to;
    return type_interval(from, to);
}

static const struct type *common_struct(struct arena *arena, const struct type *a, const struct type *b)
{
    if (a->field_count != b->field_count)
        return NULL;
    struct field *fields = arena_array(arena, struct field, (size_t)a->field_count + 1);
    for (int32_t i = 0; i < a->field_count; i++) {
        fields[i] = a->fields[i];
        fields[i].type = type_common(arena, a->fields[i].type, b->fields[i].type);
        fields[i].nullable = a->fields[i].nullable || b->fields[i].nullable;
        if (fields[i].type == NULL || strcasecmp(a->fields[i].name, b->fields[i].name) != 0)
            return NULL;
    }
    return type_struct(arena, fields, a->field_count);
}

static const struct type *common_nested(struct arena *arena, const struct type *a, const struct type *b)
{
    if (a->id == TYPE_STRUCT)
        return common_struct(arena, a, b);
    const struct type *first = type_common(arena, a->fields[0].type, b->fields[0].type);
    if (first == NULL)
        return NULL;
    if (a->id == TYPE_ARRAY)
        return type_array(arena, first, a->fields[0].nullable || b->fields[0].nullable);
    const struct type *value = type_common(arena, a->fields[1].type, b->fields[1].type);
    return value == NULL ? NULL : type_map(arena, first, value, a->fields[1].nullable || b->fields[1].nullable);
}

const struct type *type_common(struct arena *arena, const struct type *a, const struct type *b)
{
    if (a->id == TYPE_NULL || (!type_is_nested(a) && type_equal(a, b)))
        return b;
    if (b->id == TYPE_NULL)
        return a;
    if (type_is_numeric(a) && type_is_numeric(b))
        return common_number(arena, a, b);
    if (a->id == TYPE_TIME && b->id == TYPE_TIME)
        return type_time_digits(a) > type_time_digits(b) ? a : b;
    if (is_interval(a) && a->id == b->id)
        return common_interval(a, b);
    if (is_text(a))
        return common_with_text(b);
    if (is_text(b))
        return common_with_text(a);
    if (is_date_time(a) && is_date_time(b)) // DATE < TIMESTAMP_NTZ < TIMESTAMP
        return type_of(a->id == TYPE_TIMESTAMP || b->id == TYPE_TIMESTAMP ? TYPE_TIMESTAMP : TYPE_TIMESTAMP_NTZ);
    if (type_is_nested(a) && a->id == b->id)
        return common_nested(arena, a, b);
    return NULL;
}

const struct type *type_common_lossy(struct arena *arena, const struct type *a, const struct type *b)
{
    if ((a->id == TYPE_FLOAT && type_is_integer(b)) || (b->id == TYPE_FLOAT && type_is_integer(a)))
        return type_of(TYPE_FLOAT);
    return type_common(arena, a, b);
}

const struct type *type_common_text(struct arena *arena, const struct type *a, const struct type *b)
{
    const struct type *other = is_text(a) ? b : a;
    if (is_text(a) == is_text(b) || !is_atomic(other))
        return type_common_lossy(arena, a, b);
    return other->id == TYPE_BOOLEAN || other->id == TYPE_BINARY ? NULL : type_of(TYPE_STRING);
}

bool type_is_orderable(const struct type *type)
{
    if (type->id == TYPE_INTERVAL || type->id == TYPE_MAP || type->id == TYPE_VARIANT)
        return false;
    for (int32_t i = 0; i < type->field_count; i++)
        if (!type_is_orderable(type->fields[i].type))
            return false;
    return true;
}

bool type_has_text_keys(const struct type *type)
{
    if (type->id == TYPE_MAP && type->fields[0].type->id != TYPE_STRING)
        return false;
    for (int32_t i = 0; i < type->field_count; i++)
        if (!type_has_text_keys(type->fields[i].type))
            return false;
    return true;
}

bool type_holds(const struct type *type, enum type_id id)
{
    if (type->id == id)
        return true;
    for (int32_t i = 0; i < type->field_count; i++)
        if (type_holds(type->fields[i].type, id))
            return true;
    return false;
}

/* ---- casts ---- */

static bool nested_known(const struct type *from, const struct type *to,
                         bool (*known)(const struct type *, const struct type *))
{
    if (from->id != to->id || from->field_count != to->field_count)
        return false;
    for (int32_t i = 0; i < from->field_count; i++)
        if (!known(from->fields[i].type, to->fields[i].type))
            return false;
    return true;
}

static bool is_whole(const struct type *t) { return type_is_integer(t) || t->id == TYPE_DECIMAL; }

bool cast_known(const struct type *from, const struct type *to)
{
    if (from->id == TYPE_NULL || type_equal(from, to) || to->id == TYPE_STRING)
        return true;
    if (from->id == TYPE_VARIANT || to->id == TYPE_VARIANT)
        return false;
    if (type_is_nested(to))
        return nested_known(from, to, cast_known);
    if (from->id == TYPE_INTERVAL || to->id == TYPE_INTERVAL)
        return from->id == TYPE_STRING;
    if (from->id == TYPE_TIME || to->id == TYPE_TIME)
        return from->id == to->id || from->id == TYPE_STRING || is_whole(to);
    if (is_interval(from) || is_interval(to))
        return from->id == to->id || from->id == TYPE_STRING || (is_interval(from) ? is_whole(to) : is_whole(from));
    switch (from->id) {
    case TYPE_STRING: return to->id != TYPE_NULL;
    case TYPE_BOOLEAN: return type_is_numeric(to);
    case TYPE_DATE: return to->id == TYPE_TIMESTAMP || to->id == TYPE_TIMESTAMP_NTZ;
    case TYPE_TIMESTAMP: return type_is_numeric(to) || to->id == TYPE_DATE || to->id == TYPE_TIMESTAMP_NTZ;
    case TYPE_TIMESTAMP_NTZ: return to->id == TYPE_DATE || to->id == TYPE_TIMESTAMP;
    default: break;
    }
    if (type_is_numeric(from))
        return type_is_numeric(to) || to->id == TYPE_BOOLEAN || to->id == TYPE_TIMESTAMP;
    return false;
}

bool cast_was_known(const struct type *from, const struct type *to)
{
    if (to->id == TYPE_BINARY)
        return type_is_integer(from);
    if (from->id == TYPE_DATE)
        return type_is_numeric(to) || to->id == TYPE_BOOLEAN;
    return (from->id == TYPE_TIMESTAMP && to->id == TYPE_BOOLEAN) ||
           (from->id == TYPE_BOOLEAN && to->id == TYPE_TIMESTAMP);
}

bool cast_was_known_within(const struct type *from, const struct type *to)
{
    if (!type_is_nested(to) || from->id != to->id || from->field_count != to->field_count)
        return false;
    for (int32_t i = 0; i < from->field_count; i++) {
        const struct type *a = from->fields[i].type, *b = to->fields[i].type;
        bool key = from->id == TYPE_MAP && i == 0; // which may not become NULL
        if (!cast_known(a, b) && (key || !(cast_was_known(a, b) || cast_was_known_within(a, b))))
            return false;
    }
    return true;
}

bool cast_implied(const struct type *from, const struct type *to)
{
    if (from->id == TYPE_NULL || type_equal(from, to))
        return true;
    if (from->id == TYPE_VARIANT || to->id == TYPE_VARIANT)
        return false;
    if (type_is_nested(from) || type_is_nested(to))
        return type_is_nested(to) && nested_known(from, to, cast_implied);
    if (from->id == TYPE_INTERVAL || to->id == TYPE_INTERVAL)
        return to->id == TYPE_STRING;
    if (from->id == TYPE_TIME)
        return to->id == TYPE_TIME || to->id == TYPE_STRING;
    if (to->id == TYPE_TIME)
        return is_text(from);
    if (is_interval(from) || is_interval(to))
        return from->id == to->id || is_text(to);
    if (is_text(from) || is_text(to))
        return to->id != TYPE_NULL && !is_interval(to);
    if (type_is_numeric(from))
        return type_is_numeric(to);
    return is_date_time(from) && is_date_time(to);
}

int cast_cost(const struct type *from, const struct type *to)
{
    if (type_equal(from, to))
        return 0;
    if (from->id == TYPE_NULL)
        return 1;
    if (is_text(from))
        return type_is_numeric(to) ? 20 : 30; // '1' - 1 is a number, not a date less a day
    if (is_text(to))
        return 20;
    if (from->id == TYPE_DECIMAL && (to->id == TYPE_FLOAT || to->id == TYPE_DOUBLE))
        return 6;
    if (type_is_numeric(from) && type_is_numeric(to))
        return to->id > from->id ? 1 + (int)to->id - (int)from->id : 10;
    return to->id > from->id ? 2 : 5;
}

bool cast_is_safe(const struct type *from, const struct type *to)
{
    if (from->id == TYPE_NULL || type_equal(from, to))
        return true;
    if (type_is_nested(from) && from->id == to->id)
        return nested_known(from, to, cast_is_safe);
    if (is_text(to) || ((is_interval(from) || from->id == TYPE_TIME) && from->id == to->id))
        return true;
    if (from->id == TYPE_TIME || to->id == TYPE_TIME)
        return false;
    if (is_interval(from) || is_interval(to) || to->id == TYPE_INTERVAL)
        return false;
    if (is_text(from))
        return to->id == TYPE_BINARY;
    if (from->id == TYPE_BOOLEAN)
        return to->id != TYPE_DECIMAL || whole_digits(to) >= 1;
    if (to->id == TYPE_BOOLEAN || to->id == TYPE_FLOAT || to->id == TYPE_DOUBLE)
        return true;
    if (is_date_time(from) && to->id == TYPE_DATE)
        return true;
    if (from->id == TYPE_DECIMAL && to->id == TYPE_DECIMAL)
        return whole_digits(to) >= whole_digits(from) + (to->scale < from->scale);
    if (type_is_integer(from) && to->id == TYPE_DECIMAL)
        return decimal_holds(to, from);
    return type_is_integer(from) && type_is_integer(to) && from->id < to->id;
}

/* ---- names ---- */

void type_print_sql(const struct type *type, struct text *out)
{
    switch (type->id) {
    case TYPE_ARRAY:
    case TYPE_MAP:
        text_add_string(out, type->id == TYPE_ARRAY ? "ARRAY<" : "MAP<");
        type_print_sql(type->fields[0].type, out);
        if (type->id == TYPE_MAP) {
            text_add_string(out, ", ");
            type_print_sql(type->fields[1].type, out);
        }
        break;
    case TYPE_STRUCT:
        text_add_string(out, "STRUCT<");
        for (int32_t i = 0; i < type->field_count; i++) {
            text_printf(out, "%s%s: ", i > 0 ? ", " : "", type->fields[i].name);
            type_print_sql(type->fields[i].type, out);
            if (!type->fields[i].nullable)
                text_add_string(out, " NOT NULL");
        }
        break;
    default: {
        size_t start = out->size;
        type_print(type, out);
        for (size_t i = start; i < out->size; i++)
            out->data[i] = (char)toupper((unsigned char)out->data[i]);
        return;
    }
    }
    text_add_char(out, '>');
}

const char *type_sql(struct arena *arena, const struct type *type)
{
    struct text text = {0};
    type_print_sql(type, &text);
    const char *copy = arena_strndup(arena, text.data, text.size);
    text_free(&text);
    return copy;
}
