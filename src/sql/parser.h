/* parser.h - what the files of the parser share: the cursor over the tokens, and who parses what.
 *
 * Use      at_*() look, take_*() move when the token fits and tell, expect_*() fail when it does
 *          not
 * Fails    E_SQL with a complete message (caret included) in parser->err
 */
#ifndef SQL_PARSER_H
#define SQL_PARSER_H

#include "sql/lex.h"
#include "sql/list.h"
#include "sql/parse.h"

struct parser {
    struct arena *arena;
    struct notes *notes;
    const struct sql_file *file;
    struct token *tokens;
    int32_t at, count;
    int32_t depth;                               /* of nested expressions and queries */
    int32_t pipe_steps;                          /* of the pipe at hand */
    bool streams;                                /* STREAM stood before a relation */
    bool asks_file;                              /* _metadata or input_file_name() stands in the text */
    int32_t marks;                               /* question marks so far: parameters by place */
    const struct identifier_reader *identifiers; /* NULL: none */
    struct error *err;
};

/* ---- parser.c ---- */

MUST_CHECK enum code parser_open(struct parser *self, struct arena *arena, const struct sql_file *file,
                                 struct notes *notes, struct error *err);

static inline const struct token *token_here(const struct parser *self) { return &self->tokens[self->at]; }
const struct token *token_ahead(const struct parser *self, int32_t ahead); /* the END token when behind the end */
struct position position_of(const struct parser *self, const struct token *token);
static inline struct position position_here(const struct parser *self) { return position_of(self, token_here(self)); }
/* From the token `first` (an index) to the last one taken, when both are on one line. */
struct position position_since(const struct parser *self, int32_t first);
/* The text from the token `first` to the last one taken, as written. */
char *source_since(const struct parser *self, int32_t first);

static inline bool at_word(const struct parser *self, enum keyword keyword)
{
    return token_here(self)->keyword == keyword;
}
static inline bool at_symbol(const struct parser *self, enum symbol symbol)
{
    return token_here(self)->symbol == symbol;
}
bool at_words(const struct parser *self, enum keyword first, enum keyword second);
/* A word that is no keyword of ours, by its text. */
bool at_text(const struct parser *self, const char *word);
bool at_statement_end(const struct parser *self);
void skip_statement(struct parser *self); /* up to its end */
bool take_word(struct parser *self, enum keyword keyword);
bool take_words(struct parser *self, enum keyword first, enum keyword second);
bool take_symbol(struct parser *self, enum symbol symbol);
bool take_text(struct parser *self, const char *word);
MUST_CHECK enum code expect_word(struct parser *self, enum keyword keyword);
MUST_CHECK enum code expect_symbol(struct parser *self, enum symbol symbol);
MUST_CHECK enum code expect_string(struct parser *self, struct bytes *out); /* adjacent literals are joined */
MUST_CHECK enum code expect_string_text(struct parser *self, const char **out);
/* A name: any word but those that start or continue a clause; quoted: anything. */
MUST_CHECK enum code expect_name(struct parser *self, const char **out);
/* Behind AS any word is a name, those that start clauses too. */
MUST_CHECK enum code expect_any_name(struct parser *self, const char **out);
bool at_name(const struct parser *self);
bool at_alias(const struct parser *self); /* a name that may stand behind an expression or relation without AS */
MUST_CHECK enum code expect_dotted(struct parser *self, const char *const **parts, int32_t *count); /* a.b.c */
/* The same; a word that starts a clause is a name too. */
MUST_CHECK enum code expect_any_dotted(struct parser *self, const char *const **parts, int32_t *count);
bool at_identifier(const struct parser *self); /* IDENTIFIER( */
/* IDENTIFIER('a.b'): the parts of its name. */
MUST_CHECK enum code parse_identifier(struct parser *self, struct list *parts);
MUST_CHECK enum code expect_names(struct parser *self, const char *const **names, int32_t *count); /* (a, b) */
/* elsewhere.c: what to do instead of a statement that leat has in another place, or NULL. */
const char *elsewhere_hint(const struct parser *self);
/* "leat cannot do this yet: SHOW of this kind", with such a hint. */
enum code statement_refuse(struct parser *self, const char *what);
/* "Syntax error at or near" the token here. */
enum code syntax_error_report(struct parser *self, const char *hint);
#define syntax_error(...) error_never_ok(syntax_error_report(__VA_ARGS__))
/* Any other error at a place: "[CONDITION] text". */
enum code parse_error_report(struct parser *self, struct position at, const char *format, ...) PRINTF(3, 4);
#define parse_error(...) error_never_ok(parse_error_report(__VA_ARGS__))
/* Around everything that may nest: fails when SQL_NESTING_MAX is reached. */
MUST_CHECK enum code nest(struct parser *self);
static inline void unnest(struct parser *self) { self->depth--; }

/* ---- parse_expr.c, parse_primary.c, parse_literal.c ---- */

MUST_CHECK enum code parse_expr(struct parser *self, struct ast **out);
MUST_CHECK enum code parse_expr_list(struct parser *self, struct ast ***out, int32_t *count); /* a, b, .. */
MUST_CHECK enum code parse_primary(struct parser *self, struct ast **out);
MUST_CHECK enum code parse_name_list(struct parser *self, struct ast ***out,
                                     int32_t *count);                    /* a, t.b, ..: AST_NAMEs */
