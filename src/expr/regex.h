/* regex.h - inside expr/: regular expressions in Java's dialect, in time linear in the text.
 *
 * Takes     literals, . [..] [^..] \d \w \s \h \b \p{Alpha} \xhh \uhhhh \Q..\E, ^ $ \A \z \Z, groups (..) (?:..)
 *           (?<name>..), flags (?i) (?m) (?s), alternatives, * + ? {n,m} and their lazy forms
 * Refuses   what no linear matcher can do, or nobody asked for: back references, look-around, possessive and atomic
 *           groups, class intersection &&. E_SQL says which
 * Finds     the same match as Java's backtracking: leftmost, then the first alternative. They differ only in loops
 *           whose body prefers the empty text, like (|a)*: Java stops there, this goes on
 * Owns      compiled in an arena, read-only after that; a matcher is scratch memory of one thread
 * Limits    REGEX_STEPS_MAX instructions, REGEX_GROUPS_MAX groups; time O(text * instructions)
 * Source    Pike's virtual machine (Cox, "Regular Expression Matching: the Virtual Machine Approach", 2009)
 */
#ifndef EXPR_REGEX_H
#define EXPR_REGEX_H

#include "base/bytes.h"
#include "base/memory.h"

enum { REGEX_TEXT_MAX = 64 * 1024, REGEX_STEPS_MAX = 20000, REGEX_GROUPS_MAX = 100, REGEX_NESTING_MAX = 100 };

struct regex;
MUST_CHECK enum code regex_compile(struct arena *arena, struct bytes pattern, const struct regex **out,
                                   struct error *err);
int regex_groups(const struct regex *regex);                         /* without group 0 */
int regex_group_named(const struct regex *regex, struct bytes name); /* -1 = none */

struct regex_matcher;
struct regex_matcher *regex_matcher_new(const struct regex *regex);
void regex_matcher_free(struct regex_matcher *matcher);
/* The first match at or behind byte `from`. spans: 2 * (groups + 1) byte positions, start and end, -1 = no part. */
bool regex_find(struct regex_matcher *matcher, struct bytes text, size_t from, int64_t *spans);

#endif
