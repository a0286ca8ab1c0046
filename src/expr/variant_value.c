/* variant_value.c - VARIANT values: made of JSON, looked into by paths, taken as other types.
 *
 * Path      $, then .name ['name'] ["name"] [3] in any number
 * Casts     what a path leads to becomes a text, which is cast to the wanted type; numbers for a whole number are cut off
 *           first. What cannot be cast is an error, or NULL with try_. STRUCTs, ARRAYs and MAPs: variant_nested.c
 * Rewritten variant_get is calls of hidden functions, whose names have a colon
 */
#include <math.h>

#include "data/data.h"
#include "expr/coerce.h"
#include "expr/pick.h"
#include "expr/writer.h"
#include "format/format.h"

/* ---- of JSON ---- */

static enum reject_code fault_code(enum variant_fault fault)
{
    return fault == VARIANT_SAME_NAME ? REJECT_VARIANT_KEY
           : fault == VARIANT_TOO_BIG ? REJECT_TOO_BIG
                                      : REJECT_MALFORMED;
}

static void make_variants(struct call *call, const struct arg *args, struct column *out, bool single_quotes)
{
    struct variant_builder builder = {0};
    struct text whole = {0};
    struct writer writer;
    writer_open(&writer, call, out, 2 * arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        variant_builder_clear(&builder);
        text_clear(&whole);
        enum variant_fault fault = variant_from_json(arg_bytes(&args[0], i), single_quotes, &builder);
        if (fault != VARIANT_FINE) {
            call_reject(call, i, fault_code(fault));
            writer_skip(&writer);
            continue;
        }
        variant_builder_take(&builder, &whole);
        writer_put(&writer, text_view(&whole));
    }
    writer_close(&writer);
    variant_builder_free(&builder);
    text_free(&whole);
}

