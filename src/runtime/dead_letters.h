/* dead_letters.h - rows of a quarantine as messages of a Kafka topic.
 *
 * Message   key and value as they came, so that what reads the first topic can read this one
 * Headers   texts in UTF-8, left out where nothing is known; those that Kafka Connect writes have Connect's names:
 *               __connect.errors.topic, .partition, .offset     of the record
 *               __connect.errors.connector.name, .task.id       the pipeline, 0
 *               __connect.errors.exception.class.name           the reason
 *               __connect.errors.exception.message              the detail
 *           the others are leat.at, leat.tables, .. : the columns of quarantine_rows.h
 * Cluster   `leat.quarantine.kafka.*`; without bootstrap.servers there, that of the first Kafka source, with its options of
 *           security
 * Once      inside the query's transaction on its cluster; else at least once, with the header leat.id (kafka_sink.c)
 * Limits    DEAD_LETTER_KEY_MAX and DEAD_LETTER_VALUE_MAX bytes, below what a broker takes by default; less where the topic
 *           or the producer takes less: the value is cut first, then the key, then long headers. leat.key_bytes and
 *           leat.value_bytes say how many there were
 * Key       empty instead of none in a compacted topic
 */
#ifndef RUNTIME_DEAD_LETTERS_H
#define RUNTIME_DEAD_LETTERS_H

#include "runtime/runtime.h"
#include "sink/sink.h"

enum { DEAD_LETTER_KEY_MAX = 16 * 1000, DEAD_LETTER_VALUE_MAX = 1000 * 1000 };

const struct type *dead_letter_schema(struct arena *arena);
/* `rows` of quarantine_schema(false). */
void dead_letters_make(const struct type *schema, const char *pipeline, const struct sink_record_limits *limits,
                       const struct batch *rows, struct batch *out);
/* Schema and options of the sink for `topic`. E_SPEC: no cluster is known. */
MUST_CHECK enum code dead_letter_spec(struct arena *arena, const struct pipeline *pipeline, const char *topic,
                                      struct sink_spec *out, struct error *err);

#endif
