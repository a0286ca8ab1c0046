/* calendar.c - functions of dates: their fields, steps by days and months, and making them. */
#include "expr/calendar.h"

#include <strings.h>

#include "expr/coerce.h"
#include "expr/writer.h"

const char *const month_names[12] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
const char *const weekday_names[7] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

/* ---- sums ---- */

int month_length(int64_t year, int month)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return lengths[month - 1] + (month == 2 && leap);
}

static bool days_in_range(int64_t year) { return year >= -5800000 && year <= 5800000; } // int32 days

bool days_add_months(int32_t days, int64_t months, int32_t *out)
{
    struct civil civil = civil_of(days);
    int64_t total;
    if (__builtin_add_overflow(civil.year * 12 + civil.month - 1, months, &total))
        return false;
    int64_t year = floor_divide(total, 12);
    int month = floor_modulo(total, 12) + 1;
    if (!days_in_range(year))
        return false;
    int last = month_length(year, month);
    *out = days_from_civil(year, month, civil.day < last ? civil.day : last);
    return true;
}

enum trunc_level trunc_level_of(struct bytes name)
{
    static const struct {
        const char *name;
        enum trunc_level level;
    } names[] = {
        {"microsecond", TRUNC_MICROSECOND},
        {"millisecond", TRUNC_MILLISECOND},
        {"second", TRUNC_SECOND},
        {"minute", TRUNC_MINUTE},
        {"hour", TRUNC_HOUR},
        {"day", TRUNC_DAY},
        {"dd", TRUNC_DAY},
        {"week", TRUNC_WEEK},
        {"month", TRUNC_MONTH},
        {"mon", TRUNC_MONTH},
        {"mm", TRUNC_MONTH},
        {"quarter", TRUNC_QUARTER},
        {"year", TRUNC_YEAR},
        {"yyyy", TRUNC_YEAR},
        {"yy", TRUNC_YEAR},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (name.size == strlen(names[i].name) && strncasecmp((const char *)name.data, names[i].name, name.size) == 0)
            return names[i].level;
    return TRUNC_NONE;
}

int32_t days_trunc(int32_t days, enum trunc_level level)
{
    if (level == TRUNC_WEEK)
        return (int32_t)((int64_t)days - weekday_of(days));
    struct civil civil = civil_of(days);
    int month = level == TRUNC_YEAR ? 1 : level == TRUNC_QUARTER ? (civil.month - 1) / 3 * 3 + 1 : civil.month;
    return days_from_civil(civil.year, month, 1);
}

/* ---- fields ---- */

static int year_day(int64_t days) { return (int)(days - days_from_civil(civil_of((int32_t)days).year, 1, 1) + 1); }

/* ISO 8601: the week of a day is that of its Thursday. */
static int32_t thursday_of(int32_t days) { return (int32_t)((int64_t)days - weekday_of(days) + 3); }
static int iso_week(int32_t days) { return (year_day(thursday_of(days)) - 1) / 7 + 1; }
static int64_t iso_year(int32_t days) { return civil_of(thursday_of(days)).year; }

#define DATE_FIELD(id, name_, help_, example_, expected_, value) \
    SCALAR(id, name_, "(date) -> int", help_, example_, expected_) { LOOP1(int32_t, int32_t, r[i] = (int32_t)(value)); }
DATE_FIELD(fn_year, "year", "Year.", "year(DATE'2026-05-07')", "2026", civil_of(x).year)
DATE_FIELD(fn_year_of_week, "extract:yearofweek", "Year that the ISO week belongs to.", NULL, NULL, iso_year(x))
DATE_FIELD(fn_quarter, "quarter", "Quarter, 1 to 4.", "quarter(DATE'2026-05-07')", "2", (civil_of(x).month - 1) / 3 + 1)
DATE_FIELD(fn_month, "month", "Month, 1 to 12.", "month(DATE'2026-05-07')", "5", civil_of(x).month)
DATE_FIELD(fn_day, "day dayofmonth", "Day of the month.", "day(DATE'2026-05-07')", "7", civil_of(x).day)
DATE_FIELD(fn_day_of_week, "dayofweek", "1 = Sunday to 7 = Saturday.", "dayofweek(DATE'2026-05-07')", "5",
           (weekday_of(x) + 1) % 7 + 1)
DATE_FIELD(fn_iso_day, "extract:dayofweek_iso", "1 = Monday to 7 = Sunday.", NULL, NULL, weekday_of(x) + 1)
DATE_FIELD(fn_weekday, "weekday", "0 = Monday to 6 = Sunday.", "weekday(DATE'2026-05-07')", "3", weekday_of(x))
DATE_FIELD(fn_day_of_year, "dayofyear", "Day of the year.", "dayofyear(DATE'2026-05-07')", "127", year_day(x))
DATE_FIELD(fn_week_of_year, "weekofyear", "ISO week of the year.", "weekofyear(DATE'2026-01-01')", "1", iso_week(x))
SCALAR(fn_unix_date, "unix_date", "(date!) -> int", "Days since 1970-01-01.", "unix_date(DATE'1970-01-02')", "1")
{
    LOOP1(int32_t, int32_t, r[i] = x);
}

static void name_run(struct call *call, const struct arg *args, struct column *out, bool month)
{
    struct writer writer;
    writer_open(&writer, call, out, call->rows * 3);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        int32_t days = arg_values(&args[0], int32_t)[i];
        const char *name = month ? month_names[civil_of(days).month - 1] : weekday_names[weekday_of(days)];
        writer_put(&writer, bytes_of(name, 3));
    }
    writer_close(&writer);
}
SCALAR(fn_day_name, "dayname", "(date) -> string", "Day of the week, three letters.", "dayname(DATE'2026-05-07')",
       "Thu")
{
    name_run(call, args, out, false);
}
SCALAR(fn_month_name, "monthname", "(date) -> string", "Month, three letters.", "monthname(DATE'2026-05-07')", "May")
{
    name_run(call, args, out, true);
}

