/* math.c - functions of real numbers. Spark computes them with Java's StrictMath; the last bit of exp, pow and the
 * trigonometric functions may differ from libm's, which is nearer to the true value. */
#include <math.h>

#include "expr/loop.h"

static double degrees_of(double x) { return x * 180.0 / M_PI; }
static double radians_of(double x) { return x * 0.017453292519943295; } // as Java does: not x / 180 * pi
static double sign_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
/* In Java NaN to any power but 0 is NaN, also as the exponent of 1, and 1 to the power of infinity is. */
static double power_of(double x, double y)
{
    bool of_one = x == 1 || x == -1;
    return isnan(y) || (of_one && isinf(y)) ? (double)NAN : pow(x, y);
}
/* As Java has it: libm's differs in the last digits of small ones. */
static double hyperbolic_arc_tangent(double x) { return 0.5 * (log1p(x) - log1p(-x)); }
static double secant(double x) { return 1 / cos(x); }
static double cosecant(double x) { return 1 / sin(x); }
static double cotangent(double x) { return 1 / tan(x); }

#define REAL(id, name_, help_, example_, expected_, value)                                    \
    SCALAR(id, name_, "(double) -> double", help_, example_, expected_, .flags = FN_NULLABLE) \
    {                                                                                         \
        LOOP1(double, double, r[i] = value);                                                  \
    }
REAL(fn_sqrt, "sqrt", "Square root.", "sqrt(16)", "4.0", sqrt(x))
REAL(fn_cbrt, "cbrt", "Cube root.", "cbrt(27)", "3.0", (double)cbrtl((long double)x))
REAL(fn_exp, "exp", "e to the power of the argument.", "exp(0)", "1.0", exp(x))
REAL(fn_expm1, "expm1", "exp(x) - 1, exact near 0.", "expm1(0)", "0.0", expm1(x))
REAL(fn_sin, "sin", "Sine.", "sin(0)", "0.0", sin(x))
REAL(fn_cos, "cos", "Cosine.", "cos(0)", "1.0", cos(x))
REAL(fn_tan, "tan", "Tangent.", "tan(0)", "0.0", tan(x))
REAL(fn_sec, "sec", "Secant.", "sec(0)", "1.0", secant(x))
REAL(fn_csc, "csc", "Cosecant.", NULL, NULL, cosecant(x))
REAL(fn_cot, "cot", "Cotangent.", NULL, NULL, cotangent(x))
REAL(fn_asin, "asin", "Inverse sine.", "asin(0)", "0.0", asin(x))
REAL(fn_acos, "acos", "Inverse cosine.", "acos(1)", "0.0", acos(x))
REAL(fn_atan, "atan", "Inverse tangent.", "atan(0)", "0.0", atan(x))
REAL(fn_sinh, "sinh", "Hyperbolic sine.", "sinh(0)", "0.0", sinh(x))
REAL(fn_cosh, "cosh", "Hyperbolic cosine.", "cosh(0)", "1.0", cosh(x))
REAL(fn_tanh, "tanh", "Hyperbolic tangent.", "tanh(0)", "0.0", tanh(x))
REAL(fn_asinh, "asinh", "Inverse hyperbolic sine.", "asinh(0)", "0.0", asinh(x))
REAL(fn_acosh, "acosh", "Inverse hyperbolic cosine.", "acosh(1)", "0.0", acosh(x))
REAL(fn_atanh, "atanh", "Inverse hyperbolic tangent.", "atanh(0)", "0.0", hyperbolic_arc_tangent(x))
REAL(fn_sign, "sign signum", "-1, 0 or 1.", "sign(-3)", "-1.0", sign_of(x))
REAL(fn_rint, "rint", "Nearest whole number, ties to even.", "rint(2.5)", "2.0", rint(x))
REAL(fn_degrees, "degrees", "Radians to degrees.", "degrees(0)", "0.0", degrees_of(x))
REAL(fn_radians, "radians", "Degrees to radians.", "radians(180)", "3.141592653589793", radians_of(x))

