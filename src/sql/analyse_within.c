/* analyse_within.c - WITHIN GROUP (ORDER BY ..): which functions take it, and the order as arguments that their aggregates
 * take.
 *
 * percentile_cont, percentile_disc   (value, fraction, descending)
 * mode                               (value, true, descending)
 * listagg                            (value, separator, the keys as a STRUCT, a text of two letters a key: 'a' or 'd', then
 *                                     NULLs 'f'irst or 'l'ast)
 */
#include "sql/select.h"

static const struct within_rule {
    const char *name;
    int32_t least, most; /* arguments */
    bool needed, several;
} rules[] = {
    {"percentile_cont", 1, 1, true, false}, {"percentile_disc", 1, 1, true, false}, {"mode", 0, 2, false, false},
    {"listagg", 1, 2, false, true},         {"string_agg", 1, 2, false, true},
};

static const struct within_rule *rule_of(const char *name)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (same_name(rules[i].name, name))
            return &rules[i];
    return NULL;
}

enum code within_refused(struct analyser *self, const struct ast *ast, const char *syntax)
{
    return sql_error(
        self, ast->at, NULL,
        "[INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX] Invalid SQL syntax: The function `%s` does not "
        "support %s.",
        ast->text, syntax);
}

static enum code within_wrong(struct analyser *self, const struct ast *ast, const char *condition, const char *why)
{
    return sql_error(self, ast->at, NULL,
                     "[INVALID_WITHIN_GROUP_EXPRESSION.%s] Invalid function `%s` with WITHIN GROUP. %s", condition,
                     ast->text, why);
}

static enum code check(struct analyser *self, const struct ast *ast, const struct within_rule *rule)
{
    int32_t orders = ast->call != NULL ? ast->call->within_count : 0;
    bool mode = same_name(ast->text, "mode"), missing = rule->needed || (mode && ast->arg_count == 0);
    if (ast->call != NULL && ast->call->distinct && !rule->several)
        return within_wrong(self, ast, "DISTINCT_UNSUPPORTED", "Cannot use DISTINCT with WITHIN GROUP.");
    if (mode && orders > 0 && ast->arg_count > 0)
        return within_wrong(self, ast, "WRONG_NUM_ORDERINGS", "It takes its value from ORDER BY alone.");
    if (ast->arg_count < rule->least || ast->arg_count > rule->most)
        return sql_error(
            self, ast->at, NULL,
            "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `%s` requires %d parameters but the actual number is %d.",
            ast->text, rule->least, ast->arg_count);
    if (missing && orders == 0)
        return within_wrong(self, ast, "WITHIN_GROUP_MISSING", "WITHIN GROUP is required for it.");
    if (orders > 1 && !rule->several)
        return within_wrong(self, ast, "WRONG_NUM_ORDERINGS", "It requires one ordering in WITHIN GROUP.");
    return E_OK;
}

/* Equal keys are equal texts: then DISTINCT values can be ordered by what they were cast from. */
static bool cast_keeps_apart(const struct type *type)
{
    return type_is_integer(type) || type->id == TYPE_DECIMAL || type->id == TYPE_DATE || type->id == TYPE_BOOLEAN ||
           type->id == TYPE_STRING || type->id == TYPE_BINARY || type->id == TYPE_TIMESTAMP_NTZ ||
           type_is_interval(type);
}

static enum code check_distinct(struct analyser *self, const struct ast *ast, const struct expr *value,
                                const struct expr *key, int32_t keys)
{
    bool cast = value->kind == EXPR_CAST && expr_equal(value->args[0], key);
    if (keys != 1 || (!expr_equal(value, key) && !cast))
        return within_wrong(self, ast, "MISMATCH_WITH_DISTINCT_INPUT",
                            "The function is invoked with DISTINCT and WITHIN GROUP but expressions do not match.");
    bool itself = key->type->id == TYPE_STRING || key->type->id == TYPE_BINARY;
    if ((cast || !itself) && !cast_keeps_apart(key->type))
        return within_wrong(self, ast, "MISMATCH_WITH_DISTINCT_INPUT_UNSAFE_CAST",
                            "With DISTINCT the value cannot be ordered by what it was cast from.");
    return E_OK;
}

/* Several keys, and how each is ordered. */
static enum code list_args(struct analyser *self, const struct scope *scope, const struct ast *ast,
                           const struct expr **args, int32_t count)
{
    const struct ast_call *call = ast->call;
    const struct expr **keys = arena_array(self->arena, const struct expr *, (size_t)call->within_count);
    char *directions = arena_array(self->arena, char, 2 * (size_t)call->within_count + 1);
    for (int32_t i = 0; i < call->within_count; i++) {
        TRY(analyse_expr(self, scope, call->within[i].expr, &keys[i]));
        directions[2 * i] = call->within[i].descending ? 'd' : 'a';
        directions[2 * i + 1] = call->within[i].nulls_last ? 'l' : 'f';
    }
    if (call->distinct)
        TRY(check_distinct(self, ast, args[0], keys[0], call->within_count));
    if (count == 1)
        args[1] = expr_null(&self->expr, type_of(TYPE_NULL), ast->at);
    TRY(placed(self, expr_call(&self->expr, "struct", keys, call->within_count, ast->at, &args[2], self->err),
               ast->at));
    args[3] = expr_string(&self->expr, bytes_of_string(directions), ast->at);
    return E_OK;
}

enum code within_args(struct analyser *self, const struct scope *scope, const struct ast *ast,
                      const struct expr ***args, int32_t *count)
{
    const struct within_rule *rule = rule_of(ast->text);
    int32_t orders = ast->call != NULL ? ast->call->within_count : 0;
    if (rule == NULL)
        return orders == 0 ? E_OK : within_refused(self, ast, "WITHIN GROUP (ORDER BY ...)");
    TRY(check(self, ast, rule));
    if (orders == 0)
        return E_OK;
    const struct expr **more = arena_array(self->arena, const struct expr *, (size_t)*count + 4);
    for (int32_t i = 0; i < *count; i++)
        more[i] = (*args)[i];
    if (rule->several) {
        TRY(list_args(self, scope, ast, more, *count));
        *count = 4;
    } else {
        more[1] = rule->needed ? (*args)[0] : expr_boolean(&self->expr, true, ast->at);
        TRY(analyse_expr(self, scope, ast->call->within[0].expr, &more[0]));
        more[2] = expr_boolean(&self->expr, ast->call->within[0].descending, ast->at);
        *count = 3;
    }
    *args = more;
    return E_OK;
}
