/* kafka_discover.c - which partitions there are, from where to where they reach, and where leat
 * goes on.
 *
 * In       `known`: the chain's next offsets, empty at the first start
 * Asks     one ListOffsets per leader and bound; Metadata only every LAYOUT_US
 * Rules    first start         what startingOffsets or startingTimestamp says
 *          known partition     goes on at its offset. Below the earliest record: retention was
 *                              faster. Above the end: the topic was made anew or cut (librdkafka
 *                              2.0.2 tells no topic id, so this is how it shows)
 *          new partition       begins at 0, whatever startingOffsets says, as in Spark
 *          vanished partition  lost
 * Lost     failOnDataLoss: E_LOST with topic, partition and both offsets. Else: warn with the
 *          number of records skipped and go on at the earliest record; the caller sees `from` jump
 * Retry    none here: who calls asks again (source.h). While no broker is connected a question looks up
 *          every SLICE_MS, so that a stop need not wait
 * Spec     Spark's KafkaOffsetReader
 */
#include "source/kafka.h"

#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/log.h"
#include "base/os.h"

enum {
    LAYOUT_US = 5 * 1000 * 1000,
    SLICE_MS = 100,
};

/* ---- partitions ---- */

static enum code refused(struct kafka_source *self, rd_kafka_resp_err_t error, const char *what, struct error *err)
{
    TRY(kafka_poll(self, self->control, err));
    if (error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
        error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
        return fail(err, E_SPEC, "%s: the broker %s does not allow it: %s", what, self->facts.bootstrap,
                    rd_kafka_err2str(error));
    bool absent = error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
                  error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
    if (absent)
        return fail(err, E_ABSENT, "%s does not exist on %s", what, self->facts.bootstrap);
    return fail(err, E_BROKER, "%s: broker %s: %s%s%s", what, self->facts.bootstrap, rd_kafka_err2str(error),
                self->trouble[0] == '\0' ? "" : "; ", self->trouble);
}

static enum code metadata_ask(struct kafka_source *self, rd_kafka_topic_t *topic, const struct rd_kafka_metadata **out,
                              struct error *err)
{
    int64_t end_us = os->clock_mono_us() + REQUEST_TIMEOUT_MS * INT64_C(1000);
    rd_kafka_resp_err_t error;
    while ((error = rd_kafka_metadata(self->control, topic == NULL, topic, out, SLICE_MS)) ==
               RD_KAFKA_RESP_ERR__TRANSPORT &&
           os->clock_mono_us() < end_us)
        TRY(kafka_check_waiting(self, err));
    if (error == RD_KAFKA_RESP_ERR__TIMED_OUT) // there is a broker, but it takes its time
        error = rd_kafka_metadata(self->control, topic == NULL, topic, out, REQUEST_TIMEOUT_MS);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR ? E_OK : refused(self, error, "list of partitions", err);
}

static enum code topic_add(struct kafka_source *self, const struct rd_kafka_metadata_topic *topic,
                           struct source_ranges *out, struct error *err)
{
    char what[300];
    snprintf(what, sizeof what, "topic %s", topic->topic);
    if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return refused(self, topic->err, what, err);
    if (topic->partition_cnt == 0)
        return fail(err, E_ABSENT, "%s does not exist on %s", what, self->facts.bootstrap);
    if (out->count + topic->partition_cnt > PARTITIONS_MAX)
        return fail(err, E_SPEC, "source %s has more than %d partitions", self->name, PARTITIONS_MAX);
    for (int i = 0; i < topic->partition_cnt; i++)
        source_ranges_add(out, topic->topic, topic->partitions[i].id);
    return E_OK;
}

static enum code named_topic(struct kafka_source *self, const char *name, struct source_ranges *out, struct error *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(self->control, name, NULL);
    if (topic == NULL)
        return fail(err, E_SPEC, "\"%s\" is no topic name", name);
    enum code code = metadata_ask(self, topic, &metadata, err);
    if (code == E_OK) {
        code = metadata->topic_cnt == 1
                   ? topic_add(self, &metadata->topics[0], out, err)
                   : fail(err, E_ABSENT, "topic %s does not exist on %s", name, self->facts.bootstrap);
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(topic);
    return code;
}

static enum code subscribed(struct kafka_source *self, struct source_ranges *out, struct error *err)
{
    enum code code = E_OK;
    int count = 0;
    for (const char *at = self->settings.subscribe; *at != '\0' && code == E_OK;) {
        at += strspn(at, ", \t");
        size_t size = strcspn(at, ",");
        while (size > 0 && (at[size - 1] == ' ' || at[size - 1] == '\t'))
            size--;
        if (size == 0)
            break;
        char *name = arena_strndup(&self->scratch, at, size);
        if (source_ranges_find(out, name, 0) == NULL)
            code = ++count > TOPICS_MAX ? fail(err, E_SPEC, "subscribe names more than %d topics", TOPICS_MAX)
                                        : named_topic(self, name, out, err);
        at += strcspn(at, ",");
    }
    return code == E_OK && count == 0 ? fail(err, E_SPEC, "option subscribe names no topic") : code;
}

/* Java's matches() takes the whole name; POSIX lacks \d. */
static enum code pattern_compile(struct kafka_source *self, regex_t *out, struct error *err)
{
    struct text text = {0};
    text_add_string(&text, "^(");
    for (const char *at = self->settings.subscribe_pattern; *at != '\0'; at++) {
        if (at[0] == '\\' && at[1] == 'd') {
            text_add_string(&text, "[0-9]");
            at++;
        } else {
            text_add_char(&text, *at);
        }
    }
    text_add_string(&text, ")$");
    int problem = regcomp(out, text.data, REG_EXTENDED | REG_NOSUB);
    text_free(&text);
    if (problem == 0)
        return E_OK;
    char why[128];
    regerror(problem, out, why, sizeof why);
    return fail(err, E_SPEC, "option subscribePattern = %s: %s", self->settings.subscribe_pattern, why);
}

static enum code matching(struct kafka_source *self, struct source_ranges *out, struct error *err)
{
    regex_t pattern;
    const struct rd_kafka_metadata *metadata;
    TRY(pattern_compile(self, &pattern, err));
    enum code code = metadata_ask(self, NULL, &metadata, err);
    if (code == E_OK) {
        for (int i = 0; i < metadata->topic_cnt && code == E_OK; i++) {
            const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
            if (strncmp(topic->topic, "__", 2) != 0 && regexec(&pattern, topic->topic, 0, NULL, 0) == 0)
                code = topic_add(self, topic, out, err);
        }
        rd_kafka_metadata_destroy(metadata);
    }
    regfree(&pattern);
    if (code == E_OK && out->count == 0)
        return fail(err, E_ABSENT, "no topic on %s matches %s", self->facts.bootstrap,
                    self->settings.subscribe_pattern);
    return code;
}

static enum code layout_ask(struct kafka_source *self, struct error *err)
{
    if (self->layout.count > 0 && os->clock_mono_us() - self->layout_us < LAYOUT_US)
        return E_OK;
    struct source_ranges found = {0};
    enum code code = self->settings.subscribe != NULL ? subscribed(self, &found, err)
                     : self->settings.subscribe_pattern != NULL
                         ? matching(self, &found, err)
                         : kafka_assign_parse(self->settings.assign, &found, err);
    arena_reset(&self->scratch);
    source_ranges_free(&self->layout);
    if (code == E_OK)
        self->layout = found;
    else
        source_ranges_free(&found);
    self->layout_us = os->clock_mono_us();
    return code;
}

/* ---- offsets ---- */

static enum code offset_take(struct kafka_source *self, const rd_kafka_topic_partition_t *answer,
                             struct source_range *range, struct error *err)
{
    char what[300];
    snprintf(what, sizeof what, "topic %s partition %" PRId32, range->topic, range->partition);
    if (answer->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return refused(self, answer->err, what, err);
    range->from = answer->offset;
    return E_OK;
}

/* rd_kafka_offsets_for_times puts each offset into ListOffsets as the time asked for, and Kafka
 * reads the times -1 and -2 as the end (the last stable offset under read_committed) and the
 * beginning: one request a leader answers all. */
enum code kafka_offsets_ask(struct kafka_source *self, struct source_ranges *ranges, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(ranges->count);
    for (int32_t i = 0; i < ranges->count; i++)
        rd_kafka_topic_partition_list_add(list, ranges->items[i].topic, ranges->items[i].partition)->offset =
            ranges->items[i].from;
    rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(self->control, list, REQUEST_TIMEOUT_MS);
    enum code code = error == RD_KAFKA_RESP_ERR_NO_ERROR ? E_OK : refused(self, error, "offsets", err);
    for (int32_t i = 0; i < ranges->count && code == E_OK; i++)
        code = offset_take(self, &list->elems[i], &ranges->items[i], err);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != E_OK)
        source_ranges_free(&self->layout); // the leader may have moved, the topic may be gone
    if (code == E_ABSENT)                  // a broker that stops says so too: only the list of partitions decides
        return fail(err, E_BROKER, "offsets: broker %s knows no such partition now", self->facts.bootstrap);
    return code;
}

static void ask_for(struct source_ranges *ranges, int64_t what)
{
    for (int32_t i = 0; i < ranges->count; i++)
        ranges->items[i].from = what;
}

/* All partitions with `earliest` and `latest`. */
static enum code bounds_ask(struct kafka_source *self, struct source_ranges *out, struct error *err)
{
    struct source_ranges earliest = {0};
    source_ranges_copy(&earliest, &self->layout);
    source_ranges_copy(out, &self->layout);
    ask_for(&earliest, OFFSET_EARLIEST);
    ask_for(out, OFFSET_LATEST);
    enum code code = kafka_offsets_ask(self, &earliest, err);
    if (code == E_OK)
        code = kafka_offsets_ask(self, out, err);
    for (int32_t i = 0; i < out->count && code == E_OK; i++) {
        out->items[i].earliest = earliest.items[i].from;
        out->items[i].latest = out->items[i].from;
    }
    source_ranges_free(&earliest);
    return code;
}

/* ---- the first start ---- */

static enum code each_named(const char *option, const struct source_ranges *given, const struct source_ranges *ranges,
                            struct error *err)
{
    for (int32_t i = 0; i < ranges->count; i++)
        if (source_ranges_find(given, ranges->items[i].topic, ranges->items[i].partition) == NULL)
            return fail(err, E_SPEC, "option %s must name every partition; topic %s partition %" PRId32 " is missing",
                        option, ranges->items[i].topic, ranges->items[i].partition);
    for (int32_t i = 0; i < given->count; i++)
        if (source_ranges_find(ranges, given->items[i].topic, given->items[i].partition) == NULL)
            return fail(err, E_SPEC, "option %s names topic %s partition %" PRId32 ", which this source does not read",
                        option, given->items[i].topic, given->items[i].partition);
    return E_OK;
}

/* What the JSON says for each range, into `from`. */
static enum code json_place(const char *option, const char *json, struct source_ranges *ranges, struct error *err)
{
    struct source_ranges given = {0};
    enum code code = kafka_offsets_parse(option, json, &given, err);
    if (code == E_OK)
        code = each_named(option, &given, ranges, err);
    for (int32_t i = 0; i < ranges->count && code == E_OK; i++)
        ranges->items[i].from = source_ranges_find(&given, ranges->items[i].topic, ranges->items[i].partition)->from;
    source_ranges_free(&given);
    return code;
}

static enum code times_place(struct kafka_source *self, const char *option, struct source_ranges *ranges,
                             struct error *err)
{
    const struct kafka_settings *settings = &self->settings;
    TRY(kafka_offsets_ask(self, ranges, err));
    for (int32_t i = 0; i < ranges->count; i++) {
        struct source_range *range = &ranges->items[i];
        if (range->from < 0 && settings->starting_strategy == 0)
            return fail(err, E_SPEC,
                        "option %s: topic %s partition %" PRId32 " has no record that young; "
                        "startingOffsetsByTimestampStrategy=latest starts at its end",
                        option, range->topic, range->partition);
    }
    return E_OK;
}

static enum code start_place(struct kafka_source *self, struct source_ranges *ranges, struct error *err)
{
    const struct kafka_settings *settings = &self->settings;
    if (settings->starting_timestamp != NULL) {
        char *end;
        int64_t time_ms = strtoll(settings->starting_timestamp, &end, 10);
        if (*end != '\0' || end == settings->starting_timestamp || time_ms < 0)
            return fail(err, E_SPEC, "option startingTimestamp = %s is no number of milliseconds since 1970",
                        settings->starting_timestamp);
        ask_for(ranges, time_ms);
        TRY(times_place(self, "startingTimestamp", ranges, err));
    } else if (settings->starting_offsets_by_timestamp != NULL) {
        TRY(json_place("startingOffsetsByTimestamp", settings->starting_offsets_by_timestamp, ranges, err));
        TRY(times_place(self, "startingOffsetsByTimestamp", ranges, err));
    } else if (strcasecmp(settings->starting_offsets, "earliest") == 0) {
        ask_for(ranges, OFFSET_EARLIEST);
    } else if (strcasecmp(settings->starting_offsets, "latest") == 0) {
        ask_for(ranges, OFFSET_LATEST);
    } else {
        TRY(json_place("startingOffsets", settings->starting_offsets, ranges, err));
    }
    for (int32_t i = 0; i < ranges->count; i++) {
        struct source_range *range = &ranges->items[i];
        if (range->from < 0)
            range->from = range->from == OFFSET_EARLIEST ? range->earliest : range->latest;
    }
    return E_OK;
}

/* ---- going on ---- */

/* The offset to go on at; E_LOST or a warning when records between were lost. */
static enum code range_check(const struct kafka_source *self, struct source_range *range, struct error *err)
{
    bool below = range->from<range->earliest, above = range->from> range->latest;
    if (!below && !above)
        return E_OK;
    if (self->settings.fail_on_data_loss && below)
        return fail(err, E_LOST,
                    "topic %s partition %" PRId32 ": offset %" PRId64
                    " is to be read next, but the earliest one left is %" PRId64 ": %" PRId64
                    " offsets are gone. failOnDataLoss=false goes on there",
                    range->topic, range->partition, range->from, range->earliest, range->earliest - range->from);
    if (self->settings.fail_on_data_loss)
        return fail(err, E_LOST,
                    "topic %s partition %" PRId32 ": offset %" PRId64
                    " is to be read next, but the partition ends at %" PRId64
                    ": the topic was made anew or cut. failOnDataLoss=false reads it from its beginning (%" PRId64 ")",
                    range->topic, range->partition, range->from, range->latest, range->earliest);
    log_warn("source %s: topic %s partition %" PRId32 ": offset %" PRId64 " is gone, going on at %" PRId64 "%s",
             self->name, range->topic, range->partition, range->from, range->earliest,
             below ? "" : " (the topic was made anew or cut)");
    range->from = range->earliest;
    return E_OK;
}

static enum code vanished_check(const struct kafka_source *self, const struct source_ranges *known,
                                const struct source_ranges *found, struct error *err)
{
    for (int32_t i = 0; i < known->count; i++) {
        const struct source_range *range = &known->items[i];
        if (source_ranges_find(found, range->topic, range->partition) != NULL)
            continue;
        if (self->settings.fail_on_data_loss)
            return fail(err, E_LOST, "topic %s partition %" PRId32 " was read up to offset %" PRId64 " and is gone now",
                        range->topic, range->partition, range->from);
        log_warn("source %s: topic %s partition %" PRId32 " is gone", self->name, range->topic, range->partition);
    }
    return E_OK;
}

static enum code known_place(const struct kafka_source *self, const struct source_ranges *known,
                             struct source_ranges *ranges, struct error *err)
{
    TRY(vanished_check(self, known, ranges, err));
    for (int32_t i = 0; i < ranges->count; i++) {
        const struct source_range *before =
            source_ranges_find(known, ranges->items[i].topic, ranges->items[i].partition);
        ranges->items[i].from = before == NULL ? 0 : before->from;
    }
    return E_OK;
}

/* ---- the callback ---- */

/* One that was never read has most likely another name. */
static enum code absent_note(const struct source_ranges *known, struct error *err)
{
    char why[512];
    snprintf(why, sizeof why, "%s", err->text);
    return fail(err, E_ABSENT, "%s%s", why,
                known->count > 0 ? " any more, and it was read before"
                                 : "; create it (leat produce does), or check the name");
}

static enum code bounds_place(struct kafka_source *self, const struct source_ranges *known,
                              struct source_ranges *ranges, struct error *err)
{
    TRY(bounds_ask(self, ranges, err));
    TRY(known->count == 0 ? start_place(self, ranges, err) : known_place(self, known, ranges, err));
    for (int32_t i = 0; i < ranges->count; i++)
        TRY(range_check(self, &ranges->items[i], err));
    return E_OK;
}

enum code kafka_discover(void *self_, const struct source_ranges *known, struct source_ranges *out, struct error *err)
{
    struct kafka_source *self = self_;
    struct source_ranges ranges = {0};
    TRY(kafka_check_waiting(self, err));
    TRY(kafka_poll(self, self->control, err));
    enum code code = layout_ask(self, err);
    if (code == E_OK) {
        self->answered = true;
        code = kafka_check_waiting(self, err);
    }
    if (code == E_OK)
        code = bounds_place(self, known, &ranges, err);
    if (code == E_OK) {
        source_ranges_free(out);
        *out = ranges;
        return E_OK;
    }
    source_ranges_free(&ranges);
    return code == E_ABSENT ? absent_note(known, err) : code;
}
