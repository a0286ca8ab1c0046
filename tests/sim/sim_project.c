#include "sim_project.h"

#include <inttypes.h>
#include <stdio.h>

#include "data/timestamp.h"
#include "sql/sql.h"

enum {
    PHASE_RECORDS_MAX = 24,
    KEYS = 4,
    SPREAD_S = 540,
    PHASE_S = 3600,
    BAD_ONE_IN = 8,
    NUMBERS = 20,
    SKIP_ONE_IN = 12
};
#define FIRST_US ((int64_t)1767225600 * 1000000) /* 2026-01-01 */
#define DELAY "INTERVAL 20 MINUTES"

/* Every template reads topic t, and u where it joins: views r and q have the records as columns, rw and qw a watermark. */
#define VIEWS(name, topic)                                                                                                  \
    "CREATE TEMPORARY VIEW " name " AS SELECT j.id, j.k, j.at, j.v, j.s, j.m, partition, offset FROM (SELECT "              \
    "from_json(CAST(value AS STRING), 'id BIGINT, k STRING, at TIMESTAMP, v INT, s STRING, m TIMESTAMP') AS j, partition, " \
    "offset FROM STREAM " topic ");\n"                                                                                      \
    "CREATE TEMPORARY VIEW " name "w AS SELECT * FROM STREAM " name " WATERMARK at DELAY OF " DELAY ";\n"

static const struct template
{
    const char *name;
    int32_t topics;
    const char *sql;
    const char *sent; /* what goes to a topic; or NULL */
}
templates[] = {
    {.name = "plain",
     .topics = 1,
     .sql = "CREATE STREAMING TABLE a AS SELECT id, k, v, partition, offset FROM STREAM r;"},
    {.name = "filtered",
     .topics = 1,
     .sql = "CREATE STREAMING TABLE big AS SELECT id, v * 2 AS w FROM STREAM r WHERE v >= 50;\n"
            "CREATE STREAMING TABLE small AS SELECT id, upper(k) AS k FROM STREAM r WHERE v < 50;"},
    {.name = "partitioned",
     .topics = 1,
     .sql = "CREATE STREAMING TABLE a PARTITIONED BY (k) AS SELECT id, v, k FROM STREAM r;"},
    {.name = "quarantine",
     .topics = 1,
     .sql = "CREATE STREAMING TABLE n AS SELECT id, CAST(s AS INT) AS n FROM STREAM r;\n"
            "CREATE STREAMING TABLE a AS SELECT id, s FROM STREAM r;"},
    {.name = "formats",
     .topics = 1,
     .sql = "CREATE STREAMING TABLE a USING parquet AS SELECT id, k FROM STREAM r;\n"
            "CREATE STREAMING TABLE b USING csv AS SELECT id, s FROM STREAM r;\n"
            "CREATE STREAMING TABLE c USING json PARTITIONED BY (k) AS SELECT id, v, k FROM STREAM r;"},
    {.name = "tumbling",
     .topics = 1,
     .sql =
         "CREATE STREAMING TABLE w AS SELECT k, window.start AS start, count(*) AS n, sum(v) AS v FROM STREAM r WATERMARK at "
         "DELAY OF " DELAY " GROUP BY k, window(at, '1 minute');"},
    {.name = "sliding",
     .topics = 1,
     .sql =
         "CREATE STREAMING TABLE w AS SELECT k, window.start AS start, count(*) AS n, min(v) AS low, max(v) AS high FROM STREAM "
         "r WATERMARK at DELAY OF " DELAY " GROUP BY k, window(at, '3 minutes', '1 minute');"},
    {.name = "session",
     .topics = 1,
     .sql =
         "CREATE STREAMING TABLE s AS SELECT k, session_window.start AS start, session_window.end AS end, count(*) AS n FROM "
         "STREAM r WATERMARK at DELAY OF " DELAY " GROUP BY k, session_window(at, '30 seconds');"},
    {.name = "distinct",
     .topics = 1,
     .sql = "CREATE STREAMING TABLE d AS SELECT DISTINCT k, at FROM STREAM r WATERMARK at DELAY OF " DELAY ";"},
    {.name = "dedup",
     .topics = 1,
     .sql =
         "CREATE TEMPORARY VIEW mw AS SELECT s, m FROM STREAM r WATERMARK m DELAY OF " DELAY ";\n"
         "CREATE STREAMING TABLE d TBLPROPERTIES ('leat.dedup' = 's', 'leat.dedup.within_watermark' = 'true') AS SELECT s, m "
         "FROM STREAM mw;"},
    {.name = "join",
     .topics = 2,
     .sql = "CREATE STREAMING TABLE p AS SELECT x.id AS x, y.id AS y, x.k FROM STREAM rw AS x JOIN STREAM qw AS y "
            "ON x.k = y.k AND y.at BETWEEN x.at AND x.at + INTERVAL 1 MINUTE;"},
    {.name = "left join",
     .topics = 2,
     .sql = "CREATE STREAMING TABLE p AS SELECT x.id AS x, y.id AS y FROM STREAM rw AS x LEFT JOIN STREAM qw AS y "
            "ON x.v = y.v AND y.at BETWEEN x.at AND x.at + INTERVAL 2 MINUTES;"},
    {.name = "medallion",
     .topics = 1,
     .sql =
         "CREATE STREAMING TABLE bronze AS SELECT CAST(value AS STRING) AS value, partition, offset FROM STREAM t;\n"
         "CREATE STREAMING TABLE silver AS SELECT id, k, at, v FROM STREAM r WHERE v <> 7;\n"
         "CREATE STREAMING TABLE gold AS SELECT k, window.start AS start, count(*) AS n, sum(v) AS v FROM STREAM silver "
         "WATERMARK at DELAY OF " DELAY " GROUP BY k, window(at, '2 minutes');"},
    {.name = "union",
     .topics = 1,
     .sql =
         "CREATE STREAMING TABLE a AS SELECT id, 'low' AS side FROM STREAM r WHERE v < 30 UNION ALL SELECT id, 'any' AS side "
         "FROM STREAM r;"},
    {.name = "topic",
     .topics = 1,
     .sql =
         "CREATE TEMPORARY VIEW sent AS SELECT CAST(id AS STRING) AS key, to_json(struct(id, k, v)) AS value FROM STREAM r;",
     .sent = "sent"},
    {.name = "topic and tables",
     .topics = 1,
     .sql =
         "CREATE STREAMING TABLE a AS SELECT id, v FROM STREAM r;\n"
         "CREATE STREAMING TABLE w AS SELECT k, window.start AS start, count(*) AS n FROM STREAM rw GROUP BY k, window(at, "
         "'1 minute');\n"
         "CREATE TEMPORARY VIEW sent AS SELECT k AS key, to_json(struct(k, start, n)) AS value FROM STREAM w;",
     .sent = "sent"},
};
enum { TEMPLATES = sizeof templates / sizeof *templates };

