/* analyse_function.c - calls of functions that SQL defines: the body, with the arguments in the place of its parameters. */
#include "sql/optimise.h"
#include "sql/sql_function.h"

/* ---- parameters as names ---- */

struct further { /* columns of the caller's rows, as a subquery of the body sees them */
    struct analyser *self;
    int32_t level;
    bool moved, lost; /* lost: a mark that has no meaning in a subquery */
};

static const struct expr *move_out(void *context, const struct expr *column)
{
    struct further *self = context;
    struct field field = {column->bound, column->type, column->nullable};
    int32_t index = column->index, base = MARK_OUTER + self->level * COLUMN_MARK;
    self->moved = true;
    if (index < COLUMN_MARK)
        index += base;
    else if (index >= MARK_CALL && index < MARK_CALL + COLUMN_MARK)
        index += base + OUTER_CALL - MARK_CALL;
    else if (index >= MARK_OUTER)
        index += (self->level + 1) * COLUMN_MARK;
    else
        self->lost = true;
    return expr_column(&self->self->expr, index, &field, column->at);
}

enum code frame_find(struct analyser *self, const struct frame *frame, const struct ast *name, int32_t level,
                     const struct expr **out, bool *found)
{
    const struct sql_function *function = frame->function;
    int32_t first = name->part_count > 1 && same_name(name->parts[0], function->name), i = 0;
    while (i < function->parameter_count && !same_name(function->parameters[i].name, name->parts[first]))
        i++;
    *found = i < function->parameter_count;
    if (!*found)
        return E_OK;
    struct further further = {.self = self, .level = level};
    const struct expr *value = frame->values[i];
    if (level >= 0)
        value = expr_rewrite(self->arena, value, move_out, &further);
    self->outer_reads += further.moved;
    if (further.lost)
        return not_yet(self, name->at, "a window function or a subquery as argument of a function with a subquery");
    for (i = first + 1; i < name->part_count; i++)
        TRY(placed(self, expr_field(&self->expr, value, name->parts[i], name->at, &value, self->err), name->at));
    *out = value;
    return E_OK;
}

/* ---- arguments ---- */

static enum code wrong_count(struct analyser *self, const struct ast *ast, const struct sql_function *function)
{
    return sql_error(self, ast->at, NULL,
                     "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `%s` requires %d parameters but the actual number is %d.",
                     function->name, function->parameter_count, ast->arg_count);
}

/* name => value */
static enum code place_named(struct analyser *self, const struct ast *arg, const struct sql_function *function,
                             int32_t positional, const struct ast **places)
{
    int32_t at = 0;
    while (at < function->parameter_count && !same_name(function->parameters[at].name, arg->text))
        at++;
    if (at == function->parameter_count)
        return sql_error(
            self, arg->at, NULL,
            "[UNRECOGNIZED_PARAMETER_NAME] Cannot invoke routine `%s` because the routine call included a named "
            "argument reference for the argument named `%s`, but this routine does not include any signature "
            "containing an argument with this name.",
            function->name, arg->text);
    if (places[at] != NULL)
        return sql_error(
            self, arg->at, NULL,
            "[DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.%s] Call to routine `%s` is invalid because it includes multiple "
            "argument assignments to the same parameter name `%s`.",
            at < positional ? "BOTH_POSITIONAL_AND_NAMED" : "DOUBLE_NAMED_ARGUMENT_REFERENCE", function->name,
            arg->text);
    places[at] = arg->args[0];
    return E_OK;
}

