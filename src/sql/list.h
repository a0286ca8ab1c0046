/* list.h - growing arrays in an arena: of pointers, and of structs.
 *
 * Owns     memory is the arena's; what an array outgrows stays there until the arena is freed
 */
#ifndef SQL_LIST_H
#define SQL_LIST_H

#include "base/memory.h"

struct list {
    void **items;
    int32_t count, capacity;
};
void list_add(struct arena *arena, struct list *list, const void *item);

/* Grow an arena array of structs by one zeroed element and give its address. Only array_add may
 * have grown it. */
#define array_add(arena, array, count) \
    ((array) = array_grow((arena), (array), sizeof *(array), (count)), &(array)[(count)++])
void *array_grow(struct arena *arena, void *array, size_t size, int32_t count);

#endif
