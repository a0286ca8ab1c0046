/* aggregate_box.h - inside expr/: one value kept in the state of an aggregate; zeroed = nothing seen.
 *
 * Fixed    a value of fixed width lies in the state itself
 * Box      a value of any type lies behind a pointer, as value_bytes.h has it
 * Owns     a box its bytes, counted in the owner's heap_bytes
 * Thread   that of the state
 */
#ifndef EXPR_AGGREGATE_BOX_H
#define EXPR_AGGREGATE_BOX_H

#include "expr/aggregate.h"

enum { SEEN_NOTHING, SEEN_VALUE, SEEN_NULL };
struct fixed {
    int64_t seen;
    state_int128 value; /* the low bytes hold a value of the column's width */
};
void fixed_set(struct fixed *fixed, const struct column *col, int64_t row);
void fixed_build(const struct fixed *fixed, const struct type *type, struct builder *out);
static inline bool type_is_boxed(const struct type *type) { return type_is_varlen(type) || type_is_nested(type); }

struct box {
    uint8_t *data; /* NULL = nothing seen */
    uint32_t size, capacity;
};
void box_put(struct box *box, struct bytes bytes, size_t *heap_bytes);
void box_set(struct box *box, const struct column *col, int64_t row, size_t *heap_bytes);
static inline bool box_is_null(const struct box *box) { return box->data == NULL || box->data[0] == 0; }
void box_build(const struct box *box, const struct type *type, struct builder *out);
/* The box's value against a row's; neither is NULL. */
int box_compare(const struct box *box, const struct column *col, int64_t row);
int boxes_compare(const struct box *a, const struct box *b, const struct type *type);

/* `count` boxes side by side; box k holds a value of the call's argument k. */
void boxes_save(const struct box *boxes, int count, struct text *out);
MUST_CHECK enum code boxes_load(const struct aggregate_call *call, int count, struct bytes *in, struct box *boxes,
                                size_t *heap_bytes, struct error *err);
void boxes_drop(struct box *boxes, int count, size_t *heap_bytes);

#endif
