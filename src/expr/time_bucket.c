/* time_bucket.c - time_bucket(size, time, origin): the start of the bucket that holds the time.
 *
 * Buckets of less than a day are so long wherever the clock is put forward or back; a bucket of days, or of months, begins
 * at the origin's local time of the day. Of all starts origin + k sizes it is the last one that is not behind the time.
 */
#include "expr/calendar.h"

struct buckets {
    int64_t size; /* microseconds, or months */
    int64_t origin_us;
    bool months;
};

/* Start `number` of the buckets; false where there is no such time. */
static bool bucket_start(const struct buckets *buckets, int64_t number, const struct zone *zone, int64_t *out)
{
    int64_t by;
    if (__builtin_mul_overflow(number, buckets->size, &by))
        return false;
    if (buckets->months)
        return timestamp_add_months(buckets->origin_us, by, zone, out);
    return timestamp_add_us(buckets->origin_us, by, zone, out);
}

/* Which bucket it is but for one, by local times. */
static bool bucket_near(const struct buckets *buckets, int64_t time_us, const struct zone *zone, int64_t *out)
{
    int64_t local = time_us, origin = buckets->origin_us, apart;
    if (zone != NULL && (__builtin_add_overflow(local, zone_offset_us(zone, local), &local) ||
                         __builtin_add_overflow(origin, zone_offset_us(zone, origin), &origin)))
        return false;
    if (buckets->months) {
        struct civil a = civil_of(days_of_us(local)), b = civil_of(days_of_us(origin));
        *out = floor_divide((a.year - b.year) * 12 + a.month - b.month, buckets->size);
        return true;
    }
    if (__builtin_sub_overflow(local, origin, &apart))
        return false;
    *out = floor_divide(apart, buckets->size);
    return true;
}

static bool bucket_of(const struct buckets *buckets, int64_t time_us, const struct zone *zone, int64_t *out)
{
    int64_t number, start, next;
    if (!bucket_near(buckets, time_us, zone, &number) || !bucket_start(buckets, number, zone, &start))
        return false;
    if (start > time_us) {
        if (!bucket_start(buckets, number - 1, zone, &start))
            return false;
    } else if (bucket_start(buckets, number + 1, zone, &next) && next <= time_us) {
        start = next;
    }
    *out = start;
    return true;
}

/* Of buckets that no calendar moves. */
static bool plain_bucket_of(const struct buckets *buckets, int64_t time_us, int64_t *out)
{
    int64_t apart;
    if (__builtin_sub_overflow(time_us, buckets->origin_us, &apart))
        return false;
    int64_t rest = apart % buckets->size;
    return !__builtin_sub_overflow(time_us, rest < 0 ? rest + buckets->size : rest, out);
}

/* ---- the call ---- */

static enum code check_size(struct binding *binding, struct error *err)
{
    const struct type *size = binding->args[0]->type;
    if (size->id == TYPE_INTERVAL_DT || size->id == TYPE_INTERVAL_YM)
        return E_OK;
    return binding_wrong_type(binding, 0, "INTERVAL DAY TO SECOND", err);
}

static enum code bind_time_bucket(struct binding *binding, struct error *err)
{
    struct buckets *buckets = arena_new(binding->ctx->arena, struct buckets);
    const struct expr *size, *origin;
    TRY(check_size(binding, err));
    TRY(binding_constant(binding, 0, &size, err));
    binding->bound = buckets;
    buckets->months = size->type->id == TYPE_INTERVAL_YM;
    buckets->size = literal_is_null(size) ? 1 : literal_int(size);
    if (buckets->size <= 0)
        return fail(
            err, E_SQL,
            "[DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE] Cannot resolve \"time_bucket\" due to data type mismatch: The "
            "`bucketSize` must be positive.");
    if (binding->count < 3) { // 1970-01-01 00:00:00, of the session's clock
        if (binding->type->id == TYPE_TIMESTAMP)
            buckets->origin_us = zone_local_to_utc(binding->ctx->session->zone, 0);
        return E_OK;
    }
    TRY(binding_constant(binding, 2, &origin, err));
    if (!literal_is_null(origin))
        buckets->origin_us = literal_int(origin);
    return E_OK;
}

SCALAR(
    fn_time_bucket, "time_bucket",
    "(any, timestamp!, timestamp!?) -> timestamp | (any, timestamp_ntz!, timestamp_ntz!?) -> timestamp_ntz",
    "Start of the bucket of this size that holds the time; buckets are counted from the origin, 1970-01-01 00:00:00 when "
    "not said.",
    "time_bucket(INTERVAL '15' MINUTE, TIMESTAMP'2024-01-01 11:27:00')", "2024-01-01 11:15:00",
    .bind = bind_time_bucket, .flags = FN_FAILS)
{
    const struct buckets *buckets = call->bound;
    const struct zone *zone = out->type->id == TYPE_TIMESTAMP ? call->session->zone : NULL;
    const bool plain = !buckets->months && buckets->size < DAY_US; // no calendar
    int64_t *starts = column_values(out, int64_t);
    for (int64_t i = 0; i < call->rows; i++) {
        if (!call_valid(call, i))
            continue;
        int64_t time = arg_values(&args[1], int64_t)[i * args[1].step];
        if (plain ? !plain_bucket_of(buckets, time, &starts[i]) : !bucket_of(buckets, time, zone, &starts[i]))
            call_reject(call, i, REJECT_DATETIME);
    }
}

const struct function *const time_bucket_functions[] = {&fn_time_bucket, NULL};
