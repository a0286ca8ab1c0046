/* timeline_shard.c - at the end of an epoch: take in what the lanes folded, and emit what the watermark
 * completes.
 *
 * Lanes' groups are gathered per timeline first, over all lanes, and then folded in order of time: a key with
 * very many spans moves them once. They are chained through their own heads, which only their shard touches.
 */
#include "operator/timeline.h"

#include <stdlib.h>

#include "base/hash.h"

enum { TIMELINES_AHEAD = 16 };

void timeline_shard_init(struct aggregate_stage *self, struct timeline_shard *shard)
{
    const struct aggregate_spec *spec = &self->spec;
    const struct type **types = mem_array(const struct type *, (size_t)spec->key_count);
    for (int32_t k = 0; k + 1 < spec->key_count; k++)
        types[k] = self->key_types[self->key_order[k]];
    shard->keys =
        state_new_keyed(&(struct state_spec){spec->name, sizeof(struct timeline) + span_bytes(self), spec->budget},
                        state_key_bytes(types, spec->key_count - 1));
    mem_free(types);
    bool sliding = self->kind == WINDOW_SLIDING;
    expiry_init(&shard->ends, sliding ? spec->slide_us : EXACT_TIME_BUCKET_US,
                sliding ? self->grid.origin_us + self->grid.cut_us : 0, spec->budget);
    shard->evicted_us = INT64_MIN;
    shard->away_first_us = INT64_MAX;
}

static void forget_all(void *context, uint32_t slot)
{
    void *const *both = context;
    const struct aggregate_stage *self = both[0];
    struct timeline_shard *shard = both[1];
    struct timeline *timeline = timeline_at(shard->keys, slot);
    timeline_forget(self, shard, timeline, timeline->count);
}

void timeline_shard_close(struct aggregate_stage *self, struct timeline_shard *shard)
{
    if (shard->keys != NULL)
        state_each(shard->keys, forget_all, (void *[]){self, shard});
    shard->heap.bytes = 0;
    always(heap_settle(&shard->heap, &self->spec, NULL) == E_OK); // it gives
    state_free(shard->keys);
    expiry_close(&shard->ends);
    mem_free(shard->dues);
    mem_free(shard->changed.slots);
    mem_free(shard->fragments);
    mem_free(shard->window);
    key_room_free(&shard->room);
    *shard = (struct timeline_shard){0};
}

/* ---- when something is due ---- */

static uint32_t due_take(struct timeline_shard *shard)
{
    uint32_t due = shard->due_free - 1;
    if (shard->due_free != 0) {
        shard->due_free = shard->dues[due].link;
        return due;
    }
    uint32_t capacity = shard->due_capacity;
    mem_grow(shard->dues, shard->due_capacity, shard->due_count + 1);
    shard->heap.bytes += (shard->due_capacity - capacity) * sizeof *shard->dues;
    return shard->due_count++;
}

static void due_give(struct timeline_shard *shard, uint32_t due)
{
    shard->dues[due].link = shard->due_free;
    shard->due_free = due + 1;
}

static enum code due_add(struct timeline_shard *shard, uint32_t slot, int64_t due_us, struct error *err)
{
    uint32_t due = due_take(shard);
    shard->dues[due] = (struct due){.due_us = due_us, .slot = slot};
    return expiry_add(&shard->ends, due_us, due, &shard->dues[due].link, err);
}

enum code timeline_await(const struct aggregate_stage *self, struct timeline_shard *shard, uint32_t slot,
                         int64_t closed_us, struct error *err)
{
    struct timeline *timeline = timeline_at(shard->keys, slot);
    int64_t due_us = span_rule_of(self)->due_us(self, timeline, closed_us);
    if (due_us >= timeline->due_us)
        return E_OK; // a later one is found when the earlier one is due
    timeline->due_us = due_us;
    return due_add(shard, slot, due_us, err);
}

/* ---- merge ---- */

static void room_fill(struct key_room *room, struct state_table *groups, const uint32_t *slots, int64_t count)
{
    key_room_reserve(room, count);
    room->offsets[0] = 0;
    for (int64_t i = 0; i < count; i++) {
        groups_prefetch(groups, slots, i, count);
        struct bytes key = state_key(groups, slots[i]);
        text_add(&room->keys, key.data, key.size - KEY_TIME_BYTES);
        room->offsets[i + 1] = (int32_t)room->keys.size;
        room->hashes[i] = hash_bytes(key.data, key.size - KEY_TIME_BYTES);
    }
}

