/* analyse_select.c - one SELECT: FROM, WHERE, the list, HAVING, QUALIFY, ORDER BY, DISTINCT, in the
 * order they apply. */
#include <stdlib.h>

#include "sql/first_error.h"
#include "sql/join.h"
#include "sql/select.h"

void select_scope(struct select *select, const char *clause, struct scope *out)
{
    *out = (struct scope){.rows = select->rows, .select = select, .outer = select->outer, .clause = clause};
}

/* ---- aliases ---- */

static enum code analyse_target(struct analyser *self, struct select *select, struct target *target);

/* One of the columns of a generator that makes several: its names hide no others. */
static bool is_of_several(const struct select *select, int32_t index)
{
    const struct target *targets = select->targets;
    bool before = index > 0 && targets[index - 1].ast == NULL && targets[index - 1].alias != NULL;
    bool behind =
        index + 1 < select->target_count && targets[index + 1].ast == NULL && targets[index + 1].alias != NULL;
    return targets[index].ast == NULL && (before || behind);
}

/* Another column of the list, already known, has the name, too. */
static enum code refuse_second(struct analyser *self, const struct scope *scope, const struct select *select,
                               int32_t first, const char *name)
{
    bool lateral = strcmp(scope->clause, "the SELECT list") == 0, having = strcmp(scope->clause, "HAVING") == 0;
    const struct expr *expr = select->targets[first].expr;
    bool looks = (lateral || having) && !select->grouping && select->targets[first].alias != NULL;
    for (int32_t i = first + 1; i < select->target_count && looks; i++) {
        const struct target *target = &select->targets[i];
        if (target->alias == NULL || target->expr == NULL || !same_name(target->alias, name) ||
            is_of_several(select, i))
            continue;
        if (lateral || !expr_equal(expr, target->expr))
            return sql_error(self, target->at, NULL,
                             "[%s] The name `%s` is ambiguous: two columns of the list have it.",
                             lateral ? "AMBIGUOUS_LATERAL_COLUMN_ALIAS" : "AMBIGUOUS_REFERENCE", name);
    }
    return E_OK;
}

enum code select_alias(struct analyser *self, const struct scope *scope, const char *name, const struct expr **out)
{
    struct select *select = scope->select != NULL ? scope->select : scope->aliases;
    if (select->window_type != NULL && same_name(name, select->window_name)) {
        *out = select_window_column(self, select, select->ast->at);
        return E_OK;
    }
    for (int32_t i = 0; i < select->target_count; i++) {
        struct target *target = &select->targets[i];
        bool named = target->alias != NULL || (scope->aliases_first && target->name != NULL);
        if (!named || !same_name(target->alias != NULL ? target->alias : target->name, name))
            continue;
        if (target->expr == NULL && !select->grouping)
            continue; // a later item: not in sight yet
        if (select->grouping && target->expr != NULL && generator_of(select, target->expr) != NULL)
            continue; // it comes out of the groups
        if (target->expr == NULL) {
            TRY(deeper(self, target->at));
            TRY(analyse_expr(self, scope, target->ast, out));
            self->depth--;
            return E_OK;
        }
        TRY(refuse_second(self, scope, select, i, name));
        *out = target->expr;
        return E_OK;
    }
    return E_OK;
}

static enum code analyse_target(struct analyser *self, struct select *select, struct target *target)
{
    struct scope scope;
    if (target->expr != NULL)
        return E_OK;
    select_scope(select, "the SELECT list", &scope);
    TRY(analyse_expr(self, &scope, target->ast, &target->expr));
    if (expr_weight(target->expr, SQL_WEIGHT_MAX) > SQL_WEIGHT_MAX)
        return sql_error(self, target->at, "put a view in between",
                         "the expression has more than SQL_WEIGHT_MAX = %d nodes once its aliases "
                         "are written out",
                         SQL_WEIGHT_MAX);
    if (expr_height(target->expr) > 2 * SQL_HEIGHT_MAX)
        return sql_error(self, target->at, "put a view in between",
                         "the expression has more than %d levels once its aliases are written out", 2 * SQL_HEIGHT_MAX);
    return E_OK;
}

/* ---- FROM, WHERE ---- */

struct plan *plan_one_row(struct analyser *self, struct position at)
{
    return plan_new(self->arena, PLAN_VALUES, type_struct(self->arena, NULL, 0), at);
}

