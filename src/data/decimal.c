#include "data/decimal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text_number.h"

typedef unsigned __int128 u128;

/* ---- powers of ten and rounding ---- */

#define E9 1000000000
#define TEN_POWERS(X) X(1) X(10) X(100) X(1000) X(10000) X(100000) X(1000000) X(10000000) X(100000000)
static const __int128 powers[39] = {
#define X(n) (__int128)n,
    TEN_POWERS(X)
#undef X
#define X(n) (__int128)n *E9,
            TEN_POWERS(X)
#undef X
#define X(n) (__int128)n *E9 *E9,
                TEN_POWERS(X)
#undef X
#define X(n) (__int128)n *E9 *E9 *E9,
                    TEN_POWERS(X)
#undef X
                        (__int128) 1 *
        E9 * E9 * E9 * E9,
    (__int128)10 * E9 *E9 *E9 *E9,
    (__int128)100 * E9 *E9 *E9 *E9,
};

__int128 decimal_power10(int exponent) { return powers[exponent]; }

static u128 magnitude(__int128 value) { return value < 0 ? -(u128)value : (u128)value; }

bool decimal_fits(__int128 value, int precision) { return magnitude(value) < (u128)powers[precision]; }

/* Where a result becomes *out: the sign goes back on, and the precision is checked. */
static bool deliver(u128 value, bool negative, int precision, __int128 *out)
{
    if (value >= (u128)powers[precision])
        return false;
    *out = negative ? -(__int128)value : (__int128)value;
    return true;
}

static u128 divide_half_up(u128 value, u128 divisor)
{
    u128 quotient = value / divisor, rest = value % divisor;
    return quotient + (rest >= divisor - rest);
}

bool decimal_rescale(__int128 value, int scale_in, int precision_out, int scale_out, __int128 *out)
{
    u128 size = magnitude(value);
    int up = scale_out - scale_in;
    if (up > 38 || up < -38)
        return size == 0 || up < 0 ? deliver(0, false, precision_out, out) : false;
    if (up < 0)
        return deliver(divide_half_up(size, (u128)powers[-up]), value < 0, precision_out, out);
    if (__builtin_mul_overflow(size, (u128)powers[up], &size))
        return false;
    return deliver(size, value < 0, precision_out, out);
}

/* ---- 256 bits, for products and quotients of wide decimals ---- */

struct u256 {
    u128 high, low;
};

static struct u256 multiply_wide(u128 a, u128 b)
{
    u128 a0 = (uint64_t)a, a1 = a >> 64, b0 = (uint64_t)b, b1 = b >> 64;
    u128 low = a0 * b0, middle = a1 * b0 + (low >> 64), middle2 = a0 * b1 + (uint64_t)middle;
    return (struct u256){a1 * b1 + (middle >> 64) + (middle2 >> 64), middle2 << 64 | (uint64_t)low};
}

/* Quotient and rest, a bit at a time: only decimals past 38 digits come here. */
static struct u256 divide_wide(struct u256 value, u128 divisor, u128 *rest)
{
    if (value.high == 0) {
        *rest = value.low % divisor;
        return (struct u256){0, value.low / divisor};
    }
    struct u256 quotient = {0, 0};
    u128 left = 0;
    for (int bit = 255; bit >= 0; bit--) {
        bool carry = left >> 127;
        left = left << 1 | ((bit >= 128 ? value.high >> (bit - 128) : value.low >> bit) & 1);
        if (carry || left >= divisor) {
            left -= divisor;
            if (bit >= 128)
                quotient.high |= (u128)1 << (bit - 128);
            else
                quotient.low |= (u128)1 << bit;
        }
    }
    *rest = left;
    return quotient;
}

/* value / 10^drop, half up. In two steps past 38 digits: what the first one cuts off cannot reach
 * the half. */
static bool drop_digits(struct u256 value, int drop, bool negative, int precision, __int128 *out)
{
    u128 rest = 0;
    for (; drop > 38; drop -= 38)
        value = divide_wide(value, (u128)powers[38], &rest);
    value = divide_wide(value, (u128)powers[drop], &rest);
    if (value.high != 0)
        return false;
    u128 up = drop > 0 && rest >= (u128)powers[drop] - rest;
    if (value.low > ~(u128)0 - up)
        return false;
    return deliver(value.low + up, negative, precision, out);
}

