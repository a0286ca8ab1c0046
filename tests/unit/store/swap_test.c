/* Files that take the place of others: whole or not at all, whatever fails. */
#include "store/store.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"
#include "failing_os.h"
#include "kit.h"

static char root[300];

static void stage_text(struct store *store, const char *path, const char *content)
{
    struct error err = {0};
    struct stage *stage = NULL;
    CHECK_INT(stage_open(store, path, &stage, &err), E_OK);
    CHECK_INT(stage_write(stage, bytes_of_string(content), &err), E_OK);
    CHECK_INT(stage_finish(stage, &err), E_OK);
}

/* Three files in `folder`, a lock held, and one staged to take the place of two. */
static struct store *fresh(const char *folder)
{
    struct error err = {0};
    struct store *store = NULL;
    char path[300];
    snprintf(root, sizeof root, "%s/table", kit_tmpdir());
    CHECK_INT(store_open(root, &store, &err), E_OK);
    CHECK_INT(store_lock(store, "_staging/q.lock", &err), E_OK);
    for (char name = 'a'; name <= 'c'; name++) {
        snprintf(path, sizeof path, "%s%s%c", folder, folder[0] != '\0' ? "/" : "", name);
        CHECK_INT(store_put_new(store, path, bytes_of(&name, 1), &err), E_OK);
    }
    stage_text(store, "_staging/merged.staged", "ab");
    return store;
}

static enum code swap(struct store *store, const char *folder, struct error *err)
{
    char paths[3][300];
    for (int i = 0; i < 3; i++)
        snprintf(paths[i], sizeof paths[i], "%s%s%s", folder, folder[0] != '\0' ? "/" : "",
                 i < 2 ? i == 0 ? "a" : "b" : "ab");
    const char *const gone[] = {paths[0], paths[1]};
    const struct staged come = {"_staging/merged.staged", paths[2], NULL, 2};
    const struct store_swap what = {folder, gone, 2, &come, 1, 1000000};
    return store_swap(store, &what, err);
}

static void list_data(struct store *store, struct text *out)
{
    struct error err = {0};
    struct store_list list = {0};
    text_clear(out);
    text_add(out, NULL, 0);
    CHECK_INT(store_list(store, "", true, &list, &err), E_OK);
    for (int32_t i = 0; i < list.count; i++)
        if (strncmp(list.entries[i].path, "_staging/", 9) != 0)
            text_printf(out, "%s ", list.entries[i].path);
    store_list_free(&list);
}

static void beside_count(void *context, const char *name, bool is_dir)
{
    (void)is_dir;
    *(int *)context += name[0] == '.';
}

static int leftovers(void)
{
    struct error err = {0};
    int count = 0;
    char parent[300];
    snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(root, '/') - root), root);
    CHECK_INT(os->list(parent, beside_count, &count, &err), E_OK);
    return count;
}

TEST(swap_in_the_root_keeps_staging_and_its_locks)
{
    struct error err = {0};
    struct text names = {0};
    struct os_stat st;
    char path[400];
    struct store *store = fresh(""), *second = NULL;
    stage_text(store, "_staging/other.staged", "x");
    CHECK_INT(chmod(root, 0751), 0);
    CHECK_INT(swap(store, "", &err), E_OK);
    list_data(store, &names);
    CHECK_STR(names.data, "ab c ");
    struct stat folder;
    CHECK_INT(stat(root, &folder), 0);
    CHECK_INT(folder.st_mode & 0777, 0751);
    snprintf(path, sizeof path, "%s/ab", root);
    CHECK_INT(os->stat(path, &st, &err), E_OK);
    CHECK_INT(st.modified_us, 1000000);
    int64_t size;
    CHECK_INT(store_size(store, "_staging/other.staged", &size, &err), E_OK);
    CHECK_INT(store_size(store, "_staging/merged.staged", &size, &err), E_ABSENT);
    CHECK_INT(store_look(root, &second, &err), E_OK);
    CHECK_INT(store_lock(second, "_staging/q.lock", &err), E_EXISTS);
    store_close(second);
    store_close(store);
    CHECK_INT(leftovers(), 0);
    text_free(&names);
}

TEST(swap_in_a_folder)
{
    struct error err = {0};
    struct text names = {0};
    struct store *store = fresh("day=1");
    CHECK_INT(store_put_new(store, "day=2/d", bytes_of_string("d"), &err), E_OK);
    CHECK_INT(swap(store, "day=1", &err), E_OK);
    list_data(store, &names);
    CHECK_STR(names.data, "day=1/ab day=1/c day=2/d ");
    CHECK_INT(store_put_new(store, "day=2/deep/e", bytes_of_string("e"), &err), E_OK);
    stage_text(store, "_staging/merged.staged", "ab");
    CHECK_INT(swap(store, "day=2", &err), E_UNSUPPORTED);
    store_close(store);
    CHECK_INT(leftovers(), 0);
    text_free(&names);
}

