/* State through the chain: what state_log writes in epochs of random changes, state_history loads again, at every epoch,
 * with shards on disk, after damage, and from files as they were before. */
#include "counting_stage.h"

#include "base/hash.h"
#include "base/os.h"
#include "runtime/state_log.h"

enum { SHARDS = 8, EPOCHS = 50, SNAPSHOT_EPOCHS = 4, IDENTITY = 4711, FILE_MAX = 64 * 1024 * 1024 };

struct logged {
    struct budget budget;
    struct counting_stage stage;
    struct stateful *stages[1];
    struct plan plan;
    char root[512], folder[600];
    struct store *store;
    struct chain *chain;
    struct spill *spill;
    struct state_log *log;
    int64_t model[SHARDS][CELLS];
};

static void logged_open(struct logged *test, size_t limit_bytes)
{
    struct error err = {0};
    memset(test, 0, sizeof *test);
    test->budget.limit_bytes = limit_bytes;
    test->plan = (struct plan){.id = 3, .identity = IDENTITY};
    counting_open(&test->stage, &test->budget, SHARDS);
    test->stages[0] = &test->stage.base;
    snprintf(test->root, sizeof test->root, "%s", kit_tmpdir());
    snprintf(test->folder, sizeof test->folder, "%s/spill", test->root);
    CHECK_INT(store_open(test->root, &test->store, &err), E_OK);
    CHECK_INT(chain_open(test->store, "0", "orders", &test->chain, &err), E_OK);
    const struct spill_spec spill = {test->stages, 1, &test->budget, test->folder};
    CHECK_INT(spill_open(&spill, &test->spill, &err), E_OK);
    static const int32_t nodes[] = {3};
    const struct state_log_spec log = {test->store, test->spill, test->stages, nodes, 1, SNAPSHOT_EPOCHS};
    test->log = state_log_new(&log);
}

static void logged_close(struct logged *test)
{
    state_log_free(test->log);
    spill_close(test->spill);
    counting_close(&test->stage);
    chain_close(test->chain);
    store_close(test->store);
    CHECK_INT(test->budget.used_bytes, 0);
}

static void shard_change(struct logged *test, int32_t shard, int64_t number)
{
    struct error err = {0};
    CHECK_INT(spill_pin(test->spill, 0, shard, &err), E_OK);
    memset(test->stage.shards[shard].changed, 0, sizeof test->stage.shards[shard].changed);
    for (int i = 0; i < 20; i++) {
        int64_t cell = (int64_t)(kit_random() % CELLS);
        CHECK_INT(counting_set(&test->stage.base, shard, cell, number + i, &err), E_OK);
        test->model[shard][cell] = number + i;
    }
    CHECK_INT(state_log_save(test->log, 0, shard, true, &err), E_OK);
    spill_unpin(test->spill, 0, shard);
}

static void record_append(struct logged *test, int64_t epoch, const struct chain_state *state)
{
    struct error err = {0};
    struct chain_state copy = *state;
    const struct chain_record record = {
        .epoch = epoch, .timezone = "UTC", .ansi = true, .states = &copy, .state_count = 1};
    CHECK_INT(chain_append(test->chain, &record, &err), E_OK);
    CHECK_STR(err.text, "");
}

/* Every shard changes with one chance in two. */
static void epoch_run(struct logged *test, int64_t epoch)
{
    struct error err = {0};
    struct chain_state state = {.node = 3, .identity = IDENTITY, .name = "counting"};
    state_log_begin(test->log, 0, epoch);
    for (int32_t shard = 0; shard < SHARDS; shard++) {
        if (kit_random() % 2 == 0)
            shard_change(test, shard, epoch * 1000 + 1);
        else if (state_log_is_due(test->log, 0, shard))
            CHECK_INT(state_log_save(test->log, 0, shard, false, &err), E_OK);
    }
    CHECK_INT(state_log_finish(test->log, 0, &state, &err), E_OK);
    record_append(test, epoch, &state);
    state_log_committed(test->log, epoch);
    int64_t keep = state_log_oldest(test->log);
    if (keep > 0)
        CHECK_INT(chain_trim(test->chain, keep, &err), E_OK);
}

