/* datetime.c - functions of instants: fields in the session's zone, truncation, Unix times, steps by units, other zones. */
#include <math.h>
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
TIME_FIELD(fn_hour, "hour", "Hour, 0 to 23.", "hour(TIMESTAMP'2026-05-07 01:02:03')", "1", 3600 * SECOND_US, 24)
TIME_FIELD(fn_minute, "minute", "Minute, 0 to 59.", "minute(TIMESTAMP'2026-05-07 01:02:03')", "2", 60 * SECOND_US, 60)
TIME_FIELD(fn_second, "second", "Second, 0 to 59.", "second(TIMESTAMP'2026-05-07 01:02:03')", "3", SECOND_US, 60)

static enum code bind_second_fraction(struct binding *binding, __attribute__((unused)) struct error *err)
{
    binding->type = type_decimal(binding->ctx->arena, 8, 6);
    return E_OK;
}
SCALAR(fn_second_fraction, "extract:second", "(timestamp) -> any | (timestamp_ntz) -> any", "Second and its fraction.",
       NULL, NULL, .bind = bind_second_fraction, .flags = FN_HIDDEN)
{
    const struct zone *zone =
        zone_of(call, args[0].col->type); // whose offset had seconds before time zones were agreed on
    LOOP1(int64_t, int64_t, r[i] = floor_rest(to_local(zone, x), 60 * SECOND_US));
}

/* ---- parts of intervals, which only date_part reaches ---- */

#define INTERVAL_FIELD(id, name_, help_, signature_, rtype, ctype, value) \
    SCALAR(id, name_, signature_, help_, NULL, NULL, .flags = FN_HIDDEN) { LOOP1(rtype, ctype, r[i] = (rtype)(value)); }
INTERVAL_FIELD(fn_interval_year, "interval:year", "Years.", "(interval_ym) -> int", int32_t, int32_t, x / 12)
INTERVAL_FIELD(fn_interval_month, "interval:month", "Months, below a year.", "(interval_ym) -> tinyint", int8_t,
               int32_t, x % 12)
INTERVAL_FIELD(fn_interval_day, "interval:day", "Days.", "(interval_dt) -> int", int32_t, int64_t, x / DAY_US)
INTERVAL_FIELD(fn_interval_hour, "interval:hour", "Hours, below a day.", "(interval_dt) -> tinyint", int8_t, int64_t,
               x % DAY_US / (3600 * SECOND_US))
INTERVAL_FIELD(fn_interval_minute, "interval:minute", "Minutes, below an hour.", "(interval_dt) -> tinyint", int8_t,
               int64_t, x % (3600 * SECOND_US) / (60 * SECOND_US))

SCALAR(fn_interval_second, "interval:second", "(interval_dt) -> any", "Seconds and their fraction, below a minute.",
       NULL, NULL, .bind = bind_second_fraction, .flags = FN_HIDDEN)
{
    LOOP1(int64_t, int64_t, r[i] = x % (60 * SECOND_US));
}

/* The function of a field: its own name, but for fractions of seconds and for intervals. */
static const char *part_function(struct arena *arena, const char *field, const struct type *of)
{
    if (type_is_any_interval(of))
        return arena_printf(arena, "interval:%s", field);
    bool of_day = strcmp(field, "hour") == 0 || strcmp(field, "minute") == 0 || strcmp(field, "second") == 0;
    if (of->id == TYPE_TIME && of_day)
        return arena_printf(arena, "time:%s", field);
    bool extracted =
        strcmp(field, "second") == 0 || strcmp(field, "yearofweek") == 0 || strcmp(field, "dayofweek_iso") == 0;
    return extracted ? arena_printf(arena, "extract:%s", field) : field;
}

