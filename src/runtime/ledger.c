#include "runtime/ledger.h"

#include <inttypes.h>

#include "runtime/plan_stage.h"

/* ---- the plan's part ---- */

void ledger_paths(const struct pipeline *pipeline, const struct pipeline_table *table, int64_t *paths)
{
    for (int32_t i = 0; i < pipeline->node_count; i++)
        paths[i] = 0;
    for (int32_t i = 0; i < table->flow_count; i++)
        paths[table->flows[i]->id]++;
    // Nodes are in topological order, so going backwards sees every user before its inputs.
    for (int32_t i = pipeline->node_count - 1; i >= 0; i--) {
        const struct plan *plan = pipeline->nodes[i];
        for (int32_t j = 0; paths[i] > 0 && j < plan->input_count; j++)
            if (plan_input(plan, j)->streaming)
                paths[plan_input(plan, j)->id] += paths[i];
    }
}

/* What an aggregate or a join of streams gives are other rows than it took. */
static bool gives_birth(const struct plan *plan)
{
    return plan_is_stateful(plan) && plan->kind != PLAN_DEDUPLICATE;
}

/* Whether rows that leave the node may be such. */
static bool gives_born(const struct ledger_map *self, const struct plan *plan)
{
    return gives_birth(plan) || self->born[plan->id];
}

void ledger_map_init(struct ledger_map *self, struct arena *arena, const struct pipeline *pipeline,
                     const struct pipeline_table *table)
{
    size_t count = (size_t)pipeline->node_count;
    *self = (struct ledger_map){
        .pipeline = pipeline,
        .table = table,
        .paths = arena_array(arena, int64_t, count),
        .born = arena_array(arena, bool, count),
    };
    ledger_paths(pipeline, table, self->paths);
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        const struct plan *plan = pipeline->nodes[i];
        for (int32_t j = 0; j < plan->input_count; j++)
            self->born[i] |= gives_born(self, plan_input(plan, j));
        self->windowed |= self->paths[i] > 0 && gives_birth(plan);
    }
}

/* ---- a table ---- */

/* Rows that go, without having met state, where rows come together with born ones: from there on nobody can tell. */
static int64_t mixed_rows(const struct ledger_map *map, const struct plan *plan, const struct operator_counts *counts)
{
    int64_t rows = 0;
    for (int32_t j = 0; map->born[plan->id] && j < plan->input_count; j++) {
        const struct plan *input = plan_input(plan, j);
        if (input->streaming && !gives_born(map, input))
            rows += map->paths[plan->id] * counts[input->id].out;
    }
    return rows;
}

static int64_t plain_flows(const struct ledger_map *map, const struct operator_counts *counts)
{
    int64_t rows = 0;
    for (int32_t f = 0; f < map->table->flow_count; f++)
        if (!gives_born(map, map->table->flows[f]))
            rows += counts[map->table->flows[f]->id].out;
    return rows;
}

struct ledger ledger_of(const struct ledger_map *map, const struct operator_counts *counts, int64_t written)
{
    struct ledger sum = {.out = written};
    for (int32_t i = 0; i < map->pipeline->node_count; i++) {
        const struct operator_counts *c = &counts[i];
        const struct plan *plan = map->pipeline->nodes[i];
        int64_t paths = map->paths[i];
        if (paths == 0)
            continue;
        sum.aggregated += mixed_rows(map, plan, counts);
        if (map->born[i])
            continue;
        if (plan->kind == PLAN_SOURCE)
            sum.in += paths * c->out;
        sum.aggregated += paths * c->aggregated;
        sum.exploded += paths * c->exploded;
        sum.filtered += paths * c->filtered;
        sum.late += paths * c->late;
        sum.null_time += paths * c->null_time;
        sum.quarantined += paths * c->rejected;
        sum.duplicates += paths * c->duplicates;
    }
    if (map->windowed)
        sum.aggregated += plain_flows(map, counts);
    return sum;
}

void ledger_add(struct ledger *into, const struct ledger *from)
{
    into->in += from->in;
    into->exploded += from->exploded;
    into->filtered += from->filtered;
    into->late += from->late;
    into->null_time += from->null_time;
    into->quarantined += from->quarantined;
    into->duplicates += from->duplicates;
    into->aggregated += from->aggregated;
    into->out += from->out;
}

bool ledger_closes(const struct ledger *l, bool windowed)
{
    int64_t kept = windowed ? l->aggregated : l->out;
    return l->in + l->exploded == kept + l->filtered + l->late + l->null_time + l->quarantined + l->duplicates;
}

/* ---- a node ---- */

static bool node_closes(const struct plan *plan, const struct operator_counts *c)
{
    int64_t kept = gives_birth(plan) ? c->aggregated : c->out;
    return c->in + c->exploded == kept + c->filtered + c->late + c->null_time + c->rejected + c->duplicates;
}

static int64_t given_to(const struct plan *plan, const struct operator_counts *counts)
{
    int64_t rows = 0;
    for (int32_t j = 0; j < plan->input_count; j++)
        if (plan_input(plan, j)->streaming)
            rows += counts[plan_input(plan, j)->id].out;
    return rows;
}

enum code ledger_nodes_check(const struct pipeline *pipeline, const struct operator_counts *counts, struct error *err)
{
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        const struct plan *plan = pipeline->nodes[i];
        const struct operator_counts *c = &counts[i];
        if (plan->kind == PLAN_SOURCE || !plan->streaming)
            continue;
        if (c->in != given_to(plan, counts) || !node_closes(plan, c))
            return fail(err, E_BUG, "the %s #%d at %s:%d does not account for its rows: given %" PRId64 ", took %" PRId64
                        " + exploded %" PRId64 ", gave %" PRId64 ", state %" PRId64 ", filtered %" PRId64 ", late %" PRId64
                        ", null time %" PRId64 ", rejected %" PRId64 ", duplicates %" PRId64, plan_kind_name(plan->kind), i,
                        plan->at.file != NULL ? plan->at.file : "", plan->at.line, given_to(plan, counts), c->in, c->exploded,
                        c->out, c->aggregated, c->filtered, c->late, c->null_time, c->rejected, c->duplicates);
    }
    return E_OK;
}
