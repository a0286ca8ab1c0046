/* kafka_producer.c - options, memory, topics and errors of a producer. */
#include "sink/kafka_producer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/os.h"
#include "sink/kafka_rows.h"

enum {
    RECORD_BYTES = 512,          /* what librdkafka 2.0.2 allocates for a record besides its bytes */
    QUEUE_MIN = 4 * 1024 * 1024, /* bytes that the queue may take, bookkeeping included */
    QUEUE_MAX = 128 * 1024 * 1024,
    QUEUE_SHARE = 8,              /* of the memory budget: one part in so many */
    BATCH_BYTES = 128 * 1024,     /* topics may take less than the 1 MB that brokers do by default: of a batch, too */
    LINGER_MS = 2,                /* how long a record waits for others of its batch */
    RETRY_BACKOFF_MS = 10,        /* a coordinator is busy for milliseconds after each commit; Java's 100 add up */
    RECONNECT_MAX_MS = 1000,      /* librdkafka's 10 s would outlast many an outage */
    METADATA_MS = 3000,           /* one question for a topic */
    TOPIC_AGAIN_US = 1000 * 1000, /* a topic that was not there is asked for again after so long */
    TOPIC_WAIT_US = 3 * 1000 * 1000, /* how long the broker may take to create one */
    FULL_POLL_MS = 2,
    FULL_STOP_US = 5 * 1000 * 1000, /* how long a full queue may hold up a stop */
    SLICE_MS = 100,
    TELL_US = 5 * 1000 * 1000, /* waiting for a broker is logged so often */
    TOPIC_NAME_MAX = 249,
    TOPIC_SLOTS = 64,
};

/* ---- what the broker's codes mean ---- */

static const char *right_needed(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        return "the user needs the right to WRITE and DESCRIBE the topic";
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        return "the user needs the right to READ the group, where a transaction keeps its offsets; kafka.group.id names another";
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
        return "the user needs the rights WRITE and DESCRIBE on transactional ids that begin with leat-";
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return "the user needs the right IDEMPOTENT_WRITE on the cluster";
    default: return NULL;
    }
}

/* Settings that the broker will refuse for ever, with what to change. */
static const char *refused_for_good(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
        return "raise max.message.bytes of the topic; or set kafka.max.request.size to what the topic takes, then larger rows "
               "go to the quarantine; a smaller leat.quarantine.max_value makes dead letters smaller";
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
        return "kafka.transaction.timeout.ms is above the broker's transaction.max.timeout.ms";
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
        return "message.timestamp.after.max.ms and .before.max.ms of the topic say how far a timestamp may be from now";
    case RD_KAFKA_RESP_ERR_INVALID_RECORD: return "in a compacted topic, say, every record needs a key";
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION: return "the broker's administrator has forbidden it";
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE: return "choose another kafka.compression.type";
    default: return right_needed(code);
    }
}

/* `trouble`: what librdkafka complained about before, or "". */
static enum code describe(const struct kafka_producer *self, rd_kafka_resp_err_t code, const char *what,
                          const char *text, const char *trouble, struct error *err)
{
    const char *remedy = refused_for_good(code);
    if (text == NULL)
        text = rd_kafka_err2str(code);
    if (remedy != NULL)
        return fail(err, E_SPEC, "%s: broker %s: %s; %s", what, self->facts.bootstrap, text, remedy);
    switch (code) {
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
        return fail(err, E_FENCED, "%s: broker %s: %s: another process writes for this checkpoint", what,
                    self->facts.bootstrap, text);
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
        return fail(err, E_UNSUPPORTED, "%s: broker %s: %s; leat needs Kafka 2.5 or newer to write", what,
                    self->facts.bootstrap, text);
    default: break;
    }
    fail(err, E_BROKER, "%s: broker %s: %s%s%s", what, self->facts.bootstrap, text, *trouble == '\0' ? "" : ": ",
         trouble);
    return error_about(err, "kafka %s", self->facts.bootstrap);
}

enum code kafka_fail(struct kafka_producer *self, rd_kafka_resp_err_t code, const char *what, const char *text,
                     struct error *err)
{
    char trouble[sizeof self->trouble];
    lock_take(&self->lock);
    snprintf(trouble, sizeof trouble, "%s", self->trouble);
    lock_give(&self->lock);
    return describe(self, code, what, text, trouble, err);
}

