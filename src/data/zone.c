#include "data/timestamp.h"

#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"

/* A region's history is a sorted list of spans: from `from_us` on (UTC), local = utc + offset_us.
 *
 * TZif v2 (RFC 8536): header of 44 bytes "TZif" version, 15 bytes, six counts; a v1 block with
 * 32-bit times; the same again with 64-bit times; then \n POSIX-TZ-rule \n for the time after the
 * last transition. The rule is unrolled into spans up to YEAR_LAST; later years are looked up 400
 * years earlier, since the Gregorian calendar repeats with its weekdays every 146097 days.
 */
enum { YEAR_LAST = 2500, ZONE_NAME_MAX = 64, ZONE_FILE_BYTES_MAX = 1 << 20 };
#define SECOND_US INT64_C(1000000)
#define HOUR_US (3600 * SECOND_US)
#define DAY_US (24 * HOUR_US)
#define CYCLE_US (146097 * DAY_US)

struct span {
    int64_t from_us, offset_us;
};
struct zone {
    char name[ZONE_NAME_MAX + 1];
    int64_t span_count;
    struct span *spans;      /* the first has from_us INT64_MIN */
    bool repeats;            /* the rule goes on after YEAR_LAST */
    const struct zone *next; /* cache */
};

/* ---- the POSIX TZ rule: std offset [dst [offset] , start [/time] , end [/time]] ---- */

struct rule_date {
    char kind; /* 'M' month.week.day, 'J' day of year without 29 February, 0 day of year from 0 */
    int month, week, day;
    int64_t at_us; /* local time of the day */
};
struct rule {
    int64_t standard_us, summer_us; /* offsets, east positive */
    bool has_summer;
    struct rule_date start, end;
};

