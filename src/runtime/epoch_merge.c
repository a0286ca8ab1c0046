/* epoch_merge.c - the end of an epoch: shards merge what the lanes took in, and their changes go to the epoch's state files.
 *
 * Stateful nodes come one after the other, in topological order: what one emits, the next one folds in the same epoch. The
 * shards of one node are jobs for all workers. A job has its shard in memory, merges, writes what changed, and only then
 * lets go of it: a shard that is written out in between would have lost what the epoch changed in it.
 */
#include "runtime/engine.h"

struct merge_job {
    struct job job;
    struct engine *engine;
    int32_t stage, shard;
    bool idle; /* nothing to merge: it is only its turn to be written whole */
};

static enum code shard_work(struct merge_job *self, int32_t lane, struct error *err)
{
    struct engine *engine = self->engine;
    struct cpu_meter *meter = graph_meter(engine->graph, lane);
    cpu_meter_start(meter, CPU_COMMIT);
    enum code code = spill_pin(engine->spill, self->stage, self->shard, err);
    cpu_meter_stop(meter);
    TRY(code);
    code = graph_merge(engine->graph, self->stage, self->shard, lane, err);
    cpu_meter_start(meter, CPU_COMMIT);
    if (code == E_OK)
        code = state_log_save(engine->state_log, self->stage, self->shard, true, err);
    spill_unpin(engine->spill, self->stage, self->shard);
    cpu_meter_stop(meter);
    return code;
}

static enum code merge_run(struct job *job, int32_t lane, struct error *err)
{
    struct merge_job *self = (struct merge_job *)job;
    if (!self->idle)
        return shard_work(self, lane, err);
    struct cpu_meter *meter = graph_meter(self->engine->graph, lane);
    cpu_meter_start(meter, CPU_COMMIT);
    enum code code = state_log_save(self->engine->state_log, self->stage, self->shard, false, err);
    cpu_meter_stop(meter);
    return code;
}

/* The shards that the epoch has work for, those in memory first: what they free makes room for the others. */
static int32_t jobs_plan(struct engine *self, int32_t stage, struct merge_job *jobs)
{
    const struct stateful *stateful = self->stages[stage];
    const struct epoch_time *time = graph_stateful_time(self->graph, stage);
    int32_t count = 0;
    for (int away = 0; away <= 1; away++)
        for (int32_t shard = 0; shard < stateful->shards; shard++) {
            bool idle = stateful->type->shard_idle(stateful, shard, time);
            if (spill_is_away(self->spill, stage, shard) != away ||
                (idle && !state_log_is_due(self->state_log, stage, shard)))
                continue;
            if (!idle)
                spill_want(self->spill, stage, shard);
            jobs[count++] = (struct merge_job){{merge_run, NULL}, self, stage, shard, idle};
        }
    return count;
}

static enum code stage_merge(struct engine *self, int32_t stage, struct error *err)
{
    TRY(state_log_begin(self->state_log, stage, self->epoch, err));
    struct merge_job *jobs = mem_array(struct merge_job, (size_t)self->stages[stage]->shards);
    int32_t count = jobs_plan(self, stage, jobs);
    for (int32_t i = 0; i < count; i++)
        workers_submit(self->workers, &jobs[i].job);
    enum code code = workers_drain(self->workers, err);
    mem_free(jobs);
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
