/* time_pattern.h - inside expr/: a compiled pattern of dates and times, between its compiler, printer and parser.
 *
 * Owns     parts and texts live in the arena of the one who compiled it
 */
#ifndef EXPR_TIME_PATTERN_H
#define EXPR_TIME_PATTERN_H

#include "expr/calendar.h"

enum part_kind { PART_TEXT, PART_LETTER, PART_OPEN, PART_CLOSE };
struct part {
    enum part_kind kind;
    char letter;
    int count;
    bool fixed; /* a number that another number follows: its width is exact */
    struct bytes text;
};
struct time_pattern {
    struct pattern_use use;
    int count;
    struct part *parts;
};

#endif
