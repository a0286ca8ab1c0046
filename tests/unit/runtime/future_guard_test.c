#include "kit.h"

#include "runtime/future_guard.h"

#define HOUR_US INT64_C(3600000000)

static struct column times_of(const int64_t *values, int count)
{
    struct builder builder;
    struct column col;
    builder_init(&builder, type_of(TYPE_TIMESTAMP));
    for (int i = 0; i < count; i++) {
        if (values[i] == INT64_MIN)
            builder_null(&builder);
        else
            builder_int(&builder, values[i]);
    }
    builder_finish(&builder, &col);
    builder_release(&builder);
    return col;
}

/* Event times, and the timestamps of their records (NULL: rows born in leat). */
static struct batch rows_of(struct arena *arena, const int64_t *events, const int64_t *timestamps, int count)
{
    const struct field field = {"at", type_of(TYPE_TIMESTAMP), true};
    struct batch batch;
    batch_init(&batch, type_struct(arena, &field, 1), count);
    batch.columns[0] = times_of(events, count);
    if (timestamps != NULL) {
        batch.source = mem_new(struct origin);
        atomic_store(&batch.source->count, 1);
        batch.source->timestamp = times_of(timestamps, count);
    }
    return batch;
}

static const struct future_guard guard = {.max_future_us = HOUR_US, .batch_time_us = 100 * HOUR_US};

static void check_rejected(const int64_t *events, const int64_t *timestamps, int count, const char *expected)
{
    struct arena arena = {0};
    struct rejects rejects = {0};
    struct text rows = {0};
    struct batch batch = rows_of(&arena, events, timestamps, count);
    text_add_string(&rows, "");
    future_guard_batch(&guard, &batch, &rejects);
    for (int32_t i = 0; i < rejects.count; i++) {
        CHECK_INT((int)rejects.items[i].code, REJECT_FUTURE_TIME);
        text_printf(&rows, "%d ", rejects.items[i].row);
    }
    CHECK_STR(rows.data != NULL ? rows.data : "", expected);
    text_free(&rows);
    rejects_free(&rejects);
    batch_release(&batch);
    arena_free(&arena);
}

TEST(a_time_ahead_of_its_record_is_refused)
{
    const int64_t events[] = {5 * HOUR_US, 6 * HOUR_US + 1, 6 * HOUR_US, INT64_MIN, INT64_MAX};
    const int64_t timestamps[] = {5 * HOUR_US, 5 * HOUR_US, 5 * HOUR_US, 5 * HOUR_US, 5 * HOUR_US};
    check_rejected(events, timestamps, 5, "1 4 ");
}

TEST(each_row_has_its_own_record)
{
    const int64_t events[] = {50 * HOUR_US, 50 * HOUR_US};
    const int64_t timestamps[] = {49 * HOUR_US, 48 * HOUR_US};
    check_rejected(events, timestamps, 2, "1 ");
}

TEST(without_a_timestamp_the_batch_time_counts)
{
    const int64_t events[] = {101 * HOUR_US, 101 * HOUR_US + 1};
    const int64_t none[] = {-1000, INT64_MIN};
    check_rejected(events, NULL, 2, "1 ");
    check_rejected(events, none, 2, "1 ");
}

TEST(times_in_order_cost_no_rejects)
{
    const int64_t events[] = {0, -HOUR_US, 5};
    const int64_t timestamps[] = {0, 0, 0};
    check_rejected(events, timestamps, 3, "");
}

TEST(the_message_says_both_times)
{
    const int64_t events[] = {8 * HOUR_US}, timestamps[] = {5 * HOUR_US};
    struct arena arena = {0};
    struct rejects rejects = {0};
    struct text text = {0};
    struct future_guard utc = guard;
    struct batch batch = rows_of(&arena, events, timestamps, 1);
    utc.zone = zone_utc();
    future_guard_batch(&utc, &batch, &rejects);
    CHECK_INT(rejects.count, 1);
    future_guard_detail(&utc, &batch, &rejects.items[0], &text);
    CHECK_STR(text.data,
              "the event time 1970-01-01 08:00:00 is more than leat.watermark.max_future (3600 s) ahead of the "
              "record's timestamp 1970-01-01 05:00:00");
    text_free(&text);
    rejects_free(&rejects);
    batch_release(&batch);
    arena_free(&arena);
}
