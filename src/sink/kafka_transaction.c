/* kafka_transaction.c - a transaction on librdkafka 2.0.2.
 *
 * Mark       the metadata of the offsets that the transaction commits: "Q/T/E/nonce", E in decimal, the others in hex. All of
 *            its partitions carry the same. Offsets expire with the group (offsets.retention.minutes, 7 days). Offsets without
 *            one, in a group that the user named, are somebody else's, who may have overwritten ours
 * Ask        ListConsumerGroupOffsets with RequireStable: a partition with an undecided transaction answers "unstable" and is
 *            asked again. After open() nothing of ours is undecided: the broker answered only when the old one was over
 * Retries    what librdkafka calls retriable goes on where it stood, by its rules (the same request, the same epoch of the
 *            producer). Any other answer ends this producer: who opens the next one fences what may still be on its way, and
 *            asks. An answer that never came is not repeated by us
 * Expired    a transaction that is open for longer than transaction.timeout.ms is aborted by the broker, which then takes its
 *            producer for fenced. We tell the two apart by the clock
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/os.h"
#include "sink/kafka_producer.h"

enum {
    SLICE_MS = 1000,              /* how long one call into librdkafka may wait */
    COMMIT_US = 10 * 1000 * 1000, /* unknown after so long: asking a new producer tells sooner */
    ABORT_MS = 3000,
    ASK_MS = 3000,
    ASK_AGAIN_US = 20 * 1000,
    TELL_US = 5 * 1000 * 1000, /* waiting for a broker is logged so often */
    MARK_BYTES = 128,
};

struct kafka_transaction {
    struct kafka_producer producer;
    struct arena arena;
    const char *query_id, *task, *group, *mark_topic;
    rd_kafka_consumer_group_metadata_t *group_metadata;
    int64_t expires_us; /* transaction.timeout.ms */
    int64_t begun_us;   /* 0: no transaction is open */
    bool mark_found;    /* mark_topic is there */
    bool group_is_own;  /* nobody named it: what has no metadata in it is this query's mirror, of before */
    bool look;
};

/* ---- opening: fence who was before ---- */

static enum code failed(struct kafka_transaction *self, const char *what, const rd_kafka_error_t *error,
                        struct error *err)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    char text[512];
    snprintf(text, sizeof text, "%s", rd_kafka_error_string(error));
    if (code == RD_KAFKA_RESP_ERR__FATAL)
        code = rd_kafka_fatal_error(self->producer.client, text, sizeof text);
    struct error first = {0};
    if (kafka_producer_poll(&self->producer, &first) != E_OK && first.code != E_BROKER) {
        *err = first; // why the transaction cannot go on, said better
        return err->code;
    }
    bool silent = code == RD_KAFKA_RESP_ERR__TIMED_OUT;
    enum code result = kafka_fail(&self->producer, code, what, silent ? "no answer" : text, err);
    int64_t open_us = self->begun_us == 0 ? 0 : os->clock_mono_us() - self->begun_us;
    if (result != E_FENCED || open_us < self->expires_us)
        return result;
    fail(err, E_BROKER,
         "the transaction was open for %.0f s, longer than kafka.transaction.timeout.ms: the broker gave it up. "
         "Allow more, or make epochs shorter (leat.epoch.max_records)",
         (double)open_us / 1e6);
    return error_about(err, "kafka %s", self->producer.facts.bootstrap);
}

/* Calls `step` until it succeeds, fails for good, or limit_us is over. */
static enum code repeat(struct kafka_transaction *self, const char *what, int64_t limit_us, bool may_stop,
                        rd_kafka_error_t *(*step)(struct kafka_transaction *, const void *), const void *context,
                        struct error *err)
{
    int64_t start_us = os->clock_mono_us(), told_us = start_us;
    for (;;) {
        rd_kafka_error_t *error = step(self, context);
        if (error == NULL)
            return E_OK;
        int64_t now_us = os->clock_mono_us();
        bool again = rd_kafka_error_is_retriable(error) && !rd_kafka_error_txn_requires_abort(error);
        enum code code = failed(self, what, error, err);
        rd_kafka_error_destroy(error);
        if (may_stop && self->producer.stopping != NULL && self->producer.stopping())
            return fail(err, E_STOPPED, "asked to stop");
        if (!again || code != E_BROKER || now_us - start_us >= limit_us)
            return code;
        if (now_us - told_us >= TELL_US) {
            log_warn("%s; trying again", err->text);
            told_us = now_us;
        }
        error_clear(err);
    }
}

