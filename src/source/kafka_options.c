/* kafka_options.c - Spark's options of a Kafka stream, read and checked. */
#include "source/kafka.h"

#include <stddef.h>
#include <strings.h>

#include "base/log.h"

#define AT(field) offsetof(struct kafka_settings, field)

const struct option kafka_options[] = {
    {.name = "subscribe", .kind = OPTION_STRING, .help = "topics, separated by commas", .offset = AT(subscribe)},
    {.name = "subscribePattern",
     .kind = OPTION_STRING,
     .help = "regular expression that a topic's whole name must match",
     .offset = AT(subscribe_pattern)},
    {.name = "assign", .kind = OPTION_STRING, .help = "partitions as JSON: {\"topic\":[0,1]}", .offset = AT(assign)},
    {.name = "startingOffsets",
     .kind = OPTION_STRING,
     .initial = "latest",
     .help =
         "where the first start begins: earliest, latest, or {\"topic\":{\"0\":23,\"1\":-1}}; -1 latest, -2 earliest",
     .offset = AT(starting_offsets)},
    {.name = "startingTimestamp",
     .kind = OPTION_STRING,
     .help = "first start at this time, milliseconds since 1970, all partitions",
     .offset = AT(starting_timestamp)},
    {.name = "startingOffsetsByTimestamp",
     .kind = OPTION_STRING,
     .help = "the same per partition: {\"topic\":{\"0\":1767225600000}}",
     .offset = AT(starting_offsets_by_timestamp)},
    {.name = "startingOffsetsByTimestampStrategy",
     .kind = OPTION_ENUM,
     .initial = "error",
     .choices = "error|latest",
     .help = "when no record is that young",
     .offset = AT(starting_strategy)},
    {.name = "endingOffsets", .kind = OPTION_STRING, .help = "batch reads only", .offset = AT(ending_offsets)},
    {.name = "endingTimestamp", .kind = OPTION_STRING, .help = "batch reads only", .offset = AT(ending_timestamp)},
    {.name = "endingOffsetsByTimestamp",
     .kind = OPTION_STRING,
     .help = "batch reads only",
     .offset = AT(ending_offsets_by_timestamp)},
    {.name = "maxOffsetsPerTrigger",
     .kind = OPTION_INT,
     .help = "most records of an epoch, split in proportion to each partition's backlog",
     .offset = AT(rows_max)},
    {.name = "minOffsetsPerTrigger",
     .kind = OPTION_INT,
     .help = "no effect: an epoch starts when its trigger says so",
     .offset = AT(rows_min)},
    {.name = "maxTriggerDelay", .kind = OPTION_DURATION, .help = "no effect", .offset = AT(delay_us)},
    {.name = "minPartitions",
     .kind = OPTION_INT,
     .help = "no effect: leat's workers share all partitions",
     .offset = AT(min_partitions)},
    {.name = "maxRecordsPerPartition", .kind = OPTION_INT, .help = "no effect", .offset = AT(records_per_partition)},
    {.name = "groupIdPrefix",
     .kind = OPTION_STRING,
     .help = "prefix of the group id; kafka.group.id wins",
     .offset = AT(group_prefix)},
    {.name = "failOnDataLoss",
     .kind = OPTION_BOOLEAN,
     .initial = "true",
     .help = "stop when offsets are gone; false: skip them, count them, warn",
     .offset = AT(fail_on_data_loss)},
    {.name = "includeHeaders",
     .kind = OPTION_BOOLEAN,
     .initial = "false",
     .help = "add the column `headers`",
     .offset = AT(include_headers)},
    {.name = "kafkaConsumer.pollTimeoutMs", .kind = OPTION_INT, .help = "no effect", .offset = AT(poll_timeout_ms)},
    {.name = "fetchOffset.numRetries",
     .kind = OPTION_INT,
     .help = "no effect: leat retries by its own rule",
     .offset = AT(retries)},
    {.name = "fetchOffset.retryIntervalMs", .kind = OPTION_INT, .help = "no effect", .offset = AT(retry_ms)},
    {0},
};

