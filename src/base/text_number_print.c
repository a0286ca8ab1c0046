#include "base/text_number.h"

#include <math.h>
#include <string.h>

#include "base/power_of_five.h"

/* Shortest digits that read back as the same float: Schubfach (Raffaello Giulietti, "The Schubfach
 * way to render doubles", 2020), which is also what the JDK does since 19. A float v = c * 2^q
 * stands for all reals between the half-way points to its neighbours; scaled by a power of ten
 * chosen so that this interval holds one to a few dozen integers, the shortest decimal is one of
 * two neighbouring integers, or a multiple of ten.
 */

struct decimal {
    uint64_t digits; /* at most 17 digits, or 9 */
    int exponent;    /* value = digits * 10^exponent */
};

/* floor(log10(2^q)), and of 3/4 * 2^q, for |q| <= 1100. */
static inline int log10_of_power_of_two(int q) { return (q * 1262611) >> 22; }
static inline int log10_of_three_quarters(int q) { return (q * 1262611 - 524031) >> 22; }

/* floor(g * c / 2^128), its last bit set when something was cut off ("round to odd"): enough to
 * compare exactly. */
static inline uint64_t multiply_to_odd(struct power_of_five g, uint64_t c)
{
    unsigned __int128 low = (unsigned __int128)g.low * c;
    unsigned __int128 high = (unsigned __int128)g.high * c + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* c * 2^q, c not 0. `uneven`: c is the lowest of its binade, so the neighbour below is at half the
 * distance. */
static struct decimal shortest_decimal(uint64_t c, int q, bool uneven)
{
    int k = uneven ? log10_of_three_quarters(q) : log10_of_power_of_two(q);
    int h = q + power_of_ten_log2(-k) + 1;
    struct power_of_five g = power_of_five(-k);
    if (-k < 0 || -k > POWER_OF_FIVE_EXACT_MAX) { // the table is truncated; the proof wants it rounded up
        g.low++;
        g.high += g.low == 0;
    }
    uint64_t odd = c & 1, v = multiply_to_odd(g, 4 * c << h);
    uint64_t lower = multiply_to_odd(g, (4 * c - 2 + uneven) << h) + odd;
    uint64_t upper = multiply_to_odd(g, (4 * c + 2) << h) - odd;

    uint64_t s = v / 4;
    if (s >= 100) { // Java wants two digits at least, so a multiple of ten helps from three on
        uint64_t below = s / 10 * 10, above = below + 10;
        bool below_in = lower <= 4 * below, above_in = 4 * above <= upper;
        if (below_in != above_in)
            return (struct decimal){below_in ? below : above, k};
    }
    bool s_in = lower <= 4 * s, t_in = 4 * (s + 1) <= upper;
    bool take_above = s_in != t_in ? t_in : v > 4 * s + 2 || (v == 4 * s + 2 && (s & 1));
    return (struct decimal){s + take_above, k};
}

static const char digit_pairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/* Decimal digits of value, ending before `end`; returns where they start. */
static char *digits_before(char *end, uint64_t value)
{
    while (value >= 100) {
        memcpy(end -= 2, digit_pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10)
        memcpy(end -= 2, digit_pairs + value * 2, 2);
    else
        *--end = (char)('0' + value);
    return end;
}

/* Java's layout: plain from 1e-3 to below 1e7, else d.dddE[-]n; always one digit after the point.
 * */
static size_t decimal_layout(struct decimal decimal, char *out)
{
    for (; decimal.digits % 100 == 0; decimal.exponent += 2)
        decimal.digits /= 100;
    if (decimal.digits % 10 == 0) {
        decimal.digits /= 10;
        decimal.exponent++;
    }
    char buffer[INT64_TEXT_MAX], *digits = digits_before(buffer + sizeof buffer, decimal.digits);
    int count = (int)(buffer + sizeof buffer - digits),
        point = count + decimal.exponent; // digits before the point
    char *p = out;
    if (point > 0 && point <= 7) {
        for (int i = 0; i < point; i++)
            *p++ = i < count ? digits[i] : '0';
        *p++ = '.';
        if (point >= count)
            *p++ = '0';
        for (int i = point; i < count; i++)
            *p++ = digits[i];
        return (size_t)(p - out);
    }
    if (point <= 0 && point > -3) {
        memcpy(p, "0.00", 4);
        p += 2 - point;
        memcpy(p, digits, (size_t)count);
        return (size_t)(p + count - out);
    }
    *p++ = digits[0];
    *p++ = '.';
    if (count == 1)
        *p++ = '0';
    memcpy(p, digits + 1, (size_t)count - 1);
    p += count - 1;
    *p++ = 'E';
    return (size_t)(p - out) + print_int64(point - 1, p);
}

static size_t name_layout(const char *name, bool negative, char *out)
{
    size_t size = strlen(name);
    out[0] = '-';
    memcpy(out + negative, name, size);
    return size + negative;
}

/* `bits` without the sign; the layouts of double and float differ in three numbers. */
static size_t print_bits(uint64_t bits, bool negative, int mantissa_bits, int exponent_min, uint64_t infinite,
                         char *out)
{
    uint64_t hidden = (uint64_t)1 << mantissa_bits, fraction = bits & (hidden - 1), biased = bits >> mantissa_bits;
    if (biased == infinite)
        return fraction != 0 ? name_layout("NaN", false, out) : name_layout("Infinity", negative, out);
    if (bits == 0)
        return name_layout("0.0", negative, out);
    *out = '-';
    out += negative;
    if (biased != 0) {
        int q = exponent_min + (int)biased - 1;
        return negative + decimal_layout(shortest_decimal(hidden | fraction, q, fraction == 0 && biased > 1), out);
    }
    /* The smallest subnormals would come out with one digit, where Java wants the nearest of two:
     * scale by ten. */
    struct decimal decimal = fraction < 3 ? shortest_decimal(fraction * 10, exponent_min, false)
                                          : shortest_decimal(fraction, exponent_min, false);
    decimal.exponent -= fraction < 3;
    return negative + decimal_layout(decimal, out);
}

/* Prices, coordinates and the like: a decimal of at most six places and 15 digits that reads back
 * as the value is the shortest one but for its zeros, since no two of 15 digits share a double. */
static bool short_decimal(double value, struct decimal *out)
{
    if (!(value >= 1e-3 && value < 1e9))
        return false;
    int64_t millionths = (int64_t)(value * 1e6 + 0.5);
    *out = (struct decimal){(uint64_t)millionths, -6};
    return (double)millionths / 1e6 == value;
}

size_t print_double(double value, char *out)
{
    uint64_t bits;
    struct decimal decimal;
    if (short_decimal(fabs(value), &decimal)) {
        *out = '-';
        return (value < 0) + decimal_layout(decimal, out + (value < 0));
    }
    memcpy(&bits, &value, sizeof bits);
    return print_bits(bits & INT64_MAX, bits >> 63, 52, -1074, 0x7ff, out);
}

size_t print_float(float value, char *out)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return print_bits(bits & INT32_MAX, bits >> 31, 23, -149, 0xff, out);
}

size_t print_int64(int64_t value, char *out)
{
    char buffer[INT64_TEXT_MAX], *end = buffer + sizeof buffer;
    char *first = digits_before(end, value < 0 ? -(uint64_t)value : (uint64_t)value);
    if (value < 0)
        *--first = '-';
    memcpy(out, first, (size_t)(end - first));
    return (size_t)(end - first);
}