int32_t project_templates(void) { return TEMPLATES; }

const char *project_template(int32_t i) { return templates[i].name; }

/* ---- settings ---- */

static void spec_choose(struct sim_project *project, struct sim_chance *chance, const char *sent)
{
    static const char *const formats[] = {"json", "csv", "parquet"};
    struct text *spec = &project->spec;
    text_add_string(spec, "name: simulated\nstorage: file:///sim/storage\n"
                          "libraries: [{glob: {include: transformations/**}}]\nconfiguration:\n"
                          "  leat.checkpoint: /sim/checkpoint\n  leat.tables.path: /sim/tables\n"
                          "  spark.sql.session.timeZone: UTC\n");
    for (int32_t t = 0; t < project->topic_count; t++)
        text_printf(spec,
                    "  source.%c.format: kafka\n  source.%c.subscribe: %c\n  source.%c.startingOffsets: earliest\n"
                    "  source.%c.kafka.bootstrap.servers: simulated:9092\n  source.%c.maxOffsetsPerTrigger: '%d'\n",
                    't' + t, 't' + t, 't' + t, 't' + t, 't' + t, 't' + t, (int)chance_between(chance, 3, 40));
    if (sent != NULL)
        text_printf(spec,
                    "  sink.out.format: kafka\n  sink.out.from: %s\n  sink.out.topic: out\n"
                    "  sink.out.kafka.bootstrap.servers: simulated:9092\n",
                    sent);
    text_printf(spec, "  spark.sql.sources.default: %s\n", formats[chance_below(chance, 3)]);
    text_printf(spec, "  leat.threads: '%d'\n", (int)chance_between(chance, 1, 3));
    text_printf(spec, "  leat.batch.rows: '%d'\n", (int)chance_between(chance, 1, 12));
    text_printf(spec, "  leat.snapshot.epochs: '%d'\n", (int)chance_between(chance, 1, 6));
    if (chance_one_in(chance, 2))
        text_printf(spec, "  leat.files.max_records: '%d'\n", (int)chance_between(chance, 1, 8));
    if (chance_one_in(chance, 3))
        text_printf(spec, "  leat.files.per_partition: '%d'\n", (int)chance_between(chance, 1, 3));
}

/* ---- records ---- */

static const char *time_text(struct sim_project *project, int64_t at_us)
{
    char text[TIMESTAMP_TEXT_MAX + 1];
    text[timestamp_print(at_us, zone_utc(), text)] = '\0';
    return arena_strdup(&project->arena, text);
}

/* s is a number or, of a bad record, none; within a phase it comes again, and always with the same time m. */
static const char *value_make(struct sim_project *project, struct sim_chance *chance, int32_t phase, int64_t at_us,
                              int64_t id)
{
    int64_t number = chance_below(chance, NUMBERS);
    int64_t number_us = FIRST_US + (phase * PHASE_S + number * SPREAD_S / NUMBERS) * 1000000;
    return arena_printf(
        &project->arena, "{\"id\":%" PRId64 ",\"k\":\"k%d\",\"at\":\"%s\",\"v\":%d,\"s\":\"%s%d\",\"m\":\"%s\"}", id,
        (int)chance_below(chance, KEYS), time_text(project, at_us), (int)chance_below(chance, 100),
        number % BAD_ONE_IN == 0 ? "x" : "", (int)(phase * 100 + number), time_text(project, number_us));
}

