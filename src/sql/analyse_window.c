/* analyse_window.c - window(time, size[, slide[, start]]) of GROUP BY, and window functions with
 * OVER. */
#include "sql/select.h"

/* ---- window(..) ---- */

static enum code window_duration(struct analyser *self, const struct scope *scope,
                                 const struct ast *ast, int64_t *out_us)
{
    const struct expr *value;
    int64_t months = 0;
    struct ast number = {.kind = AST_STRING, .at = ast->at}, *args[1] = {&number};
    struct ast interval = {.kind = AST_INTERVAL, .at = ast->at, .args = args, .arg_count = 1};
    if (ast->kind == AST_INTERVAL) {
        TRY(analyse_interval(self, ast, &months, out_us));
    } else {
        TRY(analyse_expr(self, scope, ast, &value));
        if (!expr_is_constant(value) || value->type->id != TYPE_STRING)
            return sql_error(
                self, ast->at, "write '1 minute' or '10 seconds'",
                "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] The duration of a window must be a "
                "constant interval.");
        TRY(placed(self, expr_fold(&self->expr, value, &value, self->err), ast->at));
        number.bytes = column_bytes_at(value->literal, 0);
        TRY(analyse_interval(self, &interval, &months, out_us));
    }
    if (months != 0)
        return sql_error(
            self, ast->at, NULL,
            "[CANNOT_PARSE_INTERVAL] Intervals greater than a month is not supported in window.");
    return E_OK;
}

static bool is_window_struct(const struct type *type)
{
    return type->id == TYPE_STRUCT && type->field_count == 2 &&
           same_name(type->fields[0].name, "start") && same_name(type->fields[1].name, "end") &&
           type->fields[1].type->id >= TYPE_TIMESTAMP &&
           type->fields[1].type->id <= TYPE_TIMESTAMP_NTZ;
}

/* A window of windows counts each at its last instant: end - 1 us. */
static enum code window_time_of(struct analyser *self, const struct ast *ast,
                                const struct expr *window, const struct expr **out)
{
    return placed(self, expr_call(&self->expr, "window_time", &window, 1, ast->at, out, self->err),
                  ast->at);
}

static enum code window_time(struct analyser *self, const struct scope *scope,
                             const struct ast *ast, const struct expr **out)
{
    TRY(analyse_expr(self, scope, ast, out));
    enum type_id id = (*out)->type->id;
    if (id == TYPE_TIMESTAMP || id == TYPE_TIMESTAMP_NTZ)
        return E_OK;
    if (is_window_struct((*out)->type))
        return window_time_of(self, ast, *out, out);
    if (id == TYPE_DATE || id == TYPE_STRING)
        return placed(
            self,
            expr_cast(&self->expr, *out, type_of(TYPE_TIMESTAMP), false, ast->at, out, self->err),
            ast->at);
    return sql_error(
        self, ast->at, "cast it: try_cast(x AS TIMESTAMP)",
        "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve \"window\" due to data type "
        "mismatch: The first parameter requires the (\"TIMESTAMP\" or \"TIMESTAMP WITHOUT TIME "
        "ZONE\") type, however \"%s\" has the type \"%s\".",
        ast_name_of(self, ast), type_text(self->arena, (*out)->type));
}

static enum code window_arguments(struct analyser *self, const struct scope *scope,
                                  const struct ast *ast, struct plan_window *out)
{
    if (ast->arg_count < 2 || ast->arg_count > 4)
        return sql_error(
            self, ast->at, NULL,
            "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `window` requires [2, 4] parameters but the "
            "actual number is %d.",
            ast->arg_count);
    TRY(window_time(self, scope, ast->args[0], &out->time));
    TRY(window_duration(self, scope, ast->args[1], &out->size_us));
    out->slide_us = out->size_us;
    if (ast->arg_count > 2)
        TRY(window_duration(self, scope, ast->args[2], &out->slide_us));
    if (ast->arg_count > 3)
        TRY(window_duration(self, scope, ast->args[3], &out->start_us));
    int64_t start = out->start_us < 0 ? -out->start_us : out->start_us;
    if (out->size_us > 0 && out->slide_us > 0 && out->slide_us <= out->size_us &&
        start < out->slide_us)
        return E_OK;
    return sql_error(
        self, ast->at, NULL,
        "[DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION] Cannot resolve \"window\": the size "
        "and the slide must be above 0, the slide at most the size, and the start below the "
        "slide.");
}

static bool same_window(const struct plan_window *a, const struct plan_window *b)
{
    return a->size_us == b->size_us && a->slide_us == b->slide_us && a->start_us == b->start_us &&
           expr_equal(a->time, b->time);
}

static const struct type *window_type(struct analyser *self, const struct type *time)
{
    struct field fields[2] = {{"start", time, true}, {"end", time, true}};
    return type_struct(self->arena, fields, 2);
}

