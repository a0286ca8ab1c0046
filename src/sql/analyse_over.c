/* analyse_over.c - window functions: aggregates, ranks, and neighbours with OVER. */
#include "sql/select.h"

static const struct ast_window *window_named(const struct select *select, const char *name)
{
    for (int32_t i = 0; i < select->ast->window_count; i++)
        if (same_name(select->ast->windows[i].name, name))
            return &select->ast->windows[i];
    return NULL;
}

/* A constant BIGINT argument: lag's offset, ntile's tiles. */
static enum code constant_number(struct analyser *self, const struct ast *ast, const struct expr *arg, int64_t *out)
{
    TRY(placed(self, expr_cast(&self->expr, arg, type_of(TYPE_INT64), false, arg->at, &arg, self->err), arg->at));
    if (!expr_is_constant(arg))
        return sql_error(self, arg->at, NULL,
                         "[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] the argument of %s must be constant.", ast->text);
    TRY(placed(self, expr_fold(&self->expr, arg, &arg, self->err), arg->at));
    *out = column_is_null(arg->literal, 0) ? 0 : column_values(arg->literal, int64_t)[0];
    return E_OK;
}

/* ---- PARTITION BY, ORDER BY ---- */

static enum code over_partition(struct analyser *self, const struct scope *scope, const struct ast_window *window,
                                struct plan_over *out)
{
    const struct expr **exprs = arena_array(self->arena, const struct expr *, (size_t)window->partition_count + 1);
    for (int32_t i = 0; i < window->partition_count; i++)
        TRY(analyse_expr(self, scope, window->partition[i], &exprs[i]));
    out->partition = exprs;
    out->partition_count = window->partition_count;
    return E_OK;
}

static enum code over_order(struct analyser *self, const struct scope *scope, const struct ast_window *window,
                            struct plan_over *out)
{
    const struct expr **exprs = arena_array(self->arena, const struct expr *, (size_t)window->order_count + 1);
    struct plan_order *orders = arena_array(self->arena, struct plan_order, (size_t)window->order_count + 1);
    for (int32_t i = 0; i < window->order_count; i++) {
        TRY(analyse_expr(self, scope, window->order[i].expr, &exprs[i]));
        orders[i] = (struct plan_order){window->order[i].descending, window->order[i].nulls_last};
    }
    out->order = exprs;
    out->orders = orders;
    out->order_count = window->order_count;
    return E_OK;
}

/* ---- the frame ---- */

/* The offset as the key's type, but for DATEs and TIMESTAMPs, to which an INT or an interval is added. */
static const struct expr *offset_of_key(struct analyser *self, const struct plan_over *over, const struct expr *offset)
{
    const struct type *key = over->order_count == 1 ? over->order[0]->type : NULL;
    if (key == NULL || key->id == TYPE_DATE || key->id == TYPE_TIMESTAMP || key->id == TYPE_TIMESTAMP_NTZ ||
        type_equal(key, offset->type))
        return offset;
    struct error none = {0};
    const struct expr *as_key;
    return expr_cast(&self->expr, offset, key, false, offset->at, &as_key, &none) == E_OK ? as_key : offset;
}

static enum code bound_offset(struct analyser *self, const struct scope *scope, const struct ast_bound *bound,
                              const struct plan_over *over, const struct expr **out)
{
    TRY(analyse_expr(self, scope, bound->offset, out));
    if (!expr_is_constant(*out))
        return sql_error(self, bound->offset->at, NULL,
                         "[DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WITHOUT_FOLDABLE] Window frame bound \"%s\" is not "
                         "a literal.",
                         ast_name_of(self, bound->offset));
    if (!over->by_rows)
        *out = offset_of_key(self, over, *out);
    const struct type *type = (*out)->type;
    bool fits = over->by_rows ? type->id == TYPE_INT32
                              : type_is_numeric(type) || type_is_interval(type) || type->id == TYPE_NULL;
    if (!fits)
        return sql_error(self, bound->offset->at, NULL,
                         "[DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE] The data type of the bound \"%s\" "
                         "does not match the expected data type \"%s\".",
                         type_text(self->arena, type), over->by_rows ? "INT" : "NUMERIC or INTERVAL");
    return E_OK;
}

