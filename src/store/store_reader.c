/* store_reader.c - a file read in place: blocks that were read ahead, and the requests that bring them.
 *
 *   read    in a block     copied from there
 *           in none        it and what follows, `ahead` bytes in all; twice as many each time that goes on where the last
 *                          ended. Near the file's end its whole tail: a footer's size, and then the footer, are asked for; of
 *                          a small file all
 *   expect                 the spans that are in no block, those with less than GAP_BYTES between them as one, in pieces of
 *                          PIECE_BYTES, together
 *
 * Memory  HELD_MAX bytes of blocks, which are charged; the one not used for longest goes first. Reads larger than a piece, and
 *         all when the budget has nothing left, go by no block
 */
#include <stdlib.h>

#include "store/store_type.h"

enum {
    BLOCKS_MAX = 64,
    HELD_MAX = 64 << 20,
    PIECE_BYTES = 4 << 20,
    AHEAD_BYTES = 1 << 20,
    RUN_BYTES = 16 << 20, /* read ahead of who reads from the first byte to the last */
    TAIL_BYTES = 64 << 10,
    GAP_BYTES = 128 << 10, /* as long as a request's answer takes to begin, this much has come */
};

static const int64_t FILE_BYTES_MAX = INT64_C(1) << 56; // no store has such, and sums of offsets stay in an int64

struct block {
    int64_t offset;
    struct text bytes;
    int64_t used; /* when it was last read from */
};
struct store_reader {
    struct store *store;
    char *path;
    struct store_pin pin;
    struct budget *budget, unbound;
    struct block blocks[BLOCKS_MAX];
    int32_t count;
    int64_t held_bytes, reads;
    int64_t ahead_bytes, run_bytes, run_end; /* run_end: where the last request ended */
};

enum code store_reader_open(struct store *store, const struct store_entry *file, struct budget *budget,
                            struct store_reader **out, struct error *err)
{
    int64_t size_bytes = file->size_bytes;
    if (size_bytes < 0)
        TRY(store_size(store, file->path, &size_bytes, err));
    if (size_bytes > FILE_BYTES_MAX)
        return fail(err, E_CORRUPT, "%s/%s: a file of %lld bytes", store->root, file->path, (long long)size_bytes);
    struct store_reader *self = mem_new(struct store_reader);
    self->store = store;
    self->path = mem_strdup(file->path);
    self->pin = (struct store_pin){.size_bytes = size_bytes, .modified_us = file->modified_us};
    self->budget = budget != NULL ? budget : &self->unbound;
    self->ahead_bytes = AHEAD_BYTES;
    *out = self;
    return E_OK;
}

int64_t store_reader_size(const struct store_reader *self) { return self->pin.size_bytes; }

/* ---- blocks ---- */

static void block_drop(struct store_reader *self, int32_t i)
{
    struct block *block = &self->blocks[i];
    self->held_bytes -= (int64_t)block->bytes.size;
    budget_give(self->budget, block->bytes.size);
    text_free(&block->bytes);
    *block = self->blocks[--self->count];
    self->blocks[self->count] = (struct block){0};
}

static void blocks_drop(struct store_reader *self)
{
    while (self->count > 0)
        block_drop(self, self->count - 1);
}

void store_reader_close(struct store_reader *self)
{
    if (self == NULL)
        return;
    blocks_drop(self);
    mem_free(self->path);
    mem_free(self);
}

static void oldest_drop(struct store_reader *self)
{
    int32_t oldest = 0;
    for (int32_t i = 1; i < self->count; i++)
        if (self->blocks[i].used < self->blocks[oldest].used)
            oldest = i;
    block_drop(self, oldest);
}

static struct block *block_of(struct store_reader *self, int64_t offset)
{
    for (int32_t i = 0; i < self->count; i++) {
        struct block *block = &self->blocks[i];
        if (offset >= block->offset && offset - block->offset < (int64_t)block->bytes.size) {
            block->used = ++self->reads;
            return block;
        }
    }
    return NULL;
}

/* Room for so many more, charged; false: they are not to be kept. */
static bool blocks_reserve(struct store_reader *self, int32_t count, int64_t size_bytes)
{
    struct error ignored = {0};
    while (self->count > 0 && (self->count + count > BLOCKS_MAX || self->held_bytes + size_bytes > HELD_MAX))
        oldest_drop(self);
    return budget_take(self->budget, (size_t)size_bytes, "blocks of a file that is read ahead", &ignored) == E_OK;
}

/* ---- requests ---- */

