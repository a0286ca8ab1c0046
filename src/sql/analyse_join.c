/* analyse_join.c - joins of FROM: the names of both sides, ON, USING, NATURAL, LATERAL; and what WHERE adds to them. */
#include "sql/first_error.h"
#include "sql/join.h"
#include "sql/optimise.h"

/* ---- nodes ---- */

const char *join_kind_text(enum join_kind kind)
{
    static const char *const names[] = {"JOIN",      "CROSS JOIN",     "LEFT JOIN",     "RIGHT JOIN",
                                        "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN"};
    return names[kind];
}

static bool is_one_sided(enum join_kind kind) { return kind == JOIN_SEMI || kind == JOIN_ANTI; }

static const struct type *join_schema(struct analyser *self, const struct plan *left, const struct plan *right,
                                      enum join_kind kind)
{
    bool left_null = kind == JOIN_RIGHT || kind == JOIN_FULL, right_null = kind == JOIN_LEFT || kind == JOIN_FULL;
    int32_t count = left->schema->field_count, more = right->schema->field_count;
    struct field *fields = arena_array(self->arena, struct field, (size_t)count + (size_t)more);
    for (int32_t i = 0; i < count + more; i++) {
        fields[i] = i < count ? left->schema->fields[i] : right->schema->fields[i - count];
        fields[i].nullable = fields[i].nullable || (i < count ? left_null : right_null);
    }
    return type_struct(self->arena, fields, count + more);
}

struct plan *join_node(struct analyser *self, enum join_kind kind, struct plan *left, struct plan *right,
                       struct position at)
{
    const struct type *schema = is_one_sided(kind) ? left->schema : join_schema(self, left, right, kind);
    struct plan *node = plan_over(self->arena, PLAN_JOIN, left, schema, at);
    node->inputs[1] = right;
    node->input_count = 2;
    node->streaming = left->streaming || right->streaming;
    node->height = (left->height > right->height ? left->height : right->height) + 1;
    node->join = (struct plan_join){.kind = kind, .time_key = -1, .sides = {{.time_column = -1}, {.time_column = -1}}};
    return node;
}

/* ---- open joins ---- */

struct list joins_open(struct analyser *self)
{
    struct list before = self->joins;
    self->joins = (struct list){0};
    return before;
}

enum code joins_close(struct analyser *self, const struct list *before)
{
    for (int32_t i = 0; i < self->joins.count; i++) {
        struct open_join *open = self->joins.items[i];
        join_take_apart(&self->expr, open->node, &open->conditions);
        TRY(join_check_rules(self, open->node));
    }
    self->joins = *before;
    return E_OK;
}

static struct open_join *find_open(const struct analyser *self, const struct plan *node)
{
    for (int32_t i = 0; i < self->joins.count; i++) {
        struct open_join *open = self->joins.items[i];
        if (open->node == node)
            return open;
    }
    return NULL;
}

static void add_condition(struct analyser *self, const struct plan *node, const struct expr *condition)
{
    predicate_split(self->arena, condition, &find_open(self, node)->conditions);
}

static bool take_in_side(struct analyser *self, struct plan *node, const struct expr *conjunct, int side)
{
    int32_t shift = side == 0 ? 0 : -node->inputs[0]->schema->field_count;
    struct plan *input = node->inputs[side];
    return joins_take(self, input, predicate_shift(&self->expr, conjunct, shift, input->schema));
}

bool joins_take(struct analyser *self, struct plan *plan, const struct expr *conjunct)
{
    int32_t passed = plan->input_count > 0 ? plan_input(plan, 0)->schema->field_count : 0;
    int reads = predicate_reads(conjunct, passed);
    if (reads == READS_NOTHING || (reads & READS_MARKS) != 0 || expr_is_volatile(conjunct))
        return false;
    // FROM a, b LATERAL VIEW .. WHERE: what does not read the new columns may go below
    if ((plan->kind == PLAN_GENERATE || plan->kind == PLAN_DECODE) && reads == READS_LEFT)
        return joins_take(self, plan->inputs[0], conjunct);
    if (plan->kind != PLAN_JOIN || find_open(self, plan) == NULL)
        return false;
    enum join_kind kind = plan->join.kind;
    bool inner = kind == JOIN_INNER || kind == JOIN_CROSS;
    if (reads == READS_LEFT && kind != JOIN_RIGHT && kind != JOIN_FULL && take_in_side(self, plan, conjunct, 0))
        return true;
    if (reads == READS_RIGHT && (inner || kind == JOIN_RIGHT) && take_in_side(self, plan, conjunct, 1))
        return true;
    if (inner)
        add_condition(self, plan, conjunct);
    return inner;
}

