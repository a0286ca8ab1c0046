/* ledger.h - where every record of an epoch went, per table, exactly.
 *
 * Node     what its inputs gave, it took; what it took and added, it gave, kept or dropped. Checked for every node
 * Table    the sum over the nodes above it, each taken as often as there are paths from that node to the table (a UNION of
 *          two branches of one source sees every record twice). What an aggregate or a join of streams gives are other
 *          rows than it took: only what happens up to the first of them on each path is part of the sum. A
 *          deduplication's rows are its input's
 *              in + replayed + exploded = kept + filtered + late + null_time + quarantined + duplicates
 *          kept: a plain table's rows; else what the first stages with state took in, and rows that reach the same table
 *          (or UNION) as theirs without any
 * Slot     the same of the rows of each partition, and all partitions together give the table's counts. Rows born of state
 *          have no partition: `out` of a table that has some is the table's alone
 * Replayed rows out of a quarantine enter at the node that had rejected them: what stands above it does not count them
 * Still    rows of what stands still are no part of it: a lookup gives the stream's rows, more of them or fewer
 * Thread   counts are per lane and summed when the lanes are quiet
 */
#ifndef RUNTIME_LEDGER_H
#define RUNTIME_LEDGER_H

#include "runtime/chain.h"
#include "runtime/tally.h"

/* What a table's ledger is made from: it depends on the plan alone. */
struct ledger_map {
    const struct pipeline *pipeline;
    const struct pipeline_table *table;
    int64_t *paths; /* per plan node: ways to the table's flows */
    bool *born;     /* per plan node: its input are, some at least, rows that a stage with state made */
    bool windowed;  /* some stage with state makes rows of the table */
};
void ledger_map_init(struct ledger_map *self, struct arena *arena, const struct pipeline *pipeline,
                     const struct pipeline_table *table);
/* paths[node] = number of paths of streams from each node to `table`'s flows; node_count entries, overwritten. */
void ledger_paths(const struct pipeline *pipeline, const struct pipeline_table *table, int64_t *paths);

/* counts[node]: of the epoch, summed over lanes, of all rows or of those of one partition (tally.h). `written`: rows the
 * table's sink took. */
struct ledger ledger_of(const struct ledger_map *map, const struct operator_counts *counts, int64_t written);
void ledger_add(struct ledger *into, const struct ledger *from);

/* What an epoch counted. */
struct ledger_counts {
    const struct pipeline *pipeline;
    const struct operator_counts *nodes; /* per plan node */
    const struct tally *tally;           /* the same by slot */
    const struct chain_range *ranges;    /* a slot is an index of it */
    int32_t range_count;
};
/* The ledger of `table` and of its partitions for the commit record; memory is the arena's. E_BUG: one does not close, or
 * the partitions are not the table. */
MUST_CHECK enum code ledger_table(const struct ledger_counts *counts, int32_t table, const struct ledger_map *map,
                                  int64_t written, struct arena *arena, struct chain_ledger *out, struct error *err);
/* E_BUG: a source delivered other rows of a range than the graph took. */
MUST_CHECK enum code ledger_ranges_check(const struct ledger_counts *counts, struct error *err);
/* E_BUG names the first node that lost or made up rows. */
MUST_CHECK enum code ledger_nodes_check(const struct pipeline *pipeline, const struct operator_counts *counts,
                                        struct error *err);

#endif
