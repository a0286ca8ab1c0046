/* program.h - inside expr/: the flat form of expressions.
 *
 * Shape     steps in order of execution; step i writes register i. args are registers, so always smaller than i
 * Masks     a step that may reject rows runs under a mask register: bits of the rows where its result is asked for.
 *           mask = -1: all rows. MASK steps derive a mask from another one and a condition
 * NULL      a function that is NULL where an argument is asks for its next argument only where the ones before are not; one
 *           with an argument that is always NULL computes nothing: as in Spark, what is not asked for cannot fail
 * Sharing   equal expressions are one step when none of them can fail, or when the first one's mask is an ancestor of
 *           the second one's (it then rejects at least the rows that the second would)
 * Lifetime  last_use[i] is the last step that reads register i, so its memory can go round again
 * Thread    read-only after program_compile
 */
#ifndef EXPR_PROGRAM_H
#define EXPR_PROGRAM_H

#include "expr/function.h"

enum step_kind {
    STEP_EXPR,           /* what expr->kind says */
    STEP_MASK_TRUE,      /* rows of args[1] where args[0] is true */
    STEP_MASK_NOT_TRUE,  /* ... is false or NULL */
    STEP_MASK_NOT_FALSE, /* ... is true or NULL */
    STEP_MASK_NULL,      /* ... is NULL */
    STEP_MASK_NOT_NULL,  /* ... is not NULL */
};
struct step {
    enum step_kind kind;
    const struct expr *expr; /* NULL for masks */
    int32_t mask;            /* register, or -1; for MASK steps the parent mask */
    int32_t arg_count;
    const int32_t *args;
    int32_t last_use; /* the step after which the register is free; INT32_MAX for roots */
};
struct program {
    struct step *steps;
    int32_t step_count, root_count, args_max;
    int32_t *roots; /* registers */
};

enum { PROGRAM_STEPS_MAX = 1 << 20 };

#endif
