/* delta_sink.c - a table as a Delta table: a directory of Parquet files, and a log that says which of them count.
 *
 *   write, prepare, abort   the directory's (directory.c): files are staged, and named by the token
 *   commit                  the files get their final names, which nobody looks at yet; then one commit of the log adds
 *                           them, with txn{appId = Q/T, version = E}
 *
 *   crash here                       recovery does
 *   before the record                what a directory does: nothing is named by anybody
 *   after the record, before         commit(token): what is still staged is renamed, what is in place is checked, then
 *   the log's commit                 the log's commit
 *   after the log's commit           commit(token): the log has the txn: done. Files are not looked for, since others may
 *                                    have compacted and vacuumed them meanwhile
 *
 * Token    delta_publish.h. It holds all that the commit needs
 * Shape    columns that the table lacks are added; other types, names or partitions are refused at open, but for a table
 *          whose rows are all replaced: there they are replaced in the same commit
 * Nulls    of columns that are NOT NULL in the table are refused, row by row
 * Replace  a materialized view: one commit removes what there was and adds what there is
 * Tidy     checkpoints and the log's retention, in collect; a failure there is told and costs nothing
 * Spec     exactly-once.md, section 6
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <strings.h>

#include "base/log.h"
#include "sink/delta_merge.h"
#include "sink/delta_publish.h"
#include "sink/sinks.h"

enum { SUMMARY_COLUMNS = 32 }; /* that Delta keeps statistics of, unless told otherwise */

struct delta_sink {
    struct arena arena;
    struct {
        int64_t records_max, per_partition, target_bytes;
        bool compact;
    } settings;  /* the directory reads them again: here they are judged */
    void *files; /* of parquet_sink */
    struct store *store;
    struct delta_table *table;
    const char *app_id; /* Q/T */
    struct delta_wanted wanted;
    const struct type *schema;
    int32_t *required, required_count; /* columns that must not be NULL */
    struct budget *budget, none;
    struct delta_merge merge;
};

static const struct option delta_options[] = {
    {"leat.files.max_records", OPTION_INT, "0", NULL, 0, 0, "most rows of a file; 0 = no limit",
     offsetof(struct delta_sink, settings.records_max), false},
    {"leat.files.per_partition", OPTION_INT, "1", NULL, 1, SINK_LANES_MAX, "files an epoch writes into one folder",
     offsetof(struct delta_sink, settings.per_partition), false},
    {"leat.files.target_size", OPTION_BYTES, "256m", NULL, 64 * 1024, (int64_t)1 << 40,
     "a file is finished when it is so large; small ones are merged up to it",
     offsetof(struct delta_sink, settings.target_bytes), false},
    {"leat.compact", OPTION_BOOLEAN, "true", NULL, 0, 0, "merge small files into large ones while leat runs",
     offsetof(struct delta_sink, settings.compact), false},
    {0},
};

/* ---- what is wanted of the table ---- */

static struct delta_wanted wanted_of(const struct sink_spec *spec, struct arena *arena)
{
    struct text schema = {0};
    spark_schema_write(spec->schema, true, &schema);
    struct delta_wanted wanted = {.name = arena_strdup(arena, spec->name), .schema = arena_strdup(arena, schema.data)};
    text_free(&schema);
    wanted.partition_columns.items = arena_array(arena, const char *, (size_t)spec->partition_count);
    for (int32_t i = 0; i < spec->partition_count; i++) {
        int32_t at = type_field_index(spec->schema, spec->partition_columns[i], true);
        wanted.partition_columns.items[wanted.partition_columns.count++] =
            arena_strdup(arena, at >= 0 ? spec->schema->fields[at].name : spec->partition_columns[i]);
    }
    wanted.properties.items = arena_array(arena, struct delta_pair, (size_t)spec->option_count);
    for (int32_t i = 0; i < spec->option_count; i++)
        if (strncasecmp(spec->option_names[i], "delta.", 6) == 0)
            wanted.properties.items[wanted.properties.count++] = (struct delta_pair){
                arena_strdup(arena, spec->option_names[i]), arena_strdup(arena, spec->option_values[i])};
    return wanted;
}

static enum code delta_validate(const struct sink_spec *spec, struct error *err)
{
    struct arena arena = {0};
    const struct delta_wanted wanted = wanted_of(spec, &arena);
    enum code code = delta_wanted_check(&wanted, err);
    arena_free(&arena);
    return code;
}

static enum code required_find(struct delta_sink *self, const struct delta_metadata *shape, struct error *err)
{
    struct delta_schema schema;
    TRY(delta_schema_parse(shape, &self->arena, &schema, err));
    self->required = arena_array(&self->arena, int32_t, (size_t)self->schema->field_count);
    for (int32_t i = 0; i < self->schema->field_count; i++) {
        const struct delta_column *column = delta_schema_find(&schema, self->schema->fields[i].name);
        if (column != NULL && !column->nullable)
            self->required[self->required_count++] = i;
    }
    return E_OK;
}

