/* aggregate_quantile.c - percentile_approx, percentile and median: values in order, each with how many it
 * stands for.
 *
 * Approximate  the summary of Greenwald and Khanna, as in Spark: a tuple stands for `weight` values up to its
 *              own, and its own rank may be larger by `slack`. While no tuple was merged with its neighbour,
 *              which is so for up to 2 * accuracy values, answers are exact; Spark's are for accuracy / 2.
 *              Beyond, both are within rows / accuracy places of the right one
 * Exact        all different values, with their counts
 * Fresh        new values wait, unordered, until there are enough of them to be worth a merge
 * Values       are DOUBLE in between, as in Spark: BIGINT and DECIMAL past 2^53 are rounded
 * Spec         Greenwald, Khanna: Space-efficient online computation of quantile summaries, SIGMOD 2001
 */
#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/stop_watch.h"
#include "expr/aggregate_number.h"
#include "expr/coerce.h"
#include "expr/order.h"
#include "expr/value_bytes.h"

enum {
    FRESH_MIN = 256,
    TUPLES_MAX = 16 * 1024 * 1024, /* of one group; a row past it is rejected as TOO_BIG */
    ACCURACY_DEFAULT = 10000,
};
#define WEIGHT_MAX (UINT32_MAX / 4)

struct quantiles { /* what the constant arguments ask for */
    double *fractions;
    int32_t count;
    bool list;
    bool descending, discrete;
    int64_t accuracy; /* 0 = exact */
};
struct tuple {
    double value;
    uint32_t weight, slack;
};
struct summary {
    struct tuple *tuples;
    double *fresh;
    uint32_t count, capacity, fresh_count, fresh_capacity;
    int64_t rows; /* OVERFLOWN: too many different values */
};
enum { OVERFLOWN = -1 };

static const struct quantiles *asked(const struct aggregate_call *call) { return call->bound; }

/* ---- the summary ---- */

static size_t summary_heap(const struct summary *summary)
{
    return summary->capacity * sizeof *summary->tuples + summary->fresh_capacity * sizeof *summary->fresh;
}

static void summary_free(struct summary *summary, size_t *heap_bytes)
{
    *heap_bytes -= summary_heap(summary);
    mem_free(summary->tuples);
    mem_free(summary->fresh);
    *summary = (struct summary){0};
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    if (stop_asked(1))
        return 0;
    int order = FLOAT_LESS(y, x) - FLOAT_LESS(x, y);
    return order != 0 ? order : (signbit(y) != 0) - (signbit(x) != 0); // as Java: -0.0 comes before 0.0
}

/* A value's rank is uncertain by what the next tuple of the other summary may hide before it. */
static uint32_t slack_before(const struct tuple *tuples, uint32_t count, uint32_t next)
{
    uint64_t slack = next < count ? (uint64_t)tuples[next].weight + tuples[next].slack - 1 : 0;
    return slack < WEIGHT_MAX ? (uint32_t)slack : WEIGHT_MAX;
}

static uint32_t put_tuple(struct tuple *out, uint32_t count, struct tuple tuple, bool exact)
{
    struct tuple *last = &out[count - (count > 0)];
    if (!exact || count == 0 || !FLOAT_EQUAL(last->value, tuple.value) || last->weight > WEIGHT_MAX - tuple.weight) {
        out[count] = tuple;
        return count + 1;
    }
    last->weight += tuple.weight;
    return count;
}

/* Both in order; `out` has room for all. Returns how many there are. */
static uint32_t merge_tuples(const struct tuple *a, uint32_t a_count, const struct tuple *b, uint32_t b_count,
                             bool exact, struct tuple *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0, j = 0; i < a_count || j < b_count;) {
        bool from_a = j == b_count || (i < a_count && !FLOAT_LESS(b[j].value, a[i].value));
        struct tuple tuple = from_a ? a[i++] : b[j++];
        if (!exact)
            tuple.slack += from_a ? slack_before(b, b_count, j) : slack_before(a, a_count, i);
        count = put_tuple(out, count, tuple, exact);
    }
    return count;
}

