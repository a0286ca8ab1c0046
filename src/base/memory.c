#include "base/memory.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory, size_t size)
{
    if (memory == NULL) {
        fprintf(stderr, "leat: out of memory (asked for %zu bytes)\n", size);
        abort();
    }
    return memory;
}

void *mem_alloc(size_t size) { return checked(malloc(size > 0 ? size : 1), size); }

void *mem_zero(size_t size) { return checked(calloc(1, size > 0 ? size : 1), size); }

void *mem_zero_array(size_t count, size_t size)
{
    return checked(calloc(count > 0 ? count : 1, size > 0 ? size : 1), count * size);
}

void *mem_resize(void *old, size_t size) { return checked(realloc(old, size > 0 ? size : 1), size); }

void *mem_aligned(size_t size)
{
    size_t padded = (size + 63) & ~(size_t)63;
    return checked(aligned_alloc(64, padded > 0 ? padded : 64), size);
}

void *mem_pages(size_t size)
{
    size_t padded = (size + MEM_PAGE - 1) & ~(size_t)(MEM_PAGE - 1);
    return checked(aligned_alloc(MEM_PAGE, padded > 0 ? padded : MEM_PAGE), size);
}

void mem_free(void *memory) { free(memory); }

/* A batch's buffers are some MB, allocated and freed a hundred times a second: as mappings of their own each of them
 * would cost the kernel a zeroed page per 4 KB, which was 5 % of all CPU time. What is larger, such as a hash table that
 * grows, is better mapped: the kernel moves its pages instead of copying them, and leaves no hole in the heap. */
void mem_tune(void)
{
    mallopt(M_MMAP_THRESHOLD, 8 << 20);
    mallopt(M_TRIM_THRESHOLD, 32 << 20);
    mallopt(M_ARENA_MAX, 2); // each arena keeps its own holes; threads allocate some hundred times a second, not more
}

char *mem_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(mem_alloc(size), text, size);
}

/* ---- arena ---- */

enum { ARENA_BLOCK_BYTES = 16 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    _Alignas(16) unsigned char bytes[];
};

static struct arena_block *arena_block_new(size_t need)
{
    size_t size = need > ARENA_BLOCK_BYTES ? need : ARENA_BLOCK_BYTES;
    struct arena_block *block = mem_alloc(sizeof *block + size);
    block->next = NULL;
    block->size = size;
    block->used = 0;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t need = (size + 15) & ~(size_t)15;
    if (need < size)
        checked(NULL, size);
    if (arena->blocks == NULL || arena->blocks->size - arena->blocks->used < need) {
        struct arena_block *block = arena_block_new(need);
        block->next = arena->blocks;
        arena->blocks = block;
    }
    void *memory = arena->blocks->bytes + arena->blocks->used;
    arena->blocks->used += need;
    arena->used_bytes += need;
    return memset(memory, 0, need);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        checked(NULL, SIZE_MAX);
    return arena_alloc(arena, total);
}

char *arena_strndup(struct arena *arena, const char *text, size_t size)
{
    char *copy = arena_alloc(arena, size + 1);
    if (size > 0)
        memcpy(copy, text, size);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text) { return arena_strndup(arena, text, strlen(text)); }

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = arena_alloc(arena, (size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return text;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *largest = NULL;
    for (struct arena_block *block = arena->blocks, *next; block != NULL; block = next) {
        next = block->next;
        if (largest == NULL || block->size > largest->size) {
            mem_free(largest);
            largest = block;
        } else {
            mem_free(block);
        }
    }
    if (largest != NULL) {
        largest->next = NULL;
        largest->used = 0;
    }
    arena->blocks = largest;
    arena->used_bytes = 0;
}

void arena_free(struct arena *arena)
{
    for (struct arena_block *block = arena->blocks, *next; block != NULL; block = next) {
        next = block->next;
        mem_free(block);
    }
    *arena = (struct arena){0};
}

/* ---- budget ---- */

enum code budget_take(struct budget *budget, size_t size, const char *what, struct error *err)
{
    size_t before = atomic_fetch_add_explicit(&budget->used_bytes, size, memory_order_relaxed);
    if (budget->limit_bytes == 0 || before + size <= budget->limit_bytes)
        return E_OK;
    atomic_fetch_sub_explicit(&budget->used_bytes, size, memory_order_relaxed);
    return fail(err, E_MEMORY, "%s needs %zu bytes, but %zu of the budget of %zu bytes are in use; raise leat.memory",
                what, size, before, budget->limit_bytes);
}

void budget_give(struct budget *budget, size_t size)
{
    size_t before = atomic_fetch_sub_explicit(&budget->used_bytes, size, memory_order_relaxed);
    always(before >= size);
}
