/* analyse_pivot.c - PIVOT and UNPIVOT.
 *
 * PIVOT    is a GROUP BY all columns that it does not name, with each aggregate once per value, over the rows where
 *          FOR's columns have that value. A group without rows for a value has NULL there, count(*) too, as long as all
 *          results are numbers or BOOLEAN: Spark computes other types otherwise, and so do we
 * UNPIVOT  is stack(n, 'a', a, 'b', b, ..) beside all columns that it does not name
 * Spec     Spark 4.2: PivotTransformer, UnpivotTransformer
 */
#include "sql/join.h"
#include "sql/select.h"

struct pivot {
    const struct ast_relation *relation;
    const struct ast_pivot *ast;
    struct rowset *rows;
    struct select select;        /* types the aggregates; its calls are those of one value */
    bool *named;                 /* per column of the rows' plan: PIVOT reads it, so it is no key */
    const struct expr *column;   /* of FOR: a column, or a STRUCT of several */
    const struct expr **results; /* per aggregate, over the calls */
    const struct expr **values;  /* literals of the column's type */
    struct list calls;           /* per value: the select's calls, then its count of rows */
    int32_t keys;
};

static void note_named(void *context, const struct expr *column)
{
    struct pivot *self = context;
    if (column->index < COLUMN_MARK)
        self->named[column->index] = true;
}

/* ---- FOR ---- */

static enum code pivot_column(struct analyser *self, struct pivot *pivot)
{
    struct scope scope = {.rows = pivot->rows, .clause = "PIVOT"};
    struct ast row = {
        .kind = AST_ROW, .at = pivot->relation->at, .args = pivot->ast->columns, .arg_count = pivot->ast->column_count};
    const struct ast *column = row.arg_count == 1 ? row.args[0] : &row;
    TRY(analyse_expr(self, &scope, column, &pivot->column));
    expr_each_column(pivot->column, note_named, pivot);
    const struct expr *sides[2] = {pivot->column, pivot->column}, *same;
    if (expr_call(&self->expr, "<=>", sides, 2, column->at, &same, self->err) == E_OK)
        return E_OK;
    return sql_error(self, column->at, NULL,
                     "[INCOMPARABLE_PIVOT_COLUMN] Invalid pivot column %s. Pivot columns must be comparable.",
                     ast_name_of(self, column));
}

/* ---- IN ---- */

static enum code pivot_value(struct analyser *self, struct pivot *pivot, const struct ast *ast, const struct expr **out)
{
    struct scope scope = {.rows = pivot->rows, .clause = "PIVOT"};
    const struct expr *value;
    const struct type *given;
    TRY(analyse_expr(self, &scope, ast, &value));
    if (!expr_is_constant(value))
        return sql_error(self, ast->at, NULL,
                         "[NON_LITERAL_PIVOT_VALUES] Literal expressions required for pivot values, found %s.",
                         ast_name_of(self, ast));
    given = value->type;
    if (!type_equal(given, pivot->column->type) &&
        expr_cast(&self->expr, value, pivot->column->type, false, ast->at, &value, self->err) != E_OK)
        return sql_error(self, ast->at, NULL,
                         "[PIVOT_VALUE_DATA_TYPE_MISMATCH] Invalid pivot value '%s': value data type %s does not match "
                         "pivot column data type %s.",
                         ast_name_of(self, ast), type_text(self->arena, given),
                         type_text(self->arena, pivot->column->type));
    return placed(self, expr_fold(&self->expr, value, out, self->err), ast->at);
}

/* What the value is called: its alias, or itself as a STRING. */
static enum code value_name(struct analyser *self, struct pivot *pivot, int32_t v, const char **out)
{
    const struct expr *text;
    const struct ast_item *item = &pivot->ast->values[v];
    *out = item->alias;
    if (item->alias != NULL)
        return E_OK;
    TRY(placed(self,
               expr_cast(&self->expr, pivot->values[v], type_of(TYPE_STRING), false, item->expr->at, &text, self->err),
               item->expr->at));
    TRY(placed(self, expr_fold(&self->expr, text, &text, self->err), item->expr->at));
    struct bytes bytes = column_is_null(text->literal, 0) ? bytes_of_string("null") : column_bytes_at(text->literal, 0);
    *out = arena_strndup(self->arena, (const char *)bytes.data, bytes.size);
    return E_OK;
}

