/* sort.c - ORDER BY: rows held beside their keys as bytes, gathered in order batch by batch.
 *
 * Full     what is held is sorted and goes to disk as a run; in the end the runs are merged (sort_run.h)
 * LIMIT    above, only the rows that come first are held: whenever enough others have gathered, those are sorted out
 */
#include "base/stop_watch.h"
#include "query/portion.h"
#include "query/sort_key.h"
#include "query/sort_run.h"

enum {
    SORT_CUT_ROWS = 4 * BATCH_ROWS_MAX, /* rows too many before they are sorted out */
    SORT_ROW_BYTES = 64,                /* what sorting a row takes beside it: its key's head, twice, and its place */
};

struct sort_stage {
    struct stage base;
    struct portions portions;
    struct computation keys;
    const struct type *schema; /* of the rows held: the input's, and the key */
    struct stored_rows held;
    size_t order_bytes; /* charged for sorting them */
    struct batch rows;  /* all of them, as one */
    int32_t *order;
    struct sort_runs runs;
    int64_t given;
    bool sorted;
};

static const struct type *schema_with_key(struct arena *arena, const struct type *schema)
{
    int32_t count = schema->field_count;
    struct field *fields = arena_array(arena, struct field, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++)
        fields[i] = schema->fields[i];
    fields[count] = (struct field){.name = "sort key", .type = type_of(TYPE_BINARY)};
    return type_struct(arena, fields, count + 1);
}

static enum code sort_open(struct stage *base, struct error *err)
{
    struct sort_stage *self = (struct sort_stage *)base;
    self->schema = schema_with_key(&base->query->arena, base->inputs[0]->plan->schema);
    self->runs = (struct sort_runs){.query = base->query, .schema = self->schema};
    return computation_open(&self->keys, base, base->plan->exprs, base->plan->expr_count, err);
}

/* ---- rows in ---- */

static enum code rows_with_keys(struct stage *base, const struct batch *in, struct batch *out, struct error *err)
{
    struct sort_stage *self = (struct sort_stage *)base;
    const struct plan *plan = base->plan;
    struct sort_keys keys = {0};
    TRY(computation_run(&self->keys, base, in, err));
    enum code code = sort_keys_encode(&keys, self->keys.columns, plan->sort.orders, plan->expr_count, in->rows, err);
    computation_release(&self->keys);
    if (code == E_OK) {
        batch_init(out, self->schema, in->rows);
        for (int32_t c = 0; c < in->column_count; c++)
            column_share(&out->columns[c], &in->columns[c]);
        if (!sort_keys_column(&keys, &out->columns[in->column_count]))
            room_pass();
    }
    sort_keys_free(&keys);
    return code;
}

static void held_free(struct sort_stage *self)
{
    stored_rows_free(&self->held, &self->base.budget);
    budget_give(&self->base.budget, self->order_bytes);
    self->order_bytes = 0;
}

/* All that is held as one batch, and its order; it stays charged until held_free(). */
static enum code held_sort(struct sort_stage *self, struct batch *rows, int32_t **order, struct error *err)
{
    *order = NULL;
    TRY(stored_rows_join(&self->held, self->schema, rows, err));
    *order = mem_array(int32_t, (size_t)rows->rows + 1);
    sort_column_order(&rows->columns[rows->column_count - 1], *order);
    return stop_check(0, err);
}

/* Keeps the first rows of those held; they stand before all that come later, so equal rows stay in their order. */
static enum code held_cut(struct sort_stage *self, struct error *err)
{
    struct budget *budget = &self->base.budget;
    struct batch rows, first;
    int32_t *order;
    enum code code = held_sort(self, &rows, &order, err);
    if (code == E_OK)
        batch_gather(&first, &rows, order, self->base.plan->sort.rows_max);
    mem_free(order);
    batch_release(&rows);
    held_free(self);
    TRY(code);
    return stored_rows_add(&self->held, &first, budget, err); // not more than was there
}

static enum code held_leave(struct sort_stage *self, struct error *err)
{
    struct batch rows;
    int32_t *order;
    enum code code = held_sort(self, &rows, &order, err);
    if (code == E_OK)
        code = sort_runs_add(&self->runs, &rows, order, err);
    mem_free(order);
    batch_release(&rows);
    held_free(self);
    return code;
}

