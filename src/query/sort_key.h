/* sort_key.h - rows to bytes that compare as the rows do: memcmp order is ORDER BY order.
 *
 *   per key   null byte, then the value; DESC inverts the value's bytes
 *     null    0x00 NULL first, 0x02 NULL last; 0x01 a value follows
 *     number  big endian, sign flipped; FLOAT and DOUBLE so that NaN is last and -0.0 equals 0.0
 *     text    bytes, 0x00 written as 0x00 0xff, ended by 0x00 0x00
 *     array   each element with 0x01 in front, then 0x00; NULL elements first, as Spark compares them
 *     struct  the fields, NULL ones first
 *
 * Units    offsets are 64-bit: one per row and one behind the last
 * Thread   any
 */
#ifndef QUERY_SORT_KEY_H
#define QUERY_SORT_KEY_H

#include "data/data.h"
#include "sql/sql.h"

struct sort_keys {
    struct text bytes;
    size_t *offsets; /* rows + 1 */
    int64_t rows;
};
/* orders NULL: all ascending, NULLs first. E_UNSUPPORTED when the keys are too large to hold. */
MUST_CHECK enum code sort_keys_encode(struct sort_keys *self, const struct column *cols,
                                      const struct plan_order *orders, int32_t count, int64_t rows, struct error *err);
void sort_keys_free(struct sort_keys *self);
static inline struct bytes sort_key(const struct sort_keys *self, int64_t row)
{
    return bytes_of(self->bytes.data + self->offsets[row], self->offsets[row + 1] - self->offsets[row]);
}
static inline bool sort_keys_equal(const struct sort_keys *self, int64_t a, int64_t b)
{
    return bytes_equal(sort_key(self, a), sort_key(self, b));
}
/* Row numbers in order; equal rows keep theirs. `order` has room for all rows. */
void sort_keys_order(const struct sort_keys *self, int32_t *order);

/* The keys as a column of BINARY, to stay beside their rows; false: more than offsets reach. And the order by it. */
bool sort_keys_column(const struct sort_keys *self, struct column *out);
void sort_column_order(const struct column *keys, int32_t *order);
static inline int sort_key_compare(struct bytes a, struct bytes b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common > 0 ? memcmp(a.data, b.data, common) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

#endif
