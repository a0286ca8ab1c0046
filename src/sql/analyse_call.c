/* analyse_call.c - calls: which kind of function it is, and the few whose arguments are not
 * ordinary. */
#include <ctype.h>

#include "sql/select.h"
#include "sql/sql_function.h"

static bool is_among(const char *const *names, const char *name)
{
    for (int i = 0; names[i] != NULL; i++)
        if (same_name(names[i], name))
            return true;
    return false;
}

static bool is_unit_function(const struct ast *ast)
{
    static const char *const names[] = {"timestampadd", "timestampdiff", "dateadd",  "datediff",
                                        "date_add",     "date_diff",     "timediff", NULL};
    return ast->arg_count == 3 && is_among(names, ast->text);
}

/* dateadd(DAY, n, t), datediff(HOUR, a, b), ..: the first argument is a unit, not a column. */
bool call_takes_unit(const struct ast *ast)
{
    static const char *const units[] = {"microsecond", "millisecond", "second", "minute",  "hour", "day",
                                        "dayofyear",   "week",        "month",  "quarter", "year", NULL};
    return is_unit_function(ast) && ast->args[0]->kind == AST_NAME && ast->args[0]->part_count == 1 &&
           is_among(units, ast->args[0]->parts[0]);
}

/* The unit in quotes is an error of its own. */
static bool call_names_unit(const struct ast *ast) { return is_unit_function(ast) && ast->args[0]->kind == AST_STRING; }

static const struct ast *unit_as_string(struct analyser *self, const struct ast *ast)
{
    struct ast *copy = arena_new(self->arena, struct ast), *unit = arena_new(self->arena, struct ast);
    *copy = *ast;
    copy->args = arena_array(self->arena, struct ast *, (size_t)ast->arg_count);
    memcpy(copy->args, ast->args, (size_t)ast->arg_count * sizeof(struct ast *));
    *unit = (struct ast){.kind = AST_STRING, .at = ast->args[0]->at, .height = 1};
    unit->bytes = bytes_of_string(ast->args[0]->parts[0]);
    copy->args[0] = unit;
    copy->text = strstr(ast->text, "diff") != NULL ? "timestampdiff" : "timestampadd";
    return copy;
}

bool is_time_window(const struct ast *ast)
{
    return ast->kind == AST_CALL && !ast->flag && (ast->call == NULL || ast->call->over == NULL) &&
           (same_name(ast->text, "window") || same_name(ast->text, "session_window"));
}

bool is_generator(const struct ast *ast)
{
    return ast->kind == AST_CALL && !ast->flag && function_kind(ast->text) == FUNCTION_GENERATOR;
}

/* Where TIMESTAMP is TIMESTAMP_NTZ, functions that make one are others. */
static const char *function_meant(const struct analyser *self, const struct ast *ast)
{
    const char *name = ast->text;
    static const char *const names[][2] = {{"to_timestamp", "to_timestamp_ntz"},
                                           {"try_to_timestamp", "try_to_timestamp_ntz"},
                                           {"make_timestamp", "make_timestamp:ntz"},
                                           {"try_make_timestamp", "try_make_timestamp:ntz"}};
    if (ast->arg_count < 6 && strstr(name, "make") != NULL) // of a date and a time
        return name;
    for (size_t i = 0; self->expr.session->ntz && i < sizeof names / sizeof names[0]; i++)
        if (same_name(names[i][0], name) && function_kind(names[i][1]) == FUNCTION_SCALAR)
            return names[i][1];
    return name;
}

/* Functions that Spark puts in terms of others behind the analysis: their calls are no constants before. */
static bool is_replaced(const char *name)
{
    // clang-format off
    static const char *const names[] = {
        "aes_decrypt", "aes_encrypt", "array_append", "array_compact", "array_prepend", "array_size", "base64",
        "bitmap_bit_position", "bitmap_bucket_number", "bitmap_count", "btrim", "collation", "decode", "encode",
        "equal_null", "get", "ifnull", "ilike", "is_valid_utf8", "is_variant_null", "json_array_length",
        "json_object_keys", "left", "luhn_check", "make_time", "make_valid_utf8", "map_contains_key", "nullif",
        "nullifzero", "nvl", "nvl2", "parse_url", "positive", "quote", "regexp_count", "regexp_substr", "right",
        "schema_of_csv", "schema_of_json", "schema_of_variant", "sentences", "split_part", "time_diff",
        "time_from_micros", "time_from_millis", "time_from_seconds", "time_to_micros", "time_to_millis",
        "time_to_seconds", "time_trunc", "to_binary", "to_date", "to_json", "to_time", "to_timestamp",
        "to_timestamp_ltz", "to_timestamp_ntz", "try_add", "try_aes_decrypt", "try_divide", "try_element_at",
        "try_make_interval", "try_mod", "try_multiply", "try_parse_url", "try_subtract", "try_to_binary",
        "try_to_date", "try_to_time", "try_to_timestamp", "try_url_decode", "try_validate_utf8", "url_decode",
        "url_encode", "validate_utf8", "vector_cosine_similarity", "vector_inner_product", "vector_l2_distance",
        "vector_norm", "vector_normalize", "zeroifnull", NULL};
    // clang-format on
    return is_among(names, name);
}

