/* delta_stream.c - which files a stream of a Delta table reads: those of the table as it is first seen, then those that each
 * commit adds.
 *
 * Order    files of the first version by their time, then by path; of a commit in its order
 * Commits  dataChange = false (small files merged, rows put in order): nothing new. One that removes rows stops the stream, by
 *          the names that Delta's own source has for it, unless skipChangeCommits or ignoreDeletes say that it is passed over
 * Log      an entry of the log of files keeps the action that added the file, for its partition's values and deleted rows, and
 *          a segment the version up to which all is in the log: a commit's files are in it together, or not at all
 * Columns  by the names that they have in the newest version
 */
#include <stdlib.h>

#include "base/text_number.h"
#include "source/columns.h"

struct finding {
    struct columns_source *self;
    struct found_files *out;
    int32_t added, removed; /* files of the commit at hand that change data */
    bool reshaped;          /* columns, or features */
};

/* ---- files ---- */

static enum code file_found(struct finding *self, const struct delta_file *file, struct error *err)
{
    const struct columns_source *source = self->self;
    struct found_files *out = self->out;
    char path[PATH_MAX];
    TRY(delta_file_path(&source->settings, file->path, path, err));
    if (files_log_knows(&source->log, path))
        return fail(err, E_UNSUPPORTED, "%s was in the table before, and has come back: its rows were read already",
                    path);
    if (source->log.count + out->count >= FILES_MAX)
        return fail(err, E_UNSUPPORTED, "a stream of more than %d files", FILES_MAX);
    struct delta_action add = {.kind = DELTA_ADD, .file = *file};
    struct text line = {0};
    add.file.stats = NULL;
    add.file.tags = (struct delta_map){0};
    delta_action_print(&add, &line);
    mem_grow(out->items, out->capacity, out->count + 1);
    out->items[out->count++] = (struct found_file){.name = mem_strdup(path),
                                                   .size_bytes = file->size_bytes,
                                                   .modified_us = file->time_ms * 1000,
                                                   .add = mem_strdup(line.data)};
    text_free(&line);
    return E_OK;
}

/* ---- the table as it is first seen ---- */

static int by_time(const void *a_, const void *b_)
{
    const struct delta_file *a = a_, *b = b_;
    return a->time_ms != b->time_ms ? (a->time_ms < b->time_ms ? -1 : 1) : strcmp(a->path, b->path);
}

static enum code table_learn(struct columns_source *self, const struct delta_snapshot *snapshot, struct error *err)
{
    const struct delta_names *names = &snapshot->metadata.partition_columns;
    arena_reset(&self->table_arena);
    self->table_known = false;
    self->partitions = (struct delta_names){
        .items = arena_array(&self->table_arena, const char *, (size_t)names->count + 1), .count = names->count};
    for (int32_t i = 0; i < names->count; i++)
        self->partitions.items[i] = arena_strdup(&self->table_arena, names->items[i]);
    TRY(delta_schema_parse(&snapshot->metadata, &self->table_arena, &self->table, err));
    self->table_known = true;
    return E_OK;
}

/* Its columns, and, when they are asked for, its files. */
static enum code snapshot_take(struct finding *self, int64_t version, bool files, struct error *err)
{
    struct delta_snapshot *snapshot = NULL;
    struct store *store;
    TRY(delta_table_look(&self->self->settings, version, self->self->budget, &store, &snapshot, err));
    enum code code = table_learn(self->self, snapshot, err);
    if (code == E_OK && files && snapshot->file_count > 1)
        qsort(snapshot->files, (size_t)snapshot->file_count, sizeof *snapshot->files, by_time);
    for (int32_t i = 0; code == E_OK && files && i < snapshot->file_count; i++)
        code = file_found(self, &snapshot->files[i], err);
    delta_snapshot_free(snapshot);
    store_close(store);
    return code;
}

/* ---- commits ---- */

static enum code action_weigh(void *context, int64_t version, const struct delta_action *action, struct error *err)
{
    struct finding *self = context;
    (void)version, (void)err;
    self->added += action->kind == DELTA_ADD && action->file.data_change;
    self->removed += action->kind == DELTA_REMOVE && action->file.data_change;
    self->reshaped |= action->kind == DELTA_METADATA || action->kind == DELTA_PROTOCOL;
    return E_OK;
}

static enum code action_take(void *context, int64_t version, const struct delta_action *action, struct error *err)
{
    (void)version;
    return action->kind == DELTA_ADD && action->file.data_change ? file_found(context, &action->file, err) : E_OK;
}

