/* select.h - one SELECT while it is analysed: its list, its groups, its window functions. */
#ifndef SQL_SELECT_H
#define SQL_SELECT_H

#include "sql/analyser.h"

/* One output column. Stars are expanded into several. */
struct target {
    const struct ast *ast; /* NULL when a star or generator made it */
    const char *name, *qualifier;
    const char *alias;       /* as written, or NULL */
    const struct expr *expr; /* NULL until analysed */
    struct position at;
};
/* Which keys a grouping set keeps. */
struct group_set {
    int32_t keys[SQL_GROUPING_KEYS_MAX];
    int32_t count;
};
struct select {
    const struct ast_select *ast;
    struct rowset *rows; /* what expressions are over, before grouping */
    const struct scope *outer;
    struct target *targets;
    int32_t target_count;
    /* groups */
    bool grouped, grouping;    /* grouping: its keys are being analysed */
    const char *grouping_sets; /* ROLLUP, .. or NULL */
    struct list keys;          /* const struct expr *; the window's is the marked column */
    struct list sets;          /* struct group_set *: of a session's query with grouping sets */
    bool sets_repeat;          /* one stands there twice */
    bool one_empty_set;        /* GROUPING SETS (()) is no set: all rows are one group */
    struct plan_window window; /* among the keys, as written */
    const struct type *window_type;
    const char *window_name;
    struct plan_window projected; /* in the list but no key; .key = its column of the rows, -1 = none */
    struct list calls;            /* const struct aggregate_call * */
    struct list call_names;
    /* window functions */
    struct list overs; /* struct plan_over *, over the rows */
    struct list over_names;
    int32_t over_first; /* their first column in `lifted` */
    /* subqueries of a session's query: columns of `lifted`, as it grows */
    struct list subqueries; /* struct subquery * */
    struct plan *lifted;    /* the plan above the groups, once there is one */
    struct list generators; /* struct grouped_generator *: of a list with groups */
    int32_t generated;      /* columns of all of them */
    const char *lifting;    /* the clause at hand, which sees the list and the keys; NULL: the list itself */
};

/* star.c: the columns that a star stands for. */
struct star_column {
    const char *name, *qualifier;
    const struct expr *expr;
};
struct star {
    struct star_column *columns;
    int32_t count;
};
MUST_CHECK enum code star_expand(struct analyser *self, const struct scope *scope, const struct ast *star,
                                 struct star *out);

/* generate_groups.c: explode(collect_list(a)): a generator over the groups, not below them. */
struct grouped_generator {
    struct bound_generator generator; /* args over the rows, with marks */
    int32_t mark, column;             /* its first column: among all generated; of `lifted` once it is there */
    struct position at;
};
bool select_has_groups(const struct ast_select *ast);
MUST_CHECK enum code select_generator(struct analyser *self, struct select *select, const struct ast_item *item,
                                      struct grouped_generator **out);
MUST_CHECK enum code select_generate(struct analyser *self, struct select *select); /* over select->lifted */
/* The generator that a column is of; NULL: of none. */
const struct grouped_generator *generator_of(const struct select *select, const struct expr *expr);

/* A subquery in an expression: what the APPLY will be, and its column once it is there. */
struct subquery {
    enum apply_kind kind;
    struct plan *plan;          /* marks of level 0: columns of the rows */
    const struct expr **sought; /* IN: over the rows */
    int32_t sought_count;
    const struct type *type;
    int32_t column; /* of `lifted`; -1 = not there yet */
    struct position at;
};
/* The rows with one column more. */
struct plan *apply_subquery(struct analyser *self, struct plan *rows, const struct subquery *subquery);

bool is_ordinal(const struct ast *ast); /* a whole number: the place of a column */
MUST_CHECK enum code select_expand(struct analyser *self, struct select *select); /* the SELECT list into targets */
/* grouping(key) and grouping_id(): from the number of the set. */
MUST_CHECK enum code select_grouping(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                     const struct expr **out);
/* Columns of keys in front of the aggregates: with grouping sets the number of the set is one more. */
static inline int32_t select_key_columns(const struct select *select)
{
    return select->keys.count + (select->sets.count > 0);
}
/* grouping_sets.c */
MUST_CHECK enum code select_sets(struct analyser *self, struct select *select);
MUST_CHECK enum code select_key(struct analyser *self, struct select *select, const struct ast *ast,
                                struct group_set *set);
struct plan *expand_sets(struct analyser *self, const struct select *select);
MUST_CHECK enum code select_keys(struct analyser *self, struct select *select); /* GROUP BY */
/* AGGREGATE over the rows, from keys and calls. */
MUST_CHECK enum code select_group(struct analyser *self, struct select *select, struct plan **out);
/* What rows are grouped by. The window's key is any placeholder: its own column of the schema. */
struct group {
    const struct type *schema; /* keys, then calls */
    const struct expr *const *keys;
    int32_t key_count;
    const struct aggregate_call *const *calls;
    int32_t call_count;
    struct plan_window window; /* .key -1 = none */
};
/* batch_windows.c: rows that stand still, by their windows or sessions. */
MUST_CHECK enum code group_by_windows(struct analyser *self, struct plan *input, const struct group *group,
                                      struct position at, struct plan **out);
/* The window of each row as a column; rows without one fall out. */
MUST_CHECK enum code window_column(struct analyser *self, struct rowset *rows, const struct plan_window *window,
                                   struct position at, const struct expr **out);
/* The AGGREGATE, with what Spark asks of one over a stream. */
MUST_CHECK enum code group_rows(struct analyser *self, struct plan *input, const struct group *group,
                                struct position at, struct plan **out);
/* Move an expression with marks over select->lifted. */
MUST_CHECK enum code select_lift(struct analyser *self, struct select *select, const struct expr *expr,
                                 const struct expr **out);
/* The window among the keys, as a marked column. */
const struct expr *select_window_column(struct analyser *self, const struct select *select, struct position at);
void select_scope(struct select *select, const char *clause, struct scope *out);

#endif
