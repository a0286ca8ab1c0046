/* expiry.h - which slots end when, so that nobody scans a table to find what a watermark closes.
 *
 * Shape    slots are chained by end time into buckets of `width_us`, through a number that the owner of the
 *          slot keeps beside it; a heap knows the earliest bucket. With `width_us` = the window's slide a
 *          bucket is one window
 * Use      owner's link = expiry_add(..); then expiry_take() bucket by bucket and walk the chain. Of the last
 *          bucket taken a part may end later: those are added again
 * Cost     asking when nothing ends is one comparison
 * Units    microseconds; a bucket holds [origin + n * width, origin + (n + 1) * width)
 * Owns     the buckets, charged to the budget; borrows nothing
 * Fails    E_MEMORY
 * Thread   one at a time
 */
#ifndef OPERATOR_EXPIRY_H
#define OPERATOR_EXPIRY_H

#include "state/state.h"

enum { EXPIRY_NONE = -1 }; /* as uint32_t: the end of a chain */

struct expiry {
    int64_t width_us, origin_us;
    struct state_table *buckets; /* bucket number -> first slot */
    int64_t *heap;               /* bucket numbers, smallest first */
    int64_t heap_count, heap_capacity;
    int64_t last_bucket; /* of the last add: neighbours share it */
    uint32_t last_slot;  /* its slot in `buckets`, or EXPIRY_NONE */
};
void expiry_init(struct expiry *self, int64_t width_us, int64_t origin_us, struct budget *budget);
void expiry_close(struct expiry *self);
/* `slot` ends at end_us; *link receives the slot that comes after it in its chain. */
MUST_CHECK enum code expiry_add(struct expiry *self, int64_t end_us, uint32_t slot, uint32_t *link, struct error *err);
/* The first slot in the chain of the bucket that end_us lies in: the one added last; EXPIRY_NONE when it has none. */
uint32_t expiry_peek(struct expiry *self, int64_t end_us);
/* When the earliest bucket begins: nothing ends before; INT64_MAX when there is none. */
int64_t expiry_first_us(const struct expiry *self);
/* Take the earliest bucket away when something in it may end at or before now_us. *first receives its chain. */
bool expiry_take(struct expiry *self, int64_t now_us, uint32_t *first);

#endif
