/* datetime.c - functions of instants: fields in the session's zone, truncation, Unix times, intervals, other zones. */
#include <strings.h>

#include "expr/calendar.h"
#include "expr/coerce.h"
#include "expr/writer.h"

/* NULL for TIMESTAMP_NTZ, whose values are local already. */
static const struct zone *zone_of(const struct call *call, const struct type *type)
{
    return type->id == TYPE_TIMESTAMP ? call->session->zone : NULL;
}

/* ---- fields ---- */

#define TIME_FIELD(id, name_, help_, example_, expected_, unit, size)                              \
    SCALAR(id, name_, "(timestamp) -> int | (timestamp_ntz) -> int", help_, example_, expected_)   \
    {                                                                                              \
        const struct zone *zone = zone_of(call, args[0].col->type);                                \
        LOOP1(int32_t, int64_t, r[i] = floor_modulo(floor_divide(to_local(zone, x), unit), size)); \
    }
TIME_FIELD(fn_hour, "hour", "Hour, 0 to 23.", "hour(TIMESTAMP'2026-05-07 01:02:03')", "1",
           3600 * SECOND_US, 24)
TIME_FIELD(fn_minute, "minute", "Minute, 0 to 59.", "minute(TIMESTAMP'2026-05-07 01:02:03')", "2",
           60 * SECOND_US, 60)
TIME_FIELD(fn_second, "second", "Second, 0 to 59.", "second(TIMESTAMP'2026-05-07 01:02:03')", "3",
           SECOND_US, 60)

static enum code bind_second_fraction(struct binding *binding,
                                      __attribute__((unused)) struct error *err)
{
    binding->type = type_decimal(binding->ctx->arena, 8, 6);
    return E_OK;
}
SCALAR(fn_second_fraction, "extract:second", "(timestamp) -> any | (timestamp_ntz) -> any",
       "Second and its fraction.", NULL, NULL, .bind = bind_second_fraction, .flags = FN_HIDDEN)
{
    LOOP1(int64_t, int64_t, r[i] = floor_rest(x, 60 * SECOND_US));
}

/* ---- parts of intervals, which only date_part reaches ---- */

#define INTERVAL_FIELD(id, name_, help_, signature_, rtype, ctype, value) \
    SCALAR(id, name_, signature_, help_, NULL, NULL, .flags = FN_HIDDEN)  \
    {                                                                     \
        LOOP1(rtype, ctype, r[i] = (rtype)(value));                       \
    }
INTERVAL_FIELD(fn_interval_year, "interval:year", "Years.", "(interval_ym) -> int", int32_t,
               int32_t, x / 12)
INTERVAL_FIELD(fn_interval_month, "interval:month", "Months, below a year.",
               "(interval_ym) -> tinyint", int8_t, int32_t, x % 12)
INTERVAL_FIELD(fn_interval_day, "interval:day", "Days.", "(interval_dt) -> int", int32_t, int64_t,
               x / DAY_US)
INTERVAL_FIELD(fn_interval_hour, "interval:hour", "Hours, below a day.", "(interval_dt) -> tinyint",
               int8_t, int64_t, x % DAY_US / (3600 * SECOND_US))
INTERVAL_FIELD(fn_interval_minute, "interval:minute", "Minutes, below an hour.",
               "(interval_dt) -> tinyint", int8_t, int64_t,
               x % (3600 * SECOND_US) / (60 * SECOND_US))

SCALAR(fn_interval_second, "interval:second", "(interval_dt) -> any",
       "Seconds and their fraction, below a minute.", NULL, NULL, .bind = bind_second_fraction,
       .flags = FN_HIDDEN)
{
    LOOP1(int64_t, int64_t, r[i] = x % (60 * SECOND_US));
}

/* The function of a field: its own name, but for fractions of seconds and for intervals. */
static const char *part_function(struct arena *arena, const char *field, const struct type *of)
{
    if (type_is_interval(of) || of->id == TYPE_INTERVAL)
        return arena_printf(arena, "interval:%s", field);
    bool of_day = strcmp(field, "hour") == 0 || strcmp(field, "minute") == 0 || strcmp(field, "second") == 0;
    if (of->id == TYPE_TIME && of_day)
        return arena_printf(arena, "time:%s", field);
    return strcmp(field, "second") == 0 ? "extract:second" : field;
}

