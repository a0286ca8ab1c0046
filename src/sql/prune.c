/* prune.c - leave out what nobody reads: columns, fields of decoded structs, aggregate calls.
 *
 * Down     users before inputs: which columns of each node are read, and of a STRUCT column which
 *          fields
 * Up       inputs before users: each node is narrowed to that; its slots tell where a column went.
 *          Below a filter and a generator stands a projection that picks exactly what is read: it
 *          also takes fields out of structs, so that the rest of the struct is not gathered. Such a
 *          field is a slot of its own. A predicate over columns that only it reads is computed
 *          there too: one bit is gathered instead of the columns
 * Whole    JOIN, SORT, LIMIT, DISTINCT, window functions and set operations keep all columns
 */
#include "sql/optimise.h"

struct need {
    bool whole;    /* the column as it is */
    bool validity; /* x IS NULL: the column, but none of its fields */
    bool *fields;  /* of a STRUCT column; NULL = none */
};
struct slot {
    int32_t column, field; /* what it was: field -1 = the whole column */
};
struct narrowed {       /* a node while it is worked on */
    struct need *needs; /* per column, as analysed */
    struct slot *slots; /* per column, as narrowed */
    int32_t slot_count;
};
struct pruner {
    struct optimiser *optimiser;
    struct arena *arena;
    struct narrowed *nodes; /* by plan id */
    const struct function *isnull, *isnotnull;
};

static struct narrowed *of(const struct pruner *self, const struct plan *plan)
{
    return &self->nodes[plan->id];
}

static bool is_needed(const struct need *need)
{
    return need->whole || need->validity || need->fields != NULL;
}

/* ---- down: what is read ---- */

static void need_field(const struct pruner *self, struct need *need, const struct type *type,
                       int32_t field)
{
    if (need->fields == NULL)
        need->fields = arena_array(self->arena, bool, (size_t)type->field_count);
    need->fields[field] = true;
}

static void need_expr(const struct pruner *self, const struct plan *input, const struct expr *expr)
{
    struct need *needs = of(self, input)->needs;
    const struct expr *first = expr->arg_count > 0 ? expr->args[0] : NULL;
    bool of_column = first != NULL && first->kind == EXPR_COLUMN &&
                     first->type->id == TYPE_STRUCT && first->index < COLUMN_MARK;
    if (expr->kind == EXPR_COLUMN) {
        if (expr->index < COLUMN_MARK)
            needs[expr->index].whole = true;
    } else if (expr->kind == EXPR_FIELD && of_column) {
        need_field(self, &needs[first->index], first->type, expr->index);
    } else if (expr->kind == EXPR_CALL && of_column &&
               (expr->function == self->isnull || expr->function == self->isnotnull)) {
        needs[first->index].validity = true;
    } else {
        for (int32_t i = 0; i < expr->arg_count; i++)
            need_expr(self, input, expr->args[i]);
    }
}

/* The same column is read one node further down. */
static void need_same(const struct pruner *self, struct need *below, const struct need *need,
                      const struct type *type)
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
        need_same(self, &of(self, input)->needs[i], &of(self, node)->needs[i],
                  input->schema->fields[i].type);
}

static void need_all(const struct pruner *self, const struct plan *input)
{
    for (int32_t i = 0; i < input->schema->field_count; i++)
        of(self, input)->needs[i].whole = true;
}

static void need_project(const struct pruner *self, const struct plan *node)
{
    const struct plan *input = node->inputs[0];
    for (int32_t i = 0; i < node->expr_count; i++) {
        const struct need *need = &of(self, node)->needs[i];
        const struct expr *expr = node->exprs[i];
        if (!is_needed(need))
            continue;
        if (expr->kind == EXPR_COLUMN && expr->index < COLUMN_MARK)
            need_same(self, &of(self, input)->needs[expr->index], need, expr->type);
        else
            need_expr(self, input, expr);
    }
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
    for (int32_t i = 0; i < aggregate->call_count; i++) {
        const struct aggregate_call *call = aggregate->calls[i];
        if (!is_needed(&of(self, node)->needs[aggregate->key_count + i]))
            continue;
        for (int32_t j = 0; j < call->arg_count; j++)
            need_expr(self, input, call->args[j]);
        if (call->filter != NULL)
            need_expr(self, input, call->filter);
    }
}

static void need_union(const struct pruner *self, const struct plan *node)
{
    for (int32_t i = 0; i < node->schema->field_count; i++)
        for (int32_t j = 0; is_needed(&of(self, node)->needs[i]) && j < node->input_count; j++)
            of(self, plan_input(node, j))->needs[i].whole = true;
}

