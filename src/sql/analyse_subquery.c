/* analyse_subquery.c - (SELECT ..), EXISTS and IN (SELECT ..) inside expressions: typed, joined to
 * the rows, not run yet. */
#include "sql/analyser.h"

/* The subquery's result becomes a last column of the rows. */
static const struct expr *join_result(struct analyser *self, struct rowset *rows,
                                      struct plan *subquery, const struct type *type,
                                      const char *name, const char *what, struct position at)
{
    struct field field = {name, type, true};
    const struct type *schema = schema_append(self->arena, rows->plan->schema, &field, 1);
    struct plan *node = plan_over(self->arena, PLAN_JOIN, rows->plan, schema, at);
    node->inputs[1] = subquery;
    node->input_count = 2;
    node->streaming = rows->plan->streaming || subquery->streaming;
    node->height =
        (rows->plan->height > subquery->height ? rows->plan->height : subquery->height) + 1;
    node->unsupported = what;
    rows->plan = node;
    return column_of(self, node, schema->field_count - 1, at);
}

enum code analyse_subquery(struct analyser *self, const struct scope *scope, const struct ast *ast,
                           const struct expr **out)
{
    struct rowset result;
    const struct expr *sought = NULL;
    if (ast->kind == AST_IN)
        TRY(analyse_expr(self, scope, ast->args[0], &sought));
    TRY(analyse_query(self, ast->query, scope, &result));
    const struct type *schema = result.plan->schema;
    if (ast->kind == AST_SUBQUERY) {
        if (schema->field_count != 1)
            return sql_error(
                self, ast->at, NULL,
                "[INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN] "
                "Invalid subquery: Scalar subquery must return only one column, but got %d.",
                schema->field_count);
        *out = join_result(self, scope->rows, result.plan, schema->fields[0].type,
                           "scalarsubquery()", "a scalar subquery", ast->at);
        return E_OK;
    }
    if (sought != NULL && sought->type->id != TYPE_STRUCT) {
        if (schema->field_count != 1 ||
            type_common(self->arena, sought->type, schema->fields[0].type) == NULL)
            return sql_error(
                self, ast->at, NULL,
                "[DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH] The data type of one or more "
                "elements in the left hand side of an IN subquery is not compatible with the "
                "data type of the output of the subquery.");
    }
    *out = join_result(self, scope->rows, result.plan, type_of(TYPE_BOOLEAN), "exists()",
                       ast->kind == AST_IN ? "IN with a subquery" : "EXISTS", ast->at);
    return E_OK;
}
