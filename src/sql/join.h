/* join.h - what ON says, taken apart as Spark takes it apart, and the rules for streams.
 *
 *     a JOIN b ON a.id = b.id AND a.at >= b.at - INTERVAL 1 MINUTE AND b.v > 0
 *
 *     keys        a.id, b.id                            equalities between the sides
 *     only        right: v > 0                          reads one side alone
 *     condition   a.at >= b.at - INTERVAL 1 MINUTE      the rest
 *     bounded     left by W - 1 minute - 1 ms           what the condition says about the event times
 *
 * Shape    while FROM and WHERE are analysed, a join is open: its conditions are a list, so that WHERE can add to
 *          it (`FROM a, b WHERE a.id = b.id`). Closing takes them apart into node->join and checks the rules
 * Spec     Spark 4.2: ExtractEquiJoinKeys, StreamingJoinHelper, UnsupportedOperationChecker
 */
#ifndef SQL_JOIN_H
#define SQL_JOIN_H

#include "sql/analyser.h"
#include "sql/predicate.h"

/* A join of two plans without conditions; the schema is that of its kind. */
struct plan *join_node(struct analyser *self, enum join_kind kind, struct plan *left, struct plan *right,
                       struct position at);

/* ---- analyse_join.c ---- */

struct open_join {
    struct plan *node;
    struct list conditions; /* const struct expr *, over both sides' columns */
};

/* analyse_on.c: ON, typed over the join, with subqueries of it above the join. */
MUST_CHECK enum code on_subqueries(struct analyser *analyser, const struct ast_relation *join, struct rowset *rows,
                                   struct open_join *open, const struct expr *condition);
MUST_CHECK enum code analyse_join(struct analyser *self, const struct ast_relation *join, const struct scope *outer,
                                  struct rowset *out);
/* Joins made from here on are open until joins_close() gets what joins_open() gave. */
struct list joins_open(struct analyser *self);
MUST_CHECK enum code joins_close(struct analyser *self, const struct list *before);
/* Move the conjunct of WHERE into an open inner join below `plan`; false: it must stay above. */
bool joins_take(struct analyser *self, struct plan *plan, const struct expr *conjunct);

/* ---- join_parts.c, join_bounds.c, join_rules.c ---- */

/* Conditions over both sides' columns, all of which must hold, into node->join. */
void join_take_apart(struct expr_context *ctx, struct plan *node, const struct list *conditions);
/* The side's column with event time: one that the join reads, else the first; -1 = none. */
int32_t join_time_column(const struct plan *node, int side);
/* `bounded` and `shift_us` of both sides, from node->join.condition and the time columns. */
void join_find_bounds(struct expr_context *ctx, struct plan *node);
MUST_CHECK enum code join_check_rules(struct analyser *self, const struct plan *node);
/* Of the finished graph: each input of a join of streams has one event time at most. */
MUST_CHECK enum code joins_check_times(struct analyser *self, struct plan *const *nodes, int32_t count);
const char *join_kind_text(enum join_kind kind); /* "LEFT JOIN" */

#endif
