#include "runtime/tables_check.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "delta/delta.h"
#include "sink/sink.h"

static const char TASK[] = "0";

/* What the chain says of the table in its folder. */
struct past {
    bool at_head;       /* the head's record has it */
    const char *format; /* of the newest epoch that wrote files there; NULL: none is remembered */
    int64_t epoch;      /* that one */
    int64_t logged;     /* newest epoch before the head with files of a Delta table; -1: none */
};

static const char *files_format(const struct sink_files *files)
{
    static const char *const formats[] = {"parquet", "csv", "json"};
    if (files->delta)
        return "delta";
    const char *slash = strrchr(files->items[0].final, '/'), *name = slash != NULL ? slash + 1 : files->items[0].final;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const char *dot = strstr(name, formats[i]);
        if (dot != NULL && dot > name && dot[-1] == '.')
            return formats[i];
    }
    return NULL;
}

static bool same_table(const struct table_check *self, const struct chain_sink *sink)
{
    return sink->path != NULL ? strcmp(sink->path, self->path) == 0 : strcmp(sink->name, self->name) == 0;
}

static enum code record_look(const struct table_check *self, const struct chain_record *record, struct arena *arena,
                             struct past *past, struct error *err)
{
    bool head = record->epoch == chain_head(self->chain);
    for (int32_t i = 0; i < record->sink_count; i++) {
        struct sink_files files;
        past->at_head |= head && strcmp(record->sinks[i].name, self->name) == 0;
        if (!same_table(self, &record->sinks[i]))
            continue;
        TRY(sink_token_files(bytes_of_string(record->sinks[i].token), arena, &files, err));
        if (files.count == 0)
            continue;
        const char *format = files_format(&files);
        if (past->format == NULL && format != NULL) {
            past->format = format;
            past->epoch = record->epoch;
        }
        if (!head && files.delta && past->logged < 0)
            past->logged = record->epoch;
    }
    return E_OK;
}

/* Backwards. Recovery needs no record before the head: one that cannot be read says nothing here. */
static void past_find(const struct table_check *self, struct past *past)
{
    *past = (struct past){.epoch = -1, .logged = -1};
    for (int64_t epoch = chain_head(self->chain); epoch >= 0 && epoch >= chain_oldest(self->chain); epoch--) {
        struct arena arena = {0};
        struct chain_record record = {0};
        struct error ignored = {0};
        if (chain_read(self->chain, epoch, &arena, &record, &ignored) != E_OK ||
            record_look(self, &record, &arena, past, &ignored) != E_OK)
            log_debug("%s", ignored.text);
        arena_free(&arena);
        if (past->format != NULL && (past->logged >= 0 || strcmp(past->format, "delta") != 0))
            break;
    }
}

static bool is_delta(const char *format) { return strcmp(format, "delta") == 0; }

static enum code format_check(const struct table_check *self, const struct past *past, struct error *err)
{
    if (past->format == NULL || strcmp(past->format, self->format) == 0 || sink_encoder(self->format) == NULL)
        return E_OK;
    return fail(
        err, E_SPEC,
        "table %s was written as %s (epoch %" PRId64 "), and is now %s: in %s rows of both would be hidden or "
        "double. Leave its format as it was; or give the table a new folder ('leat.path' in its TBLPROPERTIES); or start "
        "over with leat.checkpoint and leat.tables.path both set to new folders",
        self->name, past->format, past->epoch, self->format, self->path);
}

/* A file of ours that an epoch before the head has left; the head's may be there before the log is. */
static const char *older_file(const struct table_check *self, const struct store_list *list)
{
    for (int32_t i = 0; i < list->count; i++) {
        struct sink_part_name name;
        if (sink_part_parse(list->entries[i].path, &name) && !name.staged &&
            strncmp(name.query8, chain_query_id(self->chain), 8) == 0 && name.first_epoch < chain_head(self->chain))
            return list->entries[i].path;
    }
    return NULL;
}

/* A Delta table without a log. */
static enum code new_check(const struct table_check *self, const struct past *past, struct store *store,
                           struct error *err)
{
    struct store_list list = {0};
    if (past->logged >= 0 && past->at_head)
        return fail(
            err, E_LOST,
            "table %s is a Delta table that has rows of epoch %" PRId64 ", and %s/_delta_log is not there: what "
            "was written would be lost silently. Restore it; or start over with leat.checkpoint and leat.tables.path both "
            "set to new folders",
            self->name, past->logged, self->path);
    enum code code = store != NULL ? store_list(store, "", true, &list, err) : E_OK;
    const char *file = code == E_OK ? older_file(self, &list) : NULL;
    if (file != NULL)
        code = fail(
            err, E_SPEC,
            "table %s is now delta, and %s has files that were written as they are (%s), and no _delta_log: they "
            "would be hidden, and removed by `leat vacuum`. Leave its format as it was, or restore _delta_log; or give the "
            "table a new folder ('leat.path' in its TBLPROPERTIES); or take a new checkpoint and a new leat.tables.path",
            self->name, self->path, file);
    store_list_free(&list);
    return code;
}

