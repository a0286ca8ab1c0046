/* kafka_sink.c - rows to topics: inside the query's transaction on its first cluster, at least once on others.
 *
 *              first cluster                        any other cluster
 * write        sent inside the transaction          sent at once, with headers that name the row
 * prepare      nothing: the runtime commits the     flushed: all rows are acknowledged before the record exists
 *              transaction when all is staged
 * abort        the runtime aborts the transaction   what was sent stays; the epoch's rows come again
 * reader sees  whole epochs, with read_committed    rows of a failed epoch twice; `leat.origin` tells them again
 *
 * Headers   leat.id      Q/T/E/n: the n-th row that this epoch's attempt sent
 *           leat.origin  topic/partition/offset of the record that the row came from, where it came from one
 * Refused   rows that no broker would take are known before they are sent (kafka_check) and go to the quarantine:
 *           MESSAGE_TOO_LARGE, INVALID_TOPIC, UNKNOWN_TOPIC_OR_PARTITION, INVALID_TIMESTAMP, INVALID_RECORD (no key for a
 *           compacted topic), INVALID_HEADER. Spark stops for each of them
 */
#include <inttypes.h>
#include <stddef.h>
#include <strings.h>

#include "base/os.h"
#include "sink/kafka_producer.h"
#include "sink/kafka_rows.h"
#include "sink/sinks.h"

enum {
    OWN_HEADERS = 2,
    ORIGIN_NAME_MAX = 4096, /* bytes of a topic or a file's path in leat.origin; a path has no more */
    NUMBERS_MAX = 64,       /* bytes of two numbers and their slashes */
    DETAIL_KEY_BYTES = 200,
    CLOCK_SKEW_US = 10 * 1000 * 1000, /* between us and the broker, when it judges a timestamp by its own clock */
};

struct kafka_lane {
    struct kafka_cursor cursor;
    struct text own; /* values of our headers, of the row at work */
    int64_t rows, bytes;
};
struct kafka_sink {
    struct {
        const char *topic, *mark_topic;
    } settings;
    struct arena arena;
    const char *query_id, *task;
    struct kafka_columns columns;
    const struct transaction *transaction; /* NULL: `producer` is ours */
    struct kafka_producer producer;
    int64_t record_max;
    struct transaction_topic topic; /* of settings.topic */
    atomic_int_fast64_t sent;       /* rows of the epoch, for leat.id */
    struct kafka_lane lanes[SINK_LANES_MAX];
    int32_t lane_count;
};

static const char id_header[] = "leat.id", origin_header[] = "leat.origin";

static const struct option kafka_sink_options[] = {
    {"topic", OPTION_STRING, NULL, NULL, 0, 0, "topic of all rows; without it the column `topic` names it row by row",
     offsetof(struct kafka_sink, settings.topic), false},
    {"leat.mark.topic", OPTION_STRING, NULL, NULL, 0, 0,
     "an existing topic whose partition 0 keeps the group's mark of the last epoch; needed only when the option topic is "
     "not set and no source reads this cluster",
     offsetof(struct kafka_sink, settings.mark_topic), false},
    {0},
};

/* ---- opening ---- */

static enum code settings_read(struct kafka_sink *self, const struct sink_spec *spec, struct error *err)
{
    TRY(sink_options(spec, kafka_sink_options, NULL, self, &self->arena, err));
    if (spec->partition_count > 0)
        return fail(err, E_SPEC,
                    "a Kafka topic is not partitioned by columns; the column `partition` says where a row goes");
    if (self->settings.topic != NULL && !kafka_is_topic_name(self->settings.topic))
        return fail(err, E_SPEC, "option topic: \"%s\" is no topic name", self->settings.topic);
    return kafka_columns_find(spec->schema, self->settings.topic != NULL, &self->columns, err);
}

