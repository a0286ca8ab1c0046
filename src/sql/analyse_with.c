/* analyse_with.c - WITH, and WITH RECURSIVE.
 *
 * A recursive name is `anchor UNION ALL step`. The step is typed over a LEVEL, whose columns are the anchor's; the
 * RECURSION runs the step over the rows of the level before until it gives none.
 *
 * Spec     Spark 4.2: ResolveWithCTE, UnionLoopExec
 */
#include "sql/analyser.h"

/* ---- names ---- */

static enum code refuse_own_name(struct analyser *self, const struct ast_relation *relation, const struct ast_cte *cte)
{
    return sql_error(
        self, relation->at, "write anchor UNION ALL step, and read the name in the step",
        "[INVALID_RECURSIVE_CTE] Invalid recursive definition found. Recursive queries must contain an UNION "
        "or an UNION ALL statement with 2 children. The first child needs to be the anchor term without any "
        "recursive references: `%s`.",
        cte->name);
}

enum code find_cte(struct analyser *self, const struct ast_relation *relation, const struct ast_cte **cte,
                   struct plan **out)
{
    const struct cte_scope *at = self->ctes;
    *out = NULL;
    while (at != NULL && (relation->part_count != 1 || !same_name(at->cte->name, relation->parts[0])))
        at = at->outer;
    if (at == NULL)
        return E_OK;
    *cte = at->cte;
    *out = at->plan;
    if (at->recursion == NULL)
        return E_OK;
    if (at->recursion->level == NULL)
        return refuse_own_name(self, relation, at->cte);
    at->recursion->reads++;
    *out = at->recursion->level;
    return E_OK;
}

/* ---- the step ---- */

/* Whether rows of the level before may come to `plan` through its input i: what needs all rows at once, or keeps rows
 * that found no partner, may not read a part of them. */
static bool passes_rows(const struct plan *plan, int32_t i)
{
    switch (plan->kind) {
    case PLAN_PROJECT:
    case PLAN_FILTER:
    case PLAN_GENERATE:
    case PLAN_DECODE:
    case PLAN_UNION:
    case PLAN_SET_OPERATION:
    case PLAN_APPLY: return true;
    case PLAN_JOIN: break;
    default: return false;
    }
    switch (plan->join.kind) {
    case JOIN_INNER:
    case JOIN_CROSS: return true;
    case JOIN_RIGHT: return i == 1;
    case JOIN_FULL: return false;
    default: return i == 0;
    }
}

static enum code check_place(struct analyser *self, const struct ast_cte *cte, struct plan *step, int32_t number)
{
    struct plan_list below;
    plan_collect(self->arena, &step, 1, &below);
    bool *reads = arena_array(self->arena, bool, (size_t)below.count + 1);
    for (int32_t n = 0; n < below.count; n++) {
        const struct plan *plan = below.nodes[n];
        reads[n] = plan->kind == PLAN_LEVEL && plan->recursion.number == number;
        for (int32_t i = 0; i < plan->input_count; i++) {
            if (!reads[plan_input(plan, i)->id])
                continue;
            reads[n] = true;
            if (!passes_rows(plan, i))
                return sql_error(
                    self, plan->at, NULL,
                    "[INVALID_RECURSIVE_REFERENCE.PLACE] Invalid recursive reference found inside WITH "
                    "RECURSIVE clause. Recursive references cannot be used on the right side of left "
                    "outer/semi/anti joins, on the left side of right outer joins, in full outer joins, in "
                    "aggregates, window functions or sorts: `%s`.",
                    cte->name);
        }
    }
    return E_OK;
}

/* The step's columns as the anchor's, which rule. */
static enum code step_columns(struct analyser *self, const struct ast_body *body, const struct type *anchor,
                              struct plan **step)
{
    const struct type *given = (*step)->schema;
    if (given->field_count != anchor->field_count)
        return sql_error(self, body->at, NULL,
                         "[NUM_COLUMNS_MISMATCH] UNION ALL can only be performed on inputs with the same number of "
                         "columns, but the first input has %d columns and the second input has %d columns.",
                         anchor->field_count, given->field_count);
    int32_t *places = arena_array(self->arena, int32_t, (size_t)anchor->field_count + 1);
    for (int32_t i = 0; i < anchor->field_count; i++) {
        const struct type *wanted = anchor->fields[i].type, *type = given->fields[i].type;
        const struct type *common = type_common(self->arena, wanted, type);
        places[i] = i;
        if (common == NULL || !type_equal(common, wanted))
            return sql_error(self, body->at, "cast it in the anchor, or in the step",
                             "[CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE] Failed to merge incompatible data types \"%s\" and "
                             "\"%s\": column `%s` of the recursive step does not fit into the anchor's.",
                             type_text(self->arena, wanted), type_text(self->arena, type), anchor->fields[i].name);
    }
    return aligned(self, *step, anchor, places, body->at, step);
}

