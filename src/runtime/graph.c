#include "runtime/graph.h"

#include "base/log.h"
#include "base/thread.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

/* Who takes a node's output. */
struct edge {
    bool to_table;
    int32_t target;              /* plan id, or table index */
    int32_t port;                /* which input of the target */
};
struct node {
    const struct plan *plan;
    struct edge *edges;
    int32_t edge_count, edge_capacity;
    int32_t stateful;            /* index in graph->stateful, or -1 */
};
/* One lane's instance of a node. */
struct instance {
    struct filter *filter;
    struct project *project;     /* PROJECT; DECODE: computes the payload; WATERMARK, UNION: nothing */
    struct generate *generate;
    const struct decoder_type *decoder_type;
    void *decoder;
    struct operator_counts counts;
    int64_t seen_us;             /* WATERMARK: largest event time of the epoch */
};
struct lane {
    struct instance *instances;  /* by plan id */
    struct rejects rejects;
    struct cpu_meter meter;
    int32_t index;
    char padding[64];            /* lanes are written by different threads: no shared cache line */
};
struct graph {
    struct graph_spec spec;
    struct session session;      /* with the epoch's batch time */
    struct epoch_time time;
    struct arena arena;
    struct node *nodes;
    int32_t node_count;
    struct lane *lanes;
    struct stateful **stateful;
    int32_t *stateful_node;
    int32_t stateful_count;
};

/* ---- CPU time ---- */

void cpu_meter_start(struct cpu_meter *meter, enum cpu_bucket bucket)
{
    meter->since_us = thread_cpu_us();
    meter->now = bucket;
}

enum cpu_bucket cpu_meter_switch(struct cpu_meter *meter, enum cpu_bucket bucket)
{
    enum cpu_bucket before = meter->now;
    if (before != bucket) {
        int64_t now_us = thread_cpu_us();
        meter->spent_us[before] += now_us - meter->since_us;
        meter->since_us = now_us;
        meter->now = bucket;
    }
    return before;
}

void cpu_meter_stop(struct cpu_meter *meter)
{
    int64_t now_us = thread_cpu_us();
    meter->spent_us[meter->now] += now_us - meter->since_us;
    meter->since_us = now_us;
}

/* ---- building ---- */

static void node_connect(struct node *node, bool to_table, int32_t target, int32_t port)
{
    mem_grow(node->edges, node->edge_capacity, node->edge_count + 1);
    node->edges[node->edge_count++] = (struct edge){to_table, target, port};
}

static void graph_connect(struct graph *graph)
{
    const struct pipeline *pipeline = graph->spec.pipeline;
    for (int32_t i = 0; i < graph->node_count; i++) {
        const struct plan *plan = pipeline->nodes[i];
        graph->nodes[i].plan = plan;
        graph->nodes[i].stateful = -1;
        for (int32_t j = 0; j < plan->input_count; j++)
            node_connect(&graph->nodes[plan_input(plan, j)->id], false, i, j);
    }
    for (int32_t t = 0; t < pipeline->table_count; t++)
        for (int32_t f = 0; f < pipeline->tables[t]->flow_count; f++)
            node_connect(&graph->nodes[pipeline->tables[t]->flows[f]->id], true, t, 0);
}

static enum code aggregate_open(struct graph *graph, const struct plan *plan, struct error *err)
{
    const struct plan_aggregate *a = &plan->aggregate;
    char name[64];
    snprintf(name, sizeof name, "aggregate #%d", plan->id);
    struct aggregate_spec spec = {
        .name = arena_strdup(&graph->arena, name),
        .keys = a->keys,
        .key_count = a->key_count,
        .calls = a->calls,
        .call_count = a->call_count,
        .window_key = a->window.key,
        .size_us = a->window.size_us,
        .slide_us = a->window.slide_us,
        .start_us = a->window.start_us,
        .window_time = a->window.time,
        .watermark_key = a->watermark_key,
        .schema = plan->schema,
        .lanes = graph->spec.lanes,
        .shards = graph->spec.shards,
        .budget = graph->spec.budget,
    };
    TRY(aggregate_new(&graph->arena, &spec, &graph->stateful[graph->stateful_count], err));
    graph->nodes[plan->id].stateful = graph->stateful_count;
    graph->stateful_node[graph->stateful_count++] = plan->id;
    return E_OK;
}

