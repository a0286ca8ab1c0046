#include "expr/aggregate_box.h"

#include "expr/order.h"
#include "expr/value_bytes.h"

void fixed_set(struct fixed *fixed, const struct column *col, int64_t row)
{
    if (column_is_null(col, row)) {
        fixed->seen = SEEN_NULL;
        return;
    }
    int32_t width = type_width(col->type);
    int8_t bit = 0;
    if (width == 0)
        bit = (int8_t)bit_get(col->values->data, row);
    const void *from =
        width == 0 ? (const void *)&bit : (const void *)(col->values->data + (size_t)row * (size_t)width);
    memcpy(&fixed->value, from, width == 0 ? 1 : (size_t)width);
    fixed->seen = SEEN_VALUE;
}

void fixed_build(const struct fixed *fixed, const struct type *type, struct builder *out)
{
    const void *value = &fixed->value;
    if (fixed->seen != SEEN_VALUE) {
        builder_null(out);
        return;
    }
    switch (type_shape(type)) {
#define INTEGER(shape, ctype) \
    case shape: builder_int(out, *(const ctype *)value); break;
        SHAPES_INTEGER(INTEGER)
#undef INTEGER
#define FLOATING(shape, ctype) \
    case shape: builder_double(out, (double)*(const ctype *)value); break;
        SHAPES_FLOAT(FLOATING)
#undef FLOATING
    case SHAPE_I128: builder_int128(out, fixed->value); break;
    case SHAPE_BITS: builder_boolean(out, *(const int8_t *)value != 0); break;
    default: builder_null(out);
    }
}

/* ---- boxes ---- */

enum { BOX_SPARE = 16 }; /* bytes more than needed, so that a slightly longer value finds room */

void box_put(struct box *box, struct bytes bytes, size_t *heap_bytes)
{
    if (bytes.size > box->capacity || box->data == NULL) {
        uint32_t capacity = (uint32_t)(bytes.size + BOX_SPARE);
        *heap_bytes += capacity - box->capacity;
        box->capacity = capacity;
        box->data = mem_resize(box->data, box->capacity);
    }
    memcpy(box->data, bytes.data, bytes.size);
    box->size = (uint32_t)bytes.size;
}

void box_set(struct box *box, const struct column *col, int64_t row, size_t *heap_bytes)
{
    struct text text = {0};
    value_save(col, row, false, &text);
    box_put(box, text_view(&text), heap_bytes);
    text_free(&text);
}

void box_build(const struct box *box, const struct type *type, struct builder *out)
{
    struct bytes in = bytes_of(box->data, box->size);
    if (box->data == NULL)
        builder_null(out);
    else
        always(value_load(&in, type, out));
}

int box_compare(const struct box *box, const struct column *col, int64_t row)
{
    enum { TEXT_AT = 5 }; // flag and size come before the text
    if (type_is_varlen(col->type))
        return bytes_compare(bytes_of(box->data + TEXT_AT, box->size - TEXT_AT), column_bytes_at(col, row));
    struct builder builder;
    struct column one;
    builder_init(&builder, col->type);
    box_build(box, col->type, &builder);
    builder_finish(&builder, &one);
    int order = value_compare(&one, 0, col, row);
    column_release(&one);
    builder_release(&builder);
    return order;
}

int boxes_compare(const struct box *a, const struct box *b, const struct type *type)
{
    struct builder builder;
    struct column one;
    builder_init(&builder, type);
    box_build(b, type, &builder);
    builder_finish(&builder, &one);
    int order = box_compare(a, &one, 0);
    column_release(&one);
    builder_release(&builder);
    return order;
}

void boxes_save(const struct box *boxes, int count, struct text *out)
{
    for (int k = 0; k < count; k++) {
        save_u32(out, boxes[k].data == NULL ? 0 : boxes[k].size);
        text_add(out, boxes[k].data, boxes[k].data == NULL ? 0 : boxes[k].size);
    }
}

enum code boxes_load(const struct aggregate_call *call, int count, struct bytes *in, struct box *boxes,
                     size_t *heap_bytes, struct error *err)
{
    for (int k = 0; k < count; k++) {
        uint32_t size;
        struct bytes bytes, rest;
        bool fits = load_u32(in, &size) && load_bytes(in, size, &bytes);
        rest = fits ? bytes : (struct bytes){0};
        if (!fits || (size > 0 && (!value_load(&rest, call->arg_types[k], NULL) || rest.size > 0)))
            return fail(err, E_CORRUPT, "the state of %s is not a value of its type", call->function->name);
        if (size > 0)
            box_put(&boxes[k], bytes, heap_bytes);
    }
    return E_OK;
}

void boxes_drop(struct box *boxes, int count, size_t *heap_bytes)
{
    for (int k = 0; k < count; k++) {
        *heap_bytes -= boxes[k].capacity;
        mem_free(boxes[k].data);
        boxes[k] = (struct box){0};
    }
}
