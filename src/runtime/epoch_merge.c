/* epoch_merge.c - the end of an epoch: shards merge what the lanes took in, and their changes go to the epoch's state files.
 *
 * Stateful nodes come one after the other, in topological order: what one emits, the next one folds in the same epoch. The
 * shards of one node are worked on by all workers: one has its shard in memory, merges, writes what changed, and only then
 * lets go of it: a shard that is written out in between would have lost what the epoch changed in it.
 */
#include "runtime/engine.h"

/* What one node's shards are to do in this epoch. */
struct stage_work {
    struct engine *engine;
    int32_t stage;
    struct shard_work {
        int32_t shard;
        bool idle; /* nothing to merge: it is only its turn to be written whole */
    } * shards;
    int32_t count;
};

static enum code shard_merge(struct engine *engine, int32_t stage, int32_t shard, int32_t lane, struct error *err)
{
    struct cpu_meter *meter = graph_meter(engine->graph, lane);
    cpu_meter_start(meter, CPU_COMMIT);
    enum code code = spill_pin(engine->spill, stage, shard, err);
    cpu_meter_stop(meter);
    TRY(code);
    code = graph_merge(engine->graph, stage, shard, lane, err);
    cpu_meter_start(meter, CPU_COMMIT);
    if (code == E_OK)
        code = state_log_save(engine->state_log, stage, shard, true, err);
    spill_unpin(engine->spill, stage, shard);
    cpu_meter_stop(meter);
    return code;
}

static enum code shard_work(void *context, int32_t i, int32_t lane, struct error *err)
{
    const struct stage_work *work = context;
    const struct shard_work *shard = &work->shards[i];
    if (!shard->idle)
        return shard_merge(work->engine, work->stage, shard->shard, lane, err);
    struct cpu_meter *meter = graph_meter(work->engine->graph, lane);
    cpu_meter_start(meter, CPU_COMMIT);
    enum code code = state_log_save(work->engine->state_log, work->stage, shard->shard, false, err);
    cpu_meter_stop(meter);
    return code;
}

/* The shards that the epoch has work for, those in memory first: what they free makes room for the others. */
static void work_plan(struct stage_work *work)
{
    struct engine *engine = work->engine;
    const struct stateful *stateful = engine->stages[work->stage];
    const struct epoch_time *time = graph_stateful_time(engine->graph, work->stage);
    for (int away = 0; away <= 1; away++)
        for (int32_t shard = 0; shard < stateful->shards; shard++) {
            bool idle = stateful->type->shard_idle(stateful, shard, time);
            if (spill_is_away(engine->spill, work->stage, shard) != away ||
                (idle && !state_log_is_due(engine->state_log, work->stage, shard)))
                continue;
            if (!idle)
                spill_want(engine->spill, work->stage, shard);
            work->shards[work->count++] = (struct shard_work){shard, idle};
        }
}

static enum code stage_merge(struct engine *self, int32_t stage, struct error *err)
{
    state_log_begin(self->state_log, stage, self->epoch);
    struct stage_work work = {.engine = self, .stage = stage};
    work.shards = mem_array(struct shard_work, (size_t)self->stages[stage]->shards);
    work_plan(&work);
    enum code code = workers_each(self->workers, work.count, shard_work, &work, err);
    mem_free(work.shards);
    graph_lanes_clear(self->graph, stage);
    return code;
}

enum code epoch_merge(struct engine *self, struct error *err)
{
    report_phase(self, "merging");
    for (int32_t s = 0; s < graph_stateful_count(self->graph); s++)
        TRY(stage_merge(self, s, err));
    return E_OK;
}
