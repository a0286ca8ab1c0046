/* first_error.h - inside sql/: of several errors in a query the one that Spark names.
 *
 * In      a query whose analysis failed, its code, and the error in self->err
 * Out     the code; self->err may say another error of the same query
 * Thread  the session's
 * Limits  calls are tried without columns alone: of errors in calls that read columns the analyser's first one is named
 * Spec    Spark's batches LookupFunctions, ResolveFunctions, and CheckAnalysis behind them
 */
#ifndef SQL_FIRST_ERROR_H
#define SQL_FIRST_ERROR_H

#include "sql/analyser.h"

MUST_CHECK enum code first_error(struct analyser *self, const struct ast_query *query, enum code code);

#endif
