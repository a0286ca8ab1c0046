/* push.c - move filters towards the sources, where fewer columns have to be computed for rows that
 * go away. */
#include "sql/push.h"

#include "sql/predicate.h"

struct trivially {
    const struct plan *project;
    bool all;
};

static void check_trivial(void *context, const struct expr *column)
{
    struct trivially *self = context;
    self->all = self->all && column->index < COLUMN_MARK &&
                expr_is_trivial(self->project->exprs[column->index]);
}

/* The filter becomes what stood below it, over a new filter: its users keep their pointer. */
static struct plan *swap(struct arena *arena, struct plan *filter, const struct expr *predicate)
{
    struct plan below = *filter->inputs[0];
    struct plan *moved = plan_filter(arena, below.inputs[0], predicate, filter->at);
    int32_t users = filter->user_count;
    moved->user_count = 1;
    *filter = below;
    filter->user_count = users;
    filter->inputs[0] = moved;
    filter->height = moved->height + 1;
    return moved;
}

/* `go` goes below what stands under the filter, `stay` stays above it. */
static struct plan *part(struct optimiser *self, struct plan *filter, const struct list *stay,
                         const struct list *go)
{
    struct plan *node = filter->inputs[0];
    if (go->count == 0)
        return NULL;
    const struct expr *below = predicate_all(self->expr, go);
    if (stay->count == 0)
        return swap(self->expr->arena, filter, below);
    const struct expr **exprs = arena_new(self->expr->arena, const struct expr *);
    exprs[0] = predicate_all(self->expr, stay);
    filter->exprs = exprs;
    node->inputs[0] = plan_filter(self->expr->arena, node->inputs[0], below, filter->at);
    node->inputs[0]->user_count = 1;
    return node->inputs[0];
}

/* Conjuncts about the event time stay above the watermark, the rest goes below, as in Spark. */
static struct plan *push_watermark(struct optimiser *self, struct plan *filter)
{
    int32_t time = filter->inputs[0]->watermark.column;
    struct list parts = {0}, stay = {0}, go = {0};
    predicate_split(self->expr->arena, filter->exprs[0], &parts);
    for (int32_t i = 0; i < parts.count; i++) {
        bool stays =
            predicate_reads_column(parts.items[i], time) || expr_is_volatile(parts.items[i]);
        list_add(self->expr->arena, stays ? &stay : &go, parts.items[i]);
    }
    return part(self, filter, &stay, &go);
}

struct keyed {
    const struct plan_aggregate *aggregate;
    bool all;
};

static const struct expr *key_of(void *context, const struct expr *column)
{
    struct keyed *self = context;
    bool key =
        column->index < self->aggregate->key_count && self->aggregate->keys[column->index] != NULL;
    self->all = self->all && key;
    return key ? self->aggregate->keys[column->index] : column;
}

/* What reads group keys alone decides about whole groups: their rows need not come. Windows are made by the node. */
static struct plan *push_aggregate(struct optimiser *self, struct plan *filter)
{
    struct list parts = {0}, stay = {0}, go = {0};
    predicate_split(self->expr->arena, filter->exprs[0], &parts);
    for (int32_t i = 0; i < parts.count; i++) {
        struct keyed keyed = {&filter->inputs[0]->aggregate, !expr_is_volatile(parts.items[i])};
        const struct expr *below = expr_rewrite(self->expr->arena, parts.items[i], key_of, &keyed);
        bool reads = predicate_reads(parts.items[i], INT32_MAX) != READS_NOTHING;
        list_add(self->expr->arena, keyed.all && reads ? &go : &stay,
                 keyed.all && reads ? below : parts.items[i]);
    }
    return part(self, filter, &stay, &go);
}

static struct plan *push_project(struct optimiser *self, struct plan *filter)
{
    const struct plan *project = filter->inputs[0];
    struct trivially trivially = {project, true};
    expr_each_column(filter->exprs[0], check_trivial, &trivially);
    if (!trivially.all || expr_is_volatile(filter->exprs[0]))
        return NULL;
    for (int32_t i = 0; i < project->expr_count; i++)
        if (expr_is_volatile(project->exprs[i]))
            return NULL;
    return swap(self->expr->arena, filter,
                expr_through(self->expr->arena, filter->exprs[0], project));
}

/* Into every input: below each input's watermark. The filter becomes the union. */
static void push_union(struct optimiser *self, struct plan *filter)
{
    struct plan *below = filter->inputs[0];
    int32_t users = filter->user_count;
    const struct expr *predicate = filter->exprs[0];
    if (expr_is_volatile(predicate))
        return;
    *filter = *below;
    filter->user_count = users;
    plan_abandon(below);
    for (int32_t i = 0; i < filter->input_count; i++) {
        struct plan **place = plan_input_place(filter, i);
        *place = plan_filter(self->expr->arena, *place, predicate, predicate->at);
        (*place)->user_count = 1;
        push_down(self, *place);
    }
}

