/* approx_count.c - approx_count_distinct.
 *
 * A state of few registers is a list of them; past SPARSE_MAX it has a byte per register. So groups of a few
 * values, of which there are many, stay small.
 */
#include "expr/approx_count.h"

#include <math.h>

#include "base/hash.h"
#include "expr/coerce.h"
#include "expr/digest.h"
#include "expr/value_bytes.h"

enum { SPARSE_MAX = 64, RANK_BITS = 8, HASH_BITS = 64, XXHASH_SEED = 42 };

struct sketch {
    uint32_t *sparse;         /* register << RANK_BITS | rank, in no order; or NULL */
    uint8_t *dense;           /* rank per register; or NULL */
    uint32_t count, capacity; /* of sparse */
};

static int bits_of(const struct aggregate_call *call) { return (int)(intptr_t)call->bound; }
static uint32_t registers_of(const struct aggregate_call *call) { return (uint32_t)1 << bits_of(call); }

/* ---- registers ---- */

static void make_dense(const struct aggregate_call *call, struct sketch *sketch, size_t *heap_bytes)
{
    sketch->dense = mem_zero(registers_of(call));
    for (uint32_t i = 0; i < sketch->count; i++)
        sketch->dense[sketch->sparse[i] >> RANK_BITS] = (uint8_t)sketch->sparse[i];
    *heap_bytes += registers_of(call) - sketch->capacity * sizeof *sketch->sparse;
    mem_free(sketch->sparse);
    sketch->sparse = NULL;
    sketch->count = sketch->capacity = 0;
}

static void register_raise(const struct aggregate_call *call, struct sketch *sketch, uint32_t index, uint8_t rank,
                           size_t *heap_bytes)
{
    for (uint32_t i = 0; i < sketch->count; i++) {
        if (sketch->sparse[i] >> RANK_BITS != index)
            continue;
        if ((uint8_t)sketch->sparse[i] < rank)
            sketch->sparse[i] = index << RANK_BITS | rank;
        return;
    }
    if (sketch->dense == NULL && sketch->count == SPARSE_MAX)
        make_dense(call, sketch, heap_bytes);
    if (sketch->dense != NULL) {
        sketch->dense[index] = rank > sketch->dense[index] ? rank : sketch->dense[index];
        return;
    }
    uint32_t capacity = sketch->capacity;
    mem_grow(sketch->sparse, sketch->capacity, sketch->count + 1);
    *heap_bytes += (sketch->capacity - capacity) * sizeof *sketch->sparse;
    sketch->sparse[sketch->count++] = index << RANK_BITS | rank;
}

static void hash_add(const struct aggregate_call *call, struct sketch *sketch, uint64_t hash, size_t *heap_bytes)
{
    int bits = bits_of(call);
    uint64_t rest = hash << bits | (uint64_t)1 << (bits - 1); // ends the run of zeros
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
    register_raise(call, sketch, (uint32_t)(hash >> (HASH_BITS - bits)), rank, heap_bytes);
}

static void sketch_add(const struct aggregate_rows *in)
{
    for (int64_t i = 0; i < in->rows; i++) {
        if ((in->active != NULL && !bit_get(in->active, i)) || column_is_null(&in->args[0], i))
            continue;
        hash_add(in->call, STATE_AT(in, struct sketch), value_xxhash64(&in->args[0], i, XXHASH_SEED), in->heap_bytes);
    }
}

static bool sketch_merge(const struct aggregate_call *call, void *into, const void *from, size_t *heap_bytes)
{
    struct sketch *a = into;
    const struct sketch *b = from;
    for (uint32_t i = 0; i < b->count; i++)
        register_raise(call, a, b->sparse[i] >> RANK_BITS, (uint8_t)b->sparse[i], heap_bytes);
    if (b->dense == NULL)
        return true;
    if (a->dense == NULL)
        make_dense(call, a, heap_bytes);
    for (uint32_t i = 0; i < registers_of(call); i++)
        a->dense[i] = a->dense[i] > b->dense[i] ? a->dense[i] : b->dense[i];
    return true;
}

/* ---- the estimate ---- */

/* Mean of how much the raw estimate was too large at the six measurements next to it. */
static double bias_of(int bits, double raw)
{
    enum { NEIGHBOURS = 6 };
    const struct raw_estimates *table = &raw_estimates[bits - APPROX_COUNT_BITS_MIN];
    int32_t low = 0;
    for (int32_t from = 0, to = table->count; from < to;) { // the first mean at or above
        int32_t middle = (from + to) / 2;
        if (table->means[middle] < raw)
            low = from = middle + 1;
        else
            low = to = middle;
    }
    low = low - NEIGHBOURS + 1 > 0 ? low - NEIGHBOURS + 1 : 0;
    int32_t high = low + NEIGHBOURS < table->count ? low + NEIGHBOURS : table->count;
    for (; high < table->count && fabs(raw - table->means[high]) < fabs(raw - table->means[low]); low++)
        high++;
    double sum = 0;
    for (int32_t i = low; i < high; i++)
        sum += table->means[i] - table->counts[i];
    return sum / (high - low);
}

static double scale_of(int bits, double registers)
{
    double alpha = bits == 4 ? 0.673 : bits == 5 ? 0.697 : bits == 6 ? 0.709 : 0.7213 / (1 + 1.079 / registers);
    return alpha * registers * registers;
}

