/* delta_checkpoint.c - all actions that count up to a version, in one Parquet file.
 *
 * How      the newest checkpoint is read row by row and copied, less what the commits behind it have overtaken; then come
 *          those commits' own actions. In memory: what has changed since the last checkpoint, and the new file's bytes
 * Name     <version>.checkpoint.parquet, or of version 2 where delta.checkpointPolicy = v2 (its files stand in it, without
 *          sidecars). Two writers of one checkpoint write the same: who comes second leaves it
 * Not      for tables with delta.checkpoint.writeStatsAsStruct: they want their statistics as columns too
 * When     delta.checkpointInterval commits, 10 when the table does not say; then also the more the longer it gets, so
 *          that a commit's share of it stays the same
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/log.h"
#include "base/os.h"
#include "base/text_number.h"
#include "delta/delta_internal.h"
#include "format/format.h"

enum {
    INTERVAL = 10,
    INTERVAL_MAX = 100,       /* commits */
    ACTIONS_PER_COMMIT = 100, /* of a checkpoint, that a commit may cost */
    PIECE_BYTES = 4 << 20,
};
static const int64_t DAY_US = (int64_t)24 * 3600 * 1000000;

/* ---- the file ---- */

struct writing {
    struct arena arena;
    const struct type *schema;
    const struct encoder_type *encoder;
    void *lane, *file;
    struct encoder_spec spec;
    struct builder *builders;
    int64_t rows; /* in the builders */
    int64_t version, actions, adds;
    struct text bytes;
};

static enum code writing_open(struct writing *self, struct error *err)
{
    self->schema = delta_rows_schema(&self->arena, false, true);
    self->encoder = encoder_find("parquet");
    always(self->encoder != NULL);
    self->spec =
        (struct encoder_spec){.schema = self->schema, .zone = zone_utc(), .created_by = "leat version " LEAT_VERSION};
    self->lane = mem_zero(self->encoder->lane_size);
    self->file = mem_zero(self->encoder->file_size);
    self->builders = arena_array(&self->arena, struct builder, (size_t)self->schema->field_count);
    for (int32_t i = 0; i < self->schema->field_count; i++)
        builder_init(&self->builders[i], self->schema->fields[i].type);
    TRY(self->encoder->lane_open(self->lane, &self->spec, err));
    enum code code = self->encoder->file_open(self->file, &self->spec, &self->bytes, err);
    if (code != E_OK)
        self->encoder->lane_close(self->lane);
    return code;
}

static void writing_close(struct writing *self)
{
    for (int32_t i = 0; self->builders != NULL && i < self->schema->field_count; i++)
        builder_release(&self->builders[i]);
    self->encoder->lane_close(self->lane);
    self->encoder->file_close(self->file);
    mem_free(self->lane);
    mem_free(self->file);
    text_free(&self->bytes);
    arena_free(&self->arena);
}

static enum code piece_take(struct writing *self, struct error *err)
{
    struct piece piece = {0};
    TRY(self->encoder->lane_take(self->lane, &piece, err));
    enum code code = self->encoder->file_add(self->file, &piece, (int64_t)self->bytes.size, err);
    if (code == E_OK)
        text_add(&self->bytes, piece.bytes.data, piece.bytes.size);
    self->encoder->piece_close(&piece);
    return code;
}

static enum code rows_flush(struct writing *self, struct error *err)
{
    struct batch batch;
    if (self->rows == 0)
        return E_OK;
    batch_init(&batch, self->schema, self->rows);
    for (int32_t i = 0; i < self->schema->field_count; i++)
        builder_finish(&self->builders[i], &batch.columns[i]);
    enum code code = self->encoder->lane_add(self->lane, &batch, 0, batch.rows, err);
    batch_release(&batch);
    self->rows = 0;
    if (code == E_OK && self->encoder->lane_bytes(self->lane) >= PIECE_BYTES)
        code = piece_take(self, err);
    return code;
}

static enum code action_add(struct writing *self, const struct delta_action *action, struct error *err)
{
    delta_row_append(self->builders, self->schema, self->version, action);
    self->actions++;
    self->adds += action->kind == DELTA_ADD;
    return ++self->rows == BATCH_ROWS_MAX ? rows_flush(self, err) : E_OK;
}

static enum code writing_finish(struct writing *self, struct error *err)
{
    TRY(rows_flush(self, err));
    if (self->encoder->lane_rows(self->lane) > 0)
        TRY(piece_take(self, err));
    return self->encoder->file_finish(self->file, &self->bytes, err);
}

/* ---- what goes in ---- */

