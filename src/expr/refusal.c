/* refusal.c - what the functions of refusal.h refuse, a row for each reason. */
#include "expr/refusal.h"

#include "base/memory.h"
#include "expr/coerce.h"

typedef bool refuses(const struct expr *const *args, int32_t index);

static enum type_id id_at(const struct expr *const *args, int32_t index) { return args[index]->type->id; }

static bool is_index(enum type_id id) { return id == TYPE_INT8 || id == TYPE_INT16 || id == TYPE_INT32; }

static bool is_null(const struct expr *const *args, int32_t index) { return id_at(args, index) == TYPE_NULL; }

static bool is_no_array(const struct expr *const *args, int32_t index)
{
    return id_at(args, index) != TYPE_ARRAY && id_at(args, index) != TYPE_NULL;
}

static bool is_pairs(const struct expr *const *args, int32_t index)
{
    return id_at(args, index) == TYPE_MAP || id_at(args, index) == TYPE_STRUCT;
}

static bool is_no_number(const struct expr *const *args, int32_t index)
{
    return !type_is_numeric(args[index]->type) && id_at(args, index) != TYPE_NULL;
}

static bool is_no_integer(const struct expr *const *args, int32_t index)
{
    return !type_is_integer(args[index]->type) && id_at(args, index) != TYPE_NULL;
}

static bool is_no_text(const struct expr *const *args, int32_t index)
{
    return id_at(args, index) != TYPE_STRING && id_at(args, index) != TYPE_NULL;
}

static bool is_no_truth(const struct expr *const *args, int32_t index)
{
    return id_at(args, index) != TYPE_BOOLEAN && id_at(args, index) != TYPE_NULL;
}

static bool is_no_key(const struct type *type) { return type_holds(type, TYPE_MAP) || type_holds(type, TYPE_VARIANT); }

/* map(key, value, key, value, ..) */
static bool is_unfit_key(const struct expr *const *args, int32_t index)
{
    return index % 2 == 0 && is_no_key(args[index]->type);
}

static bool is_unfit_keys(const struct expr *const *args, int32_t index)
{
    return id_at(args, index) == TYPE_ARRAY && is_no_key(args[index]->type->fields[0].type);
}

static bool is_unfit_entries(const struct expr *const *args, int32_t index)
{
    const struct type *entry = id_at(args, index) == TYPE_ARRAY ? args[index]->type->fields[0].type : NULL;
    return entry != NULL && entry->id == TYPE_STRUCT && entry->field_count == 2 && is_no_key(entry->fields[0].type);
}

static bool is_unordered(const struct expr *const *args, int32_t index)
{
    return id_at(args, index) == TYPE_ARRAY && !type_is_orderable(args[index]->type->fields[0].type);
}

/* Arrays of one type, whose elements have no order. */
static bool is_alike_unordered(const struct expr *const *args, int32_t index)
{
    return type_equal(args[0]->type, args[index]->type) && is_unordered(args, 0);
}

static bool is_time(const struct expr *const *args, int32_t index) { return id_at(args, index) == TYPE_TIME; }

static bool is_no_instant(const struct expr *const *args, int32_t index)
{
    enum type_id id = id_at(args, index);
    bool instant = id == TYPE_DATE || id == TYPE_TIMESTAMP || id == TYPE_TIMESTAMP_NTZ;
    return !instant && is_no_text(args, index);
}

static bool is_no_measure(const struct expr *const *args, int32_t index)
{
    return !type_is_numeric(args[index]->type) && !type_is_interval(args[index]->type) && is_no_text(args, index);
}

/* width_bucket(value, first, last, count) */
static bool is_no_bucket(const struct expr *const *args, int32_t index)
{
    return index < 3 ? is_no_measure(args, index) : is_no_number(args, index) && is_no_text(args, index);
}

/* Behind an array, where a map would have a key. */
static bool is_no_subscript(const struct expr *const *args, int32_t index)
{
    return id_at(args, 0) == TYPE_ARRAY && is_no_integer(args, index);
}

static bool is_no_place(const struct expr *const *args, int32_t index)
{
    return id_at(args, 0) == TYPE_ARRAY && !is_index(id_at(args, index));
}

static bool is_text_or_not(const struct type *a, const struct type *b)
{
    return a->id != TYPE_NULL && b->id != TYPE_NULL && (a->id == TYPE_STRING) != (b->id == TYPE_STRING);
}