static enum code range_bound(struct analyser *self, const struct expr *offset, const struct plan_over *over,
                             struct plan_bound *out)
{
    if (over->order_count != 1)
        return sql_error(self, offset->at, NULL,
                         "[DATATYPE_MISMATCH.RANGE_FRAME_MULTI_ORDER] A range window frame with value boundaries "
                         "cannot be used in a window specification with %s.",
                         over->order_count == 0 ? "no ORDER BY" : "several ORDER BY expressions");
    const struct expr *args[2] = {over->order[0], offset};
    bool less = (out->kind == BOUND_BEFORE) != over->orders[0].descending;
    enum code code = expr_call(&self->expr, less ? "-" : "+", args, 2, offset->at, &out->value, self->err);
    if (code != E_OK)
        return sql_error(self, offset->at, NULL,
                         "[DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE] The data type \"%s\" used in the order "
                         "specification does not support the data type \"%s\" which is used in the range frame.",
                         type_text(self->arena, args[0]->type), type_text(self->arena, offset->type));
    const struct type *key = args[0]->type, *bounds = out->value->type;
    bool wider = key->id == TYPE_DECIMAL && bounds->id == TYPE_DECIMAL && bounds->scale == key->scale;
    if (!wider && !type_equal(bounds, key)) // a bound may have a digit more than any key
        return placed(self, expr_cast(&self->expr, out->value, key, false, offset->at, &out->value, self->err),
                      offset->at);
    return E_OK;
}

static enum code over_bound(struct analyser *self, const struct ast_bound *bound, const struct expr *offset,
                            const struct plan_over *over, struct plan_bound *out)
{
    if (offset == NULL)
        return E_OK;
    if (!over->by_rows)
        return range_bound(self, offset, over, out);
    return constant_number(self, bound->offset, offset, &out->rows);
}

/* Whether the frame begins behind its end, whatever the row. */
static bool is_backward(struct analyser *self, const struct plan_over *over, const struct expr *const offsets[2])
{
    const enum bound_kind kinds[2] = {over->from.kind, over->to.kind};
    if (kinds[0] == BOUND_END || kinds[1] == BOUND_START || kinds[0] > kinds[1])
        return true;
    if (offsets[0] == NULL || offsets[1] == NULL)
        return false;
    struct error none = {0};
    const struct expr *far[2] = {offsets[0], offsets[1]}, *later, *value;
    for (int i = 0; i < 2; i++)
        if (kinds[i] == BOUND_BEFORE &&
            expr_call(&self->expr, "negative", &far[i], 1, far[i]->at, &far[i], &none) != E_OK)
            return false;
    return expr_call(&self->expr, ">", far, 2, far[0]->at, &later, &none) == E_OK &&
           expr_fold(&self->expr, later, &value, &none) == E_OK && column_valid_at(value->literal, 0) &&
           bit_get(value->literal->values->data, 0);
}

/* Without a frame: up to the row's peers when there is an order, else all rows. */
static enum code over_frame(struct analyser *self, const struct scope *scope, const struct ast_window *window,
                            struct plan_over *out)
{
    static const enum bound_kind kinds[] = {[BOUND_UNBOUNDED_PRECEDING] = BOUND_START,
                                            [BOUND_PRECEDING] = BOUND_BEFORE,
                                            [BOUND_CURRENT] = BOUND_ROW,
                                            [BOUND_FOLLOWING] = BOUND_AFTER,
                                            [BOUND_UNBOUNDED_FOLLOWING] = BOUND_END};
    out->by_rows = window->framed && window->by_rows;
    out->from.kind = BOUND_START;
    out->to.kind = out->order_count > 0 ? BOUND_ROW : BOUND_END;
    if (!window->framed)
        return E_OK;
    const struct expr *offsets[2] = {NULL, NULL};
    out->from = (struct plan_bound){.kind = kinds[window->from.kind]};
    out->to = (struct plan_bound){.kind = kinds[window->to.kind]};
    if (window->from.offset != NULL)
        TRY(bound_offset(self, scope, &window->from, out, &offsets[0]));
    if (window->to.offset != NULL)
        TRY(bound_offset(self, scope, &window->to, out, &offsets[1]));
    if (offsets[0] != NULL && offsets[1] != NULL && !type_equal(offsets[0]->type, offsets[1]->type))
        return sql_error(self, window->at, NULL,
                         "[DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_DIFF_TYPES] Window frame bounds \"%s\" and \"%s\" "
                         "do not have the same type.",
                         type_text(self->arena, offsets[0]->type), type_text(self->arena, offsets[1]->type));
    if (is_backward(self, out, offsets))
        return sql_error(
            self, window->at, NULL,
            "[DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON] The lower bound of a window frame "
            "must be less than or equal to the upper bound.");
    TRY(over_bound(self, &window->from, offsets[0], out, &out->from));
    return over_bound(self, &window->to, offsets[1], out, &out->to);
}

/* ---- the function ---- */