/* Merge neighbours while no answer can be wrong by more than rows / accuracy places. The first and the last
 * stay. */
static uint32_t compress(struct tuple *tuples, uint32_t count, int64_t rows, int64_t accuracy)
{
    double most = 2 * (double)rows / (double)accuracy;
    uint32_t at = count - 1;
    for (uint32_t i = count - 1; i-- > 1;) {
        uint64_t together = (uint64_t)tuples[i].weight + tuples[at].weight + tuples[at].slack;
        if ((double)together < most && together < WEIGHT_MAX)
            tuples[at].weight += tuples[i].weight;
        else
            tuples[--at] = tuples[i];
    }
    tuples[--at] = tuples[0];
    memmove(tuples, tuples + at, (count - at) * sizeof *tuples);
    return count - at;
}

static struct tuple *fresh_tuples(const struct summary *summary)
{
    struct tuple *tuples = mem_array(struct tuple, (size_t)summary->fresh_count + 1);
    double *values = mem_array(double, (size_t)summary->fresh_count + 1);
    if (summary->fresh_count > 0)
        memcpy(values, summary->fresh, summary->fresh_count * sizeof *values);
    qsort(values, summary->fresh_count, sizeof *values, by_value);
    for (uint32_t i = 0; i < summary->fresh_count; i++)
        tuples[i] = (struct tuple){values[i], 1, 0};
    mem_free(values);
    return tuples;
}

/* Take `count` tuples in. False when there are too many then. */
static bool summary_take(const struct quantiles *quantiles, struct summary *summary, const struct tuple *tuples,
                         uint32_t count, size_t *heap_bytes)
{
    bool exact = quantiles->accuracy == 0;
    uint32_t capacity = summary->count + count;
    struct tuple *merged = mem_array(struct tuple, (size_t)capacity + 1);
    uint32_t merged_count = merge_tuples(summary->tuples, summary->count, tuples, count, exact, merged);
    if (!exact && merged_count / 2 > quantiles->accuracy)
        merged_count = compress(merged, merged_count, summary->rows, quantiles->accuracy);
    *heap_bytes += ((size_t)capacity - summary->capacity) * sizeof *merged;
    mem_free(summary->tuples);
    summary->tuples = merged;
    summary->count = merged_count;
    summary->capacity = capacity;
    return merged_count <= TUPLES_MAX;
}

static bool summary_settle(const struct quantiles *quantiles, struct summary *summary, size_t *heap_bytes)
{
    struct tuple *tuples = fresh_tuples(summary);
    bool fits = summary_take(quantiles, summary, tuples, summary->fresh_count, heap_bytes);
    summary->fresh_count = 0;
    mem_free(tuples);
    return fits;
}

static void summary_overflow(struct summary *summary, size_t *heap_bytes)
{
    summary_free(summary, heap_bytes);
    summary->rows = OVERFLOWN;
}

static bool summary_add(const struct quantiles *quantiles, struct summary *summary, double value, size_t *heap_bytes)
{
    size_t heap = summary_heap(summary);
    mem_grow(summary->fresh, summary->fresh_capacity, summary->fresh_count + 1);
    *heap_bytes += summary_heap(summary) - heap;
    summary->fresh[summary->fresh_count++] = value;
    summary->rows++;
    if (summary->fresh_count < FRESH_MIN || summary->fresh_count < summary->count / 4)
        return true;
    return summary_settle(quantiles, summary, heap_bytes);
}

/* ---- answers ---- */

static double approximate(const struct quantiles *quantiles, const struct tuple *tuples, uint32_t count, int64_t rows,
                          double fraction)
{
    double error = 1 / (double)quantiles->accuracy, rank = ceil(fraction * (double)rows), reach = 0, least = 0;
    if (fraction <= error || count == 1)
        return tuples[0].value;
    if (fraction >= 1 - error)
        return tuples[count - 1].value;
    for (uint32_t i = 0; i < count; i++)
        reach = fmax(reach, ((double)tuples[i].weight + tuples[i].slack) / 2);
    for (uint32_t i = 0; i + 1 < count; i++) {
        least += tuples[i].weight;
        if (least + tuples[i].slack - reach <= rank && rank <= least + reach)
            return tuples[i].value;
    }
    return tuples[count - 1].value;
}

