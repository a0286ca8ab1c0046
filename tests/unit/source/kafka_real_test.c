/* What the mock cluster cannot show: transactions, deleted records, absent and re-created topics.
 * Needs a real broker: KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:9092; skipped without. */
#include "mock_broker.h"

#include <stdio.h>

#include "base/os.h"
#include "kit.h"

enum { TIMEOUT_MS = 15000 };

struct real {
    struct mock_broker broker; /* no cluster: only `bootstrap` and, plain, `producer` */
    char topic[64];
    rd_kafka_t *transactional;
    rd_kafka_topic_t *handle;
};

static rd_kafka_t *producer_new(const char *bootstrap, const char *transactional_id)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    kafka_conf_set(conf, "bootstrap.servers", bootstrap);
    kafka_conf_set(conf, "linger.ms", "1");
    if (transactional_id != NULL)
        kafka_conf_set(conf, "transactional.id", transactional_id);
    return rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
}

/* Run one admin call and wait for its event. */
static void admin_wait(rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS);
    CHECK(event != NULL && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
}

static void topic_create(struct real *real)
{
    char text[256];
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(real->topic, 1, 1, text, sizeof text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(real->broker.producer);
    rd_kafka_CreateTopics(real->broker.producer, &topic, 1, NULL, queue);
    admin_wait(queue);
    rd_kafka_NewTopic_destroy(topic);
}

static void topic_delete(struct real *real)
{
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(real->topic);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(real->broker.producer);
    rd_kafka_DeleteTopics(real->broker.producer, &topic, 1, NULL, queue);
    admin_wait(queue);
    rd_kafka_DeleteTopic_destroy(topic);
}

static void records_delete(struct real *real, int64_t before)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, real->topic, 0)->offset = before;
    rd_kafka_DeleteRecords_t *records = rd_kafka_DeleteRecords_new(list);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(real->broker.producer);
    rd_kafka_DeleteRecords(real->broker.producer, &records, 1, NULL, queue);
    admin_wait(queue);
    rd_kafka_DeleteRecords_destroy(records);
    rd_kafka_topic_partition_list_destroy(list);
}

static bool real_start(struct real *real)
{
    *real = (struct real){.broker.bootstrap = os_env("KAFKA_BOOTSTRAP_SERVERS")};
    if (real->broker.bootstrap == NULL) {
        kit_skip("KAFKA_BOOTSTRAP_SERVERS names no broker");
        return false;
    }
    snprintf(real->topic, sizeof real->topic, "source-test-%016" PRIx64, os_random());
    real->broker.producer = producer_new(real->broker.bootstrap, NULL);
    topic_create(real);
    return true;
}

static void real_stop(struct real *real)
{
    if (real->handle != NULL)
        rd_kafka_topic_destroy(real->handle);
    if (real->transactional != NULL)
        rd_kafka_destroy(real->transactional);
    rd_kafka_destroy(real->broker.producer);
}

/* ---- transactions ---- */

static void ok(rd_kafka_error_t *error)
{
    if (error != NULL)
        kit_fail(__FILE__, __LINE__, "%s", rd_kafka_error_string(error));
    if (error != NULL)
        rd_kafka_error_destroy(error);
}

