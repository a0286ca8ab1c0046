/* aggregate_store.c - the state of an aggregate as bytes: deltas in the chain's records, snapshots beside it.
 *
 * A frame (state/frame.c: magic, version, kind, layout, checksum) of kind SNAPSHOT or DELTA per shard. Its
 * body, all numbers little endian:
 *
 *   size       what
 *   8          epoch of the last merge
 *   8          W: groups that end at or before it are gone (delta: after its groups are applied)
 *   8          n, groups
 *   n times:
 *     4        k, bytes of the key
 *     k        key, as state/key.c encodes it; a window stands as its end
 *     8        end, microseconds; INT64_MAX = never
 *     ...      each aggregate's state in the order of the SELECT, as aggregate_save() writes it
 *
 * A delta holds the groups that the epoch changed, whole; so applying it twice, or to a table that has it
 * already, changes nothing. An epoch that changed and evicted nothing has no bytes at all. Groups find their
 * shard again by their key: the number of shards may differ from when they were written.
 */
#include "operator/aggregate_stage.h"

#include "base/hash.h"
#include "operator/stored.h"

enum { GROUP_BYTES_MIN = 12 }; /* as stored: size of the key, and the end */
enum { KIND_SNAPSHOT = 1, KIND_DELTA = 2 };

struct body_head {
    int64_t epoch, evicted_us;
    uint64_t groups;
};

/* ---- write ---- */

struct writer {
    const struct aggregate_stage *self;
    struct aggregate_shard *shard;
    struct text *out;
};

static void group_save(void *context, uint32_t slot)
{
    const struct writer *writer = context;
    const struct aggregate_stage *self = writer->self;
    struct group *group = group_at(writer->shard->groups, slot);
    struct bytes key = state_key(writer->shard->groups, slot);
    uint32_t key_size = (uint32_t)key.size;
    // Flat states lie in the slot as they are stored, one behind the other.
    size_t states = self->flat ? self->states_bytes : 0,
           size = sizeof key_size + key.size + sizeof group->end_us + states;
    if (writer->out->limit != 0 && writer->out->size + size > writer->out->limit) {
        writer->out->overflow = true;
        return;
    }
    char *to = text_reserve(writer->out, size);
    memcpy(to, &key_size, sizeof key_size);
    to += sizeof key_size;
    memcpy(to, key.data, key.size);
    to += key.size;
    memcpy(to, &group->end_us, sizeof group->end_us);
    memcpy(to + sizeof group->end_us, group + 1, states);
    writer->out->size += size;
    for (int32_t c = 0; !self->flat && c < self->spec.call_count; c++)
        aggregate_save(self->spec.calls[c], group_states(self, group) + self->state_at[c], writer->out);
}

static size_t body_begin(struct writer *writer, uint16_t kind, int64_t groups)
{
    size_t start = state_frame_begin(writer->out, kind, writer->self->layout);
    struct body_head head = {writer->shard->epoch, writer->shard->evicted_us, (uint64_t)groups};
    text_add(writer->out, &head, sizeof head);
    return start;
}

static enum code body_end(struct writer *writer, size_t start, struct error *err)
{
    state_frame_end(writer->out, start);
    if (writer->out->overflow)
        return fail(err, E_MEMORY, "%s: its stored state passes %zu bytes", writer->self->spec.name,
                    writer->out->limit);
    return E_OK;
}

static int64_t count_changed(const struct aggregate_shard *shard)
{
    int64_t count = 0;
    for (int64_t i = 0; i < shard->changed.count; i++)
        count += group_at(shard->groups, shard->changed.slots[i])->changed == shard->merge;
    return count;
}

