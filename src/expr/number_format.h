/* number_format.h - inside expr/: to_number's and to_char's formats: 9G999D99, $99.9, S000, 99PR.
 *
 * Format   9 a digit that may be missing, 0 one that may not; . D the point; , G between thousands; $ in front;
 *          S a sign, MI a minus, at either end; PR at the end: <..> around what is negative. Any case
 * In       a constant format; texts of any length, DECIMALs
 * Fails    compile: E_SQL [INVALID_FORMAT.*]; parse: false, the text does not match
 * Limits   NUMBER_TOKENS_MAX pieces; DECIMAL_DIGITS_MAX digits, else [DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION]
 * Spec     Spark 4.2's number patterns, checked against PySpark
 */
#ifndef EXPR_NUMBER_FORMAT_H
#define EXPR_NUMBER_FORMAT_H

#include "expr/function.h"

enum { NUMBER_DIGITS_MAX = 38 };

struct number_format;
MUST_CHECK enum code number_format_compile(struct arena *arena, struct bytes text, const struct number_format **out,
                                           struct error *err);
/* Digits of the format, and how many of them stand behind the point. */
int number_format_precision(const struct number_format *format);
int number_format_scale(const struct number_format *format);
/* `value` has the format's scale. */
bool number_format_parse(const struct number_format *format, struct bytes text, int128 *value);
/* value of that scale; what does not fit the format's digits is shown as #. */
void number_format_print(const struct number_format *format, int128 value, int scale, struct text *out);

#endif
