/* ast_name.c - the name Spark gives an output column without alias: the expression, as written but
 * tidied. */
#include <strings.h>
#include <ctype.h>
#include <string.h>

#include "sql/call_name.h"
#include "sql/select.h"
#include "sql/sql_session.h"

enum { TYPED_HEIGHT_MAX = 8 }; // a name asks for the types of its parts no deeper

struct printer {
    struct analyser *analyser;         /* for the values of typed literals */
    const struct scope *scope;         /* or NULL */
    const struct lambda_names *lambda; /* or NULL: of the lambdas around */
    struct text text;
};

/* Spark names no variable of a lambda in a column's name. */
#define LAMBDA_VARIABLE "namedlambdavariable()"
struct lambda_names {
    const struct ast *lambda;
    const struct lambda_names *around;
};
static void print(struct printer *out, const struct ast *ast);
static const struct type *type_of_arg(struct printer *out, const struct ast *ast);

/* Subqueries are not analysed for a name, nor aggregates and windows counted twice. */
static bool ast_has_query(const struct ast *ast)
{
    bool special =
        ast->kind == AST_SUBQUERY || ast->kind == AST_EXISTS || ast->kind == AST_IN ||
        (ast->kind == AST_CALL && !ast->flag && (ast->call != NULL || function_kind(ast->text) != FUNCTION_SCALAR));
    for (int32_t i = 0; i < ast->arg_count && !special; i++)
        special = ast_has_query(ast->args[i]);
    return special;
}

static void put(struct printer *out, const char *text) { text_add_string(&out->text, text); }

static void print_list(struct printer *out, struct ast *const *args, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        put(out, i > 0 ? ", " : "");
        print(out, args[i]);
    }
}

static void print_parts(struct printer *out, const char *const *parts, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        text_printf(&out->text, "%s%s", i > 0 ? "." : "", parts[i]);
}

/* Numbers without suffix, dates as dates: the value, not what was written. */
static void print_literal(struct printer *out, const struct ast *ast)
{
    struct error err = {0};
    struct analyser quiet = *out->analyser;
    const struct expr *value;
    quiet.err = &err;
    if (analyse_literal(&quiet, ast, &value) != E_OK) {
        put(out, ast->kind == AST_INTERVAL ? "INTERVAL" : ast->text);
    } else if (value->type->id == TYPE_TIMESTAMP && !column_is_null(value->literal, 0)) {
        put(out, "TIMESTAMP '"); // in the session's zone
        column_print_in(value->literal, 0, out->analyser->expr.session->zone, &out->text);
        put(out, "'");
    } else {
        expr_print(value, NULL, &out->text);
    }
}

/* A parameter is named as its value. */
static void print_parameter(struct printer *out, const struct ast *ast)
{
    struct error err = {0};
    struct analyser quiet = *out->analyser;
    const struct expr *value;
    quiet.err = &err;
    if (analyse_parameter(&quiet, ast, &value) == E_OK)
        expr_print(value, NULL, &out->text);
}

/* A column of the query around: outer(t.a). */
static bool print_outer(struct printer *out, struct analyser *quiet, const struct ast *name)
{
    struct scope here = *out->scope;
    const struct expr *expr;
    bool found = false;
    here.outer = NULL;
    if (out->scope->outer == NULL || scope_find(quiet, &here, name, &expr, &found) != E_OK || found)
        return false;
    put(out, "outer(");
    print_parts(out, name->parts, name->part_count);
    put(out, ")");
    return true;
}

/* The alias of another column of the list. */
static bool is_earlier_alias(const struct scope *scope, const struct ast *name)
{
    const struct select *select = scope->select;
    for (int32_t i = 0; select != NULL && name->part_count == 1 && i < select->target_count; i++)
        if (select->targets[i].alias != NULL && same_name(select->targets[i].alias, name->parts[0]))
            return true;
    return false;
}

