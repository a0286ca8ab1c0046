/* analyse_query.c - VALUES, set operations, and ORDER BY and LIMIT of whole queries. */
#include "sql/first_error.h"
#include "sql/join.h"

/* ---- VALUES ---- */

/* A row is (a, b) or one value. */
static struct ast *const *row_items(struct ast *const *row, int32_t *count)
{
    bool many = (*row)->kind == AST_ROW;
    *count = many ? (*row)->arg_count : 1;
    return many ? (*row)->args : row;
}

static enum code common_columns(struct analyser *self, const struct expr *const *cells, int32_t rows, int32_t columns,
                                struct field *fields)
{
    for (int32_t c = 0; c < columns; c++) {
        const struct type *type = type_of(TYPE_NULL);
        bool nullable = false;
        for (int32_t r = 0; r < rows; r++) {
            const struct expr *cell = cells[r * columns + c];
            const struct type *common = type_common(self->arena, type, cell->type);
            if (common == NULL)
                return sql_error(self, cell->at, NULL,
                                 "[INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE] Found incompatible "
                                 "types in the column `col%d` for inline table: \"%s\" and \"%s\".",
                                 c + 1, type_text(self->arena, type), type_text(self->arena, cell->type));
            type = common;
            nullable = nullable || cell->nullable;
        }
        fields[c] = (struct field){arena_printf(self->arena, "col%d", c + 1), type, nullable};
    }
    return E_OK;
}

enum code analyse_values(struct analyser *self, const struct ast_relation *relation, struct rowset *out)
{
    struct rowset nothing = {.plan = plan_one_row(self, relation->at)};
    struct scope scope = {.rows = &nothing, .clause = "VALUES"};
    int32_t columns, rows = relation->row_count;
    row_items(&relation->rows[0], &columns);
    const struct expr **cells = arena_array(self->arena, const struct expr *, (size_t)rows *(size_t)columns);
    for (int32_t r = 0; r < rows; r++) {
        int32_t count;
        struct ast *const *items = row_items(&relation->rows[r], &count);
        if (count != columns)
            return sql_error(self, relation->rows[r]->at, NULL,
                             "[INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH] Inline table expected %d columns but "
                             "found %d columns in row %d.",
                             columns, count, r);
        for (int32_t c = 0; c < count; c++)
            TRY(analyse_expr(self, &scope, items[c]->kind == AST_NAMED ? items[c]->args[0] : items[c],
                             &cells[r * columns + c]));
        if (nothing.plan->kind != PLAN_VALUES)
            return sql_error(
                self, relation->rows[r]->at, "write SELECT .. UNION ALL SELECT ..",
                "[INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE] Cannot evaluate a subquery or "
                "from_json() in inline table definition.");
    }
    struct field *fields = arena_array(self->arena, struct field, (size_t)columns);
    TRY(common_columns(self, cells, rows, columns, fields));
    for (int32_t i = 0; i < rows * columns; i++)
        if (!type_equal(cells[i]->type, fields[i % columns].type))
            TRY(placed(
                self,
                expr_cast(&self->expr, cells[i], fields[i % columns].type, false, cells[i]->at, &cells[i], self->err),
                cells[i]->at));
    for (int32_t c = 0; c < columns && relation->column_alias_count == columns; c++)
        fields[c].name = relation->column_aliases[c]; // a view or WITH has the plan's names
    struct plan *plan = plan_new(self->arena, PLAN_VALUES, type_struct(self->arena, fields, columns), relation->at);
    plan->exprs = cells;
    plan->expr_count = rows * columns;
    rowset_of_plan(self, plan, relation->alias, relation->column_aliases, relation->column_alias_count, out);
    return E_OK;
}

/* ---- set operations ---- */

static const char *operation_name(const struct ast_body *body)
{
    switch (body->operation) {
    case SET_UNION: return body->all ? "UNION ALL" : "UNION";
    case SET_INTERSECT: return body->all ? "INTERSECT ALL" : "INTERSECT";
    default: return body->all ? "EXCEPT ALL" : "EXCEPT";
    }
}