static void record_make(struct sim_project *project, struct sim_chance *chance, int32_t topic, int32_t phase,
                        int32_t number)
{
    int32_t partitions = project->partitions[topic];
    if (topic == 0 && phase < project->late_partition_phase)
        partitions--;
    int64_t at_us = FIRST_US + ((int64_t)phase * PHASE_S + chance_below(chance, SPREAD_S)) * 1000000;
    mem_grow(project->records, project->record_capacity, project->record_count + 1);
    project->records[project->record_count++] = (struct project_record){
        .topic = topic,
        .partition = (int32_t)chance_below(chance, partitions),
        .phase = phase,
        .timestamp_us = at_us,
        .skip = chance_one_in(chance, SKIP_ONE_IN) ? chance_between(chance, 1, 5) : 0,
        .value = value_make(project, chance, phase, at_us, phase * 1000 + number),
    };
}

static void records_make(struct sim_project *project, struct sim_chance *chance)
{
    for (int32_t phase = 0; phase < project->phases; phase++)
        for (int32_t topic = 0; topic < project->topic_count; topic++) {
            int64_t count = chance_between(chance, 1, PHASE_RECORDS_MAX);
            for (int32_t i = 0; i < count; i++)
                record_make(project, chance, topic, phase, i);
        }
}

void project_choose(struct sim_project *project, uint64_t seed, const char *name)
{
    struct sim_chance chance = chance_of(seed, 4);
    const struct template *template = &templates[chance_below(&chance, TEMPLATES)];
    for (int32_t i = 0; name != NULL && i < TEMPLATES; i++)
        if (strcmp(templates[i].name, name) == 0)
            template = &templates[i];
    *project = (struct sim_project){.seed = seed, .name = template->name, .topic_count = template->topics};
    project->sql = arena_printf(&project->arena, "%s%s%s", VIEWS("r", "t"), template->topics > 1 ? VIEWS("q", "u") : "",
                                template->sql);
    for (int32_t t = 0; t < project->topic_count; t++)
        project->partitions[t] = (int32_t)chance_between(&chance, 1, SIM_PARTITIONS_MAX - 1);
    project->phases = (int32_t)chance_between(&chance, 1, SIM_PHASES_MAX);
    if (project->partitions[0] > 1 && project->phases > 1 && chance_one_in(&chance, 4))
        project->late_partition_phase = (int32_t)chance_between(&chance, 1, project->phases - 1);
    spec_choose(project, &chance, template->sent);
    records_make(project, &chance);
}

void project_close(struct sim_project *project)
{
    text_free(&project->spec);
    mem_free(project->records);
    mem_free(project->problems.texts);
    arena_free(&project->arena);
}

/* ---- on the disk ---- */

static enum code put(const char *path, struct bytes content, struct error *err)
{
    int handle;
    TRY(os->file_open(path, OS_WRITE | OS_CREATE_NEW, &handle, err));
    TRY(os->file_write(handle, content.data, content.size, err));
    TRY(os->file_sync(handle, err));
    return os->file_close(handle, err);
}

enum code project_write(struct sim_project *project, struct error *err)
{
    static const char *const folders[] = {"/", "/sim", "/sim/project", "/sim/project/transformations"};
    TRY(os->dir_make("/sim/project/transformations", err));
    TRY(put("/sim/project/spark-pipeline.yml", text_view(&project->spec), err));
    TRY(put("/sim/project/transformations/pipeline.sql", bytes_of_string(project->sql), err));
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        TRY(os->dir_sync(folders[i], err));
    return E_OK;
}

enum code project_compile(struct sim_project *project, struct error *err)
{
    struct session *session = arena_new(&project->arena, struct session);
    *session = (struct session){.zone = zone_utc(), .ansi = true};
    const struct project_environment environment = {.session = session};
    TRY(project_load(&project->arena, "/sim/project", &environment, &project->pipeline, &project->problems, err));
    return runtime_check(&project->arena, project->pipeline, &project->problems, err);
}

/* ---- at the broker ---- */

void project_topics(const struct sim_project *project, struct sim_broker *broker)
{
    for (int32_t t = 0; t < project->topic_count; t++) {
        char name[2] = {(char)('t' + t), '\0'};
        int32_t partitions = project->partitions[t] - (t == 0 && project->late_partition_phase > 0);
        (void)broker_topic(broker, name, partitions);
    }
}

void project_release(const struct sim_project *project, struct sim_broker *broker, int32_t phase, bool slowly)
{
    if (phase > 0 && phase == project->late_partition_phase)
        broker->topics[0].partition_count = project->partitions[0];
    int64_t arrives_us = sim_now_us(broker->sim);
    for (int32_t i = 0; i < project->record_count; i++) {
        const struct project_record *record = &project->records[i];
        if (record->phase != phase)
            continue;
        struct sim_partition *partition = &broker->topics[record->topic].partitions[record->partition];
        if (slowly)
            arrives_us += chance_below(&broker->chance, 20 * 1000);
        broker_skip(partition, record->skip);
        broker_append(partition, record->value, record->timestamp_us, arrives_us);
    }
}
