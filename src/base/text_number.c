#include "base/text_number.h"

#include <string.h>

#include "base/power_of_five.h"

/* Reading a decimal number is three attempts, each exact, each rarer than the one before:
 *
 *   1. up to 53 bits of digits and |exponent| <= 22: both are doubles, so one multiplication or
 *      division rounds once;
 *   2. digits * 5^q to 192 bits (Eisel-Lemire). The table of powers is truncated, so the true
 *      product lies between `product` and product + 2^64: when both round to the same double, that
 *      is the answer;
 *   3. the candidate and its upper neighbour are compared with the digits in integers of 3072 bits.
 */

/* What a number's text says: digits * 10^exponent, with all digits of the text or the first 19. */
struct decimal_text {
    uint64_t digits;
    int64_t exponent;
    int64_t written; /* the part of it that stood behind the e */
    bool negative;
    bool truncated;           /* more digits follow: the value is in (digits, digits + 1) * 10^exponent */
    const char *first, *stop; /* where the digits stand, for the third attempt */
};

struct float_layout {
    int mantissa_bits;     /* without the hidden one */
    int exponent_min;      /* of the unit in the last place, for subnormals */
    int exponent_infinite; /* biased */
    int q_min, q_max;      /* outside, any 64 bits of digits give 0 or infinity */
};
static const struct float_layout layout_double = {52, -1074, 0x7ff, -342, 308};
static const struct float_layout layout_float = {23, -149, 0xff, -65, 38};

enum { DIGITS_KEPT = 19 };

static inline bool is_digit(char c) { return (unsigned char)(c - '0') < 10; }

/* Eight ASCII digits at once; false when one of them is none. */
static inline bool eight_digits(const char *text, uint64_t *out)
{
    uint64_t word;
    memcpy(&word, text, 8);
    if (((word + 0x4646464646464646) | (word - 0x3030303030303030)) & 0x8080808080808080)
        return false;
    word -= 0x3030303030303030;
    word = word * 10 + (word >> 8); // pairs, in every second byte
    *out =
        ((word & 0x000000ff000000ff) * 0x000f424000000064 + (word >> 16 & 0x000000ff000000ff) * 0x0000271000000001) >>
        32;
    return true;
}

/* Digits from p; *value wraps when there are too many, the caller counts them. */
static inline const char *digits_scan(const char *p, const char *end, uint64_t *value)
{
    uint64_t eight;
    while (end - p >= 8 && eight_digits(p, &eight)) {
        *value = *value * 100000000 + eight;
        p += 8;
    }
    for (; p < end && is_digit(*p); p++)
        *value = *value * 10 + (uint64_t)(*p - '0');
    return p;
}

/* [e[+-]digits] at p. Returns the first byte not used; p when there is no exponent. */
static const char *exponent_scan(const char *p, const char *end, int64_t *written)
{
    const char *q = p + 1;
    bool negative = q < end && *q == '-';
    if (q < end && (*q == '-' || *q == '+'))
        q++;
    if (q == end || !is_digit(*q))
        return p;
    int64_t value = 0;
    for (; q < end && is_digit(*q); q++)
        if (value < (int64_t)1 << 40) // far past any text that fits into memory
            value = value * 10 + (*q - '0');
    *written = negative ? -value : value;
    return q;
}

/* The first 19 digits again, when there are more: `digits` has wrapped. */
static void digits_truncate(struct decimal_text *number)
{
    const char *p = number->first;
    int64_t dropped = 0;
    int kept = 0;
    number->digits = 0;
    bool after_point = false;
    for (; p < number->stop; p++) {
        if (*p == '.') {
            after_point = true;
            continue;
        }
        if (kept < DIGITS_KEPT) {
            number->digits = number->digits * 10 + (uint64_t)(*p - '0');
            kept += number->digits != 0;
            dropped -= after_point;
        } else {
            dropped += !after_point;
            number->truncated |= *p != '0';
        }
    }
    number->exponent = dropped;
}

