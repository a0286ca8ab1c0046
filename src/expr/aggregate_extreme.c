/* aggregate_extreme.c - min, max, first, last, any_value, min_by, max_by: states that keep one value.
 *
 * Fixed    a value of fixed width lies in the state itself
 * Box      any other value lies behind a pointer, as value_bytes.h has it
 */
#include "expr/aggregate.h"
#include "expr/coerce.h"
#include "expr/order.h"
#include "expr/value_bytes.h"

enum { SEEN_NOTHING, SEEN_VALUE, SEEN_NULL };
struct fixed_state {
    int64_t seen;
    state_int128 value; /* the low bytes hold a value of the column's width */
};
struct box {
    uint8_t *data; /* NULL = nothing seen */
    uint32_t size, capacity;
};

/* ---- boxes ---- */

static void box_put(struct box *box, struct bytes bytes)
{
    if (bytes.size > box->capacity) {
        box->capacity = (uint32_t)(bytes.size + 16);
        box->data = mem_resize(box->data, box->capacity);
    }
    memcpy(box->data, bytes.data, bytes.size);
    box->size = (uint32_t)bytes.size;
}

static void box_set(struct box *box, const struct column *col, int64_t row)
{
    struct text text = {0};
    value_save(col, row, false, &text);
    box_put(box, text_view(&text));
    text_free(&text);
}

static bool box_is_null(const struct box *box)
{
    return box->data == NULL || box->data[0] == 0;
}

static void box_build(const struct box *box, const struct type *type, struct builder *out)
{
    struct bytes in = bytes_of(box->data, box->size);
    if (box->data == NULL)
        builder_null(out);
    else
        always(value_load(&in, type, out));
}

/* The box's value against a row's; neither is NULL. */
static int box_compare(const struct box *box, const struct column *col, int64_t row)
{
    enum { TEXT_AT = 5 }; // flag and size come before the text
    if (type_is_varlen(col->type))
        return bytes_compare(bytes_of(box->data + TEXT_AT, box->size - TEXT_AT),
                             column_bytes_at(col, row));
    struct builder builder;
    struct column one;
    builder_init(&builder, col->type);
    box_build(box, col->type, &builder);
    builder_finish(&builder, &one);
    int order = value_compare(&one, 0, col, row);
    column_release(&one);
    builder_release(&builder);
    return order;
}

static int boxes_compare(const struct box *a, const struct box *b, const struct type *type)
{
    struct builder builder;
    struct column one;
    builder_init(&builder, type);
    box_build(b, type, &builder);
    builder_finish(&builder, &one);
    int order = box_compare(a, &one, 0);
    column_release(&one);
    builder_release(&builder);
    return order;
}

static void boxes_save(const struct box *boxes, int count, struct text *out)
{
    for (int k = 0; k < count; k++) {
        save_u32(out, boxes[k].data == NULL ? 0 : boxes[k].size);
        text_add(out, boxes[k].data, boxes[k].data == NULL ? 0 : boxes[k].size);
    }
}

static enum code boxes_load(const struct aggregate_call *call, int count, struct bytes *in,
                            struct box *boxes, struct error *err)
{
    for (int k = 0; k < count; k++) {
        uint32_t size;
        struct bytes bytes, rest;
        bool fits = load_u32(in, &size) && load_bytes(in, size, &bytes);
        rest = fits ? bytes : (struct bytes){0};
        if (!fits || (size > 0 && (!value_load(&rest, call->arg_types[k], NULL) || rest.size > 0)))
            return fail(err, E_CORRUPT, "the state of %s is not a value of its type",
                        call->function->name);
        if (size > 0)
            box_put(&boxes[k], bytes);
    }
    return E_OK;
}

static void boxes_drop(struct box *boxes, int count)
{
    for (int k = 0; k < count; k++) {
        mem_free(boxes[k].data);
        boxes[k] = (struct box){0};
    }
}

