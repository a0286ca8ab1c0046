/* parse_pivot.c - PIVOT, UNPIVOT and TABLESAMPLE behind a relation. */
#include "sql/parser.h"

#include <ctype.h>

/* a, or (a, b) */
static enum code parse_columns(struct parser *self, struct ast ***out, int32_t *count)
{
    struct list columns = {0};
    bool many = take_symbol(self, SYM_OPEN);
    do {
        struct ast *column;
        TRY(parse_primary(self, &column));
        list_add(self->arena, &columns, column);
    } while (many && take_symbol(self, SYM_COMMA));
    *out = (struct ast **)columns.items;
    *count = columns.count;
    return many ? expect_symbol(self, SYM_CLOSE) : E_OK;
}

/* expr [[AS] alias], .. */
static enum code parse_pivot_items(struct parser *self, struct ast_item **out, int32_t *count)
{
    do {
        struct ast_item *item = array_add(self->arena, *out, *count);
        TRY(parse_expr(self, &item->expr));
        if (take_word(self, KW_AS) || (at_alias(self) && !at_word(self, KW_FOR)))
            TRY(expect_name(self, &item->alias));
        if (*count > SQL_COLUMNS_MAX)
            return parse_error(self, position_here(self), "[PARSE_SYNTAX_ERROR] more than SQL_COLUMNS_MAX = %d columns",
                               SQL_COLUMNS_MAX);
    } while (take_symbol(self, SYM_COMMA));
    return E_OK;
}

/* PIVOT (sum(x) [AS s], .. FOR a IN (1 [AS one], ..)) */
static enum code parse_pivot_body(struct parser *self, struct ast_pivot *pivot)
{
    TRY(expect_symbol(self, SYM_OPEN));
    TRY(parse_pivot_items(self, &pivot->aggregates, &pivot->aggregate_count));
    TRY(expect_word(self, KW_FOR));
    TRY(parse_columns(self, &pivot->columns, &pivot->column_count));
    TRY(expect_word(self, KW_IN));
    TRY(expect_symbol(self, SYM_OPEN));
    TRY(parse_pivot_items(self, &pivot->values, &pivot->value_count));
    TRY(expect_symbol(self, SYM_CLOSE));
    return expect_symbol(self, SYM_CLOSE);
}

/* a [AS x], .. or (a, b) [AS x], .. */
static enum code parse_unpivot_groups(struct parser *self, struct ast_pivot *pivot)
{
    do {
        struct ast_unpivot_group *group = array_add(self->arena, pivot->groups, pivot->group_count);
        group->at = position_here(self);
        TRY(parse_columns(self, &group->columns, &group->column_count));
        if (take_word(self, KW_AS) || at_alias(self))
            TRY(expect_name(self, &group->alias));
    } while (take_symbol(self, SYM_COMMA));
    return E_OK;
}

static enum code expect_name_list(struct parser *self, const char *const **names, int32_t *count)
{
    if (at_symbol(self, SYM_OPEN))
        return expect_names(self, names, count);
    const char **one = arena_new(self->arena, const char *);
    TRY(expect_name(self, one));
    *names = one;
    *count = 1;
    return E_OK;
}

/* UNPIVOT [INCLUDE|EXCLUDE NULLS] (value FOR name IN (a, b)) */
static enum code parse_unpivot_body(struct parser *self, struct ast_pivot *pivot)
{
    pivot->include_nulls = at_text(self, "include");
    if (take_text(self, "include") || take_word(self, KW_EXCLUDE))
        TRY(expect_word(self, KW_NULLS));
    TRY(expect_symbol(self, SYM_OPEN));
    TRY(expect_name_list(self, &pivot->value_names, &pivot->value_name_count));
    TRY(expect_word(self, KW_FOR));
    TRY(expect_name(self, &pivot->name));
    TRY(expect_word(self, KW_IN));
    TRY(expect_symbol(self, SYM_OPEN));
    TRY(parse_unpivot_groups(self, pivot));
    TRY(expect_symbol(self, SYM_CLOSE));
    return expect_symbol(self, SYM_CLOSE);
}

