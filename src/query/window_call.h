/* window_call.h - inside query/: one window function over rows that are all there.
 *
 *   sorted      0 1 2 3 4 | 5 6 7          positions; `order` says which row stands there
 *   partition   [0, 5)      [5, 8)
 *   peers       rows of a partition that are equal in ORDER BY
 *   frame       [from, to) within the partition, per position
 *
 * A frame that only grows is added to; one that slides is kept as a stack of sums where that is exact (frame_stack.h); any
 * other is computed anew.
 *
 * Takes    at most WINDOW_ROW_BYTES a row beside the rows and what expressions make of them
 * Fails    E_MEMORY when the values are too many bytes; as a stage does else
 */
#ifndef QUERY_WINDOW_CALL_H
#define QUERY_WINDOW_CALL_H

#include "query/stage.h"

enum { WINDOW_ROW_BYTES = 128 }; /* five places, a key, and an item of sorting twice */

/* The call's value for each row, in the rows' order. */
MUST_CHECK enum code window_call_column(struct stage *stage, const struct plan_over *over, const struct batch *in,
                                        struct column *out, struct error *err);

#endif
