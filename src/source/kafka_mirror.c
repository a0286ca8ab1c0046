/* kafka_mirror.c - show the committed offsets in the broker's group, for lag tools. The chain is
 * what counts: losing a mirror is never an error. At most one commit is under way; of those that
 * come meanwhile the newest is kept and sent later. close() waits for the last one, so that a
 * finished run shows its true place. */
#include "source/kafka.h"

#include "base/fault.h"
#include "base/log.h"

enum { CLOSE_WAIT_MS = 2000 };

static void answer_take(struct kafka_source *self, int wait_ms)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(self->mirror_queue, wait_ms);
    if (event == NULL)
        return;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT) {
        rd_kafka_resp_err_t error = rd_kafka_event_error(event);
        self->mirror_busy = false;
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR && !self->mirror_warned)
            log_warn("source %s: the group %s does not show progress: %s", self->name, self->group_id,
                     rd_kafka_err2str(error));
        self->mirror_warned = error != RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    rd_kafka_event_destroy(event);
}

static void commit_send(struct kafka_source *self, const struct source_ranges *committed)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(committed->count);
    for (int32_t i = 0; i < committed->count; i++) {
        const struct source_range *range = &committed->items[i];
        rd_kafka_topic_partition_list_add(list, range->topic, range->partition)->offset = range->from;
    }
    self->mirror_busy =
        rd_kafka_commit_queue(self->control, list, self->mirror_queue, NULL, NULL) == RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
}

/* `from` is the next offset to read: what the group's offset means too. */
enum code kafka_mirror(void *self_, const struct source_ranges *committed, struct error *err)
{
    struct kafka_source *self = self_;
    FAULT_IO(group_commit, err)
    answer_take(self, 0);
    if (self->mirror_busy) {
        source_ranges_copy(&self->unsent, committed);
    } else if (committed->count > 0) {
        source_ranges_free(&self->unsent);
        commit_send(self, committed);
    }
    FAULT_LOST(group_commit, err)
    return E_OK;
}

void kafka_mirror_close(struct kafka_source *self)
{
    if (self->mirror_busy)
        answer_take(self, CLOSE_WAIT_MS);
    if (!self->mirror_busy && self->unsent.count > 0) {
        commit_send(self, &self->unsent);
        answer_take(self, CLOSE_WAIT_MS);
    }
    source_ranges_free(&self->unsent);
    if (self->mirror_queue != NULL)
        rd_kafka_queue_destroy(self->mirror_queue);
    self->mirror_queue = NULL;
}
