#include "expr/reshape.h"

#include <stdlib.h>
#include <strings.h>

#include "expr/coerce.h"

/* ---- options ---- */

enum code bind_text_options(struct binding *binding, int32_t index, struct text_options *out, struct error *err)
{
    struct arena *arena = binding->ctx->arena;
    const struct expr *literal;
    *out = (struct text_options){0};
    if (index >= binding->count)
        return E_OK;
    const struct type *type = binding->args[index]->type;
    if (!expr_is_call(binding->args[index], "map"))
        return fail(err, E_SQL,
                    "[INVALID_OPTIONS.NON_MAP_FUNCTION] Invalid options: Must use the `map()` function for options.");
    if (type->fields[0].type->id != TYPE_STRING || type->fields[1].type->id != TYPE_STRING)
        return fail(err, E_SQL,
                    "[INVALID_OPTIONS.NON_STRING_TYPE] Invalid options: A type of keys and values in `map()` must be "
                    "string, but got \"%s\".",
                    type_sql(arena, type));
    TRY(binding_constant(binding, index, &literal, err));
    const struct column *map = literal->literal;
    if (literal_is_null(literal))
        return E_OK;
    out->count = column_offsets(map)[1];
    out->names = arena_array(arena, const char *, (size_t)out->count + 1);
    out->values = arena_array(arena, const char *, (size_t)out->count + 1);
    for (int32_t i = 0; i < out->count; i++) {
        struct bytes name = column_bytes_at(&map->children[0], i), value = column_bytes_at(&map->children[1], i);
        out->names[i] = arena_strndup(arena, (const char *)name.data, name.size);
        out->values[i] = arena_strndup(arena, (const char *)value.data, value.size);
    }
    return E_OK;
}

const char *text_option(const struct text_options *options, const char *name)
{
    for (int32_t i = 0; i < options->count; i++)
        if (strcasecmp(options->names[i], name) == 0)
            return options->values[i];
    return NULL;
}

void reshape_formats(const struct text_options *options, struct reshape *out)
{
    out->date_format = text_option(options, "dateFormat");
    out->timestamp_format = text_option(options, "timestampFormat");
    out->ntz_format = text_option(options, "timestampNTZFormat");
    out->time_format = text_option(options, "timeFormat");
}

static const char *format_of(const struct reshape *reshape, const struct type *type)
{
    switch (type->id) {
    case TYPE_DATE: return reshape->date_format;
    case TYPE_TIMESTAMP: return reshape->timestamp_format;
    case TYPE_TIMESTAMP_NTZ: return reshape->ntz_format;
    case TYPE_TIME: return reshape->time_format;
    default: return NULL;
    }
}

static bool is_read_as_text(const struct reshape *reshape, const struct type *type)
{
    bool interval = type_is_any_interval(type);
    bool variant = reshape->record != NULL && type->id == TYPE_VARIANT;
    return format_of(reshape, type) != NULL || (reshape->intervals && interval) || variant;
}

static bool becomes_text(const struct reshape *reshape, const struct type *type)
{
    return reshape->nested_as_text && (type_is_nested(type) || type->id == TYPE_BINARY);
}

bool reshape_changes(const struct reshape *reshape, const struct type *type)
{
    if (!type_is_nested(type))
        return is_read_as_text(reshape, type);
    bool changes = reshape->sort_keys && type->id == TYPE_STRUCT;
    for (int32_t i = 0; i < type->field_count && !changes; i++)
        changes = reshape_changes(reshape, type->fields[i].type) || becomes_text(reshape, type->fields[i].type);
    return changes;
}

/* ---- structs anew ---- */

/* named_struct(names and values), or NULL where `of` is NULL. */
static enum code struct_again(struct expr_context *ctx, const struct expr *of, const struct expr *const *pairs,
                              int32_t count, const struct expr **out, struct error *err)
{
    const struct expr *made, *absent;
    TRY(expr_call(ctx, "named_struct", pairs, 2 * count, of->at, &made, err));
    TRY(expr_call(ctx, "isnull", &of, 1, of->at, &absent, err));
    return expr_case(ctx, (const struct expr *const[]){absent, expr_null(ctx, made->type, of->at), made}, 3, of->at,
                     out, err);
}

typedef enum code element_fn(struct expr_context *ctx, const struct reshape *reshape, const struct expr *of,
                             const struct type *wanted, const struct expr **out, struct error *err);

