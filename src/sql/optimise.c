#include "sql/optimise.h"

void optimiser_collect(struct optimiser *self)
{
    plan_collect(self->expr->arena, self->roots, self->root_count, &self->nodes);
    for (int32_t i = 0; i < self->nodes.count; i++)
        self->nodes.nodes[i]->user_count = 0;
    for (int32_t i = 0; i < self->nodes.count; i++)
        for (int32_t j = 0; j < self->nodes.nodes[i]->input_count; j++)
            plan_input(self->nodes.nodes[i], j)->user_count++;
    for (int32_t i = 0; i < self->root_count; i++)
        self->roots[i]->user_count++;
}

/* ---- tables ---- */

/* Which flow writes what is read there: asked before any pass puts something in between. */
static void find_writers(struct optimiser *self)
{
    for (int32_t i = 0; i < self->nodes.count; i++) {
        struct plan *table = self->nodes.nodes[i];
        for (int32_t r = 0; table->kind == PLAN_TABLE && r < self->root_count; r++)
            if (self->roots[r] == table->inputs[0])
                table->table.root = r;
    }
}

static bool is_seam(struct arena *arena, const struct plan *table)
{
    struct plan_list below;
    plan_collect_query(arena, table->inputs[0], &below);
    for (int32_t i = 0; i < below.count; i++)
        if (below.nodes[i]->kind == PLAN_WATERMARK || plan_keeps_state(below.nodes[i]))
            return true;
    return false;
}

/* Inputs come first, so what stands in for a table is known before its users. */
static void drop_tables(struct optimiser *self)
{
    optimiser_collect(self);
    find_writers(self);
    struct plan_list nodes = self->nodes;
    struct plan **stands = arena_array(self->expr->arena, struct plan *, (size_t)nodes.count);
    bool *seam = arena_array(self->expr->arena, bool, (size_t)nodes.count);
    for (int32_t i = 0; i < nodes.count; i++)
        seam[i] = nodes.nodes[i]->kind == PLAN_TABLE && is_seam(self->expr->arena, nodes.nodes[i]);
    optimiser_collect(self); // is_seam numbers nodes of its own
    for (int32_t i = 0; i < nodes.count; i++) {
        struct plan *node = nodes.nodes[i];
        for (int32_t j = 0; j < node->input_count; j++)
            *plan_input_place(node, j) = stands[plan_input(node, j)->id];
        stands[i] = node->kind == PLAN_TABLE && !seam[i] ? node->inputs[0] : node;
    }
    for (int32_t r = 0; r < self->root_count; r++)
        self->roots[r] = stands[self->roots[r]->id];
}

/* ---- LIMIT over a sort ---- */

/* The sort below a LIMIT keeps the rows that come first, no more; projections between them change no rows. */
static void limit_sorts(struct optimiser *self)
{
    for (int32_t i = 0; i < self->nodes.count; i++) {
        const struct plan *limit = self->nodes.nodes[i];
        int64_t rows;
        if (limit->kind != PLAN_LIMIT || limit->expr_count != 2 || limit->exprs[0]->literal == NULL ||
            limit->exprs[1]->literal == NULL)
            continue;
        struct plan *below = limit->inputs[0];
        while (below->kind == PLAN_PROJECT && below->user_count == 1)
            below = below->inputs[0];
        bool counts = !__builtin_add_overflow(column_values(limit->exprs[0]->literal, int64_t)[0],
                                              column_values(limit->exprs[1]->literal, int64_t)[0], &rows);
        if (below->kind == PLAN_SORT && below->user_count == 1 && counts && rows > 0)
            below->sort.rows_max = rows;
    }
}

void optimise(struct expr_context *ctx, struct plan **roots, int32_t count, struct plan_list *out,
              struct group_list *groups)
{
    struct optimiser self = {.expr = ctx, .roots = roots, .root_count = count};
    drop_tables(&self);
    fold_constants(&self);
    share_nodes(&self);
    push_filters(&self);
    test_sources(&self);
    merge_projects(&self);
    split_windows(&self);
    prune_columns(&self);
    merge_projects(&self);
    share_nodes(&self);
    limit_sorts(&self);
    split_groups(&self, groups);
    *out = self.nodes;
}

/* ---- questions ---- */

