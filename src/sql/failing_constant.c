#include "sql/failing_constant.h"

struct check {
    struct analyser *self;
    enum code code;
};

/* ---- expressions ---- */

/* Calls with lambdas, elt(), and what is there to fail, are computed for rows alone. */
static bool waits_for_rows(const struct expr *expr)
{
    char name[32];
    struct bytes first = expr_function(expr);
    int32_t bodies;
    if (first.size > 0 && first.size < sizeof name) {
        memcpy(name, first.data, first.size);
        name[first.size] = '\0';
        if (lambda_values(name, &bodies) > 0 || same_name(name, "elt") || same_name(name, "raise_error") ||
            same_name(name, "assert_true"))
            return true;
    }
    for (int32_t i = 0; i < expr->arg_count; i++)
        if (waits_for_rows(expr->args[i]))
            return true;
    return false;
}

/* Only some of the arguments may be needed. */
static bool is_conditional(const struct expr *expr)
{
    static const char *const names[] = {"if", "coalesce", "nvl", NULL};
    for (int i = 0; names[i] != NULL; i++)
        if (expr_is_call(expr, names[i]))
            return true;
    return expr->kind == EXPR_CASE;
}

/* Not all of the call's arguments are computed where one of them is NULL. */
static bool has_null(struct check *self, const struct expr *expr)
{
    struct error ignored = {0};
    const struct expr *value;
    if (expr_is_call(expr, "<=>") || expr_is_call(expr, "and") || expr_is_call(expr, "or"))
        return false;
    for (int32_t i = 0; i < expr->arg_count; i++)
        if (expr_fold(&self->self->expr, expr->args[i], &value, &ignored) == E_OK && column_is_null(value->literal, 0))
            return true;
    return false;
}

/* NULL whatever the row, as it was written: what only folding has made NULL comes too late for those around it. */
static bool is_null_as_written(const struct expr *expr)
{
    if (expr->kind == EXPR_LITERAL)
        return !expr->replaced && column_is_null(expr->literal, 0);
    for (int32_t i = 0; i < expr->arg_count && expr_passes_null(expr); i++)
        if (is_null_as_written(expr->args[i]))
            return true;
    return false;
}

static void check(void *context, const struct expr *expr)
{
    struct check *self = context;
    struct analyser *analyser = self->self;
    const struct expr *value;
    if (expr == NULL || self->code != E_OK || expr->kind == EXPR_COLUMN || is_null_as_written(expr))
        return;
    if (!expr_is_constant(expr) || waits_for_rows(expr)) {
        for (int32_t i = 0; i < expr->arg_count && !is_conditional(expr); i++)
            check(self, expr->args[i]);
        return;
    }
    struct error err = {0};
    enum code code = expr_fold(&analyser->expr, expr, &value, &err);
    if (code != E_OK && !has_null(self, expr)) {
        *analyser->err = err;
        self->code = placed(analyser, code, expr->at);
    }
}

/* ---- texts that become times ---- */

/* A text may be 'today': Spark computes it as soon as the query is read, wherever it stands, an argument after the other
 * until one is NULL. */
static enum code compute_text(struct analyser *analyser, const struct expr *expr, bool *null)
{
    struct error err = {0};
    const struct expr *value;
    bool tries = expr->kind == EXPR_CALL && expr->try_cast; // what fails in it is NULL
    bool strict = !tries && (expr->kind == EXPR_CAST || expr_is_strict(expr));
    *null = false;
    for (int32_t i = 0; i < expr->arg_count && strict && !*null; i++)
        TRY(compute_text(analyser, expr->args[i], null));
    if (*null)
        return E_OK;
    enum code code = expr_fold(&analyser->expr, expr, &value, &err);
    if (code == E_OK)
        *null = column_is_null(value->literal, 0);
    else
        *analyser->err = err;
    return placed(analyser, code, expr->at);
}

static void check_times(void *context, const struct expr *expr)
{
    struct check *self = context;
    if (expr == NULL || self->code != E_OK)
        return;
    for (int32_t i = 0; i < expr->arg_count; i++)
        check_times(self, expr->args[i]);
    bool time = expr->type->id == TYPE_DATE || expr->type->id == TYPE_TIMESTAMP || expr->type->id == TYPE_TIMESTAMP_NTZ;
    bool null;
    if (self->code == E_OK && time && expr->kind == EXPR_CAST && expr->args[0]->type->id == TYPE_STRING &&
        expr->args[0]->kind != EXPR_LITERAL && expr_is_constant(expr->args[0]) && !waits_for_rows(expr->args[0]))
        self->code = compute_text(self->self, expr->args[0], &null);
}

enum code failing_time(struct analyser *self, struct plan *plan)
{
    struct check state = {.self = self};
    struct plan_list nodes;
    plan_collect_query(self->arena, plan, &nodes);
    for (int32_t i = 0; i < nodes.count; i++)
        plan_each_expr(nodes.nodes[i], check_times, &state);
    return state.code;
}

/* ---- plans ---- */

static bool takes_nothing(const struct plan *node)
{
    const struct column *limit = node->kind == PLAN_LIMIT ? node->exprs[0]->literal : NULL;
    return limit != NULL && column_values(limit, int64_t)[0] == 0;
}

/* The arguments: what orders and bounds the rows may be more than Spark computes of it. */
static void check_calls(struct check *self, const struct plan_overs *overs)
{
    for (int32_t i = 0; i < overs->count; i++) {
        const struct plan_over *over = overs->calls[i];
        const struct aggregate_call *call = over->kind == OVER_AGGREGATE ? over->call : NULL;
        for (int32_t k = 0; k < (call != NULL ? call->arg_count : over->arg_count); k++)
            check(self, call != NULL ? call->args[k] : over->args[k]);
    }
}

enum code failing_constant(struct analyser *self, const struct plan_list *nodes)
{
    struct check state = {.self = self};
    bool *computed = arena_array(self->arena, bool, (size_t)nodes->count + 1);
    memset(computed, 0, (size_t)nodes->count + 1);
    computed[nodes->count - 1] = true;
    for (int32_t i = nodes->count - 1; i >= 0; i--) {
        const struct plan *node = nodes->nodes[i];
        bool over = node->kind == PLAN_WINDOW;
        for (int32_t j = 0; j < node->input_count && !takes_nothing(node); j++)
            computed[plan_input(node, j)->id] |= computed[i] && !(over && plan_input(node, j)->kind == PLAN_PROJECT);
    }
    for (int32_t i = 0; i < nodes->count && state.code == E_OK; i++)
        if (computed[i] && nodes->nodes[i]->kind == PLAN_WINDOW)
            check_calls(&state, &nodes->nodes[i]->overs);
        else if (computed[i])
            plan_each_expr(nodes->nodes[i], check, &state);
    return state.code;
}
