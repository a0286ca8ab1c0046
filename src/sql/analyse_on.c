/* analyse_on.c - subqueries in ON, in the queries of a session.
 *
 * ON is typed over the join, so its subqueries stand as APPLYs above it. Of an inner join they stay there, below a
 * filter with the conjuncts that need them. Of other joins each goes down to the side that it reads, whose rows get a
 * column more.
 */
#include "sql/join.h"

struct on {
    struct analyser *analyser;
    struct rowset *rows; /* its plan: the APPLYs over the join */
    struct plan *node;   /* the join */
    struct list applies; /* struct plan *, the lowest first */
    int32_t left, total; /* columns of the left side, of both */
    int32_t added[2];    /* columns that a side got */
    int32_t *places;     /* per APPLY: its column in the new join */
};

/* The APPLYs between the rows and the join; false: something else stands there too. */
static bool find_applies(struct on *self)
{
    struct list above = {0};
    struct plan *at = self->rows->plan;
    for (; at != self->node && at->kind == PLAN_APPLY; at = at->inputs[0])
        list_add(self->analyser->arena, &above, at);
    for (int32_t i = above.count - 1; i >= 0; i--)
        list_add(self->analyser->arena, &self->applies, above.items[i]);
    return at == self->node;
}

/* ---- inner joins ---- */

static void note_above(void *context, const struct expr *column)
{
    int32_t *last = context;
    if (column->index < COLUMN_MARK && column->index > *last)
        *last = column->index;
}

/* What reads the join alone goes into it; the rest filters above. */
static void filter_above(struct on *self, const struct expr *condition, struct list *conditions)
{
    struct analyser *analyser = self->analyser;
    struct list conjuncts = {0}, above = {0};
    predicate_split(analyser->arena, condition, &conjuncts);
    for (int32_t i = 0; i < conjuncts.count; i++) {
        int32_t last = -1;
        expr_each_column(conjuncts.items[i], note_above, &last);
        list_add(analyser->arena, last < self->total ? conditions : &above, conjuncts.items[i]);
    }
    const struct expr *rest = predicate_all(&analyser->expr, &above);
    if (rest != NULL)
        self->rows->plan = plan_filter(analyser->arena, self->rows->plan, rest, condition->at);
}

/* ---- other joins ---- */

/* 0 or 1; -1 when the subquery reads both sides, or the column of another one. */
static int side_of(const struct on *self, const struct plan *apply)
{
    int32_t columns = apply->inputs[0]->schema->field_count;
    bool *used = arena_array(self->analyser->arena, bool, (size_t)columns + 1);
    bool reads[2] = {false, false};
    plan_outer_columns(apply->inputs[1], used);
    for (int32_t i = 0; i < columns; i++) {
        for (int32_t e = 0; e < apply->expr_count; e++)
            used[i] = used[i] || predicate_reads_column(apply->exprs[e], i);
        if (used[i] && i >= self->total)
            return -1;
        if (used[i])
            reads[i >= self->left] = true;
    }
    if (reads[0] && reads[1])
        return -1;
    return reads[1] ? 1 : 0;
}

/* The APPLY over one side: its columns are those of the join, moved by `shift`. */
static struct plan *apply_over(struct on *self, const struct plan *apply, struct plan *input, int32_t shift)
{
    struct analyser *analyser = self->analyser;
    const struct type *joined = self->node->schema;
    const struct field *result = &apply->schema->fields[apply->schema->field_count - 1];
    const struct expr **outer = arena_array(analyser->arena, const struct expr *, (size_t)apply->schema->field_count);
    const struct expr **sought = arena_array(analyser->arena, const struct expr *, (size_t)apply->expr_count + 1);
    for (int32_t i = -shift; i < self->total && i + shift < input->schema->field_count; i++)
        outer[i] = expr_column(&analyser->expr, MARK_OUTER + i + shift, &joined->fields[i], apply->at);
    for (int32_t e = 0; e < apply->expr_count; e++)
        sought[e] = predicate_shift(&analyser->expr, apply->exprs[e], shift, input->schema);
    struct plan *node = plan_over(analyser->arena, PLAN_APPLY, input,
                                  schema_append(analyser->arena, input->schema, result, 1), apply->at);
    node->inputs[1] = plan_bind_outer(analyser->arena, apply->inputs[1], outer);
    node->input_count = 2;
    node->exprs = sought;
    node->expr_count = apply->expr_count;
    node->apply = apply->apply;
    if (node->inputs[1]->height >= node->height)
        node->height = node->inputs[1]->height + 1;
    return node;
}

static const struct expr *place_column(void *context, const struct expr *column)
{
    const struct on *self = context;
    int32_t index = column->index;
    if (index >= COLUMN_MARK || index < self->left)
        return column;
    index = index < self->total ? index + self->added[0] : self->places[index - self->total];
    return column_of(self->analyser, self->node, index, column->at);
}

static enum code move_down(struct on *self, const struct ast_relation *join)
{
    struct analyser *analyser = self->analyser;
    struct plan *inputs[2] = {self->node->inputs[0], self->node->inputs[1]};
    int *sides = arena_array(analyser->arena, int, (size_t)self->applies.count + 1);
    self->places = arena_array(analyser->arena, int32_t, (size_t)self->applies.count + 1);
    for (int32_t i = 0; i < self->applies.count; i++) {
        const struct plan *apply = self->applies.items[i];
        int side = sides[i] = side_of(self, apply);
        if (side < 0)
            return sql_error(
                analyser, apply->at, NULL,
                "[UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_EXPRESSION_IN_JOIN_CONDITION] "
                "Unsupported subquery expression: Correlated subqueries in the join predicate cannot reference "
                "both join inputs.");
        inputs[side] = apply_over(self, apply, inputs[side], side == 0 ? 0 : -self->left);
        self->places[i] = self->added[side]++;
    }
    struct plan *node =
        join_node(analyser, join->join == JOIN_SEMI || join->join == JOIN_ANTI ? JOIN_INNER : join->join, inputs[0],
                  inputs[1], join->at);
    node->join.kind = join->join; // ON sees both sides
    for (int32_t i = 0; i < self->applies.count; i++)
        self->places[i] += sides[i] == 0 ? self->left : self->total + self->added[0];
    for (int32_t i = 0; i < self->rows->column_count; i++)
        if (self->rows->columns[i].index >= self->left)
            self->rows->columns[i].index += self->added[0];
    self->node = node;
    self->rows->plan = node;
    return E_OK;
}

enum code on_subqueries(struct analyser *analyser, const struct ast_relation *join, struct rowset *rows,
                        struct open_join *open, const struct expr *condition)
{
    struct on self = {.analyser = analyser,
                      .rows = rows,
                      .node = open->node,
                      .left = open->node->inputs[0]->schema->field_count,
                      .total = open->node->schema->field_count};
    if (!analyser->batch || !find_applies(&self))
        return sql_error(analyser, join->on->at, "compute it in a subquery of FROM, and join that",
                         "[UNSUPPORTED_FEATURE] from_json() and subqueries do not stand in ON.");
    if (join->join == JOIN_INNER || join->join == JOIN_CROSS) {
        filter_above(&self, condition, &open->conditions);
        return E_OK;
    }
    TRY(move_down(&self, join));
    open->node = self.node;
    predicate_split(analyser->arena, expr_rewrite(analyser->arena, condition, place_column, &self), &open->conditions);
    return E_OK;
}
