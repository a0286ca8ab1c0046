/* plan_outer.c - the columns of the rows around a subquery: which it reads, and values in their place.
 *
 * Level    a mark of level 0 names a column of the rows that the subquery's APPLY stands over. In a subquery of the
 *          subquery the same column has level 1, and so on
 */
#include "sql/plan.h"

/* ---- all expressions of a node ---- */

static const struct expr *map_one(const struct expr *expr, expr_map map, void *context)
{
    return expr != NULL ? map(context, expr) : NULL;
}

static const struct expr **map_list(struct arena *arena, const struct expr *const *exprs, int32_t count, expr_map map,
                                    void *context)
{
    const struct expr **out = arena_array(arena, const struct expr *, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++)
        out[i] = map_one(exprs[i], map, context);
    return out;
}

static const struct aggregate_call *map_call(struct arena *arena, const struct aggregate_call *call, expr_map map,
                                             void *context)
{
    if (call == NULL)
        return NULL;
    struct aggregate_call *copy = arena_new(arena, struct aggregate_call);
    *copy = *call;
    copy->args = map_list(arena, (const struct expr *const *)call->args, call->arg_count, map, context);
    copy->filter = map_one(call->filter, map, context);
    return copy;
}

static void map_aggregate(struct arena *arena, struct plan_aggregate *aggregate, expr_map map, void *context)
{
    const struct aggregate_call **calls =
        arena_array(arena, const struct aggregate_call *, (size_t)aggregate->call_count + 1);
    for (int32_t i = 0; i < aggregate->call_count; i++)
        calls[i] = map_call(arena, aggregate->calls[i], map, context);
    aggregate->calls = calls;
    aggregate->keys = map_list(arena, aggregate->keys, aggregate->key_count, map, context);
    aggregate->window.time = map_one(aggregate->window.time, map, context);
    aggregate->window.gap = map_one(aggregate->window.gap, map, context);
}

static void map_join(struct arena *arena, struct plan_join *join, expr_map map, void *context)
{
    for (int side = 0; side < 2; side++) {
        join->sides[side].keys = map_list(arena, join->sides[side].keys, join->key_count, map, context);
        join->sides[side].only = map_one(join->sides[side].only, map, context);
    }
    join->condition = map_one(join->condition, map, context);
}

static void map_overs(struct arena *arena, struct plan_overs *overs, expr_map map, void *context)
{
    const struct plan_over **calls = arena_array(arena, const struct plan_over *, (size_t)overs->count + 1);
    for (int32_t i = 0; i < overs->count; i++) {
        struct plan_over *copy = arena_new(arena, struct plan_over);
        *copy = *overs->calls[i];
        copy->call = map_call(arena, copy->call, map, context);
        copy->args = map_list(arena, copy->args, copy->arg_count, map, context);
        copy->partition = map_list(arena, copy->partition, copy->partition_count, map, context);
        copy->order = map_list(arena, copy->order, copy->order_count, map, context);
        copy->from.value = map_one(copy->from.value, map, context);
        copy->to.value = map_one(copy->to.value, map, context);
        calls[i] = copy;
    }
    overs->calls = calls;
}

void plan_map_exprs(struct arena *arena, struct plan *plan, expr_map map, void *context)
{
    plan->exprs = map_list(arena, plan->exprs, plan->expr_count, map, context);
    switch (plan->kind) {
    case PLAN_GENERATE:
        plan->generate.args = map_list(arena, plan->generate.args, plan->generate.arg_count, map, context);
        break;
    case PLAN_AGGREGATE: map_aggregate(arena, &plan->aggregate, map, context); break;
    case PLAN_JOIN: map_join(arena, &plan->join, map, context); break;
    case PLAN_WINDOW: map_overs(arena, &plan->overs, map, context); break;
    default: break;
    }
}

/* ---- copies of a subquery ---- */

/* A node of a subquery at a depth: the number of APPLYs whose inner side it is on, within the subquery. */
struct copied {
    struct plan *from, *to;
    int32_t depth;
    struct copied *next;
};
struct binding_of {
    struct arena *arena;
    const struct expr *const *values; /* NULL: only look */
    const struct expr *const *calls;  /* aggregates of the query around; NULL: they stay */
    bool *used;
    int32_t depth;                /* of the expression at hand */
    const struct plan *recursion; /* NULL: none */
    const struct stored_rows *before;
    struct copied *copied;
};