static enum code analyse_lateral_views(struct analyser *self, struct select *select)
{
    for (int32_t i = 0; i < select->ast->view_count; i++) {
        const struct ast_lateral_view *view = &select->ast->views[i];
        struct scope scope = {.rows = select->rows, .outer = select->outer, .clause = "LATERAL VIEW"};
        int32_t count;
        TRY(analyse_generator(self, &scope, view->generator, view->outer, view->columns, view->column_count, &count));
        const struct type *schema = select->rows->plan->schema;
        for (int32_t c = schema->field_count - count; c < schema->field_count; c++)
            rowset_add(self, select->rows, schema->fields[c].name, view->alias, c);
    }
    return E_OK;
}

/* The conditions of WHERE that are joins of their own, and the others as one. */
static void split_where(struct analyser *self, const struct ast *where, struct list *memberships, struct list *others)
{
    if (where->kind == AST_CALL && same_name(where->text, "and") && where->arg_count == 2) {
        split_where(self, where->args[0], memberships, others);
        split_where(self, where->args[1], memberships, others);
        return;
    }
    list_add(self->arena, is_membership_condition(where) ? memberships : others, where);
}

/* Conjuncts go into the joins of FROM where they may; the rest is a filter above. */
static void filter_rows(struct analyser *self, struct rowset *rows, const struct expr *predicate, struct position at)
{
    struct list conjuncts = {0}, stay = {0};
    predicate_split(self->arena, predicate, &conjuncts);
    for (int32_t i = 0; i < conjuncts.count; i++)
        if (!joins_take(self, rows->plan, conjuncts.items[i]))
            list_add(self->arena, &stay, conjuncts.items[i]);
    if (stay.count < conjuncts.count)
        predicate = predicate_all(&self->expr, &stay);
    if (predicate != NULL)
        rows->plan = plan_filter(self->arena, rows->plan, predicate, at);
}

static enum code analyse_where(struct analyser *self, struct select *select)
{
    const struct ast *where = select->ast->where;
    struct list memberships = {0}, others = {0};
    if (where == NULL)
        return E_OK;
    struct scope scope = {.rows = select->rows, .outer = select->outer, .clause = "WHERE"};
    const struct expr *predicate = NULL, *part;
    struct list parts = {0};
    split_where(self, where, &memberships, &others);
    if (memberships.count == 0)
        TRY(first_error_among(self, &scope, &select->ast->where, 1, analyse_boolean(self, &scope, where, &predicate)));
    for (int32_t i = 0; memberships.count > 0 && i < others.count; i++) {
        TRY(analyse_boolean(self, &scope, others.items[i], &part));
        list_add(self->arena, &parts, part);
    }
    if (memberships.count > 0)
        predicate = predicate_all(&self->expr, &parts);
    if (predicate != NULL)
        filter_rows(self, select->rows, predicate, where->at);
    for (int32_t i = 0; i < memberships.count; i++)
        TRY(analyse_membership(self, &scope, memberships.items[i]));
    return E_OK;
}

static enum code analyse_from(struct analyser *self, struct select *select)
{
    struct list before = joins_open(self);
    if (select->ast->from == NULL)
        *select->rows = (struct rowset){.plan = plan_one_row(self, select->ast->at)};
    else
        TRY(analyse_relation(self, select->ast->from, select->outer, select->rows));
    TRY(analyse_lateral_views(self, select));
    TRY(analyse_where(self, select));
    return joins_close(self, &before);
}

/* ---- HAVING, QUALIFY, ORDER BY ---- */

struct sort_keys {
    const struct expr **exprs;
    int32_t count;
};

/* An ordinal stands for the output column at that place. */
static const struct target *ordinal_target(const struct select *select, const struct ast *ast)
{
    if (ast->kind != AST_NUMBER || strspn(ast->text, "0123456789") != strlen(ast->text) || strlen(ast->text) > 6)
        return NULL;
    long at = strtol(ast->text, NULL, 10);
    return at >= 1 && at <= select->target_count ? &select->targets[at - 1] : NULL;
}

/* a.b or a[0] where the alias a has no parts is of the column a of the rows. */
static enum code analyse_sort_key(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                  const struct expr **out)
{
    struct scope rows_first = *scope;
    int32_t depth = self->depth;
    enum code code = analyse_expr(self, scope, ast, out);
    if (code == E_OK || (strstr(self->err->text, "[INVALID_EXTRACT_BASE_FIELD_TYPE]") == NULL &&
                         strstr(self->err->text, "[FIELD_NOT_FOUND]") == NULL))
        return code;
    struct error first = *self->err;
    *self->err = (struct error){0};
    self->depth = depth;
    rows_first.aliases_first = false;
    if (analyse_expr(self, &rows_first, ast, out) == E_OK)
        return E_OK;
    *self->err = first;
    return code;
}

