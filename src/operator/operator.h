/* operator.h - one stage of the graph: batches in, batches out, state across epochs.
 *
 * Stateless stages (filter, project, generate, lookup) have an instance per worker and keep nothing between
 * batches. Stateful stages (aggregate, session, join, deduplicate) are one `struct stateful` behind one table of
 * callbacks and work in two phases: each worker's lane takes its rows in during the epoch; at the end of the
 * epoch the shards, which own the keys by hash, merge what all lanes took in, emit, and evict by the watermark.
 * So no lock is taken per row, and an epoch's result does not depend on which worker saw which row.
 *
 *     lane_batch() .. lane_batch()      every worker, in parallel, during the epoch
 *     shard_merge(shard)                all lanes quiet; shards in parallel; emits what the epoch completes
 *     shard_delta(shard)                the change since the last epoch, for the chain
 *     shard_spill(shard)                its memory given back; shard_snapshot's bytes bring it back by restore()
 *
 * Failure  an epoch that fails before its record leaves lanes and shards dirty: the runtime drops the stage
 *          and restores a new one from the chain, the same path as after a crash
 * Late     rows are judged by W(N-1), rows are emitted and evicted by W(N) (exactly-once.md, section 3). Which W
 *          a stage sees is the runtime's business: watermarks travel through the stages (runtime/watermarks.h)
 * Owns     input batches are borrowed for the call; output is moved into emit
 * Fails    E_MEMORY over budget; bad rows go to the reject list
 * Thread   a lane or shard belongs to one thread at a time
 * Add one  a file with a struct stateful_type, a plan node, and its case in runtime/graph_build.c
 * Spec     docs/semantics.md; Spark 4.2 Structured Streaming
 */
#ifndef OPERATOR_OPERATOR_H
#define OPERATOR_OPERATOR_H

#include "data/data.h"
#include "expr/expr.h"
#include "operator/selection.h"
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
    int64_t aggregated; /* rows that state took in: folded into groups, kept for a join */
    int64_t duplicates; /* rows that a key seen before kept out */
    int64_t replayed;   /* rows that came in out of a quarantine: no node below has given them */
    int64_t overflown;  /* results of groups that do not fit their type: NULL */
    /* Of stages with state, and lookups: */
    uint8_t *fates;         /* enum row_fate per row of the batch, all ROW_TAKEN before the call; NULL: nobody asks */
    int64_t *duplicates_of; /* the duplicates again, per slot of their origin (data/batch.h); NULL: nobody asks */
};
enum row_fate { ROW_TAKEN, ROW_LATE, ROW_NULL_TIME, ROW_FILTERED }; /* rejects are in their own list */

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
MUST_CHECK enum code project_batch(struct project *self, const struct session *session, const struct batch *in,
                                   struct rejects *rejects, struct operator_counts *counts, struct batch *out,
                                   struct error *err);
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
    const bool *keep;          /* per input column: needed later? NULL = all; others come out as NULL columns */
};
struct generate;
MUST_CHECK enum code generate_new(struct arena *arena, const struct generate_spec *spec, struct generate **out,
                                  struct error *err);
MUST_CHECK enum code generate_batch(struct generate *self, const struct session *session, const struct batch *in,
                                    struct rejects *rejects, struct operator_counts *counts, struct batch *out,
                                    struct error *err);
struct position generate_position(const struct generate *self, int32_t step);
void generate_free(struct generate *self);

/* Times this far out (some 73,000 years) cannot be moved by a window without overflow: a window rejects them, and no
 * watermark may follow them. */
#define EVENT_TIME_LIMIT_US (INT64_MAX / 4)

/* Event time seen: the largest valid value of the column below the limit, floored to ms, or INT64_MIN. */
int64_t watermark_seen(const struct column *event_time);

/* ---- stateful: what all of them share ---- */

