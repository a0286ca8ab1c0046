/* time_format.c - date_format, to_timestamp and the like, by patterns (time_pattern.c) or as casts. */
#include <math.h>

#include "expr/calendar.h"
#include "expr/coerce.h"
#include "expr/writer.h"

enum { DEFAULT_PATTERN_SIZE = 19 };
static const char DEFAULT_PATTERN[] = "yyyy-MM-dd HH:mm:ss";

static struct pattern_use pattern_use(const struct session *session, bool to_parse, bool local)
{
    return (struct pattern_use){to_parse, local, local && to_parse ? TIME_PARSER_CORRECTED : session->time_parser};
}

/* The pattern is argument AT, and nearly always a constant; the default when there are fewer arguments. */
static enum code bind_pattern(struct binding *binding, bool to_parse, bool local, struct error *err)
{
    enum { AT = 1 };
    struct bytes text = bytes_of(DEFAULT_PATTERN, DEFAULT_PATTERN_SIZE);
    if (AT < binding->count) {
        const struct expr *literal;
        if (!expr_is_constant(binding->args[AT]))
            return E_OK;
        TRY(binding_constant(binding, AT, &literal, err));
        if (literal_is_null(literal))
            return E_OK;
        text = literal_bytes(literal);
    }
    const struct time_pattern *pattern;
    TRY(time_pattern_compile(binding->ctx->arena, text, pattern_use(binding->ctx->session, to_parse, local), &pattern,
                             err)); // said before the first row comes, unlike in Spark
    binding->bound = pattern;
    return E_OK;
}
static enum code bind_print(struct binding *binding, struct error *err)
{
    return bind_pattern(binding, false, false, err);
}
static enum code bind_parse(struct binding *binding, struct error *err)
{
    return bind_pattern(binding, true, false, err);
}
static enum code bind_parse_local(struct binding *binding, struct error *err)
{
    return bind_pattern(binding, true, true, err);
}

/* What the compiler says of a pattern, as a row's reject. */
static enum reject_code pattern_reject(const struct error *err)
{
    static const enum reject_code codes[] = {REJECT_TIME_PATTERN_OLDER, REJECT_TIME_PATTERN_WEEK,
                                             REJECT_TIME_PATTERN_LETTER, REJECT_TIME_PATTERN_LENGTH};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strstr(err->text, reject_condition_full(codes[i])) != NULL)
            return codes[i];
    return REJECT_TIME_PATTERN;
}

/* The pattern of a row when it is not bound; NULL when it is none, and the row is rejected, also by functions that try and
 * without ANSI: it is the query that is wrong, not the value. `arena` is reset for each. */
static const struct time_pattern *pattern_at(struct call *call, const struct arg *arg, int64_t row,
                                             struct pattern_use use, struct arena *arena)
{
    const struct time_pattern *pattern;
    struct error err = {0};
    if (call->bound != NULL)
        return call->bound;
    arena_reset(arena);
    if (time_pattern_compile(arena, arg_bytes(arg, row), use, &pattern, &err) == E_OK)
        return pattern;
    bool quiet = call->quiet, strict = call->strict;
    call->quiet = false;
    call->strict = true;
    call_reject(call, row, pattern_reject(&err));
    call->quiet = quiet;
    call->strict = strict;
    return NULL;
}

/* Prints times[i] * unit in the zone. */
static void print_times(struct call *call, const struct arg *args, struct column *out, int64_t unit,
                        const struct zone *zone)
{
    struct writer writer;
    struct text text = {0};
    struct arena arena = {0};
    writer_open(&writer, call, out, call->rows * 20);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        const struct time_pattern *pattern =
            pattern_at(call, &args[1], i, pattern_use(call->session, false, zone == NULL), &arena);
        int64_t us;
        text_clear(&text);
        // Seconds that are too many wrap around, as Java's do.
        us = (int64_t)((uint64_t)arg_values(&args[0], int64_t)[i * args[0].step] * (uint64_t)unit);
        if (pattern == NULL) {
            writer_skip(&writer);
            continue;
        }
        time_pattern_print(pattern, us, zone, &text);
        writer_put(&writer, text_view(&text));
    }
    writer_close(&writer);
    text_free(&text);
    arena_free(&arena);
}

SCALAR(fn_date_format, "date_format", "(timestamp, string) -> string", "As a text by a pattern.",
       "date_format(TIMESTAMP'2026-01-05 03:04:05', 'yyyy/MM/dd HH:mm')", "2026/01/05 03:04", .bind = bind_print,
       .flags = FN_FAILS)
{
    print_times(call, args, out, 1, call->session->zone);
}

