/* prune.h - inside the pruning of columns: what is read of each node, and what a narrowed node gives.
 *
 * Shape    a slot is a column that a narrowed node gives: one that it had, or one field of a STRUCT that it had.
 *          Needs and slots speak of columns as analysed; expressions are moved to the slots of narrowed inputs
 * Owns     everything lives in the optimiser's arena
 */
#ifndef SQL_PRUNE_H
#define SQL_PRUNE_H

#include "sql/optimise.h"

struct need {
    bool whole;    /* the column as it is */
    bool validity; /* x IS NULL: the column, but none of its fields */
    bool *fields;  /* of a STRUCT column; NULL = none */
};
struct slot {
    int32_t column, field; /* what it was: field -1 = the whole column */
};
struct narrowed {       /* a node while it is worked on */
    struct need *needs; /* per column, as analysed */
    struct slot *slots; /* per column, as narrowed */
    int32_t slot_count;
    struct need *reads;          /* JOIN: what it and its users read of both inputs' columns */
    const struct type *sides[2]; /* JOIN: the inputs' schemas, as analysed */
};
struct pruner {
    struct optimiser *optimiser;
    struct arena *arena;
    struct narrowed *nodes; /* by plan id */
};
static inline struct narrowed *narrowed_of(const struct pruner *self, const struct plan *plan)
{
    return &self->nodes[plan->id];
}
static inline bool is_needed(const struct need *need) { return need->whole || need->validity || need->fields != NULL; }

/* ---- prune.c: down ---- */

void need_expr(const struct pruner *self, const struct plan *input, const struct expr *expr);
/* The same column is read one node further down. */
void need_same(const struct pruner *self, struct need *below, const struct need *need, const struct type *type);

/* ---- slots.c ---- */

int32_t slot_find(const struct narrowed *node, int32_t column, int32_t field);
void slot_add(const struct pruner *self, struct narrowed *node, int32_t column, int32_t field, int32_t capacity);
/* The slots of the input, and then `added` columns that the node itself makes. */
void slots_pass(const struct pruner *self, const struct plan *node, const struct plan *input, int32_t first_added,
                int32_t added);
/* What is needed of the columns of `was`: fields apart where the struct itself is not read. */
void slots_of_needs(const struct pruner *self, const struct need *needs, const struct type *was, struct narrowed *out);
bool slots_same(const struct narrowed *a, const struct narrowed *b);
const struct type *slots_schema(const struct pruner *self, const struct type *was, const struct narrowed *node);
/* A projection over `input` that gives the slots wanted, and then `extra` when it is not NULL; NULL when the input
 * gives just them already. */
struct plan *slots_pick(const struct pruner *self, struct plan *input, const struct type *was,
                        const struct narrowed *wanted, const struct expr *extra, struct position at);
/* Slot number `slot` of an input with this schema, as a column. */
const struct expr *slot_column(const struct pruner *self, const struct expr *expr, const struct type *schema,
                               int32_t slot);
/* Expressions moved to the slots of `input`. */
const struct expr *narrow_expr(const struct pruner *self, const struct plan *input, const struct expr *expr);
const struct expr *const *narrow_list(const struct pruner *self, const struct plan *input,
                                      const struct expr *const *exprs, int32_t count);

/* ---- narrow.c, prune_join.c ---- */

void narrow_node(struct pruner *self, struct plan *node);
/* A join that gives both inputs' columns; others keep everything. */
bool is_plain_join(const struct plan *node);
/* A value for each row from a subquery that reads nothing of the row. */
bool is_plain_apply(const struct plan *node);
void need_join(const struct pruner *self, const struct plan *node);
void narrow_join(const struct pruner *self, struct plan *node);

#endif
