/* parse_expr.c - operators by priority, predicates, and what may follow a value: a.b, a[1], a::t,
 * a:path. */
#include "sql/parser.h"

#include <ctype.h>

enum { SQL_PRIORITY_LOWEST = 1 };

/* Binary operators of values, loosest first. Comparisons bind tighter than IS, IN, LIKE and
 * BETWEEN, as in Spark. */
struct operator_row {
    enum symbol symbol;
    int priority;
    const char *name;
};
// clang-format off
static const struct operator_row operators[] = {
    {SYM_EQUAL, 1, "="},         {SYM_EQUAL_EQUAL, 1, "="},   {SYM_EQUAL_NULL_SAFE, 1, "<=>"},
    {SYM_NOT_EQUAL, 1, "!="},    {SYM_BANG_EQUAL, 1, "!="},   {SYM_LESS, 1, "<"},
    {SYM_LESS_EQUAL, 1, "<="},   {SYM_BANG_GREATER, 1, "<="}, {SYM_GREATER, 1, ">"},
    {SYM_GREATER_EQUAL, 1, ">="}, {SYM_BANG_LESS, 1, ">="},   {SYM_PIPE, 2, "|"},
    {SYM_HAT, 3, "^"},           {SYM_AMPERSAND, 4, "&"},     {SYM_SHIFT_LEFT, 5, "<<"},
    {SYM_SHIFT_RIGHT, 5, ">>"},  {SYM_SHIFT_RIGHT_ZERO, 5, ">>>"}, {SYM_PLUS, 6, "+"},
    {SYM_MINUS_SIGN, 6, "-"},    {SYM_CONCAT, 6, "||"},       {SYM_STAR, 7, "*"},
    {SYM_SLASH, 7, "/"},         {SYM_PERCENT, 7, "%"},       {SYM_NONE, 0, NULL},
};
// clang-format on
static const struct operator_row operator_div = {SYM_NONE, 7, "div"};

static const struct operator_row *operator_here(const struct parser *self)
{
    if (at_word(self, KW_DIV))
        return &operator_div;
    for (const struct operator_row *row = operators; row->name != NULL; row++)
        if (at_symbol(self, row->symbol))
            return row;
    return NULL;
}

/* ---- nodes ---- */

struct ast *ast_new(struct parser *self, enum ast_kind kind, struct position at)
{
    struct ast *node = arena_new(self->arena, struct ast);
    node->kind = kind;
    node->at = at;
    node->height = 1;
    return node;
}

enum code ast_measure(struct parser *self, struct ast *node)
{
    for (int32_t i = 0; i < node->arg_count; i++)
        if (node->args[i]->height >= node->height)
            node->height = node->args[i]->height + 1;
    if (node->height <= SQL_HEIGHT_MAX)
        return E_OK;
    return parse_error(self, node->at, "[PARSE_SYNTAX_ERROR] the expression has more than SQL_HEIGHT_MAX = %d levels",
                       SQL_HEIGHT_MAX);
}

struct ast *ast_operator(struct parser *self, const char *name, struct ast **args, int32_t count, struct position at)
{
    struct ast *node = ast_new(self, AST_CALL, at);
    node->text = name;
    node->flag = true;
    node->args = arena_array(self->arena, struct ast *, (size_t)count);
    if (count > 0)
        memcpy(node->args, args, (size_t)count * sizeof *args);
    node->arg_count = count;
    for (int32_t i = 0; i < count; i++)
        if (args[i]->height >= node->height)
            node->height = args[i]->height + 1;
    return node;
}

/* An operator whose height is checked. */
static enum code combine(struct parser *self, const char *name, struct ast *left, struct ast *right, int32_t first,
                         struct ast **out)
{
    struct ast *args[2] = {left, right};
    struct ast *node = ast_operator(self, name, args, right != NULL ? 2 : 1, position_since(self, first));
    TRY(ast_measure(self, node));
    *out = node;
    return E_OK;
}

/* ---- values ---- */