enum code aggregate_shard_delta(struct stateful *base, int32_t shard_index, struct text *out, struct error *err)
{
    struct aggregate_stage *self = aggregate_of(base);
    struct writer writer = {self, &self->shards[shard_index], out};
    int64_t changed = count_changed(writer.shard);
    if (changed == 0 && !writer.shard->evicted)
        return E_OK;
    size_t start = body_begin(&writer, KIND_DELTA, changed);
    for (int64_t i = 0; i < writer.shard->changed.count; i++) {
        uint32_t slot = writer.shard->changed.slots[i];
        if (group_at(writer.shard->groups, slot)->changed == writer.shard->merge)
            group_save(&writer, slot);
    }
    return body_end(&writer, start, err);
}

enum code aggregate_shard_snapshot(struct stateful *base, int32_t shard_index, struct text *out, struct error *err)
{
    struct aggregate_stage *self = aggregate_of(base);
    struct writer writer = {self, &self->shards[shard_index], out};
    size_t start = body_begin(&writer, KIND_SNAPSHOT, state_count(writer.shard->groups));
    state_each(writer.shard->groups, group_save, &writer);
    return body_end(&writer, start, err);
}

/* ---- read ---- */

/* Room to load groups in blocks: a table finds many keys at once faster than one by one. */
enum { LOAD_GROUPS = 1024 };
struct loading {
    int64_t count;
    struct bytes states[LOAD_GROUPS]; /* of the group at the same place in the shard's room; from there to the end */
};

static enum code group_place(struct aggregate_stage *self, struct aggregate_shard *shard, uint32_t slot, bool is_new,
                             int64_t end_us, struct error *err)
{
    struct group *group = group_at(shard->groups, slot);
    if (is_new)
        TRY(expiry_add(&shard->ends, end_us, slot, &group->link, err));
    else
        states_drop(self, group_states(self, group), &shard->heap);
    group->end_us = end_us;
    states_init(self, group_states(self, group));
    return E_OK;
}

/* Put the groups of the room into the shard. *left: what follows the states of the last one, when they are not flat. */
static enum code room_load(struct aggregate_stage *self, struct aggregate_shard *shard, struct loading *loading,
                           struct bytes *left, struct error *err)
{
    struct key_room *room = &shard->room;
    int64_t created_count = 0, created = 0, count = loading->count;
    loading->count = 0;
    TRY(state_upsert(shard->groups, (const uint8_t *)room->keys.data, room->offsets, room->hashes, count, room->slots,
                     room->created, &created_count, err));
    for (int64_t i = 0; i < count; i++) {
        groups_prefetch(shard->groups, room->slots, i, count);
        bool is_new = created < created_count && room->slots[i] == room->created[created];
        created += is_new;
        TRY(group_place(self, shard, room->slots[i], is_new, room->ends[i], err));
        struct group *group = group_at(shard->groups, room->slots[i]);
        if (self->flat)
            memcpy(group + 1, loading->states[i].data, self->states_bytes);
        else
            TRY(states_load(self, &loading->states[i], group_states(self, group), &shard->heap, err));
        *left = loading->states[i];
    }
    return heap_settle(&shard->heap, &self->spec, err);
}

/* Take the next group off `in`, into the room of its shard. States that are not flat say only when they are loaded
 * where they end: then a room holds one group. */
static enum code group_take(struct aggregate_stage *self, int32_t shard_index, struct loading *loading,
                            struct bytes *in, struct error *err)
{
    struct bytes key;
    int64_t end_us;
    TRY(stored_take_key(in, &key, err));
    TRY(stored_take(in, &end_us, sizeof end_us, err));
    uint64_t hash = hash_bytes(key.data, key.size);
    int32_t index = shard_index >= 0 ? shard_index : shard_of(self, hash);
    struct aggregate_shard *shard = &self->shards[index];
    struct key_room *room = &shard->room;
    loading += shard_index >= 0 ? 0 : index;
    if (loading->count == 0) {
        key_room_reserve(room, LOAD_GROUPS);
        room->offsets[0] = 0;
    }
    int64_t at = loading->count++;
    text_add(&room->keys, key.data, key.size);
    room->offsets[at + 1] = (int32_t)room->keys.size;
    room->hashes[at] = hash;
    room->ends[at] = end_us;
    loading->states[at] = *in;
    if (!self->flat)
        return room_load(self, shard, loading, in, err);
    size_t size = self->states_bytes;
    if (in->size < size)
        return fail(err, E_CORRUPT, "stored state: breaks off in a group");
    *in = bytes_of(in->data + size, in->size - size);
    struct bytes left;
    return loading->count < LOAD_GROUPS ? E_OK : room_load(self, shard, loading, &left, err);
}