static const char *scan_name(const char *p)
{
    if (*p == '<') {
        const char *close = strchr(p, '>');
        return close == NULL ? NULL : close + 1;
    }
    const char *first = p;
    while ((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z'))
        p++;
    return p - first >= 3 ? p : NULL;
}

static const char *scan_int(const char *p, int *out)
{
    const char *first = p;
    for (*out = 0; *p >= '0' && *p <= '9' && p - first < 4; p++)
        *out = *out * 10 + (*p - '0');
    return p == first ? NULL : p;
}

/* [+-]h[h[h]][:mm[:ss]] */
static const char *scan_time(const char *p, int64_t *out_us)
{
    int sign = *p == '-' ? -1 : 1, part;
    p += *p == '-' || *p == '+';
    int64_t seconds = 0;
    for (int unit = 3600; unit > 0; unit /= 60) {
        p = scan_int(p, &part);
        if (p == NULL)
            return NULL;
        seconds += (int64_t)part * unit;
        if (*p != ':')
            break;
        p++;
    }
    *out_us = sign * seconds * SECOND_US;
    return p;
}

static const char *scan_date(const char *p, struct rule_date *out)
{
    if (*p++ != ',')
        return NULL;
    out->at_us = 2 * HOUR_US;
    out->kind = *p == 'M' || *p == 'J' ? *p++ : 0;
    if (out->kind == 'M') {
        int *const parts[] = {&out->month, &out->week, &out->day};
        for (int i = 0; i < 3; i++) {
            if (i > 0 && *p++ != '.')
                return NULL;
            if ((p = scan_int(p, parts[i])) == NULL)
                return NULL;
        }
        if (out->month < 1 || out->month > 12 || out->week < 1 || out->week > 5 || out->day > 6)
            return NULL;
    } else if ((p = scan_int(p, &out->day)) == NULL) {
        return NULL;
    }
    return *p == '/' ? scan_time(p + 1, &out->at_us) : p;
}

static bool rule_parse(const char *p, struct rule *rule)
{
    *rule = (struct rule){0};
    if ((p = scan_name(p)) == NULL || (p = scan_time(p, &rule->standard_us)) == NULL)
        return false;
    rule->standard_us = -rule->standard_us; // POSIX counts west
    if (*p == 0)
        return true;
    rule->has_summer = true;
    rule->summer_us = rule->standard_us + HOUR_US;
    if ((p = scan_name(p)) == NULL)
        return false;
    if (*p != ',') {
        if ((p = scan_time(p, &rule->summer_us)) == NULL)
            return false;
        rule->summer_us = -rule->summer_us;
    }
    return (p = scan_date(p, &rule->start)) != NULL && (p = scan_date(p, &rule->end)) != NULL && *p == 0;
}

static int64_t rule_day(const struct rule_date *date, int64_t year)
{
    if (date->kind != 'M') {
        bool leap = civil_valid(year, 2, 29);
        return days_from_civil(year, 1, 1) + date->day - (date->kind == 'J' && !(leap && date->day >= 60));
    }
    int32_t first = days_from_civil(year, date->month, 1);
    int32_t next = date->month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, date->month + 1, 1);
    int32_t weekday = ((first + 4) % 7 + 7) % 7; // 1970-01-01 was a Thursday
    int32_t day = first + (date->day - weekday + 7) % 7 + 7 * (date->week - 1);
    return day < next ? day : day - 7;
}

/* ---- loading ---- */

static void span_add(struct zone *zone, int64_t *capacity, int64_t from_us, int64_t offset_us)
{
    if (zone->span_count > 0 && zone->spans[zone->span_count - 1].offset_us == offset_us)
        return;
    mem_grow(zone->spans, *capacity, zone->span_count + 1);
    zone->spans[zone->span_count++] = (struct span){from_us, offset_us};
}

static void rule_unroll(struct zone *zone, int64_t *capacity, const struct rule *rule)
{
    int64_t last_us = zone->spans[zone->span_count - 1].from_us, year = 1970;
    int month, day;
    if (last_us > 0)
        civil_from_days((int32_t)(last_us / DAY_US), &year, &month, &day);
    zone->repeats = true;
    for (; year <= YEAR_LAST; year++) {
        struct span summer = {rule_day(&rule->start, year) * DAY_US + rule->start.at_us - rule->standard_us,
                              rule->summer_us};
        struct span standard = {rule_day(&rule->end, year) * DAY_US + rule->end.at_us - rule->summer_us,
                                rule->standard_us};
        const struct span *first = summer.from_us < standard.from_us ? &summer : &standard;
        const struct span *second = first == &summer ? &standard : &summer;
        if (first->from_us > last_us)
            span_add(zone, capacity, first->from_us, first->offset_us);
        if (second->from_us > last_us)
            span_add(zone, capacity, second->from_us, second->offset_us);
    }
}

static int64_t read_big_endian(const uint8_t *p, int size)
{
    uint64_t value = 0;
    for (int i = 0; i < size; i++)
        value = value << 8 | p[i];
    return size == 4 ? (int32_t)(uint32_t)value : (int64_t)value;
}

struct tzif_counts {
    int64_t utc, standard, leap, times, types, chars;
};
static bool tzif_counts(const uint8_t *p, const uint8_t *end, struct tzif_counts *out)
{
    if (end - p < 44 || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return false;
    int64_t *const fields[] = {&out->utc, &out->standard, &out->leap, &out->times, &out->types, &out->chars};
    for (int i = 0; i < 6; i++) {
        *fields[i] = read_big_endian(p + 20 + 4 * i, 4);
        if (*fields[i] < 0 || *fields[i] > ZONE_FILE_BYTES_MAX)
            return false;
    }
    return out->types > 0;
}

static bool tzif_parse(struct bytes file, struct zone *zone)
{
    const uint8_t *p = file.data, *end = p + file.size;
    struct tzif_counts n;
    if (!tzif_counts(p, end, &n))
        return false;
    int64_t first_block = 44 + n.times * 5 + n.types * 6 + n.chars + n.leap * 8 + n.standard + n.utc;
    if (end - p < first_block)
        return false;
    p += first_block;
    if (!tzif_counts(p, end, &n))
        return false;
    const uint8_t *times = p + 44, *indexes = times + n.times * 8, *types = indexes + n.times;
    const uint8_t *footer = types + n.types * 6 + n.chars + n.leap * 12 + n.standard + n.utc;
    if (end - p < footer - p)
        return false;

    int64_t capacity = 0;
    span_add(zone, &capacity, INT64_MIN, read_big_endian(types, 4) * SECOND_US);
    for (int64_t i = 0; i < n.times; i++) {
        int64_t from_us;
        if (indexes[i] >= n.types)
            return false;
        if (!__builtin_mul_overflow(read_big_endian(times + 8 * i, 8), SECOND_US, &from_us))
            span_add(zone, &capacity, from_us, read_big_endian(types + 6 * indexes[i], 4) * SECOND_US);
    }
    if (footer < end && *footer == '\n') {
        char text[ZONE_NAME_MAX + 1] = "";
        const uint8_t *stop = memchr(footer + 1, '\n', (size_t)(end - footer - 1));
        size_t size = stop == NULL ? 0 : (size_t)(stop - footer - 1);
        struct rule rule;
        if (size > 0 && size <= ZONE_NAME_MAX) {
            memcpy(text, footer + 1, size);
            if (rule_parse(text, &rule) && rule.has_summer)
                rule_unroll(zone, &capacity, &rule);
        }
    }
    return true;
}

/* ---- names ---- */

/* java.time.ZoneId.SHORT_IDS, which Spark passes along. */
static const char *const short_names[][2] = {
    {"ACT", "Australia/Darwin"},
    {"AET", "Australia/Sydney"},
    {"AGT", "America/Argentina/Buenos_Aires"},
    {"ART", "Africa/Cairo"},
    {"AST", "America/Anchorage"},
    {"BET", "America/Sao_Paulo"},
    {"BST", "Asia/Dhaka"},
    {"CAT", "Africa/Harare"},
    {"CNT", "America/St_Johns"},
    {"CST", "America/Chicago"},
    {"CTT", "Asia/Shanghai"},
    {"EAT", "Africa/Addis_Ababa"},
    {"ECT", "Europe/Paris"},
    {"EST", "-05:00"},
    {"HST", "-10:00"},
    {"IET", "America/Indiana/Indianapolis"},
    {"IST", "Asia/Kolkata"},
    {"JST", "Asia/Tokyo"},
    {"MIT", "Pacific/Apia"},
    {"MST", "-07:00"},
    {"NET", "Asia/Yerevan"},
    {"NST", "Pacific/Auckland"},
    {"PLT", "Asia/Karachi"},
    {"PNT", "America/Phoenix"},
    {"PRT", "America/Puerto_Rico"},
    {"PST", "America/Los_Angeles"},
    {"SST", "Pacific/Guadalcanal"},
    {"VST", "Asia/Ho_Chi_Minh"},
};

static bool digits_at(const uint8_t *p, size_t count, int *out)
{
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        *out = *out * 10 + (p[i] - '0');
    }
    return true;
}

/* +h, +hh, +hh:mm, +hhmm, +hh:mm:ss, +hhmmss as java.time; +h:mm and +hh:m as Spark adds. At most
 * 18 hours. */
static bool offset_parse(struct bytes text, int64_t *out_us)
{
    if (text.size < 2 || (text.data[0] != '+' && text.data[0] != '-'))
        return false;
    const uint8_t *p = text.data + 1;
    size_t left = text.size - 1;
    int parts[3] = {0};
    size_t first = left == 1 || p[1] == ':' ? 1 : 2;
    if (!digits_at(p, first, &parts[0]))
        return false;
    p += first, left -= first;
    bool colon = left > 0 && *p == ':';
    for (int i = 1; i < 3 && left > 0; i++) {
        if (colon) {
            if (*p != ':')
                return false;
            p++, left--;
        }
        size_t count = i == 1 && colon && left == 1 ? 1 : 2;
        if (left < count || !digits_at(p, count, &parts[i]) || parts[i] > 59)
            return false;
        p += count, left -= count;
    }
    int seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
    if (left > 0 || seconds > 18 * 3600)
        return false;
    *out_us = (text.data[0] == '-' ? -seconds : seconds) * SECOND_US;
    return true;
}

/* Z, UTC, GMT, UT and those three with an offset behind. */
static bool fixed_parse(struct bytes name, int64_t *out_us)
{
    static const char *const prefixes[] = {"UTC", "GMT", "UT"};
    if (offset_parse(name, out_us))
        return true;
    *out_us = 0;
    if (bytes_equal_string(name, "Z"))
        return true;
    for (int i = 0; i < 3; i++) {
        size_t size = strlen(prefixes[i]);
        if (name.size < size || memcmp(name.data, prefixes[i], size) != 0)
            continue;
        if (name.size == size || offset_parse(bytes_of(name.data + size, name.size - size), out_us))
            return true;
    }
    return false;
}

/* A region's name is also a path below the zoneinfo folder: nothing but Region/City goes through.
 * */
static bool region_name_valid(struct bytes name)
{
    if (name.size == 0 || name.size > ZONE_NAME_MAX || name.data[0] < 'A' || name.data[0] > 'Z')
        return false;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && c != '/' && c != '_' && c != '-' && c != '+')
            return false;
    }
    return true;
}

