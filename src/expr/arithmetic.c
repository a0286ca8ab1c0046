/* arithmetic.c - + - * / % div and their try_ forms, on numbers, decimals and sums of intervals; bitwise operators. */
#include <math.h>

#include "expr/coerce.h"
#include "expr/loop.h"

/* ---- integers and floats: wrap, remember that something overflowed, and look for the rows only then ---- */

static enum reject_code overflow_of(const struct type *type)
{
    if (type_is_interval(type))
        return REJECT_INTERVAL_OVERFLOW;
    return type_width(type) < (int)sizeof(int32_t) ? REJECT_SHORT_OVERFLOW : REJECT_ARITHMETIC_OVERFLOW;
}

#define INTEGER_CASE(builtin, ctype, shape)                                         \
    case shape: {                                                                   \
        bool bad = false;                                                           \
        LOOP2(ctype, ctype, ctype, bad |= builtin(x, y, &r[i]));                    \
        if (bad) {                                                                  \
            ctype ignored;                                                          \
            REJECT2(ctype, ctype, overflow_of(out->type), builtin(x, y, &ignored)); \
        }                                                                           \
        break;                                                                      \
    }
#define NUMBER_CASES(builtin, op)                                        \
    INTEGER_CASE(builtin, int8_t, SHAPE_I8)                              \
    INTEGER_CASE(builtin, int16_t, SHAPE_I16)                            \
    INTEGER_CASE(builtin, int32_t, SHAPE_I32)                            \
    INTEGER_CASE(builtin, int64_t, SHAPE_I64)                            \
    case SHAPE_F32: LOOP2(float, float, float, r[i] = x op y); break;    \
    case SHAPE_F64: LOOP2(double, double, double, r[i] = x op y); break; \
    default:                                                             \
        never("a number");

#define NUMBERS "(N, N) -> N | (Y, Y) -> Y"

SCALAR(fn_add, "+", NUMBERS, "Sum.", "1 + 2", "3", .flags = FN_FAILS | FN_OPERATOR)
{
    switch (type_shape(out->type)) {
        NUMBER_CASES(__builtin_add_overflow, +)
    }
}

SCALAR(fn_subtract, "-", NUMBERS, "Difference.", "5 - 2", "3", .flags = FN_FAILS | FN_OPERATOR)
{
    switch (type_shape(out->type)) {
        NUMBER_CASES(__builtin_sub_overflow, -)
    }
}

SCALAR(fn_multiply, "*", "(N, N) -> N", "Product.", "3 * 4", "12", .flags = FN_FAILS | FN_OPERATOR)
{
    switch (type_shape(out->type)) {
        NUMBER_CASES(__builtin_mul_overflow, *)
    }
}

SCALAR_SAME(fn_try_add, "try_add", NUMBERS, "Sum; NULL on overflow.", "try_add(2147483647, 1)", "NULL",
            .run = fn_add_run, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);
SCALAR_SAME(fn_try_subtract, "try_subtract", NUMBERS, "Difference; NULL on overflow.", "try_subtract(5, 2)", "3",
            .run = fn_subtract_run, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);
