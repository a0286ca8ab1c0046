/* view_wait.h - private to runtime/: a materialized view whose memory did not suffice. Each attempt costs as much as one that
 * succeeds, and the same work would fail again: so it is tried ever more rarely, and told once.
 *
 * Zeroed   it does not wait
 * Units    microseconds of the monotonic clock
 */
#ifndef RUNTIME_VIEW_WAIT_H
#define RUNTIME_VIEW_WAIT_H

#include <stdbool.h>
#include <stdint.h>

struct view_wait {
    int32_t failures; /* one after the other; 0: it could be computed */
    int64_t until_us; /* not tried before */
    bool missed;      /* it would have been computed since */
};
#define VIEW_WAIT_FIRST_US ((int64_t)60 * 1000000)
#define VIEW_WAIT_MOST_US ((int64_t)3600 * 1000000)

void view_wait_failed(struct view_wait *self, int64_t now_us);
/* Is it to be left out now? */
static inline bool view_waits(const struct view_wait *self, int64_t now_us)
{
    return self->failures > 0 && now_us < self->until_us;
}
/* Its turn has come, though nothing has changed that was not seen before. */
static inline bool view_wait_over(const struct view_wait *self, int64_t now_us)
{
    return self->missed && now_us >= self->until_us;
}

#endif
