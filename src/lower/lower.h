/* lower.h - plan nodes as specs of what executes them: one translation for both engines, of streams (runtime/) and of queries
 * whose inputs end (query/).
 *
 * Owns     nothing: a spec borrows from its plan, which outlives it
 * Thread   pure
 */
#ifndef LOWER_LOWER_H
#define LOWER_LOWER_H

#include "format/format.h"
#include "operator/operator.h"
#include "sql/sql.h"

enum join_type join_type_of(enum join_kind kind);
/* A join as a lookup: input `hashed` is the table, the rows of the other one seek their partners; `type` is seen from those. */
struct lookup_spec lookup_spec_of(const struct plan *plan, int32_t hashed, enum join_type type);
struct generate_spec generate_spec_of(const struct plan *plan);
struct decoder_spec decoder_spec_of(const struct plan *plan, const struct zone *zone);

#endif
