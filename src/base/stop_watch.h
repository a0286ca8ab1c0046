/* stop_watch.h - whether what this thread works at is to end: asked by loops that may take long.
 *
 * Many of them cannot fail: kernels, sorts, comparisons. They leave off where they are, with whatever they have: nobody
 * looks at it, because the flag stays up and who can fail asks once more before rows go on.
 *
 *     stop_begin(asked, context, &before)  ..  if (stop_asked(steps)) break;  ..  stop_end(&before)
 *
 * Steps    what was done since the loop asked last, in the smallest things it does (a comparison, a pair, a value copied:
 *          a few nanoseconds each). `asked` is called every STOP_STEPS of them: some milliseconds apart
 * Watches  nest: an inner one takes the place of the outer one for a while
 * Thread   each has its own; one that nobody watches is never asked to stop
 */
#ifndef BASE_STOP_WATCH_H
#define BASE_STOP_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { STOP_STEPS = 1 << 18 };

struct stop_watch {
    bool (*asked)(void *context); /* NULL: nobody watches */
    void *context;
    int64_t steps; /* since it was called last */
    bool up;
};
extern _Thread_local struct stop_watch stop_current;

/* `asked` may be NULL. */
void stop_begin(bool (*asked)(void *context), void *context, struct stop_watch *before);
void stop_end(const struct stop_watch *before);
/* Ask now. */
bool stop_asked_now(void);
/* Ask when it is time. */
static inline bool stop_asked(int64_t steps)
{
    stop_current.steps += steps;
    return stop_current.up || (stop_current.steps >= STOP_STEPS && stop_asked_now());
}
/* Has it been asked? */
static inline bool stop_is_up(void) { return stop_current.up; }
/* E_STOPPED when it is asked: for loops that can fail. */
MUST_CHECK enum code stop_check(int64_t steps, struct error *err);

#endif