static enum code kafka_validate(const struct sink_spec *spec, struct error *err)
{
    struct kafka_sink *scratch = mem_new(struct kafka_sink);
    const struct kafka_client_options options = {spec->option_names, spec->option_values, spec->option_count};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum code code = settings_read(scratch, spec, err);
    if (code == E_OK)
        code = kafka_client_conf(conf, KAFKA_PRODUCER, &options, &scratch->arena, NULL, err);
    rd_kafka_conf_destroy(conf);
    arena_free(&scratch->arena);
    mem_free(scratch);
    return code;
}

static enum code topic_ask(struct kafka_sink *self, const char *topic, int32_t wanted, struct transaction_topic *out,
                           struct error *err)
{
    if (self->transaction == NULL)
        return kafka_producer_topic(&self->producer, topic, wanted, out, err);
    if (self->transaction->type->topic != NULL)
        return self->transaction->type->topic(self->transaction->self, topic, wanted, out, err);
    *out = (struct transaction_topic){.partitions = INT32_MAX};
    return E_OK;
}

/* A topic that everything goes to must be there: at the start that is the user's to mend. */
static enum code topic_check(struct kafka_sink *self, struct error *err)
{
    if (self->settings.topic == NULL)
        return E_OK;
    TRY(topic_ask(self, self->settings.topic, 1, &self->topic, err));
    if (self->topic.partitions == 0)
        return fail(err, E_SPEC,
                    "topic %s does not exist, and the broker does not create it by itself: create it (kafka-topics "
                    "--create --topic %s ..), or allow auto.create.topics.enable",
                    self->settings.topic, self->settings.topic);
    return E_OK;
}

static enum code writer_open(struct kafka_sink *self, const struct sink_spec *spec, struct error *err)
{
    const char *bootstrap =
        transaction_option(spec->option_names, spec->option_values, spec->option_count, "kafka.bootstrap.servers");
    if (spec->transaction != NULL && bootstrap != NULL &&
        transaction_same_cluster(spec->transaction->bootstrap, bootstrap)) {
        const struct transaction_type *type = spec->transaction->type;
        self->transaction = spec->transaction;
        self->record_max = type->record_max == NULL ? INT64_MAX : type->record_max(spec->transaction->self);
        return E_OK;
    }
    const struct kafka_producer_spec producer = {
        .option_names = spec->option_names,
        .option_values = spec->option_values,
        .option_count = spec->option_count,
        .timeout_us = spec->timeout_us,
        .budget = spec->budget,
        .stopping = spec->stopping,
    };
    TRY(kafka_producer_open(&self->producer, &producer, err));
    self->record_max = self->producer.message_max;
    return E_OK;
}

static void kafka_sink_close(void *instance)
{
    struct kafka_sink *self = instance;
    for (int32_t i = 0; i < self->lane_count; i++) {
        kafka_cursor_close(&self->lanes[i].cursor);
        text_free(&self->lanes[i].own);
    }
    if (self->producer.client != NULL)
        kafka_producer_close(&self->producer);
    arena_free(&self->arena);
}

static enum code kafka_sink_open(void *instance, const struct sink_spec *spec, struct error *err)
{
    struct kafka_sink *self = instance;
    *self = (struct kafka_sink){.lane_count = spec->lanes};
    always(spec->lanes <= SINK_LANES_MAX);
    self->query_id = arena_strdup(&self->arena, spec->query_id);
    self->task = arena_strdup(&self->arena, spec->task == NULL ? "0" : spec->task);
    enum code code = settings_read(self, spec, err);
    if (code == E_OK)
        code = writer_open(self, spec, err);
    if (code == E_OK)
        code = topic_check(self, err);
    if (code != E_OK)
        kafka_sink_close(self);
    return code;
}

/* ---- rows that cannot be written ---- */

static bool has_origin(const struct batch *batch)
{
    const struct origin *origin = batch->source;
    return origin != NULL && origin->topic.type != NULL && origin->partition.type != NULL &&
           origin->offset.type != NULL;
}

/* The topic or path that leat.origin names. */
static struct bytes origin_name(const struct batch *batch, int64_t row)
{
    struct bytes name = column_bytes_at(&batch->source->topic, batch_origin(batch, row));
    return bytes_of(name.data, name.size < ORIGIN_NAME_MAX ? name.size : ORIGIN_NAME_MAX);
}

