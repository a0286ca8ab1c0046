/* window.c - window functions: rows are held, each call becomes one column more (window_call.h).
 *
 * Order    rows come out as they came, as long as all are in memory
 * Full     when they do not fit, all go to disk, parted by what every call has in its PARTITION BY, and are computed part by
 *          part. Without PARTITION BY, and for one partition, there is no way to part them. Calls that have nothing in common
 *          stand in nodes of their own (sql/split_windows.c)
 */
#include "query/row_keys.h"
#include "query/window_call.h"

struct window_stage {
    struct stage base;
    struct stored_rows held; /* of the input, or of the part at hand */
    size_t work_bytes;       /* charged for computing over them */
    struct batch surplus;    /* rows that did not fit any more */
    const struct expr **keys;
    int32_t key_count;
    struct computation key_values;
    struct part_stack parts;
    struct part part; /* no file: the rows are those of the input */
    bool input_ended;
    struct batch rows; /* with the calls' columns */
    size_t rows_bytes; /* charged for them */
    int64_t given;
};

static bool parts_by(const struct plan_over *over, const struct expr *key)
{
    for (int32_t i = 0; i < over->partition_count; i++)
        if (expr_equal(over->partition[i], key))
            return true;
    return false;
}

static enum code window_open(struct stage *base, __attribute__((unused)) struct error *err)
{
    struct window_stage *self = (struct window_stage *)base;
    const struct plan_overs *overs = &base->plan->overs;
    const struct plan_over *first = overs->calls[0];
    self->keys = arena_array(&base->query->arena, const struct expr *, (size_t)first->partition_count + 1);
    for (int32_t k = 0; k < first->partition_count; k++) {
        bool all = true;
        for (int32_t i = 1; i < overs->count && all; i++)
            all = parts_by(overs->calls[i], first->partition[k]);
        self->keys[self->key_count] = first->partition[k];
        self->key_count += all;
    }
    return E_OK;
}

/* ---- rows in ---- */

static void held_free(struct window_stage *self)
{
    stored_rows_free(&self->held, &self->base.budget);
    budget_give(&self->base.budget, self->work_bytes);
    self->work_bytes = 0;
}

/* Of the input, or of the part at hand; none: it has ended. */
static enum code source_next(struct window_stage *self, int32_t *block, struct batch *out, struct error *err)
{
    return part_rows_next(&self->part, &self->base, 0, block, &self->input_ended, out, err);
}

static enum code rows_hold(struct window_stage *self, struct batch *rows, struct error *err)
{
    struct budget *budget = &self->base.budget;
    size_t size = batch_bytes(rows), work = (size_t)rows->rows * WINDOW_ROW_BYTES;
    size_t most = self->key_count > 0 ? COLUMN_BYTES_MAX : INT32_MAX; // offsets of a column reach no further
    if (self->held.charged_bytes + size > most)
        return fail(err, E_MEMORY, "the rows of a window have more than %zu bytes", most);
    TRY(budget_take(budget, size + work, "the rows of a window", err));
    self->work_bytes += work;
    return stored_rows_put(&self->held, rows, size, budget, err);
}

/* When they do not fit, those that came last are in `surplus`. */
static enum code rows_hold_all(struct window_stage *self, int32_t *block, struct error *err)
{
    for (;;) {
        struct batch rows;
        TRY(source_next(self, block, &rows, err));
        if (rows.rows == 0)
            return E_OK;
        enum code code = rows_hold(self, &rows, err);
        if (code != E_OK) {
            self->surplus = rows;
            return code;
        }
    }
}

/* ---- parts ---- */

static enum code rows_leave(struct window_stage *self, struct partitions *to, int32_t *block, struct error *err)
{
    for (int32_t i = 0; i < self->held.count; i++)
        TRY(row_keys_part(&self->key_values, &self->base, to, 0, &self->held.batches[i], err));
    held_free(self);
    struct batch rows = batch_take(&self->surplus);
    for (;;) {
        enum code code = rows.rows > 0 ? row_keys_part(&self->key_values, &self->base, to, 0, &rows, err) : E_OK;
        batch_release(&rows);
        TRY(code);
        TRY(source_next(self, block, &rows, err));
        if (rows.rows == 0)
            return E_OK;
    }
}

