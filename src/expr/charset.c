/* charset.c - encode and decode: texts to the bytes of a charset and back, as Java's coders do it that report what they cannot map.
 *
 * Charsets   US-ASCII, ISO-8859-1, UTF-8, UTF-16BE, UTF-16LE, UTF-16 and UTF-32, in any case; windows-1252 when asked for
 * Marks      UTF-16 is written big-endian behind FE FF; UTF-16 and UTF-32 are read by their mark, without one big-endian
 */
#include <strings.h>

#include "expr/loop.h"
#include "expr/utf8.h"
#include "expr/writer.h"

enum charset {
    CHARSET_NONE,
    CHARSET_ASCII,
    CHARSET_LATIN1,
    CHARSET_WINDOWS,
    CHARSET_UTF8,
    CHARSET_UTF16BE,
    CHARSET_UTF16LE,
    CHARSET_UTF16,
    CHARSET_UTF32
};
enum { ENCODED_MAX = 4, UTF8_MAX = 4, MARK_BYTES = 2, CODE_MAX = 0x10ffff };

static enum charset charset_find(struct bytes name, bool java)
{
    static const struct {
        const char *name;
        enum charset charset;
    } names[] = {{"us-ascii", CHARSET_ASCII},   {"iso-8859-1", CHARSET_LATIN1},   {"utf-8", CHARSET_UTF8},
                 {"utf-16be", CHARSET_UTF16BE}, {"utf-16le", CHARSET_UTF16LE},    {"utf-16", CHARSET_UTF16},
                 {"utf-32", CHARSET_UTF32},     {"windows-1252", CHARSET_WINDOWS}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (name.size == strlen(names[i].name) && strncasecmp((const char *)name.data, names[i].name, name.size) == 0)
            return names[i].charset == CHARSET_WINDOWS && !java ? CHARSET_NONE : names[i].charset;
    return CHARSET_NONE;
}

enum { WINDOWS_FIRST = 0x80, WINDOWS_COUNT = 32, MISSING_CODE = 0xfffd };

/* What windows-1252 has where ISO-8859-1 has control characters; 0: nothing. */
static const uint16_t windows_codes[WINDOWS_COUNT] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

/* ---- to bytes ---- */

static size_t put_unit(uint8_t *to, uint32_t unit, bool little)
{
    to[little ? 1 : 0] = (uint8_t)(unit >> 8);
    to[little ? 0 : 1] = (uint8_t)unit;
    return 2;
}

static size_t put_windows(uint8_t *to, uint32_t code)
{
    *to = (uint8_t)code;
    if (code < WINDOWS_FIRST || (code >= WINDOWS_FIRST + WINDOWS_COUNT && code < 0x100))
        return 1;
    for (uint32_t i = 0; i < WINDOWS_COUNT; i++) {
        if (windows_codes[i] != code)
            continue;
        *to = (uint8_t)(WINDOWS_FIRST + i);
        return 1;
    }
    return 0;
}

/* The bytes of one character; 0 when the charset has none for it. */
static size_t put_code(uint8_t *to, uint32_t code, enum charset charset)
{
    bool little = charset == CHARSET_UTF16LE;
    switch (charset) {
    case CHARSET_ASCII:
    case CHARSET_LATIN1: *to = (uint8_t)code; return code < (charset == CHARSET_ASCII ? 0x80 : 0x100);
    case CHARSET_WINDOWS: return put_windows(to, code);
    case CHARSET_UTF32: put_unit(to, code >> 16, false); return 2 + put_unit(to + 2, code & 0xffff, false);
    default: break;
    }
    if (code < 0x10000)
        return put_unit(to, code, little);
    code -= 0x10000;
    put_unit(to, 0xd800 | code >> 10, little);
    return 2 + put_unit(to + 2, 0xdc00 | (code & 0x3ff), little);
}

/* Bytes written, or -1 for a character that the charset lacks, unless a ? stands for it. */
static int64_t encode_text(struct bytes text, enum charset charset, bool replace, uint8_t *to)
{
    size_t used = charset == CHARSET_UTF16 && text.size > 0 ? put_unit(to, 0xfeff, false) : 0;
    for (size_t at = 0, size; at < text.size; at += size) {
        size_t put = put_code(to + used, utf8_decode(text, at, &size), charset);
        if (put == 0 && !replace)
            return -1;
        if (put == 0)
            to[used] = '?', put = 1;
        used += put;
    }
    return (int64_t)used;
}

/* ---- to text ---- */

static uint32_t unit_at(struct bytes bytes, size_t at, bool little)
{
    return little ? bytes.data[at] | (uint32_t)bytes.data[at + 1] << 8
                  : (uint32_t)bytes.data[at] << 8 | bytes.data[at + 1];
}

/* The character at `at`; its size, or 0 when there is none. */
static size_t take_utf16(struct bytes bytes, size_t at, bool little, uint32_t *code)
{
    if (bytes.size - at < 2)
        return 0;
    *code = unit_at(bytes, at, little);
    if (*code < 0xd800 || *code > 0xdfff)
        return 2;
    if (*code > 0xdbff || bytes.size - at < 4)
        return 0;
    uint32_t low = unit_at(bytes, at + 2, little);
    *code = 0x10000 + ((*code & 0x3ff) << 10 | (low & 0x3ff));
    return low >= 0xdc00 && low <= 0xdfff ? 4 : 0;
}

static size_t take_utf32(struct bytes bytes, size_t at, bool little, uint32_t *code)
{
    if (bytes.size - at < 4)
        return 0;
    uint32_t first = unit_at(bytes, at, little), second = unit_at(bytes, at + 2, little);
    *code = little ? second << 16 | first : first << 16 | second;
    return *code > CODE_MAX || (*code >= 0xd800 && *code <= 0xdfff) ? 0 : 4;
}

static size_t take_code(struct bytes bytes, size_t at, enum charset charset, bool little, uint32_t *code)
{
    size_t size;
    uint8_t byte = bytes.data[at];
    switch (charset) {
    case CHARSET_WINDOWS:
        *code =
            byte - WINDOWS_FIRST < WINDOWS_COUNT && byte >= WINDOWS_FIRST ? windows_codes[byte - WINDOWS_FIRST] : byte;
        return *code != 0 || byte == 0;
    case CHARSET_ASCII:
    case CHARSET_LATIN1: *code = byte; return *code < 0x80 || charset == CHARSET_LATIN1;
    case CHARSET_UTF8:
        *code = utf8_decode(bytes, at, &size);
        return *code != 0xfffd || (size == 3 && bytes.data[at] == 0xef) ? size : 0;
    case CHARSET_UTF32: return take_utf32(bytes, at, little, code);
    default: return take_utf16(bytes, at, little, code);
    }
}

/* Bytes of UTF-8 written, or -1 for bytes that are no text of the charset, unless U+FFFD stands for each. */
static int64_t decode_bytes(struct bytes bytes, enum charset charset, bool replace, uint8_t *to)
{
    bool little = charset == CHARSET_UTF16LE;
    size_t at = 0, used = 0, size;
    if (charset == CHARSET_UTF16 && bytes.size >= MARK_BYTES) {
        uint32_t mark = unit_at(bytes, 0, false);
        little = mark == 0xfffe;
        at = mark == 0xfffe || mark == 0xfeff ? MARK_BYTES : 0;
    } else if (charset == CHARSET_UTF32 && bytes.size >= 4) {
        uint32_t high = unit_at(bytes, 0, false), low = unit_at(bytes, 2, false);
        little = high == 0xfffe && low == 0;
        at = little || (high == 0 && low == 0xfeff) ? 4 : 0;
    }
    for (; at < bytes.size; at += size) {
        uint32_t code;
        size = take_code(bytes, at, charset, little, &code);
        if (size == 0 && !replace)
            return -1;
        if (size == 0) {
            code = MISSING_CODE;
            size = charset == CHARSET_UTF32 ? 4 : charset >= CHARSET_UTF16BE ? 2 : 1;
            size = size < bytes.size - at ? size : bytes.size - at;
        }
        used += utf8_encode(code, to + used);
    }
    return (int64_t)used;
}

/* ---- the functions ---- */

typedef int64_t (*coder)(struct bytes bytes, enum charset charset, bool replace, uint8_t *to);

static void code_rows(struct call *call, const struct arg *args, struct column *out, coder code)
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes bytes = arg_bytes(&args[0], i);
        enum charset charset = charset_find(arg_bytes(&args[1], i), call->session->java_charsets);
        uint8_t *to = writer_room(&writer, bytes.size * ENCODED_MAX + MARK_BYTES);
        if (to == NULL)
            continue;
        int64_t used = charset == CHARSET_NONE ? -1 : code(bytes, charset, call->session->coding_replaces, to);
        if (used < 0)
            call_reject(call, i, charset == CHARSET_NONE ? REJECT_CHARSET : REJECT_CODING);
        writer_end(&writer, used < 0 ? 0 : (size_t)used);
    }
    writer_close(&writer);
}

static int64_t encode_one(struct bytes text, enum charset charset, bool replace, uint8_t *to)
{
    if (charset != CHARSET_UTF8)
        return encode_text(text, charset, replace, to);
    if (text.size > 0)
        memcpy(to, text.data, text.size);
    return (int64_t)text.size;
}

SCALAR(fn_encode, "encode", "(string, string) -> binary", "The text's bytes in a charset.",
       "hex(encode('aß', 'UTF-16LE'))", "6100DF00", .flags = FN_FAILS | FN_NULLABLE)
{
    code_rows(call, args, out, encode_one);
}

SCALAR(fn_decode, "decode", "(binary, string) -> string", "Bytes of a charset as a text.",
       "decode(X'61DF', 'ISO-8859-1')", "aß", .flags = FN_FAILS | FN_NULLABLE)
{
    code_rows(call, args, out, decode_bytes);
}

const struct function *const charset_functions[] = {&fn_encode, &fn_decode, NULL};