/* ---- the aggregates ---- */

struct parts { /* what stands in a result */
    bool call, column;
};

static void note_parts(void *context, const struct expr *column)
{
    struct parts *self = context;
    self->call = self->call || column->index >= COLUMN_MARK;
    self->column = self->column || column->index < COLUMN_MARK;
}

static enum code pivot_result(struct analyser *self, struct pivot *pivot, int32_t a)
{
    const struct ast *ast = pivot->ast->aggregates[a].expr;
    struct parts parts = {0};
    struct scope scope;
    select_scope(&pivot->select, "PIVOT", &scope);
    TRY(analyse_expr(self, &scope, ast, &pivot->results[a]));
    expr_each_column(pivot->results[a], note_parts, &parts);
    if (parts.call && !parts.column)
        return E_OK;
    return sql_error(
        self, ast->at, NULL,
        "[_LEGACY_ERROR_TEMP_1006] Aggregate expression required for pivot, but '%s' did not appear in any "
        "aggregate function.",
        ast_name_of(self, ast));
}

static void note_calls(struct pivot *pivot)
{
    for (int32_t i = 0; i < pivot->select.calls.count; i++) {
        const struct aggregate_call *call = pivot->select.calls.items[i];
        for (int32_t a = 0; a < call->arg_count; a++)
            expr_each_column(call->args[a], note_named, pivot);
        if (call->filter != NULL)
            expr_each_column(call->filter, note_named, pivot);
    }
}

/* The calls once more, over the rows with this value. */
static enum code value_calls(struct analyser *self, struct pivot *pivot, int32_t v)
{
    struct position at = pivot->ast->values[v].expr->at;
    const struct expr *sides[2] = {pivot->column, pivot->values[v]}, *here;
    const struct aggregate_call *rows;
    TRY(placed(self, expr_call(&self->expr, "<=>", sides, 2, at, &here, self->err), at));
    for (int32_t i = 0; i < pivot->select.calls.count; i++) {
        struct aggregate_call *call = arena_new(self->arena, struct aggregate_call);
        *call = *(const struct aggregate_call *)pivot->select.calls.items[i];
        const struct expr *both[2] = {here, call->filter};
        if (call->filter != NULL)
            TRY(placed(self, expr_call(&self->expr, "and", both, 2, at, &both[0], self->err), at));
        call->filter = both[0];
        list_add(self->arena, &pivot->calls, call);
    }
    TRY(placed(self, aggregate_bind(&self->expr, "count", NULL, 0, false, here, at, &rows, self->err), at));
    list_add(self->arena, &pivot->calls, rows);
    return E_OK;
}

/* ---- the groups ---- */

static enum code pivot_group(struct analyser *self, struct pivot *pivot, struct plan **out)
{
    const struct type *schema = pivot->rows->plan->schema;
    size_t most = (size_t)schema->field_count + (size_t)pivot->calls.count;
    struct field *fields = arena_array(self->arena, struct field, most + 1);
    const struct expr **keys = arena_array(self->arena, const struct expr *, (size_t)schema->field_count + 1);
    for (int32_t i = 0; i < pivot->rows->column_count; i++) {
        const struct scope_column *col = &pivot->rows->columns[i];
        if (pivot->named[col->index] || col->hidden)
            continue;
        fields[pivot->keys] = schema->fields[col->index];
        fields[pivot->keys].name = col->name;
        keys[pivot->keys++] = column_of(self, pivot->rows->plan, col->index, pivot->relation->at);
    }
    for (int32_t i = 0; i < pivot->calls.count; i++)
        fields[pivot->keys + i] =
            (struct field){"call", ((const struct aggregate_call *)pivot->calls.items[i])->type, true};
    const struct group group = {.schema = type_struct(self->arena, fields, pivot->keys + pivot->calls.count),
                                .keys = keys,
                                .key_count = pivot->keys,
                                .calls = (const struct aggregate_call *const *)pivot->calls.items,
                                .call_count = pivot->calls.count,
                                .window = {.key = -1}};
    return group_rows(self, pivot->rows->plan, &group, pivot->relation->at, out);
}

