#include "query/rows_file.h"

#include <stdio.h>

#include "base/os.h"
#include "query/portion.h"

enum {
    BLOCK_KIND = 0x5152,
    FILE_PATH_MAX = 4096,
    BLOCK_BYTES_MAX = 1 << 20,
    NUMBERS = 4,
    ABSENT = -2,
    ROOM_BLOCKS = 16
};
#define FRAME_BYTES_MAX ((int64_t)UINT32_MAX)

struct rows_file {
    struct query_spill *spill;
    int32_t users;
    int writer, reader; /* handles */
    int64_t size_bytes;
    size_t block_bytes;
    struct text room; /* of the block at hand */
};

void rows_list_free(struct rows_list *self)
{
    mem_free(self->blocks);
    *self = (struct rows_list){0};
}

/* ---- the file ---- */

static const char *folder_of(const struct query_spill *spill)
{
    const char *folder = spill->folder != NULL ? spill->folder : os_env("TMPDIR");
    return folder != NULL && folder[0] != '\0' ? folder : "/tmp";
}

/* Whose disk it is, and who says so. */
static enum code spill_failed(const struct query_spill *spill, struct error *err)
{
    const struct error why = *err;
    return fail(err, why.code, "the rows that do not fit into memory go to %s: %s; set %s to a folder that has room",
                folder_of(spill), why.text, spill->folder != NULL ? "leat.spill.path" : "TMPDIR");
}

enum code rows_file_new(struct query *query, struct rows_file **out, struct error *err)
{
    struct query_spill *spill = query->spill;
    char path[FILE_PATH_MAX];
    struct error ignored = {0};
    int writer, reader;
    if (spill->folder != NULL)
        if (os->dir_make(spill->folder, err) != E_OK)
            return spill_failed(spill, err);
    snprintf(path, sizeof path, "%s/leat-rows-%lld-%016llx", folder_of(spill), (long long)os_process_id(),
             (unsigned long long)os_random());
    if (os->file_open(path, OS_WRITE | OS_CREATE_NEW, &writer, err) != E_OK)
        return spill_failed(spill, err);
    enum code code = os->file_open(path, OS_READ, &reader, err);
    (void)os->remove(path, &ignored); // what is open stays until it is closed, or the process ends
    if (code != E_OK) {
        (void)os->file_close(writer, &ignored);
        return code;
    }
    struct rows_file *self = mem_new(struct rows_file);
    size_t block_bytes = room_of(query) / ROOM_BLOCKS;
    *self = (struct rows_file){.spill = spill, .users = 1, .writer = writer, .reader = reader};
    self->block_bytes = block_bytes < BLOCK_BYTES_MAX ? block_bytes : BLOCK_BYTES_MAX;
    *out = self;
    return E_OK;
}

struct rows_file *rows_file_retain(struct rows_file *self)
{
    self->users++;
    return self;
}

void rows_file_release(struct rows_file *self)
{
    struct error ignored = {0};
    if (self == NULL || --self->users > 0)
        return;
    (void)os->file_close(self->writer, &ignored); // nobody will ask for it any more
    (void)os->file_close(self->reader, &ignored);
    self->spill->held_bytes -= self->size_bytes;
    text_free(&self->room);
    mem_free(self);
}

/* ---- a column ---- */

static int64_t held(const struct buffer *buffer, size_t used) { return buffer == NULL ? -1 : (int64_t)used; }

/* Bytes of the three buffers that count; a shared one may be longer. */
static void column_sizes(const struct column *col, int64_t sizes[3])
{
    const struct type *type = col->type;
    size_t rows = (size_t)col->rows, values = rows * (size_t)type_width(type);
    if (type->id == TYPE_BOOLEAN)
        values = bit_bytes(col->rows);
    else if (type_is_varlen(type))
        values = (size_t)column_offsets(col)[rows];
    sizes[0] = held(col->valid, bit_bytes(col->rows));
    sizes[1] = held(col->offsets, (rows + 1) * sizeof(int32_t));
    sizes[2] = held(col->values, values);
}

static void column_put(const struct column *col, struct text *out)
{
    int64_t numbers[NUMBERS] = {col->type == NULL ? ABSENT : col->nulls};
    const struct buffer *buffers[3] = {col->valid, col->offsets, col->values};
    if (col->type != NULL)
        column_sizes(col, numbers + 1);
    text_add(out, numbers, sizeof numbers);
    for (int i = 0; i < 3; i++)
        if (numbers[i + 1] > 0)
            text_add(out, buffers[i]->data, (size_t)numbers[i + 1]);
    for (int32_t i = 0; i < col->child_count; i++)
        column_put(&col->children[i], out);
}

/* The checksum has agreed: what is there is what column_put wrote. */
static struct buffer *buffer_take(struct bytes *in, int64_t size)
{
    if (size < 0)
        return NULL;
    always((uint64_t)size <= in->size);
    struct buffer *buffer = buffer_new((size_t)size);
    if (size > 0)
        memcpy(buffer->data, in->data, (size_t)size);
    *in = bytes_of(in->data + size, in->size - (size_t)size);
    return buffer;
}

