/* stages.c - which plan node is which stage, and what stages share. */
#include "base/stop_watch.h"
#include "query/overflow.h"

const struct stage_type *stage_type_of(const struct plan *plan)
{
    static const struct stage_type *const types[PLAN_KIND_COUNT] = {
        [PLAN_SOURCE] = &files_stage,        [PLAN_VALUES] = &values_stage,   [PLAN_RANGE] = &range_stage,
        [PLAN_STORED] = &stored_stage,       [PLAN_FILTER] = &filter_stage,   [PLAN_PROJECT] = &project_stage,
        [PLAN_GENERATE] = &generate_stage,   [PLAN_LIMIT] = &limit_stage,     [PLAN_UNION] = &union_stage,
        [PLAN_SORT] = &sort_stage,           [PLAN_AGGREGATE] = &group_stage, [PLAN_DEDUPLICATE] = &distinct_stage,
        [PLAN_SET_OPERATION] = &set_stage,   [PLAN_JOIN] = &match_stage,      [PLAN_EXPAND] = &expand_stage,
        [PLAN_DECODE] = &decode_stage,       [PLAN_APPLY] = &apply_stage,     [PLAN_WINDOW] = &window_stage,
        [PLAN_RECURSION] = &recursion_stage, [PLAN_TABLE] = &table_stage,
    };
    if (plan->streaming || (plan->kind == PLAN_LIMIT && plan->expr_count == 0) ||
        (plan->kind == PLAN_JOIN && plan->unsupported != NULL))
        return NULL;
    return types[plan->kind];
}

enum code stage_next(struct stage *self, struct batch *out, struct error *err)
{
    for (;;) {
        *out = (struct batch){0};
        enum code code = self->type->next(self, out, err);
        if (stop_is_up()) { // what there is may be half done
            batch_release(out);
            return stop_check(0, err);
        }
        if (code == E_MEMORY && self->query->full == NULL)
            self->query->full = self; // the innermost: the one that asked
        if (code != E_OK)
            return code;
        if (out->rows > 0 || out->schema == NULL)
            return E_OK;
        batch_release(out); // nothing of this batch passed
    }
}

enum code stage_pull(struct stage *self, int32_t input, struct batch *out, struct error *err)
{
    TRY(stop_check(STOP_STEPS, err));
    return stage_next(self->inputs[input], out, err);
}

struct position program_position(const void *program, int32_t step) { return program_step_position(program, step); }

enum code stage_check(struct stage *self, struct position (*position)(const void *context, int32_t step),
                      const void *context, struct error *err)
{
    struct query *query = self->query;
    if (query->rejects.count == 0)
        return E_OK;
    const struct reject *first = &query->rejects.items[0];
    for (int32_t i = 1; i < query->rejects.count; i++)
        if (query->rejects.items[i].row < first->row)
            first = &query->rejects.items[i];
    if (first->step >= 0 && position != NULL)
        query->failed_at = position(context, first->step);
    const struct reject_note *note = &query->note;
    bool noted = note->text.size > 0 && note->row == first->row && note->step == first->step;
    return fail(err, E_DATA, "[%s] %s", reject_condition_full(first->code),
                noted ? note->text.data : reject_text(first->code));
}

/* ---- expressions ---- */

enum code computation_open_guarded(struct computation *self, struct stage *stage, const struct expr *const *exprs,
                                   const int32_t *guards, int32_t count, struct error *err)
{
    TRY(program_compile_guarded(&stage->query->arena, exprs, guards, count, &self->program, err));
    self->evaluator = evaluator_new(self->program);
    self->columns = mem_array(struct column, (size_t)count + 1);
    self->count = count;
    return E_OK;
}

enum code computation_open(struct computation *self, struct stage *stage, const struct expr *const *exprs,
                           int32_t count, struct error *err)
{
    return computation_open_guarded(self, stage, exprs, NULL, count, err);
}

enum code computation_run(struct computation *self, struct stage *stage, const struct batch *in, struct error *err)
{
    struct query *query = stage->query;
    computation_release(self);
    TRY(evaluator_run(self->evaluator, query->spec.session, in, self->columns, &query->rejects, err));
    return stage_check(stage, program_position, self->program, err);
}