/* Load what the chain has into a new stage; the shards must be the model's. */
static enum code check_loaded(struct logged *test, struct error *err)
{
    struct budget budget = {0};
    struct counting_stage stage;
    struct state_history history;
    counting_open(&stage, &budget, SHARDS);
    enum code code = state_history_read(test->chain, test->store, &test->plan, &history, err);
    for (int32_t shard = 0; code == E_OK && shard < SHARDS; shard++)
        code = state_history_load(&history, &stage.base, shard, err);
    for (int32_t shard = 0; code == E_OK && shard < SHARDS; shard++)
        CHECK(memcmp(stage.shards[shard].cells, test->model[shard], sizeof test->model[shard]) == 0);
    if (code == E_OK)
        CHECK(state_history_by_shard(&history, &stage.base));
    state_history_free(&history);
    counting_close(&stage);
    return code;
}

TEST(every_epoch_can_be_loaded)
{
    static struct logged test;
    struct error err = {0};
    logged_open(&test, 0);
    for (int64_t epoch = 0; epoch < EPOCHS; epoch++) {
        epoch_run(&test, epoch);
        CHECK_INT(check_loaded(&test, &err), E_OK);
        CHECK_STR(err.text, "");
    }
    // Every shard came round twice within so many epochs, and what is older is gone.
    CHECK(chain_oldest(test.chain) >= EPOCHS - 1 - 3 * SNAPSHOT_EPOCHS);
    logged_close(&test);
}

TEST(shards_on_disk_are_written_whole_as_well)
{
    static struct logged test;
    struct error err = {0};
    logged_open(&test, (size_t)CELLS * CELL_BYTES);
    for (int64_t epoch = 0; epoch < EPOCHS; epoch++)
        epoch_run(&test, epoch);
    CHECK(spill_totals(test.spill).written_bytes > 0);
    CHECK_INT(check_loaded(&test, &err), E_OK);
    CHECK_STR(err.text, "");
    logged_close(&test);
}

TEST(a_new_log_goes_on_with_the_shard_that_waits_longest)
{
    static struct logged test;
    struct error err = {0};
    struct state_history history;
    logged_open(&test, 0);
    for (int64_t epoch = 0; epoch < 3; epoch++)
        epoch_run(&test, epoch);
    CHECK_INT(state_history_read(test.chain, test.store, &test.plan, &history, &err), E_OK);
    state_log_resume(test.log, 0, &history);
    state_log_begin(test.log, 0, 3);
    int64_t newest, before;
    for (int32_t shard = 0; shard < SHARDS; shard++) {
        state_history_wholes(&history, shard, &newest, &before);
        CHECK(newest < 0 || !state_log_is_due(test.log, 0, shard));
    }
    state_history_free(&history);
    logged_close(&test);
}

/* A node that is new in between ends its own history only. */
TEST(histories_of_all_nodes_are_read_at_once)
{
    static struct logged test;
    struct error err = {0};
    logged_open(&test, 0);
    for (int64_t epoch = 0; epoch < 5; epoch++)
        epoch_run(&test, epoch);
    const struct plan stranger = {.id = 4, .identity = IDENTITY + 1};
    const struct plan *const plans[] = {&stranger, &test.plan, &stranger};
    struct state_history alone, all[3];
    CHECK_INT(state_history_read(test.chain, test.store, &test.plan, &alone, &err), E_OK);
    CHECK_INT(state_histories_read(test.chain, test.store, plans, 3, all, &err), E_OK);
    CHECK(alone.count > 1);
    CHECK_INT(all[1].count, alone.count);
    for (int32_t i = 0; i < alone.count; i++)
        CHECK_STR(all[1].sources[i].path, alone.sources[i].path);
    CHECK_INT(all[0].count + all[2].count, 0);
    CHECK(all[0].from_start && all[2].from_start);
    for (int i = 0; i < 3; i++)
        state_history_free(&all[i]);
    state_history_free(&alone);
    logged_close(&test);
}

/* Flip a byte in the body of every whole of `shard`, from the newest on, `count` times. */
static void wholes_damage(struct logged *test, int32_t shard, int count)
{
    struct error err = {0};
    struct state_history history;
    CHECK_INT(state_history_read(test->chain, test->store, &test->plan, &history, &err), E_OK);
    for (int32_t i = 0; i < history.count; i++)
        for (int32_t p = 0; p < history.sources[i].parts.count; p++) {
            const struct state_part *part = &history.sources[i].parts.items[p];
            if (part->shard != shard || !part->whole || count-- <= 0)
                continue;
            struct text file = {0};
            CHECK_INT(store_get(test->store, history.sources[i].path, FILE_MAX, &file, &err), E_OK);
            file.data[part->offset + part->size_bytes / 2] ^= 1;
            CHECK_INT(store_put_over(test->store, history.sources[i].path, text_view(&file), &err), E_OK);
            text_free(&file);
        }
    state_history_free(&history);
}

