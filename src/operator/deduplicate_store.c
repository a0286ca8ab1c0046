/* deduplicate_store.c - the keys of a deduplication as bytes: deltas in the chain's records, snapshots beside it.
 *
 * A frame (state/frame.c: magic, version, kind, layout, checksum) of kind SNAPSHOT or DELTA per shard. Its body, all
 * numbers little endian:
 *
 *   size       what
 *   8          epoch of the last merge
 *   8          W: keys that end at or before it are gone (delta: after its keys are applied)
 *   8          n, keys
 *   n times:
 *     4        k, bytes of the key
 *     k        key, as state/key.c encodes it
 *     8        end, microseconds; INT64_MAX = never
 *
 * A delta holds the keys that the epoch met for the first time; applying it twice changes nothing. An epoch without
 * new and without ended keys has no bytes at all.
 */
#include "operator/deduplicate_stage.h"

#include "base/hash.h"
#include "operator/stored.h"

enum { KIND_SNAPSHOT = 11, KIND_DELTA = 12 };

struct body_head {
    int64_t epoch, evicted_us;
    uint64_t keys;
};

/* ---- write ---- */

struct writer {
    struct deduplicate_shard *shard;
    struct text *out;
};

static void key_save(void *context, uint32_t slot)
{
    const struct writer *writer = context;
    struct bytes key = state_key(writer->shard->keys, slot);
    uint32_t size = (uint32_t)key.size;
    text_add(writer->out, &size, sizeof size);
    text_add(writer->out, key.data, key.size);
    text_add(writer->out, &known_at(writer->shard->keys, slot)->end_us, sizeof(int64_t));
}

static size_t body_begin(const struct deduplicate_stage *self, const struct writer *writer, uint16_t kind, int64_t keys)
{
    size_t start = state_frame_begin(writer->out, kind, self->layout);
    const struct body_head head = {writer->shard->epoch, writer->shard->evicted_us, (uint64_t)keys};
    text_add(writer->out, &head, sizeof head);
    return start;
}

static enum code body_end(const struct deduplicate_stage *self, struct text *out, size_t start, struct error *err)
{
    state_frame_end(out, start);
    if (out->overflow)
        return fail(err, E_MEMORY, "%s: its stored state passes %zu bytes", self->spec.name, out->limit);
    return E_OK;
}

enum code deduplicate_shard_delta(struct stateful *base, int32_t index, struct text *out, struct error *err)
{
    struct deduplicate_stage *self = deduplicate_of(base);
    struct writer writer = {&self->shards_of[index], out};
    const struct deduplicate_shard *shard = writer.shard;
    int64_t left = 0; // a key may be gone in the epoch that met it
    for (int64_t i = 0; i < shard->changed_count; i++)
        left += known_at(shard->keys, shard->changed[i])->changed == shard->merge;
    if (left == 0 && !shard->evicted)
        return E_OK;
    size_t start = body_begin(self, &writer, KIND_DELTA, left);
    for (int64_t i = 0; i < shard->changed_count; i++)
        if (known_at(shard->keys, shard->changed[i])->changed == shard->merge)
            key_save(&writer, shard->changed[i]);
    return body_end(self, out, start, err);
}

enum code deduplicate_shard_snapshot(struct stateful *base, int32_t index, struct text *out, struct error *err)
{
    struct deduplicate_stage *self = deduplicate_of(base);
    struct writer writer = {&self->shards_of[index], out};
    size_t start = body_begin(self, &writer, KIND_SNAPSHOT, state_count(writer.shard->keys));
    state_each(writer.shard->keys, key_save, &writer);
    return body_end(self, out, start, err);
}

void deduplicate_shard_spill(struct stateful *base, int32_t index)
{
    struct deduplicate_stage *self = deduplicate_of(base);
    struct deduplicate_shard *shard = &self->shards_of[index];
    const struct deduplicate_shard kept = *shard;
    int64_t first_us = expiry_first_us(&shard->ends);
    deduplicate_shard_close(shard);
    deduplicate_shard_init(self, shard);
    shard->merge = kept.merge;
    shard->epoch = kept.epoch;
    shard->evicted_us = kept.evicted_us;
    shard->away_first_us = first_us;
}

/* ---- read ---- */

