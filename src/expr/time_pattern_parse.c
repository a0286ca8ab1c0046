/* time_pattern_parse.c - reading instants by a compiled pattern.
 *
 * Numbers  of one letter take as many digits as there are, of several exactly so many; directly before another number
 *          they take exactly so many in any case (yyyyMMdd). S takes 1 to as many digits as letters
 * Names    in any case; z takes the names that a time zone setting takes (PST, America/Los_Angeles)
 * Default  what the pattern does not say is 1970-01-01 00:00:00; what it says twice must be the same
 * Older    SimpleDateFormat: numbers take all digits, S are milliseconds, what follows the match is not looked at
 */
#include <ctype.h>
#include <strings.h>

#include "expr/time_pattern.h"

enum { NOT_SAID = -1 };
struct parsed {
    struct bytes text;
    size_t at;
    int64_t year, day_of_year;
    int month, day, hour, half_hour, afternoon, minute, second, micro; /* NOT_SAID until then */
    bool older, clash; /* clash: a field was said twice, and not the same */
    bool has_offset;
    int64_t offset_us;
    const struct zone *zone;
};

static bool parse_number(struct parsed *p, int least, int most, int64_t *out)
{
    int digits = 0;
    int64_t value = 0;
    while (digits < most && p->at < p->text.size && isdigit(p->text.data[p->at])) {
        value = value * 10 + (p->text.data[p->at++] - '0');
        digits++;
    }
    *out = value;
    return digits >= least;
}

static void say(struct parsed *p, int *field, int value)
{
    p->clash = p->clash || (*field != NOT_SAID && *field != value);
    *field = value;
}

/* The older parser takes as many digits as there are, unless a number follows at once. */
static bool parse_small(struct parsed *p, const struct part *part, int *out)
{
    int64_t value;
    bool exact = part->fixed || (part->count > 1 && !p->older);
    if (!parse_number(p, exact ? part->count : 1, exact ? part->count : 9, &value))
        return false;
    say(p, out, (int)value);
    return true;
}

static bool parse_year(struct parsed *p, const struct part *part)
{
    enum { YEAR_DIGITS_MAX = 9, CENTURY = 2000 };
    bool minus = p->at < p->text.size && p->text.data[p->at] == '-' && part->count != 2;
    bool plus = p->at < p->text.size && p->text.data[p->at] == '+' && part->count >= 4;
    p->at += minus || plus;
    int most = part->fixed || part->count == 2 ? part->count : plus || part->count < 4 ? YEAR_DIGITS_MAX : part->count;
    int64_t value;
    size_t start = p->at;
    if (p->older && !part->fixed)
        most = YEAR_DIGITS_MAX;
    if (!parse_number(p, part->count == 1 || p->older ? 1 : part->count, most, &value))
        return false;
    bool short_year = part->count == 2 && (!p->older || p->at - start == 2);
    value = short_year ? CENTURY + value : minus ? -value : value;
    p->clash = p->clash || (p->year != INT64_MIN && p->year != value);
    p->year = value;
    return true;
}

static bool parse_word(struct parsed *p, const char *word, size_t size)
{
    if (p->text.size - p->at < size || strncasecmp((const char *)p->text.data + p->at, word, size) != 0)
        return false;
    p->at += size;
    return true;
}

static int parse_name(struct parsed *p, const char *const *names, int count, bool whole)
{
    for (int k = 0; k < count; k++)
        if (parse_word(p, names[k], whole ? strlen(names[k]) : 3))
            return k;
    return -1;
}

/* Digits behind a point; for the older parser a number of milliseconds. */
static bool parse_fraction(struct parsed *p, const struct part *part)
{
    size_t start = p->at;
    int64_t value;
    if (p->older) {
        if (!parse_number(p, 1, part->fixed ? part->count : 9, &value) || value > 999)
            return false;
        say(p, &p->micro, (int)value * 1000);
        return true;
    }
    if (!parse_number(p, 1, part->count, &value))
        return false;
    size_t digits = p->at - start;
    for (; digits < 6; digits++)
        value *= 10;
    for (; digits > 6; digits--)
        value /= 10;
    say(p, &p->micro, (int)value);
    return true;
}

