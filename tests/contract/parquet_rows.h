/* parquet_rows.h - rows as lines of JSON, in which tests of Parquet compare what readers see.
 *
 * Values   numbers as they are; FLOAT and DOUBLE as text; DECIMAL unscaled, as text; BINARY in hex; DATE in
 *          days, TIMESTAMP in microseconds; a STRUCT as an array, a MAP as an array of pairs
 */
#ifndef TESTS_PARQUET_ROWS_H
#define TESTS_PARQUET_ROWS_H

#include "data/data.h"
#include "format/format.h"
#include "kit.h"

static void render_text(struct bytes value, struct text *out)
{
    text_add_char(out, '"');
    for (size_t i = 0; i < value.size; i++) {
        uint8_t c = value.data[i];
        if (c < 0x20 || c == '"' || c == '\\')
            text_printf(out, "\\u%04x", c);
        else
            text_add_char(out, (char)c);
    }
    text_add_char(out, '"');
}

static void render_binary(struct bytes value, struct text *out)
{
    text_add_char(out, '"');
    for (size_t i = 0; i < value.size; i++)
        text_printf(out, "%02x", value.data[i]);
    text_add_char(out, '"');
}

static void render(const struct column *col, int64_t row, struct text *out);

static void render_list(const struct column *col, int64_t row, struct text *out)
{
    const int32_t *offsets = column_offsets(col);
    text_add_char(out, '[');
    for (int32_t i = offsets[row]; i < offsets[row + 1]; i++) {
        text_add_string(out, i > offsets[row] ? "," : "");
        text_add_string(out, col->child_count == 2 ? "[" : "");
        for (int32_t k = 0; k < col->child_count; k++) {
            text_add_string(out, k > 0 ? "," : "");
            render(&col->children[k], i, out);
        }
        text_add_string(out, col->child_count == 2 ? "]" : "");
    }
    text_add_char(out, ']');
}

static void render_number(const struct column *col, int64_t row, struct text *out)
{
    switch (type_width(col->type)) {
    case 1: text_printf(out, "%d", column_values(col, int8_t)[row]); break;
    case 2: text_printf(out, "%d", column_values(col, int16_t)[row]); break;
    case 4: text_printf(out, "%" PRId32, column_values(col, int32_t)[row]); break;
    default: text_printf(out, "%" PRId64, column_values(col, int64_t)[row]); break;
    }
}

static void render_decimal(const struct column *col, int64_t row, struct text *out)
{
    char digits[DECIMAL_TEXT_MAX];
    __int128 value =
        type_is_wide_decimal(col->type) ? column_values(col, __int128)[row] : column_values(col, int64_t)[row];
    text_add_char(out, '"');
    text_add(out, digits, decimal_print(value, 0, digits));
    text_add_char(out, '"');
}

static void render(const struct column *col, int64_t row, struct text *out)
{
    if (column_is_null(col, row)) {
        text_add_string(out, "null");
        return;
    }
    switch (col->type->id) {
    case TYPE_BOOLEAN: text_add_string(out, bit_get(col->values->data, row) ? "true" : "false"); break;
    case TYPE_FLOAT: text_printf(out, "\"%.9g\"", (double)column_values(col, float)[row]); break;
    case TYPE_DOUBLE: text_printf(out, "\"%.17g\"", column_values(col, double)[row]); break;
    case TYPE_DECIMAL: render_decimal(col, row, out); break;
    case TYPE_STRING: render_text(column_bytes_at(col, row), out); break;
    case TYPE_BINARY: render_binary(column_bytes_at(col, row), out); break;
    case TYPE_ARRAY:
    case TYPE_MAP: render_list(col, row, out); break;
    case TYPE_STRUCT:
        for (int32_t i = 0; i < col->child_count; i++) {
            text_add_string(out, i == 0 ? "[" : ",");
            render(&col->children[i], row, out);
        }
        text_add_char(out, ']');
        break;
    default: render_number(col, row, out); break;
    }
}

static void batch_render(const struct batch *batch, int64_t from, int64_t to, struct text *out)
{
    for (int64_t row = from; row < to; row++) {
        for (int32_t i = 0; i < batch->column_count; i++) {
            text_add_char(out, i == 0 ? '[' : ',');
            render(&batch->columns[i], row, out);
        }
        text_add_string(out, "]\n");
    }
}

/* ---- files in memory ---- */

static enum code memory_read(void *context, int64_t offset, void *out, size_t size, struct error *err)
{
    const struct bytes *file = context;
    if (offset < 0 || (size_t)offset > file->size || size > file->size - (size_t)offset)
        return fail(err, E_BUG, "reading %zu bytes at %lld of a file of %zu", size, (long long)offset, file->size);
    memcpy(out, file->data + offset, size);
    return E_OK;
}

/* All rows of the file as lines; a NULL schema: the file's own. */
static enum code parquet_lines(const char *name, struct bytes file, const struct type *schema, struct text *out,
                               struct error *err)
{
    struct parquet_input input = {name, (int64_t)file.size, &file, memory_read};
    struct budget budget = {0};
    struct parquet_reader *reader;
    TRY(parquet_reader_new(&input, &budget, &reader, err));
    enum code code = parquet_reader_select(reader, schema != NULL ? schema : parquet_reader_schema(reader), err);
    for (int64_t rows = 1; code == E_OK && rows > 0;) {
        struct batch batch = {0};
        code = parquet_reader_next(reader, (int64_t)(kit_random() % BATCH_ROWS_MAX) + 1, &batch, err);
        rows = batch.rows;
        if (code == E_OK && rows > 0) {
            batch_check(&batch);
            batch_render(&batch, 0, rows, out);
        }
        batch_release(&batch);
    }
    parquet_reader_free(reader);
    CHECK_INT((int64_t)budget.used_bytes, 0);
    return code;
}

#endif
