/* text.c - text in other forms: case, hexadecimal, base64, numbers in any base, formatted numbers, distances. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <wctype.h>

#include "base/os.h"
#include "base/text_number.h"
#include "expr/coerce.h"
#include "expr/loop.h"
#include "expr/utf8.h"
#include "expr/writer.h"

#define INT_AT(k, i) (arg_values(&args[k], int32_t)[args[k].step * (i)])

/* ---- case ---- */

/* Letters beyond ASCII come from the C library's Unicode tables, which every glibc has as C.UTF-8. */
static locale_t unicode(void)
{
    static _Atomic(locale_t) made;
    if (made == (locale_t)0)
        made = newlocale(LC_CTYPE_MASK, "C.UTF-8",
                         (locale_t)0); // two threads may make it twice; both are right
    return made;
}

static uint32_t code_upper(uint32_t code)
{
    locale_t locale = unicode();
    return locale == (locale_t)0 ? code : (uint32_t)towupper_l((wint_t)code, locale);
}
static uint32_t code_lower(uint32_t code)
{
    locale_t locale = unicode();
    return locale == (locale_t)0 ? code : (uint32_t)towlower_l((wint_t)code, locale);
}

static size_t put_code(uint8_t *to, uint32_t code, bool upper)
{
    enum { SHARP_S = 0xdf };
    if (upper && code == SHARP_S) { // the one common letter whose upper case is two letters
        memcpy(to, "SS", 2);
        return 2;
    }
    return utf8_encode(upper ? code_upper(code) : code_lower(code), to);
}

static void put_unicode_case(struct writer *writer, struct bytes text, bool upper)
{
    size_t written = 0;
    uint8_t *to = writer_room(writer, text.size * 3); // two bytes may become three (U+0250)
    if (to == NULL)
        return;
    for (size_t at = 0, size; at < text.size; at += size) {
        uint32_t code = utf8_decode(text, at, &size);
        if (code == 0xfffd) {
            memcpy(to + written, text.data + at, size);
            written += size;
        } else {
            written += put_code(to + written, code, upper);
        }
    }
    writer_end(writer, written);
}

/* All bytes of the column at once when it is ASCII: no row is looked at. */
static bool ascii_case(struct call *call, const struct column *from, struct column *out, bool upper)
{
    size_t size = (size_t)column_offsets(from)[call->rows];
    const uint8_t *restrict data = from->values->data;
    if (!utf8_is_ascii(bytes_of(data, size)))
        return false;
    const uint8_t first = upper ? 'a' : 'A';
    out->offsets = buffer_retain(from->offsets);
    out->values = call_buffer(call, size > 64 ? size : 64);
    uint8_t *restrict to = out->values->data;
    for (size_t at = 0; at < size; at++)
        to[at] = (uint8_t)(data[at] ^ (((uint8_t)(data[at] - first) < 26) << 5));
    out->values->size = size;
    return true;
}

static void case_of_text(struct call *call, const struct arg *args, struct column *out, bool upper)
{
    struct writer writer;
    if (!ascii_case(call, args[0].col, out, upper)) {
        writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
        for (int64_t i; (i = writer_next(&writer)) >= 0;) {
            put_unicode_case(&writer, arg_bytes(&args[0], i), upper);
        }
        writer_close(&writer);
    }
}

SCALAR(fn_upper, "upper ucase", "(string) -> string", "In capital letters.", "upper('Spark')",
       "SPARK")
{
    case_of_text(call, args, out, true);
}
SCALAR(fn_lower, "lower lcase", "(string) -> string", "In small letters.", "lower('Spark')",
       "spark")
{
    case_of_text(call, args, out, false);
}

static void put_initcap(struct writer *writer, struct bytes text)
{
    size_t written = 0;
    bool start = true;
    uint8_t *to = writer_room(writer, text.size * 3);
    if (to == NULL)
        return;
    for (size_t at = 0, size; at < text.size; at += size) {
        uint32_t code = utf8_decode(text, at, &size);
        if (code == 0xfffd) {
            memcpy(to + written, text.data + at, size);
            written += size;
        } else {
            written += put_code(to + written, code, start);
        }
        start = code == ' ';
    }
    writer_end(writer, written);
}
SCALAR(fn_initcap, "initcap", "(string) -> string",
       "Each word with a capital in front; words end at blanks.", "initcap('sPark sql')",
       "Spark Sql")
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_initcap(&writer, arg_bytes(&args[0], i));
    }
    writer_close(&writer);
}

