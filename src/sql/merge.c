/* merge.c - projections over projections become one.
 *
 * A projection that several nodes use and that computes something stays: its users share the
 * result. One that only picks columns costs nothing and is seen through. An expression that a
 * merged projection uses twice is computed once: programs share common sub-expressions.
 */
#include "sql/optimise.h"

enum { MERGED_WEIGHT_MAX = 2000 }; // nodes of one expression: past that a column in between is cheaper

struct use {
    const struct plan *project;
    bool trivial, is_volatile;
};

static void check_use(void *context, const struct expr *column)
{
    struct use *self = context;
    if (column->index >= COLUMN_MARK) {
        self->trivial = false;
        self->is_volatile = true;
        return;
    }
    const struct expr *below = self->project->exprs[column->index];
    self->trivial = self->trivial && expr_is_trivial(below);
    self->is_volatile = self->is_volatile || expr_is_volatile(below);
}

static bool may_merge(const struct plan *node, const struct plan *below)
{
    struct use use = {below, true, false};
    if (below->kind != PLAN_PROJECT)
        return false;
    for (int32_t i = 0; i < node->expr_count; i++)
        expr_each_column(node->exprs[i], check_use, &use);
    return !use.is_volatile && (use.trivial || below->user_count == 1);
}

static bool merge(struct optimiser *self, struct plan *node)
{
    struct plan *below = node->inputs[0];
    if (!may_merge(node, below))
        return false;
    const struct expr **exprs = arena_array(self->expr->arena, const struct expr *, (size_t)node->expr_count);
    for (int32_t i = 0; i < node->expr_count; i++) {
        exprs[i] = expr_through(self->expr->arena, node->exprs[i], below);
        if (expr_weight(exprs[i], MERGED_WEIGHT_MAX) > MERGED_WEIGHT_MAX)
            return false;
    }
    node->exprs = exprs;
    node->inputs[0] = below->inputs[0];
    below->user_count--;
    if (below->user_count > 0)
        node->inputs[0]->user_count++;
    return true;
}

void merge_projects(struct optimiser *self)
{
    optimiser_collect(self);
    for (int32_t i = 0; i < self->nodes.count; i++)
        if (self->nodes.nodes[i]->kind == PLAN_PROJECT)
            while (merge(self, self->nodes.nodes[i]))
                ;
}
