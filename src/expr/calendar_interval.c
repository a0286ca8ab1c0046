/* calendar_interval.c - INTERVAL without fields: months, days and microseconds side by side, made, added and scaled. */
#include <math.h>

#include "expr/calendar.h"
#include "expr/coerce.h"

static struct calendar_interval interval_at(const struct arg *arg, int64_t row)
{
    return arg_values(arg, struct calendar_interval)[row * arg->step];
}
static void interval_put(struct column *out, int64_t row, struct calendar_interval value)
{
    column_values(out, struct calendar_interval)[row] = value;
}

/* ---- making ---- */

enum { YEARS, MONTHS, WEEKS, DAYS, HOURS, MINUTES, SECONDS, INTERVAL_PARTS };

static enum code bind_make(struct binding *binding, struct error *err)
{
    return binding->count <= SECONDS ? E_OK
                                     : binding_cast(binding, SECONDS, type_decimal(binding->ctx->arena, 18, 6), err);
}

/* False when a field does not fit. */
static bool interval_make(const int64_t parts[INTERVAL_PARTS], struct calendar_interval *out)
{
    int128 us = parts[SECONDS] + (int128)parts[MINUTES] * 60 * SECOND_US + (int128)parts[HOURS] * 3600 * SECOND_US;
    int64_t months = parts[YEARS] * 12 + parts[MONTHS], days = parts[WEEKS] * 7 + parts[DAYS];
    *out = (struct calendar_interval){(int32_t)months, (int32_t)days, (int64_t)us};
    return months == out->months && days == out->days && us == out->us;
}