/* The value at a place, counted from 0. */
static double value_at(const struct tuple *tuples, uint32_t count, double place)
{
    double before = 0;
    for (uint32_t i = 0; i < count; i++) {
        before += tuples[i].weight;
        if (place < before)
            return tuples[i].value;
    }
    return tuples[count - 1].value;
}

/* The first value up to which there is that part of them. */
static double discrete(const struct tuple *tuples, uint32_t count, int64_t rows, double fraction)
{
    return value_at(tuples, count, fmax(ceil((double)rows * fraction), 1) - 1);
}

static void turn_round(struct tuple *tuples, uint32_t count)
{
    for (uint32_t i = 0, k = count - 1; i < k; i++, k--) {
        struct tuple tuple = tuples[i];
        tuples[i] = tuples[k];
        tuples[k] = tuple;
    }
}

/* Between two values, in proportion. */
static double interpolated(const struct tuple *tuples, uint32_t count, int64_t rows, double fraction)
{
    double place = (double)(rows - 1) * fraction, low = floor(place), high = ceil(place);
    double low_value = value_at(tuples, count, low), high_value = value_at(tuples, count, high);
    if (low == high || FLOAT_EQUAL(low_value, high_value))
        return low_value;
    return (high - place) * low_value + (place - low) * high_value;
}

static bool summary_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    const struct quantiles *quantiles = asked(call);
    const struct summary *s = state;
    if (s->rows <= 0 || quantiles->count == 0) {
        builder_null(out);
        return true; // an overflow was counted when it happened
    }
    bool exact = quantiles->accuracy == 0;
    struct tuple *fresh = fresh_tuples(s), *all = mem_array(struct tuple, (size_t)s->count + s->fresh_count + 1);
    uint32_t count = merge_tuples(s->tuples, s->count, fresh, s->fresh_count, exact, all);
    const struct type *type = quantiles->list ? call->type->fields[0].type : call->type;
    if (quantiles->descending)
        turn_round(all, count);
    for (int32_t k = 0; k < quantiles->count; k++) {
        double fraction = quantiles->fractions[k];
        number_put(quantiles->list ? &out->children[0] : out, type,
                   quantiles->discrete ? discrete(all, count, s->rows, fraction)
                   : exact             ? interpolated(all, count, s->rows, fraction)
                                       : approximate(quantiles, all, count, s->rows, fraction));
    }
    if (quantiles->list)
        builder_close_list(out);
    mem_free(fresh);
    mem_free(all);
    return true;
}

/* ---- callbacks ---- */

static void quantile_add(const struct aggregate_rows *in)
{
    for (int64_t i = 0; i < in->rows; i++) {
        if ((in->active != NULL && !bit_get(in->active, i)) || column_is_null(&in->args[0], i))
            continue;
        struct summary *summary = STATE_AT(in, struct summary);
        if (summary->rows == OVERFLOWN ||
            summary_add(asked(in->call), summary, number_at(&in->args[0], i), in->heap_bytes))
            continue;
        summary_overflow(summary, in->heap_bytes);
        rejects_add(in->rejects, i, -1, REJECT_TOO_BIG);
    }
}

static bool quantile_merge(const struct aggregate_call *call, void *into, const void *from, size_t *heap_bytes)
{
    struct summary *a = into;
    const struct summary *b = from;
    bool fits = b->rows != OVERFLOWN;
    if (a->rows == OVERFLOWN || b->rows == 0)
        return true;
    for (uint32_t i = 0; fits && i < b->fresh_count; i++)
        fits = summary_add(asked(call), a, b->fresh[i], heap_bytes);
    if (fits && b->count > 0) {
        a->rows += b->rows - b->fresh_count;
        fits = summary_take(asked(call), a, b->tuples, b->count, heap_bytes);
    }
    if (!fits)
        summary_overflow(a, heap_bytes);
    return fits;
}

