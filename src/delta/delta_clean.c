/* delta_clean.c - what nobody needs any more: old commits and checkpoints, and data files that are not in the table.
 *
 * The log   all before the newest checkpoint that is older than delta.logRetentionDuration (30 days), counted from
 *           midnight UTC as Spark does; delta.enableExpiredLogCleanup = false: nothing. Looked for every CLEAN_EVERY_US
 * Vacuum    files that no action of the newest version names, and that are older than the time asked for. Those of
 *           tombstones stay as long: readers of an old version may be at them. The folder is listed before the log is read
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/os.h"
#include "delta/delta_internal.h"

static const int64_t HOUR_US = (int64_t)3600 * 1000000, DAY_US = 24 * (int64_t)3600 * 1000000,
                     CLEAN_EVERY_US = (int64_t)600 * 1000000;

/* ---- the log ---- */

/* The version from which on all is kept; -1: nothing goes. */
static int64_t first_kept(const struct delta_table *table, const struct delta_listing *listing)
{
    int64_t keep_us = delta_duration(&table->metadata, "delta.logRetentionDuration", 30 * DAY_US);
    int64_t cut_us = os->clock_wall_us() - keep_us, cut = -1;
    int32_t count;
    cut_us -= keep_us >= DAY_US ? cut_us % DAY_US : 0; // who keeps hours means hours
    for (int32_t i = 0; i < listing->commit_count; i++)
        if (listing->commits[i].modified_us <= cut_us)
            cut = listing->commits[i].version;
    const struct delta_checkpoint_name *checkpoint = cut >= 0 ? delta_listing_checkpoint(listing, cut, &count) : NULL;
    return checkpoint != NULL ? checkpoint->version : -1;
}

static enum code log_remove(struct delta_table *table, int64_t kept, struct error *err)
{
    struct store_list list = {0};
    TRY(store_list(table->store, DELTA_LOG, false, &list, err));
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < list.count; i++) {
        const char *name = list.entries[i].path + sizeof DELTA_LOG, *rest = name + strspn(name, "0123456789");
        bool versioned =
            rest - name == 20 && name[0] == '0' &&
            (strcmp(rest, ".json") == 0 || strcmp(rest, ".crc") == 0 || strncmp(rest, ".checkpoint.", 12) == 0);
        if (!versioned || strtoll(name, NULL, 10) >= kept)
            continue;
        FAULT(gc_one);
        code = store_remove(table->store, list.entries[i].path, err);
    }
    store_list_free(&list);
    return code;
}

enum code delta_log_clean(struct delta_table *table, struct error *err)
{
    int64_t now_us = os->clock_mono_us();
    const char *wanted = delta_map_get(&table->metadata.configuration, "delta.enableExpiredLogCleanup");
    struct delta_listing listing;
    if ((wanted != NULL && !delta_flag(&table->metadata, "delta.enableExpiredLogCleanup")) ||
        (table->cleaned_us != 0 && now_us - table->cleaned_us < CLEAN_EVERY_US))
        return E_OK;
    table->cleaned_us = now_us;
    TRY(delta_listing_read(table->store, &listing, err));
    int64_t kept = first_kept(table, &listing);
    delta_listing_free(&listing);
    return kept > 0 ? log_remove(table, kept, err) : E_OK;
}

/* ---- data files ---- */

struct sweep {
    struct arena arena;
    struct delta_set files;
    struct delta_protocol protocol;
    struct delta_metadata metadata;
    struct store_list list; /* of the folder */
    char **nested;          /* folders below it that are tables too */
    int32_t nested_count, nested_capacity;
};

static enum code sweep_visit(void *context, int64_t version, const struct delta_action *action, struct error *err)
{
    struct sweep *self = context;
    (void)version;
    switch (action->kind) {
    case DELTA_ADD:
    case DELTA_REMOVE: return delta_set_put(&self->files, &action->file, action->kind == DELTA_ADD, err);
    case DELTA_METADATA: self->metadata = delta_metadata_copy(&action->metadata, &self->arena); return E_OK;
    case DELTA_PROTOCOL: self->protocol = delta_protocol_copy(&action->protocol, &self->arena); return E_OK;
    default: return E_OK;
    }
}

/* The paths that stay, as a set of files without vectors: a data file may stand there with several. */
static enum code kept_find(struct sweep *self, const char *root, int64_t cut_ms, struct delta_set *kept,
                           struct error *err)
{
    char path[DELTA_PATH_SIZE];
    for (int32_t i = 0; i < self->files.count; i++) {
        const struct delta_entry *entry = &self->files.entries[i];
        if (!entry->active && entry->file.time_ms < cut_ms)
            continue;
        TRY(delta_path(entry->file.path, root, path, err));
        TRY(delta_set_put(kept, &(struct delta_file){.path = path}, true, err));
        TRY(delta_vector_path(&entry->file.vector, root, path, err));
        if (path[0] != '\0')
            TRY(delta_set_put(kept, &(struct delta_file){.path = path}, true, err));
    }
    return E_OK;
}

