/* analyse_from.c - relations: names, subqueries, functions, joins, watermarks, aliases. */
#include "sql/catalog.h"

/* ---- watermarks ---- */

static enum code watermark_delay(struct analyser *self, const struct ast *ast, int64_t *out_us)
{
    int64_t months;
    TRY(analyse_interval(self, ast, &months, out_us));
    if (months != 0 || *out_us < 0)
        return sql_error(
            self, ast->at, NULL,
            "[INVALID_INTERVAL_FORMAT] the delay of a watermark is 0 or more, and has no months");
    return E_OK;
}

/* The watermark's column: one of the input, or a new last one when it is computed. */
static enum code watermark_column(struct analyser *self, const struct ast_watermark *watermark,
                                  struct rowset *rows, int32_t *column)
{
    struct scope scope = {.rows = rows, .clause = "WATERMARK"};
    const struct expr *time;
    TRY(analyse_expr(self, &scope, watermark->expr, &time));
    if (time->type->id != TYPE_TIMESTAMP && time->type->id != TYPE_TIMESTAMP_NTZ)
        return sql_error(
            self, watermark->expr->at,
            "cast it: WATERMARK try_cast(x AS TIMESTAMP) AS at DELAY OF ..",
            "[EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE] The event time `%s` has the invalid type "
            "\"%s\", but expected \"TIMESTAMP\".",
            ast_name_of(self, watermark->expr), type_text(self->arena, time->type));
    if (time->kind == EXPR_COLUMN && watermark->alias == NULL) {
        *column = time->index;
        return E_OK;
    }
    if (watermark->alias == NULL)
        return sql_error(
            self, watermark->expr->at, "WATERMARK f(x) AS name DELAY OF ..",
            "[REQUIRES_EXPLICIT_NAME_IN_WATERMARK_CLAUSE] The watermark clause requires an "
            "explicit name if an expression is specified, but got %s.",
            ast_name_of(self, watermark->expr));
    int32_t count = rows->plan->schema->field_count;
    const struct expr **exprs = arena_array(self->arena, const struct expr *, (size_t)count + 1);
    const char **names = arena_array(self->arena, const char *, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++) {
        exprs[i] = column_of(self, rows->plan, i, watermark->at);
        names[i] = rows->plan->schema->fields[i].name;
    }
    exprs[count] = time;
    names[count] = watermark->alias;
    rows->plan = plan_project(self->arena, rows->plan, exprs, names, count + 1, watermark->at);
    rowset_add(self, rows, watermark->alias,
               rows->column_count > 0 ? rows->columns[0].qualifier : NULL, count);
    *column = count;
    return E_OK;
}

static enum code apply_watermark(struct analyser *self, const struct ast_watermark *watermark,
                                 struct rowset *rows)
{
    int64_t delay_us;
    int32_t column;
    if (!rows->plan->streaming)
        return sql_error(self, watermark->at, "read it with STREAM",
                         "[UNSUPPORTED_FEATURE] a watermark stands on a stream");
    TRY(watermark_delay(self, watermark->delay, &delay_us));
    TRY(watermark_column(self, watermark, rows, &column));
    struct plan *node =
        plan_over(self->arena, PLAN_WATERMARK, rows->plan, rows->plan->schema, watermark->at);
    node->watermark = (struct plan_watermark){.column = column, .delay_us = delay_us};
    rows->plan = node;
    return E_OK;
}

/* ---- joins ---- */

static const char *join_name(enum join_kind kind)
{
    static const char *const names[] = {"JOIN",          "CROSS JOIN", "LEFT JOIN",
                                        "RIGHT JOIN",    "FULL JOIN",  "LEFT SEMI JOIN",
                                        "LEFT ANTI JOIN"};
    return names[kind];
}

