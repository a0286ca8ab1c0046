/* string_parts.c - text made of parts and taken apart: replace, translate, concat, split_part and the like. */
#include "expr/coerce.h"
#include "expr/loop.h"
#include "expr/utf8.h"
#include "expr/writer.h"

#define INT_AT(k, i) (arg_values(&args[k], int32_t)[args[k].step * (i)])

/* ---- replacing ---- */

static void put_replaced(struct writer *writer, struct bytes text, struct bytes what, struct bytes with)
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
       "Every occurrence of the second text replaced by the third, or cut out.", "replace('ABCabc', 'abc', 'DEF')",
       "ABCDEF")
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

static void put_translated(struct writer *writer, struct bytes text, struct bytes from, struct bytes to)
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

SCALAR(fn_translate, "translate", "(string, string, string) -> string",
       "Characters of the second text replaced by those of the third at the same place, or cut out.",
       "translate('AaBbCc', 'abc', '123')", "A1B2C3")
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_translated(&writer, arg_bytes(&args[0], i), arg_bytes(&args[1], i), arg_bytes(&args[2], i));
    }
    writer_close(&writer);
}

/* ---- joining ---- */

SCALAR(fn_concat, "concat ||", "(string...) -> string", "One text behind the other; NULL when one is NULL.",
       "concat('Spark', 'SQL')", "SparkSQL", .flags = FN_IN_ORDER)
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
/* A setting makes texts of them. */
static enum code bind_concat_binary(struct binding *binding, struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    if (!ctx->session->binary_concat_text)
        return E_OK;
    for (int32_t i = 0; i < binding->count; i++)
        TRY(expr_cast(ctx, binding->args[i], type_of(TYPE_STRING), false, binding->at, &binding->args[i], err));
    return expr_call(ctx, "concat", binding->args, binding->count, binding->at, &binding->rewritten, err);
}
SCALAR_SAME(fn_concat_binary, "concat ||", "(binary, binary...) -> binary", "One BINARY behind the other.", NULL, NULL,
            .bind = bind_concat_binary, .run = fn_concat_run);

/* Appends to the row being written; false when the row was rejected. */
static bool join_more(struct writer *writer, size_t *written, bool *first, struct bytes separator, struct bytes text)
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
                !join_more(writer, &written, &first, separator, column_bytes_at(&col->children[0], e)))
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
        const struct type *want =
            type->id == TYPE_ARRAY ? type_array(ctx->arena, type_of(TYPE_STRING), true) : type_of(TYPE_STRING);
        TRY(binding_cast(binding, i, want, err));
    }
    binding->nullable = binding->args[0]->nullable;
    return E_OK;
}

SCALAR(fn_concat_ws, "concat_ws", "(string, any...) -> string",
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

SCALAR(fn_elt, "elt", "(int, string, string...) -> string", "The argument of that number.", "elt(2, 'a', 'b')", "b",
       .flags = FN_NULLS | FN_FAILS)
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
    for (int64_t at = 0; (at = find_bytes(text, delimiter, (size_t)at)) >= 0; at += (int64_t)delimiter.size)
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

SCALAR(fn_split_part, "split_part", "(string, string, int) -> string",
       "Part of that number between delimiters, counted from the end when negative; empty when there is none.",
       "split_part('11.12.13', '.', 3)", "13", .flags = FN_FAILS)
{
    struct writer writer;
    for (int64_t i = 0; i < call->rows; i++)
        if (INT_AT(2, i) == 0)
            call_reject(call, i, REJECT_INDEX_ZERO);
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
        writer_put(&writer, count >= 0 || delimiter.size == 0 ? before_count(text, delimiter, count)
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
const struct function *const string_parts_functions[] = {
    &fn_replace, &fn_translate,  &fn_concat,          &fn_concat_binary, &fn_concat_ws,
    &fn_elt,     &fn_split_part, &fn_substring_index, &fn_find_in_set,   NULL,
};
