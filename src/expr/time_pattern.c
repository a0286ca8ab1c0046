/* time_pattern.c - compiling a pattern of instants and printing by it: Java's letters as Spark 3 and later take them.
 *
 * Letters  y M L d D Q q E F a G H h K k m s S V X x Z O, text in '..', optional parts in [..]
 * Older    with spark.sql.legacy.timeParserPolicy=LEGACY those of SimpleDateFormat, any number of them; brackets are text
 * Refused  week-based years and days (Y, w, W, u, e, c), as Spark does, and E, F, q, Q when parsing; z when printing
 *          and zzzz, which Spark has
 */
#include "expr/time_pattern.h"

#include <ctype.h>
#include <strings.h>

#include "expr/coerce.h"
#include "expr/writer.h"

enum { PATTERN_PARTS_MAX = 200 };

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

/* For those who know the letters of other systems. */
static const char *letters_hint(struct bytes pattern)
{
    bool years = memchr(pattern.data, 'Y', pattern.size) != NULL,
         days = memchr(pattern.data, 'D', pattern.size) != NULL;
    if (years && days)
        return "; write yyyy for the year and dd for the day of the month";
    return years ? "; write yyyy for the year" : days ? "; write dd for the day of the month" : "";
}

/* Refuses the pattern because of the part that does not read, as Spark words it. */
static enum code pattern_error(struct bytes pattern, const struct part *part, struct pattern_use use, struct error *err)
{
    const bool to_parse = use.to_parse;
    const char *why = "INVALID_DATETIME_PATTERN.WITH_SUGGESTION";
    bool letter = part != NULL && part->kind == PART_LETTER;
    char illegal[] = "ABnNpEFqQ"; // the last four only of what is parsed
    illegal[to_parse ? 9 : 5] = 0;
    if (use.local && to_parse)
        return fail(err, E_SQL, "[%s] Unrecognized datetime pattern: %.*s", why, (int)pattern.size,
                    (const char *)pattern.data);
    if (letter && part->letter == 'z' && part->count < 5)
        return fail(err, E_SQL, "[INVALID_DATETIME_PATTERN] Zone names (%s) are not supported: %.*s",
                    to_parse ? "zzzz" : "z", (int)pattern.size, (const char *)pattern.data);
    if (use.parser == TIME_PARSER_EXCEPTION && !use.local && legacy_letters(pattern))
        why = "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION";
    else if (letter && strchr("YwWuec", part->letter) != NULL)
        why = "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN";
    else if (letter && strchr(illegal, part->letter) != NULL)
        why = "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER";
    else if (letter && part->count > 4 && strchr("Qq", part->letter) != NULL)
        why = "INVALID_DATETIME_PATTERN.LENGTH";
    return fail(err, E_SQL, "[%s] Unrecognized datetime pattern: %.*s%s", why, (int)pattern.size,
                (const char *)pattern.data, letters_hint(pattern));
}