SCALAR(fn_parse_json, "parse_json", "(string) -> variant", "A JSON text as a VARIANT.",
       "to_json(parse_json('{\"b\":1.10,\"a\":[1,null]}'))", "{\"a\":[1,null],\"b\":1.1}", .flags = FN_FAILS)
{
    make_variants(call, args, out, false);
}
SCALAR_SAME(fn_try_parse_json, "try_parse_json", "(string) -> variant",
            "A JSON text as a VARIANT; NULL when it is none.", "try_parse_json('{')", "NULL", .run = fn_parse_json_run,
            .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

/* As from_json reads it. */
SCALAR(fn_read_json, "parse_json:record", "(string) -> variant", "A JSON text as a VARIANT.", NULL, NULL,
       .flags = FN_HIDDEN | FN_FAILS | FN_NULLABLE | FN_TRY)
{
    make_variants(call, args, out, true);
}

/* ---- questions ---- */

SCALAR(fn_is_variant_null, "is_variant_null", "(variant) -> boolean", "Whether it is JSON's null; false for NULL.",
       "is_variant_null(parse_json('null'))", "true", .flags = FN_NULLS | FN_NEVER_NULL)
{
    for (int64_t i = 0; i < call->rows; i++) {
        struct variant value;
        bool there = args[0].col->type->id != TYPE_NULL && arg_valid(&args[0], i);
        bit_put(out->values->data, i,
                there && variant_open_whole(arg_bytes(&args[0], i), &value) && value.kind == VARIANT_NULL);
    }
}

static bool is_whole(const struct variant *value, int depth)
{
    if (depth > VARIANT_DEPTH_MAX)
        return false;
    for (int32_t i = 0; i < value->count; i++) {
        struct variant part;
        struct bytes name;
        if (!variant_element(value, i, &part) || !is_whole(&part, depth + 1) ||
            (value->kind == VARIANT_OBJECT && !variant_name(value, i, &name)))
            return false;
    }
    return true;
}

SCALAR(fn_is_valid_variant, "is_valid_variant", "(variant) -> boolean",
       "Whether the bytes are a VARIANT, through and through.", "is_valid_variant(parse_json('[1]'))", "true",
       .flags = FN_NULLABLE)
{
    for (int64_t i = 0; i < call->rows; i++) {
        struct variant value;
        bit_put(out->values->data, i,
                call_valid(call, i) && variant_open_whole(arg_bytes(&args[0], i), &value) && is_whole(&value, 0));
    }
}

/* ---- paths ---- */

enum { PATH_STEPS_MAX = 100 };
struct path_step {
    struct bytes name; /* data = NULL: an index */
    int32_t index;
};
struct variant_path {
    int32_t count;
    struct path_step steps[PATH_STEPS_MAX];
    const struct type *target;
};

/* Up to the closing quote and bracket, or bracket alone. */
static bool read_bracket(struct bytes *text, struct path_step *step)
{
    uint8_t quote = text->size > 1 ? text->data[1] : 0;
    size_t at = 1;
    if (quote == '\'' || quote == '"') {
        for (at = 2; at < text->size && text->data[at] != quote; at++)
            continue;
        step->name = bytes_of(text->data + 2, at - 2);
        at++;
    } else {
        for (; at < text->size && text->data[at] >= '0' && text->data[at] <= '9'; at++)
            if (__builtin_mul_overflow(step->index, 10, &step->index) ||
                __builtin_add_overflow(step->index, text->data[at] - '0', &step->index))
                return false;
        if (at == 1)
            return false;
    }
    if (at >= text->size || text->data[at] != ']')
        return false;
    *text = bytes_of(text->data + at + 1, text->size - at - 1);
    return true;
}

static bool read_path(struct bytes text, struct variant_path *path)
{
    if (text.size == 0 || text.data[0] != '$')
        return false;
    for (text = bytes_of(text.data + 1, text.size - 1); text.size > 0; path->count++) {
        if (path->count == PATH_STEPS_MAX)
            return false;
        struct path_step *step = &path->steps[path->count];
        *step = (struct path_step){0};
        if (text.data[0] == '[') {
            if (!read_bracket(&text, step))
                return false;
            continue;
        }
        size_t end = 1;
        while (end < text.size && text.data[end] != '.' && text.data[end] != '[')
            end++;
        if (text.data[0] != '.' || end == 1)
            return false;
        step->name = bytes_of(text.data + 1, end - 1);
        text = bytes_of(text.data + end, text.size - end);
    }
    return true;
}

static bool walk_path(struct bytes whole, const struct variant_path *path, struct variant *value)
{
    if (!variant_open_whole(whole, value))
        return false;
    for (int32_t i = 0; i < path->count; i++) {
        const struct path_step *step = &path->steps[i];
        struct variant part;
        bool found = false;
        if (step->name.data != NULL)
            found = value->kind == VARIANT_OBJECT && variant_member(value, step->name, &part);
        else
            found = value->kind == VARIANT_ARRAY && step->index < value->count &&
                    variant_element(value, step->index, &part);
        if (!found)
            return false;
        *value = part;
    }
    return true;
}

/* ---- variant_get ---- */

SCALAR(fn_variant_part, "variant:part", "(variant, any...) -> variant", "What the path leads to.", NULL, NULL,
       .flags = FN_NULLS | FN_HIDDEN)
{
    struct variant_builder builder = {0};
    struct text whole = {0};
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct variant value;
        variant_builder_clear(&builder);
        text_clear(&whole);
        if (arg_valid(&args[0], i) && walk_path(arg_bytes(&args[0], i), call->bound, &value) &&
            variant_put_copy(&builder, &value, 0)) {
            variant_builder_take(&builder, &whole);
            writer_put(&writer, text_view(&whole));
        } else {
            writer_null(&writer);
        }
    }
    writer_close(&writer);
    variant_builder_free(&builder);
    text_free(&whole);
}

