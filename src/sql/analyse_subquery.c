/* analyse_subquery.c - (SELECT ..), EXISTS and IN (SELECT ..).
 *
 * As conjuncts of WHERE, IN and EXISTS are joins: the rows with a match, or with NOT the rows without one. A scalar
 * subquery of one row is a join with that row. Everything else is typed, and refused by name before it runs. What a
 * subquery reads must stand still, as on Spark.
 *
 * A correlated subquery is SELECT .. FROM .. WHERE ..: conjuncts of its WHERE that read the query around become
 * part of the join's condition.
 */
#include "sql/join.h"
#include "sql/select.h"

enum { READS_TEXT_MAX = 2000 };

struct membership { /* x IN (SELECT ..), EXISTS (SELECT ..) */
    const struct ast *ast;
    bool negated;
    const struct expr **sought; /* over the rows; none for EXISTS */
    int32_t sought_count;
    struct plan *right;
    const struct expr **values; /* over `right`: what is compared with `sought` */
    struct list correlated;     /* const struct expr *: over `right`, and marked columns of the rows */
};

static bool is_membership(const struct ast *ast) { return ast->kind == AST_EXISTS || ast->kind == AST_IN; }

static bool is_not(const struct ast *ast)
{
    return ast->kind == AST_CALL && ast->arg_count == 1 && (same_name(ast->text, "not") || same_name(ast->text, "!"));
}

bool is_membership_condition(const struct ast *ast)
{
    while (is_not(ast))
        ast = ast->args[0];
    return is_membership(ast);
}

/* ---- the subquery ---- */

static enum code refuse_streaming(struct analyser *self, const struct plan *subquery, const struct ast *ast,
                                  const char *hint)
{
    if (!subquery->streaming)
        return E_OK;
    return sql_error(self, ast->at, hint,
                     "[INVALID_SUBQUERY_EXPRESSION.STREAMING_QUERY] Invalid subquery: Streaming query is not allowed "
                     "in subquery expressions.");
}

static bool note_read(void *context, const struct expr *column)
{
    struct text *names = context;
    text_printf(names, "%s%s", names->size > 0 ? ", " : "", column->bound != NULL ? (const char *)column->bound : "?");
    return names->size < READS_TEXT_MAX;
}

/* scalarsubquery(a, b): Spark names a column after what its subquery reads. */
static void note_reads(struct analyser *self, const struct ast_query *query, const struct plan *plan)
{
    struct subquery_reads *reads = arena_new(self->arena, struct subquery_reads);
    struct text names = {0};
    plan_each_outer(plan, note_read, &names);
    *reads = (struct subquery_reads){query, arena_strndup(self->arena, names.size > 0 ? names.data : "", names.size)};
    list_add(self->arena, &self->subqueries_read, reads);
    text_free(&names);
}

/* The names of the query around come out as columns from MARK_OUTER on. */
static enum code analyse_inner(struct analyser *self, const struct scope *scope, const struct ast *ast,
                               struct rowset *out, bool *correlated)
{
    int32_t reads = self->outer_reads;
    TRY(analyse_query(self, ast->query, scope, out));
    *correlated = self->outer_reads != reads;
    if (*correlated)
        note_reads(self, ast->query, out->plan);
    return E_OK;
}

static enum code sought_values(struct analyser *self, const struct scope *scope, struct membership *member)
{
    const struct ast *ast = member->ast;
    if (ast->kind != AST_IN)
        return E_OK;
    bool row = ast->args[0]->kind == AST_ROW;
    struct ast *const *items = row ? ast->args[0]->args : ast->args;
    member->sought_count = row ? ast->args[0]->arg_count : 1;
    member->sought = arena_array(self->arena, const struct expr *, (size_t)member->sought_count);
    for (int32_t i = 0; i < member->sought_count; i++)
        TRY(analyse_expr(self, scope, items[i], &member->sought[i]));
    return E_OK;
}

