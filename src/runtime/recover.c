/* recover.c - from whatever a crash left to a running engine, in the order that makes each step safe to repeat:
 *
 *   1  lock the checkpoint, read the head record              the chain is the only truth; a broker's group is a mirror
 *      with a Kafka transaction: fence who was before, ask    a staged record whose transaction was committed becomes the
 *      which epoch was committed (epoch_transaction.h)        head; others are garbage
 *   2  no table may be ahead of the head                      else the checkpoint is an older one, out of a backup: refuse
 *      each folder is what the chain made of it               else its format was changed, or its Delta log is another: refuse
 *      commit the head's tokens again                         files already in place are skipped (sink.h)
 *   3  load state: per shard its newest whole, then changes   whatever was merged in memory is forgotten
 *   4  remove staged leftovers of attempts at committed epochs  no record can name them any more
 *   5  continue every partition at the head's next offset     assign and seek; what was prefetched is dropped
 *
 * A crash inside any step leaves something that the same steps mend.
 */
#include "base/log.h"
#include "base/os.h"
#include "runtime/change.h"
#include "runtime/engine.h"
#include "runtime/tables_check.h"
#include "runtime/trouble.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static const char TASK[] = "0";

/* A record of before paths: what is staged cannot be found. */
static enum code folder_unknown(const struct chain_sink *sink, struct arena *arena, struct error *err)
{
    struct sink_files files;
    TRY(sink_token_files(bytes_of_string(sink->token), arena, &files, err));
    if (files.count > 0)
        log_warn(
            "the last epoch wrote table %s, which the project no longer has, and an older leat did not record its folder: "
            "its %d files may still be in the folder's _staging. Run once with the table as it was",
            sink->name, files.count);
    return E_OK;
}

/* The project as it is now does not write there: no sink has the folder open. */
static enum code publish_there(struct engine *self, int64_t epoch, const struct chain_sink *sink, struct error *err)
{
    enum code code = sink_publish(sink->path, chain_query_id(self->chain), epoch, bytes_of_string(sink->token), err);
    if (code == E_ABSENT) {
        log_warn(
            "the last epoch wrote table %s into %s, a folder that is not there any more: its rows of that epoch are gone",
            sink->name, sink->path);
        error_clear(err);
        return E_OK;
    }
    if (code == E_LOST)
        return error_note(
            err,
            "table %s; the project no longer writes into %s, so who does not miss these files removes the "
            "folder",
            sink->name, sink->path);
    return code == E_OK ? E_OK : error_note(err, "table %s", sink->name);
}

/* Where the project has the table is asked first: the folder may have been moved with what is staged in it, or copied. */
static enum code roll_forward_one(struct engine *self, int64_t epoch, const struct chain_sink *sink, struct error *err)
{
    int32_t output = outputs_find(self->outputs, sink->name);
    const char *path = output < 0 ? NULL : outputs_path(self->outputs, output);
    if (output < 0 && sink->path == NULL)
        return folder_unknown(sink, &self->arena, err);
    if (sink->path == NULL || path != NULL) {
        enum code code = outputs_commit_one(self->outputs, output, epoch, bytes_of_string(sink->token), err);
        if (code != E_LOST || sink->path == NULL || strcmp(path, sink->path) == 0)
            return code;
        error_clear(err);
    }
    return publish_there(self, epoch, sink, err);
}

/* By the record, not by the project: that may have changed since the epoch was written. */
static enum code roll_forward(struct engine *self, const struct chain_record *head, struct error *err)
{
    for (int32_t i = 0; i < head->sink_count; i++)
        TRY(roll_forward_one(self, head->epoch, &head->sinks[i], err));
    return E_OK;
}

/* ---- state ---- */

struct stage_load {
    struct engine *engine;
    const struct state_history *history;
    int32_t stage;
};

