/* parse.h - tokens to syntax trees.
 *
 * In       one file's text; for tests also a single expression or query
 * Out      statements in the order of the text; warnings for what only Databricks or leat
 *          understands
 * Errors   E_SQL with file:line:column, the line, a caret, a hint. parse_script goes on behind the
 *          next `;` and collects all of them in `problems`
 * Limits   SQL_NESTING_MAX levels of parentheses and queries, SQL_HEIGHT_MAX levels of an
 *          expression
 * Owns     the tree lives in the arena
 * Spec     shared/design/language.md section 2; Spark 4.2 SqlBaseParser
 */
#ifndef SQL_PARSE_H
#define SQL_PARSE_H

#include "sql/ast.h"
#include "sql/message.h"
#include "sql/sql.h"

struct ast_script {
    struct ast_statement **statements;
    int32_t count;
    bool asks_file; /* somewhere, which file a row came from */
};

/* What IDENTIFIER(expr) says: the text of a constant. Without one only a string literal is understood. */
struct identifier_reader {
    enum code (*read)(void *context, const struct ast *ast, const char **out);
    void *context;
    bool double_quoted; /* "a" is a name, not a text */
};

/* Errors go to notes->problems; the code is that of the first one. */
MUST_CHECK enum code parse_script(struct arena *arena, const struct sql_file *file, struct notes *notes,
                                  struct ast_script *out, struct error *err);
/* One query, an optional `;` behind it. */
MUST_CHECK enum code parse_query_text(struct arena *arena, const struct sql_file *file, struct notes *notes,
                                      struct ast_query **out, struct error *err);
MUST_CHECK enum code parse_expression_text(struct arena *arena, const struct sql_file *file, struct notes *notes,
                                           struct ast **out, struct error *err);

#endif