SCALAR(fn_chr, "chr char", "(bigint) -> string",
       "The character of that code, modulo 256; empty when negative.", "chr(65)", "A")
{
    struct writer writer;
    writer_open(&writer, call, out, call->rows * 2);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        int64_t code = arg_values(&args[0], int64_t)[i];
        uint8_t bytes[4];
        writer_put(&writer,
                   bytes_of(bytes, code < 0 ? 0 : utf8_encode((uint32_t)(code & 255), bytes)));
    }
    writer_close(&writer);
}

/* ---- hexadecimal, base64, binary ---- */

static const char HEX[] = "0123456789ABCDEF";

static void put_hex(struct writer *writer, struct bytes bytes)
{
    uint8_t *to = writer_room(writer, bytes.size * 2);
    if (to == NULL)
        return;
    for (size_t k = 0; k < bytes.size; k++) {
        to[2 * k] = (uint8_t)HEX[bytes.data[k] >> 4];
        to[2 * k + 1] = (uint8_t)HEX[bytes.data[k] & 15];
    }
    writer_end(writer, bytes.size * 2);
}

/* The digits of `value` in a base of 2 to 36, without leading zeros. */
static struct bytes digits_of(uint64_t value, unsigned base, char buffer[65])
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char *at = buffer + 65;
    do {
        *--at = digits[value % base];
        value /= base;
    } while (value > 0);
    return bytes_of(at, (size_t)(buffer + 65 - at));
}

SCALAR(fn_hex_number, "hex", "(bigint) -> string", "In hexadecimal.", "hex(17)", "11")
{
    struct writer writer;
    char buffer[65];
    writer_open(&writer, call, out, call->rows * 8);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        writer_put(&writer, digits_of((uint64_t)arg_values(&args[0], int64_t)[i], 16, buffer));
    }
    writer_close(&writer);
}
SCALAR(fn_hex, "hex", "(string) -> string | (binary) -> string", "The bytes in hexadecimal.",
       "hex('Spark')", "537061726B")
{
    struct writer writer;
    writer_open(&writer, call, out, 2 * arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_hex(&writer, arg_bytes(&args[0], i));
    }
    writer_close(&writer);
}
SCALAR(fn_bin, "bin", "(bigint) -> string", "In binary.", "bin(13)", "1101")
{
    struct writer writer;
    char buffer[65];
    writer_open(&writer, call, out, call->rows * 16);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        writer_put(&writer, digits_of((uint64_t)arg_values(&args[0], int64_t)[i], 2, buffer));
    }
    writer_close(&writer);
}

static int digit_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* An odd number of digits begins with half a byte, as if a 0 stood in front. */
static void put_unhex(struct writer *writer, struct bytes text)
{
    size_t size = (text.size + 1) / 2, odd = text.size % 2;
    uint8_t *to = writer_room(writer, size);
    if (to == NULL)
        return;
    for (size_t k = 0; k < size; k++) {
        int high = k == 0 && odd ? 0 : digit_value(text.data[2 * k - odd]);
        int low = digit_value(text.data[2 * k + 1 - odd]);
        if (high > 15 || low > 15) {
            writer_null(writer);
            return;
        }
        to[k] = (uint8_t)(high << 4 | low);
    }
    writer_end(writer, size);
}
SCALAR(fn_unhex, "unhex", "(string) -> binary", "Bytes from hexadecimal; NULL when it is none.",
       "cast(unhex('537061726B') AS STRING)", "Spark", .flags = FN_NULLABLE)
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_unhex(&writer, arg_bytes(&args[0], i));
    }
    writer_close(&writer);
}

