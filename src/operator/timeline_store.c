/* timeline_store.c - timelines as bytes: deltas in the chain's records, snapshots beside it.
 *
 * A frame (state/frame.c: magic, version, kind, layout, checksum) of kind SNAPSHOT or DELTA per shard. Its
 * body, all numbers little endian:
 *
 *   size       what
 *   8          epoch of the last merge
 *   8          W of the last merge: what ended at or before it was emitted (delta: and is gone, after its
 *              spans are applied)
 *   8          n, keys
 *   n times:
 *     4        k, bytes of the key
 *     k        key without the window, as state/key.c encodes it
 *     4        m, spans, at least 1; in order of time
 *     m times:
 *       8      start, microseconds
 *       8      end
 *       ...    each aggregate's state in the order of the SELECT, as aggregate_save() writes it
 *
 * A delta holds the spans that the epoch changed, whole. A span takes the place of those that it overlaps, or
 * touches when they are sessions: a session that has grown over others replaces them. So applying a delta
 * twice, or to timelines that have it already, changes nothing. An epoch that changed and emitted nothing has
 * no bytes at all.
 */
#include "operator/timeline.h"

#include "base/hash.h"
#include "operator/stored.h"

enum { KIND_SNAPSHOT = 1, KIND_DELTA = 2 };

struct body_head {
    int64_t epoch, evicted_us;
    uint64_t keys;
};

/* ---- write ---- */

struct writer {
    const struct aggregate_stage *self;
    struct timeline_shard *shard;
    struct text *out;
    bool whole; /* all spans, not only the changed ones */
    uint64_t keys;
};

static void span_save(const struct writer *writer, struct span *span)
{
    text_add(writer->out, &span->start_us, sizeof span->start_us);
    text_add(writer->out, &span->end_us, sizeof span->end_us);
    states_save(writer->self, span_states(span), writer->out);
}

static void timeline_save(void *context, uint32_t slot)
{
    struct writer *writer = context;
    const struct timeline *timeline = timeline_at(writer->shard->keys, slot);
    struct bytes key = state_key(writer->shard->keys, slot);
    uint32_t key_size = (uint32_t)key.size, spans = 0;
    size_t start = writer->out->size, count_at = start + sizeof key_size + key.size;
    text_add(writer->out, &key_size, sizeof key_size);
    text_add(writer->out, key.data, key.size);
    text_add(writer->out, &spans, sizeof spans);
    uint32_t from = writer->whole ? 0 : timeline_search(writer->self, timeline, timeline->changed_from_us);
    for (uint32_t i = from; i < timeline->count; i++) {
        struct span *span = span_at(writer->self, timeline, i);
        if (!writer->whole && span->changed != writer->shard->merge)
            continue;
        span_save(writer, span);
        spans++;
    }
    if (writer->out->overflow)
        return;
    if (spans == 0) {
        writer->out->size = start; // what changed is over already
        return;
    }
    memcpy(writer->out->data + count_at, &spans, sizeof spans);
    writer->keys++;
}

static size_t body_begin(struct writer *writer, uint16_t kind)
{
    size_t start = state_frame_begin(writer->out, kind, writer->self->layout);
    struct body_head head = {writer->shard->epoch, writer->shard->evicted_us, 0};
    text_add(writer->out, &head, sizeof head);
    return start;
}

static enum code body_end(struct writer *writer, size_t start, size_t keys_at, struct error *err)
{
    if (!writer->out->overflow)
        memcpy(writer->out->data + keys_at, &writer->keys, sizeof writer->keys);
    state_frame_end(writer->out, start);
    if (writer->out->overflow)
        return fail(err, E_MEMORY, "%s: its stored state passes %zu bytes", writer->self->spec.name,
                    writer->out->limit);
    return E_OK;
}

