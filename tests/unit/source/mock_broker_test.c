/* What mock_broker.h promises; no tests of its own. */
#include "mock_broker.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/os.h"
#include "kit.h"

enum { DISCOVER_ATTEMPTS = 5 };

void mock_start(struct mock_broker *mock, const char *topic, int partitions)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    kafka_conf_set(conf, "client.id", "mock");
    kafka_conf_set(conf, "linger.ms", "200"); // what is produced before a flush is one batch, however slow the machine
    kafka_conf_set(conf, "log_level", "0");
    kafka_conf_set(conf, "batch.size", "100000"); // a fetch answers one batch a partition
    mock->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    mock->cluster = rd_kafka_mock_cluster_new(mock->producer, 2);
    mock->bootstrap = rd_kafka_mock_cluster_bootstraps(mock->cluster);
    rd_kafka_brokers_add(mock->producer, mock->bootstrap);
    rd_kafka_mock_topic_create(mock->cluster, topic, partitions, 1);
}

void mock_stop(struct mock_broker *mock)
{
    rd_kafka_mock_cluster_destroy(mock->cluster);
    rd_kafka_destroy(mock->producer);
}

void mock_produce(struct mock_broker *mock, const char *topic, int32_t partition, int64_t first, int64_t count,
                  size_t size)
{
    char *value = mem_alloc(size + 64);
    rd_kafka_topic_t *handle = rd_kafka_topic_new(mock->producer, topic, NULL);
    for (int64_t i = first; i < first + count; i++) {
        char key[32];
        int key_size = snprintf(key, sizeof key, "key-%d", (int)(i % 7));
        int value_size = snprintf(value, 64, "value-%d-%" PRId64 "-", partition, i);
        memset(value + value_size, 'x', size);
        size_t total = (size_t)value_size > size ? (size_t)value_size : size;
        while (rd_kafka_produce(handle, partition, RD_KAFKA_MSG_F_COPY, value, total, i % 5 == 0 ? NULL : key,
                                i % 5 == 0 ? 0 : (size_t)key_size, NULL) != 0)
            rd_kafka_poll(mock->producer, 10);
    }
    CHECK(rd_kafka_flush(mock->producer, 20000) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_destroy(handle);
    mem_free(value);
}

void source_start(struct mock_source *source, const struct mock_broker *mock, int64_t buffer_bytes, ...)
{
    const char *names[16] = {"kafka.bootstrap.servers"}, *values[16] = {mock->bootstrap};
    int32_t count = 1;
    va_list options;
    va_start(options, buffer_bytes);
    for (const char *name; (name = va_arg(options, const char *)) != NULL; count++) {
        names[count] = name;
        values[count] = va_arg(options, const char *);
    }
    va_end(options);
    struct source_spec spec = {.name = "mocked",
                               .option_names = names,
                               .option_values = values,
                               .option_count = count,
                               .group_id = "leat-test",
                               .buffer_bytes = buffer_bytes};
    memset(spec.needed, 1, sizeof spec.needed);
    *source = (struct mock_source){.self = mem_new(struct kafka_source)};
    if (kafka_source_type.open(source->self, &spec, &source->err) != E_OK)
        kit_fail(__FILE__, __LINE__, "open: %s", source->err.text);
}

void source_end(struct mock_source *source)
{
    kafka_source_type.close(source->self);
    mem_free(source->self);
    source_ranges_free(&source->known);
    source_ranges_free(&source->ranges);
}

void source_begin(struct mock_source *source, int64_t rows_max)
{
    enum code code = E_BROKER;
    for (int attempt = 0; code == E_BROKER && attempt < DISCOVER_ATTEMPTS; attempt++)
        code = kafka_source_type.discover(source->self, &source->known, &source->ranges, &source->err);
    if (code != E_OK)
        kit_fail(__FILE__, __LINE__, "discover: %s", source->err.text);
    source_plan(&source->ranges, rows_max);
    if (kafka_source_type.seek(source->self, &source->ranges, &source->err) != E_OK)
        kit_fail(__FILE__, __LINE__, "seek: %s", source->err.text);
}

static void row_check(const struct batch *batch, int64_t row, int64_t *next)
{
    int32_t partition = column_values(&batch->columns[SOURCE_PARTITION], int32_t)[row];
    int64_t offset = column_values(&batch->columns[SOURCE_OFFSET], int64_t)[row];
    struct bytes value = column_bytes_at(&batch->columns[SOURCE_VALUE], row),
                 key = column_bytes_at(&batch->columns[SOURCE_KEY], row);
    char expected[64], expected_key[32];
    int size = snprintf(expected, sizeof expected, "value-%d-%" PRId64 "-", partition, offset);
    snprintf(expected_key, sizeof expected_key, "key-%d", (int)(offset % 7));
    CHECK_INT(offset, next[partition]);
    next[partition] = offset + 1;
    CHECK(value.size >= (size_t)size && memcmp(value.data, expected, (size_t)size) == 0);
    CHECK(column_valid_at(&batch->columns[SOURCE_KEY], row) == (offset % 5 != 0));
    CHECK(offset % 5 == 0 ? key.size == 0 : bytes_equal_string(key, expected_key));
}

int64_t source_drain(struct mock_source *source, int64_t most)
{
    int64_t next[64] = {0}, rows = 0, end_us = os->clock_mono_us() + 20000000;
    for (int32_t i = 0; i < source->ranges.count; i++)
        next[source->ranges.items[i].partition] = source->ranges.items[i].from;
    for (bool done = false; !done && rows < most && os->clock_mono_us() < end_us;) {
        struct batch batch = {0};
        enum code code = kafka_source_type.fetch(source->self, &source->ranges, 500000, &batch, &done, &source->err);
        if (code != E_OK) {
            kit_fail(__FILE__, __LINE__, "fetch: %s", source->err.text);
            return rows;
        }
        batch_check(&batch);
        CHECK(batch.rows <= BATCH_ROWS_MAX);
        for (int64_t i = 0; i < batch.rows; i++)
            row_check(&batch, i, next);
        rows += batch.rows;
        batch_release(&batch);
    }
    for (int32_t i = 0; i < source->ranges.count; i++)
        CHECK_INT(source->ranges.items[i].from, next[source->ranges.items[i].partition]);
    return rows;
}
