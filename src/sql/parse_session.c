/* parse_session.c - the statements of `leat sql` that a pipeline does not have. */
#include "sql/parser.h"
#include "sql/sql_session.h"

/* ---- CREATE ---- */

/* name [type] [NOT NULL] [DEFAULT ..] [COMMENT '..'] */
static enum code parse_column(struct parser *self, struct ast_column *column, bool typed)
{
    const char *text;
    struct ast *initial;
    column->at = position_here(self);
    TRY(expect_name(self, &column->name));
    bool ends = at_symbol(self, SYM_COMMA) || at_symbol(self, SYM_CLOSE) || at_word(self, KW_COMMENT);
    if (typed || !ends) // a view has types only over files
        TRY(parse_type(self, &column->type, &text));
    for (;;) {
        if (take_words(self, KW_NOT, KW_NULL))
            column->not_null = true;
        else if (take_word(self, KW_COMMENT))
            TRY(expect_string_text(self, &column->comment));
        else if (take_word(self, KW_DEFAULT))
            TRY(parse_expr(self, &initial));
        else
            return E_OK;
    }
}

static enum code parse_columns(struct parser *self, struct ast_statement *statement, bool typed)
{
    TRY(expect_symbol(self, SYM_OPEN));
    do {
        TRY(parse_column(self, array_add(self->arena, statement->columns, statement->column_count), typed));
        if (statement->column_count > SQL_COLUMNS_MAX)
            return parse_error(self, position_here(self), "[PARSE_SYNTAX_ERROR] more than SQL_COLUMNS_MAX = %d columns",
                               SQL_COLUMNS_MAX);
    } while (take_symbol(self, SYM_COMMA));
    return expect_symbol(self, SYM_CLOSE);
}

static enum code skip_parentheses(struct parser *self)
{
    int32_t depth = 0;
    do {
        depth += at_symbol(self, SYM_OPEN);
        depth -= at_symbol(self, SYM_CLOSE);
        if (at_statement_end(self))
            return syntax_error(self, NULL);
        self->at++;
    } while (depth > 0);
    return E_OK;
}

static enum code parse_location(struct parser *self, struct ast_statement *statement)
{
    struct ast_option *option = array_add(self->arena, statement->properties, statement->property_count);
    *option = (struct ast_option){.name = "path", .at = position_here(self)};
    return expect_string_text(self, &option->value);
}

/* USING f, OPTIONS (..), LOCATION '..' say which files are meant. PARTITIONED BY (..), COMMENT '..', ..: how a table is kept
 * is the session's own business. */
static enum code skip_table_clauses(struct parser *self, struct ast_statement *statement)
{
    while (!at_statement_end(self) && !at_word(self, KW_AS) && !at_query(self)) {
        if (take_word(self, KW_USING))
            TRY(expect_name(self, &statement->format));
        else if (at_text(self, "options") && token_ahead(self, 1)->symbol == SYM_OPEN) {
            self->at++;
            TRY(parse_options(self, &statement->properties, &statement->property_count));
        } else if (take_word(self, KW_LOCATION))
            TRY(parse_location(self, statement));
        else if (at_symbol(self, SYM_OPEN))
            TRY(skip_parentheses(self));
        else
            self->at++;
    }
    return E_OK;
}

static enum code parse_as(struct parser *self, struct ast_statement *statement)
{
    take_word(self, KW_AS);
    return parse_query(self, &statement->query);
}

static enum code parse_create_view(struct parser *self, struct session_statement *out)
{
    out->kind = DO_CREATE_VIEW;
    TRY(parse_if_not_exists(self, out->statement));
    TRY(parse_statement_name(self, out->statement));
    if (at_symbol(self, SYM_OPEN))
        TRY(parse_columns(self, out->statement, false));
    TRY(skip_table_clauses(self, out->statement));
    if (at_statement_end(self) && out->statement->format != NULL)
        return E_OK;
    return parse_as(self, out->statement);
}

static enum code parse_create_table(struct parser *self, struct session_statement *out)
{
    out->kind = DO_CREATE_TABLE;
    TRY(parse_if_not_exists(self, out->statement));
    TRY(parse_statement_name(self, out->statement));
    if (at_symbol(self, SYM_OPEN))
        TRY(parse_columns(self, out->statement, true));
    TRY(skip_table_clauses(self, out->statement));
    return at_statement_end(self) ? E_OK : parse_as(self, out->statement);
}

