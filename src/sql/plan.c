#include "sql/plan.h"

struct plan *plan_new(struct arena *arena, enum plan_kind kind, const struct type *schema, struct position at)
{
    struct plan *plan = arena_new(arena, struct plan);
    plan->kind = kind;
    plan->schema = schema;
    plan->at = at;
    plan->group = -1;
    return plan;
}

struct plan *plan_over(struct arena *arena, enum plan_kind kind, struct plan *input, const struct type *schema,
                       struct position at)
{
    struct plan *plan = plan_new(arena, kind, schema, at);
    plan->inputs[0] = input;
    plan->input_count = 1;
    plan->streaming = input->streaming;
    plan->height = input->height + 1;
    return plan;
}

struct plan *plan_filter(struct arena *arena, struct plan *input, const struct expr *predicate, struct position at)
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
    struct plan *plan = plan_over(arena, PLAN_PROJECT, input, type_struct(arena, fields, count), at);
    plan->exprs = copy;
    plan->expr_count = count;
    return plan;
}

const struct type *schema_append(struct arena *arena, const struct type *schema, const struct field *fields,
                                 int32_t count)
{
    struct field *all = arena_array(arena, struct field, (size_t)schema->field_count + (size_t)count);
    for (int32_t i = 0; i < schema->field_count; i++)
        all[i] = schema->fields[i];
    for (int32_t i = 0; i < count; i++)
        all[schema->field_count + i] = fields[i];
    return type_struct(arena, all, schema->field_count + count);
}

/* ---- event time ---- */

/* As on Spark, where the attribute carries it: no cast, no sum, not even a field of a window does. */
const struct plan *expr_time_source(const struct plan *input, const struct expr *expr)
{
    static const char *const keep[] = {"window:tumbling", "window:sliding", "window:session", "window_time"};
    for (size_t i = 0; i < sizeof keep / sizeof keep[0]; i++)
        if (expr_is_call(expr, keep[i]))
            return expr_time_source(input, expr->args[0]);
    return expr->kind == EXPR_COLUMN && expr->index < COLUMN_MARK ? plan_time_source(input, expr->index) : NULL;
}

/* A session of sessions counts from the start of each. */
static const struct expr *window_time_carrier(const struct plan_window *window)
{
    bool of_session = window->gap != NULL && window->time->kind == EXPR_FIELD;
    return of_session ? window->time->args[0] : window->time;
}

static const struct plan *aggregate_time_source(const struct plan *plan, int32_t column)
{
    const struct plan_aggregate *aggregate = &plan->aggregate;
    if (column >= aggregate->key_count)
        return NULL;
    return expr_time_source(plan->inputs[0], column == aggregate->window.key ? window_time_carrier(&aggregate->window)
                                                                             : aggregate->keys[column]);
}

static const struct plan *join_time_source(const struct plan *plan, int32_t column)
{
    int32_t left = plan->inputs[0]->schema->field_count;
    if (column < left)
        return plan_time_source(plan->inputs[0], column);
    return column - left < plan->inputs[1]->schema->field_count ? plan_time_source(plan->inputs[1], column - left)
                                                                : NULL;
}

const struct plan *plan_time_source(const struct plan *plan, int32_t column)
{
    switch (plan->kind) {
    case PLAN_WATERMARK: return plan->watermark.column == column ? plan : plan_time_source(plan->inputs[0], column);
    case PLAN_PROJECT: return expr_time_source(plan->inputs[0], plan->exprs[column]);
    case PLAN_AGGREGATE: return aggregate_time_source(plan, column);
    case PLAN_UNION: return plan_time_source(plan_input(plan, 0), column);
    case PLAN_JOIN: return join_time_source(plan, column);
    case PLAN_GENERATE:
        if (column == plan->inputs[0]->schema->field_count) // the windows of a row
            return expr_time_source(plan->inputs[0], plan->generate.args[0]);
        break;
    case PLAN_SOURCE:
    case PLAN_TABLE:
    case PLAN_VALUES:
    case PLAN_RANGE:
    case PLAN_STORED:
    case PLAN_LEVEL:
    case PLAN_RECURSION:
    case PLAN_SET_OPERATION: return NULL;
    default: break;
    }
    return column < plan->inputs[0]->schema->field_count ? plan_time_source(plan->inputs[0], column) : NULL;
}

int32_t plan_time_column(const struct plan *plan)
{
    int32_t found = -1;
    for (int32_t i = 0; i < plan->schema->field_count; i++)
        if (plan_event_time(plan, i))
            found = found == -1 ? i : -2;
    return found;
}

