/* commit.c - an epoch becomes true: stage everything, append one record, publish, tidy up.
 *
 *   crash before the record exists     staged files and state are garbage; recovery reads the range again
 *   crash after the record             recovery commits the tokens in it again (recover.c, steps 2 and 3)
 *
 * With a Kafka transaction the record is staged first, then the transaction is committed, then the record enters the chain
 * (sink/transaction.h): what a crash in between means, only the broker can tell.
 *
 * Ordering that this relies on: every sink's prepare and every state file is durable (synced, folder too) before
 * chain_append; chain_append is durable before the first publish. Each call below returns only then.
 */
#include "base/fault.h"
#include "base/log.h"
#include "base/os.h"
#include "runtime/change.h"
#include "runtime/engine.h"

#include <inttypes.h>

enum {
    RECORDS_KEPT_WITHOUT_STATE = 100,
    TRIM_TOGETHER = 20, /* records of epochs that take milliseconds */
};

/* ---- step 2: durable, still invisible ---- */

struct prepare_job {
    struct job job;
    struct engine *engine;
    int32_t output;
    struct text token;
};

static enum code prepare_run(struct job *job, int32_t lane, struct error *err)
{
    struct prepare_job *self = (struct prepare_job *)job;
    struct cpu_meter *meter = graph_meter(self->engine->graph, lane);
    cpu_meter_start(meter, CPU_ENCODE);
    enum code code = outputs_prepare_one(self->engine->outputs, self->output, &self->token, err);
    cpu_meter_stop(meter);
    return code;
}

static enum code prepare_all(struct engine *self, struct prepare_job *jobs, struct error *err)
{
    for (int32_t i = 0; i < outputs_count(self->outputs); i++) {
        jobs[i] = (struct prepare_job){.job = {prepare_run, NULL}, .engine = self, .output = i};
        workers_submit(self->workers, &jobs[i].job);
    }
    return workers_drain(self->workers, err);
}

static enum code states_finish(struct engine *self, struct chain_record *record, struct error *err)
{
    record->state_count = graph_stateful_count(self->graph);
    record->states = arena_array(&self->scratch, struct chain_state, (size_t)record->state_count);
    for (int32_t i = 0; i < record->state_count; i++) {
        const struct plan *plan = graph_stateful_plan(self->graph, i);
        record->states[i] = (struct chain_state){
            .node = plan->id,
            .identity = plan->identity,
            .name = graph_stateful_name(self->graph, i),
            .what = graph_stateful_what(self->graph, i),
            .entries = stateful_entries(graph_stateful(self->graph, i)) +
                       (self->spill != NULL ? spill_stage_entries(self->spill, i) : 0),
            .group = watermark_group_of(&self->watermarks, plan),
        };
        TRY(state_log_finish(self->state_log, i, &record->states[i], err));
    }
    return E_OK;
}

/* ---- step 3: the record ---- */

static void record_ranges(struct engine *self, struct chain_record *record)
{
    int32_t count = 0;
    for (int32_t f = 0; f < self->feed_count; f++)
        count += self->feeds[f].ranges.count;
    record->ranges = arena_array(&self->scratch, struct chain_range, (size_t)count + 1);
    for (int32_t f = 0; f < self->feed_count; f++) {
        const struct feed *feed = &self->feeds[f];
        for (int32_t i = 0; i < feed->ranges.count; i++) {
            const struct source_range *range = &feed->ranges.items[i];
            const struct source_range *begun = source_ranges_find(&feed->begun, range->topic, range->partition);
            record->ranges[record->range_count++] = (struct chain_range){
                .source = feed->source->name,
                .topic = range->topic,
                .topic_id = range->topic_id,
                .partition = range->partition,
                .from = begun != NULL ? begun->from : range->from,
                .to = range->from,
                .rows = i < feed->progress_count ? feed->progress[i].rows : 0,
                .lost = range->lost,
                .in_bytes = feed->type->offsets_in_bytes,
                .anew = i < feed->progress_count && feed->progress[i].anew,
            };
        }
    }
    if (replay_range(&self->replay, &record->ranges[record->range_count]))
        record->range_count++;
}

