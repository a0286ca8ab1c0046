#include "base/memory.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/options.h"

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

/* ---- blocks ---- */

enum { HUGE_PAGE = 2 * 1024 * 1024 }; /* bytes */

static bool block_is_mapped(size_t size) { return size >= MEM_BLOCK_LARGE; }

static size_t block_mapped_bytes(size_t size) { return (size + MEM_PAGE - 1) & ~(size_t)(MEM_PAGE - 1); }

/* Address space that begins where a huge page can: a table that is hit at random spends less time on looking up pages. */
static uint8_t *map_aligned(size_t size, int protection)
{
    size_t align = size >= HUGE_PAGE ? HUGE_PAGE : MEM_PAGE, slack = align - MEM_PAGE;
    uint8_t *raw = mmap(NULL, size + slack, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (raw == MAP_FAILED)
        checked(NULL, size);
    size_t before = -(uintptr_t)raw & (align - 1);
    if (before > 0)
        munmap(raw, before);
    if (slack > before)
        munmap(raw + before + size, slack - before);
    return raw + before;
}

static void *map_new(size_t size)
{
    uint8_t *block = map_aligned(size, PROT_READ | PROT_WRITE);
    if (size >= HUGE_PAGE)
        madvise(block, size, MADV_HUGEPAGE);
    return block;
}

static void *map_resize(void *old, size_t old_size, size_t size)
{
    void *block = mremap(old, old_size, size, 0);
    if (block == MAP_FAILED)
        block = mremap(old, old_size, size, MREMAP_MAYMOVE | MREMAP_FIXED, map_aligned(size, PROT_NONE));
    checked(block == MAP_FAILED ? NULL : block, size);
    if (size >= HUGE_PAGE)
        madvise(block, size, MADV_HUGEPAGE);
    return block;
}

void *mem_block_zero(size_t size)
{
    if (block_is_mapped(size))
        return map_new(block_mapped_bytes(size));
    return memset(mem_aligned(size), 0, size);
}

void *mem_block_resize(void *old, size_t old_size, size_t size)
{
    if (block_is_mapped(old_size) && block_is_mapped(size))
        return map_resize(old, block_mapped_bytes(old_size), block_mapped_bytes(size));
    void *block = block_is_mapped(size) ? map_new(block_mapped_bytes(size)) : mem_aligned(size);
    if (old_size > 0)
        memcpy(block, old, old_size < size ? old_size : size);
    mem_block_free(old, old_size);
    return block;
}

void mem_block_free(void *block, size_t size)
{
    if (block_is_mapped(size))
        munmap(block, block_mapped_bytes(size));
    else
        mem_free(block);
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

/* How much of the budget above a part needs that has `used` in use. */
static size_t beyond_sure(const struct budget *budget, size_t used)
{
    return used > budget->sure_bytes ? used - budget->sure_bytes : 0;
}

static enum code part_take(struct budget *budget, size_t before, size_t size, const char *what, struct error *err)
{
    size_t more = beyond_sure(budget, before + size) - beyond_sure(budget, before);
    enum code code = more > 0 ? budget_take(budget->of, more, what, err) : E_OK;
    if (code != E_OK)
        atomic_fetch_sub_explicit(&budget->used_bytes, size, memory_order_relaxed);
    return code;
}

enum code budget_take(struct budget *budget, size_t size, const char *what, struct error *err)
{
    size_t before;
    char needed[SIZE_TEXT_MAX], used[SIZE_TEXT_MAX], limit[SIZE_TEXT_MAX];
    do {
        before = atomic_fetch_add_explicit(&budget->used_bytes, size, memory_order_relaxed);
        if (budget->limit_bytes == 0 || before + size <= budget->limit_bytes)
            return budget->of == NULL ? E_OK : part_take(budget, before, size, what, err);
        atomic_fetch_sub_explicit(&budget->used_bytes, size, memory_order_relaxed);
    } while (size <= budget->limit_bytes && budget->relieve != NULL && budget->relieve(budget->relieve_context, size));
    return fail(err, E_MEMORY,
                "%s needs %s, but %s of the budget of %s are in use; raise leat.memory or lower leat.epoch.max_records",
                what, print_size(size, needed), print_size(before, used), print_size(budget->limit_bytes, limit));
}

void budget_give(struct budget *budget, size_t size)
{
    size_t before = atomic_fetch_sub_explicit(&budget->used_bytes, size, memory_order_relaxed);
    always(before >= size);
    if (budget->of != NULL)
        budget_give(budget->of, beyond_sure(budget, before) - beyond_sure(budget, before - size));
}
