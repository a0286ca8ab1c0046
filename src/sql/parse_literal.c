/* parse_literal.c - numbers, strings, typed literals, intervals, and the names of types. */
#include "sql/parser.h"

#include <ctype.h>
#include <strings.h>

/* ---- intervals ---- */

static bool is_interval_value(const struct token *token)
{
    return token->kind == TOKEN_NUMBER || token->kind == TOKEN_STRING;
}

bool at_interval(const struct parser *self)
{
    if (!at_word(self, KW_INTERVAL))
        return false;
    const struct token *next = token_ahead(self, 1);
    if (next->symbol == SYM_PLUS || next->symbol == SYM_MINUS_SIGN)
        next = token_ahead(self, 2);
    return is_interval_value(next);
}

static bool is_unit(const struct parser *self, const struct token *token)
{
    static const char *const units[] = {"year",   "quarter", "month",       "week",        "day",        "hour",
                                        "minute", "second",  "millisecond", "microsecond", "nanosecond", NULL};
    if (token->kind != TOKEN_WORD)
        return false;
    const char *text = (const char *)self->file->text.data + token->start;
    size_t size = token->end - token->start;
    for (int i = 0; units[i] != NULL; i++) {
        size_t length = strlen(units[i]);
        bool plural = size == length + 1 && tolower((unsigned char)text[length]) == 's';
        if ((size == length || plural) && strncasecmp(text, units[i], length) == 0)
            return true;
    }
    return false;
}

static bool at_unit(const struct parser *self) { return is_unit(self, token_here(self)); }

/* Another [-]value with its unit: INTERVAL 1 DAY 2 HOURS. */
static bool at_quantity(const struct parser *self)
{
    int32_t sign = at_symbol(self, SYM_MINUS_SIGN) || at_symbol(self, SYM_PLUS);
    return is_interval_value(token_ahead(self, sign)) && is_unit(self, token_ahead(self, sign + 1));
}

