/* The directory sink through its csv and json tables: what lies where, and that no failing call is taken for
 * success. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/os.h"
#include "failing_os.h"
#include "kit.h"
#include "sink/sink.h"
#include "store/store.h"

static char folder[256];
enum { OPTIONS_MAX_COUNT = 8 };

struct table {
    void *sink;
    const struct sink_type *type;
    struct arena arena;
    struct sink_spec spec;
    const char *names[OPTIONS_MAX_COUNT], *values[OPTIONS_MAX_COUNT];
    struct store *store;
};

static void table_set(struct table *t, const char *name, const char *value)
{
    t->names[t->spec.option_count] = name;
    t->values[t->spec.option_count++] = value;
}

static enum code table_open(struct table *t, struct error *err)
{
    t->spec.option_names = t->names;
    t->spec.option_values = t->values;
    t->sink = mem_zero(t->type->size);
    enum code code = t->type->open(t->sink, &t->spec, err);
    if (code != E_OK) {
        mem_free(t->sink);
        t->sink = NULL;
    }
    return code;
}

static void table_init(struct table *t, const char *format)
{
    struct error err = {0};
    size_t position;
    *t = (struct table){.type = sink_find(format)};
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    t->spec =
        (struct sink_spec){.name = "t", .path = folder, .query_id = "0123456789abcdef", .zone = zone_utc(), .lanes = 2};
    CHECK_INT(
        type_parse_ddl(&t->arena, bytes_of_string("id BIGINT, day STRING, n INT"), &t->spec.schema, &position, &err),
        E_OK);
    CHECK_INT(store_open(folder, &t->store, &err), E_OK);
}

static void table_close(struct table *t)
{
    if (t->sink != NULL)
        t->type->close(t->sink);
    mem_free(t->sink);
    store_close(t->store);
    arena_free(&t->arena);
}

/* Rows (id, day, n): day "NULL" is NULL. */
static struct batch rows_of(struct table *t, int rows, const char *const *days, int day_count)
{
    struct builder b[3];
    struct batch batch;
    for (int i = 0; i < 3; i++)
        builder_init(&b[i], t->spec.schema->fields[i].type);
    for (int i = 0; i < rows; i++) {
        const char *day = days[i % day_count];
        builder_int(&b[0], i);
        if (strcmp(day, "NULL") == 0)
            builder_null(&b[1]);
        else
            builder_bytes(&b[1], bytes_of_string(day));
        builder_int(&b[2], i % 3);
    }
    batch_init(&batch, t->spec.schema, rows);
    for (int i = 0; i < 3; i++) {
        builder_finish(&b[i], &batch.columns[i]);
        builder_release(&b[i]);
    }
    return batch;
}

static enum code write_days(struct table *t, int32_t lane, int64_t epoch, int rows, const char *const *days,
                            int day_count, struct error *err)
{
    struct batch batch = rows_of(t, rows, days, day_count);
    enum code code = t->type->write(t->sink, lane, epoch, &batch, err);
    batch_release(&batch);
    return code;
}

static enum code finish_epoch(struct table *t, int64_t epoch, struct sink_totals *totals, struct error *err)
{
    struct text token = {0};
    enum code code = t->type->prepare(t->sink, epoch, &token, totals, err);
    if (code == E_OK)
        code = t->type->commit(t->sink, epoch, text_view(&token), err);
    if (code == E_OK)
        code = t->type->collect(t->sink, err);
    text_free(&token);
    return code;
}

static void check_files(struct table *t, const char *const *want, int count)
{
    struct error err = {0};
    struct store_list list = {0};
    int seen = 0;
    CHECK_INT(store_list(t->store, "", true, &list, &err), E_OK);
    for (int32_t i = 0; i < list.count; i++) {
        if (strncmp(list.entries[i].path, "_staging/", 9) == 0)
            continue;
        if (seen < count)
            CHECK_STR(list.entries[i].path, want[seen]);
        seen++;
    }
    CHECK_INT(seen, count);
    store_list_free(&list);
}

static int lines_of(struct table *t, const char *path)
{
    struct error err = {0};
    struct text text = {0};
    int lines = 0;
    CHECK_INT(store_get(t->store, path, 1 << 20, &text, &err), E_OK);
    for (size_t i = 0; i < text.size; i++)
        lines += text.data[i] == '\n';
    text_free(&text);
    return lines;
}

