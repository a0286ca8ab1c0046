/* push.c - move filters towards the sources, where fewer columns have to be computed for rows that
 * go away. */
#include "sql/optimise.h"

struct reads {
    int32_t column;
    bool found;
};

static void compare_column(void *context, const struct expr *column)
{
    struct reads *self = context;
    self->found = self->found || column->index == self->column;
}

static bool reads_column(const struct expr *expr, int32_t column)
{
    struct reads reads = {column, false};
    expr_each_column(expr, compare_column, &reads);
    return reads.found;
}

struct trivially {
    const struct plan *project;
    bool all;
};

static void check_trivial(void *context, const struct expr *column)
{
    struct trivially *self = context;
    self->all = self->all && column->index < COLUMN_MARK &&
                expr_is_trivial(self->project->exprs[column->index]);
}

/* The filter becomes what stood below it, over a new filter: its users keep their pointer. */
static struct plan *swap(struct arena *arena, struct plan *filter, const struct expr *predicate)
{
    struct plan below = *filter->inputs[0];
    struct plan *moved = plan_filter(arena, below.inputs[0], predicate, filter->at);
    int32_t users = filter->user_count;
    moved->user_count = 1;
    *filter = below;
    filter->user_count = users;
    filter->inputs[0] = moved;
    filter->height = moved->height + 1;
    return moved;
}

/* a AND b AND c apart: those about the event time stay above the watermark, the rest goes below, as
 * in Spark. */
struct conjuncts {
    struct expr_context *expr;
    const struct function *conjunction;
    int32_t column;
    const struct expr *stay, *go;
};

static const struct expr *both(struct conjuncts *self, const struct expr *left,
                               const struct expr *right)
{
    const struct expr *args[2] = {left, right}, *joined = NULL;
    struct error err = {0};
    if (left == NULL)
        return right;
    return expr_call(self->expr, "and", args, 2, left->at, &joined, &err) == E_OK ? joined : NULL;
}

static void split(struct conjuncts *self, const struct expr *predicate)
{
    if (predicate->kind == EXPR_CALL && predicate->function == self->conjunction) {
        split(self, predicate->args[0]);
        split(self, predicate->args[1]);
        return;
    }
    bool stays = reads_column(predicate, self->column) || expr_is_volatile(predicate);
    const struct expr **into = stays ? &self->stay : &self->go;
    *into = both(self, *into, predicate);
}

static const struct function *function_and(struct expr_context *ctx)
{
    struct error err = {0};
    struct field field = {"", type_of(TYPE_BOOLEAN), true};
    const struct expr *column = expr_column(ctx, 0, &field, (struct position){0}),
                      *args[2] = {column, column}, *call;
    return expr_call(ctx, "and", args, 2, (struct position){0}, &call, &err) == E_OK
               ? call->function
               : NULL;
}

static struct plan *push_watermark(struct optimiser *self, struct plan *filter)
{
    struct conjuncts parts = {.expr = self->expr,
                              .conjunction = function_and(self->expr),
                              .column = filter->inputs[0]->watermark.column};
    split(&parts, filter->exprs[0]);
    if (parts.go == NULL)
        return NULL;
    if (parts.stay == NULL)
        return swap(self->expr->arena, filter, parts.go);
    struct plan *watermark = filter->inputs[0];
    const struct expr **exprs = arena_new(self->expr->arena, const struct expr *);
    exprs[0] = parts.stay;
    filter->exprs = exprs;
    watermark->inputs[0] =
        plan_filter(self->expr->arena, watermark->inputs[0], parts.go, filter->at);
    watermark->inputs[0]->user_count = 1;
    return watermark->inputs[0];
}

static struct plan *push_project(struct optimiser *self, struct plan *filter)
{
    const struct plan *project = filter->inputs[0];
    struct trivially trivially = {project, true};
    expr_each_column(filter->exprs[0], check_trivial, &trivially);
    if (!trivially.all || expr_is_volatile(filter->exprs[0]))
        return NULL;
    for (int32_t i = 0; i < project->expr_count; i++)
        if (expr_is_volatile(project->exprs[i]))
            return NULL;
    return swap(self->expr->arena, filter,
                expr_through(self->expr->arena, filter->exprs[0], project));
}

static struct plan *push_filter(struct optimiser *self, struct plan *filter)
{
    const struct plan *below = filter->inputs[0];
    struct conjuncts parts = {.expr = self->expr};
    if (below->user_count > 1)
        return NULL;
    switch (below->kind) {
    case PLAN_FILTER: {
        const struct expr **exprs = arena_new(self->expr->arena, const struct expr *);
        exprs[0] = both(&parts, below->exprs[0], filter->exprs[0]);
        if (exprs[0] == NULL)
            return NULL;
        filter->exprs = exprs;
        filter->inputs[0] = below->inputs[0];
        return filter;
    }
    case PLAN_PROJECT: return push_project(self, filter);
    case PLAN_DECODE:
        if (reads_column(filter->exprs[0], below->schema->field_count - 1))
            return NULL;
        return swap(self->expr->arena, filter, filter->exprs[0]);
    case PLAN_GENERATE:
        for (int32_t i = below->inputs[0]->schema->field_count; i < below->schema->field_count; i++)
            if (reads_column(filter->exprs[0], i))
                return NULL;
        return swap(self->expr->arena, filter, filter->exprs[0]);
    case PLAN_TABLE: return swap(self->expr->arena, filter, filter->exprs[0]);
    case PLAN_WATERMARK: return push_watermark(self, filter);
    default: return NULL;
    }
}

void push_filters(struct optimiser *self)
{
    optimiser_collect(self);
    for (int32_t i = self->nodes.count - 1; i >= 0; i--) {
        struct plan *filter = self->nodes.nodes[i];
        while (filter != NULL && filter->kind == PLAN_FILTER)
            filter = push_filter(self, filter);
    }
}
