/* pick.h - inside expr/: lists made of elements picked from a pool of elements.
 *
 * Use      picks_open; for each row that picks_next gives: picks_add(index in the pool) for its elements,
 *          picks_end; picks_close gathers the elements and moves the list into call->out (validity is the caller's)
 * Pool     any column; pool_add appends another column of the same type and gives the index of its row 0
 */
#ifndef EXPR_PICK_H
#define EXPR_PICK_H

#include "expr/function.h"

struct picks {
    struct call *call;
    int32_t *rows; /* indexes into the pool */
    int64_t count, capacity;
    struct buffer *offsets;
    int64_t row;
};
void picks_open(struct picks *picks, struct call *call);
void picks_add(struct picks *picks, int64_t index);
void picks_end(struct picks *picks); /* the row's list ends */
/* The next row that is not NULL, or -1 behind the last; NULL rows get their empty range. */
static inline int64_t picks_next(struct picks *picks)
{
    while (picks->row < picks->call->rows && !call_valid(picks->call, picks->row))
        picks_end(picks);
    return picks->row < picks->call->rows ? picks->row : -1;
}
/* How many elements the row has so far. */
static inline int64_t picks_size(const struct picks *picks)
{
    return picks->count - ((const int32_t *)(const void *)picks->offsets->data)[picks->row];
}
/* children[0..child_count) of the list are gathered from pools[0..child_count). */
void picks_close(struct picks *picks, const struct column *pools, int32_t child_count);

/* Elements of the argument's lists: [first, last) for the row. */
static inline void list_range(const struct arg *arg, int64_t row, int32_t *first, int32_t *last)
{
    const int32_t *offsets = column_offsets(arg->col);
    *first = offsets[row * arg->step];
    *last = offsets[row * arg->step + 1];
}
/* Index of the column's row 0 in the pool. */
int64_t pool_add(struct column *pool, const struct column *col);
/* column_gather for rows that repeat: NULLs when that is too big, and all rows of the call are rejected. */
void gather_bounded(struct call *call, struct column *out, const struct column *pool, const int32_t *rows,
                    int64_t count);
/* Rejects all rows of the call: what it makes of them together is too big. */
void call_reject_all(struct call *call);
/* out = pool rows by index; -1 is NULL. */
void gather_or_null(struct call *call, struct column *out, const struct column *pool, const int32_t *rows,
                    int64_t count);

#endif
