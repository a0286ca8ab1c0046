/* aggregate_shard.c - at the end of an epoch: take in what the lanes folded, and let go of what the watermark
 * closes.
 *
 * Lanes are read only, so shards may merge at the same time. Groups that end come out bucket by bucket of the
 * expiry, earliest window first, and are finished in batches.
 */
#include "operator/aggregate_stage.h"

#include "base/hash.h"

void aggregate_shard_init(struct aggregate_stage *self, struct aggregate_shard *shard)
{
    const struct aggregate_spec *spec = &self->spec;
    bool windowed = self->windows_per_row > 0;
    shard->groups = state_new_keyed(&(struct state_spec){spec->name, self->slot_bytes, spec->budget},
                                    state_key_bytes(self->key_types, spec->key_count));
    expiry_init(&shard->ends, windowed ? spec->slide_us : EXACT_TIME_BUCKET_US,
                windowed ? spec->start_us + spec->size_us % spec->slide_us : 0, spec->budget);
    shard->evicted_us = INT64_MIN;
    shard->away_first_us = INT64_MAX;
}

static void drop_one(void *context, uint32_t slot)
{
    void *const *both = context;
    const struct aggregate_stage *self = both[0];
    struct aggregate_shard *shard = both[1];
    group_drop(self, group_at(shard->groups, slot), &shard->heap);
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
        memcpy(group, from, self->slot_bytes);
    else
        group_init(self, group, from->end_us);
    group->changed = 0;
    return expiry_add(&shard->ends, from->end_us, slot, &group->link, err);
}

/* False when a total overflowed. */
static bool group_merge(const struct aggregate_stage *self, struct group *into, struct group *from, struct heap *heap)
{
    bool fits = true;
    for (int32_t c = 0; c < self->spec.call_count; c++)
        fits &= aggregate_merge(self->spec.calls[c], group_state(self, into, c), group_state(self, from, c),
                                &heap->bytes);
    return fits;
}

static void group_changed(struct aggregate_shard *shard, struct group *group, uint32_t slot)
{
    if (group->changed == shard->merge)
        return;
    group->changed = shard->merge;
    slot_list_add(&shard->changed, slot);
}

static enum code merge_some(struct aggregate_stage *self, struct aggregate_shard *shard,
                            struct state_table *from, const uint32_t *slots, int64_t count,
                            struct operator_counts *counts, struct error *err)
{
    struct key_room *room = &shard->room;
    int64_t created_count = 0, created = 0;
    room_fill(room, from, slots, count);
    TRY(state_upsert(shard->groups, (const uint8_t *)room->keys.data, room->offsets, room->hashes, count,
                     room->slots, room->created, &created_count, err));
    for (int64_t i = 0; i < count; i++) {
        groups_prefetch(shard->groups, room->slots, i, count);
        struct group *source = group_at(from, slots[i]);
        bool is_new = created < created_count && room->slots[i] == room->created[created];
        if (is_new) {
            TRY(group_start(self, shard, room->slots[i], source, err));
            created++;
        }
        struct group *group = group_at(shard->groups, room->slots[i]);
        if (!is_new || !self->flat)
            counts->overflown += !group_merge(self, group, source, &shard->heap);
        group_changed(shard, group, room->slots[i]);
    }
    return heap_settle(&shard->heap, &self->spec, err);
}

/* ---- emit and evict ---- */

/* Slots of all groups that end at or before now_us, taken out of the expiry; those of the last bucket that
 * stay are put back. Earliest bucket first, within a bucket in the order they came. */
static enum code ended_groups(struct aggregate_shard *shard, int64_t now_us, struct slot_list *ended,
                              struct error *err)
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
        group_drop(self, group, &shard->heap);
        group->changed = 0;
        state_remove(shard->groups, ended->slots[i]);
    }
    shard->evicted = shard->evicted || ended->count > 0;
    return heap_settle(&shard->heap, &self->spec, err);
}

/* A window's ends become STRUCT<start, end>. */
static void window_column(const struct aggregate_stage *self, struct column *out)
{
    const struct type *type = self->spec.schema->fields[self->spec.window_key].type;
    struct column end = column_take(out);
    struct column start = {.type = type->fields[0].type,
                           .rows = end.rows,
                           .values = buffer_new((size_t)end.rows * sizeof(int64_t))};
    for (int64_t i = 0; i < end.rows; i++)
        column_values(&start, int64_t)[i] = column_values(&end, const int64_t)[i] - self->spec.size_us;
    *out = (struct column){
        .type = type, .rows = end.rows, .child_count = 2, .children = mem_array(struct column, 2)};
    out->children[0] = start;
    out->children[1] = end;
}

static enum code finish_groups(const struct aggregate_stage *self, const struct aggregate_shard *shard,
                               const uint32_t *slots, int64_t count, struct builder *builders,
                               struct operator_counts *counts, struct error *err)
{
    const struct aggregate_spec *spec = &self->spec;
    for (int64_t i = 0; i < count; i++) {
        groups_prefetch(shard->groups, slots, i, count);
        TRY(state_key_decode(state_key(shard->groups, slots[i]), builders, spec->key_count, err));
        struct group *group = group_at(shard->groups, slots[i]);
        for (int32_t c = 0; c < spec->call_count; c++)
            counts->overflown += !aggregate_finish(spec->calls[c], group_state(self, group, c),
                                                   &builders[spec->key_count + c]);
    }
    return E_OK;
}

static enum code emit_some(const struct aggregate_stage *self, const struct aggregate_shard *shard,
                           const uint32_t *slots, int64_t count, const struct emit *emit,
                           struct operator_counts *counts, struct error *err)
{
    const struct type *schema = self->spec.schema;
    struct builder *builders = mem_array(struct builder, (size_t)schema->field_count);
    struct batch out;
    batch_init(&out, schema, count);
    for (int32_t c = 0; c < schema->field_count; c++)
        builder_init(&builders[c], c < self->spec.key_count ? self->key_types[c] : schema->fields[c].type);
    enum code code = finish_groups(self, shard, slots, count, builders, counts, err);
    for (int32_t c = 0; c < schema->field_count; c++) {
        builder_finish(&builders[c], &out.columns[c]);
        builder_release(&builders[c]);
    }
    if (code == E_OK && self->spec.window_key >= 0)
        window_column(self, &out.columns[self->spec.window_key]);
    if (code == E_OK)
        code = emit->batch(emit->context, &out, err);
    if (code == E_OK)
        counts->out += count;
    batch_release(&out);
    mem_free(builders);
    return code;
}

static enum code emit_and_evict(struct aggregate_stage *self, struct aggregate_shard *shard, int64_t emit_us,
                                const struct emit *emit, struct operator_counts *counts, struct error *err)
{
    struct slot_list ended = {0};
    enum code code = ended_groups(shard, emit_us, &ended, err);
    for (int64_t from = 0; code == E_OK && from < ended.count; from += BATCH_ROWS_MAX) {
        int64_t count = ended.count - from < BATCH_ROWS_MAX ? ended.count - from : BATCH_ROWS_MAX;
        code = emit_some(self, shard, ended.slots + from, count, emit, counts, err);
    }
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
        for (int64_t from = 0; from < list->count; from += BATCH_ROWS_MAX) {
            int64_t count = list->count - from < BATCH_ROWS_MAX ? list->count - from : BATCH_ROWS_MAX;
            TRY(merge_some(self, shard, self->lanes[l].groups, list->slots + from, count, counts, err));
        }
    }
    shard->evicted_us = time->emit_us;
    return emit_and_evict(self, shard, time->emit_us, emit, counts, err);
}
