/* mock_broker.h - librdkafka's mock cluster in this process, and a source that reads from it.
 *
 * Limits  the mock keeps 5 MiB a partition, knows no transactions and no CreateTopics
 *         (shared/design/broker.md, section 2)
 */
#ifndef MOCK_BROKER_H
#define MOCK_BROKER_H

#include "kafka_kit.h"
#include "source/kafka.h"

#include <librdkafka/rdkafka_mock.h> /* needs rdkafka.h before it */

struct mock_broker {
    rd_kafka_t *producer;
    rd_kafka_mock_cluster_t *cluster;
    const char *bootstrap;
};
void mock_start(struct mock_broker *mock, const char *topic, int partitions);
void mock_stop(struct mock_broker *mock);
/* `count` records "value-<partition>-<number>" of at least `size` bytes, numbers from `first` on;
 * waits until they are there. */
void mock_produce(struct mock_broker *mock, const char *topic, int32_t partition, int64_t first, int64_t count,
                  size_t size);

/* A source opened on the mock; options are names and values in turn, NULL at the end. */
struct mock_source {
    struct kafka_source *self;
    struct source_ranges known, ranges;
    struct error err;
};
void source_start(struct mock_source *source, const struct mock_broker *mock, int64_t buffer_bytes, ...)
    __attribute__((sentinel));
void source_end(struct mock_source *source);
/* discover, plan with a limit, seek. */
void source_begin(struct mock_source *source, int64_t rows_max);
/* Fetch until done or `most` rows; rows delivered, each checked to be the next of its partition. */
int64_t source_drain(struct mock_source *source, int64_t most);

#endif
