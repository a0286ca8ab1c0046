/* parse_query.c - WITH, SELECT and its clauses, set operations, ORDER BY, LIMIT. */
#include "sql/parser.h"

bool at_query(const struct parser *self)
{
    int32_t ahead = 0;
    while (token_ahead(self, ahead)->symbol == SYM_OPEN)
        ahead++;
    switch (token_ahead(self, ahead)->keyword) {
    case KW_SELECT:
    case KW_WITH: return true;
    case KW_FROM:
        return token_ahead(self, ahead + 1)->kind != TOKEN_END && token_ahead(self, ahead + 1)->symbol != SYM_CLOSE &&
               token_ahead(self, ahead + 1)->symbol != SYM_COMMA;
    case KW_VALUES: {
        const struct token *next = token_ahead(self, ahead + 1);
        return next->symbol == SYM_OPEN || next->kind == TOKEN_NUMBER || next->kind == TOKEN_STRING;
    }
    case KW_TABLE:
        return token_ahead(self, ahead + 1)->kind == TOKEN_WORD || token_ahead(self, ahead + 1)->kind == TOKEN_QUOTED;
    default: return false;
    }
}

/* ---- SELECT list ---- */

enum code parse_item(struct parser *self, struct ast_item *out)
{
    TRY(parse_expr(self, &out->expr));
    bool as = take_word(self, KW_AS);
    if (as && at_symbol(self, SYM_OPEN))
        return expect_names(self, &out->aliases, &out->alias_count);
    if (as)
        TRY(expect_any_name(self, &out->alias));
    else if (at_alias(self))
        TRY(expect_name(self, &out->alias));
    return E_OK;
}

enum code parse_items(struct parser *self, struct ast_select *select)
{
    do {
        TRY(parse_item(self, array_add(self->arena, select->items, select->item_count)));
        if (select->item_count > SQL_COLUMNS_MAX)
            return parse_error(self, position_here(self), "[PARSE_SYNTAX_ERROR] more than SQL_COLUMNS_MAX = %d columns",
                               SQL_COLUMNS_MAX);
    } while (take_symbol(self, SYM_COMMA));
    return E_OK;
}

/* ---- clauses ---- */

/* LATERAL VIEW [OUTER] f(..) [t] [AS a, b] */
static enum code parse_lateral_view(struct parser *self, struct ast_select *select)
{
    struct ast_lateral_view *view = array_add(self->arena, select->views, select->view_count);
    view->at = position_here(self);
    self->at += 2;
    view->outer = at_word(self, KW_OUTER) && token_ahead(self, 1)->kind == TOKEN_WORD;
    self->at += view->outer;
    TRY(parse_primary(self, &view->generator));
    if (at_alias(self) && !at_word(self, KW_AS))
        TRY(expect_name(self, &view->alias));
    struct list names = {0};
    if (take_word(self, KW_AS) || (view->alias != NULL && at_alias(self))) {
        do {
            const char *name;
            TRY(expect_name(self, &name));
            list_add(self->arena, &names, name);
        } while (take_symbol(self, SYM_COMMA));
    }
    view->columns = (const char *const *)names.items;
    view->column_count = names.count;
    return E_OK;
}

static enum code parse_group_sets(struct parser *self, struct ast_group *group)
{
    struct list sets = {0};
    TRY(expect_symbol(self, SYM_OPEN));
    do {
        struct ast *item;
        struct position at = position_here(self);
        if (at_symbol(self, SYM_OPEN) && token_ahead(self, 1)->symbol == SYM_CLOSE) {
            self->at += 2;
            item = ast_new(self, AST_ROW, at);
        } else if (take_words(self, KW_GROUPING, KW_SETS)) { // within others: a call of that name
            struct ast_group inner = {0};
            TRY(nest(self));
            TRY(parse_group_sets(self, &inner));
            unnest(self);
            item = ast_new(self, AST_CALL, at);
            item->text = "grouping sets";
            item->args = inner.exprs;
            item->arg_count = inner.expr_count;
        } else {
            TRY(parse_expr(self, &item));
        }
        list_add(self->arena, &sets, item);
    } while (take_symbol(self, SYM_COMMA));
    group->exprs = (struct ast **)sets.items;
    group->expr_count = sets.count;
    return expect_symbol(self, SYM_CLOSE);
}

