/* time_of_day.c - functions of the type TIME: making, taking apart, truncating, adding to it. */
#include <strings.h>

#include "expr/cast.h"
#include "expr/coerce.h"
#include "expr/loop.h"

#define HOUR_US (3600 * SECOND_US)
#define MINUTE_US (60 * SECOND_US)

static int64_t time_at(const struct arg *arg, int64_t row) { return arg_values(arg, int64_t)[row * arg->step]; }

static int32_t int_at(const struct arg *arg, int64_t row) { return arg_values(arg, int32_t)[row * arg->step]; }

/* ---- making ---- */

static enum code bind_make(struct binding *binding, struct error *err)
{
    return binding_cast(binding, 2, type_decimal(binding->ctx->arena, 16, 6), err);
}
SCALAR(fn_make_time, "make_time", "(int, int, any) -> time", "A time of hour, minute and second.",
       "make_time(6, 30, 45.887)", "06:30:45.887", .bind = bind_make, .flags = FN_FAILS | FN_NULLABLE)
{
    call->strict = true;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t hour = int_at(&args[0], i), minute = int_at(&args[1], i),
                us = (int64_t)decimal_load(&args[2], false, i);
        bool valid = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && us >= 0 && us < MINUTE_US;
        if (!valid)
            call_reject(call, i, REJECT_FIELD_BOUNDS_PLAIN);
        column_values(out, int64_t)[i] = valid ? hour * HOUR_US + minute * MINUTE_US + us : 0;
    }
}

static enum code bind_exact(struct binding *binding, struct error *err) { return binding_exact(binding, 0, err); }
static enum code bind_cast(struct binding *binding, struct error *err)
{
    return expr_cast(binding->ctx, binding->args[0], type_of(TYPE_TIME), false, binding->at, &binding->rewritten, err);
}
SCALAR(fn_to_time, "to_time", "(string) -> time", "A text as a time of the day, as CAST reads it.",
       "to_time('12:10:05')", "12:10:05", .bind = bind_exact, .flags = FN_FAILS | FN_NULLABLE)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t us = 0;
        if (call_valid(call, i) && !time_of_day_parse(arg_bytes(&args[0], i), &us))
            call_reject(call, i, REJECT_TIME_OF_DAY);
        column_values(out, int64_t)[i] = us;
    }
}
SCALAR_SAME(fn_try_to_time, "try_to_time", "(string) -> time", "A text as a time of the day; NULL when it is none.",
            "try_to_time('12:99')", "NULL", .run = fn_to_time_run, .bind = bind_exact,
            .flags = FN_FAILS | FN_NULLABLE | FN_TRY);
SCALAR_SAME(fn_time_cast, "time", "(any) -> any", "CAST AS TIME.", "time('10:11')", "10:11:00", .bind = bind_cast);

/* ---- parts ---- */

#define TIME_PART(id, name_, rtype, sql, value)                                              \
    SCALAR(id, name_, "(time) -> " sql, "A part of a time.", NULL, NULL, .flags = FN_HIDDEN) \
    {                                                                                        \
        LOOP1(rtype, int64_t, r[i] = (rtype)(value));                                        \
    }
TIME_PART(fn_time_hour, "time:hour hour", int32_t, "int", x / HOUR_US)
TIME_PART(fn_time_minute, "time:minute minute", int32_t, "int", x / MINUTE_US % 60)
TIME_PART(fn_time_whole_second, "time:whole_second second", int32_t, "int", x / SECOND_US % 60)

static enum code bind_fraction(struct binding *binding, __attribute__((unused)) struct error *err)
{
    binding->type = type_decimal(binding->ctx->arena, 8, 6);
    return E_OK;
}
SCALAR(fn_time_second, "time:second", "(time) -> any", "Second and its fraction.", NULL, NULL, .bind = bind_fraction,
       .flags = FN_HIDDEN)
{
    LOOP1(int64_t, int64_t, r[i] = x % MINUTE_US);
}

/* ---- units by name ---- */

static int64_t unit_of(struct bytes name)
{
    static const struct {
        const char *name;
        int64_t us;
    } units[] = {
        {"HOUR", HOUR_US}, {"MINUTE", MINUTE_US}, {"SECOND", SECOND_US}, {"MILLISECOND", 1000}, {"MICROSECOND", 1}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (name.size == strlen(units[i].name) && strncasecmp(units[i].name, (const char *)name.data, name.size) == 0)
            return units[i].us;
    return 0;
}

SCALAR(fn_time_trunc, "time_trunc", "(string, time) -> time", "The time without what is below a unit.",
       "time_trunc('HOUR', TIME'09:32:05.359')", "09:00:00", .flags = FN_FAILS | FN_NULLABLE)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t unit = unit_of(arg_bytes(&args[0], i)), us = time_at(&args[1], i);
        if (unit == 0)
            call_reject(call, i, REJECT_TIME_UNIT);
        column_values(out, int64_t)[i] = unit == 0 ? 0 : us - us % unit;
    }
}

