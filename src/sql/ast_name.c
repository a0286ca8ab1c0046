/* ast_name.c - the name Spark gives an output column without alias: the expression, as written but tidied. */
#include <ctype.h>
#include <string.h>

#include "sql/call_name.h"
#include "sql/name_printer.h"
#include "sql/sql_session.h"

enum { TYPED_HEIGHT_MAX = 8 }; // a name asks for the types of its parts no deeper

/* Spark names no variable of a lambda in a column's name. */
#define LAMBDA_VARIABLE "namedlambdavariable()"
struct lambda_names {
    const struct ast *lambda;
    const struct lambda_names *around;
};

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

void name_put(struct name_printer *out, const char *text) { text_add_string(&out->text, text); }

void name_print_list(struct name_printer *out, struct ast *const *args, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        name_put(out, i > 0 ? ", " : "");
        name_print(out, args[i]);
    }
}

static void print_parts(struct name_printer *out, const char *const *parts, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        text_printf(&out->text, "%s%s", i > 0 ? "." : "", parts[i]);
}

/* Numbers without suffix, dates as dates: the value, not what was written. */
static void print_literal(struct name_printer *out, const struct ast *ast)
{
    struct error err = {0};
    struct analyser quiet = *out->analyser;
    const struct expr *value;
    quiet.err = &err;
    if (analyse_literal(&quiet, ast, &value) != E_OK) {
        name_put(out, ast->kind == AST_INTERVAL ? "INTERVAL" : ast->text);
    } else if (value->type->id == TYPE_TIMESTAMP && !column_is_null(value->literal, 0)) {
        name_put(out, "TIMESTAMP '"); // in the session's zone
        column_print_in(value->literal, 0, out->analyser->expr.session->zone, &out->text);
        name_put(out, "'");
    } else {
        expr_print(value, NULL, &out->text);
    }
}

/* A parameter is named as its value. */
static void print_parameter(struct name_printer *out, const struct ast *ast)
{
    struct error err = {0};
    struct analyser quiet = *out->analyser;
    const struct expr *value;
    quiet.err = &err;
    if (analyse_parameter(&quiet, ast, &value) == E_OK)
        expr_print(value, NULL, &out->text);
}

