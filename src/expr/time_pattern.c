/* time_pattern.c - printing and parsing instants by a pattern: Java's letters as Spark 3 and later take them.
 *
 * Letters  y M L d D Q q E F a G H h K k m s S V X x Z O, text in '..', optional parts in [..]
 * Parse    numbers of one letter take as many digits as there are, of several exactly so many; directly before another
 *          number they take exactly so many in any case (yyyyMMdd). S takes 1 to as many digits as letters. Names in
 *          any case. What the pattern does not say is 1970-01-01 00:00:00
 *          z takes the names that a time zone setting takes (PST, America/Los_Angeles)
 * Refused  week-based years and days (Y, w, W, u, e, c), as Spark does, and E, F, q, Q when parsing; z when printing
 *          and zzzz, which Spark has
 */
#include "expr/calendar.h"

#include <ctype.h>
#include <strings.h>

#include "expr/coerce.h"
#include "expr/writer.h"

enum { PATTERN_PARTS_MAX = 200 };

enum part_kind { PART_TEXT, PART_LETTER, PART_OPEN, PART_CLOSE };
struct part {
    enum part_kind kind;
    char letter;
    int count;
    bool fixed; /* a number that another number follows: its width is exact */
    struct bytes text;
};
struct time_pattern {
    int count;
    struct part *parts;
};

/* ---- compiling ---- */

/* SimpleDateFormat's letters: a pattern of these alone meant something to Spark 2. */
static bool legacy_letters(struct bytes pattern)
{
    bool quoted = false;
    for (size_t i = 0; i < pattern.size; i++) {
        char c = (char)pattern.data[i];
        quoted ^= c == '\'';
        if (!quoted && isalpha((unsigned char)c) && strchr("GyYMLwWDdFEuaHkKhmsSzZX", c) == NULL)
            return false;
    }
    return !quoted;
}

/* Refuses the pattern because of the part that does not read, as Spark words it. */
static enum code pattern_error(struct bytes pattern, const struct part *part, bool to_parse,
                               struct error *err)
{
    const char *why = "INVALID_DATETIME_PATTERN.WITH_SUGGESTION";
    bool letter = part != NULL && part->kind == PART_LETTER;
    char illegal[] = "ABnNpEFqQ"; // the last four only of what is parsed
    illegal[to_parse ? 9 : 5] = 0;
    if (letter && part->letter == 'z' && part->count < 5)
        return fail(err, E_SQL, "[INVALID_DATETIME_PATTERN] Zone names (%s) are not supported: %.*s",
                    to_parse ? "zzzz" : "z", (int)pattern.size, (const char *)pattern.data);
    if (legacy_letters(pattern))
        why = "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION";
    else if (letter && strchr("YwWuec", part->letter) != NULL)
        why = "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN";
    else if (letter && strchr(illegal, part->letter) != NULL)
        why = "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER";
    else if (letter && part->count > 4 && strchr("Qq", part->letter) != NULL)
        why = "INVALID_DATETIME_PATTERN.LENGTH";
    return fail(err, E_SQL, "[%s] Unrecognized datetime pattern: %.*s", why, (int)pattern.size,
                (const char *)pattern.data);
}

static int letter_max(char letter)
{
    static const struct {
        char letter, most;
    } letters[] = {{'y', 6}, {'M', 4}, {'L', 4}, {'d', 2}, {'D', 3}, {'Q', 4}, {'q', 4},
                   {'E', 4}, {'F', 1}, {'a', 1}, {'G', 3}, {'H', 2}, {'h', 2}, {'K', 2}, {'k', 2},
                   {'m', 2}, {'s', 2}, {'S', 9}, {'V', 2}, {'z', 3}, {'X', 5}, {'x', 5}, {'Z', 5}, {'O', 4}};
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (letters[i].letter == letter)
            return letters[i].most;
    return 0;
}

static bool is_number(const struct part *part)
{
    if (part->kind != PART_LETTER)
        return false;
    bool name = memchr("MLQq", part->letter, 4) != NULL && part->count >= 3;
    return !name && memchr("yMLdDQqFHhKkmsS", part->letter, 15) != NULL;
}

/* Reads '..' at *at; '' is one quote. */
static bool read_quoted(struct arena *arena, struct bytes pattern, size_t *at, struct part *part)
{
    char *text = arena_alloc(arena, pattern.size + 1);
    size_t size = 0;
    if (*at + 1 < pattern.size && pattern.data[*at + 1] == '\'') {
        *at += 2;
        part->text = bytes_of("'", 1);
        return true;
    }
    for ((*at)++; *at < pattern.size; (*at)++) {
        bool quote = pattern.data[*at] == '\'';
        if (quote && (*at + 1 >= pattern.size || pattern.data[*at + 1] != '\'')) {
            (*at)++;
            part->text = bytes_of(text, size);
            return true;
        }
        *at += quote;
        text[size++] = (char)pattern.data[*at];
    }
    return false;
}