static void quantile_save(__attribute__((unused)) const struct aggregate_call *call, const void *state,
                          struct text *out)
{
    const struct summary *s = state;
    text_add(out, &s->rows, sizeof s->rows);
    save_u32(out, s->count);
    save_u32(out, s->fresh_count);
    text_add(out, s->tuples, s->count * sizeof *s->tuples);
    text_add(out, s->fresh, s->fresh_count * sizeof *s->fresh);
}

/* In order, weights that make up the rows. */
static bool tuples_valid(const struct summary *summary)
{
    int64_t rows = summary->fresh_count;
    for (uint32_t i = 0; i < summary->count; i++) {
        const struct tuple *tuple = &summary->tuples[i];
        if (tuple->weight == 0 || tuple->weight > 2 * WEIGHT_MAX || tuple->slack > 2 * WEIGHT_MAX ||
            (i > 0 && FLOAT_LESS(tuple->value, tuple[-1].value)))
            return false;
        rows += tuple->weight;
    }
    return rows == summary->rows;
}

static enum code quantile_load(const struct aggregate_call *call, struct bytes *in, void *state, size_t *heap_bytes,
                               struct error *err)
{
    struct summary *s = state;
    struct bytes rows, tuples, fresh;
    uint32_t count, fresh_count;
    if (!load_bytes(in, sizeof s->rows, &rows) || !load_u32(in, &count) || !load_u32(in, &fresh_count) ||
        count > TUPLES_MAX || fresh_count > TUPLES_MAX || !load_bytes(in, count * sizeof *s->tuples, &tuples) ||
        !load_bytes(in, fresh_count * sizeof *s->fresh, &fresh))
        return fail(err, E_CORRUPT, "the state of %s is cut off", call->function->name);
    memcpy(&s->rows, rows.data, sizeof s->rows);
    if (s->rows == OVERFLOWN && count + fresh_count == 0)
        return E_OK;
    s->tuples = mem_array(struct tuple, (size_t)count + 1);
    s->fresh = mem_array(double, (size_t)fresh_count + 1);
    memcpy(s->tuples, tuples.data, tuples.size);
    memcpy(s->fresh, fresh.data, fresh.size);
    s->count = s->capacity = count;
    s->fresh_count = s->fresh_capacity = fresh_count;
    *heap_bytes += summary_heap(s);
    return tuples_valid(s) ? E_OK : fail(err, E_CORRUPT, "the state of %s is no summary", call->function->name);
}

static void quantile_drop(__attribute__((unused)) const struct aggregate_call *call, void *state, size_t *heap_bytes)
{
    summary_free(state, heap_bytes);
}

static const struct aggregate_heap quantile_heap = {quantile_merge, quantile_save, quantile_load, quantile_drop};

/* ---- binding ---- */

/* A constant argument of a type; E_SQL when it is NULL or none. */
static enum code constant(struct aggregate_binding *binding, int32_t index, const struct type *type, const char *what,
                          const struct expr **out, struct error *err)
{
    const struct aggregate_call *call = binding->call;
    const struct expr *cast;
    if (!expr_is_foldable(call->args[index]))
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] the input `%s` should be a foldable expression.", what);
    TRY(expr_cast(binding->ctx, call->args[index], type, false, call->at, &cast, err));
    TRY(expr_fold(binding->ctx, cast, out, err));
    if (literal_is_null(*out))
        return fail(err, E_SQL, "[DATATYPE_MISMATCH.UNEXPECTED_NULL] The %s must not be null.", what);
    return E_OK;
}

