/* analyse_group.c - GROUP BY, aggregate calls, and moving expressions over the groups. */
#include <stdlib.h>

#include "sql/select.h"

/* ---- aggregate calls ---- */

static bool same_call(const struct aggregate_call *a, const struct aggregate_call *b)
{
    if (a->function != b->function || a->variant != b->variant || a->distinct != b->distinct ||
        a->arg_count != b->arg_count || !type_equal(a->type, b->type) || (a->filter == NULL) != (b->filter == NULL))
        return false;
    for (int32_t i = 0; i < a->arg_count; i++)
        if (!expr_equal(a->args[i], b->args[i]))
            return false;
    return a->filter == NULL || expr_equal(a->filter, b->filter);
}

static const struct expr *call_column(struct analyser *self, struct select *select, const struct aggregate_call *call,
                                      const char *name, struct position at)
{
    int32_t index = 0;
    while (index < select->calls.count && !same_call(select->calls.items[index], call))
        index++;
    if (index == select->calls.count) {
        list_add(self->arena, &select->calls, call);
        list_add(self->arena, &select->call_names, name);
    }
    struct field field = {select->call_names.items[index], call->type, true};
    return expr_column(&self->expr, MARK_CALL + index, &field, at);
}

#define GROUP_PLACE "a position of GROUP BY"

static enum code misplaced_aggregate(struct analyser *self, const struct scope *scope, const struct ast *ast)
{
    const char *shown = ast_name_of(self, ast);
    if (scope->inside_aggregate)
        return sql_error(self, ast->at, NULL,
                         "[NESTED_AGGREGATE_FUNCTION] It is not allowed to use an aggregate function in the "
                         "argument of another aggregate function. Please use the inner aggregate function in "
                         "a sub-query.");
    if (strcmp(scope->clause, "WHERE") == 0)
        return sql_error(self, ast->at, "conditions on groups go behind HAVING",
                         "[INVALID_WHERE_CONDITION] The WHERE condition contains invalid expressions: %s. "
                         "Rewrite the query to avoid window functions, aggregate functions, and generator "
                         "functions in the WHERE clause.",
                         shown);
    return sql_error(self, ast->at, NULL, "[%s] Aggregate functions are not allowed in %s, but found %s.",
                     strcmp(scope->clause, "GROUP BY") == 0    ? "GROUP_BY_AGGREGATE"
                     : strcmp(scope->clause, GROUP_PLACE) == 0 ? "GROUP_BY_POS_AGGREGATE"
                     : strcmp(scope->clause, "VALUES") == 0
                         ? "INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE"
                         : "UNSUPPORTED_EXPR_FOR_OPERATOR",
                     scope->clause, shown);
}

/* count(*) and count(1): the rows, whatever is in them. */
static bool counts_rows(const struct ast *ast)
{
    return ast->arg_count == 1 && same_name(ast->text, "count") &&
           (ast->args[0]->kind == AST_STAR || ast->args[0]->kind == AST_NUMBER || ast->args[0]->kind == AST_STRING);
}

/* ---- aggregates of the query around: HAVING EXISTS (SELECT .. WHERE b < min(a)) ---- */

/* Whether all names are of the query around, and there are some. */
static bool reads_around(struct analyser *self, const struct scope *scope, const struct ast *ast, int32_t *names)
{
    struct error err = {0};
    struct analyser quiet = *self;
    struct scope here = *scope;
    const struct expr *found;
    bool is_here = false, is_around = false;
    quiet.err = &err;
    here.outer = NULL;
    for (int32_t i = 0; i < ast->arg_count; i++)
        if (!reads_around(self, scope, ast->args[i], names))
            return false;
    if (ast->kind != AST_NAME)
        return ast->kind != AST_SUBQUERY && ast->kind != AST_EXISTS && ast->kind != AST_IN;
    if (scope_find(&quiet, &here, ast, &found, &is_here) != E_OK || is_here)
        return false;
    if (scope_find(&quiet, scope->outer, ast, &found, &is_around) != E_OK)
        return false;
    *names += is_around;
    return is_around;
}