/* ---- what librdkafka says; these are called from whoever polls ---- */

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    (void)client;
    struct kafka_producer *self = opaque;
    lock_take(&self->lock);
    if (!self->answered && (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL))
        self->login_refused = true; // later it is a broker that restarts in the middle of a handshake
    kafka_client_complaint(code, reason, self->trouble, sizeof self->trouble);
    lock_give(&self->lock);
}

/* Only records that were not delivered are reported. */
static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    (void)client;
    struct kafka_producer *self = opaque;
    char what[TOPIC_NAME_MAX + 64];
    bool dropped = message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR || dropped)
        return;
    snprintf(what, sizeof what, "topic %s partition %" PRId32, rd_kafka_topic_name(message->rkt), message->partition);
    lock_take(&self->lock);
    if (!atomic_load(&self->failed)) {
        (void)describe(self, message->err, what, NULL, self->trouble, &self->failure);
        atomic_store(&self->failed, true);
    }
    lock_give(&self->lock);
}

/* ---- opening ---- */

/* The queue gets a share of what the whole pipeline may use; a user's own kafka.buffer.memory wins. */
static enum code memory_take(struct kafka_producer *self, rd_kafka_conf_t *conf, struct error *err)
{
    size_t limit = self->budget == NULL ? 0 : self->budget->limit_bytes;
    size_t size = limit == 0 ? QUEUE_MAX : limit / QUEUE_SHARE;
    size = size < QUEUE_MIN ? QUEUE_MIN : size > QUEUE_MAX ? QUEUE_MAX : size;
    if (self->budget != NULL)
        TRY(budget_take(self->budget, size, "records on their way to Kafka", err));
    self->charged_bytes = self->budget == NULL ? 0 : size;
    kafka_conf_set_int(conf, "queue.buffering.max.kbytes", (int64_t)(size / 2 / 1024));
    kafka_conf_set_int(conf, "queue.buffering.max.messages", (int64_t)(size / 2 / RECORD_BYTES));
    return E_OK;
}

static void defaults(rd_kafka_conf_t *conf)
{
    kafka_conf_set(conf, "client.id", "leat");
    kafka_conf_set(conf, "socket.nagle.disable", "true");
    kafka_conf_set_int(conf, "linger.ms", LINGER_MS);
    kafka_conf_set_int(conf, "retry.backoff.ms", RETRY_BACKOFF_MS);
    kafka_conf_set_int(conf, "reconnect.backoff.max.ms", RECONNECT_MAX_MS);
    kafka_conf_set_int(conf, "message.max.bytes", 1048576); // Java's max.request.size
    kafka_conf_set_int(conf, "batch.size", BATCH_BYTES);
}

/* What leat's logic rests on, whatever the user's options say. */
static void must_haves(rd_kafka_conf_t *conf, const char *transactional_id)
{
    kafka_conf_set(conf, "enable.idempotence", "true");
    kafka_conf_set(conf, "partitioner", "murmur2_random"); // as Java's producer spreads keys
    kafka_conf_set(conf, "delivery.report.only.error", "true");
    if (transactional_id != NULL)
        kafka_conf_set(conf, "transactional.id", transactional_id);
}

static enum code conf_fill(struct kafka_producer *self, const struct kafka_producer_spec *spec, rd_kafka_conf_t *conf,
                           struct error *err)
{
    const struct kafka_client_options options = {spec->option_names, spec->option_values, spec->option_count};
    defaults(conf);
    TRY(memory_take(self, conf, err));
    TRY(kafka_client_conf(conf, KAFKA_PRODUCER, &options, &self->arena, &self->facts, err));
    must_haves(conf, spec->transactional_id);
    char text[32] = "";
    size_t space = sizeof text;
    if (rd_kafka_conf_get(conf, "message.max.bytes", text, &space) == RD_KAFKA_CONF_OK)
        self->message_max = strtoll(text, NULL, 10);
    space = sizeof text;
    self->compressed =
        rd_kafka_conf_get(conf, "compression.codec", text, &space) != RD_KAFKA_CONF_OK || strcmp(text, "none") != 0;
    return E_OK;
}

