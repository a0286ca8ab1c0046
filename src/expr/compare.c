/* compare.c - = <> < <= > >= <=> BETWEEN IN, greatest and least. Everything is made of three kernels: equal, less, and
 * less or equal; the others swap arguments or turn bits. */
#include <stdlib.h>

#include "base/hash.h"
#include "expr/coerce.h"
#include "expr/loop.h"
#include "expr/order.h"
#include "expr/writer.h"

/* ---- the three kernels ---- */

/* Truth over anything that has no fixed width, row by row. */
#define TRUTH_ROWS(condition) TRUTH_LOOP(out->values->data, call->rows, (void)0, condition)
#define ROW_ORDER value_compare(args[0].col, i *args[0].step, args[1].col, i *args[1].step)

/* Text against a constant of at most 8 bytes: both as one masked word. Columns may be read 64 bytes past their end. */
static void equal_short(struct call *call, const struct arg *text, struct bytes constant, struct column *out)
{
    uint64_t mask = constant.size == 8 ? ~(uint64_t)0 : ((uint64_t)1 << (8 * constant.size)) - 1, want = 0;
    if (constant.size > 0)
        memcpy(&want, constant.data, constant.size);
    const int32_t *offsets = column_offsets(text->col);
    const uint8_t *data = text->col->values->data;
    const int32_t size = (int32_t)constant.size;
    TRUTH_LOOP(out->values->data, call->rows, uint64_t have;
               memcpy(&have, data + offsets[i], 8), (offsets[i + 1] - offsets[i] == size) & ((have & mask) == want));
}

static void equal_bytes(struct call *call, const struct arg *args, struct column *out)
{
    if (args[0].step != 0 && args[1].step == 0 && arg_bytes(&args[1], 0).size <= 8)
        equal_short(call, &args[0], arg_bytes(&args[1], 0), out);
    else if (args[1].step != 0 && args[0].step == 0 && arg_bytes(&args[0], 0).size <= 8)
        equal_short(call, &args[1], arg_bytes(&args[0], 0), out);
    else
        TRUTH_ROWS(bytes_equal(arg_bytes(&args[0], i), arg_bytes(&args[1], i)));
}

static void equal_run(struct call *call, const struct arg *args, struct column *out)
{
    switch (type_shape(args[0].col->type)) {
#define INTEGER(shape, ctype) \
    case shape: TRUTH2(ctype, ctype, x == y); break;
        SHAPES_INTEGER(INTEGER)
        INTEGER(SHAPE_I128, int128)
#undef INTEGER
#define FLOATING(shape, ctype) \
    case shape: TRUTH2(ctype, ctype, FLOAT_EQUAL(x, y)); break;
        SHAPES_FLOAT(FLOATING)
#undef FLOATING
    case SHAPE_BYTES: equal_bytes(call, args, out); break;
    default: TRUTH_ROWS(ROW_ORDER == 0);
    }
}

#define ORDER_KERNEL(name, op, float_order)                                         \
    static void name(struct call *call, const struct arg *args, struct column *out) \
    {                                                                               \
        switch (type_shape(args[0].col->type)) {                                    \
        case SHAPE_I8: TRUTH2(int8_t, int8_t, x op y); break;                       \
        case SHAPE_I16: TRUTH2(int16_t, int16_t, x op y); break;                    \
        case SHAPE_I32: TRUTH2(int32_t, int32_t, x op y); break;                    \
        case SHAPE_I64: TRUTH2(int64_t, int64_t, x op y); break;                    \
        case SHAPE_I128: TRUTH2(int128, int128, x op y); break;                     \
        case SHAPE_F32: TRUTH2(float, float, float_order(x, y)); break;             \
        case SHAPE_F64: TRUTH2(double, double, float_order(x, y)); break;           \
        default: TRUTH_ROWS(ROW_ORDER op 0);                                        \
        }                                                                           \
    }
ORDER_KERNEL(less_run, <, FLOAT_LESS)
ORDER_KERNEL(less_equal_run, <=, FLOAT_LESS_EQUAL)

static void turn_bits(struct column *out, int64_t rows)
{
    uint64_t *words = column_values(out, uint64_t);
    for (int64_t i = 0; i * 64 < rows; i++)
        words[i] = ~words[i];
}

/* ---- operators ---- */

static enum code bind_ordered(struct binding *binding, struct error *err)
{
    const struct type *type = binding->args[0]->type;
    if (!type_is_orderable(type))
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.INVALID_ORDERING_TYPE] Cannot resolve \"%s\" due to data type "
                    "mismatch: the type \"%s\" cannot be compared.",
                    binding->function->name, type_sql(binding->ctx->arena, type));
    return E_OK;
}