/* A variable among other things of an expression. */
static bool print_variable(struct printer *out, const struct ast *ast)
{
    int32_t used;
    const struct variable *variable = variable_find(out->analyser, ast, &used);
    if (variable == NULL)
        return false;
    bool text = variable->type->id == TYPE_STRING && !column_is_null(variable->value->literal, 0);
    text_printf(&out->text, "variablereference(system.session.%s=%s", variable->name, text ? "'" : "");
    expr_print(variable->value, NULL, &out->text);
    text_printf(&out->text, "%s)", text ? "'" : "");
    return true;
}

/* Without the table's name; a field keeps its struct. */
static bool is_lambda_variable(const struct printer *out, const char *name)
{
    for (const struct lambda_names *at = out->lambda; at != NULL; at = at->around)
        for (int32_t i = 0; i < at->lambda->part_count; i++)
            if (same_name(at->lambda->parts[i], name))
                return true;
    return false;
}

static void print_name(struct printer *out, const struct ast *ast)
{
    if (is_lambda_variable(out, ast->parts[0])) {
        put(out, LAMBDA_VARIABLE);
        put(out, ast->part_count > 1 ? "." : "");
        print_parts(out, ast->parts + 1, ast->part_count - 1);
        return;
    }
    struct error err = {0};
    struct analyser quiet = *out->analyser;
    const struct expr *expr;
    int32_t shown = 1;
    bool found = false;
    quiet.err = &err;
    if (out->scope != NULL && scope_find(&quiet, out->scope, ast, &expr, &found) == E_OK && found)
        for (; expr->kind == EXPR_FIELD; expr = expr->args[0])
            shown++;
    if (found && print_outer(out, &quiet, ast))
        return;
    if (out->scope != NULL && !found && is_earlier_alias(out->scope, ast)) {
        text_printf(&out->text, "lateralAliasReference(%s)", ast->parts[0]);
        return;
    }
    if (out->scope != NULL && !found && print_variable(out, ast))
        return;
    print_parts(out, ast->parts + ast->part_count - shown, shown);
    if (out->scope != NULL && !found && ast->part_count == 1 && is_bare_function(ast->parts[0]))
        put(out, "()");
}

/* What a subquery reads of the rows around it; known once it is analysed. */
static const char *columns_read(struct printer *out, const struct ast *ast)
{
    const struct list *all = &out->analyser->subqueries_read;
    for (int32_t i = 0; i < all->count; i++) {
        const struct subquery_reads *reads = all->items[i];
        if (reads->query == ast->query)
            return reads->columns;
    }
    return "";
}

/* Fields without a name are col1, col2, .. */
static void print_row(struct printer *out, const struct ast *ast)
{
    put(out, "named_struct(");
    for (int32_t i = 0; i < ast->arg_count; i++) {
        const struct ast *arg = ast->args[i];
        put(out, i > 0 ? ", " : "");
        if (arg->kind == AST_NAMED || arg->kind == AST_FIELD)
            put(out, arg->text);
        else if (arg->kind == AST_NAME)
            put(out, arg->parts[arg->part_count - 1]);
        else
            text_printf(&out->text, "col%d", i + 1);
        put(out, ", ");
        print(out, arg->kind == AST_NAMED ? arg->args[0] : arg);
    }
    put(out, ")");
}

static void print_case(struct printer *out, const struct ast *ast)
{
    put(out, "CASE");
    for (int32_t i = 0; i + 1 < ast->arg_count; i += 2) {
        put(out, " WHEN ");
        print(out, ast->args[i]);
        put(out, " THEN ");
        print(out, ast->args[i + 1]);
    }
    if (ast->arg_count % 2 == 1) {
        put(out, " ELSE ");
        print(out, ast->args[ast->arg_count - 1]);
    }
    put(out, " END");
}

/* Operators whose text is not (a op b). */
static bool print_shaped(struct printer *out, const struct ast *ast)
{
    int32_t arg_count = strcmp(ast->text, "ilike") == 0 ? 2 : ast->arg_count; // its ESCAPE is not shown
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
        if (strcmp(shapes[i].name, ast->text) != 0 || shapes[i].count != arg_count)
            continue;
        for (int32_t j = 0; j < arg_count; j++) {
            put(out, shapes[i].pieces[j]);
            print(out, ast->args[j]);
        }
        put(out, shapes[i].pieces[arg_count]);
        return true;
    }
    return false;
}

