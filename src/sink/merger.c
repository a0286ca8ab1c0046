/* merger.c - the files of a plain directory are merged: planned from its list, written beside the next epochs, and put in the
 * place of the small ones at once.
 *
 * Names     merged-<Q8>-<first epoch>-<epoch>-<8 hex>.<suffix>, and beside it _merged-<the same>.list (merge_list.c)
 * Staged    _staging/<Q8>-merge-<8 hex>.staged and .list.staged: no epoch's names, which are collected by epoch
 * Readers   see the small files or the large one (store_swap)
 * Logs      of a table that has one (merge_table) the log says which files there are; folders are not listed
 * Alone     another query that writes into the folder at this moment stops it: its files could vanish for a moment
 *
 *   crash here              what is left                         what follows
 *   while it is written     a staged file                        removed when the next merge begins
 *   in store_swap           see local_swap.c                     the same, and store_swap_sweep
 */
#include "sink/delta_merge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/os.h"
#include "base/path_set.h"

enum {
    BARRED_MAX = 1 << 20, /* files that cannot be merged are remembered until then; with more, nothing is merged */
    BARRED_NAMED = 10,    /* so many of them are told by name */
};

struct merger {
    struct arena arena; /* of the merge under way */
    struct merger_spec spec;
    struct merge *merge;       /* under way; NULL: none */
    struct merge_file *inputs; /* of it */
    int32_t input_count;
    int64_t bytes_before;
    const char *folder; /* of it */
    const char *list_staged, *list_final;
    bool ready;
    bool swept;             /* leftovers of a process before */
    int64_t told;           /* files that have come since the folder was last planned */
    struct path_set barred; /* files that are left as they are */
    int32_t barred_told;
};

struct merger *merger_new(const struct merger_spec *spec)
{
    struct merger *self = mem_new(struct merger);
    self->spec = *spec;
    self->told = MERGE_FAN_IN; // what a process before left
    return self;
}

static void merge_drop(struct merger *self)
{
    merge_free(self->merge);
    self->merge = NULL;
    self->ready = false;
    arena_reset(&self->arena);
}

void merger_free(struct merger *self)
{
    if (self == NULL)
        return;
    merge_drop(self);
    path_set_free(&self->barred);
    arena_free(&self->arena);
    mem_free(self);
}

void merger_told(struct merger *self, int64_t files) { self->told += files; }

/* ---- which files ---- */

static bool ends_with(const char *path, const char *end)
{
    size_t size = strlen(path), end_size = strlen(end);
    return size > end_size && strcmp(path + size - end_size, end) == 0;
}

static bool takes_part(const struct merger *self, const struct store_entry *entry, const struct parts *newest,
                       struct sink_part_name *name)
{
    return sink_part_parse(entry->path, name) && !name->staged && strcmp(name->query8, self->spec.query8) == 0 &&
           ends_with(entry->path, self->spec.encoder->suffix) && !parts_have(newest, entry->path) &&
           !path_set_has(&self->barred, entry->path);
}

static int32_t candidates_find(const struct merger *self, const struct store_list *list, const struct parts *newest,
                               int64_t below, struct merge_file *out)
{
    int32_t count = 0;
    for (int32_t i = 0; i < list->count; i++) {
        const struct store_entry *entry = &list->entries[i];
        struct sink_part_name name;
        if (takes_part(self, entry, newest, &name) && name.epoch <= below)
            out[count++] = (struct merge_file){entry->path,      entry->size_bytes, entry->modified_us,
                                               name.first_epoch, name.epoch,        name.number};
    }
    return count;
}

/* Lists of merges that nobody will ask for. */
static enum code lists_collect(struct merger *self, const struct store_list *list, int64_t oldest, struct error *err)
{
    for (int32_t i = 0; i < list->count; i++) {
        const char *path = list->entries[i].path, *slash = strrchr(path, '/');
        int64_t first, last;
        char query8[9];
        if (sink_merge_is_list(path) &&
            sscanf(slash != NULL ? slash + 1 : path, "_merged-%8[^-]-%" SCNd64 "-%" SCNd64 "-", query8, &first,
                   &last) == 3 &&
            strcmp(query8, self->spec.query8) == 0 && last < oldest)
            TRY(store_remove(self->spec.store, path, err));
    }
    return E_OK;
}

