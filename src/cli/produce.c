#include "cli/produce.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "base/os.h"
#include "client/client.h"

enum {
    BATCH = 500, /* records handed over at once */
    DEFECTS_MAX = 16,
    QUEUE_MESSAGES = 400000,
    QUEUE_KBYTES = 256 * 1024,
    SLICE_US = 10 * 1000, /* longest sleep of a throttled producer */
    PROGRESS_US = 200 * 1000,
    FULL_POLL_MS = 5,
    TOPIC_TIMEOUT_MS = 10000,
    FLUSH_SLICE_MS = 100,
    FLUSH_QUIET_US = 30 * 1000 * 1000, /* give up when nothing more is delivered for so long */
};

struct defect_count {
    const char *name;
    int64_t records;
};
struct producer {
    const struct produce_request *request;
    struct generator *generator;
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    struct text keys, values; /* of the batch being made, one behind the other */
    rd_kafka_message_t messages[BATCH];
    int64_t made, bytes;
    struct defect_count defects[DEFECTS_MAX];
    int64_t start_us, progress_us;
    int64_t undelivered;
    char trouble[256]; /* why records were not delivered, or what librdkafka complains about */
};

static volatile sig_atomic_t stop_asked;
static void on_signal(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

/* ---- client and topic ---- */

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    (void)client;
    struct producer *self = opaque;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    self->undelivered++;
    snprintf(self->trouble, sizeof self->trouble, "%s", rd_kafka_err2str(message->err));
}

static void on_error(rd_kafka_t *client, int error, const char *reason, void *opaque)
{
    (void)client;
    struct producer *self = opaque;
    snprintf(self->trouble, sizeof self->trouble, "%s", reason);
    log_info("librdkafka: %s: %s", rd_kafka_err2name(error), reason);
}

static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client;
    (void)level;
    log_debug("librdkafka: %s: %s", facility, text);
}

static void defaults(rd_kafka_conf_t *conf, const char *compression)
{
    char messages[24], kbytes[24];
    snprintf(messages, sizeof messages, "%d", QUEUE_MESSAGES);
    snprintf(kbytes, sizeof kbytes, "%d", QUEUE_KBYTES);
    const char *const pairs[][2] = {
        {"client.id", "leat-produce"},
        {"compression.type", compression},
        {"linger.ms", "20"},
        {"batch.size", "1000000"}, // the broker's message.max.bytes is 1048588 unless set
        {"batch.num.messages", "20000"},
        {"queue.buffering.max.messages", messages},
        {"queue.buffering.max.kbytes", kbytes},
        {"enable.idempotence", "true"},
        {"partitioner", "murmur2_random"},      // what Java's producer does
        {"delivery.report.only.error", "true"}, // a report per good record would cost as much as making it
        {"socket.nagle.disable", "true"},
    };
    char text[256];
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (rd_kafka_conf_set(conf, pairs[i][0], pairs[i][1], text, sizeof text) != RD_KAFKA_CONF_OK)
            log_warn("librdkafka: %s", text);
}

static enum code client_options(const struct produce_request *request, rd_kafka_conf_t *conf, struct error *err)
{
    struct arena arena = {0};
    int32_t count = request->client.count + 1;
    const char **names = arena_array(&arena, const char *, (size_t)count),
               **values = arena_array(&arena, const char *, (size_t)count);
    enum code code = E_OK;
    names[0] = "kafka.bootstrap.servers";
    values[0] = request->bootstrap;
    for (int32_t i = 1; i < count && code == E_OK; i++) {
        const char *item = request->client.items[i - 1], *equals = strchr(item, '=');
        if (equals == NULL) {
            code = fail(err, E_USAGE, "--client: write NAME=VALUE");
            break;
        }
        names[i] = arena_printf(&arena, "kafka.%.*s", (int)(equals - item), item);
        values[i] = equals + 1;
    }
    const struct kafka_client_options options = {names, values, count};
    if (code == E_OK)
        code = kafka_client_conf(conf, KAFKA_PRODUCER, &options, &arena, NULL, err);
    arena_free(&arena);
    return code;
}

static enum code client_open(struct producer *self, struct error *err)
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    defaults(conf, self->request->compression);
    enum code code = client_options(self->request, conf, err);
    if (code != E_OK) {
        rd_kafka_conf_destroy(conf);
        return code;
    }
    rd_kafka_conf_set_opaque(conf, self);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    self->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (self->client != NULL)
        return E_OK;
    rd_kafka_conf_destroy(conf);
    return fail(err, E_USAGE, "librdkafka refuses the options: %s", text);
}

static enum code nobody(const struct producer *self, struct error *err)
{
    return fail(err, E_BROKER, "no broker answers at %s%s%s", self->request->bootstrap,
                self->trouble[0] == '\0' ? "" : ": ", self->trouble);
}

