#include "data/row_test.h"

/* A value that can be compared with others of its family. */
enum family { FAMILY_NONE, FAMILY_INTEGER, FAMILY_DECIMAL, FAMILY_REAL, FAMILY_BYTES, FAMILY_DATE, FAMILY_TIME };
struct scalar {
    enum family family;
    int detail; /* what else must be the same: a scale, an id */
    __int128 number;
    double real;
    struct bytes bytes;
};

/* ORDER TYPE */
static struct scalar scalar_of(const struct column *col, int64_t row)
{
    switch (col->type->id) {
    case TYPE_INT8: return (struct scalar){FAMILY_INTEGER, 0, column_values(col, int8_t)[row], 0, {0}};
    case TYPE_INT16: return (struct scalar){FAMILY_INTEGER, 0, column_values(col, int16_t)[row], 0, {0}};
    case TYPE_INT32: return (struct scalar){FAMILY_INTEGER, 0, column_values(col, int32_t)[row], 0, {0}};
    case TYPE_INT64: return (struct scalar){FAMILY_INTEGER, 0, column_values(col, int64_t)[row], 0, {0}};
    case TYPE_DATE: return (struct scalar){FAMILY_DATE, 0, column_values(col, int32_t)[row], 0, {0}};
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        return (struct scalar){FAMILY_TIME, (int)col->type->id, column_values(col, int64_t)[row], 0, {0}};
    case TYPE_DECIMAL: return (struct scalar){FAMILY_DECIMAL, col->type->scale, column_decimal_at(col, row), 0, {0}};
    case TYPE_FLOAT: return (struct scalar){FAMILY_REAL, 0, 0, (double)column_values(col, float)[row], {0}};
    case TYPE_DOUBLE: return (struct scalar){FAMILY_REAL, 0, 0, column_values(col, double)[row], {0}};
    case TYPE_STRING:
    case TYPE_BINARY: return (struct scalar){FAMILY_BYTES, (int)col->type->id, 0, 0, column_bytes_at(col, row)};
    default: return (struct scalar){0};
    }
}

static bool is_nan(const struct scalar *value) { return value->family == FAMILY_REAL && __builtin_isnan(value->real); }

static bool comparable(const struct scalar *a, const struct scalar *b)
{
    return a->family != FAMILY_NONE && a->family == b->family && a->detail == b->detail && !is_nan(a) && !is_nan(b);
}

static int compare(const struct scalar *a, const struct scalar *b)
{
    if (a->family == FAMILY_REAL)
        return (a->real > b->real) - (a->real < b->real);
    if (a->family != FAMILY_BYTES)
        return (a->number > b->number) - (a->number < b->number);
    size_t size = a->bytes.size < b->bytes.size ? a->bytes.size : b->bytes.size;
    int order = size > 0 ? memcmp(a->bytes.data, b->bytes.data, size) : 0;
    return order != 0 ? order : (a->bytes.size > b->bytes.size) - (a->bytes.size < b->bytes.size);
}

static bool meets(enum row_test_kind kind, int order)
{
    switch (kind) {
    case ROW_EQUAL: return order == 0;
    case ROW_LESS: return order < 0;
    case ROW_LESS_EQUAL: return order <= 0;
    case ROW_GREATER: return order > 0;
    case ROW_GREATER_EQUAL: return order >= 0;
    case ROW_NOT_NULL: break;
    }
    return true;
}

bool row_test_value(const struct row_test *test, const struct column *col, int64_t row)
{
    if (column_is_null(col, row))
        return false;
    if (test->kind == ROW_NOT_NULL)
        return true;
    struct scalar value = scalar_of(col, row), bound = scalar_of(test->value, 0);
    return !comparable(&value, &bound) || meets(test->kind, compare(&value, &bound));
}

bool row_test_range(const struct row_test *test, const struct column *min, const struct column *max)
{
    bool low_is_best = test->kind == ROW_LESS || test->kind == ROW_LESS_EQUAL;
    if (test->kind == ROW_NOT_NULL)
        return true;
    struct scalar low = scalar_of(min, 0), high = scalar_of(max, 0), bound = scalar_of(test->value, 0);
    if (!comparable(&low, &bound) || !comparable(&high, &bound))
        return true;
    if (test->kind == ROW_EQUAL)
        return compare(&low, &bound) <= 0 && compare(&high, &bound) >= 0;
    if (low_is_best)
        return meets(test->kind, compare(&low, &bound));
    return low.family == FAMILY_REAL || meets(test->kind, compare(&high, &bound)); // a NaN is the largest, and no bound
}
