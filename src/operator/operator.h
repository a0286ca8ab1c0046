/* operator.h - one stage of the graph: batches in, batches out, state across epochs.
 *
 * Stateless stages (filter, project, generate) have an instance per worker and keep nothing between batches.
 * Stateful stages (aggregate) work in two phases: each worker's lane folds its rows into partial groups
 * during the epoch; at the end of the epoch the shards, which own the keys by hash, merge all lanes' partials
 * into the state, evict by the watermark, and emit. So no lock is taken per row, and an epoch's result does
 * not depend on which worker saw which row.
 *
 *     lane_batch() .. lane_batch()      every worker, in parallel, during the epoch
 *     shard_merge(shard)                all lanes quiet; shards in parallel; emits rows that W(N) closes
 *     shard_delta(shard)                the change since the last epoch, for the chain
 *
 * Failure  an epoch that fails before its record leaves lanes and shards dirty: the runtime drops the stage
 *          and restores a new one from the chain, the same path as after a crash
 * Late     rows are judged by W(N-1), windows are emitted and evicted by W(N) (exactly-once.md, section 3)
 * Owns     input batches are borrowed for the call; output is moved into emit
 * Fails    E_MEMORY over budget; bad rows go to the reject list
 * Thread   a lane or shard belongs to one thread at a time
 * Add one  a file, a plan node, and its case in runtime/graph.c
 * Spec     docs/semantics.md; Spark 4.2 Structured Streaming
 */
#ifndef OPERATOR_OPERATOR_H
#define OPERATOR_OPERATOR_H

#include "data/data.h"
#include "expr/expr.h"
#include "state/state.h"

/* Where output goes: called with a batch that the callee may take (batch_take) or leave to be released. */
struct emit {
    enum code (*batch)(void *context, struct batch *out, struct error *err);
    void *context;
};

/* Fixed while an epoch runs. */
struct epoch_time {
    int64_t epoch;
    int64_t late_us; /* W(N-1): rows and windows at or before are late */
    int64_t emit_us; /* W(N): windows ending at or before are emitted and evicted */
};
/* Counted where it happens (the ledger). */
struct operator_counts {
    int64_t in, out, filtered, late, rejected, exploded, null_time;
    int64_t aggregated;   /* rows folded into groups */
    int64_t overflown;    /* results of groups that do not fit their type: NULL */
};

/* ---- stateless ---- */

struct filter; /* keeps rows where the predicate is true */
MUST_CHECK enum code filter_new(struct arena *arena, const struct expr *predicate, struct filter **out,
                                struct error *err);
MUST_CHECK enum code filter_batch(struct filter *self, const struct session *session, const struct batch *in,
                                  struct rejects *rejects, struct operator_counts *counts, struct batch *out,
                                  struct error *err); /* out->rows may be 0; all rows: columns are shared */
void filter_free(struct filter *self);

struct project; /* computes columns */
MUST_CHECK enum code project_new(struct arena *arena, const struct expr *const *exprs, int32_t count,
                                 const struct type *schema, struct project **out, struct error *err);
/* Rows that rejected are left out of `out` (and are in `rejects`). */
MUST_CHECK enum code project_batch(struct project *self, const struct session *session,
                                   const struct batch *in, struct rejects *rejects,
                                   struct operator_counts *counts, struct batch *out, struct error *err);
struct position project_position(const struct project *self, int32_t step);
struct position filter_position(const struct filter *self, int32_t step);
void project_free(struct project *self);

enum generate_kind { EXPLODE, POSEXPLODE, INLINE, STACK };
struct generate_spec {
    enum generate_kind kind;
    bool outer;
    const struct expr *const *args;
    int32_t arg_count;
    int32_t generated;         /* columns that come last in schema */
    const struct type *schema; /* input columns, then generated ones */
    const bool *keep; /* per input column: needed later? NULL = all; others come out as NULL columns */
};
struct generate;
MUST_CHECK enum code generate_new(struct arena *arena, const struct generate_spec *spec,
                                  struct generate **out, struct error *err);
MUST_CHECK enum code generate_batch(struct generate *self, const struct session *session,
                                    const struct batch *in, struct rejects *rejects,
                                    struct operator_counts *counts, struct batch *out, struct error *err);
struct position generate_position(const struct generate *self, int32_t step);
void generate_free(struct generate *self);

/* Times this far out (some 73,000 years) cannot be moved by a window without overflow: a window rejects them, and no
 * watermark may follow them. */
#define EVENT_TIME_LIMIT_US (INT64_MAX / 4)

/* Event time seen: the largest valid value of the column below the limit, floored to ms, or INT64_MIN. */
int64_t watermark_seen(const struct column *event_time);

/* ---- aggregate ---- */

struct aggregate_spec {
    const char *name;               /* for messages: table and node */
    const struct expr *const *keys; /* keys[window_key] is NULL when there is a window */
    int32_t key_count;
    const struct aggregate_call *const *calls;
    int32_t call_count;
    int32_t window_key; /* -1 = no window */
    int64_t size_us, slide_us, start_us;
    const struct expr *window_time;
    int32_t watermark_key;     /* a plain event-time group key, or -1 */
    const struct type *schema; /* keys (window as STRUCT<start,end>), then calls */
    int32_t lanes, shards;
    struct budget *budget;
};
struct aggregate_stage;
MUST_CHECK enum code aggregate_stage_new(struct arena *arena, const struct aggregate_spec *spec,
                                         struct aggregate_stage **out, struct error *err);
/* Fold a batch into lane's partial groups. Late rows (window end <= late_us) are dropped and counted, a NULL
 * time too. */
MUST_CHECK enum code aggregate_lane_batch(struct aggregate_stage *self, int32_t lane,
                                          const struct session *session, const struct epoch_time *time,
                                          const struct batch *in, struct rejects *rejects,
                                          struct operator_counts *counts, struct error *err);
/* Merge every lane's partials that belong to `shard`, then emit (append mode) and evict what emit_us closes:
 * windows in the order of their ends, at most BATCH_ROWS_MAX rows a batch. emit_us = INT64_MAX closes
 * everything, groups without a time too. A result that overflows is NULL and counted as overflown: no single
 * record is to blame. */
MUST_CHECK enum code aggregate_shard_merge(struct aggregate_stage *self, int32_t shard,
                                           const struct epoch_time *time, const struct emit *emit,
                                           struct operator_counts *counts, struct error *err);
/* All lanes are empty again for the next epoch (after every shard has merged). */
void aggregate_lanes_clear(struct aggregate_stage *self);
/* Append the shard's changes of this epoch (changed groups whole; evictions by the watermark value). */
MUST_CHECK enum code aggregate_shard_delta(struct aggregate_stage *self, int32_t shard, struct text *out,
                                           struct error *err);
/* Append the shard's whole state. */
MUST_CHECK enum code aggregate_shard_snapshot(struct aggregate_stage *self, int32_t shard, struct text *out,
                                              struct error *err);
/* Apply a snapshot or delta (any number of shards when written; keys find their shard again). Restore:
 * snapshot first, then deltas in epoch order. E_CORRUPT when the bytes are not what delta/snapshot wrote. */
MUST_CHECK enum code aggregate_restore(struct aggregate_stage *self, struct bytes stored, struct error *err);
struct position aggregate_position(const struct aggregate_stage *self, int32_t step);
int64_t aggregate_groups(const struct aggregate_stage *self);
size_t aggregate_bytes(const struct aggregate_stage *self);
void aggregate_stage_free(struct aggregate_stage *self);

#endif
