#include "trees.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static struct arena arena;
static struct session session;
static struct expr_context ctx;
static struct error error;
static const struct type *columns;
static char shown[65536];

struct expr_context *trees_open(void)
{
    struct error ignored;
    trees_close();
    session.ansi = true;
    session.batch_time_us = 1767225600000000; // 2026-01-01 00:00:00 UTC
    if (zone_find(bytes_of_string("America/Los_Angeles"), &session.zone, &ignored) != E_OK)
        session.zone = zone_utc();
    ctx = (struct expr_context){&arena, &session};
    return &ctx;
}

void trees_close(void) { arena_free(&arena); }
struct arena *trees_arena(void) { return &arena; }
const struct session *trees_session(void) { return &session; }
const char *tree_error(void) { return error.text; }
void tree_columns(const struct type *schema) { columns = schema; }

const struct type *tree_type(const char *ddl)
{
    const struct type *type = NULL;
    size_t at;
    if (type_parse_ddl(&arena, bytes_of_string(ddl), &type, &at, &error) != E_OK)
        kit_fail(__FILE__, __LINE__, "type %s: %s", ddl, error.text);
    return type;
}

/* ---- reading ---- */

static const struct position nowhere;

static void skip_blanks(const char **at)
{
    while (**at == ' ')
        (*at)++;
}

/* Up to a blank or parenthesis that is not inside <> or (). */
static char *read_word(const char **at)
{
    const char *start = *at;
    for (int depth = 0; **at != '\0'; (*at)++) {
        if (depth == 0 && (**at == ' ' || **at == ')') && *at > start)
            break;
        bool word = isalpha((unsigned char)*start);
        depth += word && (**at == '(' || **at == '<');
        depth -= word && (**at == ')' || **at == '>');
    }
    return arena_strndup(&arena, start, (size_t)(*at - start));
}

static const struct expr *read_text(const char **at)
{
    struct text text = {0};
    for ((*at)++; **at != '\0'; (*at)++) {
        if (**at == '\'' && *++(*at) != '\'')
            break;
        text_add_char(&text, **at);
    }
    const struct expr *expr = expr_string(&ctx, bytes_of(text.data == NULL ? "" : text.data, text.size), nowhere);
    text_free(&text);
    return expr;
}

static const struct expr *read_binary(const char **at)
{
    uint8_t bytes[64];
    size_t size = 0;
    for (*at += 2; **at != '\'' && **at != '\0' && size < sizeof bytes; *at += 2) {
        unsigned value;
        sscanf(*at, "%2x", &value);
        bytes[size++] = (uint8_t)value;
    }
    (*at)++;
    return expr_binary(&ctx, bytes_of(bytes, size), nowhere);
}

static const struct expr *read_decimal(const char *word)
{
    const char *point = strchr(word, '.');
    size_t scale = strlen(point + 1), whole = (size_t)(point - word) - (word[0] == '-');
    while (whole > 0 && *(point - whole) == '0')
        whole--;
    int precision = (int)(whole + scale > 0 ? whole + scale : 1);
    __int128 value = 0;
    decimal_parse(bytes_of_string(word), 38, (int)scale, &value);
    return expr_decimal(&ctx, value, precision > (int)scale ? precision : (int)scale, (int)scale, nowhere);
}

static const struct expr *read_number(const char *word)
{
    size_t size = strlen(word);
    char last = (char)tolower((unsigned char)word[size - 1]);
    if (last == 'l')
        return expr_int(&ctx, type_of(TYPE_INT64), strtoll(word, NULL, 10), nowhere);
    if (last == 'd' || (strchr(word, 'e') != NULL && last != 'f'))
        return expr_double(&ctx, strtod(word, NULL), nowhere);
    if (last == 'f') {
        const struct expr *cast = NULL;
        if (expr_cast(&ctx, expr_double(&ctx, strtod(word, NULL), nowhere), type_of(TYPE_FLOAT), false, nowhere, &cast,
                      &error) != E_OK)
            return NULL;
        return cast;
    }
    if (strchr(word, '.') != NULL)
        return read_decimal(word);
    __int128 wide = 0;
    if (decimal_parse(bytes_of_string(word), 38, 0, &wide) && wide != (int64_t)wide)
        return expr_decimal(&ctx, wide, (int)size - (word[0] == '-'), 0, nowhere);
    int64_t value = strtoll(word, NULL, 10);
    return expr_int(&ctx, type_of(value == (int32_t)value ? TYPE_INT32 : TYPE_INT64), value, nowhere);
}

