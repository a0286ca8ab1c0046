/* kafka.c - the Kafka source: its clients and its life.
 *
 * The data client uses librdkafka's simple consumer: leat's chain says where to read, so there is
 * no group to join, and every partition has a queue of its own. A partition whose range is done is
 * simply not asked; its queue fills up to its share and librdkafka stops fetching it. Memory is
 * bounded per partition, and no partition waits behind another.
 *
 * Memory   buffer_bytes covers what librdkafka holds: a half for payload, a half for its
 *          bookkeeping (OP_BYTES a message). Each partition gets its share; the answer being read
 *          may pass it by FETCH_BYTES_MAX
 */
#include "source/kafka.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/os.h"

enum {
    OP_BYTES = 400,        /* what librdkafka 2.0.2 allocates for a message besides its bytes */
    SHARE_MIN = 64 * 1024, /* least payload of a partition's queue */
    MESSAGES_MIN = 1000,
    PARTITION_FETCH_MIN = 64 * 1024, /* bytes of one partition in one answer */
    PARTITION_FETCH_MAX = 4 * 1024 * 1024,
    FETCH_BYTES_MAX = 32 * 1024 * 1024, /* bytes of one answer */
    FETCH_WAIT_MS = 50,                 /* see kafka_fetch.c: the one-second stall */
    ERROR_BACKOFF_MS = 100,
    COMMIT_WAIT_MS = 3000,
    /* A broker that is back is asked within a second; librdkafka alone would wait up to ten. */
    RECONNECT_MAX_MS = 1000,
    /* Questions wait REQUEST_TIMEOUT_MS: a connection that swallows them is given up soon after. */
    QUESTION_SOCKET_TIMEOUT_MS = 5000,
};

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* ---- what librdkafka says ---- */

static void on_error(rd_kafka_t *client, int error, const char *reason, void *opaque)
{
    (void)client;
    struct kafka_source *self = opaque;
    if (!self->answered && (error == RD_KAFKA_RESP_ERR__AUTHENTICATION || error == RD_KAFKA_RESP_ERR__SSL))
        self->login_refused = true; // later it is a broker that restarts in the middle of a handshake
    kafka_client_complaint(error, reason, self->trouble, sizeof self->trouble);
}

enum code kafka_poll(struct kafka_source *self, rd_kafka_t *client, struct error *err)
{
    rd_kafka_poll(client, 0);
    if (self->login_refused) {
        self->login_refused = false;
        return fail(err, E_SPEC, "the broker %s refuses the login or the certificate: %s", self->facts.bootstrap,
                    self->trouble);
    }
    return E_OK;
}

/* ---- clients ---- */

static void data_defaults(const struct kafka_source *self, rd_kafka_conf_t *conf)
{
    int64_t share = clamp(self->buffer_bytes / 2 / (self->partition_count + 1), SHARE_MIN, INT32_MAX);
    kafka_conf_set_int(conf, "queued.max.messages.kbytes", share / 1024);
    kafka_conf_set_int(conf, "queued.min.messages", clamp(share / OP_BYTES, MESSAGES_MIN, INT32_MAX));
    kafka_conf_set_int(conf, "fetch.message.max.bytes", clamp(share / 2, PARTITION_FETCH_MIN, PARTITION_FETCH_MAX));
    kafka_conf_set_int(conf, "fetch.max.bytes", clamp(self->buffer_bytes / 4, PARTITION_FETCH_MAX, FETCH_BYTES_MAX));
    kafka_conf_set_int(conf, "fetch.wait.max.ms", FETCH_WAIT_MS);
    kafka_conf_set_int(conf, "fetch.error.backoff.ms", ERROR_BACKOFF_MS);
}

/* What leat's logic rests on, whatever the user's options say. */
static void must_haves(rd_kafka_conf_t *conf)
{
    kafka_conf_set(conf, "enable.auto.commit", "false");
    kafka_conf_set(conf, "enable.auto.offset.store", "false");
    kafka_conf_set(conf, "enable.partition.eof", "true");
    kafka_conf_set(conf, "auto.offset.reset", "error"); // a lost offset must be seen, never skipped
    kafka_conf_set(conf, "offset.store.method", "none");
    /* No group is joined. librdkafka takes this for how long a commit waits for a lost coordinator,
     * and closing the client waits for that. */
    kafka_conf_set_int(conf, "session.timeout.ms", COMMIT_WAIT_MS);
    kafka_conf_set_int(conf, "heartbeat.interval.ms", COMMIT_WAIT_MS / 3);
}

