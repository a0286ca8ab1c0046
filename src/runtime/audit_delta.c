/* audit_delta.c - a Delta table's log against the records: the epochs are in it, and its files are there.
 *
 *   newest epoch that wrote files   the log's txn Q/T           then
 *   the head                        is older                    the next start commits it: a note
 *   an epoch before the head        is older                    its rows are not in the table, or the log was replaced
 *   any                             is newer than the head      the checkpoint is an older one than the table
 *
 * A table may have other writers: what their commits add is theirs to answer for.
 */
#include "runtime/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "delta/delta.h"

static const char TASK[] = "0";

static bool wrote_files(struct audit *self, const struct chain_record *record, const char *name)
{
    struct sink_files files;
    struct error ignored = {0};
    for (int32_t i = 0; record != NULL && i < record->sink_count; i++)
        if (strcmp(record->sinks[i].name, name) == 0)
            return sink_token_files(bytes_of_string(record->sinks[i].token), self->arena, &files, &ignored) == E_OK &&
                   files.count > 0;
    return false;
}

/* -1: none of those that are remembered. */
static int64_t newest_epoch(struct audit *self, const char *name)
{
    for (int32_t i = self->record_count - 1; i >= 0; i--)
        if (wrote_files(self, audit_record(self, self->first + i), name))
            return self->first + i;
    return -1;
}

static void transaction_check(struct audit *self, const struct audit_folder *folder, int64_t newest,
                              int64_t transaction)
{
    int64_t head = self->report->head;
    if (transaction > head && !audit_at_work(self))
        audit_find(self, false, "log_ahead", transaction, folder->name, "_delta_log",
                   "the log has epoch %" PRId64 ", the checkpoint ends with %" PRId64
                   ": it is an older one than the table",
                   transaction, head);
    else if (transaction < newest && (newest == head || audit_at_work(self)))
        audit_find(self, true, "log_behind", newest, folder->name, "_delta_log",
                   "the epoch is recorded, and not in the log yet: the next start of leat commits it");
    else if (transaction < newest)
        audit_find(self, false, "log_lacks", newest, folder->name, "_delta_log",
                   "the log knows this query's epochs up to %" PRId64 ": rows that were written are not in the table",
                   transaction);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

bool audit_delta_has(const struct audit_folder *folder, const char *path)
{
    return folder->live_count > 0 &&
           bsearch(&path, folder->live, (size_t)folder->live_count, sizeof *folder->live, by_text) != NULL;
}

static void files_check(struct audit *self, struct audit_folder *folder, const struct delta_snapshot *snapshot)
{
    char path[DELTA_PATH_SIZE];
    folder->live = arena_array(self->arena, const char *, (size_t)snapshot->file_count);
    for (int32_t i = 0; i < snapshot->file_count; i++) {
        const struct delta_file *file = &snapshot->files[i];
        int64_t size_bytes = 0;
        struct error why = {0};
        if (delta_path(file->path, store_root(folder->store), path, &why) != E_OK || path[0] == '/')
            continue; // outside of the table
        folder->live[folder->live_count++] = arena_strdup(self->arena, path);
        enum code code = store_size(folder->store, path, &size_bytes, &why);
        if (code == E_ABSENT)
            audit_find(self, false, "file_missing", -1, folder->name, path, "the log has it, and it is not there");
        else if (code == E_OK && file->size_bytes >= 0 && file->size_bytes != size_bytes)
            audit_find(self, false, "file_damaged", -1, folder->name, path,
                       "it has %" PRId64 " bytes, the log says %" PRId64, size_bytes, file->size_bytes);
    }
    qsort(folder->live, (size_t)folder->live_count, sizeof *folder->live, by_text);
    folder->log_read = true;
}

static enum code log_check(struct audit *self, struct audit_folder *folder, int64_t newest, struct error *err)
{
    const struct delta_at at = {.version = -1};
    struct budget budget = {.limit_bytes = (size_t)self->settings.memory_bytes};
    struct delta_snapshot *snapshot = NULL;
    struct delta_table *table = NULL;
    TRY(delta_table_open(folder->store, arena_printf(self->arena, "%s/%s", self->report->query_id, TASK), &table, err));
    folder->logged = delta_table_transaction(table);
    transaction_check(self, folder, newest, folder->logged);
    bool there = delta_table_version(table) >= 0;
    delta_table_free(table);
    if (!there)
        return E_OK;
    TRY(delta_snapshot_open(folder->store, &at, &budget, &snapshot, err));
    files_check(self, folder, snapshot);
    delta_snapshot_free(snapshot);
    return E_OK;
}

/* ---- other writers ---- */

static void others_note(struct audit *self, const struct audit_folder *folder, const struct delta_origin *files,
                        int32_t count)
{
    const struct delta_origin *first = NULL, *last = NULL;
    int64_t others = 0;
    for (int32_t i = 0; i < count; i++) {
        const struct delta_origin *file = &files[i];
        if (file->version < 0)
            continue;
        first = first == NULL || file->version < first->version ? file : first;
        last = last == NULL || file->version > last->version ? file : last;
        others++;
    }
    if (others == 1)
        audit_find(self, true, "other_writer", -1, folder->name, first->path,
                   "added by another writer, version %" PRId64 "%s", first->version, first->exact ? "" : " or before");
    else if (others > 1)
        audit_find(self, true, "other_writer", -1, folder->name, first->path,
                   "this and %" PRId64 " more were added by another writer, versions %" PRId64 "%s to %" PRId64,
                   others - 1, first->version, first->exact ? "" : " or before", last->version);
}

void audit_delta_others(struct audit *self, const struct audit_folder *folder, bool *asked)
{
    const struct store_list *list = &folder->list;
    struct budget budget = {.limit_bytes = (size_t)self->settings.memory_bytes};
    struct delta_origin *files = mem_array(struct delta_origin, (size_t)list->count + 1);
    struct error why = {0};
    int32_t count = 0;
    for (int32_t i = 0; i < list->count; i++)
        if (asked[i])
            files[count++] = (struct delta_origin){.path = list->entries[i].path};
    enum code code = count > 0 ? delta_origins(folder->store, files, count, &budget, &why) : E_ABSENT;
    if (code == E_OK) {
        for (int32_t i = 0, at = 0; i < list->count; i++)
            if (asked[i])
                asked[i] = files[at++].version < 0;
        others_note(self, folder, files, count);
    } else if (code != E_ABSENT) {
        audit_find(self, false, "log_unreadable", -1, folder->name, "_delta_log", "%s", why.text);
    }
    mem_free(files);
}

void audit_delta(struct audit *self, struct audit_folder *folder)
{
    struct error why = {0};
    if (folder->delta && folder->store != NULL &&
        log_check(self, folder, newest_epoch(self, folder->name), &why) != E_OK)
        audit_find(self, false, "log_unreadable", -1, folder->name, "_delta_log", "%s", why.text);
}
