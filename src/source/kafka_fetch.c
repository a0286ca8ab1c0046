/* kafka_fetch.c - records of the planned ranges, in order within each partition, each exactly once.
 *
 * Range    [from, to) of a partition is done when its next record has an offset >= to, or its end
 *          (EOF) or librdkafka's position has reached `to`: offsets below may not exist
 *          (compaction, transactions, markers)
 * Held     a message taken too early stays in its partition's `held` and comes first in the next
 *          epoch
 * Twice    librdkafka 2.0.2 may deliver a record again after a stale answer (its #4636): an offset
 *          below `next` is dropped
 * Lost     auto.offset.reset=error turns a lost offset into an event here; kafka_discover.c has
 *          the rules
 *
 * The one-second stall. librdkafka 2.0.2 decides which partitions to fetch in its broker thread:
 * on an answer, on an operation queued for that thread, or after a fixed second
 * (rd_kafka_broker_consumer_serve; its #2879 and #4275). When all queues are at their limit there
 * is no request under way and so no answer: the pipe stands still until the second is over,
 * however fast the queues drain. Two cures, both needed:
 *   1. rd_kafka_sasl_set_credentials() with the credentials in use queues a wake-up for every
 *      broker thread and does nothing else: no bytes are sent. It is the only public call that
 *      does so. We make it each time a quarter of a partition's share was taken, which is far
 *      before the rest of the share is gone.
 *   2. fetch.wait.max.ms is 50, not 500: when partition A is full and B empty, one request waits
 *      for B at the broker, and A cannot be asked for before it is answered.
 * A reader that takes 1 us a record, queues of 64 MB: 165,000 records/s and waits up to 960 ms
 * without the cures, 860,000 and 34 ms with them. tests/unit/source/kafka_stall_test.c holds it.
 */
#include "source/kafka.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/os.h"

enum {
    /* Keys and values of a batch; a single larger record still passes. */
    BATCH_BYTES_MAX = 16 * 1024 * 1024,
    /* Longest wait before librdkafka's callbacks and positions are looked at. */
    SLICE_US = 50 * 1000,
    RECORD_BYTES_FIRST = 1024, /* guess before the first message of a partition */
};

/* ---- partitions ---- */

static void on_arrival(rd_kafka_t *client, void *opaque)
{
    (void)client;
    struct kafka_source *self = opaque;
    lock_take(&self->signal);
    self->arrived = true;
    lock_wake(&self->signal);
    lock_give(&self->signal);
}

static void held_drop(struct held *held)
{
    for (int32_t i = held->first; i < held->count; i++)
        rd_kafka_message_destroy(held->messages[i]);
    held->first = held->count = 0;
}

/* librdkafka's place; -1 when it has none. */
static int64_t position_of(const struct kafka_source *self, const struct kafka_partition *partition)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *place = rd_kafka_topic_partition_list_add(list, partition->topic, partition->partition);
    bool known =
        rd_kafka_position(self->data, list) == RD_KAFKA_RESP_ERR_NO_ERROR && place->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    int64_t offset = known && place->offset >= 0 ? place->offset : -1;
    rd_kafka_topic_partition_list_destroy(list);
    return offset;
}

/* Starting a started partition is a seek: librdkafka marks what it has as outdated and drops it.
 * It is never stopped: librdkafka 2.0.2 forgets a partition that is stopped while its topic is
 * unknown (deleted, made anew), and then rd_kafka_destroy() waits for ever for the broker thread
 * that still serves it. */
enum code kafka_partition_start(struct kafka_source *self, struct kafka_partition *partition, int64_t from,
                                struct error *err)
{
    held_drop(&partition->held);
    partition->stale_position = position_of(self, partition);
    if (rd_kafka_consume_start(partition->handle, partition->partition, from) != 0)
        return fail(err, E_BROKER, "topic %s partition %" PRId32 " cannot be read: %s", partition->topic,
                    partition->partition, rd_kafka_err2str(rd_kafka_last_error()));
    if (partition->queue == NULL) {
        partition->queue = rd_kafka_queue_get_partition(self->data, partition->topic, partition->partition);
        always(partition->queue != NULL);
        rd_kafka_queue_cb_event_enable(partition->queue, on_arrival, self);
        partition->record_bytes = RECORD_BYTES_FIRST;
    }
    partition->next = partition->reached = from;
    return E_OK;
}