/* lag(x[, offset[, default]]): looks back; lead looks ahead. */
static enum code over_shift(struct analyser *self, const struct ast *ast, struct plan_over *out,
                            const struct expr **args)
{
    out->number = 1;
    if (out->arg_count < 1 || out->arg_count > 3)
        return sql_error(
            self, ast->at, NULL,
            "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `%s` requires [1, 3] parameters but the actual number "
            "is %d.",
            ast->text, out->arg_count);
    if (out->arg_count > 1)
        TRY(constant_number(self, ast, args[1], &out->number));
    if (same_name(ast->text, "lead"))
        out->number = -out->number;
    out->type = args[0]->type;
    if (out->arg_count > 2) {
        const struct type *common = type_common(self->arena, args[0]->type, args[2]->type);
        if (common == NULL)
            return sql_error(self, ast->at, NULL,
                             "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] the default of %s is of another type.",
                             ast->text);
        TRY(placed(self, expr_cast(&self->expr, args[0], common, false, ast->at, &args[0], self->err), ast->at));
        TRY(placed(self, expr_cast(&self->expr, args[2], common, false, ast->at, &args[1], self->err), ast->at));
        out->type = common;
    }
    out->arg_count = out->arg_count > 2 ? 2 : 1;
    return E_OK;
}

/* first_value(x[, ignore]), last_value(x), nth_value(x, n) and their other names. */
static enum code over_nth(struct analyser *self, const struct ast *ast, struct plan_over *out, const struct expr **args)
{
    bool nth = same_name(ast->text, "nth_value");
    int64_t ignore = 0;
    out->number = same_name(ast->text, "last") || same_name(ast->text, "last_value") ? -1 : 1;
    if (out->arg_count < 1 + nth || out->arg_count > 2 + nth)
        return sql_error(self, ast->at, NULL,
                         "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `%s` does not take %d parameters.", ast->text,
                         out->arg_count);
    if (nth)
        TRY(constant_number(self, ast, args[1], &out->number));
    if (nth && out->number < 1)
        return sql_error(self, ast->at, NULL,
                         "[DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE] The offset of nth_value must be above 0.");
    if (!nth && out->arg_count > 1) {
        TRY(placed(self, expr_cast(&self->expr, args[1], type_of(TYPE_INT32), false, ast->at, &args[1], self->err),
                   ast->at));
        TRY(constant_number(self, ast, args[1], &ignore));
    }
    out->ignore_nulls = out->ignore_nulls || ignore != 0;
    out->type = args[0]->type;
    out->arg_count = 1;
    return E_OK;
}

/* These look at the whole partition in an order of their own. */
static bool takes_no_frame(const struct ast *ast)
{
    return same_name(ast->text, "percentile_cont") || same_name(ast->text, "percentile_disc") ||
           same_name(ast->text, "median") || (ast->call->within_count > 0 && !same_name(ast->text, "mode"));
}

static enum code over_aggregate(struct analyser *self, const struct scope *inside, const struct ast *ast,
                                const struct ast_window *window, struct plan_over *out, const struct expr **args)
{
    const struct expr *filter = NULL;
    int32_t count = out->arg_count;
    if (function_kind(ast->text) != FUNCTION_AGGREGATE && ast->call->within_count > 0)
        return within_refused(self, ast, "WITHIN GROUP (ORDER BY ...)");
    if (function_kind(ast->text) != FUNCTION_AGGREGATE)
        return sql_error(self, ast->at, NULL,
                         "[UNSUPPORTED_EXPR_FOR_WINDOW] Expression \"%s\" not supported within a window "
                         "function.",
                         ast_name_of(self, ast));
    TRY(within_args(self, inside, ast, &args, &count));
    if (takes_no_frame(ast) && (window->order_count > 0 || window->framed))
        return sql_error(
            self, ast->at, NULL,
            "[INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC] Cannot specify ORDER BY or a window frame for \"%s\".",
            ast_name_of(self, ast));
    if (ast->call->distinct)
        return sql_error(self, ast->at, NULL,
                         "[DISTINCT_WINDOW_FUNCTION_UNSUPPORTED] Distinct window functions are not supported: %s.",
                         ast_name_of(self, ast));
    if (ast->call->filter != NULL)
        TRY(analyse_boolean(self, inside, ast->call->filter, &filter));
    TRY(placed(self, aggregate_bind(&self->expr, ast->text, args, count, false, filter, ast->at, &out->call, self->err),
               ast->at));
    out->type = out->call->type;
    out->arg_count = 0;
    return E_OK;
}

