/* group.c - GROUP BY: keys to slots of a table, one state per aggregate in each slot.
 *
 * Order    groups come out in the order of their first rows, as long as all are in memory
 * Roots    of the program: keys, then the filter of each call with its arguments, which are computed where it is true;
 *          equal ones are computed once
 */
#include "base/stop_watch.h"
#include "query/group_stage.h"

static enum code unsupported_window(const struct plan_aggregate *a, struct error *err)
{
    if (a->window.key < 0)
        return E_OK;
    return fail(err, E_UNSUPPORTED, "[UNSUPPORTED_FEATURE] leat cannot do this yet: %s as a group key of a batch query",
                a->window.gap != NULL ? "session_window" : "window");
}

static struct state_table *table_new(struct group_stage *self)
{
    return state_new(&(struct state_spec){"the groups of a query", self->states_bytes > 0 ? self->states_bytes : 8,
                                          &self->base.budget});
}

/* Column i of the rows is expression i. */
static const struct type *schema_of(struct arena *arena, const struct expr *const *exprs, int32_t count)
{
    struct field *fields = arena_array(arena, struct field, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++)
        fields[i] = (struct field){.name = "root", .type = exprs[i]->type, .nullable = true};
    return type_struct(arena, fields, count);
}

/* guards[i]: the root that is a condition of root i, before it; -1 = none. */
static enum code roots_open(struct group_stage *self, const struct expr *const *exprs, const int32_t *guards,
                            int32_t count, struct error *err)
{
    struct arena *arena = &self->base.query->arena;
    const struct expr **distinct = arena_array(arena, const struct expr *, (size_t)count + 1);
    int32_t *distinct_guards = arena_array(arena, int32_t, (size_t)count + 1);
    int32_t distinct_count = 0;
    self->root_of = arena_array(arena, int32_t, (size_t)count + 1);
    self->roots = arena_array(arena, struct column, (size_t)count + 1);
    self->root_count = count;
    for (int32_t i = 0; i < count; i++) {
        int32_t same = 0, guard = guards[i] < 0 ? -1 : self->root_of[guards[i]];
        while (same < distinct_count && (distinct_guards[same] != guard || !expr_equal(distinct[same], exprs[i])))
            same++;
        distinct[same] = exprs[i];
        distinct_guards[same] = guard;
        distinct_count += same == distinct_count;
        self->root_of[i] = same;
    }
    self->rows_schema = schema_of(arena, distinct, distinct_count);
    group_parts_open(self);
    return computation_open_guarded(&self->distinct, &self->base, distinct, distinct_guards, distinct_count, err);
}

static enum code group_open(struct stage *base, struct error *err)
{
    struct group_stage *self = (struct group_stage *)base;
    const struct plan_aggregate *a = &base->plan->aggregate;
    TRY(unsupported_window(a, err));
    int32_t roots = a->key_count;
    self->calls = mem_array(struct group_call, (size_t)a->call_count + 1);
    for (int32_t i = 0; i < a->call_count; i++)
        roots += a->calls[i]->arg_count + (a->calls[i]->filter != NULL);
    struct arena *arena = &base->query->arena;
    const struct expr **exprs = arena_array(arena, const struct expr *, (size_t)roots + 1);
    int32_t *guards = arena_array(arena, int32_t, (size_t)roots + 1);
    memset(guards, -1, ((size_t)roots + 1) * sizeof *guards);
    int32_t at = 0;
    for (; at < a->key_count; at++)
        exprs[at] = a->keys[at];
    for (int32_t i = 0; i < a->call_count; i++) {
        const struct aggregate_call *call = a->calls[i];
        int32_t filter = call->filter != NULL ? at : -1;
        if (call->filter != NULL)
            exprs[at++] = call->filter;
        self->calls[i] = (struct group_call){call, self->states_bytes, at, filter};
        for (int32_t k = 0; k < call->arg_count; k++, at++) {
            exprs[at] = call->args[k];
            guards[at] = filter;
        }
        self->states_bytes += call->state_size;
    }
    self->table = table_new(self);
    return roots_open(self, exprs, guards, roots, err);
}

/* ---- rows in ---- */

static void true_bits(const struct column *condition, uint8_t *bits)
{
    size_t size = bit_bytes(condition->rows);
    memcpy(bits, condition->values->data, size);
    for (size_t i = 0; condition->valid != NULL && i < size; i++)
        bits[i] &= condition->valid->data[i];
}

