/* local.c - the store on a local disk: put-if-absent, get, list, lock.
 *
 * put_new(folder/name)
 *   1  folder/.name.<16 hex>.tmp   created new, written, fsynced, closed
 *   2  renameat2(RENAME_NOREPLACE) to folder/name: the compare-and-set. File systems without it: link, unlink
 *   3  fsync of the folder
 *
 * Assumed of the file system, and where we lean on it
 *   A1  rename and link are atomic: a name shows the old file, the new one or none, never a partstep 2
 *   A2  RENAME_NOREPLACE and link refuse a taken name, whoever took it                        step 2
 *   A3  data fsynced before the rename is there after a power loss when the name is           1 before 2
 *   A4  a name is durable once its folder is fsynced; a new folder is durable once its parent isstep 3
 *   A5  flock dies with its process                                                           store_lock
 *   No assumption is made about data that was not fsynced, nor about the order of names in different folders.
 *
 *   crash here             what is left                     what follows
 *   in 1                   a .tmp file                      lists skip it, store_sweep removes it
 *   between 1 and 2        a whole .tmp file                the same
 *   after 2, before 3      the name, or after power loss    unknown: the caller gets the path and finds out
 *                          perhaps only the .tmp file
 *   after 3                the name                         done
 *
 * An error after step 2 has the same meaning as a crash there: E_IO, and the outcome is unknown (rule 2).
 */
#include "store/local.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/os.h"

/* Folders remembered as ready; passing it forgets them all, which only costs asking again. */
enum { READY_MAX = 65536, PROBE_TRIES = 3 };

#define PROBE_OLD_US ((int64_t)10 * 60 * 1000000)

void local_discard(const char *full)
{
    struct error ignored = {0};
    (void)os->remove(full, &ignored);
}

/* ---- folders ---- */

enum code local_folder_sync(struct local_store *store, const char *folder, struct error *err)
{
    char full[PATH_MAX];
    TRY(local_path(store, folder, full, err));
    return os->dir_sync(full, err);
}

/* The folder may have been made by a process that died before it synced the parent: finding is not enough. */
static enum code folder_prove(struct local_store *store, const char *folder, struct error *err)
{
    char full[PATH_MAX], part[STORE_PATH_MAX];
    TRY(local_path(store, folder, full, err));
    TRY(os->dir_make(full, err));
    snprintf(part, sizeof part, "%s", folder);
    while (part[0] != '\0') {
        char parent[STORE_PATH_MAX];
        local_folder(part, parent);
        TRY(local_folder_sync(store, parent, err));
        memcpy(part, parent, sizeof part);
    }
    return E_OK;
}

enum code local_folder_ready(struct local_store *store, const char *folder, struct error *err)
{
    char full[PATH_MAX];
    struct os_stat st;
    struct error absent = {0};
    TRY(local_path(store, folder, full, err));
    lock_take(&store->lock);
    bool ready = path_set_has(&store->ready, folder);
    lock_give(&store->lock);
    if (ready && os->stat(full, &st, &absent) == E_OK) // someone may have removed it since
        return E_OK;
    TRY(folder_prove(store, folder, err));
    lock_take(&store->lock);
    if (store->ready.count >= READY_MAX)
        path_set_free(&store->ready);
    path_set_add(&store->ready, folder);
    lock_give(&store->lock);
    return E_OK;
}

/* ---- putting ---- */

enum code local_rename_new(const char *from, const char *to, struct error *err)
{
    enum code code = os->rename_new(from, to, err);
    if (code != E_IO || (err->sys != EINVAL && err->sys != ENOSYS && err->sys != ENOTSUP))
        return code;
    TRY(os->link_new(from, to, err)); // a file system without RENAME_NOREPLACE (NFS, for one)
    local_discard(from);
    return E_OK;
}

static enum code write_all(int handle, struct bytes content, struct error *err)
{
    TRY(os->file_write(handle, content.data, content.size, err));
    return os->file_sync(handle, err);
}

/* Step 1. On failure nothing is left. */
static enum code write_temporary(const char *temporary, struct bytes content, struct error *err)
{
    int handle;
    TRY(os->file_open(temporary, OS_WRITE | OS_CREATE_NEW, &handle, err));
    enum code code = write_all(handle, content, err);
    struct error second = {0};
    if (os->file_close(handle, &second) != E_OK && code == E_OK) {
        *err = second;
        code = second.code;
    }
    if (code == E_OK)
        return E_OK;
    local_discard(temporary);
    return error_note(err, "%s", temporary);
}