/* ---- USING, NATURAL ---- */

/* left.name = right.name; the columns are those at places[0] and places[1] of the rows. */
static enum code equal_columns(struct analyser *self, struct plan *node, const struct rowset *rows,
                               const int32_t places[2])
{
    const struct expr *args[2], *equal;
    for (int side = 0; side < 2; side++)
        args[side] = column_of(self, node, rows->columns[places[side]].index, node->at);
    TRY(placed(self, expr_call(&self->expr, "=", args, 2, node->at, &equal, self->err), node->at));
    add_condition(self, node, equal);
    return E_OK;
}

/* FULL JOIN USING (a): the column is coalesce(left.a, right.a), a last one over the join. */
static enum code coalesce_columns(struct analyser *self, struct rowset *rows, const int32_t places[2],
                                  struct scope_column *shown)
{
    int32_t count = rows->plan->schema->field_count;
    const struct expr **exprs = arena_array(self->arena, const struct expr *, (size_t)count + 1);
    const char **names = arena_array(self->arena, const char *, (size_t)count + 1);
    struct position at = rows->plan->at;
    for (int32_t i = 0; i < count; i++) {
        exprs[i] = column_of(self, rows->plan, i, at);
        names[i] = rows->plan->schema->fields[i].name;
    }
    const struct expr *args[2] = {exprs[rows->columns[places[0]].index], exprs[rows->columns[places[1]].index]};
    TRY(placed(self, expr_call(&self->expr, "coalesce", args, 2, at, &exprs[count], self->err), at));
    names[count] = rows->columns[places[0]].name;
    rows->plan = plan_project(self->arena, rows->plan, exprs, names, count + 1, at);
    *shown = (struct scope_column){.name = names[count], .index = count};
    return E_OK;
}

static enum code using_places(struct analyser *self, const struct ast_relation *join, const struct rowset *rows,
                              int32_t left_count, const char *name, int32_t places[2])
{
    places[0] = places[1] = -1;
    for (int32_t c = 0; c < rows->column_count; c++)
        if (same_name(rows->columns[c].name, name) && !rows->columns[c].hidden)
            places[c >= left_count] = c;
    if (places[0] >= 0 && places[1] >= 0)
        return E_OK;
    return sql_error(
        self, join->at, NULL,
        "[UNRESOLVED_USING_COLUMN_FOR_JOIN] USING column `%s` cannot be resolved on the %s side of the join.", name,
        places[0] < 0 ? "left" : "right");
}

/* The columns of USING come first and once; the other side's stay reachable by their qualifier. */
static enum code join_using(struct analyser *self, const struct ast_relation *join, const char *const *names,
                            int32_t count, struct rowset *rows, int32_t left_count)
{
    struct plan *node = rows->plan;
    struct rowset ordered = {0};
    int32_t total = rows->column_count;
    bool *first = arena_array(self->arena, bool, (size_t)total);
    for (int32_t i = 0; i < count; i++) {
        int32_t places[2];
        TRY(using_places(self, join, rows, left_count, names[i], places));
        TRY(equal_columns(self, node, rows, places));
        int32_t shown = places[join->join == JOIN_RIGHT], other = places[join->join != JOIN_RIGHT];
        rows->columns[other].hidden = true;
        struct scope_column *out = array_add(self->arena, ordered.columns, ordered.column_count);
        *out = rows->columns[shown];
        if (join->join == JOIN_FULL) {
            TRY(coalesce_columns(self, rows, places, out));
            rows->columns[shown].hidden = true;
        } else {
            first[shown] = true;
        }
    }
    for (int32_t c = 0; c < total; c++)
        if (!first[c])
            *array_add(self->arena, ordered.columns, ordered.column_count) = rows->columns[c];
    rows->columns = ordered.columns;
    rows->column_count = ordered.column_count;
    return E_OK;
}

