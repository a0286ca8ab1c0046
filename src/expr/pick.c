#include "expr/pick.h"

enum { PICKS_MAX = 1 << 24, PICKS_ROW_MAX = 1 << 20 }; // elements of one column, and of one row

void picks_open(struct picks *picks, struct call *call)
{
    *picks = (struct picks){.call = call};
    picks->offsets = call_buffer(call, ((size_t)call->rows + 1) * sizeof(int32_t));
    ((int32_t *)(void *)picks->offsets->data)[0] = 0;
}

void picks_add(struct picks *picks, int64_t index)
{
    if (picks->count >= PICKS_MAX || picks_size(picks) >= PICKS_ROW_MAX) {
        call_reject(picks->call, picks->row, REJECT_TOO_BIG);
        return;
    }
    if (picks->count == picks->capacity) {
        if (!room_fits(2 * picks->count * (int64_t)sizeof *picks->rows)) {
            call_null(picks->call, picks->row);
            return;
        }
        mem_grow(picks->rows, picks->capacity, picks->count + 1);
    }
    picks->rows[picks->count++] = (int32_t)index;
}

void picks_end(struct picks *picks)
{
    int32_t *offsets = (int32_t *)(void *)picks->offsets->data;
    if (!call_valid(picks->call, picks->row))
        picks->count = offsets[picks->row]; // a NULL list has an empty range
    offsets[++picks->row] = (int32_t)picks->count;
}

void call_reject_all(struct call *call)
{
    for (int64_t i = 0; i < call->rows; i++)
        call_reject(call, i, REJECT_TOO_BIG);
}

void gather_bounded(struct call *call, struct column *out, const struct column *pool, const int32_t *rows,
                    int64_t count)
{
    if (column_gather_fits(pool, rows, count)) {
        column_gather(out, pool, rows, count);
        return;
    }
    call_reject_all(call); // first: afterwards the rows of call->out are NULL, and NULLs cannot be rejected
    if (out == call->out)
        column_release(out);
    column_all_null(out, pool->type, count);
}

/* Rows whose elements do not fit beside those before them are rejected, and their lists are empty. */
static void drop_too_big(struct picks *picks, const struct column *pools, int32_t child_count)
{
    int32_t *offsets = (int32_t *)(void *)picks->offsets->data, first = 0;
    int64_t kept = 0, used = 0;
    for (int64_t row = 0; row < picks->row; row++) {
        int32_t last = offsets[row + 1];
        int64_t bytes = 0;
        for (int32_t i = first; i < last; i++)
            for (int32_t k = 0; k < child_count; k++)
                bytes += column_range_bytes(&pools[k], picks->rows[i], picks->rows[i] + 1);
        if (used + bytes > COLUMN_BYTES_MAX) {
            call_reject(picks->call, row, REJECT_TOO_BIG);
        } else {
            memmove(picks->rows + kept, picks->rows + first, (size_t)(last - first) * sizeof *picks->rows);
            kept += last - first;
            used += bytes;
        }
        offsets[row + 1] = (int32_t)kept;
        first = last;
    }
    picks->count = kept;
}

static bool picks_fit(const struct picks *picks, const struct column *pools, int32_t child_count)
{
    for (int32_t k = 0; k < child_count; k++)
        if (!column_gather_fits(&pools[k], picks->rows, picks->count))
            return false;
    return true;
}

void picks_close(struct picks *picks, const struct column *pools, int32_t child_count)
{
    struct column *out = picks->call->out;
    always(picks->row == picks->call->rows);
    if (!picks_fit(picks, pools, child_count))
        drop_too_big(picks, pools, child_count);
    out->offsets = picks->offsets;
    out->children = mem_array(struct column, (size_t)child_count);
    out->child_count = child_count;
    for (int32_t k = 0; k < child_count; k++) {
        const struct type *type = out->type->fields[k].type;
        if (picks->count == 0)
            column_all_null(&out->children[k], type, 0);
        else
            column_gather(&out->children[k], &pools[k], picks->rows, picks->count);
        out->children[k].type = type;
    }
    mem_free(picks->rows);
}

int64_t pool_add(struct column *pool, const struct column *col)
{
    int64_t start = pool->rows;
    column_append(pool, col, 0, col->rows);
    return start;
}

void gather_or_null(struct call *call, struct column *out, const struct column *pool, const int32_t *rows,
                    int64_t count)
{
    bool any = false;
    for (int64_t i = 0; i < count; i++)
        any |= rows[i] < 0;
    if (!any) {
        gather_bounded(call, out, pool, rows, count);
        return;
    }
    struct column all = {0}, null;
    column_all_null(&null, pool->type, 1);
    pool_add(&all, pool);
    int64_t nothing = pool_add(&all, &null);
    struct buffer *buffer = call_buffer(call, (size_t)count * sizeof(int32_t));
    int32_t *known = (int32_t *)(void *)buffer->data;
    for (int64_t i = 0; i < count; i++)
        known[i] = rows[i] < 0 ? (int32_t)nothing : rows[i];
    gather_bounded(call, out, &all, known, count);
    column_release(&all);
    column_release(&null);
    call_free(call, buffer);
}
