/* refusal.c - what the functions of refusal.h refuse, a row for each reason. */
#include "expr/refusal.h"

#include "base/memory.h"

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

static bool is_text(const struct expr *const *args, int32_t index) { return id_at(args, index) == TYPE_STRING; }

static bool is_time(const struct expr *const *args, int32_t index) { return id_at(args, index) == TYPE_TIME; }

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

/* An element beside others: texts and numbers do not become each other. */
static bool is_other_element(const struct expr *const *args, int32_t index)
{
    return id_at(args, 0) == TYPE_ARRAY && is_text_or_not(args[0]->type->fields[0].type, args[index]->type);
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
    {"array_contains array_position", 0, is_null, "NULL_TYPE", "an ARRAY"},
    {"array_contains array_position", 0, is_no_array, "UNEXPECTED_INPUT_TYPE", "an ARRAY"},
    {"array_remove array_insert", 0, is_null, "ARRAY_FUNCTION_DIFF_TYPES", "an ARRAY"},
    {"array_insert", 1, is_no_place, "UNEXPECTED_INPUT_TYPE", "an INT"},
    {"array_insert", 2, is_other_element, "ARRAY_FUNCTION_DIFF_TYPES", "an element of the array's type"},
    {"array_append array_prepend", 1, is_other_element, "ARRAY_FUNCTION_DIFF_TYPES", "an element of the array's type"},
    {"array_repeat", 1, is_text, "UNEXPECTED_INPUT_TYPE", "an INT"},
    {"map_contains_key", 1, is_null, "NULL_TYPE", "a key"},
    {"map_contains_key", 0, is_null, "MAP_FUNCTION_DIFF_TYPES", "a MAP"},
    {"format_number", 0, is_no_number, "UNEXPECTED_INPUT_TYPE", "a number"},
    {"timestamp_millis timestamp_micros", 0, is_no_integer, "UNEXPECTED_INPUT_TYPE", "an integer"},
    {"date_format", 0, is_time, "CAST_WITHOUT_SUGGESTION", "a TIMESTAMP"},
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
