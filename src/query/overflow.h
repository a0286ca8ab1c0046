/* overflow.h - inside query/: rows that are kept to be read once more or several times: in memory while there is some, those
 * that come later on disk.
 *
 * Order    as they came
 * Owns     stored_rows_free() frees both
 */
#ifndef QUERY_OVERFLOW_H
#define QUERY_OVERFLOW_H

#include "query/rows_file.h"

struct rows_overflow {
    struct rows_file *file;
    struct rows_list list;
};
void rows_overflow_free(struct rows_overflow *self); /* NULL is fine */
/* Takes the batch over. */
MUST_CHECK enum code stored_rows_keep(struct stored_rows *self, struct batch *batch, struct budget *budget,
                                      struct query *query, struct error *err);
/* Batch *at, counted on; none: the rows have ended. */
MUST_CHECK enum code stored_rows_next(const struct stored_rows *self, int32_t *at, const struct type *schema,
                                      struct batch *out, struct error *err);

#endif