static void record_watermarks(struct engine *self, struct chain_record *record)
{
    record->watermark_count = self->watermarks.node_count;
    record->watermarks = arena_array(&self->scratch, struct chain_watermark, (size_t)record->watermark_count);
    for (int32_t i = 0; i < self->pipeline->node_count; i++) {
        const struct plan *plan = self->pipeline->nodes[i];
        if (plan->kind != PLAN_WATERMARK)
            continue;
        int32_t number = plan->watermark.node;
        record->watermarks[number] = (struct chain_watermark){plan->identity, watermark_name(&self->scratch, plan),
                                                              self->watermarks.node_us[number]};
    }
}

/* Every table's, and of each table every partition's; a sum that differs anywhere stops the epoch. */
static enum code record_ledgers(struct engine *self, struct chain_record *record, struct error *err)
{
    const struct ledger_counts counts = {
        .pipeline = self->pipeline,
        .nodes = self->counts,
        .tally = graph_tally(self->graph),
        .ranges = record->ranges,
        .range_count = record->range_count,
    };
    int32_t count = self->pipeline->table_count;
    TRY(ledger_nodes_check(self->pipeline, self->counts, err));
    TRY(ledger_ranges_check(&counts, err));
    record->ledgers = arena_array(&self->scratch, struct chain_ledger, (size_t)count);
    record->ledger_count = count;
    for (int32_t i = 0; i < count; i++) {
        struct table_progress *table = &self->progress->tables[i];
        TRY(ledger_table(&counts, i, &table->map, outputs_totals(self->outputs, i).rows, &self->scratch,
                         &record->ledgers[i], err));
        table->epoch = record->ledgers[i].counts;
    }
    return E_OK;
}

static enum code record_fill(struct engine *self, const struct prepare_job *jobs, struct chain_record *record,
                             struct error *err)
{
    record->epoch = self->epoch;
    record->fingerprint = self->pipeline->fingerprint;
    record->batch_time_us = self->batch_time_us;
    record->groups = self->watermarks.groups;
    record->group_count = self->watermarks.group_count;
    record_watermarks(self, record);
    record->timezone = zone_name(self->options->session->zone);
    record->ansi = self->options->session->ansi;
    record->records = self->records;
    record->views = relations_views(&self->relations);
    record->sink_count = outputs_count(self->outputs);
    record->sinks = arena_array(&self->scratch, struct chain_sink, (size_t)record->sink_count);
    for (int32_t i = 0; i < record->sink_count; i++)
        record->sinks[i] = (struct chain_sink){
            .name = outputs_name(self->outputs, i),
            .token = jobs[i].token.data != NULL ? jobs[i].token.data : "{}",
            .path = outputs_path(self->outputs, i),
        };
    record_ranges(self, record);
    return record_ledgers(self, record, err);
}

/* ---- steps 4 and 5: visible, tidy ---- */

static enum code output_publish(const struct prepare_job *jobs, int32_t i, struct error *err)
{
    const struct engine *self = jobs[i].engine;
    return outputs_commit_one(self->outputs, i, self->epoch, text_view(&jobs[i].token), err);
}

static enum code folder_publish(void *context, int32_t i, int32_t lane, struct error *err)
{
    const struct prepare_job *jobs = context;
    (void)lane;
    return outputs_path(jobs[i].engine->outputs, i) == NULL ? E_OK : output_publish(jobs, i, err);
}

/* Folders know nothing of each other: one may wait for its store while another one works. What is printed keeps its order. */
static enum code publish(struct engine *self, struct prepare_job *jobs, struct error *err)
{
    TRY(workers_each(self->workers, outputs_count(self->outputs), folder_publish, jobs, err));
    for (int32_t i = 0; i < outputs_count(self->outputs); i++)
        if (outputs_path(self->outputs, i) == NULL)
            TRY(output_publish(jobs, i, err));
    FAULT(publish_done);
    return E_OK;
}