static rd_kafka_error_t *step_init(struct kafka_transaction *self, const void *context)
{
    (void)context;
    return rd_kafka_init_transactions(self->producer.client, SLICE_MS);
}

static int64_t timeout_read(rd_kafka_t *client)
{
    char text[32] = "";
    size_t size = sizeof text;
    bool known = rd_kafka_conf_get(rd_kafka_conf(client), "transaction.timeout.ms", text, &size) == RD_KAFKA_CONF_OK;
    return known ? strtoll(text, NULL, 10) * 1000 : 0;
}

static enum code transaction_open(void *instance, const struct transaction_spec *spec, struct error *err)
{
    struct kafka_transaction *self = instance;
    char id[128];
    snprintf(id, sizeof id, "leat-%s-%s", spec->query_id, spec->task);
    const struct kafka_producer_spec producer = {
        .option_names = spec->option_names,
        .option_values = spec->option_values,
        .option_count = spec->option_count,
        .transactional_id = spec->look ? NULL : id,
        .timeout_us = spec->timeout_us,
        .budget = spec->budget,
        .stopping = spec->stopping,
    };
    TRY(kafka_producer_open(&self->producer, &producer, err));
    self->group = transaction_group(spec, &self->arena);
    self->group_is_own = self->producer.facts.group_id == NULL;
    self->query_id = arena_strdup(&self->arena, spec->query_id);
    self->task = arena_strdup(&self->arena, spec->task);
    self->mark_topic = spec->mark_topic == NULL ? NULL : arena_strdup(&self->arena, spec->mark_topic);
    self->group_metadata = rd_kafka_consumer_group_metadata_new(self->group);
    self->expires_us = timeout_read(self->producer.client);
    self->look = spec->look;
    if (self->look)
        return E_OK;
    return repeat(self, "starting transactions", spec->timeout_us, true, step_init, NULL, err);
}

static void transaction_close(void *instance)
{
    struct kafka_transaction *self = instance;
    if (self->group_metadata != NULL)
        rd_kafka_consumer_group_metadata_destroy(self->group_metadata);
    kafka_producer_close(&self->producer);
    arena_free(&self->arena);
    *self = (struct kafka_transaction){0};
}

/* ---- the mark ---- */

static void mark_print(const struct kafka_transaction *self, const struct transaction_mark *mark, char *out)
{
    snprintf(out, MARK_BYTES, "%s/%s/%" PRId64 "/%016" PRIx64, self->query_id, self->task, mark->epoch, mark->nonce);
}

/* False: it is not one, or another query's. */
static bool mark_parse(const struct kafka_transaction *self, const char *text, size_t size,
                       struct transaction_mark *out)
{
    char copy[MARK_BYTES], again[MARK_BYTES], *end;
    struct transaction_mark mark;
    if (size >= sizeof copy)
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    size_t prefix = strlen(self->query_id) + strlen(self->task) + 2;
    if (size <= prefix)
        return false;
    mark.epoch = strtoll(copy + prefix, &end, 10);
    if (*end != '/')
        return false;
    mark.nonce = strtoull(end + 1, NULL, 16);
    mark_print(self, &mark, again); // whatever does not print the same was not printed by us
    if (strcmp(copy, again) != 0 || mark.epoch < 0)
        return false;
    *out = mark;
    return true;
}

/* The partitions that carry the mark. */
static rd_kafka_topic_partition_list_t *marked_list(const struct kafka_transaction *self,
                                                    const struct transaction_offset *offsets, int32_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count + 1);
    for (int32_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, offsets[i].topic, offsets[i].partition)->offset = offsets[i].next;
    if (count == 0 && self->mark_topic != NULL)
        rd_kafka_topic_partition_list_add(list, self->mark_topic, 0)->offset = 0;
    return list;
}

/* ---- asking ---- */

