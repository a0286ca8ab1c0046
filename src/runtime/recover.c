/* recover.c - from whatever a crash left to a running engine, in the order that makes each step safe to repeat:
 *
 *   1  lock the checkpoint, read the head record              the chain is the only truth; a broker's group is a mirror
 *   2  commit the head's tokens again                         files already in place are skipped (sink.h)
 *   3  load state: newest whole state, then deltas to head    whatever was merged in memory is forgotten
 *   4  remove staged leftovers of epochs above the head       no record names them
 *   5  continue every partition at the head's next offset     assign and seek; what was prefetched is dropped
 *
 * A crash inside any step leaves something that the same steps mend.
 */
#include "base/hash.h"
#include "base/log.h"
#include "base/os.h"
#include "runtime/engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { STATE_FILE_MAX = 2000000000 }; /* bytes */

static enum code roll_forward(struct engine *self, const struct chain_record *head, struct error *err)
{
    for (int32_t i = 0; i < head->sink_count; i++) {
        int32_t output = outputs_find(self->outputs, head->sinks[i].name);
        if (output < 0) {
            log_warn("the last epoch wrote table %s, which the project no longer has; its staged files stay unpublished",
                     head->sinks[i].name);
            continue;
        }
        TRY(outputs_commit_one(self->outputs, output, head->epoch, bytes_of_string(head->sinks[i].token), err));
    }
    return E_OK;
}

/* Plan ids shift when a query changes, identities do not; an older record, or one of a plan without them, has ids only. */
static const struct chain_state *state_of(const struct chain_record *record, const struct plan *plan)
{
    for (int32_t i = 0; i < record->state_count; i++) {
        const struct chain_state *state = &record->states[i];
        bool named = state->identity != 0 && plan->identity != 0;
        if (named ? state->identity == plan->identity : state->node == plan->id)
            return state;
    }
    return NULL;
}

static enum code state_load(struct engine *self, int32_t stateful, const struct chain_state *stored, struct error *err)
{
    struct text bytes = {0};
    enum code code = store_get(self->store, stored->path, STATE_FILE_MAX, &bytes, err);
    if (code == E_OK && ((int64_t)bytes.size != stored->size_bytes || XXH64(bytes.data, bytes.size, 0) != stored->checksum))
        code = fail(err, E_CORRUPT, "state file %s/%s fails its checksum; restore it from a backup, or start over with a new "
                    "leat.checkpoint folder", store_root(self->store), stored->path);
    if (code == E_OK)
        code = graph_restore(self->graph, stateful, text_view(&bytes), err);
    text_free(&bytes);
    return code == E_OK ? E_OK : error_note(err, "state of %s", graph_stateful_name(self->graph, stateful));
}

/* The newest whole state at or below the head, then every delta after it. */
static enum code state_restore(struct engine *self, int32_t stateful, struct error *err)
{
    const struct plan *plan = graph_stateful_plan(self->graph, stateful);
    int64_t head = chain_head(self->chain), first = head;
    struct arena scratch = {0};
    enum code code = E_OK;
    for (;; first--) {
        struct chain_record record = {0};
        code = chain_read(self->chain, first, &scratch, &record, err);
        const struct chain_state *stored = code == E_OK ? state_of(&record, plan) : NULL;
        if (code != E_OK || first == 0 || (stored != NULL && stored->whole))
            break;
    }
    for (int64_t epoch = first; code == E_OK && epoch <= head; epoch++) {
        arena_reset(&scratch);
        struct chain_record record = {0};
        code = chain_read(self->chain, epoch, &scratch, &record, err);
        const struct chain_state *stored = code == E_OK ? state_of(&record, plan) : NULL;
        if (stored != NULL && stored->path[0] != '\0')
            code = state_load(self, stateful, stored, err);
    }
    arena_free(&scratch);
    if (code == E_OK && first > self->whole_epoch)
        self->whole_epoch = first;
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
            log_warn("table %s is new in this checkpoint: it starts with the next record. For the records before it, start "
                     "over with leat.checkpoint and leat.tables.path both set to new folders",
                     self->pipeline->tables[i]->name);
}

struct foreign {
    const char *query_id;              /* ours; its first 8 digits are in our files' names */
    char name[64];                     /* a file of another query, or "" */
};

static void foreign_look(void *context, const char *name, bool is_dir)
{
    struct foreign *foreign = context;
    if (!is_dir && strncmp(name, "part-", 5) == 0 && strncmp(name + 5, foreign->query_id, 8) != 0)
        snprintf(foreign->name, sizeof foreign->name, "%s", name);
}

