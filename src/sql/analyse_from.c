/* analyse_from.c - relations: names, subqueries, functions, watermarks, aliases. */
#include "sql/catalog.h"
#include "sql/join.h"
#include "sql/sql_function.h"

/* ---- watermarks ---- */

/* A month counts 31 days, as in Spark. */
static enum code watermark_delay(struct analyser *self, const struct ast *ast, int64_t *out_us)
{
    static const int64_t month_us = INT64_C(31) * 86400 * 1000000;
    int64_t months, us;
    TRY(analyse_interval(self, ast, &months, out_us));
    if (!__builtin_mul_overflow(months, month_us, &us) && !__builtin_add_overflow(*out_us, us, out_us) && *out_us >= 0)
        return E_OK;
    return sql_error(self, ast->at, NULL, "[INVALID_INTERVAL_FORMAT] the delay of a watermark is 0 or more");
}

/* The watermark's column: one of the input, or a new last one when it is computed. */
static enum code watermark_column(struct analyser *self, const struct ast_watermark *watermark, struct rowset *rows,
                                  int32_t *column)
{
    struct scope scope = {.rows = rows, .clause = "WATERMARK"};
    const struct expr *time;
    TRY(analyse_expr(self, &scope, watermark->expr, &time));
    if (time->type->id != TYPE_TIMESTAMP && time->type->id != TYPE_TIMESTAMP_NTZ)
        return sql_error(self, watermark->expr->at, "cast it: WATERMARK try_cast(x AS TIMESTAMP) AS at DELAY OF ..",
                         "[EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE] The event time `%s` has the invalid type "
                         "\"%s\", but expected \"TIMESTAMP\".",
                         ast_name_of(self, watermark->expr), type_text(self->arena, time->type));
    if (time->kind == EXPR_COLUMN && watermark->alias == NULL) {
        *column = time->index;
        return E_OK;
    }
    if (watermark->alias == NULL)
        return sql_error(self, watermark->expr->at, "WATERMARK f(x) AS name DELAY OF ..",
                         "[REQUIRES_EXPLICIT_NAME_IN_WATERMARK_CLAUSE] The watermark clause requires an "
                         "explicit name if an expression is specified, but got %s.",
                         ast_name_of(self, watermark->expr));
    *column = rowset_append(self, rows, time, watermark->alias)->index;
    rowset_add(self, rows, watermark->alias, rows->column_count > 0 ? rows->columns[0].qualifier : NULL, *column);
    return E_OK;
}

static enum code apply_watermark(struct analyser *self, const struct ast_watermark *watermark, struct rowset *rows)
{
    int64_t delay_us;
    int32_t column;
    TRY(watermark_delay(self, watermark->delay, &delay_us));
    TRY(watermark_column(self, watermark, rows, &column));
    if (!rows->plan->streaming) {
        notes_warn(self->notes, watermark->at, "WATERMARK on rows that stand still is ignored");
        return E_OK;
    }
    if (plan_watermarked(self->arena, rows->plan))
        return sql_error(self, watermark->at, "keep the one further down; reading a table starts anew",
                         "[STREAM_FAILED] Redefining watermark is disallowed.");
    struct plan *node = plan_over(self->arena, PLAN_WATERMARK, rows->plan, rows->plan->schema, watermark->at);
    node->watermark = (struct plan_watermark){.column = column, .delay_us = delay_us};
    rows->plan = node;
    return E_OK;
}

/* ---- names ---- */

static enum code analyse_named(struct analyser *self, const struct ast_relation *relation, struct rowset *out)
{
    const struct ast_cte *cte = NULL;
    struct plan *plan;
    TRY(find_cte(self, relation, &cte, &plan));
    bool told = plan == NULL && relation->tells_file && catalog_is_files(self, relation);
    if (plan == NULL)
        TRY(catalog_relation(self, relation, &plan));
    told = told && plan_tells_file(plan);
    const char *const *names = cte != NULL ? cte->columns : NULL;
    rowset_of_plan(self, plan, relation->parts[relation->part_count - 1], names, cte != NULL ? cte->column_count : 0,
                   out);
    if (told)
        rowset_hide_file(out);
    return E_OK;
}