SCALAR(fn_time_diff, "time_diff", "(string, time, time) -> bigint", "Whole units from the first time to the second.",
       "time_diff('HOUR', TIME'20:30:29', TIME'21:30:28')", "0", .flags = FN_FAILS | FN_NULLABLE)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t unit = unit_of(arg_bytes(&args[0], i));
        if (unit == 0)
            call_reject(call, i, REJECT_TIME_UNIT);
        column_values(out, int64_t)[i] = unit == 0 ? 0 : (time_at(&args[2], i) - time_at(&args[1], i)) / unit;
    }
}

/* ---- numbers ---- */

/* Seconds of whole numbers, of reals and of DECIMALs. */
static enum code bind_seconds(struct binding *binding, struct error *err)
{
    const struct type *type = binding->args[0]->type;
    if (type->id == TYPE_DECIMAL)
        return E_OK;
    if (!type_is_numeric(type) && type->id != TYPE_NULL)
        return binding_wrong_type(binding, 0, "NUMERIC", err);
    bool real = type->id == TYPE_FLOAT || type->id == TYPE_DOUBLE;
    return binding_cast(binding, 0, type_of(real ? TYPE_DOUBLE : TYPE_INT64), err);
}

/* Spark counts nanoseconds: more than nine fraction digits are an error, what is below a microsecond is cut off here. */
static bool decimal_seconds(int128 value, int scale, int64_t *us)
{
    const int128 billion = 1000000000;
    int128 unit = decimal_power10(scale), whole = value / unit, rest = value % unit * billion;
    if (whole < 0 || rest < 0 || whole >= DAY_US / SECOND_US || (scale > 9 && rest % unit != 0))
        return false;
    *us = (int64_t)whole * SECOND_US + (int64_t)(rest / unit / 1000);
    return true;
}

static bool seconds_at(const struct arg *arg, int64_t row, int64_t *us)
{
    const struct type *type = arg->col->type;
    if (type->id == TYPE_DECIMAL)
        return decimal_seconds(decimal_load(arg, type_is_wide_decimal(type), row), type->scale, us);
    if (type->id == TYPE_INT64)
        return !__builtin_mul_overflow(time_at(arg, row), SECOND_US, us) && *us >= 0 && *us < DAY_US;
    double nanoseconds = arg_values(arg, double)[row * arg->step] * 1e9;
    bool valid = nanoseconds > -1 && nanoseconds < (double)DAY_US * 1e3; // false for NaN
    *us = valid ? (int64_t)nanoseconds / 1000 : 0;
    return valid;
}

static void from_units(struct call *call, const struct arg *args, struct column *out, int64_t unit)
{
    call->strict = true;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t us;
        bool valid = !__builtin_mul_overflow(time_at(&args[0], i), unit, &us) && us >= 0 && us < DAY_US;
        if (!valid)
            call_reject(call, i, REJECT_FIELD_BOUNDS_PLAIN);
        column_values(out, int64_t)[i] = valid ? us : 0;
    }
}
SCALAR(fn_time_from_seconds, "time_from_seconds", "(any) -> time", "A time of seconds since midnight.",
       "time_from_seconds(52200.5)", "14:30:00.5", .bind = bind_seconds, .flags = FN_FAILS | FN_NULLABLE)
{
    call->strict = true;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t us = 0;
        if (!seconds_at(&args[0], i, &us))
            call_reject(call, i, REJECT_FIELD_BOUNDS_PLAIN);
        column_values(out, int64_t)[i] = us;
    }
}
SCALAR(fn_time_from_millis, "time_from_millis", "(bigint) -> time", "A time of milliseconds since midnight.",
       "time_from_millis(52200500)", "14:30:00.5", .flags = FN_FAILS | FN_NULLABLE)
{
    from_units(call, args, out, 1000);
}
SCALAR(fn_time_from_micros, "time_from_micros", "(bigint) -> time", "A time of microseconds since midnight.",
       "time_from_micros(52200500000)", "14:30:00.5", .flags = FN_FAILS | FN_NULLABLE)
{
    from_units(call, args, out, 1);
}

static enum code bind_to_seconds(struct binding *binding, struct error *err)
{
    TRY(binding_exact(binding, 0, err));
    binding->type = type_decimal(binding->ctx->arena, 14, 6);
    return E_OK;
}
SCALAR(fn_time_to_seconds, "time_to_seconds", "(time) -> any", "Seconds since midnight.",
       "time_to_seconds(TIME'14:30:00.5')", "52200.500000", .bind = bind_to_seconds)
{
    LOOP1(int64_t, int64_t, r[i] = x);
}
SCALAR(fn_time_to_millis, "time_to_millis", "(time) -> bigint", "Milliseconds since midnight.",
       "time_to_millis(TIME'14:30:00.5')", "52200500", .bind = bind_exact)
{
    LOOP1(int64_t, int64_t, r[i] = x / 1000);
}
SCALAR(fn_time_to_micros, "time_to_micros", "(time) -> bigint", "Microseconds since midnight.",
       "time_to_micros(TIME'14:30:00.5')", "52200500000", .bind = bind_exact)
{
    LOOP1(int64_t, int64_t, r[i] = x);
}