/* Each element of an array, each value of a map. */
static enum code each_element(struct expr_context *ctx, const struct reshape *reshape, const struct expr *of,
                              const struct type *wanted, element_fn *change, const struct expr **out, struct error *err)
{
    bool map = of->type->id == TYPE_MAP;
    struct field element = {"x", of->type->fields[map].type, true};
    struct lambda lambda = {.variable_count = map ? 2 : 1};
    TRY(change(ctx, reshape, expr_column(ctx, map, &element, of->at), wanted->fields[map].type, &lambda.body, err));
    return expr_lambda(ctx, map ? "transform_values" : "transform", &of, 1, &lambda, 1, of->at, out, err);
}

static const struct expr *field_name(struct expr_context *ctx, const struct type *type, int32_t field,
                                     struct position at)
{
    return expr_string(ctx, bytes_of_string(type->fields[field].name), at);
}

static const struct expr *pattern(struct expr_context *ctx, const char *format, struct position at)
{
    return expr_string(ctx, bytes_of_string(format), at);
}

static int by_name(const void *a, const void *b, void *context)
{
    const struct type *type = context;
    return strcmp(type->fields[*(const int32_t *)a].name, type->fields[*(const int32_t *)b].name);
}

static int32_t *field_order(struct arena *arena, const struct type *type, bool sorted)
{
    int32_t *order = arena_array(arena, int32_t, (size_t)type->field_count + 1);
    for (int32_t i = 0; i < type->field_count; i++)
        order[i] = i;
    if (sorted)
        qsort_r(order, (size_t)type->field_count, sizeof *order, by_name, (void *)(uintptr_t)type);
    return order;
}

/* Bytes as spark.sql.binaryOutputStyle has them; what has brackets comes from who writes them. */
static enum code print_bytes(struct expr_context *ctx, const struct expr *of, const struct expr **out,
                             struct error *err)
{
    const struct expr *unpadded[2] = {NULL, expr_string(ctx, bytes_of_string("="), of->at)};
    *out = of;
    switch (ctx->session->binary) {
    case BINARY_AS_TEXT: return expr_cast(ctx, of, type_of(TYPE_STRING), false, of->at, out, err);
    case BINARY_AS_HEX: return expr_call(ctx, "hex", &of, 1, of->at, out, err);
    case BINARY_AS_BASE64:
        TRY(expr_call(ctx, "base64", &of, 1, of->at, &unpadded[0], err));
        return expr_call(ctx, "replace", unpadded, 2, of->at, out, err);
    case BINARY_AS_NUMBERS:
    case BINARY_AS_HEX_PAIRS: break;
    }
    return E_OK;
}

/* A STRUCT within one, an array or a map: kept, or a text. */
static enum code print_field(struct expr_context *ctx, const struct reshape *reshape, const struct expr *of,
                             const struct expr **out, struct error *err)
{
    if (reshape->nested_as_text && of->type->id == TYPE_BINARY)
        return print_bytes(ctx, of, out, err);
    if (becomes_text(reshape, of->type)) {
        const struct expr *args[] = {of, pattern(ctx, reshape->absent, of->at)};
        return expr_call(ctx, "to_csv:nested", args, 2, of->at, out, err);
    }
    return reshape_print(ctx, reshape, of, out, err);
}

/* A time of the day is printed as one of the first day. */
static enum code print_time(struct expr_context *ctx, const char *format, const struct expr *of,
                            const struct expr **out, struct error *err)
{
    const struct expr *parts[2] = {expr_int(ctx, type_of(TYPE_DATE), 0, of->at), of};
    if (of->type->id == TYPE_TIME)
        TRY(expr_call(ctx, "make_timestamp_ntz", parts, 2, of->at, &of, err));
    return expr_call(ctx, "date_format", (const struct expr *const[]){of, pattern(ctx, format, of->at)}, 2, of->at, out,
                     err);
}

static enum code print_element(struct expr_context *ctx, const struct reshape *reshape, const struct expr *of,
                               __attribute__((unused)) const struct type *wanted, const struct expr **out,
                               struct error *err)
{
    return reshape_print(ctx, reshape, of, out, err);
}

