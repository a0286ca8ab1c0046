/* graph_push.c - send batches through a lane's stages, depth first, to tables and stateful stages. */
#include "runtime/future_guard.h"
#include "runtime/graph_parts.h"

/* What the sink can never take goes to a quarantine instead. */
enum code table_take(struct graph *graph, struct lane *lane, const struct node *node, int32_t table,
                     const struct batch *batch, struct error *err)
{
    struct outputs *outputs = graph->spec.outputs;
    struct batch rest = {0};
    TRY(outputs_refuse(outputs, lane->index, table, batch, &rest, err));
    bool refused = rest.columns != NULL;
    const struct batch *taken = refused ? &rest : batch;
    if (node->plan->streaming)
        tally_table(lane->tally, table, taken);
    if (node->plan->streaming && refused)
        tally_refused(lane->tally, table, batch, taken);
    enum code code = taken->rows > 0 ? outputs_write(outputs, lane->index, table, taken, err) : E_OK;
    batch_release(&rest);
    return code;
}

enum code node_deliver(struct graph *graph, struct lane *lane, const struct node *node, const struct batch *batch,
                       struct error *err)
{
    if (batch->rows == 0)
        return E_OK;
    if (lane->replaying != NULL)
        return replay_deliver(graph, lane, node, batch, err);
    if (node->plan->streaming)
        tally_out(lane->tally, node->plan->id, batch);
    for (int32_t i = 0; i < node->edge_count; i++) {
        const struct edge *edge = &node->edges[i];
        if (!edge->to_table) {
            TRY(node_push(graph, lane, edge->target, edge->port, batch, err));
            continue;
        }
        enum cpu_bucket before = cpu_meter_switch(&lane->meter, CPU_ENCODE);
        enum code code = table_take(graph, lane, node, edge->target, batch, err);
        cpu_meter_switch(&lane->meter, before);
        TRY(code);
    }
    return E_OK;
}

/* Around a batch in a stage, for the ledger of partitions. */
static void step_begin(struct lane *lane, const struct node *node, struct instance *self, const struct batch *in,
                       struct tally_step *step)
{
    *step = (struct tally_step){0};
    if (node->plan->streaming)
        tally_step_begin(lane->tally, step, node->plan->id, in, &self->counts);
}

static void step_end(struct lane *lane, const struct tally_step *step, struct instance *self,
                     const struct rejects *rejects, const struct batch *out)
{
    if (step->in != NULL)
        tally_step_end(lane->tally, step, &self->counts, rejects, out);
}

static struct position filter_step(const void *stage, int32_t step) { return filter_position(stage, step); }
static struct position project_step(const void *stage, int32_t step) { return project_position(stage, step); }
static struct position generate_step(const void *stage, int32_t step) { return generate_position(stage, step); }
static struct position lookup_step(const void *stage, int32_t step) { return lookup_position(stage, step); }
static struct position stateful_step(const void *stage, int32_t step)
{
    const struct stateful *self = stage;
    return self->type->position(self, step);
}
static struct position plan_place(const void *stage, int32_t step)
{
    (void)step;
    return ((const struct plan *)stage)->at;
}

/* Send what the stage rejected to the quarantine. */
static enum code quarantine_by(struct graph *graph, struct lane *lane, const struct batch *in,
                               const struct rejecter *by, struct error *err)
{
    if (lane->rejects.count == 0)
        return E_OK;
    struct rejecter rejecter = *by;
    struct replaying *replaying = lane->replaying;
    rejecter.again = replaying != NULL ? &replaying->again : NULL;
    for (int32_t i = 0; replaying != NULL && i < lane->rejects.count; i++)
        replaying->rejected[batch_origin(in, lane->rejects.items[i].row)] = true;
    enum code code = outputs_reject(graph->spec.outputs, lane->index, in, &lane->rejects, &rejecter, err);
    rejects_clear(&lane->rejects);
    return code;
}

