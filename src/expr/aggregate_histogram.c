/* aggregate_histogram.c - histogram_numeric: so many bins, each a place and how many values it stands for.
 *
 * A value gets a bin of its own; when there are too many, the two nearest become one between them. Of pairs that are as
 * near one is taken by chance, with Spark's generator and seed, so that the bins are Spark's of one partition.
 *
 * Spec     Ben-Haim, Tom-Tov: A streaming parallel decision tree algorithm, JMLR 11 (2010), algorithms 1 and 2
 */
#include "base/stop_watch.h"
#include "expr/aggregate_number.h"
#include "expr/coerce.h"
#include "expr/value_bytes.h"

enum { BINS_MAX = 1 << 20 };
#define CHANCE_MASK (((uint64_t)1 << 48) - 1)
#define CHANCE_START ((31183u ^ UINT64_C(0x5deece66d)) & CHANCE_MASK)

struct bin {
    double place, count;
};
struct histogram {
    struct bin *bins;
    uint32_t count, capacity;
    uint64_t chance; /* state of the generator; 0 = at its start */
};

static int64_t bins_wanted(const struct aggregate_call *call) { return *(const int64_t *)call->bound; }

/* java.util.Random's nextDouble. */
static double chance_next(struct histogram *histogram)
{
    uint64_t bits[2], x = histogram->chance != 0 ? histogram->chance : CHANCE_START;
    for (int i = 0; i < 2; i++) {
        x = (x * UINT64_C(0x5deece66d) + 11) & CHANCE_MASK;
        bits[i] = x >> (i == 0 ? 22 : 21);
    }
    histogram->chance = x;
    return (double)((bits[0] << 27) + bits[1]) * 0x1p-53;
}

static void merge_nearest(struct histogram *histogram)
{
    struct bin *bins = histogram->bins;
    double nearest = bins[1].place - bins[0].place;
    uint32_t at = 0;
    int32_t ties = 1;
    if (stop_asked(histogram->count))
        return;
    for (uint32_t i = 1; i + 1 < histogram->count; i++) {
        double distance = bins[i + 1].place - bins[i].place;
        if (distance < nearest) {
            nearest = distance;
            at = i;
            ties = 1;
        } else if (distance == nearest && chance_next(histogram) <= 1.0 / ++ties) {
            at = i;
        }
    }
    struct bin *low = &bins[at], *high = &bins[at + 1];
    double count = low->count + high->count;
    low->place *= low->count / count;
    low->place += high->place / count * high->count;
    low->count = count;
    memmove(high, high + 1, (histogram->count - at - 2) * sizeof *high);
    histogram->count--;
}