static bool belongs_around(struct analyser *self, const struct scope *scope, const struct ast *ast)
{
    const struct scope *outer = scope->outer;
    int32_t names = 0;
    return self->batch && outer != NULL && outer->select != NULL && !outer->select->grouping &&
           !outer->inside_aggregate && strcmp(outer->clause, "the SELECT list") != 0 &&
           reads_around(self, scope, ast, &names) && names > 0;
}

static enum code aggregate_around(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                  const struct expr **out)
{
    const struct expr *call;
    TRY(analyse_expr(self, scope->outer, ast, &call));
    struct field field = {call->bound, call->type, true};
    *out = expr_column(&self->expr, MARK_OUTER + OUTER_CALL + call->index - MARK_CALL, &field, ast->at);
    self->outer_reads++;
    return E_OK;
}

enum code select_aggregate(struct analyser *self, const struct scope *scope, const struct ast *ast,
                           const struct expr **out)
{
    struct select *select = scope->select;
    if (select == NULL && belongs_around(self, scope, ast))
        return aggregate_around(self, scope, ast, out);
    if (select == NULL || select->grouping || scope->inside_aggregate)
        return misplaced_aggregate(self, scope, ast);
    struct scope inside = *scope;
    inside.inside_aggregate = true;
    inside.aliases_first = false;
    bool distinct_call = ast->call != NULL && ast->call->distinct;
    const struct expr **args, *filter = NULL;
    int32_t count = ast->arg_count;
    if (ast->arg_count == 0 && same_name(ast->text, "count"))
        return sql_error(self, ast->at, "count(*) counts rows",
                         "[WRONG_NUM_ARGS.WITH_SUGGESTION] The `count` requires at least one argument.");
    if (counts_rows(ast) && !distinct_call) {
        args = NULL;
        count = 0;
    } else {
        TRY(analyse_args(self, &inside, ast, &args));
    }
    if (ast->call != NULL && ast->call->filter != NULL)
        TRY(analyse_boolean(self, &inside, ast->call->filter, &filter));
    TRY(within_args(self, &inside, ast, &args, &count));
    if (ast->call != NULL && ast->call->ignore_nulls) {
        const struct expr **more = arena_array(self->arena, const struct expr *, (size_t)count + 1);
        for (int32_t i = 0; i < count; i++)
            more[i] = args[i];
        more[count++] = expr_boolean(&self->expr, true, ast->at); // first(x, true): ignoring NULLs
        args = more;
    }
    const struct aggregate_call *call;
    TRY(placed(self,
               aggregate_bind(&self->expr, ast->text, args, count, distinct_call, filter, ast->at, &call, self->err),
               ast->at));
    *out = call_column(self, select, call, ast_name_of(self, ast), ast->at);
    return E_OK;
}

/* ---- the list of keys ---- */

bool select_has_key(struct analyser *self, const struct scope *scope, const struct ast *name)
{
    const struct select *select = scope->select;
    struct error err = {0};
    struct analyser quiet = *self;
    struct scope here = *scope;
    const struct expr *expr;
    bool found = false;
    quiet.err = &err;
    here.outer = NULL;
    if (select == NULL || scope_find(&quiet, &here, name, &expr, &found) != E_OK || !found)
        return false;
    for (;; expr = expr->args[0]) {
        for (int32_t i = 0; i < select->keys.count; i++)
            if (expr_equal(select->keys.items[i], expr))
                return true;
        if (expr->kind != EXPR_FIELD)
            return false;
    }
}

static bool has_mark(const struct expr *expr, int32_t mark)
{
    if (expr->kind == EXPR_COLUMN)
        return expr->index >= mark && expr->index < mark + COLUMN_MARK;
    for (int32_t i = 0; i < expr->arg_count; i++)
        if (has_mark(expr->args[i], mark))
            return true;
    return false;
}

enum { SWAPPED_WEIGHT_MAX = 64 }; /* larger expressions are compared as they stand */

static bool is_commutative(const struct expr *expr)
{
    return expr->arg_count == 2 && (expr_is_call(expr, "+") || expr_is_call(expr, "*") || expr_is_call(expr, "=") ||
                                    expr_is_call(expr, "and") || expr_is_call(expr, "or"));
}

