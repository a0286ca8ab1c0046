/* analyse_lambda.c - transform(list, x -> ..): the lambda's variables, and what it reads of the rows around. */
#include "sql/analyser.h"

/* Names in sight of a lambda: its variables, then everything around it, which becomes captured when it is read. */
struct lambda_scope {
    const struct scope *around;
    const char *const *names; /* of the variables */
    const struct type *types[LAMBDA_VARIABLES_MAX];
    int32_t count;
    struct list *captured; /* const struct expr *, over the rows around: of all lambdas of the call */
    int32_t first_captured;
};

enum code lambda_name(struct analyser *self, const struct scope *scope, const struct ast *name, const struct expr **out)
{
    const struct lambda_scope *lambda = scope->lambda;
    for (int32_t i = lambda->count - 1; i >= 0; i--) {
        if (!same_name(lambda->names[i], name->parts[0]))
            continue;
        struct field field = {lambda->names[i], lambda->types[i], true};
        *out = expr_column(&self->expr, i, &field, name->at);
        for (int32_t p = 1; p < name->part_count; p++)
            TRY(placed(self, expr_field(&self->expr, *out, name->parts[p], name->at, out, self->err), name->at));
        return E_OK;
    }
    const struct expr *outside;
    TRY(analyse_expr(self, lambda->around, name, &outside));
    int32_t at = 0;
    while (at < lambda->captured->count && !expr_equal(lambda->captured->items[at], outside))
        at++;
    if (at == lambda->captured->count)
        list_add(self->arena, lambda->captured, outside);
    struct field field = {name->parts[name->part_count - 1], outside->type, outside->nullable};
    *out = expr_column(&self->expr, lambda->first_captured + at, &field, name->at);
    return E_OK;
}

/* 42 in place of a lambda is x -> 42. */
static enum code analyse_body(struct analyser *self, const struct scope *scope, const struct ast *ast,
                              struct lambda_scope *lambda, struct lambda *out)
{
    bool written = ast->kind == AST_LAMBDA;
    if (written && ast->part_count > lambda->count)
        return sql_error(
            self, ast->at, NULL,
            "[INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH] Invalid lambda function call. A higher order "
            "function expects %d arguments, but got %d.",
            lambda->count, ast->part_count);
    for (int32_t i = 0; written && i < ast->part_count; i++)
        for (int32_t j = 0; j < i; j++)
            if (same_name(ast->parts[i], ast->parts[j]))
                return sql_error(self, ast->at, NULL,
                                 "[INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES] Invalid lambda function call. The "
                                 "lambda function has duplicate arguments `%s`.",
                                 ast->parts[i]);
    lambda->names = written ? ast->parts : NULL;
    lambda->count = written ? ast->part_count : 0;
    lambda->first_captured = lambda->count;
    struct scope inside = {.rows = scope->rows, .clause = "a lambda", .lambda = lambda};
    TRY(deeper(self, ast->at));
    TRY(analyse_expr(self, &inside, written ? ast->args[0] : ast, &out->body));
    self->depth--;
    out->variable_count = lambda->count;
    return E_OK;
}

/* aggregate's second lambda has fewer variables than the first: its captured columns stand elsewhere. */
enum code analyse_lambda_call(struct analyser *self, const struct scope *scope, const struct ast *ast,
                              const struct expr **out)
{
    const char *name = same_name(ast->text, "array_sort") ? "array_sort_by" : ast->text;
    int32_t bodies_max = 0, values = lambda_values(name, &bodies_max), body_count = ast->arg_count - values;
    struct lambda bodies[2] = {0};
    struct list captured = {0};
    const struct expr **args = arena_array(self->arena, const struct expr *, (size_t)values + 1);
    if (body_count < 1 || body_count > bodies_max)
        return sql_error(
            self, ast->at, NULL,
            "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `%s` requires %d parameters but the actual number is %d.",
            ast->text, values + 1, ast->arg_count);
    for (int32_t i = 0; i < values; i++)
        TRY(analyse_expr(self, scope, ast->args[i], &args[i]));
    for (int32_t i = 0; i < body_count; i++) {
        struct lambda_scope lambda = {.around = scope, .captured = &captured};
        TRY(placed(self, lambda_variables(&self->expr, name, args, i, lambda.types, &lambda.count, self->err),
                   ast->at));
        TRY(analyse_body(self, scope, ast->args[values + i], &lambda, &bodies[i]));
    }
    const struct expr **all = arena_array(self->arena, const struct expr *, (size_t)(values + captured.count) + 1);
    for (int32_t i = 0; i < values + captured.count; i++)
        all[i] = i < values ? args[i] : captured.items[i - values];
    return placed(
        self, expr_lambda(&self->expr, name, all, values + captured.count, bodies, body_count, ast->at, out, self->err),
        ast->at);
}

bool is_lambda_call(const struct ast *ast)
{
    int32_t bodies;
    if (ast->kind != AST_CALL || ast->flag)
        return false;
    if (same_name(ast->text, "array_sort"))
        return ast->arg_count == 2;
    return !same_name(ast->text, "array_sort_by") && lambda_values(ast->text, &bodies) > 0;
}
