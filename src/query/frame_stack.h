/* frame_stack.h - inside query/: an aggregate over frames that slide along the rows, without adding each frame up anew.
 *
 *   rows     from ........ middle ......... to
 *   front    a state per row: that row and all behind it, up to the middle; the frame's is the one at `from`
 *   back     one state: the rows from the middle on; a row that comes is added to it
 *
 * A frame is front merged with back. When the frame leaves the front behind, the rows of the back become the new front:
 * every row is added twice and merged once, whatever the size of the frames.
 *
 * For      states without heap memory whose merge is exact: frames give what adding their rows in turn gives
 * Holds    a state per row of a frame, beside the budget; frames of more than FRAME_ROWS_MAX rows are not for it
 */
#ifndef QUERY_FRAME_STACK_H
#define QUERY_FRAME_STACK_H

#include "query/stage.h"

enum { FRAME_ROWS_MAX = 1 << 20 };

struct frame_stack {
    const struct aggregate_call *call;
    const struct column *args; /* per row: the arguments, then the filter; borrowed */
    int32_t arg_count;         /* with the filter */
    struct rejects *rejects;
    uint8_t *front, *back, *result; /* states */
    int64_t front_from, front_rows, front_capacity;
    int64_t from, middle, to; /* of the frame at hand, and where its back begins */
    size_t heap_bytes;
};
bool frame_stack_suits(const struct aggregate_call *call);
void frame_stack_open(struct frame_stack *self, const struct aggregate_call *call, const struct column *args,
                      int32_t arg_count, struct rejects *rejects);
/* The state of rows [from, to), until the next call. A bound that goes back is allowed, and slow. */
const uint8_t *frame_stack_state(struct frame_stack *self, int64_t from, int64_t to);
void frame_stack_close(struct frame_stack *self);

#endif
