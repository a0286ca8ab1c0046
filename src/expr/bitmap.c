/* bitmap.c - single bits of numbers, and bitmaps: BINARY values of 4096 bytes in which bit n says that the n-th number of a
 * bucket of 32768 is there. The first bucket has the numbers 1 to 32768. */
#include "expr/loop.h"

enum { BUCKET_BITS = 8 * 4096 };

/* ---- bits of numbers ---- */

static bool bit_inside(const struct arg *value, int32_t position)
{
    return position >= 0 && position < 8 * type_width(value->col->type);
}

static int64_t bits_at(const struct arg *arg, int64_t row)
{
    switch (type_shape(arg->col->type)) {
#define LOAD(shape, ctype) \
    case shape: return arg_values(arg, ctype)[row * arg->step];
        SHAPES_INTEGER(LOAD)
#undef LOAD
    default: never("an integer");
    }
}

static enum code bind_bit_get(struct binding *binding, struct error *err)
{
    if (binding->args[0]->type->id == TYPE_NULL)
        return binding_cast(binding, 0, type_of(TYPE_INT32), err);
    return type_is_integer(binding->args[0]->type) ? E_OK : binding_wrong_type(binding, 0, "INTEGRAL", err);
}

SCALAR(fn_bit_get, "bit_get getbit", "(any, int) -> tinyint",
       "The bit at a place of a whole number, counted from its lowest.", "bit_get(11, 2)", "0", .bind = bind_bit_get,
       .flags = FN_FAILS)
{
    int8_t *r = column_values(out, int8_t);
    const int32_t *positions = arg_values(&args[1], int32_t);
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t position = positions[i * args[1].step];
        r[i] = (int8_t)(bits_at(&args[0], i) >> (position & 63) & 1);
        if (!bit_inside(&args[0], position))
            call_reject(call, i, REJECT_BIT_POSITION);
    }
}

/* ---- bitmaps ---- */

SCALAR(fn_bitmap_bit_position, "bitmap_bit_position", "(bigint) -> bigint",
       "The place of a number's bit in its bucket's bitmap.", "bitmap_bit_position(123)", "122")
{
    LOOP1(int64_t, int64_t, r[i] = x > 0 ? (x - 1) % BUCKET_BITS : (int64_t)(-(uint64_t)x % BUCKET_BITS));
}

SCALAR(fn_bitmap_bucket_number, "bitmap_bucket_number", "(bigint) -> bigint",
       "The number of the bucket that a number is in.", "bitmap_bucket_number(123)", "1")
{
    LOOP1(int64_t, int64_t, r[i] = x > 0 ? 1 + (x - 1) / BUCKET_BITS : x / BUCKET_BITS);
}

static int64_t count_ones(struct bytes bytes)
{
    int64_t ones = 0;
    size_t at = 0;
    for (; at + 8 <= bytes.size; at += 8) {
        uint64_t word;
        memcpy(&word, bytes.data + at, 8);
        ones += __builtin_popcountll(word);
    }
    for (; at < bytes.size; at++)
        ones += __builtin_popcount(bytes.data[at]);
    return ones;
}

static enum code bind_bitmap(struct binding *binding, struct error *err)
{
    enum type_id id = binding->args[0]->type->id;
    return id == TYPE_BINARY || id == TYPE_NULL ? E_OK : binding_wrong_type(binding, 0, "BINARY", err);
}

SCALAR(fn_bitmap_count, "bitmap_count", "(any) -> bigint", "How many bits of a bitmap are set.",
       "bitmap_count(X'1010')", "2", .bind = bind_bitmap)
{
    for (int64_t i = 0; i < call->rows; i++)
        column_values(out, int64_t)[i] = count_ones(arg_bytes(&args[0], i));
}

const struct function *const bitmap_functions[] = {
    &fn_bit_get, &fn_bitmap_bit_position, &fn_bitmap_bucket_number, &fn_bitmap_count, NULL,
};
