/* group.c - GROUP BY: keys to slots of a table, one state per aggregate in each slot.
 *
 * Order    groups come out in the order of their first rows, as long as all are in memory
 * Roots    of the program: keys, then the arguments of each call with its filter; equal ones are computed once
 * Full     when the table cannot grow, it keeps the groups that it has; rows of others go to disk, parted by key, and are
 *          grouped part by part. When its groups cannot grow (collect_list), they leave for the parts too
 */
#include "base/hash.h"
#include "query/portion.h"
#include "query/row_keys.h"

struct group_call {
    const struct aggregate_call *call;
    size_t offset;  /* of its state in the slot */
    int32_t args;   /* first root */
    int32_t filter; /* root; -1 = none */
};
enum { GROUP_ROWS, GROUP_STATES }; /* sides of a part: rows of roots, groups that left */
struct group_stage {
    struct stage base;
    struct portions portions;
    struct computation distinct;    /* the roots that differ, */
    int32_t *root_of;               /* and which of them each root is */
    struct column *roots;           /* of the batch at hand; borrowed */
    const struct type *rows_schema; /* of the distinct roots */
    const struct type *states_schema;
    int32_t root_count;
    struct partitions *partitions; /* of what the table has no room for */
    struct part_stack parts;
    int32_t level;
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

static const struct type *states_schema(struct arena *arena)
{
    struct field *fields = arena_array(arena, struct field, 3);
    fields[0] = (struct field){.name = "key", .type = type_of(TYPE_BINARY)};
    fields[1] = (struct field){.name = "hash", .type = type_of(TYPE_INT64)};
    fields[2] = (struct field){.name = "states", .type = type_of(TYPE_BINARY)};
    return type_struct(arena, fields, 3);
}

static enum code roots_open(struct group_stage *self, const struct expr *const *exprs, int32_t count, struct error *err)
{
    struct arena *arena = &self->base.query->arena;
    const struct expr **distinct = arena_array(arena, const struct expr *, (size_t)count + 1);
    int32_t distinct_count = 0;
    self->root_of = arena_array(arena, int32_t, (size_t)count + 1);
    self->roots = arena_array(arena, struct column, (size_t)count + 1);
    self->root_count = count;
    for (int32_t i = 0; i < count; i++) {
        int32_t same = 0;
        while (same < distinct_count && !expr_equal(distinct[same], exprs[i]))
            same++;
        distinct[same] = exprs[i];
        distinct_count += same == distinct_count;
        self->root_of[i] = same;
    }
    self->rows_schema = schema_of(arena, distinct, distinct_count);
    self->states_schema = states_schema(arena);
    return computation_open(&self->distinct, &self->base, distinct, distinct_count, err);
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
    self->table = table_new(self);
    return roots_open(self, exprs, roots, err);
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

/* ---- what the table has no room for ---- */

static enum code parting_begin(struct group_stage *self, struct error *err)
{
    error_clear(err);
    return partitions_new(self->base.query, self->level, &self->partitions, err);
}

/* The table takes no new groups any more; `here`: rows that are of its groups. */
static enum code split_rows(struct group_stage *self, struct row_keys *keys, const struct batch *rows, uint8_t *here,
                            struct error *err)
{
    TRY(row_keys_split(keys, self->table, rows, self->partitions, GROUP_ROWS, err));
    for (int64_t row = 0; row < rows->rows; row++) {
        bit_put(here, row, keys->slots[row] != UINT32_MAX);
        if (keys->slots[row] == UINT32_MAX)
            keys->slots[row] = 0; // any slot that is there: nothing is added to it
    }
    return E_OK;
}

static uint8_t *state_at(const struct group_stage *self, int64_t group, const struct group_call *call)
{
    return state_base(self->table) + self->slots[group] * state_stride(self->table) + call->offset;
}

/* A batch of groups: their keys, hashes and saved states. */
static enum code states_write(struct group_stage *self, int64_t from, int64_t to, struct error *err)
{
    struct batch states;
    struct builder builders[3];
    struct text saved = {0};
    int64_t rows = to - from;
    uint64_t *hashes = mem_array(uint64_t, (size_t)rows);
    int32_t *all = mem_array(int32_t, (size_t)rows);
    for (int i = 0; i < 3; i++)
        builder_init(&builders[i], self->states_schema->fields[i].type);
    for (int64_t i = 0; i < rows; i++) {
        struct bytes key = state_key(self->table, self->slots[from + i]);
        hashes[i] = hash_bytes(key.data, key.size);
        all[i] = (int32_t)i;
        text_clear(&saved);
        for (int32_t c = 0; c < self->base.plan->aggregate.call_count; c++)
            aggregate_save(self->calls[c].call, state_at(self, from + i, &self->calls[c]), &saved);
        builder_bytes(&builders[0], key);
        builder_int(&builders[1], (int64_t)hashes[i]);
        builder_bytes(&builders[2], text_view(&saved));
    }
    batch_init(&states, self->states_schema, rows);
    for (int i = 0; i < 3; i++) {
        builder_finish(&builders[i], &states.columns[i]);
        builder_release(&builders[i]);
    }
    enum code code = partitions_add(self->partitions, GROUP_STATES, &states, hashes, all, rows, err);
    batch_release(&states);
    text_free(&saved);
    mem_free(hashes);
    mem_free(all);
    return code;
}

static void table_empty(struct group_stage *self)
{
    for (int64_t i = 0; i < self->slot_count; i++)
        for (int32_t c = 0; c < self->base.plan->aggregate.call_count; c++)
            aggregate_drop(self->calls[c].call, state_at(self, i, &self->calls[c]), &self->heap_bytes);
    budget_give(&self->base.budget, self->charged_bytes);
    self->charged_bytes = 0;
    self->slot_count = self->given = 0;
    state_clear(self->table);
}

enum { STATES_ROWS = 16 }; /* written at a time: a state may be large */

/* All groups leave: they have grown out of memory. */
static enum code groups_leave(struct group_stage *self, struct error *err)
{
    if (self->base.plan->aggregate.key_count == 0 || self->slot_count < 2)
        return E_MEMORY; // one group: to part it from others does not make it smaller
    if (self->partitions == NULL)
        TRY(parting_begin(self, err));
    error_clear(err);
    for (int64_t from = 0; from < self->slot_count; from += STATES_ROWS)
        TRY(states_write(self, from, from + STATES_ROWS < self->slot_count ? from + STATES_ROWS : self->slot_count,
                         err));
    table_empty(self);
    return E_OK;
}

static enum code settle_heap(struct group_stage *self, struct error *err)
{
    if (self->heap_bytes <= self->charged_bytes)
        return E_OK;
    enum code code =
        budget_take(&self->base.budget, self->heap_bytes - self->charged_bytes, "the groups of a query", err);
    if (code == E_MEMORY)
        return groups_leave(self, err);
    self->charged_bytes = self->heap_bytes;
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
        TRY(parting_begin(self, err));
    }
    *here = mem_zero(bit_bytes(rows->rows) + 8);
    return split_rows(self, keys, rows, *here, err);
}

/* A batch of distinct roots. */
static enum code take_rows(struct group_stage *self, const struct batch *rows, struct error *err)
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
        code = settle_heap(self, err);
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
        enum code code = take_rows(self, &rows, err);
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

/* ---- parts in ---- */

/* Groups that left come back; those that do not fit go on to the next level. */
static enum code take_states(struct group_stage *self, const struct batch *states, struct error *err)
{
    for (int64_t row = 0; row < states->rows; row++) {
        struct bytes key = column_bytes_at(&states->columns[0], row), saved = column_bytes_at(&states->columns[2], row);
        uint64_t hash = (uint64_t)column_values(&states->columns[1], int64_t)[row];
        int32_t offsets[2] = {0, (int32_t)key.size}, number = (int32_t)row;
        uint32_t slot;
        int64_t created = 0;
        enum code code = E_MEMORY;
        mem_grow(self->slots, self->slot_capacity, self->slot_count + 1);
        if (self->partitions == NULL)
            code = state_upsert(self->table, key.data, offsets, &hash, 1, &slot, self->slots + self->slot_count,
                                &created, err);
        if (code == E_MEMORY) {
            if (self->partitions == NULL)
                TRY(parting_begin(self, err));
            uint64_t *hashes = (uint64_t *)(void *)states->columns[1].values->data;
            TRY(partitions_add(self->partitions, GROUP_STATES, states, hashes, &number, 1, err));
            continue;
        }
        TRY(code);
        self->slot_count += created;
        for (int32_t c = 0; c < self->base.plan->aggregate.call_count; c++)
            TRY(aggregate_load(self->calls[c].call, &saved, state_at(self, self->slot_count - 1, &self->calls[c]),
                               &self->heap_bytes, err));
        TRY(settle_heap(self, err));
    }
    return E_OK;
}

static enum code take_part(struct group_stage *self, const struct part *part, struct error *err)
{
    static const int sides[] = {GROUP_STATES, GROUP_ROWS}; // a group's rows come after what it had when it left
    self->level = part->level;
    for (int s = 0; s < 2; s++)
        for (int32_t i = 0; i < part->lists[sides[s]].count; i++) {
            bool states = sides[s] == GROUP_STATES;
            struct batch rows;
            TRY(rows_file_get(part->file, &part->lists[sides[s]].blocks[i],
                              states ? self->states_schema : self->rows_schema, &rows, err));
            enum code code = states ? take_states(self, &rows, err) : take_rows(self, &rows, err);
            batch_release(&rows);
            TRY(code);
        }
    return E_OK;
}

static enum code parting_end(struct group_stage *self, struct error *err)
{
    enum code code = self->partitions != NULL ? partitions_end(self->partitions, &self->parts, err) : E_OK;
    partitions_free(self->partitions);
    self->partitions = NULL;
    return code;
}

/* The groups of the next part that has some. */
static enum code next_part(struct group_stage *self, struct error *err)
{
    struct part part;
    TRY(parting_end(self, err));
    while (self->slot_count == 0 && part_take(&self->parts, &part)) {
        enum code code = take_part(self, &part, err);
        part_free(&part);
        TRY(code);
        TRY(parting_end(self, err));
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
        table_empty(self);
        TRY(next_part(self, err));
    }
    int64_t left = self->slot_count - self->given, rows = left < BATCH_ROWS_MAX ? left : BATCH_ROWS_MAX;
    return rows > 0 ? groups_give(self, rows, out, err) : E_OK;
}

static void group_close(struct stage *base)
{
    struct group_stage *self = (struct group_stage *)base;
    if (self->table != NULL) {
        table_empty(self);
        state_free(self->table);
    }
    partitions_free(self->partitions);
    part_stack_free(&self->parts);
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
