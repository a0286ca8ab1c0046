/* join_stage.h - what lanes, shards and the store of a stream-stream join share.
 *
 *            left, right rows as bytes             per key: chains of left and of right rows
 *   lane 0  [shard 0] [shard 1] --.--> shard 0  [keys + 2 heaps] --> matches, and outer rows without one
 *   lane 1  [shard 0] [shard 1] --+--> shard 1  [keys + 2 heaps]
 *
 * A lane turns rows into the bytes that the shard will keep, beside their encoded keys. A shard puts all
 * left rows of the epoch into its state and looks for their partners among the right rows of before; then
 * all right rows, among the left rows of before and now. So each pair is found once. Pairs are judged by
 * `condition` and emitted in batches. Last, what W lets go goes, and outer rows that never matched come out.
 *
 * A key's shard comes from the low half of its hash: tables use the high half. Rows that can match nothing
 * (NULL key on an outer side) wait under the empty key, which no other row has.
 */
#ifndef OPERATOR_JOIN_STAGE_H
#define OPERATOR_JOIN_STAGE_H

#include "operator/join_heap.h"
#include "operator/operator.h"

enum {
    JOIN_LANES_MAX = 256,
    JOIN_SHARDS_MAX = 4096,
    JOIN_BATCH_BYTES_MAX = 64 << 20, /* of rows behind the pairs of one batch; then it goes out early */
};

/* Slot of a shard's table of keys. */
struct join_key {
    struct join_row *first[JOIN_SIDES]; /* newest */
    uint64_t stored;                    /* number of the delta that last wrote its matches */
};

/* Rows on their way from a lane to a shard, as the shard will keep them. */
struct join_run {
    uint8_t *rows;
    size_t row_bytes, row_capacity;
    uint8_t *keys;
    size_t key_bytes, key_capacity;
    uint64_t *hashes;
    uint32_t *key_sizes;
    int64_t count, capacity;
    size_t charged_bytes;
};

struct join_lane_side {
    struct evaluator *evaluator;
    struct column *roots;   /* keys, then `only` */
    struct join_run *runs;  /* per shard */
    struct join_run *alone; /* per shard: they come out with NULLs at once; no keys */
};
/* Scratch of a batch, one entry per row of it. */
struct join_room {
    uint8_t *fates;        /* enum fate */
    int32_t *rows, *alone; /* row numbers */
    int64_t *untils;
    uint32_t *sizes, *ends;
    int32_t *shards;
    struct join_row **to;
    struct text keys;
    int32_t *key_ends;
    uint64_t *hashes;
    struct column *key_columns;
    struct buffer *wanted; /* bits */
    int64_t capacity;
};
struct join_lane {
    struct join_lane_side sides[JOIN_SIDES];
    struct join_room room;
    struct session session; /* of the epoch: shards judge by it too */
    bool started;           /* session is set */
    uint32_t next_shard;    /* of rows that no key sends anywhere */
};

/* Pairs found, on their way through the condition and out. */
struct join_pairs {
    struct join_row **sides[JOIN_SIDES];
    int64_t count;
    size_t bytes;
};
struct join_matcher {
    struct evaluator *evaluator; /* of the condition, or NULL */
    const struct session *session;
    struct join_pairs candidates, matches;
    struct join_pairs lonely[JOIN_SIDES]; /* one side only: they come out with NULLs on the other */
    struct selection kept;
    struct rejects rejects;
    const struct emit *emit; /* for the merge that runs; NULL: nothing comes out (restore) */
    struct operator_counts *counts;
};

struct join_rows { /* list */
    struct join_row **rows;
    int64_t count, capacity;
};
struct join_shard {
    struct state_table *keys; /* struct join_key */
    struct join_heap heaps[JOIN_SIDES];
    struct join_matcher matcher;
    struct join_rows fresh[JOIN_SIDES]; /* came in since the state was last stored, in this order */
    struct join_rows matched;           /* first matched since then; what they are for: join_shard_settle */
    uint64_t stored;                    /* number of the delta that is being written, from 1 */
    int64_t epoch, evicted_us;          /* of the last merge */
    bool evicted;                       /* something, since the state was last stored */
    int64_t away_first_us;              /* while the rows are on disk: none of them goes before */
};