static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_base64(struct writer *writer, struct bytes bytes)
{
    size_t size = (bytes.size + 2) / 3 * 4;
    uint8_t *to = writer_room(writer, size);
    if (to == NULL)
        return;
    for (size_t at = 0; at < bytes.size; at += 3, to += 4) {
        size_t left = bytes.size - at;
        uint32_t three = (uint32_t)bytes.data[at] << 16 |
                         (left > 1 ? (uint32_t)bytes.data[at + 1] << 8 : 0) |
                         (left > 2 ? bytes.data[at + 2] : 0);
        to[0] = (uint8_t)BASE64[three >> 18];
        to[1] = (uint8_t)BASE64[three >> 12 & 63];
        to[2] = left > 1 ? (uint8_t)BASE64[three >> 6 & 63] : '=';
        to[3] = left > 2 ? (uint8_t)BASE64[three & 63] : '=';
    }
    writer_end(writer, size);
}
SCALAR(fn_base64, "base64", "(binary) -> string", "The bytes in base64.", "base64('Spark SQL')",
       "U3BhcmsgU1FM")
{
    struct writer writer;
    writer_open(&writer, call, out, 2 * arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_base64(&writer, arg_bytes(&args[0], i));
    }
    writer_close(&writer);
}

/* As Java's MIME decoder: characters outside the alphabet are skipped, the padding ends it. */
static void put_unbase64(struct writer *writer, struct bytes text)
{
    uint8_t *to = writer_room(writer, text.size / 4 * 3 + 3);
    uint32_t bits = 0, have = 0;
    size_t size = 0;
    if (to == NULL)
        return;
    for (size_t at = 0; at < text.size && text.data[at] != '='; at++) {
        const char *found = text.data[at] == 0 ? NULL : strchr(BASE64, text.data[at]);
        if (found == NULL)
            continue;
        bits = bits << 6 | (uint32_t)(found - BASE64);
        have += 6;
        if (have >= 8) {
            have -= 8;
            to[size++] = (uint8_t)(bits >> have);
        }
    }
    writer_end(writer, size);
}
SCALAR(fn_unbase64, "unbase64", "(string) -> binary", "Bytes from base64.",
       "cast(unbase64('U3BhcmsgU1FM') AS STRING)", "Spark SQL")
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_unbase64(&writer, arg_bytes(&args[0], i));
    }
    writer_close(&writer);
}

/* ---- conv: Hive's, 64 bits, unsigned unless the target base is negative ---- */

static bool conv_parse(struct bytes text, int base, bool *negative, uint64_t *out)
{
    while (text.size > 0 && text.data[0] == ' ') {
        text.data++;
        text.size--;
    }
    if (text.size == 0)
        return false;
    *negative = text.data[0] == '-';
    uint64_t value = 0;
    for (size_t at = *negative; at < text.size && digit_value(text.data[at]) < base; at++)
        if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit_value(text.data[at]), &value)) {
            value = UINT64_MAX;
            break;
        }
    *out = value;
    return true;
}

static void put_conv(struct writer *writer, struct bytes text, int from, int to)
{
    bool negative;
    uint64_t value;
    char buffer[66];
    int base = to < -36 ? 0 : to < 0 ? -to : to;
    if (from < 2 || from > 36 || base < 2 || base > 36 ||
        !conv_parse(text, from, &negative, &value)) {
        writer_null(writer);
        return;
    }
    if (negative)
        value = (int64_t)value < 0 && to > 0 ? UINT64_MAX : 0 - value;
    bool minus = to < 0 && (int64_t)value < 0;
    struct bytes digits = digits_of(minus ? 0 - value : value, (unsigned)base, buffer + 1);
    if (minus) {
        digits.data--;
        digits.size++;
        buffer[digits.data - (const uint8_t *)buffer] = '-';
    }
    writer_put(writer, digits);
}
SCALAR(fn_conv, "conv", "(string, int, int) -> string", "A number from one base to another.",
       "conv('100', 2, 10)", "4", .flags = FN_NULLABLE)
{
    struct writer writer;
    writer_open(&writer, call, out, call->rows * 16);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_conv(&writer, arg_bytes(&args[0], i), INT_AT(1, i), INT_AT(2, i));
    }
    writer_close(&writer);
}

/* ---- numbers for people ---- */

enum { NUMBER_TEXT_MAX = 512, DIGITS_SHOWN_MAX = 100 };