#define MAKE_ARGS "(int?, int?, int?, int?, int?, int?, any?) -> interval"
SCALAR(fn_make_interval, "make_interval", MAKE_ARGS,
       "An interval of years, months, weeks, days, hours, minutes, seconds.", "make_interval(1, 2, 0, 3, 0, 0, 4.5)",
       "1 years 2 months 3 days 4.5 seconds", .bind = bind_make, .flags = FN_FAILS)
{
    for (int64_t i = 0; i < call->rows; i++) {
        struct calendar_interval value = {0};
        int64_t parts[INTERVAL_PARTS] = {0};
        for (int32_t k = 0; k < call->arg_count && k < SECONDS; k++)
            parts[k] = arg_values(&args[k], int32_t)[i * args[k].step];
        if (call->arg_count > SECONDS)
            parts[SECONDS] = (int64_t)decimal_load(&args[SECONDS], false, i);
        if (!interval_make(parts, &value))
            call_reject(call, i, REJECT_INTERVAL_RANGE);
        interval_put(out, i, value);
    }
}
SCALAR_SAME(fn_try_make_interval, "try_make_interval", "(int, int?, int?, int?, int?, int?, any?) -> interval",
            "An interval of its parts; NULL when one does not fit.", "try_make_interval(2147483647)", "NULL",
            .run = fn_make_interval_run, .bind = bind_make, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

/* ---- sums ---- */

static bool interval_sum(struct calendar_interval a, struct calendar_interval b, struct calendar_interval *out)
{
    return !__builtin_add_overflow(a.months, b.months, &out->months) &&
           !__builtin_add_overflow(a.days, b.days, &out->days) && !__builtin_add_overflow(a.us, b.us, &out->us);
}
static bool interval_difference(struct calendar_interval a, struct calendar_interval b, struct calendar_interval *out)
{
    return !__builtin_sub_overflow(a.months, b.months, &out->months) &&
           !__builtin_sub_overflow(a.days, b.days, &out->days) && !__builtin_sub_overflow(a.us, b.us, &out->us);
}

#define SUM_SIGNATURE "(interval, interval) -> interval"
#define INTERVAL_SUM(id, name_, help_, example_, expected_, sum)                                  \
    SCALAR(id, name_, SUM_SIGNATURE, help_, example_, expected_, .flags = FN_FAILS | FN_OPERATOR) \
    {                                                                                             \
        for (int64_t i = 0; i < call->rows; i++) {                                                \
            struct calendar_interval value = {0};                                                 \
            if (!sum(interval_at(&args[0], i), interval_at(&args[1], i), &value))                 \
                call_reject(call, i, REJECT_INTERVAL_OVERFLOW);                                   \
            interval_put(out, i, value);                                                          \
        }                                                                                         \
    }
INTERVAL_SUM(fn_interval_sum, "+", "Sum of intervals.", "make_interval(1) + make_interval(0, 0, 1)", "1 years 7 days",
             interval_sum)
INTERVAL_SUM(fn_interval_difference, "-", "Difference of intervals.", "make_interval(1) - make_interval(0, 0, 1)",
             "1 years -7 days", interval_difference)
SCALAR_SAME(fn_try_interval_sum, "try_add", SUM_SIGNATURE, "Sum of intervals; NULL on overflow.", NULL, NULL,
            .run = fn_interval_sum_run, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);
SCALAR_SAME(fn_try_interval_difference, "try_subtract", SUM_SIGNATURE, "Difference of intervals; NULL on overflow.",
            NULL, NULL, .run = fn_interval_difference_run, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

SCALAR(fn_interval_negative, "- negative", "(interval) -> interval", "Every field turned.",
       "-make_interval(1, 0, 0, 1)", "-1 years -1 days", .flags = FN_FAILS | FN_OPERATOR)
{
    const struct calendar_interval zero = {0};
    for (int64_t i = 0; i < call->rows; i++) {
        struct calendar_interval value = {0};
        if (!interval_difference(zero, interval_at(&args[0], i), &value))
            call_reject(call, i, REJECT_INTERVAL_OVERFLOW);
        interval_put(out, i, value);
    }
}
SCALAR(fn_interval_positive, "+ positive", "(interval) -> interval", "The interval.", "+make_interval(1)", "1 years",
       .flags = FN_OPERATOR)
{
    for (int64_t i = 0; i < call->rows; i++)
        interval_put(out, i, interval_at(&args[0], i));
}

/* ---- scaled ---- */

/* Parts of months fall away, parts of days become time; NaN is nothing. False when a field does not fit. */
static bool interval_of_doubles(double months, double days, double us, struct calendar_interval *out)
{
    if (isnan(months + days + us))
        months = days = us = 0;
    double whole_days = trunc(days), time = us + (days - whole_days) * (double)DAY_US;
    double rounded = floor(time + 0.5);
    bool fits = fabs(months) < 0x1p31 && fabs(whole_days) < 0x1p31 && fabs(rounded) < 0x1p63;
    *out = (struct calendar_interval){0};
    if (fits)
        *out = (struct calendar_interval){(int32_t)months, (int32_t)whole_days, (int64_t)rounded};
    return fits;
}

static void interval_scale(struct call *call, const struct arg *args, struct column *out, bool divide)
{
    for (int64_t i = 0; i < call->rows; i++) {
        struct calendar_interval from = interval_at(&args[0], i), value = {0};
        double by = arg_values(&args[1], double)[i * args[1].step];
        bool fits = divide ? interval_of_doubles(from.months / by, from.days / by, (double)from.us / by, &value)
                           : interval_of_doubles(from.months * by, from.days * by, (double)from.us * by, &value);
        if (!fits || (divide && by == 0))
            call_reject(call, i, divide && by == 0 ? REJECT_INTERVAL_DIVISOR : REJECT_ARITHMETIC_OVERFLOW);
        interval_put(out, i, value);
    }
}

#define SCALE_SIGNATURE "(interval, double) -> interval"
SCALAR(fn_calendar_times, "*", SCALE_SIGNATURE, "Interval times a number.", "make_interval(1) * 2.5",
       "2 years 6 months", .flags = FN_FAILS | FN_NULLABLE | FN_OPERATOR)
{
    interval_scale(call, args, out, false);
}
SCALAR(fn_calendar_divide, "/", SCALE_SIGNATURE, "Interval divided by a number.", "make_interval(0, 0, 0, 3) / 2",
       "1 days 12 hours", .flags = FN_FAILS | FN_NULLABLE | FN_OPERATOR)
{
    interval_scale(call, args, out, true);
}
SCALAR_SAME(fn_try_calendar_times, "try_multiply", SCALE_SIGNATURE, "Interval times a number; NULL on overflow.", NULL,
            NULL, .run = fn_calendar_times_run, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);
SCALAR_SAME(fn_try_calendar_divide, "try_divide", SCALE_SIGNATURE, "Interval divided by a number; NULL on overflow.",
            NULL, NULL, .run = fn_calendar_divide_run, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

static enum code bind_swapped(struct binding *binding, struct error *err)
{
    const struct expr *args[] = {binding->args[1], binding->args[0]};
    return expr_call(binding->ctx, binding->function->name, args, 2, binding->at, &binding->rewritten, err);
}
SCALAR_SAME(fn_times_calendar, "*", "(double, interval) -> interval", "A number times an interval.",
            "2 * make_interval(1)", "2 years", .bind = bind_swapped, .flags = FN_OPERATOR);

/* ---- dates and times later and earlier ---- */

static bool date_add_calendar(int32_t days, struct calendar_interval by, int sign, int32_t *out)
{
    int64_t later;
    if (!days_add_months(days, sign * (int64_t)by.months, out) ||
        __builtin_add_overflow((int64_t)*out, sign * (int64_t)by.days, &later))
        return false;
    *out = (int32_t)later;
    return later == *out;
}

bool timestamp_add_calendar(int64_t us, struct calendar_interval by, int sign, const struct zone *zone, int64_t *out)
{
    int64_t time;
    return timestamp_add_months(us, sign * (int64_t)by.months, zone, &us) &&
           timestamp_add_us(us, sign * (by.days * DAY_US), zone, &us) && // a day is a calendar day
           !__builtin_mul_overflow(by.us, (int64_t)sign, &time) && !__builtin_add_overflow(us, time, out);
}

/* With ANSI a DATE takes no time of the day; else what it gives is cut to its day. */
static void date_move(struct call *call, const struct arg *args, struct column *out, int sign)
{
    const struct zone *zone = call->session->zone;
    for (int64_t i = 0; i < call->rows; i++) {
        struct calendar_interval by = interval_at(&args[1], i);
        int32_t days = arg_values(&args[0], int32_t)[i * args[0].step], later = 0;
        int64_t us = 0;
        bool fits = true, timed = by.us != 0;
        if (timed && (call->session->ansi || call->quiet)) {
            call_reject(call, i, REJECT_DATE_PLUS_TIME);
        } else if (timed) {
            fits = timestamp_add_calendar(from_local(zone, days * DAY_US), by, sign, zone, &us);
            later = days_of_us(to_local(zone, us));
        } else {
            fits = date_add_calendar(days, by, sign, &later);
        }
        if (!fits)
            call_reject(call, i, REJECT_ARITHMETIC_OVERFLOW);
        column_values(out, int32_t)[i] = later;
    }
}

static void timestamp_move(struct call *call, const struct arg *args, struct column *out, int sign)
{
    const struct zone *zone = out->type->id == TYPE_TIMESTAMP ? call->session->zone : NULL;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t us = arg_values(&args[0], int64_t)[i * args[0].step], later = 0;
        if (!timestamp_add_calendar(us, interval_at(&args[1], i), sign, zone, &later))
            call_reject(call, i, REJECT_ARITHMETIC_OVERFLOW);
        column_values(out, int64_t)[i] = later;
    }
}

static void move(struct call *call, const struct arg *args, struct column *out, int sign)
{
    if (out->type->id == TYPE_DATE)
        date_move(call, args, out, sign);
    else
        timestamp_move(call, args, out, sign);
}

#define MOVE_SIGNATURE                                                 \
    "(date, interval) -> date | (timestamp, interval) -> timestamp | " \
    "(timestamp_ntz, interval) -> timestamp_ntz"
#define MOVE_SWAPPED                                                   \
    "(interval, date) -> date | (interval, timestamp) -> timestamp | " \
    "(interval, timestamp_ntz) -> timestamp_ntz"
SCALAR(fn_calendar_later, "+", MOVE_SIGNATURE, "Later by an interval.", "DATE'2026-01-31' + make_interval(0, 1)",
       "2026-02-28", .flags = FN_FAILS | FN_OPERATOR)
{
    move(call, args, out, 1);
}
SCALAR(fn_calendar_earlier, "-", MOVE_SIGNATURE, "Earlier by an interval.", "DATE'2026-03-31' - make_interval(0, 1)",
       "2026-02-28", .flags = FN_FAILS | FN_OPERATOR)
{
    move(call, args, out, -1);
}
SCALAR_SAME(fn_later_calendar, "+", MOVE_SWAPPED, "Later by an interval.", "make_interval(0, 1) + DATE'2026-01-31'",
            "2026-02-28", .bind = bind_swapped, .flags = FN_OPERATOR);
SCALAR_SAME(fn_try_calendar_later, "try_add", MOVE_SIGNATURE, "Later by an interval; NULL when there is no such time.",
            NULL, NULL, .run = fn_calendar_later_run, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);
SCALAR_SAME(fn_try_later_calendar, "try_add", MOVE_SWAPPED, "Later by an interval; NULL when there is no such time.",
            "try_add(make_interval(0, 1), DATE'2026-01-31')", "2026-02-28", .bind = bind_swapped);
SCALAR_SAME(fn_try_calendar_earlier, "try_subtract", MOVE_SIGNATURE,
            "Earlier by an interval; NULL when there is no such time.", NULL, NULL, .run = fn_calendar_earlier_run,
            .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

/* ---- fields, which only date_part reaches ---- */

#define CALENDAR_FIELD(id, name_, help_, result_, rtype, value)                        \
    SCALAR(id, name_, "(interval) -> " result_, help_, NULL, NULL, .flags = FN_HIDDEN) \
    {                                                                                  \
        for (int64_t i = 0; i < call->rows; i++) {                                     \
            const struct calendar_interval x = interval_at(&args[0], i);               \
            column_values(out, rtype)[i] = (rtype)(value);                             \
        }                                                                              \
    }
CALENDAR_FIELD(fn_calendar_year, "interval:year", "Years.", "int", int32_t, x.months / 12)
CALENDAR_FIELD(fn_calendar_month, "interval:month", "Months, below a year.", "tinyint", int8_t, x.months % 12)
CALENDAR_FIELD(fn_calendar_day, "interval:day", "Days.", "int", int32_t, x.days)
CALENDAR_FIELD(fn_calendar_hour, "interval:hour", "Hours, below a day.", "tinyint", int8_t,
               x.us % DAY_US / (3600 * SECOND_US))
CALENDAR_FIELD(fn_calendar_minute, "interval:minute", "Minutes, below an hour.", "tinyint", int8_t,
               x.us % (3600 * SECOND_US) / (60 * SECOND_US))

static enum code bind_seconds(struct binding *binding, __attribute__((unused)) struct error *err)
{
    binding->type = type_decimal(binding->ctx->arena, 8, 6);
    return E_OK;
}
SCALAR(fn_calendar_second, "interval:second", "(interval) -> any", "Seconds and their fraction, below a minute.", NULL,
       NULL, .bind = bind_seconds, .flags = FN_HIDDEN)
{
    for (int64_t i = 0; i < call->rows; i++)
        column_values(out, int64_t)[i] = interval_at(&args[0], i).us % (60 * SECOND_US);
}

const struct function *const calendar_interval_functions[] = {
    &fn_make_interval,        &fn_try_make_interval,
    &fn_interval_sum,         &fn_interval_difference,
    &fn_try_interval_sum,     &fn_try_interval_difference,
    &fn_interval_negative,    &fn_interval_positive,
    &fn_calendar_times,       &fn_calendar_divide,
    &fn_try_calendar_times,   &fn_try_calendar_divide,
    &fn_times_calendar,       &fn_calendar_later,
    &fn_calendar_earlier,     &fn_later_calendar,
    &fn_try_calendar_later,   &fn_try_later_calendar,
    &fn_try_calendar_earlier, &fn_calendar_year,
    &fn_calendar_month,       &fn_calendar_day,
    &fn_calendar_hour,        &fn_calendar_minute,
    &fn_calendar_second,      NULL,
};
