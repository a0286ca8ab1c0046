/* merge_plan.c - which small files become one.
 *
 * Rule     of one folder, from the newest file to older ones: take each that is at most twice as large as all that is taken so
 *          far, until the target is reached. It is worth the work once MERGE_FAN_IN files or the target have come together
 * Why      a row is then rewritten only when its file grows by half at least: log1.5(target / 12 first files) times at most;
 *          and beside 11 new files there are a few, each much larger than all newer ones, at any time
 */
#include "sink/merge.h"

#include <stdlib.h>
#include <string.h>

int64_t merge_small_bytes(int64_t target_bytes) { return target_bytes / 4 * 3; }

static size_t folder_size(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash - path);
}

static bool same_folder(const struct merge_file *a, const struct merge_file *b)
{
    size_t size = folder_size(a->path);
    return size == folder_size(b->path) && memcmp(a->path, b->path, size) == 0;
}

/* By folder, the newest first. */
static int by_folder_and_age(const void *a, const void *b)
{
    const struct merge_file *left = a, *right = b;
    size_t left_size = folder_size(left->path), right_size = folder_size(right->path);
    size_t least = left_size < right_size ? left_size : right_size;
    int order = memcmp(left->path, right->path, least);
    if (order == 0 && left_size != right_size)
        return left_size < right_size ? -1 : 1;
    if (order != 0)
        return order;
    if (left->epoch != right->epoch)
        return left->epoch > right->epoch ? -1 : 1;
    return (left->number < right->number) - (left->number > right->number);
}

/* Files [from, to) are of one folder. Those taken are moved to its front. */
static bool folder_plan(struct merge_file *files, int32_t from, int32_t to, int64_t target_bytes, bool all,
                        struct merge_group *out)
{
    int64_t most = target_bytes + target_bytes / 4;
    *out = (struct merge_group){.from = from};
    for (int32_t i = from; i < to && out->count < MERGE_INPUTS_MAX && out->size_bytes < target_bytes; i++) {
        const struct merge_file file = files[i];
        if (file.size_bytes >= merge_small_bytes(target_bytes))
            continue;
        if (!all && out->count > 0 && file.size_bytes / 2 > out->size_bytes)
            break;
        if (file.size_bytes > most - out->size_bytes)
            continue;
        files[i] = files[from + out->count]; // no hole: what was skipped is not needed any more
        files[from + out->count++] = file;
        out->size_bytes += file.size_bytes;
    }
    return out->count >= 2 && (all || out->count >= MERGE_FAN_IN || out->size_bytes >= target_bytes);
}

static int by_age(const void *a, const void *b)
{
    const struct merge_file *left = a, *right = b;
    if (left->first_epoch != right->first_epoch)
        return left->first_epoch < right->first_epoch ? -1 : 1;
    return (left->number > right->number) - (left->number < right->number);
}

bool merge_plan(struct merge_file *files, int32_t count, int64_t target_bytes, bool all, struct merge_group *out)
{
    if (count > 0)
        qsort(files, (size_t)count, sizeof *files, by_folder_and_age);
    for (int32_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && same_folder(&files[from], &files[to]); to++)
            ;
        if (!folder_plan(files, from, to, target_bytes, all, out))
            continue;
        qsort(files + out->from, (size_t)out->count, sizeof *files, by_age); // rows stay in the order they came
        return true;
    }
    return false;
}