/* BY NAME: which column of `from` stands under each column of `names`; -1 = none. */
static enum code match_names(struct analyser *self, const struct ast_body *body, const struct type *names,
                             const struct type *from, int32_t *places)
{
    if (names->field_count != from->field_count)
        return sql_error(self, body->at, NULL,
                         "[NUM_COLUMNS_MISMATCH] %s can only be performed on inputs with the same number of "
                         "columns, but the first input has %d columns and the second input has %d columns.",
                         operation_name(body), names->field_count, from->field_count);
    for (int32_t i = 0; i < names->field_count; i++) {
        places[i] = body->by_name ? type_field_index(from, names->fields[i].name, true) : i;
        if (places[i] < 0)
            return sql_error(self, body->at, NULL,
                             "[UNRESOLVED_COLUMN.WITHOUT_SUGGESTION] UNION BY NAME: the second query has no "
                             "column `%s`.",
                             names->fields[i].name);
    }
    return E_OK;
}

enum code aligned(struct analyser *self, struct plan *input, const struct type *schema, const int32_t *places,
                  struct position at, struct plan **out)
{
    size_t count = (size_t)schema->field_count;
    const struct expr **exprs = arena_array(self->arena, const struct expr *, count);
    const char **names = arena_array(self->arena, const char *, count);
    bool changes = false;
    for (int32_t i = 0; i < schema->field_count; i++) {
        exprs[i] = column_of(self, input, places[i], at);
        names[i] = schema->fields[i].name;
        changes = changes || places[i] != i || !type_equal(exprs[i]->type, schema->fields[i].type);
        if (!type_equal(exprs[i]->type, schema->fields[i].type))
            TRY(placed(self, expr_cast(&self->expr, exprs[i], schema->fields[i].type, false, at, &exprs[i], self->err),
                       at));
    }
    *out = changes ? plan_project(self->arena, input, exprs, names, schema->field_count, at) : input;
    return E_OK;
}

static enum code common_schema(struct analyser *self, const struct ast_body *body, const struct type *left,
                               const struct type *right, const int32_t *places, const struct type **out)
{
    struct field *fields = arena_array(self->arena, struct field, (size_t)left->field_count);
    for (int32_t i = 0; i < left->field_count; i++) {
        const struct field *a = &left->fields[i], *b = &right->fields[places[i]];
        fields[i] =
            (struct field){a->name, expr_type_common(&self->expr, a->type, b->type), a->nullable || b->nullable};
        if (fields[i].type == NULL)
            return sql_error(self, body->at, "cast one side",
                             "[INCOMPATIBLE_COLUMN_TYPE] %s can only be performed on tables with compatible "
                             "column types. The column `%s` of the second table is \"%s\" type which is not "
                             "compatible with \"%s\" at the same column of the first table.",
                             operation_name(body), a->name, type_text(self->arena, b->type),
                             type_text(self->arena, a->type));
    }
    *out = type_struct(self->arena, fields, left->field_count);
    return E_OK;
}

static struct plan *set_node(struct analyser *self, const struct ast_body *body, struct plan *left, struct plan *right,
                             const struct type *schema)
{
    bool is_union = body->operation == SET_UNION;
    struct plan *node = plan_over(self->arena, is_union ? PLAN_UNION : PLAN_SET_OPERATION, left, schema, body->at);
    node->inputs[1] = right;
    node->input_count = 2;
    node->streaming = left->streaming || right->streaming;
    node->height = (left->height > right->height ? left->height : right->height) + 1;
    if (!is_union) {
        node->set = (struct plan_set){body->operation == SET_EXCEPT, body->all};
        node->unsupported = operation_name(body);
        return node;
    }
    node->more_inputs = arena_array(self->arena, struct plan *, 2);
    node->more_inputs[0] = left;
    node->more_inputs[1] = right;
    node->inputs[0] = node->inputs[1] = NULL;
    return node;
}

static enum code check_streams(struct analyser *self, const struct ast_body *body, const struct plan *left,
                               const struct plan *right)
{
    if (body->operation == SET_EXCEPT && right->streaming)
        return sql_error(self, body->at, NULL,
                         "[UNSUPPORTED_OPERATION] Except on a streaming DataFrame/Dataset on the "
                         "right is not supported");
    if (body->operation == SET_INTERSECT && left->streaming && right->streaming)
        return sql_error(self, body->at, "join the two streams",
                         "[UNSUPPORTED_OPERATION] Intersect of streaming DataFrames/Datasets is "
                         "not supported");
    return E_OK;
}

