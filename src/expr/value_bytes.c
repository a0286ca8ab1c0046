#include "expr/value_bytes.h"

#include "base/hash.h"
#include "expr/loop.h"

/* ---- saving ---- */

static void save_fixed(const struct column *col, int64_t row, bool normal, struct text *out)
{
    size_t width = (size_t)type_width(col->type);
    uint8_t bytes[16];
    memcpy(bytes, col->values->data + (size_t)row * width, width);
    if (normal && col->type->id == TYPE_DOUBLE) {
        double value = column_values(col, double)[row];
        value = value != value ? __builtin_nan("") : value + 0.0; // -0.0 + 0.0 is 0.0
        memcpy(bytes, &value, sizeof value);
    } else if (normal && col->type->id == TYPE_FLOAT) {
        float value = column_values(col, float)[row];
        value = value != value ? __builtin_nanf("") : value + 0.0f;
        memcpy(bytes, &value, sizeof value);
    }
    text_add(out, bytes, width);
}

static void save_list(const struct column *col, int64_t row, bool normal, struct text *out)
{
    int32_t from = column_offsets(col)[row], to = column_offsets(col)[row + 1];
    save_u32(out, (uint32_t)(to - from));
    for (int32_t k = from; k < to; k++)
        for (int32_t child = 0; child < col->child_count; child++)
            value_save(&col->children[child], k, normal, out);
}

void value_save(const struct column *col, int64_t row, bool normal, struct text *out)
{
    bool present = !column_is_null(col, row);
    text_add_char(out, (char)present);
    if (!present)
        return;
    switch (type_shape(col->type)) {
    case SHAPE_BITS: text_add_char(out, (char)bit_get(col->values->data, row)); break;
    case SHAPE_BYTES: {
        struct bytes bytes = column_bytes_at(col, row);
        save_u32(out, (uint32_t)bytes.size);
        text_add(out, bytes.data, bytes.size);
        break;
    }
    case SHAPE_NESTED:
        if (col->type->id != TYPE_STRUCT)
            save_list(col, row, normal, out);
        else
            for (int32_t child = 0; child < col->child_count; child++)
                value_save(&col->children[child], row, normal, out);
        break;
    case SHAPE_NONE: break;
    default: save_fixed(col, row, normal, out);
    }
}

/* ---- loading ---- */

bool load_bytes(struct bytes *in, size_t size, struct bytes *out)
{
    if (size > in->size)
        return false;
    *out = bytes_of(in->data, size);
    in->data += size;
    in->size -= size;
    return true;
}

bool load_u32(struct bytes *in, uint32_t *out)
{
    struct bytes bytes;
    if (!load_bytes(in, sizeof *out, &bytes))
        return false;
    memcpy(out, bytes.data, sizeof *out);
    return true;
}

static bool load_fixed(struct bytes *in, const struct type *type, struct builder *out)
{
    struct bytes bytes;
    size_t width = type->id == TYPE_BOOLEAN ? 1 : (size_t)type_width(type);
    if (!load_bytes(in, width, &bytes))
        return false;
    if (out == NULL)
        return true;
    switch (type_shape(type)) {
#define INTEGER(shape, ctype)                     \
    case shape: {                                 \
        ctype value;                              \
        memcpy(&value, bytes.data, sizeof value); \
        builder_int(out, value);                  \
        break;                                    \
    }
        SHAPES_INTEGER(INTEGER)
#undef INTEGER
#define FLOATING(shape, ctype)                    \
    case shape: {                                 \
        ctype value;                              \
        memcpy(&value, bytes.data, sizeof value); \
        builder_double(out, (double)value);       \
        break;                                    \
    }
        SHAPES_FLOAT(FLOATING)
#undef FLOATING
    case SHAPE_I128: {
        int128 value;
        memcpy(&value, bytes.data, sizeof value);
        builder_int128(out, value);
        break;
    }
    default: builder_boolean(out, bytes.data[0] != 0);
    }
    return true;
}