/* The argument of each parameter; NULL where its default is taken. */
static enum code place_arguments_of(struct analyser *self, const struct ast *ast, const struct sql_function *function,
                                    const struct ast **places)
{
    int32_t positional = 0;
    if (ast->arg_count > function->parameter_count)
        return wrong_count(self, ast, function);
    for (int32_t i = 0; i < ast->arg_count; i++) {
        const struct ast *arg = ast->args[i];
        if (arg->kind == AST_NAMED && arg->flag) {
            TRY(place_named(self, arg, function, positional, places));
        } else if (i > positional) {
            return sql_error(
                self, arg->at, NULL,
                "[UNEXPECTED_POSITIONAL_ARGUMENT] Cannot invoke routine `%s` because it contains positional "
                "argument(s) following the named argument assigned to `%s`; please rearrange them so the positional "
                "arguments come first.",
                function->name, ast->args[positional]->text);
        } else {
            places[positional++] = arg;
        }
    }
    for (int32_t i = 0; i < function->parameter_count; i++) {
        if (places[i] != NULL || function->parameters[i].initial != NULL)
            continue;
        if (positional == ast->arg_count)
            return wrong_count(self, ast, function);
        return sql_error(
            self, ast->at, NULL,
            "[REQUIRED_PARAMETER_NOT_FOUND] Cannot invoke routine `%s` because the parameter named `%s` is required, "
            "but the routine call did not supply a value.",
            function->name, function->parameters[i].name);
    }
    return E_OK;
}

/* How often the body reads the parameter, 2 standing for more: a subquery computes it for each of its rows. */
static int32_t uses_of(const struct sql_function *function, const struct ast *body, const char *parameter)
{
    int32_t uses = 0;
    if (body == NULL || body->query != NULL)
        return 2;
    if (body->kind == AST_NAME) {
        bool qualified = body->part_count > 1 && same_name(body->parts[0], function->name);
        return same_name(body->parts[qualified], parameter);
    }
    for (int32_t i = 0; i < body->arg_count && uses < 2; i++)
        uses += uses_of(function, body->args[i], parameter);
    return uses;
}

/* Values of the parameters over the caller's rows. What is another value each time it is computed gets a column. */
static enum code bind_arguments(struct analyser *self, const struct scope *caller, const struct ast *ast,
                                const struct sql_function *function, struct frame *out)
{
    size_t count = (size_t)function->parameter_count;
    const struct ast **places = arena_array(self->arena, const struct ast *, count + 1);
    const struct expr **values = arena_array(self->arena, const struct expr *, count + 1);
    struct rowset nothing = {.plan = plan_one_row(self, ast->at)};
    struct scope constants = {.rows = &nothing, .clause = "DEFAULT"};
    TRY(place_arguments_of(self, ast, function, places));
    for (size_t i = 0; i < count; i++) {
        const struct function_parameter *parameter = &function->parameters[i];
        bool given = places[i] != NULL;
        TRY(analyse_expr(self, given ? caller : &constants, given ? places[i] : parameter->initial, &values[i]));
        if (!type_equal(values[i]->type, parameter->type))
            TRY(placed(self, expr_cast(&self->expr, values[i], parameter->type, false, ast->at, &values[i], self->err),
                       ast->at));
        if (expr_is_volatile(values[i]) && !expr_has_marks(values[i]) &&
            uses_of(function, function->body, parameter->name) > 1)
            values[i] = rowset_append(self, caller->rows, values[i], parameter->name);
    }
    *out = (struct frame){.function = function, .values = values};
    return E_OK;
}

/* ---- calls ---- */

/* One call more of the statement: OR REPLACE can make functions that call each other. */
static enum code enter_call(struct analyser *self, struct position at, const struct frame *around,
                            const struct sql_function *function)
{
    for (; around != NULL; around = around->around)
        if (same_name(around->function->name, function->name)) // one that is just replaced is another
            return sql_error(self, at, NULL, "[CYCLIC_FUNCTION_REFERENCE] Cyclic function reference detected: `%s`.",
                             function->name);
    if (++self->function_calls > FUNCTION_CALLS_MAX)
        return sql_error(
            self, at, "put a part of it into a view",
            "[UNSUPPORTED_FEATURE] more than FUNCTION_CALLS_MAX = %d calls of SQL functions in a statement",
            FUNCTION_CALLS_MAX);
    return deeper(self, at);
}