/* Intervals have the parts that they count in. */
static bool has_part(const struct type *of, const char *field)
{
    bool months = strncmp(field, "year ", 5) == 0 || strncmp(field, "month ", 6) == 0;
    bool days = strncmp(field, "day ", 4) == 0 || strncmp(field, "hour ", 5) == 0 || strncmp(field, "minute ", 7) == 0 ||
                strncmp(field, "second ", 7) == 0;
    switch (of->id) {
    case TYPE_INTERVAL_YM: return months;
    case TYPE_INTERVAL_DT: return days;
    case TYPE_INTERVAL: return months || days;
    default: return true;
    }
}

/* date_part('month', x), and EXTRACT(month FROM x), are the functions of that name. */
static enum code bind_part(struct binding *binding, struct error *err)
{
    // The function, then the field's other names.
    static const char *const fields[] = {
        "year y years yr yrs",
        "yearofweek",
        "quarter qtr",
        "month mon mons months",
        "weekofyear week w weeks",
        "day d days",
        "dayofweek dow",
        "dayofweek_iso dow_iso",
        "dayofyear doy",
        "hour h hours hr hrs",
        "minute m min mins minutes",
        "second s sec secs seconds",
    };
    const struct expr *field;
    if (!expr_is_constant(binding->args[0]))
        return fail(err, E_SQL, "[NON_FOLDABLE_ARGUMENT] The function `date_part` requires the parameter `field` to be a "
                                "foldable expression of the type \"STRING\".");
    TRY(binding_cast(binding, 0, type_of(TYPE_STRING), err));
    TRY(binding_constant(binding, 0, &field, err));
    if (literal_is_null(field)) {
        binding->rewritten = expr_null(binding->ctx, type_of(TYPE_DOUBLE), binding->at);
        return E_OK;
    }
    struct bytes name = literal_bytes(field);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const struct function row = {.name = fields[i]};
        if (!function_has_name(&row, (const char *)name.data, name.size))
            continue;
        if (!has_part(binding->args[1]->type, fields[i]))
            break;
        struct arena *arena = binding->ctx->arena;
        const char *plain = arena_strndup(arena, fields[i], strcspn(fields[i], " "));
        return expr_call(binding->ctx, part_function(arena, plain, binding->args[1]->type),
                         &binding->args[1], 1, binding->at, &binding->rewritten, err);
    }
    return fail(err, E_SQL, "[INVALID_EXTRACT_FIELD] Cannot extract `%.*s` from a \"%s\"",
                (int)name.size, (const char *)name.data,
                type_sql(binding->ctx->arena, binding->args[1]->type));
}
SCALAR_SAME(fn_date_part, "date_part datepart extract", "(any, any) -> any",
            "A field by its name.", "date_part('MONTH', DATE'2026-05-07')", "5", .bind = bind_part);

/* ---- truncation ---- */

static int64_t timestamp_trunc(int64_t us, enum trunc_level level, const struct zone *zone)
{
    static const int64_t units[] = {[TRUNC_MILLISECOND] = 1000,
                                    [TRUNC_SECOND] = 1000000,
                                    [TRUNC_MINUTE] = 60 * (int64_t)1000000,
                                    [TRUNC_HOUR] = 3600 * (int64_t)1000000};
    if (level == TRUNC_MICROSECOND)
        return us;
    if (level <= TRUNC_HOUR) { // the offset stays the same within the hour
        int64_t offset = zone == NULL ? 0 : zone_offset_us(zone, us);
        return wrap_add(us, -floor_rest(wrap_add(us, offset), units[level]));
    }
    int32_t days = days_of_us(to_local(zone, us));
    return from_local(zone,
                      (int64_t)((uint64_t)(level == TRUNC_DAY ? days : days_trunc(days, level)) *
                                (uint64_t)DAY_US));
}

