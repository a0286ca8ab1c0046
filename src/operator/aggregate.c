/* aggregate.c - set up a grouped aggregate: the program that computes its inputs, the layout of a group,
 * lanes and shards. */
#include "operator/aggregate_stage.h"

#include "base/hash.h"
#include "operator/timeline.h"

/* ---- states ---- */

void states_init(const struct aggregate_stage *self, uint8_t *states)
{
    for (int32_t c = 0; c < self->spec.call_count; c++)
        aggregate_init(self->spec.calls[c], states + self->state_at[c]);
}

void states_drop(const struct aggregate_stage *self, uint8_t *states, struct heap *heap)
{
    for (int32_t c = 0; !self->flat && c < self->spec.call_count; c++)
        aggregate_drop(self->spec.calls[c], states + self->state_at[c], &heap->bytes);
}

int64_t states_merge(const struct aggregate_stage *self, uint8_t *into, const uint8_t *from, struct heap *heap)
{
    int64_t overflown = 0;
    for (int32_t c = 0; c < self->spec.call_count; c++) {
        uint32_t at = self->state_at[c];
        overflown += !aggregate_merge(self->spec.calls[c], into + at, from + at, &heap->bytes);
    }
    return overflown;
}

void states_save(const struct aggregate_stage *self, const uint8_t *states, struct text *out)
{
    if (self->flat)
        text_add(out, states, self->states_bytes);
    for (int32_t c = 0; !self->flat && c < self->spec.call_count; c++)
        aggregate_save(self->spec.calls[c], states + self->state_at[c], out);
}

enum code states_load(const struct aggregate_stage *self, struct bytes *in, uint8_t *states, struct heap *heap,
                      struct error *err)
{
    for (int32_t c = 0; c < self->spec.call_count; c++)
        TRY(aggregate_load(self->spec.calls[c], in, states + self->state_at[c], &heap->bytes, err));
    return E_OK;
}

enum code heap_settle(struct heap *self, const struct aggregate_spec *spec, struct error *err)
{
    if (spec->budget != NULL && self->bytes > self->charged)
        TRY(budget_take(spec->budget, self->bytes - self->charged, spec->name, err));
    else if (spec->budget != NULL)
        budget_give(spec->budget, self->charged - self->bytes);
    self->charged = self->bytes;
    return E_OK;
}

static enum code lay_out_group(struct aggregate_stage *self, struct arena *arena, struct error *err)
{
    size_t size = 0;
    self->state_at = arena_array(arena, uint32_t, (size_t)self->spec.call_count);
    self->flat = true;
    for (int32_t c = 0; c < self->spec.call_count; c++) {
        const struct aggregate_call *call = self->spec.calls[c];
        self->state_at[c] = (uint32_t)size;
        if (__builtin_add_overflow(size, call->state_size, &size) || size > INT32_MAX)
            return fail(err, E_UNSUPPORTED, "%s: the aggregates of one group need more than 2 GiB", self->spec.name);
        self->flat = self->flat && call->state_is_flat;
        self->ordered = self->ordered || call->ordered;
    }
    self->states_bytes = size;
    self->head_bytes = self->kind == WINDOW_SESSION ? sizeof(struct session_group) : sizeof(struct group);
    return E_OK;
}

/* A window's time comes last where a shard keeps keys over time. */
static void order_keys(struct aggregate_stage *self, struct arena *arena)
{
    const struct aggregate_spec *spec = &self->spec;
    bool last = self->kind == WINDOW_SLIDING || self->kind == WINDOW_SESSION;
    int32_t count = 0;
    self->key_order = arena_array(arena, int32_t, (size_t)spec->key_count);
    self->key_types = arena_array(arena, const struct type *, (size_t)spec->key_count);
    for (int32_t k = 0; k < spec->key_count; k++) {
        const struct type *type = spec->schema->fields[k].type;
        self->key_types[k] = k == spec->window_key ? type->fields[1].type : type;
        if (!last || k != spec->window_key)
            self->key_order[count++] = k;
    }
    if (last)
        self->key_order[count] = spec->window_key;
}

/* What stored bytes depend on. */
static uint64_t layout_fingerprint(const struct aggregate_stage *self)
{
    struct text text = {0};
    const struct aggregate_spec *spec = &self->spec;
    for (int32_t k = 0; k < spec->key_count; k++) {
        type_print(self->key_types[k], &text);
        text_add_char(&text, ';');
    }
    text_printf(&text, "%d,%lld,%lld,%lld,%d|", spec->window_key, (long long)spec->size_us, (long long)spec->slide_us,
                (long long)spec->start_us, spec->watermark_key);
    for (int32_t c = 0; c < spec->call_count; c++) {
        type_print(spec->calls[c]->type, &text);
        for (int32_t a = 0; a < spec->calls[c]->arg_count; a++) {
            text_add_char(&text, ',');
            type_print(spec->calls[c]->args[a]->type, &text);
        }
        text_printf(&text, ":%zu%s;", spec->calls[c]->state_size, spec->calls[c]->distinct ? "d" : "");
        if (spec->calls[c]->variant != 0 && !spec->calls[c]->distinct) // a set of values is one, whatever is made of it
            text_printf(&text, "%llx;", (unsigned long long)spec->calls[c]->variant);
    }
    if (self->kind == WINDOW_SLIDING)
        text_printf(&text, "panes");
    if (self->kind == WINDOW_SESSION)
        text_printf(&text, "sessions");
    uint64_t fingerprint = hash_bytes(text.data, text.size);
    text_free(&text);
    return fingerprint;
}