/* An instant as a text has no offset; for an instant it needs one that no zone's history bends. */
static void add_instant(int64_t us, const struct type *target, const struct zone *zone, struct text *out)
{
    char digits[TIMESTAMP_TEXT_MAX];
    bool exact = target->id == TYPE_TIMESTAMP;
    text_add(out, digits, timestamp_print(us, exact ? zone_utc() : zone, digits));
    if (exact)
        text_add_char(out, 'Z');
}

/* As JSON; a text without its quotes. */
static void add_printed(const struct variant *value, const struct type *target, const struct zone *zone,
                        struct text *out)
{
    struct text whole = {0};
    size_t start = out->size;
    if (value->kind == VARIANT_STRING || value->kind == VARIANT_BINARY) {
        text_add(out, value->bytes.data, value->bytes.size);
        return;
    }
    if (value->kind == VARIANT_TIMESTAMP) {
        add_instant(value->integer, target, zone, out);
        return;
    }
    text_add(&whole, value->metadata.data, value->metadata.size);
    text_add(&whole, value->value.data, value->value.size);
    variant_print(text_view(&whole), zone, out);
    text_free(&whole);
    if (out->size >= start + 2 && out->data[start] == '"') {
        memmove(out->data + start, out->data + start + 1, out->size - start - 2);
        out->size -= 2;
    }
}

static bool is_number(enum variant_kind kind)
{
    return kind == VARIANT_INTEGER || kind == VARIANT_DECIMAL || kind == VARIANT_FLOAT || kind == VARIANT_DOUBLE;
}

/* Whether ANSI mode has a cast for the value: that its text looks like one of the type is not enough. */
static bool has_cast(enum variant_kind kind, const struct type *target)
{
    bool date = target->id == TYPE_DATE, local = target->id == TYPE_TIMESTAMP_NTZ, at = target->id == TYPE_TIMESTAMP;
    if (target->id == TYPE_STRING || kind == VARIANT_STRING || type_is_nested(target))
        return true;
    switch (kind) {
    case VARIANT_BOOLEAN: return type_is_numeric(target) || target->id == TYPE_BOOLEAN;
    case VARIANT_INTEGER:
    case VARIANT_DECIMAL:
    case VARIANT_FLOAT:
    case VARIANT_DOUBLE: return !date && !local && target->id != TYPE_BINARY && target->id != TYPE_TIME;
    case VARIANT_DATE:
    case VARIANT_TIMESTAMP_NTZ: return date || local || at;
    case VARIANT_TIMESTAMP: return date || local || at || type_is_numeric(target);
    case VARIANT_BINARY: return target->id == TYPE_BINARY;
    case VARIANT_TIME: return target->id == TYPE_TIME;
    default: return false;
    }
}

/* Seconds since 1970, rounded to microseconds towards zero; false: no instant. */
static bool number_instant(const struct variant *value, int64_t *us)
{
    if (value->kind == VARIANT_INTEGER)
        return !__builtin_mul_overflow(value->integer, 1000000, us);
    if (value->kind == VARIANT_DECIMAL) {
        __int128 scaled = value->unscaled;
        for (int i = 0; i < 6; i++)
            if (__builtin_mul_overflow(scaled, 10, &scaled))
                return false;
        for (int i = 0; i < value->scale; i++)
            scaled /= 10;
        *us = (int64_t)scaled;
        return scaled == *us;
    }
    double scaled = value->number * 1e6;
    if (!(fabs(scaled) < 0x1p63))
        return false;
    *us = (int64_t)scaled;
    return true;
}

enum { MICROSECOND_DIGITS = 6 };
static const char no_value[] = "?"; /* which no cast takes */

