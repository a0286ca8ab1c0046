/* text.c - text in other forms: case, hexadecimal, base64, numbers in any base, URLs, encodings. */
#include <stdio.h>

#include "base/os.h"
#include "expr/coerce.h"
#include "expr/letter_case.h"
#include "expr/loop.h"
#include "expr/utf8.h"
#include "expr/writer.h"

#define INT_AT(k, i) (arg_values(&args[k], int32_t)[args[k].step * (i)])

/* ---- case ---- */

static uint8_t ascii_in_case(uint8_t c, bool upper)
{
    return (uint8_t)(c ^ (((uint8_t)(c - (upper ? 'a' : 'A')) < 26) << 5));
}

enum letters { LETTERS_LOWER, LETTERS_UPPER, LETTERS_WORDS /* a capital in front of each */ };

static void put_letters(struct writer *writer, struct bytes text, enum letters letters)
{
    size_t written = 0;
    bool start = true;
    uint8_t *to = writer_room(writer, text.size * 3); // no letter grows more: two bytes become six (U+0390)
    if (to == NULL)
        return;
    for (size_t at = 0, size; at < text.size; at += size) {
        uint8_t first = text.data[at];
        bool capital = letters == LETTERS_UPPER || (letters == LETTERS_WORDS && start);
        uint32_t code = first < 0x80 ? first : utf8_decode(text, at, &size);
        if (first < 0x80) {
            to[written++] = ascii_in_case(first, capital);
            size = 1;
        } else if (code == 0xfffd) {
            memcpy(to + written, text.data + at, size);
            written += size;
        } else if (!capital) {
            written += letter_lower(text, at, to + written);
        } else {
            written += letters == LETTERS_UPPER ? letter_upper(code, to + written) : letter_title(code, to + written);
        }
        start = first == ' ';
    }
    writer_end(writer, written);
}

static void letters_of_text(struct call *call, const struct arg *args, struct column *out, enum letters letters)
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;)
        put_letters(&writer, arg_bytes(&args[0], i), letters);
    writer_close(&writer);
}

/* All bytes of the column at once when it is ASCII: no row is looked at. */
static bool ascii_case(struct call *call, const struct column *from, struct column *out, bool upper)
{
    size_t size = (size_t)column_offsets(from)[call->rows];
    const uint8_t *restrict data = from->values->data;
    if (!utf8_is_ascii(bytes_of(data, size)))
        return false;
    out->offsets = buffer_retain(from->offsets);
    out->values = call_buffer(call, size > 64 ? size : 64);
    uint8_t *restrict to = out->values->data;
    for (size_t at = 0; at < size; at++)
        to[at] = ascii_in_case(data[at], upper);
    out->values->size = size;
    return true;
}

static void case_of_text(struct call *call, const struct arg *args, struct column *out, bool upper)
{
    if (!ascii_case(call, args[0].col, out, upper))
        letters_of_text(call, args, out, upper ? LETTERS_UPPER : LETTERS_LOWER);
}

SCALAR(fn_upper, "upper ucase", "(string) -> string", "In capital letters.", "upper('Spark')", "SPARK")
{
    case_of_text(call, args, out, true);
}
SCALAR(fn_lower, "lower lcase", "(string) -> string", "In small letters.", "lower('Spark')", "spark")
{
    case_of_text(call, args, out, false);
}

SCALAR(fn_initcap, "initcap", "(string) -> string", "Each word with a capital in front; words end at blanks.",
       "initcap('sPark sql')", "Spark Sql")
{
    letters_of_text(call, args, out, LETTERS_WORDS);
}

SCALAR(fn_chr, "chr char", "(bigint) -> string", "The character of that code, modulo 256; empty when negative.",
       "chr(65)", "A")
{
    struct writer writer;
    writer_open(&writer, call, out, call->rows * 2);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        int64_t code = arg_values(&args[0], int64_t)[i];
        uint8_t bytes[4];
        writer_put(&writer, bytes_of(bytes, code < 0 ? 0 : utf8_encode((uint32_t)(code & 255), bytes)));
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
SCALAR(fn_hex, "hex", "(string) -> string | (binary) -> string", "The bytes in hexadecimal.", "hex('Spark')",
       "537061726B")
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
        uint32_t three = (uint32_t)bytes.data[at] << 16 | (left > 1 ? (uint32_t)bytes.data[at + 1] << 8 : 0) |
                         (left > 2 ? bytes.data[at + 2] : 0);
        to[0] = (uint8_t)BASE64[three >> 18];
        to[1] = (uint8_t)BASE64[three >> 12 & 63];
        to[2] = left > 1 ? (uint8_t)BASE64[three >> 6 & 63] : '=';
        to[3] = left > 2 ? (uint8_t)BASE64[three & 63] : '=';
    }
    writer_end(writer, size);
}
SCALAR(fn_base64, "base64", "(binary) -> string", "The bytes in base64.", "base64('Spark SQL')", "U3BhcmsgU1FM")
{
    struct writer writer;
    writer_open(&writer, call, out, 2 * arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_base64(&writer, arg_bytes(&args[0], i));
    }
    writer_close(&writer);
}