void computation_release(struct computation *self)
{
    for (int32_t i = 0; i < self->count; i++)
        column_release(&self->columns[i]);
}

void computation_close(struct computation *self)
{
    if (self->columns == NULL)
        return;
    computation_release(self);
    evaluator_free(self->evaluator);
    mem_free(self->columns);
    self->columns = NULL;
}

/* ---- rows that are held ---- */

enum code stored_rows_put(struct stored_rows *self, struct batch *batch, size_t size_bytes, struct budget *budget,
                          struct error *err)
{
    if (self->rows + batch->rows > QUERY_ROWS_MAX) {
        budget_give(budget, size_bytes);
        batch_release(batch);
        return fail(err, E_UNSUPPORTED, "more than QUERY_ROWS_MAX = %lld rows in one place", (long long)QUERY_ROWS_MAX);
    }
    mem_grow(self->batches, self->capacity, self->count + 1);
    self->rows += batch->rows;
    self->charged_bytes += size_bytes;
    self->batches[self->count++] = batch_take(batch);
    return E_OK;
}

enum code stored_rows_add(struct stored_rows *self, struct batch *batch, struct budget *budget, struct error *err)
{
    size_t size = batch_bytes(batch);
    enum code code = budget_take(budget, size, "the rows of a query", err);
    if (code == E_OK)
        return stored_rows_put(self, batch, size, budget, err);
    batch_release(batch);
    return code;
}

static void column_retype(struct column *col, const struct type *type)
{
    col->type = type;
    for (int32_t i = 0; i < col->child_count && i < type->field_count; i++)
        column_retype(&col->children[i], type->fields[i].type);
}

void batch_retype(struct batch *batch, const struct type *schema)
{
    batch->schema = schema;
    for (int32_t i = 0; i < batch->column_count; i++)
        column_retype(&batch->columns[i], schema->fields[i].type);
}

void stored_rows_free(struct stored_rows *self, struct budget *budget)
{
    for (int32_t i = 0; i < self->count; i++)
        batch_release(&self->batches[i]);
    mem_free(self->batches);
    budget_give(budget, self->charged_bytes);
    rows_overflow_free(self->overflow);
    *self = (struct stored_rows){0};
}

static void column_join(const struct stored_rows *rows, int32_t c, const struct type *type, struct column *out)
{
    struct column whole = {0};
    for (int32_t i = 0; i < rows->count; i++)
        if (rows->batches[i].columns[c].type != NULL) // else nobody needs it
            column_append(&whole, &rows->batches[i].columns[c], 0, rows->batches[i].rows);
    if (rows->count == 0)
        column_all_null(&whole, type, 0);
    *out = whole;
}

enum code stored_rows_join(struct stored_rows *rows, const struct type *schema, struct batch *out, struct error *err)
{
    batch_init(out, schema, rows->rows);
    for (int32_t c = 0; c < schema->field_count; c++) {
        TRY(stop_check(rows->rows, err));
        if (rows->count == 1)
            out->columns[c] = column_take(&rows->batches[0].columns[c]);
        else
            column_join(rows, c, schema->fields[c].type, &out->columns[c]);
        for (int32_t i = 0; i < rows->count; i++)
            column_release(&rows->batches[i].columns[c]);
    }
    return E_OK;
}

void batch_slice(struct batch *out, const struct batch *in, int64_t from, int64_t to)
{
    if (from == 0 && to == in->rows) {
        batch_share(out, in);
        return;
    }
    if (in->source != NULL) {
        int32_t *rows = mem_array(int32_t, (size_t)(to - from) + 1);
        for (int64_t i = from; i < to; i++)
            rows[i - from] = (int32_t)i;
        batch_gather(out, in, rows, to - from);
        mem_free(rows);
        return;
    }
    batch_init(out, in->schema, to - from);
    for (int32_t c = 0; c < in->column_count; c++) {
        struct column part = {0};
        if (in->columns[c].type != NULL)
            column_append(&part, &in->columns[c], from, to);
        out->columns[c] = part;
    }
}