/* One answer into the newest mark; *again: some partition cannot be told yet. */
static enum code answer_read(struct kafka_transaction *self, const rd_kafka_group_result_t *group,
                             struct transaction_mark *out, bool *again, struct error *err)
{
    const rd_kafka_error_t *error = rd_kafka_group_result_error(group);
    if (error != NULL)
        return kafka_fail(&self->producer, rd_kafka_error_code(error), "asking for the last epoch",
                          rd_kafka_error_string(error), err);
    const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(group);
    struct transaction_mark newest = {.epoch = -1};
    bool foreign = false;
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *at = &list->elems[i];
        struct transaction_mark mark;
        if (at->err == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT)
            *again = true;
        else if (at->err != RD_KAFKA_RESP_ERR_NO_ERROR && at->err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            return kafka_fail(&self->producer, at->err, "asking for the last epoch", NULL, err);
        else if (at->metadata != NULL && mark_parse(self, at->metadata, at->metadata_size, &mark))
            newest = mark.epoch > newest.epoch ? mark : newest;
        else if (at->offset >= 0 && !(self->group_is_own && at->metadata_size == 0))
            foreign = true;
    }
    *out = newest;
    out->foreign = foreign;
    return E_OK;
}

static enum code ask_once(struct kafka_transaction *self, rd_kafka_topic_partition_list_t *list,
                          struct transaction_mark *out, bool *again, struct error *err)
{
    rd_kafka_t *client = self->producer.client;
    char text[256];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    rd_kafka_error_t *unset = rd_kafka_AdminOptions_set_require_stable_offsets(options, 1);
    always(unset == NULL);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, ASK_MS, text, sizeof text);
    rd_kafka_ListConsumerGroupOffsets_t *question = rd_kafka_ListConsumerGroupOffsets_new(self->group, list);
    rd_kafka_ListConsumerGroupOffsets(client, &question, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ASK_MS + SLICE_MS);
    rd_kafka_resp_err_t error = event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event);
    size_t count = 0;
    enum code code;
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = kafka_fail(&self->producer, error, "asking for the last epoch", NULL, err);
    } else {
        const rd_kafka_group_result_t **groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
            rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
        code = count == 1 ? answer_read(self, groups[0], out, again, err)
                          : fail(err, E_BROKER, "asking for the last epoch: %zu groups in the answer", count);
    }
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_ListConsumerGroupOffsets_destroy(question);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return code;
}

static enum code transaction_ask(void *instance, const struct transaction_offset *marked, int32_t count,
                                 struct transaction_mark *out, struct error *err)
{
    struct kafka_transaction *self = instance;
    rd_kafka_topic_partition_list_t *list = marked_list(self, marked, count);
    struct transaction_mark mark = {.epoch = -1};
    int64_t until_us = os->clock_mono_us() + self->producer.timeout_us;
    enum code code = E_OK;
    while (list->cnt > 0) {
        bool again = false;
        error_clear(err);
        code = ask_once(self, list, &mark, &again, err);
        mark.undecided = again;
        if (code == E_OK && again && !self->look)
            code = fail(err, E_BROKER, "asking for the last epoch: its transaction is not decided yet");
        if ((code != E_BROKER && !(code == E_OK && again)) || os->clock_mono_us() > until_us)
            break;
        if (self->producer.stopping != NULL && self->producer.stopping()) {
            code = fail(err, E_STOPPED, "asked to stop");
            break;
        }
        os->sleep_us(ASK_AGAIN_US);
    }
    rd_kafka_topic_partition_list_destroy(list);
    TRY(code);
    *out = mark;
    return E_OK;
}

/* ---- an epoch ---- */

static enum code transaction_begin(void *instance, struct error *err)
{
    struct kafka_transaction *self = instance;
    rd_kafka_error_t *error = rd_kafka_begin_transaction(self->producer.client);
    if (error != NULL) {
        enum code code = failed(self, "beginning a transaction", error, err);
        rd_kafka_error_destroy(error);
        return code;
    }
    self->begun_us = os->clock_mono_us();
    return E_OK;
}

static enum code transaction_topic(void *instance, const char *name, int32_t wanted, struct transaction_topic *out,
                                   struct error *err)
{
    struct kafka_transaction *self = instance;
    return kafka_producer_topic(&self->producer, name, wanted, out, err);
}

