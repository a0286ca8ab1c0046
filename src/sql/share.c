/* share.c - structurally equal nodes over the same inputs become one. */
#include "base/hash.h"
#include "sql/optimise.h"

static bool same_exprs(const struct expr *const *a, const struct expr *const *b, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        if ((a[i] == NULL) != (b[i] == NULL) || (a[i] != NULL && !expr_equal(a[i], b[i])))
            return false;
    return true;
}

static bool same_calls(const struct plan_aggregate *a, const struct plan_aggregate *b)
{
    for (int32_t i = 0; i < a->call_count; i++) {
        const struct aggregate_call *x = a->calls[i], *y = b->calls[i];
        if (x->function != y->function || x->variant != y->variant || x->distinct != y->distinct ||
            x->arg_count != y->arg_count || !same_exprs(x->args, y->args, x->arg_count) ||
            !same_exprs(&x->filter, &y->filter, 1))
            return false;
    }
    return true;
}

static bool same_aggregate(const struct plan_aggregate *a, const struct plan_aggregate *b)
{
    return a->key_count == b->key_count && a->call_count == b->call_count && a->window.key == b->window.key &&
           a->window.size_us == b->window.size_us && a->window.slide_us == b->window.slide_us &&
           a->window.start_us == b->window.start_us && same_exprs(&a->window.time, &b->window.time, 1) &&
           same_exprs(&a->window.gap, &b->window.gap, 1) && same_exprs(a->keys, b->keys, a->key_count) &&
           same_calls(a, b);
}

/* Bounds and times follow from these. But for a time that nobody reads: pruned nodes are shared again. */
static bool same_join(const struct plan_join *a, const struct plan_join *b)
{
    if (a->kind != b->kind || a->key_count != b->key_count || a->null_aware != b->null_aware ||
        !same_exprs(&a->condition, &b->condition, 1))
        return false;
    for (int side = 0; side < 2; side++)
        if (a->sides[side].time_column != b->sides[side].time_column ||
            !same_exprs(a->sides[side].keys, b->sides[side].keys, a->key_count) ||
            !same_exprs(&a->sides[side].only, &b->sides[side].only, 1))
            return false;
    for (int32_t i = 0; i < a->key_count; i++)
        if (a->null_safe[i] != b->null_safe[i])
            return false;
    return true;
}

static bool same_decode(const struct plan_decode *a, const struct plan_decode *b)
{
    if (a->option_count != b->option_count || !type_equal(a->schema, b->schema) || strcmp(a->format, b->format) != 0 ||
        strcmp(a->mode, b->mode) != 0 || strcmp(a->corrupt_column, b->corrupt_column) != 0)
        return false;
    for (int32_t i = 0; i < a->option_count; i++)
        if (strcmp(a->option_names[i], b->option_names[i]) != 0 ||
            strcmp(a->option_values[i], b->option_values[i]) != 0)
            return false;
    for (int32_t i = 0; i < a->schema->field_count; i++)
        if ((a->needed == NULL || a->needed[i]) != (b->needed == NULL || b->needed[i]))
            return false;
    return true;
}

static bool same_generate(const struct plan *a, const struct plan *b)
{
    const struct plan_generate *x = &a->generate, *y = &b->generate;
    if (x->kind != y->kind || x->outer != y->outer || x->arg_count != y->arg_count ||
        !same_exprs(x->args, y->args, x->arg_count))
        return false;
    for (int32_t i = 0; i < a->schema->field_count - x->generated; i++)
        if ((x->keep == NULL || x->keep[i]) != (y->keep == NULL || y->keep[i]))
            return false;
    return true;
}

static bool same_deduplicate(const struct plan_deduplicate *a, const struct plan_deduplicate *b)
{
    return a->column_count == b->column_count && a->within_watermark == b->within_watermark &&
           a->time_column == b->time_column && a->delay_us == b->delay_us &&
           memcmp(a->columns, b->columns, (size_t)a->column_count * sizeof *a->columns) == 0;
}

/* Names of an aggregate's columns do not matter: its users know them by place. */
static bool same_schema(const struct plan *a, const struct plan *b)
{
    if (a->kind != PLAN_AGGREGATE)
        return type_equal(a->schema, b->schema);
    bool same = a->schema->field_count == b->schema->field_count;
    for (int32_t i = 0; same && i < a->schema->field_count; i++)
        same = type_equal(a->schema->fields[i].type, b->schema->fields[i].type);
    return same;
}

static bool same_node(const struct plan *a, const struct plan *b)
{
    if (a->kind != b->kind || a->input_count != b->input_count || a->expr_count != b->expr_count ||
        a->unsupported != b->unsupported)
        return false;
    for (int32_t i = 0; i < a->input_count; i++)
        if (plan_input(a, i) != plan_input(b, i))
            return false;
    if (!same_schema(a, b) || !same_exprs(a->exprs, b->exprs, a->expr_count))
        return false;
    switch (a->kind) {
    case PLAN_SOURCE: return a->source == b->source && a->streaming == b->streaming;
    case PLAN_WATERMARK:
        return a->watermark.column == b->watermark.column && a->watermark.delay_us == b->watermark.delay_us;
    case PLAN_AGGREGATE: return same_aggregate(&a->aggregate, &b->aggregate);
    case PLAN_JOIN: return same_join(&a->join, &b->join);
    case PLAN_DECODE: return same_decode(&a->decode, &b->decode);
    case PLAN_GENERATE: return same_generate(a, b);
    case PLAN_DEDUPLICATE: return same_deduplicate(&a->deduplicate, &b->deduplicate);
    case PLAN_WINDOW:
    case PLAN_SORT:
    case PLAN_SET_OPERATION:
    case PLAN_RANGE:
    case PLAN_STORED:
    case PLAN_EXPAND:
    case PLAN_APPLY:
    case PLAN_RECURSION:
    case PLAN_LEVEL:
    case PLAN_VALUES: return false;
    default: return true;
    }
}

static uint64_t node_hash(const struct plan *node)
{
    uint64_t hash = hash_mix((uint64_t)node->kind, (uint64_t)node->expr_count);
    for (int32_t i = 0; i < node->input_count; i++)
        hash = hash_mix(hash, (uint64_t)(uintptr_t)plan_input(node, i));
    return hash_mix(hash, (uint64_t)node->schema->field_count);
}

void share_nodes(struct optimiser *self)
{
    optimiser_collect(self);
    int32_t count = self->nodes.count, size = 16;
    while (size < 2 * count)
        size *= 2;
    struct plan **table = arena_array(self->expr->arena, struct plan *, (size_t)size);
    struct plan **chosen = arena_array(self->expr->arena, struct plan *, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        struct plan *node = self->nodes.nodes[i];
        for (int32_t j = 0; j < node->input_count; j++)
            *plan_input_place(node, j) = chosen[plan_input(node, j)->id];
        uint32_t slot = (uint32_t)node_hash(node) & (uint32_t)(size - 1);
        while (table[slot] != NULL && !same_node(table[slot], node))
            slot = (slot + 1) & (uint32_t)(size - 1);
        if (table[slot] == NULL)
            table[slot] = node;
        chosen[i] = table[slot];
    }
    for (int32_t i = 0; i < self->root_count; i++)
        self->roots[i] = chosen[self->roots[i]->id];
}
