/* delta_table.c - commits: what a writer keeps of a table, and how it adds a version.
 *
 *   put-if-absent of <N + 1>.json    won      the writer's knowledge moves on
 *                                    taken    the log is read on: the nonce is ours -> won, an earlier answer was lost;
 *                                             our txn is there -> done before; a conflict -> the caller looks again;
 *                                             else N + 2 is tried
 *                                    unknown  the same: read first, never guess
 *
 *   crash here                       recovery does
 *   before the put                   nothing is in the log: the caller commits again
 *   after the put                    the log has txn{appId, version}: the same commit is done
 *
 * A writer that slept long: when the commit that it is based on is no longer there, the log was cleaned up behind its
 * back, and "N + 1 is free" would mean nothing; it reads the table anew.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/os.h"
#include "delta/delta_internal.h"

enum { ATTEMPTS_MAX = 10000 };

/* ---- what a writer knows ---- */

static void state_visit_table(struct delta_table *table, const struct delta_action *action)
{
    struct arena old = table->arena;
    table->arena = (struct arena){0};
    struct delta_protocol protocol =
        delta_protocol_copy(action->kind == DELTA_PROTOCOL ? &action->protocol : &table->protocol, &table->arena);
    struct delta_metadata metadata = {0};
    if (action->kind == DELTA_METADATA || table->metadata.id != NULL)
        metadata =
            delta_metadata_copy(action->kind == DELTA_METADATA ? &action->metadata : &table->metadata, &table->arena);
    table->protocol = protocol;
    table->metadata = metadata;
    arena_free(&old);
    table->changed_table = true;
}

static bool is_ours(const struct delta_table *table, const char *path)
{
    const struct delta_commit *commit = table->commit;
    for (int32_t i = 0; commit != NULL && i < commit->count; i++)
        if (commit->actions[i].kind == DELTA_REMOVE && strcmp(commit->actions[i].file.path, path) == 0)
            return true;
    return false;
}

static enum code state_visit(void *context, int64_t version, const struct delta_action *action, struct error *err)
{
    struct delta_table *table = context;
    (void)version, (void)err;
    switch (action->kind) {
    case DELTA_PROTOCOL:
    case DELTA_METADATA: state_visit_table(table, action); break;
    case DELTA_TRANSACTION:
        if (table->app_id != NULL && strcmp(action->transaction.app_id, table->app_id) == 0)
            table->transaction = action->transaction.version;
        break;
    case DELTA_INFO:
        table->in_commit_ms = action->info.in_commit_ms >= 0 ? action->info.in_commit_ms : table->in_commit_ms;
        table->won |=
            table->nonce != NULL && action->info.nonce != NULL && strcmp(action->info.nonce, table->nonce) == 0;
        break;
    case DELTA_REMOVE:
        table->lost_file |= is_ours(table, action->file.path);
        table->changed_rows |= action->file.data_change;
        break;
    case DELTA_ADD: table->changed_rows |= action->file.data_change; break;
    default: break;
    }
    return E_OK;
}

static enum code table_check(const struct delta_table *table, struct error *err)
{
    if (table->metadata.id == NULL)
        return fail(err, E_CORRUPT, "the log has no metadata");
    return delta_writable(&table->protocol, &table->metadata, err);
}

/* From the listing's checkpoint on. */
static enum code table_replay(struct delta_table *table, struct delta_listing *listing, struct error *err)
{
    struct budget none = {0};
    const struct delta_visitor visitor = {.visit = state_visit, .context = table, .no_files = true};
    int32_t files;
    const struct delta_checkpoint_name *checkpoint = delta_listing_checkpoint(listing, listing->newest, &files);
    table->checkpoint = checkpoint != NULL ? checkpoint->version : -1;
    table->version = listing->newest;
    table->protocol = (struct delta_protocol){0};
    table->metadata = (struct delta_metadata){0};
    arena_reset(&table->arena);
    TRY(delta_replay(table->store, listing, listing->newest, &none, &visitor, err));
    if (table->checkpoint == listing->newest && delta_listing_commit(listing, listing->newest) != NULL)
        return delta_replay_commit(table->store, listing->newest, &visitor, err); // a checkpoint has no commitInfo
    return E_OK;
}

