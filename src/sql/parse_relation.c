/* parse_relation.c - FROM: tables, streams with their options and watermark, subqueries, functions,
 * joins. */
#include "sql/parser.h"

/* ---- STREAM .. WITH (..) IDENTIFIED BY n WATERMARK .. ---- */

enum code parse_options(struct parser *self, struct ast_option **options, int32_t *option_count)
{
    TRY(expect_symbol(self, SYM_OPEN));
    if (take_symbol(self, SYM_CLOSE))
        return E_OK;
    do {
        struct ast_option *option = array_add(self->arena, *options, *option_count);
        const char *const *parts;
        int32_t first = self->at, count;
        option->at = position_here(self);
        if (token_here(self)->kind == TOKEN_STRING) {
            TRY(expect_string_text(self, &option->name));
        } else {
            TRY(expect_dotted(self, &parts, &count));
            option->name = source_since(self, first);
        }
        take_symbol(self, SYM_EQUAL);
        if (token_here(self)->kind == TOKEN_STRING) {
            TRY(expect_string_text(self, &option->value));
        } else {
            first = self->at++;
            option->value = source_since(self, first);
        }
    } while (take_symbol(self, SYM_COMMA));
    return expect_symbol(self, SYM_CLOSE);
}

/* WATERMARK expr [AS name] DELAY OF INTERVAL .. */
static enum code parse_watermark(struct parser *self, struct ast_relation *relation)
{
    int32_t first = self->at++;
    struct ast_watermark *watermark = arena_new(self->arena, struct ast_watermark);
    TRY(parse_value(self, &watermark->expr));
    if (take_word(self, KW_AS))
        TRY(expect_name(self, &watermark->alias));
    TRY(expect_word(self, KW_DELAY));
    TRY(expect_word(self, KW_OF));
    if (!at_interval(self))
        return syntax_error(self, "expected INTERVAL here, such as INTERVAL 5 MINUTES");
    int32_t interval = self->at;
    TRY(parse_interval(self, &watermark->delay));
    if (watermark->delay->part_count == 0)
        return parse_error(self, position_of(self, &self->tokens[interval + 1]),
                           "[PARSE_SYNTAX_ERROR] Syntax error at or near the delay: write the unit outside of the "
                           "string, as in INTERVAL '5' MINUTES");
    watermark->at = position_since(self, first);
    relation->watermark = watermark;
    return E_OK;
}

static bool at_watermark(const struct parser *self)
{
    const struct token *next = token_ahead(self, 1);
    return at_word(self, KW_WATERMARK) &&
           (next->kind == TOKEN_WORD || next->kind == TOKEN_QUOTED || next->symbol == SYM_OPEN) &&
           next->keyword != KW_ON && next->keyword != KW_WHERE && next->keyword != KW_JOIN;
}

static enum code parse_stream_tail(struct parser *self, struct ast_relation *relation)
{
    if (at_word(self, KW_WITH) && token_ahead(self, 1)->symbol == SYM_OPEN) {
        self->at++;
        TRY(parse_options(self, &relation->options, &relation->option_count));
    }
    if (take_words(self, KW_IDENTIFIED, KW_BY))
        TRY(expect_name(self, &relation->identified_by));
    return E_OK;
}

/* ---- alias, time travel ---- */

static enum code parse_alias(struct parser *self, struct ast_relation *relation)
{
    if (take_word(self, KW_AS))
        TRY(expect_name(self, &relation->alias));
    else if (at_alias(self))
        TRY(expect_name(self, &relation->alias));
    if (relation->alias != NULL && at_symbol(self, SYM_OPEN))
        TRY(expect_names(self, &relation->column_aliases, &relation->column_alias_count));
    return E_OK;
}

/* FOR TIMESTAMP AS OF x, VERSION AS OF 1 */
static enum code parse_time_travel(struct parser *self, struct ast_relation *relation)
{
    const struct token *next = token_ahead(self, 1);
    bool with_for = at_word(self, KW_FOR);
    bool of = (at_text(self, "version") || at_text(self, "timestamp")) && next->keyword == KW_AS &&
              token_ahead(self, 2)->keyword == KW_OF;
    if (!with_for && !of)
        return E_OK;
    self->at += with_for ? 2 : 1;
    if (!take_word(self, KW_AS))
        take_text(self, "system_version");
    TRY(expect_word(self, KW_OF));
    relation->unsupported =
        "AS OF a version or a time; delta.`/path` WITH (versionAsOf = 0), or timestampAsOf, reads it";
    struct ast *ignored;
    return parse_value(self, &ignored);
}

/* ---- one relation ---- */

enum code parse_values(struct parser *self, struct ast_relation **out)
{
    struct ast_relation *relation = arena_new(self->arena, struct ast_relation);
    relation->kind = RELATION_VALUES;
    relation->at = position_here(self);
    TRY(expect_word(self, KW_VALUES));
    TRY(parse_expr_list(self, &relation->rows, &relation->row_count));
    TRY(parse_alias(self, relation));
    *out = relation;
    return E_OK;
}