/* ---- finding ---- */

static struct span utc_span = {INT64_MIN, 0};
static const struct zone utc = {.name = "UTC", .span_count = 1, .spans = &utc_span};
static _Atomic(const struct zone *) loaded = &utc; /* a list that only grows, at its head */

const struct zone *zone_utc(void) { return &utc; }
const char *zone_name(const struct zone *zone) { return zone->name; }

static const struct zone *zone_publish(struct zone *zone)
{
    zone->next = atomic_load(&loaded);
    while (!atomic_compare_exchange_weak(&loaded, &zone->next, zone))
        continue;
    return zone;
}

static bool region_load(struct bytes name, struct zone *zone)
{
    char path[32 + ZONE_NAME_MAX] = "/usr/share/zoneinfo/";
    struct text file = {.limit = ZONE_FILE_BYTES_MAX};
    struct error err = {0};
    memcpy(path + strlen(path), name.data, name.size);
    bool good = os_read_file(path, ZONE_FILE_BYTES_MAX, &file, &err) == E_OK && tzif_parse(text_view(&file), zone);
    text_free(&file);
    return good;
}

enum code zone_find(struct bytes name, const struct zone **out, struct error *err)
{
    struct bytes target = name;
    for (const struct zone *known = atomic_load(&loaded); known != NULL; known = known->next)
        if (bytes_equal_string(name, known->name)) {
            *out = known;
            return E_OK;
        }
    for (size_t i = 0; i < sizeof short_names / sizeof *short_names; i++)
        if (bytes_equal_string(name, short_names[i][0]))
            target = bytes_of_string(short_names[i][1]);

