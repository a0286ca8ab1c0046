/* portion.h - inside query/: a batch in portions small enough that what is made of them fits into memory.
 *
 * A stage may make much of little: repeat('x', 10000000), array_repeat, explode. So what it makes of a batch is watched
 * (data/room.h), and when it passes the room, thrown away and made again of half of the rows; the next portion starts from
 * what fitted. The last resort is one row, which may take what is left of the budget.
 *
 * Owns     the batch that it took from the input, until its last portion
 * Fails    E_MEMORY when one row is too large
 */
#ifndef QUERY_PORTION_H
#define QUERY_PORTION_H

#include "query/stage.h"

struct portions {
    struct batch whole;
    int64_t at, rows_max, fitted; /* rows_max 0: whole batches */
};
typedef enum code portion_work(struct stage *stage, const struct batch *in, struct batch *out, struct error *err);
/* The work for the next portion of the input's rows; out without a schema: there are no more. The work of rows that turn
 * out to be too many is done again, so it must not keep anything of them before it has all it needs. */
MUST_CHECK enum code portions_next(struct portions *self, struct stage *stage, int32_t input, portion_work *work,
                                   struct batch *out, struct error *err);
void portions_close(struct portions *self);
/* How much may be made at once: a part of the budget. */
size_t room_of(const struct query *query);

#endif