/* ---- the program: keys, time, arguments, filters ---- */

static int32_t count_roots(const struct aggregate_spec *spec)
{
    int32_t count = spec->key_count + 2; // the time and the gap
    for (int32_t c = 0; c < spec->call_count; c++)
        count += spec->calls[c]->arg_count + 1;
    return count;
}

static enum code compile_inputs(struct aggregate_stage *self, struct arena *arena, struct error *err)
{
    const struct aggregate_spec *spec = &self->spec;
    const struct expr **roots = arena_array(arena, const struct expr *, (size_t)count_roots(spec));
    int32_t *guards = arena_array(arena, int32_t, (size_t)count_roots(spec));
    int32_t count = 0;
    memset(guards, -1, (size_t)count_roots(spec) * sizeof *guards);
    self->key_root = arena_array(arena, int32_t, (size_t)spec->key_count);
    for (int32_t k = 0; k < spec->key_count; k++) {
        self->key_root[k] = k == spec->window_key ? -1 : count;
        if (k != spec->window_key)
            roots[count++] = spec->keys[k];
    }
    self->time_root = self->gap_root = -1;
    if (spec->window_key >= 0) {
        self->time_root = count;
        roots[count++] = spec->window_time;
        if (self->kind == WINDOW_SESSION) {
            self->gap_root = count;
            roots[count++] = spec->gap;
        }
    } else if (spec->watermark_key >= 0) {
        self->time_root = self->key_root[spec->watermark_key];
    }
    self->arg_root = arena_array(arena, int32_t, (size_t)spec->call_count);
    self->filter_root = arena_array(arena, int32_t, (size_t)spec->call_count);
    for (int32_t c = 0; c < spec->call_count; c++) {
        const struct aggregate_call *call = spec->calls[c];
        self->filter_root[c] = call->filter == NULL ? -1 : count;
        if (call->filter != NULL)
            roots[count++] = call->filter;
        self->arg_root[c] = count;
        for (int32_t a = 0; a < call->arg_count; a++, count++) {
            roots[count] = call->args[a];
            guards[count] = self->filter_root[c];
        }
    }
    self->root_count = count;
    return program_compile_guarded(arena, roots, guards, count, &self->program, err);
}

/* ---- the stage ---- */

static enum code check_window(const struct aggregate_spec *spec, struct error *err)
{
    if (spec->size_us <= 0 || spec->slide_us <= 0 || spec->slide_us > spec->size_us || spec->size_us > INT64_MAX / 8)
        return fail(err, E_UNSUPPORTED, "%s: a window of %lld us every %lld us", spec->name, (long long)spec->size_us,
                    (long long)spec->slide_us);
    if ((spec->size_us - 1) / spec->slide_us >= WINDOWS_PER_ROW_MAX)
        return fail(err, E_UNSUPPORTED, "%s: a row would count in more than %d sliding windows", spec->name,
                    WINDOWS_PER_ROW_MAX);
    return E_OK;
}

static void shards_open(struct aggregate_stage *self, struct arena *arena)
{
    const struct aggregate_spec *spec = &self->spec;
    bool flat = self->kind == WINDOW_NONE || self->kind == WINDOW_TUMBLING;
    self->shards = flat ? arena_array(arena, struct aggregate_shard, (size_t)spec->shards) : NULL;
    self->timelines = flat ? NULL : arena_array(arena, struct timeline_shard, (size_t)spec->shards);
    for (int32_t i = 0; i < spec->shards; i++)
        flat ? aggregate_shard_init(self, &self->shards[i]) : timeline_shard_init(self, &self->timelines[i]);
}