static void transaction_begin(struct real *real, int count)
{
    if (real->transactional == NULL) {
        real->transactional = producer_new(real->broker.bootstrap, real->topic);
        ok(rd_kafka_init_transactions(real->transactional, TIMEOUT_MS));
        real->handle = rd_kafka_topic_new(real->transactional, real->topic, NULL);
    }
    ok(rd_kafka_begin_transaction(real->transactional));
    for (int i = 0; i < count; i++)
        CHECK(rd_kafka_produce(real->handle, 0, RD_KAFKA_MSG_F_COPY, "record", 6, NULL, 0, NULL) == 0);
    CHECK(rd_kafka_flush(real->transactional, TIMEOUT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

static int64_t rows_until_done(struct mock_source *source)
{
    int64_t rows = 0, end_us = os->clock_mono_us() + 10000000;
    bool done = false;
    while (!done && os->clock_mono_us() < end_us) {
        struct batch batch = {0};
        if (kafka_source_type.fetch(source->self, &source->ranges, 300000, &batch, &done, &source->err) != E_OK) {
            kit_fail(__FILE__, __LINE__, "fetch: %s", source->err.text);
            return rows;
        }
        rows += batch.rows;
        batch_release(&batch);
    }
    CHECK(done);
    return rows;
}

KAFKA_TEST(kafka_real_aborted_and_open_transactions)
{
    struct real real;
    struct mock_source source;
    if (!real_start(&real))
        return;
    transaction_begin(&real, 10); /* 0..9, marker 10 */
    ok(rd_kafka_commit_transaction(real.transactional, TIMEOUT_MS));
    transaction_begin(&real, 10); /* 11..20, marker 21 */
    ok(rd_kafka_abort_transaction(real.transactional, TIMEOUT_MS));
    transaction_begin(&real, 5); /* 22..26, marker 27 */
    ok(rd_kafka_commit_transaction(real.transactional, TIMEOUT_MS));
    transaction_begin(&real, 3); /* 28.., open */
    source_start(&source, &real.broker, 4 << 20, "subscribe", real.topic, "startingOffsets", "earliest", NULL);
    source_begin(&source, 0);
    CHECK_INT(source.ranges.items[0].latest, 28);
    CHECK_INT(rows_until_done(&source), 15);
    CHECK_INT(source.ranges.items[0].from, 28);

    source.ranges.items[0].from = 0;
    for (int64_t to = 1; to <= 28; to++) { // every possible end, also inside the aborted records and on the markers
        source.ranges.items[0].to = to;
        int64_t first = source.ranges.items[0].from, rows = rows_until_done(&source);
        CHECK_INT(first, to - 1);
        CHECK_INT(rows, (to <= 10 || (to >= 23 && to <= 27)) ? 1 : 0);
    }
    ok(rd_kafka_abort_transaction(real.transactional, TIMEOUT_MS)); /* marker 31 */
    source_ranges_copy(&source.known, &source.ranges);
    for (int tries = 0; tries < 100 && source.ranges.items[0].latest < 32;
         tries++) { // markers are written behind the answer
        os->sleep_us(20000);
        CHECK(kafka_source_type.discover(source.self, &source.known, &source.ranges, &source.err) == E_OK);
    }
    CHECK_INT(source.ranges.items[0].latest, 32);
    source_plan(&source.ranges, 0);
    CHECK_INT(rows_until_done(&source), 0);
    source_end(&source);
    real_stop(&real);
}

/* ---- records and topics that are gone ---- */

KAFKA_TEST(kafka_real_deleted_records)
{
    struct real real;
    struct mock_source source;
    if (!real_start(&real))
        return;
    mock_produce(&real.broker, real.topic, 0, 0, 100, 10);
    records_delete(&real, 60);
    source_start(&source, &real.broker, 4 << 20, "subscribe", real.topic, NULL);
    source_ranges_add(&source.known, real.topic, 0)->from = 20;
    CHECK(kafka_source_type.discover(source.self, &source.known, &source.ranges, &source.err) == E_LOST);
    CHECK(strstr(source.err.text, "40 offsets are gone") != NULL);
    source_end(&source);

    source_start(&source, &real.broker, 4 << 20, "subscribe", real.topic, "failOnDataLoss", "false", NULL);
    source_ranges_add(&source.known, real.topic, 0)->from = 20;
    source_begin(&source, 0);
    CHECK_INT(source.ranges.items[0].from, 60);
    source.ranges.items[0].from = 30; // as if retention ran after discover
    CHECK_INT(rows_until_done(&source), 40);
    source_end(&source);
    real_stop(&real);
}

KAFKA_TEST(kafka_real_topic_made_anew)
{
    struct real real;
    struct mock_source source;
    if (!real_start(&real))
        return;
    mock_produce(&real.broker, real.topic, 0, 0, 100, 10);
    source_start(&source, &real.broker, 4 << 20, "subscribe", real.topic, "startingOffsets", "earliest", NULL);
    source_begin(&source, 0);
    CHECK_INT(rows_until_done(&source), 100);
    topic_delete(&real);
    os->sleep_us(1500000); // the broker deletes behind its answer
    topic_create(&real);
    mock_produce(&real.broker, real.topic, 0, 0, 10, 10);
    source_ranges_copy(&source.known, &source.ranges);
    CHECK(kafka_source_type.discover(source.self, &source.known, &source.ranges, &source.err) == E_LOST);
    CHECK(strstr(source.err.text, "made anew") != NULL);
    source_end(&source);
    real_stop(&real);
}

KAFKA_TEST(kafka_real_absent_topic)
{
    struct real real;
    struct mock_source source;
    if (!real_start(&real))
        return;
    source_start(&source, &real.broker, 4 << 20, "subscribe", "no-such-topic-here", NULL);
    CHECK(kafka_source_type.discover(source.self, &source.known, &source.ranges, &source.err) == E_ABSENT);
    CHECK(strstr(source.err.text, "no-such-topic-here does not exist") != NULL &&
          strstr(source.err.text, "leat produce") != NULL);
    source_end(&source);
    real_stop(&real);
}

KAFKA_TEST(kafka_real_start_by_time)
{
    struct real real;
    struct mock_source source;
    char time_ms[32];
    if (!real_start(&real))
        return;
    mock_produce(&real.broker, real.topic, 0, 0, 50, 10);
    os->sleep_us(50000);
    snprintf(time_ms, sizeof time_ms, "%" PRId64, os->clock_wall_us() / 1000);
    os->sleep_us(50000);
    source_start(&source, &real.broker, 4 << 20, "subscribe", real.topic, "startingTimestamp", time_ms, NULL);
    CHECK(kafka_source_type.discover(source.self, &source.known, &source.ranges, &source.err) ==
          E_SPEC); // nothing is that young
    mock_produce(&real.broker, real.topic, 0, 50, 30, 10);
    source_begin(&source, 0);
    CHECK_INT(source.ranges.items[0].from, 50);
    CHECK_INT(rows_until_done(&source), 30);
    source_end(&source);
    real_stop(&real);
}