/* The shards that a frame belongs to: `shard_index`, or all when it is -1. */
static enum code groups_load(struct aggregate_stage *self, int32_t shard_index, uint64_t groups, struct bytes *in,
                             struct error *err)
{
    int32_t first = shard_index >= 0 ? shard_index : 0, count = shard_index >= 0 ? 1 : self->spec.shards;
    struct loading *loading = mem_array(struct loading, (size_t)count);
    struct state_table *alone = shard_index >= 0 ? self->shards[shard_index].groups : NULL;
    if (alone != NULL && state_count(alone) == 0 &&
        groups <= in->size / GROUP_BYTES_MIN) // else it breaks off, and is told
        state_expect(alone, (int64_t)groups);
    struct bytes left;
    enum code code = E_OK;
    for (uint64_t i = 0; code == E_OK && i < groups; i++)
        code = group_take(self, shard_index, loading, in, err);
    for (int32_t s = 0; s < count; s++) {
        struct aggregate_shard *shard = &self->shards[first + s];
        if (code == E_OK && loading[s].count > 0)
            code = room_load(self, shard, &loading[s], &left, err);
        shard->away_first_us = INT64_MAX;
    }
    mem_free(loading);
    return code;
}

static enum code body_load(struct stateful *base, int32_t shard_index, const struct state_frame *frame,
                           struct error *err)
{
    struct aggregate_stage *self = aggregate_of(base);
    struct bytes in = frame->body;
    struct body_head head;
    TRY(stored_take(&in, &head, sizeof head, err));
    TRY(groups_load(self, shard_index, head.groups, &in, err));
    if (in.size > 0)
        return fail(err, E_CORRUPT, "stored state: %zu bytes too many", in.size);
    if (frame->kind == KIND_SNAPSHOT)
        return E_OK;
    if (shard_index >= 0)
        return aggregate_shard_evict(self, &self->shards[shard_index], head.evicted_us, err);
    for (int32_t s = 0; s < self->spec.shards; s++)
        TRY(aggregate_shard_evict(self, &self->shards[s], head.evicted_us, err));
    return E_OK;
}

static enum code frames_load(struct stateful *base, int32_t shard, struct bytes stored, struct error *err)
{
    const struct aggregate_stage *self = aggregate_of(base);
    const struct stored_spec spec = {self->spec.name, KIND_SNAPSHOT, KIND_DELTA, self->layout,
                                     "other group keys or aggregates"};
    return stored_frames(&spec, base, shard, stored, body_load, err);
}

enum code aggregate_restore(struct stateful *base, struct bytes stored, struct error *err)
{
    return frames_load(base, -1, stored, err);
}

enum code aggregate_shard_restore(struct stateful *base, int32_t shard, struct bytes stored, struct error *err)
{
    return frames_load(base, shard, stored, err);
}

/* The expiry goes with the groups and comes back with them (restore). */
void aggregate_shard_spill(struct stateful *base, int32_t shard_index)
{
    struct aggregate_stage *self = aggregate_of(base);
    struct aggregate_shard *shard = &self->shards[shard_index];
    struct aggregate_shard kept = *shard;
    int64_t first_us = expiry_first_us(&shard->ends);
    shard->changed = (struct slot_list){0};
    aggregate_shard_close(self, shard);
    aggregate_shard_init(self, shard);
    shard->merge = kept.merge;
    shard->epoch = kept.epoch;
    shard->evicted_us = kept.evicted_us;
    shard->away_first_us = first_us;
    mem_free(kept.changed.slots);
}