/* Most bytes of our headers, which only rows outside a transaction have. */
static int64_t own_bytes(const struct kafka_sink *self, bool has_name, size_t name_size)
{
    if (self->transaction != NULL)
        return 0;
    return kafka_header_bytes(strlen(id_header), strlen(self->query_id) + strlen(self->task) + NUMBERS_MAX) +
           (has_name ? kafka_header_bytes(strlen(origin_header), name_size + NUMBERS_MAX) : 0);
}

static int64_t row_bytes(const struct kafka_sink *self, const struct transaction_message *message,
                         const struct batch *batch, int64_t row)
{
    bool has_name = has_origin(batch);
    return kafka_message_bytes(message) + own_bytes(self, has_name, has_name ? origin_name(batch, row).size : 0);
}

/* What is wrong with the row, or REJECT_COUNT. */
static enum reject_code misfit(const struct kafka_sink *self, const struct transaction_message *message, int64_t size,
                               const struct transaction_topic *topic)
{
    int64_t ahead_us = message->timestamp_given ? message->timestamp_us - os->clock_wall_us() : 0;
    if (size > self->record_max || (topic->record_max > 0 && size > topic->record_max))
        return REJECT_MESSAGE_TOO_LARGE;
    if (topic->partitions == 0 || message->partition >= topic->partitions)
        return REJECT_TOPIC_UNKNOWN;
    if (topic->needs_key && message->key_null)
        return REJECT_NO_KEY;
    if (message->timestamp_given && kafka_timestamp_ms(message) < 1)
        return REJECT_TIMESTAMP;
    if ((topic->ahead_max_us > 0 && ahead_us > topic->ahead_max_us - CLOCK_SKEW_US) ||
        (topic->behind_max_us > 0 && -ahead_us > topic->behind_max_us - CLOCK_SKEW_US))
        return REJECT_TIMESTAMP;
    return REJECT_COUNT;
}

static enum code row_check(struct kafka_sink *self, const struct transaction_message *message,
                           const struct batch *batch, int64_t row, struct rejects *rejects, struct error *err)
{
    struct transaction_topic asked = {0};
    const struct transaction_topic *topic = self->settings.topic != NULL ? &self->topic : &asked;
    if (self->settings.topic == NULL && !kafka_is_topic_name(message->topic)) {
        rejects_add(rejects, row, -1, REJECT_TOPIC);
        return E_OK;
    }
    if (topic == &asked || message->partition >= topic->partitions) {
        TRY(topic_ask(self, message->topic, message->partition < 0 ? 1 : message->partition + 1, &asked, err));
        topic = &asked;
    }
    enum reject_code code = misfit(self, message, row_bytes(self, message, batch, row), topic);
    if (code != REJECT_COUNT)
        rejects_add(rejects, row, -1, code);
    return E_OK;
}

static int64_t text_bytes(const struct batch *batch, int32_t column)
{
    return column < 0 || batch->rows == 0 ? 0 : column_offsets(&batch->columns[column])[batch->rows];
}

/* One topic for all, no headers, and all keys and values together smaller than the largest record. */
static bool all_fine(const struct kafka_sink *self, const struct batch *batch)
{
    const struct kafka_columns *c = &self->columns;
    int64_t most = self->topic.record_max > 0 && self->topic.record_max < self->record_max ? self->topic.record_max
                                                                                           : self->record_max;
    return self->settings.topic != NULL && c->headers < 0 && c->partition < 0 && c->timestamp < 0 &&
           !self->topic.needs_key &&
           text_bytes(batch, c->key) + text_bytes(batch, c->value) + SINK_RECORD_FRAME +
                   own_bytes(self, true, ORIGIN_NAME_MAX) <=
               most;
}

