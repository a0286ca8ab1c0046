/* refusal.h - inside expr/: arguments that Spark refuses before it casts anything.
 *
 * Many of Spark's functions say themselves what they take, and in their own words, although a cast would make it fit:
 * element_at(list, '1'), array_position(NULL, 1), format_number('2', 2).
 *
 * In      a function's name and the arguments as they were written
 * Thread  any
 * Spec    Spark's checkInputDataTypes of each function, and ExpectsInputTypes
 */
#ifndef EXPR_REFUSAL_H
#define EXPR_REFUSAL_H

#include "expr/function.h"

struct refusal {
    const char *condition; /* what follows DATATYPE_MISMATCH. */
    const char *wanted;    /* in words */
    int32_t index;         /* of the argument */
};
/* False when nothing is refused: whether the arguments fit is then the signature's to say. */
bool arguments_refused(const char *name, const struct expr *const *args, int32_t count, struct refusal *out);

#endif