void kafka_partition_close(struct kafka_partition *partition)
{
    held_drop(&partition->held);
    if (partition->queue != NULL) {
        rd_kafka_queue_cb_event_enable(partition->queue, NULL, NULL);
        rd_kafka_queue_destroy(partition->queue);
    }
    if (partition->handle != NULL)
        rd_kafka_topic_destroy(partition->handle);
    mem_free(partition->held.messages);
    mem_free(partition->topic);
    *partition = (struct kafka_partition){0};
}

/* ---- the stall ---- */

static void wake_brokers(struct kafka_source *self)
{
    rd_kafka_error_t *error = rd_kafka_sasl_set_credentials(self->data, self->facts.username, self->facts.password);
    if (error != NULL)
        rd_kafka_error_destroy(error); // the stall is slow, not wrong
    self->unwoken_bytes = 0;
}

/* ---- messages ---- */

/* Take messages out of librdkafka; how many follows from the room left in the batch. False: there
 * are none. */
static bool held_fill(struct kafka_source *self, struct kafka_partition *partition)
{
    struct held *held = &partition->held;
    if (held->first < held->count)
        return true;
    if (held->messages == NULL)
        held->messages = mem_array(rd_kafka_message_t *, CHUNK_MAX);
    int64_t room = (BATCH_BYTES_MAX - (int64_t)self->filling_bytes) / partition->record_bytes + 1;
    size_t most = room < CHUNK_MAX ? (size_t)room : CHUNK_MAX;
    ssize_t count = rd_kafka_consume_batch_queue(partition->queue, 0, held->messages, most);
    held->first = 0;
    held->count = count > 0 ? (int32_t)count : 0;
    return held->count > 0;
}

/* How many of the held messages, from the first on, are plain records below `to` and not seen
 * before. */
static int64_t run_length(const struct kafka_partition *partition, int64_t to, int64_t most)
{
    const struct held *held = &partition->held;
    int64_t next = partition->next, count = 0;
    if (most > held->count - held->first)
        most = held->count - held->first;
    for (rd_kafka_message_t *const *at = held->messages + held->first; count < most; count++) {
        const rd_kafka_message_t *message = at[count];
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR || message->offset < next || message->offset >= to ||
            message->len + message->key_len > INT32_MAX)
            break;
        next = message->offset + 1;
    }
    return count;
}

static void run_deliver(struct kafka_source *self, struct kafka_partition *partition, int64_t count)
{
    rd_kafka_message_t **run = partition->held.messages + partition->held.first;
    size_t before = self->filling_bytes;
    kafka_columns_append(self, partition, run, count);
    int64_t bytes = (int64_t)(self->filling_bytes - before);
    partition->next = run[count - 1]->offset + 1;
    partition->held.first += (int32_t)count;
    partition->record_bytes = (3 * partition->record_bytes + bytes / count) / 4 + 1;
    self->unwoken_bytes += bytes;
    for (int64_t i = 0; i < count; i++)
        rd_kafka_message_destroy(run[i]);
}

/* Records between are gone. Go on at the earliest one left. */
static enum code offset_lost(struct kafka_source *self, struct kafka_partition *partition, struct error *err)
{
    struct source_ranges earliest = {0};
    source_ranges_add(&earliest, partition->topic, partition->partition)->from = OFFSET_EARLIEST;
    enum code code = kafka_offsets_ask(self, &earliest, err);
    int64_t offset = earliest.items[0].from;
    source_ranges_free(&earliest);
    TRY(code);
    if (self->settings.fail_on_data_loss)
        return fail(err, E_LOST,
                    "topic %s partition %" PRId32 ": offset %" PRId64
                    " is to be read next, but it and those behind it are gone; the earliest one left is "
                    "%" PRId64 ". failOnDataLoss=false goes on there",
                    partition->topic, partition->partition, partition->next, offset);
    if (offset <= partition->next)
        return fail(err, E_BROKER,
                    "topic %s partition %" PRId32 ": offset %" PRId64 " cannot be read, although the partition "
                    "begins at %" PRId64,
                    partition->topic, partition->partition, partition->next, offset);
    log_warn("source %s: topic %s partition %" PRId32 ": offsets %" PRId64 " to %" PRId64
             " are gone, going on at %" PRId64,
             self->name, partition->topic, partition->partition, partition->next, offset - 1, offset);
    int64_t next = partition->next;
    TRY(kafka_partition_start(self, partition, offset, err));
    partition->next = next; // the range's end decides how far the gap may move it
    partition->lost_to = offset;
    return E_OK;
}

