/* graph_build.c - open a stage instance for every node and lane, connect them, and close all of it. */
#include "lower/lower.h"
#include "runtime/change.h"
#include "runtime/graph_parts.h"
#include "runtime/ledger.h"

/* ---- who feeds whom ---- */

static void node_connect(struct node *node, bool to_table, int32_t target, int32_t port)
{
    mem_grow(node->edges, node->edge_capacity, node->edge_count + 1);
    node->edges[node->edge_count++] = (struct edge){to_table, target, port};
}

/* What stands above `table`: stages with state get names, and tell their late rows
 * to those that keep them. */
static void table_name_stages(struct graph *graph, int32_t t, int64_t *paths)
{
    const struct pipeline_table *table = graph->spec.pipeline->tables[t];
    ledger_paths(graph->spec.pipeline, table, paths);
    for (int32_t i = 0; i < graph->node_count; i++) {
        struct node *node = &graph->nodes[i];
        if (paths[i] == 0 || !plan_is_stateful(node->plan))
            continue;
        if (node->name == NULL) {
            node->name = stateful_name(&graph->arena, graph->spec.pipeline, node->plan);
            node->what = stateful_what(&graph->arena, node->plan);
        }
        if (!table_keeps_late(table))
            continue;
        mem_grow(node->late_tables, node->late_capacity, node->late_count + 1);
        node->late_tables[node->late_count++] = t;
    }
}

/* The sources above a node, as flags; more is only added. */
static void sources_above(const struct plan *plan, bool *seen, bool *sources)
{
    if (seen[plan->id])
        return;
    seen[plan->id] = true;
    sources[plan->id] |= plan->kind == PLAN_SOURCE;
    for (int32_t j = 0; j < plan->input_count; j++)
        sources_above(plan_input(plan, j), seen, sources);
}

static bool meets_itself(const struct graph *graph, const struct plan *plan)
{
    size_t count = (size_t)graph->node_count;
    bool *seen = mem_array(bool, 3 * count), *before = seen + count, *sources = before + count, found = false;
    for (int32_t j = 0; plan->kind == PLAN_UNION && j < plan->input_count; j++) {
        memset(seen, 0, count);
        memset(sources, 0, count);
        sources_above(plan_input(plan, j), seen, sources);
        for (size_t i = 0; i < count; i++) {
            found |= before[i] && sources[i];
            before[i] |= sources[i];
        }
    }
    mem_free(seen);
    return found;
}

static void graph_connect(struct graph *graph)
{
    const struct pipeline *pipeline = graph->spec.pipeline;
    for (int32_t i = 0; i < graph->node_count; i++) {
        const struct plan *plan = pipeline->nodes[i];
        graph->nodes[i].plan = plan;
        graph->nodes[i].meets_itself = meets_itself(graph, plan);
        for (int32_t j = 0; j < plan->input_count; j++)
            node_connect(&graph->nodes[plan_input(plan, j)->id], false, i, j);
    }
    for (int32_t t = 0; t < pipeline->table_count; t++)
        for (int32_t f = 0; f < pipeline->tables[t]->flow_count; f++)
            node_connect(&graph->nodes[pipeline->tables[t]->flows[f]->id], true, t, 0);
    int64_t *paths = mem_array(int64_t, (size_t)graph->node_count);
    for (int32_t t = 0; t < pipeline->table_count; t++)
        table_name_stages(graph, t, paths);
    mem_free(paths);
}

/* ---- stages with state ---- */

static enum code aggregate_open(struct graph *graph, struct arena *arena, const struct plan *plan, const char *name,
                                struct stateful **out, struct error *err)
{
    const struct plan_aggregate *a = &plan->aggregate;
    const struct aggregate_spec spec = {
        .name = name,
        .keys = a->keys,
        .key_count = a->key_count,
        .calls = a->calls,
        .call_count = a->call_count,
        .window_key = a->window.key,
        .size_us = a->window.size_us,
        .slide_us = a->window.slide_us,
        .start_us = a->window.start_us,
        .window_time = a->window.time,
        .gap = a->window.gap,
        .watermark_key = a->watermark_key,
        .schema = plan->schema,
        .lanes = graph->spec.lanes,
        .shards = graph->spec.shards,
        .budget = graph->spec.budget,
    };
    return spec.gap != NULL ? session_new(arena, &spec, out, err) : aggregate_new(arena, &spec, out, err);
}

