/* join_heap.h - memory for the rows that one side of a join keeps, laid out by when they go.
 *
 * Shape    rows lie one behind the other in chunks; a chunk holds rows of one bucket of time
 *          (EXPIRY_BUCKET_US), so a bucket that the watermark passes goes chunk by chunk, and nothing is
 *          left behind to be filled again. The first chunk of a bucket is small, later ones are larger: a
 *          bucket of few rows takes little
 * Moves    a row stays where it is until join_heap_compact(), which the owner runs when nobody points into
 *          the heap
 * Gone     chunks that hold nothing any more wait in `doomed`: rows of them may still have to come out
 * Owns     the chunks, charged to the budget
 * Fails    E_MEMORY
 * Thread   one at a time
 */
#ifndef OPERATOR_JOIN_HEAP_H
#define OPERATOR_JOIN_HEAP_H

#include "operator/expiry.h"
#include "operator/join_row.h"

enum {
    CHUNK_BYTES_MIN = 1024,
    CHUNK_BYTES_MAX = 256 * 1024,
    EXPIRY_BUCKET_US = 1000000,
    RECENT_BUCKETS = 64, /* power of two */
};

struct join_chunk {
    uint8_t *data;
    size_t used, capacity;
    int64_t first_us; /* no row of it goes before */
    uint32_t link;    /* next of its bucket; of the free list */
};
struct recent_bucket {
    int64_t number;
    uint32_t chunk; /* + 1; 0 = none */
};
struct join_heap {
    const char *name;
    struct budget *budget;
    struct join_chunk *chunks;
    uint32_t chunk_count, chunk_capacity, free_first; /* free_first + 1 */
    struct expiry buckets;                            /* chains of chunks */
    struct recent_bucket recent[RECENT_BUCKETS];
    struct join_chunk *doomed;
    int64_t doomed_count, doomed_capacity;
    int64_t rows;                  /* not dead */
    size_t used_bytes, dead_bytes; /* of rows, heads included */
    size_t charged_bytes;
};
void join_heap_init(struct join_heap *self, const char *name, struct budget *budget);
void join_heap_close(struct join_heap *self);
/* Room for a row, its head filled in (slot 0, no chain, no flags). */
MUST_CHECK enum code join_heap_add(struct join_heap *self, int64_t until_us, size_t size, struct join_row **out,
                                   struct error *err);
/* The row is in no chain any more. */
static inline void join_heap_kill(struct join_heap *self, struct join_row *row)
{
    row->flags |= ROW_DEAD;
    self->rows--;
    self->dead_bytes += row_bytes(row);
}
/* Nothing goes before; INT64_MAX when nothing is there. */
int64_t join_heap_first_us(const struct join_heap *self);
/* Calls gone() for each live row with until_us <= now_us, earliest bucket first; gone() kills it. */
MUST_CHECK enum code join_heap_expire(struct join_heap *self, int64_t now_us,
                                      enum code (*gone)(void *context, struct join_row *const *rows, int64_t count,
                                                        struct error *err),
                                      void *context, struct error *err);
/* Give back what expired. */
void join_heap_bury(struct join_heap *self);
/* When dead rows take up more than live ones: copy these together. moved() mends what points to a row; the
 * old one is still there when it is called. */
MUST_CHECK enum code join_heap_compact(struct join_heap *self,
                                       void (*moved)(void *context, const struct join_row *from, struct join_row *to),
                                       void *context, struct error *err);

#endif
