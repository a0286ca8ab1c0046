/* files_log.c - which files were ever found, in one order for good: what makes offsets of a folder
 * mean something.
 *
 *   <folder>/<n as 16 digits>.json   a segment: {"version":1, "whole":false, "end":N, "aged_us":N,
 *                                    "files":[{"name":"..", "start":N, "size":N,
 *                                    "modified_us":N, "rows":N, "add":".."}, ..]}; rows only of files with
 *                                    columns. Of a Delta table also "delta_version":N, and the action of the file
 *                                    newline, XXH64 of that line as 16 hex digits, newline
 *
 * Order    a segment is put (durable, put-if-absent) before any of its files is read, so the epoch
 *          whose record names an offset always finds the file again. Files that were found but are
 *          in no record yet keep their offsets
 * Whole    once in a while one segment repeats all that still counts, and the older ones are
 *          removed; a crash between the two leaves segments below a whole one, which the next open
 *          removes
 * Forgets  once there are many, what was committed and is older than maxFileAge; files that old are
 *          not looked at again (aged_us), as on Spark. So memory follows the files of some days,
 *          not of all time
 */
#include "source/files.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "base/hash.h"

enum {
    SEGMENT_MAX = 512 << 20,
    SLOTS_MIN = 64,
    KEPT_MIN = 10000 /* files */,
    CHECKSUM_SIZE = 18 /* newline, 16 digits, newline */
};

/* ---- names ---- */

static int32_t slot_of(const struct files_log *log, const char *name)
{
    uint32_t mask = (uint32_t)log->slot_count - 1, at = (uint32_t)hash_bytes(name, strlen(name)) & mask;
    while (log->slots[at] != 0 && strcmp(log->entries[log->slots[at] - 1].name, name) != 0)
        at = (at + 1) & mask;
    return (int32_t)at;
}

static void slots_rebuild(struct files_log *log, int32_t need)
{
    int32_t size = SLOTS_MIN;
    while (size < need * 2)
        size *= 2;
    mem_free(log->slots);
    log->slots = mem_array(int32_t, (size_t)size);
    log->slot_count = size;
    for (int32_t i = 0; i < log->count; i++)
        log->slots[slot_of(log, log->entries[i].name)] = i + 1;
}

bool files_log_knows(const struct files_log *log, const char *name)
{
    return log->slot_count > 0 && log->slots[slot_of(log, name)] != 0;
}

const struct file_entry *files_log_find(const struct files_log *log, const char *name)
{
    return files_log_knows(log, name) ? &log->entries[log->slots[slot_of(log, name)] - 1] : NULL;
}

static void entry_add(struct files_log *log, const struct file_entry *entry)
{
    if (log->count * 2 + 2 > log->slot_count)
        slots_rebuild(log, log->count * 2 + 2);
    mem_grow(log->entries, log->capacity, log->count + 1);
    log->entries[log->count] = *entry;
    log->slots[slot_of(log, entry->name)] = ++log->count;
    log->end = file_entry_end(entry);
}

const struct file_entry *files_log_at(const struct files_log *log, int64_t offset)
{
    int32_t low = 0, high = log->count; // the last entry with start <= offset is below high
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (log->entries[middle].start <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || offset >= file_entry_end(&log->entries[low - 1]))
        return NULL;
    return &log->entries[low - 1];
}

enum code files_log_range(const struct files_log *log, const char *name, const char *path,
                          const struct source_ranges *known, struct source_ranges *out, struct source_range **range,
                          struct error *err)
{
    int64_t from = known->count > 0 ? known->items[0].from : 0; // the path may have another name now
    if (from > log->end)
        return fail(err, E_CORRUPT,
                    "source %s: the commit records stand at offset %" PRId64 ", but the log of files ends at %" PRId64
                    "; start over with new folders for leat.checkpoint and leat.tables.path",
                    name, from, log->end);
    *range = source_ranges_add(out, path, 0);
    (*range)->from = from;
    (*range)->latest = log->end;
    return E_OK;
}