/* Also when the table is new. */
static enum code table_load(struct delta_table *table, struct error *err)
{
    struct delta_listing listing;
    struct error absent = {0};
    enum code code = delta_listing_read(table->store, &listing, &absent);
    if (code == E_ABSENT)
        return E_OK;
    if (code != E_OK) {
        *err = absent;
        return code;
    }
    do
        code = table_replay(table, &listing, err);
    while (delta_listing_retry(&listing, table->store, &code, err));
    delta_listing_free(&listing);
    return code == E_OK ? table_check(table, err) : code;
}

static enum code table_reload(struct delta_table *table, struct error *err)
{
    table->version = -1;
    table->protocol = (struct delta_protocol){0};
    table->metadata = (struct delta_metadata){0};
    arena_reset(&table->arena);
    table->changed_table = table->changed_rows = true;
    return table_load(table, err);
}

static enum code noted(const struct delta_table *table, enum code code, struct error *err)
{
    return code == E_OK ? E_OK : error_note(err, "Delta table %s", store_root(table->store));
}

enum code delta_table_open(struct store *store, const char *app_id, struct delta_table **out, struct error *err)
{
    struct delta_table *table = mem_new(struct delta_table);
    table->store = store;
    table->app_id = app_id != NULL ? mem_strdup(app_id) : NULL;
    table->version = table->transaction = table->checkpoint = table->in_commit_ms = -1;
    enum code code = noted(table, table_load(table, err), err);
    if (code != E_OK) {
        delta_table_free(table);
        return code;
    }
    *out = table;
    return E_OK;
}

void delta_table_free(struct delta_table *table)
{
    if (table == NULL)
        return;
    arena_free(&table->arena);
    mem_free(table->app_id);
    mem_free(table->nonce);
    mem_free(table);
}

int64_t delta_table_version(const struct delta_table *table) { return table->version; }

int64_t delta_table_transaction(const struct delta_table *table) { return table->transaction; }

const struct delta_protocol *delta_table_protocol(const struct delta_table *table) { return &table->protocol; }

const struct delta_metadata *delta_table_metadata(const struct delta_table *table) { return &table->metadata; }

/* ---- reading on ---- */

/* Is "the next one is absent" to be believed? */
static enum code base_is_there(const struct delta_table *table, bool *out, struct error *err)
{
    char path[DELTA_NAME_SIZE];
    int64_t size_bytes;
    struct error absent = {0};
    delta_commit_path(table->version, path, sizeof path);
    enum code code = store_size(table->store, path, &size_bytes, &absent);
    *out = code == E_OK;
    if (code == E_OK || code == E_ABSENT)
        return E_OK;
    *err = absent;
    return code;
}

static enum code read_on(struct delta_table *table, struct error *err)
{
    const struct delta_visitor visitor = {.visit = state_visit, .context = table};
    bool changed = table->changed_table, there = false;
    if (table->version < 0)
        return table_load(table, err);
    table->changed_table = false;
    for (;;) {
        struct error absent = {0};
        enum code code = delta_replay_commit(table->store, table->version + 1, &visitor, &absent);
        if (code == E_ABSENT)
            break;
        if (code != E_OK) {
            *err = absent;
            return code;
        }
        table->version++;
    }
    TRY(base_is_there(table, &there, err));
    if (!there)
        return table_reload(table, err);
    bool look = table->changed_table;
    table->changed_table |= changed;
    return look ? table_check(table, err) : E_OK;
}

enum code delta_table_update(struct delta_table *table, struct error *err)
{
    return noted(table, read_on(table, err), err);
}

/* ---- a commit ---- */

