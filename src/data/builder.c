#include "data/builder.h"

#include "base/memory.h"
#include "data/room.h"

enum { FIRST_BYTES = 512 };

/* What there is so far will be NULLs (room.h), so its bytes are overwritten from here on. */
static void drop(struct builder *builder, struct buffer *buffer)
{
    builder->dropped = true;
    if (buffer != NULL)
        buffer->size = 0;
}

/* The buffer with capacity for `more` bytes behind the used ones. */
static void grow(struct builder *builder, struct buffer **buffer, size_t more)
{
    size_t used = *buffer == NULL ? 0 : (*buffer)->size, need = used + more;
    if (builder->dropped || !room_fits((int64_t)need)) {
        drop(builder, *buffer);
        need = more;
    }
    size_t twice = need * 2;
    if (*buffer == NULL || need > (*buffer)->capacity)
        buffer_grow(buffer, twice > FIRST_BYTES ? twice : FIRST_BYTES);
}

/* Room for `more` bytes behind the used ones; returns that place and counts them as used. */
static uint8_t *extend(struct builder *builder, struct buffer **buffer, size_t more)
{
    if (*buffer == NULL || (*buffer)->size + more > (*buffer)->capacity)
        grow(builder, buffer, more);
    size_t used = (*buffer)->size;
    (*buffer)->size = used + more;
    return (*buffer)->data + used;
}

static void extend_bits(struct builder *builder, struct buffer **buffer, int64_t at, int on)
{
    if ((at & 7) == 0)
        *extend(builder, buffer, 1) = 0;
    bit_put((*buffer)->data + (*buffer)->size - 1, at & 7, on); // the last byte is the one of `at`
}

static void add_offset(struct builder *builder, size_t end)
{
    if (end > INT32_MAX) {
        room_pass();
        drop(builder, NULL);
        end = 0;
    }
    int32_t value = (int32_t)end;
    memcpy(extend(builder, &builder->offsets, sizeof value), &value, sizeof value);
}

static bool has_offsets(const struct type *type)
{
    return type_is_varlen(type) || type->id == TYPE_ARRAY || type->id == TYPE_MAP;
}

void builder_init(struct builder *builder, const struct type *type)
{
    *builder = (struct builder){.type = type, .child_count = type->field_count};
    if (has_offsets(type))
        add_offset(builder, 0);
    if (type->field_count == 0)
        return;
    builder->children = mem_array(struct builder, (size_t)type->field_count);
    for (int32_t i = 0; i < type->field_count; i++)
        builder_init(&builder->children[i], type->fields[i].type);
}

void builder_release(struct builder *builder)
{
    buffer_release(builder->valid);
    buffer_release(builder->offsets);
    buffer_release(builder->values);
    for (int32_t i = 0; i < builder->child_count; i++)
        builder_release(&builder->children[i]);
    mem_free(builder->children);
    *builder = (struct builder){0};
}

static bool is_dropped(const struct builder *builder)
{
    bool dropped = builder->dropped;
    for (int32_t i = 0; i < builder->child_count && !dropped; i++)
        dropped = is_dropped(&builder->children[i]);
    return dropped;
}

void builder_finish(struct builder *builder, struct column *out)
{
    const struct type *type = builder->type;
    if (is_dropped(builder)) {
        column_all_null(out, type, builder->rows);
        builder_release(builder);
        builder_init(builder, type);
        return;
    }
    struct column col = {.type = type,
                         .rows = builder->rows,
                         .nulls = builder->nulls,
                         .valid = builder->valid,
                         .offsets = builder->offsets,
                         .values = builder->values,
                         .child_count = builder->child_count};
    if (col.values == NULL && !type_is_nested(type) && type->id != TYPE_NULL)
        col.values = buffer_zero(0);
    builder->valid = builder->offsets = builder->values = NULL;
    if (col.child_count > 0)
        col.children = mem_array(struct column, (size_t)col.child_count);
    for (int32_t i = 0; i < col.child_count; i++)
        builder_finish(&builder->children[i], &col.children[i]);
    builder->rows = builder->nulls = 0;
    if (has_offsets(type))
        add_offset(builder, 0);
    *out = col;
}

/* Count one more row. The bits are kept only from the first NULL on. */
static void add_row(struct builder *builder, bool present)
{
    if (!present && builder->valid == NULL) {
        builder->valid = buffer_new(0);
        uint8_t *bits = extend(builder, &builder->valid, bit_bytes(builder->rows));
        bit_fill(bits, builder->rows, 1);
    }
    if (builder->valid != NULL)
        extend_bits(builder, &builder->valid, builder->rows, present);
    builder->nulls += !present;
    builder->rows++;
}

