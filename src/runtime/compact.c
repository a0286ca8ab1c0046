/* compact.c - `leat compact`: small files of a project's tables become large ones, while nothing runs.
 *
 *   lock the checkpoint -> open the sinks of files -> commit the head's tokens, as a start does -> merge all that is small
 *
 * So the same lock keeps a leat and this apart that keeps two leats apart. A dry run only looks.
 */
#include <string.h>

#include "base/log.h"
#include "runtime/chain.h"
#include "runtime/few_files.h"
#include "runtime/outputs.h"

struct compact {
    const struct compact_request *request;
    struct run_settings settings;
    struct arena *arena;
    struct store *store; /* of the checkpoint */
    struct chain *chain;
    struct chain_record head;
    struct budget budget;
    struct outputs *outputs;
};

static const struct chain_sink *sink_named(const struct compact *self, const char *name)
{
    for (int32_t i = 0; i < self->head.sink_count; i++)
        if (strcmp(self->head.sinks[i].name, name) == 0)
            return &self->head.sinks[i];
    return NULL;
}

static struct compact_table *table_add(struct compact_report *report, const char *name, const char *path)
{
    struct compact_table *table = &report->tables[report->count++];
    *table = (struct compact_table){.name = name, .path = path};
    return table;
}

static void merged_add(struct compact_table *table, const struct sink_merged *merged)
{
    table->inputs += merged->inputs;
    table->files += merged->files;
    table->bytes_before += merged->bytes_before;
    table->bytes += merged->bytes;
}

/* ---- for real ---- */

static enum code output_merge(struct compact *self, int32_t i, struct compact_table *table, struct error *err)
{
    const struct sink_merge request = {.all = true, .oldest_epoch = chain_oldest(self->chain)};
    struct sink_merged merged;
    for (bool more = true; more;) {
        while (more && !runtime_stopping())
            TRY(outputs_merge_work(self->outputs, i, &request, &more, err));
        if (runtime_stopping())
            return fail(err, E_STOPPED, "asked to stop; what is merged stays merged");
        TRY(outputs_merge_commit(self->outputs, i, &merged, err));
        merged_add(table, &merged);
        more = merged.inputs > 0;
        if (more && self->request->progress != NULL)
            self->request->progress(table);
    }
    return E_OK;
}

static enum code outputs_merge(struct compact *self, struct compact_report *report, struct error *err)
{
    for (int32_t i = 0; i < outputs_count(self->outputs); i++) {
        const char *name = outputs_name(self->outputs, i), *path = outputs_path(self->outputs, i);
        const struct chain_sink *sink = sink_named(self, name);
        if (path == NULL || sink == NULL || (self->request->table != NULL && strcmp(self->request->table, name) != 0))
            continue;
        struct compact_table *table =
            table_add(report, arena_strdup(self->arena, name), arena_strdup(self->arena, path));
        TRY(outputs_commit_one(self->outputs, i, self->head.epoch, bytes_of_string(sink->token), err));
        if (output_merge(self, i, table, err) != E_OK)
            return error_note(err, "table %s", name);
    }
    return E_OK;
}

static enum code merge_all(struct compact *self, const struct pipeline *pipeline, struct compact_report *report,
                           struct error *err)
{
    const struct outputs_spec spec = {
        .pipeline = pipeline,
        .tables_path = self->settings.tables_path,
        .query_id = chain_query_id(self->chain),
        .zone = pipeline->session.zone,
        .budget = &self->budget,
        .lanes = 1,
        .quarantine_as_lines = self->settings.quarantine_format == QUARANTINE_JSON,
        .quarantine_value_max = self->settings.quarantine_value_max,
        .task = "0",
        .files_only = true,
    };
    self->budget.limit_bytes = (size_t)self->settings.memory_bytes;
    TRY(outputs_open(&spec, &self->outputs, err));
    report->tables = arena_array(self->arena, struct compact_table, (size_t)outputs_count(self->outputs));
    return outputs_merge(self, report, err);
}

/* ---- a dry run ---- */

static enum code tables_look(struct compact *self, const struct pipeline *pipeline, struct compact_report *report,
                             struct error *err)
{
    report->tables = arena_array(self->arena, struct compact_table, (size_t)pipeline->table_count);
    for (int32_t t = 0; t < pipeline->table_count; t++) {
        const struct pipeline_table *table = pipeline->tables[t];
        const struct chain_sink *sink = sink_named(self, table->name);
        const struct sink_type *type = sink_find(table->format);
        const char *path = table->path;
        if (type == NULL || type->merge_work == NULL || sink == NULL ||
            (self->request->table != NULL && strcmp(self->request->table, table->name) != 0))
            continue;
        if (path == NULL)
            path = arena_printf(self->arena, "%s/%s", self->settings.tables_path, table->name);
        struct sink_merged merged;
        TRY(sink_merge_look(table->format, path, chain_query_id(self->chain), table_target_bytes(pipeline, table),
                            bytes_of_string(sink->token), &merged, err));
        merged_add(table_add(report, table->name, path), &merged);
    }
    return E_OK;
}

/* ---- the whole ---- */

static enum code run(struct compact *self, const struct pipeline *pipeline, struct compact_report *report,
                     struct error *err)
{
    bool dry = self->request->dry_run;
    TRY(settings_read(self->arena, pipeline, &self->settings, err));
    TRY(store_look(self->settings.checkpoint, &self->store, err));
    TRY(dry ? chain_look(self->store, "0", &self->chain, err)
            : chain_open(self->store, "0", pipeline->name, &self->chain, err));
    if (chain_head(self->chain) < 0)
        return E_OK;
    TRY(chain_read(self->chain, chain_head(self->chain), self->arena, &self->head, err));
    return dry ? tables_look(self, pipeline, report, err) : merge_all(self, pipeline, report, err);
}

static bool has_table(const struct pipeline *pipeline, const char *name)
{
    for (int32_t i = 0; i < pipeline->table_count; i++)
        if (strcmp(pipeline->tables[i]->name, name) == 0)
            return true;
    return false;
}

enum code pipeline_compact(const struct pipeline *pipeline, const struct compact_request *request, struct arena *arena,
                           struct compact_report *out, struct error *err)
{
    struct compact self = {.request = request, .arena = arena};
    *out = (struct compact_report){0};
    if (request->table != NULL && !has_table(pipeline, request->table))
        return fail(err, E_USAGE, "the pipeline has no table %s", request->table);
    enum code code = run(&self, pipeline, out, err);
    outputs_close(self.outputs);
    chain_close(self.chain);
    store_close(self.store);
    return code == E_EXISTS ? error_note(err, "a leat at work merges by itself when leat.compact is set") : code;
}
