/* What store.h promises, of every type of store: a local disk, and S3 when LEAT_TEST_S3 names a folder in a bucket
 * (tests/interop/s3_test.py does, with AWS_ENDPOINT_URL and keys beside it). */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/os.h"
#include "kit.h"
#include "store/store.h"

static char root[512];

static struct store *store_at(const char *url)
{
    struct error err = {0};
    struct store *store = NULL;
    snprintf(root, sizeof root, "%s", url);
    if (store_open(root, &store, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s", err.text);
    return store;
}

typedef void promise(struct store *store);

/* The promise on a fresh folder of each type. */
static void everywhere(promise *check)
{
    struct store *store = store_at(kit_tmpdir());
    if (store != NULL)
        check(store);
    store_close(store);
    const char *s3 = getenv("LEAT_TEST_S3");
    if (s3 == NULL) {
        kit_skip("LEAT_TEST_S3 is not set: only on the local disk");
        return;
    }
    char url[512];
    snprintf(url, sizeof url, "%s/%016" PRIx64, s3, os_random());
    store = store_at(url);
    if (store != NULL)
        check(store);
    store_close(store);
}

#define EVERYWHERE(name)                       \
    static void check_##name(struct store *s); \
    TEST(name) { everywhere(check_##name); }   \
    static void check_##name(struct store *s)

static void expect(struct store *s, const char *path, const char *want)
{
    struct error err = {0};
    struct text got = {0};
    enum code code = store_get(s, path, 1 << 20, &got, &err);
    if (want == NULL)
        CHECK_INT(code, E_ABSENT);
    else if (code != E_OK)
        kit_fail(__FILE__, __LINE__, "%s: %s", path, err.text);
    else
        CHECK_STR(got.data, want);
    text_free(&got);
}

static void put(struct store *s, const char *path, const char *content)
{
    struct error err = {0};
    if (store_put_new(s, path, bytes_of_string(content), &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s: %s", path, err.text);
}

EVERYWHERE(the_first_put_wins)
{
    struct error err = {0};
    put(s, "a/b", "one");
    CHECK_INT(store_put_new(s, "a/b", bytes_of_string("two"), &err), E_EXISTS);
    CHECK_INT(store_put_new(s, "a/b", bytes_of_string("one"), &err), E_EXISTS); // the same bytes are not the same put
    expect(s, "a/b", "one");
    CHECK_INT(store_put_over(s, "a/b", bytes_of_string("three"), &err), E_OK);
    CHECK_INT(store_put_over(s, "new", bytes_of_string("x"), &err), E_OK);
    expect(s, "a/b", "three");
    expect(s, "new", "x");
    expect(s, "nothing", NULL);
    CHECK_INT(store_remove(s, "a/b", &err), E_OK);
    CHECK_INT(store_remove(s, "a/b", &err), E_OK);
    expect(s, "a/b", NULL);
    put(s, "a/b", "");
    expect(s, "a/b", "");
}

EVERYWHERE(parts_are_read)
{
    struct error err = {0};
    struct text got = {0};
    int64_t size_bytes = 0;
    uint64_t checksum = 0;
    put(s, "x", "0123456789");
    CHECK_INT(store_read(s, "x", 3, 4, &got, &err), E_OK);
    CHECK_INT(store_read(s, "x", 9, 1, &got, &err), E_OK);
    CHECK_STR(got.data, "34569");
    CHECK_INT(store_read(s, "x", 8, 3, &got, &err), E_CORRUPT);
    CHECK_INT(store_read(s, "x", 10, 1, &got, &err), E_CORRUPT);
    CHECK_INT(store_read(s, "y", 0, 1, &got, &err), E_ABSENT);
    CHECK_STR(got.data, "34569");
    CHECK_INT(store_get(s, "x", 9, &got, &err), E_CORRUPT);
    CHECK_INT(store_size(s, "x", &size_bytes, &err), E_OK);
    CHECK_INT(size_bytes, 10);
    CHECK_INT(store_size(s, "y", &size_bytes, &err), E_ABSENT);
    CHECK_INT(store_checksum(s, "x", &checksum, &err), E_OK);
    CHECK(checksum == XXH64("0123456789", 10, 0));
    CHECK_INT(store_checksum(s, "y", &checksum, &err), E_ABSENT);
    text_free(&got);
}

static void list_is(struct store *s, const char *folder, bool recursive, const char *want)
{
    struct error err = {0};
    struct store_list list = {0};
    struct text got = {0};
    int64_t now_us = os->clock_wall_us();
    if (store_list(s, folder, recursive, &list, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s", err.text);
    for (int32_t i = 0; i < list.count; i++) {
        text_printf(&got, "%s:%lld ", list.entries[i].path, (long long)list.entries[i].size_bytes);
        CHECK(list.entries[i].modified_us > now_us - (int64_t)600 * 1000000 &&
              list.entries[i].modified_us < now_us + (int64_t)60 * 1000000);
    }
    CHECK_STR(got.data != NULL ? got.data : "", want);
    text_free(&got);
    store_list_free(&list);
}

EVERYWHERE(lists_are_sorted_and_of_one_folder)
{
    put(s, "b/2", "22");
    put(s, "b/10", "1");
    put(s, "b/c/3", "");
    put(s, "bb", "x");
    list_is(s, "b", false, "b/10:1 b/2:2 ");
    list_is(s, "b", true, "b/10:1 b/2:2 b/c/3:0 ");
    list_is(s, "", false, "bb:1 ");
    list_is(s, "nothing", true, "");
}

EVERYWHERE(names_may_be_odd)
{
    static const char *const names[] = {
        "day=2026-11-21/a b", "k=%2F%25", "k=a+b&c=d", "\xc3\xa4\xe2\x82\xac", "q?x#y", "<&>\"'", "~!$()*,;@[]"};
    struct error err = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        put(s, names[i], names[i]);
        expect(s, names[i], names[i]);
    }
    struct store_list list = {0};
    CHECK_INT(store_list(s, "", true, &list, &err), E_OK);
    CHECK_INT(list.count, sizeof names / sizeof *names);
    for (int32_t i = 0; i < list.count; i++)
        expect(s, list.entries[i].path, list.entries[i].path);
    store_list_free(&list);
    static const char *const bad[] = {"../x", "a//b", "/a", "a/", ".", "a\nb"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_INT(store_put_new(s, bad[i], bytes_of_string("x"), &err), E_SPEC);
}

EVERYWHERE(what_lies_there_may_be_claimed)
{
    struct error err = {0};
    put(s, "0.staged", "record");
    put(s, "1.staged", "other");
    CHECK_INT(store_claim(s, "0.staged", "0", &err), E_OK);
    expect(s, "0", "record");
    expect(s, "0.staged", NULL);
    CHECK_INT(store_claim(s, "1.staged", "0", &err), E_EXISTS);
    expect(s, "1.staged", "other");
    CHECK_INT(store_claim(s, "0.staged", "2", &err), E_ABSENT);
}

/* ---- staged files ---- */

static char *block_of(size_t size)
{
    char *block = mem_alloc(size);
    for (size_t i = 0; i < size; i++)
        block[i] = (char)(i * 2654435761u >> 13);
    return block;
}

/* Written in pieces of odd sizes. */
static void stage_bytes(struct stage *stage, const char *data, size_t size)
{
    struct error err = {0};
    for (size_t done = 0, piece; done < size; done += piece) {
        piece = size - done < 700001 ? size - done : 700001;
        if (stage_write(stage, bytes_of(data + done, piece), &err) != E_OK)
            kit_fail(__FILE__, __LINE__, "%s", err.text);
    }
    CHECK_INT(stage_size(stage), size);
}

/* The handle, to be freed. */
static char *staged_file(struct store *s, const char *staged, const char *final, const char *data, size_t size)
{
    struct error err = {0};
    struct stage *stage = NULL;
    struct text handle = {0};
    if (stage_open_final(s, staged, final, &stage, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s", err.text);
    stage_bytes(stage, data, size);
    CHECK(stage_checksum(stage) == XXH64(data, size, 0));
    if (stage_seal(stage, &handle, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s", err.text);
    CHECK_INT(store_sync(s, "_staging", &err), E_OK);
    return text_take(&handle);
}

static void staged_of_size(struct store *s, const char *staged, const char *final, size_t size)
{
    struct error err = {0};
    char *data = block_of(size + 1);
    char *handle = staged_file(s, staged, final, data, size);
    const struct staged file = {staged, final, handle, (int64_t)size};
    bool there = false;
    CHECK_INT(store_has_staged(s, &file, &there, &err), E_OK);
    CHECK(there);
    expect(s, final, NULL);
    for (int twice = 0; twice < 2; twice++)
        if (store_publish(s, &file, &err) != E_OK)
            kit_fail(__FILE__, __LINE__, "%zu bytes: %s", size, err.text);
    CHECK_INT(store_publish_sync(s, &err), E_OK);
    CHECK_INT(store_has_staged(s, &file, &there, &err), E_OK);
    CHECK(!there);
    int64_t size_bytes = -1;
    uint64_t checksum = 0;
    CHECK_INT(store_size(s, final, &size_bytes, &err), E_OK);
    CHECK_INT(size_bytes, size);
    CHECK_INT(store_checksum(s, final, &checksum, &err), E_OK);
    CHECK(checksum == XXH64(data, size, 0));
    CHECK_INT(store_discard(s, &file, &err), E_OK); // too late: it is published
    CHECK_INT(store_size(s, final, &size_bytes, &err), E_OK);
    CHECK_INT(store_remove(s, final, &err), E_OK);
    CHECK(store_publish(s, &file, &err) != E_OK); // E_LOST; moto says 500 of an upload that it does not know
    expect(s, final, NULL);                       // it must not come back
    mem_free(handle);
    mem_free(data);
}

EVERYWHERE(a_staged_file_appears_whole_once_it_is_published)
{
    staged_of_size(s, "_staging/1.staged", "day=1/one.csv", 1);
    staged_of_size(s, "_staging/2.staged", "none.csv", 0);
    staged_of_size(s, "_staging/3.staged", "part.csv", 8 << 20);
    staged_of_size(s, "_staging/4.staged", "parts.csv", (17 << 20) + 3);
}

EVERYWHERE(a_published_file_is_not_replaced)
{
    struct error err = {0};
    put(s, "a.csv", "theirs!");
    char *handle = staged_file(s, "_staging/a.staged", "a.csv", "mine", 4);
    const struct staged file = {"_staging/a.staged", "a.csv", handle, 4};
    CHECK_INT(store_publish(s, &file, &err), E_CORRUPT);
    expect(s, "a.csv", "theirs!");
    mem_free(handle);
}

EVERYWHERE(what_is_staged_is_listed_and_may_be_discarded)
{
    struct error err = {0};
    struct staged_list list = {0};
    char *one = staged_file(s, "_staging/1.staged", "p=1/1.csv", "one", 3);
    char *two = staged_file(s, "_staging/2.staged", "p=1/2.csv", "two", 3);
    const struct staged second = {"_staging/2.staged", "p=1/2.csv", two, 3};
    CHECK_INT(store_list_staged(s, &list, &err), E_OK);
    CHECK_INT(list.count, 2);
    if (list.count == 2)
        CHECK_INT(store_discard(s, &list.items[0], &err), E_OK);
    staged_list_free(&list);
    CHECK_INT(store_list_staged(s, &list, &err), E_OK);
    CHECK_INT(list.count, 1);
    staged_list_free(&list);
    CHECK_INT(store_publish(s, &second, &err), E_OK);
    CHECK_INT(store_list_staged(s, &list, &err), E_OK);
    CHECK_INT(list.count, 0);
    staged_list_free(&list);
    list_is(s, "", true, "p=1/2.csv:3 ");
    struct stage *stage = NULL;
    CHECK_INT(stage_open_final(s, "_staging/3.staged", "3.csv", &stage, &err), E_OK);
    char *big = block_of(9 << 20);
    stage_bytes(stage, big, 9 << 20);
    stage_abandon(stage);
    CHECK_INT(store_list_staged(s, &list, &err), E_OK);
    CHECK_INT(list.count, 0);
    staged_list_free(&list);
    mem_free(big);
    mem_free(one);
    mem_free(two);
}

enum { MANY = 40 };

EVERYWHERE(many_files_are_sealed_published_and_removed_together)
{
    struct error err = {0};
    struct stage *stages[MANY];
    struct text handles[MANY] = {{0}};
    struct staged files[MANY];
    char staged[MANY][40], final[MANY][40], *big = block_of(9 << 20);
    const char *paths[MANY];
    for (int i = 0; i < MANY; i++) {
        snprintf(staged[i], sizeof staged[i], "_staging/%02d.staged", i);
        snprintf(final[i], sizeof final[i], "p=%d/%02d.csv", i % 3, i);
        CHECK_INT(stage_open_final(s, staged[i], final[i], &stages[i], &err), E_OK);
        stage_bytes(stages[i], big, i == 7 ? 9 << 20 : (size_t)i);
        paths[i] = final[i];
    }
    CHECK_INT(stage_seal_all(stages, MANY, handles, &err), E_OK);
    for (int i = 0; i < MANY; i++)
        files[i] = (struct staged){staged[i], final[i], handles[i].data, i == 7 ? 9 << 20 : i};
    expect(s, final[1], NULL);
    CHECK_INT(store_publish(s, &files[3], &err), E_OK); // by somebody else
    if (store_publish_all(s, files, MANY, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s", err.text);
    CHECK_INT(store_publish_all(s, files, MANY, &err), E_OK); // again, after a crash
    for (int i = 0; i < MANY; i++) {
        int64_t size_bytes = -1;
        CHECK_INT(store_size(s, final[i], &size_bytes, &err), E_OK);
        CHECK_INT(size_bytes, files[i].size_bytes);
    }
    CHECK_INT(store_remove(s, final[5], &err), E_OK);
    CHECK_INT(store_remove_all(s, paths, MANY, &err), E_OK); // one is gone already
    list_is(s, "", true, "");
    for (int i = 0; i < MANY; i++)
        text_free(&handles[i]);
    mem_free(big);
}

EVERYWHERE(one_bad_file_of_many_is_told)
{
    struct error err = {0};
    put(s, "b.csv", "theirs!");
    char *one = staged_file(s, "_staging/a.staged", "a.csv", "mine", 4);
    char *two = staged_file(s, "_staging/b.staged", "b.csv", "mine", 4);
    const struct staged files[] = {{"_staging/a.staged", "a.csv", one, 4}, {"_staging/b.staged", "b.csv", two, 4}};
    CHECK_INT(store_publish_all(s, files, 2, &err), E_CORRUPT);
    CHECK(strstr(err.text, "b.csv") != NULL);
    expect(s, "a.csv", "mine");
    expect(s, "b.csv", "theirs!");
    mem_free(one);
    mem_free(two);
}

/* ---- read in place ---- */

static void read_equals(struct store_reader *reader, const char *data, int64_t offset, size_t size)
{
    struct error err = {0};
    char *got = mem_alloc(size + 1);
    if (store_reader_read(reader, offset, got, size, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%lld, %zu: %s", (long long)offset, size, err.text);
    else
        CHECK(memcmp(got, data + offset, size) == 0);
    mem_free(got);
}

EVERYWHERE(a_reader_has_the_bytes_of_every_place)
{
    enum { SIZE = (11 << 20) + 17 };
    struct error err = {0};
    struct budget budget = {.limit_bytes = 64 << 20}, none = {.limit_bytes = 1};
    struct budget *const budgets[] = {&budget, &none};
    char *data = block_of(SIZE);
    CHECK_INT(store_put_new(s, "data", bytes_of(data, SIZE), &err), E_OK);
    for (int i = 0; i < 2; i++) {
        struct store_reader *reader = NULL;
        const struct store_span spans[] = {{5 << 20, 700000}, {100, 50}, {200, 300000},
                                           {SIZE - 10, 10},   {-1, 5},   {SIZE, 9}};
        CHECK_INT(store_reader_open(s, &(struct store_entry){"data", i == 0 ? SIZE : -1, 0}, budgets[i], &reader, &err),
                  E_OK);
        CHECK_INT(store_reader_size(reader), SIZE);
        read_equals(reader, data, SIZE - 8, 8);
        read_equals(reader, data, SIZE - 5000, 5000);
        CHECK_INT(store_reader_expect(reader, spans, 6, &err), E_OK);
        read_equals(reader, data, 100, 50);
        read_equals(reader, data, 5 << 20, 700000);
        read_equals(reader, data, 90, 400);                // from two places
        read_equals(reader, data, (1 << 20) - 1, 5 << 20); // larger than what is kept
        read_equals(reader, data, 0, SIZE);
        read_equals(reader, data, 3, 0);
        const struct store_span more[] = {{200, 300000}, {250, 10}, {6 << 20, 1000}, {INT64_MAX, INT64_MAX}};
        CHECK_INT(store_reader_expect(reader, more, 4, &err), E_OK); // some of it is there
        CHECK_INT(store_reader_expect(reader, more, 3, &err), E_OK); // all of it
        read_equals(reader, data, 200, 300000);
        read_equals(reader, data, 6 << 20, 1000);
        char byte;
        CHECK_INT(store_reader_read(reader, SIZE, &byte, 1, &err), E_CORRUPT);
        CHECK_INT(store_reader_read(reader, -1, &byte, 1, &err), E_CORRUPT);
        store_reader_close(reader);
    }
    CHECK_INT(atomic_load(&budget.used_bytes), 0);
    mem_free(data);
}

EVERYWHERE(a_reader_notices_another_file)
{
    struct error err = {0};
    struct budget budget = {0};
    struct store_reader *reader = NULL;
    char byte, *data = block_of(6 << 20);
    CHECK_INT(store_put_new(s, "data", bytes_of(data, 6 << 20), &err), E_OK);
    CHECK_INT(store_reader_open(s, &(struct store_entry){"data", -1, 0}, &budget, &reader, &err), E_OK);
    CHECK_INT(store_reader_read(reader, 0, &byte, 1, &err), E_OK);
    CHECK_INT(store_put_over(s, "data", bytes_of(data, 5 << 20), &err), E_OK);
    CHECK_INT(store_reader_read(reader, 4 << 20, &byte, 1, &err), E_LOST);
    store_reader_close(reader);
    CHECK_INT(store_reader_open(s, &(struct store_entry){"data", 3, 0}, &budget, &reader, &err), E_OK);
    CHECK_INT(store_reader_read(reader, 0, &byte, 1, &err), E_LOST);
    store_reader_close(reader);
    CHECK_INT(store_reader_open(s, &(struct store_entry){"none", -1, 0}, &budget, &reader, &err), E_ABSENT);
    mem_free(data);
}

EVERYWHERE(a_file_may_have_its_name_from_the_start)
{
    struct error err = {0};
    static const size_t sizes[] = {0, 5, (8 << 20) + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct stage *stage = NULL;
        char name[32], *data = block_of(sizes[i] + 1);
        int64_t size_bytes = -1;
        snprintf(name, sizeof name, "state/%zu", i);
        CHECK_INT(stage_open(s, name, &stage, &err), E_OK);
        stage_bytes(stage, data, sizes[i]);
        if (stage_finish(stage, &err) != E_OK)
            kit_fail(__FILE__, __LINE__, "%s", err.text);
        CHECK_INT(store_size(s, name, &size_bytes, &err), E_OK);
        CHECK_INT(size_bytes, sizes[i]);
        mem_free(data);
    }
}

EVERYWHERE(a_name_is_locked_once)
{
    struct error err = {0};
    struct store *other = NULL;
    char here[512];
    snprintf(here, sizeof here, "%s", root);
    CHECK_INT(store_lock(s, "lock", &err), E_OK);
    CHECK_INT(store_lock(s, "lock", &err), E_OK);
    CHECK_INT(store_open(here, &other, &err), E_OK);
    CHECK_INT(store_lock(other, "lock", &err), E_EXISTS);
    store_close(other);
    int64_t free_bytes = 0;
    CHECK_INT(store_free_bytes(s, &free_bytes, &err), E_OK);
    CHECK(free_bytes > 0);
    CHECK_STR(store_root(s), here);
}

EVERYWHERE(long_lists_are_whole)
{
    struct error err = {0};
    struct store_list list = {0};
    enum { COUNT = 1003 };
    for (int i = 0; i < COUNT; i++) {
        char name[32];
        snprintf(name, sizeof name, "many/%04d", i);
        put(s, name, "x");
    }
    CHECK_INT(store_list(s, "many", false, &list, &err), E_OK);
    CHECK_INT(list.count, COUNT);
    CHECK_STR(list.entries[COUNT - 1].path, "many/1002");
    store_list_free(&list);
}