int64_t files_log_epoch(const struct files_log *log, const struct files_settings *settings,
                        const struct source_range *range)
{
    int64_t end = range->from, files = 0, size_bytes = 0;
    while (end < range->latest) {
        const struct file_entry *entry = files_log_at(log, end);
        if (entry == NULL)
            return range->latest; // fetch finds out what is wrong
        size_bytes += entry->size_bytes;
        files++;
        if (files > 1 && settings->bytes_max > 0 && size_bytes > settings->bytes_max)
            break;
        end = file_entry_end(entry);
        if (settings->files_max > 0 && files >= settings->files_max)
            break;
    }
    return end;
}

static void entries_free(struct file_entry *entries, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        mem_free(entries[i].name);
        mem_free(entries[i].add);
    }
    mem_free(entries);
}

/* ---- segments ---- */

static json_t *entry_json(const struct file_entry *entry, struct error *err)
{
    json_t *json = json_pack("{s:s, s:I, s:I, s:I}", "name", entry->name, "start", (json_int_t)entry->start, "size",
                             (json_int_t)entry->size_bytes, "modified_us", (json_int_t)entry->modified_us);
    if (json != NULL && entry->rows >= 0)
        json_object_set_new(json, "rows", json_integer(entry->rows));
    if (json != NULL && entry->add != NULL)
        json_object_set_new(json, "add", json_string(entry->add));
    if (json == NULL)
        fail(err, E_UNSUPPORTED, "%s: the name of a file must be valid UTF-8", entry->name);
    return json;
}

static enum code segment_print(const struct file_entry *entries, int32_t count, bool whole, int64_t end,
                               int64_t aged_us, int64_t version, struct text *out, struct error *err)
{
    json_t *files = json_array();
    for (int32_t i = 0; i < count; i++) {
        json_t *file = entry_json(&entries[i], err);
        if (file == NULL) {
            json_decref(files);
            return err->code;
        }
        json_array_append_new(files, file);
    }
    json_t *root = json_pack("{s:i, s:b, s:I, s:I, s:o}", "version", 1, "whole", whole, "end", (json_int_t)end,
                             "aged_us", (json_int_t)aged_us, "files", files);
    if (version >= 0)
        json_object_set_new(root, "delta_version", json_integer(version));
    char *dumped = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    text_add_string(out, dumped);
    text_printf(out, "\n%016" PRIx64 "\n", XXH64(dumped, strlen(dumped), 0));
    mem_free(dumped);
    return E_OK;
}

static enum code segment_put(struct files_log *log, const struct text *bytes, struct error *err)
{
    char path[STORE_PATH_MAX];
    if (log->store == NULL)
        return E_OK;
    snprintf(path, sizeof path, "%s/%016" PRId64 ".json", log->folder, log->segment);
    TRY(store_put_new(log->store, path, text_view(bytes), err));
    log->segment++;
    log->segments++;
    return E_OK;
}

static enum code segment_corrupt(const struct files_log *log, const char *path, const char *why, struct error *err)
{
    return fail(err, E_CORRUPT,
                "%s/%s: %s; restore it from a backup, or start over with new folders for leat.checkpoint and "
                "leat.tables.path",
                store_root(log->store), path, why);
}

static bool entry_parse(const json_t *json, struct file_entry *out)
{
    const char *name, *add = NULL;
    json_int_t start, size, modified_us, rows = -1;
    if (json_unpack((json_t *)(uintptr_t)json, "{s:s, s:I, s:I, s:I, s?I, s?s}", "name", &name, "start", &start, "size",
                    &size, "modified_us", &modified_us, "rows", &rows, "add", &add) != 0 ||
        start < 0 || size < 0 || start > INT64_MAX - 1 - size || rows < -1 || start > INT64_MAX - 1 - rows)
        return false;
    *out = (struct file_entry){mem_strdup(name), start, size, modified_us, rows, add != NULL ? mem_strdup(add) : NULL};
    return true;
}

