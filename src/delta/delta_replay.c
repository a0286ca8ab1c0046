/* delta_replay.c - the actions of a table's log, oldest first, up to a version.
 *
 * A checkpoint gives all that counts up to its version; then come the commits behind it, all of which must be there. In
 * a commit the order of its lines means nothing: an action that another one of the same commit cancels would be illegal.
 * A checkpoint of version 2 names sidecars, which hold its files.
 * A checkpoint that cannot be read is marked in the listing: an older one, or all commits, may do as well.
 * A listing may lack a commit and have a later one, when both were made while it was read: so only its reading tells
 * whether a commit is there.
 */
#include <inttypes.h>
#include <stdio.h>

#include "delta/delta_internal.h"

enum { CHECKPOINT_JSON_MAX = 512 << 20 }; /* bytes */

/* ---- lines ---- */

static bool is_blank(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    return true;
}

enum code delta_lines_visit(struct bytes text, int64_t version, const struct delta_visitor *visitor, struct error *err)
{
    struct arena arena = {0};
    enum code code = E_OK;
    int line = 1;
    for (size_t from = 0; code == E_OK && from < text.size; line++) {
        const char *start = (const char *)text.data + from, *stop = memchr(start, '\n', text.size - from);
        size_t size = stop != NULL ? (size_t)(stop - start) : text.size - from;
        struct delta_action action;
        from += size + 1;
        if (is_blank(start, size))
            continue;
        code = delta_action_parse(bytes_of(start, size), &arena, &action, err);
        if (code != E_OK)
            error_note(err, "version %" PRId64 ", line %d", version, line);
        else
            code = visitor->visit(visitor->context, version, &action, err);
        arena_reset(&arena);
    }
    arena_free(&arena);
    return code;
}

enum code delta_replay_commit(struct store *store, int64_t version, const struct delta_visitor *visitor,
                              struct error *err)
{
    char path[DELTA_NAME_SIZE];
    struct text text = {0};
    delta_commit_path(version, path, sizeof path);
    TRY(store_get(store, path, DELTA_COMMIT_MAX, &text, err));
    enum code code = delta_lines_visit(text_view(&text), version, visitor, err);
    text_free(&text);
    return code;
}

enum code delta_commit_read(struct store *store, int64_t version,
                            enum code (*each)(void *context, int64_t version, const struct delta_action *action,
                                              struct error *err),
                            void *context, struct error *err)
{
    const struct delta_visitor visitor = {.visit = each, .context = context, .whole_files = true};
    return delta_replay_commit(store, version, &visitor, err);
}

/* ---- checkpoints ---- */

struct sidecars {
    const struct delta_visitor *visitor;
    bool has_protocol, has_metadata;
    struct arena arena;
    struct delta_sidecar *items;
    int32_t count, capacity;
};

/* Sidecars are remembered, the rest is passed on. */
static enum code sidecar_look(void *context, int64_t version, const struct delta_action *action, struct error *err)
{
    struct sidecars *self = context;
    if (action->kind == DELTA_CHECKPOINT)
        return E_OK;
    self->has_protocol |= action->kind == DELTA_PROTOCOL;
    self->has_metadata |= action->kind == DELTA_METADATA;
    if (action->kind != DELTA_SIDECAR)
        return self->visitor->visit(self->visitor->context, version, action, err);
    mem_grow(self->items, self->capacity, self->count + 1);
    self->items[self->count++] =
        (struct delta_sidecar){arena_strdup(&self->arena, action->sidecar.path), action->sidecar.size_bytes};
    return E_OK;
}

static enum code sidecar_visit(struct store *store, const struct delta_sidecar *sidecar, int64_t version,
                               struct budget *budget, const struct delta_visitor *visitor, struct error *err)
{
    char path[DELTA_PATH_SIZE], in_log[DELTA_PATH_SIZE + 32];
    int64_t size_bytes;
    TRY(delta_path(sidecar->path, store_root(store), path, err));
    if (path[0] == '/')
        return fail(err, E_UNSUPPORTED, "a sidecar outside of the table: %s", path);
    snprintf(in_log, sizeof in_log, "%s%s", strchr(path, '/') == NULL ? DELTA_LOG "/_sidecars/" : "", path);
    enum code code = store_size(store, in_log, &size_bytes, err);
    if (code == E_ABSENT)
        return fail(err, E_LOST, "a sidecar of the checkpoint is missing: %s", in_log);
    TRY(code);
    return delta_rows_visit(store, in_log, size_bytes, version, budget, visitor, err);
}

static enum code file_visit(struct store *store, const struct delta_checkpoint_name *name, struct budget *budget,
                            const struct delta_visitor *visitor, struct error *err)
{
    struct text text = {0};
    if (name->kind != CHECKPOINT_JSON)
        return delta_rows_visit(store, name->path, name->size_bytes, name->version, budget, visitor, err);
    TRY(store_get(store, name->path, CHECKPOINT_JSON_MAX, &text, err));
    enum code code = delta_lines_visit(text_view(&text), name->version, visitor, err);
    text_free(&text);
    return code;
}

static enum code checkpoint_visit(struct store *store, const struct delta_checkpoint_name *names, int32_t count,
                                  struct budget *budget, const struct delta_visitor *visitor, struct error *err)
{
    struct sidecars sidecars = {.visitor = visitor};
    struct delta_visitor inner = *visitor;
    inner.visit = sidecar_look;
    inner.context = &sidecars;
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < count; i++)
        code = file_visit(store, &names[i], budget, &inner, err);
    if (code == E_OK && !(sidecars.has_protocol && sidecars.has_metadata))
        code = fail(err, E_CORRUPT, "it lacks protocol or metadata");
    for (int32_t i = 0; code == E_OK && !visitor->no_files && i < sidecars.count; i++)
        code = sidecar_visit(store, &sidecars.items[i], names->version, budget, visitor, err);
    mem_free(sidecars.items);
    arena_free(&sidecars.arena);
    return code == E_OK ? E_OK : error_note(err, "the checkpoint of version %" PRId64, names->version);
}

/* ---- all of it ---- */

static bool is_broken(enum code code)
{
    return code == E_CORRUPT || code == E_LOST || code == E_ABSENT || code == E_UNSUPPORTED;
}

enum code delta_replay(struct store *store, struct delta_listing *listing, int64_t version, struct budget *budget,
                       const struct delta_visitor *visitor, struct error *err)
{
    int32_t files;
    const struct delta_checkpoint_name *checkpoint = delta_listing_checkpoint(listing, version, &files);
    if (checkpoint != NULL) {
        enum code code = checkpoint_visit(store, checkpoint, files, budget, visitor, err);
        listing->broken = is_broken(code) ? checkpoint->version : -1;
        TRY(code);
    }
    for (int64_t v = checkpoint != NULL ? checkpoint->version + 1 : 0; v <= version; v++) {
        enum code code = delta_replay_commit(store, v, visitor, err);
        if (code == E_ABSENT)
            return fail(err, E_LOST, "version %" PRId64 " of the log is missing", v);
        TRY(code);
    }
    return E_OK;
}