static enum code shard_load(void *context, int32_t shard, int32_t lane, struct error *err)
{
    (void)lane;
    const struct stage_load *load = context;
    struct engine *engine = load->engine;
    if (runtime_stopping())
        return fail(err, E_STOPPED, "asked to stop");
    TRY(spill_pin(engine->spill, load->stage, shard, err));
    enum code code = state_history_load(load->history, engine->stages[load->stage], shard, err);
    spill_unpin(engine->spill, load->stage, shard);
    return code;
}

/* All at once when the stage can, else one after the other. */
static enum code shards_load(struct engine *self, int32_t stage, const struct state_history *history, struct error *err)
{
    struct stage_load load = {self, history, stage};
    int32_t shards = self->stages[stage]->shards;
    if (self->stages[stage]->type->shard_restore != NULL)
        return workers_each(self->workers, shards, shard_load, &load, err);
    for (int32_t shard = 0; shard < shards; shard++)
        TRY(shard_load(&load, shard, 0, err));
    return E_OK;
}

/* State of an older chain, or of another number of shards: afterwards the spill knows what is where. */
static enum code stage_load(struct engine *self, int32_t stage, const struct state_history *history, struct error *err)
{
    TRY(state_history_load_all(history, self->stages[stage], err));
    for (int32_t shard = 0; shard < self->stages[stage]->shards; shard++) {
        TRY(spill_pin(self->spill, stage, shard, err));
        spill_unpin(self->spill, stage, shard);
    }
    return E_OK;
}

static enum code state_restore(struct engine *self, int32_t stage, const struct state_history *history,
                               struct error *err)
{
    enum code code = state_history_by_shard(history, self->stages[stage]) ? shards_load(self, stage, history, err)
                                                                          : stage_load(self, stage, history, err);
    if (code == E_OK)
        state_log_resume(self->state_log, stage, history);
    return code == E_OK ? E_OK : error_note(err, "state of %s", graph_stateful_name(self->graph, stage));
}

static enum code states_restore(struct engine *self, struct error *err)
{
    int32_t count = graph_stateful_count(self->graph);
    const struct plan **plans = mem_array(const struct plan *, (size_t)count);
    struct state_history *histories = mem_array(struct state_history, (size_t)count);
    for (int32_t i = 0; i < count; i++)
        plans[i] = graph_stateful_plan(self->graph, i);
    enum code code = state_histories_read(self->chain, self->store, plans, count, histories, err);
    for (int32_t i = 0; i < count; i++) {
        if (code == E_OK)
            code = state_restore(self, i, &histories[i], err);
        state_history_free(&histories[i]);
    }
    mem_free(histories);
    mem_free(plans);
    return code;
}

static struct feed *feed_of(struct engine *self, const char *source)
{
    for (int32_t i = 0; i < self->feed_count; i++)
        if (strcmp(self->feeds[i].source->name, source) == 0)
            return &self->feeds[i];
    return NULL;
}

static void positions_resume(struct engine *self, const struct chain_record *head)
{
    for (int32_t i = 0; i < head->range_count; i++) {
        const struct chain_range *range = &head->ranges[i];
        struct feed *feed = feed_of(self, range->source);
        if (feed != NULL)
            feed_resume(feed, range->topic, range->topic_id, range->partition, range->to);
    }
}

static bool record_has_table(const struct chain_record *record, const char *table)
{
    for (int32_t i = 0; i < record->sink_count; i++)
        if (strcmp(record->sinks[i].name, table) == 0)
            return true;
    return false;
}

/* All tables share the chain's offsets: one that joins later has no history. */
static void new_tables_warn(const struct engine *self, const struct chain_record *head)
{
    for (int32_t i = 0; i < self->pipeline->table_count; i++)
        if (!record_has_table(head, self->pipeline->tables[i]->name))
            log_warn(
                "table %s is new in this checkpoint: it starts with the next record. For the records before it, start "
                "over with leat.checkpoint and leat.tables.path both set to new folders",
                self->pipeline->tables[i]->name);
}

struct foreign {
    const char *query_id; /* ours; its first 8 digits are in our files' names */
    char name[64];        /* a file of another query, or "" */
};

