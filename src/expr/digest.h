/* digest.h - inside expr/: Spark's hashes of values.
 *
 * Thread   any
 */
#ifndef EXPR_DIGEST_H
#define EXPR_DIGEST_H

#include "expr/function.h"

/* XXH64 of a value as Spark's xxhash64() has it; `seed` is the hash of what came before. NULL: the seed. */
uint64_t value_xxhash64(const struct column *col, int64_t row, uint64_t seed);

#endif