static const struct expr *bind_column(void *context, const struct expr *column)
{
    struct binding_of *self = context;
    if (outer_level(column->index) != self->depth)
        return column;
    int32_t index = column->index % COLUMN_MARK;
    if (index >= OUTER_CALL)
        return self->calls != NULL ? self->calls[index - OUTER_CALL] : column;
    if (self->used != NULL)
        self->used[index] = true;
    return self->values != NULL && self->values[index] != NULL ? self->values[index] : column;
}

static const struct expr *bind_expr(void *context, const struct expr *expr)
{
    struct binding_of *self = context;
    return expr_rewrite(self->arena, expr, bind_column, self);
}

static struct plan *bind_plan(struct binding_of *self, struct plan *plan, int32_t depth)
{
    for (const struct copied *at = self->copied; at != NULL; at = at->next)
        if (at->from == plan && at->depth == depth)
            return at->to;
    struct plan *copy = arena_new(self->arena, struct plan);
    *copy = *plan;
    if (self->recursion != NULL && plan->kind == PLAN_LEVEL &&
        plan->recursion.number == self->recursion->recursion.number) {
        copy->kind = PLAN_STORED;
        copy->stored.rows = self->before;
    }
    if (plan->more_inputs != NULL)
        copy->more_inputs = arena_array(self->arena, struct plan *, (size_t)plan->input_count);
    for (int32_t i = 0; i < plan->input_count; i++)
        *plan_input_place(copy, i) = bind_plan(self, plan_input(plan, i), depth + (plan->kind == PLAN_APPLY && i == 1));
    self->depth = depth;
    plan_map_exprs(self->arena, copy, bind_expr, self);
    struct copied *note = arena_new(self->arena, struct copied);
    *note = (struct copied){plan, copy, depth, self->copied};
    self->copied = note;
    return copy;
}

struct plan *plan_bind_outer(struct arena *arena, struct plan *subquery, const struct expr *const *values)
{
    struct binding_of self = {.arena = arena, .values = values};
    return bind_plan(&self, subquery, 0);
}

struct plan *plan_copy(struct arena *arena, struct plan *root)
{
    struct binding_of self = {.arena = arena};
    return bind_plan(&self, root, 0);
}

struct plan *plan_bind_calls(struct arena *arena, struct plan *subquery, const struct expr *const *calls)
{
    struct binding_of self = {.arena = arena, .calls = calls};
    return bind_plan(&self, subquery, 0);
}

void plan_outer_columns(struct plan *subquery, bool *used)
{
    struct arena arena = {0};
    struct binding_of self = {.arena = &arena, .used = used};
    bind_plan(&self, subquery, 0);
    arena_free(&arena);
}

struct reading {
    bool (*each)(void *context, const struct expr *column);
    void *context;
    int32_t depth;
    bool stopped;
};

static void read_column(void *context, const struct expr *column)
{
    struct reading *self = context;
    if (!self->stopped && outer_level(column->index) == self->depth)
        self->stopped = !self->each(self->context, column);
}

static void read_expr(void *context, const struct expr *expr) { expr_each_column(expr, read_column, context); }

static void read_plan(struct reading *self, const struct plan *plan, int32_t depth)
{
    self->depth = depth;
    plan_each_expr(plan, read_expr, self);
    for (int32_t i = 0; i < plan->input_count && !self->stopped; i++)
        read_plan(self, plan_input(plan, i), depth + (plan->kind == PLAN_APPLY && i == 1));
}

void plan_each_outer(const struct plan *subquery, bool (*each)(void *context, const struct expr *column), void *context)
{
    struct reading self = {.each = each, .context = context};
    read_plan(&self, subquery, 0);
}

struct plan *plan_bind_level(struct arena *arena, const struct plan *recursion, const struct stored_rows *before)
{
    struct binding_of self = {.arena = arena, .recursion = recursion, .before = before};
    return bind_plan(&self, recursion->inputs[1], 0);
}
