/* order.h - inside expr/: Spark's order of values: NULL first, NaN last and equal to itself, -0.0 equal to 0.0, text by
 * its bytes, arrays element by element, structs field by field.
 *
 * Thread   any
 */
#ifndef EXPR_ORDER_H
#define EXPR_ORDER_H

#include "expr/function.h"

/* Below, equal to or above 0. Both columns have the same type. */
int value_compare(const struct column *a, int64_t i, const struct column *b, int64_t j);

static inline int bytes_compare(struct bytes a, struct bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size > 0 ? memcmp(a.data, b.data, size) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* All of them branch-free: the truth of x = y, x < y and x <= y where NaN is the largest value. */
#define FLOAT_EQUAL(x, y) (((x) == (y)) | (((x) != (x)) & ((y) != (y))))
#define FLOAT_LESS(x, y) (((x) < (y)) | (((y) != (y)) & ((x) == (x))))
#define FLOAT_LESS_EQUAL(x, y) (((x) <= (y)) | ((y) != (y)))

#endif
