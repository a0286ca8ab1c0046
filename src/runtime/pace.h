/* pace.h - how many records fit into one epoch's memory.
 *
 * Why      an epoch that is cut while it reads has taken much of one partition and nothing of the next. Epoch by epoch their
 *          event times drift apart, and rows become late that are not. So the end is planned before, in proportion over the
 *          partitions (source_plan); the cut remains for what no plan could know
 * Room     the budget without what stays taken in any case (records read ahead). The lanes may take half of it, the shards
 *          need the rest to merge it
 * Guess    RECORD_GUESS_BYTES until an epoch was measured; then the largest of late, forgotten slowly
 * Thread   one
 */
#ifndef RUNTIME_PACE_H
#define RUNTIME_PACE_H

#include "base/memory.h"

struct pace {
    size_t room_bytes;    /* 0: nothing limits an epoch */
    size_t base_bytes;    /* taken before the epoch read anything, state apart */
    int64_t record_bytes; /* what the lanes keep of one record; 0 = not measured yet */
};

/* An epoch begins. resident_bytes: of the budget's, what is state and could leave. */
void pace_begin(struct pace *pace, const struct budget *budget, size_t resident_bytes);
/* What the lanes took in is all that they may. */
bool pace_full(const struct pace *pace, const struct budget *budget, size_t resident_bytes);
/* All records of the epoch are with the lanes. */
void pace_learn(struct pace *pace, const struct budget *budget, size_t resident_bytes, int64_t records);
/* Most records of the next epoch, at least 1; 0 = no limit. */
int64_t pace_records(const struct pace *pace);

#endif
