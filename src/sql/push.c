/* push.c - move filters towards the sources, where fewer columns have to be computed for rows that
 * go away.
 *
 * Watermarks   a filter goes below every watermark that Spark's would: what it drops does not move
 *              the watermark there. Only conditions on the event time stay above
 * Seams        not below PLAN_TABLE: another query computes the rows of the table */
#include "sql/push.h"

#include "sql/predicate.h"

static bool passes_watermark(struct optimiser *self, const struct expr *predicate, const struct plan *node);

struct trivially {
    const struct plan *project;
    bool all;
};

static void check_trivial(void *context, const struct expr *column)
{
    struct trivially *self = context;
    self->all = self->all && column->index < COLUMN_MARK && expr_is_trivial(self->project->exprs[column->index]);
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
static struct plan *part(struct optimiser *self, struct plan *filter, const struct list *stay, const struct list *go)
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
static void part_watermark(struct optimiser *self, const struct expr *predicate, const struct plan *watermark,
                           struct list *stay, struct list *go)
{
    struct list parts = {0};
    predicate_split(self->expr->arena, predicate, &parts);
    for (int32_t i = 0; i < parts.count; i++) {
        bool stays =
            predicate_reads_column(parts.items[i], watermark->watermark.column) || expr_is_volatile(parts.items[i]);
        list_add(self->expr->arena, stays ? stay : go, parts.items[i]);
    }
}

static struct plan *push_watermark(struct optimiser *self, struct plan *filter)
{
    struct list stay = {0}, go = {0};
    part_watermark(self, filter->exprs[0], filter->inputs[0], &stay, &go);
    return part(self, filter, &stay, &go);
}

struct keyed {
    const struct plan_aggregate *aggregate;
    bool all;
};

static const struct expr *key_of(void *context, const struct expr *column)
{
    struct keyed *self = context;
    bool key = column->index < self->aggregate->key_count && self->aggregate->keys[column->index] != NULL;
    self->all = self->all && key;
    return key ? self->aggregate->keys[column->index] : column;
}

/* What reads group keys alone decides about whole groups: their rows need not come. Windows are
 * made by the node. */
static void part_aggregate(struct optimiser *self, const struct expr *predicate, const struct plan *aggregate,
                           struct list *stay, struct list *go)
{
    struct list parts = {0};
    predicate_split(self->expr->arena, predicate, &parts);
    for (int32_t i = 0; i < parts.count; i++) {
        struct keyed keyed = {&aggregate->aggregate, !expr_is_volatile(parts.items[i])};
        const struct expr *below = expr_rewrite(self->expr->arena, parts.items[i], key_of, &keyed);
        bool reads = predicate_reads(parts.items[i], INT32_MAX) != READS_NOTHING;
        list_add(self->expr->arena, keyed.all && reads ? go : stay, keyed.all && reads ? below : parts.items[i]);
    }
}

static struct plan *push_aggregate(struct optimiser *self, struct plan *filter)
{
    struct list stay = {0}, go = {0};
    part_aggregate(self, filter->exprs[0], filter->inputs[0], &stay, &go);
    return part(self, filter, &stay, &go);
}

/* Columns that the node only appends are known above it alone. */
static void part_appending(struct optimiser *self, const struct expr *predicate, const struct plan *node,
                           struct list *stay, struct list *go)
{
    int32_t passed = node->inputs[0]->schema->field_count;
    struct list parts = {0};
    predicate_split(self->expr->arena, predicate, &parts);
    for (int32_t i = 0; i < parts.count; i++) {
        bool stays = expr_is_volatile(parts.items[i]);
        for (int32_t c = passed; !stays && c < node->schema->field_count; c++)
            stays = predicate_reads_column(parts.items[i], c);
        list_add(self->expr->arena, stays ? stay : go, parts.items[i]);
    }
}

static bool is_repeatable(const struct plan *project, const struct expr *predicate)
{
    bool repeatable = !expr_is_volatile(predicate);
    for (int32_t i = 0; repeatable && i < project->expr_count; i++)
        repeatable = !expr_is_volatile(project->exprs[i]);
    return repeatable;
}

static bool any_passes(struct optimiser *self, const struct list *go, const struct plan *node)
{
    return go->count > 0 && passes_watermark(self, predicate_all(self->expr, go), node->inputs[0]);
}

/* Whether a part of the predicate would go below a watermark here. */
static bool passes_watermark(struct optimiser *self, const struct expr *predicate, const struct plan *node)
{
    struct list stay = {0}, go = {0};
    switch (node->kind) {
    case PLAN_WATERMARK: part_watermark(self, predicate, node, &stay, &go); return go.count > 0;
    case PLAN_FILTER: return passes_watermark(self, predicate, node->inputs[0]);
    case PLAN_PROJECT:
        return is_repeatable(node, predicate) &&
               passes_watermark(self, expr_through(self->expr->arena, predicate, node), node->inputs[0]);
    case PLAN_AGGREGATE: part_aggregate(self, predicate, node, &stay, &go); break;
    case PLAN_GENERATE: part_appending(self, predicate, node, &stay, &go); break;
    case PLAN_DECODE:
        if (node->inputs[0]->kind == PLAN_WATERMARK) {
            part_watermark(self, predicate, node->inputs[0], &stay, &go);
            return go.count > 0;
        }
        part_appending(self, predicate, node, &stay, &go);
        break;
    case PLAN_UNION:
        for (int32_t i = 0; i < node->input_count; i++)
            if (!expr_is_volatile(predicate) && passes_watermark(self, predicate, plan_input(node, i)))
                return true;
        break;
    default: break;
    }
    return any_passes(self, &go, node);
}

/* For the one who reads it at `place`; what computes rows below stays shared. */
static struct plan *own_copy(struct optimiser *self, struct plan **place)
{
    struct plan *shared = *place, *copy = arena_new(self->expr->arena, struct plan);
    *copy = *shared;
    copy->user_count = 1;
    shared->user_count--;
    if (shared->more_inputs != NULL) {
        copy->more_inputs = arena_array(self->expr->arena, struct plan *, (size_t)shared->input_count);
        memcpy(copy->more_inputs, shared->more_inputs, (size_t)shared->input_count * sizeof *copy->more_inputs);
    }
    for (int32_t i = 0; i < copy->input_count; i++)
        plan_input(copy, i)->user_count++;
    *place = copy;
    return copy;
}

/* In Spark each query has watermarks of its own, which only see the rows that its filters let pass.
 * So the filter gets its own copy of a watermark that others use, and of what stands between. */
static bool unshare(struct optimiser *self, struct plan *filter)
{
    if (!passes_watermark(self, filter->exprs[0], filter->inputs[0]))
        return false;
    own_copy(self, &filter->inputs[0]);
    return true;
}

/* What would have to be computed twice moves only where it must: a watermark below sees fewer rows
 * then. */
static struct plan *push_project(struct optimiser *self, struct plan *filter)
{
    const struct plan *project = filter->inputs[0];
    struct trivially trivially = {project, true};
    expr_each_column(filter->exprs[0], check_trivial, &trivially);
    if (!is_repeatable(project, filter->exprs[0]))
        return NULL;
    if (!trivially.all && !passes_watermark(self, filter->exprs[0], project))
        return NULL;
    return swap(self->expr->arena, filter, expr_through(self->expr->arena, filter->exprs[0], project));
}

/* A watermark on what the source gives, below the decode of the payload: it moves above the decode,
 * where the filter can go below it. The decode keeps all columns in their places. */
static bool raise_watermark(struct optimiser *self, struct plan *decode)
{
    struct plan *below = decode->inputs[0];
    if (below->kind != PLAN_WATERMARK)
        return false;
    if (below->user_count > 1)
        below = own_copy(self, &decode->inputs[0]);
    struct plan watermark = *below;
    *below = *decode;
    below->inputs[0] = watermark.inputs[0];
    below->height = watermark.height;
    below->user_count = 1;
    watermark.inputs[0] = below;
    watermark.schema = decode->schema;
    watermark.height = decode->height;
    watermark.user_count = decode->user_count;
    *decode = watermark;
    return true;
}

static struct plan *push_decode(struct optimiser *self, struct plan *filter)
{
    struct plan *decode = filter->inputs[0];
    struct list stay = {0}, go = {0};
    part_appending(self, filter->exprs[0], decode, &stay, &go);
    if (stay.count > 0 && raise_watermark(self, decode))
        return filter;
    return part(self, filter, &stay, &go);
}

static struct plan *push_generate(struct optimiser *self, struct plan *filter)
{
    struct list stay = {0}, go = {0};
    part_appending(self, filter->exprs[0], filter->inputs[0], &stay, &go);
    return part(self, filter, &stay, &go);
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
static const struct expr *merged(struct optimiser *self, const struct expr *below, const struct expr *above)
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
    case PLAN_DECODE: return push_decode(self, filter);
    case PLAN_GENERATE: return push_generate(self, filter);
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