static bool read_part(struct arena *arena, struct bytes pattern, size_t *at, struct part *part)
{
    char c = (char)pattern.data[*at];
    if (c == '\'')
        return read_quoted(arena, pattern, at, part);
    if (c == '[' || c == ']') {
        part->kind = c == '[' ? PART_OPEN : PART_CLOSE;
        (*at)++;
        return true;
    }
    if (!isalpha((unsigned char)c)) {
        part->text = bytes_of(arena_strndup(arena, &c, 1), 1);
        (*at)++;
        return c != '{' && c != '}' && c != '#';
    }
    part->kind = PART_LETTER;
    part->letter = c;
    while (*at < pattern.size && (char)pattern.data[*at] == c) {
        part->count++;
        (*at)++;
    }
    return part->count <= letter_max(c) && (c != 'V' || part->count == 2) &&
           (c != 'O' || part->count == 1 || part->count == 4);
}

enum code time_pattern_compile(struct arena *arena, struct bytes pattern, bool to_parse,
                               const struct time_pattern **out, struct error *err)
{
    struct time_pattern *made = arena_new(arena, struct time_pattern);
    made->parts = arena_array(arena, struct part, PATTERN_PARTS_MAX);
    int depth = 0;
    for (size_t at = 0; at < pattern.size;) {
        if (made->count == PATTERN_PARTS_MAX)
            return pattern_error(pattern, NULL, to_parse, err);
        struct part *part = &made->parts[made->count++];
        if (!read_part(arena, pattern, &at, part))
            return pattern_error(pattern, part, to_parse, err);
        depth += (part->kind == PART_OPEN) - (part->kind == PART_CLOSE);
        bool one_way = part->kind == PART_LETTER && strchr(to_parse ? "EFqQ" : "z", part->letter) != NULL;
        if (depth < 0 || one_way)
            return pattern_error(pattern, part, to_parse, err);
    }
    for (int i = 0; i + 1 < made->count; i++)
        made->parts[i].fixed = is_number(&made->parts[i]) && is_number(&made->parts[i + 1]);
    *out = made;
    return E_OK;
}

/* ---- printing ---- */

struct moment {
    int64_t local_us, us;
    int32_t days;
    struct civil date;
    int hour, minute, second, micro;
};

static struct moment moment_of(int64_t us, const struct zone *zone)
{
    struct moment m = {.us = us, .local_us = to_local(zone, us)};
    m.days = days_of_us(m.local_us);
    m.date = civil_of(m.days);
    int64_t rest = floor_rest(m.local_us, DAY_US);
    m.hour = (int)(rest / (3600 * SECOND_US));
    m.minute = (int)(rest / (60 * SECOND_US) % 60);
    m.second = (int)(rest / SECOND_US % 60);
    m.micro = (int)(rest % SECOND_US);
    return m;
}

static void print_offset(const struct part *part, int64_t offset_us, struct text *out)
{
    int seconds = (int)(offset_us / SECOND_US), size = seconds < 0 ? -seconds : seconds;
    int hours = size / 3600, minutes = size / 60 % 60;
    char sign = seconds < 0 ? '-' : '+', letter = part->letter;
    bool colon = part->count == 3 || part->count == 5;
    if (letter == 'O' || (letter == 'Z' && part->count == 4)) {
        text_add_string(out, "GMT");
        if (seconds != 0 && (letter == 'Z' || part->count == 4))
            text_printf(out, "%c%02d:%02d", sign, hours, minutes);
        else if (seconds != 0)
            text_printf(out, minutes == 0 ? "%c%d" : "%c%d:%02d", sign, hours, minutes);
    } else if (seconds == 0 && (letter == 'X' || (letter == 'Z' && part->count == 5))) {
        text_add_char(out, 'Z');
    } else if (letter != 'Z' && part->count == 1) {
        text_printf(out, minutes == 0 ? "%c%02d" : "%c%02d%02d", sign, hours, minutes);
    } else {
        text_printf(out,
                    letter != 'Z'      ? (colon ? "%c%02d:%02d" : "%c%02d%02d")
                    : part->count == 5 ? "%c%02d:%02d"
                                       : "%c%02d%02d",
                    sign, hours, minutes);
    }
}

