/* aggregate_stage.h - what lanes, shards and the store of a windowed aggregate share.
 *
 *   lane 0  [groups] --.--> shard 0  [groups + ends] --> rows of closed windows
 *   lane 1  [groups] --+--> shard 1  [groups + ends]
 *
 * A group is a slot of a state table: a head, then the states of the aggregates, that of a call at
 * `state_at[call]`. Its key is the group keys in order, where a window stands as its end (start = end -
 * size). The same layout serves lanes and shards, so a flat state moves between them by memcpy. A key's shard
 * comes from the low half of its hash: tables use the high half.
 *
 * Kinds    no window, or tumbling ones: a shard keeps groups as lanes do (aggregate_shard.c)
 *          sliding: a lane's group is the pane that a row is in (pane.h); session: it is a stretch of time in
 *          which all rows are within each other's gap. The shard keeps a timeline per key (timeline.h): there
 *          the time comes last in a lane's key, so that the rest of it is the shard's key
 */
#ifndef OPERATOR_AGGREGATE_STAGE_H
#define OPERATOR_AGGREGATE_STAGE_H

#include "operator/expiry.h"
#include "operator/operator.h"
#include "operator/pane.h"
#include "operator/selection.h"

enum {
    KEY_TIME_BYTES = 9,         /* of a window's time in a key (state/key.c) */
    WINDOWS_PER_ROW_MAX = 1000, /* size / slide of a sliding window */
    AGGREGATE_CALLS_MAX = 1000,
    AGGREGATE_LANES_MAX = 256,
    EXACT_TIME_BUCKET_US = 1000000, /* expiry bucket when groups end at any microsecond */
};

enum window_kind { WINDOW_NONE, WINDOW_TUMBLING, WINDOW_SLIDING, WINDOW_SESSION };

struct group {
    int64_t end_us;   /* of the window, pane or session; or the event-time key itself; INT64_MAX = never */
    uint32_t link;    /* shard: expiry chain. Lane: the next group of the same timeline, with `changed` */
    uint32_t changed; /* shard: number of the merge that last changed it. Lane: which one `link` lies in */
};
struct session_group { /* a lane's, of session windows */
    struct group group;
    int64_t start_us; /* earliest time */
};

/* What states hold outside of their slots, and how much of it the budget knows. */
struct heap {
    size_t bytes, charged;
};
MUST_CHECK enum code heap_settle(struct heap *self, const struct aggregate_spec *spec, struct error *err);

struct slot_list {
    uint32_t *slots;
    int64_t count, capacity;
};

/* Room for one batch of keys on their way into a table. */
struct key_room {
    struct text keys;
    int32_t *offsets;
    uint64_t *hashes;
    uint32_t *slots, *created;
    int64_t *ends;
    int64_t capacity; /* rows */
};
void key_room_reserve(struct key_room *self, int64_t rows);
void key_room_free(struct key_room *self);

struct aggregate_lane {
    struct evaluator *evaluator;
    struct state_table *groups;
    struct slot_list *by_shard; /* `shards` lists of the lane's groups */
    struct row_place *places;   /* of a batch's rows, when a call asks for them */
    int64_t place_capacity;
    struct column *roots; /* what the program computes for a batch */
    struct column *keys;  /* borrowed or gathered, per pass */
    struct key_room room;
    struct selection kept;
    uint32_t *row_slots; /* slot per input row, when not all rows are kept */
    int64_t row_capacity;
    struct buffer *wanted, *active, *filtered; /* bits per input row */
    struct heap heap;
};

struct aggregate_shard {
    struct state_table *groups;
    struct expiry ends;
    struct slot_list changed;  /* by the last merge; evicted ones have group.changed = 0 */
    uint32_t merge;            /* number of the last merge, from 1 */
    int64_t epoch, evicted_us; /* of the last merge */
    bool evicted;              /* something */
    int64_t away_first_us;     /* while the groups are on disk: nothing of them ends before */
    struct key_room room;
    struct heap heap;
};

struct aggregate_stage {
    struct stateful base;
    struct aggregate_spec spec;
    struct program *program;
    int32_t root_count;
    enum window_kind kind;
    struct pane_grid grid;           /* of tumbling and sliding windows */
    int32_t time_root;               /* window_time, or the event-time key's root; -1 = groups never end */
    int32_t gap_root;                /* of session windows; else -1 */
    int32_t *key_root;               /* -1 for the window */
    int32_t *arg_root, *filter_root; /* per call; filter_root -1 = none */
    const struct type **key_types;   /* as encoded: the window is its end's type */
    int32_t *key_order;              /* which key comes at each place of an encoded one */
    uint32_t *state_at;              /* per call, from the first state */
    size_t head_bytes, states_bytes; /* of a slot */
    bool flat;                       /* every state is flat */
    bool ordered;                    /* some result depends on the order of rows */
    uint64_t layout;                 /* fingerprint of keys and states, for stored bytes */
    struct aggregate_lane *lanes;
    struct aggregate_shard *shards; /* one of the two is NULL */
    struct timeline_shard *timelines;
};

