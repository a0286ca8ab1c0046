/* aggregate_sum.c - count, sum, avg, and the truth aggregates: states of a sum and a count. */
#include "expr/aggregate.h"
#include "expr/coerce.h"

struct count_state {
    int64_t count;
};
/* Sums are held in 128 bits, so that whether a result fits depends on the group alone, not on the order of rows, lanes
 * and epochs in which it was added up; the result's type is checked once, at the end. */
struct whole_state { /* sum of integers and intervals: 2^63 rows would be needed to leave 128 bits */
    state_int128 sum;
    int64_t count;
};
struct float_state {
    double sum;
    int64_t count;
};
enum { OVERFLOWN = -1 }; /* as count: wide DECIMALs left 128 bits; it stays */
struct decimal_state {
    state_int128 sum;
    int64_t count;
};

/* ---- count ---- */

static void count_add(const struct aggregate_rows *in)
{
    if (in->call->arg_count <= 1) {
        const struct buffer *valid = in->call->arg_count == 1 ? in->args[0].valid : NULL;
        if (in->call->arg_count == 1 && in->args[0].type->id == TYPE_NULL)
            return;
        EACH_ROW(in, valid, STATE_AT(in, struct count_state)->count++);
        return;
    }
    for (int64_t i = 0; i < in->rows; i++) {
        bool counts = in->active == NULL || bit_get(in->active, i);
        for (int32_t k = 0; k < in->call->arg_count; k++)
            counts = counts && !column_is_null(&in->args[k], i);
        STATE_AT(in, struct count_state)->count += counts;
    }
}

static bool count_merge(__attribute__((unused)) const struct aggregate_call *call, void *into, const void *from)
{
    ((struct count_state *)into)->count += ((const struct count_state *)from)->count;
    return true;
}

static bool count_finish(__attribute__((unused)) const struct aggregate_call *call, const void *state,
                         struct builder *out)
{
    builder_int(out, ((const struct count_state *)state)->count);
    return true;
}

AGGREGATE(agg_count, "count", "(any...) -> bigint", "Rows in which no argument is NULL; count(*) counts all rows.",
          "SELECT count(*) FROM VALUES (1), (NULL)", "2", .state_size = sizeof(struct count_state), .add = count_add,
          .merge = count_merge, .finish = count_finish);

static void count_if_add(const struct aggregate_rows *in)
{
    const uint8_t *bits = in->args[0].values->data;
    EACH_ROW(in, in->args[0].valid, STATE_AT(in, struct count_state)->count += bit_get(bits, i));
}

AGGREGATE(agg_count_if, "count_if", "(boolean) -> bigint", "Rows where the argument is true.",
          "SELECT count_if(c > 1) FROM VALUES (1), (2) AS t(c)", "1", .state_size = sizeof(struct count_state),
          .add = count_if_add, .merge = count_merge, .finish = count_finish);

/* ---- sum of whole numbers ---- */

static inline void whole_row(struct whole_state *state, int64_t value)
{
    state->sum += value;
    state->count++;
}

static void whole_add(const struct aggregate_rows *in)
{
    switch (type_shape(in->args[0].type)) {
#define INTEGER(shape, ctype)                                                                    \
    case shape: {                                                                                \
        const ctype *values = column_values(&in->args[0], ctype);                                \
        EACH_ROW(in, in->args[0].valid, whole_row(STATE_AT(in, struct whole_state), values[i])); \
        break;                                                                                   \
    }
        SHAPES_INTEGER(INTEGER)
#undef INTEGER
    default: never("an integer");
    }
}

static bool whole_merge(__attribute__((unused)) const struct aggregate_call *call, void *into, const void *from)
{
    struct whole_state *a = into;
    const struct whole_state *b = from;
    a->sum += b->sum;
    a->count += b->count;
    return true;
}

static bool whole_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    const struct whole_state *s = state;
    bool fits = s->sum == (call->type->id == TYPE_INTERVAL_YM ? (int32_t)s->sum : (int64_t)s->sum);
    if (s->count == 0 || !fits)
        builder_null(out);
    else
        builder_int(out, (int64_t)s->sum);
    return fits;
}

AGGREGATE(agg_sum_whole, "sum", "(I) -> bigint | (Y) -> Y", "Sum; NULL when there is nothing to add.",
          "SELECT sum(c) FROM VALUES (1), (2), (NULL) AS t(c)", "3", .state_size = sizeof(struct whole_state),
          .add = whole_add, .merge = whole_merge, .finish = whole_finish);