static void print_year(const struct part *part, int64_t year, struct text *out)
{
    if (year <= 0)
        year = 1 - year; // year of the era
    if (part->count == 2)
        text_printf(out, "%02d", floor_modulo(year, 100));
    else
        text_printf(out, year > 9999 && part->count >= 4 ? "+%0*" PRId64 : "%0*" PRId64,
                    part->count, year);
}

static void print_month(const struct part *part, int month, struct text *out)
{
    if (part->count <= 2)
        text_printf(out, "%0*d", part->count, month);
    else if (part->count == 3)
        text_add(out, month_names[month - 1], 3);
    else
        text_add_string(out, month_names[month - 1]);
}

static void print_quarter(const struct part *part, int quarter, struct text *out)
{
    static const char *const names[] = {"1st quarter", "2nd quarter", "3rd quarter", "4th quarter"};
    if (part->count <= 2)
        text_printf(out, "%0*d", part->count, quarter);
    else if (part->count == 3)
        text_printf(out, "Q%d", quarter);
    else
        text_add_string(out, names[quarter - 1]);
}

static void print_fraction(int count, int micro, struct text *out)
{
    size_t start = out->size;
    text_printf(out, "%06d000", micro);
    out->size = start + (size_t)count;
}

static void print_letter(const struct part *part, const struct moment *m, const struct zone *zone,
                         struct text *out)
{
    int half = m->hour % 12;
    switch (part->letter) {
    case 'y': print_year(part, m->date.year, out); break;
    case 'M':
    case 'L': print_month(part, m->date.month, out); break;
    case 'd': text_printf(out, "%0*d", part->count, m->date.day); break;
    case 'D':
        text_printf(out, "%0*d", part->count,
                    (int)((int64_t)m->days - days_from_civil(m->date.year, 1, 1) + 1));
        break;
    case 'Q':
    case 'q': print_quarter(part, (m->date.month - 1) / 3 + 1, out); break;
    case 'E':
        text_add(out, weekday_names[weekday_of(m->days)],
                 part->count < 4 ? 3 : strlen(weekday_names[weekday_of(m->days)]));
        break;
    case 'F': text_printf(out, "%d", (m->date.day - 1) % 7 + 1); break;
    case 'a': text_add_string(out, m->hour < 12 ? "AM" : "PM"); break;
    case 'G': text_add_string(out, m->date.year > 0 ? "AD" : "BC"); break;
    case 'H': text_printf(out, "%0*d", part->count, m->hour); break;
    case 'h': text_printf(out, "%0*d", part->count, half == 0 ? 12 : half); break;
    case 'K': text_printf(out, "%0*d", part->count, half); break;
    case 'k': text_printf(out, "%0*d", part->count, m->hour == 0 ? 24 : m->hour); break;
    case 'm': text_printf(out, "%0*d", part->count, m->minute); break;
    case 's': text_printf(out, "%0*d", part->count, m->second); break;
    case 'S': print_fraction(part->count, m->micro, out); break;
    case 'V': text_add_string(out, zone_name(zone == NULL ? zone_utc() : zone)); break;
    default: print_offset(part, (int64_t)((uint64_t)m->local_us - (uint64_t)m->us), out);
    }
}

void time_pattern_print(const struct time_pattern *pattern, int64_t us, const struct zone *zone,
                        struct text *out)
{
    struct moment m = moment_of(us, zone);
    for (int i = 0; i < pattern->count; i++) {
        const struct part *part = &pattern->parts[i];
        if (part->kind == PART_TEXT)
            text_add(out, part->text.data, part->text.size);
        else if (part->kind == PART_LETTER)
            print_letter(part, &m, zone, out);
    }
}

/* ---- parsing ---- */

