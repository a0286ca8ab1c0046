/* vacuum.c - files of a Delta table that no version within reach needs go, but for those of an epoch that is on its way.
 *
 * Order   the folder is listed, then the chain is read, then the log (delta_vacuum). So a data file of this project's that was
 *         listed is named by the head of the chain, or by the log, or by nobody: how old it is does not matter, and no lock is
 *         needed beside a leat at work. A leat that was killed before the log's commit finds its files again
 * Others  have no chain here: what they have written and not yet committed stays because it is young
 */
#include "base/error.h"
#include "delta/delta.h"
#include "runtime/chain.h"
#include "runtime/runtime.h"
#include "sink/sink.h"
#include "store/store.h"

struct vacuum {
    struct arena *arena;
    struct run_settings settings;
    const struct vacuum_request *request;
    const char **paths; /* in use by the epoch that was committed last */
    int32_t count, capacity;
};

static enum code token_keep(struct vacuum *self, const char *token, struct error *err)
{
    struct sink_files files;
    TRY(sink_token_files(bytes_of_string(token), self->arena, &files, err));
    for (int32_t i = 0; i < files.count; i++) {
        mem_grow(self->paths, self->capacity, self->count + 1);
        self->paths[self->count++] = files.items[i].final;
    }
    return E_OK;
}

/* Of every table: one may have had another name or folder when the epoch was recorded. */
static enum code head_keep(struct vacuum *self, struct store *store, struct error *err)
{
    struct chain *chain = NULL;
    struct chain_record head;
    TRY(chain_look(store, "0", &chain, err));
    enum code code = E_OK;
    if (chain_head(chain) >= 0) {
        code = chain_read(chain, chain_head(chain), self->arena, &head, err);
        for (int32_t i = 0; code == E_OK && i < head.sink_count; i++)
            code = token_keep(self, head.sinks[i].token, err);
    }
    chain_close(chain);
    return code;
}

static enum code pending_find(void *context, const char *const **paths, int32_t *count, struct error *err)
{
    struct vacuum *self = context;
    struct store *store = NULL;
    self->count = 0;
    enum code code = store_look(self->settings.checkpoint, &store, err);
    if (code == E_OK)
        code = head_keep(self, store, err);
    store_close(store);
    if (code == E_ABSENT) { // nothing was ever committed
        error_clear(err);
        code = E_OK;
    }
    *paths = self->paths;
    *count = self->count;
    return code == E_OK ? E_OK : error_note(err, "which files are in use");
}

static void file_tell(void *context, const char *path, int64_t size_bytes)
{
    const struct vacuum *self = context;
    if (self->request->each != NULL)
        self->request->each(path, size_bytes);
}

enum code pipeline_vacuum(const struct pipeline *pipeline, const struct pipeline_table *table,
                          const struct vacuum_request *request, struct vacuum_report *out, struct error *err)
{
    struct arena arena = {0};
    struct store *store = NULL;
    struct vacuum self = {.arena = &arena, .request = request};
    struct delta_vacuum vacuum = {.dry_run = request->dry_run,
                                  .keep_us = request->keep_us,
                                  .each = file_tell,
                                  .pending = pending_find,
                                  .context = &self};
    enum code code = settings_read(&arena, pipeline, &self.settings, err);
    struct budget budget = {.limit_bytes = (size_t)self.settings.memory_bytes};
    if (code == E_OK)
        code = store_look(table->path != NULL ? table->path
                                              : arena_printf(&arena, "%s/%s", self.settings.tables_path, table->name),
                          &store, err);
    if (code == E_OK)
        code = delta_vacuum(store, &vacuum, &budget, err);
    store_close(store);
    mem_free(self.paths);
    arena_free(&arena);
    if (code == E_OK)
        *out = (struct vacuum_report){vacuum.files, vacuum.bytes};
    return code;
}
