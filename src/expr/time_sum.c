/* time_sum.c - times and intervals of fields added and subtracted: + - and try_add, try_subtract. */
#include "expr/calendar.h"
#include "expr/coerce.h"

/* NULL for TIMESTAMP_NTZ, whose values are local already. */
static const struct zone *zone_of(const struct call *call, const struct type *type)
{
    return type->id == TYPE_TIMESTAMP ? call->session->zone : NULL;
}

bool timestamp_add_months(int64_t us, int64_t months, const struct zone *zone, int64_t *out)
{
    int64_t local = to_local(zone, us), later;
    int32_t days = days_of_us(local), day;
    if (!days_add_months(days, months, &day) || __builtin_mul_overflow((int64_t)day, DAY_US, &later) ||
        __builtin_add_overflow(later, floor_rest(local, DAY_US), &later))
        return false;
    *out = from_local(zone, later);
    return true;
}

bool timestamp_add_us(int64_t us, int64_t interval_us, const struct zone *zone, int64_t *out)
{
    int64_t rest = interval_us % DAY_US, days_us = interval_us - rest, local;
    if (zone != NULL && days_us != 0) { // a day is a calendar day, 23 or 25 hours twice a year
        if (__builtin_add_overflow(to_local(zone, us), days_us, &local))
            return false;
        us = from_local(zone, local);
        days_us = 0;
    }
    return !__builtin_add_overflow(us, days_us, out) && !__builtin_add_overflow(*out, rest, out);
}

static void add_interval(struct call *call, const struct arg *args, struct column *out, int sign)
{
    const struct zone *zone = zone_of(call, args[0].col->type);
    bool months = args[1].col->type->id == TYPE_INTERVAL_YM;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t us = arg_values(&args[0], int64_t)[i * args[0].step], later = 0, by;
        bool fits = true;
        if (months)
            by = sign * (int64_t)arg_values(&args[1], int32_t)[i * args[1].step];
        else
            fits = !__builtin_mul_overflow(arg_values(&args[1], int64_t)[i * args[1].step], (int64_t)sign, &by);
        fits = fits && (months ? timestamp_add_months(us, by, zone, &later) : timestamp_add_us(us, by, zone, &later));
        if (!fits)
            call_reject(call, i, REJECT_ARITHMETIC_OVERFLOW);
        column_values(out, int64_t)[i] = fits ? later : 0;
    }
}

#define TIME_INTERVAL                                                                  \
    "(timestamp, interval_dt) -> timestamp | (timestamp, interval_ym) -> timestamp | " \
    "(timestamp_ntz, interval_dt) -> timestamp_ntz | (timestamp_ntz, interval_ym) -> timestamp_ntz"
SCALAR(fn_plus_interval, "+", TIME_INTERVAL, "Later by an interval.",
       "TIMESTAMP'2026-01-31 10:00:00' + INTERVAL '1' MONTH", "2026-02-28 10:00:00", .flags = FN_FAILS | FN_OPERATOR)
{
    add_interval(call, args, out, 1);
}
SCALAR(fn_minus_interval, "-", TIME_INTERVAL, "Earlier by an interval.",
       "TIMESTAMP'2026-01-31 10:00:00' - INTERVAL '1' DAY", "2026-01-30 10:00:00", .flags = FN_FAILS | FN_OPERATOR)
{
    add_interval(call, args, out, -1);
}

static enum code bind_swapped(struct binding *binding, struct error *err)
{
    const struct expr *args[] = {binding->args[1], binding->args[0]};
    return expr_call(binding->ctx, binding->function->name, args, 2, binding->at, &binding->rewritten, err);
}
#define INTERVAL_TIME                                                                                  \
    "(interval_dt, timestamp) -> timestamp | (interval_ym, timestamp) -> timestamp | "                 \
    "(interval_dt, timestamp_ntz) -> timestamp_ntz | (interval_ym, timestamp_ntz) -> timestamp_ntz | " \
    "(interval_dt, date) -> any | (interval_dt, string) -> any | (interval, string) -> any"