/* Those that are held, and those that are still to come. */
static enum code rows_part(struct window_stage *self, int32_t *block, struct error *err)
{
    struct partitions *to;
    TRY(partitions_new(self->base.query, self->part.level, &to, err));
    error_clear(err);
    enum code code = E_OK;
    if (self->key_values.columns == NULL)
        code = computation_open(&self->key_values, &self->base, self->keys, self->key_count, err);
    if (code == E_OK)
        code = rows_leave(self, to, block, err);
    if (code == E_OK)
        code = partitions_end(to, &self->parts, err);
    partitions_free(to);
    return code;
}

/* ---- computing ---- */

static enum code columns_add(struct window_stage *self, const struct batch *in, struct error *err)
{
    const struct plan_overs *overs = &self->base.plan->overs;
    enum code code = E_OK;
    batch_init(&self->rows, self->base.plan->schema, in->rows);
    for (int32_t c = 0; c < in->column_count; c++)
        column_share(&self->rows.columns[c], &in->columns[c]);
    for (int32_t i = 0; i < overs->count && code == E_OK && in->rows > 0; i++)
        code = window_call_column(&self->base, overs->calls[i], in, &self->rows.columns[in->column_count + i], err);
    if (code != E_OK)
        batch_release(&self->rows);
    return code;
}

/* Of all that is held. When what is computed does not fit, the rows are in `surplus`. */
static enum code rows_compute(struct window_stage *self, struct error *err)
{
    struct batch in;
    enum code code = stored_rows_join(&self->held, self->base.inputs[0]->plan->schema, &in, err);
    if (code == E_OK)
        code = columns_add(self, &in, err);
    if (code == E_MEMORY)
        self->surplus = batch_take(&in);
    batch_release(&in);
    self->rows_bytes = self->held.charged_bytes; // the joined rows are as large
    self->held.charged_bytes = 0;
    held_free(self);
    return code;
}

static void rows_free(struct window_stage *self)
{
    batch_release(&self->rows);
    budget_give(&self->base.budget, self->rows_bytes);
    self->rows_bytes = 0;
    self->given = 0;
}

/* The rows of the input, or of the part at hand: computed, or parted. */
static enum code rows_take(struct window_stage *self, struct error *err)
{
    int32_t block = 0;
    enum code code = rows_hold_all(self, &block, err);
    if (code == E_OK)
        code = rows_compute(self, err);
    if (code == E_MEMORY && self->key_count > 0) {
        rows_free(self);
        code = rows_part(self, &block, err);
    }
    part_free(&self->part);
    return code;
}

static enum code window_next(struct stage *base, struct batch *out, struct error *err)
{
    struct window_stage *self = (struct window_stage *)base;
    while (self->given == self->rows.rows) {
        rows_free(self);
        if (self->input_ended && !part_take(&self->parts, &self->part))
            return E_OK;
        TRY(rows_take(self, err));
    }
    int64_t left = self->rows.rows - self->given, rows = left < BATCH_ROWS_MAX ? left : BATCH_ROWS_MAX;
    batch_slice(out, &self->rows, self->given, self->given + rows);
    self->given += rows;
    return E_OK;
}

static void window_close(struct stage *base)
{
    struct window_stage *self = (struct window_stage *)base;
    rows_free(self);
    held_free(self);
    batch_release(&self->surplus);
    part_free(&self->part);
    part_stack_free(&self->parts);
    computation_close(&self->key_values);
}

const struct stage_type window_stage = {.name = "window",
                                        .size = sizeof(struct window_stage),
                                        .open = window_open,
                                        .next = window_next,
                                        .close = window_close,
                                        .spills = true};