static void foreign_look(const char *folder, struct foreign *foreign)
{
    struct store *store = NULL;
    struct store_list list = {0};
    struct error ignored = {0};
    if (store_look(folder, &store, &ignored) == E_OK && store_list(store, "", false, &list, &ignored) == E_OK)
        for (int32_t i = 0; i < list.count && foreign->name[0] == '\0'; i++) {
            const char *name = list.entries[i].path;
            if (strncmp(name, "part-", 5) == 0 && strncmp(name + 5, foreign->query_id, 8) != 0)
                snprintf(foreign->name, sizeof foreign->name, "%s", name);
        }
    store_list_free(&list);
    store_close(store);
}

/* A new checkpoint reads the topic again. Two queries may share a folder, but who only lost a checkpoint gets doubles. */
static void foreign_files_warn(const struct engine *self)
{
    for (int32_t i = 0; i < outputs_count(self->outputs); i++) {
        struct foreign foreign = {.query_id = chain_query_id(self->chain)};
        if (outputs_path(self->outputs, i) != NULL)
            foreign_look(outputs_path(self->outputs, i), &foreign);
        if (foreign.name[0] == '\0')
            continue;
        log_warn(
            "the checkpoint %s is new, but table %s already has files of another one (%s). Records that are read again "
            "will be in the table twice: set leat.tables.path to a new folder, or delete the table's folder",
            store_root(self->store), outputs_name(self->outputs, i), foreign.name);
    }
}

/* Our files of epochs above the head, in a table's folder. */
struct ahead {
    int64_t files, newest; /* newest epoch */
    const char *first;     /* one of them, in the list */
};

static void ahead_find(const struct store_list *list, const char *query_id, int64_t head, struct ahead *out)
{
    *out = (struct ahead){.newest = head};
    for (int32_t i = 0; i < list->count; i++) {
        const char *path = list->entries[i].path;
        struct sink_part_name name;
        if (!sink_part_parse(path, &name) || name.staged || strncmp(name.query8, query_id, 8) != 0 ||
            name.epoch <= head)
            continue;
        if (out->files++ == 0)
            out->first = path;
        out->newest = name.epoch > out->newest ? name.epoch : out->newest;
    }
}

/* A folder that cannot be listed is for the sink to complain of. */
static enum code table_ahead_check(const struct engine *self, int32_t output, int64_t head, struct error *err)
{
    struct store *store = NULL;
    struct store_list list = {0};
    struct error ignored = {0};
    struct ahead ahead = {0};
    enum code code = E_OK;
    if (store_look(outputs_path(self->outputs, output), &store, &ignored) == E_OK &&
        store_list(store, "", true, &list, &ignored) == E_OK)
        ahead_find(&list, chain_query_id(self->chain), head, &ahead);
    if (ahead.files > 0)
        code = chain_overtaken(self->chain, err); // then they are of who has overtaken us
    if (ahead.files > 0 && code == E_OK)
        code = fail(
            err, E_LOST,
            "the checkpoint %s is older than its tables (restored from a backup?): it ends with epoch %" PRId64
            ", and table %s has %" PRId64 " file%s of epochs up to %" PRId64
            " (%s). What they were read from would be read "
            "again, and be in the table twice. Restore the newer checkpoint; or remove the files of epochs above %" PRId64
            " from all tables: `leat audit` lists them",
            store_root(self->store), head, outputs_name(self->outputs, output), ahead.files,
            ahead.files == 1 ? "" : "s", ahead.newest, ahead.first, head);
    store_list_free(&list);
    store_close(store);
    return code;
}

/* A file gets its name after its epoch's record is in the chain: one above the head says that the chain has been longer. */
static enum code tables_ahead_check(const struct engine *self, int64_t head, struct error *err)
{
    for (int32_t i = 0; i < outputs_count(self->outputs); i++)
        if (outputs_path(self->outputs, i) != NULL)
            TRY(table_ahead_check(self, i, head, err));
    return E_OK;
}