/* Intervals have the parts that they count in. */
static bool has_part(const struct type *of, const char *field)
{
    bool year = strncmp(field, "year ", 5) == 0, months = year || strncmp(field, "month ", 6) == 0;
    bool days = strncmp(field, "day ", 4) == 0 || strncmp(field, "hour ", 5) == 0 ||
                strncmp(field, "minute ", 7) == 0 || strncmp(field, "second ", 7) == 0;
    static const char *const words[] = {"day ", "hour ", "minute ", "second "};
    static const enum interval_field numbers[] = {INTERVAL_DAY, INTERVAL_HOUR, INTERVAL_MINUTE, INTERVAL_SECOND};
    for (int i = 0; i < 4 && of->id == TYPE_INTERVAL_DT; i++)
        if (strncmp(field, words[i], strlen(words[i])) == 0)
            return numbers[i] >= type_interval_from(of) && numbers[i] <= type_interval_to(of);
    switch (of->id) {
    case TYPE_TIME: return days && strncmp(field, "day ", 4) != 0;
    case TYPE_INTERVAL_YM:
        return months && (year ? type_interval_from(of) == INTERVAL_YEAR : type_interval_to(of) == INTERVAL_MONTH);
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
    if (!expr_is_foldable(binding->args[0]))
        return fail(err, E_SQL,
                    "[NON_FOLDABLE_ARGUMENT] The function `date_part` requires the parameter `field` to be a "
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
        return expr_call(binding->ctx, part_function(arena, plain, binding->args[1]->type), &binding->args[1], 1,
                         binding->at, &binding->rewritten, err);
    }
    return fail(err, E_SQL, "[INVALID_EXTRACT_FIELD] Cannot extract `%.*s` from a \"%s\"", (int)name.size,
                (const char *)name.data, type_sql(binding->ctx->arena, binding->args[1]->type));
}
SCALAR_SAME(fn_date_part, "date_part datepart extract", "(any, any) -> any", "A field by its name.",
            "date_part('MONTH', DATE'2026-05-07')", "5", .bind = bind_part);

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
                      (int64_t)((uint64_t)(level == TRUNC_DAY ? days : days_trunc(days, level)) * (uint64_t)DAY_US));
}

static void trunc_rows(struct call *call, const struct arg *units, const struct arg *times, struct column *out)
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
static enum code bind_trunc_time(struct binding *binding, struct error *err)
{
    return bind_trunc(binding, 0, TRUNC_NONE + 1, err);
}
SCALAR(fn_date_trunc, "date_trunc", "(string, timestamp) -> timestamp",
       "Start of the year, quarter, month, week, day, hour, minute, second ...; NULL for other units.",
       "date_trunc('HOUR', TIMESTAMP'2026-05-07 01:02:03')", "2026-05-07 01:00:00", .bind = bind_trunc_time,
       .flags = FN_NULLABLE)
{
    trunc_rows(call, &args[0], &args[1], out);
}

/* ---- Unix times ---- */

#define UNIX_TIME(id, name_, help_, example_, expected_, value) \
    SCALAR(id, name_, "(timestamp!) -> bigint", help_, example_, expected_) { LOOP1(int64_t, int64_t, r[i] = value); }
UNIX_TIME(fn_unix_seconds, "unix_seconds", "Seconds since 1970 UTC.", "unix_seconds(TIMESTAMP'1970-01-01 00:00:01Z')",
          "1", floor_divide(x, SECOND_US))
UNIX_TIME(fn_unix_millis, "unix_millis", "Milliseconds since 1970 UTC.", "unix_millis(TIMESTAMP'1970-01-01 00:00:01Z')",
          "1000", floor_divide(x, 1000))
UNIX_TIME(fn_unix_micros, "unix_micros", "Microseconds since 1970 UTC.", "unix_micros(TIMESTAMP'1970-01-01 00:00:01Z')",
          "1000000", x)

#define FROM_UNIX(id, name_, help_, example_, expected_, unit)                                       \
    SCALAR(id, name_, "(bigint) -> timestamp", help_, example_, expected_, .flags = FN_FAILS)        \
    {                                                                                                \
        bool bad = false;                                                                            \
        LOOP1(int64_t, int64_t, bad |= __builtin_mul_overflow(x, (int64_t)(unit), &r[i]));           \
        int64_t ignored;                                                                             \
        for (int64_t i = 0; bad && i < call->rows; i++)                                              \
            if (__builtin_mul_overflow(arg_values(&args[0], int64_t)[i], (int64_t)(unit), &ignored)) \
                call_reject(call, i, REJECT_LONG_OVERFLOW);                                          \
    }
