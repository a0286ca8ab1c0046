/* random.c - numbers and texts by chance, from Spark's generator: with a seed they are Spark's of a query with one
 * partition.
 *
 * Streams  rows that were read somewhere get the numbers that their place gives them, so that a batch computed again has
 *          the same ones, whichever worker has it; other rows go on where the batch before ended
 * Source   Marsaglia, "Xorshift RNGs", 2003, with Spark's shifts; java.util.Random's way from bits to numbers
 */
#include <math.h>

#include "base/os.h"
#include "expr/coerce.h"
#include "expr/random.h"
#include "expr/writer.h"

/* ---- the generator ---- */

static uint32_t rotate(uint32_t x, int by) { return x << by | x >> (32 - by); }

/* Murmur3 of the seed's eight bytes, the most significant first. */
static uint32_t hash_seed(uint64_t seed, uint32_t hash)
{
    uint64_t swapped = __builtin_bswap64(seed);
    uint32_t words[2] = {(uint32_t)swapped, (uint32_t)(swapped >> 32)};
    for (int i = 0; i < 2; i++)
        hash = rotate(hash ^ rotate(words[i] * 0xcc9e2d51u, 15) * 0x1b873593u, 13) * 5 + 0xe6546b64u;
    hash ^= 8;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    return hash ^ hash >> 16;
}

static void chance_start(struct chance *chance, int64_t seed)
{
    enum { ARRAY_SEED = 0x3c074a61 };
    uint32_t low = hash_seed((uint64_t)seed, ARRAY_SEED);
    *chance = (struct chance){.state = (uint64_t)hash_seed((uint64_t)seed, low) << 32 | low, .started = true};
}

static uint64_t next_bits(struct chance *chance, int bits)
{
    uint64_t x = chance->state;
    x ^= x << 21;
    x ^= x >> 35;
    x ^= x << 4;
    chance->state = x;
    return x & (((uint64_t)1 << bits) - 1);
}

static double next_double(struct chance *chance)
{
    uint64_t high = next_bits(chance, 26);
    return (double)((high << 27) + next_bits(chance, 27)) * 0x1p-53;
}

/* Marsaglia's polar method gives two at a time. */
static double next_gaussian(struct chance *chance)
{
    if (chance->has_other) {
        chance->has_other = false;
        return chance->other;
    }
    double x, y, square;
    do {
        x = 2 * next_double(chance) - 1;
        y = 2 * next_double(chance) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square == 0);
    double factor = sqrt(-2 * log(square) / square);
    chance->other = y * factor;
    chance->has_other = true;
    return x * factor;
}

int64_t chance_seed(struct call *call, int64_t seed, bool *again)
{
    uint64_t origin = call_origin(call);
    *again = origin != 0;
    return (int64_t)((uint64_t)seed ^ origin);
}

static struct chance *chance_of(struct call *call, int64_t seed)
{
    struct chance *chance = call_memory(call, sizeof *chance);
    bool again;
    seed = chance_seed(call, seed, &again);
    if (again || !chance->started)
        chance_start(chance, seed);
    return chance;
}

/* ---- binding ---- */

enum code bind_seed(struct binding *binding, int32_t index, int64_t *out, struct error *err)
{
    const struct expr *literal;
    *out = (int64_t)os_random();
    if (index >= binding->count)
        return E_OK;
    const struct type *type = binding->args[index]->type;
    if (!type_is_integer(type) && type->id != TYPE_NULL)
        return binding_wrong_type(binding, index, "INT\" or \"BIGINT", err);
    TRY(binding_constant(binding, index, &literal, err));
    *out = literal_is_null(literal) ? 0 : literal_int(literal);
    return E_OK;
}

static enum code bind_random(struct binding *binding, struct error *err)
{
    int64_t *seed = arena_new(binding->ctx->arena, int64_t);
    TRY(bind_seed(binding, 0, seed, err));
    binding->bound = seed;
    binding->count = 0;
    binding->nullable = false;
    return E_OK;
}

SCALAR(fn_rand, "rand random", "(any?) -> double",
       "A number by chance, from 0 up to below 1; with a seed always the same ones.", "rand(0)", "0.7604953758285915",
       .bind = bind_random, .flags = FN_PER_ROW | FN_NULLS)
{
    struct chance *chance = chance_of(call, *(const int64_t *)call->bound);
    double *r = column_values(out, double);
    for (int64_t i = 0; i < call->rows; i++)
        r[i] = next_double(chance);
}

SCALAR(fn_randn, "randn", "(any?) -> double", "A number by chance, normally distributed around 0 with deviation 1.",
       "randn(0)", "1.6034991609278433", .bind = bind_random, .flags = FN_PER_ROW | FN_NULLS)
{
    struct chance *chance = chance_of(call, *(const int64_t *)call->bound);
    double *r = column_values(out, double);
    for (int64_t i = 0; i < call->rows; i++)
        r[i] = next_gaussian(chance);
}

/* ---- uniform ---- */

