/* graph_replay.c - records out of a quarantine on their way back to what rejected them.
 *
 *     source -> view -> explode -+-> [gate] rejecting node -> everything behind it, as any row
 *                 |              +-x its other users: closed
 *                 +-x other tables: closed
 *
 * Before a gate nothing is counted: a scratch tally takes what the stages count by partition, and their own counts are put
 * back. Every record then counts as replayed at every gate: as many times as it came, or once when it did not come, being
 * rejected again or filtered out on its way.
 */
#include "runtime/graph_parts.h"

/* ---- on the way ---- */

static bool is_meant(const struct replay_rows *what, const struct batch *batch, int64_t row, bool at_gate)
{
    int64_t wanted = what->lineages[batch_origin(batch, row)], place = batch_place(batch, row);
    if (what->route->node == NULL) // all that comes out of it, and what it comes out of
        return lineage_is_of(place, wanted) || (!at_gate && lineage_is_of(wanted, place));
    return at_gate ? place == wanted : lineage_is_of(wanted, place);
}

static void meant_rows(const struct replay_rows *what, const struct batch *batch, bool at_gate, struct batch *out)
{
    int32_t *rows = mem_array(int32_t, (size_t)batch->rows);
    int64_t count = 0;
    for (int64_t row = 0; row < batch->rows; row++) {
        rows[count] = (int32_t)row;
        count += is_meant(what, batch, row, at_gate);
    }
    batch_gather(out, batch, rows, count);
    mem_free(rows);
}

static enum code gate_pass(struct graph *graph, struct lane *lane, const struct edge *edge, const struct batch *batch,
                           struct error *err)
{
    struct replaying *self = lane->replaying;
    struct tally *scratch = lane->tally;
    int64_t *came = self->came[edge->target];
    for (int64_t row = 0; row < batch->rows; row++)
        came[batch_origin(batch, row)]++;
    lane->replaying = NULL;
    lane->tally = self->tally;
    enum code code = node_push(graph, lane, edge->target, edge->port, batch, err);
    lane->tally = scratch;
    lane->replaying = self;
    return code;
}

enum code replay_deliver(struct graph *graph, struct lane *lane, const struct node *node, const struct batch *batch,
                         struct error *err)
{
    const struct replay_route *route = lane->replaying->what->route;
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < node->edge_count; i++) {
        const struct edge *edge = &node->edges[i];
        if (edge->to_table || (!route->gate[edge->target] && !route->passed[edge->target]))
            continue;
        struct batch meant = {0};
        bool at_gate = route->gate[edge->target];
        meant_rows(lane->replaying->what, batch, at_gate, &meant);
        if (meant.rows > 0)
            code = at_gate ? gate_pass(graph, lane, edge, &meant, err)
                           : node_push(graph, lane, edge->target, edge->port, &meant, err);
        batch_release(&meant);
    }
    return code;
}

/* ---- what became of them ---- */

static void gate_account(struct graph *graph, struct lane *lane, const struct replaying *self, int32_t gate)
{
    int64_t came = 0, filtered = 0, rejected = 0, records = self->what->rows->rows;
    for (int64_t i = 0; i < records; i++) {
        int64_t rows = self->came[gate][i];
        came += rows;
        rejected += rows == 0 && self->rejected[i];
        filtered += rows == 0 && !self->rejected[i];
    }
    struct operator_counts *counts = &lane->instances[gate].counts;
    counts->replayed += came + filtered + rejected;
    counts->in += filtered + rejected;
    counts->filtered += filtered;
    counts->rejected += rejected;
    tally_replayed(&graph->tallies[lane->index], self->what->slot, gate, came, filtered, rejected);
}

static enum code replay_push(struct graph *graph, struct lane *lane, struct replaying *self, struct error *err)
{
    struct operator_counts *before = mem_array(struct operator_counts, (size_t)graph->node_count);
    struct tally scratch;
    tally_init(&scratch, &graph->tally_plan);
    tally_begin(&scratch, self->tally->slot_count);
    for (int32_t i = 0; i < graph->node_count; i++)
        before[i] = lane->instances[i].counts;
    lane->replaying = self;
    lane->tally = &scratch;
    enum code code = node_push(graph, lane, self->what->source->id, 0, self->what->rows, err);
    lane->tally = self->tally;
    lane->replaying = NULL;
    for (int32_t i = 0; i < graph->node_count; i++)
        if (self->what->route->passed[i])
            lane->instances[i].counts = before[i];
    tally_free(&scratch);
    mem_free(before);
    return code;
}

enum code graph_replay(struct graph *graph, const struct replay_rows *replay, struct error *err)
{
    struct lane *lane = &graph->lanes[0];
    size_t records = (size_t)replay->rows->rows;
    struct replaying self = {
        .what = replay,
        .again = {replay->about, replay->lineages},
        .rejected = mem_array(bool, records),
        .came = mem_array(int64_t *, (size_t)graph->node_count),
        .tally = lane->tally,
    };
    for (int32_t i = 0; i < graph->node_count; i++)
        if (replay->route->gate[i])
            self.came[i] = mem_array(int64_t, records);
    cpu_meter_start(&lane->meter, CPU_EXPRESSIONS);
    enum code code = replay_push(graph, lane, &self, err);
    cpu_meter_stop(&lane->meter);
    for (int32_t i = 0; code == E_OK && i < graph->node_count; i++)
        if (replay->route->gate[i])
            gate_account(graph, lane, &self, i);
    for (int32_t i = 0; i < graph->node_count; i++)
        mem_free(self.came[i]);
    mem_free(self.rejected);
    mem_free(self.came);
    return code;
}
