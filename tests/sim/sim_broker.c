#include "sim_broker.h"

#include <stdio.h>
#include <strings.h>

enum { ASK_TRIES = 3, ASK_WAIT_US = 100 * 1000, STALE_ONE_IN = 6, NOTHING_ONE_IN = 5 };

static struct sim_broker *installed;

/* ---- the log ---- */

void broker_init(struct sim_broker *broker, struct sim *sim, uint64_t seed)
{
    *broker = (struct sim_broker){.sim = sim, .chance = chance_of(seed, 3)};
}

static void partition_clear(struct sim_partition *partition)
{
    for (int32_t i = 0; i < partition->count; i++)
        mem_free(partition->records[i].value);
    mem_free(partition->records);
    *partition = (struct sim_partition){0};
}

void broker_close(struct sim_broker *broker)
{
    for (int32_t t = 0; t < broker->topic_count; t++)
        for (int32_t p = 0; p < SIM_PARTITIONS_MAX; p++)
            partition_clear(&broker->topics[t].partitions[p]);
    *broker = (struct sim_broker){0};
}

struct sim_topic *broker_topic(struct sim_broker *broker, const char *name, int32_t partitions)
{
    always(broker->topic_count < SIM_TOPICS_MAX && partitions <= SIM_PARTITIONS_MAX);
    struct sim_topic *topic = &broker->topics[broker->topic_count++];
    *topic = (struct sim_topic){.id = 1, .partition_count = partitions};
    snprintf(topic->name, sizeof topic->name, "%s", name);
    return topic;
}

void broker_append(struct sim_partition *partition, const char *value, int64_t timestamp_us, int64_t arrives_us)
{
    mem_grow(partition->records, partition->capacity, partition->count + 1);
    partition->records[partition->count++] =
        (struct sim_record){partition->next++, timestamp_us, arrives_us, mem_strdup(value)};
}

void broker_skip(struct sim_partition *partition, int64_t offsets) { partition->next += offsets; }

static void records_drop(struct sim_partition *partition, int64_t from, int64_t to)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < partition->count; i++)
        if (partition->records[i].offset >= from && partition->records[i].offset < to)
            mem_free(partition->records[i].value);
        else
            partition->records[kept++] = partition->records[i];
    partition->count = kept;
}

void broker_retain_from(struct sim_partition *partition, int64_t offset)
{
    records_drop(partition, 0, offset);
    partition->start = offset;
}

void broker_cut(struct sim_partition *partition, int64_t end)
{
    records_drop(partition, end, INT64_MAX);
    partition->next = end;
}

void broker_recreate(struct sim_topic *topic)
{
    for (int32_t p = 0; p < topic->partition_count; p++)
        partition_clear(&topic->partitions[p]);
    topic->id++;
}

/* The next offset after what has arrived. */
static int64_t partition_latest(const struct sim_partition *partition, int64_t now_us)
{
    for (int32_t i = 0; i < partition->count; i++)
        if (partition->records[i].arrives_us > now_us)
            return partition->records[i].offset;
    return partition->next;
}

/* ---- the source ---- */

struct sim_source {
    struct sim_broker *broker;
    struct sim_topic *topic;
    struct arena arena;
    const struct type *schema;
    bool needed[SOURCE_COLUMN_COUNT];
    int32_t rows_max;
    bool sought;
};

static enum code source_open(void *self_, const struct source_spec *spec, struct error *err)
{
    struct sim_source *self = self_;
    size_t position;
    *self = (struct sim_source){.broker = installed, .rows_max = spec->batch_rows > 0 ? spec->batch_rows : 100};
    for (int32_t i = 0; i < spec->option_count; i++)
        for (int32_t t = 0; strcasecmp(spec->option_names[i], "subscribe") == 0 && t < installed->topic_count; t++)
            if (strcmp(installed->topics[t].name, spec->option_values[i]) == 0)
                self->topic = &installed->topics[t];
    if (self->topic == NULL)
        return fail(err, E_SPEC, "the simulated broker has no such topic");
    memcpy(self->needed, spec->needed, sizeof self->needed);
    return type_parse_ddl(
        &self->arena,
        bytes_of_string("key BINARY, value BINARY, topic STRING, partition INT, offset BIGINT, timestamp "
                        "TIMESTAMP, timestampType INT"),
        &self->schema, &position, err);
}

static void source_close(void *self_)
{
    struct sim_source *self = self_;
    arena_free(&self->arena);
}

static enum code ask(struct sim_source *self, const char *what, struct error *err)
{
    bool done;
    enum code code = E_OK;
    for (int i = 0; i < ASK_TRIES; i++) {
        error_clear(err);
        code = sim_call_other(SIM_BROKER, what, &done, err);
        if (code != E_BROKER)
            break;
        os->sleep_us(ASK_WAIT_US << i);
    }
    (void)self;
    return code;
}

static enum code place(const struct sim_source *self, int32_t number, const struct source_range *before, bool first,
                       struct source_range *range, struct error *err)
{
    const struct sim_partition *partition = &self->topic->partitions[number];
    snprintf(range->topic_id, sizeof range->topic_id, "id-%d", self->topic->id);
    range->earliest = partition->start;
    range->latest = partition_latest(partition, sim_now_us(self->broker->sim));
    if (range->latest < range->earliest)
        range->latest = range->earliest;
    range->from = before != NULL ? before->from : first ? range->earliest : 0;
    if (before != NULL && before->topic_id[0] != '\0' && strcmp(before->topic_id, range->topic_id) != 0)
        return fail(err, E_LOST, "topic %s was made anew: its id was %s and is %s", range->topic, before->topic_id,
                    range->topic_id);
    if (range->from < range->earliest || range->from > range->latest)
        return fail(err, E_LOST, "topic %s partition %d: offset %lld is not in %lld to %lld", range->topic, number,
                    (long long)range->from, (long long)range->earliest, (long long)range->latest);
    if (chance_one_in(&self->broker->chance, STALE_ONE_IN)) // an answer from before
        range->latest = chance_between(&self->broker->chance, range->from, range->latest);
    return E_OK;
}