/* ---- sum and average of floating numbers; integers are averaged as DOUBLE too ---- */

static inline void float_row(struct float_state *state, double value)
{
    state->sum += value;
    state->count++;
}

static void float_add(const struct aggregate_rows *in)
{
    switch (type_shape(in->args[0].type)) {
#define NUMBER(shape, ctype)                                                                             \
    case shape: {                                                                                        \
        const ctype *values = column_values(&in->args[0], ctype);                                        \
        EACH_ROW(in, in->args[0].valid, float_row(STATE_AT(in, struct float_state), (double)values[i])); \
        break;                                                                                           \
    }
        SHAPES_INTEGER(NUMBER)
        SHAPES_FLOAT(NUMBER)
#undef NUMBER
    default: never("a number");
    }
}

static bool float_merge(__attribute__((unused)) const struct aggregate_call *call, void *into, const void *from)
{
    struct float_state *a = into;
    const struct float_state *b = from;
    a->sum += b->sum;
    a->count += b->count;
    return true;
}

static bool float_finish(__attribute__((unused)) const struct aggregate_call *call, const void *state,
                         struct builder *out)
{
    const struct float_state *s = state;
    if (s->count == 0)
        builder_null(out);
    else
        builder_double(out, s->sum);
    return true;
}

static bool mean_finish(__attribute__((unused)) const struct aggregate_call *call, const void *state,
                        struct builder *out)
{
    const struct float_state *s = state;
    if (s->count == 0)
        builder_null(out);
    else
        builder_double(out, s->sum / (double)s->count);
    return true;
}

AGGREGATE(agg_sum_float, "sum", "(double) -> double | (float) -> double", "Sum of floating numbers.",
          "SELECT sum(c) FROM VALUES (1.5D), (2D) AS t(c)", "3.5", .state_size = sizeof(struct float_state),
          .add = float_add, .merge = float_merge, .finish = float_finish);
AGGREGATE(agg_avg, "avg mean", "(N) -> double", "Mean; NULL when there are no values.",
          "SELECT avg(c) FROM VALUES (1), (2) AS t(c)", "1.5", .state_size = sizeof(struct float_state),
          .add = float_add, .merge = float_merge, .finish = mean_finish);

/* ---- decimals ---- */

/* Sums have 38 digits on the way to the last row, too, as Spark's have. */
static inline bool decimal_sum(int128 a, int128 b, int128 *sum)
{
    const int128 end = (int128)10000000000000000000u * 10000000000000000000u;
    return !__builtin_add_overflow(a, b, sum) && -end < *sum && *sum < end;
}

static inline void decimal_row(struct decimal_state *state, int128 value)
{
    int128 sum;
    bool over = state->count == OVERFLOWN || !decimal_sum((int128)state->sum, value, &sum);
    state->sum = over ? 0 : sum;
    state->count = over ? OVERFLOWN : state->count + 1;
}

/* 18 digits a row: 2^63 rows would be needed to leave 128 bits. */
static inline void decimal_row_narrow(struct decimal_state *state, int64_t value)
{
    state->sum += value;
    state->count++;
}

static void decimal_add(const struct aggregate_rows *in)
{
    const struct column *col = &in->args[0];
    if (type_is_wide_decimal(col->type)) {
        const int128 *values = column_values(col, int128);
        EACH_ROW(in, col->valid, decimal_row(STATE_AT(in, struct decimal_state), values[i]));
    } else {
        const int64_t *values = column_values(col, int64_t);
        EACH_ROW(in, col->valid, decimal_row_narrow(STATE_AT(in, struct decimal_state), values[i]));
    }
}

static bool decimal_merge(__attribute__((unused)) const struct aggregate_call *call, void *into, const void *from)
{
    struct decimal_state *a = into;
    const struct decimal_state *b = from;
    int128 sum;
    bool over = a->count == OVERFLOWN || b->count == OVERFLOWN || !decimal_sum((int128)a->sum, (int128)b->sum, &sum);
    a->sum = over ? 0 : sum;
    a->count = over ? OVERFLOWN : a->count + b->count;
    return true;
}

static bool decimal_put(const struct type *type, int128 value, bool fits, bool null, struct builder *out)
{
    fits = fits && decimal_fits(value, type->precision);
    if (null || !fits)
        builder_null(out);
    else
        builder_int128(out, value);
    return null || fits;
}