/* What the project no longer takes up is lost only when the user says so. */
static enum code change_check(struct engine *self, const struct chain_record *head, struct error *err)
{
    struct arena arena = {0};
    struct change change;
    enum code code = E_OK;
    change_find(&arena, self->pipeline, head, &change);
    const char *first = "";
    for (int32_t i = change.count - 1; i >= 0; i--)
        if (change_loses(change.items[i].fate))
            first = change.items[i].name;
    if (change.lost > 0 && !self->options->accept)
        code = fail(
            err, E_CHANGED,
            "the checkpoint %s belongs to pipeline %s as it was then: of what it remembers pipeline %s "
            "as it is now would lose %d thing%s (%s%s). `leat plan` lists them. Undo the change; or lose them with "
            "`leat run --accept`; or start over with leat.checkpoint and leat.tables.path both set to new folders",
            store_root(self->store), chain_pipeline(self->chain), self->pipeline->name, change.lost,
            change.lost == 1 ? "" : "s", first, change.lost > 1 ? ", .." : "");
    self->accepted = code == E_OK && change.lost > 0; // once a record shows it, nobody is asked again
    for (int32_t i = 0; code == E_OK && i < change.count; i++)
        if (change_loses(change.items[i].fate))
            log_warn("lost, as accepted: %s: %s", change.items[i].name, change.items[i].detail);
    arena_free(&arena);
    return code;
}

/* What the head names, on the disk and in memory. When some of it is missing, another process may have gone on with the chain and
 * tidied up: that says more. */
static enum code head_restore(struct engine *self, const struct chain_record *head, struct error *err)
{
    enum code code = roll_forward(self, head, err);
    if (code == E_OK)
        code = states_restore(self, err);
    struct error overtaken = {0};
    if (code != E_OK && chain_overtaken(self->chain, &overtaken) == E_FENCED)
        *err = overtaken;
    return code == E_OK ? E_OK : err->code;
}

static enum code folders_check(const struct engine *self, struct error *err)
{
    return tables_check(self->pipeline, self->chain, store_root(self->store), self->settings.tables_path, err);
}

static enum code start_anew(const struct engine *self, struct error *err)
{
    foreign_files_warn(self);
    return folders_check(self, err);
}

static enum code head_resume(struct engine *self, struct error *err)
{
    struct chain_record head = {0};
    TRY(chain_read(self->chain, chain_head(self->chain), &self->arena, &head, err));
    TRY(tables_ahead_check(self, head.epoch, err));
    TRY(folders_check(self, err));
    TRY(change_check(self, &head, err));
    TRY(head_restore(self, &head, err));
    new_tables_warn(self, &head);
    self->epoch = head.epoch + 1;
    self->batch_time_us = head.batch_time_us;
    self->relations.views = head.views;
    change_watermarks(self->pipeline, &head, &self->watermarks);
    watermarks_step(&self->watermarks);
    positions_resume(self, &head);
    replay_resume(&self->replay, &head);
    return E_OK;
}

static int32_t worker_count(const struct run_settings *settings)
{
    int64_t count = settings->threads > 0 ? settings->threads : sysconf(_SC_NPROCESSORS_ONLN);
    return (int32_t)(count < 1 ? 1 : count > WORKERS_MAX ? WORKERS_MAX : count);
}

/* Where state goes that does not fit into memory: beside the checkpoint, or on this machine when that lies elsewhere. There the
 * folder is one query's, and one process's. */
static enum code spill_folder(struct engine *self, const char **out, struct error *err)
{
    if (self->settings.spill_path == NULL && store_is_local(self->store)) {
        *out = arena_printf(&self->arena, "%s/spill", store_root(self->store));
        return E_OK;
    }
    const char *temporary = os_env("TMPDIR"), *path = self->settings.spill_path;
    if (path == NULL)
        path = temporary != NULL && temporary[0] == '/' ? temporary : "/var/tmp";
    path = arena_printf(&self->arena, "%s/leat-%s", path, chain_query_id(self->chain));
    TRY(store_open(path, &self->spill_store, err));
    enum code code = store_lock(self->spill_store, "lock", err);
    if (code != E_OK)
        return error_note(err, "another leat on this machine works on this checkpoint");
    *out = arena_printf(&self->arena, "%s/spill", path);
    return E_OK;
}