static enum code source_discover(void *self_, const struct source_ranges *known, struct source_ranges *out,
                                 struct error *err)
{
    struct sim_source *self = self_;
    struct source_ranges found = {0};
    TRY(ask(self, self->topic->name, err));
    enum code code = E_OK;
    for (int32_t p = 0; code == E_OK && p < self->topic->partition_count; p++) {
        const struct source_range *before = source_ranges_find(known, self->topic->name, p);
        code = place(self, p, before, known->count == 0, source_ranges_add(&found, self->topic->name, p), err);
    }
    if (code != E_OK) {
        source_ranges_free(&found);
        return code;
    }
    source_ranges_free(out);
    *out = found;
    return E_OK;
}

static enum code source_seek(void *self_, const struct source_ranges *ranges, struct error *err)
{
    struct sim_source *self = self_;
    (void)ranges, (void)err;
    self->sought = true;
    return E_OK;
}

struct columns {
    struct builder builders[SOURCE_HEADERS];
    int64_t rows;
};

static void record_put(const struct sim_source *self, struct columns *columns, int32_t partition,
                       const struct sim_record *record)
{
    struct builder *b = columns->builders;
    builder_null(&b[SOURCE_KEY]);
    builder_bytes(&b[SOURCE_VALUE], bytes_of_string(record->value));
    builder_bytes(&b[SOURCE_TOPIC], bytes_of_string(self->topic->name));
    builder_int(&b[SOURCE_PARTITION], partition);
    builder_int(&b[SOURCE_OFFSET], record->offset);
    builder_int(&b[SOURCE_TIMESTAMP], record->timestamp_us);
    builder_int(&b[SOURCE_TIMESTAMP_TYPE], 0);
    columns->rows++;
}

/* Records of one partition into the batch, and `from` behind them. */
static enum code range_take(struct sim_source *self, struct source_range *range, struct columns *columns,
                            struct error *err)
{
    const struct sim_partition *partition = &self->topic->partitions[range->partition];
    int64_t now_us = sim_now_us(self->broker->sim), latest = partition_latest(partition, now_us);
    int64_t to = range->to >= 0 && range->to < latest ? range->to : latest;
    int64_t most = chance_between(&self->broker->chance, 1, self->rows_max);
    if (range->from < partition->start)
        return fail(err, E_LOST, "topic %s partition %d: offset %lld is gone, the first one left is %lld", range->topic,
                    range->partition, (long long)range->from, (long long)partition->start);
    for (int32_t i = 0; i < partition->count && columns->rows < self->rows_max && most > 0; i++) {
        const struct sim_record *record = &partition->records[i];
        if (record->offset < range->from)
            continue;
        if (record->offset >= to)
            break;
        record_put(self, columns, range->partition, record);
        range->from = record->offset + 1;
        most--;
    }
    if (most > 0 && columns->rows < self->rows_max && range->from < to) // no more records below: a gap at the end
        range->from = to;
    return E_OK;
}

static void columns_finish(const struct sim_source *self, struct columns *columns, struct batch *out)
{
    if (columns->rows > 0)
        batch_init(out, self->schema, columns->rows);
    for (int32_t c = 0; c < SOURCE_HEADERS; c++) {
        if (columns->rows > 0 && self->needed[c])
            builder_finish(&columns->builders[c], &out->columns[c]);
        builder_release(&columns->builders[c]);
    }
}

static enum code source_fetch(void *self_, struct source_ranges *ranges, int64_t wait_us, struct batch *out, bool *done,
                              struct error *err)
{
    struct sim_source *self = self_;
    bool answered;
    TRY(sim_call_other(SIM_FETCH, self->topic->name, &answered, err));
    always(self->sought);
    struct columns columns = {0};
    enum code code = E_OK;
    for (int32_t c = 0; c < SOURCE_HEADERS; c++)
        builder_init(&columns.builders[c], self->schema->fields[c].type);
    int32_t first = (int32_t)chance_below(&self->broker->chance, ranges->count + 1);
    for (int32_t i = 0; code == E_OK && i < ranges->count; i++)
        if (!chance_one_in(&self->broker->chance, NOTHING_ONE_IN))
            code = range_take(self, &ranges->items[(first + i) % ranges->count], &columns, err);
    columns_finish(self, &columns, out);
    if (out->rows == 0)
        os->sleep_us(wait_us);
    *done = true;
    for (int32_t i = 0; i < ranges->count; i++)
        *done &= ranges->items[i].to >= 0 && ranges->items[i].from >= ranges->items[i].to;
    return code;
}

static enum code source_mirror(void *self_, const struct source_ranges *committed, struct error *err)
{
    struct sim_source *self = self_;
    bool done;
    (void)committed;
    return sim_call_other(SIM_BROKER, self->topic->name, &done, err);
}

static void source_stop(void *self) { (void)self; }

void broker_install(struct sim_broker *broker)
{
    static struct source_type type = {
        .name = "kafka",
        .help = "a simulated broker",
        .size = sizeof(struct sim_source),
        .open = source_open,
        .discover = source_discover,
        .seek = source_seek,
        .fetch = source_fetch,
        .mirror = source_mirror,
        .stop = source_stop,
        .close = source_close,
    };
    source_install(NULL);
    type.options = source_find("kafka")->options;
    installed = broker;
    source_install(broker != NULL ? &type : NULL);
}
