/* watermarks.h - how far event time has come: per watermark, per group, and at each stateful node.
 *
 * Group    the watermarks of one flow (in Spark: of one query). Its W is the smallest of theirs (the largest, by
 *          spark.sql.streaming.multipleWatermarkPolicy); it starts at 0 and never falls
 * Epoch    N judges late rows by W(N-1), emits and evicts by W(N), and computes W(N+1) from what it has seen. So W over
 *          all rows of all partitions decides: an idle partition cannot hold it back, it has no say
 * Node     W travels through the plan as in Spark's propagation: a watermark gives its group's W, a stage passes on the
 *          smallest of its inputs, a join of streams gives what its sides' states can still hold back. A node whose
 *          inputs have none stands at 0. PLAN_TABLE ends it: what stands below is another query
 * Units    int64 microseconds UTC; seen times are INT64_MIN when nothing was seen
 * Thread   one
 * Spec     docs/semantics.md#watermarks; Spark 4.2 multi-operator watermark propagation
 */
#ifndef RUNTIME_WATERMARKS_H
#define RUNTIME_WATERMARKS_H

#include "operator/operator.h"
#include "runtime/runtime.h"

struct watermark_time {
    int64_t late_us, emit_us; /* W(N-1), W(N) of the epoch to run or running */
    int64_t next_us;          /* W(N+1), once it has run */
};
struct watermarks {
    const struct pipeline *pipeline;
    struct watermark_time *groups;
    int32_t group_count;
    int64_t *node_us; /* per plan_watermark.node: max(seen - delay) so far; 0 = nothing seen */
    int32_t node_count;
};
void watermarks_init(struct watermarks *self, const struct pipeline *pipeline);
void watermarks_close(struct watermarks *self);

/* The times each node of the plan works with in `epoch`; pipeline->node_count entries, 0 for what has no watermark. */
void watermarks_times(const struct watermarks *self, int64_t epoch, struct epoch_time *times);
/* next_us of every group, from the largest event time that each watermark saw in this epoch. */
void watermarks_advance(struct watermarks *self, const int64_t *seen_us);
/* The epoch is committed: W(N) becomes W(N-1), W(N+1) becomes W(N). */
void watermarks_step(struct watermarks *self);
/* The W at some stage rose with the last epoch: it may close windows and evict state although no input is there. */
bool watermarks_moved(const struct watermarks *self);
/* The W furthest behind: of the running epoch, or of the next one; 0 when there is none. */
int64_t watermarks_smallest(const struct watermarks *self);
int64_t watermarks_smallest_next(const struct watermarks *self);

/* The group whose W a stateful node follows, -1 = none. */
int32_t watermark_group_of(const struct watermarks *self, const struct plan *plan);

#endif
