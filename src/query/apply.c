/* apply.c - subqueries: what they give for the rows around them.
 *
 * A subquery runs once for every different tuple of the columns that it reads of the rows around it, with those values
 * in their place; a subquery that reads none runs once. Results are kept as rows until the query ends.
 */
#include "base/stop_watch.h"
#include "query/portion.h"

struct outcome {
    struct stored_rows rows;
    int64_t nulls; /* IN: rows with a NULL in them */
};
struct apply_stage {
    struct stage base;
    struct computation sought;
    int32_t *keys; /* columns of the input that the subquery reads; in the query's arena */
    int32_t key_count;
    struct state_table *table; /* slot: number of the outcome + 1 */
    struct outcome *outcomes;  /* heap */
    int64_t outcome_count;
    size_t outcome_capacity;
    struct batch in;  /* rows whose outcomes are known, */
    int64_t *numbers; /* per row, */
    int64_t at;       /* from this one on not yet given */
};

static enum code apply_open(struct stage *base, struct error *err)
{
    struct apply_stage *self = (struct apply_stage *)base;
    struct arena *arena = &base->query->arena;
    int32_t columns = base->plan->inputs[0]->schema->field_count;
    bool *used = arena_array(arena, bool, (size_t)columns + 1);
    plan_outer_columns(base->plan->inputs[1], used);
    self->keys = arena_array(arena, int32_t, (size_t)columns + 1);
    for (int32_t i = 0; i < columns; i++)
        if (used[i])
            self->keys[self->key_count++] = i;
    self->table =
        state_new(&(struct state_spec){"the subqueries of a query", sizeof(uint64_t), base->query->spec.budget});
    return computation_open(&self->sought, base, base->plan->exprs, base->plan->expr_count, err);
}

/* ---- running the subquery ---- */

static struct plan *bound_plan(struct apply_stage *self, struct arena *arena, const struct batch *in, int64_t row)
{
    struct plan *subquery = self->base.plan->inputs[1];
    struct expr_context ctx = {arena, self->base.query->spec.session};
    const struct expr **values = arena_array(arena, const struct expr *, (size_t)in->column_count + 1);
    for (int32_t i = 0; i < self->key_count; i++)
        values[self->keys[i]] = expr_value(&ctx, &in->columns[self->keys[i]], row, (struct position){0});
    return plan_bind_outer(arena, subquery, values);
}

static enum code rows_collect(struct apply_stage *self, struct query *query, struct outcome *outcome, struct error *err)
{
    struct query *around = self->base.query;
    const struct plan_apply *apply = &self->base.plan->apply;
    for (;;) {
        struct batch batch;
        TRY(query_next(query, &batch, &around->failed_at, err));
        if (batch.rows == 0) {
            batch_release(&batch);
            return E_OK;
        }
        batch_retype(&batch, self->base.plan->inputs[1]->schema);
        TRY(stored_rows_add(&outcome->rows, &batch, around->spec.budget, err));
        if (apply->kind == APPLY_EXISTS)
            return E_OK; // one row says it
        if (apply->kind == APPLY_SCALAR && outcome->rows.rows > 1) {
            around->failed_at = self->base.plan->at;
            return fail(err, E_SQL,
                        "[SCALAR_SUBQUERY_TOO_MANY_ROWS] More than one row returned by a subquery used as an "
                        "expression.");
        }
    }
}

static void count_nulls(struct outcome *outcome)
{
    for (int32_t b = 0; b < outcome->rows.count; b++) {
        const struct batch *batch = &outcome->rows.batches[b];
        for (int64_t row = 0; row < batch->rows; row++)
            for (int32_t c = 0; c < batch->column_count; c++)
                if (column_is_null(&batch->columns[c], row)) {
                    outcome->nulls++;
                    break;
                }
    }
}

static enum code subquery_run(struct apply_stage *self, const struct batch *in, int64_t row, struct error *err)
{
    struct query_spec spec = self->base.query->spec;
    struct arena arena = {0};
    struct query *query = NULL;
    mem_grow(self->outcomes, self->outcome_capacity, self->outcome_count + 1);
    struct outcome *outcome = &self->outcomes[self->outcome_count++];
    *outcome = (struct outcome){0};
    spec.plan = bound_plan(self, &arena, in, row);
    enum code code = query_open(&spec, &query, err);
    if (code == E_OK)
        code = rows_collect(self, query, outcome, err);
    query_close(query);
    arena_free(&arena);
    if (code == E_OK && self->base.plan->apply.kind == APPLY_IN)
        count_nulls(outcome);
    return code;
}