static void trunc_rows(struct call *call, const struct arg *units, const struct arg *times,
                       struct column *out)
{
    const struct zone *zone = zone_of(call, times->col->type);
    enum trunc_level level = units->step == 0 ? trunc_level_of(arg_bytes(units, 0)) : TRUNC_NONE;
    for (int64_t i = 0; i < call->rows; i++) {
        if (units->step != 0)
            level = trunc_level_of(arg_bytes(units, i));
        if (level == TRUNC_NONE)
            call_null(call, i);
        int64_t us = arg_values(times, int64_t)[i * times->step];
        column_values(out, int64_t)[i] = level == TRUNC_NONE ? 0 : timestamp_trunc(us, level, zone);
    }
}
SCALAR(
    fn_date_trunc, "date_trunc",
    "(string, timestamp) -> timestamp",
    "Start of the year, quarter, month, week, day, hour, minute, second ...; NULL for other units.",
    "date_trunc('HOUR', TIMESTAMP'2026-05-07 01:02:03')", "2026-05-07 01:00:00",
    .flags = FN_NULLABLE)
{
    trunc_rows(call, &args[0], &args[1], out);
}

/* ---- Unix times ---- */

#define UNIX_TIME(id, name_, help_, example_, expected_, value)            \
    SCALAR(id, name_, "(timestamp) -> bigint", help_, example_, expected_) \
    {                                                                      \
        LOOP1(int64_t, int64_t, r[i] = value);                             \
    }
UNIX_TIME(fn_unix_seconds, "unix_seconds", "Seconds since 1970 UTC.",
          "unix_seconds(TIMESTAMP'1970-01-01 00:00:01Z')", "1", floor_divide(x, SECOND_US))
UNIX_TIME(fn_unix_millis, "unix_millis", "Milliseconds since 1970 UTC.",
          "unix_millis(TIMESTAMP'1970-01-01 00:00:01Z')", "1000", floor_divide(x, 1000))
UNIX_TIME(fn_unix_micros, "unix_micros", "Microseconds since 1970 UTC.",
          "unix_micros(TIMESTAMP'1970-01-01 00:00:01Z')", "1000000", x)

#define FROM_UNIX(id, name_, help_, example_, expected_, unit)                                \
    SCALAR(id, name_, "(bigint) -> timestamp", help_, example_, expected_, .flags = FN_FAILS) \
    {                                                                                         \
        bool bad = false;                                                                     \
        LOOP1(int64_t, int64_t, bad |= __builtin_mul_overflow(x, (int64_t)(unit), &r[i]));    \
        int64_t ignored;                                                                      \
        for (int64_t i = 0; bad && i < call->rows; i++)                                       \
            if (__builtin_mul_overflow(arg_values(&args[0], int64_t)[i], (int64_t)(unit),     \
                                       &ignored))                                             \
                call_reject(call, i, REJECT_LONG_OVERFLOW);                                   \
    }
FROM_UNIX(fn_timestamp_seconds, "timestamp_seconds", "The instant so many seconds after 1970 UTC.",
          "unix_seconds(timestamp_seconds(1))", "1", 1000000)
FROM_UNIX(fn_timestamp_millis, "timestamp_millis",
          "The instant so many milliseconds after 1970 UTC.", "unix_millis(timestamp_millis(1500))",
          "1500", 1000)
FROM_UNIX(fn_timestamp_micros, "timestamp_micros",
          "The instant so many microseconds after 1970 UTC.", "unix_micros(timestamp_micros(1500))",
          "1500", 1)

static enum code bind_seconds(struct binding *binding, struct error *err)
{
    return expr_cast(binding->ctx, binding->args[0], type_of(TYPE_TIMESTAMP), false, binding->at,
                     &binding->rewritten, err);
}
SCALAR_SAME(fn_timestamp_fraction, "timestamp_seconds", "(double) -> timestamp | (D) -> timestamp",
            "The instant so many seconds after 1970 UTC.", "unix_millis(timestamp_seconds(1.5))",
            "1500", .bind = bind_seconds);

/* ---- adding intervals ---- */