enum code kafka_producer_open(struct kafka_producer *self, const struct kafka_producer_spec *spec, struct error *err)
{
    char text[512];
    *self = (struct kafka_producer){.timeout_us = spec->timeout_us, .budget = spec->budget, .stopping = spec->stopping};
    lock_init(&self->lock);
    self->topics = mem_array(struct kafka_topic *, TOPIC_SLOTS);
    self->topic_slots = TOPIC_SLOTS;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum code code = conf_fill(self, spec, conf, err);
    if (code == E_OK) {
        rd_kafka_conf_set_opaque(conf, self);
        rd_kafka_conf_set_log_cb(conf, kafka_client_log);
        rd_kafka_conf_set_error_cb(conf, on_error);
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
        self->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
        if (self->client == NULL)
            code = fail(err, E_SPEC, "librdkafka refuses the options: %s", text);
    }
    if (self->client == NULL)
        rd_kafka_conf_destroy(conf);
    if (code != E_OK)
        kafka_producer_close(self);
    return code;
}

void kafka_producer_close(struct kafka_producer *self)
{
    for (uint32_t i = 0; i < self->topic_slots; i++) {
        if (self->topics[i] == NULL)
            continue;
        rd_kafka_topic_destroy(self->topics[i]->handle);
        mem_free(self->topics[i]->name);
        mem_free(self->topics[i]);
    }
    if (self->client != NULL) {
        rd_kafka_purge(self->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_poll(self->client, 0);
        rd_kafka_destroy(self->client);
    }
    mem_free(self->topics);
    if (self->charged_bytes > 0)
        budget_give(self->budget, self->charged_bytes);
    if (self->topic_slots > 0)
        lock_close(&self->lock);
    arena_free(&self->arena);
    *self = (struct kafka_producer){0};
}

/* ---- topics ---- */

bool kafka_is_topic_name(const char *name)
{
    size_t size = strlen(name);
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return size > 0 && size <= TOPIC_NAME_MAX && strspn(name, allowed) == size && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

/* Its place in the table, or the free one where it belongs. */
static struct kafka_topic **topic_slot(struct kafka_topic **topics, uint32_t slots, const char *name)
{
    uint64_t at = hash_bytes(name, strlen(name));
    while (topics[at & (slots - 1)] != NULL && strcmp(topics[at & (slots - 1)]->name, name) != 0)
        at++;
    return &topics[at & (slots - 1)];
}

static void topics_grow(struct kafka_producer *self)
{
    uint32_t slots = self->topic_slots * 2;
    struct kafka_topic **topics = mem_array(struct kafka_topic *, slots);
    for (uint32_t i = 0; i < self->topic_slots; i++)
        if (self->topics[i] != NULL)
            *topic_slot(topics, slots, self->topics[i]->name) = self->topics[i];
    mem_free(self->topics);
    self->topics = topics;
    self->topic_slots = slots;
}

static enum code topic_add(struct kafka_producer *self, const char *name, struct kafka_topic **out, struct error *err)
{
    if (!kafka_is_topic_name(name))
        return fail(err, E_SPEC, "\"%.*s\" is no topic name", TOPIC_NAME_MAX, name);
    if (self->topic_count == KAFKA_TOPICS_MAX)
        return fail(err, E_SPEC, "more than %d topics to write to", KAFKA_TOPICS_MAX);
    rd_kafka_topic_t *handle = rd_kafka_topic_new(self->client, name, NULL);
    if (handle == NULL)
        return describe(self, rd_kafka_last_error(), name, NULL, self->trouble, err);
    if (2 * ++self->topic_count > self->topic_slots)
        topics_grow(self);
    struct kafka_topic *topic = mem_new(struct kafka_topic);
    topic->name = mem_strdup(name);
    topic->handle = handle;
    *out = *topic_slot(self->topics, self->topic_slots, name) = topic;
    return E_OK;
}

static enum code topic_find(struct kafka_producer *self, const char *name, struct kafka_topic **out, struct error *err)
{
    struct kafka_topic *recent = atomic_load_explicit(&self->recent, memory_order_acquire);
    if (recent != NULL && strcmp(recent->name, name) == 0) {
        *out = recent;
        return E_OK;
    }
    lock_take(&self->lock);
    struct kafka_topic *topic = *topic_slot(self->topics, self->topic_slots, name);
    enum code code = topic != NULL ? E_OK : topic_add(self, name, &topic, err);
    lock_give(&self->lock);
    TRY(code);
    atomic_store_explicit(&self->recent, topic, memory_order_release);
    *out = topic;
    return E_OK;
}

/* One question; the broker may create the topic because of it, and then knows its partitions a moment later. */
static enum code topic_ask(struct kafka_producer *self, struct kafka_topic *topic, int32_t *partitions,
                           struct error *err)
{
    const struct rd_kafka_metadata *answer;
    rd_kafka_resp_err_t code = rd_kafka_metadata(self->client, 0, topic->handle, &answer, METADATA_MS);
    char what[TOPIC_NAME_MAX + 16];
    snprintf(what, sizeof what, "topic %s", topic->name);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_fail(self, code, what, NULL, err);
    code = answer->topic_cnt == 1 ? answer->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    *partitions = code == RD_KAFKA_RESP_ERR_NO_ERROR ? answer->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(answer);
    lock_take(&self->lock);
    self->answered = true;
    lock_give(&self->lock);
    bool absent = code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                  code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    return absent ? E_OK : kafka_fail(self, code, what, NULL, err);
}

static bool stopping(const struct kafka_producer *self) { return self->stopping != NULL && self->stopping(); }

/* Until it is there, for TOPIC_WAIT_US after a broker has answered; until timeout_us when none does. Once one was waited for in
 * vain, the next is not: data may name thousands that are not there. */
static enum code topic_wait(struct kafka_producer *self, struct kafka_topic *topic, int32_t *partitions,
                            struct error *err)
{
    int64_t start_us = os->clock_mono_us(), answered_us = 0;
    bool hopeless = atomic_load(&self->creates_none);
    for (;;) {
        TRY(kafka_producer_poll(self, err));
        enum code code = topic_ask(self, topic, partitions, err);
        int64_t now_us = os->clock_mono_us();
        if (code == E_OK && answered_us == 0)
            answered_us = now_us;
        bool found = code == E_OK && *partitions > 0;
        bool in_vain = code == E_OK && !found && (hopeless || now_us - answered_us > TOPIC_WAIT_US);
        if (in_vain || (found && now_us > answered_us)) // one that appeared after a while was made for us
            atomic_store(&self->creates_none, in_vain);
        if (found || in_vain || (code != E_OK && code != E_BROKER) ||
            (code == E_BROKER && now_us - start_us > self->timeout_us))
            return code;
        if (stopping(self))
            return fail(err, E_STOPPED, "asked to stop");
        error_clear(err);
        os->sleep_us(SLICE_MS * 1000);
    }
}

enum code kafka_producer_topic(struct kafka_producer *self, const char *name, int32_t wanted,
                               struct transaction_topic *out, struct error *err)
{
    struct kafka_topic *topic;
    TRY(topic_find(self, name, &topic, err));
    lock_take(&self->lock);
    struct transaction_topic facts = topic->facts;
    bool fresh = topic->asked_us != 0 && os->clock_mono_us() - topic->asked_us < TOPIC_AGAIN_US;
    lock_give(&self->lock);
    if (facts.partitions < wanted && !fresh) {
        TRY(topic_wait(self, topic, &facts.partitions, err));
        if (facts.partitions > 0)
            kafka_topic_limits(self->client, name, self->compressed, &facts);
        lock_take(&self->lock);
        topic->facts = facts;
        topic->asked_us = os->clock_mono_us();
        lock_give(&self->lock);
    }
    *out = facts;
    return E_OK;
}

/* ---- sending ---- */

static enum code failure(struct kafka_producer *self, struct error *err)
{
    lock_take(&self->lock);
    *err = self->failure;
    lock_give(&self->lock);
    return err->code;
}

enum code kafka_producer_poll(struct kafka_producer *self, struct error *err)
{
    rd_kafka_poll(self->client, 0);
    if (atomic_load(&self->failed))
        return failure(self, err);
    lock_take(&self->lock);
    bool refused = self->login_refused;
    lock_give(&self->lock);
    return refused ? fail(err, E_SPEC, "the broker %s refuses the login or the certificate: %s", self->facts.bootstrap,
                          self->trouble)
                   : E_OK;
}

/* librdkafka takes bytes at NULL for "no value", at any other place with length 0 for an empty one. */
static void *present(struct bytes bytes)
{
    return bytes.data == NULL ? (void *)(uintptr_t) "" : (void *)(uintptr_t)bytes.data;
}

static rd_kafka_headers_t *headers_make(const struct transaction_message *message)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new((size_t)message->header_count);
    for (int32_t i = 0; i < message->header_count; i++) {
        const struct transaction_header *header = &message->headers[i];
        rd_kafka_header_add(headers, header->name, -1, header->is_null ? NULL : present(header->value),
                            header->is_null ? 0 : (ssize_t)header->value.size);
    }
    return headers;
}

static rd_kafka_resp_err_t produce(struct kafka_producer *self, const struct kafka_topic *topic,
                                   const struct transaction_message *message, rd_kafka_headers_t *headers)
{
    rd_kafka_vu_t parts[7] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic->handle},
        {.vtype = RD_KAFKA_VTYPE_PARTITION,
         .u.i32 = message->partition < 0 ? RD_KAFKA_PARTITION_UA : message->partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = message->timestamp_given ? kafka_timestamp_ms(message) : 0},
    };
    size_t count = 4;
    if (!message->key_null)
        parts[count++] =
            (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {present(message->key), message->key.size}};
    if (!message->value_null)
        parts[count++] =
            (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {present(message->value), message->value.size}};
    if (headers != NULL)
        parts[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers};
    rd_kafka_error_t *error = rd_kafka_produceva(self->client, parts, count);
    rd_kafka_resp_err_t code = error == NULL ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);
    if (error != NULL)
        rd_kafka_error_destroy(error);
    return code;
}

