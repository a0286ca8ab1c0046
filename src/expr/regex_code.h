/* regex_code.h - inside expr/: the instructions that regex_compile makes and the matcher follows. */
#ifndef EXPR_REGEX_CODE_H
#define EXPR_REGEX_CODE_H

#include "expr/regex.h"

enum regex_step_kind {
    REGEX_CHAR,          /* value: code point */
    REGEX_CHAR_ANY_CASE, /* value: code point, folded */
    REGEX_ANY,           /* all but line ends */
    REGEX_EVERY,
    REGEX_CLASS,  /* value: index of the class */
    REGEX_SPLIT,  /* prefer `to`, then `other` */
    REGEX_JUMP,   /* to */
    REGEX_SAVE,   /* value: slot */
    REGEX_ASSERT, /* value: enum regex_assertion */
    REGEX_MATCH,
};
enum regex_assertion {
    ASSERT_TEXT_START,
    ASSERT_LINE_START,
    ASSERT_TEXT_END,
    ASSERT_LAST_LINE_END,
    ASSERT_LINE_END,
    ASSERT_WORD_EDGE,
    ASSERT_NO_WORD_EDGE,
};
struct regex_step {
    enum regex_step_kind kind;
    uint32_t value;
    int32_t to, other;
};
/* Later ranges win over earlier ones. */
struct regex_class {
    uint64_t ascii[2];
    bool other_all, negated; /* other_all: what is beyond ASCII and in no range */
    int32_t range_count, range_capacity;
    struct regex_range {
        uint32_t from, to;
        bool in;
    } * ranges;
};
struct regex {
    int32_t count, groups, class_count;
    struct regex_step *steps;
    struct regex_class *classes;
    struct bytes names[REGEX_GROUPS_MAX + 1];
    bool anchored;  /* can only match at the start */
    bool has_first; /* a match is not empty and begins with a byte of `first` */
    uint64_t first[4];
    struct bytes literal; /* a match begins with these bytes */
};
/* Small letter of ASCII: Java's (?i) folds no more without (?u). */
static inline uint32_t regex_fold(uint32_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

#endif
