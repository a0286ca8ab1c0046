/* batch.h - rows on their way through a pipeline, as columns.
 *
 * Shape    all columns have `rows` rows. `schema` is a STRUCT type naming the columns
 * Origin   which fetched record each row came from, so that a reject can show topic, partition, offset and raw
 *          bytes long after the columns are projected away: `source` is the fetched batch (counted), `origin` the
 *          row in it per row here; NULL origin = row i came from record i. No source: rows were born in leat
 * Place    which of the rows that its record became a row is (lineage.h): `place` per row, NULL = each record is one row
 * Slot     a partition of a source as a small number that holds for the epoch: what rows of each partition become of is
 *          counted by it
 * Owns     columns and counts. Input batches are borrowed for the call; a column is kept by column_share()
 * Thread   one at a time
 */
#ifndef DATA_BATCH_H
#define DATA_BATCH_H

#include "data/column.h"

enum { BATCH_ROWS_MAX = 8192 }; /* most rows that a source puts into one batch */

struct batch {
    const struct type *schema;
    int64_t rows;
    int32_t column_count;
    struct column *columns; /* heap array, owned */
    struct origin *source;  /* counted, may be NULL */
    struct buffer *origin;  /* int32 per row, or NULL */
    struct buffer *place;   /* int64 per row, or NULL */
};

/* A fetched batch that later stages can still point into. Freed at the last release. */
struct origin {
    atomic_int count;
    struct column key, value, topic, partition, offset, timestamp; /* what was fetched; others zeroed */
    struct column row;      /* STRUCT: of records that came as columns, instead of key and value; else zeroed */
    struct column attempts; /* INT: how often it was rejected before, of records that are tried again; else zeroed */
    const char *name;       /* of its source, which outlives it; may be NULL */
    int32_t slot;           /* of all records, unless */
    int32_t *slots;         /* per record: they are of several; owned */
};
struct origin *origin_retain(struct origin *origin);
void origin_release(struct origin *origin);

/* Columns zeroed, rows set. */
void batch_init(struct batch *batch, const struct type *schema, int64_t rows);
void batch_release(struct batch *batch);
static inline struct batch batch_take(struct batch *batch)
{
    struct batch taken = *batch;
    *batch = (struct batch){0};
    return taken;
}
/* Rows picked by index, all columns, origin followed. */
void batch_gather(struct batch *out, const struct batch *in, const int32_t *rows, int64_t count);
/* The record that row came from. */
static inline int64_t batch_origin(const struct batch *batch, int64_t row)
{
    return batch->origin == NULL ? row : ((const int32_t *)(const void *)batch->origin->data)[row];
}
/* Which of its record's rows it is. */
static inline int64_t batch_place(const struct batch *batch, int64_t row)
{
    return batch->place == NULL ? 0 : ((const int64_t *)(const void *)batch->place->data)[row];
}
/* The slot of the record that row came from, -1 when there is none. */
static inline int32_t batch_slot(const struct batch *batch, int64_t row)
{
    if (batch->source == NULL)
        return -1;
    return batch->source->slots == NULL ? batch->source->slot : batch->source->slots[batch_origin(batch, row)];
}
void batch_share_origin(struct batch *out, const struct batch *in);
/* Bytes of the columns' buffers, whoever shares them. */
size_t batch_bytes(const struct batch *batch);
void batch_check(const struct batch *batch);

#endif
