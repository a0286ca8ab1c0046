/* ast_name_operator.c - operators in the names of columns. */
#include "sql/name_printer.h"

/* Operators whose text is not (a op b). */
static const struct name_shape shapes[] = {
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
    {NULL, 0, {NULL}},
};

static bool is_day(const struct type *type)
{
    return type != NULL && type->id == TYPE_INTERVAL_DT && type_interval_to(type) == INTERVAL_DAY;
}

static bool is_instant(const struct type *type) { return type->id >= TYPE_DATE && type->id <= TYPE_TIMESTAMP_NTZ; }
static bool is_time(const struct type *type) { return is_instant(type) || type->id == TYPE_TIME; }

/* The time stands first, whatever was written. */
static bool time_is_second(const struct type *a, const struct type *b)
{
    bool moves = type_is_any_interval(a) || type_is_integer(a) || a->id == TYPE_NULL;
    return (moves && is_time(b)) || (type_is_any_interval(a) && b->id == TYPE_STRING);
}

/* Sums of a time and an interval, and differences with a time of the day, stand without parentheses. */
static bool is_bare_sum(bool plus, const struct type *a, const struct type *b)
{
    bool of_day = a->id == TYPE_TIME || b->id == TYPE_TIME, time = is_time(a) || a->id == TYPE_STRING;
    if (type_is_any_interval(b) && time)
        return true;
    return plus ? is_time(a) && b->id == TYPE_NULL : of_day;
}

static void print_infix(struct name_printer *out, const struct ast *left, const char *name, const struct ast *right)
{
    name_print(out, left);
    text_printf(&out->text, " %s ", name);
    name_print(out, right);
}

/* DATE + n is date_add. */
static bool print_time_sum(struct name_printer *out, const struct ast *ast)
{
    bool plus = strcmp(ast->text, "+") == 0;
    if (ast->arg_count != 2 || !(plus || strcmp(ast->text, "-") == 0))
        return false;
    const struct ast *left = ast->args[0], *right = ast->args[1];
    const struct type *a = name_type_of(out, left), *b = name_type_of(out, right);
    if (a == NULL || b == NULL)
        return false;
    if (plus && time_is_second(a, b)) {
        const struct ast *first = left;
        const struct type *type = a;
        left = right, a = b;
        right = first, b = type;
    }
    if (a->id == TYPE_DATE && (type_is_integer(b) || is_day(b))) {
        name_put(out, plus || is_day(b) ? "date_add(" : "date_sub(");
        name_print(out, left);
        name_put(out, is_day(b) ? plus ? ", extractansiintervaldays(" : ", (- extractansiintervaldays(" : ", ");
        name_print(out, right);
        name_put(out, is_day(b) ? plus ? "))" : ")))" : ")");
        return true;
    }
    if (!is_bare_sum(plus, a, b))
        return false;
    print_infix(out, left, ast->text, right);
    return true;
}

/* The interval stands first; those without fields have functions for it. */
static bool print_scaled_interval(struct name_printer *out, const struct ast *ast)
{
    bool times = strcmp(ast->text, "*") == 0;
    if (ast->arg_count != 2 || !(times || strcmp(ast->text, "/") == 0))
        return false;
    const struct ast *left = ast->args[0], *right = ast->args[1];
    const struct type *a = name_type_of(out, left), *b = name_type_of(out, right);
    bool swap = times && b != NULL && type_is_any_interval(b);
    const struct type *interval = swap ? b : a;
    if (interval == NULL || !type_is_any_interval(interval))
        return false;
    bool calendar = interval->id == TYPE_INTERVAL;
    name_put(out, !calendar ? "(" : times ? "multiply_interval(" : "divide_interval(");
    name_print(out, swap ? right : left);
    name_put(out, calendar ? ", " : times ? " * " : " / ");
    name_print(out, swap ? left : right);
    name_put(out, ")");
    return true;
}

/* n < 1.5 of a whole number: Spark compares with a whole number, too, and shows it. */
static bool print_whole_bound(struct name_printer *out, const struct ast *ast)
{
    const char *name = ast->text;
    bool compares = ast->arg_count == 2 && (name[0] == '<' || name[0] == '>') &&
                    (name[1] == '\0' || (name[1] == '=' && name[2] == '\0'));
    const struct type *left = compares ? name_type_of(out, ast->args[0]) : NULL;
    bool first = left != NULL && left->id == TYPE_DECIMAL;
    if (left == NULL || ast->args[!first]->kind != AST_NUMBER)
        return false;
    struct error err = {0};
    struct analyser quiet = *out->analyser;
    const struct expr *bound;
    const struct type *other = name_type_of(out, ast->args[first]);
    quiet.err = &err;
    if (other == NULL || !type_is_integer(other) || analyse_literal(&quiet, ast->args[!first], &bound) != E_OK ||
        bound->type->id != TYPE_DECIMAL)
        return false;
    bool below = (name[0] == '<') == first, equal = name[1] == '='; // n > 1.5, 1.5 < n: n > floor(1.5)
    const char *rounded = below != equal ? "floor" : "ceil";
    const struct expr *given = bound;
    if (expr_call(&quiet.expr, rounded, &bound, 1, ast->at, &bound, &err) != E_OK ||
        expr_cast(&quiet.expr, bound, type_of(TYPE_INT64), true, ast->at, &bound, &err) != E_OK ||
        expr_fold(&quiet.expr, bound, &bound, &err) != E_OK)
        return false;
    struct text number = {0};
    if (column_is_null(bound->literal, 0)) { // beyond a BIGINT: what it is compared with does not matter
        expr_print(given, NULL, &number);
        name_put(out, below == (number.data[0] == '-') ? "true" : "false");
        text_free(&number);
        return true;
    }
    expr_print(bound, NULL, &number);
    name_put(out, "(");
    if (first)
        text_add(&out->text, number.data, number.size);
    else
        name_print(out, ast->args[0]);
    text_printf(&out->text, " %s ", name);
    if (first)
        name_print(out, ast->args[1]);
    else
        text_add(&out->text, number.data, number.size);
    name_put(out, ")");
    text_free(&number);
    return true;
}

void name_print_operator(struct name_printer *out, const struct ast *ast)
{
    int32_t shown = strcmp(ast->text, "ilike") == 0 ? 2 : ast->arg_count; // its ESCAPE is not shown
    if (print_whole_bound(out, ast) || name_print_shaped(out, shapes, ast, shown) || print_time_sum(out, ast) ||
        print_scaled_interval(out, ast))
        return;
    text_add_char(&out->text, '(');
    name_print(out, ast->args[0]);
    if (strcmp(ast->text, "in") == 0) {
        name_put(out, " IN (");
        name_print_list(out, ast->args + 1, ast->arg_count - 1);
        name_put(out, "))");
        return;
    }
    text_printf(&out->text, " %s ", ast->text);
    name_print(out, ast->args[1]);
    text_add_char(&out->text, ')');
}