static void column_get(struct bytes *in, const struct type *type, int64_t rows, struct column *out)
{
    int64_t numbers[NUMBERS];
    always(in->size >= sizeof numbers);
    memcpy(numbers, in->data, sizeof numbers);
    *in = bytes_of(in->data + sizeof numbers, in->size - sizeof numbers);
    if (numbers[0] == ABSENT)
        return;
    *out = (struct column){.type = type, .rows = rows, .nulls = numbers[0], .child_count = type->field_count};
    out->valid = buffer_take(in, numbers[1]);
    out->offsets = buffer_take(in, numbers[2]);
    out->values = buffer_take(in, numbers[3]);
    if (out->child_count > 0)
        out->children = mem_array(struct column, (size_t)out->child_count);
    bool list = type->id == TYPE_ARRAY || type->id == TYPE_MAP;
    for (int32_t i = 0; i < out->child_count; i++)
        column_get(in, type->fields[i].type, list ? column_offsets(out)[rows] : rows, &out->children[i]);
}

/* ---- a block ---- */

static enum code block_write(struct rows_file *self, struct rows_list *list, const struct batch *batch,
                             struct error *err)
{
    struct query_spill *spill = self->spill;
    text_clear(&self->room);
    size_t start = state_frame_begin(&self->room, BLOCK_KIND, 0);
    text_add(&self->room, &batch->rows, sizeof batch->rows);
    for (int32_t c = 0; c < batch->column_count; c++)
        column_put(&batch->columns[c], &self->room);
    state_frame_end(&self->room, start);
    int64_t size = (int64_t)self->room.size, limit = spill->limit_bytes > 0 ? spill->limit_bytes : QUERY_SPILL_MAX;
    if (spill->held_bytes + size > limit)
        return fail(err, E_MEMORY, "more than %lld bytes of rows on disk: let the query keep fewer", (long long)limit);
    if (size > FRAME_BYTES_MAX)
        return fail(err, E_MEMORY, "a row of %lld bytes is too large for the disk", (long long)size);
    if (os->file_write(self->writer, self->room.data, self->room.size, err) != E_OK)
        return spill_failed(spill, err);
    mem_grow(list->blocks, list->capacity, list->count + 1);
    list->blocks[list->count++] = (struct rows_block){self->size_bytes, (int32_t)batch->rows, (uint32_t)size};
    list->rows += batch->rows;
    list->size_bytes += size;
    self->size_bytes += size;
    spill->held_bytes += size;
    spill->written_bytes += size;
    if (self->room.capacity > 4 * (size_t)BLOCK_BYTES_MAX)
        text_free(&self->room); // a long row's
    return E_OK;
}

/* Rows to a block: small enough that one of each of many runs is in memory at once. */
static int64_t rows_per_block(const struct rows_file *self, const struct batch *batch)
{
    int64_t blocks = 1 + (int64_t)(batch_bytes(batch) / self->block_bytes);
    int64_t rows = (batch->rows + blocks - 1) / blocks;
    return rows < BATCH_ROWS_MAX ? rows : BATCH_ROWS_MAX;
}

enum code rows_file_put(struct rows_file *self, struct rows_list *list, const struct batch *batch, struct error *err)
{
    int64_t most = batch->rows > 0 ? rows_per_block(self, batch) : 0;
    for (int64_t from = 0; from < batch->rows; from += most) {
        struct batch part;
        batch_slice(&part, batch, from, from + most < batch->rows ? from + most : batch->rows);
        enum code code = block_write(self, list, &part, err);
        batch_release(&part);
        TRY(code);
    }
    return E_OK;
}

static enum code block_read(struct rows_file *self, const struct rows_block *block, struct error *err)
{
    size_t done = 0, got = 1;
    text_clear(&self->room);
    char *to = text_reserve(&self->room, block->size_bytes);
    while (done < block->size_bytes && got > 0) {
        TRY(os->file_read(self->reader, block->at + (int64_t)done, to + done, block->size_bytes - done, &got, err));
        done += got;
    }
    if (done < block->size_bytes)
        return fail(err, E_CORRUPT, "rows on disk: %zu of %u bytes are gone", block->size_bytes - done,
                    block->size_bytes);
    self->room.size = done;
    return E_OK;
}

enum code rows_file_get(struct rows_file *self, const struct rows_block *block, const struct type *schema,
                        struct batch *out, struct error *err)
{
    struct state_frame frame;
    TRY(block_read(self, block, err));
    struct bytes in = text_view(&self->room);
    TRY(state_frame_read(&in, &frame, err));
    in = frame.body;
    int64_t rows;
    if (frame.kind != BLOCK_KIND || in.size < sizeof rows)
        return fail(err, E_CORRUPT, "rows on disk: a frame of kind %u", frame.kind);
    memcpy(&rows, in.data, sizeof rows);
    in = bytes_of(in.data + sizeof rows, in.size - sizeof rows);
    batch_init(out, schema, rows);
    for (int32_t c = 0; c < out->column_count; c++)
        column_get(&in, schema->fields[c].type, rows, &out->columns[c]);
    if (self->room.capacity > 4 * (size_t)BLOCK_BYTES_MAX)
        text_free(&self->room);
    return E_OK;
}
