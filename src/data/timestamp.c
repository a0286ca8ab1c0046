#include "data/timestamp.h"

#include <string.h>

#include "base/text_number.h"

#define SECOND_US INT64_C(1000000)
#define DAY_US (86400 * SECOND_US)

/* ---- the calendar ----
 * Years run from March, so that the leap day is the last of its year; 400 years have 146097 days. Days to dates: Neri and
 * Schneider, "Euclidean affine functions and their application to calendar algorithms", 2022: products and shifts for divisions.
 */

int32_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int32_t)(era * 146097 + day_of_era - 719468);
}

void civil_from_days(int32_t days, int64_t *year, int *month, int *day)
{
    enum { ERAS = 14704, ERA_DAYS = 146097, ERA_YEARS = 400, JANUARY = 306 }; // ERAS more make every int32 positive
    uint64_t quarters = 4 * (uint64_t)((int64_t)days + 719468 + (int64_t)ERAS * ERA_DAYS) + 3;
    uint64_t century = quarters / ERA_DAYS;
    uint32_t century_quarters = (uint32_t)(quarters % ERA_DAYS) | 3; // four times the day of the century, plus 3
    uint64_t product = (uint64_t)2939745 * century_quarters;         // 2939745 / 2^32 is 1 / 1461, rounded up
    uint32_t year_day = (uint32_t)product / 2939745 / 4;
    uint32_t parts = 2141 * year_day + 197913; // months of 153 / 5 days: 2141 / 2^16
    int next_year = year_day >= JANUARY;
    *day = (int)((parts & 0xffff) / 2141) + 1;
    *month = (int)(parts >> 16) - (next_year ? 12 : 0);
    *year = (int64_t)(100 * century + (product >> 32)) - (int64_t)ERAS * ERA_YEARS + next_year;
}

static int month_days(int64_t year, int month)
{
    static const int8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return lengths[month - 1] + (month == 2 && leap);
}

bool civil_valid(int64_t year, int month, int day)
{
    return month >= 1 && month <= 12 && day >= 1 && day <= month_days(year, month);
}

/* ---- reading ---- */

/* What a text says, before it is checked against the calendar. */
struct moment {
    int64_t year;
    int month, day, hour, minute, second, micro;
    struct bytes zone; /* empty: none was named */
};

static bool is_blank(uint8_t c) { return c <= ' ' || c == 0x7f; } // UTF8String.trimAll