SCALAR(fn_from_unixtime, "from_unixtime", "(bigint, string?) -> string",
       "Seconds since 1970 UTC as a text by a pattern.", "length(from_unixtime(0))", "19", .bind = bind_print,
       .flags = FN_FAILS | FN_NULLABLE)
{
    print_times(call, args, out, SECOND_US, call->session->zone);
}

/* Parses texts to microseconds, divided by `unit`. */
static void parse_times(struct call *call, const struct arg *args, struct column *out, int64_t unit)
{
    struct arena arena = {0};
    const struct zone *zone = out->type->id == TYPE_TIMESTAMP_NTZ ? NULL : call->session->zone;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t us = 0;
        if (call_valid(call, i)) {
            const struct time_pattern *pattern =
                pattern_at(call, &args[1], i, pattern_use(call->session, true, zone == NULL), &arena);
            enum time_parsed parsed =
                pattern == NULL ? TIME_PARSED : time_pattern_parse(pattern, arg_bytes(&args[0], i), zone, &us);
            if (parsed != TIME_PARSED)
                call_reject(call, i, parsed == TIME_TOO_FAR ? REJECT_LONG_OVERFLOW : REJECT_DATETIME);
        }
        column_values(out, int64_t)[i] = us / unit; // towards 0, as Spark has it
    }
    arena_free(&arena);
}

SCALAR(fn_to_timestamp, "to_timestamp to_timestamp_ltz", "(string, string) -> timestamp",
       "A text by a pattern as an instant.", "to_timestamp('05/01/2026 03:04', 'dd/MM/yyyy HH:mm')",
       "2026-01-05 03:04:00", .bind = bind_parse, .flags = FN_FAILS)
{
    parse_times(call, args, out, 1);
}
SCALAR_SAME(fn_try_to_timestamp, "try_to_timestamp", "(string, string) -> timestamp",
            "A text by a pattern as an instant; NULL when it is none.", "try_to_timestamp('x', 'yyyy')", "NULL",
            .run = fn_to_timestamp_run, .bind = bind_parse, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);
SCALAR_SAME(fn_to_timestamp_ntz, "to_timestamp_ntz", "(string, string) -> timestamp_ntz",
            "A text by a pattern as a local time.", "to_timestamp_ntz('2026/01/05', 'yyyy/MM/dd')",
            "2026-01-05 00:00:00", .run = fn_to_timestamp_run, .bind = bind_parse_local, .flags = FN_FAILS);
SCALAR_SAME(fn_try_to_timestamp_ntz, "try_to_timestamp:ntz", "(string, string) -> timestamp_ntz",
            "A text by a pattern as a local time; NULL when it is none.", NULL, NULL, .run = fn_to_timestamp_run,
            .bind = bind_parse_local, .flags = FN_FAILS | FN_NULLABLE | FN_TRY | FN_HIDDEN);

/* Without a pattern, as it is NULL, there is no time but a text. */
static enum code bind_parse_time(struct binding *binding, struct error *err)
{
    const struct expr *pattern;
    TRY(binding_exact(binding, 0, err));
    if (expr_is_foldable(binding->args[1])) {
        TRY(binding_constant(binding, 1, &pattern, err));
        if (literal_is_null(pattern))
            binding->rewritten = binding->args[1];
    }
    return binding->rewritten != NULL ? E_OK : bind_parse_local(binding, err);
}

