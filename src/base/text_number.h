/* text_number.h - numbers to text and back, exactly.
 *
 * parse    decimal text to the nearest double (ties to even), or to int64 with overflow seen
 * print    as Java prints (Double.toString of JDK 19 and later, which Spark shows): shortest digits that
 *          round-trip, 1.0E7, NaN, Infinity
 * Shape    parsers take [text, end) and return the first byte not used, or NULL when no number is there
 * Thread   any; locale is ignored
 * Source   Eisel-Lemire (Lemire 2021) with a big-integer fallback; Ryu or Schubfach for printing
 */
#ifndef BASE_TEXT_NUMBER_H
#define BASE_TEXT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* [-]digits[.digits][(e|E)[+-]digits]; leading zeros, "1." and ".5" are accepted (JSON forbids them: check before). */
const char *parse_double(const char *text, const char *end, double *out);
const char *parse_float(const char *text, const char *end, float *out);
/* [+-]digits. Sets *overflow instead of failing when the value does not fit. */
const char *parse_int64(const char *text, const char *end, int64_t *out, bool *overflow);

enum { DOUBLE_TEXT_MAX = 32, INT64_TEXT_MAX = 24 };
/* Write into out (at least *_TEXT_MAX bytes), return the count of bytes; no terminating NUL. */
size_t print_double(double value, char *out);
size_t print_float(float value, char *out);
size_t print_int64(int64_t value, char *out);

#endif
