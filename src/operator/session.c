/* session.c - session windows: rows of a key whose times, each with its gap behind it, overlap or touch.
 *
 * A session is [first time, largest time + gap), so one row may carry it further than a later one. It is
 * emitted, once, when the watermark reaches its end; until then any row may make it longer or join two of
 * them.
 */
#include "operator/timeline.h"

static int64_t session_due_us(const struct aggregate_stage *self, const struct timeline *timeline,
                              __attribute__((unused)) int64_t closed_us)
{
    return span_at(self, timeline, 0)->end_us;
}

static int64_t session_soonest_us(__attribute__((unused)) const struct aggregate_stage *self,
                                  const struct fragment *fragment, __attribute__((unused)) int64_t closed_us)
{
    return fragment->end_us;
}

static bool session_gone(__attribute__((unused)) const struct aggregate_stage *self, const struct span *span,
                         int64_t now_us)
{
    return span->end_us <= now_us;
}

static bool session_valid(__attribute__((unused)) const struct aggregate_stage *self, const struct span *span)
{
    return span->start_us >= -EVENT_TIME_LIMIT_US && span->start_us <= EVENT_TIME_LIMIT_US &&
           span->end_us > span->start_us && span->end_us <= 2 * EVENT_TIME_LIMIT_US;
}

static enum code session_emit(const struct aggregate_stage *self, struct timeline_shard *shard, uint32_t slot,
                              __attribute__((unused)) int64_t due_us, struct emission *emission, struct error *err)
{
    struct span *span = span_at(self, timeline_at(shard->keys, slot), 0);
    return emission_row(emission, state_key(shard->keys, slot), span->start_us, span->end_us, span_states(span), err);
}

const struct span_rule session_rule = {
    .touching = true,
    .due_us = session_due_us,
    .soonest_us = session_soonest_us,
    .emit = session_emit,
    .gone = session_gone,
    .valid = session_valid,
};

static const struct stateful_type session_type = {
    .name = "session window",
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

enum code session_new(struct arena *arena, const struct aggregate_spec *spec, struct stateful **out, struct error *err)
{
    struct aggregate_stage *self = NULL;
    always(spec->window_key >= 0 && spec->gap != NULL);
    TRY(aggregate_stage_new(arena, spec, WINDOW_SESSION, &self, err));
    self->base.type = &session_type;
    *out = &self->base;
    return E_OK;
}