/* Rows whose bit in `here` is set; NULL: all. */
static void add_rows(struct group_stage *self, const uint32_t *slots, int64_t rows, const uint8_t *here)
{
    struct query *query = self->base.query;
    uint8_t *bits = mem_alloc(bit_bytes(rows) + 8);
    for (int32_t i = 0; i < self->base.plan->aggregate.call_count; i++) {
        const struct group_call *call = &self->calls[i];
        if (call->filter >= 0)
            true_bits(&self->roots[call->filter], bits);
        for (size_t b = 0; call->filter >= 0 && here != NULL && b < bit_bytes(rows); b++)
            bits[b] &= here[b];
        aggregate_add(&(struct aggregate_rows){
            .call = call->call,
            .args = &self->roots[call->args],
            .rows = rows,
            .active = call->filter >= 0 ? bits : here,
            .base = state_base(self->table) + call->offset,
            .stride = state_stride(self->table),
            .slots = slots,
            .rejects = &query->rejects,
            .heap_bytes = &self->heap_bytes,
        });
    }
    mem_free(bits);
}

static enum code keys_encode(const struct group_stage *self, int64_t rows, struct row_keys *out, struct error *err)
{
    if (row_keys_encode(out, self->roots, self->base.plan->aggregate.key_count, rows) > 0)
        return fail(err, E_UNSUPPORTED, "[UNSUPPORTED_FEATURE] a group key of more than STATE_KEY_MAX = %d bytes",
                    STATE_KEY_MAX);
    return E_OK;
}

/* Finds the slots of the keys and notes new groups. */
static enum code find_slots(struct group_stage *self, struct row_keys *keys, int64_t rows, struct error *err)
{
    int64_t created = 0;
    mem_grow(self->slots, self->slot_capacity, self->slot_count + rows);
    enum code code = row_keys_upsert(keys, self->table, rows, self->slots + self->slot_count, &created, err);
    self->slot_count += created;
    return code;
}

/* ---- rows in ---- */

static void roots_set(struct group_stage *self, const struct batch *rows)
{
    for (int32_t i = 0; i < self->root_count; i++)
        self->roots[i] = rows->columns[self->root_of[i]]; // borrowed
}

static enum code rows_find(struct group_stage *self, struct row_keys *keys, const struct batch *rows, uint8_t **here,
                           struct error *err)
{
    if (self->partitions == NULL) {
        enum code code = find_slots(self, keys, rows->rows, err);
        if (code != E_MEMORY || self->base.plan->aggregate.key_count == 0)
            return code;
    }
    *here = mem_zero(bit_bytes(rows->rows) + 8);
    return group_part_rows(self, keys, rows, *here, err);
}

enum code group_take_rows(struct group_stage *self, const struct batch *rows, struct error *err)
{
    struct row_keys keys;
    uint8_t *here = NULL;
    roots_set(self, rows);
    enum code code = keys_encode(self, rows->rows, &keys, err);
    if (code == E_OK)
        code = rows_find(self, &keys, rows, &here, err);
    if (code == E_OK && self->slot_count > 0) {
        add_rows(self, keys.slots, rows->rows, here);
        code = stage_check(&self->base, NULL, NULL, err);
    }
    if (code == E_OK)
        code = group_settle(self, err);
    mem_free(here);
    row_keys_free(&keys);
    return code;
}

static enum code compute_roots(struct stage *base, const struct batch *in, struct batch *out, struct error *err)
{
    struct group_stage *self = (struct group_stage *)base;
    TRY(computation_run(&self->distinct, base, in, err));
    batch_init(out, self->rows_schema, in->rows);
    for (int32_t c = 0; c < out->column_count; c++)
        out->columns[c] = column_take(&self->distinct.columns[c]);
    return E_OK;
}

static enum code take_all(struct group_stage *self, struct error *err)
{
    for (;;) {
        struct batch rows = {0};
        TRY(portions_next(&self->portions, &self->base, 0, compute_roots, &rows, err));
        if (rows.schema == NULL)
            break;
        enum code code = group_take_rows(self, &rows, err);
        batch_release(&rows);
        TRY(code);
    }
    // GROUP BY of nothing over no rows: one group all the same
    if (self->slot_count == 0 && self->base.plan->aggregate.key_count == 0) {
        struct row_keys keys;
        enum code code = keys_encode(self, 1, &keys, err);
        if (code == E_OK)
            code = find_slots(self, &keys, 1, err);
        row_keys_free(&keys);
        return code;
    }
    return E_OK;
}