bool decimal_multiply(__int128 a, __int128 b, int scale_product, int precision_out, int scale_out, __int128 *out)
{
    bool negative = (a < 0) != (b < 0);
    u128 small;
    if (!__builtin_mul_overflow(magnitude(a), magnitude(b), &small) && scale_product == scale_out)
        return deliver(small, negative, precision_out, out);
    if (scale_product < scale_out) {
        __int128 raised;
        return decimal_rescale(a, 0, 38, scale_out - scale_product, &raised) &&
               decimal_multiply(raised, b, scale_out, precision_out, scale_out, out);
    }
    return drop_digits(multiply_wide(magnitude(a), magnitude(b)), scale_product - scale_out, negative, precision_out,
                       out);
}

bool decimal_divide(__int128 a, int a_scale, __int128 b, int b_scale, int precision_out, int scale_out, __int128 *out)
{
    if (b == 0)
        return false;
    bool negative = (a < 0) != (b < 0);
    u128 divisor = magnitude(b), rest;
    struct u256 value = {0, magnitude(a)};
    int raise = scale_out + b_scale - a_scale; // a * 10^raise / b is the unscaled result
    if (raise < 0) {                           // a divisor past 128 bits is more than twice any dividend
        struct u256 wide = multiply_wide(divisor, (u128)powers[-raise > 38 ? 38 : -raise]);
        if (wide.high != 0 || -raise > 38)
            return deliver(0, false, precision_out, out);
        divisor = wide.low;
    }
    for (; raise > 0; raise -= 38) { // past 256 bits the quotient has more than 38 digits for any divisor
        u128 factor = (u128)powers[raise > 38 ? 38 : raise];
        struct u256 top = multiply_wide(value.high, factor), bottom = multiply_wide(value.low, factor);
        if (top.high != 0 || __builtin_add_overflow(top.low, bottom.high, &value.high))
            return false;
        value.low = bottom.low;
    }
    struct u256 quotient = divide_wide(value, divisor, &rest);
    if (quotient.high != 0 || quotient.low >= (u128)powers[38])
        return false;
    return deliver(quotient.low + (rest >= divisor - rest), negative, precision_out, out);
}

static struct u256 scaled_up(u128 size, int digits) { return multiply_wide(size, (u128)powers[digits]); }

static bool wide_less(struct u256 a, struct u256 b) { return a.high < b.high || (a.high == b.high && a.low < b.low); }

static struct u256 wide_subtract(struct u256 a, struct u256 b)
{
    return (struct u256){a.high - b.high - (a.low < b.low), a.low - b.low};
}

/* Two magnitudes of 38 digits at a common scale have at most 76: 256 bits hold their sum. */
bool decimal_plus(__int128 a, int a_scale, __int128 b, int b_scale, int precision_out, int scale_out, __int128 *out)
{
    int scale = a_scale > b_scale ? a_scale : b_scale;
    struct u256 x = scaled_up(magnitude(a), scale - a_scale), y = scaled_up(magnitude(b), scale - b_scale);
    bool negative = a < 0;
    if ((a < 0) == (b < 0)) {
        bool carry = __builtin_add_overflow(x.low, y.low, &x.low);
        x.high += y.high + carry;
    } else if (wide_less(x, y)) {
        x = wide_subtract(y, x);
        negative = !negative;
    } else {
        x = wide_subtract(x, y);
    }
    if (scale >= scale_out)
        return drop_digits(x, scale - scale_out, negative, precision_out, out);
    __int128 sum;
    return drop_digits(x, 0, negative, 38, &sum) && decimal_rescale(sum, scale, precision_out, scale_out, out);
}

bool decimal_divmod(__int128 a, int a_scale, __int128 b, int b_scale, __int128 *quotient, __int128 *remainder)
{
    int scale = a_scale > b_scale ? a_scale : b_scale;
    struct u256 x = scaled_up(magnitude(a), scale - a_scale), y = scaled_up(magnitude(b), scale - b_scale);
    struct u256 whole = {0};
    u128 rest = x.low;
    if (y.high == 0)
        whole = divide_wide(x, y.low, &rest);
    else if (!wide_less(x, y)) // a divisor past 128 bits was raised, and the dividend was not
        return false;
    if (whole.high != 0 || whole.low >> 127 != 0 || rest >> 127 != 0)
        return false;
    *quotient = (a < 0) != (b < 0) ? -(__int128)whole.low : (__int128)whole.low;
    *remainder = a < 0 ? -(__int128)rest : (__int128)rest;
    return true;
}

/* ---- text ---- */