struct placing {
    struct analyser *self;
    const struct plan *group;
    int32_t first; /* column of the first call of the value */
};

static const struct expr *place_call(void *context, const struct expr *column)
{
    const struct placing *self = context;
    return column_of(self->self, self->group, self->first + column->index - MARK_CALL, column->at);
}

static bool is_plain(const struct type *type)
{
    return type_is_integer(type) || type->id == TYPE_FLOAT || type->id == TYPE_DOUBLE || type->id == TYPE_BOOLEAN ||
           type->id == TYPE_DECIMAL;
}

/* NULL where the group has no rows of the value. */
static enum code only_with_rows(struct analyser *self, struct placing *placing, int32_t count, const struct expr **expr)
{
    struct position at = (*expr)->at;
    const struct expr *some[2] = {column_of(self, placing->group, placing->first + count, at),
                                  expr_int(&self->expr, type_of(TYPE_INT64), 0, at)};
    TRY(placed(self, expr_call(&self->expr, ">", some, 2, at, &some[0], self->err), at));
    const struct expr *when[2] = {some[0], *expr};
    return placed(self, expr_case(&self->expr, when, 2, at, expr, self->err), at);
}

static enum code pivot_project(struct analyser *self, struct pivot *pivot, struct plan *group, struct plan **out)
{
    int32_t aggregates = pivot->ast->aggregate_count, calls = pivot->select.calls.count, count = 0;
    size_t most = (size_t)pivot->keys + (size_t)aggregates * (size_t)pivot->ast->value_count;
    const struct expr **exprs = arena_array(self->arena, const struct expr *, most + 1);
    const char **names = arena_array(self->arena, const char *, most + 1);
    bool plain = true;
    for (int32_t a = 0; a < aggregates; a++)
        plain = plain && is_plain(pivot->results[a]->type);
    for (; count < pivot->keys; count++) {
        exprs[count] = column_of(self, group, count, pivot->relation->at);
        names[count] = group->schema->fields[count].name;
    }
    for (int32_t v = 0; v < pivot->ast->value_count; v++) {
        struct placing placing = {self, group, pivot->keys + v * (calls + 1)};
        const char *name;
        TRY(value_name(self, pivot, v, &name));
        for (int32_t a = 0; a < aggregates; a++, count++) {
            const struct ast_item *item = &pivot->ast->aggregates[a];
            const char *result = item->alias != NULL ? item->alias : ast_name_of(self, item->expr);
            names[count] = aggregates == 1 ? name : arena_printf(self->arena, "%s_%s", name, result);
            exprs[count] = expr_rewrite(self->arena, pivot->results[a], place_call, &placing);
            if (plain)
                TRY(only_with_rows(self, &placing, calls, &exprs[count]));
        }
    }
    *out = plan_project(self->arena, group, exprs, names, count, pivot->relation->at);
    return E_OK;
}

static enum code pivot_rows(struct analyser *self, const struct ast_relation *relation, struct rowset *rows,
                            struct plan **out)
{
    static const struct ast_select no_select = {0};
    const struct ast_pivot *ast = relation->pivot;
    struct pivot pivot = {.relation = relation, .ast = ast, .rows = rows};
    struct plan *group;
    pivot.select = (struct select){.ast = &no_select, .rows = rows, .window = {.key = -1}, .projected = {.key = -1}};
    pivot.named = arena_array(self->arena, bool, (size_t)rows->plan->schema->field_count + 1);
    pivot.results = arena_array(self->arena, const struct expr *, (size_t)ast->aggregate_count + 1);
    pivot.values = arena_array(self->arena, const struct expr *, (size_t)ast->value_count + 1);
    if (rows->plan->streaming)
        return sql_error(self, relation->at, "write sum(x) FILTER (WHERE a = 1) for each value, with GROUP BY",
                         "[UNSUPPORTED_OPERATION] pivot is not supported on a streaming DataFrames/Datasets.");
    if ((int64_t)ast->aggregate_count * ast->value_count > SQL_COLUMNS_MAX)
        return sql_error(self, relation->at, NULL, "more than SQL_COLUMNS_MAX = %d columns", SQL_COLUMNS_MAX);
    TRY(pivot_column(self, &pivot));
    for (int32_t a = 0; a < ast->aggregate_count; a++)
        TRY(pivot_result(self, &pivot, a));
    note_calls(&pivot);
    for (int32_t v = 0; v < ast->value_count; v++) {
        TRY(pivot_value(self, &pivot, ast->values[v].expr, &pivot.values[v]));
        TRY(value_calls(self, &pivot, v));
    }
    TRY(pivot_group(self, &pivot, &group));
    return pivot_project(self, &pivot, group, out);
}