/* Logarithms of what is not positive are NULL. */
static void null_below(struct call *call, const struct arg *arg, double bound)
{
    const double *values = arg_values(arg, double);
    bool bad = false;
    for (int64_t i = 0; i < call->rows; i++)
        bad |= values[i * arg->step] <= bound;
    for (int64_t i = 0; bad && i < call->rows; i++)
        if (values[i * arg->step] <= bound)
            call_null(call, i);
}
#define LOGARITHM(id, name_, help_, example_, expected_, bound, value)                        \
    SCALAR(id, name_, "(double) -> double", help_, example_, expected_, .flags = FN_NULLABLE) \
    {                                                                                         \
        LOOP1(double, double, r[i] = value);                                                  \
        null_below(call, &args[0], bound);                                                    \
    }
LOGARITHM(fn_ln, "ln log", "Natural logarithm; NULL unless positive.", "ln(1)", "0.0", 0, log(x))
LOGARITHM(fn_log10, "log10", "Logarithm to base 10; NULL unless positive.", "log10(100)", "2.0", 0, log10(x))
LOGARITHM(fn_log2, "log2", "Logarithm to base 2; NULL unless positive.", "log2(8)", "3.0", 0, log(x) / log(2))
LOGARITHM(fn_log1p, "log1p", "ln(1 + x), exact near 0; NULL up to -1.", "log1p(0)", "0.0", -1, log1p(x))

SCALAR(fn_log_base, "log", "(double, double) -> double", "Logarithm of the second argument to the first as base.",
       "log(2, 8)", "3.0", .flags = FN_NULLABLE)
{
    LOOP2(double, double, double, r[i] = log(y) / log(x));
    null_below(call, &args[0], 0);
    null_below(call, &args[1], 0);
}

#define REAL2(id, name_, help_, example_, expected_, value)                     \
    SCALAR(id, name_, "(double, double) -> double", help_, example_, expected_) \
    {                                                                           \
        LOOP2(double, double, double, r[i] = value);                            \
    }
REAL2(fn_power, "pow power", "x to the power of y.", "power(2, 10)", "1024.0", power_of(x, y))
/* -0.0 is 0.0 here, as in Spark: no angle of pi for a point that is none. */
REAL2(fn_atan2, "atan2", "Angle of the point (y, x).", "atan2(0, 1)", "0.0", atan2(x + 0.0, y + 0.0))
REAL2(fn_hypot, "hypot", "sqrt(x * x + y * y).", "hypot(3, 4)", "5.0", hypot(x, y))

/* A CASE, for the second argument may fail only where it is needed. */
static enum code bind_nanvl(struct binding *binding, struct error *err)
{
    const struct expr *branches[3] = {NULL, binding->args[1], binding->args[0]};
    TRY(expr_call(binding->ctx, "isnan", binding->args, 1, binding->at, &branches[0], err));
    return expr_case(binding->ctx, branches, 3, binding->at, &binding->rewritten, err);
}
SCALAR_SAME(fn_nanvl, "nanvl", "(double, double) -> double", "The first argument, or the second where it is NaN.",
            "nanvl(1.5, 2)", "1.5", .bind = bind_nanvl);

SCALAR(fn_is_nan, "isnan", "(double) -> boolean | (float) -> boolean", "Whether it is NaN; NULL is not.",
       "isnan(double('NaN'))", "true", .flags = FN_NULLS | FN_NEVER_NULL)
{
    bool single = args[0].col->type->id == TYPE_FLOAT;
    for (int64_t i = 0; i < call->rows; i++) {
        double x = single ? (double)arg_values(&args[0], float)[i] : arg_values(&args[0], double)[i];
        bit_put(out->values->data, i, arg_valid(&args[0], i) && isnan(x));
    }
}