static void timeline_start(struct timeline *timeline) { timeline->due_us = INT64_MAX; }

static void timeline_changed(struct timeline_shard *shard, struct timeline *timeline, uint32_t slot)
{
    if (timeline->changed == shard->merge)
        return;
    timeline->changed = shard->merge;
    timeline->waiting_lane = 0;
    slot_list_add(&shard->changed, slot);
}

/* Hang some of a lane's groups on to their timelines. */
static enum code gather_some(struct aggregate_stage *self, struct timeline_shard *shard, int32_t lane,
                             const uint32_t *slots, int64_t count, struct error *err)
{
    struct state_table *groups = self->lanes[lane].groups;
    struct key_room *room = &shard->room;
    int64_t created_count = 0, created = 0;
    room_fill(room, groups, slots, count);
    TRY(state_upsert(shard->keys, (const uint8_t *)room->keys.data, room->offsets, room->hashes, count, room->slots,
                     room->created, &created_count, err));
    for (int64_t i = 0; i < count; i++) {
        struct timeline *timeline = timeline_at(shard->keys, room->slots[i]);
        struct group *group = group_at(groups, slots[i]);
        if (created < created_count && room->slots[i] == room->created[created]) {
            timeline_start(timeline);
            created++;
        }
        timeline_changed(shard, timeline, room->slots[i]);
        group->link = timeline->waiting_slot;
        group->changed = timeline->waiting_lane;
        timeline->waiting_slot = slots[i];
        timeline->waiting_lane = (uint32_t)lane + 1;
    }
    return E_OK;
}

static struct fragment fragment_of(const struct aggregate_stage *self, struct group *group)
{
    struct fragment fragment = {.end_us = group->end_us, .states = group_states(self, group)};
    if (self->kind == WINDOW_SESSION)
        fragment.start_us = ((const struct session_group *)(const void *)group)->start_us;
    else
        fragment.start_us = pane_at(&self->grid, group->end_us - 1).start_us;
    return fragment;
}

static int by_start(const void *a, const void *b)
{
    int64_t x = ((const struct fragment *)a)->start_us, y = ((const struct fragment *)b)->start_us;
    return (x > y) - (x < y);
}

/* What waits for the timeline, in order of time. */
static int64_t gather_fragments(const struct aggregate_stage *self, struct timeline_shard *shard,
                                struct timeline *timeline)
{
    int64_t count = 0;
    uint32_t lane = timeline->waiting_lane, slot = timeline->waiting_slot;
    for (; lane != 0; count++) {
        struct group *group = group_at(self->lanes[lane - 1].groups, slot);
        mem_grow(shard->fragments, shard->fragment_capacity, count + 1);
        shard->fragments[count] = fragment_of(self, group);
        lane = group->changed;
        slot = group->link;
    }
    timeline->changed_from_us = INT64_MAX;
    if (count > 1)
        qsort(shard->fragments, (size_t)count, sizeof *shard->fragments, by_start);
    return count;
}

const struct timeline *timelines_prefetch(const struct aggregate_stage *self, const struct timeline_shard *shard,
                                          const struct slot_list *list, int64_t at)
{
    if (at + TIMELINES_AHEAD < list->count) {
        const uint8_t *timeline = (const uint8_t *)timeline_at(shard->keys, list->slots[at + TIMELINES_AHEAD]);
        __builtin_prefetch(timeline - 1); // the key
        __builtin_prefetch(timeline + sizeof(struct timeline) - 1);
    }
    if (at + TIMELINES_AHEAD / 2 >= list->count)
        return NULL;
    const struct timeline *timeline = timeline_at(shard->keys, list->slots[at + TIMELINES_AHEAD / 2]);
    if (timeline->count == 0)
        return timeline;
    const uint8_t *last = (const uint8_t *)span_at(self, timeline, timeline->count - 1);
    __builtin_prefetch(last);
    __builtin_prefetch(last + 64);
    return timeline;
}