static enum code check_columns(struct analyser *self, const struct membership *member, const struct type *schema)
{
    if (member->ast->kind != AST_IN)
        return E_OK;
    if (member->sought_count != schema->field_count)
        return sql_error(
            self, member->ast->at, NULL,
            "[DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH] The number of columns in the left hand side of an IN "
            "subquery does not match the number of columns in the output of subquery: %d and %d.",
            member->sought_count, schema->field_count);
    for (int32_t i = 0; i < member->sought_count; i++)
        if (expr_type_common(&self->expr, member->sought[i]->type, schema->fields[i].type) == NULL)
            return sql_error(
                self, member->ast->at, NULL,
                "[DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH] The data type of one or more elements in the "
                "left hand side of an IN subquery is not compatible with the data type of the output of the "
                "subquery.");
    return E_OK;
}

/* ---- correlation ---- */

static void note_marks(void *context, const struct expr *expr)
{
    bool *found = context;
    *found = *found || expr_has_marks(expr);
}

static bool has_marks(struct analyser *self, struct plan *plan)
{
    struct plan_list below;
    bool found = false;
    plan_collect(self->arena, &plan, 1, &below);
    for (int32_t i = 0; i < below.count; i++)
        plan_each_expr(below.nodes[i], note_marks, &found);
    return found;
}

/* Takes the conjuncts with marked columns out of the filter on top of `plan`. */
static struct plan *without_correlation(struct analyser *self, struct plan *plan, struct list *correlated)
{
    struct list conjuncts = {0}, rest = {0};
    if (plan->kind != PLAN_FILTER)
        return plan;
    predicate_split(self->arena, plan->exprs[0], &conjuncts);
    for (int32_t i = 0; i < conjuncts.count; i++)
        list_add(self->arena, expr_has_marks(conjuncts.items[i]) ? correlated : &rest, conjuncts.items[i]);
    const struct expr *predicate = predicate_all(&self->expr, &rest);
    return predicate != NULL ? plan_filter(self->arena, plan->inputs[0], predicate, plan->at) : plan->inputs[0];
}

/* Marks of this query's own level only: those of further out would change their meaning with their place. */
static void note_far_marks(void *context, const struct expr *column)
{
    bool *far = context;
    *far = *far || outer_level(column->index) > 0;
}

/* The subquery is SELECT values FROM right WHERE correlated AND ..: without its list and the correlated part. */
static bool lift_correlation(struct analyser *self, struct membership *member)
{
    struct plan *top = member->right;
    bool far = false;
    if (top->kind != PLAN_PROJECT)
        return false;
    member->right = without_correlation(self, top->inputs[0], &member->correlated);
    for (int32_t i = 0; i < member->sought_count; i++) {
        member->values[i] = top->exprs[i];
        if (expr_has_marks(top->exprs[i]))
            return false;
    }
    for (int32_t i = 0; i < member->correlated.count; i++)
        expr_each_column(member->correlated.items[i], note_far_marks, &far);
    return !far && !has_marks(self, member->right);
}

static enum code refuse_correlation(struct analyser *self, const struct membership *member)
{
    return sql_error(self, member->ast->at, "write it as LEFT SEMI JOIN or LEFT ANTI JOIN with its condition in ON",
                     "[UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_REFERENCE] a correlated "
                     "subquery reads the query around in conditions of its own WHERE alone.");
}

/* ---- the join ---- */

struct inward {
    struct expr_context *ctx;
    const struct type *schema; /* left columns, then right ones */
    int32_t left_count;
};

static const struct expr *place_column(void *context, const struct expr *column)
{
    const struct inward *self = context;
    int32_t index = column->index >= MARK_OUTER ? column->index - MARK_OUTER : column->index + self->left_count;
    return expr_column(self->ctx, index, &self->schema->fields[index], column->at);
}

