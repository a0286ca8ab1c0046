/* string.c - the common functions of text: lengths, cutting, trimming, searching, padding. Positions count characters
 * from 1; text that is all ASCII skips the decoding. Joining and splitting are in string_parts.c. */
#include "expr/loop.h"
#include "expr/utf8.h"
#include "expr/writer.h"

#define INT_AT(k, i) (arg_values(&args[k], int32_t)[args[k].step * (i)])

/* ---- lengths ---- */

SCALAR(fn_length, "length char_length character_length len", "(text) -> int",
       "Characters of a text, bytes of a BINARY.", "length('Spark')", "5")
{
    bool binary = args[0].col->type->id == TYPE_BINARY;
    const int32_t *offsets = column_offsets(args[0].col);
    int32_t *r = column_values(out, int32_t);
    for (int64_t i = 0; i < call->rows; i++)
        r[i] = offsets[i + 1] - offsets[i];
    if (binary || utf8_is_ascii(bytes_of(args[0].col->values->data, (size_t)offsets[call->rows])))
        return;
    for (int64_t i = 0; i < call->rows; i++)
        r[i] = (int32_t)utf8_count(arg_bytes(&args[0], i));
}

SCALAR(fn_octet_length, "octet_length", "(text) -> int", "Bytes.", "octet_length('Spark')", "5")
{
    for (int64_t i = 0; i < call->rows; i++)
        column_values(out, int32_t)[i] = (int32_t)arg_bytes(&args[0], i).size;
}

SCALAR(fn_bit_length, "bit_length", "(text) -> int", "Bits.", "bit_length('Spark')", "40")
{
    for (int64_t i = 0; i < call->rows; i++)
        column_values(out, int32_t)[i] = (int32_t)(arg_bytes(&args[0], i).size * 8);
}

SCALAR(fn_ascii, "ascii", "(string) -> int", "Code point of the first character; 0 for an empty text.", "ascii('A')",
       "65")
{
    size_t size;
    for (int64_t i = 0; i < call->rows; i++) {
        struct bytes text = arg_bytes(&args[0], i);
        column_values(out, int32_t)[i] = text.size == 0 ? 0 : (int32_t)utf8_decode(text, 0, &size);
    }
}

/* ---- cutting ---- */

/* Characters [from, to) of the text (bytes when binary), both clamped. */
static struct bytes text_slice(struct bytes text, int64_t from, int64_t to, bool binary)
{
    if (from < 0)
        from = 0;
    if (to <= from)
        return bytes_of(text.data, 0);
    if (binary || utf8_is_ascii(text)) {
        size_t start = (uint64_t)from < text.size ? (size_t)from : text.size;
        size_t end = (uint64_t)to < text.size ? (size_t)to : text.size;
        return bytes_of(text.data + start, end - start);
    }
    size_t start = utf8_skip(text, from);
    struct bytes rest = bytes_of(text.data + start, text.size - start);
    return bytes_of(rest.data, utf8_skip(rest, to - from));
}

static int64_t text_length(struct bytes text, bool binary) { return binary ? (int64_t)text.size : utf8_count(text); }

/* A negative position counts from the end; the length counts from there even if that is before the text. */
static struct bytes substring_of(struct bytes text, int64_t position, int64_t length, bool binary)
{
    int64_t from = position > 0 ? position - 1 : position < 0 ? text_length(text, binary) + position : 0;
    return text_slice(text, from, length > INT64_MAX / 2 ? INT64_MAX : from + length, binary);
}

#define TEXT_TO_TEXT "(string, int) -> string | (binary, int) -> binary"

SCALAR(fn_substring, "substring substr", "(string, int, int?) -> string | (binary, int, int?) -> binary",
       "From a position on, at most so many characters; negative positions count from the end.",
       "substring('Spark SQL', 5, 1)", "k")
{
    struct writer writer;
    bool binary = out->type->id == TYPE_BINARY, bounded = call->arg_count == 3;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        writer_put(&writer,
                   substring_of(arg_bytes(&args[0], i), INT_AT(1, i), bounded ? INT_AT(2, i) : INT64_MAX, binary));
    }
    writer_close(&writer);
}