static enum code changes_refuse(int64_t version, bool rewrites, struct error *err)
{
    if (rewrites)
        return fail(
            err, E_UNSUPPORTED,
            "[DELTA_SOURCE_TABLE_IGNORE_CHANGES] version %lld rewrites rows of the table, which a stream cannot "
            "follow; skipChangeCommits = true passes over such commits",
            (long long)version);
    return fail(
        err, E_UNSUPPORTED,
        "[DELTA_SOURCE_IGNORE_DELETE] version %lld deletes rows of the table, which a stream cannot follow; "
        "ignoreDeletes = true passes over such commits, skipChangeCommits = true also over those that rewrite rows",
        (long long)version);
}

static enum code commit_take(struct finding *self, struct store *store, int64_t version, struct error *err)
{
    const struct files_settings *settings = &self->self->settings;
    self->added = self->removed = 0;
    enum code code = delta_commit_read(store, version, action_weigh, self, err);
    if (code == E_ABSENT)
        return fail(err, E_LOST,
                    "version %lld is not in the table's log any more: it was cleaned up before it was read; "
                    "start over with new folders for leat.checkpoint and leat.tables.path",
                    (long long)version);
    TRY(code);
    bool passes = settings->skip_changes || (settings->ignore_deletes && self->added == 0);
    if (self->removed > 0)
        return passes ? E_OK : changes_refuse(version, self->added > 0, err);
    return self->added > 0 ? delta_commit_read(store, version, action_take, self, err) : E_OK;
}

static enum code commits_take(struct finding *self, int64_t from, int64_t to, struct error *err)
{
    struct store *store = NULL;
    if (from > to)
        return E_OK;
    TRY(store_look(self->self->settings.path, &store, err));
    enum code code = E_OK;
    for (int64_t version = from; code == E_OK && version <= to; version++) {
        code = columns_check_stop(self->self, err);
        if (code == E_OK)
            code = commit_take(self, store, version, err);
    }
    store_close(store);
    return code;
}

/* ---- where to begin ---- */

/* The version whose commit comes first; -1: the whole table does. */
static enum code start_of(const struct files_settings *settings, int64_t newest, int64_t *out, struct error *err)
{
    bool overflow = false;
    *out = -1;
    if (settings->start == NULL)
        return E_OK;
    if (strcmp(settings->start, "latest") == 0) {
        *out = newest + 1;
        return E_OK;
    }
    const char *end = settings->start + strlen(settings->start);
    if (parse_int64(settings->start, end, out, &overflow) != end || overflow || *out < 0)
        return fail(err, E_SPEC, "startingVersion: %s is neither a version nor latest", settings->start);
    return *out <= newest ? E_OK
                          : fail(err, E_SPEC, "startingVersion: the table has no version %s yet", settings->start);
}

static enum code files_find_all(struct finding *self, int64_t newest, struct error *err)
{
    struct columns_source *source = self->self;
    int64_t seen = source->seen > source->log.version ? source->seen : source->log.version, first = seen + 1;
    if (seen > newest)
        return fail(err, E_LOST,
                    "the table has version %lld, and the stream stands behind version %lld: it was made anew",
                    (long long)newest, (long long)seen);
    if (seen < 0)
        TRY(start_of(&source->settings, newest, &first, err));
    if (first < 0)
        return snapshot_take(self, newest, true, err);
    TRY(commits_take(self, first, newest, err));
    return self->reshaped || !source->table_known ? snapshot_take(self, newest, false, err) : E_OK;
}

enum code delta_stream_find(struct columns_source *self, struct found_files *out, int64_t *version, struct error *err)
{
    struct finding finding = {.self = self, .out = out};
    int64_t newest;
    uint64_t ignored;
    TRY(delta_look(&self->settings, &newest, &ignored, err));
    enum code code = newest < 0 ? E_OK : files_find_all(&finding, newest, err);
    if (code != E_OK)
        return error_note(err, "Delta table %s", self->settings.path);
    *version = newest;
    return E_OK;
}

/* ---- one file ---- */

enum code delta_stream_file(struct columns_source *self, const struct file_entry *entry, struct error *err)
{
    struct delta_action add;
    if (entry->add == NULL)
        return fail(err, E_CORRUPT, "%s: the log of files does not say how it came into the table", entry->name);
    struct arena *arena = &self->file_arena; // of the file that is going to be open
    TRY(delta_action_parse(bytes_of_string(entry->add), arena, &add, err));
    TRY(delta_columns_match(&self->table, self->settings.may_lack, &self->files, err));
    TRY(delta_file_add(&self->settings, &self->partitions, &self->table, &add.file, &self->files, err));
    self->files.items[0].modified_us = entry->modified_us;
    return E_OK;
}