static enum code quarantine(struct graph *graph, struct lane *lane, const struct plan *plan, const struct batch *in,
                            struct position (*position)(const void *, int32_t), const void *stage, struct error *err)
{
    const struct rejecter by = {position, NULL, stage, plan, NULL};
    return quarantine_by(graph, lane, in, &by, err);
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
                                    const struct rejecter *by, struct error *err)
{
    if (lane->rejects.count == 0)
        return E_OK;
    struct batch all = *batch;
    batch_share(batch, &all);
    drop_rejected(lane, batch);
    self->counts.rejected += all.rows - batch->rows;
    enum code code = quarantine_by(graph, lane, &all, by, err);
    batch_release(&all);
    return code;
}

/* Payloads are looked at again only when the decoder has met a name that it never had before. */
static void strangers_look(struct instance *self, const struct plan *plan, const struct batch *in,
                           const struct column *payload)
{
    if (self->decoder_type->stranger_count == NULL)
        return;
    int32_t strangers = self->decoder_type->stranger_count(self->decoder);
    if (strangers > self->strangers)
        sightings_look(&self->sightings, plan, in, payload);
    self->strangers = strangers;
}

/* Appends the payload, decoded, to the columns of `in`. */
static enum code decode_batch(struct lane *lane, struct instance *self, const struct plan *plan, const struct batch *in,
                              const struct column *payload, struct batch *out, struct error *err)
{
    enum cpu_bucket before = cpu_meter_switch(&lane->meter, CPU_DECODE);
    struct column decoded = {0};
    enum code code = self->decoder_type->decode(self->decoder, payload, &decoded, &lane->rejects, err);
    if (code == E_OK)
        strangers_look(self, plan, in, payload);
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
    const struct rejecter computing = {project_step, NULL, self->project, plan, NULL},
                          decoding = {plan_place, NULL, plan, plan, NULL};
    self->counts.in += in->rows;
    TRY(project_batch(self->project, &graph->session, in, &lane->rejects, &ignored, &payload, err));
    batch_share(&good, in);
    enum code code = part_with_rejected(graph, lane, self, &good, &computing, err);
    if (code == E_OK)
        code = decode_batch(lane, self, plan, &good, &payload.columns[0], out, err);
    if (code == E_OK)
        code = part_with_rejected(graph, lane, self, out, &decoding, err);
    batch_release(&payload);
    batch_release(&good);
    self->counts.out += out->rows;
    return code;
}

static enum code emit_batch(void *context, struct batch *out, struct error *err)
{
    const struct emit_context *to = context;
    enum cpu_bucket before = cpu_meter_switch(&to->lane->meter, CPU_EXPRESSIONS);
    enum code code = node_deliver(to->graph, to->lane, to->node, out, err);
    cpu_meter_switch(&to->lane->meter, before);
    return code;
}

struct emit node_emit(struct emit_context *context) { return (struct emit){emit_batch, context}; }

/* The event time of a stateful node's input, where it is a plain column; else -1. */
static int32_t time_column(const struct plan *plan, int32_t port)
{
    if (plan->kind == PLAN_JOIN)
        return plan->join.sides[port].time_column;
    if (plan->kind == PLAN_DEDUPLICATE)
        return plan->deduplicate.time_column;
    const struct plan_aggregate *a = &plan->aggregate;
    const struct expr *time = a->window.key >= 0      ? a->window.time
                              : a->watermark_key >= 0 ? a->keys[a->watermark_key]
                                                      : NULL;
    return time != NULL && time->kind == EXPR_COLUMN && time->type->id == TYPE_TIMESTAMP ? time->index : -1;
}

static enum code keep_late(struct graph *graph, struct lane *lane, const struct node *node, int32_t port,
                           const struct batch *in, struct error *err)
{
    const struct late_rows late = {
        .in = in,
        .rows = lane->late.rows,
        .count = lane->late.count,
        .watermark_us = graph->times[node->plan->id].late_us,
        .time_column = time_column(node->plan, port),
    };
    for (int32_t i = 0; late.count > 0 && i < node->late_count; i++)
        TRY(outputs_late(graph->spec.outputs, lane->index, node->late_tables[i], &late, err));
    return E_OK;
}

