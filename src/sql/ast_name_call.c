/* ast_name_call.c - calls in the names of columns: those that Spark shows as others, and with the arguments it adds. */
#include <strings.h>

#include "sql/call_name.h"
#include "sql/name_printer.h"
#include "sql/sql_session.h"

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

static bool is_text_named(const struct ast *ast, const char *name)
{
    return ast->kind == AST_STRING && ast->bytes.size == strlen(name) &&
           strncasecmp(name, (const char *)ast->bytes.data, ast->bytes.size) == 0;
}

/* to_char of a time is date_format, of bytes what shows them; of numbers NULL: its own name. */
static const char *to_char_meant(struct name_printer *out, const struct ast *ast)
{
    bool named = strcmp(ast->text, "to_char") == 0 || strcmp(ast->text, "to_varchar") == 0;
    const struct type *type = named && ast->arg_count == 2 ? name_type_of(out, ast->args[0]) : NULL;
    if (type != NULL && (type->id >= TYPE_DATE && type->id <= TYPE_TIMESTAMP_NTZ))
        return "date_format";
    if (type == NULL || type->id != TYPE_BINARY)
        return NULL;
    return is_text_named(ast->args[1], "hex") ? "hex" : is_text_named(ast->args[1], "base64") ? "base64" : "decode";
}

/* Calls that Spark puts in terms of others. */
static bool print_replaced(struct name_printer *out, const struct ast *ast)
{
    const char *to_char = to_char_meant(out, ast);
    bool ntz = strcmp(ast->text, "try_make_timestamp_ntz") == 0 && ast->arg_count == 2;
    bool of_day = strcmp(ast->text, "try_to_time") == 0;
    bool ltz = (strcmp(ast->text, "make_timestamp_ltz") == 0 || strcmp(ast->text, "try_make_timestamp_ltz") == 0) &&
               ast->arg_count <= 3;
    if (to_char != NULL)
        text_printf(&out->text, "%s(", to_char);
    else if (ntz || ltz || of_day)
        name_put(out, ntz   ? "try_make_timestamp_ntz(make_timestamp_ntz("
                      : ltz ? "make_timestamp("
                            : "try_to_time(to_time(");
    else if (strcmp(ast->text, "log") == 0 && ast->arg_count == 1)
        name_put(out, "LOG(E(), ");
    else
        return false;
    bool first_alone = to_char != NULL && strcmp(to_char, "date_format") != 0 && strcmp(to_char, "decode") != 0;
    name_print_list(out, ast->args, first_alone ? 1 : ast->arg_count);
    name_put(out, ntz || of_day ? "))" : ")");
    return true;
}

/* from_json to a MAP has a name of its own. */
static bool is_json_map(const struct ast *ast)
{
    return strcmp(ast->text, "from_json") == 0 && ast->arg_count > 1 && ast->args[1]->kind == AST_STRING &&
           ast->args[1]->bytes.size > 4 && strncasecmp((const char *)ast->args[1]->bytes.data, "map<", 4) == 0;
}

/* Calls whose text is not f(a, b). trim(a, b): what is trimmed comes first. */
static const struct name_shape shapes[] = {
    {"positive", 1, {"(+ ", ")"}},
    {"div", 2, {"(", " div ", ")"}},
    {"isnull", 1, {"(", " IS NULL)"}},
    {"isnotnull", 1, {"(", " IS NOT NULL)"}},
    {"if", 3, {"(IF(", ", ", ", ", "))"}},
    {"extract", 2, {"extract(", " FROM ", ")"}},
    {"datepart", 2, {"datepart(", " FROM ", ")"}},
    {"trim", 2, {"TRIM(BOTH ", " FROM ", ")"}},
    {"ltrim", 2, {"TRIM(LEADING ", " FROM ", ")"}},
    {"rtrim", 2, {"TRIM(TRAILING ", " FROM ", ")"}},
    {NULL, 0, {NULL}},
};

static bool print_special(struct name_printer *out, const struct ast *ast)
{
    if (is_cast_function(ast)) {
        name_print(out, ast->args[0]);
    } else if (strcmp(ast->text, "assert_true") == 0 && ast->arg_count == 1) {
        name_put(out, "assert_true(");
        name_print(out, ast->args[0]);
        name_put(out, ", '");
        name_print(out, ast->args[0]);
        name_put(out, "' is not true!)");
    } else if (strcmp(ast->text, "mode") == 0 && ast->arg_count == 2 && ast->args[1]->kind == AST_BOOLEAN) {
        name_put(out, ast->args[1]->flag ? "mode() WITHIN GROUP (ORDER BY " : "mode(");
        name_print(out, ast->args[0]);
        name_put(out, ast->args[1]->flag ? " DESC)" : ")");
    } else if (is_json_map(ast)) {
        name_put(out, "entries");
    } else {
        return print_replaced(out, ast) || name_print_shaped(out, shapes, ast, ast->arg_count);
    }
    return true;
}

static bool of_binary(struct name_printer *out, const struct ast *ast)
{
    const struct type *type = name_type_of(out, ast->args[0]);
    return type != NULL && type->id == TYPE_BINARY;
}

/* What Spark fills in for arguments that are not there. */
static void print_defaults(struct name_printer *out, const struct ast *ast, const struct call_name *name)
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
static void print_within(struct name_printer *out, const struct ast *ast, const struct ast_call *call)
{
    bool mode = strcmp(ast->text, "mode") == 0;
    name_put(out, " WITHIN GROUP (ORDER BY ");
    if (!mode && strncmp(ast->text, "percentile_", 11) != 0) {
        name_print_sorts(out, call->within, call->within_count);
    } else {
        name_print(out, call->within[0].expr);
        name_put(out, call->within[0].descending != mode ? " DESC" : "");
    }
    name_put(out, ")");
}

/* A call of a function that SQL defines: arguments by name in their places. */
static bool print_own_call(struct name_printer *out, const struct ast *ast)
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
            name_put(out, comma);
            name_print(out, named ? arg->args[0] : arg);
            comma = ", ";
        }
    text_add_char(&out->text, ')');
    return true;
}

void name_print_call(struct name_printer *out, const struct ast *ast)
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
        name_print_list(out, ast->args,
                        name != NULL && name->most > 0 && ast->arg_count > name->most ? name->most : ast->arg_count);
    print_defaults(out, ast, name);
    text_add_char(&out->text, ')');
    if (call != NULL && call->within_count > 0)
        print_within(out, ast, call);
    if (call != NULL && call->filter != NULL) {
        name_put(out, " FILTER (WHERE ");
        name_print(out, call->filter);
        text_add_char(&out->text, ')');
    }
    if (call != NULL && call->over != NULL)
        name_print_over(out, ast, call->over);
}
