/* The source against librdkafka's mock cluster: ranges, epochs, seeks, starts, losses, stops. */
#include "mock_broker.h"

#include "base/os.h"
#include "base/thread.h"
#include "kit.h"

KAFKA_TEST(kafka_reads_everything_once)
{
    struct mock_broker mock;
    struct mock_source source;
    mock_start(&mock, "t", 3);
    mock_produce(&mock, "t", 0, 0, 10000, 100);
    mock_produce(&mock, "t", 2, 0, 321, 100);
    source_start(&source, &mock, 4 << 20, "subscribe", "t", "startingOffsets", "earliest", NULL);
    source_begin(&source, 0);
    CHECK_INT(source.ranges.count, 3);
    CHECK_INT(source_ranges_find(&source.ranges, "t", 0)->latest, 10000);
    CHECK_INT(source_ranges_find(&source.ranges, "t", 1)->latest, 0);
    CHECK_INT(source_drain(&source, INT64_MAX), 10321);
    CHECK_INT(source_drain(&source, INT64_MAX), 0);
    source_end(&source);
    mock_stop(&mock);
}

/* Epochs of odd sizes, without a seek between them: what was taken too early must come in the
 * next. */
KAFKA_TEST(kafka_epochs_end_exactly)
{
    struct mock_broker mock;
    struct mock_source source;
    mock_start(&mock, "t", 4);
    for (int32_t p = 0; p < 4; p++)
        mock_produce(&mock, "t", p, 0, 2000 + 777 * p, 50);
    source_start(&source, &mock, 4 << 20, "subscribe", "t", "startingOffsets", "earliest", NULL);
    source_begin(&source, 1);
    int64_t total = 0, epochs = 0;
    for (int64_t limit = 1; epochs < 200; limit = limit * 3 % 2003 + 1, epochs++) {
        int64_t planned = 0;
        source_plan(&source.ranges, limit);
        for (int32_t i = 0; i < source.ranges.count; i++)
            planned += source.ranges.items[i].to - source.ranges.items[i].from;
        if (planned == 0)
            break;
        CHECK_INT(source_drain(&source, INT64_MAX), planned);
        total += planned;
    }
    CHECK_INT(total, 4 * 2000 + 777 * 6);
    CHECK(epochs > 5);
    source_end(&source);
    mock_stop(&mock);
}

KAFKA_TEST(kafka_seek_goes_back)
{
    struct mock_broker mock;
    struct mock_source source;
    mock_start(&mock, "t", 2);
    mock_produce(&mock, "t", 0, 0, 5000, 50);
    mock_produce(&mock, "t", 1, 0, 5000, 50);
    source_start(&source, &mock, 4 << 20, "subscribe", "t", "startingOffsets", "earliest", NULL);
    source_begin(&source, 0);
    CHECK(source_drain(&source, 3000) >= 3000);
    source.ranges.items[0].from = 1234;
    source.ranges.items[1].from = 4999;
    CHECK(kafka_source_type.seek(source.self, &source.ranges, &source.err) == E_OK);
    CHECK_INT(source_drain(&source, INT64_MAX), 5000 - 1234 + 1);
    source.ranges.items[0].from = 100; // no seek: a range that does not go on where it stood is sought by fetch itself
    source.ranges.items[0].to = 200;
    CHECK_INT(source_drain(&source, INT64_MAX), 100);
    source_end(&source);
    mock_stop(&mock);
}

KAFKA_TEST(kafka_unbounded_takes_what_comes)
{
    struct mock_broker mock;
    struct mock_source source;
    mock_start(&mock, "t", 2);
    source_start(&source, &mock, 4 << 20, "subscribe", "t", "startingOffsets", "latest", NULL);
    source_begin(&source, 0);
    for (int32_t i = 0; i < source.ranges.count; i++)
        source.ranges.items[i].to = -1;
    for (int64_t round = 0; round < 5; round++) {
        mock_produce(&mock, "t", (int32_t)(round % 2), round / 2 * 100, 100, 50);
        CHECK_INT(source_drain(&source, 100), 100);
    }
    struct batch batch;
    bool done = true;
    CHECK(kafka_source_type.fetch(source.self, &source.ranges, 1000, &batch, &done, &source.err) == E_OK);
    CHECK(batch.rows == 0 && !done);
    batch_release(&batch);
    source_end(&source);
    mock_stop(&mock);
}

