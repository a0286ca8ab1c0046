/* analyse_expr.c - syntax to typed expressions. What is typed, cast and looked up is decided by
 * expr/. */
#include <ctype.h>

#include "sql/sql_session.h"

/* ---- names ---- */

bool is_bare_function(const char *name)
{
    static const char *const names[] = {"current_date",
                                        "current_timestamp",
                                        "current_time",
                                        "localtimestamp",
                                        "current_user",
                                        "user",
                                        "session_user",
                                        "current_catalog",
                                        "current_database",
                                        "current_schema",
                                        NULL};
    for (int i = 0; names[i] != NULL; i++)
        if (same_name(names[i], name))
            return true;
    return false;
}

static enum code fields_of(struct analyser *self, const struct ast *name, const struct expr *expr,
                           const struct expr **out)
{
    for (int32_t i = 1; i < name->part_count; i++)
        TRY(placed(self, expr_field(&self->expr, expr, name->parts[i], name->at, &expr, self->err), name->at));
    *out = expr;
    return E_OK;
}

static enum code analyse_variable(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                  const struct expr **out)
{
    int32_t used;
    const struct variable *variable = variable_find(self, ast, &used);
    if (variable == NULL)
        return scope_unresolved(self, scope, ast);
    const struct expr *value = expr_value(&self->expr, variable->value->literal, 0, ast->at);
    for (; used < ast->part_count; used++)
        TRY(placed(self, expr_field(&self->expr, value, ast->parts[used], ast->at, &value, self->err), ast->at));
    *out = value;
    return E_OK;
}

static enum code analyse_name(struct analyser *self, const struct scope *scope, const struct ast *ast,
                              const struct expr **out)
{
    bool found;
    const struct expr *other = NULL;
    if (scope->lambda != NULL)
        return lambda_name(self, scope, ast, out);
    if (scope->keys_first && select_has_key(self, scope, ast))
        return scope_find(self, scope, ast, out, &found);
    if (scope->aliases_first)
        TRY(select_alias(self, scope, ast->parts[0], &other));
    if (other != NULL)
        return fields_of(self, ast, other, out);
    TRY(scope_find(self, scope, ast, out, &found));
    if (found)
        return E_OK;
    if (scope->frame == NULL && (scope->select != NULL || scope->aliases != NULL))
        TRY(select_alias(self, scope, ast->parts[0], &other));
    if (other != NULL)
        return fields_of(self, ast, other, out);
    if (ast->part_count == 1 && is_bare_function(ast->parts[0]))
        return placed(self, expr_call(&self->expr, ast->parts[0], NULL, 0, ast->at, out, self->err), ast->at);
    return analyse_variable(self, scope, ast, out);
}

/* ---- shapes ---- */

enum code analyse_args(struct analyser *self, const struct scope *scope, const struct ast *ast,
                       const struct expr ***out)
{
    const struct expr **args = arena_array(self->arena, const struct expr *, (size_t)ast->arg_count + 1);
    for (int32_t i = 0; i < ast->arg_count; i++)
        TRY(analyse_expr(self, scope, ast->args[i], &args[i]));
    *out = args;
    return E_OK;
}

static enum code analyse_case(struct analyser *self, const struct scope *scope, const struct ast *ast,
                              const struct expr **out)
{
    const struct expr **args;
    TRY(analyse_args(self, scope, ast, &args));
    return placed(self, expr_case(&self->expr, args, ast->arg_count, ast->at, out, self->err), ast->at);
}

static enum code analyse_cast(struct analyser *self, const struct scope *scope, const struct ast *ast,
                              const struct expr **out)
{
    const struct expr *of;
    bool plain = self->expr.session->ntz && ast->type_text != NULL && same_name(ast->type_text, "timestamp");
    const struct type *to = plain ? type_of(TYPE_TIMESTAMP_NTZ) : ast->type;
    TRY(analyse_expr(self, scope, ast->args[0], &of));
    return placed(self, expr_cast(&self->expr, of, to, ast->flag, ast->at, out, self->err), ast->at);
}

static enum code analyse_field(struct analyser *self, const struct scope *scope, const struct ast *ast,
                               const struct expr **out)
{
    const struct expr *of;
    TRY(analyse_expr(self, scope, ast->args[0], &of));
    return placed(self, expr_field(&self->expr, of, ast->text, ast->at, out, self->err), ast->at);
}

/* (a, b AS x) and struct(..) are named_struct('a', a, 'x', b). A name is kept; anything else is
 * col1, col2, .. */