static void need_inputs(const struct pruner *self, const struct plan *node)
{
    const struct plan *input = node->input_count > 0 ? plan_input(node, 0) : NULL;
    switch (node->kind) {
    case PLAN_SOURCE:
    case PLAN_VALUES: break;
    case PLAN_PROJECT: need_project(self, node); break;
    case PLAN_TABLE: need_passed(self, node, input->schema->field_count); break;
    case PLAN_FILTER:
        need_passed(self, node, input->schema->field_count);
        need_expr(self, input, node->exprs[0]);
        break;
    case PLAN_DECODE:
        need_passed(self, node, input->schema->field_count);
        if (is_needed(&of(self, node)->needs[input->schema->field_count]))
            need_expr(self, input, node->exprs[0]);
        break;
    case PLAN_GENERATE:
        need_passed(self, node, input->schema->field_count);
        for (int32_t i = 0; i < node->generate.arg_count; i++)
            need_expr(self, input, node->generate.args[i]);
        break;
    case PLAN_WATERMARK:
        need_passed(self, node, input->schema->field_count);
        of(self, input)->needs[node->watermark.column].whole = true;
        break;
    case PLAN_AGGREGATE: need_aggregate(self, node); break;
    case PLAN_UNION: need_union(self, node); break;
    default:
        for (int32_t i = 0; i < node->input_count; i++)
            need_all(self, plan_input(node, i));
    }
}

/* ---- up: expressions over narrowed inputs ---- */

static int32_t slot_find(const struct narrowed *node, int32_t column, int32_t field)
{
    for (int32_t i = 0; i < node->slot_count; i++)
        if (node->slots[i].column == column && node->slots[i].field == field)
            return i;
    return -1;
}

static const struct expr *moved(const struct pruner *self, const struct expr *expr,
                                const struct type *schema, int32_t slot)
{
    return expr_column(self->optimiser->expr, slot, &schema->fields[slot], expr->at);
}

static const struct expr *narrow_expr(const struct pruner *self, const struct plan *input,
                                      const struct expr *expr)
{
    const struct narrowed *slots = of(self, input);
    const struct expr *first = expr->arg_count > 0 ? expr->args[0] : NULL;
    if (expr->kind == EXPR_COLUMN && expr->index >= COLUMN_MARK)
        return expr;
    if (expr->kind == EXPR_COLUMN)
        return moved(self, expr, input->schema, slot_find(slots, expr->index, -1));
    if (expr->kind == EXPR_FIELD && first->kind == EXPR_COLUMN && first->index < COLUMN_MARK) {
        int32_t slot = slot_find(slots, first->index, expr->index);
        if (slot >= 0)
            return moved(self, expr, input->schema, slot);
    }
    if (expr->arg_count == 0)
        return expr;
    struct expr *copy = arena_new(self->arena, struct expr);
    *copy = *expr;
    copy->args = arena_array(self->arena, const struct expr *, (size_t)expr->arg_count + 1);
    for (int32_t i = 0; i < expr->arg_count; i++)
        copy->args[i] = narrow_expr(self, input, expr->args[i]);
    return copy;
}

static const struct expr *const *narrow_list(const struct pruner *self, const struct plan *input,
                                             const struct expr *const *exprs, int32_t count)
{
    const struct expr **narrowed = arena_array(self->arena, const struct expr *, (size_t)count);
    for (int32_t i = 0; i < count; i++)
        narrowed[i] = exprs[i] != NULL ? narrow_expr(self, input, exprs[i]) : NULL;
    return narrowed;
}

/* ---- up: nodes ---- */

static void add_slot(const struct pruner *self, struct narrowed *node, int32_t column,
                     int32_t field, int32_t capacity)
{
    if (node->slots == NULL)
        node->slots = arena_array(self->arena, struct slot, (size_t)capacity + 1);
    node->slots[node->slot_count++] = (struct slot){column, field};
}

static void keep_all(const struct pruner *self, const struct plan *node)
{
    for (int32_t i = 0; i < node->schema->field_count; i++)
        add_slot(self, of(self, node), i, -1, node->schema->field_count);
}