/* Of a folder below this one that is a table too: its path with the '/' behind it; 0: none. */
static size_t nested_size(const char *path)
{
    const char *log = strstr(path, "/" DELTA_LOG "/");
    return log != NULL ? (size_t)(log - path) + 1 : 0;
}

static bool is_nested(const struct sweep *self, const char *path)
{
    for (int32_t i = 0; i < self->nested_count; i++)
        if (strncmp(path, self->nested[i], strlen(self->nested[i])) == 0)
            return true;
    return false;
}

static void nested_find(struct sweep *self)
{
    for (int32_t i = 0; i < self->list.count; i++) {
        const char *path = self->list.entries[i].path;
        size_t size = nested_size(path);
        if (size == 0 || is_nested(self, path))
            continue;
        mem_grow(self->nested, self->nested_capacity, self->nested_count + 1);
        self->nested[self->nested_count++] = arena_strndup(&self->arena, path, size);
    }
}

static enum code files_sweep(struct sweep *self, struct store *store, struct delta_vacuum *vacuum,
                             const struct delta_set *kept, int64_t cut_us, struct error *err)
{
    const char **gone = mem_array(const char *, (size_t)self->list.count + 1);
    int32_t gone_count = 0;
    nested_find(self);
    for (int32_t i = 0; i < self->list.count; i++) {
        const struct store_entry *entry = &self->list.entries[i];
        if (store_name_hidden(entry->path) || entry->modified_us >= cut_us || is_nested(self, entry->path) ||
            delta_set_find(kept, &(struct delta_file){.path = entry->path}) != NULL)
            continue;
        vacuum->files++;
        vacuum->bytes += entry->size_bytes;
        if (vacuum->each != NULL)
            vacuum->each(vacuum->context, entry->path, entry->size_bytes);
        if (!vacuum->dry_run)
            gone[gone_count++] = entry->path;
    }
    enum code code = store_remove_all(store, gone, gone_count, err);
    mem_free(gone);
    return code;
}

static enum code pending_keep(const struct delta_vacuum *vacuum, struct delta_set *kept, struct error *err)
{
    const char *const *paths = NULL;
    int32_t count = 0;
    if (vacuum->pending == NULL)
        return E_OK;
    TRY(vacuum->pending(vacuum->context, &paths, &count, err));
    for (int32_t i = 0; i < count; i++)
        TRY(delta_set_put(kept, &(struct delta_file){.path = paths[i]}, true, err));
    return E_OK;
}

static enum code log_replay(struct sweep *self, struct store *store, struct budget *budget, struct error *err)
{
    const struct delta_visitor visitor = {.visit = sweep_visit, .context = self};
    struct delta_listing listing;
    TRY(delta_listing_read(store, &listing, err));
    enum code code;
    do {
        delta_set_free(&self->files);
        self->files = (struct delta_set){.arena = &self->arena, .budget = budget};
        code = delta_replay(store, &listing, listing.newest, budget, &visitor, err);
    } while (delta_listing_retry(&listing, store, &code, err));
    delta_listing_free(&listing);
    return code;
}

/* What is listed and not in the log, which is read later, is not on its way into it: see `pending`. */
static enum code sweep_run(struct sweep *self, struct store *store, struct delta_vacuum *vacuum, struct delta_set *kept,
                           struct budget *budget, struct error *err)
{
    TRY(store_list(store, "", true, &self->list, err));
    TRY(pending_keep(vacuum, kept, err));
    TRY(log_replay(self, store, budget, err));
    if (self->metadata.id == NULL)
        return fail(err, E_CORRUPT, "the log has no metadata");
    TRY(delta_writable(&self->protocol, &self->metadata, err));
    int64_t keep_us = vacuum->keep_us;
    if (keep_us < 0) {
        keep_us = delta_duration(&self->metadata, "delta.deletedFileRetentionDuration", 7 * DAY_US);
        keep_us = keep_us > HOUR_US ? keep_us : HOUR_US; // somebody may be about to commit a young file
    }
    int64_t cut_us = os->clock_wall_us() - keep_us;
    TRY(kept_find(self, store_root(store), cut_us / 1000, kept, err));
    return files_sweep(self, store, vacuum, kept, cut_us, err);
}

enum code delta_vacuum(struct store *store, struct delta_vacuum *vacuum, struct budget *budget, struct error *err)
{
    struct sweep sweep = {0};
    struct delta_set kept = {.arena = &sweep.arena, .budget = budget};
    enum code code = sweep_run(&sweep, store, vacuum, &kept, budget, err);
    delta_set_free(&kept);
    delta_set_free(&sweep.files);
    store_list_free(&sweep.list);
    mem_free(sweep.nested);
    arena_free(&sweep.arena);
    return code == E_OK ? E_OK : error_note(err, "Delta table %s", store_root(store));
}