static enum code analyse_row(struct analyser *self, const struct scope *scope, const struct ast *ast,
                             const struct expr **out)
{
    const struct expr **args = arena_array(self->arena, const struct expr *, 2 * (size_t)ast->arg_count + 1);
    for (int32_t i = 0; i < ast->arg_count; i++) {
        const struct ast *arg = ast->args[i];
        const char *name = arg->kind == AST_NAMED || arg->kind == AST_FIELD ? arg->text
                           : arg->kind == AST_NAME                          ? arg->parts[arg->part_count - 1]
                                                                            : arena_printf(self->arena, "col%d", i + 1);
        args[2 * i] = expr_string(&self->expr, bytes_of_string(name), arg->at);
        TRY(analyse_expr(self, scope, arg->kind == AST_NAMED ? arg->args[0] : arg, &args[2 * i + 1]));
    }
    return placed(self, expr_call(&self->expr, "named_struct", args, 2 * ast->arg_count, ast->at, out, self->err),
                  ast->at);
}

/* v:a.b[0] is variant_get(v, '$.a.b[0]'). */
static enum code analyse_path(struct analyser *self, const struct scope *scope, const struct ast *ast,
                              const struct expr **out)
{
    const struct expr *args[2];
    const char *dot = ast->text[0] == '[' ? "" : ".";
    TRY(analyse_expr(self, scope, ast->args[0], &args[0]));
    args[1] = expr_string(&self->expr, bytes_of_string(arena_printf(self->arena, "$%s%s", dot, ast->text)), ast->at);
    return placed(self, expr_call(&self->expr, "variant_get", args, 2, ast->at, out, self->err), ast->at);
}

enum code analyse_expr(struct analyser *self, const struct scope *scope, const struct ast *ast, const struct expr **out)
{
    if (star_among(ast))
        TRY(star_arguments(self, scope, ast, &ast));
    switch (ast->kind) {
    case AST_NULL:
    case AST_BOOLEAN:
    case AST_NUMBER:
    case AST_STRING:
    case AST_TYPED:
    case AST_INTERVAL: return analyse_literal(self, ast, out);
    case AST_NAME: return analyse_name(self, scope, ast, out);
    case AST_FIELD: return analyse_field(self, scope, ast, out);
    case AST_CASE: return analyse_case(self, scope, ast, out);
    case AST_CAST: return analyse_cast(self, scope, ast, out);
    case AST_ROW: return analyse_row(self, scope, ast, out);
    case AST_CALL:
        if (same_name(ast->text, "struct"))
            return analyse_row(self, scope, ast, out);
        return analyse_call(self, scope, ast, out);
    case AST_SUBQUERY:
    case AST_EXISTS:
    case AST_IN: return analyse_subquery(self, scope, ast, out);
    case AST_STAR:
        return sql_error(self, ast->at, NULL, "[INVALID_USAGE_OF_STAR_OR_REGEX] Invalid usage of '*' in %s.",
                         scope->clause);
    case AST_PARAMETER: return analyse_parameter(self, ast, out);
    case AST_LAMBDA:
        return sql_error(
            self, ast->at, NULL,
            "[INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION] A lambda function should only be used in "
            "a higher order function.");
    case AST_NAMED:
        return sql_error(self, ast->at, "put the arguments in order",
                         "[NAMED_PARAMETERS_NOT_SUPPORTED] Named parameters are not supported for this function: %s.",
                         ast->text);
    case AST_PATH: return analyse_path(self, scope, ast, out);
    }
    return not_yet(self, ast->at, "an expression of this kind");
}

enum code analyse_boolean(struct analyser *self, const struct scope *scope, const struct ast *ast,
                          const struct expr **out)
{
    TRY(analyse_expr(self, scope, ast, out));
    if (expr_height(*out) > 2 * SQL_HEIGHT_MAX)
        return sql_error(self, ast->at, "put a part of it into a view", "the condition has more than %d levels",
                         2 * SQL_HEIGHT_MAX);
    enum type_id id = (*out)->type->id;
    if (id == TYPE_NULL)
        *out = expr_null(&self->expr, type_of(TYPE_BOOLEAN), ast->at);
    if (id == TYPE_BOOLEAN || id == TYPE_NULL)
        return E_OK;
    return sql_error(self, ast->at, NULL,
                     "[DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN] Cannot resolve \"%s\" due to data type mismatch: "
                     "Filter expression \"%s\" of type \"%s\" is not a boolean.",
                     ast_name_of(self, ast), ast_name_of(self, ast), type_text(self->arena, (*out)->type));
}