#define BOX_CALLBACKS(prefix, count)                                                     \
    static void prefix##_save(__attribute__((unused)) const struct aggregate_call *call, \
                              const void *state, struct text *out)                       \
    {                                                                                    \
        boxes_save(state, count, out);                                                   \
    }                                                                                    \
    static enum code prefix##_load(const struct aggregate_call *call, struct bytes *in,  \
                                   void *state, struct error *err)                       \
    {                                                                                    \
        return boxes_load(call, count, in, state, err);                                  \
    }                                                                                    \
    static void prefix##_drop(__attribute__((unused)) const struct aggregate_call *call, \
                              void *state)                                               \
    {                                                                                    \
        boxes_drop(state, count);                                                        \
    }
BOX_CALLBACKS(box, 1)
BOX_CALLBACKS(pair, 2)

/* ---- fixed values ---- */

static void fixed_set(struct fixed_state *state, const struct column *col, int64_t row)
{
    if (column_is_null(col, row)) {
        state->seen = SEEN_NULL;
        return;
    }
    int32_t width = type_width(col->type);
    int8_t bit = 0;
    if (width == 0)
        bit = (int8_t)bit_get(col->values->data, row);
    const void *from = width == 0 ? (const void *)&bit
                                  : (const void *)(col->values->data + (size_t)row * (size_t)width);
    memcpy(&state->value, from, width == 0 ? 1 : (size_t)width);
    state->seen = SEEN_VALUE;
}

static bool fixed_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    const struct fixed_state *s = state;
    const void *value = &s->value;
    if (s->seen != SEEN_VALUE) {
        builder_null(out);
        return true;
    }
    switch (type_shape(call->type)) {
#define INTEGER(shape, ctype) \
    case shape: builder_int(out, *(const ctype *)value); break;
        SHAPES_INTEGER(INTEGER)
#undef INTEGER
#define FLOATING(shape, ctype) \
    case shape: builder_double(out, (double)*(const ctype *)value); break;
        SHAPES_FLOAT(FLOATING)
#undef FLOATING
    case SHAPE_I128: builder_int128(out, s->value); break;
    case SHAPE_BITS: builder_boolean(out, *(const int8_t *)value != 0); break;
    default: builder_null(out);
    }
    return true;
}

static bool box_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    box_build(state, call->type, out);
    return true;
}

/* ---- min and max ---- */

#define TAKE_SMALLER(old, new) FLOAT_LESS(new, old)
#define TAKE_LARGER(old, new)  FLOAT_LESS(old, new)