/* ---- UNPIVOT ---- */

struct unpivot {
    const struct ast_relation *relation;
    const struct ast_pivot *ast;
    struct rowset *rows;
    bool *named;
    const struct expr **args; /* of stack: count, then name, values.. per group */
    struct field *fields;     /* name, values.. */
};

static enum code unpivot_columns(struct analyser *self, struct unpivot *unpivot, const struct ast_unpivot_group *group,
                                 const struct expr **out)
{
    struct scope scope = {.rows = unpivot->rows, .clause = "UNPIVOT"};
    struct text name = {0};
    if (group->column_count != unpivot->ast->value_name_count)
        return sql_error(self, group->at, NULL,
                         "[UNPIVOT_VALUE_SIZE_MISMATCH] All unpivot value columns must have the same size as there are "
                         "value column names (%d).",
                         unpivot->ast->value_name_count);
    for (int32_t i = 0; i < group->column_count; i++) {
        const struct ast *ast = group->columns[i];
        TRY(analyse_expr(self, &scope, ast, &out[i + 1]));
        if (out[i + 1]->kind != EXPR_COLUMN && out[i + 1]->kind != EXPR_FIELD)
            return sql_error(
                self, ast->at, NULL,
                "[UNPIVOT_REQUIRES_ATTRIBUTES] UNPIVOT requires all given value expressions to be columns: %s.",
                ast_name_of(self, ast));
        if (out[i + 1]->kind == EXPR_COLUMN)
            unpivot->named[out[i + 1]->index] = true;
        text_printf(&name, "%s%s", i > 0 ? "_" : "",
                    ast->kind == AST_NAME ? ast->parts[ast->part_count - 1] : ast_name_of(self, ast));
    }
    const char *shown = group->alias != NULL ? group->alias : arena_strndup(self->arena, name.data, name.size);
    out[0] = expr_string(&self->expr, bytes_of_string(shown), group->at);
    text_free(&name);
    return E_OK;
}

/* The values of a column get one type. */
static enum code unpivot_types(struct analyser *self, struct unpivot *unpivot)
{
    int32_t width = unpivot->ast->value_name_count + 1;
    for (int32_t v = 1; v < width; v++) {
        const struct type *type = type_of(TYPE_NULL);
        for (int32_t g = 0; g < unpivot->ast->group_count && type != NULL; g++)
            type = type_common(self->arena, type, unpivot->args[1 + g * width + v]->type);
        if (type == NULL)
            return sql_error(
                self, unpivot->relation->at, NULL,
                "[UNPIVOT_VALUE_DATA_TYPE_MISMATCH] Unpivot value columns must share a least common type, some "
                "types do not: `%s`.",
                unpivot->ast->value_names[v - 1]);
        unpivot->fields[v] = (struct field){unpivot->ast->value_names[v - 1], type, true};
        for (int32_t g = 0; g < unpivot->ast->group_count; g++) {
            const struct expr **arg = &unpivot->args[1 + g * width + v];
            if (!type_equal((*arg)->type, type))
                TRY(placed(self, expr_cast(&self->expr, *arg, type, false, (*arg)->at, arg, self->err), (*arg)->at));
        }
    }
    unpivot->fields[0] = (struct field){unpivot->ast->name, type_of(TYPE_STRING), false};
    return E_OK;
}