SCALAR(fn_left, "left", TEXT_TO_TEXT, "The first characters.", "left('Spark SQL', 3)", "Spa")
{
    struct writer writer;
    bool binary = out->type->id == TYPE_BINARY;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        writer_put(&writer, text_slice(arg_bytes(&args[0], i), 0, INT_AT(1, i), binary));
    }
    writer_close(&writer);
}

SCALAR(fn_right, "right", "(string, int) -> string", "The last characters.", "right('Spark SQL', 3)", "SQL")
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes text = arg_bytes(&args[0], i);
        int64_t length = text_length(text, false);
        writer_put(&writer, text_slice(text, length - INT_AT(1, i), INT_AT(1, i) > 0 ? length : 0, false));
    }
    writer_close(&writer);
}

/* ---- trimming ---- */

enum { TRIM_LEFT = 1, TRIM_RIGHT = 2, TRIM_BOTH = 3 };

static bool has_char(struct bytes set, const uint8_t *data, size_t size)
{
    for (size_t at = 0, step; at < set.size; at += step) {
        step = utf8_size(set.data[at], set.size - at);
        if (step == size && memcmp(set.data + at, data, size) == 0)
            return true;
    }
    return false;
}

static struct bytes trim_set(struct bytes text, struct bytes set, unsigned sides)
{
    while ((sides & TRIM_LEFT) != 0 && text.size > 0) {
        size_t size = utf8_size(text.data[0], text.size);
        if (!has_char(set, text.data, size))
            break;
        text.data += size;
        text.size -= size;
    }
    while ((sides & TRIM_RIGHT) != 0 && text.size > 0) {
        size_t start = text.size - 1;
        while (start > 0 && (text.data[start] & 0xc0) == 0x80)
            start--;
        if (!has_char(set, text.data + start, text.size - start))
            break;
        text.size = start;
    }
    return text;
}

/* Of two arguments, which is the text: Spark's trim(chars, text) but btrim(text, chars). */
static void trim_run(struct call *call, const struct arg *args, struct column *out, int text_at, unsigned sides)
{
    struct writer writer;
    bool given = call->arg_count == 2;
    const struct arg *texts = &args[given ? text_at : 0], *sets = &args[given ? 1 - text_at : 0];
    writer_open(&writer, call, out, arg_bytes_total(call, texts));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes set = given ? arg_bytes(sets, i) : bytes_of(" ", 1);
        writer_put(&writer, trim_set(arg_bytes(texts, i), set, sides));
    }
    writer_close(&writer);
}

SCALAR(fn_trim, "trim", "(string, string?) -> string",
       "Without blanks at both ends; with two arguments the characters of the first are cut off the second.",
       "trim('  Spark ')", "Spark")
{
    trim_run(call, args, out, 1, TRIM_BOTH);
}
SCALAR(fn_ltrim, "ltrim", "(string, string?) -> string", "Without blanks (or characters of the first) at the start.",
       "ltrim('  Spark')", "Spark")
{
    trim_run(call, args, out, 1, TRIM_LEFT);
}
SCALAR(fn_rtrim, "rtrim", "(string, string?) -> string", "Without blanks (or characters of the first) at the end.",
       "rtrim('Spark  ')", "Spark")
{
    trim_run(call, args, out, 1, TRIM_RIGHT);
}
SCALAR(fn_btrim, "btrim", "(string, string?) -> string", "Without blanks (or characters of the second) at both ends.",
       "btrim('xSparkx', 'x')", "Spark")
{
    trim_run(call, args, out, 0, TRIM_BOTH);
}

/* ---- searching ---- */

#define FIND_TWO(id, name_, help_, example_, expected_, found)                                                 \
    SCALAR(id, name_, "(string, string) -> boolean | (binary, binary) -> boolean", help_, example_, expected_) \
    {                                                                                                          \
        for (int64_t i = 0; i < call->rows; i++) {                                                             \
            struct bytes text = arg_bytes(&args[0], i), what = arg_bytes(&args[1], i);                         \
            bit_put(out->values->data, i, found);                                                              \
        }                                                                                                      \
    }
