/* rle_read.h - the reading half of rle.h and delta_pack.h: bit-packed values of Parquet's pages.
 *
 * Padding  READ_PADDING bytes behind the input may be read (never used): whoever owns a page keeps them
 *          there
 * Fails    false when the input ends before the count is reached, or makes no sense; nothing beyond it is
 *          read
 * Thread   one at a time
 */
#ifndef FORMAT_RLE_READ_H
#define FORMAT_RLE_READ_H

#include "base/bytes.h"

enum { READ_PADDING = 16 }; /* bytes */

/* ---- the RLE / bit-packing hybrid: levels, dictionary indexes, booleans ---- */

struct rle_reader {
    const uint8_t *at, *end;
    int bit_width;     /* 0..32 */
    uint64_t run_left; /* values of the run of equal ones */
    uint32_t run_value;
    uint64_t packed_left; /* values of the packed run */
    const uint8_t *packed;
    uint64_t packed_bit; /* of the next value, from `packed` */
};
struct rle_reader rle_reader_of(struct bytes bytes, int bit_width);
MUST_CHECK bool rle_read(struct rle_reader *reader, uint32_t *out, int64_t count);
/* Levels: values below 256. *ones counts those equal to `match`. */
MUST_CHECK bool rle_read_bytes(struct rle_reader *reader, uint8_t *out, int64_t count, uint8_t match, int64_t *matches);

/* ---- DELTA_BINARY_PACKED ---- */

struct delta_reader {
    const uint8_t *at, *end;
    int64_t left;   /* values not yet read */
    uint64_t value; /* the next one */
    bool first;
    uint64_t min_delta;
    uint32_t block_values, mini_values, mini_count, mini; /* mini: of the block, being read */
    uint32_t mini_left;
    const uint8_t *widths; /* of the block's miniblocks */
    const uint8_t *packed;
    uint64_t packed_bit;
};
enum { DELTA_BLOCK_MAX = 1 << 20 }; /* values of a block; writers use 128 or 256 */
MUST_CHECK bool delta_reader_open(struct delta_reader *reader, struct bytes bytes);
MUST_CHECK bool delta_read(struct delta_reader *reader, int64_t *out, int64_t count);
/* Where the encoded values end; only once all were read. */
const uint8_t *delta_reader_end(const struct delta_reader *reader);

#endif
