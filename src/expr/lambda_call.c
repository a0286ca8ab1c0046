/* lambda_call.c - calls of functions that take functions: the types of the lambda's variables, of its body, of the result. */
#include <strings.h>

#include "expr/coerce.h"
#include "expr/lambda.h"

static const struct lambda_shape {
    const char *name;
    enum type_id of; /* what the first `collections` arguments are */
    int32_t collections;
    int32_t values, bodies_max; /* arguments in front of the lambdas; how many lambdas there may be */
    enum lambda_result {
        GIVES_ELEMENTS,
        GIVES_KEYS,
        GIVES_VALUES,
        CHOOSES, /* some of the collection: the body is a condition */
        JUDGES,  /* a BOOLEAN: the body is a condition on an element, without its index */
        SORTS,   /* the collection: the body compares two elements */
        FOLDS,   /* a sum, what it begins with is the second argument; a second body finishes it */
    } result;
} shapes[] = {
    {"transform", TYPE_ARRAY, 1, 1, 1, GIVES_ELEMENTS},
    {"zip_with", TYPE_ARRAY, 2, 2, 1, GIVES_ELEMENTS},
    {"transform_keys", TYPE_MAP, 1, 1, 1, GIVES_KEYS},
    {"transform_values", TYPE_MAP, 1, 1, 1, GIVES_VALUES},
    {"map_zip_with", TYPE_MAP, 2, 2, 1, GIVES_VALUES},
    {"filter", TYPE_ARRAY, 1, 1, 1, CHOOSES},
    {"map_filter", TYPE_MAP, 1, 1, 1, CHOOSES},
    {"exists", TYPE_ARRAY, 1, 1, 1, JUDGES},
    {"forall", TYPE_ARRAY, 1, 1, 1, JUDGES},
    {"array_sort_by", TYPE_ARRAY, 1, 1, 1, SORTS},
    {"aggregate", TYPE_ARRAY, 1, 2, 2, FOLDS},
    {"reduce", TYPE_ARRAY, 1, 2, 2, FOLDS},
};

static const struct lambda_shape *shape_of(const char *name)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (strcasecmp(shapes[i].name, name) == 0)
            return &shapes[i];
    return NULL;
}

static bool wants_condition(const struct lambda_shape *shape)
{
    return shape->result == CHOOSES || shape->result == JUDGES;
}

int32_t lambda_values(const char *name, int32_t *bodies_max)
{
    const struct lambda_shape *shape = shape_of(name);
    if (shape == NULL)
        return 0;
    *bodies_max = shape->bodies_max;
    return shape->values;
}

/* ---- variables ---- */

static enum code collections_check(struct expr_context *ctx, const struct lambda_shape *shape,
                                   const struct expr *const *args, const char *name, struct error *err)
{
    for (int32_t i = 0; i < shape->collections; i++)
        if (args[i]->type->id != shape->of)
            return fail(err, E_SQL,
                        "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] `%s` requires the \"%s\" type, however an argument "
                        "has the type \"%s\".",
                        name, shape->of == TYPE_MAP ? "MAP" : "ARRAY", type_sql(ctx->arena, args[i]->type));
    return E_OK;
}

/* Both maps get the type of key that their keys have in common. */
static enum code keys_unite(struct expr_context *ctx, const struct expr **maps, struct error *err)
{
    const struct type *a = maps[0]->type->fields[0].type, *b = maps[1]->type->fields[0].type;
    const struct type *key = type_common(ctx->arena, a, b);
    if (key == NULL)
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.MAP_ZIP_WITH_DIFF_TYPES] Input to the `map_zip_with` should have been two maps "
                    "with key type the same, but it's [\"%s\", \"%s\"].",
                    type_sql(ctx->arena, a), type_sql(ctx->arena, b));
    for (int i = 0; i < 2; i++) {
        const struct field *value = &maps[i]->type->fields[1];
        maps[i] = expr_cast_implicit(ctx, maps[i], type_map(ctx->arena, key, value->type, value->nullable));
    }
    return E_OK;
}

/* The elements of one collection, and what stands beside each: its index; of a map, the value. */
static int32_t variables_of_one(const struct lambda_shape *shape, const struct expr *const *args, int32_t body,
                                const struct type **out)
{
    const struct field *fields = args[0]->type->fields;
    bool map = shape->of == TYPE_MAP;
    if (shape->result == FOLDS) {
        out[0] = args[1]->type;
        out[1] = fields[0].type;
        return body == 0 ? 2 : 1;
    }
    out[0] = fields[0].type;
    out[1] = map ? fields[1].type : shape->result == SORTS ? fields[0].type : type_of(TYPE_INT32);
    return shape->result == JUDGES ? 1 : 2;
}

static int32_t variables_of_two(const struct lambda_shape *shape, const struct expr *const *args,
                                const struct type **out)
{
    const struct field *a = args[0]->type->fields, *b = args[1]->type->fields;
    out[0] = a[0].type;
    if (shape->of == TYPE_ARRAY) {
        out[1] = b[0].type;
        return 2;
    }
    out[1] = a[1].type;
    out[2] = b[1].type;
    return 3;
}

