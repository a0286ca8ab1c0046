/* string.c - the common functions of text: lengths, cutting, padding, searching, joining. Positions count characters
 * from 1; text that is all ASCII skips the decoding. */
#include "expr/coerce.h"
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

SCALAR(fn_ascii, "ascii", "(string) -> int",
       "Code point of the first character; 0 for an empty text.", "ascii('A')", "65")
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

static int64_t text_length(struct bytes text, bool binary)
{
    return binary ? (int64_t)text.size : utf8_count(text);
}

/* A negative position counts from the end; the length counts from there even if that is before the text. */
static struct bytes substring_of(struct bytes text, int64_t position, int64_t length, bool binary)
{
    int64_t from = position > 0   ? position - 1
                   : position < 0 ? text_length(text, binary) + position
                                  : 0;
    return text_slice(text, from, length > INT64_MAX / 2 ? INT64_MAX : from + length, binary);
}

#define TEXT_TO_TEXT "(string, int) -> string | (binary, int) -> binary"

SCALAR(fn_substring, "substring substr",
       "(string, int, int?) -> string | (binary, int, int?) -> binary",
       "From a position on, at most so many characters; negative positions count from the end.",
       "substring('Spark SQL', 5, 1)", "k")
{
    struct writer writer;
    bool binary = out->type->id == TYPE_BINARY, bounded = call->arg_count == 3;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        writer_put(&writer, substring_of(arg_bytes(&args[0], i), INT_AT(1, i),
                                         bounded ? INT_AT(2, i) : INT64_MAX, binary));
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

SCALAR(fn_right, "right", TEXT_TO_TEXT, "The last characters.", "right('Spark SQL', 3)", "SQL")
{
    struct writer writer;
    bool binary = out->type->id == TYPE_BINARY;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes text = arg_bytes(&args[0], i);
        int64_t length = text_length(text, binary);
        writer_put(&writer,
                   text_slice(text, length - INT_AT(1, i), INT_AT(1, i) > 0 ? length : 0, binary));
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
static void trim_run(struct call *call, const struct arg *args, struct column *out, int text_at,
                     unsigned sides)
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

SCALAR(
    fn_trim, "trim", "(string, string?) -> string",
    "Without blanks at both ends; with two arguments the characters of the first are cut off the second.",
    "trim('  Spark ')", "Spark")
{
    trim_run(call, args, out, 1, TRIM_BOTH);
}
SCALAR(fn_ltrim, "ltrim", "(string, string?) -> string",
       "Without blanks (or characters of the first) at the start.", "ltrim('  Spark')", "Spark")
{
    trim_run(call, args, out, 1, TRIM_LEFT);
}
SCALAR(fn_rtrim, "rtrim", "(string, string?) -> string",
       "Without blanks (or characters of the first) at the end.", "rtrim('Spark  ')", "Spark")
{
    trim_run(call, args, out, 1, TRIM_RIGHT);
}
SCALAR(fn_btrim, "btrim", "(string, string?) -> string",
       "Without blanks (or characters of the second) at both ends.", "btrim('xSparkx', 'x')",
       "Spark")
{
    trim_run(call, args, out, 0, TRIM_BOTH);
}

/* ---- searching ---- */

/* Byte position of `what` in text at or behind `from`; -1 when absent. */
static int64_t find_bytes(struct bytes text, struct bytes what, size_t from)
{
    if (from > text.size)
        return -1;
    if (what.size == 0)
        return (int64_t)from;
    const uint8_t *at = memmem(text.data + from, text.size - from, what.data, what.size);
    return at == NULL ? -1 : at - text.data;
}

#define FIND_TWO(id, name_, help_, example_, expected_, found)                            \
    SCALAR(id, name_, "(string, string) -> boolean | (binary, binary) -> boolean", help_, \
           example_, expected_)                                                           \
    {                                                                                     \
        for (int64_t i = 0; i < call->rows; i++) {                                        \
            struct bytes text = arg_bytes(&args[0], i), what = arg_bytes(&args[1], i);    \
            bit_put(out->values->data, i, found);                                         \
        }                                                                                 \
    }
static bool starts_with(struct bytes text, struct bytes what)
{
    return what.size <= text.size &&
           (what.size == 0 || memcmp(text.data, what.data, what.size) == 0);
}
static bool ends_with(struct bytes text, struct bytes what)
{
    return what.size <= text.size &&
           starts_with(bytes_of(text.data + (text.size - what.size), what.size), what);
}
FIND_TWO(fn_starts_with, "startswith", "Whether the first text begins with the second.",
         "startswith('Spark', 'Sp')", "true", starts_with(text, what))
FIND_TWO(fn_ends_with, "endswith", "Whether the first text ends with the second.",
         "endswith('Spark', 'rk')", "true", ends_with(text, what))
FIND_TWO(fn_contains, "contains", "Whether the second text is in the first.",
         "contains('Spark', 'par')", "true", find_bytes(text, what, 0) >= 0)

static int32_t char_position(struct bytes text, int64_t byte_position)
{
    return byte_position < 0 ? 0
                             : (int32_t)utf8_count(bytes_of(text.data, (size_t)byte_position)) + 1;
}

SCALAR(fn_instr, "instr", "(string, string) -> int",
       "Where the second text is in the first; 0 when it is not.", "instr('SparkSQL', 'SQL')", "6")
{
    for (int64_t i = 0; i < call->rows; i++) {
        struct bytes text = arg_bytes(&args[0], i);
        column_values(out, int32_t)[i] =
            char_position(text, find_bytes(text, arg_bytes(&args[1], i), 0));
    }
}

SCALAR(fn_locate, "locate position", "(string, string, int?) -> int",
       "Where the first text is in the second, looking from a position on; 0 when it is not.",
       "locate('bar', 'foobarbar', 5)", "7")
{
    for (int64_t i = 0; i < call->rows; i++) {
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

/* ---- replacing ---- */

static void put_replaced(struct writer *writer, struct bytes text, struct bytes what,
                         struct bytes with)
{
    size_t written = 0, at = 0;
    for (;;) {
        int64_t found = what.size == 0 ? -1 : find_bytes(text, what, at);
        size_t upto = found < 0 ? text.size : (size_t)found;
        size_t more = upto - at + (found < 0 ? 0 : with.size);
        uint8_t *to = writer_room(writer, written + more);
        if (to == NULL)
            return;
        memcpy(to + written, text.data + at, upto - at);
        if (found >= 0 && with.size > 0)
            memcpy(to + written + (upto - at), with.data, with.size);
        written += more;
        if (found < 0)
            break;
        at = upto + what.size;
    }
    writer_end(writer, written);
}

SCALAR(fn_replace, "replace", "(string, string, string?) -> string",
       "Every occurrence of the second text replaced by the third, or cut out.",
       "replace('ABCabc', 'abc', 'DEF')", "ABCDEF")
{
    struct writer writer;
    bool given = call->arg_count == 3;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes with = given ? arg_bytes(&args[2], i) : (struct bytes){0};
        put_replaced(&writer, arg_bytes(&args[0], i), arg_bytes(&args[1], i), with);
    }
    writer_close(&writer);
}

/* Character `index` of the text, empty when there is none. */
static struct bytes char_at(struct bytes text, int64_t index)
{
    size_t at = utf8_skip(text, index);
    return bytes_of(text.data + at, at < text.size ? utf8_size(text.data[at], text.size - at) : 0);
}

static int64_t char_index(struct bytes set, const uint8_t *data, size_t size)
{
    int64_t index = 0;
    for (size_t at = 0, step; at < set.size; at += step, index++) {
        step = utf8_size(set.data[at], set.size - at);
        if (step == size && memcmp(set.data + at, data, size) == 0)
            return index;
    }
    return -1;
}

static void put_translated(struct writer *writer, struct bytes text, struct bytes from,
                           struct bytes to)
{
    size_t written = 0;
    uint8_t *into = writer_room(writer, text.size * 4); // a character has at most 4 bytes
    if (into == NULL)
        return;
    for (size_t at = 0, size; at < text.size; at += size) {
        size = utf8_size(text.data[at], text.size - at);
        int64_t index = char_index(from, text.data + at, size);
        struct bytes put = index < 0 ? bytes_of(text.data + at, size) : char_at(to, index);
        if (put.size > 0)
            memcpy(into + written, put.data, put.size);
        written += put.size;
    }
    writer_end(writer, written);
}

SCALAR(
    fn_translate, "translate", "(string, string, string) -> string",
    "Characters of the second text replaced by those of the third at the same place, or cut out.",
    "translate('AaBbCc', 'abc', '123')", "A1B2C3")
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_translated(&writer, arg_bytes(&args[0], i), arg_bytes(&args[1], i),
                       arg_bytes(&args[2], i));
    }
    writer_close(&writer);
}

SCALAR(fn_overlay, "overlay", "(string, string, int, int?) -> string",
       "The first text with the second put over it from a position on.",
       "overlay('Spark SQL', '_', 6)", "Spark_SQL")
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes text = arg_bytes(&args[0], i);
        struct bytes with = arg_bytes(&args[1], i);
        int64_t at = INT_AT(2, i);
        int64_t size = call->arg_count == 4 && INT_AT(3, i) >= 0 ? INT_AT(3, i) : utf8_count(with);
        struct bytes head = substring_of(text, 1, at - 1, false),
                     tail = substring_of(text, at + size, INT64_MAX, false);
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
    return pad.size * (size_t)(count / length) +
           (binary ? (size_t)(count % length) : utf8_skip(pad, count % length));
}