static const struct type *uniform_type(struct binding *binding)
{
    const struct type *a = binding->args[0]->type, *b = binding->args[1]->type;
    if (a->id == TYPE_NULL || b->id == TYPE_NULL)
        return type_of(TYPE_DOUBLE);
    if (a->id == TYPE_DOUBLE || b->id == TYPE_DOUBLE || a->id == TYPE_FLOAT || b->id == TYPE_FLOAT)
        return type_of(a->id == TYPE_DOUBLE || b->id == TYPE_DOUBLE ? TYPE_DOUBLE : TYPE_FLOAT);
    if (a->id != TYPE_DECIMAL && b->id != TYPE_DECIMAL)
        return a->id > b->id ? a : b;
    if (a->id != TYPE_DECIMAL || b->id != TYPE_DECIMAL)
        return a->id == TYPE_DECIMAL ? a : b;
    bool wider = a->precision - a->scale >= b->precision - b->scale && a->scale >= b->scale;
    return wider ? a : b;
}

static enum code bind_uniform(struct binding *binding, struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    const struct expr *ends[2], *chance, *range;
    int64_t seed;
    for (int32_t i = 0; i < 2; i++) {
        if (!type_is_numeric(binding->args[i]->type) && binding->args[i]->type->id != TYPE_NULL)
            return binding_wrong_type(binding, i, "NUMERIC", err);
        TRY(binding_constant(binding, i, &ends[i], err));
    }
    TRY(bind_seed(binding, 2, &seed, err));
    const struct type *type = uniform_type(binding);
    if (literal_is_null(ends[0]) || literal_is_null(ends[1])) {
        binding->rewritten = expr_null(ctx, type, binding->at);
        return E_OK;
    }
    for (int32_t i = 0; i < 2; i++)
        TRY(expr_cast(ctx, ends[i], type_of(TYPE_DOUBLE), false, binding->at, &ends[i], err));
    const struct expr *seed_expr = expr_int(ctx, type_of(TYPE_INT64), seed, binding->at);
    TRY(expr_call(ctx, "rand", &seed_expr, 1, binding->at, &chance, err));
    TRY(expr_call(ctx, "-", (const struct expr *const[]){ends[1], ends[0]}, 2, binding->at, &range, err));
    TRY(expr_call(ctx, "*", (const struct expr *const[]){range, chance}, 2, binding->at, &range, err));
    TRY(expr_call(ctx, "+", (const struct expr *const[]){ends[0], range}, 2, binding->at, &range, err));
    return expr_cast(ctx, range, type, false, binding->at, &binding->rewritten, err);
}

SCALAR_SAME(fn_uniform, "uniform", "(any, any, any?) -> any",
            "A number by chance between two constants, of their type; with a seed always the same ones.",
            "uniform(10, 20, 0)", "17", .bind = bind_uniform, .flags = FN_PER_ROW);

/* ---- randstr ---- */

struct random_text {
    int64_t seed;
    int32_t length;
};

static enum code bind_randstr(struct binding *binding, struct error *err)
{
    struct random_text *text = arena_new(binding->ctx->arena, struct random_text);
    const struct expr *length;
    if (!type_is_numeric(binding->args[0]->type) && binding->args[0]->type->id != TYPE_NULL)
        return binding_wrong_type(binding, 0, "INT", err);
    TRY(bind_seed(binding, 1, &text->seed, err));
    TRY(binding_constant(binding, 0, &length, err));
    TRY(expr_cast(binding->ctx, length, type_of(TYPE_INT32), false, binding->at, &length, err));
    TRY(expr_fold(binding->ctx, length, &length, err));
    text->length = literal_is_null(length) ? 0 : (int32_t)literal_int(length);
    if (text->length < 0)
        return fail(err, E_SQL,
                    "[INVALID_PARAMETER_VALUE.LENGTH] The value of parameter(s) `length` in `randstr` is invalid: "
                    "Expects `length` greater than or equal to 0, but got %d.",
                    text->length);
    binding->bound = text;
    binding->count = 0;
    binding->nullable = false;
    return E_OK;
}

SCALAR(fn_randstr, "randstr", "(any, any?) -> string",
       "A text of so many letters and digits by chance; with a seed always the same ones.", "randstr(5, 0)", "ceV0P",
       .bind = bind_randstr, .flags = FN_PER_ROW | FN_NULLS | FN_FAILS)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const struct random_text *text = call->bound;
    struct chance *chance = chance_of(call, text->seed);
    struct writer writer;
    writer_open(&writer, call, out, call->rows * text->length);
    while (writer_next(&writer) >= 0) {
        uint8_t *to = writer_room(&writer, (size_t)text->length);
        if (to == NULL)
            continue;
        for (int32_t k = 0; k < text->length; k++) {
            int32_t place = (int32_t)next_bits(chance, 32) % 62;
            to[k] = (uint8_t)letters[place < 0 ? -place : place];
        }
        writer_end(&writer, (size_t)text->length);
    }
    writer_close(&writer);
}

const struct function *const random_functions[] = {&fn_rand, &fn_randn, &fn_uniform, &fn_randstr, NULL};