/* The value is taken when nothing was seen yet, or when it is better; without a branch for the widths of registers. */
#define EXTREME_ROW(id, ctype)                                              \
    static inline void id##_##ctype(struct fixed_state *s, ctype value)     \
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
#define EXTREME_CASE(id, shape, ctype, vtype)                                \
    case shape: {                                                            \
        const vtype *values = column_values(&in->args[0], vtype);            \
        EACH_ROW(in, in->args[0].valid,                                      \
                 id##_##ctype(STATE_AT(in, struct fixed_state), values[i])); \
        break;                                                               \
    }
#define EXTREME(id, name_, help_, expected_, sign)                                              \
    EXTREME_ROWS(id)                                                                            \
    static void id##_add(const struct aggregate_rows *in)                                       \
    {                                                                                           \
        switch (type_shape(in->args[0].type)) {                                                 \
            EXTREME_CASE(id, SHAPE_I8, int8_t, int8_t)                                          \
            EXTREME_CASE(id, SHAPE_I16, int16_t, int16_t)                                       \
            EXTREME_CASE(id, SHAPE_I32, int32_t, int32_t)                                       \
            EXTREME_CASE(id, SHAPE_I64, int64_t, int64_t)                                       \
            EXTREME_CASE(id, SHAPE_I128, state_int128, int128)                                  \
            EXTREME_CASE(id, SHAPE_F32, float, float)                                           \
            EXTREME_CASE(id, SHAPE_F64, double, double)                                         \
        case SHAPE_BITS: {                                                                      \
            const uint8_t *bits = in->args[0].values->data;                                     \
            EACH_ROW(in, in->args[0].valid,                                                     \
                     id##_int8_t(STATE_AT(in, struct fixed_state), (int8_t)bit_get(bits, i)));  \
            break;                                                                              \
        }                                                                                       \
        default: break; /* NULL has no values */                                                \
        }                                                                                       \
    }                                                                                           \
    static bool id##_merge(const struct aggregate_call *call, void *into, const void *from)     \
    {                                                                                           \
        struct fixed_state *a = into;                                                           \
        const struct fixed_state *b = from;                                                     \
        if (b->seen == SEEN_VALUE &&                                                            \
            (a->seen != SEEN_VALUE || (sign)*fixed_compare(call->type, b, a) > 0))              \
            *a = *b;                                                                            \
        return true;                                                                            \
    }                                                                                           \
    static void id##_box_add(const struct aggregate_rows *in)                                   \
    {                                                                                           \
        for (int64_t i = 0; i < in->rows; i++) {                                                \
            if ((in->active != NULL && !bit_get(in->active, i)) ||                              \
                column_is_null(&in->args[0], i))                                                \
                continue;                                                                       \
            struct box *box = STATE_AT(in, struct box);                                         \
            if (box->data == NULL || (sign)*box_compare(box, &in->args[0], i) < 0)              \
                box_set(box, &in->args[0], i);                                                  \
        }                                                                                       \
    }                                                                                           \
    static bool id##_box_merge(const struct aggregate_call *call, void *into, const void *from) \
    {                                                                                           \
        struct box *a = into;                                                                   \
        const struct box *b = from;                                                             \
        if (b->data != NULL && (a->data == NULL || (sign)*boxes_compare(a, b, call->type) < 0)) \
            box_put(a, bytes_of(b->data, b->size));                                             \
        return true;                                                                            \
    }                                                                                           \
    AGGREGATE(id##_box, name_, "(O) -> O", help_, NULL, NULL, .state_size = sizeof(struct box), \
              .add = id##_box_add, .merge = id##_box_merge, .finish = box_finish,               \
              .save = box_save, .load = box_load, .drop = box_drop);                            \
    static enum code id##_bind(struct aggregate_binding *binding, struct error *err)            \
    {                                                                                           \
        return bind_box(binding, &id##_box, err);                                               \
    }                                                                                           \
    AGGREGATE(id, name_, "(O) -> O", help_,                                                     \
              "SELECT " name_ "(c) FROM VALUES (2), (1), (NULL) AS t(c)", expected_,            \
              .state_size = sizeof(struct fixed_state), .bind = id##_bind, .add = id##_add,     \
              .merge = id##_merge, .finish = fixed_finish)

static int fixed_compare(const struct type *type, const struct fixed_state *a,
                         const struct fixed_state *b)
{
    const void *p = &a->value, *q = &b->value;
    switch (type_shape(type)) {
#define FIXED(shape, ctype)                                       \
    case shape:                                                   \
        return FLOAT_LESS(*(const ctype *)q, *(const ctype *)p) - \
               FLOAT_LESS(*(const ctype *)p, *(const ctype *)q);
        SHAPES_INTEGER(FIXED)
        SHAPES_FLOAT(FIXED)
#undef FIXED
    case SHAPE_I128: return (a->value > b->value) - (a->value < b->value);
    case SHAPE_BITS: return *(const int8_t *)p - *(const int8_t *)q;
    default: return 0;
    }
}

/* Values that do not fit the state go into a box: another row of the same name. */
static enum code bind_box(struct aggregate_binding *binding, const struct aggregate *box,
                          struct error *err)
{
    const struct type *type = binding->call->args[0]->type;
    if (!type_is_orderable(type))
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.INVALID_ORDERING_TYPE] %s cannot order the type \"%s\"",
                    box->name, type_sql(binding->ctx->arena, type));
    if (type_is_varlen(type) || type_is_nested(type))
        binding->call->function = box;
    return E_OK;
}

#define TAKE TAKE_LARGER
EXTREME(agg_max, "max", "Largest value.", "2", 1);
#undef TAKE
#define TAKE TAKE_SMALLER
EXTREME(agg_min, "min", "Smallest value.", "1", -1);
#undef TAKE

/* ---- first and last: in the order the rows come ---- */

enum { FIRST = 1, LAST = 2, SKIP_NULLS = 4 };

static void fixed_pick_add(const struct aggregate_rows *in, unsigned which)
{
    const struct column *col = &in->args[0];
    for (int64_t i = 0; i < in->rows; i++) {
        struct fixed_state *state = STATE_AT(in, struct fixed_state);
        if ((in->active != NULL && !bit_get(in->active, i)) ||
            ((which & FIRST) != 0 && state->seen != SEEN_NOTHING) ||
            ((which & SKIP_NULLS) != 0 && column_is_null(col, i)))
            continue;
        fixed_set(state, col, i);
    }
}

static bool fixed_pick_merge(void *into, const void *from, unsigned which)
{
    struct fixed_state *a = into;
    const struct fixed_state *b = from;
    if (b->seen != SEEN_NOTHING && ((which & LAST) != 0 || a->seen == SEEN_NOTHING))
        *a = *b;
    return true;
}

static void box_pick_add(const struct aggregate_rows *in, unsigned which)
{
    const struct column *col = &in->args[0];
    for (int64_t i = 0; i < in->rows; i++) {
        struct box *box = STATE_AT(in, struct box);
        if ((in->active != NULL && !bit_get(in->active, i)) ||
            ((which & FIRST) != 0 && box->data != NULL) ||
            ((which & SKIP_NULLS) != 0 && column_is_null(col, i)))
            continue;
        box_set(box, col, i);
    }
}

static bool box_pick_merge(void *into, const void *from, unsigned which)
{
    struct box *a = into;
    const struct box *b = from;
    if (b->data != NULL && ((which & LAST) != 0 || a->data == NULL))
        box_put(a, bytes_of(b->data, b->size));
    return true;
}

#define PICK_ROWS(id, name_, which)                                                          \
    static void id##_fixed_add(const struct aggregate_rows *in)                              \
    {                                                                                        \
        fixed_pick_add(in, which);                                                           \
    }                                                                                        \
    static bool id##_fixed_merge(__attribute__((unused)) const struct aggregate_call *call,  \
                                 void *into, const void *from)                               \
    {                                                                                        \
        return fixed_pick_merge(into, from, which);                                          \
    }                                                                                        \
    static void id##_box_add(const struct aggregate_rows *in)                                \
    {                                                                                        \
        box_pick_add(in, which);                                                             \
    }                                                                                        \
    static bool id##_box_merge(__attribute__((unused)) const struct aggregate_call *call,    \
                               void *into, const void *from)                                 \
    {                                                                                        \
        return box_pick_merge(into, from, which);                                            \
    }                                                                                        \
    AGGREGATE(id##_fixed, name_, "(T) -> T", "", NULL, NULL,                                 \
              .state_size = sizeof(struct fixed_state), .add = id##_fixed_add,               \
              .merge = id##_fixed_merge, .finish = fixed_finish);                            \
    AGGREGATE(id##_box, name_, "(T) -> T", "", NULL, NULL, .state_size = sizeof(struct box), \
              .add = id##_box_add, .merge = id##_box_merge, .finish = box_finish,            \
              .save = box_save, .load = box_load, .drop = box_drop)

PICK_ROWS(agg_first_any, "first", FIRST);
PICK_ROWS(agg_first_known, "first", FIRST | SKIP_NULLS);
PICK_ROWS(agg_last_any, "last", LAST);
PICK_ROWS(agg_last_known, "last", LAST | SKIP_NULLS);

/* The second argument says whether to skip NULLs; it is needed only here. */
static enum code bind_pick(struct aggregate_binding *binding, const struct aggregate *const rows[4],
                           struct error *err)
{
    struct aggregate_call *call = binding->call;
    const struct type *type = call->args[0]->type;
    bool skip = false;
    if (call->arg_count == 2) {
        const struct expr *literal;
        TRY(expr_fold(binding->ctx, call->args[1], &literal, err));
        skip = !literal_is_null(literal) && literal_int(literal) != 0;
        call->arg_count = 1;
    }
    call->function = rows[(skip ? 2 : 0) + (type_is_varlen(type) || type_is_nested(type))];
    return E_OK;
}

static enum code bind_first(struct aggregate_binding *binding, struct error *err)
{
    static const struct aggregate *const rows[] = {&agg_first_any_fixed, &agg_first_any_box,
                                                   &agg_first_known_fixed, &agg_first_known_box};
    return bind_pick(binding, rows, err);
}
static enum code bind_last(struct aggregate_binding *binding, struct error *err)
{
    static const struct aggregate *const rows[] = {&agg_last_any_fixed, &agg_last_any_box,
                                                   &agg_last_known_fixed, &agg_last_known_box};
    return bind_pick(binding, rows, err);
}

AGGREGATE(agg_first, "first first_value any_value", "(T, boolean?) -> T",
          "Value of the first row; with true as second argument the first that is not NULL.",
          "SELECT first(c, true) FROM VALUES (NULL), (1), (2) AS t(c)", "1", .bind = bind_first);
AGGREGATE(agg_last, "last last_value", "(T, boolean?) -> T",
          "Value of the last row; with true as second argument the last that is not NULL.",
          "SELECT last(c) FROM VALUES (1), (2) AS t(c)", "2", .bind = bind_last);

/* ---- max_by and min_by: boxes of the value and of what it is ordered by ---- */

static void by_add(const struct aggregate_rows *in, int sign)
{
    for (int64_t i = 0; i < in->rows; i++) {
        if ((in->active != NULL && !bit_get(in->active, i)) || column_is_null(&in->args[1], i))
            continue;
        struct box *boxes = STATE_AT(in, struct box);
        if (!box_is_null(&boxes[1]) && sign * box_compare(&boxes[1], &in->args[1], i) > 0)
            continue; // of equals the later one wins, as in Spark
        box_set(&boxes[0], &in->args[0], i);
        box_set(&boxes[1], &in->args[1], i);
    }
}

static bool by_merge(const struct aggregate_call *call, void *into, const void *from, int sign)
{
    struct box *a = into;
    const struct box *b = from;
    if (b[1].data == NULL ||
        (a[1].data != NULL && sign * boxes_compare(&a[1], &b[1], call->arg_types[1]) > 0))
        return true;
    box_put(&a[0], bytes_of(b[0].data, b[0].size));
    box_put(&a[1], bytes_of(b[1].data, b[1].size));
    return true;
}

#define BY(id, name_, help_, expected_, sign)                                                \
    static void id##_add(const struct aggregate_rows *in)                                    \
    {                                                                                        \
        by_add(in, sign);                                                                    \
    }                                                                                        \
    static bool id##_merge(const struct aggregate_call *call, void *into, const void *from)  \
    {                                                                                        \
        return by_merge(call, into, from, sign);                                             \
    }                                                                                        \
    AGGREGATE(id, name_, "(T, O) -> T", help_,                                               \
              "SELECT " name_ "(x, y) FROM VALUES ('a', 1), ('b', 2) AS t(x, y)", expected_, \
              .state_size = 2 * sizeof(struct box), .add = id##_add, .merge = id##_merge,    \
              .finish = box_finish, .save = pair_save, .load = pair_load, .drop = pair_drop)
BY(agg_max_by, "max_by", "The first argument where the second is largest.", "b", 1);
BY(agg_min_by, "min_by", "The first argument where the second is smallest.", "a", -1);

const struct aggregate *const extreme_aggregates[] = {
    &agg_max, &agg_min, &agg_first, &agg_last, &agg_max_by, &agg_min_by, NULL,
};
