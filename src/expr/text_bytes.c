/* text_bytes.c - texts to bytes by a named format, whether bytes are UTF-8, and texts in quotes. */
#include <ctype.h>
#include <strings.h>

#include "expr/coerce.h"
#include "expr/loop.h"
#include "expr/writer.h"

/* ---- to_binary ---- */

enum text_format { FORMAT_HEX, FORMAT_UTF8, FORMAT_BASE64 };

static int hex_digit(uint8_t c) { return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1; }

/* An odd first digit is a byte of its own. */
static bool hex_bytes(struct bytes text, uint8_t *out, size_t *size)
{
    size_t odd = text.size % 2;
    *size = text.size / 2 + odd;
    for (size_t i = 0; i < text.size; i++) {
        int digit = hex_digit(text.data[i]);
        if (digit < 0)
            return false;
        uint8_t *to = &out[(i + odd) / 2];
        *to = (uint8_t)((i + odd) % 2 == 0 || i == 0 ? digit : *to << 4 | digit);
    }
    return true;
}

static int base64_digit(uint8_t c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : isdigit(c)           ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

/* Strict, but for blanks: whole groups of four, behind the padding not even a blank. */
static bool base64_bytes(struct bytes text, uint8_t *out, size_t *size)
{
    uint32_t bits = 0;
    int32_t digits = 0, padding = 0;
    *size = 0;
    for (size_t i = 0; i < text.size; i++) {
        int digit = base64_digit(text.data[i]);
        if (isspace(text.data[i]) && padding == 0)
            continue;
        if (text.data[i] == '=') {
            padding++;
            continue;
        }
        if (digit < 0 || padding > 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        if (++digits % 4 == 0) {
            out[(*size)++] = (uint8_t)(bits >> 16);
            out[(*size)++] = (uint8_t)(bits >> 8);
            out[(*size)++] = (uint8_t)bits;
        }
    }
    int32_t rest = digits % 4;
    if (rest == 1 || (padding > 0 && rest + padding != 4) || (rest == 0 && padding > 0))
        return false;
    if (rest == 2)
        out[(*size)++] = (uint8_t)(bits >> 4);
    if (rest == 3) {
        out[(*size)++] = (uint8_t)(bits >> 10);
        out[(*size)++] = (uint8_t)(bits >> 2);
    }
    return true;
}

static enum code bind_to_binary(struct binding *binding, struct error *err)
{
    static const char *const names[] = {"hex", "utf-8", "utf8", "base64"};
    static const enum text_format formats[] = {FORMAT_HEX, FORMAT_UTF8, FORMAT_UTF8, FORMAT_BASE64};
    const struct expr *name;
    enum text_format *format = arena_new(binding->ctx->arena, enum text_format);
    binding->bound = format;
    if (binding->count < 2)
        return E_OK;
    if (!expr_is_foldable(binding->args[1]))
        return fail(err, E_SQL, "[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] the format of to_binary must be constant");
    TRY(binding_constant(binding, 1, &name, err));
    if (literal_is_null(name))
        return E_OK;
    struct bytes text = literal_bytes(name);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (text.size == strlen(names[i]) && strncasecmp(names[i], (const char *)text.data, text.size) == 0) {
            *format = formats[i];
            return E_OK;
        }
    if ((binding->function->flags & FN_TRY) != 0) {
        binding->rewritten = expr_null(binding->ctx, type_of(TYPE_BINARY), binding->at);
        return E_OK;
    }
    return fail(err, E_SQL,
                "[DATATYPE_MISMATCH.INVALID_ARG_VALUE] the format of to_binary is 'hex', 'utf-8', 'utf8' or 'base64'");
}

static void put_binary(struct writer *writer, struct bytes text, enum text_format format)
{
    size_t size = text.size;
    uint8_t *to = writer_room(writer, text.size + 4);
    if (to == NULL)
        return;
    bool fits =
        format == FORMAT_HEX ? hex_bytes(text, to, &size) : format != FORMAT_BASE64 || base64_bytes(text, to, &size);
    if (format == FORMAT_UTF8 && size > 0)
        memcpy(to, text.data, size);
    if (fits) {
        writer_end(writer, size);
        return;
    }
    call_reject(writer->call, writer->row, REJECT_CONVERSION);
    writer_skip(writer);
}

SCALAR(fn_to_binary, "to_binary", "(string, string?) -> binary",
       "The bytes that a text of 'hex' (default), 'base64' or 'utf-8' stands for.",
       "cast(to_binary('537061726B') AS STRING)", "Spark", .bind = bind_to_binary, .flags = FN_FAILS | FN_NULLABLE)
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;)
        put_binary(&writer, arg_bytes(&args[0], i), *(const enum text_format *)call->bound);
    writer_close(&writer);
}
SCALAR_SAME(fn_try_to_binary, "try_to_binary", "(string, string?) -> binary",
            "The bytes that a text stands for; NULL for a text that is none.", "try_to_binary('a!', 'base64')", "NULL",
            .run = fn_to_binary_run, .bind = bind_to_binary, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

/* ---- UTF-8 ---- */

/* Bytes of the well-formed character at the start; 0 and in *bad how many bytes make one wrong one. */
static size_t character_size(struct bytes text, size_t at, size_t *bad)
{
    uint8_t first = text.data[at];
    size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    *bad = 1;
    for (size_t i = 1; i < size; i++) {
        uint8_t low = 0x80, high = 0xbf;
        if (i == 1) {
            low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : low;
            high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : high;
        }
        if (at + i >= text.size || text.data[at + i] < low || text.data[at + i] > high) {
            *bad = i;
            return 0;
        }
    }
    return size;
}

static bool is_utf8(struct bytes text)
{
    size_t bad;
    for (size_t at = 0, size; at < text.size; at += size)
        if ((size = character_size(text, at, &bad)) == 0)
            return false;
    return true;
}

SCALAR(fn_is_valid_utf8, "is_valid_utf8", "(string) -> boolean", "Whether the bytes are UTF-8.",
       "is_valid_utf8(cast(x'80' AS STRING))", "false")
{
    for (int64_t i = 0; i < call->rows; i++)
        bit_put(out->values->data, i, is_utf8(arg_bytes(&args[0], i)));
}

SCALAR(fn_make_valid_utf8, "make_valid_utf8", "(string) -> string", "Bytes that are no UTF-8 replaced by U+FFFD.",
       "hex(make_valid_utf8(cast(x'6180' AS STRING)))", "61EFBFBD")
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes text = arg_bytes(&args[0], i);
        uint8_t *to = writer_room(&writer, 3 * text.size);
        size_t written = 0;
        for (size_t at = 0, size, bad; to != NULL && at<text.size; at += size> 0 ? size : bad) {
            size = character_size(text, at, &bad);
            memcpy(to + written, size > 0 ? (const void *)(text.data + at) : "\xef\xbf\xbd", size > 0 ? size : 3);
            written += size > 0 ? size : 3;
        }
        if (to != NULL)
            writer_end(&writer, written);
    }
    writer_close(&writer);
}