bool timestamp_add_months(int64_t us, int64_t months, const struct zone *zone, int64_t *out)
{
    int64_t local = to_local(zone, us), later;
    int32_t days = days_of_us(local), day;
    if (!days_add_months(days, months, &day) ||
        __builtin_mul_overflow((int64_t)day, DAY_US, &later) ||
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
            fits = !__builtin_mul_overflow(arg_values(&args[1], int64_t)[i * args[1].step],
                                           (int64_t)sign, &by);
        fits = fits && (months ? timestamp_add_months(us, by, zone, &later)
                               : timestamp_add_us(us, by, zone, &later));
        if (!fits)
            call_reject(call, i, REJECT_ARITHMETIC_OVERFLOW);
        column_values(out, int64_t)[i] = fits ? later : 0;
    }
}

#define TIME_INTERVAL                                                                  \
    "(timestamp, interval_dt) -> timestamp | (timestamp, interval_ym) -> timestamp | " \
    "(timestamp_ntz, interval_dt) -> timestamp_ntz | (timestamp_ntz, interval_ym) -> timestamp_ntz"
SCALAR(fn_plus_interval, "+", TIME_INTERVAL, "Later by an interval.",
       "TIMESTAMP'2026-01-31 10:00:00' + INTERVAL '1' MONTH", "2026-02-28 10:00:00",
       .flags = FN_FAILS | FN_OPERATOR)
{
    add_interval(call, args, out, 1);
}
SCALAR(fn_minus_interval, "-", TIME_INTERVAL, "Earlier by an interval.",
       "TIMESTAMP'2026-01-31 10:00:00' - INTERVAL '1' DAY", "2026-01-30 10:00:00",
       .flags = FN_FAILS | FN_OPERATOR)
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
SCALAR_SAME(fn_try_interval_plus, "try_add", INTERVAL_TIME, "Later by an interval; NULL when there is no such time.", NULL,
            NULL, .bind = bind_swapped);
SCALAR_SAME(fn_try_plus_interval, "try_add", TIME_INTERVAL, "Later by an interval; NULL when there is no such time.",
            "try_add(TIMESTAMP'2026-01-31 10:00:00', INTERVAL '1' MONTH)", "2026-02-28 10:00:00",
            .run = fn_plus_interval_run, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);
