/* set_aside.h - rows that go no further, as lines that name the records they came from.
 *
 * Shape    quarantine: reason (Spark's error condition), detail, at (where in the SQL), topic, partition, offset,
 *          timestamp, key, value
 *          late: reason (LATE), watermark, event_time (NULL when it is not a plain column), then topic to value as above
 *          A row that was born in leat has no record: topic to value are NULL
 * Owns     out is the caller's to release
 * Thread   any
 */
#ifndef RUNTIME_SET_ASIDE_H
#define RUNTIME_SET_ASIDE_H

#include "expr/expr.h"

/* What rejected rows, for messages about it. */
struct rejecter {
    struct position (*position)(const void *stage, int32_t step);
    /* What is wrong with the row, appended; NULL: reject_text says enough. */
    void (*detail)(const void *stage, const struct batch *in, const struct reject *reject, struct text *out);
    const void *stage;
};
const struct type *quarantine_schema(struct arena *arena);
void quarantine_rows(const struct type *schema, const struct batch *in, const struct rejects *rejects,
                     const struct rejecter *by, struct batch *out);
/* The first reject as an error: E_DATA with reason, record and place. */
enum code reject_fail(const struct batch *in, const struct rejects *rejects, const struct rejecter *by, struct error *err);

struct late_rows {
    const struct batch *in;
    const int32_t *rows;
    int64_t count;
    int64_t watermark_us;              /* what they are late by */
    int32_t time_column;               /* their event time in `in`, -1 = not a plain column */
};
const struct type *late_schema(struct arena *arena);
void late_rows_print(const struct type *schema, const struct late_rows *late, struct batch *out);

#endif