static struct bytes trim(struct bytes text)
{
    while (text.size > 0 && is_blank(text.data[0]))
        text.data++, text.size--;
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* Between min and max digits at *p. */
static bool scan_number(const uint8_t **p, const uint8_t *end, int min, int max, int *out)
{
    const uint8_t *first = *p;
    int value = 0;
    for (; *p < end && **p >= '0' && **p <= '9'; ++*p) {
        if (*p - first == max)
            return false;
        value = value * 10 + (**p - '0');
    }
    *out = value;
    return *p - first >= min;
}

/* [+-]yyyy[-[m]m[-[d]d]]; only a date with all three parts may go on with a time. */
static bool scan_date(const uint8_t **p, const uint8_t *end, int year_digits_max, struct moment *out)
{
    int year;
    bool negative = *p < end && **p == '-';
    *p += *p < end && (**p == '-' || **p == '+');
    if (!scan_number(p, end, 4, year_digits_max, &year))
        return false;
    out->year = negative ? -year : year;
    out->month = out->day = 1;
    int *const parts[] = {&out->month, &out->day};
    int count = 0;
    for (; count < 2 && *p < end && **p == '-'; count++) {
        ++*p;
        if (!scan_number(p, end, 1, 2, parts[count]))
            return false;
    }
    return *p == end || (count == 2 && (**p == ' ' || **p == 'T'));
}

/* .f{0,} : any count of digits, microseconds kept. */
static void scan_fraction(const uint8_t **p, const uint8_t *end, int *micro)
{
    int unit = 100000;
    for (; *p < end && **p >= '0' && **p <= '9'; ++*p) {
        *micro += (**p - '0') * unit;
        unit /= 10;
    }
}

/* Everything that is allowed, one byte after the other. `text` is trimmed. */
static bool scan_moment(struct bytes text, struct moment *out)
{
    const uint8_t *p = text.data, *end = p + text.size;
    *out = (struct moment){0};
    if (!scan_date(&p, end, 6, out))
        return false;
    if (p == end)
        return true;
    int *const parts[] = {&out->hour, &out->minute, &out->second};
    for (int i = 0; i < 3; i++) {
        p++;
        if (!scan_number(&p, end, 1, 2, parts[i]))
            return false;
        if (p == end)
            return true;
        if (i < 2 && *p != ':')
            return false;
    }
    if (*p == '.') {
        p++;
        scan_fraction(&p, end, &out->micro);
    }
    out->zone = trim(bytes_of(p, (size_t)(end - p)));
    return true;
}

/* Local microseconds. False outside the calendar or the range of int64. */
static bool moment_local(const struct moment *moment, int64_t *out_us)
{
    if (!civil_valid(moment->year, moment->month, moment->day))
        return false;
    if (moment->hour > 23 || moment->minute > 59 || moment->second > 59)
        return false;
    int64_t day = days_from_civil(moment->year, moment->month, moment->day), us;
    int64_t of_day = (moment->hour * 3600 + moment->minute * 60 + moment->second) * SECOND_US + moment->micro;
    /* The day before the first one that fits still has moments that do. */
    bool wrapped =
        day < 0 ? __builtin_mul_overflow(day + 1, DAY_US, &us) || __builtin_add_overflow(us, of_day - DAY_US, &us)
                : __builtin_mul_overflow(day, DAY_US, &us) || __builtin_add_overflow(us, of_day, &us);
    *out_us = us;
    return !wrapped;
}

/* ---- reading the common shape: yyyy-MM-ddTHH:mm:ss[.f{1,8}][Z|+00:00], eight bytes at a time ----
 * */

static inline uint64_t load8(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

#define BYTES8(a, b, c, d, e, f, g, h)                                                                      \
    ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24 | (uint64_t)(e) << 32 | \
     (uint64_t)(f) << 40 | (uint64_t)(g) << 48 | (uint64_t)(h) << 56)
#define HIGH_BITS 0x8080808080808080u

/* Per byte: with `word` the text XOR its pattern, a digit place must be 0..9 and any other place 0.
 * */
static inline bool fits_pattern(uint64_t word, uint64_t slack) { return (((word + slack) | word) & HIGH_BITS) == 0; }
#define D 0x76 /* 0x7f - 9 */
#define S 0x7f

/* With digits as 0..9: pairs of them as 0..99, at the first byte of each pair. */
static inline uint64_t digit_pairs(uint64_t word) { return word * 10 + (word >> 8); }
static inline int pair_at(uint64_t pairs, int byte) { return (int)(pairs >> (8 * byte) & 0xff); }

/* [.digits] at text[19]; returns where it ends. More than eight digits are left to the slow path
 * (0). */
static inline size_t fast_fraction(struct bytes text, int *micro)
{
    *micro = 0;
    if (text.size == 19 || text.data[19] != '.')
        return 19;
    if (text.size == 20)
        return 0;
    uint64_t word =
        text.size >= 28 ? load8(text.data + 20) : load8(text.data + text.size - 8) >> (8 * (28 - text.size));
    word ^= 0x3030303030303030;
    uint64_t not_digit = ((word + 0x7676767676767676) | word) & HIGH_BITS;
    if (not_digit == 0)
        return 0;
    int digits = __builtin_ctzll(not_digit) / 8;
    word &= ((uint64_t)1 << (8 * digits)) - 1; // what follows counts as zeros
    word = word * 10 + (word >> 8);
    word =
        ((word & 0x000000ff000000ff) * 0x000f424000000064 + (word >> 16 & 0x000000ff000000ff) * 0x0000271000000001) >>
        32;
    *micro = (int)((uint32_t)word / 100);
    return 20 + (size_t)digits;
}

enum fast { FAST_NO, FAST_LOCAL, FAST_UTC };

/* Start of the day yyyy-MM-dd, of which `a` holds the first eight bytes and `b` starts with the rest. Records of a
 * stream are near each other in time, so the last day asked for is remembered. */
static inline bool fast_day(uint64_t a, uint64_t b, int64_t *out_us)
{
    static _Thread_local struct {
        uint64_t a;
        uint16_t b;
        bool known;
        int64_t us;
    } last;
    if (last.known && last.a == a && last.b == (uint16_t)b) {
        *out_us = last.us;
        return true;
    }
    uint64_t pairs = digit_pairs(a);
    int year = pair_at(pairs, 0) * 100 + pair_at(pairs, 2), month = pair_at(pairs, 5);
    int day = pair_at(digit_pairs(b), 0);
    if (!civil_valid(year, month, day))
        return false;
    last.us = days_from_civil(year, month, day) * DAY_US;
    last.a = a;
    last.b = (uint16_t)b;
    last.known = true;
    *out_us = last.us;
    return true;
}

/* FAST_NO leaves the verdict to the slow path, which accepts all of these shapes too. */
static inline enum fast fast_moment(struct bytes text, int64_t *out_us)
{
    if (text.size < 19)
        return FAST_NO;
    uint64_t a = load8(text.data) ^ BYTES8('0', '0', '0', '0', '-', '0', '0', '-');
    uint64_t b = load8(text.data + 8) ^ BYTES8('0', '0', 'T', '0', '0', ':', '0', '0');
    uint64_t c = load8(text.data + 11) ^ BYTES8('0', '0', ':', '0', '0', ':', '0', '0');
    if (text.data[10] == ' ')
        b ^= (uint64_t)('T' ^ ' ') << 16;
    if (!fits_pattern(a, BYTES8(D, D, D, D, S, D, D, S)) || !fits_pattern(b, BYTES8(D, D, S, D, D, S, D, D)) ||
        !fits_pattern(c, BYTES8(D, D, S, D, D, S, D, D)))
        return FAST_NO;
    int64_t day_us;
    if (!fast_day(a, b, &day_us))
        return FAST_NO;
    uint64_t time = digit_pairs(c);
    int hour = pair_at(time, 0), minute = pair_at(time, 3), second = pair_at(time, 6), micro;
    if (hour > 23 || minute > 59 || second > 59)
        return FAST_NO;
    size_t at = fast_fraction(text, &micro);
    if (at == 0)
        return FAST_NO;
    *out_us = day_us + (hour * 3600 + minute * 60 + second) * SECOND_US + micro;
    size_t left = text.size - at;
    if (left == 0)
        return FAST_LOCAL;
    bool utc = (left == 1 && text.data[at] == 'Z') || (left == 6 && memcmp(text.data + at, "+00:00", 6) == 0);
    return utc ? FAST_UTC : FAST_NO;
}

bool timestamp_parse(struct bytes text, const struct zone *session, int64_t *out_us)
{
    int64_t local_us;
    enum fast fast = fast_moment(text, &local_us);
    if (fast == FAST_NO) {
        struct moment moment;
        struct error err = {0};
        if (!scan_moment(trim(text), &moment) || !moment_local(&moment, &local_us))
            return false;
        if (moment.zone.size > 0 && zone_find(moment.zone, &session, &err) != E_OK)
            return false;
    }
    *out_us = fast == FAST_UTC || session == zone_utc() ? local_us : zone_local_to_utc(session, local_us);
    return true;
}

bool timestamp_ntz_parse(struct bytes text, int64_t *out_us, bool *had_zone)
{
    int64_t local_us;
    enum fast fast = fast_moment(text, &local_us);
    bool zone_named = fast == FAST_UTC;
    if (fast == FAST_NO) {
        struct moment moment;
        struct error err = {0};
        const struct zone *zone;
        if (!scan_moment(trim(text), &moment) || !moment_local(&moment, &local_us))
            return false;
        zone_named = moment.zone.size > 0;
        if (zone_named && zone_find(moment.zone, &zone, &err) != E_OK)
            return false;
    }
    *had_zone = zone_named;
    *out_us = local_us;
    return true;
}

/* What follows the date is a time, of no interest. */
bool date_parse(struct bytes text, int32_t *out_days)
{
    text = trim(text);
    const uint8_t *p = text.data, *end = p + text.size;
    struct moment moment = {0};
    if (!scan_date(&p, end, 7, &moment) || !civil_valid(moment.year, moment.month, moment.day))
        return false;
    /* int32 days end inside these two years; in their rest the count wraps and changes its sign. */
    int32_t days =
        moment.year > 5881580 || moment.year < -5877641 ? 0 : days_from_civil(moment.year, moment.month, moment.day);
    if ((moment.year >= 1970) != (days >= 0) || moment.year > 5881580)
        return false;
    *out_days = days;
    return true;
}

/* ---- writing ---- */

static char *put_digits(char *p, int64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--, value /= 10)
        p[i] = (char)('0' + value % 10);
    return p + count;
}