enum code set_rows(struct analyser *self, const struct ast_body *body, struct plan *left, struct plan *right,
                   struct rowset *out)
{
    const struct type *a = left->schema, *b = right->schema, *schema;
    if (left->streaming != right->streaming)
        return sql_error(self, body->at, "read both with STREAM",
                         "[_LEGACY_ERROR_TEMP_3102] %s between streaming and batch DataFrames/Datasets is not "
                         "supported.",
                         body->operation == SET_UNION ? "Union" : operation_name(body));
    int32_t *places = arena_array(self->arena, int32_t, (size_t)a->field_count + 1);
    int32_t *same = arena_array(self->arena, int32_t, (size_t)a->field_count + 1);
    for (int32_t i = 0; i < a->field_count; i++)
        same[i] = i;
    TRY(match_names(self, body, a, b, places));
    TRY(common_schema(self, body, a, b, places, &schema));
    TRY(aligned(self, left, schema, same, body->at, &left));
    TRY(aligned(self, right, schema, places, body->at, &right));
    TRY(check_streams(self, body, left, right));
    if (body->operation != SET_UNION)
        TRY(check_comparable(self, schema, body->at));
    struct plan *node = set_node(self, body, left, right, schema);
    if (body->operation == SET_UNION && !body->all)
        TRY(distinct_rows(self, "UNION without ALL", body->at, &node));
    rowset_of_plan(self, node, NULL, NULL, 0, out);
    return E_OK;
}

static enum code analyse_set(struct analyser *self, const struct ast_body *body, const struct scope *outer,
                             struct rowset *out)
{
    static const struct ast_query plain = {0};
    struct rowset left, right;
    struct beside beside;
    enum code code = query_body(self, &plain, body->left, outer, &left);
    if (beside_open(self, code, &beside))
        return beside_close(self, &beside, query_body(self, &plain, body->right, outer, &right));
    TRY(code);
    TRY(query_body(self, &plain, body->right, outer, &right));
    rowset_forget_files(self, &left);
    rowset_forget_files(self, &right);
    return set_rows(self, body, left.plan, right.plan, out);
}

/* ---- ORDER BY and LIMIT over a whole query ---- */

enum code sort_rows(struct analyser *self, const struct ast_query *query, struct plan *input,
                    const struct expr *const *keys, int32_t count, struct plan **out)
{
    for (int32_t i = 0; i < count; i++)
        if (!type_is_orderable(keys[i]->type))
            return sql_error(self, keys[i]->at, NULL,
                             "[DATATYPE_MISMATCH.INVALID_ORDERING_TYPE] Cannot resolve the key of ORDER BY due to data "
                             "type mismatch: The `sortorder` does not support ordering on type \"%s\".",
                             type_text(self->arena, keys[i]->type));
    struct plan *sort = plan_over(self->arena, PLAN_SORT, input, input->schema, query->order_at);
    struct plan_order *orders = arena_array(self->arena, struct plan_order, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        const struct ast_sort *written = &query->order[i < query->order_count ? i : 0];
        bool last = written->nulls_given ? written->nulls_last : written->descending;
        orders[i] = (struct plan_order){written->descending, last};
    }
    sort->exprs = keys;
    sort->expr_count = count;
    sort->sort.orders = orders;
    sort->unsupported = "ORDER BY";
    *out = sort;
    return E_OK;
}

enum code analyse_sort(struct analyser *self, const struct ast_query *query, struct rowset *rows)
{
    struct scope scope = {.rows = rows, .clause = "ORDER BY"};
    const struct expr **exprs = arena_array(self->arena, const struct expr *, (size_t)query->order_count);
    if (rows->plan->streaming)
        return sql_error(self, query->order_at, "a stream has no end to sort at: sort where the table is read",
                         "[STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION] ORDER BY is not supported on a stream.");
    for (int32_t i = 0; i < query->order_count; i++)
        TRY(analyse_expr(self, &scope, query->order[i].expr, &exprs[i]));
    return sort_rows(self, query, rows->plan, exprs, query->order_count, &rows->plan);
}