static bool equal_swapped(const struct expr *a, const struct expr *b)
{
    if (expr_equal(a, b))
        return true;
    if (a->kind != b->kind || a->arg_count != b->arg_count || a->arg_count == 0 || a->function != b->function ||
        a->index != b->index || a->try_cast != b->try_cast || !type_equal(a->type, b->type))
        return false;
    if (is_commutative(a) && equal_swapped(a->args[0], b->args[1]) && equal_swapped(a->args[1], b->args[0]))
        return true;
    for (int32_t i = 0; i < a->arg_count; i++)
        if (!equal_swapped(a->args[i], b->args[i]))
            return false;
    return a->bound == NULL && b->bound == NULL;
}

/* Equal, but for the order of what may be swapped: 1 + a is the key a + 1. */
static bool same_meaning(const struct expr *a, const struct expr *b)
{
    if (expr_equal(a, b))
        return true;
    return a->kind == b->kind && a->arg_count > 0 && expr_weight(a, SWAPPED_WEIGHT_MAX) <= SWAPPED_WEIGHT_MAX &&
           equal_swapped(a, b);
}

static void note_in_set(struct group_set *set, int32_t key)
{
    for (int32_t i = 0; set != NULL && i < set->count; i++)
        if (set->keys[i] == key)
            return;
    if (set != NULL && set->count < SQL_GROUPING_KEYS_MAX)
        set->keys[set->count++] = key;
}

static void add_key(struct analyser *self, struct select *select, const struct expr *key, struct group_set *set)
{
    int32_t at = 0;
    while (at < select->keys.count && !same_meaning(select->keys.items[at], key))
        at++;
    note_in_set(set, at);
    if (at < select->keys.count)
        return;
    if (key->kind == EXPR_COLUMN && key->index == MARK_WINDOW)
        select->window.key = select->keys.count;
    list_add(self->arena, &select->keys, key);
}

/* Places of the list are counted as it is written. */
static enum code stars_refuse(struct analyser *self, const struct select *select, const struct ast *place)
{
    for (int32_t i = 0; i < select->ast->item_count; i++)
        if (select->ast->items[i].expr->kind == AST_STAR)
            return sql_error(self, place->at, NULL,
                             "[STAR_GROUP_BY_POS] Star (*) is not allowed in a select list when GROUP BY an ordinal "
                             "position is used.");
    return E_OK;
}

enum code select_key(struct analyser *self, struct select *select, const struct ast *ast, struct group_set *set)
{
    struct scope scope;
    select_scope(select, "GROUP BY", &scope);
    if (ast->kind == AST_ROW && !ast->flag) {
        for (int32_t i = 0; i < ast->arg_count; i++)
            TRY(select_key(self, select, ast->args[i], set));
        return E_OK;
    }
    if (is_ordinal(ast) && select->ast->aggregate) { // |> AGGREGATE: the list begins with the keys
        for (int32_t i = 0; i < select->ast->group_count; i++)
            if (select->ast->groups[i].exprs[0] == ast)
                add_key(self, select, select->targets[i].expr, set);
        return E_OK;
    }
    if (is_ordinal(ast) && self->dialect.group_by_values)
        return E_OK; // one value for all rows
    if (is_ordinal(ast)) {
        TRY(stars_refuse(self, select, ast));
        long at = strtol(ast->text, NULL, 10);
        if (at < 1 || at > select->target_count)
            return sql_error(self, ast->at, NULL,
                             "[GROUP_BY_POS_OUT_OF_RANGE] GROUP BY position %s is not in select list (valid "
                             "range is [1, %d]).",
                             ast->text, select->target_count);
        struct target *target = &select->targets[at - 1];
        if (target->expr != NULL) {
            add_key(self, select, target->expr, set);
            return E_OK;
        }
        ast = target->ast; // a number there is a number, not another place
        scope.clause = GROUP_PLACE;
    }
    const struct expr *key;
    TRY(analyse_expr(self, &scope, ast, &key));
    if (!type_is_groupable(key->type))
        return sql_error(self, ast->at, NULL,
                         "[GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE] The expression \"%s\" cannot be used as a "
                         "grouping expression because its data type \"%s\" is not an orderable data type.",
                         ast_name_of(self, ast), type_text(self->arena, key->type));
    add_key(self, select, key, set);
    return E_OK;
}