static enum code levels_max(struct analyser *self, const struct ast_cte *cte, int64_t *out)
{
    struct rowset nothing = {.plan = plan_one_row(self, cte->at)};
    struct scope scope = {.rows = &nothing, .clause = "MAX RECURSION LEVEL"};
    const struct expr *value;
    *out = self->dialect.recursion_levels_max != 0 ? self->dialect.recursion_levels_max : RECURSION_LEVELS_MAX;
    if (cte->levels_max == NULL)
        return E_OK;
    TRY(analyse_expr(self, &scope, cte->levels_max, &value));
    if (!expr_is_constant(value) || !type_is_integer(value->type))
        return sql_error(self, cte->levels_max->at, NULL,
                         "[PARSE_SYNTAX_ERROR] MAX RECURSION LEVEL takes a whole number.");
    TRY(placed(self, expr_cast(&self->expr, value, type_of(TYPE_INT64), false, value->at, &value, self->err),
               value->at));
    TRY(placed(self, expr_fold(&self->expr, value, &value, self->err), value->at));
    *out = column_values(value->literal, int64_t)[0];
    return E_OK;
}

/* ---- anchor UNION ALL step ---- */

static struct plan *level_plan(struct analyser *self, const struct type *anchor, struct position at)
{
    struct field *fields = arena_array(self->arena, struct field, (size_t)anchor->field_count + 1);
    for (int32_t i = 0; i < anchor->field_count; i++)
        fields[i] = (struct field){anchor->fields[i].name, anchor->fields[i].type, true};
    struct plan *level = plan_new(self->arena, PLAN_LEVEL, type_struct(self->arena, fields, anchor->field_count), at);
    level->recursion.number = self->recursion_count++;
    level->unsupported = "WITH RECURSIVE";
    return level;
}

static enum code recursion_plan(struct analyser *self, const struct ast_cte *cte, const struct ast_body *body,
                                struct plan *anchor, struct plan *step, const struct plan *level, struct plan **out)
{
    if (!body->all)
        return sql_error(
            self, body->at, "write UNION ALL",
            "[UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE] The UNION operator is not yet supported within recursive "
            "common table expressions (WITH clauses that refer to themselves, directly or indirectly). "
            "Please use UNION ALL instead.");
    TRY(step_columns(self, body, level->schema, &step));
    TRY(check_place(self, cte, step, level->recursion.number));
    if (anchor->streaming || step->streaming)
        return not_yet(self, cte->at, "WITH RECURSIVE over a stream");
    struct plan *node = plan_over(self->arena, PLAN_RECURSION, anchor, level->schema, cte->at);
    node->inputs[1] = step;
    node->input_count = 2;
    if (step->height >= node->height)
        node->height = step->height + 1;
    node->recursion = level->recursion;
    node->recursion.rows_max =
        self->dialect.recursion_rows_max != 0 ? self->dialect.recursion_rows_max : RECURSION_ROWS_MAX;
    TRY(levels_max(self, cte, &node->recursion.levels_max));
    node->unsupported = "WITH RECURSIVE";
    *out = node;
    return E_OK;
}

/* The query without parentheses that say nothing. */
static const struct ast_query *bare_query(const struct ast_query *query)
{
    while (query->body->kind == BODY_QUERY && query->cte_count == 0 && query->order_count == 0 &&
           query->limit == NULL && query->offset == NULL)
        query = query->body->query;
    return query;
}

