/* plan_stage.h - which plan nodes run as what: state across epochs, or rows that stand still.
 *
 * Stateful   streaming aggregates, deduplications and joins of two streams: merged at the end of an epoch, in the chain
 * Lookup     a join of a stream with an input that stands still: that input is read when it changes, the other is pushed
 *            through
 * Still      everything above a lookup's still input, and above materialized views: computed whole (graph_still.c)
 */
#ifndef RUNTIME_PLAN_STAGE_H
#define RUNTIME_PLAN_STAGE_H

#include "sql/sql.h"

const char *plan_kind_name(enum plan_kind kind); /* "aggregate", "distinct" */

static inline bool plan_is_lookup(const struct plan *plan)
{
    return plan->kind == PLAN_JOIN && plan->inputs[0]->streaming != plan->inputs[1]->streaming;
}

/* Takes rows in during an epoch and merges them at its end. */
static inline bool plan_is_stateful(const struct plan *plan)
{
    return plan->streaming && (plan->kind == PLAN_AGGREGATE || plan->kind == PLAN_DEDUPLICATE ||
                               (plan->kind == PLAN_JOIN && !plan_is_lookup(plan)));
}

/* The input of a lookup that is hashed; the rows of the other one look their partners up. */
static inline int32_t plan_still_input(const struct plan *plan) { return plan->inputs[0]->streaming ? 1 : 0; }

#endif