SCALAR_SAME(fn_try_multiply, "try_multiply", "(N, N) -> N", "Product; NULL on overflow.", "try_multiply(2147483647, 2)",
            "NULL", .run = fn_multiply_run, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

SCALAR(fn_divide, "/", "(double, double) -> double", "Quotient; numbers that are not DECIMAL are divided as DOUBLE.",
       "5 / 2", "2.5", .flags = FN_FAILS | FN_RIGHT_FIRST | FN_OPERATOR)
{
    bool bad = false;
    LOOP2(double, double, double, bad |= y == 0; r[i] = x / y);
    if (bad)
        REJECT2(double, double, REJECT_DIVIDE_BY_ZERO, y == 0);
}
SCALAR_SAME(fn_try_divide, "try_divide", "(double, double) -> double", "Quotient; NULL when the divisor is 0.",
            "try_divide(1, 0)", "NULL", .run = fn_divide_run,
            .flags = FN_FAILS | FN_NULLABLE | FN_RIGHT_FIRST | FN_TRY);

/* 64-bit division costs some 10 ns on older machines; a zero divisor must not reach it, nor MIN / -1. */
#define SAFE_DIVISOR(y) ((y) == 0 || (y) == -1 ? 1 : (y))

SCALAR(fn_div, "div", "(bigint, bigint) -> bigint | (interval_dt, interval_dt) -> bigint",
       "Whole part of the quotient.", "7 div 2", "3", .flags = FN_FAILS | FN_RIGHT_FIRST | FN_OPERATOR)
{
    bool bad = false;
    LOOP2(int64_t, int64_t, int64_t, bad |= y == 0 || (y == -1 && x == INT64_MIN);
          r[i] = y == -1 ? (int64_t)(0 - (uint64_t)x) : x / SAFE_DIVISOR(y));
    if (bad) {
        REJECT2(int64_t, int64_t, REJECT_DIVIDE_BY_ZERO, y == 0);
        REJECT2(int64_t, int64_t, REJECT_ARITHMETIC_OVERFLOW, y == -1 && x == INT64_MIN);
    }
}

SCALAR(fn_div_months, "div", "(interval_ym, interval_ym) -> bigint", "How often the second interval is in the first.",
       "INTERVAL '2' YEAR div INTERVAL '5' MONTH", "4", .flags = FN_FAILS | FN_RIGHT_FIRST | FN_OPERATOR)
{
    bool bad = false;
    LOOP2(int64_t, int32_t, int32_t, bad |= y == 0; r[i] = y == 0 ? 0 : (int64_t)x / y);
    if (bad)
        REJECT2(int32_t, int32_t, REJECT_DIVIDE_BY_ZERO, y == 0);
}

/* ---- remainder ---- */

#define REMAINDER_CASE(ctype, shape, whole, fraction)                                      \
    case shape: {                                                                          \
        bool bad = false;                                                                  \
        LOOP2(ctype, ctype, ctype, bad |= y == 0; const ctype m = whole; r[i] = fraction); \
        if (bad)                                                                           \
            REJECT2(ctype, ctype, REJECT_REMAINDER_BY_ZERO, y == 0);                       \
        break;                                                                             \
    }
#define REMAINDER_CASES(result)                                                               \
    switch (type_shape(out->type)) {                                                          \
        REMAINDER_CASE(int8_t, SHAPE_I8, (int8_t)(x % SAFE_DIVISOR(y)), (int8_t)(result))     \
        REMAINDER_CASE(int16_t, SHAPE_I16, (int16_t)(x % SAFE_DIVISOR(y)), (int16_t)(result)) \
        REMAINDER_CASE(int32_t, SHAPE_I32, x % SAFE_DIVISOR(y), result)                       \
        REMAINDER_CASE(int64_t, SHAPE_I64, x % SAFE_DIVISOR(y), result)                       \
        REMAINDER_CASE(float, SHAPE_F32, fmodf(x, y), (float)(result))                        \
        REMAINDER_CASE(double, SHAPE_F64, fmod(x, y), result)                                 \
    default: never("a number");                                                               \
    }

SCALAR(fn_remainder, "% mod", "(N, N) -> N", "Remainder, with the sign of the dividend.", "-7 % 3", "-1",
       .flags = FN_FAILS | FN_RIGHT_FIRST | FN_OPERATOR){REMAINDER_CASES(m)}

SCALAR_SAME(fn_try_mod, "try_mod", "(N, N) -> N", "Remainder; NULL when the divisor is 0.", "try_mod(1, 0)", "NULL",
            .run = fn_remainder_run, .flags = FN_FAILS | FN_NULLABLE | FN_RIGHT_FIRST | FN_TRY);

SCALAR(fn_pmod, "pmod", "(N, N) -> N", "Remainder that is not negative when the divisor is positive.", "pmod(-7, 3)",
       "2", .flags = FN_FAILS | FN_RIGHT_FIRST)
{
    // As Spark has it: (m + n) % n where m < 0; written with m and y so that it holds for any divisor.
    // The sum wraps around, as Java's does.
#define PMOD_SUM(ctype) (ctype)((uint64_t)(int64_t)m + (uint64_t)(int64_t)y)
#define PMOD_INTEGER(ctype) (m < 0 ? PMOD_SUM(ctype) % SAFE_DIVISOR(y) : m)
    switch (type_shape(out->type)) {
        REMAINDER_CASE(int8_t, SHAPE_I8, (int8_t)(x % SAFE_DIVISOR(y)), (int8_t)PMOD_INTEGER(int8_t))
        REMAINDER_CASE(int16_t, SHAPE_I16, (int16_t)(x % SAFE_DIVISOR(y)), (int16_t)PMOD_INTEGER(int16_t))
        REMAINDER_CASE(int32_t, SHAPE_I32, x % SAFE_DIVISOR(y), PMOD_INTEGER(int32_t))
        REMAINDER_CASE(int64_t, SHAPE_I64, x % SAFE_DIVISOR(y), PMOD_INTEGER(int64_t))
        REMAINDER_CASE(float, SHAPE_F32, fmodf(x, y), m < 0 ? fmodf(m + y, y) : m)
        REMAINDER_CASE(double, SHAPE_F64, fmod(x, y), m < 0 ? fmod(m + y, y) : m)
    default: never("a number");
    }
}

/* ---- decimals ---- */

typedef const struct type *decimal_type_fn(struct arena *arena, const struct type *a, const struct type *b);

static enum code bind_decimals(struct binding *binding, decimal_type_fn *type, enum decimal_operation operation)
{
    const struct type *a = binding->args[0]->type, *b = binding->args[1]->type;
    struct arena *arena = binding->ctx->arena;
    binding->type =
        binding->ctx->session->exact_decimals ? decimal_exact_type(arena, operation, a, b) : type(arena, a, b);
    binding->nullable = true; // as Spark says, although an error rejects the row
    return E_OK;
}
#define DECIMAL_BIND(name, type, operation)                                                   \
    static enum code name(struct binding *binding, __attribute__((unused)) struct error *err) \
    {                                                                                         \
        return bind_decimals(binding, type, operation);                                       \
    }
DECIMAL_BIND(bind_sum, decimal_sum_type, DECIMAL_SUM)
DECIMAL_BIND(bind_product, decimal_product_type, DECIMAL_PRODUCT)
DECIMAL_BIND(bind_quotient, decimal_quotient_type, DECIMAL_QUOTIENT)
DECIMAL_BIND(bind_remainder, decimal_remainder_type, DECIMAL_REMAINDER)

enum { DECIMAL_DIGITS_MAX = 38 }; // a result type of fewer digits was not cut: nothing can overflow

static int larger(int a, int b) { return a > b ? a : b; }

/* sign is 1 or -1. The exact sum has one digit more than the larger argument: only a type cut to 38 digits overflows. */
static void decimal_sum(struct call *call, const struct arg *args, struct column *out, int sign)
{
    const struct type *a = args[0].col->type, *b = args[1].col->type, *type = out->type;
    int scale = larger(a->scale, b->scale);
    int128 a_factor = decimal_power10(scale - a->scale), b_factor = decimal_power10(scale - b->scale) * sign;
    if (!type_is_wide_decimal(type)) {
        const int64_t p = (int64_t)a_factor, q = (int64_t)b_factor;
        LOOP2(int64_t, int64_t, int64_t, r[i] = x * p + y * q);
        return;
    }
    bool a_wide = type_is_wide_decimal(a), b_wide = type_is_wide_decimal(b);
    if (!a_wide && !b_wide && type->precision < DECIMAL_DIGITS_MAX) {
        LOOP2(int128, int64_t, int64_t, r[i] = x * a_factor + y * b_factor);
        return;
    }
    for (int64_t i = 0; i < call->rows; i++) {
        int128 a_value = decimal_load(&args[0], a_wide, i), b_value = decimal_load(&args[1], b_wide, i);
        int128 x, y, sum, result = 0;
        bool narrow = !__builtin_mul_overflow(a_value, a_factor, &x) &&
                      !__builtin_mul_overflow(b_value, b_factor, &y) && !__builtin_add_overflow(x, y, &sum);
        bool good =
            narrow ? decimal_rescale(sum, scale, type->precision, type->scale, &result)
                   : decimal_plus(a_value, a->scale, b_value * sign, b->scale, type->precision, type->scale, &result);
        column_values(out, int128)[i] = result;
        if (!good)
            call_reject(call, i, REJECT_NUMERIC_RANGE);
    }
}

SCALAR(fn_add_decimal, "+", "(D, D) -> D", "Sum of DECIMALs.", "1.10 + 2", "3.10", .bind = bind_sum,
       .flags = FN_FAILS | FN_OPERATOR)
{
    decimal_sum(call, args, out, 1);
}

SCALAR(fn_subtract_decimal, "-", "(D, D) -> D", "Difference of DECIMALs.", "3.5 - 1.25", "2.25", .bind = bind_sum,
       .flags = FN_FAILS | FN_OPERATOR)
{
    decimal_sum(call, args, out, -1);
}

SCALAR(fn_multiply_decimal, "*", "(D, D) -> D", "Product of DECIMALs.", "1.10 * 2.345", "2.57950", .bind = bind_product,
       .flags = FN_FAILS | FN_OPERATOR)
{
    const struct type *a = args[0].col->type, *b = args[1].col->type, *type = out->type;
    if (!type_is_wide_decimal(type)) { // p1 + p2 + 1 <= 18 digits: neither overflow nor rounding
        LOOP2(int64_t, int64_t, int64_t, r[i] = (int64_t)((uint64_t)x * (uint64_t)y));
        return;
    }
    bool a_wide = type_is_wide_decimal(a), b_wide = type_is_wide_decimal(b);
    if (!a_wide && !b_wide && type->scale == a->scale + b->scale && type->precision < DECIMAL_DIGITS_MAX) {
        LOOP2(int128, int64_t, int64_t, r[i] = (int128)x * y);
        return;
    }
    for (int64_t i = 0; i < call->rows; i++) {
        int128 result = 0;
        if (!decimal_multiply(decimal_load(&args[0], a_wide, i), decimal_load(&args[1], b_wide, i), a->scale + b->scale,
                              type->precision, type->scale, &result))
            call_reject(call, i, REJECT_NUMERIC_RANGE);
        column_values(out, int128)[i] = result;
    }
}

SCALAR(fn_divide_decimal, "/", "(D, D) -> D", "Quotient of DECIMALs.", "1.10 / 3", "0.366667", .bind = bind_quotient,
       .flags = FN_FAILS | FN_RIGHT_FIRST | FN_OPERATOR)
{
    const struct type *a = args[0].col->type, *b = args[1].col->type, *type = out->type;
    bool a_wide = type_is_wide_decimal(a), b_wide = type_is_wide_decimal(b), wide = type_is_wide_decimal(type);
    for (int64_t i = 0; i < call->rows; i++) {
        int128 divisor = decimal_load(&args[1], b_wide, i), result = 0;
        if (divisor == 0)
            call_reject(call, i, REJECT_DIVIDE_BY_ZERO);
        else if (!decimal_divide(decimal_load(&args[0], a_wide, i), a->scale, divisor, b->scale, type->precision,
                                 type->scale, &result))
            call_reject(call, i, REJECT_NUMERIC_RANGE);
        decimal_store(out, wide, i, result);
    }
}

/* A negative remainder moved by the divisor; false when the divisor leaves 128 bits. */
static bool decimal_positive(int128 y, int128 y_factor, int128 *remainder)
{
    if (__builtin_mul_overflow(y, y_factor, &y))
        return false;
    *remainder = (*remainder + y) % y;
    return true;
}

enum rest { REST_REMAINDER, REST_QUOTIENT, REST_POSITIVE };

static void decimal_rest(struct call *call, const struct arg *args, struct column *out, enum rest wanted)
{
    bool quotient = wanted == REST_QUOTIENT;
    const struct type *a = args[0].col->type, *b = args[1].col->type, *type = out->type;
    bool a_wide = type_is_wide_decimal(a), b_wide = type_is_wide_decimal(b), wide = type_is_wide_decimal(type);
    int scale = larger(a->scale, b->scale);
    int128 b_factor = decimal_power10(scale - b->scale);
    for (int64_t i = 0; i < call->rows; i++) {
        int128 x = decimal_load(&args[0], a_wide, i), y = decimal_load(&args[1], b_wide, i), q = 0, m = 0;
        if (y == 0)
            call_reject(call, i, quotient ? REJECT_DIVIDE_BY_ZERO : REJECT_REMAINDER_BY_ZERO);
        else if (!decimal_divmod(x, a->scale, y, b->scale, &q, &m))
            call_reject(call, i, REJECT_NUMERIC_RANGE);
        else if (quotient && (q >= decimal_power10(DECIMAL_DIGITS_MAX) || q <= -decimal_power10(DECIMAL_DIGITS_MAX)))
            call_reject(call, i, REJECT_NUMERIC_RANGE);
        else if (wanted == REST_POSITIVE && m < 0 && !decimal_positive(y, b_factor, &m))
            call_reject(call, i, REJECT_NUMERIC_RANGE);
        if (y != 0 && !quotient && !decimal_rescale(m, scale, type->precision, type->scale, &m))
            call_reject(call, i, REJECT_NUMERIC_RANGE);
        decimal_store(out, wide, i, quotient ? (int64_t)q : m); // what is beyond a BIGINT wraps around, as in Spark
    }
}

SCALAR(fn_remainder_decimal, "% mod", "(D, D) -> D", "Remainder of DECIMALs.", "5.5 % 2", "1.5", .bind = bind_remainder,
       .flags = FN_FAILS | FN_RIGHT_FIRST | FN_OPERATOR)
{
    decimal_rest(call, args, out, REST_REMAINDER);
}

SCALAR(fn_div_decimal, "div", "(D, D) -> bigint", "Whole part of the quotient of DECIMALs.", "5.5 div 2", "2",
       .flags = FN_FAILS | FN_RIGHT_FIRST | FN_OPERATOR)
{
    decimal_rest(call, args, out, REST_QUOTIENT);
}

SCALAR(fn_pmod_decimal, "pmod", "(D, D) -> D",
       "Remainder of DECIMALs that is not negative when the divisor is positive.", "pmod(-7.5, 2)", "0.5",
       .bind = bind_remainder, .flags = FN_FAILS | FN_RIGHT_FIRST)
{
    decimal_rest(call, args, out, REST_POSITIVE);
}

#define TRY_DECIMAL (FN_FAILS | FN_NULLABLE | FN_TRY)
SCALAR_SAME(fn_try_add_decimal, "try_add", "(D, D) -> D", "Sum of DECIMALs; NULL on overflow.", "try_add(1.5, 2.5)",
            "4.0", .run = fn_add_decimal_run, .bind = bind_sum, .flags = TRY_DECIMAL);
SCALAR_SAME(fn_try_subtract_decimal, "try_subtract", "(D, D) -> D", "Difference of DECIMALs; NULL on overflow.",
            "try_subtract(1.5, 2.5)", "-1.0", .run = fn_subtract_decimal_run, .bind = bind_sum, .flags = TRY_DECIMAL);
SCALAR_SAME(fn_try_multiply_decimal, "try_multiply", "(D, D) -> D", "Product of DECIMALs; NULL on overflow.",
            "try_multiply(1.5, 2.0)", "3.00", .run = fn_multiply_decimal_run, .bind = bind_product,
            .flags = TRY_DECIMAL);
SCALAR_SAME(fn_try_divide_decimal, "try_divide", "(D, D) -> D", "Quotient of DECIMALs; NULL when the divisor is 0.",
            "try_divide(1.5, 0)", "NULL", .run = fn_divide_decimal_run, .bind = bind_quotient,
            .flags = TRY_DECIMAL | FN_RIGHT_FIRST);
SCALAR_SAME(fn_try_mod_decimal, "try_mod", "(D, D) -> D", "Remainder of DECIMALs; NULL when the divisor is 0.",
            "try_mod(5.5, 2)", "1.5", .run = fn_remainder_decimal_run, .bind = bind_remainder,
            .flags = TRY_DECIMAL | FN_RIGHT_FIRST);

/* ---- one argument ---- */

static enum reject_code overflow_of_one(const struct type *type)
{
    return type_is_interval(type) ? REJECT_INTERVAL_RANGE : REJECT_ARITHMETIC_OVERFLOW;
}

#define NEGATE_CASE(shape, ctype)                                                   \
    case shape: {                                                                   \
        bool bad = false;                                                           \
        LOOP1(ctype, ctype, bad |= __builtin_sub_overflow((ctype)0, x, &r[i]));     \
        if (bad)                                                                    \
            for (int64_t i = 0; i < call->rows; i++)                                \
                if (arg_values(&args[0], ctype)[i] != 0 &&                          \
                    arg_values(&args[0], ctype)[i] == column_values(out, ctype)[i]) \
                    call_reject(call, i, overflow_of_one(out->type));               \
        break;                                                                      \
    }

#define ONE_NUMBER "(N) -> N | (D) -> D | (Y) -> Y"
SCALAR(fn_negative, "- negative", ONE_NUMBER, "The number with the other sign.", "negative(3)", "-3",
       .flags = FN_FAILS | FN_OPERATOR)
{
    switch (type_shape(out->type)) {
        SHAPES_INTEGER(NEGATE_CASE)
    case SHAPE_I128: LOOP1(int128, int128, r[i] = -x); break;
    case SHAPE_F32: LOOP1(float, float, r[i] = -x); break;
    case SHAPE_F64: LOOP1(double, double, r[i] = -x); break;
    default: never("a number");
    }
}

static enum code bind_first(struct binding *binding, __attribute__((unused)) struct error *err)
{
    binding->rewritten = binding->args[0];
    return E_OK;
}
SCALAR_SAME(fn_positive, "+ positive", ONE_NUMBER, "The number itself.", "positive(3)", "3", .bind = bind_first,
            .flags = FN_OPERATOR);

#define MAGNITUDE_CASE(shape, ctype)                                                       \
    case shape: {                                                                          \
        bool bad = false;                                                                  \
        LOOP1(ctype, ctype, r[i] = x < 0 ? (ctype)(0 - (uint64_t)x) : x; bad |= r[i] < 0); \
        for (int64_t i = 0; bad && i < call->rows; i++)                                    \
            if (column_values(out, ctype)[i] < 0)                                          \
                call_reject(call, i, REJECT_ARITHMETIC_OVERFLOW);                          \
        break;                                                                             \
    }
SCALAR(fn_abs, "abs", ONE_NUMBER, "Distance from zero.", "abs(-3)", "3", .flags = FN_FAILS)
{
    switch (type_shape(out->type)) {
        SHAPES_INTEGER(MAGNITUDE_CASE)
    case SHAPE_I128: LOOP1(int128, int128, r[i] = x < 0 ? -x : x); break;
    case SHAPE_F32: LOOP1(float, float, r[i] = fabsf(x)); break;
    case SHAPE_F64: LOOP1(double, double, r[i] = fabs(x)); break;
    default: never("a number");
    }
}

/* ---- bits ---- */

#define BITWISE(id, name_, help_, example_, expected_, op)                                 \
    SCALAR(id, name_, "(I, I) -> I", help_, example_, expected_, .flags = FN_OPERATOR)     \
    {                                                                                      \
        switch (type_shape(out->type)) {                                                   \
        case SHAPE_I8: LOOP2(int8_t, int8_t, int8_t, r[i] = (int8_t)(x op y)); break;      \
        case SHAPE_I16: LOOP2(int16_t, int16_t, int16_t, r[i] = (int16_t)(x op y)); break; \
        case SHAPE_I32: LOOP2(int32_t, int32_t, int32_t, r[i] = x op y); break;            \
        case SHAPE_I64: LOOP2(int64_t, int64_t, int64_t, r[i] = x op y); break;            \
        default: never("an integer");                                                      \
        }                                                                                  \
    }
BITWISE(fn_bit_and, "&", "Bits set in both.", "3 & 6", "2", &)
BITWISE(fn_bit_or, "|", "Bits set in either.", "3 | 6", "7", |)
BITWISE(fn_bit_xor, "^", "Bits set in one of them.", "3 ^ 6", "5", ^)

SCALAR(fn_bit_not, "~", "(I) -> I", "All bits turned.", "~1", "-2", .flags = FN_OPERATOR)
{
    switch (type_shape(out->type)) {
    case SHAPE_I8: LOOP1(int8_t, int8_t, r[i] = (int8_t)~x); break;
    case SHAPE_I16: LOOP1(int16_t, int16_t, r[i] = (int16_t)~x); break;
    case SHAPE_I32: LOOP1(int32_t, int32_t, r[i] = ~x); break;
    default: LOOP1(int64_t, int64_t, r[i] = ~x);
    }
}

/* The shift count is taken modulo the width, as Java does. */
#define SHIFT(id, name_, help_, example_, expected_, on32, on64)                                 \
    SCALAR(id, name_, "(int, int) -> int | (bigint, int) -> bigint", help_, example_, expected_) \
    {                                                                                            \
        if (type_shape(out->type) == SHAPE_I32)                                                  \
            LOOP2(int32_t, int32_t, int32_t, const int by = y & 31; r[i] = on32);                \
        else                                                                                     \
            LOOP2(int64_t, int64_t, int32_t, const int by = y & 63; r[i] = on64);                \
    }
SHIFT(fn_shift_left, "shiftleft <<", "Bits moved up.", "shiftleft(1, 4)", "16", (int32_t)((uint32_t)x << by),
      (int64_t)((uint64_t)x << by))
SHIFT(fn_shift_right, "shiftright >>", "Bits moved down, keeping the sign.", "shiftright(-8, 1)", "-4", x >> by,
      x >> by)
SHIFT(fn_shift_right_unsigned, "shiftrightunsigned >>>", "Bits moved down, zeros following.",
      "shiftrightunsigned(-1, 28)", "15", (int32_t)((uint32_t)x >> by), (int64_t)((uint64_t)x >> by))

static enum code bind_bit_count(struct binding *binding, struct error *err)
{
    enum type_id id = binding->args[0]->type->id;
    if (id == TYPE_BOOLEAN)
        return E_OK;
    if (id != TYPE_NULL && !type_is_integer(binding->args[0]->type))
        return binding_wrong_type(binding, 0, "INTEGRAL\" or \"BOOLEAN", err);
    return binding_cast(binding, 0, type_of(TYPE_INT64), err);
}

SCALAR(fn_bit_count, "bit_count", "(any) -> int", "How many bits are set.", "bit_count(7)", "3", .bind = bind_bit_count)
{
    if (args[0].col->type->id == TYPE_BOOLEAN)
        for (int64_t i = 0; i < call->rows; i++)
            column_values(out, int32_t)[i] = arg_bit(&args[0], i);
    else
        LOOP1(int32_t, int64_t, r[i] = __builtin_popcountll((uint64_t)x));
}

const struct function *const arithmetic_functions[] = {
    &fn_add,
    &fn_add_decimal,
    &fn_subtract,
    &fn_subtract_decimal,
    &fn_multiply,
    &fn_multiply_decimal,
    &fn_divide,
    &fn_divide_decimal,
    &fn_div,
    &fn_div_months,
    &fn_div_decimal,
    &fn_remainder,
    &fn_remainder_decimal,
    &fn_pmod,
    &fn_pmod_decimal,
    &fn_negative,
    &fn_positive,
    &fn_abs,
    &fn_try_add,
    &fn_try_add_decimal,
    &fn_try_subtract,
    &fn_try_subtract_decimal,
    &fn_try_multiply,
    &fn_try_multiply_decimal,
    &fn_try_divide,
    &fn_try_divide_decimal,
    &fn_try_mod,
    &fn_try_mod_decimal,
    &fn_bit_and,
    &fn_bit_or,
    &fn_bit_xor,
    &fn_bit_not,
    &fn_shift_left,
    &fn_shift_right,
    &fn_shift_right_unsigned,
    &fn_bit_count,
    NULL,
};