FROM_UNIX(fn_timestamp_seconds, "timestamp_seconds", "The instant so many seconds after 1970 UTC.",
          "unix_seconds(timestamp_seconds(1))", "1", 1000000)
FROM_UNIX(fn_timestamp_millis, "timestamp_millis", "The instant so many milliseconds after 1970 UTC.",
          "unix_millis(timestamp_millis(1500))", "1500", 1000)
FROM_UNIX(fn_timestamp_micros, "timestamp_micros", "The instant so many microseconds after 1970 UTC.",
          "unix_micros(timestamp_micros(1500))", "1500", 1)

static enum code bind_seconds(struct binding *binding, struct error *err)
{
    return expr_cast(binding->ctx, binding->args[0], type_of(TYPE_TIMESTAMP), false, binding->at, &binding->rewritten,
                     err);
}
SCALAR_SAME(fn_timestamp_fraction, "timestamp_seconds", "(D) -> timestamp",
            "The instant so many seconds after 1970 UTC.", "unix_millis(timestamp_seconds(1.5))", "1500",
            .bind = bind_seconds);
SCALAR(fn_timestamp_double, "timestamp_seconds", "(double) -> timestamp", "The instant so many seconds after 1970 UTC.",
       "unix_millis(timestamp_seconds(1.5D))", "1500", .flags = FN_NULLABLE)
{
    bool strange = false;
    LOOP1(int64_t, double, double us = x * (double)SECOND_US; strange |= !isfinite(x);
          r[i] = us >= -0x1p63 && us < 0x1p63 ? (int64_t)us
                 : us > 0                     ? INT64_MAX
                                              : INT64_MIN);
    for (int64_t i = 0; strange && i < call->rows; i++)
        if (!isfinite(arg_values(&args[0], double)[i * args[0].step]))
            call_null(call, i);
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
       "timestampadd(MONTH, 1, TIMESTAMP'2026-01-31 00:00:00')", "2026-02-28 00:00:00", .flags = FN_FAILS)
{
    const struct zone *zone = zone_of(call, out->type);
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t count = arg_values(&args[1], int64_t)[i * args[1].step], months, by = 0, later = 0;
        int64_t us = arg_values(&args[2], int64_t)[i * args[2].step], unit = unit_us(arg_bytes(&args[0], i), &months);
        bool known = unit > 0 || months > 0;
        bool fits = known && !__builtin_mul_overflow(count, months > 0 ? months : unit, &by) &&
                    (months > 0 ? timestamp_add_months(us, by, zone, &later) : timestamp_add_us(us, by, zone, &later));
        if (!fits)
            call_reject(call, i, known ? REJECT_TIME_OVERFLOW : REJECT_DATETIME_UNIT);
        column_values(out, int64_t)[i] = fits ? later : 0;
    }
}

/* Whole months from a to b, both local. */
static int64_t whole_months(int64_t a, int64_t b)
{
    struct civil from = civil_of(days_of_us(a)), to = civil_of(days_of_us(b));
    int64_t months = (to.year - from.year) * 12 + to.month - from.month;
    int64_t from_rest = from.day * DAY_US + floor_rest(a, DAY_US), to_rest = to.day * DAY_US + floor_rest(b, DAY_US);
    if (months > 0 && to_rest < from_rest)
        months--;
    else if (months < 0 && to_rest > from_rest)
        months++;
    return months;
}

SCALAR(fn_timestamp_diff, "timestampdiff datediff date_diff", "(string, timestamp, timestamp) -> bigint",
       "Whole units from the first to the second.",
       "timestampdiff(MONTH, TIMESTAMP'2026-01-31 00:00:00', TIMESTAMP'2026-03-01 00:00:00')", "1", .flags = FN_FAILS)
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
            call_reject(call, i, REJECT_DATETIME_UNIT);
        column_values(out, int64_t)[i] = value;
    }
}

