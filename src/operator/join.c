/* join.c - join two streams as Spark's StreamingSymmetricHashJoin does: each match once, in the epoch of its
 * later row.
 *
 * Ledger   every input row is counted once:
 *            late        its event time <= W(N-1), on a side that has its event time among its columns
 *                        (where nobody reads the column it is pruned, and no row is late: Spark too)
 *            rejected    a key or `only` fails for it, or its bytes pass a limit
 *            filtered    it can match nothing and does not come out: `only` is not true, or a key is NULL,
 *                        on a side that is not an outer one
 *            null_time   no time where its key or bound needs one: it matches nothing and no W lets it go.
 *                        Spark keeps such rows for ever and never emits them, on outer sides too
 *            aggregated  the others: kept, or come out at once
 *          in = late + rejected + filtered + null_time + aggregated. `out` counts rows that come out
 * NULLs    a NULL key matches nothing (but <=>): an outer row with one comes out when W lets it go. An
 *          outer row that fails its own side's `only` comes out at once. Spark's full outer join lets NULL
 *          keys match: not copied
 * Errors   a pair for which the condition fails does not match, and counts as `overflown`: the row it came
 *          with is bytes by then, so no record can be shown
 * State    a left row of a semi join goes when it matches
 * Files    join_row (rows as bytes), join_heap (their memory), join_lane, join_shard (merge and expiry),
 *          join_match (pairs to batches), join_store (delta, snapshot, restore), join_show
 */
#include "operator/join_stage.h"

#include "base/hash.h"

/* ---- set up ---- */

static enum code check_spec(const struct join_spec *spec, struct error *err)
{
    always(spec->lanes > 0 && spec->lanes <= JOIN_LANES_MAX && spec->shards > 0 && spec->shards <= JOIN_SHARDS_MAX);
    if (spec->type == JOIN_TYPE_ANTI)
        return fail(err, E_UNSUPPORTED, "%s: an anti join of two streams", spec->name);
    if (spec->key_count == 0)
        return fail(err, E_UNSUPPORTED, "%s: a join of two streams without an equality of columns", spec->name);
    return E_OK;
}

static enum code compile_side(struct join_stage *self, struct arena *arena, int32_t side, struct error *err)
{
    const struct join_side *spec = &self->spec.sides[side];
    const struct expr **roots = arena_array(arena, const struct expr *, (size_t)self->spec.key_count + 1);
    int32_t count = 0;
    for (int32_t k = 0; k < self->spec.key_count; k++)
        roots[count++] = spec->keys[k];
    if (spec->only != NULL)
        roots[count++] = spec->only;
    self->root_counts[side] = count;
    return program_compile(arena, roots, count, &self->programs[side], err);
}

static const struct type *joined_type(const struct join_spec *spec, struct arena *arena)
{
    const struct type *left = spec->sides[JOIN_LEFT_SIDE].schema, *right = spec->sides[JOIN_RIGHT_SIDE].schema;
    int32_t count = left->field_count + right->field_count;
    struct field *fields = arena_array(arena, struct field, (size_t)count);
    for (int32_t f = 0; f < count; f++)
        fields[f] = f < left->field_count ? left->fields[f] : right->fields[f - left->field_count];
    return type_struct(arena, fields, count);
}

/* Which columns the condition reads: only they are made for pairs that wait to be judged. */
static void mark_reads(struct join_stage *self, const struct expr *expr)
{
    int32_t left = self->spec.sides[JOIN_LEFT_SIDE].schema->field_count;
    if (expr->kind == EXPR_COLUMN && expr->index < left)
        self->condition_reads[JOIN_LEFT_SIDE][expr->index] = true;
    else if (expr->kind == EXPR_COLUMN)
        self->condition_reads[JOIN_RIGHT_SIDE][expr->index - left] = true;
    for (int32_t a = 0; a < expr->arg_count; a++)
        mark_reads(self, expr->args[a]);
}

static enum code compile_condition(struct join_stage *self, struct arena *arena, struct error *err)
{
    self->joined = joined_type(&self->spec, arena);
    if (self->spec.condition == NULL)
        return E_OK;
    for (int32_t s = 0; s < JOIN_SIDES; s++)
        self->condition_reads[s] = arena_array(arena, bool, (size_t)self->spec.sides[s].schema->field_count);
    mark_reads(self, self->spec.condition);
    return program_compile(arena, &self->spec.condition, 1, &self->condition, err);
}

