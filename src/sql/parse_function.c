/* parse_function.c - CREATE FUNCTION f(x INT, y INT DEFAULT 1) RETURNS INT RETURN x + y, and DROP FUNCTION. */
#include "sql/parser.h"
#include "sql/sql_session.h"

static enum code parse_parameter(struct parser *self, struct function_parameter *parameter)
{
    const char *text;
    TRY(expect_name(self, &parameter->name));
    TRY(parse_type(self, &parameter->type, &text));
    for (;;) {
        if (take_word(self, KW_DEFAULT))
            TRY(parse_expr(self, &parameter->initial));
        else if (take_word(self, KW_COMMENT))
            TRY(expect_string_text(self, &text));
        else if (at_words(self, KW_NOT, KW_NULL))
            return parse_error(self, position_here(self),
                               "[USER_DEFINED_FUNCTIONS.NOT_NULL_ON_FUNCTION_PARAMETERS] User defined function is "
                               "invalid: Cannot specify NOT NULL on function parameters: %s",
                               parameter->name);
        else
            return E_OK;
    }
}

static enum code parse_parameters(struct parser *self, struct sql_function *function)
{
    TRY(expect_symbol(self, SYM_OPEN));
    if (take_symbol(self, SYM_CLOSE))
        return E_OK;
    do {
        TRY(parse_parameter(self, array_add(self->arena, function->parameters, function->parameter_count)));
        if (function->parameter_count > FUNCTION_PARAMETERS_MAX)
            return parse_error(self, position_here(self),
                               "[PARSE_SYNTAX_ERROR] more than FUNCTION_PARAMETERS_MAX = %d parameters",
                               FUNCTION_PARAMETERS_MAX);
    } while (take_symbol(self, SYM_COMMA));
    return expect_symbol(self, SYM_CLOSE);
}

/* TABLE (a INT, b STRING): a STRUCT. */
static enum code parse_table_columns(struct parser *self, const struct type **out)
{
    struct field *fields = NULL;
    int32_t count = 0;
    if (!take_symbol(self, SYM_OPEN))
        return E_OK;
    do {
        const char *text;
        struct field *field = array_add(self->arena, fields, count);
        field->nullable = true;
        TRY(expect_name(self, &field->name));
        TRY(parse_type(self, &field->type, &text));
        if (take_word(self, KW_COMMENT))
            TRY(expect_string_text(self, &text));
        if (count > SQL_COLUMNS_MAX)
            return parse_error(self, position_here(self), "[PARSE_SYNTAX_ERROR] more than SQL_COLUMNS_MAX = %d columns",
                               SQL_COLUMNS_MAX);
    } while (take_symbol(self, SYM_COMMA));
    *out = type_struct(self->arena, fields, count);
    return expect_symbol(self, SYM_CLOSE);
}

/* LANGUAGE SQL, DETERMINISTIC, COMMENT '..', CONTAINS SQL, READS SQL DATA, SQL SECURITY INVOKER: but for the comment they
 * say nothing that the body does not. */
static enum code parse_characteristics(struct parser *self, struct sql_function *function)
{
    for (;;) {
        if (take_word(self, KW_COMMENT)) {
            TRY(expect_string_text(self, &function->comment));
        } else if (take_text(self, "language")) {
            if (!take_text(self, "sql"))
                return parse_error(self, position_here(self),
                                   "[UNSUPPORTED_FEATURE] leat cannot do this yet: functions that are not SQL");
        } else if (take_text(self, "contains") || take_text(self, "reads")) {
            TRY(take_text(self, "sql") ? E_OK : syntax_error(self, NULL));
            take_text(self, "data");
        } else if (take_text(self, "sql")) {
            TRY(take_text(self, "security") ? E_OK : syntax_error(self, NULL));
            TRY(take_text(self, "invoker") || take_text(self, "definer") ? E_OK : syntax_error(self, NULL));
        } else if (at_word(self, KW_NOT) || at_text(self, "deterministic")) {
            take_word(self, KW_NOT);
            TRY(take_text(self, "deterministic") ? E_OK : syntax_error(self, NULL));
        } else {
            return E_OK;
        }
    }
}

/* RETURN expr, RETURN query: the query of a scalar function is a scalar subquery. */
static enum code parse_body(struct parser *self, struct sql_function *function, bool table)
{
    bool query = at_query(self) || (table && at_symbol(self, SYM_OPEN));
    if (!query && table)
        return parse_error(
            self, position_here(self),
            "[USER_DEFINED_FUNCTIONS.SQL_TABLE_UDF_BODY_MUST_BE_A_QUERY] User defined function is invalid: "
            "SQL table function %s body must be a query.",
            function->name);
    if (!query)
        return parse_expr(self, &function->body);
    struct position at = position_here(self);
    TRY(parse_query(self, &function->query));
    if (table)
        return E_OK;
    function->body = ast_new(self, AST_SUBQUERY, at);
    function->body->query = function->query;
    function->query = NULL;
    return E_OK;
}

enum code parse_create_function(struct parser *self, struct session_statement *out)
{
    struct sql_function *function = arena_new(self->arena, struct sql_function);
    struct ast_statement *statement = out->statement;
    const char *text;
    bool table = false;
    out->kind = DO_CREATE_FUNCTION;
    out->function = function;
    TRY(parse_if_not_exists(self, statement));
    TRY(parse_statement_name(self, statement));
    function->name = statement->name;
    function->at = statement->name_at;
    function->temporary = statement->temporary;
    if (statement->if_not_exists && (statement->temporary || out->or_replace))
        return parse_error(
            self, statement->name_at,
            "[INVALID_SQL_SYNTAX.%s] Invalid SQL syntax: CREATE FUNCTION with IF NOT EXISTS goes neither "
            "with TEMPORARY nor with OR REPLACE.",
            statement->temporary ? "CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS"
                                 : "CREATE_ROUTINE_WITH_IF_NOT_EXISTS_AND_REPLACE");
    if (at_word(self, KW_AS))
        return parse_error(self, position_here(self),
                           "[UNSUPPORTED_FEATURE] leat cannot do this yet: functions that are not SQL");
    TRY(parse_parameters(self, function));
    if (take_text(self, "returns")) {
        table = take_word(self, KW_TABLE);
        TRY(table ? parse_table_columns(self, &function->returns) : parse_type(self, &function->returns, &text));
    }
    TRY(parse_characteristics(self, function));
    if (!take_text(self, "return"))
        return syntax_error(self, "expected RETURN and an expression or a query");
    return parse_body(self, function, table);
}

/* Behind DROP [TEMPORARY] FUNCTION. */
enum code parse_drop_function(struct parser *self, struct session_statement *out)
{
    out->kind = DO_DROP_FUNCTION;
    if (take_word(self, KW_IF)) {
        TRY(expect_word(self, KW_EXISTS));
        out->if_exists = true;
    }
    return parse_statement_name(self, out->statement);
}
