/* selection.h - which rows of a batch go on: a list of row numbers, ascending.
 *
 * Owns     its array, kept from batch to batch; selection_free() drops it. Zeroed = empty
 * Thread   one at a time
 */
#ifndef OPERATOR_SELECTION_H
#define OPERATOR_SELECTION_H

#include "data/data.h"

struct selection {
    int32_t *rows;
    int64_t count, capacity;
};
/* The rows where a BOOLEAN column is true; NULL counts as false. */
void selection_true(struct selection *self, const struct column *condition);
/* The rows of [0, rows) that no reject from `from` on names. */
void selection_unrejected(struct selection *self, int64_t rows, const struct rejects *rejects, int32_t from);
void selection_free(struct selection *self);

/* Bits, one per row: 1 = not named by a reject from `from` on. `bits` has room for bit_bytes(rows). */
void unrejected_bits(uint8_t *bits, int64_t rows, const struct rejects *rejects, int32_t from);

/* All rows and columns of `in`, shared. */
void batch_share(struct batch *out, const struct batch *in);

#endif
