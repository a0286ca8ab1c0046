/* json.c - values into JSON. What comes out of JSON is a node of the plan (format/), so that only the fields that somebody
 * needs are built; what goes into it is text like any other. */
#include <stdio.h>
#include <strings.h>

#include "expr/writer.h"
#include "format/format.h"

/* The option argument of to_json, taken apart when the query is bound. */
struct json_options {
    bool keep_nulls;
    const struct zone *zone;           /* NULL: the session's */
};

static enum code boolean_read(struct bytes value, bool *out, struct error *err)
{
    bool yes = bytes_equal_string(value, "true");
    if (!yes && !bytes_equal_string(value, "false"))
        return fail(err, E_SQL, "[INVALID_OPTIONS] the option is '%.*s'; it takes true or false", (int)value.size,
                    (const char *)value.data);
    *out = yes;
    return E_OK;
}

static enum code option_read(struct bytes name, struct bytes value, struct json_options *out, struct error *err)
{
    char text[40];
    bool leave_out;
    snprintf(text, sizeof text, "%.*s", (int)name.size, (const char *)name.data);
    if (strcasecmp(text, "ignoreNullFields") == 0) {
        TRY(boolean_read(value, &leave_out, err));
        out->keep_nulls = !leave_out;
        return E_OK;
    }
    if (strcasecmp(text, "timeZone") == 0)
        return zone_find(value, &out->zone, err);
    return fail(err, E_UNSUPPORTED, "to_json: leat knows the options ignoreNullFields and timeZone, not %s; for another form "
                "of a time use date_format in the struct", text);
}

/* Constant `map('name', 'value', ..)`; none without the argument. */
static enum code bind_to_json(struct binding *binding, struct error *err)
{
    struct json_options *options = arena_new(binding->ctx->arena, struct json_options);
    binding->bound = options;
    if (binding->count < 2)
        return E_OK;
    const struct expr *literal;
    TRY(binding_constant(binding, 1, &literal, err));
    if (literal_is_null(literal))
        return E_OK;
    const struct column *map = literal->literal;
    const int32_t *ends = column_offsets(map);
    for (int32_t i = ends[0]; i < ends[1]; i++)
        TRY(option_read(column_bytes_at(&map->children[0], i), column_bytes_at(&map->children[1], i), options, err));
    return E_OK;
}

SCALAR(fn_to_json, "to_json",
       "(struct, map<string,string>?) -> string | (array, map<string,string>?) -> string | (map, map<string,string>?) -> string",
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