static enum code push_stateful(struct graph *graph, struct lane *lane, const struct node *node, struct instance *self,
                               int32_t port, const struct batch *in, struct error *err)
{
    struct stateful *stage = node->stage;
    const struct lane_call call = {
        .lane = lane->index,
        .port = port,
        .session = &graph->session,
        .time = &graph->times[node->plan->id],
        .rejects = &lane->rejects,
        .late = node->late_count > 0 ? &lane->late : NULL,
        .counts = &self->counts,
    };
    struct tally_step step;
    lane->late.count = 0;
    step_begin(lane, node, self, in, &step);
    enum cpu_bucket before = cpu_meter_switch(&lane->meter, CPU_AGGREGATE);
    enum code code = stage->type->lane_batch(stage, &call, in, err);
    cpu_meter_switch(&lane->meter, before);
    TRY(code);
    step_end(lane, &step, self, &lane->rejects, NULL);
    TRY(keep_late(graph, lane, node, port, in, err));
    return quarantine(graph, lane, node->plan, in, stateful_step, stage, err);
}

/* Rows of the stream find their partners. */
static enum code push_lookup(struct graph *graph, struct lane *lane, const struct node *node, const struct batch *in,
                             struct error *err)
{
    struct instance *self = &lane->instances[node->plan->id];
    struct emit_context context = {graph, lane, node};
    const struct emit emit = node_emit(&context);
    struct tally_step step;
    always(node->lookup->table != NULL);
    step_begin(lane, node, self, in, &step);
    TRY(lookup_batch(self->lookup, node->lookup->table, &graph->session, in, &self->lookup_rejects, &self->counts,
                     &emit, err));
    step_end(lane, &step, self, &self->lookup_rejects, NULL);
    struct rejects own = self->lookup_rejects;
    self->lookup_rejects = lane->rejects; // empty: who rejects sends them on at once
    lane->rejects = own;
    return quarantine(graph, lane, node->plan, in, lookup_step, self->lookup, err);
}

static enum code push_join(struct graph *graph, struct lane *lane, const struct node *node, struct instance *self,
                           int32_t port, const struct batch *in, struct error *err)
{
    return node->lookup == NULL ? push_stateful(graph, lane, node, self, port, in, err)
                                : push_lookup(graph, lane, node, in, err);
}

static enum code watermark_deliver(struct graph *graph, struct lane *lane, const struct node *node,
                                   struct instance *self, const struct batch *in, struct error *err)
{
    int64_t seen_us = watermark_seen(&in->columns[node->plan->watermark.column]);
    self->seen_us = seen_us > self->seen_us ? seen_us : self->seen_us;
    self->counts.out += in->rows;
    return node_deliver(graph, lane, node, in, err);
}

/* Only what passes the guard moves the watermark and goes on. */
static enum code push_watermark(struct graph *graph, struct lane *lane, const struct node *node, struct instance *self,
                                const struct batch *in, struct error *err)
{
    const struct plan *plan = node->plan;
    const struct future_guard guard = {
        .column = plan->watermark.column,
        .max_future_us = graph->spec.max_future_us,
        .batch_time_us = graph->session.batch_time_us,
        .zone = graph->session.zone,
        .at = plan->at,
    };
    const struct rejecter by = {future_guard_position, future_guard_detail, &guard, plan, NULL};
    self->counts.in += in->rows;
    if (guard.max_future_us > 0)
        future_guard_batch(&guard, in, &lane->rejects);
    if (lane->rejects.count == 0)
        return watermark_deliver(graph, lane, node, self, in, err);
    struct batch good;
    struct tally_step step;
    step_begin(lane, node, self, in, &step);
    batch_share(&good, in);
    enum code code = part_with_rejected(graph, lane, self, &good, &by, err);
    step_end(lane, &step, self, &lane->rejects, &good);
    if (code == E_OK)
        code = watermark_deliver(graph, lane, node, self, &good, err);
    batch_release(&good);
    return code;
}

static enum code push_through(struct graph *graph, struct lane *lane, const struct node *node, struct instance *self,
                              const struct batch *in, struct error *err)
{
    self->counts.in += in->rows;
    self->counts.out += in->rows;
    return node_deliver(graph, lane, node, in, err);
}

