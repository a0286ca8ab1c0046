/* sliding.c - windows that overlap, put together from panes: a row is folded once, whatever the number of
 * windows that it is in.
 *
 * Which windows were emitted is not stored: all that ended at or before the watermark of the last merge. So a
 * row that comes late for some of its windows goes into its pane all the same, and only later windows see it.
 */
#include "operator/window_sum.h"

static struct pane pane_of(const struct span *span) { return (struct pane){span->start_us, span->end_us}; }

/* The first pane is in the first window: panes and the ends of their windows are in the same order. */
static int64_t sliding_due_us(const struct aggregate_stage *self, const struct timeline *timeline, int64_t closed_us)
{
    int64_t due_us = INT64_MAX;
    for (uint32_t i = 0; due_us == INT64_MAX && i < timeline->count; i++)
        due_us = pane_next_end(&self->grid, pane_of(span_at(self, timeline, i)), closed_us);
    return due_us;
}

static int64_t sliding_soonest_us(const struct aggregate_stage *self, const struct fragment *fragment,
                                  int64_t closed_us)
{
    return pane_next_end(&self->grid, (struct pane){fragment->start_us, fragment->end_us}, closed_us);
}

static bool sliding_gone(const struct aggregate_stage *self, const struct span *span, int64_t now_us)
{
    return pane_last_end(&self->grid, pane_of(span)) <= now_us;
}

static bool sliding_valid(const struct aggregate_stage *self, const struct span *span)
{
    if (span->start_us < -EVENT_TIME_LIMIT_US - self->grid.slide_us || span->start_us > EVENT_TIME_LIMIT_US)
        return false;
    struct pane pane = pane_at(&self->grid, span->start_us);
    return pane.start_us == span->start_us && pane.end_us == span->end_us;
}

static enum code sliding_emit(const struct aggregate_stage *self, struct timeline_shard *shard, uint32_t slot,
                              int64_t due_us, struct emission *emission, struct error *err)
{
    struct timeline *timeline = timeline_at(shard->keys, slot);
    struct pane window = {due_us - self->spec.size_us, due_us};
    uint32_t from = 0, to = timeline->count;
    while (span_at(self, timeline, from)->end_us <= window.start_us)
        from++;
    while (span_at(self, timeline, to - 1)->end_us > window.end_us)
        to--;
    const uint8_t *states = window_sum(self, shard, timeline, window, from, to, &emission->overflown);
    enum code code = emission_row(emission, state_key(shard->keys, slot), window.start_us, window.end_us, states, err);
    if (states == shard->window)
        states_drop(self, shard->window, &shard->heap);
    return code;
}

const struct span_rule sliding_rule = {
    .touching = false,
    .due_us = sliding_due_us,
    .soonest_us = sliding_soonest_us,
    .emit = sliding_emit,
    .gone = sliding_gone,
    .valid = sliding_valid,
};

static const struct stateful_type sliding_type = {
    .name = "aggregate",
    .lane_batch = aggregate_lane_batch,
    .shard_merge = timeline_shard_merge,
    .shard_idle = timeline_shard_idle,
    .lanes_clear = aggregate_lanes_clear,
    .shard_delta = timeline_shard_delta,
    .shard_snapshot = timeline_shard_snapshot,
    .shard_spill = timeline_shard_spill,
    .restore = timeline_restore,
    .shard_restore = timeline_shard_restore,
    .shown = aggregate_shown,
    .shard_show = timeline_shard_show,
    .position = aggregate_position,
    .shard_entries = timeline_shard_entries,
    .shard_bytes = timeline_shard_bytes,
    .lane_bytes = aggregate_lane_bytes,
    .free = aggregate_stage_free,
};

enum code sliding_new(struct arena *arena, const struct aggregate_spec *spec, struct stateful **out, struct error *err)
{
    struct aggregate_stage *self = NULL;
    TRY(aggregate_stage_new(arena, spec, WINDOW_SLIDING, &self, err));
    self->base.type = &sliding_type;
    *out = &self->base;
    return E_OK;
}
