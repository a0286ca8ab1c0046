/* group.c - GROUP BY: keys to slots of a table, one state per aggregate in each slot.
 *
 * Order    groups come out in the order of their first rows
 * Roots    of the program: keys, then the arguments of each call, then the filters of those that have one
 */
#include "query/stage.h"

struct group_call {
    const struct aggregate_call *call;
    size_t offset;  /* of its state in the slot */
    int32_t args;   /* first root */
    int32_t filter; /* root; -1 = none */
};
struct group_stage {
    struct stage base;
    struct computation roots;
    struct group_call *calls; /* heap */
    size_t states_bytes;
    struct state_table *table;
    size_t heap_bytes, charged_bytes;
    uint32_t *slots; /* all groups in order */
    int64_t slot_count;
    size_t slot_capacity;
    int64_t given;
    bool grouped;
};

static enum code unsupported_window(const struct plan_aggregate *a, struct error *err)
{
    if (a->window.key < 0)
        return E_OK;
    return fail(err, E_UNSUPPORTED, "[UNSUPPORTED_FEATURE] leat cannot do this yet: %s as a group key of a batch query",
                a->window.gap != NULL ? "session_window" : "window");
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
    const struct expr **exprs = arena_array(&base->query->arena, const struct expr *, (size_t)roots + 1);
    int32_t at = 0;
    for (; at < a->key_count; at++)
        exprs[at] = a->keys[at];
    for (int32_t i = 0; i < a->call_count; i++) {
        const struct aggregate_call *call = a->calls[i];
        self->calls[i] = (struct group_call){call, self->states_bytes, at, -1};
        for (int32_t k = 0; k < call->arg_count; k++)
            exprs[at++] = call->args[k];
        if (call->filter != NULL) {
            self->calls[i].filter = at;
            exprs[at++] = call->filter;
        }
        self->states_bytes += call->state_size;
    }
    self->table = state_new(&(struct state_spec){
        "the groups of a query", self->states_bytes > 0 ? self->states_bytes : 8, base->query->spec.budget});
    return computation_open(&self->roots, base, exprs, roots, err);
}

/* ---- rows in ---- */

static void true_bits(const struct column *condition, uint8_t *bits)
{
    size_t size = bit_bytes(condition->rows);
    memcpy(bits, condition->values->data, size);
    for (size_t i = 0; condition->valid != NULL && i < size; i++)
        bits[i] &= condition->valid->data[i];
}

static void add_rows(struct group_stage *self, const uint32_t *slots, int64_t rows)
{
    struct query *query = self->base.query;
    uint8_t *bits = mem_alloc(bit_bytes(rows) + 8);
    for (int32_t i = 0; i < self->base.plan->aggregate.call_count; i++) {
        const struct group_call *call = &self->calls[i];
        if (call->filter >= 0)
            true_bits(&self->roots.columns[call->filter], bits);
        aggregate_add(&(struct aggregate_rows){
            .call = call->call,
            .args = &self->roots.columns[call->args],
            .rows = rows,
            .active = call->filter >= 0 ? bits : NULL,
            .base = state_base(self->table) + call->offset,
            .stride = state_stride(self->table),
            .slots = slots,
            .rejects = &query->rejects,
            .heap_bytes = &self->heap_bytes,
        });
    }
    mem_free(bits);
}

static enum code settle_heap(struct group_stage *self, struct error *err)
{
    if (self->heap_bytes <= self->charged_bytes)
        return E_OK;
    TRY(budget_take(self->base.query->spec.budget, self->heap_bytes - self->charged_bytes, "the groups of a query",
                    err));
    self->charged_bytes = self->heap_bytes;
    return E_OK;
}

