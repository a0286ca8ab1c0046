/* map_keys.h - inside expr/: a map that a kernel has made has no NULL key and no key twice.
 *
 * Fails    rows whose keys do not fit are rejected, NULL_MAP_KEY or DUPLICATED_MAP_KEY, and become empty
 * Thread   that of the call
 */
#ifndef EXPR_MAP_KEYS_H
#define EXPR_MAP_KEYS_H

#include "expr/function.h"

/* `out` has offsets and both children; its keys are looked at row by row. */
void map_check_keys(struct call *call, struct column *out);

#endif