/* Where a number is wanted for a truth, or a whole number for one with a fraction, it is made one first. */
static void add_castable(const struct variant *value, const struct type *target, const struct zone *zone,
                         struct text *out)
{
    bool number = is_number(value->kind);
    char digits[DECIMAL_TEXT_MAX];
    int64_t us;
    if (!has_cast(value->kind, target)) {
        text_add_string(out, no_value);
    } else if (target->id == TYPE_BINARY) { // which takes any text: here it is digits
        for (size_t i = 0; i < value->bytes.size; i++)
            text_printf(out, "%02X", value->bytes.data[i]);
    } else if (number && target->id == TYPE_TIMESTAMP) {
        if (number_instant(value, &us))
            add_instant(us, target, zone, out);
        else
            text_add_string(out, no_value);
    } else if (value->kind == VARIANT_TIMESTAMP && type_is_integer(target)) {
        int64_t seconds = value->integer / 1000000 - (value->integer % 1000000 < 0);
        text_printf(out, "%" PRId64, seconds);
    } else if (value->kind == VARIANT_TIMESTAMP && type_is_numeric(target)) {
        text_add(out, digits, decimal_print(value->integer, MICROSECOND_DIGITS, digits));
    } else if (value->kind == VARIANT_BOOLEAN && type_is_numeric(target)) {
        text_add_string(out, value->integer != 0 ? "1" : "0");
    } else if (number && target->id == TYPE_BOOLEAN) {
        bool zero = value->kind == VARIANT_INTEGER   ? value->integer == 0
                    : value->kind == VARIANT_DECIMAL ? value->unscaled == 0
                                                     : value->number == 0;
        text_add_string(out, zero ? "false" : "true");
    } else if (value->kind == VARIANT_DECIMAL && type_is_integer(target)) {
        __int128 whole = value->unscaled;
        for (int i = 0; i < value->scale; i++)
            whole /= 10;
        text_add(out, digits, decimal_print(whole, 0, digits));
    } else if ((value->kind == VARIANT_DOUBLE || value->kind == VARIANT_FLOAT) && type_is_integer(target) &&
               fabs(value->number) < 0x1p63) {
        text_printf(out, "%" PRId64, (int64_t)value->number);
    } else {
        add_printed(value, target, zone, out);
    }
}

SCALAR(fn_variant_text, "variant:text", "(variant, any...) -> string", "What the path leads to, as a text to be cast.",
       NULL, NULL, .flags = FN_NULLS | FN_HIDDEN)
{
    const struct variant_path *path = call->bound;
    struct text text = {.limit = WRITER_ROW_MAX};
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct variant value;
        text_clear(&text);
        if (arg_valid(&args[0], i) && walk_path(arg_bytes(&args[0], i), path, &value) && value.kind != VARIANT_NULL) {
            add_castable(&value, path->target, call->session->zone, &text);
            writer_put(&writer, text_view(&text));
        } else {
            writer_null(&writer);
        }
    }
    writer_close(&writer);
    text_free(&text);
}

SCALAR(fn_variant_checked, "variant:checked", "(T, string) -> T",
       "The first; an error where only the second is not NULL.", NULL, NULL, .flags = FN_NULLS | FN_FAILS | FN_HIDDEN)
{
    column_release(out);
    if (args[0].step != 0 || call->rows == 1) {
        column_share(out, args[0].col);
    } else {
        struct buffer *zeros = call_buffer(call, (size_t)call->rows * sizeof(int32_t));
        memset(zeros->data, 0, (size_t)call->rows * sizeof(int32_t));
        gather_bounded(call, out, args[0].col, (const int32_t *)(const void *)zeros->data, call->rows);
        call_free(call, zeros);
    }
    for (int64_t i = 0; i < call->rows; i++) {
        if (column_valid_at(out, i) || !arg_valid(&args[1], i))
            continue;
        bit_set(call_validity(call), i); // rejecting does nothing to what is NULL already
        call_reject(call, i, REJECT_VARIANT_CAST);
    }
}

static enum code hidden_call(struct binding *binding, const struct function *function, const struct type *type,
                             const struct variant_path *path, const struct expr **out, struct error *err)
{
    struct expr *expr = expr_new(binding->ctx, EXPR_CALL, type, binding->at);
    expr->function = function;
    expr->bound = path;
    expr->nullable = true;
    TRY(expr_take_args(expr, binding->args, binding->count, err)); // all: calls with other paths are other calls
    *out = expr;
    return E_OK;
}