static enum code parse_group(struct parser *self, struct ast_group *group)
{
    bool call = token_ahead(self, 1)->symbol == SYM_OPEN;
    group->at = position_here(self);
    if ((at_word(self, KW_ROLLUP) || at_word(self, KW_CUBE)) && call) {
        group->kind = at_word(self, KW_CUBE) ? GROUP_CUBE : GROUP_ROLLUP;
        self->at++;
        return parse_group_sets(self, group);
    }
    if (take_words(self, KW_GROUPING, KW_SETS)) {
        group->kind = GROUP_SETS;
        return parse_group_sets(self, group);
    }
    group->exprs = arena_new(self->arena, struct ast *);
    group->expr_count = 1;
    TRY(parse_expr(self, &group->exprs[0]));
    if (group->exprs[0]->kind == AST_ROW) // GROUP BY (a, b): a struct, unlike among GROUPING SETS
        group->exprs[0]->flag = true;
    return E_OK;
}

/* The keys so far as one group of the kind. */
static void group_together(struct parser *self, struct ast_select *select, enum group_kind kind)
{
    struct list exprs = {0};
    for (int32_t g = 0; g < select->group_count; g++)
        for (int32_t i = 0; i < select->groups[g].expr_count; i++)
            list_add(self->arena, &exprs, select->groups[g].exprs[i]);
    select->groups[0].kind = kind;
    select->groups[0].exprs = (struct ast **)exprs.items;
    select->groups[0].expr_count = exprs.count;
    select->group_count = 1;
}

enum code parse_group_by(struct parser *self, struct ast_select *select)
{
    select->grouped = true;
    if (at_word(self, KW_ALL) && token_ahead(self, 1)->symbol != SYM_COMMA && token_ahead(self, 1)->symbol != SYM_DOT) {
        self->at++;
        select->group_all = true;
        return E_OK;
    }
    do
        TRY(parse_group(self, array_add(self->arena, select->groups, select->group_count)));
    while (take_symbol(self, SYM_COMMA));
    // GROUP BY a, b WITH ROLLUP; GROUP BY a, b GROUPING SETS (..)
    if (take_words(self, KW_WITH, KW_ROLLUP))
        group_together(self, select, GROUP_ROLLUP);
    else if (take_words(self, KW_WITH, KW_CUBE))
        group_together(self, select, GROUP_CUBE);
    else if (at_words(self, KW_GROUPING, KW_SETS)) {
        group_together(self, select, GROUP_KEYS);
        return parse_group(self, array_add(self->arena, select->groups, select->group_count));
    }
    return E_OK;
}

bool at_window_clause(const struct parser *self)
{
    return at_word(self, KW_WINDOW) && token_ahead(self, 2)->keyword == KW_AS;
}

enum code parse_window_clause(struct parser *self, struct ast_select *select)
{
    self->at++;
    do {
        struct ast_window *window = array_add(self->arena, select->windows, select->window_count);
        window->at = position_here(self);
        const char *name;
        TRY(expect_name(self, &name));
        TRY(expect_word(self, KW_AS));
        if (at_symbol(self, SYM_OPEN))
            TRY(parse_window_spec(self, window));
        else
            TRY(expect_name(self, &window->name));
        window->name = name;
    } while (take_symbol(self, SYM_COMMA));
    return E_OK;
}

static enum code parse_clauses(struct parser *self, struct ast_select *select)
{
    if (select->from == NULL && take_word(self, KW_FROM))
        TRY(parse_relations(self, &select->from));
    if (at_pivot(self) && select->from != NULL) // behind commas
        TRY(parse_pivot(self, select->from, &select->from));
    while (at_words(self, KW_LATERAL, KW_VIEW))
        TRY(parse_lateral_view(self, select));
    if (take_word(self, KW_WHERE))
        TRY(parse_expr(self, &select->where));
    if (take_words(self, KW_GROUP, KW_BY))
        TRY(parse_group_by(self, select));
    if (take_word(self, KW_HAVING))
        TRY(parse_expr(self, &select->having));
    if (take_word(self, KW_QUALIFY))
        TRY(parse_expr(self, &select->qualify));
    if (at_window_clause(self))
        TRY(parse_window_clause(self, select));
    return E_OK;
}

enum code parse_select(struct parser *self, struct ast_select **out)
{
    struct ast_select *select = arena_new(self->arena, struct ast_select);
    select->at = position_here(self);
    TRY(expect_word(self, KW_SELECT));
    if (take_word(self, KW_DISTINCT))
        select->distinct = true;
    else if (at_word(self, KW_ALL) && token_ahead(self, 1)->symbol != SYM_COMMA &&
             token_ahead(self, 1)->keyword != KW_FROM)
        self->at++;
    TRY(parse_items(self, select));
    TRY(parse_clauses(self, select));
    *out = select;
    return E_OK;
}