/* What a generator reads of the rows is a key, not what it makes. */
static void add_generator_keys(struct analyser *self, struct select *select, const struct grouped_generator *grouped)
{
    for (int32_t i = 0; i < grouped->generator.spec.arg_count; i++) {
        const struct expr *arg = grouped->generator.spec.args[i];
        if (!has_mark(arg, MARK_CALL) && !expr_is_constant(arg))
            add_key(self, select, arg, NULL);
    }
}

/* A column outside of aggregates that no key has. */
static bool is_between(const struct select *select, const struct expr *expr)
{
    for (int32_t i = 0; i < select->keys.count; i++)
        if (expr_equal(select->keys.items[i], expr))
            return false;
    if (expr->kind == EXPR_COLUMN)
        return expr->index < COLUMN_MARK;
    for (int32_t i = 0; i < expr->arg_count; i++)
        if (is_between(select, expr->args[i]))
            return true;
    return false;
}

/* GROUP BY ALL: every column of the list without an aggregate. */
static enum code group_by_all(struct analyser *self, struct select *select)
{
    struct scope scope;
    for (int32_t i = 0; i < select->target_count; i++) {
        struct target *target = &select->targets[i];
        // the window must be known before the column that names it is typed
        select->grouping = target->ast != NULL && is_time_window(target->ast);
        select_scope(select, "the SELECT list", &scope);
        if (target->expr == NULL)
            TRY(analyse_expr(self, &scope, target->ast, &target->expr));
        if (generator_of(select, target->expr) != NULL)
            add_generator_keys(self, select, generator_of(select, target->expr));
        else if (!has_mark(target->expr, MARK_CALL) && !has_mark(target->expr, MARK_WINDOW + 1))
            add_key(self, select, target->expr, NULL);
    }
    select->grouping = false;
    for (int32_t i = 0; i < select->target_count; i++)
        if (has_mark(select->targets[i].expr, MARK_CALL) && is_between(select, select->targets[i].expr))
            return sql_error(self, select->targets[i].expr->at, NULL,
                             "[UNRESOLVED_ALL_IN_GROUP_BY] Cannot infer grouping columns for GROUP BY ALL based on the "
                             "select clause. Please explicitly specify the grouping columns.");
    return E_OK;
}

static bool uses_sets(const struct ast_select *ast)
{
    for (int32_t g = 0; g < ast->group_count; g++)
        if (ast->groups[g].kind != GROUP_EXPRESSION)
            return true;
    return false;
}

enum code select_keys(struct analyser *self, struct select *select)
{
    const struct ast_select *ast = select->ast;
    static const char *const names[] = {NULL, "GROUP BY ROLLUP", "GROUP BY CUBE", "GROUP BY GROUPING SETS",
                                        "GROUP BY GROUPING SETS"};
    if (ast->group_all)
        return group_by_all(self, select);
    select->grouping = true;
    if (self->batch && uses_sets(ast)) {
        TRY(select_sets(self, select));
        select->grouping = false;
        return E_OK;
    }
    for (int32_t g = 0; g < ast->group_count; g++) {
        const struct ast_group *group = &ast->groups[g];
        if (names[group->kind] != NULL)
            select->grouping_sets = names[group->kind];
        for (int32_t i = 0; i < group->expr_count; i++)
            TRY(select_key(self, select, group->exprs[i], NULL));
    }
    select->grouping = false;
    return E_OK;
}

/* ---- names of columns ---- */

static char *key_name(struct analyser *self, const struct select *select, const struct expr *key)
{
    if (key->kind == EXPR_COLUMN && key->index == MARK_WINDOW)
        return arena_strdup(self->arena, select->window_name);
    if (key->kind == EXPR_FIELD) {
        const struct type *of = key->args[0]->type; // or a list of structs
        const struct type *record = of->id == TYPE_ARRAY ? of->fields[0].type : of;
        return arena_strdup(self->arena, record->fields[key->index].name);
    }
    struct text out = {0};
    expr_print(key, select->rows->plan->schema, &out);
    char *name = arena_strdup(self->arena, out.data);
    text_free(&out);
    return name;
}

