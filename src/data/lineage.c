#include "data/lineage.h"

enum { LEVELS_MAX = 3 };

static int64_t level_add(int64_t of, int64_t code)
{
    if (of < 0 || of >> (LINEAGE_BITS * (LEVELS_MAX - 1)) != 0)
        return LINEAGE_UNKNOWN;
    return of << LINEAGE_BITS | code;
}

int64_t lineage_position(int64_t of, int64_t position)
{
    return position >= LINEAGE_POSITIONS_MAX - 1 ? LINEAGE_UNKNOWN : level_add(of, 1 + position);
}

static int64_t other_add(int64_t of, int64_t number, int64_t base)
{
    if (number == 0)
        return of;
    return number >= LINEAGE_OTHERS_MAX ? LINEAGE_UNKNOWN : level_add(of, base + number);
}

int64_t lineage_match(int64_t of, int64_t match) { return other_add(of, match, LINEAGE_MATCH); }

int64_t lineage_branch(int64_t of, int64_t branch) { return other_add(of, branch, LINEAGE_BRANCH); }

/* What begins with "m1" or "u1" behind a number is a sibling of the row with that number, not of its own. */
bool lineage_is_of(int64_t row, int64_t ancestor)
{
    int64_t next = 0;
    if (row < 0 || ancestor < 0)
        return false;
    for (;; row >>= LINEAGE_BITS) {
        if (row == ancestor)
            return next < LINEAGE_MATCH;
        if (row == 0)
            return false;
        next = row & ((1 << LINEAGE_BITS) - 1);
    }
}

void lineage_print(int64_t row, struct text *out)
{
    const char *dot = "";
    if (row < 0)
        text_add_char(out, '?');
    for (int level = LEVELS_MAX - 1; row > 0 && level >= 0; level--) {
        int64_t code = row >> (LINEAGE_BITS * level) & ((1 << LINEAGE_BITS) - 1);
        if (code == 0)
            continue;
        if (code > LINEAGE_BRANCH)
            text_printf(out, "%su%d", dot, (int)(code - LINEAGE_BRANCH));
        else if (code > LINEAGE_MATCH)
            text_printf(out, "%sm%d", dot, (int)(code - LINEAGE_MATCH));
        else
            text_printf(out, "%s%d", dot, (int)(code - 1));
        dot = ".";
    }
}

static bool number_parse(struct bytes text, size_t *at, int64_t *out)
{
    size_t from = *at;
    for (*out = 0; *at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9'; (*at)++) {
        *out = *out * 10 + (text.data[*at] - '0');
        if (*out >= LINEAGE_POSITIONS_MAX)
            return false;
    }
    return *at > from;
}

bool lineage_parse(struct bytes text, int64_t *row)
{
    int64_t parsed = 0;
    for (size_t at = 0; at < text.size; at++) {
        uint8_t mark = text.data[at];
        int64_t number;
        at += mark == 'm' || mark == 'u';
        if (!number_parse(text, &at, &number) || (at < text.size && text.data[at] != '.') || at + 1 == text.size)
            return false;
        parsed = mark == 'm' ? lineage_match(parsed, number)
               : mark == 'u' ? lineage_branch(parsed, number) : lineage_position(parsed, number);
        if (parsed < 0)
            return false;
    }
    *row = parsed;
    return true;
}