static enum code parse_create(struct parser *self, struct session_statement *out)
{
    self->at++;
    out->or_replace = take_word(self, KW_OR);
    if (out->or_replace)
        TRY(expect_word(self, KW_REPLACE));
    take_text(self, "global");
    out->statement->temporary = take_word(self, KW_TEMPORARY) || take_word(self, KW_TEMP);
    if (take_word(self, KW_VIEW))
        return parse_create_view(self, out);
    if (take_text(self, "function"))
        return parse_create_function(self, out);
    take_text(self, "external");
    if (take_word(self, KW_TABLE))
        return parse_create_table(self, out);
    if (at_text(self, "schema") || at_text(self, "database") || at_text(self, "namespace")) {
        out->kind = DO_IGNORE;
        skip_statement(self);
        return E_OK;
    }
    return statement_refuse(self, "CREATE of this kind");
}

/* ---- INSERT, DROP, SET ---- */

static enum code parse_insert(struct parser *self, struct session_statement *out)
{
    out->kind = DO_INSERT;
    self->at++;
    out->overwrite = take_text(self, "overwrite");
    if (!out->overwrite)
        TRY(expect_word(self, KW_INTO));
    take_word(self, KW_TABLE);
    TRY(parse_statement_name(self, out->statement));
    if (at_word(self, KW_PARTITION) || at_word(self, KW_REPLACE))
        return parse_error(self, position_here(self),
                           "[UNSUPPORTED_FEATURE] leat cannot do this yet: INSERT into a partition");
    out->statement->by_name = take_words(self, KW_BY, KW_NAME);
    bool names = at_symbol(self, SYM_OPEN) && token_ahead(self, 1)->keyword != KW_SELECT &&
                 token_ahead(self, 1)->symbol != SYM_OPEN;
    if (names)
        TRY(expect_names(self, &out->columns, &out->column_count));
    return parse_query(self, &out->statement->query);
}

static enum code parse_drop(struct parser *self, struct session_statement *out)
{
    out->kind = DO_DROP;
    self->at++;
    take_word(self, KW_TEMPORARY);
    if (take_text(self, "variable") || take_text(self, "var"))
        return parse_drop_variable(self, out);
    if (take_text(self, "function"))
        return parse_drop_function(self, out);
    if (!take_word(self, KW_VIEW) && !take_word(self, KW_TABLE)) {
        out->kind = DO_IGNORE;
        skip_statement(self);
        return E_OK;
    }
    if (take_word(self, KW_IF)) {
        TRY(expect_word(self, KW_EXISTS));
        out->if_exists = true;
    }
    TRY(parse_statement_name(self, out->statement));
    take_text(self, "purge");
    return E_OK;
}

/* 'UTC', LOCAL, INTERVAL .. */
static enum code parse_time_zone(struct parser *self, struct ast_statement *statement)
{
    bool read = true;
    if (token_here(self)->kind == TOKEN_STRING)
        TRY(expect_string_text(self, &statement->value));
    else if (at_word(self, KW_INTERVAL))
        TRY(parse_interval(self, &statement->interval));
    else
        read = take_text(self, "local");
    if (read && at_statement_end(self))
        return E_OK;
    return parse_error(self, position_here(self),
                       "[_LEGACY_ERROR_TEMP_0045] SET TIME ZONE takes a zone's name in quotes, LOCAL, or an interval");
}

/* SET key = value, SET TIME ZONE 'UTC'; SET key alone shows it, which nobody needs here. */
static enum code parse_set(struct parser *self, struct session_statement *out)
{
    out->kind = DO_SET;
    self->at++;
    if (at_text(self, "time") && token_ahead(self, 1)->keyword == KW_ZONE) {
        self->at += 2;
        out->statement->name = "spark.sql.session.timeZone";
        return parse_time_zone(self, out->statement);
    }
    if (at_text(self, "variable") || at_text(self, "var"))
        return parse_set_variable(self, out);
    parse_key_value(self, out->statement);
    if (out->statement->value == NULL)
        out->kind = DO_IGNORE;
    return E_OK;
}

static enum code parse_truncate(struct parser *self, struct session_statement *out)
{
    out->kind = DO_TRUNCATE;
    self->at++;
    TRY(expect_word(self, KW_TABLE));
    return parse_statement_name(self, out->statement);
}

