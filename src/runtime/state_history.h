/* state_history.h - where the chain keeps what a stateful node knew at the end of an epoch, and how to load it.
 *
 *   epoch      17      18      19      20 = head
 *   shard 0    whole   change  change  change          loaded: whole of 17, changes of 18 to 20
 *   shard 1    change  change  whole   change          loaded: whole of 19, change of 20
 *
 * Each epoch writes a few shards whole (state_log.h), so the newest whole of every shard and the changes after it lie
 * within few epochs. The history goes back far enough for two wholes of each shard where the chain still has them:
 * when the newer one fails its checksum, the older one and the changes since it say the same
 * Node     found by plan->identity; a record without identities, or a plan without one, goes by plan id
 * Old      files of records of version 1 are frames without parts: they are loaded for all shards at once, first
 * Fails    E_CORRUPT names the file; E_CHANGED when what is stored has another layout
 * Thread   reading a history: one. Loading different shards of it: any, when by_shard and the stage has shard_restore
 */
#ifndef RUNTIME_STATE_HISTORY_H
#define RUNTIME_STATE_HISTORY_H

#include "operator/operator.h"
#include "runtime/chain.h"
#include "runtime/state_file.h"

struct state_source { /* what one epoch wrote of the node */
    int64_t epoch;
    const char *path;
    int64_t size_bytes;
    uint64_t checksum;
    bool whole; /* old files only: all shards are in it whole */
    int32_t whole_from, whole_to;
    struct state_parts parts; /* none: an old file */
};
struct state_history {
    struct store *store;
    struct arena arena;
    struct state_source *sources; /* newest first */
    int32_t count, capacity;
    int32_t shards;  /* of the parts; 0 when there are none */
    bool from_start; /* before the oldest source the node had no state */
};
/* What the chain has of `plan` at its head. A node that no record knows has an empty history. */
MUST_CHECK enum code state_history_read(const struct chain *chain, struct store *store, const struct plan *plan,
                                        struct state_history *out, struct error *err);
/* The same for all nodes at once: out[i] of plans[i]. Each record of the chain is read once; all or none. */
MUST_CHECK enum code state_histories_read(const struct chain *chain, struct store *store,
                                          const struct plan *const *plans, int32_t count, struct state_history *out,
                                          struct error *err);
void state_history_free(struct state_history *self);

/* Each shard can be loaded on its own. Else state_history_load_all does it. */
bool state_history_by_shard(const struct state_history *self, const struct stateful *stage);
MUST_CHECK enum code state_history_load(const struct state_history *self, struct stateful *stage, int32_t shard,
                                        struct error *err);
MUST_CHECK enum code state_history_load_all(const struct state_history *self, struct stateful *stage,
                                            struct error *err);

/* Epoch of the newest whole of a shard and of the one before it; -1 = none. */
void state_history_wholes(const struct state_history *self, int32_t shard, int64_t *newest, int64_t *before);

#endif