static bool decimal_sum_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    const struct decimal_state *s = state;
    return decimal_put(call->type, s->sum, s->count != OVERFLOWN, s->count == 0, out);
}

static bool decimal_holds(const void *state) { return ((const struct decimal_state *)state)->count != OVERFLOWN; }

static bool decimal_mean_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    const struct decimal_state *s = state;
    int128 mean = 0;
    bool fits =
        s->count == 0 || (s->count != OVERFLOWN && decimal_divide(s->sum, call->arg_types[0]->scale, s->count, 0,
                                                                  call->type->precision, call->type->scale, &mean));
    return decimal_put(call->type, mean, fits, s->count == 0, out);
}

static enum code bind_decimal(struct aggregate_binding *binding, int more_digits, int more_scale)
{
    const struct type *of = binding->call->args[0]->type;
    int precision = of->precision + more_digits, scale = of->scale + more_scale;
    binding->type = type_decimal(binding->ctx->arena, precision < 38 ? precision : 38, scale < 38 ? scale : 38);
    return E_OK;
}
static enum code bind_decimal_sum(struct aggregate_binding *binding, __attribute__((unused)) struct error *err)
{
    return bind_decimal(binding, 10, 0);
}
static enum code bind_decimal_mean(struct aggregate_binding *binding, __attribute__((unused)) struct error *err)
{
    return bind_decimal(binding, 4, 4);
}

AGGREGATE(agg_sum_decimal, "sum", "(D) -> D", "Sum of DECIMALs, with ten digits more.",
          "SELECT sum(c) FROM VALUES (1.10), (2.25) AS t(c)", "3.35", .state_size = sizeof(struct decimal_state),
          .bind = bind_decimal_sum, .add = decimal_add, .merge = decimal_merge, .finish = decimal_sum_finish);
AGGREGATE(agg_avg_decimal, "avg mean", "(D) -> D", "Mean of DECIMALs, with four fraction digits more.",
          "SELECT avg(c) FROM VALUES (1.10), (2.25) AS t(c)", "1.675000", .state_size = sizeof(struct decimal_state),
          .bind = bind_decimal_mean, .add = decimal_add, .merge = decimal_merge, .finish = decimal_mean_finish,
          .holds = decimal_holds);

/* ---- average of intervals ---- */

static bool interval_mean_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    const struct whole_state *s = state;
    int128 mean = 0;
    bool months = call->type->id == TYPE_INTERVAL_YM;
    bool fits =
        s->count == 0 || (s->sum == (months ? (int32_t)s->sum : (int64_t)s->sum) && // the sum must be an interval, too
                          decimal_divide(s->sum, 0, s->count, 0, 38, 0, &mean) && mean == (int64_t)mean);
    if (s->count == 0 || !fits)
        builder_null(out);
    else
        builder_int(out, (int64_t)mean);
    return fits;
}
AGGREGATE(agg_avg_interval, "avg mean", "(interval_dt) -> interval_dt | (interval_ym) -> interval_ym",
          "Mean of intervals, rounded half up.",
          "SELECT avg(c) FROM VALUES (INTERVAL '1' DAY), (INTERVAL '2' DAY) AS t(c)",
          "INTERVAL '1 12:00:00' DAY TO SECOND", .state_size = sizeof(struct whole_state), .add = whole_add,
          .merge = whole_merge, .finish = interval_mean_finish);

/* ---- try_sum and try_avg: what does not fit is NULL, and nobody is told ---- */

#define QUIET(id, of)                                                                         \
    static bool id(const struct aggregate_call *call, const void *state, struct builder *out) \
    {                                                                                         \
        of(call, state, out);                                                                 \
        return true;                                                                          \
    }
QUIET(try_whole_finish, whole_finish)
QUIET(try_decimal_sum_finish, decimal_sum_finish)
QUIET(try_decimal_mean_finish, decimal_mean_finish)
QUIET(try_interval_mean_finish, interval_mean_finish)

AGGREGATE(agg_try_sum_whole, "try_sum", "(I) -> bigint | (Y) -> Y", "Sum; NULL when it overflows.",
          "SELECT try_sum(c) FROM VALUES (1), (2) AS t(c)", "3", .state_size = sizeof(struct whole_state),
          .add = whole_add, .merge = whole_merge, .finish = try_whole_finish);