/* NULL when no number is there. */
static inline const char *decimal_scan(const char *text, const char *end, struct decimal_text *number)
{
    const char *p = text;
    number->negative = p < end && *p == '-';
    p += number->negative;
    number->first = p;
    number->digits = 0;
    number->truncated = false;
    number->exponent = number->written = 0;
    p = digits_scan(p, end, &number->digits);
    int64_t count = p - number->first;
    if (p < end && *p == '.') {
        const char *point = p;
        p = digits_scan(p + 1, end, &number->digits);
        number->exponent = point + 1 - p;
        count -= number->exponent;
    }
    if (count == 0)
        return NULL;
    number->stop = p;
    if (count > DIGITS_KEPT)
        digits_truncate(number);
    if (p < end && (*p == 'e' || *p == 'E'))
        p = exponent_scan(p, end, &number->written);
    number->exponent += number->written;
    return p;
}

/* ---- the second attempt ---- */

/* The nearest float when `known`; else the float below the text, and the point half way to the next
 * is too near. */
struct rounded {
    uint64_t bits; /* without the sign */
    bool known;
};

/* mantissa * 2^(unit's place) as bits; `mantissa` may have been rounded up to the next power of
 * two. */
static uint64_t float_assemble(uint64_t mantissa, int place, const struct float_layout *layout)
{
    uint64_t hidden = (uint64_t)1 << layout->mantissa_bits;
    uint64_t infinite = (uint64_t)layout->exponent_infinite << layout->mantissa_bits;
    /* Adding instead of combining lets the carry of a rounded-up mantissa raise the exponent, 0
     * included. */
    uint64_t bits = mantissa < hidden ? mantissa : ((uint64_t)place << layout->mantissa_bits) + mantissa;
    return bits < infinite ? bits : infinite;
}

/* digits * 10^q, digits not 0. */
static struct rounded float_nearest(uint64_t digits, int q, const struct float_layout *layout)
{
    int shift = __builtin_clzll(digits);
    struct power_of_five five = power_of_five(q);
    unsigned __int128 low = (unsigned __int128)(digits << shift) * five.low;
    unsigned __int128 product = (unsigned __int128)(digits << shift) * five.high + (uint64_t)(low >> 64);
    /* The true product lies in [product, product + 2), and is not `product` itself unless nothing
     * was cut off. */
    bool exact = q >= 0 && q <= POWER_OF_FIVE_EXACT_MAX && (uint64_t)low == 0;

    int upper = (int)(product >> 127); // the highest bit set is 126 or 127
    int drop = 126 + upper - layout->mantissa_bits;
    int place = power_of_ten_log2(q) + 63 + upper - shift - layout->mantissa_bits - layout->exponent_min;
    if (place < 0) { // subnormal
        drop -= place;
        place = 0;
    }
    if (drop > 128)
        return (struct rounded){0, true};
    uint64_t mantissa = drop == 128 ? 0 : (uint64_t)(product >> drop);
    unsigned __int128 half = (unsigned __int128)1 << (drop - 1), rest = product & (half + (half - 1));
    bool up = rest > half || (rest == half && (!exact || (mantissa & 1)));
    bool known = up || rest == half || rest + 1 < half || (exact && rest < half);
    return (struct rounded){float_assemble(mantissa + up, place, layout), known};
}

/* ---- the third attempt ---- */

/* No two neighbouring doubles are told apart by more than 767 digits, so one digit that stands for
 * the rest of a longer text is enough; 800 digits have 2658 bits. */
enum { BIG_WORDS = 56, BIG_DIGITS = 800 };
struct big {
    uint64_t words[BIG_WORDS]; /* least significant first */
    int count;
};

