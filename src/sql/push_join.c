/* push_join.c - conditions of joins and filters above them go to the side that they read.
 *
 *               of ON, one side alone     of WHERE, one side alone    not null, as = and < imply
 *   inner       into both sides           into both sides             both sides
 *   semi        into both sides           left side                   both sides
 *   left, anti  into the right side       left side                   right side
 *   right       into the left side        right side                  left side
 *   full        stays                     stays                       none
 *
 * As in Spark, and not for speed alone: what goes below a watermark no longer moves it. For the same reason a
 * condition on a key is repeated for the key that it equals. An outer join below a filter that no NULL passes is an
 * inner one.
 */
#include "sql/predicate.h"
#include "sql/push.h"

static int32_t left_count(const struct plan *join) { return join->inputs[0]->schema->field_count; }

static bool takes_on(enum join_kind kind, int side)
{
    switch (kind) {
    case JOIN_INNER:
    case JOIN_CROSS:
    case JOIN_SEMI: return true;
    case JOIN_LEFT:
    case JOIN_ANTI: return side == 1;
    case JOIN_RIGHT: return side == 0;
    case JOIN_FULL: break;
    }
    return false;
}

static bool takes_where(enum join_kind kind, int side)
{
    switch (kind) {
    case JOIN_INNER:
    case JOIN_CROSS: return true;
    case JOIN_LEFT:
    case JOIN_SEMI:
    case JOIN_ANTI: return side == 0;
    case JOIN_RIGHT: return side == 1;
    case JOIN_FULL: break;
    }
    return false;
}

static void add_part(struct optimiser *self, struct list *parts, const struct expr *part)
{
    if (part != NULL)
        list_add(self->expr->arena, parts, part);
}

static void filter_side(struct optimiser *self, struct plan *join, int side, const struct list *parts)
{
    const struct expr *predicate = predicate_all(self->expr, parts);
    if (predicate == NULL)
        return;
    struct plan *filter = plan_filter(self->expr->arena, join->inputs[side], predicate, predicate->at);
    filter->user_count = 1;
    join->inputs[side] = filter;
    push_down(self, filter);
}

/* ---- a condition on a key holds for the key that it equals ---- */

struct mirror {
    struct optimiser *optimiser;
    const struct plan *join;
    int side;
    bool all;
};

static const struct expr *mirror_column(void *context, const struct expr *column)
{
    struct mirror *self = context;
    const struct plan_join *join = &self->join->join;
    for (int32_t i = 0; i < join->key_count; i++) {
        const struct expr *key = join->sides[self->side].keys[i], *other = join->sides[1 - self->side].keys[i];
        if (!join->null_safe[i] && key->kind == EXPR_COLUMN && other->kind == EXPR_COLUMN &&
            key->index == column->index && type_equal(column->type, other->type))
            return other;
    }
    self->all = false;
    return column;
}

/* The condition over the other side; NULL when it reads more than keys. */
static const struct expr *mirrored(struct optimiser *self, const struct plan *join, int side,
                                   const struct expr *condition)
{
    struct mirror mirror = {self, join, side, true};
    if (predicate_reads(condition, INT32_MAX) == READS_NOTHING)
        return NULL;
    const struct expr *other = expr_rewrite(self->expr->arena, condition, mirror_column, &mirror);
    return mirror.all ? other : NULL;
}

static void mirror_parts(struct optimiser *self, const struct plan *join, int side, const struct list *parts,
                         struct list *filter)
{
    if (!takes_on(join->join.kind, 1 - side) || join->join.null_aware)
        return;
    for (int32_t i = 0; i < parts->count; i++)
        add_part(self, filter, mirrored(self, join, side, parts->items[i]));
}

/* ---- what an equality or an order implies ---- */

struct implied {
    struct optimiser *optimiser;
    const struct plan *join;
    int side;
    bool *noted; /* by column of the side */
    struct list *filter;
};

static void imply_not_null(struct implied *self, const struct expr *column, int32_t index)
{
    struct expr_context *ctx = self->optimiser->expr;
    const struct plan *input = self->join->inputs[self->side];
    struct error err = {0};
    const struct expr *of, *test;
    if (index < 0 || index >= input->schema->field_count || self->noted[index] ||
        !input->schema->fields[index].nullable || plan_event_time(input, index))
        return;
    self->noted[index] = true;
    of = expr_column(ctx, index, &input->schema->fields[index], column->at);
    if (expr_call(ctx, "isnotnull", &of, 1, column->at, &test, &err) == E_OK)
        add_part(self->optimiser, self->filter, test);
}