static void put_padded(struct writer *writer, struct bytes text, int64_t length, struct bytes pad,
                       bool left, bool binary)
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
        put_padded(&writer, arg_bytes(&args[0], i), INT_AT(1, i),
                   call->arg_count == 3 ? arg_bytes(&args[2], i) : blank, left, binary);
    }
    writer_close(&writer);
}

#define PAD "(string, int, string?) -> string | (binary, int, binary?) -> binary"
SCALAR(fn_lpad, "lpad", PAD, "Filled up in front, or cut, to a length.", "lpad('hi', 5, 'ab')",
       "abahi")
{
    pad_run(call, args, out, true);
}
SCALAR(fn_rpad, "rpad", PAD, "Filled up behind, or cut, to a length.", "rpad('hi', 5, 'ab')",
       "hiaba")
{
    pad_run(call, args, out, false);
}

static void put_times(struct writer *writer, struct bytes text, int64_t times)
{
    size_t size = times > 0 && text.size > 0 ? (size_t)times : 0;
    uint8_t *to = writer_room(writer, size > WRITER_ROW_MAX / (text.size + 1) ? SIZE_MAX / 4
                                                                              : size * text.size);
    if (to == NULL)
        return;
    put_repeated(to, text, size * text.size);
    writer_end(writer, size * text.size);
}

