/* groups.c - watermark groups: flows whose watermark is one; each stateful node works for one group.
 *
 * In Spark each flow is a query with a W of its own, made of the watermarks in that query. leat runs all
 * flows as one graph, where a stateful node may serve several flows. It can follow only one W, so:
 *
 *     flow a, flow b   aggregate <- watermark 0                  one group {0}, the aggregate is there once
 *     flow c           union <- (that aggregate, watermark 1)    group {0, 1}: an aggregate of its own
 *
 * Out      roots of the optimiser may point to copies; plan->group is set; groups in the order of the roots
 * Copied   what groups must not share: stateful nodes, and what stands above them up to the flow's end.
 *          Watermarks and stateless nodes below stay shared, they work the same for everyone
 * Tables   a TABLE ends a query: below it stands the flow that writes the table, in the version of that
 *          flow's group
 */
#include "sql/optimise.h"

/* One group's version of a node. */
struct version {
    int32_t group;
    struct plan *plan;
    struct version *next;
};
struct splitter {
    struct optimiser *optimiser;
    struct arena *arena;
    int32_t *group_of;         /* per root, -1 = it keeps no state */
    int32_t *root_of;          /* per group: the first of its roots */
    bool *holds;               /* by plan id: a stateful node at or below, in the same query */
    struct version **versions; /* by plan id; a copy has the id of its original */
};

/* ---- which flows belong together ---- */

/* The watermarks of a flow's query; false when it keeps no state. */
static bool find_watermarks(const struct splitter *self, int32_t root, struct plan_list *out)
{
    bool stateful = false;
    struct plan_list below;
    plan_collect_query(self->arena, self->optimiser->roots[root], &below);
    *out = (struct plan_list){.nodes = below.nodes};
    for (int32_t i = 0; i < below.count; i++) {
        stateful = stateful || plan_keeps_state(below.nodes[i]);
        if (below.nodes[i]->kind == PLAN_WATERMARK)
            out->nodes[out->count++] = below.nodes[i];
    }
    return stateful;
}

static bool has_node(const struct plan_list *list, const struct plan *node)
{
    for (int32_t i = 0; i < list->count; i++)
        if (list->nodes[i] == node)
            return true;
    return false;
}

static bool same_set(const struct plan_list *a, const struct plan_list *b)
{
    bool same = a->count == b->count;
    for (int32_t i = 0; same && i < a->count; i++)
        same = has_node(b, a->nodes[i]);
    return same;
}

static int32_t number_groups(struct splitter *self)
{
    int32_t groups = 0, roots = self->optimiser->root_count;
    struct plan_list *sets = arena_array(self->arena, struct plan_list, (size_t)roots);
    for (int32_t r = 0; r < roots; r++) {
        int32_t group = 0;
        self->group_of[r] = -1;
        if (!find_watermarks(self, r, &sets[r]))
            continue;
        while (group < groups && !same_set(&sets[self->root_of[group]], &sets[r]))
            group++;
        if (group == groups)
            self->root_of[groups++] = r;
        self->group_of[r] = group;
    }
    return groups;
}

/* ---- a version of the graph for each ---- */

static struct plan *copy_node(struct arena *arena, const struct plan *node)
{
    struct plan *copy = arena_new(arena, struct plan);
    *copy = *node;
    if (node->more_inputs == NULL)
        return copy;
    copy->more_inputs = arena_array(arena, struct plan *, (size_t)node->input_count);
    memcpy(copy->more_inputs, node->more_inputs, (size_t)node->input_count * sizeof(struct plan *));
    return copy;
}

/* The first group that comes for a node gets the node itself. */
static struct plan *version_for(struct splitter *self, struct plan *node, int32_t group)
{
    if (!self->holds[node->id] || group < 0)
        return node;
    struct version **first = &self->versions[node->id];
    for (const struct version *known = *first; known != NULL; known = known->next)
        if (known->group == group)
            return known->plan;
    struct plan *plan = *first == NULL ? node : copy_node(self->arena, node);
    struct version *version = arena_new(self->arena, struct version);
    *version = (struct version){group, plan, *first};
    *first = version;
    plan->group = plan_keeps_state(plan) ? group : -1;
    for (int32_t i = 0; i < plan->input_count; i++)
        *plan_input_place(plan, i) = version_for(self, plan_input(plan, i), group);
    return plan;
}

static void find_state(struct splitter *self)
{
    const struct plan_list *nodes = &self->optimiser->nodes;
    for (int32_t i = 0; i < nodes->count; i++) {
        struct plan *node = nodes->nodes[i];
        node->group = -1;
        self->holds[i] = plan_keeps_state(node);
        for (int32_t j = 0; j < node->input_count && node->kind != PLAN_TABLE; j++)
            self->holds[i] = self->holds[i] || self->holds[plan_input(node, j)->id];
    }
}

/* Below a table stands the version that writes it. */
static void split_graph(struct splitter *self)
{
    struct optimiser *optimiser = self->optimiser;
    size_t count = (size_t)optimiser->nodes.count;
    self->holds = arena_array(self->arena, bool, count);
    self->versions = arena_array(self->arena, struct version *, count);
    find_state(self);
    for (int32_t r = 0; r < optimiser->root_count; r++)
        optimiser->roots[r] = version_for(self, optimiser->roots[r], self->group_of[r]);
    for (int32_t i = 0; i < optimiser->nodes.count; i++) {
        struct plan *node = optimiser->nodes.nodes[i];
        if (node->kind == PLAN_TABLE)
            node->inputs[0] = version_for(self, node->inputs[0], self->group_of[node->table.root]);
    }
}

void split_groups(struct optimiser *optimiser, struct group_list *out)
{
    struct arena *arena = optimiser->expr->arena;
    size_t roots = (size_t)optimiser->root_count;
    struct splitter self = {.optimiser = optimiser,
                            .arena = arena,
                            .group_of = arena_array(arena, int32_t, roots),
                            .root_of = arena_array(arena, int32_t, roots)};
    out->count = number_groups(&self);
    optimiser_collect(optimiser);
    split_graph(&self);
    out->watermarks = arena_array(arena, struct plan_list, (size_t)out->count);
    for (int32_t g = 0; g < out->count; g++) // again: one above a stateful node was copied with it
        find_watermarks(&self, self.root_of[g], &out->watermarks[g]);
    optimiser_collect(optimiser);
}