/* "1234567.5" -> "1,234,567.5"; the text may begin with a sign. */
static size_t group_digits(const char *plain, size_t size, char *out)
{
    size_t start = size > 0 && plain[0] == '-', whole = start, at = 0;
    while (whole < size && plain[whole] >= '0' && plain[whole] <= '9')
        whole++;
    for (size_t k = 0; k < size; k++) {
        if (k > start && k < whole && (whole - k) % 3 == 0)
            out[at++] = ',';
        out[at++] = plain[k];
    }
    return at;
}

/* Java's DecimalFormat rounds half to even on the exact binary value, which printf does too. */
static size_t print_grouped(double value, int digits, char *out)
{
    char plain[NUMBER_TEXT_MAX];
    int size = snprintf(plain, sizeof plain, "%.*f", digits, value);
    return group_digits(plain, (size_t)size, out);
}

static size_t print_grouped_decimal(int128 value, int scale, int digits, char *out)
{
    char plain[DECIMAL_TEXT_MAX + DIGITS_SHOWN_MAX];
    bool negative = value < 0;
    if (digits < scale) { // half to even
        int128 unit = decimal_power10(scale - digits), whole = value / unit, rest = value % unit;
        int128 twice = (rest < 0 ? -rest : rest) * 2;
        if (twice > unit || (twice == unit && (whole & 1) != 0))
            whole += value < 0 ? -1 : 1;
        value = whole;
        scale = digits;
    }
    size_t size = decimal_print(value, scale, plain);
    if (negative && value == 0) { // Java shows that it was less than zero
        memmove(plain + 1, plain, size++);
        plain[0] = '-';
    }
    if (scale == 0 && digits > 0)
        plain[size++] = '.';
    for (; scale < digits; scale++)
        plain[size++] = '0';
    return group_digits(plain, size, out);
}

SCALAR(fn_format_number, "format_number",
       "(double, int) -> string | (bigint, int) -> string | (D, int) -> string",
       "With commas between thousands, and so many digits behind the point.",
       "format_number(12332.123456, 4)", "12,332.1235", .flags = FN_NULLABLE)
{
    struct writer writer;
    char buffer[2 * NUMBER_TEXT_MAX];
    const struct type *type = args[0].col->type;
    writer_open(&writer, call, out, call->rows * 16);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        int digits = INT_AT(1, i);
        size_t size = 0;
        if (digits < 0) {
            writer_null(&writer);
            continue;
        }
        digits = digits < DIGITS_SHOWN_MAX ? digits : DIGITS_SHOWN_MAX;
        if (type->id == TYPE_DOUBLE)
            size = print_grouped(arg_values(&args[0], double)[i * args[0].step], digits, buffer);
        else
            size = print_grouped_decimal(decimal_load(&args[0], type_is_wide_decimal(type), i),
                                         type->scale, digits, buffer);
        writer_put(&writer, bytes_of(buffer, size));
    }
    writer_close(&writer);
}

/* ---- format_string: Java's Formatter for %s %d %x %X %o %f %e %c %b %n %% ---- */

struct directive {
    bool left, zeros, plus, blank, comma;
    int index, width, precision;
    char conversion;
};
enum { WIDTH_MAX = 10000 };

static int read_int(struct bytes format, size_t *at)
{
    int value = 0;
    while (*at < format.size && format.data[*at] >= '0' && format.data[*at] <= '9') {
        value = value * 10 + (format.data[(*at)++] - '0');
        value = value < WIDTH_MAX ? value : WIDTH_MAX;
    }
    return value;
}

/* Reads what follows a '%'; false when it is cut off. */
static bool read_directive(struct bytes format, size_t *at, int *next, struct directive *out)
{
    *out = (struct directive){.precision = -1};
    size_t start = *at;
    int number = read_int(format, at);
    if (number > 0 && *at < format.size && format.data[*at] == '$')
        (*at)++;
    else
        *at = start, number = 0;
    for (; *at < format.size && memchr("-0+ ,", format.data[*at], 5) != NULL; (*at)++)
        switch (format.data[*at]) {
        case '-': out->left = true; break;
        case '0': out->zeros = true; break;
        case '+': out->plus = true; break;
        case ' ': out->blank = true; break;
        default: out->comma = true;
        }
    out->width = read_int(format, at);
    if (*at < format.size && format.data[*at] == '.') {
        (*at)++;
        out->precision = read_int(format, at);
    }
    if (*at >= format.size)
        return false;
    out->conversion = (char)format.data[(*at)++];
    if (out->conversion != '%' && out->conversion != 'n')
        out->index = number > 0 ? number : ++*next;
    return true;
}

