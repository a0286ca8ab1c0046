#include "format/delta_pack.h"

#include <stddef.h>

#include "format/thrift_write.h"

enum { BLOCK = 128, MINIBLOCKS = 4, MINIBLOCK = BLOCK / MINIBLOCKS };

/* Width 64 of a whole block, its least delta, and what a last store writes past the end. */
enum { BLOCK_BYTES_MAX = VARINT_MAX + MINIBLOCKS + BLOCK * 8 + 8 };

static uint8_t *pack_miniblock(const uint64_t *values, int bit_width, uint8_t *out)
{
    unsigned __int128 pending = 0;
    int bits = 0;
    for (int i = 0; i < MINIBLOCK; i++) {
        pending |= (unsigned __int128)values[i] << bits;
        bits += bit_width;
        if (bits >= 64) {
            uint64_t word = (uint64_t)pending;
            memcpy(out, &word, sizeof word);
            out += sizeof word;
            pending >>= 64;
            bits -= 64;
        }
    }
    uint64_t word = (uint64_t)pending;
    memcpy(out, &word, sizeof word);
    return out + bits / 8; /* 32 values fill whole 4-byte words */
}

/* Differences of a block minus the least of them: one miniblock behind the other. */
static uint8_t *encode_deltas(uint64_t deltas[BLOCK], size_t count, int64_t least, uint64_t mask, uint8_t *out)
{
    out = varint_write(out, zigzag(least));
    uint8_t *widths = out;
    out += MINIBLOCKS;
    for (size_t m = 0; m < MINIBLOCKS; m++) {
        uint64_t *of = deltas + m * MINIBLOCK, all = 0;
        for (size_t i = 0; i < MINIBLOCK; i++) {
            of[i] = m * MINIBLOCK + i < count ? (of[i] - (uint64_t)least) & mask : 0;
            all |= of[i];
        }
        widths[m] = (uint8_t)(all == 0 ? 0 : 64 - __builtin_clzll(all));
        if (all != 0)
            out = pack_miniblock(of, widths[m], out);
    }
    return out;
}

/* Both wrap around within their own width, as readers do: a difference of INT32 never takes 33 bits. */
static uint8_t *encode_block(const int64_t *values, size_t count, uint8_t *out)
{
    uint64_t deltas[BLOCK] = {0};
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        int64_t delta = (int64_t)((uint64_t)values[i] - (uint64_t)values[(ptrdiff_t)i - 1]);
        deltas[i] = (uint64_t)delta;
        least = delta < least ? delta : least;
    }
    return encode_deltas(deltas, count, least, UINT64_MAX, out);
}

static uint8_t *encode_block_32(const int32_t *values, size_t count, uint8_t *out)
{
    uint64_t deltas[BLOCK] = {0};
    int32_t least = INT32_MAX;
    for (size_t i = 0; i < count; i++) {
        int32_t delta = (int32_t)((uint32_t)values[i] - (uint32_t)values[(ptrdiff_t)i - 1]);
        deltas[i] = (uint64_t)delta;
        least = delta < least ? delta : least;
    }
    return encode_deltas(deltas, count, least, UINT32_MAX, out);
}

static void header_write(size_t count, int64_t first, struct text *out)
{
    uint8_t *start = (uint8_t *)text_reserve(out, 4 * VARINT_MAX);
    uint8_t *at = varint_write(start, BLOCK);
    at = varint_write(at, MINIBLOCKS);
    at = varint_write(at, count);
    at = varint_write(at, zigzag(first));
    out->size += (size_t)(at - start);
}

static size_t block_size(size_t count, size_t from) { return count - from < BLOCK ? count - from : BLOCK; }

void delta_encode(const int64_t *values, size_t count, struct text *out)
{
    header_write(count, count > 0 ? values[0] : 0, out);
    for (size_t i = 1; i < count; i += BLOCK) {
        uint8_t *start = (uint8_t *)text_reserve(out, BLOCK_BYTES_MAX);
        out->size += (size_t)(encode_block(values + i, block_size(count, i), start) - start);
    }
}

void delta_encode_32(const int32_t *values, size_t count, struct text *out)
{
    header_write(count, count > 0 ? values[0] : 0, out);
    for (size_t i = 1; i < count; i += BLOCK) {
        uint8_t *start = (uint8_t *)text_reserve(out, BLOCK_BYTES_MAX);
        out->size += (size_t)(encode_block_32(values + i, block_size(count, i), start) - start);
    }
}
