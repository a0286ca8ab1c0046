/* audit_files.c - the tables' folders against the records: each file that a record names is there as it was written, and
 * nothing else is there that a reader would take for the table's.
 *
 *   file of epoch     and                                  then
 *   a record's        named by its token                   size, checksum and rows must be the record's
 *                     of the head, still staged            the next start publishes it: a note, if it is as it was written
 *                     gone, with leat.files.keep           fine, but for the newest epoch's
 *                     gone, merged into another one        that one must be there, and have had these bytes
 *                     gone, of a Delta table               a vacuum may take what the log has no more: a note
 *                     in the folder that the record says   the table has none now: a note
 *                     not named                            one too many
 *   above the head                                         one too many: that epoch was never committed
 *   before `oldest`                                        nobody remembers: counted, and it must be readable
 *   no leat's name    a commit of a Delta table added it   another writer's: a note
 *                     else a reader would take it          one too many
 */
#include "runtime/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/format.h"
#include "runtime/ledger.h"
#include "runtime/outputs.h"
#include "runtime/quarantines.h"

/* ---- which folders ---- */

static int64_t keep_of(const struct audit *self, const struct pipeline_table *table)
{
    const char *value = table_property(table, "leat.files.keep");
    if (value == NULL)
        value = pipeline_setting(self->pipeline, "leat.files.keep");
    return value != NULL ? strtoll(value, NULL, 10) : 0; // checked where the sink is opened
}

/* The outputs that outputs_open makes, without making anything (outputs.c has the same names). */
static void folders_find(struct audit *self)
{
    const struct pipeline *pipeline = self->pipeline;
    const char *tables_path = self->settings.tables_path;
    bool parquet = self->settings.quarantine_format == QUARANTINE_PARQUET;
    struct quarantines quarantines;
    quarantines_find(self->arena, pipeline, &quarantines);
    size_t most = 2 * (size_t)pipeline->table_count + (size_t)quarantines.count;
    struct audit_folder *next = self->folders = arena_array(self->arena, struct audit_folder, most);
    for (int32_t t = 0; t < pipeline->table_count; t++) {
        const struct pipeline_table *table = pipeline->tables[t];
        bool files = sink_encoder(table->format) != NULL;
        const char *path = table->path;
        if (path == NULL)
            path = arena_printf(self->arena, "%s/%s", tables_path, table->name);
        *next++ = (struct audit_folder){
            .name = table->name,
            .path = files ? path : NULL,
            .materialized = table->materialized,
            .parquet = files && sink_encoder(table->format) == encoder_find("parquet"),
            .delta = strcmp(table->format, "delta") == 0,
            .keep = keep_of(self, table),
        };
        if (table_keeps_late(table))
            *next++ = (struct audit_folder){
                .name = arena_printf(self->arena, "%s_late", table->name),
                .path = arena_printf(self->arena, "%s_late", path),
                .set_aside = true,
            };
    }
    for (int32_t q = 0; q < quarantines.count; q++) {
        const char *name = quarantines.items[q].name;
        bool topic = quarantines.items[q].is_topic;
        *next++ = (struct audit_folder){
            .name = topic ? arena_printf(self->arena, "topic %s", name) : name,
            .path = topic ? NULL : arena_printf(self->arena, "%s/%s", tables_path, name),
            .parquet = parquet,
            .set_aside = true,
        };
    }
    self->folder_count = (int32_t)(next - self->folders);
}

enum code audit_folders_list(struct audit *self, struct error *err)
{
    folders_find(self);
    for (int32_t i = 0; i < self->folder_count; i++) {
        struct audit_folder *folder = &self->folders[i];
        struct error why = {0};
        if (folder->path == NULL)
            continue;
        enum code code = store_look(folder->path, &folder->store, &why);
        if (code == E_OK)
            code = store_list(folder->store, "", true, &folder->list, &why);
        if (code != E_OK && code != E_ABSENT) {
            *err = why;
            return code;
        }
    }
    return E_OK;
}

