/* cast_time.c - DATE, TIMESTAMP and TIMESTAMP_NTZ among one another in the session's zone, and seconds as numbers. */
#include <math.h>

#include "expr/cast.h"

/* ---- time to time ---- */

/* Local time may be beyond 64 bits where the day is not. */
static int32_t local_day(int64_t us, int64_t offset_us)
{
    int64_t local_us;
    if (!__builtin_add_overflow(us, offset_us, &local_us))
        return (int32_t)floor_divide(local_us, DAY_US);
    return (int32_t)(floor_divide(us, DAY_US) + floor_divide(floor_rest(us, DAY_US) + offset_us, DAY_US));
}

static void to_date(struct call *call, const struct arg *arg, struct column *out, const struct zone *zone)
{
    const int64_t *s = arg_values(arg, int64_t);
    for (int64_t i = 0; i < call->rows; i++)
        column_values(out, int32_t)[i] = local_day(s[i], zone != NULL ? zone_offset_us(zone, s[i]) : 0);
}

static void date_to_timestamp(struct call *call, const struct arg *arg, struct column *out, const struct zone *zone)
{
    const int32_t *s = arg_values(arg, int32_t);
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t local = 0;
        if (__builtin_mul_overflow((int64_t)s[i], DAY_US, &local))
            call_reject(call, i, REJECT_ARITHMETIC_OVERFLOW);
        column_values(out, int64_t)[i] = from_local(zone, local);
    }
}

static void shift_zone(struct call *call, const struct arg *arg, struct column *out, bool to_ntz)
{
    const struct zone *zone = call->session->zone;
    const int64_t *s = arg_values(arg, int64_t);
    int64_t *r = column_values(out, int64_t);
    for (int64_t i = 0; i < call->rows; i++)
        r[i] = to_ntz ? to_local(zone, s[i]) : from_local(zone, s[i]);
}

/* ---- numbers ---- */

/* Without ANSI, seconds that do not fit are NULL: here nothing wraps. */
static void null_beyond(struct call *call, int64_t row, int64_t seconds, const struct type *type)
{
    static const int64_t most[] = {INT8_MAX, INT16_MAX, INT32_MAX, INT64_MAX};
    if (call->session->ansi || !type_is_integer(type))
        return;
    int64_t high = most[type->id - TYPE_INT8];
    if (seconds > high || seconds < -high - 1)
        call_null(call, row);
}

/* The number as a column of its own, then a plain cast from there: DECIMALs keep every microsecond. */
static void timestamp_to_number(struct call *call, const struct arg *arg, struct column *out)
{
    bool whole = type_is_integer(out->type), exact = out->type->id == TYPE_DECIMAL;
    const struct type decimal = {.id = TYPE_DECIMAL, .precision = 20, .scale = 6};
    struct column seconds = {.type = exact ? &decimal : type_of(whole ? TYPE_INT64 : TYPE_DOUBLE), .rows = call->rows};
    const int64_t *s = arg_values(arg, int64_t);
    cast_values(call, &seconds);
    for (int64_t i = 0; i < call->rows; i++) {
        if (exact) {
            decimal_store(&seconds, true, i, s[i]);
        } else if (whole) {
            column_values(&seconds, int64_t)[i] = floor_divide(s[i], SECOND_US);
            null_beyond(call, i, column_values(&seconds, int64_t)[i], out->type);
        } else {
            column_values(&seconds, double)[i] = (double)s[i] / (double)SECOND_US;
        }
    }
    const struct arg number = {&seconds, arg->step};
    cast_number(call, &number, out);
    call_free(call, seconds.values);
}

static int64_t saturating_seconds(int64_t seconds)
{
    int64_t us;
    if (__builtin_mul_overflow(seconds, SECOND_US, &us))
        return seconds < 0 ? INT64_MIN : INT64_MAX; // as java.util.concurrent.TimeUnit does
    return us;
}

