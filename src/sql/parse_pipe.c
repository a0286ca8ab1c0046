/* parse_pipe.c - pipe syntax: `query |> WHERE .. |> SELECT ..`.
 *
 * Each step becomes an ordinary query over the one before, as RELATION_PIPED, which keeps the names
 * that were visible.
 */
#include "sql/parser.h"

static struct ast_query *query_of_body(struct parser *self, struct ast_body *body)
{
    struct ast_query *query = arena_new(self->arena, struct ast_query);
    query->at = body->at;
    query->body = body;
    return query;
}

static struct ast_relation *piped(struct parser *self, struct ast_query *query)
{
    struct ast_relation *relation = arena_new(self->arena, struct ast_relation);
    relation->kind = RELATION_PIPED;
    relation->at = query->at;
    relation->query = query;
    return relation;
}

static enum code pipe_step(struct parser *self, int32_t *steps);

/* SELECT over the query so far; *select is for the caller to fill. */
static struct ast_query *select_over(struct parser *self, struct ast_query *query, struct ast_select **select)
{
    *select = arena_new(self->arena, struct ast_select);
    (*select)->at = position_here(self);
    (*select)->from = piped(self, query);
    struct ast_body *body = arena_new(self->arena, struct ast_body);
    *body = (struct ast_body){.kind = BODY_SELECT, .at = (*select)->at, .height = 1, .select = *select};
    return query_of_body(self, body);
}

static struct ast_item *add_star(struct parser *self, struct ast_select *select)
{
    struct ast_item *item = array_add(self->arena, select->items, select->item_count);
    item->expr = ast_new(self, AST_STAR, select->at);
    return item;
}

/* |> SET a = x, b = y: one step each, so that y sees the new a. The analyser replaces the column in its place. */
static enum code parse_pipe_set(struct parser *self, struct ast_query **query, struct ast_select *select)
{
    for (;;) {
        struct ast *star = add_star(self, select)->expr;
        const char **name = arena_new(self->arena, const char *);
        star->flag = true; // the name is replaced by the argument
        star->args = arena_new(self->arena, struct ast *);
        TRY(expect_name(self, name));
        TRY(expect_symbol(self, SYM_EQUAL));
        TRY(parse_expr(self, &star->args[0]));
        star->names = name;
        star->name_count = star->arg_count = 1;
        TRY(ast_measure(self, star));
        if (!take_symbol(self, SYM_COMMA))
            return E_OK;
        TRY(pipe_step(self, &self->pipe_steps));
        *query = select_over(self, *query, &select);
    }
}

static enum code parse_pipe_extend(struct parser *self, struct ast_select *select)
{
    add_star(self, select);
    TRY(parse_items(self, select));
    select->extend = true;
    for (int32_t i = 1; i < select->item_count; i++)
        if (select->items[i].expr->kind == AST_STAR)
            return parse_error(self, select->items[i].expr->at,
                               "[INVALID_USAGE_OF_STAR_OR_REGEX] Invalid usage of '*' in expression `pipeexpression`.");
    return E_OK;
}

static enum code unsupported_aggregate(struct parser *self)
{
    return parse_error(
        self, position_here(self),
        "[UNSUPPORTED_FEATURE.PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE] The feature is not supported: The SQL "
        "pipe operator syntax with aggregation (using |> AGGREGATE) does not support %s.",
        keyword_text(token_here(self)->keyword));
}

static enum code parse_pipe_aggregate(struct parser *self, struct ast_select *select)
{
    select->aggregate = true;
    if (!at_words(self, KW_GROUP, KW_BY))
        TRY(parse_items(self, select));
    if (!take_words(self, KW_GROUP, KW_BY))
        return E_OK;
    select->grouped = true;
    bool call = token_ahead(self, 1)->symbol == SYM_OPEN;
    if (at_word(self, KW_ALL) || at_words(self, KW_GROUPING, KW_SETS) ||
        (call && (at_word(self, KW_ROLLUP) || at_word(self, KW_CUBE))))
        return unsupported_aggregate(self);
    // GROUP BY a + 1 AS x: the keys are the first columns of the result
    struct ast_item *items = NULL;
    int32_t count = 0;
    do {
        struct ast_item *item = array_add(self->arena, items, count);
        TRY(parse_item(self, item));
        struct ast_group *group = array_add(self->arena, select->groups, select->group_count);
        group->at = item->expr->at;
        group->exprs = arena_new(self->arena, struct ast *);
        group->exprs[0] = item->expr;
        group->expr_count = 1;
    } while (take_symbol(self, SYM_COMMA));
    if (at_words(self, KW_GROUPING, KW_SETS))
        return unsupported_aggregate(self);
    for (int32_t i = 0; i < select->item_count; i++)
        *array_add(self->arena, items, count) = select->items[i];
    select->items = items;
    select->item_count = count;
    return E_OK;
}

static enum code parse_pipe_set_operation(struct parser *self, struct ast_query **query)
{
    struct ast_body *set = arena_new(self->arena, struct ast_body), *left = arena_new(self->arena, struct ast_body);
    *left = (struct ast_body){.kind = BODY_QUERY, .at = (*query)->at, .height = 1, .query = *query};
    TRY(parse_set_quantifier(self, set));
    TRY(parse_set_operand(self, &set->right));
    set->left = left;
    set->height = set->right->height + 1;
    *query = query_of_body(self, set);
    return E_OK;
}

