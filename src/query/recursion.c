/* recursion.c - WITH RECURSIVE: the anchor's rows, then level after level what the step makes of the level before.
 *
 * Order     level by level, so a LIMIT above ends a recursion that has no end
 * Keeps     the rows of the level before, and those of the level at hand; what does not fit on disk
 */
#include "query/overflow.h"

struct recursion_stage {
    struct stage base;
    struct plan *step_plan; /* reads `before`; in the query's arena */
    struct query *step;     /* NULL: the anchor is still running, or a level has ended */
    struct stored_rows before, level;
    int64_t rows, number; /* all so far; level at hand, the anchor is 0 */
    bool anchored, done;
};

static enum code recursion_open(struct stage *base, __attribute__((unused)) struct error *err)
{
    struct recursion_stage *self = (struct recursion_stage *)base;
    self->step_plan = plan_bind_level(&base->query->arena, base->plan, &self->before);
    return E_OK;
}

static enum code level_begin(struct recursion_stage *self, struct error *err)
{
    struct query *query = self->base.query;
    const struct plan *plan = self->base.plan;
    stored_rows_free(&self->before, &self->base.budget);
    self->before = self->level;
    self->level = (struct stored_rows){0};
    self->done = self->before.rows == 0;
    if (self->done)
        return E_OK;
    if (plan->recursion.levels_max >= 0 && ++self->number > plan->recursion.levels_max) {
        query->failed_at = plan->at;
        return fail(
            err, E_SQL,
            "[RECURSION_LEVEL_LIMIT_EXCEEDED] Recursion level limit %lld reached but query has not exhausted, try "
            "increasing it like 'WITH RECURSIVE t(col) MAX RECURSION LEVEL %lld'.",
            (long long)plan->recursion.levels_max, 2 * (long long)plan->recursion.levels_max);
    }
    struct query_spec spec = query->spec;
    spec.plan = self->step_plan;
    return query_open(&spec, &self->step, err);
}

/* The batch belongs to the level, and goes out. */
static enum code level_add(struct recursion_stage *self, struct batch *batch, struct batch *out, struct error *err)
{
    struct query *query = self->base.query;
    const struct plan *plan = self->base.plan;
    struct batch kept;
    batch_retype(batch, plan->schema);
    batch_share(&kept, batch);
    *out = batch_take(batch);
    self->rows += out->rows;
    if (plan->recursion.rows_max >= 0 && self->rows > plan->recursion.rows_max) {
        batch_release(&kept);
        query->failed_at = plan->at;
        return fail(err, E_SQL,
                    "[RECURSION_ROW_LIMIT_EXCEEDED] Recursion row limit %lld reached but query has not exhausted, try "
                    "setting a larger LIMIT value when querying the CTE relation.",
                    (long long)plan->recursion.rows_max);
    }
    return stored_rows_keep(&self->level, &kept, &self->base.budget, query, err);
}

static enum code recursion_pull(struct recursion_stage *self, struct batch *out, struct error *err)
{
    if (!self->anchored)
        return stage_pull(&self->base, 0, out, err);
    return query_next(self->step, out, &self->base.query->failed_at, err);
}

static enum code recursion_next(struct stage *base, struct batch *out, struct error *err)
{
    struct recursion_stage *self = (struct recursion_stage *)base;
    while (!self->done) {
        struct batch batch;
        TRY(recursion_pull(self, &batch, err));
        if (batch.rows > 0) {
            enum code code = level_add(self, &batch, out, err);
            if (code != E_OK)
                batch_release(out);
            return code;
        }
        batch_release(&batch);
        query_close(self->step);
        self->step = NULL;
        self->anchored = true;
        TRY(level_begin(self, err));
    }
    return E_OK;
}

static void recursion_close(struct stage *base)
{
    struct recursion_stage *self = (struct recursion_stage *)base;
    query_close(self->step);
    stored_rows_free(&self->before, &base->budget);
    stored_rows_free(&self->level, &base->budget);
}

const struct stage_type recursion_stage = {.name = "recursive query",
                                           .size = sizeof(struct recursion_stage),
                                           .open = recursion_open,
                                           .next = recursion_next,
                                           .close = recursion_close,
                                           .spills = true};