KAFKA_TEST(kafka_starts_where_told)
{
    struct mock_broker mock;
    struct mock_source source;
    mock_start(&mock, "t", 3);
    for (int32_t p = 0; p < 3; p++)
        mock_produce(&mock, "t", p, 0, 100, 50);
    source_start(&source, &mock, 4 << 20, "subscribe", "t", "startingOffsets", "{\"t\":{\"0\":40,\"1\":-1,\"2\":-2}}",
                 NULL);
    source_begin(&source, 0);
    CHECK_INT(source_ranges_find(&source.ranges, "t", 1)->from, 100);
    CHECK_INT(source_drain(&source, INT64_MAX), 60 + 100);
    source_end(&source);

    source_start(&source, &mock, 4 << 20, "subscribe", "t", "startingOffsets", "{\"t\":{\"0\":40}}", NULL);
    CHECK(kafka_source_type.discover(source.self, &source.known, &source.ranges, &source.err) == E_SPEC);
    CHECK(strstr(source.err.text, "must name every partition") != NULL);
    source_end(&source);

    source_start(&source, &mock, 4 << 20, "assign", "{\"t\":[1]}", "startingOffsets", "earliest", NULL);
    source_begin(&source, 0);
    CHECK_INT(source.ranges.count, 1);
    CHECK_INT(source_drain(&source, INT64_MAX), 100);
    source_end(&source);
    mock_stop(&mock);
}

KAFKA_TEST(kafka_pattern_matches_whole_names)
{
    struct mock_broker mock;
    struct mock_source source;
    mock_start(&mock, "orders-1", 1);
    rd_kafka_mock_topic_create(mock.cluster, "orders-22", 2, 1);
    rd_kafka_mock_topic_create(mock.cluster, "my-orders-3", 1, 1);
    source_start(&source, &mock, 4 << 20, "subscribePattern", "orders-\\d+", "startingOffsets", "earliest", NULL);
    source_begin(&source, 0);
    CHECK_INT(source.ranges.count, 3);
    CHECK(source_ranges_find(&source.ranges, "my-orders-3", 0) == NULL);
    source_end(&source);
    mock_stop(&mock);
}

static void know(struct mock_source *source, int32_t partition, int64_t from)
{
    source_ranges_add(&source->known, "t", partition)->from = from;
}

KAFKA_TEST(kafka_goes_on_and_new_partitions_start_at_zero)
{
    struct mock_broker mock;
    struct mock_source source;
    mock_start(&mock, "t", 2);
    mock_produce(&mock, "t", 0, 0, 100, 50);
    mock_produce(&mock, "t", 1, 0, 100, 50);
    source_start(&source, &mock, 4 << 20, "subscribe", "t", "startingOffsets", "latest", NULL);
    know(&source, 0, 30);
    source_begin(&source, 0);
    CHECK_INT(source_drain(&source, INT64_MAX), 70 + 100);
    source_end(&source);
    mock_stop(&mock);
}

KAFKA_TEST(kafka_lost_offsets_stop_or_warn)
{
    struct mock_broker mock;
    struct mock_source source;
    mock_start(&mock, "t", 1);
    mock_produce(&mock, "t", 0, 0, 100, 50);
    source_start(&source, &mock, 4 << 20, "subscribe", "t", NULL);
    know(&source, 0, 500);
    CHECK(kafka_source_type.discover(source.self, &source.known, &source.ranges, &source.err) == E_LOST);
    CHECK(strstr(source.err.text, "topic t partition 0: offset 500") != NULL &&
          strstr(source.err.text, "ends at 100") != NULL);
    source_end(&source);

    source_start(&source, &mock, 4 << 20, "subscribe", "t", NULL);
    know(&source, 0, 10);
    know(&source, 7, 10); // a partition that is not there any more
    CHECK(kafka_source_type.discover(source.self, &source.known, &source.ranges, &source.err) == E_LOST);
    CHECK(strstr(source.err.text, "partition 7") != NULL);
    source_end(&source);

    source_start(&source, &mock, 4 << 20, "subscribe", "t", "failOnDataLoss", "false", NULL);
    know(&source, 0, 500);
    source_begin(&source, 0);
    CHECK_INT(source_drain(&source, INT64_MAX), 100);
    source_end(&source);
    mock_stop(&mock);
}