static enum code analyse_sort_keys(struct analyser *self, struct select *select, const struct ast_query *query,
                                   struct sort_keys *out)
{
    struct scope scope;
    select_scope(select, "ORDER BY", &scope);
    scope.aliases_first = true;
    bool all = query->order_count == 1 && query->order[0].expr->kind == AST_NAME &&
               query->order[0].expr->part_count == 1 && same_name(query->order[0].expr->parts[0], "all");
    out->count = all ? select->target_count : query->order_count;
    out->exprs = arena_array(self->arena, const struct expr *, (size_t)out->count);
    for (int32_t i = 0; i < out->count; i++) {
        const struct ast *ast = query->order[all ? 0 : i].expr;
        bool place = is_ordinal(ast) && !self->dialect.order_by_values;
        const struct target *target = all ? &select->targets[i] : place ? ordinal_target(select, ast) : NULL;
        if (target != NULL)
            out->exprs[i] = target->expr;
        else if (place)
            return sql_error(self, ast->at, NULL,
                             "[ORDER_BY_POS_OUT_OF_RANGE] ORDER BY position %s is not in select list (valid "
                             "range is [1, %d]).",
                             ast->text, select->target_count);
        else
            TRY(analyse_sort_key(self, &scope, ast, &out->exprs[i]));
    }
    return E_OK;
}

/* A predicate over the lifted rows. */
static enum code lift_filter(struct analyser *self, struct select *select, const char *clause,
                             const struct expr *predicate, struct position at)
{
    select->lifting = clause;
    TRY(select_lift(self, select, predicate, &predicate));
    select->lifting = NULL;
    select->lifted = plan_filter(self->arena, select->lifted, predicate, at);
    return E_OK;
}

struct lift_into {
    struct analyser *self;
    struct select *select;
    enum code code;
};

static const struct expr *lift_one(void *context, const struct expr *expr)
{
    struct lift_into *into = context;
    if (into->code == E_OK)
        into->code = select_lift(into->self, into->select, expr, &expr);
    return expr;
}

static enum code add_window_functions(struct analyser *self, struct select *select)
{
    int32_t count = select->overs.count;
    if (count == 0)
        return E_OK;
    struct plan *node = plan_over(self->arena, PLAN_WINDOW, select->lifted, select->lifted->schema, select->ast->at);
    struct lift_into into = {self, select, E_OK};
    node->overs = (struct plan_overs){(const struct plan_over *const *)select->overs.items, count};
    plan_map_exprs(self->arena, node, lift_one, &into); // may put subqueries below
    TRY(into.code);
    struct field *fields = arena_array(self->arena, struct field, (size_t)count);
    for (int32_t i = 0; i < count; i++)
        fields[i] = (struct field){select->over_names.items[i], node->overs.calls[i]->type, true};
    node->inputs[0] = select->lifted;
    node->height = select->lifted->height + 1;
    node->schema = schema_append(self->arena, select->lifted->schema, fields, count);
    node->unsupported = "window functions (OVER)";
    select->over_first = select->lifted->schema->field_count;
    select->lifted = node;
    return E_OK;
}

static enum code add_sort(struct analyser *self, struct select *select, const struct ast_query *query,
                          struct sort_keys *keys)
{
    select->lifting = "ORDER BY";
    for (int32_t i = 0; i < keys->count; i++)
        TRY(select_lift(self, select, keys->exprs[i], &keys->exprs[i]));
    select->lifting = NULL;
    return sort_rows(self, query, select->lifted, keys->exprs, keys->count, &select->lifted);
}

/* ---- the output ---- */

/* What a subquery reads is part of its column's name, and known by now. */
static const char *target_name(struct analyser *self, struct select *select, const struct target *target)
{
    struct scope scope;
    if (target->alias != NULL || target->ast == NULL || self->subqueries_read.count == 0)
        return target->name;
    select_scope(select, "the SELECT list", &scope);
    return column_name_of(self, &scope, target->ast);
}

