/* random.h - inside expr/: chance that can be repeated.
 *
 * State    lies in call_memory(), so it goes on from batch to batch; zeroed = not started
 * Thread   that of the call
 */
#ifndef EXPR_RANDOM_H
#define EXPR_RANDOM_H

#include "expr/function.h"

struct chance {
    uint64_t state;
    double other; /* the second number of a pair */
    bool started, has_other;
};
/* The seed for this batch; *again: start anew with it, because its rows were read somewhere and may be read again. */
int64_t chance_seed(struct call *call, int64_t seed, bool *again);
/* A constant seed, INT or BIGINT, NULL = 0; a random one without the argument. */
MUST_CHECK enum code bind_seed(struct binding *binding, int32_t index, int64_t *out, struct error *err);

#endif