static enum code states_open(struct engine *self, struct error *err)
{
    int32_t count = graph_stateful_count(self->graph);
    self->stages = arena_array(&self->arena, struct stateful *, (size_t)count);
    self->stage_nodes = arena_array(&self->arena, int32_t, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        self->stages[i] = graph_stateful(self->graph, i);
        self->stage_nodes[i] = graph_stateful_plan(self->graph, i)->id;
    }
    struct spill_spec spill = {
        .stages = self->stages,
        .stage_count = count,
        .budget = &self->budget,
    };
    if (count > 0) {
        TRY(spill_folder(self, &spill.folder, err));
        TRY(spill_open(&spill, &self->spill, err));
    }
    const struct state_log_spec log = {
        .store = self->store,
        .spill = self->spill,
        .stages = self->stages,
        .nodes = self->stage_nodes,
        .stage_count = count,
        .snapshot_epochs = self->settings.snapshot_epochs,
    };
    self->state_log = state_log_new(&log);
    return E_OK;
}

static bool without_files(const struct pipeline *pipeline)
{
    for (int32_t i = 0; i < pipeline->table_count; i++)
        if (!sink_find(pipeline->tables[i]->format)->folderless)
            return false;
    return true;
}

static enum code stages_open(struct engine *self, struct error *err)
{
    int32_t workers = worker_count(&self->settings);
    const struct outputs_spec outputs = {
        .pipeline = self->pipeline,
        .tables_path = self->settings.tables_path,
        .query_id = chain_query_id(self->chain),
        .zone = self->options->session->zone,
        .budget = &self->budget,
        .lanes = workers,
        .preview = self->settings.preview,
        .fail_on_error = self->settings.on_error == ON_ERROR_FAIL,
        .quarantine_as_lines = self->settings.quarantine_format == QUARANTINE_JSON,
        .quarantine_value_max = self->settings.quarantine_value_max,
        .transaction = epoch_transaction_sender(&self->transaction),
        .task = TASK,
        .timeout_us = trouble_wait_us(self->progress),
    };
    TRY(outputs_open(&outputs, &self->outputs, err));
    self->prompt = without_files(self->pipeline);
    for (int32_t i = 0; i < outputs_count(self->outputs); i++)
        if (outputs_path(self->outputs, i) != NULL)
            disks_add(&self->progress->disks, &self->progress->arena, outputs_path(self->outputs, i));
    const struct graph_spec graph = {
        .pipeline = self->pipeline,
        .session = self->options->session,
        .outputs = self->outputs,
        .budget = &self->budget,
        .tables_path = self->settings.tables_path,
        .lanes = workers,
        .shards = STATE_SHARDS,
        .fail_on_error = self->settings.on_error == ON_ERROR_FAIL,
        .max_future_us = self->settings.max_future_us,
        .spill_path = self->settings.spill_path,
    };
    TRY(graph_open(&graph, &self->graph, err));
    TRY(states_open(self, err));
    uint32_t queue_jobs = (uint32_t)workers * 2;
    self->workers =
        self->options->inline_workers ? workers_inline(workers, queue_jobs) : workers_start(workers, queue_jobs);
    merging_init(&self->merging, self->outputs, self->workers);
    return E_OK;
}

/* A source waits for an answer: meanwhile the user is told. */
static bool waits_for_source(void *context)
{
    report_status(context, false);
    return runtime_stopping();
}

