#include "operator/lookup_table.h"

#include "base/hash.h"
#include "base/stop_watch.h"

enum { LOOKUP_ROWS_MAX = INT32_MAX / 2, SLOT_BYTES = 8 };

static enum code charge(struct lookup_table *self, size_t size, struct error *err)
{
    if (self->budget != NULL)
        TRY(budget_take(self->budget, size, "the still side of a join", err));
    self->charged_bytes += size;
    return E_OK;
}

static enum code rows_collect(struct lookup_table *self, const struct lookup_spec *spec, const struct batch *still,
                              int32_t batch_count, struct error *err)
{
    int64_t rows = 0;
    size_t size = 0;
    for (int32_t b = 0; b < batch_count; b++) {
        rows += still[b].rows;
        size += batch_bytes(&still[b]);
    }
    if (rows > LOOKUP_ROWS_MAX)
        return fail(err, E_MEMORY, "the still side of a join has %lld rows, more than LOOKUP_ROWS_MAX = %d",
                    (long long)rows, LOOKUP_ROWS_MAX);
    TRY(charge(self, size + (size_t)rows * sizeof *self->next, err));
    batch_init(&self->rows, spec->still_schema, rows);
    for (int32_t c = 0; c < self->rows.column_count; c++) {
        struct column *col = &self->rows.columns[c];
        for (int32_t b = 0; b < batch_count; b++)
            if (still[b].rows > 0) {
                TRY(stop_check(still[b].rows, err));
                column_append(col, &still[b].columns[c], 0, still[b].rows);
            }
        if (rows == 0)
            column_all_null(col, spec->still_schema->fields[c].type, 0);
    }
    self->empty = rows == 0;
    self->next = mem_array(uint32_t, (size_t)rows);
    return E_OK;
}

/* Which rows may match: not refused by the part of ON that reads them alone, and without a NULL in their key. */
static void rows_in_play(struct lookup_table *self, const struct lookup_spec *spec, const struct column *roots,
                         struct selection *out)
{
    const struct column *only = spec->still_only != NULL ? &roots[spec->key_count] : NULL;
    mem_grow(out->rows, out->capacity, self->rows.rows);
    for (int64_t row = 0; row < self->rows.rows; row++) {
        bool wanted = only == NULL || (column_valid_at(only, row) && bit_get(only->values->data, row));
        bool null = lookup_key_null(roots, spec->key_count, spec->null_safe, row);
        self->has_null = self->has_null || (wanted && null);
        out->rows[out->count] = (int32_t)row;
        out->count += wanted && !null;
    }
}

/* Backwards, so that chains ascend. */
static void chain_rows(struct lookup_table *self, const struct selection *rows, const uint32_t *slots)
{
    for (int64_t i = rows->count - 1; i >= 0; i--) {
        uint8_t *slot = state_base(self->index) + slots[i] * state_stride(self->index);
        uint32_t first;
        memcpy(&first, slot, sizeof first); // row + 1 while chaining: 0 is a new slot
        self->next[rows->rows[i]] = first - 1;
        first = (uint32_t)rows->rows[i] + 1;
        memcpy(slot, &first, sizeof first);
    }
}

static void first_from_zero(void *context, uint32_t slot)
{
    struct lookup_table *self = context;
    uint8_t *at = state_base(self->index) + slot * state_stride(self->index);
    uint32_t first;
    memcpy(&first, at, sizeof first);
    first--;
    memcpy(at, &first, sizeof first);
}

/* The slots of a block of rows. */
static enum code slots_find(struct lookup_table *self, const struct lookup_spec *spec, const struct column *roots,
                            const int32_t *rows, int64_t count, uint32_t *slots, struct error *err)
{
    struct column *keys = mem_array(struct column, (size_t)spec->key_count);
    struct text text = {0};
    int32_t *offsets = mem_array(int32_t, (size_t)count + 1);
    uint64_t *hashes = mem_array(uint64_t, (size_t)count);
    uint32_t *created = mem_array(uint32_t, (size_t)count);
    int64_t created_count = 0;
    for (int32_t k = 0; k < spec->key_count; k++)
        column_gather(&keys[k], &roots[k], rows, count);
    enum code code = E_OK;
    if (state_key_encode(keys, spec->key_count, count, &text, offsets, hashes) > 0)
        code = fail(err, E_DATA, "the still side of a join has a key of more than %d bytes", STATE_KEY_MAX);
    if (code == E_OK)
        code = state_upsert(self->index, (const uint8_t *)text.data, offsets, hashes, count, slots, created,
                            &created_count, err);
    for (int32_t k = 0; k < spec->key_count; k++)
        column_release(&keys[k]);
    mem_free(keys);
    text_free(&text);
    mem_free(offsets);
    mem_free(hashes);
    mem_free(created);
    return code;
}