void audit_folders_close(struct audit *self)
{
    for (int32_t i = 0; i < self->folder_count; i++) {
        store_list_free(&self->folders[i].list);
        store_close(self->folders[i].store);
        mem_free(self->folders[i].merges);
    }
    self->folder_count = 0;
}

/* ---- one file ---- */

static enum code footer_rows(const struct audit_folder *folder, const char *path, int64_t size_bytes, int64_t *rows,
                             struct error *err)
{
    struct store_file input = {folder->store, path};
    const struct parquet_input file = {path, size_bytes, &input, store_file_read};
    struct budget budget = {0};
    struct parquet_reader *reader;
    TRY(parquet_reader_new(&file, &budget, &reader, err));
    *rows = parquet_reader_rows(reader);
    parquet_reader_free(reader);
    return E_OK;
}

/* What is in a file that has the right size. */
static void content_check(struct audit *self, const struct audit_folder *folder, int64_t epoch,
                          const struct sink_file *file)
{
    uint64_t checksum = 0;
    int64_t rows = file->rows;
    struct error why = {0};
    enum code code = store_checksum(folder->store, file->final, &checksum, &why);
    if (code == E_OK && checksum != file->checksum)
        audit_find(self, false, "file_damaged", epoch, folder->name, file->final,
                   "its bytes are not those that were written: checksum %016" PRIx64 ", the record says %016" PRIx64,
                   checksum, file->checksum);
    else if (code == E_OK && folder->parquet)
        code = footer_rows(folder, file->final, file->size_bytes, &rows, &why);
    if (code != E_OK)
        audit_find(self, false, "file_unreadable", epoch, folder->name, file->final, "%s", why.text);
    else if (rows != file->rows)
        audit_find(self, false, "file_damaged", epoch, folder->name, file->final,
                   "it has %" PRId64 " rows, the record says %" PRId64, rows, file->rows);
}

/* ---- files that records name ---- */

struct folder_audit {
    struct audit *audit;
    struct audit_folder *folder;
    struct audit_table *table;
    bool *seen;       /* per entry of the list: a record names it */
    int64_t replaced; /* newest epoch whose files took the place of all of before; -1 */
    int64_t newest;   /* newest epoch that has files; -1 */
};

static int by_path(const void *key, const void *entry)
{
    return strcmp(key, ((const struct store_entry *)entry)->path);
}

static struct store_entry *entry_find(const struct store_list *list, const char *path)
{
    return list->count == 0 ? NULL : bsearch(path, list->entries, (size_t)list->count, sizeof *list->entries, by_path);
}

static bool is_there(const struct audit_folder *folder, const char *path, int64_t *size_bytes)
{
    struct error ignored = {0};
    return folder->store != NULL && store_size(folder->store, path, size_bytes, &ignored) == E_OK;
}

/* Between the record and the rename a file has neither its name for long, nor never: it is looked for twice. */
static bool is_staged(const struct folder_audit *self, const struct sink_file *file, bool *published)
{
    int64_t size_bytes;
    bool staged = false;
    struct error ignored = {0};
    const struct staged asked = {file->staged, file->final, file->handle, file->size_bytes};
    if (self->folder->store == NULL || store_has_staged(self->folder->store, &asked, &staged, &ignored) != E_OK)
        staged = false;
    *published = !staged && is_there(self->folder, file->final, &size_bytes);
    return staged;
}

static const struct chain_sink *sink_of(const struct chain_record *record, const char *name)
{
    for (int32_t i = 0; i < record->sink_count; i++)
        if (strcmp(record->sinks[i].name, name) == 0)
            return &record->sinks[i];
    return NULL;
}

/* The table has no folder now, and had one when the epoch was written: its files stay there. A table that has one is audited
 * there: of a project that was copied the record's folder is the original's. */
