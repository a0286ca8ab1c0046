/* store.c - which type of store a URL means, and the way to its callbacks. */
#include <stdio.h>

#include "store/store_type.h"

enum { TOGETHER_MAX = 256 }; // requests whose answers are kept at once

static const struct store_type *const store_types[] = {&s3_store, &local_store, NULL};

static enum code type_of(const char *url, const struct store_type **out, struct error *err)
{
    for (const struct store_type *const *type = store_types; *type != NULL; type++)
        if ((*type)->takes(url)) {
            *out = *type;
            return E_OK;
        }
    const char *scheme = strstr(url, "://");
    int size = scheme == NULL ? 0 : (int)(scheme - url);
    return fail(err, E_SPEC, "%s: the scheme %.*s is not known; use a path, file:///path or s3://bucket/prefix", url,
                size, url);
}

enum code store_check(const char *url, struct error *err)
{
    const struct store_type *type;
    TRY(type_of(url, &type, err));
    return type->check(url, err);
}

enum code store_open(const char *url, struct store **out, struct error *err)
{
    const struct store_type *type;
    TRY(type_of(url, &type, err));
    return type->open(url, out, err);
}

enum code store_look(const char *url, struct store **out, struct error *err)
{
    const struct store_type *type;
    TRY(type_of(url, &type, err));
    return type->look(url, out, err);
}

void store_close(struct store *store)
{
    if (store != NULL)
        store->type->close(store);
}

const char *store_root(const struct store *store) { return store->root; }

bool store_is_local(const struct store *store) { return store->type == &local_store; }

enum code store_put_new(struct store *store, const char *path, struct bytes content, struct error *err)
{
    return store->type->put(store, path, content, false, err);
}

enum code store_put_over(struct store *store, const char *path, struct bytes content, struct error *err)
{
    return store->type->put(store, path, content, true, err);
}

enum code store_claim(struct store *store, const char *from, const char *to, struct error *err)
{
    return store->type->claim(store, from, to, err);
}

enum code store_get(struct store *store, const char *path, size_t limit_bytes, struct text *out, struct error *err)
{
    return store->type->get(store, path, limit_bytes, out, err);
}

enum code store_read(struct store *store, const char *path, int64_t offset, size_t size, struct text *out,
                     struct error *err)
{
    return store->type->read(store, path, offset, size, out, err);
}

enum code store_file_read(void *context, int64_t offset, void *out, size_t size, struct error *err)
{
    const struct store_file *file = context;
    struct text bytes = {0};
    enum code code = store_read(file->store, file->path, offset, size, &bytes, err);
    if (code == E_OK)
        memcpy(out, bytes.data, size);
    text_free(&bytes);
    return code;
}

enum code store_checksum(struct store *store, const char *path, uint64_t *out, struct error *err)
{
    return store->type->checksum(store, path, out, err);
}

enum code store_size(struct store *store, const char *path, int64_t *out, struct error *err)
{
    return store->type->size(store, path, out, err);
}

enum code store_list(struct store *store, const char *prefix, bool recursive, struct store_list *out, struct error *err)
{
    return store->type->list(store, prefix, recursive, out, err);
}

enum code store_remove(struct store *store, const char *path, struct error *err)
{
    return store->type->remove(store, path, err);
}

static int32_t together(int32_t left) { return left < TOGETHER_MAX ? left : TOGETHER_MAX; }

enum code store_remove_all(struct store *store, const char *const *paths, int32_t count, struct error *err)
{
    for (int32_t i = 0; store->type->remove_all != NULL && i < count; i += TOGETHER_MAX)
        TRY(store->type->remove_all(store, paths + i, together(count - i), err));
    for (int32_t i = 0; store->type->remove_all == NULL && i < count; i++)
        TRY(store_remove(store, paths[i], err));
    return E_OK;
}

enum code store_sync(struct store *store, const char *folder, struct error *err)
{
    return store->type->sync(store, folder, err);
}

enum code store_sweep(struct store *store, const char *folder, struct error *err)
{
    return store->type->sweep(store, folder, err);
}

enum code store_lock(struct store *store, const char *path, struct error *err)
{
    return store->type->lock(store, path, err);
}

int64_t store_holder(struct store *store, const char *path) { return store->type->holder(store, path); }

enum code store_free_bytes(struct store *store, int64_t *out, struct error *err)
{
    return store->type->free_bytes(store, out, err);
}

/* ---- staged files ---- */

static enum code open_stage(struct store *store, const char *path, const char *final, struct stage **out,
                            struct error *err)
{
    struct stage *stage;
    TRY(store->type->stage_open(store, path, final, &stage, err));
    stage->store = store;
    XXH64_reset(&stage->checksum, 0);
    *out = stage;
    return E_OK;
}

enum code stage_open(struct store *store, const char *path, struct stage **out, struct error *err)
{
    return open_stage(store, path, NULL, out, err);
}