static void put_padded(struct text *out, const struct directive *d, const char *text, size_t size)
{
    size_t shown = (size_t)utf8_count(bytes_of(text, size));
    size_t pad = (size_t)d->width > shown ? (size_t)d->width - shown : 0;
    bool sign = size > 0 && (text[0] == '-' || text[0] == '+');
    if (d->zeros && !d->left && sign)
        text_add(out, text, 1);
    for (size_t k = 0; k < pad && !d->left; k++)
        text_add_char(out, d->zeros ? '0' : ' ');
    text_add(out, text + (d->zeros && !d->left && sign), size - (d->zeros && !d->left && sign));
    for (size_t k = 0; k < pad && d->left; k++)
        text_add_char(out, ' ');
}

static double number_of(const struct arg *arg, int64_t row)
{
    double value = 0;
    if (arg->col->type->id == TYPE_DOUBLE)
        return arg_values(arg, double)[row * arg->step];
    if (arg->col->type->id == TYPE_INT64)
        return (double)arg_values(arg, int64_t)[row * arg->step];
    struct bytes text = arg_bytes(arg, row);
    parse_double((const char *)text.data, (const char *)text.data + text.size, &value);
    return value;
}

static void format_real(struct text *out, const struct directive *d, double value)
{
    char plain[NUMBER_TEXT_MAX], grouped[2 * NUMBER_TEXT_MAX];
    int digits = d->precision < 0                  ? 6
                 : d->precision < DIGITS_SHOWN_MAX ? d->precision
                                                   : DIGITS_SHOWN_MAX;
    int size = d->conversion == 'e'
                   ? snprintf(plain, sizeof plain, d->plus ? "%+.*e" : "%.*e", digits, value)
                   : snprintf(plain, sizeof plain, d->plus ? "%+.*f" : "%.*f", digits, value);
    if (!d->comma) {
        put_padded(out, d, plain, (size_t)size);
        return;
    }
    put_padded(out, d, grouped, group_digits(plain, (size_t)size, grouped));
}

static void format_integer(struct text *out, const struct directive *d, int64_t value, bool narrow)
{
    char plain[64], grouped[96];
    uint64_t bits = narrow ? (uint32_t)value : (uint64_t)value;
    int size = 0;
    switch (d->conversion) {
    case 'x': size = snprintf(plain, sizeof plain, "%" PRIx64, bits); break;
    case 'X': size = snprintf(plain, sizeof plain, "%" PRIX64, bits); break;
    case 'o': size = snprintf(plain, sizeof plain, "%" PRIo64, bits); break;
    default:
        size = snprintf(plain, sizeof plain,
                        d->plus    ? "%+" PRId64
                        : d->blank ? "% " PRId64
                                   : "%" PRId64,
                        value);
    }
    size_t shown = d->comma ? group_digits(plain, (size_t)size, grouped) : (size_t)size;
    put_padded(out, d, d->comma ? grouped : plain, shown);
}

static void format_text(struct text *out, const struct directive *d, const struct arg *arg,
                        int64_t row)
{
    char number[64];
    struct bytes text = {0};
    if (arg->col->type->id == TYPE_INT64)
        text = bytes_of(number, print_int64(arg_values(arg, int64_t)[row * arg->step], number));
    else if (arg->col->type->id == TYPE_DOUBLE)
        text = bytes_of(number, print_double(arg_values(arg, double)[row * arg->step], number));
    else
        text = arg_bytes(arg, row);
    if (d->precision >= 0)
        text.size = utf8_skip(text, d->precision);
    put_padded(out, d, (const char *)text.data, text.size);
}