enum code kafka_producer_send(struct kafka_producer *self, const struct transaction_message *message, struct error *err)
{
    struct kafka_topic *topic;
    TRY(topic_find(self, message->topic, &topic, err));
    rd_kafka_headers_t *headers = message->header_count > 0 ? headers_make(message) : NULL;
    int64_t full_since_us = 0;
    enum code code = E_OK;
    for (;;) {
        rd_kafka_resp_err_t error = produce(self, topic, message, headers);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
            return E_OK; // the headers are librdkafka's now
        char what[TOPIC_NAME_MAX + 16];
        snprintf(what, sizeof what, "topic %s", topic->name);
        rd_kafka_poll(self->client, error == RD_KAFKA_RESP_ERR__QUEUE_FULL ? FULL_POLL_MS : 0);
        int64_t now_us = os->clock_mono_us();
        full_since_us = full_since_us == 0 ? now_us : full_since_us;
        if (atomic_load(&self->failed))
            code = failure(self, err); // the cause, where librdkafka only says that the transaction is broken
        else if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            code = kafka_fail(self, error, what, NULL, err);
        else if (stopping(self) && now_us - full_since_us > FULL_STOP_US)
            code = fail(err, E_STOPPED, "asked to stop while broker %s takes no records", self->facts.bootstrap);
        if (code != E_OK)
            break;
    }
    if (headers != NULL)
        rd_kafka_headers_destroy(headers);
    return code;
}

enum code kafka_producer_flush(struct kafka_producer *self, struct error *err)
{
    int64_t start_us = os->clock_mono_us(), told_us = start_us;
    while (rd_kafka_flush(self->client, SLICE_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        int64_t now_us = os->clock_mono_us();
        if (atomic_load(&self->failed))
            return failure(self, err);
        if (now_us - told_us >= TELL_US) {
            log_warn("kafka %s: no answer for %.0f s: records of the epoch are not acknowledged yet",
                     self->facts.bootstrap, (double)(now_us - start_us) / 1e6);
            told_us = now_us;
        }
        if (now_us - start_us > self->timeout_us)
            return kafka_fail(self, RD_KAFKA_RESP_ERR__TIMED_OUT, "records are not acknowledged", NULL, err);
    }
    return kafka_producer_poll(self, err);
}