bool at_pivot(const struct parser *self)
{
    enum token_kind next = token_ahead(self, 1)->kind;
    return (at_word(self, KW_PIVOT) || at_word(self, KW_UNPIVOT)) && next != TOKEN_END &&
           (token_ahead(self, 1)->symbol == SYM_OPEN || next == TOKEN_WORD);
}

enum code parse_pivot(struct parser *self, struct ast_relation *of, struct ast_relation **out)
{
    struct ast_relation *relation = arena_new(self->arena, struct ast_relation);
    struct ast_pivot *pivot = arena_new(self->arena, struct ast_pivot);
    relation->kind = RELATION_PIVOT;
    relation->at = position_here(self);
    relation->left = of;
    relation->pivot = pivot;
    pivot->unpivot = at_word(self, KW_UNPIVOT);
    self->at++;
    TRY(pivot->unpivot ? parse_unpivot_body(self, pivot) : parse_pivot_body(self, pivot));
    *out = relation;
    return E_OK;
}

/* ---- TABLESAMPLE ---- */

/* n PERCENT, n ROWS, BUCKET n OUT OF m; what Hive has besides is refused as Spark does. */
static enum code parse_sample_size(struct parser *self, struct ast_sample *sample)
{
    struct position at = position_here(self);
    if (at_symbol(self, SYM_CLOSE))
        return parse_error(self, at, "[_LEGACY_ERROR_TEMP_0014] TABLESAMPLE does not accept empty inputs.");
    if (take_text(self, "bucket")) {
        sample->kind = SAMPLE_BUCKET;
        TRY(parse_value(self, &sample->size));
        if (!take_text(self, "out"))
            return syntax_error(self, "expected OUT OF here");
        TRY(expect_word(self, KW_OF));
        TRY(parse_value(self, &sample->buckets));
        if (at_word(self, KW_ON))
            return parse_error(self, position_here(self),
                               "[_LEGACY_ERROR_TEMP_0015] TABLESAMPLE(BUCKET x OUT OF y ON ..) is not supported.");
        return E_OK;
    }
    TRY(parse_value(self, &sample->size));
    sample->kind = at_text(self, "rows") || at_word(self, KW_ROWS) ? SAMPLE_ROWS : SAMPLE_PERCENT;
    if (take_text(self, "percent") || take_word(self, KW_ROWS) || take_text(self, "rows"))
        return E_OK;
    const char *text = sample->size->kind == AST_NAME     ? sample->size->parts[0]
                       : sample->size->kind == AST_NUMBER ? sample->size->text
                                                          : "";
    size_t size = strlen(text);
    if (size > 1 && tolower((unsigned char)text[size - 1]) == 'b')
        return parse_error(self, at, "[_LEGACY_ERROR_TEMP_0015] TABLESAMPLE(byteLengthLiteral) is not supported.");
    return parse_error(self, at,
                       "[_LEGACY_ERROR_TEMP_0016] %s is not a valid byte length literal, expected syntax: "
                       "DIGIT+ ('B' | 'K' | 'M' | 'G').",
                       text);
}

enum code parse_sample(struct parser *self, struct ast_relation *relation)
{
    struct ast_sample *sample = arena_new(self->arena, struct ast_sample);
    sample->at = position_here(self);
    self->at++;
    relation->sample = sample;
    TRY(expect_symbol(self, SYM_OPEN));
    TRY(parse_sample_size(self, sample));
    TRY(expect_symbol(self, SYM_CLOSE));
    if (!take_word(self, KW_REPEATABLE))
        return E_OK;
    TRY(expect_symbol(self, SYM_OPEN));
    TRY(parse_value(self, &sample->seed));
    return expect_symbol(self, SYM_CLOSE);
}
