#include "query/query.h"

#include "base/options.h"
#include "base/stop_watch.h"
#include "query/overflow.h"

/* ---- rows of a shared node: computed by the first reader ---- */

struct spool {
    struct stage *source;
    struct budget budget; /* a part of the query's: what others hold stays below the ceiling, too */
    struct stored_rows rows;
    bool filled;
    struct error failure; /* and then nobody reads it */
    struct position failed_at;
};
struct spool_reader {
    struct stage base;
    struct spool *spool;
    int32_t at;
};

static enum code spool_take(struct stage *base, struct spool *spool, struct error *err)
{
    for (;;) {
        struct batch batch;
        TRY(stage_pull(base, 0, &batch, err));
        if (batch.rows == 0)
            return E_OK;
        TRY(stored_rows_keep(&spool->rows, &batch, &spool->budget, base->query, err));
    }
}

static void spool_fill(struct stage *base, struct spool *spool)
{
    spool->filled = true;
    if (spool_take(base, spool, &spool->failure) != E_OK)
        spool->failed_at = base->query->failed_at;
}

static enum code spool_next(struct stage *base, struct batch *out, struct error *err)
{
    struct spool_reader *self = (struct spool_reader *)base;
    struct spool *spool = self->spool;
    if (!spool->filled)
        spool_fill(base, spool);
    if (spool->failure.code != E_OK) {
        base->query->failed_at = spool->failed_at;
        *err = spool->failure;
        return err->code;
    }
    return stored_rows_next(&spool->rows, &self->at, base->plan->schema, out, err);
}

static enum code spool_open(__attribute__((unused)) struct stage *base, __attribute__((unused)) struct error *err)
{
    return E_OK;
}

static void spool_close(__attribute__((unused)) struct stage *base) {}

const struct stage_type spool_stage = {
    .name = "spool", .size = sizeof(struct spool_reader), .open = spool_open, .next = spool_next, .close = spool_close};

/* ---- building ---- */

#define STAGE_SURE_MAX ((size_t)64 << 20)

static enum code stage_add(struct query *self, const struct stage_type *type, struct plan *plan, int32_t input_count,
                           struct stage **out, struct error *err)
{
    if (self->stage_count >= QUERY_STAGES_MAX)
        return fail(err, E_UNSUPPORTED, "the query has more than QUERY_STAGES_MAX = %d stages", QUERY_STAGES_MAX);
    struct stage *stage = arena_alloc(&self->arena, type->size);
    *stage = (struct stage){.type = type, .query = self, .plan = plan, .input_count = input_count};
    stage->inputs = arena_array(&self->arena, struct stage *, (size_t)input_count + 1);
    *out = stage;
    return E_OK;
}

static enum code stage_start(struct query *self, struct stage *stage, struct error *err)
{
    mem_grow(self->stages, self->stage_capacity, self->stage_count + 1);
    self->stages[self->stage_count++] = stage;
    stage->budget = (struct budget){.of = &self->held};
    return stage->type->open(stage, err);
}

static enum code build(struct query *self, struct plan *plan, struct stage **out, struct error *err);

static enum code build_node(struct query *self, struct plan *plan, struct stage **out, struct error *err)
{
    const struct stage_type *type = stage_type_of(plan);
    struct stage *stage;
    if (type == NULL)
        return fail(err, E_UNSUPPORTED, "[UNSUPPORTED_FEATURE] leat cannot do this yet: %s",
                    plan->unsupported != NULL ? plan->unsupported : "this kind of query");
    // a subquery is a query of its own, per row; so is a recursion's step, per level
    int32_t inputs = plan->kind == PLAN_APPLY || plan->kind == PLAN_RECURSION ? 1 : plan->input_count;
    TRY(stage_add(self, type, plan, inputs, &stage, err));
    for (int32_t i = 0; i < inputs; i++)
        TRY(build(self, plan_input(plan, i), &stage->inputs[i], err));
    TRY(stage_start(self, stage, err));
    *out = stage;
    return E_OK;
}

static enum code build(struct query *self, struct plan *plan, struct stage **out, struct error *err)
{
    // a recursion may have no end: each reader takes what it needs
    if (plan->user_count <= 1 || plan->input_count == 0 || plan->kind == PLAN_RECURSION)
        return build_node(self, plan, out, err);
    struct spool *spool = self->spools[plan->id];
    if (spool == NULL) {
        self->spools[plan->id] = spool = arena_new(&self->arena, struct spool);
        spool->budget = (struct budget){.of = &self->held, .limit_bytes = self->held.limit_bytes / 2};
        TRY(build_node(self, plan, &spool->source, err));
    }
    TRY(stage_add(self, &spool_stage, plan, 1, out, err));
    ((struct spool_reader *)*out)->spool = spool;
    (*out)->inputs[0] = spool->source;
    return stage_start(self, *out, err);
}

