/* set_aside.h - late rows as lines that name the records they came from.
 *
 * Shape    reason (LATE), watermark, event_time (NULL when it is not a plain column), topic, partition, offset, timestamp,
 *          key, value; of a row that came as columns `value` is the row as JSON
 *          A row that was born in leat has no record: topic to value are NULL
 * Owns     out is the caller's to release
 * Thread   any
 */
#ifndef RUNTIME_SET_ASIDE_H
#define RUNTIME_SET_ASIDE_H

#include "expr/expr.h"

struct late_rows {
    const struct batch *in;
    const int32_t *rows;
    int64_t count;
    int64_t watermark_us; /* what they are late by */
    int32_t time_column;  /* their event time in `in`, -1 = not a plain column */
};
const struct type *late_schema(struct arena *arena);
void late_rows_print(const struct type *schema, const struct late_rows *late, struct batch *out);

#endif
