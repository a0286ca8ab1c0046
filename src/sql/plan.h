/* plan.h - make plan nodes, walk them, ask about them.
 *
 * Shape    constructors compute the schema; a node is not changed after it is made, but for the
 *          optimiser's copies. Columns that a constructor adds come last, so indexes into the input
 *          stay valid over the new node
 * Owns     nodes live in the arena
 */
#ifndef SQL_PLAN_H
#define SQL_PLAN_H

#include "sql/sql.h"

struct plan *plan_new(struct arena *arena, enum plan_kind kind, const struct type *schema, struct position at);
struct plan *plan_over(struct arena *arena, enum plan_kind kind, struct plan *input, const struct type *schema,
                       struct position at);
struct plan *plan_filter(struct arena *arena, struct plan *input, const struct expr *predicate, struct position at);
/* names[i] names exprs[i]. */
struct plan *plan_project(struct arena *arena, struct plan *input, const struct expr *const *exprs,
                          const char *const *names, int32_t count, struct position at);
/* The input's columns and then `fields`. */
const struct type *schema_append(struct arena *arena, const struct type *schema, const struct field *fields,
                                 int32_t count);

static inline struct plan **plan_input_place(struct plan *plan, int32_t i)
{
    return plan->more_inputs != NULL ? &plan->more_inputs[i] : &plan->inputs[i];
}
/* The WATERMARK whose time the column carries: its column passed on, a window of it, the window_time
 * of that. NULL for anything computed otherwise, and for what was read from a table, as on Spark. */
const struct plan *plan_time_source(const struct plan *plan, int32_t column);
static inline bool plan_event_time(const struct plan *plan, int32_t column)
{
    return plan_time_source(plan, column) != NULL;
}
/* The same of an expression over `input`. */
const struct plan *expr_time_source(const struct plan *input, const struct expr *expr);
/* The only column with event time, -1 = none, -2 = several. */
int32_t plan_time_column(const struct plan *plan);
/* Whether the column is a session: grouping by it merges those that touch. */
bool plan_is_session(const struct plan *plan, int32_t column);
/* Whether a watermark stands below, in the same query: not behind a table. */
bool plan_watermarked(struct arena *arena, struct plan *plan);
/* Keeps something from epoch to epoch. */
bool plan_keeps_state(const struct plan *plan);

/* All nodes below the roots, inputs before users, each once. */
struct plan_list {
    struct plan **nodes;
    int32_t count, capacity;
};
void plan_collect(struct arena *arena, struct plan *const *roots, int32_t count, struct plan_list *out);
/* Those of one query: without what stands below a TABLE. */
void plan_collect_query(struct arena *arena, struct plan *root, struct plan_list *out);

/* ---- expressions over plans ---- */

/* Columns at and above this index are no columns of the input: marks of the analyser, see
 * select.h. */
enum { COLUMN_MARK = 1 << 20 };
/* Columns of the rows around a subquery, of those around these, ..: from COLUMN_OUTER + level * COLUMN_MARK on. */
enum { COLUMN_OUTER = 4 * COLUMN_MARK };
/* Among those of a level: its aggregate i, while its groups are not there yet. */
enum { OUTER_CALL = COLUMN_MARK / 2 };
struct plan *plan_bind_calls(struct arena *arena, struct plan *subquery, const struct expr *const *calls);
static inline int32_t outer_level(int32_t index) { return index < COLUMN_OUTER ? -1 : index / COLUMN_MARK - 4; }
/* Each expression of the node replaced; its inputs stay. */
typedef const struct expr *(*expr_map)(void *context, const struct expr *expr);
void plan_map_exprs(struct arena *arena, struct plan *plan, expr_map map, void *context);

/* Copy `expr`, with every EXPR_COLUMN replaced by what `replace` gives (never NULL). Nodes without
 * changes are shared. */
typedef const struct expr *(*expr_replace)(void *context, const struct expr *column);
const struct expr *expr_rewrite(struct arena *arena, const struct expr *expr, expr_replace replace, void *context);
/* Nodes of the tree, counted no further than just above `limit`: shared parts count as often as
 * they are used. */
int32_t expr_weight(const struct expr *expr, int32_t limit);
int32_t expr_height(const struct expr *expr);
/* The plan of a batch query as text, a line a node, inputs indented below their users; it is not run afterwards. */
void plan_print(struct arena *arena, struct plan *root, struct text *out);
/* Whether a marked column stands in it. */
bool expr_has_marks(const struct expr *expr);
/* Every expression of the node itself, whatever input it reads. */
void plan_each_expr(const struct plan *plan, void (*each)(void *context, const struct expr *expr), void *context);
/* The columns of the rows around that a subquery reads, top down, each time they stand there; stops when `each` says
 * false. */
void plan_each_outer(const struct plan *subquery, bool (*each)(void *context, const struct expr *column),
                     void *context);
void expr_each_column(const struct expr *expr, void (*each)(void *context, const struct expr *column), void *context);

#endif