/* DECIMALs become nothing but a DECIMAL that holds whole numbers. */
static bool is_other_decimal(const struct type *a, const struct type *b)
{
    const struct type *decimal = a->id == TYPE_DECIMAL ? a : b, *other = decimal == a ? b : a;
    if (decimal->id != TYPE_DECIMAL || other->id == TYPE_NULL || type_equal(a, b))
        return false;
    return !type_is_integer(other) || !cast_is_safe(other, decimal);
}

static bool is_other_decimal_key(const struct expr *const *args, int32_t index)
{
    return id_at(args, 0) == TYPE_MAP && is_other_decimal(args[0]->type->fields[0].type, args[index]->type);
}

/* An element beside others: texts and numbers do not become each other. */
static bool is_other_element(const struct expr *const *args, int32_t index)
{
    if (id_at(args, 0) != TYPE_ARRAY)
        return false;
    const struct type *element = args[0]->type->fields[0].type, *other = args[index]->type;
    return is_text_or_not(element, other) || is_other_decimal(element, other);
}

static bool is_other_inside(const struct type *a, const struct type *b)
{
    if (is_text_or_not(a, b) || is_other_decimal(a, b))
        return true;
    for (int32_t i = 0; a->id == b->id && i < a->field_count && i < b->field_count; i++)
        if (is_other_inside(a->fields[i].type, b->fields[i].type))
            return true;
    return false;
}

/* Compared with the first argument: what is in arrays and structs is not cast as they themselves would be. */
static bool is_other_nest(const struct expr *const *args, int32_t index)
{
    const struct type *a = args[0]->type, *b = args[index]->type;
    return type_is_nested(a) && a->id == b->id && is_other_inside(a, b);
}

static bool is_text_inside(const struct type *a, const struct type *b)
{
    bool other = is_text_or_not(a, b);
    for (int32_t i = 0; a->id == b->id && i < a->field_count && i < b->field_count && !other; i++)
        other = is_text_inside(a->fields[i].type, b->fields[i].type);
    return other;
}

/* Of what is compared texts in arrays and structs stay texts. */
static bool is_other_text(const struct expr *const *args, int32_t index)
{
    const struct type *a = args[0]->type, *b = args[index]->type;
    return type_is_nested(a) && a->id == b->id && is_text_inside(a, b);
}

/* NULL, but where elements have a type. */
static bool is_null_of_none(const struct expr *const *args, int32_t index)
{
    bool typed = id_at(args, 0) == TYPE_ARRAY && args[0]->type->fields[0].type->id != TYPE_NULL;
    return is_null(args, index) && !typed;
}

static bool is_no_count(const struct expr *const *args, int32_t index)
{
    return id_at(args, index) != TYPE_INT32 && id_at(args, index) != TYPE_NULL;
}

static bool is_other_bytes(const struct expr *const *args, int32_t index)
{
    enum type_id a = id_at(args, 0), b = id_at(args, index);
    return a != TYPE_NULL && b != TYPE_NULL && (a == TYPE_BINARY) != (b == TYPE_BINARY);
}