/* A parenthesised relation that is a join, given an alias or watermark: SELECT * FROM (join). */
static struct ast_relation *wrap(struct parser *self, struct ast_relation *inner)
{
    struct ast_select *select = arena_new(self->arena, struct ast_select);
    select->at = inner->at;
    select->from = inner;
    struct ast_item *item = array_add(self->arena, select->items, select->item_count);
    item->expr = ast_new(self, AST_STAR, inner->at);
    struct ast_query *query = arena_new(self->arena, struct ast_query);
    query->at = inner->at;
    query->body = arena_new(self->arena, struct ast_body);
    *query->body = (struct ast_body){.kind = BODY_SELECT, .at = inner->at, .height = 1, .select = select};
    struct ast_relation *relation = arena_new(self->arena, struct ast_relation);
    relation->kind = RELATION_QUERY;
    relation->at = inner->at;
    relation->query = query;
    return relation;
}

static enum code parse_parenthesised(struct parser *self, struct ast_relation **out)
{
    struct position at = position_here(self);
    TRY(expect_symbol(self, SYM_OPEN));
    TRY(nest(self));
    int32_t ahead = 0;
    while (token_ahead(self, ahead)->symbol == SYM_OPEN)
        ahead++;
    enum keyword keyword = token_ahead(self, ahead)->keyword;
    bool query = keyword == KW_SELECT || keyword == KW_WITH || keyword == KW_FROM || keyword == KW_VALUES ||
                 (keyword == KW_TABLE && token_ahead(self, ahead + 1)->kind == TOKEN_WORD);
    if (query) {
        struct ast_relation *relation = arena_new(self->arena, struct ast_relation);
        relation->kind = RELATION_QUERY;
        relation->at = at;
        TRY(parse_query(self, &relation->query));
        *out = relation;
    } else {
        TRY(parse_relation(self, out));
    }
    TRY(expect_symbol(self, SYM_CLOSE));
    unnest(self);
    return E_OK;
}

/* TABLE(f(..)), f(..), a.b.c; `stream` was read before it. */
static enum code parse_named_relation(struct parser *self, struct ast_relation *relation)
{
    int32_t first = self->at;
    if (at_word(self, KW_TABLE) && token_ahead(self, 1)->symbol == SYM_OPEN) {
        self->at += 2;
        relation->kind = RELATION_FUNCTION;
        TRY(parse_primary(self, &relation->function));
        return expect_symbol(self, SYM_CLOSE);
    }
    TRY(expect_dotted(self, &relation->parts, &relation->part_count));
    relation->at = position_since(self, first);
    if (!at_symbol(self, SYM_OPEN))
        return E_OK;
    relation->kind = RELATION_FUNCTION;
    if (strcmp(relation->parts[0], "values") == 0)
        return syntax_error(self, NULL);
    return parse_call(self, relation->parts[relation->part_count - 1], first, &relation->function);
}

/* STREAM is a soft keyword: a stream relation only when a name or a parenthesised name follows. */
static bool at_stream(const struct parser *self)
{
    const struct token *next = token_ahead(self, 1), *then = token_ahead(self, 2);
    if (!at_word(self, KW_STREAM))
        return false;
    if (next->symbol == SYM_OPEN)
        return then->kind == TOKEN_WORD || then->kind == TOKEN_QUOTED;
    if (next->kind == TOKEN_QUOTED)
        return true;
    if (next->kind != TOKEN_WORD)
        return false;
    switch (next->keyword) {
    case KW_AS:
    case KW_WHERE:
    case KW_GROUP:
    case KW_ORDER:
    case KW_JOIN:
    case KW_ON:
    case KW_USING:
    case KW_UNION:
    case KW_HAVING:
    case KW_INNER:
    case KW_CROSS:
    case KW_LATERAL:
    case KW_LIMIT: return false;
    case KW_LEFT:
    case KW_RIGHT:
    case KW_FULL: return then->keyword != KW_JOIN && then->keyword != KW_OUTER;
    default: return true;
    }
}

static enum code parse_stream(struct parser *self, struct ast_relation *relation)
{
    self->at++;
    relation->stream = true;
    self->streams = true;
    bool parenthesised = take_symbol(self, SYM_OPEN);
    TRY(parse_named_relation(self, relation));
    if (parenthesised)
        TRY(expect_symbol(self, SYM_CLOSE));
    return parse_stream_tail(self, relation);
}