static inline struct group *group_at(struct state_table *groups, uint32_t slot)
{
    return (struct group *)(void *)(state_base(groups) + slot * state_stride(groups));
}
/* Groups merged at a time: a lane's lie far apart, and are still in the cache when their keys have been
 * found. */
enum { MERGE_GROUPS = 1024 };
/* In a loop over slots in no order: fetch the key and the group that come GROUPS_AHEAD later. */
enum { GROUPS_AHEAD = 12 };
static inline void groups_prefetch(struct state_table *groups, const uint32_t *slots, int64_t at, int64_t count)
{
    if (at + GROUPS_AHEAD >= count)
        return;
    const uint8_t *group = (const uint8_t *)group_at(groups, slots[at + GROUPS_AHEAD]);
    __builtin_prefetch(group - 1);
    __builtin_prefetch(group + 63);
}
static inline uint8_t *group_states(const struct aggregate_stage *self, struct group *group)
{
    return (uint8_t *)group + self->head_bytes;
}
static inline int32_t shard_of(const struct aggregate_stage *self, uint64_t hash)
{
    return (int32_t)(((hash & UINT32_MAX) * (uint64_t)self->spec.shards) >> 32);
}
static inline void slot_list_add(struct slot_list *list, uint32_t slot)
{
    mem_grow(list->slots, list->capacity, list->count + 1);
    list->slots[list->count++] = slot;
}
void states_init(const struct aggregate_stage *self, uint8_t *states);
void states_drop(const struct aggregate_stage *self, uint8_t *states, struct heap *heap);
/* How many totals overflowed. */
int64_t states_merge(const struct aggregate_stage *self, uint8_t *into, const uint8_t *from, struct heap *heap);
void states_save(const struct aggregate_stage *self, const uint8_t *states, struct text *out);
MUST_CHECK enum code states_load(const struct aggregate_stage *self, struct bytes *in, uint8_t *states,
                                 struct heap *heap, struct error *err);

static inline struct aggregate_stage *aggregate_of(struct stateful *base)
{
    return (struct aggregate_stage *)(void *)base;
}
static inline const struct aggregate_stage *aggregate_of_const(const struct stateful *base)
{
    return (const struct aggregate_stage *)(const void *)base;
}

/* The stage without its type: sessions differ from windows there. */
MUST_CHECK enum code aggregate_stage_new(struct arena *arena, const struct aggregate_spec *spec, enum window_kind kind,
                                         struct aggregate_stage **out, struct error *err);
void aggregate_stage_free(struct stateful *base);
struct position aggregate_position(const struct stateful *base, int32_t step);
size_t aggregate_lane_bytes(const struct stateful *base, int32_t lane);
const struct type *aggregate_shown(const struct stateful *base, struct arena *arena);

void aggregate_lane_init(struct aggregate_stage *self, struct aggregate_lane *lane);
void aggregate_lane_close(struct aggregate_stage *self, struct aggregate_lane *lane);
void aggregate_shard_init(struct aggregate_stage *self, struct aggregate_shard *shard);
void aggregate_shard_close(struct aggregate_stage *self, struct aggregate_shard *shard);
/* Callbacks of aggregate_type (operator.h), by the file that has them. */
MUST_CHECK enum code aggregate_lane_batch(struct stateful *base, const struct lane_call *call, const struct batch *in,
                                          struct error *err);
void aggregate_lanes_clear(struct stateful *base);
MUST_CHECK enum code aggregate_shard_merge(struct stateful *base, int32_t shard, const struct epoch_time *time,
                                           const struct emit *emit, struct operator_counts *counts, struct error *err);
bool aggregate_shard_idle(const struct stateful *base, int32_t shard, const struct epoch_time *time);
void aggregate_shard_spill(struct stateful *base, int32_t shard);
MUST_CHECK enum code aggregate_shard_delta(struct stateful *base, int32_t shard, struct text *out, struct error *err);
MUST_CHECK enum code aggregate_shard_snapshot(struct stateful *base, int32_t shard, struct text *out,
                                              struct error *err);
MUST_CHECK enum code aggregate_restore(struct stateful *base, struct bytes stored, struct error *err);
MUST_CHECK enum code aggregate_shard_show(struct stateful *base, int32_t shard, const struct emit *emit,
                                          struct error *err);
MUST_CHECK enum code aggregate_shard_restore(struct stateful *base, int32_t shard, struct bytes stored,
                                             struct error *err);

/* Drop every group that ends at or before now_us, without emitting it. */
MUST_CHECK enum code aggregate_shard_evict(struct aggregate_stage *self, struct aggregate_shard *shard, int64_t now_us,
                                           struct error *err);

#endif