static enum code options_copy(struct kafka_source *self, const struct source_spec *spec, struct error *err)
{
    const char **names = arena_array(&self->arena, const char *, (size_t)spec->option_count + 1);
    const char **values = arena_array(&self->arena, const char *, (size_t)spec->option_count + 1);
    options_defaults(kafka_options, &self->settings, &self->arena);
    for (int32_t i = 0; i < spec->option_count; i++) {
        names[i] = arena_strdup(&self->arena, spec->option_names[i]);
        values[i] = arena_strdup(&self->arena, spec->option_values[i]);
        bool ours = strncasecmp(names[i], "kafka.", 6) != 0 && strcasecmp(names[i], "format") != 0;
        if (ours && values[i][0] != '\0') // ${env:NAME:-} renders an option that is not set as empty
            TRY(option_set(kafka_options, &self->settings, names[i], values[i], &self->arena, err));
    }
    self->client_options = (struct kafka_client_options){names, values, spec->option_count};
    return E_OK;
}

static enum code settings_check(const struct kafka_settings *settings, struct error *err)
{
    int ways = (settings->subscribe != NULL) + (settings->subscribe_pattern != NULL) + (settings->assign != NULL);
    if (ways != 1)
        return fail(err, E_SPEC, "%s: give exactly one of subscribe, subscribePattern and assign",
                    ways == 0 ? "the source names no topic" : "the source names its topics twice");
    if (settings->ending_offsets != NULL || settings->ending_timestamp != NULL ||
        settings->ending_offsets_by_timestamp != NULL)
        return fail(err, E_SPEC,
                    "endingOffsets and endingTimestamp are for batch reads; a stream has no end "
                    "(run it with --once to stop at what is there now)");
    if (settings->min_partitions > 0 || settings->rows_min > 0)
        log_info("minPartitions and minOffsetsPerTrigger have no effect on leat");
    return E_OK;
}

static enum code starting_check(const char *value, struct source_ranges *ranges, struct error *err)
{
    static const char *const words[] = {"earliest", "latest"};
    if (strcasecmp(value, words[0]) == 0 || strcasecmp(value, words[1]) == 0)
        return E_OK;
    if (value[0] == '{')
        return kafka_offsets_parse("startingOffsets", value, ranges, err);
    const char *near = nearest_word(value, words, 2);
    return fail(err, E_SPEC,
                "option startingOffsets: %s is neither earliest, latest nor JSON like {\"topic\":{\"0\":23}}%s%s",
                value, near != NULL ? "; did you mean " : "", near != NULL ? near : "");
}

/* What is JSON is read again when it is needed. */
enum code kafka_option_check(const char *name, const char *value, struct error *err)
{
    struct source_ranges ranges = {0};
    enum code code = E_OK;
    if (strncasecmp(name, "kafka.", 6) == 0)
        code = kafka_client_check(KAFKA_CONSUMER, name, value, err);
    else if (strcasecmp(name, "startingOffsets") == 0)
        code = starting_check(value, &ranges, err);
    else if (strcasecmp(name, "startingOffsetsByTimestamp") == 0)
        code = kafka_offsets_parse("startingOffsetsByTimestamp", value, &ranges, err);
    else if (strcasecmp(name, "assign") == 0)
        code = kafka_assign_parse(value, &ranges, err);
    source_ranges_free(&ranges);
    return code;
}

static enum code offsets_check(const struct kafka_settings *settings, struct error *err)
{
    TRY(kafka_option_check("startingOffsets", settings->starting_offsets, err));
    if (settings->starting_offsets_by_timestamp != NULL)
        TRY(kafka_option_check("startingOffsetsByTimestamp", settings->starting_offsets_by_timestamp, err));
    return settings->assign != NULL ? kafka_option_check("assign", settings->assign, err) : E_OK;
}

enum code kafka_settings_read(struct kafka_source *self, const struct source_spec *spec, struct error *err)
{
    TRY(options_copy(self, spec, err));
    TRY(settings_check(&self->settings, err));
    return offsets_check(&self->settings, err);
}