static const struct type *join_schema(struct analyser *self, const struct plan *left,
                                      const struct plan *right, enum join_kind kind)
{
    bool left_null = kind == JOIN_RIGHT || kind == JOIN_FULL,
         right_null = kind == JOIN_LEFT || kind == JOIN_FULL;
    int32_t count = left->schema->field_count, more = right->schema->field_count;
    struct field *fields = arena_array(self->arena, struct field, (size_t)count + (size_t)more);
    for (int32_t i = 0; i < count + more; i++) {
        fields[i] = i < count ? left->schema->fields[i] : right->schema->fields[i - count];
        fields[i].nullable = fields[i].nullable || (i < count ? left_null : right_null);
    }
    return type_struct(self->arena, fields, count + more);
}

static enum code check_stream_join(struct analyser *self, const struct ast_relation *join,
                                   struct plan *left, struct plan *right)
{
    bool outer = join->join == JOIN_LEFT || join->join == JOIN_RIGHT || join->join == JOIN_FULL ||
                 join->join == JOIN_SEMI;
    if (!left->streaming || !right->streaming || !outer)
        return E_OK;
    bool needs_left = join->join == JOIN_RIGHT || join->join == JOIN_FULL,
         needs_right = !needs_left || join->join == JOIN_FULL;
    bool ok = (!needs_left || plan_watermarked(self->arena, left)) &&
              (!needs_right || plan_watermarked(self->arena, right));
    if (ok)
        return E_OK;
    return sql_error(
        self, join->at,
        "put WATERMARK time DELAY OF INTERVAL .. behind both streams and bound the time in ON",
        "[UNSUPPORTED_FEATURE] Stream-stream %s between two streaming relations is not supported "
        "without a watermark: it would never be known that no match comes.",
        join_name(join->join));
}

/* The columns of USING come first and once; the other side's stay reachable by their qualifier. */
static enum code join_using(struct analyser *self, const struct ast_relation *join,
                            const char *const *names, int32_t count, struct rowset *rows,
                            int32_t left_count)
{
    struct rowset ordered = {.plan = rows->plan};
    for (int32_t i = 0; i < count; i++) {
        int32_t found[2] = {-1, -1};
        for (int32_t c = 0; c < rows->column_count; c++)
            if (same_name(rows->columns[c].name, names[i]) && !rows->columns[c].hidden)
                found[c >= left_count] = c;
        if (found[0] < 0 || found[1] < 0)
            return sql_error(
                self, join->at, NULL,
                "[UNRESOLVED_USING_COLUMN_FOR_JOIN] USING column `%s` cannot be resolved on the %s "
                "side of the join.",
                names[i], found[0] < 0 ? "left" : "right");
        bool from_right = join->join == JOIN_RIGHT;
        struct scope_column shown = rows->columns[found[from_right]];
        rows->columns[found[!from_right]].hidden = true;
        rows->columns[found[from_right]].name = "";
        *array_add(self->arena, ordered.columns, ordered.column_count) = shown;
    }
    for (int32_t c = 0; c < rows->column_count; c++)
        if (rows->columns[c].name[0] != '\0')
            *array_add(self->arena, ordered.columns, ordered.column_count) = rows->columns[c];
    rows->columns = ordered.columns;
    rows->column_count = ordered.column_count;
    return E_OK;
}

static void natural_names(struct analyser *self, const struct rowset *left,
                          const struct rowset *right, struct list *out)
{
    for (int32_t i = 0; i < left->column_count; i++)
        for (int32_t j = 0; j < right->column_count; j++)
            if (same_name(left->columns[i].name, right->columns[j].name) &&
                !left->columns[i].hidden) {
                list_add(self->arena, out, left->columns[i].name);
                break;
            }
}

static enum code analyse_lateral(struct analyser *self, const struct ast_relation *join,
                                 const struct scope *outer, struct rowset *left,
                                 struct rowset *right)
{
    struct scope scope = {.rows = left, .outer = outer, .clause = "LATERAL"};
    return analyse_relation(self, join->right, &scope, right);
}