enum code timeline_shard_delta(struct stateful *base, int32_t shard_index, struct text *out, struct error *err)
{
    struct writer writer = {aggregate_of(base), timeline_shard_of(base, shard_index), out, .whole = false};
    const struct slot_list *changed = &writer.shard->changed;
    if (changed->count == 0 && !writer.shard->evicted)
        return E_OK;
    size_t start = body_begin(&writer, KIND_DELTA), keys_at = out->size - sizeof writer.keys;
    for (int64_t i = 0; i < changed->count; i++) {
        timelines_prefetch(writer.self, writer.shard, changed, i);
        if (timeline_at(writer.shard->keys, changed->slots[i])->changed == writer.shard->merge)
            timeline_save(&writer, changed->slots[i]);
    }
    return body_end(&writer, start, keys_at, err);
}

enum code timeline_shard_snapshot(struct stateful *base, int32_t shard_index, struct text *out, struct error *err)
{
    struct writer writer = {aggregate_of(base), timeline_shard_of(base, shard_index), out, .whole = true};
    size_t start = body_begin(&writer, KIND_SNAPSHOT), keys_at = out->size - sizeof writer.keys;
    state_each(writer.shard->keys, timeline_save, &writer);
    return body_end(&writer, start, keys_at, err);
}

/* ---- read ---- */

struct reader {
    struct aggregate_stage *self;
    struct bytes in;
    struct fragment *fragments; /* of one key */
    int64_t fragment_capacity;
    uint8_t *states; /* of these, when they are not flat */
    size_t states_capacity;
};

/* Start and end, apart from the fragment before. */
static enum code take_range(struct reader *reader, int64_t index, struct error *err)
{
    struct span span = {0};
    TRY(stored_take(&reader->in, &span.start_us, sizeof span.start_us, err));
    TRY(stored_take(&reader->in, &span.end_us, sizeof span.end_us, err));
    const struct span_rule *rule = span_rule_of(reader->self);
    int64_t last_us = index == 0 ? INT64_MIN : reader->fragments[index - 1].end_us;
    if (!rule->valid(reader->self, &span) || span.start_us < last_us || (rule->touching && span.start_us == last_us))
        return fail(err, E_CORRUPT, "stored state: a time that cannot be");
    mem_grow(reader->fragments, reader->fragment_capacity, index + 1);
    reader->fragments[index] = (struct fragment){.start_us = span.start_us, .end_us = span.end_us};
    return E_OK;
}

static enum code take_states(struct reader *reader, struct timeline_shard *shard, int64_t index, struct error *err)
{
    const struct aggregate_stage *self = reader->self;
    size_t size = self->states_bytes;
    if (self->flat) { // as they are stored, they go into the span
        reader->fragments[index].states = reader->in.data;
        return stored_take(&reader->in, NULL, size, err);
    }
    mem_grow(reader->states, reader->states_capacity, (size_t)(index + 1) * size);
    uint8_t *states = reader->states + (size_t)index * size;
    states_init(self, states);
    enum code code = states_load(self, &reader->in, states, &shard->heap, err);
    if (code != E_OK)
        states_drop(self, states, &shard->heap);
    return code;
}

/* The spans of a key; when one is bad, those before it are given back. */
static enum code take_spans(struct reader *reader, struct timeline_shard *shard, uint32_t count, struct error *err)
{
    const struct aggregate_stage *self = reader->self;
    int64_t taken = 0;
    enum code code = E_OK;
    while (code == E_OK && taken < count) {
        code = take_range(reader, taken, err);
        if (code == E_OK)
            code = take_states(reader, shard, taken, err);
        taken += code == E_OK;
    }
    for (int64_t i = 0; !self->flat && i < taken; i++) {
        uint8_t *states = reader->states + (size_t)i * self->states_bytes;
        reader->fragments[i].states = states;
        reader->fragments[i].moved = true;
        if (code != E_OK)
            states_drop(self, states, &shard->heap);
    }
    return code;
}