/* The first held message is no record: an end, or an error. It is destroyed. */
static enum code event_handle(struct kafka_source *self, struct kafka_partition *partition, struct error *err)
{
    rd_kafka_message_t *event = partition->held.messages[partition->held.first++];
    rd_kafka_resp_err_t error = event->err;
    int64_t offset = event->offset;
    rd_kafka_message_destroy(event);
    switch (error) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (offset > partition->reached)
            partition->reached = offset;
        return E_OK;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: return offset_lost(self, partition, err);
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
        return E_OK; // librdkafka connects again by itself; the runtime minds how long nothing comes
    default:
        return fail(err, E_BROKER, "topic %s partition %" PRId32 " at offset %" PRId64 ": %s", partition->topic,
                    partition->partition, partition->next, rd_kafka_err2str(error));
    }
}

/* The first held message is a record that run_length() refused: beyond the end, a repeat, or a
 * giant. */
static enum code odd_handle(struct kafka_partition *partition, int64_t to, bool *stop, struct error *err)
{
    rd_kafka_message_t *message = partition->held.messages[partition->held.first];
    if (message->offset >= to) {
        partition->reached = message->offset;
        *stop = true;
        return E_OK;
    }
    if (message->offset >= partition->next)
        return fail(err, E_DATA, "topic %s partition %" PRId32 " offset %" PRId64 ": a record of more than 2 GiB",
                    partition->topic, partition->partition, message->offset);
    rd_kafka_message_destroy(message);
    partition->held.first++;
    return E_OK;
}

static bool batch_full(const struct kafka_source *self)
{
    return self->filling.rows >= self->batch_rows || self->filling_bytes >= BATCH_BYTES_MAX;
}

/* Enough rows for the next partition to begin a batch of its own: what follows is cheaper where all are of one. */
static bool run_long(const struct kafka_source *self)
{
    return batch_full(self) || self->filling.rows > self->batch_rows / 8;
}

static void pass_gap(struct kafka_partition *partition, int64_t to)
{
    int64_t end = partition->reached < to ? partition->reached : to;
    if (end <= partition->next)
        return;
    int64_t lost_to = partition->lost_to < end ? partition->lost_to : end;
    partition->lost += lost_to > partition->next ? lost_to - partition->next : 0;
    partition->next = end;
}

