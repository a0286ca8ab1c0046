#include "base/power_of_five.h"

#include <pthread.h>
#include <stdbool.h>

enum { WORDS = 16 }; /* 1024 bits: 5^324 has 753, and 2^1023 / 5^342 still has 229 */

static struct power_of_five table[POWER_OF_FIVE_MAX - POWER_OF_FIVE_MIN + 1];

/* The 128 bits from the highest set bit of a number of WORDS words, least significant first. */
static struct power_of_five leading_bits(const uint64_t number[WORDS])
{
    int top = WORDS - 1;
    while (number[top] == 0)
        top--;
    uint64_t a = number[top], b = top > 0 ? number[top - 1] : 0, c = top > 1 ? number[top - 2] : 0;
    int shift = __builtin_clzll(a);
    if (shift == 0)
        return (struct power_of_five){a, b};
    return (struct power_of_five){a << shift | b >> (64 - shift), b << shift | c >> (64 - shift)};
}

/* Upwards by multiplying 1 with five, downwards by dividing 2^1023: floor(floor(x / 5) / 5) =
 * floor(x / 25), so every entry is the exact power, truncated. */
static void table_compute(void)
{
    struct power_of_five *zero = table - POWER_OF_FIVE_MIN;
    uint64_t up[WORDS] = {1}, down[WORDS] = {[WORDS - 1] = (uint64_t)1 << 63};

    for (int q = 0; q <= POWER_OF_FIVE_MAX; q++) {
        zero[q] = leading_bits(up);
        unsigned __int128 carry = 0;
        for (int i = 0; i < WORDS; i++) {
            carry += (unsigned __int128)up[i] * 5;
            up[i] = (uint64_t)carry;
            carry >>= 64;
        }
    }
    for (int q = -1; q >= POWER_OF_FIVE_MIN; q--) {
        unsigned __int128 rest = 0;
        for (int i = WORDS - 1; i >= 0; i--) {
            rest = rest << 64 | down[i];
            down[i] = (uint64_t)(rest / 5);
            rest %= 5;
        }
        zero[q] = leading_bits(down);
    }
}

struct power_of_five power_of_five(int q)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, table_compute);
    return table[q - POWER_OF_FIVE_MIN];
}
