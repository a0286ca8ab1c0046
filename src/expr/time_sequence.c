/* time_sequence.c - sequence() over dates and times: by months, calendar days, or time. */
#include "expr/calendar.h"
#include "expr/coerce.h"

enum { SEQUENCE_MAX = 1 << 20 }; // elements of one row

/* The step of a row, whatever kind of interval it is; days are calendar days. */
static struct calendar_interval step_at(const struct arg *arg, int64_t row)
{
    row *= arg->step;
    switch (arg->col->type->id) {
    case TYPE_INTERVAL: return arg_values(arg, struct calendar_interval)[row];
    case TYPE_INTERVAL_YM: return (struct calendar_interval){.months = arg_values(arg, int32_t)[row]};
    default: break;
    }
    int64_t us = arg_values(arg, int64_t)[row];
    return (struct calendar_interval){.days = (int32_t)(us / DAY_US), .us = us % DAY_US};
}

/* At least so long, whatever the months: a month has 28 days or more. */
static int128 step_us(struct calendar_interval step)
{
    return ((int128)step.months * 28 + step.days) * DAY_US + step.us;
}

/* start + k steps; false where there is no such time. */
static bool step_from(int64_t start, struct calendar_interval step, int32_t k, const struct zone *zone, int64_t *out)
{
    struct calendar_interval by;
    return !__builtin_mul_overflow(step.months, k, &by.months) && !__builtin_mul_overflow(step.days, k, &by.days) &&
           !__builtin_mul_overflow(step.us, (int64_t)k, &by.us) && timestamp_add_calendar(start, by, 1, zone, out);
}

/* Appends start, start + step, .. up to stop; the reason when that cannot be, else REJECT_COUNT. Dates: in microseconds. */
static enum reject_code put_sequence(int64_t start, int64_t stop, struct calendar_interval step,
                                     const struct zone *zone, bool days, struct builder *out)
{
    int128 us = step_us(step);
    if ((start < stop && us <= 0) || (start > stop && us >= 0) || (days && step.us != 0))
        return REJECT_ARGUMENT;
    if (us != 0 && ((int128)stop - start) / us >= SEQUENCE_MAX)
        return REJECT_TOO_BIG;
    int64_t at = start;
    bool more = true;
    for (int32_t k = 1; more && (us >= 0 ? at <= stop : at >= stop); k++) {
        builder_int(out, days ? days_of_us(at) : at);
        more = us != 0 && step_from(start, step, k, zone, &at);
    }
    return REJECT_COUNT;
}

/* False for a date that no timestamp reaches. */
static bool time_at(const struct arg *arg, int64_t row, int64_t *us)
{
    row *= arg->step;
    if (arg->col->type->id == TYPE_DATE)
        return !__builtin_mul_overflow((int64_t)arg_values(arg, int32_t)[row], DAY_US, us);
    *us = arg_values(arg, int64_t)[row];
    return true;
}

static enum code bind_step(struct binding *binding, struct error *err)
{
    const struct type *step = binding->count == 3 ? binding->args[2]->type : type_of(TYPE_INTERVAL);
    if (type_is_any_interval(step))
        return E_OK;
    return binding_cast(binding, 2, type_of(TYPE_INTERVAL_DT), err); // NULL; the error of all else
}

SCALAR(fn_time_sequence, "sequence",
       "(timestamp, timestamp, any?) -> array<timestamp> | "
       "(timestamp_ntz, timestamp_ntz, any?) -> array<timestamp_ntz> | (date, date, any?) -> array<date>",
       "Dates or times from the first to the second, by an interval or by a day.",
       "sequence(DATE'2026-01-31', DATE'2026-03-31', INTERVAL 1 MONTH)", "[2026-01-31,2026-02-28,2026-03-31]",
       .bind = bind_step, .flags = FN_FAILS)
{
    struct builder builder;
    bool days = args[0].col->type->id == TYPE_DATE;
    const struct zone *zone = args[0].col->type->id == TYPE_TIMESTAMP ? call->session->zone : NULL;
    builder_init(&builder, out->type);
    for (int64_t i = 0; i < call->rows; i++) {
        if (!call_valid(call, i)) {
            builder_null(&builder);
            continue;
        }
        int64_t start, stop;
        if (!time_at(&args[0], i, &start) || !time_at(&args[1], i, &stop)) {
            call_reject(call, i, REJECT_LONG_OVERFLOW);
            builder_null(&builder);
            continue;
        }
        struct calendar_interval step = {.days = start <= stop ? 1 : -1};
        if (call->arg_count == 3)
            step = step_at(&args[2], i);
        enum reject_code wrong = put_sequence(start, stop, step, zone, days, &builder.children[0]);
        if (wrong == REJECT_COUNT) {
            builder_close_list(&builder);
            continue;
        }
        call_reject(call, i, wrong);
        builder_null(&builder);
    }
    column_release(out);
    builder_finish(&builder, out);
    builder_release(&builder);
}

const struct function *const time_sequence_functions[] = {&fn_time_sequence, NULL};
