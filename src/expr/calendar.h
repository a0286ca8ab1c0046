/* calendar.h - inside expr/: small sums with days and local time.
 *
 * Units    days since 1970-01-01 (int32), microseconds (int64); months from 1
 */
#ifndef EXPR_CALENDAR_H
#define EXPR_CALENDAR_H

#include "expr/cast.h"

struct civil {
    int64_t year;
    int month, day;
};
static inline struct civil civil_of(int32_t days)
{
    struct civil civil;
    civil_from_days(days, &civil.year, &civil.month, &civil.day);
    return civil;
}
static inline int floor_modulo(int64_t a, int b)
{
    int m = (int)(a % b);
    return m < 0 ? m + b : m;
}
/* 0 = Monday. */
static inline int weekday_of(int32_t days) { return floor_modulo((int64_t)days + 3, 7); }
int month_length(int64_t year, int month);
/* The same day so many months later, or the month's last day; false outside DATE. */
bool days_add_months(int32_t days, int64_t months, int32_t *out);
/* Local midnight of the day `us` is in, and what is left. */
static inline int32_t days_of_us(int64_t local_us) { return (int32_t)floor_divide(local_us, DAY_US); }

extern const char *const month_names[12];
extern const char *const weekday_names[7]; /* Monday first */

enum trunc_level {
    TRUNC_NONE,
    TRUNC_MICROSECOND,
    TRUNC_MILLISECOND,
    TRUNC_SECOND,
    TRUNC_MINUTE,
    TRUNC_HOUR,
    TRUNC_DAY,
    TRUNC_WEEK,
    TRUNC_MONTH,
    TRUNC_QUARTER,
    TRUNC_YEAR,
};
/* bind: NULL for a constant argument `unit` that is no unit, or one below `least`. */
MUST_CHECK enum code bind_trunc(struct binding *binding, int32_t unit, enum trunc_level least, struct error *err);
enum trunc_level trunc_level_of(struct bytes name);       /* ignoring case; TRUNC_NONE when unknown */
int32_t days_trunc(int32_t days, enum trunc_level level); /* WEEK to YEAR */

/* us + months and then + interval_us, whole days of it by the calendar of the zone (NULL: local time as it is). */
bool timestamp_add_months(int64_t us, int64_t months, const struct zone *zone, int64_t *out);
bool timestamp_add_us(int64_t us, int64_t interval_us, const struct zone *zone, int64_t *out);

/* us and then sign times the months, the calendar days and the time of an interval. */
bool timestamp_add_calendar(int64_t us, struct calendar_interval by, int sign, const struct zone *zone, int64_t *out);

/* Date-time patterns (time_pattern.c): Java's letters as Spark takes them. */
struct time_pattern;
struct pattern_use {
    bool to_parse;
    bool local; /* of local times, for which Spark has no older parser */
    enum time_parser parser;
};
MUST_CHECK enum code time_pattern_compile(struct arena *arena, struct bytes pattern, struct pattern_use use,
                                          const struct time_pattern **out, struct error *err);
void time_pattern_print(const struct time_pattern *pattern, int64_t us, const struct zone *zone, struct text *out);
/* Zone NULL: a local time, whatever zone the text names. */
enum time_parsed { TIME_PARSED, TIME_UNMATCHED, TIME_TOO_FAR };
enum time_parsed time_pattern_parse(const struct time_pattern *pattern, struct bytes text, const struct zone *zone,
                                    int64_t *out);

#endif
