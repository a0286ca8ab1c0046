/* json.c - values into JSON. What comes out of JSON is a node of the plan (format/), so that only the fields that somebody
 * needs are built; what goes into it is text like any other. */
#include <strings.h>

#include "expr/coerce.h"
#include "expr/reshape.h"
#include "expr/writer.h"
#include "format/format.h"

/* The option argument of to_json, taken apart when the query is bound. */
struct json_options {
    bool keep_nulls;
    const struct zone *zone; /* NULL: the session's */
};

/* false when the option says so; it takes true or false. */
static enum code read_flag(const struct text_options *options, const char *name, bool *out, struct error *err)
{
    const char *value = text_option(options, name);
    if (value == NULL)
        return E_OK;
    *out = strcasecmp(value, "true") == 0;
    if (!*out && strcasecmp(value, "false") != 0)
        return fail(err, E_SQL, "[INVALID_OPTIONS] the option %s is '%s'; it takes true or false", name, value);
    return E_OK;
}

static bool goes_into_json(const struct type *type)
{
    return type->id == TYPE_STRUCT || type->id == TYPE_ARRAY || type->id == TYPE_MAP || type->id == TYPE_VARIANT;
}

/* Options that nobody knows are left alone, as Spark does. */
static enum code bind_to_json(struct binding *binding, struct error *err)
{
    struct json_options *json = arena_new(binding->ctx->arena, struct json_options);
    struct reshape reshape = {0};
    struct text_options options;
    bool ignore_nulls = true, pretty = false;
    const struct type *type = binding->args[0]->type;
    if (!goes_into_json(type))
        return fail(
            err, E_SQL,
            "[DATATYPE_MISMATCH.INVALID_JSON_SCHEMA] Input schema \"%s\" must be a struct, an array, a map or a "
            "variant.",
            type_sql(binding->ctx->arena, type));
    TRY(bind_text_options(binding, 1, &options, err));
    TRY(read_flag(&options, "ignoreNullFields", &ignore_nulls, err));
    TRY(read_flag(&options, "sortKeys", &reshape.sort_keys, err));
    TRY(read_flag(&options, "pretty", &pretty, err));
    if (pretty)
        return fail(err, E_UNSUPPORTED,
                    "[UNSUPPORTED_FEATURE] to_json writes one line: the option pretty is not there");
    const char *zone = text_option(&options, "timeZone");
    if (zone != NULL)
        TRY(zone_find(bytes_of_string(zone), &json->zone, err));
    json->keep_nulls = !ignore_nulls;
    reshape_formats(&options, &reshape);
    TRY(reshape_print(binding->ctx, &reshape, binding->args[0], &binding->args[0], err));
    binding->bound = json;
    return E_OK;
}

SCALAR(fn_to_json, "to_json", "(any, any?) -> string",
       "JSON text of a STRUCT, ARRAY or MAP; NULL fields are left out, or kept with map('ignoreNullFields', 'false').",
       "to_json(named_struct('id', 7, 'tags', array('a', NULL), 'none', NULL))", "{\"id\":7,\"tags\":[\"a\",null]}",
       .bind = bind_to_json, .flags = FN_FAILS)
{
    const struct json_options *options = call->bound;
    const struct zone *zone = options->zone != NULL ? options->zone : call->session->zone;
    struct json_printer *printer = json_printer_new(zone, options->keep_nulls);
    struct text text = {0};
    struct writer writer;
    enum { ROW_GUESS_BYTES = 100 };
    writer_open(&writer, call, out, call->rows * ROW_GUESS_BYTES);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        text_clear(&text);
        json_print(printer, args[0].col, i * args[0].step, &text);
        writer_put(&writer, text_view(&text));
    }
    writer_close(&writer);
    text_free(&text);
    json_printer_free(printer);
}

const struct function *const json_functions[] = {&fn_to_json, NULL};