static bool is_elsewhere(const struct folder_audit *self, int64_t epoch, const struct sink_file *file)
{
    const struct chain_sink *sink = sink_of(audit_record(self->audit, epoch), self->folder->name);
    const char *path = sink == NULL ? NULL : sink->path;
    struct store *store = NULL;
    struct error ignored = {0};
    int64_t size_bytes = -1;
    if (path == NULL || self->folder->path != NULL)
        return false;
    bool there = store_look(path, &store, &ignored) == E_OK &&
                 store_size(store, file->final, &size_bytes, &ignored) == E_OK && size_bytes == file->size_bytes;
    store_close(store);
    if (there)
        audit_find(self->audit, true, "file_elsewhere", epoch, self->folder->name, file->final,
                   "it is in %s, the table's folder when the epoch was written; now the table writes no files", path);
    return there;
}

/* leat may have merged it since the lists were read. */
static const struct sink_file *merged_find(struct folder_audit *self, const char *path,
                                           const struct sink_merge_list **into)
{
    const struct sink_file *merged = audit_merged(self->folder, path, into);
    if (merged != NULL || self->folder->store == NULL || !audit_at_work(self->audit))
        return merged;
    audit_merges_read(self->audit, self->folder);
    return audit_merged(self->folder, path, into);
}

/* Its rows are in another file. */
static bool is_merged(struct folder_audit *self, int64_t epoch, const struct sink_file *file)
{
    const struct sink_merge_list *into;
    const struct sink_file *merged = merged_find(self, file->final, &into);
    if (merged == NULL)
        return false;
    self->table->rows += file->rows;
    if (merged->size_bytes != file->size_bytes || merged->checksum != file->checksum)
        audit_find(self->audit, false, "file_damaged", epoch, self->folder->name, file->final,
                   "it was merged into %s with other bytes than those that were written", into->file.final);
    return true;
}

/* Of an upload that nobody has completed a store shows no bytes. */
static bool staged_check(struct folder_audit *self, int64_t epoch, const struct sink_file *file)
{
    struct store *store = self->folder->store;
    int64_t size_bytes = file->size_bytes;
    uint64_t checksum = file->checksum;
    struct error why = {0};
    if (file->staged == NULL || !store_is_local(store))
        return true;
    enum code code = store_size(store, file->staged, &size_bytes, &why);
    if (code == E_OK && size_bytes == file->size_bytes && !self->audit->request->names_only)
        code = store_checksum(store, file->staged, &checksum, &why);
    if (code == E_ABSENT)
        return true; // published meanwhile
    if (code != E_OK)
        audit_find(self->audit, false, "file_unreadable", epoch, self->folder->name, file->staged, "%s", why.text);
    else if (size_bytes != file->size_bytes)
        audit_find(self->audit, false, "file_damaged", epoch, self->folder->name, file->staged,
                   "committed, still staged, and it has %" PRId64 " bytes, where the record says %" PRId64, size_bytes,
                   file->size_bytes);
    else if (checksum != file->checksum)
        audit_find(self->audit, false, "file_damaged", epoch, self->folder->name, file->staged,
                   "committed, still staged, and its bytes are not those that were written: checksum %016" PRIx64
                   ", the record says %016" PRIx64,
                   checksum, file->checksum);
    return code == E_OK && size_bytes == file->size_bytes && checksum == file->checksum;
}

static void file_absent(struct folder_audit *self, int64_t epoch, const struct sink_file *file)
{
    bool published, head = epoch == self->audit->report->head;
    bool staged = is_staged(self, file, &published);
    if (published || (staged && head && audit_at_work(self->audit)))
        return;
    if (staged && head && staged_check(self, epoch, file))
        audit_find(self->audit, true, "file_unpublished", epoch, self->folder->name, file->final,
                   "committed, and still under its staged name: the next start of leat gives it this one");
    else if (staged && head)
        return;
    else if (audit_delta_has(self->folder, file->final))
        return; // audit_delta.c has found it
    else if (self->folder->log_read && (epoch != self->newest || epoch <= self->folder->logged))
        audit_find(self->audit, true, "file_vacuumed", epoch, self->folder->name, file->final,
                   "it is not there: merged into others or removed, as the table's log has it no more, and vacuumed");
    else if ((self->folder->keep == 0 || epoch == self->newest) && !is_elsewhere(self, epoch, file))
        audit_find(self->audit, false, "file_missing", epoch, self->folder->name, file->final,
                   "%" PRId64 " rows are gone: the record names the file, and it is not there", file->rows);
}

