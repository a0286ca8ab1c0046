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

struct each_test {
    atomic_int calls[JOBS];
    atomic_int lanes;
    int32_t fails_at;
};

static enum code each_count(void *context, int32_t i, int32_t lane, struct error *err)
{
    struct each_test *test = context;
    atomic_fetch_add(&test->calls[i], 1);
    atomic_fetch_or(&test->lanes, 1 << lane);
    return i == test->fails_at ? fail(err, E_IO, "number %d failed on purpose", i) : E_OK;
}

TEST(each_is_called_once_for_every_number)
{
    static struct each_test test = {.fails_at = -1};
    struct workers *pool = workers_start(3, 4);
    struct error err = {0};
    static const int32_t counts[] = {0, 1, 2, 3, JOBS};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        memset(test.calls, 0, sizeof test.calls);
        CHECK_INT(workers_each(pool, counts[c], each_count, &test, &err), E_OK);
        for (int32_t i = 0; i < JOBS; i++)
            CHECK_INT(test.calls[i], i < counts[c]);
    }
    CHECK(test.lanes < 8);
    test.fails_at = 5;
    memset(test.calls, 0, sizeof test.calls);
    CHECK_INT(workers_each(pool, JOBS, each_count, &test, &err), E_IO);
    CHECK_STR(err.text, "number 5 failed on purpose");
    CHECK_INT(test.calls[JOBS - 1], 0);
    workers_stop(pool);
}

/* ---- inline: the same promises, and the same order when the random numbers are the same ---- */

static uint64_t drawn;

static void repeatable_bytes(void *out, size_t size)
{
    memset(out, 0, size);
    drawn = drawn * 6364136223846793005u + 1442695040888963407u;
    memcpy(out, (const uint8_t *)&drawn + 4, size < 4 ? size : 4);
}

struct order_job {
    struct job job;
    int32_t number, *order, *count;
};

static enum code order_run(struct job *job, int32_t lane, struct error *err)
{
    struct order_job *self = (struct order_job *)job;
    (void)err;
    self->order[(*self->count)++] = self->number * 8 + lane;
    return E_OK;
}

enum { ORDERED = 40 };

static void order_jobs(int32_t *order)
{
    static struct order_job jobs[ORDERED];
    struct os fake = *os_system();
    struct error err = {0};
    int32_t count = 0;
    fake.random_bytes = repeatable_bytes;
    drawn = 7;
    os_install(&fake);
    struct workers *pool = workers_inline(3, 4);
    for (int32_t i = 0; i < ORDERED; i++) {
        jobs[i] = (struct order_job){{order_run, NULL}, i, order, &count};
        workers_submit(pool, &jobs[i].job);
    }
    CHECK_INT(workers_drain(pool, &err), E_OK);
    CHECK_INT(count, ORDERED);
    workers_stop(pool);
    os_install(NULL);
}

TEST(inline_jobs_run_in_an_order_that_repeats)
{
    int32_t first[ORDERED], second[ORDERED];
    bool in_turn = true;
    order_jobs(first);
    order_jobs(second);
    CHECK(memcmp(first, second, sizeof first) == 0);
    for (int32_t i = 1; i < ORDERED; i++)
        in_turn &= first[i] / 8 > first[i - 1] / 8;
    CHECK(!in_turn);
}

TEST(inline_jobs_after_a_failure_are_discarded)
{
    struct workers *pool = workers_inline(2, 8);
    atomic_int ran = 0, discarded = 0;
    struct counting_job jobs[4];
    struct error err = {0};
    for (int i = 0; i < 4; i++) {
        jobs[i] = (struct counting_job){{count_run, count_discard}, &ran, &discarded, true};
        workers_submit(pool, &jobs[i].job);
    }
    CHECK_INT(workers_drain(pool, &err), E_IO);
    CHECK_INT(discarded, 3);
    CHECK(!workers_failed(pool));
    workers_stop(pool);
}