/* Half of what nobody has of the budget, in equal parts for the stages that go to disk when there is no more: none finds all taken. */
static void parts_reserve(struct query *self)
{
    const struct budget *budget = self->spec.budget;
    size_t used = atomic_load(&budget->used_bytes), spilling = 0;
    size_t half = budget->limit_bytes > used ? (budget->limit_bytes - used) / 2 : 0; // a query may run in another one
    for (int32_t i = 0; i < self->stage_count; i++)
        spilling += self->stages[i]->type->spills;
    for (int32_t i = 0; i < self->stage_count; i++) {
        struct stage *stage = self->stages[i];
        size_t sure = stage->type->spills ? half / spilling : 0;
        struct error ignored = {0};
        sure = sure < STAGE_SURE_MAX ? sure : STAGE_SURE_MAX;
        if (sure > 0 && budget_take(&self->held, sure, stage->type->name, &ignored) == E_OK)
            stage->budget.sure_bytes = sure;
    }
}

static void part_give(struct stage *stage)
{
    size_t sure = stage->budget.sure_bytes;
    always(atomic_load(&stage->budget.used_bytes) == 0);
    stage->budget.sure_bytes = 0;
    budget_give(&stage->query->held, sure);
}

enum code query_open(const struct query_spec *spec, struct query **out, struct error *err)
{
    struct query *self = mem_new(struct query);
    self->spec = *spec;
    self->held = (struct budget){.of = spec->budget, .limit_bytes = spec->budget->limit_bytes / 4 * 3};
    self->spill = spec->spill != NULL ? spec->spill : &self->own_spill;
    self->rejects.note = &self->note;
    self->plan_count = plan_number(&self->arena, spec->plan);
    self->spools = mem_array(struct spool *, (size_t)self->plan_count);
    enum code code = build(self, spec->plan, &self->root, err);
    if (code != E_OK) {
        query_close(self);
        return code;
    }
    parts_reserve(self);
    *out = self;
    return E_OK;
}

/* What a stage has to hold at once, and how there is less of it. */
static const struct holding {
    const struct stage_type *type;
    const char *what, *advice;
} holdings[] = {
    {&files_stage, "a piece of a file (a row group of Parquet, a batch of lines)", "read fewer columns"},
    {&group_stage, "what one group collects",
     "collect less: approx_count_distinct for count(DISTINCT ..), a FILTER, a further key"},
    {&match_stage, "the rows of one key of a join, or of one side that has no equality",
     "join by a further column, or filter its sides"},
    {&recursion_stage, "a level of the recursion", "let it make fewer rows, or columns"},
    {&apply_stage, "the rows of a subquery", "let it give fewer: a filter, a LIMIT"},
    {&window_stage, "a partition of a window (all rows without PARTITION BY)", "part by a further column"},
};

/* Which part of the query it is, and what to do. */
static enum code memory_error(struct query *self, struct error *err)
{
    const struct stage *full = self->full;
    const struct holding other = {full->type, full->type->name, "let it keep fewer rows or columns: a filter, a LIMIT"};
    const struct holding *found = &other;
    char limit[SIZE_TEXT_MAX];
    if (full->plan->at.line > 0)
        self->failed_at = full->plan->at;
    for (size_t i = 0; i < sizeof holdings / sizeof *holdings; i++)
        if (holdings[i].type == full->type)
            found = &holdings[i];
    return fail(err, E_MEMORY,
                "[UNABLE_TO_ACQUIRE_MEMORY] %s: more than the %s that the query may hold: raise %s, or %s", found->what,
                print_size(self->spec.budget->limit_bytes, limit),
                self->spec.project != NULL ? "leat.memory" : "--memory", found->advice);
}

static enum code next_of(struct query *self, struct stage *stage, struct batch *out, struct position *at,
                         struct error *err)
{
    struct stop_watch before;
    stop_begin(self->spec.stopped, self->spec.stopped_context, &before);
    enum code code = stage_next(stage, out, err);
    stop_end(&before);
    if (code == E_MEMORY && self->full != NULL)
        code = memory_error(self, err);
    *at = self->failed_at;
    return code;
}

enum code query_next(struct query *self, struct batch *out, struct position *at, struct error *err)
{
    return next_of(self, self->root, out, at, err);
}

enum code query_next_of(struct query *self, int32_t input, struct batch *out, struct position *at, struct error *err)
{
    self->failed_at = (struct position){0};
    self->full = NULL;
    rejects_clear(&self->rejects); // of a plan that failed
    return next_of(self, self->root->inputs[input], out, at, err);
}

bool query_can_run(const struct plan *plan)
{
    return plan->kind == PLAN_LEVEL || stage_type_of(plan) != NULL; // a LEVEL is a node only until its rows are there
}

void query_progress(const struct query *self, struct query_progress *out)
{
    *out = (struct query_progress){0};
    for (int32_t i = 0; i < self->stage_count; i++)
        if (self->stages[i]->type == &files_stage)
            files_progress(self->stages[i], out);
}

void query_close(struct query *self)
{
    if (self == NULL)
        return;
    for (int32_t i = self->stage_count - 1; i >= 0; i--) {
        self->stages[i]->type->close(self->stages[i]);
        part_give(self->stages[i]);
    }
    for (int32_t i = 0; i < self->plan_count; i++)
        if (self->spools[i] != NULL)
            stored_rows_free(&self->spools[i]->rows, &self->spools[i]->budget);
    mem_free(self->spools);
    mem_free(self->stages);
    rejects_free(&self->rejects);
    text_free(&self->note.text);
    arena_free(&self->arena);
    mem_free(self);
}