static enum code kafka_check(void *instance, int32_t lane, const struct batch *batch, struct rejects *rejects,
                             struct error *err)
{
    struct kafka_sink *self = instance;
    if (all_fine(self, batch))
        return E_OK;
    for (int64_t row = 0; row < batch->rows; row++) {
        struct transaction_message message;
        switch (
            kafka_row_read(&self->lanes[lane].cursor, &self->columns, self->settings.topic, batch, row, 0, &message)) {
        case KAFKA_ROW_FINE:
            if (self->columns.partition >= 0 && column_valid_at(&batch->columns[self->columns.partition], row) &&
                message.partition < 0)
                rejects_add(rejects, row, -1, REJECT_TOPIC_UNKNOWN);
            else
                TRY(row_check(self, &message, batch, row, rejects, err));
            break;
        case KAFKA_ROW_NO_TOPIC: rejects_add(rejects, row, -1, REJECT_TOPIC); break;
        case KAFKA_ROW_BAD_HEADER: rejects_add(rejects, row, -1, REJECT_HEADER); break;
        }
    }
    return E_OK;
}

static void kafka_record_limits(const void *instance, struct sink_record_limits *out)
{
    const struct kafka_sink *self = instance;
    int64_t most = self->record_max;
    if (self->topic.record_sure > 0 && self->topic.record_sure < most)
        most = self->topic.record_sure;
    int64_t own = own_bytes(self, false, 0); // who makes rows by himself gives them no origin
    *out = (struct sink_record_limits){.bytes_max = most > own ? most - own : 0, .needs_key = self->topic.needs_key};
}

/* What the user needs to find the row again, also when it was born in leat. */
static void kafka_check_detail(const void *instance, const struct batch *batch, const struct reject *reject,
                               struct text *out)
{
    const struct kafka_sink *self = instance;
    struct kafka_cursor cursor = {0};
    struct transaction_message message;
    if (kafka_row_read(&cursor, &self->columns, self->settings.topic, batch, reject->row, 0, &message) ==
        KAFKA_ROW_FINE) {
        size_t key = message.key.size < DETAIL_KEY_BYTES ? message.key.size : DETAIL_KEY_BYTES;
        if (reject->code == REJECT_MESSAGE_TOO_LARGE)
            text_printf(out,
                        "the record has %" PRId64 " bytes, more than kafka.max.request.size (%" PRId64
                        ") or the topic's max.message.bytes; ",
                        row_bytes(self, &message, batch, reject->row), self->record_max);
        if (reject->code == REJECT_TIMESTAMP)
            text_add_string(
                out, kafka_timestamp_ms(&message) < 1
                         ? "its timestamp is not after 1970-01-01 00:00:00 UTC, which cannot be written; "
                         : "its timestamp is farther from now than the topic's message.timestamp.after.max.ms or "
                           ".before.max.ms; ");
        if (reject->code == REJECT_NO_KEY)
            text_add_string(out, "the topic is compacted, so every record needs a key; ");
        text_printf(out, "topic %s", message.topic);
        if (self->columns.partition >= 0 && column_valid_at(&batch->columns[self->columns.partition], reject->row))
            text_printf(out, " partition %" PRId32, message.partition);
        if (!message.key_null) {
            text_add_string(out, ", key ");
            text_add(out, message.key.data, key);
        }
    } else {
        text_add_string(out, reject_text(reject->code));
    }
    kafka_cursor_close(&cursor);
}

/* ---- rows that are written ---- */

/* Names the row for a reader on a cluster without the transaction. */
static void own_headers(struct kafka_sink *self, struct text *own, int64_t epoch, const struct batch *batch,
                        int64_t row, struct transaction_header *headers, struct transaction_message *message)
{
    int64_t number = atomic_fetch_add_explicit(&self->sent, 1, memory_order_relaxed);
    text_clear(own);
    text_printf(own, "%s/%s/%" PRId64 "/%" PRId64, self->query_id, self->task, epoch, number);
    size_t id_size = own->size;
    if (has_origin(batch)) {
        const struct origin *origin = batch->source;
        int64_t at = batch_origin(batch, row);
        struct bytes name = origin_name(batch, row);
        text_add(own, name.data, name.size);
        text_printf(own, "/%" PRId32 "/%" PRId64, column_values(&origin->partition, int32_t)[at],
                    column_values(&origin->offset, int64_t)[at]);
    }
    struct bytes all = text_view(own); // only now: it moves while it grows
    headers[message->header_count++] = (struct transaction_header){id_header, bytes_of(all.data, id_size), false};
    if (all.size > id_size)
        headers[message->header_count++] =
            (struct transaction_header){origin_header, bytes_of(all.data + id_size, all.size - id_size), false};
}

