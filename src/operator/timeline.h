/* timeline.h - inside operator/: per key, spans of time in order, each with the states of the aggregates.
 * What a shard of sliding or session windows keeps.
 *
 *   key -> timeline  [pane)[pane)   [pane)      sliding: a window is merged from its panes when it ends
 *                    [session ) [session    )   sessions: each as far as it has grown
 *
 * A slot of the shard's table is a timeline; right behind it lies its only span, or `spans` points to more of
 * them. Spans of a key neither overlap nor, sessions, touch; they are in order of start and so of end.
 *
 * Due      a key is in the expiry under the time when it has something to emit next (span_rule.due_us). Later
 *          rows may make that earlier: then it is there twice, and the entry whose time is not
 *          timeline.due_us means nothing
 * Owns     a timeline its heap, charged to the budget as the stage's other heap is
 * Fails    E_MEMORY
 * Thread   that of the shard
 */
#ifndef OPERATOR_TIMELINE_H
#define OPERATOR_TIMELINE_H

#include "operator/aggregate_stage.h"
#include "operator/emission.h"

enum { TIMELINE_SPANS_MAX = 1 << 28 };

struct span { /* then the states */
    int64_t start_us, end_us;
    uint32_t changed; /* number of the merge that last changed it */
    uint32_t unused;
};
struct timeline {
    int64_t due_us;                  /* INT64_MAX: nothing is due, or not known yet */
    uint8_t *spans;                  /* NULL: `count` is at most 1 and the span lies behind the timeline */
    struct window_sum *sum;          /* sliding windows of many panes; or NULL */
    uint32_t first, count, capacity; /* spans [first, first + count) live */
    uint32_t changed;                /* number of the merge that last changed it */
    union {
        struct {                                 /* the first of the lanes' groups that this merge brings */
            uint32_t waiting_lane, waiting_slot; /* lane + 1, 0 = none */
        };
        int64_t changed_from_us; /* then: no span that starts before was changed by it */
    };
};
struct due { /* in the expiry */
    int64_t due_us;
    uint32_t slot, link;
};

/* A span on its way into a timeline. */
struct window_sum; /* window_sum.h */
struct fragment {
    int64_t start_us, end_us;
    const uint8_t *states;
    bool moved; /* the states go over; else they stay valid where they are */
};

struct timeline_shard {
    struct state_table *keys; /* struct timeline */
    struct expiry ends;       /* numbers of `dues` */
    struct due *dues;
    uint32_t due_count, due_capacity, due_free; /* due_free: first free one + 1, linked; 0 = none */
    struct slot_list changed;                   /* timelines changed by the last merge; removed ones have changed = 0 */
    uint32_t merge;                             /* number of the last merge, from 1 */
    int64_t epoch, evicted_us;                  /* of the last merge */
    bool evicted;                               /* something */
    int64_t away_first_us;                      /* while the keys are on disk: nothing is due before */
    int64_t spans;
    struct fragment *fragments; /* scratch of one timeline */
    int64_t fragment_capacity;
    uint8_t *window; /* scratch: states of the window that is being put together */
    struct key_room room;
    struct heap heap;
};

/* What sliding and session windows do differently. */
struct span_rule {
    bool touching; /* spans that touch are one */
    /* The next time past closed_us when the timeline, not empty, emits something. */
    int64_t (*due_us)(const struct aggregate_stage *self, const struct timeline *timeline, int64_t closed_us);
    /* No earlier than that is anything due because of fragments of which this is the first. */
    int64_t (*soonest_us)(const struct aggregate_stage *self, const struct fragment *fragment, int64_t closed_us);
    /* Emit what is due at due_us. */
    enum code (*emit)(const struct aggregate_stage *self, struct timeline_shard *shard, uint32_t slot, int64_t due_us,
                      struct emission *emission, struct error *err) MUST_CHECK;
    /* Whether nothing that ends after now_us needs the span. */
    bool (*gone)(const struct aggregate_stage *self, const struct span *span, int64_t now_us);
    /* Whether it can be one: of stored bytes. */
    bool (*valid)(const struct aggregate_stage *self, const struct span *span);
};
extern const struct span_rule sliding_rule, session_rule;
static inline const struct span_rule *span_rule_of(const struct aggregate_stage *self)
{
    return self->kind == WINDOW_SLIDING ? &sliding_rule : &session_rule;
}