/* How often a letter may stand in a row; 0: it is none. */
static int letter_max(char letter, struct pattern_use use)
{
    enum { OLDER_MAX = 100 };
    if (use.parser == TIME_PARSER_LEGACY)
        return strchr("GyYMLwWDdFEuaHkKhmsSzZX", letter) != NULL ? OLDER_MAX : 0;
    static const struct {
        char letter, most;
    } letters[] = {{'y', 6}, {'M', 4}, {'L', 4}, {'d', 2}, {'D', 3}, {'Q', 4}, {'q', 4}, {'E', 4},
                   {'F', 1}, {'a', 1}, {'G', 4}, {'H', 2}, {'h', 2}, {'K', 2}, {'k', 2}, {'m', 2},
                   {'s', 2}, {'S', 9}, {'V', 2}, {'z', 3}, {'X', 5}, {'x', 5}, {'Z', 5}, {'O', 4}};
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

static bool read_part(struct arena *arena, struct bytes pattern, struct pattern_use use, size_t *at, struct part *part)
{
    char c = (char)pattern.data[*at];
    bool older = use.parser == TIME_PARSER_LEGACY;
    if (c == '\'')
        return read_quoted(arena, pattern, at, part);
    if ((c == '[' || c == ']') && !older) {
        part->kind = c == '[' ? PART_OPEN : PART_CLOSE;
        (*at)++;
        return true;
    }
    if (!isalpha((unsigned char)c)) {
        part->text = bytes_of(arena_strndup(arena, &c, 1), 1);
        (*at)++;
        return older || (c != '{' && c != '}' && c != '#');
    }
    part->kind = PART_LETTER;
    part->letter = c;
    while (*at < pattern.size && (char)pattern.data[*at] == c) {
        part->count++;
        (*at)++;
    }
    if (older)
        return part->count <= letter_max(c, use);
    bool era = c != 'G' || !use.to_parse || part->count <= 3;
    return era && part->count <= letter_max(c, use) && (c != 'V' || part->count == 2) &&
           (c != 'O' || part->count == 1 || part->count == 4);
}

/* Letters that print alone, or parse alone. */
static bool is_one_way(const struct part *part, struct pattern_use use)
{
    return use.parser != TIME_PARSER_LEGACY && part->kind == PART_LETTER &&
           strchr(use.to_parse ? "EFqQ" : "z", part->letter) != NULL;
}

enum code time_pattern_compile(struct arena *arena, struct bytes pattern, struct pattern_use use,
                               const struct time_pattern **out, struct error *err)
{
    struct time_pattern *made = arena_new(arena, struct time_pattern);
    made->use = use;
    made->parts = arena_array(arena, struct part, PATTERN_PARTS_MAX);
    int depth = 0;
    for (size_t at = 0; at < pattern.size;) {
        if (made->count == PATTERN_PARTS_MAX)
            return pattern_error(pattern, NULL, use, err);
        struct part *part = &made->parts[made->count++];
        if (!read_part(arena, pattern, use, &at, part))
            return pattern_error(pattern, part, use, err);
        depth += (part->kind == PART_OPEN) - (part->kind == PART_CLOSE);
        if (depth < 0 || is_one_way(part, use))
            return pattern_error(pattern, part, use, err);
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

/* +hh:mm and the seconds where there are some. */
static void print_clock(const char *hours, int size, bool colon, bool seconds, char sign, struct text *out)
{
    text_add_char(out, sign);
    text_printf(out, hours, size / 3600);
    text_printf(out, colon ? ":%02d" : "%02d", size / 60 % 60);
    if (seconds && size % 60 != 0)
        text_printf(out, colon ? ":%02d" : "%02d", size % 60);
}

static void print_offset(const struct part *part, int64_t offset_us, struct text *out)
{
    int seconds = (int)(offset_us / SECOND_US), size = seconds < 0 ? -seconds : seconds;
    char sign = seconds < 0 ? '-' : '+', letter = part->letter;
    bool localized = letter == 'O' || (letter == 'Z' && part->count == 4);
    if (localized)
        text_add_string(out, "GMT");
    if (localized && seconds == 0)
        return;
    if (letter == 'O' && part->count == 1 && size % 3600 == 0)
        text_printf(out, "%c%d", sign, size / 3600);
    else if (localized)
        print_clock(letter == 'O' && part->count == 1 ? "%d" : "%02d", size, true, true, sign, out);
    else if (seconds == 0 && (letter == 'X' || (letter == 'Z' && part->count == 5)))
        text_add_char(out, 'Z');
    else if (letter != 'Z' && part->count == 1 && size / 60 % 60 == 0)
        text_printf(out, "%c%02d", sign, size / 3600);
    else
        print_clock("%02d", size, part->count == 5 || (letter != 'Z' && part->count == 3), part->count > 3, sign, out);
}

/* value >= 0, with zeros in front up to the width. */
static void print_padded(struct text *out, int64_t value, int width)
{
    enum { DIGITS = 20 };
    char digits[DIGITS];
    int count = 0;
    do {
        digits[DIGITS - ++count] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (; width > count; width--)
        text_add_char(out, '0');
    text_add(out, digits + DIGITS - count, (size_t)count);
}

/* With an era it is the year of the era, without one years before the first are negative. */
static void print_year(const struct time_pattern *pattern, const struct part *part, int64_t year, struct text *out)
{
    bool era = false;
    for (int i = 0; i < pattern->count; i++)
        era = era || (pattern->parts[i].kind == PART_LETTER && pattern->parts[i].letter == 'G');
    if (era && year <= 0)
        year = 1 - year;
    if (part->count == 2) {
        print_padded(out, (year % 100 + 100) % 100, 2);
    } else {
        if (year < 0) {
            text_add_char(out, '-');
            year = -year;
        } else if (year > 9999 && part->count >= 4)
            text_add_char(out, '+');
        print_padded(out, year, part->count);
    }
}

static void print_month(const struct part *part, int month, struct text *out)
{
    if (part->count <= 2)
        print_padded(out, month, part->count);
    else if (part->count == 3)
        text_add(out, month_names[month - 1], 3);
    else
        text_add_string(out, month_names[month - 1]);
}

static void print_quarter(const struct part *part, int quarter, struct text *out)
{
    static const char *const names[] = {"1st quarter", "2nd quarter", "3rd quarter", "4th quarter"};
    if (part->count <= 2)
        print_padded(out, quarter, part->count);
    else if (part->count == 3)
        text_printf(out, "Q%d", quarter);
    else
        text_add_string(out, names[quarter - 1]);
}

static void print_fraction(int count, int micro, struct text *out)
{
    size_t start = out->size;
    print_padded(out, (int64_t)micro * 1000, 9);
    out->size = start + (size_t)count;
}

static void print_letter(const struct time_pattern *pattern, const struct part *part, const struct moment *m,
                         const struct zone *zone, struct text *out)
{
    int half = m->hour % 12;
    switch (part->letter) {
    case 'y': print_year(pattern, part, m->date.year, out); break;
    case 'M':
    case 'L': print_month(part, m->date.month, out); break;
    case 'd': print_padded(out, m->date.day, part->count); break;
    case 'D': print_padded(out, (int64_t)m->days - days_from_civil(m->date.year, 1, 1) + 1, part->count); break;
    case 'Q':
    case 'q': print_quarter(part, (m->date.month - 1) / 3 + 1, out); break;
    case 'E':
        text_add(out, weekday_names[weekday_of(m->days)],
                 part->count < 4 ? 3 : strlen(weekday_names[weekday_of(m->days)]));
        break;
    case 'F': text_printf(out, "%d", (m->date.day - 1) % 7 + 1); break;
    case 'a': text_add_string(out, m->hour < 12 ? "AM" : "PM"); break;
    case 'G':
        if (part->count < 4)
            text_add_string(out, m->date.year > 0 ? "AD" : "BC");
        else
            text_add_string(out, m->date.year > 0 ? "Anno Domini" : "Before Christ");
        break;
    case 'H': print_padded(out, m->hour, part->count); break;
    case 'h': print_padded(out, half == 0 ? 12 : half, part->count); break;
    case 'K': print_padded(out, half, part->count); break;
    case 'k': print_padded(out, m->hour == 0 ? 24 : m->hour, part->count); break;
    case 'm': print_padded(out, m->minute, part->count); break;
    case 's': print_padded(out, m->second, part->count); break;
    case 'S':
        if (pattern->use.parser == TIME_PARSER_LEGACY) // milliseconds, as a number
            print_padded(out, m->micro / 1000, part->count);
        else
            print_fraction(part->count, m->micro, out);
        break;
    case 'V': text_add_string(out, zone_name(zone == NULL ? zone_utc() : zone)); break;
    default: print_offset(part, (int64_t)((uint64_t)m->local_us - (uint64_t)m->us), out);
    }
}

void time_pattern_print(const struct time_pattern *pattern, int64_t us, const struct zone *zone, struct text *out)
{
    struct moment m = moment_of(us, zone);
    for (int i = 0; i < pattern->count; i++) {
        const struct part *part = &pattern->parts[i];
        if (part->kind == PART_TEXT)
            text_add(out, part->text.data, part->text.size);
        else if (part->kind == PART_LETTER)
            print_letter(pattern, part, &m, zone, out);
    }
}
