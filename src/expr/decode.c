/* decode.c - from_json and from_csv as functions of a value, by the decoders of format/.
 *
 * In a pipeline from_json into a STRUCT is a node of the plan instead (sql/analyse_call.c), so that only the fields that
 * somebody needs are built. Here is the rest: ARRAYs and MAPs, texts that are aggregates or variables of lambdas, times by
 * a pattern, and CSV.
 *
 * Wrapped  decoders give STRUCTs. An ARRAY or a MAP is decoded as the only field of one, from the text {"v":..}; an object
 *          for an ARRAY of STRUCTs is an array of that one
 */
#include <strings.h>

#include "expr/coerce.h"
#include "expr/reshape.h"
#include "format/format.h"

struct decoding {
    const struct decoder_type *decoder;
    struct decoder_spec spec;
    bool wrapped, list_of_structs;
};

/* ---- rows ---- */

/* {"v":..} around every text. */
static void wrap(const struct decoding *decoding, const struct column *texts, struct column *out)
{
    struct builder builder;
    struct text text = {0};
    builder_init(&builder, type_of(TYPE_STRING));
    for (int64_t i = 0; i < texts->rows; i++) {
        if (column_is_null(texts, i)) {
            builder_null(&builder);
            continue;
        }
        struct bytes json = json_first_value(column_bytes_at(texts, i));
        bool object = decoding->list_of_structs && json.size > 0 && json.data[0] == '{';
        text_clear(&text);
        text_add_string(&text, object ? "{\"v\":[" : "{\"v\":");
        text_add(&text, json.data, json.size);
        text_add_string(&text, object ? "]}" : "}");
        builder_bytes(&builder, text_view(&text));
    }
    builder_finish(&builder, out);
    builder_release(&builder);
    text_free(&text);
}

static void decode_rows(struct call *call, const struct decoding *decoding, const struct column *texts,
                        struct column *out)
{
    struct decoder_spec spec = decoding->spec;
    struct rejects rejects = {0};
    struct error err = {0};
    void *decoder = mem_array(uint8_t, decoding->decoder->size);
    spec.zone = call->session->zone;
    always(decoding->decoder->open(decoder, &spec, &err) == E_OK); // the options were tried when the call was bound
    always(decoding->decoder->decode(decoder, texts, out, &rejects, &err) == E_OK);
    decoding->decoder->close(decoder);
    mem_free(decoder);
    call->out->nulls = -1;
    for (int32_t i = 0; i < rejects.count; i++)
        call_reject(call, rejects.items[i].row, rejects.items[i].code);
    rejects_free(&rejects);
}

static void from_text(struct call *call, const struct arg *args, struct column *out)
{
    const struct decoding *decoding = call->bound;
    const struct column *texts = args[0].col;
    struct column wrapped = {0}, record;
    if (!decoding->wrapped) {
        decode_rows(call, decoding, texts, out);
        return;
    }
    wrap(decoding, texts, &wrapped);
    decode_rows(call, decoding, &wrapped, &record);
    *out = column_take(&record.children[0]);
    column_release(&record);
    column_release(&wrapped);
}

/* ---- binding ---- */

static enum code read_schema(struct binding *binding, const struct type **out, struct error *err)
{
    const struct expr *literal = binding->args[1];
    size_t at = 0;
    if (expr_is_constant(literal) && literal->type->id == TYPE_STRING)
        TRY(expr_fold(binding->ctx, literal, &literal, err));
    if (literal->kind != EXPR_LITERAL || literal->type->id != TYPE_STRING || literal_is_null(literal))
        return fail(err, E_SQL,
                    "[INVALID_SCHEMA.NON_STRING_LITERAL] The input schema is not a valid schema string. The input "
                    "expression must be string literal and not null.");
    if (type_parse_ddl(binding->ctx->arena, literal_bytes(literal), out, &at, err) == E_OK)
        return E_OK;
    if (err->text[0] != '[')
        error_note(err, "[PARSE_SYNTAX_ERROR] in the schema at character %zu", at + 1);
    return E_SQL;
}

static enum code read_mode(const struct text_options *options, const char *name, enum decode_mode *out,
                           struct error *err)
{
    const char *mode = text_option(options, "mode");
    *out = DECODE_PERMISSIVE;
    if (mode == NULL || strcasecmp(mode, "PERMISSIVE") == 0)
        return E_OK;
    if (strcasecmp(mode, "FAILFAST") != 0)
        return fail(err, E_SQL,
                    "[PARSE_MODE_UNSUPPORTED] The function `%s` doesn't support the %s mode. Acceptable modes are "
                    "PERMISSIVE and FAILFAST.",
                    name, mode);
    *out = DECODE_FAILFAST;
    return E_OK;
}

static enum code check_corrupt(const struct decoder_spec *spec, struct error *err)
{
    int32_t index = spec->schema->id == TYPE_STRUCT ? type_field_index(spec->schema, spec->corrupt_column, false) : -1;
    if (index < 0 || spec->schema->fields[index].type->id == TYPE_STRING)
        return E_OK;
    return fail(err, E_SQL,
                "[INVALID_CORRUPT_RECORD_TYPE] The column `%s` for corrupt records must have the nullable STRING type.",
                spec->corrupt_column);
}

static bool holds_variant(const struct type *type)
{
    bool holds = type->id == TYPE_VARIANT;
    for (int32_t i = 0; i < type->field_count && !holds; i++)
        holds = holds_variant(type->fields[i].type);
    return holds;
}

/* Opened once, so that what is wrong with the options is said here. */
static enum code try_open(const struct decoding *decoding, struct error *err)
{
    void *decoder = mem_array(uint8_t, decoding->decoder->size);
    enum code code = decoding->decoder->open(decoder, &decoding->spec, err);
    if (code == E_OK)
        decoding->decoder->close(decoder);
    mem_free(decoder);
    return code;
}