/* The number's text taken apart: digits with the point removed, 0.d1d2d3... * 10^exponent. */
struct digits {
    const uint8_t *first, *end; /* from the first digit that is not 0; one point may stand between */
    int64_t exponent;
    bool negative;
};

static bool digits_scan(struct bytes text, struct digits *out)
{
    const uint8_t *p = text.data, *end = p + text.size;
    out->negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    int64_t count = 0, point = -1, leading = 0;
    out->first = NULL;
    for (; p < end; p++) {
        if (*p == '.' && point < 0) {
            point = count;
        } else if (*p >= '0' && *p <= '9') {
            if (out->first == NULL && *p == '0')
                leading++;
            else if (out->first == NULL)
                out->first = p;
            count++;
        } else {
            break;
        }
    }
    out->end = p;
    if (count == 0)
        return false;
    out->exponent = (point < 0 ? count : point) - leading;
    if (out->first == NULL)
        out->first = p;
    if (p == end)
        return true;
    if (*p != 'e' && *p != 'E')
        return false;
    int64_t power;
    bool overflow;
    const char *stop = parse_int64((const char *)p + 1, (const char *)end, &power, &overflow);
    /* java.math.BigDecimal's exponent is an int; what is past it is no number there either. */
    if (stop != (const char *)end || overflow || power > INT32_MAX || power < INT32_MIN)
        return false;
    out->exponent += power;
    return true;
}

bool decimal_parse(struct bytes text, int precision, int scale, __int128 *out)
{
    struct digits digits;
    if (!digits_scan(text, &digits))
        return false;
    if (digits.first == digits.end)
        return deliver(0, false, precision, out);
    int64_t keep = digits.exponent + scale; /* digits of the result, before rounding */
    if (keep > 38)
        return false;
    u128 value = 0;
    const uint8_t *p = digits.first;
    for (; keep > 0; keep--) {
        p += p < digits.end && *p == '.';
        value = value * 10 + (p < digits.end ? (unsigned)(*p++ - '0') : 0);
    }
    p += p < digits.end && *p == '.';
    value += keep == 0 && p < digits.end && *p >= '5';
    return deliver(value, digits.negative, precision, out);
}

size_t decimal_print_scientific(__int128 value, int scale, char *out)
{
    enum { PLAIN_EXPONENT = -6 };
    char digits[DECIMAL_TEXT_MAX];
    size_t size = decimal_print(value, 0, digits), sign = value < 0, count = size - sign;
    int exponent = (int)count - 1 - scale;
    if (exponent >= PLAIN_EXPONENT)
        return decimal_print(value, scale, out);
    size_t at = sign + 1;
    memcpy(out, digits, at);
    if (count > 1) {
        out[at++] = '.';
        memcpy(out + at, digits + sign + 1, count - 1);
        at += count - 1;
    }
    return at + (size_t)snprintf(out + at, 8, "E%d", exponent);
}

size_t decimal_print(__int128 value, int scale, char *out)
{
    char buffer[DECIMAL_TEXT_MAX], *end = buffer + sizeof buffer, *p = end;
    u128 left = magnitude(value);
    for (int digit = 0; left != 0 || digit <= scale; digit++) {
        if (digit == scale && scale > 0)
            *--p = '.';
        if (left >> 64 == 0) { // the 128-bit division is several times slower
            uint64_t low = (uint64_t)left;
            *--p = (char)('0' + low % 10);
            left = low / 10;
        } else {
            *--p = (char)('0' + (int)(left % 10));
            left /= 10;
        }
    }
    if (value < 0)
        *--p = '-';
    memcpy(out, p, (size_t)(end - p));
    return (size_t)(end - p);
}

bool decimal_from_double(double value, int precision, int scale, __int128 *out)
{
    if (!isfinite(value))
        return false;
    char text[DOUBLE_TEXT_MAX];
    size_t size = print_double(value, text);
    return decimal_parse(bytes_of(text, size), precision, scale, out);
}

double decimal_to_double(__int128 value, int scale)
{
    /* Both exact in a double: one division, one rounding. */
    if (magnitude(value) <= (u128)1 << 53 && scale <= 22)
        return (double)(int64_t)value / (double)powers[scale];
    char text[DECIMAL_TEXT_MAX];
    size_t size = decimal_print(value, scale, text);
    double result = 0;
    const char *stop = parse_double(text, text + size, &result);
    dassert(stop == text + size);
    (void)stop;
    return result;
}
