/* value_text.h - one value without children as text, as Spark's CSV and JSON writers print it.
 *
 * Shape    numbers as Java prints them (decimals as BigDecimal: 1.10, 1E-7); 2026-01-02;
 *          2026-01-02T03:04:05.678Z; INTERVAL '1 02:03:04.5' DAY TO SECOND. Strings and binaries
 *          are the caller's
 * Units    VALUE_TEXT_MAX bytes are enough for any value; no terminating NUL
 * Speed    the last second's text is kept: records of a stream are near each other in time
 * Thread   a printer: one at a time
 */
#ifndef FORMAT_VALUE_TEXT_H
#define FORMAT_VALUE_TEXT_H

#include "data/data.h"

enum { VALUE_TEXT_MAX = 160 };

struct value_printer {
    const struct zone *zone; /* NULL = UTC */
    int64_t second;          /* of `text`, when `size` is not 0 */
    int32_t size, fraction_at;
    bool exact; /* times have six digits of the second where three do not say all; keys of MAPs are as values */
    char text[TIMESTAMP_TEXT_MAX];
};
size_t value_text(struct value_printer *printer, const struct column *col, int64_t row, char *out);
/* A key of a MAP in JSON is the value as Spark holds it: a date in days, a timestamp in
 * microseconds. */
size_t value_text_raw(const struct column *col, int64_t row, char *out);

#endif
