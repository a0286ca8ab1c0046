#include "data/column.h"

#include <math.h>

#include "base/memory.h"

void column_release(struct column *col)
{
    buffer_release(col->valid);
    buffer_release(col->offsets);
    buffer_release(col->values);
    for (int32_t i = 0; i < col->child_count; i++)
        column_release(&col->children[i]);
    mem_free(col->children);
    *col = (struct column){0};
}

void column_share(struct column *out, const struct column *col)
{
    struct column shared = *col;
    buffer_retain(shared.valid);
    buffer_retain(shared.offsets);
    buffer_retain(shared.values);
    if (col->child_count > 0) {
        shared.children = mem_array(struct column, (size_t)col->child_count);
        for (int32_t i = 0; i < col->child_count; i++)
            column_share(&shared.children[i], &col->children[i]);
    }
    *out = shared;
}

int64_t column_nulls(struct column *col)
{
    if (col->nulls < 0)
        col->nulls = col->valid == NULL ? 0 : col->rows - bit_count(col->valid->data, col->rows);
    return col->nulls;
}

bool column_is_null(const struct column *col, int64_t row)
{
    return col->type->id == TYPE_NULL || !column_valid_at(col, row);
}

void column_all_null(struct column *out, const struct type *type, int64_t rows)
{
    struct column col = {.type = type, .rows = rows, .nulls = rows, .child_count = type->field_count};
    bool list = type->id == TYPE_ARRAY || type->id == TYPE_MAP;
    col.valid = buffer_zero(bit_bytes(rows));
    if (list || type_is_varlen(type))
        col.offsets = buffer_zero(((size_t)rows + 1) * sizeof(int32_t));
    if (type->id == TYPE_BOOLEAN)
        col.values = buffer_zero(bit_bytes(rows));
    else if (!type_is_nested(type) && type->id != TYPE_NULL)
        col.values = buffer_zero((size_t)rows * (size_t)type_width(type));
    if (col.child_count > 0)
        col.children = mem_array(struct column, (size_t)col.child_count);
    for (int32_t i = 0; i < col.child_count; i++)
        column_all_null(&col.children[i], type->fields[i].type, list ? 0 : rows);
    *out = col;
}

static bool list_equal(const struct column *a, int64_t i, const struct column *b, int64_t j)
{
    const int32_t *a_at = column_offsets(a) + i, *b_at = column_offsets(b) + j;
    if (a_at[1] - a_at[0] != b_at[1] - b_at[0])
        return false;
    for (int32_t child = 0; child < a->child_count; child++)
        for (int32_t k = 0; k < a_at[1] - a_at[0]; k++)
            if (!column_equal_at(&a->children[child], a_at[0] + k, &b->children[child], b_at[0] + k))
                return false;
    return true;
}

/* Spark's equality: NaN equals itself, -0.0 equals 0.0. */
static bool double_equal(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

bool column_equal_at(const struct column *a, int64_t i, const struct column *b, int64_t j)
{
    bool a_null = column_is_null(a, i), b_null = column_is_null(b, j);
    if (a_null || b_null)
        return a_null && b_null;
    size_t width = (size_t)type_width(a->type);
    switch (a->type->id) {
    case TYPE_NULL: return true;
    case TYPE_BOOLEAN: return bit_get(a->values->data, i) == bit_get(b->values->data, j);
    case TYPE_FLOAT: return double_equal((double)column_values(a, float)[i], (double)column_values(b, float)[j]);
    case TYPE_DOUBLE: return double_equal(column_values(a, double)[i], column_values(b, double)[j]);
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_VARIANT: return bytes_equal(column_bytes_at(a, i), column_bytes_at(b, j));
    case TYPE_ARRAY:
    case TYPE_MAP: return list_equal(a, i, b, j);
    case TYPE_STRUCT:
        for (int32_t child = 0; child < a->child_count; child++)
            if (!column_equal_at(&a->children[child], i, &b->children[child], j))
                return false;
        return true;
    default: return memcmp(a->values->data + (size_t)i * width, b->values->data + (size_t)j * width, width) == 0;
    }
}

static void check_offsets(const struct column *col, int64_t limit)
{
    always(col->offsets != NULL && col->offsets->size >= ((size_t)col->rows + 1) * sizeof(int32_t));
    const int32_t *offsets = column_offsets(col);
    always(offsets[0] == 0);
    for (int64_t i = 0; i < col->rows; i++) {
        always(offsets[i] <= offsets[i + 1]);
        always(column_valid_at(col, i) || offsets[i] == offsets[i + 1]);
    }
    always(offsets[col->rows] <= limit);
}

/* A NULL row of a STRUCT has NULL in every child. */
static void check_struct(const struct column *col)
{
    for (int32_t i = 0; i < col->child_count; i++) {
        always(col->children[i].rows == col->rows);
        for (int64_t row = 0; row < col->rows; row++)
            always(column_valid_at(col, row) || column_is_null(&col->children[i], row));
    }
}

void column_check(const struct column *col)
{
    const struct type *type = col->type;
    always(col->rows >= 0 && col->child_count == type->field_count);
    if (col->valid != NULL) {
        always(col->valid->size >= bit_bytes(col->rows));
        always(col->nulls < 0 || col->nulls == col->rows - bit_count(col->valid->data, col->rows));
    } else {
        always(col->nulls <= 0 || type->id == TYPE_NULL);
    }
    if (type_is_varlen(type))
        check_offsets(col, (int64_t)col->values->size);
    else if (type->id == TYPE_ARRAY || type->id == TYPE_MAP)
        check_offsets(col, col->children[0].rows);
    else if (type->id == TYPE_STRUCT)
        check_struct(col);
    else if (type->id == TYPE_BOOLEAN)
        always(col->values->size >= bit_bytes(col->rows));
    else if (type->id != TYPE_NULL)
        always(col->values->size >= (size_t)col->rows * (size_t)type_width(type));
    for (int32_t i = 0; i < col->child_count; i++) {
        always(type_equal(col->children[i].type, type->fields[i].type));
        column_check(&col->children[i]);
    }
}