/* The padding belongs behind two or three characters of four, all of it, and no others follow. */
static bool is_padding(struct bytes text, int characters)
{
    if (text.size == 0)
        return characters != 1;
    size_t signs = characters == 2 ? 2 : 1;
    bool ends = characters >= 2 && text.size >= signs && text.data[signs - 1] == '=';
    for (size_t at = signs; at < text.size && ends; at++)
        ends = text.data[at] == 0 || strchr(BASE64, text.data[at]) == NULL;
    return ends;
}

/* As Java's MIME decoder: characters outside the alphabet are skipped, the padding ends it. False: it is not whole. */
static bool put_unbase64(struct writer *writer, struct bytes text)
{
    uint8_t *to = writer_room(writer, text.size / 4 * 3 + 3);
    uint32_t bits = 0, have = 0;
    size_t size = 0, at = 0;
    int characters = 0;
    if (to == NULL)
        return true;
    for (; at < text.size && text.data[at] != '='; at++) {
        const char *found = text.data[at] == 0 ? NULL : strchr(BASE64, text.data[at]);
        if (found == NULL)
            continue;
        bits = bits << 6 | (uint32_t)(found - BASE64);
        have += 6;
        characters = (characters + 1) % 4;
        if (have >= 8) {
            have -= 8;
            to[size++] = (uint8_t)(bits >> have);
        }
    }
    bool whole = is_padding(bytes_of(text.data + at, text.size - at), characters);
    writer_end(writer, whole ? size : 0);
    return whole;
}
SCALAR(fn_unbase64, "unbase64", "(string) -> binary", "Bytes from base64.", "cast(unbase64('U3BhcmsgU1FM') AS STRING)",
       "Spark SQL", .flags = FN_FAILS)
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        if (!put_unbase64(&writer, arg_bytes(&args[0], i)))
            call_reject(call, i, REJECT_CONVERSION);
    }
    writer_close(&writer);
}

/* ---- conv: Hive's, 64 bits, unsigned unless the target base is negative ---- */

static bool conv_parse(struct bytes text, int base, bool *negative, bool *overflow, uint64_t *out)
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
            *overflow = true;
            break;
        }
    *out = value;
    return true;
}

static void put_conv(struct writer *writer, struct bytes text, int from, int to)
{
    bool negative, overflow = false;
    uint64_t value;
    char buffer[66];
    int base = to < -36 ? 0 : to < 0 ? -to : to;
    if (from < 2 || from > 36 || base < 2 || base > 36 || !conv_parse(text, from, &negative, &overflow, &value)) {
        writer_null(writer);
        return;
    }
    if (overflow && writer->call->session->ansi) {
        call_reject(writer->call, writer->row, REJECT_ARITHMETIC_OVERFLOW);
        writer_skip(writer);
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
SCALAR(fn_conv, "conv", "(string, int, int) -> string", "A number from one base to another.", "conv('100', 2, 10)", "4",
       .flags = FN_NULLABLE | FN_FAILS)
{
    struct writer writer;
    writer_open(&writer, call, out, call->rows * 16);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_conv(&writer, arg_bytes(&args[0], i), INT_AT(1, i), INT_AT(2, i));
    }
    writer_close(&writer);
}

/* ---- identities ---- */

SCALAR(fn_uuid, "uuid", "() -> string", "A random UUID for every row.", NULL, NULL, .flags = FN_PER_ROW | FN_NEVER_NULL)
{
    struct writer writer;
    char text[40];
    writer_open(&writer, call, out, call->rows * 36);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        uint64_t a = os_random();
        uint64_t b = os_random();
        int size = snprintf(text, sizeof text, "%08x-%04x-4%03x-%04x-%012" PRIx64, (unsigned)(a >> 32),
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
    &fn_upper,  &fn_lower,    &fn_initcap, &fn_chr,  &fn_hex_number, &fn_hex,    &fn_unhex,
    &fn_base64, &fn_unbase64, &fn_bin,     &fn_conv, &fn_uuid,       &fn_typeof, NULL,
};
