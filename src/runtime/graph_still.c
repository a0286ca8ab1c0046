/* graph_still.c - compute the relations that stand still: what lookups search.
 *
 *   sources --> stateless stages, pushed depth first --> aggregates, lookups of still rows, streams' lookups (collect),
 *                                                        materialized views (written anew)
 *
 * Order    nodes in topological order: when it is a stage's turn all its input is there, so it is completed (an
 *          aggregate closes every group, a lookup hashes its rows) and what it gives is pushed on
 * Memory   rows are charged to the budget while they are collected; a lookup's table charges itself
 * Thread   lane 0's instances, all lanes quiet
 */
#include "runtime/graph_parts.h"

enum code still_keep(struct graph *graph, struct still_rows *rows, const struct batch *in, struct error *err)
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

static void stage_drop(struct node *node)
{
    if (node->stage != NULL && !node->plan->streaming) {
        node->stage->type->free(node->stage);
        node->stage = NULL;
    }
}

void still_close(struct graph *graph)
{
    for (int32_t i = 0; i < graph->node_count; i++) {
        struct lookup_stage *lookup = graph->nodes[i].lookup;
        stage_drop(&graph->nodes[i]);
        for (int port = 0; lookup != NULL && port < 2; port++)
            rows_forget(graph, &lookup->rows[port]);
        if (lookup != NULL && lookup->table != NULL)
            lookup_table_free(lookup->table);
        if (lookup != NULL)
            lookup->table = NULL;
    }
}

bool graph_has_still(const struct graph *graph)
{
    for (int32_t i = 0; i < graph->node_count; i++)
        if (!graph->nodes[i].plan->streaming)
            return true;
    return false;
}

enum code graph_still_begin(struct graph *graph, bool write_views, struct error *err)
{
    const struct pipeline *pipeline = graph->spec.pipeline;
    still_close(graph);
    arena_reset(&graph->still_arena);
    graph->views_stand = !write_views;
    for (int32_t t = 0; write_views && t < pipeline->table_count; t++)
        if (pipeline->tables[t]->materialized)
            outputs_replace(graph->spec.outputs, t);
    for (int32_t i = 0; i < graph->node_count; i++)
        if (!graph->nodes[i].plan->streaming && plan_merges(graph->nodes[i].plan))
            TRY(stage_new(graph, &graph->still_arena, graph->nodes[i].plan, &graph->nodes[i].stage, err));
    return E_OK;
}

/* ---- a node whose input is complete ---- */

/* GROUP BY of nothing over no rows: one row all the same. */
static enum code aggregate_nothing(struct graph *graph, const struct node *node, struct error *err)
{
    const struct plan_aggregate *a = &node->plan->aggregate;
    struct batch row;
    batch_init(&row, node->plan->schema, 1);
    for (int32_t c = 0; c < a->call_count; c++) {
        const struct aggregate_call *call = a->calls[c];
        void *state = mem_zero(call->state_size + 1);
        size_t heap_bytes = 0;
        struct builder result;
        builder_init(&result, call->type);
        aggregate_init(call, state);
        always(aggregate_finish(call, state, &result));
        builder_finish(&result, &row.columns[c]);
        builder_release(&result);
        aggregate_drop(call, state, &heap_bytes);
        mem_free(state);
    }
    enum code code = node_deliver(graph, &graph->lanes[0], node, &row, err);
    batch_release(&row);
    return code;
}

static enum code merge_finish(struct graph *graph, struct node *node, struct error *err)
{
    struct lane *lane = &graph->lanes[0];
    struct stateful *stage = node->stage;
    struct emit_context context = {graph, lane, node};
    const struct emit emit = node_emit(&context);
    struct operator_counts *counts = &lane->instances[node->plan->id].counts;
    for (int32_t shard = 0; shard < graph->spec.shards; shard++)
        TRY(stage->type->shard_merge(stage, shard, &graph->times[node->plan->id], &emit, counts, err));
    if (node->plan->kind == PLAN_AGGREGATE && node->plan->aggregate.key_count == 0 && counts->out == 0)
        TRY(aggregate_nothing(graph, node, err));
    stage_drop(node);
    return E_OK;
}

static enum code lookup_finish(struct graph *graph, struct node *node, struct error *err)
{
    struct lookup_stage *lookup = node->lookup;
    struct still_rows *still = &lookup->rows[lookup->still], *seeking = &lookup->rows[1 - lookup->still];
    TRY(lookup_table_new(&lookup->spec, &graph->session, still->batches, still->count, graph->spec.budget,
                         &lookup->table, err));
    rows_forget(graph, still);
    if (node->plan->streaming)
        return E_OK;
    for (int32_t i = 0; i < seeking->count; i++)
        TRY(push_lookup(graph, &graph->lanes[0], node, &seeking->batches[i], err));
    rows_forget(graph, seeking);
    lookup_table_free(lookup->table);
    lookup->table = NULL;
    return E_OK;
}

static enum code node_finish(struct graph *graph, struct node *node, struct error *err)
{
    if (node->lookup != NULL)
        return lookup_finish(graph, node, err);
    if (node->plan->streaming)
        return E_OK;
    if (plan_merges(node->plan))
        return merge_finish(graph, node, err);
    return node->plan->kind == PLAN_VALUES ? push_values(graph, &graph->lanes[0], node, err) : E_OK;
}

enum code graph_still_finish(struct graph *graph, struct error *err)
{
    struct cpu_meter *meter = &graph->lanes[0].meter;
    enum code code = E_OK;
    cpu_meter_start(meter, CPU_AGGREGATE);
    for (int32_t i = 0; code == E_OK && i < graph->node_count; i++)
        code = node_finish(graph, &graph->nodes[i], err);
    cpu_meter_stop(meter);
    return code;
}
