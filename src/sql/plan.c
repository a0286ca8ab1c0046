#include "sql/plan.h"

struct plan *plan_new(struct arena *arena, enum plan_kind kind, const struct type *schema,
                      struct position at)
{
    struct plan *plan = arena_new(arena, struct plan);
    plan->kind = kind;
    plan->schema = schema;
    plan->at = at;
    return plan;
}

struct plan *plan_over(struct arena *arena, enum plan_kind kind, struct plan *input,
                       const struct type *schema, struct position at)
{
    struct plan *plan = plan_new(arena, kind, schema, at);
    plan->inputs[0] = input;
    plan->input_count = 1;
    plan->streaming = input->streaming;
    plan->height = input->height + 1;
    return plan;
}

struct plan *plan_filter(struct arena *arena, struct plan *input, const struct expr *predicate,
                         struct position at)
{
    struct plan *plan = plan_over(arena, PLAN_FILTER, input, input->schema, at);
    const struct expr **exprs = arena_new(arena, const struct expr *);
    exprs[0] = predicate;
    plan->exprs = exprs;
    plan->expr_count = 1;
    return plan;
}

struct plan *plan_project(struct arena *arena, struct plan *input, const struct expr *const *exprs,
                          const char *const *names, int32_t count, struct position at)
{
    struct field *fields = arena_array(arena, struct field, (size_t)count);
    const struct expr **copy = arena_array(arena, const struct expr *, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        fields[i] = (struct field){names[i], exprs[i]->type, exprs[i]->nullable};
        copy[i] = exprs[i];
    }
    struct plan *plan =
        plan_over(arena, PLAN_PROJECT, input, type_struct(arena, fields, count), at);
    plan->exprs = copy;
    plan->expr_count = count;
    return plan;
}

const struct type *schema_append(struct arena *arena, const struct type *schema,
                                 const struct field *fields, int32_t count)
{
    struct field *all =
        arena_array(arena, struct field, (size_t)schema->field_count + (size_t)count);
    for (int32_t i = 0; i < schema->field_count; i++)
        all[i] = schema->fields[i];
    for (int32_t i = 0; i < count; i++)
        all[schema->field_count + i] = fields[i];
    return type_struct(arena, all, schema->field_count + count);
}

/* ---- event time ---- */

/* window.end - 1 us: the last instant of a window. */
static bool is_last_instant(const struct expr *expr)
{
    return expr->kind == EXPR_CALL && expr->arg_count == 2 && expr->args[0]->kind == EXPR_FIELD &&
           expr->args[1]->kind == EXPR_LITERAL && expr->args[1]->type->id == TYPE_INTERVAL_DT &&
           column_values(expr->args[1]->literal, int64_t)[0] == 1;
}

static bool expr_event_time(const struct plan *input, const struct expr *expr)
{
    if (is_last_instant(expr))
        expr = expr->args[0];
    // the fields of a window struct carry its time
    while (expr->kind == EXPR_FIELD ||
           (expr->kind == EXPR_CAST && expr->type->id == TYPE_TIMESTAMP))
        expr = expr->args[0];
    return expr->kind == EXPR_COLUMN && expr->index < COLUMN_MARK &&
           plan_event_time(input, expr->index);
}

bool plan_event_time(const struct plan *plan, int32_t column)
{
    switch (plan->kind) {
    case PLAN_WATERMARK:
        return plan->watermark.column == column || plan_event_time(plan->inputs[0], column);
    case PLAN_PROJECT: return expr_event_time(plan->inputs[0], plan->exprs[column]);
    case PLAN_AGGREGATE: {
        const struct plan_aggregate *aggregate = &plan->aggregate;
        if (column >= aggregate->key_count)
            return false;
        bool is_window = column == aggregate->window.key;
        return expr_event_time(plan->inputs[0],
                               is_window ? aggregate->window.time : aggregate->keys[column]);
    }
    case PLAN_UNION: return plan_event_time(plan_input(plan, 0), column);
    case PLAN_JOIN: {
        int32_t left = plan->inputs[0]->schema->field_count;
        if (column < left)
            return plan_event_time(plan->inputs[0], column);
        return column - left < plan->inputs[1]->schema->field_count &&
               plan_event_time(plan->inputs[1], column - left);
    }
    case PLAN_SOURCE:
    case PLAN_VALUES:
    case PLAN_SET_OPERATION: return false;
    default:
        return column < plan->inputs[0]->schema->field_count &&
               plan_event_time(plan->inputs[0], column);
    }
}