/* Another process may publish here between two looks at the folder. */
static enum code alone_check(const struct merger *self, const struct store_list *list, struct error *err)
{
    char own[32];
    snprintf(own, sizeof own, "_staging/%s.lock", self->spec.query8);
    for (int32_t i = 0; i < list->count; i++) {
        const char *path = list->entries[i].path;
        if (strncmp(path, "_staging/", 9) == 0 && ends_with(path, ".lock") && strcmp(path, own) != 0 &&
            store_holder(self->spec.store, path) != 0)
            return fail(err, E_EXISTS, "%s: another query writes into the folder, its files are not merged meanwhile",
                        store_root(self->spec.store));
    }
    return E_OK;
}

static enum code leftovers_remove(struct merger *self, const struct store_list *list, struct error *err)
{
    char start[32];
    size_t size = (size_t)snprintf(start, sizeof start, "_staging/%s-merge-", self->spec.query8);
    for (int32_t i = 0; i < list->count; i++)
        if (strncmp(list->entries[i].path, start, size) == 0)
            TRY(store_remove(self->spec.store, list->entries[i].path, err));
    if (!self->swept)
        TRY(store_swap_sweep(self->spec.store, err));
    self->swept = true;
    return E_OK;
}

/* ---- a merge begins ---- */

static void inputs_keep(struct merger *self, const struct merge_file *files, const struct merge_group *group)
{
    self->inputs = arena_array(&self->arena, struct merge_file, (size_t)group->count);
    self->input_count = group->count;
    self->bytes_before = group->size_bytes;
    for (int32_t i = 0; i < group->count; i++) {
        self->inputs[i] = files[group->from + i];
        self->inputs[i].path = arena_strdup(&self->arena, self->inputs[i].path);
    }
    const char *first = self->inputs[0].path, *slash = strrchr(first, '/');
    self->folder = slash == NULL ? "" : arena_strndup(&self->arena, first, (size_t)(slash - first));
}

static enum code begin(struct merger *self, struct error *err)
{
    const struct merger_spec *spec = &self->spec;
    uint32_t attempt = (uint32_t)os_random();
    int64_t first = INT64_MAX, last = 0;
    const char *between = self->folder[0] != '\0' ? "/" : "";
    for (int32_t i = 0; i < self->input_count; i++) {
        first = self->inputs[i].first_epoch < first ? self->inputs[i].first_epoch : first;
        last = self->inputs[i].epoch > last ? self->inputs[i].epoch : last;
    }
    const char *name = arena_printf(&self->arena, "merged-%s-%010" PRId64 "-%010" PRId64 "-%08" PRIx32, spec->query8,
                                    first, last, attempt);
    self->list_staged =
        arena_printf(&self->arena, "_staging/%s-merge-%08" PRIx32 ".list.staged", spec->query8, attempt);
    self->list_final = arena_printf(&self->arena, "%s%s_%s.list", self->folder, between, name);
    const struct merge_spec merge = {
        .store = spec->store,
        .encoder = spec->encoder,
        .encoder_spec = spec->encoder_spec,
        .budget = spec->budget,
        .piece_bytes = spec->piece_bytes,
        .summary_columns = spec->summary_columns,
        .staged = arena_printf(&self->arena, "_staging/%s-merge-%08" PRIx32 ".staged", spec->query8, attempt),
        .final = arena_printf(&self->arena, "%s%s%s%s", self->folder, between, name, spec->suffix),
        .inputs = self->inputs,
        .input_count = self->input_count,
    };
    return merge_open(&merge, &self->merge, err);
}

/* Of a table with a log. */
static enum code look_at_log(struct merger *self, bool all, const struct parts *newest, bool *found, struct error *err)
{
    struct store_list list = {0};
    struct merge_file *files;
    struct merge_group group;
    int32_t count, kept = 0;
    TRY(store_list(self->spec.store, "_staging", false, &list, err));
    self->swept = true; // nothing is ever swapped there
    enum code code = leftovers_remove(self, &list, err);
    store_list_free(&list);
    TRY(code);
    TRY(self->spec.table.files(self->spec.table.context, &files, &count, err));
    for (int32_t i = 0; i < count; i++)
        if (!parts_have(newest, files[i].path) && !path_set_has(&self->barred, files[i].path))
            files[kept++] = files[i];
    *found = merge_plan(files, kept, self->spec.target_bytes, all, &group);
    if (*found)
        inputs_keep(self, files, &group);
    return E_OK;
}

