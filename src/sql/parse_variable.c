/* parse_variable.c - session variables, and statements that are texts: DECLARE, SET VARIABLE, DROP VARIABLE, EXECUTE
 * IMMEDIATE. */
#include "sql/parser.h"
#include "sql/sql_session.h"

/* DECLARE [OR REPLACE] [VARIABLE|VAR] a [, b] [type] [DEFAULT|= expr] */
enum code parse_declare(struct parser *self, struct session_statement *out)
{
    out->kind = DO_DECLARE;
    self->at++;
    out->or_replace = take_word(self, KW_OR);
    if (out->or_replace)
        TRY(expect_word(self, KW_REPLACE));
    bool named = token_ahead(self, 1)->kind == TOKEN_WORD || token_ahead(self, 1)->kind == TOKEN_QUOTED;
    if (named && !take_text(self, "variable"))
        take_text(self, "var");
    TRY(parse_name_list(self, &out->targets, &out->target_count));
    if (!at_statement_end(self) && !at_word(self, KW_DEFAULT) && !at_symbol(self, SYM_EQUAL))
        TRY(parse_type(self, &out->type, &out->type_text));
    if (!take_word(self, KW_DEFAULT) && !take_symbol(self, SYM_EQUAL))
        return out->type != NULL ? E_OK : syntax_error(self, "expected a type, or DEFAULT and a value");
    out->values = arena_new(self->arena, struct ast *);
    out->value_count = 1;
    return parse_expr(self, &out->values[0]);
}

/* a = expr, b = DEFAULT, ..: DEFAULT is a value that is NULL. */
static enum code parse_assignments(struct parser *self, struct session_statement *out)
{
    struct list targets = {0}, values = {0};
    do {
        struct ast **target, *value = NULL;
        int32_t count;
        int32_t before = self->at;
        TRY(parse_name_list(self, &target, &count));
        if (count > 1)
            return self->at = before, syntax_error(self, NULL);
        TRY(expect_symbol(self, SYM_EQUAL));
        const struct token *next = token_ahead(self, 1);
        if (at_word(self, KW_DEFAULT) &&
            (next->symbol == SYM_COMMA || next->symbol == SYM_SEMICOLON || next->kind == TOKEN_END))
            self->at++;
        else
            TRY(parse_expr(self, &value));
        list_add(self->arena, &targets, target[0]);
        list_add(self->arena, &values, value);
    } while (take_symbol(self, SYM_COMMA));
    out->targets = (struct ast **)targets.items;
    out->values = (struct ast **)values.items;
    out->target_count = out->value_count = targets.count;
    return E_OK;
}

/* SET VAR a = 1, b = 2; SET VAR (a, b) = (SELECT ..) */
enum code parse_set_variable(struct parser *self, struct session_statement *out)
{
    out->kind = DO_SET_VARIABLE;
    self->at++; // VARIABLE or VAR
    if (!take_symbol(self, SYM_OPEN))
        return parse_assignments(self, out);
    TRY(parse_name_list(self, &out->targets, &out->target_count));
    TRY(expect_symbol(self, SYM_CLOSE));
    TRY(expect_symbol(self, SYM_EQUAL));
    TRY(expect_symbol(self, SYM_OPEN));
    TRY(parse_query(self, &out->statement->query));
    return expect_symbol(self, SYM_CLOSE);
}

/* DROP TEMPORARY VARIABLE [IF EXISTS] a: behind VARIABLE. */
enum code parse_drop_variable(struct parser *self, struct session_statement *out)
{
    out->kind = DO_DROP_VARIABLE;
    if (take_word(self, KW_IF)) {
        TRY(expect_word(self, KW_EXISTS));
        out->if_exists = true;
    }
    return parse_name_list(self, &out->targets, &out->target_count);
}

/* EXECUTE IMMEDIATE text [INTO a, b] [USING expr [AS name], ..] */
enum code parse_execute(struct parser *self, struct session_statement *out)
{
    out->kind = DO_EXECUTE;
    self->at++;
    if (!take_text(self, "immediate"))
        return syntax_error(self, "expected EXECUTE IMMEDIATE here");
    TRY(parse_expr(self, &out->text));
    if (take_word(self, KW_INTO))
        TRY(parse_name_list(self, &out->targets, &out->target_count));
    if (!take_word(self, KW_USING))
        return E_OK;
    bool open = take_symbol(self, SYM_OPEN);
    struct list values = {0}, names = {0};
    do {
        struct ast_item item = {0};
        TRY(parse_item(self, &item));
        list_add(self->arena, &values, item.expr);
        list_add(self->arena, &names, item.alias);
    } while (take_symbol(self, SYM_COMMA));
    out->values = (struct ast **)values.items;
    out->names = (const char *const *)names.items;
    out->value_count = values.count;
    return open ? expect_symbol(self, SYM_CLOSE) : E_OK;
}