/* The last one of a name counts: of a transaction's app id, of a domain. */
struct named {
    struct delta_action action;
    int32_t order;
};
struct merging {
    struct arena arena;
    struct delta_set tail; /* files that commits behind the last checkpoint name */
    struct named *named;
    int32_t named_count, named_capacity;
    struct delta_action protocol, metadata;
    int64_t base;       /* version of the last checkpoint; -1 */
    int64_t expired_ms; /* tombstones up to then are not needed */
    struct writing *writing;
};

static bool is_expired(const struct merging *self, const struct delta_file *file)
{
    return file->time_ms <= self->expired_ms;
}

/* First the tail is gathered; of the checkpoint all but its files. */
static enum code tail_visit(void *context, int64_t version, const struct delta_action *action, struct error *err)
{
    struct merging *self = context;
    switch (action->kind) {
    case DELTA_ADD:
    case DELTA_REMOVE:
        return version == self->base ? E_OK : delta_set_put(&self->tail, &action->file, action->kind == DELTA_ADD, err);
    case DELTA_PROTOCOL: self->protocol = delta_action_copy(action, &self->arena); return E_OK;
    case DELTA_METADATA: self->metadata = delta_action_copy(action, &self->arena); return E_OK;
    case DELTA_TRANSACTION:
    case DELTA_DOMAIN:
        mem_grow(self->named, self->named_capacity, self->named_count + 1);
        self->named[self->named_count] = (struct named){delta_action_copy(action, &self->arena), self->named_count};
        self->named_count++;
        return E_OK;
    default: return E_OK;
    }
}

/* Then its files are copied. */
static enum code base_visit(void *context, int64_t version, const struct delta_action *action, struct error *err)
{
    struct merging *self = context;
    (void)version;
    bool file = action->kind == DELTA_ADD || action->kind == DELTA_REMOVE;
    if (!file || delta_set_find(&self->tail, &action->file) != NULL ||
        (action->kind == DELTA_REMOVE && is_expired(self, &action->file)))
        return E_OK;
    return action_add(self->writing, action, err);
}

static const char *named_name(const struct named *named)
{
    return named->action.kind == DELTA_DOMAIN ? named->action.domain.domain : named->action.transaction.app_id;
}

static int by_name(const void *a, const void *b)
{
    const struct named *left = a, *right = b;
    if (left->action.kind != right->action.kind)
        return left->action.kind < right->action.kind ? -1 : 1;
    int order = strcmp(named_name(left), named_name(right));
    return order != 0 ? order : left->order < right->order ? -1 : 1;
}

static bool is_overtaken(const struct merging *self, int32_t i)
{
    const struct named *next = i + 1 < self->named_count ? &self->named[i + 1] : NULL;
    return next != NULL && next->action.kind == self->named[i].action.kind &&
           strcmp(named_name(next), named_name(&self->named[i])) == 0;
}

static enum code few_write(struct merging *self, bool v2, struct error *err)
{
    if (v2)
        TRY(action_add(self->writing, &(struct delta_action){.kind = DELTA_CHECKPOINT}, err));
    TRY(action_add(self->writing, &self->protocol, err));
    TRY(action_add(self->writing, &self->metadata, err));
    if (self->named_count > 1)
        qsort(self->named, (size_t)self->named_count, sizeof *self->named, by_name);
    for (int32_t i = 0; i < self->named_count; i++) {
        const struct delta_action *action = &self->named[i].action;
        if (!is_overtaken(self, i) && !(action->kind == DELTA_DOMAIN && action->domain.removed))
            TRY(action_add(self->writing, action, err));
    }
    return E_OK;
}

static enum code tail_write(struct merging *self, struct error *err)
{
    for (int32_t i = 0; i < self->tail.count; i++) {
        const struct delta_entry *entry = &self->tail.entries[i];
        if (!entry->active && is_expired(self, &entry->file))
            continue;
        const struct delta_action action = {.kind = entry->active ? DELTA_ADD : DELTA_REMOVE, .file = entry->file};
        TRY(action_add(self->writing, &action, err));
    }
    return E_OK;
}

static enum code merge(struct delta_table *table, struct delta_listing *listing, struct merging *self,
                       struct budget *budget, bool v2, struct error *err)
{
    const struct delta_visitor few = {.visit = tail_visit, .context = self, .no_files = true, .whole_files = true};
    const struct delta_visitor files = {.visit = base_visit, .context = self, .whole_files = true};
    int32_t count;
    const struct delta_checkpoint_name *base = delta_listing_checkpoint(listing, table->version, &count);
    self->base = base != NULL ? base->version : -1;
    TRY(delta_replay(table->store, listing, table->version, budget, &few, err));
    if (self->protocol.kind != DELTA_PROTOCOL || self->metadata.kind != DELTA_METADATA)
        return fail(err, E_CORRUPT, "the log has no protocol, or no metadata");
    TRY(few_write(self, v2, err));
    if (base != NULL)
        TRY(delta_replay(table->store, listing, base->version, budget, &files, err));
    TRY(tail_write(self, err));
    return writing_finish(self->writing, err);
}

