#include "data/lineage.h"

/* The lowest bits are the last level's: three that say which kind it is, and its number above them. No kind is 0, so that
 * nothing is left exactly when all levels are gone. */
enum kind { FIRST_MATCH = 1, MATCH, NEAR_POSITION, POSITION, FIRST_BRANCH, BRANCH };
enum { KIND_BITS = 3, BITS = 63, LEVELS_MAX = BITS / KIND_BITS };
static const int number_bits[1 << KIND_BITS] = {[MATCH] = 12, [NEAR_POSITION] = 6, [POSITION] = 20, [BRANCH] = 6};

struct level {
    char mark; /* m, u, or 0 for a position */
    int64_t number;
};

static int64_t level_add(int64_t of, enum kind kind, int64_t number)
{
    int bits = KIND_BITS + number_bits[kind];
    if (of < 0 || of >> (BITS - bits) != 0)
        return LINEAGE_UNKNOWN;
    return of << bits | number << KIND_BITS | (int64_t)kind;
}

int64_t lineage_position(int64_t of, int64_t position)
{
    bool near = position < (1 << number_bits[NEAR_POSITION]);
    return position >= LINEAGE_POSITIONS_MAX ? LINEAGE_UNKNOWN
                                             : level_add(of, near ? NEAR_POSITION : POSITION, position);
}

int64_t lineage_match(int64_t of, int64_t match)
{
    return match >= LINEAGE_MATCHES_MAX ? LINEAGE_UNKNOWN : level_add(of, match == 0 ? FIRST_MATCH : MATCH, match);
}

int64_t lineage_branch(int64_t of, int64_t branch)
{
    return branch >= LINEAGE_BRANCHES_MAX ? LINEAGE_UNKNOWN
                                          : level_add(of, branch == 0 ? FIRST_BRANCH : BRANCH, branch);
}

/* Takes the last level off. */
static int64_t level_drop(int64_t row, struct level *out)
{
    static const char marks[1 << KIND_BITS] = {
        [FIRST_MATCH] = 'm', [MATCH] = 'm', [FIRST_BRANCH] = 'u', [BRANCH] = 'u'};
    int kind = (int)(row & ((1 << KIND_BITS) - 1)), bits = number_bits[kind];
    row >>= KIND_BITS;
    *out = (struct level){marks[kind], row & ((1 << bits) - 1)};
    return row >> bits;
}

bool lineage_is_of(int64_t row, int64_t ancestor)
{
    struct level ignored;
    if (ancestor < 0)
        return false;
    while (row > ancestor) // a row has a larger number than what it came out of
        row = level_drop(row, &ignored);
    return row == ancestor;
}

void lineage_print(int64_t row, struct text *out)
{
    struct level levels[LEVELS_MAX];
    int count = 0;
    if (row < 0)
        text_add_char(out, '?');
    while (row > 0)
        row = level_drop(row, &levels[count++]);
    for (int i = count - 1; i >= 0; i--) {
        if (levels[i].mark != 0)
            text_add_char(out, levels[i].mark);
        text_printf(out, "%d%s", (int)levels[i].number, i > 0 ? "." : "");
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
        parsed = mark == 'm'   ? lineage_match(parsed, number)
                 : mark == 'u' ? lineage_branch(parsed, number)
                               : lineage_position(parsed, number);
        if (parsed < 0)
            return false;
    }
    *row = parsed;
    return true;
}