static enum code temporary_path(struct local_store *store, const char *path, char *out, struct error *err)
{
    char name[STORE_PATH_MAX], folder[STORE_PATH_MAX];
    local_folder(path, folder);
    const char *base = folder[0] == '\0' ? path : path + strlen(folder) + 1;
    int size = snprintf(name, sizeof name, "%s%s.%.200s.%016" PRIx64 ".tmp", folder, folder[0] == '\0' ? "" : "/", base,
                        os_random());
    if (size < 0 || (size_t)size >= sizeof name)
        return fail(err, E_SPEC, "%s: the path is too long", path);
    return local_path(store, name, out, err);
}

static enum code claim_new(const char *temporary, const char *full, struct error *err)
{
    FAULT(record_temp);
    FAULT_IO(record_put, err);
    TRY(local_rename_new(temporary, full, err));
    FAULT_LOST(record_put, err);
    return E_OK;
}

static enum code local_put(struct store *base, const char *path, struct bytes content, bool over, struct error *err)
{
    struct local_store *store = local_of(base);
    char full[PATH_MAX], temporary[PATH_MAX], folder[STORE_PATH_MAX];
    TRY(local_path(store, path, full, err));
    TRY(temporary_path(store, path, temporary, err));
    local_folder(path, folder);
    TRY(local_folder_ready(store, folder, err));
    TRY(write_temporary(temporary, content, err));
    enum code code = over ? os->rename_over(temporary, full, err) : claim_new(temporary, full, err);
    if (code == E_OK)
        return local_folder_sync(store, folder, err);
    local_discard(temporary); // gone already when only the answer was lost
    return code;
}

static enum code local_claim(struct store *base, const char *from, const char *to, struct error *err)
{
    struct local_store *store = local_of(base);
    char full_from[PATH_MAX], full_to[PATH_MAX];
    TRY(local_path(store, from, full_from, err));
    TRY(local_path(store, to, full_to, err));
    FAULT_IO(record_put, err)
    TRY(os->rename_new(full_from, full_to, err));
    FAULT_LOST(record_put, err)
    return E_OK;
}

static enum code local_remove(struct store *base, const char *path, struct error *err)
{
    struct local_store *store = local_of(base);
    char full[PATH_MAX];
    TRY(local_path(store, path, full, err));
    FAULT_IO(gc_one, err);
    enum code code = os->remove(full, err);
    if (code != E_OK && code != E_ABSENT)
        return code;
    error_clear(err);
    FAULT_LOST(gc_one, err);
    return E_OK;
}

/* ---- reading ---- */

static enum code local_get(struct store *base, const char *path, size_t limit_bytes, struct text *out,
                           struct error *err)
{
    struct local_store *store = local_of(base);
    char full[PATH_MAX];
    TRY(local_path(store, path, full, err));
    return os_read_file(full, limit_bytes, out, err);
}

static enum code local_read(struct store *base, const char *path, int64_t offset, size_t size, struct text *out,
                            struct error *err)
{
    struct local_store *store = local_of(base);
    char full[PATH_MAX];
    int handle;
    TRY(local_path(store, path, full, err));
    TRY(os->file_open(full, OS_READ, &handle, err));
    char *to = text_reserve(out, size);
    size_t done = 0, got = 1;
    enum code code = E_OK;
    while (code == E_OK && done < size && got > 0) {
        code = os->file_read(handle, offset + (int64_t)done, to + done, size - done, &got, err);
        done += code == E_OK ? got : 0;
    }
    struct error ignored = {0};
    (void)os->file_close(handle, &ignored); // nothing was written
    if (code == E_OK && done < size)
        code = fail(err, E_CORRUPT, "%s ends %zu bytes before byte %lld", full, size - done,
                    (long long)offset + (long long)size);
    out->size += code == E_OK ? size : 0;
    out->data[out->size] = '\0';
    return code;
}

static enum code local_size(struct store *base, const char *path, int64_t *out, struct error *err)
{
    struct local_store *store = local_of(base);
    char full[PATH_MAX];
    struct os_stat st;
    TRY(local_path(store, path, full, err));
    TRY(os->stat(full, &st, err));
    *out = st.size_bytes;
    return E_OK;
}

enum { CHECK_BLOCK_BYTES = 1 << 20 };