/* ---- steps ---- */

/* Days are whole numbers of at most 32 bits; a text stands for one with ANSI, else only where it is a constant. */
static enum code bind_days(struct binding *binding, struct error *err)
{
    const struct expr *arg = binding->args[1], *days;
    if (arg->kind != EXPR_CAST || arg->index != 0)
        return E_OK;
    enum type_id from = arg->args[0]->type->id;
    bool text = from == TYPE_STRING, constant = expr_is_constant(arg), ansi = binding->ctx->session->ansi;
    if (from < TYPE_INT32 || (text && ansi))
        return E_OK;
    if (!text || !constant)
        return binding_exact(binding, 1, err);
    const struct type *whole = type_of(TYPE_INT32);
    TRY(expr_cast(binding->ctx, arg->args[0], whole, true, binding->at, &days,
                  err)); // TRY_CAST takes no fraction
    TRY(expr_fold(binding->ctx, days, &days, err));
    return !literal_is_null(days) ? E_OK
                                  : fail(err, E_SQL,
                                         "[SECOND_FUNCTION_ARGUMENT_NOT_INTEGER] The second argument of "
                                         "`%.*s` function needs to be an integer.",
                                         (int)strcspn(binding->function->name, " "), binding->function->name);
}

#define ADD_DAYS(id, name_, help_, example_, expected_, flags_, builtin)                    \
    SCALAR(id, name_, "(date, int) -> date", help_, example_, expected_, .bind = bind_days, \
           .flags = (flags_) | FN_FAILS)                                                    \
    {                                                                                       \
        bool bad = false;                                                                   \
        LOOP2(int32_t, int32_t, int32_t, bad |= builtin(x, y, &r[i]));                      \
        int32_t ignored;                                                                    \
        if (bad && call->quiet) /* else days wrap around, as Java's do */                   \
            REJECT2(int32_t, int32_t, REJECT_ARITHMETIC_OVERFLOW, builtin(x, y, &ignored)); \
    }