/* Columns without which the expression is NULL; `first` is the index of the side's first column. */
static void imply(struct implied *self, const struct expr *expr, int32_t first)
{
    static const char *const strict[] = {"=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "not"};
    if (expr->kind == EXPR_COLUMN && expr->index < COLUMN_MARK)
        imply_not_null(self, expr, expr->index - first);
    if (expr->kind == EXPR_FIELD || (expr->kind == EXPR_CAST && !expr->try_cast))
        imply(self, expr->args[0], first);
    for (size_t s = 0; expr->kind == EXPR_CALL && s < sizeof strict / sizeof strict[0]; s++)
        for (int32_t i = 0; expr_is_call(expr, strict[s]) && i < expr->arg_count; i++)
            imply(self, expr->args[i], first);
}

static void imply_parts(struct optimiser *self, const struct plan *join, int side, struct list *filter)
{
    const struct plan_join *parts = &join->join;
    struct plan *input = join->inputs[side];
    struct list conditions = {0};
    if (!takes_on(parts->kind, side) || parts->null_aware || !plan_watermarked(self->expr->arena, input))
        return; // nobody sees the difference
    bool *noted = arena_array(self->expr->arena, bool, (size_t)input->schema->field_count);
    struct implied implied = {self, join, side, noted, filter};
    for (int32_t i = 0; i < parts->key_count; i++)
        if (!parts->null_safe[i])
            imply(&implied, parts->sides[side].keys[i], 0);
    if (parts->condition != NULL)
        predicate_split(self->expr->arena, parts->condition, &conditions);
    for (int32_t i = 0; i < conditions.count; i++)
        imply(&implied, conditions.items[i], side == 0 ? 0 : left_count(join));
}

void push_join(struct optimiser *self, struct plan *join)
{
    struct plan_join *parts = &join->join;
    struct list only[2] = {0}, filters[2] = {0};
    if (join->unsupported != NULL)
        return;
    for (int side = 0; side < 2; side++)
        if (parts->sides[side].only != NULL)
            predicate_split(self->expr->arena, parts->sides[side].only, &only[side]);
    for (int side = 0; side < 2; side++) {
        mirror_parts(self, join, 1 - side, &only[1 - side], &filters[side]);
        for (int32_t i = 0; takes_on(parts->kind, side) && i < only[side].count; i++)
            add_part(self, &filters[side], only[side].items[i]);
        if (takes_on(parts->kind, side))
            parts->sides[side].only = NULL;
        imply_parts(self, join, side, &filters[side]);
    }
    for (int side = 0; side < 2; side++)
        filter_side(self, join, side, &filters[side]);
}

/* ---- filters above ---- */

static const struct expr *null_column(void *context, const struct expr *column)
{
    return expr_null(context, column->type, column->at);
}

/* No row passes whose columns here are NULL. */
static bool rejects_nulls(struct optimiser *self, const struct expr *condition)
{
    struct error err = {0};
    const struct expr *nulls = expr_rewrite(self->expr->arena, condition, null_column, self->expr), *value;
    if (!expr_is_constant(nulls) || expr_fold(self->expr, nulls, &value, &err) != E_OK)
        return false;
    return !column_valid_at(value->literal, 0) || !bit_get(value->literal->values->data, 0);
}

/* A side whose missing rows come out as NULLs that the condition lets not pass: they need not come out. */
static void narrow_kind(struct optimiser *self, struct plan_join *join, const struct expr *condition, int reads)
{
    bool left_null = join->kind == JOIN_RIGHT || join->kind == JOIN_FULL,
         right_null = join->kind == JOIN_LEFT || join->kind == JOIN_FULL;
    bool left = reads == READS_LEFT && left_null, right = reads == READS_RIGHT && right_null;
    if ((!left && !right) || !rejects_nulls(self, condition))
        return;
    if (join->kind == JOIN_FULL)
        join->kind = left ? JOIN_LEFT : JOIN_RIGHT;
    else
        join->kind = JOIN_INNER;
}

/* Each part goes to the filter of a side, into the join, or stays above. */
static void part_filter(struct optimiser *self, struct plan *join, const struct list *parts, struct list filters[2],
                        struct list *stay)
{
    int32_t count = left_count(join);
    struct list condition = {0};
    for (int32_t i = 0; i < parts->count; i++)
        narrow_kind(self, &join->join, parts->items[i], predicate_reads(parts->items[i], count));
    bool inner = join->join.kind == JOIN_INNER || join->join.kind == JOIN_CROSS;
    if (join->join.condition != NULL)
        predicate_split(self->expr->arena, join->join.condition, &condition);
    for (int32_t i = 0; i < parts->count; i++) {
        const struct expr *part = parts->items[i];
        int reads = predicate_reads(part, count), side = reads == READS_RIGHT;
        bool one = reads == READS_LEFT || reads == READS_RIGHT, fixed = !expr_is_volatile(part);
        bool both = inner && fixed && reads == (READS_LEFT | READS_RIGHT);
        if (one && fixed && takes_where(join->join.kind, side))
            add_part(self, &filters[side],
                     predicate_shift(self->expr, part, side == 0 ? 0 : -count, join->inputs[side]->schema));
        else
            add_part(self, both ? &condition : stay, part);
    }
    join->join.condition = predicate_all(self->expr, &condition);
}

void push_into_join(struct optimiser *self, struct plan *filter)
{
    struct plan *join = filter->inputs[0];
    struct list parts = {0}, filters[2] = {0}, copies[2] = {0}, stay = {0};
    if (join->unsupported != NULL || join->join.never)
        return;
    predicate_split(self->expr->arena, filter->exprs[0], &parts);
    part_filter(self, join, &parts, filters, &stay);
    for (int side = 0; side < 2; side++)
        mirror_parts(self, join, 1 - side, &filters[1 - side], &copies[side]);
    for (int side = 0; side < 2; side++) {
        for (int32_t i = 0; i < copies[side].count; i++)
            add_part(self, &filters[side], copies[side].items[i]);
        filter_side(self, join, side, &filters[side]);
    }
    if (stay.count > 0) {
        const struct expr **exprs = arena_new(self->expr->arena, const struct expr *);
        exprs[0] = predicate_all(self->expr, &stay);
        filter->exprs = exprs;
        return;
    }
    // the filter becomes the join: its users keep their pointer
    int32_t users = filter->user_count;
    *filter = *join;
    filter->user_count = users;
    plan_abandon(join);
    push_join(self, filter);
}