/* Takes the files in; false when they do not follow upon what is there. */
static bool segment_take(struct files_log *log, const json_t *root, bool whole)
{
    int version;
    json_int_t end, aged_us, delta_version = -1;
    const json_t *files;
    if (json_unpack((json_t *)(uintptr_t)root, "{s:i, s:I, s:I, s:o, s?I}", "version", &version, "end", &end, "aged_us",
                    &aged_us, "files", &files, "delta_version", &delta_version) != 0 ||
        version != 1 || !json_is_array(files))
        return false;
    for (size_t i = 0; i < json_array_size(files); i++) {
        struct file_entry entry;
        if (!entry_parse(json_array_get(files, i), &entry))
            return false;
        bool follows = whole ? entry.start >= log->end : entry.start == log->end;
        if (!follows || files_log_knows(log, entry.name) || log->count >= FILES_MAX) {
            mem_free(entry.name);
            mem_free(entry.add);
            return false;
        }
        entry_add(log, &entry);
    }
    if (end < log->end)
        return false;
    log->end = end;
    log->aged_us = aged_us;
    log->version = delta_version;
    return true;
}

static enum code segment_read(struct files_log *log, const char *path, json_t **out, struct error *err)
{
    struct text bytes = {0};
    enum code code = store_get(log->store, path, SEGMENT_MAX, &bytes, err);
    char checksum[CHECKSUM_SIZE + 1];
    if (code == E_OK && bytes.size > CHECKSUM_SIZE) {
        size_t size = bytes.size - CHECKSUM_SIZE;
        snprintf(checksum, sizeof checksum, "\n%016" PRIx64 "\n", XXH64(bytes.data, size, 0));
        if (memcmp(bytes.data + size, checksum, CHECKSUM_SIZE) == 0)
            *out = json_loadb(bytes.data, size, 0, NULL);
    }
    if (code == E_OK && *out == NULL)
        code = segment_corrupt(log, path, "the log of files fails its checksum", err);
    text_free(&bytes);
    return code;
}

/* ---- opening ---- */

static bool segment_number(const struct files_log *log, const char *path, int64_t *out)
{
    int length = 0;
    const char *name = path + strlen(log->folder) + 1;
    return sscanf(name, "%16" SCNd64 ".json%n", out, &length) == 1 && length == 21 && name[length] == '\0';
}

/* The newest whole segment, or the first. Sorted by path is sorted by number. */
static enum code first_segment(struct files_log *log, const struct store_list *list, int32_t *out, struct error *err)
{
    for (int32_t i = list->count - 1; i >= 0; i--) {
        json_t *root = NULL;
        TRY(segment_read(log, list->entries[i].path, &root, err));
        bool whole = json_is_true(json_object_get(root, "whole"));
        json_decref(root);
        *out = i;
        if (whole)
            break;
    }
    return E_OK;
}

static enum code segments_load(struct files_log *log, const struct store_list *list, struct error *err)
{
    int32_t first = 0;
    TRY(first_segment(log, list, &first, err));
    for (int32_t i = 0; i < first; i++)
        TRY(store_remove(log->store, list->entries[i].path, err));
    for (int32_t i = first; i < list->count; i++) {
        const char *path = list->entries[i].path;
        json_t *root = NULL;
        int64_t number;
        if (!segment_number(log, path, &number) || (i > first && number != log->segment))
            return segment_corrupt(log, path, "the log of files has a gap", err);
        TRY(segment_read(log, path, &root, err));
        bool whole = json_is_true(json_object_get(root, "whole"));
        bool taken = (whole || i > first || number == 0) && segment_take(log, root, whole);
        json_decref(root);
        if (!taken)
            return segment_corrupt(log, path, "the log of files does not fit together", err);
        log->segment = number + 1;
        log->segments++;
    }
    return E_OK;
}