static enum code over_function(struct analyser *self, const struct scope *scope, const struct ast *ast,
                               const struct ast_window *window, struct plan_over *out)
{
    static const struct {
        const char *name;
        enum over_kind kind;
        enum type_id type;
    } functions[] = {{"row_number", OVER_ROW_NUMBER, TYPE_INT32},
                     {"rank", OVER_RANK, TYPE_INT32},
                     {"dense_rank", OVER_DENSE_RANK, TYPE_INT32},
                     {"percent_rank", OVER_PERCENT_RANK, TYPE_DOUBLE},
                     {"cume_dist", OVER_CUME_DIST, TYPE_DOUBLE},
                     {"ntile", OVER_NTILE, TYPE_INT32},
                     {"lag", OVER_SHIFT, TYPE_NULL},
                     {"lead", OVER_SHIFT, TYPE_NULL},
                     {"first_value", OVER_NTH, TYPE_NULL},
                     {"first", OVER_NTH, TYPE_NULL},
                     {"any_value", OVER_NTH, TYPE_NULL},
                     {"last_value", OVER_NTH, TYPE_NULL},
                     {"last", OVER_NTH, TYPE_NULL},
                     {"nth_value", OVER_NTH, TYPE_NULL}};
    const struct expr **args;
    struct scope inside = *scope;
    inside.clause = "a window function";
    TRY(analyse_args(self, &inside, ast, &args));
    out->args = args;
    out->arg_count = ast->arg_count;
    out->ignore_nulls = ast->call->ignore_nulls;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (!same_name(functions[i].name, ast->text))
            continue;
        out->kind = functions[i].kind;
        out->type = type_of(functions[i].type);
        if (out->kind == OVER_SHIFT)
            return over_shift(self, ast, out, args);
        if (out->kind == OVER_NTH)
            return over_nth(self, ast, out, args);
        if (out->kind == OVER_NTILE && out->arg_count == 1)
            TRY(constant_number(self, ast, args[0], &out->number));
        else if (out->arg_count > 0 && out->kind != OVER_NTILE)
            return sql_error(self, ast->at, NULL,
                             "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `%s` requires 0 parameters but the actual number "
                             "is %d.",
                             ast->text, out->arg_count);
        else if (out->kind == OVER_NTILE)
            out->number = 1;
        out->arg_count = 0;
        return E_OK;
    }
    return over_aggregate(self, &inside, ast, window, out, args);
}

/* Ranks count over the whole partition and want an order. */
static enum code check_rank(struct analyser *self, const struct ast *ast, const struct ast_window *window,
                            const struct plan_over *over)
{
    if (over->kind == OVER_AGGREGATE || over->kind == OVER_NTH)
        return E_OK;
    if (over->order_count == 0)
        return sql_error(
            self, ast->at, NULL, "[%s] Window function %s requires window to be ordered: OVER (ORDER BY ..).",
            over->kind == OVER_SHIFT ? "WINDOW_FUNCTION_FRAME_NOT_ORDERED" : "WINDOW_FUNCTION_WITHOUT_ORDER_BY",
            ast_name_of(self, ast));
    if (window->framed && over->kind == OVER_SHIFT)
        return sql_error(self, ast->at, NULL, "[WINDOW_FUNCTION_FRAME_NOT_ORDERED] %s takes no frame of its own.",
                         ast->text);
    return E_OK;
}

/* count(*) OVER (..) has no expression for its star. */
static const struct ast *without_star(struct analyser *self, const struct ast *ast)
{
    if (ast->arg_count != 1 || ast->args[0]->kind != AST_STAR)
        return ast;
    struct ast *copy = arena_new(self->arena, struct ast), *one = arena_new(self->arena, struct ast);
    *copy = *ast;
    *one = (struct ast){.kind = AST_NUMBER, .at = ast->at, .height = 1, .text = "1"};
    copy->args = arena_new(self->arena, struct ast *);
    copy->args[0] = one;
    return copy;
}

enum code select_over(struct analyser *self, const struct scope *scope, const struct ast *ast, const struct expr **out)
{
    struct select *select = scope->select;
    if (strcmp(scope->clause, "WHERE") == 0)
        return sql_error(
            self, ast->at, "compute it in a subquery, or use QUALIFY",
            "[WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE] Window functions are not allowed in the WHERE clause.");
    if (select == NULL || scope->inside_aggregate || select->grouping)
        return sql_error(self, ast->at, NULL, "[UNSUPPORTED_EXPR_FOR_OPERATOR] a window function cannot stand in %s",
                         scope->clause);
    const struct ast_window *window = ast->call->over;
    if (window->name != NULL) {
        window = window_named(select, window->name);
        if (window == NULL)
            return sql_error(self, ast->call->over->at, NULL,
                             "[MISSING_WINDOW_SPECIFICATION] Window specification is not defined in the "
                             "WINDOW clause for `%s`.",
                             ast->call->over->name);
    }
    struct plan_over *over = arena_new(self->arena, struct plan_over);
    TRY(over_function(self, scope, without_star(self, ast), window, over)); // first, as Spark checks it
    TRY(over_partition(self, scope, window, over));
    TRY(over_order(self, scope, window, over));
    TRY(over_frame(self, scope, window, over));
    TRY(check_rank(self, ast, window, over));
    int32_t index = select->overs.count;
    list_add(self->arena, &select->overs, over);
    list_add(self->arena, &select->over_names, ast_name_of(self, ast));
    struct field field = {ast_name_of(self, ast), over->type, true};
    *out = expr_column(&self->expr, MARK_OVER + index, &field, ast->at);
    return E_OK;
}
