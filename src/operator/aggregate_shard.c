/* aggregate_shard.c - at the end of an epoch: take in what the lanes folded, and let go of what the watermark
 * closes.
 *
 * Lanes are read only, so shards may merge at the same time. Groups that end come out bucket by bucket of the
 * expiry, earliest window first, and are finished in batches.
 */
#include "operator/aggregate_stage.h"

#include "base/hash.h"
#include "operator/emission.h"

void aggregate_shard_init(struct aggregate_stage *self, struct aggregate_shard *shard)
{
    const struct aggregate_spec *spec = &self->spec;
    bool windowed = self->kind == WINDOW_TUMBLING;
    shard->groups =
        state_new_keyed(&(struct state_spec){spec->name, self->head_bytes + self->states_bytes, spec->budget},
                        state_key_bytes(self->key_types, spec->key_count));
    expiry_init(&shard->ends, windowed ? spec->slide_us : EXACT_TIME_BUCKET_US, windowed ? spec->start_us : 0,
                spec->budget);
    shard->evicted_us = INT64_MIN;
    shard->away_first_us = INT64_MAX;
}

static void drop_one(void *context, uint32_t slot)
{
    void *const *both = context;
    const struct aggregate_stage *self = both[0];
    struct aggregate_shard *shard = both[1];
    states_drop(self, group_states(self, group_at(shard->groups, slot)), &shard->heap);
}

void aggregate_shard_close(struct aggregate_stage *self, struct aggregate_shard *shard)
{
    if (shard->groups != NULL && !self->flat) {
        state_each(shard->groups, drop_one, (void *[]){self, shard});
        always(heap_settle(&shard->heap, &self->spec, NULL) == E_OK); // it gives
    }
    state_free(shard->groups);
    expiry_close(&shard->ends);
    mem_free(shard->changed.slots);
    key_room_free(&shard->room);
    *shard = (struct aggregate_shard){0};
}

/* ---- merge ---- */

static void room_fill(struct key_room *room, struct state_table *groups, const uint32_t *slots, int64_t count)
{
    key_room_reserve(room, count);
    room->offsets[0] = 0;
    for (int64_t i = 0; i < count; i++) {
        groups_prefetch(groups, slots, i, count);
        struct bytes key = state_key(groups, slots[i]);
        text_add(&room->keys, key.data, key.size);
        room->offsets[i + 1] = (int32_t)room->keys.size;
        room->hashes[i] = hash_bytes(key.data, key.size);
    }
}

static enum code group_start(struct aggregate_stage *self, struct aggregate_shard *shard, uint32_t slot,
                             const struct group *from, struct error *err)
{
    struct group *group = group_at(shard->groups, slot);
    if (self->flat)
        memcpy(group, from, self->head_bytes + self->states_bytes);
    else
        states_init(self, group_states(self, group));
    group->end_us = from->end_us;
    group->changed = 0;
    return expiry_add(&shard->ends, from->end_us, slot, &group->link, err);
}

static void group_changed(struct aggregate_shard *shard, struct group *group, uint32_t slot)
{
    if (group->changed == shard->merge)
        return;
    group->changed = shard->merge;
    slot_list_add(&shard->changed, slot);
}

static enum code merge_some(struct aggregate_stage *self, struct aggregate_shard *shard, struct state_table *from,
                            const uint32_t *slots, int64_t count, struct operator_counts *counts, struct error *err)
{
    struct key_room *room = &shard->room;
    int64_t created_count = 0, created = 0;
    room_fill(room, from, slots, count);
    TRY(state_upsert(shard->groups, (const uint8_t *)room->keys.data, room->offsets, room->hashes, count, room->slots,
                     room->created, &created_count, err));
    for (int64_t i = 0; i < count; i++) {
        groups_prefetch(shard->groups, room->slots, i, count);
        groups_prefetch(from, slots, i, count);
        struct group *source = group_at(from, slots[i]);
        bool is_new = created < created_count && room->slots[i] == room->created[created];
        if (is_new) {
            TRY(group_start(self, shard, room->slots[i], source, err));
            created++;
        }
        struct group *group = group_at(shard->groups, room->slots[i]);
        if (!is_new || !self->flat)
            counts->overflown +=
                states_merge(self, group_states(self, group), group_states(self, source), &shard->heap);
        group_changed(shard, group, room->slots[i]);
    }
    return heap_settle(&shard->heap, &self->spec, err);
}

/* ---- emit and evict ---- */

/* Slots of all groups that end at or before now_us, taken out of the expiry; those of the last bucket that
 * stay are put back. Earliest bucket first, within a bucket in the order they came. */
