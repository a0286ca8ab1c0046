#include "expr/order.h"

#include "expr/loop.h"

static int list_compare(const struct column *a, int64_t i, const struct column *b, int64_t j)
{
    const int32_t *p = column_offsets(a), *q = column_offsets(b);
    int32_t a_size = p[i + 1] - p[i], b_size = q[j + 1] - q[j];
    int32_t size = a_size < b_size ? a_size : b_size;
    for (int32_t k = 0; k < size; k++)
        for (int32_t child = 0; child < a->child_count; child++) {
            int order = value_compare(&a->children[child], p[i] + k, &b->children[child], q[j] + k);
            if (order != 0)
                return order;
        }
    return (a_size > b_size) - (a_size < b_size);
}

static int struct_compare(const struct column *a, int64_t i, const struct column *b, int64_t j)
{
    for (int32_t child = 0; child < a->child_count; child++) {
        int order = value_compare(&a->children[child], i, &b->children[child], j);
        if (order != 0)
            return order;
    }
    return 0;
}

int value_compare(const struct column *a, int64_t i, const struct column *b, int64_t j)
{
    bool a_valid = !column_is_null(a, i), b_valid = !column_is_null(b, j);
    if (!a_valid || !b_valid)
        return (int)a_valid - (int)b_valid;
    switch (type_shape(a->type)) {
#define FIXED(shape, ctype)                                                   \
    case shape: {                                                             \
        ctype x = column_values(a, ctype)[i], y = column_values(b, ctype)[j]; \
        return FLOAT_LESS(y, x) - FLOAT_LESS(x, y);                           \
    }
        SHAPES_FIXED(FIXED)
#undef FIXED
    case SHAPE_BITS: return bit_get(a->values->data, i) - bit_get(b->values->data, j);
    case SHAPE_BYTES: return bytes_compare(column_bytes_at(a, i), column_bytes_at(b, j));
    case SHAPE_NESTED: return a->type->id == TYPE_STRUCT ? struct_compare(a, i, b, j) : list_compare(a, i, b, j);
    case SHAPE_NONE: break;
    }
    return 0;
}