/* FROM t [LATERAL VIEW ..] [SELECT ..]: Hive's order of clauses; without SELECT everything, as
 * pipes begin. */
static enum code parse_from_first(struct parser *self, struct ast_select **out)
{
    struct position at = position_here(self);
    struct ast_relation *from;
    TRY(expect_word(self, KW_FROM));
    TRY(parse_relations(self, &from));
    struct ast_select *select = arena_new(self->arena, struct ast_select);
    select->at = at;
    select->from = from;
    while (at_words(self, KW_LATERAL, KW_VIEW))
        TRY(parse_lateral_view(self, select));
    if (take_word(self, KW_SELECT)) {
        select->distinct = take_word(self, KW_DISTINCT);
        TRY(parse_items(self, select));
        TRY(parse_clauses(self, select));
    } else {
        struct ast_item *item = array_add(self->arena, select->items, select->item_count);
        item->expr = ast_new(self, AST_STAR, at);
    }
    *out = select;
    return E_OK;
}

/* ---- set operations ---- */

static enum code parse_table_body(struct parser *self, struct ast_body *body)
{
    int32_t first = ++self->at;
    body->kind = BODY_TABLE;
    body->relation = arena_new(self->arena, struct ast_relation);
    TRY(expect_dotted(self, &body->relation->parts, &body->relation->part_count));
    body->relation->at = position_since(self, first);
    return E_OK;
}

static enum code parse_body_primary(struct parser *self, struct ast_body **out)
{
    struct ast_body *body = arena_new(self->arena, struct ast_body);
    body->at = position_here(self);
    body->height = 1;
    *out = body;
    if (take_symbol(self, SYM_OPEN)) {
        body->kind = BODY_QUERY;
        TRY(parse_query(self, &body->query));
        return expect_symbol(self, SYM_CLOSE);
    }
    switch (token_here(self)->keyword) {
    case KW_SELECT: body->kind = BODY_SELECT; return parse_select(self, &body->select);
    case KW_FROM: body->kind = BODY_SELECT; return parse_from_first(self, &body->select);
    case KW_VALUES: body->kind = BODY_VALUES; return parse_values(self, &body->relation);
    case KW_TABLE: return parse_table_body(self, body);
    default: return syntax_error(self, "expected a query here: SELECT, WITH, VALUES, FROM or TABLE");
    }
}

bool at_set_operation(const struct parser *self)
{
    return at_word(self, KW_UNION) || at_word(self, KW_EXCEPT) || at_word(self, KW_MINUS) ||
           at_word(self, KW_INTERSECT);
}

enum code parse_set_quantifier(struct parser *self, struct ast_body *body)
{
    body->at = position_here(self);
    body->kind = BODY_SET;
    body->operation = at_word(self, KW_UNION) ? SET_UNION : at_word(self, KW_INTERSECT) ? SET_INTERSECT : SET_EXCEPT;
    self->at++;
    body->all = take_word(self, KW_ALL);
    if (!body->all)
        take_word(self, KW_DISTINCT);
    body->by_name = take_words(self, KW_BY, KW_NAME);
    return E_OK;
}

static enum code join_bodies(struct parser *self, struct ast_body *left, struct ast_body *set, struct ast_body *right)
{
    set->left = left;
    set->right = right;
    set->height = (left->height > right->height ? left->height : right->height) + 1;
    if (set->height <= SQL_NESTING_MAX)
        return E_OK;
    return parse_error(self, set->at, "[PARSE_SYNTAX_ERROR] more than SQL_NESTING_MAX = %d set operations in a row",
                       SQL_NESTING_MAX);
}

/* INTERSECT binds tighter than UNION and EXCEPT. */
enum code parse_set_operand(struct parser *self, struct ast_body **out)
{
    TRY(parse_body_primary(self, out));
    while (at_word(self, KW_INTERSECT)) {
        struct ast_body *set = arena_new(self->arena, struct ast_body), *right;
        TRY(parse_set_quantifier(self, set));
        TRY(parse_body_primary(self, &right));
        TRY(join_bodies(self, *out, set, right));
        *out = set;
    }
    return E_OK;
}

static enum code parse_body(struct parser *self, struct ast_body **out)
{
    TRY(parse_set_operand(self, out));
    while (at_set_operation(self)) {
        struct ast_body *set = arena_new(self->arena, struct ast_body), *right;
        TRY(parse_set_quantifier(self, set));
        TRY(parse_set_operand(self, &right));
        TRY(join_bodies(self, *out, set, right));
        *out = set;
    }
    return E_OK;
}

