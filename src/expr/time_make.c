/* time_make.c - instants and intervals of their parts: make_timestamp and its family, make_ym_interval, make_dt_interval. */
#include "expr/calendar.h"
#include "expr/coerce.h"

/* What is wrong with the parts of row, REJECT_COUNT when nothing is. */
static enum reject_code make_local(const struct arg *args, int64_t row, int64_t *out)
{
    int64_t v[5];
    for (int k = 0; k < 5; k++)
        v[k] = arg_values(&args[k], int32_t)[row * args[k].step];
    int64_t us = (int64_t)decimal_load(&args[5], false, row); // DECIMAL(16,6): microseconds
    bool sixty = us == 60 * SECOND_US;                        // the next minute, as in PostgreSQL
    if (us > 60 * SECOND_US && us < 61 * SECOND_US)
        return REJECT_SECOND_FRACTION;
    if (v[0] < -290000 || v[0] > 290000 || !civil_valid(v[0], (int)v[1], (int)v[2]) || v[3] < 0 || v[3] > 23 ||
        v[4] < 0 || v[4] > 59 || us < 0 || (us >= 60 * SECOND_US && !sixty))
        return REJECT_FIELD_BOUNDS;
    *out = days_from_civil(v[0], (int)v[1], (int)v[2]) * DAY_US + (v[3] * 60 + v[4]) * 60 * SECOND_US + us;
    return REJECT_COUNT;
}

static enum code bind_make_timestamp(struct binding *binding, struct error *err)
{
    return binding_cast(binding, 5, type_decimal(binding->ctx->arena, 16, 6), err);
}

static const struct zone *zone_named(struct bytes name)
{
    const struct zone *zone;
    struct error ignored;
    return zone_find(name, &zone, &ignored) == E_OK ? zone : NULL;
}

/* Zone NULL in the call: the session's; a zone that nobody knows is an error of its own. */
static void make_timestamps(struct call *call, const struct arg *args, struct column *out)
{
    bool local_time = out->type->id == TYPE_TIMESTAMP_NTZ;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t local = 0;
        const struct zone *zone = call->arg_count == 7 ? zone_named(arg_bytes(&args[6], i)) : call->session->zone;
        enum reject_code wrong = make_local(args, i, &local);
        wrong = wrong == REJECT_COUNT && zone == NULL ? REJECT_TIME_ZONE : wrong;
        if (wrong != REJECT_COUNT)
            call_reject(call, i, wrong);
        column_values(out, int64_t)[i] = wrong != REJECT_COUNT ? 0 : local_time ? local : from_local(zone, local);
    }
}

#define MAKE_LOCAL "(int, int, int, int, int, any)"
#define MAKE_ARGS "(int, int, int, int, int, any, string?)"
SCALAR(fn_make_timestamp, "make_timestamp make_timestamp_ltz", MAKE_ARGS " -> timestamp",
       "An instant of year, month, day, hour, minute and second, in the session's or the named zone.",
       "make_timestamp(2026, 2, 3, 4, 5, 6.789)", "2026-02-03 04:05:06.789", .bind = bind_make_timestamp,
       .flags = FN_FAILS)
{
    make_timestamps(call, args, out);
}
SCALAR_SAME(fn_try_make_timestamp, "try_make_timestamp try_make_timestamp_ltz", MAKE_ARGS " -> timestamp",
            "An instant of its parts; NULL when there is none.", "try_make_timestamp(2026, 13, 1, 0, 0, 0)", "NULL",
            .run = fn_make_timestamp_run, .bind = bind_make_timestamp, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);
/* With a zone, which says nothing then, where TIMESTAMP is TIMESTAMP_NTZ. */
SCALAR_SAME(fn_make_timestamp_here, "make_timestamp:ntz", MAKE_ARGS " -> timestamp_ntz", "A local time of its parts.",
            NULL, NULL, .run = fn_make_timestamp_run, .bind = bind_make_timestamp, .flags = FN_FAILS | FN_HIDDEN);
SCALAR_SAME(fn_try_make_timestamp_here, "try_make_timestamp:ntz", MAKE_ARGS " -> timestamp_ntz",
            "A local time of its parts; NULL when there is none.", NULL, NULL, .run = fn_make_timestamp_run,
            .bind = bind_make_timestamp, .flags = FN_FAILS | FN_NULLABLE | FN_TRY | FN_HIDDEN);
SCALAR_SAME(fn_make_timestamp_ntz, "make_timestamp_ntz", MAKE_LOCAL " -> timestamp_ntz", "A local time of its parts.",
            "make_timestamp_ntz(2026, 2, 3, 4, 5, 6)", "2026-02-03 04:05:06", .run = fn_make_timestamp_run,
            .bind = bind_make_timestamp, .flags = FN_FAILS);
SCALAR_SAME(fn_try_make_timestamp_ntz, "try_make_timestamp_ntz", MAKE_LOCAL " -> timestamp_ntz",
            "A local time of its parts; NULL when there is none.", "try_make_timestamp_ntz(2026, 13, 1, 0, 0, 0)",
            "NULL", .run = fn_make_timestamp_run, .bind = bind_make_timestamp,
            .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

SCALAR(fn_make_ym_interval, "make_ym_interval", "(int?, int?) -> interval_ym", "An interval of years and months.",
       "make_ym_interval(1, 2)", "INTERVAL '1-2' YEAR TO MONTH", .flags = FN_FAILS)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t months = call->arg_count > 0 ? 12 * (int64_t)arg_values(&args[0], int32_t)[i * args[0].step] : 0;
        months += call->arg_count > 1 ? arg_values(&args[1], int32_t)[i * args[1].step] : 0;
        if (months != (int32_t)months)
            call_reject(call, i, REJECT_INTERVAL_RANGE);
        column_values(out, int32_t)[i] = (int32_t)months;
    }
}

static enum code bind_dt_interval(struct binding *binding, struct error *err)
{
    return binding->count < 4 ? E_OK : binding_cast(binding, 3, type_decimal(binding->ctx->arena, 18, 6), err);
}
SCALAR(fn_make_dt_interval, "make_dt_interval", "(int?, int?, int?, any?) -> interval_dt",
       "An interval of days, hours, minutes and seconds.", "make_dt_interval(1, 2, 3, 4.5)",
       "INTERVAL '1 02:03:04.5' DAY TO SECOND", .bind = bind_dt_interval, .flags = FN_FAILS)
{
    static const int64_t units[] = {DAY_US, 3600 * SECOND_US, 60 * SECOND_US};
    for (int64_t i = 0; i < call->rows; i++) {
        int128 us = call->arg_count == 4 ? decimal_load(&args[3], false, i) : 0;
        for (int32_t k = 0; k < 3 && k < call->arg_count; k++)
            us += (int128)arg_values(&args[k], int32_t)[i * args[k].step] * units[k];
        if (us != (int64_t)us)
            call_reject(call, i, REJECT_INTERVAL_RANGE);
        column_values(out, int64_t)[i] = (int64_t)us;
    }
}

const struct function *const time_make_functions[] = {
    &fn_make_timestamp,          &fn_try_make_timestamp, &fn_make_timestamp_here,
    &fn_try_make_timestamp_here, &fn_make_timestamp_ntz, &fn_try_make_timestamp_ntz,
    &fn_make_ym_interval,        &fn_make_dt_interval,   NULL,
};