enum code files_log_open(struct files_log *log, struct store *store, const char *folder, struct error *err)
{
    *log = (struct files_log){.store = store, .folder = folder, .version = -1};
    if (store == NULL)
        return E_OK;
    struct store_list list = {0};
    TRY(store_sweep(store, folder, err));
    TRY(store_sync(store, folder, err)); // before acting upon what the list shows
    enum code code = store_list(store, folder, false, &list, err);
    if (code == E_OK && list.count > 0)
        code = segments_load(log, &list, err);
    store_list_free(&list);
    return code;
}

void files_log_close(struct files_log *log)
{
    entries_free(log->entries, log->count);
    mem_free(log->slots);
    *log = (struct files_log){0};
}

/* ---- growing and forgetting ---- */

enum code files_log_append(struct files_log *log, struct found_files *found, int64_t version, struct error *err)
{
    struct file_entry *entries = mem_array(struct file_entry, (size_t)found->count);
    struct text bytes = {0};
    int64_t end = log->end;
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < found->count; i++) {
        const struct found_file *file = &found->items[i];
        int64_t offsets = file->rows >= 0 ? file->rows : file->size_bytes;
        entries[i] = (struct file_entry){file->name, end, file->size_bytes, file->modified_us, file->rows, file->add};
        if (__builtin_add_overflow(end, offsets, &end) || __builtin_add_overflow(end, file->rows < 0, &end))
            code = fail(err, E_UNSUPPORTED, "%s: more offsets than a number can count", file->name);
    }
    if (code == E_OK)
        code = segment_print(entries, found->count, false, end, log->aged_us, version, &bytes, err);
    if (code == E_OK)
        code = segment_put(log, &bytes, err);
    for (int32_t i = 0; code == E_OK && i < found->count; i++) {
        entry_add(log, &entries[i]);
        found->items[i].name = found->items[i].add = NULL;
    }
    if (code == E_OK)
        log->version = version;
    text_free(&bytes);
    mem_free(entries);
    return code;
}

/* Drops what is committed and too old; returns how many went. */
static void entries_forget(struct files_log *log, int64_t committed, int64_t age_us)
{
    int64_t newest_us = INT64_MIN;
    int32_t kept = 0;
    for (int32_t i = 0; i < log->count; i++)
        if (log->entries[i].modified_us > newest_us)
            newest_us = log->entries[i].modified_us;
    int64_t oldest_us;
    if (log->count < KEPT_MIN || __builtin_sub_overflow(newest_us, age_us, &oldest_us) || oldest_us <= log->aged_us)
        return;
    log->aged_us = oldest_us;
    for (int32_t i = 0; i < log->count; i++) {
        struct file_entry *entry = &log->entries[i];
        if (entry->modified_us >= oldest_us || file_entry_end(entry) > committed) {
            log->entries[kept++] = *entry;
            continue;
        }
        mem_free(entry->name);
        mem_free(entry->add);
    }
    log->count = kept;
    slots_rebuild(log, kept * 2 + 2);
}

/* Put the whole log as one segment, then remove those before it. */
enum code files_log_compact(struct files_log *log, int64_t committed, int64_t age_us, struct error *err)
{
    if (log->segments < FILE_SEGMENTS_MAX)
        return E_OK;
    entries_forget(log, committed, age_us);
    int64_t first = log->segment - log->segments;
    struct text bytes = {0};
    enum code code = segment_print(log->entries, log->count, true, log->end, log->aged_us, log->version, &bytes, err);
    if (code == E_OK)
        code = segment_put(log, &bytes, err);
    text_free(&bytes);
    for (int64_t number = first; code == E_OK && number < log->segment - 1; number++) {
        char path[STORE_PATH_MAX];
        snprintf(path, sizeof path, "%s/%016" PRId64 ".json", log->folder, number);
        code = store_remove(log->store, path, err);
    }
    if (code == E_OK)
        log->segments = 1;
    return code;
}
