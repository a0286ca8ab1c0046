/* parse_statement.c - the statements of a pipeline. */
#include "sql/parser.h"

#include <ctype.h>

enum code parse_statement_name(struct parser *self, struct ast_statement *statement)
{
    int32_t first = self->at, count;
    const char *const *parts;
    TRY(expect_dotted(self, &parts, &count));
    statement->name = parts[count - 1];
    statement->qualifier = count > 1 ? parts[count - 2] : NULL;
    statement->name_at = position_since(self, first);
    return E_OK;
}

enum code parse_if_not_exists(struct parser *self, struct ast_statement *statement)
{
    if (!at_word(self, KW_IF) || token_ahead(self, 1)->keyword != KW_NOT)
        return E_OK;
    self->at += 2;
    statement->if_not_exists = true;
    return expect_word(self, KW_EXISTS);
}

/* ---- SET, USE ---- */

static char *trimmed(struct parser *self, uint32_t start, uint32_t end)
{
    const char *text = (const char *)self->file->text.data;
    while (start < end && isspace((unsigned char)text[start]))
        start++;
    while (end > start && isspace((unsigned char)text[end - 1]))
        end--;
    return arena_strndup(self->arena, text + start, end - start);
}

void parse_key_value(struct parser *self, struct ast_statement *statement)
{
    statement->name_at = position_here(self);
    uint32_t start = token_here(self)->start;
    while (!at_symbol(self, SYM_EQUAL) && !at_statement_end(self))
        self->at++;
    statement->name = trimmed(self, start, token_here(self)->start);
    if (!take_symbol(self, SYM_EQUAL))
        return;
    start = token_here(self)->start;
    skip_statement(self);
    statement->value = trimmed(self, start, token_here(self)->start);
}

static enum code parse_set(struct parser *self, struct ast_statement *statement)
{
    statement->kind = STATEMENT_SET;
    self->at++;
    parse_key_value(self, statement);
    return statement->value != NULL ? E_OK : syntax_error(self, "SET needs a key and a value: SET key = value");
}

static enum code parse_use(struct parser *self, struct ast_statement *statement)
{
    statement->kind = STATEMENT_USE;
    self->at++;
    if (!take_text(self, "catalog") && !take_text(self, "database") && !take_text(self, "namespace"))
        take_text(self, "schema");
    return parse_statement_name(self, statement);
}

/* ---- pieces of CREATE ---- */

static enum code parse_property(struct parser *self, struct ast_option *option)
{
    option->at = position_here(self);
    if (token_here(self)->kind == TOKEN_STRING) {
        TRY(expect_string_text(self, &option->name));
    } else {
        int32_t first = self->at, count;
        const char *const *parts;
        TRY(expect_dotted(self, &parts, &count));
        option->name = source_since(self, first);
    }
    take_symbol(self, SYM_EQUAL);
    if (token_here(self)->kind == TOKEN_STRING)
        return expect_string_text(self, &option->value);
    int32_t first = self->at;
    take_symbol(self, SYM_MINUS_SIGN);
    if (token_here(self)->kind != TOKEN_NUMBER && token_here(self)->kind != TOKEN_WORD)
        return syntax_error(self, "expected a value here");
    self->at++;
    option->value = source_since(self, first);
    return E_OK;
}

static enum code parse_properties(struct parser *self, struct ast_statement *statement)
{
    TRY(expect_symbol(self, SYM_OPEN));
    do
        TRY(parse_property(self, array_add(self->arena, statement->properties, statement->property_count)));
    while (take_symbol(self, SYM_COMMA));
    return expect_symbol(self, SYM_CLOSE);
}

static enum code skip_expectation(struct parser *self)
{
    struct position at = position_here(self);
    const char *name;
    struct ast *condition;
    self->at++;
    TRY(expect_name(self, &name));
    TRY(expect_word(self, KW_EXPECT));
    TRY(expect_symbol(self, SYM_OPEN));
    TRY(parse_expr(self, &condition));
    TRY(expect_symbol(self, SYM_CLOSE));
    if (take_words(self, KW_ON, KW_VIOLATION)) {
        if (take_text(self, "fail"))
            TRY(take_text(self, "update") ? E_OK : syntax_error(self, "expected UPDATE here"));
        else if (take_word(self, KW_DROP))
            TRY(expect_word(self, KW_ROW));
        else
            return syntax_error(self, "expected DROP ROW or FAIL UPDATE here");
    }
    notes_warn(self->notes, at,
               "expectations run on Databricks only and are not enforced: use a verdict column and WHERE");
    return E_OK;
}