static void natural_names(struct analyser *self, const struct rowset *left, const struct rowset *right,
                          struct list *out)
{
    for (int32_t i = 0; i < left->column_count; i++)
        for (int32_t j = 0; j < right->column_count; j++)
            if (same_name(left->columns[i].name, right->columns[j].name) && !left->columns[i].hidden &&
                !right->columns[j].file) {
                list_add(self->arena, out, left->columns[i].name);
                break;
            }
}

/* ---- LATERAL ---- */

/* LATERAL explode(x): a generator over the left side. */
static enum code lateral_generator(struct analyser *self, const struct ast_relation *join, const struct scope *outer,
                                   struct rowset *out)
{
    const struct ast_relation *right = join->right;
    struct scope scope = {.rows = out, .outer = outer, .clause = "LATERAL"};
    int32_t count;
    TRY(analyse_generator(self, &scope, right->function, join->join == JOIN_LEFT, right->column_aliases,
                          right->column_alias_count, &count));
    const struct type *schema = out->plan->schema;
    for (int32_t c = schema->field_count - count; c < schema->field_count; c++)
        rowset_add(self, out, schema->fields[c].name, right->alias, c);
    return E_OK;
}

static enum code analyse_right(struct analyser *self, const struct ast_relation *join, const struct scope *outer,
                               struct rowset *left, struct rowset *right)
{
    struct scope scope = {.rows = left, .outer = outer, .clause = "LATERAL"};
    return analyse_relation(self, join->right, join->right->lateral ? &scope : outer, right);
}

/* ---- joins ---- */

static void both_sides(struct analyser *self, struct plan *node, const struct rowset *left, const struct rowset *right,
                       struct rowset *out)
{
    *out = (struct rowset){.plan = node};
    for (int32_t i = 0; i < left->column_count; i++)
        *array_add(self->arena, out->columns, out->column_count) = left->columns[i];
    for (int32_t i = 0; i < right->column_count; i++) {
        struct scope_column *col = array_add(self->arena, out->columns, out->column_count);
        *col = right->columns[i];
        col->index += left->plan->schema->field_count;
    }
}

static enum code join_on(struct analyser *self, const struct ast_relation *join, const struct scope *outer,
                         struct rowset *rows)
{
    struct scope scope = {.rows = rows, .outer = outer, .clause = "ON"};
    struct plan *node = rows->plan;
    const struct expr *condition;
    TRY(first_error_among(self, &scope, &join->on, 1, analyse_boolean(self, &scope, join->on, &condition)));
    if (!expr_is_deterministic(condition))
        return sql_error(self, join->on->at, NULL,
                         "[INVALID_NON_DETERMINISTIC_EXPRESSIONS] The operator expects a deterministic expression, "
                         "but the actual expression is \"%s\".",
                         ast_name_of(self, join->on));
    if (rows->plan != node)
        return on_subqueries(self, join, rows, find_open(self, node), condition);
    add_condition(self, node, condition);
    return E_OK;
}

/* LATERAL (SELECT ..): its rows for each row of the left side. */
struct inward {
    struct expr_context *ctx;
    const struct plan *right;
    int32_t left_count;
};

/* A column of both sides as one within the right side: the left ones are of the rows around. */
static const struct expr *place_inside(void *context, const struct expr *column)
{
    const struct inward *self = context;
    if (column->index >= COLUMN_MARK) // of further out: one level more
        return expr_column(self->ctx, column->index + COLUMN_MARK,
                           &(struct field){column->bound, column->type, column->nullable}, column->at);
    if (column->index >= self->left_count)
        return expr_column(self->ctx, column->index - self->left_count,
                           &self->right->schema->fields[column->index - self->left_count], column->at);
    return expr_column(self->ctx, column->index + MARK_OUTER,
                       &(struct field){column->bound, column->type, column->nullable}, column->at);
}