bool expr_is_trivial(const struct expr *expr)
{
    while (expr->kind == EXPR_FIELD && expr->args[0]->type->id == TYPE_STRUCT)
        expr = expr->args[0];
    return expr->kind == EXPR_COLUMN || expr->kind == EXPR_LITERAL;
}

static bool reads_columns(const struct expr *expr)
{
    if (expr->kind == EXPR_COLUMN)
        return true;
    for (int32_t i = 0; i < expr->arg_count; i++)
        if (reads_columns(expr->args[i]))
            return true;
    return false;
}

bool expr_is_volatile(const struct expr *expr)
{
    if (expr->kind == EXPR_CALL && !reads_columns(expr))
        return !expr_is_constant(expr); // neither columns nor a constant: uuid(), rand(), current_timestamp()
    for (int32_t i = 0; i < expr->arg_count; i++)
        if (expr_is_volatile(expr->args[i]))
            return true;
    return false;
}

struct through {
    const struct plan *project;
};

static const struct expr *through_column(void *context, const struct expr *column)
{
    const struct through *self = context;
    return column->index < COLUMN_MARK ? self->project->exprs[column->index] : column;
}

const struct expr *expr_through(struct arena *arena, const struct expr *expr, const struct plan *project)
{
    struct through through = {project};
    return expr_rewrite(arena, expr, through_column, &through);
}

/* ---- folding ---- */

static const struct expr *type_name(struct expr_context *ctx, const struct expr *call)
{
    struct text text = {0};
    type_print(call->args[0]->type, &text);
    const struct expr *name = expr_string(ctx, text_view(&text), call->at);
    text_free(&text);
    return name;
}

static const struct expr *fold(struct expr_context *ctx, const struct expr *expr)
{
    struct error err = {0};
    const struct expr *folded;
    if (expr->kind == EXPR_COLUMN || expr->kind == EXPR_LITERAL)
        return expr;
    if (expr_is_call(expr, "typeof")) // known without the value, which may fail, and whose columns nobody reads then
        return type_name(ctx, expr);
    if (expr_is_constant(expr)) {
        if (expr_fold(ctx, expr, &folded, &err) != E_OK)
            return expr;
        return expr_always_null(expr) ? folded : expr_replaced(ctx, folded); // see failing_constant.c
    }
    struct expr *copy = NULL;
    for (int32_t i = 0; i < expr->arg_count; i++) {
        const struct expr *arg = fold(ctx, expr->args[i]);
        if (arg == expr->args[i])
            continue;
        if (copy == NULL) {
            copy = arena_new(ctx->arena, struct expr);
            *copy = *expr;
            copy->args = arena_array(ctx->arena, const struct expr *, (size_t)expr->arg_count + 1);
            for (int32_t j = 0; j < expr->arg_count; j++)
                copy->args[j] = expr->args[j];
        }
        copy->args[i] = arg;
    }
    return copy != NULL ? copy : expr;
}

static const struct expr *const *fold_list(struct expr_context *ctx, const struct expr *const *exprs, int32_t count)
{
    const struct expr **folded = arena_array(ctx->arena, const struct expr *, (size_t)count);
    for (int32_t i = 0; i < count; i++)
        folded[i] = exprs[i] != NULL ? fold(ctx, exprs[i]) : NULL;
    return folded;
}

static void fold_join(struct expr_context *ctx, struct plan_join *join)
{
    for (int side = 0; side < 2; side++) {
        join->sides[side].keys = fold_list(ctx, join->sides[side].keys, join->key_count);
        join->sides[side].only = fold_list(ctx, &join->sides[side].only, 1)[0];
    }
    join->condition = fold_list(ctx, &join->condition, 1)[0];
}

static bool never_holds(struct expr_context *ctx, const struct expr *condition)
{
    return condition != NULL && expr_never_true(ctx, condition);
}

/* A constant that folding has left over fails, whatever stands beside it. */
static bool fails_already(const struct expr *expr)
{
    if (expr == NULL || expr->kind == EXPR_COLUMN || expr->kind == EXPR_LITERAL)
        return false;
    for (int32_t i = 0; i < expr->arg_count; i++)
        if (fails_already(expr->args[i]))
            return true;
    return expr_is_constant(expr);
}