/* The type of a part of the name; NULL when it is not to be found out, or too deep to look. */
static const struct type *type_of_arg(struct printer *out, const struct ast *ast)
{
    struct error err = {0};
    struct analyser quiet = *out->analyser;
    const struct expr *expr;
    quiet.err = &err;
    if (out->scope == NULL || ast->height > TYPED_HEIGHT_MAX || ast_has_query(ast) ||
        analyse_expr(&quiet, out->scope, ast, &expr) != E_OK)
        return NULL;
    return expr->type;
}

static bool is_day(const struct type *type)
{
    return type != NULL && type->id == TYPE_INTERVAL_DT && type_interval_to(type) == INTERVAL_DAY;
}

static bool is_instant(const struct type *type) { return type->id >= TYPE_DATE && type->id <= TYPE_TIMESTAMP_NTZ; }
static bool is_time(const struct type *type) { return is_instant(type) || type->id == TYPE_TIME; }
static bool is_any_interval(const struct type *type) { return type_is_interval(type) || type->id == TYPE_INTERVAL; }

/* The time stands first, whatever was written. */
static bool time_is_second(const struct type *a, const struct type *b)
{
    bool moves = is_any_interval(a) || type_is_integer(a) || a->id == TYPE_NULL;
    return (moves && is_time(b)) || (is_any_interval(a) && b->id == TYPE_STRING);
}

/* Sums of a time and an interval, and differences with a time of the day, stand without parentheses. */
static bool is_bare_sum(bool plus, const struct type *a, const struct type *b)
{
    bool of_day = a->id == TYPE_TIME || b->id == TYPE_TIME, time = is_time(a) || a->id == TYPE_STRING;
    if (is_any_interval(b) && time)
        return true;
    return plus ? is_time(a) && b->id == TYPE_NULL : of_day;
}

static void print_infix(struct printer *out, const struct ast *left, const char *name, const struct ast *right)
{
    print(out, left);
    text_printf(&out->text, " %s ", name);
    print(out, right);
}

/* DATE + n is date_add. */
static bool print_time_sum(struct printer *out, const struct ast *ast)
{
    bool plus = strcmp(ast->text, "+") == 0;
    if (ast->arg_count != 2 || !(plus || strcmp(ast->text, "-") == 0))
        return false;
    const struct ast *left = ast->args[0], *right = ast->args[1];
    const struct type *a = type_of_arg(out, left), *b = type_of_arg(out, right);
    if (a == NULL || b == NULL)
        return false;
    if (plus && time_is_second(a, b)) {
        const struct ast *first = left;
        const struct type *type = a;
        left = right, a = b;
        right = first, b = type;
    }
    if (a->id == TYPE_DATE && (type_is_integer(b) || is_day(b))) {
        put(out, plus || is_day(b) ? "date_add(" : "date_sub(");
        print(out, left);
        put(out, is_day(b) ? plus ? ", extractansiintervaldays(" : ", (- extractansiintervaldays(" : ", ");
        print(out, right);
        put(out, is_day(b) ? plus ? "))" : ")))" : ")");
        return true;
    }
    if (!is_bare_sum(plus, a, b))
        return false;
    print_infix(out, left, ast->text, right);
    return true;
}

/* The interval stands first; those without fields have functions for it. */
static bool print_scaled_interval(struct printer *out, const struct ast *ast)
{
    bool times = strcmp(ast->text, "*") == 0;
    if (ast->arg_count != 2 || !(times || strcmp(ast->text, "/") == 0))
        return false;
    const struct ast *left = ast->args[0], *right = ast->args[1];
    const struct type *a = type_of_arg(out, left), *b = type_of_arg(out, right);
    bool swap = times && b != NULL && is_any_interval(b);
    const struct type *interval = swap ? b : a;
    if (interval == NULL || !is_any_interval(interval))
        return false;
    bool calendar = interval->id == TYPE_INTERVAL;
    put(out, !calendar ? "(" : times ? "multiply_interval(" : "divide_interval(");
    print(out, swap ? right : left);
    put(out, calendar ? ", " : times ? " * " : " / ");
    print(out, swap ? left : right);
    put(out, ")");
    return true;
}

