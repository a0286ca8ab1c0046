/* state.h - remember per key: typed hash tables with epoch deltas and snapshots.
 *
 * Shape    a table maps a key (bytes: see state_key_*) to a slot of `slot_bytes` in one flat array, addressed
 *          by index; the caller lays out the slot (window bounds, aggregate states)
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

enum {
    STATE_KEY_MAX = 64 * 1024,           /* bytes of one encoded key */
    STATE_KEYS_MAX = 1024 * 1024 * 1024, /* bytes of the keys of one batch */
};
struct state_table; /* opaque; state/table.c */

struct state_spec {
    const char *name;  /* for messages */
    size_t slot_bytes; /* multiple of 8 */
    struct budget *budget;
};
struct state_table *state_new(const struct state_spec *spec);
/* Records have room for keys of key_bytes (state_key_bytes), or, when that is 0, for most of the first keys that come.
 * Longer ones are taken all the same, only slower. */
struct state_table *state_new_keyed(const struct state_spec *spec, size_t key_bytes);
void state_free(struct state_table *table);
/* So many keys will come next, all at once: the arrays grow in one step. A hint; nothing is taken before the first. */
void state_expect(struct state_table *table, int64_t keys);
int64_t state_count(const struct state_table *table);
size_t state_bytes(const struct state_table *table);

/* Find or insert `rows` keys at once (hashes given, XXH3 of the key bytes). slots[i] receives the slot; a new
 * slot is zeroed and its index appended to `created` (room for `rows` more), *created_count raised; `created`
 * follows the order of the rows. Keys lie at key_data[offsets[i]..]. After E_MEMORY a part of the keys is in
 * the table. */
MUST_CHECK enum code state_upsert(struct state_table *table, const uint8_t *key_data, const int32_t *offsets,
                                  const uint64_t *hashes, int64_t rows, uint32_t *slots, uint32_t *created,
                                  int64_t *created_count, struct error *err);
/* UINT32_MAX when absent. */
uint32_t state_find(const struct state_table *table, struct bytes key, uint64_t hash);
/* Slot i lies at base + i * stride, 16-byte aligned; upsert may move them. The stride is known from the first
 * upsert on, and larger than slot_bytes: a slot lies right behind its key, so that both are fetched together. */
uint8_t *state_base(struct state_table *table);
size_t state_stride(const struct state_table *table);
struct bytes state_key(const struct state_table *table, uint32_t slot);
void state_remove(struct state_table *table, uint32_t slot);
/* Calls each(context, slot) for every live slot, ascending; each may remove that slot. */
void state_each(struct state_table *table, void (*each)(void *context, uint32_t slot), void *context);
void state_clear(struct state_table *table);

/* Group keys to bytes: columns of each row concatenated, self-delimiting, equal values = equal bytes (NaN,
 * -0.0 unified, NULL equal to NULL). Appends to `data`, fills offsets[rows+1] and hashes[rows]. A key past
 * STATE_KEY_MAX, or past STATE_KEYS_MAX together with those before it, becomes empty (no other key of one
 * column or more is): returns how many. */
int64_t state_key_encode(const struct column *cols, int32_t count, int64_t rows, struct text *data, int32_t *offsets,
                         uint64_t *hashes);
/* Bytes of the longest key of these types; 0 when there is no such bound. */
size_t state_key_bytes(const struct type *const *types, int32_t count);
/* The inverse: one row appended to each builder. */
MUST_CHECK enum code state_key_decode(struct bytes key, struct builder *builders, int32_t count, struct error *err);
/* One value in the same form, but exactly as it is (-0.0 stays): for rows that are kept as bytes. Take it off the
 * front of `in`; false when the bytes are not a value of the builder's type, which is then left half filled. */
size_t state_value_size(const struct column *col, int64_t row);
uint8_t *state_value_put(uint8_t *to, const struct column *col, int64_t row); /* returns where it ends */
bool state_value_take(struct bytes *in, struct builder *out);

/* ---- stored state: frames with version and checksum (state/frame.c has the layout) ---- */

struct state_frame {
    uint16_t kind;     /* the writer's */
    uint64_t layout;   /* the writer's fingerprint of what the body means */
    struct bytes body; /* view into the bytes read */
};
/* Start a frame at the end of `out`, append the body to `out`, then end it with the place that begin
 * returned. */
size_t state_frame_begin(struct text *out, uint16_t kind, uint64_t layout);
void state_frame_end(struct text *out, size_t start);
/* Take the first frame of `in` off its front. E_CORRUPT names what is wrong with it. */
MUST_CHECK enum code state_frame_read(struct bytes *in, struct state_frame *out, struct error *err);

#endif
