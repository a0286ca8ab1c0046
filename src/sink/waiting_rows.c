#include "sink/waiting_rows.h"

void waiting_add(struct waiting_rows *self, const struct batch *batch)
{
    struct batch *kept;
    mem_grow(self->batches, self->capacity, self->count + 1);
    kept = &self->batches[self->count++];
    batch_init(kept, batch->schema, batch->rows);
    for (int32_t i = 0; i < batch->column_count; i++)
        column_share(&kept->columns[i], &batch->columns[i]);
    self->rows += batch->rows;
    self->bytes += batch_bytes(kept);
}

void waiting_take(struct waiting_rows *self, struct batch *out)
{
    batch_init(out, self->batches[0].schema, self->rows);
    for (int32_t i = 0; i < self->count; i++) {
        struct batch *batch = &self->batches[i];
        for (int32_t c = 0; c < batch->column_count; c++)
            column_append(&out->columns[c], &batch->columns[c], 0, batch->rows);
        batch_release(batch);
    }
    self->count = 0;
    self->rows = 0;
    self->bytes = 0;
}

void waiting_free(struct waiting_rows *self)
{
    for (int32_t i = 0; i < self->count; i++)
        batch_release(&self->batches[i]);
    mem_free(self->batches);
    *self = (struct waiting_rows){0};
}
