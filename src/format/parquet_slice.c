#include "format/parquet_internal.h"

/* Present values of a leaf, from how columns hold them to how Parquet's encoders want them: dense and in the
 * physical type. Where both agree (most types without NULLs) a slice only points into the column. */

void parquet_slicer_close(struct parquet_slicer *slicer)
{
    text_free(&slicer->values);
    text_free(&slicer->offsets);
}

static void *storage(struct text *text, size_t size)
{
    text_clear(text);
    return text_reserve(text, size);
}

/* Row of the i-th value: picked, or counted from `from`. */
static inline int64_t row_of(const int32_t *rows, int64_t from, int64_t i) { return rows != NULL ? rows[i] : from + i; }

#define CONVERT(from_type, to_type)                                                \
    do {                                                                           \
        const from_type *in_ = column_values(col, const from_type);                \
        to_type *out_ = storage(&slicer->values, (size_t)count * sizeof(to_type)); \
        for (int64_t i = 0; i < count; i++)                                        \
            out_[i] = (to_type)in_[row_of(rows, from, i)];                         \
        out->values = (const uint8_t *)out_;                                       \
    } while (0)

static void slice_bytes(struct parquet_slicer *slicer, const struct column *col, const int32_t *rows, int64_t from,
                        int64_t count, struct parquet_slice *out)
{
    static const uint8_t nothing[64];
    const int32_t *offsets = column_offsets(col);
    out->values = col->values != NULL ? col->values->data : nothing;
    if (rows == NULL) {
        out->offsets = offsets + from;
        return;
    }
    int32_t *picked = storage(&slicer->offsets, (size_t)(count + 1) * sizeof *picked);
    for (int64_t i = 0; i < count; i++)
        picked[i] = offsets[rows[i]];
    picked[count] = count > 0 ? offsets[rows[count - 1] + 1] : 0;
    out->offsets = picked;
}

static void slice_booleans(struct parquet_slicer *slicer, const struct column *col, const int32_t *rows, int64_t from,
                           int64_t count, struct parquet_slice *out)
{
    uint8_t *values = storage(&slicer->values, (size_t)count);
    for (int64_t i = 0; i < count; i++)
        values[i] = (uint8_t)bit_get(col->values->data, row_of(rows, from, i));
    out->values = values;
}

static void slice(struct parquet_slicer *slicer, const struct parquet_leaf *leaf, const struct column *col,
                  const int32_t *rows, int64_t from, int64_t count, struct parquet_slice *out)
{
    int32_t width = type_width(leaf->type);
    *out = (struct parquet_slice){.count = count};
    if (leaf->physical == PARQUET_BYTE_ARRAY)
        slice_bytes(slicer, col, rows, from, count, out);
    else if (leaf->physical == PARQUET_BOOLEAN)
        slice_booleans(slicer, col, rows, from, count, out);
    else if (width == 1)
        CONVERT(int8_t, int32_t);
    else if (width == 2)
        CONVERT(int16_t, int32_t);
    else if (leaf->physical == PARQUET_INT32 && width == 8)
        CONVERT(int64_t, int32_t); /* a narrow decimal */
    else if (rows == NULL)
        out->values = col->values->data + from * width;
    else if (width == 4)
        CONVERT(uint32_t, uint32_t);
    else if (width == 8)
        CONVERT(uint64_t, uint64_t);
    else
        CONVERT(__int128, __int128);
}

void parquet_slice_range(struct parquet_slicer *slicer, const struct parquet_leaf *leaf, const struct column *col,
                         int64_t from, int64_t count, struct parquet_slice *out)
{
    slice(slicer, leaf, col, NULL, from, count, out);
}

void parquet_slice_pick(struct parquet_slicer *slicer, const struct parquet_leaf *leaf, const struct column *col,
                        const int32_t *rows, int64_t count, struct parquet_slice *out)
{
    slice(slicer, leaf, col, rows, 0, count, out);
}

