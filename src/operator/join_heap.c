#include "operator/join_heap.h"

enum {
    CHUNK_GROWTH = 4,
    EXPIRE_ROWS = 256, /* given to gone() at once */
};
#define COMPACT_BYTES_MIN ((size_t)1 << 20)

void join_heap_init(struct join_heap *self, const char *name, struct budget *budget)
{
    *self = (struct join_heap){.name = name, .budget = budget};
    expiry_init(&self->buckets, EXPIRY_BUCKET_US, 0, budget);
}

/* ---- chunks ---- */

static void chunk_free(struct join_heap *self, struct join_chunk *chunk)
{
    if (self->budget != NULL)
        budget_give(self->budget, chunk->capacity);
    self->charged_bytes -= chunk->capacity;
    mem_free(chunk->data);
    *chunk = (struct join_chunk){0};
}

void join_heap_close(struct join_heap *self)
{
    join_heap_bury(self);
    for (uint32_t c = 0; c < self->chunk_count; c++)
        if (self->chunks[c].data != NULL)
            chunk_free(self, &self->chunks[c]);
    mem_free(self->chunks);
    mem_free(self->doomed);
    if (self->buckets.buckets != NULL)
        expiry_close(&self->buckets);
    *self = (struct join_heap){0};
}

static uint32_t chunk_slot(struct join_heap *self)
{
    if (self->free_first > 0) {
        uint32_t chunk = self->free_first - 1;
        self->free_first = self->chunks[chunk].link;
        return chunk;
    }
    mem_grow(self->chunks, self->chunk_capacity, self->chunk_count + 1);
    return self->chunk_count++;
}

static void chunk_forget(struct join_heap *self, uint32_t chunk)
{
    self->chunks[chunk] = (struct join_chunk){.link = self->free_first};
    self->free_first = chunk + 1;
}

/* A chunk of the bucket with room for `size` more; it follows one of `before` bytes, 0 = it is the first. */
static enum code chunk_open(struct join_heap *self, int64_t until_us, size_t size, size_t before, uint32_t *out,
                            struct error *err)
{
    size_t capacity = before == 0 ? CHUNK_BYTES_MIN : before * CHUNK_GROWTH;
    capacity = capacity < CHUNK_BYTES_MAX ? capacity : CHUNK_BYTES_MAX;
    capacity = capacity > size + ROW_SLACK ? capacity : size + ROW_SLACK;
    if (self->budget != NULL)
        TRY(budget_take(self->budget, capacity, self->name, err));
    self->charged_bytes += capacity;
    uint32_t chunk = chunk_slot(self);
    self->chunks[chunk] = (struct join_chunk){mem_alloc(capacity), 0, capacity, INT64_MAX, 0};
    enum code code = expiry_add(&self->buckets, until_us, chunk, &self->chunks[chunk].link, err);
    if (code != E_OK) {
        chunk_free(self, &self->chunks[chunk]);
        chunk_forget(self, chunk);
        return code;
    }
    *out = chunk;
    return E_OK;
}

static bool chunk_has_room(const struct join_chunk *chunk, size_t size)
{
    return chunk->used + size + ROW_SLACK <= chunk->capacity;
}

static enum code chunk_find(struct join_heap *self, int64_t until_us, size_t size, uint32_t *out, struct error *err)
{
    int64_t number = until_us / EXPIRY_BUCKET_US - (until_us % EXPIRY_BUCKET_US < 0);
    struct recent_bucket *recent = &self->recent[number & (RECENT_BUCKETS - 1)];
    if (recent->chunk == 0 || recent->number != number) {
        uint32_t first = expiry_peek(&self->buckets, until_us);
        *recent = (struct recent_bucket){number, first == (uint32_t)EXPIRY_NONE ? 0 : first + 1};
    }
    if (recent->chunk == 0 || !chunk_has_room(&self->chunks[recent->chunk - 1], size)) {
        uint32_t chunk;
        size_t before = recent->chunk == 0 ? 0 : self->chunks[recent->chunk - 1].capacity;
        TRY(chunk_open(self, until_us, size, before, &chunk, err));
        recent->chunk = chunk + 1;
    }
    *out = recent->chunk - 1;
    return E_OK;
}

enum code join_heap_add(struct join_heap *self, int64_t until_us, size_t size, struct join_row **out, struct error *err)
{
    uint32_t index;
    TRY(chunk_find(self, until_us, size, &index, err));
    struct join_chunk *chunk = &self->chunks[index];
    struct join_row *row = (struct join_row *)(void *)(chunk->data + chunk->used);
    chunk->used += size;
    chunk->first_us = until_us < chunk->first_us ? until_us : chunk->first_us;
    self->used_bytes += size;
    self->rows++;
    *row = (struct join_row){.until_us = until_us, .units = (uint32_t)(size / ROW_ALIGN) & 0xfffffff};
    *out = row;
    return E_OK;
}

/* ---- expiry ---- */

int64_t join_heap_first_us(const struct join_heap *self)
{
    int64_t first_us = expiry_first_us(&self->buckets);
    return self->rows == 0 ? INT64_MAX : first_us;
}

static struct join_row *row_behind(const struct join_row *row)
{
    return (struct join_row *)(void *)((uintptr_t)row + row_bytes(row));
}

struct expiring {
    enum code (*gone)(void *context, struct join_row *const *rows, int64_t count, struct error *err);
    void *context;
    int64_t now_us;
};

