/* local_stage.c - files that are written out of readers' sight, and appear whole under their final name.
 *
 * Path     _staging/x.staged -> [write, fsync, fsync of _staging] -> the commit record names it
 *          -> renameat2(RENAME_NOREPLACE) to its final name -> fsync of both folders
 * Assumed  A1..A4 of local.c. The rename refuses a taken name, so a published file is never replaced
 *
 *   crash here                            recovery does
 *   before the record                     the staged file is garbage; the sink collects it
 *   after the record, before the rename   store_publish renames it
 *   after the rename                      the staged name is gone, the final one has the recorded size: done.
 *                                         Its folder is synced again, since the rename may not be durable yet
 *   between link and unlink               both names are there (no RENAME_NOREPLACE): the staged one goes
 *   neither name is there                 someone deleted it: E_LOST, never skipped
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/os.h"
#include "store/local.h"

/* Content is joined to blocks of BLOCK_BYTES. Whole blocks go past the page cache: nobody reads a staged file before its
 * epoch is committed, copying into the cache was 30 % of all CPU time, and its pages would push out the broker's. The
 * last, partial block goes through the cache. Where the file system cannot write past it, the disk is set to work after
 * every BEHIND_BYTES, so that an epoch's sync does not start with all of its bytes still in memory. */
enum { BLOCK_BYTES = 1 << 20, BLOCK_FIRST_BYTES = 4 << 10, BEHIND_BYTES = 8 << 20 };

struct local_stage {
    struct stage base;
    char *full;
    int handle;
    uint8_t *block;
    size_t used, capacity; /* bytes waiting in block */
    int64_t written_bytes; /* handed to the system */
    int64_t behind_bytes;  /* of those, being written to disk */
    bool direct;           /* writes go past the page cache now */
};

static struct local_stage *stage_of(struct stage *base) { return (struct local_stage *)base; }

static void stage_free(struct local_stage *stage)
{
    mem_free(stage->full);
    mem_free(stage->block);
    mem_free(stage);
}

static enum code open_new(const char *full, int *handle, struct error *err)
{
    FAULT_IO(stage_open, err);
    TRY(os->file_open(full, OS_WRITE | OS_CREATE_NEW, handle, err));
    FAULT_LOST(stage_open, err); // a lost answer leaves the file open: nobody knows its handle
    return E_OK;
}

enum code local_stage_open(struct store *base, const char *path, const char *final, struct stage **out,
                           struct error *err)
{
    (void) final; // publishing is told
    struct local_store *store = local_of(base);
    char full[PATH_MAX], folder[STORE_PATH_MAX];
    int handle;
    TRY(local_path(store, path, full, err));
    local_folder(path, folder);
    TRY(local_folder_ready(store, folder, err));
    TRY(open_new(full, &handle, err));
    struct local_stage *stage = mem_new(struct local_stage);
    stage->full = mem_strdup(full);
    stage->handle = handle;
    *out = &stage->base;
    return E_OK;
}

static enum code write_out(struct local_stage *stage, const void *data, size_t size, struct error *err)
{
    if (size == 0)
        return E_OK;
    FAULT_IO(stage_write, err);
    if (os->file_write(stage->handle, data, size, err) != E_OK)
        return error_note(err, "%s", stage->full);
    FAULT_LOST(stage_write, err);
    stage->written_bytes += (int64_t)size;
    if (!stage->direct && os->file_write_behind != NULL && stage->written_bytes - stage->behind_bytes >= BEHIND_BYTES) {
        os->file_write_behind(stage->handle, stage->behind_bytes, stage->written_bytes - stage->behind_bytes);
        stage->behind_bytes = stage->written_bytes;
    }
    return E_OK;
}

/* A whole block. Everything before it was whole blocks too, so offset and size are multiples of the page. */
static enum code block_write(struct local_stage *stage, struct error *err)
{
    if (stage->written_bytes == 0 && os->file_direct != NULL)
        stage->direct = os->file_direct(stage->handle, true);
    stage->used = 0;
    return write_out(stage, stage->block, BLOCK_BYTES, err);
}

/* What is left at the end, of any size. */
static enum code tail_write(struct local_stage *stage, struct error *err)
{
    if (stage->direct && !os->file_direct(stage->handle, false))
        return fail(err, E_IO, "%s: cannot go back to writing through the page cache", stage->full);
    stage->direct = false;
    size_t size = stage->used;
    stage->used = 0;
    return write_out(stage, stage->block, size, err);
}

