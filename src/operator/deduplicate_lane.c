/* deduplicate_lane.c - a worker's batches to the first row of each key that the worker met in this epoch. */
#include "operator/deduplicate_stage.h"

#include "base/hash.h"

void deduplicate_lane_init(const struct deduplicate_stage *self, struct deduplicate_lane *lane)
{
    size_t shards = (size_t)self->spec.shards;
    lane->keys = state_new(&(struct state_spec){self->spec.name, sizeof(struct candidate), self->spec.budget});
    lane->by_shard = mem_array(uint32_t *, shards);
    lane->shard_counts = mem_array(int64_t, shards);
    lane->shard_capacities = mem_array(int64_t, shards);
    lane->key_columns = mem_array(struct column, (size_t)self->spec.column_count);
}

static void pieces_clear(const struct deduplicate_stage *self, struct deduplicate_lane *lane)
{
    for (int64_t i = 0; i < lane->piece_count; i++)
        batch_release(&lane->pieces[i]);
    lane->piece_count = 0;
    if (self->spec.budget != NULL)
        budget_give(self->spec.budget, lane->piece_bytes);
    lane->piece_bytes = 0;
}

void deduplicate_lane_close(const struct deduplicate_stage *self, struct deduplicate_lane *lane)
{
    pieces_clear(self, lane);
    state_free(lane->keys);
    for (int32_t s = 0; lane->by_shard != NULL && s < self->spec.shards; s++)
        mem_free(lane->by_shard[s]);
    mem_free(lane->by_shard);
    mem_free(lane->shard_counts);
    mem_free(lane->shard_capacities);
    mem_free(lane->pieces);
    mem_free(lane->key_columns);
    text_free(&lane->key_text);
    mem_free(lane->offsets);
    mem_free(lane->hashes);
    mem_free(lane->slots);
    mem_free(lane->created);
    mem_free(lane->rows);
    mem_free(lane->places);
    *lane = (struct deduplicate_lane){0};
}

void deduplicate_lanes_clear(struct stateful *base)
{
    struct deduplicate_stage *self = deduplicate_of(base);
    for (int32_t l = 0; l < base->lanes; l++) {
        struct deduplicate_lane *lane = &self->lanes_of[l];
        pieces_clear(self, lane);
        state_clear(lane->keys);
        memset(lane->shard_counts, 0, (size_t)self->spec.shards * sizeof *lane->shard_counts);
    }
}

static void reserve(struct deduplicate_lane *lane, int64_t rows)
{
    text_clear(&lane->key_text);
    if (rows <= lane->capacity)
        return;
    size_t count = (size_t)rows;
    lane->offsets = mem_resize(lane->offsets, (count + 1) * sizeof *lane->offsets);
    lane->hashes = mem_resize(lane->hashes, count * sizeof *lane->hashes);
    lane->slots = mem_resize(lane->slots, count * sizeof *lane->slots);
    lane->created = mem_resize(lane->created, count * sizeof *lane->created);
    lane->rows = mem_resize(lane->rows, count * sizeof *lane->rows);
    lane->places = mem_resize(lane->places, count * sizeof *lane->places);
    lane->capacity = rows;
}

/* ---- which rows, and where they stand ---- */

/* A row without a time is never late. */
static int64_t keep_in_time(const struct deduplicate_stage *self, struct deduplicate_lane *lane,
                            const struct lane_call *call, const struct batch *in)
{
    const struct column *col = self->spec.time_column >= 0 ? &in->columns[self->spec.time_column] : NULL;
    int64_t kept = 0;
    for (int64_t row = 0; row < in->rows; row++) {
        bool late =
            col != NULL && column_valid_at(col, row) && column_values(col, const int64_t)[row] <= call->time->late_us;
        if (late)
            lane_call_drop(call, row, ROW_LATE);
        lane->rows[kept] = (int32_t)row;
        kept += !late;
    }
    return kept;
}

/* Neighbours share their topic, so its hash is computed once for a run of rows. */
static void find_places(struct deduplicate_lane *lane, const struct batch *in, int64_t rows)
{
    const struct origin *origin = in->source;
    if (origin == NULL || origin->offset.values == NULL || origin->topic.offsets == NULL) {
        memset(lane->places, 0, (size_t)rows * sizeof *lane->places);
        return;
    }
    struct bytes topic = {0};
    uint64_t hash = 0;
    for (int64_t i = 0; i < rows; i++) {
        int64_t record = batch_origin(in, lane->rows[i]);
        struct bytes own = column_bytes_at(&origin->topic, record);
        if (topic.data == NULL || own.size != topic.size || memcmp(own.data, topic.data, own.size) != 0) {
            topic = own;
            hash = hash_bytes(own.data, own.size) << 32;
        }
        uint32_t partition = (uint32_t)column_values(&origin->partition, const int32_t)[record];
        lane->places[i] = (struct place){hash | partition, column_values(&origin->offset, const int64_t)[record]};
    }
}

static int64_t end_of_key(const struct deduplicate_stage *self, const struct batch *in, int64_t row)
{
    const struct deduplicate_spec *spec = &self->spec;
    if (!spec->time_is_key && !spec->within_watermark)
        return INT64_MAX;
    const struct column *col = &in->columns[spec->time_column];
    bool valid = column_valid_at(col, row);
    if (!valid && !spec->within_watermark)
        return INT64_MAX;                                                // a NULL time is before no watermark
    int64_t end_us = valid ? column_values(col, const int64_t)[row] : 0; // Spark reads a NULL time as 1970 here
    return spec->within_watermark && __builtin_add_overflow(end_us, spec->delay_us, &end_us) ? INT64_MAX : end_us;
}

