/* snappy_encode.h - compress to the snappy format, fastest where rows resemble the row before.
 *
 * Why      columns and JSON texts repeat at a distance: what stood one row before comes again. So the bytes
 *          at the last copy's distance are compared first, 64 at once, and only where that finds nothing is
 *          a hash table asked. On such data about twice as fast as libsnappy, for 3 to 5 per cent more
 *          bytes; elsewhere on a par
 * Shape    varint of the uncompressed size, then elements; the low two bits of a tag tell:
 *            00  literal: size - 1 in the tag's upper six bits, or 60..63 there and 1..4 bytes of it;
 *                then the bytes
 *            01  copy of 4..11 bytes from 1..2047 bytes before; two bytes
 *            10  copy of 1..64 bytes from 1..65535 bytes before; three bytes
 * Owns     nothing; the caller's struct is the table, 32 KiB, cleared by each call: same input, same output
 * Limits   input below 4 GiB
 * Spec     github.com/google/snappy, format_description.txt
 */
#ifndef FORMAT_SNAPPY_ENCODE_H
#define FORMAT_SNAPPY_ENCODE_H

#include <stddef.h>
#include <stdint.h>

enum { SNAPPY_HASH_BITS = 14 };
struct snappy_table {
    uint16_t position[1 << SNAPPY_HASH_BITS];  /* low 16 bits of where such bytes were last seen */
};
/* Most bytes that snappy_encode writes, what it writes too much in one go included. */
size_t snappy_bound(size_t size);
/* Returns the size of the output. */
size_t snappy_encode(struct snappy_table *table, const uint8_t *in, size_t size, uint8_t *out);

#endif
