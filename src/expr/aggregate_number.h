/* aggregate_number.h - inside expr/: numbers, times and intervals as DOUBLEs, in aggregates that do not care which they are.
 *
 * Rounds   BIGINT and DECIMAL past 2^53, as Spark does there
 * Thread   any
 */
#ifndef EXPR_AGGREGATE_NUMBER_H
#define EXPR_AGGREGATE_NUMBER_H

#include "expr/aggregate.h"

/* DECIMALs by their value; times and intervals in the units of their columns. */
double number_at(const struct column *col, int64_t row);
/* Back into a column of the type, cut off at its range; NULL when a DECIMAL does not hold it. */
void number_put(struct builder *out, const struct type *type, double value);

#endif