size_t date_print(int32_t days, char *out)
{
    int64_t year;
    int month, day;
    civil_from_days(days, &year, &month, &day);
    char *p = out;
    if (year < 0)
        *p++ = '-';
    else if (year > 9999)
        *p++ = '+';
    uint64_t size = (uint64_t)(year < 0 ? -year : year);
    if (size > 9999)
        p += print_int64((int64_t)size, p);
    else
        p = put_digits(p, (int64_t)size, 4);
    *p++ = '-';
    p = put_digits(p, month, 2);
    *p++ = '-';
    return (size_t)(put_digits(p, day, 2) - out);
}

/* Local time down to the second, and the microseconds left. */
static char *print_seconds(int64_t utc_us, int64_t offset_us, char separator, char *out, int64_t *micro)
{
    /* In seconds: the offset must not push the first and last microseconds over the edge of int64.
     * */
    int64_t seconds = utc_us / SECOND_US, rest = utc_us % SECOND_US;
    seconds -= rest < 0;
    *micro = rest < 0 ? rest + SECOND_US : rest;
    seconds += offset_us / SECOND_US;
    int64_t day = seconds / 86400 - (seconds % 86400 < 0);
    int of_day = (int)(seconds - day * 86400);
    char *p = out + date_print((int32_t)day, out);
    *p++ = separator;
    p = put_digits(p, of_day / 3600, 2);
    *p++ = ':';
    p = put_digits(p, of_day / 60 % 60, 2);
    *p++ = ':';
    return put_digits(p, of_day % 60, 2);
}