/* What the table will be with the next commit. */
static enum code shape_find(struct delta_sink *self, bool replaced, struct delta_metadata *out, struct error *err)
{
    const struct delta_protocol *protocol = delta_table_protocol(self->table);
    const struct delta_metadata *have = delta_table_metadata(self->table);
    struct delta_reshaped shape;
    bool changed;
    if (!replaced)
        return delta_widen(protocol, have, &self->wanted, &self->arena, out, &changed, err);
    TRY(delta_reshape(protocol, have, &self->wanted, &self->arena, &shape, err));
    *out = shape.metadata;
    return E_OK;
}

/* What is there must fit, now and not with the first epoch. */
static enum code table_check(struct delta_sink *self, bool replaced, struct error *err)
{
    struct delta_metadata shape;
    if (delta_table_version(self->table) < 0)
        return delta_wanted_check(&self->wanted, err);
    const struct delta_metadata *have = delta_table_metadata(self->table);
    TRY(shape_find(self, replaced, &shape, err));
    TRY(required_find(self, &shape, err));
    const char *forget = delta_map_get(&have->configuration, "delta.setTransactionRetentionDuration");
    if (forget != NULL)
        log_warn(
            "table %s forgets transactions after %s (delta.setTransactionRetentionDuration): a leat that was down for longer "
            "could not tell whether its last epoch is in the table",
            store_root(self->store), forget);
    return E_OK;
}

/* ---- opening ---- */

static void delta_close(void *instance)
{
    struct delta_sink *self = instance;
    if (self->files != NULL)
        parquet_sink.close(self->files);
    mem_free(self->files);
    delta_merge_close(&self->merge);
    delta_table_free(self->table);
    store_close(self->store);
    arena_free(&self->arena);
    *self = (struct delta_sink){0};
}

static enum code files_open(struct delta_sink *self, const struct sink_spec *spec, struct error *err)
{
    struct sink_spec files = *spec;
    files.zone = zone_utc();
    files.summary_columns = SUMMARY_COLUMNS;
    void *instance = mem_zero(parquet_sink.size);
    enum code code = parquet_sink.open(instance, &files, err);
    if (code == E_OK)
        self->files = instance;
    else
        mem_free(instance);
    return code;
}

static enum code open_all(struct delta_sink *self, const struct sink_spec *spec, struct error *err)
{
    TRY(sink_options(spec, delta_options, "leat.files.", self, &self->arena, err));
    TRY(files_open(self, spec, err));
    TRY(store_look(spec->path, &self->store, err));
    self->app_id = arena_printf(&self->arena, "%s/%s", spec->query_id, spec->task != NULL ? spec->task : "0");
    self->wanted = wanted_of(spec, &self->arena);
    self->schema = type_copy(&self->arena, spec->schema);
    TRY(delta_table_open(self->store, self->app_id, &self->table, err));
    self->merge = (struct delta_merge){.store = self->store, .table = self->table, .budget = self->budget};
    snprintf(self->merge.query8, sizeof self->merge.query8, "%s", spec->query_id);
    const struct merge_table merge = delta_merge_table(&self->merge);
    directory_merge_by(self->files, &merge);
    return table_check(self, spec->replaced, err);
}

static enum code delta_open(void *instance, const struct sink_spec *spec, struct error *err)
{
    struct delta_sink *self = instance;
    *self = (struct delta_sink){0};
    self->budget = spec->budget != NULL ? spec->budget : &self->none;
    enum code code = open_all(self, spec, err);
    if (code != E_OK)
        delta_close(self);
    return code;
}

/* ---- one epoch ---- */

static enum code delta_write(void *instance, int32_t lane, int64_t epoch, const struct batch *batch, struct error *err)
{
    struct delta_sink *self = instance;
    return parquet_sink.write(self->files, lane, epoch, batch, err);
}

static void delta_replace(void *instance, int64_t epoch)
{
    struct delta_sink *self = instance;
    parquet_sink.replace(self->files, epoch);
}

static enum code delta_prepare(void *instance, int64_t epoch, struct text *token, struct sink_totals *totals,
                               struct error *err)
{
    struct delta_sink *self = instance;
    struct text files = {0};
    enum code code = parquet_sink.prepare(self->files, epoch, &files, totals, err);
    if (code == E_OK)
        code = delta_token_print(text_view(&files), self->app_id, &self->wanted, token, err);
    text_free(&files);
    return code;
}

/* The directory gives them their names, and removes nothing: what goes, goes by the log. */
static enum code files_commit(struct delta_sink *self, int64_t epoch, const struct parts *parts, struct error *err)
{
    struct text plain = {0};
    struct parts added = *parts;
    added.replace = false;
    enum code code = token_print(&added, &plain, err);
    if (code == E_OK)
        code = parquet_sink.commit(self->files, epoch, text_view(&plain), err);
    text_free(&plain);
    return code;
}

