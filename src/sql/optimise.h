/* optimise.h - one graph for all tables: equal nodes once, columns nobody reads gone, projections
 * merged.
 *
 * In       the plans of all flows, as analysed; nodes are changed in place
 * Out      the same rows from fewer nodes, numbered inputs first; roots[] are replaced where their
 *          node changed
 * Passes   fold    constant expressions become literals; one that fails stays as it is
 *          share   structurally equal nodes over the same inputs are one
 *          push    filters go below projections and decodes that they do not need, and below
 *                  watermarks where Spark does it
 *          test    what a filter over files asks of single columns is told to who reads them
 *          merge   a projection over one that only it uses, or that only picks columns, becomes one
 *          tables  a TABLE below which nothing knows event time or keeps state is no seam and goes
 *          windows window functions without a common key of PARTITION BY get nodes of their own
 *          prune   columns, decoded fields and aggregate calls that no user reads are left out;
 *                  below a filter stands a projection that picks what is needed
 *          limits  a sort whose first rows alone are asked for is told so
 *          split   stateful nodes that flows with different watermarks share are there once for
 *                  each: groups.c
 */
#ifndef SQL_OPTIMISE_H
#define SQL_OPTIMISE_H

#include "sql/plan.h"

struct optimiser {
    struct expr_context *expr;
    struct plan **roots;
    int32_t root_count;
    struct plan_list nodes; /* fresh after optimiser_collect: ids and user counts too */
};
struct group_list {
    struct plan_list *watermarks; /* per group: the WATERMARK nodes whose smallest is its W */
    int32_t count;
};
void optimise(struct expr_context *ctx, struct plan **roots, int32_t count, struct plan_list *out,
              struct group_list *groups);
/* fingerprint.c: identities of the nodes that keep something; the fingerprint of all. */
uint64_t plan_identify(struct pipeline *pipeline);

void optimiser_collect(struct optimiser *self);
void fold_constants(struct optimiser *self);
void share_nodes(struct optimiser *self);
void push_filters(struct optimiser *self);
void test_sources(struct optimiser *self); /* source_tests.c */
void merge_projects(struct optimiser *self);
void prune_columns(struct optimiser *self);
void split_windows(struct optimiser *self);
void split_groups(struct optimiser *self, struct group_list *out);

/* A column, a field of one, a literal: costs nothing and may be written down twice. */
bool expr_is_trivial(const struct expr *expr);
/* Differs from evaluation to evaluation: must stay where it is. */
bool expr_is_volatile(const struct expr *expr);
/* `expr` over the project's output, as an expression over its input. */
const struct expr *expr_through(struct arena *arena, const struct expr *expr, const struct plan *project);

#endif