/* n < 1.5 of a whole number: Spark compares with a whole number, too, and shows it. */
static bool print_whole_bound(struct printer *out, const struct ast *ast)
{
    const char *name = ast->text;
    bool compares = ast->arg_count == 2 && (name[0] == '<' || name[0] == '>') &&
                    (name[1] == '\0' || (name[1] == '=' && name[2] == '\0'));
    const struct type *left = compares ? type_of_arg(out, ast->args[0]) : NULL;
    bool first = left != NULL && left->id == TYPE_DECIMAL;
    if (left == NULL || ast->args[!first]->kind != AST_NUMBER)
        return false;
    struct error err = {0};
    struct analyser quiet = *out->analyser;
    const struct expr *bound;
    const struct type *other = type_of_arg(out, ast->args[first]);
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
        put(out, below == (number.data[0] == '-') ? "true" : "false");
        text_free(&number);
        return true;
    }
    expr_print(bound, NULL, &number);
    put(out, "(");
    if (first)
        text_add(&out->text, number.data, number.size);
    else
        print(out, ast->args[0]);
    text_printf(&out->text, " %s ", name);
    if (first)
        print(out, ast->args[1]);
    else
        text_add(&out->text, number.data, number.size);
    put(out, ")");
    text_free(&number);
    return true;
}

static void print_operator(struct printer *out, const struct ast *ast)
{
    if (print_whole_bound(out, ast) || print_shaped(out, ast) || print_time_sum(out, ast) ||
        print_scaled_interval(out, ast))
        return;
    text_add_char(&out->text, '(');
    print(out, ast->args[0]);
    if (strcmp(ast->text, "in") == 0) {
        put(out, " IN (");
        print_list(out, ast->args + 1, ast->arg_count - 1);
        put(out, "))");
        return;
    }
    text_printf(&out->text, " %s ", ast->text);
    print(out, ast->args[1]);
    text_add_char(&out->text, ')');
}

/* RANGE n PRECEDING with a cast of n to the type of the order: Spark shows what it computes. */
static bool is_cast_bound(struct printer *out, const struct ast_window *window, const struct ast_bound *bound)
{
    if (window->by_rows || bound->kind != BOUND_PRECEDING || bound->offset == NULL || window->order_count != 1)
        return false;
    const struct type *a = type_of_arg(out, window->order[0].expr), *b = type_of_arg(out, bound->offset);
    return a != NULL && b != NULL && type_is_numeric(a) && !type_equal(a, b);
}

static void print_bound(struct printer *out, const struct ast_window *window, const struct ast_bound *bound)
{
    if (is_cast_bound(out, window, bound)) {
        put(out, "(- ");
        print(out, bound->offset);
        put(out, ") FOLLOWING");
        return;
    }
    static const char *const words[] = {"UNBOUNDED PRECEDING", " PRECEDING", "CURRENT ROW", " FOLLOWING",
                                        "UNBOUNDED FOLLOWING"};
    if (bound->offset != NULL)
        print(out, bound->offset);
    put(out, words[bound->kind]);
}

static void print_sorts(struct printer *out, const struct ast_sort *sorts, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        put(out, i > 0 ? ", " : "");
        print(out, sorts[i].expr);
        text_printf(&out->text, " %s NULLS %s", sorts[i].descending ? "DESC" : "ASC",
                    sorts[i].nulls_last ? "LAST" : "FIRST");
    }
}

/* OVER w: what WINDOW says of it. */
static const struct ast_window *window_meant(const struct printer *out, const struct ast_window *window)
{
    const struct ast_select *ast = out->scope != NULL && out->scope->select != NULL ? out->scope->select->ast : NULL;
    for (int32_t i = 0; window->name != NULL && ast != NULL && i < ast->window_count; i++)
        if (same_name(ast->windows[i].name, window->name))
            return &ast->windows[i];
    return window;
}