/* ---- WITH, ORDER BY, LIMIT ---- */

/* MAX RECURSION LEVEL n */
static enum code parse_recursion_levels(struct parser *self, const struct ast_query *query, struct ast_cte *cte)
{
    if (!query->recursive)
        return parse_error(self, position_here(self),
                           "[_LEGACY_ERROR_TEMP_0035] MAX RECURSION LEVEL is allowed in WITH RECURSIVE alone");
    if (!take_text(self, "recursion") || !take_text(self, "level"))
        return syntax_error(self, "expected MAX RECURSION LEVEL n here");
    return parse_value(self, &cte->levels_max);
}

enum code parse_ctes(struct parser *self, struct ast_query *query)
{
    query->recursive = take_word(self, KW_RECURSIVE);
    do {
        struct ast_cte *cte = array_add(self->arena, query->ctes, query->cte_count);
        cte->at = position_here(self);
        TRY(expect_name(self, &cte->name));
        if (at_symbol(self, SYM_OPEN))
            TRY(expect_names(self, &cte->columns, &cte->column_count));
        if (take_text(self, "max"))
            TRY(parse_recursion_levels(self, query, cte));
        take_word(self, KW_AS);
        TRY(expect_symbol(self, SYM_OPEN));
        TRY(parse_query(self, &cte->query));
        TRY(expect_symbol(self, SYM_CLOSE));
    } while (take_symbol(self, SYM_COMMA));
    return E_OK;
}

enum code parse_sorts(struct parser *self, struct ast_sort **out, int32_t *count)
{
    *out = NULL;
    *count = 0;
    do {
        struct ast_sort *sort = array_add(self->arena, *out, *count);
        TRY(parse_expr(self, &sort->expr));
        if (take_word(self, KW_DESC))
            sort->descending = true;
        else
            take_word(self, KW_ASC);
        sort->nulls_last = sort->descending;
        if (take_word(self, KW_NULLS)) {
            sort->nulls_given = true;
            sort->nulls_last = at_word(self, KW_LAST);
            if (!take_word(self, KW_FIRST))
                TRY(expect_word(self, KW_LAST));
        }
    } while (take_symbol(self, SYM_COMMA));
    return E_OK;
}

static enum code parse_order(struct parser *self, struct ast_query *query)
{
    struct position at = position_here(self);
    at.length = token_ahead(self, 1)->column + token_ahead(self, 1)->length - at.column;
    if (take_words(self, KW_ORDER, KW_BY) || take_words(self, KW_SORT, KW_BY) || take_words(self, KW_CLUSTER, KW_BY)) {
        query->order_at = at;
        // ORDER BY ALL reads as a column named all; the analyser knows what it means
        TRY(parse_sorts(self, &query->order, &query->order_count));
        return parse_order(self, query);
    }
    if (take_words(self, KW_DISTRIBUTE, KW_BY)) {
        query->order_at = at;
        TRY(parse_expr_list(self, &query->distribute, &query->distribute_count));
        return parse_order(self, query);
    }
    return E_OK;
}

static enum code parse_limit(struct parser *self, struct ast_query *query)
{
    while (at_word(self, KW_LIMIT) || at_word(self, KW_OFFSET)) {
        struct ast **into = at_word(self, KW_LIMIT) ? &query->limit : &query->offset;
        if (*into != NULL)
            return syntax_error(self, NULL);
        query->limit_at = position_here(self);
        self->at++;
        if (into == &query->limit && take_word(self, KW_ALL)) {
            query->limit_all = true;
            continue;
        }
        TRY(parse_expr(self, into));
    }
    return E_OK;
}

enum code parse_query(struct parser *self, struct ast_query **out)
{
    struct ast_query *query = arena_new(self->arena, struct ast_query);
    query->at = position_here(self);
    TRY(nest(self));
    if (take_word(self, KW_WITH))
        TRY(parse_ctes(self, query));
    TRY(parse_body(self, &query->body));
    TRY(parse_order(self, query));
    if (at_window_clause(self) && query->body->kind == BODY_SELECT)
        TRY(parse_window_clause(self, query->body->select));
    TRY(parse_limit(self, query));
    *out = query;
    if (at_symbol(self, SYM_PIPE_TO))
        TRY(parse_pipes(self, out));
    unnest(self);
    return E_OK;
}
