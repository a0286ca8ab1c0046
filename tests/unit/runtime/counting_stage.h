/* counting_stage.h - a stage with state that can be seen through: per shard a number for each of CELLS cells, and memory
 * taken from a budget for all that are not 0. */
#ifndef COUNTING_STAGE_H
#define COUNTING_STAGE_H

#include "kit.h"

#include <stdio.h>

#include "operator/operator.h"

enum { CELLS = 1000, CELL_BYTES = 1024, COUNTING_WHOLE = 1, COUNTING_CHANGE = 2, COUNTING_LAYOUT = 77 };

struct counting_shard {
    int64_t cells[CELLS];
    bool changed[CELLS];
    size_t charged_bytes;
};
struct counting_stage {
    struct stateful base;
    struct budget *budget;
    struct counting_shard *shards;
};

static inline struct counting_stage *counting_of(const struct stateful *base)
{
    return (struct counting_stage *)(uintptr_t)base;
}

static inline void counting_write(const struct counting_shard *shard, uint16_t kind, struct text *out)
{
    size_t start = state_frame_begin(out, kind, COUNTING_LAYOUT);
    for (int64_t i = 0; i < CELLS; i++)
        if (kind == COUNTING_WHOLE ? shard->cells[i] != 0 : shard->changed[i]) {
            text_add(out, &i, sizeof i);
            text_add(out, &shard->cells[i], sizeof shard->cells[i]);
        }
    state_frame_end(out, start);
}

static inline enum code counting_snapshot(struct stateful *base, int32_t shard, struct text *out,
                                          __attribute__((unused)) struct error *err)
{
    counting_write(&counting_of(base)->shards[shard], COUNTING_WHOLE, out);
    return E_OK;
}

static inline enum code counting_delta(struct stateful *base, int32_t shard, struct text *out,
                                       __attribute__((unused)) struct error *err)
{
    counting_write(&counting_of(base)->shards[shard], COUNTING_CHANGE, out);
    return E_OK;
}

static inline enum code counting_set(struct stateful *base, int32_t index, int64_t cell, int64_t value,
                                     struct error *err)
{
    struct counting_shard *shard = &counting_of(base)->shards[index];
    if (shard->cells[cell] == 0) {
        TRY(budget_take(counting_of(base)->budget, CELL_BYTES, "cells", err));
        shard->charged_bytes += CELL_BYTES;
    }
    shard->cells[cell] = value;
    shard->changed[cell] = true;
    return E_OK;
}

static inline void counting_spill(struct stateful *base, int32_t index)
{
    struct counting_shard *shard = &counting_of(base)->shards[index];
    budget_give(counting_of(base)->budget, shard->charged_bytes);
    *shard = (struct counting_shard){0};
}

static inline enum code counting_restore(struct stateful *base, int32_t shard, struct bytes stored, struct error *err)
{
    while (stored.size > 0) {
        struct state_frame frame;
        TRY(state_frame_read(&stored, &frame, err));
        for (size_t at = 0; at < frame.body.size; at += 16) {
            int64_t pair[2];
            memcpy(pair, frame.body.data + at, sizeof pair);
            TRY(counting_set(base, shard, pair[0], pair[1], err));
        }
    }
    return E_OK;
}

static inline enum code counting_restore_all(struct stateful *base, struct bytes stored, struct error *err)
{
    return counting_restore(base, 0, stored, err);
}

static inline int64_t counting_entries(const struct stateful *base, int32_t shard)
{
    return (int64_t)(counting_of(base)->shards[shard].charged_bytes / CELL_BYTES);
}

static inline size_t counting_bytes(const struct stateful *base, int32_t shard)
{
    return counting_of(base)->shards[shard].charged_bytes;
}

static inline size_t counting_lane_bytes(const struct stateful *base, int32_t lane)
{
    (void)base;
    (void)lane;
    return 0;
}

static inline void counting_open(struct counting_stage *self, struct budget *budget, int32_t shards)
{
    static const struct stateful_type type = {
        .name = "counting",
        .shard_delta = counting_delta,
        .shard_snapshot = counting_snapshot,
        .shard_spill = counting_spill,
        .restore = counting_restore_all,
        .shard_restore = counting_restore,
        .shard_entries = counting_entries,
        .shard_bytes = counting_bytes,
        .lane_bytes = counting_lane_bytes,
    };
    *self = (struct counting_stage){.base = {&type, 0, shards}, .budget = budget};
    self->shards = mem_array(struct counting_shard, (size_t)shards);
}

static inline void counting_close(struct counting_stage *self)
{
    for (int32_t s = 0; s < self->base.shards; s++)
        counting_spill(&self->base, s);
    mem_free(self->shards);
}

/* The epoch is over: what changes from now on is the next one's. */
static inline void counting_settle(struct counting_stage *self)
{
    for (int32_t s = 0; s < self->base.shards; s++)
        memset(self->shards[s].changed, 0, sizeof self->shards[s].changed);
}

#endif
