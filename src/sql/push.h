/* push.h - inside the pushing of filters: what push.c and push_join.c need of each other.
 *
 * Shape    a filter moves by trading places with what stands below; a node that nobody uses any more is abandoned,
 *          so that a walk over the nodes collected before does not touch it again
 */
#ifndef SQL_PUSH_H
#define SQL_PUSH_H

#include "sql/optimise.h"

/* As far down as the filter may go. */
void push_down(struct optimiser *self, struct plan *filter);
/* The join's own conditions to its sides. */
void push_join(struct optimiser *self, struct plan *join);
/* A filter over a join that nobody else uses. */
void push_into_join(struct optimiser *self, struct plan *filter);
void plan_abandon(struct plan *node);

#endif
