/* session_functions.c - CREATE FUNCTION, DROP FUNCTION, and what DESCRIBE FUNCTION tells of such. */
#include "sql/sql_session.h"

static int32_t function_index(const struct sql_session *self, const char *name)
{
    for (int32_t i = 0; i < self->function_count; i++)
        if (same_name(self->functions[i]->name, name))
            return i;
    return -1;
}

const struct sql_function *function_find(const struct analyser *self, const char *name)
{
    int32_t i = self->session != NULL ? function_index(self->session, name) : -1;
    return i >= 0 ? self->session->functions[i] : NULL;
}

static void function_free(struct sql_function *function)
{
    struct arena arena = function->arena; // the function lies in it
    arena_free(&arena);
}

void session_functions_free(struct sql_session *self)
{
    for (int32_t i = 0; i < self->function_count; i++)
        function_free(self->functions[i]);
    mem_free(self->functions);
}

static enum code check_names(struct step *self, const struct sql_function *function)
{
    const struct type *columns = function->query != NULL ? function->returns : NULL;
    for (int32_t i = 0; i < function->parameter_count; i++)
        for (int32_t j = 0; j < i; j++)
            if (same_name(function->parameters[i].name, function->parameters[j].name))
                return sql_error(&self->analyser, function->at, NULL,
                                 "[DUPLICATE_ROUTINE_PARAMETER_NAMES] Found duplicate name(s) in the parameter list of "
                                 "the user-defined routine %s: `%s`.",
                                 function->name, function->parameters[j].name);
    for (int32_t i = 0; columns != NULL && i < columns->field_count; i++)
        if (type_field_index(columns, columns->fields[i].name, true) != i)
            return sql_error(&self->analyser, function->at, NULL,
                             "[DUPLICATE_ROUTINE_RETURNS_COLUMNS] Found duplicate column(s) in the RETURNS clause "
                             "column list of the user-defined routine %s: `%s`.",
                             function->name, columns->fields[i].name);
    return E_OK;
}

/* Expressions of the parameters' types without a query; behind a parameter with one all have one. */
static enum code check_defaults(struct step *self, const struct sql_function *function)
{
    struct analyser *analyser = &self->analyser;
    struct rowset nothing = {.plan = plan_one_row(analyser, function->at)};
    const struct plan *before = nothing.plan;
    struct scope scope = {.rows = &nothing, .clause = "DEFAULT"};
    for (int32_t i = 0; i < function->parameter_count; i++) {
        const struct function_parameter *parameter = &function->parameters[i];
        const struct expr *value;
        if (parameter->initial == NULL && i > 0 && function->parameters[i - 1].initial != NULL)
            return sql_error(analyser, function->at, "give it a default, too",
                             "[USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_PARAMETER_POSITION] User defined function is "
                             "invalid: In routine `%s` parameter `%s` with DEFAULT must not be followed by parameter "
                             "`%s` without DEFAULT.",
                             function->name, function->parameters[i - 1].name, parameter->name);
        if (parameter->initial == NULL)
            continue;
        TRY(analyse_expr(analyser, &scope, parameter->initial, &value));
        if (nothing.plan != before)
            return sql_error(
                analyser, parameter->initial->at, NULL,
                "[USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_EXPRESSION] User defined function is invalid: "
                "The DEFAULT expression of `%s`.`%s` is not supported because it contains a subquery.",
                function->name, parameter->name);
        TRY(placed(analyser,
                   expr_cast(&analyser->expr, value, parameter->type, false, value->at, &value, analyser->err),
                   value->at));
    }
    return E_OK;
}

/* Parsed once more, into an arena of its own; its places are in a text of its own name. */
static enum code function_keep(struct step *self, const struct type *returns)
{
    struct sql_session *session = self->session;
    struct arena arena = {0};
    struct session_statement again;
    struct notes notes = {.arena = &arena};
    struct bytes text =
        bytes_of(arena_strndup(&arena, (const char *)self->file.text.data, self->file.text.size), self->file.text.size);
    struct sql_file *file = arena_new(&arena, struct sql_file);
    *file = (struct sql_file){arena_printf(&arena, "function %s", self->statement.function->name), text};
    enum code code = parse_session_statement(&arena, file, &notes, &self->identifiers, &again, self->analyser.err);
    if (code != E_OK) {
        arena_free(&arena);
        return code;
    }
    struct sql_function *function = again.function;
    int32_t i = function_index(session, function->name);
    if (function->query == NULL)
        function->returns = type_copy(&arena, returns);
    function->arena = arena;
    if (i >= 0) {
        function_free(session->functions[i]);
    } else {
        mem_grow(session->functions, session->function_capacity, session->function_count + 1);
        i = session->function_count++;
    }
    session->functions[i] = function;
    return E_OK;
}

enum code session_create_function(struct step *self)
{
    const struct sql_function *function = self->statement.function;
    bool exists = function_index(self->session, function->name) >= 0;
    const struct type *returns;
    if (exists && self->statement.statement->if_not_exists)
        return E_OK;
    if (exists && !self->statement.or_replace)
        return sql_error(&self->analyser, function->at, "CREATE OR REPLACE",
                         "[ROUTINE_ALREADY_EXISTS] Cannot create the routine `%s` because a routine of that name "
                         "already exists.",
                         function->name);
    TRY(check_names(self, function));
    TRY(check_defaults(self, function));
    TRY(analyse_function_body(&self->analyser, function, &returns));
    return function_keep(self, returns);
}

enum code session_drop_function(struct step *self)
{
    struct sql_session *session = self->session;
    const struct ast_statement *statement = self->statement.statement;
    int32_t i = function_index(session, statement->name);
    if (i < 0 && self->statement.if_exists)
        return E_OK;
    if (i < 0)
        return sql_error(&self->analyser, statement->name_at, NULL,
                         "[ROUTINE_NOT_FOUND] The routine `%s` cannot be found. Verify the spelling and correctness of "
                         "the schema and catalog.",
                         statement->name);
    function_free(session->functions[i]);
    session->functions[i] = session->functions[--session->function_count];
    return E_OK;
}