static bool parse_offset(struct parsed *p, const struct part *part)
{
    int64_t hours = 0, minutes = 0, seconds = 0;
    bool zulu = part->letter == 'X' || (part->letter == 'Z' && part->count == 5);
    p->has_offset = true;
    p->offset_us = 0;
    if (zulu && parse_word(p, "Z", 1))
        return true;
    if ((part->letter == 'O' || (part->letter == 'Z' && part->count == 4)) && !parse_word(p, "GMT", 3))
        return false;
    bool optional = part->letter == 'O' || (part->letter == 'Z' && part->count == 4);
    char sign = p->at < p->text.size ? (char)p->text.data[p->at] : '\0';
    if (sign != '+' && sign != '-')
        return optional;
    p->at++;
    bool colon =
        part->letter == 'O' || part->count == 3 || part->count == 5 || (part->letter == 'Z' && part->count == 4);
    if (part->letter == 'Z' && part->count == 3)
        colon = false;
    if (!parse_number(p, part->letter == 'O' ? 1 : 2, 2, &hours))
        return false;
    bool more = p->at < p->text.size && (colon ? p->text.data[p->at] == ':' : isdigit(p->text.data[p->at]) != 0);
    if (more) {
        p->at += colon;
        if (!parse_number(p, 2, 2, &minutes))
            return false;
    } else if (part->letter != 'O' && part->count > 1 - (part->letter == 'Z')) {
        return false;
    }
    if (hours > 18 || minutes > 59)
        return false;
    p->offset_us = ((hours * 60 + minutes) * 60 + seconds) * SECOND_US * (sign == '-' ? -1 : 1);
    return true;
}

static bool parse_zone(struct parsed *p)
{
    size_t start = p->at;
    struct error ignored;
    while (p->at < p->text.size && (isalnum(p->text.data[p->at]) || memchr("/_+-:", p->text.data[p->at], 5) != NULL))
        p->at++;
    return zone_find(bytes_of(p->text.data + start, p->at - start), &p->zone, &ignored) == E_OK;
}

static bool parse_month(struct parsed *p, const struct part *part)
{
    if (part->count < 3)
        return parse_small(p, part, &p->month);
    int month = NOT_SAID;
    if (p->older || part->count == 4)
        month = parse_name(p, month_names, 12, true);
    if (month < 0 && (p->older || part->count == 3))
        month = parse_name(p, month_names, 12, false);
    if (month < 0)
        return false;
    say(p, &p->month, month + 1);
    return true;
}

/* Letters that only the older parser takes; what they say is not looked at. */
static bool parse_older(struct parsed *p, const struct part *part)
{
    int64_t ignored;
    if (part->letter == 'E')
        return parse_name(p, weekday_names, 7, true) >= 0 || parse_name(p, weekday_names, 7, false) >= 0;
    return parse_number(p, 1, 9, &ignored);
}

static bool parse_letter(struct parsed *p, const struct part *part)
{
    switch (part->letter) {
    case 'y': return parse_year(p, part);
    case 'M':
    case 'L': return parse_month(p, part);
    case 'Y':
    case 'w':
    case 'W':
    case 'u':
    case 'E':
    case 'F': return parse_older(p, part);
    case 'd': return parse_small(p, part, &p->day);
    case 'D': return parse_number(p, p->older ? 1 : part->count, 3, &p->day_of_year);
    case 'a': p->afternoon = parse_word(p, "PM", 2) ? 1 : parse_word(p, "AM", 2) ? 0 : -1; return p->afternoon >= 0;
    case 'G': return parse_word(p, "AD", 2);
    case 'H': return parse_small(p, part, &p->hour) && p->hour <= 23;
    case 'k': {
        bool parsed = parse_small(p, part, &p->hour) && p->hour >= 1 && p->hour <= 24;
        p->hour = parsed ? p->hour % 24 : p->hour;
        return parsed;
    }
    case 'h': {
        bool parsed = parse_small(p, part, &p->half_hour) && p->half_hour >= 1 && p->half_hour <= 12;
        p->half_hour = parsed ? p->half_hour % 12 : p->half_hour;
        return parsed;
    }
    case 'K': return parse_small(p, part, &p->half_hour) && p->half_hour <= 11;
    case 'm': return parse_small(p, part, &p->minute) && p->minute <= 59;
    case 's': return parse_small(p, part, &p->second) && p->second <= 59;
    case 'S': return parse_fraction(p, part);
    case 'V':
    case 'z': return parse_zone(p);
    default: return parse_offset(p, part);
    }
}