/* VARIANTs only right in the record, under names that a path can say. */
static bool has_variant_fields(const struct type *schema)
{
    for (int32_t i = 0; i < schema->field_count; i++) {
        const struct type *type = schema->fields[i].type;
        bool variant = type->id == TYPE_VARIANT;
        if (variant ? strpbrk(schema->fields[i].name, "'\\") != NULL : holds_variant(type))
            return false;
    }
    return schema->id == TYPE_STRUCT;
}

static enum code bind_decode(struct binding *binding, const char *format, const char *name, const struct type *schema,
                             struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    struct text_options options;
    struct decoding *decoding = arena_new(ctx->arena, struct decoding);
    struct reshape reshape = {.intervals = true};
    if (holds_variant(schema) && (strcmp(format, "json") != 0 || !has_variant_fields(schema)))
        return fail(
            err, E_UNSUPPORTED,
            "[UNSUPPORTED_FEATURE] leat cannot do this yet: %s into a VARIANT that is no field of the record itself; "
            "parse_json makes one of a whole text",
            name);
    if (binding->args[0]->type->id == TYPE_NULL)
        TRY(binding_cast(binding, 0, type_of(TYPE_STRING), err));
    if (binding->args[0]->type->id != TYPE_STRING)
        return binding_wrong_type(binding, 0, "STRING", err);
    TRY(bind_text_options(binding, 2, &options, err));
    reshape_formats(&options, &reshape);
    if (holds_variant(schema))
        TRY(expr_call(ctx, "parse_json:record", &binding->args[0], 1, binding->at, &reshape.record, err));
    const struct type *source = reshape_source(ctx->arena, &reshape, schema);
    *decoding = (struct decoding){.decoder = decoder_find(format), .wrapped = schema->id != TYPE_STRUCT};
    decoding->list_of_structs = schema->id == TYPE_ARRAY && schema->fields[0].type->id == TYPE_STRUCT;
    decoding->spec = (struct decoder_spec){.schema = source,
                                           .corrupt_column = text_option(&options, "columnNameOfCorruptRecord"),
                                           .zone = ctx->session->zone,
                                           .simd = -1,
                                           .option_names = options.names,
                                           .option_values = options.values,
                                           .option_count = options.count};
    if (decoding->spec.corrupt_column == NULL)
        decoding->spec.corrupt_column = "_corrupt_record";
    TRY(read_mode(&options, name, &decoding->spec.mode, err));
    TRY(check_corrupt(&decoding->spec, err));
    if (decoding->wrapped)
        decoding->spec.schema = type_struct(ctx->arena, &(struct field){"v", source, true}, 1);
    TRY(try_open(decoding, err));
    struct expr *decoded = expr_new(ctx, EXPR_CALL, source, binding->at);
    decoded->function = binding->function;
    decoded->bound = decoding;
    decoded->nullable = true;
    TRY(expr_take_args(decoded, binding->args, binding->count, err)); // all: calls with other options are other calls
    return reshape_parse(ctx, &reshape, decoded, schema, &binding->rewritten, err);
}

static enum code bind_from_json(struct binding *binding, struct error *err)
{
    const struct type *schema;
    TRY(read_schema(binding, &schema, err));
    if (!type_has_text_keys(schema))
        return fail(
            err, E_SQL,
            "[DATATYPE_MISMATCH.INVALID_JSON_MAP_KEY_TYPE] Input schema \"%s\" can only contain STRING as a key "
            "type for a MAP.",
            type_sql(binding->ctx->arena, schema));
    if (!type_is_nested(schema))
        return fail(
            err, E_SQL,
            "[DATATYPE_MISMATCH.INVALID_JSON_SCHEMA] Input schema \"%s\" must be a struct, an array, a map or a "
            "variant.",
            type_sql(binding->ctx->arena, schema));
    return bind_decode(binding, "json", "from_json", schema, err);
}

SCALAR(fn_from_json, "from_json", "(any, any, any?) -> any",
       "A JSON text as a STRUCT, ARRAY or MAP of this schema; options in map('mode', 'FAILFAST', ..).",
       "from_json('[1, 2]', 'ARRAY<INT>')", "[1,2]", .bind = bind_from_json, .flags = FN_NULLS | FN_FAILS)
{
    from_text(call, args, out);
}

static enum code bind_from_csv(struct binding *binding, struct error *err)
{
    const struct type *schema;
    TRY(read_schema(binding, &schema, err));
    if (schema->id != TYPE_STRUCT)
        return fail(
            err, E_SQL,
            "[INVALID_SCHEMA.NON_STRUCT_TYPE] The input schema is not a valid schema string. The input expression "
            "should be evaluated to struct type, but got \"%s\".",
            type_sql(binding->ctx->arena, schema));
    for (int32_t i = 0; i < schema->field_count; i++)
        if (type_is_nested(schema->fields[i].type))
            return fail(err, E_SQL, "[UNSUPPORTED_DATATYPE] Unsupported data type \"%s\".",
                        type_sql(binding->ctx->arena, schema->fields[i].type));
    return bind_decode(binding, "csv", "from_csv", schema, err);
}

SCALAR(fn_from_csv, "from_csv", "(any, any, any?) -> any",
       "A line of separated values as a STRUCT of this schema; options in map('sep', '|', ..).",
       "from_csv('1, 0.8', 'a INT, b DOUBLE')", "{\"a\":1,\"b\":0.8}", .bind = bind_from_csv,
       .flags = FN_NULLS | FN_FAILS)
{
    from_text(call, args, out);
}

const struct function *const decode_functions[] = {&fn_from_json, &fn_from_csv, NULL};
