#include "sql/parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

const struct token *token_ahead(const struct parser *self, int32_t ahead)
{
    int32_t at = self->at + ahead;
    return &self->tokens[at < self->count ? at : self->count - 1];
}

struct position position_of(const struct parser *self, const struct token *token)
{
    return (struct position){self->file->name, token->line, token->column, token->length};
}

struct position position_since(const struct parser *self, int32_t first)
{
    struct position at = position_of(self, &self->tokens[first]);
    const struct token *last = &self->tokens[self->at > first ? self->at - 1 : first];
    if (last->line == at.line)
        at.length = last->column + last->length - at.column;
    return at;
}

char *source_since(const struct parser *self, int32_t first)
{
    uint32_t start = self->tokens[first].start;
    uint32_t end = self->at > first ? self->tokens[self->at - 1].end : start;
    return arena_strndup(self->arena, (const char *)self->file->text.data + start, end - start);
}

/* ---- looking and taking ---- */

bool at_words(const struct parser *self, enum keyword first, enum keyword second)
{
    return at_word(self, first) && token_ahead(self, 1)->keyword == second;
}

bool at_text(const struct parser *self, const char *word)
{
    const struct token *token = token_here(self);
    size_t size = strlen(word);
    return token->kind == TOKEN_WORD && token->end - token->start == size &&
           strncasecmp((const char *)self->file->text.data + token->start, word, size) == 0;
}

static bool take_when(struct parser *self, bool fits)
{
    self->at += fits;
    return fits;
}

bool take_word(struct parser *self, enum keyword keyword) { return take_when(self, at_word(self, keyword)); }

bool take_words(struct parser *self, enum keyword first, enum keyword second)
{
    bool fits = at_words(self, first, second);
    self->at += fits ? 2 : 0;
    return fits;
}

bool take_symbol(struct parser *self, enum symbol symbol) { return take_when(self, at_symbol(self, symbol)); }

bool take_text(struct parser *self, const char *word) { return take_when(self, at_text(self, word)); }

enum code expect_word(struct parser *self, enum keyword keyword)
{
    if (take_word(self, keyword))
        return E_OK;
    return syntax_error(self, arena_printf(self->arena, "expected %s here", keyword_text(keyword)));
}

enum code expect_symbol(struct parser *self, enum symbol symbol)
{
    static const char *const texts[SYM_COUNT] = {
#define X(name, text) [SYM_##name] = text,
        SYMBOLS(X)
#undef X
    };
    if (take_symbol(self, symbol))
        return E_OK;
    return syntax_error(self, arena_printf(self->arena, "expected '%s' here", texts[symbol]));
}

enum code expect_string(struct parser *self, struct bytes *out)
{
    if (token_here(self)->kind != TOKEN_STRING)
        return syntax_error(self, "expected a string here");
    struct text joined = {0};
    do {
        struct bytes part = lex_string_value(self->arena, self->file->text, token_here(self));
        text_add(&joined, part.data, part.size);
        self->at++;
    } while (token_here(self)->kind == TOKEN_STRING);
    *out = bytes_of(arena_strndup(self->arena, joined.data, joined.size), joined.size);
    text_free(&joined);
    return E_OK;
}

enum code expect_string_text(struct parser *self, const char **out)
{
    struct bytes value;
    TRY(expect_string(self, &value));
    *out = (const char *)value.data; // expect_string ends it with NUL
    return E_OK;
}

/* ---- names ---- */

/* Words that start or continue a clause: Spark would take most of them as names where nothing else
 * fits; a hand-written parser, and a reader, are better off without. */
// clang-format off
static bool is_clause_word(enum keyword keyword)
{
    switch (keyword) {
    case KW_SELECT: case KW_FROM: case KW_WHERE: case KW_GROUP: case KW_HAVING: case KW_ORDER:
    case KW_UNION: case KW_EXCEPT: case KW_INTERSECT: case KW_MINUS: case KW_JOIN: case KW_ON:
    case KW_USING: case KW_CROSS: case KW_INNER: case KW_NATURAL: case KW_LATERAL: case KW_WHEN:
    case KW_THEN: case KW_ELSE: case KW_AND: case KW_OR: case KW_NOT: case KW_IN: case KW_BETWEEN:
    case KW_AS: case KW_INTO: case KW_WITH: case KW_QUALIFY: case KW_IS: case KW_LIKE:
    case KW_ILIKE: case KW_RLIKE: case KW_CREATE:
        return true;
    default: return false;
    }
}
// clang-format on