bool plan_is_session(const struct plan *plan, int32_t column)
{
    const struct expr *expr = NULL;
    switch (plan->kind) {
    case PLAN_PROJECT: expr = plan->exprs[column]; break;
    case PLAN_AGGREGATE:
        if (column == plan->aggregate.window.key)
            return plan->aggregate.window.gap != NULL;
        expr = column < plan->aggregate.key_count ? plan->aggregate.keys[column] : NULL;
        break;
    case PLAN_SOURCE:
    case PLAN_TABLE:
    case PLAN_VALUES:
    case PLAN_RANGE:
    case PLAN_STORED:
    case PLAN_LEVEL:
    case PLAN_RECURSION:
    case PLAN_SET_OPERATION: return false;
    case PLAN_UNION: return plan_is_session(plan_input(plan, 0), column);
    case PLAN_JOIN: {
        int32_t left = plan->inputs[0]->schema->field_count;
        return plan_is_session(plan->inputs[column >= left], column >= left ? column - left : column);
    }
    default: return column < plan->inputs[0]->schema->field_count && plan_is_session(plan->inputs[0], column);
    }
    if (expr == NULL)
        return false;
    return expr_is_call(expr, "window:session") ||
           (expr->kind == EXPR_COLUMN && expr->index < COLUMN_MARK && plan_is_session(plan->inputs[0], expr->index));
}

bool plan_watermarked(struct arena *arena, struct plan *plan)
{
    struct plan_list below;
    plan_collect_query(arena, plan, &below);
    for (int32_t i = 0; i < below.count; i++)
        if (below.nodes[i]->kind == PLAN_WATERMARK)
            return true;
    return false;
}

bool plan_keeps_state(const struct plan *plan)
{
    if (plan->kind == PLAN_JOIN)
        return plan->inputs[0]->streaming && plan->inputs[1]->streaming;
    return plan->streaming && (plan->kind == PLAN_AGGREGATE || plan->kind == PLAN_DEDUPLICATE);
}

/* ---- collecting ---- */

/* While collecting, id = -1 is unseen, -2 is on the way, >= 0 is placed. Ids are fresh: every node
 * starts at 0, so a first pass marks them. Behind a table is another query. */
struct collection {
    struct arena *arena;
    struct plan_list *out;
    bool one_query;
};

static int32_t inputs_within(const struct collection *self, const struct plan *plan)
{
    return self->one_query && plan->kind == PLAN_TABLE ? 0 : plan->input_count;
}

static void mark_unseen(const struct collection *self, struct plan *plan)
{
    if (plan->id == -1)
        return;
    plan->id = -1;
    for (int32_t i = 0; i < inputs_within(self, plan); i++)
        mark_unseen(self, plan_input(plan, i));
}

static void place(const struct collection *self, struct plan *plan)
{
    struct plan_list *out = self->out;
    if (plan->id != -1)
        return;
    plan->id = -2;
    for (int32_t i = 0; i < inputs_within(self, plan); i++)
        place(self, plan_input(plan, i));
    if (out->count == out->capacity) {
        int32_t capacity = out->capacity * 2 + 16;
        struct plan **nodes = arena_array(self->arena, struct plan *, (size_t)capacity);
        if (out->count > 0)
            memcpy(nodes, out->nodes, (size_t)out->count * sizeof(struct plan *));
        out->nodes = nodes;
        out->capacity = capacity;
    }
    plan->id = out->count;
    out->nodes[out->count++] = plan;
}

void plan_collect(struct arena *arena, struct plan *const *roots, int32_t count, struct plan_list *out)
{
    struct collection self = {arena, out, false};
    *out = (struct plan_list){0};
    for (int32_t i = 0; i < count; i++)
        mark_unseen(&self, roots[i]);
    for (int32_t i = 0; i < count; i++)
        place(&self, roots[i]);
}

void plan_collect_query(struct arena *arena, struct plan *root, struct plan_list *out)
{
    struct collection self = {arena, out, true};
    *out = (struct plan_list){0};
    mark_unseen(&self, root);
    place(&self, root);
}

int32_t plan_number(struct arena *arena, struct plan *root)
{
    struct plan_list nodes;
    plan_collect(arena, &root, 1, &nodes);
    for (int32_t i = 0; i < nodes.count; i++)
        nodes.nodes[i]->user_count = 0;
    for (int32_t i = 0; i < nodes.count; i++)
        for (int32_t j = 0; j < nodes.nodes[i]->input_count; j++)
            plan_input(nodes.nodes[i], j)->user_count++;
    return nodes.count;
}

/* ---- expressions ---- */

const struct expr *expr_rewrite(struct arena *arena, const struct expr *expr, expr_replace replace, void *context)
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

void expr_each_column(const struct expr *expr, void (*each)(void *context, const struct expr *column), void *context)
{
    if (expr->kind == EXPR_COLUMN)
        each(context, expr);
    for (int32_t i = 0; i < expr->arg_count; i++)
        expr_each_column(expr->args[i], each, context);
}

/* ---- the expressions of a node ---- */

struct each_expr {
    void (*each)(void *context, const struct expr *expr);
    void *context;
};

static const struct expr *see(void *context, const struct expr *expr)
{
    struct each_expr *self = context;
    self->each(self->context, expr);
    return expr;
}

void plan_each_expr(const struct plan *plan, void (*each)(void *context, const struct expr *expr), void *context)
{
    struct arena arena = {0};
    struct plan copy = *plan;
    plan_map_exprs(&arena, &copy, see, &(struct each_expr){each, context});
    arena_free(&arena);
}
