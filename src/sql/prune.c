/* prune.c - leave out what nobody reads: columns, fields of decoded structs, aggregate calls.
 *
 * Down     users before inputs: which columns of each node are read, and of a STRUCT column which
 *          fields
 * Up       inputs before users: each node is narrowed to that; its slots tell where a column went.
 *          Below a filter and a generator stands a projection that picks exactly what is read: it
 *          also takes fields out of structs, so that the rest of the struct is not gathered. Such a
 *          field is a slot of its own. A predicate over columns that only it reads is computed
 *          there too: one bit is gathered instead of the columns
 * Whole    SORT, LIMIT, DISTINCT and set operations keep all columns
 *
 * This file goes down; narrow.c goes up, with slots.c; joins are in prune_join.c.
 */
#include "sql/prune.h"

/* ---- down: what is read ---- */

static void need_field(const struct pruner *self, struct need *need, const struct type *type, int32_t field)
{
    if (need->fields == NULL)
        need->fields = arena_array(self->arena, bool, (size_t)type->field_count);
    need->fields[field] = true;
}

void need_expr(const struct pruner *self, const struct plan *input, const struct expr *expr)
{
    struct need *needs = narrowed_of(self, input)->needs;
    const struct expr *first = expr->arg_count > 0 ? expr->args[0] : NULL;
    bool of_column =
        first != NULL && first->kind == EXPR_COLUMN && first->type->id == TYPE_STRUCT && first->index < COLUMN_MARK;
    if (expr->kind == EXPR_COLUMN) {
        if (expr->index < COLUMN_MARK)
            needs[expr->index].whole = true;
    } else if (expr->kind == EXPR_FIELD && of_column) {
        need_field(self, &needs[first->index], first->type, expr->index);
    } else if (expr->kind == EXPR_CALL && of_column &&
               (expr_is_call(expr, "isnull") || expr_is_call(expr, "isnotnull"))) {
        needs[first->index].validity = true;
    } else {
        for (int32_t i = 0; i < expr->arg_count; i++)
            need_expr(self, input, expr->args[i]);
    }
}

void need_same(const struct pruner *self, struct need *below, const struct need *need, const struct type *type)
{
    below->whole = below->whole || need->whole;
    below->validity = below->validity || need->validity;
    for (int32_t f = 0; need->fields != NULL && f < type->field_count; f++)
        if (need->fields[f])
            need_field(self, below, type, f);
}

static void need_passed(const struct pruner *self, const struct plan *node, int32_t count)
{
    const struct plan *input = node->inputs[0];
    for (int32_t i = 0; i < count; i++)
        need_same(self, &narrowed_of(self, input)->needs[i], &narrowed_of(self, node)->needs[i],
                  input->schema->fields[i].type);
}

static void need_all(const struct pruner *self, const struct plan *input)
{
    for (int32_t i = 0; i < input->schema->field_count; i++)
        narrowed_of(self, input)->needs[i].whole = true;
}

static void need_project(const struct pruner *self, const struct plan *node)
{
    const struct plan *input = node->inputs[0];
    for (int32_t i = 0; i < node->expr_count; i++) {
        const struct need *need = &narrowed_of(self, node)->needs[i];
        const struct expr *expr = node->exprs[i];
        if (!is_needed(need))
            continue;
        if (expr->kind == EXPR_COLUMN && expr->index < COLUMN_MARK)
            need_same(self, &narrowed_of(self, input)->needs[expr->index], need, expr->type);
        else
            need_expr(self, input, expr);
    }
}

static void need_exprs(const struct pruner *self, const struct plan *input, const struct expr *const *exprs,
                       int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        if (exprs[i] != NULL)
            need_expr(self, input, exprs[i]);
}

static void need_call(const struct pruner *self, const struct plan *input, const struct aggregate_call *call)
{
    need_exprs(self, input, call->args, call->arg_count);
    need_exprs(self, input, &call->filter, 1);
}

static void need_aggregate(const struct pruner *self, const struct plan *node)
{
    const struct plan_aggregate *aggregate = &node->aggregate;
    const struct plan *input = node->inputs[0];
    for (int32_t i = 0; i < aggregate->key_count; i++)
        if (aggregate->keys[i] != NULL)
            need_expr(self, input, aggregate->keys[i]);
    if (aggregate->window.time != NULL)
        need_expr(self, input, aggregate->window.time);
    if (aggregate->window.gap != NULL)
        need_expr(self, input, aggregate->window.gap);
    for (int32_t i = 0; i < aggregate->call_count; i++) {
        const struct aggregate_call *call = aggregate->calls[i];
        if (!is_needed(&narrowed_of(self, node)->needs[aggregate->key_count + i]))
            continue;
        need_call(self, input, call);
    }
}

static void need_union(const struct pruner *self, const struct plan *node)
{
    for (int32_t i = 0; i < node->schema->field_count; i++)
        for (int32_t j = 0; is_needed(&narrowed_of(self, node)->needs[i]) && j < node->input_count; j++)
            narrowed_of(self, plan_input(node, j))->needs[i].whole = true;
}

