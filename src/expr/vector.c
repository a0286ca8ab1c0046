/* vector.c - arrays of FLOAT as vectors: norms, products, distances. A NULL among the elements makes the result NULL.
 *
 * Sums are of floats, in the order of the elements, as Spark's loops are
 */
#include <math.h>

#include "expr/coerce.h"
#include "expr/loop.h"

struct vector {
    const float *values;
    int64_t size;
    bool whole; /* without NULLs */
};

static struct vector vector_at(const struct arg *arg, int64_t row)
{
    const struct column *child = &arg->col->children[0];
    const int32_t *offsets = column_offsets(arg->col) + row * arg->step;
    struct vector vector = {child->values == NULL ? NULL : column_values(child, float) + offsets[0],
                            offsets[1] - offsets[0], true};
    for (int32_t i = offsets[0]; child->valid != NULL && i < offsets[1]; i++)
        vector.whole = vector.whole && bit_get(child->valid->data, i);
    return vector;
}

/* Vectors are ARRAY<FLOAT> and a degree is a FLOAT, nothing else: no implied cast from DOUBLE. */
static enum code bind_exact(struct binding *binding, struct error *err)
{
    for (int32_t i = 0; i < binding->count; i++) {
        const struct expr *arg = binding->args[i];
        bool implied = arg->kind == EXPR_CAST && arg->index == 0;
        if (implied && arg->args[0]->type->id != TYPE_NULL)
            return fail(err, E_SQL,
                        "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] The parameter %d of `%s` requires the \"%s\" type, "
                        "however it has the type \"%s\".",
                        i + 1, binding->function->name, type_sql(binding->ctx->arena, arg->type),
                        type_sql(binding->ctx->arena, arg->args[0]->type));
    }
    return E_OK;
}

/* ---- norms ---- */

static bool norm_of(const struct vector *vector, float degree, float *out)
{
    double sum = 0, largest = 0;
    for (int64_t i = 0; i < vector->size; i++) {
        double value = fabs((double)vector->values[i]);
        sum += degree == 1.0f ? value : value * value;
        largest = value > largest ? value : largest;
    }
    *out = (float)(isinf(degree) ? largest : degree == 1.0f ? sum : sqrt(sum));
    return degree == 1.0f || degree == 2.0f || (isinf(degree) && degree > 0);
}

static float degree_at(const struct call *call, const struct arg *args, int64_t row)
{
    return call->arg_count > 1 ? arg_values(&args[1], float)[row * args[1].step] : 2.0f;
}

SCALAR(fn_vector_norm, "vector_norm", "(array<float>!!, float?) -> float",
       "The norm of a vector: of degree 1, 2 (default) or infinity.", "vector_norm(array(3.0F, 4.0F))", "5.0",
       .bind = bind_exact, .flags = FN_FAILS | FN_NULLABLE)
{
    for (int64_t i = 0; i < call->rows; i++) {
        struct vector vector = vector_at(&args[0], i);
        float *r = &column_values(out, float)[i];
        *r = 0;
        if (!call_valid(call, i))
            continue;
        if (!norm_of(&vector, degree_at(call, args, i), r))
            call_reject(call, i, REJECT_NORM_DEGREE);
        else if (!vector.whole)
            call_null(call, i);
    }
}

static enum code bind_normalize(struct binding *binding, struct error *err)
{
    TRY(bind_exact(binding, err));
    binding->type = type_array(binding->ctx->arena, type_of(TYPE_FLOAT), false);
    return E_OK;
}
SCALAR(fn_vector_normalize, "vector_normalize", "(array<float>!!, float?) -> array<float>",
       "The vector of the same direction whose norm is 1.", "vector_normalize(array(3.0F, 4.0F))", "[0.6,0.8]",
       .bind = bind_normalize, .flags = FN_FAILS | FN_NULLABLE)
{
    struct builder builder;
    builder_init(&builder, out->type);
    for (int64_t i = 0; i < call->rows; i++) {
        struct vector vector = vector_at(&args[0], i);
        float norm = 0;
        if (call_valid(call, i) && !norm_of(&vector, degree_at(call, args, i), &norm))
            call_reject(call, i, REJECT_NORM_DEGREE);
        if (call_valid(call, i) && (!vector.whole || (norm == 0 && vector.size > 0)))
            call_null(call, i);
        if (!call_valid(call, i)) {
            builder_null(&builder);
            continue;
        }
        for (int64_t k = 0; k < vector.size; k++)
            builder_double(&builder.children[0], (double)(vector.values[k] / norm));
        builder_close_list(&builder);
    }
    struct buffer *valid = out->valid;
    builder_finish(&builder, out);
    buffer_release(out->valid);
    out->valid = valid;
    out->nulls = -1;
    builder_release(&builder);
}

/* ---- two vectors ---- */

struct products {
    float inner, a_square, b_square, distance;
};

static struct products products_of(const struct vector *a, const struct vector *b)
{
    struct products sums = {0};
    for (int64_t i = 0; i < a->size; i++) {
        float x = a->values[i], y = b->values[i];
        sums.inner += x * y;
        sums.a_square += x * x;
        sums.b_square += y * y;
        sums.distance += (x - y) * (x - y);
    }
    return sums;
}

#define TWO_VECTORS(id, name_, help_, example_, expected_, value, undefined)                                       \
    SCALAR(id, name_, "(array<float>!!, array<float>!!) -> float", help_, example_, expected_, .bind = bind_exact, \
           .flags = FN_FAILS | FN_NULLABLE)                                                                        \
    {                                                                                                              \
        for (int64_t i = 0; i < call->rows; i++) {                                                                 \
            struct vector a = vector_at(&args[0], i), b = vector_at(&args[1], i);                                  \
            struct products s = {0};                                                                               \
            if (!call_valid(call, i))                                                                              \
                continue;                                                                                          \
            if (a.size != b.size)                                                                                  \
                call_reject(call, i, REJECT_VECTOR_SIZE);                                                          \
            else if (!a.whole || !b.whole)                                                                         \
                call_null(call, i);                                                                                \
            else                                                                                                   \
                s = products_of(&a, &b);                                                                           \
            column_values(out, float)[i] = value;                                                                  \
            if (call_valid(call, i) && (undefined))                                                                \
                call_null(call, i);                                                                                \
        }                                                                                                          \
    }
TWO_VECTORS(fn_inner_product, "vector_inner_product", "The sum of the products of the elements.",
            "vector_inner_product(array(1.0F, 2.0F), array(3.0F, 4.0F))", "11.0", s.inner, false)
TWO_VECTORS(fn_cosine, "vector_cosine_similarity",
            "The cosine of the angle between two vectors; NULL for one of zeros.",
            "vector_cosine_similarity(array(1.0F, 0.0F), array(1.0F, 0.0F))", "1.0",
            s.inner / (float)sqrt((double)(s.a_square * s.b_square)), s.a_square == 0 || s.b_square == 0)
TWO_VECTORS(fn_l2_distance, "vector_l2_distance", "The distance between two points.",
            "vector_l2_distance(array(0.0F, 0.0F), array(3.0F, 4.0F))", "5.0", (float)sqrt((double)s.distance), false)

const struct function *const vector_functions[] = {&fn_vector_norm, &fn_vector_normalize, &fn_inner_product,
                                                   &fn_cosine,      &fn_l2_distance,      NULL};