static enum code limit_value(struct analyser *self, const struct ast *ast, const char *clause, const struct expr **out)
{
    struct rowset nothing = {.plan = plan_one_row(self, ast->at)};
    struct scope scope = {.rows = &nothing, .clause = clause};
    TRY(analyse_expr(self, &scope, ast, out));
    if (!expr_is_constant(*out))
        return sql_error(self, ast->at, NULL,
                         "[INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE] The %s expression must be constant.", clause);
    if (!type_is_integer((*out)->type))
        return sql_error(self, ast->at, NULL,
                         "[INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE] The %s expression must be integer type, but "
                         "got \"%s\".",
                         clause, type_text(self->arena, (*out)->type));
    TRY(placed(self, expr_cast(&self->expr, *out, type_of(TYPE_INT64), false, ast->at, out, self->err), ast->at));
    TRY(placed(self, expr_fold(&self->expr, *out, out, self->err), ast->at));
    const struct column *value = (*out)->literal;
    if (!column_valid_at(value, 0) || column_values(value, int64_t)[0] < 0)
        return sql_error(self, ast->at, NULL,
                         "[INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE] The %s expression must be equal to or "
                         "greater than 0.",
                         clause);
    return E_OK;
}

enum code analyse_limit(struct analyser *self, const struct ast_query *query, struct rowset *rows)
{
    const struct expr **exprs = arena_array(self->arena, const struct expr *, 2);
    if (rows->plan->streaming && query->offset != NULL)
        return sql_error(self, query->limit_at, NULL,
                         "[UNSUPPORTED_OPERATION] Offset is not supported on streaming "
                         "DataFrames/Datasets");
    if (rows->plan->streaming)
        return not_yet(self, query->limit_at,
                       "LIMIT on a stream, the first rows that ever come: limit where the table is "
                       "read");
    exprs[0] = expr_int(&self->expr, type_of(TYPE_INT64), INT64_MAX, query->limit_at);
    exprs[1] = expr_int(&self->expr, type_of(TYPE_INT64), 0, query->limit_at);
    if (query->limit != NULL)
        TRY(limit_value(self, query->limit, "limit", &exprs[0]));
    if (query->offset != NULL)
        TRY(limit_value(self, query->offset, "offset", &exprs[1]));
    struct plan *limit = plan_over(self->arena, PLAN_LIMIT, rows->plan, rows->plan->schema, query->limit_at);
    limit->exprs = exprs;
    limit->expr_count = 2;
    limit->unsupported = "LIMIT";
    rows->plan = limit;
    return E_OK;
}

/* ---- whole queries ---- */

/* TABLE t, and the FROM that a pipe starts with. */
static enum code analyse_table(struct analyser *self, const struct ast_relation *relation, const struct scope *outer,
                               struct rowset *out)
{
    struct list before = joins_open(self);
    TRY(analyse_relation(self, relation, outer, out));
    return joins_close(self, &before);
}

enum code query_body(struct analyser *self, const struct ast_query *query, const struct ast_body *body,
                     const struct scope *outer, struct rowset *out)
{
    switch (body->kind) {
    case BODY_SELECT: return analyse_select(self, query, body->select, outer, out);
    case BODY_VALUES: return analyse_values(self, body->relation, out);
    case BODY_TABLE: return analyse_table(self, body->relation, outer, out);
    case BODY_QUERY: return analyse_query(self, body->query, outer, out);
    case BODY_SET: break;
    }
    return analyse_set(self, body, outer, out);
}

enum code query_rows(struct analyser *self, const struct ast_query *query, const struct scope *outer,
                     struct rowset *out)
{
    const struct cte_scope *ctes = self->ctes;
    TRY(deeper(self, query->at));
    TRY(analyse_ctes(self, query, outer));
    TRY(query_body(self, query, query->body, outer, out));
    if (query->order_count > 0 && query->body->kind != BODY_SELECT)
        TRY(analyse_sort(self, query, out));
    if (query->limit != NULL || query->limit_all)
        out->plan = recursion_unlimited(self, out->plan);
    if (query->limit != NULL || query->offset != NULL)
        TRY(analyse_limit(self, query, out));
    if (out->plan->height > SQL_PLAN_HEIGHT_MAX)
        return sql_error(self, query->at, NULL, "more than SQL_PLAN_HEIGHT_MAX = %d steps in a row",
                         SQL_PLAN_HEIGHT_MAX);
    self->ctes = ctes;
    self->depth--;
    return E_OK;
}

enum code analyse_query(struct analyser *self, const struct ast_query *query, const struct scope *outer,
                        struct rowset *out)
{
    TRY(query_rows(self, query, outer, out));
    rowset_forget_files(self, out);
    return E_OK;
}