static int64_t transaction_record_max(const void *instance)
{
    const struct kafka_transaction *self = instance;
    return self->producer.message_max;
}

static enum code transaction_send(void *instance, const struct transaction_message *message, struct error *err)
{
    struct kafka_transaction *self = instance;
    return kafka_producer_send(&self->producer, message, err);
}

static enum code transaction_flush(void *instance, struct error *err)
{
    struct kafka_transaction *self = instance;
    return kafka_producer_flush(&self->producer, err);
}

static rd_kafka_error_t *step_offsets(struct kafka_transaction *self, const void *list)
{
    return rd_kafka_send_offsets_to_transaction(self->producer.client, list, self->group_metadata, SLICE_MS);
}

static rd_kafka_error_t *step_commit(struct kafka_transaction *self, const void *context)
{
    (void)context;
    return rd_kafka_commit_transaction(self->producer.client, SLICE_MS);
}

static enum code offsets_send(struct kafka_transaction *self, rd_kafka_topic_partition_list_t *list, struct error *err)
{
    FAULT_IO(kafka_offsets, err)
    TRY(repeat(self, "the transaction's offsets", COMMIT_US, false, step_offsets, list, err));
    FAULT_LOST(kafka_offsets, err)
    return E_OK;
}

static enum code commit_send(struct kafka_transaction *self, struct error *err)
{
    FAULT_IO(kafka_commit, err)
    TRY(repeat(self, "committing the transaction", COMMIT_US, false, step_commit, NULL, err));
    FAULT_LOST(kafka_commit, err)
    return E_OK;
}

/* To the broker an absent topic is one that it does not know yet: offsets for it could be sent for ever. */
static enum code mark_topic_check(struct kafka_transaction *self, struct error *err)
{
    struct transaction_topic topic;
    if (self->mark_found || self->mark_topic == NULL)
        return E_OK;
    TRY(kafka_producer_topic(&self->producer, self->mark_topic, 1, &topic, err));
    self->mark_found = topic.partitions > 0;
    if (self->mark_found)
        return E_OK;
    return fail(
        err, E_SPEC,
        "there is no topic %s at %s, and the consumer group is to keep the last epoch at its partition 0: create it, "
        "or name an existing one with the sink's option leat.mark.topic",
        self->mark_topic, self->producer.facts.bootstrap);
}

static enum code transaction_commit(void *instance, const struct transaction_offset *offsets, int32_t count,
                                    const struct transaction_mark *mark, struct error *err)
{
    struct kafka_transaction *self = instance;
    char text[MARK_BYTES];
    if (count == 0)
        TRY(mark_topic_check(self, err));
    mark_print(self, mark, text);
    rd_kafka_topic_partition_list_t *list = marked_list(self, offsets, count);
    for (int i = 0; i < list->cnt; i++) {
        list->elems[i].metadata_size = strlen(text);
        list->elems[i].metadata = mem_strdup(text); // librdkafka frees it with the list
    }
    enum code code =
        list->cnt > 0 ? offsets_send(self, list, err) : fail(err, E_SPEC, "no topic can keep the transaction's mark");
    rd_kafka_topic_partition_list_destroy(list);
    TRY(code);
    TRY(commit_send(self, err));
    self->begun_us = 0;
    FAULT(kafka_after);
    return E_OK;
}

static void transaction_abort(void *instance)
{
    struct kafka_transaction *self = instance;
    if (self->begun_us == 0)
        return;
    self->begun_us = 0;
    rd_kafka_error_t *error = rd_kafka_abort_transaction(self->producer.client, ABORT_MS);
    if (error == NULL)
        return;
    log_debug("the transaction could not be aborted, the next start or the broker will: %s",
              rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
}

const struct transaction_type kafka_transaction = {
    .name = "kafka",
    .size = sizeof(struct kafka_transaction),
    .open = transaction_open,
    .ask = transaction_ask,
    .begin = transaction_begin,
    .topic = transaction_topic,
    .record_max = transaction_record_max,
    .send = transaction_send,
    .flush = transaction_flush,
    .commit = transaction_commit,
    .abort = transaction_abort,
    .close = transaction_close,
};