/* Bytes of a value in a slice of fixed width, which differs from PLAIN for BOOLEAN and FIXED. */
static size_t slice_width(const struct parquet_leaf *leaf)
{
    return leaf->physical == PARQUET_BOOLEAN ? 1
           : leaf->physical == PARQUET_FIXED ? sizeof(__int128)
                                             : (size_t)leaf->width;
}

void parquet_slice_cut(const struct parquet_leaf *leaf, struct parquet_slice *slice, int64_t from, int64_t to)
{
    if (leaf->physical == PARQUET_BYTE_ARRAY)
        slice->offsets += from;
    else
        slice->values += (size_t)from * slice_width(leaf);
    slice->count = to - from;
}

/* Compares the bytes with themselves, one value further: as fast as memcmp, and over at once when it is not
 * so. */
bool parquet_slice_is_constant(const struct parquet_leaf *leaf, const struct parquet_slice *slice)
{
    if (slice->count < 2)
        return slice->count == 1;
    const uint8_t *values = slice->values;
    size_t width = slice_width(leaf);
    if (leaf->physical == PARQUET_BYTE_ARRAY) {
        const int32_t *offsets = slice->offsets;
        int32_t size = offsets[1] - offsets[0];
        for (int64_t i = 1; i < slice->count; i++) {
            if (offsets[i + 1] - offsets[i] != size)
                return false;
        }
        if (size == 0)
            return true;
        values += offsets[0];
        width = (size_t)size;
    }
    return memcmp(values, values + width, (size_t)(slice->count - 1) * width) == 0;
}

/* ---- PLAIN ---- */

enum { SHORT_COPY = 32 }; /* values up to this size are copied without a call and with bytes to spare */

static void plain_bytes(const struct parquet_slice *slice, struct text *out)
{
    const int32_t *offsets = slice->offsets;
    size_t total = (size_t)(offsets[slice->count] - offsets[0]) + (size_t)slice->count * 4;
    uint8_t *at = (uint8_t *)text_reserve(out, total + SHORT_COPY);
    for (int64_t i = 0; i < slice->count; i++) {
        const uint8_t *value = slice->values + offsets[i];
        uint32_t size = (uint32_t)(offsets[i + 1] - offsets[i]);
        memcpy(at, &size, sizeof size);
        if (size <= SHORT_COPY)
            memcpy(at + sizeof size, value, SHORT_COPY);
        else
            memcpy(at + sizeof size, value, size);
        at += sizeof size + size;
    }
    out->size += total;
}

static void plain_fixed(const struct parquet_leaf *leaf, const struct parquet_slice *slice, struct text *out)
{
    size_t width = (size_t)leaf->width, total = (size_t)slice->count * width;
    uint8_t *at = (uint8_t *)text_reserve(out, total);
    for (int64_t i = 0; i < slice->count; i++) {
        const uint8_t *value = slice->values + (size_t)i * sizeof(__int128);
        for (size_t k = 0; k < width; k++)
            *at++ = value[width - 1 - k];
    }
    out->size += total;
}

void parquet_plain_append(const struct parquet_leaf *leaf, const struct parquet_slice *slice, struct text *out)
{
    if (slice->count == 0)
        return;
    if (leaf->physical == PARQUET_BYTE_ARRAY)
        plain_bytes(slice, out);
    else if (leaf->physical == PARQUET_FIXED)
        plain_fixed(leaf, slice, out);
    else
        text_add(out, slice->values, (size_t)slice->count * (size_t)leaf->width);
}

void parquet_bits_append(const struct parquet_slice *slice, int64_t bits, size_t start, struct text *out)
{
    size_t size = bit_bytes(bits + slice->count);
    size_t more = start + size - out->size;
    memset(text_reserve(out, more), 0, more);
    out->size += more;
    uint8_t *at = (uint8_t *)out->data + start;
    for (int64_t i = 0; i < slice->count; i++)
        at[(bits + i) >> 3] |= (uint8_t)(slice->values[i] << ((bits + i) & 7));
}