/* The columns of the input, and then those that the node adds. */
static void pass_slots(const struct pruner *self, const struct plan *node, const struct plan *input,
                       int32_t first_added, int32_t added)
{
    const struct narrowed *below = of(self, input);
    int32_t capacity = below->slot_count + added;
    for (int32_t i = 0; i < below->slot_count; i++)
        add_slot(self, of(self, node), below->slots[i].column, below->slots[i].field, capacity);
    for (int32_t i = 0; i < added; i++)
        add_slot(self, of(self, node), first_added + i, -1, capacity);
}

static bool same_slots(const struct narrowed *a, const struct narrowed *b)
{
    bool same = a->slot_count == b->slot_count;
    for (int32_t i = 0; same && i < a->slot_count; i++)
        same = a->slots[i].column == b->slots[i].column && a->slots[i].field == b->slots[i].field;
    return same;
}

/* One slot as an expression over `input`, whose schema was `was` before it was narrowed. */
static const struct expr *pick_slot(const struct pruner *self, const struct plan *input,
                                    const struct field *was, struct slot slot, struct position at)
{
    const struct narrowed *have = of(self, input);
    int32_t direct = slot_find(have, slot.column, slot.field);
    int32_t from = direct >= 0 ? direct : slot_find(have, slot.column, -1);
    const struct expr *expr =
        expr_column(self->optimiser->expr, from, &input->schema->fields[from], at);
    struct error err = {0};
    if (direct < 0)
        always(expr_field(self->optimiser->expr, expr, was->type->fields[slot.field].name, at,
                          &expr, &err) == E_OK);
    return expr;
}

/* A projection over `input` that gives the slots wanted, and then `extra` when it is not NULL; NULL
 * when the input gives just them already. */
static struct plan *pick(const struct pruner *self, struct plan *input, const struct type *was,
                         const struct narrowed *wanted, const struct expr *extra,
                         struct position at)
{
    if (extra == NULL && same_slots(of(self, input), wanted))
        return NULL;
    size_t count = (size_t)wanted->slot_count + 1;
    const struct expr **exprs = arena_array(self->arena, const struct expr *, count);
    const char **names = arena_array(self->arena, const char *, count);
    for (int32_t i = 0; i < wanted->slot_count; i++) {
        struct slot slot = wanted->slots[i];
        const struct field *field = &was->fields[slot.column];
        exprs[i] = pick_slot(self, input, field, slot, at);
        names[i] = slot.field < 0 ? field->name : field->type->fields[slot.field].name;
    }
    exprs[wanted->slot_count] = extra;
    names[wanted->slot_count] = "filter";
    return plan_project(self->arena, input, exprs, names, wanted->slot_count + (extra != NULL), at);
}

/* What a node takes from its input: the first columns of its own that are read, and what its
 * expressions read. Fields apart where the struct itself is not read. */
static void reading_slots(const struct pruner *self, const struct plan *node,
                          const struct type *was, const struct expr *const *exprs,
                          int32_t expr_count, struct narrowed *out)
{
    struct narrowed reading = {.needs =
                                   arena_array(self->arena, struct need, (size_t)was->field_count)};
    struct pruner alone = *self;
    struct plan input = {.id = 0, .schema = was};
    int32_t capacity = was->field_count;
    alone.nodes = &reading;
    for (int32_t i = 0; i < was->field_count; i++) {
        need_same(self, &reading.needs[i], &of(self, node)->needs[i], was->fields[i].type);
        capacity += was->fields[i].type->id == TYPE_STRUCT ? was->fields[i].type->field_count : 0;
    }
    for (int32_t i = 0; i < expr_count; i++)
        need_expr(&alone, &input, exprs[i]);
    for (int32_t c = 0; c < was->field_count; c++) {
        const struct need *need = &reading.needs[c];
        bool whole = need->whole || need->validity;
        if (whole)
            add_slot(self, out, c, -1, capacity);
        for (int32_t f = 0; !whole && need->fields != NULL && f < was->fields[c].type->field_count;
             f++)
            if (need->fields[f])
                add_slot(self, out, c, f, capacity);
    }
}

static const struct type *schema_of_slots(const struct pruner *self, const struct type *was,
                                          const struct narrowed *node)
{
    struct field *fields = arena_array(self->arena, struct field, (size_t)node->slot_count);
    for (int32_t i = 0; i < node->slot_count; i++) {
        const struct field *field = &was->fields[node->slots[i].column];
        fields[i] = node->slots[i].field < 0 ? *field : field->type->fields[node->slots[i].field];
        fields[i].nullable = fields[i].nullable || field->nullable;
    }
    return type_struct(self->arena, fields, node->slot_count);
}

