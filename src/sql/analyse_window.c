/* analyse_window.c - window(time, size[, slide[, start]]) and session_window(time, gap).
 *
 * Keys     among the keys of GROUP BY a window is the aggregate's business: a marked column, select->window
 * Values   elsewhere it becomes a column of the rows: a tumbling window or one row's session is computed
 *          (PROJECT), a sliding one repeats the row for each (GENERATE). Rows of a NULL time fall out, as
 *          on Spark
 * Gap      of a session: constant, or per row. Rows whose gap is NULL or not above 0 fall out
 * Spec     Spark's TimeWindowing and SessionWindowing; docs/semantics.md#windows
 */
#include "sql/select.h"

enum { SLIDES_MAX = 1000 }; // windows that one row falls into

/* ---- arguments ---- */

static enum code no_months(struct analyser *self, const struct ast *ast, const char *function)
{
    return sql_error(self, ast->at, NULL,
                     "[CANNOT_PARSE_INTERVAL] Intervals greater than a month is not supported in %s.", function);
}

static enum code check_duration(struct analyser *self, const struct ast *ast, const struct expr *value)
{
    if (expr_is_constant(value) && (value->type->id == TYPE_STRING || type_is_integer(value->type)))
        return E_OK;
    return sql_error(self, ast->at, "write '1 minute' or '10 seconds'",
                     "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] The duration and time inputs to "
                     "window must be an integer, long or string literal.");
}

/* '1 minute', or microseconds. */
static enum code window_duration(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                 int64_t *out_us)
{
    const struct expr *value;
    int64_t months = 0;
    *out_us = 0;
    if (ast->kind == AST_INTERVAL) {
        notes_warn(self->notes, ast->at, "Spark's window takes '1 minute', not INTERVAL");
        TRY(analyse_interval(self, ast, &months, out_us));
        return months != 0 ? no_months(self, ast, "window") : E_OK;
    }
    TRY(analyse_expr(self, scope, ast, &value));
    TRY(check_duration(self, ast, value));
    TRY(placed(self, expr_fold(&self->expr, value, &value, self->err), ast->at));
    if (value->type->id != TYPE_STRING) {
        TRY(placed(self, expr_cast(&self->expr, value, type_of(TYPE_INT64), false, ast->at, &value, self->err),
                   ast->at));
        TRY(placed(self, expr_fold(&self->expr, value, &value, self->err), ast->at));
        *out_us = column_values(value->literal, int64_t)[0];
        return E_OK;
    }
    if (column_is_null(value->literal, 0) ||
        !interval_parse(column_bytes_at(value->literal, 0), false, &months, out_us))
        return sql_error(self, ast->at, "write '1 minute' or '10 seconds'",
                         "[CANNOT_PARSE_INTERVAL] Unable to parse the duration of the window.");
    return months != 0 ? no_months(self, ast, "window") : E_OK;
}

static bool is_window_struct(const struct type *type)
{
    return type->id == TYPE_STRUCT && type->field_count == 2 && same_name(type->fields[0].name, "start") &&
           same_name(type->fields[1].name, "end") && type->fields[1].type->id >= TYPE_TIMESTAMP &&
           type->fields[1].type->id <= TYPE_TIMESTAMP_NTZ;
}

/* A window of windows counts each at its last instant. */
static enum code window_time(struct analyser *self, const struct scope *scope, const struct ast *call,
                             const struct expr **out)
{
    const struct ast *ast = call->args[0];
    TRY(analyse_expr(self, scope, ast, out));
    enum type_id id = (*out)->type->id;
    if (id == TYPE_TIMESTAMP || id == TYPE_TIMESTAMP_NTZ)
        return E_OK;
    if (is_window_struct((*out)->type))
        return placed(self, expr_call(&self->expr, "window_time", out, 1, ast->at, out, self->err), ast->at);
    if (id == TYPE_DATE || id == TYPE_STRING)
        return placed(self, expr_cast(&self->expr, *out, type_of(TYPE_TIMESTAMP), false, ast->at, out, self->err),
                      ast->at);
    return sql_error(self, ast->at, "cast it: try_cast(x AS TIMESTAMP)",
                     "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve \"%s\" due to data type "
                     "mismatch: The first parameter requires the (\"TIMESTAMP\" or \"TIMESTAMP WITHOUT TIME "
                     "ZONE\") type, however \"%s\" has the type \"%s\".",
                     call->text, ast_name_of(self, ast), type_text(self->arena, (*out)->type));
}

static enum code wrong_count(struct analyser *self, const struct ast *ast, const char *wanted)
{
    return sql_error(self, ast->at, NULL,
                     "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `%s` requires %s parameters but the "
                     "actual number is %d.",
                     ast->text, wanted, ast->arg_count);
}

