#include "expr/writer.h"

void writer_open(struct writer *writer, struct call *call, struct column *out, int64_t expected_bytes)
{
    buffer_release(out->values);
    buffer_release(out->offsets);
    if (!room_fits(expected_bytes))
        expected_bytes = 0; // nobody will look at the column
    out->values = call_buffer(call, expected_bytes > 64 ? (size_t)expected_bytes : 64);
    out->offsets = call_buffer(call, ((size_t)call->rows + 1) * sizeof(int32_t));
    *writer = (struct writer){.call = call, .out = out, .offsets = (int32_t *)(void *)out->offsets->data};
    writer->offsets[0] = 0;
}

uint8_t *writer_room_slow(struct writer *writer, size_t size)
{
    if (size > WRITER_ROW_MAX || writer->size + size > WRITER_COLUMN_MAX) {
        call_reject(writer->call, writer->row, REJECT_TOO_BIG);
        writer_skip(writer);
        return NULL;
    }
    size_t need = writer->size + size, doubled = writer->out->values->capacity * 2;
    if (room_full() || !room_fits((int64_t)need)) {
        writer_null(writer);
        return NULL;
    }
    writer->out->values->size = writer->out->values->capacity; // the row may be half written: keep all
    buffer_grow(&writer->out->values, need > doubled ? need : doubled);
    return writer->out->values->data + writer->size;
}

void writer_close(struct writer *writer)
{
    always(writer->row == writer->call->rows);
    writer->out->values->size = writer->size;
}