static void json_quote(const char *text, struct text *out)
{
    json_t *string = json_string(text);
    char *quoted = string != NULL ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    text_add_string(out, quoted != NULL ? quoted : "\"\"");
    mem_free(quoted);
    json_decref(string);
}

/* What the table says after the commit: the first one brings it along. */
static bool in_commit_asked(const struct delta_table *table, const struct delta_commit *commit)
{
    const struct delta_metadata *metadata = &table->metadata;
    for (int32_t i = 0; i < commit->count; i++)
        if (commit->actions[i].kind == DELTA_METADATA)
            metadata = &commit->actions[i].metadata;
    return delta_flag(metadata, "delta.enableInCommitTimestamps");
}

/* The first line: its time, what the history shows, and the nonce. */
static void info_print(const struct delta_table *table, const struct delta_commit *commit, int64_t now_ms,
                       struct text *out)
{
    text_printf(out, "{\"commitInfo\":{\"timestamp\":%" PRId64, now_ms);
    if (table->put_in_commit_ms >= 0)
        text_printf(out, ",\"inCommitTimestamp\":%" PRId64, table->put_in_commit_ms);
    text_add_string(out, ",\"operation\":");
    json_quote(commit->operation, out);
    text_add_string(out, ",\"operationParameters\":{");
    for (int32_t i = 0; i < commit->parameters.count; i++) {
        text_add_string(out, i > 0 ? "," : "");
        json_quote(commit->parameters.items[i].name, out);
        text_add_char(out, ':');
        json_quote(commit->parameters.items[i].value, out);
    }
    text_add_char(out, '}');
    if (table->version >= 0) // the first commit has read none; delta-rs refuses a history with -1
        text_printf(out, ",\"readVersion\":%" PRId64, table->version);
    text_printf(out, ",\"isBlindAppend\":%s,\"engineInfo\":\"leat/" LEAT_VERSION "\"",
                commit->isolation == DELTA_APPEND ? "true" : "false");
    text_printf(out, ",\"txnId\":\"%s\"}}\n", table->nonce);
}

static void commit_print(struct delta_table *table, const struct delta_commit *commit, struct text *out)
{
    int64_t now_ms = os->clock_wall_us() / 1000;
    int64_t later_ms = now_ms > table->in_commit_ms ? now_ms : table->in_commit_ms + 1; // than all before
    table->put_in_commit_ms = in_commit_asked(table, commit) ? later_ms : -1;
    info_print(table, commit, now_ms, out);
    if (commit->app_version >= 0) {
        const struct delta_action action = {.kind = DELTA_TRANSACTION,
                                            .transaction = {table->app_id, commit->app_version, now_ms}};
        delta_action_print(&action, out);
        text_add_char(out, '\n');
    }
    for (int32_t i = 0; i < commit->count; i++) {
        delta_action_print(&commit->actions[i], out);
        text_add_char(out, '\n');
    }
}

static enum code lines_put(struct delta_table *table, struct bytes lines, struct error *err)
{
    char path[DELTA_NAME_SIZE];
    delta_commit_path(table->version + 1, path, sizeof path);
    FAULT_IO(delta_before, err);
    TRY(store_put_new(table->store, path, lines, err));
    FAULT_IO(delta_put, err); // a lost answer, too
    FAULT_LOST(delta_put, err);
    return E_OK;
}

static enum code put(struct delta_table *table, const struct delta_commit *commit, struct error *err)
{
    struct text lines = {0};
    commit_print(table, commit, &lines);
    enum code code = lines_put(table, text_view(&lines), err);
    text_free(&lines);
    return code;
}

/* What the others have done is forbidden to the isolation asked for. */
static enum code conflict_check(const struct delta_table *table, const struct delta_commit *commit, struct error *err)
{
    const char *what = NULL;
    if (table->changed_table)
        what = "protocol or metadata of the table changed";
    else if (commit->isolation == DELTA_REWRITE && table->lost_file)
        what = "a file that it moves was removed";
    else if (commit->isolation == DELTA_REPLACE && table->changed_rows)
        what = "rows of the table changed";
    return what == NULL ? E_OK : fail(err, E_EXISTS, "another commit came first: %s", what);
}

