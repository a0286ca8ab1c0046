#include "base/path_set.h"

#include <string.h>

#include "base/memory.h"

/* Where path is, or where it would go. */
static int32_t set_place(const struct path_set *set, const char *path)
{
    int32_t low = 0, high = set->count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (strcmp(set->items[middle], path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool path_set_has(const struct path_set *set, const char *path)
{
    int32_t at = set_place(set, path);
    return at < set->count && strcmp(set->items[at], path) == 0;
}

void path_set_add(struct path_set *set, const char *path)
{
    int32_t at = set_place(set, path);
    if (at < set->count && strcmp(set->items[at], path) == 0)
        return;
    mem_grow(set->items, set->capacity, set->count + 1);
    memmove(set->items + at + 1, set->items + at, (size_t)(set->count - at) * sizeof *set->items);
    set->items[at] = mem_strdup(path);
    set->count++;
}

void path_set_free(struct path_set *set)
{
    for (int32_t i = 0; i < set->count; i++)
        mem_free(set->items[i]);
    mem_free(set->items);
    *set = (struct path_set){0};
}