/* What one batch of a lane is worked on with. */
struct lane_call {
    int32_t lane;
    int32_t port; /* which input of the plan node: 0, a join's right side 1 */
    const struct session *session;
    const struct epoch_time *time;
    struct rejects *rejects; /* rows that an expression fails for */
    struct selection *late;  /* row numbers of `in` that came too late are appended; NULL: nobody keeps them */
    struct operator_counts *counts;
};
/* A row falls out. */
void lane_call_drop(const struct lane_call *call, int64_t row, enum row_fate fate);
struct stateful;
struct stateful_type {
    const char *name; /* "aggregate", "session window", "join", "deduplicate" */
    enum code (*lane_batch)(struct stateful *self, const struct lane_call *call, const struct batch *in,
                            struct error *err) MUST_CHECK;
    /* Merge every lane's rows that belong to `shard`, emit what they and W(N) complete, evict. At most
     * BATCH_ROWS_MAX rows a batch. emit_us = INT64_MAX closes everything. */
    enum code (*shard_merge)(struct stateful *self, int32_t shard, const struct epoch_time *time,
                             const struct emit *emit, struct operator_counts *counts, struct error *err) MUST_CHECK;
    /* Whether shard_merge would do anything: lanes hold rows for it, or W(N) closes something. A shard on disk
     * stays there when not. */
    bool (*shard_idle)(const struct stateful *self, int32_t shard, const struct epoch_time *time);
    /* All lanes are empty again for the next epoch (after every shard has merged). */
    void (*lanes_clear)(struct stateful *self);
    /* Append the shard's changes of this epoch (changed entries whole; evictions by the watermark value). */
    enum code (*shard_delta)(struct stateful *self, int32_t shard, struct text *out, struct error *err) MUST_CHECK;
    /* Append the shard's whole state. */
    enum code (*shard_snapshot)(struct stateful *self, int32_t shard, struct text *out, struct error *err) MUST_CHECK;
    /* Forget the shard's entries and give their memory back; what it must know while they are away (the time of
     * its next eviction) stays. restore() of shard_snapshot's bytes brings them back. */
    void (*shard_spill)(struct stateful *self, int32_t shard);
    /* Apply a snapshot or delta (any number of shards when written; keys find their shard again). Restore:
     * snapshot first, then deltas in epoch order. E_CORRUPT when the bytes are not what delta/snapshot wrote. */
    enum code (*restore)(struct stateful *self, struct bytes stored, struct error *err) MUST_CHECK;
    /* The same for bytes that one shard of as many wrote: touches that shard alone, so that shards load in parallel.
     * NULL: restore() does it, one at a time. */
    enum code (*shard_restore)(struct stateful *self, int32_t shard, struct bytes stored, struct error *err) MUST_CHECK;
    /* One row per entry for `leat state`: schema says the columns (keys, window or time, what is kept). Emits
     * batches; nothing changes. */
    const struct type *(*shown)(const struct stateful *self, struct arena *arena);
    enum code (*shard_show)(struct stateful *self, int32_t shard, const struct emit *emit, struct error *err)
        MUST_CHECK;
    struct position (*position)(const struct stateful *self, int32_t step); /* of a reject's step, in the SQL */
    int64_t (*shard_entries)(const struct stateful *self, int32_t shard);
    size_t (*shard_bytes)(const struct stateful *self, int32_t shard);
    size_t (*lane_bytes)(const struct stateful *self, int32_t lane); /* taken in and not yet merged */
    void (*free)(struct stateful *self);
};
/* First member of every instance. */
struct stateful {
    const struct stateful_type *type;
    int32_t lanes, shards;
};
int64_t stateful_entries(const struct stateful *self); /* all shards in memory */
size_t stateful_bytes(const struct stateful *self);    /* shards in memory and lanes */
/* shard_restore, or restore where there is none. A snapshot touches its shard alone either way. */
MUST_CHECK enum code stateful_shard_restore(struct stateful *self, int32_t shard, struct bytes stored,
                                            struct error *err);

/* ---- aggregate: GROUP BY with tumbling or sliding windows, or by the event time itself ---- */

struct aggregate_spec {
    const char *name;               /* for messages: table and node */
    const struct expr *const *keys; /* keys[window_key] is NULL when there is a window */
    int32_t key_count;
    const struct aggregate_call *const *calls;
    int32_t call_count;
    int32_t window_key; /* -1 = no window */
    int64_t size_us, slide_us, start_us;
    const struct expr *window_time;
    const struct expr *gap;    /* session windows: the gap of each row, INTERVAL DAY TO SECOND; else NULL */
    int32_t watermark_key;     /* a plain event-time group key, or -1 */
    const struct type *schema; /* keys (window as STRUCT<start,end>), then calls */
    int32_t lanes, shards;
    struct budget *budget;
};
/* Late rows (window end <= late_us) are dropped and counted, a NULL time too. Emits a window's groups once, in the
 * order of their ends, when emit_us reaches the end. A result that overflows is NULL and counted as overflown: no
 * single record is to blame. */
MUST_CHECK enum code aggregate_new(struct arena *arena, const struct aggregate_spec *spec, struct stateful **out,
                                   struct error *err);
/* session_window(time, gap): spec->gap is set; window_key is the session's key among the keys. */
MUST_CHECK enum code session_new(struct arena *arena, const struct aggregate_spec *spec, struct stateful **out,
                                 struct error *err);