/* Without the store's help: each by itself, and only its size tells that the file is the same. */
static enum code spans_one_by_one(struct store_reader *self, const struct store_span *spans, int32_t count,
                                  struct text *outs, struct error *err)
{
    int64_t size_bytes;
    TRY(store_size(self->store, self->path, &size_bytes, err));
    if (size_bytes != self->pin.size_bytes)
        return fail(err, E_LOST, "%s/%s was changed while it was read", self->store->root, self->path);
    for (int32_t i = 0; i < count; i++)
        TRY(store_read(self->store, self->path, spans[i].offset, (size_t)spans[i].size_bytes, &outs[i], err));
    return E_OK;
}

static enum code spans_get(struct store_reader *self, const struct store_span *spans, int32_t count, struct text *outs,
                           struct error *err)
{
    const struct store_type *type = self->store->type;
    return type->read_spans != NULL ? type->read_spans(self->store, self->path, &self->pin, spans, count, outs, err)
                                    : spans_one_by_one(self, spans, count, outs, err);
}

/* As blocks: they are charged. */
static enum code blocks_get(struct store_reader *self, const struct store_span *spans, int32_t count, struct error *err)
{
    struct text outs[BLOCKS_MAX] = {{0}};
    int64_t charged = 0;
    for (int32_t i = 0; i < count; i++)
        charged += spans[i].size_bytes;
    enum code code = spans_get(self, spans, count, outs, err);
    for (int32_t i = 0; i < count; i++) {
        if (code == E_OK)
            self->blocks[self->count++] = (struct block){spans[i].offset, outs[i], ++self->reads};
        else
            text_free(&outs[i]);
    }
    if (code == E_OK)
        self->held_bytes += charged;
    else
        budget_give(self->budget, (size_t)charged);
    return code;
}

/* Past the blocks, a few pieces together. */
static enum code direct_read(struct store_reader *self, int64_t offset, uint8_t *out, size_t size, struct error *err)
{
    enum { TOGETHER = 8 };
    enum code code = E_OK;
    for (size_t done = 0; code == E_OK && done < size;) {
        struct store_span spans[TOGETHER];
        struct text outs[TOGETHER] = {{0}};
        int32_t count = 0;
        for (size_t at = done; at < size && count < TOGETHER; at += PIECE_BYTES, count++) {
            size_t piece = size - at < PIECE_BYTES ? size - at : PIECE_BYTES;
            spans[count] = (struct store_span){offset + (int64_t)at, (int64_t)piece};
        }
        code = spans_get(self, spans, count, outs, err);
        for (int32_t i = 0; i < count; i++) {
            if (code == E_OK) {
                memcpy(out + done, outs[i].data, outs[i].size);
                done += outs[i].size;
            }
            text_free(&outs[i]);
        }
    }
    return code;
}

/* In pieces that come together. False: they are too many. */
static bool spans_cut(const struct store_span *spans, int32_t count, struct store_span pieces[BLOCKS_MAX],
                      int32_t *piece_count, int64_t *total_bytes)
{
    *piece_count = 0;
    *total_bytes = 0;
    for (int32_t i = 0; i < count; i++)
        for (int64_t at = 0; at < spans[i].size_bytes; at += PIECE_BYTES) {
            int64_t left = spans[i].size_bytes - at;
            if (*piece_count == BLOCKS_MAX)
                return false;
            pieces[*piece_count] = (struct store_span){spans[i].offset + at, left < PIECE_BYTES ? left : PIECE_BYTES};
            *total_bytes += pieces[(*piece_count)++].size_bytes;
        }
    return *total_bytes <= HELD_MAX;
}

/* ---- reading ---- */

static enum code ends_before(const struct store_reader *self, int64_t offset, size_t size, struct error *err)
{
    return fail(err, E_CORRUPT, "%s/%s has %lld bytes, %zu from byte %lld on are not there", self->store->root,
                self->path, (long long)self->pin.size_bytes, size, (long long)offset);
}

/* `size` bytes, at most a piece, that are in no block. False: there is no room for a block. */
static bool block_plan(struct store_reader *self, int64_t offset, size_t size, struct store_span pieces[BLOCKS_MAX],
                       int32_t *count)
{
    int64_t left = self->pin.size_bytes - offset, total_bytes;
    bool goes_on = offset == self->run_end && offset > 0;
    self->run_bytes = !goes_on ? self->ahead_bytes : self->run_bytes < RUN_BYTES ? 2 * self->run_bytes : RUN_BYTES;
    struct store_span span = {offset, (int64_t)size > self->run_bytes ? (int64_t)size : self->run_bytes};
    if (span.size_bytes > left)
        span.size_bytes = left;
    bool small = self->pin.size_bytes <= TAIL_BYTES + GAP_BYTES;
    if (left < TAIL_BYTES || small) {
        span.offset = small ? 0 : self->pin.size_bytes - TAIL_BYTES;
        span.size_bytes = self->pin.size_bytes - span.offset;
    }
    self->run_end = span.offset + span.size_bytes;
    return spans_cut(&span, 1, pieces, count, &total_bytes) && blocks_reserve(self, *count, total_bytes);
}

