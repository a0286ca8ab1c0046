#include "runtime/state_log.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/os.h"
#include "runtime/state_file.h"

enum {
    PATH_BYTES = 256,
    STATE_LEAST_BYTES =
        4 * 1024 * 1024, /* changes of a small state may outgrow it for long before it pays to write it all */
};
#define STATE_FOLDER "state/0" /* of task 0 */

struct shard_wholes {
    int64_t newest, before; /* epochs whose files have the shard whole; -1 = none */
};
struct stage_log {
    struct shard_wholes *wholes; /* per shard */
    struct state_writer *writer;
    char path[PATH_BYTES];
    int32_t whole_from, whole_to; /* of this epoch */
    double credit;                /* shards that may be written whole */
    atomic_size_t delta_bytes;    /* changes of this epoch */
};
struct state_log {
    struct state_log_spec spec;
    struct stage_log *stages;
};

struct state_log *state_log_new(const struct state_log_spec *spec)
{
    struct state_log *self = mem_new(struct state_log);
    self->spec = *spec;
    self->stages = mem_array(struct stage_log, (size_t)spec->stage_count);
    for (int32_t s = 0; s < spec->stage_count; s++) {
        int32_t shards = spec->stages[s]->shards;
        self->stages[s].wholes = mem_array(struct shard_wholes, (size_t)shards);
        for (int32_t i = 0; i < shards; i++)
            self->stages[s].wholes[i] = (struct shard_wholes){-1, -1};
    }
    return self;
}

void state_log_free(struct state_log *self)
{
    if (self == NULL)
        return;
    for (int32_t s = 0; s < self->spec.stage_count; s++) {
        state_writer_abandon(self->stages[s].writer);
        mem_free(self->stages[s].wholes);
    }
    mem_free(self->stages);
    mem_free(self);
}

void state_log_resume(struct state_log *self, int32_t stage, const struct state_history *history)
{
    struct stage_log *log = &self->stages[stage];
    bool same = history->shards == self->spec.stages[stage]->shards;
    for (int32_t i = 0; same && i < history->shards; i++)
        state_history_wholes(history, i, &log->wholes[i].newest, &log->wholes[i].before);
    for (int32_t i = 0; same && i < history->shards; i++)
        if (log->wholes[i].newest < log->wholes[log->whole_to].newest)
            log->whole_to = i; // the next range begins with the shard that waits longest
}

/* ---- which shards are written whole ---- */

static double stage_bytes(const struct state_log *self, int32_t stage)
{
    double bytes = (double)stateful_bytes(self->spec.stages[stage]) + (double)spill_totals(self->spec.spill).file_bytes;
    return bytes > STATE_LEAST_BYTES ? bytes : STATE_LEAST_BYTES;
}

static void range_choose(struct state_log *self, int32_t stage)
{
    struct stage_log *log = &self->stages[stage];
    int32_t shards = self->spec.stages[stage]->shards;
    double every = (double)shards / (double)self->spec.snapshot_epochs;
    log->credit += every + shards * ((double)log->delta_bytes / stage_bytes(self, stage));
    log->delta_bytes = 0;
    log->whole_from = log->whole_to % shards;
    int32_t count = log->credit < shards ? (int32_t)log->credit : shards;
    if (count > shards - log->whole_from) // the range does not wrap around
        count = shards - log->whole_from;
    log->whole_to = log->whole_from + count;
    log->credit = log->credit < shards ? log->credit - count : 0;
}

/* ---- one epoch ---- */

/* No reader looks here, and nothing names the file before the record does: it is staged under its final name. The attempt in
 * it keeps a process that was overtaken from ever touching the file that another's record of the same epoch names. */
void state_log_begin(struct state_log *self, int32_t stage, int64_t epoch)
{
    struct stage_log *log = &self->stages[stage];
    state_writer_abandon(log->writer);
    log->writer = NULL;
    range_choose(self, stage);
    snprintf(log->path, sizeof log->path, STATE_FOLDER "/%016" PRId64 "-%d-%08" PRIx32 ".state", epoch,
             self->spec.nodes[stage], (uint32_t)os_random());
    log->writer = state_writer_new(self->spec.store, log->path);
}

bool state_log_is_due(const struct state_log *self, int32_t stage, int32_t shard)
{
    return shard >= self->stages[stage].whole_from && shard < self->stages[stage].whole_to;
}

enum code state_log_save(struct state_log *self, int32_t stage, int32_t shard, bool merged, struct error *err)
{
    struct stage_log *log = &self->stages[stage];
    struct stateful *stateful = self->spec.stages[stage];
    struct state_part part = {.shard = shard, .shards = stateful->shards};
    struct text bytes = {0};
    enum code code = merged ? stateful->type->shard_delta(stateful, shard, &bytes, err) : E_OK;
    if (code == E_OK)
        code = state_writer_add(log->writer, &part, text_view(&bytes), err);
    atomic_fetch_add(&log->delta_bytes, bytes.size);
    if (code == E_OK && state_log_is_due(self, stage, shard)) {
        text_clear(&bytes);
        part.whole = true;
        code = merged ? stateful->type->shard_snapshot(stateful, shard, &bytes, err)
                      : spill_snapshot(self->spec.spill, stage, shard, &bytes, err);
        if (code == E_OK)
            code = state_writer_add(log->writer, &part, text_view(&bytes), err);
    }
    text_free(&bytes);
    return code;
}

enum code state_log_finish(struct state_log *self, int32_t stage, struct chain_state *out, struct error *err)
{
    struct stage_log *log = &self->stages[stage];
    struct state_writer *writer = log->writer;
    FAULT(state_merge);
    if (log->whole_from < log->whole_to)
        FAULT(snapshot_put);
    log->writer = NULL;
    TRY(state_writer_finish(writer, &out->size_bytes, &out->checksum, err));
    out->shards = self->spec.stages[stage]->shards;
    out->whole_from = log->whole_from;
    out->whole_to = log->whole_to;
    out->path = out->size_bytes > 0 ? log->path : "";
    return out->size_bytes > 0 ? store_sync(self->spec.store, STATE_FOLDER, err) : E_OK;
}

void state_log_committed(struct state_log *self, int64_t epoch)
{
    for (int32_t s = 0; s < self->spec.stage_count; s++)
        for (int32_t i = self->stages[s].whole_from; i < self->stages[s].whole_to; i++)
            self->stages[s].wholes[i] = (struct shard_wholes){epoch, self->stages[s].wholes[i].newest};
}

int64_t state_log_oldest(const struct state_log *self)
{
    int64_t oldest = INT64_MAX;
    for (int32_t s = 0; s < self->spec.stage_count; s++)
        for (int32_t i = 0; i < self->spec.stages[s]->shards; i++)
            if (self->stages[s].wholes[i].before < oldest)
                oldest = self->stages[s].wholes[i].before;
    return oldest == INT64_MAX ? -1 : oldest;
}