static enum code parse_unary(struct parser *self, struct ast **out)
{
    static const struct {
        enum symbol symbol;
        const char *name;
    } prefixes[] = {{SYM_MINUS_SIGN, "-"}, {SYM_PLUS, "+"}, {SYM_TILDE, "~"}};
    int32_t first = self->at;
    if (!at_literal(self))
        for (int i = 0; i < 3; i++)
            if (take_symbol(self, prefixes[i].symbol)) {
                struct ast *operand;
                TRY(nest(self));
                TRY(parse_unary(self, &operand));
                unnest(self);
                return combine(self, prefixes[i].name, operand, NULL, first, out);
            }
    return parse_primary(self, out);
}

static enum code parse_binary(struct parser *self, int lowest, struct ast **out)
{
    int32_t first = self->at;
    struct ast *left;
    TRY(parse_unary(self, &left));
    const struct operator_row *row;
    while ((row = operator_here(self)) != NULL && row->priority >= lowest) {
        struct ast *right;
        self->at++;
        TRY(parse_binary(self, row->priority + 1, &right));
        TRY(combine(self, row->name, left, right, first, &left));
    }
    *out = left;
    return E_OK;
}

enum code parse_value(struct parser *self, struct ast **out) { return parse_binary(self, SQL_PRIORITY_LOWEST, out); }

/* ---- predicates ---- */

static enum code negate(struct parser *self, bool negated, int32_t first, struct ast **node)
{
    return negated ? combine(self, "not", *node, NULL, first, node) : E_OK;
}

static enum code parse_between(struct parser *self, struct ast *value, int32_t first, struct ast **out)
{
    struct ast *args[3] = {value};
    TRY(parse_value(self, &args[1]));
    TRY(expect_word(self, KW_AND));
    TRY(parse_value(self, &args[2]));
    *out = ast_operator(self, "between", args, 3, position_since(self, first));
    return ast_measure(self, *out);
}

static enum code parse_in(struct parser *self, struct ast *value, int32_t first, struct ast **out)
{
    TRY(expect_symbol(self, SYM_OPEN));
    if (at_query(self)) {
        struct ast *node = ast_new(self, AST_IN, position_of(self, &self->tokens[first]));
        TRY(parse_query(self, &node->query));
        TRY(expect_symbol(self, SYM_CLOSE));
        node->args = arena_new(self->arena, struct ast *);
        node->args[0] = value;
        node->arg_count = 1;
        *out = node;
        return ast_measure(self, node);
    }
    struct list args = {0};
    list_add(self->arena, &args, value);
    if (at_symbol(self, SYM_CLOSE))
        return parse_error(self, position_here(self),
                           "[INVALID_SQL_SYNTAX.EMPTY_IN_PREDICATE] Invalid SQL syntax: IN "
                           "predicate requires at least one value.");
    do {
        struct ast *item;
        TRY(parse_expr(self, &item));
        list_add(self->arena, &args, item);
    } while (take_symbol(self, SYM_COMMA));
    TRY(expect_symbol(self, SYM_CLOSE));
    *out = ast_operator(self, "in", (struct ast **)args.items, args.count, position_since(self, first));
    return ast_measure(self, *out);
}

/* LIKE ANY ('a', 'b'): one LIKE for each pattern, joined by OR or AND. */
static enum code parse_like_list(struct parser *self, const char *name, struct ast *value, bool any, bool negated,
                                 int32_t first, struct ast **out)
{
    struct ast *joined = NULL;
    TRY(expect_symbol(self, SYM_OPEN));
    if (at_symbol(self, SYM_CLOSE))
        return parse_error(self, position_here(self),
                           "[_LEGACY_ERROR_TEMP_0064] Expected something between '(' and ')'");
    do {
        struct ast *pattern, *one;
        TRY(parse_expr(self, &pattern));
        TRY(combine(self, name, value, pattern, first, &one));
        TRY(negate(self, negated, first, &one));
        if (joined == NULL)
            joined = one;
        else
            TRY(combine(self, any ? "or" : "and", joined, one, first, &joined));
    } while (take_symbol(self, SYM_COMMA));
    *out = joined;
    return expect_symbol(self, SYM_CLOSE);
}

