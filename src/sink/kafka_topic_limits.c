/* kafka_topic_limits.c - the topic's own rules for records, asked once, so that a row which breaks one is known before it is
 * sent: the broker refuses a whole batch, and with it the transaction, for one such record. */
#include <stdlib.h>

#include "base/log.h"
#include "sink/kafka_producer.h"

enum {
    ASK_MS = 3000,
    FRAME_BYTES = 64, /* of a batch: 61 of header, and a few to spare */
};
static const int64_t days_max_ms = (int64_t)366 * 10000 * 86400000; /* farther: no limit */

static int64_t number(const char *text)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    return *text == '\0' || *end != '\0' || value < 0 ? 0 : value;
}

static int64_t span_us(const char *text)
{
    int64_t ms = number(text);
    return ms > days_max_ms ? 0 : ms * 1000;
}

static void entry_read(const char *name, const char *value, bool compressed, bool *broker_time,
                       struct transaction_topic *out)
{
    if (strcmp(name, "max.message.bytes") == 0) {
        out->record_sure = number(value) > FRAME_BYTES ? number(value) - FRAME_BYTES : 0;
        out->record_max = compressed ? 0 : out->record_sure;
    } else if (strcmp(name, "cleanup.policy") == 0)
        out->needs_key = strstr(value, "compact") != NULL;
    else if (strcmp(name, "message.timestamp.type") == 0)
        *broker_time = strcmp(value, "LogAppendTime") == 0;
    else if (strcmp(name, "message.timestamp.after.max.ms") == 0)
        out->ahead_max_us = span_us(value);
    else if (strcmp(name, "message.timestamp.before.max.ms") == 0)
        out->behind_max_us = span_us(value);
}

static void answer_read(rd_kafka_event_t *event, bool compressed, struct transaction_topic *out)
{
    size_t count = 0, entries = 0;
    bool broker_time = false;
    const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result(event);
    const rd_kafka_ConfigResource_t **resources =
        result == NULL ? NULL : rd_kafka_DescribeConfigs_result_resources(result, &count);
    if (count != 1 || rd_kafka_ConfigResource_error(resources[0]) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    const rd_kafka_ConfigEntry_t **all = rd_kafka_ConfigResource_configs(resources[0], &entries);
    for (size_t i = 0; i < entries; i++) {
        const char *value = rd_kafka_ConfigEntry_value(all[i]);
        if (value != NULL)
            entry_read(rd_kafka_ConfigEntry_name(all[i]), value, compressed, &broker_time, out);
    }
    if (broker_time)
        out->ahead_max_us = out->behind_max_us = 0;
}

void kafka_topic_limits(rd_kafka_t *client, const char *name, bool compressed, struct transaction_topic *out)
{
    char text[256];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, ASK_MS, text, sizeof text);
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    rd_kafka_DescribeConfigs(client, &resource, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ASK_MS);
    if (event != NULL && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR)
        answer_read(event, compressed, out);
    else
        log_debug("topic %s: its limits are not known: %s", name,
                  event == NULL ? "no answer" : rd_kafka_event_error_string(event));
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(resource);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
}
