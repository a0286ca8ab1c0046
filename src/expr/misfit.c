/* misfit.c - what Spark says of a call whose name, number or types of arguments do not fit. */
#include "expr/misfit.h"

#include <stdio.h>

#include "expr/coerce.h"

enum code misfit_unknown(const char *name, struct error *err)
{
    const char *near = function_nearest(name);
    return fail(err, E_SQL, "[UNRESOLVED_ROUTINE] Cannot resolve routine `%s`%s%.*s%s", name,
                near != NULL ? "; did you mean `" : "", near != NULL ? (int)strcspn(near, " ") : 0,
                near != NULL ? near : "", near != NULL ? "`?" : "");
}

enum code misfit_count(const char *name, int32_t least, int32_t most, int32_t count, struct error *err)
{
    char wanted[48];
    if (most == INT32_MAX)
        snprintf(wanted, sizeof wanted, "> %d", least - 1);
    else if (least == most)
        snprintf(wanted, sizeof wanted, "%d", least);
    else
        snprintf(wanted, sizeof wanted, "[%d, %d]", least, most);
    return fail(err, E_SQL,
                "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `%s` requires %s parameters but the actual number "
                "is %d.",
                name, wanted, count);
}

/* The call as the user would see it, although it has no types. */
static void print_attempt(struct expr_context *ctx, const struct function *function, const struct expr *const *args,
                          int32_t count, struct text *out)
{
    struct expr *expr = expr_new(ctx, EXPR_CALL, type_of(TYPE_NULL), (struct position){0});
    expr->function = function;
    expr->arg_count = count;
    expr->args = arena_array(ctx->arena, const struct expr *, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++)
        expr->args[i] = args[i];
    expr_print(expr, NULL, out);
}

static const char *ordinal(int32_t index)
{
    static const char *const words[] = {"first", "second", "third", "fourth", "fifth", "sixth"};
    return index < 6 ? words[index] : "next";
}

/* A difference takes an interval of days on the right, a sum on either side. */
static bool moves_time(char sign, const struct type *a, const struct type *b)
{
    bool left = a->id == TYPE_INTERVAL_DT || a->id == TYPE_INTERVAL,
         right = b->id == TYPE_INTERVAL_DT || b->id == TYPE_INTERVAL;
    return right || (sign == '+' && left);
}

static bool is_number_or_text(const struct type *type) { return type_is_numeric(type) || type->id == TYPE_STRING; }

/* What Spark makes of an operator whose arguments do not fit: a sum of times and intervals is a function of its own with
 * types of its own, other operators want both sides alike. */
static const char *misfit_condition(const struct expr_context *ctx, const struct function *function,
                                    const struct type *a, const struct type *b)
{
    const char *name = function->name;
    const char operation = function_operation(function);
    bool sum = operation == '+' || operation == '-', text = a->id == TYPE_STRING || b->id == TYPE_STRING;
    bool date = a->id == TYPE_DATE || b->id == TYPE_DATE;
    bool instant = a->id == TYPE_TIMESTAMP || b->id == TYPE_TIMESTAMP || a->id == TYPE_TIMESTAMP_NTZ ||
                   b->id == TYPE_TIMESTAMP_NTZ;
    const bool variant = a->id == TYPE_VARIANT || b->id == TYPE_VARIANT;
    if (strcmp(name, "in") == 0)
        return "DATA_DIFF_TYPES";
    if (variant && text && operation != 0 && strchr("=<>!", operation) != NULL)
        return "INVALID_ORDERING_TYPE"; // the text is made one, too
    if ((operation == '*' || operation == '/') &&
        (type_is_any_interval(a) || (operation == '*' && type_is_any_interval(b))))
        return "UNEXPECTED_INPUT_TYPE"; // of what intervals are multiplied with
    if (sum && !text && moves_time(operation, a, b))
        return "UNEXPECTED_INPUT_TYPE";
    if (sum && (date || (instant && operation == '-' && (!text || !ctx->session->ansi))))
        return "UNEXPECTED_INPUT_TYPE";
    const struct type *other = a->id == TYPE_STRING ? b : a;
    bool promoted =
        text && ctx->session->ansi && !type_is_numeric(other) && !type_is_nested(other) && !type_is_any_interval(other);
    // Both become DOUBLEs, which div does not take; a FLOAT beside a DECIMAL stays one.
    bool whole = a->id == TYPE_DECIMAL || b->id == TYPE_DECIMAL, real = a->id == TYPE_FLOAT || b->id == TYPE_FLOAT;
    bool divided =
        strcmp(name, "div") == 0 && (whole || text) && !(whole && real) && is_number_or_text(a) && is_number_or_text(b);
    return promoted || divided || type_equal(a, b) ? "BINARY_OP_WRONG_TYPE" : "BINARY_OP_DIFF_TYPES";
}

static bool is_binary_operator(const struct function *function, int32_t count)
{
    return count == 2 && (function_operation(function) != 0 || strcmp(function->name, "pmod") == 0);
}