SCALAR(fn_repeat, "repeat", "(string, int) -> string", "The text so many times.", "repeat('ab', 2)",
       "abab")
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_times(&writer, arg_bytes(&args[0], i), INT_AT(1, i));
    }
    writer_close(&writer);
}

SCALAR(fn_space, "space", "(int) -> string", "So many blanks.", "concat('[', space(2), ']')",
       "[  ]")
{
    struct writer writer;
    writer_open(&writer, call, out, call->rows);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_times(&writer, bytes_of(" ", 1), INT_AT(0, i));
    }
    writer_close(&writer);
}

static void put_reversed(struct writer *writer, struct bytes text)
{
    uint8_t *to = writer_room(writer, text.size);
    if (to == NULL)
        return;
    for (size_t at = 0, size; at < text.size; at += size) {
        size = utf8_size(text.data[at], text.size - at);
        memcpy(to + text.size - at - size, text.data + at, size);
    }
    writer_end(writer, text.size);
}

SCALAR(fn_reverse, "reverse", "(string) -> string", "The characters backwards.", "reverse('Spark')",
       "krapS")
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_reversed(&writer, arg_bytes(&args[0], i));
    }
    writer_close(&writer);
}

/* ---- joining ---- */

SCALAR(fn_concat, "concat ||", "(string...) -> string",
       "One text behind the other; NULL when one is NULL.", "concat('Spark', 'SQL')", "SparkSQL")
{
    struct writer writer;
    int64_t expected = 0;
    for (int32_t k = 0; k < call->arg_count; k++)
        expected += arg_bytes_total(call, &args[k]);
    writer_open(&writer, call, out, expected);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        size_t size = 0;
        for (int32_t k = 0; k < call->arg_count; k++)
            size += arg_bytes(&args[k], i).size;
        uint8_t *to = writer_room(&writer, size);
        if (to == NULL)
            continue;
        for (int32_t k = 0; k < call->arg_count; k++) {
            struct bytes text = arg_bytes(&args[k], i);
            if (text.size > 0)
                memcpy(to, text.data, text.size);
            to += text.size;
        }
        writer_end(&writer, size);
    }
    writer_close(&writer);
}
SCALAR_SAME(fn_concat_binary, "concat ||", "(binary, binary...) -> binary",
            "One BINARY behind the other.", NULL, NULL, .run = fn_concat_run);