enum code store_reader_read(void *reader, int64_t offset, void *out_, size_t size, struct error *err)
{
    struct store_reader *self = reader;
    uint8_t *out = out_;
    if (offset < 0 || offset > self->pin.size_bytes || (int64_t)size > self->pin.size_bytes - offset)
        return ends_before(self, offset, size, err);
    while (size > 0) {
        const struct block *block = block_of(self, offset);
        if (block == NULL) {
            struct store_span pieces[BLOCKS_MAX];
            int32_t count;
            if (size > PIECE_BYTES || !block_plan(self, offset, size, pieces, &count))
                return direct_read(self, offset, out, size, err);
            TRY(blocks_get(self, pieces, count, err));
            continue;
        }
        size_t from = (size_t)(offset - block->offset), there = block->bytes.size - from;
        size_t part = there < size ? there : size;
        memcpy(out, block->bytes.data + from, part);
        out += part;
        offset += (int64_t)part;
        size -= part;
    }
    return E_OK;
}

/* ---- what will be read ---- */

static int by_offset(const void *a_, const void *b_)
{
    const struct store_span *a = a_, *b = b_;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Sorted, those that lie close together as one; those that the file does not have are left out. Their count. */
static int32_t spans_join(const struct store_reader *self, struct store_span *spans, int32_t count)
{
    int32_t kept = 0;
    qsort(spans, (size_t)count, sizeof *spans, by_offset);
    for (int32_t i = 0; i < count; i++) {
        struct store_span span = spans[i], *last = kept > 0 ? &spans[kept - 1] : NULL;
        if (span.offset < 0 || span.size_bytes <= 0 || span.size_bytes > self->pin.size_bytes ||
            span.offset > self->pin.size_bytes - span.size_bytes)
            continue;
        if (last == NULL || span.offset > last->offset + last->size_bytes + GAP_BYTES)
            spans[kept++] = span;
        else if (span.offset + span.size_bytes > last->offset + last->size_bytes)
            last->size_bytes = span.offset + span.size_bytes - last->offset;
    }
    return kept;
}

static bool block_has(const struct block *block, const struct store_span *span)
{
    int64_t end = block->offset + (int64_t)block->bytes.size;
    return span->offset >= block->offset && span->offset <= end && span->size_bytes <= end - span->offset;
}

/* Those that no block has; blocks that have none of them go. Their count. */
static int32_t spans_missing(struct store_reader *self, const struct store_span *spans, int32_t count,
                             struct store_span *out)
{
    bool wanted[BLOCKS_MAX] = {0};
    int32_t missing = 0;
    for (int32_t i = 0; i < count; i++) {
        int32_t b = 0;
        while (b < self->count && !block_has(&self->blocks[b], &spans[i]))
            b++;
        if (b < self->count)
            wanted[b] = true;
        else
            out[missing++] = spans[i];
    }
    for (int32_t b = self->count - 1; b >= 0; b--) // the last one takes the place of who goes
        if (!wanted[b])
            block_drop(self, b);
    return missing;
}

enum code store_reader_expect(void *reader, const struct store_span *spans, int32_t count, struct error *err)
{
    struct store_reader *self = reader;
    struct store_span *joined = mem_array(struct store_span, (size_t)count + 1), pieces[BLOCKS_MAX];
    int32_t piece_count;
    int64_t total_bytes;
    int32_t joined_count = spans_join(self, joined, spans_missing(self, spans, count, joined));
    bool fits = spans_cut(joined, joined_count, pieces, &piece_count, &total_bytes);
    mem_free(joined);
    // Of all that does not fit a little is read ahead of each.
    int64_t share = HELD_MAX / 2 / (joined_count > 0 ? joined_count : 1);
    self->ahead_bytes = share < AHEAD_BYTES ? AHEAD_BYTES : share > PIECE_BYTES ? PIECE_BYTES : share;
    if (!fits || piece_count == 0 || !blocks_reserve(self, piece_count, total_bytes))
        return E_OK;
    return blocks_get(self, pieces, piece_count, err);
}
