/* scan.c - where rows come from: VALUES, range(), the tables of a session. */
#include "query/overflow.h"
#include "query/portion.h"

/* ---- VALUES ---- */

struct values_scan {
    struct stage base;
    int32_t at; /* row */
};

static enum code nothing_open(__attribute__((unused)) struct stage *base, __attribute__((unused)) struct error *err)
{
    return E_OK;
}

static void nothing_close(__attribute__((unused)) struct stage *base) {}

/* Cells are computed over one row without columns, then put one below the other. */
static enum code values_compute(struct stage *base, int32_t from, int32_t rows, struct batch *out, struct error *err)
{
    const struct plan *plan = base->plan;
    int32_t columns = plan->schema->field_count;
    struct computation cells = {0};
    struct batch one = {0};
    batch_init(&one, type_struct(&base->query->arena, NULL, 0), 1);
    enum code code = computation_open(&cells, base, plan->exprs + (size_t)from * (size_t)columns, rows * columns, err);
    if (code == E_OK)
        code = computation_run(&cells, base, &one, err);
    if (code == E_OK) {
        batch_init(out, plan->schema, rows);
        for (int32_t c = 0; c < columns; c++) {
            struct column tall = {0};
            for (int32_t r = 0; r < rows; r++)
                column_append(&tall, &cells.columns[r * columns + c], 0, 1);
            out->columns[c] = tall;
        }
    }
    computation_close(&cells);
    batch_release(&one);
    return code;
}

enum { VALUES_ROWS = 512 }; /* computed at a time: each cell is a step of a program */

static enum code values_next(struct stage *base, struct batch *out, struct error *err)
{
    struct values_scan *self = (struct values_scan *)base;
    const struct plan *plan = base->plan;
    int32_t columns = plan->schema->field_count, rows = columns > 0 ? plan->expr_count / columns : 1;
    int32_t count = rows - self->at < VALUES_ROWS ? rows - self->at : VALUES_ROWS;
    if (count == 0)
        return E_OK;
    if (columns == 0) {
        self->at++;
        batch_init(out, plan->schema, 1);
        return E_OK;
    }
    for (;; count /= 2) { // as many as fit
        room_watch(count > 1 ? room_of(base->query) : 0);
        enum code code = values_compute(base, self->at, count, out, err);
        bool passed = room_unwatch();
        self->at += passed ? 0 : count;
        if (!passed)
            return code;
        if (count == 1)
            return fail(err, E_MEMORY, "a row of VALUES does not fit");
        batch_release(out);
        rejects_clear(&base->query->rejects);
        error_clear(err);
    }
}

const struct stage_type values_stage = {.name = "values",
                                        .size = sizeof(struct values_scan),
                                        .open = nothing_open,
                                        .next = values_next,
                                        .close = nothing_close};

/* ---- range(from, to, step) ---- */

struct range_scan {
    struct stage base;
    uint64_t given, count;
};

static enum code range_open(struct stage *base, __attribute__((unused)) struct error *err)
{
    struct range_scan *self = (struct range_scan *)base;
    const struct plan_range *range = &base->plan->range;
    bool up = range->step > 0;
    uint64_t way = up ? (uint64_t)range->to - (uint64_t)range->from : (uint64_t)range->from - (uint64_t)range->to;
    uint64_t step = up ? (uint64_t)range->step : 0 - (uint64_t)range->step;
    bool some = up ? range->to > range->from : range->to < range->from;
    self->count = some ? (way - 1) / step + 1 : 0;
    return E_OK;
}

static enum code range_next(struct stage *base, struct batch *out, __attribute__((unused)) struct error *err)
{
    struct range_scan *self = (struct range_scan *)base;
    const struct plan_range *range = &base->plan->range;
    uint64_t left = self->count - self->given, rows = left < BATCH_ROWS_MAX ? left : BATCH_ROWS_MAX;
    if (rows == 0)
        return E_OK;
    batch_init(out, base->plan->schema, (int64_t)rows);
    struct column *col = &out->columns[0];
    *col = (struct column){.type = type_of(TYPE_INT64), .rows = (int64_t)rows};
    col->values = buffer_new(rows * sizeof(int64_t));
    int64_t *values = column_values(col, int64_t);
    uint64_t at = (uint64_t)range->from + self->given * (uint64_t)range->step;
    for (uint64_t i = 0; i < rows; i++)
        values[i] = (int64_t)(at + i * (uint64_t)range->step);
    self->given += rows;
    return E_OK;
}

const struct stage_type range_stage = {
    .name = "range", .size = sizeof(struct range_scan), .open = range_open, .next = range_next, .close = nothing_close};

/* ---- tables of the session ---- */

struct stored_scan {
    struct stage base;
    int32_t at;
};

static enum code stored_next(struct stage *base, struct batch *out, struct error *err)
{
    return stored_rows_next(base->plan->stored.rows, &((struct stored_scan *)base)->at, base->plan->schema, out, err);
}

const struct stage_type stored_stage = {.name = "stored rows",
                                        .size = sizeof(struct stored_scan),
                                        .open = nothing_open,
                                        .next = stored_next,
                                        .close = nothing_close};