static enum code log_check(const struct table_check *self, const struct past *past, const struct delta_table *table,
                           struct error *err)
{
    int64_t head = chain_head(self->chain), logged = delta_table_transaction(table);
    const char *forgets =
        delta_map_get(&delta_table_metadata(table)->configuration, "delta.setTransactionRetentionDuration");
    if (logged > head)
        return fail(
            err, E_LOST,
            "the checkpoint %s is older than its tables (restored from a backup?): it ends with epoch %" PRId64
            ", and the Delta log of table %s has epoch %" PRId64
            " (%s/_delta_log). What was read for the epochs between would "
            "be read again, and lost or double in the table. Restore the newer checkpoint; or start over with leat.checkpoint "
            "and leat.tables.path both set to new folders",
            self->checkpoint, head, self->name, logged, self->path);
    if (logged < past->logged && !(logged < 0 && forgets != NULL))
        return fail(
            err, E_LOST,
            "the Delta log of table %s is older than the checkpoint %s (restored from a backup, or its last "
            "commits are gone?): it has this query's epochs up to %" PRId64 ", and epoch %" PRId64
            " wrote rows (%s/_delta_log). "
            "They would be lost silently. Restore the newer table; or a checkpoint as old as the table; or start over with "
            "leat.checkpoint and leat.tables.path both set to new folders",
            self->name, self->checkpoint, logged, past->logged, self->path);
    return E_OK;
}

static enum code delta_check(const struct table_check *self, const struct past *past, struct store *store,
                             struct error *err)
{
    struct arena arena = {0};
    struct delta_table *table = NULL;
    if (store == NULL)
        return new_check(self, past, store, err);
    enum code code =
        delta_table_open(store, arena_printf(&arena, "%s/%s", chain_query_id(self->chain), TASK), &table, err);
    if (code == E_OK)
        code = delta_table_version(table) < 0 ? new_check(self, past, store, err) : log_check(self, past, table, err);
    delta_table_free(table);
    arena_free(&arena);
    return code;
}

static enum code plain_check(const struct table_check *self, struct store *store, struct error *err)
{
    int64_t version;
    uint64_t stamp;
    struct error ignored = {0};
    if (store == NULL || delta_version_newest(store, &version, &stamp, &ignored) != E_OK)
        return E_OK;
    return fail(err, E_SPEC,
                "table %s is %s, and %s is a Delta table (version %" PRId64
                " in _delta_log): its readers would not see the "
                "rows. Let the table be USING delta; or give it a new folder ('leat.path' in its TBLPROPERTIES)",
                self->name, self->format, self->path, version);
}

/* A folder that cannot be looked at is for the sink to complain of. */
static enum code folder_check(const struct table_check *self, const struct past *past, struct error *err)
{
    struct store *store = NULL;
    struct error ignored = {0};
    enum code code = store_look(self->path, &store, &ignored);
    if (code == E_OK || code == E_ABSENT)
        code = is_delta(self->format) ? delta_check(self, past, store, err) : plain_check(self, store, err);
    else
        code = E_OK;
    store_close(store);
    return code;
}

/* Whoever has gone on with the chain meanwhile may have brought about what looks wrong. */
enum code table_check(const struct table_check *self, struct error *err)
{
    struct past past;
    struct error overtaken = {0};
    past_find(self, &past);
    enum code code = format_check(self, &past, err);
    if (code == E_OK)
        code = folder_check(self, &past, err);
    if (code != E_OK && chain_overtaken(self->chain, &overtaken) == E_FENCED)
        *err = overtaken;
    return code == E_OK ? E_OK : err->code;
}

enum code tables_check(const struct pipeline *pipeline, const struct chain *chain, const char *checkpoint,
                       const char *tables_path, struct error *err)
{
    struct arena arena = {0};
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < pipeline->table_count; i++) {
        const struct pipeline_table *table = pipeline->tables[i];
        const struct sink_type *type = sink_find(table->format);
        if (type == NULL || type->folderless)
            continue;
        const struct table_check check = {
            .chain = chain,
            .checkpoint = checkpoint,
            .name = table->name,
            .path = table->path != NULL ? table->path : arena_printf(&arena, "%s/%s", tables_path, table->name),
            .format = type->name,
        };
        code = table_check(&check, err);
    }
    arena_free(&arena);
    return code;
}
