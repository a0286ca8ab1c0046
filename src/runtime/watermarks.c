#include "runtime/watermarks.h"

#include "runtime/plan_stage.h"

/* Stands for "no watermark above here"; real ones are never that late. */
#define NO_WATERMARK INT64_MAX

void watermarks_init(struct watermarks *self, const struct pipeline *pipeline)
{
    size_t groups = (size_t)pipeline->group_count;
    *self = (struct watermarks){
        .pipeline = pipeline,
        .group_count = pipeline->group_count,
        .groups = mem_array(struct watermark_time, groups),
        .node_count = pipeline->watermark_count,
        .node_us = mem_array(int64_t, (size_t)pipeline->watermark_count),
    };
}

void watermarks_close(struct watermarks *self)
{
    mem_free(self->groups);
    mem_free(self->node_us);
    *self = (struct watermarks){0};
}

int32_t watermark_group_of(const struct watermarks *self, const struct plan *plan)
{
    return plan->group >= 0 && plan->group < self->group_count ? plan->group : -1;
}

/* ---- through the plan ---- */

static int64_t add_saturating(int64_t at_us, int64_t shift_us)
{
    int64_t sum;
    if (__builtin_add_overflow(at_us, shift_us, &sum))
        return shift_us < 0 ? INT64_MIN : NO_WATERMARK - 1;
    return sum;
}

/* The earliest event time a join may still put out: of what comes, and of what its sides keep. */
static int64_t behind_join(const struct plan_join *join, int64_t in_us)
{
    int64_t out_us = in_us;
    for (int side = 0; join->time_key < 0 && side < 2; side++) {
        if (!join->sides[side].bounded)
            continue;
        int64_t kept_us = add_saturating(in_us, join->sides[side].shift_us);
        out_us = kept_us < out_us ? kept_us : out_us;
    }
    return out_us;
}

/* What node i gets (in_us) and gives (out_us) when its group stands at w_us; the nodes above it are done. */
static int64_t node_propagate(const struct plan *plan, int64_t w_us, const int64_t *out_us, int64_t *in_us)
{
    *in_us = NO_WATERMARK;
    for (int32_t i = 0; i < plan->input_count; i++) {
        int64_t given_us = out_us[plan_input(plan, i)->id];
        *in_us = given_us < *in_us ? given_us : *in_us;
    }
    if (plan->kind == PLAN_WATERMARK)
        return w_us;
    if (plan->kind == PLAN_TABLE)
        return NO_WATERMARK;
    return *in_us != NO_WATERMARK && plan->kind == PLAN_JOIN && plan_is_stateful(plan)
               ? behind_join(&plan->join, *in_us)
               : *in_us;
}

/* What every node of `group` gets when the group stands at w_us; others' entries are left alone. */
static void group_propagate(const struct watermarks *self, int32_t group, int64_t w_us, int64_t *out_us, int64_t *in_us)
{
    for (int32_t i = 0; i < self->pipeline->node_count; i++) {
        const struct plan *plan = self->pipeline->nodes[i];
        int64_t got_us;
        out_us[i] = node_propagate(plan, w_us, out_us, &got_us);
        if (plan->group == group)
            in_us[i] = got_us == NO_WATERMARK || got_us < 0 ? 0 : got_us;
    }
}

void watermarks_times(const struct watermarks *self, int64_t epoch, struct epoch_time *times)
{
    size_t count = (size_t)self->pipeline->node_count;
    int64_t *out_us = mem_array(int64_t, count);
    int64_t *late_us = mem_array(int64_t, count);
    int64_t *emit_us = mem_array(int64_t, count);
    for (int32_t g = 0; g < self->group_count; g++) {
        group_propagate(self, g, self->groups[g].late_us, out_us, late_us);
        group_propagate(self, g, self->groups[g].emit_us, out_us, emit_us);
    }
    for (size_t i = 0; i < count; i++)
        times[i] = (struct epoch_time){epoch, late_us[i], emit_us[i]};
    mem_free(out_us);
    mem_free(late_us);
    mem_free(emit_us);
}

/* ---- from epoch to epoch ---- */

/* A watermark that has seen nothing stands at 0, as in Spark. */
static void nodes_advance(struct watermarks *self, const int64_t *seen_us)
{
    for (int32_t i = 0; i < self->pipeline->node_count; i++) {
        const struct plan *plan = self->pipeline->nodes[i];
        if (plan->kind != PLAN_WATERMARK || seen_us[plan->watermark.node] == INT64_MIN)
            continue;
        int64_t at_us = add_saturating(seen_us[plan->watermark.node], -plan->watermark.delay_us);
        int64_t *stands_us = &self->node_us[plan->watermark.node];
        *stands_us = at_us > *stands_us ? at_us : *stands_us;
    }
}

static int64_t group_chosen(const struct watermarks *self, const struct watermark_group *group)
{
    int64_t chosen_us = group->count > 0 ? self->node_us[group->nodes[0]] : 0;
    for (int32_t i = 1; i < group->count; i++) {
        int64_t at_us = self->node_us[group->nodes[i]];
        if (self->pipeline->watermark_policy_max ? at_us > chosen_us : at_us < chosen_us)
            chosen_us = at_us;
    }
    return chosen_us;
}

void watermarks_advance(struct watermarks *self, const int64_t *seen_us)
{
    nodes_advance(self, seen_us);
    for (int32_t g = 0; g < self->group_count; g++) {
        int64_t chosen_us = group_chosen(self, &self->pipeline->groups[g]);
        struct watermark_time *time = &self->groups[g];
        time->next_us = chosen_us > time->emit_us ? chosen_us : time->emit_us;
    }
}

void watermarks_step(struct watermarks *self)
{
    for (int32_t g = 0; g < self->group_count; g++) {
        self->groups[g].late_us = self->groups[g].emit_us;
        self->groups[g].emit_us = self->groups[g].next_us;
    }
}

/* A join that never forgets has nothing to do when W rises. */
static bool follows_watermark(const struct plan *plan)
{
    return plan_is_stateful(plan) && (plan->kind != PLAN_JOIN || plan->join.time_key >= 0 ||
                                      plan->join.sides[0].bounded || plan->join.sides[1].bounded);
}

bool watermarks_moved(const struct watermarks *self)
{
    struct epoch_time *times = mem_array(struct epoch_time, (size_t)self->pipeline->node_count);
    bool moved = false;
    watermarks_times(self, 0, times);
    for (int32_t i = 0; !moved && i < self->pipeline->node_count; i++)
        moved = follows_watermark(self->pipeline->nodes[i]) && times[i].emit_us > times[i].late_us;
    mem_free(times);
    return moved;
}

/* Groups without watermarks stand at 0 for ever and say nothing. */
static int64_t smallest(const struct watermarks *self, bool next)
{
    int64_t found_us = INT64_MAX;
    for (int32_t g = 0; g < self->group_count; g++) {
        int64_t at_us = next ? self->groups[g].next_us : self->groups[g].emit_us;
        if (self->pipeline->groups[g].count > 0 && at_us < found_us)
            found_us = at_us;
    }
    return found_us == INT64_MAX ? 0 : found_us;
}

int64_t watermarks_smallest(const struct watermarks *self) { return smallest(self, false); }

int64_t watermarks_smallest_next(const struct watermarks *self) { return smallest(self, true); }