/* False: the format and the argument do not agree. */
static bool format_one(struct text *out, const struct directive *d, const struct arg *arg,
                       int64_t row, bool narrow)
{
    if (!arg_valid(arg, row)) {
        put_padded(out, d, "null", 4);
        return true;
    }
    switch (d->conversion) {
    case 's': format_text(out, d, arg, row); return true;
    case 'd':
    case 'x':
    case 'X':
    case 'o':
        if (arg->col->type->id == TYPE_INT64)
            format_integer(out, d, arg_values(arg, int64_t)[row * arg->step], narrow);
        return arg->col->type->id == TYPE_INT64;
    case 'f':
    case 'e': format_real(out, d, number_of(arg, row)); return true;
    case 'b': put_padded(out, d, "true", 4); return true;
    case 'c': {
        uint8_t bytes[4];
        if (arg->col->type->id == TYPE_INT64)
            put_padded(
                out, d, (char *)bytes,
                utf8_encode((uint32_t)arg_values(arg, int64_t)[row * arg->step] & 0xffff, bytes));
        return arg->col->type->id == TYPE_INT64;
    }
    default: return false;
    }
}

static bool format_row(struct call *call, const struct arg *args, int64_t row, struct text *out)
{
    struct bytes format = arg_bytes(&args[0], row);
    int next = 0;
    for (size_t at = 0; at < format.size;) {
        struct directive d;
        if (format.data[at] != '%') {
            text_add_char(out, (char)format.data[at++]);
            continue;
        }
        at++;
        if (!read_directive(format, &at, &next, &d))
            return false;
        if (d.conversion == '%' || d.conversion == 'n') {
            text_add_char(out, d.conversion == '%' ? '%' : '\n');
            continue;
        }
        bool narrow =
            d.index < call->arg_count && call->args[d.index]->kind == EXPR_CAST &&
            call->args[d.index]->args[0]->type->id == TYPE_INT32; // -1 in %x has 8 digits then
        if (d.index >= call->arg_count || !format_one(out, &d, &args[d.index], row, narrow))
            return false;
    }
    return true;
}

static enum code bind_format(struct binding *binding, __attribute__((unused)) struct error *err)
{
    for (int32_t i = 1; i < binding->count; i++) {
        const struct type *type = binding->args[i]->type;
        bool real = type->id == TYPE_FLOAT || type->id == TYPE_DOUBLE;
        enum type_id want = type_is_integer(type) ? TYPE_INT64 : real ? TYPE_DOUBLE : TYPE_STRING;
        binding->args[i] = expr_cast_implicit(binding->ctx, binding->args[i], type_of(want));
    }
    binding->nullable = binding->args[0]->nullable;
    return E_OK;
}

SCALAR(fn_format_string, "format_string printf", "(string, any...) -> string",
       "Java's format: %s %d %x %o %f %e %c %b, with flags, width and precision.",
       "format_string('Hello %d %s', 100, 'days')", "Hello 100 days", .bind = bind_format,
       .flags = FN_NULLS | FN_FAILS)
{
    struct writer writer;
    struct text text = {.limit = WRITER_ROW_MAX};
    for (int64_t i = 0; i < call->rows; i++)
        if (!arg_valid(&args[0], i))
            call_null(call, i);
    writer_open(&writer, call, out, call->rows * 32);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        text_clear(&text);
        if (!format_row(call, args, i, &text)) {
            call_reject(call, i, REJECT_ARGUMENT);
            writer_skip(&writer);
        } else {
            writer_put(&writer, text_view(&text));
        };
    }
    writer_close(&writer);
    text_free(&text);
}

/* ---- distances and sounds ---- */

enum { LEVENSHTEIN_MAX = 1 << 14 }; // characters of either text: the work is their product

/* Distance by rows of the table; `last` holds one row of b_size + 1 numbers. */
static int32_t levenshtein(const uint32_t *a, int64_t a_size, const uint32_t *b, int64_t b_size,
                           int32_t *last)
{
    for (int64_t j = 0; j <= b_size; j++)
        last[j] = (int32_t)j;
    for (int64_t i = 1; i <= a_size; i++) {
        int32_t diagonal = last[0];
        last[0] = (int32_t)i;
        for (int64_t j = 1; j <= b_size; j++) {
            int32_t change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = last[j];
            int32_t move = (last[j] < last[j - 1] ? last[j] : last[j - 1]) + 1;
            last[j] = change < move ? change : move;
        }
    }
    return last[b_size];
}

