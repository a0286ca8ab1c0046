/* cast.h - inside expr/: the casts, a file per family. All run over call->rows rows of one argument.
 *
 * In       out->type is the target, out->valid the argument's validity (shared), nothing else
 * Errors   call_reject; call->quiet makes them NULL (try_cast)
 */
#ifndef EXPR_CAST_H
#define EXPR_CAST_H

#include "expr/loop.h"

void cast_number(struct call *call, const struct arg *arg, struct column *out);    /* number or BOOLEAN to the same */
void cast_time(struct call *call, const struct arg *arg, struct column *out);      /* time types, and with numbers */
void cast_from_text(struct call *call, const struct arg *arg, struct column *out); /* STRING to anything flat */
void cast_to_text(struct call *call, const struct arg *arg, struct column *out);   /* anything to STRING */
/* What is nested, as to_csv has it: [1,], or with `absent` for a NULL [1, absent]. */
void nested_to_csv(struct call *call, const struct arg *arg, struct bytes absent, struct column *out);

/* Fixed-width values for call->rows rows. */
void *cast_values(struct call *call, struct column *out);

#define SECOND_US ((int64_t)1000000)
#define DAY_US ((int64_t)86400 * SECOND_US)
/* Sums at the edge of 64 bits wrap: those instants print as nonsense in Spark too, but nothing may break. */
static inline int64_t wrap_add(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
static inline int64_t floor_rest(int64_t a, int64_t b) { return a % b < 0 ? a % b + b : a % b; }
/* The first or the last instant there is where the seconds are beyond; they are finite. */
static inline int64_t near_instant(double seconds)
{
    double us = seconds * (double)SECOND_US;
    return us >= -0x1p63 && us < 0x1p63 ? (int64_t)us : us > 0 ? INT64_MAX : INT64_MIN;
}
/* Zone NULL: local time is all there is. */
static inline int64_t to_local(const struct zone *zone, int64_t us)
{
    return zone == NULL ? us : wrap_add(us, zone_offset_us(zone, us));
}
static inline int64_t from_local(const struct zone *zone, int64_t us)
{
    bool edge = us < INT64_MIN + 4 * DAY_US || us > INT64_MAX - 4 * DAY_US;
    return zone == NULL || edge ? us : zone_local_to_utc(zone, us);
}
static inline int64_t floor_divide(int64_t a, int64_t b) { return a / b - ((a % b != 0) & ((a % b < 0) != (b < 0))); }

#endif