/* ---- groups out ---- */

void group_clear(struct group_stage *self)
{
    for (int64_t i = 0; i < self->slot_count; i++)
        for (int32_t c = 0; c < self->base.plan->aggregate.call_count; c++)
            aggregate_drop(self->calls[c].call, group_state(self, i, &self->calls[c]), &self->heap_bytes);
    budget_give(&self->base.budget, self->charged_bytes);
    self->charged_bytes = 0;
    self->slot_count = self->given = 0;
    state_clear(self->table);
}

static enum code finish_call(struct group_stage *self, const struct group_call *call, int64_t from, int64_t rows,
                             struct column *out, struct error *err)
{
    struct builder builder;
    enum code code = E_OK;
    builder_init(&builder, call->call->type);
    for (int64_t i = from; i < from + rows && code == E_OK; i++) {
        code = stop_check(1, err);
        if (code == E_OK && !aggregate_finish(call->call, group_state(self, i, call), &builder) &&
            self->base.query->spec.session->ansi) {
            self->base.query->failed_at = call->call->at;
            code = aggregate_failed(call->call, group_state(self, i, call), err);
        }
    }
    if (code == E_OK)
        builder_finish(&builder, out);
    builder_release(&builder);
    return code;
}

static enum code decode_keys(struct group_stage *self, int64_t from, int64_t rows, struct column *out,
                             struct error *err)
{
    int32_t count = self->base.plan->aggregate.key_count;
    struct builder *builders = mem_array(struct builder, (size_t)count + 1);
    enum code code = E_OK;
    for (int32_t k = 0; k < count; k++)
        builder_init(&builders[k], self->base.plan->schema->fields[k].type);
    for (int64_t i = from; i < from + rows && code == E_OK; i++)
        code = state_key_decode(state_key(self->table, self->slots[i]), builders, count, err);
    for (int32_t k = 0; k < count; k++) {
        if (code == E_OK)
            builder_finish(&builders[k], &out[k]);
        builder_release(&builders[k]);
    }
    mem_free(builders);
    return code;
}

static enum code groups_finish(struct group_stage *self, int64_t rows, struct batch *out, struct error *err)
{
    const struct plan_aggregate *a = &self->base.plan->aggregate;
    batch_init(out, self->base.plan->schema, rows);
    enum code code = decode_keys(self, self->given, rows, out->columns, err);
    for (int32_t i = 0; code == E_OK && i < a->call_count; i++)
        code = finish_call(self, &self->calls[i], self->given, rows, &out->columns[a->key_count + i], err);
    if (code != E_OK)
        batch_release(out);
    return code;
}

/* So many groups that their results fit. */
static enum code groups_give(struct group_stage *self, int64_t rows, struct batch *out, struct error *err)
{
    for (;; rows /= 2) {
        room_watch(rows > 1 ? room_of(self->base.query) : 0);
        enum code code = groups_finish(self, rows, out, err);
        if (!room_unwatch()) {
            self->given += code == E_OK ? rows : 0;
            return code;
        }
        if (code == E_OK)
            batch_release(out);
        error_clear(err);
        if (rows == 1)
            return fail(err, E_MEMORY, "the result of one group does not fit");
    }
}

static enum code group_next(struct stage *base, struct batch *out, struct error *err)
{
    struct group_stage *self = (struct group_stage *)base;
    if (!self->grouped)
        TRY(take_all(self, err));
    self->grouped = true;
    if (self->given == self->slot_count) {
        group_clear(self);
        TRY(group_next_part(self, err));
    }
    int64_t left = self->slot_count - self->given, rows = left < BATCH_ROWS_MAX ? left : BATCH_ROWS_MAX;
    return rows > 0 ? groups_give(self, rows, out, err) : E_OK;
}

static void group_close(struct stage *base)
{
    struct group_stage *self = (struct group_stage *)base;
    if (self->table != NULL) {
        group_clear(self);
        state_free(self->table);
    }
    group_parts_close(self);
    portions_close(&self->portions);
    computation_close(&self->distinct);
    mem_free(self->calls);
    mem_free(self->slots);
}

const struct stage_type group_stage = {.name = "group",
                                       .size = sizeof(struct group_stage),
                                       .open = group_open,
                                       .next = group_next,
                                       .close = group_close,
                                       .spills = true};
