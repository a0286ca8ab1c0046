#include "counting_stage.h"

#include "base/os.h"
#include "runtime/spill.h"
#include "runtime/workers.h"

enum { SHARDS = 12, FIT_SHARDS = 3, ROUNDS = 60, THREADS = 3 };

struct spilled {
    struct budget budget;
    struct counting_stage stage;
    struct stateful *stages[1];
    struct spill *spill;
    char folder[512];
    int64_t model[SHARDS][CELLS];
};

static void spilled_open(struct spilled *test, int64_t fit_shards)
{
    struct error err = {0};
    memset(test, 0, sizeof *test);
    test->budget.limit_bytes = (size_t)fit_shards * CELLS * CELL_BYTES;
    counting_open(&test->stage, &test->budget, SHARDS);
    test->stages[0] = &test->stage.base;
    snprintf(test->folder, sizeof test->folder, "%s/spill", kit_tmpdir());
    const struct spill_spec spec = {test->stages, 1, &test->budget, test->folder};
    CHECK_INT(spill_open(&spec, &test->spill, &err), E_OK);
}

static void count_file(void *context, __attribute__((unused)) const char *name, __attribute__((unused)) bool is_dir)
{
    ++*(int *)context;
}

static void spilled_close(struct spilled *test)
{
    struct error err = {0};
    spill_close(test->spill);
    counting_close(&test->stage);
    CHECK_INT(test->budget.used_bytes, 0);
    CHECK(test->budget.relieve == NULL);
    int files = 0;
    CHECK_INT(os->list(test->folder, count_file, &files, &err), E_ABSENT);
}

/* What an epoch does with a shard: every cell is what was put there last, and some get a new number. */
static enum code shard_use(struct spilled *test, int32_t shard, int64_t number, struct error *err)
{
    TRY(spill_pin(test->spill, 0, shard, err));
    enum code code = E_OK;
    const struct counting_shard *at = &test->stage.shards[shard];
    for (int64_t i = 0; i < CELLS; i++)
        if (at->cells[i] != test->model[shard][i])
            CHECK_INT(at->cells[i], test->model[shard][i]);
    for (int64_t i = number % 7; code == E_OK && i < CELLS; i += 3) {
        code = counting_set(&test->stage.base, shard, i, number + i, err);
        test->model[shard][i] = number + i;
    }
    spill_unpin(test->spill, 0, shard);
    return code;
}

TEST(state_larger_than_the_budget_stays_right)
{
    static struct spilled test;
    struct error err = {0};
    spilled_open(&test, FIT_SHARDS);
    for (int round = 1; round <= ROUNDS; round++) {
        int32_t shard = (int32_t)(kit_random() % SHARDS);
        CHECK_INT(shard_use(&test, shard, round, &err), E_OK);
        CHECK(!spill_is_away(test.spill, 0, shard));
        CHECK(test.budget.used_bytes <= test.budget.limit_bytes);
    }
    struct spill_totals totals = spill_totals(test.spill);
    CHECK(totals.shards >= SHARDS - FIT_SHARDS - 2);
    CHECK(totals.entries > 0 && totals.file_bytes > 0);
    CHECK(totals.written_bytes > totals.read_bytes);
    CHECK_INT(spill_resident_bytes(test.spill), test.budget.used_bytes);
    spilled_close(&test);
}

TEST(the_longest_unused_shard_leaves_first_and_wanted_ones_last)
{
    static struct spilled test;
    struct error err = {0};
    spilled_open(&test, FIT_SHARDS);
    for (int32_t shard = 0; shard < FIT_SHARDS; shard++)
        for (int number = 1; number <= 3; number++) // all cells
            CHECK_INT(shard_use(&test, shard, number, &err), E_OK);
    spill_want(test.spill, 0, 0);
    CHECK_INT(shard_use(&test, FIT_SHARDS, 1, &err), E_OK);
    CHECK(!spill_is_away(test.spill, 0, 0));
    CHECK(spill_is_away(test.spill, 0, 1));
    CHECK(!spill_is_away(test.spill, 0, 2));
    spilled_close(&test);
}

TEST(a_shard_that_is_away_is_copied_without_coming_back)
{
    static struct spilled test;
    struct error err = {0};
    struct text here = {0}, away = {0};
    spilled_open(&test, FIT_SHARDS);
    CHECK_INT(shard_use(&test, 0, 5, &err), E_OK);
    CHECK_INT(spill_snapshot(test.spill, 0, 0, &here, &err), E_OK);
    for (int32_t shard = 1; !spill_is_away(test.spill, 0, 0); shard++)
        CHECK_INT(shard_use(&test, shard % SHARDS, shard, &err), E_OK);
    CHECK_INT(spill_snapshot(test.spill, 0, 0, &away, &err), E_OK);
    CHECK(spill_is_away(test.spill, 0, 0));
    CHECK(bytes_equal(text_view(&here), text_view(&away)));
    text_free(&here);
    text_free(&away);
    spilled_close(&test);
}

TEST(a_shard_that_cannot_fit_is_told)
{
    static struct spilled test;
    struct error err = {0};
    spilled_open(&test, 1);
    test.budget.limit_bytes /= 2;
    enum code code = E_OK;
    for (int number = 1; code == E_OK && number <= 3; number++)
        code = shard_use(&test, 0, number, &err);
    CHECK_INT(code, E_MEMORY);
    CHECK(strstr(err.text, "leat.memory") != NULL);
    CHECK(strstr(err.text, "leat.epoch.max_records") != NULL);
    spilled_close(&test);
}

TEST(what_a_crash_left_in_the_folder_is_removed)
{
    static struct spilled test;
    struct error err = {0};
    char path[600];
    spilled_open(&test, FIT_SHARDS);
    snprintf(path, sizeof path, "%s/0-3", test.folder);
    CHECK_INT(os_replace_file(path, bytes_of_string("old"), &err), E_OK);
    struct spill *again = NULL;
    const struct spill_spec spec = {test.stages, 1, &test.budget, test.folder};
    CHECK_INT(spill_open(&spec, &again, &err), E_OK);
    struct os_stat found;
    CHECK_INT(os->stat(path, &found, &err), E_ABSENT);
    spill_close(again);
    spilled_close(&test);
}

/* ---- several at once ---- */

struct use_job {
    struct job job;
    struct spilled *test;
    int32_t shard;
    int64_t number;
};

static enum code use_run(struct job *job, __attribute__((unused)) int32_t lane, struct error *err)
{
    struct use_job *self = (struct use_job *)job;
    return shard_use(self->test, self->shard, self->number, err);
}

TEST(workers_share_a_budget_of_little_more_than_what_they_hold)
{
    static struct spilled test;
    static struct use_job jobs[SHARDS];
    struct error err = {0};
    spilled_open(&test, THREADS + 1);
    struct workers *pool = workers_start(THREADS, 4);
    for (int round = 1; round <= ROUNDS / 3; round++) {
        for (int32_t shard = 0; shard < SHARDS; shard++) {
            jobs[shard] = (struct use_job){{use_run, NULL}, &test, shard, round};
            workers_submit(pool, &jobs[shard].job);
        }
        CHECK_INT(workers_drain(pool, &err), E_OK);
        CHECK_STR(err.text, "");
    }
    workers_stop(pool);
    spilled_close(&test);
}
