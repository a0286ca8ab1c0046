/* os.h - the only way to a clock, a file or a random number (style.md E11).
 *
 * Seam     every call goes through `const struct os *os`, a table of callbacks: os_system() is the real
 *          one, tests install a fake with os_install(). Sockets belong to librdkafka and libcurl
 * Errors   fail_sys text names the call and the path; EINTR is retried, short writes are continued
 * Order    on local disks a file is durable after os_sync(file) AND os_sync_dir(its folder): callers
 *          state each assumption where they rely on it
 * Units    clocks are int64 microseconds: wall since 1970 UTC, mono since some start
 * Thread   any; a file handle: one at a time
 */
#ifndef BASE_OS_H
#define BASE_OS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

enum os_open {
    OS_READ = 1,
    OS_WRITE = 2,      /* the file is created when absent; every write appends */
    OS_CREATE_NEW = 4, /* with OS_WRITE: fails with E_EXISTS when the name is taken */
    OS_TRUNCATE = 8,
};
struct os_stat {
    int64_t size_bytes;
    int64_t modified_us;
    uint64_t device;
    bool is_dir;
};

struct os {
    const char *name;
    int64_t (*clock_wall_us)(void);
    int64_t (*clock_mono_us)(void);
    void (*sleep_us)(int64_t wait_us);
    void (*random_bytes)(void *out, size_t size);
    int64_t (*process_id)(void);
    enum code (*file_open)(const char *path, unsigned flags, int *handle, struct error *err);
    enum code (*file_read)(int handle, int64_t offset, void *out, size_t size, size_t *got, struct error *err);
    enum code (*file_write)(int handle, const void *data, size_t size, struct error *err); /* appends */
    enum code (*file_sync)(int handle, struct error *err);
    /* Start writing [offset, offset + size) to disk and return; a later file_sync then waits less, and tells what failed.
     * Only a hint: a fake may leave it NULL. */
    void (*file_write_behind)(int handle, int64_t offset, int64_t size);
    /* Write past the page cache from now on (or no longer): data, size and offset must then be multiples of MEM_PAGE.
     * False when the file system cannot, then writes stay as they are. A fake may leave it NULL. */
    bool (*file_direct)(int handle, bool on);
    enum code (*file_close)(int handle, struct error *err);
    enum code (*dir_sync)(const char *path, struct error *err);
    enum code (*dir_make)(const char *path, struct error *err); /* parents too; an existing one is fine */
    enum code (*link_new)(const char *from, const char *to, struct error *err); /* E_EXISTS when taken */
    enum code (*rename_over)(const char *from, const char *to, struct error *err);
    enum code (*rename_new)(const char *from, const char *to, struct error *err); /* E_EXISTS when taken */
    /* The folders change their names with each other, in one step. E_UNSUPPORTED: the file system cannot. A fake may leave
     * this and the next two NULL. */
    enum code (*exchange)(const char *a, const char *b, struct error *err);
    /* A new, empty folder with mode and owner of another; E_EXISTS. */
    enum code (*dir_make_like)(const char *path, const char *model, struct error *err);
    enum code (*file_dated)(const char *path, int64_t modified_us, struct error *err);
    enum code (*remove)(const char *path, struct error *err);                    /* file or empty folder; E_ABSENT */
    enum code (*stat)(const char *path, struct os_stat *out, struct error *err); /* E_ABSENT */
    /* Calls each(context, name, is_dir) for all entries but "." and "..", in no order. */
    enum code (*list)(const char *path, void (*each)(void *context, const char *name, bool is_dir), void *context,
                      struct error *err);
    /* Takes an exclusive advisory lock on the file (created when absent); E_EXISTS when another process has it. */
    enum code (*lock_file)(const char *path, int *handle, struct error *err);
    enum code (*free_bytes)(const char *path, int64_t *out, struct error *err);
};
extern const struct os *os; /* the one in use; the real one unless a test installed a fake */
const struct os *os_system(void);
void os_install(const struct os *fake); /* NULL: back to the real one */

/* Conveniences on top of the table. */
enum code os_read_file(const char *path, size_t limit_bytes, struct text *out, struct error *err);
/* The path from the root on, appended: relative ones begin where the process stands. */
enum code os_absolute(const char *path, struct text *out, struct error *err);
/* Write, sync, rename over `path`, sync the folder: a reader sees the old or the new file, whole. */
enum code os_replace_file(const char *path, struct bytes content, struct error *err);
const char *os_env(const char *name); /* NULL when unset */
/* How wide the terminal of stderr is now; 0 when it is none, or does not say. */
int32_t os_terminal_columns(void);
uint64_t os_random(void);
/* Files that the process may have open at once; the first call raises the soft limit to the hard one, at most 2^16. */
int64_t os_handles_max(void);
int64_t os_process_id(void);

#endif
