#include "format/delta_pack.h"
#include "format/parquet_internal.h"
#include "format/rle.h"

/* Values to bytes, in each encoding that is no dictionary:
 *
 *   PLAIN         BYTE_ARRAY u32 size, bytes; FIXED big endian; other numbers as they are
 *   RLE           BOOLEAN: u32 size, runs (rle.h)
 *   DELTA         INT32, INT64: DELTA_BINARY_PACKED (delta_pack.h)
 *   DELTA_LENGTH  the lengths as DELTA, then all texts, one behind the other
 *   DELTA_BYTES   how many bytes of each text are those of the one before, as DELTA; the rests as DELTA_LENGTH
 *   BYTE_STREAM_SPLIT  FLOAT, DOUBLE: the first byte of every value, then the second of every value, ... */

void parquet_packer_close(struct parquet_packer *packer)
{
    text_free(&packer->lengths);
    text_free(&packer->prefixes);
    text_free(&packer->wide);
}

static int32_t *room_for(struct text *text, int64_t count)
{
    text_clear(text);
    return (int32_t *)(void *)text_reserve(text, (size_t)count * sizeof(int32_t));
}

void parquet_pack_lengths(struct parquet_packer *packer, const struct parquet_slice *slice, struct text *out)
{
    int32_t *lengths = room_for(&packer->lengths, slice->count);
    for (int64_t i = 0; i < slice->count; i++)
        lengths[i] = slice->offsets[i + 1] - slice->offsets[i];
    delta_encode_32(lengths, (size_t)slice->count, out);
}

static void pack_texts(struct parquet_packer *packer, const struct parquet_slice *slice, struct text *out)
{
    parquet_pack_lengths(packer, slice, out);
    int32_t size = slice->offsets[slice->count] - slice->offsets[0];
    if (size > 0)
        text_add(out, slice->values + slice->offsets[0], (size_t)size);
}

/* ---- DELTA_BYTES ---- */

enum { SHORT_COPY = 32 }; /* rests up to this size are copied without a call and with bytes to spare */

/* Bytes that both begin with, at most `most`. May read 8 bytes behind either. */
static inline int32_t common_prefix(const uint8_t *a, const uint8_t *b, int32_t most)
{
    for (int32_t at = 0; at < most; at += 8) {
        uint64_t left, right;
        memcpy(&left, a + at, sizeof left);
        memcpy(&right, b + at, sizeof right);
        if (left != right) {
            int32_t same = at + __builtin_ctzll(left ^ right) / 8;
            return same < most ? same : most;
        }
    }
    return most;
}

static void pack_rests(struct parquet_packer *packer, const struct parquet_slice *slice, struct text *out)
{
    const int32_t *offsets = slice->offsets;
    int32_t *prefixes = room_for(&packer->prefixes, slice->count), *rests = room_for(&packer->lengths, slice->count);
    int32_t size_before = 0;
    size_t total = 0;
    for (int64_t i = 0; i < slice->count; i++) {
        const uint8_t *text = slice->values + offsets[i];
        int32_t size = offsets[i + 1] - offsets[i];
        prefixes[i] = common_prefix(text - size_before, text, size < size_before ? size : size_before);
        rests[i] = size - prefixes[i];
        total += (size_t)rests[i];
        size_before = size;
    }
    delta_encode_32(prefixes, (size_t)slice->count, out);
    delta_encode_32(rests, (size_t)slice->count, out);
    uint8_t *at = (uint8_t *)text_reserve(out, total + SHORT_COPY);
    for (int64_t i = 0; i < slice->count; i++) {
        const uint8_t *rest = slice->values + offsets[i] + prefixes[i];
        if (rests[i] <= SHORT_COPY)
            memcpy(at, rest, SHORT_COPY);
        else
            memcpy(at, rest, (size_t)rests[i]);
        at += rests[i];
    }
    out->size += total;
}

/* ---- fixed widths ---- */

static inline void split(const uint8_t *values, size_t count, size_t width, uint8_t *out)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < width; k++)
            out[k * count + i] = values[i * width + k];
}

static void pack_split(const struct parquet_leaf *leaf, const struct parquet_slice *slice, struct text *out)
{
    size_t count = (size_t)slice->count, size = count * (size_t)leaf->width;
    uint8_t *at = (uint8_t *)text_reserve(out, size);
    if (leaf->width == 4)
        split(slice->values, count, 4, at); // constants: the inner loop is unrolled
    else
        split(slice->values, count, 8, at);
    out->size += size;
}

static void pack_booleans(struct parquet_packer *packer, const struct parquet_slice *slice, struct text *out)
{
    size_t start = out->size;
    uint32_t size = 0;
    text_clear(&packer->wide);
    uint32_t *wide = (uint32_t *)(void *)text_reserve(&packer->wide, (size_t)slice->count * sizeof *wide);
    for (int64_t i = 0; i < slice->count; i++)
        wide[i] = slice->values[i];
    text_add(out, &size, sizeof size);
    rle_encode(wide, (size_t)slice->count, 1, out);
    size = (uint32_t)(out->size - start - sizeof size);
    memcpy(out->data + start, &size, sizeof size);
}

static void pack_delta(const struct parquet_leaf *leaf, const struct parquet_slice *slice, struct text *out)
{
    const void *values = slice->values;
    if (leaf->width == 4)
        delta_encode_32(values, (size_t)slice->count, out);
    else
        delta_encode(values, (size_t)slice->count, out);
}

void parquet_pack(struct parquet_packer *packer, const struct parquet_leaf *leaf, enum parquet_encoding encoding,
                  const struct parquet_slice *slice, struct text *out)
{
    switch (encoding) {
    case PARQUET_DELTA: pack_delta(leaf, slice, out); break;
    case PARQUET_DELTA_LENGTH: pack_texts(packer, slice, out); break;
    case PARQUET_DELTA_BYTES: pack_rests(packer, slice, out); break;
    case PARQUET_BYTE_STREAM_SPLIT: pack_split(leaf, slice, out); break;
    case PARQUET_RLE: pack_booleans(packer, slice, out); break;
    default: parquet_plain_append(leaf, slice, out); break;
    }
}