static void file_check(struct folder_audit *self, int64_t epoch, const struct sink_file *file)
{
    struct audit *audit = self->audit;
    struct store_entry *entry = entry_find(&self->folder->list, file->final);
    int64_t size_bytes = entry != NULL ? entry->size_bytes : 0;
    if (entry != NULL)
        self->seen[entry - self->folder->list.entries] = true;
    if (epoch < self->replaced) {
        if (entry != NULL)
            audit_find(audit, self->replaced == audit->report->head, "file_superseded", epoch, self->folder->name,
                       file->final,
                       "epoch %" PRId64 " replaced all rows of the table, and this file of before is still there",
                       self->replaced);
        return;
    }
    if (!is_there(self->folder, file->final, &size_bytes)) {
        if (!is_merged(self, epoch, file))
            file_absent(self, epoch, file);
        return;
    }
    self->table->files++;
    self->table->rows += file->rows;
    self->table->bytes += size_bytes;
    if (size_bytes != file->size_bytes)
        audit_find(audit, false, "file_damaged", epoch, self->folder->name, file->final,
                   "it has %" PRId64 " bytes, the record says %" PRId64, size_bytes, file->size_bytes);
    else if (!audit->request->names_only)
        content_check(audit, self->folder, epoch, file);
}

static const struct chain_ledger *ledger_find(const struct chain_record *record, const char *name)
{
    for (int32_t i = 0; i < record->ledger_count; i++)
        if (strcmp(record->ledgers[i].table, name) == 0)
            return &record->ledgers[i];
    return NULL;
}

/* The files of the folder's table in that epoch; none when there is no such record. */
static struct sink_files files_of(struct folder_audit *self, int64_t epoch, bool tell)
{
    const struct chain_record *record = audit_record(self->audit, epoch);
    const struct chain_sink *sink = record != NULL ? sink_of(record, self->folder->name) : NULL;
    struct sink_files files = {0};
    struct error why = {0};
    if (sink == NULL || sink_token_files(bytes_of_string(sink->token), self->audit->arena, &files, &why) == E_OK)
        return files;
    if (tell)
        audit_find(self->audit, false, "record_damaged", epoch, self->folder->name, "", "%s", why.text);
    return (struct sink_files){0};
}

static void epoch_check(struct folder_audit *self, int64_t epoch)
{
    const struct chain_record *record = audit_record(self->audit, epoch);
    const struct sink_files files = files_of(self, epoch, true);
    int64_t rows = 0;
    for (int32_t i = 0; i < files.count; i++) {
        file_check(self, epoch, &files.items[i]);
        rows += files.items[i].rows;
    }
    if (self->folder->set_aside)
        self->table->ledger.out += files.known ? rows : files.records; // these have no ledger
    const struct chain_ledger *ledger = record != NULL ? ledger_find(record, self->folder->name) : NULL;
    if (ledger == NULL)
        return;
    if (files.known && rows != ledger->counts.out)
        audit_find(self->audit, false, "ledger_differs", epoch, self->folder->name, "",
                   "the files of the epoch have %" PRId64 " rows, its ledger says %" PRId64, rows, ledger->counts.out);
    ledger_add(&self->table->ledger, &ledger->counts);
}

static void epochs_check(struct folder_audit *self)
{
    const struct audit *audit = self->audit;
    for (int32_t i = 0; i < audit->record_count; i++) {
        const struct sink_files files = files_of(self, audit->first + i, false);
        self->newest = files.count > 0 ? audit->first + i : self->newest;
        self->replaced = files.replace ? audit->first + i : self->replaced;
    }
    for (int32_t i = 0; i < audit->record_count; i++)
        epoch_check(self, audit->first + i);
}

/* ---- files that no record names ---- */

static bool ends_with(const char *path, const char *end)
{
    size_t size = strlen(path), end_size = strlen(end);
    return size > end_size && strcmp(path + size - end_size, end) == 0;
}