static bool load_list(struct bytes *in, const struct type *type, struct builder *out)
{
    uint32_t count;
    if (!load_u32(in, &count))
        return false;
    for (uint32_t k = 0; k < count; k++)
        for (int32_t child = 0; child < type->field_count; child++)
            if (!value_load(in, type->fields[child].type, out != NULL ? &out->children[child] : NULL))
                return false;
    if (out != NULL)
        builder_close_list(out);
    return true;
}

static bool load_struct(struct bytes *in, const struct type *type, struct builder *out)
{
    for (int32_t child = 0; child < type->field_count; child++)
        if (!value_load(in, type->fields[child].type, out != NULL ? &out->children[child] : NULL))
            return false;
    if (out != NULL)
        builder_close_struct(out);
    return true;
}

bool value_load(struct bytes *in, const struct type *type, struct builder *out)
{
    struct bytes bytes;
    uint32_t size;
    if (!load_bytes(in, 1, &bytes) || bytes.data[0] > 1)
        return false;
    if (bytes.data[0] == 0) {
        if (out != NULL)
            builder_null(out);
        return true;
    }
    switch (type_shape(type)) {
    case SHAPE_NONE: return false; // only NULL is of this type
    case SHAPE_BYTES:
        if (!load_u32(in, &size) || !load_bytes(in, size, &bytes))
            return false;
        if (out != NULL)
            builder_bytes(out, bytes);
        return true;
    case SHAPE_NESTED: return type->id == TYPE_STRUCT ? load_struct(in, type, out) : load_list(in, type, out);
    default: return load_fixed(in, type, out);
    }
}

/* ---- sets ---- */

static struct bytes item_at(const struct value_set *set, size_t at)
{
    uint32_t size;
    memcpy(&size, set->items.data + at, sizeof size);
    return bytes_of(set->items.data + at + sizeof size, size);
}

bool value_set_next(const struct value_set *set, size_t *at, struct bytes *item)
{
    if (*at >= set->items.size)
        return false;
    *item = item_at(set, *at);
    *at += sizeof(uint32_t) + item->size + set->tail;
    return true;
}

static void set_insert(struct value_set *set, struct bytes item, uint32_t offset)
{
    uint32_t slot = (uint32_t)hash_bytes(item.data, item.size) & (set->table_size - 1);
    while (set->table[slot] != 0)
        slot = (slot + 1) & (set->table_size - 1);
    set->table[slot] = offset + 1;
}

static void set_grow(struct value_set *set)
{
    struct bytes item;
    set->table_size = set->table_size == 0 ? 8 : set->table_size * 2;
    mem_free(set->table);
    set->table = mem_array(uint32_t, set->table_size);
    for (size_t at = 0, start = 0; value_set_next(set, &at, &item); start = at)
        set_insert(set, item, (uint32_t)start);
}

uint8_t *value_set_put(struct value_set *set, struct bytes item)
{
    if (set->count * 2 >= set->table_size)
        set_grow(set);
    uint32_t slot = (uint32_t)hash_bytes(item.data, item.size) & (set->table_size - 1);
    for (; set->table[slot] != 0; slot = (slot + 1) & (set->table_size - 1)) {
        struct bytes other = item_at(set, set->table[slot] - 1);
        if (bytes_equal(other, item))
            return (uint8_t *)(uintptr_t)(other.data + other.size);
    }
    set->table[slot] = (uint32_t)set->items.size + 1;
    save_u32(&set->items, (uint32_t)item.size);
    text_add(&set->items, item.data, item.size);
    char *tail = text_reserve(&set->items, set->tail + 1);
    memset(tail, 0, set->tail + 1);
    set->items.size += set->tail;
    set->count++;
    return (uint8_t *)tail;
}

bool value_set_add(struct value_set *set, struct bytes item)
{
    uint32_t count = set->count;
    value_set_put(set, item);
    return set->count > count;
}

void value_set_free(struct value_set *set)
{
    text_free(&set->items);
    mem_free(set->table);
    *set = (struct value_set){0};
}
