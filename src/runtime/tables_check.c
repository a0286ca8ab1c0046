#include "runtime/tables_check.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "delta/delta.h"
#include "sink/sink.h"

static const char TASK[] = "0";

/* What the chain says of the table in its folder. */
struct past {
    bool at_head;        /* the head's record has it */
    const char *format;  /* of the newest epoch that wrote files there; NULL: none is remembered */
    const char *columns; /* that its folders name, as sink_part_columns */
    int64_t epoch;       /* that one */
    bool replaced;       /* it was a materialized view's: its files took the place of all before */
    int64_t logged;      /* newest epoch before the head with files of a Delta table; -1: none */
};
struct table_check {
    const char *name, *path, *format;
    const char *columns;   /* PARTITIONED BY, as sink_part_columns; "": none */
    bool keeps_partitions; /* files of another PARTITIONED BY must not lie beside its own */
    bool materialized;
    struct past past;
};
struct tables_check {
    const struct chain *chain; /* may be empty */
    const char *checkpoint;    /* for messages */
    struct arena arena;
    struct table_check *tables;
    int32_t count;
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

static bool same_table(const struct table_check *table, const struct chain_sink *sink)
{
    return sink->path != NULL ? strcmp(sink->path, table->path) == 0 : strcmp(sink->name, table->name) == 0;
}

static const char *columns_of(struct arena *arena, const char *path)
{
    struct text columns = {0};
    sink_part_columns(path, &columns);
    const char *kept = arena_strdup(arena, columns.size > 0 ? columns.data : "");
    text_free(&columns);
    return kept;
}

static void files_look(struct tables_check *self, struct table_check *table, int64_t epoch,
                       const struct sink_files *files)
{
    struct past *past = &table->past;
    const char *format = files_format(files);
    if (past->format == NULL && format != NULL) {
        past->format = format;
        past->columns = columns_of(&self->arena, files->items[0].final);
        past->epoch = epoch;
        past->replaced = files->replace;
    }
    if (epoch != chain_head(self->chain) && files->delta && past->logged < 0)
        past->logged = epoch;
}

static bool is_settled(const struct past *past)
{
    return past->format != NULL && (past->logged >= 0 || strcmp(past->format, "delta") != 0);
}

static enum code sink_look(struct tables_check *self, const struct chain_record *record, const struct chain_sink *sink,
                           struct arena *arena, struct error *err)
{
    struct sink_files files = {0};
    bool read = false;
    for (int32_t i = 0; i < self->count; i++) {
        struct table_check *table = &self->tables[i];
        table->past.at_head |= record->epoch == chain_head(self->chain) && strcmp(sink->name, table->name) == 0;
        if (is_settled(&table->past) || !same_table(table, sink))
            continue;
        if (!read)
            TRY(sink_token_files(bytes_of_string(sink->token), arena, &files, err));
        read = true;
        if (files.count > 0)
            files_look(self, table, record->epoch, &files);
    }
    return E_OK;
}

static bool all_settled(const struct tables_check *self)
{
    for (int32_t i = 0; i < self->count; i++)
        if (!is_settled(&self->tables[i].past))
            return false;
    return true;
}

/* Backwards. Recovery needs no record before the head: one that cannot be read says nothing here. */
static void pasts_find(struct tables_check *self)
{
    for (int64_t epoch = chain_head(self->chain); epoch >= 0 && epoch >= chain_oldest(self->chain); epoch--) {
        struct arena arena = {0};
        struct chain_record record = {0};
        struct error ignored = {0};
        if (chain_read(self->chain, epoch, &arena, &record, &ignored) != E_OK)
            log_debug("%s", ignored.text);
        for (int32_t i = 0; i < record.sink_count; i++)
            if (sink_look(self, &record, &record.sinks[i], &arena, &ignored) != E_OK)
                log_debug("%s", ignored.text);
        arena_free(&arena);
        if (all_settled(self))
            break;
    }
}

static bool is_delta(const char *format) { return strcmp(format, "delta") == 0; }

/* A view's rows are replaced, a streaming table's stay: neither may become the other with the rows that are there. */
static enum code kind_check(const struct table_check *table, struct error *err)
{
    static const char *const kinds[] = {"a streaming table", "a materialized view"};
    if (table->past.format == NULL || table->past.replaced == table->materialized)
        return E_OK;
    return fail(err, E_SPEC,
                "table %s was %s (epoch %" PRId64 "), and is now %s: %s. Give it another name, or a new folder "
                "('leat.path' in its TBLPROPERTIES); or start over with leat.checkpoint and leat.tables.path both set "
                "to new folders",
                table->name, kinds[table->past.replaced], table->past.epoch, kinds[table->materialized],
                table->materialized ? "what it has, which nobody can compute again, would be removed"
                                    : "the view's rows would count as its own for ever");
}

static enum code format_check(const struct table_check *table, struct error *err)
{
    if (table->past.format == NULL || strcmp(table->past.format, table->format) == 0 ||
        sink_encoder(table->format) == NULL)
        return E_OK;
    return fail(
        err, E_SPEC,
        "table %s was written as %s (epoch %" PRId64 "), and is now %s: in %s rows of both would be hidden or "
        "double. Leave its format as it was; or give the table a new folder ('leat.path' in its TBLPROPERTIES); or start "
        "over with leat.checkpoint and leat.tables.path both set to new folders",
        table->name, table->past.format, table->past.epoch, table->format, table->path);
}

/* A file of ours that an epoch before the head has left; the head's may be there before the log is. */
static const char *older_file(const struct tables_check *self, const struct store_list *list)
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
static enum code new_check(const struct tables_check *self, const struct table_check *table, struct store *store,
                           struct error *err)
{
    struct store_list list = {0};
    if (table->past.logged >= 0 && table->past.at_head)
        return fail(
            err, E_LOST,
            "table %s is a Delta table that has rows of epoch %" PRId64 ", and %s/_delta_log is not there: what "
            "was written would be lost silently. Restore it; or start over with leat.checkpoint and leat.tables.path both "
            "set to new folders",
            table->name, table->past.logged, table->path);
    enum code code = store != NULL ? store_list(store, "", true, &list, err) : E_OK;
    const char *file = code == E_OK ? older_file(self, &list) : NULL;
    if (file != NULL)
        code = fail(
            err, E_SPEC,
            "table %s is now delta, and %s has files that were written as they are (%s), and no _delta_log: they "
            "would be hidden, and removed by `leat vacuum`. Leave its format as it was, or restore _delta_log; or give the "
            "table a new folder ('leat.path' in its TBLPROPERTIES); or take a new checkpoint and a new leat.tables.path",
            table->name, table->path, file);
    store_list_free(&list);
    return code;
}

static enum code log_check(const struct tables_check *self, const struct table_check *table,
                           const struct delta_table *log, struct error *err)
{
    int64_t head = chain_head(self->chain), logged = delta_table_transaction(log);
    const char *forgets =
        delta_map_get(&delta_table_metadata(log)->configuration, "delta.setTransactionRetentionDuration");
    if (logged > head)
        return fail(
            err, E_LOST,
            "the checkpoint %s is older than its tables (restored from a backup?): it ends with epoch %" PRId64
            ", and the Delta log of table %s has epoch %" PRId64
            " (%s/_delta_log). What was read for the epochs between would "
            "be read again, and lost or double in the table. Restore the newer checkpoint; or start over with leat.checkpoint "
            "and leat.tables.path both set to new folders",
            self->checkpoint, head, table->name, logged, table->path);
    if (logged < table->past.logged && !(logged < 0 && forgets != NULL))
        return fail(
            err, E_LOST,
            "the Delta log of table %s is older than the checkpoint %s (restored from a backup, or its last "
            "commits are gone?): it has this query's epochs up to %" PRId64 ", and epoch %" PRId64
            " wrote rows (%s/_delta_log). "
            "They would be lost silently. Restore the newer table; or a checkpoint as old as the table; or start over with "
            "leat.checkpoint and leat.tables.path both set to new folders",
            table->name, self->checkpoint, logged, table->past.logged, table->path);
    return E_OK;
}

static enum code delta_check(const struct tables_check *self, const struct table_check *table, struct store *store,
                             struct error *err)
{
    struct arena arena = {0};
    struct delta_table *log = NULL;
    if (store == NULL)
        return new_check(self, table, store, err);
    enum code code =
        delta_table_open(store, arena_printf(&arena, "%s/%s", chain_query_id(self->chain), TASK), &log, err);
    if (code == E_OK)
        code = delta_table_version(log) < 0 ? new_check(self, table, store, err) : log_check(self, table, log, err);
    delta_table_free(log);
    arena_free(&arena);
    return code;
}

static const char *by_columns(struct arena *arena, const char *columns)
{
    return columns[0] != '\0' ? arena_printf(arena, "PARTITIONED BY (%s)", columns) : "without PARTITIONED BY";
}

/* `file`: one that lies there. */
static enum code partitions_differ(struct tables_check *self, const struct table_check *table, const char *columns,
                                   const char *file, struct error *err)
{
    return fail(
        err, E_SPEC,
        "table %s was written %s (%s), and is now %s: a reader of %s would find folders of both, and fail, or take "
        "rows for other ones. Leave its PARTITIONED BY as it was; or give the table a new folder ('leat.path' in "
        "its TBLPROPERTIES); or start over with leat.checkpoint and leat.tables.path both set to new folders",
        table->name, by_columns(&self->arena, columns), file, by_columns(&self->arena, table->columns), table->path);
}

/* Files that the records name, or have forgotten. */
static enum code partitions_check(struct tables_check *self, const struct table_check *table, struct store *store,
                                  struct error *err)
{
    const struct past *past = &table->past;
    struct store_list list = {0};
    if (!table->keeps_partitions || chain_head(self->chain) < 0)
        return E_OK;
    if (past->format != NULL)
        return strcmp(past->columns, table->columns) == 0
                   ? E_OK
                   : partitions_differ(self, table, past->columns,
                                       arena_printf(&self->arena, "epoch %" PRId64, past->epoch), err);
    enum code code = store != NULL ? store_list(store, "", true, &list, err) : E_OK;
    const char *file = code == E_OK ? older_file(self, &list) : NULL;
    const char *columns = file != NULL ? columns_of(&self->arena, file) : table->columns;
    if (strcmp(columns, table->columns) != 0)
        code = partitions_differ(self, table, columns, file, err);
    store_list_free(&list);
    return code;
}

static enum code plain_check(struct tables_check *self, const struct table_check *table, struct store *store,
                             struct error *err)
{
    int64_t version;
    uint64_t stamp;
    struct error ignored = {0};
    if (store == NULL || delta_version_newest(store, &version, &stamp, &ignored) != E_OK)
        return partitions_check(self, table, store, err);
    return fail(err, E_SPEC,
                "table %s is %s, and %s is a Delta table (version %" PRId64
                " in _delta_log): its readers would not see the "
                "rows. Let the table be USING delta; or give it a new folder ('leat.path' in its TBLPROPERTIES)",
                table->name, table->format, table->path, version);
}

/* A folder that cannot be looked at is for the sink to complain of. */
static enum code folder_check(struct tables_check *self, const struct table_check *table, struct error *err)
{
    struct store *store = NULL;
    struct error ignored = {0};
    enum code code = store_look(table->path, &store, &ignored);
    if (code == E_OK || code == E_ABSENT)
        code = is_delta(table->format) ? delta_check(self, table, store, err) : plain_check(self, table, store, err);
    else
        code = E_OK;
    store_close(store);
    return code;
}

/* Whoever has gone on with the chain meanwhile may have brought about what looks wrong. */
static enum code table_check(struct tables_check *self, const struct table_check *table, struct error *err)
{
    struct error overtaken = {0};
    enum code code = kind_check(table, err);
    if (code == E_OK)
        code = format_check(table, err);
    if (code == E_OK)
        code = folder_check(self, table, err);
    if (code != E_OK && chain_overtaken(self->chain, &overtaken) == E_FENCED)
        *err = overtaken;
    return code == E_OK ? E_OK : err->code;
}

/* Named as the folders are: as the column is spelled in the table. */
static const char *partition_columns(struct arena *arena, const struct pipeline_table *table)
{
    const char *columns = "";
    for (int32_t i = 0; i < table->partition_count; i++) {
        int32_t column = type_field_index(table->schema, table->partition_columns[i], true);
        columns = arena_printf(arena, "%s%s%s", columns, i > 0 ? ", " : "",
                               column >= 0 ? table->schema->fields[column].name : table->partition_columns[i]);
    }
    return columns;
}

static void tables_find(struct tables_check *self, const struct pipeline *pipeline, const char *tables_path)
{
    struct arena *arena = &self->arena;
    self->tables = arena_array(arena, struct table_check, (size_t)pipeline->table_count);
    for (int32_t i = 0; i < pipeline->table_count; i++) {
        const struct pipeline_table *table = pipeline->tables[i];
        const struct sink_type *type = sink_find(table->format);
        if (type == NULL || type->folderless)
            continue;
        self->tables[self->count++] = (struct table_check){
            .name = table->name,
            .path = table->path != NULL ? table->path : arena_printf(arena, "%s/%s", tables_path, table->name),
            .format = type->name,
            .columns = partition_columns(arena, table),
            .keeps_partitions = sink_encoder(type->name) != NULL && !is_delta(type->name) && !table->materialized,
            .materialized = table->materialized,
            .past = {.epoch = -1, .logged = -1},
        };
    }
}

enum code tables_check(const struct pipeline *pipeline, const struct chain *chain, const char *checkpoint,
                       const char *tables_path, struct error *err)
{
    struct tables_check self = {.chain = chain, .checkpoint = checkpoint};
    enum code code = E_OK;
    tables_find(&self, pipeline, tables_path);
    pasts_find(&self);
    for (int32_t i = 0; code == E_OK && i < self.count; i++)
        code = table_check(&self, &self.tables[i], err);
    arena_free(&self.arena);
    return code;
}
