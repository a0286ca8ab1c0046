/* tree_print.c - Spark's text of an expression, as it names columns and shows plans. */
#include <ctype.h>
#include <math.h>

#include "base/text_number.h"
#include "expr/coerce.h"
#include "expr/loop.h"

static void print_args(const struct expr *const *args, int32_t count, const struct type *schema, struct text *out)
{
    for (int32_t i = 0; i < count; i++) {
        if (i > 0)
            text_add_string(out, ", ");
        expr_print(args[i], schema, out);
    }
}

static void print_interval(const struct expr *expr, struct text *out)
{
    char text[INTERVAL_TEXT_MAX];
    text_add(out, text, interval_print(expr->type, literal_int(expr), text));
}

static void print_decimal(const struct expr *expr, struct text *out)
{
    char text[DECIMAL_TEXT_MAX];
    const struct arg arg = {expr->literal, 1};
    text_add(
        out, text,
        decimal_print_scientific(decimal_load(&arg, type_is_wide_decimal(expr->type), 0), expr->type->scale, text));
}

static void print_calendar_interval(const struct expr *expr, struct text *out)
{
    text_add_string(out, "INTERVAL '");
    column_print(expr->literal, 0, out);
    text_add_char(out, '\'');
}

static void print_literal(const struct expr *expr, struct text *out)
{
    if (column_is_null(expr->literal, 0)) {
        text_add_string(out, "NULL");
        return;
    }
    switch (expr->type->id) {
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ: {
        static const char *const words[] = {"DATE", "TIMESTAMP", "TIMESTAMP_NTZ"};
        text_printf(out, "%s '", words[expr->type->id - TYPE_DATE]);
        column_print(expr->literal, 0, out);
        text_add_char(out, '\'');
        break;
    }
    case TYPE_TIME:
        text_add_string(out, "TIME '");
        column_print(expr->literal, 0, out);
        text_add_char(out, '\'');
        break;
    case TYPE_INTERVAL_DT:
    case TYPE_INTERVAL_YM: print_interval(expr, out); break;
    case TYPE_INTERVAL: print_calendar_interval(expr, out); break;
    case TYPE_BINARY: {
        struct bytes bytes = literal_bytes(expr);
        text_add_string(out, "X'");
        for (size_t i = 0; i < bytes.size; i++)
            text_printf(out, "%02X", bytes.data[i]);
        text_add_char(out, '\'');
        break;
    }
    case TYPE_DECIMAL: print_decimal(expr, out); break;
    default: column_print(expr->literal, 0, out);
    }
}

static void print_column(const struct expr *expr, const struct type *schema, struct text *out)
{
    if (schema != NULL && expr->index < schema->field_count)
        text_add_string(out, schema->fields[expr->index].name);
    else if (expr->bound != NULL)
        text_add_string(out, expr->bound);
    else
        text_printf(out, "#%d", expr->index);
}

static void print_field(const struct expr *expr, const struct type *schema, struct text *out)
{
    const struct type *parent = expr->args[0]->type;
    if (parent->id == TYPE_ARRAY)
        parent = parent->fields[0].type;
    expr_print(expr->args[0], schema, out);
    text_printf(out, ".%s", parent->fields[expr->index].name);
}

static void print_case(const struct expr *expr, const struct type *schema, struct text *out)
{
    text_add_string(out, "CASE");
    for (int32_t i = 0; i < expr->arg_count; i++) {
        bool last_else = i == expr->arg_count - 1 && i % 2 == 0;
        text_add_string(out, last_else ? " ELSE " : i % 2 == 0 ? " WHEN " : " THEN ");
        expr_print(expr->args[i], schema, out);
    }
    text_add_string(out, " END");
}

static void print_infix(const char *name, const struct expr *expr, const struct type *schema, struct text *out)
{
    text_add_char(out, '(');
    expr_print(expr->args[0], schema, out);
    text_printf(out, " %s ", name);
    expr_print(expr->args[1], schema, out);
    text_add_char(out, ')');
}

/* Operators that Spark does not show as (a op b). Words in `before` and `after` surround the first argument. */
static const struct operator_text {
    const char *name;
    int32_t count;
    const char *before, *between, *after;
} shapes[] = {
    {"not", 1, "(NOT ", "", ")"},
    {"isnull", 1, "(", "", " IS NULL)"},
    {"isnotnull", 1, "(", "", " IS NOT NULL)"},
    {"like", 2, "", " LIKE ", ""},
    {"ilike", 2, "", " ILIKE ", ""},
    {"rlike", 2, "RLIKE(", ", ", ")"},
    {"[]", 2, "", "[", "]"},
    {"~", 1, "~", "", ""},
    {"+", 1, "(+ ", "", ")"},
    {"-", 1, "(- ", "", ")"},
};

static bool print_shape(const char *name, const struct expr *expr, const struct type *schema, struct text *out)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const struct operator_text *shape = &shapes[i];
        if (strcmp(shape->name, name) != 0 || shape->count != expr->arg_count)
            continue;
        text_add_string(out, shape->before);
        expr_print(expr->args[0], schema, out);
        text_add_string(out, shape->between);
        if (shape->count == 2)
            expr_print(expr->args[1], schema, out);
        text_add_string(out, shape->after);
        return true;
    }
    return false;
}

static void print_call(const struct expr *expr, const struct type *schema, struct text *out)
{
    const char *name = expr->function->name;
    size_t size = strcspn(name, " "); // synonyms follow
    char first[64];
    size = size < sizeof first ? size : sizeof first - 1;
    memcpy(first, name, size);
    first[size] = '\0';
    if (print_shape(first, expr, schema, out))
        return;
    if (strcmp(first, "in") == 0) {
        text_add_char(out, '(');
        expr_print(expr->args[0], schema, out);
        text_add_string(out, " IN (");
        print_args(expr->args + 1, expr->arg_count - 1, schema, out);
        text_add_string(out, "))");
        return;
    }
    if (expr->arg_count == 2 && (expr->function->flags & FN_OPERATOR) != 0) {
        bool word = strcmp(first, "and") == 0 || strcmp(first, "or") == 0;
        print_infix(strcmp(first, "<>") == 0 ? "!="
                    : word                   ? (first[0] == 'a' ? "AND" : "OR")
                                             : first,
                    expr, schema, out);
        return;
    }
    bool conditional = strcmp(first, "if") == 0;
    text_add_string(out, conditional ? "(IF(" : first);
    if (!conditional)
        text_add_char(out, '(');
    print_args(expr->args, expr->arg_count, schema, out);
    text_add_string(out, conditional ? "))" : ")");
}

void expr_print(const struct expr *expr, const struct type *input_schema, struct text *out)
{
    switch (expr->kind) {
    case EXPR_COLUMN: print_column(expr, input_schema, out); break;
    case EXPR_FIELD: print_field(expr, input_schema, out); break;
    case EXPR_LITERAL: print_literal(expr, out); break;
    case EXPR_CASE: print_case(expr, input_schema, out); break;
    case EXPR_CALL: print_call(expr, input_schema, out); break;
    case EXPR_CAST:
        if (expr->index == 0) { // Spark hides the casts it adds itself
            expr_print(expr->args[0], input_schema, out);
            break;
        }
        text_add_string(out, expr->try_cast ? "TRY_CAST(" : "CAST(");
        expr_print(expr->args[0], input_schema, out);
        text_add_string(out, " AS ");
        type_print_sql(expr->type, out);
        text_add_char(out, ')');
    }
}
