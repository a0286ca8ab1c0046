/* aggregate_extreme.c - min and max: states that keep one value.
 *
 * Fixed    a value of fixed width lies in the state itself
 * Box      any other value lies behind a pointer (aggregate_box.h)
 */
#include "expr/aggregate_box.h"
#include "expr/coerce.h"
#include "expr/order.h"

static bool fixed_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    fixed_build(state, call->type, out);
    return true;
}

static bool box_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    box_build(state, call->type, out);
    return true;
}

static void box_save(__attribute__((unused)) const struct aggregate_call *call, const void *state, struct text *out)
{
    boxes_save(state, 1, out);
}

static enum code box_load(const struct aggregate_call *call, struct bytes *in, void *state, size_t *heap_bytes,
                          struct error *err)
{
    return boxes_load(call, 1, in, state, heap_bytes, err);
}

static void box_drop(__attribute__((unused)) const struct aggregate_call *call, void *state, size_t *heap_bytes)
{
    boxes_drop(state, 1, heap_bytes);
}

#define TAKE_SMALLER(old, new) FLOAT_LESS(new, old)
#define TAKE_LARGER(old, new) FLOAT_LESS(old, new)

/* The value is taken when nothing was seen yet, or when it is better; without a branch for the widths of registers. */
#define EXTREME_ROW(id, ctype)                                              \
    static inline void id##_##ctype(struct fixed *s, ctype value)           \
    {                                                                       \
        ctype *kept = (ctype *)(void *)&s->value;                           \
        const ctype old = *kept;                                            \
        *kept = (s->seen == SEEN_NOTHING) | TAKE(old, value) ? value : old; \
        s->seen = SEEN_VALUE;                                               \
    }
#define EXTREME_ROWS(id)          \
    EXTREME_ROW(id, int8_t)       \
    EXTREME_ROW(id, int16_t)      \
    EXTREME_ROW(id, int32_t)      \
    EXTREME_ROW(id, int64_t)      \
    EXTREME_ROW(id, state_int128) \
    EXTREME_ROW(id, float)        \
    EXTREME_ROW(id, double)