static enum code rows_charge(struct sort_stage *self, const struct batch *rows, struct error *err)
{
    size_t size = (size_t)rows->rows * SORT_ROW_BYTES;
    TRY(budget_take(&self->base.budget, size + batch_bytes(rows), "the rows of a sort", err));
    self->order_bytes += size;
    return E_OK;
}

/* Rows that are charged for. */
static enum code rows_keep(struct sort_stage *self, struct batch *rows, struct error *err)
{
    int64_t most = self->base.plan->sort.rows_max;
    TRY(stored_rows_put(&self->held, rows, batch_bytes(rows), &self->base.budget, err));
    if (most > 0 && self->held.rows - most > SORT_CUT_ROWS && self->held.rows / 2 > most)
        TRY(held_cut(self, err));
    return E_OK;
}

static enum code rows_hold(struct sort_stage *self, struct batch *rows, struct error *err)
{
    bool long_columns = self->held.charged_bytes + batch_bytes(rows) > COLUMN_BYTES_MAX;
    enum code code = long_columns ? E_MEMORY : rows_charge(self, rows, err);
    if (code == E_MEMORY && self->held.count > 0) {
        error_clear(err);
        code = held_leave(self, err);
        if (code == E_OK)
            code = rows_charge(self, rows, err);
    }
    if (code == E_OK)
        return rows_keep(self, rows, err);
    int64_t from = 0, half = rows->rows / 2;
    for (int i = 0; i < 2 && rows->rows > 1 && (i == 0 ? code == E_MEMORY : code == E_OK); i++) {
        struct batch part; // memory for half of them may do
        batch_slice(&part, rows, from, i == 0 ? half : rows->rows);
        from = half;
        error_clear(err);
        code = rows_hold(self, &part, err);
    }
    batch_release(rows);
    return code;
}

static enum code sort_all(struct sort_stage *self, struct error *err)
{
    for (;;) {
        struct batch rows = {0};
        TRY(portions_next(&self->portions, &self->base, 0, rows_with_keys, &rows, err));
        if (rows.schema == NULL)
            break;
        TRY(rows_hold(self, &rows, err));
    }
    if (self->runs.count == 0)
        return held_sort(self, &self->rows, &self->order, err);
    if (self->held.count > 0)
        TRY(held_leave(self, err));
    return sort_runs_begin(&self->runs, err);
}

/* ---- rows out ---- */

static enum code rows_next(struct sort_stage *self, int64_t most, struct batch *out, struct error *err)
{
    if (self->runs.count > 0)
        return sort_runs_next(&self->runs, out, err);
    int64_t left = self->rows.rows - self->given, rows = left < most ? left : most;
    if (rows > 0)
        batch_gather(out, &self->rows, self->order + self->given, rows < BATCH_ROWS_MAX ? rows : BATCH_ROWS_MAX);
    return E_OK;
}

static enum code sort_next(struct stage *base, struct batch *out, struct error *err)
{
    struct sort_stage *self = (struct sort_stage *)base;
    int64_t most = base->plan->sort.rows_max > 0 ? base->plan->sort.rows_max : INT64_MAX;
    struct batch rows = {0};
    if (!self->sorted)
        TRY(sort_all(self, err));
    self->sorted = true;
    if (self->given == most)
        return E_OK;
    TRY(rows_next(self, most - self->given, &rows, err));
    if (rows.rows == 0)
        return E_OK;
    int64_t count = rows.rows < most - self->given ? rows.rows : most - self->given;
    batch_slice(out, &rows, 0, count);
    batch_release(&rows);
    column_release(&out->columns[--out->column_count]); // the key
    out->schema = base->plan->schema;
    self->given += count;
    return E_OK;
}

static void sort_close(struct stage *base)
{
    struct sort_stage *self = (struct sort_stage *)base;
    portions_close(&self->portions);
    computation_close(&self->keys);
    held_free(self);
    sort_runs_free(&self->runs);
    batch_release(&self->rows);
    mem_free(self->order);
}

const struct stage_type sort_stage = {.name = "sort",
                                      .size = sizeof(struct sort_stage),
                                      .open = sort_open,
                                      .next = sort_next,
                                      .close = sort_close,
                                      .spills = true};
