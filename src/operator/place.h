/* place.h - where rows stand in their source, so that "the first row" means the same at every worker count.
 *
 * Shape    in order of partition, offset, topic: any order would do that depends on nothing else. Rows of one
 *          record have one place; they stay in order by themselves, since a record's rows are worked on by
 *          one worker. Rows born in leat have the place zero
 * Thread   any
 */
#ifndef OPERATOR_PLACE_H
#define OPERATOR_PLACE_H

#include "data/data.h"
#include "expr/expr.h"

/* out[row] for all rows of the batch. */
void places_find(const struct batch *in, struct row_place *out);

#endif