enum code select_window(struct analyser *self, const struct scope *scope, const struct ast *ast,
                        const struct expr **out)
{
    struct select *select = scope->select;
    struct plan_window window = {.key = -1};
    if (same_name(ast->text, "session_window"))
        return not_yet(self, ast->at, "session_window");
    if (select == NULL || scope->inside_aggregate ||
        (!select->grouping && select->window_type == NULL))
        return not_yet(self, ast->at, "window(..) outside of GROUP BY");
    struct scope rows = {.rows = scope->rows, .outer = scope->outer, .clause = "window(..)"};
    TRY(window_arguments(self, &rows, ast, &window));
    if (select->window_type == NULL) {
        select->window = window;
        select->window_type = window_type(self, window.time->type);
    } else if (!same_window(&select->window, &window)) {
        return sql_error(
            self, ast->at, NULL,
            "[UNSUPPORTED_FEATURE.MULTIPLE_TIME_WINDOWS] Multiple time/session window "
            "expressions would result in a cartesian product of rows, therefore they are "
            "currently not supported.");
    }
    struct field field = {"window", select->window_type, false};
    *out = expr_column(&self->expr, MARK_WINDOW, &field, ast->at);
    return E_OK;
}

/* ---- OVER ---- */

static const struct ast_window *window_named(const struct select *select, const char *name)
{
    for (int32_t i = 0; i < select->ast->window_count; i++)
        if (same_name(select->ast->windows[i].name, name))
            return &select->ast->windows[i];
    return NULL;
}

static enum code analyse_window_spec(struct analyser *self, const struct scope *scope,
                                     const struct ast_window *window)
{
    const struct expr *ignored;
    for (int32_t i = 0; i < window->partition_count; i++)
        TRY(analyse_expr(self, scope, window->partition[i], &ignored));
    for (int32_t i = 0; i < window->order_count; i++)
        TRY(analyse_expr(self, scope, window->order[i].expr, &ignored));
    return E_OK;
}

/* Type of row_number() and the like; aggregates have their own. */
static enum code over_type(struct analyser *self, const struct scope *scope, const struct ast *ast,
                           const struct type **out)
{
    static const struct {
        const char *name;
        enum type_id type;
    } ranks[] = {{"row_number", TYPE_INT32},    {"rank", TYPE_INT32},
                 {"dense_rank", TYPE_INT32},    {"ntile", TYPE_INT32},
                 {"percent_rank", TYPE_DOUBLE}, {"cume_dist", TYPE_DOUBLE}};
    static const char *const of_first[] = {"lag", "lead", "first_value", "last_value", "nth_value"};
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++)
        if (same_name(ranks[i].name, ast->text)) {
            *out = type_of(ranks[i].type);
            return E_OK;
        }
    const struct expr **args, *filter = NULL;
    struct scope inside = *scope;
    inside.clause = "a window function";
    TRY(analyse_args(self, &inside, ast, &args));
    for (size_t i = 0; i < sizeof of_first / sizeof of_first[0]; i++)
        if (same_name(of_first[i], ast->text) && ast->arg_count > 0) {
            *out = args[0]->type;
            return E_OK;
        }
    if (function_kind(ast->text) != FUNCTION_AGGREGATE)
        return sql_error(
            self, ast->at, NULL,
            "[UNSUPPORTED_EXPR_FOR_WINDOW] Expression \"%s\" not supported within a window "
            "function.",
            ast_name_of(self, ast));
    if (ast->call->filter != NULL)
        TRY(analyse_boolean(self, &inside, ast->call->filter, &filter));
    const struct aggregate_call *call;
    TRY(placed(self,
               aggregate_bind(&self->expr, ast->text, args, ast->arg_count, ast->call->distinct,
                              filter, ast->at, &call, self->err),
               ast->at));
    *out = call->type;
    return E_OK;
}

/* count(*) OVER (..) has no expression for its star. */
static const struct ast *without_star(struct analyser *self, const struct ast *ast)
{
    if (ast->arg_count != 1 || ast->args[0]->kind != AST_STAR)
        return ast;
    struct ast *copy = arena_new(self->arena, struct ast),
               *one = arena_new(self->arena, struct ast);
    *copy = *ast;
    *one = (struct ast){.kind = AST_NUMBER, .at = ast->at, .height = 1, .text = "1"};
    copy->args = arena_new(self->arena, struct ast *);
    copy->args[0] = one;
    return copy;
}

enum code select_over(struct analyser *self, const struct scope *scope, const struct ast *ast,
                      const struct expr **out)
{
    struct select *select = scope->select;
    if (select == NULL || scope->inside_aggregate || select->grouping)
        return sql_error(self, ast->at, NULL,
                         "[UNSUPPORTED_EXPR_FOR_OPERATOR] a window function cannot stand in %s",
                         scope->clause);
    const struct ast_window *window = ast->call->over;
    if (window->name != NULL) {
        const struct ast_window *named = window_named(select, window->name);
        if (named == NULL)
            return sql_error(
                self, window->at, NULL,
                "[MISSING_WINDOW_SPECIFICATION] Window specification is not defined in the "
                "WINDOW clause for `%s`.",
                window->name);
        TRY(analyse_window_spec(self, scope, named));
    }
    TRY(analyse_window_spec(self, scope, window));
    const struct type *type;
    TRY(over_type(self, scope, without_star(self, ast), &type));
    int32_t index = select->overs.count;
    const char *name = ast_name_of(self, ast);
    list_add(self->arena, &select->overs, expr_null(&self->expr, type, ast->at));
    list_add(self->arena, &select->over_names, name);
    struct field field = {name, type, true};
    *out = expr_column(&self->expr, MARK_OVER + index, &field, ast->at);
    return E_OK;
}