static enum code decoder_open(struct graph *graph, struct instance *instance, const struct plan *plan, struct error *err)
{
    const struct plan_decode *d = &plan->decode;
    const struct decoder_type *type = decoder_find(d->format);
    if (type == NULL)
        return fail(err, E_UNSUPPORTED, "no decoder for format %s", d->format);
    struct decoder_spec spec = {
        .schema = d->schema,
        .needed = d->needed,
        .mode = d->mode != NULL && strcasecmp(d->mode, "FAILFAST") == 0 ? DECODE_FAILFAST : DECODE_PERMISSIVE,
        .corrupt_column = d->corrupt_column,
        .zone = graph->spec.session->zone,
        .simd = -1,
    };
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

static enum code generate_open(struct graph *graph, struct instance *instance, const struct plan *plan, struct error *err)
{
    static const enum generate_kind kinds[] = {
        [GENERATE_EXPLODE] = EXPLODE, [GENERATE_POSEXPLODE] = POSEXPLODE, [GENERATE_INLINE] = INLINE, [GENERATE_STACK] = STACK};
    struct generate_spec spec = {
        .kind = kinds[plan->generate.kind],
        .outer = plan->generate.outer,
        .args = plan->generate.args,
        .arg_count = plan->generate.arg_count,
        .generated = plan->generate.generated,
        .keep = plan->generate.keep,
        .schema = plan->schema,
    };
    return generate_new(&graph->arena, &spec, &instance->generate, err);
}

static enum code instance_open(struct graph *graph, struct instance *instance, const struct plan *plan, struct error *err)
{
    switch (plan->kind) {
    case PLAN_FILTER:
        return filter_new(&graph->arena, plan->exprs[0], &instance->filter, err);
    case PLAN_PROJECT:
        return project_new(&graph->arena, plan->exprs, plan->expr_count, plan->schema, &instance->project, err);
    case PLAN_DECODE:
        return decoder_open(graph, instance, plan, err);
    case PLAN_GENERATE:
        return generate_open(graph, instance, plan, err);
    default:
        return E_OK;   // source, watermark, union, aggregate keep nothing per lane here
    }
}

enum code graph_open(const struct graph_spec *spec, struct graph **out, struct error *err)
{
    struct graph *graph = mem_new(struct graph);
    graph->spec = *spec;
    graph->session = *spec->session;
    graph->node_count = spec->pipeline->node_count;
    graph->nodes = mem_array(struct node, (size_t)graph->node_count);
    graph->stateful = mem_array(struct stateful *, (size_t)graph->node_count);
    graph->stateful_node = mem_array(int32_t, (size_t)graph->node_count);
    graph->lanes = mem_array(struct lane, (size_t)spec->lanes);
    graph_connect(graph);
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < graph->node_count; i++)
        if (graph->nodes[i].plan->kind == PLAN_AGGREGATE)
            code = aggregate_open(graph, graph->nodes[i].plan, err);
    for (int32_t l = 0; code == E_OK && l < spec->lanes; l++) {
        graph->lanes[l].index = l;
        graph->lanes[l].instances = mem_array(struct instance, (size_t)graph->node_count);
        for (int32_t i = 0; code == E_OK && i < graph->node_count; i++)
            code = instance_open(graph, &graph->lanes[l].instances[i], graph->nodes[i].plan, err);
    }
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
    if (instance->decoder != NULL)
        instance->decoder_type->close(instance->decoder);
    mem_free(instance->decoder);
}

void graph_close(struct graph *graph)
{
    if (graph == NULL)
        return;
    for (int32_t l = 0; l < graph->spec.lanes; l++) {
        for (int32_t i = 0; graph->lanes[l].instances != NULL && i < graph->node_count; i++)
            instance_close(&graph->lanes[l].instances[i]);
        mem_free(graph->lanes[l].instances);
        rejects_free(&graph->lanes[l].rejects);
    }
    for (int32_t i = 0; i < graph->stateful_count; i++)
        graph->stateful[i]->type->free(graph->stateful[i]);
    for (int32_t i = 0; i < graph->node_count; i++)
        mem_free(graph->nodes[i].edges);
    mem_free(graph->lanes);
    mem_free(graph->stateful);
    mem_free(graph->stateful_node);
    mem_free(graph->nodes);
    arena_free(&graph->arena);
    mem_free(graph);
}

/* ---- pushing ---- */

static enum code push(struct graph *graph, struct lane *lane, int32_t id, int32_t port, const struct batch *in,
                      struct error *err);

/* Hand a node's output to everybody behind it. */
static enum code deliver(struct graph *graph, struct lane *lane, const struct node *node, const struct batch *batch,
                         struct error *err)
{
    if (batch->rows == 0)
        return E_OK;
    for (int32_t i = 0; i < node->edge_count; i++) {
        const struct edge *edge = &node->edges[i];
        if (!edge->to_table) {
            TRY(push(graph, lane, edge->target, edge->port, batch, err));
            continue;
        }
        enum cpu_bucket before = cpu_meter_switch(&lane->meter, CPU_ENCODE);
        enum code code = outputs_write(graph->spec.outputs, lane->index, edge->target, batch, err);
        cpu_meter_switch(&lane->meter, before);
        TRY(code);
    }
    return E_OK;
}