ADD_DAYS(fn_date_add, "date_add dateadd", "So many days later.", "date_add(DATE'2026-01-31', 1)", "2026-02-01", 0,
         __builtin_add_overflow)
ADD_DAYS(fn_date_sub, "date_sub", "So many days earlier.", "date_sub(DATE'2026-01-31', 1)", "2026-01-30", 0,
         __builtin_sub_overflow)
SCALAR_SAME(fn_date_plus, "+", "(date, int) -> date", "So many days later.", "DATE'2026-01-31' + 1", "2026-02-01",
            .run = fn_date_add_run, .flags = FN_FAILS | FN_OPERATOR);
SCALAR_SAME(fn_date_minus, "-", "(date, int) -> date", "So many days earlier.", "DATE'2026-01-31' - 1", "2026-01-30",
            .run = fn_date_sub_run, .flags = FN_FAILS | FN_OPERATOR);

#define TRY_DATE (FN_FAILS | FN_NULLABLE | FN_TRY)
SCALAR_SAME(fn_try_date_plus_days, "try_add", "(date, int) -> date",
            "So many days later; NULL when there is no such day.", "try_add(DATE'2026-01-31', 1)", "2026-02-01",
            .run = fn_date_add_run, .flags = TRY_DATE);
SCALAR_SAME(fn_try_date_minus_days, "try_subtract", "(date, int) -> date",
            "So many days earlier; NULL when there is no such day.", "try_subtract(DATE'2026-01-31', 1)", "2026-01-30",
            .run = fn_date_sub_run, .flags = TRY_DATE);

static enum code bind_swapped(struct binding *binding, struct error *err)
{
    const struct expr *args[] = {binding->args[1], binding->args[0]};
    return expr_call(binding->ctx, binding->function->name, args, 2, binding->at, &binding->rewritten, err);
}
SCALAR_SAME(fn_try_days_plus_date, "try_add", "(int, date) -> date | (interval_ym, date) -> date",
            "So much later; NULL when there is no such day.", NULL, NULL, .bind = bind_swapped);
SCALAR_SAME(fn_plus_date, "+", "(int, date) -> date", "So many days later.", "1 + DATE'2026-01-31'", "2026-02-01",
            .bind = bind_swapped, .flags = FN_OPERATOR);

SCALAR(fn_date_diff, "datediff date_diff", "(date, date) -> int", "Days from the second date to the first.",
       "datediff(DATE'2026-01-31', DATE'2026-01-01')", "30")
{
    LOOP2(int32_t, int32_t, int32_t, r[i] = (int32_t)((uint32_t)x - (uint32_t)y));
}

/* Spark's older difference: years, months and days as in PostgreSQL's age(). */
SCALAR(fn_calendar_dates, "interval:dates", "(date, date) -> interval", "The months and days between two dates.", NULL,
       NULL, .flags = FN_HIDDEN)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t to = arg_values(&args[0], int32_t)[i * args[0].step],
                from = arg_values(&args[1], int32_t)[i * args[1].step];
        struct civil a = civil_of(from), b = civil_of(to);
        int64_t months = (b.year - a.year) * 12 + b.month - a.month, days = b.day - a.day;
        int32_t last = from;
        if (months > 0 && days < 0) {
            months--;
            if (days_add_months(from, months, &last))
                days = (int64_t)to - last;
        } else if (months < 0 && days > 0) {
            months++;
            days -= month_length(b.year, b.month);
        }
        column_values(out, struct calendar_interval)[i] =
            (struct calendar_interval){.months = (int32_t)months, .days = (int32_t)days};
    }
}
static enum code bind_difference(struct binding *binding, struct error *err)
{
    if (!binding->ctx->session->calendar_intervals)
        return E_OK;
    return expr_call(binding->ctx, "interval:dates", binding->args, 2, binding->at, &binding->rewritten, err);
}
SCALAR(fn_date_difference, "-", "(date, date) -> interval_day", "The days between two dates.",
       "DATE'2026-01-31' - DATE'2026-01-01'", "INTERVAL '30' DAY", .bind = bind_difference,
       .flags = FN_OPERATOR | FN_FAILS)
{
    bool bad = false;
    LOOP2(int64_t, int32_t, int32_t, bad |= __builtin_mul_overflow((int64_t)x - y, DAY_US, &r[i]));
    int64_t ignored;
    if (bad)
        REJECT2(int32_t, int32_t, REJECT_ARITHMETIC_OVERFLOW, __builtin_mul_overflow((int64_t)x - y, DAY_US, &ignored));
}