static enum code timeline_load(struct reader *reader, int32_t shard_index, int64_t closed_us, struct error *err)
{
    struct aggregate_stage *self = reader->self;
    struct bytes key;
    uint32_t spans, slot, created;
    int64_t created_count = 0;
    TRY(stored_take_key(&reader->in, &key, err));
    TRY(stored_take(&reader->in, &spans, sizeof spans, err));
    if (spans == 0)
        return fail(err, E_CORRUPT, "stored state: a key without anything");
    uint64_t hash = hash_bytes(key.data, key.size);
    struct timeline_shard *shard = &self->timelines[shard_index >= 0 ? shard_index : shard_of(self, hash)];
    TRY(take_spans(reader, shard, spans, err));
    const int32_t offsets[2] = {0, (int32_t)key.size};
    enum code code = state_upsert(shard->keys, key.data, offsets, &hash, 1, &slot, &created, &created_count, err);
    if (code != E_OK) {
        for (int64_t i = 0; !self->flat && i < spans; i++)
            states_drop(self, reader->states + (size_t)i * self->states_bytes, &shard->heap);
        return code;
    }
    struct timeline *timeline = timeline_at(shard->keys, slot);
    if (created_count > 0)
        timeline->due_us = INT64_MAX;
    timeline_replace(self, shard, timeline, reader->fragments, spans);
    TRY(timeline_await(self, shard, slot, closed_us, err));
    return heap_settle(&shard->heap, &self->spec, err);
}

static enum code shard_loaded(struct aggregate_stage *self, struct timeline_shard *shard, const struct body_head *head,
                              uint16_t kind, struct error *err)
{
    shard->away_first_us = INT64_MAX;
    if (head->evicted_us > shard->evicted_us)
        shard->evicted_us = head->evicted_us;
    return kind == KIND_DELTA ? timeline_shard_evict(self, shard, head->evicted_us, err) : E_OK;
}

static enum code body_load(struct stateful *base, int32_t shard_index, const struct state_frame *frame,
                           struct error *err)
{
    struct aggregate_stage *self = aggregate_of(base);
    struct reader reader = {.self = self, .in = frame->body};
    struct body_head head;
    TRY(stored_take(&reader.in, &head, sizeof head, err));
    enum code code = E_OK;
    for (uint64_t i = 0; code == E_OK && i < head.keys; i++)
        code = timeline_load(&reader, shard_index, head.evicted_us, err);
    mem_free(reader.fragments);
    mem_free(reader.states);
    if (code == E_OK && reader.in.size > 0)
        return fail(err, E_CORRUPT, "stored state: %zu bytes too many", reader.in.size);
    int32_t first = shard_index >= 0 ? shard_index : 0, last = shard_index >= 0 ? shard_index + 1 : self->spec.shards;
    for (int32_t s = first; code == E_OK && s < last; s++)
        code = shard_loaded(self, &self->timelines[s], &head, frame->kind, err);
    return code;
}

static enum code frames_load(struct stateful *base, int32_t shard, struct bytes stored, struct error *err)
{
    const struct aggregate_stage *self = aggregate_of(base);
    const struct stored_spec spec = {self->spec.name, KIND_SNAPSHOT, KIND_DELTA, self->layout,
                                     "other group keys or aggregates"};
    return stored_frames(&spec, base, shard, stored, body_load, err);
}

enum code timeline_restore(struct stateful *base, struct bytes stored, struct error *err)
{
    return frames_load(base, -1, stored, err);
}

enum code timeline_shard_restore(struct stateful *base, int32_t shard, struct bytes stored, struct error *err)
{
    return frames_load(base, shard, stored, err);
}

/* The expiry goes with the timelines and comes back with them (restore). */
void timeline_shard_spill(struct stateful *base, int32_t shard_index)
{
    struct aggregate_stage *self = aggregate_of(base);
    struct timeline_shard *shard = &self->timelines[shard_index];
    struct timeline_shard kept = *shard;
    int64_t first_us = expiry_first_us(&shard->ends);
    timeline_shard_close(self, shard);
    timeline_shard_init(self, shard);
    shard->merge = kept.merge;
    shard->epoch = kept.epoch;
    shard->evicted_us = kept.evicted_us;
    shard->away_first_us = first_us;
}
