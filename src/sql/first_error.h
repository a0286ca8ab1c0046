/* first_error.h - inside sql/: of several errors in a query the one that Spark names.
 *
 * In      a query whose analysis failed, its code, and the error in self->err
 * Out     the code; self->err may say another error of the same query
 * Thread  the session's
 * Limits  of errors in calls that read columns those of one step of the query, as FROM or the list, are compared, and of
 *         the sides of a join or a set operation; else the analyser's first one is named
 * Spec    Spark's batches LookupFunctions, ResolveFunctions, and CheckAnalysis behind them
 */
#ifndef SQL_FIRST_ERROR_H
#define SQL_FIRST_ERROR_H

#include "sql/analyser.h"

MUST_CHECK enum code first_error(struct analyser *self, const struct ast_query *query, enum code code);
/* The same of expressions over the same rows, one of which failed. */
MUST_CHECK enum code first_error_among(struct analyser *self, struct scope *scope, struct ast *const *exprs,
                                       int32_t count, enum code code);

/* One side of a join or a set operation failed: when Spark might say an error of the other side instead, beside_open is
 * true; then that side is analysed, and beside_close is given its code. */
struct beside {
    struct error said;
    const struct cte_scope *ctes;
    struct list joins;
    int32_t depth;
};
bool beside_open(struct analyser *self, enum code code, struct beside *out);
MUST_CHECK enum code beside_close(struct analyser *self, const struct beside *beside, enum code code);

#endif