static enum code ended_groups(struct aggregate_shard *shard, int64_t now_us, struct slot_list *ended, struct error *err)
{
    struct slot_list stay = {0};
    uint32_t first;
    while (expiry_take(&shard->ends, now_us, &first)) {
        int64_t from = ended->count;
        for (uint32_t slot = first; slot != (uint32_t)EXPIRY_NONE; slot = group_at(shard->groups, slot)->link)
            slot_list_add(group_at(shard->groups, slot)->end_us <= now_us ? ended : &stay, slot);
        for (int64_t a = from, b = ended->count - 1; a < b; a++, b--) {
            uint32_t swap = ended->slots[a];
            ended->slots[a] = ended->slots[b];
            ended->slots[b] = swap;
        }
    }
    enum code code = E_OK;
    for (int64_t i = stay.count - 1; code == E_OK && i >= 0; i--) {
        struct group *group = group_at(shard->groups, stay.slots[i]);
        code = expiry_add(&shard->ends, group->end_us, stay.slots[i], &group->link, err);
    }
    mem_free(stay.slots);
    return code;
}

static enum code evict(struct aggregate_stage *self, struct aggregate_shard *shard, const struct slot_list *ended,
                       struct error *err)
{
    for (int64_t i = 0; i < ended->count; i++) {
        groups_prefetch(shard->groups, ended->slots, i, ended->count);
        struct group *group = group_at(shard->groups, ended->slots[i]);
        states_drop(self, group_states(self, group), &shard->heap);
        group->changed = 0;
        state_remove(shard->groups, ended->slots[i]);
    }
    shard->evicted = shard->evicted || ended->count > 0;
    return heap_settle(&shard->heap, &self->spec, err);
}

static enum code group_emit(const struct aggregate_stage *self, struct aggregate_shard *shard, uint32_t slot,
                            struct emission *emission, struct error *err)
{
    struct group *group = group_at(shard->groups, slot);
    return emission_row(emission, state_key(shard->groups, slot), group->end_us - self->spec.size_us, group->end_us,
                        group_states(self, group), err);
}

static enum code emit_and_evict(struct aggregate_stage *self, struct aggregate_shard *shard, int64_t emit_us,
                                const struct emit *emit, struct operator_counts *counts, struct error *err)
{
    struct slot_list ended = {0};
    struct emission emission;
    emission_open(&emission, self, emit);
    enum code code = ended_groups(shard, emit_us, &ended, err);
    for (int64_t i = 0; code == E_OK && i < ended.count; i++) {
        groups_prefetch(shard->groups, ended.slots, i, ended.count);
        code = group_emit(self, shard, ended.slots[i], &emission, err);
    }
    code = emission_close(&emission, code, err);
    counts->out += emission.out;
    counts->overflown += emission.overflown;
    if (code == E_OK)
        code = evict(self, shard, &ended, err);
    mem_free(ended.slots);
    return code;
}

enum code aggregate_shard_evict(struct aggregate_stage *self, struct aggregate_shard *shard, int64_t now_us,
                                struct error *err)
{
    struct slot_list ended = {0};
    enum code code = ended_groups(shard, now_us, &ended, err);
    if (code == E_OK)
        code = evict(self, shard, &ended, err);
    mem_free(ended.slots);
    return code;
}

struct showing {
    const struct aggregate_stage *self;
    struct aggregate_shard *shard;
    struct emission emission;
    enum code code;
    struct error *err;
};

static void group_show(void *context, uint32_t slot)
{
    struct showing *showing = context;
    if (showing->code == E_OK)
        showing->code = group_emit(showing->self, showing->shard, slot, &showing->emission, showing->err);
}

enum code aggregate_shard_show(struct stateful *base, int32_t shard, const struct emit *emit, struct error *err)
{
    struct aggregate_stage *self = aggregate_of(base);
    struct showing showing = {.self = self, .shard = &self->shards[shard], .err = err};
    emission_open(&showing.emission, self, emit);
    state_each(showing.shard->groups, group_show, &showing);
    return emission_close(&showing.emission, showing.code, err);
}

bool aggregate_shard_idle(const struct stateful *base, int32_t shard, const struct epoch_time *time)
{
    const struct aggregate_stage *self = aggregate_of_const(base);
    for (int32_t l = 0; l < base->lanes; l++)
        if (self->lanes[l].by_shard[shard].count > 0)
            return false;
    const struct aggregate_shard *own = &self->shards[shard];
    int64_t first_us = expiry_first_us(&own->ends);
    return time->emit_us < (own->away_first_us < first_us ? own->away_first_us : first_us);
}

enum code aggregate_shard_merge(struct stateful *base, int32_t shard_index, const struct epoch_time *time,
                                const struct emit *emit, struct operator_counts *counts, struct error *err)
{
    struct aggregate_stage *self = aggregate_of(base);
    struct aggregate_shard *shard = &self->shards[shard_index];
    shard->merge++;
    shard->changed.count = 0;
    shard->epoch = time->epoch;
    shard->evicted = false;
    for (int32_t l = 0; l < self->spec.lanes; l++) {
        const struct slot_list *list = &self->lanes[l].by_shard[shard_index];
        for (int64_t from = 0; from < list->count; from += MERGE_GROUPS) {
            int64_t count = list->count - from < MERGE_GROUPS ? list->count - from : MERGE_GROUPS;
            TRY(merge_some(self, shard, self->lanes[l].groups, list->slots + from, count, counts, err));
        }
    }
    key_room_free(&shard->room); // of many shards few are at work at a time
    shard->evicted_us = time->emit_us;
    return emit_and_evict(self, shard, time->emit_us, emit, counts, err);
}