AGGREGATE(agg_try_sum_float, "try_sum", "(double) -> double | (float) -> double", "Sum of floating numbers.",
          "SELECT try_sum(c) FROM VALUES (1.5D), (2D) AS t(c)", "3.5", .state_size = sizeof(struct float_state),
          .add = float_add, .merge = float_merge, .finish = float_finish);
AGGREGATE(agg_try_sum_decimal, "try_sum", "(D) -> D", "Sum of DECIMALs; NULL when it overflows.",
          "SELECT try_sum(c) FROM VALUES (1.10), (2.25) AS t(c)", "3.35", .state_size = sizeof(struct decimal_state),
          .bind = bind_decimal_sum, .add = decimal_add, .merge = decimal_merge, .finish = try_decimal_sum_finish);
AGGREGATE(agg_try_avg, "try_avg", "(N) -> double", "Mean; NULL when there are no values.",
          "SELECT try_avg(c) FROM VALUES (1), (2) AS t(c)", "1.5", .state_size = sizeof(struct float_state),
          .add = float_add, .merge = float_merge, .finish = mean_finish);
AGGREGATE(agg_try_avg_decimal, "try_avg", "(D) -> D", "Mean of DECIMALs; NULL when it overflows.",
          "SELECT try_avg(c) FROM VALUES (1.10), (2.25) AS t(c)", "1.675000",
          .state_size = sizeof(struct decimal_state), .bind = bind_decimal_mean, .add = decimal_add,
          .merge = decimal_merge, .finish = try_decimal_mean_finish);
AGGREGATE(agg_try_avg_interval, "try_avg", "(interval_dt) -> interval_dt | (interval_ym) -> interval_ym",
          "Mean of intervals, rounded half up; NULL when it overflows.",
          "SELECT try_avg(c) FROM VALUES (INTERVAL '1' DAY), (INTERVAL '2' DAY) AS t(c)",
          "INTERVAL '1 12:00:00' DAY TO SECOND", .state_size = sizeof(struct whole_state), .add = whole_add,
          .merge = whole_merge, .finish = try_interval_mean_finish);

/* ---- truth: how many rows were true, and how many counted ---- */

static inline void truth_row(struct whole_state *state, int bit)
{
    state->sum += bit;
    state->count++;
}

static void truth_add(const struct aggregate_rows *in)
{
    const uint8_t *bits = in->args[0].values->data;
    EACH_ROW(in, in->args[0].valid, truth_row(STATE_AT(in, struct whole_state), bit_get(bits, i)));
}

static bool truth_finish(const struct whole_state *state, bool value, struct builder *out)
{
    if (state->count == 0)
        builder_null(out);
    else
        builder_boolean(out, value);
    return true;
}
static bool all_finish(__attribute__((unused)) const struct aggregate_call *call, const void *state,
                       struct builder *out)
{
    const struct whole_state *s = state;
    return truth_finish(s, s->sum == s->count, out);
}
static bool any_finish(__attribute__((unused)) const struct aggregate_call *call, const void *state,
                       struct builder *out)
{
    const struct whole_state *s = state;
    return truth_finish(s, s->sum > 0, out);
}

AGGREGATE(agg_bool_and, "bool_and every", "(boolean) -> boolean", "Whether all values are true.",
          "SELECT every(c) FROM VALUES (true), (false) AS t(c)", "false", .state_size = sizeof(struct whole_state),
          .add = truth_add, .merge = whole_merge, .finish = all_finish);
AGGREGATE(agg_bool_or, "bool_or some any", "(boolean) -> boolean", "Whether some value is true.",
          "SELECT some(c) FROM VALUES (true), (false) AS t(c)", "true", .state_size = sizeof(struct whole_state),
          .add = truth_add, .merge = whole_merge, .finish = any_finish);

const struct aggregate *const sum_aggregates[] = {
    &agg_count,
    &agg_count_if,
    &agg_sum_float,
    &agg_sum_whole,
    &agg_sum_decimal,
    &agg_avg,
    &agg_avg_decimal,
    &agg_avg_interval,
    &agg_try_sum_float,
    &agg_try_sum_whole,
    &agg_try_sum_decimal,
    &agg_try_avg,
    &agg_try_avg_decimal,
    &agg_try_avg_interval,
    &agg_bool_and,
    &agg_bool_or,
    NULL,
};
