/* delta_snapshot.c - which files a table has, at a version or at a time.
 *
 * Time     of a commit: commitInfo.inCommitTimestamp where the table has it, else when its file was written; never
 *          before that of the commit before. Asked for a time before the first or after the last one: E_ABSENT, as in Spark
 */
#include <inttypes.h>
#include <stdlib.h>

#include "delta/delta_internal.h"

/* ---- replay ---- */

struct gathering {
    struct delta_snapshot *snapshot;
    struct delta_set set;
};

static enum code gather(void *context, int64_t version, const struct delta_action *action, struct error *err)
{
    struct gathering *self = context;
    struct delta_snapshot *snapshot = self->snapshot;
    struct delta_file file;
    (void)version;
    switch (action->kind) {
    case DELTA_METADATA: snapshot->metadata = delta_metadata_copy(&action->metadata, &snapshot->arena); return E_OK;
    case DELTA_PROTOCOL: snapshot->protocol = delta_protocol_copy(&action->protocol, &snapshot->arena); return E_OK;
    case DELTA_ADD:
    case DELTA_REMOVE:
        file = action->file;
        file.stats = NULL;
        file.tags = (struct delta_map){0};
        return delta_set_put(&self->set, &file, action->kind == DELTA_ADD, err);
    default: return E_OK;
    }
}

static enum code whole_check(const struct delta_snapshot *snapshot, struct error *err)
{
    TRY(delta_readable(&snapshot->protocol, err));
    return snapshot->metadata.id != NULL ? E_OK : fail(err, E_CORRUPT, "the log has no metadata");
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct delta_file *)a)->path, ((const struct delta_file *)b)->path);
}

/* Always in the same order, whatever checkpoints there are. */
static void files_give(struct gathering *self)
{
    struct delta_snapshot *snapshot = self->snapshot;
    snapshot->files = mem_array(struct delta_file, (size_t)self->set.count);
    for (int32_t i = 0; i < self->set.count; i++)
        if (self->set.entries[i].active)
            snapshot->files[snapshot->file_count++] = self->set.entries[i].file;
    qsort(snapshot->files, (size_t)snapshot->file_count, sizeof *snapshot->files, by_path);
    snapshot->charged = self->set.charged;
    self->set.charged = 0;
}

static enum code snapshot_fill(struct store *store, struct delta_listing *listing, struct delta_snapshot *snapshot,
                               struct error *err)
{
    snapshot->protocol = (struct delta_protocol){0}; // of an attempt before
    snapshot->metadata = (struct delta_metadata){0};
    struct gathering gathering = {snapshot, {.arena = &snapshot->arena, .budget = snapshot->budget}};
    const struct delta_visitor visitor = {.visit = gather, .context = &gathering};
    struct error feature = {0};
    enum code code = delta_replay(store, listing, snapshot->version, snapshot->budget, &visitor, err);
    if (code == E_OK)
        code = whole_check(snapshot, err);
    else if (snapshot->protocol.reader > 0 && delta_readable(&snapshot->protocol, &feature) == E_UNSUPPORTED) {
        *err = feature; // why it could not be read
        code = feature.code;
    }
    if (code == E_OK)
        files_give(&gathering);
    delta_set_free(&gathering.set);
    return code;
}

/* ---- time ---- */

static enum code info_look(void *context, int64_t version, const struct delta_action *action, struct error *err)
{
    int64_t *in_commit_ms = context;
    (void)version, (void)err;
    if (action->kind == DELTA_INFO && action->info.in_commit_ms >= 0)
        *in_commit_ms = action->info.in_commit_ms;
    return E_OK;
}

/* Commits without a time of their own have that of their file, made to ascend. */
static enum code commit_time(struct store *store, const struct delta_listing *listing, int32_t index, bool in_commit,
                             int64_t *before_us, struct error *err)
{
    const struct delta_commit_name *commit = &listing->commits[index];
    int64_t in_commit_ms = -1, us = commit->modified_us;
    const struct delta_visitor visitor = {.visit = info_look, .context = &in_commit_ms};
    if (in_commit) {
        TRY(delta_replay_commit(store, commit->version, &visitor, err));
        us = in_commit_ms >= 0 ? in_commit_ms * 1000 : us;
    }
    *before_us = us <= *before_us ? *before_us + 1000 : us;
    return E_OK;
}