MUST_CHECK enum code parse_value(struct parser *self, struct ast **out); /* without AND, OR, NOT, predicates */
MUST_CHECK enum code parse_call(struct parser *self, const char *name, int32_t first, struct ast **out);
MUST_CHECK enum code parse_type(struct parser *self, const struct type **out, const char **text);
bool at_interval(const struct parser *self);
MUST_CHECK enum code parse_interval(struct parser *self, struct ast **out);
bool at_literal(const struct parser *self);
MUST_CHECK enum code parse_literal(struct parser *self, struct ast **out);
MUST_CHECK enum code parse_window_spec(struct parser *self, struct ast_window *out);
struct ast *ast_new(struct parser *self, enum ast_kind kind, struct position at);
/* A call of an operator; its height follows from its arguments. */
struct ast *ast_operator(struct parser *self, const char *name, struct ast **args, int32_t count, struct position at);
MUST_CHECK enum code ast_measure(struct parser *self, struct ast *node); /* height, checked */

/* ---- parse_query.c, parse_relation.c, parse_pipe.c ---- */

MUST_CHECK enum code parse_query(struct parser *self, struct ast_query **out);
MUST_CHECK enum code parse_ctes(struct parser *self, struct ast_query *query); /* behind WITH */
bool at_query(const struct parser *self);                                      /* SELECT, WITH, VALUES, FROM, TABLE */
MUST_CHECK enum code parse_select(struct parser *self, struct ast_select **out);
MUST_CHECK enum code parse_item(struct parser *self, struct ast_item *out);
MUST_CHECK enum code parse_items(struct parser *self, struct ast_select *select);
bool at_window_clause(const struct parser *self); /* WINDOW w AS */
MUST_CHECK enum code parse_window_clause(struct parser *self, struct ast_select *select);
MUST_CHECK enum code parse_group_by(struct parser *self, struct ast_select *select);
MUST_CHECK enum code parse_sorts(struct parser *self, struct ast_sort **out, int32_t *count);
MUST_CHECK enum code parse_set_quantifier(struct parser *self, struct ast_body *body); /* [ALL|DISTINCT] [BY NAME] */
bool at_set_operation(const struct parser *self);
MUST_CHECK enum code parse_set_operand(struct parser *self, struct ast_body **out);
MUST_CHECK enum code parse_relations(struct parser *self, struct ast_relation **out);
/* (name = 'value', name value, ..) */
MUST_CHECK enum code parse_options(struct parser *self, struct ast_option **options, int32_t *option_count);
MUST_CHECK enum code parse_relation(struct parser *self, struct ast_relation **out); /* with its joins */
MUST_CHECK enum code parse_joins(struct parser *self, struct ast_relation *left, struct ast_relation **out);
bool at_join(const struct parser *self);
MUST_CHECK enum code parse_values(struct parser *self, struct ast_relation **out); /* behind VALUES */
bool at_pivot(const struct parser *self);
MUST_CHECK enum code parse_pivot(struct parser *self, struct ast_relation *of, struct ast_relation **out);
MUST_CHECK enum code parse_sample(struct parser *self, struct ast_relation *relation);
MUST_CHECK enum code parse_pipes(struct parser *self, struct ast_query **query);

/* ---- parse_statement.c ---- */

MUST_CHECK enum code parse_statement(struct parser *self, struct ast_statement **out);
/* Pieces that statements of a session share (parse_session.c): name and qualifier; IF NOT EXISTS; `key = value`, both taken as
 * written up
 * to the statement's end, value NULL when no '=' is there. */
MUST_CHECK enum code parse_statement_name(struct parser *self, struct ast_statement *statement);
MUST_CHECK enum code parse_if_not_exists(struct parser *self, struct ast_statement *statement);
void parse_key_value(struct parser *self, struct ast_statement *statement);

/* parse_nearest.c: APPROX|EXACT NEAREST n BY .., behind the relations of a join. */
bool at_nearest(const struct parser *self);
MUST_CHECK enum code parse_nearest(struct parser *self, struct ast_relation *join);
/* named_arguments.c: arguments given by name to their places, for functions whose parameters are known. */
MUST_CHECK enum code place_arguments(struct parser *self, struct ast *call, struct list *args);

/* ---- parse_variable.c, parse_function.c, parse_show.c ---- */

struct session_statement;
MUST_CHECK enum code parse_create_function(struct parser *self, struct session_statement *out);
MUST_CHECK enum code parse_drop_function(struct parser *self, struct session_statement *out);
MUST_CHECK enum code parse_declare(struct parser *self, struct session_statement *out);
MUST_CHECK enum code parse_set_variable(struct parser *self, struct session_statement *out);
MUST_CHECK enum code parse_drop_variable(struct parser *self, struct session_statement *out);
MUST_CHECK enum code parse_execute(struct parser *self, struct session_statement *out);
MUST_CHECK enum code parse_describe(struct parser *self, struct session_statement *out);
MUST_CHECK enum code parse_show(struct parser *self, struct session_statement *out);
MUST_CHECK enum code parse_explain(struct parser *self, struct session_statement *out);

#endif
