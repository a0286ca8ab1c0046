#include "sql/optimise.h"

#include "base/hash.h"

void optimiser_collect(struct optimiser *self)
{
    plan_collect(self->expr->arena, self->roots, self->root_count, &self->nodes);
    for (int32_t i = 0; i < self->nodes.count; i++)
        self->nodes.nodes[i]->user_count = 0;
    for (int32_t i = 0; i < self->nodes.count; i++)
        for (int32_t j = 0; j < self->nodes.nodes[i]->input_count; j++)
            plan_input(self->nodes.nodes[i], j)->user_count++;
    for (int32_t i = 0; i < self->root_count; i++)
        self->roots[i]->user_count++;
}

void optimise(struct expr_context *ctx, struct plan **roots, int32_t count, struct plan_list *out)
{
    struct optimiser self = {.expr = ctx, .roots = roots, .root_count = count};
    fold_constants(&self);
    share_nodes(&self);
    push_filters(&self);
    merge_projects(&self);
    prune_columns(&self);
    merge_projects(&self);
    share_nodes(&self);
    optimiser_collect(&self);
    *out = self.nodes;
}

/* ---- questions ---- */

bool expr_is_trivial(const struct expr *expr)
{
    while (expr->kind == EXPR_FIELD && expr->args[0]->type->id == TYPE_STRUCT)
        expr = expr->args[0];
    return expr->kind == EXPR_COLUMN || expr->kind == EXPR_LITERAL;
}

static bool reads_columns(const struct expr *expr)
{
    if (expr->kind == EXPR_COLUMN)
        return true;
    for (int32_t i = 0; i < expr->arg_count; i++)
        if (reads_columns(expr->args[i]))
            return true;
    return false;
}

bool expr_is_volatile(const struct expr *expr)
{
    if (expr->kind == EXPR_CALL && !reads_columns(expr))
        return !expr_is_constant(expr);  // neither columns nor a constant: uuid(), rand(), current_timestamp()
    for (int32_t i = 0; i < expr->arg_count; i++)
        if (expr_is_volatile(expr->args[i]))
            return true;
    return false;
}

struct through {
    const struct plan *project;
};

static const struct expr *through_column(void *context, const struct expr *column)
{
    const struct through *self = context;
    return column->index < COLUMN_MARK ? self->project->exprs[column->index] : column;
}

const struct expr *expr_through(struct arena *arena, const struct expr *expr, const struct plan *project)
{
    struct through through = {project};
    return expr_rewrite(arena, expr, through_column, &through);
}

/* ---- folding ---- */

static const struct expr *fold(struct expr_context *ctx, const struct expr *expr)
{
    struct error err = {0};
    const struct expr *folded;
    if (expr->kind == EXPR_COLUMN || expr->kind == EXPR_LITERAL)
        return expr;
    if (expr_is_constant(expr))
        return expr_fold(ctx, expr, &folded, &err) == E_OK ? folded : expr;
    struct expr *copy = NULL;
    for (int32_t i = 0; i < expr->arg_count; i++) {
        const struct expr *arg = fold(ctx, expr->args[i]);
        if (arg == expr->args[i])
            continue;
        if (copy == NULL) {
            copy = arena_new(ctx->arena, struct expr);
            *copy = *expr;
            copy->args = arena_array(ctx->arena, const struct expr *, (size_t)expr->arg_count + 1);
            for (int32_t j = 0; j < expr->arg_count; j++)
                copy->args[j] = expr->args[j];
        }
        copy->args[i] = arg;
    }
    return copy != NULL ? copy : expr;
}

static const struct expr *const *fold_list(struct expr_context *ctx, const struct expr *const *exprs, int32_t count)
{
    const struct expr **folded = arena_array(ctx->arena, const struct expr *, (size_t)count);
    for (int32_t i = 0; i < count; i++)
        folded[i] = exprs[i] != NULL ? fold(ctx, exprs[i]) : NULL;
    return folded;
}