/* FILE_COLUMN of the files in FROM passes behind the list, where a row is still one of a file. */
static enum code add_files(struct analyser *self, struct select *select, int32_t *count, const struct expr **exprs,
                           const char **names)
{
    const struct rowset *rows = select->rows;
    if (select->grouped || select->ast->distinct)
        return E_OK;
    for (int32_t i = 0; i < rows->column_count; i++) {
        if (!rows->columns[i].file)
            continue;
        names[*count] = rows->columns[i].name;
        TRY(select_lift(self, select, column_of(self, rows->plan, rows->columns[i].index, select->ast->at),
                        &exprs[(*count)++]));
    }
    return E_OK;
}

static enum code project_targets(struct analyser *self, struct select *select, struct rowset *out)
{
    int32_t count = select->target_count;
    size_t most = (size_t)count + (size_t)select->rows->column_count;
    const struct expr **exprs = arena_array(self->arena, const struct expr *, most);
    const char **names = arena_array(self->arena, const char *, most);
    for (int32_t i = 0; i < select->target_count; i++) {
        TRY(select_lift(self, select, select->targets[i].expr, &exprs[i]));
        names[i] = target_name(self, select, &select->targets[i]);
    }
    TRY(add_files(self, select, &count, exprs, names));
    struct plan *plan = plan_project(self->arena, select->lifted, exprs, names, count, select->ast->at);
    *out = (struct rowset){.plan = plan};
    for (int32_t i = 0; i < select->target_count; i++)
        rowset_add(self, out, names[i], select->targets[i].qualifier, i);
    for (int32_t i = select->target_count; i < count; i++) {
        rowset_add(self, out, names[i], NULL, i);
        out->columns[i].hidden = out->columns[i].file = true;
    }
    return E_OK;
}

static enum code refuse_streaming(struct analyser *self, const struct select *select, const struct ast_query *query)
{
    if (!select->rows->plan->streaming)
        return E_OK;
    if (query->order_count > 0)
        return sql_error(self, query->order_at, "a stream has no end to sort at: sort where the table is read",
                         "[STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION] ORDER BY is not supported on a stream.");
    if (select->overs.count > 0)
        return sql_error(self, select->ast->at, "group by window(time, '1 minute') instead",
                         "[NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING] Window function is not supported in a "
                         "stream.");
    return E_OK;
}

/* With DISTINCT the order is over the output; the sort keys must be among its columns. */
static enum code sort_distinct(struct analyser *self, const struct select *select, const struct ast_query *query,
                               const struct sort_keys *keys, struct rowset *out)
{
    const struct expr **exprs = arena_array(self->arena, const struct expr *, (size_t)keys->count);
    for (int32_t i = 0; i < keys->count; i++) {
        for (int32_t t = 0; t < select->target_count && exprs[i] == NULL; t++)
            if (expr_equal(keys->exprs[i], select->targets[t].expr))
                exprs[i] = column_of(self, out->plan, t, keys->exprs[i]->at);
        if (exprs[i] == NULL)
            return sql_error(self, keys->exprs[i]->at, "sort by a column of the SELECT list",
                             "[UNRESOLVED_COLUMN.WITH_SUGGESTION] SELECT DISTINCT keeps only its own "
                             "columns for ORDER BY.");
    }
    return sort_rows(self, query, out->plan, exprs, keys->count, &out->plan);
}

/* What is wrong with the list is said before what is wrong with HAVING. */
static enum code check_targets(struct analyser *self, struct select *select)
{
    const struct expr *lifted;
    for (int32_t i = 0; i < select->target_count && select->overs.count == 0; i++)
        TRY(select_lift(self, select, select->targets[i].expr, &lifted));
    return E_OK;
}

static enum code finish_select(struct analyser *self, struct select *select, const struct ast_query *query,
                               const struct expr *having, const struct expr *qualify, struct sort_keys *keys,
                               struct rowset *out)
{
    select->lifted = select->rows->plan;
    if (select->grouped)
        TRY(select_group(self, select, &select->lifted));
    TRY(select_generate(self, select));
    if (having != NULL) {
        TRY(check_targets(self, select));
        TRY(lift_filter(self, select, "HAVING", having, select->ast->having->at));
    }
    TRY(add_window_functions(self, select));
    if (qualify != NULL)
        TRY(lift_filter(self, select, "QUALIFY", qualify, select->ast->qualify->at));
    if (keys->count > 0 && !select->ast->distinct)
        TRY(add_sort(self, select, query, keys));
    TRY(project_targets(self, select, out));
    if (select->ast->distinct)
        TRY(distinct_rows(self, "SELECT DISTINCT", select->ast->at, &out->plan));
    return keys->count > 0 && select->ast->distinct ? sort_distinct(self, select, query, keys, out) : E_OK;
}

