/* graph_still.c - compute what stands still, with the engine of queries (query/).
 *
 *   sources, tables --> one query, whose results are   what a stream looks up     (hashed)
 *                                                      a materialized view's rows (written in the place of the old ones)
 *
 * Shared   what several of them need is computed once: a view over another has the rows that the other one gets
 * Views    one that fails for its data, its query or its memory keeps its rows, and so do the views that need it; streams
 *          go on, as the flows of Spark's pipelines do. A stream that looks up such rows cannot go on. One whose memory did not
 *          suffice waits before it is tried again (view_wait.h)
 * Memory   rows are charged to the budget while they are collected; a lookup's table charges itself
 * Thread   lane 0, all lanes quiet
 */
#include "base/log.h"
#include "base/os.h"
#include "query/query.h"
#include "runtime/feed.h"
#include "runtime/graph_parts.h"

/* ---- what is computed ---- */

/* Who asks for the rows of a node. */
struct still_use {
    struct lookup_stage *lookup; /* NULL: a view's flow */
    int32_t table;
    struct plan *plan;
};
struct still_uses {
    struct still_use *items; /* lookups first, then views in the order of the project */
    int32_t count, capacity;
};

static void use_add(struct still_uses *uses, struct lookup_stage *lookup, int32_t table, struct plan *plan)
{
    mem_grow(uses->items, uses->capacity, uses->count + 1);
    uses->items[uses->count++] = (struct still_use){lookup, table, plan};
}

static void uses_find(const struct graph *graph, bool write_views, struct still_uses *uses)
{
    const struct pipeline *pipeline = graph->spec.pipeline;
    for (int32_t i = 0; i < graph->node_count; i++) {
        struct lookup_stage *lookup = graph->nodes[i].lookup;
        if (lookup != NULL)
            use_add(uses, lookup, -1, plan_input(graph->nodes[i].plan, lookup->still));
    }
    for (int32_t t = 0; write_views && t < pipeline->table_count; t++)
        for (int32_t f = 0; pipeline->tables[t]->materialized && f < pipeline->tables[t]->flow_count; f++)
            use_add(uses, NULL, t, pipeline->tables[t]->flows[f]);
}

bool graph_has_still(const struct graph *graph)
{
    for (int32_t i = 0; i < graph->node_count; i++)
        if (!graph->nodes[i].plan->streaming)
            return true;
    return false;
}

/* ---- rows that streams look up ---- */

static enum code rows_keep(struct graph *graph, struct still_rows *rows, const struct batch *in, struct error *err)
{
    size_t size = batch_bytes(in);
    TRY(budget_take(graph->spec.budget, size, "a relation that stands still", err));
    rows->charged_bytes += size;
    mem_grow(rows->batches, rows->capacity, rows->count + 1);
    batch_share(&rows->batches[rows->count++], in);
    return E_OK;
}

static void rows_forget(struct graph *graph, struct still_rows *rows)
{
    for (int32_t i = 0; i < rows->count; i++)
        batch_release(&rows->batches[i]);
    mem_free(rows->batches);
    budget_give(graph->spec.budget, rows->charged_bytes);
    *rows = (struct still_rows){0};
}

void still_close(struct graph *graph)
{
    for (int32_t i = 0; i < graph->node_count; i++) {
        struct lookup_stage *lookup = graph->nodes[i].lookup;
        if (lookup == NULL)
            continue;
        rows_forget(graph, &lookup->rows);
        if (lookup->table != NULL)
            lookup_table_free(lookup->table);
        lookup->table = NULL;
    }
}

static enum code lookup_finish(struct graph *graph, struct lookup_stage *lookup, struct error *err)
{
    TRY(lookup_table_new(&lookup->spec, &graph->session, lookup->rows.batches, lookup->rows.count, graph->spec.budget,
                         &lookup->table, err));
    rows_forget(graph, &lookup->rows);
    return E_OK;
}

/* ---- computing ---- */

struct still {
    struct graph *graph;
    struct still_views *views;
    struct still_uses uses;
    struct query *query;
    struct query_spill spill; /* the query's disk */
    struct arena arena;
    bool *failed; /* per table: it keeps its rows */
};

static bool is_stopping(__attribute__((unused)) void *context) { return runtime_stopping(); }

static const char *path_of_table(void *context, const char *name)
{
    struct still *self = context;
    const struct graph_spec *spec = &self->graph->spec;
    return table_folder(spec->pipeline, spec->tables_path, name, &self->arena);
}

/* The query numbers its nodes, so it has nodes of its own. */
static struct plan *together(struct still *self)
{
    struct plan *all = arena_new(&self->arena, struct plan);
    *all = (struct plan){.kind = PLAN_UNION, .schema = self->uses.items[0].plan->schema, .group = -1};
    all->more_inputs = arena_array(&self->arena, struct plan *, (size_t)self->uses.count);
    all->input_count = self->uses.count;
    for (int32_t i = 0; i < self->uses.count; i++)
        all->more_inputs[i] = self->uses.items[i].plan;
    return plan_copy(&self->arena, all);
}

static enum code batch_give(struct still *self, const struct still_use *use, struct batch *batch, struct error *err)
{
    struct graph *graph = self->graph;
    batch_retype(batch, use->plan->schema);
    if (use->lookup != NULL)
        return rows_keep(graph, &use->lookup->rows, batch, err);
    return table_take(graph, &graph->lanes[0], &graph->nodes[use->plan->id], use->table, batch, err);
}

