/* memory.h - the only door to the heap: plain allocation, arenas, and the budget.
 *
 * Lifetimes  query    an arena, freed whole when the query ends
 *            batch    counted buffers (data/buffer.h), freed at the last release
 *            scratch  the task's arena, reset after each batch
 *            state    the operator's tables, charged to a budget
 * Fails      small allocations abort: a crash is a tested recovery path. Large ones ask a budget
 *            first and answer E_MEMORY
 * Thread     mem_* and budget_*: any. An arena: one at a time
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Never NULL; aborts when memory is out. mem_new gives zeroed memory. mem_free(NULL) does nothing. */
void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *mem_zero(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *mem_resize(void *old, size_t size) __attribute__((returns_nonnull, alloc_size(2)));
/* 64-byte aligned; freed by mem_free. */
void *mem_aligned(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
/* Page aligned, as O_DIRECT wants it; freed by mem_free. */
void *mem_pages(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
enum { MEM_PAGE = 4096 }; /* bytes */
void mem_free(void *memory);
/* Arrays that may become large: from MEM_BLOCK_LARGE bytes on they are pages of their own, which grow by moving page
 * tables instead of bytes and go back to the system when they are freed. 64-byte aligned. The caller remembers the
 * size. mem_block_resize keeps what fits and does not zero the rest; (NULL, 0) is an empty block. */
enum { MEM_BLOCK_LARGE = 256 * 1024 };
void *mem_block_zero(size_t size) __attribute__((returns_nonnull));
void *mem_block_resize(void *old, size_t old_size, size_t size) __attribute__((returns_nonnull));
void mem_block_free(void *block, size_t size);
/* Keep freed memory for the next batch instead of giving it back to the system page by page. Call once at start. */
void mem_tune(void);
char *mem_strdup(const char *text) __attribute__((malloc, returns_nonnull));
#define mem_new(type) ((type *)mem_zero(sizeof(type)))
#define mem_array(type, count) ((type *)mem_zero_array((count), sizeof(type)))
void *mem_zero_array(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* Grow an array so that it holds `need` elements: doubles, keeps contents, does not zero the rest. */
#define mem_grow(array, capacity, need)                                                                       \
    do {                                                                                                      \
        if ((size_t)(need) > (size_t)(capacity)) {                                                            \
            size_t grow_ = (size_t)(capacity)*2 > (size_t)(need) ? (size_t)(capacity)*2 : (size_t)(need) + 8; \
            (array) = mem_resize((array), grow_ * sizeof *(array));                                           \
            (capacity) = (__typeof__(capacity))grow_;                                                         \
        }                                                                                                     \
    } while (0)

/* An arena hands out memory that is freed all at once. Zeroed = empty and ready. */
struct arena_block;
struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used_bytes;          /* handed out since the last reset */
};
/* 16-byte aligned, zeroed. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull, alloc_size(2)));
char *arena_strdup(struct arena *arena, const char *text) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *arena, const char *text, size_t size) __attribute__((returns_nonnull));
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF(2, 3) __attribute__((returns_nonnull));
#define arena_new(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, count) ((type *)arena_alloc_array((arena), (count), sizeof(type)))
void *arena_alloc_array(struct arena *arena, size_t count, size_t size) __attribute__((returns_nonnull));
void arena_reset(struct arena *arena); /* keeps the largest block for reuse */
void arena_free(struct arena *arena);

/* A budget counts bytes against a ceiling. limit_bytes 0 means no ceiling. */
struct budget {
    atomic_size_t used_bytes;
    size_t limit_bytes;
    /* Asked, on the thread that takes, when the ceiling is reached: give something back and answer true, or false when
     * there is nothing more to give. May be NULL. */
    bool (*relieve)(void *context, size_t need);
    void *relieve_context;
    /* A part of another budget: `sure_bytes` of that one are taken already, and what passes them is taken when needed.
     * NULL: stands alone. */
    struct budget *of;
    size_t sure_bytes;
};
/* E_MEMORY names `what` and both numbers. */
MUST_CHECK enum code budget_take(struct budget *budget, size_t size, const char *what, struct error *err);
void budget_give(struct budget *budget, size_t size);

#endif