static void note_call(void *context, const struct expr *column)
{
    bool *call = context;
    *call = *call || (column->index >= MARK_CALL && column->index < MARK_CALL + COLUMN_MARK);
}

/* |> AGGREGATE wants aggregates behind its keys, |> EXTEND none. */
static enum code check_pipe(struct analyser *self, const struct select *select)
{
    const struct ast_select *ast = select->ast;
    if (ast->extend && select->calls.count > 0)
        return sql_error(self, ast->at, "use |> AGGREGATE",
                         "[PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION] Aggregate functions are not allowed in the pipe "
                         "operator |> EXTEND clause; please use the |> AGGREGATE clause instead.");
    for (int32_t i = ast->group_count; ast->aggregate && i < select->target_count; i++) {
        bool call = false;
        expr_each_column(select->targets[i].expr, note_call, &call);
        if (select->overs.count > 0)
            return sql_error(
                self, ast->at, NULL,
                "[UNSUPPORTED_FEATURE.PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE] The feature is not supported: "
                "The SQL pipe operator syntax with aggregation (using |> AGGREGATE) does not support window "
                "functions.");
        if (!call)
            return sql_error(
                self, select->targets[i].at, "put it behind GROUP BY",
                "[PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION] Non-grouping expression "
                "`%s` is provided as an argument to the |> AGGREGATE pipe operator but does not contain any "
                "aggregate function.",
                select->targets[i].name);
    }
    return E_OK;
}

/* GROUP BY and the list. */
static enum code analyse_list(struct analyser *self, struct select *select)
{
    TRY(select_expand(self, select));
    TRY(select_keys(self, select));
    for (int32_t i = 0; i < select->target_count; i++)
        TRY(analyse_target(self, select, &select->targets[i]));
    return E_OK;
}

/* To Spark they are one step. */
static enum code first_error_of_list(struct analyser *self, struct select *select, enum code code)
{
    const struct ast_select *ast = select->ast;
    struct list exprs = {0};
    struct scope scope;
    if (code == E_OK)
        return E_OK;
    for (int32_t i = 0; i < ast->group_count; i++)
        for (int32_t k = 0; k < ast->groups[i].expr_count; k++)
            list_add(self->arena, &exprs, ast->groups[i].exprs[k]);
    for (int32_t i = 0; i < ast->item_count; i++)
        list_add(self->arena, &exprs, ast->items[i].expr);
    select->grouping = false;
    select_scope(select, "the SELECT list", &scope);
    return first_error_among(self, &scope, (struct ast *const *)exprs.items, exprs.count, code);
}

enum code analyse_select(struct analyser *self, const struct ast_query *query, const struct ast_select *ast,
                         const struct scope *outer, struct rowset *out)
{
    struct rowset rows = {0};
    struct select select = {.ast = ast,
                            .rows = &rows,
                            .outer = outer,
                            .window = {.key = -1},
                            .projected = {.key = -1},
                            .grouped = ast->grouped};
    const struct expr *having = NULL, *qualify = NULL;
    struct sort_keys keys = {0};
    struct scope scope;
    TRY(deeper(self, ast->at));
    TRY(analyse_from(self, &select));
    TRY(first_error_of_list(self, &select, analyse_list(self, &select)));
    TRY(check_pipe(self, &select));
    select_scope(&select, "HAVING", &scope);
    scope.aliases_first = true;
    scope.keys_first = true;
    if (ast->having != NULL)
        TRY(analyse_boolean(self, &scope, ast->having, &having));
    scope.keys_first = false;
    scope.clause = "QUALIFY";
    if (ast->qualify != NULL)
        TRY(analyse_boolean(self, &scope, ast->qualify, &qualify));
    if (query->order_count > 0)
        TRY(analyse_sort_keys(self, &select, query, &keys));
    TRY(refuse_streaming(self, &select, query));
    select.grouped = select.grouped || select.calls.count > 0 || having != NULL || ast->aggregate;
    TRY(finish_select(self, &select, query, having, qualify, &keys, out));
    self->depth--;
    return E_OK;
}