/* Words that may be names, but behind a relation or expression go on with the query. */
// clang-format off
static bool is_follow_word(enum keyword keyword)
{
    switch (keyword) {
    case KW_LEFT: case KW_RIGHT: case KW_FULL: case KW_SEMI: case KW_ANTI: case KW_LIMIT:
    case KW_OFFSET: case KW_SORT: case KW_CLUSTER: case KW_DISTRIBUTE: case KW_WINDOW:
    case KW_TABLESAMPLE: case KW_PIVOT: case KW_UNPIVOT: case KW_WATERMARK: case KW_FOR:
    case KW_DESC: case KW_ASC: case KW_NULLS: case KW_END: case KW_SET: case KW_REGEXP:
    case KW_COLLATE: case KW_DIV: case KW_ESCAPE:
        return true;
    default: return is_clause_word(keyword);
    }
}
// clang-format on

bool at_name(const struct parser *self)
{
    const struct token *token = token_here(self);
    return token->kind == TOKEN_QUOTED || (token->kind == TOKEN_WORD && !is_clause_word(token->keyword));
}

/* SET, WINDOW, .. are names unless what follows says that they start a clause. */
bool at_alias(const struct parser *self)
{
    const struct token *token = token_here(self), *next = token_ahead(self, 1);
    if (at_nearest(self))
        return false;
    if (token->kind == TOKEN_QUOTED)
        return true;
    if (token->kind != TOKEN_WORD)
        return false;
    bool ends =
        next->kind == TOKEN_END || next->symbol == SYM_COMMA || next->symbol == SYM_CLOSE || next->keyword == KW_FROM;
    switch (token->keyword) {
    case KW_LIMIT:
    case KW_OFFSET:
    case KW_SORT:
    case KW_CLUSTER:
    case KW_DISTRIBUTE:
    case KW_WATERMARK:
    case KW_SET:
    case KW_WINDOW:
    case KW_TABLESAMPLE:
    case KW_PIVOT:
    case KW_UNPIVOT:
    case KW_FOR:
    case KW_DIV:
    case KW_ESCAPE: return ends;
    default: return !is_follow_word(token->keyword);
    }
}

bool at_identifier(const struct parser *self)
{
    return at_text(self, "identifier") && token_ahead(self, 1)->symbol == SYM_OPEN;
}

static enum code identifier_text(struct parser *self, const struct ast *ast, const char **out)
{
    if (self->identifiers != NULL)
        return self->identifiers->read(self->identifiers->context, ast, out);
    if (ast->kind != AST_STRING)
        return parse_error(self, ast->at,
                           "[NOT_A_CONSTANT_STRING.NOT_CONSTANT] IDENTIFIER(..) takes a constant string.");
    *out = arena_strndup(self->arena, (const char *)ast->bytes.data, ast->bytes.size);
    return E_OK;
}

enum code parse_identifier(struct parser *self, struct list *parts)
{
    struct ast *ast;
    const char *text;
    const char *const *names;
    int32_t count;
    self->at += 2;
    TRY(nest(self));
    TRY(parse_expr(self, &ast));
    TRY(expect_symbol(self, SYM_CLOSE));
    unnest(self);
    TRY(identifier_text(self, ast, &text));
    struct sql_file *file = arena_new(self->arena, struct sql_file);
    struct parser inner;
    struct notes quiet = {.arena = self->arena, .files = file, .file_count = 1};
    *file = (struct sql_file){NULL, bytes_of_string(text)};
    if (parser_open(&inner, self->arena, file, &quiet, self->err) != E_OK ||
        expect_any_dotted(&inner, &names, &count) != E_OK || token_here(&inner)->kind != TOKEN_END)
        return parse_error(self, ast->at,
                           "[PARSE_SYNTAX_ERROR] Syntax error at or near '%s': IDENTIFIER(..) takes a name.", text);
    for (int32_t i = 0; i < count; i++)
        list_add(self->arena, parts, names[i]);
    return E_OK;
}