TEST(the_whole_before_serves_when_the_newest_is_damaged)
{
    static struct logged test;
    struct error err = {0};
    logged_open(&test, 0);
    for (int64_t epoch = 0; epoch < EPOCHS; epoch++)
        epoch_run(&test, epoch);
    wholes_damage(&test, 5, 1);
    CHECK_INT(check_loaded(&test, &err), E_OK);
    CHECK_STR(err.text, "");
    wholes_damage(&test, 5, 1); // the same byte again: whole once more
    CHECK_INT(check_loaded(&test, &err), E_OK);
    wholes_damage(&test, 5, 100);
    CHECK_INT(check_loaded(&test, &err), E_CORRUPT);
    CHECK(strstr(err.text, "state file ") != NULL);
    logged_close(&test);
}

TEST(a_file_that_is_cut_is_corrupt)
{
    static struct logged test;
    struct error err = {0};
    struct text file = {0};
    logged_open(&test, 0);
    for (int64_t epoch = 0; epoch < 3; epoch++)
        epoch_run(&test, epoch);
    struct store_list list;
    CHECK_INT(store_list(test.store, "state/0", false, &list, &err), E_OK);
    const char *path = list.entries[list.count - 1].path;
    CHECK(strncmp(path, "state/0/0000000000000002-3-", 27) == 0);
    CHECK_INT(store_get(test.store, path, FILE_MAX, &file, &err), E_OK);
    CHECK_INT(store_put_over(test.store, path, bytes_of(file.data, file.size - 1), &err), E_OK);
    CHECK_INT(check_loaded(&test, &err), E_CORRUPT);
    CHECK(strstr(err.text, path) != NULL);
    store_list_free(&list);
    text_free(&file);
    logged_close(&test);
}

/* ---- as leat 0.1 wrote it: frames without parts, all shards whole in one epoch ---- */

static void old_epoch(struct logged *test, int64_t epoch, bool whole)
{
    struct error err = {0};
    struct text bytes = {0};
    char path[64];
    for (int64_t i = 0; i < 30; i++) {
        CHECK_INT(counting_set(&test->stage.base, 0, epoch * 10 + i, epoch + 1, &err), E_OK);
        test->model[0][epoch * 10 + i] = epoch + 1;
    }
    counting_write(&test->stage.shards[0], whole ? COUNTING_WHOLE : COUNTING_CHANGE, &bytes);
    snprintf(path, sizeof path, "state/0/old-%d", (int)epoch);
    CHECK_INT(store_put_over(test->store, path, text_view(&bytes), &err), E_OK);
    const struct chain_state state = {
        .node = 3,
        .name = "",
        .whole_to = whole,
        .path = path,
        .size_bytes = (int64_t)bytes.size,
        .checksum = XXH64(bytes.data, bytes.size, 0),
    };
    record_append(test, epoch, &state);
    text_free(&bytes);
    counting_settle(&test->stage);
}

static void check_loaded_whole(struct logged *test)
{
    struct budget budget = {0};
    struct counting_stage stage;
    struct state_history history;
    struct error err = {0};
    counting_open(&stage, &budget, SHARDS);
    CHECK_INT(state_history_read(test->chain, test->store, &test->plan, &history, &err), E_OK);
    CHECK(!state_history_by_shard(&history, &stage.base));
    CHECK_INT(state_history_load_all(&history, &stage.base, &err), E_OK);
    CHECK_STR(err.text, "");
    for (int32_t shard = 0; shard < SHARDS; shard++)
        CHECK(memcmp(stage.shards[shard].cells, test->model[shard], sizeof test->model[shard]) == 0);
    state_history_free(&history);
    counting_close(&stage);
}

TEST(old_files_are_loaded_and_new_ones_follow_them)
{
    static struct logged test;
    struct error err = {0};
    logged_open(&test, 0);
    for (int64_t epoch = 0; epoch < 6; epoch++)
        old_epoch(&test, epoch, epoch == 2);
    check_loaded_whole(&test);
    for (int64_t epoch = 6; epoch < 8; epoch++) {
        epoch_run(&test, epoch);
        check_loaded_whole(&test);
    }
    for (int64_t epoch = 8; epoch < EPOCHS; epoch++)
        epoch_run(&test, epoch);
    CHECK_INT(check_loaded(&test, &err), E_OK); // by now every shard was written whole
    logged_close(&test);
}