/* A body sees neither the WITH names nor the parameters of the statement that calls it. */
struct hidden {
    const struct cte_scope *ctes;
    int32_t parameter_count;
};
static struct hidden hide(struct analyser *self)
{
    struct hidden hidden = {self->ctes, self->parameter_count};
    self->ctes = NULL;
    self->parameter_count = 0;
    return hidden;
}
static void unhide(struct analyser *self, struct hidden hidden)
{
    self->ctes = hidden.ctes;
    self->parameter_count = hidden.parameter_count;
    self->depth--;
}

static enum code returned_value(struct analyser *self, const struct sql_function *function, struct position at,
                                const struct expr **value)
{
    if (function->returns != NULL && !type_equal((*value)->type, function->returns))
        TRY(placed(self, expr_cast(&self->expr, *value, function->returns, false, at, value, self->err), at));
    if (expr_weight(*value, FUNCTION_WEIGHT_MAX) > FUNCTION_WEIGHT_MAX)
        return sql_error(
            self, at, "put a part of it into a view",
            "[UNSUPPORTED_FEATURE] the call of `%s` computes more than FUNCTION_WEIGHT_MAX = %d expressions",
            function->name, FUNCTION_WEIGHT_MAX);
    return E_OK;
}

static enum code body_value(struct analyser *self, const struct scope *caller, const struct frame *frame,
                            struct position at, const struct expr **out)
{
    struct scope body = *caller;
    body.frame = frame;
    body.outer = NULL;
    body.aliases = NULL;
    body.aliases_first = body.keys_first = false;
    TRY(enter_call(self, at, frame->around, frame->function));
    struct hidden hidden = hide(self);
    enum code code = analyse_expr(self, &body, frame->function->body, out);
    unhide(self, hidden);
    TRY(code);
    return returned_value(self, frame->function, at, out);
}

enum code analyse_function_call(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                const struct sql_function *function, const struct expr **out)
{
    struct frame frame;
    if (function->body == NULL)
        return sql_error(self, ast->at, "call it in FROM",
                         "[NOT_A_SCALAR_FUNCTION] `%s` appears as a scalar expression here, but the function was "
                         "defined as a table function.",
                         function->name);
    if (scope->lambda != NULL)
        return sql_error(self, ast->at, NULL,
                         "[UNSUPPORTED_FEATURE.LAMBDA_FUNCTION_WITH_SQL_UDF] The feature is not supported: Lambda "
                         "function with SQL UDF %s in a higher order function.",
                         function->name);
    TRY(bind_arguments(self, scope, ast, function, &frame));
    frame.around = scope->frame;
    return body_value(self, scope, &frame, ast->at, out);
}

/* The columns as they were declared. */
static enum code returned_rows(struct analyser *self, const struct sql_function *function, struct position at,
                               struct plan **plan)
{
    const struct type *declared = function->returns, *schema = (*plan)->schema;
    if (declared == NULL)
        return E_OK;
    if (declared->field_count != schema->field_count)
        return sql_error(self, at, NULL,
                         "[USER_DEFINED_FUNCTIONS.RETURN_COLUMN_COUNT_MISMATCH] User defined function is invalid: The "
                         "number of columns produced by the RETURN clause (num: `%d`) does not match the number of "
                         "column names specified by the RETURNS clause (num: `%d`) of %s.",
                         schema->field_count, declared->field_count, function->name);
    const struct expr **exprs = arena_array(self->arena, const struct expr *, (size_t)schema->field_count);
    const char **names = arena_array(self->arena, const char *, (size_t)schema->field_count);
    for (int32_t i = 0; i < schema->field_count; i++) {
        exprs[i] = column_of(self, *plan, i, at);
        names[i] = declared->fields[i].name;
        if (!type_equal(exprs[i]->type, declared->fields[i].type))
            TRY(placed(
                self, expr_cast(&self->expr, exprs[i], declared->fields[i].type, false, at, &exprs[i], self->err), at));
    }
    *plan = plan_project(self->arena, *plan, exprs, names, schema->field_count, at);
    return E_OK;
}