/* Schema: keys, then calls. */
static const struct type *group_schema(struct analyser *self, const struct select *select)
{
    int32_t keys = select_key_columns(select), calls = select->calls.count;
    struct field *fields = arena_array(self->arena, struct field, (size_t)keys + (size_t)calls);
    bool sets = select->grouping_sets != NULL || select->sets.count > 0;
    for (int32_t i = 0; i < select->keys.count; i++) {
        const struct expr *key = select->keys.items[i];
        fields[i] = (struct field){key_name(self, select, key), key->type, key->nullable || sets};
    }
    if (select->sets.count > 0)
        fields[keys - 1] = (struct field){"spark_grouping_id", type_of(TYPE_INT64), false};
    for (int32_t i = 0; i < calls; i++) {
        const struct aggregate_call *call = select->calls.items[i];
        fields[keys + i] = (struct field){select->call_names.items[i], call->type, true};
    }
    return type_struct(self->arena, fields, keys + calls);
}

enum code select_group(struct analyser *self, struct select *select, struct plan **out)
{
    struct group group = {.schema = group_schema(self, select),
                          .keys = (const struct expr *const *)select->keys.items,
                          .key_count = select->keys.count,
                          .calls = (const struct aggregate_call *const *)select->calls.items,
                          .call_count = select->calls.count,
                          .window = select->window};
    struct plan *input = select->rows->plan;
    if (select->sets.count > 0) {
        const struct expr **keys = arena_array(self->arena, const struct expr *, (size_t)group.key_count + 1);
        int32_t first = input->schema->field_count;
        input = expand_sets(self, select);
        for (group.key_count = 0; group.key_count < select_key_columns(select); group.key_count++)
            keys[group.key_count] = column_of(self, input, first + group.key_count, select->ast->at);
        group.keys = keys;
    }
    TRY(group_rows(self, input, &group, select->ast->at, out));
    (*out)->unsupported = select->grouping_sets;
    return E_OK;
}

/* ---- lifting ---- */

struct lifting {
    struct analyser *self;
    struct select *select;
    enum code code;
};

static const struct expr *lifted_column(struct lifting *lifting, int32_t index, const struct expr *was)
{
    return column_of(lifting->self, lifting->select->lifted, index, was->at);
}

/* HAVING and ORDER BY see the list and the keys alone. */
static enum code not_in_list(struct analyser *self, const struct select *select, const struct expr *column)
{
    struct text names = {0};
    for (int32_t i = 0; i < select->target_count && i < 5; i++)
        text_printf(&names, "%s`%s`", i > 0 ? ", " : "", select->targets[i].name);
    enum code code =
        sql_error(self, column->at, "group by it, or aggregate it",
                  "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name "
                  "`%s` cannot be resolved in %s. Did you mean one of the following? [%s].",
                  (const char *)column->bound, select->lifting, names.data);
    text_free(&names);
    return code;
}

static enum code not_grouped(struct analyser *self, const struct select *select, const struct expr *column)
{
    const char *name = column->bound != NULL ? column->bound : "?";
    if (select->lifting != NULL && column->bound != NULL)
        return not_in_list(self, select, column);
    if (select->keys.count == 0)
        return sql_error(self, column->at, NULL,
                         "[MISSING_GROUP_BY] The query does not include a GROUP BY clause. Add GROUP BY or "
                         "turn it into the window functions using OVER clauses.");
    return sql_error(self, column->at, NULL,
                     "[MISSING_AGGREGATION] The non-aggregating expression \"%s\" is based on columns which "
                     "are not participating in the GROUP BY clause. Add the columns or the expression to the "
                     "GROUP BY, aggregate the expression, or use \"any_value(%s)\" if you do not care which of "
                     "the values within a group is returned.",
                     name, name);
}

static const struct expr *lift(struct lifting *lifting, const struct expr *expr);

/* Columns of the rows around a subquery, where those rows are groups now. */
static const struct expr *lift_outer(struct lifting *lifting, const struct expr *column)
{
    struct field field = {column->bound, column->type, column->nullable};
    const struct expr *rows = expr_column(&lifting->self->expr, column->index % COLUMN_MARK, &field, column->at);
    const struct expr *lifted = lift(lifting, rows);
    if (lifting->code != E_OK || lifted->kind != EXPR_COLUMN)
        return column;
    return expr_column(&lifting->self->expr, lifted->index + MARK_OUTER, &field, column->at);
}

