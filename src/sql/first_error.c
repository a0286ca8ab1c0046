/* first_error.c - which error of a query is named. Spark looks up all functions of a query, then makes the calls whose
 * arguments it knows, and only then checks types and columns, from FROM upwards; the analyser does everything in one
 * walk. So when it stops at a type or a column, the rest of the query is looked through for what Spark had met before:
 * functions that do not exist, then calls without columns that cannot be made, as their arguments are too many. Columns
 * are known above a step of the query that is whole: calls that read them are tried where the analyser has them. */
#include "sql/first_error.h"

#include "sql/sql_function.h"

enum { CALLS_MADE_MAX = 4096 }; /* those within others are made again with these */

struct search {
    struct analyser *self;
    struct scope *scope; /* that has no columns */
    bool making;         /* calls are made; before that names are looked up */
    bool with_columns;   /* also those that read columns of the scope */
    int32_t made;        /* so far */
    bool found;          /* self->err says what */
};

static void look_query(struct search *search, const struct ast_query *query);

/* ---- conditions ---- */

static bool condition_is_among(const struct error *err, const char *const *starts)
{
    const char *condition = strchr(err->text, '[');
    for (int i = 0; condition != NULL && starts[i] != NULL; i++)
        if (strncmp(condition + 1, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

/* What Spark says when the tree of the whole query stands. */
static bool is_late(const struct error *err)
{
    static const char *const starts[] = {"DATATYPE_MISMATCH.", "UNRESOLVED_COLUMN", "TABLE_OR_VIEW_NOT_FOUND", NULL};
    return condition_is_among(err, starts);
}

/* What it says while it makes a call. */
static bool is_early(const struct error *err)
{
    static const char *const starts[] = {"WRONG_NUM_ARGS",
                                         "INVALID_EXTRACT_",
                                         "FIELD_NOT_FOUND",
                                         "INVALID_LAMBDA_FUNCTION_CALL",
                                         "INVALID_OPTIONS",
                                         "INVALID_SQL_SYNTAX",
                                         "NON_FOLDABLE_ARGUMENT",
                                         "UNRESOLVED_ROUTINE",
                                         NULL};
    return condition_is_among(err, starts);
}

/* ---- one call ---- */

static bool is_unknown(const struct search *search, const struct ast *call)
{
    static const char *const special[] = {"struct",     "grouping",     "grouping_id", "window",     "session_window",
                                          "range",      "sql_keywords", "from_json",   "row_number", "rank",
                                          "dense_rank", "percent_rank", "cume_dist",   "ntile",      "lag",
                                          "lead",       "nth_value",    NULL};
    for (int i = 0; special[i] != NULL; i++)
        if (same_name(special[i], call->text))
            return false;
    bool plain = !call->flag && (call->call == NULL || call->call->over == NULL) && !is_file_function(call);
    return plain && function_kind(call->text) == FUNCTION_NONE && function_find(search->self, call->text) == NULL;
}

static bool is_aggregate(const struct ast *ast)
{
    return ast->kind == AST_CALL && !ast->flag && function_kind(ast->text) == FUNCTION_AGGREGATE;
}

static bool has_window(const struct ast *ast) { return ast->call != NULL && ast->call->over != NULL; }

/* E_OK also for an aggregate, whose place in the query does not matter here, nor the window that it is over. */
static enum code make(struct search *search, const struct ast *ast)
{
    struct analyser *self = search->self;
    const struct expr *made, **args;
    if (!is_aggregate(ast))
        return has_window(ast) ? E_OK : analyse_expr(self, search->scope, ast, &made);
    const struct aggregate_call *bound;
    if (ast->arg_count == 0 || (ast->call != NULL && ast->call->within_count > 0))
        return E_OK;
    int32_t count = ast->arg_count;
    TRY(analyse_args(self, search->scope, ast, &args));
    TRY(within_args(self, search->scope, ast, &args, &count));
    return placed(self, aggregate_bind(&self->expr, ast->text, args, count, false, NULL, ast->at, &bound, self->err),
                  ast->at);
}

static void look_at_call(struct search *search, const struct ast *ast, bool closed)
{
    struct analyser *self = search->self;
    const struct expr *none;
    enum code code = E_OK;
    if (!search->making && ast->kind == AST_CALL && is_unknown(search, ast))
        code = placed(self, expr_call(&self->expr, ast->text, NULL, 0, ast->at, &none, self->err), ast->at);
    else if (search->making && closed && ++search->made <= CALLS_MADE_MAX)
        code = make(search, ast);
    search->found = code != E_OK && is_early(self->err);
}

/* ---- expressions ---- */

/* Whether the kind of the node lets it be made of the scope's columns alone. */
static bool stands_alone(const struct search *search, const struct ast *ast)
{
    bool call = ast->kind == AST_CALL && !ast->flag;
    switch (ast->kind) {
    case AST_NAME: return search->with_columns || (ast->part_count == 1 && is_bare_function(ast->parts[0]));
    case AST_STAR:
    case AST_LAMBDA:
    case AST_NAMED:
    case AST_SUBQUERY:
    case AST_EXISTS:
    case AST_IN: return false;
    default: return !call || (!is_generator(ast) && !is_time_window(ast));
    }
}

/* From the leaves upwards, without subqueries, which Spark looks at when all below their rows is known; whether all of it
 * stands alone. An aggregate and a call over a window do not: what is around them has to know their rows. */
static bool look(struct search *search, const struct ast *ast)
{
    bool closed = stands_alone(search, ast), unit = ast->kind == AST_CALL && !ast->flag && call_takes_unit(ast);
    for (int32_t i = unit; i < ast->arg_count && !search->found; i++)
        closed = look(search, ast->args[i]) && closed;
    if (ast->call != NULL && ast->call->filter != NULL && !search->found)
        closed = look(search, ast->call->filter) && closed;
    if (!search->found)
        look_at_call(search, ast, closed);
    return closed && !is_aggregate(ast) && !has_window(ast);
}

static void look_all(struct search *search, struct ast *const *exprs, int32_t count)
{
    for (int32_t i = 0; i < count && !search->found; i++)
        look(search, exprs[i]);
}

static void look_maybe(struct search *search, const struct ast *expr)
{
    if (expr != NULL && !search->found)
        look(search, expr);
}

/* ---- queries, as Spark has them: what gives rows before what reads them ---- */

static void look_relation(struct search *search, const struct ast_relation *relation)
{
    if (relation == NULL || search->found)
        return;
    look_relation(search, relation->left);
    look_relation(search, relation->right);
    if (relation->query != NULL)
        look_query(search, relation->query);
    look_all(search, relation->rows, relation->row_count);
    if (relation->function != NULL)
        look_all(search, relation->function->args, relation->function->arg_count);
    look_maybe(search, relation->on);
}

static void look_select(struct search *search, const struct ast_select *select)
{
    look_relation(search, select->from);
    for (int32_t i = 0; i < select->view_count && !search->found; i++)
        look(search, select->views[i].generator);
    look_maybe(search, select->where);
    for (int32_t i = 0; i < select->group_count; i++)
        look_all(search, select->groups[i].exprs, select->groups[i].expr_count);
    for (int32_t i = 0; i < select->item_count && !search->found; i++)
        look(search, select->items[i].expr);
    look_maybe(search, select->having);
    look_maybe(search, select->qualify);
}

static void look_body(struct search *search, const struct ast_body *body)
{
    if (body == NULL || search->found)
        return;
    look_body(search, body->left);
    look_body(search, body->right);
    look_relation(search, body->relation);
    if (body->query != NULL)
        look_query(search, body->query);
    if (body->select != NULL)
        look_select(search, body->select);
}

static void look_query(struct search *search, const struct ast_query *query)
{
    for (int32_t i = 0; i < query->cte_count && !search->found; i++)
        look_query(search, query->ctes[i].query);
    look_body(search, query->body);
    for (int32_t i = 0; i < query->order_count && !search->found; i++)
        look(search, query->order[i].expr);
    look_maybe(search, query->limit);
    look_maybe(search, query->offset);
}

/* While it looks, errors go to `out`. What it finds takes the place of what was said. */
struct aside {
    struct error *said, other;
    int32_t depth;
};
static void aside_open(struct analyser *self, struct aside *out)
{
    *out = (struct aside){.said = self->err, .depth = self->depth};
    self->err = &out->other;
}
static void aside_close(struct analyser *self, struct aside *aside, bool found)
{
    self->err = aside->said;
    self->depth = aside->depth;
    if (found)
        *aside->said = aside->other;
}

enum code first_error(struct analyser *self, const struct ast_query *query, enum code code)
{
    bool late = is_late(self->err);
    if (code != E_SQL || !(late || is_early(self->err)))
        return code;
    struct aside aside;
    struct rowset nothing = {.plan = plan_one_row(self, query->at)};
    struct scope constants = {.rows = &nothing, .clause = "an argument"};
    struct search search = {.self = self, .scope = &constants};
    aside_open(self, &aside);
    look_query(&search, query);
    search.making = true;
    if (!search.found && late)
        look_query(&search, query);
    aside_close(self, &aside, search.found);
    return code;
}

enum code first_error_among(struct analyser *self, struct scope *scope, struct ast *const *exprs, int32_t count,
                            enum code code)
{
    if (code != E_SQL || !is_late(self->err))
        return code;
    struct aside aside;
    struct search search = {.self = self, .scope = scope, .making = true, .with_columns = true};
    aside_open(self, &aside);
    look_all(&search, exprs, count);
    aside_close(self, &aside, search.found);
    return code;
}

/* ---- what stands beside what failed ---- */

bool beside_open(struct analyser *self, enum code code, struct beside *out)
{
    if (code != E_SQL || !is_late(self->err))
        return false;
    *out = (struct beside){.said = *self->err, .ctes = self->ctes, .joins = self->joins, .depth = self->depth};
    *self->err = (struct error){0};
    return true;
}

enum code beside_close(struct analyser *self, const struct beside *beside, enum code code)
{
    self->ctes = beside->ctes;
    self->joins = beside->joins;
    self->depth = beside->depth;
    if (code != E_SQL || !is_early(self->err))
        *self->err = beside->said;
    return E_SQL;
}