SCALAR(fn_pi, "pi", "() -> double", "3.14159...", "pi()", "3.141592653589793") { column_values(out, double)[0] = M_PI; }

SCALAR(fn_e, "e", "() -> double", "2.71828...", "e()", "2.718281828459045") { column_values(out, double)[0] = M_E; }

SCALAR(fn_factorial, "factorial", "(int) -> bigint", "n!; NULL outside 0 to 20.", "factorial(5)", "120",
       .flags = FN_NULLABLE)
{
    enum { FACTORIAL_MAX = 20 };
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t n = arg_values(&args[0], int32_t)[i];
        int64_t product = 1;
        for (int32_t k = 2; k <= n && n <= FACTORIAL_MAX; k++)
            product *= k;
        column_values(out, int64_t)[i] = product;
        if (n < 0 || n > FACTORIAL_MAX)
            call_null(call, i);
    }
}

/* ---- buckets ---- */

static double measure_at(const struct arg *arg, int64_t row)
{
    row *= arg->step;
    switch (arg->col->type->id) {
    case TYPE_INTERVAL_YM: return arg_values(arg, int32_t)[row];
    case TYPE_INTERVAL_DT: return (double)arg_values(arg, int64_t)[row];
    default: return arg_values(arg, double)[row];
    }
}

/* 0 when there is none; buckets run downwards when `first` is the larger end. */
static bool bucket_of(double value, double first, double last, int64_t count, int64_t *out)
{
    if (count <= 0 || count == INT64_MAX || isnan(value) || !isfinite(first) || !isfinite(last) || first == last)
        return false;
    double way = first < last ? value - first : first - value, whole = fabs(last - first);
    *out = way < 0 ? 0 : way >= whole ? count + 1 : (int64_t)((double)count * way / whole) + 1;
    return true;
}

SCALAR(fn_width_bucket, "width_bucket", "(double, double, double, bigint) -> bigint | (Y, Y, Y, bigint) -> bigint",
       "Which of so many equal buckets between the second and the third a value falls into; 0 and n + 1 are outside.",
       "width_bucket(5.3, 0.2, 10.6, 5)", "3", .flags = FN_NULLABLE)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t bucket = 0, count = arg_values(&args[3], int64_t)[i * args[3].step];
        if (!bucket_of(measure_at(&args[0], i), measure_at(&args[1], i), measure_at(&args[2], i), count, &bucket))
            call_null(call, i);
        column_values(out, int64_t)[i] = bucket;
    }
}

/* The sign of an interval, as of its months or microseconds. */
SCALAR(fn_interval_sign, "sign signum", "(interval_ym) -> double | (interval_dt) -> double", "-1, 0 or 1.",
       "sign(INTERVAL '-1' DAY)", "-1.0")
{
    for (int64_t i = 0; i < call->rows; i++) {
        double value = measure_at(&args[0], i);
        column_values(out, double)[i] = (value > 0) - (value < 0);
    }
}

const struct function *const math_functions[] = {
    &fn_sqrt,
    &fn_cbrt,
    &fn_exp,
    &fn_expm1,
    &fn_ln,
    &fn_log_base,
    &fn_log10,
    &fn_log2,
    &fn_log1p,
    &fn_power,
    &fn_sin,
    &fn_cos,
    &fn_tan,
    &fn_sec,
    &fn_csc,
    &fn_cot,
    &fn_asin,
    &fn_acos,
    &fn_atan,
    &fn_atan2,
    &fn_sinh,
    &fn_cosh,
    &fn_tanh,
    &fn_asinh,
    &fn_acosh,
    &fn_atanh,
    &fn_hypot,
    &fn_sign,
    &fn_interval_sign,
    &fn_width_bucket,
    &fn_rint,
    &fn_degrees,
    &fn_radians,
    &fn_nanvl,
    &fn_is_nan,
    &fn_pi,
    &fn_e,
    &fn_factorial,
    NULL,
};