#define OPERATOR(id, name_, help_, example_, expected_) \
    SCALAR(id, name_, "(T, T) -> boolean", help_, example_, expected_, .bind = bind_ordered, .flags = FN_OPERATOR)

OPERATOR(fn_equal, "= ==", "Equal.", "'1' = 1", "true") { equal_run(call, args, out); }

OPERATOR(fn_not_equal, "<> !=", "Not equal.", "1 <> 2", "true")
{
    equal_run(call, args, out);
    turn_bits(out, call->rows);
}

OPERATOR(fn_less, "<", "Less.", "1 < 2", "true") { less_run(call, args, out); }

OPERATOR(fn_less_equal, "<=", "Less or equal.", "2 <= 2", "true") { less_equal_run(call, args, out); }

OPERATOR(fn_greater, ">", "Greater.", "2 > 1", "true") { less_run(call, (const struct arg[]){args[1], args[0]}, out); }

OPERATOR(fn_greater_equal, ">=", "Greater or equal.", "2 >= 3", "false")
{
    less_equal_run(call, (const struct arg[]){args[1], args[0]}, out);
}

SCALAR(fn_null_safe_equal, "<=> equal_null", "(T, T) -> boolean", "Equal, where NULL equals NULL.", "NULL <=> NULL",
       "true", .bind = bind_ordered, .flags = FN_NULLS | FN_NEVER_NULL | FN_OPERATOR)
{
    if (args[0].col->type->id == TYPE_NULL) {
        bit_fill(out->values->data, call->rows, 1);
        return;
    }
    equal_run(call, args, out);
    for (int64_t i = 0; i < call->rows; i++) {
        bool a = arg_valid(&args[0], i), b = arg_valid(&args[1], i);
        if (!a || !b)
            bit_put(out->values->data, i, a == b);
    }
}

static enum code bind_between(struct binding *binding, struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    const struct expr **args = binding->args, *both[2];
    const struct expr *low[] = {args[0], args[1]}, *high[] = {args[0], args[2]};
    TRY(expr_call(ctx, ">=", low, 2, binding->at, &both[0], err));
    TRY(expr_call(ctx, "<=", high, 2, binding->at, &both[1], err));
    return expr_call(ctx, "and", both, 2, binding->at, &binding->rewritten, err);
}
SCALAR_SAME(fn_between, "between", "(any, any, any) -> boolean", "Not below the second and not above the third.",
            "2 BETWEEN 1 AND 3", "true", .bind = bind_between, .flags = FN_OPERATOR);

/* ---- IN ---- */

enum { IN_LINEAR_MAX = 8 }; // up to here comparing with each item is faster than a search

static int int64_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t integer_at(const struct arg *arg, int64_t row)
{
    switch (type_width(arg->col->type)) {
    case 1: return arg_values(arg, int8_t)[row * arg->step];
    case 2: return arg_values(arg, int16_t)[row * arg->step];
    case 4: return arg_values(arg, int32_t)[row * arg->step];
    default: return arg_values(arg, int64_t)[row * arg->step];
    }
}

/* The items are constants without NULLs among items[0, count). */
static void in_integers(struct call *call, const struct arg *args, int32_t count, struct column *out)
{
    struct buffer *buffer = call_buffer(call, (size_t)count * sizeof(int64_t));
    int64_t *items = (int64_t *)(void *)buffer->data;
    size_t used = 0;
    for (int32_t k = 1; k <= count; k++)
        if (arg_valid(&args[k], 0))
            items[used++] = integer_at(&args[k], 0);
    qsort(items, used, sizeof *items, int64_compare);
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t value = integer_at(&args[0], i);
        bit_put(out->values->data, i, bsearch(&value, items, used, sizeof value, int64_compare) != NULL);
    }
    call_free(call, buffer);
}

