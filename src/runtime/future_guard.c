#include "runtime/future_guard.h"

/* Kafka says -1 ms for a record without a timestamp. */
static bool timestamp_given(const struct column *timestamps, int64_t record)
{
    return column_valid_at(timestamps, record) && column_values(timestamps, const int64_t)[record] >= 0;
}

static bool records_have_timestamps(const struct batch *in)
{
    return in->source != NULL && in->source->timestamp.type != NULL && in->source->timestamp.values != NULL;
}

/* No row's limit is earlier than this plus max_future_us. */
static int64_t earliest_us(const struct future_guard *self, const struct batch *in)
{
    int64_t earliest = self->batch_time_us;
    if (!records_have_timestamps(in))
        return earliest;
    const struct column *timestamps = &in->source->timestamp;
    const int64_t *values = column_values(timestamps, const int64_t);
    for (int64_t i = 0; i < timestamps->rows; i++)
        earliest = values[i] < earliest ? values[i] : earliest;
    return earliest;
}

/* Of all values, those below a NULL too: then rows are looked at for nothing. */
static int64_t latest_us(const struct column *times)
{
    const int64_t *values = column_values(times, const int64_t);
    int64_t latest = INT64_MIN;
    for (int64_t i = 0; i < times->rows; i++)
        latest = values[i] > latest ? values[i] : latest;
    return latest;
}

/* What the row's event time is compared with. */
static int64_t row_now_us(const struct future_guard *self, const struct batch *in, int64_t row)
{
    if (!records_have_timestamps(in))
        return self->batch_time_us;
    int64_t record = batch_origin(in, row);
    const struct column *timestamps = &in->source->timestamp;
    return timestamp_given(timestamps, record) ? column_values(timestamps, const int64_t)[record] : self->batch_time_us;
}

static bool is_beyond(int64_t time_us, int64_t now_us, int64_t max_future_us)
{
    int64_t limit_us;
    return !__builtin_add_overflow(now_us, max_future_us, &limit_us) && time_us > limit_us;
}

void future_guard_batch(const struct future_guard *self, const struct batch *in, struct rejects *rejects)
{
    const struct column *times = &in->columns[self->column];
    if (times->rows == 0 || times->values == NULL ||
        !is_beyond(latest_us(times), earliest_us(self, in), self->max_future_us))
        return;
    for (int64_t row = 0; row < in->rows; row++)
        if (column_valid_at(times, row) &&
            is_beyond(column_values(times, const int64_t)[row], row_now_us(self, in, row), self->max_future_us))
            rejects_add(rejects, row, -1, REJECT_FUTURE_TIME);
}

struct position future_guard_position(const void *stage, int32_t step)
{
    (void)step;
    return ((const struct future_guard *)stage)->at;
}

static void instant_write(int64_t at_us, const struct zone *zone, struct text *out)
{
    char text[TIMESTAMP_TEXT_MAX];
    size_t size = timestamp_print(at_us, zone, text);
    text_add(out, text, size);
}

void future_guard_detail(const void *stage, const struct batch *in, const struct reject *reject, struct text *out)
{
    const struct future_guard *self = stage;
    text_add_string(out, "the event time ");
    instant_write(column_values(&in->columns[self->column], const int64_t)[reject->row], self->zone, out);
    text_printf(out, " is more than leat.watermark.max_future (%.6g s) ahead of ", (double)self->max_future_us / 1e6);
    text_add_string(out, records_have_timestamps(in) &&
                                 timestamp_given(&in->source->timestamp, batch_origin(in, reject->row))
                             ? "the record's timestamp "
                             : "the batch time ");
    instant_write(row_now_us(self, in, reject->row), self->zone, out);
}