static const struct expr *read_tree(const char **at);

static int32_t read_args(const char **at, const struct expr **args)
{
    int32_t count = 0;
    bool fits = true;
    for (skip_blanks(at); **at != ')' && **at != '\0'; skip_blanks(at)) {
        args[count] = read_tree(at);
        fits = fits && args[count++] != NULL;
    }
    (*at)++;
    return fits ? count : -1;
}

static const struct expr *read_call(const char **at)
{
    const struct expr *args[64], *out = NULL;
    char *name = read_word(at), *extra = NULL;
    bool cast = strcmp(name, "cast") == 0 || strcmp(name, "try_cast") == 0;
    skip_blanks(at);
    if (cast || strcmp(name, "field") == 0)
        extra = read_word(at);
    int32_t count = read_args(at, args);
    enum code code = E_BUG;
    if (count < 0)
        return NULL;
    if (cast)
        code = expr_cast(&ctx, args[0], tree_type(extra), name[0] == 't', nowhere, &out, &error);
    else if (extra != NULL)
        code = expr_field(&ctx, args[0], extra, nowhere, &out, &error);
    else if (strcmp(name, "case") == 0)
        code = expr_case(&ctx, args, count, nowhere, &out, &error);
    else
        code = expr_call(&ctx, name, args, count, nowhere, &out, &error);
    return code == E_OK ? out : NULL;
}

static const struct expr *read_tree(const char **at)
{
    skip_blanks(at);
    if (**at == '(') {
        (*at)++;
        return read_call(at);
    }
    if (**at == '\'')
        return read_text(at);
    if (**at == 'X' && (*at)[1] == '\'')
        return read_binary(at);
    const char *word = read_word(at);
    if (word[0] == '#')
        return expr_column(&ctx, atoi(word + 1), &columns->fields[atoi(word + 1)], nowhere);
    if (strcmp(word, "null") == 0)
        return expr_null(&ctx, type_of(TYPE_NULL), nowhere);
    if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)
        return expr_boolean(&ctx, word[0] == 't', nowhere);
    return read_number(word);
}

const struct expr *tree(const char *text)
{
    error_clear(&error);
    return read_tree(&text);
}

/* ---- showing ---- */

static const char *show_condition(void)
{
    snprintf(shown, sizeof shown, "!%.*s", (int)strcspn(error.text + 1, "]"), error.text + 1);
    return shown;
}

const char *tree_value(const struct expr *expr)
{
    const struct expr *text, *folded;
    if (expr == NULL || expr_cast(&ctx, expr, type_of(TYPE_STRING), false, nowhere, &text, &error) != E_OK)
        return show_condition();
    if (!expr_is_constant(text)) {
        snprintf(shown, sizeof shown, "not a constant");
        return shown;
    }
    if (expr_fold(&ctx, text, &folded, &error) != E_OK)
        return show_condition();
    if (column_is_null(folded->literal, 0))
        return "NULL";
    struct bytes bytes = column_bytes_at(folded->literal, 0);
    snprintf(shown, sizeof shown, "%.*s", (int)bytes.size, (const char *)bytes.data);
    return shown;
}

const char *tree_type_of(const struct expr *expr)
{
    struct text text = {0};
    type_print(expr->type, &text);
    snprintf(shown, sizeof shown, "%s", text.data);
    text_free(&text);
    return shown;
}

TEST(trees_are_read_as_written)
{
    trees_open();
    CHECK_STR(tree_value(tree("(+ 1 (* 2 3))")), "7");
    CHECK_STR(tree_value(tree("(concat 'it''s' 'x')")), "it'sx");
    CHECK_STR(tree_type_of(tree("1.10")), "decimal(3,2)");
    CHECK_STR(tree_type_of(tree("0.05")), "decimal(2,2)");
    CHECK_STR(tree_value(tree("(cast decimal(5,2) '1.005')")), "1.01");
    CHECK_STR(tree_value(tree("(abss 1)")), "!UNRESOLVED_ROUTINE");
    CHECK_STR(tree_error(), "[UNRESOLVED_ROUTINE] Cannot resolve routine `abss`; did you mean `abs`?");
    trees_close();
}
