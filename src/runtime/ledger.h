/* ledger.h - where every record of an epoch went, per table, exactly.
 *
 * Node     what its inputs gave, it took; what it took and added, it gave, kept or dropped. Checked for every node
 * Table    the sum over the nodes above it, each taken as often as there are paths from that node to the table (a UNION of
 *          two branches of one source sees every record twice). What an aggregate or a join of streams gives are other
 *          rows than it took: only what happens up to the first of them on each path is part of the sum. A
 *          deduplication's rows are its input's
 *              in + exploded = kept + filtered + late + null_time + quarantined + duplicates
 *          kept: a plain table's rows; else what the first stages with state took in, and rows that reach the same table
 *          (or UNION) as theirs without any
 * Still    rows of what stands still are no part of it: a lookup gives the stream's rows, more of them or fewer
 * Thread   counts are per lane and summed when the lanes are quiet
 */
#ifndef RUNTIME_LEDGER_H
#define RUNTIME_LEDGER_H

#include "operator/operator.h"
#include "runtime/runtime.h"

/* What a table's ledger is made from: it depends on the plan alone. */
struct ledger_map {
    const struct pipeline *pipeline;
    const struct pipeline_table *table;
    int64_t *paths;                    /* per plan node: ways to the table's flows */
    bool *born;                        /* per plan node: its input are, some at least, rows that a stage with state made */
    bool windowed;                     /* some stage with state makes rows of the table */
};
void ledger_map_init(struct ledger_map *self, struct arena *arena, const struct pipeline *pipeline,
                     const struct pipeline_table *table);
/* paths[node] = number of paths of streams from each node to `table`'s flows; node_count entries, overwritten. */
void ledger_paths(const struct pipeline *pipeline, const struct pipeline_table *table, int64_t *paths);

/* counts[node]: of the epoch, summed over lanes. `written`: rows the table's sink took. */
struct ledger ledger_of(const struct ledger_map *map, const struct operator_counts *counts, int64_t written);
void ledger_add(struct ledger *into, const struct ledger *from);
/* E_BUG names the first node that lost or made up rows. */
MUST_CHECK enum code ledger_nodes_check(const struct pipeline *pipeline, const struct operator_counts *counts, struct error *err);

#endif
