/* publish.c - what a token names gets its final names: by the sink that wrote it, or without it, when the project no longer
 * has a sink that writes into that folder. */
#include <inttypes.h>
#include <string.h>

#include "sink/delta_publish.h"

/* The bytes were written by a process that is gone, perhaps with the power: its word is checked. */
static enum code part_check(struct store *store, const struct part *part, struct error *err)
{
    uint64_t checksum;
    const char *path = part->staged;
    enum code code = store_checksum(store, path, &checksum, err);
    if (code == E_ABSENT) {
        path = part->final;
        code = store_checksum(store, path, &checksum, err);
    }
    if (code == E_ABSENT) // publishing tells what that means
        return E_OK;
    TRY(code);
    if (checksum != part->checksum)
        return fail(err, E_CORRUPT,
                    "%s/%s does not have the bytes that its commit record says; restore it from a backup, or "
                    "start with a new checkpoint",
                    store_root(store), path);
    return E_OK;
}

enum code parts_check(struct store *store, const struct parts *parts, struct error *err)
{
    for (int32_t i = 0; i < parts->count; i++)
        TRY(part_check(store, &parts->items[i], err));
    return E_OK;
}

enum code parts_publish(struct store *store, const struct parts *parts, bool check, struct error *err)
{
    if (check)
        TRY(parts_check(store, parts, err));
    struct staged *files = mem_array(struct staged, (size_t)parts->count + 1);
    for (int32_t i = 0; i < parts->count; i++)
        files[i] = part_staged(&parts->items[i]);
    enum code code = store_publish_all(store, files, parts->count, err);
    mem_free(files);
    return code == E_OK ? store_publish_sync(store, err) : code;
}

bool parts_have(const struct parts *parts, const char *final)
{
    for (int32_t i = 0; i < parts->count; i++)
        if (strcmp(parts->items[i].final, final) == 0)
            return true;
    return false;
}

/* The files of before, but for those of an epoch above: another process has overtaken us. */
static enum code others_remove(struct store *store, const char *query_id, int64_t epoch, const struct parts *parts,
                               struct error *err)
{
    struct store_list list;
    TRY(store_list(store, "", true, &list, err));
    const char **gone = mem_array(const char *, (size_t)list.count + 1);
    int32_t count = 0;
    for (int32_t i = 0; i < list.count; i++) {
        const char *path = list.entries[i].path;
        struct sink_part_name name;
        if (!sink_part_parse(path, &name) || name.staged || parts_have(parts, path))
            continue;
        if (strncmp(name.query8, query_id, 8) != 0 || name.epoch <= epoch)
            gone[count++] = path;
    }
    enum code code = store_remove_all(store, gone, count, err);
    mem_free(gone);
    store_list_free(&list);
    return code;
}

/* The txn in the log tells whether it was done before: then others may have moved the rows and removed the files. */
static enum code delta_publish(struct store *store, int64_t epoch, const struct delta_token *token, struct error *err)
{
    struct budget none = {0};
    struct delta_table *table = NULL;
    TRY(delta_table_open(store, token->app_id, &table, err));
    enum code code = E_OK;
    if (delta_table_transaction(table) < epoch) {
        code = parts_publish(store, &token->parts, true, err);
        if (code == E_OK)
            code = delta_epoch_commit(table, store, token, epoch, &none, err);
    }
    delta_table_free(table);
    return code;
}

static enum code directory_publish(struct store *store, const char *query_id, int64_t epoch, const struct parts *parts,
                                   struct error *err)
{
    TRY(parts_publish(store, parts, true, err));
    return parts->replace ? others_remove(store, query_id, epoch, parts, err) : E_OK;
}

enum code sink_publish(const char *folder, const char *query_id, int64_t epoch, struct bytes token, struct error *err)
{
    struct store *store = NULL;
    struct delta_token parsed;
    TRY(delta_token_parse(token, &parsed, err));
    enum code code = E_OK;
    if (parsed.parts.count > 0 || parsed.parts.replace)
        code = store_look(folder, &store, err);
    if (code == E_OK && store != NULL)
        code = parsed.app_id != NULL ? delta_publish(store, epoch, &parsed, err)
                                     : directory_publish(store, query_id, epoch, &parsed.parts, err);
    store_close(store);
    delta_token_free(&parsed);
    return code == E_OK ? E_OK : error_note(err, "epoch %" PRId64 " in %s", epoch, folder);
}