static enum code topic_answer(struct producer *self, rd_kafka_event_t *event, struct error *err)
{
    if (event == NULL || rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__TIMED_OUT)
        return nobody(self, err);
    size_t count = 0;
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
    const rd_kafka_topic_result_t **topics =
        result == NULL ? NULL : rd_kafka_CreateTopics_result_topics(result, &count);
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    const char *why = rd_kafka_event_error_string(event);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && count == 1) {
        error = rd_kafka_topic_result_error(topics[0]);
        why = rd_kafka_topic_result_error_string(topics[0]);
    }
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return E_OK;
    return fail(err, E_BROKER, "topic %s cannot be created on %s: %s", self->request->topic, self->request->bootstrap,
                why == NULL ? rd_kafka_err2str(error) : why);
}

static enum code topic_create(struct producer *self, struct error *err)
{
    char text[256];
    rd_kafka_poll(self->client, 0);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(self->request->topic, (int)self->request->partitions,
                                                       -1 /* the broker's default */, text, sizeof text);
    if (topic == NULL)
        return fail(err, E_USAGE, "topic %s: %s", self->request->topic, text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(self->client);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(self->client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, TOPIC_TIMEOUT_MS, text, sizeof text);
    (void)rd_kafka_AdminOptions_set_operation_timeout(options, TOPIC_TIMEOUT_MS, text, sizeof text);
    rd_kafka_CreateTopics(self->client, &topic, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TOPIC_TIMEOUT_MS + 1000);
    rd_kafka_poll(self->client, 0); // brings `trouble`
    enum code code = topic_answer(self, event, err);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
    return code;
}

/* ---- records ---- */

static void defect_count(struct producer *self, const char *name)
{
    for (int i = 0; i < DEFECTS_MAX; i++) {
        if (self->defects[i].name != NULL && self->defects[i].name != name)
            continue;
        self->defects[i].name = name;
        self->defects[i].records++;
        return;
    }
}

/* Records made, made + 1, ... into messages[]. */
static void batch_make(struct producer *self, int count)
{
    size_t key_ends[BATCH], value_ends[BATCH];
    bool count_defects = self->request->generator.bad_ratio > 0;
    text_clear(&self->keys);
    text_clear(&self->values);
    for (int i = 0; i < count; i++) {
        int64_t index = self->made + i;
        generator_record(self->generator, index, &self->keys, &self->values);
        key_ends[i] = self->keys.size;
        value_ends[i] = self->values.size;
        const char *defect = count_defects ? generator_defect(self->generator, index) : NULL;
        if (defect != NULL)
            defect_count(self, defect);
    }
    for (int i = 0; i < count; i++) {
        size_t key = i == 0 ? 0 : key_ends[i - 1], value = i == 0 ? 0 : value_ends[i - 1];
        self->messages[i] = (rd_kafka_message_t){
            .key = self->keys.data + key,
            .key_len = key_ends[i] - key,
            .payload = self->values.data + value,
            .len = value_ends[i] - value,
        };
    }
    self->made += count;
    self->bytes += (int64_t)(self->keys.size + self->values.size);
}

/* Hand all of messages[] to librdkafka; what does not fit into its queue is offered again, in order. */
static enum code batch_send(struct producer *self, int count, struct error *err)
{
    while (count > 0) {
        int taken =
            rd_kafka_produce_batch(self->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, self->messages, count);
        int left = 0;
        for (int i = 0; taken < count && i < count; i++) {
            rd_kafka_resp_err_t error = self->messages[i].err;
            if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL)
                self->messages[left++] = self->messages[i];
            else if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
                return fail(err, E_BROKER, "topic %s: %s", self->request->topic, rd_kafka_err2str(error));
        }
        count = left;
        rd_kafka_poll(self->client, count > 0 ? FULL_POLL_MS : 0);
        if (stop_asked && count > 0 && self->trouble[0] != '\0')
            return fail(err, E_BROKER, "stopped with %d records not sent: %s", rd_kafka_outq_len(self->client) + count,
                        self->trouble);
    }
    return self->undelivered > 0 ? fail(err, E_BROKER, "topic %s: a record could not be delivered: %s",
                                        self->request->topic, self->trouble)
                                 : E_OK;
}

/* ---- pace and progress ---- */

static double rate_of(const struct producer *self, int64_t records, int64_t now_us)
{
    int64_t elapsed_us = now_us - self->start_us;
    return elapsed_us > 0 ? (double)records * 1e6 / (double)elapsed_us : 0;
}