static enum code scalar_call(struct analyser *self, const struct scope *scope, const struct ast *ast,
                             const struct expr **out)
{
    const struct expr **args;
    *out = NULL;
    if (is_file_function(ast))
        TRY(analyse_file_function(self, scope, ast, out));
    if (*out != NULL)
        return E_OK;
    const struct ast_call *extras = ast->call;
    if (extras != NULL && (extras->distinct || extras->filter != NULL || extras->within_count > 0))
        return within_refused(self, ast,
                              extras->distinct         ? "DISTINCT"
                              : extras->filter != NULL ? "FILTER clause"
                                                       : "WITHIN GROUP (ORDER BY ...)");
    const struct sql_function *own = NULL;
    if (!ast->flag && function_kind(ast->text) == FUNCTION_NONE)
        own = function_find(self, ast->text);
    if (own != NULL)
        return analyse_function_call(self, scope, ast, own, out);
    if (!ast->flag && (same_name(ast->text, "range") || same_name(ast->text, "sql_keywords")))
        return sql_error(self, ast->at, "call it in FROM",
                         "[NOT_A_SCALAR_FUNCTION] `%s` appears as a scalar expression here, but the function was "
                         "defined as a table function.",
                         ast->text);
    if (!ast->flag && function_kind(ast->text) == FUNCTION_NONE) // before what its arguments say
        return placed(self, expr_call(&self->expr, ast->text, NULL, 0, ast->at, out, self->err), ast->at);
    TRY(analyse_args(self, scope, ast, &args));
    TRY(placed(self, expr_call(&self->expr, function_meant(self, ast), args, ast->arg_count, ast->at, out, self->err),
               ast->at));
    if (is_replaced(ast->text))
        *out = expr_replaced(&self->expr, *out);
    return E_OK;
}

enum code analyse_call(struct analyser *self, const struct scope *scope, const struct ast *ast, const struct expr **out)
{
    if (self->batch && is_not_in(ast))
        return analyse_not_in(self, scope, ast, out);
    if (ast->flag)
        return scalar_call(self, scope, ast, out);
    unheeded_of_call(self, ast);
    if (ast->call != NULL && ast->call->over != NULL)
        return select_over(self, scope, ast, out);
    if (same_name(ast->text, "from_json"))
        return analyse_from_json(self, scope, ast, out);
    if (is_lambda_call(ast))
        return analyse_lambda_call(self, scope, ast, out);
    if (is_time_window(ast))
        return select_window(self, scope, ast, out);
    if (self->batch && (same_name(ast->text, "grouping") || same_name(ast->text, "grouping_id")))
        return select_grouping(self, scope, ast, out);
    if (call_names_unit(ast))
        return sql_error(self, ast->args[0]->at, "write the unit without quotes",
                         "[INVALID_PARAMETER_VALUE.DATETIME_UNIT] The value of parameter(s) `unit` in `%s` is invalid: "
                         "expects one of the units without quotes, like YEAR, but got a string literal.",
                         ast->text);
    if (call_takes_unit(ast))
        ast = unit_as_string(self, ast);
    switch (function_kind(ast->text)) {
    case FUNCTION_AGGREGATE: return select_aggregate(self, scope, ast, out);
    case FUNCTION_GENERATOR:
        if (strcmp(scope->clause, "the SELECT list") == 0)
            return sql_error(
                self, ast->at, "explode(..) stands alone in the SELECT list or in LATERAL VIEW",
                "[UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS] The generator `%s` is not supported: nested in "
                "expressions.",
                ast->text);
        return sql_error(self, ast->at, "explode(..) stands alone in the SELECT list or in LATERAL VIEW",
                         "[%s] The generator `%s` is not supported: outside the SELECT clause, found in %s.",
                         strcmp(scope->clause, "GROUP BY") == 0 ? "UNSUPPORTED_EXPR_FOR_OPERATOR"
                                                                : "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT",
                         ast->text, scope->clause);
    default: return scalar_call(self, scope, ast, out);
    }
}

/* ---- from_json ---- */

