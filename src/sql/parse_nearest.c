/* parse_nearest.c - a JOIN b APPROX NEAREST 2 BY DISTANCE abs(a.x - b.x): for each row of the left side the best rows of the
 * right one, whatever APPROX or EXACT says. It is a LATERAL (SELECT * FROM b ORDER BY .. LIMIT 2). */
#include <stdlib.h>

#include "sql/parser.h"

enum { NEAREST_MAX = 100000 };

bool at_nearest(const struct parser *self)
{
    const struct token *next = token_ahead(self, 1);
    struct parser ahead = *self;
    ahead.at++;
    return (at_text(self, "approx") || at_text(self, "exact")) && next->kind == TOKEN_WORD &&
           at_text(&ahead, "nearest");
}

static enum code parse_count(struct parser *self, struct ast **out)
{
    struct position at = position_here(self);
    *out = ast_new(self, AST_NUMBER, at);
    (*out)->text = "1";
    if (token_here(self)->kind != TOKEN_NUMBER)
        return E_OK;
    TRY(parse_value(self, out));
    long count = (*out)->kind == AST_NUMBER && strlen((*out)->text) < 9 ? strtol((*out)->text, NULL, 10) : -1;
    if (count >= 1 && count <= NEAREST_MAX)
        return E_OK;
    return parse_error(
        self, at,
        "[NEAREST_BY_JOIN.NUM_RESULTS_OUT_OF_RANGE] The number of results of NEAREST must be between 1 and %d.",
        NEAREST_MAX);
}

enum code parse_nearest(struct parser *self, struct ast_relation *join)
{
    struct position at = position_here(self);
    struct ast_query *query = arena_new(self->arena, struct ast_query);
    struct ast_relation *right = arena_new(self->arena, struct ast_relation);
    struct ast_select *select = arena_new(self->arena, struct ast_select);
    self->at += 2;
    if (join->join != JOIN_INNER && join->join != JOIN_LEFT)
        return parse_error(self, at,
                           "[NEAREST_BY_JOIN.UNSUPPORTED_JOIN_TYPE] NEAREST goes with INNER and LEFT OUTER JOIN.");
    TRY(parse_count(self, &query->limit));
    TRY(expect_word(self, KW_BY));
    bool similar = take_text(self, "similarity");
    if (!similar && !take_text(self, "distance"))
        return syntax_error(self, "expected SIMILARITY or DISTANCE here");
    struct ast_sort *sort = array_add(self->arena, query->order, query->order_count);
    TRY(parse_expr(self, &sort->expr));
    sort->descending = similar;
    sort->nulls_given = sort->nulls_last = true;
    *array_add(self->arena, select->items, select->item_count) = (struct ast_item){.expr = ast_new(self, AST_STAR, at)};
    select->at = query->at = query->order_at = query->limit_at = at;
    select->from = join->right;
    query->body = arena_new(self->arena, struct ast_body);
    *query->body = (struct ast_body){.kind = BODY_SELECT, .at = at, .height = 1, .select = select};
    *right = (struct ast_relation){.kind = RELATION_QUERY, .at = join->right->at, .lateral = true, .query = query};
    right->alias = join->right->alias != NULL    ? join->right->alias
                   : join->right->part_count > 0 ? join->right->parts[join->right->part_count - 1]
                                                 : NULL;
    join->right = right;
    return E_OK;
}