enum code stage_open_final(struct store *store, const char *staged, const char *final, struct stage **out,
                           struct error *err)
{
    return open_stage(store, staged, final, out, err);
}

static enum code already_failed(const struct stage *stage, struct error *err)
{
    return fail(err, E_IO, "%s: an earlier write of a file failed", stage->store->root);
}

enum code stage_write(struct stage *stage, struct bytes content, struct error *err)
{
    if (stage->failed)
        return already_failed(stage, err);
    enum code code = stage->store->type->stage_write(stage, content, err);
    stage->failed = code != E_OK;
    if (code == E_OK) {
        stage->size_bytes += (int64_t)content.size;
        XXH64_update(&stage->checksum, content.data, content.size);
    }
    return code;
}

int64_t stage_size(const struct stage *stage) { return stage->size_bytes; }

uint64_t stage_checksum(const struct stage *stage) { return XXH64_digest(&stage->checksum); }

enum code stage_seal(struct stage *stage, struct text *handle, struct error *err)
{
    if (!stage->failed)
        return stage->store->type->stage_finish(stage, handle, err);
    enum code code = already_failed(stage, err);
    stage_abandon(stage);
    return code;
}

enum code stage_finish(struct stage *stage, struct error *err) { return stage_seal(stage, NULL, err); }

enum code stage_seal_all(struct stage *const *stages, int32_t count, struct text *handles, struct error *err)
{
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < count; i++)
        if (stages[i]->failed)
            code = already_failed(stages[i], err);
    if (code == E_OK && count > 0 && stages[0]->store->type->stage_finish_all != NULL)
        return stages[0]->store->type->stage_finish_all(stages, count, handles, err);
    for (int32_t i = 0; i < count; i++)
        if (code == E_OK)
            code = stage_seal(stages[i], &handles[i], err);
        else
            stage_abandon(stages[i]);
    return code;
}

void stage_abandon(struct stage *stage)
{
    if (stage != NULL)
        stage->store->type->stage_abandon(stage);
}

enum code store_publish(struct store *store, const struct staged *file, struct error *err)
{
    return store->type->publish(store, file, err);
}

enum code store_publish_all(struct store *store, const struct staged *files, int32_t count, struct error *err)
{
    for (int32_t i = 0; store->type->publish_all != NULL && i < count; i += TOGETHER_MAX)
        TRY(store->type->publish_all(store, files + i, together(count - i), err));
    for (int32_t i = 0; store->type->publish_all == NULL && i < count; i++)
        TRY(store_publish(store, &files[i], err));
    return E_OK;
}

enum code store_publish_sync(struct store *store, struct error *err) { return store->type->publish_sync(store, err); }

enum code store_discard(struct store *store, const struct staged *file, struct error *err)
{
    return store->type->discard(store, file, err);
}

enum code store_has_staged(struct store *store, const struct staged *file, bool *out, struct error *err)
{
    return store->type->has_staged(store, file, out, err);
}

enum code store_list_staged(struct store *store, struct staged_list *out, struct error *err)
{
    return store->type->list_staged(store, out, err);
}

enum code store_swap(struct store *store, const struct store_swap *swap, struct error *err)
{
    if (store->type->swap == NULL)
        return fail(err, E_UNSUPPORTED, "%s: files there cannot take the place of others in one step", store->root);
    return store->type->swap(store, swap, err);
}

bool store_can_swap(const struct store *store) { return store->type->swap != NULL; }

enum code store_swap_sweep(struct store *store, struct error *err)
{
    return store->type->swap_sweep == NULL ? E_OK : store->type->swap_sweep(store, err);
}

/* ---- lists ---- */

void store_list_add(struct store_list *list, const char *path, int64_t size_bytes, int64_t modified_us)
{
    mem_grow(list->entries, list->capacity, list->count + 1);
    list->entries[list->count++] = (struct store_entry){mem_strdup(path), size_bytes, modified_us};
}

void store_list_free(struct store_list *list)
{
    for (int32_t i = 0; i < list->count; i++)
        mem_free(list->entries[i].path);
    mem_free(list->entries);
    *list = (struct store_list){0};
}

static const char *copy_of(const char *text) { return text == NULL ? NULL : mem_strdup(text); }

void staged_list_add(struct staged_list *list, const struct staged *file)
{
    mem_grow(list->items, list->capacity, list->count + 1);
    list->items[list->count++] =
        (struct staged){copy_of(file->path), copy_of(file->final), copy_of(file->handle), file->size_bytes};
}

void staged_list_free(struct staged_list *list)
{
    for (int32_t i = 0; i < list->count; i++) {
        mem_free((char *)list->items[i].path);
        mem_free((char *)list->items[i].final);
        mem_free((char *)list->items[i].handle);
    }
    mem_free(list->items);
    *list = (struct staged_list){0};
}