static enum code parse_like(struct parser *self, const char *name, struct ast *value, bool *negated, int32_t first,
                            struct ast **out)
{
    bool any = at_word(self, KW_ANY) || at_word(self, KW_SOME);
    if ((any || at_word(self, KW_ALL)) && token_ahead(self, 1)->symbol == SYM_OPEN) {
        bool inner = *negated;
        *negated = false;
        self->at++;
        return parse_like_list(self, name, value, any, inner, first, out);
    }
    struct ast *args[3] = {value};
    int32_t count = 2;
    TRY(parse_value(self, &args[1]));
    if (take_word(self, KW_ESCAPE)) {
        struct position at = position_here(self);
        args[2] = ast_new(self, AST_STRING, at);
        TRY(expect_string(self, &args[2]->bytes));
        if (args[2]->bytes.size != 1)
            return parse_error(self, at, "[INVALID_ESCAPE_CHAR] EscapeChar should be a string literal of length one");
        count = 3;
    }
    *out = ast_operator(self, name, args, count, position_since(self, first));
    return ast_measure(self, *out);
}

/* IS [NOT] NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM x. */
static enum code parse_is(struct parser *self, struct ast *value, int32_t first, struct ast **out)
{
    bool negated = take_word(self, KW_NOT) || take_symbol(self, SYM_BANG);
    if (take_word(self, KW_NULL) || take_word(self, KW_UNKNOWN))
        return combine(self, negated ? "isnotnull" : "isnull", value, NULL, first, out);
    if (take_word(self, KW_DISTINCT)) {
        struct ast *other;
        TRY(expect_word(self, KW_FROM));
        TRY(parse_value(self, &other));
        TRY(combine(self, "<=>", value, other, first, out));
        return negate(self, !negated, first, out);
    }
    if (at_word(self, KW_TRUE) || at_word(self, KW_FALSE)) {
        struct ast *truth = ast_new(self, AST_BOOLEAN, position_here(self));
        truth->flag = at_word(self, KW_TRUE);
        self->at++;
        TRY(combine(self, "<=>", value, truth, first, out));
        return negate(self, negated, first, out);
    }
    return syntax_error(self, "expected NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM here");
}

static enum code parse_predicate(struct parser *self, int32_t first, struct ast **value)
{
    int32_t before = self->at;
    if (take_word(self, KW_IS))
        return parse_is(self, *value, first, value);
    bool negated = take_word(self, KW_NOT) || (at_symbol(self, SYM_BANG) && take_symbol(self, SYM_BANG));
    enum code code;
    if (take_word(self, KW_BETWEEN))
        code = parse_between(self, *value, first, value);
    else if (take_word(self, KW_IN))
        code = parse_in(self, *value, first, value);
    else if (take_word(self, KW_LIKE))
        code = parse_like(self, "like", *value, &negated, first, value);
    else if (take_word(self, KW_ILIKE))
        code = parse_like(self, "ilike", *value, &negated, first, value);
    else if (take_word(self, KW_RLIKE) || take_word(self, KW_REGEXP))
        code = parse_like(self, "rlike", *value, &negated, first, value);
    else {
        self->at = before;
        return E_OK;
    }
    TRY(code);
    return negate(self, negated, first, value);
}

/* ---- AND, OR, NOT ---- */

static enum code parse_not(struct parser *self, struct ast **out)
{
    int32_t first = self->at;
    if (take_word(self, KW_NOT) || take_symbol(self, SYM_BANG)) {
        struct ast *operand;
        TRY(nest(self));
        TRY(parse_not(self, &operand));
        unnest(self);
        return combine(self, "not", operand, NULL, first, out);
    }
    TRY(parse_value(self, out));
    return parse_predicate(self, first, out);
}

/* A long chain becomes a balanced tree, so that a thousand conditions are no deeper than ten. */
static struct ast *balance(struct parser *self, const char *name, struct ast **items, int32_t count)
{
    if (count == 1)
        return items[0];
    struct ast *args[2] = {balance(self, name, items, count / 2),
                           balance(self, name, items + count / 2, count - count / 2)};
    struct position at = args[0]->at, last = args[1]->at;
    if (at.line == last.line)
        at.length = last.column + last.length - at.column;
    return ast_operator(self, name, args, 2, at);
}

