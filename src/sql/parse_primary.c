/* parse_primary.c - names, calls and their special syntax, CASE, CAST, parentheses, and what may
 * follow a value. */
#include "sql/parser.h"

#include <ctype.h>

static char *lower(struct parser *self, const char *name)
{
    char *copy = arena_strdup(self->arena, name);
    for (char *c = copy; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

static enum code finish(struct parser *self, struct ast *node, struct list *args, int32_t first, struct ast **out)
{
    node->args = (struct ast **)args->items;
    node->arg_count = args->count;
    node->at = position_since(self, first);
    *out = node;
    return ast_measure(self, node);
}

/* ---- CASE, CAST, parentheses ---- */

static enum code parse_case(struct parser *self, struct ast **out)
{
    int32_t first = self->at++;
    struct list args = {0};
    struct ast *subject = NULL;
    if (!at_word(self, KW_WHEN))
        TRY(parse_expr(self, &subject));
    while (take_word(self, KW_WHEN)) {
        struct ast *when, *then;
        TRY(parse_expr(self, &when));
        if (subject != NULL) {
            struct ast *sides[2] = {subject, when};
            when = ast_operator(self, "=", sides, 2, when->at);
        }
        TRY(expect_word(self, KW_THEN));
        TRY(parse_expr(self, &then));
        list_add(self->arena, &args, when);
        list_add(self->arena, &args, then);
    }
    if (args.count == 0)
        return syntax_error(self, "expected WHEN here");
    if (take_word(self, KW_ELSE)) {
        struct ast *otherwise;
        TRY(parse_expr(self, &otherwise));
        list_add(self->arena, &args, otherwise);
    }
    TRY(expect_word(self, KW_END));
    return finish(self, ast_new(self, AST_CASE, position_here(self)), &args, first, out);
}

static enum code make_cast(struct parser *self, struct ast *value, bool try_cast, int32_t first, struct ast **out)
{
    struct list args = {0};
    struct ast *node = ast_new(self, AST_CAST, position_here(self));
    node->flag = try_cast;
    TRY(parse_type(self, &node->type, &node->type_text));
    list_add(self->arena, &args, value);
    return finish(self, node, &args, first, out);
}

static enum code parse_cast(struct parser *self, bool try_cast, struct ast **out)
{
    int32_t first = self->at;
    struct ast *value;
    self->at += 2;
    TRY(parse_expr(self, &value));
    TRY(expect_word(self, KW_AS));
    TRY(make_cast(self, value, try_cast, first, out));
    TRY(expect_symbol(self, SYM_CLOSE));
    (*out)->at = position_since(self, first);
    return E_OK;
}

static enum code parse_subquery(struct parser *self, enum ast_kind kind, int32_t first, struct ast **out)
{
    struct ast *node = ast_new(self, kind, position_of(self, &self->tokens[first]));
    TRY(parse_query(self, &node->query));
    *out = node;
    return expect_symbol(self, SYM_CLOSE);
}

static enum code parse_parentheses(struct parser *self, struct ast **out)
{
    int32_t first = self->at++;
    if (at_query(self))
        return parse_subquery(self, AST_SUBQUERY, first, out);
    struct list args = {0};
    do {
        struct ast *item;
        TRY(parse_expr(self, &item));
        list_add(self->arena, &args, item);
        if (take_word(self, KW_AS)) { // (a AS x, b): a struct with names
            struct ast *named = ast_new(self, AST_NAMED, item->at);
            struct list value = {0};
            TRY(expect_name(self, &named->text));
            list_add(self->arena, &value, item);
            TRY(finish(self, named, &value, first, &named));
            args.items[args.count - 1] = named;
        }
    } while (take_symbol(self, SYM_COMMA));
    TRY(expect_symbol(self, SYM_CLOSE));
    if (args.count == 1 && ((struct ast *)args.items[0])->kind != AST_NAMED) {
        *out = args.items[0];
        return E_OK;
    }
    return finish(self, ast_new(self, AST_ROW, position_here(self)), &args, first, out);
}

/* ---- calls whose arguments have words between them ---- */

static struct ast *string_node(struct parser *self, const char *value, struct position at)
{
    struct ast *node = ast_new(self, AST_STRING, at);
    node->bytes = bytes_of_string(value);
    return node;
}

static enum code add_expr(struct parser *self, struct list *args)
{
    struct ast *arg;
    TRY(parse_value(self, &arg));
    list_add(self->arena, args, arg);
    return E_OK;
}

/* EXTRACT(YEAR FROM x) -> extract('YEAR', x) */
static enum code parse_extract(struct parser *self, struct list *args)
{
    struct position at = position_here(self);
    const char *unit;
    if (token_here(self)->kind == TOKEN_STRING) {
        TRY(expect_string_text(self, &unit));
    } else {
        TRY(expect_name(self, &unit));
    }
    list_add(self->arena, args, string_node(self, unit, at));
    TRY(expect_word(self, KW_FROM));
    return add_expr(self, args);
}

/* TRIM([BOTH|LEADING|TRAILING] [characters] FROM x) -> trim, ltrim or rtrim (characters, x) */
static enum code parse_trim(struct parser *self, const char **name, struct list *args)
{
    if (take_text(self, "leading"))
        *name = "ltrim";
    else if (take_text(self, "trailing"))
        *name = "rtrim";
    else
        take_text(self, "both");
    if (!at_word(self, KW_FROM))
        TRY(add_expr(self, args));
    if (take_word(self, KW_FROM))
        return add_expr(self, args);
    while (take_symbol(self, SYM_COMMA))
        TRY(add_expr(self, args));
    return E_OK;
}

/* name(a <word> b <word> c ..) -> name(a, b, c): SUBSTRING .. FROM .. FOR, OVERLAY .. PLACING ..
 * FROM .. FOR, POSITION .. IN */
static enum code parse_worded(struct parser *self, struct ast *node, struct list *args)
{
    TRY(add_expr(self, args));
    if (at_word(self, KW_FROM) && strcmp(node->text, "substr") == 0) // with words Spark knows one name of each
        node->text = "substring";
    if (at_word(self, KW_IN) && strcmp(node->text, "position") == 0)
        node->text = "locate";
    while (take_word(self, KW_FROM) || take_word(self, KW_FOR) || take_word(self, KW_PLACING) ||
           take_word(self, KW_IN) || take_symbol(self, SYM_COMMA))
        TRY(add_expr(self, args));
    return E_OK;
}

/* STRUCT(a AS x, b): names travel as AST_NAMED. */
static enum code parse_struct_args(struct parser *self, struct list *args)
{
    if (at_symbol(self, SYM_CLOSE))
        return E_OK;
    do {
        int32_t first = self->at;
        struct ast_item item = {0};
        TRY(parse_item(self, &item));
        struct ast *arg = item.expr;
        if (item.alias != NULL) {
            struct list value = {0};
            struct ast *named = ast_new(self, AST_NAMED, arg->at);
            named->text = item.alias;
            list_add(self->arena, &value, arg);
            TRY(finish(self, named, &value, first, &arg));
        }
        list_add(self->arena, args, arg);
    } while (take_symbol(self, SYM_COMMA));
    return E_OK;
}

/* ---- calls ---- */

static struct ast_call *call_extras(struct parser *self, struct ast *node)
{
    if (node->call == NULL)
        node->call = arena_new(self->arena, struct ast_call);
    return node->call;
}

static enum code parse_plain_args(struct parser *self, struct ast *node, struct list *args)
{
    if (take_word(self, KW_DISTINCT))
        call_extras(self, node)->distinct = true;
    else if (at_word(self, KW_ALL) && token_ahead(self, 1)->symbol != SYM_CLOSE)
        self->at++;
    if (at_symbol(self, SYM_CLOSE))
        return E_OK;
    do {
        struct ast *arg;
        if (at_word(self, KW_SELECT))
            return syntax_error(self, "put the query into parentheses of its own");
        TRY(parse_expr(self, &arg));
        list_add(self->arena, args, arg);
    } while (take_symbol(self, SYM_COMMA));
    return E_OK;
}

static enum code parse_args(struct parser *self, struct ast *node, struct list *args)
{
    const char *name = node->text;
    if (strcmp(name, "extract") == 0 && (token_ahead(self, 1)->keyword == KW_FROM))
        return parse_extract(self, args);
    if (strcmp(name, "trim") == 0 && !at_symbol(self, SYM_CLOSE))
        return parse_trim(self, &node->text, args);
    bool worded = strcmp(name, "substring") == 0 || strcmp(name, "substr") == 0 || strcmp(name, "overlay") == 0 ||
                  strcmp(name, "position") == 0;
    if (worded && !at_symbol(self, SYM_CLOSE) && token_ahead(self, 1)->symbol != SYM_FAT_ARROW)
        return parse_worded(self, node, args);
    if (strcmp(name, "struct") == 0)
        return parse_struct_args(self, args);
    return parse_plain_args(self, node, args);
}

/* [IGNORE|RESPECT NULLS] */
static void take_nulls_option(struct parser *self, struct ast *node)
{
    if (take_words(self, KW_IGNORE, KW_NULLS))
        call_extras(self, node)->ignore_nulls = true;
    else
        take_words(self, KW_RESPECT, KW_NULLS);
}

static enum code parse_over(struct parser *self, struct ast *node)
{
    struct ast_window *over = arena_new(self->arena, struct ast_window);
    over->at = position_here(self);
    call_extras(self, node)->over = over;
    if (at_symbol(self, SYM_OPEN))
        return parse_window_spec(self, over);
    return expect_name(self, &over->name);
}

/* WITHIN GROUP (ORDER BY ..), FILTER (WHERE ..), IGNORE NULLS, OVER .. */
static enum code parse_call_tail(struct parser *self, struct ast *node)
{
    if (take_words(self, KW_WITHIN, KW_GROUP)) {
        struct ast_call *call = call_extras(self, node);
        TRY(expect_symbol(self, SYM_OPEN));
        TRY(expect_word(self, KW_ORDER));
        TRY(expect_word(self, KW_BY));
        TRY(parse_sorts(self, &call->within, &call->within_count));
        TRY(expect_symbol(self, SYM_CLOSE));
    }
    if (at_word(self, KW_FILTER) && token_ahead(self, 1)->symbol == SYM_OPEN) {
        self->at += 2;
        TRY(expect_word(self, KW_WHERE));
        TRY(parse_expr(self, &call_extras(self, node)->filter));
        TRY(expect_symbol(self, SYM_CLOSE));
    }
    take_nulls_option(self, node);
    return take_word(self, KW_OVER) ? parse_over(self, node) : E_OK;
}

enum code parse_call(struct parser *self, const char *name, int32_t first, struct ast **out)
{
    struct list args = {0};
    struct ast *node = ast_new(self, AST_CALL, position_here(self));
    node->text = lower(self, name);
    TRY(expect_symbol(self, SYM_OPEN));
    TRY(parse_args(self, node, &args));
    TRY(place_arguments(self, node, &args));
    take_nulls_option(self, node);
    TRY(expect_symbol(self, SYM_CLOSE));
    TRY(parse_call_tail(self, node));
    if (strcmp(node->text, "when") == 0 && args.count > 1 && node->call == NULL) // when(a, b, c, d, e): CASE spelled so
        node->kind = AST_CASE;
    return finish(self, node, &args, first, out);
}

/* ---- names and stars ---- */

enum code parse_name_list(struct parser *self, struct ast ***out, int32_t *count)
{
    struct list names = {0};
    do {
        int32_t first = self->at;
        struct ast *name = ast_new(self, AST_NAME, position_here(self));
        TRY(expect_dotted(self, &name->parts, &name->part_count));
        name->at = position_since(self, first);
        list_add(self->arena, &names, name);
    } while (take_symbol(self, SYM_COMMA));
    *out = (struct ast **)names.items;
    *count = names.count;
    return E_OK;
}

static enum code parse_star(struct parser *self, const char *const *parts, int32_t count, int32_t first,
                            struct ast **out)
{
    struct ast *node = ast_new(self, AST_STAR, position_since(self, first));
    node->parts = parts;
    node->part_count = count;
    *out = node;
    if (at_word(self, KW_EXCEPT) && token_ahead(self, 1)->symbol == SYM_OPEN &&
        token_ahead(self, 2)->keyword != KW_SELECT) {
        self->at++;
        TRY(expect_symbol(self, SYM_OPEN));
        TRY(parse_name_list(self, &node->excepts, &node->except_count));
        return expect_symbol(self, SYM_CLOSE);
    }
    return E_OK;
}

static enum code parse_name(struct parser *self, struct ast **out)
{
    int32_t first = self->at;
    struct list parts = {0};
    for (;;) {
        const char *name;
        if (at_identifier(self)) {
            TRY(parse_identifier(self, &parts));
            if (!take_symbol(self, SYM_DOT))
                break;
            continue;
        }
        // behind a dot any word is a name: t.order, s.from
        if (parts.count > 0 && token_here(self)->kind == TOKEN_WORD) {
            name = lex_name_value(self->arena, self->file->text, token_here(self));
            self->at++;
        } else {
            TRY(expect_name(self, &name));
        }
        list_add(self->arena, &parts, name);
        if (!at_symbol(self, SYM_DOT))
            break;
        self->at++;
        if (take_symbol(self, SYM_STAR))
            return parse_star(self, (const char *const *)parts.items, parts.count, first, out);
    }
    if (at_symbol(self, SYM_OPEN))
        return parse_call(self, parts.items[parts.count - 1], first, out);
    struct ast *node = ast_new(self, AST_NAME, position_since(self, first));
    node->parts = (const char *const *)parts.items;
    node->part_count = parts.count;
    *out = node;
    return E_OK;
}

/* :name, ? */
static enum code parse_parameter(struct parser *self, struct ast **out)
{
    int32_t first = self->at;
    struct ast *node = ast_new(self, AST_PARAMETER, position_here(self));
    if (take_symbol(self, SYM_COLON))
        TRY(expect_name(self, &node->text));
    else
        self->at++;
    if (node->text == NULL)
        node->place = self->marks++;
    node->at = position_since(self, first);
    *out = node;
    return E_OK;
}

static enum code parse_atom(struct parser *self, struct ast **out)
{
    int32_t first = self->at;
    bool call = token_ahead(self, 1)->symbol == SYM_OPEN;
    if (at_literal(self))
        return parse_literal(self, out);
    if (take_symbol(self, SYM_STAR))
        return parse_star(self, NULL, 0, first, out);
    if (at_symbol(self, SYM_OPEN))
        return parse_parentheses(self, out);
    if (at_symbol(self, SYM_COLON) || at_symbol(self, SYM_QUESTION))
        return parse_parameter(self, out);
    switch (token_here(self)->keyword) {
    case KW_CASE: return parse_case(self, out);
    case KW_CAST:
    case KW_TRY_CAST:
        if (call)
            return parse_cast(self, at_word(self, KW_TRY_CAST), out);
        break;
    case KW_EXISTS:
        if (call && (token_ahead(self, 2)->keyword == KW_SELECT || token_ahead(self, 2)->keyword == KW_WITH ||
                     token_ahead(self, 2)->keyword == KW_FROM || token_ahead(self, 2)->keyword == KW_VALUES ||
                     (token_ahead(self, 2)->symbol == SYM_OPEN && token_ahead(self, 3)->keyword == KW_SELECT))) {
            self->at += 2;
            return parse_subquery(self, AST_EXISTS, first, out);
        }
        break;
    case KW_LIKE:
    case KW_ILIKE:
    case KW_RLIKE:
    case KW_IN:
    case KW_BETWEEN:
    case KW_WHEN:
    case KW_AND:
    case KW_OR:
    case KW_DIV:
        if (call) {
            self->at++;
            return parse_call(self, keyword_text(self->tokens[first].keyword), first, out);
        }
        break;
    default: break;
    }
    if (!at_name(self))
        return syntax_error(self, NULL);
    return parse_name(self, out);
}

/* ---- what may follow ---- */

static enum code parse_subscript(struct parser *self, struct ast *of, int32_t first, struct ast **out)
{
    struct ast *args[2] = {of};
    self->at++;
    TRY(parse_value(self, &args[1]));
    TRY(expect_symbol(self, SYM_CLOSE_SQUARE));
    *out = ast_operator(self, "[]", args, 2, position_since(self, first));
    return ast_measure(self, *out);
}

static enum code parse_field(struct parser *self, struct ast *of, int32_t first, struct ast **out)
{
    struct list args = {0};
    self->at++;
    if (take_symbol(self, SYM_STAR)) {
        TRY(parse_star(self, NULL, 0, first, out));
        list_add(self->arena, &args, of);
        return finish(self, *out, &args, first, out);
    }
    struct ast *node = ast_new(self, AST_FIELD, position_here(self));
    TRY(expect_name(self, &node->text));
    list_add(self->arena, &args, of);
    return finish(self, node, &args, first, out);
}

/* a:b.c[0]: everything up to the last part is the path. */
static enum code parse_path(struct parser *self, struct ast *of, int32_t first, struct ast **out)
{
    struct list args = {0};
    int32_t start = ++self->at;
    const char *name;
    do {
        if (take_symbol(self, SYM_OPEN_SQUARE)) {
            self->at++;
            TRY(expect_symbol(self, SYM_CLOSE_SQUARE));
        } else {
            take_symbol(self, SYM_DOT);
            TRY(expect_name(self, &name));
        }
    } while (at_symbol(self, SYM_DOT) || at_symbol(self, SYM_OPEN_SQUARE));
    struct ast *node = ast_new(self, AST_PATH, position_here(self));
    node->text = source_since(self, start);
    list_add(self->arena, &args, of);
    return finish(self, node, &args, first, out);
}

static enum code parse_collate(struct parser *self, struct ast *of, int32_t first, struct ast **out)
{
    struct ast *args[2] = {of};
    const char *const *name;
    int32_t count;
    struct position at = position_here(self);
    TRY(expect_dotted(self, &name, &count));
    args[1] = string_node(self, name[count - 1], at);
    *out = ast_operator(self, "collate", args, 2, position_since(self, first));
    return ast_measure(self, *out);
}

enum code parse_primary(struct parser *self, struct ast **out)
{
    int32_t first = self->at;
    TRY(parse_atom(self, out));
    for (;;) {
        if (at_symbol(self, SYM_OPEN_SQUARE))
            TRY(parse_subscript(self, *out, first, out));
        else if (at_symbol(self, SYM_DOT))
            TRY(parse_field(self, *out, first, out));
        else if (take_symbol(self, SYM_CAST_TO))
            TRY(make_cast(self, *out, false, first, out));
        else if (at_symbol(self, SYM_COLON))
            TRY(parse_path(self, *out, first, out));
        else if (take_word(self, KW_COLLATE))
            TRY(parse_collate(self, *out, first, out));
        else
            return E_OK;
    }
}

/* ---- OVER (..) ---- */

static enum code parse_bound(struct parser *self, struct ast_bound *out)
{
    if (take_word(self, KW_UNBOUNDED)) {
        if (take_word(self, KW_PRECEDING)) {
            out->kind = BOUND_UNBOUNDED_PRECEDING;
            return E_OK;
        }
        out->kind = BOUND_UNBOUNDED_FOLLOWING;
        return expect_word(self, KW_FOLLOWING);
    }
    if (take_word(self, KW_CURRENT)) {
        out->kind = BOUND_CURRENT;
        return expect_word(self, KW_ROW);
    }
    TRY(parse_value(self, &out->offset));
    if (take_word(self, KW_PRECEDING)) {
        out->kind = BOUND_PRECEDING;
        return E_OK;
    }
    out->kind = BOUND_FOLLOWING;
    return expect_word(self, KW_FOLLOWING);
}

static enum code parse_frame(struct parser *self, struct ast_window *out)
{
    out->framed = true;
    out->by_rows = at_word(self, KW_ROWS);
    self->at++;
    if (!take_word(self, KW_BETWEEN)) {
        out->to.kind = BOUND_CURRENT;
        return parse_bound(self, &out->from);
    }
    TRY(parse_bound(self, &out->from));
    TRY(expect_word(self, KW_AND));
    return parse_bound(self, &out->to);
}

enum code parse_window_spec(struct parser *self, struct ast_window *out)
{
    TRY(expect_symbol(self, SYM_OPEN));
    if (at_name(self) && !at_word(self, KW_PARTITION) && !at_word(self, KW_DISTRIBUTE) && !at_word(self, KW_CLUSTER) &&
        !at_word(self, KW_SORT) && !at_word(self, KW_ROWS) && !at_word(self, KW_RANGE)) { // (w), and nothing more
        TRY(expect_name(self, &out->name));
        return expect_symbol(self, SYM_CLOSE);
    }
    if (take_words(self, KW_PARTITION, KW_BY) || take_words(self, KW_DISTRIBUTE, KW_BY) ||
        take_words(self, KW_CLUSTER, KW_BY))
        TRY(parse_expr_list(self, &out->partition, &out->partition_count));
    if (take_words(self, KW_ORDER, KW_BY) || take_words(self, KW_SORT, KW_BY))
        TRY(parse_sorts(self, &out->order, &out->order_count));
    if (at_word(self, KW_ROWS) || at_word(self, KW_RANGE))
        TRY(parse_frame(self, out));
    return expect_symbol(self, SYM_CLOSE);
}