static enum code client_new(struct kafka_source *self, bool for_data, rd_kafka_t **out, struct error *err)
{
    char text[512];
    struct arena scratch = {0};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    kafka_conf_set(conf, "client.id", "leat");
    kafka_conf_set(conf, "socket.nagle.disable", "true");
    kafka_conf_set(conf, "group.id", self->group_id);
    kafka_conf_set_int(conf, "reconnect.backoff.max.ms", RECONNECT_MAX_MS);
    if (for_data)
        data_defaults(self, conf);
    else
        kafka_conf_set_int(conf, "socket.timeout.ms", QUESTION_SOCKET_TIMEOUT_MS);
    enum code code = kafka_client_conf(conf, KAFKA_CONSUMER, &self->client_options, for_data ? &scratch : &self->arena,
                                       for_data ? NULL : &self->facts, err);
    arena_free(&scratch);
    if (code != E_OK) {
        rd_kafka_conf_destroy(conf);
        return code;
    }
    must_haves(conf);
    if (for_data)
        kafka_conf_set(conf, "group.id", NULL); // without a group nothing holds up its end
    rd_kafka_conf_set_opaque(conf, self);
    rd_kafka_conf_set_log_cb(conf, kafka_client_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    *out = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (*out != NULL)
        return E_OK;
    rd_kafka_conf_destroy(conf);
    return fail(err, E_SPEC, "librdkafka refuses the options: %s", text);
}

static void client_free(rd_kafka_t **client)
{
    if (*client != NULL)
        rd_kafka_destroy_flags(*client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    *client = NULL;
}

static void data_close(struct kafka_source *self)
{
    for (int32_t i = 0; i < self->partition_count; i++)
        kafka_partition_close(&self->partitions[i]);
    mem_free(self->partitions);
    self->partitions = NULL;
    self->partition_count = 0;
    batch_release(&self->filling);
    client_free(&self->data);
}

/* ---- the callbacks of source_type ---- */

static enum code kafka_open(void *self_, const struct source_spec *spec, struct error *err)
{
    struct kafka_source *self = self_;
    lock_init(&self->signal);
    self->name = arena_strdup(&self->arena, spec->name);
    self->group_id = arena_strdup(&self->arena, spec->group_id == NULL ? "leat" : spec->group_id);
    memcpy(self->needed, spec->needed, sizeof self->needed);
    self->batch_rows = spec->batch_rows > 0 && spec->batch_rows < BATCH_ROWS_MAX ? spec->batch_rows : BATCH_ROWS_MAX;
    self->stopping = spec->stopping;
    self->stopping_context = spec->stopping_context;
    TRY(kafka_settings_read(self, spec, err));
    if (self->settings.group_prefix != NULL)
        self->group_id = arena_printf(&self->arena, "%s-%s", self->settings.group_prefix, self->group_id);
    self->needed[SOURCE_HEADERS] &= self->settings.include_headers;
    self->schema = kafka_schema(&self->arena, self->settings.include_headers);
    if (self->needed[SOURCE_HEADERS])
        builder_init(&self->headers, self->schema->fields[SOURCE_HEADERS].type);
    TRY(client_new(self, false, &self->control, err));
    if (self->facts.group_id != NULL)
        self->group_id = self->facts.group_id;
    self->broker = arena_printf(&self->arena, "kafka %s", self->facts.bootstrap);
    self->mirror_queue = rd_kafka_queue_new(self->control);
    if (spec->budget != NULL)
        TRY(budget_take(spec->budget, (size_t)spec->buffer_bytes, "records read ahead", err));
    self->buffer_bytes = spec->buffer_bytes;
    self->budget = spec->budget;
    return E_OK;
}

static void partition_open(struct kafka_source *self, struct kafka_partition *partition,
                           const struct source_range *range)
{
    partition->topic = mem_strdup(range->topic);
    partition->partition = range->partition;
    partition->handle = rd_kafka_topic_new(self->data, range->topic, NULL);
    always(partition->handle != NULL);
}

static enum code kafka_seek(void *self_, const struct source_ranges *ranges, struct error *err)
{
    struct kafka_source *self = self_;
    TRY(kafka_check_stop(self, err));
    FAULT(assign);
    data_close(self);
    self->partitions = mem_array(struct kafka_partition, (size_t)ranges->count);
    self->partition_count = ranges->count;
    self->wake_bytes = clamp(self->buffer_bytes / 2 / (ranges->count + 1), SHARE_MIN, INT32_MAX) / 4;
    self->unwoken_bytes = 0;
    self->trouble[0] = '\0';
    enum code code = client_new(self, true, &self->data, err);
    if (code != E_OK) {
        data_close(self);
        return code;
    }
    for (int32_t i = 0; i < ranges->count; i++)
        partition_open(self, &self->partitions[i], &ranges->items[i]);
    for (int32_t i = 0; i < ranges->count; i++)
        TRY(kafka_partition_start(self, &self->partitions[i], ranges->items[i].from, err));
    return E_OK;
}

static void kafka_stop(void *self_)
{
    struct kafka_source *self = self_;
    atomic_store(&self->stopped, true);
    lock_take(&self->signal);
    lock_wake(&self->signal);
    lock_give(&self->signal);
}

static void kafka_close(void *self_)
{
    struct kafka_source *self = self_;
    if (self->control != NULL)
        kafka_mirror_close(self);
    data_close(self);
    client_free(&self->control);
    source_ranges_free(&self->layout);
    builder_release(&self->headers);
    if (self->budget != NULL)
        budget_give(self->budget, (size_t)self->buffer_bytes);
    if (self->name != NULL)
        lock_close(&self->signal);
    arena_free(&self->scratch);
    arena_free(&self->arena);
    *self = (struct kafka_source){0};
}

static enum code stopped(const struct kafka_source *self, struct error *err)
{
    return fail(err, E_STOPPED, "source %s was asked to stop", self->name);
}

enum code kafka_check_stop(const struct kafka_source *self, struct error *err)
{
    return atomic_load(&self->stopped) ? stopped(self, err) : E_OK;
}

enum code kafka_check_waiting(const struct kafka_source *self, struct error *err)
{
    bool stopping = self->stopping != NULL && self->stopping(self->stopping_context);
    return stopping ? stopped(self, err) : kafka_check_stop(self, err);
}

static const char *kafka_dependency(const void *self_)
{
    const struct kafka_source *self = self_;
    return self->broker;
}

const struct source_type kafka_source_type = {
    .name = "kafka",
    .help = "records of Apache Kafka topics, with Spark's reader options",
    .options = kafka_options,
    .check = kafka_option_check,
    .size = sizeof(struct kafka_source),
    .open = kafka_open,
    .discover = kafka_discover,
    .seek = kafka_seek,
    .fetch = kafka_fetch,
    .mirror = kafka_mirror,
    .stop = kafka_stop,
    .close = kafka_close,
    .dependency = kafka_dependency,
};