/* Finds the slots of `rows` keys and notes new groups. */
static enum code find_slots(struct group_stage *self, int64_t rows, uint32_t *slots, struct error *err)
{
    struct text keys = {0};
    int32_t *offsets = mem_array(int32_t, (size_t)rows + 1);
    uint64_t *hashes = mem_array(uint64_t, (size_t)rows + 1);
    int64_t created = 0;
    mem_grow(self->slots, self->slot_capacity, self->slot_count + rows);
    enum code code = E_OK;
    if (state_key_encode(self->roots.columns, self->base.plan->aggregate.key_count, rows, &keys, offsets, hashes) > 0)
        code = fail(err, E_UNSUPPORTED, "[UNSUPPORTED_FEATURE] a group key of more than STATE_KEY_MAX = %d bytes",
                    STATE_KEY_MAX);
    if (code == E_OK)
        code = state_upsert(self->table, (const uint8_t *)keys.data, offsets, hashes, rows, slots,
                            self->slots + self->slot_count, &created, err);
    self->slot_count += created;
    text_free(&keys);
    mem_free(offsets);
    mem_free(hashes);
    return code;
}

static enum code take_batch(struct group_stage *self, const struct batch *in, struct error *err)
{
    TRY(computation_run(&self->roots, &self->base, in, err));
    uint32_t *slots = mem_array(uint32_t, (size_t)in->rows + 1);
    enum code code = find_slots(self, in->rows, slots, err);
    if (code == E_OK) {
        add_rows(self, slots, in->rows);
        code = stage_check(&self->base, NULL, NULL, err);
    }
    if (code == E_OK)
        code = settle_heap(self, err);
    mem_free(slots);
    return code;
}

static enum code take_all(struct group_stage *self, struct error *err)
{
    for (;;) {
        struct batch in;
        TRY(stage_pull(&self->base, 0, &in, err));
        if (in.rows == 0)
            break;
        enum code code = take_batch(self, &in, err);
        batch_release(&in);
        TRY(code);
    }
    // GROUP BY of nothing over no rows: one group all the same
    if (self->slot_count == 0 && self->base.plan->aggregate.key_count == 0) {
        uint32_t slot;
        TRY(find_slots(self, 1, &slot, err));
    }
    return E_OK;
}

/* ---- groups out ---- */

static enum code finish_call(struct group_stage *self, const struct group_call *call, int64_t from, int64_t rows,
                             struct column *out, struct error *err)
{
    struct builder builder;
    enum code code = E_OK;
    builder_init(&builder, call->call->type);
    for (int64_t i = from; i < from + rows && code == E_OK; i++) {
        const uint8_t *state = state_base(self->table) + self->slots[i] * state_stride(self->table) + call->offset;
        if (!aggregate_finish(call->call, state, &builder) && self->base.query->spec.session->ansi) {
            self->base.query->failed_at = call->call->at;
            code = aggregate_failed(call->call, err);
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

static enum code group_next(struct stage *base, struct batch *out, struct error *err)
{
    struct group_stage *self = (struct group_stage *)base;
    const struct plan_aggregate *a = &base->plan->aggregate;
    if (!self->grouped)
        TRY(take_all(self, err));
    self->grouped = true;
    int64_t left = self->slot_count - self->given, rows = left < BATCH_ROWS_MAX ? left : BATCH_ROWS_MAX;
    if (rows == 0)
        return E_OK;
    batch_init(out, base->plan->schema, rows);
    enum code code = decode_keys(self, self->given, rows, out->columns, err);
    for (int32_t i = 0; code == E_OK && i < a->call_count; i++)
        code = finish_call(self, &self->calls[i], self->given, rows, &out->columns[a->key_count + i], err);
    self->given += rows;
    if (code != E_OK)
        batch_release(out);
    return code;
}

static void group_close(struct stage *base)
{
    struct group_stage *self = (struct group_stage *)base;
    for (int64_t i = 0; i < self->slot_count; i++)
        for (int32_t c = 0; c < base->plan->aggregate.call_count; c++)
            aggregate_drop(self->calls[c].call,
                           state_base(self->table) + self->slots[i] * state_stride(self->table) + self->calls[c].offset,
                           &self->heap_bytes);
    computation_close(&self->roots);
    budget_give(base->query->spec.budget, self->charged_bytes);
    if (self->table != NULL)
        state_free(self->table);
    mem_free(self->calls);
    mem_free(self->slots);
}

const struct stage_type group_stage = {
    .name = "group", .size = sizeof(struct group_stage), .open = group_open, .next = group_next, .close = group_close};