/* Stand on a projection that gives the slots. The projection has no id: until the expressions are
 * moved, the node's own slots are those of its input. */
static void stand_on(const struct pruner *self, struct plan *node, const struct type *was,
                     const struct narrowed *slots, const struct expr *extra)
{
    struct narrowed *own = of(self, node);
    struct plan *picked = pick(self, node->inputs[0], was, slots, extra, node->at);
    own->slots = slots->slots;
    own->slot_count = slots->slot_count;
    if (picked != NULL)
        node->inputs[0] = picked;
    node->schema = node->inputs[0]->schema;
}

static void narrow_filter(const struct pruner *self, struct plan *node)
{
    const struct type *was = node->schema;
    struct narrowed all = {0}, passed = {0};
    reading_slots(self, node, was, node->exprs, 1, &all);
    reading_slots(self, node, was, NULL, 0, &passed);
    if (same_slots(&all, &passed)) {
        stand_on(self, node, was, &all, NULL);
        node->exprs = narrow_list(self, node, node->exprs, 1);
        return;
    }
    const struct expr **predicate = arena_new(self->arena, const struct expr *);
    stand_on(self, node, was, &passed, narrow_expr(self, node->inputs[0], node->exprs[0]));
    int32_t last = node->schema->field_count - 1;
    predicate[0] = expr_column(self->optimiser->expr, last, &node->schema->fields[last], node->at);
    node->exprs = predicate;
    add_slot(self, of(self, node), -1, -1, 0);
}

/* A struct of which the input gives only fields, those that are read: so does the projection. */
static int32_t narrow_fields(const struct pruner *self, const struct plan *node, int32_t column,
                             const struct expr **exprs, const char **names, int32_t capacity)
{
    const struct plan *input = node->inputs[0];
    const struct expr *expr = node->exprs[column];
    const bool *fields = of(self, node)->needs[column].fields;
    int32_t count = 0;
    for (int32_t f = 0; f < expr->type->field_count; f++) {
        if (!fields[f])
            continue;
        int32_t slot = slot_find(of(self, input), expr->index, f);
        add_slot(self, of(self, node), column, f, capacity);
        exprs[count] = moved(self, expr, input->schema, slot);
        names[count++] = expr->type->fields[f].name;
    }
    return count;
}

/* Whether the column is a struct that passes as it is, and comes in as fields. */
static bool comes_in_fields(const struct pruner *self, const struct plan *node, int32_t column)
{
    const struct need *need = &of(self, node)->needs[column];
    const struct expr *expr = node->exprs[column];
    return expr->kind == EXPR_COLUMN && expr->index < COLUMN_MARK && need->fields != NULL &&
           slot_find(of(self, node->inputs[0]), expr->index, -1) < 0;
}

static void narrow_project(struct pruner *self, struct plan *node)
{
    const struct plan *input = node->inputs[0];
    int32_t capacity = 0, count = 0;
    for (int32_t i = 0; i < node->expr_count; i++)
        capacity += 1 + node->exprs[i]->type->field_count;
    const struct expr **exprs = arena_array(self->arena, const struct expr *, (size_t)capacity);
    const char **names = arena_array(self->arena, const char *, (size_t)capacity);
    for (int32_t i = 0; i < node->expr_count; i++) {
        if (!is_needed(&of(self, node)->needs[i]))
            continue;
        if (comes_in_fields(self, node, i)) {
            count += narrow_fields(self, node, i, exprs + count, names + count, capacity);
            continue;
        }
        add_slot(self, of(self, node), i, -1, capacity);
        exprs[count] = narrow_expr(self, input, node->exprs[i]);
        names[count++] = node->schema->fields[i].name;
    }
    struct plan *fresh = plan_project(self->arena, node->inputs[0], exprs, names, count, node->at);
    node->exprs = fresh->exprs;
    node->expr_count = count;
    node->schema = fresh->schema;
}

/* At least one column stays, so that a batch has rows to count: the narrowest. */
static void narrow_source(struct pruner *self, struct plan *node)
{
    const struct type *was = node->schema;
    struct narrowed *own = of(self, node);
    for (int32_t i = 0; i < was->field_count; i++)
        if (is_needed(&own->needs[i]))
            add_slot(self, own, i, -1, was->field_count);
    int32_t narrowest = 0;
    for (int32_t i = 0; i < was->field_count; i++) {
        int32_t width = type_width(was->fields[i].type),
                best = type_width(was->fields[narrowest].type);
        if (width > 0 && (best == 0 || width < best))
            narrowest = i;
    }
    if (own->slot_count == 0 && was->field_count > 0)
        add_slot(self, own, narrowest, -1, was->field_count);
    node->schema = schema_of_slots(self, was, own);
}