SCALAR_SAME(fn_try_minus_interval, "try_subtract", TIME_INTERVAL, "Earlier by an interval; NULL when there is no such time.",
            NULL, NULL, .run = fn_minus_interval_run, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

/* A text that is a time stays a text. */
static enum code bind_text(struct binding *binding, struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    const struct expr *args[] = {expr_cast_implicit(ctx, binding->args[0], type_of(TYPE_TIMESTAMP)), binding->args[1]}, *moved;
    TRY(expr_call(ctx, binding->function->name, args, 2, binding->at, &moved, err));
    binding->rewritten = expr_cast_implicit(ctx, moved, type_of(TYPE_STRING));
    return E_OK;
}
#define TEXT_INTERVAL "(string, interval_dt) -> any | (string, interval) -> any"
SCALAR_SAME(fn_text_plus, "+", TEXT_INTERVAL, "The text of a time, later by an interval.",
            "'2026-01-30 10:00:00' + INTERVAL '1' DAY", "2026-01-31 10:00:00", .bind = bind_text, .flags = FN_OPERATOR);
SCALAR_SAME(fn_text_minus, "-", TEXT_INTERVAL, "The text of a time, earlier by an interval.",
            "'2026-01-30 10:00:00' - INTERVAL '1' DAY", "2026-01-29 10:00:00", .bind = bind_text, .flags = FN_OPERATOR);

/* A DATE stays one when the interval is one of days. */
static enum code date_by_interval(struct binding *binding, const char *by_days, const char *by_time,
                                  struct error *err)
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
SCALAR_SAME(fn_try_date_plus, "try_add", "(date, interval_dt) -> any", "Later by an interval; NULL when there is no such day.",
            NULL, NULL, .bind = bind_try_plus);
SCALAR_SAME(fn_try_date_minus, "try_subtract", "(date, interval_dt) -> any",
            "Earlier by an interval; NULL when there is no such day.", NULL, NULL, .bind = bind_try_minus);
SCALAR_SAME(fn_date_plus_interval, "+", "(date, interval_dt) -> any", "Later by an interval.",
            "DATE'2026-01-31' + INTERVAL '1' DAY", "2026-02-01", .bind = bind_date_plus,
            .flags = FN_OPERATOR);
SCALAR_SAME(fn_date_minus_interval, "-", "(date, interval_dt) -> any", "Earlier by an interval.",
            "DATE'2026-01-31' - INTERVAL '1' HOUR", "2026-01-30 23:00:00", .bind = bind_date_minus,
            .flags = FN_OPERATOR);

/* Spark's older difference: an INTERVAL of microseconds. */
SCALAR(fn_calendar_difference, "interval:between",
       "(timestamp, timestamp) -> interval | (timestamp_ntz, timestamp_ntz) -> interval", "The time between two instants.",
       NULL, NULL, .flags = FN_HIDDEN)
{
    struct calendar_interval *values = column_values(out, struct calendar_interval);
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t from = arg_values(&args[1], int64_t)[i * args[1].step], to = arg_values(&args[0], int64_t)[i * args[0].step];
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
SCALAR(fn_time_difference, "-",
       "(timestamp, timestamp) -> interval_dt | (timestamp_ntz, timestamp_ntz) -> interval_dt",
       "The time between two instants, by the calendar.",
       "TIMESTAMP'2026-01-02 00:00:00' - TIMESTAMP'2026-01-01 12:00:00'",
       "INTERVAL '0 12:00:00' DAY TO SECOND", .bind = bind_difference, .flags = FN_OPERATOR | FN_FAILS)
{
    const struct zone *zone = zone_of(call, args[0].col->type);
    bool bad = false;
    LOOP2(int64_t, int64_t, int64_t,
          bad |= __builtin_sub_overflow(to_local(zone, x), to_local(zone, y), &r[i]));
    int64_t ignored;
    if (bad)
        REJECT2(int64_t, int64_t, REJECT_ARITHMETIC_OVERFLOW,
                __builtin_sub_overflow(to_local(zone, x), to_local(zone, y), &ignored));
}

/* ---- units by name ---- */

static int64_t unit_us(struct bytes unit, int64_t *months)
{
    static const int64_t sizes[] = {[TRUNC_MICROSECOND] = 1,
                                    [TRUNC_MILLISECOND] = 1000,
                                    [TRUNC_SECOND] = 1000000,
                                    [TRUNC_MINUTE] = 60 * (int64_t)1000000,
                                    [TRUNC_HOUR] = 3600 * (int64_t)1000000,
                                    [TRUNC_DAY] = DAY_US,
                                    [TRUNC_WEEK] = 7 * DAY_US};
    enum trunc_level level = trunc_level_of(unit);
    *months = level == TRUNC_YEAR ? 12 : level == TRUNC_QUARTER ? 3 : level == TRUNC_MONTH ? 1 : 0;
    return level == TRUNC_NONE || *months > 0 ? 0 : sizes[level];
}

SCALAR(fn_timestamp_add, "timestampadd dateadd date_add",
       "(string, bigint, timestamp) -> timestamp | (string, bigint, timestamp_ntz) -> timestamp_ntz",
       "Later by so many units: YEAR, QUARTER, MONTH, WEEK, DAY, HOUR ...",
       "timestampadd(MONTH, 1, TIMESTAMP'2026-01-31 00:00:00')", "2026-02-28 00:00:00",
       .flags = FN_FAILS)
{
    const struct zone *zone = zone_of(call, out->type);
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t count = arg_values(&args[1], int64_t)[i * args[1].step], months, by = 0, later = 0;
        int64_t us = arg_values(&args[2], int64_t)[i * args[2].step],
                unit = unit_us(arg_bytes(&args[0], i), &months);
        bool known = unit > 0 || months > 0;
        bool fits = known && !__builtin_mul_overflow(count, months > 0 ? months : unit, &by) &&
                    (months > 0 ? timestamp_add_months(us, by, zone, &later)
                                : timestamp_add_us(us, by, zone, &later));
        if (!fits)
            call_reject(call, i, known ? REJECT_ARITHMETIC_OVERFLOW : REJECT_ARGUMENT);
        column_values(out, int64_t)[i] = fits ? later : 0;
    }
}

/* Whole months from a to b, both local. */
static int64_t whole_months(int64_t a, int64_t b)
{
    struct civil from = civil_of(days_of_us(a)), to = civil_of(days_of_us(b));
    int64_t months = (to.year - from.year) * 12 + to.month - from.month;
    int64_t from_rest = from.day * DAY_US + floor_rest(a, DAY_US),
            to_rest = to.day * DAY_US + floor_rest(b, DAY_US);
    if (months > 0 && to_rest < from_rest)
        months--;
    else if (months < 0 && to_rest > from_rest)
        months++;
    return months;
}

SCALAR(fn_timestamp_diff, "timestampdiff datediff date_diff",
       "(string, timestamp, timestamp) -> bigint", "Whole units from the first to the second.",
       "timestampdiff(MONTH, TIMESTAMP'2026-01-31 00:00:00', TIMESTAMP'2026-03-01 00:00:00')", "1",
       .flags = FN_FAILS)
{
    const struct zone *zone = call->session->zone;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t a = arg_values(&args[1], int64_t)[i * args[1].step],
                b = arg_values(&args[2], int64_t)[i * args[2].step];
        int64_t months, unit = unit_us(arg_bytes(&args[0], i), &months), value = 0;
        a = to_local(zone, a); // hours too are those of the wall clock
        b = to_local(zone, b);
        if (months > 0)
            value = whole_months(a, b) / months;
        else if (unit > 0)
            value = (int64_t)(((int128)b - a) / unit);
        else
            call_reject(call, i, REJECT_ARGUMENT);
        column_values(out, int64_t)[i] = value;
    }
}

