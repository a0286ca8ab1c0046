/* infer_schema.c - schema_of_json and schema_of_csv: the schema of a constant record, as the text that from_json takes. */
#include <strings.h>

#include "expr/coerce.h"
#include "expr/reshape.h"
#include "expr/variant_schema.h"
#include "expr/writer.h"
#include "format/format.h"

/* ---- a type in DDL ---- */

static void print_ddl(struct arena *arena, const struct type *type, struct text *out)
{
    if (type->id == TYPE_ARRAY) {
        text_add_string(out, "ARRAY<");
        print_ddl(arena, type->fields[0].type, out);
        text_add_char(out, '>');
    } else if (type->id == TYPE_STRUCT) {
        text_add_string(out, "STRUCT<");
        for (int32_t i = 0; i < type->field_count; i++) {
            text_add_string(out, i > 0 ? ", " : "");
            ddl_print_name(bytes_of_string(type->fields[i].name), out);
            text_add_string(out, ": ");
            print_ddl(arena, type->fields[i].type, out);
        }
        text_add_char(out, '>');
    } else {
        text_add_string(out, type_sql(arena, type));
    }
}

static void rewrite(struct binding *binding, const struct type *type)
{
    struct text ddl = {0};
    print_ddl(binding->ctx->arena, type, &ddl);
    binding->rewritten = expr_string(binding->ctx, text_view(&ddl), binding->at);
    text_free(&ddl);
}

/* ---- the record ---- */

static enum code constant_text(struct binding *binding, const char *what, struct bytes *out, struct error *err)
{
    const struct expr *literal;
    if (binding->args[0]->type->id != TYPE_STRING && binding->args[0]->type->id != TYPE_NULL)
        return binding_wrong_type(binding, 0, "STRING", err);
    if (!expr_is_foldable(binding->args[0]))
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] the input `%s` should be a foldable \"STRING\" expression.",
                    what);
    TRY(binding_constant(binding, 0, &literal, err));
    if (literal_is_null(literal))
        return fail(err, E_SQL, "[DATATYPE_MISMATCH.UNEXPECTED_NULL] The %s must not be null.", what);
    *out = literal_bytes(literal);
    return E_OK;
}

static bool flag_is_set(const struct text_options *options, const char *name)
{
    const char *value = text_option(options, name);
    return value != NULL && strcasecmp(value, "true") == 0;
}

static enum code bind_schema_of_json(struct binding *binding, struct error *err)
{
    struct bytes json;
    struct text_options options;
    const struct type *type;
    TRY(constant_text(binding, "json", &json, err));
    TRY(bind_text_options(binding, 1, &options, err));
    struct infer_options infer = {.prefers_decimal = flag_is_set(&options, "prefersDecimal"),
                                  .primitives_as_string = flag_is_set(&options, "primitivesAsString"),
                                  .leading_zeros = flag_is_set(&options, "allowNumericLeadingZeros")};
    struct error malformed = {0};
    if (json_infer(binding->ctx->arena, json, &infer, &type, &malformed) != E_OK)
        return expr_call(binding->ctx, "schema_of_json:malformed", binding->args, 1, binding->at, &binding->rewritten,
                         err);
    rewrite(binding, type);
    return E_OK;
}

/* A text that is no JSON is an error as that of any constant is: not in a query without rows by LIMIT 0. */
SCALAR(fn_malformed, "schema_of_json:malformed", "(string) -> string", "Fails.", NULL, NULL,
       .flags = FN_FAILS | FN_HIDDEN)
{
    struct writer writer;
    writer_open(&writer, call, out, 0);
    for (int64_t i; (i = writer_next(&writer)) >= 0; writer_skip(&writer))
        call_reject(call, i, REJECT_MALFORMED);
    writer_close(&writer);
}

static enum code bind_schema_of_csv(struct binding *binding, struct error *err)
{
    struct bytes line;
    struct text_options options;
    const struct type *type;
    TRY(constant_text(binding, "csv", &line, err));
    TRY(bind_text_options(binding, 1, &options, err));
    TRY(csv_infer(binding->ctx->arena, line, binding->ctx->session->zone, options.names, options.values, options.count,
                  &type, err));
    rewrite(binding, type);
    return E_OK;
}

SCALAR_SAME(fn_schema_of_json, "schema_of_json", "(any, any?) -> string",
            "The schema of a constant JSON text, as from_json takes it.", "schema_of_json('[{\"col\":0}]')",
            "ARRAY<STRUCT<col: BIGINT>>", .bind = bind_schema_of_json);
SCALAR_SAME(fn_schema_of_csv, "schema_of_csv", "(any, any?) -> string",
            "The schema of a constant line of separated values, as from_csv takes it.", "schema_of_csv('1,abc')",
            "STRUCT<_c0: INT, _c1: STRING>", .bind = bind_schema_of_csv);

const struct function *const schema_functions[] = {&fn_schema_of_json, &fn_malformed, &fn_schema_of_csv, NULL};
