#include "format/json_column.h"

enum { ROWS_FIRST = 64, BYTES_FIRST = 1024 };

static bool is_list(const struct type *type) { return type->id == TYPE_ARRAY || type->id == TYPE_MAP; }
static bool has_offsets(const struct type *type) { return type_is_varlen(type) || is_list(type); }

void json_column_init(struct json_column *col, const struct type *type)
{
    *col = (struct json_column){.type = type, .id = type->id, .child_count = type->field_count};
    if (type->id == TYPE_STRUCT) // also one without fields: its records are still read
        json_keys_init(&col->keys, type->field_count);
    if (type->field_count == 0)
        return;
    col->children = mem_array(struct json_column, (size_t)type->field_count);
    for (int32_t i = 0; i < type->field_count; i++)
        json_column_init(&col->children[i], type->fields[i].type);
    if (type->id != TYPE_STRUCT)
        return;
    for (int32_t i = 0; i < type->field_count; i++)
        json_keys_add(&col->keys, type->fields[i].name, &col->children[i]);
}

void json_column_close(struct json_column *col)
{
    buffer_release(col->values_buffer);
    buffer_release(col->offsets_buffer);
    buffer_release(col->valid_buffer);
    for (int32_t i = 0; i < col->child_count; i++)
        json_column_close(&col->children[i]);
    mem_free(col->children);
    json_keys_close(&col->keys);
    *col = (struct json_column){0};
}

/* ---- room ---- */

/* `size` bytes in all, of which `used` are kept. */
static void grow(struct buffer **buffer, int64_t used, int64_t size)
{
    if (*buffer != NULL)
        (*buffer)->size = (size_t)used;
    buffer_grow(buffer, (size_t)size);
}

static int64_t fixed_bytes(const struct type *type, int64_t rows)
{
    return type->id == TYPE_BOOLEAN ? (int64_t)bit_bytes(rows) : rows * type_width(type);
}

void json_column_reserve(struct json_column *col, int64_t rows)
{
    if (rows <= col->row_capacity)
        return;
    if (has_offsets(col->type)) {
        grow(&col->offsets_buffer, col->offsets == NULL ? 0 : (col->rows + 1) * 4, (rows + 1) * 4);
        bool fresh = col->offsets == NULL;
        col->offsets = (int32_t *)(void *)col->offsets_buffer->data;
        if (fresh)
            col->offsets[0] = 0;
    } else if (!type_is_nested(col->type) && col->type->id != TYPE_NULL) {
        grow(&col->values_buffer, fixed_bytes(col->type, col->rows), fixed_bytes(col->type, rows));
        col->values = col->values_buffer->data;
    }
    if (col->has_nulls) {
        grow(&col->valid_buffer, (int64_t)bit_bytes(col->rows), (int64_t)bit_bytes(rows));
        /* Rows to come are present until a NULL is put. */
        size_t known = bit_bytes(col->rows);
        memset(col->valid_buffer->data + known, 0xff, bit_bytes(rows) - known);
    }
    if (col->type->id == TYPE_STRUCT) {
        json_keys_begin(&col->keys, rows);
        for (int32_t i = 0; i < col->child_count; i++)
            json_column_reserve(&col->children[i], rows);
    }
    col->habit.surprises = json_surprises(rows);
    col->row_capacity = rows;
}

void json_column_reserve_element(struct json_column *col)
{
    for (int32_t i = 0; i < col->child_count; i++) {
        struct json_column *child = &col->children[i];
        if (child->rows == child->row_capacity)
            json_column_reserve(child, child->rows < ROWS_FIRST ? ROWS_FIRST : child->rows * 2);
    }
}

bool json_column_grow(struct json_column *col, int64_t used, int64_t more)
{
    int64_t size = used + more > BYTES_FIRST ? used + more : BYTES_FIRST;
    if (used + more > INT32_MAX) {
        col->overflow = true;
        return false;
    }
    if (size < col->capacity * 2)
        size = col->capacity * 2;
    if (size < col->used_hint + col->used_hint / 8)
        size = col->used_hint + col->used_hint / 8;
    grow(&col->values_buffer, used, size);
    col->values = col->values_buffer->data;
    col->capacity = (int64_t)col->values_buffer->capacity;
    return true;
}