static void float_to_timestamp(struct call *call, double seconds, int64_t row, int64_t *out)
{
    double us = seconds * (double)SECOND_US;
    bool nearest = !call->session->ansi && !call->quiet; // without ANSI the last instant there is
    *out = isfinite(seconds) ? near_instant(seconds) : 0;
    if (!isfinite(seconds))
        call_reject(call, row, REJECT_CAST);
    else if (!nearest && !(us >= -0x1p63 && us <= 0x1p63))
        call_reject(call, row, REJECT_CAST_OVERFLOW);
}

static void number_to_timestamp(struct call *call, const struct arg *arg, struct column *out)
{
    const struct type *from = arg->col->type;
    int64_t *r = column_values(out, int64_t);
    for (int64_t i = 0; i < call->rows; i++) {
        switch (type_shape(from)) {
        case SHAPE_I8: r[i] = saturating_seconds(arg_values(arg, int8_t)[i]); continue;
        case SHAPE_I16: r[i] = saturating_seconds(arg_values(arg, int16_t)[i]); continue;
        case SHAPE_I32: r[i] = saturating_seconds(arg_values(arg, int32_t)[i]); continue;
        case SHAPE_F32: float_to_timestamp(call, (double)arg_values(arg, float)[i], i, &r[i]); continue;
        case SHAPE_F64: float_to_timestamp(call, arg_values(arg, double)[i], i, &r[i]); continue;
        default: break;
        }
        if (from->id == TYPE_INT64) {
            r[i] = saturating_seconds(arg_values(arg, int64_t)[i]);
            continue;
        }
        // A DECIMAL's digits below the microsecond are cut, and of what is too large the low bits stay, as in Spark.
        int128 value = decimal_load(arg, type_is_wide_decimal(from), i);
        enum { MICROSECOND_SCALE = 6 };
        if (from->scale >= MICROSECOND_SCALE)
            r[i] = (int64_t)(value / decimal_power10(from->scale - MICROSECOND_SCALE));
        else
            r[i] = (int64_t)((uint64_t)value * (uint64_t)decimal_power10(MICROSECOND_SCALE - from->scale));
    }
}

/* ---- intervals ---- */

static int64_t interval_at(const struct arg *arg, int64_t row)
{
    return arg->col->type->id == TYPE_INTERVAL_YM ? arg_values(arg, int32_t)[row] : arg_values(arg, int64_t)[row];
}

static void interval_put(struct call *call, struct column *out, int64_t row, int64_t value, bool fits)
{
    if (out->type->id == TYPE_INTERVAL_YM) {
        fits = fits && value == (int32_t)value;
        column_values(out, int32_t)[row] = (int32_t)value;
    } else {
        column_values(out, int64_t)[row] = value;
    }
    if (!fits)
        call_reject(call, row, REJECT_CAST_OVERFLOW);
}

/* What is below the last field falls away. */
static void interval_to_interval(struct call *call, const struct arg *arg, struct column *out)
{
    enum interval_field last = type_interval_to(out->type);
    int64_t unit = last == INTERVAL_SECOND ? 1 : interval_field_units(last);
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t value = interval_at(arg, i);
        interval_put(call, out, i, value - value % unit, true);
    }
}

/* So many of the last field; a DECIMAL of seconds keeps its fraction. */
static void interval_to_number(struct call *call, const struct arg *arg, struct column *out)
{
    enum interval_field last = type_interval_to(arg->col->type);
    int64_t unit = interval_field_units(last);
    bool fraction = last == INTERVAL_SECOND && out->type->id == TYPE_DECIMAL;
    const struct type seconds = {.id = TYPE_DECIMAL, .precision = 18, .scale = 6};
    struct column number = {.type = fraction ? &seconds : type_of(TYPE_INT64), .rows = call->rows};
    cast_values(call, &number);
    for (int64_t i = 0; i < call->rows; i++)
        column_values(&number, int64_t)[i] = fraction ? interval_at(arg, i) : interval_at(arg, i) / unit;
    const struct arg whole = {&number, arg->step};
    cast_number(call, &whole, out);
    call_free(call, number.values);
}