/* ---- join of two streams ---- */

enum { JOIN_LEFT_SIDE, JOIN_RIGHT_SIDE, JOIN_SIDES };
enum join_type { JOIN_TYPE_INNER, JOIN_TYPE_LEFT, JOIN_TYPE_RIGHT, JOIN_TYPE_FULL, JOIN_TYPE_SEMI, JOIN_TYPE_ANTI };
struct join_side {
    const struct type *schema;      /* of the input */
    const struct expr *const *keys; /* over the input; a row with a NULL key matches nothing, but where null_safe */
    const struct expr *only;        /* the part of ON that reads this side alone, or NULL: a row that fails it matches
                                        * nothing */
    int32_t time_column; /* event time of the input (a window: its end): rows with time <= W(N-1) fall out. -1 =
                                        * none, or nobody reads the column: Spark prunes it, and then no row is late */
    bool bounded;        /* ON bounds the other side's time: rows with time <= W + shift_us match nothing new */
    int64_t shift_us;
};
struct join_spec {
    const char *name;
    enum join_type type;
    struct join_side sides[JOIN_SIDES];
    int32_t key_count;
    const bool *null_safe;        /* per key: <=> */
    int32_t time_key;             /* key that carries event time (a window, or a time) on some side; its state goes
                                        * when the key (a window: its end) <= W; -1 = none */
    const struct expr *condition; /* the rest of ON, over left columns then right columns; NULL = none */
    const struct type *schema;    /* left columns, then right columns (semi, anti: left only) */
    int32_t lanes, shards;
    struct budget *budget;
};
/* Every match comes out once, in the epoch of its later row; an outer side's row without one, with NULLs, when its
 * state goes (at once when it fails its own side's `only`). Counts of rows that fall out: join.c. */
MUST_CHECK enum code join_new(struct arena *arena, const struct join_spec *spec, struct stateful **out,
                              struct error *err);

/* ---- deduplicate: the first row of each key ---- */

struct deduplicate_spec {
    const char *name;
    const struct type *schema; /* of the input and the output */
    const int32_t *columns;    /* equal in these = duplicates (NULL equals NULL) */
    int32_t column_count;
    int32_t time_column;   /* event time, -1 = none: late rows (time <= W) fall out */
    bool time_is_key;      /* it is among `columns`: keys expire at time <= W */
    bool within_watermark; /* dropDuplicatesWithinWatermark: a key expires at the first row's time + delay_us */
    int64_t delay_us;
    int32_t lanes, shards;
    struct budget *budget;
};
/* Of several first rows in one epoch the one that comes first in its source stays (topic, partition, offset, row):
 * the same at every batch size and worker count. */
MUST_CHECK enum code deduplicate_new(struct arena *arena, const struct deduplicate_spec *spec, struct stateful **out,
                                     struct error *err);

/* ---- lookup: join of a stream with rows that stand still ---- */

/* The still side, hashed once and read by all lanes. */
struct lookup_table;
struct lookup_spec {
    enum join_type type; /* seen from the stream: INNER, LEFT (keep the stream's rows), SEMI, ANTI */
    const struct type *stream_schema, *still_schema;
    const struct expr *const *stream_keys, *const *still_keys;
    int32_t key_count;
    const bool *null_safe;
    bool null_aware;                             /* NOT IN: a NULL on either side leaves no row sure (ANTI only) */
    const struct expr *stream_only, *still_only; /* parts of ON that read one side; or NULL */
    const struct expr *condition;                /* over stream columns then still columns; or NULL */
    bool still_first;                            /* output: still columns, then the stream's; also in `condition` */
    const struct type *schema;
};
/* Copies the batches; E_MEMORY when they do not fit the budget, E_DATA when an expression fails for one of their rows. */
MUST_CHECK enum code lookup_table_new(const struct lookup_spec *spec, const struct session *session,
                                      const struct batch *still, int32_t batch_count, struct budget *budget,
                                      struct lookup_table **out, struct error *err);
void lookup_table_free(struct lookup_table *table);
struct lookup; /* one lane's */
MUST_CHECK enum code lookup_new(struct arena *arena, const struct lookup_spec *spec, struct lookup **out,
                                struct error *err);
/* Emits any number of batches for one of the stream's: a key may match many rows. */
MUST_CHECK enum code lookup_batch(struct lookup *self, const struct lookup_table *table, const struct session *session,
                                  const struct batch *in, struct rejects *rejects, struct operator_counts *counts,
                                  const struct emit *emit, struct error *err);
struct position lookup_position(const struct lookup *self, int32_t step);
void lookup_free(struct lookup *self);

#endif