/* Functions of arrays and maps that say in their own words what does not go together. */
static const char *collection_condition(const char *name, const struct expr *const *args, int32_t count)
{
    static const struct {
        const char *names, *condition;
        enum type_id first; /* only when the first argument is one; TYPE_COUNT: always */
    } rows[] = {
        {"arrays_overlap array_union array_except array_intersect", "BINARY_ARRAY_DIFF_TYPES", TYPE_COUNT},
        {"array_remove array_position array_insert", "ARRAY_FUNCTION_DIFF_TYPES", TYPE_COUNT},
        {"array_contains array_append array_prepend", "ARRAY_FUNCTION_DIFF_TYPES", TYPE_ARRAY},
        {"concat", "DATA_DIFF_TYPES", TYPE_COUNT},
        {"map_contains_key", "MAP_FUNCTION_DIFF_TYPES", TYPE_COUNT},
        {"width_bucket", "DATA_DIFF_TYPES", TYPE_COUNT},
        {"element_at try_element_at", "MAP_FUNCTION_DIFF_TYPES", TYPE_MAP},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct function row = {.name = rows[i].names};
        bool first = rows[i].first == TYPE_COUNT || args[0]->type->id == rows[i].first;
        if (function_has_name(&row, name, strcspn(name, " ")) && first)
            return rows[i].condition;
    }
    for (int32_t i = 0; i < count && strcmp(name, "map_concat") == 0; i++)
        if (args[i]->type->id != TYPE_MAP)
            return "MAP_CONCAT_DIFF_TYPES";
    return NULL;
}

/* What is compared is all of one type, but that type has no order. */
static bool lacks_order(const struct function *function, const struct expr *const *args, int32_t count)
{
    const struct function compared = {.name = "= < <= > >= <=> <> least greatest array_max array_min sort_array"};
    if (!function_has_name(&compared, function->name, strcspn(function->name, " ")))
        return false;
    const struct type *type = args[0]->type;
    for (int32_t i = 1; i < count; i++) {
        type = type->id == TYPE_NULL ? args[i]->type : type;
        bool alike = args[i]->type->id == TYPE_NULL || type_equal(type, args[i]->type);
        if (!alike && strcmp(function->name, "sort_array") != 0)
            return false;
    }
    return !type_is_orderable(type);
}

enum code misfit_types(struct expr_context *ctx, const struct function *function, const struct fit *fit,
                       const struct expr *const *args, int32_t count, struct error *err)
{
    struct text shown = {0}, arg = {0};
    print_attempt(ctx, function, args, count, &shown);
    int32_t misfit = fit->misfit >= 0 ? fit->misfit : 0;
    expr_print(args[misfit], NULL, &arg);
    const char *first = type_sql(ctx->arena, args[0]->type), *last = type_sql(ctx->arena, args[count - 1]->type);
    const char *own = collection_condition(function->name, args, count);
    bool empty = args[0]->type->id == TYPE_MAP && args[0]->type->fields[0].type->id == TYPE_NULL &&
                 args[count - 1]->type->id == TYPE_STRING;
    enum code code;
    if (own != NULL || lacks_order(function, args, count))
        code = fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.%s] Cannot resolve \"%s\" due to data type mismatch: the types do not go "
                    "together (\"%s\" and \"%s\").",
                    own != NULL ? own : "INVALID_ORDERING_TYPE", shown.data, first, last);
    else if (strcmp(function->name, "[]") == 0)
        code = fail(err, E_SQL,
                    "[%s] Can't extract a value from \"%s\": it is a \"%s\", and what stands in the brackets a \"%s\".",
                    empty                           ? "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"
                    : type_is_nested(args[0]->type) ? "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"
                                                    : "INVALID_EXTRACT_BASE_FIELD_TYPE",
                    shown.data, first, last);
    else if (is_binary_operator(function, count))
        code = fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.%s] Cannot resolve \"%s\" due to data type "
                    "mismatch: the left and right operands of the binary operator do not go together (\"%s\" and "
                    "\"%s\").",
                    misfit_condition(ctx, function, args[0]->type, args[1]->type), shown.data, first, last);
    else if (strcmp(function->name, "in") == 0)
        code = fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.DATA_DIFF_TYPES] Cannot resolve \"%s\" due to data type mismatch: Input to IN "
                    "should all be the same type, but there are \"%s\" and \"%s\".",
                    shown.data, first, last);
    else if (fit->misfit < 0 || strcmp(fit->wanted, "ANY") == 0)
        code = fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.DATA_DIFF_TYPES] Cannot resolve \"%s\" due to data type mismatch: "
                    "the arguments have no common type: \"%s\" and \"%s\".",
                    shown.data, first, last);
    else
        code = fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve \"%s\" due to data type "
                    "mismatch: The %s parameter requires the \"%s\" type, however \"%s\" has the type \"%s\".",
                    shown.data, ordinal(misfit), fit->wanted, arg.data, type_sql(ctx->arena, args[misfit]->type));
    text_free(&shown);
    text_free(&arg);
    return code;
}

enum code misfit_refused(struct expr_context *ctx, const struct function *function, const struct refusal *refusal,
                         const struct expr *const *args, int32_t count, struct error *err)
{
    struct text shown = {0};
    print_attempt(ctx, function, args, count, &shown);
    enum code code = fail(err, E_SQL,
                          "[DATATYPE_MISMATCH.%s] Cannot resolve \"%s\" due to data type mismatch: The %s parameter is "
                          "not %s, but has the type \"%s\".",
                          refusal->condition, shown.data, ordinal(refusal->index), refusal->wanted,
                          type_sql(ctx->arena, args[refusal->index]->type));
    text_free(&shown);
    return code;
}