/* *own: what failed is the query itself, at `at`; else it is a disk, or somebody who takes the rows. */
static enum code rows_give(struct still *self, int32_t use, struct position *at, bool *own, struct error *err)
{
    for (;;) {
        struct batch batch = {0};
        *own = true;
        TRY(query_next_of(self->query, use, &batch, at, err));
        if (batch.rows == 0) {
            batch_release(&batch);
            return E_OK;
        }
        *own = false;
        enum code code = batch_give(self, &self->uses.items[use], &batch, err);
        batch_release(&batch);
        TRY(code);
    }
}

static bool is_of_query(enum code code)
{
    return code == E_DATA || code == E_SQL || code == E_UNSUPPORTED || code == E_MEMORY;
}

static enum code error_place(const struct still_use *use, struct position at, struct error *err)
{
    if (at.line == 0)
        at = use->plan->at;
    return error_note(err, "%s:%d:%d", at.file != NULL ? at.file : "", at.line, at.column);
}

/* Once: until it could be computed. */
static void view_starved(struct view_wait *wait, const char *name, const struct error *why)
{
    view_wait_failed(wait, os->clock_mono_us());
    if (wait->failures == 1)
        log_warn("materialized view %s keeps its rows: %s. It is tried again in a minute, and less and less often",
                 name, why->text);
}

static enum code view_fail(struct still *self, int32_t table, const struct error *why, struct error *err)
{
    const char *name = self->graph->spec.pipeline->tables[table]->name;
    outputs_keep(self->graph->spec.outputs, table);
    self->failed[table] = true;
    self->views->failed++;
    if (self->graph->spec.fail_on_error) {
        *err = *why;
        return error_note(err, "materialized view %s", name);
    }
    if (why->code == E_MEMORY && self->views->waits != NULL)
        view_starved(&self->views->waits[table], name, why);
    else
        log_warn("materialized view %s keeps its rows: %s", name, why->text);
    if (self->views->failed == 1) {
        self->views->failure = *why;
        error_note(&self->views->failure, "materialized view %s keeps its rows", name);
    }
    return E_OK;
}

static enum code use_compute(struct still *self, int32_t i, struct error *err)
{
    const struct still_use *use = &self->uses.items[i];
    bool is_view = use->lookup == NULL, first = i == 0 || self->uses.items[i - 1].table != use->table, own = false;
    struct position at = {0};
    struct error why = {0};
    if (is_view && self->failed[use->table])
        return E_OK;
    if (is_view && first)
        outputs_replace(self->graph->spec.outputs, use->table);
    enum code code = rows_give(self, i, &at, &own, &why);
    if (code == E_OK)
        return is_view ? E_OK : lookup_finish(self->graph, use->lookup, err);
    if (own && is_of_query(code)) {
        error_place(use, at, &why);
        if (is_view)
            return view_fail(self, use->table, &why, err);
    }
    *err = why;
    return code;
}

static enum code uses_compute(struct still *self, struct error *err)
{
    struct graph *graph = self->graph;
    struct plan *all = together(self);
    const struct query_project project = {path_of_table, self};
    const struct query_spec spec = {.plan = all,
                                    .session = &graph->session,
                                    .budget = graph->spec.budget,
                                    .spill = &self->spill,
                                    .project = &project,
                                    .stopped = is_stopping};
    TRY(query_open(&spec, &self->query, err));
    for (int32_t i = 0; i < self->uses.count; i++)
        TRY(use_compute(self, i, err));
    return E_OK;
}

/* They keep their rows, as if they had failed. */
static void leave_out(struct still *self)
{
    struct view_wait *waits = self->views->waits;
    int32_t tables = self->views->write && waits != NULL ? self->graph->spec.pipeline->table_count : 0;
    int64_t now_us = os->clock_mono_us();
    for (int32_t t = 0; t < tables; t++)
        if (view_waits(&waits[t], now_us)) {
            waits[t].missed = self->failed[t] = true;
            self->views->left_out++;
        }
}

static void count_written(struct still *self)
{
    const struct pipeline *pipeline = self->graph->spec.pipeline;
    struct view_wait *waits = self->views->waits;
    for (int32_t t = 0; self->views->write && t < pipeline->table_count; t++) {
        bool written = pipeline->tables[t]->materialized && !self->failed[t];
        self->views->written += written;
        if (written && waits != NULL && waits[t].failures > 0) {
            log_info("materialized view %s could be computed again", pipeline->tables[t]->name);
            waits[t] = (struct view_wait){0};
        }
    }
}

enum code graph_still_compute(struct graph *graph, struct still_views *views, struct error *err)
{
    struct cpu_meter *meter = &graph->lanes[0].meter;
    struct still self = {.graph = graph, .views = views, .spill = {.folder = graph->spec.spill_path}};
    enum code code = E_OK;
    still_close(graph);
    self.failed = arena_array(&self.arena, bool, (size_t)graph->spec.pipeline->table_count + 1);
    leave_out(&self);
    uses_find(graph, views->write, &self.uses);
    cpu_meter_start(meter, CPU_AGGREGATE);
    if (self.uses.count > 0)
        code = uses_compute(&self, err);
    cpu_meter_stop(meter);
    if (code == E_OK)
        count_written(&self);
    query_close(self.query);
    mem_free(self.uses.items);
    arena_free(&self.arena);
    return code;
}
