/* waiting_rows.h - rows of a table of many folders, which wait until each folder gets more than a few of them at once.
 * Private to sink/.
 *
 *   batches, as they come -> [wait] -> one batch -> rows by folder -> an encoder each
 *
 * Owns     counts on the columns of what waits
 * Thread   one lane's
 */
#ifndef SINK_WAITING_ROWS_H
#define SINK_WAITING_ROWS_H

#include "data/data.h"

struct waiting_rows {
    struct batch *batches;
    int32_t count, capacity;
    int64_t rows;
    size_t bytes;
};
void waiting_add(struct waiting_rows *self, const struct batch *batch); /* its columns are shared */
/* All of them, one behind the other; something must wait. Nothing waits afterwards. */
void waiting_take(struct waiting_rows *self, struct batch *out);
void waiting_free(struct waiting_rows *self);

#endif
