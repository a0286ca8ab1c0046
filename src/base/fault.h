/* fault.h - named fail points on the commit path (style.md E12, exactly-once.md section 9).
 *
 * LEAT_FAIL=<point>:<n>[:kill|eio|lost|stop]   acts the n-th time (from 1) the point is reached
 *   kill  SIGKILL to ourselves (default)        eio   the operation fails with EIO, not done
 *   lost  the operation is done, its answer is E_IO   stop  SIGSTOP, for zombies
 * Use      FAULT(point) where only kill and stop make sense; FAULT_IO(point, err) before an operation:
 *          returns the code on eio; FAULT_LOST(point, err) after it: returns E_IO on lost.
 *          A FAULT_IO/FAULT_LOST pair around one operation counts once (in FAULT_IO)
 * Cost     compiled in with LEAT_FAULTS: one relaxed load when LEAT_FAIL is not set
 * Thread   any
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include "base/error.h"

#define FAULT_POINTS(X) /* point, what has just happened or is about to */                   \
    X(stage_open, "a staged file is about to be created")                                    \
    X(stage_write, "bytes are about to be written to a staged file")                         \
    X(stage_fsync, "a staged file is about to be synced")                                    \
    X(stage_done, "everything of the epoch is staged and synced, no record yet")             \
    X(record_temp, "the record's temporary file is written, not yet linked")                 \
    X(record_put, "the record is about to be linked under its name")                         \
    X(after_record, "the record is in the chain, nothing is published")                      \
    X(publish_one, "one staged file is about to be renamed to its final name")               \
    X(publish_done, "all files of the epoch are published")                                  \
    X(swap_linked, "the folder with merged files is whole, readers still see the old one")   \
    X(swap_done, "readers see the folder with merged files, the old one is not removed yet") \
    X(delta_before, "a Delta commit is about to be put; its files are published")            \
    X(delta_put, "a Delta commit is in the table's log, nobody has heard of it")             \
    X(state_merge, "the epoch's state delta is about to be merged")                          \
    X(snapshot_put, "a state snapshot is about to be put")                                   \
    X(kafka_offsets, "the source's offsets and the mark are about to join the transaction")  \
    X(kafka_commit, "the transaction is about to be committed; everything else is staged")   \
    X(kafka_after, "the transaction is committed, the record is not in the chain")           \
    X(group_commit, "the group's offsets are about to be mirrored to the broker")            \
    X(gc_one, "one garbage file is about to be removed")                                     \
    X(assign, "partitions are about to be assigned")                                         \
    X(revoke, "partitions were taken away")

enum fault_point {
#define X(name, text) FAULT_##name,
    FAULT_POINTS(X)
#undef X
        FAULT_COUNT
};

/* Read LEAT_FAIL; E_USAGE when it names no point. Call once at start. */
MUST_CHECK enum code fault_init(struct error *err);
/* Print all points with their help, one a line (for `leat run --list-faults`). */
void fault_list(void);

#ifdef LEAT_FAULTS
enum fault_action { FAULT_NONE, FAULT_EIO, FAULT_LOST_ANSWER };
enum fault_action fault_reached(enum fault_point point);
/* What fault_init does, with the text given; NULL or "" disarms. For tests inside one process. */
MUST_CHECK enum code fault_arm(const char *spec, struct error *err);
#define FAULT(point) ((void)fault_reached(FAULT_##point))
#define FAULT_IO(point, err)                                           \
    enum fault_action fault_of_##point = fault_reached(FAULT_##point); \
    if (fault_of_##point == FAULT_EIO)                                 \
        return fail((err), E_IO, "injected fault at " #point);
#define FAULT_LOST(point, err)                 \
    if (fault_of_##point == FAULT_LOST_ANSWER) \
        return fail((err), E_IO, "injected lost answer at " #point);
/* For who learns later that the answer is lost; after FAULT_IO. */
#define FAULT_IS_LOST(point) (fault_of_##point == FAULT_LOST_ANSWER)
#else
#define FAULT(point) ((void)0)
#define FAULT_IO(point, err)
#define FAULT_LOST(point, err)
#define FAULT_IS_LOST(point) false
#endif

#endif
