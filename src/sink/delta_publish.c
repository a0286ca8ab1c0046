/* delta_publish.c - a token's files as add actions, and the commit.
 *
 * Values   of partition columns come from the names of folders, which the directory wrote with times in UTC; in the log
 *          times have the ISO form
 * Replace  the files that the table has go in the same commit; when rows were changed meanwhile, all is done again
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/os.h"
#include "sink/delta_publish.h"

enum { TRIES_MAX = 100 };
static const char HIVE_NULL[] = "__HIVE_DEFAULT_PARTITION__";

struct making {
    struct arena arena;
    const struct delta_token *token;
    struct delta_schema schema; /* of the token */
    struct delta_action *actions;
    int32_t count, capacity;
    int64_t now_ms;
};

static struct delta_action *action_new(struct making *self, enum delta_kind kind)
{
    mem_grow(self->actions, self->capacity, self->count + 1);
    struct delta_action *action = &self->actions[self->count++];
    *action = (struct delta_action){.kind = kind};
    return action;
}

/* ---- partition values ---- */

/* 2026-01-02 03:04:05.678 -> 2026-01-02T03:04:05.678000Z */
static const char *instant_iso(struct arena *arena, const char *text)
{
    int64_t us;
    char seconds[TIMESTAMP_TEXT_MAX];
    if (!timestamp_parse(bytes_of_string(text), zone_utc(), &us))
        return text;
    int64_t fraction = ((us % 1000000) + 1000000) % 1000000;
    size_t size = timestamp_print(us - fraction, zone_utc(), seconds);
    char *iso = arena_printf(arena, "%.*s.%06" PRId64 "Z", (int)size, seconds, fraction);
    char *blank = strchr(iso, ' ');
    if (blank != NULL)
        *blank = 'T';
    return iso;
}

static const char *value_of(struct making *self, const char *column, const char *text)
{
    const struct delta_column *found = delta_schema_find(&self->schema, column);
    if (strcmp(text, HIVE_NULL) == 0 || text[0] == '\0')
        return NULL;
    bool instant = found != NULL && found->type != NULL && found->type->id == TYPE_TIMESTAMP;
    return instant ? instant_iso(&self->arena, text) : text;
}

static enum code values_of(struct making *self, const char *path, struct delta_map *out, struct error *err)
{
    const struct delta_names *columns = &self->token->wanted.partition_columns;
    out->items = arena_array(&self->arena, struct delta_pair, (size_t)columns->count);
    for (const char *at = path, *end; out->count < columns->count; at = end + 1) {
        end = strchr(at, '/');
        const char *sign = end != NULL ? memchr(at, '=', (size_t)(end - at)) : NULL;
        if (sign == NULL)
            return fail(err, E_CORRUPT, "%s: the name lacks the values of partition columns", path);
        const char *name = columns->items[out->count];
        const char *text = store_name_decode(&self->arena, sign + 1, (size_t)(end - sign - 1));
        out->items[out->count++] = (struct delta_pair){name, value_of(self, name, text)};
    }
    return E_OK;
}

/* ---- actions ---- */

static enum code add_make(struct making *self, const struct part *part, struct error *err)
{
    struct delta_action *action = action_new(self, DELTA_ADD);
    struct text uri = {0};
    delta_uri(part->final, &uri);
    action->file = (struct delta_file){
        .path = arena_strdup(&self->arena, uri.data),
        .size_bytes = part->size_bytes,
        .time_ms = self->now_ms,
        .data_change = true,
        .stats = part->summary,
        .base_row_id = -1,
        .row_commit_version = -1,
    };
    text_free(&uri);
    return values_of(self, part->final, &action->file.partitions, err);
}

static void shape_tell(const struct delta_table *table, struct store *store, const char *what)
{
    log_info("table %s gets %s, with version %" PRId64, store_root(store), what, delta_table_version(table) + 1);
}

/* Of a commit they must not be the table's own, which change with it. */
static void action_add(struct making *self, const struct delta_action *action)
{
    const struct delta_action copy = delta_action_copy(action, &self->arena);
    *action_new(self, action->kind) = copy;
}

static enum code reshape_make(struct making *self, const struct delta_table *table, struct store *store,
                              struct error *err)
{
    struct delta_reshaped shape;
    TRY(delta_reshape(delta_table_protocol(table), delta_table_metadata(table), &self->token->wanted, &self->arena,
                      &shape, err));
    if (shape.raised)
        action_add(self, &(struct delta_action){.kind = DELTA_PROTOCOL, .protocol = shape.protocol});
    if (shape.changed) {
        action_add(self, &(struct delta_action){.kind = DELTA_METADATA, .metadata = shape.metadata});
        shape_tell(table, store, "the columns and partitions that its query has now");
    }
    return E_OK;
}

