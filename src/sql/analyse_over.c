/* analyse_over.c - window functions: aggregates and ranks with OVER. Typed, not run yet. */
#include "sql/select.h"

static const struct ast_window *window_named(const struct select *select, const char *name)
{
    for (int32_t i = 0; i < select->ast->window_count; i++)
        if (same_name(select->ast->windows[i].name, name))
            return &select->ast->windows[i];
    return NULL;
}

static enum code analyse_window_spec(struct analyser *self, const struct scope *scope,
                                     const struct ast_window *window)
{
    const struct expr *ignored;
    for (int32_t i = 0; i < window->partition_count; i++)
        TRY(analyse_expr(self, scope, window->partition[i], &ignored));
    for (int32_t i = 0; i < window->order_count; i++)
        TRY(analyse_expr(self, scope, window->order[i].expr, &ignored));
    return E_OK;
}

/* Type of row_number() and the like; aggregates have their own. */
static enum code over_type(struct analyser *self, const struct scope *scope, const struct ast *ast,
                           const struct type **out)
{
    static const struct {
        const char *name;
        enum type_id type;
    } ranks[] = {{"row_number", TYPE_INT32},    {"rank", TYPE_INT32},
                 {"dense_rank", TYPE_INT32},    {"ntile", TYPE_INT32},
                 {"percent_rank", TYPE_DOUBLE}, {"cume_dist", TYPE_DOUBLE}};
    static const char *const of_first[] = {"lag", "lead", "first_value", "last_value", "nth_value"};
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++)
        if (same_name(ranks[i].name, ast->text)) {
            *out = type_of(ranks[i].type);
            return E_OK;
        }
    const struct expr **args, *filter = NULL;
    struct scope inside = *scope;
    inside.clause = "a window function";
    TRY(analyse_args(self, &inside, ast, &args));
    for (size_t i = 0; i < sizeof of_first / sizeof of_first[0]; i++)
        if (same_name(of_first[i], ast->text) && ast->arg_count > 0) {
            *out = args[0]->type;
            return E_OK;
        }
    if (function_kind(ast->text) != FUNCTION_AGGREGATE)
        return sql_error(
            self, ast->at, NULL,
            "[UNSUPPORTED_EXPR_FOR_WINDOW] Expression \"%s\" not supported within a window "
            "function.",
            ast_name_of(self, ast));
    if (ast->call->filter != NULL)
        TRY(analyse_boolean(self, &inside, ast->call->filter, &filter));
    const struct aggregate_call *call;
    TRY(placed(self,
               aggregate_bind(&self->expr, ast->text, args, ast->arg_count, ast->call->distinct,
                              filter, ast->at, &call, self->err),
               ast->at));
    *out = call->type;
    return E_OK;
}

/* count(*) OVER (..) has no expression for its star. */
static const struct ast *without_star(struct analyser *self, const struct ast *ast)
{
    if (ast->arg_count != 1 || ast->args[0]->kind != AST_STAR)
        return ast;
    struct ast *copy = arena_new(self->arena, struct ast),
               *one = arena_new(self->arena, struct ast);
    *copy = *ast;
    *one = (struct ast){.kind = AST_NUMBER, .at = ast->at, .height = 1, .text = "1"};
    copy->args = arena_new(self->arena, struct ast *);
    copy->args[0] = one;
    return copy;
}

enum code select_over(struct analyser *self, const struct scope *scope, const struct ast *ast,
                      const struct expr **out)
{
    struct select *select = scope->select;
    if (select == NULL || scope->inside_aggregate || select->grouping)
        return sql_error(self, ast->at, NULL,
                         "[UNSUPPORTED_EXPR_FOR_OPERATOR] a window function cannot stand in %s",
                         scope->clause);
    const struct ast_window *window = ast->call->over;
    if (window->name != NULL) {
        const struct ast_window *named = window_named(select, window->name);
        if (named == NULL)
            return sql_error(
                self, window->at, NULL,
                "[MISSING_WINDOW_SPECIFICATION] Window specification is not defined in the "
                "WINDOW clause for `%s`.",
                window->name);
        TRY(analyse_window_spec(self, scope, named));
    }
    TRY(analyse_window_spec(self, scope, window));
    const struct type *type;
    TRY(over_type(self, scope, without_star(self, ast), &type));
    int32_t index = select->overs.count;
    const char *name = ast_name_of(self, ast);
    list_add(self->arena, &select->overs, expr_null(&self->expr, type, ast->at));
    list_add(self->arena, &select->over_names, name);
    struct field field = {name, type, true};
    *out = expr_column(&self->expr, MARK_OVER + index, &field, ast->at);
    return E_OK;
}