/* shard_index -1: the key says which. */
static enum code key_load(struct deduplicate_stage *self, int32_t shard_index, struct bytes *in, struct error *err)
{
    struct bytes key;
    uint32_t slot, created;
    int64_t end_us, created_count = 0;
    TRY(stored_take_key(in, &key, err));
    TRY(stored_take(in, &end_us, sizeof end_us, err));
    uint64_t hash = hash_bytes(key.data, key.size);
    int32_t index =
        shard_index >= 0 ? shard_index : (int32_t)(((hash & UINT32_MAX) * (uint64_t)self->spec.shards) >> 32);
    struct deduplicate_shard *shard = &self->shards_of[index];
    const int32_t offsets[2] = {0, (int32_t)key.size};
    TRY(state_upsert(shard->keys, key.data, offsets, &hash, 1, &slot, &created, &created_count, err));
    shard->away_first_us = INT64_MAX; // its keys are back
    if (created_count == 0)
        return E_OK;
    struct known *known = known_at(shard->keys, slot);
    known->end_us = end_us;
    return end_us == INT64_MAX ? E_OK : expiry_add(&shard->ends, end_us, slot, &known->link, err);
}

static enum code body_load(struct stateful *base, int32_t shard_index, const struct state_frame *frame,
                           struct error *err)
{
    struct deduplicate_stage *self = deduplicate_of(base);
    struct bytes in = frame->body;
    struct body_head head;
    TRY(stored_take(&in, &head, sizeof head, err));
    for (uint64_t i = 0; i < head.keys; i++)
        TRY(key_load(self, shard_index, &in, err));
    if (in.size > 0)
        return fail(err, E_CORRUPT, "stored state: %zu bytes too many", in.size);
    int32_t first = shard_index >= 0 ? shard_index : 0, end = shard_index >= 0 ? shard_index + 1 : self->spec.shards;
    for (int32_t s = first; frame->kind == KIND_DELTA && s < end; s++)
        TRY(deduplicate_shard_evict(&self->shards_of[s], head.evicted_us, err));
    return E_OK;
}

static enum code frames_load(struct stateful *base, int32_t shard, struct bytes stored, struct error *err)
{
    const struct deduplicate_stage *self = deduplicate_of(base);
    const struct stored_spec spec = {self->spec.name, KIND_SNAPSHOT, KIND_DELTA, self->layout, "other columns"};
    return stored_frames(&spec, base, shard, stored, body_load, err);
}

enum code deduplicate_restore(struct stateful *base, struct bytes stored, struct error *err)
{
    return frames_load(base, -1, stored, err);
}

enum code deduplicate_shard_restore(struct stateful *base, int32_t index, struct bytes stored, struct error *err)
{
    return frames_load(base, index, stored, err);
}

/* ---- show ---- */

const struct type *deduplicate_shown(const struct stateful *base, struct arena *arena)
{
    (void)arena;
    return deduplicate_of(base)->shown;
}

struct showing {
    const struct deduplicate_stage *self;
    struct deduplicate_shard *shard;
    const struct emit *emit;
    struct builder *builders;
    int64_t rows;
    enum code code;
    struct error *err;
};

static void show_rows(struct showing *showing)
{
    struct batch out;
    batch_init(&out, showing->self->shown, showing->rows);
    for (int32_t c = 0; c < out.column_count; c++) {
        builder_finish(&showing->builders[c], &out.columns[c]);
        builder_release(&showing->builders[c]);
        builder_init(&showing->builders[c], showing->self->shown->fields[c].type);
    }
    showing->code = showing->emit->batch(showing->emit->context, &out, showing->err);
    showing->rows = 0;
    batch_release(&out);
}

static void show_key(void *context, uint32_t slot)
{
    struct showing *showing = context;
    int32_t keys = showing->self->spec.column_count;
    if (showing->code != E_OK)
        return;
    showing->code = state_key_decode(state_key(showing->shard->keys, slot), showing->builders, keys, showing->err);
    int64_t end_us = known_at(showing->shard->keys, slot)->end_us;
    if (end_us == INT64_MAX)
        builder_null(&showing->builders[keys]);
    else
        builder_int(&showing->builders[keys], end_us);
    if (showing->code == E_OK && ++showing->rows == BATCH_ROWS_MAX)
        show_rows(showing);
}

enum code deduplicate_shard_show(struct stateful *base, int32_t index, const struct emit *emit, struct error *err)
{
    struct deduplicate_stage *self = deduplicate_of(base);
    struct showing showing = {.self = self, .shard = &self->shards_of[index], .emit = emit, .err = err};
    int32_t columns = self->shown->field_count;
    showing.builders = mem_array(struct builder, (size_t)columns);
    for (int32_t c = 0; c < columns; c++)
        builder_init(&showing.builders[c], self->shown->fields[c].type);
    state_each(showing.shard->keys, show_key, &showing);
    if (showing.code == E_OK && showing.rows > 0)
        show_rows(&showing);
    for (int32_t c = 0; c < columns; c++)
        builder_release(&showing.builders[c]);
    mem_free(showing.builders);
    return showing.code;
}