/* A constant BIGINT; *value stays when the argument is not there. */
static enum code range_argument(struct analyser *self, const struct ast *call, int32_t index, int64_t *value)
{
    struct rowset nothing = {.plan = plan_one_row(self, call->at)};
    struct scope scope = {.rows = &nothing, .clause = "range(..)"};
    const struct expr *arg;
    if (index >= call->arg_count)
        return E_OK;
    const struct ast *ast = call->args[index];
    TRY(analyse_expr(self, &scope, ast, &arg));
    TRY(placed(self, expr_cast(&self->expr, arg, type_of(TYPE_INT64), false, ast->at, &arg, self->err), ast->at));
    if (!expr_is_constant(arg))
        return sql_error(
            self, ast->at, NULL,
            "[NON_FOLDABLE_ARGUMENT] The function `range` requires a foldable expression of the type \"BIGINT\", but "
            "the actual argument is a non-foldable.");
    TRY(placed(self, expr_fold(&self->expr, arg, &arg, self->err), ast->at));
    if (column_is_null(arg->literal, 0))
        return sql_error(self, ast->at, NULL, "[UNEXPECTED_INPUT_TYPE] range() takes constants that are not NULL.");
    *value = column_values(arg->literal, int64_t)[0];
    return E_OK;
}

/* range(end), range(start, end[, step[, partitions]]) */
static enum code analyse_range(struct analyser *self, const struct ast_relation *relation, struct rowset *out)
{
    const struct ast *call = relation->function;
    struct plan_range range = {0, 0, 1};
    struct field id = {"id", type_of(TYPE_INT64), false};
    if (call->arg_count < 1 || call->arg_count > 4)
        return sql_error(self, call->at, NULL,
                         "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `range` requires [1, 4] parameters but the actual "
                         "number is %d.",
                         call->arg_count);
    TRY(range_argument(self, call, 0, call->arg_count == 1 ? &range.to : &range.from));
    TRY(range_argument(self, call, 1, &range.to));
    TRY(range_argument(self, call, 2, &range.step));
    if (range.step == 0)
        return sql_error(self, call->at, NULL, "[FAILED_FUNCTION_CALL] step cannot be 0");
    struct plan *plan = plan_new(self->arena, PLAN_RANGE, type_struct(self->arena, &id, 1), relation->at);
    plan->range = range;
    plan->unsupported = "range(..)";
    rowset_of_plan(self, plan, relation->alias, NULL, 0, out);
    return E_OK;
}

/* range(n), explode(..) in FROM: typed as a generator over one row. */
static enum code analyse_function(struct analyser *self, const struct ast_relation *relation, const struct scope *outer,
                                  struct rowset *out)
{
    const struct ast *call = relation->function;
    if (call->kind == AST_CALL && is_generator(call)) {
        int32_t count;
        *out = (struct rowset){.plan = plan_one_row(self, relation->at)};
        struct scope scope = {.rows = out, .outer = outer, .clause = "FROM"};
        TRY(analyse_generator(self, &scope, call, false, relation->column_aliases, relation->column_alias_count,
                              &count));
        rowset_of_plan(self, out->plan, relation->alias, NULL, 0, out);
        return E_OK;
    }
    const char *name = call->kind == AST_CALL ? call->text : "";
    if (is_read_function(call)) {
        struct plan *source;
        TRY(catalog_read_function(self, relation, &source));
        rowset_of_plan(self, source, relation->alias, NULL, 0, out);
        if (relation->tells_file && plan_tells_file(source))
            rowset_hide_file(out);
        return E_OK;
    }
    const struct sql_function *function = call->kind == AST_CALL ? function_find(self, name) : NULL;
    if (function != NULL && !same_name(name, "range")) {
        TRY(analyse_function_rows(self, outer, call, function, out));
        rowset_of_plan(self, out->plan, relation->alias != NULL ? relation->alias : function->name, NULL, 0, out);
        return E_OK;
    }
    if (!same_name(name, "range"))
        return sql_error(self, relation->at, NULL,
                         "[UNRESOLVABLE_TABLE_VALUED_FUNCTION] Could not resolve `%s` to a table-valued "
                         "function.",
                         name);
    return analyse_range(self, relation, out);
}