enum code constant_string(struct analyser *self, const struct scope *scope, const struct ast *ast, const char *what,
                          const char **out)
{
    const struct expr *value;
    TRY(analyse_expr(self, scope, ast, &value));
    if (!expr_is_constant(value) || value->type->id != TYPE_STRING)
        return sql_error(self, ast->at, NULL, "[INVALID_SCHEMA.NON_STRING_LITERAL] The %s must be a constant string.",
                         what);
    TRY(placed(self, expr_fold(&self->expr, value, &value, self->err), ast->at));
    struct bytes bytes = {0};
    if (column_valid_at(value->literal, 0))
        bytes = column_bytes_at(value->literal, 0);
    *out = arena_strndup(self->arena, (const char *)bytes.data, bytes.size);
    return E_OK;
}

/* map('mode', 'FAILFAST', ..): names and values must be constants. */
static enum code decode_options(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                struct plan_decode *decode)
{
    if (ast->kind != AST_CALL || !same_name(ast->text, "map") || ast->arg_count % 2 != 0)
        return sql_error(self, ast->at, "write map('mode', 'FAILFAST')",
                         "[INVALID_OPTIONS.NON_MAP_FUNCTION] Invalid options: Must use the `map()` function "
                         "for options.");
    int32_t count = ast->arg_count / 2;
    const char **names = arena_array(self->arena, const char *, (size_t)count);
    const char **values = arena_array(self->arena, const char *, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        TRY(constant_string(self, scope, ast->args[2 * i], "name of an option", &names[i]));
        TRY(constant_string(self, scope, ast->args[2 * i + 1], "value of an option", &values[i]));
        if (same_name(names[i], "mode"))
            decode->mode = values[i];
        if (same_name(names[i], "columnNameOfCorruptRecord"))
            decode->corrupt_column = values[i];
    }
    decode->option_names = names;
    decode->option_values = values;
    decode->option_count = count;
    if (!same_name(decode->mode, "PERMISSIVE") && !same_name(decode->mode, "FAILFAST"))
        return sql_error(self, ast->at, NULL,
                         "[PARSE_MODE_UNSUPPORTED] The function from_json doesn't support the %s mode. "
                         "Acceptable modes are PERMISSIVE and FAILFAST.",
                         decode->mode);
    return E_OK;
}

static enum code decode_schema(struct analyser *self, const struct scope *scope, const struct ast *ast,
                               const struct type **out)
{
    const char *ddl;
    size_t at = 0;
    TRY(constant_string(self, scope, ast, "schema", &ddl));
    if (type_parse_ddl(self->arena, bytes_of_string(ddl), out, &at, self->err) != E_OK) {
        if (strncmp(self->err->text, "[", 1) != 0)
            error_note(self->err, "[PARSE_SYNTAX_ERROR] in the schema at character %zu", at + 1);
        return message_at(self->notes, ast->at, NULL, self->err);
    }
    return E_OK;
}

static enum code check_schema(struct analyser *self, const struct ast *ast, const struct type *schema)
{
    if (!type_has_text_keys(schema))
        return sql_error(
            self, ast->at, NULL,
            "[DATATYPE_MISMATCH.INVALID_JSON_MAP_KEY_TYPE] Input schema \"%s\" can only contain STRING as a "
            "key type for a MAP.",
            type_text(self->arena, schema));
    if (schema->id == TYPE_STRUCT || schema->id == TYPE_ARRAY || schema->id == TYPE_MAP)
        return E_OK;
    return sql_error(self, ast->at, NULL,
                     "[DATATYPE_MISMATCH.INVALID_JSON_SCHEMA] Cannot resolve \"%s\" due to data type mismatch: "
                     "Input schema \"%s\" must be a struct, an array, a map or a variant.",
                     ast_name_of(self, ast), type_text(self->arena, schema));
}

static enum code check_corrupt_column(struct analyser *self, const struct ast *ast, const struct plan_decode *decode)
{
    if (decode->schema->id != TYPE_STRUCT)
        return E_OK;
    int32_t index = type_field_index(decode->schema, decode->corrupt_column, false);
    if (index < 0 || decode->schema->fields[index].type->id == TYPE_STRING)
        return E_OK;
    return sql_error(self, ast->at, NULL,
                     "[INVALID_CORRUPT_RECORD_TYPE] The column `%s` for corrupt records must have the nullable "
                     "STRING type, but got %s.",
                     decode->corrupt_column, type_text(self->arena, decode->schema->fields[index].type));
}

static bool same_options(const struct plan_decode *a, const struct plan_decode *b)
{
    if (a->option_count != b->option_count || !type_equal(a->schema, b->schema))
        return false;
    for (int32_t i = 0; i < a->option_count; i++)
        if (strcmp(a->option_names[i], b->option_names[i]) != 0 ||
            strcmp(a->option_values[i], b->option_values[i]) != 0)
            return false;
    return true;
}

