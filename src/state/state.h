/* state.h - remember per key: typed hash tables with epoch deltas and snapshots.
 *
 * Shape    a table maps a key (bytes: see state_key_*) to a slot of `stride` bytes in one flat array, addressed by
 *          index; the caller lays out the slot (window bounds, aggregate states)
 * Delta    what an epoch changed, as bytes with a checksum; base + deltas in epoch order = the table
 * Units    slots are numbered 0.. ; freed slots are reused
 * Owns     keys and slots; charged to the budget given at init
 * Fails    E_MEMORY when the budget is reached; E_CORRUPT when stored bytes fail their check
 * Thread   a table belongs to one thread at a time (one shard = one table)
 * Limits   2^31 entries a table; keys of at most 64 KiB
 */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include "base/memory.h"
#include "data/data.h"

struct state_table;   /* defined in state/table.h, opaque to users */

struct state_spec {
    const char *name;                     /* for messages */
    size_t stride;                        /* bytes of a slot, multiple of 8 */
    struct budget *budget;
};
struct state_table *state_new(const struct state_spec *spec);
void state_free(struct state_table *table);
int64_t state_count(const struct state_table *table);
size_t state_bytes(const struct state_table *table);

/* Find or insert `rows` keys at once (hashes given, XXH3 of the key bytes). slots[i] receives the slot; a new slot is
 * zeroed and its index appended to `created` (capacity rows), *created_count raised. Keys lie at key_data[offsets[i]..]. */
MUST_CHECK enum code state_upsert(struct state_table *table, const uint8_t *key_data, const int32_t *offsets,
                                  const uint64_t *hashes, int64_t rows, uint32_t *slots, uint32_t *created,
                                  int64_t *created_count, struct error *err);
/* UINT32_MAX when absent. */
uint32_t state_find(const struct state_table *table, struct bytes key, uint64_t hash);
uint8_t *state_base(struct state_table *table);                   /* slot i lies at base + i * stride; moves on upsert */
struct bytes state_key(const struct state_table *table, uint32_t slot);
void state_remove(struct state_table *table, uint32_t slot);
/* Calls each(context, slot) for every live slot, ascending; each may remove that slot. */
void state_each(struct state_table *table, void (*each)(void *context, uint32_t slot), void *context);
void state_clear(struct state_table *table);

/* Group keys to bytes: columns of each row concatenated, self-delimiting, equal values = equal bytes (NaN, -0.0 unified,
 * NULL equal to NULL). Appends to `data`, fills offsets[rows+1] and hashes[rows]. */
void state_key_encode(const struct column *cols, int32_t count, int64_t rows, struct text *data, int32_t *offsets,
                      uint64_t *hashes);
/* The inverse: one row appended to each builder. */
MUST_CHECK enum code state_key_decode(struct bytes key, struct builder *builders, int32_t count, struct error *err);

#endif
