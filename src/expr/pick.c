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
    mem_grow(picks->rows, picks->capacity, picks->count + 1);
    picks->rows[picks->count++] = (int32_t)index;
}

void picks_end(struct picks *picks)
{
    int32_t *offsets = (int32_t *)(void *)picks->offsets->data;
    if (!call_valid(picks->call, picks->row))
        picks->count = offsets[picks->row]; // a NULL list has an empty range
    offsets[++picks->row] = (int32_t)picks->count;
}

void picks_close(struct picks *picks, const struct column *pools, int32_t child_count)
{
    struct column *out = picks->call->out;
    always(picks->row == picks->call->rows);
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

void gather_or_null(struct call *call, struct column *out, const struct column *pool,
                    const int32_t *rows, int64_t count)
{
    bool any = false;
    for (int64_t i = 0; i < count; i++)
        any |= rows[i] < 0;
    if (!any) {
        column_gather(out, pool, rows, count);
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
    column_gather(out, &all, known, count);
    column_release(&all);
    column_release(&null);
    call_free(call, buffer);
}
