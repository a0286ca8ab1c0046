/* ast_name.c - the name Spark gives an output column without alias: the expression, as written but tidied. */
#include <ctype.h>
#include <string.h>

#include "base/text_number.h"
#include "sql/analyser.h"

static void print(const struct ast *ast, struct text *out);

static void print_list(struct ast *const *args, int32_t count, struct text *out)
{
    for (int32_t i = 0; i < count; i++) {
        text_add_string(out, i > 0 ? ", " : "");
        print(args[i], out);
    }
}

static void print_parts(const char *const *parts, int32_t count, struct text *out)
{
    for (int32_t i = 0; i < count; i++)
        text_printf(out, "%s%s", i > 0 ? "." : "", parts[i]);
}

/* A number without its suffix and its needless zeros. */
static void print_number(const char *text, struct text *out)
{
    size_t size = strlen(text);
    bool real = strpbrk(text, ".eEdDfF") != NULL && strpbrk(text, "bB") == NULL;
    while (size > 0 && !isdigit((unsigned char)text[size - 1]) && text[size - 1] != '.')
        size--;
    if (real && (strpbrk(text, "eE") != NULL || toupper((unsigned char)text[strlen(text) - 1]) == 'D')) {
        double value = 0;
        char shown[DOUBLE_TEXT_MAX];
        parse_double(text, text + size, &value);
        text_add(out, shown, print_double(value, shown));
        return;
    }
    bool negative = *text == '-';
    const char *digits = text + negative, *end = text + size;
    while (digits + 1 < end && *digits == '0' && isdigit((unsigned char)digits[1]))
        digits++;
    text_add_string(out, negative ? "-" : "");
    text_add_string(out, *digits == '.' ? "0" : "");
    text_add(out, digits, (size_t)(end - digits) - (end > digits && end[-1] == '.'));
}

static void print_interval(const struct ast *ast, struct text *out)
{
    text_add_string(out, "INTERVAL ");
    for (int32_t i = 0; i < ast->arg_count; i++) {
        text_printf(out, "%s'%s%.*s'", i > 0 ? " " : "", ast->args[i]->flag ? "-" : "", (int)ast->args[i]->bytes.size,
                    (const char *)ast->args[i]->bytes.data);
        for (const char *c = i < ast->part_count ? ast->parts[i] : ""; *c != '\0'; c++) {
            if (c == ast->parts[i])
                text_add_char(out, ' ');
            text_add_char(out, (char)toupper((unsigned char)*c));
        }
    }
    if (ast->flag && ast->part_count == 2) {
        text_add_string(out, " TO ");
        for (const char *c = ast->parts[1]; *c != '\0'; c++)
            text_add_char(out, (char)toupper((unsigned char)*c));
    }
}

static void print_case(const struct ast *ast, struct text *out)
{
    text_add_string(out, "CASE");
    for (int32_t i = 0; i + 1 < ast->arg_count; i += 2) {
        text_add_string(out, " WHEN ");
        print(ast->args[i], out);
        text_add_string(out, " THEN ");
        print(ast->args[i + 1], out);
    }
    if (ast->arg_count % 2 == 1) {
        text_add_string(out, " ELSE ");
        print(ast->args[ast->arg_count - 1], out);
    }
    text_add_string(out, " END");
}

/* Operators whose text is not (a op b). */
static bool print_shaped(const struct ast *ast, struct text *out)
{
    static const struct {
        const char *name;
        int32_t count;
        const char *pieces[4];
    } shapes[] = {
        {"not", 1, {"(NOT ", ")"}},
        {"isnull", 1, {"(", " IS NULL)"}},
        {"isnotnull", 1, {"(", " IS NOT NULL)"}},
        {"-", 1, {"(- ", ")"}},
        {"+", 1, {"(+ ", ")"}},
        {"~", 1, {"~", ""}},
        {"[]", 2, {"", "[", "]"}},
        {"||", 2, {"concat(", ", ", ")"}},
        {"like", 2, {"", " LIKE ", ""}},
        {"like", 3, {"", " LIKE ", " ESCAPE '", "'"}},
        {"ilike", 2, {"ilike(", ", ", ")"}},
        {"rlike", 2, {"RLIKE(", ", ", ")"}},
        {"between", 3, {"between(", ", ", ", ", ")"}},
        {"and", 2, {"(", " AND ", ")"}},
        {"or", 2, {"(", " OR ", ")"}},
        {"!=", 2, {"(NOT (", " = ", "))"}},
        {"collate", 2, {"collate(", ", ", ")"}},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (strcmp(shapes[i].name, ast->text) != 0 || shapes[i].count != ast->arg_count)
            continue;
        for (int32_t j = 0; j < ast->arg_count; j++) {
            text_add_string(out, shapes[i].pieces[j]);
            print(ast->args[j], out);
        }
        text_add_string(out, shapes[i].pieces[ast->arg_count]);
        return true;
    }
    return false;
}

static void print_operator(const struct ast *ast, struct text *out)
{
    if (print_shaped(ast, out))
        return;
    text_add_char(out, '(');
    print(ast->args[0], out);
    if (strcmp(ast->text, "in") == 0) {
        text_add_string(out, " IN (");
        print_list(ast->args + 1, ast->arg_count - 1, out);
        text_add_string(out, "))");
        return;
    }
    text_printf(out, " %s ", ast->text);
    print(ast->args[1], out);
    text_add_char(out, ')');
}

