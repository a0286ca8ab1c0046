/* deduplicate_stage.h - what lanes, shards and the store of a deduplication share.
 *
 *   lane 0  [keys] [rows] --.--> shard 0  [keys + ends] --> rows of keys not seen before
 *   lane 1  [keys] [rows] --+--> shard 1  [keys + ends]
 *
 * A lane keeps the first row of each key that it met in the epoch, gathered batch by batch into pieces. A shard
 * remembers keys only: the rows go out in the epoch in which they came.
 */
#ifndef OPERATOR_DEDUPLICATE_STAGE_H
#define OPERATOR_DEDUPLICATE_STAGE_H

#include "operator/expiry.h"
#include "operator/operator.h"

/* Where a record stands among all records: the smaller one is the first. */
struct place {
    uint64_t stream; /* of topic and partition */
    int64_t offset;
};

/* Slot of a lane's table. */
struct candidate {
    struct place place;
    int64_t end_us;      /* when the key may be forgotten; INT64_MAX = never */
    uint32_t piece, row; /* where the row lies */
};
/* Slot of a shard's table. */
struct known {
    int64_t end_us;
    uint32_t link;    /* expiry chain */
    uint32_t changed; /* number of the merge that made it */
    uint32_t winner;  /* place among that merge's winners */
    uint32_t unused;
};

struct winner { /* of one merge: the row that goes out for a new key */
    struct place place;
    uint32_t lane, slot; /* candidate */
};

struct deduplicate_lane {
    struct state_table *keys; /* struct candidate */
    struct batch *pieces;
    int64_t piece_count, piece_capacity;
    size_t piece_bytes;
    uint32_t **by_shard; /* slots of the lane's candidates */
    int64_t *shard_counts, *shard_capacities;
    struct column *key_columns; /* scratch of a batch, as what follows */
    struct text key_text;
    int32_t *offsets;
    uint64_t *hashes;
    uint32_t *slots, *created;
    int32_t *rows;
    struct place *places;
    int64_t capacity;
};
struct deduplicate_shard {
    struct state_table *keys; /* struct known */
    struct expiry ends;
    uint32_t *changed; /* slots made by the last merge */
    int64_t changed_count, changed_capacity;
    struct winner *winners; /* beside `changed` */
    int64_t winner_capacity;
    uint32_t merge;
    int64_t epoch, evicted_us;
    bool evicted;
    int64_t away_first_us; /* while the keys are on disk: none of them ends before */
};
struct deduplicate_stage {
    struct stateful base;
    struct deduplicate_spec spec;
    const struct type **key_types;
    const struct type *shown;
    uint64_t layout;
    struct deduplicate_lane *lanes_of;
    struct deduplicate_shard *shards_of;
};

static inline struct deduplicate_stage *deduplicate_of(const struct stateful *base)
{
    return (struct deduplicate_stage *)(uintptr_t)base;
}
static inline struct candidate *candidate_at(struct state_table *keys, uint32_t slot)
{
    return (struct candidate *)(void *)(state_base(keys) + slot * state_stride(keys));
}
static inline struct known *known_at(struct state_table *keys, uint32_t slot)
{
    return (struct known *)(void *)(state_base(keys) + slot * state_stride(keys));
}
static inline bool place_before(struct place a, struct place b)
{
    return a.stream != b.stream ? a.stream < b.stream : a.offset < b.offset;
}

static inline void duplicate_count(struct operator_counts *counts, int32_t slot)
{
    counts->duplicates++;
    if (counts->duplicates_of != NULL && slot >= 0)
        counts->duplicates_of[slot]++;
}

/* deduplicate_lane.c */
void deduplicate_lane_init(const struct deduplicate_stage *self, struct deduplicate_lane *lane);
void deduplicate_lane_close(const struct deduplicate_stage *self, struct deduplicate_lane *lane);
MUST_CHECK enum code deduplicate_lane_batch(struct stateful *base, const struct lane_call *call, const struct batch *in,
                                            struct error *err);
void deduplicate_lanes_clear(struct stateful *base);

/* deduplicate_shard.c */
void deduplicate_shard_init(const struct deduplicate_stage *self, struct deduplicate_shard *shard);
void deduplicate_shard_close(struct deduplicate_shard *shard);
MUST_CHECK enum code deduplicate_shard_merge(struct stateful *base, int32_t shard, const struct epoch_time *time,
                                             const struct emit *emit, struct operator_counts *counts,
                                             struct error *err);
MUST_CHECK enum code deduplicate_shard_evict(struct deduplicate_shard *shard, int64_t now_us, struct error *err);

/* deduplicate_store.c */
MUST_CHECK enum code deduplicate_shard_delta(struct stateful *base, int32_t shard, struct text *out, struct error *err);
MUST_CHECK enum code deduplicate_shard_snapshot(struct stateful *base, int32_t shard, struct text *out,
                                                struct error *err);
MUST_CHECK enum code deduplicate_restore(struct stateful *base, struct bytes stored, struct error *err);
MUST_CHECK enum code deduplicate_shard_restore(struct stateful *base, int32_t index, struct bytes stored,
                                               struct error *err);
void deduplicate_shard_spill(struct stateful *base, int32_t shard);
const struct type *deduplicate_shown(const struct stateful *base, struct arena *arena);
MUST_CHECK enum code deduplicate_shard_show(struct stateful *base, int32_t shard, const struct emit *emit,
                                            struct error *err);

#endif