/* Java's rule: the fraction counts 31 days a month, in seconds; both on the last day or the same day: whole months. */
static double months_between(int64_t a, int64_t b, bool rounded)
{
    int32_t a_days = days_of_us(a), b_days = days_of_us(b);
    struct civil p = civil_of(a_days), q = civil_of(b_days);
    double months = (double)((p.year - q.year) * 12 + p.month - q.month);
    bool both_last =
        p.day == month_length(p.year, p.month) && q.day == month_length(q.year, q.month);
    if (p.day == q.day || both_last)
        return months;
    int64_t a_seconds = floor_rest(a, DAY_US) / SECOND_US,
            b_seconds = floor_rest(b, DAY_US) / SECOND_US;
    double seconds = (double)((p.day - q.day) * (int64_t)86400 + a_seconds - b_seconds);
    double value = months + seconds / (31.0 * 86400);
    if (!rounded)
        return value;
    double scaled = value * 1e8;
    return (double)(int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5) / 1e8;
}

SCALAR(
    fn_months_between, "months_between", "(timestamp, timestamp, boolean?) -> double",
    "Months from the second to the first; rounded to 8 digits unless the third argument is false.",
    "months_between(DATE'2026-03-31', DATE'2026-02-28')", "1.0")
{
    const struct zone *zone = call->session->zone;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t a = arg_values(&args[0], int64_t)[i * args[0].step],
                b = arg_values(&args[1], int64_t)[i * args[1].step];
        bool rounded = call->arg_count < 3 || arg_bit(&args[2], i);
        column_values(out, double)[i] =
            months_between(to_local(zone, a), to_local(zone, b), rounded);
    }
}

/* ---- making ---- */

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
    if (v[0] < -290000 || v[0] > 290000 || !civil_valid(v[0], (int)v[1], (int)v[2]) || v[3] < 0 ||
        v[3] > 23 || v[4] < 0 || v[4] > 59 || us < 0 || (us >= 60 * SECOND_US && !sixty))
        return REJECT_FIELD_BOUNDS;
    *out = days_from_civil(v[0], (int)v[1], (int)v[2]) * DAY_US +
           (v[3] * 60 + v[4]) * 60 * SECOND_US + us;
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
#define MAKE_ARGS  "(int, int, int, int, int, any, string?)"
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
SCALAR_SAME(fn_make_timestamp_here, "make_timestamp:ntz", MAKE_ARGS " -> timestamp_ntz", "A local time of its parts.", NULL,
            NULL, .run = fn_make_timestamp_run, .bind = bind_make_timestamp, .flags = FN_FAILS | FN_HIDDEN);