static enum code merge_lanes(struct aggregate_stage *self, struct timeline_shard *shard, int32_t shard_index,
                             int64_t closed_us, struct operator_counts *counts, struct error *err)
{
    for (int32_t l = 0; l < self->spec.lanes; l++) {
        const struct slot_list *list = &self->lanes[l].by_shard[shard_index];
        for (int64_t from = 0; from < list->count; from += BATCH_ROWS_MAX) {
            int64_t count = list->count - from < BATCH_ROWS_MAX ? list->count - from : BATCH_ROWS_MAX;
            TRY(gather_some(self, shard, l, list->slots + from, count, err));
        }
    }
    for (int64_t i = 0; i < shard->changed.count; i++) {
        const struct timeline *later = timelines_prefetch(self, shard, &shard->changed, i);
        if (later != NULL)
            __builtin_prefetch(group_at(self->lanes[later->waiting_lane - 1].groups, later->waiting_slot));
        uint32_t slot = shard->changed.slots[i];
        struct timeline *timeline = timeline_at(shard->keys, slot);
        int64_t count = gather_fragments(self, shard, timeline);
        int64_t soonest_us = span_rule_of(self)->soonest_us(self, shard->fragments, closed_us);
        timeline_fold(self, shard, timeline, shard->fragments, count, &counts->overflown);
        if (soonest_us < timeline->due_us) // else what it waits for comes first
            TRY(timeline_await(self, shard, slot, closed_us, err));
    }
    return heap_settle(&shard->heap, &self->spec, err);
}

/* ---- emit and evict ---- */

static enum code timeline_close(const struct aggregate_stage *self, struct timeline_shard *shard, uint32_t slot,
                                int64_t closed_us, struct error *err)
{
    struct timeline *timeline = timeline_at(shard->keys, slot);
    uint32_t gone = 0;
    while (gone < timeline->count && span_rule_of(self)->gone(self, span_at(self, timeline, gone), closed_us))
        gone++;
    timeline_forget(self, shard, timeline, gone);
    shard->evicted = true;
    if (timeline->count > 0)
        return timeline_await(self, shard, slot, closed_us, err);
    timeline->changed = 0;
    state_remove(shard->keys, slot);
    return E_OK;
}

/* Something of the timeline may be due at due_us. Without `emission` all that is over at now_us is forgotten. */
static enum code timeline_due(const struct aggregate_stage *self, struct timeline_shard *shard, uint32_t slot,
                              int64_t due_us, int64_t now_us, struct emission *emission, struct error *err)
{
    struct timeline *timeline = timeline_at(shard->keys, slot);
    timeline->due_us = INT64_MAX;
    if (emission == NULL)
        return timeline_close(self, shard, slot, now_us, err);
    if (span_rule_of(self)->due_us(self, timeline, due_us - 1) > due_us)
        return timeline_await(self, shard, slot, due_us - 1, err); // a session that has grown since
    TRY(span_rule_of(self)->emit(self, shard, slot, due_us, emission, err));
    return timeline_close(self, shard, slot, due_us, err);
}

struct due_lists {
    struct slot_list now;  /* timelines */
    struct slot_list stay; /* dues of the last bucket that are later */
    int64_t *due_us;       /* beside `now` */
    int64_t due_capacity;
};

/* The chain of a bucket apart: what is due now, and what stays. */
static void part_bucket(struct timeline_shard *shard, uint32_t first, int64_t now_us, struct due_lists *lists)
{
    lists->now.count = 0;
    for (uint32_t at = first, next; at != (uint32_t)EXPIRY_NONE; at = next) {
        const struct due due = shard->dues[at];
        next = due.link;
        bool means_something = timeline_at(shard->keys, due.slot)->due_us == due.due_us;
        if (means_something && due.due_us > now_us) {
            slot_list_add(&lists->stay, at);
            continue;
        }
        if (means_something) {
            mem_grow(lists->due_us, lists->due_capacity, lists->now.count + 1);
            lists->due_us[lists->now.count] = due.due_us;
            slot_list_add(&lists->now, due.slot);
        }
        due_give(shard, at);
    }
}

