#include "format/rle_read.h"

/* ---- bits ---- */

static inline uint64_t load64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* At most 57 bits: what an unaligned load always holds. */
static inline uint64_t bits_at(const uint8_t *from, uint64_t bit, int width)
{
    return load64(from + (bit >> 3)) >> (bit & 7) & ((1ull << width) - 1);
}

static inline uint64_t wide_bits_at(const uint8_t *from, uint64_t bit, int width)
{
    unsigned __int128 word;
    memcpy(&word, from + (bit >> 3), sizeof word);
    word >>= bit & 7;
    return (uint64_t)word & (width == 64 ? UINT64_MAX : (1ull << width) - 1);
}

static bool varint(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* ---- the hybrid ---- */

struct rle_reader rle_reader_of(struct bytes bytes, int bit_width)
{
    return (struct rle_reader){.at = bytes.data, .end = bytes.data + bytes.size, .bit_width = bit_width};
}

/* A packed run may be cut short by the end of the page: what is missing is only seen when it is read. */
static bool run_next(struct rle_reader *reader)
{
    uint64_t head, width = (uint64_t)reader->bit_width;
    if (!varint(&reader->at, reader->end, &head))
        return false;
    uint64_t left = (uint64_t)(reader->end - reader->at);
    if ((head & 1) == 0) {
        size_t size = (size_t)(width + 7) / 8;
        if (size > left)
            return false;
        reader->run_left = head >> 1;
        reader->run_value = 0;
        memcpy(&reader->run_value, reader->at, size);
        if (width < 32 && reader->run_value >> width != 0)
            return false;
        reader->at += size;
        return true;
    }
    uint64_t groups = head >> 1;
    uint64_t fit = width == 0 ? groups : left / width;
    uint64_t values = groups <= fit ? groups * 8 : left * 8 / (width == 0 ? 1 : width);
    if (groups > UINT64_MAX / 64)
        return false;
    reader->packed = reader->at;
    reader->packed_bit = 0;
    reader->packed_left = values;
    reader->at += groups <= fit ? groups * width : left;
    return true;
}

static bool run_ready(struct rle_reader *reader)
{
    while (reader->run_left == 0 && reader->packed_left == 0)
        if (!run_next(reader))
            return false;
    return true;
}

bool rle_read(struct rle_reader *reader, uint32_t *out, int64_t count)
{
    int width = reader->bit_width;
    while (count > 0) {
        if (!run_ready(reader))
            return false;
        uint64_t *left = reader->run_left > 0 ? &reader->run_left : &reader->packed_left;
        int64_t take = *left < (uint64_t)count ? (int64_t)*left : count;
        if (left == &reader->run_left) {
            for (int64_t i = 0; i < take; i++)
                out[i] = reader->run_value;
        } else {
            uint64_t bit = reader->packed_bit;
            for (int64_t i = 0; i < take; i++, bit += (uint64_t)width)
                out[i] = (uint32_t)bits_at(reader->packed, bit, width);
            reader->packed_bit = bit;
        }
        *left -= (uint64_t)take;
        out += take;
        count -= take;
    }
    return true;
}

bool rle_read_bytes(struct rle_reader *reader, uint8_t *out, int64_t count, uint8_t match, int64_t *matches)
{
    int width = reader->bit_width;
    int64_t matched = 0;
    while (count > 0) {
        if (!run_ready(reader))
            return false;
        uint64_t *left = reader->run_left > 0 ? &reader->run_left : &reader->packed_left;
        int64_t take = *left < (uint64_t)count ? (int64_t)*left : count;
        if (left == &reader->run_left) {
            memset(out, (int)reader->run_value, (size_t)take);
            matched += reader->run_value == match ? take : 0;
        } else {
            uint64_t bit = reader->packed_bit;
            for (int64_t i = 0; i < take; i++, bit += (uint64_t)width) {
                out[i] = (uint8_t)bits_at(reader->packed, bit, width);
                matched += out[i] == match;
            }
            reader->packed_bit = bit;
        }
        *left -= (uint64_t)take;
        out += take;
        count -= take;
    }
    *matches = matched;
    return true;
}

/* ---- DELTA_BINARY_PACKED ---- */

bool delta_reader_open(struct delta_reader *reader, struct bytes bytes)
{
    uint64_t block, minis, count, first;
    *reader = (struct delta_reader){.at = bytes.data, .end = bytes.data + bytes.size, .first = true};
    if (!varint(&reader->at, reader->end, &block) || !varint(&reader->at, reader->end, &minis) ||
        !varint(&reader->at, reader->end, &count) || !varint(&reader->at, reader->end, &first))
        return false;
    if (block == 0 || block > DELTA_BLOCK_MAX || minis == 0 || minis > block || block % minis != 0 ||
        block / minis % 8 != 0 || count > INT32_MAX)
        return false;
    reader->block_values = (uint32_t)block;
    reader->mini_count = (uint32_t)minis;
    reader->mini_values = (uint32_t)(block / minis);
    reader->mini = (uint32_t)minis; // a block begins
    reader->left = (int64_t)count;
    reader->value = (first >> 1) ^ -(first & 1);
    return true;
}

static bool block_next(struct delta_reader *reader)
{
    uint64_t min;
    if (!varint(&reader->at, reader->end, &min) || (uint64_t)(reader->end - reader->at) < reader->mini_count)
        return false;
    reader->min_delta = (min >> 1) ^ -(min & 1);
    reader->widths = reader->at;
    reader->at += reader->mini_count;
    reader->mini = 0;
    return true;
}

static bool mini_next(struct delta_reader *reader)
{
    if (reader->mini == reader->mini_count && !block_next(reader))
        return false;
    uint32_t width = reader->widths[reader->mini++];
    size_t size = (size_t)reader->mini_values / 8 * width;
    if (width > 64 || size > (size_t)(reader->end - reader->at))
        return false;
    reader->packed = reader->at;
    reader->packed_bit = 0;
    reader->mini_left = reader->mini_values;
    reader->at += size;
    return true;
}

static void delta_unpack(struct delta_reader *reader, int64_t *out, int64_t count)
{
    int width = reader->widths[reader->mini - 1];
    uint64_t bit = reader->packed_bit, value = reader->value, min = reader->min_delta;
    for (int64_t i = 0; i < count; i++, bit += (uint64_t)width) {
        uint64_t delta = width <= 56 ? bits_at(reader->packed, bit, width) : wide_bits_at(reader->packed, bit, width);
        value += min + delta;
        out[i] = (int64_t)value;
    }
    reader->value = value;
    reader->packed_bit = bit;
    reader->mini_left -= (uint32_t)count;
}

bool delta_read(struct delta_reader *reader, int64_t *out, int64_t count)
{
    if (count > reader->left)
        return false;
    reader->left -= count;
    if (reader->first && count > 0) {
        *out++ = (int64_t)reader->value;
        reader->first = false;
        count--;
    }
    while (count > 0) {
        if (reader->mini_left == 0 && !mini_next(reader))
            return false;
        int64_t take = reader->mini_left < count ? reader->mini_left : count;
        delta_unpack(reader, out, take);
        out += take;
        count -= take;
    }
    return true;
}

/* The last miniblocks of a block may be left out only together with their bytes: widths of unused ones
 * mean nothing. */
const uint8_t *delta_reader_end(const struct delta_reader *reader) { return reader->at; }