/* Java's rule: the fraction counts 31 days a month, in seconds; both on the last day or the same day: whole months. */
static double months_between(int64_t a, int64_t b, bool rounded)
{
    int32_t a_days = days_of_us(a), b_days = days_of_us(b);
    struct civil p = civil_of(a_days), q = civil_of(b_days);
    double months = (double)((p.year - q.year) * 12 + p.month - q.month);
    bool both_last = p.day == month_length(p.year, p.month) && q.day == month_length(q.year, q.month);
    if (p.day == q.day || both_last)
        return months;
    int64_t a_seconds = floor_rest(a, DAY_US) / SECOND_US, b_seconds = floor_rest(b, DAY_US) / SECOND_US;
    double seconds = (double)((p.day - q.day) * (int64_t)86400 + a_seconds - b_seconds);
    double value = months + seconds / (31.0 * 86400);
    if (!rounded)
        return value;
    double scaled = value * 1e8;
    return (double)(int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5) / 1e8;
}

SCALAR(fn_months_between, "months_between", "(timestamp, timestamp, boolean?) -> double",
       "Months from the second to the first; rounded to 8 digits unless the third argument is false.",
       "months_between(DATE'2026-03-31', DATE'2026-02-28')", "1.0")
{
    const struct zone *zone = call->session->zone;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t a = arg_values(&args[0], int64_t)[i * args[0].step],
                b = arg_values(&args[1], int64_t)[i * args[1].step];
        bool rounded = call->arg_count < 3 || arg_bit(&args[2], i);
        column_values(out, double)[i] = months_between(to_local(zone, a), to_local(zone, b), rounded);
    }
}

/* ---- zones ---- */

static const struct zone *zone_named(struct bytes name)
{
    const struct zone *zone;
    struct error ignored;
    return zone_find(name, &zone, &ignored) == E_OK ? zone : NULL;
}

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
       "from_utc_timestamp(TIMESTAMP'2026-01-01 00:00:00', 'Asia/Seoul')", "2026-01-01 09:00:00", .flags = FN_FAILS)
{
    other_zone(call, args, out, true);
}
SCALAR(fn_to_utc, "to_utc_timestamp", "(timestamp, string) -> timestamp",
       "The wall clock's reading taken as the zone's, as it is then in UTC.",
       "to_utc_timestamp(TIMESTAMP'2026-01-01 00:00:00', 'Asia/Seoul')", "2025-12-31 15:00:00", .flags = FN_FAILS)
{
    other_zone(call, args, out, false);
}

static void convert_zone(struct call *call, const struct arg *from, const struct arg *to, const struct arg *times,
                         struct column *out)
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
       "convert_timezone('UTC', 'Europe/Berlin', TIMESTAMP_NTZ'2026-01-01 00:00:00')", "2026-01-01 01:00:00",
       .flags = FN_FAILS)
{
    convert_zone(call, &args[0], &args[1], &args[2], out);
}
SCALAR(fn_convert_session, "convert_timezone", "(string, timestamp_ntz) -> timestamp_ntz",
       "A local time of the session's zone as the local time of the named one.", NULL, NULL, .flags = FN_FAILS)
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

SCALAR(fn_current_timestamp, "current_timestamp now", "() -> timestamp", "The time of the batch.", NULL, NULL,
       .flags = FN_TIME | FN_NEVER_NULL)
{
    column_values(out, int64_t)[0] = call->session->batch_time_us;
}
SCALAR(fn_local_timestamp, "localtimestamp", "() -> timestamp_ntz", "The local time of the batch.", NULL, NULL,
       .flags = FN_TIME | FN_NEVER_NULL)
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
    &fn_timestamp_double,
    &fn_timestamp_millis,
    &fn_timestamp_micros,
    &fn_timestamp_add,
    &fn_timestamp_diff,
    &fn_months_between,
    &fn_from_utc,
    &fn_to_utc,
    &fn_convert_timezone,
    &fn_convert_session,
    &fn_current_timezone,
    &fn_current_timestamp,
    &fn_local_timestamp,
    NULL,
};
