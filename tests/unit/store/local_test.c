#include "store/store.h"

#include <stdio.h>

#include "base/fault.h"
#include "base/os.h"
#include "failing_os.h"
#include "kit.h"

static char root[256];

static struct store *fresh(void)
{
    struct error err = {0};
    struct store *store = NULL;
    snprintf(root, sizeof root, "%s", kit_tmpdir());
    if (store_open(root, &store, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s", err.text);
    return store;
}

static void check_get(struct store *store, const char *path, const char *want)
{
    struct error err = {0};
    struct text got = {0};
    enum code code = store_get(store, path, 1 << 20, &got, &err);
    if (want == NULL)
        CHECK_INT(code, E_ABSENT);
    else if (code != E_OK)
        kit_fail(__FILE__, __LINE__, "%s: %s", path, err.text);
    else
        CHECK_STR(got.data, want);
    text_free(&got);
}

static int files_below(struct store *store, const char *folder)
{
    struct error err = {0};
    struct store_list list = {0};
    CHECK_INT(store_list(store, folder, true, &list, &err), E_OK);
    int count = list.count;
    store_list_free(&list);
    return count;
}

TEST(put_new_lets_one_writer_in)
{
    struct error err = {0};
    struct store *store = fresh();
    CHECK_INT(files_below(store, ""), 0);
    CHECK_INT(store_put_new(store, "chain/0/1.json", bytes_of_string("mine"), &err), E_OK);
    CHECK_INT(store_put_new(store, "chain/0/1.json", bytes_of_string("yours"), &err), E_EXISTS);
    check_get(store, "chain/0/1.json", "mine");
    CHECK_INT(store_put_over(store, "chain/0/1.json", bytes_of_string("new"), &err), E_OK);
    check_get(store, "chain/0/1.json", "new");
    check_get(store, "chain/0/2.json", NULL);
    int64_t size;
    CHECK_INT(store_size(store, "chain/0/1.json", &size, &err), E_OK);
    CHECK_INT(size, 3);
    struct text got = {0};
    CHECK_INT(store_get(store, "chain/0/1.json", 2, &got, &err), E_CORRUPT);
    text_free(&got);
    CHECK_INT(store_remove(store, "chain/0/1.json", &err), E_OK);
    CHECK_INT(store_remove(store, "chain/0/1.json", &err), E_OK);
    CHECK_INT(files_below(store, ""), 0);
    store_close(store);
}

TEST(lists_are_sorted_and_skip_temporaries)
{
    struct error err = {0};
    struct store *store = fresh();
    struct store_list list = {0};
    static const char *const names[] = {"b", "a/2", "a/10", "a/b/c", "z"};
    for (int i = 0; i < 5; i++)
        CHECK_INT(store_put_new(store, names[i], bytes_of_string("x"), &err), E_OK);
    CHECK_INT(store_put_new(store, "a/.left.0123.tmp", bytes_of_string("x"), &err), E_OK);
    CHECK_INT(store_list(store, "", true, &list, &err), E_OK);
    CHECK_INT(list.count, 5);
    CHECK_STR(list.entries[0].path, "a/10");
    CHECK_STR(list.entries[4].path, "z");
    CHECK_INT(list.entries[0].size_bytes, 1);
    store_list_free(&list);
    CHECK_INT(store_list(store, "a", false, &list, &err), E_OK);
    CHECK_INT(list.count, 2);
    store_list_free(&list);
    CHECK_INT(store_list(store, "none/here", true, &list, &err), E_OK);
    CHECK_INT(list.count, 0);
    store_list_free(&list);
    CHECK_INT(store_sweep(store, "a", &err), E_OK);
    check_get(store, "a/.left.0123.tmp", NULL);
    check_get(store, "a/2", "x");
    store_close(store);
}

TEST(paths_stay_inside)
{
    static const char *const bad[] = {"../x", "a/../x", "/etc", "a//b", "a/", "./a", "a\nb", "a/\x7f"};
    struct error err = {0};
    struct store *store = fresh();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (store_put_new(store, bad[i], bytes_of_string("x"), &err) != E_SPEC)
            kit_fail(__FILE__, __LINE__, "%s was accepted", bad[i]);
    char longest[1200];
    memset(longest, 'a', sizeof longest);
    longest[256] = '\0';
    CHECK_INT(store_put_new(store, longest, bytes_of_string("x"), &err), E_SPEC);
    longest[255] = '\0';
    CHECK_INT(store_put_new(store, longest, bytes_of_string("x"), &err), E_OK);
    store_close(store);
}

TEST(names_from_data_become_parts)
{
    struct text out = {0};
    store_name_encode(bytes_of_string("a/b=c:%\x01 \xc3\xa9_"), &out);
    CHECK_STR(out.data, "a%2Fb%3Dc%3A%25%01 \xc3\xa9_");
    text_clear(&out);
    store_name_encode(bytes_of_string(".."), &out);
    CHECK_STR(out.data, "%2E%2E");
    text_free(&out);
}

TEST(urls_that_are_no_folder_are_refused)
{
    struct error err = {0};
    struct store *store = NULL;
    CHECK_INT(store_open("gs://bucket/x", &store, &err), E_SPEC);
    CHECK_INT(store_open("hdfs://host/x", &store, &err), E_SPEC);
    CHECK_INT(store_open("file://relative", &store, &err), E_SPEC);
    CHECK_INT(store_open("", &store, &err), E_SPEC);
    CHECK_INT(store_open("/dev/null/x", &store, &err), E_IO);
    CHECK(strstr(err.text, "/dev/null/x") != NULL);
    CHECK(store == NULL);
    char url[300];
    snprintf(url, sizeof url, "file://%s/deep/er/", kit_tmpdir());
    CHECK_INT(store_open(url, &store, &err), E_OK);
    CHECK_STR(store_root(store) + strlen(store_root(store)) - 8, "/deep/er");
    store_close(store);
}

TEST(a_lock_names_its_holder)
{
    struct error err = {0};
    struct store *store = fresh(), *other = NULL;
    char pid[32];
    snprintf(pid, sizeof pid, "%lld", (long long)os_process_id());
    CHECK_INT(store_open(root, &other, &err), E_OK);
    CHECK_INT(store_lock(store, "lock", &err), E_OK);
    CHECK_INT(store_lock(store, "lock", &err), E_OK);
    CHECK_INT(store_lock(other, "lock", &err), E_EXISTS);
    CHECK(strstr(err.text, pid) != NULL);
    store_close(store);
    CHECK_INT(store_lock(other, "lock", &err), E_OK);
    store_close(other);
}

/* ---- staged files ---- */

static enum code stage_text(struct store *store, const char *name, const char *content, struct error *err)
{
    struct stage *stage;
    TRY(stage_open(store, name, &stage, err));
    enum code code = stage_write(stage, bytes_of_string(content), err);
    if (code != E_OK) {
        stage_abandon(stage);
        return code;
    }
    TRY(stage_finish(stage, err));
    return store_sync(store, "_staging", err);
}

static enum code publish(struct store *store, const char *staged, const char *final, int64_t size_bytes,
                         struct error *err)
{
    const struct staged file = {.path = staged, .final = final, .size_bytes = size_bytes};
    return store_publish(store, &file, err);
}

TEST(a_staged_file_appears_whole_and_once)
{
    struct error err = {0};
    struct store *store = fresh();
    CHECK_INT(stage_text(store, "_staging/a.staged", "hello", &err), E_OK);
    CHECK_INT(stage_text(store, "_staging/a.staged", "again", &err), E_EXISTS);
    CHECK_INT(publish(store, "_staging/a.staged", "day=1/a.csv", 4, &err), E_CORRUPT);
    CHECK_INT(publish(store, "_staging/a.staged", "day=1/a.csv", 5, &err), E_OK);
    CHECK_INT(publish(store, "_staging/a.staged", "day=1/a.csv", 5, &err), E_OK);
    CHECK_INT(publish(store, "_staging/a.staged", "day=1/a.csv", 6, &err), E_CORRUPT);
    CHECK_INT(store_publish_sync(store, &err), E_OK);
    check_get(store, "day=1/a.csv", "hello");
    check_get(store, "_staging/a.staged", NULL);
    CHECK_INT(publish(store, "_staging/b.staged", "b.csv", 5, &err), E_LOST);
    store_close(store);
}

TEST(a_published_file_is_never_replaced)
{
    struct error err = {0};
    struct store *store = fresh();
    CHECK_INT(store_put_new(store, "a.csv", bytes_of_string("theirs!"), &err), E_OK);
    CHECK_INT(stage_text(store, "_staging/a.staged", "mine", &err), E_OK);
    CHECK_INT(publish(store, "_staging/a.staged", "a.csv", 4, &err), E_CORRUPT);
    check_get(store, "a.csv", "theirs!");
    check_get(store, "_staging/a.staged", "mine");
    // Both names with the recorded bytes: a crash between link and unlink.
    CHECK_INT(store_put_new(store, "b.csv", bytes_of_string("mine"), &err), E_OK);
    CHECK_INT(publish(store, "_staging/a.staged", "b.csv", 4, &err), E_OK);
    check_get(store, "_staging/a.staged", NULL);
    store_close(store);
}

TEST(large_and_small_writes_keep_their_order)
{
    struct error err = {0};
    struct store *store = fresh();
    struct stage *stage;
    struct text want = {0}, got = {0};
    CHECK_INT(stage_open(store, "_staging/a.staged", &stage, &err), E_OK);
    for (int i = 0; i < 200; i++) {
        size_t size = kit_random() % 3 == 0 ? kit_random() % 3000000 : kit_random() % 5000;
        if (want.size + size > 20000000)
            break;
        char *at = text_reserve(&want, size);
        memset(at, 'a' + i % 26, size);
        want.size += size;
        CHECK_INT(stage_write(stage, bytes_of(at, size), &err), E_OK);
        CHECK_INT(stage_size(stage), want.size);
    }
    uint64_t checksum = stage_checksum(stage), again = 0;
    CHECK_INT(stage_finish(stage, &err), E_OK);
    CHECK_INT(store_get(store, "_staging/a.staged", 30000000, &got, &err), E_OK);
    CHECK(bytes_equal(text_view(&got), text_view(&want)));
    CHECK_INT(store_checksum(store, "_staging/a.staged", &again, &err), E_OK);
    CHECK(again == checksum);
    text_free(&want);
    text_free(&got);
    store_close(store);
}

TEST(an_abandoned_stage_leaves_nothing)
{
    struct error err = {0};
    struct store *store = fresh();
    struct stage *stage;
    CHECK_INT(stage_open(store, "_staging/a.staged", &stage, &err), E_OK);
    CHECK_INT(stage_write(stage, bytes_of_string("x"), &err), E_OK);
    stage_abandon(stage);
    stage_abandon(NULL);
    CHECK_INT(files_below(store, ""), 0);
    store_close(store);
}

TEST(a_folder_that_someone_removed_is_made_again)
{
    struct error err = {0};
    struct store *store = fresh();
    char folder[300];
    snprintf(folder, sizeof folder, "%s/_staging", root);
    CHECK_INT(stage_text(store, "_staging/a.staged", "x", &err), E_OK);
    CHECK_INT(store_remove(store, "_staging/a.staged", &err), E_OK);
    CHECK_INT(os->remove(folder, &err), E_OK);
    CHECK_INT(stage_text(store, "_staging/b.staged", "x", &err), E_OK);
    store_close(store);
}

/* ---- every operation fails once ---- */

/* Success must mean: the bytes are there. Failure must leave the name free or hold exactly the bytes
 * (unknown). */
TEST(put_new_never_lies)
{
    for (int how = 0; how < FAILING_HOW_COUNT; how++) {
        for (int k = 1;; k++) {
            struct error err = {0};
            struct text got = {0};
            struct store *store = fresh();
            failing_os_arm(k, (enum failing_how)how);
            enum code code = store_put_new(store, "chain/0/1.json", bytes_of_string("record"), &err);
            bool reached = failing_os_disarm();
            enum code there = store_get(store, "chain/0/1.json", 100, &got, &(struct error){0});
            if (there == E_OK)
                CHECK_STR(got.data, "record");
            if (code == E_OK)
                CHECK_INT(there, E_OK);
            else
                CHECK(code == E_IO || code == E_FULL);
            if (!reached)
                CHECK_INT(code, E_OK);
            CHECK_INT(files_below(store, ""), there == E_OK);
            // Unknown is followed by a read; then the same body is put again, or is there already.
            enum code again = store_put_new(store, "chain/0/1.json", bytes_of_string("record"), &err);
            CHECK_INT(again, there == E_OK ? E_EXISTS : E_OK);
            text_free(&got);
            store_close(store);
            if (!reached)
                break;
        }
    }
}

static enum code stage_and_publish(struct store *store, const char *content, struct error *err)
{
    TRY(stage_text(store, "_staging/a.staged", content, err));
    TRY(publish(store, "_staging/a.staged", "day=1/a.csv", (int64_t)strlen(content), err));
    return store_publish_sync(store, err);
}

TEST(staging_and_publishing_never_lie)
{
    char content[5000];
    memset(content, 'x', sizeof content - 1);
    content[sizeof content - 1] = '\0';
    for (int how = 0; how < FAILING_HOW_COUNT; how++) {
        for (int k = 1;; k++) {
            struct error err = {0};
            struct text got = {0};
            struct store *store = fresh();
            failing_os_arm(k, (enum failing_how)how);
            enum code code = stage_and_publish(store, content, &err);
            bool reached = failing_os_disarm();
            CHECK(code == E_OK || code == E_IO || code == E_FULL);
            enum code there = store_get(store, "day=1/a.csv", 10000, &got, &(struct error){0});
            if (there == E_OK)
                CHECK_STR(got.data, content);
            if (code == E_OK)
                CHECK_INT(there, E_OK);
            if (!reached)
                CHECK_INT(code, E_OK);
            text_free(&got);
            store_close(store);
            if (!reached)
                break;
        }
    }
}

/* A record exists: publishing fails anywhere, and whoever tries again finishes it. */
TEST(publishing_is_finished_by_the_next_try)
{
    for (int how = 0; how < FAILING_HOW_COUNT; how++) {
        for (int k = 1;; k++) {
            struct error err = {0};
            struct store *store = fresh();
            CHECK_INT(stage_text(store, "_staging/a.staged", "rows", &err), E_OK);
            failing_os_arm(k, (enum failing_how)how);
            enum code code = publish(store, "_staging/a.staged", "day=1/a.csv", 4, &err);
            if (code == E_OK)
                code = store_publish_sync(store, &err);
            bool reached = failing_os_disarm();
            CHECK(code == E_OK || code == E_IO || code == E_FULL);
            CHECK_INT(publish(store, "_staging/a.staged", "day=1/a.csv", 4, &err), E_OK);
            CHECK_INT(store_publish_sync(store, &err), E_OK);
            check_get(store, "day=1/a.csv", "rows");
            CHECK_INT(files_below(store, ""), 1);
            store_close(store);
            if (!reached)
                break;
        }
    }
}

#ifdef LEAT_FAULTS
TEST(fail_points_are_reached)
{
    static const char *const points[] = {"stage_open", "stage_write", "stage_fsync", "record_put", "publish_one"};
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        for (int lost = 0; lost < 2; lost++) {
            struct error err = {0};
            char spec[64];
            struct store *store = fresh();
            snprintf(spec, sizeof spec, "%s:1:%s", points[i], lost ? "lost" : "eio");
            CHECK_INT(fault_arm(spec, &err), E_OK);
            enum code code = stage_and_publish(store, "rows", &err);
            if (code == E_OK)
                code = store_put_new(store, "r", bytes_of_string("record"), &err);
            CHECK_INT(code, E_IO);
            CHECK(strstr(err.text, points[i]) != NULL);
            CHECK_INT(fault_arm(NULL, &err), E_OK);
            store_close(store);
        }
    }
}
#endif

/* ---- a failed sync: rule 5 of exactly-once.md ---- */

static int syncs;
static struct os sick_os;

static enum code sick_sync(int handle, struct error *err)
{
    (void)handle;
    syncs++;
    return fail(err, E_IO, "the disk is sick");
}

/* The kernel may have marked the pages clean: a second sync would say yes to bytes that are not there. */
TEST(a_file_whose_sync_failed_is_abandoned)
{
    struct error err = {0};
    struct store *store = fresh();
    struct stage *stage;
    sick_os = *os_system();
    sick_os.file_sync = sick_sync;
    syncs = 0;
    CHECK_INT(stage_open(store, "_staging/a.staged", &stage, &err), E_OK);
    CHECK_INT(stage_write(stage, bytes_of_string("hello"), &err), E_OK);
    os_install(&sick_os);
    CHECK_INT(stage_finish(stage, &err), E_IO);
    CHECK_INT(syncs, 1);
    CHECK_INT(store_put_new(store, "chain/0/1.json", bytes_of_string("mine"), &err), E_IO);
    CHECK_INT(syncs, 2); // a file of its own, and not once more
    os_install(NULL);
    CHECK_INT(files_below(store, ""), 0);
    CHECK_INT(store_put_new(store, "chain/0/1.json", bytes_of_string("new"), &err), E_OK);
    check_get(store, "chain/0/1.json", "new");
    store_close(store);
}