/* Lets the rows of a chunk go whose time has come; *kept: how many stay. */
static enum code chunk_expire(struct join_chunk *chunk, const struct expiring *expiring, int64_t *kept,
                              struct error *err)
{
    struct join_row *rows[EXPIRE_ROWS];
    int64_t count = 0;
    *kept = 0;
    chunk->first_us = INT64_MAX;
    struct join_row *end = (struct join_row *)(void *)(chunk->data + chunk->used);
    for (struct join_row *row = (struct join_row *)(void *)chunk->data; row < end; row = row_behind(row)) {
        if (row->flags & ROW_DEAD)
            continue;
        if (row->until_us > expiring->now_us) {
            chunk->first_us = row->until_us < chunk->first_us ? row->until_us : chunk->first_us;
            (*kept)++;
            continue;
        }
        rows[count++] = row;
        if (count == EXPIRE_ROWS) {
            TRY(expiring->gone(expiring->context, rows, count, err));
            count = 0;
        }
    }
    return count == 0 ? E_OK : expiring->gone(expiring->context, rows, count, err);
}

/* No row of the chunk is alive. */
static void chunk_doom(struct join_heap *self, uint32_t index)
{
    struct join_chunk *chunk = &self->chunks[index];
    const struct join_row *end = (const struct join_row *)(const void *)(chunk->data + chunk->used);
    for (const struct join_row *row = (const struct join_row *)(const void *)chunk->data; row < end;
         row = row_behind(row)) {
        self->used_bytes -= row_bytes(row);
        self->dead_bytes -= row_bytes(row);
    }
    mem_grow(self->doomed, self->doomed_capacity, self->doomed_count + 1);
    self->doomed[self->doomed_count++] = *chunk;
    chunk_forget(self, index);
}

/* One bucket's chunks. Those in which rows stay are chained by `link` from *stay on. */
static enum code bucket_expire(struct join_heap *self, uint32_t first, const struct expiring *expiring, uint32_t *stay,
                               struct error *err)
{
    enum code code = E_OK;
    for (uint32_t index = first, next; index != (uint32_t)EXPIRY_NONE; index = next) {
        struct join_chunk *chunk = &self->chunks[index];
        int64_t kept = 1;
        next = chunk->link;
        if (code == E_OK && chunk->first_us <= expiring->now_us)
            code = chunk_expire(chunk, expiring, &kept, err);
        if (code == E_OK && kept == 0) {
            chunk_doom(self, index);
            continue;
        }
        chunk->link = *stay;
        *stay = index;
    }
    return code;
}

enum code join_heap_expire(struct join_heap *self, int64_t now_us,
                           enum code (*gone)(void *context, struct join_row *const *rows, int64_t count,
                                             struct error *err),
                           void *context, struct error *err)
{
    const struct expiring expiring = {gone, context, now_us};
    uint32_t first, stay = (uint32_t)EXPIRY_NONE;
    enum code code = E_OK;
    bool any = false;
    for (; code == E_OK && expiry_take(&self->buckets, now_us, &first); any = true)
        code = bucket_expire(self, first, &expiring, &stay, err);
    for (uint32_t index = stay, next; index != (uint32_t)EXPIRY_NONE; index = next) {
        struct join_chunk *chunk = &self->chunks[index];
        next = chunk->link;
        enum code again = expiry_add(&self->buckets, chunk->first_us, index, &chunk->link, err);
        code = code == E_OK ? again : code;
    }
    if (any)
        memset(self->recent, 0, sizeof self->recent);
    return code;
}

void join_heap_bury(struct join_heap *self)
{
    for (int64_t i = 0; i < self->doomed_count; i++)
        chunk_free(self, &self->doomed[i]);
    self->doomed_count = 0;
}

/* ---- compaction ---- */

static enum code chunk_move(struct join_heap *to, const struct join_chunk *chunk,
                            void (*moved)(void *context, const struct join_row *from, struct join_row *to),
                            void *context, struct error *err)
{
    const struct join_row *end = (const struct join_row *)(const void *)(chunk->data + chunk->used);
    for (const struct join_row *row = (const struct join_row *)(const void *)chunk->data; row < end;
         row = row_behind(row)) {
        struct join_row *copy;
        if (row->flags & ROW_DEAD)
            continue;
        TRY(join_heap_add(to, row->until_us, row_bytes(row), &copy, err));
        memcpy(copy, row, row_bytes(row));
        moved(context, row, copy);
    }
    return E_OK;
}

enum code join_heap_compact(struct join_heap *self,
                            void (*moved)(void *context, const struct join_row *from, struct join_row *to),
                            void *context, struct error *err)
{
    if (self->dead_bytes < COMPACT_BYTES_MIN || self->dead_bytes < self->used_bytes / 2)
        return E_OK;
    struct join_heap fresh;
    join_heap_init(&fresh, self->name, self->budget);
    enum code code = E_OK;
    for (uint32_t c = 0; code == E_OK && c < self->chunk_count; c++) {
        if (self->chunks[c].data == NULL)
            continue;
        code = chunk_move(&fresh, &self->chunks[c], moved, context, err);
        if (code == E_OK)
            chunk_free(self, &self->chunks[c]);
    }
    join_heap_close(self); // after a failure rows are in both: the epoch fails, and the stage with it
    *self = fresh;
    return code;
}