static enum code local_checksum(struct store *base, const char *path, uint64_t *out, struct error *err)
{
    struct local_store *store = local_of(base);
    char full[PATH_MAX];
    int handle;
    TRY(local_path(store, path, full, err));
    TRY(os->file_open(full, OS_READ, &handle, err));
    uint8_t *block = mem_alloc(CHECK_BLOCK_BYTES);
    XXH64_state_t state;
    XXH64_reset(&state, 0);
    int64_t offset = 0;
    size_t got = 1;
    enum code code = E_OK;
    while (code == E_OK && got > 0) {
        code = os->file_read(handle, offset, block, CHECK_BLOCK_BYTES, &got, err);
        if (code == E_OK)
            XXH64_update(&state, block, got);
        offset += (int64_t)got;
    }
    mem_free(block);
    struct error ignored = {0};
    (void)os->file_close(handle, &ignored); // nothing was written
    if (code == E_OK)
        *out = XXH64_digest(&state);
    return code;
}

static enum code local_free_bytes(struct store *base, int64_t *out, struct error *err)
{
    return os->free_bytes(base->root, out, err);
}

/* ---- listing ---- */

struct walk {
    struct local_store *store;
    const char *folder; /* the one being listed */
    struct path_set files, folders;
    bool temporaries; /* collect the store's own names instead of all others */
};

static void walk_one(void *context, const char *name, bool is_dir)
{
    struct walk *walk = context;
    char path[STORE_PATH_MAX];
    int size = snprintf(path, sizeof path, "%s%s%s", walk->folder, walk->folder[0] == '\0' ? "" : "/", name);
    if (size < 0 || (size_t)size >= sizeof path || store_name_is_own(name) != walk->temporaries)
        return; // a longer path is not one that a store made
    path_set_add(is_dir ? &walk->folders : &walk->files, path);
}

static enum code walk_folder(struct walk *walk, const char *folder, struct error *err)
{
    char full[PATH_MAX];
    TRY(local_path(walk->store, folder, full, err));
    walk->folder = folder;
    enum code code = os->list(full, walk_one, walk, err);
    if (code == E_ABSENT) {
        error_clear(err);
        return E_OK;
    }
    return code;
}

static int depth_of(const char *path)
{
    int depth = 0;
    for (; *path != '\0'; path++)
        depth += *path == '/';
    return depth;
}

/* Folders are worked off one after the other, so that no path is held on the call stack. */
static enum code walk_all(struct walk *walk, const char *prefix, bool recursive, struct error *err)
{
    TRY(walk_folder(walk, prefix, err));
    while (recursive && walk->folders.count > 0) {
        char *folder = walk->folders.items[--walk->folders.count];
        enum code code = depth_of(folder) < STORE_DEPTH_MAX ? walk_folder(walk, folder, err)
                                                            : fail(err, E_SPEC, "%s/%s: more than %d folders deep",
                                                                   walk->store->base.root, folder, STORE_DEPTH_MAX);
        mem_free(folder);
        TRY(code);
    }
    return E_OK;
}

static enum code list_add(struct local_store *store, const char *path, struct store_list *out, struct error *err)
{
    char full[PATH_MAX];
    struct os_stat st;
    TRY(local_path(store, path, full, err));
    enum code code = os->stat(full, &st, err);
    if (code == E_ABSENT) { // removed or renamed since it was listed
        error_clear(err);
        return E_OK;
    }
    TRY(code);
    store_list_add(out, path, st.size_bytes, st.modified_us);
    return E_OK;
}

static enum code local_list(struct store *base, const char *prefix, bool recursive, struct store_list *out,
                            struct error *err)
{
    struct local_store *store = local_of(base);
    struct walk walk = {.store = store};
    struct store_list list = {0};
    enum code code = walk_all(&walk, prefix, recursive, err);
    for (int32_t i = 0; code == E_OK && i < walk.files.count; i++)
        code = list_add(store, walk.files.items[i], &list, err);
    path_set_free(&walk.files);
    path_set_free(&walk.folders);
    if (code != E_OK) {
        store_list_free(&list);
        return code;
    }
    *out = list;
    return E_OK;
}

static enum code local_sweep(struct store *base, const char *folder, struct error *err)
{
    struct local_store *store = local_of(base);
    struct walk walk = {.store = store, .temporaries = true};
    enum code code = walk_folder(&walk, folder, err);
    for (int32_t i = 0; code == E_OK && i < walk.files.count; i++)
        code = local_remove(base, walk.files.items[i], err);
    path_set_free(&walk.files);
    path_set_free(&walk.folders);
    return code;
}