SCALAR_SAME(fn_try_make_timestamp_here, "try_make_timestamp:ntz", MAKE_ARGS " -> timestamp_ntz",
            "A local time of its parts; NULL when there is none.", NULL, NULL, .run = fn_make_timestamp_run,
            .bind = bind_make_timestamp, .flags = FN_FAILS | FN_NULLABLE | FN_TRY | FN_HIDDEN);
SCALAR_SAME(fn_make_timestamp_ntz, "make_timestamp_ntz", MAKE_LOCAL " -> timestamp_ntz", "A local time of its parts.",
            "make_timestamp_ntz(2026, 2, 3, 4, 5, 6)", "2026-02-03 04:05:06", .run = fn_make_timestamp_run,
            .bind = bind_make_timestamp, .flags = FN_FAILS);
SCALAR_SAME(fn_try_make_timestamp_ntz, "try_make_timestamp_ntz", MAKE_LOCAL " -> timestamp_ntz",
            "A local time of its parts; NULL when there is none.", "try_make_timestamp_ntz(2026, 13, 1, 0, 0, 0)", "NULL",
            .run = fn_make_timestamp_run, .bind = bind_make_timestamp, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

SCALAR(fn_make_ym_interval, "make_ym_interval", "(int?, int?) -> interval_ym",
       "An interval of years and months.", "make_ym_interval(1, 2)", "INTERVAL '1-2' YEAR TO MONTH",
       .flags = FN_FAILS)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t months =
            call->arg_count > 0 ? 12 * (int64_t)arg_values(&args[0], int32_t)[i * args[0].step] : 0;
        months += call->arg_count > 1 ? arg_values(&args[1], int32_t)[i * args[1].step] : 0;
        if (months != (int32_t)months)
            call_reject(call, i, REJECT_INTERVAL_RANGE);
        column_values(out, int32_t)[i] = (int32_t)months;
    }
}

static enum code bind_dt_interval(struct binding *binding, struct error *err)
{
    return binding->count < 4
               ? E_OK
               : binding_cast(binding, 3, type_decimal(binding->ctx->arena, 18, 6), err);
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

/* ---- zones ---- */

/* The zone of a constant argument is looked up once. */
static const struct zone *zone_at(const struct arg *arg, int64_t row, const struct zone *known)
{
    return arg->step == 0 && known != NULL ? known : zone_named(arg_bytes(arg, row));
}

static void other_zone(struct call *call, const struct arg *args, struct column *out, bool from_utc)
{
    const struct zone *zone = NULL;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t us = arg_values(&args[0], int64_t)[i * args[0].step];
        zone = zone_at(&args[1], i, zone);
        if (zone == NULL)
            call_reject(call, i, REJECT_TIME_ZONE);
        int64_t moved = us; // the same wall clock: local there, read as UTC, or the other way round
        if (zone != NULL)
            moved = from_utc ? to_local(zone, us) : from_local(zone, us);
        column_values(out, int64_t)[i] = moved;
    }
}
SCALAR(fn_from_utc, "from_utc_timestamp", "(timestamp, string) -> timestamp",
       "The wall clock's reading taken as UTC, as it is then in the zone.",
       "from_utc_timestamp(TIMESTAMP'2026-01-01 00:00:00', 'Asia/Seoul')", "2026-01-01 09:00:00",
       .flags = FN_FAILS)
{
    other_zone(call, args, out, true);
}
SCALAR(fn_to_utc, "to_utc_timestamp", "(timestamp, string) -> timestamp",
       "The wall clock's reading taken as the zone's, as it is then in UTC.",
       "to_utc_timestamp(TIMESTAMP'2026-01-01 00:00:00', 'Asia/Seoul')", "2025-12-31 15:00:00",
       .flags = FN_FAILS)
{
    other_zone(call, args, out, false);
}