enum code aggregate_stage_new(struct arena *arena, const struct aggregate_spec *spec, enum window_kind kind,
                              struct aggregate_stage **out, struct error *err)
{
    always(spec->lanes > 0 && spec->lanes <= AGGREGATE_LANES_MAX && spec->shards > 0);
    if (spec->call_count > AGGREGATE_CALLS_MAX)
        return fail(err, E_UNSUPPORTED, "%s: more than %d aggregates in one SELECT", spec->name, AGGREGATE_CALLS_MAX);
    struct aggregate_stage *self = arena_new(arena, struct aggregate_stage);
    self->base = (struct stateful){NULL, spec->lanes, spec->shards};
    self->spec = *spec;
    self->kind = kind;
    if (kind == WINDOW_TUMBLING || kind == WINDOW_SLIDING)
        self->grid = pane_grid_of(spec->size_us, spec->slide_us, spec->start_us);
    order_keys(self, arena);
    TRY(lay_out_group(self, arena, err));
    TRY(compile_inputs(self, arena, err));
    self->layout = layout_fingerprint(self);
    self->lanes = arena_array(arena, struct aggregate_lane, (size_t)spec->lanes);
    for (int32_t i = 0; i < spec->lanes; i++)
        aggregate_lane_init(self, &self->lanes[i]);
    shards_open(self, arena);
    *out = self;
    return E_OK;
}

static const struct stateful_type aggregate_type;

enum code aggregate_new(struct arena *arena, const struct aggregate_spec *spec, struct stateful **out,
                        struct error *err)
{
    if (spec->gap != NULL)
        return session_new(arena, spec, out, err);
    if (spec->window_key >= 0)
        TRY(check_window(spec, err));
    if (spec->window_key >= 0 && spec->slide_us < spec->size_us)
        return sliding_new(arena, spec, out, err);
    struct aggregate_stage *self = NULL;
    TRY(aggregate_stage_new(arena, spec, spec->window_key < 0 ? WINDOW_NONE : WINDOW_TUMBLING, &self, err));
    self->base.type = &aggregate_type;
    *out = &self->base;
    return E_OK;
}

/* ---- room for a batch of keys ---- */

void key_room_reserve(struct key_room *self, int64_t rows)
{
    text_clear(&self->keys);
    if (rows <= self->capacity)
        return;
    self->offsets = mem_resize(self->offsets, (size_t)(rows + 1) * sizeof *self->offsets);
    self->hashes = mem_resize(self->hashes, (size_t)rows * sizeof *self->hashes);
    self->slots = mem_resize(self->slots, (size_t)rows * sizeof *self->slots);
    self->created = mem_resize(self->created, (size_t)rows * sizeof *self->created);
    self->ends = mem_resize(self->ends, (size_t)rows * sizeof *self->ends);
    self->capacity = rows;
}

void key_room_free(struct key_room *self)
{
    text_free(&self->keys);
    mem_free(self->offsets);
    mem_free(self->hashes);
    mem_free(self->slots);
    mem_free(self->created);
    mem_free(self->ends);
    *self = (struct key_room){0};
}

/* ---- the callbacks ---- */

void aggregate_stage_free(struct stateful *base)
{
    struct aggregate_stage *self = aggregate_of(base);
    for (int32_t i = 0; i < base->lanes; i++)
        aggregate_lane_close(self, &self->lanes[i]);
    for (int32_t i = 0; i < base->shards; i++)
        self->shards != NULL ? aggregate_shard_close(self, &self->shards[i])
                             : timeline_shard_close(self, &self->timelines[i]);
}

struct position aggregate_position(const struct stateful *base, int32_t step)
{
    return program_step_position(aggregate_of_const(base)->program, step);
}

size_t aggregate_lane_bytes(const struct stateful *base, int32_t lane)
{
    const struct aggregate_lane *self = &aggregate_of_const(base)->lanes[lane];
    return state_bytes(self->groups) + self->heap.charged;
}

const struct type *aggregate_shown(const struct stateful *base, __attribute__((unused)) struct arena *arena)
{
    return aggregate_of_const(base)->spec.schema;
}

static int64_t aggregate_shard_entries(const struct stateful *base, int32_t shard)
{
    return state_count(aggregate_of_const(base)->shards[shard].groups);
}

static size_t aggregate_shard_bytes(const struct stateful *base, int32_t shard)
{
    const struct aggregate_shard *self = &aggregate_of_const(base)->shards[shard];
    return state_bytes(self->groups) + state_bytes(self->ends.buckets) + self->heap.charged;
}

static const struct stateful_type aggregate_type = {
    .name = "aggregate",
    .lane_batch = aggregate_lane_batch,
    .shard_merge = aggregate_shard_merge,
    .shard_idle = aggregate_shard_idle,
    .lanes_clear = aggregate_lanes_clear,
    .shard_delta = aggregate_shard_delta,
    .shard_snapshot = aggregate_shard_snapshot,
    .shard_spill = aggregate_shard_spill,
    .restore = aggregate_restore,
    .shard_restore = aggregate_shard_restore,
    .shown = aggregate_shown,
    .shard_show = aggregate_shard_show,
    .position = aggregate_position,
    .shard_entries = aggregate_shard_entries,
    .shard_bytes = aggregate_shard_bytes,
    .lane_bytes = aggregate_lane_bytes,
    .free = aggregate_stage_free,
};