#define EXTREME_CASE(id, shape, ctype, vtype)                                                 \
    case shape: {                                                                             \
        const vtype *values = column_values(&in->args[0], vtype);                             \
        EACH_ROW(in, in->args[0].valid, id##_##ctype(STATE_AT(in, struct fixed), values[i])); \
        break;                                                                                \
    }
#define EXTREME(id, name_, help_, expected_, sign)                                                                   \
    EXTREME_ROWS(id)                                                                                                 \
    static void id##_add(const struct aggregate_rows *in)                                                            \
    {                                                                                                                \
        switch (type_shape(in->args[0].type)) {                                                                      \
            EXTREME_CASE(id, SHAPE_I8, int8_t, int8_t)                                                               \
            EXTREME_CASE(id, SHAPE_I16, int16_t, int16_t)                                                            \
            EXTREME_CASE(id, SHAPE_I32, int32_t, int32_t)                                                            \
            EXTREME_CASE(id, SHAPE_I64, int64_t, int64_t)                                                            \
            EXTREME_CASE(id, SHAPE_I128, state_int128, int128)                                                       \
            EXTREME_CASE(id, SHAPE_F32, float, float)                                                                \
            EXTREME_CASE(id, SHAPE_F64, double, double)                                                              \
        case SHAPE_BITS: {                                                                                           \
            const uint8_t *bits = in->args[0].values->data;                                                          \
            EACH_ROW(in, in->args[0].valid, id##_int8_t(STATE_AT(in, struct fixed), (int8_t)bit_get(bits, i)));      \
            break;                                                                                                   \
        }                                                                                                            \
        default: break; /* NULL has no values */                                                                     \
        }                                                                                                            \
    }                                                                                                                \
    static bool id##_merge(const struct aggregate_call *call, void *into, const void *from)                          \
    {                                                                                                                \
        struct fixed *a = into;                                                                                      \
        const struct fixed *b = from;                                                                                \
        if (b->seen == SEEN_VALUE && (a->seen != SEEN_VALUE || (sign)*fixed_compare(call->type, b, a) > 0))          \
            *a = *b;                                                                                                 \
        return true;                                                                                                 \
    }                                                                                                                \
    static void id##_box_add(const struct aggregate_rows *in)                                                        \
    {                                                                                                                \
        for (int64_t i = 0; i < in->rows; i++) {                                                                     \
            if ((in->active != NULL && !bit_get(in->active, i)) || column_is_null(&in->args[0], i))                  \
                continue;                                                                                            \
            struct box *box = STATE_AT(in, struct box);                                                              \
            if (box->data == NULL || (sign)*box_compare(box, &in->args[0], i) < 0)                                   \
                box_set(box, &in->args[0], i, in->heap_bytes);                                                       \
        }                                                                                                            \
    }                                                                                                                \
    static bool id##_box_merge(const struct aggregate_call *call, void *into, const void *from, size_t *heap_bytes)  \
    {                                                                                                                \
        struct box *a = into;                                                                                        \
        const struct box *b = from;                                                                                  \
        if (b->data != NULL && (a->data == NULL || (sign)*boxes_compare(a, b, call->type) < 0))                      \
            box_put(a, bytes_of(b->data, b->size), heap_bytes);                                                      \
        return true;                                                                                                 \
    }                                                                                                                \
    static const struct aggregate_heap id##_heap = {id##_box_merge, box_save, box_load, box_drop};                   \
    AGGREGATE(id##_box, name_, "(O) -> O", help_, NULL, NULL, .state_size = sizeof(struct box), .add = id##_box_add, \
              .finish = box_finish, .heap = &id##_heap);                                                             \
    static enum code id##_bind(struct aggregate_binding *binding, struct error *err)                                 \
    {                                                                                                                \
        return bind_box(binding, &id##_box, err);                                                                    \
    }                                                                                                                \
    AGGREGATE(id, name_, "(O) -> O", help_, "SELECT " name_ "(c) FROM VALUES (2), (1), (NULL) AS t(c)", expected_,   \
              .state_size = sizeof(struct fixed), .bind = id##_bind, .add = id##_add, .merge = id##_merge,           \
              .finish = fixed_finish)

static int fixed_compare(const struct type *type, const struct fixed *a, const struct fixed *b)
{
    const void *p = &a->value, *q = &b->value;
    switch (type_shape(type)) {
#define FIXED(shape, ctype) \
    case shape:             \
        return FLOAT_LESS(*(const ctype *)q, *(const ctype *)p) - FLOAT_LESS(*(const ctype *)p, *(const ctype *)q);
        SHAPES_INTEGER(FIXED)
        SHAPES_FLOAT(FIXED)
#undef FIXED
    case SHAPE_I128: return (a->value > b->value) - (a->value < b->value);
    case SHAPE_BITS: return *(const int8_t *)p - *(const int8_t *)q;
    default: return 0;
    }
}

/* Values that do not fit the state go into a box: another row of the same name. */
static enum code bind_box(struct aggregate_binding *binding, const struct aggregate *box, struct error *err)
{
    const struct type *type = binding->call->args[0]->type;
    if (!type_is_orderable(type))
        return fail(err, E_SQL, "[DATATYPE_MISMATCH.INVALID_ORDERING_TYPE] %s cannot order the type \"%s\"", box->name,
                    type_sql(binding->ctx->arena, type));
    if (type_is_boxed(type))
        binding->call->function = box;
    return E_OK;
}

#define TAKE TAKE_LARGER
EXTREME(agg_max, "max", "Largest value.", "2", 1);
#undef TAKE
#define TAKE TAKE_SMALLER
EXTREME(agg_min, "min", "Smallest value.", "1", -1);
#undef TAKE

const struct aggregate *const extreme_aggregates[] = {&agg_max, &agg_min, NULL};
