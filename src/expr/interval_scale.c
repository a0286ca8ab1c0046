/* interval_scale.c - intervals of fields times and divided by numbers, rounded half away from zero. */
#include <math.h>

#include "expr/coerce.h"
#include "expr/loop.h"

/* A row's interval; months or microseconds. */
static int64_t interval_at(const struct arg *arg, int64_t row)
{
    row *= arg->step;
    return arg->col->type->id == TYPE_INTERVAL_YM ? arg_values(arg, int32_t)[row] : arg_values(arg, int64_t)[row];
}

static void interval_put(struct call *call, struct column *out, int64_t row, int128 value, enum reject_code code)
{
    bool months = out->type->id == TYPE_INTERVAL_YM;
    if (value != (months ? (int128)(int32_t)value : (int128)(int64_t)value))
        call_reject(call, row, code);
    if (months)
        column_values(out, int32_t)[row] = (int32_t)value;
    else
        column_values(out, int64_t)[row] = (int64_t)value;
}

/* Half of the divisor is added to the size before it is divided. */
static int128 divide_half_up(int128 value, int128 by)
{
    int128 quotient = value / by, rest = value % by;
    rest = rest < 0 ? -rest : rest;
    int128 size = by < 0 ? -by : by;
    bool up = rest >= size - rest;
    return up ? quotient + ((value < 0) == (by < 0) ? 1 : -1) : quotient;
}

/* ---- whole numbers: exact ---- */

static void scale_whole(struct call *call, const struct arg *args, struct column *out, bool divide)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t by = arg_values(&args[1], int64_t)[i * args[1].step];
        int128 from = interval_at(&args[0], i);
        bool zero = divide && by == 0;
        if (zero)
            call_reject(call, i, REJECT_INTERVAL_DIVISOR);
        int128 value = zero ? 0 : divide ? divide_half_up(from, by) : from * by;
        interval_put(call, out, i, value, divide ? REJECT_INTERVAL_OVERFLOW : REJECT_LONG_OVERFLOW);
    }
}

/* ---- fractions ---- */

static int128 round_half_up(double value)
{
    double rounded = value < 0 ? -floor(-value + 0.5) : floor(value + 0.5);
    return rounded > -0x1p100 && rounded < 0x1p100 ? (int128)rounded : (int128)1 << 100; // too large either way
}

static void scale_double(struct call *call, const struct arg *args, struct column *out, bool divide)
{
    for (int64_t i = 0; i < call->rows; i++) {
        double by = arg_values(&args[1], double)[i * args[1].step], from = (double)interval_at(&args[0], i);
        bool zero = divide && by == 0;
        if (zero)
            call_reject(call, i, REJECT_INTERVAL_DIVISOR);
        int128 value = zero ? 0 : round_half_up(divide ? from / by : from * by);
        interval_put(call, out, i, value, REJECT_LONG_OVERFLOW);
    }
}

/* Exact while 128 bits hold the product. */
static void scale_decimal(struct call *call, const struct arg *args, struct column *out, bool divide)
{
    const struct type *type = args[1].col->type;
    bool wide = type_is_wide_decimal(type);
    int128 unit = decimal_power10(type->scale);
    for (int64_t i = 0; i < call->rows; i++) {
        int128 by = decimal_load(&args[1], wide, i), from = interval_at(&args[0], i), value = 0;
        if (divide && by == 0)
            call_reject(call, i, REJECT_INTERVAL_DIVISOR);
        else if (!__builtin_mul_overflow(from, divide ? unit : by, &value))
            value = divide_half_up(value, divide ? by : unit);
        else
            value = round_half_up(divide ? (double)from / ((double)by / (double)unit)
                                         : (double)from * ((double)by / (double)unit));
        interval_put(call, out, i, value, REJECT_LONG_OVERFLOW);
    }
}

static void scale(struct call *call, const struct arg *args, struct column *out, bool divide)
{
    switch (args[1].col->type->id) {
    case TYPE_INT64: scale_whole(call, args, out, divide); break;
    case TYPE_DOUBLE: scale_double(call, args, out, divide); break;
    default: scale_decimal(call, args, out, divide);
    }
}

/* ---- rows ---- */

#define INTERVAL_NUMBER                                                              \
    "(interval_dt, double) -> interval_dt | (interval_ym, double) -> interval_ym | " \
    "(interval_dt, bigint) -> interval_dt | (interval_ym, bigint) -> interval_ym | " \
    "(interval_dt, D) -> interval_dt | (interval_ym, D) -> interval_ym"
#define TRY_SCALE (FN_FAILS | FN_NULLABLE | FN_TRY)

SCALAR(fn_interval_times, "*", INTERVAL_NUMBER, "Interval times a number, rounded half up.", "INTERVAL '1' DAY * 2.5",
       "INTERVAL '2 12:00:00' DAY TO SECOND", .flags = FN_FAILS | FN_OPERATOR)
{
    scale(call, args, out, false);
}
SCALAR(fn_interval_divide, "/", INTERVAL_NUMBER, "Interval divided by a number, rounded half up.",
       "INTERVAL '1' DAY / 2", "INTERVAL '0 12:00:00' DAY TO SECOND", .flags = FN_FAILS | FN_OPERATOR)
{
    scale(call, args, out, true);
}
SCALAR_SAME(fn_try_interval_times, "try_multiply", INTERVAL_NUMBER, "Interval times a number; NULL on overflow.", NULL,
            NULL, .run = fn_interval_times_run, .flags = TRY_SCALE);
SCALAR_SAME(fn_try_interval_divide, "try_divide", INTERVAL_NUMBER, "Interval divided by a number; NULL on overflow.",
            NULL, NULL, .run = fn_interval_divide_run, .flags = TRY_SCALE);

static enum code bind_swapped(struct binding *binding, struct error *err)
{
    const struct expr *args[] = {binding->args[1], binding->args[0]};
    return expr_call(binding->ctx, binding->function->name, args, 2, binding->at, &binding->rewritten, err);
}
#define NUMBER_INTERVAL                                                              \
    "(double, interval_dt) -> interval_dt | (double, interval_ym) -> interval_ym | " \
    "(bigint, interval_dt) -> interval_dt | (bigint, interval_ym) -> interval_ym | " \
    "(D, interval_dt) -> interval_dt | (D, interval_ym) -> interval_ym"
SCALAR_SAME(fn_number_times, "*", NUMBER_INTERVAL, "A number times an interval.", "2 * INTERVAL '1' DAY",
            "INTERVAL '2 00:00:00' DAY TO SECOND", .bind = bind_swapped, .flags = FN_OPERATOR);
SCALAR_SAME(fn_try_number_times, "try_multiply", NUMBER_INTERVAL, "A number times an interval; NULL on overflow.", NULL,
            NULL, .bind = bind_swapped);

const struct function *const interval_scale_functions[] = {&fn_interval_times,
                                                           &fn_interval_divide,
                                                           &fn_try_interval_times,
                                                           &fn_try_interval_divide,
                                                           &fn_number_times,
                                                           &fn_try_number_times,
                                                           NULL};