static void narrow_decode(struct pruner *self, struct plan *node)
{
    struct plan *input = node->inputs[0];
    int32_t last = node->schema->field_count - 1;
    const struct need *need = &of(self, node)->needs[last];
    struct plan_decode *decode = &node->decode;
    struct field field = node->schema->fields[last];
    pass_slots(self, node, input, last, 1);
    node->exprs = narrow_list(self, input, node->exprs, 1);
    node->schema = schema_append(self->arena, input->schema, &field, 1);
    if (need->whole || decode->schema->id != TYPE_STRUCT)
        return;
    bool *needed = arena_array(self->arena, bool, (size_t)decode->schema->field_count);
    for (int32_t f = 0; f < decode->schema->field_count; f++)
        needed[f] = need->fields != NULL && need->fields[f];
    decode->needed = needed;
}

/* Nobody reads what it decodes: the node becomes a plain projection of its input. */
static void drop_decode(struct pruner *self, struct plan *node)
{
    struct plan *input = node->inputs[0];
    const struct expr **exprs =
        arena_array(self->arena, const struct expr *, (size_t)input->schema->field_count);
    const char **names = arena_array(self->arena, const char *, (size_t)input->schema->field_count);
    pass_slots(self, node, input, 0, 0);
    for (int32_t i = 0; i < input->schema->field_count; i++) {
        exprs[i] = expr_column(self->optimiser->expr, i, &input->schema->fields[i], node->at);
        names[i] = input->schema->fields[i].name;
    }
    struct plan *project =
        plan_project(self->arena, input, exprs, names, input->schema->field_count, node->at);
    project->id = node->id;
    *node = *project;
}

/* Every input column is repeated for every element, unless `keep` says that nobody reads it any
 * more. */
static void narrow_generate(const struct pruner *self, struct plan *node)
{
    struct plan_generate *generate = &node->generate;
    int32_t first = node->schema->field_count - generate->generated;
    const struct field *fields = node->schema->fields + first;
    struct field *before = arena_array(self->arena, struct field, (size_t)first);
    for (int32_t i = 0; i < first; i++)
        before[i] = node->schema->fields[i];
    const struct type *was = type_struct(self->arena, before, first);
    struct narrowed all = {0}, passed = {0};
    reading_slots(self, node, was, generate->args, generate->arg_count, &all);
    reading_slots(self, node, was, NULL, 0, &passed);
    stand_on(self, node, was, &all, NULL);
    generate->args = narrow_list(self, node, generate->args, generate->arg_count);
    bool *keep = arena_array(self->arena, bool, (size_t)all.slot_count);
    for (int32_t i = 0; i < all.slot_count; i++)
        keep[i] = slot_find(&passed, all.slots[i].column, all.slots[i].field) >= 0;
    generate->keep = keep;
    struct narrowed *own = of(self, node);
    own->slots = NULL;
    own->slot_count = 0;
    for (int32_t i = 0; i < all.slot_count; i++)
        add_slot(self, own, all.slots[i].column, all.slots[i].field,
                 all.slot_count + generate->generated);
    for (int32_t i = 0; i < generate->generated; i++)
        add_slot(self, own, first + i, -1, all.slot_count + generate->generated);
    node->schema = schema_append(self->arena, node->inputs[0]->schema, fields, generate->generated);
}

static void narrow_watermark(struct pruner *self, struct plan *node)
{
    const struct plan *input = node->inputs[0];
    pass_slots(self, node, input, 0, 0);
    node->watermark.column = slot_find(of(self, input), node->watermark.column, -1);
    node->schema = input->schema;
}

static const struct aggregate_call *narrow_call(const struct pruner *self, const struct plan *input,
                                                const struct aggregate_call *call)
{
    struct aggregate_call *copy = arena_new(self->arena, struct aggregate_call);
    *copy = *call;
    copy->args =
        (const struct expr **)(uintptr_t)narrow_list(self, input, call->args, call->arg_count);
    if (call->filter != NULL)
        copy->filter = narrow_expr(self, input, call->filter);
    return copy;
}