/* Appends to the row being written; false when the row was rejected. */
static bool join_more(struct writer *writer, size_t *written, bool *first, struct bytes separator,
                      struct bytes text)
{
    size_t gap = *first ? 0 : separator.size;
    uint8_t *to = writer_room(writer, *written + gap + text.size);
    if (to == NULL)
        return false;
    if (gap > 0)
        memcpy(to + *written, separator.data, gap);
    if (text.size > 0)
        memcpy(to + *written + gap, text.data, text.size);
    *written += gap + text.size;
    *first = false;
    return true;
}

static void put_joined(struct writer *writer, const struct arg *args, int32_t count, int64_t row)
{
    struct bytes separator = arg_bytes(&args[0], row);
    size_t written = 0;
    bool first = true;
    for (int32_t k = 1; k < count; k++) {
        const struct column *col = args[k].col;
        int64_t at = row * args[k].step;
        if (column_is_null(col, at))
            continue;
        if (col->type->id != TYPE_ARRAY) {
            if (!join_more(writer, &written, &first, separator, column_bytes_at(col, at)))
                return;
            continue;
        }
        for (int32_t e = column_offsets(col)[at]; e < column_offsets(col)[at + 1]; e++)
            if (!column_is_null(&col->children[0], e) &&
                !join_more(writer, &written, &first, separator,
                           column_bytes_at(&col->children[0], e)))
                return;
    }
    writer_end(writer, written);
}

/* Each argument is a text or an array of texts: no signature says that. */
static enum code bind_join(struct binding *binding, struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    for (int32_t i = 1; i < binding->count; i++) {
        const struct type *type = binding->args[i]->type;
        const struct type *want = type->id == TYPE_ARRAY
                                      ? type_array(ctx->arena, type_of(TYPE_STRING), true)
                                      : type_of(TYPE_STRING);
        TRY(binding_cast(binding, i, want, err));
    }
    binding->nullable = binding->args[0]->nullable;
    return E_OK;
}

SCALAR(
    fn_concat_ws, "concat_ws", "(string, any...) -> string",
    "Texts, and elements of arrays of texts, with the first text between them; NULLs are skipped.",
    "concat_ws(',', 'a', NULL, 'b')", "a,b", .bind = bind_join, .flags = FN_NULLS)
{
    struct writer writer;
    if (args[0].col->valid != NULL)
        for (int64_t i = 0; i < call->rows; i++)
            if (!arg_valid(&args[0], i))
                call_null(call, i);
    writer_open(&writer, call, out, call->rows * 16);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_joined(&writer, args, call->arg_count, i);
    }
    writer_close(&writer);
}

SCALAR(fn_elt, "elt", "(int, string, string...) -> string", "The argument of that number.",
       "elt(2, 'a', 'b')", "b", .flags = FN_NULLS | FN_FAILS)
{
    struct writer writer;
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t which = INT_AT(0, i);
        if (!arg_valid(&args[0], i))
            call_null(call, i);
        else if (which < 1 || which >= call->arg_count)
            call_reject(call, i, REJECT_ARRAY_INDEX);
        else if (!arg_valid(&args[which], i))
            call_null(call, i);
    }
    writer_open(&writer, call, out, call->rows * 16);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        writer_put(&writer, arg_bytes(&args[INT_AT(0, i)], i));
    }
    writer_close(&writer);
}

/* ---- parts ---- */

/* Part `number` (from 1, from -1 backwards) of the text between delimiters. */
static struct bytes part_of(struct bytes text, struct bytes delimiter, int64_t number)
{
    int64_t parts = 1;
    if (delimiter.size == 0)
        return number == 1 || number == -1 ? text : (struct bytes){text.data, 0};
    for (int64_t at = 0; (at = find_bytes(text, delimiter, (size_t)at)) >= 0;
         at += (int64_t)delimiter.size)
        parts++;
    int64_t index = number > 0 ? number - 1 : parts + number;
    if (index < 0 || index >= parts)
        return (struct bytes){text.data, 0};
    size_t start = 0;
    for (; index > 0; index--)
        start = (size_t)find_bytes(text, delimiter, start) + delimiter.size;
    int64_t end = find_bytes(text, delimiter, start);
    return bytes_of(text.data + start, (end < 0 ? text.size : (size_t)end) - start);
}