/* ---- sums ---- */

/* A time and an interval stay within the day, and have digits for both. */
static enum code bind_moved(struct binding *binding, __attribute__((unused)) struct error *err)
{
    int digits = type_time_digits(binding->args[0]->type);
    bool seconds = type_interval_to(binding->args[1]->type) == INTERVAL_SECOND;
    binding->type = type_time(seconds ? 6 : digits);
    return E_OK;
}

/* Spark counts the nanoseconds before it looks whether the day has them. */
static void move_times(struct call *call, const struct arg *args, struct column *out, int sign)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t us, ns;
        bool counts = !__builtin_mul_overflow(time_at(&args[1], i), (int64_t)sign, &us) &&
                      !__builtin_add_overflow(us, time_at(&args[0], i), &us) &&
                      !__builtin_mul_overflow(us, (int64_t)1000, &ns);
        bool fits = counts && us >= 0 && us < DAY_US;
        if (!fits)
            call_reject(call, i, counts ? REJECT_TIME_OVERFLOW : REJECT_ARITHMETIC_OVERFLOW);
        column_values(out, int64_t)[i] = fits ? us : 0;
    }
}
SCALAR(fn_time_plus, "+", "(time, interval_dt) -> any", "Later by an interval.",
       "TIME'09:00:00' + INTERVAL '30' MINUTE", "09:30:00", .bind = bind_moved,
       .flags = FN_FAILS | FN_NULLABLE | FN_OPERATOR)
{
    move_times(call, args, out, 1);
}
SCALAR(fn_time_minus, "-", "(time, interval_dt) -> any", "Earlier by an interval.",
       "TIME'09:00:00' - INTERVAL '30' MINUTE", "08:30:00", .bind = bind_moved,
       .flags = FN_FAILS | FN_NULLABLE | FN_OPERATOR)
{
    move_times(call, args, out, -1);
}
static enum code bind_swapped(struct binding *binding, struct error *err)
{
    const struct expr *args[] = {binding->args[1], binding->args[0]};
    return expr_call(binding->ctx, "+", args, 2, binding->at, &binding->rewritten, err);
}
SCALAR_SAME(fn_interval_plus_time, "+", "(interval_dt, time) -> any", "Later by an interval.",
            "INTERVAL '30' MINUTE + TIME'09:00:00'", "09:30:00", .bind = bind_swapped, .flags = FN_OPERATOR);

static enum code bind_apart(struct binding *binding, __attribute__((unused)) struct error *err)
{
    binding->type = type_interval(INTERVAL_HOUR, INTERVAL_SECOND);
    return E_OK;
}
SCALAR(fn_time_apart, "-", "(time, time) -> any", "The time between two times.", "TIME'09:30:00' - TIME'09:00:00'",
       "INTERVAL '00:30:00' HOUR TO SECOND", .bind = bind_apart, .flags = FN_OPERATOR)
{
    LOOP2(int64_t, int64_t, int64_t, r[i] = x - y);
}

/* ---- a date and a time ---- */

static const struct zone *zone_named(struct bytes name)
{
    const struct zone *zone;
    struct error ignored;
    return zone_find(name, &zone, &ignored) == E_OK ? zone : NULL;
}

/* Also by functions that try and without ANSI: a try covers the parts of a time, not where it is. */
static void reject_zone(struct call *call, int64_t row)
{
    bool quiet = call->quiet, strict = call->strict;
    call->quiet = false;
    call->strict = true;
    call_reject(call, row, REJECT_TIME_ZONE);
    call->quiet = quiet;
    call->strict = strict;
}

