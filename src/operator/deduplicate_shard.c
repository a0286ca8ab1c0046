/* deduplicate_shard.c - at the end of an epoch: which of the lanes' candidates are new, and which keys may go.
 *
 * Of several lanes' candidates for one new key the one with the smaller place wins, so the result does not depend
 * on who read what. Winners go out piece by piece.
 */
#include "operator/deduplicate_stage.h"

#include "base/hash.h"

enum { EXPIRY_WIDTH_US = 1000000 }; /* keys end at any microsecond */

void deduplicate_shard_init(const struct deduplicate_stage *self, struct deduplicate_shard *shard)
{
    shard->keys = state_new(&(struct state_spec){self->spec.name, sizeof(struct known), self->spec.budget});
    expiry_init(&shard->ends, EXPIRY_WIDTH_US, 0, self->spec.budget);
    shard->evicted_us = INT64_MIN;
    shard->away_first_us = INT64_MAX;
}

void deduplicate_shard_close(struct deduplicate_shard *shard)
{
    state_free(shard->keys);
    expiry_close(&shard->ends);
    mem_free(shard->changed);
    mem_free(shard->winners);
    *shard = (struct deduplicate_shard){0};
}

/* ---- merge ---- */

static void winner_add(struct deduplicate_shard *shard, uint32_t known_slot, struct winner winner)
{
    struct known *known = known_at(shard->keys, known_slot);
    known->changed = shard->merge;
    known->winner = (uint32_t)shard->changed_count;
    mem_grow(shard->changed, shard->changed_capacity, shard->changed_count + 1);
    mem_grow(shard->winners, shard->winner_capacity, shard->changed_count + 1);
    shard->changed[shard->changed_count] = known_slot;
    shard->winners[shard->changed_count++] = winner;
}

/* Only now is it known whose time a key goes by. */
static enum code winners_settle(const struct deduplicate_stage *self, struct deduplicate_shard *shard,
                                struct error *err)
{
    for (int64_t i = 0; i < shard->changed_count; i++) {
        const struct winner *winner = &shard->winners[i];
        struct known *known = known_at(shard->keys, shard->changed[i]);
        known->end_us = candidate_at(self->lanes_of[winner->lane].keys, winner->slot)->end_us;
        if (known->end_us != INT64_MAX)
            TRY(expiry_add(&shard->ends, known->end_us, shard->changed[i], &known->link, err));
    }
    return E_OK;
}

/* The slot of the record that its row came from. */
static int32_t winner_slot(const struct deduplicate_stage *self, const struct winner *winner)
{
    const struct deduplicate_lane *lane = &self->lanes_of[winner->lane];
    const struct candidate *candidate = candidate_at(lane->keys, winner->slot);
    return batch_slot(&lane->pieces[candidate->piece], candidate->row);
}

/* A key that is there already is of an earlier epoch, or of another lane: then the earlier row wins. */
static enum code merge_lane(struct deduplicate_stage *self, struct deduplicate_shard *shard, int32_t shard_index,
                            int32_t lane_index, struct operator_counts *counts, struct error *err)
{
    struct deduplicate_lane *lane = &self->lanes_of[lane_index];
    for (int64_t i = 0; i < lane->shard_counts[shard_index]; i++) {
        uint32_t slot = lane->by_shard[shard_index][i], known_slot, created;
        struct bytes key = state_key(lane->keys, slot);
        const struct candidate *candidate = candidate_at(lane->keys, slot);
        const int32_t offsets[2] = {0, (int32_t)key.size};
        uint64_t hash = hash_bytes(key.data, key.size);
        int64_t created_count = 0;
        TRY(state_upsert(shard->keys, key.data, offsets, &hash, 1, &known_slot, &created, &created_count, err));
        const struct winner mine = {candidate->place, (uint32_t)lane_index, slot};
        if (created_count > 0) {
            winner_add(shard, known_slot, mine);
            continue;
        }
        const struct known *known = known_at(shard->keys, known_slot);
        struct winner *winner = known->changed == shard->merge ? &shard->winners[known->winner] : NULL;
        bool earlier = winner != NULL && place_before(candidate->place, winner->place);
        duplicate_count(counts, winner_slot(self, earlier ? winner : &mine));
        if (earlier)
            *winner = mine;
    }
    return E_OK;
}