static enum code parse_pipe_join(struct parser *self, struct ast_query **query)
{
    struct ast_select *select;
    struct ast_query *next = select_over(self, *query, &select);
    TRY(parse_joins(self, select->from, &select->from));
    add_star(self, select);
    *query = next;
    return E_OK;
}

static enum code parse_pipe_limit(struct parser *self, struct ast_query *query)
{
    query->limit_at = position_here(self);
    bool limit = at_word(self, KW_LIMIT);
    self->at++;
    query->limit_all = limit && take_word(self, KW_ALL);
    if (!query->limit_all)
        TRY(parse_expr(self, limit ? &query->limit : &query->offset));
    if (take_word(self, KW_OFFSET))
        TRY(parse_expr(self, &query->offset));
    return E_OK;
}

static enum code parse_pipe(struct parser *self, struct ast_query **query)
{
    if (at_set_operation(self))
        return parse_pipe_set_operation(self, query);
    if (at_join(self))
        return parse_pipe_join(self, query);
    struct ast_select *select;
    struct ast_query *next = select_over(self, *query, &select);
    *query = next;
    if (at_word(self, KW_SELECT)) {
        self->at++;
        select->distinct = take_word(self, KW_DISTINCT);
        if (!select->distinct && at_word(self, KW_ALL) && token_ahead(self, 1)->symbol != SYM_COMMA)
            self->at++;
        TRY(parse_items(self, select));
        if (take_words(self, KW_GROUP, KW_BY))
            TRY(parse_group_by(self, select));
        return at_window_clause(self) ? parse_window_clause(self, select) : E_OK;
    }
    if (take_word(self, KW_EXTEND))
        return parse_pipe_extend(self, select);
    if (take_word(self, KW_SET))
        return parse_pipe_set(self, query, select);
    if (take_word(self, KW_DROP)) {
        struct ast *star = add_star(self, select)->expr;
        return parse_name_list(self, &star->excepts, &star->except_count);
    }
    if (take_text(self, "aggregate"))
        return parse_pipe_aggregate(self, select);
    add_star(self, select);
    if (take_word(self, KW_WHERE))
        return parse_expr(self, &select->where);
    if (take_word(self, KW_AS)) {
        select->from->kind = RELATION_QUERY;
        return expect_name(self, &select->from->alias);
    }
    if (at_word(self, KW_LIMIT) || at_word(self, KW_OFFSET))
        return parse_pipe_limit(self, next);
    if (take_words(self, KW_ORDER, KW_BY) || take_words(self, KW_SORT, KW_BY) || take_words(self, KW_CLUSTER, KW_BY)) {
        next->order_at = select->at;
        TRY(parse_sorts(self, &next->order, &next->order_count));
        if (at_word(self, KW_LIMIT) || at_word(self, KW_OFFSET))
            return parse_error(
                self, position_here(self),
                "[MULTIPLE_QUERY_RESULT_CLAUSES_WITH_PIPE_OPERATORS] %s and ORDER BY cannot coexist in the "
                "same SQL pipe operator using '|>'. Separate them by another '|>'.",
                keyword_text(token_here(self)->keyword));
        return take_words(self, KW_DISTRIBUTE, KW_BY)
                   ? parse_expr_list(self, &next->distribute, &next->distribute_count)
                   : E_OK;
    }
    if (take_words(self, KW_DISTRIBUTE, KW_BY))
        return parse_expr_list(self, &next->distribute, &next->distribute_count);
    if (at_word(self, KW_TABLESAMPLE))
        return parse_sample(self, select->from);
    if (at_pivot(self)) {
        enum keyword first = token_here(self)->keyword;
        TRY(parse_pivot(self, select->from, &select->from));
        if (at_pivot(self) && !at_word(self, first))
            return parse_error(
                self, position_here(self),
                "[NOT_ALLOWED_IN_FROM.UNPIVOT_WITH_PIVOT] Not allowed in the FROM clause: UNPIVOT clause "
                "together with PIVOT. Consider adding parentheses.");
        if (take_word(self, KW_AS) || at_alias(self))
            TRY(expect_name(self, &select->from->alias));
        return E_OK;
    }
    return syntax_error(self,
                        "expected a pipe operator here: SELECT, WHERE, EXTEND, SET, DROP, AS, AGGREGATE, JOIN, ..");
}

/* every step nests the query so far one level deeper, for the analyser too */
static enum code pipe_step(struct parser *self, int32_t *steps)
{
    if (++*steps <= SQL_NESTING_MAX)
        return E_OK;
    return parse_error(self, position_here(self), "[PARSE_SYNTAX_ERROR] more than SQL_NESTING_MAX = %d pipe operators",
                       SQL_NESTING_MAX);
}

enum code parse_pipes(struct parser *self, struct ast_query **query)
{
    int32_t around = self->pipe_steps;
    self->pipe_steps = 0;
    while (take_symbol(self, SYM_PIPE_TO)) {
        TRY(pipe_step(self, &self->pipe_steps));
        TRY(parse_pipe(self, query));
    }
    self->pipe_steps = around;
    return E_OK;
}