/* The offset is lost between discover and fetch, as when retention runs. */
KAFKA_TEST(kafka_offset_lost_while_reading)
{
    struct mock_broker mock;
    struct mock_source source;
    mock_start(&mock, "t", 1);
    mock_produce(&mock, "t", 0, 0, 100, 50);
    source_start(&source, &mock, 4 << 20, "subscribe", "t", "startingOffsets", "earliest", NULL);
    source_begin(&source, 0);
    CHECK_INT(source_drain(&source, INT64_MAX), 100);
    source.ranges.items[0].from = 5000;
    source.ranges.items[0].to = 6000;
    struct batch batch = {0};
    bool done = false;
    enum code code = E_OK;
    for (int i = 0; i < 20 && code == E_OK; i++) {
        code = kafka_source_type.fetch(source.self, &source.ranges, 200000, &batch, &done, &source.err);
        if (code == E_OK)
            batch_release(&batch);
    }
    CHECK(code == E_LOST);
    CHECK(strstr(source.err.text, "offset 5000") != NULL);
    source_end(&source);
    mock_stop(&mock);
}

KAFKA_TEST(kafka_survives_broker_errors)
{
    struct mock_broker mock;
    struct mock_source source;
    mock_start(&mock, "t", 2);
    mock_produce(&mock, "t", 0, 0, 3000, 50);
    mock_produce(&mock, "t", 1, 0, 3000, 50);
    source_start(&source, &mock, 4 << 20, "subscribe", "t", "startingOffsets", "earliest", NULL);
    rd_kafka_mock_push_request_errors(mock.cluster, 2 /* ListOffsets */, 2, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    source_begin(&source, 0);
    rd_kafka_mock_push_request_errors(mock.cluster, 1 /* Fetch */, 3, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                      RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
    CHECK_INT(source_drain(&source, INT64_MAX), 6000);
    source_end(&source);
    mock_stop(&mock);
}

KAFKA_TEST(kafka_unreachable_broker)
{
    struct mock_broker nobody = {.bootstrap = "127.0.0.1:9"};
    struct mock_source source;
    source_start(&source, &nobody, 4 << 20, "subscribe", "t", NULL);
    CHECK(kafka_source_type.discover(source.self, &source.known, &source.ranges, &source.err) == E_BROKER);
    CHECK(strstr(source.err.text, "127.0.0.1:9") != NULL);
    CHECK_STR(kafka_source_type.dependency(source.self), "kafka 127.0.0.1:9");
    source_end(&source);
}

static void *stop_later(void *source)
{
    os->sleep_us(100000);
    kafka_source_type.stop(source);
    return NULL;
}

KAFKA_TEST(kafka_stop_interrupts)
{
    struct mock_broker mock;
    struct mock_source source;
    struct thread stopper;
    struct batch batch;
    bool done;
    mock_start(&mock, "t", 1);
    source_start(&source, &mock, 4 << 20, "subscribe", "t", NULL);
    source_begin(&source, 0);
    source.ranges.items[0].to = -1;
    int64_t start_us = os->clock_mono_us();
    thread_start(&stopper, "stopper", stop_later, source.self);
    CHECK(kafka_source_type.fetch(source.self, &source.ranges, 10000000, &batch, &done, &source.err) == E_STOPPED);
    CHECK(os->clock_mono_us() - start_us < 2000000);
    CHECK(kafka_source_type.discover(source.self, &source.known, &source.ranges, &source.err) == E_STOPPED);
    thread_join(&stopper);
    source_end(&source);
    mock_stop(&mock);
}

KAFKA_TEST(kafka_mirror_shows_in_the_group)
{
    struct mock_broker mock;
    struct mock_source source;
    mock_start(&mock, "t", 2);
    mock_produce(&mock, "t", 0, 0, 100, 50);
    source_start(&source, &mock, 4 << 20, "subscribe", "t", "startingOffsets", "earliest", NULL);
    source_begin(&source, 0);
    for (int64_t place = 10; place <= 90; place += 10) { // faster than the broker answers: the last one must win
        source_ranges_find(&source.ranges, "t", 0)->from = place;
        CHECK(kafka_source_type.mirror(source.self, &source.ranges, &source.err) == E_OK);
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, "t", 0);
    while (source.self->mirror_busy || source.self->unsent.count > 0) {
        struct source_ranges none = source.self->unsent;
        source.self->unsent = (struct source_ranges){0};
        os->sleep_us(20000);
        CHECK(kafka_source_type.mirror(source.self, &none, &source.err) == E_OK);
        source_ranges_free(&none);
    }
    CHECK(rd_kafka_committed(source.self->control, list, 5000) == RD_KAFKA_RESP_ERR_NO_ERROR);
    CHECK_INT(list->elems[0].offset, 90);
    rd_kafka_topic_partition_list_destroy(list);
    source_end(&source);
    mock_stop(&mock);
}

KAFKA_TEST(kafka_only_needed_columns_are_built)
{
    struct mock_broker mock;
    struct mock_source source;
    struct batch batch = {0};
    bool done = false;
    mock_start(&mock, "t", 1);
    mock_produce(&mock, "t", 0, 0, 10, 50);
    source_start(&source, &mock, 4 << 20, "subscribe", "t", "startingOffsets", "earliest", NULL);
    memset(source.self->needed, 0, sizeof source.self->needed);
    source.self->needed[SOURCE_OFFSET] = true;
    source_begin(&source, 0);
    CHECK(kafka_source_type.fetch(source.self, &source.ranges, 5000000, &batch, &done, &source.err) == E_OK);
    CHECK_INT(batch.rows, 10);
    CHECK(done);
    CHECK_INT(batch.column_count, SOURCE_HEADERS);
    for (int i = 0; i < batch.column_count; i++)
        CHECK((batch.columns[i].type != NULL) == (i == SOURCE_OFFSET));
    batch_release(&batch);
    source_end(&source);
    mock_stop(&mock);
}

KAFKA_TEST(kafka_headers_come_when_asked_for)
{
    struct mock_broker mock;
    struct mock_source source;
    struct batch batch = {0};
    struct text text = {0};
    bool done = false;
    mock_start(&mock, "t", 1);
    rd_kafka_producev(mock.producer, RD_KAFKA_V_TOPIC("t"), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_VALUE("a", 1),
                      RD_KAFKA_V_HEADER("trace", "1", 1), RD_KAFKA_V_HEADER("none", NULL, 0), RD_KAFKA_V_END);
    rd_kafka_producev(mock.producer, RD_KAFKA_V_TOPIC("t"), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_VALUE("b", 1),
                      RD_KAFKA_V_END);
    CHECK(rd_kafka_flush(mock.producer, 10000) == RD_KAFKA_RESP_ERR_NO_ERROR);
    source_start(&source, &mock, 4 << 20, "subscribe", "t", "startingOffsets", "earliest", "includeHeaders", "true",
                 NULL);
    source_begin(&source, 0);
    CHECK(kafka_source_type.fetch(source.self, &source.ranges, 5000000, &batch, &done, &source.err) == E_OK);
    CHECK_INT(batch.rows, 2);
    batch_check(&batch);
    column_print(&batch.columns[SOURCE_HEADERS], 0, &text);
    CHECK(strstr(text.data, "trace") != NULL && strstr(text.data, "none") != NULL);
    CHECK(column_is_null(&batch.columns[SOURCE_HEADERS], 1));
    CHECK_INT(column_values(&batch.columns[SOURCE_TIMESTAMP_TYPE], int32_t)[0], 0);
    CHECK(column_values(&batch.columns[SOURCE_TIMESTAMP], int64_t)[0] > 1600000000000000);
    batch_release(&batch);
    text_free(&text);
    source_end(&source);
    mock_stop(&mock);
}