bool plan_watermarked(struct arena *arena, struct plan *plan)
{
    struct plan_list below;
    plan_collect(arena, &plan, 1, &below);
    for (int32_t i = 0; i < below.count; i++)
        if (below.nodes[i]->kind == PLAN_WATERMARK)
            return true;
    return false;
}

/* ---- collecting ---- */

/* While collecting, id = -1 is unseen, -2 is on the way, >= 0 is placed. Ids are fresh: every node
 * starts at 0, so a first pass marks them. */
static void mark_unseen(struct plan *plan)
{
    if (plan->id == -1)
        return;
    plan->id = -1;
    for (int32_t i = 0; i < plan->input_count; i++)
        mark_unseen(plan_input(plan, i));
}

static void place(struct arena *arena, struct plan *plan, struct plan_list *out)
{
    if (plan->id != -1)
        return;
    plan->id = -2;
    for (int32_t i = 0; i < plan->input_count; i++)
        place(arena, plan_input(plan, i), out);
    if (out->count == out->capacity) {
        int32_t capacity = out->capacity * 2 + 16;
        struct plan **nodes = arena_array(arena, struct plan *, (size_t)capacity);
        if (out->count > 0)
            memcpy(nodes, out->nodes, (size_t)out->count * sizeof(struct plan *));
        out->nodes = nodes;
        out->capacity = capacity;
    }
    plan->id = out->count;
    out->nodes[out->count++] = plan;
}

void plan_collect(struct arena *arena, struct plan *const *roots, int32_t count,
                  struct plan_list *out)
{
    *out = (struct plan_list){0};
    for (int32_t i = 0; i < count; i++)
        mark_unseen(roots[i]);
    for (int32_t i = 0; i < count; i++)
        place(arena, roots[i], out);
}

/* ---- expressions ---- */

const struct expr *expr_rewrite(struct arena *arena, const struct expr *expr, expr_replace replace,
                                void *context)
{
    if (expr->kind == EXPR_COLUMN)
        return replace(context, expr);
    struct expr *copy = NULL;
    for (int32_t i = 0; i < expr->arg_count; i++) {
        const struct expr *arg = expr_rewrite(arena, expr->args[i], replace, context);
        if (arg == expr->args[i])
            continue;
        if (copy == NULL) {
            copy = arena_new(arena, struct expr);
            *copy = *expr;
            copy->args = arena_array(arena, const struct expr *, (size_t)expr->arg_count + 1);
            memcpy(copy->args, expr->args, (size_t)expr->arg_count * sizeof(struct expr *));
        }
        copy->args[i] = arg;
    }
    return copy != NULL ? copy : expr;
}

int32_t expr_weight(const struct expr *expr, int32_t limit)
{
    int32_t weight = 1;
    for (int32_t i = 0; i < expr->arg_count && weight <= limit; i++)
        weight += expr_weight(expr->args[i], limit - weight);
    return weight;
}

int32_t expr_height(const struct expr *expr)
{
    int32_t height = 0;
    for (int32_t i = 0; i < expr->arg_count; i++) {
        int32_t below = expr_height(expr->args[i]);
        height = below > height ? below : height;
    }
    return height + 1;
}

bool expr_has_marks(const struct expr *expr)
{
    if (expr->kind == EXPR_COLUMN)
        return expr->index >= COLUMN_MARK;
    for (int32_t i = 0; i < expr->arg_count; i++)
        if (expr_has_marks(expr->args[i]))
            return true;
    return false;
}

void expr_each_column(const struct expr *expr,
                      void (*each)(void *context, const struct expr *column), void *context)
{
    if (expr->kind == EXPR_COLUMN)
        each(context, expr);
    for (int32_t i = 0; i < expr->arg_count; i++)
        expr_each_column(expr->args[i], each, context);
}