/* Functions that have a frame of their own show it. */
static bool print_own_frame(struct printer *out, const struct ast *call)
{
    static const char *const ranks[] = {"row_number", "rank", "dense_rank", "percent_rank", "ntile", NULL};
    for (int i = 0; ranks[i] != NULL; i++)
        if (strcmp(ranks[i], call->text) == 0) {
            put(out, "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW");
            return true;
        }
    bool back = strcmp(call->text, "lag") == 0;
    const struct ast *offset = call->arg_count > 1 ? call->args[1] : NULL;
    if ((!back && strcmp(call->text, "lead") != 0) || (offset != NULL && offset->kind != AST_NUMBER))
        return false;
    const char *digits = offset != NULL ? offset->text : "1", *sign = back ? "-" : "";
    text_printf(&out->text, "ROWS BETWEEN %s%s FOLLOWING AND %s%s FOLLOWING", sign, digits, sign, digits);
    return true;
}

static void print_over(struct printer *out, const struct ast *call, const struct ast_window *window)
{
    window = window_meant(out, window);
    put(out, " OVER (");
    if (window->partition_count > 0) {
        put(out, "PARTITION BY ");
        print_list(out, window->partition, window->partition_count);
        put(out, window->order_count > 0 ? " " : "");
    }
    if (window->order_count > 0)
        put(out, "ORDER BY ");
    print_sorts(out, window->order, window->order_count);
    if (window->partition_count + window->order_count > 0)
        put(out, " ");
    if (window->framed) {
        text_printf(&out->text, "%s BETWEEN ", window->by_rows ? "ROWS" : "RANGE");
        print_bound(out, window, &window->from);
        put(out, " AND ");
        print_bound(out, window, &window->to);
    } else if (!print_own_frame(out, call)) {
        put(out, window->order_count > 0 ? "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
                                         : "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING");
    }
    text_add_char(&out->text, ')');
}

/* int(x) and the like are casts that nobody wrote as casts: Spark leaves them out of names. */
static bool is_cast_function(const struct ast *ast)
{
    static const char *const names[] = {"boolean", "tinyint", "smallint",  "int",    "bigint", "float", "double",
                                        "decimal", "date",    "timestamp", "binary", "string", "time",  NULL};
    for (int i = 0; ast->arg_count == 1 && names[i] != NULL; i++)
        if (strcmp(names[i], ast->text) == 0)
            return true;
    return false;
}

/* trim(a, b): what is trimmed comes first. */
static bool is_trim(const struct ast *ast, struct printer *out)
{
    static const char *const names[][2] = {{"trim", "BOTH"}, {"ltrim", "LEADING"}, {"rtrim", "TRAILING"}};
    for (size_t i = 0; i < 3 && ast->arg_count == 2; i++) {
        if (strcmp(names[i][0], ast->text) != 0)
            continue;
        text_printf(&out->text, "TRIM(%s ", names[i][1]);
        print(out, ast->args[0]);
        put(out, " FROM ");
        print(out, ast->args[1]);
        put(out, ")");
        return true;
    }
    return false;
}

static bool is_text_named(const struct ast *ast, const char *name)
{
    return ast->kind == AST_STRING && ast->bytes.size == strlen(name) &&
           strncasecmp(name, (const char *)ast->bytes.data, ast->bytes.size) == 0;
}

/* to_char of a time is date_format, of bytes what shows them; of numbers NULL: its own name. */
static const char *to_char_meant(struct printer *out, const struct ast *ast)
{
    bool named = strcmp(ast->text, "to_char") == 0 || strcmp(ast->text, "to_varchar") == 0;
    const struct type *type = named && ast->arg_count == 2 ? type_of_arg(out, ast->args[0]) : NULL;
    if (type != NULL && is_instant(type))
        return "date_format";
    if (type == NULL || type->id != TYPE_BINARY)
        return NULL;
    return is_text_named(ast->args[1], "hex") ? "hex" : is_text_named(ast->args[1], "base64") ? "base64" : "decode";
}