static enum code take_unit(struct parser *self, struct list *units)
{
    char *unit = lex_name_value(self->arena, self->file->text, token_here(self));
    if (!at_unit(self))
        return syntax_error(self, "expected a unit here: YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, ..");
    for (char *c = unit; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    size_t size = strlen(unit);
    if (unit[size - 1] == 's')
        unit[size - 1] = '\0';
    list_add(self->arena, units, unit);
    self->at++;
    return E_OK;
}

static enum code parse_interval_value(struct parser *self, struct list *values)
{
    int32_t first = self->at;
    bool negative = take_symbol(self, SYM_MINUS_SIGN);
    if (!negative)
        take_symbol(self, SYM_PLUS);
    if (!is_interval_value(token_here(self)))
        return syntax_error(self, "expected a number or a string here");
    bool string = token_here(self)->kind == TOKEN_STRING;
    struct ast *value = ast_new(self, string ? AST_STRING : AST_NUMBER, position_here(self));
    value->flag = negative;
    if (string) {
        TRY(expect_string(self, &value->bytes));
    } else {
        self->at++;
        int32_t sign = self->tokens[first].kind == TOKEN_SYMBOL;
        value->text = lex_name_value(self->arena, self->file->text, &self->tokens[first + sign]);
        value->bytes = bytes_of_string(value->text);
    }
    list_add(self->arena, values, value);
    return E_OK;
}

enum code parse_interval(struct parser *self, struct ast **out)
{
    int32_t first = self->at++;
    struct list values = {0}, units = {0};
    bool to = false;
    TRY(parse_interval_value(self, &values));
    if (at_unit(self)) {
        TRY(take_unit(self, &units));
        to = take_word(self, KW_TO);
        if (to)
            TRY(take_unit(self, &units));
        while (!to && at_quantity(self)) {
            TRY(parse_interval_value(self, &values));
            TRY(take_unit(self, &units));
        }
        if ((to && at_quantity(self)) || (units.count > 1 && !to && at_word(self, KW_TO)))
            return parse_error(self, position_since(self, first),
                               "[_LEGACY_ERROR_TEMP_0024] Can only have a single from-to unit in the interval literal "
                               "syntax");
    }
    struct ast *node = ast_new(self, AST_INTERVAL, position_since(self, first));
    node->args = (struct ast **)values.items;
    node->arg_count = values.count;
    node->parts = (const char *const *)units.items;
    node->part_count = units.count;
    node->flag = to;
    *out = node;
    return units.count > 0 || ((struct ast *)values.items[0])->kind == AST_STRING
               ? E_OK
               : syntax_error(self, "expected a unit here");
}

/* ---- other literals ---- */

/* DATE '..' and the like: a word directly before a string, where a value begins. */
static bool at_typed(const struct parser *self)
{
    return token_here(self)->kind == TOKEN_WORD && token_ahead(self, 1)->kind == TOKEN_STRING &&
           token_here(self)->keyword != KW_CASE && at_name(self);
}

bool at_literal(const struct parser *self)
{
    const struct token *token = token_here(self), *next = token_ahead(self, 1);
    switch (token->keyword) {
    case KW_NULL:
    case KW_TRUE:
    case KW_FALSE: return true;
    case KW_INTERVAL: return at_interval(self);
    default: break;
    }
    if (token->kind == TOKEN_NUMBER || token->kind == TOKEN_STRING)
        return true;
    if (token->symbol == SYM_MINUS_SIGN) // -1 is one literal: -9223372036854775808 has no positive half
        return next->kind == TOKEN_NUMBER;
    return at_typed(self);
}

static enum code parse_number(struct parser *self, struct ast **out)
{
    int32_t first = self->at;
    bool negative = take_symbol(self, SYM_MINUS_SIGN);
    const char *digits = lex_name_value(self->arena, self->file->text, token_here(self));
    self->at++;
    struct ast *node = ast_new(self, AST_NUMBER, position_since(self, first));
    node->text = negative ? arena_printf(self->arena, "-%s", digits) : digits;
    *out = node;
    return E_OK;
}

static enum code parse_typed(struct parser *self, struct ast **out)
{
    int32_t first = self->at;
    const char *type = lex_name_value(self->arena, self->file->text, token_here(self));
    self->at++;
    struct bytes value;
    TRY(expect_string(self, &value));
    struct ast *node = ast_new(self, AST_TYPED, position_since(self, first));
    node->text = type;
    node->bytes = value;
    *out = node;
    return E_OK;
}

enum code parse_literal(struct parser *self, struct ast **out)
{
    int32_t first = self->at;
    const struct token *token = token_here(self);
    if (at_interval(self))
        return parse_interval(self, out);
    if (token->kind == TOKEN_NUMBER || token->symbol == SYM_MINUS_SIGN)
        return parse_number(self, out);
    if (token->kind == TOKEN_STRING) {
        struct bytes value;
        TRY(expect_string(self, &value));
        *out = ast_new(self, AST_STRING, position_since(self, first));
        (*out)->bytes = value;
        return E_OK;
    }
    if (token->keyword == KW_NULL || token->keyword == KW_TRUE || token->keyword == KW_FALSE) {
        *out = ast_new(self, token->keyword == KW_NULL ? AST_NULL : AST_BOOLEAN, position_here(self));
        (*out)->flag = token->keyword == KW_TRUE;
        self->at++;
        return E_OK;
    }
    return parse_typed(self, out);
}

/* ---- types ---- */

/* Move over <...>. */
static enum code skip_angles(struct parser *self)
{
    int depth = 0;
    do {
        switch (token_here(self)->symbol) {
        case SYM_LESS: depth++; break;
        case SYM_GREATER: depth--; break;
        case SYM_NOT_EQUAL: break;
        case SYM_SEMICOLON: return syntax_error(self, "expected '>' here");
        default:
            if (token_here(self)->kind == TOKEN_END)
                return syntax_error(self, "expected '>' here");
        }
        self->at++;
    } while (depth > 0);
    return E_OK;
}

static enum code skip_parameters(struct parser *self)
{
    TRY(expect_symbol(self, SYM_OPEN));
    do {
        if (token_here(self)->kind != TOKEN_NUMBER)
            return syntax_error(self, "expected a number here");
        self->at++;
    } while (take_symbol(self, SYM_COMMA));
    return expect_symbol(self, SYM_CLOSE);
}

static int field_of(const char *unit)
{
    static const char *const names[] = {"year", "month", "day", "hour", "minute", "second"};
    for (int i = 0; i < 6; i++)
        if (strcmp(names[i], unit) == 0)
            return i;
    return -1;
}

static enum code parse_interval_type(struct parser *self, const struct type **out)
{
    struct list units = {0};
    self->at++;
    if (!at_unit(self)) { // months, days and microseconds
        *out = type_of(TYPE_INTERVAL);
        return E_OK;
    }
    int32_t first = self->at;
    TRY(take_unit(self, &units));
    if (take_word(self, KW_TO))
        TRY(take_unit(self, &units));
    int from = field_of(units.items[0]), to = field_of(units.items[units.count - 1]);
    if (from < 0 || to < 0 || from > to || (from <= INTERVAL_MONTH) != (to <= INTERVAL_MONTH))
        return parse_error(self, position_since(self, first),
                           "[_LEGACY_ERROR_TEMP_0028] Intervals FROM %s TO %s are not "
                           "supported.",
                           (const char *)units.items[0], (const char *)units.items[units.count - 1]);
    *out = type_interval((enum interval_field)from, (enum interval_field)to);
    return E_OK;
}

/* TIMESTAMP WITHOUT TIME ZONE, TIMESTAMP WITH LOCAL TIME ZONE; plain otherwise. */
static bool take_time_zone(struct parser *self, const struct type **out)
{
    if (at_text(self, "without")) {
        self->at += 3;
        *out = type_of(TYPE_TIMESTAMP_NTZ);
        return true;
    }
    if (at_word(self, KW_WITH) &&
        strncasecmp((const char *)self->file->text.data + token_ahead(self, 1)->start, "local", 5) == 0) {
        self->at += 4;
        *out = type_of(TYPE_TIMESTAMP);
        return true;
    }
    return false;
}

enum code parse_type(struct parser *self, const struct type **out, const char **text)
{
    int32_t first = self->at;
    bool interval = at_word(self, KW_INTERVAL);
    if (token_here(self)->kind != TOKEN_WORD)
        return syntax_error(self, "expected a type here, such as INT or STRING");
    if (interval) {
        TRY(parse_interval_type(self, out));
        *text = source_since(self, first);
        return E_OK;
    }
    bool timestamp = at_text(self, "timestamp"), of_day = at_text(self, "time");
    bool nested = at_text(self, "array") || at_text(self, "map") || at_text(self, "struct"); // else `<` compares
    self->at++;
    if (nested && (at_symbol(self, SYM_LESS) || at_symbol(self, SYM_NOT_EQUAL)))
        TRY(skip_angles(self));
    else if (at_symbol(self, SYM_OPEN))
        TRY(skip_parameters(self));
    else if (timestamp && take_time_zone(self, out)) {
        *text = source_since(self, first);
        return E_OK;
    }
    *text = source_since(self, first);
    if (of_day && at_text(self, "without")) // TIME(3) WITHOUT TIME ZONE: the only kind there is
        self->at += 3;
    struct position at = position_since(self, first);
    size_t where = 0;
    if (take_word(self, KW_COLLATE)) { // every string is compared by its bytes
        const char *const *name;
        int32_t count;
        TRY(expect_dotted(self, &name, &count));
    }
    if (type_parse_ddl(self->arena, bytes_of_string(*text), out, &where, self->err) == E_OK)
        return E_OK;
    if (self->err->text[0] == '[')
        return message_at(self->notes, at, NULL, self->err);
    return parse_error(self, at, "[UNSUPPORTED_DATATYPE] Unsupported data type \"%s\"", *text);
}
