#include "runtime/workers.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/os.h"

struct worker {
    struct workers *pool;
    int32_t lane;
    struct thread thread;
};
struct workers {
    struct queue queue;
    struct lock idle; /* guards pending and first_error */
    int64_t pending;
    struct error first_error;
    atomic_bool failed;
    int32_t count;
    struct worker workers[WORKERS_MAX];
    struct job **waiting; /* inline: no threads, and no queue but this one; NULL otherwise */
    uint32_t waiting_count, waiting_max;
};

static void job_done(struct workers *self, enum code code, const struct error *err)
{
    lock_take(&self->idle);
    if (code != E_OK && self->first_error.code == E_OK) {
        self->first_error = *err;
        atomic_store(&self->failed, true);
    }
    if (--self->pending == 0)
        lock_wake(&self->idle);
    lock_give(&self->idle);
}

static void job_run(struct workers *self, struct job *job, int32_t lane)
{
    struct error err = {0};
    enum code code = E_OK;
    if (!atomic_load(&self->failed))
        code = job->run(job, lane, &err);
    else if (job->discard != NULL)
        job->discard(job);
    job_done(self, code, &err);
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct workers *self = worker->pool;
    for (struct job *job; (job = queue_get(&self->queue, -1)) != NULL;)
        job_run(self, job, worker->lane);
    return NULL;
}

/* ---- inline ---- */

struct workers *workers_inline(int32_t count, uint32_t queue_jobs)
{
    always(count > 0 && count <= WORKERS_MAX && queue_jobs > 0);
    struct workers *self = mem_new(struct workers);
    self->count = count;
    self->waiting_max = queue_jobs;
    self->waiting = mem_array(struct job *, queue_jobs);
    lock_init(&self->idle);
    return self;
}

static int32_t any_lane(const struct workers *self) { return (int32_t)(os_random() % (uint64_t)self->count); }

static void inline_run_one(struct workers *self)
{
    uint32_t chosen = (uint32_t)(os_random() % self->waiting_count);
    struct job *job = self->waiting[chosen];
    self->waiting[chosen] = self->waiting[--self->waiting_count];
    job_run(self, job, any_lane(self));
}

static void inline_submit(struct workers *self, struct job *job)
{
    if (self->waiting_count == self->waiting_max)
        inline_run_one(self);
    self->waiting[self->waiting_count++] = job;
}

/* ---- life ---- */

struct workers *workers_start(int32_t count, uint32_t queue_jobs)
{
    always(count > 0 && count <= WORKERS_MAX);
    struct workers *self = mem_new(struct workers);
    self->count = count;
    queue_init(&self->queue, queue_jobs);
    lock_init(&self->idle);
    for (int32_t i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "leat-worker-%d", i);
        self->workers[i] = (struct worker){.pool = self, .lane = i};
        thread_start(&self->workers[i].thread, name, worker_main, &self->workers[i]);
    }
    return self;
}

int32_t workers_count(const struct workers *self) { return self->count; }

void workers_submit(struct workers *self, struct job *job)
{
    lock_take(&self->idle);
    self->pending++;
    lock_give(&self->idle);
    if (self->waiting != NULL)
        inline_submit(self, job);
    else
        always(queue_put(&self->queue, job));
}

bool workers_failed(const struct workers *self) { return atomic_load(&self->failed); }

enum code workers_drain(struct workers *self, struct error *err)
{
    while (self->waiting_count > 0)
        inline_run_one(self);
    lock_take(&self->idle);
    while (self->pending > 0)
        lock_wait(&self->idle, -1);
    enum code code = self->first_error.code;
    if (code != E_OK)
        *err = self->first_error;
    self->first_error = (struct error){0};
    atomic_store(&self->failed, false);
    lock_give(&self->idle);
    return code;
}

struct each_job {
    struct job job;
    struct each_work *work;
};
struct each_work {
    enum code (*each)(void *context, int32_t i, int32_t lane, struct error *err);
    void *context;
    int32_t count;
    atomic_int next;
    struct each_job jobs[WORKERS_MAX];
};

static enum code each_inline(struct workers *self, const struct each_work *work, struct error *err)
{
    for (int32_t i = 0; i < work->count; i++)
        TRY(work->each(work->context, i, any_lane(self), err));
    return E_OK;
}

static enum code each_run(struct job *job, int32_t lane, struct error *err)
{
    struct each_work *work = ((struct each_job *)job)->work;
    for (int32_t i; (i = atomic_fetch_add(&work->next, 1)) < work->count;) {
        enum code code = work->each(work->context, i, lane, err);
        if (code != E_OK) {
            atomic_store(&work->next, work->count); // the others stop too
            return code;
        }
    }
    return E_OK;
}

enum code workers_each(struct workers *self, int32_t count,
                       enum code (*each)(void *context, int32_t i, int32_t lane, struct error *err), void *context,
                       struct error *err)
{
    struct each_work work = {.each = each, .context = context, .count = count};
    if (self->waiting != NULL)
        return each_inline(self, &work, err);
    int32_t jobs = count < self->count ? count : self->count;
    for (int32_t i = 0; i < jobs; i++) {
        work.jobs[i] = (struct each_job){{each_run, NULL}, &work};
        workers_submit(self, &work.jobs[i].job);
    }
    return workers_drain(self, err);
}

void workers_stop(struct workers *self)
{
    if (self == NULL)
        return;
    if (self->waiting == NULL) {
        queue_close(&self->queue);
        for (int32_t i = 0; i < self->count; i++)
            thread_join(&self->workers[i].thread);
        queue_free(&self->queue);
    }
    mem_free(self->waiting);
    lock_close(&self->idle);
    mem_free(self);
}
