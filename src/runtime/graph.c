#include "runtime/graph.h"

#include "base/log.h"
#include "runtime/graph_parts.h"

#include <inttypes.h>

/* ---- epochs ---- */

/* What stands still has no late rows, and all of it is complete. */
#define STILL_LATE_US (INT64_MIN / 2)

static void lane_begin(struct graph *graph, struct lane *lane, int32_t slot_count)
{
    tally_begin(lane->tally, slot_count);
    for (int32_t i = 0; i < graph->node_count; i++) {
        lane->instances[i].counts = (struct operator_counts){.duplicates_of = tally_duplicates(lane->tally, i)};
        lane->instances[i].seen_us = INT64_MIN;
    }
}

void graph_begin(struct graph *graph, const struct epoch_time *times, int64_t batch_time_us, int32_t slot_count)
{
    for (int32_t i = 0; i < graph->node_count; i++)
        graph->times[i] =
            graph->nodes[i].plan->streaming ? times[i] : (struct epoch_time){times[i].epoch, STILL_LATE_US, INT64_MAX};
    graph->session.batch_time_us = batch_time_us;
    for (int32_t l = 0; l < graph->spec.lanes; l++)
        lane_begin(graph, &graph->lanes[l], slot_count);
    tally_begin(&graph->tally, slot_count);
}

int32_t graph_stateful_count(const struct graph *graph) { return graph->stateful_count; }

const struct plan *graph_stateful_plan(const struct graph *graph, int32_t stateful)
{
    return graph->nodes[graph->stateful[stateful]].plan;
}

const char *graph_stateful_name(const struct graph *graph, int32_t stateful)
{
    return graph->nodes[graph->stateful[stateful]].name;
}

const char *graph_stateful_what(const struct graph *graph, int32_t stateful)
{
    return graph->nodes[graph->stateful[stateful]].what;
}

int32_t graph_shards(const struct graph *graph) { return graph->spec.shards; }

/* What happened, and what becomes of it, by kind of stage. */
struct overflow {
    const char *what, *condition, *then;
};
static const struct overflow of_groups = {"results of groups do not fit their type", "[ARITHMETIC_OVERFLOW] ",
                                          "are NULL; cast the argument to a wider one"};
static const struct overflow of_pairs = {"pairs of rows for which the condition of the join fails", "",
                                         "do not match; cast or try_ the terms of the condition"};

/* No single record is to blame for a total that does not fit or for a pair, so there is none to quarantine. */
static enum code overflown_tell(const struct graph *graph, int32_t node, int64_t count, struct error *err)
{
    const struct plan *plan = graph->nodes[node].plan;
    const struct overflow *how = plan->kind == PLAN_JOIN ? &of_pairs : &of_groups;
    const char *file = plan->at.file != NULL ? plan->at.file : "";
    if (count == 0)
        return E_OK;
    if (graph->spec.fail_on_error)
        return fail(err, E_DATA, "%s%s:%d:%d: %" PRId64 " %s; leat.on_error is fail", how->condition, file,
                    plan->at.line, plan->at.column, count, how->what);
    log_warn("%s:%d:%d: %s%" PRId64 " %s: they %s", file, plan->at.line, plan->at.column, how->condition, count,
             how->what, how->then);
    return E_OK;
}

enum code graph_merge(struct graph *graph, int32_t stateful, int32_t shard, int32_t lane, struct error *err)
{
    int32_t id = graph->stateful[stateful];
    struct lane *self = &graph->lanes[lane];
    struct emit_context context = {graph, self, &graph->nodes[id]};
    const struct emit emit = node_emit(&context);
    cpu_meter_start(&self->meter, CPU_AGGREGATE);
    struct stateful *stage = graph->nodes[id].stage;
    struct operator_counts *counts = &self->instances[id].counts;
    int64_t overflown_before = counts->overflown;
    enum code code = stage->type->shard_merge(stage, shard, &graph->times[id], &emit, counts, err);
    cpu_meter_stop(&self->meter);
    TRY(code);
    return overflown_tell(graph, id, counts->overflown - overflown_before, err);
}

static struct stateful *stage_of(const struct graph *graph, int32_t stateful)
{
    return graph->nodes[graph->stateful[stateful]].stage;
}

void graph_lanes_clear(struct graph *graph, int32_t stateful)
{
    struct stateful *stage = stage_of(graph, stateful);
    stage->type->lanes_clear(stage);
}

struct stateful *graph_stateful(const struct graph *graph, int32_t stateful) { return stage_of(graph, stateful); }

const struct epoch_time *graph_stateful_time(const struct graph *graph, int32_t stateful)
{
    return &graph->times[graph->stateful[stateful]];
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
            sum->duplicates += c->duplicates;
            sum->aggregated += c->aggregated;
            sum->exploded += c->exploded;
            sum->overflown += c->overflown;
            sum->replayed += c->replayed;
        }
        if (graph->nodes[i].plan->kind == PLAN_GENERATE)
            sum->exploded = sum->out - (sum->in - sum->rejected);
    }
}

const struct tally *graph_tally(struct graph *graph)
{
    tally_add(&graph->tally, graph->tallies, graph->spec.lanes);
    return &graph->tally;
}

bool graph_has_strangers(const struct graph *graph)
{
    for (int32_t lane = 0; lane < graph->spec.lanes; lane++)
        for (int32_t n = 0; n < graph->node_count; n++)
            if (graph->lanes[lane].instances[n].strangers > 0)
                return true;
    return false;
}

void graph_sightings(struct graph *graph, void (*each)(void *context, const struct sighting *sighting), void *context)
{
    for (int32_t lane = 0; lane < graph->spec.lanes; lane++)
        for (int32_t n = 0; n < graph->node_count; n++) {
            struct sightings *sightings = &graph->lanes[lane].instances[n].sightings;
            while (sightings->told < sightings->count)
                each(context, &sightings->items[sightings->told++]);
        }
}

struct counting {
    void (*each)(void *context, const struct plan *plan, const char *path, int64_t met);
    void *context;
    const struct plan *plan;
};

static void stranger_count(void *context, const char *path, int64_t met)
{
    const struct counting *self = context;
    self->each(self->context, self->plan, path, met);
}

void graph_strangers(const struct graph *graph,
                     void (*each)(void *context, const struct plan *plan, const char *path, int64_t met), void *context)
{
    struct counting counting = {each, context, NULL};
    for (int32_t lane = 0; lane < graph->spec.lanes; lane++)
        for (int32_t n = 0; n < graph->node_count; n++) {
            const struct instance *instance = &graph->lanes[lane].instances[n];
            counting.plan = graph->nodes[n].plan;
            if (instance->strangers > 0)
                instance->decoder_type->strangers(instance->decoder, stranger_count, &counting);
        }
}

int64_t graph_groups(const struct graph *graph)
{
    int64_t groups = 0;
    for (int32_t i = 0; i < graph->stateful_count; i++)
        groups += stateful_entries(stage_of(graph, i));
    return groups;
}

size_t graph_state_bytes(const struct graph *graph)
{
    size_t size = 0;
    for (int32_t i = 0; i < graph->stateful_count; i++)
        size += stateful_bytes(stage_of(graph, i));
    return size;
}

void graph_cpu(const struct graph *graph, int64_t *into)
{
    for (int32_t l = 0; l < graph->spec.lanes; l++)
        for (int32_t b = 0; b < CPU_BUCKETS; b++)
            into[b] += graph->lanes[l].meter.spent_us[b];
}

struct cpu_meter *graph_meter(struct graph *graph, int32_t lane) { return &graph->lanes[lane].meter; }