static enum code append_only_check(const struct delta_table *table, const struct delta_commit *commit,
                                   struct error *err)
{
    if (table->version < 0 || !delta_flag(&table->metadata, "delta.appendOnly"))
        return E_OK;
    for (int32_t i = 0; i < commit->count; i++)
        if (commit->actions[i].kind == DELTA_REMOVE && commit->actions[i].file.data_change)
            return fail(err, E_UNSUPPORTED, "rows may only be added to this table (delta.appendOnly)");
    return E_OK;
}

static bool is_done(const struct delta_table *table, const struct delta_commit *commit)
{
    return commit->app_version >= 0 && table->transaction >= commit->app_version;
}

/* Our own commit, as if it had been read. */
static enum code own_apply(struct delta_table *table, const struct delta_commit *commit, struct error *err)
{
    table->version++;
    for (int32_t i = 0; i < commit->count; i++)
        TRY(state_visit(table, table->version, &commit->actions[i], err));
    if (commit->app_version >= 0)
        table->transaction = commit->app_version;
    if (table->put_in_commit_ms >= 0)
        table->in_commit_ms = table->put_in_commit_ms;
    return E_OK;
}

/* One try. *again: the name was taken, by a commit that does not matter. */
static enum code attempt(struct delta_table *table, const struct delta_commit *commit, int64_t *version, bool *again,
                         struct error *err)
{
    int64_t before = table->version;
    struct error why = {0};
    *again = false;
    TRY(append_only_check(table, commit, err));
    enum code code = put(table, commit, &why);
    if (code == E_OK) {
        TRY(own_apply(table, commit, err));
        *version = table->version;
        return E_OK;
    }
    if (code != E_EXISTS && code != E_IO) {
        *err = why;
        return code;
    }
    TRY(read_on(table, err));
    if (table->won || is_done(table, commit)) {
        *version = table->won ? before + 1 : -1;
        return E_OK;
    }
    if (code == E_IO) { // not there: it was not done, or is still on its way
        *err = why;
        return code;
    }
    *again = true;
    log_debug("Delta table %s: version %" PRId64 " is another's", store_root(table->store), before + 1);
    return conflict_check(table, commit, err);
}

static enum code commit_try(struct delta_table *table, const struct delta_commit *commit, int64_t *version,
                            struct error *err)
{
    bool again = true;
    TRY(read_on(table, err));
    if (is_done(table, commit)) {
        *version = -1;
        return E_OK;
    }
    TRY(conflict_check(table, commit, err));
    for (int32_t i = 0; again && i < ATTEMPTS_MAX; i++)
        TRY(attempt(table, commit, version, &again, err));
    return again ? fail(err, E_IO, "others commit all the time: no place for version %" PRId64, table->version + 1)
                 : E_OK;
}

enum code delta_commit(struct delta_table *table, const struct delta_commit *commit, int64_t *version,
                       struct error *err)
{
    char nonce[37];
    int64_t at = -1;
    always(commit->app_version < 0 || table->app_id != NULL);
    delta_uuid(nonce);
    mem_free(table->nonce);
    table->nonce = mem_strdup(nonce);
    table->changed_table = table->changed_rows = table->lost_file = table->won = false;
    table->commit = commit;
    enum code code = commit_try(table, commit, &at, err);
    table->commit = NULL;
    if (code == E_OK)
        *version = at;
    return noted(table, code, err);
}

void delta_uuid(char *out)
{
    uint64_t high = os_random(), low = os_random();
    snprintf(out, 37, "%08x-%04x-4%03x-%04x-%012" PRIx64, (unsigned)(high >> 32), (unsigned)(high >> 16) & 0xffff,
             (unsigned)high & 0xfff, (unsigned)((low >> 48 & 0x3fff) | 0x8000), low & 0xffffffffffffu);
}
