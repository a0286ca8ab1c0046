#include "sink/delta_merge.h"

#include <string.h>

#include "base/fault.h"
#include "base/os.h"

/* ---- which files ---- */

static bool takes_part(const struct delta_merge *self, const struct delta_file *file, char *path,
                       struct sink_part_name *name)
{
    struct error ignored = {0};
    return delta_path(file->path, store_root(self->store), path, &ignored) == E_OK && path[0] != '/' &&
           sink_part_parse(path, name) && !name->staged && strcmp(name->query8, self->query8) == 0 &&
           file->vector.storage == '\0' && file->base_row_id < 0 && file->clustering == NULL && file->size_bytes > 0;
}

static enum code files_find(void *context, struct merge_file **out, int32_t *count, struct error *err)
{
    struct delta_merge *self = context;
    struct delta_snapshot *snapshot = NULL;
    const struct delta_at newest = {.version = -1};
    *count = self->count = 0;
    arena_reset(&self->arena);
    enum code code = delta_snapshot_open(self->store, &newest, self->budget, &snapshot, err);
    if (code == E_ABSENT) {
        error_clear(err);
        return E_OK;
    }
    TRY(code);
    size_t most = (size_t)snapshot->file_count;
    struct merge_file *files = *out = arena_array(&self->arena, struct merge_file, most);
    self->files = arena_array(&self->arena, struct delta_action, most);
    for (int32_t i = 0; i < snapshot->file_count; i++) {
        const struct delta_action add = {.kind = DELTA_ADD, .file = snapshot->files[i]};
        char path[DELTA_PATH_SIZE];
        struct sink_part_name name;
        if (!takes_part(self, &snapshot->files[i], path, &name))
            continue;
        self->files[self->count++] = delta_action_copy(&add, &self->arena);
        files[(*count)++] = (struct merge_file){
            .path = arena_strdup(&self->arena, path),
            .size_bytes = add.file.size_bytes,
            .modified_us = add.file.time_ms * 1000,
            .first_epoch = name.first_epoch,
            .epoch = name.epoch,
            .number = name.number,
        };
    }
    delta_snapshot_free(snapshot);
    return E_OK;
}

/* ---- the commit ---- */

static const struct delta_file *file_find(const struct delta_merge *self, const char *path)
{
    struct error ignored = {0};
    char here[DELTA_PATH_SIZE];
    for (int32_t i = 0; i < self->count; i++)
        if (delta_path(self->files[i].file.path, store_root(self->store), here, &ignored) == E_OK &&
            strcmp(here, path) == 0)
            return &self->files[i].file;
    return NULL;
}

static bool has_file(const struct delta_snapshot *snapshot, const char *path)
{
    for (int32_t i = 0; i < snapshot->file_count; i++)
        if (strcmp(snapshot->files[i].path, path) == 0 && snapshot->files[i].vector.storage == '\0')
            return true;
    return false;
}

/* The commit looks at what comes after the version it is based on; up to there we do. */
static enum code still_there(struct delta_merge *self, const struct delta_action *removes, int32_t count,
                             struct error *err)
{
    struct delta_snapshot *snapshot = NULL;
    TRY(delta_table_update(self->table, err));
    const struct delta_at at = {.version = delta_table_version(self->table)};
    TRY(delta_snapshot_open(self->store, &at, self->budget, &snapshot, err));
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < count; i++)
        if (!has_file(snapshot, removes[i].file.path))
            code = fail(err, E_EXISTS, "%s is not in the table any more: somebody else has merged or removed it",
                        removes[i].file.path);
    delta_snapshot_free(snapshot);
    return code;
}

static enum code log_change(struct delta_merge *self, struct arena *arena, const struct part *part,
                            const struct merge_file *inputs, int32_t count, struct error *err)
{
    struct delta_action *actions = arena_array(arena, struct delta_action, (size_t)count + 1);
    int64_t now_ms = os->clock_wall_us() / 1000, version;
    struct text uri = {0};
    for (int32_t i = 0; i < count; i++) {
        const struct delta_file *file = file_find(self, inputs[i].path);
        always(file != NULL);
        actions[i] = (struct delta_action){.kind = DELTA_REMOVE, .file = *file};
        actions[i].file.time_ms = now_ms;
        actions[i].file.data_change = false;
    }
    TRY(still_there(self, actions, count, err));
    delta_uri(part->final, &uri);
    actions[count] = (struct delta_action){
        .kind = DELTA_ADD,
        .file = {.path = arena_strdup(arena, uri.data),
                 .partitions = actions[0].file.partitions,
                 .size_bytes = part->size_bytes,
                 .time_ms = now_ms,
                 .stats = part->summary,
                 .base_row_id = -1,
                 .row_commit_version = -1},
    };
    text_free(&uri);
    const struct delta_commit commit = {
        .operation = "OPTIMIZE",
        .isolation = DELTA_REWRITE,
        .actions = actions,
        .count = count + 1,
        .app_version = -1,
    };
    return delta_commit(self->table, &commit, &version, err);
}

static enum code change(void *context, const struct part *part, const struct merge_file *inputs, int32_t count,
                        struct error *err)
{
    struct delta_merge *self = context;
    struct arena arena = {0};
    const struct staged staged = part_staged(part);
    enum code code = store_publish(self->store, &staged, err);
    if (code == E_OK)
        code = store_publish_sync(self->store, err);
    FAULT(swap_linked);
    if (code == E_OK)
        code = log_change(self, &arena, part, inputs, count, err);
    FAULT(swap_done);
    arena_free(&arena);
    return code;
}

struct merge_table delta_merge_table(struct delta_merge *self)
{
    return (struct merge_table){self, files_find, change};
}

void delta_merge_close(struct delta_merge *self)
{
    arena_free(&self->arena);
    *self = (struct delta_merge){0};
}
