/* join_parts.c - ON taken apart: equality keys, parts that read one side alone, the rest. */
#include "sql/join.h"

struct parts {
    struct expr_context *ctx;
    const struct plan *node;
    struct list keys[2];   /* const struct expr *, over the side */
    struct list null_safe; /* const struct expr *: the equality, or NULL for a plain one */
    struct list only[2], rest;
};

static int32_t left_count(const struct plan *node) { return node->inputs[0]->schema->field_count; }

/* An expression over the join as one over the side that it reads. */
static const struct expr *on_side(const struct parts *self, const struct expr *expr, int side)
{
    return predicate_shift(self->ctx, expr, side == 0 ? 0 : -left_count(self->node), self->node->inputs[side]->schema);
}

/* Both keys of one type. The equality was typed so; only names of struct fields may still differ. */
static bool same_type(struct expr_context *ctx, const struct expr *keys[2])
{
    struct error err = {0};
    if (type_equal(keys[0]->type, keys[1]->type))
        return true;
    const struct type *common = type_common(ctx->arena, keys[0]->type, keys[1]->type);
    for (int side = 0; side < 2 && common != NULL; side++)
        if (!type_equal(keys[side]->type, common) &&
            expr_cast(ctx, keys[side], common, false, keys[side]->at, &keys[side], &err) != E_OK)
            return false;
    return common != NULL;
}

/* left = right or left <=> right, with one side of the join on each side of it. */
static bool take_key(struct parts *self, const struct expr *part)
{
    bool null_safe = expr_is_call(part, "<=>");
    if (!null_safe && !expr_is_call(part, "="))
        return false;
    int32_t count = left_count(self->node);
    int first = predicate_reads(part->args[0], count), second = predicate_reads(part->args[1], count);
    if (!(first == READS_LEFT && second == READS_RIGHT) && !(first == READS_RIGHT && second == READS_LEFT))
        return false;
    const struct expr *keys[2];
    for (int side = 0; side < 2; side++)
        keys[side] = on_side(self, part->args[(first == READS_LEFT) == (side == 0) ? 0 : 1], side);
    if (!same_type(self->ctx, keys))
        return false;
    for (int side = 0; side < 2; side++)
        list_add(self->ctx->arena, &self->keys[side], keys[side]);
    list_add(self->ctx->arena, &self->null_safe, null_safe ? part : NULL);
    return true;
}

static bool is_true(const struct expr *part)
{
    return part->kind == EXPR_LITERAL && part->type->id == TYPE_BOOLEAN && column_valid_at(part->literal, 0) &&
           bit_get(part->literal->values->data, 0);
}

static void take_part(struct parts *self, const struct expr *part)
{
    int reads = predicate_reads(part, left_count(self->node));
    if (is_true(part) || (reads == (READS_LEFT | READS_RIGHT) && take_key(self, part)))
        return;
    if (reads == READS_LEFT || reads == READS_RIGHT) {
        int side = reads == READS_RIGHT;
        list_add(self->ctx->arena, &self->only[side], on_side(self, part, side));
    } else {
        list_add(self->ctx->arena, &self->rest, part);
    }
}

/* ---- event time ---- */

int32_t join_time_column(const struct plan *node, int side)
{
    const struct plan *input = node->inputs[side];
    const struct plan_join *join = &node->join;
    int32_t first = -1, shift = side == 0 ? 0 : left_count(node);
    for (int32_t i = 0; input->streaming && i < input->schema->field_count; i++) {
        if (!plan_event_time(input, i))
            continue;
        bool read = join->condition != NULL && predicate_reads_column(join->condition, i + shift);
        for (int32_t k = 0; k < join->key_count; k++)
            read = read || predicate_reads_column(join->sides[side].keys[k], i);
        if (read)
            return i;
        first = first < 0 ? i : first;
    }
    return first;
}

/* A key that is a column with event time. `<=>` is none: Spark compares coalesce(time, ..) there. */
static int32_t event_time_key(const struct plan *node)
{
    const struct plan_join *join = &node->join;
    for (int side = 0; side < 2; side++)
        for (int32_t i = 0; i < join->key_count; i++) {
            const struct expr *key = join->sides[side].keys[i];
            if (node->inputs[side]->streaming && !join->null_safe[i] && key->kind == EXPR_COLUMN &&
                key->index < COLUMN_MARK && plan_event_time(node->inputs[side], key->index))
                return i;
        }
    return -1;
}

void join_take_apart(struct expr_context *ctx, struct plan *node, const struct list *conditions)
{
    struct parts parts = {.ctx = ctx, .node = node};
    struct plan_join *join = &node->join;
    for (int32_t i = 0; i < conditions->count; i++)
        take_part(&parts, conditions->items[i]);
    bool *null_safe = arena_array(ctx->arena, bool, (size_t)parts.null_safe.count);
    for (int32_t i = 0; i < parts.null_safe.count; i++)
        null_safe[i] = parts.null_safe.items[i] != NULL;
    join->null_safe = null_safe;
    join->key_count = parts.null_safe.count;
    join->condition = predicate_all(ctx, &parts.rest);
    for (int side = 0; side < 2; side++) {
        join->sides[side].keys = (const struct expr *const *)parts.keys[side].items;
        join->sides[side].only = predicate_all(ctx, &parts.only[side]);
    }
    for (int side = 0; side < 2; side++)
        join->sides[side].time_column = join_time_column(node, side);
    join->time_key = event_time_key(node);
    if (join->kind == JOIN_CROSS && (join->key_count > 0 || join->condition != NULL))
        join->kind = JOIN_INNER;
    join_find_bounds(ctx, node);
}