static void progress(struct producer *self, int64_t now_us)
{
    if (now_us - self->progress_us < PROGRESS_US)
        return;
    char line[200];
    int64_t sent = self->made - rd_kafka_outq_len(self->client);
    self->progress_us = now_us;
    snprintf(line, sizeof line, "%s: %" PRId64 " records, %.0f/s, %.1f MB%s%.60s", self->request->topic, sent,
             rate_of(self, sent, now_us), (double)self->bytes / 1e6, self->trouble[0] == '\0' ? "" : "  ",
             self->trouble);
    log_status(line);
}

/* How many records are due now, at most BATCH. */
static int due(const struct producer *self, int64_t now_us)
{
    const struct produce_request *request = self->request;
    int64_t count = BATCH;
    if (request->rate > 0) {
        double allowed = (double)(now_us - self->start_us) / 1e6 * (double)request->rate;
        count = (int64_t)allowed + 1 - self->made;
    }
    if (request->count > 0 && count > request->count - self->made)
        count = request->count - self->made;
    return count < 0 ? 0 : count > BATCH ? BATCH : (int)count;
}

static enum code records_send(struct producer *self, struct error *err)
{
    const struct produce_request *request = self->request;
    self->start_us = os->clock_mono_us();
    while (!stop_asked && (request->count == 0 || self->made < request->count)) {
        int64_t now_us = os->clock_mono_us();
        int count = due(self, now_us);
        if (count > 0) {
            batch_make(self, count);
            TRY(batch_send(self, count, err));
        } else {
            rd_kafka_poll(self->client, 0);
            int64_t wait_us = 1000000 / request->rate + 1;
            os->sleep_us(wait_us < SLICE_US ? wait_us : SLICE_US);
        }
        progress(self, now_us);
    }
    return E_OK;
}

/* Wait until everything is delivered, as long as something is. */
static enum code drain(struct producer *self, struct error *err)
{
    int before = rd_kafka_outq_len(self->client);
    int64_t moved_us = os->clock_mono_us();
    while (rd_kafka_flush(self->client, FLUSH_SLICE_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        int64_t now_us = os->clock_mono_us();
        int left = rd_kafka_outq_len(self->client);
        if (left < before)
            moved_us = now_us;
        before = left;
        progress(self, now_us);
        if (now_us - moved_us > FLUSH_QUIET_US)
            return fail(err, E_BROKER, "topic %s: %d records were not delivered: %s", self->request->topic, left,
                        self->trouble);
    }
    if (self->undelivered > 0)
        return fail(err, E_BROKER, "topic %s: %" PRId64 " records were not delivered: %s", self->request->topic,
                    self->undelivered, self->trouble);
    return E_OK;
}

static void summary(const struct producer *self)
{
    int64_t now_us = os->clock_mono_us(), bad = 0;
    log_status(NULL);
    fprintf(stderr, "%" PRId64 " records, %.1f MB in %.1f s (%.0f records/s) to topic %s\n", self->made,
            (double)self->bytes / 1e6, (double)(now_us - self->start_us) / 1e6, rate_of(self, self->made, now_us),
            self->request->topic);
    for (int i = 0; i < DEFECTS_MAX && self->defects[i].name != NULL; i++)
        bad += self->defects[i].records;
    if (bad == 0)
        return;
    fprintf(stderr, "%" PRId64 " of them defective:", bad);
    for (int i = 0; i < DEFECTS_MAX && self->defects[i].name != NULL; i++)
        fprintf(stderr, "%s %s %" PRId64, i == 0 ? "" : ",", self->defects[i].name, self->defects[i].records);
    fputc('\n', stderr);
}

/* ---- a run ---- */

static enum code producer_open(struct producer *self, struct error *err)
{
    TRY(generator_new(&self->request->generator, &self->generator, err));
    TRY(client_open(self, err));
    TRY(topic_create(self, err));
    self->trouble[0] = '\0';
    self->topic = rd_kafka_topic_new(self->client, self->request->topic, NULL);
    return self->topic == NULL ? fail(err, E_USAGE, "\"%s\" is no topic name", self->request->topic) : E_OK;
}

static void producer_close(struct producer *self)
{
    if (self->topic != NULL)
        rd_kafka_topic_destroy(self->topic);
    if (self->client != NULL) {
        (void)rd_kafka_purge(self->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_destroy(self->client);
    }
    generator_free(self->generator);
    text_free(&self->keys);
    text_free(&self->values);
    mem_free(self);
}

enum code produce(const struct produce_request *request, struct error *err)
{
    struct producer *self = mem_new(struct producer);
    self->request = request;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    enum code code = producer_open(self, err);
    if (code == E_OK)
        code = records_send(self, err);
    if (code == E_OK)
        code = drain(self, err);
    log_status(NULL);
    if (code == E_OK)
        summary(self);
    producer_close(self);
    return code;
}