static void join_times(struct call *call, const struct arg *args, struct column *out)
{
    bool local_time = out->type->id == TYPE_TIMESTAMP_NTZ;
    for (int64_t i = 0; i < call->rows; i++) {
        const struct zone *zone = call->arg_count == 3 ? zone_named(arg_bytes(&args[2], i)) : call->session->zone;
        int64_t local = 0;
        bool fits = !__builtin_mul_overflow((int64_t)int_at(&args[0], i), DAY_US, &local) &&
                    !__builtin_add_overflow(local, call->arg_count > 1 ? time_at(&args[1], i) : 0, &local);
        if (!fits)
            call_reject(call, i, REJECT_LONG_OVERFLOW);
        else if (zone == NULL)
            reject_zone(call, i);
        column_values(out, int64_t)[i] = zone == NULL ? 0 : local_time ? local : from_local(zone, local);
    }
}
/* A TIMESTAMP is no date here, nor a text a time, nor a date a zone. */
static enum code bind_date_and_time(struct binding *binding, struct error *err)
{
    for (int32_t i = 0; i < binding->count; i++)
        TRY(binding_exact(binding, i, err));
    return E_OK;
}
SCALAR(fn_date_and_time, "make_timestamp make_timestamp_ltz", "(date, time, string?) -> timestamp",
       "An instant of a date and a time, in the session's or the named zone.",
       "make_timestamp(DATE'2026-02-03', TIME'04:05:06')", "2026-02-03 04:05:06", .bind = bind_date_and_time,
       .flags = FN_FAILS)
{
    join_times(call, args, out);
}
SCALAR_SAME(fn_try_date_and_time, "try_make_timestamp try_make_timestamp_ltz", "(date, time, string?) -> timestamp",
            "An instant of a date and a time; NULL when there is none.",
            "try_make_timestamp(DATE'2026-02-03', TIME'04:05:06')", "2026-02-03 04:05:06", .run = fn_date_and_time_run,
            .bind = bind_date_and_time, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);
SCALAR_SAME(fn_midnight, "make_timestamp", "(date) -> timestamp", "An instant of a date.",
            "make_timestamp(DATE'2026-02-03')", "2026-02-03 00:00:00", .run = fn_date_and_time_run,
            .bind = bind_date_and_time, .flags = FN_FAILS);
SCALAR_SAME(fn_try_midnight, "try_make_timestamp", "(date) -> timestamp", "An instant of a date.",
            "try_make_timestamp(DATE'2026-02-03')", "2026-02-03 00:00:00", .run = fn_date_and_time_run,
            .bind = bind_date_and_time, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);
SCALAR_SAME(fn_date_and_time_ntz, "make_timestamp_ntz", "(date, time) -> timestamp_ntz",
            "A local time of a date and a time.", "make_timestamp_ntz(DATE'2026-02-03', TIME'04:05:06')",
            "2026-02-03 04:05:06", .run = fn_date_and_time_run, .bind = bind_date_and_time,
            .flags = FN_FAILS | FN_NULLABLE);
SCALAR_SAME(fn_try_date_and_time_ntz, "try_make_timestamp_ntz", "(date, time) -> timestamp_ntz",
            "A local time of a date and a time.", "try_make_timestamp_ntz(DATE'2026-02-03', TIME'04:05:06')",
            "2026-02-03 04:05:06", .run = fn_date_and_time_run, .bind = bind_date_and_time,
            .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

/* ---- now ---- */

static enum code bind_now(struct binding *binding, struct error *err)
{
    const struct expr *digits;
    int64_t count = 6;
    if (binding->count == 1) {
        TRY(binding_constant(binding, 0, &digits, err));
        count = literal_is_null(digits) ? -1 : literal_int(digits);
    }
    if (count < 0 || count > 6)
        return fail(err, E_SQL, "[DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE] The `precision` must be between [0, 6].");
    binding->type = type_time((int)count);
    binding->nullable = false;
    return E_OK;
}
SCALAR(fn_current_time, "current_time", "(int?) -> any",
       "The local time of the batch, with so many digits behind the point.", NULL, NULL, .bind = bind_now,
       .flags = FN_TIME | FN_NEVER_NULL)
{
    int64_t unit = (int64_t)decimal_power10(6 - type_time_digits(out->type));
    int64_t us = floor_rest(to_local(call->session->zone, call->session->batch_time_us), DAY_US);
    column_values(out, int64_t)[0] = us - us % unit;
}

const struct function *const time_of_day_functions[] = {&fn_current_time,
                                                        &fn_make_time,
                                                        &fn_to_time,
                                                        &fn_try_to_time,
                                                        &fn_time_cast,
                                                        &fn_time_hour,
                                                        &fn_time_minute,
                                                        &fn_time_whole_second,
                                                        &fn_time_second,
                                                        &fn_time_trunc,
                                                        &fn_time_diff,
                                                        &fn_time_from_seconds,
                                                        &fn_time_from_millis,
                                                        &fn_time_from_micros,
                                                        &fn_time_to_seconds,
                                                        &fn_time_to_millis,
                                                        &fn_time_to_micros,
                                                        &fn_time_plus,
                                                        &fn_time_minus,
                                                        &fn_interval_plus_time,
                                                        &fn_time_apart,
                                                        &fn_date_and_time,
                                                        &fn_midnight,
                                                        &fn_try_midnight,
                                                        &fn_try_date_and_time,
                                                        &fn_date_and_time_ntz,
                                                        &fn_try_date_and_time_ntz,
                                                        NULL};