/* a = b; where a NULL leaves the row in doubt, and only certain ones are kept: a = b OR (a = b) IS NULL. */
static enum code equality(struct analyser *self, const struct membership *member, const struct expr *left,
                          const struct expr *right, bool in_doubt, const struct expr **out)
{
    const struct expr *args[2] = {left, right};
    struct position at = member->ast->at;
    TRY(placed(self, expr_call(&self->expr, "=", args, 2, at, &args[0], self->err), at));
    if (in_doubt) {
        TRY(placed(self, expr_call(&self->expr, "isnull", args, 1, at, &args[1], self->err), at));
        TRY(placed(self, expr_call(&self->expr, "or", args, 2, at, &args[0], self->err), at));
    }
    *out = args[0];
    return E_OK;
}

static enum code join_conditions(struct analyser *self, const struct membership *member, const struct plan *left,
                                 bool *null_aware, struct list *out)
{
    const struct type *right = member->right->schema;
    struct inward inward = {&self->expr, schema_append(self->arena, left->schema, right->fields, right->field_count),
                            left->schema->field_count};
    const struct expr *part;
    *null_aware = false;
    for (int32_t i = 0; i < member->sought_count; i++) {
        const struct expr *sought = member->sought[i];
        const struct expr *value = expr_rewrite(self->arena, member->values[i], place_column, &inward);
        bool in_doubt = member->negated && (sought->nullable || value->nullable);
        // one pair, nothing else: the operator knows what a NULL means, and can look the pair up
        *null_aware = in_doubt && member->sought_count == 1 && member->correlated.count == 0;
        TRY(equality(self, member, sought, value, in_doubt && !*null_aware, &part));
        list_add(self->arena, out, part);
    }
    for (int32_t i = 0; i < member->correlated.count; i++)
        list_add(self->arena, out, expr_rewrite(self->arena, member->correlated.items[i], place_column, &inward));
    return E_OK;
}

static enum code join_member(struct analyser *self, const struct membership *member, struct rowset *rows)
{
    struct list conditions = {0};
    bool null_aware;
    struct plan *node =
        join_node(self, member->negated ? JOIN_ANTI : JOIN_SEMI, rows->plan, member->right, member->ast->at);
    TRY(join_conditions(self, member, rows->plan, &null_aware, &conditions));
    join_take_apart(&self->expr, node, &conditions);
    node->join.null_aware = null_aware && node->join.key_count == 1;
    rows->plan = node;
    return join_check_rules(self, node);
}

static enum code batch_subquery(struct analyser *self, const struct scope *scope, const struct membership *member,
                                struct plan *plan, const struct expr **out);

/* For each row on its own: the subquery is more than a condition can say. */
static enum code filter_member(struct analyser *self, const struct scope *scope, const struct membership *member,
                               struct plan *plan)
{
    const struct expr *holds;
    struct position at = member->ast->at;
    TRY(batch_subquery(self, scope, member, plan, &holds));
    if (member->negated)
        TRY(placed(self, expr_call(&self->expr, "not", &holds, 1, at, &holds, self->err), at));
    scope->rows->plan = plan_filter(self->arena, scope->rows->plan, holds, at);
    return E_OK;
}

enum code analyse_membership(struct analyser *self, const struct scope *scope, const struct ast *ast)
{
    struct membership member = {.ast = ast};
    struct rowset result;
    bool correlated;
    for (; is_not(member.ast); member.ast = member.ast->args[0])
        member.negated = !member.negated;
    TRY(sought_values(self, scope, &member));
    TRY(analyse_inner(self, scope, member.ast, &result, &correlated));
    TRY(refuse_streaming(self, result.plan, member.ast,
                         member.negated ? "write it as a join: LEFT JOIN with the time bounded in ON, and WHERE its "
                                          "key IS NULL"
                                        : "write it as a join: LEFT SEMI JOIN with the time bounded in ON"));
    TRY(check_columns(self, &member, result.plan->schema));
    member.right = result.plan;
    member.values = arena_array(self->arena, const struct expr *, (size_t)member.sought_count);
    for (int32_t i = 0; i < member.sought_count; i++)
        member.values[i] = column_of(self, result.plan, i, member.ast->at);
    if (correlated && !lift_correlation(self, &member))
        return self->batch ? filter_member(self, scope, &member, result.plan) : refuse_correlation(self, &member);
    return join_member(self, &member, scope->rows);
}

