/* failing_constant.h - inside sql/: constants that Spark computes before it looks for rows.
 *
 * In      the nodes of an optimised query, inputs first: what could be folded is a literal, columns that nobody reads are gone
 * Out     E_SQL with the condition of the first constant that fails wherever it stands: 1 / 0 in the SELECT list of an empty
 *         table. Below CASE, IF and COALESCE it stays for the rows that need it, and below LIMIT 0 nothing is computed
 * Limits  the keys and frames of window functions, and what stands right below these, are left to the rows: not all columns
 *         there are read
 * Thread  the session's
 * Spec    Spark's SpecialDatetimeValues and ConstantFolding; calls with lambdas are no constants to it
 */
#ifndef SQL_FAILING_CONSTANT_H
#define SQL_FAILING_CONSTANT_H

#include "sql/analyser.h"

MUST_CHECK enum code failing_constant(struct analyser *self, const struct plan_list *nodes);
/* Before anything is optimised: constant texts that are cast to a DATE or TIMESTAMP. */
MUST_CHECK enum code failing_time(struct analyser *self, struct plan *plan);

#endif
