/* workers.h - a fixed set of threads that run jobs from one bounded queue.
 *
 * Use      workers_submit() many, then workers_drain(): all submitted jobs have run and the first error is returned
 * Failure  after a job failed, the jobs still queued are only discarded, so that drain comes soon
 * Owns     a job is the caller's; `run` or `discard` is its last use
 * Inline   without threads: jobs run inside submit and drain, one at a time, in an order and on lanes that os->random_bytes
 *          draws. With a seeded struct os a run then repeats itself exactly (tests/sim)
 * Thread   submit, drain: one thread (the runtime's). Jobs run on any worker; `lane` tells which (0..count-1)
 */
#ifndef RUNTIME_WORKERS_H
#define RUNTIME_WORKERS_H

#include "base/thread.h"
#include "runtime/runtime.h"

struct job {
    enum code (*run)(struct job *self, int32_t lane, struct error *err);
    void (*discard)(struct job *self); /* instead of run, after a failure; may be NULL */
};
struct workers;
struct workers *workers_start(int32_t count, uint32_t queue_jobs);
struct workers *workers_inline(int32_t count, uint32_t queue_jobs);
int32_t workers_count(const struct workers *self);
void workers_submit(struct workers *self, struct job *job); /* waits while the queue is full */
bool workers_failed(const struct workers *self);
MUST_CHECK enum code workers_drain(struct workers *self, struct error *err); /* and forgets the failure */
/* Call each(context, i, lane) for i in [0, count), begun in that order, on all workers, and wait. After a failure no
 * further one is begun. Small pieces of work cost no trip through the queue. */
MUST_CHECK enum code workers_each(struct workers *self, int32_t count,
                                  enum code (*each)(void *context, int32_t i, int32_t lane, struct error *err),
                                  void *context, struct error *err);
void workers_stop(struct workers *self);

#endif