/* A record that comes through several branches has a row of each. */
static enum code push_union(struct graph *graph, struct lane *lane, const struct node *node, struct instance *self,
                            int32_t port, const struct batch *in, struct error *err)
{
    if (!node->meets_itself || in->source == NULL)
        return push_through(graph, lane, node, self, in, err);
    struct batch marked = {0};
    batch_share(&marked, in);
    struct buffer *places = buffer_new((size_t)in->rows * sizeof(int64_t));
    for (int64_t row = 0; row < in->rows; row++)
        ((int64_t *)(void *)places->data)[row] = lineage_branch(batch_place(in, row), port);
    buffer_release(marked.place);
    marked.place = places;
    enum code code = push_through(graph, lane, node, self, &marked, err);
    batch_release(&marked);
    return code;
}

/* A stage that makes a new batch; `out` is released by the caller. What it rejects is still listed, but for a decoder's. */
static enum code stage_run(struct graph *graph, struct lane *lane, const struct node *node, struct instance *self,
                           const struct batch *in, struct batch *out, struct error *err)
{
    const struct plan *plan = node->plan;
    struct operator_counts *counts = &self->counts;
    switch (plan->kind) {
    case PLAN_FILTER: return filter_batch(self->filter, &graph->session, in, &lane->rejects, counts, out, err);
    case PLAN_PROJECT: return project_batch(self->project, &graph->session, in, &lane->rejects, counts, out, err);
    case PLAN_GENERATE: return generate_batch(self->generate, &graph->session, in, &lane->rejects, counts, out, err);
    case PLAN_DECODE: return push_decode(graph, lane, self, plan, in, out, err);
    default: return fail(err, E_BUG, "node #%d (kind %d) cannot be executed", plan->id, (int)plan->kind);
    }
}

static enum code transform(struct graph *graph, struct lane *lane, const struct node *node, struct instance *self,
                           const struct batch *in, struct batch *out, struct error *err)
{
    struct tally_step step;
    step_begin(lane, node, self, in, &step);
    TRY(stage_run(graph, lane, node, self, in, out, err));
    step_end(lane, &step, self, &lane->rejects, out);
    switch (node->plan->kind) {
    case PLAN_FILTER: return quarantine(graph, lane, node->plan, in, filter_step, self->filter, err);
    case PLAN_PROJECT: return quarantine(graph, lane, node->plan, in, project_step, self->project, err);
    case PLAN_GENERATE: return quarantine(graph, lane, node->plan, in, generate_step, self->generate, err);
    default: return E_OK;
    }
}

enum code node_push(struct graph *graph, struct lane *lane, int32_t id, int32_t port, const struct batch *in,
                    struct error *err)
{
    const struct node *node = &graph->nodes[id];
    struct instance *self = &lane->instances[id];
    switch (node->plan->kind) {
    case PLAN_DEDUPLICATE:
        if (lane->replaying != NULL) // the row had passed it, and is remembered
            return replay_deliver(graph, lane, node, in, err);
        return push_stateful(graph, lane, node, self, port, in, err);
    case PLAN_AGGREGATE: return push_stateful(graph, lane, node, self, port, in, err);
    case PLAN_JOIN: return push_join(graph, lane, node, self, port, in, err);
    case PLAN_WATERMARK: return push_watermark(graph, lane, node, self, in, err);
    case PLAN_SOURCE:
    case PLAN_TABLE: return push_through(graph, lane, node, self, in, err);
    case PLAN_UNION: return push_union(graph, lane, node, self, port, in, err);
    default: break;
    }
    struct batch out = {0};
    enum code code = transform(graph, lane, node, self, in, &out, err);
    if (code == E_OK)
        code = node_deliver(graph, lane, node, &out, err);
    batch_release(&out);
    return code;
}

enum code graph_push(struct graph *graph, int32_t lane, int32_t node, const struct batch *batch, struct error *err)
{
    struct lane *self = &graph->lanes[lane];
    cpu_meter_start(&self->meter, CPU_EXPRESSIONS);
    enum code code = node_push(graph, self, node, 0, batch, err);
    cpu_meter_stop(&self->meter);
    return code;
}
