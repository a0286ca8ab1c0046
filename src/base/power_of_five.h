/* power_of_five.h - the leading 128 bits of 5^q (and so of 10^q), for reading and printing floating
 * point.
 *
 * Shape    5^q = (high * 2^64 + low + rest) * 2^(power_of_ten_log2(q) - q - 127), with high >= 2^63
 *          and 0 <= rest < 1; rest is 0 exactly when 0 <= q <= POWER_OF_FIVE_EXACT_MAX
 * Limits   POWER_OF_FIVE_MIN <= q <= POWER_OF_FIVE_MAX: what double needs, printing included
 * Thread   any; the table is computed once (about 0.2 ms, 10 KB)
 * Source   the table is the one of Lemire, "Number parsing at a gigabyte per second" (2021),
 *          without its roundings
 */
#ifndef BASE_POWER_OF_FIVE_H
#define BASE_POWER_OF_FIVE_H

#include <stdint.h>

enum { POWER_OF_FIVE_MIN = -342, POWER_OF_FIVE_MAX = 324, POWER_OF_FIVE_EXACT_MAX = 55 };

struct power_of_five {
    uint64_t high, low;
};
struct power_of_five power_of_five(int q);

/* floor(log2(10^q)) for |q| <= 1000: 217706 / 2^16 is log2(10) to six digits. */
static inline int power_of_ten_log2(int q) { return (217706 * q) >> 16; }

#endif
