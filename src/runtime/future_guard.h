/* future_guard.h - keep event times of the far future away from a watermark.
 *
 * Why      a watermark follows the largest time it sees and never falls: one record of a clock gone wrong would close
 *          every window at once and make all that comes after it late
 * Rule     a row is refused when its event time is more than max_future_us ahead of its record's timestamp; ahead of the
 *          epoch's batch time when it has no record, or the record has no timestamp. NULL times pass
 * Cost     a maximum over the event times and a minimum over the records' timestamps of a batch; rows are looked at one
 *          by one only when these say that some may be refused
 * Thread   any
 */
#ifndef RUNTIME_FUTURE_GUARD_H
#define RUNTIME_FUTURE_GUARD_H

#include "expr/expr.h"

struct future_guard {
    int32_t column;        /* of the batch: the event time */
    int64_t max_future_us; /* > 0 */
    int64_t batch_time_us;
    const struct zone *zone; /* for messages */
    struct position at;
};
/* Rejects the rows that the rule refuses, in order. */
void future_guard_batch(const struct future_guard *self, const struct batch *in, struct rejects *rejects);
/* For struct rejecter; `stage` is the guard. */
struct position future_guard_position(const void *stage, int32_t step);
void future_guard_detail(const void *stage, const struct batch *in, const struct reject *reject, struct text *out);

#endif
