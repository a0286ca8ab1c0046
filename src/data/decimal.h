/* decimal.h - DECIMAL(p, s): an unscaled __int128 and Spark's rules for it.
 *
 * Units    value = unscaled / 10^scale; |unscaled| < 10^precision, precision <= 38
 * Rounding half up (away from zero) wherever digits are cut
 * Fails    false when the result has more than `precision` digits; never wraps
 * Thread   any
 */
#ifndef DATA_DECIMAL_H
#define DATA_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum { DECIMAL_TEXT_MAX = 48 };
__int128 decimal_power10(int exponent); /* 0..38 */
bool decimal_fits(__int128 value, int precision);
/* From `scale_in` to `scale_out`. */
bool decimal_rescale(__int128 value, int scale_in, int precision_out, int scale_out, __int128 *out);
/* [+-]digits[.digits][e[+-]n]; blanks are the caller's to trim. False: no number, or too many digits. */
bool decimal_parse(struct bytes text, int precision, int scale, __int128 *out);
bool decimal_from_double(double value, int precision, int scale,
                         __int128 *out); /* through the shortest text, as Spark */
double decimal_to_double(__int128 value, int scale);
/* As Java's BigDecimal.toString: small ones with an exponent, 1.230E-26. */
size_t decimal_print_scientific(__int128 value, int scale, char *out);
bool decimal_plus(__int128 a, int a_scale, __int128 b, int b_scale, int precision_out, int scale_out, __int128 *out);
/* Whole quotient, towards 0, and remainder at the larger scale, of a divisor that is not 0. False: either leaves 128 bits. */
bool decimal_divmod(__int128 a, int a_scale, __int128 b, int b_scale, __int128 *quotient, __int128 *remainder);
size_t decimal_print(__int128 value, int scale, char *out); /* plain notation, always `scale` digits */
bool decimal_multiply(__int128 a, __int128 b, int scale_product, int precision_out, int scale_out, __int128 *out);
bool decimal_divide(__int128 a, int a_scale, __int128 b, int b_scale, int precision_out, int scale_out, __int128 *out);

#endif