/* The number of the outcome per row. */
static enum code outcomes_find(struct apply_stage *self, const struct batch *in, int64_t *numbers, struct error *err)
{
    struct column *columns = mem_array(struct column, (size_t)self->key_count + 1);
    struct text keys = {0};
    int32_t *offsets = mem_array(int32_t, (size_t)in->rows + 1);
    uint64_t *hashes = mem_array(uint64_t, (size_t)in->rows + 1);
    uint32_t *slots = mem_array(uint32_t, 2 * (size_t)in->rows + 1);
    int64_t created = 0;
    enum code code = E_OK;
    for (int32_t i = 0; i < self->key_count; i++)
        columns[i] = in->columns[self->keys[i]]; // borrowed
    if (state_key_encode(columns, self->key_count, in->rows, &keys, offsets, hashes) > 0)
        code = fail(err, E_UNSUPPORTED,
                    "[UNSUPPORTED_FEATURE] a value of more than STATE_KEY_MAX = %d bytes that a "
                    "subquery reads",
                    STATE_KEY_MAX);
    if (code == E_OK)
        code = state_upsert(self->table, (const uint8_t *)keys.data, offsets, hashes, in->rows, slots, slots + in->rows,
                            &created, err);
    for (int64_t row = 0; code == E_OK && row < in->rows; row++) {
        uint8_t *slot = state_base(self->table) + slots[row] * state_stride(self->table);
        uint64_t number;
        memcpy(&number, slot, sizeof number);
        if (number == 0) {
            code = subquery_run(self, in, row, err);
            number = (uint64_t)self->outcome_count;
            memcpy(slot, &number, sizeof number);
        }
        numbers[row] = (int64_t)number - 1;
    }
    mem_free(columns);
    text_free(&keys);
    mem_free(offsets);
    mem_free(hashes);
    mem_free(slots);
    return code;
}

/* ---- one column more ---- */

/* Whether the row's sought values are among the rows: true, false, or NULL where a NULL leaves it open. */
static void put_membership(struct apply_stage *self, const struct outcome *outcome, int64_t row, struct builder *out)
{
    int32_t count = self->base.plan->expr_count;
    bool sought_null = false, unsure = false;
    for (int32_t i = 0; i < count; i++)
        sought_null = sought_null || column_is_null(&self->sought.columns[i], row);
    for (int32_t b = 0; b < outcome->rows.count; b++) {
        const struct batch *batch = &outcome->rows.batches[b];
        if (stop_asked(batch->rows * count))
            break;
        for (int64_t other = 0; other < batch->rows; other++) {
            bool differs = false, open = false;
            for (int32_t i = 0; i < count && !differs; i++) {
                const struct column *a = &self->sought.columns[i], *z = &batch->columns[i];
                bool null = column_is_null(a, row) || column_is_null(z, other);
                open = open || null;
                differs = !null && !column_equal_at(a, row, z, other);
            }
            if (!differs && !open) {
                builder_boolean(out, true);
                return;
            }
            unsure = unsure || (!differs && open);
        }
        if (unsure && sought_null)
            break;
    }
    if (unsure)
        builder_null(out);
    else
        builder_boolean(out, false);
}

static void put_result(struct apply_stage *self, const struct outcome *outcome, int64_t row, struct builder *out)
{
    switch (self->base.plan->apply.kind) {
    case APPLY_EXISTS: builder_boolean(out, outcome->rows.rows > 0); break;
    case APPLY_IN: put_membership(self, outcome, row, out); break;
    default:
        if (outcome->rows.rows == 0)
            builder_null(out);
        else
            builder_copy(out, &outcome->rows.batches[0].columns[0], 0);
    }
}

static void value_column(struct apply_stage *self, const struct batch *in, const int64_t *numbers, struct batch *out)
{
    const struct type *schema = self->base.plan->schema;
    struct builder builder;
    batch_init(out, schema, in->rows);
    for (int32_t c = 0; c < in->column_count; c++)
        column_share(&out->columns[c], &in->columns[c]);
    builder_init(&builder, schema->fields[in->column_count].type);
    for (int64_t row = 0; row < in->rows; row++)
        put_result(self, &self->outcomes[numbers[row]], self->at + row, &builder);
    builder_finish(&builder, &out->columns[in->column_count]);
    builder_release(&builder);
}