static enum code look(struct merger *self, const struct sink_merge *request, const struct parts *newest, int64_t below,
                      bool *found, struct error *err)
{
    struct store_list list = {0};
    struct merge_group group;
    if (self->spec.table.files != NULL)
        return look_at_log(self, request->all, newest, found, err);
    if (!store_can_swap(self->spec.store))
        return fail(err, E_UNSUPPORTED,
                    "%s: files there cannot take the place of others in one step: make it a Delta table",
                    store_root(self->spec.store));
    TRY(store_list(self->spec.store, "", true, &list, err));
    enum code code = alone_check(self, &list, err);
    if (code == E_OK)
        code = leftovers_remove(self, &list, err);
    if (code == E_OK)
        code = lists_collect(self, &list, request->oldest_epoch, err);
    struct merge_file *files = mem_array(struct merge_file, (size_t)list.count);
    int32_t count = candidates_find(self, &list, newest, below, files);
    *found = code == E_OK && merge_plan(files, count, self->spec.target_bytes, request->all, &group);
    if (*found)
        inputs_keep(self, files, &group);
    mem_free(files);
    store_list_free(&list);
    return code;
}

/* ---- work ---- */

/* It is left as it is, for good. */
static void input_bar(struct merger *self, const struct error *why)
{
    const char *path = self->inputs[merge_input_at(self->merge)].path;
    if (self->barred.count < BARRED_NAMED)
        log_warn("%s/%s is not merged: %s", store_root(self->spec.store), path, why->text);
    path_set_add(&self->barred, path);
}

/* Once all there was to merge has been seen. */
static void barred_tell(struct merger *self)
{
    if (self->barred.count > BARRED_NAMED && self->barred.count > self->barred_told)
        log_warn("%s: %" PRId32 " files are not merged and stay as they are; %d of them were named, with why",
                 store_root(self->spec.store), self->barred.count, BARRED_NAMED);
    self->barred_told = self->barred.count;
}

static bool is_of_input(enum code code) { return code == E_CORRUPT || code == E_UNSUPPORTED || code == E_ABSENT; }

enum code merger_work(struct merger *self, const struct sink_merge *request, const struct parts *newest, int64_t below,
                      bool *more, struct error *err)
{
    *more = false;
    if (self->ready || (self->merge == NULL && self->told < MERGE_FAN_IN && !request->all))
        return E_OK;
    if (self->merge == NULL) {
        TRY(look(self, request, newest, below, more, err));
        self->told = *more ? self->told : 0;
        if (!*more)
            barred_tell(self);
        return *more ? begin(self, err) : E_OK;
    }
    enum code code = merge_step(self->merge, &self->ready, err);
    *more = code == E_OK && !self->ready;
    if (code == E_OK)
        return E_OK;
    if (is_of_input(code) && self->barred.count < BARRED_MAX) {
        input_bar(self, err);
        error_clear(err);
        code = E_OK;
        *more = true;
    }
    merge_drop(self);
    return code;
}

/* ---- the change ---- */

static enum code list_stage(struct merger *self, struct error *err)
{
    const struct part *part = merge_result(self->merge);
    const struct sink_file file = {
        .final = part->final, .size_bytes = part->size_bytes, .rows = part->rows, .checksum = part->checksum};
    struct text text = {0};
    struct stage *stage = NULL;
    enum code code = merge_list_print(&file, merge_inputs(self->merge), self->input_count, &text, err);
    if (code == E_OK)
        code = stage_open(self->spec.store, self->list_staged, &stage, err);
    if (code == E_OK)
        code = stage_write(stage, text_view(&text), err);
    text_free(&text);
    if (code == E_OK)
        return stage_finish(stage, err);
    stage_abandon(stage);
    return code;
}

