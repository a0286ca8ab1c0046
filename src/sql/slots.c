#include "sql/prune.h"

int32_t slot_find(const struct narrowed *node, int32_t column, int32_t field)
{
    for (int32_t i = 0; i < node->slot_count; i++)
        if (node->slots[i].column == column && node->slots[i].field == field)
            return i;
    return -1;
}

void slot_add(const struct pruner *self, struct narrowed *node, int32_t column, int32_t field, int32_t capacity)
{
    if (node->slots == NULL)
        node->slots = arena_array(self->arena, struct slot, (size_t)capacity + 1);
    node->slots[node->slot_count++] = (struct slot){column, field};
}

void slots_pass(const struct pruner *self, const struct plan *node, const struct plan *input, int32_t first_added,
                int32_t added)
{
    const struct narrowed *below = narrowed_of(self, input);
    int32_t capacity = below->slot_count + added;
    for (int32_t i = 0; i < below->slot_count; i++)
        slot_add(self, narrowed_of(self, node), below->slots[i].column, below->slots[i].field, capacity);
    for (int32_t i = 0; i < added; i++)
        slot_add(self, narrowed_of(self, node), first_added + i, -1, capacity);
}

void slots_of_needs(const struct pruner *self, const struct need *needs, const struct type *was, struct narrowed *out)
{
    int32_t capacity = was->field_count;
    for (int32_t i = 0; i < was->field_count; i++)
        capacity += was->fields[i].type->id == TYPE_STRUCT ? was->fields[i].type->field_count : 0;
    for (int32_t c = 0; c < was->field_count; c++) {
        const struct need *need = &needs[c];
        bool whole = need->whole || need->validity;
        if (whole)
            slot_add(self, out, c, -1, capacity);
        for (int32_t f = 0; !whole && need->fields != NULL && f < was->fields[c].type->field_count; f++)
            if (need->fields[f])
                slot_add(self, out, c, f, capacity);
    }
}

bool slots_same(const struct narrowed *a, const struct narrowed *b)
{
    bool same = a->slot_count == b->slot_count;
    for (int32_t i = 0; same && i < a->slot_count; i++)
        same = a->slots[i].column == b->slots[i].column && a->slots[i].field == b->slots[i].field;
    return same;
}

const struct type *slots_schema(const struct pruner *self, const struct type *was, const struct narrowed *node)
{
    struct field *fields = arena_array(self->arena, struct field, (size_t)node->slot_count);
    for (int32_t i = 0; i < node->slot_count; i++) {
        const struct field *field = &was->fields[node->slots[i].column];
        fields[i] = node->slots[i].field < 0 ? *field : field->type->fields[node->slots[i].field];
        fields[i].nullable = fields[i].nullable || field->nullable;
    }
    return type_struct(self->arena, fields, node->slot_count);
}

/* ---- expressions ---- */

const struct expr *slot_column(const struct pruner *self, const struct expr *expr, const struct type *schema,
                               int32_t slot)
{
    return expr_column(self->optimiser->expr, slot, &schema->fields[slot], expr->at);
}

const struct expr *narrow_expr(const struct pruner *self, const struct plan *input, const struct expr *expr)
{
    const struct narrowed *slots = narrowed_of(self, input);
    const struct expr *first = expr->arg_count > 0 ? expr->args[0] : NULL;
    if (expr->kind == EXPR_COLUMN && expr->index >= COLUMN_MARK)
        return expr;
    if (expr->kind == EXPR_COLUMN)
        return slot_column(self, expr, input->schema, slot_find(slots, expr->index, -1));
    if (expr->kind == EXPR_FIELD && first->kind == EXPR_COLUMN && first->index < COLUMN_MARK) {
        int32_t slot = slot_find(slots, first->index, expr->index);
        if (slot >= 0)
            return slot_column(self, expr, input->schema, slot);
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

const struct expr *const *narrow_list(const struct pruner *self, const struct plan *input,
                                      const struct expr *const *exprs, int32_t count)
{
    const struct expr **narrowed = arena_array(self->arena, const struct expr *, (size_t)count);
    for (int32_t i = 0; i < count; i++)
        narrowed[i] = exprs[i] != NULL ? narrow_expr(self, input, exprs[i]) : NULL;
    return narrowed;
}

/* ---- projections ---- */

/* One slot as an expression over `input`, whose schema was `was` before it was narrowed. */
static const struct expr *pick_slot(const struct pruner *self, const struct plan *input, const struct field *was,
                                    struct slot slot, struct position at)
{
    const struct narrowed *have = narrowed_of(self, input);
    int32_t direct = slot_find(have, slot.column, slot.field);
    int32_t from = direct >= 0 ? direct : slot_find(have, slot.column, -1);
    const struct expr *expr = expr_column(self->optimiser->expr, from, &input->schema->fields[from], at);
    struct error err = {0};
    if (direct < 0)
        always(expr_field(self->optimiser->expr, expr, was->type->fields[slot.field].name, at, &expr, &err) == E_OK);
    return expr;
}

struct plan *slots_pick(const struct pruner *self, struct plan *input, const struct type *was,
                        const struct narrowed *wanted, const struct expr *extra, struct position at)
{
    if (extra == NULL && slots_same(narrowed_of(self, input), wanted))
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
