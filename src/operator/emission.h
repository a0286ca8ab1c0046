/* emission.h - inside operator/: results of groups on their way out, a row each.
 *
 * Use      emission_open; emission_row for each result; emission_close sends what is left and frees, also
 *          after a failure
 * Shape    the stage's schema: keys, where the window is STRUCT<start, end>, then the calls' results
 * Owns     its builders; a batch of at most BATCH_ROWS_MAX rows is moved into emit
 * Thread   one at a time
 */
#ifndef OPERATOR_EMISSION_H
#define OPERATOR_EMISSION_H

#include "operator/operator.h"

struct aggregate_stage;
struct emission {
    const struct aggregate_stage *stage;
    const struct emit *emit;
    int64_t rows;
    struct builder *builders; /* key columns as they are encoded, then the calls; NULL = not opened */
    struct builder start;     /* of the window */
    int64_t out, overflown;   /* rows sent; results that did not fit */
};
void emission_open(struct emission *self, const struct aggregate_stage *stage, const struct emit *emit);
/* `key`: as the stage encodes it, without the window when the stage keeps keys over time (timeline.h).
 * `states`: of the calls, as group_states() has them. */
MUST_CHECK enum code emission_row(struct emission *self, struct bytes key, int64_t start_us, int64_t end_us,
                                  const void *states, struct error *err);
/* `code`: how it went so far; its failure is kept, and nothing is sent then. */
MUST_CHECK enum code emission_close(struct emission *self, enum code code, struct error *err);

#endif
