/* format_text.c - numbers and texts for people: format_number, format_string; how near and how alike words are. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/stop_watch.h"
#include "base/text_number.h"
#include "expr/coerce.h"
#include "expr/loop.h"
#include "expr/utf8.h"
#include "expr/writer.h"

#define INT_AT(k, i) (arg_values(&args[k], int32_t)[args[k].step * (i)])

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

/* Zeros for the digits in front of the point that the shortest text of the number does not need, as Java has it. */
static void forget_digits(double value, char *plain)
{
    char shortest[DOUBLE_TEXT_MAX]; // -1.2345E38
    const char *exponent = memchr(shortest, 'E', print_double(value, shortest));
    size_t kept = exponent == NULL ? NUMBER_TEXT_MAX : (size_t)(exponent - shortest) - 1; // digits and sign
    if (exponent != NULL && kept >= 2 && memcmp(exponent - 2, ".0", 2) == 0)
        kept--;
    for (size_t at = kept; at < NUMBER_TEXT_MAX && plain[at] != '\0' && plain[at] != '.'; at++)
        plain[at] = '0';
}

/* Java's DecimalFormat rounds half to even on the exact binary value, which printf does too. */
static size_t print_grouped(double value, int digits, char *out)
{
    char plain[NUMBER_TEXT_MAX];
    int size = snprintf(plain, sizeof plain, "%.*f", digits, value);
    if (isfinite(value) && fabs(value) >= 0x1p53) // from here on there are more digits than tell it from its neighbours
        forget_digits(value, plain);
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

SCALAR(fn_format_number, "format_number", "(double, int) -> string | (bigint, int) -> string | (D, int) -> string",
       "With commas between thousands, and so many digits behind the point.", "format_number(12332.123456, 4)",
       "12,332.1235", .flags = FN_NULLABLE)
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
            size = print_grouped_decimal(decimal_load(&args[0], type_is_wide_decimal(type), i), type->scale, digits,
                                         buffer);
        writer_put(&writer, bytes_of(buffer, size));
    }
    writer_close(&writer);
}

/* ---- format_string: Java's Formatter for %s %d %x %X %o %f %e %c %b %n %% ---- */