/* `inverse`: sum of 2^-rank over all registers, of which `empty` have none. */
static double estimate(int bits, double inverse, double empty)
{
    double registers = (double)((uint32_t)1 << bits), raw = scale_of(bits, registers) / inverse;
    bool measured = bits < APPROX_COUNT_BITS_MIN + APPROX_COUNT_TABLES;
    double corrected = measured && raw < 5 * registers ? raw - bias_of(bits, raw) : raw;
    if (empty == 0)
        return corrected;
    double linear = registers * log(registers / empty);
    bool few = measured && linear <= raw_estimates[bits - APPROX_COUNT_BITS_MIN].linear_max;
    return few || raw <= 2.5 * registers ? linear : corrected;
}

static bool sketch_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    const struct sketch *s = state;
    double inverse = 0, empty = 0;
    for (uint32_t i = 0; s->dense != NULL && i < registers_of(call); i++) {
        inverse += ldexp(1, -s->dense[i]);
        empty += s->dense[i] == 0;
    }
    for (uint32_t i = 0; i < s->count; i++)
        inverse += ldexp(1, -(int)(uint8_t)s->sparse[i]);
    if (s->dense == NULL) {
        empty = (double)registers_of(call) - s->count;
        inverse += empty;
    }
    builder_int(out, llround(estimate(bits_of(call), inverse, empty)));
    return true;
}

/* ---- as bytes: the number of registers listed, or UINT32_MAX and all of them ---- */

static void sketch_save(const struct aggregate_call *call, const void *state, struct text *out)
{
    const struct sketch *s = state;
    save_u32(out, s->dense != NULL ? UINT32_MAX : s->count);
    if (s->dense != NULL)
        text_add(out, s->dense, registers_of(call));
    else
        text_add(out, s->sparse, s->count * sizeof *s->sparse);
}

static enum code sketch_load(const struct aggregate_call *call, struct bytes *in, void *state, size_t *heap_bytes,
                             struct error *err)
{
    uint32_t count, most = HASH_BITS - (uint32_t)bits_of(call) + 1;
    struct bytes bytes;
    bool fits = load_u32(in, &count) && (count <= SPARSE_MAX || count == UINT32_MAX) &&
                load_bytes(in, count == UINT32_MAX ? registers_of(call) : count * sizeof(uint32_t), &bytes);
    for (uint32_t i = 0; fits && count == UINT32_MAX && i < registers_of(call); i++)
        fits = bytes.data[i] <= most;
    if (fits && count == UINT32_MAX) {
        make_dense(call, state, heap_bytes);
        memcpy(((struct sketch *)state)->dense, bytes.data, registers_of(call));
        return E_OK;
    }
    for (uint32_t i = 0, one; fits && i < count; i++) {
        memcpy(&one, bytes.data + i * sizeof one, sizeof one);
        fits = one >> RANK_BITS < registers_of(call) && (uint8_t)one > 0 && (uint8_t)one <= most;
        if (fits)
            register_raise(call, state, one >> RANK_BITS, (uint8_t)one, heap_bytes);
    }
    return fits ? E_OK : fail(err, E_CORRUPT, "the state of %s is no sketch", call->function->name);
}

static void sketch_drop(const struct aggregate_call *call, void *state, size_t *heap_bytes)
{
    struct sketch *s = state;
    *heap_bytes -= s->capacity * sizeof *s->sparse + (s->dense != NULL ? registers_of(call) : 0);
    mem_free(s->sparse);
    mem_free(s->dense);
    *s = (struct sketch){0};
}

static const struct aggregate_heap sketch_heap = {sketch_merge, sketch_save, sketch_load, sketch_drop};

/* The second argument is the relative standard deviation: 1.106 / sqrt(2^p). */
static enum code bind_sketch(struct aggregate_binding *binding, struct error *err)
{
    struct aggregate_call *call = binding->call;
    double deviation = 0.05;
    if (call->arg_count == 2) {
        const struct expr *literal;
        TRY(expr_fold(binding->ctx, call->args[1], &literal, err));
        if (literal_is_null(literal))
            return fail(err, E_SQL, "[DATATYPE_MISMATCH] The relative standard deviation must not be NULL");
        deviation = column_values(literal->literal, const double)[0];
        call->arg_count = 1;
    }
    double bits = ceil(2 * log2(1.106 / deviation));
    if (!(deviation > 0) || bits < APPROX_COUNT_BITS_MIN)
        return fail(err, E_SQL,
                    "[FAILED_FUNCTION_CALL] approx_count_distinct needs a relative standard deviation of at "
                    "most 0.39 and above 0");
    if (bits > APPROX_COUNT_BITS_MAX)
        return fail(err, E_SQL,
                    "[FAILED_FUNCTION_CALL] approx_count_distinct: a relative standard deviation of %g needs "
                    "more than 1 MiB for each group",
                    deviation);
    call->bound = (const void *)(intptr_t)bits;
    call->variant = hash_mix((uint64_t)bits, 0);
    return E_OK;
}

AGGREGATE(agg_approx_count, "approx_count_distinct", "(any, double?) -> bigint",
          "About how many different values there are; the second argument is the relative standard deviation (0.05).",
          "SELECT approx_count_distinct(c) FROM VALUES (1), (1), (2), (3) AS t(c)", "3",
          .state_size = sizeof(struct sketch), .bind = bind_sketch, .add = sketch_add, .finish = sketch_finish,
          .heap = &sketch_heap);

const struct aggregate *const approx_aggregates[] = {&agg_approx_count, NULL};