size_t timestamp_print(int64_t us, const struct zone *session, char *out)
{
    int64_t micro;
    char *p = print_seconds(us, zone_offset_us(session, us), ' ', out, &micro);
    if (micro != 0) {
        *p++ = '.';
        p = put_digits(p, micro, 6);
        while (p[-1] == '0')
            p--;
    }
    return (size_t)(p - out);
}

size_t timestamp_print_iso(int64_t us, const struct zone *session, char *out)
{
    int64_t micro, offset_us = zone_offset_us(session, us);
    char *p = print_seconds(us, offset_us, 'T', out, &micro);
    *p++ = '.';
    p = put_digits(p, micro / 1000, 3);
    if (offset_us == 0) {
        *p++ = 'Z';
        return (size_t)(p - out);
    }
    *p++ = offset_us < 0 ? '-' : '+';
    int64_t offset = (offset_us < 0 ? -offset_us : offset_us) / SECOND_US;
    p = put_digits(p, offset / 3600, 2);
    *p++ = ':';
    p = put_digits(p, offset / 60 % 60, 2);
    if (offset % 60 != 0) { // local mean time, before the zones
        *p++ = ':';
        p = put_digits(p, offset % 60, 2);
    }
    return (size_t)(p - out);
}

/* ---- times of the day ---- */

/* One or two digits, at most `most`. */
static bool take_two(const uint8_t **at, const uint8_t *end, int64_t most, int64_t *out)
{
    int digits = 0;
    for (*out = 0; *at < end && **at >= '0' && **at <= '9' && digits < 3; digits++)
        *out = *out * 10 + (*(*at)++ - '0');
    return digits > 0 && digits < 3 && *out <= most;
}

/* Hours of a half of the day: 12 is its first one. */
static bool half_day(const uint8_t *at, const uint8_t *end, int64_t *hour)
{
    bool later = (*at | 0x20) == 'p';
    if (end - at != 2 || ((*at | 0x20) != 'a' && !later) || (at[1] | 0x20) != 'm' || *hour < 1 || *hour > 12)
        return false;
    *hour = *hour % 12 + (later ? 12 : 0);
    return true;
}

bool time_of_day_parse(struct bytes text, int64_t *out_us)
{
    const uint8_t *at = text.data, *end = at + text.size;
    int64_t hour, minute, second = 0, micros = 0;
    while (at < end && *at <= ' ')
        at++;
    while (end > at && end[-1] <= ' ')
        end--;
    if (!take_two(&at, end, 23, &hour) || at == end || *at++ != ':' || !take_two(&at, end, 59, &minute))
        return false;
    if (at < end && *at == ':') {
        at++;
        if (!take_two(&at, end, 59, &second))
            return false;
        if (at < end && *at == '.')
            for (int64_t unit = 100000; ++at < end && *at >= '0' && *at <= '9'; unit /= 10)
                micros += (*at - '0') * unit;
    }
    while (at < end && *at == ' ')
        at++;
    if (at < end && !half_day(at, end, &hour))
        return false;
    *out_us = ((hour * 60 + minute) * 60 + second) * 1000000 + micros;
    return true;
}

size_t time_of_day_print(int64_t us, char *out)
{
    int64_t seconds = us / 1000000, micros = us % 1000000;
    int64_t parts[3] = {seconds / 3600 % 100, seconds / 60 % 60, seconds % 60};
    size_t size = 0;
    for (int i = 0; i < 3; i++) {
        if (i > 0)
            out[size++] = ':';
        out[size++] = (char)('0' + parts[i] / 10);
        out[size++] = (char)('0' + parts[i] % 10);
    }
    if (micros > 0)
        out[size++] = '.';
    for (int64_t unit = 100000; micros > 0; micros %= unit, unit /= 10)
        out[size++] = (char)('0' + micros / unit);
    return size;
}
