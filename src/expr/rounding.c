/* rounding.c - round, bround, ceil, floor. Floats are rounded through their shortest decimal text, as Spark does
 * (round(0.285, 2) is 0.29, although the double is a little less). */
#include <math.h>

#include "expr/coerce.h"
#include "expr/loop.h"

enum rounding { HALF_UP, HALF_EVEN, UP, DOWN }; // UP: towards +infinity; DOWN: towards -infinity

/* value / unit, rounded. unit > 0. */
static int128 divide_rounded(int128 value, int128 unit, enum rounding how)
{
    int128 whole = value / unit, rest = value % unit;
    int128 size = rest < 0 ? -rest : rest;
    int away = value < 0 ? -1 : 1;
    switch (how) {
    case UP: return whole + (rest > 0);
    case DOWN: return whole - (rest < 0);
    case HALF_UP: return size >= unit - size ? whole + away : whole;
    case HALF_EVEN: break;
    }
    bool tie = size == unit - size;
    return size > unit - size || (tie && (whole & 1) != 0) ? whole + away : whole;
}

/* ---- binding: the number of digits is a constant ---- */

enum { DIGITS_MAX = 38 };

static int bound_digits(const struct call *call) { return call->bound == NULL ? 0 : *(const int *)call->bound; }

static enum code bind_digits(struct binding *binding, struct error *err)
{
    int *digits = arena_new(binding->ctx->arena, int);
    if (binding->count == 2) {
        const struct expr *literal;
        TRY(binding_foldable(binding, 1, &literal, err));
        int64_t value = literal_is_null(literal) ? 0 : literal_int(literal);
        *digits = (int)(value > 400 ? 400 : value < -400 ? -400 : value);
    }
    binding->bound = digits;
    binding->nullable = true;
    return E_OK;
}

static enum code bind_decimal(struct binding *binding, struct error *err)
{
    TRY(bind_digits(binding, err));
    int digits = *(const int *)binding->bound;
    const struct type *of = binding->args[0]->type;
    int whole = of->precision - of->scale + 1, scale = digits < 0 ? 0 : digits < of->scale ? digits : of->scale;
    int precision = digits < 0 && -digits + 1 > whole ? -digits + 1 : whole + scale;
    binding->type = type_decimal(binding->ctx->arena, precision < DIGITS_MAX ? precision : DIGITS_MAX, scale);
    return E_OK;
}

/* With digits a whole number is a DECIMAL of its type, not of its own digits. */
static enum code bind_edge(struct binding *binding, struct error *err)
{
    const struct expr *arg = binding->args[0];
    if (arg->kind == EXPR_CAST && arg->index == 0 && type_is_integer(arg->args[0]->type))
        binding->args[0] =
            expr_cast_implicit(binding->ctx, arg->args[0], decimal_for(binding->ctx->arena, arg->args[0]->type));
    const struct type *of = binding->args[0]->type;
    TRY(bind_decimal(binding, err));
    if (binding->count == 1 && of->scale == 0) // nothing to round, so no digit more
        binding->type = of;
    return E_OK;
}

/* ---- kernels ---- */

static void round_decimals(struct call *call, const struct arg *args, struct column *out, enum rounding how)
{
    const struct type *from = args[0].col->type, *to = out->type;
    bool from_wide = type_is_wide_decimal(from), to_wide = type_is_wide_decimal(to);
    int digits = bound_digits(call), cut = from->scale - digits;
    call->strict = digits < 0; // tens and hundreds that do not fit are an error in any mode
    for (int64_t i = 0; i < call->rows; i++) {
        int128 value = decimal_load(&args[0], from_wide, i);
        if (cut > DIGITS_MAX)
            value = 0;
        else if (cut > 0)
            value = divide_rounded(value, decimal_power10(cut), how);
        if (digits < 0 && cut <= DIGITS_MAX &&
            __builtin_mul_overflow(value, decimal_power10(-digits < DIGITS_MAX ? -digits : DIGITS_MAX), &value))
            call_reject(call, i, REJECT_NUMERIC_RANGE_ROUNDED);
        if (!decimal_fits(value, to->precision))
            call_reject(call, i, digits < 0 ? REJECT_NUMERIC_RANGE_ROUNDED : REJECT_NUMERIC_RANGE);
        decimal_store(out, to_wide, i, value);
    }
}

static int128 round_integer(int64_t value, int digits, enum rounding how)
{
    if (digits < -18)
        return 0;
    int128 unit = decimal_power10(-digits);
    return divide_rounded(value, unit, how) * unit;
}

/* Whether `value` is so far from a tie that no text is needed to see which way it goes. The product is off by less than the
 * margin, whole numbers below 2^52 and these powers are exact, so the quotient is the double next to the decimal. */
static bool round_plain(double value, int digits, double *out)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};
    if (digits < 0 || digits >= (int)(sizeof powers / sizeof *powers))
        return false;
    double scaled = fabs(value) * powers[digits];
    if (!(scaled < 0x1p52))
        return false;
    double whole = floor(scaled), rest = scaled - whole;
    if (fabs(rest - 0.5) <= scaled * 0x1p-50)
        return false;
    double size = (rest > 0.5 ? whole + 1 : whole) / powers[digits];
    *out = value < 0 ? 0 - size : size;
    return true;
}