enum code reshape_print(struct expr_context *ctx, const struct reshape *reshape, const struct expr *of,
                        const struct expr **out, struct error *err)
{
    const struct type *type = of->type;
    const char *format = format_of(reshape, type);
    *out = of;
    if (!reshape_changes(reshape, type))
        return E_OK;
    if (format != NULL)
        return print_time(ctx, format, of, out, err);
    if (type->id != TYPE_STRUCT)
        return each_element(ctx, reshape, of, type, print_element, out, err);
    const struct expr **pairs = arena_array(ctx->arena, const struct expr *, 2 * (size_t)type->field_count + 1);
    const int32_t *order = field_order(ctx->arena, type, reshape->sort_keys);
    for (int32_t i = 0; i < type->field_count; i++) {
        const struct expr *field;
        pairs[2 * i] = field_name(ctx, type, order[i], of->at);
        TRY(expr_field(ctx, of, type->fields[order[i]].name, of->at, &field, err));
        TRY(print_field(ctx, reshape, field, &pairs[2 * i + 1], err));
    }
    return struct_again(ctx, of, pairs, type->field_count, out, err);
}

/* ---- and back ---- */

const struct type *reshape_source(struct arena *arena, const struct reshape *reshape, const struct type *wanted)
{
    if (is_read_as_text(reshape, wanted))
        return type_of(TYPE_STRING);
    if (!type_is_nested(wanted))
        return wanted;
    struct field *fields = arena_array(arena, struct field, (size_t)wanted->field_count + 1);
    for (int32_t i = 0; i < wanted->field_count; i++) {
        bool key = wanted->id == TYPE_MAP && i == 0;
        fields[i] = wanted->fields[i];
        fields[i].type = key ? wanted->fields[i].type : reshape_source(arena, reshape, wanted->fields[i].type);
    }
    return wanted->id == TYPE_ARRAY ? type_array(arena, fields[0].type, fields[0].nullable)
           : wanted->id == TYPE_MAP ? type_map(arena, fields[0].type, fields[1].type, fields[1].nullable)
                                    : type_struct(arena, fields, wanted->field_count);
}

static enum code parse_time(struct expr_context *ctx, const struct expr *of, const struct type *wanted,
                            const char *format, const struct expr **out, struct error *err)
{
    const char *name = wanted->id == TYPE_DATE        ? "try_to_date"
                       : wanted->id == TYPE_TIMESTAMP ? "try_to_timestamp"
                       : wanted->id == TYPE_TIME      ? "try_to_time"
                                                      : "try_to_timestamp:ntz";
    TRY(expr_call(ctx, name, (const struct expr *const[]){of, pattern(ctx, format, of->at)}, 2, of->at, out, err));
    return expr_cast(ctx, *out, wanted, true, of->at, out, err);
}

/* A text no longer tells "1" from 1: a VARIANT comes out of the record. */
static enum code read_variant(struct expr_context *ctx, const struct expr *record, const char *name,
                              const struct expr **out, struct error *err)
{
    struct text path = {0};
    text_printf(&path, "$['%s']", name);
    const struct expr *args[] = {record, expr_string(ctx, text_view(&path), record->at),
                                 pattern(ctx, "variant", record->at)};
    text_free(&path);
    return expr_call(ctx, "try_variant_get", args, 3, record->at, out, err);
}

enum code reshape_parse(struct expr_context *ctx, const struct reshape *reshape, const struct expr *of,
                        const struct type *wanted, const struct expr **out, struct error *err)
{
    const char *format = format_of(reshape, wanted);
    *out = of;
    if (format != NULL)
        return parse_time(ctx, of, wanted, format, out, err);
    if (!reshape_changes(reshape, wanted))
        return E_OK;
    if (!type_is_nested(wanted))
        return expr_cast(ctx, of, wanted, true, of->at, out, err);
    if (wanted->id != TYPE_STRUCT)
        return each_element(ctx, reshape, of, wanted, reshape_parse, out, err);
    const struct expr **pairs = arena_array(ctx->arena, const struct expr *, 2 * (size_t)wanted->field_count + 1);
    for (int32_t i = 0; i < wanted->field_count; i++) {
        const struct expr *field;
        pairs[2 * i] = field_name(ctx, wanted, i, of->at);
        if (wanted->fields[i].type->id == TYPE_VARIANT) {
            TRY(read_variant(ctx, reshape->record, wanted->fields[i].name, &pairs[2 * i + 1], err));
            continue;
        }
        TRY(expr_field(ctx, of, wanted->fields[i].name, of->at, &field, err));
        TRY(reshape_parse(ctx, reshape, field, wanted->fields[i].type, &pairs[2 * i + 1], err));
    }
    return struct_again(ctx, of, pairs, wanted->field_count, out, err);
}