static void narrow_aggregate(struct pruner *self, struct plan *node)
{
    struct plan_aggregate *aggregate = &node->aggregate;
    const struct plan *input = node->inputs[0];
    const struct aggregate_call **calls =
        arena_array(self->arena, const struct aggregate_call *, (size_t)aggregate->call_count);
    int32_t count = 0;
    for (int32_t i = 0; i < aggregate->key_count; i++)
        add_slot(self, of(self, node), i, -1, node->schema->field_count);
    for (int32_t i = 0; i < aggregate->call_count; i++) {
        if (!is_needed(&of(self, node)->needs[aggregate->key_count + i]))
            continue;
        add_slot(self, of(self, node), aggregate->key_count + i, -1, node->schema->field_count);
        calls[count++] = narrow_call(self, input, aggregate->calls[i]);
    }
    aggregate->keys = narrow_list(self, input, aggregate->keys, aggregate->key_count);
    aggregate->calls = calls;
    aggregate->call_count = count;
    if (aggregate->window.time != NULL)
        aggregate->window.time = narrow_expr(self, input, aggregate->window.time);
    node->schema = schema_of_slots(self, node->schema, of(self, node));
}

static void narrow_union(struct pruner *self, struct plan *node)
{
    struct narrowed *own = of(self, node);
    const struct type *was = node->schema;
    for (int32_t i = 0; i < was->field_count; i++)
        if (is_needed(&own->needs[i]))
            add_slot(self, own, i, -1, was->field_count);
    for (int32_t j = 0; j < node->input_count; j++) {
        struct plan *picked = pick(self, plan_input(node, j), was, own, NULL, node->at);
        if (picked != NULL)
            *plan_input_place(node, j) = picked;
    }
    node->schema = schema_of_slots(self, was, own);
}

/* Nodes that keep everything: their inputs do too, but may have other slots in front of more
 * users. */
static void narrow_whole(struct pruner *self, struct plan *node)
{
    for (int32_t j = 0; j < node->input_count; j++) {
        struct plan *input = plan_input(node, j);
        const struct narrowed *below = of(self, input);
        for (int32_t i = 0; i < below->slot_count; i++)
            always(below->slots[i].column == i && below->slots[i].field == -1);
    }
    keep_all(self, node);
}

static void narrow_node(struct pruner *self, struct plan *node)
{
    switch (node->kind) {
    case PLAN_SOURCE: narrow_source(self, node); break;
    case PLAN_PROJECT: narrow_project(self, node); break;
    case PLAN_FILTER: narrow_filter(self, node); break;
    case PLAN_DECODE:
        if (is_needed(&of(self, node)->needs[node->schema->field_count - 1]))
            narrow_decode(self, node);
        else
            drop_decode(self, node);
        break;
    case PLAN_GENERATE: narrow_generate(self, node); break;
    case PLAN_WATERMARK: narrow_watermark(self, node); break;
    case PLAN_TABLE:
        pass_slots(self, node, node->inputs[0], 0, 0);
        node->schema = node->inputs[0]->schema;
        break;
    case PLAN_AGGREGATE: narrow_aggregate(self, node); break;
    case PLAN_UNION: narrow_union(self, node); break;
    default: narrow_whole(self, node);
    }
}

static const struct function *null_test(struct expr_context *ctx, const char *name)
{
    struct error err = {0};
    struct field field = {"", type_of(TYPE_STRING), true};
    const struct expr *column = expr_column(ctx, 0, &field, (struct position){0}), *call;
    return expr_call(ctx, name, &column, 1, (struct position){0}, &call, &err) == E_OK
               ? call->function
               : NULL;
}

void prune_columns(struct optimiser *optimiser)
{
    optimiser_collect(optimiser);
    struct plan_list *nodes = &optimiser->nodes;
    struct pruner self = {.optimiser = optimiser, .arena = optimiser->expr->arena};
    self.nodes = arena_array(self.arena, struct narrowed, (size_t)nodes->count);
    self.isnull = null_test(optimiser->expr, "isnull");
    self.isnotnull = null_test(optimiser->expr, "isnotnull");
    for (int32_t i = 0; i < nodes->count; i++)
        self.nodes[i].needs =
            arena_array(self.arena, struct need, (size_t)nodes->nodes[i]->schema->field_count);
    for (int32_t i = 0; i < optimiser->root_count; i++)
        need_all(&self, optimiser->roots[i]);
    for (int32_t i = nodes->count - 1; i >= 0; i--)
        need_inputs(&self, nodes->nodes[i]);
    for (int32_t i = 0; i < nodes->count; i++)
        narrow_node(&self, nodes->nodes[i]);
}