static enum code close_due(const struct aggregate_stage *self, struct timeline_shard *shard, int64_t now_us,
                           struct emission *emission, struct error *err)
{
    struct due_lists lists = {0};
    enum code code = E_OK;
    uint32_t first;
    while (code == E_OK && expiry_take(&shard->ends, now_us, &first)) {
        part_bucket(shard, first, now_us, &lists);
        for (int64_t i = 0; code == E_OK && i < lists.now.count; i++) {
            const struct timeline *later = timelines_prefetch(self, shard, &lists.now, i);
            if (later != NULL && later->sum != NULL) {
                __builtin_prefetch(span_at(self, later, 0));
                __builtin_prefetch(later->sum);
                __builtin_prefetch((const uint8_t *)later->sum + 64);
            }
            uint32_t slot = lists.now.slots[i];
            if (timeline_at(shard->keys, slot)->due_us == lists.due_us[i]) // else it was here twice
                code = timeline_due(self, shard, slot, lists.due_us[i], now_us, emission, err);
        }
    }
    for (int64_t i = 0; code == E_OK && i < lists.stay.count; i++) {
        struct due *due = &shard->dues[lists.stay.slots[i]];
        code = expiry_add(&shard->ends, due->due_us, lists.stay.slots[i], &due->link, err);
    }
    mem_free(lists.now.slots);
    mem_free(lists.stay.slots);
    mem_free(lists.due_us);
    return code == E_OK ? heap_settle(&shard->heap, &self->spec, err) : code;
}

enum code timeline_shard_evict(struct aggregate_stage *self, struct timeline_shard *shard, int64_t now_us,
                               struct error *err)
{
    return close_due(self, shard, now_us, NULL, err);
}

bool timeline_shard_idle(const struct stateful *base, int32_t shard, const struct epoch_time *time)
{
    const struct aggregate_stage *self = aggregate_of_const(base);
    for (int32_t l = 0; l < base->lanes; l++)
        if (self->lanes[l].by_shard[shard].count > 0)
            return false;
    const struct timeline_shard *own = &self->timelines[shard];
    int64_t first_us = expiry_first_us(&own->ends);
    return time->emit_us < (own->away_first_us < first_us ? own->away_first_us : first_us);
}

enum code timeline_shard_merge(struct stateful *base, int32_t shard_index, const struct epoch_time *time,
                               const struct emit *emit, struct operator_counts *counts, struct error *err)
{
    struct aggregate_stage *self = aggregate_of(base);
    struct timeline_shard *shard = &self->timelines[shard_index];
    shard->merge++;
    shard->changed.count = 0;
    shard->epoch = time->epoch;
    shard->evicted = false;
    int64_t closed_us = time->late_us > shard->evicted_us ? time->late_us : shard->evicted_us;
    TRY(merge_lanes(self, shard, shard_index, closed_us, counts, err));
    if (time->emit_us > shard->evicted_us)
        shard->evicted_us = time->emit_us;
    struct emission emission;
    emission_open(&emission, self, emit);
    enum code code = emission_close(&emission, close_due(self, shard, time->emit_us, &emission, err), err);
    key_room_free(&shard->room); // of many shards few are at work at a time
    counts->out += emission.out;
    counts->overflown += emission.overflown;
    return code;
}

/* ---- what it holds ---- */

struct showing {
    const struct aggregate_stage *self;
    struct timeline_shard *shard;
    struct emission emission;
    enum code code;
    struct error *err;
};

static void timeline_show(void *context, uint32_t slot)
{
    struct showing *showing = context;
    struct timeline *timeline = timeline_at(showing->shard->keys, slot);
    for (uint32_t i = 0; showing->code == E_OK && i < timeline->count; i++) {
        struct span *span = span_at(showing->self, timeline, i);
        showing->code = emission_row(&showing->emission, state_key(showing->shard->keys, slot), span->start_us,
                                     span->end_us, span_states(span), showing->err);
    }
}

enum code timeline_shard_show(struct stateful *base, int32_t shard, const struct emit *emit, struct error *err)
{
    struct showing showing = {.self = aggregate_of(base), .shard = timeline_shard_of(base, shard), .err = err};
    emission_open(&showing.emission, showing.self, emit);
    state_each(showing.shard->keys, timeline_show, &showing);
    return emission_close(&showing.emission, showing.code, err);
}

int64_t timeline_shard_entries(const struct stateful *base, int32_t shard)
{
    return timeline_shard_of(base, shard)->spans;
}

size_t timeline_shard_bytes(const struct stateful *base, int32_t shard)
{
    const struct timeline_shard *self = timeline_shard_of(base, shard);
    return state_bytes(self->keys) + state_bytes(self->ends.buckets) + self->heap.charged;
}