/* What stored bytes depend on. */
static uint64_t layout_fingerprint(const struct join_stage *self)
{
    const struct join_spec *spec = &self->spec;
    struct text text = {0};
    text_printf(&text, "%d,%d|", (int)spec->type, spec->time_key);
    for (int32_t k = 0; k < spec->key_count; k++) {
        type_print(spec->sides[JOIN_LEFT_SIDE].keys[k]->type, &text);
        text_add_char(&text, spec->null_safe[k] ? '~' : ';');
    }
    for (int32_t s = 0; s < JOIN_SIDES; s++) {
        const struct join_side *side = &spec->sides[s];
        text_printf(&text, "|%d,%d,%lld:", side->time_column, side->bounded, (long long)side->shift_us);
        type_print(side->schema, &text);
    }
    uint64_t fingerprint = hash_bytes(text.data, text.size);
    text_free(&text);
    return fingerprint;
}

static size_t longest_key(const struct join_spec *spec, struct arena *arena)
{
    const struct type **types = arena_array(arena, const struct type *, (size_t)spec->key_count);
    for (int32_t k = 0; k < spec->key_count; k++)
        types[k] = spec->sides[JOIN_LEFT_SIDE].keys[k]->type;
    return state_key_bytes(types, spec->key_count);
}

static const struct stateful_type join_type_;

enum code join_new(struct arena *arena, const struct join_spec *spec, struct stateful **out, struct error *err)
{
    TRY(check_spec(spec, err));
    struct join_stage *self = arena_new(arena, struct join_stage);
    self->base = (struct stateful){&join_type_, spec->lanes, spec->shards};
    self->spec = *spec;
    for (int32_t s = 0; s < JOIN_SIDES; s++) {
        TRY(compile_side(self, arena, s, err));
        if (row_layout_init(arena, spec->sides[s].schema, &self->layouts[s], err) != E_OK)
            return error_note(err, "%s", spec->name);
    }
    TRY(compile_condition(self, arena, err));
    self->outer[JOIN_LEFT_SIDE] = spec->type == JOIN_TYPE_LEFT || spec->type == JOIN_TYPE_FULL;
    self->outer[JOIN_RIGHT_SIDE] = spec->type == JOIN_TYPE_RIGHT || spec->type == JOIN_TYPE_FULL;
    self->flagged[JOIN_LEFT_SIDE] = self->outer[JOIN_LEFT_SIDE] || spec->type == JOIN_TYPE_SEMI;
    self->flagged[JOIN_RIGHT_SIDE] = self->outer[JOIN_RIGHT_SIDE];
    self->shown = join_shown_type(spec, arena);
    self->key_bytes_max = longest_key(spec, arena);
    self->layout = layout_fingerprint(self);
    self->lanes = arena_array(arena, struct join_lane, (size_t)spec->lanes);
    self->shards = arena_array(arena, struct join_shard, (size_t)spec->shards);
    for (int32_t i = 0; i < spec->lanes; i++)
        join_lane_init(self, &self->lanes[i]);
    for (int32_t i = 0; i < spec->shards; i++)
        join_shard_init(self, &self->shards[i]);
    *out = &self->base;
    return E_OK;
}

/* ---- the callbacks ---- */

static void join_free(struct stateful *base)
{
    struct join_stage *self = join_of(base);
    for (int32_t i = 0; i < base->lanes; i++)
        join_lane_close(self, &self->lanes[i]);
    for (int32_t i = 0; i < base->shards; i++)
        join_shard_close(&self->shards[i]);
    mem_free(self->applied);
}

/* Lanes number the steps of both sides' programs alternately. */
static struct position join_position(const struct stateful *base, int32_t step)
{
    const struct join_stage *self = join_of(base);
    if (step < 0)
        return (struct position){0};
    return program_step_position(self->programs[step % JOIN_SIDES], step / JOIN_SIDES);
}

static int64_t join_shard_entries(const struct stateful *base, int32_t shard)
{
    const struct join_shard *self = &join_of(base)->shards[shard];
    return self->heaps[JOIN_LEFT_SIDE].rows + self->heaps[JOIN_RIGHT_SIDE].rows;
}

static size_t join_shard_bytes(const struct stateful *base, int32_t shard)
{
    const struct join_shard *self = &join_of(base)->shards[shard];
    size_t bytes = state_bytes(self->keys);
    for (int32_t s = 0; s < JOIN_SIDES; s++)
        bytes += self->heaps[s].charged_bytes + state_bytes(self->heaps[s].buckets.buckets);
    return bytes;
}

static const struct stateful_type join_type_ = {
    .name = "join",
    .lane_batch = join_lane_batch,
    .shard_merge = join_shard_merge,
    .shard_idle = join_shard_idle,
    .lanes_clear = join_lanes_clear,
    .shard_delta = join_shard_delta,
    .shard_snapshot = join_shard_snapshot,
    .shard_spill = join_shard_spill,
    .restore = join_restore,
    .shard_restore = join_shard_restore,
    .shown = join_shown,
    .shard_show = join_shard_show,
    .position = join_position,
    .shard_entries = join_shard_entries,
    .shard_bytes = join_shard_bytes,
    .lane_bytes = join_lane_bytes,
    .free = join_free,
};