static enum code change(struct merger *self, struct error *err)
{
    const struct merge_table *table = &self->spec.table;
    if (table->change != NULL)
        return table->change(table->context, merge_result(self->merge), self->inputs, self->input_count, err);
    const char **gone = arena_array(&self->arena, const char *, (size_t)self->input_count);
    int64_t modified_us = 0;
    for (int32_t i = 0; i < self->input_count; i++) {
        gone[i] = self->inputs[i].path;
        modified_us = self->inputs[i].modified_us > modified_us ? self->inputs[i].modified_us : modified_us;
    }
    const struct part *part = merge_result(self->merge);
    const struct staged come[] = {part_staged(part), {.path = self->list_staged, .final = self->list_final}};
    const struct store_swap swap = {self->folder, gone, self->input_count, come, 2, modified_us};
    TRY(list_stage(self, err));
    return store_swap(self->spec.store, &swap, err);
}

enum code merger_commit(struct merger *self, struct sink_merged *out, struct error *err)
{
    *out = (struct sink_merged){0};
    if (!self->ready)
        return E_OK;
    enum code code = change(self, err);
    if (code == E_OK)
        *out = (struct sink_merged){self->input_count, 1, self->bytes_before, merge_result(self->merge)->size_bytes};
    merge_drop(self);
    return code;
}

/* ---- without doing it ---- */

static void plan_all(struct merge_file *files, int32_t count, int64_t target_bytes, struct sink_merged *out)
{
    struct merge_group group;
    while (merge_plan(files, count, target_bytes, true, &group)) {
        out->inputs += group.count;
        out->bytes_before += group.size_bytes;
        out->files++;
        memmove(files + group.from, files + group.from + group.count,
                (size_t)(count - group.from - group.count) * sizeof *files);
        count -= group.count;
    }
    out->bytes = out->bytes_before;
}

static enum code folder_look(struct store *store, const char *query_id, int64_t target_bytes,
                             const struct parts *newest, struct sink_merged *out, struct error *err)
{
    struct store_list list;
    int32_t count = 0;
    TRY(store_list(store, "", true, &list, err));
    struct merge_file *files = mem_array(struct merge_file, (size_t)list.count);
    for (int32_t i = 0; i < list.count; i++) {
        const struct store_entry *entry = &list.entries[i];
        struct sink_part_name name;
        if (sink_part_parse(entry->path, &name) && !name.staged && strncmp(name.query8, query_id, 8) == 0 &&
            !parts_have(newest, entry->path))
            files[count++] = (struct merge_file){entry->path,      entry->size_bytes, entry->modified_us,
                                                 name.first_epoch, name.epoch,        name.number};
    }
    plan_all(files, count, target_bytes, out);
    mem_free(files);
    store_list_free(&list);
    return E_OK;
}

static enum code log_look(struct store *store, const char *query_id, int64_t target_bytes, const struct parts *newest,
                          struct sink_merged *out, struct error *err)
{
    struct budget budget = {0};
    struct delta_merge merge = {.store = store, .budget = &budget};
    struct merge_file *files;
    int32_t count, kept = 0;
    snprintf(merge.query8, sizeof merge.query8, "%s", query_id);
    const struct merge_table table = delta_merge_table(&merge);
    enum code code = table.files(table.context, &files, &count, err);
    for (int32_t i = 0; code == E_OK && i < count; i++)
        if (!parts_have(newest, files[i].path))
            files[kept++] = files[i];
    if (code == E_OK)
        plan_all(files, kept, target_bytes, out);
    delta_merge_close(&merge);
    return code;
}

enum code sink_merge_look(const char *format, const char *folder, const char *query_id, int64_t target_bytes,
                          struct bytes token, struct sink_merged *out, struct error *err)
{
    struct store *store = NULL;
    struct parts newest;
    *out = (struct sink_merged){0};
    TRY(token_parse(token, &newest, err));
    enum code code = store_look(folder, &store, err);
    if (code == E_OK)
        code =
            (strcmp(format, "delta") == 0 ? log_look : folder_look)(store, query_id, target_bytes, &newest, out, err);
    store_close(store);
    parts_free(&newest);
    return code;
}
