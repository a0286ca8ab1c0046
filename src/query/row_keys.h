/* row_keys.h - inside query/: the keys of a batch's rows, as a state table wants them, and where it has them.
 *
 * Shape    key i is data[offsets[i] .. offsets[i + 1]), as state_key_encode
 * Owns     all four; a zeroed one is valid and empty
 */
#ifndef QUERY_ROW_KEYS_H
#define QUERY_ROW_KEYS_H

#include "query/key_parts.h"

struct row_keys {
    struct text data;
    int32_t *offsets;
    uint64_t *hashes;
    uint32_t *slots; /* by upsert or split; UINT32_MAX: the row went to disk */
};
/* The number of keys that are longer than STATE_KEY_MAX: they are empty. */
int64_t row_keys_encode(struct row_keys *self, const struct column *columns, int32_t count, int64_t rows);
void row_keys_free(struct row_keys *self);
/* As state_upsert; E_MEMORY: the table has no room for all of them. */
MUST_CHECK enum code row_keys_upsert(struct row_keys *self, struct state_table *table, int64_t rows, uint32_t *created,
                                     int64_t *created_count, struct error *err);
/* The table takes no new keys any more: rows with others leave. */
MUST_CHECK enum code row_keys_split(struct row_keys *self, const struct state_table *table, const struct batch *rows,
                                    struct partitions *to, int32_t side, struct error *err);
/* All rows of a batch leave, by keys that are computed for them. */
MUST_CHECK enum code row_keys_part(struct computation *keys, struct stage *stage, struct partitions *to, int32_t side,
                                   const struct batch *rows, struct error *err);

#endif