void fold_constants(struct optimiser *self)
{
    optimiser_collect(self);
    for (int32_t i = 0; i < self->nodes.count; i++) {
        struct plan *node = self->nodes.nodes[i];
        if (node->expr_count > 0)
            node->exprs = fold_list(self->expr, node->exprs, node->expr_count);
        if (node->kind == PLAN_GENERATE)
            node->generate.args = fold_list(self->expr, node->generate.args, node->generate.arg_count);
        if (node->kind == PLAN_AGGREGATE)
            node->aggregate.keys = fold_list(self->expr, node->aggregate.keys, node->aggregate.key_count);
    }
}

/* ---- fingerprint ---- */

static void add_expr(const struct expr *expr, const struct type *schema, struct text *out)
{
    if (expr == NULL)
        return;
    expr_print(expr, schema, out);
    text_add_char(out, ':');
    type_print(expr->type, out);
    text_add_char(out, ';');
}

static void add_aggregate(const struct plan *node, struct text *out)
{
    const struct plan_aggregate *aggregate = &node->aggregate;
    const struct type *schema = node->inputs[0]->schema;
    for (int32_t i = 0; i < aggregate->key_count; i++)
        add_expr(aggregate->keys[i], schema, out);
    text_printf(out, "window %d %lld %lld %lld ", aggregate->window.key, (long long)aggregate->window.size_us,
                (long long)aggregate->window.slide_us, (long long)aggregate->window.start_us);
    add_expr(aggregate->window.time, schema, out);
    for (int32_t i = 0; i < aggregate->call_count; i++) {
        const struct aggregate_call *call = aggregate->calls[i];
        text_printf(out, "%s %d ", node->schema->fields[aggregate->key_count + i].name, call->distinct);
        for (int32_t j = 0; j < call->arg_count; j++)
            add_expr(call->args[j], schema, out);
        add_expr(call->filter, schema, out);
    }
}

static void add_node(const struct plan *node, struct text *out)
{
    text_printf(out, "#%d %d", node->id, (int)node->kind);
    for (int32_t i = 0; i < node->input_count; i++)
        text_printf(out, " <%d", plan_input(node, i)->id);
    text_add_char(out, ' ');
    for (int32_t i = 0; i < node->expr_count; i++)
        add_expr(node->exprs[i], node->input_count > 0 ? plan_input(node, 0)->schema : NULL, out);
    switch (node->kind) {
    case PLAN_SOURCE: text_add_string(out, node->source->name); break;
    case PLAN_AGGREGATE: add_aggregate(node, out); break;
    case PLAN_WATERMARK:
        text_printf(out, "%d %lld", node->watermark.column, (long long)node->watermark.delay_us);
        break;
    case PLAN_GENERATE:
        text_printf(out, "%d %d ", (int)node->generate.kind, node->generate.outer);
        for (int32_t i = 0; i < node->generate.arg_count; i++)
            add_expr(node->generate.args[i], node->inputs[0]->schema, out);
        break;
    case PLAN_DECODE:
        text_add_string(out, node->decode.mode);
        type_print(node->decode.schema, out);
        break;
    default: break;
    }
    text_add_char(out, '\n');
}

static bool is_stateful(const struct plan *node) { return node->kind == PLAN_AGGREGATE || node->kind == PLAN_DEDUPLICATE || node->kind == PLAN_JOIN; }

uint64_t plan_fingerprint(const struct plan_list *nodes, const struct session *session, bool watermark_policy_max)
{
    bool *feeds = mem_array(bool, (size_t)nodes->count);
    struct text shown = {0};
    for (int32_t i = nodes->count - 1; i >= 0; i--) {
        const struct plan *node = nodes->nodes[i];
        feeds[i] = feeds[i] || is_stateful(node) || node->kind == PLAN_WATERMARK;
        for (int32_t j = 0; feeds[i] && j < node->input_count; j++)
            feeds[plan_input(node, j)->id] = true;
    }
    text_printf(&shown, "%s %d %d\n", zone_name(session->zone), session->ansi, watermark_policy_max);
    for (int32_t i = 0; i < nodes->count; i++)
        if (feeds[i])
            add_node(nodes->nodes[i], &shown);
    uint64_t hash = hash_bytes(shown.data, shown.size);
    text_free(&shown);
    mem_free(feeds);
    return hash;
}
