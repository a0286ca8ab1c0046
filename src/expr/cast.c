/* cast.c - which cast it is, and casts of nested values through their children. */
#include "expr/cast.h"

#include "expr/coerce.h"
#include "expr/writer.h"

bool cast_fails(const struct type *from, const struct type *to) { return !cast_is_safe(from, to); }

void *cast_values(struct call *call, struct column *out)
{
    size_t width = (size_t)type_width(out->type);
    size_t size = out->type->id == TYPE_BOOLEAN ? bit_bytes(call->rows) : (size_t)call->rows * width;
    out->values = call_buffer(call, size);
    return out->values->data;
}

/* ---- nested ---- */

/* A child cast may have made NULLs: with ANSI they are errors of the parent's row. */
static bool child_failed(const struct column *before, const struct column *after, int64_t row)
{
    return !column_is_null(before, row) && column_is_null(after, row);
}

/* As the cast of the whole: what fails is NULL, or wraps, or is noted; the answer is whether something was. */
static bool cast_child(const struct call *call, const struct column *from, bool try_cast, struct column *out,
                       enum reject_code *noted)
{
    struct call inner = *call;
    const struct arg arg = {from, 1};
    inner.rows = from->rows;
    inner.out = out;
    inner.type = out->type;
    inner.active = NULL;
    inner.nested = true;
    inner.failed = false;
    if (from->rows == 0)
        column_all_null(out, out->type, 0);
    else if (from->type->id == TYPE_NULL)
        column_all_null(out, out->type, from->rows);
    else
        cast_run(&inner, &arg, try_cast, out);
    if (out->valid != NULL)
        out->nulls = -1;
    *noted = inner.noted;
    return inner.failed;
}

/* Rows that became NULL must be empty or NULL below, too. */
static void nested_tidy(struct column *out, int64_t rows)
{
    struct builder builder;
    builder_init(&builder, out->type);
    for (int64_t i = 0; i < rows; i++) {
        if (column_is_null(out, i))
            builder_null(&builder);
        else
            builder_copy(&builder, out, i);
    }
    struct column tidy;
    builder_finish(&builder, &tidy);
    column_release(out);
    *out = tidy;
    builder_release(&builder);
}

static bool list_row_failed(const struct column *before, const struct column *after, const int32_t *offsets,
                            int64_t row)
{
    for (int32_t k = offsets[row]; k < offsets[row + 1]; k++)
        if (child_failed(before, after, k))
            return true;
    return false;
}

static void cast_nested(struct call *call, const struct arg *arg, bool try_cast, struct column *out)
{
    const struct column *from = arg->col;
    bool list = from->offsets != NULL, failed = false;
    out->offsets = buffer_retain(from->offsets);
    out->children = mem_array(struct column, (size_t)from->child_count);
    out->child_count = from->child_count;
    for (int32_t child = 0; child < from->child_count; child++) {
        enum reject_code noted;
        const struct column *before = &from->children[child];
        out->children[child] = (struct column){.type = out->type->fields[child].type, .rows = before->rows};
        if (!cast_child(call, before, try_cast, &out->children[child], &noted) || try_cast)
            continue;
        for (int64_t i = 0; i < call->rows; i++) {
            const struct column *after = &out->children[child];
            if (list ? list_row_failed(before, after, column_offsets(from), i) : child_failed(before, after, i)) {
                call_reject(call, i, noted);
                failed = true;
            }
        }
    }
    if (failed)
        nested_tidy(out, call->rows);
}

/* ---- without ANSI alone ---- */

/* A whole number's bytes, the highest first. */
static void cast_to_bytes(struct call *call, const struct arg *arg, struct column *out)
{
    struct writer writer;
    size_t width = (size_t)type_width(arg->col->type);
    writer_open(&writer, call, out, (int64_t)width * call->rows);
    for (int64_t i = 0; i < call->rows; i++) {
        uint8_t bytes[8];
        const uint8_t *from = arg->col->values->data + (size_t)i * width;
        for (size_t b = 0; b < width; b++)
            bytes[b] = from[width - 1 - b]; // little-endian in memory
        writer_put(&writer, bytes_of(bytes, width));
    }
    writer_close(&writer);
}

static void cast_legacy(struct call *call, const struct arg *arg, struct column *out)
{
    bool truth = out->type->id == TYPE_BOOLEAN;
    cast_values(call, out);
    for (int64_t i = 0; i < call->rows; i++) {
        if (arg->col->type->id == TYPE_DATE)
            call_null(call, i);
        else if (truth)
            bit_put(out->values->data, i, arg_values(arg, int64_t)[i] != 0);
        else
            column_values(out, int64_t)[i] = arg_bit(arg, i) ? 1 : 0;
    }
}

/* ---- dispatch ---- */

static bool is_plain(const struct type *type)
{
    return type->id == TYPE_BOOLEAN || (type->id >= TYPE_INT8 && type->id <= TYPE_DECIMAL);
}

static bool is_text(const struct type *type) { return type->id == TYPE_STRING || type->id == TYPE_BINARY; }

void cast_run(struct call *call, const struct arg *arg, bool try_cast, struct column *out)
{
    const struct type *from = arg->col->type, *to = out->type;
    if (type_equal(from, to) || (is_text(from) && is_text(to))) {
        column_share(out, arg->col); // BINARY as STRING costs nothing; Spark does not check the bytes either
        out->type = to;
        return;
    }
    out->valid = buffer_retain(arg->col->valid);
    if (cast_was_known(from, to) && to->id == TYPE_BINARY)
        cast_to_bytes(call, arg, out);
    else if (cast_was_known(from, to))
        cast_legacy(call, arg, out);
    else if (to->id == TYPE_STRING)
        cast_to_text(call, arg, out);
    else if (from->id == TYPE_STRING)
        cast_from_text(call, arg, out);
    else if (type_is_nested(to))
        cast_nested(call, arg, try_cast, out);
    else if (is_plain(from) && is_plain(to))
        cast_number(call, arg, out);
    else
        cast_time(call, arg, out);
}