struct directive {
    bool left, zeros, plus, blank, comma, brackets, upper;
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
    for (; *at < format.size && memchr("-0+ ,(", format.data[*at], 6) != NULL; (*at)++)
        switch (format.data[*at]) {
        case '-': out->left = true; break;
        case '0': out->zeros = true; break;
        case '+': out->plus = true; break;
        case ' ': out->blank = true; break;
        case '(': out->brackets = true; break;
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
    out->upper = out->conversion == 'S' || out->conversion == 'X' || out->conversion == 'B' || out->conversion == 'C' ||
                 out->conversion == 'E';
    if (out->upper && out->conversion != 'X')
        out->conversion = (char)(out->conversion + 'a' - 'A');
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

/* Java's formatter sees dates, timestamps and intervals as what they are inside Spark: days, months, microseconds. */
static bool is_inside_a_count(const struct type *type)
{
    return type_is_interval(type) || type->id == TYPE_DATE || type->id == TYPE_TIMESTAMP ||
           type->id == TYPE_TIMESTAMP_NTZ;
}
static bool is_narrow(const struct type *type)
{
    return type->id == TYPE_INT32 || type->id == TYPE_INTERVAL_YM || type->id == TYPE_DATE;
}

static bool is_count(const struct arg *arg)
{
    return type_is_integer(arg->col->type) || is_inside_a_count(arg->col->type);
}
static int64_t count_of(const struct arg *arg, int64_t row)
{
    if (is_narrow(arg->col->type))
        return arg_values(arg, int32_t)[row * arg->step];
    return arg_values(arg, int64_t)[row * arg->step];
}

static void format_real(struct text *out, const struct directive *d, double value)
{
    char plain[NUMBER_TEXT_MAX], grouped[2 * NUMBER_TEXT_MAX];
    int digits = d->precision < 0 ? 6 : d->precision < DIGITS_SHOWN_MAX ? d->precision : DIGITS_SHOWN_MAX;
    int size = d->conversion == 'e' ? snprintf(plain, sizeof plain, d->plus ? "%+.*e" : "%.*e", digits, value)
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
        if (d->brackets && value < 0)
            size = snprintf(plain, sizeof plain, "(%" PRIu64 ")", 0 - (uint64_t)value);
        else
            size = snprintf(plain, sizeof plain, d->plus ? "%+" PRId64 : d->blank ? "% " PRId64 : "%" PRId64, value);
    }
    size_t shown = d->comma ? group_digits(plain, (size_t)size, grouped) : (size_t)size;
    put_padded(out, d, d->comma ? grouped : plain, shown);
}

/* As Java has it, a BIGINT is no character; half of one is shown as '?'. */
static bool format_character(struct text *out, const struct directive *d, const struct arg *arg, int64_t row)
{
    enum { CHARACTER_MAX = 0x10ffff };
    uint8_t bytes[4];
    int64_t code = is_narrow(arg->col->type) ? count_of(arg, row) : -1;
    if (code < 0 || code > CHARACTER_MAX)
        return false;
    if (d->upper && code < 0x80)
        code = toupper((int)code);
    bool half = code >= 0xd800 && code <= 0xdfff;
    put_padded(out, d, (char *)bytes, utf8_encode(half ? '?' : (uint32_t)code, bytes));
    return true;
}

static void format_text(struct text *out, const struct directive *d, const struct arg *arg, int64_t row)
{
    char number[64];
    struct bytes text = {0};
    if (is_count(arg))
        text = bytes_of(number, print_int64(count_of(arg, row), number));
    else if (arg->col->type->id == TYPE_DOUBLE)
        text = bytes_of(number, print_double(arg_values(arg, double)[row * arg->step], number));
    else
        text = arg_bytes(arg, row);
    if (d->precision >= 0)
        text.size = utf8_skip(text, d->precision);
    size_t start = out->size;
    put_padded(out, d, (const char *)text.data, text.size);
    for (size_t i = start; i < out->size && d->upper; i++)
        out->data[i] = (char)(isascii(out->data[i]) ? toupper(out->data[i]) : out->data[i]);
}

/* Java prints null as a text whatever the conversion: cut, and never padded with zeros. */
static bool format_null(struct text *out, const struct directive *d)
{
    struct directive plain = *d;
    plain.zeros = false;
    if (strchr("sdxXofebchga", d->conversion) == NULL)
        return false;
    if (d->conversion == 'b')
        put_padded(out, &plain, d->upper ? "FALSE" : "false", 5);
    else
        put_padded(out, &plain, d->upper ? "NULL" : "null",
                   d->precision >= 0 && d->precision < 4 ? (size_t)d->precision : 4);
    return true;
}

/* False: the format and the argument do not agree. */
static bool format_one(struct text *out, const struct directive *d, const struct arg *arg, int64_t row)
{
    if (!arg_valid(arg, row))
        return format_null(out, d);
    switch (d->conversion) {
    case 's': format_text(out, d, arg, row); return true;
    case 'd':
    case 'x':
    case 'X':
    case 'o':
        if (is_count(arg))
            format_integer(out, d, count_of(arg, row), is_narrow(arg->col->type)); // -1 in %x has 8 digits then
        return is_count(arg);
    case 'f':
    case 'e':
        if (arg->col->type->id == TYPE_DOUBLE)
            format_real(out, d, arg_values(arg, double)[row * arg->step]);
        return arg->col->type->id == TYPE_DOUBLE;
    case 'b': put_padded(out, d, "true", 4); return true;
    case 'c': return format_character(out, d, arg, row);
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
        if (d.index >= call->arg_count || !format_one(out, &d, &args[d.index], row))
            return false;
    }
    return true;
}

static enum code bind_format(struct binding *binding, __attribute__((unused)) struct error *err)
{
    for (int32_t i = 1; i < binding->count; i++) {
        const struct type *type = binding->args[i]->type;
        bool real = type->id == TYPE_FLOAT || type->id == TYPE_DOUBLE;
        enum type_id whole = type->id == TYPE_INT64 ? TYPE_INT64 : TYPE_INT32;
        enum type_id want = type_is_integer(type) ? whole : real ? TYPE_DOUBLE : TYPE_STRING;
        if (!is_inside_a_count(type))
            binding->args[i] = expr_cast_implicit(binding->ctx, binding->args[i], type_of(want));
    }
    binding->nullable = binding->args[0]->nullable;
    return E_OK;
}

SCALAR(fn_format_string, "format_string printf", "(string, any...) -> string",
       "Java's format: %s %d %x %o %f %e %c %b, with flags, width and precision.",
       "format_string('Hello %d %s', 100, 'days')", "Hello 100 days", .bind = bind_format, .flags = FN_NULLS | FN_FAILS)
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
static int32_t levenshtein(const uint32_t *a, int64_t a_size, const uint32_t *b, int64_t b_size, int32_t *last)
{
    for (int64_t j = 0; j <= b_size; j++)
        last[j] = (int32_t)j;
    for (int64_t i = 1; i <= a_size && !stop_asked(b_size); i++) {
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
       "How many characters must change; -1 when more than the third argument.", "levenshtein('kitten', 'sitting')",
       "3", .flags = FN_FAILS)
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
        column_values(out, int32_t)[i] = call->arg_count == 3 && distance > INT_AT(2, i) ? -1 : distance;
        call_free(call, buffer);
    }
}

static void put_soundex(struct writer *writer, struct bytes text)
{
    static const char codes[] = "01230127022455012623017202"; // A to Z; 7: H and W do not part equal codes
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
SCALAR(fn_soundex, "soundex", "(string) -> string", "How an English name sounds: a letter and three digits.",
       "soundex('Miller')", "M460")
{
    struct writer writer;
    writer_open(&writer, call, out, call->rows * 4);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_soundex(&writer, arg_bytes(&args[0], i));
    }
    writer_close(&writer);
}

const struct function *const format_text_functions[] = {
    &fn_format_number, &fn_format_string, &fn_levenshtein, &fn_soundex, NULL,
};
