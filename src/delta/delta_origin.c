/* delta_origin.c - which versions brought files into a table.
 *
 * Read     the newest checkpoint and the commits behind it, then the commits before it that are still there. Of what only a
 *          checkpoint names, no more is known than that it came with its version or before
 */
#include <stdlib.h>

#include "delta/delta_internal.h"

struct seeking {
    struct delta_origin *files; /* ascending by path */
    int32_t count;
    const char *root;
    int64_t checkpoint; /* being read: its version; -1: commits */
};

static int by_path(const void *path, const void *file)
{
    return strcmp(path, ((const struct delta_origin *)file)->path);
}

static enum code name_look(void *context, int64_t version, const struct delta_action *action, struct error *err)
{
    const struct seeking *self = context;
    char path[DELTA_PATH_SIZE];
    struct error outside = {0};
    (void)err;
    if ((action->kind != DELTA_ADD && action->kind != DELTA_REMOVE) ||
        delta_path(action->file.path, self->root, path, &outside) != E_OK)
        return E_OK;
    struct delta_origin *file = bsearch(path, self->files, (size_t)self->count, sizeof *self->files, by_path);
    if (file != NULL && (file->version < 0 || version <= file->version)) {
        file->version = version;
        file->exact = action->kind == DELTA_ADD && version != self->checkpoint;
    }
    return E_OK;
}

static enum code origins_seek(struct store *store, struct delta_listing *listing, struct seeking *seeking,
                              struct budget *budget, struct error *err)
{
    const struct delta_visitor visitor = {.visit = name_look, .context = seeking};
    int32_t parts;
    for (int32_t i = 0; i < seeking->count; i++)
        seeking->files[i].version = -1;
    const struct delta_checkpoint_name *checkpoint = delta_listing_checkpoint(listing, listing->newest, &parts);
    int64_t before = checkpoint != NULL ? checkpoint->version : -1;
    seeking->checkpoint = before;
    TRY(delta_replay(store, listing, listing->newest, budget, &visitor, err));
    seeking->checkpoint = -1;
    for (int32_t i = 0; i < listing->commit_count && listing->commits[i].version <= before; i++) {
        struct error gone = {0};
        enum code code = delta_replay_commit(store, listing->commits[i].version, &visitor, &gone);
        if (code != E_OK && code != E_ABSENT) { // absent: cleaned up meanwhile
            *err = gone;
            return code;
        }
    }
    return E_OK;
}

enum code delta_origins(struct store *store, struct delta_origin *files, int32_t count, struct budget *budget,
                        struct error *err)
{
    struct delta_listing listing;
    struct seeking seeking = {files, count, store_root(store), -1};
    enum code code;
    TRY(delta_listing_read(store, &listing, err));
    do
        code = origins_seek(store, &listing, &seeking, budget, err);
    while (delta_listing_retry(&listing, store, &code, err));
    delta_listing_free(&listing);
    return code;
}