static const char *const one_day[] = {"mon"};

TEST(partitions_are_hive_folders)
{
    static const char *const days[] = {"mon", "a/b=c", "NULL", ""};
    static const char *const want[] = {
        "day=__HIVE_DEFAULT_PARTITION__/n=0/part-01234567-0-0000000003-00002.json",
        "day=__HIVE_DEFAULT_PARTITION__/n=1/part-01234567-0-0000000003-00006.json",
        "day=__HIVE_DEFAULT_PARTITION__/n=2/part-01234567-0-0000000003-00003.json",
    };
    struct table t;
    struct error err = {0};
    struct sink_totals totals;
    struct store_list list = {0};
    static const char *const columns[] = {"DAY", "n"};
    table_init(&t, "json");
    t.spec.partition_columns = columns;
    t.spec.partition_count = 2;
    CHECK_INT(table_open(&t, &err), E_OK);
    CHECK_INT(write_days(&t, 0, 3, 24, days, 4, &err), E_OK);
    CHECK_INT(write_days(&t, 1, 3, 24, days, 4, &err), E_OK);
    CHECK_INT(finish_epoch(&t, 3, &totals, &err), E_OK);
    CHECK_INT(totals.rows, 48);
    CHECK_INT(totals.files, 9);
    CHECK_INT(store_list(t.store, "day=__HIVE_DEFAULT_PARTITION__", true, &list, &err), E_OK);
    CHECK_INT(list.count, 3);
    for (int32_t i = 0; i < list.count; i++) {
        CHECK(strncmp(list.entries[i].path, want[i],
                      strlen("day=__HIVE_DEFAULT_PARTITION__/n=0/part-01234567-0-0000000003-")) == 0);
        CHECK_INT(lines_of(&t, list.entries[i].path), 8);
    }
    store_list_free(&list);
    CHECK_INT(store_list(t.store, "day=a%2Fb%3Dc/n=1", true, &list, &err), E_OK);
    CHECK_INT(list.count, 1);
    struct text text = {0};
    CHECK_INT(store_get(t.store, list.entries[0].path, 10000, &text, &err), E_OK);
    CHECK(strstr(text.data, "\"id\"") != NULL && strstr(text.data, "day") == NULL &&
          strstr(text.data, "\"n\"") == NULL);
    text_free(&text);
    store_list_free(&list);
    table_close(&t);
}

TEST(more_folders_than_encoders_lose_no_row)
{
    static char names[700][16];
    static const char *days[700];
    static const char *const columns[] = {"day"};
    for (int i = 0; i < 700; i++) {
        snprintf(names[i], sizeof names[i], "d%d", i);
        days[i] = names[i];
    }
    struct table t;
    struct error err = {0};
    struct sink_totals totals;
    table_init(&t, "csv");
    t.spec.partition_columns = columns;
    t.spec.partition_count = 1;
    CHECK_INT(table_open(&t, &err), E_OK);
    for (int round = 0; round < 3; round++)
        CHECK_INT(write_days(&t, round % 2, 0, 2100, days, 700, &err), E_OK);
    CHECK_INT(finish_epoch(&t, 0, &totals, &err), E_OK);
    CHECK_INT(totals.rows, 6300);
    CHECK(totals.files >= 700);
    table_close(&t);
}

TEST(rows_of_many_folders_wait_and_are_charged)
{
    enum { FOLDERS = 300, ROUNDS = 6 };
    static const char *const columns[] = {"day"};
    char names[FOLDERS][8];
    const char *days[FOLDERS];
    struct table t;
    struct budget budget = {.limit_bytes = 64 << 20};
    struct error err = {0};
    struct sink_totals totals = {0};
    for (int i = 0; i < FOLDERS; i++) {
        snprintf(names[i], sizeof names[i], "d%03d", i);
        days[i] = names[i];
    }
    for (int tight = 0; tight < 2; tight++) {
        table_init(&t, "parquet");
        t.spec.budget = &budget;
        t.spec.partition_columns = columns;
        t.spec.partition_count = 1;
        CHECK_INT(table_open(&t, &err), E_OK);
        size_t others = tight ? budget.limit_bytes : 0; // who have left nothing
        CHECK_INT(budget_take(&budget, others, "others", &err), E_OK);
        for (int round = 0; round < ROUNDS; round++)
            CHECK_INT(write_days(&t, round % 2, 0, 2 * FOLDERS, days, FOLDERS, &err), E_OK);
        CHECK(tight || budget.used_bytes > 0);
        CHECK_INT(finish_epoch(&t, 0, &totals, &err), E_OK);
        CHECK_INT(totals.rows, 2 * FOLDERS * ROUNDS);
        CHECK(tight ? totals.files > FOLDERS && totals.files < FOLDERS * ROUNDS : totals.files == FOLDERS);
        CHECK_INT((int64_t)budget.used_bytes, (int64_t)others);
        CHECK_INT(write_days(&t, 0, 1, 2 * FOLDERS, days, FOLDERS, &err), E_OK);
        t.type->abort(t.sink, 1); // what waits goes with its epoch
        CHECK_INT((int64_t)budget.used_bytes, (int64_t)others);
        budget_give(&budget, others);
        table_close(&t);
    }
}

