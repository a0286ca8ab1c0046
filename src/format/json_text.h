/* json_text.h - strings of JSON as text, and any JSON value rewritten as text.
 *
 * UTF-8    broken sequences become U+FFFD, as many as Java's decoder makes of them; a lone
 *          surrogate escape becomes ?
 * Rewrite  what Spark puts into a STRING field whose value is not a string: no blanks; numbers with
 *          a fraction as Java prints the double (1.10 -> 1.1); NaN and infinities in quotes; beyond
 *          the BMP as \uD83D\uDE00
 * Shape    functions take the first byte of a thing and return the first byte behind it, NULL when
 *          broken
 */
#ifndef FORMAT_JSON_TEXT_H
#define FORMAT_JSON_TEXT_H

#include "format/format.h"
#include "format/json_scan.h"

/* Appends the bytes with broken sequences replaced. */
void json_text_repair(struct bytes bytes, struct text *out);

/* p is behind the opening quote. Appends the string's text. */
const uint8_t *json_text_string(const uint8_t *p, const uint8_t *end, uint8_t quote, struct text *out);

/* Appends the value as text; for a string that is the string itself. */
const uint8_t *json_text_value(const uint8_t *p, const uint8_t *end, int depth, struct text *out);

/* Appends with quotes and escapes, as Jackson does: " \ and control characters; `wide_escapes`:
 * beyond the BMP too. */
void json_text_quote(struct bytes string, bool wide_escapes, struct text *out);

#endif
