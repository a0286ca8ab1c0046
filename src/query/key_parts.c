#include "query/key_parts.h"

#include "query/portion.h"

/* ---- parts ---- */

bool part_take(struct part_stack *self, struct part *out)
{
    if (self->count == 0)
        return false;
    *out = self->parts[--self->count];
    return true;
}

void part_free(struct part *self)
{
    rows_file_release(self->file);
    for (int side = 0; side < SIDES; side++)
        rows_list_free(&self->lists[side]);
    *self = (struct part){0};
}

enum code part_rows_next(const struct part *self, struct stage *stage, int32_t side, int32_t *block, bool *ended,
                         struct batch *out, struct error *err)
{
    const struct rows_list *list = &self->lists[side];
    *out = (struct batch){0};
    if (self->file != NULL)
        return *block == list->count
                   ? E_OK
                   : rows_file_get(self->file, &list->blocks[(*block)++], stage->inputs[side]->plan->schema, out, err);
    if (!*ended)
        TRY(stage_pull(stage, side, out, err));
    *ended = out->rows == 0;
    return E_OK;
}

void part_stack_free(struct part_stack *self)
{
    for (int32_t i = 0; i < self->count; i++)
        part_free(&self->parts[i]);
    mem_free(self->parts);
    *self = (struct part_stack){0};
}

/* ---- partitions ---- */

enum code partitions_new(struct query *query, int32_t level, struct partitions **out, struct error *err)
{
    struct rows_file *file;
    if (level >= PARTITION_LEVELS_MAX)
        return fail(err, E_MEMORY, "the rows of one key do not fit");
    TRY(rows_file_new(query, &file, err));
    struct partitions *self = mem_new(struct partitions);
    self->query = query;
    self->level = level;
    self->file = file;
    self->block_bytes = room_of(query) / (2 * PARTITIONS);
    *out = self;
    return E_OK;
}

static enum code waiting_write(struct partitions *self, int32_t at, int32_t side, struct error *err)
{
    struct batch *waiting = &self->waiting[at][side];
    enum code code = rows_file_put(self->file, &self->lists[at][side], waiting, err);
    batch_release(waiting);
    self->waiting_bytes[at][side] = 0;
    return code;
}

static enum code waiting_add(struct partitions *self, int32_t at, int32_t side, const struct batch *batch,
                             const int32_t *rows, int64_t count, struct error *err)
{
    struct batch *waiting = &self->waiting[at][side], picked;
    batch_gather(&picked, batch, rows, count);
    if (waiting->schema == NULL)
        batch_init(waiting, batch->schema, 0);
    for (int32_t c = 0; c < picked.column_count; c++)
        if (picked.columns[c].type != NULL)
            column_append(&waiting->columns[c], &picked.columns[c], 0, count);
    waiting->rows += count;
    self->waiting_bytes[at][side] += (int64_t)batch_bytes(&picked);
    batch_release(&picked);
    bool full = self->waiting_bytes[at][side] >= (int64_t)self->block_bytes || waiting->rows >= BATCH_ROWS_MAX;
    return full ? waiting_write(self, at, side, err) : E_OK;
}

enum code partitions_add(struct partitions *self, int32_t side, const struct batch *batch, const uint64_t *hashes,
                         const int32_t *rows, int64_t count, struct error *err)
{
    int32_t *parted = mem_array(int32_t, (size_t)count + 1);
    int64_t starts[PARTITIONS + 1] = {0}, ends[PARTITIONS];
    int shift = self->level * PARTITION_BITS;
    enum code code = E_OK;
    for (int64_t i = 0; i < count; i++)
        starts[(hashes[rows[i]] >> shift & (PARTITIONS - 1)) + 1]++;
    for (int32_t p = 0; p < PARTITIONS; p++) {
        starts[p + 1] += starts[p];
        ends[p] = starts[p];
    }
    for (int64_t i = 0; i < count; i++)
        parted[ends[hashes[rows[i]] >> shift & (PARTITIONS - 1)]++] = rows[i];
    for (int32_t p = 0; p < PARTITIONS && code == E_OK; p++)
        if (ends[p] > starts[p])
            code = waiting_add(self, p, side, batch, parted + starts[p], ends[p] - starts[p], err);
    mem_free(parted);
    return code;
}

enum code partitions_end(struct partitions *self, struct part_stack *out, struct error *err)
{
    for (int32_t p = 0; p < PARTITIONS; p++)
        for (int32_t side = 0; side < SIDES; side++)
            if (self->waiting[p][side].rows > 0)
                TRY(waiting_write(self, p, side, err));
    for (int32_t p = PARTITIONS - 1; p >= 0; p--) {
        struct part part = {.level = self->level + 1};
        for (int32_t side = 0; side < SIDES; side++) {
            part.lists[side] = self->lists[p][side];
            self->lists[p][side] = (struct rows_list){0};
        }
        if (part.lists[0].count + part.lists[1].count == 0)
            continue;
        part.file = rows_file_retain(self->file);
        mem_grow(out->parts, out->capacity, out->count + 1);
        out->parts[out->count++] = part;
    }
    return E_OK;
}

void partitions_free(struct partitions *self)
{
    if (self == NULL)
        return;
    for (int32_t p = 0; p < PARTITIONS; p++)
        for (int32_t side = 0; side < SIDES; side++) {
            rows_list_free(&self->lists[p][side]);
            batch_release(&self->waiting[p][side]);
        }
    rows_file_release(self->file);
    mem_free(self);
}
