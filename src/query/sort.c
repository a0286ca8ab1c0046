/* sort.c - ORDER BY: all rows held, their keys as bytes, gathered in order batch by batch.
 *
 * Below a LIMIT only the rows that come first are held: whenever enough others have gathered, those are sorted out.
 */
#include "query/sort_key.h"
#include "query/stage.h"

enum { SORT_CUT_ROWS = 4 * BATCH_ROWS_MAX }; /* rows too many before they are sorted out */

struct sort_stage {
    struct stage base;
    struct computation keys;
    struct stored_rows held;
    struct batch rows; /* all of them, as one */
    size_t charged_bytes;
    int32_t *order;
    int64_t given, count;
    bool sorted;
};

static enum code sort_open(struct stage *base, struct error *err)
{
    struct sort_stage *self = (struct sort_stage *)base;
    return computation_open(&self->keys, base, base->plan->exprs, base->plan->expr_count, err);
}

/* Row numbers in order. */
static enum code rows_order(struct sort_stage *self, const struct batch *rows, int32_t *order, struct error *err)
{
    const struct plan *plan = self->base.plan;
    struct sort_keys keys = {0};
    enum code code = computation_run(&self->keys, &self->base, rows, err);
    if (code == E_OK)
        code = sort_keys_encode(&keys, self->keys.columns, plan->sort.orders, plan->expr_count, rows->rows, err);
    computation_release(&self->keys);
    if (code == E_OK)
        sort_keys_order(&keys, order);
    sort_keys_free(&keys);
    return code;
}

/* Keeps the first rows of those held; they stand before all that come later, so equal rows stay in their order. */
static enum code held_cut(struct sort_stage *self, struct error *err)
{
    struct stage *base = &self->base;
    struct budget *budget = base->query->spec.budget;
    struct batch rows, first;
    stored_rows_join(&self->held, base->inputs[0]->plan->schema, &rows);
    int32_t *order = mem_array(int32_t, (size_t)rows.rows + 1);
    enum code code = rows_order(self, &rows, order, err);
    if (code == E_OK) {
        batch_gather(&first, &rows, order, base->plan->sort.rows_max);
        stored_rows_free(&self->held, budget);
        code = stored_rows_add(&self->held, &first, budget, err);
    }
    mem_free(order);
    batch_release(&rows);
    return code;
}

static enum code hold_first(struct sort_stage *self, struct error *err)
{
    struct stage *base = &self->base;
    int64_t most = base->plan->sort.rows_max;
    for (;;) {
        struct batch batch;
        TRY(stage_pull(base, 0, &batch, err));
        if (batch.rows == 0)
            return E_OK;
        TRY(stored_rows_add(&self->held, &batch, base->query->spec.budget, err));
        if (most > 0 && self->held.rows - most > SORT_CUT_ROWS && self->held.rows / 2 > most)
            TRY(held_cut(self, err));
    }
}

static enum code sort_all(struct sort_stage *self, struct error *err)
{
    const struct stage *base = &self->base;
    TRY(hold_first(self, err));
    stored_rows_join(&self->held, base->inputs[0]->plan->schema, &self->rows);
    self->charged_bytes = self->held.charged_bytes; // stays charged: the joined rows are as large
    self->held.charged_bytes = 0;
    stored_rows_free(&self->held, base->query->spec.budget);
    self->order = mem_array(int32_t, (size_t)self->rows.rows + 1);
    TRY(rows_order(self, &self->rows, self->order, err));
    int64_t most = base->plan->sort.rows_max;
    self->count = most > 0 && most < self->rows.rows ? most : self->rows.rows;
    return E_OK;
}

static enum code sort_next(struct stage *base, struct batch *out, struct error *err)
{
    struct sort_stage *self = (struct sort_stage *)base;
    if (!self->sorted)
        TRY(sort_all(self, err));
    self->sorted = true;
    int64_t left = self->count - self->given, rows = left < BATCH_ROWS_MAX ? left : BATCH_ROWS_MAX;
    if (rows == 0)
        return E_OK;
    batch_gather(out, &self->rows, self->order + self->given, rows);
    self->given += rows;
    return E_OK;
}

static void sort_close(struct stage *base)
{
    struct sort_stage *self = (struct sort_stage *)base;
    computation_close(&self->keys);
    stored_rows_free(&self->held, base->query->spec.budget);
    batch_release(&self->rows);
    budget_give(base->query->spec.budget, self->charged_bytes);
    mem_free(self->order);
}

const struct stage_type sort_stage = {
    .name = "sort", .size = sizeof(struct sort_stage), .open = sort_open, .next = sort_next, .close = sort_close};