static enum code join_open(struct graph *graph, struct arena *arena, const struct plan *plan, const char *name,
                           struct stateful **out, struct error *err)
{
    const struct plan_join *j = &plan->join;
    struct join_spec spec = {
        .name = name,
        .type = join_type_of(j->kind),
        .key_count = j->key_count,
        .null_safe = j->null_safe,
        .time_key = j->time_key,
        .condition = j->condition,
        .schema = plan->schema,
        .lanes = graph->spec.lanes,
        .shards = graph->spec.shards,
        .budget = graph->spec.budget,
    };
    for (int side = 0; side < JOIN_SIDES; side++)
        spec.sides[side] = (struct join_side){
            .schema = plan->inputs[side]->schema,
            .keys = j->sides[side].keys,
            .only = j->sides[side].only,
            .time_column = j->sides[side].time_column,
            .bounded = j->sides[side].bounded,
            .shift_us = j->sides[side].shift_us,
        };
    return join_new(arena, &spec, out, err);
}

static enum code deduplicate_open(struct graph *graph, struct arena *arena, const struct plan *plan, const char *name,
                                  struct stateful **out, struct error *err)
{
    const struct plan_deduplicate *d = &plan->deduplicate;
    const struct deduplicate_spec spec = {
        .name = name,
        .schema = plan->schema,
        .columns = d->columns,
        .column_count = d->column_count,
        .time_column = d->time_column,
        .time_is_key = d->time_is_key,
        .within_watermark = d->within_watermark,
        .delay_us = d->delay_us,
        .lanes = graph->spec.lanes,
        .shards = graph->spec.shards,
        .budget = graph->spec.budget,
    };
    return deduplicate_new(arena, &spec, out, err);
}

static enum code stage_new(struct graph *graph, const struct plan *plan, struct stateful **out, struct error *err)
{
    const char *name = graph->nodes[plan->id].name;
    struct arena *arena = &graph->arena;
    name = name != NULL ? name : plan_kind_name(plan->kind);
    switch (plan->kind) {
    case PLAN_JOIN: return join_open(graph, arena, plan, name, out, err);
    case PLAN_DEDUPLICATE: return deduplicate_open(graph, arena, plan, name, out, err);
    default: return aggregate_open(graph, arena, plan, name, out, err);
    }
}

static enum code stages_open(struct graph *graph, struct error *err)
{
    for (int32_t i = 0; i < graph->node_count; i++) {
        if (!plan_is_stateful(graph->nodes[i].plan))
            continue;
        TRY(stage_new(graph, graph->nodes[i].plan, &graph->nodes[i].stage, err));
        graph->stateful[graph->stateful_count++] = i;
    }
    return E_OK;
}

/* ---- lookups ---- */

static void lookups_open(struct graph *graph)
{
    for (int32_t i = 0; i < graph->node_count; i++) {
        const struct plan *plan = graph->nodes[i].plan;
        if (!plan_is_lookup(plan))
            continue;
        struct lookup_stage *lookup = arena_new(&graph->arena, struct lookup_stage);
        enum join_kind kind = plan->join.kind; // seen from the rows that seek
        lookup->still = plan_still_input(plan);
        lookup->spec = lookup_spec_of(plan, lookup->still, kind == JOIN_RIGHT ? JOIN_TYPE_LEFT : join_type_of(kind));
        graph->nodes[i].lookup = lookup;
    }
}

/* ---- stages of a lane ---- */

static enum code decoder_open(struct graph *graph, struct instance *instance, const struct plan *plan,
                              struct error *err)
{
    const struct decoder_type *type = decoder_find(plan->decode.format);
    if (type == NULL)
        return fail(err, E_UNSUPPORTED, "no decoder for format %s", plan->decode.format);
    struct decoder_spec spec = decoder_spec_of(plan, graph->spec.session->zone);
    void *decoder = mem_zero(type->size);
    enum code code = type->open(decoder, &spec, err);
    if (code != E_OK) {
        mem_free(decoder);
        return code;
    }
    instance->decoder_type = type;
    instance->decoder = decoder;
    const struct field payload = {"payload", plan->exprs[0]->type, true};
    return project_new(&graph->arena, plan->exprs, 1, type_struct(&graph->arena, &payload, 1), &instance->project, err);
}