SCALAR_SAME(fn_try_date_difference, "try_subtract", "(date, date) -> interval_day",
            "The days between two dates; NULL when they are too many.",
            "try_subtract(DATE'2026-01-31', DATE'2026-01-01')", "INTERVAL '30' DAY", .run = fn_date_difference_run,
            .flags = TRY_DATE);

/* A date that does not fit is an error in any mode. */
static void add_months(struct call *call, const struct arg *args, struct column *out, int sign)
{
    call->strict = true;
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t days = arg_values(&args[0], int32_t)[i * args[0].step], later = 0;
        int64_t months = arg_values(&args[1], int32_t)[i * args[1].step];
        if (!days_add_months(days, sign * months, &later))
            call_reject(call, i, REJECT_ARITHMETIC_OVERFLOW);
        column_values(out, int32_t)[i] = later;
    }
}
SCALAR(fn_add_months, "add_months", "(date, int) -> date", "So many months later, at most the month's last day.",
       "add_months(DATE'2026-01-31', 1)", "2026-02-28", .flags = FN_FAILS)
{
    add_months(call, args, out, 1);
}
SCALAR_SAME(fn_date_plus_months, "+", "(date, interval_ym) -> date", "So many months later.",
            "DATE'2026-01-31' + INTERVAL '1' MONTH", "2026-02-28", .run = fn_add_months_run,
            .flags = FN_FAILS | FN_OPERATOR);
SCALAR(fn_date_minus_months, "-", "(date, interval_ym) -> date", "So many months earlier.",
       "DATE'2026-01-31' - INTERVAL '1' MONTH", "2025-12-31", .flags = FN_FAILS | FN_OPERATOR)
{
    add_months(call, args, out, -1);
}
SCALAR_SAME(fn_try_date_plus_months, "try_add", "(date, interval_ym) -> date",
            "So many months later; NULL when there is no such day.", NULL, NULL, .run = fn_add_months_run,
            .flags = TRY_DATE);
SCALAR_SAME(fn_try_date_minus_months, "try_subtract", "(date, interval_ym) -> date",
            "So many months earlier; NULL when there is no such day.", NULL, NULL, .run = fn_date_minus_months_run,
            .flags = TRY_DATE);
SCALAR_SAME(fn_months_plus_date, "+", "(interval_ym, date) -> date", "So many months later.",
            "INTERVAL '1' MONTH + DATE'2026-01-31'", "2026-02-28", .bind = bind_swapped, .flags = FN_OPERATOR);

SCALAR(fn_last_day, "last_day", "(date) -> date", "Last day of the month.", "last_day(DATE'2026-02-01')", "2026-02-28")
{
    LOOP1(int32_t, int32_t, struct civil civil = civil_of(x);
          r[i] = (int32_t)((int64_t)x + month_length(civil.year, civil.month) - civil.day));
}

static int weekday_named(struct bytes name)
{
    for (int day = 0; day < 7; day++) {
        size_t whole = strlen(weekday_names[day]);
        if ((name.size == 2 || name.size == 3 || name.size == whole) &&
            strncasecmp((const char *)name.data, weekday_names[day], name.size) == 0)
            return day;
    }
    return -1;
}
SCALAR(fn_next_day, "next_day", "(date, string) -> date", "The first such weekday after the date.",
       "next_day(DATE'2026-01-01', 'TU')", "2026-01-06", .flags = FN_FAILS | FN_NULLABLE)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t days = arg_values(&args[0], int32_t)[i * args[0].step];
        int day = weekday_named(arg_bytes(&args[1], i));
        if (day < 0)
            call_reject(call, i, REJECT_WEEKDAY);
        column_values(out, int32_t)[i] = (int32_t)((int64_t)days + 1 + floor_modulo(day - weekday_of(days) - 1, 7));
    }
}