    struct zone *zone = mem_new(struct zone);
    int64_t offset_us, capacity = 0;
    bool good = name.size <= ZONE_NAME_MAX && fixed_parse(target, &offset_us);
    if (good)
        span_add(zone, &capacity, INT64_MIN, offset_us);
    else
        good = region_name_valid(target) && region_load(target, zone);
    if (!good) {
        mem_free(zone->spans);
        mem_free(zone);
        return fail(err, E_SPEC, "unknown time zone \"%.*s\"", (int)(name.size < 80 ? name.size : 80),
                    (const char *)name.data);
    }
    memcpy(zone->name, name.data, name.size);
    *out = zone_publish(zone);
    return E_OK;
}

/* ---- asking ---- */

static int64_t cycles_past(int64_t us)
{
    static const int64_t last_us = (YEAR_LAST - 1970) * INT64_C(31556952) * SECOND_US; // within two days of it
    return us <= last_us ? 0 : (us - last_us) / CYCLE_US + 1;
}

int64_t zone_offset_us(const struct zone *zone, int64_t utc_us)
{
    if (zone->repeats)
        utc_us -= cycles_past(utc_us) * CYCLE_US;
    int64_t low = 0, high = zone->span_count;
    while (high - low > 1) {
        int64_t middle = (low + high) / 2;
        if (zone->spans[middle].from_us <= utc_us)
            low = middle;
        else
            high = middle;
    }
    return zone->spans[low].offset_us;
}

/* The span that a local time belongs to is the first whose end, in local time, is later. At the end
 * of a span local time jumps back (overlap) or forward (gap); counting with the larger of the two
 * offsets gives both to the span before. */
int64_t zone_local_to_utc(const struct zone *zone, int64_t local_us)
{
    int64_t shift_us = zone->repeats ? cycles_past(local_us) * CYCLE_US : 0;
    int64_t low = 0, high = zone->span_count - 1;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        const struct span *span = &zone->spans[middle];
        int64_t offset_us = span[0].offset_us > span[1].offset_us ? span[0].offset_us : span[1].offset_us;
        if (local_us - shift_us < span[1].from_us + offset_us)
            high = middle;
        else
            low = middle + 1;
    }
    // at the edge of 64 bits it wraps: no such instant can be printed, but nothing may break
    return (int64_t)((uint64_t)local_us - (uint64_t)zone->spans[low].offset_us);
}
