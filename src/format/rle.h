/* rle.h - Parquet's RLE / bit-packing hybrid: levels and dictionary indexes.
 *
 * Shape    runs, one after the other, each with a varint header:
 *            header & 1 == 0   header >> 1 times the value that follows in ceil(bit_width / 8) bytes
 *            header & 1 == 1   header >> 1 groups of 8 values, each value in bit_width bits, low bits first
 *          only the last packed run may hold values that nobody asked for (its last group is filled with 0)
 * Limits   bit_width 1..16
 * Spec     parquet-format/Encodings.md, RLE = 3
 */
#ifndef FORMAT_RLE_H
#define FORMAT_RLE_H

#include "base/bytes.h"

enum { RLE_BIT_WIDTH_MAX = 16 };

/* Bits that hold every value in [0, max]; at least 1, for readers that stumble over width 0. */
int rle_bit_width(uint32_t max);
/* Append `count` values below 2^bit_width. */
void rle_encode(const uint32_t *values, size_t count, int bit_width, struct text *out);
/* Append `count` times the same value, as one run. */
void rle_encode_run(uint32_t value, size_t count, int bit_width, struct text *out);

#endif
