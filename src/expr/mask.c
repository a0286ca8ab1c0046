/* mask.c - characters hidden by kind, and the check of card numbers. */
#include "expr/coerce.h"
#include "expr/loop.h"
#include "expr/utf8.h"
#include "expr/writer.h"

/* ---- mask ---- */

enum { MASK_UPPER, MASK_LOWER, MASK_DIGIT, MASK_OTHER, MASK_KINDS };
struct masks { /* what stands for each kind: one character, or nothing to keep it */
    struct bytes shown[MASK_KINDS];
};

static enum code mask_argument(struct binding *binding, int32_t index, struct bytes *out, struct error *err)
{
    const struct expr *arg;
    if (!expr_is_foldable(binding->args[index]))
        return fail(err, E_SQL, "[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] the characters of mask must be constant");
    TRY(binding_constant(binding, index, &arg, err));
    *out = (struct bytes){0};
    if (literal_is_null(arg))
        return E_OK;
    *out = literal_bytes(arg);
    if (utf8_count(*out) != 1)
        return fail(err, E_SQL, "[DATATYPE_MISMATCH.INPUT_SIZE_NOT_ONE] mask replaces by one character, not by '%.*s'",
                    (int)(out->size < 40 ? out->size : 40), (const char *)out->data);
    return E_OK;
}

/* The constants go into what is bound: NULL means to keep, and must not make the result NULL. */
static enum code bind_mask(struct binding *binding, struct error *err)
{
    static const char *const usual[] = {"X", "x", "n"};
    struct masks *masks = arena_new(binding->ctx->arena, struct masks);
    for (int32_t kind = 0; kind < MASK_KINDS; kind++) {
        if (kind + 1 < binding->count)
            TRY(mask_argument(binding, kind + 1, &masks->shown[kind], err));
        else if (kind < MASK_OTHER)
            masks->shown[kind] = bytes_of_string(usual[kind]);
    }
    binding->count = 1;
    binding->nullable = binding->args[0]->nullable;
    binding->bound = masks;
    return E_OK;
}

static int kind_of(struct bytes text, size_t at)
{
    uint8_t c = text.data[at];
    return c >= 'A' && c <= 'Z'   ? MASK_UPPER
           : c >= 'a' && c <= 'z' ? MASK_LOWER
           : c >= '0' && c <= '9' ? MASK_DIGIT
                                  : MASK_OTHER;
}

static void put_masked(struct writer *writer, struct bytes text, const struct masks *masks)
{
    size_t written = 0, most = 4 * text.size; // a character has at most 4 bytes
    uint8_t *to = writer_room(writer, most);
    if (to == NULL)
        return;
    for (size_t at = 0, size; at < text.size; at += size) {
        size = utf8_size(text.data[at], text.size - at);
        struct bytes shown = masks->shown[kind_of(text, at)];
        shown = shown.size > 0 ? shown : bytes_of(text.data + at, size);
        memcpy(to + written, shown.data, shown.size);
        written += shown.size;
    }
    writer_end(writer, written);
}

SCALAR(fn_mask, "mask", "(string, string?, string?, string?, string?) -> string",
       "Capitals, small letters, digits and the rest replaced by one character each; NULL keeps a kind.",
       "mask('AbCD123-@$#')", "XxXXnnn-@$#", .bind = bind_mask, .flags = FN_BOUND)
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;)
        put_masked(&writer, arg_bytes(&args[0], i), call->bound);
    writer_close(&writer);
}

/* ---- luhn_check ---- */

static bool luhn_holds(struct bytes text)
{
    uint32_t sum = 0;
    for (size_t k = 0; k < text.size; k++) {
        uint8_t c = text.data[text.size - 1 - k];
        uint32_t digit = (uint32_t)(c - '0');
        if (c < '0' || c > '9')
            return false;
        digit = k % 2 == 1 ? 2 * digit : digit;
        sum = (sum + digit / 10 + digit % 10) % 10;
    }
    return text.size > 0 && sum == 0;
}

SCALAR(fn_luhn_check, "luhn_check", "(string) -> boolean", "Whether the digits pass Luhn's check, as card numbers do.",
       "luhn_check('8112189876')", "true")
{
    for (int64_t i = 0; i < call->rows; i++)
        bit_put(out->values->data, i, luhn_holds(arg_bytes(&args[0], i)));
}

const struct function *const mask_functions[] = {&fn_mask, &fn_luhn_check, NULL};
