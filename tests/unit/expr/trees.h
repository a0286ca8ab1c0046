/* trees.h - short hands of the expression tests: trees from text, and one value as text.
 *
 * Text     (name arg ...) is a call; (cast TYPE arg), (try_cast TYPE arg), (case when then ... [else]), (field NAME arg).
 *          123 INT or BIGINT, 5L, 1.5 DECIMAL, 1.5d DOUBLE, 1e3 DOUBLE, 'text' ('' is a quote), X'41', null, true, false;
 *          #2 is column 2 of the schema given to tree_columns
 */
#ifndef TESTS_EXPR_TREES_H
#define TESTS_EXPR_TREES_H

#include "expr/expr.h"
#include "kit.h"

/* A context in America/Los_Angeles, ANSI on. Freed by trees_close. */
struct expr_context *trees_open(void);
void trees_close(void);
struct arena *trees_arena(void);
const struct session *trees_session(void);

const struct type *tree_type(const char *ddl); /* one type: "ARRAY<INT>"; or a schema "a INT, b STRING" */
void tree_columns(const struct type *schema);
/* NULL when the tree is refused; the text of the error is then in tree_error(). */
const struct expr *tree(const char *text);
const char *tree_error(void);

/* The constant's value as CAST AS STRING shows it, "NULL", or "!CONDITION" of its error. Valid until the next call. */
const char *tree_value(const struct expr *expr);
const char *tree_type_of(const struct expr *expr);

#endif
