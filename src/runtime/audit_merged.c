/* audit_merged.c - files that were merged: a record names them, and their rows are in another file now. The list beside that one
 * (sink.h, sink_merge_list) says so; it came with it and went nowhere since, or the rows are not accounted for.
 */
#include "runtime/audit.h"

#include <inttypes.h>
#include <string.h>

enum { LIST_BYTES_MAX = 16 << 20 };

static enum code list_read(struct audit *self, struct audit_folder *folder, const char *path, struct error *err)
{
    struct text text = {0};
    struct sink_merge_list list;
    enum code code = store_get(folder->store, path, LIST_BYTES_MAX, &text, err);
    if (code == E_OK)
        code = sink_merge_parse(text_view(&text), self->arena, &list, err);
    text_free(&text);
    if (code != E_OK)
        return code;
    mem_grow(folder->merges, folder->merge_capacity, folder->merge_count + 1);
    folder->merges[folder->merge_count++] = list;
    return E_OK;
}

void audit_merges_read(struct audit *self, struct audit_folder *folder)
{
    struct store_list list = {0};
    struct error why = {0};
    folder->merge_count = 0;
    if (folder->store == NULL || store_list(folder->store, "", true, &list, &why) != E_OK)
        return;
    for (int32_t i = 0; i < list.count; i++) {
        const char *path = list.entries[i].path;
        struct error bad = {0};
        if (!sink_merge_is_list(path))
            continue;
        enum code code = list_read(self, folder, path, &bad);
        if (code != E_OK && code != E_ABSENT)
            audit_find(self, false, "merge_list_damaged", -1, folder->name, arena_strdup(self->arena, path), "%s",
                       bad.text);
    }
    store_list_free(&list);
}

const struct sink_file *audit_merged(const struct audit_folder *folder, const char *path,
                                     const struct sink_merge_list **into)
{
    for (int32_t i = 0; i < folder->merge_count; i++)
        for (int32_t k = 0; k < folder->merges[i].input_count; k++)
            if (strcmp(folder->merges[i].inputs[k].final, path) == 0) {
                *into = &folder->merges[i];
                return &folder->merges[i].inputs[k];
            }
    return NULL;
}

const struct sink_merge_list *audit_merge_of(const struct audit_folder *folder, const char *path)
{
    for (int32_t i = 0; i < folder->merge_count; i++)
        if (strcmp(folder->merges[i].file.final, path) == 0)
            return &folder->merges[i];
    return NULL;
}

static bool is_there(const struct audit_folder *folder, const char *path)
{
    struct error ignored = {0};
    int64_t size_bytes;
    return store_size(folder->store, path, &size_bytes, &ignored) == E_OK;
}

/* What went in must have come out. */
static void merge_check(struct audit *self, const struct audit_folder *folder, const struct sink_merge_list *merge)
{
    const struct sink_merge_list *into;
    int64_t rows = 0;
    for (int32_t i = 0; i < merge->input_count; i++) {
        const struct sink_file *input = &merge->inputs[i];
        rows = input->rows < 0 || rows < 0 ? -1 : rows + input->rows;
        if (is_there(folder, input->final))
            audit_find(self, false, "file_unexplained", -1, folder->name, input->final,
                       "it was merged into %s and is still there: readers see its rows twice", merge->file.final);
    }
    if (rows >= 0 && merge->file.rows >= 0 && rows != merge->file.rows)
        audit_find(self, false, "file_damaged", -1, folder->name, merge->file.final,
                   "%" PRId64 " rows were merged into it, and it has %" PRId64, rows, merge->file.rows);
    if (folder->keep == 0 && !is_there(folder, merge->file.final) &&
        audit_merged(folder, merge->file.final, &into) == NULL)
        audit_find(self, false, "file_missing", -1, folder->name, merge->file.final,
                   "%" PRId32 " files were merged into it, and it is not there: their rows are gone",
                   merge->input_count);
}

/* A merge that leat made meanwhile may have taken the files of one just looked at: then all is looked at anew. */
void audit_merges_check(struct audit *self, struct audit_folder *folder)
{
    audit_merges_read(self, folder);
    for (int32_t i = 0; i < folder->merge_count; i++)
        merge_check(self, folder, &folder->merges[i]);
}