static enum code feeds_open(struct engine *self, struct error *err)
{
    const struct pipeline *pipeline = self->pipeline;
    self->feeds = mem_array(struct feed, (size_t)pipeline->node_count);
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        const struct plan *node = pipeline->nodes[i];
        if (node->kind != PLAN_SOURCE || !node->streaming)
            continue;
        const struct feed_spec spec = {
            .pipeline = pipeline,
            .node = node,
            .settings = &self->settings,
            .query_id = chain_query_id(self->chain),
            .budget = &self->budget,
            .store = self->store,
            .stopping = waits_for_source,
            .context = self,
        };
        TRY(feed_open(&self->feeds[self->feed_count++], &spec, err));
    }
    TRY(relations_open(&self->relations, pipeline, &self->settings, &self->budget, err));
    self->relations.once = self->options->once || self->settings.trigger_kind == TRIGGER_ONCE;
    return E_OK;
}

/* From here on no older process of this query can commit; then the chain is brought up to what the broker has. */
static enum code transaction_open(struct engine *self, struct error *err)
{
    const struct epoch_transaction_spec spec = {
        .pipeline = self->pipeline,
        .query_id = chain_query_id(self->chain),
        .task = TASK,
        .timeout_us = trouble_wait_us(self->progress),
        .budget = &self->budget,
    };
    self->progress->asked_us = os->clock_mono_us();
    TRY(epoch_transaction_open(&self->transaction, &spec, err));
    TRY(epoch_transaction_settle(&self->transaction, self->chain, self->options->accept, err));
    self->progress->asked_us = 0;
    return E_OK;
}

static enum code engine_start(struct engine *self, struct error *err)
{
    TRY(settings_read(&self->arena, self->pipeline, &self->settings, err));
    self->budget.limit_bytes = (size_t)self->settings.memory_bytes;
    TRY(store_open(self->settings.checkpoint, &self->store, err));
    if (self->progress->checkpoint == NULL)
        self->progress->checkpoint = arena_strdup(&self->progress->arena, store_root(self->store));
    disks_add(&self->progress->disks, &self->progress->arena, self->progress->checkpoint);
    TRY(chain_open(self->store, TASK, self->pipeline->name, &self->chain, err));
    TRY(transaction_open(self, err));
    TRY(stages_open(self, err));
    TRY(feeds_open(self, err));
    self->replay = (struct replay){
        .pipeline = self->pipeline,
        .store = self->store,
        .graph = self->graph,
        .outputs = self->outputs,
        .feeds = self->feeds,
        .feed_count = self->feed_count,
        .budget = &self->budget,
    };
    if (chain_head(self->chain) >= 0)
        TRY(head_resume(self, err));
    else
        TRY(start_anew(self, err));
    TRY(outputs_collect(self->outputs, err));
    TRY(engine_discover(self, err));
    self->discovered = true;
    return E_OK;
}

enum code engine_open(struct engine *self, const struct pipeline *pipeline, const struct run_options *options,
                      struct progress *progress, struct error *err)
{
    *self = (struct engine){
        .pipeline = pipeline,
        .options = options,
        .progress = progress,
        .times = mem_array(struct epoch_time, (size_t)pipeline->node_count),
        .counts = mem_array(struct operator_counts, (size_t)pipeline->node_count),
    };
    watermarks_init(&self->watermarks, pipeline);
    cpu_meter_start(&self->meter, CPU_FETCH);
    report_phase(self, "recovering");
    enum code code = engine_start(self, err);
    if (code != E_OK)
        engine_close(self);
    return code;
}

void engine_close(struct engine *self)
{
    for (int32_t i = 0; i < self->feed_count; i++)
        feed_close(&self->feeds[i]);
    mem_free(self->feeds);
    relations_close(&self->relations);
    workers_stop(self->workers);
    merging_close(&self->merging);
    if (self->graph != NULL)
        self->progress->cpu_before = engine_cpu(self);
    state_log_free(self->state_log);
    spill_close(self->spill);
    drift_close(&self->drift, self->store);
    graph_close(self->graph);
    outputs_close(self->outputs);
    epoch_transaction_close(&self->transaction);
    chain_close(self->chain);
    store_close(self->spill_store);
    store_close(self->store);
    watermarks_close(&self->watermarks);
    mem_free(self->times);
    mem_free(self->counts);
    arena_free(&self->scratch);
    arena_free(&self->arena);
    *self = (struct engine){0};
}
