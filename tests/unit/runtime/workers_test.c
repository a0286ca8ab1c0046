#include "kit.h"

#include "base/os.h"
#include "runtime/workers.h"

struct counting_job {
    struct job job;
    atomic_int *ran, *discarded;
    bool fails;
};

static enum code count_run(struct job *job, int32_t lane, struct error *err)
{
    struct counting_job *self = (struct counting_job *)job;
    (void)lane;
    if (self->fails)
        return fail(err, E_IO, "job failed on purpose");
    atomic_fetch_add(self->ran, 1);
    return E_OK;
}

static void count_discard(struct job *job) { atomic_fetch_add(((struct counting_job *)job)->discarded, 1); }

enum { JOBS = 2000 };

TEST(drain_waits_for_every_job)
{
    struct workers *pool = workers_start(3, 4);
    atomic_int ran = 0, discarded = 0;
    static struct counting_job jobs[JOBS];
    struct error err = {0};
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < JOBS; i++) {
            jobs[i] = (struct counting_job){{count_run, count_discard}, &ran, &discarded, false};
            workers_submit(pool, &jobs[i].job);
        }
        CHECK(workers_drain(pool, &err) == E_OK);
        CHECK_INT(ran, round * JOBS);
    }
    workers_stop(pool);
}

TEST(a_failure_discards_what_is_queued_and_is_reported_once)
{
    struct workers *pool = workers_start(2, 4);
    atomic_int ran = 0, discarded = 0;
    static struct counting_job jobs[JOBS];
    struct error err = {0};
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct counting_job){{count_run, count_discard}, &ran, &discarded, i == 10};
        workers_submit(pool, &jobs[i].job);
    }
    CHECK(workers_drain(pool, &err) == E_IO);
    CHECK_STR(err.text, "job failed on purpose");
    CHECK_INT(ran + discarded, JOBS - 1);
    CHECK(!workers_failed(pool));
    error_clear(&err);
    jobs[0] = (struct counting_job){{count_run, count_discard}, &ran, &discarded, false};
    workers_submit(pool, &jobs[0].job);
    CHECK(workers_drain(pool, &err) == E_OK);
    CHECK_INT(ran + discarded, JOBS);
    workers_stop(pool);
}
