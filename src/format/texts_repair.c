#include "format/texts_repair.h"

#include "format/json_text.h"

/* All texts of a batch lie in one run: when that is valid and no text starts inside a character, each text is valid. */
static bool is_utf8(const struct column *col, int64_t from, int64_t to)
{
    const int32_t *offsets = column_offsets(col);
    const uint8_t *values = col->values->data;
    for (int64_t row = from; row < to; row++)
        if (offsets[row] < offsets[row + 1] && (values[offsets[row]] & 0xc0) == 0x80)
            return false;
    return utf8_valid(values + offsets[from], (size_t)(offsets[to] - offsets[from]));
}

static void column_repair(struct column *out, const struct column *col)
{
    struct builder builder;
    struct text text = {0};
    builder_init(&builder, col->type);
    for (int64_t row = 0; row < col->rows; row++) {
        if (column_is_null(col, row)) {
            builder_null(&builder);
            continue;
        }
        struct bytes bytes = column_bytes_at(col, row);
        if (!utf8_valid(bytes.data, bytes.size)) {
            text_clear(&text);
            json_text_repair(bytes, &text);
            bytes = text_view(&text);
        }
        builder_bytes(&builder, bytes);
    }
    builder_finish(&builder, out);
    builder_release(&builder);
    text_free(&text);
}

void texts_repair(struct batch *out, const struct batch *batch, int64_t from, int64_t to)
{
    batch_init(out, batch->schema, batch->rows);
    for (int32_t i = 0; i < batch->column_count; i++)
        if (batch->columns[i].type->id == TYPE_STRING && !is_utf8(&batch->columns[i], from, to))
            column_repair(&out->columns[i], &batch->columns[i]);
        else
            column_share(&out->columns[i], &batch->columns[i]);
}
