/* interval.h - the text of intervals: "5 seconds", "interval 1 day -2 hours".
 *
 * Text     [interval] (number unit)+; a number is [+-]digits, seconds may have a fraction; units from year to
 *          microsecond, plural or not, in any case
 * Units    months, and microseconds for weeks and everything shorter
 * Spec     Spark's IntervalUtils.stringToInterval
 */
#ifndef DATA_INTERVAL_H
#define DATA_INTERVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "data/type.h"

struct interval_unit {
    const char *name;
    int64_t months, us; /* one of them is 0 */
};
/* From the longest to the shortest: two units of one table may be compared by address. NULL: no such unit. */
const struct interval_unit *interval_unit_find(struct bytes name);
/* Add (negative: subtract) so many of the unit; false when the number is none, or too large. */
bool interval_add(struct bytes number, bool negative, const struct interval_unit *unit, int64_t *months, int64_t *us);
/* Add (negative: subtract) what the text says to *months and *us; false when it is no interval. */
bool interval_parse(struct bytes text, bool negative, int64_t *months, int64_t *us);

/* A value of an interval type as SQL writes it: INTERVAL '1 02' DAY TO HOUR. Returns the count of bytes. */
enum { INTERVAL_TEXT_MAX = 96 };
size_t interval_print(const struct type *type, int64_t value, char *out);
/* The same back, or the text between the quotes alone: blanks around are trimmed. False when it is not of the type. */
bool interval_value_parse(struct bytes text, const struct type *type, int64_t *out);
/* Why a text between quotes is no value of the type; negative turns the sign. */
enum interval_reading { INTERVAL_READ, INTERVAL_NO_MATCH, INTERVAL_TOO_LARGE };
enum interval_reading interval_value_read(struct bytes text, const struct type *type, bool negative, int64_t *out);
/* Months, days and microseconds that are not converted into one another: Spark's CalendarInterval. */
struct calendar_interval {
    int32_t months, days;
    int64_t us;
};
/* [interval] (number unit)+ into such fields; false when it is none, or a field does not fit. */
bool calendar_interval_parse(struct bytes text, struct calendar_interval *out);
enum { CALENDAR_INTERVAL_TEXT_MAX = 160 };
/* "1 years 2 months 3 days 4 hours 5.5 seconds", "0 seconds". Returns the count of bytes. */
size_t calendar_interval_print(const struct calendar_interval *value, char *out);
/* Units of the value (months, microseconds) in one of the field. */
int64_t interval_field_units(enum interval_field field);

#endif
