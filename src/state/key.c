/* key.c - group keys as bytes: equal values, equal bytes, and back.
 *
 *   value                       bytes
 *   NULL of any type            00
 *   BOOLEAN                     01 false, 02 true
 *   fixed width (see type.h)    01, then the bytes as they lie in memory; one NaN, and 0.0 for -0.0
 *   STRING, BINARY              size + 1 as LEB128, then the bytes
 *   STRUCT                      01, then its fields
 *   ARRAY, MAP                  count + 1 as LEB128, then the elements (each key with its value)
 *
 * A key is its columns one after the other: no value is a prefix of another, so keys need no separators. The
 * order of bytes means nothing. ORDER TYPE
 */
#include "state/state.h"

#include "base/hash.h"

enum { LEB128_MAX = 10 };

static size_t leb128_size(uint64_t value)
{
    size_t size = 1;
    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

static uint8_t *leb128_put(uint8_t *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *to++ = (uint8_t)(value | 0x80);
    *to++ = (uint8_t)value;
    return to;
}

/* ---- one value at a time: nested types ---- */

static int64_t value_size(const struct column *col, int64_t row)
{
    if (col->type->id == TYPE_NULL || !column_valid_at(col, row))
        return 1;
    int64_t size = 1;
    switch (col->type->id) {
    case TYPE_BOOLEAN: return 1;
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_VARIANT: {
        size_t bytes = column_bytes_at(col, row).size;
        return (int64_t)(leb128_size((uint64_t)bytes + 1) + bytes);
    }
    case TYPE_STRUCT:
        for (int32_t c = 0; c < col->child_count; c++)
            size += value_size(&col->children[c], row);
        return size;
    case TYPE_ARRAY:
    case TYPE_MAP: {
        int32_t from = column_offsets(col)[row], to = column_offsets(col)[row + 1];
        size = (int64_t)leb128_size((uint64_t)(to - from) + 1);
        for (int32_t i = from; i < to; i++)
            for (int32_t c = 0; c < col->child_count; c++)
                size += value_size(&col->children[c], i);
        return size;
    }
    default: return 1 + type_width(col->type);
    }
}

static uint8_t *float_put(uint8_t *to, float value, bool exact)
{
    if (!exact)
        value = value != value ? __builtin_nanf("") : value == 0 ? 0.0f : value;
    return (uint8_t *)memcpy(to, &value, sizeof value) + sizeof value;
}

static uint8_t *double_put(uint8_t *to, double value, bool exact)
{
    if (!exact)
        value = value != value ? __builtin_nan("") : value == 0 ? 0.0 : value;
    return (uint8_t *)memcpy(to, &value, sizeof value) + sizeof value;
}

/* exact: NaNs and -0.0 stay as they are. */
static uint8_t *value_put(uint8_t *to, const struct column *col, int64_t row, bool exact)
{
    if (col->type->id == TYPE_NULL || !column_valid_at(col, row)) {
        *to = 0;
        return to + 1;
    }
    switch (col->type->id) {
    case TYPE_BOOLEAN: *to = (uint8_t)(1 + bit_get(col->values->data, row)); return to + 1;
    case TYPE_FLOAT: *to = 1; return float_put(to + 1, column_values(col, const float)[row], exact);
    case TYPE_DOUBLE: *to = 1; return double_put(to + 1, column_values(col, const double)[row], exact);
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_VARIANT: {
        struct bytes bytes = column_bytes_at(col, row);
        to = leb128_put(to, (uint64_t)bytes.size + 1);
        if (bytes.size > 0)
            memcpy(to, bytes.data, bytes.size);
        return to + bytes.size;
    }
    case TYPE_STRUCT:
        *to++ = 1;
        for (int32_t c = 0; c < col->child_count; c++)
            to = value_put(to, &col->children[c], row, exact);
        return to;
    case TYPE_ARRAY:
    case TYPE_MAP: {
        int32_t from = column_offsets(col)[row], end = column_offsets(col)[row + 1];
        to = leb128_put(to, (uint64_t)(end - from) + 1);
        for (int32_t i = from; i < end; i++)
            for (int32_t c = 0; c < col->child_count; c++)
                to = value_put(to, &col->children[c], i, exact);
        return to;
    }
    default: {
        size_t width = (size_t)type_width(col->type);
        *to = 1;
        memcpy(to + 1, col->values->data + (size_t)row * width, width);
        return to + 1 + width;
    }
    }
}

/* ---- whole keys ---- */

/* 0 = no bound. */
static size_t value_bytes_max(const struct type *type)
{
    if (type->id == TYPE_NULL || type->id == TYPE_BOOLEAN)
        return 1;
    if (type->id != TYPE_STRUCT)
        return type_width(type) > 0 ? 1 + (size_t)type_width(type) : 0;
    size_t total = 1;
    for (int32_t i = 0; i < type->field_count; i++) {
        size_t size = value_bytes_max(type->fields[i].type);
        if (size == 0)
            return 0;
        total += size;
    }
    return total;
}

size_t state_key_bytes(const struct type *const *types, int32_t count)
{
    size_t total = 0;
    for (int32_t i = 0; i < count; i++) {
        size_t size = value_bytes_max(types[i]);
        if (size == 0)
            return 0;
        total += size;
    }
    return total;
}

/* offsets[i + 1] = where key i ends, relative to offsets[0]; keys that are too long get no bytes. */
static int64_t keys_measure(const struct column *cols, int32_t count, int64_t rows, int32_t *offsets)
{
    int64_t too_long = 0, total = offsets[0];
    for (int64_t i = 0; i < rows; i++) {
        int64_t size = 0;
        for (int32_t c = 0; c < count; c++)
            size += value_size(&cols[c], i);
        if (size > STATE_KEY_MAX || total + size > STATE_KEYS_MAX) {
            size = 0;
            too_long++;
        }
        total += size;
        offsets[i + 1] = (int32_t)total;
    }
    return too_long;
}

static int64_t keys_put(const struct column *cols, int32_t count, int64_t rows, struct text *data, int32_t *offsets)
{
    int64_t too_long = keys_measure(cols, count, rows, offsets);
    uint8_t *base = (uint8_t *)text_reserve(data, (size_t)(offsets[rows] - offsets[0])) - offsets[0];
    for (int64_t i = 0; i < rows; i++) {
        uint8_t *to = base + offsets[i];
        for (int32_t c = 0; c < count && offsets[i + 1] > offsets[i]; c++)
            to = value_put(to, &cols[c], i, false);
    }
    return too_long;
}

/* The two shapes that nearly every query has, NULLs absent: a string, or a string and a 64-bit value. */
enum { FAST_TAIL = 1 + 8 };

static bool fast_shape(const struct column *cols, int32_t count)
{
    if (count < 1 || count > 2 || !type_is_varlen(cols[0].type) || cols[0].valid != NULL)
        return false;
    if (count == 1)
        return true;
    const struct type *type = cols[1].type;
    return type_width(type) == 8 && type->id != TYPE_DOUBLE && cols[1].valid == NULL;
}

/* Copy of up to 16 bytes by two loads that overlap; longer ones by memcpy. */
static void bytes_put(uint8_t *to, const uint8_t *from, size_t size)
{
    if (size >= 8 && size <= 16) {
        uint64_t head, tail;
        memcpy(&head, from, 8);
        memcpy(&tail, from + size - 8, 8);
        memcpy(to, &head, 8);
        memcpy(to + size - 8, &tail, 8);
    } else if (size > 0) {
        memcpy(to, from, size);
    }
}

static int64_t fast_put(const struct column *cols, int32_t count, int64_t rows, struct text *data, int32_t *offsets)
{
    const int32_t *ends = column_offsets(&cols[0]);
    const uint8_t *strings = cols[0].values == NULL ? NULL : cols[0].values->data;
    const int64_t *tails = count == 2 ? column_values(&cols[1], const int64_t) : NULL;
    size_t tail = tails != NULL ? FAST_TAIL : 0;
    size_t bytes = (size_t)(ends[rows] - ends[0]);
    uint8_t *base = (uint8_t *)text_reserve(data, bytes + (size_t)rows * (LEB128_MAX + tail)) - offsets[0];
    int64_t too_long = 0, total = offsets[0];
    for (int64_t i = 0; i < rows; i++) {
        size_t size = (size_t)(ends[i + 1] - ends[i]);
        offsets[i + 1] = (int32_t)total;
        size_t need = leb128_size((uint64_t)size + 1) + size + tail;
        if (need > STATE_KEY_MAX || total + (int64_t)need > STATE_KEYS_MAX) {
            too_long++;
            continue;
        }
        uint8_t *to = leb128_put(base + total, (uint64_t)size + 1);
        bytes_put(to, strings + ends[i], size);
        to += size;
        if (tails != NULL) {
            *to = 1;
            memcpy(to + 1, &tails[i], 8);
            to += FAST_TAIL;
        }
        total = to - base;
        offsets[i + 1] = (int32_t)total;
    }
    return too_long;
}

/* Numbers, times and the like without NULLs: all keys have this many bytes. 0: they have not. */
static size_t fixed_key_bytes(const struct column *cols, int32_t count)
{
    size_t size = 0;
    for (int32_t c = 0; c < count; c++) {
        const struct type *type = cols[c].type;
        int32_t width = type_width(type);
        bool plain = type->id != TYPE_FLOAT && type->id != TYPE_DOUBLE && type->id != TYPE_BOOLEAN;
        if (!plain || (width != 4 && width != 8) || (cols[c].valid != NULL && cols[c].nulls != 0))
            return 0;
        size += 1 + (size_t)width;
    }
    return size;
}

static inline __attribute__((always_inline)) void fixed_column_put(uint8_t *to, size_t stride, const uint8_t *values,
                                                                   size_t width, int64_t rows)
{
    for (int64_t i = 0; i < rows; i++) {
        uint8_t *at = to + (size_t)i * stride;
        *at = 1;
        memcpy(at + 1, values + (size_t)i * width, width);
    }
}

static void fixed_put(const struct column *cols, int32_t count, int64_t rows, size_t size, struct text *data,
                      int32_t *offsets)
{
    uint8_t *to = (uint8_t *)text_reserve(data, (size_t)rows * size);
    for (int32_t c = 0; c < count; c++) {
        const uint8_t *values = cols[c].values == NULL ? NULL : cols[c].values->data;
        size_t width = (size_t)type_width(cols[c].type);
        if (width == 8)
            fixed_column_put(to, size, values, 8, rows);
        else
            fixed_column_put(to, size, values, 4, rows);
        to += 1 + width;
    }
    for (int64_t i = 0; i < rows; i++)
        offsets[i + 1] = offsets[0] + (int32_t)((size_t)(i + 1) * size);
}

static int64_t all_put(const struct column *cols, int32_t count, int64_t rows, struct text *data, int32_t *offsets)
{
    size_t size = fixed_key_bytes(cols, count);
    if (size > 0 && size <= STATE_KEY_MAX && rows <= (STATE_KEYS_MAX - offsets[0]) / (int64_t)size) {
        fixed_put(cols, count, rows, size, data, offsets);
        return 0;
    }
    return fast_shape(cols, count) ? fast_put(cols, count, rows, data, offsets)
                                   : keys_put(cols, count, rows, data, offsets);
}

int64_t state_key_encode(const struct column *cols, int32_t count, int64_t rows, struct text *data, int32_t *offsets,
                         uint64_t *hashes)
{
    always(data->size <= STATE_KEYS_MAX);
    offsets[0] = (int32_t)data->size;
    int64_t too_long = all_put(cols, count, rows, data, offsets);
    data->size = (size_t)offsets[rows];
    data->data[data->size] = '\0';
    const uint8_t *keys = (const uint8_t *)data->data;
    for (int64_t i = 0; i < rows; i++)
        hashes[i] = hash_bytes(keys + offsets[i], (size_t)(offsets[i + 1] - offsets[i]));
    return too_long;
}

/* ---- and back ---- */

static bool leb128_take(struct bytes *in, uint64_t *out)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && in->size > 0; shift += 7) {
        uint8_t byte = *in->data;
        *in = bytes_of(in->data + 1, in->size - 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool bytes_take(struct bytes *in, void *out, size_t size)
{
    if (in->size < size)
        return false;
    memcpy(out, in->data, size);
    *in = bytes_of(in->data + size, in->size - size);
    return true;
}

static bool fixed_take(struct bytes *in, struct builder *out)
{
    union {
        int8_t i8;
        int16_t i16;
        int32_t i32;
        int64_t i64;
        __int128 i128;
        float f;
        double d;
    } value = {0};
    int32_t width = type_width(out->type);
    if (width <= 0 || width > (int32_t)sizeof value || !bytes_take(in, &value, (size_t)width))
        return false;
    if (out->type->id == TYPE_FLOAT)
        builder_double(out, (double)value.f);
    else if (out->type->id == TYPE_DOUBLE)
        builder_double(out, value.d);
    else if (width == 16)
        builder_int128(out, value.i128);
    else
        builder_int(out, width == 1 ? value.i8 : width == 2 ? value.i16 : width == 4 ? value.i32 : value.i64);
    return true;
}

static bool value_take(struct bytes *in, struct builder *out)
{
    uint64_t head;
    if (!leb128_take(in, &head))
        return false;
    if (head == 0) {
        builder_null(out);
        return true;
    }
    switch (out->type->id) {
    case TYPE_NULL: return false;
    case TYPE_BOOLEAN: builder_boolean(out, head == 2); return head <= 2;
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_VARIANT:
        if (head - 1 > in->size)
            return false;
        builder_bytes(out, bytes_of(in->data, head - 1));
        *in = bytes_of(in->data + (head - 1), in->size - (head - 1));
        return true;
    case TYPE_STRUCT:
        for (int32_t c = 0; c < out->child_count; c++)
            if (!value_take(in, &out->children[c]))
                return false;
        builder_close_struct(out);
        return head == 1;
    case TYPE_ARRAY:
    case TYPE_MAP:
        if (head - 1 > in->size) // an element takes a byte at least
            return false;
        for (uint64_t i = 0; i < head - 1; i++)
            for (int32_t c = 0; c < out->child_count; c++)
                if (!value_take(in, &out->children[c]))
                    return false;
        builder_close_list(out);
        return true;
    default: return head == 1 && fixed_take(in, out);
    }
}

enum code state_key_decode(struct bytes key, struct builder *builders, int32_t count, struct error *err)
{
    size_t size = key.size;
    for (int32_t c = 0; c < count; c++)
        if (!value_take(&key, &builders[c]))
            return fail(err, E_CORRUPT, "stored state: a key of %zu bytes breaks off at column %d", size, c);
    if (key.size > 0)
        return fail(err, E_CORRUPT, "stored state: a key of %zu bytes has %zu too many", size, key.size);
    return E_OK;
}

/* ---- single values ---- */

size_t state_value_size(const struct column *col, int64_t row) { return (size_t)value_size(col, row); }

uint8_t *state_value_put(uint8_t *to, const struct column *col, int64_t row) { return value_put(to, col, row, true); }

bool state_value_take(struct bytes *in, struct builder *out) { return value_take(in, out); }
