/* join_shard.c - at the end of an epoch: take in what the lanes have, find partners, let go of what W
 * reaches.
 *
 * Rows come in blocks: all keys of a block are looked up at once, its rows are copied and linked while
 * their partners' first rows are fetched, and then the chains are walked. A chain is newest first and
 * doubly linked, so that any row leaves it at once, whatever the key's share of all rows.
 */
#include "operator/join_stage.h"

enum {
    BLOCK_ROWS = 512,
    ROWS_AHEAD = 8,        /* in a loop over rows or keys in no order: fetched so many before they are needed */
    LIST_KEPT = 64 * 1024, /* entries of a list that stay allocated from epoch to epoch */
};

static void heaps_init(const struct join_stage *self, struct join_shard *shard)
{
    shard->keys = state_new_keyed(&(struct state_spec){self->spec.name, sizeof(struct join_key), self->spec.budget},
                                  self->key_bytes_max);
    for (int32_t s = 0; s < JOIN_SIDES; s++)
        join_heap_init(&shard->heaps[s], self->spec.name, self->spec.budget);
    shard->away_first_us = INT64_MAX;
    shard->epoch = -1;
    shard->evicted_us = INT64_MIN;
}

static void heaps_close(struct join_shard *shard)
{
    state_free(shard->keys);
    for (int32_t s = 0; s < JOIN_SIDES; s++) {
        join_heap_close(&shard->heaps[s]);
        shard->fresh[s].count = 0;
    }
    shard->matched.count = 0;
}

void join_shard_init(const struct join_stage *self, struct join_shard *shard)
{
    heaps_init(self, shard);
    join_matcher_init(self, &shard->matcher);
}

void join_shard_close(struct join_shard *shard)
{
    if (shard->keys == NULL)
        return;
    heaps_close(shard);
    join_matcher_close(&shard->matcher);
    mem_free(shard->fresh[JOIN_LEFT_SIDE].rows);
    mem_free(shard->fresh[JOIN_RIGHT_SIDE].rows);
    mem_free(shard->matched.rows);
    *shard = (struct join_shard){0};
}

/* restore() of the snapshot brings the rows back, and the buckets with them. */
void join_shard_spill(struct stateful *base, int32_t index)
{
    struct join_stage *self = join_of(base);
    struct join_shard *shard = &self->shards[index];
    int64_t left_us = join_heap_first_us(&shard->heaps[JOIN_LEFT_SIDE]);
    int64_t right_us = join_heap_first_us(&shard->heaps[JOIN_RIGHT_SIDE]);
    heaps_close(shard);
    heaps_init(self, shard);
    shard->away_first_us = left_us < right_us ? left_us : right_us;
}

/* ---- chains ---- */

void join_shard_link(struct join_shard *shard, int32_t side, uint32_t slot, struct join_row *row)
{
    struct join_key *key = join_key_at(shard->keys, slot);
    row->slot = slot;
    row->prev = NULL;
    row->next = key->first[side];
    if (row->next != NULL)
        row->next->prev = row;
    key->first[side] = row;
}

void join_shard_unlink(struct join_shard *shard, int32_t side, struct join_row *row)
{
    struct join_key *key = join_key_at(shard->keys, row->slot);
    if (row->prev != NULL)
        row->prev->next = row->next;
    else
        key->first[side] = row->next;
    if (row->next != NULL)
        row->next->prev = row->prev;
    if (key->first[JOIN_LEFT_SIDE] == NULL && key->first[JOIN_RIGHT_SIDE] == NULL)
        state_remove(shard->keys, row->slot);
    join_heap_kill(&shard->heaps[side], row);
}

/* ---- stored ---- */

static void settle_rows(struct join_rows *rows, uint32_t flags)
{
    for (int64_t i = 0; i < rows->count; i++)
        rows->rows[i]->flags &= ~flags & 0xf;
    rows->count = 0;
    if (rows->capacity <= LIST_KEPT)
        return;
    mem_free(rows->rows);
    *rows = (struct join_rows){0};
}

void join_shard_settle(const struct join_stage *self, struct join_shard *shard)
{
    for (int32_t s = 0; s < JOIN_SIDES; s++) {
        if (!self->flagged[s])
            shard->fresh[s].count = 0; // nobody asks whether they are
        settle_rows(&shard->fresh[s], ROW_FRESH);
    }
    for (int64_t i = 0; self->spec.type == JOIN_TYPE_SEMI && i < shard->matched.count; i++)
        if (!(shard->matched.rows[i]->flags & ROW_DEAD))
            join_shard_unlink(shard, JOIN_LEFT_SIDE, shard->matched.rows[i]);
    settle_rows(&shard->matched, ROW_CHANGED);
    for (int32_t s = 0; s < JOIN_SIDES; s++)
        join_heap_bury(&shard->heaps[s]);
    shard->evicted = false;
}