static void number_to_interval(struct call *call, const struct arg *arg, struct column *out)
{
    const struct type *from = arg->col->type;
    enum interval_field last = type_interval_to(out->type);
    int64_t unit = interval_field_units(last);
    bool rounded = last == INTERVAL_SECOND || last == INTERVAL_MONTH; // of the others the fraction falls away
    for (int64_t i = 0; i < call->rows; i++) {
        int128 value = 0;
        switch (type_shape(from)) {
        case SHAPE_I8: value = arg_values(arg, int8_t)[i]; break;
        case SHAPE_I16: value = arg_values(arg, int16_t)[i]; break;
        case SHAPE_I32: value = arg_values(arg, int32_t)[i]; break;
        default: value = decimal_load(arg, type_is_wide_decimal(from), i);
        }
        int128 scale = from->id == TYPE_DECIMAL ? decimal_power10(from->scale) : 1;
        if (!rounded)
            value /= scale;
        bool fits = !__builtin_mul_overflow(value, (int128)unit, &value);
        if (rounded)
            value = (value + (value < 0 ? -(scale / 2) : scale / 2)) / scale;
        fits = fits && value == (int64_t)value;
        interval_put(call, out, i, (int64_t)value, fits);
    }
}

/* An interval that does not fit is an error in any mode. */
static void cast_interval(struct call *call, const struct arg *arg, struct column *out)
{
    call->strict = true;
    if (!type_is_interval(out->type)) {
        interval_to_number(call, arg, out);
        return;
    }
    cast_values(call, out);
    if (type_is_interval(arg->col->type))
        interval_to_interval(call, arg, out);
    else
        number_to_interval(call, arg, out);
}

/* ---- times of the day ---- */

/* Seconds since midnight as a number; a DECIMAL keeps their fraction. */
static void cast_time_of_day(struct call *call, const struct arg *arg, struct column *out)
{
    const int64_t *s = arg_values(arg, int64_t);
    const struct type seconds = {.id = TYPE_DECIMAL, .precision = 14, .scale = 6};
    bool fraction = out->type->id == TYPE_DECIMAL;
    if (out->type->id == TYPE_TIME) {
        int64_t unit = (int64_t)decimal_power10(6 - type_time_digits(out->type));
        cast_values(call, out);
        for (int64_t i = 0; i < call->rows; i++)
            column_values(out, int64_t)[i] = s[i] - s[i] % unit;
        return;
    }
    struct column number = {.type = fraction ? &seconds : type_of(TYPE_INT64), .rows = call->rows};
    cast_values(call, &number);
    for (int64_t i = 0; i < call->rows; i++) {
        column_values(&number, int64_t)[i] = fraction ? s[i] : s[i] / SECOND_US;
        null_beyond(call, i, s[i] / SECOND_US, out->type);
    }
    const struct arg whole = {&number, arg->step};
    cast_number(call, &whole, out);
    call_free(call, number.values);
}

void cast_time(struct call *call, const struct arg *arg, struct column *out)
{
    if (arg->col->type->id == TYPE_TIME) {
        cast_time_of_day(call, arg, out);
        return;
    }
    enum type_id from = arg->col->type->id, to = out->type->id;
    const struct zone *zone = call->session->zone;
    if (type_is_interval(arg->col->type) || type_is_interval(out->type)) {
        cast_interval(call, arg, out);
        return;
    }
    if (from == TYPE_TIMESTAMP && to >= TYPE_INT8 && to <= TYPE_DECIMAL) {
        timestamp_to_number(call, arg, out);
        return;
    }
    cast_values(call, out);
    if (to == TYPE_DATE)
        to_date(call, arg, out, from == TYPE_TIMESTAMP ? zone : NULL);
    else if (from == TYPE_DATE)
        date_to_timestamp(call, arg, out, to == TYPE_TIMESTAMP ? zone : NULL);
    else if (from == TYPE_TIMESTAMP || from == TYPE_TIMESTAMP_NTZ)
        shift_zone(call, arg, out, to == TYPE_TIMESTAMP_NTZ);
    else
        number_to_timestamp(call, arg, out);
}
