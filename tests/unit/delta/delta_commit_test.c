/* Commits: one after the other, against others, with answers that were lost; checkpoints, and what goes after them. */
#include <inttypes.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/os.h"
#include "delta/delta_internal.h"
#include "kit.h"

static const char schema[] =
    "{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}";
static struct budget budget = {.limit_bytes = 64 << 20};

static struct store *store_new(void)
{
    struct store *store = NULL;
    struct error err = {0};
    CHECK_INT(store_open(kit_tmpdir(), &store, &err), E_OK);
    return store;
}

static struct delta_table *table_open(struct store *store, const char *app_id)
{
    struct delta_table *table = NULL;
    struct error err = {0};
    if (delta_table_open(store, app_id, &table, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s", err.text);
    return table;
}

static struct delta_action file_action(enum delta_kind kind, const char *path)
{
    return (struct delta_action){.kind = kind,
                                 .file = {.path = path,
                                          .size_bytes = 7,
                                          .time_ms = os->clock_wall_us() / 1000,
                                          .data_change = true,
                                          .stats = "{\"numRecords\":3}",
                                          .base_row_id = -1,
                                          .row_commit_version = -1}};
}

/* The commit that makes the table, or one that adds a file to it. */
static enum code add(struct delta_table *table, const char *path, int64_t epoch, int64_t *version, struct error *err)
{
    struct arena arena = {0};
    struct delta_action actions[3];
    int32_t count = 0;
    struct delta_pair properties[] = {{"delta.checkpointInterval", "1000"}, {"other", "x"}};
    const struct delta_wanted wanted = {.name = "t", .schema = schema, .properties = {properties, 2}};
    if (delta_table_version(table) < 0) {
        actions[0] = (struct delta_action){.kind = DELTA_PROTOCOL};
        actions[1] = (struct delta_action){.kind = DELTA_METADATA};
        CHECK_INT(delta_create(&wanted, &arena, &actions[0].protocol, &actions[1].metadata, err), E_OK);
        count = 2;
    }
    actions[count++] = file_action(DELTA_ADD, path);
    const struct delta_commit commit = {
        .operation = "STREAMING UPDATE", .actions = actions, .count = count, .app_version = epoch};
    enum code code = delta_commit(table, &commit, version, err);
    arena_free(&arena);
    return code;
}

static void added(struct delta_table *table, const char *path, int64_t epoch, int64_t want)
{
    struct error err = {0};
    int64_t version = -2;
    if (add(table, path, epoch, &version, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s: %s", path, err.text);
    CHECK_INT(version, want);
}

/* "a b c": the files of a version. */
static const char *files_of(struct store *store, int64_t version)
{
    static struct text names;
    struct delta_snapshot *snapshot = NULL;
    struct error err = {0};
    const struct delta_at at = {.version = version};
    text_clear(&names);
    text_add_string(&names, "");
    if (delta_snapshot_open(store, &at, &budget, &snapshot, &err) != E_OK)
        return err.text[0] != '\0' ? "(refused)" : "";
    for (int32_t i = 0; i < snapshot->file_count; i++)
        text_printf(&names, "%s%s", i > 0 ? " " : "", snapshot->files[i].path);
    delta_snapshot_free(snapshot);
    return names.data;
}

TEST(a_table_is_made_and_grows)
{
    struct store *store = store_new();
    struct delta_table *table = table_open(store, "q/0");
    CHECK_INT(delta_table_version(table), -1);
    added(table, "a", 0, 0);
    added(table, "b", 1, 1);
    CHECK_STR(files_of(store, -1), "a b");
    CHECK_STR(files_of(store, 0), "a");
    CHECK_STR(delta_map_get(&delta_table_metadata(table)->configuration, "delta.checkpointInterval"), "1000");
    CHECK(delta_map_get(&delta_table_metadata(table)->configuration, "other") == NULL);
    delta_table_free(table);
    table = table_open(store, "q/0");
    CHECK_INT(delta_table_version(table), 1);
    CHECK_INT(delta_table_transaction(table), 1);
    delta_table_free(table);
    store_close(store);
}

TEST(an_epoch_is_committed_once)
{
    struct store *store = store_new();
    struct delta_table *table = table_open(store, "q/0");
    added(table, "a", 5, 0);
    added(table, "b", 5, -1);
    added(table, "c", 4, -1);
    delta_table_free(table);
    table = table_open(store, "q/0");
    added(table, "d", 5, -1);
    delta_table_free(table);
    table = table_open(store, "other/0");
    added(table, "e", 5, 1);
    CHECK_STR(files_of(store, -1), "a e");
    delta_table_free(table);
    store_close(store);
}

TEST(two_writers_take_turns)
{
    struct store *store = store_new();
    struct delta_table *one = table_open(store, "one/0"), *two = table_open(store, "two/0");
    char path[16];
    struct error err = {0};
    int64_t version;
    added(one, "first", 0, 0);
    CHECK_INT(add(two, "x", 0, &version, &err), E_EXISTS); // it thought that there is no table
    for (int64_t epoch = 1; epoch < 20; epoch++) {
        snprintf(path, sizeof path, "o%02d", (int)epoch);
        added(one, path, epoch, 2 * epoch - 1);
        snprintf(path, sizeof path, "t%02d", (int)epoch);
        added(two, path, epoch, 2 * epoch);
    }
    CHECK_INT(delta_table_version(two), 38);
    delta_table_free(one);
    delta_table_free(two);
    store_close(store);
}

static enum code commit_of(struct delta_table *table, const struct delta_action *actions, int32_t count,
                           enum delta_isolation isolation, struct error *err)
{
    int64_t version;
    const struct delta_commit commit = {
        .operation = "OPTIMIZE", .isolation = isolation, .actions = actions, .count = count, .app_version = -1};
    return delta_commit(table, &commit, &version, err);
}

TEST(a_rewrite_gives_way_when_its_files_are_gone)
{
    struct store *store = store_new();
    struct delta_table *one = table_open(store, "one/0"), *two = table_open(store, NULL);
    struct error err = {0};
    added(one, "a", 0, 0);
    added(one, "b", 1, 1);
    CHECK_INT(delta_table_update(two, &err), E_OK);
    struct delta_action merge[] = {file_action(DELTA_REMOVE, "a"), file_action(DELTA_REMOVE, "b"),
                                   file_action(DELTA_ADD, "ab")};
    for (int i = 0; i < 3; i++)
        merge[i].file.data_change = false;
    added(one, "c", 2, 2); // files that are added do not disturb it
    CHECK_INT(commit_of(two, merge, 3, DELTA_REWRITE, &err), E_OK);
    CHECK_STR(files_of(store, -1), "ab c");
    CHECK_INT(commit_of(one, merge, 3, DELTA_REWRITE, &err), E_EXISTS);
    CHECK_STR(files_of(store, -1), "ab c");
    delta_table_free(one);
    delta_table_free(two);
    store_close(store);
}

TEST(a_replacement_gives_way_when_rows_changed)
{
    struct store *store = store_new();
    struct delta_table *one = table_open(store, "one/0"), *two = table_open(store, NULL);
    struct error err = {0};
    added(one, "a", 0, 0);
    CHECK_INT(delta_table_update(two, &err), E_OK);
    const struct delta_action replace[] = {file_action(DELTA_REMOVE, "a"), file_action(DELTA_ADD, "z")};
    added(one, "b", 1, 1);
    CHECK_INT(commit_of(two, replace, 2, DELTA_REPLACE, &err), E_EXISTS);
    CHECK_INT(commit_of(two, replace, 2, DELTA_REPLACE, &err), E_OK); // it is up to date now
    CHECK_STR(files_of(store, -1), "b z");
    delta_table_free(one);
    delta_table_free(two);
    store_close(store);
}

TEST(a_lost_answer_is_found_out)
{
    struct store *store = store_new();
    struct delta_table *table = table_open(store, "q/0");
    struct error err = {0};
    int64_t version;
    added(table, "a", 0, 0);
    CHECK_INT(fault_arm("delta_put:1:lost", &err), E_OK);
    added(table, "b", 1, 1); // it was done: the nonce says so
    CHECK_INT(fault_arm("delta_before:1:eio", &err), E_OK);
    CHECK_INT(add(table, "c", 2, &version, &err), E_IO);
    CHECK_INT(fault_arm("", &err), E_OK);
    CHECK_STR(files_of(store, -1), "a b");
    added(table, "c", 2, 2);
    delta_table_free(table);
    store_close(store);
}

TEST(checkpoints_hold_all_that_counts)
{
    struct store *store = store_new();
    struct delta_table *table = table_open(store, "q/0");
    struct error err = {0};
    char path[32];
    for (int64_t epoch = 0; epoch < 30; epoch++) {
        snprintf(path, sizeof path, "f%02d", (int)epoch);
        added(table, path, epoch, epoch);
        if (epoch % 7 == 6)
            CHECK_INT(delta_checkpoint_write(table, &budget, &err), E_OK);
    }
    const struct delta_action removed = file_action(DELTA_REMOVE, "f03");
    CHECK_INT(commit_of(table, &removed, 1, DELTA_APPEND, &err), E_OK);
    CHECK_INT(delta_checkpoint_write(table, &budget, &err), E_OK);
    for (int64_t version = 0; version < 30; version++) { // now only the checkpoint is left
        delta_commit_path(version, path, sizeof path);
        char whole[64];
        delta_commit_path(version, whole, sizeof whole);
        CHECK_INT(store_remove(store, whole, &err), E_OK);
    }
    CHECK_INT(strlen(files_of(store, -1)), 29 * 4 - 1);
    CHECK(strstr(files_of(store, -1), "f03") == NULL);
    struct delta_table *again = table_open(store, "q/0");
    CHECK_INT(delta_table_transaction(again), 29);
    CHECK_INT(delta_table_version(again), 30);
    CHECK_INT(budget.used_bytes, 0);
    delta_table_free(again);
    delta_table_free(table);
    store_close(store);
}

static void checkpoint_put(struct store *store, int64_t version, struct bytes bytes)
{
    char path[DELTA_NAME_SIZE];
    struct error err = {0};
    snprintf(path, sizeof path, "_delta_log/%020" PRId64 ".checkpoint.parquet", version);
    CHECK_INT(store_put_over(store, path, bytes, &err), E_OK);
}

TEST(a_broken_checkpoint_is_read_around)
{
    struct store *store = store_new();
    struct delta_table *table = table_open(store, "q/1");
    struct error err = {0};
    struct text whole = {0};
    struct delta_snapshot *snapshot = NULL;
    char path[DELTA_NAME_SIZE];
    static const struct delta_at newest = {.version = -1};
    for (int64_t v = 0; v < 6; v++) {
        char name[] = {(char)('a' + v), '\0'};
        added(table, name, v, v);
        if (v == 2 || v == 4)
            CHECK_INT(delta_checkpoint_write(table, &budget, &err), E_OK);
    }
    snprintf(path, sizeof path, "_delta_log/%020d.checkpoint.parquet", 4);
    CHECK_INT(store_get(store, path, 1 << 20, &whole, &err), E_OK);
    for (size_t size = 0; size < whole.size; size += whole.size / 9) { // cut anywhere
        checkpoint_put(store, 4, bytes_of(whole.data, size));
        CHECK_STR(files_of(store, -1), "a b c d e f");
    }
    for (size_t at = 100; at < whole.size / 4; at += 301) { // or other bytes in a page
        whole.data[at] = (char)~whole.data[at];
        checkpoint_put(store, 4, text_view(&whole));
        CHECK_STR(files_of(store, -1), "a b c d e f");
        whole.data[at] = (char)~whole.data[at];
    }
    checkpoint_put(store, 4, bytes_of("PAR1", 4));
    struct delta_table *again = table_open(store, "q/1"); // so does a writer, and its next checkpoint is whole
    CHECK_INT(delta_table_version(again), 5);
    CHECK_INT(delta_table_transaction(again), 5);
    CHECK_INT(delta_checkpoint_write(again, &budget, &err), E_OK);
    CHECK_STR(files_of(store, -1), "a b c d e f");
    delta_table_free(again);
    checkpoint_put(store, 2, bytes_of("PAR1", 4));
    checkpoint_put(store, 5, bytes_of("PAR1", 4));
    CHECK_STR(files_of(store, -1), "a b c d e f");
    delta_commit_path(1, path, sizeof path);
    CHECK_INT(store_remove(store, path, &err), E_OK); // now nothing else has it
    CHECK_INT(delta_snapshot_open(store, &newest, &budget, &snapshot, &err), E_CORRUPT);
    CHECK(strstr(err.text, "the checkpoint of version 5") != NULL);
    CHECK_INT(budget.used_bytes, 0);
    text_free(&whole);
    delta_table_free(table);
    store_close(store);
}

TEST(a_version_whose_commits_are_gone_is_told_by_its_number)
{
    struct store *store = store_new();
    struct delta_table *table = table_open(store, "q/1");
    struct delta_snapshot *snapshot = NULL;
    struct error err = {0};
    char path[DELTA_NAME_SIZE];
    const struct delta_at at = {.version = 1};
    for (int64_t v = 0; v < 4; v++)
        added(table, "f", v, v);
    CHECK_INT(delta_checkpoint_write(table, &budget, &err), E_OK);
    delta_commit_path(0, path, sizeof path);
    CHECK_INT(store_remove(store, path, &err), E_OK);
    CHECK_STR(files_of(store, -1), "f");
    CHECK_INT(delta_snapshot_open(store, &at, &budget, &snapshot, &err), E_LOST);
    CHECK(strstr(err.text, "version 1 cannot be read any more") != NULL);
    delta_table_free(table);
    store_close(store);
}

TEST(the_log_says_which_version_brought_a_file)
{
    struct store *store = store_new();
    struct delta_table *table = table_open(store, "q/0");
    struct error err = {0};
    char path[DELTA_NAME_SIZE];
    static const char *const names[] = {"f0", "f1", "f2", "f3"};
    for (int64_t epoch = 0; epoch < 4; epoch++) {
        added(table, names[epoch], epoch, epoch);
        if (epoch == 2)
            CHECK_INT(delta_checkpoint_write(table, &budget, &err), E_OK);
    }
    delta_commit_path(0, path, sizeof path);
    CHECK_INT(store_remove(store, path, &err), E_OK);
    const struct delta_action removed = file_action(DELTA_REMOVE, "f1");
    CHECK_INT(commit_of(table, &removed, 1, DELTA_APPEND, &err), E_OK);
    struct delta_origin files[] = {{.path = "f0"}, {.path = "f1"}, {.path = "f2"}, {.path = "f3"}, {.path = "stray"}};
    CHECK_INT(delta_origins(store, files, 5, &budget, &err), E_OK);
    const int64_t versions[] = {2, 1, 2, 3, -1}; // of f0 only the checkpoint knows
    for (int i = 0; i < 5; i++) {
        CHECK_INT(files[i].version, versions[i]);
        CHECK_INT(files[i].exact, i >= 1 && i <= 3);
    }
    CHECK_INT(budget.used_bytes, 0);
    delta_table_free(table);
    store_close(store);
}

/* The commit that it knew last was cleaned away: that the next one is absent says nothing. */
TEST(a_writer_that_slept_reads_anew)
{
    struct store *store = store_new();
    struct delta_table *one = table_open(store, "one/0"), *two = table_open(store, "two/0");
    struct error err = {0};
    char path[DELTA_NAME_SIZE];
    added(one, "a", 0, 0);
    CHECK_INT(delta_table_update(two, &err), E_OK);
    for (int64_t epoch = 1; epoch < 9; epoch++)
        added(one, "b", epoch, epoch);
    CHECK_INT(delta_checkpoint_write(one, &budget, &err), E_OK);
    for (int64_t version = 0; version < 8; version++) {
        delta_commit_path(version, path, sizeof path);
        CHECK_INT(store_remove(store, path, &err), E_OK);
    }
    int64_t version;
    enum code code = add(two, "c", 0, &version, &err);
    CHECK(code == E_EXISTS || (code == E_OK && version == 9));
    CHECK_INT(add(two, "c", 0, &version, &err), E_OK);
    CHECK_STR(files_of(store, -1), "a b c");
    delta_table_free(one);
    delta_table_free(two);
    store_close(store);
}

TEST(what_leat_cannot_write_is_refused_by_name)
{
    static const struct {
        const char *protocol, *metadata, *said;
    } tables[] = {
        {"{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[\"rowTracking\"]}", "{}", "rowTracking"},
        {"{\"minReaderVersion\":1,\"minWriterVersion\":3}", "{\"delta.constraints.positive\":\"id > 0\"}",
         "checkConstraints"},
        {"{\"minReaderVersion\":2,\"minWriterVersion\":5}", "{\"delta.columnMapping.mode\":\"name\"}", "columnMapping"},
        {"{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"x\"],\"writerFeatures\":[\"x\"]}", "{}",
         "feature x"},
        {"{\"minReaderVersion\":1,\"minWriterVersion\":8}", "{}", "writer of version 8"},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        struct store *store = store_new();
        struct delta_table *table = NULL;
        struct error err = {0};
        struct text text = {0};
        text_printf(
            &text,
            "{\"protocol\":%s}\n{\"metaData\":{\"id\":\"x\",\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[]}\","
            "\"partitionColumns\":[],\"configuration\":%s}}\n",
            tables[i].protocol, tables[i].metadata);
        CHECK_INT(store_put_new(store, "_delta_log/00000000000000000000.json", text_view(&text), &err), E_OK);
        CHECK_INT(delta_table_open(store, "q/0", &table, &err), E_UNSUPPORTED);
        if (strstr(err.text, tables[i].said) == NULL)
            kit_fail(__FILE__, __LINE__, "%s is not named: %s", tables[i].said, err.text);
        text_free(&text);
        store_close(store);
    }
}

/* Of the version, -1: its commit says none. */
static int64_t in_commit_ms(struct store *store, int64_t version)
{
    char path[DELTA_NAME_SIZE];
    struct text text = {0};
    struct error err = {0};
    int64_t size = 0, ms = -1;
    delta_commit_path(version, path, sizeof path);
    CHECK_INT(store_size(store, path, &size, &err), E_OK);
    CHECK_INT(store_read(store, path, 0, (size_t)size, &text, &err), E_OK);
    const char *at = strstr(text.data, "\"inCommitTimestamp\":");
    if (at != NULL)
        sscanf(at + 20, "%" SCNd64, &ms);
    text_free(&text);
    return ms;
}

TEST(times_in_commits_are_in_each_and_rise)
{
    struct store *store = store_new();
    struct delta_table *table = table_open(store, "q/0");
    struct error err = {0};
    struct arena arena = {0};
    struct delta_pair property = {"delta.enableInCommitTimestamps", "true"};
    const struct delta_wanted wanted = {.name = "t", .schema = schema, .properties = {&property, 1}};
    struct delta_action actions[2] = {{.kind = DELTA_PROTOCOL}, {.kind = DELTA_METADATA}};
    CHECK_INT(delta_create(&wanted, &arena, &actions[0].protocol, &actions[1].metadata, &err), E_OK);
    CHECK_INT(commit_of(table, actions, 2, DELTA_APPEND, &err), E_OK);
    for (int64_t epoch = 0; epoch < 20; epoch++) // quicker than one a millisecond
        added(table, "a", epoch, epoch + 1);
    delta_table_free(table);
    table = table_open(store, "q/0");
    added(table, "a", 20, 21);
    int64_t last = 0;
    for (int64_t version = 0; version <= 21; version++) {
        int64_t ms = in_commit_ms(store, version);
        CHECK(ms > last);
        last = ms;
    }
    delta_table_free(table);
    arena_free(&arena);
    store_close(store);
}

TEST(a_vacuum_leaves_what_is_in_use)
{
    struct store *store = store_new();
    struct delta_table *table = table_open(store, "q/0");
    struct error err = {0};
    static const char *const names[] = {"live", "gone", "a%20b", "stray", "_hidden/x", "p=_1/stray"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK_INT(store_put_new(store, i == 2 ? "a b" : names[i], bytes_of_string("x"), &err), E_OK);
    added(table, "live", 0, 0);
    added(table, "gone", 1, 1);
    added(table, "a%20b", 2, 2);
    struct delta_action removed = file_action(DELTA_REMOVE, "gone");
    CHECK_INT(commit_of(table, &removed, 1, DELTA_APPEND, &err), E_OK);
    struct delta_vacuum young = {.keep_us = 3600 * (int64_t)1000000}, dry = {.keep_us = 0, .dry_run = true},
                        all = {.keep_us = 0};
    CHECK_INT(delta_vacuum(store, &young, &budget, &err), E_OK);
    CHECK_INT(young.files, 0);
    os->sleep_us(5000); // older than the clock's grain
    CHECK_INT(delta_vacuum(store, &dry, &budget, &err), E_OK);
    CHECK_INT(dry.files, 3); // gone, stray, p=_1/stray
    CHECK_INT(delta_vacuum(store, &all, &budget, &err), E_OK);
    CHECK_INT(all.files, 3);
    int64_t size;
    CHECK_INT(store_size(store, "live", &size, &err), E_OK);
    CHECK_INT(store_size(store, "a b", &size, &err), E_OK);
    CHECK_INT(store_size(store, "_hidden/x", &size, &err), E_OK);
    CHECK_INT(store_size(store, "gone", &size, &err), E_ABSENT);
    CHECK_INT(store_size(store, "stray", &size, &err), E_ABSENT);
    delta_table_free(table);
    store_close(store);
}
