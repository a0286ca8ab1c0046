#include "base/os.h"

#include <stdio.h>
#include <sys/stat.h>

#include "kit.h"

static char path_buffer[4][512];

static const char *in_folder(int slot, const char *folder, const char *name)
{
    snprintf(path_buffer[slot], sizeof path_buffer[slot], "%s/%s", folder, name);
    return path_buffer[slot];
}

static void put(const char *path, const char *content)
{
    struct error err = {0};
    int handle;
    CHECK_INT(os->file_open(path, OS_WRITE, &handle, &err), E_OK);
    CHECK_INT(os->file_write(handle, content, strlen(content), &err), E_OK);
    CHECK_INT(os->file_close(handle, &err), E_OK);
}

static void check_content(const char *path, const char *want)
{
    struct error err = {0};
    struct text got = {0};
    CHECK_INT(os_read_file(path, 1 << 20, &got, &err), E_OK);
    CHECK_STR(got.data, want);
    text_free(&got);
}

TEST(files_are_written_read_and_counted)
{
    struct error err = {0};
    char folder[256];
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    const char *path = in_folder(0, folder, "a");
    put(path, "hello ");
    put(path, "world");
    check_content(path, "hello world");
    struct os_stat st;
    CHECK_INT(os->stat(path, &st, &err), E_OK);
    CHECK_INT(st.size_bytes, 11);
    CHECK(!st.is_dir);
    char part[8] = {0};
    size_t got;
    int handle;
    CHECK_INT(os->file_open(path, OS_READ, &handle, &err), E_OK);
    CHECK_INT(os->file_read(handle, 6, part, sizeof part, &got, &err), E_OK);
    CHECK_INT(got, 5);
    CHECK_STR(part, "world");
    CHECK_INT(os->file_close(handle, &err), E_OK);
}

TEST(a_pipe_is_refused_not_waited_for)
{
    struct error err = {0};
    struct text content = {0};
    char folder[256];
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    const char *path = in_folder(0, folder, "pipe");
    CHECK_INT(mkfifo(path, 0600), 0);
    CHECK_INT(os_read_file(path, 1 << 20, &content, &err), E_CORRUPT);
    CHECK(strstr(err.text, "is a pipe") != NULL);
}

TEST(names_that_are_taken_or_missing_are_answers)
{
    struct error err = {0};
    char folder[256];
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    const char *a = in_folder(0, folder, "a"), *b = in_folder(1, folder, "b"), *c = in_folder(2, folder, "c");
    struct os_stat st;
    int handle;
    put(a, "a");
    put(b, "b");
    CHECK_INT(os->file_open(a, OS_WRITE | OS_CREATE_NEW, &handle, &err), E_EXISTS);
    CHECK_INT(os->link_new(a, b, &err), E_EXISTS);
    CHECK_INT(os->rename_new(a, b, &err), E_EXISTS);
    CHECK_INT(os->rename_new(c, a, &err), E_ABSENT);
    CHECK_INT(os->stat(c, &st, &err), E_ABSENT);
    CHECK_INT(os->remove(c, &err), E_ABSENT);
    CHECK_INT(os->file_open(c, OS_READ, &handle, &err), E_ABSENT);
    CHECK_INT(os->rename_new(a, c, &err), E_OK);
    CHECK_INT(os->rename_over(b, c, &err), E_OK);
    check_content(c, "b");
}

TEST(a_replaced_file_is_whole_and_leaves_nothing)
{
    struct error err = {0};
    char folder[256];
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    const char *path = in_folder(0, folder, "a");
    CHECK_INT(os_replace_file(path, bytes_of_string("one"), &err), E_OK);
    CHECK_INT(os_replace_file(path, bytes_of_string("two"), &err), E_OK);
    check_content(path, "two");
    CHECK_INT(os->remove(path, &err), E_OK);
    CHECK_INT(os->remove(folder, &err), E_OK); // only an empty folder can be removed
    CHECK_INT(os_replace_file(path, bytes_of_string("x"), &err), E_ABSENT);
}

TEST(a_file_over_its_limit_is_refused)
{
    struct error err = {0};
    struct text got = {0};
    const char *path = in_folder(0, kit_tmpdir(), "a");
    put(path, "12345");
    CHECK_INT(os_read_file(path, 4, &got, &err), E_CORRUPT);
    CHECK_INT(got.size, 0);
    CHECK_INT(os_read_file(path, 5, &got, &err), E_OK);
    text_free(&got);
}

static void count_entry(void *context, const char *name, bool is_dir)
{
    int *counts = context;
    counts[is_dir]++;
    CHECK(name[0] != '.');
}

TEST(folders_are_made_with_their_parents_and_listed)
{
    struct error err = {0};
    char folder[256];
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    CHECK_INT(os->dir_make(in_folder(0, folder, "x/y/z"), &err), E_OK);
    CHECK_INT(os->dir_make(in_folder(0, folder, "x/y/z"), &err), E_OK);
    put(in_folder(1, folder, "file"), "");
    CHECK_INT(os->dir_make(in_folder(0, folder, "file/z"), &err), E_IO);
    int counts[2] = {0};
    CHECK_INT(os->list(folder, count_entry, counts, &err), E_OK);
    CHECK_INT(counts[0], 1);
    CHECK_INT(counts[1], 1);
    CHECK_INT(os->dir_sync(folder, &err), E_OK);
    int64_t free_bytes;
    CHECK_INT(os->free_bytes(folder, &free_bytes, &err), E_OK);
    CHECK(free_bytes > 0);
}

TEST(a_lock_has_one_holder)
{
    struct error err = {0};
    const char *path = in_folder(0, kit_tmpdir(), "lock");
    int first, second;
    CHECK_INT(os->lock_file(path, &first, &err), E_OK);
    CHECK_INT(os->lock_file(path, &second, &err), E_EXISTS);
    CHECK_INT(os->file_close(first, &err), E_OK);
    CHECK_INT(os->lock_file(path, &second, &err), E_OK);
    CHECK_INT(os->file_close(second, &err), E_OK);
}

TEST(clocks_move_and_numbers_differ)
{
    int64_t mono = os->clock_mono_us();
    os->sleep_us(1000);
    CHECK(os->clock_mono_us() >= mono + 1000);
    CHECK(os->clock_wall_us() > INT64_C(1700000000000000));
    CHECK(os_random() != os_random());
}
