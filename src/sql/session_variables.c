/* session_variables.c - DECLARE, SET VARIABLE, DROP VARIABLE, EXECUTE IMMEDIATE, parameters of a statement. */
#include "sql/sql_session.h"

static const char *last_part(const struct ast *name) { return name->parts[name->part_count - 1]; }

static int32_t variable_index(const struct sql_session *self, const char *name)
{
    for (int32_t i = 0; i < self->variable_count; i++)
        if (same_name(self->variables[i]->name, name))
            return i;
    return -1;
}

static void variable_free(struct variable *variable)
{
    struct arena arena = variable->arena; // the variable lies in it
    arena_free(&arena);
}

void session_variables_free(struct sql_session *self)
{
    for (int32_t i = 0; i < self->variable_count; i++)
        variable_free(self->variables[i]);
    mem_free(self->variables);
}

static void variable_forget(struct sql_session *self, int32_t i)
{
    variable_free(self->variables[i]);
    self->variables[i] = self->variables[--self->variable_count];
}

/* The value copied into an arena of its own; each assignment makes the variable anew. */
static void variable_put(struct sql_session *self, const char *name, const struct type *type, const struct expr *value,
                         const struct expr *initial)
{
    struct arena arena = {0};
    struct variable *variable = arena_new(&arena, struct variable);
    int32_t i = variable_index(self, name);
    variable->name = arena_strdup(&arena, name);
    variable->type = type_copy(&arena, type);
    struct expr_context ctx = {&arena, &self->settings};
    variable->value = expr_value(&ctx, value->literal, 0, (struct position){0});
    variable->initial = expr_value(&ctx, initial->literal, 0, (struct position){0});
    variable->arena = arena;
    if (i < 0) {
        mem_grow(self->variables, self->variable_capacity, self->variable_count + 1);
        i = self->variable_count++;
    } else {
        variable_free(self->variables[i]);
    }
    self->variables[i] = variable;
}

/* ---- names in expressions ---- */

/* v, session.v, system.session.v; *used: parts of the name that it took. */
const struct variable *variable_find(const struct analyser *self, const struct ast *name, int32_t *used)
{
    int32_t at = 0;
    if (self->session == NULL)
        return NULL;
    if (name->part_count > 2 && same_name(name->parts[0], "system") && same_name(name->parts[1], "session"))
        at = 2;
    else if (name->part_count > 1 && same_name(name->parts[0], "session"))
        at = 1;
    int32_t i = variable_index(self->session, name->parts[at]);
    *used = at + 1;
    return i < 0 ? NULL : self->session->variables[i];
}

enum code analyse_parameter(struct analyser *self, const struct ast *ast, const struct expr **out)
{
    for (int32_t i = 0, place = 0; i < self->parameter_count; i++) {
        const struct parameter *parameter = &self->parameters[i];
        bool fits = ast->text == NULL ? parameter->name == NULL && place == ast->place
                                      : parameter->name != NULL && same_name(parameter->name, ast->text);
        place += parameter->name == NULL;
        if (!fits)
            continue;
        *out = parameter->value;
        return E_OK;
    }
    return sql_error(
        self, ast->at, "leat sql --param NAME=VALUE, or EXECUTE IMMEDIATE .. USING",
        "[UNBOUND_SQL_PARAMETER] Found the unbound parameter: %s. Please, fix `args` and provide a mapping of "
        "the parameter to either a SQL literal or collection constructor functions.",
        ast->text != NULL ? ast->text : "_");
}

/* ---- constants ---- */

enum code session_constant(struct analyser *self, const struct ast *ast, const struct type *type,
                           const struct expr **out)
{
    struct rowset nothing = {.plan = plan_one_row(self, ast->at)};
    struct scope scope = {.rows = &nothing, .clause = "a constant"};
    TRY(analyse_expr(self, &scope, ast, out));
    if (type != NULL && !type_equal((*out)->type, type))
        TRY(placed(self, expr_cast(&self->expr, *out, type, false, ast->at, out, self->err), ast->at));
    if (nothing.plan->kind != PLAN_VALUES || !expr_is_constant(*out))
        return sql_error(self, ast->at, NULL, "[INVALID_DEFAULT_VALUE.NOT_CONSTANT] the expression %s is no constant.",
                         ast_name_of(self, ast));
    return placed(self, expr_fold(&self->expr, *out, out, self->err), ast->at);
}

enum code session_text(struct analyser *self, const struct ast *ast, const char **out)
{
    const struct expr *value;
    TRY(session_constant(self, ast, NULL, &value));
    if (value->type->id != TYPE_STRING) // NULL alone is no string either
        return sql_error(self, ast->at, NULL,
                         "[INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE] Expression type must be string type but got "
                         "\"%s\".",
                         type_text(self->arena, value->type));
    if (column_is_null(value->literal, 0))
        return sql_error(
            self, ast->at, NULL,
            "[NULL_QUERY_STRING_EXECUTE_IMMEDIATE] Execute immediate requires a non-null variable as the query "
            "string, but the provided variable is null.");
    struct bytes text = column_bytes_at(value->literal, 0);
    *out = arena_strndup(self->arena, (const char *)text.data, text.size);
    return E_OK;
}