static struct position filter_step(const void *stage, int32_t step) { return filter_position(stage, step); }
static struct position project_step(const void *stage, int32_t step) { return project_position(stage, step); }
static struct position generate_step(const void *stage, int32_t step) { return generate_position(stage, step); }
static struct position stateful_step(const void *stage, int32_t step)
{
    const struct stateful *self = stage;
    return self->type->position(self, step);
}
static struct position decode_step(const void *stage, int32_t step)
{
    (void)step;
    return ((const struct plan *)stage)->at;
}

/* Send what the stage rejected to the quarantine. */
static enum code quarantine(struct graph *graph, struct lane *lane, const struct batch *in,
                            struct position (*position)(const void *, int32_t), const void *stage, struct error *err)
{
    if (lane->rejects.count == 0)
        return E_OK;
    enum code code = outputs_reject(graph->spec.outputs, lane->index, in, &lane->rejects, position, stage, err);
    rejects_clear(&lane->rejects);
    return code;
}

/* Rejects are in the order of rows here: one program, or one decoder, made them. */
static void drop_rejected(const struct lane *lane, struct batch *batch)
{
    int32_t *rows = mem_array(int32_t, (size_t)batch->rows);
    int64_t kept = 0;
    int32_t next = 0;
    for (int64_t row = 0; row < batch->rows; row++) {
        bool bad = false;
        while (next < lane->rejects.count && lane->rejects.items[next].row <= row)
            bad |= lane->rejects.items[next++].row == row;
        if (!bad)
            rows[kept++] = (int32_t)row;
    }
    struct batch good = {0};
    batch_gather(&good, batch, rows, kept);
    batch_release(batch);
    *batch = good;
    mem_free(rows);
}

/* The rejected rows of `batch` go to the quarantine, the others stay in it. */
static enum code part_with_rejected(struct graph *graph, struct lane *lane, struct instance *self, struct batch *batch,
                                    struct position (*position)(const void *, int32_t), const void *stage,
                                    struct error *err)
{
    if (lane->rejects.count == 0)
        return E_OK;
    struct batch all = *batch;
    batch_share(batch, &all);
    drop_rejected(lane, batch);
    self->counts.rejected += all.rows - batch->rows;
    enum code code = quarantine(graph, lane, &all, position, stage, err);
    batch_release(&all);
    return code;
}

/* Appends the payload, decoded, to the columns of `in`. */
static enum code decode_batch(struct lane *lane, struct instance *self, const struct plan *plan, const struct batch *in,
                              const struct column *payload, struct batch *out, struct error *err)
{
    enum cpu_bucket before = cpu_meter_switch(&lane->meter, CPU_DECODE);
    struct column decoded = {0};
    enum code code = self->decoder_type->decode(self->decoder, payload, &decoded, &lane->rejects, err);
    cpu_meter_switch(&lane->meter, before);
    TRY(code);
    batch_init(out, plan->schema, in->rows);
    for (int32_t i = 0; i < in->column_count; i++)
        column_share(&out->columns[i], &in->columns[i]);
    out->columns[in->column_count] = decoded;
    batch_share_origin(out, in);
    return E_OK;
}

/* A record may be rejected twice over: its payload cannot be computed, or (FAILFAST) cannot be decoded. */
static enum code push_decode(struct graph *graph, struct lane *lane, struct instance *self, const struct plan *plan,
                             const struct batch *in, struct batch *out, struct error *err)
{
    struct batch payload = {0}, good = {0};
    struct operator_counts ignored = {0};
    self->counts.in += in->rows;
    TRY(project_batch(self->project, &graph->session, in, &lane->rejects, &ignored, &payload, err));
    batch_share(&good, in);
    enum code code = part_with_rejected(graph, lane, self, &good, project_step, self->project, err);
    if (code == E_OK)
        code = decode_batch(lane, self, plan, &good, &payload.columns[0], out, err);
    if (code == E_OK)
        code = part_with_rejected(graph, lane, self, out, decode_step, plan, err);
    batch_release(&payload);
    batch_release(&good);
    self->counts.out += out->rows;
    return code;
}

