/* join_store.c - the state of a join as bytes: deltas in the chain's records, snapshots beside it.
 *
 * A frame (state/frame.c) of kind SNAPSHOT or DELTA per shard. Its body, all numbers little endian:
 *
 *   size       what
 *   8          epoch of the last merge
 *   8          W: rows that go at or before it are gone (delta: before its rows are applied)
 *   4, 4       which shard wrote it, of how many
 *   8          f, keys with rows that matched for the first time (snapshot: 0)
 *   8          n, rows
 *   f times:
 *     4, 4, 4  side; k, bytes of the key; m
 *     k        key
 *     4 * m    which rows of the key's chain matched: numbers from the newest, 0, on; ascending
 *   n times:
 *     8        until: the W that it goes at, microseconds; INT64_MAX = never
 *     4, 4     k, bytes of the key; r, bytes of the row
 *     1, 1, 6  side; 1 = it has matched; zeros
 *     k        key, as state/key.c encodes it; no bytes: the row waits for its W and matches nothing
 *     r        row, as join_row.h lays it out, without its head
 *
 * Rows of one key come in the order in which they came, so that a chain is the same after a restore as
 * before, and a number in it stays the same row. A delta is applied in this order: evict by W, rows that
 * matched, new rows. One that was applied before is known by its epoch and left out. When as many shards
 * wrote it, each loads its own, at the same time as others; else keys find their shard by their hash, and
 * all frames of one writer come before those of the next, or all of one epoch before those of the next.
 *
 * | crash                              | what the state is after restore                                |
 * |------------------------------------|----------------------------------------------------------------|
 * | before the chain's record          | that of the epoch before: rows come again from the source      |
 * | after it                           | with the delta: a row that came out joined is marked so        |
 */
#include "operator/join_stage.h"

#include "base/hash.h"
#include "operator/stored.h"

enum { KIND_SNAPSHOT = 1, KIND_DELTA = 2 };

struct body_head {
    int64_t epoch, evicted_us;
    uint32_t writer, writers;
    uint64_t flips, rows;
};
struct stored_flip {
    uint32_t side, key_size, count;
};
struct stored_row {
    int64_t until_us;
    uint32_t key_size, row_size;
    uint8_t side, matched, zeros[6];
};
_Static_assert(sizeof(struct stored_row) == 24 && sizeof(struct stored_flip) == 12, "layout above");

/* ---- write ---- */

struct writer {
    const struct join_stage *self;
    struct join_shard *shard;
    struct text *out;
    size_t start, body_at; /* of the frame; of its body */
    uint64_t flips, rows;
};

static bool row_stays(const struct join_stage *self, int32_t side, const struct join_row *row)
{
    bool taken = self->spec.type == JOIN_TYPE_SEMI && side == JOIN_LEFT_SIDE && (row->flags & ROW_MATCHED);
    return !(row->flags & ROW_DEAD) && !taken;
}

static void row_save(struct writer *writer, int32_t side, const struct join_row *row)
{
    if (!row_stays(writer->self, side, row))
        return;
    struct bytes key = state_key(writer->shard->keys, row->slot);
    const struct stored_row head = {row->until_us,
                                    (uint32_t)key.size,
                                    (uint32_t)(row_bytes(row) - sizeof *row),
                                    (uint8_t)side,
                                    (row->flags & ROW_MATCHED) != 0,
                                    {0}};
    text_add(writer->out, &head, sizeof head);
    text_add(writer->out, key.data, key.size);
    text_add(writer->out, row + 1, head.row_size);
    writer->rows++;
}

/* The rows of one key that matched since the last delta. Fresh ones are not counted: they are applied
 * later. */
static void flip_save(struct writer *writer, int32_t side, uint32_t slot)
{
    struct text *out = writer->out;
    struct bytes key = state_key(writer->shard->keys, slot);
    struct stored_flip head = {(uint32_t)side, (uint32_t)key.size, 0};
    size_t head_at = out->size;
    text_add(out, &head, sizeof head);
    text_add(out, key.data, key.size);
    uint32_t number = 0;
    for (const struct join_row *row = join_key_at(writer->shard->keys, slot)->first[side]; row != NULL;
         row = row->next) {
        if (row->flags & ROW_FRESH)
            continue;
        if (row->flags & ROW_CHANGED) {
            text_add(out, &number, sizeof number);
            head.count++;
        }
        number++;
    }
    if (!out->overflow)
        memcpy(out->data + head_at, &head, sizeof head);
    writer->flips++;
}

