/* value_bytes.h - inside expr/: one value of any type as bytes, to be kept in the state of an aggregate.
 *
 * Layout   one byte: 0 = NULL, 1 = a value follows. Then: fixed width, little-endian, as in the column (BOOLEAN one
 *          byte); STRING, BINARY uint32 size + bytes; ARRAY, MAP uint32 count + the elements (MAP: key, value, key, ..);
 *          STRUCT the fields one after another
 * Equal    with `normal`, equal values (in Spark's sense: NaN = NaN, 0.0 = -0.0) have equal bytes
 * Fails    value_load checks every length: false when the bytes are not a value of the type
 */
#ifndef EXPR_VALUE_BYTES_H
#define EXPR_VALUE_BYTES_H

#include "expr/function.h"

void value_save(const struct column *col, int64_t row, bool normal, struct text *out);
/* Takes one value off the front of `in`. out may be NULL: only step over it. */
bool value_load(struct bytes *in, const struct type *type, struct builder *out);

/* A set of byte strings in the order they came, each with `tail` bytes behind it that are its owner's. Zeroed = empty. */
struct value_set {
    struct text items; /* uint32 size + bytes + tail, ... */
    uint32_t *table;   /* item's offset in `items` + 1; 0 = empty */
    uint32_t table_size, count, tail;
};
/* The item's tail, zeroed when it is new; until the next put. */
uint8_t *value_set_put(struct value_set *set, struct bytes item);
bool value_set_add(struct value_set *set, struct bytes item); /* false: it was there */
/* Steps over the items: *at starts at 0. */
bool value_set_next(const struct value_set *set, size_t *at, struct bytes *item);
void value_set_free(struct value_set *set);

static inline void save_u32(struct text *out, uint32_t value) { text_add(out, &value, sizeof value); }
bool load_u32(struct bytes *in, uint32_t *out);
/* `size` bytes off the front; false when there are fewer. */
bool load_bytes(struct bytes *in, size_t size, struct bytes *out);

#endif