static enum code push_stateful(struct graph *graph, struct lane *lane, const struct node *node, struct instance *self,
                               int32_t port, const struct batch *in, struct error *err)
{
    struct stateful *stage = graph->stateful[node->stateful];
    const struct lane_call call = {
        .lane = lane->index,
        .port = port,
        .session = &graph->session,
        .time = &graph->time,
        .rejects = &lane->rejects,
        .counts = &self->counts,
    };
    enum cpu_bucket before = cpu_meter_switch(&lane->meter, CPU_AGGREGATE);
    enum code code = stage->type->lane_batch(stage, &call, in, err);
    cpu_meter_switch(&lane->meter, before);
    TRY(code);
    return quarantine(graph, lane, in, stateful_step, stage, err);
}

static void watermark_observe(struct instance *self, const struct plan *plan, const struct batch *in)
{
    int64_t seen_us = watermark_seen(&in->columns[plan->watermark.column]);
    if (seen_us > self->seen_us)
        self->seen_us = seen_us;
}

/* A stage that makes a new batch; `out` is released by the caller. */
static enum code transform(struct graph *graph, struct lane *lane, const struct node *node, struct instance *self,
                           const struct batch *in, struct batch *out, struct error *err)
{
    const struct plan *plan = node->plan;
    struct operator_counts *counts = &self->counts;
    switch (plan->kind) {
    case PLAN_FILTER:
        TRY(filter_batch(self->filter, &graph->session, in, &lane->rejects, counts, out, err));
        return quarantine(graph, lane, in, filter_step, self->filter, err);
    case PLAN_PROJECT:
        TRY(project_batch(self->project, &graph->session, in, &lane->rejects, counts, out, err));
        return quarantine(graph, lane, in, project_step, self->project, err);
    case PLAN_GENERATE:
        TRY(generate_batch(self->generate, &graph->session, in, &lane->rejects, counts, out, err));
        return quarantine(graph, lane, in, generate_step, self->generate, err);
    case PLAN_DECODE:
        return push_decode(graph, lane, self, plan, in, out, err);
    default:
        return fail(err, E_BUG, "node #%d (kind %d) cannot be executed", plan->id, (int)plan->kind);
    }
}

static enum code push(struct graph *graph, struct lane *lane, int32_t id, int32_t port, const struct batch *in,
                      struct error *err)
{
    const struct node *node = &graph->nodes[id];
    struct instance *self = &lane->instances[id];
    switch (node->plan->kind) {
    case PLAN_AGGREGATE:
        return push_stateful(graph, lane, node, self, port, in, err);
    case PLAN_WATERMARK:
        watermark_observe(self, node->plan, in);
        return deliver(graph, lane, node, in, err);
    case PLAN_SOURCE:
        self->counts.out += in->rows;
        return deliver(graph, lane, node, in, err);
    case PLAN_UNION:
        return deliver(graph, lane, node, in, err);
    default:
        break;
    }
    struct batch out = {0};
    enum code code = transform(graph, lane, node, self, in, &out, err);
    if (code == E_OK)
        code = deliver(graph, lane, node, &out, err);
    batch_release(&out);
    return code;
}

enum code graph_push(struct graph *graph, int32_t lane, int32_t node, const struct batch *batch, struct error *err)
{
    struct lane *self = &graph->lanes[lane];
    cpu_meter_start(&self->meter, CPU_EXPRESSIONS);
    enum code code = push(graph, self, node, 0, batch, err);
    cpu_meter_stop(&self->meter);
    return code;
}

/* ---- epochs ---- */

void graph_begin(struct graph *graph, const struct epoch_time *time, int64_t batch_time_us)
{
    graph->time = *time;
    graph->session.batch_time_us = batch_time_us;
    for (int32_t l = 0; l < graph->spec.lanes; l++)
        for (int32_t i = 0; i < graph->node_count; i++) {
            graph->lanes[l].instances[i].counts = (struct operator_counts){0};
            graph->lanes[l].instances[i].seen_us = INT64_MIN;
        }
}

int32_t graph_stateful_count(const struct graph *graph) { return graph->stateful_count; }

int32_t graph_stateful_node(const struct graph *graph, int32_t stateful) { return graph->stateful_node[stateful]; }

int32_t graph_shards(const struct graph *graph) { return graph->spec.shards; }

struct emitting {
    struct graph *graph;
    struct lane *lane;
    const struct node *node;
};

static enum code emit_batch(void *context, struct batch *out, struct error *err)
{
    struct emitting *e = context;
    enum cpu_bucket before = cpu_meter_switch(&e->lane->meter, CPU_EXPRESSIONS);
    enum code code = deliver(e->graph, e->lane, e->node, out, err);
    cpu_meter_switch(&e->lane->meter, before);
    return code;
}