struct join_stage {
    struct stateful base;
    struct join_spec spec;
    struct program *programs[JOIN_SIDES]; /* keys, then `only` */
    int32_t root_counts[JOIN_SIDES];
    struct row_layout layouts[JOIN_SIDES];
    struct program *condition;         /* or NULL */
    const struct type *joined;         /* left columns, then right columns */
    const struct type *shown;          /* of `leat state` */
    bool *condition_reads[JOIN_SIDES]; /* per column */
    bool outer[JOIN_SIDES];            /* rows without a match come out */
    bool flagged[JOIN_SIDES]; /* it counts whether a row matched: outer sides, and the left one of a semi join */
    size_t key_bytes_max;     /* of an encoded key; 0 = not known */
    uint64_t layout;          /* fingerprint of keys, columns and type, for stored bytes */
    int64_t *applied;         /* where another number of shards wrote: epoch of each one's last frame */
    int32_t applied_count;
    struct join_lane *lanes;
    struct join_shard *shards;
};

static inline struct join_stage *join_of(const struct stateful *base) { return (struct join_stage *)(uintptr_t)base; }
static inline struct join_key *join_key_at(struct state_table *keys, uint32_t slot)
{
    return (struct join_key *)(void *)(state_base(keys) + slot * state_stride(keys));
}
static inline int32_t join_shard_of(const struct join_stage *self, uint64_t hash)
{
    return (int32_t)(((hash & UINT32_MAX) * (uint64_t)self->spec.shards) >> 32);
}
static inline void join_rows_add(struct join_rows *list, struct join_row *row)
{
    mem_grow(list->rows, list->capacity, list->count + 1);
    list->rows[list->count++] = row;
}

/* join_lane.c */
void join_lane_init(const struct join_stage *self, struct join_lane *lane);
void join_lane_close(const struct join_stage *self, struct join_lane *lane);
MUST_CHECK enum code join_lane_batch(struct stateful *base, const struct lane_call *call, const struct batch *in,
                                     struct error *err);
void join_lanes_clear(struct stateful *base);
size_t join_lane_bytes(const struct stateful *base, int32_t lane);

/* join_match.c */
void join_matcher_init(const struct join_stage *self, struct join_matcher *matcher);
void join_matcher_start(const struct join_stage *self, struct join_matcher *matcher);
void join_matcher_stop(struct join_matcher *matcher);
void join_matcher_close(struct join_matcher *matcher);
/* A pair of one key. It is judged and comes out some time before join_match_end(). */
MUST_CHECK enum code join_match_pair(const struct join_stage *self, struct join_shard *shard, struct join_row *left,
                                     struct join_row *right, struct error *err);
MUST_CHECK enum code join_match_alone(const struct join_stage *self, struct join_shard *shard, int32_t side,
                                      struct join_row *row, struct error *err);
/* Judge the pairs found so far: after it ROW_MATCHED is right. */
MUST_CHECK enum code join_match_judge(const struct join_stage *self, struct join_shard *shard, struct error *err);
MUST_CHECK enum code join_match_end(const struct join_stage *self, struct join_shard *shard, struct error *err);

/* join_shard.c */
void join_shard_init(const struct join_stage *self, struct join_shard *shard);
void join_shard_close(struct join_shard *shard);
MUST_CHECK enum code join_shard_merge(struct stateful *base, int32_t shard, const struct epoch_time *time,
                                      const struct emit *emit, struct operator_counts *counts, struct error *err);
bool join_shard_idle(const struct stateful *base, int32_t shard, const struct epoch_time *time);
/* Link a row, its head and bytes filled in, at the front of its key's chain. */
void join_shard_link(struct join_shard *shard, int32_t side, uint32_t slot, struct join_row *row);
/* Take a row out of its chain, and its key away with the last row. */
void join_shard_unlink(struct join_shard *shard, int32_t side, struct join_row *row);
/* Let go of what W reaches. Outer rows come out when the matcher has an emit. */
MUST_CHECK enum code join_shard_evict(const struct join_stage *self, struct join_shard *shard, int64_t now_us,
                                      struct error *err);
/* The state is stored: nothing is fresh any more, semi joins drop the left rows that matched, expired
 * memory goes. */
void join_shard_settle(const struct join_stage *self, struct join_shard *shard);

/* join_store.c */
MUST_CHECK enum code join_shard_delta(struct stateful *base, int32_t shard, struct text *out, struct error *err);
MUST_CHECK enum code join_shard_snapshot(struct stateful *base, int32_t shard, struct text *out, struct error *err);
MUST_CHECK enum code join_restore(struct stateful *base, struct bytes stored, struct error *err);
MUST_CHECK enum code join_shard_restore(struct stateful *base, int32_t shard, struct bytes stored, struct error *err);
void join_shard_spill(struct stateful *base, int32_t shard);

/* join_show.c */
const struct type *join_shown_type(const struct join_spec *spec, struct arena *arena);
const struct type *join_shown(const struct stateful *base, struct arena *arena);
MUST_CHECK enum code join_shard_show(struct stateful *base, int32_t shard, const struct emit *emit, struct error *err);

#endif