/* A table of partitions: one goes, one comes, one keeps a file of somebody else. */
TEST(swap_of_a_tree)
{
    struct error err = {0};
    struct text names = {0};
    struct store *store = fresh("");
    CHECK_INT(store_put_new(store, "day=1/a", bytes_of_string("1"), &err), E_OK);
    CHECK_INT(store_put_new(store, "day=2/x=1/a", bytes_of_string("2"), &err), E_OK);
    CHECK_INT(store_put_new(store, "day=2/x=1/theirs", bytes_of_string("3"), &err), E_OK);
    const char *const gone[] = {"a", "b", "c", "day=1/a", "day=2/x=1/a"};
    const struct staged come = {"_staging/merged.staged", "day=3/x=2/ab", NULL, 2};
    const struct store_swap what = {"", gone, 5, &come, 1, 1000000};
    CHECK_INT(store_swap(store, &what, &err), E_OK);
    list_data(store, &names);
    CHECK_STR(names.data, "day=2/x=1/theirs day=3/x=2/ab ");
    struct os_stat st;
    char path[400];
    snprintf(path, sizeof path, "%s/day=1", root);
    CHECK_INT(os->stat(path, &st, &err), E_ABSENT);
    error_clear(&err);
    CHECK_INT(store_put_new(store, "day=1/b", bytes_of_string("4"), &err), E_OK); // its folder is made again
    const struct store_swap empty = {"", (const char *const[]){"day=1/b", "day=3/x=2/ab"}, 2, NULL, 0, 1000000};
    CHECK_INT(store_swap(store, &empty, &err), E_OK);
    list_data(store, &names);
    CHECK_STR(names.data, "day=2/x=1/theirs ");
    store_close(store);
    CHECK_INT(leftovers(), 0);
    text_free(&names);
}

/* Who opened the folder before finds all of it, however slowly he lists. */
TEST(swap_leaves_the_old_folder_to_who_lists_it)
{
    struct error err = {0};
    struct store *store = fresh("");
    DIR *before = opendir(root);
    CHECK(before != NULL);
    CHECK_INT(swap(store, "", &err), E_OK);
    char seen[8] = "";
    for (struct dirent *entry; (entry = readdir(before)) != NULL;)
        if (entry->d_name[1] == '\0' && entry->d_name[0] != '.')
            seen[entry->d_name[0] - 'a'] = entry->d_name[0];
    CHECK_STR(seen, "abc");
    closedir(before);
    CHECK_INT(leftovers(), 1);
    CHECK_INT(store_swap_sweep(store, &err), E_OK);
    CHECK_INT(leftovers(), 0);
    store_close(store);
}

TEST(swap_refuses_a_symbolic_link)
{
    struct error err = {0};
    struct text names = {0};
    struct store *store = fresh("");
    char other[400];
    store_close(store);
    snprintf(other, sizeof other, "%s/elsewhere", kit_tmpdir());
    CHECK_INT(rename(root, other), 0);
    CHECK_INT(symlink(other, root), 0);
    CHECK_INT(store_open(root, &store, &err), E_OK);
    CHECK_INT(swap(store, "", &err), E_UNSUPPORTED);
    list_data(store, &names);
    CHECK_STR(names.data, "a b c ");
    store_close(store);
    text_free(&names);
}

/* Whichever operation fails, or is done and its answer lost: a lister finds one of the two, and the sweep leaves nothing. */
TEST(swap_is_whole_when_anything_fails)
{
    static const enum failing_how hows[] = {FAILING_EIO, FAILING_LOST};
    struct text names = {0};
    for (size_t h = 0; h < 2; h++)
        for (int n = 1;; n++) {
            struct error err = {0};
            struct store *store = fresh("");
            failing_os_arm(n, hows[h]);
            enum code code = swap(store, "", &err);
            bool struck = failing_os_disarm();
            list_data(store, &names);
            CHECK(strcmp(names.data, "a b c ") == 0 || strcmp(names.data, "ab c ") == 0);
            CHECK(code != E_OK || strcmp(names.data, "ab c ") == 0);
            struct error none = {0};
            CHECK_INT(store_swap_sweep(store, &none), E_OK);
            CHECK_INT(leftovers(), 0);
            store_close(store);
            char command[400];
            snprintf(command, sizeof command, "%s/gone-%d-%zu", kit_tmpdir(), n, h);
            CHECK_INT(rename(root, command), 0);
            if (!struck)
                break;
        }
    text_free(&names);
}