/* ---- DECLARE, DROP ---- */

static enum code check_name(struct step *self, const struct ast *name)
{
    bool here = name->part_count == 1 || (name->part_count == 2 && same_name(name->parts[0], "session")) ||
                (name->part_count == 3 && same_name(name->parts[0], "system") && same_name(name->parts[1], "session"));
    if (here)
        return E_OK;
    return sql_error(
        &self->analyser, name->at, NULL,
        "[INVALID_VARIABLE_DECLARATION.QUALIFIED_LOCAL_VARIABLE] Invalid variable declaration: `%s` is declared in "
        "system.session.",
        last_part(name));
}

enum code session_declare(struct step *self)
{
    const struct session_statement *declare = &self->statement;
    struct analyser *analyser = &self->analyser;
    const struct expr *value;
    if (declare->value_count > 0)
        TRY(session_constant(analyser, declare->values[0], declare->type, &value));
    else
        value = expr_null(&analyser->expr, declare->type, declare->targets[0]->at);
    for (int32_t i = 0; i < declare->target_count; i++) {
        const struct ast *name = declare->targets[i];
        TRY(check_name(self, name));
        if (!declare->or_replace && variable_index(self->session, last_part(name)) >= 0)
            return sql_error(
                analyser, name->at, "DECLARE OR REPLACE",
                "[VARIABLE_ALREADY_EXISTS] Cannot create the variable `system`.`session`.`%s` because it already "
                "exists.",
                last_part(name));
        variable_put(self->session, last_part(name), value->type, value, value);
    }
    return E_OK;
}

static enum code unresolved(struct step *self, const char *condition, const struct ast *name)
{
    return sql_error(&self->analyser, name->at, "DECLARE it first",
                     "[%s] Cannot resolve variable `%s` on search path [`system`.`session`].", condition,
                     last_part(name));
}

enum code session_drop_variable(struct step *self)
{
    for (int32_t i = 0; i < self->statement.target_count; i++) {
        const struct ast *name = self->statement.targets[i];
        int32_t at = variable_index(self->session, last_part(name));
        if (at >= 0)
            variable_forget(self->session, at);
        else if (!self->statement.if_exists)
            return unresolved(self, "VARIABLE_NOT_FOUND", name);
    }
    return E_OK;
}

/* ---- SET ---- */

/* Where the columns of the plan go, once it has run. */
static enum code assign_plan(struct step *self, struct plan *plan, struct position at)
{
    const struct session_statement *set = &self->statement;
    struct analyser *analyser = &self->analyser;
    const struct expr **exprs = arena_array(analyser->arena, const struct expr *, (size_t)set->target_count + 1);
    const char **names = arena_array(analyser->arena, const char *, (size_t)set->target_count + 1);
    if (plan->schema->field_count != set->target_count)
        return sql_error(
            analyser, at, NULL,
            "[ASSIGNMENT_ARITY_MISMATCH] The number of columns or variables assigned or aliased: %d does not match "
            "the number of source expressions: %d.",
            set->target_count, plan->schema->field_count);
    for (int32_t i = 0; i < set->target_count; i++) {
        const struct ast *name = set->targets[i];
        int32_t v = variable_index(self->session, last_part(name));
        if (v < 0)
            return unresolved(self, "UNRESOLVED_VARIABLE", name);
        for (int32_t j = 0; j < i; j++)
            if (same_name(names[j], last_part(name)))
                return sql_error(
                    analyser, name->at, NULL,
                    "[DUPLICATE_ASSIGNMENTS] The columns or variables `%s` appear more than once as assignment "
                    "targets.",
                    last_part(name));
        const struct type *type = self->session->variables[v]->type;
        names[i] = self->session->variables[v]->name;
        exprs[i] = column_of(analyser, plan, i, name->at);
        if (!type_equal(exprs[i]->type, type))
            TRY(placed(analyser, expr_cast(&analyser->expr, exprs[i], type, false, name->at, &exprs[i], analyser->err),
                       name->at));
    }
    self->out->action = SESSION_ASSIGN;
    self->out->plan = plan_project(analyser->arena, plan, exprs, names, set->target_count, at);
    return E_OK;
}