static struct plan *unpivot_stack(struct analyser *self, const struct unpivot *unpivot)
{
    int32_t width = unpivot->ast->value_name_count + 1;
    struct plan *input = unpivot->rows->plan;
    struct plan *node =
        plan_over(self->arena, PLAN_GENERATE, input, schema_append(self->arena, input->schema, unpivot->fields, width),
                  unpivot->relation->at);
    node->generate = (struct plan_generate){.kind = GENERATE_STACK,
                                            .args = unpivot->args,
                                            .arg_count = 1 + unpivot->ast->group_count * width,
                                            .generated = width};
    return node;
}

/* Without the rows whose values are all NULL. */
static enum code drop_nulls(struct analyser *self, const struct unpivot *unpivot, int32_t first, struct plan **plan)
{
    const struct expr *any = NULL;
    struct position at = unpivot->relation->at;
    for (int32_t v = 0; v < unpivot->ast->value_name_count; v++) {
        const struct expr *there = column_of(self, *plan, first + v, at);
        TRY(placed(self, expr_call(&self->expr, "isnotnull", &there, 1, at, &there, self->err), at));
        const struct expr *either[2] = {any, there};
        if (any != NULL)
            TRY(placed(self, expr_call(&self->expr, "or", either, 2, at, &there, self->err), at));
        any = there;
    }
    *plan = plan_filter(self->arena, *plan, any, at);
    return E_OK;
}

static enum code unpivot_rows(struct analyser *self, const struct ast_relation *relation, struct rowset *rows,
                              struct plan **out)
{
    const struct ast_pivot *ast = relation->pivot;
    int32_t width = ast->value_name_count + 1, columns = rows->plan->schema->field_count, count = 0;
    struct unpivot unpivot = {.relation = relation, .ast = ast, .rows = rows};
    unpivot.named = arena_array(self->arena, bool, (size_t)columns + 1);
    unpivot.args = arena_array(self->arena, const struct expr *, 1 + (size_t)ast->group_count * (size_t)width);
    unpivot.fields = arena_array(self->arena, struct field, (size_t)width);
    unpivot.args[0] = expr_int(&self->expr, type_of(TYPE_INT32), ast->group_count, relation->at);
    for (int32_t g = 0; g < ast->group_count; g++)
        TRY(unpivot_columns(self, &unpivot, &ast->groups[g], &unpivot.args[1 + g * width]));
    TRY(unpivot_types(self, &unpivot));
    struct plan *stack = unpivot_stack(self, &unpivot);
    if (!ast->include_nulls)
        TRY(drop_nulls(self, &unpivot, columns + 1, &stack));
    const struct expr **exprs =
        arena_array(self->arena, const struct expr *, (size_t)rows->column_count + (size_t)width);
    const char **names = arena_array(self->arena, const char *, (size_t)rows->column_count + (size_t)width);
    for (int32_t i = 0; i < rows->column_count; i++) {
        const struct scope_column *col = &rows->columns[i];
        if (unpivot.named[col->index] || col->hidden)
            continue;
        names[count] = col->name;
        exprs[count++] = column_of(self, stack, col->index, relation->at);
    }
    for (int32_t i = 0; i < width; i++) {
        names[count] = unpivot.fields[i].name;
        exprs[count++] = column_of(self, stack, columns + i, relation->at);
    }
    *out = plan_project(self->arena, stack, exprs, names, count, relation->at);
    return E_OK;
}

enum code analyse_pivot(struct analyser *self, const struct ast_relation *relation, const struct scope *outer,
                        struct rowset *out)
{
    struct list before = joins_open(self);
    struct rowset below;
    struct plan *plan = NULL;
    TRY(analyse_relation(self, relation->left, outer, &below));
    TRY(joins_close(self, &before));
    TRY(relation->pivot->unpivot ? unpivot_rows(self, relation, &below, &plan)
                                 : pivot_rows(self, relation, &below, &plan));
    rowset_of_plan(self, plan, NULL, NULL, 0, out);
    return E_OK;
}
