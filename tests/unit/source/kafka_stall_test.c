/* The one-second stall of librdkafka 2.0.2 (src/source/kafka_fetch.c): a reader slower than the
 * broker, with queues that are full all the time, must never wait long for records that are
 * there. */
#include "mock_broker.h"

#include "base/os.h"
#include "kit.h"

enum { PARTITIONS = 4, RECORDS = 4000, RECORD_BYTES = 1000, GAP_MAX_US = 200 * 1000, WORK_US_PER_ROW = 60 };

KAFKA_TEST(kafka_never_stalls_while_queues_are_full)
{
    struct mock_broker mock;
    struct mock_source source;
    int64_t rows = 0, longest_us = 0;
    mock_start(&mock, "t", PARTITIONS);
    for (int32_t p = 0; p < PARTITIONS; p++)
        mock_produce(&mock, "t", p, 0, RECORDS, RECORD_BYTES);
    source_start(&source, &mock, 1 << 20, "subscribe", "t", "startingOffsets", "earliest", NULL);
    source_begin(&source, 0);
    int64_t begin_us = os->clock_mono_us();
    for (bool done = false; !done;) {
        struct batch batch = {0};
        int64_t asked_us = os->clock_mono_us();
        if (kafka_source_type.fetch(source.self, &source.ranges, 3000000, &batch, &done, &source.err) != E_OK)
            kit_fail(__FILE__, __LINE__, "fetch: %s", source.err.text);
        int64_t waited_us = os->clock_mono_us() - asked_us;
        if (rows > 0 && waited_us > longest_us)
            longest_us = waited_us;
        rows += batch.rows;
        os->sleep_us(batch.rows * WORK_US_PER_ROW);
        batch_release(&batch);
    }
    CHECK_INT(rows, PARTITIONS * RECORDS);
    if (longest_us > GAP_MAX_US)
        kit_fail(__FILE__, __LINE__, "waited %" PRId64 " ms for records that were there", longest_us / 1000);
    CHECK(os->clock_mono_us() - begin_us < 4 * (int64_t)rows * WORK_US_PER_ROW);
    source_end(&source);
    mock_stop(&mock);
}
