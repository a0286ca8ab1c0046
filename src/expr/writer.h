/* writer.h - inside expr/: how kernels make columns without a fixed width, and rows picked from several columns.
 *
 * Use      writer_open; for each row that writer_next gives: writer_room(n), write, writer_end(n) - or writer_put,
 *          writer_skip, writer_null; writer_close
 * Fails    a row that would pass a limit is rejected as TOO_BIG: writer_room is then NULL and the row is done
 * Limits   WRITER_ROW_MAX bytes a row, WRITER_COLUMN_MAX bytes a column
 */
#ifndef EXPR_WRITER_H
#define EXPR_WRITER_H

#include "expr/function.h"

enum { WRITER_ROW_MAX = 32 * 1024 * 1024, WRITER_COLUMN_MAX = 1024 * 1024 * 1024 };

struct writer {
    struct call *call;
    struct column *out;
    int32_t *offsets;
    size_t size;
    int64_t row;
};
/* expected_bytes: a guess of the whole column. */
void writer_open(struct writer *writer, struct call *call, struct column *out, int64_t expected_bytes);
uint8_t *writer_room_slow(struct writer *writer, size_t size);
static inline uint8_t *writer_room(struct writer *writer, size_t size)
{
    if (size <= writer->out->values->capacity - writer->size)
        return writer->out->values->data + writer->size;
    return writer_room_slow(writer, size);
}
static inline void writer_end(struct writer *writer, size_t size)
{
    writer->size += size;
    writer->offsets[++writer->row] = (int32_t)writer->size;
}
static inline void writer_skip(struct writer *writer) { writer->offsets[++writer->row] = (int32_t)writer->size; }
static inline void writer_put(struct writer *writer, struct bytes value)
{
    uint8_t *to = writer_room(writer, value.size);
    if (to == NULL)
        return;
    if (value.size > 0)
        memcpy(to, value.data, value.size);
    writer_end(writer, value.size);
}
void writer_close(struct writer *writer);
static inline void writer_put_string(struct writer *writer, const char *string)
{
    writer_put(writer, bytes_of_string(string));
}
/* Drops what the row has so far; the row becomes NULL. */
static inline void writer_null(struct writer *writer)
{
    call_null(writer->call, writer->row);
    writer_skip(writer);
}

/* The next row that is not NULL, or -1 behind the last: `for (int64_t i; (i = writer_next(&writer)) >= 0;)`. The loop's
 * body must end the row once. */
static inline int64_t writer_next(struct writer *writer)
{
    while (writer->row < writer->call->rows && !call_valid(writer->call, writer->row))
        writer_skip(writer);
    return writer->row < writer->call->rows ? writer->row : -1;
}

/* Bytes of a whole text argument: a good guess of a result that is about as long. */
static inline int64_t arg_bytes_total(const struct call *call, const struct arg *arg)
{
    return arg->step == 0 ? call->rows * (int64_t)arg_bytes(arg, 0).size : column_offsets(arg->col)[call->rows];
}

/* Row i of out is row i of branches[pick[i]], or NULL where pick[i] = count. */
void select_run(struct call *call, const struct arg *branches, int32_t count, const uint16_t *pick, struct column *out);

#endif
