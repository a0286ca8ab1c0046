/* parse_show.c - statements that tell: DESCRIBE, SHOW, EXPLAIN. */
#include "sql/parser.h"
#include "sql/sql_session.h"

static enum code parse_pattern(struct parser *self, struct session_statement *out)
{
    bool like = take_word(self, KW_LIKE);
    if (token_here(self)->kind == TOKEN_STRING)
        return expect_string_text(self, &out->pattern);
    return like || at_statement_end(self) ? E_OK : expect_name(self, &out->pattern);
}

/* DESCRIBE [FUNCTION|TABLE|QUERY] [EXTENDED|FORMATTED] .. */
enum code parse_describe(struct parser *self, struct session_statement *out)
{
    self->at++;
    if (take_text(self, "function")) {
        out->kind = DO_DESCRIBE_FUNCTION;
        out->extended = take_text(self, "extended");
        if (token_here(self)->kind == TOKEN_SYMBOL) { // DESCRIBE FUNCTION +
            self->at++;
            out->statement->name = source_since(self, self->at - 1);
            return E_OK;
        }
        out->statement->name_at = position_here(self);
        if (token_here(self)->kind == TOKEN_STRING)
            return expect_string_text(self, &out->statement->name);
        const char *const *parts;
        int32_t count;
        TRY(expect_any_dotted(self, &parts, &count));
        out->statement->name = parts[count - 1];
        return E_OK;
    }
    bool query = take_text(self, "query");
    if (query || at_query(self)) {
        out->kind = DO_DESCRIBE_QUERY;
        return parse_query(self, &out->statement->query);
    }
    out->kind = DO_DESCRIBE_RELATION;
    take_word(self, KW_TABLE);
    if (!take_text(self, "extended"))
        take_text(self, "formatted");
    return parse_statement_name(self, out->statement);
}

static enum code parse_show_columns(struct parser *self, struct session_statement *out)
{
    out->kind = DO_SHOW_COLUMNS;
    if (!take_word(self, KW_IN))
        TRY(expect_word(self, KW_FROM));
    return parse_statement_name(self, out->statement);
}

/* SHOW [SYSTEM|USER|ALL] FUNCTIONS, TABLES, VIEWS, COLUMNS, SCHEMAS, CATALOGS */
enum code parse_show(struct parser *self, struct session_statement *out)
{
    const char *scope;
    self->at++;
    if (take_text(self, "columns"))
        return parse_show_columns(self, out);
    scope = take_text(self, "user") ? "user" : "all";
    if (!take_text(self, "system"))
        take_word(self, KW_ALL);
    out->kind = take_text(self, "functions")                                 ? DO_SHOW_FUNCTIONS
                : take_text(self, "tables")                                  ? DO_SHOW_TABLES
                : take_text(self, "views")                                   ? DO_SHOW_VIEWS
                : take_text(self, "databases") || take_text(self, "schemas") ? DO_SHOW_SCHEMAS
                : take_text(self, "catalogs")                                ? DO_SHOW_CATALOGS
                                                                             : DO_IGNORE;
    if (out->kind == DO_IGNORE)
        return statement_refuse(self, "SHOW of this kind");
    out->user_only = same_name(scope, "user");
    if (take_word(self, KW_IN) || take_word(self, KW_FROM)) {
        const char *const *parts;
        int32_t count;
        TRY(expect_dotted(self, &parts, &count)); // there is one schema
    }
    return parse_pattern(self, out);
}

enum code parse_explain(struct parser *self, struct session_statement *out)
{
    static const char *const modes[] = {"extended", "formatted", "codegen", "cost", "logical"};
    out->kind = DO_EXPLAIN;
    self->at++;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        take_text(self, modes[i]);
    return parse_query(self, &out->statement->query);
}