static bool starts_with(struct bytes text, struct bytes what)
{
    return what.size <= text.size && (what.size == 0 || memcmp(text.data, what.data, what.size) == 0);
}
static bool ends_with(struct bytes text, struct bytes what)
{
    return what.size <= text.size && starts_with(bytes_of(text.data + (text.size - what.size), what.size), what);
}
FIND_TWO(fn_starts_with, "startswith", "Whether the first text begins with the second.", "startswith('Spark', 'Sp')",
         "true", starts_with(text, what))
FIND_TWO(fn_ends_with, "endswith", "Whether the first text ends with the second.", "endswith('Spark', 'rk')", "true",
         ends_with(text, what))
FIND_TWO(fn_contains, "contains", "Whether the second text is in the first.", "contains('Spark', 'par')", "true",
         find_bytes(text, what, 0) >= 0)

static int32_t char_position(struct bytes text, int64_t byte_position)
{
    return byte_position < 0 ? 0 : (int32_t)utf8_count(bytes_of(text.data, (size_t)byte_position)) + 1;
}

SCALAR(fn_instr, "instr", "(string, string) -> int", "Where the second text is in the first; 0 when it is not.",
       "instr('SparkSQL', 'SQL')", "6")
{
    for (int64_t i = 0; i < call->rows; i++) {
        struct bytes text = arg_bytes(&args[0], i);
        column_values(out, int32_t)[i] = char_position(text, find_bytes(text, arg_bytes(&args[1], i), 0));
    }
}

SCALAR(fn_locate, "locate position", "(string, string, int?) -> int",
       "Where the first text is in the second, looking from a position on; 0 when it is not.",
       "locate('bar', 'foobarbar', 5)", "7", .flags = FN_NULLS)
{
    for (int64_t i = 0; i < call->rows; i++) {
        if (call->arg_count == 3 && !arg_valid(&args[2], i)) { // no position: found nowhere, not even in NULL
            column_values(out, int32_t)[i] = 0;
            continue;
        }
        if (!arg_valid(&args[0], i) || !arg_valid(&args[1], i)) {
            call_null(call, i);
            continue;
        }
        struct bytes what = arg_bytes(&args[0], i), text = arg_bytes(&args[1], i);
        int32_t from = call->arg_count == 3 ? INT_AT(2, i) : 1;
        int32_t found = 0;
        if (from > 0 && what.size == 0)
            found = 1;
        else if (from > 0)
            found = char_position(text, find_bytes(text, what, utf8_skip(text, from - 1)));
        column_values(out, int32_t)[i] = found;
    }
}

/* ---- padding and repeating ---- */

static void put_repeated(uint8_t *to, struct bytes text, size_t size)
{
    for (size_t at = 0; at < size; at += text.size)
        memcpy(to + at, text.data, text.size < size - at ? text.size : size - at);
}

/* Bytes of `count` characters of the endlessly repeated pad. */
static size_t pad_bytes(struct bytes pad, int64_t count, bool binary)
{
    int64_t length = text_length(pad, binary);
    return pad.size * (size_t)(count / length) + (binary ? (size_t)(count % length) : utf8_skip(pad, count % length));
}

static void put_padded(struct writer *writer, struct bytes text, int64_t length, struct bytes pad, bool left,
                       bool binary)
{
    int64_t missing = length - text_length(text, binary);
    if (missing <= 0 || pad.size == 0) {
        writer_put(writer, text_slice(text, 0, length, binary));
        return;
    }
    size_t size = pad_bytes(pad, missing, binary);
    uint8_t *to = writer_room(writer, size + text.size);
    if (to == NULL)
        return;
    put_repeated(left ? to : to + text.size, pad, size);
    if (text.size > 0)
        memcpy(left ? to + size : to, text.data, text.size);
    writer_end(writer, size + text.size);
}

static void pad_run(struct call *call, const struct arg *args, struct column *out, bool left)
{
    struct writer writer;
    bool binary = out->type->id == TYPE_BINARY;
    struct bytes blank = binary ? bytes_of("\0", 1) : bytes_of(" ", 1);
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_padded(&writer, arg_bytes(&args[0], i), INT_AT(1, i), call->arg_count == 3 ? arg_bytes(&args[2], i) : blank,
                   left, binary);
    }
    writer_close(&writer);
}