struct parsed {
    struct bytes text;
    size_t at;
    int64_t year, day_of_year;
    int month, day, hour, half_hour, afternoon, minute, second, micro; /* -1 = not said */
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

static bool parse_small(struct parsed *p, const struct part *part, int *out)
{
    int64_t value;
    bool exact = part->fixed || part->count > 1;
    if (!parse_number(p, exact ? part->count : 1, exact ? part->count : 9, &value))
        return false;
    *out = (int)value;
    return true;
}

static bool parse_year(struct parsed *p, const struct part *part)
{
    enum { YEAR_DIGITS_MAX = 9, CENTURY = 2000 };
    bool minus = p->at < p->text.size && p->text.data[p->at] == '-' && part->count != 2;
    bool plus = p->at < p->text.size && p->text.data[p->at] == '+' && part->count >= 4;
    p->at += minus || plus;
    int most = part->fixed || part->count == 2 ? part->count
               : plus || part->count < 4       ? YEAR_DIGITS_MAX
                                               : part->count;
    if (!parse_number(p, part->count == 1 ? 1 : part->count, most, &p->year))
        return false;
    p->year = part->count == 2 ? CENTURY + p->year : minus ? -p->year : p->year;
    return true;
}

static bool parse_word(struct parsed *p, const char *word, size_t size)
{
    if (p->text.size - p->at < size ||
        strncasecmp((const char *)p->text.data + p->at, word, size) != 0)
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

static bool parse_fraction(struct parsed *p, const struct part *part)
{
    size_t start = p->at;
    int64_t value;
    if (!parse_number(p, 1, part->count, &value))
        return false;
    size_t digits = p->at - start;
    for (; digits < 6; digits++)
        value *= 10;
    for (; digits > 6; digits--)
        value /= 10;
    p->micro = (int)value;
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
    if ((part->letter == 'O' || (part->letter == 'Z' && part->count == 4)) &&
        !parse_word(p, "GMT", 3))
        return false;
    bool optional = part->letter == 'O' || (part->letter == 'Z' && part->count == 4);
    char sign = p->at < p->text.size ? (char)p->text.data[p->at] : '\0';
    if (sign != '+' && sign != '-')
        return optional;
    p->at++;
    bool colon = part->letter == 'O' || part->count == 3 || part->count == 5 ||
                 (part->letter == 'Z' && part->count == 4);
    if (part->letter == 'Z' && part->count == 3)
        colon = false;
    if (!parse_number(p, part->letter == 'O' ? 1 : 2, 2, &hours))
        return false;
    bool more = p->at < p->text.size &&
                (colon ? p->text.data[p->at] == ':' : isdigit(p->text.data[p->at]) != 0);
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
    while (p->at < p->text.size &&
           (isalnum(p->text.data[p->at]) || memchr("/_+-:", p->text.data[p->at], 5) != NULL))
        p->at++;
    return zone_find(bytes_of(p->text.data + start, p->at - start), &p->zone, &ignored) == E_OK;
}

static bool parse_letter(struct parsed *p, const struct part *part)
{
    switch (part->letter) {
    case 'y': return parse_year(p, part);
    case 'M':
    case 'L':
        if (part->count < 3)
            return parse_small(p, part, &p->month);
        p->month = parse_name(p, month_names, 12, part->count == 4) + 1;
        return p->month > 0;
    case 'd': return parse_small(p, part, &p->day);
    case 'D': return parse_number(p, part->count, 3, &p->day_of_year);
    case 'a':
        p->afternoon = parse_word(p, "PM", 2) ? 1 : parse_word(p, "AM", 2) ? 0 : -1;
        return p->afternoon >= 0;
    case 'G': return parse_word(p, "AD", 2);
    case 'H': return parse_small(p, part, &p->hour) && p->hour <= 23;
    case 'k': {
        bool parsed = parse_small(p, part, &p->hour) && p->hour >= 1 && p->hour <= 24;
        p->hour %= 24;
        return parsed;
    }
    case 'h': {
        bool parsed =
            parse_small(p, part, &p->half_hour) && p->half_hour >= 1 && p->half_hour <= 12;
        p->half_hour %= 12;
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
    return p->at == p->text.size;
}

static bool resolve_date(const struct parsed *p, int32_t *out)
{
    int64_t year = p->year == INT64_MIN ? 1970 : p->year;
    if (year < -290000 || year > 290000)
        return false;
    if (p->day_of_year > 0 && p->month < 0 && p->day < 0) {
        *out = days_from_civil(year, 1, 1) + (int32_t)p->day_of_year - 1;
        return civil_of(*out).year == year;
    }
    int month = p->month < 0 ? 1 : p->month, day = p->day < 0 ? 1 : p->day;
    if (!civil_valid(year, month, day))
        return false;
    *out = days_from_civil(year, month, day);
    return true;
}

bool time_pattern_parse(const struct time_pattern *pattern, struct bytes text,
                        const struct zone *zone, int64_t *out)
{
    struct parsed p = {.text = text,
                       .year = INT64_MIN,
                       .month = -1,
                       .day = -1,
                       .hour = -1,
                       .half_hour = -1,
                       .afternoon = -1};
    int32_t days;
    if (!parse_parts(pattern, &p) || !resolve_date(&p, &days))
        return false;
    int hour = p.hour >= 0        ? p.hour
               : p.half_hour >= 0 ? p.half_hour + (p.afternoon > 0 ? 12 : 0)
                                  : 0;
    int64_t local =
        days * DAY_US + ((hour * 60 + (int64_t)p.minute) * 60 + p.second) * SECOND_US + p.micro;
    if (p.has_offset)
        *out = local - p.offset_us;
    else
        *out = from_local(p.zone != NULL ? p.zone : zone, local);
    return true;
}