/* LATERAL explode(x): a generator over the left side. */
static enum code lateral_generator(struct analyser *self, const struct ast_relation *join,
                                   const struct scope *outer, struct rowset *out)
{
    const struct ast_relation *right = join->right;
    struct scope scope = {.rows = out, .outer = outer, .clause = "LATERAL"};
    int32_t count;
    TRY(analyse_generator(self, &scope, right->function, join->join == JOIN_LEFT,
                          right->column_aliases, right->column_alias_count, &count));
    const struct type *schema = out->plan->schema;
    for (int32_t c = schema->field_count - count; c < schema->field_count; c++)
        rowset_add(self, out, schema->fields[c].name, right->alias, c);
    return E_OK;
}

static enum code analyse_join(struct analyser *self, const struct ast_relation *join,
                              const struct scope *outer, struct rowset *out)
{
    struct rowset right;
    TRY(analyse_relation(self, join->left, outer, out));
    if (join->right->lateral && join->right->kind == RELATION_FUNCTION &&
        is_generator(join->right->function) && join->on == NULL)
        return lateral_generator(self, join, outer, out);
    if (join->right->lateral)
        TRY(analyse_lateral(self, join, outer, out, &right));
    else
        TRY(analyse_relation(self, join->right, outer, &right));
    TRY(check_stream_join(self, join, out->plan, right.plan));
    struct plan *left = out->plan;
    struct plan *node = plan_over(self->arena, PLAN_JOIN, left,
                                  join_schema(self, left, right.plan, join->join), join->at);
    node->inputs[1] = right.plan;
    node->input_count = 2;
    node->streaming = left->streaming || right.plan->streaming;
    node->height = (left->height > right.plan->height ? left->height : right.plan->height) + 1;
    node->unsupported = join_name(join->join);
    struct list natural = {0};
    if (join->natural)
        natural_names(self, out, &right, &natural);
    int32_t left_count = out->column_count;
    struct rowset both = {.plan = node};
    for (int32_t i = 0; i < left_count; i++)
        *array_add(self->arena, both.columns, both.column_count) = out->columns[i];
    for (int32_t i = 0; i < right.column_count; i++) {
        struct scope_column *col = array_add(self->arena, both.columns, both.column_count);
        *col = right.columns[i];
        col->index += left->schema->field_count;
    }
    *out = both;
    if (join->on != NULL) {
        struct scope scope = {.rows = out, .outer = outer, .clause = "ON"};
        const struct expr **exprs = arena_new(self->arena, const struct expr *);
        TRY(analyse_boolean(self, &scope, join->on, &exprs[0]));
        node->exprs = exprs;
        node->expr_count = 1;
    }
    bool one_sided = join->join == JOIN_SEMI || join->join == JOIN_ANTI;
    if (join->using_count > 0)
        TRY(join_using(self, join, join->using_names, join->using_count, out, left_count));
    if (natural.count > 0)
        TRY(join_using(self, join, (const char *const *)natural.items, natural.count, out,
                       left_count));
    for (int32_t i = 0; one_sided && i < out->column_count; i++)
        out->columns[i].hidden = out->columns[i].index >= left->schema->field_count;
    return E_OK;
}

/* ---- names ---- */

static struct plan *find_cte(const struct analyser *self, const struct ast_relation *relation,
                             const struct ast_cte **cte)
{
    for (const struct cte_scope *at = self->ctes; at != NULL && relation->part_count == 1;
         at = at->outer)
        if (same_name(at->cte->name, relation->parts[0])) {
            *cte = at->cte;
            return at->plan;
        }
    return NULL;
}

static enum code analyse_named(struct analyser *self, const struct ast_relation *relation,
                               struct rowset *out)
{
    const struct ast_cte *cte = NULL;
    struct plan *plan = find_cte(self, relation, &cte);
    if (plan == NULL)
        TRY(catalog_relation(self, relation, &plan));
    const char *const *names = cte != NULL ? cte->columns : NULL;
    rowset_of_plan(self, plan, relation->parts[relation->part_count - 1], names,
                   cte != NULL ? cte->column_count : 0, out);
    return E_OK;
}