enum { CHAIN_LINEAR_MAX = 32 }; // short chains stay left-deep: they print and read as written

static enum code chain(struct parser *self, const char *name, struct list *items, int32_t first, struct ast **out)
{
    struct ast **nodes = (struct ast **)items->items;
    if (items->count > CHAIN_LINEAR_MAX) {
        *out = balance(self, name, nodes, items->count);
        return ast_measure(self, *out);
    }
    struct ast *left = nodes[0];
    for (int32_t i = 1; i < items->count; i++)
        TRY(combine(self, name, left, nodes[i], first, &left));
    *out = left;
    return E_OK;
}

static enum code parse_and(struct parser *self, struct ast **out)
{
    int32_t first = self->at;
    struct list items = {0};
    do {
        struct ast *item;
        TRY(parse_not(self, &item));
        list_add(self->arena, &items, item);
    } while (take_word(self, KW_AND));
    return chain(self, "and", &items, first, out);
}

/* x -> .. and (x, y) -> .. */
static bool at_lambda(const struct parser *self)
{
    if (token_here(self)->kind == TOKEN_WORD || token_here(self)->kind == TOKEN_QUOTED)
        return token_ahead(self, 1)->symbol == SYM_ARROW;
    if (!at_symbol(self, SYM_OPEN))
        return false;
    int32_t ahead = 1;
    while (token_ahead(self, ahead)->kind == TOKEN_WORD && token_ahead(self, ahead + 1)->symbol == SYM_COMMA)
        ahead += 2;
    return token_ahead(self, ahead)->kind == TOKEN_WORD && token_ahead(self, ahead + 1)->symbol == SYM_CLOSE &&
           token_ahead(self, ahead + 2)->symbol == SYM_ARROW;
}

static enum code parse_lambda(struct parser *self, struct ast **out)
{
    int32_t first = self->at;
    const char *const *names;
    int32_t count = 1;
    if (at_symbol(self, SYM_OPEN)) {
        TRY(expect_names(self, &names, &count));
    } else {
        const char **name = arena_new(self->arena, const char *);
        TRY(expect_name(self, name));
        names = name;
    }
    TRY(expect_symbol(self, SYM_ARROW));
    struct ast *body;
    TRY(parse_expr(self, &body));
    struct ast *node = ast_new(self, AST_LAMBDA, position_since(self, first));
    node->parts = names;
    node->part_count = count;
    node->args = arena_new(self->arena, struct ast *);
    node->args[0] = body;
    node->arg_count = 1;
    *out = node;
    return ast_measure(self, node);
}

static enum code parse_named(struct parser *self, struct ast **out)
{
    struct ast *node = ast_new(self, AST_NAMED, position_here(self));
    TRY(expect_name(self, &node->text));
    TRY(expect_symbol(self, SYM_FAT_ARROW));
    node->flag = true;
    node->args = arena_new(self->arena, struct ast *);
    TRY(parse_expr(self, &node->args[0]));
    node->arg_count = 1;
    *out = node;
    return ast_measure(self, node);
}

static enum code parse_or(struct parser *self, struct ast **out)
{
    int32_t first = self->at;
    struct list items = {0};
    do {
        struct ast *item;
        TRY(parse_and(self, &item));
        list_add(self->arena, &items, item);
    } while (take_word(self, KW_OR));
    return chain(self, "or", &items, first, out);
}

enum code parse_expr(struct parser *self, struct ast **out)
{
    TRY(nest(self));
    if (at_lambda(self))
        TRY(parse_lambda(self, out));
    else if (at_name(self) && token_ahead(self, 1)->symbol == SYM_FAT_ARROW)
        TRY(parse_named(self, out));
    else
        TRY(parse_or(self, out));
    unnest(self);
    return E_OK;
}

enum code parse_expr_list(struct parser *self, struct ast ***out, int32_t *count)
{
    struct list items = {0};
    do {
        struct ast *item;
        TRY(parse_expr(self, &item));
        list_add(self->arena, &items, item);
    } while (take_symbol(self, SYM_COMMA));
    *out = (struct ast **)items.items;
    *count = items.count;
    return E_OK;
}
