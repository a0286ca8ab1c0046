/* sql_function.h - inside sql/: functions that SQL defines, CREATE FUNCTION f(x INT) RETURNS INT RETURN x + 1.
 *
 * Shape    a call is its body with the arguments in the place of the parameters: an expression of the caller's rows, or a
 *          relation of FROM. In a body's scope the parameters are the only names (struct frame); subqueries of the body
 *          find them as names of the query around
 * Owns     each function its own arena; the function lies in it
 * Limits   FUNCTION_CALLS_MAX in a statement, those within bodies counted; FUNCTION_WEIGHT_MAX nodes of a call
 * Spec     Spark 4.2: SQLFunction, RewriteSQLFunction
 */
#ifndef SQL_SQL_FUNCTION_H
#define SQL_SQL_FUNCTION_H

#include "sql/analyser.h"

enum { FUNCTION_PARAMETERS_MAX = 255, FUNCTION_CALLS_MAX = 4096, FUNCTION_WEIGHT_MAX = 1 << 14 };

struct function_parameter {
    const char *name;
    const struct type *type;
    struct ast *initial; /* DEFAULT, or NULL */
};
struct sql_function {
    struct arena arena;
    const char *name;
    struct position at;
    const char *comment; /* or NULL */
    struct function_parameter *parameters;
    int32_t parameter_count;
    const struct type *returns; /* of a table a STRUCT; NULL: what the body has */
    struct ast *body;           /* NULL: a table function */
    struct ast_query *query;
    bool temporary;
};

/* A call at work: what its parameters are. */
struct frame {
    const struct sql_function *function;
    const struct expr **values; /* over the rows of the scope; as many as parameters */
    const struct frame *around; /* the call whose body this one stands in, or NULL */
};

/* ---- analyse_function.c ---- */

/* The parameter of that name as an expression `level` subqueries further in; -1: in the body itself. */
MUST_CHECK enum code frame_find(struct analyser *self, const struct frame *frame, const struct ast *name, int32_t level,
                                const struct expr **out, bool *found);
MUST_CHECK enum code analyse_function_call(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                           const struct sql_function *function, const struct expr **out);
MUST_CHECK enum code analyse_function_rows(struct analyser *self, const struct scope *outer, const struct ast *ast,
                                           const struct sql_function *function, struct rowset *out);
/* Its body over parameters of their types; *type is what it returns, of a table a STRUCT. */
MUST_CHECK enum code analyse_function_body(struct analyser *self, const struct sql_function *function,
                                           const struct type **type);

/* ---- session_functions.c ---- */

/* NULL: the session has none of that name. */
const struct sql_function *function_find(const struct analyser *self, const char *name);

#endif
