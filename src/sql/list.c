#include "sql/list.h"

#include <stdbool.h>
#include <string.h>

void list_add(struct arena *arena, struct list *list, const void *item)
{
    if (list->count == list->capacity) {
        int32_t capacity = list->capacity * 2 + 4;
        void **items = arena_array(arena, void *, (size_t)capacity);
        if (list->count > 0)
            memcpy(items, list->items, (size_t)list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = (void *)(uintptr_t)item;
}

/* The capacity is always the next power of two from 4 on, so it need not be stored. */
void *array_grow(struct arena *arena, void *array, size_t size, int32_t count)
{
    bool full = count == 0 || (count >= 4 && (count & (count - 1)) == 0);
    if (!full)
        return array;
    void *grown = arena_alloc_array(arena, count == 0 ? 4 : (size_t)count * 2, size);
    if (count > 0)
        memcpy(grown, array, (size_t)count * size);
    return grown;
}