/* ---- emit ---- */

/* Rows of one piece that won, in their order. */
static enum code emit_piece(const struct batch *piece, const int32_t *rows, int64_t count, const struct emit *emit,
                            struct operator_counts *counts, struct error *err)
{
    struct batch out = {0};
    batch_gather(&out, piece, rows, count);
    enum code code = emit->batch(emit->context, &out, err);
    batch_release(&out);
    if (code == E_OK)
        counts->out += count;
    return code;
}

/* Winners come lane by lane and, within a lane, piece by piece, except where another lane's place was earlier: a new
 * batch starts wherever the piece changes. */
static enum code emit_winners(const struct deduplicate_stage *self, const struct deduplicate_shard *shard,
                              const struct emit *emit, struct operator_counts *counts, struct error *err)
{
    int32_t *rows =
        mem_array(int32_t, (size_t)(shard->changed_count < BATCH_ROWS_MAX ? shard->changed_count : BATCH_ROWS_MAX));
    const struct batch *piece = NULL;
    int64_t count = 0;
    enum code code = E_OK;
    for (int64_t i = 0; code == E_OK && i < shard->changed_count; i++) {
        const struct winner *winner = &shard->winners[i];
        const struct deduplicate_lane *lane = &self->lanes_of[winner->lane];
        const struct candidate *candidate = candidate_at(lane->keys, winner->slot);
        const struct batch *own = &lane->pieces[candidate->piece];
        if (count > 0 && (own != piece || count == BATCH_ROWS_MAX)) {
            code = emit_piece(piece, rows, count, emit, counts, err);
            count = 0;
        }
        piece = own;
        rows[count++] = (int32_t)candidate->row;
    }
    if (code == E_OK && count > 0)
        code = emit_piece(piece, rows, count, emit, counts, err);
    mem_free(rows);
    return code;
}

/* ---- evict ---- */

enum code deduplicate_shard_evict(struct deduplicate_shard *shard, int64_t now_us, struct error *err)
{
    uint32_t first;
    uint32_t *stay = NULL;
    int64_t stay_count = 0, stay_capacity = 0;
    while (expiry_take(&shard->ends, now_us, &first)) {
        for (uint32_t slot = first, next; slot != (uint32_t)EXPIRY_NONE; slot = next) {
            struct known *known = known_at(shard->keys, slot);
            next = known->link;
            if (known->end_us <= now_us) {
                known->changed = 0;
                state_remove(shard->keys, slot);
                shard->evicted = true;
                continue;
            }
            mem_grow(stay, stay_capacity, stay_count + 1);
            stay[stay_count++] = slot;
        }
    }
    enum code code = E_OK;
    for (int64_t i = 0; code == E_OK && i < stay_count; i++) {
        struct known *known = known_at(shard->keys, stay[i]);
        code = expiry_add(&shard->ends, known->end_us, stay[i], &known->link, err);
    }
    mem_free(stay);
    return code;
}

enum code deduplicate_shard_merge(struct stateful *base, int32_t shard_index, const struct epoch_time *time,
                                  const struct emit *emit, struct operator_counts *counts, struct error *err)
{
    struct deduplicate_stage *self = deduplicate_of(base);
    struct deduplicate_shard *shard = &self->shards_of[shard_index];
    shard->merge++;
    shard->changed_count = 0;
    shard->epoch = time->epoch;
    shard->evicted = false;
    for (int32_t l = 0; l < base->lanes; l++)
        TRY(merge_lane(self, shard, shard_index, l, counts, err));
    TRY(winners_settle(self, shard, err));
    TRY(emit_winners(self, shard, emit, counts, err));
    shard->evicted_us = time->emit_us;
    return deduplicate_shard_evict(shard, time->emit_us, err);
}