static enum code index_rows(struct lookup_table *self, const struct lookup_spec *spec, const struct column *roots,
                            const struct selection *rows, struct error *err)
{
    uint32_t *slots = mem_array(uint32_t, (size_t)rows->count);
    enum code code = E_OK;
    for (int64_t from = 0; from < rows->count && code == E_OK; from += BATCH_ROWS_MAX) {
        int64_t count = rows->count - from < BATCH_ROWS_MAX ? rows->count - from : BATCH_ROWS_MAX;
        code = slots_find(self, spec, roots, rows->rows + from, count, slots + from, err);
    }
    if (code == E_OK) {
        chain_rows(self, rows, slots);
        state_each(self->index, first_from_zero, self);
    }
    mem_free(slots);
    return code;
}

static void chain_all(struct lookup_table *self, const struct selection *rows)
{
    self->first = LOOKUP_END;
    for (int64_t i = rows->count - 1; i >= 0; i--) {
        self->next[rows->rows[i]] = self->first;
        self->first = (uint32_t)rows->rows[i];
    }
}

/* Keys, then `still_only`, over the rows. A row that an expression fails for has no quarantine to go to: the table
 * that it comes from has to be mended. */
static enum code build(struct lookup_table *self, const struct lookup_spec *spec, const struct session *session,
                       struct error *err)
{
    struct arena arena = {0};
    struct program *program;
    struct rejects rejects = {0};
    struct selection rows = {0};
    int32_t count = spec->key_count + (spec->still_only != NULL);
    const struct expr **exprs = arena_array(&arena, const struct expr *, (size_t)count + 1);
    struct column *roots = mem_array(struct column, (size_t)count);
    for (int32_t k = 0; k < spec->key_count; k++)
        exprs[k] = spec->still_keys[k];
    exprs[spec->key_count] = spec->still_only;
    struct evaluator *evaluator = NULL;
    enum code code = program_compile(&arena, exprs, count, &program, err);
    if (code == E_OK) {
        evaluator = evaluator_new(program);
        code = evaluator_run(evaluator, session, &self->rows, roots, &rejects, err);
    }
    if (code == E_OK && rejects.count > 0)
        code = fail(err, E_DATA, "row %lld of the still side of a join: [%s] its key cannot be computed",
                    (long long)rejects.items[0].row, reject_condition(rejects.items[0].code));
    if (code == E_OK) {
        rows_in_play(self, spec, roots, &rows);
        if (spec->key_count == 0) {
            chain_all(self, &rows);
            code = loop_blocks_build(spec, session, &self->rows, &rows, &self->loop, err);
        } else {
            code = index_rows(self, spec, roots, &rows, err);
        }
    }
    if (code == E_OK)
        code = charge(self, self->loop.size_bytes, err);
    for (int32_t i = 0; i < count; i++)
        column_release(&roots[i]);
    mem_free(roots);
    selection_free(&rows);
    evaluator_free(evaluator);
    rejects_free(&rejects);
    arena_free(&arena);
    return code;
}

enum code lookup_table_new(const struct lookup_spec *spec, const struct session *session, const struct batch *still,
                           int32_t batch_count, struct budget *budget, struct lookup_table **out, struct error *err)
{
    struct lookup_table *self = mem_new(struct lookup_table);
    self->budget = budget;
    self->first = LOOKUP_END;
    self->index = state_new(&(struct state_spec){"the still side of a join", SLOT_BYTES, budget});
    enum code code = rows_collect(self, spec, still, batch_count, err);
    if (code == E_OK)
        code = build(self, spec, session, err);
    if (code != E_OK) {
        lookup_table_free(self);
        return code;
    }
    *out = self;
    return E_OK;
}

void lookup_table_free(struct lookup_table *self)
{
    if (self == NULL)
        return;
    batch_release(&self->rows);
    loop_blocks_free(&self->loop);
    state_free(self->index);
    mem_free(self->next);
    if (self->budget != NULL)
        budget_give(self->budget, self->charged_bytes);
    mem_free(self);
}