static enum code shape_make(struct making *self, const struct delta_table *table, struct store *store,
                            struct error *err)
{
    const struct delta_wanted *wanted = &self->token->wanted;
    struct delta_protocol protocol;
    struct delta_metadata metadata;
    bool changed = true;
    if (delta_table_version(table) < 0) {
        TRY(delta_create(wanted, &self->arena, &protocol, &metadata, err));
        action_new(self, DELTA_PROTOCOL)->protocol = protocol;
        action_new(self, DELTA_METADATA)->metadata = metadata;
        return E_OK;
    }
    if (self->token->parts.replace)
        return reshape_make(self, table, store, err);
    TRY(delta_widen(delta_table_protocol(table), delta_table_metadata(table), wanted, &self->arena, &metadata, &changed,
                    err));
    if (changed) {
        action_add(self, &(struct delta_action){.kind = DELTA_METADATA, .metadata = metadata});
        shape_tell(table, store, "columns that its query has and it lacked");
    }
    return E_OK;
}

/* All files that the table has at the version the commit is based on. */
static enum code removes_make(struct making *self, const struct delta_table *table, struct store *store,
                              struct budget *budget, struct error *err)
{
    const struct delta_at at = {.version = delta_table_version(table)};
    struct delta_snapshot *snapshot = NULL;
    if (at.version < 0)
        return E_OK;
    TRY(delta_snapshot_open(store, &at, budget, &snapshot, err));
    for (int32_t i = 0; i < snapshot->file_count; i++) {
        const struct delta_action file = {.kind = DELTA_REMOVE, .file = snapshot->files[i]};
        struct delta_action *action = action_new(self, DELTA_REMOVE);
        *action = delta_action_copy(&file, &self->arena);
        action->file.time_ms = self->now_ms;
        action->file.data_change = true;
    }
    delta_snapshot_free(snapshot);
    return E_OK;
}

static enum code actions_make(struct making *self, const struct delta_table *table, struct store *store,
                              struct budget *budget, struct error *err)
{
    self->count = 0;
    self->now_ms = os->clock_wall_us() / 1000;
    TRY(shape_make(self, table, store, err));
    if (self->token->parts.replace)
        TRY(removes_make(self, table, store, budget, err));
    for (int32_t i = 0; i < self->token->parts.count; i++)
        TRY(add_make(self, &self->token->parts.items[i], err));
    return E_OK;
}

/* ---- the commit ---- */

static enum code commit_once(struct making *self, struct delta_table *table, struct store *store, int64_t epoch,
                             struct budget *budget, struct error *err)
{
    char epoch_text[32];
    int64_t version;
    bool replace = self->token->parts.replace;
    snprintf(epoch_text, sizeof epoch_text, "%" PRId64, epoch);
    struct delta_pair parameters[] = {
        {"outputMode", replace ? "Complete" : "Append"}, {"queryId", self->token->app_id}, {"epochId", epoch_text}};
    TRY(actions_make(self, table, store, budget, err));
    const struct delta_commit commit = {
        .operation = "STREAMING UPDATE",
        .parameters = {parameters, sizeof parameters / sizeof *parameters},
        .isolation = replace ? DELTA_REPLACE : DELTA_APPEND,
        .actions = self->actions,
        .count = self->count,
        .app_version = epoch,
    };
    return delta_commit(table, &commit, &version, err);
}

enum code delta_epoch_commit(struct delta_table *table, struct store *store, const struct delta_token *token,
                             int64_t epoch, struct budget *budget, struct error *err)
{
    struct making making = {.token = token};
    const struct delta_metadata shape = {.id = "", .schema = token->wanted.schema};
    if (token->parts.count == 0 && !(token->parts.replace && delta_table_version(table) >= 0))
        return E_OK;
    enum code code = delta_schema_parse(&shape, &making.arena, &making.schema, err);
    for (int i = 0; code == E_OK && i < TRIES_MAX; i++) {
        code = commit_once(&making, table, store, epoch, budget, err);
        if (code != E_EXISTS)
            break;
        log_debug("%s", err->text);
        if (i + 1 < TRIES_MAX) {
            error_clear(err);
            code = E_OK;
        }
    }
    mem_free(making.actions);
    arena_free(&making.arena);
    return code;
}