static void need_deduplicate(const struct pruner *self, const struct plan *node)
{
    const struct plan_deduplicate *keys = &node->deduplicate;
    struct need *needs = narrowed_of(self, node->inputs[0])->needs;
    need_passed(self, node, node->schema->field_count);
    for (int32_t i = 0; i < keys->column_count; i++)
        needs[keys->columns[i]].whole = true;
    if (keys->time_column >= 0)
        needs[keys->time_column].whole = true;
}

static void need_over(const struct pruner *self, const struct plan *input, const struct plan_over *over)
{
    if (over->call != NULL)
        need_call(self, input, over->call);
    need_exprs(self, input, over->args, over->arg_count);
    need_exprs(self, input, over->partition, over->partition_count);
    need_exprs(self, input, over->order, over->order_count);
    need_exprs(self, input, &over->from.value, 1);
    need_exprs(self, input, &over->to.value, 1);
}

/* One column at least, so that there are rows to hold. */
static void need_one(const struct pruner *self, const struct plan *input)
{
    struct need *needs = narrowed_of(self, input)->needs;
    for (int32_t i = 0; i < input->schema->field_count; i++)
        if (is_needed(&needs[i]))
            return;
    if (input->schema->field_count > 0)
        needs[0].whole = true;
}

static void need_window(const struct pruner *self, const struct plan *node)
{
    const struct plan *input = node->inputs[0];
    int32_t columns = input->schema->field_count;
    need_passed(self, node, columns);
    for (int32_t i = 0; i < node->overs.count; i++)
        if (is_needed(&narrowed_of(self, node)->needs[columns + i]))
            need_over(self, input, node->overs.calls[i]);
    need_one(self, input);
}

static bool note_any(void *context, __attribute__((unused)) const struct expr *column)
{
    bool *found = context;
    *found = true;
    return false;
}

bool is_plain_apply(const struct plan *node)
{
    bool reads = false;
    if (node->apply.kind == APPLY_LATERAL)
        return false;
    plan_each_outer(node->inputs[1], note_any, &reads);
    return !reads;
}

static void need_apply(const struct pruner *self, const struct plan *node)
{
    need_passed(self, node, node->inputs[0]->schema->field_count);
    need_exprs(self, node->inputs[0], node->exprs, node->expr_count);
    need_one(self, node->inputs[0]);
    need_all(self, node->inputs[1]);
}

static void need_whole(const struct pruner *self, const struct plan *node)
{
    for (int32_t i = 0; i < node->input_count; i++)
        need_all(self, plan_input(node, i));
}

static void need_inputs(const struct pruner *self, const struct plan *node)
{
    const struct plan *input = node->input_count > 0 ? plan_input(node, 0) : NULL;
    switch (node->kind) {
    case PLAN_SOURCE:
    case PLAN_VALUES: break;
    case PLAN_PROJECT: need_project(self, node); break;
    case PLAN_TABLE:
    case PLAN_LIMIT: need_passed(self, node, input->schema->field_count); break;
    case PLAN_SORT:
        need_passed(self, node, input->schema->field_count);
        need_exprs(self, input, node->exprs, node->expr_count);
        break;
    case PLAN_FILTER:
        need_passed(self, node, input->schema->field_count);
        need_expr(self, input, node->exprs[0]);
        break;
    case PLAN_DECODE:
        need_passed(self, node, input->schema->field_count);
        if (is_needed(&narrowed_of(self, node)->needs[input->schema->field_count]))
            need_expr(self, input, node->exprs[0]);
        break;
    case PLAN_GENERATE:
        need_passed(self, node, input->schema->field_count);
        need_exprs(self, input, node->generate.args, node->generate.arg_count);
        break;
    case PLAN_WATERMARK:
        need_passed(self, node, input->schema->field_count);
        narrowed_of(self, input)->needs[node->watermark.column].whole = true;
        break;
    case PLAN_AGGREGATE: need_aggregate(self, node); break;
    case PLAN_DEDUPLICATE: need_deduplicate(self, node); break;
    case PLAN_UNION: need_union(self, node); break;
    case PLAN_WINDOW: need_window(self, node); break;
    case PLAN_JOIN:
        if (is_plain_join(node))
            need_join(self, node);
        else
            need_whole(self, node);
        break;
    case PLAN_APPLY:
        if (is_plain_apply(node))
            need_apply(self, node);
        else
            need_whole(self, node);
        break;
    default: need_whole(self, node);
    }
}

void prune_columns(struct optimiser *optimiser)
{
    optimiser_collect(optimiser);
    struct plan_list *nodes = &optimiser->nodes;
    struct pruner self = {.optimiser = optimiser, .arena = optimiser->expr->arena};
    self.nodes = arena_array(self.arena, struct narrowed, (size_t)nodes->count);
    for (int32_t i = 0; i < nodes->count; i++)
        self.nodes[i].needs = arena_array(self.arena, struct need, (size_t)nodes->nodes[i]->schema->field_count);
    for (int32_t i = 0; i < optimiser->root_count; i++)
        need_all(&self, optimiser->roots[i]);
    for (int32_t i = nodes->count - 1; i >= 0; i--)
        need_inputs(&self, nodes->nodes[i]);
    for (int32_t i = 0; i < nodes->count; i++)
        narrow_node(&self, nodes->nodes[i]);
}