/* SET VAR a = x, b = y: one row with both values. */
static enum code assigned_values(struct step *self, struct plan **out)
{
    const struct session_statement *set = &self->statement;
    struct analyser *analyser = &self->analyser;
    struct rowset row = {.plan = plan_one_row(analyser, set->targets[0]->at)};
    struct scope scope = {.rows = &row, .clause = "SET VARIABLE"};
    const struct expr **exprs = arena_array(analyser->arena, const struct expr *, (size_t)set->target_count);
    const char **names = arena_array(analyser->arena, const char *, (size_t)set->target_count);
    for (int32_t i = 0; i < set->target_count; i++) {
        names[i] = last_part(set->targets[i]);
        int32_t v = variable_index(self->session, names[i]);
        if (set->values[i] != NULL)
            TRY(analyse_expr(analyser, &scope, set->values[i], &exprs[i]));
        else if (v < 0)
            return unresolved(self, "UNRESOLVED_VARIABLE", set->targets[i]);
        else
            exprs[i] = self->session->variables[v]->initial;
    }
    *out = plan_project(analyser->arena, row.plan, exprs, names, set->target_count, set->targets[0]->at);
    return E_OK;
}

enum code session_set_variable(struct step *self)
{
    const struct ast_query *query = self->statement.statement->query;
    struct plan *plan;
    if (query == NULL)
        TRY(assigned_values(self, &plan));
    else
        TRY(step_analyse(self, query, &plan));
    return assign_plan(self, plan, self->statement.targets[0]->at);
}

enum code sql_session_assign(struct sql_session *self, const struct session_step *step, const struct batch *rows,
                             int32_t count, struct error *err)
{
    struct arena arena = {0};
    struct expr_context ctx = {&arena, &self->settings};
    if (count > 1 || (count == 1 && rows[0].rows > 1))
        return fail(err, E_SQL, "[ROW_SUBQUERY_TOO_MANY_ROWS] More than one row returned by a subquery used as a row.");
    for (int32_t i = 0; i < step->plan->schema->field_count; i++) {
        const struct field *field = &step->plan->schema->fields[i];
        int32_t v = variable_index(self, field->name);
        const struct expr *value = count == 1 ? expr_value(&ctx, &rows[0].columns[i], 0, (struct position){0})
                                              : expr_null(&ctx, field->type, (struct position){0});
        if (v >= 0)
            variable_put(self, field->name, self->variables[v]->type, value, self->variables[v]->initial);
    }
    arena_free(&arena);
    return E_OK;
}

/* ---- EXECUTE IMMEDIATE ---- */

static enum code bind_parameters(struct step *self)
{
    const struct session_statement *execute = &self->statement;
    struct parameter *parameters =
        arena_array(self->analyser.arena, struct parameter, (size_t)execute->value_count + 1);
    for (int32_t i = 0; i < execute->value_count; i++) {
        parameters[i].name = execute->names[i];
        if ((execute->names[i] == NULL) != (execute->names[0] == NULL))
            return sql_error(
                &self->analyser, execute->values[i]->at, NULL,
                "[INVALID_QUERY_MIXED_QUERY_PARAMETERS] Parameterized query must either use positional, or named "
                "parameters, but not both.");
        TRY(session_constant(&self->analyser, execute->values[i], NULL, &parameters[i].value));
    }
    self->analyser.parameters = parameters;
    self->analyser.parameter_count = execute->value_count;
    return E_OK;
}

enum code session_execute(struct step *self)
{
    struct analyser *analyser = &self->analyser;
    const struct session_statement execute = self->statement;
    struct position at = execute.text->at;
    const char *text;
    TRY(session_text(analyser, execute.text, &text));
    TRY(bind_parameters(self));
    self->file.text = bytes_of_string(text); // from here on places are in this text
    self->out->text = self->file.text;
    TRY(step_parse(self));
    if (execute.target_count == 0) {
        TRY(deeper(analyser, self->statement.statement->at)); // it may be another EXECUTE IMMEDIATE
        return step_do(self);
    }
    if (self->statement.kind != DO_QUERY)
        return sql_error(
            analyser, self->statement.statement->at, NULL,
            "[INVALID_STATEMENT_FOR_EXECUTE_INTO] The INTO clause of EXECUTE IMMEDIATE is only valid for queries.");
    struct plan *plan;
    TRY(step_analyse(self, self->statement.statement->query, &plan));
    self->statement = execute;
    return assign_plan(self, plan, at);
}

enum code sql_session_parameter(struct sql_session *self, const char *name, struct bytes text, struct error *err)
{
    struct arena arena = {0};
    struct sql_file file = {NULL, text};
    struct notes notes = {.arena = &arena, .files = &file, .file_count = 1};
    struct analyser analyser = {
        .arena = &arena, .notes = &notes, .expr = {&arena, &self->settings}, .err = err, .batch = true};
    struct ast *ast;
    const struct expr *value;
    enum code code = parse_expression_text(&arena, &file, &notes, &ast, err);
    if (code == E_OK)
        code = session_constant(&analyser, ast, NULL, &value);
    if (code == E_OK) {
        struct expr_context ctx = {&self->parameter_arena, &self->settings};
        *array_add(&self->parameter_arena, self->parameters, self->parameter_count) = (struct parameter){
            arena_strdup(&self->parameter_arena, name), expr_value(&ctx, value->literal, 0, (struct position){0})};
    }
    arena_free(&arena);
    return code;
}