static enum code body_rows(struct analyser *self, const struct scope *caller, const struct frame *frame,
                           struct position at, struct rowset *out)
{
    struct scope body = {.rows = caller->rows, .frame = frame, .clause = "FROM"};
    TRY(enter_call(self, at, frame->around, frame->function));
    struct hidden hidden = hide(self);
    enum code code = analyse_query(self, frame->function->query, &body, out);
    unhide(self, hidden);
    TRY(code);
    return returned_rows(self, frame->function, at, &out->plan);
}

enum code analyse_function_rows(struct analyser *self, const struct scope *outer, const struct ast *ast,
                                const struct sql_function *function, struct rowset *out)
{
    struct frame frame;
    struct rowset nothing = {.plan = plan_one_row(self, ast->at)};
    struct scope constants = {.rows = &nothing, .clause = "FROM"};
    const struct scope *caller = outer != NULL ? outer : &constants;
    const struct plan *before = caller->rows->plan;
    if (function->query == NULL)
        return sql_error(self, ast->at, "call it in an expression",
                         "[NOT_A_TABLE_FUNCTION] `%s` appears as a table function here, but the function was defined "
                         "as a scalar function.",
                         function->name);
    TRY(bind_arguments(self, caller, ast, function, &frame));
    if (caller->rows->plan != before)
        return not_yet(self, ast->at, "a subquery or rand() as argument of a table function");
    frame.around = caller->frame;
    return body_rows(self, caller, &frame, ast->at, out);
}

/* ---- at CREATE ---- */

/* What only a query has. */
static enum code check_calls(struct analyser *self, const struct ast *ast)
{
    bool over = ast->kind == AST_CALL && !ast->flag && ast->call != NULL && ast->call->over != NULL;
    enum function_kind kind = ast->kind == AST_CALL && !ast->flag ? function_kind(ast->text) : FUNCTION_SCALAR;
    if (over || kind == FUNCTION_AGGREGATE || kind == FUNCTION_GENERATOR)
        return sql_error(self, ast->at, "put it into a subquery",
                         "[USER_DEFINED_FUNCTIONS.CANNOT_CONTAIN_COMPLEX_FUNCTIONS] User defined function is invalid: "
                         "SQL scalar function cannot contain aggregate/window/generate functions: %s.",
                         ast_name_of(self, ast));
    for (int32_t i = 0; i < ast->arg_count; i++)
        TRY(check_calls(self, ast->args[i]));
    return E_OK;
}

enum code analyse_function_body(struct analyser *self, const struct sql_function *function, const struct type **type)
{
    size_t count = (size_t)function->parameter_count;
    struct field *fields = arena_array(self->arena, struct field, count + 1);
    for (size_t i = 0; i < count; i++)
        fields[i] = (struct field){function->parameters[i].name, function->parameters[i].type, true};
    const struct type *schema = type_struct(self->arena, fields, function->parameter_count);
    struct rowset rows, found;
    rowset_of_plan(self, plan_new(self->arena, PLAN_VALUES, schema, function->at), NULL, NULL, 0, &rows);
    struct scope scope = {.rows = &rows, .clause = "a function"};
    const struct expr **values = arena_array(self->arena, const struct expr *, count + 1), *value;
    for (int32_t i = 0; i < function->parameter_count; i++)
        values[i] = column_of(self, rows.plan, i, function->at);
    struct frame frame = {.function = function, .values = values};
    if (function->query != NULL) {
        TRY(body_rows(self, &scope, &frame, function->at, &found));
        *type = found.plan->schema;
        return E_OK;
    }
    TRY(check_calls(self, function->body));
    TRY(body_value(self, &scope, &frame, function->at, &value));
    *type = value->type;
    return E_OK;
}