static enum code lateral_query(struct analyser *self, const struct ast_relation *join, const struct scope *outer,
                               struct rowset *left, struct rowset *right, struct rowset *out)
{
    bool keeps_left = join->join == JOIN_LEFT;
    if (join->join != JOIN_INNER && join->join != JOIN_CROSS && !keeps_left)
        return sql_error(self, join->at, NULL,
                         "[UNSUPPORTED_FEATURE.LATERAL_JOIN_USING] LATERAL goes with INNER, CROSS and "
                         "LEFT joins.");
    if (join->using_count > 0)
        return sql_error(self, join->at, NULL,
                         "[UNSUPPORTED_FEATURE.LATERAL_JOIN_USING] JOIN USING with LATERAL "
                         "correlation.");
    struct plan *node = plan_over(self->arena, PLAN_APPLY, left->plan,
                                  join_schema(self, left->plan, right->plan, join->join), join->at);
    node->inputs[1] = right->plan;
    node->input_count = 2;
    node->apply = (struct plan_apply){APPLY_LATERAL, keeps_left};
    both_sides(self, node, left, right, out);
    if (join->on == NULL)
        return E_OK;
    struct scope scope = {.rows = out, .outer = outer, .clause = "ON"};
    struct inward inward = {&self->expr, right->plan, left->plan->schema->field_count};
    const struct expr *condition;
    TRY(analyse_boolean(self, &scope, join->on, &condition));
    condition = expr_rewrite(self->arena, condition, place_inside, &inward);
    node->inputs[1] = plan_filter(self->arena, right->plan, condition, join->on->at);
    return E_OK;
}

/* Only the left side is in sight of what comes after ON. */
static void forget_right(struct rowset *rows, struct plan *node, int32_t left_columns)
{
    node->schema = node->inputs[0]->schema;
    int32_t kept = 0;
    for (int32_t i = 0; i < rows->column_count; i++)
        if (rows->columns[i].index < left_columns)
            rows->columns[kept++] = rows->columns[i];
    rows->column_count = kept;
}

enum code analyse_join(struct analyser *self, const struct ast_relation *join, const struct scope *outer,
                       struct rowset *out)
{
    struct rowset left, right;
    struct list natural = {0};
    struct beside beside;
    enum code code = analyse_relation(self, join->left, outer, &left);
    if (!join->right->lateral && beside_open(self, code, &beside))
        return beside_close(self, &beside, analyse_relation(self, join->right, outer, &right));
    TRY(code);
    if (join->right->lateral && join->right->kind == RELATION_FUNCTION && is_generator(join->right->function) &&
        join->on == NULL) {
        *out = left;
        return lateral_generator(self, join, outer, out);
    }
    TRY(analyse_right(self, join, outer, &left, &right));
    if (join->right->lateral && self->batch)
        return lateral_query(self, join, outer, &left, &right, out);
    struct plan *node = join_node(self, join->join, left.plan, right.plan, join->at);
    node->schema = join_schema(self, left.plan, right.plan, join->join); // ON sees both sides
    if (join->right->lateral)
        node->unsupported = "LATERAL with a query";
    struct open_join *open = arena_new(self->arena, struct open_join);
    open->node = node;
    list_add(self->arena, &self->joins, open);
    both_sides(self, node, &left, &right, out);
    if (join->natural)
        natural_names(self, &left, &right, &natural);
    if (join->on != NULL)
        TRY(join_on(self, join, outer, out));
    if (join->using_count > 0)
        TRY(join_using(self, join, join->using_names, join->using_count, out, left.column_count));
    if (natural.count > 0)
        TRY(join_using(self, join, (const char *const *)natural.items, natural.count, out, left.column_count));
    if (is_one_sided(join->join))
        forget_right(out, out->plan, out->plan->inputs[0]->schema->field_count);
    return E_OK;
}