enum code expect_name(struct parser *self, const char **out)
{
    if (at_identifier(self)) {
        struct list parts = {0};
        struct position at = position_here(self);
        TRY(parse_identifier(self, &parts));
        if (parts.count != 1)
            return parse_error(self, at, "[IDENTIFIER_TOO_MANY_NAME_PARTS] a name of one part is expected here.");
        *out = parts.items[0];
        return E_OK;
    }
    if (!at_name(self))
        return syntax_error(self, token_here(self)->kind == TOKEN_STRING ? "a name is quoted with `backquotes`"
                                                                         : "expected a name here");
    *out = lex_name_value(self->arena, self->file->text, token_here(self));
    self->at++;
    return E_OK;
}

enum code expect_any_name(struct parser *self, const char **out)
{
    if (token_here(self)->kind != TOKEN_WORD)
        return expect_name(self, out);
    *out = lex_name_value(self->arena, self->file->text, token_here(self));
    self->at++;
    return E_OK;
}

enum code expect_dotted(struct parser *self, const char *const **parts, int32_t *count)
{
    struct list names = {0};
    do {
        const char *name;
        if (at_identifier(self)) {
            TRY(parse_identifier(self, &names));
            continue;
        }
        TRY(expect_name(self, &name));
        list_add(self->arena, &names, name);
    } while (take_symbol(self, SYM_DOT));
    *parts = (const char *const *)names.items;
    *count = names.count;
    return E_OK;
}

enum code expect_any_dotted(struct parser *self, const char *const **parts, int32_t *count)
{
    struct list names = {0};
    do {
        const struct token *token = token_here(self);
        if (token->kind != TOKEN_WORD && token->kind != TOKEN_QUOTED)
            return syntax_error(self, "expected a name here");
        list_add(self->arena, &names, lex_name_value(self->arena, self->file->text, token));
        self->at++;
    } while (take_symbol(self, SYM_DOT));
    *parts = (const char *const *)names.items;
    *count = names.count;
    return E_OK;
}

enum code expect_names(struct parser *self, const char *const **out, int32_t *count)
{
    struct list names = {0};
    TRY(expect_symbol(self, SYM_OPEN));
    do {
        const char *name;
        TRY(expect_name(self, &name));
        list_add(self->arena, &names, name);
    } while (take_symbol(self, SYM_COMMA));
    *out = (const char *const *)names.items;
    *count = names.count;
    return expect_symbol(self, SYM_CLOSE);
}

/* ---- errors ---- */

enum { SHOWN_TOKEN_MAX = 60, SLIP_BYTES_MIN = 4 }; // shorter words are near to too many others

/* The keyword that a name was probably meant to be, or NULL: first the words that begin clauses. */
static const char *slip_of(struct parser *self, const struct token *token)
{
    static const char *const clauses[] = {"FROM",  "WHERE", "GROUP",  "ORDER",     "HAVING",    "LIMIT", "SELECT",
                                          "UNION", "JOIN",  "STREAM", "STREAMING", "WATERMARK", "DELAY", "CREATE"};
    if (token->kind != TOKEN_WORD || token->keyword != KW_NONE || token->end - token->start < SLIP_BYTES_MIN)
        return NULL;
    const char *word = lex_name_value(self->arena, self->file->text, token);
    const char *near = nearest_word(word, clauses, sizeof clauses / sizeof clauses[0]);
    return near != NULL && edit_distance(word, near) <= 2 ? near : keyword_nearest(word);
}

/* The word here or, when it was taken for an alias, the one before: SELECT a FORM t. */
static const char *slip_hint(struct parser *self)
{
    const struct token *here = token_here(self), *before = self->at > 0 ? here - 1 : here;
    const char *word = slip_of(self, here);
    if (word != NULL)
        return arena_printf(self->arena, "did you mean %s?", word);
    word = slip_of(self, before);
    if (word == NULL)
        return NULL;
    return arena_printf(self->arena, "did you mean %s instead of %s?", word,
                        lex_name_value(self->arena, self->file->text, before));
}

enum code syntax_error_report(struct parser *self, const char *hint)
{
    const struct token *token = token_here(self);
    const char *slip = elsewhere_hint(self);
    if (slip == NULL)
        slip = slip_hint(self);
    if (token->kind == TOKEN_END) {
        fail(self->err, E_SQL, "[PARSE_SYNTAX_ERROR] Syntax error at or near end of input");
        return message_at(self->notes, position_of(self, token), hint, self->err);
    }
    int size = (int)(token->end - token->start);
    const char *text = (const char *)self->file->text.data + token->start;
    fail(self->err, E_SQL, "[PARSE_SYNTAX_ERROR] Syntax error at or near '%.*s%s'",
         size > SHOWN_TOKEN_MAX ? SHOWN_TOKEN_MAX : size, text, size > SHOWN_TOKEN_MAX ? ".." : "");
    return message_at(self->notes, position_of(self, token), slip != NULL ? slip : hint, self->err);
}

