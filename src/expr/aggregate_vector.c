/* aggregate_vector.c - sums and means of vectors, ARRAY<FLOAT> of one size; a vector with a NULL in it does not count.
 *
 * Means    go row by row in single precision, as Spark's do: mean + (value - mean) * (1 / count)
 */
#include "expr/aggregate.h"
#include "expr/coerce.h"
#include "expr/value_bytes.h"

enum { VECTOR_SIZE_MAX = 1 << 20 };

struct vector_state {
    float *values;
    uint32_t size;
    uint32_t mismatch; /* some vector had another size: the result is NULL */
    int64_t count;
};

/* The elements of a row's vector; NULL when it does not count. */
static const float *vector_at(const struct column *col, int64_t row, uint32_t *size)
{
    static const float none[1];
    const int32_t *offsets = column_offsets(col);
    const struct column *elements = &col->children[0];
    if (column_is_null(col, row))
        return NULL;
    for (int32_t i = offsets[row]; elements->valid != NULL && i < offsets[row + 1]; i++)
        if (column_is_null(elements, i))
            return NULL;
    *size = (uint32_t)(offsets[row + 1] - offsets[row]);
    return *size > 0 ? column_values(elements, const float) + offsets[row] : none;
}

static bool is_mean(const struct aggregate_call *call) { return call->bound != NULL; }

static void vector_row(bool mean, struct vector_state *state, const float *values)
{
    float inverse = 1.0f / (float)state->count;
    for (uint32_t k = 0; k < state->size; k++)
        state->values[k] += mean ? (values[k] - state->values[k]) * inverse : values[k];
}

/* The first vector says how many values there are. */
static bool vector_begin(struct vector_state *state, uint32_t size, size_t *heap_bytes)
{
    if (state->count > 0)
        return state->size == size;
    if (size > VECTOR_SIZE_MAX)
        return false;
    state->values = mem_array(float, (size_t)size + 1);
    state->size = size;
    *heap_bytes += (size_t)size * sizeof(float);
    return true;
}

static void vector_add(const struct aggregate_rows *in)
{
    for (int64_t i = 0; i < in->rows; i++) {
        uint32_t size;
        const float *values;
        if ((in->active != NULL && !bit_get(in->active, i)) || (values = vector_at(&in->args[0], i, &size)) == NULL)
            continue;
        struct vector_state *state = STATE_AT(in, struct vector_state);
        if (!vector_begin(state, size, in->heap_bytes)) {
            rejects_add(in->rejects, i, -1, REJECT_VECTOR_SIZE);
            continue;
        }
        state->count++;
        vector_row(is_mean(in->call), state, values);
    }
}

static bool vector_merge(const struct aggregate_call *call, void *into, const void *from, size_t *heap_bytes)
{
    struct vector_state *a = into;
    const struct vector_state *b = from;
    if (b->count == 0 || a->mismatch != 0)
        return true;
    if (b->mismatch != 0 || !vector_begin(a, b->size, heap_bytes)) {
        a->mismatch = 1;
        return false;
    }
    float count = (float)(a->count + b->count), mine = (float)a->count / count, theirs = (float)b->count / count;
    for (uint32_t k = 0; k < a->size; k++)
        a->values[k] = is_mean(call) ? a->values[k] * mine + b->values[k] * theirs : a->values[k] + b->values[k];
    a->count += b->count;
    return true;
}

static bool vector_finish(__attribute__((unused)) const struct aggregate_call *call, const void *state,
                          struct builder *out)
{
    const struct vector_state *s = state;
    if (s->count == 0 || s->mismatch != 0) {
        builder_null(out);
        return true; // a mismatch was counted when it happened
    }
    for (uint32_t k = 0; k < s->size; k++)
        builder_double(&out->children[0], (double)s->values[k]);
    builder_close_list(out);
    return true;
}

static void vector_save(__attribute__((unused)) const struct aggregate_call *call, const void *state, struct text *out)
{
    const struct vector_state *s = state;
    text_add(out, &s->count, sizeof s->count);
    save_u32(out, s->size);
    save_u32(out, s->mismatch);
    text_add(out, s->values, s->size * sizeof(float));
}

static enum code vector_load(const struct aggregate_call *call, struct bytes *in, void *state, size_t *heap_bytes,
                             struct error *err)
{
    struct vector_state *s = state;
    struct bytes count, values;
    uint32_t size, mismatch;
    if (!load_bytes(in, sizeof s->count, &count) || !load_u32(in, &size) || !load_u32(in, &mismatch) ||
        size > VECTOR_SIZE_MAX || mismatch > 1 || !load_bytes(in, size * sizeof(float), &values))
        return fail(err, E_CORRUPT, "the state of %s is cut off", call->function->name);
    s->mismatch = mismatch;
    if (size > 0 || mismatch == 0)
        always(vector_begin(s, size, heap_bytes));
    if (size > 0)
        memcpy(s->values, values.data, values.size);
    memcpy(&s->count, count.data, sizeof s->count);
    return s->count >= 0 ? E_OK : fail(err, E_CORRUPT, "the state of %s has no count", call->function->name);
}

static void vector_drop(__attribute__((unused)) const struct aggregate_call *call, void *state, size_t *heap_bytes)
{
    struct vector_state *s = state;
    *heap_bytes -= s->size * sizeof(float);
    mem_free(s->values);
    *s = (struct vector_state){0};
}

static const struct aggregate_heap vector_heap = {vector_merge, vector_save, vector_load, vector_drop};

static enum code bind_vector(struct aggregate_binding *binding, struct error *err)
{
    const struct type *type = binding->call->arg_types[0];
    if (type->id != TYPE_ARRAY || type->fields[0].type->id != TYPE_FLOAT)
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] The first parameter requires the \"ARRAY<FLOAT>\" type, "
                    "however it has the type \"%s\".",
                    type_sql(binding->ctx->arena, type));
    binding->type = type_array(binding->ctx->arena, type_of(TYPE_FLOAT), false);
    return E_OK;
}

static enum code bind_mean(struct aggregate_binding *binding, struct error *err)
{
    static const char mean = 0;
    binding->call->bound = &mean;
    return bind_vector(binding, err);
}

AGGREGATE(agg_vector_sum, "vector_sum", "(any) -> array<float>", "Sums of the values at each place of the vectors.",
          "SELECT vector_sum(c) FROM VALUES (array(1.0F, 2.0F)), (array(3.0F, 4.0F)) AS t(c)", "[4.0,6.0]",
          .state_size = sizeof(struct vector_state), .bind = bind_vector, .add = vector_add, .finish = vector_finish,
          .heap = &vector_heap);
AGGREGATE(agg_vector_avg, "vector_avg", "(any) -> array<float>", "Means of the values at each place of the vectors.",
          "SELECT vector_avg(c) FROM VALUES (array(1.0F, 2.0F)), (array(3.0F, 4.0F)) AS t(c)", "[2.0,3.0]",
          .state_size = sizeof(struct vector_state), .bind = bind_mean, .add = vector_add, .finish = vector_finish,
          .heap = &vector_heap);

const struct aggregate *const vector_aggregates[] = {&agg_vector_sum, &agg_vector_avg, NULL};
