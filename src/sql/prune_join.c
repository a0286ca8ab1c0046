/* prune_join.c - the columns of a join: each side gives what keys, conditions and users read of it. */
#include "sql/join.h"
#include "sql/prune.h"

bool is_plain_join(const struct plan *node) { return node->kind == PLAN_JOIN && node->unsupported == NULL; }

/* A pruner that sees one input only: these columns. */
static struct pruner alone(const struct pruner *self, struct narrowed *input)
{
    struct pruner pruner = *self;
    pruner.nodes = input;
    return pruner;
}

/* ---- down ---- */

static void need_side(const struct pruner *self, const struct plan *node, int side, struct need *reads)
{
    const struct plan_join_side *parts = &node->join.sides[side];
    const struct plan *input = node->inputs[side];
    struct narrowed columns = {.needs = reads};
    struct pruner pruner = alone(self, &columns);
    struct plan seen = {.id = 0};
    for (int32_t i = 0; i < node->join.key_count; i++)
        need_expr(&pruner, &seen, parts->keys[i]);
    if (parts->only != NULL)
        need_expr(&pruner, &seen, parts->only);
    for (int32_t i = 0; i < input->schema->field_count; i++)
        need_same(self, &narrowed_of(self, input)->needs[i], &reads[i], input->schema->fields[i].type);
}

void need_join(const struct pruner *self, const struct plan *node)
{
    struct narrowed *own = narrowed_of(self, node);
    int32_t left = node->inputs[0]->schema->field_count, right = node->inputs[1]->schema->field_count;
    struct narrowed columns = {.needs = arena_array(self->arena, struct need, (size_t)left + (size_t)right)};
    struct pruner pruner = alone(self, &columns);
    struct plan seen = {.id = 0};
    for (int32_t i = 0; i < node->schema->field_count; i++)
        need_same(self, &columns.needs[i], &own->needs[i], node->schema->fields[i].type);
    if (node->join.condition != NULL)
        need_expr(&pruner, &seen, node->join.condition);
    own->reads = columns.needs;
    for (int side = 0; side < 2; side++) {
        own->sides[side] = node->inputs[side]->schema;
        need_side(self, node, side, columns.needs + (side == 0 ? 0 : left));
    }
}

/* ---- up ---- */

/* The side's input gives exactly what is read of it. */
static void narrow_side(const struct pruner *self, struct plan *node, int side, struct narrowed *slots)
{
    const struct narrowed *own = narrowed_of(self, node);
    struct plan_join_side *parts = &node->join.sides[side];
    const struct type *was = own->sides[side];
    slots_of_needs(self, own->reads + (side == 0 ? 0 : own->sides[0]->field_count), was, slots);
    struct plan *picked = slots_pick(self, node->inputs[side], was, slots, NULL, node->at);
    if (picked != NULL)
        node->inputs[side] = picked;
    struct pruner pruner = alone(self, slots);
    struct plan input = {.id = 0, .schema = node->inputs[side]->schema};
    parts->keys = narrow_list(&pruner, &input, parts->keys, node->join.key_count);
    if (parts->only != NULL)
        parts->only = narrow_expr(&pruner, &input, parts->only);
}

void narrow_join(const struct pruner *self, struct plan *node)
{
    struct narrowed *own = narrowed_of(self, node);
    struct narrowed sides[2] = {0}, both = {0};
    bool one_sided = node->join.kind == JOIN_SEMI || node->join.kind == JOIN_ANTI;
    for (int side = 0; side < 2; side++)
        narrow_side(self, node, side, &sides[side]);
    for (int side = 0; side < 2; side++)
        for (int32_t i = 0; i < sides[side].slot_count; i++)
            slot_add(self, &both, sides[side].slots[i].column + (side == 0 ? 0 : own->sides[0]->field_count),
                     sides[side].slots[i].field, sides[0].slot_count + sides[1].slot_count);
    const struct type *right = node->inputs[1]->schema;
    struct plan seen = {
        .id = 0, .schema = schema_append(self->arena, node->inputs[0]->schema, right->fields, right->field_count)};
    struct pruner pruner = alone(self, &both);
    if (node->join.condition != NULL)
        node->join.condition = narrow_expr(&pruner, &seen, node->join.condition);
    // as in Spark: where nothing reads the time, no row of the side is late
    for (int side = 0; side < 2; side++)
        node->join.sides[side].time_column = join_time_column(node, side);
    own->slots = both.slots;
    own->slot_count = one_sided ? sides[0].slot_count : both.slot_count;
    node->schema = slots_schema(self, node->schema, own);
}