/* ---- its name ---- */

static enum code checkpoint_put(struct delta_table *table, const struct writing *writing, bool v2, struct error *err)
{
    char path[DELTA_NAME_SIZE], uuid[37], hint[256];
    delta_uuid(uuid);
    if (v2)
        snprintf(path, sizeof path, DELTA_LOG "/%020" PRId64 ".checkpoint.%s.parquet", table->version, uuid);
    else
        snprintf(path, sizeof path, DELTA_LOG "/%020" PRId64 ".checkpoint.parquet", table->version);
    enum code code = store_put_new(table->store, path, text_view(&writing->bytes), err);
    if (code != E_OK && code != E_EXISTS)
        return code;
    table->checkpoint = table->version;
    table->checkpoint_actions = writing->actions;
    snprintf(hint, sizeof hint,
             "{\"version\":%" PRId64 ",\"size\":%" PRId64 ",\"sizeInBytes\":%zu,\"numOfAddFiles\":%" PRId64 "}",
             table->version, writing->actions, writing->bytes.size, writing->adds);
    return store_put_over(table->store, DELTA_LOG "/_last_checkpoint", bytes_of_string(hint), err);
}

static bool wants_v2(const struct delta_table *table)
{
    const char *policy = delta_map_get(&table->metadata.configuration, "delta.checkpointPolicy");
    return policy != NULL && strcasecmp(policy, "v2") == 0 &&
           delta_names_have(&table->protocol.writer_features, "v2Checkpoint");
}

static enum code checkpoint_write(struct delta_table *table, struct delta_listing *listing, struct budget *budget,
                                  struct error *err)
{
    struct writing writing = {.version = table->version};
    int64_t keep_us = delta_duration(&table->metadata, "delta.deletedFileRetentionDuration", 7 * DAY_US);
    struct merging merging = {.writing = &writing, .expired_ms = (os->clock_wall_us() - keep_us) / 1000};
    merging.tail = (struct delta_set){.arena = &merging.arena, .budget = budget};
    bool v2 = wants_v2(table);
    TRY(writing_open(&writing, err));
    enum code code = merge(table, listing, &merging, budget, v2, err);
    if (code == E_OK)
        code = checkpoint_put(table, &writing, v2, err);
    delta_set_free(&merging.tail);
    mem_free(merging.named);
    arena_free(&merging.arena);
    writing_close(&writing);
    return code;
}

enum code delta_checkpoint_write(struct delta_table *table, struct budget *budget, struct error *err)
{
    struct delta_listing listing;
    if (table->version < 0 || delta_flag(&table->metadata, "delta.checkpoint.writeStatsAsStruct"))
        return E_OK;
    TRY(delta_listing_read(table->store, &listing, err));
    enum code code;
    do
        code = checkpoint_write(table, &listing, budget, err);
    while (delta_listing_retry(&listing, table->store, &code, err));
    delta_listing_free(&listing);
    return code == E_OK ? E_OK : error_note(err, "Delta table %s: its checkpoint", store_root(table->store));
}

/* ---- when ---- */

static int64_t interval_of(const struct delta_table *table)
{
    const char *given = delta_map_get(&table->metadata.configuration, "delta.checkpointInterval");
    int64_t interval = 0;
    bool overflow = false;
    if (given != NULL && parse_int64(given, given + strlen(given), &interval, &overflow) != NULL && interval > 0)
        return interval;
    interval = table->checkpoint_actions / ACTIONS_PER_COMMIT;
    return interval < INTERVAL ? INTERVAL : interval > INTERVAL_MAX ? INTERVAL_MAX : interval;
}

/* The version that _last_checkpoint names: another writer's, perhaps. */
static int64_t hint_version(struct delta_table *table)
{
    enum { HINT_MAX = 1 << 20 };
    struct text text = {0};
    struct error ignored = {0};
    json_t *json = NULL;
    if (store_get(table->store, DELTA_LOG "/_last_checkpoint", HINT_MAX, &text, &ignored) == E_OK)
        json = json_loadb(text.data, text.size, 0, NULL);
    json_t *version = json_object_get(json, "version");
    int64_t out = json_is_integer(version) ? json_integer_value(version) : -1;
    json_decref(json);
    text_free(&text);
    return out;
}

enum code delta_table_tidy(struct delta_table *table, struct budget *budget, struct error *err)
{
    if (table->version - table->checkpoint < interval_of(table))
        return E_OK;
    int64_t others = hint_version(table);
    table->checkpoint = others > table->checkpoint && others <= table->version ? others : table->checkpoint;
    if (table->version - table->checkpoint < interval_of(table))
        return E_OK;
    TRY(delta_checkpoint_write(table, budget, err));
    return delta_log_clean(table, err);
}