static enum code local_sync(struct store *base, const char *folder, struct error *err)
{
    struct local_store *store = local_of(base);
    enum code code = local_folder_sync(store, folder, err);
    if (code != E_ABSENT)
        return code;
    error_clear(err);
    return E_OK;
}

/* ---- opening ---- */

static enum code root_of(const char *url, char **out, struct error *err)
{
    const char *path = url;
    if (strncmp(url, "file:", 5) == 0) {
        path = url + 5;
        if (strncmp(path, "//", 2) == 0)
            path += 2;
        if (*path != '/')
            return fail(err, E_SPEC, "%s: a file URL has an absolute path, like file:///data", url);
    }
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    if (size == 0 || size + STORE_PATH_MAX > PATH_MAX)
        return fail(err, E_SPEC, "\"%s\" is no folder: its path has %zu bytes", url, size);
    char *root = mem_alloc(size + 1);
    memcpy(root, path, size);
    root[size] = '\0';
    *out = root;
    return E_OK;
}

/* A folder that cannot be opened to be synced is another's, and was there before. */
static bool is_foreign(const struct error *err)
{
    return err->sys == EACCES || err->sys == EPERM || err->sys == EROFS || err->sys == EINVAL;
}

/* The root's own name, and those of the folders above it that were made with it, must survive a power loss too. */
static enum code root_prove(const char *root, struct error *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", root);
    for (char *slash; (slash = strrchr(path, '/')) != NULL;) {
        slash[slash == path] = '\0';
        if (os->dir_sync(path, err) != E_OK && !is_foreign(err))
            return err->code;
        error_clear(err);
        if (slash == path)
            return E_OK;
    }
    return os->dir_sync(".", err); // a relative path
}

static enum code touch_new(const char *full, struct error *err)
{
    int handle;
    TRY(os->file_open(full, OS_WRITE | OS_CREATE_NEW, &handle, err));
    return os->file_close(handle, err);
}

/* What a process left that died while it tried the disk. Two queries may share a table's folder: a younger file may be one
 * that the other is trying with. Best effort. */
static void probes_sweep(struct local_store *store)
{
    struct walk walk = {.store = store, .temporaries = true};
    struct error ignored = {0};
    int64_t old_us = os->clock_wall_us() - PROBE_OLD_US;
    (void)walk_folder(&walk, "", &ignored); // none, then
    for (int32_t i = 0; i < walk.files.count; i++) {
        char full[PATH_MAX];
        struct os_stat st;
        if (strncmp(walk.files.items[i], ".probe.", 7) == 0 &&
            local_path(store, walk.files.items[i], full, &ignored) == E_OK && os->stat(full, &st, &ignored) == E_OK &&
            st.modified_us < old_us)
            local_discard(full);
    }
    path_set_free(&walk.files);
    path_set_free(&walk.folders);
}

/* E_EXISTS: as it should be. Nothing here must be durable. */
static enum code probe_once(struct local_store *store, struct error *err)
{
    char first[PATH_MAX], second[PATH_MAX];
    TRY(temporary_path(store, "probe", first, err));
    TRY(temporary_path(store, "probe", second, err));
    enum code code = touch_new(first, err);
    if (code == E_OK)
        code = touch_new(second, err);
    if (code == E_OK)
        code = local_rename_new(second, first, err);
    local_discard(second);
    local_discard(first);
    return code;
}

/* Rule 8: a store whose put_new lets a second writer in must not be used. That it did once may mean that somebody swept the
 * first file away in between; a file system that cannot refuse does so every time. */
static enum code probe_put_new(struct local_store *store, struct error *err)
{
    enum code code = E_OK;
    for (int i = 0; code == E_OK && i < PROBE_TRIES; i++)
        code = probe_once(store, err);
    if (code == E_OK)
        return fail(err, E_UNSUPPORTED, "%s: the file system lets a second writer replace a file; use another disk",
                    store->base.root);
    if (code != E_EXISTS)
        return code;
    error_clear(err);
    probes_sweep(store);
    return E_OK;
}