TEST(max_records_splits_files)
{
    struct table t;
    struct error err = {0};
    struct sink_totals totals;
    struct store_list list = {0};
    table_init(&t, "json");
    table_set(&t, "leat.files.max_records", "10");
    CHECK_INT(table_open(&t, &err), E_OK);
    CHECK_INT(write_days(&t, 0, 0, 35, one_day, 1, &err), E_OK);
    CHECK_INT(write_days(&t, 1, 0, 7, one_day, 1, &err), E_OK);
    CHECK_INT(finish_epoch(&t, 0, &totals, &err), E_OK);
    CHECK_INT(totals.rows, 42);
    CHECK_INT(store_list(t.store, "", false, &list, &err), E_OK);
    int lines = 0;
    for (int32_t i = 0; i < list.count; i++) {
        CHECK(lines_of(&t, list.entries[i].path) <= 10);
        lines += lines_of(&t, list.entries[i].path);
    }
    CHECK_INT(lines, 42);
    CHECK_INT(list.count, totals.files);
    store_list_free(&list);
    table_close(&t);
}

TEST(per_partition_gives_so_many_files)
{
    static const char *const want[] = {"part-01234567-0-0000000000-00000.json",
                                       "part-01234567-0-0000000000-00001.json"};
    struct table t;
    struct error err = {0};
    struct sink_totals totals;
    table_init(&t, "json");
    table_set(&t, "leat.files.per_partition", "2");
    CHECK_INT(table_open(&t, &err), E_OK);
    for (int32_t lane = 0; lane < 2; lane++)
        CHECK_INT(write_days(&t, lane, 0, 5, one_day, 1, &err), E_OK);
    CHECK_INT(finish_epoch(&t, 0, &totals, &err), E_OK);
    check_files(&t, want, 2);
    table_close(&t);
}

TEST(keep_deletes_the_oldest_but_never_the_newest_epoch)
{
    static const char *const want[] = {"part-01234567-0-0000000003-00000.json",
                                       "part-01234567-0-0000000004-00000.json"};
    struct table t;
    struct error err = {0};
    struct sink_totals totals;
    table_init(&t, "json");
    table_set(&t, "leat.files.keep", "2");
    CHECK_INT(table_open(&t, &err), E_OK);
    CHECK_INT(store_put_new(t.store, "part-of-something-else.txt", bytes_of_string("x"), &err), E_OK);
    for (int64_t epoch = 0; epoch < 5; epoch++) {
        CHECK_INT(write_days(&t, 0, epoch, 5, one_day, 1, &err), E_OK);
        CHECK_INT(finish_epoch(&t, epoch, &totals, &err), E_OK);
        os->sleep_us(2000); // files are told apart by age
    }
    CHECK_INT(store_remove(t.store, "part-of-something-else.txt", &err), E_OK);
    check_files(&t, want, 2);
    table_close(&t);

    table_init(&t, "json"); // one epoch with more files than may stay
    table_set(&t, "leat.files.keep", "1");
    table_set(&t, "leat.files.max_records", "5");
    CHECK_INT(table_open(&t, &err), E_OK);
    CHECK_INT(write_days(&t, 0, 0, 20, one_day, 1, &err), E_OK);
    CHECK_INT(finish_epoch(&t, 0, &totals, &err), E_OK);
    CHECK_INT(totals.files, 4);
    struct store_list list = {0};
    CHECK_INT(store_list(t.store, "", false, &list, &err), E_OK);
    CHECK_INT(list.count, 4);
    store_list_free(&list);
    table_close(&t);
}