SCALAR(
    fn_split_part, "split_part", "(string, string, int) -> string",
    "Part of that number between delimiters, counted from the end when negative; empty when there is none.",
    "split_part('11.12.13', '.', 3)", "13", .flags = FN_FAILS)
{
    struct writer writer;
    for (int64_t i = 0; i < call->rows; i++)
        if (INT_AT(2, i) == 0)
            call_reject(call, i, REJECT_ARGUMENT);
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        writer_put(&writer, part_of(arg_bytes(&args[0], i), arg_bytes(&args[1], i), INT_AT(2, i)));
    }
    writer_close(&writer);
}

static struct bytes before_count(struct bytes text, struct bytes delimiter, int64_t count)
{
    int64_t at = -(int64_t)delimiter.size;
    if (count == 0 || delimiter.size == 0)
        return bytes_of(text.data, 0);
    for (; count > 0; count--) {
        at = find_bytes(text, delimiter, (size_t)(at + (int64_t)delimiter.size));
        if (at < 0)
            return text;
    }
    return bytes_of(text.data, (size_t)at);
}

/* Last occurrence that ends at or before `end`; -1 when there is none. */
static int64_t find_last(struct bytes text, struct bytes what, size_t end)
{
    for (int64_t at = (int64_t)end - (int64_t)what.size; at >= 0; at--)
        if (memcmp(text.data + at, what.data, what.size) == 0)
            return at;
    return -1;
}

static struct bytes after_count(struct bytes text, struct bytes delimiter, int64_t count)
{
    int64_t at = (int64_t)text.size;
    for (; count > 0; count--) {
        at = find_last(text, delimiter, (size_t)at);
        if (at < 0)
            return text;
    }
    size_t start = (size_t)at + delimiter.size;
    return bytes_of(text.data + start, text.size - start);
}

SCALAR(fn_substring_index, "substring_index", "(string, string, int) -> string",
       "What is before so many delimiters; behind them, from the end, when the number is negative.",
       "substring_index('www.apache.org', '.', 2)", "www.apache")
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes text = arg_bytes(&args[0], i);
        struct bytes delimiter = arg_bytes(&args[1], i);
        int64_t count = INT_AT(2, i);
        writer_put(&writer, count >= 0 || delimiter.size == 0
                                ? before_count(text, delimiter, count)
                                : after_count(text, delimiter, -count));
    }
    writer_close(&writer);
}

SCALAR(fn_find_in_set, "find_in_set", "(string, string) -> int",
       "Which part of the comma-separated second text the first is; 0 when it is none.",
       "find_in_set('ab', 'abc,b,ab,c,def')", "3")
{
    for (int64_t i = 0; i < call->rows; i++) {
        struct bytes what = arg_bytes(&args[0], i), set = arg_bytes(&args[1], i);
        int32_t number = 1, found = 0;
        for (size_t at = 0; found == 0 && memchr(what.data, ',', what.size) == NULL; number++) {
            int64_t comma = find_bytes(set, bytes_of(",", 1), at);
            size_t end = comma < 0 ? set.size : (size_t)comma;
            if (bytes_equal(bytes_of(set.data + at, end - at), what))
                found = number;
            if (comma < 0)
                break;
            at = end + 1;
        }
        column_values(out, int32_t)[i] = found;
    }
}

const struct function *const string_functions[] = {
    &fn_length,      &fn_octet_length,
    &fn_bit_length,  &fn_ascii,
    &fn_substring,   &fn_left,
    &fn_right,       &fn_trim,
    &fn_ltrim,       &fn_rtrim,
    &fn_btrim,       &fn_starts_with,
    &fn_ends_with,   &fn_contains,
    &fn_instr,       &fn_locate,
    &fn_replace,     &fn_translate,
    &fn_overlay,     &fn_lpad,
    &fn_rpad,        &fn_repeat,
    &fn_space,       &fn_reverse,
    &fn_concat,      &fn_concat_binary,
    &fn_concat_ws,   &fn_elt,
    &fn_split_part,  &fn_substring_index,
    &fn_find_in_set, NULL,
};
