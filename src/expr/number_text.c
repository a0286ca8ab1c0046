/* number_text.c - to_number, to_char and its kin: numbers as texts by a format (number_format.c), and back. */
#include <strings.h>

#include "expr/coerce.h"
#include "expr/loop.h"
#include "expr/number_format.h"
#include "expr/writer.h"

/* The constant format of argument 1; *out stays NULL when it is NULL. */
static enum code constant_format(struct binding *binding, const struct number_format **out, struct error *err)
{
    const struct expr *literal;
    TRY(binding_foldable(binding, 1, &literal, err));
    if (literal_is_null(literal))
        return E_OK;
    return number_format_compile(binding->ctx->arena, literal_bytes(literal), out, err);
}

/* ---- to_number ---- */

static enum code bind_to_number(struct binding *binding, struct error *err)
{
    enum { DEFAULT_PRECISION = 10 }; // of a NULL format
    const struct number_format *format = NULL;
    TRY(constant_format(binding, &format, err));
    binding->bound = format;
    binding->type = format == NULL ? type_decimal(binding->ctx->arena, DEFAULT_PRECISION, 0)
                                   : type_decimal(binding->ctx->arena, number_format_precision(format),
                                                  number_format_scale(format));
    return E_OK;
}

SCALAR(fn_to_number, "to_number", "(string, string) -> any", "The number that a text shows in a format.",
       "to_number('12,454.8-', '99,999.9S')", "-12454.8", .bind = bind_to_number, .flags = FN_FAILS)
{
    const struct number_format *format = call->bound;
    bool wide = type_is_wide_decimal(out->type);
    for (int64_t i = 0; i < call->rows; i++) {
        int128 value = 0;
        bool there = call_valid(call, i) && format != NULL;
        if (there && !number_format_parse(format, arg_bytes(&args[0], i), &value))
            call_reject(call, i, REJECT_NUMBER_FORMAT);
        decimal_store(out, wide, i, value);
    }
}
SCALAR_SAME(fn_try_to_number, "try_to_number", "(string, string) -> any",
            "The number that a text shows in a format; NULL when it does not.", "try_to_number('$x', '$99')", "NULL",
            .run = fn_to_number_run, .bind = bind_to_number, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

/* ---- to_char ---- */

static bool is_named(struct bytes name, const char *wanted)
{
    return name.size == strlen(wanted) && strncasecmp((const char *)name.data, wanted, name.size) == 0;
}

/* Bytes are shown by one of three ways, which are functions. */
static enum code bind_bytes(struct binding *binding, struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    if (!expr_is_foldable(binding->args[1]))
        return fail(err, E_SQL,
                    "[NON_FOLDABLE_ARGUMENT] The function `to_char` requires the parameter `format` to be "
                    "a foldable expression of the type \"STRING\".");
    const struct expr *format;
    TRY(binding_constant(binding, 1, &format, err));
    struct bytes name = literal_is_null(format) ? (struct bytes){0} : literal_bytes(format);
    if (literal_is_null(format)) {
        binding->rewritten = expr_null(ctx, type_of(TYPE_STRING), binding->at);
        return E_OK;
    }
    if (is_named(name, "base64") || is_named(name, "hex"))
        return expr_call(ctx, is_named(name, "hex") ? "hex" : "base64", binding->args, 1, binding->at,
                         &binding->rewritten, err);
    if (is_named(name, "utf-8"))
        return expr_call(ctx, "decode", binding->args, 2, binding->at, &binding->rewritten, err);
    return fail(err, E_SQL,
                "[INVALID_PARAMETER_VALUE.BINARY_FORMAT] The value of parameter(s) `format` in `to_char` is "
                "invalid: expects one of binary formats 'base64', 'hex', 'utf-8', but got '%.*s'.",
                (int)(name.size < 40 ? name.size : 40), (const char *)name.data);
}

static enum code bind_to_char(struct binding *binding, struct error *err)
{
    const struct type *type = binding->args[0]->type;
    if (type->id >= TYPE_DATE && type->id <= TYPE_TIMESTAMP_NTZ)
        return expr_call(binding->ctx, "date_format", binding->args, 2, binding->at, &binding->rewritten, err);
    if (type->id == TYPE_BINARY)
        return bind_bytes(binding, err);
    const struct number_format *format = NULL;
    TRY(binding_cast(binding, 0, decimal_for(binding->ctx->arena, type), err));
    TRY(constant_format(binding, &format, err));
    binding->bound = format;
    return E_OK;
}

SCALAR(fn_to_char, "to_char to_varchar", "(any, string) -> string",
       "A number in a format of digits, a time by a pattern, or bytes as 'base64', 'hex' or 'utf-8'.",
       "to_char(-12454.8, '99G999D9S')", "12,454.8-", .bind = bind_to_char)
{
    struct writer writer;
    struct text text = {0};
    const struct type *type = args[0].col->type;
    bool wide = type_is_wide_decimal(type);
    writer_open(&writer, call, out, call->rows * (2 + number_format_precision(call->bound)));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        text_clear(&text);
        number_format_print(call->bound, decimal_load(&args[0], wide, i), type->scale, &text);
        writer_put(&writer, text_view(&text));
    }
    writer_close(&writer);
    text_free(&text);
}

const struct function *const number_text_functions[] = {&fn_to_number, &fn_try_to_number, &fn_to_char, NULL};