/* name type [NOT NULL] [COMMENT '..'] [DEFAULT ..]; in a view only name [COMMENT '..'] */
static enum code parse_column(struct parser *self, struct ast_column *column, bool typed)
{
    const char *text;
    column->at = position_here(self);
    TRY(expect_name(self, &column->name));
    if (take_symbol(self, SYM_COLON) || (typed && token_here(self)->kind == TOKEN_WORD && !at_word(self, KW_COMMENT)))
        TRY(parse_type(self, &column->type, &text));
    for (;;) {
        if (take_words(self, KW_NOT, KW_NULL)) {
            column->not_null = true;
        } else if (take_word(self, KW_COMMENT)) {
            TRY(expect_string_text(self, &column->comment));
        } else {
            return E_OK;
        }
    }
}

static enum code parse_columns(struct parser *self, struct ast_column **columns, int32_t *count, bool typed)
{
    TRY(expect_symbol(self, SYM_OPEN));
    do {
        if (at_word(self, KW_CONSTRAINT) && token_ahead(self, 2)->keyword == KW_EXPECT) {
            TRY(skip_expectation(self));
            continue;
        }
        TRY(parse_column(self, array_add(self->arena, *columns, *count), typed));
        if (*count > SQL_COLUMNS_MAX)
            return parse_error(self, position_here(self), "[PARSE_SYNTAX_ERROR] more than SQL_COLUMNS_MAX = %d columns",
                               SQL_COLUMNS_MAX);
    } while (take_symbol(self, SYM_COMMA));
    return expect_symbol(self, SYM_CLOSE);
}

/* PARTITIONED BY (day, country STRING) */
static enum code parse_partitions(struct parser *self, struct ast_statement *statement)
{
    TRY(parse_columns(self, &statement->partitions, &statement->partition_count, true));
    return E_OK;
}

/* The clauses between the column list and AS, in any order, as Spark takes them. */
static enum code parse_table_clauses(struct parser *self, struct ast_statement *statement)
{
    for (;;) {
        if (take_word(self, KW_USING)) {
            TRY(expect_name(self, &statement->format));
        } else if (take_words(self, KW_PARTITIONED, KW_BY)) {
            TRY(parse_partitions(self, statement));
        } else if (take_words(self, KW_CLUSTER, KW_BY)) {
            TRY(expect_names(self, &statement->clusters, &statement->cluster_count));
        } else if (take_word(self, KW_COMMENT)) {
            TRY(expect_string_text(self, &statement->comment));
        } else if (take_word(self, KW_TBLPROPERTIES) || take_text(self, "options")) {
            TRY(parse_properties(self, statement));
        } else {
            return E_OK;
        }
    }
}

static enum code parse_as_query(struct parser *self, struct ast_statement *statement, bool required)
{
    if (take_word(self, KW_AS) || at_word(self, KW_SELECT) || at_word(self, KW_WITH) || at_word(self, KW_FROM)) {
        self->streams = false;
        enum code code = parse_query(self, &statement->query);
        statement->streams = self->streams;
        return code;
    }
    const char *hint = "expected AS and a query here; a project reads files as FROM read_files(.., format => ..)";
    return required ? syntax_error(self, statement->format != NULL ? hint : "expected AS and a query here") : E_OK;
}

/* ---- CREATE ---- */

static enum code parse_create_table(struct parser *self, struct ast_statement *statement)
{
    statement->kind = STATEMENT_TABLE;
    TRY(parse_if_not_exists(self, statement));
    TRY(parse_statement_name(self, statement));
    if (at_symbol(self, SYM_OPEN))
        TRY(parse_columns(self, &statement->columns, &statement->column_count, true));
    TRY(parse_table_clauses(self, statement));
    return parse_as_query(self, statement, statement->materialized);
}

static enum code parse_create_view(struct parser *self, struct ast_statement *statement)
{
    statement->kind = STATEMENT_VIEW;
    TRY(parse_if_not_exists(self, statement));
    TRY(parse_statement_name(self, statement));
    if (at_symbol(self, SYM_OPEN))
        TRY(parse_columns(self, &statement->columns, &statement->column_count, false));
    TRY(parse_table_clauses(self, statement));
    return parse_as_query(self, statement, true);
}