#define PAD "(string, int, string?) -> string | (binary, int, binary?) -> binary"
SCALAR(fn_lpad, "lpad", PAD, "Filled up in front, or cut, to a length.", "lpad('hi', 5, 'ab')", "abahi")
{
    pad_run(call, args, out, true);
}
SCALAR(fn_rpad, "rpad", PAD, "Filled up behind, or cut, to a length.", "rpad('hi', 5, 'ab')", "hiaba")
{
    pad_run(call, args, out, false);
}

static void put_times(struct writer *writer, struct bytes text, int64_t times)
{
    size_t size = times > 0 && text.size > 0 ? (size_t)times : 0;
    uint8_t *to = writer_room(writer, size > WRITER_ROW_MAX / (text.size + 1) ? SIZE_MAX / 4 : size * text.size);
    if (to == NULL)
        return;
    put_repeated(to, text, size * text.size);
    writer_end(writer, size * text.size);
}

SCALAR(fn_repeat, "repeat", "(string, int) -> string", "The text so many times.", "repeat('ab', 2)", "abab")
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_times(&writer, arg_bytes(&args[0], i), INT_AT(1, i));
    }
    writer_close(&writer);
}

SCALAR(fn_space, "space", "(int) -> string", "So many blanks.", "concat('[', space(2), ']')", "[  ]")
{
    struct writer writer;
    writer_open(&writer, call, out, call->rows);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_times(&writer, bytes_of(" ", 1), INT_AT(0, i));
    }
    writer_close(&writer);
}

static void put_reversed(struct writer *writer, struct bytes text, bool binary)
{
    uint8_t *to = writer_room(writer, text.size);
    if (to == NULL)
        return;
    for (size_t at = 0, size; at < text.size; at += size) {
        size = binary ? 1 : utf8_size(text.data[at], text.size - at);
        memcpy(to + text.size - at - size, text.data + at, size);
    }
    writer_end(writer, text.size);
}

SCALAR(fn_reverse, "reverse", "(string) -> string | (binary) -> binary", "The characters, or bytes, backwards.",
       "reverse('Spark')", "krapS")
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_reversed(&writer, arg_bytes(&args[0], i), out->type->id == TYPE_BINARY);
    }
    writer_close(&writer);
}

SCALAR(fn_overlay, "overlay", "(string, string, int, int?) -> string",
       "The first text with the second put over it from a position on.", "overlay('Spark SQL', '_', 6)", "Spark_SQL")
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes text = arg_bytes(&args[0], i);
        struct bytes with = arg_bytes(&args[1], i);
        int64_t at = INT_AT(2, i);
        int32_t before = (int32_t)((uint32_t)at - 1); // an int in Java: nothing is less than the least
        int64_t size = call->arg_count == 4 && INT_AT(3, i) >= 0 ? INT_AT(3, i) : utf8_count(with);
        struct bytes head = substring_of(text, 1, before, false),
                     tail = substring_of(text, (int32_t)((uint32_t)at + (uint32_t)size), INT64_MAX, false);
        uint8_t *to = writer_room(&writer, head.size + with.size + tail.size);
        if (to == NULL)
            continue;
        memcpy(to, head.data, head.size);
        if (with.size > 0)
            memcpy(to + head.size, with.data, with.size);
        memcpy(to + head.size + with.size, tail.data, tail.size);
        writer_end(&writer, head.size + with.size + tail.size);
    }
    writer_close(&writer);
}

const struct function *const string_functions[] = {
    &fn_length,  &fn_octet_length, &fn_bit_length, &fn_ascii,       &fn_substring, &fn_left,     &fn_right, &fn_trim,
    &fn_ltrim,   &fn_rtrim,        &fn_btrim,      &fn_starts_with, &fn_ends_with, &fn_contains, &fn_instr, &fn_locate,
    &fn_overlay, &fn_lpad,         &fn_rpad,       &fn_repeat,      &fn_space,     &fn_reverse,  NULL,
};