/* Texts to times of the day. */
SCALAR(fn_to_time, "to_time", "(string, string) -> time", "A text by a pattern as a time of the day.",
       "to_time('12.10.05', 'HH.mm.ss')", "12:10:05", .bind = bind_parse_time, .flags = FN_FAILS | FN_NULLABLE)
{
    struct arena arena = {0};
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t us = 0;
        if (call_valid(call, i)) {
            const struct time_pattern *pattern =
                pattern_at(call, &args[1], i, pattern_use(call->session, true, true), &arena);
            if (pattern != NULL && time_pattern_parse(pattern, arg_bytes(&args[0], i), NULL, &us) != TIME_PARSED)
                call_reject(call, i, REJECT_TIME_OF_DAY);
        }
        column_values(out, int64_t)[i] = floor_rest(us, DAY_US);
    }
    arena_free(&arena);
}
SCALAR_SAME(fn_try_to_time, "try_to_time", "(string, string) -> time",
            "A text by a pattern as a time of the day; NULL when it is none.", "try_to_time('12:99', 'HH:mm')", "NULL",
            .run = fn_to_time_run, .bind = bind_parse_time, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

SCALAR(fn_unix_timestamp, "unix_timestamp to_unix_timestamp", "(string, string?) -> bigint",
       "Seconds since 1970 UTC of a text by a pattern.", "unix_timestamp('1970-01-02', 'yyyy-MM-dd') > 0", "true",
       .bind = bind_parse, .flags = FN_FAILS)
{
    parse_times(call, args, out, SECOND_US);
}

/* Conversions without a pattern are casts. */
#define AS_CAST(id, name_, signature_, help_, example_, expected_, type_, try_)                                        \
    static enum code id##_bind(struct binding *binding, struct error *err)                                             \
    {                                                                                                                  \
        return expr_cast(binding->ctx, binding->args[0], type_of(type_), try_, binding->at, &binding->rewritten, err); \
    }                                                                                                                  \
    SCALAR_SAME(id, name_, signature_, help_, example_, expected_, .bind = id##_bind)
AS_CAST(fn_timestamp_cast, "timestamp", "(any) -> timestamp", "CAST AS TIMESTAMP.", "timestamp('2026-01-01 12:00:00')",
        "2026-01-01 12:00:00", TYPE_TIMESTAMP, false);
AS_CAST(fn_date_cast, "date", "(any) -> date", "CAST AS DATE.", "date('2026-01-01')", "2026-01-01", TYPE_DATE, false);
AS_CAST(fn_string_cast, "string", "(any) -> string", "CAST AS STRING.", "string(1)", "1", TYPE_STRING, false);
AS_CAST(fn_boolean_cast, "boolean", "(any) -> boolean", "CAST AS BOOLEAN.", "boolean('yes')", "true", TYPE_BOOLEAN,
        false);
AS_CAST(fn_tinyint_cast, "tinyint", "(any) -> tinyint", "CAST AS TINYINT.", "tinyint('1')", "1", TYPE_INT8, false);
AS_CAST(fn_smallint_cast, "smallint", "(any) -> smallint", "CAST AS SMALLINT.", "smallint('1')", "1", TYPE_INT16,
        false);
AS_CAST(fn_int_cast, "int", "(any) -> int", "CAST AS INT.", "int('1')", "1", TYPE_INT32, false);
AS_CAST(fn_bigint_cast, "bigint", "(any) -> bigint", "CAST AS BIGINT.", "bigint('1')", "1", TYPE_INT64, false);
AS_CAST(fn_float_cast, "float", "(any) -> float", "CAST AS FLOAT.", "float('1.5')", "1.5", TYPE_FLOAT, false);
AS_CAST(fn_double_cast, "double", "(any) -> double", "CAST AS DOUBLE.", "double('1.5')", "1.5", TYPE_DOUBLE, false);
AS_CAST(fn_binary_cast, "binary", "(any) -> binary", "CAST AS BINARY.", "hex(binary('a'))", "61", TYPE_BINARY, false);

static enum code decimal_cast_bind(struct binding *binding, struct error *err)
{
    return expr_cast(binding->ctx, binding->args[0], type_decimal(binding->ctx->arena, 10, 0), false, binding->at,
                     &binding->rewritten, err);
}

/* Seconds as an instant, or the first or last one that there is: a cast without ANSI. */
SCALAR(fn_near_timestamp, "timestamp:near", "(double) -> timestamp", "Seconds since 1970.", NULL, NULL,
       .flags = FN_HIDDEN | FN_NULLABLE)
{
    LOOP1(int64_t, double, r[i] = isfinite(x) ? near_instant(x) : 0; if (!isfinite(x)) call_null(call, i));
}

/* Times are cast to what the function's name says, numbers too where they are instants; all else is read as a text. */
static enum code bind_time_read(struct binding *binding, const struct type *to, bool try_cast, struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    const struct expr *arg = binding->args[0];
    const struct type *from = arg->type;
    bool instant = to->id == TYPE_TIMESTAMP && type_is_numeric(from);
    if (type_is_nested(from) || from->id == TYPE_VARIANT)
        return binding_wrong_type(binding, 0, "STRING\" or \"DATE\" or \"TIMESTAMP", err);
    if (from->id != TYPE_DATE && from->id != TYPE_TIMESTAMP && from->id != TYPE_TIMESTAMP_NTZ && !instant)
        arg = expr_cast_implicit(ctx, arg, type_of(TYPE_STRING));
    if (try_cast && instant && (from->id == TYPE_FLOAT || from->id == TYPE_DOUBLE))
        return expr_call(ctx, "timestamp:near", &arg, 1, binding->at, &binding->rewritten, err);
    return expr_cast(ctx, arg, to, try_cast, binding->at, &binding->rewritten, err);
}
#define READ_AS(id, name_, signature_, help_, example_, expected_, type_, try_) \
    static enum code id##_bind(struct binding *binding, struct error *err)      \
    {                                                                           \
        return bind_time_read(binding, type_of(type_), try_, err);              \
    }                                                                           \
    SCALAR_SAME(id, name_, signature_, help_, example_, expected_, .bind = id##_bind)
READ_AS(fn_read_timestamp, "to_timestamp to_timestamp_ltz", "(any) -> timestamp",
        "A text, number or time as an instant, as CAST reads it.", "to_timestamp('2026-01-01 12:00:00')",
        "2026-01-01 12:00:00", TYPE_TIMESTAMP, false);
READ_AS(fn_try_read_timestamp, "try_to_timestamp", "(any) -> timestamp", "The same; NULL when it is none.",
        "try_to_timestamp('x')", "NULL", TYPE_TIMESTAMP, true);
READ_AS(fn_read_timestamp_ntz, "to_timestamp_ntz", "(any) -> timestamp_ntz", "A text or time as a local time.",
        "to_timestamp_ntz('2026-01-01')", "2026-01-01 00:00:00", TYPE_TIMESTAMP_NTZ, false);

/* The microseconds as they are, counted from another 1970. */
SCALAR(fn_as_timestamp, "timestamp:same_us", "(timestamp_ntz!) -> timestamp", "The same number.", NULL, NULL,
       .flags = FN_HIDDEN)
{
    LOOP1(int64_t, int64_t, r[i] = x);
}
SCALAR_SAME(fn_as_timestamp_ntz, "timestamp_ntz:same_us", "(timestamp!) -> timestamp_ntz", "The same number.", NULL,
            NULL, .run = fn_as_timestamp_run, .flags = FN_HIDDEN);

/* With a pattern, which is for texts, a time keeps its microseconds, whether a zone is meant or not, as in Spark. */
static enum code keep_time(struct binding *binding, enum type_id to, const struct expr **out, struct error *err)
{
    *out = binding->args[0];
    if ((*out)->type->id == TYPE_DATE)
        *out = expr_cast_implicit(binding->ctx, *out, type_of(TYPE_TIMESTAMP));
    if ((*out)->type->id == to)
        return E_OK;
    return expr_call(binding->ctx, to == TYPE_TIMESTAMP ? "timestamp:same_us" : "timestamp_ntz:same_us", out, 1,
                     binding->at, out, err);
}
static enum code bind_keep(struct binding *binding, struct error *err)
{
    return keep_time(binding, binding->type->id, &binding->rewritten, err);
}
#define TIMES_BY_PATTERN(to) "(timestamp, string) -> " to " | (timestamp_ntz, string) -> " to " | (date, string) -> " to
SCALAR_SAME(fn_keep_timestamp, "to_timestamp to_timestamp_ltz try_to_timestamp", TIMES_BY_PATTERN("timestamp"),
            "A time is one already: the pattern is for texts.", "to_timestamp(DATE'2026-01-01', 'yy')",
            "2026-01-01 00:00:00", .bind = bind_keep);
SCALAR_SAME(fn_keep_timestamp_ntz, "to_timestamp_ntz", TIMES_BY_PATTERN("timestamp_ntz"), "The same for local times.",
            NULL, NULL, .bind = bind_keep);
READ_AS(fn_read_date, "to_date", "(any) -> date", "A text or time as a date, as CAST reads it.",
        "to_date('2026-01-01')", "2026-01-01", TYPE_DATE, false);
READ_AS(fn_try_read_date, "try_to_date", "(any) -> date", "The same; NULL when it is none.", "try_to_date('x')", "NULL",
        TYPE_DATE, true);

SCALAR_SAME(fn_decimal_cast, "decimal", "(any) -> any", "CAST AS DECIMAL(10,0).", "decimal('1')", "1",
            .bind = decimal_cast_bind);

/* to_date(text, pattern) is the date of the instant. */
static enum code bind_date_by(struct binding *binding, bool try_cast, struct error *err)
{
    const struct expr *instant;
    TRY(expr_call(binding->ctx, try_cast ? "try_to_timestamp" : "to_timestamp", binding->args, 2, binding->at, &instant,
                  err));
    binding->rewritten = expr_cast_implicit(binding->ctx, instant, type_of(TYPE_DATE));
    return E_OK;
}
static enum code bind_to_date(struct binding *binding, struct error *err) { return bind_date_by(binding, false, err); }
static enum code bind_try_to_date(struct binding *binding, struct error *err)
{
    return bind_date_by(binding, true, err);
}
SCALAR_SAME(fn_to_date, "to_date", "(string, string) -> date", "A text by a pattern as a date.",
            "to_date('05/01/2026', 'dd/MM/yyyy')", "2026-01-05", .bind = bind_to_date);
SCALAR_SAME(fn_keep_date, "to_date try_to_date", TIMES_BY_PATTERN("date"), "The date of a time.", NULL, NULL,
            .bind = bind_to_date);
SCALAR_SAME(fn_try_to_date, "try_to_date", "(string, string) -> date",
            "A text by a pattern as a date; NULL when it is none.", "try_to_date('x', 'yyyy')", "NULL",
            .bind = bind_try_to_date);

/* What is left of a second is cut off, also before 1970, where unix_seconds() counts the second before. */
SCALAR(fn_cut_seconds, "timestamp:cut_seconds", "(timestamp!) -> bigint", "Seconds since 1970.", NULL, NULL,
       .flags = FN_HIDDEN)
{
    LOOP1(int64_t, int64_t, r[i] = x / SECOND_US);
}

static enum code cut_seconds(struct binding *binding, const struct expr *instant, struct error *err)
{
    return expr_call(binding->ctx, "timestamp:cut_seconds", &instant, 1, binding->at, &binding->rewritten, err);
}

static enum code bind_unix_of_time(struct binding *binding, struct error *err)
{
    return cut_seconds(binding, expr_cast_implicit(binding->ctx, binding->args[0], type_of(TYPE_TIMESTAMP)), err);
}
SCALAR_SAME(fn_unix_of_time, "unix_timestamp to_unix_timestamp", "(timestamp) -> bigint | (date) -> bigint",
            "Seconds since 1970 UTC.", "unix_timestamp(TIMESTAMP'1970-01-01 00:00:01Z')", "1",
            .bind = bind_unix_of_time);
static enum code bind_unix_now(struct binding *binding, struct error *err)
{
    const struct expr *now;
    TRY(expr_call(binding->ctx, "current_timestamp", NULL, 0, binding->at, &now, err));
    return cut_seconds(binding, now, err);
}
SCALAR_SAME(fn_unix_now, "unix_timestamp", "() -> bigint", "Seconds since 1970 UTC, of the batch.", NULL, NULL,
            .bind = bind_unix_now, .flags = FN_TIME);

static enum code bind_unix_keep(struct binding *binding, struct error *err)
{
    const struct expr *instant;
    TRY(keep_time(binding, TYPE_TIMESTAMP, &instant, err));
    return cut_seconds(binding, instant, err);
}
SCALAR_SAME(fn_unix_keep, "unix_timestamp to_unix_timestamp", TIMES_BY_PATTERN("bigint"),
            "The same: the pattern is for texts.", NULL, NULL, .bind = bind_unix_keep);

SCALAR_SAME(fn_unix_of_local, "unix_timestamp to_unix_timestamp", "(timestamp_ntz!) -> bigint",
            "Seconds since 1970 of a clock that has no zone.", "unix_timestamp(TIMESTAMP_NTZ'1970-01-01 00:00:01')",
            "1", .run = fn_cut_seconds_run);

const struct function *const time_format_functions[] = {
    &fn_date_format,
    &fn_from_unixtime,
    &fn_to_timestamp,
    &fn_try_to_timestamp,
    &fn_to_timestamp_ntz,
    &fn_try_to_timestamp_ntz,
    &fn_to_time,
    &fn_try_to_time,
    &fn_unix_timestamp,
    &fn_unix_of_time,
    &fn_unix_now,
    &fn_unix_of_local,
    &fn_cut_seconds,
    &fn_read_timestamp,
    &fn_try_read_timestamp,
    &fn_read_timestamp_ntz,
    &fn_as_timestamp,
    &fn_as_timestamp_ntz,
    &fn_near_timestamp,
    &fn_keep_timestamp,
    &fn_keep_timestamp_ntz,
    &fn_keep_date,
    &fn_unix_keep,
    &fn_read_date,
    &fn_try_read_date,
    &fn_timestamp_cast,
    &fn_to_date,
    &fn_try_to_date,
    &fn_date_cast,
    &fn_string_cast,
    &fn_boolean_cast,
    &fn_tinyint_cast,
    &fn_smallint_cast,
    &fn_int_cast,
    &fn_bigint_cast,
    &fn_float_cast,
    &fn_double_cast,
    &fn_decimal_cast,
    &fn_binary_cast,
    NULL,
};