static double round_double(double value, int digits, enum rounding how)
{
    enum { FRACTION = 18 };
    int128 scaled;
    double plain;
    if (round_plain(value, digits, &plain))
        return plain;
    if (!isfinite(value) || digits > FRACTION || !decimal_from_double(value, DIGITS_MAX, FRACTION, &scaled))
        return digits >= 0 || !isfinite(value) ? value : 0 * value;
    int cut = FRACTION - digits;
    if (cut > DIGITS_MAX)
        return 0;
    int128 unit = decimal_power10(cut);
    return decimal_to_double(divide_rounded(scaled, unit, how) * unit, FRACTION);
}

#define ROUND_INTEGER_CASE(shape, ctype)                                                            \
    case shape:                                                                                     \
        for (int64_t i = 0; i < call->rows; i++) {                                                  \
            int128 rounded = digits >= 0 ? a_##shape[i] : round_integer(a_##shape[i], digits, how); \
            if (rounded != (ctype)rounded)                                                          \
                call_reject(call, i, REJECT_ARITHMETIC_OVERFLOW);                                   \
            column_values(out, ctype)[i] = (ctype)rounded;                                          \
        }                                                                                           \
        break;

static void round_numbers(struct call *call, const struct arg *args, struct column *out, enum rounding how)
{
    int digits = bound_digits(call);
#define VALUES(shape, ctype) const ctype *a_##shape = arg_values(&args[0], ctype);
    SHAPES_INTEGER(VALUES)
    SHAPES_FLOAT(VALUES)
#undef VALUES
    switch (type_shape(out->type)) {
        SHAPES_INTEGER(ROUND_INTEGER_CASE)
    case SHAPE_F32:
        for (int64_t i = 0; i < call->rows; i++)
            column_values(out, float)[i] = (float)round_double((double)a_SHAPE_F32[i], digits, how);
        break;
    default:
        for (int64_t i = 0; i < call->rows; i++)
            column_values(out, double)[i] = round_double(a_SHAPE_F64[i], digits, how);
    }
}

#define ROUNDING(id, name_, help_, example_, expected_, how)                                                  \
    SCALAR(id, name_, "(N, int?) -> N", help_, example_, expected_, .bind = bind_digits, .flags = FN_FAILS)   \
    {                                                                                                         \
        round_numbers(call, args, out, how);                                                                  \
    }                                                                                                         \
    SCALAR(id##_decimal, name_, "(D, int?) -> D", help_, NULL, NULL, .bind = bind_decimal, .flags = FN_FAILS) \
    {                                                                                                         \
        round_decimals(call, args, out, how);                                                                 \
    }
ROUNDING(fn_round, "round", "Rounded to that many digits behind the point, half away from zero.", "round(2.5, 0)", "3",
         HALF_UP)
ROUNDING(fn_bround, "bround", "Rounded to that many digits behind the point, half to even.", "bround(2.5, 0)", "2",
         HALF_EVEN)

/* With a number of digits the value is a DECIMAL, whatever it was. */
static enum code bind_scaled_edge(struct binding *binding, struct error *err)
{
    struct arena *arena = binding->ctx->arena;
    const struct expr *digits = binding->args[1];
    const struct type *of = binding->args[0]->type;
    if (!expr_is_foldable(digits) || !(type_is_integer(digits->type) && digits->type->id != TYPE_INT64))
        return fail(err, E_SQL,
                    "[NON_FOLDABLE_ARGUMENT] The function `%.*s` requires the parameter `scale` to be a foldable "
                    "expression of the type \"INT\", but the actual argument is a non-foldable.",
                    (int)strcspn(binding->function->name, " "), binding->function->name);
    binding->type = of->id == TYPE_DECIMAL ? of : decimal_for(arena, of);
    TRY(binding_cast(binding, 0, binding->type, err));
    TRY(binding_cast(binding, 1, type_of(TYPE_INT32), err));
    return bind_edge(binding, err);
}

static int64_t saturate(double x)
{
    if (isnan(x))
        return 0;
    return x >= 0x1p63 ? INT64_MAX : x <= -0x1p63 ? INT64_MIN : (int64_t)x;
}

#define EDGE(id, name_, help_, example_, expected_, function, how)                                            \
    SCALAR(id, name_, "(double) -> bigint", help_, example_, expected_)                                       \
    {                                                                                                         \
        LOOP1(int64_t, double, r[i] = saturate(function(x)));                                                 \
    }                                                                                                         \
    SCALAR(id##_whole, name_, "(bigint) -> bigint", help_, NULL, NULL) { LOOP1(int64_t, int64_t, r[i] = x); } \
    SCALAR(id##_decimal, name_, "(D) -> D", help_, NULL, NULL, .bind = bind_edge, .flags = FN_FAILS)          \
    {                                                                                                         \
        round_decimals(call, args, out, how);                                                                 \
    }                                                                                                         \
    SCALAR_SAME(id##_scaled, name_, "(any, any) -> any", help_, NULL, NULL, .run = id##_decimal_run,          \
                .bind = bind_scaled_edge, .flags = FN_FAILS);
EDGE(fn_ceil, "ceil ceiling", "Smallest whole number not below.", "ceil(1.2)", "2", ceil, UP)
EDGE(fn_floor, "floor", "Largest whole number not above.", "floor(-1.2)", "-2", floor, DOWN)

const struct function *const rounding_functions[] = {
    &fn_round,      &fn_round_decimal, &fn_bround,       &fn_bround_decimal,
    &fn_ceil_whole, &fn_ceil,          &fn_ceil_decimal, &fn_floor_whole,
    &fn_floor,      &fn_floor_decimal, &fn_ceil_scaled,  &fn_floor_scaled,
    NULL,
};