enum { EACH = -1 };
static const struct {
    const char *names;
    int32_t index; /* EACH: all of them */
    refuses *refuses;
    const char *condition, *wanted;
} rows[] = {
    {"concat ||", EACH, is_pairs, "UNEXPECTED_INPUT_TYPE", "a STRING, BINARY or ARRAY"},
    {"element_at try_element_at", 0, is_null, "UNEXPECTED_INPUT_TYPE", "an ARRAY or a MAP"},
    {"element_at try_element_at", 1, is_no_place, "UNEXPECTED_INPUT_TYPE", "an INT"},
    {"[]", 1, is_no_subscript, "UNEXPECTED_INPUT_TYPE", "an integer"},
    {"array_contains", EACH, is_null, "NULL_TYPE", "typed"},
    {"array_position", 0, is_null, "NULL_TYPE", "an ARRAY"},
    {"array_position", 1, is_null_of_none, "NULL_TYPE", "typed"},
    {"array_contains array_position", 0, is_no_array, "UNEXPECTED_INPUT_TYPE", "an ARRAY"},
    {"array_remove array_insert", 0, is_null, "ARRAY_FUNCTION_DIFF_TYPES", "an ARRAY"},
    {"array_insert", 1, is_no_place, "UNEXPECTED_INPUT_TYPE", "an INT"},
    {"array_insert", 2, is_other_element, "ARRAY_FUNCTION_DIFF_TYPES", "an element of the array's type"},
    {"array_append array_prepend", 1, is_other_element, "ARRAY_FUNCTION_DIFF_TYPES", "an element of the array's type"},
    {"array_sort array_distinct", 0, is_unordered, "INVALID_ORDERING_TYPE", "an ARRAY of what has an order"},
    {"array_union array_intersect array_except arrays_overlap", 1, is_alike_unordered, "INVALID_ORDERING_TYPE",
     "an ARRAY of what has an order"},
    {"map", EACH, is_unfit_key, "INVALID_MAP_KEY_TYPE", "free of MAPs and VARIANTs"},
    {"map_from_arrays", 0, is_unfit_keys, "INVALID_MAP_KEY_TYPE", "free of MAPs and VARIANTs"},
    {"map_from_entries", 0, is_unfit_entries, "INVALID_MAP_KEY_TYPE", "free of MAPs and VARIANTs"},
    {"if", 0, is_no_truth, "UNEXPECTED_INPUT_TYPE", "a BOOLEAN"},
    {"mask parse_url try_parse_url get_json_object str_to_map", EACH, is_no_text, "UNEXPECTED_INPUT_TYPE", "a STRING"},
    {"to_time try_to_time", 1, is_no_text, "UNEXPECTED_INPUT_TYPE", "a STRING"},
    {"collation soundex parse_json try_parse_json", 0, is_no_text, "UNEXPECTED_INPUT_TYPE", "a STRING"},
    {"array_repeat", 1, is_no_count, "UNEXPECTED_INPUT_TYPE", "an INT"},
    {"array_min array_max sort_array", 0, is_no_array, "UNEXPECTED_INPUT_TYPE", "an ARRAY"},
    {"= == <=> <> != < <= > >=", 1, is_other_nest, "BINARY_OP_DIFF_TYPES", "of the left operand's type"},
    {"greatest least", EACH, is_other_text, "DATA_DIFF_TYPES", "of the first one's type"},
    {"timestamp_seconds time_from_seconds", 0, is_no_number, "UNEXPECTED_INPUT_TYPE", "a number"},
    {"map_contains_key", 1, is_null, "NULL_TYPE", "a key"},
    {"element_at try_element_at", 1, is_other_decimal_key, "MAP_FUNCTION_DIFF_TYPES", "a key"},
    {"map_contains_key", 0, is_null, "MAP_FUNCTION_DIFF_TYPES", "a MAP"},
    {"format_number", 0, is_no_number, "UNEXPECTED_INPUT_TYPE", "a number"},
    {"timestamp_millis timestamp_micros time_from_millis time_from_micros", 0, is_no_integer, "UNEXPECTED_INPUT_TYPE",
     "an integer"},
    {"date_format from_utc_timestamp to_utc_timestamp date_trunc months_between convert_timezone timestampadd "
     "timestampdiff to_char to_varchar",
     EACH, is_time, "CAST_WITHOUT_SUGGESTION", "a TIMESTAMP"},
    {"year quarter month day dayofmonth dayofyear dayofweek weekday weekofyear dayname monthname last_day trunc next_day "
     "add_months datediff date_diff",
     EACH, is_time, "CAST_WITHOUT_SUGGESTION", "a DATE"},
    {"sequence", EACH, is_time, "SEQUENCE_WRONG_INPUT_TYPES", "a whole number, a DATE or a TIMESTAMP"},
    {"unix_timestamp to_unix_timestamp", 0, is_no_instant, "UNEXPECTED_INPUT_TYPE", "a STRING, DATE or TIMESTAMP"},
    {"width_bucket", EACH, is_no_bucket, "UNEXPECTED_INPUT_TYPE", "a number or an interval"},
    {"overlay", 1, is_other_bytes, "DATA_DIFF_TYPES", "of the first one's type"},
};

bool arguments_refused(const char *name, const struct expr *const *args, int32_t count, struct refusal *out)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct function named = {.name = rows[i].names};
        if (!function_has_name(&named, name, strlen(name)))
            continue;
        int32_t first = rows[i].index == EACH ? 0 : rows[i].index, last = rows[i].index == EACH ? count - 1 : first;
        for (int32_t k = first; k <= last && k < count; k++)
            if (rows[i].refuses(args, k)) {
                *out = (struct refusal){rows[i].condition, rows[i].wanted, k};
                return true;
            }
    }
    return false;
}