/* range(n), explode(..) in FROM: typed as a generator over one row. */
static enum code analyse_function(struct analyser *self, const struct ast_relation *relation,
                                  const struct scope *outer, struct rowset *out)
{
    const struct ast *call = relation->function;
    if (call->kind == AST_CALL && is_generator(call)) {
        int32_t count;
        *out = (struct rowset){.plan = plan_one_row(self, relation->at)};
        struct scope scope = {.rows = out, .outer = outer, .clause = "FROM"};
        TRY(analyse_generator(self, &scope, call, false, relation->column_aliases,
                              relation->column_alias_count, &count));
        rowset_of_plan(self, out->plan, relation->alias, NULL, 0, out);
        return E_OK;
    }
    const char *name = call->kind == AST_CALL ? call->text : "";
    if (is_read_function(call)) {
        struct plan *source;
        TRY(catalog_read_function(self, relation, &source));
        rowset_of_plan(self, source, relation->alias, NULL, 0, out);
        return E_OK;
    }
    if (!same_name(name, "range"))
        return sql_error(
            self, relation->at, NULL,
            "[UNRESOLVABLE_TABLE_VALUED_FUNCTION] Could not resolve `%s` to a table-valued "
            "function.",
            name);
    struct field id = {"id", type_of(TYPE_INT64), false};
    struct plan *plan =
        plan_new(self->arena, PLAN_VALUES, type_struct(self->arena, &id, 1), relation->at);
    plan->unsupported = "range(..)";
    rowset_of_plan(self, plan, relation->alias, NULL, 0, out);
    return E_OK;
}

/* ---- one relation ---- */

static enum code apply_alias(struct analyser *self, const struct ast_relation *relation,
                             struct rowset *rows)
{
    if (relation->alias == NULL)
        return E_OK;
    int32_t visible = 0;
    for (int32_t i = 0; i < rows->column_count; i++) {
        struct scope_column *col = &rows->columns[i];
        if (col->hidden)
            continue;
        col->qualifier = relation->alias;
        if (visible < relation->column_alias_count)
            col->name = relation->column_aliases[visible];
        visible++;
    }
    if (relation->column_alias_count > 0 && relation->column_alias_count != visible)
        return sql_error(
            self, relation->at, NULL,
            "[ASSIGNMENT_ARITY_MISMATCH] The number of columns or variables assigned or aliased: "
            "%d does not match the number of source expressions: %d.",
            relation->column_alias_count, visible);
    return E_OK;
}

static void mark_unsupported(struct analyser *self, const struct ast_relation *relation,
                             struct rowset *rows)
{
    if (relation->unsupported == NULL)
        return;
    struct plan *node =
        plan_over(self->arena, PLAN_LIMIT, rows->plan, rows->plan->schema, relation->at);
    node->unsupported = relation->unsupported;
    rows->plan = node;
}

/* The names under a pipe step stay in sight; those of a subquery do not. */
static void forget_qualifiers(struct rowset *rows)
{
    for (int32_t i = 0; i < rows->column_count; i++)
        rows->columns[i].qualifier = NULL;
}

enum code analyse_relation(struct analyser *self, const struct ast_relation *relation,
                           const struct scope *outer, struct rowset *out)
{
    switch (relation->kind) {
    case RELATION_NAME: TRY(analyse_named(self, relation, out)); break;
    case RELATION_VALUES: TRY(analyse_values(self, relation, out)); break;
    case RELATION_FUNCTION: TRY(analyse_function(self, relation, outer, out)); break;
    case RELATION_JOIN: return analyse_join(self, relation, outer, out);
    case RELATION_PIPED: TRY(analyse_query(self, relation->query, outer, out)); break;
    case RELATION_QUERY:
        TRY(analyse_query(self, relation->query, relation->lateral ? outer : NULL, out));
        forget_qualifiers(out);
        break;
    }
    out->decoded_count = 0;
    if (relation->watermark != NULL)
        TRY(apply_watermark(self, relation->watermark, out));
    mark_unsupported(self, relation, out);
    return apply_alias(self, relation, out);
}
