/* kafka_rows.h - rows of a table as Kafka records, by the names of their columns. Private to sink/.
 *
 * Columns   value      STRING or BINARY, required; NULL is a tombstone
 *           key        STRING or BINARY; NULL: no key
 *           headers    ARRAY<STRUCT<key: STRING, value: BINARY>>
 *           topic      STRING; the option `topic` wins
 *           partition  INT; NULL: by the hash of the key, any when there is none
 *           timestamp  TIMESTAMP; NULL: when it is sent
 *           others are not written
 * Spec      Spark's Kafka sink, its messages included
 * Thread    a cursor belongs to one lane
 */
#ifndef SINK_KAFKA_ROWS_H
#define SINK_KAFKA_ROWS_H

#include "sink/sink.h"

struct kafka_columns {
    int32_t value, key, headers, topic, partition, timestamp; /* places in the schema, -1 = not there */
};
/* E_SPEC says what Spark says. */
MUST_CHECK enum code kafka_columns_find(const struct type *schema, bool topic_given, struct kafka_columns *out,
                                        struct error *err);

/* One row at a time as a message that borrows the batch. */
struct kafka_cursor {
    struct transaction_header *headers;
    int32_t header_capacity;
    struct text names; /* of headers and the topic, terminated */
};
void kafka_cursor_close(struct kafka_cursor *self);
enum kafka_row { KAFKA_ROW_FINE, KAFKA_ROW_NO_TOPIC, KAFKA_ROW_BAD_HEADER };
/* `extra` more headers may be put behind message->headers[message->header_count]. topic: of the option, or NULL. */
enum kafka_row kafka_row_read(struct kafka_cursor *self, const struct kafka_columns *columns, const char *topic,
                              const struct batch *batch, int64_t row, int32_t extra, struct transaction_message *out);
/* Bytes that count against the largest record, as librdkafka counts them: key, value, headers and what frames them at most. */
int64_t kafka_message_bytes(const struct transaction_message *message);
/* Of the message's own timestamp, rounded down. Only from 1 on can it be written: librdkafka takes 0 for "now", Kafka -1 for
 * "none", and Java's producer refuses what is negative. */
int64_t kafka_timestamp_ms(const struct transaction_message *message);
int64_t kafka_header_bytes(size_t name_size, size_t value_size);

#endif