static void convert_zone(struct call *call, const struct arg *from, const struct arg *to,
                         const struct arg *times, struct column *out)
{
    const struct zone *source = from == NULL ? call->session->zone : NULL, *target = NULL;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t us = arg_values(times, int64_t)[i * times->step];
        source = from == NULL ? source : zone_at(from, i, source);
        target = zone_at(to, i, target);
        bool known = source != NULL && target != NULL;
        if (!known)
            call_reject(call, i, REJECT_TIME_ZONE);
        column_values(out, int64_t)[i] = known ? to_local(target, from_local(source, us)) : 0;
    }
}
SCALAR(fn_convert_timezone, "convert_timezone", "(string, string, timestamp_ntz) -> timestamp_ntz",
       "A local time of the first zone as the local time of the second.",
       "convert_timezone('UTC', 'Europe/Berlin', TIMESTAMP_NTZ'2026-01-01 00:00:00')",
       "2026-01-01 01:00:00", .flags = FN_FAILS)
{
    convert_zone(call, &args[0], &args[1], &args[2], out);
}
SCALAR(fn_convert_session, "convert_timezone", "(string, timestamp_ntz) -> timestamp_ntz",
       "A local time of the session's zone as the local time of the named one.", NULL, NULL,
       .flags = FN_FAILS)
{
    convert_zone(call, NULL, &args[0], &args[1], out);
}

SCALAR(fn_current_timezone, "current_timezone", "() -> string", "The session's zone.", NULL, NULL,
       .flags = FN_TIME | FN_NEVER_NULL)
{
    struct writer writer;
    writer_open(&writer, call, out, 32);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        writer_put_string(&writer, zone_name(call->session->zone));
    }
    writer_close(&writer);
}

/* ---- now ---- */

SCALAR(fn_current_timestamp, "current_timestamp now", "() -> timestamp", "The time of the batch.",
       NULL, NULL, .flags = FN_TIME | FN_NEVER_NULL)
{
    column_values(out, int64_t)[0] = call->session->batch_time_us;
}
SCALAR(fn_local_timestamp, "localtimestamp", "() -> timestamp_ntz", "The local time of the batch.",
       NULL, NULL, .flags = FN_TIME | FN_NEVER_NULL)
{
    column_values(out, int64_t)[0] = to_local(call->session->zone, call->session->batch_time_us);
}

const struct function *const datetime_functions[] = {
    &fn_hour,
    &fn_minute,
    &fn_second,
    &fn_second_fraction,
    &fn_interval_year,
    &fn_interval_month,
    &fn_interval_day,
    &fn_interval_hour,
    &fn_interval_minute,
    &fn_interval_second,
    &fn_date_part,
    &fn_date_trunc,
    &fn_unix_seconds,
    &fn_unix_millis,
    &fn_unix_micros,
    &fn_timestamp_seconds,
    &fn_timestamp_fraction,
    &fn_timestamp_millis,
    &fn_timestamp_micros,
    &fn_plus_interval,
    &fn_minus_interval,
    &fn_interval_plus,
    &fn_try_interval_plus,
    &fn_try_plus_interval,
    &fn_try_minus_interval,
    &fn_text_plus,
    &fn_text_minus,
    &fn_try_date_plus,
    &fn_try_date_minus,
    &fn_calendar_difference,
    &fn_date_plus_interval,
    &fn_date_minus_interval,
    &fn_time_difference,
    &fn_timestamp_add,
    &fn_timestamp_diff,
    &fn_months_between,
    &fn_make_timestamp,
    &fn_try_make_timestamp,
    &fn_make_timestamp_here,
    &fn_try_make_timestamp_here,
    &fn_make_timestamp_ntz,
    &fn_try_make_timestamp_ntz,
    &fn_make_ym_interval,
    &fn_make_dt_interval,
    &fn_from_utc,
    &fn_to_utc,
    &fn_convert_timezone,
    &fn_convert_session,
    &fn_current_timezone,
    &fn_current_timestamp,
    &fn_local_timestamp,
    NULL,
};
