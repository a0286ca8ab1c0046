/* replay_route.h - which edges of the graph a replayed row takes: only those that lead to what had lost it.
 *
 * Gate      where the row counts as arrived: from there on it goes everywhere, like any row. With the rejecting node still
 *           in the plan the gates are the edges into it; the row that arrives must be the very row of its record that was
 *           rejected. With the node gone (the query was changed) the gates are the edges into the first stages with state,
 *           or into the last nodes, of the tables that had lost the row; then it must be, or come out of, that row
 * Way       up to the gates only nodes that lead to one are passed, nothing is counted, and a deduplication lets everything
 *           through: the row had passed it before
 * Refused   E_CHANGED: nothing is left of node and tables; or a gate of a table would let the row into another table too;
 *           or (node gone) a deduplication is on the way, and nobody knows whether the row had passed it
 * Owns      all in the arena
 * Thread    pure
 */
#ifndef RUNTIME_REPLAY_ROUTE_H
#define RUNTIME_REPLAY_ROUTE_H

#include "sql/sql.h"

struct replay_route {
    const struct plan *node; /* that rejected, or NULL: it is gone */
    bool *passed;            /* per plan node: on the way to a gate */
    bool *gate;              /* per plan node: rows arrive there; not `passed` */
    int32_t gate_count;
};
/* The node with this stamp, or NULL. */
const struct plan *plan_find(const struct pipeline *pipeline, struct bytes stamp);
MUST_CHECK enum code replay_route_find(struct arena *arena, const struct pipeline *pipeline, struct bytes stamp,
                                       const struct bytes *tables, int32_t table_count, struct replay_route *out,
                                       struct error *err);

#endif
