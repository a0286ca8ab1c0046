/* ledger.h - where every record of an epoch went, per table, exactly.
 *
 * Method   each node of the graph counts what it took, gave and dropped; a table's ledger is the sum over the nodes
 *          above it, each taken as often as there are paths from that node to the table (a UNION of two branches of one
 *          source sees every record twice). Flow is conserved at every node, so the sum closes exactly. Rows that an
 *          aggregate emits are other rows: only what happens before the first aggregate is part of the equation
 * Thread   counts are per lane and summed when the lanes are quiet
 */
#ifndef RUNTIME_LEDGER_H
#define RUNTIME_LEDGER_H

#include "operator/operator.h"
#include "runtime/runtime.h"

/* paths[node] = number of paths from each node to `table`'s flows; node_count entries, overwritten. */
void ledger_paths(const struct pipeline *pipeline, const struct pipeline_table *table, int64_t *paths);
/* counts[node]: of the epoch, summed over lanes. `written`: rows the table's sink took. */
struct ledger ledger_of(const struct pipeline *pipeline, const int64_t *paths, const struct operator_counts *counts,
                        int64_t written);
void ledger_add(struct ledger *into, const struct ledger *from);

#endif
