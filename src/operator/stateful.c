#include "operator/operator.h"

int64_t stateful_entries(const struct stateful *self)
{
    int64_t entries = 0;
    for (int32_t s = 0; s < self->shards; s++)
        entries += self->type->shard_entries(self, s);
    return entries;
}

size_t stateful_bytes(const struct stateful *self)
{
    size_t bytes = 0;
    for (int32_t s = 0; s < self->shards; s++)
        bytes += self->type->shard_bytes(self, s);
    for (int32_t l = 0; l < self->lanes; l++)
        bytes += self->type->lane_bytes(self, l);
    return bytes;
}

enum code stateful_shard_restore(struct stateful *self, int32_t shard, struct bytes stored, struct error *err)
{
    return self->type->shard_restore != NULL ? self->type->shard_restore(self, shard, stored, err)
                                             : self->type->restore(self, stored, err);
}

void lane_call_drop(const struct lane_call *call, int64_t row, enum row_fate fate)
{
    struct operator_counts *counts = call->counts;
    counts->late += fate == ROW_LATE;
    counts->null_time += fate == ROW_NULL_TIME;
    counts->filtered += fate == ROW_FILTERED;
    if (counts->fates != NULL)
        counts->fates[row] = (uint8_t)fate;
    if (fate != ROW_LATE || call->late == NULL)
        return;
    mem_grow(call->late->rows, call->late->capacity, call->late->count + 1);
    call->late->rows[call->late->count++] = (int32_t)row;
}