/* No record is to blame for a total that does not fit, so there is none to quarantine. */
static enum code overflown_tell(const struct graph *graph, int32_t node, int64_t count, struct error *err)
{
    struct position at = graph->nodes[node].plan->at;
    const char *file = at.file != NULL ? at.file : "";
    if (count == 0)
        return E_OK;
    if (graph->spec.fail_on_error)
        return fail(err, E_DATA, "[ARITHMETIC_OVERFLOW] %s:%d:%d: %" PRId64 " results of groups do not fit their type; "
                    "leat.on_error is fail", file, at.line, at.column, count);
    log_warn("%s:%d:%d: [ARITHMETIC_OVERFLOW] %" PRId64 " results of groups do not fit their type and are NULL; cast the "
             "argument to a wider one", file, at.line, at.column, count);
    return E_OK;
}

enum code graph_merge(struct graph *graph, int32_t stateful, int32_t shard, int32_t lane, struct error *err)
{
    int32_t id = graph->stateful_node[stateful];
    struct lane *self = &graph->lanes[lane];
    struct emitting context = {graph, self, &graph->nodes[id]};
    const struct emit emit = {emit_batch, &context};
    cpu_meter_start(&self->meter, CPU_AGGREGATE);
    struct stateful *stage = graph->stateful[stateful];
    struct operator_counts *counts = &self->instances[id].counts;
    int64_t overflown_before = counts->overflown;
    enum code code = stage->type->shard_merge(stage, shard, &graph->time, &emit, counts, err);
    cpu_meter_stop(&self->meter);
    TRY(code);
    return overflown_tell(graph, id, counts->overflown - overflown_before, err);
}

void graph_lanes_clear(struct graph *graph, int32_t stateful) 
{
    graph->stateful[stateful]->type->lanes_clear(graph->stateful[stateful]);
}

enum code graph_save(struct graph *graph, int32_t stateful, int32_t shard, bool whole, struct text *out,
                     struct error *err)
{
    struct stateful *stage = graph->stateful[stateful];
    return whole ? stage->type->shard_snapshot(stage, shard, out, err) : stage->type->shard_delta(stage, shard, out, err);
}

enum code graph_restore(struct graph *graph, int32_t stateful, struct bytes stored, struct error *err)
{
    return graph->stateful[stateful]->type->restore(graph->stateful[stateful], stored, err);
}

void graph_seen(const struct graph *graph, int64_t *seen_us)
{
    for (int32_t w = 0; w < graph->spec.pipeline->watermark_count; w++)
        seen_us[w] = INT64_MIN;
    for (int32_t i = 0; i < graph->node_count; i++) {
        const struct plan *plan = graph->nodes[i].plan;
        if (plan->kind != PLAN_WATERMARK)
            continue;
        for (int32_t l = 0; l < graph->spec.lanes; l++) {
            int64_t seen = graph->lanes[l].instances[i].seen_us;
            if (seen > seen_us[plan->watermark.node])
                seen_us[plan->watermark.node] = seen;
        }
    }
}

void graph_counts(const struct graph *graph, struct operator_counts *counts)
{
    for (int32_t i = 0; i < graph->node_count; i++) {
        struct operator_counts *sum = &counts[i];
        *sum = (struct operator_counts){0};
        for (int32_t l = 0; l < graph->spec.lanes; l++) {
            const struct operator_counts *c = &graph->lanes[l].instances[i].counts;
            sum->in += c->in;
            sum->out += c->out;
            sum->filtered += c->filtered;
            sum->late += c->late;
            sum->rejected += c->rejected;
            sum->null_time += c->null_time;
            sum->aggregated += c->aggregated;
            sum->overflown += c->overflown;
        }
        if (graph->nodes[i].plan->kind == PLAN_GENERATE)
            sum->exploded = sum->out - (sum->in - sum->rejected);
    }
}

int64_t graph_groups(const struct graph *graph)
{
    int64_t groups = 0;
    for (int32_t i = 0; i < graph->stateful_count; i++)
        groups += stateful_entries(graph->stateful[i]);
    return groups;
}

size_t graph_state_bytes(const struct graph *graph)
{
    size_t size = 0;
    for (int32_t i = 0; i < graph->stateful_count; i++)
        size += stateful_bytes(graph->stateful[i]);
    return size;
}

void graph_cpu(const struct graph *graph, int64_t *into)
{
    for (int32_t l = 0; l < graph->spec.lanes; l++)
        for (int32_t b = 0; b < CPU_BUCKETS; b++)
            into[b] += graph->lanes[l].meter.spent_us[b];
}

struct cpu_meter *graph_meter(struct graph *graph, int32_t lane) { return &graph->lanes[lane].meter; }
