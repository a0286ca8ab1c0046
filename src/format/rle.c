#include "format/rle.h"

#include "format/thrift_write.h"

int rle_bit_width(uint32_t max) { return max == 0 ? 1 : 32 - __builtin_clz(max); }

void rle_encode_run(uint32_t value, size_t count, int bit_width, struct text *out)
{
    uint8_t bytes[VARINT_MAX + 2];
    uint8_t *end = varint_write(bytes, (uint64_t)count << 1);
    *end++ = (uint8_t)value;
    if (bit_width > 8)
        *end++ = (uint8_t)(value >> 8);
    text_add(out, bytes, (size_t)(end - bytes));
}

/* Eight values to bit_width bytes; 16 bytes at `out` are written. */
static void pack_group(const uint32_t *v, int bit_width, uint8_t *out)
{
    int w = bit_width;
    uint64_t low = v[0] | (uint64_t)v[1] << w | (uint64_t)v[2] << 2 * w | (uint64_t)v[3] << 3 * w;
    uint64_t high = v[4] | (uint64_t)v[5] << w | (uint64_t)v[6] << 2 * w | (uint64_t)v[7] << 3 * w;
    unsigned __int128 all = (unsigned __int128)high << 4 * w | low;
    memcpy(out, &all, sizeof all);
}

static void pack(const uint32_t *values, size_t count, int bit_width, struct text *out)
{
    size_t groups = (count + 7) / 8;
    uint8_t *start = (uint8_t *)text_reserve(out, VARINT_MAX + groups * (size_t)bit_width + 16);
    uint8_t *at = varint_write(start, (uint64_t)groups << 1 | 1);
    for (size_t i = 0; i < count / 8; i++, at += bit_width)
        pack_group(values + i * 8, bit_width, at);
    if (count % 8 != 0) {
        uint32_t last[8] = {0};
        memcpy(last, values + count / 8 * 8, count % 8 * sizeof *last);
        pack_group(last, bit_width, at);
        at += bit_width;
    }
    out->size += (size_t)(at - start);
}

/* All of v[0..8) equal? */
static bool group_is_even(const uint32_t *v)
{
    uint32_t difference = 0;
    for (int i = 1; i < 8; i++)
        difference |= v[i] ^ v[0];
    return difference == 0;
}

static size_t run_length(const uint32_t *values, size_t from, size_t count)
{
    size_t i = from + 1;
    while (i < count && values[i] == values[from])
        i++;
    return i - from;
}

/* A run interrupts a packed run only when it is long enough to pay for two headers and its value. */
void rle_encode(const uint32_t *values, size_t count, int bit_width, struct text *out)
{
    size_t run_min = bit_width >= 4 ? 8 : bit_width >= 2 ? 24 : 40;
    size_t packed_from = 0, i = 0;
    while (i + 8 <= count) {
        size_t run = 0;
        if (group_is_even(values + i))
            run = run_length(values, i, count);
        if (run < run_min) {
            i += 8;
            continue;
        }
        if (i > packed_from)
            pack(values + packed_from, i - packed_from, bit_width, out);
        rle_encode_run(values[i], run, bit_width, out);
        i += run;
        packed_from = i;
    }
    if (count > packed_from)
        pack(values + packed_from, count - packed_from, bit_width, out);
}
