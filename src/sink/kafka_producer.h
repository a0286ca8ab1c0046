/* kafka_producer.h - one librdkafka producer, shared by the lanes and sinks that write to one cluster. Private to sink/.
 *
 * Order    records of one lane and partition keep their order: idempotence is on, whatever else is set
 * Memory   librdkafka's queue: a share of the budget, half payload, half its bookkeeping; full, send() waits: back-pressure
 * Failed   the first record that could not be delivered decides: from then on send and flush answer with it. Who opens a
 *          new producer starts clean
 * Fails    E_BROKER transient; E_SPEC: refused for good (rights, size, settings), with what to do; E_UNSUPPORTED: the broker
 *          is too old; E_STOPPED
 * Thread   send, topic: any. All else: one, no send under way
 * Limits   KAFKA_TOPICS_MAX
 */
#ifndef SINK_KAFKA_PRODUCER_H
#define SINK_KAFKA_PRODUCER_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

#include "base/thread.h"
#include "client/client.h"
#include "sink/transaction.h"

enum { KAFKA_TOPICS_MAX = 10000, KAFKA_HEADERS_MAX = 10000 };

struct kafka_producer_spec {
    const char *const *option_names, *const *option_values;
    int32_t option_count;
    const char *transactional_id; /* NULL: only idempotent */
    int64_t timeout_us;           /* how long to wait for a broker */
    struct budget *budget;
    bool (*stopping)(void); /* or NULL */
};
struct kafka_topic {
    char *name;
    rd_kafka_topic_t *handle;
    struct transaction_topic facts;
    int64_t asked_us; /* 0: never */
};
struct kafka_producer {
    rd_kafka_t *client;
    struct arena arena;
    struct kafka_client_facts facts;
    int64_t timeout_us, message_max; /* bytes of a record, as kafka_message_bytes counts them */
    bool compressed;
    struct budget *budget;
    size_t charged_bytes;
    bool (*stopping)(void);
    struct lock lock;            /* guards what follows */
    struct kafka_topic **topics; /* hash table, open addressing; NULL = free */
    uint32_t topic_slots, topic_count;
    char trouble[256];    /* what librdkafka last complained about */
    struct error failure; /* the first record that was not delivered */
    atomic_bool failed;
    bool login_refused, answered;
    atomic_bool creates_none;             /* a topic was waited for in vain: the broker makes none by itself */
    _Atomic(struct kafka_topic *) recent; /* the topic last used */
};
MUST_CHECK enum code kafka_producer_open(struct kafka_producer *self, const struct kafka_producer_spec *spec,
                                         struct error *err);
/* What was not delivered is dropped. */
void kafka_producer_close(struct kafka_producer *self);
/* The topic as the broker knows it, made by the broker where it is allowed to. partitions = 0: there is none. While fewer
 * than `wanted` are known it is asked again, at most once a second. E_SPEC: no name of a topic, or too many. */
MUST_CHECK enum code kafka_producer_topic(struct kafka_producer *self, const char *name, int32_t wanted,
                                          struct transaction_topic *out, struct error *err);
/* kafka_topic_limits.c: what the topic's configuration says a record may be, into `out`; what the broker does not tell, for
 * want of rights say, stays 0. `compressed`: sizes of records say nothing about sizes of batches then. */
void kafka_topic_limits(rd_kafka_t *client, const char *name, bool compressed, struct transaction_topic *out);
MUST_CHECK enum code kafka_producer_send(struct kafka_producer *self, const struct transaction_message *message,
                                         struct error *err);
/* All that was sent is acknowledged, or the first failure. */
MUST_CHECK enum code kafka_producer_flush(struct kafka_producer *self, struct error *err);
/* Serve callbacks; the first failure, or a refused login. */
MUST_CHECK enum code kafka_producer_poll(struct kafka_producer *self, struct error *err);
/* What a code of the broker means for us, said of `what`. */
enum code kafka_fail(struct kafka_producer *self, rd_kafka_resp_err_t code, const char *what, const char *text,
                     struct error *err);
bool kafka_is_topic_name(const char *name);

#endif