static enum code generate_open(struct graph *graph, struct instance *instance, const struct plan *plan,
                               struct error *err)
{
    struct generate_spec spec = generate_spec_of(plan);
    return generate_new(&graph->arena, &spec, &instance->generate, err);
}

static enum code instance_open(struct graph *graph, struct instance *instance, const struct plan *plan,
                               struct error *err)
{
    switch (plan->kind) {
    case PLAN_FILTER: return filter_new(&graph->arena, plan->exprs[0], &instance->filter, err);
    case PLAN_PROJECT:
        return project_new(&graph->arena, plan->exprs, plan->expr_count, plan->schema, &instance->project, err);
    case PLAN_DECODE: return decoder_open(graph, instance, plan, err);
    case PLAN_GENERATE: return generate_open(graph, instance, plan, err);
    case PLAN_JOIN:
        return plan_is_lookup(plan)
                   ? lookup_new(&graph->arena, &graph->nodes[plan->id].lookup->spec, &instance->lookup, err)
                   : E_OK;
    default: return E_OK; // source, watermark, table, union and stateful stages keep nothing per lane here
    }
}

static enum code lanes_open(struct graph *graph, struct error *err)
{
    for (int32_t l = 0; l < graph->spec.lanes; l++) {
        struct lane *lane = &graph->lanes[l];
        lane->index = l;
        lane->tally = &graph->tallies[l];
        tally_init(lane->tally, &graph->tally_plan);
        lane->instances = mem_array(struct instance, (size_t)graph->node_count);
        for (int32_t i = 0; i < graph->node_count; i++)
            if (graph->nodes[i].plan->streaming)
                TRY(instance_open(graph, &lane->instances[i], graph->nodes[i].plan, err));
    }
    return E_OK;
}

/* ---- all of it ---- */

enum code graph_open(const struct graph_spec *spec, struct graph **out, struct error *err)
{
    struct graph *graph = mem_new(struct graph);
    graph->spec = *spec;
    graph->session = *spec->session;
    graph->node_count = spec->pipeline->node_count;
    graph->times = mem_array(struct epoch_time, (size_t)graph->node_count);
    graph->nodes = mem_array(struct node, (size_t)graph->node_count);
    graph->stateful = mem_array(int32_t, (size_t)graph->node_count);
    graph->lanes = mem_array(struct lane, (size_t)spec->lanes);
    graph->tallies = mem_array(struct tally, (size_t)spec->lanes);
    tally_plan_init(&graph->tally_plan, &graph->arena, spec->pipeline);
    tally_init(&graph->tally, &graph->tally_plan);
    graph_connect(graph);
    lookups_open(graph);
    enum code code = stages_open(graph, err);
    if (code == E_OK)
        code = lanes_open(graph, err);
    if (code != E_OK) {
        graph_close(graph);
        return code;
    }
    *out = graph;
    return E_OK;
}

static void instance_close(struct instance *instance)
{
    filter_free(instance->filter);
    project_free(instance->project);
    generate_free(instance->generate);
    lookup_free(instance->lookup);
    rejects_free(&instance->lookup_rejects);
    if (instance->decoder != NULL)
        instance->decoder_type->close(instance->decoder);
    mem_free(instance->decoder);
    sightings_close(&instance->sightings);
}

static void lane_close(struct lane *lane, int32_t node_count)
{
    for (int32_t i = 0; lane->instances != NULL && i < node_count; i++)
        instance_close(&lane->instances[i]);
    mem_free(lane->instances);
    rejects_free(&lane->rejects);
    selection_free(&lane->late);
}

void graph_close(struct graph *graph)
{
    if (graph == NULL)
        return;
    for (int32_t l = 0; l < graph->spec.lanes; l++) {
        lane_close(&graph->lanes[l], graph->node_count);
        tally_free(&graph->tallies[l]);
    }
    tally_free(&graph->tally);
    still_close(graph);
    for (int32_t i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i].stage != NULL)
            graph->nodes[i].stage->type->free(graph->nodes[i].stage);
        mem_free(graph->nodes[i].edges);
        mem_free(graph->nodes[i].late_tables);
    }
    mem_free(graph->lanes);
    mem_free(graph->tallies);
    mem_free(graph->stateful);
    mem_free(graph->nodes);
    mem_free(graph->times);
    arena_free(&graph->arena);
    mem_free(graph);
}