/* ---- LATERAL: rows beside rows ---- */

static void beside_rows(struct apply_stage *self, const struct batch *in, const int64_t *numbers, struct batch *out)
{
    const struct plan *plan = self->base.plan;
    int32_t left = in->column_count, more = plan->schema->field_count - left;
    int64_t rows = 0, room = 0;
    for (int64_t row = 0; row < in->rows; row++) {
        int64_t count = self->outcomes[numbers[row]].rows.rows;
        room += count > 0 ? count : plan->apply.outer;
    }
    int32_t *parents = mem_array(int32_t, (size_t)room + 1);
    struct column *columns = mem_array(struct column, (size_t)more + 1);
    for (int64_t row = 0; row < in->rows; row++) {
        const struct stored_rows *found = &self->outcomes[numbers[row]].rows;
        for (int32_t c = 0; c < more; c++)
            for (int32_t b = 0; b < found->count; b++)
                column_append(&columns[c], &found->batches[b].columns[c], 0, found->batches[b].rows);
        for (int32_t c = 0; c < more && found->rows == 0 && plan->apply.outer; c++) {
            struct column nothing;
            column_all_null(&nothing, plan->schema->fields[left + c].type, 1);
            column_append(&columns[c], &nothing, 0, 1);
            column_release(&nothing);
        }
        int64_t count = found->rows > 0 ? found->rows : plan->apply.outer;
        for (int64_t i = 0; i < count; i++)
            parents[rows++] = (int32_t)row;
    }
    batch_init(out, plan->schema, rows);
    for (int32_t c = 0; c < left && rows > 0; c++)
        column_gather(&out->columns[c], &in->columns[c], parents, rows);
    for (int32_t c = 0; c < more; c++)
        out->columns[left + c] = columns[c];
    mem_free(columns);
    mem_free(parents);
}

static enum code rows_read(struct apply_stage *self, struct error *err)
{
    struct stage *base = &self->base;
    batch_release(&self->in);
    self->at = 0;
    TRY(stage_pull(base, 0, &self->in, err));
    if (self->in.rows == 0)
        return E_OK;
    self->numbers = mem_resize(self->numbers, (size_t)self->in.rows * sizeof *self->numbers);
    if (base->plan->expr_count > 0)
        TRY(computation_run(&self->sought, base, &self->in, err));
    return outcomes_find(self, &self->in, self->numbers, err);
}

/* As many rows as fit with what is found for them. */
static enum code rows_give(struct apply_stage *self, struct batch *out, struct error *err)
{
    for (int64_t rows = self->in.rows - self->at;; rows /= 2) {
        const int64_t *numbers = self->numbers + self->at;
        struct batch some;
        batch_slice(&some, &self->in, self->at, self->at + rows);
        room_watch(rows > 1 ? room_of(self->base.query) : 0);
        if (self->base.plan->apply.kind == APPLY_LATERAL)
            beside_rows(self, &some, numbers, out);
        else
            value_column(self, &some, numbers, out);
        batch_release(&some);
        if (!room_unwatch()) {
            self->at += rows;
            return E_OK;
        }
        batch_release(out);
        if (rows == 1)
            return fail(err, E_MEMORY, "what a subquery gives for one row does not fit");
    }
}

static enum code apply_next(struct stage *base, struct batch *out, struct error *err)
{
    struct apply_stage *self = (struct apply_stage *)base;
    if (self->at == self->in.rows)
        TRY(rows_read(self, err));
    return self->in.rows > 0 ? rows_give(self, out, err) : E_OK;
}

static void apply_close(struct stage *base)
{
    struct apply_stage *self = (struct apply_stage *)base;
    for (int64_t i = 0; i < self->outcome_count; i++)
        stored_rows_free(&self->outcomes[i].rows, base->query->spec.budget);
    mem_free(self->outcomes);
    mem_free(self->numbers);
    batch_release(&self->in);
    computation_close(&self->sought);
    if (self->table != NULL)
        state_free(self->table);
}

const struct stage_type apply_stage = {.name = "subquery",
                                       .size = sizeof(struct apply_stage),
                                       .open = apply_open,
                                       .next = apply_next,
                                       .close = apply_close};
