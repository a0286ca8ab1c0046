#include "runtime/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
static bool gives_birth(const struct plan *plan) { return plan_is_stateful(plan) && plan->kind != PLAN_DEDUPLICATE; }

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
        sum.replayed += paths * c->replayed;
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
    into->replayed += from->replayed;
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
    return l->in + l->replayed + l->exploded ==
           kept + l->filtered + l->late + l->null_time + l->quarantined + l->duplicates;
}

/* ---- a table and its partitions ---- */

static enum code closes_check(const struct ledger *l, bool windowed, const char *what, const char *name,
                              struct error *err)
{
    if (ledger_closes(l, windowed))
        return E_OK;
    return fail(err, E_BUG,
                "the ledger of table %s%s does not close: in %" PRId64 " + replayed %" PRId64 " + exploded %" PRId64
                " is not out %" PRId64 " (state %" PRId64 ") + filtered %" PRId64 " + late %" PRId64
                " + null time %" PRId64 " + quarantined %" PRId64 " + duplicates %" PRId64,
                name, what, l->in, l->replayed, l->exploded, l->out, l->aggregated, l->filtered, l->late, l->null_time,
                l->quarantined, l->duplicates);
}

static enum code slot_check(const struct ledger_counts *counts, const struct ledger_map *map,
                            const struct chain_slot *slot, struct error *err)
{
    char what[400];
    const struct chain_range *range = &counts->ranges[slot->range];
    snprintf(what, sizeof what, ", topic %.300s partition %" PRId32 ",", range->topic, range->partition);
    return closes_check(&slot->counts, map->windowed, what, map->table->name, err);
}

/* Counted twice, by node and by partition: no row may be in one alone. */
static enum code slots_check(const struct ledger_map *map, const struct chain_ledger *ledger, struct error *err)
{
    struct ledger sum = {0};
    for (int32_t i = 0; i < ledger->slot_count; i++)
        ledger_add(&sum, &ledger->slots[i].counts);
    if (map->windowed)
        sum.out = ledger->counts.out; // rows born of state are of no partition
    if (memcmp(&sum, &ledger->counts, sizeof sum) == 0)
        return E_OK;
    const struct ledger *all = &ledger->counts;
    return fail(err, E_BUG,
                "the partitions of table %s are not the table: in %" PRId64 " of %" PRId64 ", exploded %" PRId64
                " of %" PRId64 ", filtered %" PRId64 " of %" PRId64 ", late %" PRId64 " of %" PRId64
                ", null time %" PRId64 " of %" PRId64 ", quarantined %" PRId64 " of %" PRId64 ", duplicates %" PRId64
                " of %" PRId64 ", state %" PRId64 " of %" PRId64 ", out %" PRId64 " of %" PRId64,
                ledger->table, sum.in, all->in, sum.exploded, all->exploded, sum.filtered, all->filtered, sum.late,
                all->late, sum.null_time, all->null_time, sum.quarantined, all->quarantined, sum.duplicates,
                all->duplicates, sum.aggregated, all->aggregated, sum.out, all->out);
}

/* Rows that the sink itself could not take, of a table whose rows are the stream's. */
static void refused_add(const struct ledger_map *map, int64_t refused, struct ledger *to)
{
    if (!map->windowed)
        to->quarantined += refused;
}

enum code ledger_table(const struct ledger_counts *counts, int32_t table, const struct ledger_map *map, int64_t written,
                       struct arena *arena, struct chain_ledger *out, struct error *err)
{
    *out = (struct chain_ledger){.table = map->table->name};
    if (map->table->materialized) { // no stream's rows
        out->counts = (struct ledger){.in = written, .out = written};
        return E_OK;
    }
    const struct tally *tally = counts->tally;
    out->counts = ledger_of(map, counts->nodes, written);
    for (int32_t row = 0; row < tally->row_count; row++)
        refused_add(map, tally_row_refused(tally, row)[table], &out->counts);
    TRY(closes_check(&out->counts, map->windowed, "", out->table, err));
    struct chain_slot *slots = arena_array(arena, struct chain_slot, (size_t)tally->row_count);
    out->slots = slots;
    for (int32_t row = 0; row < tally->row_count; row++) {
        struct chain_slot *slot = &slots[out->slot_count];
        *slot = (struct chain_slot){tally->slots[row],
                                    ledger_of(map, tally_row(tally, row), tally_row_tables(tally, row)[table])};
        refused_add(map, tally_row_refused(tally, row)[table], &slot->counts);
        static const struct ledger nothing;
        if (memcmp(&slot->counts, &nothing, sizeof nothing) == 0)
            continue;
        TRY(slot_check(counts, map, slot, err));
        out->slot_count++;
    }
    return slots_check(map, out, err);
}

/* ---- a source ---- */

enum code ledger_ranges_check(const struct ledger_counts *counts, struct error *err)
{
    const struct tally *tally = counts->tally;
    int32_t row = 0;
    for (int32_t i = 0; i < counts->range_count; i++) {
        int64_t taken = 0;
        bool replayed = strcmp(counts->ranges[i].source, REPLAY_SOURCE) == 0; // they come in elsewhere: replay.c
        bool met = row < tally->row_count && tally->slots[row] == i;
        for (int32_t n = 0; met && n < counts->pipeline->node_count; n++)
            if (counts->pipeline->nodes[n]->kind == PLAN_SOURCE && counts->pipeline->nodes[n]->streaming)
                taken += tally_row(tally, row)[n].out;
        row += met;
        const struct chain_range *range = &counts->ranges[i];
        if (taken != range->rows && !replayed)
            return fail(err, E_BUG,
                        "source %s: topic %s partition %" PRId32 " gave %" PRId64 " records, and %" PRId64
                        " were worked on",
                        range->source, range->topic, range->partition, range->rows, taken);
    }
    return E_OK;
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
        if (c->in != given_to(plan, counts) + c->replayed || !node_closes(plan, c))
            return fail(err, E_BUG,
                        "the %s #%d at %s:%d does not account for its rows: given %" PRId64 ", took %" PRId64
                        " + exploded %" PRId64 ", gave %" PRId64 ", state %" PRId64 ", filtered %" PRId64
                        ", late %" PRId64 ", null time %" PRId64 ", rejected %" PRId64 ", duplicates %" PRId64,
                        plan_kind_name(plan->kind), i, plan->at.file != NULL ? plan->at.file : "", plan->at.line,
                        given_to(plan, counts), c->in, c->exploded, c->out, c->aggregated, c->filtered, c->late,
                        c->null_time, c->rejected, c->duplicates);
    }
    return E_OK;
}