struct moving {
    struct join_shard *shard;
    int32_t side;
};

static void row_moved(void *context, const struct join_row *from, struct join_row *to)
{
    const struct moving *moving = context;
    if (from->prev != NULL)
        from->prev->next = to;
    else
        join_key_at(moving->shard->keys, from->slot)->first[moving->side] = to;
    if (from->next != NULL)
        from->next->prev = to;
}

static enum code compact(struct join_shard *shard, struct error *err)
{
    for (int32_t s = 0; s < JOIN_SIDES; s++)
        TRY(join_heap_compact(&shard->heaps[s], row_moved, &(struct moving){shard, s}, err));
    return E_OK;
}

/* ---- take in ---- */

struct block {
    int64_t count;
    int32_t key_ends[BLOCK_ROWS + 1];
    uint32_t slots[BLOCK_ROWS], created[BLOCK_ROWS];
    struct join_row *rows[BLOCK_ROWS];
};

/* What was read of a run. */
struct cursor {
    int64_t row;
    size_t row_bytes, key_bytes;
};

static enum code find_keys(struct join_shard *shard, const struct join_run *run, struct cursor *at, struct block *block,
                           struct error *err)
{
    int64_t created = 0;
    block->count = run->count - at->row < BLOCK_ROWS ? run->count - at->row : BLOCK_ROWS;
    block->key_ends[0] = 0;
    for (int64_t i = 0; i < block->count; i++)
        block->key_ends[i + 1] = block->key_ends[i] + (int32_t)run->key_sizes[at->row + i];
    TRY(state_upsert(shard->keys, run->keys + at->key_bytes, block->key_ends, run->hashes + at->row, block->count,
                     block->slots, block->created, &created, err));
    at->row += block->count;
    at->key_bytes += (size_t)block->key_ends[block->count];
    return E_OK;
}

/* Copy the block's rows into the heap and their keys' chains. */
static enum code store_rows(const struct join_stage *self, struct join_shard *shard, int32_t side,
                            const struct join_run *run, struct cursor *at, struct block *block, struct error *err)
{
    uint32_t flags = self->flagged[side] ? ROW_FRESH : 0;
    for (int64_t i = 0; i < block->count; i++) {
        const struct join_row *from = (const struct join_row *)(const void *)(run->rows + at->row_bytes);
        size_t size = row_bytes(from);
        struct join_row *row;
        TRY(join_heap_add(&shard->heaps[side], from->until_us, size, &row, err));
        memcpy(row + 1, from + 1, size - sizeof *row);
        row->flags = flags & 0xf;
        join_shard_link(shard, side, block->slots[i], row);
        __builtin_prefetch(join_key_at(shard->keys, block->slots[i])->first[JOIN_SIDES - 1 - side]);
        join_rows_add(&shard->fresh[side], row);
        block->rows[i] = row;
        at->row_bytes += size;
    }
    return E_OK;
}

/* Each row with all rows of its key on the other side. */
static enum code find_partners(const struct join_stage *self, struct join_shard *shard, int32_t side,
                               const struct block *block, struct error *err)
{
    bool semi = self->spec.type == JOIN_TYPE_SEMI;
    for (int64_t i = 0; i < block->count; i++) {
        struct join_row *row = block->rows[i];
        if (block->key_ends[i] == block->key_ends[i + 1])
            continue; // it waits under the empty key
        for (struct join_row *other = join_key_at(shard->keys, block->slots[i])->first[JOIN_SIDES - 1 - side];
             other != NULL; other = other->next) {
            struct join_row *left = side == JOIN_LEFT_SIDE ? row : other, *right = side == JOIN_LEFT_SIDE ? other : row;
            if (semi && (left->flags & ROW_MATCHED)) {
                if (side == JOIN_LEFT_SIDE)
                    break;
                continue;
            }
            TRY(join_match_pair(self, shard, left, right, err));
        }
    }
    return E_OK;
}

static enum code take_in(const struct join_stage *self, struct join_shard *shard, int32_t side,
                         const struct join_run *run, struct error *err)
{
    struct block block;
    for (struct cursor at = {0}; at.row < run->count;) {
        TRY(find_keys(shard, run, &at, &block, err));
        TRY(store_rows(self, shard, side, run, &at, &block, err));
        TRY(find_partners(self, shard, side, &block, err));
    }
    return E_OK;
}

