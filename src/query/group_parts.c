/* group_parts.c - groups that memory has no room for: rows and states on disk, parted by key, grouped part by part.
 *
 * Sides    of a part: rows of roots, and groups that left with their states. A group's rows come after what it had when it
 *          left, so that "first" stays first
 */
#include "base/hash.h"
#include "base/stop_watch.h"
#include "query/group_stage.h"

enum { GROUP_ROWS, GROUP_STATES };

/* ---- rows and groups leave ---- */

void group_parts_open(struct group_stage *self)
{
    struct arena *arena = &self->base.query->arena;
    struct field *fields = arena_array(arena, struct field, 3);
    fields[0] = (struct field){.name = "key", .type = type_of(TYPE_BINARY)};
    fields[1] = (struct field){.name = "hash", .type = type_of(TYPE_INT64)};
    fields[2] = (struct field){.name = "states", .type = type_of(TYPE_BINARY)};
    self->states_schema = type_struct(arena, fields, 3);
}

static enum code parting_begin(struct group_stage *self, struct error *err)
{
    error_clear(err);
    return partitions_new(self->base.query, self->level, &self->partitions, err);
}

enum code group_part_rows(struct group_stage *self, struct row_keys *keys, const struct batch *rows, uint8_t *here,
                          struct error *err)
{
    if (self->partitions == NULL)
        TRY(parting_begin(self, err));
    TRY(row_keys_split(keys, self->table, rows, self->partitions, GROUP_ROWS, err));
    for (int64_t row = 0; row < rows->rows; row++) {
        bit_put(here, row, keys->slots[row] != UINT32_MAX);
        if (keys->slots[row] == UINT32_MAX)
            keys->slots[row] = 0; // any slot that is there: nothing is added to it
    }
    return E_OK;
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
            aggregate_save(self->calls[c].call, group_state(self, from + i, &self->calls[c]), &saved);
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

enum { STATES_ROWS = 16 }; /* written at a time: a state may be large */

/* All groups leave: they have grown out of memory. */
static enum code groups_leave(struct group_stage *self, struct error *err)
{
    if (self->base.plan->aggregate.key_count == 0 || self->slot_count < 2)
        return E_MEMORY; // one group: to part it from others does not make it smaller
    if (self->partitions == NULL)
        TRY(parting_begin(self, err));
    error_clear(err);
    for (int64_t from = 0; from < self->slot_count; from += STATES_ROWS) {
        TRY(stop_check(STATES_ROWS, err));
        TRY(states_write(self, from, from + STATES_ROWS < self->slot_count ? from + STATES_ROWS : self->slot_count,
                         err));
    }
    group_clear(self);
    return E_OK;
}

enum code group_settle(struct group_stage *self, struct error *err)
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

/* ---- parts come back ---- */

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
            TRY(aggregate_load(self->calls[c].call, &saved, group_state(self, self->slot_count - 1, &self->calls[c]),
                               &self->heap_bytes, err));
        TRY(group_settle(self, err));
    }
    return E_OK;
}

static enum code take_part(struct group_stage *self, const struct part *part, struct error *err)
{
    static const int sides[] = {GROUP_STATES, GROUP_ROWS};
    self->level = part->level;
    for (int s = 0; s < 2; s++)
        for (int32_t i = 0; i < part->lists[sides[s]].count; i++) {
            bool states = sides[s] == GROUP_STATES;
            struct batch rows;
            TRY(rows_file_get(part->file, &part->lists[sides[s]].blocks[i],
                              states ? self->states_schema : self->rows_schema, &rows, err));
            enum code code = states ? take_states(self, &rows, err) : group_take_rows(self, &rows, err);
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

enum code group_next_part(struct group_stage *self, struct error *err)
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

void group_parts_close(struct group_stage *self)
{
    partitions_free(self->partitions);
    part_stack_free(&self->parts);
}