/* Rule 9: publishing renames out of _staging, which cannot cross file systems. */
static enum code probe_staging(struct local_store *store, struct error *err)
{
    char full[PATH_MAX];
    struct os_stat root, staging;
    TRY(os->stat(store->base.root, &root, err));
    TRY(local_path(store, "_staging", full, err));
    enum code code = os->stat(full, &staging, err);
    if (code == E_ABSENT) {
        error_clear(err);
        return E_OK;
    }
    TRY(code);
    if (root.device != staging.device)
        return fail(err, E_SPEC, "%s lies on another file system than its folder; files could not be renamed out of it",
                    full);
    return E_OK;
}

static struct local_store *local_new(char *root)
{
    struct local_store *store = mem_new(struct local_store);
    store->base = (struct store){&local_store, root};
    lock_init(&store->lock);
    return store;
}

static enum code local_look(const char *url, struct store **out, struct error *err)
{
    char *root = NULL;
    struct os_stat found;
    TRY(root_of(url, &root, err));
    enum code code = os->stat(root, &found, err);
    if (code == E_OK && !found.is_dir)
        code = fail(err, E_ABSENT, "%s is no folder", root);
    if (code != E_OK) {
        mem_free(root);
        return code;
    }
    *out = &local_new(root)->base;
    return E_OK;
}

static void local_close(struct store *base)
{
    struct local_store *store = local_of(base);
    struct error ignored = {0};
    for (int32_t i = 0; i < store->held_count; i++) {
        (void)os->file_close(store->held[i].handle, &ignored); // a lock file holds nothing to lose
        mem_free(store->held[i].path);
    }
    mem_free(store->held);
    local_swap_close(store);
    path_set_free(&store->ready);
    path_set_free(&store->unsynced);
    lock_close(&store->lock);
    mem_free(base->root);
    mem_free(store);
}

static enum code local_open(const char *url, struct store **out, struct error *err)
{
    char *root = NULL;
    TRY(root_of(url, &root, err));
    struct local_store *store = local_new(root);
    enum code code = os->dir_make(root, err);
    if (code == E_OK)
        code = root_prove(root, err);
    if (code == E_OK)
        code = probe_put_new(store, err);
    if (code == E_OK)
        code = probe_staging(store, err);
    if (code != E_OK) {
        local_close(&store->base);
        return error_note(err, "cannot use the folder %s", url);
    }
    *out = &store->base;
    return E_OK;
}

static enum code local_check(const char *url, struct error *err)
{
    char *root = NULL;
    TRY(root_of(url, &root, err));
    mem_free(root);
    return E_OK;
}

static bool local_takes(const char *url) { return strncmp(url, "file:", 5) == 0 || strstr(url, "://") == NULL; }

/* ---- staged files: the rest is in local_stage.c ---- */

static enum code local_discard_staged(struct store *base, const struct staged *file, struct error *err)
{
    return local_remove(base, file->path, err);
}

static enum code local_has_staged(struct store *base, const struct staged *file, bool *out, struct error *err)
{
    int64_t size_bytes;
    enum code code = local_size(base, file->path, &size_bytes, err);
    if (code != E_OK && code != E_ABSENT)
        return code;
    error_clear(err);
    *out = code == E_OK;
    return E_OK;
}

static enum code local_list_staged(struct store *base, struct staged_list *out, struct error *err)
{
    struct store_list list;
    TRY(local_list(base, "_staging", false, &list, err));
    *out = (struct staged_list){0};
    for (int32_t i = 0; i < list.count; i++)
        staged_list_add(out, &(struct staged){.path = list.entries[i].path});
    store_list_free(&list);
    return E_OK;
}

const struct store_type local_store = {
    .name = "local",
    .takes = local_takes,
    .check = local_check,
    .open = local_open,
    .look = local_look,
    .close = local_close,
    .put = local_put,
    .claim = local_claim,
    .get = local_get,
    .read = local_read,
    .checksum = local_checksum,
    .size = local_size,
    .list = local_list,
    .remove = local_remove,
    .sync = local_sync,
    .sweep = local_sweep,
    .lock = local_lock,
    .holder = local_holder,
    .free_bytes = local_free_bytes,
    .stage_open = local_stage_open,
    .stage_write = local_stage_write,
    .stage_finish = local_stage_finish,
    .stage_abandon = local_stage_abandon,
    .publish = local_publish,
    .publish_sync = local_publish_sync,
    .discard = local_discard_staged,
    .has_staged = local_has_staged,
    .list_staged = local_list_staged,
    .swap = local_swap,
    .swap_sweep = local_swap_sweep,
};
