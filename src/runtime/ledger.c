#include "runtime/ledger.h"

#include "runtime/plan_stage.h"

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
            paths[plan_input(plan, j)->id] += paths[i];
    }
}

/* What an aggregate or a join of streams emits are other rows than it took; a deduplication's are the same. */
static bool gives_birth(const struct plan *plan)
{
    return plan_is_stateful(plan) && plan->kind != PLAN_DEDUPLICATE;
}

static bool rows_are_born(const struct plan *plan)
{
    for (int32_t i = 0; i < plan->input_count; i++) {
        const struct plan *input = plan_input(plan, i);
        if (gives_birth(input) || rows_are_born(input))
            return true;
    }
    return false;
}

struct ledger ledger_of(const struct pipeline *pipeline, const int64_t *paths, const struct operator_counts *counts,
                        int64_t written)
{
    struct ledger sum = {.out = written};
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        const struct operator_counts *c = &counts[i];
        const struct plan *plan = pipeline->nodes[i];
        if (paths[i] == 0 || rows_are_born(plan))
            continue;
        if (plan->kind == PLAN_SOURCE)
            sum.in += paths[i] * c->out;
        if (plan->kind == PLAN_AGGREGATE)
            sum.aggregated += paths[i] * c->aggregated;
        sum.exploded += paths[i] * c->exploded;
        sum.filtered += paths[i] * c->filtered;
        sum.late += paths[i] * c->late;
        sum.null_time += paths[i] * c->null_time;
        sum.quarantined += paths[i] * c->rejected;
        sum.duplicates += paths[i] * c->duplicates;
    }
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
