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

/* ---- lambda_elements.c ---- */

struct elements {
    int32_t *parents, *places; /* per element: row; index in the list's child. One allocation */
    int64_t count;
};
static inline int64_t list_row(const struct arg *arg, int64_t row) { return row * arg->step; }

/* The elements of the lists of all rows that are not NULL. Lists that do not fit beside those before them are rejected. */
void elements_find(struct elements *self, struct call *call, const struct arg *list);
void elements_free(struct elements *self);

/* The elements, and beside them their index when the lambda asks for it; of a map, keys and values. */
void elements_variables(const struct call *call, const struct elements *elements, const struct arg *list,
                        struct column *variables);

/* The argument's value beside each element. */
void lambda_repeat(struct call *call, const struct arg *arg, const int32_t *parents, int64_t count, struct column *out);

/* Runs body `which` over `count` rows; takes the `given` variables over, of which the lambda may name fewer. Errors
 * reject the parents. */
void lambda_run(struct call *call, const struct arg *args, int32_t which, struct column *variables, int32_t given,
                const int32_t *parents, int64_t count, struct column *out);

/* Offsets of `out` from the parents of its elements. */
void elements_offsets(struct call *call, const int32_t *parents, int64_t count, struct column *out);

/* The columns become what the list or map `out` holds. */
void elements_put(struct column *out, struct column *children, int32_t count);

extern const struct function *const lambda_functions[];
extern const struct function *const lambda_sort_functions[];

#endif