static void print_bound(const struct ast_bound *bound, struct text *out)
{
    static const char *const words[] = {"UNBOUNDED PRECEDING", " PRECEDING", "CURRENT ROW", " FOLLOWING", "UNBOUNDED FOLLOWING"};
    if (bound->offset != NULL)
        print(bound->offset, out);
    text_add_string(out, words[bound->kind]);
}

static void print_over(const struct ast_window *window, struct text *out)
{
    text_add_string(out, " OVER (");
    if (window->partition_count > 0) {
        text_add_string(out, "PARTITION BY ");
        print_list(window->partition, window->partition_count, out);
        text_add_string(out, window->order_count > 0 ? " " : "");
    }
    for (int32_t i = 0; i < window->order_count; i++) {
        const struct ast_sort *sort = &window->order[i];
        text_add_string(out, i > 0 ? ", " : "ORDER BY ");
        print(sort->expr, out);
        text_printf(out, " %s NULLS %s", sort->descending ? "DESC" : "ASC", sort->nulls_last ? "LAST" : "FIRST");
    }
    if (window->framed) {
        text_printf(out, " %s BETWEEN ", window->by_rows ? "ROWS" : "RANGE");
        print_bound(&window->from, out);
        text_add_string(out, " AND ");
        print_bound(&window->to, out);
    } else {
        text_add_string(out, window->order_count > 0 ? " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
                                                     : " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING");
    }
    text_add_char(out, ')');
}

static void print_call(const struct ast *ast, struct text *out)
{
    const struct ast_call *call = ast->call;
    bool star = ast->arg_count == 1 && ast->args[0]->kind == AST_STAR;
    text_printf(out, "%s(%s", ast->text, call != NULL && call->distinct ? "DISTINCT " : "");
    if (star && strcmp(ast->text, "count") == 0)
        text_add_char(out, '1');
    else
        print_list(ast->args, ast->arg_count, out);
    text_add_char(out, ')');
    if (call != NULL && call->filter != NULL) {
        text_add_string(out, " FILTER (WHERE ");
        print(call->filter, out);
        text_add_char(out, ')');
    }
    if (call != NULL && call->over != NULL)
        print_over(call->over, out);
}

static void print_cast(const struct ast *ast, struct text *out)
{
    struct text type = {0};
    type_print(ast->type, &type);
    text_add_string(out, ast->flag ? "TRY_CAST(" : "CAST(");
    print(ast->args[0], out);
    text_add_string(out, " AS ");
    for (size_t i = 0; i < type.size; i++)
        text_add_char(out, (char)toupper((unsigned char)type.data[i]));
    text_add_char(out, ')');
    text_free(&type);
}

static void print_lambda(const struct ast *ast, struct text *out)
{
    text_add_string(out, "lambdafunction(");
    print(ast->args[0], out);
    for (int32_t i = 0; i < ast->part_count; i++)
        text_printf(out, ", %s", ast->parts[i]);
    text_add_char(out, ')');
}

static void print(const struct ast *ast, struct text *out)
{
    switch (ast->kind) {
    case AST_NULL: text_add_string(out, "NULL"); break;
    case AST_BOOLEAN: text_add_string(out, ast->flag ? "true" : "false"); break;
    case AST_NUMBER: print_number(ast->text, out); break;
    case AST_STRING: text_add(out, ast->bytes.data, ast->bytes.size); break;
    case AST_TYPED:
        text_printf(out, "%s '%.*s'", ast->text, (int)ast->bytes.size, (const char *)ast->bytes.data);
        break;
    case AST_INTERVAL: print_interval(ast, out); break;
    case AST_NAME: text_add_string(out, ast->parts[ast->part_count - 1]); break;
    case AST_STAR: print_parts(ast->parts, ast->part_count, out); text_add_string(out, "*"); break;
    case AST_FIELD: print(ast->args[0], out); text_printf(out, ".%s", ast->text); break;
    case AST_CALL: ast->flag ? print_operator(ast, out) : print_call(ast, out); break;
    case AST_CASE: print_case(ast, out); break;
    case AST_CAST: print_cast(ast, out); break;
    case AST_LAMBDA: print_lambda(ast, out); break;
    case AST_NAMED: print(ast->args[0], out); text_printf(out, " AS %s", ast->text); break;
    case AST_ROW: text_add_string(out, "struct("); print_list(ast->args, ast->arg_count, out); text_add_char(out, ')'); break;
    case AST_PATH: print(ast->args[0], out); text_printf(out, ":%s", ast->text); break;
    case AST_SUBQUERY: text_add_string(out, "scalarsubquery()"); break;
    case AST_EXISTS: text_add_string(out, "exists()"); break;
    case AST_IN: text_add_char(out, '('); print(ast->args[0], out); text_add_string(out, " IN (listquery()))"); break;
    case AST_PARAMETER: text_add_char(out, '?'); break;
    }
}

enum { NAME_MAX_BYTES = 4096 };  // of a derived column name; an alias has no such end

char *ast_name_of(struct arena *arena, const struct ast *ast)
{
    // a field of a struct is named after the field, a path after its last part
    if (ast->kind == AST_FIELD)
        return arena_strdup(arena, ast->text);
    if (ast->kind == AST_PATH) {
        const char *dot = strrchr(ast->text, '.');
        return arena_strdup(arena, dot != NULL ? dot + 1 : ast->text);
    }
    struct text out = {.limit = NAME_MAX_BYTES};
    print(ast, &out);
    char *name = arena_strndup(arena, out.data != NULL ? out.data : "", out.size);
    text_free(&out);
    return name;
}