enum code lambda_variables(struct expr_context *ctx, const char *name, const struct expr **args, int32_t body,
                           const struct type *out[LAMBDA_VARIABLES_MAX], int32_t *count, struct error *err)
{
    const struct lambda_shape *shape = shape_of(name);
    TRY(collections_check(ctx, shape, args, name, err));
    if (shape->collections == 1) {
        *count = variables_of_one(shape, args, body, out);
        return E_OK;
    }
    if (shape->of == TYPE_MAP)
        TRY(keys_unite(ctx, args, err));
    *count = variables_of_two(shape, args, out);
    return E_OK;
}

/* ---- the body and the result ---- */

static enum code wrong_body(struct expr_context *ctx, const char *name, const struct type *wanted,
                            const struct type *type, struct error *err)
{
    return fail(err, E_SQL,
                "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] the lambda of `%s` requires the \"%s\" type, however it has "
                "the type \"%s\".",
                name, type_sql(ctx->arena, wanted), type_sql(ctx->arena, type));
}

/* The same but for the names of fields. */
static bool has_shape_of(const struct type *a, const struct type *b)
{
    if (a->id != b->id || a->precision != b->precision || a->scale != b->scale || a->field_count != b->field_count)
        return false;
    for (int32_t i = 0; i < a->field_count; i++)
        if (!has_shape_of(a->fields[i].type, b->fields[i].type))
            return false;
    return true;
}

/* A sum keeps the type that it begins with; a comparison gives an INT, a condition a BOOLEAN or NULL. */
static enum code body_cast(struct expr_context *ctx, const struct lambda_shape *shape, const char *name,
                           const struct expr *const *args, struct lambda *body, int32_t which, struct error *err)
{
    const struct type *is = body->body->type, *to = is;
    if (wants_condition(shape)) {
        to = type_of(TYPE_BOOLEAN);
        if (is->id != TYPE_BOOLEAN && is->id != TYPE_NULL)
            return wrong_body(ctx, name, to, is, err);
    } else if (shape->result == SORTS && is->id != TYPE_INT32) {
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE] The `array_sort` requires return \"INT\" type, but the "
                    "actual is \"%s\" type.",
                    type_sql(ctx->arena, is));
    } else if (shape->result == FOLDS && which == 0) {
        to = args[1]->type;
        if (!type_equal(is, to) && !has_shape_of(is, to))
            return wrong_body(ctx, name, to, is, err);
    }
    if (!type_equal(is, to))
        body->body = expr_cast_implicit(ctx, body->body, to);
    return E_OK;
}

static enum code result_type(struct expr_context *ctx, enum lambda_result result, const struct expr *const *args,
                             const struct expr *body, const struct type **out, struct error *err)
{
    const struct type *of = args[0]->type;
    switch (result) {
    case GIVES_KEYS:
        if (type_holds(body->type, TYPE_MAP) || type_holds(body->type, TYPE_VARIANT))
            return fail(err, E_SQL,
                        "[DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE] The key of a map cannot be or contain \"%s\".",
                        type_sql(ctx->arena, body->type));
        *out = type_map(ctx->arena, body->type, of->fields[1].type, of->fields[1].nullable);
        break;
    case GIVES_VALUES: *out = type_map(ctx->arena, of->fields[0].type, body->type, body->nullable); break;
    case GIVES_ELEMENTS: *out = type_array(ctx->arena, body->type, body->nullable); break;
    case CHOOSES:
    case SORTS: *out = of; break;
    case JUDGES: *out = type_of(TYPE_BOOLEAN); break;
    case FOLDS: *out = body->type; break;
    }
    return E_OK;
}

enum code expr_lambda(struct expr_context *ctx, const char *name, const struct expr *const *args, int32_t arg_count,
                      const struct lambda *bodies, int32_t body_count, struct position at, const struct expr **out,
                      struct error *err)
{
    const struct lambda_shape *shape = shape_of(name);
    struct lambda_call *call = arena_new(ctx->arena, struct lambda_call);
    call->body_count = body_count;
    call->value_count = shape->values;
    for (int32_t i = 0; i < body_count; i++) {
        call->bodies[i] = bodies[i];
        TRY(body_cast(ctx, shape, name, args, &call->bodies[i], i, err));
        TRY(program_compile(ctx->arena, &call->bodies[i].body, 1, &call->programs[i], err));
    }
    const struct type *type = NULL;
    TRY(result_type(ctx, shape->result, args, call->bodies[body_count - 1].body, &type, err));
    struct expr *expr = expr_new(ctx, EXPR_CALL, type, at);
    expr->replaced = true;
    const struct expr **own = arena_array(ctx->arena, const struct expr *, (size_t)arg_count + 1);
    memcpy(own, args, (size_t)arg_count * sizeof *own);
    expr->function = function_next(name, NULL);
    expr->bound = call;
    expr->nullable = true;
    TRY(expr_take_args(expr, own, arg_count, err));
    *out = expr;
    return E_OK;
}

int32_t lambda_value_count(const struct expr *call)
{
    const struct lambda_call *bound = call->bound;
    return bound->value_count;
}

bool lambda_calls_equal(const struct expr *a, const struct expr *b)
{
    const struct lambda_call *x = a->bound, *y = b->bound;
    if (x == y)
        return true;
    if (x->body_count != y->body_count || x->value_count != y->value_count)
        return false;
    for (int32_t i = 0; i < x->body_count; i++)
        if (x->bodies[i].variable_count != y->bodies[i].variable_count ||
            !expr_equal(x->bodies[i].body, y->bodies[i].body))
            return false;
    return true;
}
