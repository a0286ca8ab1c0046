/* loop.h - inside expr/: the loops kernels are made of.
 *
 * LOOP1 and LOOP2 run `...` (statements over x, y and i) for every row. A constant argument is loaded once, so that each
 * loop has unit strides and the compiler can vectorise it.
 */
#ifndef EXPR_LOOP_H
#define EXPR_LOOP_H

#include "expr/function.h"

enum shape {
    SHAPE_NONE,
    SHAPE_BITS,
    SHAPE_I8,
    SHAPE_I16,
    SHAPE_I32,
    SHAPE_I64,
    SHAPE_I128,
    SHAPE_F32,
    SHAPE_F64,
    SHAPE_BYTES,
    SHAPE_NESTED,
};
/* How values lie in memory. ORDER TYPE */
static inline enum shape type_shape(const struct type *type)
{
    static const uint8_t shapes[TYPE_COUNT] = {
        SHAPE_NONE, SHAPE_BITS,  SHAPE_I8,     SHAPE_I16,    SHAPE_I32,    SHAPE_I64,   SHAPE_F32, SHAPE_F64,
        SHAPE_I64,  SHAPE_BYTES, SHAPE_BYTES,  SHAPE_I32,    SHAPE_I64,    SHAPE_I64,   SHAPE_I64, SHAPE_I32,
        SHAPE_I64,  SHAPE_I128,  SHAPE_NESTED, SHAPE_NESTED, SHAPE_NESTED, SHAPE_BYTES,
    };
    return type_is_wide_decimal(type) ? SHAPE_I128 : (enum shape)shapes[type->id];
}

/* The switch covers all that binding lets through. */
#define never(what) assert_failed(what, ERROR_HERE)

#define SHAPES_INTEGER(X) X(SHAPE_I8, int8_t) X(SHAPE_I16, int16_t) X(SHAPE_I32, int32_t) X(SHAPE_I64, int64_t)
#define SHAPES_FLOAT(X) X(SHAPE_F32, float) X(SHAPE_F64, double)
#define SHAPES_FIXED(X) SHAPES_INTEGER(X) X(SHAPE_I128, int128) SHAPES_FLOAT(X)

#define LOOP1(rtype, atype, ...)                       \
    do {                                               \
        const atype *a_ = arg_values(&args[0], atype); \
        rtype *r = column_values(out, rtype);          \
        const int64_t rows_ = call->rows;              \
        for (int64_t i = 0; i < rows_; i++) {          \
            const atype x = a_[i];                     \
            __VA_ARGS__;                               \
        }                                              \
    } while (0)

#define LOOP2(rtype, atype, btype, ...)                \
    do {                                               \
        const atype *a_ = arg_values(&args[0], atype); \
        const btype *b_ = arg_values(&args[1], btype); \
        rtype *r = column_values(out, rtype);          \
        const int64_t rows_ = call->rows;              \
        if (args[0].step != 0 && args[1].step != 0) {  \
            for (int64_t i = 0; i < rows_; i++) {      \
                const atype x = a_[i];                 \
                const btype y = b_[i];                 \
                __VA_ARGS__;                           \
            }                                          \
        } else if (args[0].step != 0) {                \
            const btype y = b_[0];                     \
            for (int64_t i = 0; i < rows_; i++) {      \
                const atype x = a_[i];                 \
                __VA_ARGS__;                           \
            }                                          \
        } else {                                       \
            const atype x = a_[0];                     \
            for (int64_t i = 0; i < rows_; i++) {      \
                const btype y = b_[i * args[1].step];  \
                __VA_ARGS__;                           \
            }                                          \
        }                                              \
    } while (0)

/* Reject the rows where `bad` (an expression over x, y and i) holds; for the rare second pass. */
#define REJECT2(atype, btype, code, ...)               \
    do {                                               \
        const atype *a_ = arg_values(&args[0], atype); \
        const btype *b_ = arg_values(&args[1], btype); \
        for (int64_t i = 0; i < call->rows; i++) {     \
            const atype x = a_[i * args[0].step];      \
            const btype y = b_[i * args[1].step];      \
            (void)x;                                   \
            (void)y;                                   \
            if (__VA_ARGS__)                           \
                call_reject(call, i, code);            \
        }                                              \
    } while (0)

static inline int128 decimal_load(const struct arg *arg, bool wide, int64_t row)
{
    row *= arg->step;
    return wide ? arg_values(arg, int128)[row] : (int128)arg_values(arg, int64_t)[row];
}
static inline void decimal_store(struct column *out, bool wide, int64_t row, int128 value)
{
    if (wide)
        column_values(out, int128)[row] = value;
    else
        column_values(out, int64_t)[row] = (int64_t)value;
}

/* Packs 64 truth bytes (0 or 1) into bits: a multiplication gathers the low bits of 8 bytes into one. */
static inline uint64_t truth_pack(const uint8_t truth[64])
{
    uint64_t word = 0;
    for (int k = 0; k < 8; k++) {
        uint64_t eight;
        memcpy(&eight, truth + 8 * k, 8);
        word |= ((eight * 0x0102040810204080u) >> 56) << (8 * k);
    }
    return word;
}

/* Fill out's bits: `...` is a truth expression over x and y; 64 rows at a time through truth bytes, which vectorises. */
#define TRUTH_LOOP(bits, rows, load, ...)              \
    do {                                               \
        int64_t at_ = 0;                               \
        for (; at_ + 64 <= (rows); at_ += 64) {        \
            uint8_t truth_[64];                        \
            for (int64_t k_ = 0; k_ < 64; k_++) {      \
                const int64_t i = at_ + k_;            \
                load;                                  \
                truth_[k_] = (uint8_t)(__VA_ARGS__);   \
            }                                          \
            const uint64_t word_ = truth_pack(truth_); \
            memcpy((bits) + at_ / 8, &word_, 8);       \
        }                                              \
        for (int64_t i = at_; i < (rows); i++) {       \
            load;                                      \
            bit_put((bits), i, (__VA_ARGS__));         \
        }                                              \
    } while (0)

/* Truth of two columns, either of which may be constant. */
#define TRUTH2(atype, btype, ...)                                                                     \
    do {                                                                                              \
        const atype *a_ = arg_values(&args[0], atype);                                                \
        const btype *b_ = arg_values(&args[1], btype);                                                \
        uint8_t *bits_ = out->values->data;                                                           \
        if (args[0].step != 0 && args[1].step != 0) {                                                 \
            TRUTH_LOOP(bits_, call->rows, const atype x = a_[i]; const btype y = b_[i], __VA_ARGS__); \
        } else if (args[0].step != 0) {                                                               \
            const btype y = b_[0];                                                                    \
            TRUTH_LOOP(bits_, call->rows, const atype x = a_[i], __VA_ARGS__);                        \
        } else {                                                                                      \
            const atype x = a_[0];                                                                    \
            const int64_t step_ = args[1].step;                                                       \
            TRUTH_LOOP(bits_, call->rows, const btype y = b_[i * step_], __VA_ARGS__);                \
        }                                                                                             \
    } while (0)

#endif