/* Behind the CLOSE that ends the optional part opened at `open`. */
static int skip_optional(const struct time_pattern *pattern, int open)
{
    int depth = 1, i = open + 1;
    for (; i < pattern->count && depth > 0; i++)
        depth += (pattern->parts[i].kind == PART_OPEN) - (pattern->parts[i].kind == PART_CLOSE);
    return i;
}

static bool parse_parts(const struct time_pattern *pattern, struct parsed *p)
{
    struct parsed saved = *p;
    int open = -1;
    for (int i = 0; i < pattern->count; i++) {
        const struct part *part = &pattern->parts[i];
        bool fits = true;
        if (part->kind == PART_OPEN && open < 0) {
            open = i;
            saved = *p;
        } else if (part->kind == PART_CLOSE) {
            open = -1;
        } else if (part->kind == PART_TEXT) {
            fits = parse_word(p, (const char *)part->text.data, part->text.size);
        } else if (part->kind == PART_LETTER) {
            fits = parse_letter(p, part);
        }
        if (fits)
            continue;
        if (open < 0)
            return false;
        *p = saved;
        i = skip_optional(pattern, open) - 1;
        open = -1;
    }
    return p->older || p->at == p->text.size; // the older parser does not mind what follows
}

/* The day of the year says the date; month and day, where they are said too, must be that date's. */
static bool resolve_year_day(const struct parsed *p, int64_t year, int32_t *out)
{
    *out = days_from_civil(year, 1, 1) + (int32_t)p->day_of_year - 1;
    struct civil date = civil_of(*out);
    return date.year == year && (p->month == NOT_SAID || p->month == date.month) &&
           (p->day == NOT_SAID || p->day == date.day);
}

static enum time_parsed resolve_date(const struct parsed *p, int32_t *out)
{
    enum { YEAR_MOST = 290000 };
    int64_t year = p->year == INT64_MIN ? 1970 : p->year;
    if (year < -YEAR_MOST || year > YEAR_MOST)
        return TIME_TOO_FAR;
    if (p->day_of_year > 0)
        return resolve_year_day(p, year, out) ? TIME_PARSED : TIME_UNMATCHED;
    int month = p->month == NOT_SAID ? 1 : p->month, day = p->day == NOT_SAID ? 1 : p->day;
    if (!civil_valid(year, month, day))
        return TIME_UNMATCHED;
    *out = days_from_civil(year, month, day);
    return TIME_PARSED;
}

static int64_t said(int field) { return field == NOT_SAID ? 0 : field; }

enum time_parsed time_pattern_parse(const struct time_pattern *pattern, struct bytes text, const struct zone *zone,
                                    int64_t *out)
{
    struct parsed p = {.text = text,
                       .year = INT64_MIN,
                       .month = NOT_SAID,
                       .day = NOT_SAID,
                       .hour = NOT_SAID,
                       .half_hour = NOT_SAID,
                       .afternoon = NOT_SAID,
                       .minute = NOT_SAID,
                       .second = NOT_SAID,
                       .micro = NOT_SAID,
                       .older = pattern->use.parser == TIME_PARSER_LEGACY};
    int32_t days;
    if (!parse_parts(pattern, &p) || p.clash)
        return TIME_UNMATCHED;
    enum time_parsed date = resolve_date(&p, &days);
    if (date != TIME_PARSED)
        return date;
    int64_t hour = p.hour != NOT_SAID ? p.hour : said(p.half_hour) + (p.afternoon > 0 ? 12 : 0);
    int64_t local = days * DAY_US + ((hour * 60 + said(p.minute)) * 60 + said(p.second)) * SECOND_US + said(p.micro);
    if (zone == NULL)
        *out = local;
    else if (p.has_offset)
        *out = local - p.offset_us;
    else
        *out = from_local(p.zone != NULL ? p.zone : zone, local);
    return TIME_PARSED;
}