static bool join_fails_already(const struct plan_join *join)
{
    for (int side = 0; side < 2; side++) {
        for (int32_t i = 0; i < join->key_count; i++)
            if (fails_already(join->sides[side].keys[i]))
                return true;
        if (fails_already(join->sides[side].only))
            return true;
    }
    return fails_already(join->condition);
}

static bool never_matches(struct expr_context *ctx, const struct plan_join *join)
{
    const struct plan_join_side *left = &join->sides[0], *right = &join->sides[1];
    for (int32_t i = 0; i < join->key_count; i++)
        if (!join->null_safe[i] && (expr_always_null(left->keys[i]) || expr_always_null(right->keys[i])))
            return true;
    return never_holds(ctx, left->only) || never_holds(ctx, right->only) || never_holds(ctx, join->condition);
}

/* Where a part of ON is never true, nothing else of it is computed, so that it cannot fail, as in Spark. */
static void stop_matching(struct expr_context *ctx, struct plan *node)
{
    struct plan_join *join = &node->join;
    if (node->streaming || node->unsupported != NULL || join->null_aware || !never_matches(ctx, join) ||
        join_fails_already(join))
        return;
    for (int side = 0; side < 2; side++) {
        const struct expr **keys = arena_new(ctx->arena, const struct expr *);
        keys[0] = expr_boolean(ctx, side == 0, node->at);
        join->sides[side].keys = keys;
        join->sides[side].only = NULL;
    }
    join->key_count = 1;
    join->null_safe = arena_array(ctx->arena, bool, 1);
    join->time_key = -1;
    join->condition = NULL;
    join->never = true;
    if (join->kind == JOIN_CROSS)
        join->kind = JOIN_INNER;
}

/* count(x) of what is never NULL counts rows: x is not computed, so that it cannot fail, as in Spark. */
static const struct aggregate_call *count_rows(struct expr_context *ctx, const struct aggregate_call *call)
{
    struct error err = {0};
    const struct aggregate_call *rows;
    bool known = call != NULL && !call->distinct && call->arg_count > 0 &&
                 bytes_equal(aggregate_name(call), bytes_of_string("count"));
    for (int32_t i = 0; known && i < call->arg_count; i++)
        known = expr_null_is_known(call->args[i]);
    return known && aggregate_bind(ctx, "count", NULL, 0, false, call->filter, call->at, &rows, &err) == E_OK ? rows
                                                                                                              : call;
}

static void count_rows_of(struct expr_context *ctx, struct plan *node)
{
    struct plan_aggregate *aggregate = &node->aggregate;
    const struct aggregate_call **calls =
        arena_array(ctx->arena, const struct aggregate_call *, (size_t)aggregate->call_count + 1);
    for (int32_t i = 0; i < aggregate->call_count; i++)
        calls[i] = count_rows(ctx, aggregate->calls[i]);
    aggregate->calls = calls;
}

static void count_rows_over(struct expr_context *ctx, struct plan_overs *overs)
{
    const struct plan_over **calls = arena_array(ctx->arena, const struct plan_over *, (size_t)overs->count + 1);
    for (int32_t i = 0; i < overs->count; i++) {
        struct plan_over *copy = arena_new(ctx->arena, struct plan_over);
        *copy = *overs->calls[i];
        copy->call = count_rows(ctx, copy->call);
        calls[i] = copy;
    }
    overs->calls = calls;
}

void fold_constants(struct optimiser *self)
{
    optimiser_collect(self);
    for (int32_t i = 0; i < self->nodes.count; i++) {
        struct plan *node = self->nodes.nodes[i];
        if (node->expr_count > 0)
            node->exprs = fold_list(self->expr, node->exprs, node->expr_count);
        if (node->kind == PLAN_GENERATE)
            node->generate.args = fold_list(self->expr, node->generate.args, node->generate.arg_count);
        if (node->kind == PLAN_AGGREGATE) {
            node->aggregate.keys = fold_list(self->expr, node->aggregate.keys, node->aggregate.key_count);
            count_rows_of(self->expr, node);
        }
        if (node->kind == PLAN_WINDOW)
            count_rows_over(self->expr, &node->overs);
        if (node->kind == PLAN_JOIN) {
            fold_join(self->expr, &node->join);
            stop_matching(self->expr, node);
        }
    }
}