static void flips_save(struct writer *writer)
{
    struct join_shard *shard = writer->shard;
    shard->stored++;
    for (int64_t i = 0; i < shard->matched.count; i++) {
        const struct join_row *row = shard->matched.rows[i];
        if ((row->flags & ROW_DEAD) || !(row->flags & ROW_CHANGED))
            continue;
        struct join_key *key = join_key_at(shard->keys, row->slot);
        if (key->stored == shard->stored)
            continue;
        key->stored = shard->stored;
        for (int32_t s = 0; s < JOIN_SIDES; s++)
            if (writer->self->flagged[s])
                flip_save(writer, s, row->slot);
    }
}

static void body_begin(struct writer *writer, uint16_t kind)
{
    writer->start = state_frame_begin(writer->out, kind, writer->self->layout);
    writer->body_at = writer->out->size;
    text_add(writer->out, &(struct body_head){0}, sizeof(struct body_head));
}

static enum code body_end(struct writer *writer, struct error *err)
{
    const struct join_stage *self = writer->self;
    const struct body_head head = {
        .epoch = writer->shard->epoch,
        .evicted_us = writer->shard->evicted_us,
        .writer = (uint32_t)(writer->shard - self->shards),
        .writers = (uint32_t)self->spec.shards,
        .flips = writer->flips,
        .rows = writer->rows,
    };
    if (!writer->out->overflow)
        memcpy(writer->out->data + writer->body_at, &head, sizeof head);
    state_frame_end(writer->out, writer->start);
    if (writer->out->overflow)
        return fail(err, E_MEMORY, "%s: its stored state passes %zu bytes", self->spec.name, writer->out->limit);
    return E_OK;
}

enum code join_shard_delta(struct stateful *base, int32_t index, struct text *out, struct error *err)
{
    struct join_stage *self = join_of(base);
    struct join_shard *shard = &self->shards[index];
    struct writer writer = {.self = self, .shard = shard, .out = out};
    if (shard->fresh[JOIN_LEFT_SIDE].count + shard->fresh[JOIN_RIGHT_SIDE].count + shard->matched.count == 0 &&
        !shard->evicted)
        return E_OK;
    body_begin(&writer, KIND_DELTA);
    flips_save(&writer);
    for (int32_t s = 0; s < JOIN_SIDES; s++)
        for (int64_t i = 0; i < shard->fresh[s].count; i++)
            row_save(&writer, s, shard->fresh[s].rows[i]);
    TRY(body_end(&writer, err));
    join_shard_settle(self, shard);
    return E_OK;
}

static void key_save(void *context, uint32_t slot)
{
    struct writer *writer = context;
    for (int32_t s = 0; s < JOIN_SIDES; s++) {
        const struct join_row *row = join_key_at(writer->shard->keys, slot)->first[s];
        while (row != NULL && row->next != NULL)
            row = row->next;
        for (; row != NULL; row = row->prev)
            row_save(writer, s, row);
    }
}

enum code join_shard_snapshot(struct stateful *base, int32_t index, struct text *out, struct error *err)
{
    struct join_stage *self = join_of(base);
    struct writer writer = {.self = self, .shard = &self->shards[index], .out = out};
    body_begin(&writer, KIND_SNAPSHOT);
    state_each(writer.shard->keys, key_save, &writer);
    TRY(body_end(&writer, err));
    join_shard_settle(self, writer.shard);
    return E_OK;
}

/* ---- read ---- */

enum { BLOCK_ROWS = 512 };

/* Rows that lie in their heaps and wait for their keys' slots, many at once. */
struct block {
    int64_t count;
    struct text keys;
    int32_t key_ends[BLOCK_ROWS + 1];
    uint64_t hashes[BLOCK_ROWS];
    uint32_t slots[BLOCK_ROWS], created[BLOCK_ROWS];
    struct join_row *rows[BLOCK_ROWS];
    struct join_shard *shards[BLOCK_ROWS];
    uint8_t sides[BLOCK_ROWS];
};
struct reader {
    struct join_stage *self;
    struct body_head head;
    struct bytes in;
    int32_t target; /* the shard that wrote it and takes all of it; -1: other shards wrote it, keys tell where */
    struct block *block;
};

static enum code take(struct bytes *in, size_t size, struct bytes *out, struct error *err)
{
    if (in->size < size)
        return fail(err, E_CORRUPT, "stored state: breaks off in a row");
    *out = bytes_of(in->data, size);
    *in = bytes_of(in->data + size, in->size - size);
    return E_OK;
}