enum code parse_error_report(struct parser *self, struct position at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char said[512];
    vsnprintf(said, sizeof said, format, args);
    va_end(args);
    fail(self->err, E_SQL, "%s", said);
    return message_at(self->notes, at, NULL, self->err);
}

enum code nest(struct parser *self)
{
    if (self->depth >= SQL_NESTING_MAX)
        return parse_error(self, position_here(self),
                           "[PARSE_SYNTAX_ERROR] nested deeper than SQL_NESTING_MAX = %d levels", SQL_NESTING_MAX);
    self->depth++;
    return E_OK;
}

/* ---- whole texts ---- */

static bool asks_file(struct bytes text, const struct token *token)
{
    static const char *const names[] = {FILE_COLUMN, "input_file_name", "input_file_block_start",
                                        "input_file_block_length"};
    bool quoted = token->kind == TOKEN_QUOTED;
    if (!quoted && token->kind != TOKEN_WORD)
        return false;
    const char *name = (const char *)text.data + token->start + quoted;
    size_t size = token->end - token->start - (quoted ? 2 : 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == size && strncasecmp(name, names[i], size) == 0)
            return true;
    return false;
}

enum code parser_open(struct parser *self, struct arena *arena, const struct sql_file *file, struct notes *notes,
                      struct error *err)
{
    struct token *tokens;
    struct position at;
    *self = (struct parser){.arena = arena, .notes = notes, .file = file, .err = err};
    if (lex_text(arena, file->name, file->text, &tokens, &self->count, &at, err) != E_OK)
        return message_at(notes, at, NULL, err);
    self->tokens = tokens;
    for (int32_t i = 0; i < self->count && !self->asks_file; i++)
        self->asks_file = asks_file(file->text, &tokens[i]);
    return E_OK;
}

bool at_statement_end(const struct parser *self)
{
    return at_symbol(self, SYM_SEMICOLON) || token_here(self)->kind == TOKEN_END;
}

void skip_statement(struct parser *self)
{
    while (!at_statement_end(self))
        self->at++;
}

/* Behind an error: go on at the next statement. */
static void resynchronise(struct parser *self)
{
    skip_statement(self);
    self->depth = 0;
}

static enum code parse_terminated(struct parser *self, struct ast_statement **out)
{
    TRY(parse_statement(self, out));
    return at_statement_end(self) ? E_OK : syntax_error(self, NULL);
}

enum code parse_script(struct arena *arena, const struct sql_file *file, struct notes *notes, struct ast_script *out,
                       struct error *err)
{
    struct parser self;
    struct error later;
    struct list statements = {0};
    enum code first = parser_open(&self, arena, file, notes, err);
    if (first != E_OK) {
        notes_problem(notes, err);
        return first;
    }
    for (;;) {
        while (take_symbol(&self, SYM_SEMICOLON))
            ;
        if (token_here(&self)->kind == TOKEN_END)
            break;
        struct ast_statement *statement;
        enum code code = parse_terminated(&self, &statement);
        if (code == E_OK) {
            list_add(arena, &statements, statement);
            continue;
        }
        notes_problem(notes, self.err);
        resynchronise(&self);
        first = first != E_OK ? first : code;
        self.err = &later; // the caller's error keeps the first
    }
    *out = (struct ast_script){(struct ast_statement **)statements.items, statements.count, self.asks_file};
    return first;
}

enum code parse_query_text(struct arena *arena, const struct sql_file *file, struct notes *notes,
                           struct ast_query **out, struct error *err)
{
    struct parser self;
    TRY(parser_open(&self, arena, file, notes, err));
    TRY(parse_query(&self, out));
    while (take_symbol(&self, SYM_SEMICOLON))
        ;
    return token_here(&self)->kind == TOKEN_END ? E_OK : syntax_error(&self, NULL);
}

enum code parse_expression_text(struct arena *arena, const struct sql_file *file, struct notes *notes, struct ast **out,
                                struct error *err)
{
    struct parser self;
    TRY(parser_open(&self, arena, file, notes, err));
    TRY(parse_expr(&self, out));
    return token_here(&self)->kind == TOKEN_END ? E_OK : syntax_error(&self, NULL);
}
