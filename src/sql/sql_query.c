/* sql_query.c - single queries and expressions, without a project: `leat sql -c`, tests. */
#include "sql/analyser.h"
#include "sql/optimise.h"
#include "sql/parse.h"

enum code sql_query(struct arena *arena, struct bytes text, const struct session *session, struct plan **out,
                    struct error *err)
{
    struct sql_file file = {NULL, text};
    struct notes notes = {.arena = arena, .files = &file, .file_count = 1};
    struct analyser analyser = {.arena = arena, .notes = &notes, .expr = {arena, session}, .err = err};
    struct ast_query *query;
    struct rowset rows;
    TRY(parse_query_text(arena, &file, &notes, &query, err));
    TRY(analyse_query(&analyser, query, NULL, &rows));
    struct plan_list nodes;
    struct group_list groups;
    struct plan *plan = rows.plan;
    optimise(&analyser.expr, &plan, 1, &nodes, &groups);
    *out = plan;
    return E_OK;
}

enum code sql_expression(struct arena *arena, struct bytes text, const struct type *input,
                         const struct session *session, const struct expr **out, struct error *err)
{
    struct sql_file file = {NULL, text};
    struct notes notes = {.arena = arena, .files = &file, .file_count = 1};
    struct analyser analyser = {.arena = arena, .notes = &notes, .expr = {arena, session}, .err = err};
    struct ast *ast;
    struct rowset rows;
    TRY(parse_expression_text(arena, &file, &notes, &ast, err));
    struct plan *plan = plan_new(arena, PLAN_VALUES, input, (struct position){0});
    rowset_of_plan(&analyser, plan, NULL, NULL, 0, &rows);
    struct scope scope = {.rows = &rows, .clause = "an expression"};
    const struct expr *expr;
    TRY(analyse_expr(&analyser, &scope, ast, &expr));
    if (rows.plan != plan)
        return not_yet(&analyser, ast->at, "from_json and subqueries in a single expression");
    *out = expr;
    return E_OK;
}
