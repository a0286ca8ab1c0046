/* sort.c - ORDER BY: all rows held, their keys as bytes, gathered in order batch by batch. */
#include "query/sort_key.h"
#include "query/stage.h"

struct sort_stage {
    struct stage base;
    struct computation keys;
    struct batch rows;
    size_t charged_bytes;
    int32_t *order;
    int64_t given;
    bool sorted;
};

static enum code sort_open(struct stage *base, struct error *err)
{
    struct sort_stage *self = (struct sort_stage *)base;
    return computation_open(&self->keys, base, base->plan->exprs, base->plan->expr_count, err);
}

static enum code sort_all(struct sort_stage *self, struct error *err)
{
    struct stage *base = &self->base;
    const struct plan *plan = base->plan;
    struct sort_keys keys = {0};
    TRY(stage_hold_whole(base, 0, &self->rows, &self->charged_bytes, err));
    self->order = mem_array(int32_t, (size_t)self->rows.rows + 1);
    enum code code = computation_run(&self->keys, base, &self->rows, err);
    if (code == E_OK)
        code = sort_keys_encode(&keys, self->keys.columns, plan->sort.orders, plan->expr_count, self->rows.rows, err);
    computation_release(&self->keys);
    if (code == E_OK)
        sort_keys_order(&keys, self->order);
    sort_keys_free(&keys);
    return code;
}

static enum code sort_next(struct stage *base, struct batch *out, struct error *err)
{
    struct sort_stage *self = (struct sort_stage *)base;
    if (!self->sorted)
        TRY(sort_all(self, err));
    self->sorted = true;
    int64_t left = self->rows.rows - self->given, rows = left < BATCH_ROWS_MAX ? left : BATCH_ROWS_MAX;
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
    batch_release(&self->rows);
    budget_give(base->query->spec.budget, self->charged_bytes);
    mem_free(self->order);
}

const struct stage_type sort_stage = {
    .name = "sort", .size = sizeof(struct sort_stage), .open = sort_open, .next = sort_next, .close = sort_close};