/* A new checkpoint reads the topic again. Two queries may share a folder, but who only lost a checkpoint gets doubles. */
static void foreign_files_warn(const struct engine *self)
{
    for (int32_t i = 0; i < outputs_count(self->outputs); i++) {
        struct foreign foreign = {.query_id = chain_query_id(self->chain)};
        struct error ignored = {0};
        const char *path = outputs_path(self->outputs, i);
        if (path == NULL || os->list(path, foreign_look, &foreign, &ignored) != E_OK || foreign.name[0] == '\0')
            continue;
        log_warn("the checkpoint %s is new, but table %s already has files of another one (%s). Records that are read again "
                 "will be in the table twice: set leat.tables.path to a new folder, or delete the table's folder",
                 store_root(self->store), outputs_name(self->outputs, i), foreign.name);
    }
}

/* A record of version 1 has one W for all groups: it was the smallest of all watermarks, so no group is ahead of it. */
static void watermarks_resume(struct engine *self, const struct chain_record *head)
{
    struct watermarks *watermarks = &self->watermarks;
    for (int32_t g = 0; g < watermarks->group_count; g++) {
        int32_t from = head->version == 1 ? 0 : g;
        if (from < head->group_count)
            watermarks->groups[g] = head->groups[from];
    }
    for (int32_t i = 0; i < head->node_count && i < watermarks->node_count; i++)
        watermarks->node_us[i] = head->node_us[i];
    watermarks_step(watermarks);
}

static enum code head_resume(struct engine *self, struct error *err)
{
    struct chain_record head = {0};
    TRY(chain_read(self->chain, chain_head(self->chain), &self->arena, &head, err));
    TRY(roll_forward(self, &head, err));
    new_tables_warn(self, &head);
    for (int32_t i = 0; i < graph_stateful_count(self->graph); i++)
        TRY(state_restore(self, i, err));
    self->epoch = head.epoch + 1;
    self->batch_time_us = head.batch_time_us;
    watermarks_resume(self, &head);
    positions_resume(self, &head);
    return E_OK;
}

static int32_t worker_count(const struct run_settings *settings)
{
    int64_t count = settings->threads > 0 ? settings->threads : sysconf(_SC_NPROCESSORS_ONLN);
    return (int32_t)(count < 1 ? 1 : count > WORKERS_MAX ? WORKERS_MAX : count);
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
    };
    TRY(outputs_open(&outputs, &self->outputs, err));
    const struct graph_spec graph = {
        .pipeline = self->pipeline,
        .session = self->options->session,
        .outputs = self->outputs,
        .budget = &self->budget,
        .lanes = workers,
        .shards = workers,
        .fail_on_error = self->settings.on_error == ON_ERROR_FAIL,
        .max_future_us = self->settings.max_future_us,
    };
    TRY(graph_open(&graph, &self->graph, err));
    self->workers = workers_start(workers, (uint32_t)workers * 2);
    return E_OK;
}

static enum code feeds_open(struct engine *self, struct error *err)
{
    self->feeds = mem_array(struct feed, (size_t)self->pipeline->source_count);
    for (int32_t i = 0; i < self->pipeline->source_count; i++) {
        const struct feed_spec spec = {
            .pipeline = self->pipeline,
            .source = self->pipeline->sources[i],
            .settings = &self->settings,
            .query_id = chain_query_id(self->chain),
            .budget = &self->budget,
            .store = self->store,
        };
        self->feed_count = i + 1;
        TRY(feed_open(&self->feeds[i], &spec, err));
    }
    return E_OK;
}

static enum code engine_start(struct engine *self, struct error *err)
{
    TRY(settings_read(&self->arena, self->pipeline, &self->settings, err));
    self->budget.limit_bytes = (size_t)self->settings.memory_bytes;
    TRY(store_open(self->settings.checkpoint, &self->store, err));
    TRY(chain_open(self->store, "0", self->pipeline->fingerprint, self->pipeline->name, &self->chain, err));
    TRY(stages_open(self, err));
    TRY(feeds_open(self, err));
    if (chain_head(self->chain) >= 0)
        TRY(head_resume(self, err));
    else
        foreign_files_warn(self);
    TRY(outputs_collect(self->outputs, self->epoch, err));
    for (int32_t i = 0; i < self->feed_count; i++)
        TRY(feed_discover(&self->feeds[i], err));
    return E_OK;
}

enum code engine_open(struct engine *self, const struct pipeline *pipeline, const struct run_options *options,
                      struct progress *progress, struct error *err)
{
    *self = (struct engine){
        .pipeline = pipeline,
        .options = options,
        .progress = progress,
        .whole_epoch = -1,
        .whole_before = -1,
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
    workers_stop(self->workers);
    if (self->graph != NULL)
        self->progress->cpu_before = engine_cpu(self);
    graph_close(self->graph);
    outputs_close(self->outputs);
    chain_close(self->chain);
    store_close(self->store);
    watermarks_close(&self->watermarks);
    mem_free(self->times);
    mem_free(self->counts);
    arena_free(&self->scratch);
    arena_free(&self->arena);
    *self = (struct engine){0};
}