static int64_t decode_all(struct bytes text, uint32_t *out)
{
    int64_t count = 0;
    for (size_t at = 0, size; at < text.size; at += size)
        out[count++] = utf8_decode(text, at, &size);
    return count;
}

SCALAR(fn_levenshtein, "levenshtein", "(string, string, int?) -> int",
       "How many characters must change; -1 when more than the third argument.",
       "levenshtein('kitten', 'sitting')", "3", .flags = FN_FAILS)
{
    for (int64_t i = 0; i < call->rows; i++) {
        struct bytes a = arg_bytes(&args[0], i), b = arg_bytes(&args[1], i);
        column_values(out, int32_t)[i] = 0;
        if (a.size > LEVENSHTEIN_MAX || b.size > LEVENSHTEIN_MAX) {
            call_reject(call, i, REJECT_TOO_BIG);
            continue;
        }
        struct buffer *buffer = call_buffer(call, (a.size + 2 * b.size + 8) * sizeof(uint32_t));
        uint32_t *p = (uint32_t *)(void *)buffer->data, *q = p + a.size;
        int64_t p_size = decode_all(a, p), q_size = decode_all(b, q);
        int32_t distance = levenshtein(p, p_size, q, q_size, (int32_t *)(void *)(q + b.size));
        column_values(out, int32_t)[i] =
            call->arg_count == 3 && distance > INT_AT(2, i) ? -1 : distance;
        call_free(call, buffer);
    }
}

static void put_soundex(struct writer *writer, struct bytes text)
{
    static const char codes[] =
        "01230127022455012623017202"; // A to Z; 7: H and W do not part equal codes
    char code[4] = {'0', '0', '0', '0'};
    size_t size = 0;
    char last = '0';
    if (text.size == 0 || ((text.data[0] | 0x20) < 'a' || (text.data[0] | 0x20) > 'z')) {
        writer_put(writer, text);
        return;
    }
    for (size_t at = 0; at < text.size && size < 4; at++) {
        uint8_t letter = (uint8_t)(text.data[at] | 0x20);
        if (letter < 'a' || letter > 'z') {
            last = '0';
            continue;
        }
        char digit = codes[letter - 'a'];
        if (size == 0)
            code[size++] = (char)(letter - 0x20);
        else if (digit >= '1' && digit <= '6' && digit != last)
            code[size++] = digit;
        if (digit != '7')
            last = digit;
    }
    writer_put(writer, bytes_of(code, 4));
}
SCALAR(fn_soundex, "soundex", "(string) -> string",
       "How an English name sounds: a letter and three digits.", "soundex('Miller')", "M460")
{
    struct writer writer;
    writer_open(&writer, call, out, call->rows * 4);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_soundex(&writer, arg_bytes(&args[0], i));
    }
    writer_close(&writer);
}

/* ---- URLs ---- */

static void put_url_encoded(struct writer *writer, struct bytes text)
{
    size_t size = 0;
    uint8_t *to = writer_room(writer, text.size * 3);
    if (to == NULL)
        return;
    for (size_t at = 0; at < text.size; at++) {
        uint8_t c = text.data[at];
        bool plain = digit_value(c) < 36 || c == '.' || c == '-' || c == '*' || c == '_';
        to[size++] = plain ? c : c == ' ' ? '+' : '%';
        if (!plain && c != ' ') {
            to[size++] = (uint8_t)HEX[c >> 4];
            to[size++] = (uint8_t)HEX[c & 15];
        }
    }
    writer_end(writer, size);
}
SCALAR(fn_url_encode, "url_encode", "(string) -> string", "As a part of a URL.",
       "url_encode('a b')", "a+b")
{
    struct writer writer;
    writer_open(&writer, call, out, 2 * arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_url_encoded(&writer, arg_bytes(&args[0], i));
    }
    writer_close(&writer);
}