/* ---- for each row: the queries of a session ---- */

struct plan *apply_subquery(struct analyser *self, struct plan *rows, const struct subquery *subquery)
{
    static const char *const names[] = {"scalarsubquery()", "exists()", "in()"};
    struct field field = {names[subquery->kind], subquery->type, true};
    struct plan *node =
        plan_over(self->arena, PLAN_APPLY, rows, schema_append(self->arena, rows->schema, &field, 1), subquery->at);
    node->inputs[1] = subquery->plan;
    node->input_count = 2;
    node->exprs = subquery->sought;
    node->expr_count = subquery->sought_count;
    node->apply.kind = subquery->kind;
    if (subquery->plan->height >= node->height)
        node->height = subquery->plan->height + 1;
    return node;
}

/* What is sought and what is there get the same types. */
static enum code common_types(struct analyser *self, const struct membership *member, struct subquery *subquery)
{
    const struct type *schema = subquery->plan->schema;
    struct position at = member->ast->at;
    size_t count = (size_t)schema->field_count;
    const struct expr **values = arena_array(self->arena, const struct expr *, count);
    const char **names = arena_array(self->arena, const char *, count);
    for (int32_t i = 0; i < member->sought_count; i++) {
        const struct expr *sought = member->sought[i];
        const struct type *common = expr_type_common(&self->expr, sought->type, schema->fields[i].type);
        values[i] = column_of(self, subquery->plan, i, at);
        names[i] = schema->fields[i].name;
        if (!type_equal(sought->type, common))
            TRY(placed(self, expr_cast(&self->expr, sought, common, false, at, &sought, self->err), at));
        if (!type_equal(values[i]->type, common))
            TRY(placed(self, expr_cast(&self->expr, values[i], common, false, at, &values[i], self->err), at));
        subquery->sought[i] = sought;
    }
    subquery->plan = plan_project(self->arena, subquery->plan, values, names, schema->field_count, at);
    return E_OK;
}

/* In a SELECT's list, HAVING and ORDER BY the column comes when the groups are there; else at once. */
static enum code batch_subquery(struct analyser *self, const struct scope *scope, const struct membership *member,
                                struct plan *plan, const struct expr **out)
{
    struct subquery *subquery = arena_new(self->arena, struct subquery);
    const struct ast *ast = member->ast;
    *subquery = (struct subquery){.kind = ast->kind == AST_SUBQUERY ? APPLY_SCALAR
                                          : ast->kind == AST_EXISTS ? APPLY_EXISTS
                                                                    : APPLY_IN,
                                  .plan = plan,
                                  .type = type_of(TYPE_BOOLEAN),
                                  .column = -1,
                                  .at = ast->at};
    if (subquery->kind == APPLY_SCALAR)
        subquery->type = plan->schema->fields[0].type;
    subquery->sought_count = member->sought_count;
    subquery->sought = arena_array(self->arena, const struct expr *, (size_t)member->sought_count + 1);
    if (subquery->kind == APPLY_IN)
        TRY(common_types(self, member, subquery));
    struct select *select = scope->select;
    if (select == NULL || select->grouping || scope->inside_aggregate) {
        scope->rows->plan = apply_subquery(self, scope->rows->plan, subquery);
        *out = column_of(self, scope->rows->plan, scope->rows->plan->schema->field_count - 1, ast->at);
        return E_OK;
    }
    struct field field = {"subquery", subquery->type, true};
    *out = expr_column(&self->expr, MARK_SUBQUERY + select->subqueries.count, &field, ast->at);
    list_add(self->arena, &select->subqueries, subquery);
    return E_OK;
}

/* ---- in expressions ---- */