/* Calls that Spark puts in terms of others. */
static bool print_replaced(struct printer *out, const struct ast *ast)
{
    const char *to_char = to_char_meant(out, ast);
    bool ntz = strcmp(ast->text, "try_make_timestamp_ntz") == 0 && ast->arg_count == 2;
    bool of_day = strcmp(ast->text, "try_to_time") == 0;
    bool ltz = (strcmp(ast->text, "make_timestamp_ltz") == 0 || strcmp(ast->text, "try_make_timestamp_ltz") == 0) &&
               ast->arg_count <= 3;
    if (to_char != NULL)
        text_printf(&out->text, "%s(", to_char);
    else if (ntz || ltz || of_day)
        put(out, ntz ? "try_make_timestamp_ntz(make_timestamp_ntz(" : ltz ? "make_timestamp(" : "try_to_time(to_time(");
    else if (strcmp(ast->text, "log") == 0 && ast->arg_count == 1)
        put(out, "LOG(E(), ");
    else
        return false;
    bool first_alone = to_char != NULL && strcmp(to_char, "date_format") != 0 && strcmp(to_char, "decode") != 0;
    print_list(out, ast->args, first_alone ? 1 : ast->arg_count);
    put(out, ntz || of_day ? "))" : ")");
    return true;
}

/* from_json to a MAP has a name of its own. */
static bool is_json_map(const struct ast *ast)
{
    return strcmp(ast->text, "from_json") == 0 && ast->arg_count > 1 && ast->args[1]->kind == AST_STRING &&
           ast->args[1]->bytes.size > 4 && strncasecmp((const char *)ast->args[1]->bytes.data, "map<", 4) == 0;
}

static bool print_special(struct printer *out, const struct ast *ast)
{
    if (is_cast_function(ast)) {
        print(out, ast->args[0]);
    } else if (print_replaced(out, ast)) {
        return true;
    } else if (strcmp(ast->text, "positive") == 0 && ast->arg_count == 1) {
        put(out, "(+ ");
        print(out, ast->args[0]);
        put(out, ")");
    } else if (strcmp(ast->text, "div") == 0 && ast->arg_count == 2) {
        put(out, "(");
        print(out, ast->args[0]);
        put(out, " div ");
        print(out, ast->args[1]);
        put(out, ")");
    } else if ((strcmp(ast->text, "isnull") == 0 || strcmp(ast->text, "isnotnull") == 0) && ast->arg_count == 1) {
        put(out, "(");
        print(out, ast->args[0]);
        put(out, ast->text[2] == 'n' && ast->text[3] == 'o' ? " IS NOT NULL)" : " IS NULL)");
    } else if (strcmp(ast->text, "if") == 0) {
        put(out, "(IF(");
        print_list(out, ast->args, ast->arg_count);
        put(out, "))");
    } else if ((strcmp(ast->text, "extract") == 0 || strcmp(ast->text, "datepart") == 0) && ast->arg_count == 2) {
        text_printf(&out->text, "%s(", ast->text);
        print(out, ast->args[0]);
        put(out, " FROM ");
        print(out, ast->args[1]);
        put(out, ")");
    } else if (strcmp(ast->text, "assert_true") == 0 && ast->arg_count == 1) {
        put(out, "assert_true(");
        print(out, ast->args[0]);
        put(out, ", '");
        print(out, ast->args[0]);
        put(out, "' is not true!)");
    } else if (strcmp(ast->text, "mode") == 0 && ast->arg_count == 2 && ast->args[1]->kind == AST_BOOLEAN) {
        put(out, ast->args[1]->flag ? "mode() WITHIN GROUP (ORDER BY " : "mode(");
        print(out, ast->args[0]);
        put(out, ast->args[1]->flag ? " DESC)" : ")");
    } else if (is_json_map(ast)) {
        put(out, "entries");
    } else if (is_trim(ast, out)) {
        return true;
    } else {
        return false;
    }
    return true;
}

static bool of_binary(struct printer *out, const struct ast *ast)
{
    const struct type *type = type_of_arg(out, ast->args[0]);
    return type != NULL && type->id == TYPE_BINARY;
}

/* What Spark fills in for arguments that are not there. */
static void print_defaults(struct printer *out, const struct ast *ast, const struct call_name *name)
{
    if (name == NULL || ast->arg_count < name->least)
        return;
    for (int32_t i = ast->arg_count - name->least; i < CALL_DEFAULTS_MAX && name->defaults[i] != NULL; i++) {
        bool blank = strcmp(name->defaults[i], " ") == 0; // lpad and rpad of bytes pad with zeros
        text_printf(&out->text, "%s%s", i + name->least == 0 ? "" : ", ",
                    blank && of_binary(out, ast) ? "X'00'" : name->defaults[i]);
    }
}