static bool url_decode(struct bytes text, uint8_t *to, size_t *size)
{
    *size = 0;
    for (size_t at = 0; at < text.size; at++) {
        uint8_t c = text.data[at];
        if (c == '%') {
            if (text.size - at < 3 || digit_value(text.data[at + 1]) > 15 ||
                digit_value(text.data[at + 2]) > 15)
                return false;
            c = (uint8_t)(digit_value(text.data[at + 1]) << 4 | digit_value(text.data[at + 2]));
            at += 2;
        } else if (c == '+') {
            c = ' ';
        }
        to[(*size)++] = c;
    }
    return true;
}
SCALAR(fn_url_decode, "url_decode", "(string) -> string", "Back from a part of a URL.",
       "url_decode('a+b')", "a b", .flags = FN_FAILS)
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes text = arg_bytes(&args[0], i);
        size_t size;
        uint8_t *to = writer_room(&writer, text.size);
        if (to == NULL)
            continue;
        if (url_decode(text, to, &size)) {
            writer_end(&writer, size);
        } else {
            call_reject(call, i, REJECT_ARGUMENT);
            writer_skip(&writer);
        };
    }
    writer_close(&writer);
}

/* ---- encodings and identities ---- */

/* Only UTF-8 and its subset ASCII: text is UTF-8 here. */
static enum code bind_charset(struct binding *binding, struct error *err)
{
    const struct expr *name;
    TRY(binding_constant(binding, 1, &name, err));
    struct bytes bytes = literal_is_null(name) ? (struct bytes){0} : literal_bytes(name);
    if (bytes.size != 5 || strncasecmp((const char *)bytes.data, "utf-8", 5) != 0)
        return fail(err, E_SQL,
                    "[INVALID_PARAMETER_VALUE.CHARSET] The charset must be 'UTF-8', not '%.*s'",
                    (int)bytes.size, (const char *)bytes.data);
    const struct type *to = type_of(binding->type->id);
    return expr_cast(binding->ctx, binding->args[0], to, false, binding->at, &binding->rewritten,
                     err);
}
SCALAR_SAME(fn_encode, "encode", "(string, string) -> binary", "The text's bytes; only UTF-8.",
            "hex(encode('a', 'UTF-8'))", "61", .bind = bind_charset);
SCALAR_SAME(fn_decode, "decode", "(binary, string) -> string", "The bytes as text; only UTF-8.",
            "decode(X'61', 'UTF-8')", "a", .bind = bind_charset);

SCALAR(fn_uuid, "uuid", "() -> string", "A random UUID for every row.", NULL, NULL,
       .flags = FN_PER_ROW | FN_NEVER_NULL)
{
    struct writer writer;
    char text[40];
    writer_open(&writer, call, out, call->rows * 36);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        uint64_t a = os_random();
        uint64_t b = os_random();
        int size =
            snprintf(text, sizeof text, "%08x-%04x-4%03x-%04x-%012" PRIx64, (unsigned)(a >> 32),
                     (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
                     (unsigned)(0x8000 | (b >> 48 & 0x3fff)), b & 0xffffffffffffu);
        writer_put(&writer, bytes_of(text, (size_t)size));
    }
    writer_close(&writer);
}

SCALAR(fn_typeof, "typeof", "(any) -> string", "The type's name.", "typeof(1)", "int",
       .flags = FN_NULLS | FN_NEVER_NULL)
{
    struct writer writer;
    struct text text = {0};
    type_print(args[0].col->type, &text);
    writer_open(&writer, call, out, call->rows * (int64_t)text.size);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        writer_put(&writer, text_view(&text));
    }
    writer_close(&writer);
    text_free(&text);
}

const struct function *const text_functions[] = {
    &fn_upper,         &fn_lower,
    &fn_initcap,       &fn_chr,
    &fn_hex_number,    &fn_hex,
    &fn_unhex,         &fn_base64,
    &fn_unbase64,      &fn_bin,
    &fn_conv,          &fn_format_number,
    &fn_format_string, &fn_levenshtein,
    &fn_soundex,       &fn_url_encode,
    &fn_url_decode,    &fn_encode,
    &fn_decode,        &fn_uuid,
    &fn_typeof,        NULL,
};