SCALAR_SAME(fn_interval_plus, "+", INTERVAL_TIME, "Later by an interval.",
            "INTERVAL '1' DAY + TIMESTAMP'2026-01-30 10:00:00'", "2026-01-31 10:00:00", .bind = bind_swapped,
            .flags = FN_OPERATOR);
SCALAR_SAME(fn_try_interval_plus, "try_add", INTERVAL_TIME, "Later by an interval; NULL when there is no such time.",
            NULL, NULL, .bind = bind_swapped);
SCALAR_SAME(fn_try_plus_interval, "try_add", TIME_INTERVAL, "Later by an interval; NULL when there is no such time.",
            "try_add(TIMESTAMP'2026-01-31 10:00:00', INTERVAL '1' MONTH)", "2026-02-28 10:00:00",
            .run = fn_plus_interval_run, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);
SCALAR_SAME(fn_try_minus_interval, "try_subtract", TIME_INTERVAL,
            "Earlier by an interval; NULL when there is no such time.", NULL, NULL, .run = fn_minus_interval_run,
            .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

/* A text that is a time stays a text. */
static enum code bind_text(struct binding *binding, struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    const struct expr *args[] = {expr_cast_implicit(ctx, binding->args[0], type_of(TYPE_TIMESTAMP)), binding->args[1]},
                      *moved;
    TRY(expr_call(ctx, binding->function->name, args, 2, binding->at, &moved, err));
    binding->rewritten = expr_cast_implicit(ctx, moved, type_of(TYPE_STRING));
    return E_OK;
}
#define TEXT_INTERVAL "(string, interval_dt) -> any | (string, interval) -> any"
SCALAR_SAME(fn_text_plus, "+", TEXT_INTERVAL, "The text of a time, later by an interval.",
            "'2026-01-30 10:00:00' + INTERVAL '1' DAY", "2026-01-31 10:00:00", .bind = bind_text, .flags = FN_OPERATOR);
SCALAR_SAME(fn_try_text_plus, "try_add", TEXT_INTERVAL,
            "The text of a time, later by an interval; NULL when it is none.", NULL, NULL, .bind = bind_text);
SCALAR_SAME(fn_try_text_minus, "try_subtract", TEXT_INTERVAL,
            "The text of a time, earlier by an interval; NULL when it is none.", NULL, NULL, .bind = bind_text);
SCALAR_SAME(fn_text_minus, "-", TEXT_INTERVAL, "The text of a time, earlier by an interval.",
            "'2026-01-30 10:00:00' - INTERVAL '1' DAY", "2026-01-29 10:00:00", .bind = bind_text, .flags = FN_OPERATOR);

/* A DATE stays one when the interval is one of days. */
static enum code date_by_interval(struct binding *binding, const char *by_days, const char *by_time, struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    const struct expr *args[] = {binding->args[0], binding->args[1]};
    if (type_interval_to(args[1]->type) == INTERVAL_DAY) {
        TRY(expr_cast(ctx, args[1], type_of(TYPE_INT32), false, binding->at, &args[1], err));
        return expr_call(ctx, by_days, args, 2, binding->at, &binding->rewritten, err);
    }
    args[0] = expr_cast_implicit(ctx, args[0], type_of(TYPE_TIMESTAMP));
    return expr_call(ctx, by_time, args, 2, binding->at, &binding->rewritten, err);
}
static enum code bind_date_plus(struct binding *binding, struct error *err)
{
    return date_by_interval(binding, "date_add", "+", err);
}
static enum code bind_date_minus(struct binding *binding, struct error *err)
{
    return date_by_interval(binding, "date_sub", "-", err);
}
static enum code bind_try_plus(struct binding *binding, struct error *err)
{
    return date_by_interval(binding, "try_add", "try_add", err);
}
static enum code bind_try_minus(struct binding *binding, struct error *err)
{
    return date_by_interval(binding, "try_subtract", "try_subtract", err);
}
SCALAR_SAME(fn_try_date_plus, "try_add", "(date, interval_dt) -> any",
            "Later by an interval; NULL when there is no such day.", NULL, NULL, .bind = bind_try_plus);
SCALAR_SAME(fn_try_date_minus, "try_subtract", "(date, interval_dt) -> any",
            "Earlier by an interval; NULL when there is no such day.", NULL, NULL, .bind = bind_try_minus);
SCALAR_SAME(fn_date_plus_interval, "+", "(date, interval_dt) -> any", "Later by an interval.",
            "DATE'2026-01-31' + INTERVAL '1' DAY", "2026-02-01", .bind = bind_date_plus, .flags = FN_OPERATOR);
SCALAR_SAME(fn_date_minus_interval, "-", "(date, interval_dt) -> any", "Earlier by an interval.",
            "DATE'2026-01-31' - INTERVAL '1' HOUR", "2026-01-30 23:00:00", .bind = bind_date_minus,
            .flags = FN_OPERATOR);

/* Spark's older difference: an INTERVAL of microseconds. */
SCALAR(fn_calendar_difference, "interval:between",
       "(timestamp, timestamp) -> interval | (timestamp_ntz, timestamp_ntz) -> interval",
       "The time between two instants.", NULL, NULL, .flags = FN_HIDDEN)
{
    struct calendar_interval *values = column_values(out, struct calendar_interval);
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t from = arg_values(&args[1], int64_t)[i * args[1].step],
                to = arg_values(&args[0], int64_t)[i * args[0].step];
        values[i] = (struct calendar_interval){.us = 0};
        if (__builtin_sub_overflow(to, from, &values[i].us))
            call_reject(call, i, REJECT_ARITHMETIC_OVERFLOW);
    }
}
static enum code bind_difference(struct binding *binding, struct error *err)
{
    if (!binding->ctx->session->calendar_intervals)
        return E_OK;
    return expr_call(binding->ctx, "interval:between", binding->args, 2, binding->at, &binding->rewritten, err);
}
SCALAR(fn_time_difference, "-", "(timestamp, timestamp) -> interval_dt | (timestamp_ntz, timestamp_ntz) -> interval_dt",
       "The time between two instants, by the calendar.",
       "TIMESTAMP'2026-01-02 00:00:00' - TIMESTAMP'2026-01-01 12:00:00'", "INTERVAL '0 12:00:00' DAY TO SECOND",
       .bind = bind_difference, .flags = FN_OPERATOR | FN_FAILS)
{
    const struct zone *zone = zone_of(call, args[0].col->type);
    bool bad = false;
    LOOP2(int64_t, int64_t, int64_t, bad |= __builtin_sub_overflow(to_local(zone, x), to_local(zone, y), &r[i]));
    int64_t ignored;
    if (bad)
        REJECT2(int64_t, int64_t, REJECT_ARITHMETIC_OVERFLOW,
                __builtin_sub_overflow(to_local(zone, x), to_local(zone, y), &ignored));
}

SCALAR_SAME(fn_try_time_difference, "try_subtract",
            "(timestamp, timestamp) -> interval_dt | (timestamp_ntz, timestamp_ntz) -> interval_dt",
            "The time between two instants; NULL when it is too long.",
            "try_subtract(DATE'2026-01-02', TIMESTAMP'2026-01-01 12:00:00')", "INTERVAL '0 12:00:00' DAY TO SECOND",
            .run = fn_time_difference_run, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

const struct function *const time_sum_functions[] = {
    &fn_plus_interval,      &fn_minus_interval,      &fn_interval_plus,
    &fn_try_interval_plus,  &fn_try_plus_interval,   &fn_try_minus_interval,
    &fn_text_plus,          &fn_text_minus,          &fn_try_date_plus,
    &fn_try_text_plus,      &fn_try_text_minus,      &fn_try_date_minus,
    &fn_date_plus_interval, &fn_date_minus_interval, &fn_calendar_difference,
    &fn_time_difference,    &fn_try_time_difference, NULL,
};