static bool looks_like_data(const char *path)
{
    return ends_with(path, ".parquet") || ends_with(path, ".csv") || ends_with(path, ".json");
}

static bool is_welcome(const struct audit *self, const char *query8)
{
    for (int32_t i = 0; i < self->request->also_count; i++)
        if (strncmp(self->request->also[i], query8, 8) == 0)
            return true;
    return false;
}

static void older_check(struct folder_audit *self, int64_t epoch, const struct store_entry *entry)
{
    struct audit_table *table = self->table;
    struct error why = {0};
    int64_t rows = 0;
    table->older_files++;
    table->older_bytes += entry->size_bytes;
    if (!self->folder->parquet || self->audit->request->names_only) {
        table->older_rows = -1;
        return;
    }
    enum code code = footer_rows(self->folder, entry->path, entry->size_bytes, &rows, &why);
    if (code == E_ABSENT)
        table->older_files--; // leat.files.keep at work
    else if (code != E_OK)
        audit_find(self->audit, false, "file_unreadable", epoch, self->folder->name, entry->path, "%s", why.text);
    table->older_rows += table->older_rows >= 0 ? rows : 0;
}

/* One that was made of others: its list says what it has. */
static void merged_check(struct folder_audit *self, const struct sink_part_name *name, const struct store_entry *entry)
{
    const struct sink_merge_list *merge = audit_merge_of(self->folder, entry->path);
    int64_t size_bytes;
    if (merge == NULL && audit_at_work(self->audit) && !is_there(self->folder, entry->path, &size_bytes))
        return; // merged again meanwhile
    if (self->folder->delta) {
        self->table->files++;
        self->table->bytes += entry->size_bytes;
    } else if (merge == NULL && name->epoch < self->audit->first) {
        older_check(self, name->epoch, entry);
    } else if (merge == NULL) {
        audit_find(self->audit, false, "file_unexplained", name->epoch, self->folder->name, entry->path,
                   "there is no list of what was merged into it: readers may see rows twice");
    } else if (merge->file.size_bytes != entry->size_bytes) {
        audit_find(self->audit, false, "file_damaged", name->epoch, self->folder->name, entry->path,
                   "it has %" PRId64 " bytes, its list says %" PRId64, entry->size_bytes, merge->file.size_bytes);
    } else {
        self->table->files++;
        self->table->bytes += entry->size_bytes;
        if (!self->audit->request->names_only)
            content_check(self->audit, self->folder, name->epoch, &merge->file);
    }
}

/* A file of this query. */
static void own_check(struct folder_audit *self, const struct sink_part_name *name, const struct store_entry *entry)
{
    struct audit *audit = self->audit;
    bool record = audit_record(audit, name->epoch) != NULL;
    if (name->merged && name->epoch <= audit->report->head) {
        merged_check(self, name, entry);
    } else if (name->epoch < audit->first) {
        older_check(self, name->epoch, entry);
    } else if (name->epoch > audit->report->head) {
        audit_find(audit, false, "file_unexplained", name->epoch, self->folder->name, entry->path,
                   "epoch %" PRId64 " was never committed, the last one is %" PRId64
                   ": readers see rows that are not in the table",
                   name->epoch, audit->report->head);
    } else if (record) {
        audit_find(
            audit, false, "file_unexplained", name->epoch, self->folder->name, entry->path,
            "the record of its epoch does not name it: readers see rows twice, or rows that are not in the table");
    }
}

/* What commits of others have added to a Delta table is as good as seen. */
static void others_check(struct folder_audit *self)
{
    const struct store_list *list = &self->folder->list;
    if (!self->folder->delta || self->folder->store == NULL)
        return;
    bool *asked = mem_array(bool, (size_t)list->count + 1), *strange = mem_array(bool, (size_t)list->count + 1);
    for (int32_t i = 0; i < list->count; i++) {
        struct sink_part_name name;
        const char *path = list->entries[i].path;
        bool parsed = sink_part_parse(path, &name),
             own = parsed && (name.staged || strncmp(name.query8, self->audit->report->query_id, 8) == 0);
        asked[i] = strange[i] = !self->seen[i] && !own && !store_name_hidden(path) && looks_like_data(path);
    }
    audit_delta_others(self->audit, self->folder, asked);
    for (int32_t i = 0; i < list->count; i++)
        self->seen[i] |= strange[i] && !asked[i];
    mem_free(strange);
    mem_free(asked);
}