/* Aggregates of this query within the subquery: columns of the groups. */
static void bind_calls(struct analyser *self, const struct select *select, struct subquery *subquery)
{
    const struct expr **calls = arena_array(self->arena, const struct expr *, (size_t)select->calls.count + 1);
    for (int32_t i = 0; i < select->calls.count; i++) {
        const struct aggregate_call *call = select->calls.items[i];
        struct field field = {select->call_names.items[i], call->type, true};
        calls[i] = expr_column(&self->expr, MARK_OUTER + select_key_columns(select) + i, &field, subquery->at);
    }
    subquery->plan = plan_bind_calls(self->arena, subquery->plan, calls);
}

static const struct expr *subquery_column(struct lifting *lifting, int32_t index, const struct expr *was)
{
    struct analyser *self = lifting->self;
    struct select *select = lifting->select;
    struct subquery *subquery = select->subqueries.items[index];
    if (subquery->column >= 0)
        return lifted_column(lifting, subquery->column, was);
    int32_t count = select->rows->plan->schema->field_count;
    bool *used = arena_array(self->arena, bool, (size_t)count + 1);
    const struct expr **values = arena_array(self->arena, const struct expr *, (size_t)count + 1);
    plan_outer_columns(subquery->plan, used);
    for (int32_t i = 0; i < count; i++) {
        const struct expr *column = column_of(self, select->rows->plan, i, subquery->at);
        struct field field = {column->bound, column->type, column->nullable};
        if (used[i])
            values[i] = lift_outer(lifting, expr_column(&self->expr, i + MARK_OUTER, &field, subquery->at));
    }
    if (select->grouped) {
        subquery->plan = plan_bind_outer(self->arena, subquery->plan, values);
        bind_calls(self, select, subquery);
    }
    for (int32_t i = 0; i < subquery->sought_count; i++)
        subquery->sought[i] = lift(lifting, subquery->sought[i]);
    select->lifted = apply_subquery(self, select->lifted, subquery);
    subquery->column = select->lifted->schema->field_count - 1;
    return lifted_column(lifting, subquery->column, was);
}

static const struct expr *lift(struct lifting *lifting, const struct expr *expr)
{
    struct select *select = lifting->select;
    if (lifting->code != E_OK || expr->kind == EXPR_LITERAL)
        return expr;
    for (int32_t i = 0; select->grouped && i < select->keys.count; i++)
        if (same_meaning(expr, select->keys.items[i]))
            return lifted_column(lifting, i, expr);
    if (expr->kind == EXPR_COLUMN) {
        if (expr->index >= MARK_OUTER)
            return expr;
        if (expr->index >= MARK_GENERATED) {
            const struct grouped_generator *grouped = generator_of(select, expr);
            return lifted_column(lifting, grouped->column + expr->index - MARK_GENERATED - grouped->mark, expr);
        }
        if (expr->index >= MARK_OVER)
            return lifted_column(lifting, select->over_first + expr->index - MARK_OVER, expr);
        if (expr->index == MARK_SET)
            return lifted_column(lifting, select->keys.count, expr);
        if (expr->index >= MARK_SUBQUERY)
            return subquery_column(lifting, expr->index - MARK_SUBQUERY, expr);
        if (expr->index >= MARK_CALL && expr->index < MARK_CALL + COLUMN_MARK)
            return lifted_column(lifting, select_key_columns(select) + expr->index - MARK_CALL, expr);
        if (select->grouped)
            lifting->code = not_grouped(lifting->self, select, expr);
        return expr;
    }
    struct expr *copy = arena_new(lifting->self->arena, struct expr);
    *copy = *expr;
    copy->args = arena_array(lifting->self->arena, const struct expr *, (size_t)expr->arg_count + 1);
    for (int32_t i = 0; i < expr->arg_count; i++)
        copy->args[i] = lift(lifting, expr->args[i]);
    return copy;
}

enum code select_lift(struct analyser *self, struct select *select, const struct expr *expr, const struct expr **out)
{
    struct lifting lifting = {self, select, E_OK};
    if (!select->grouped && select->overs.count == 0 && select->subqueries.count == 0 &&
        select->generators.count == 0) {
        *out = expr;
        return E_OK;
    }
    const struct expr *lifted = lift(&lifting, expr);
    TRY(lifting.code);
    *out = lifted;
    return E_OK;
}