static enum code window_arguments(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                  struct plan_window *out)
{
    if (ast->arg_count < 2 || ast->arg_count > 4)
        return wrong_count(self, ast, "[2, 4]");
    TRY(window_time(self, scope, ast, &out->time));
    TRY(window_duration(self, scope, ast->args[1], &out->size_us));
    out->slide_us = out->size_us;
    if (ast->arg_count > 2)
        TRY(window_duration(self, scope, ast->args[2], &out->slide_us));
    if (ast->arg_count > 3)
        TRY(window_duration(self, scope, ast->args[3], &out->start_us));
    if (out->size_us > 0 && out->slide_us > 0 && out->slide_us <= out->size_us && out->start_us < out->slide_us &&
        out->start_us > -out->slide_us)
        return E_OK;
    return sql_error(self, ast->at, NULL,
                     "[DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION] Cannot resolve \"window\": the size "
                     "and the slide must be above 0, the slide at most the size, and the start below the "
                     "slide.");
}

/* ---- the gap of a session ---- */

static enum code constant_gap(struct analyser *self, const struct ast *ast, const struct expr *value,
                              const struct expr **out)
{
    int64_t months = 0, us = 0;
    TRY(placed(self, expr_fold(&self->expr, value, &value, self->err), ast->at));
    bool null = column_is_null(value->literal, 0);
    if (!null && value->type->id == TYPE_INTERVAL_DT)
        us = column_values(value->literal, int64_t)[0];
    else if (!null && !interval_parse(column_bytes_at(value->literal, 0), false, &months, &us))
        us = 0;
    if (months != 0)
        return not_yet(self, ast->at, "a session with a gap of months");
    if (us <= 0 || us > INT64_MAX / 8)
        return sql_error(self, ast->at, "write '5 minutes' or '30 seconds'",
                         "[CANNOT_PARSE_INTERVAL] the gap of a session must be an interval above "
                         "0: with this one Spark drops every row.");
    *out = expr_int(&self->expr, type_of(TYPE_INTERVAL_DT), us, ast->at);
    return E_OK;
}

static enum code session_arguments(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                   struct plan_window *out)
{
    if (ast->arg_count != 2)
        return wrong_count(self, ast, "2");
    TRY(window_time(self, scope, ast, &out->time));
    const struct ast *written = ast->args[1];
    const struct expr *gap;
    TRY(analyse_expr(self, scope, written, &gap));
    if (gap->type->id == TYPE_NULL)
        gap = expr_null(&self->expr, type_of(TYPE_STRING), written->at);
    if (gap->type->id != TYPE_STRING && gap->type->id != TYPE_INTERVAL_DT)
        return sql_error(self, written->at, "give it as text: '5 minutes'",
                         "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Gap duration expression used in session "
                         "window must be CalendarIntervalType, but got \"%s\".",
                         type_text(self->arena, gap->type));
    if (gap->type->id == TYPE_INTERVAL_DT)
        notes_warn(self->notes, written->at, "Spark's session_window takes its gap as text: '5 minutes'");
    if (expr_is_constant(gap))
        return constant_gap(self, written, gap, &out->gap);
    out->gap = gap;
    if (gap->type->id == TYPE_INTERVAL_DT)
        return E_OK;
    return placed(self, expr_call(&self->expr, "window:gap", &gap, 1, written->at, &out->gap, self->err), written->at);
}

/* ---- as a key, or as a value ---- */

static bool same_window(const struct plan_window *a, const struct plan_window *b)
{
    return a->size_us == b->size_us && a->slide_us == b->slide_us && a->start_us == b->start_us &&
           expr_equal(a->time, b->time) && (a->gap == NULL) == (b->gap == NULL) &&
           (a->gap == NULL || expr_equal(a->gap, b->gap));
}

static enum code several_windows(struct analyser *self, const struct ast *ast)
{
    return sql_error(self, ast->at, NULL,
                     "[UNSUPPORTED_FEATURE.MULTIPLE_TIME_WINDOWS] Multiple time/session window expressions "
                     "would result in a cartesian product of rows, therefore they are currently not supported.");
}

static const struct type *window_type(struct analyser *self, const struct type *time)
{
    struct field fields[2] = {{"start", time, true}, {"end", time, true}};
    return type_struct(self->arena, fields, 2);
}

const struct expr *select_window_column(struct analyser *self, const struct select *select, struct position at)
{
    struct field field = {select->window_name, select->window_type, false};
    return expr_column(&self->expr, MARK_WINDOW, &field, at);
}