static enum code read_target(struct binding *binding, const struct type **out, struct error *err)
{
    const struct expr *literal;
    size_t at = 0;
    *out = type_of(TYPE_VARIANT);
    if (binding->count < 3)
        return E_OK;
    TRY(binding_constant(binding, 2, &literal, err));
    if (literal->type->id != TYPE_STRING || literal_is_null(literal))
        return fail(err, E_SQL, "[INVALID_SCHEMA.NON_STRING_LITERAL] The type must be a string literal and not null.");
    return type_parse_ddl(binding->ctx->arena, literal_bytes(literal), out, &at, err);
}

/* What variant:text gives, as the type; NULL when it is none. */
static enum code cast_text(struct expr_context *ctx, const struct expr *text, const struct type *to, struct position at,
                           const struct expr **out, struct error *err)
{
    if (to->id == TYPE_BINARY)
        return expr_call(ctx, "unhex", &text, 1, at, out, err);
    return expr_cast(ctx, text, to, true, at, out, err);
}

static enum code bind_get(struct binding *binding, bool try_cast, struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    struct variant_path *path = arena_new(ctx->arena, struct variant_path);
    const struct expr *literal, *part, *text, *cast;
    if (binding->args[0]->type->id != TYPE_VARIANT && binding->args[0]->type->id != TYPE_NULL)
        return binding_wrong_type(binding, 0, "VARIANT", err);
    TRY(binding_constant(binding, 1, &literal, err));
    TRY(read_target(binding, &path->target, err));
    if (binding->args[0]->type->id == TYPE_NULL || literal_is_null(literal)) {
        binding->rewritten = expr_null(ctx, path->target, binding->at);
        return E_OK;
    }
    if (literal->type->id != TYPE_STRING || !read_path(literal_bytes(literal), path))
        return fail(
            err, E_SQL,
            "[INVALID_VARIANT_GET_PATH] The path is not a valid variant extraction path in `variant_get`. A valid "
            "path should start with `$` and is followed by zero or more segments like `[123]`, `.name`, "
            "`['name']`, or `[\"name\"]`.");
    const struct type *target = path->target;
    if (target->id == TYPE_VARIANT)
        return hidden_call(binding, &fn_variant_part, target, path, &binding->rewritten, err);
    if (type_is_nested(target)) {
        TRY(hidden_call(binding, &fn_variant_part, type_of(TYPE_VARIANT), path, &part, err));
        return expr_cast(ctx, part, target, try_cast, binding->at, &binding->rewritten, err);
    }
    TRY(hidden_call(binding, &fn_variant_text, type_of(TYPE_STRING), path, &text, err));
    if (target->id == TYPE_STRING) {
        binding->rewritten = text;
        return E_OK;
    }
    TRY(cast_text(ctx, text, target, binding->at, &cast, err));
    binding->rewritten = cast;
    if (try_cast)
        return E_OK;
    return expr_call(ctx, "variant:checked", (const struct expr *const[]){cast, text}, 2, binding->at,
                     &binding->rewritten, err);
}

enum code variant_cast(struct expr_context *ctx, const struct expr *of, const struct type *to, bool try_cast,
                       struct position at, const struct expr **out, struct error *err)
{
    struct variant_path *path = arena_new(ctx->arena, struct variant_path);
    const struct expr **args = arena_array(ctx->arena, const struct expr *, 2), *text, *cast;
    args[0] = of;
    args[1] = expr_string(ctx, bytes_of_string(type_sql(ctx->arena, to)), at);
    struct binding binding = {.ctx = ctx, .args = args, .count = 2, .at = at};
    path->target = to;
    TRY(hidden_call(&binding, &fn_variant_text, type_of(TYPE_STRING), path, &text, err));
    TRY(cast_text(ctx, text, to, at, &cast, err));
    *out = cast;
    return try_cast ? E_OK
                    : expr_call(ctx, "variant:checked", (const struct expr *const[]){cast, text}, 2, at, out, err);
}