static int item_compare(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

static void in_texts(struct call *call, const struct arg *args, int32_t count, struct column *out)
{
    struct buffer *buffer = call_buffer(call, (size_t)count * sizeof(struct bytes));
    struct bytes *items = (struct bytes *)(void *)buffer->data;
    size_t used = 0;
    for (int32_t k = 1; k <= count; k++)
        if (arg_valid(&args[k], 0))
            items[used++] = arg_bytes(&args[k], 0);
    qsort(items, used, sizeof *items, item_compare);
    for (int64_t i = 0; i < call->rows; i++) {
        struct bytes value = arg_bytes(&args[0], i);
        bit_put(out->values->data, i, bsearch(&value, items, used, sizeof value, item_compare) != NULL);
    }
    call_free(call, buffer);
}

static void in_each(struct call *call, const struct arg *args, int32_t count, struct column *out)
{
    struct column one = *out;
    one.values = call_buffer(call, bit_bytes(call->rows));
    bit_fill(out->values->data, call->rows, 0);
    for (int32_t k = 1; k <= count; k++) {
        struct arg pair[] = {args[0], args[k]};
        equal_run(call, pair, &one);
        for (int64_t i = 0; i < call->rows; i += 8) {
            uint8_t bits = one.values->data[i / 8];
            if (args[k].step == 0 && !arg_valid(&args[k], 0))
                bits = 0;
            else if (args[k].step != 0 && args[k].col->valid != NULL)
                bits &= args[k].col->valid->data[i / 8];
            out->values->data[i / 8] |= bits;
        }
    }
    call_free(call, one.values);
}

/* No match is NULL where the value or some item is NULL. */
static void in_nulls(struct call *call, const struct arg *args, int32_t count, struct column *out)
{
    bool any = false;
    for (int32_t k = 0; k <= count; k++)
        any = any || args[k].col->valid != NULL;
    for (int64_t i = 0; any && i < call->rows; i++) {
        bool known = arg_valid(&args[0], i);
        if (known && !bit_get(out->values->data, i))
            for (int32_t k = 1; known && k <= count; k++)
                known = arg_valid(&args[k], i);
        if (!known)
            call_null(call, i);
    }
}

static enum code bind_in(struct binding *binding, struct error *err)
{
    binding->nullable = false;
    for (int32_t i = 0; i < binding->count; i++)
        binding->nullable = binding->nullable || binding->args[i]->nullable;
    return bind_ordered(binding, err);
}

SCALAR(fn_in, "in", "(T, T...) -> boolean", "Equal to one of the others.", "2 IN (1, 2, 3)", "true", .bind = bind_in,
       .flags = FN_NULLS | FN_OPERATOR)
{
    int32_t count = call->arg_count - 1;
    enum shape shape = type_shape(args[0].col->type);
    bool constant = true;
    for (int32_t k = 1; k <= count; k++)
        constant = constant && args[k].step == 0;
    if (args[0].col->type->id == TYPE_NULL)
        bit_fill(out->values->data, call->rows, 0);
    else if (constant && count > IN_LINEAR_MAX && shape >= SHAPE_I8 && shape <= SHAPE_I64)
        in_integers(call, args, count, out);
    else if (constant && count > IN_LINEAR_MAX && shape == SHAPE_BYTES)
        in_texts(call, args, count, out);
    else
        in_each(call, args, count, out);
    in_nulls(call, args, count, out);
}

/* ---- greatest and least ---- */

static void pick_extreme(struct call *call, const struct arg *args, struct column *out, int sign)
{
    struct buffer *buffer = call_buffer(call, (size_t)call->rows * sizeof(uint16_t));
    uint16_t *pick = (uint16_t *)(void *)buffer->data;
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t best = 0;
        for (int32_t k = 1; k < call->arg_count; k++) {
            if (!arg_valid(&args[k], i))
                continue;
            if (!arg_valid(&args[best], i) ||
                sign * value_compare(args[k].col, i * args[k].step, args[best].col, i * args[best].step) > 0)
                best = k;
        }
        pick[i] = (uint16_t)best;
    }
    select_run(call, args, call->arg_count, pick, out);
    call_free(call, buffer);
}

static enum code bind_extreme(struct binding *binding, struct error *err)
{
    binding->nullable = true;
    for (int32_t i = 0; i < binding->count; i++)
        binding->nullable = binding->nullable && binding->args[i]->nullable;
    return bind_ordered(binding, err);
}

SCALAR(fn_greatest, "greatest", "(O, O, O...) -> O", "The largest argument; NULLs are skipped.",
       "greatest(1, 2.5, NULL)", "2.5", .bind = bind_extreme, .flags = FN_NULLS)
{
    pick_extreme(call, args, out, 1);
}

SCALAR(fn_least, "least", "(O, O, O...) -> O", "The smallest argument; NULLs are skipped.", "least(2, 1, NULL)", "1",
       .bind = bind_extreme, .flags = FN_NULLS)
{
    pick_extreme(call, args, out, -1);
}

const struct function *const compare_functions[] = {
    &fn_equal,           &fn_not_equal, &fn_less, &fn_less_equal, &fn_greater, &fn_greater_equal,
    &fn_null_safe_equal, &fn_between,   &fn_in,   &fn_greatest,   &fn_least,   NULL,
};