/* WITH .. SELECT, and WITH .. INSERT: then the names are the inserted query's. */
static enum code parse_with_statement(struct parser *self, struct session_statement *out)
{
    int32_t first = self->at;
    struct ast_query with = {0};
    self->at++;
    TRY(parse_ctes(self, &with));
    if (at_word(self, KW_INSERT)) {
        TRY(parse_insert(self, out));
        struct ast_query *query = out->statement->query;
        if (query->cte_count > 0)
            return parse_error(self, query->at,
                               "[UNSUPPORTED_FEATURE] leat cannot do this yet: WITH twice in an INSERT");
        query->ctes = with.ctes;
        query->cte_count = with.cte_count;
        query->recursive = with.recursive;
        return E_OK;
    }
    self->at = first;
    out->kind = DO_QUERY;
    return parse_query(self, &out->statement->query);
}

/* ---- any ---- */

static bool at_ignored(const struct parser *self)
{
    static const char *const words[] = {"use", "cache", "uncache", "refresh", "analyze", "clear", "reset", NULL};
    for (int i = 0; words[i] != NULL; i++)
        if (at_text(self, words[i]))
            return true;
    return at_word(self, KW_USE) || at_word(self, KW_REFRESH);
}

static enum code parse_any(struct parser *self, struct session_statement *out)
{
    if (at_word(self, KW_CREATE))
        return parse_create(self, out);
    if (at_word(self, KW_INSERT))
        return parse_insert(self, out);
    if (at_word(self, KW_DROP))
        return parse_drop(self, out);
    if (at_word(self, KW_SET))
        return parse_set(self, out);
    if (at_text(self, "declare"))
        return parse_declare(self, out);
    if (at_text(self, "execute"))
        return parse_execute(self, out);
    if (at_text(self, "describe") || at_word(self, KW_DESC))
        return parse_describe(self, out);
    if (at_text(self, "show"))
        return parse_show(self, out);
    if (at_text(self, "explain"))
        return parse_explain(self, out);
    if (at_text(self, "truncate"))
        return parse_truncate(self, out);
    if (at_ignored(self)) {
        out->kind = DO_IGNORE;
        skip_statement(self);
        return E_OK;
    }
    if (at_word(self, KW_WITH))
        return parse_with_statement(self, out);
    out->kind = DO_QUERY;
    return parse_query(self, &out->statement->query);
}

enum code parse_session_statement(struct arena *arena, const struct sql_file *file, struct notes *notes,
                                  const struct identifier_reader *identifiers, struct session_statement *out,
                                  struct error *err)
{
    struct parser self;
    TRY(parser_open(&self, arena, file, notes, err));
    self.identifiers = identifiers;
    if (identifiers->double_quoted)
        lex_double_quoted(file->text, self.tokens, self.count);
    *out = (struct session_statement){.statement = arena_new(arena, struct ast_statement)};
    TRY(parse_any(&self, out));
    while (take_symbol(&self, SYM_SEMICOLON))
        ;
    return token_here(&self)->kind == TOKEN_END ? E_OK : syntax_error(&self, NULL);
}

/* ---- scripts ---- */

/* Whether a statement has a word in it at all. */
static bool has_words(const struct token *tokens, int32_t from, int32_t to)
{
    return to > from && tokens[from].kind != TOKEN_END;
}

bool sql_statement_next(struct bytes *text, struct bytes *out)
{
    struct arena arena = {0};
    struct error err = {0};
    struct token *tokens;
    struct position at;
    int32_t count, from = 0;
    bool found = false;
    if (text->size == 0)
        return false;
    if (lex_text(&arena, NULL, *text, &tokens, &count, &at, &err) != E_OK) {
        found = text->size > 0; // the statement's own error will say what is wrong
        *out = *text;
        *text = (struct bytes){0};
        arena_free(&arena);
        return found;
    }
    while (from < count && tokens[from].symbol == SYM_SEMICOLON)
        from++;
    int32_t to = from;
    while (to < count && tokens[to].kind != TOKEN_END && tokens[to].symbol != SYM_SEMICOLON)
        to++;
    found = has_words(tokens, from, to);
    if (found)
        *out = bytes_of(text->data, tokens[to].start);
    size_t end = to < count ? tokens[to].end : text->size;
    *text = bytes_of(text->data + end, text->size - end);
    arena_free(&arena);
    return found;
}