/* Which shard a key belongs to; a row that waits has none, and stays where it was. */
static enum code shard_find(const struct reader *reader, uint64_t hash, bool waits, struct join_shard **out,
                            struct error *err)
{
    const struct join_stage *self = reader->self;
    int32_t index = join_shard_of(self, hash);
    if (waits && reader->target >= 0)
        index = reader->target;
    if (reader->target >= 0 && index != reader->target)
        return fail(err, E_CORRUPT, "stored state: shard %d has a key of shard %d", reader->target, index);
    *out = &self->shards[index];
    return E_OK;
}

/* ---- rows that matched ---- */

static enum code flip_apply(struct join_shard *shard, struct join_row *row, struct bytes numbers, struct error *err)
{
    uint32_t at = 0, number;
    for (size_t i = 0; i < numbers.size; i += sizeof number) {
        memcpy(&number, numbers.data + i, sizeof number);
        for (; row != NULL && at < number; at++)
            row = row->next;
        if (row == NULL || at != number)
            return fail(err, E_CORRUPT, "stored state: row %u of a key matched, which it does not have", number);
        if (!(row->flags & ROW_MATCHED))
            join_rows_add(&shard->matched, row);
        row->flags |= ROW_MATCHED;
    }
    return E_OK;
}

static enum code flip_load(struct reader *reader, struct error *err)
{
    struct stored_flip flip;
    struct bytes key, numbers;
    struct join_shard *shard;
    TRY(stored_take(&reader->in, &flip, sizeof flip, err));
    TRY(take(&reader->in, flip.key_size, &key, err));
    TRY(take(&reader->in, flip.count * sizeof(uint32_t), &numbers, err));
    if (flip.side >= JOIN_SIDES || !reader->self->flagged[flip.side])
        return fail(err, E_CORRUPT, "stored state: matched rows of side %u", flip.side);
    uint64_t hash = hash_bytes(key.data, key.size);
    TRY(shard_find(reader, hash, false, &shard, err));
    uint32_t slot = state_find(shard->keys, key, hash);
    return flip_apply(shard, slot == UINT32_MAX ? NULL : join_key_at(shard->keys, slot)->first[flip.side], numbers,
                      err);
}

/* ---- rows ---- */

static enum code block_link(struct reader *reader, struct error *err)
{
    struct block *block = reader->block;
    const uint8_t *keys = (const uint8_t *)block->keys.data;
    int64_t created = 0, step = reader->target >= 0 ? block->count : 1;
    for (int64_t i = 0; i < block->count; i += step) {
        TRY(state_upsert(block->shards[i]->keys, keys, block->key_ends + i, block->hashes + i, step, block->slots + i,
                         block->created, &created, err));
        created = 0;
    }
    for (int64_t i = 0; i < block->count; i++)
        join_shard_link(block->shards[i], block->sides[i], block->slots[i], block->rows[i]);
    block->count = 0;
    text_clear(&block->keys);
    return E_OK;
}

static enum code row_store(const struct join_stage *self, struct join_shard *shard, const struct stored_row *head,
                           struct bytes bytes, struct join_row **out, struct error *err)
{
    size_t size = sizeof(struct join_row) + bytes.size;
    struct join_row *row;
    TRY(join_heap_add(&shard->heaps[head->side], head->until_us, size, &row, err));
    if (bytes.size > 0)
        memcpy(row + 1, bytes.data, bytes.size);
    row->flags = head->matched && self->flagged[head->side] ? ROW_MATCHED : 0;
    *out = row;
    if (row_check(&self->layouts[head->side], row, size))
        return E_OK;
    join_heap_kill(&shard->heaps[head->side], row);
    return fail(err, E_CORRUPT, "stored state: a row of %u bytes is not one of its columns", head->row_size);
}

static enum code row_load(struct reader *reader, struct error *err)
{
    struct block *block = reader->block;
    struct stored_row head;
    struct bytes key, bytes;
    TRY(stored_take(&reader->in, &head, sizeof head, err));
    if (head.key_size > STATE_KEY_MAX || head.side >= JOIN_SIDES || head.row_size > ROW_BYTES_MAX ||
        head.row_size % ROW_ALIGN != 0)
        return fail(err, E_CORRUPT, "stored state: a row of %u bytes, key of %u, side %u", head.row_size, head.key_size,
                    head.side);
    TRY(take(&reader->in, head.key_size, &key, err));
    TRY(take(&reader->in, head.row_size, &bytes, err));
    int64_t at = block->count;
    block->hashes[at] = hash_bytes(key.data, key.size);
    TRY(shard_find(reader, block->hashes[at], key.size == 0, &block->shards[at], err));
    TRY(row_store(reader->self, block->shards[at], &head, bytes, &block->rows[at], err));
    block->sides[at] = head.side;
    block->key_ends[at] = (int32_t)block->keys.size;
    text_add(&block->keys, key.data, key.size);
    block->key_ends[at + 1] = (int32_t)block->keys.size;
    block->shards[at]->away_first_us = INT64_MAX; // its rows are back
    block->count++;
    return block->count == BLOCK_ROWS ? block_link(reader, err) : E_OK;
}

