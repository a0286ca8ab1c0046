/* letter_case.h - inside expr/: one letter of a text in another case, as UTF-8.
 *
 * Out     bytes written: at most three times those of the letter, so `to` has CASE_BYTES_MAX
 * Title   what a word begins with: Dz for dz, Ss for ß
 * Thread  any
 */
#ifndef EXPR_LETTER_CASE_H
#define EXPR_LETTER_CASE_H

#include "base/bytes.h"

enum { CASE_CODES_MAX = 3, CASE_BYTES_MAX = 4 * CASE_CODES_MAX };
size_t letter_upper(uint32_t code, uint8_t *to);
size_t letter_title(uint32_t code, uint8_t *to);
/* The letter at `at`, which is whole: a sigma at the end of a word has a form of its own. */
size_t letter_lower(struct bytes text, size_t at, uint8_t *to);

#endif