/* Many files are open at once and most are small: a block starts small and doubles. */
static void block_reserve(struct local_stage *stage, size_t need)
{
    size_t capacity = stage->capacity > 0 ? stage->capacity : BLOCK_FIRST_BYTES;
    if (need <= stage->capacity)
        return;
    while (capacity < need)
        capacity *= 2;
    uint8_t *grown = mem_pages(capacity);
    if (stage->used > 0)
        memcpy(grown, stage->block, stage->used);
    mem_free(stage->block);
    stage->block = grown;
    stage->capacity = capacity;
}

static enum code stage_put(struct local_stage *stage, struct bytes content, struct error *err)
{
    while (content.size > 0) {
        size_t room = BLOCK_BYTES - stage->used, size = content.size < room ? content.size : room;
        block_reserve(stage, stage->used + size);
        memcpy(stage->block + stage->used, content.data, size);
        stage->used += size;
        content = bytes_of(content.data + size, content.size - size);
        if (stage->used == BLOCK_BYTES)
            TRY(block_write(stage, err));
    }
    return E_OK;
}

enum code local_stage_write(struct stage *base, struct bytes content, struct error *err)
{
    return stage_put(stage_of(base), content, err);
}

static enum code sync_file(struct local_stage *stage, struct error *err)
{
    TRY(tail_write(stage, err));
    FAULT_IO(stage_fsync, err);
    if (os->file_sync(stage->handle, err) != E_OK)
        return error_note(err, "%s", stage->full);
    FAULT_LOST(stage_fsync, err);
    return E_OK;
}

enum code local_stage_finish(struct stage *base, struct text *handle, struct error *err)
{
    (void)handle; // the names say it all
    struct local_stage *stage = stage_of(base);
    enum code code = sync_file(stage, err);
    struct error second = {0};
    if (os->file_close(stage->handle, &second) != E_OK && code == E_OK) {
        *err = second;
        code = error_note(err, "%s", stage->full);
    }
    if (code != E_OK)
        local_discard(stage->full);
    stage_free(stage);
    return code;
}

void local_stage_abandon(struct stage *base)
{
    struct local_stage *stage = stage_of(base);
    struct error ignored = {0};
    (void)os->file_close(stage->handle, &ignored); // its content is not wanted
    local_discard(stage->full);
    stage_free(stage);
}

/* ---- publishing ---- */

static enum code check_size(const char *full, int64_t want_bytes, struct error *err)
{
    struct os_stat st;
    TRY(os->stat(full, &st, err));
    if (st.size_bytes != want_bytes)
        return fail(err, E_CORRUPT, "%s has %" PRId64 " bytes, its commit record says %" PRId64, full, st.size_bytes,
                    want_bytes);
    return E_OK;
}

static enum code rename_checked(const char *from, const char *to, int64_t size_bytes, struct error *err)
{
    FAULT_IO(publish_one, err);
    TRY(check_size(from, size_bytes, err));
    TRY(local_rename_new(from, to, err));
    FAULT_LOST(publish_one, err);
    return E_OK;
}

static enum code publish(const char *from, const char *to, int64_t size_bytes, struct error *err)
{
    enum code code = rename_checked(from, to, size_bytes, err);
    if (code != E_ABSENT && code != E_EXISTS)
        return code;
    bool staged_there = code == E_EXISTS;
    code = check_size(to, size_bytes, err);
    if (code == E_ABSENT)
        return fail(err, E_LOST,
                    "%s is gone, and so is its staged file %s: they were deleted by someone else; restore "
                    "one of them, or start with a new checkpoint",
                    to, from);
    if (code == E_OK && staged_there)
        local_discard(from);
    return code;
}

static void remember_unsynced(struct local_store *store, const char *path)
{
    char folder[STORE_PATH_MAX];
    local_folder(path, folder);
    lock_take(&store->lock);
    path_set_add(&store->unsynced, folder);
    lock_give(&store->lock);
}

enum code local_publish(struct store *base, const struct staged *file, struct error *err)
{
    struct local_store *store = local_of(base);
    char from[PATH_MAX], to[PATH_MAX], folder[STORE_PATH_MAX];
    TRY(local_path(store, file->path, from, err));
    TRY(local_path(store, file->final, to, err));
    local_folder(file->final, folder);
    TRY(local_folder_ready(store, folder, err));
    TRY(publish(from, to, file->size_bytes, err));
    remember_unsynced(store, file->final);
    remember_unsynced(store, file->path);
    return E_OK;
}

enum code local_publish_sync(struct store *base, struct error *err)
{
    struct local_store *store = local_of(base);
    lock_take(&store->lock);
    struct path_set folders = store->unsynced;
    store->unsynced = (struct path_set){0};
    lock_give(&store->lock);
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < folders.count; i++)
        code = local_folder_sync(store, folders.items[i], err);
    path_set_free(&folders);
    return code;
}