/* The subquery's result becomes a last column of the rows. */
static const struct expr *join_result(struct analyser *self, struct rowset *rows, struct plan *subquery,
                                      const struct type *type, const char *name, const char *unsupported,
                                      struct position at)
{
    struct field field = {name, type, true};
    struct plan *node = join_node(self, JOIN_LEFT, rows->plan, subquery, at);
    node->schema = schema_append(self->arena, rows->plan->schema, &field, 1);
    node->unsupported = unsupported;
    join_take_apart(&self->expr, node, &(struct list){0});
    rows->plan = node;
    return column_of(self, node, node->schema->field_count - 1, at);
}

/* An aggregate without keys, a row of literals: never more rows than one. */
static bool has_one_row(const struct plan *plan)
{
    while (plan->kind == PLAN_PROJECT)
        plan = plan->inputs[0];
    if (plan->kind == PLAN_AGGREGATE)
        return plan->aggregate.key_count == 0;
    return plan->kind == PLAN_VALUES && plan->expr_count == plan->schema->field_count;
}

/* x IN (SELECT ..) and x NOT IN (SELECT ..) as values: where it is in doubt both are false, as on Spark, unless NULL itself
 * is sought. */
static enum code certain(struct analyser *self, const struct ast *ast, const struct expr **value)
{
    const struct expr *args[2] = {*value, expr_boolean(&self->expr, false, ast->at)};
    if (ast->args[0]->kind == AST_NULL)
        return E_OK;
    return placed(self, expr_call(&self->expr, "coalesce", args, 2, ast->at, value, self->err), ast->at);
}

bool is_not_in(const struct ast *ast) { return is_not(ast) && ast->args[0]->kind == AST_IN; }

static enum code subquery_value(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                const struct expr **out);

enum code analyse_not_in(struct analyser *self, const struct scope *scope, const struct ast *ast,
                         const struct expr **out)
{
    TRY(subquery_value(self, scope, ast->args[0], out));
    TRY(placed(self, expr_call(&self->expr, "not", out, 1, ast->at, out, self->err), ast->at));
    return certain(self, ast->args[0], out);
}

enum code analyse_subquery(struct analyser *self, const struct scope *scope, const struct ast *ast,
                           const struct expr **out)
{
    TRY(subquery_value(self, scope, ast, out));
    return self->batch && ast->kind == AST_IN ? certain(self, ast, out) : E_OK;
}

static enum code subquery_value(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                const struct expr **out)
{
    struct membership member = {.ast = ast};
    struct rowset result;
    bool correlated;
    TRY(sought_values(self, scope, &member));
    TRY(analyse_inner(self, scope, ast, &result, &correlated));
    const struct type *schema = result.plan->schema;
    TRY(refuse_streaming(self, result.plan, ast, "join the stream instead"));
    if (ast->kind != AST_SUBQUERY)
        TRY(check_columns(self, &member, schema));
    if (ast->kind != AST_SUBQUERY && !self->batch) {
        *out = join_result(self, scope->rows, result.plan, type_of(TYPE_BOOLEAN), "exists()",
                           ast->kind == AST_IN ? "IN with a subquery that is no condition of WHERE joined by AND"
                                               : "EXISTS that is no condition of WHERE joined by AND",
                           ast->at);
        return E_OK;
    }
    if (ast->kind == AST_SUBQUERY && schema->field_count != 1)
        return sql_error(
            self, ast->at, NULL,
            "[INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN] Invalid subquery: "
            "Scalar subquery must return only one column, but got %d.",
            schema->field_count);
    if (self->batch)
        return batch_subquery(self, scope, &member, result.plan, out);
    const char *unsupported = correlated                  ? "a correlated scalar subquery"
                              : !has_one_row(result.plan) ? "a scalar subquery that may have several rows"
                                                          : NULL;
    *out =
        join_result(self, scope->rows, result.plan, schema->fields[0].type, "scalarsubquery()", unsupported, ast->at);
    return E_OK;
}