/* With a constant unit that is none the time is not even looked at. */
enum code bind_trunc(struct binding *binding, int32_t unit, enum trunc_level least, struct error *err)
{
    const struct expr *name;
    if (!expr_is_constant(binding->args[unit]))
        return E_OK;
    TRY(expr_fold(binding->ctx, binding->args[unit], &name, err));
    if (!literal_is_null(name) && trunc_level_of(literal_bytes(name)) < least)
        binding->rewritten = expr_null(binding->ctx, binding->type, binding->at);
    return E_OK;
}
static enum code bind_trunc_day(struct binding *binding, struct error *err)
{
    return bind_trunc(binding, 1, TRUNC_WEEK, err);
}
SCALAR(fn_trunc, "trunc", "(date, string) -> date",
       "First day of the week, month, quarter or year; NULL for other units.", "trunc(DATE'2026-05-07', 'MM')",
       "2026-05-01", .bind = bind_trunc_day, .flags = FN_NULLABLE)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t days = arg_values(&args[0], int32_t)[i * args[0].step];
        enum trunc_level level = call_valid(call, i) ? trunc_level_of(arg_bytes(&args[1], i)) : TRUNC_YEAR;
        if (level < TRUNC_WEEK)
            call_null(call, i);
        column_values(out, int32_t)[i] = level < TRUNC_WEEK ? 0 : days_trunc(days, level);
    }
}

/* ---- making ---- */

SCALAR(fn_make_date, "make_date", "(int, int, int) -> date", "A date of year, month and day.", "make_date(2026, 2, 3)",
       "2026-02-03", .flags = FN_FAILS)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t v[3];
        for (int k = 0; k < 3; k++)
            v[k] = arg_values(&args[k], int32_t)[i * args[k].step];
        bool valid = days_in_range(v[0]) && civil_valid(v[0], v[1], v[2]);
        if (!valid)
            call_reject(call, i, REJECT_FIELD_BOUNDS);
        column_values(out, int32_t)[i] = valid ? days_from_civil(v[0], v[1], v[2]) : 0;
    }
}

SCALAR(fn_date_from_unix_date, "date_from_unix_date", "(int) -> date", "The date so many days after 1970-01-01.",
       "date_from_unix_date(1)", "1970-01-02")
{
    LOOP1(int32_t, int32_t, r[i] = x);
}

SCALAR(fn_current_date, "current_date curdate", "() -> date", "The day of the batch in the session's zone.", NULL, NULL,
       .flags = FN_TIME | FN_NEVER_NULL)
{
    int64_t us = call->session->batch_time_us;
    column_values(out, int32_t)[0] = days_of_us(us + zone_offset_us(call->session->zone, us));
}

const struct function *const calendar_functions[] = {
    &fn_year,
    &fn_year_of_week,
    &fn_quarter,
    &fn_month,
    &fn_day,
    &fn_day_of_week,
    &fn_iso_day,
    &fn_weekday,
    &fn_day_of_year,
    &fn_week_of_year,
    &fn_unix_date,
    &fn_day_name,
    &fn_month_name,
    &fn_date_add,
    &fn_date_sub,
    &fn_date_plus,
    &fn_date_minus,
    &fn_plus_date,
    &fn_try_date_plus_days,
    &fn_try_date_minus_days,
    &fn_try_days_plus_date,
    &fn_try_date_plus_months,
    &fn_try_date_minus_months,
    &fn_calendar_dates,
    &fn_date_diff,
    &fn_date_difference,
    &fn_try_date_difference,
    &fn_add_months,
    &fn_date_plus_months,
    &fn_date_minus_months,
    &fn_months_plus_date,
    &fn_last_day,
    &fn_next_day,
    &fn_trunc,
    &fn_make_date,
    &fn_date_from_unix_date,
    &fn_current_date,
    NULL,
};
