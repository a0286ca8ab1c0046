/* state_log.h - writes what each epoch changes in state, and every few epochs all of it, without ever stopping for that.
 *
 * Spread   an epoch writes some shards whole, the next ones in turn: each comes round at least every
 *          leat.snapshot.epochs epochs, sooner when changes amount to the size of the state. So no epoch writes all, and
 *          recovery reads at most about two times the state (state_history.h)
 * Epoch    begin -> save (every shard, after its merge, by any thread) -> finish -> [record] -> committed
 * Owns     the epoch's open file of each node; borrows stages and spill
 * Thread   save: any. All else: one, with nobody at work
 * Faults   state_merge, snapshot_put
 */
#ifndef RUNTIME_STATE_LOG_H
#define RUNTIME_STATE_LOG_H

#include "operator/operator.h"
#include "runtime/chain.h"
#include "runtime/spill.h"
#include "runtime/state_history.h"

struct state_log;
struct state_log_spec {
    struct store *store;
    struct spill *spill;
    struct stateful *const *stages;
    const int32_t *nodes; /* plan id per stage, for the names of files */
    int32_t stage_count;
    int64_t snapshot_epochs;
};
struct state_log *state_log_new(const struct state_log_spec *spec);
void state_log_free(struct state_log *self); /* abandons what is open */
/* Where a stage's shards stand whole in the chain. */
void state_log_resume(struct state_log *self, int32_t stage, const struct state_history *history);

void state_log_begin(struct state_log *self, int32_t stage, int64_t epoch);
/* The shard is written whole in this epoch, whether it changes or not. */
bool state_log_is_due(const struct state_log *self, int32_t stage, int32_t shard);
/* `merged`: the epoch worked on the shard, which is pinned. */
MUST_CHECK enum code state_log_save(struct state_log *self, int32_t stage, int32_t shard, bool merged,
                                    struct error *err);
/* The files are durable; *out gets shards, ranges, path, size and checksum. out->path lives until the next begin. */
MUST_CHECK enum code state_log_finish(struct state_log *self, int32_t stage, struct chain_state *out,
                                      struct error *err);
/* The record of `epoch` is in the chain. */
void state_log_committed(struct state_log *self, int64_t epoch);
/* The oldest epoch whose record is still of use; -1 = all. */
int64_t state_log_oldest(const struct state_log *self);

#endif