static size_t end_of_row(const struct builder *builder)
{
    if (type_is_varlen(builder->type))
        return builder->values == NULL ? 0 : builder->values->size;
    return (size_t)builder->children[0].rows;
}

void builder_null(struct builder *builder)
{
    const struct type *type = builder->type;
    if (type->id == TYPE_BOOLEAN)
        extend_bits(builder, &builder->values, builder->rows, 0);
    else if (has_offsets(type))
        add_offset(builder, end_of_row(builder));
    else if (type_width(type) > 0)
        memset(extend(builder, &builder->values, (size_t)type_width(type)), 0, (size_t)type_width(type));
    else if (type->id == TYPE_STRUCT)
        for (int32_t i = 0; i < builder->child_count; i++)
            builder_null(&builder->children[i]);
    add_row(builder, false);
}

void builder_boolean(struct builder *builder, bool value)
{
    dassert(builder->type->id == TYPE_BOOLEAN);
    extend_bits(builder, &builder->values, builder->rows, value);
    add_row(builder, true);
}

void builder_int(struct builder *builder, int64_t value)
{
    int32_t width = type_width(builder->type);
    always(width > 0);
    switch (width) {
    case 1: *extend(builder, &builder->values, 1) = (uint8_t)value; break;
    case 2: memcpy(extend(builder, &builder->values, 2), &(int16_t){(int16_t)value}, 2); break;
    case 4: memcpy(extend(builder, &builder->values, 4), &(int32_t){(int32_t)value}, 4); break;
    case 8: memcpy(extend(builder, &builder->values, 8), &value, 8); break;
    default: memcpy(extend(builder, &builder->values, 16), &(__int128){value}, 16); break;
    }
    add_row(builder, true);
}

void builder_double(struct builder *builder, double value)
{
    if (builder->type->id == TYPE_FLOAT)
        memcpy(extend(builder, &builder->values, 4), &(float){(float)value}, 4);
    else
        memcpy(extend(builder, &builder->values, 8), &value, 8);
    add_row(builder, true);
}

void builder_int128(struct builder *builder, __int128 value)
{
    dassert(builder->type->id == TYPE_DECIMAL || builder->type->id == TYPE_INTERVAL);
    if (type_width(builder->type) == 16)
        memcpy(extend(builder, &builder->values, 16), &value, 16);
    else
        memcpy(extend(builder, &builder->values, 8), &(int64_t){(int64_t)value}, 8);
    add_row(builder, true);
}

void builder_bytes(struct builder *builder, struct bytes value)
{
    dassert(type_is_varlen(builder->type));
    uint8_t *at = extend(builder, &builder->values, value.size);
    if (value.size > 0)
        memcpy(at, value.data, value.size);
    add_offset(builder, builder->values->size);
    add_row(builder, true);
}

void builder_close_list(struct builder *builder)
{
    dassert(builder->child_count == 1 || builder->children[0].rows == builder->children[1].rows);
    add_offset(builder, end_of_row(builder));
    add_row(builder, true);
}

void builder_close_struct(struct builder *builder)
{
    for (int32_t i = 0; i < builder->child_count; i++)
        dassert(builder->children[i].rows == builder->rows + 1);
    add_row(builder, true);
}

/* Rows [from, to) of a list's child go into each child builder. */
static void copy_list(struct builder *builder, const struct column *col, int64_t row)
{
    const int32_t *offsets = column_offsets(col);
    for (int32_t i = 0; i < builder->child_count; i++)
        for (int64_t j = offsets[row]; j < offsets[row + 1]; j++)
            builder_copy(&builder->children[i], &col->children[i], j);
    builder_close_list(builder);
}

void builder_copy(struct builder *builder, const struct column *col, int64_t row)
{
    const struct type *type = builder->type;
    size_t width = (size_t)type_width(type);
    if (column_is_null(col, row)) {
        builder_null(builder);
    } else if (type->id == TYPE_BOOLEAN) {
        builder_boolean(builder, bit_get(col->values->data, row));
    } else if (type_is_varlen(type)) {
        builder_bytes(builder, column_bytes_at(col, row));
    } else if (type->id == TYPE_STRUCT) {
        for (int32_t i = 0; i < builder->child_count; i++)
            builder_copy(&builder->children[i], &col->children[i], row);
        builder_close_struct(builder);
    } else if (type_is_nested(type)) {
        copy_list(builder, col, row);
    } else {
        memcpy(extend(builder, &builder->values, width), col->values->data + (size_t)row * width, width);
        add_row(builder, true);
    }
}