static void check_refused(const char *format, const char *name, const char *value, enum code want, const char *text)
{
    struct table t;
    struct error err = {0};
    table_init(&t, format);
    table_set(&t, name, value);
    CHECK_INT(table_open(&t, &err), want);
    if (want != E_OK && strstr(err.text, text) == NULL)
        kit_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", err.text, text);
    table_close(&t);
}

TEST(options_are_checked)
{
    check_refused("csv", "leat.files.maxrecords", "1", E_SPEC, "did you mean leat.files.max_records");
    check_refused("csv", "leat.files.keep", "-1", E_SPEC, "must not be negative");
    check_refused("parquet", "parquet.compression", "lzo", E_SPEC, "parquet.compression");
    check_refused("csv", "quality", "gold", E_OK, ""); // TBLPROPERTIES carry anything
}

TEST(bad_partition_columns_are_refused)
{
    static const char *const absent[] = {"nope"}, *const twice[] = {"day", "DAY"}, *const all[] = {"id", "day", "n"};
    static const struct {
        const char *const *columns;
        int32_t count;
        const char *text;
    } cases[] = {{absent, 1, "no such column"}, {twice, 2, "twice"}, {all, 3, "nothing is left"}};
    for (int i = 0; i < 3; i++) {
        struct table t;
        struct error err = {0};
        table_init(&t, "csv");
        t.spec.partition_columns = cases[i].columns;
        t.spec.partition_count = cases[i].count;
        CHECK_INT(table_open(&t, &err), E_SPEC);
        CHECK(strstr(err.text, cases[i].text) != NULL);
        table_close(&t);
    }
}

TEST(two_tables_in_one_folder_are_refused)
{
    struct table t;
    struct error err = {0};
    table_init(&t, "csv");
    CHECK_INT(table_open(&t, &err), E_OK);
    void *first = t.sink;
    CHECK_INT(table_open(&t, &err), E_EXISTS);
    CHECK(strstr(err.text, "same folder") != NULL);
    t.sink = first;
    table_close(&t);
}

TEST(a_damaged_staged_file_is_not_published)
{
    struct table t;
    struct error err = {0};
    struct text token = {0};
    struct sink_totals totals;
    struct store_list list = {0};
    table_init(&t, "json");
    CHECK_INT(table_open(&t, &err), E_OK);
    CHECK_INT(write_days(&t, 0, 0, 5, one_day, 1, &err), E_OK);
    CHECK_INT(t.type->prepare(t.sink, 0, &token, &totals, &err), E_OK);
    t.type->close(t.sink);
    mem_free(t.sink);
    CHECK_INT(store_list(t.store, "_staging", false, &list, &err), E_OK);
    for (int32_t i = 0; i < list.count; i++) {
        struct text text = {0};
        CHECK_INT(store_get(t.store, list.entries[i].path, 10000, &text, &err), E_OK);
        if (text.size == (size_t)totals.bytes) {
            text.data[3] ^= 1;
            CHECK_INT(store_put_over(t.store, list.entries[i].path, text_view(&text), &err), E_OK);
        }
        text_free(&text);
    }
    store_list_free(&list);
    CHECK_INT(table_open(&t, &err), E_OK);
    CHECK_INT(t.type->commit(t.sink, 0, text_view(&token), &err), E_CORRUPT);
    check_files(&t, NULL, 0);
    text_free(&token);
    table_close(&t);
}

/* Every file operation of an epoch fails once; then the epoch fails, is aborted, and succeeds when it is
 * tried again. Only commit and collect may fail with the files in place: there the next try finishes. */