/* A column of the query around: outer(t.a). */
static bool print_outer(struct name_printer *out, struct analyser *quiet, const struct ast *name)
{
    struct scope here = *out->scope;
    const struct expr *expr;
    bool found = false;
    here.outer = NULL;
    if (out->scope->outer == NULL || scope_find(quiet, &here, name, &expr, &found) != E_OK || found)
        return false;
    name_put(out, "outer(");
    print_parts(out, name->parts, name->part_count);
    name_put(out, ")");
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
static bool print_variable(struct name_printer *out, const struct ast *ast)
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
static bool is_lambda_variable(const struct name_printer *out, const char *name)
{
    for (const struct lambda_names *at = out->lambda; at != NULL; at = at->around)
        for (int32_t i = 0; i < at->lambda->part_count; i++)
            if (same_name(at->lambda->parts[i], name))
                return true;
    return false;
}

static void print_name(struct name_printer *out, const struct ast *ast)
{
    if (is_lambda_variable(out, ast->parts[0])) {
        name_put(out, LAMBDA_VARIABLE);
        name_put(out, ast->part_count > 1 ? "." : "");
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
        name_put(out, "()");
}

/* What a subquery reads of the rows around it; known once it is analysed. */
static const char *columns_read(struct name_printer *out, const struct ast *ast)
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
static void print_row(struct name_printer *out, const struct ast *ast)
{
    name_put(out, "named_struct(");
    for (int32_t i = 0; i < ast->arg_count; i++) {
        const struct ast *arg = ast->args[i];
        name_put(out, i > 0 ? ", " : "");
        if (arg->kind == AST_NAMED || arg->kind == AST_FIELD)
            name_put(out, arg->text);
        else if (arg->kind == AST_NAME)
            name_put(out, arg->parts[arg->part_count - 1]);
        else
            text_printf(&out->text, "col%d", i + 1);
        name_put(out, ", ");
        name_print(out, arg->kind == AST_NAMED ? arg->args[0] : arg);
    }
    name_put(out, ")");
}

static void print_case(struct name_printer *out, const struct ast *ast)
{
    name_put(out, "CASE");
    for (int32_t i = 0; i + 1 < ast->arg_count; i += 2) {
        name_put(out, " WHEN ");
        name_print(out, ast->args[i]);
        name_put(out, " THEN ");
        name_print(out, ast->args[i + 1]);
    }
    if (ast->arg_count % 2 == 1) {
        name_put(out, " ELSE ");
        name_print(out, ast->args[ast->arg_count - 1]);
    }
    name_put(out, " END");
}

bool name_print_shaped(struct name_printer *out, const struct name_shape *shapes, const struct ast *ast,
                       int32_t arg_count)
{
    for (const struct name_shape *shape = shapes; shape->name != NULL; shape++) {
        if (strcmp(shape->name, ast->text) != 0 || shape->count != arg_count)
            continue;
        for (int32_t i = 0; i < arg_count; i++) {
            name_put(out, shape->pieces[i]);
            name_print(out, ast->args[i]);
        }
        name_put(out, shape->pieces[arg_count]);
        return true;
    }
    return false;
}

void name_print_sorts(struct name_printer *out, const struct ast_sort *sorts, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        name_put(out, i > 0 ? ", " : "");
        name_print(out, sorts[i].expr);
        text_printf(&out->text, " %s NULLS %s", sorts[i].descending ? "DESC" : "ASC",
                    sorts[i].nulls_last ? "LAST" : "FIRST");
    }
}

const struct type *name_type_of(struct name_printer *out, const struct ast *ast)
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

static void print_cast(struct name_printer *out, const struct ast *ast)
{
    if (type_is_nested(ast->type)) { // Spark does not show casts to nested types
        name_print(out, ast->args[0]);
        return;
    }
    struct text type = {0};
    type_print(ast->type, &type);
    name_put(out, ast->flag ? "TRY_CAST(" : "CAST(");
    name_print(out, ast->args[0]);
    name_put(out, " AS ");
    for (size_t i = 0; i < type.size; i++)
        text_add_char(&out->text, (char)toupper((unsigned char)type.data[i]));
    text_add_char(&out->text, ')');
    text_free(&type);
}

static void print_lambda(struct name_printer *out, const struct ast *ast)
{
    const struct lambda_names names = {ast, out->lambda};
    out->lambda = &names;
    name_put(out, "lambdafunction(");
    name_print(out, ast->args[0]);
    out->lambda = names.around;
    for (int32_t i = 0; i < ast->part_count; i++)
        name_put(out, ", " LAMBDA_VARIABLE);
    text_add_char(&out->text, ')');
}

void name_print(struct name_printer *out, const struct ast *ast)
{
    struct error err = {0};
    struct analyser quiet = *out->analyser;
    quiet.err = &err;
    if (out->scope != NULL && star_among(ast) && star_arguments(&quiet, out->scope, ast, &ast) != E_OK)
        return; // the call itself will say what is wrong
    switch (ast->kind) {
    case AST_NULL: name_put(out, "NULL"); break;
    case AST_BOOLEAN: name_put(out, ast->flag ? "true" : "false"); break;
    case AST_NUMBER:
    case AST_INTERVAL:
    case AST_TYPED: print_literal(out, ast); break;
    case AST_STRING: text_add(&out->text, ast->bytes.data, ast->bytes.size); break;
    case AST_NAME: print_name(out, ast); break;
    case AST_STAR:
        print_parts(out, ast->parts, ast->part_count);
        name_put(out, "*");
        break;
    case AST_FIELD:
        name_print(out, ast->args[0]);
        text_printf(&out->text, ".%s", ast->text);
        break;
    case AST_CALL: ast->flag ? name_print_operator(out, ast) : name_print_call(out, ast); break;
    case AST_CASE: print_case(out, ast); break;
    case AST_CAST: print_cast(out, ast); break;
    case AST_LAMBDA: print_lambda(out, ast); break;
    case AST_NAMED:
        name_print(out, ast->args[0]);
        text_printf(&out->text, " AS %s", ast->text);
        break;
    case AST_ROW: print_row(out, ast); break;
    case AST_PATH:
        name_print(out, ast->args[0]);
        text_printf(&out->text, ":%s", ast->text);
        break;
    case AST_PARAMETER: print_parameter(out, ast); break;
    case AST_SUBQUERY: text_printf(&out->text, "scalarsubquery(%s)", columns_read(out, ast)); break;
    case AST_EXISTS: text_printf(&out->text, "exists(%s)", columns_read(out, ast)); break;
    case AST_IN:
        text_add_char(&out->text, '(');
        name_print(out, ast->args[0]);
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
    struct name_printer out = {.analyser = self, .scope = scope, .text = {.limit = NAME_MAX_BYTES}};
    name_print(&out, ast);
    char *name = arena_strndup(self->arena, out.text.data != NULL ? out.text.data : "", out.text.size);
    text_free(&out.text);
    return name;
}

char *ast_name_of(struct analyser *self, const struct ast *ast) { return column_name_of(self, NULL, ast); }