/* Also when a checkpoint is of no use. */
static enum code snapshot_replay(struct store *store, struct delta_listing *listing, struct delta_snapshot *snapshot,
                                 struct error *err)
{
    enum code code;
    do
        code = snapshot_fill(store, listing, snapshot, err);
    while (delta_listing_retry(listing, store, &code, err));
    return code;
}

static enum code table_has_times(struct store *store, struct delta_listing *listing, int64_t *from, struct error *err)
{
    struct delta_snapshot newest = {.version = listing->newest, .budget = NULL};
    struct budget none = {0};
    newest.budget = &none;
    enum code code = snapshot_replay(store, listing, &newest, err);
    if (code == E_OK) {
        const char *version = delta_map_get(&newest.metadata.configuration, "delta.inCommitTimestampEnablementVersion");
        bool on = delta_flag(&newest.metadata, "delta.enableInCommitTimestamps");
        *from = !on ? INT64_MAX : version != NULL ? strtoll(version, NULL, 10) : 0;
    }
    mem_free(newest.files);
    arena_free(&newest.arena);
    return code;
}

static enum code version_at(struct store *store, struct delta_listing *listing, int64_t time_us, int64_t *out,
                            struct error *err)
{
    int64_t times_from = 0, us = INT64_MIN / 2, found = -1;
    TRY(table_has_times(store, listing, &times_from, err));
    for (int32_t i = 0; i < listing->commit_count; i++) {
        TRY(commit_time(store, listing, i, listing->commits[i].version >= times_from, &us, err));
        if (us > time_us)
            break;
        found = listing->commits[i].version;
    }
    if (found < 0)
        return fail(err, E_ABSENT,
                    "[DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION] the first version that is left is younger");
    if (found == listing->newest && us < time_us)
        return fail(err, E_ABSENT, "[DELTA_TIMESTAMP_GREATER_THAN_COMMIT] the newest version, %" PRId64 ", is older",
                    found);
    *out = found;
    return E_OK;
}

/* ---- opening ---- */

static enum code version_choose(struct store *store, struct delta_listing *listing, const struct delta_at *at,
                                int64_t *out, struct error *err)
{
    if (at->has_time)
        return version_at(store, listing, at->time_us, out, err);
    if (at->version > listing->newest)
        return fail(err, E_ABSENT, "[DELTA_VERSION_NOT_FOUND] version %" PRId64 " is not there: the newest is %" PRId64,
                    at->version, listing->newest);
    *out = at->version >= 0 ? at->version : listing->newest;
    return E_OK;
}

enum code delta_snapshot_open(struct store *store, const struct delta_at *at, struct budget *budget,
                              struct delta_snapshot **out, struct error *err)
{
    struct delta_listing listing;
    TRY(delta_listing_read(store, &listing, err));
    struct delta_snapshot *snapshot = mem_new(struct delta_snapshot);
    snapshot->budget = budget;
    enum code code = version_choose(store, &listing, at, &snapshot->version, err);
    if (code == E_OK)
        code = snapshot_replay(store, &listing, snapshot, err);
    if (code == E_LOST && snapshot->version < listing.newest)
        error_note(err, "version %" PRId64 " cannot be read any more, since old commits go with time",
                   snapshot->version);
    delta_listing_free(&listing);
    if (code != E_OK) {
        delta_snapshot_free(snapshot);
        return error_note(err, "Delta table %s", store_root(store));
    }
    *out = snapshot;
    return E_OK;
}

void delta_snapshot_free(struct delta_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    if (snapshot->budget != NULL)
        budget_give(snapshot->budget, snapshot->charged);
    mem_free(snapshot->files);
    arena_free(&snapshot->arena);
    mem_free(snapshot);
}