/* What computes the window, or all windows, of a row. */
static enum code window_value(struct analyser *self, const struct plan_window *window, struct position at,
                              const struct expr **out)
{
    const struct expr *args[4] = {window->time, window->gap};
    const struct type *number = type_of(TYPE_INT64);
    bool sliding = window->slide_us != window->size_us;
    int32_t count = 2;
    if (window->gap == NULL) {
        args[1] = expr_int(&self->expr, number, window->size_us, at);
        args[count++] = expr_int(&self->expr, number, sliding ? window->slide_us : window->start_us, at);
    }
    if (sliding)
        args[count++] = expr_int(&self->expr, number, window->start_us, at);
    const char *name = window->gap != NULL ? "window:session" : sliding ? "window:sliding" : "window:tumbling";
    return placed(self, expr_call(&self->expr, name, args, count, at, out, self->err), at);
}

static const struct expr *repeat_rows(struct analyser *self, struct rowset *rows, const struct expr *windows)
{
    struct field field = {"window", windows->type->fields[0].type, false};
    struct plan *node = plan_over(self->arena, PLAN_GENERATE, rows->plan,
                                  schema_append(self->arena, rows->plan->schema, &field, 1), windows->at);
    const struct expr **args = arena_new(self->arena, const struct expr *);
    args[0] = windows;
    node->generate = (struct plan_generate){.kind = GENERATE_EXPLODE, .args = args, .arg_count = 1, .generated = 1};
    rows->plan = node;
    return column_of(self, node, node->schema->field_count - 1, windows->at);
}

static enum code keep_rows(struct analyser *self, struct rowset *rows, const char *function,
                           const struct expr *const *args, int32_t count)
{
    const struct expr *predicate;
    struct position at = args[0]->at;
    TRY(placed(self, expr_call(&self->expr, function, args, count, at, &predicate, self->err), at));
    rows->plan = plan_filter(self->arena, rows->plan, predicate, at);
    return E_OK;
}

/* Rows without a window fall out. */
enum code window_column(struct analyser *self, struct rowset *rows, const struct plan_window *window,
                        struct position at, const struct expr **out)
{
    const struct expr *value;
    TRY(keep_rows(self, rows, "isnotnull", &window->time, 1));
    if (window->gap != NULL && window->gap->kind != EXPR_LITERAL) {
        const struct expr *zero = expr_int(&self->expr, window->gap->type, 0, at);
        TRY(keep_rows(self, rows, ">", (const struct expr *const[]){window->gap, zero}, 2));
    }
    TRY(window_value(self, window, at, &value));
    *out = value->type->id == TYPE_ARRAY
               ? repeat_rows(self, rows, value)
               : rowset_append(self, rows, value, window->gap != NULL ? "session_window" : "window");
    return E_OK;
}

/* Spark gives one node of a plan one window: SELECT's are equal, WHERE has its own. */
static enum code window_as_value(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                 struct plan_window *window, const struct expr **out)
{
    struct select *select = scope->select;
    bool listed = select != NULL && strcmp(scope->clause, "the SELECT list") == 0;
    if (!listed && strcmp(scope->clause, "WHERE") != 0)
        return sql_error(self, ast->at, "compute it in a subquery: SELECT window(..) AS w, ..",
                         "[UNSUPPORTED_EXPR_FOR_OPERATOR] %s(..) stands in GROUP BY, in the SELECT "
                         "list or in WHERE, not in %s.",
                         ast->text, scope->clause);
    if (listed && select->projected.key >= 0) {
        if (!same_window(&select->projected, window))
            return several_windows(self, ast);
        *out = column_of(self, select->rows->plan, select->projected.key, ast->at);
        return E_OK;
    }
    bool sliding = window->slide_us != window->size_us;
    if (sliding && (!listed || scope->inside_aggregate))
        return not_yet(self, ast->at, "a sliding window outside of the SELECT list and GROUP BY");
    if (sliding && (window->size_us - 1) / window->slide_us >= SLIDES_MAX)
        return not_yet(self, ast->at, "more than 1000 sliding windows per row");
    TRY(window_column(self, scope->rows, window, ast->at, out));
    if (listed) {
        select->projected = *window;
        select->projected.key = (*out)->index;
    }
    return E_OK;
}

enum code select_window(struct analyser *self, const struct scope *scope, const struct ast *ast,
                        const struct expr **out)
{
    struct select *select = scope->select;
    struct plan_window window = {.key = -1};
    struct scope rows = {.rows = scope->rows, .outer = scope->outer, .clause = "window(..)"};
    if (same_name(ast->text, "session_window"))
        TRY(session_arguments(self, &rows, ast, &window));
    else
        TRY(window_arguments(self, &rows, ast, &window));
    bool known = select != NULL && select->window_type != NULL;
    if (known && !same_window(&select->window, &window))
        return several_windows(self, ast);
    if (scope->inside_aggregate || !(known || (select != NULL && select->grouping)))
        return window_as_value(self, scope, ast, &window, out);
    if (!known) {
        select->window = window;
        select->window_type = window_type(self, window.time->type);
        select->window_name = window.gap != NULL ? "session_window" : "window";
    }
    *out = select_window_column(self, select, ast->at);
    return E_OK;
}