/* Deliver what is there of one partition, up to `to`. */
static enum code partition_drain(struct kafka_source *self, struct kafka_partition *partition, int64_t to,
                                 struct error *err)
{
    pass_gap(partition, to);
    bool stop = false;
    while (!stop && partition->next < to && !batch_full(self) && held_fill(self, partition)) {
        int64_t run = run_length(partition, to, self->batch_rows - self->filling.rows);
        if (run > 0)
            run_deliver(self, partition, run);
        else if (partition->held.messages[partition->held.first]->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            TRY(event_handle(self, partition, err));
        else
            TRY(odd_handle(partition, to, &stop, err));
        pass_gap(partition, to);
        if (self->unwoken_bytes >= self->wake_bytes)
            wake_brokers(self);
    }
    return E_OK;
}

/* ---- ranges ---- */

static struct kafka_partition *partition_of(const struct kafka_source *self, const struct source_range *range,
                                            int32_t hint)
{
    for (int32_t i = 0; i < self->partition_count; i++) {
        struct kafka_partition *partition = &self->partitions[(hint + i) % self->partition_count];
        if (partition->partition == range->partition && strcmp(partition->topic, range->topic) == 0)
            return partition;
    }
    return NULL;
}

static int64_t bound(const struct source_range *range) { return range->to < 0 ? INT64_MAX : range->to; }

static enum code range_drain(struct kafka_source *self, struct source_range *range, int32_t hint, struct error *err)
{
    struct kafka_partition *partition = partition_of(self, range, hint);
    if (partition == NULL)
        return fail(err, E_BUG, "topic %s partition %" PRId32 " was never sought", range->topic, range->partition);
    if (range->from != partition->next)
        TRY(kafka_partition_start(self, partition, range->from, err));
    TRY(partition_drain(self, partition, bound(range), err));
    range->from = partition->next;
    range->lost += partition->lost;
    partition->lost = 0;
    return E_OK;
}

static enum code ranges_drain(struct kafka_source *self, struct source_ranges *ranges, struct error *err)
{
    for (int32_t i = 0; i < ranges->count && !run_long(self); i++) {
        int32_t index = (self->turn + i) % ranges->count;
        if (ranges->items[index].from < bound(&ranges->items[index]))
            TRY(range_drain(self, &ranges->items[index], index, err));
    }
    self->turn = ranges->count > 0 ? (self->turn + 1) % ranges->count : 0;
    return E_OK;
}

static bool ranges_done(const struct source_ranges *ranges)
{
    bool bounded = false;
    for (int32_t i = 0; i < ranges->count; i++) {
        bounded |= ranges->items[i].to >= 0;
        if (ranges->items[i].to >= 0 && ranges->items[i].from < ranges->items[i].to)
            return false;
    }
    return bounded || ranges->count == 0;
}

/* ---- waiting ---- */

/* Control records advance librdkafka's position without a message: a range may end in them. After
 * a new start the position stands where it stood before, until something arrives. */
static void positions_look(struct kafka_source *self, const struct source_ranges *ranges)
{
    for (int32_t i = 0; i < ranges->count; i++) {
        struct kafka_partition *partition = partition_of(self, &ranges->items[i], i);
        if (partition == NULL || partition->held.first < partition->held.count ||
            partition->next >= bound(&ranges->items[i]))
            continue;
        int64_t position = position_of(self, partition);
        if (position != partition->stale_position && position > partition->reached)
            partition->reached = position;
    }
}

static void arrival_wait(struct kafka_source *self, int64_t wait_us)
{
    lock_take(&self->signal);
    if (!self->arrived && !atomic_load(&self->stopped))
        (void)lock_wait(&self->signal, wait_us < SLICE_US ? wait_us : SLICE_US);
    self->arrived = false;
    lock_give(&self->signal);
}

static enum code fill(struct kafka_source *self, struct source_ranges *ranges, int64_t wait_us, bool *done,
                      struct error *err)
{
    int64_t end_us = os->clock_mono_us() + wait_us;
    for (;;) {
        TRY(kafka_check_stop(self, err));
        TRY(ranges_drain(self, ranges, err));
        *done = ranges_done(ranges);
        int64_t left_us = end_us - os->clock_mono_us();
        if (self->filling.rows > 0 || *done || left_us <= 0)
            return E_OK;
        if (self->unwoken_bytes > 0)
            wake_brokers(self);
        arrival_wait(self, left_us);
        TRY(kafka_poll(self, self->data, err));
        positions_look(self, ranges);
    }
}

enum code kafka_fetch(void *self_, struct source_ranges *ranges, int64_t wait_us, struct batch *out, bool *done,
                      struct error *err)
{
    struct kafka_source *self = self_;
    if (self->data == NULL)
        return fail(err, E_BUG, "source %s: fetch before seek", self->name);
    bool finished = false;
    kafka_columns_begin(self);
    enum code code = fill(self, ranges, wait_us, &finished, err);
    struct batch batch;
    kafka_columns_finish(self, &batch);
    if (code != E_OK) {
        batch_release(&batch);
        return code;
    }
    *out = batch;
    *done = finished;
    return E_OK;
}