static inline struct timeline *timeline_at(struct state_table *keys, uint32_t slot)
{
    return (struct timeline *)(void *)(state_base(keys) + slot * state_stride(keys));
}
static inline size_t span_bytes(const struct aggregate_stage *self) { return sizeof(struct span) + self->states_bytes; }
static inline struct span *span_at(const struct aggregate_stage *self, const struct timeline *timeline, uint32_t index)
{
    uint8_t *spans = timeline->spans == NULL ? (uint8_t *)(uintptr_t)(timeline + 1) : timeline->spans;
    return (struct span *)(void *)(spans + (size_t)(timeline->first + index) * span_bytes(self));
}
/* In a loop over timelines in no order: fetch one that comes later, and the last span of the one half as far
 * away, which is there by now; returns that one, or NULL behind the end. */
const struct timeline *timelines_prefetch(const struct aggregate_stage *self, const struct timeline_shard *shard,
                                          const struct slot_list *list, int64_t at);
static inline uint8_t *span_states(struct span *span) { return (uint8_t *)(span + 1); }

/* ---- timeline.c: one timeline ---- */

/* Fold fragments, in order of start, into the spans that they belong to; overflown totals are counted. */
void timeline_fold(const struct aggregate_stage *self, struct timeline_shard *shard, struct timeline *timeline,
                   const struct fragment *fragments, int64_t count, int64_t *overflown);
/* The fragments, in order and apart from each other, take the place of the spans that belong to them. */
void timeline_replace(const struct aggregate_stage *self, struct timeline_shard *shard, struct timeline *timeline,
                      const struct fragment *fragments, int64_t count);
/* Forget the first `count` spans. */
void timeline_forget(const struct aggregate_stage *self, struct timeline_shard *shard, struct timeline *timeline,
                     uint32_t count);
/* Index of the first span that ends after the time. */
uint32_t timeline_search(const struct aggregate_stage *self, const struct timeline *timeline, int64_t time_us);

/* ---- timeline_shard.c ---- */

void timeline_shard_init(struct aggregate_stage *self, struct timeline_shard *shard);
void timeline_shard_close(struct aggregate_stage *self, struct timeline_shard *shard);
/* The shard's timeline at `slot` is not empty: see that it is due in time. */
MUST_CHECK enum code timeline_await(const struct aggregate_stage *self, struct timeline_shard *shard, uint32_t slot,
                                    int64_t closed_us, struct error *err);
/* Forget what is over at now_us, without emitting it. */
MUST_CHECK enum code timeline_shard_evict(struct aggregate_stage *self, struct timeline_shard *shard, int64_t now_us,
                                          struct error *err);
static inline struct timeline_shard *timeline_shard_of(const struct stateful *base, int32_t shard)
{
    return &aggregate_of_const(base)->timelines[shard];
}

/* Callbacks (operator.h): timeline_shard.c, and the last five timeline_store.c. */
MUST_CHECK enum code timeline_shard_merge(struct stateful *base, int32_t shard, const struct epoch_time *time,
                                          const struct emit *emit, struct operator_counts *counts, struct error *err);
bool timeline_shard_idle(const struct stateful *base, int32_t shard, const struct epoch_time *time);
MUST_CHECK enum code timeline_shard_show(struct stateful *base, int32_t shard, const struct emit *emit,
                                         struct error *err);
int64_t timeline_shard_entries(const struct stateful *base, int32_t shard);
size_t timeline_shard_bytes(const struct stateful *base, int32_t shard);
MUST_CHECK enum code timeline_shard_delta(struct stateful *base, int32_t shard, struct text *out, struct error *err);
MUST_CHECK enum code timeline_shard_snapshot(struct stateful *base, int32_t shard, struct text *out, struct error *err);
void timeline_shard_spill(struct stateful *base, int32_t shard);
MUST_CHECK enum code timeline_restore(struct stateful *base, struct bytes stored, struct error *err);
MUST_CHECK enum code timeline_shard_restore(struct stateful *base, int32_t shard, struct bytes stored,
                                            struct error *err);

/* The stage with these callbacks. */
MUST_CHECK enum code sliding_new(struct arena *arena, const struct aggregate_spec *spec, struct stateful **out,
                                 struct error *err);

#endif