SCALAR(fn_validate_utf8, "validate_utf8", "(string) -> string", "The text; an error when it is no UTF-8.",
       "validate_utf8('Spark')", "Spark", .flags = FN_FAILS)
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes text = arg_bytes(&args[0], i);
        if (is_utf8(text)) {
            writer_put(&writer, text);
            continue;
        }
        call_reject(call, i, REJECT_UTF8);
        writer_skip(&writer);
    }
    writer_close(&writer);
}
SCALAR_SAME(fn_try_validate_utf8, "try_validate_utf8", "(string) -> string", "The text; NULL when it is no UTF-8.",
            "try_validate_utf8(cast(x'80' AS STRING))", "NULL", .run = fn_validate_utf8_run,
            .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

/* ---- quote ---- */

SCALAR(fn_quote, "quote", "(string) -> string", "The text in single quotes, those within it behind a backslash.",
       "quote('Don\\'t')", "'Don\\'t'")
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes text = arg_bytes(&args[0], i);
        uint8_t *to = writer_room(&writer, 2 * text.size + 2);
        size_t written = 0;
        if (to == NULL)
            continue;
        to[written++] = '\'';
        for (size_t at = 0; at < text.size; at++) {
            if (text.data[at] == '\'')
                to[written++] = '\\';
            to[written++] = text.data[at];
        }
        to[written++] = '\'';
        writer_end(&writer, written);
    }
    writer_close(&writer);
}

const struct function *const text_bytes_functions[] = {
    &fn_to_binary,     &fn_try_to_binary,     &fn_is_valid_utf8, &fn_make_valid_utf8,
    &fn_validate_utf8, &fn_try_validate_utf8, &fn_quote,         NULL};
