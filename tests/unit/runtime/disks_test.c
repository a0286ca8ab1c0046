#include "runtime/disks.h"

#include <string.h>

#include "base/os.h"
#include "kit.h"

/* Two file systems, told apart by the first letter of the path: /a.. and /b... */
enum { MB = 1000 * 1000, MIB = 1 << 20 };
static int64_t free_now[2];
static struct os fake;

static enum code fake_stat(const char *path, struct os_stat *out, struct error *err)
{
    if (path[1] != 'a' && path[1] != 'b')
        return fail(err, E_ABSENT, "%s", path);
    *out = (struct os_stat){.device = (uint64_t)path[1], .is_dir = true};
    return E_OK;
}

static enum code fake_free(const char *path, int64_t *out, struct error *err)
{
    (void)err;
    *out = free_now[path[1] - 'a'];
    return E_OK;
}

static void disks_begin(struct disks *disks, struct arena *arena)
{
    fake = *os_system();
    fake.stat = fake_stat;
    fake.free_bytes = fake_free;
    os_install(&fake);
    free_now[0] = free_now[1] = 100 * MIB;
    static const char *const folders[] = {"/a/checkpoint", "/a/tables/gold", "/b/tables", "/a/tables/gold",
                                          "/c/absent"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        disks_add(disks, arena, folders[i]);
}

static void disks_end(struct disks *disks, struct arena *arena)
{
    disks_free(disks);
    arena_free(arena);
    os_install(NULL);
}

TEST(disks_are_file_systems)
{
    struct disks disks = {0};
    struct arena arena = {0};
    disks_begin(&disks, &arena);
    CHECK_INT(disks.count, 2);
    CHECK_STR(disks_find(&disks, "/a/tables/gold/part-1")->folder, "/a/checkpoint");
    CHECK_STR(disks_find(&disks, "/b/tables")->folder, "/b/tables");
    CHECK(disks_find(&disks, "/b/tables-of-others") == NULL);
    CHECK(disks_find(&disks, "/elsewhere") == NULL);
    disks_end(&disks, &arena);
}

TEST(disks_need_what_the_last_epoch_took)
{
    struct disks disks = {0};
    struct arena arena = {0};
    struct error err = {0};
    disks_begin(&disks, &arena);
    CHECK_INT(disks_room(&disks, &err), E_OK);
    free_now[1] = MIB - 1;
    CHECK_INT(disks_room(&disks, &err), E_FULL);
    CHECK(strstr(err.text, "No space left") != NULL && strstr(err.text, "/b/tables") != NULL);
    CHECK_STR(err.about, "/b/tables");
    free_now[1] = 9 * MB;
    disks_wrote(&disks, "/b/tables/x", 4 * MB);
    disks_wrote(&disks, "/b/tables/y", 4 * MB);
    disks_wrote(&disks, "/elsewhere", 400 * (int64_t)MB);
    disks_committed(&disks);
    CHECK_INT(disks_room(&disks, &err), E_FULL); // 8 MB and a quarter
    free_now[1] = 10 * MB;
    CHECK_INT(disks_room(&disks, &err), E_OK);
    disks_committed(&disks); // an epoch that wrote nothing
    free_now[1] = 2 * MB;
    CHECK_INT(disks_room(&disks, &err), E_OK);
    disks_end(&disks, &arena);
}

/* Whoever waits for room that an epoch really needs gets there, and whoever makes room is believed. */
TEST(disks_learn_from_being_full)
{
    struct disks disks = {0};
    struct arena arena = {0};
    struct error err = {0};
    disks_begin(&disks, &arena);
    struct disk *disk = disks_find(&disks, "/a/tables/gold");
    free_now[0] = 6 * MIB;
    int attempts = 0;
    while (disks_room(&disks, &err) == E_OK && ++attempts < 100)
        disk_was_full(disk);
    CHECK_INT(attempts, 3); // 1, 2, 4 MiB: then one byte more than is free
    CHECK_INT(disk->need_bytes, 6 * MIB + 1);
    disk_was_full(disk); // it was not tried: nothing is learnt
    CHECK_INT(disk->need_bytes, 6 * MIB + 1);
    free_now[0] = 7 * MIB;
    CHECK_INT(disks_room(&disks, &err), E_OK);
    disks_end(&disks, &arena);
}