static enum code bind_fractions(struct aggregate_binding *binding, struct quantiles *quantiles, struct error *err)
{
    const struct expr *literal;
    const struct type *given = binding->call->args[1]->type, *one = type_of(TYPE_DOUBLE);
    quantiles->list = given->id == TYPE_ARRAY;
    TRY(constant(binding, 1, quantiles->list ? type_array(binding->ctx->arena, one, true) : one, "percentage", &literal,
                 err));
    const struct column *values = quantiles->list ? &literal->literal->children[0] : literal->literal;
    quantiles->count = quantiles->list ? column_offsets(literal->literal)[1] : 1;
    quantiles->fractions = arena_array(binding->ctx->arena, double, (size_t)quantiles->count + 1);
    for (int32_t i = 0; i < quantiles->count; i++) {
        if (column_is_null(values, i))
            return fail(err, E_SQL, "[DATATYPE_MISMATCH.UNEXPECTED_NULL] The percentage must not be null.");
        double fraction = column_values(values, const double)[i];
        if (!(fraction >= 0 && fraction <= 1))
            return fail(
                err, E_SQL,
                "[DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE] The percentage must be between [0.0, 1.0] (current value "
                "= %g).",
                fraction);
        quantiles->fractions[i] = fraction;
    }
    return E_OK;
}

static enum code bind_accuracy(struct aggregate_binding *binding, struct quantiles *quantiles, struct error *err)
{
    const struct expr *literal;
    quantiles->accuracy = ACCURACY_DEFAULT;
    if (binding->call->arg_count < 3)
        return E_OK;
    TRY(constant(binding, 2, type_of(TYPE_INT64), "accuracy", &literal, err));
    quantiles->accuracy = literal_int(literal);
    if (quantiles->accuracy <= 0 || quantiles->accuracy > INT32_MAX)
        return fail(
            err, E_SQL,
            "[DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE] The accuracy must be between (0, 2147483647] (current value = "
            "%lldL).",
            (long long)quantiles->accuracy);
    return E_OK;
}

/* Text is a DOUBLE; what has no place on a line of numbers is refused. */
static enum code bind_values(struct aggregate_binding *binding, bool times, struct error *err)
{
    struct aggregate_call *call = binding->call;
    const struct type *type = call->args[0]->type;
    bool interval = type->id == TYPE_INTERVAL_DT || type->id == TYPE_INTERVAL_YM;
    bool time = type->id == TYPE_DATE || type->id == TYPE_TIMESTAMP || type->id == TYPE_TIMESTAMP_NTZ;
    if (type->id == TYPE_STRING || type->id == TYPE_NULL || (!times && type_is_numeric(type)))
        call->args[0] = expr_cast_implicit(binding->ctx, call->args[0], type_of(TYPE_DOUBLE));
    else if (!interval && !type_is_numeric(type) && !(times && time))
        return fail(
            err, E_SQL,
            "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] The first parameter requires a number%s, however it has the "
            "type \"%s\".",
            times ? ", a time or an interval" : " or an interval", type_sql(binding->ctx->arena, type));
    call->arg_types[0] = call->args[0]->type;
    return E_OK;
}

static enum code bind_quantiles(struct aggregate_binding *binding, struct quantiles *quantiles, struct error *err)
{
    struct aggregate_call *call = binding->call;
    TRY(bind_values(binding, quantiles->accuracy > 0, err));
    const struct type *type = call->args[0]->type;
    if (quantiles->accuracy == 0 && type_is_interval(type)) // between two months may lie a year
        type = type_of(type->id);
    binding->type = quantiles->list ? type_array(binding->ctx->arena, type, false) : type;
    call->bound = quantiles;
    call->variant = hash_mix(hash_bytes(quantiles->fractions, (size_t)quantiles->count * sizeof(double)),
                             hash_mix((uint64_t)quantiles->accuracy, (uint64_t)quantiles->list |
                                                                         (uint64_t)quantiles->descending << 1 |
                                                                         (uint64_t)quantiles->discrete << 2));
    call->arg_count = 1;
    return E_OK;
}

static enum code bind_approximate(struct aggregate_binding *binding, struct error *err)
{
    struct quantiles *quantiles = arena_new(binding->ctx->arena, struct quantiles);
    TRY(bind_fractions(binding, quantiles, err));
    TRY(bind_accuracy(binding, quantiles, err));
    return bind_quantiles(binding, quantiles, err);
}