/* AUTO CDC INTO t FROM STREAM s KEYS (..) ..: known by name, read to its end, refused by the
 * analyser. */
static enum code parse_auto_cdc(struct parser *self, struct ast_statement *statement)
{
    statement->auto_cdc = true;
    TRY(expect_word(self, KW_INTO));
    statement->target_at = position_here(self);
    TRY(expect_name(self, &statement->target));
    TRY(expect_word(self, KW_FROM));
    skip_statement(self);
    return E_OK;
}

static enum code parse_insert(struct parser *self, struct ast_statement *statement)
{
    TRY(expect_word(self, KW_INSERT));
    statement->once = take_text(self, "once");
    TRY(expect_word(self, KW_INTO));
    take_word(self, KW_TABLE);
    int32_t first = self->at, count;
    const char *const *parts;
    TRY(expect_dotted(self, &parts, &count));
    statement->target = parts[count - 1];
    statement->target_at = position_since(self, first);
    statement->by_name = take_words(self, KW_BY, KW_NAME);
    return parse_query(self, &statement->query);
}

static enum code parse_create_flow(struct parser *self, struct ast_statement *statement)
{
    statement->kind = STATEMENT_FLOW;
    TRY(parse_statement_name(self, statement));
    if (take_word(self, KW_COMMENT))
        TRY(expect_string_text(self, &statement->comment));
    TRY(expect_word(self, KW_AS));
    if (take_words(self, KW_AUTO, KW_CDC))
        return parse_auto_cdc(self, statement);
    return parse_insert(self, statement);
}

/* Databricks: CREATE SINK s OPTIONS (..); here it declares what `sink.NAME.*` would. */
static enum code parse_create_sink(struct parser *self, struct ast_statement *statement)
{
    statement->kind = STATEMENT_SINK;
    TRY(parse_statement_name(self, statement));
    notes_warn(self->notes, statement->name_at,
               "CREATE SINK runs on Databricks only; Spark takes sink.%s.* in the spec", statement->name);
    if (take_word(self, KW_USING))
        TRY(expect_name(self, &statement->format));
    return parse_table_clauses(self, statement);
}

static enum code parse_create(struct parser *self, struct ast_statement *statement)
{
    struct position at = position_here(self);
    self->at++;
    if (take_words(self, KW_OR, KW_REFRESH)) {
        statement->or_refresh = true;
        notes_warn(self->notes, at, "CREATE OR REFRESH runs on Databricks only; Spark takes CREATE");
    }
    statement->temporary = take_word(self, KW_TEMPORARY) || take_word(self, KW_TEMP);
    if (take_words(self, KW_MATERIALIZED, KW_VIEW)) {
        statement->materialized = true;
        return parse_create_table(self, statement);
    }
    if (take_words(self, KW_STREAMING, KW_TABLE))
        return parse_create_table(self, statement);
    if (take_word(self, KW_VIEW))
        return parse_create_view(self, statement);
    if (take_word(self, KW_FLOW))
        return parse_create_flow(self, statement);
    if (take_word(self, KW_SINK))
        return parse_create_sink(self, statement);
    return syntax_error(self, at_word(self, KW_TABLE)
                                  ? "a pipeline has CREATE STREAMING TABLE and CREATE MATERIALIZED VIEW"
                                  : "expected STREAMING TABLE, MATERIALIZED VIEW, [TEMPORARY] VIEW or FLOW here");
}

enum code parse_statement(struct parser *self, struct ast_statement **out)
{
    int32_t first = self->at;
    struct ast_statement *statement = arena_new(self->arena, struct ast_statement);
    enum code code;
    if (at_word(self, KW_SET) && token_ahead(self, 1)->kind == TOKEN_WORD)
        code = parse_set(self, statement);
    else if (at_word(self, KW_USE))
        code = parse_use(self, statement);
    else if (at_word(self, KW_CREATE))
        code = parse_create(self, statement);
    else if (at_query(self)) {
        statement->kind = STATEMENT_QUERY;
        code = parse_query(self, &statement->query);
    } else {
        return syntax_error(self, "a pipeline file has CREATE STREAMING TABLE, CREATE MATERIALIZED VIEW, "
                                  "CREATE [TEMPORARY] VIEW, CREATE FLOW, SET and USE");
    }
    TRY(code);
    statement->at = position_since(self, first);
    *out = statement;
    return E_OK;
}