static uint32_t place_of(const struct histogram *histogram, double value)
{
    uint32_t low = 0, high = histogram->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (histogram->bins[middle].place < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void put_bin(struct histogram *histogram, struct bin bin, size_t *heap_bytes)
{
    uint32_t at = place_of(histogram, bin.place);
    if (at < histogram->count && histogram->bins[at].place == bin.place) {
        histogram->bins[at].count += bin.count;
        return;
    }
    size_t before = histogram->capacity;
    mem_grow(histogram->bins, histogram->capacity, histogram->count + 1);
    *heap_bytes += (histogram->capacity - before) * sizeof bin;
    memmove(&histogram->bins[at + 1], &histogram->bins[at], (histogram->count - at) * sizeof bin);
    histogram->bins[at] = bin;
    histogram->count++;
}

static void histogram_row(const struct aggregate_rows *in, struct histogram *histogram, double value)
{
    put_bin(histogram, (struct bin){value, 1}, in->heap_bytes);
    if (histogram->count > bins_wanted(in->call))
        merge_nearest(histogram);
}

static void histogram_add(const struct aggregate_rows *in)
{
    EACH_ROW(in, in->args[0].valid, histogram_row(in, STATE_AT(in, struct histogram), number_at(&in->args[0], i)));
}

static bool histogram_merge(const struct aggregate_call *call, void *into, const void *from, size_t *heap_bytes)
{
    struct histogram *a = into;
    const struct histogram *b = from;
    for (uint32_t i = 0; i < b->count; i++)
        put_bin(a, b->bins[i], heap_bytes);
    while (a->count > bins_wanted(call) && !stop_is_up())
        merge_nearest(a);
    return true;
}

static bool histogram_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    const struct histogram *s = state;
    if (s->count == 0) {
        builder_null(out);
        return true;
    }
    struct builder *bin = &out->children[0];
    for (uint32_t i = 0; i < s->count; i++) {
        number_put(&bin->children[0], call->type->fields[0].type->fields[0].type, s->bins[i].place);
        builder_double(&bin->children[1], s->bins[i].count);
        builder_close_struct(bin);
    }
    builder_close_list(out);
    return true;
}

static void histogram_save(__attribute__((unused)) const struct aggregate_call *call, const void *state,
                           struct text *out)
{
    const struct histogram *s = state;
    text_add(out, &s->chance, sizeof s->chance);
    save_u32(out, s->count);
    text_add(out, s->bins, s->count * sizeof *s->bins);
}

static enum code histogram_load(const struct aggregate_call *call, struct bytes *in, void *state, size_t *heap_bytes,
                                struct error *err)
{
    struct histogram *s = state;
    struct bytes chance, bins;
    uint32_t count;
    if (!load_bytes(in, sizeof s->chance, &chance) || !load_u32(in, &count) || count > BINS_MAX ||
        !load_bytes(in, count * sizeof *s->bins, &bins))
        return fail(err, E_CORRUPT, "the state of %s is cut off", call->function->name);
    memcpy(&s->chance, chance.data, sizeof s->chance);
    s->bins = mem_array(struct bin, (size_t)count + 1);
    s->count = s->capacity = count;
    *heap_bytes += count * sizeof *s->bins;
    memcpy(s->bins, bins.data, bins.size);
    for (uint32_t i = 1; i < count; i++)
        if (s->bins[i].place < s->bins[i - 1].place)
            return fail(err, E_CORRUPT, "the state of %s is not in order", call->function->name);
    return E_OK;
}

static void histogram_drop(__attribute__((unused)) const struct aggregate_call *call, void *state, size_t *heap_bytes)
{
    struct histogram *s = state;
    *heap_bytes -= s->capacity * sizeof *s->bins;
    mem_free(s->bins);
    *s = (struct histogram){0};
}

static const struct aggregate_heap histogram_heap = {histogram_merge, histogram_save, histogram_load, histogram_drop};

static enum code bind_bins(struct aggregate_binding *binding, struct error *err)
{
    struct aggregate_call *call = binding->call;
    const struct expr *bins;
    int64_t *wanted = arena_new(binding->ctx->arena, int64_t);
    if (!expr_is_foldable(call->args[1]))
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] the input `nb` should be a foldable \"INT\" expression.");
    TRY(expr_cast(binding->ctx, call->args[1], type_of(TYPE_INT32), false, call->at, &bins, err));
    TRY(expr_fold(binding->ctx, bins, &bins, err));
    if (literal_is_null(bins))
        return fail(err, E_SQL, "[DATATYPE_MISMATCH.UNEXPECTED_NULL] The nb must not be null.");
    *wanted = literal_int(bins);
    if (*wanted < 2 || *wanted > BINS_MAX)
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE] The nb must be between [2, %d] (current value = %d).",
                    BINS_MAX, (int)*wanted);
    call->bound = wanted;
    call->variant = (uint64_t)*wanted;
    call->arg_count = 1;
    return E_OK;
}

static enum code bind_histogram(struct aggregate_binding *binding, struct error *err)
{
    struct aggregate_call *call = binding->call;
    const struct type *type = call->args[0]->type;
    bool time = type->id == TYPE_DATE || type->id == TYPE_TIMESTAMP || type->id == TYPE_TIMESTAMP_NTZ;
    if (type->id == TYPE_STRING || type->id == TYPE_NULL)
        call->args[0] = expr_cast_implicit(binding->ctx, call->args[0], type_of(TYPE_DOUBLE));
    else if (!type_is_numeric(type) && !time && type->id != TYPE_INTERVAL_DT && type->id != TYPE_INTERVAL_YM)
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] The first parameter requires a number, a time or an "
                    "interval, however it has the type \"%s\".",
                    type_sql(binding->ctx->arena, type));
    call->arg_types[0] = call->args[0]->type;
    struct field fields[] = {{"x", call->arg_types[0], true}, {"y", type_of(TYPE_DOUBLE), true}};
    binding->type = type_array(binding->ctx->arena, type_struct(binding->ctx->arena, fields, 2), true);
    return bind_bins(binding, err);
}

AGGREGATE(agg_histogram, "histogram_numeric", "(T, any) -> any",
          "At most so many bins, each the place x of about y values.",
          "SELECT histogram_numeric(c, 2) FROM VALUES (0), (1), (10) AS t(c)",
          "[{\"x\":0,\"y\":2.0},{\"x\":10,\"y\":1.0}]", .state_size = sizeof(struct histogram), .bind = bind_histogram,
          .add = histogram_add, .finish = histogram_finish, .heap = &histogram_heap);

const struct aggregate *const histogram_aggregates[] = {&agg_histogram, NULL};
