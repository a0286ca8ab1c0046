/* spill.h - keeps state within the budget: whole shards go to disk when it is full, and come back when an epoch needs them.
 *
 *     take bytes, budget full -> relieve: the shard that was not used for longest is written out and forgotten
 *     spill_pin(shard)        -> read back when it is away; it stays until spill_unpin
 *
 * First    shards that the running epoch has no more use for, longest unused first; then those it still wants, which
 *          will have to come back. Never one that is pinned
 * Cost     a shard that is away costs one sequential read to merge, and one sequential write to leave again
 * Files    <checkpoint>/spill/<stage>-<shard>: a cache, never the truth (that is the chain). Nothing is synced; the folder
 *          is emptied at open and at close
 * Owns     the files; the budget's relieve callback while open. Borrows stages and budget
 * Fails    E_MEMORY when nothing is left to write out: what one shard and the lanes of one epoch need does not fit
 * Thread   pin, unpin, read and the budget: any. All else with nobody at work
 */
#ifndef RUNTIME_SPILL_H
#define RUNTIME_SPILL_H

#include "operator/operator.h"

struct spill;
struct spill_spec {
    struct stateful *const *stages;
    int32_t stage_count;
    struct budget *budget;
    const char *folder;
};
struct spill_totals {
    int64_t shards, entries, file_bytes; /* away now */
    int64_t written_bytes, read_bytes;   /* since open */
};
MUST_CHECK enum code spill_open(const struct spill_spec *spec, struct spill **out, struct error *err);
void spill_close(struct spill *self);

/* Have the shard in memory until spill_unpin. One pin at a time for a shard, one for a thread. */
MUST_CHECK enum code spill_pin(struct spill *self, int32_t stage, int32_t shard, struct error *err);
void spill_unpin(struct spill *self, int32_t stage, int32_t shard);
/* This epoch will pin the shard: let others go first. */
void spill_want(struct spill *self, int32_t stage, int32_t shard);
bool spill_is_away(const struct spill *self, int32_t stage, int32_t shard);
/* What shard_snapshot would say, appended to `out`: of a shard that is away without bringing it back. */
MUST_CHECK enum code spill_snapshot(struct spill *self, int32_t stage, int32_t shard, struct text *out,
                                    struct error *err);

/* Bytes of all shards in memory, as of their last unpin. */
size_t spill_resident_bytes(struct spill *self);
struct spill_totals spill_totals(struct spill *self);
int64_t spill_stage_entries(struct spill *self, int32_t stage); /* of its shards that are away */

#endif