/* ---- putting ---- */

bool json_put_bytes(struct json_column *col, struct bytes value)
{
    if (value.size > INT32_MAX || !json_column_room(col, col->used, (int64_t)value.size)) {
        col->overflow = true;
        return false;
    }
    if (value.size > 0)
        memcpy(col->values + col->used, value.data, value.size);
    json_put_end(col, col->used + (int64_t)value.size);
    return true;
}

static void first_null(struct json_column *col)
{
    size_t size = bit_bytes(col->row_capacity);
    grow(&col->valid_buffer, 0, (int64_t)size);
    memset(col->valid_buffer->data, 0xff, size);
    col->has_nulls = true;
}

void json_put_null(struct json_column *col)
{
    if (!col->has_nulls)
        first_null(col);
    bit_clear(col->valid_buffer->data, col->rows);
    if (has_offsets(col->type)) {
        col->offsets[col->rows + 1] = is_list(col->type) ? (int32_t)col->children[0].rows : (int32_t)col->used;
    } else if (col->type->id == TYPE_STRUCT) {
        for (int32_t i = 0; i < col->child_count; i++)
            json_put_null(&col->children[i]);
    } else if (col->type->id == TYPE_BOOLEAN) {
        bit_clear(col->values, col->rows);
    } else if (col->type->id != TYPE_NULL) {
        size_t width = (size_t)type_width(col->type);
        memset(col->values + (size_t)col->rows * width, 0, width);
    }
    col->rows++;
}

void json_column_truncate(struct json_column *col, int64_t row)
{
    if (col->row_capacity == 0) // the elements of lists that were all empty so far
        return;
    if (col->has_nulls)
        for (int64_t i = row; i < col->rows; i++)
            bit_set(col->valid_buffer->data, i);
    if (type_is_varlen(col->type))
        col->used = col->offsets[row];
    for (int32_t i = 0; i < col->child_count; i++)
        json_column_truncate(&col->children[i], is_list(col->type) ? col->offsets[row] : row);
    col->rows = row;
}

/* ---- moving out ---- */

static struct buffer *take(struct buffer **buffer, int64_t size)
{
    struct buffer *taken = *buffer;
    *buffer = NULL;
    if (taken == NULL)
        return buffer_zero((size_t)size);
    taken->size = (size_t)size;
    return taken;
}

static void finish_valid(struct json_column *col, struct column *out)
{
    if (!col->has_nulls)
        return;
    if ((col->rows & 7) != 0) // bits past the end are 0
        col->valid_buffer->data[col->rows >> 3] &= (uint8_t)((1u << (col->rows & 7)) - 1);
    out->valid = take(&col->valid_buffer, (int64_t)bit_bytes(col->rows));
    out->nulls = col->rows - bit_count(out->valid->data, col->rows);
}

void json_column_finish(struct json_column *col, struct column *out)
{
    const struct type *type = col->type;
    *out = (struct column){.type = type, .rows = col->rows, .child_count = col->child_count};
    finish_valid(col, out);
    if (has_offsets(type))
        out->offsets = take(&col->offsets_buffer, (col->rows + 1) * 4);
    if (type_is_varlen(type)) {
        col->used_hint = col->used;
        out->values = take(&col->values_buffer, col->used);
    } else if (!type_is_nested(type) && type->id != TYPE_NULL) {
        out->values = take(&col->values_buffer, fixed_bytes(type, col->rows));
    }
    if (col->child_count > 0)
        out->children = mem_array(struct column, (size_t)col->child_count);
    for (int32_t i = 0; i < col->child_count; i++)
        json_column_finish(&col->children[i], &out->children[i]);
    buffer_release(col->valid_buffer);
    col->valid_buffer = NULL;
    col->values = NULL;
    col->offsets = NULL;
    col->rows = col->row_capacity = col->used = col->capacity = 0;
    col->has_nulls = col->overflow = false;
}
