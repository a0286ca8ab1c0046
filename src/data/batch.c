#include "data/batch.h"

#include "base/memory.h"

struct origin *origin_retain(struct origin *origin)
{
    if (origin != NULL)
        atomic_fetch_add_explicit(&origin->count, 1, memory_order_relaxed);
    return origin;
}

void origin_release(struct origin *origin)
{
    if (origin == NULL || atomic_fetch_sub_explicit(&origin->count, 1, memory_order_acq_rel) != 1)
        return;
    column_release(&origin->key);
    column_release(&origin->value);
    column_release(&origin->topic);
    column_release(&origin->partition);
    column_release(&origin->offset);
    column_release(&origin->timestamp);
    column_release(&origin->row);
    column_release(&origin->attempts);
    mem_free(origin->slots);
    mem_free(origin);
}

void batch_init(struct batch *batch, const struct type *schema, int64_t rows)
{
    *batch = (struct batch){.schema = schema, .rows = rows, .column_count = schema->field_count};
    batch->columns = mem_array(struct column, (size_t)schema->field_count);
}

void batch_release(struct batch *batch)
{
    for (int32_t i = 0; i < batch->column_count; i++)
        column_release(&batch->columns[i]);
    mem_free(batch->columns);
    origin_release(batch->source);
    buffer_release(batch->origin);
    buffer_release(batch->place);
    *batch = (struct batch){0};
}

static size_t column_size(const struct column *col)
{
    size_t size = (col->valid != NULL ? col->valid->size : 0) + (col->offsets != NULL ? col->offsets->size : 0) +
                  (col->values != NULL ? col->values->size : 0);
    for (int32_t c = 0; c < col->child_count; c++)
        size += column_size(&col->children[c]);
    return size;
}

size_t batch_bytes(const struct batch *batch)
{
    size_t size = 0;
    for (int32_t c = 0; c < batch->column_count; c++)
        size += column_size(&batch->columns[c]);
    return size;
}

static void places_gather(struct batch *out, const struct batch *in, const int32_t *rows, int64_t count)
{
    if (in->place == NULL)
        return;
    out->place = buffer_new((size_t)count * sizeof(int64_t));
    int64_t *place = (int64_t *)(void *)out->place->data;
    for (int64_t i = 0; i < count; i++)
        place[i] = batch_place(in, rows[i]);
}

void batch_gather(struct batch *out, const struct batch *in, const int32_t *rows, int64_t count)
{
    batch_init(out, in->schema, count);
    for (int32_t i = 0; i < in->column_count; i++)
        if (in->columns[i].type != NULL) // a column that nobody needs stays zeroed
            column_gather(&out->columns[i], &in->columns[i], rows, count);
    if (in->source == NULL)
        return;
    places_gather(out, in, rows, count);
    out->source = origin_retain(in->source);
    out->origin = buffer_new((size_t)count * sizeof(int32_t));
    int32_t *origin = (int32_t *)(void *)out->origin->data;
    if (in->origin == NULL) {
        memcpy(origin, rows, (size_t)count * sizeof *rows);
        return;
    }
    const int32_t *before = (const int32_t *)(const void *)in->origin->data;
    for (int64_t i = 0; i < count; i++)
        origin[i] = before[rows[i]];
}

void batch_share_origin(struct batch *out, const struct batch *in)
{
    struct origin *source = origin_retain(in->source);
    struct buffer *origin = buffer_retain(in->origin), *place = buffer_retain(in->place);
    origin_release(out->source);
    buffer_release(out->origin);
    buffer_release(out->place);
    out->source = source;
    out->origin = origin;
    out->place = place;
}

void batch_check(const struct batch *batch)
{
    always(batch->schema != NULL && batch->schema->id == TYPE_STRUCT);
    always(batch->column_count == batch->schema->field_count);
    for (int32_t i = 0; i < batch->column_count; i++) {
        const struct column *col = &batch->columns[i];
        if (col->type == NULL)
            continue;
        always(col->rows == batch->rows);
        always(type_equal(col->type, batch->schema->fields[i].type));
        column_check(col);
    }
    if (batch->origin != NULL)
        always(batch->source != NULL && batch->origin->size >= (size_t)batch->rows * sizeof(int32_t));
    if (batch->place != NULL)
        always(batch->source != NULL && batch->place->size >= (size_t)batch->rows * sizeof(int64_t));
}
