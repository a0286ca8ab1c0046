/* delta_pack.h - DELTA_BINARY_PACKED: integers as bit-packed differences, for offsets, times and lengths.
 *
 * Shape    header  varint 128 (values a block), varint 4 (miniblocks a block), varint count, zigzag first value
 *          block   zigzag least delta, 4 bytes of bit widths, 4 miniblocks of 32 (delta - least), low bits
 *                  first; miniblocks behind the last value have width 0 and no bytes, the last one in use is
 *                  filled with 0
 *          deltas wrap around at the width of the values
 * Spec     parquet-format/Encodings.md, DELTA_BINARY_PACKED = 5
 */
#ifndef FORMAT_DELTA_PACK_H
#define FORMAT_DELTA_PACK_H

#include "base/bytes.h"

void delta_encode(const int64_t *values, size_t count, struct text *out);
void delta_encode_32(const int32_t *values, size_t count, struct text *out);

#endif