TEST(no_failing_call_is_taken_for_success)
{
    static const char *const days[] = {"mon", "tue"};
    static const char *const columns[] = {"day"};
    for (int how = 0; how < FAILING_HOW_COUNT; how++) {
        for (int k = 1;; k++) {
            struct table t;
            struct error err = {0};
            struct text token = {0};
            struct sink_totals totals = {0};
            table_init(&t, "json");
            t.spec.partition_columns = columns;
            t.spec.partition_count = 1;
            CHECK_INT(table_open(&t, &err), E_OK);
            failing_os_arm(k, (enum failing_how)how);
            enum code code = write_days(&t, 0, 0, 10, days, 2, &err);
            if (code == E_OK)
                code = t.type->prepare(t.sink, 0, &token, &totals, &err);
            enum code after = code == E_OK ? t.type->commit(t.sink, 0, text_view(&token), &err) : E_OK;
            if (code == E_OK && after == E_OK)
                after = t.type->collect(t.sink, &err);
            bool reached = failing_os_disarm();
            CHECK(code == E_OK || code == E_IO || code == E_FULL);
            if (code != E_OK) {
                text_clear(&token);
                t.type->abort(t.sink, 0);
                CHECK_INT(write_days(&t, 0, 0, 10, days, 2, &err), E_OK);
                CHECK_INT(t.type->prepare(t.sink, 0, &token, &totals, &err), E_OK);
            }
            CHECK_INT(t.type->commit(t.sink, 0, text_view(&token), &err), E_OK);
            CHECK_INT(t.type->collect(t.sink, &err), E_OK);
            CHECK_INT(totals.rows, 10);
            struct store_list list = {0};
            int lines = 0;
            CHECK_INT(store_list(t.store, "", true, &list, &err), E_OK);
            for (int32_t i = 0; i < list.count; i++) {
                CHECK(strstr(list.entries[i].path, ".staged") == NULL);
                if (strncmp(list.entries[i].path, "day=", 4) == 0)
                    lines += lines_of(&t, list.entries[i].path);
            }
            CHECK_INT(lines, 10);
            store_list_free(&list);
            text_free(&token);
            table_close(&t);
            if (!reached)
                break;
        }
    }
}

/* What a table has staged, and no sink of it is there to commit. */
static void stage_and_leave(struct table *t, int64_t epoch, int rows, bool replace, struct text *token)
{
    static const char *const days[] = {"1", "2"};
    struct error err = {0};
    struct sink_totals totals;
    CHECK_INT(table_open(t, &err), E_OK);
    if (replace)
        t->type->replace(t->sink, epoch);
    CHECK_INT(write_days(t, 0, epoch, rows, days, 2, &err), E_OK);
    CHECK_INT(t->type->prepare(t->sink, epoch, token, &totals, &err), E_OK);
    t->type->close(t->sink);
    mem_free(t->sink);
    t->sink = NULL;
    t->spec.option_count = 0;
}

TEST(a_token_is_committed_without_its_sink)
{
    static const char *const first[] = {"part-01234567-0-0000000003-00000.json"};
    static const char *const second[] = {"part-01234567-0-0000000004-00000.json"};
    struct table t;
    struct error err = {0};
    struct text token = {0};
    char gone[300];
    table_init(&t, "json");
    snprintf(gone, sizeof gone, "%s/not-there", folder);
    stage_and_leave(&t, 3, 10, false, &token);
    CHECK_INT(sink_publish(gone, t.spec.query_id, 3, text_view(&token), &err), E_ABSENT);
    for (int again = 0; again < 2; again++)
        CHECK_INT(sink_publish(folder, t.spec.query_id, 3, text_view(&token), &err), E_OK);
    check_files(&t, first, 1);
    CHECK_INT(lines_of(&t, first[0]), 10);
    text_clear(&token);
    stage_and_leave(&t, 4, 6, true, &token);
    CHECK_INT(sink_publish(folder, t.spec.query_id, 4, text_view(&token), &err), E_OK);
    check_files(&t, second, 1);
    CHECK_INT(store_remove(t.store, second[0], &err), E_OK);
    CHECK_INT(sink_publish(folder, t.spec.query_id, 4, text_view(&token), &err), E_LOST);
    CHECK_INT(sink_publish(gone, t.spec.query_id, 5, bytes_of_string("{\"records\":9}"), &err), E_OK);
    text_free(&token);
    table_close(&t);
}

TEST(a_topic_takes_no_files_for_its_own)
{
    struct error err = {0};
    const struct sink_type *kafka = sink_find("kafka");
    const char *files = "{\"files\":[{\"staged\":\"_staging/a\",\"final\":\"b\",\"size\":1,\"rows\":1,\"checksum\":"
                        "\"0123456789abcdef\"}]}";
    CHECK_INT(kafka->commit(NULL, 3, bytes_of_string(files), &err), E_CORRUPT);
    CHECK_INT(kafka->commit(NULL, 3, bytes_of_string("{\"records\":9}"), &err), E_OK);
    CHECK_INT(kafka->commit(NULL, 3, bytes_of_string("{\"files\":[]}"), &err), E_OK);
}