static enum code bind_variant_get(struct binding *binding, struct error *err) { return bind_get(binding, false, err); }
static enum code bind_try_variant_get(struct binding *binding, struct error *err)
{
    return bind_get(binding, true, err);
}

SCALAR_SAME(
    fn_variant_get, "variant_get", "(any, any, any?) -> any",
    "What a path like $.a[0] leads to in a VARIANT, as this type; NULL when it leads nowhere, an error when it is no such value.",
    "variant_get(parse_json('{\"a\": [1, 2]}'), '$.a[1]', 'int')", "2", .bind = bind_variant_get);
SCALAR_SAME(fn_try_variant_get, "try_variant_get", "(any, any, any?) -> any",
            "What a path leads to in a VARIANT, as this type; NULL when it is no such value.",
            "try_variant_get(parse_json('{\"a\": \"x\"}'), '$.a', 'int')", "NULL", .bind = bind_try_variant_get);

/* ---- variant_explode ---- */

static enum code bind_explode(struct binding *binding, struct error *err)
{
    struct field fields[] = {{"pos", type_of(TYPE_INT32), false},
                             {"key", type_of(TYPE_STRING), true},
                             {"value", type_of(TYPE_VARIANT), false}};
    struct arena *arena = binding->ctx->arena;
    if (binding->args[0]->type->id == TYPE_NULL)
        binding->args[0] = expr_null(binding->ctx, type_of(TYPE_VARIANT), binding->at);
    if (binding->args[0]->type->id != TYPE_VARIANT)
        return binding_wrong_type(binding, 0, "VARIANT", err);
    binding->type = type_array(arena, type_struct(arena, fields, 3), false);
    return E_OK;
}

static void explode_row(const struct variant *value, struct variant_builder *part_builder, struct builder *out)
{
    struct text whole = {0};
    for (int32_t i = 0; i < value->count; i++) {
        struct variant part;
        struct bytes name;
        variant_builder_clear(part_builder);
        text_clear(&whole);
        if (!variant_element(value, i, &part) || !variant_put_copy(part_builder, &part, 0))
            break;
        variant_builder_take(part_builder, &whole);
        builder_int(&out->children[0], i);
        if (value->kind == VARIANT_OBJECT && variant_name(value, i, &name))
            builder_bytes(&out->children[1], name);
        else
            builder_null(&out->children[1]);
        builder_bytes(&out->children[2], text_view(&whole));
        builder_close_struct(out);
    }
    text_free(&whole);
}

/* An array of structs, which the generator of that name takes apart; empty for what is no object and no array. */
SCALAR(fn_variant_explode, "variant_explode variant_explode_outer", "(any) -> any", "The members or elements, as rows.",
       NULL, NULL, .bind = bind_explode, .flags = FN_NULLS | FN_NEVER_NULL | FN_HIDDEN)
{
    struct variant_builder parts = {0};
    struct builder builder;
    builder_init(&builder, out->type);
    for (int64_t i = 0; i < call->rows; i++) {
        struct variant value;
        if (arg_valid(&args[0], i) && variant_open_whole(arg_bytes(&args[0], i), &value))
            explode_row(&value, &parts, &builder.children[0]);
        builder_close_list(&builder);
    }
    builder_finish(&builder, out);
    builder_release(&builder);
    variant_builder_free(&parts);
}

/* Without variant:part and variant:text: nobody else may call them, they need their path. */
const struct function *const variant_functions[] = {
    &fn_parse_json,      &fn_try_parse_json, &fn_read_json,       &fn_is_variant_null, &fn_is_valid_variant,
    &fn_variant_checked, &fn_variant_get,    &fn_try_variant_get, &fn_variant_explode, NULL,
};
