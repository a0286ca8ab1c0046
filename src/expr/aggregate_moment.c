/* aggregate_moment.c - variance, deviation, covariance, correlation, in Spark's one-pass formulas (so that the last
 * bits agree), and the bit aggregates. */
#include <math.h>

#include "expr/aggregate.h"

struct moment_state {
    double count, mean, square; /* square: sum of squared distances from the mean */
};
struct pair_state {
    double count, x_mean, y_mean, product, x_square, y_square, x_sum, y_sum;
};

static inline void moment_row(struct moment_state *state, double value)
{
    state->count += 1;
    double delta = value - state->mean, step = delta / state->count;
    state->mean += step;
    state->square += delta * (delta - step);
}

static void moment_add(const struct aggregate_rows *in)
{
    const double *values = column_values(&in->args[0], double);
    EACH_ROW(in, in->args[0].valid, moment_row(STATE_AT(in, struct moment_state), values[i]));
}

static bool moment_merge(__attribute__((unused)) const struct aggregate_call *call, void *into, const void *from)
{
    struct moment_state *a = into;
    const struct moment_state *b = from;
    double count = a->count + b->count, delta = b->mean - a->mean;
    double step = count == 0 ? 0 : delta / count;
    a->mean += step * b->count;
    a->square += b->square + delta * step * a->count * b->count;
    a->count = count;
    return true;
}

static bool put_moment(struct builder *out, double count, double least, double value)
{
    if (count < least)
        builder_null(out);
    else
        builder_double(out, value);
    return true;
}

