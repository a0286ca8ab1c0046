/* deduplicate.c - set up a deduplication: the first row of each key goes on, the others are dropped and counted.
 *
 * Spec     Spark 4.2 StreamingDeduplicateExec (late rows fall out; keys that hold the event time go when it is at
 *          or before W, others stay for ever) and StreamingDeduplicateWithinWatermarkExec (a key goes when the time
 *          of its first row + delay is at or before W)
 */
#include "operator/deduplicate_stage.h"

#include "base/hash.h"

static const struct stateful_type deduplicate_type;

static uint64_t layout_fingerprint(const struct deduplicate_stage *self)
{
    struct text text = {0};
    for (int32_t k = 0; k < self->spec.column_count; k++) {
        type_print(self->key_types[k], &text);
        text_add_char(&text, ';');
    }
    text_printf(&text, "%d,%d,%lld", self->spec.time_is_key, self->spec.within_watermark,
                (long long)self->spec.delay_us);
    uint64_t fingerprint = hash_bytes(text.data, text.size);
    text_free(&text);
    return fingerprint;
}

static const struct type *shown_schema(struct arena *arena, const struct deduplicate_spec *spec)
{
    int32_t count = spec->column_count;
    struct field *fields = arena_array(arena, struct field, (size_t)count + 1);
    for (int32_t k = 0; k < count; k++)
        fields[k] = spec->schema->fields[spec->columns[k]];
    fields[count] = (struct field){"expires", type_of(TYPE_TIMESTAMP), true};
    return type_struct(arena, fields, count + 1);
}

enum code deduplicate_new(struct arena *arena, const struct deduplicate_spec *spec, struct stateful **out,
                          struct error *err)
{
    always(spec->lanes > 0 && spec->shards > 0);
    if (spec->within_watermark && spec->time_column < 0)
        return fail(err, E_BUG, "%s: within the watermark, but there is none", spec->name);
    struct deduplicate_stage *self = arena_new(arena, struct deduplicate_stage);
    self->base = (struct stateful){&deduplicate_type, spec->lanes, spec->shards};
    self->spec = *spec;
    self->key_types = arena_array(arena, const struct type *, (size_t)spec->column_count);
    for (int32_t k = 0; k < spec->column_count; k++)
        self->key_types[k] = spec->schema->fields[spec->columns[k]].type;
    self->shown = shown_schema(arena, spec);
    self->layout = layout_fingerprint(self);
    self->lanes_of = arena_array(arena, struct deduplicate_lane, (size_t)spec->lanes);
    self->shards_of = arena_array(arena, struct deduplicate_shard, (size_t)spec->shards);
    for (int32_t i = 0; i < spec->lanes; i++)
        deduplicate_lane_init(self, &self->lanes_of[i]);
    for (int32_t i = 0; i < spec->shards; i++)
        deduplicate_shard_init(self, &self->shards_of[i]);
    *out = &self->base;
    return E_OK;
}

static void deduplicate_free(struct stateful *base)
{
    struct deduplicate_stage *self = deduplicate_of(base);
    for (int32_t i = 0; i < base->lanes; i++)
        deduplicate_lane_close(self, &self->lanes_of[i]);
    for (int32_t i = 0; i < base->shards; i++)
        deduplicate_shard_close(&self->shards_of[i]);
}

static bool shard_idle(const struct stateful *base, int32_t index, const struct epoch_time *time)
{
    const struct deduplicate_stage *self = deduplicate_of(base);
    for (int32_t l = 0; l < base->lanes; l++)
        if (self->lanes_of[l].shard_counts[index] > 0)
            return false;
    const struct deduplicate_shard *shard = &self->shards_of[index];
    int64_t first_us = expiry_first_us(&shard->ends);
    return time->emit_us < (shard->away_first_us < first_us ? shard->away_first_us : first_us);
}

static int64_t shard_entries(const struct stateful *base, int32_t shard)
{
    return state_count(deduplicate_of(base)->shards_of[shard].keys);
}

static size_t shard_bytes(const struct stateful *base, int32_t shard)
{
    const struct deduplicate_shard *self = &deduplicate_of(base)->shards_of[shard];
    return state_bytes(self->keys) + state_bytes(self->ends.buckets);
}

static size_t lane_bytes(const struct stateful *base, int32_t lane)
{
    const struct deduplicate_lane *self = &deduplicate_of(base)->lanes_of[lane];
    return state_bytes(self->keys) + self->piece_bytes;
}

/* No expression is computed here, so the only reject is a key that is too long. */
static struct position no_position(const struct stateful *base, int32_t step)
{
    (void)base;
    (void)step;
    return (struct position){0};
}

static const struct stateful_type deduplicate_type = {
    .name = "deduplicate",
    .lane_batch = deduplicate_lane_batch,
    .shard_merge = deduplicate_shard_merge,
    .shard_idle = shard_idle,
    .lanes_clear = deduplicate_lanes_clear,
    .shard_delta = deduplicate_shard_delta,
    .shard_snapshot = deduplicate_shard_snapshot,
    .shard_spill = deduplicate_shard_spill,
    .restore = deduplicate_restore,
    .shard_restore = deduplicate_shard_restore,
    .shown = deduplicate_shown,
    .shard_show = deduplicate_shard_show,
    .position = no_position,
    .shard_entries = shard_entries,
    .shard_bytes = shard_bytes,
    .lane_bytes = lane_bytes,
    .free = deduplicate_free,
};