static enum code row_send(struct kafka_sink *self, struct kafka_lane *lane, int64_t epoch, const struct batch *batch,
                          int64_t row, struct error *err)
{
    struct transaction_message message;
    enum kafka_row read =
        kafka_row_read(&lane->cursor, &self->columns, self->settings.topic, batch, row, OWN_HEADERS, &message);
    always(read == KAFKA_ROW_FINE); // the others were rejected
    lane->rows++;
    lane->bytes += kafka_message_bytes(&message);
    if (self->transaction != NULL)
        return self->transaction->type->send(self->transaction->self, &message, err);
    own_headers(self, &lane->own, epoch, batch, row, lane->cursor.headers, &message);
    return kafka_producer_send(&self->producer, &message, err);
}

static enum code kafka_write(void *instance, int32_t lane, int64_t epoch, const struct batch *batch, struct error *err)
{
    struct kafka_sink *self = instance;
    for (int64_t row = 0; row < batch->rows; row++)
        TRY(row_send(self, &self->lanes[lane], epoch, batch, row, err));
    return E_OK;
}

static void counts_take(struct kafka_sink *self, struct sink_totals *totals)
{
    for (int32_t i = 0; i < self->lane_count; i++) {
        totals->rows += self->lanes[i].rows;
        totals->bytes += self->lanes[i].bytes;
        self->lanes[i].rows = self->lanes[i].bytes = 0;
    }
    atomic_store(&self->sent, 0);
}

static enum code kafka_prepare(void *instance, int64_t epoch, struct text *token, struct sink_totals *totals,
                               struct error *err)
{
    (void)epoch;
    struct kafka_sink *self = instance;
    *totals = (struct sink_totals){0};
    counts_take(self, totals);
    if (self->transaction == NULL)
        TRY(kafka_producer_flush(&self->producer, err));
    text_printf(token, "{\"records\":%" PRId64 "}", totals->rows);
    return E_OK;
}

/* The transaction, or the flush, has done it. Of files no word may be lost: the table was one of files when it was written. */
static enum code kafka_commit(void *instance, int64_t epoch, struct bytes token, struct error *err)
{
    (void)instance;
    struct arena arena = {0};
    struct sink_files files;
    enum code code = sink_token_files(token, &arena, &files, err);
    if (code == E_OK && files.count > 0)
        code = fail(err, E_CORRUPT,
                    "epoch %" PRId64 " wrote %" PRId32 " files, and the table is a Kafka topic now: run once with "
                    "the table as it was",
                    epoch, files.count);
    arena_free(&arena);
    return code;
}

static void kafka_abort(void *instance, int64_t epoch)
{
    (void)epoch;
    struct sink_totals dropped = {0};
    counts_take(instance, &dropped);
}

const struct sink_type kafka_sink = {
    .name = "kafka",
    .help =
        "write records to topics: exactly once for read_committed readers on the query's first cluster, at least once on "
        "others",
    .folderless = true,
    .client_options = true,
    .options = kafka_sink_options,
    .size = sizeof(struct kafka_sink),
    .validate = kafka_validate,
    .open = kafka_sink_open,
    .check = kafka_check,
    .check_detail = kafka_check_detail,
    .record_limits = kafka_record_limits,
    .write = kafka_write,
    .prepare = kafka_prepare,
    .commit = kafka_commit,
    .abort = kafka_abort,
    .close = kafka_sink_close,
};
