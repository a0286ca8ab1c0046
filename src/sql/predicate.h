/* predicate.h - take conditions apart: a AND b AND c, and which side of a join each part reads.
 *
 * Shape    a condition over a join reads the left input's columns first, then the right input's
 * Owns     parts point into the condition; lists live in the arena
 */
#ifndef SQL_PREDICATE_H
#define SQL_PREDICATE_H

#include "sql/list.h"
#include "sql/plan.h"

/* Append the parts of a AND b AND .. in their order; each is a const struct expr *. */
void predicate_split(struct arena *arena, const struct expr *predicate, struct list *out);
/* All parts joined by AND, as a tree of little height; NULL when there are none. */
const struct expr *predicate_all(struct expr_context *ctx, const struct list *parts);

enum reads { READS_NOTHING = 0, READS_LEFT = 1, READS_RIGHT = 2, READS_MARKS = 4 };
/* What an expression over a join reads, as a set of enum reads. */
int predicate_reads(const struct expr *expr, int32_t left_count);
bool predicate_reads_column(const struct expr *expr, int32_t column);
/* Every column index moved by `shift`: from one input of a join to the join, or back. `schema` is
 * that of where it moves to. */
const struct expr *predicate_shift(struct expr_context *ctx, const struct expr *expr, int32_t shift,
                                   const struct type *schema);

#endif