/* mode names its order the wrong way round, and percentiles leave out what is usual; both as Spark does. */
static void print_within(struct printer *out, const struct ast *ast, const struct ast_call *call)
{
    bool mode = strcmp(ast->text, "mode") == 0;
    put(out, " WITHIN GROUP (ORDER BY ");
    if (!mode && strncmp(ast->text, "percentile_", 11) != 0) {
        print_sorts(out, call->within, call->within_count);
    } else {
        print(out, call->within[0].expr);
        put(out, call->within[0].descending != mode ? " DESC" : "");
    }
    put(out, ")");
}

/* A call of a function that SQL defines: arguments by name in their places. */
static bool print_own_call(struct printer *out, const struct ast *ast)
{
    const struct sql_function *function = NULL;
    if (function_kind(ast->text) == FUNCTION_NONE)
        function = function_find(out->analyser, ast->text);
    if (function == NULL)
        return false;
    text_printf(&out->text, "%s%s(", function->temporary ? "" : "spark_catalog.default.", function->name);
    const char *comma = "";
    for (int32_t p = 0; p < function->parameter_count; p++)
        for (int32_t i = 0; i < ast->arg_count; i++) {
            const struct ast *arg = ast->args[i];
            bool named = arg->kind == AST_NAMED && arg->flag;
            if (named ? !same_name(arg->text, function->parameters[p].name) : i != p)
                continue;
            put(out, comma);
            print(out, named ? arg->args[0] : arg);
            comma = ", ";
        }
    text_add_char(&out->text, ')');
    return true;
}

static void print_call(struct printer *out, const struct ast *ast)
{
    const struct ast_call *call = ast->call;
    if (print_own_call(out, ast))
        return;
    if (print_special(out, ast))
        return;
    const struct call_name *name = call_name_find(ast->text, ast->arg_count);
    const char *shown = call_takes_unit(ast) ? strstr(ast->text, "diff") != NULL ? "timestampdiff" : "timestampadd"
                        : name != NULL && name->shown != NULL ? name->shown
                                                              : ast->text;
    bool star = ast->arg_count == 1 && ast->args[0]->kind == AST_STAR;
    text_printf(&out->text, "%s(%s", shown, call != NULL && call->distinct ? "DISTINCT " : "");
    if (star && strcmp(ast->text, "count") == 0)
        text_add_char(&out->text, '1');
    else
        print_list(out, ast->args,
                   name != NULL && name->most > 0 && ast->arg_count > name->most ? name->most : ast->arg_count);
    print_defaults(out, ast, name);
    text_add_char(&out->text, ')');
    if (call != NULL && call->within_count > 0)
        print_within(out, ast, call);
    if (call != NULL && call->filter != NULL) {
        put(out, " FILTER (WHERE ");
        print(out, call->filter);
        text_add_char(&out->text, ')');
    }
    if (call != NULL && call->over != NULL)
        print_over(out, ast, call->over);
}

static void print_cast(struct printer *out, const struct ast *ast)
{
    if (type_is_nested(ast->type)) { // Spark does not show casts to nested types
        print(out, ast->args[0]);
        return;
    }
    struct text type = {0};
    type_print(ast->type, &type);
    put(out, ast->flag ? "TRY_CAST(" : "CAST(");
    print(out, ast->args[0]);
    put(out, " AS ");
    for (size_t i = 0; i < type.size; i++)
        text_add_char(&out->text, (char)toupper((unsigned char)type.data[i]));
    text_add_char(&out->text, ')');
    text_free(&type);
}

static void print_lambda(struct printer *out, const struct ast *ast)
{
    const struct lambda_names names = {ast, out->lambda};
    out->lambda = &names;
    put(out, "lambdafunction(");
    print(out, ast->args[0]);
    out->lambda = names.around;
    for (int32_t i = 0; i < ast->part_count; i++)
        put(out, ", " LAMBDA_VARIABLE);
    text_add_char(&out->text, ')');
}