static const char *unknown_text(const struct audit_folder *folder)
{
    return folder->delta ? "no leat gave it this name, and the table's log does not have it"
                         : "no leat gave it this name: readers take its rows for the table's";
}

static void unnamed_check(struct folder_audit *self)
{
    struct audit *audit = self->audit;
    struct sink_part_name name, foreign = {.query8 = ""};
    const char *foreign_path = "";
    int64_t foreign_files = 0, staged = 0;
    for (int32_t i = 0; i < self->folder->list.count; i++) {
        const struct store_entry *entry = &self->folder->list.entries[i];
        bool parsed = sink_part_parse(entry->path, &name),
             own = parsed && strncmp(name.query8, audit->report->query_id, 8) == 0;
        if (self->seen[i])
            continue;
        if (parsed && name.staged) {
            staged += own;
        } else if (store_name_hidden(entry->path)) {
            continue;
        } else if (own) {
            own_check(self, &name, entry);
        } else if (parsed && !is_welcome(audit, name.query8)) {
            foreign = name;
            foreign_path = entry->path;
            foreign_files++;
        } else if (!parsed && looks_like_data(entry->path)) {
            audit_find(audit, false, "file_unknown", -1, self->folder->name, entry->path, "%s",
                       unknown_text(self->folder));
        }
    }
    if (foreign_files > 0)
        audit_find(audit, false, "foreign_files", -1, self->folder->name, foreign_path,
                   "%" PRId64
                   " file%s another query, %s: readers see its rows too. When both write here on purpose: --also %s",
                   foreign_files, foreign_files == 1 ? " is of" : "s are of", foreign.query8, foreign.query8);
    if (staged > 0 && !audit_at_work(audit))
        audit_find(audit, true, "leftovers", -1, self->folder->name, "_staging",
                   "%" PRId64
                   " staged file%s of no committed epoch, or not published yet: the next start of leat sees to %s",
                   staged, staged == 1 ? "" : "s", staged == 1 ? "it" : "them");
}

/* ---- all folders ---- */

static bool has_folder(const struct audit *self, const char *name)
{
    for (int32_t i = 0; i < self->folder_count; i++)
        if (strcmp(self->folders[i].name, name) == 0)
            return true;
    return false;
}

/* A table that the project no longer has: its folder is not known. */
static void strangers_note(struct audit *self)
{
    const struct chain_record *head = audit_record(self, self->report->head);
    for (int32_t i = 0; head != NULL && i < head->sink_count; i++)
        if (!has_folder(self, head->sinks[i].name))
            audit_find(self, true, "table_unknown", head->epoch, head->sinks[i].name, "",
                       "the last epoch wrote it, and the project does not have it: its files were not looked at");
}

void audit_files(struct audit *self)
{
    struct audit_table *tables = arena_array(self->arena, struct audit_table, (size_t)self->folder_count);
    for (int32_t i = 0; i < self->folder_count; i++) {
        struct audit_folder *folder = &self->folders[i];
        tables[i] = (struct audit_table){.name = folder->name, .path = folder->path, .set_aside = folder->set_aside};
        struct folder_audit one = {
            .audit = self,
            .folder = folder,
            .table = &tables[i],
            .seen = mem_array(bool, (size_t)folder->list.count),
            .replaced = -1,
            .newest = -1,
        };
        audit_merges_check(self, folder);
        audit_delta(self, folder);
        epochs_check(&one);
        others_check(&one);
        unnamed_check(&one);
        mem_free(one.seen);
    }
    strangers_note(self);
    self->report->tables = tables;
    self->report->table_count = self->folder_count;
}
