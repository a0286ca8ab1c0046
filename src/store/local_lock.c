/* local_lock.c - a file that one process holds: flock, which dies with its process (A5 of local.c). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"
#include "store/local.h"

/* Who holds it, as he wrote it; 0 when that cannot be read. */
static long long lock_holder(const char *full)
{
    struct error ignored = {0};
    struct text content = {0};
    long long pid = 0;
    if (os_read_file(full, 64, &content, &ignored) == E_OK && content.data != NULL)
        pid = strtoll(content.data, NULL, 10);
    text_free(&content);
    return pid;
}

enum code local_lock(struct store *base, const char *path, struct error *err)
{
    struct local_store *store = local_of(base);
    char full[PATH_MAX], folder[STORE_PATH_MAX], mine[32];
    int handle;
    for (int32_t i = 0; i < store->held_count; i++)
        if (strcmp(store->held[i].path, path) == 0)
            return E_OK;
    TRY(local_path(store, path, full, err));
    local_folder(path, folder);
    TRY(local_folder_ready(store, folder, err));
    enum code code = os->lock_file(full, &handle, err);
    if (code == E_EXISTS) {
        long long pid = lock_holder(full);
        if (pid > 0)
            return fail(err, E_EXISTS, "%s is held by process %lld; stop it first", full, pid);
        return fail(err, E_EXISTS, "%s is held by another process; stop it first", full);
    }
    TRY(code);
    // Fixed width, because it is written over what the last holder left.
    int size = snprintf(mine, sizeof mine, "%-20" PRId64 "\n", os_process_id());
    struct error ignored = {0};
    (void)os->file_write(handle, mine, (size_t)size, &ignored); // only for the message above
    mem_grow(store->held, store->held_capacity, store->held_count + 1);
    store->held[store->held_count++] = (struct held_lock){mem_strdup(path), handle};
    return E_OK;
}

enum { LOCKS_BYTES_MAX = 4 << 20 };

/* Some process with that id holds locks of files. Trying for the lock would be surer, and for a moment in the way of who
 * wants it. */
static bool holds_locks(long long pid)
{
    struct error ignored = {0};
    struct text locks = {0};
    char wanted[32];
    bool found = false;
    snprintf(wanted, sizeof wanted, " WRITE %lld ", pid);
    if (os_read_file("/proc/locks", LOCKS_BYTES_MAX, &locks, &ignored) == E_OK && locks.data != NULL)
        found = strstr(locks.data, wanted) != NULL;
    text_free(&locks);
    return found;
}

int64_t local_holder(struct store *base, const char *path)
{
    struct local_store *store = local_of(base);
    char full[PATH_MAX];
    struct error ignored = {0};
    if (local_path(store, path, full, &ignored) != E_OK)
        return 0;
    long long pid = lock_holder(full);
    return pid > 0 && holds_locks(pid) ? pid : 0;
}