static enum code epoch_commit(struct delta_sink *self, int64_t epoch, const struct delta_token *token,
                              struct error *err)
{
    static const struct parts none = {0};
    if (delta_table_transaction(self->table) >= epoch) // done before: its files are the table's, wherever they are now
        return files_commit(self, epoch, &none, err);
    TRY(files_commit(self, epoch, &token->parts, err));
    return delta_epoch_commit(self->table, self->store, token, epoch, self->budget, err);
}

static enum code delta_commit_epoch(void *instance, int64_t epoch, struct bytes token, struct error *err)
{
    struct delta_sink *self = instance;
    struct delta_token parsed;
    TRY(delta_token_parse(token, &parsed, err));
    enum code code = epoch_commit(self, epoch, &parsed, err);
    delta_token_free(&parsed);
    return code;
}

static void delta_abort(void *instance, int64_t epoch)
{
    struct delta_sink *self = instance;
    parquet_sink.abort(self->files, epoch);
}

static enum code delta_collect(void *instance, struct error *err)
{
    struct delta_sink *self = instance;
    struct error why = {0};
    TRY(parquet_sink.collect(self->files, err));
    if (delta_table_tidy(self->table, self->budget, &why) != E_OK)
        log_warn("%s; the table is right without", why.text);
    return E_OK;
}

/* ---- merging ---- */

static enum code delta_merge_work(void *instance, const struct sink_merge *request, bool *more, struct error *err)
{
    struct delta_sink *self = instance;
    *more = false;
    return self->settings.compact || request->all ? parquet_sink.merge_work(self->files, request, more, err) : E_OK;
}

static enum code delta_merge_commit(void *instance, struct sink_merged *out, struct error *err)
{
    struct delta_sink *self = instance;
    return parquet_sink.merge_commit(self->files, out, err);
}

/* ---- rows that cannot be written ---- */

/* The required column that is NULL in the row; -1: none. */
static int32_t missing_column(const struct delta_sink *self, const struct batch *batch, int64_t row)
{
    for (int32_t i = 0; i < self->required_count; i++)
        if (!column_valid_at(&batch->columns[self->required[i]], row))
            return self->required[i];
    return -1;
}

static bool may_miss(const struct delta_sink *self, const struct batch *batch)
{
    for (int32_t i = 0; i < self->required_count; i++)
        if (batch->columns[self->required[i]].valid != NULL)
            return true;
    return false;
}

/* Once a row, in order: those that the directory refused, and those with a NULL. */
static void missing_refuse(const struct delta_sink *self, const struct batch *batch, int32_t first,
                           struct rejects *rejects)
{
    struct rejects both = {0};
    int32_t next = first;
    for (int64_t row = 0; row < batch->rows; row++) {
        bool refused = next < rejects->count && rejects->items[next].row == row;
        if (refused)
            rejects_add(&both, row, rejects->items[next].step, rejects->items[next].code);
        else if (missing_column(self, batch, row) >= 0)
            rejects_add(&both, row, -1, REJECT_NOT_NULL);
        next += refused;
    }
    rejects->count = first;
    for (int32_t i = 0; i < both.count; i++)
        rejects_add(rejects, both.items[i].row, both.items[i].step, both.items[i].code);
    rejects_free(&both);
}

static enum code delta_check(void *instance, int32_t lane, const struct batch *batch, struct rejects *rejects,
                             struct error *err)
{
    struct delta_sink *self = instance;
    int32_t first = rejects->count;
    TRY(parquet_sink.check(self->files, lane, batch, rejects, err));
    if (may_miss(self, batch))
        missing_refuse(self, batch, first, rejects);
    return E_OK;
}

static void delta_check_detail(const void *instance, const struct batch *batch, const struct reject *reject,
                               struct text *out)
{
    const struct delta_sink *self = instance;
    int32_t column = reject->code == REJECT_NOT_NULL ? missing_column(self, batch, reject->row) : -1;
    if (column >= 0)
        text_printf(out, "column %s is NULL, and NOT NULL in the table", self->schema->fields[column].name);
    else
        parquet_sink.check_detail(self->files, batch, reject, out);
}

const struct sink_type delta_sink = {
    .name = "delta",
    .help = "a Delta table: Parquet files, with the options of that format, and a transaction log; exactly once",
    .options = delta_options,
    .size = sizeof(struct delta_sink),
    .validate = delta_validate,
    .open = delta_open,
    .check = delta_check,
    .check_detail = delta_check_detail,
    .write = delta_write,
    .replace = delta_replace,
    .prepare = delta_prepare,
    .commit = delta_commit_epoch,
    .abort = delta_abort,
    .collect = delta_collect,
    .merge_work = delta_merge_work,
    .merge_commit = delta_merge_commit,
    .close = delta_close,
};