/* ---- frames ---- */

/* The shards that the frame is about. */
static void shards_of(const struct reader *reader, int32_t *from, int32_t *to)
{
    *from = reader->target >= 0 ? reader->target : 0;
    *to = reader->target >= 0 ? reader->target + 1 : reader->self->spec.shards;
}

/* True when a frame of this writer and a later epoch, or the same one, was applied: a shard knows of its
 * own. */
static bool applied_before(struct reader *reader)
{
    struct join_stage *self = reader->self;
    if (reader->target >= 0)
        return self->shards[reader->target].epoch >= reader->head.epoch;
    int32_t writer = (int32_t)reader->head.writer;
    if (writer >= self->applied_count) {
        self->applied = mem_resize(self->applied, ((size_t)writer + 1) * sizeof *self->applied);
        while (self->applied_count <= writer)
            self->applied[self->applied_count++] = INT64_MIN;
    }
    if (self->applied[writer] >= reader->head.epoch)
        return true;
    self->applied[writer] = reader->head.epoch;
    return false;
}

static enum code body_load(struct reader *reader, struct error *err)
{
    const struct join_stage *self = reader->self;
    for (uint64_t i = 0; i < reader->head.flips; i++)
        TRY(flip_load(reader, err));
    for (uint64_t i = 0; i < reader->head.rows; i++)
        TRY(row_load(reader, err));
    TRY(block_link(reader, err));
    if (reader->in.size > 0)
        return fail(err, E_CORRUPT, "stored state: %zu bytes too many", reader->in.size);
    int32_t from, to;
    shards_of(reader, &from, &to);
    for (int32_t s = from; s < to; s++) {
        struct join_shard *shard = &self->shards[s];
        join_shard_settle(self, shard);
        shard->epoch = reader->head.epoch > shard->epoch ? reader->head.epoch : shard->epoch;
        shard->evicted_us = reader->head.evicted_us > shard->evicted_us ? reader->head.evicted_us : shard->evicted_us;
    }
    return E_OK;
}

static enum code frame_load(struct stateful *base, int32_t shard, const struct state_frame *frame, struct error *err)
{
    struct join_stage *self = join_of(base);
    struct reader reader = {.self = self, .in = frame->body, .target = -1};
    const struct body_head *head = &reader.head;
    TRY(stored_take(&reader.in, &reader.head, sizeof reader.head, err));
    if (head->writers > JOIN_SHARDS_MAX || head->writer >= head->writers)
        return fail(err, E_CORRUPT, "stored state: of shard %u among %u", head->writer, head->writers);
    if (head->writers == (uint32_t)self->spec.shards)
        reader.target = (int32_t)head->writer;
    if (shard >= 0 && reader.target != shard)
        return fail(err, E_CORRUPT, "stored state: of shard %u of %u, not of %d", head->writer, head->writers, shard);
    bool before = applied_before(&reader), delta = frame->kind == KIND_DELTA;
    if (before && delta)
        return E_OK;
    int32_t from, to;
    shards_of(&reader, &from, &to);
    for (int32_t s = from; delta && s < to; s++)
        TRY(join_shard_evict(self, &self->shards[s], head->evicted_us, err));
    reader.block = mem_alloc(sizeof *reader.block);
    reader.block->count = 0;
    reader.block->keys = (struct text){0};
    enum code code = body_load(&reader, err);
    text_free(&reader.block->keys);
    mem_free(reader.block);
    return code;
}

static enum code frames_load(struct stateful *base, int32_t shard, struct bytes stored, struct error *err)
{
    const struct join_stage *self = join_of(base);
    const struct stored_spec spec = {self->spec.name, KIND_SNAPSHOT, KIND_DELTA, self->layout,
                                     "a join of other keys, columns or times"};
    return stored_frames(&spec, base, shard, stored, frame_load, err);
}

enum code join_restore(struct stateful *base, struct bytes stored, struct error *err)
{
    return frames_load(base, -1, stored, err);
}

enum code join_shard_restore(struct stateful *base, int32_t shard, struct bytes stored, struct error *err)
{
    return frames_load(base, shard, stored, err);
}