/* ---- one relation ---- */

static enum code apply_alias(struct analyser *self, const struct ast_relation *relation, struct rowset *rows)
{
    if (relation->alias == NULL)
        return E_OK;
    int32_t visible = 0;
    for (int32_t i = 0; i < rows->column_count; i++) {
        struct scope_column *col = &rows->columns[i];
        if (col->file)
            col->qualifier = relation->alias;
        if (col->hidden)
            continue;
        col->qualifier = relation->alias;
        if (visible < relation->column_alias_count)
            col->name = relation->column_aliases[visible];
        visible++;
    }
    if (relation->column_alias_count > 0 && relation->column_alias_count != visible)
        return sql_error(self, relation->at, NULL,
                         "[%s] The number of columns or variables assigned or aliased: "
                         "%d does not match the number of source expressions: %d.",
                         relation->row_count > 0 ? "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH"
                                                 : "ASSIGNMENT_ARITY_MISMATCH",
                         relation->column_alias_count, visible);
    return E_OK;
}

static void mark_unsupported(struct analyser *self, const struct ast_relation *relation, struct rowset *rows)
{
    if (relation->unsupported == NULL)
        return;
    struct plan *node = plan_over(self->arena, PLAN_LIMIT, rows->plan, rows->plan->schema, relation->at);
    node->unsupported = relation->unsupported;
    rows->plan = node;
}

/* The names under a pipe step stay in sight; those of a subquery do not. */
static void forget_qualifiers(struct rowset *rows)
{
    for (int32_t i = 0; i < rows->column_count; i++)
        rows->columns[i].qualifier = NULL;
}

/* Within FROM a WITH name may hide one of further out, whatever the dialect says of others. */
static enum code analyse_derived(struct analyser *self, const struct ast_relation *relation, const struct scope *outer,
                                 struct rowset *out)
{
    bool differ = self->dialect.nested_names_differ;
    self->dialect.nested_names_differ = false;
    enum code code = query_rows(self, relation->query, relation->lateral || self->batch ? outer : NULL, out);
    self->dialect.nested_names_differ = differ;
    return code;
}

enum code analyse_relation(struct analyser *self, const struct ast_relation *relation, const struct scope *outer,
                           struct rowset *out)
{
    switch (relation->kind) {
    case RELATION_NAME: TRY(analyse_named(self, relation, out)); break;
    case RELATION_VALUES: TRY(analyse_values(self, relation, out)); break;
    case RELATION_FUNCTION: TRY(analyse_function(self, relation, outer, out)); break;
    case RELATION_JOIN: return analyse_join(self, relation, outer, out);
    case RELATION_PIVOT: TRY(analyse_pivot(self, relation, outer, out)); break;
    case RELATION_PIPED: TRY(query_rows(self, relation->query, outer, out)); break;
    case RELATION_QUERY:
        TRY(analyse_derived(self, relation, outer, out));
        forget_qualifiers(out);
        break;
    }
    out->decoded_count = 0;
    if (relation->watermark != NULL)
        TRY(apply_watermark(self, relation->watermark, out));
    if (relation->sample != NULL)
        TRY(analyse_sample(self, relation->sample, out));
    mark_unsupported(self, relation, out);
    return apply_alias(self, relation, out);
}