static enum code bind_percentile(struct aggregate_binding *binding, struct error *err)
{
    struct quantiles *quantiles = arena_new(binding->ctx->arena, struct quantiles);
    TRY(bind_fractions(binding, quantiles, err));
    return bind_quantiles(binding, quantiles, err);
}

/* The third argument says whether WITHIN GROUP orders from the largest value on. */
static enum code bind_within(struct aggregate_binding *binding, bool is_discrete, struct error *err)
{
    struct quantiles *quantiles = arena_new(binding->ctx->arena, struct quantiles);
    const struct expr *descending;
    TRY(bind_fractions(binding, quantiles, err));
    TRY(constant(binding, 2, type_of(TYPE_BOOLEAN), "direction", &descending, err));
    quantiles->descending = bit_get(descending->literal->values->data, 0);
    quantiles->discrete = is_discrete;
    return bind_quantiles(binding, quantiles, err);
}
static enum code bind_cont(struct aggregate_binding *binding, struct error *err)
{
    return bind_within(binding, false, err);
}
static enum code bind_disc(struct aggregate_binding *binding, struct error *err)
{
    return bind_within(binding, true, err);
}

static enum code bind_median(struct aggregate_binding *binding, struct error *err)
{
    static double half = 0.5;
    struct quantiles *quantiles = arena_new(binding->ctx->arena, struct quantiles);
    *quantiles = (struct quantiles){.fractions = &half, .count = 1};
    return bind_quantiles(binding, quantiles, err);
}

AGGREGATE(
    agg_percentile_approx, "percentile_approx approx_percentile", "(T, any, any?) -> T",
    "A value that about this part of the values (0 to 1, or an ARRAY of such parts) do not exceed; the third argument "
    "is the accuracy (10000): the place in order is right to 1/accuracy of the rows.",
    "SELECT percentile_approx(c, 0.5) FROM VALUES (1), (2), (3) AS t(c)", "2", .state_size = sizeof(struct summary),
    .bind = bind_approximate, .add = quantile_add, .finish = summary_finish, .heap = &quantile_heap);
AGGREGATE(agg_percentile, "percentile", "(T, any) -> double",
          "The value at this part (0 to 1, or an ARRAY of such parts) of the values in order, interpolated.",
          "SELECT percentile(c, 0.25) FROM VALUES (1), (2) AS t(c)", "1.25", .state_size = sizeof(struct summary),
          .bind = bind_percentile, .add = quantile_add, .finish = summary_finish, .heap = &quantile_heap);
AGGREGATE(agg_median, "median", "(T) -> double", "The value in the middle, interpolated.",
          "SELECT median(c) FROM VALUES (1), (2) AS t(c)", "1.5", .state_size = sizeof(struct summary),
          .bind = bind_median, .add = quantile_add, .finish = summary_finish, .heap = &quantile_heap);

AGGREGATE(agg_percentile_cont, "percentile_cont", "(T, any, boolean) -> double",
          "The value at this part (0 to 1) of the values in the order of WITHIN GROUP, interpolated.",
          "SELECT percentile_cont(0.25) WITHIN GROUP (ORDER BY c) FROM VALUES (0), (10) AS t(c)", "2.5",
          .state_size = sizeof(struct summary), .bind = bind_cont, .add = quantile_add, .finish = summary_finish,
          .heap = &quantile_heap);
AGGREGATE(agg_percentile_disc, "percentile_disc", "(T, any, boolean) -> double",
          "The first value, in the order of WITHIN GROUP, up to which there is this part (0 to 1) of them.",
          "SELECT percentile_disc(0.25) WITHIN GROUP (ORDER BY c) FROM VALUES (0), (10) AS t(c)", "0.0",
          .state_size = sizeof(struct summary), .bind = bind_disc, .add = quantile_add, .finish = summary_finish,
          .heap = &quantile_heap);

const struct aggregate *const quantile_aggregates[] = {&agg_percentile_approx, &agg_percentile,      &agg_median,
                                                       &agg_percentile_cont,   &agg_percentile_disc, NULL};