static void print(struct printer *out, const struct ast *ast)
{
    struct error err = {0};
    struct analyser quiet = *out->analyser;
    quiet.err = &err;
    if (out->scope != NULL && star_among(ast) && star_arguments(&quiet, out->scope, ast, &ast) != E_OK)
        return; // the call itself will say what is wrong
    switch (ast->kind) {
    case AST_NULL: put(out, "NULL"); break;
    case AST_BOOLEAN: put(out, ast->flag ? "true" : "false"); break;
    case AST_NUMBER:
    case AST_INTERVAL:
    case AST_TYPED: print_literal(out, ast); break;
    case AST_STRING: text_add(&out->text, ast->bytes.data, ast->bytes.size); break;
    case AST_NAME: print_name(out, ast); break;
    case AST_STAR:
        print_parts(out, ast->parts, ast->part_count);
        put(out, "*");
        break;
    case AST_FIELD:
        print(out, ast->args[0]);
        text_printf(&out->text, ".%s", ast->text);
        break;
    case AST_CALL: ast->flag ? print_operator(out, ast) : print_call(out, ast); break;
    case AST_CASE: print_case(out, ast); break;
    case AST_CAST: print_cast(out, ast); break;
    case AST_LAMBDA: print_lambda(out, ast); break;
    case AST_NAMED:
        print(out, ast->args[0]);
        text_printf(&out->text, " AS %s", ast->text);
        break;
    case AST_ROW: print_row(out, ast); break;
    case AST_PATH:
        print(out, ast->args[0]);
        text_printf(&out->text, ":%s", ast->text);
        break;
    case AST_PARAMETER: print_parameter(out, ast); break;
    case AST_SUBQUERY: text_printf(&out->text, "scalarsubquery(%s)", columns_read(out, ast)); break;
    case AST_EXISTS: text_printf(&out->text, "exists(%s)", columns_read(out, ast)); break;
    case AST_IN:
        text_add_char(&out->text, '(');
        print(out, ast->args[0]);
        text_printf(&out->text, " IN (listquery(%s)))", columns_read(out, ast));
        break;
    }
}

/* a.b where b is a field of a column, not a column of a table. */
static bool is_struct_field(struct analyser *self, const struct scope *scope, const struct ast *ast)
{
    struct error err = {0};
    struct analyser quiet = *self;
    const struct expr *expr;
    bool found = false;
    quiet.err = &err;
    return scope == NULL || scope_find(&quiet, scope, ast, &expr, &found) != E_OK || !found || expr->kind == EXPR_FIELD;
}

enum { NAME_MAX_BYTES = 4096 }; // of a derived column name; an alias has no such end

char *column_name_of(struct analyser *self, const struct scope *scope, const struct ast *ast)
{
    // a cast of a column is named after it
    if (ast->kind == AST_CAST && ast->args[0]->kind == AST_NAME && !is_struct_field(self, scope, ast->args[0]))
        return column_name_of(self, scope, ast->args[0]);
    // a name or path is its last part, a field of a struct is named after the field
    if (ast->kind == AST_NAME && !(ast->part_count == 1 && is_bare_function(ast->parts[0])))
        return arena_strdup(self->arena, ast->parts[ast->part_count - 1]);
    if (ast->kind == AST_FIELD)
        return arena_strdup(self->arena, ast->text);
    if (is_time_window(ast))
        return arena_strdup(self->arena, same_name(ast->text, "window") ? "window" : "session_window");
    if (ast->kind == AST_PATH) {
        const char *dot = strrchr(ast->text, '.');
        return arena_strdup(self->arena, dot != NULL ? dot + 1 : ast->text);
    }
    struct printer out = {.analyser = self, .scope = scope, .text = {.limit = NAME_MAX_BYTES}};
    print(&out, ast);
    char *name = arena_strndup(self->arena, out.text.data != NULL ? out.text.data : "", out.text.size);
    text_free(&out.text);
    return name;
}

char *ast_name_of(struct analyser *self, const struct ast *ast) { return column_name_of(self, NULL, ast); }