static void big_multiply_add(struct big *big, uint64_t factor, uint64_t add)
{
    unsigned __int128 carry = add;
    for (int i = 0; i < big->count; i++) {
        carry += (unsigned __int128)big->words[i] * factor;
        big->words[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (carry != 0 && big->count < BIG_WORDS)
        big->words[big->count++] = (uint64_t)carry;
}

static void big_multiply_five(struct big *big, int64_t power)
{
    for (; power >= 27; power -= 27)
        big_multiply_add(big, 7450580596923828125u, 0); // 5^27
    for (; power > 0; power--)
        big_multiply_add(big, 5, 0);
}

static void big_shift_left(struct big *big, int64_t bits)
{
    for (; bits >= 63; bits -= 63)
        big_multiply_add(big, (uint64_t)1 << 63, 0);
    big_multiply_add(big, (uint64_t)1 << bits, 0);
}

static int big_compare(const struct big *a, const struct big *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (int i = a->count - 1; i >= 0; i--)
        if (a->words[i] != b->words[i])
            return a->words[i] < b->words[i] ? -1 : 1;
    return 0;
}

/* All digits of the text, or the first 800 and a 1 for the rest; returns the exponent of ten that
 * goes with them. */
static int64_t big_digits(struct big *big, const struct decimal_text *number)
{
    int64_t kept = 0, after_point = 0;
    bool point = false, rest = false;
    for (const char *p = number->first; p < number->stop; p++) {
        if (*p == '.') {
            point = true;
        } else if (kept < BIG_DIGITS) {
            big_multiply_add(big, 10, (uint64_t)(*p - '0'));
            kept += big->count != 0;
            after_point += point;
        } else {
            rest |= *p != '0';
            after_point -= !point;
        }
    }
    if (rest) {
        big_multiply_add(big, 10, 1);
        after_point++;
    }
    return -after_point;
}

/* Choose between the float `bits` and the next one above, by comparing the text with the point half
 * way. */
static uint64_t float_decide(const struct decimal_text *number, uint64_t bits, const struct float_layout *layout)
{
    uint64_t hidden = (uint64_t)1 << layout->mantissa_bits;
    uint64_t biased = bits >> layout->mantissa_bits, mantissa = bits & (hidden - 1);
    int64_t unit = layout->exponent_min;
    if (biased > 0) {
        mantissa |= hidden;
        unit += (int64_t)biased - 1;
    }
    struct big text = {0}, middle = {{2 * mantissa + 1}, 1};
    int64_t text_two, middle_two = unit - 1, q = number->written + big_digits(&text, number);
    if (q >= 0)
        big_multiply_five(&text, q);
    else
        big_multiply_five(&middle, -q);
    text_two = q;
    if (text_two > middle_two)
        big_shift_left(&text, text_two - middle_two);
    else
        big_shift_left(&middle, middle_two - text_two);
    int order = big_compare(&text, &middle);
    return bits + (order > 0 || (order == 0 && (bits & 1)));
}

/* ---- both widths ---- */

/* The bits without the sign. */
static uint64_t float_bits(const struct decimal_text *number, const struct float_layout *layout)
{
    if (number->digits == 0 || number->exponent < layout->q_min)
        return 0;
    if (number->exponent > layout->q_max)
        return (uint64_t)layout->exponent_infinite << layout->mantissa_bits;
    int q = (int)number->exponent;
    struct rounded nearest = float_nearest(number->digits, q, layout);
    bool known = nearest.known;
    if (known && number->truncated) {
        /* The text lies between digits and digits + 1, too near to each other for two half-way
         * points. */
        struct rounded above = float_nearest(number->digits + 1, q, layout);
        known = above.known && above.bits == nearest.bits;
    }
    return known ? nearest.bits : float_decide(number, nearest.bits, layout);
}

static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

const char *parse_double(const char *text, const char *end, double *out)
{
    struct decimal_text number;
    const char *stop = decimal_scan(text, end, &number);
    if (stop == NULL)
        return NULL;
    if (number.digits <= (uint64_t)1 << 53 && number.exponent >= -22 && number.exponent <= 22 && !number.truncated) {
        double value = (double)(int64_t)number.digits;
        value = number.exponent < 0 ? value / exact_powers[-number.exponent] : value * exact_powers[number.exponent];
        *out = number.negative ? -value : value;
        return stop;
    }
    uint64_t bits = float_bits(&number, &layout_double) | (uint64_t)number.negative << 63;
    memcpy(out, &bits, sizeof bits);
    return stop;
}

const char *parse_float(const char *text, const char *end, float *out)
{
    struct decimal_text number;
    const char *stop = decimal_scan(text, end, &number);
    if (stop == NULL)
        return NULL;
    uint32_t bits = (uint32_t)float_bits(&number, &layout_float) | (uint32_t)number.negative << 31;
    memcpy(out, &bits, sizeof bits);
    return stop;
}

const char *parse_int64(const char *text, const char *end, int64_t *out, bool *overflow)
{
    const char *p = text;
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    const char *first = p;
    uint64_t value = 0;
    bool over = false;
    for (; p < end && is_digit(*p); p++) {
        over |= __builtin_mul_overflow(value, (uint64_t)10, &value);
        over |= __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value);
    }
    if (p == first)
        return NULL;
    *overflow = over || value > (uint64_t)INT64_MAX + negative;
    *out = (int64_t)(negative ? -value : value);
    return p;
}