/* A new last column of the rows; equal calls share it. */
static const struct expr *decoded_column(struct analyser *self, struct rowset *rows, const struct expr *arg,
                                         const struct plan_decode *decode, struct position at)
{
    for (int32_t i = 0; i < rows->decoded_count; i++) {
        const struct decoded *known = &rows->decoded[i];
        if (expr_equal(known->arg, arg) && same_options(&known->node->decode, decode))
            return column_of(self, rows->plan, known->column, at);
    }
    int32_t column = rows->plan->schema->field_count;
    struct field field = {arena_printf(self->arena, "from_json%d", column), decode->schema, true};
    const struct type *schema = schema_append(self->arena, rows->plan->schema, &field, 1);
    struct plan *node = plan_over(self->arena, PLAN_DECODE, rows->plan, schema, at);
    const struct expr **exprs = arena_new(self->arena, const struct expr *);
    exprs[0] = arg;
    node->exprs = exprs;
    node->expr_count = 1;
    node->decode = *decode;
    rows->plan = node;
    *array_add(self->arena, rows->decoded, rows->decoded_count) = (struct decoded){arg, node, column};
    return column_of(self, node, column, at);
}

/* The column that rescuedDataColumn names is the last field, unless the schema has it. */
static enum code rescued_column(struct analyser *self, const struct ast *ast, struct plan_decode *decode)
{
    const char *name = NULL;
    for (int32_t i = 0; i < decode->option_count; i++)
        if (same_name(decode->option_names[i], "rescuedDataColumn") && decode->option_values[i][0] != '\0')
            name = decode->option_values[i];
    if (name == NULL || decode->schema->id != TYPE_STRUCT)
        return E_OK;
    int32_t index = type_field_index(decode->schema, name, false);
    const struct field field = {name, type_of(TYPE_STRING), true};
    if (index < 0)
        decode->schema = schema_append(self->arena, decode->schema, &field, 1);
    else if (decode->schema->fields[index].type->id != TYPE_STRING)
        return sql_error(
            self, ast->at, NULL,
            "[INVALID_RESCUED_DATA_COLUMN_TYPE] The column `%s` for rescued data must have the STRING type, but "
            "got %s.",
            name, type_text(self->arena, decode->schema->fields[index].type));
    return E_OK;
}

/* A VARIANT or an interval somewhere in it. */
static bool holds_special(const struct type *type)
{
    bool holds = type->id == TYPE_VARIANT || type_is_any_interval(type);
    for (int32_t i = 0; i < type->field_count && !holds; i++)
        holds = holds_special(type->fields[i].type);
    return holds;
}

/* What a node of the plan cannot do: see expr/decode.c. */
static bool needs_function(const struct expr *text, const struct plan_decode *decode)
{
    if (decode->schema->id != TYPE_STRUCT || expr_has_marks(text) || holds_special(decode->schema))
        return true;
    for (int32_t i = 0; i < decode->option_count; i++)
        if (same_name(decode->option_names[i], "dateFormat") || same_name(decode->option_names[i], "timestampFormat") ||
            same_name(decode->option_names[i], "timestampNTZFormat") ||
            same_name(decode->option_names[i], "timeFormat"))
            return true;
    return false;
}

enum code analyse_from_json(struct analyser *self, const struct scope *scope, const struct ast *ast,
                            const struct expr **out)
{
    if (ast->arg_count != 2 && ast->arg_count != 3)
        return sql_error(self, ast->at, NULL,
                         "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `from_json` requires [2, 3] parameters but "
                         "the actual number is %d.",
                         ast->arg_count);
    struct plan_decode decode = {.format = "json", .mode = "PERMISSIVE", .corrupt_column = "_corrupt_record"};
    const struct expr *arg;
    TRY(analyse_expr(self, scope, ast->args[0], &arg));
    if (arg->type->id == TYPE_NULL)
        arg = expr_null(&self->expr, type_of(TYPE_STRING), arg->at);
    if (arg->type->id != TYPE_STRING)
        return sql_error(self, ast->args[0]->at, "cast it: CAST(value AS STRING)",
                         "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve \"%s\" due to data type "
                         "mismatch: The first parameter requires the \"STRING\" type, however \"%s\" has the "
                         "type \"%s\".",
                         ast_name_of(self, ast), ast_name_of(self, ast->args[0]), type_text(self->arena, arg->type));
    TRY(decode_schema(self, scope, ast->args[1], &decode.schema));
    TRY(check_schema(self, ast, decode.schema));
    if (ast->arg_count == 3)
        TRY(decode_options(self, scope, ast->args[2], &decode));
    TRY(rescued_column(self, ast, &decode));
    TRY(check_corrupt_column(self, ast, &decode));
    if (scope->lambda != NULL || needs_function(arg, &decode))
        return scalar_call(self, scope, ast, out);
    *out = decoded_column(self, scope->rows, arg, &decode, ast->at);
    return E_OK;
}