static enum code parse_relation_primary(struct parser *self, struct ast_relation **out)
{
    int32_t first = self->at;
    if (at_word(self, KW_VALUES) && token_ahead(self, 1)->kind != TOKEN_END)
        return parse_values(self, out);
    if (at_symbol(self, SYM_OPEN)) {
        TRY(parse_parenthesised(self, out));
    } else {
        struct ast_relation *relation = arena_new(self->arena, struct ast_relation);
        relation->at = position_here(self);
        relation->tells_file = self->asks_file;
        *out = relation;
        if (at_stream(self))
            TRY(parse_stream(self, relation));
        else
            TRY(parse_named_relation(self, relation));
        relation->at = position_since(self, first);
        if (at_word(self, KW_WITH) && token_ahead(self, 1)->symbol == SYM_OPEN)
            TRY(parse_stream_tail(self, relation));
    }
    struct ast_relation *relation = *out;
    TRY(parse_time_travel(self, relation));
    if (at_word(self, KW_TABLESAMPLE))
        TRY(parse_sample(self, relation));
    if (at_watermark(self))
        TRY(parse_watermark(self, relation));
    TRY(parse_alias(self, relation));
    if (relation->kind == RELATION_JOIN && (relation->alias != NULL || relation->watermark != NULL)) {
        struct ast_relation *wrapped = wrap(self, relation);
        wrapped->alias = relation->alias;
        wrapped->column_aliases = relation->column_aliases;
        wrapped->column_alias_count = relation->column_alias_count;
        wrapped->watermark = relation->watermark;
        relation->alias = NULL;
        relation->column_alias_count = 0;
        relation->watermark = NULL;
        *out = relation = wrapped;
    }
    return E_OK;
}

/* ---- joins ---- */

bool at_join(const struct parser *self)
{
    const struct token *next = token_ahead(self, 1), *then = token_ahead(self, 2);
    switch (token_here(self)->keyword) {
    case KW_JOIN:
    case KW_INNER:
    case KW_CROSS:
    case KW_NATURAL: return true;
    case KW_LEFT:
    case KW_RIGHT:
    case KW_FULL: return next->keyword == KW_JOIN || next->keyword == KW_OUTER || then->keyword == KW_JOIN;
    case KW_SEMI:
    case KW_ANTI: return next->keyword == KW_JOIN;
    default: return false;
    }
}

static enum code parse_join_kind(struct parser *self, enum join_kind *out)
{
    *out = JOIN_INNER;
    if (take_word(self, KW_CROSS))
        *out = JOIN_CROSS;
    else if (take_word(self, KW_FULL))
        *out = JOIN_FULL;
    else if (take_word(self, KW_RIGHT))
        *out = JOIN_RIGHT;
    else if (take_word(self, KW_SEMI))
        *out = JOIN_SEMI;
    else if (take_word(self, KW_ANTI))
        *out = JOIN_ANTI;
    else if (take_word(self, KW_LEFT))
        *out = take_word(self, KW_SEMI) ? JOIN_SEMI : take_word(self, KW_ANTI) ? JOIN_ANTI : JOIN_LEFT;
    else
        take_word(self, KW_INNER);
    take_word(self, KW_OUTER);
    return expect_word(self, KW_JOIN);
}

static enum code parse_join(struct parser *self, struct ast_relation *left, struct ast_relation **out)
{
    int32_t first = self->at;
    struct ast_relation *join = arena_new(self->arena, struct ast_relation);
    join->kind = RELATION_JOIN;
    join->left = left;
    join->natural = take_word(self, KW_NATURAL);
    TRY(parse_join_kind(self, &join->join));
    join->at = position_since(self, first);
    bool lateral = take_word(self, KW_LATERAL);
    TRY(parse_relation_primary(self, &join->right));
    join->right->lateral = lateral;
    if (at_nearest(self))
        TRY(parse_nearest(self, join));
    else if (take_word(self, KW_ON))
        TRY(parse_expr(self, &join->on));
    else if (take_word(self, KW_USING))
        TRY(expect_names(self, &join->using_names, &join->using_count));
    *out = join;
    return E_OK;
}

enum code parse_joins(struct parser *self, struct ast_relation *left, struct ast_relation **out)
{
    int32_t joins = 0;
    *out = left;
    while (at_join(self) || at_pivot(self)) {
        if (at_pivot(self)) {
            TRY(parse_pivot(self, *out, out));
            TRY(parse_alias(self, *out));
        } else {
            TRY(parse_join(self, *out, out));
        }
        if (++joins > SQL_NESTING_MAX)
            return parse_error(self, position_here(self), "[PARSE_SYNTAX_ERROR] more than SQL_NESTING_MAX = %d joins",
                               SQL_NESTING_MAX);
    }
    return E_OK;
}

enum code parse_relation(struct parser *self, struct ast_relation **out)
{
    bool lateral = take_word(self, KW_LATERAL);
    TRY(parse_relation_primary(self, out));
    (*out)->lateral = lateral;
    return parse_joins(self, *out, out);
}

/* a, b JOIN c, ..: commas are cross joins, looser than JOIN. */
enum code parse_relations(struct parser *self, struct ast_relation **out)
{
    int32_t commas = 0;
    TRY(parse_relation(self, out));
    while (take_symbol(self, SYM_COMMA)) {
        if (++commas > SQL_NESTING_MAX)
            return parse_error(self, position_here(self),
                               "[PARSE_SYNTAX_ERROR] more than SQL_NESTING_MAX = %d relations", SQL_NESTING_MAX);
        struct ast_relation *join = arena_new(self->arena, struct ast_relation);
        join->kind = RELATION_JOIN;
        join->join = JOIN_CROSS;
        join->at = position_here(self);
        join->left = *out;
        TRY(parse_relation(self, &join->right));
        *out = join;
    }
    return E_OK;
}