enum { COMPARED_MAX = 64 }; // parts: with more, what is there twice is computed twice

/* Both conditions, each part once: joins imply the same of a key that they share. */
static const struct expr *merged(struct optimiser *self, const struct expr *below,
                                 const struct expr *above)
{
    struct list parts = {0}, more = {0};
    predicate_split(self->expr->arena, below, &parts);
    predicate_split(self->expr->arena, above, &more);
    int32_t count = parts.count;
    for (int32_t i = 0; i < more.count; i++) {
        bool fresh = true;
        for (int32_t j = 0; fresh && j < count && count <= COMPARED_MAX; j++)
            fresh = !expr_equal(parts.items[j], more.items[i]);
        if (fresh)
            list_add(self->expr->arena, &parts, more.items[i]);
    }
    return predicate_all(self->expr, &parts);
}

/* Whether a part of the predicate would go below a watermark here. */
static bool passes_watermark(struct optimiser *self, const struct expr *predicate,
                             const struct plan *node)
{
    struct list parts = {0};
    struct trivially trivially = {node, true};
    if (node->kind == PLAN_WATERMARK)
        predicate_split(self->expr->arena, predicate, &parts);
    for (int32_t i = 0; i < parts.count; i++)
        if (!predicate_reads_column(parts.items[i], node->watermark.column) &&
            !expr_is_volatile(parts.items[i]))
            return true;
    if (node->kind != PLAN_PROJECT)
        return false;
    expr_each_column(predicate, check_trivial, &trivially);
    return trivially.all && !expr_is_volatile(predicate) &&
           passes_watermark(self, expr_through(self->expr->arena, predicate, node),
                            node->inputs[0]);
}

/* In Spark each query has watermarks of its own, which only see the rows that its filters let pass. So the filter gets
 * its own copy of a watermark that others use, too; what computes rows below stays shared. */
static bool unshare(struct optimiser *self, struct plan *filter)
{
    struct plan *below = filter->inputs[0];
    if (!passes_watermark(self, filter->exprs[0], below))
        return false;
    struct plan *copy = arena_new(self->expr->arena, struct plan);
    *copy = *below;
    copy->user_count = 1;
    below->user_count--;
    copy->inputs[0]->user_count++;
    filter->inputs[0] = copy;
    return true;
}

static struct plan *push_filter(struct optimiser *self, struct plan *filter)
{
    if (filter->inputs[0]->user_count > 1 && !unshare(self, filter))
        return NULL;
    struct plan *below = filter->inputs[0];
    switch (below->kind) {
    case PLAN_FILTER: {
        const struct expr **exprs = arena_new(self->expr->arena, const struct expr *);
        exprs[0] = merged(self, below->exprs[0], filter->exprs[0]);
        filter->exprs = exprs;
        filter->inputs[0] = below->inputs[0];
        plan_abandon(below);
        return filter;
    }
    case PLAN_UNION: push_union(self, filter); return NULL;
    case PLAN_JOIN: push_into_join(self, filter); return NULL;
    case PLAN_PROJECT: return push_project(self, filter);
    case PLAN_DECODE:
        if (predicate_reads_column(filter->exprs[0], below->schema->field_count - 1))
            return NULL;
        return swap(self->expr->arena, filter, filter->exprs[0]);
    case PLAN_GENERATE:
        for (int32_t i = below->inputs[0]->schema->field_count; i < below->schema->field_count; i++)
            if (predicate_reads_column(filter->exprs[0], i))
                return NULL;
        return swap(self->expr->arena, filter, filter->exprs[0]);
    case PLAN_TABLE: return swap(self->expr->arena, filter, filter->exprs[0]);
    case PLAN_WATERMARK: return push_watermark(self, filter);
    case PLAN_AGGREGATE: return push_aggregate(self, filter);
    default: return NULL;
    }
}

void plan_abandon(struct plan *node)
{
    node->kind = PLAN_VALUES;
    node->input_count = 0;
    node->user_count = 0;
}

void push_down(struct optimiser *self, struct plan *filter)
{
    while (filter != NULL && filter->kind == PLAN_FILTER)
        filter = push_filter(self, filter);
}

void push_filters(struct optimiser *self)
{
    optimiser_collect(self);
    for (int32_t i = self->nodes.count - 1; i >= 0; i--) {
        struct plan *node = self->nodes.nodes[i];
        if (node->kind == PLAN_FILTER)
            push_down(self, node);
        else if (node->kind == PLAN_JOIN)
            push_join(self, node);
    }
}