/* self->ctes has the name itself on top. */
static enum code analyse_anchored(struct analyser *self, const struct ast_cte *cte, struct recursion *recursion,
                                  const struct scope *outer, struct rowset *out)
{
    static const struct ast_query plain = {0};
    const struct ast_query *query = bare_query(cte->query);
    const struct ast_body *body = query->body;
    struct rowset anchor, step;
    if (body->kind != BODY_SET || body->operation != SET_UNION || query->order_count > 0 || query->limit != NULL ||
        query->offset != NULL)
        return analyse_query(self, query, outer, out);
    TRY(analyse_ctes(self, query, outer));
    TRY(query_body(self, &plain, body->left, outer, &anchor));
    rowset_forget_files(self, &anchor);
    recursion->level = level_plan(self, anchor.plan->schema, body->at);
    TRY(query_body(self, &plain, body->right, outer, &step));
    rowset_forget_files(self, &step);
    if (recursion->reads == 0)
        return set_rows(self, body, anchor.plan, step.plan, out);
    return recursion_plan(self, cte, body, anchor.plan, step.plan, recursion->level, &out->plan);
}

static enum code analyse_recursive(struct analyser *self, const struct ast_cte *cte, const struct scope *outer,
                                   struct rowset *out)
{
    const struct cte_scope *before = self->ctes;
    struct recursion recursion = {0};
    struct cte_scope own = {before, cte, NULL, &recursion};
    TRY(deeper(self, cte->at));
    self->ctes = &own;
    enum code code = analyse_anchored(self, cte, &recursion, outer, out);
    self->ctes = before;
    self->depth--;
    return code;
}

/* ---- WITH ---- */

static enum code check_name(struct analyser *self, const struct ast_query *query, const struct cte_scope *around,
                            int32_t i)
{
    for (int32_t j = 0; j < i; j++)
        if (same_name(query->ctes[j].name, query->ctes[i].name))
            return sql_error(self, query->ctes[i].at, NULL,
                             "[DUPLICATED_CTE_NAMES] CTE definition can't have duplicate names: `%s`.",
                             query->ctes[i].name);
    for (const struct cte_scope *at = around; self->dialect.nested_names_differ && at != NULL; at = at->outer)
        if (same_name(at->cte->name, query->ctes[i].name))
            return sql_error(
                self, query->ctes[i].at, "give it another name",
                "[AMBIGUOUS_ALIAS_IN_NESTED_CTE] Name `%s` is ambiguous in nested CTE. Please set "
                "\"spark.sql.legacy.ctePrecedencePolicy\" to \"CORRECTED\" so that name defined in inner CTE "
                "takes precedence.",
                query->ctes[i].name);
    return E_OK;
}

/* Each name sees the ones before it. Analysed once; every use shares the plan. */
enum code analyse_ctes(struct analyser *self, const struct ast_query *query, const struct scope *outer)
{
    const struct cte_scope *around = self->ctes;
    for (int32_t i = 0; i < query->cte_count; i++) {
        const struct ast_cte *cte = &query->ctes[i];
        struct rowset rows = {0};
        TRY(check_name(self, query, around, i));
        if (query->recursive)
            TRY(analyse_recursive(self, cte, outer, &rows));
        else
            TRY(analyse_query(self, cte->query, outer, &rows));
        if (cte->column_count > 0 && cte->column_count != rows.plan->schema->field_count)
            return sql_error(self, cte->at, NULL,
                             "[ASSIGNMENT_ARITY_MISMATCH] the names of `%s` are %d, its columns are %d.", cte->name,
                             cte->column_count, rows.plan->schema->field_count);
        struct cte_scope *scope = arena_new(self->arena, struct cte_scope);
        *scope = (struct cte_scope){.outer = self->ctes, .cte = cte, .plan = rows.plan};
        self->ctes = scope;
    }
    return E_OK;
}

/* ---- LIMIT over a recursion ---- */

/* Copies, since the plan may have other users. */
struct plan *recursion_unlimited(struct analyser *self, struct plan *plan)
{
    if (plan->kind != PLAN_PROJECT && plan->kind != PLAN_UNION && plan->kind != PLAN_RECURSION)
        return plan;
    struct plan *copy = arena_new(self->arena, struct plan);
    *copy = *plan;
    if (plan->kind == PLAN_RECURSION) {
        copy->recursion.rows_max = -1;
        return copy;
    }
    if (plan->more_inputs != NULL)
        copy->more_inputs = arena_array(self->arena, struct plan *, (size_t)plan->input_count);
    bool changed = false;
    for (int32_t i = 0; i < plan->input_count; i++) {
        *plan_input_place(copy, i) = recursion_unlimited(self, plan_input(plan, i));
        changed = changed || plan_input(copy, i) != plan_input(plan, i);
    }
    return changed ? copy : plan;
}
