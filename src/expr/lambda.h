/* lambda.h - inside expr/: a function's lambda at work on many rows at once.
 *
 * Body      over its variables, then what it captures of the rows around: columns 0, 1, ..
 * Elements  the elements of all rows' lists in one column; `parents` says which row each came from
 */
#ifndef EXPR_LAMBDA_H
#define EXPR_LAMBDA_H

#include "expr/function.h"

enum { LAMBDA_BODIES_MAX = 2 };
struct lambda_call { /* bound to the call */
    struct program *programs[LAMBDA_BODIES_MAX];
    struct lambda bodies[LAMBDA_BODIES_MAX];
    int32_t body_count;
    int32_t value_count; /* arguments in front of the captured ones */
};
bool lambda_calls_equal(const struct expr *a, const struct expr *b);
int32_t lambda_value_count(const struct expr *call);

extern const struct function *const lambda_functions[];

#endif