static enum code tidy(struct engine *self, struct error *err)
{
    TRY(outputs_collect(self->outputs, err));
    merging_commit(&self->merging);
    int64_t keep = graph_stateful_count(self->graph) > 0 ? state_log_oldest(self->state_log)
                                                         : self->epoch - RECORDS_KEPT_WITHOUT_STATE;
    if (epoch_transaction_sender(&self->transaction) == NULL)
        return keep > 0 ? chain_trim(self->chain, keep, err) : E_OK;
    if (keep - chain_oldest(self->chain) < TRIM_TOGETHER)
        return E_OK;
    TRY(chain_sync(self->chain, err)); // what goes may be all that an unsynced head stands on
    return chain_trim(self->chain, keep, err);
}

/* Lag tools read the group's offsets; nothing of ours does, so a failure is only worth a warning. */
static void mirror(struct engine *self)
{
    for (int32_t i = 0; i < self->feed_count; i++) {
        struct error err = {0};
        if (!epoch_transaction_shows(&self->transaction, self->feeds[i].source) &&
            feed_mirror(&self->feeds[i], &err) != E_OK)
            log_warn("the offsets could not be mirrored to the broker's group, so lag tools show old values: %s",
                     err.text);
    }
}

static void epoch_account(struct engine *self)
{
    for (int32_t i = 0; i < self->pipeline->node_count; i++)
        self->progress->quarantined_total += self->counts[i].rejected;
    for (int32_t i = 0; i < self->pipeline->table_count; i++)
        self->progress->quarantined_total += outputs_refused(self->outputs, i);
    for (int32_t i = 0; i < outputs_count(self->outputs); i++) {
        struct table_progress *table = &self->progress->tables[i];
        struct sink_totals totals = outputs_totals(self->outputs, i);
        if (i >= self->pipeline->table_count)
            table->epoch = (struct ledger){.out = totals.rows};
        ledger_add(&table->total, &table->epoch);
        table->files_total += totals.files;
        if (totals.files > 0)
            self->files_us = os->clock_mono_us();
        table->bytes_total += totals.bytes;
        if (i < self->pipeline->table_count && outputs_path(self->outputs, i) != NULL)
            few_files_look(&table->few_files, self->pipeline, self->pipeline->tables[i], table->files_total,
                           table->bytes_total, os->clock_mono_us() - self->progress->started_us);
    }
}

/* With a Kafka transaction that decides: the record waits beside the chain until its outcome is known. */
static enum code record_commit(struct engine *self, struct chain_record *record, struct error *err)
{
    record->transaction = epoch_transaction_sender(&self->transaction) != NULL;
    if (!record->transaction)
        return chain_append(self->chain, record, err);
    record->place = epoch_transaction_place(&self->transaction, record, &self->scratch);
    TRY(chain_stage(self->chain, record, err));
    TRY(epoch_transaction_commit(&self->transaction, record, chain_nonce(self->chain), err));
    return chain_enter(self->chain, record, err);
}

enum code epoch_commit(struct engine *self, struct error *err)
{
    report_phase(self, "committing");
    enum cpu_bucket before = cpu_meter_switch(&self->meter, CPU_COMMIT);
    int32_t count = outputs_count(self->outputs);
    struct prepare_job *jobs = mem_array(struct prepare_job, (size_t)count);
    struct chain_record record = {0};
    enum code code = prepare_all(self, jobs, err);
    if (code == E_OK)
        code = states_finish(self, &record, err);
    if (code == E_OK)
        code = record_fill(self, jobs, &record, err);
    if (code != E_OK) {
        outputs_abort(self->outputs);
        goto done;
    }
    FAULT(stage_done);
    code = record_commit(self, &record, err);
    if (code == E_OK)
        state_log_committed(self->state_log, self->epoch);
    for (int32_t i = 0; code == E_OK && i < self->feed_count; i++)
        feed_recorded(&self->feeds[i]);
    if (code == E_OK)
        replay_recorded(&self->replay);
    if (code == E_OK)
        code = publish(self, jobs, err);
    if (code == E_OK)
        code = tidy(self, err);
    if (code != E_OK)
        goto done;
    mirror(self);
    epoch_account(self);
    report_commit(self);
    self->epoch++;
    watermarks_step(&self->watermarks);
done:
    for (int32_t i = 0; i < count; i++)
        text_free(&jobs[i].token);
    mem_free(jobs);
    arena_reset(&self->scratch);
    cpu_meter_switch(&self->meter, before);
    return code;
}