static enum code emit_alone(const struct join_stage *self, struct join_shard *shard, int32_t side,
                            const struct join_run *run, struct error *err)
{
    struct join_row *row = (struct join_row *)(void *)run->rows;
    for (int64_t i = 0; i < run->count; i++) {
        TRY(join_match_alone(self, shard, side, row, err));
        row = (struct join_row *)(void *)((uint8_t *)row + row_bytes(row));
    }
    return E_OK;
}

/* ---- let go ---- */

struct evicting {
    const struct join_stage *self;
    struct join_shard *shard;
    int32_t side;
};

static enum code rows_gone(void *context, struct join_row *const *rows, int64_t count, struct error *err)
{
    const struct evicting *evicting = context;
    struct join_shard *shard = evicting->shard;
    bool out = evicting->self->outer[evicting->side] && shard->matcher.emit != NULL;
    for (int64_t i = 0; i < count; i++) {
        if (i + ROWS_AHEAD < count)
            __builtin_prefetch(join_key_at(shard->keys, rows[i + ROWS_AHEAD]->slot));
        if (out && !(rows[i]->flags & ROW_MATCHED))
            TRY(join_match_alone(evicting->self, shard, evicting->side, rows[i], err));
        join_shard_unlink(shard, evicting->side, rows[i]);
    }
    shard->evicted = true;
    return E_OK;
}

enum code join_shard_evict(const struct join_stage *self, struct join_shard *shard, int64_t now_us, struct error *err)
{
    for (int32_t s = 0; s < JOIN_SIDES; s++)
        TRY(join_heap_expire(&shard->heaps[s], now_us, rows_gone, &(struct evicting){self, shard, s}, err));
    return E_OK;
}

/* ---- merge ---- */

bool join_shard_idle(const struct stateful *base, int32_t index, const struct epoch_time *time)
{
    const struct join_stage *self = join_of(base);
    for (int32_t l = 0; l < base->lanes; l++)
        for (int32_t s = 0; s < JOIN_SIDES; s++)
            if (self->lanes[l].sides[s].runs[index].count > 0 || self->lanes[l].sides[s].alone[index].count > 0)
                return false;
    const struct join_shard *shard = &self->shards[index];
    int64_t first_us = shard->away_first_us;
    for (int32_t s = 0; s < JOIN_SIDES; s++) {
        int64_t side_us = join_heap_first_us(&shard->heaps[s]);
        first_us = side_us < first_us ? side_us : first_us;
    }
    return time->emit_us < first_us;
}

static enum code merge_side(const struct join_stage *self, struct join_shard *shard, int32_t index, int32_t side,
                            struct error *err)
{
    for (int32_t l = 0; l < self->spec.lanes; l++) {
        const struct join_lane_side *lane = &self->lanes[l].sides[side];
        TRY(take_in(self, shard, side, &lane->runs[index], err));
        TRY(emit_alone(self, shard, side, &lane->alone[index], err));
    }
    return E_OK;
}

static const struct session *session_of(const struct join_stage *self)
{
    for (int32_t l = 0; l < self->spec.lanes; l++)
        if (self->lanes[l].started)
            return &self->lanes[l].session;
    return NULL; // no rows, no pairs to judge
}

static enum code merge_sides(const struct join_stage *self, struct join_shard *shard, int32_t index,
                             const struct epoch_time *time, struct error *err)
{
    TRY(merge_side(self, shard, index, JOIN_LEFT_SIDE, err));
    TRY(merge_side(self, shard, index, JOIN_RIGHT_SIDE, err));
    TRY(join_match_judge(self, shard, err));
    TRY(join_shard_evict(self, shard, time->emit_us, err));
    return join_match_end(self, shard, err);
}

enum code join_shard_merge(struct stateful *base, int32_t index, const struct epoch_time *time, const struct emit *emit,
                           struct operator_counts *counts, struct error *err)
{
    const struct join_stage *self = join_of(base);
    struct join_shard *shard = &self->shards[index];
    join_shard_settle(self, shard);
    TRY(compact(shard, err));
    shard->matcher.emit = emit;
    shard->matcher.counts = counts;
    shard->matcher.session = session_of(self);
    shard->epoch = time->epoch;
    shard->evicted_us = time->emit_us;
    join_matcher_start(self, &shard->matcher);
    enum code code = merge_sides(self, shard, index, time, err);
    join_matcher_stop(&shard->matcher);
    shard->matcher.emit = NULL;
    return code;
}
