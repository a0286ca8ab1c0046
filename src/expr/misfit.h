/* misfit.h - inside expr/: what is said of a call that cannot be.
 *
 * Fails    always: each sets `err`, Spark's condition in front, and returns its code
 * Spec     Spark's error conditions WRONG_NUM_ARGS, DATATYPE_MISMATCH and UNRESOLVED_ROUTINE
 * Thread   any
 */
#ifndef EXPR_MISFIT_H
#define EXPR_MISFIT_H

#include "expr/refusal.h"
#include "expr/signature.h"

MUST_CHECK enum code misfit_unknown(const char *name, struct error *err);
MUST_CHECK enum code misfit_count(const char *name, int32_t least, int32_t most, int32_t count, struct error *err);
/* No overload takes the arguments as they are, or cast. */
MUST_CHECK enum code misfit_types(struct expr_context *ctx, const struct function *function, const struct fit *fit,
                                  const struct expr *const *args, int32_t count, struct error *err);
/* The function refuses an argument in its own words. */
MUST_CHECK enum code misfit_refused(struct expr_context *ctx, const struct function *function,
                                    const struct refusal *refusal, const struct expr *const *args, int32_t count,
                                    struct error *err);

/* What an operator, or its function that tries, does: '+', '-', '*', '/', '%'; 0 for others. */
char function_operation(const struct function *function);

#endif
