/* approx_count.h - inside expr/: how many different values there were, from the largest run of zeros of their
 * hashes.
 *
 * Shape    2^p registers; a hash's first p bits choose one, which keeps the largest rank (place of the first
 *          1 among the other bits) that it saw. Sketches merge by the larger rank
 * Spec     HyperLogLog++ (Heule, Nunkesser, Hall, EDBT 2013) as Spark has it: XXH64 with seed 42, the same
 *          corrections, so the same numbers
 */
#ifndef EXPR_APPROX_COUNT_H
#define EXPR_APPROX_COUNT_H

#include "expr/aggregate.h"

enum {
    APPROX_COUNT_BITS_MIN = 4,
    APPROX_COUNT_BITS_MAX = 20, /* p: a sketch of 1 MiB */
    APPROX_COUNT_TABLES = 15,   /* p = 4 .. 18 */
};
struct raw_estimates {
    const double *means;
    const int32_t *counts;
    int32_t count;
    int32_t linear_max; /* up to there counting the empty registers is the better estimate */
};
extern const struct raw_estimates raw_estimates[APPROX_COUNT_TABLES];

#endif
