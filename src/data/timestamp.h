/* timestamp.h - instants, days and zones: text to microseconds and back, as Spark does it.
 *
 * Units    TIMESTAMP int64 microseconds since 1970-01-01T00:00:00Z, proleptic Gregorian; DATE int32 days
 * Text     [+-]yyyy[-[m]m[-[d]d]] [T| ] [h]h:[m]m:[s]s[.f{1,9}] [zone]; zone: Z, UTC, +h[:mm[:ss]], Region/City, ...
 *          blanks around are trimmed; no zone = the session's zone; digits past the microsecond are cut.
 *          24:00, 30 February and the like are not values
 * Zones    fixed offsets are arithmetic; regions come from the system's zoneinfo (TZif v2, RFC 8536), loaded once;
 *          UTC needs no file
 * Thread   any; a loaded zone is immutable
 * Spec     docs/semantics.md#time; Spark's SparkDateTimeUtils.parseTimestampString
 */
#ifndef DATA_TIMESTAMP_H
#define DATA_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

struct zone;
const struct zone *zone_utc(void);
/* "UTC", "+02:00", "Europe/Berlin". Cached for the life of the process. E_SPEC when unknown. */
MUST_CHECK enum code zone_find(struct bytes name, const struct zone **out, struct error *err);
const char *zone_name(const struct zone *zone);
int64_t zone_offset_us(const struct zone *zone, int64_t utc_us); /* local = utc + offset */
int64_t zone_local_to_utc(const struct zone *zone,
                          int64_t local_us); /* gaps move forward, overlaps take the earlier offset, as java.time */

int32_t days_from_civil(int64_t year, int month, int day);
void civil_from_days(int32_t days, int64_t *year, int *month, int *day);
bool civil_valid(int64_t year, int month, int day);

/* False when the text is not a timestamp. */
bool timestamp_parse(struct bytes text, const struct zone *session, int64_t *out_us);
/* Local time; *had_zone tells whether the text named a zone (its offset is then ignored). */
bool timestamp_ntz_parse(struct bytes text, int64_t *out_us, bool *had_zone);
bool date_parse(struct bytes text, int32_t *out_days);

/* [h]h:[m]m[:[s]s[.f..]] [AM|PM] to microseconds of the day; digits past the sixth are cut. */
bool time_of_day_parse(struct bytes text, int64_t *out_us);
/* hh:mm:ss, and a fraction without trailing zeros; returns the count of bytes. */
size_t time_of_day_print(int64_t us, char *out);

enum { TIMESTAMP_TEXT_MAX = 48 };
/* 2026-01-02 03:04:05.678 (fraction without trailing zeros), as CAST AS STRING gives; returns the count of bytes. */
size_t timestamp_print(int64_t us, const struct zone *session, char *out);
size_t date_print(int32_t days, char *out);
/* 2026-01-02T03:04:05.678Z or +02:00, milliseconds, as to_json and CSV give. */
size_t timestamp_print_iso(int64_t us, const struct zone *session, char *out);

#endif
