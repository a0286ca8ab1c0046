/* kafka.h - what the parts of the Kafka source share; private to source/.
 *
 * Parts     kafka.c          the source_type: open, close, stop, seek
 *           kafka_options.c  Spark's reader options
 *           kafka_offsets.c  startingOffsets and assign, as JSON
 *           kafka_discover.c which partitions there are, and from where to where they reach
 *           kafka_fetch.c    messages of planned ranges; EOF, gaps, lost offsets; the cure of the
 *                            one-second stall
 *           kafka_columns.c  messages into columns
 *           kafka_mirror.c   the group's offsets, for lag tools
 * Clients   `control` lives from open to close: metadata, offsets, the group. `data` is made new
 *           by every seek: what the old one had prefetched dies with it, and its queue limits
 *           follow from the count of partitions
 * Thread    one, but for stop() and the wake-up callback, which only touch `signal`, `stopped` and
 *           `arrived`
 */
#ifndef SOURCE_KAFKA_H
#define SOURCE_KAFKA_H

#include <stdatomic.h>

#include "base/thread.h"
#include "client/client.h"
#include "source/source.h"

enum {
    PARTITIONS_MAX = 10000, /* of one source */
    TOPICS_MAX = 1000,
    CHUNK_MAX = 512,           /* messages taken from librdkafka at once */
    REQUEST_TIMEOUT_MS = 3000, /* of one question; who asked asks again (base/retry.h) */
};

/* Spark's reader options; offsets in kafka_options. */
struct kafka_settings {
    const char *subscribe, *subscribe_pattern, *assign;
    const char *starting_offsets, *starting_timestamp, *starting_offsets_by_timestamp;
    int starting_strategy; /* of timestamps after the last record: error | latest */
    const char *ending_offsets, *ending_timestamp, *ending_offsets_by_timestamp;
    int64_t rows_max; /* maxOffsetsPerTrigger */
    int64_t rows_min, delay_us, min_partitions, records_per_partition;
    const char *group_prefix;
    bool fail_on_data_loss, include_headers;
    int64_t poll_timeout_ms, retries, retry_ms;
};
extern const struct option kafka_options[];

/* Messages taken out of librdkafka but not yet delivered: beyond the range's end, or the batch was
 * full. */
struct held {
    rd_kafka_message_t **messages; /* CHUNK_MAX, allocated at first use */
    int32_t first, count;          /* [first, count) are held */
};
struct kafka_partition {
    char *topic;
    int32_t partition;
    rd_kafka_topic_t *handle;
    rd_kafka_queue_t *queue;
    int64_t next;           /* every record below it was delivered, or does not exist */
    int64_t reached;        /* no record lies in [next, reached) */
    int64_t lost_to;        /* records below it were gone before they could be read */
    int64_t lost;           /* offsets passed over because of that, not yet told */
    int64_t stale_position; /* where librdkafka stood before the last start */
    struct held held;
    int64_t record_bytes; /* moving average, to bound what is taken at once */
};

struct kafka_source {
    struct arena arena, scratch; /* scratch: while the layout is asked for */
    char *name;
    struct kafka_settings settings;
    struct kafka_client_facts facts;
    struct kafka_client_options client_options; /* copies, for each new client */
    bool needed[SOURCE_COLUMN_COUNT];
    const struct type *schema;
    const char *group_id;
    const char *broker; /* "kafka 127.0.0.1:9092" */
    int64_t buffer_bytes;
    int64_t batch_rows; /* most rows of a batch, at most BATCH_ROWS_MAX */
    struct budget *budget;

    rd_kafka_t *control, *data;
    struct source_ranges layout; /* partitions there are, as last told; empty = ask again */
    int64_t layout_us;           /* when that was */
    char trouble[256];           /* what librdkafka last complained about, "" = nothing */
    bool login_refused;
    bool answered; /* some broker has accepted us once */

    struct kafka_partition *partitions;
    int32_t partition_count;
    int32_t turn;          /* who is asked first, so that none starves */
    int64_t unwoken_bytes; /* taken since the broker threads were last woken */
    int64_t wake_bytes;    /* so many make a wake-up due */

    struct batch filling;
    struct builder headers; /* its column `headers` */
    size_t filling_bytes;
    size_t varlen_bytes[SOURCE_COLUMN_COUNT]; /* of the last large batch */

    rd_kafka_queue_t *mirror_queue;
    bool mirror_busy, mirror_warned;
    struct source_ranges unsent; /* to mirror when the commit under way is answered */

    bool (*stopping)(void *context);
    void *stopping_context;
    struct lock signal;
    bool arrived;
    atomic_bool stopped;
};

extern const struct source_type kafka_source_type;

/* ---- options ---- */
MUST_CHECK enum code kafka_settings_read(struct kafka_source *self, const struct source_spec *spec, struct error *err);

MUST_CHECK enum code kafka_option_check(const char *name, const char *value, struct error *err); /* source_type.check */

/* ---- offsets in JSON ---- */
/* {"topic":{"0":23,"1":-1}} into `from` of new ranges. E_SPEC names `option`. */
MUST_CHECK enum code kafka_offsets_parse(const char *option, const char *json, struct source_ranges *out,
                                         struct error *err);
/* {"topic":[0,1]} : from stays 0. */
MUST_CHECK enum code kafka_assign_parse(const char *json, struct source_ranges *out, struct error *err);
enum { OFFSET_LATEST = -1, OFFSET_EARLIEST = -2 }; /* in JSON as in Kafka's ListOffsets */

/* ---- clients and questions ---- */
/* Serve librdkafka's callbacks: they keep `trouble` and `login_refused`. E_SPEC when the broker
 * refuses our login. */
MUST_CHECK enum code kafka_poll(struct kafka_source *self, rd_kafka_t *client, struct error *err);
enum code kafka_discover(void *self, const struct source_ranges *known, struct source_ranges *out, struct error *err);
/* Ask one offset per range, stored in `from`: OFFSET_LATEST, OFFSET_EARLIEST or a time in ms is
 * what `from` holds before. */
MUST_CHECK enum code kafka_offsets_ask(struct kafka_source *self, struct source_ranges *ranges, struct error *err);
/* E_STOPPED after stop(). */
MUST_CHECK enum code kafka_check_stop(const struct kafka_source *self, struct error *err);
/* The same, and when `stopping` says so: an epoch that is being read ends by itself then, but nothing is waited for. */
MUST_CHECK enum code kafka_check_waiting(const struct kafka_source *self, struct error *err);

/* ---- fetching ---- */
MUST_CHECK enum code kafka_partition_start(struct kafka_source *self, struct kafka_partition *partition, int64_t from,
                                           struct error *err);
void kafka_partition_close(struct kafka_partition *partition);
enum code kafka_fetch(void *self, struct source_ranges *ranges, int64_t wait_us, struct batch *out, bool *done,
                      struct error *err);

/* ---- columns ---- */
const struct type *kafka_schema(struct arena *arena, bool headers);
void kafka_columns_begin(struct kafka_source *self);
/* Copy the messages behind the batch that is being filled. All are records, none an error. */
void kafka_columns_append(struct kafka_source *self, const struct kafka_partition *partition,
                          rd_kafka_message_t *const *messages, int64_t count);
void kafka_columns_finish(struct kafka_source *self, struct batch *out);

/* ---- mirror ---- */
enum code kafka_mirror(void *self, const struct source_ranges *committed, struct error *err);
void kafka_mirror_close(struct kafka_source *self);

#endif