/* ---- rows to candidates ---- */

static int64_t encode_keys(const struct deduplicate_stage *self, struct deduplicate_lane *lane, const struct batch *in,
                           int64_t rows)
{
    text_clear(&lane->key_text);
    for (int32_t k = 0; k < self->spec.column_count; k++) {
        const struct column *col = &in->columns[self->spec.columns[k]];
        if (rows == in->rows)
            column_share(&lane->key_columns[k], col);
        else
            column_gather(&lane->key_columns[k], col, lane->rows, rows);
    }
    int64_t too_long = state_key_encode(lane->key_columns, self->spec.column_count, rows, &lane->key_text,
                                        lane->offsets, lane->hashes);
    for (int32_t k = 0; k < self->spec.column_count; k++)
        column_release(&lane->key_columns[k]);
    return too_long;
}

static int64_t reject_long_keys(struct deduplicate_lane *lane, const struct lane_call *call, int64_t rows)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < rows; i++) {
        if (lane->offsets[i] == lane->offsets[i + 1]) {
            rejects_add(call->rejects, lane->rows[i], -1, REJECT_TOO_BIG);
            call->counts->rejected++;
        } else {
            lane->rows[kept++] = lane->rows[i];
        }
    }
    return kept;
}

static void shard_add(const struct deduplicate_stage *self, struct deduplicate_lane *lane, uint64_t hash, uint32_t slot)
{
    int32_t shard = (int32_t)(((hash & UINT32_MAX) * (uint64_t)self->spec.shards) >> 32);
    mem_grow(lane->by_shard[shard], lane->shard_capacities[shard], lane->shard_counts[shard] + 1);
    lane->by_shard[shard][lane->shard_counts[shard]++] = slot;
}

/* The slot of the record that the candidate's row came from; its piece may still be in the making, of `in`. */
static int32_t candidate_slot(const struct deduplicate_lane *lane, const struct batch *in,
                              const struct candidate *candidate)
{
    return candidate->piece < lane->piece_count ? batch_slot(&lane->pieces[candidate->piece], candidate->row)
                                                : batch_slot(in, lane->rows[candidate->row]);
}

/* Rows that are their key's first so far; lane->rows becomes the list of them. Returns how many. */
static int64_t choose(const struct deduplicate_stage *self, struct deduplicate_lane *lane, const struct batch *in,
                      int64_t rows, int64_t created_count, struct operator_counts *counts)
{
    int64_t chosen = 0, created = 0;
    for (int64_t i = 0; i < rows; i++) {
        struct candidate *candidate = candidate_at(lane->keys, lane->slots[i]);
        bool is_new = created < created_count && lane->slots[i] == lane->created[created];
        if (is_new) {
            created++;
            shard_add(self, lane, lane->hashes[i], lane->slots[i]);
        } else if (!place_before(lane->places[i], candidate->place)) {
            duplicate_count(counts, batch_slot(in, lane->rows[i]));
            continue;
        } else {
            duplicate_count(counts, candidate_slot(lane, in, candidate));
        }
        int32_t row = lane->rows[i];
        *candidate = (struct candidate){lane->places[i], end_of_key(self, in, row), (uint32_t)lane->piece_count,
                                        (uint32_t)chosen};
        lane->rows[chosen++] = row;
    }
    return chosen;
}

static size_t column_bytes(const struct column *col)
{
    size_t size = (col->valid != NULL ? col->valid->size : 0) + (col->offsets != NULL ? col->offsets->size : 0) +
                  (col->values != NULL ? col->values->size : 0);
    for (int32_t c = 0; c < col->child_count; c++)
        size += column_bytes(&col->children[c]);
    return size;
}

/* A copy even of a whole batch: sharing it would keep the fetched records alive until the epoch ends. */
static enum code piece_add(const struct deduplicate_stage *self, struct deduplicate_lane *lane, const struct batch *in,
                           int64_t rows, struct error *err)
{
    if (rows == 0)
        return E_OK;
    struct batch piece = {0};
    batch_gather(&piece, in, lane->rows, rows);
    size_t size = 0;
    for (int32_t c = 0; c < piece.column_count; c++)
        size += column_bytes(&piece.columns[c]);
    enum code code = self->spec.budget == NULL ? E_OK : budget_take(self->spec.budget, size, self->spec.name, err);
    if (code != E_OK) {
        batch_release(&piece);
        return code;
    }
    lane->piece_bytes += size;
    mem_grow(lane->pieces, lane->piece_capacity, lane->piece_count + 1);
    lane->pieces[lane->piece_count++] = piece;
    return E_OK;
}

enum code deduplicate_lane_batch(struct stateful *base, const struct lane_call *call, const struct batch *in,
                                 struct error *err)
{
    const struct deduplicate_stage *self = deduplicate_of(base);
    struct deduplicate_lane *lane = &self->lanes_of[call->lane];
    call->counts->in += in->rows;
    if (in->rows == 0)
        return E_OK;
    reserve(lane, in->rows);
    int64_t rows = keep_in_time(self, lane, call, in), created_count = 0;
    if (encode_keys(self, lane, in, rows) > 0) {
        rows = reject_long_keys(lane, call, rows);
        encode_keys(self, lane, in, rows);
    }
    find_places(lane, in, rows);
    TRY(state_upsert(lane->keys, (const uint8_t *)lane->key_text.data, lane->offsets, lane->hashes, rows, lane->slots,
                     lane->created, &created_count, err));
    return piece_add(self, lane, in, choose(self, lane, in, rows, created_count, call->counts), err);
}