#define MOMENT(id, names, help_, example_, expected_, least, value)                                            \
    static bool id##_finish(__attribute__((unused)) const struct aggregate_call *call, const void *state,      \
                            struct builder *out)                                                               \
    {                                                                                                          \
        const struct moment_state *s = state;                                                                  \
        return put_moment(out, s->count, least, value);                                                        \
    }                                                                                                          \
    AGGREGATE(id, names, "(double) -> double", help_, "SELECT " example_ " FROM VALUES (1), (2), (4) AS t(c)", \
              expected_, .state_size = sizeof(struct moment_state), .add = moment_add, .merge = moment_merge,  \
              .finish = id##_finish)

MOMENT(agg_var_pop, "var_pop", "Variance of the whole population.", "var_pop(c)", "1.5555555555555554", 1,
       s->square / s->count);
MOMENT(agg_var_samp, "var_samp variance", "Variance of a sample; NULL for less than two values.", "variance(c)",
       "2.333333333333333", 2, s->square / (s->count - 1));
MOMENT(agg_stddev_pop, "stddev_pop", "Standard deviation of the whole population.", "stddev_pop(c)",
       "1.247219128924647", 1, sqrt(s->square / s->count));
MOMENT(agg_stddev_samp, "stddev_samp stddev std", "Standard deviation of a sample; NULL for less than two values.",
       "stddev(c)", "1.5275252316519465", 2, sqrt(s->square / (s->count - 1)));

/* ---- skewness and kurtosis ---- */

struct shape_state {
    double count, mean, square, cube, fourth; /* sums of powers of the distance from the mean */
};

static inline void shape_row(struct shape_state *s, double value)
{
    double count = s->count + 1, delta = value - s->mean, step = delta / count;
    double square = s->square + delta * (delta - step);
    double delta_2 = delta * delta, step_2 = step * step;
    double cube = s->cube - 3.0 * step * square + delta * (delta_2 - step_2);
    s->fourth = s->fourth - 4.0 * step * cube - 6.0 * step_2 * square + delta * (delta * delta_2 - step * step_2);
    s->cube = cube;
    s->square = square;
    s->mean += step;
    s->count = count;
}

static void shape_add(const struct aggregate_rows *in)
{
    const double *values = column_values(&in->args[0], double);
    EACH_ROW(in, in->args[0].valid, shape_row(STATE_AT(in, struct shape_state), values[i]));
}

static bool shape_merge(__attribute__((unused)) const struct aggregate_call *call, void *into, const void *from)
{
    struct shape_state *a = into;
    const struct shape_state *b = from;
    double n = a->count, m = b->count, count = n + m, delta = b->mean - a->mean;
    double step = count == 0 ? 0 : delta / count;
    a->fourth = a->fourth + b->fourth + step * step * step * delta * n * m * (n * n - n * m + m * m) +
                6.0 * step * step * (n * n * b->square + m * m * a->square) + 4.0 * step * (n * b->cube - m * a->cube);
    a->cube = a->cube + b->cube + step * step * delta * n * m * (n - m) + 3.0 * step * (n * b->square - m * a->square);
    a->square = a->square + b->square + delta * step * n * m;
    a->mean += step * m;
    a->count = count;
    return true;
}

/* All values alike have neither. */
#define SHAPE(id, name_, help_, expected_, value)                                                              \
    static bool id##_finish(__attribute__((unused)) const struct aggregate_call *call, const void *state,      \
                            struct builder *out)                                                               \
    {                                                                                                          \
        const struct shape_state *s = state;                                                                   \
        return put_moment(out, s->square == 0 ? 0 : s->count, 1, value);                                       \
    }                                                                                                          \
    AGGREGATE(id, name_, "(double) -> double", help_, "SELECT " name_ "(c) FROM VALUES (1), (2), (4) AS t(c)", \
              expected_, .state_size = sizeof(struct shape_state), .add = shape_add, .merge = shape_merge,     \
              .finish = id##_finish)

SHAPE(agg_skewness, "skewness", "How far the values lean to one side.", "0.3818017741606064",
      sqrt(s->count) * s->cube / sqrt(s->square * s->square * s->square));
SHAPE(agg_kurtosis, "kurtosis", "How heavy the ends are, against a normal distribution.", "-1.5",
      s->count * s->fourth / (s->square * s->square) - 3.0);

/* ---- two columns ---- */

static void pair_add(const struct aggregate_rows *in)
{
    const double *xs = column_values(&in->args[0], double), *ys = column_values(&in->args[1], double);
    for (int64_t i = 0; i < in->rows; i++) {
        if ((in->active != NULL && !bit_get(in->active, i)) || !column_valid_at(&in->args[0], i) ||
            !column_valid_at(&in->args[1], i))
            continue;
        struct pair_state *s = STATE_AT(in, struct pair_state);
        s->count += 1;
        s->x_sum += xs[i];
        s->y_sum += ys[i];
        double dx = xs[i] - s->x_mean, dy = ys[i] - s->y_mean;
        s->x_mean += dx / s->count;
        s->y_mean += dy / s->count;
        s->product += dx * (ys[i] - s->y_mean);
        s->x_square += dx * (xs[i] - s->x_mean);
        s->y_square += dy * (ys[i] - s->y_mean);
    }
}

static bool pair_merge(__attribute__((unused)) const struct aggregate_call *call, void *into, const void *from)
{
    struct pair_state *a = into;
    const struct pair_state *b = from;
    double count = a->count + b->count;
    if (count == 0)
        return true;
    a->x_sum += b->x_sum;
    a->y_sum += b->y_sum;
    double dx = b->x_mean - a->x_mean, dy = b->y_mean - a->y_mean;
    double x_step = dx / count, y_step = dy / count;
    a->product += b->product + dx * y_step * a->count * b->count;
    a->x_square += b->x_square + dx * x_step * a->count * b->count;
    a->y_square += b->y_square + dy * y_step * a->count * b->count;
    a->x_mean += x_step * b->count;
    a->y_mean += y_step * b->count;
    a->count = count;
    return true;
}

#define PAIR(id, names, help_, example_, expected_, least, value)                                         \
    static bool id##_finish(__attribute__((unused)) const struct aggregate_call *call, const void *state, \
                            struct builder *out)                                                          \
    {                                                                                                     \
        const struct pair_state *s = state;                                                               \
        return put_moment(out, s->count, least, value);                                                   \
    }                                                                                                     \
    AGGREGATE(id, names, "(double, double) -> double", help_,                                             \
              "SELECT " example_ " FROM VALUES (1, 2), (2, 4), (4, 8) AS t(x, y)", expected_,             \
              .state_size = sizeof(struct pair_state), .add = pair_add, .merge = pair_merge, .finish = id##_finish)

PAIR(agg_covar_pop, "covar_pop", "Covariance of the whole population.", "covar_pop(x, y)", "3.1111111111111107", 1,
     s->product / s->count);
PAIR(agg_covar_samp, "covar_samp", "Covariance of a sample.", "covar_samp(x, y)", "4.666666666666666", 2,
     s->product / (s->count - 1));
/* regr_..(y, x): the dependent value comes first, so `x` of the state is y here. */
PAIR(agg_regr_avgx, "regr_avgx", "Mean of the independent values, of pairs without NULL.", "regr_avgx(x, y)",
     "4.666666666666667", 1, s->y_sum / s->count);
PAIR(agg_regr_avgy, "regr_avgy", "Mean of the dependent values, of pairs without NULL.", "regr_avgy(x, y)",
     "2.3333333333333335", 1, s->x_sum / s->count);
PAIR(agg_regr_sxx, "regr_sxx", "Sum of squares of the independent values around their mean.", "regr_sxx(x, y)",
     "18.666666666666664", 1, s->y_square);
PAIR(agg_regr_syy, "regr_syy", "Sum of squares of the dependent values around their mean.", "regr_syy(x, y)",
     "4.666666666666666", 1, s->x_square);
PAIR(agg_regr_sxy, "regr_sxy", "Sum of products around the means.", "regr_sxy(x, y)", "9.333333333333332", 1,
     s->product);
PAIR(agg_regr_slope, "regr_slope", "Slope of the line of least squares.", "regr_slope(x, y)", "0.5",
     s->y_square == 0 ? INFINITY : 1, s->product / s->y_square);
PAIR(agg_regr_intercept, "regr_intercept", "Where the line of least squares crosses the axis.", "regr_intercept(x, y)",
     "0.0", s->y_square == 0 ? INFINITY : 1, s->x_mean - s->product / s->y_square * s->y_mean);
PAIR(agg_regr_r2, "regr_r2", "Coefficient of determination.", "regr_r2(x, y)", "1.0", s->y_square == 0 ? INFINITY : 1,
     s->x_square == 0 ? 1.0 : s->product * s->product / s->y_square / s->x_square);
static bool regr_count_finish(__attribute__((unused)) const struct aggregate_call *call, const void *state,
                              struct builder *out)
{
    builder_int(out, (int64_t)((const struct pair_state *)state)->count);
    return true;
}
AGGREGATE(agg_regr_count, "regr_count", "(double, double) -> bigint", "How many pairs have no NULL.",
          "SELECT regr_count(x, y) FROM VALUES (1, 2), (2, NULL) AS t(x, y)", "1",
          .state_size = sizeof(struct pair_state), .add = pair_add, .merge = pair_merge, .finish = regr_count_finish);

/* Where one of the columns does not vary Spark divides by zero, an error. */
static bool corr_finish(__attribute__((unused)) const struct aggregate_call *call, const void *state,
                        struct builder *out)
{
    const struct pair_state *s = state;
    double spread = sqrt(s->x_square * s->y_square);
    bool fits = s->count < 2 || spread != 0;
    put_moment(out, fits ? s->count : 0, 2, s->product / spread);
    return fits;
}
AGGREGATE(agg_corr, "corr", "(double, double) -> double", "Pearson's correlation; NULL when one side does not vary.",
          "SELECT corr(x, y) FROM VALUES (1, 2), (2, 4), (4, 8) AS t(x, y)", "1.0",
          .state_size = sizeof(struct pair_state), .add = pair_add, .merge = pair_merge, .finish = corr_finish,
          .failure = REJECT_DIVIDE_BY_ZERO);

/* ---- bits ---- */

struct bit_state {
    int64_t bits, count;
};

#define BIT_ADD_CASE(shape, ctype)                                                           \
    case shape: {                                                                            \
        const ctype *values = column_values(&in->args[0], ctype);                            \
        EACH_ROW(in, in->args[0].valid, BIT_ROW(STATE_AT(in, struct bit_state), values[i])); \
        break;                                                                               \
    }
#define BITS(id, name_, help_, expected_)                                                                           \
    static inline void id##_row(struct bit_state *s, int64_t value)                                                 \
    {                                                                                                               \
        s->bits = s->count == 0 ? value : BIT_FOLD(s->bits, value);                                                 \
        s->count = 1;                                                                                               \
    }                                                                                                               \
    static void id##_add(const struct aggregate_rows *in)                                                           \
    {                                                                                                               \
        switch (type_shape(in->args[0].type)) {                                                                     \
            SHAPES_INTEGER(BIT_ADD_CASE)                                                                            \
        default: never("an integer");                                                                               \
        }                                                                                                           \
    }                                                                                                               \
    static bool id##_merge(__attribute__((unused)) const struct aggregate_call *call, void *into, const void *from) \
    {                                                                                                               \
        struct bit_state *a = into;                                                                                 \
        const struct bit_state *b = from;                                                                           \
        if (b->count > 0)                                                                                           \
            a->bits = a->count == 0 ? b->bits : BIT_FOLD(a->bits, b->bits);                                         \
        a->count |= b->count;                                                                                       \
        return true;                                                                                                \
    }                                                                                                               \
    AGGREGATE(id, name_, "(I) -> I", help_, "SELECT " name_ "(c) FROM VALUES (3), (5) AS t(c)", expected_,          \
              .state_size = sizeof(struct bit_state), .add = id##_add, .merge = id##_merge, .finish = bits_finish)

static bool bits_finish(__attribute__((unused)) const struct aggregate_call *call, const void *state,
                        struct builder *out)
{
    const struct bit_state *s = state;
    if (s->count == 0)
        builder_null(out);
    else
        builder_int(out, s->bits);
    return true;
}

#define BIT_FOLD(a, b) ((a) & (b))
#define BIT_ROW agg_bit_and_row
BITS(agg_bit_and, "bit_and", "Bits set in all values.", "1");
#undef BIT_FOLD
#undef BIT_ROW
#define BIT_FOLD(a, b) ((a) | (b))
#define BIT_ROW agg_bit_or_row
BITS(agg_bit_or, "bit_or", "Bits set in some value.", "7");
#undef BIT_FOLD
#undef BIT_ROW
#define BIT_FOLD(a, b) ((a) ^ (b))
#define BIT_ROW agg_bit_xor_row
BITS(agg_bit_xor, "bit_xor", "Bits set in an odd number of values.", "6");

const struct aggregate *const moment_aggregates[] = {
    &agg_var_pop,    &agg_var_samp, &agg_stddev_pop, &agg_stddev_samp, &agg_covar_pop,
    &agg_covar_samp, &agg_corr,     &agg_regr_count, &agg_regr_avgx,   &agg_regr_avgy,
    &agg_regr_sxx,   &agg_regr_syy, &agg_regr_sxy,   &agg_regr_slope,  &agg_regr_intercept,
    &agg_regr_r2,    &agg_skewness, &agg_kurtosis,   &agg_bit_and,     &agg_bit_or,
    &agg_bit_xor,    NULL,
};
