#include <strings.h>

#include "sql/sql.h"

#define AT(member) offsetof(struct run_settings, member)

// clang-format off
const struct option leat_settings[] = {
    {.name = "leat.trigger", .kind = OPTION_STRING, .initial = "continuous", .offset = AT(trigger),
     .help = "when an epoch starts: continuous, once, or an interval such as 30 seconds"},
    {.name = "leat.materialized_view.trigger", .kind = OPTION_DURATION, .initial = "0 seconds", .max = (int64_t)7 * 86400 * 1000000,
     .offset = AT(views_interval_us),
     .help = "materialized views are computed again at most so often, when what they read has changed; 0 seconds: in every such epoch. "
             "With trigger once, and at the first start, they are computed in any case"},
    {.name = "leat.tables.path", .kind = OPTION_STRING, .offset = AT(tables_path),
     .help = "folder of the tables, one folder each, or s3://bucket/prefix; default <storage>/tables"},
    {.name = "leat.checkpoint", .kind = OPTION_STRING, .offset = AT(checkpoint),
     .help = "folder of the chain of commit records and the state, or s3://bucket/prefix; default <storage>/checkpoint"},
    {.name = "leat.spill.path", .kind = OPTION_STRING, .offset = AT(spill_path),
     .help = "folder on a disk of this machine for state that does not fit into leat.memory; default <checkpoint>/spill, or $TMPDIR "
             "when the checkpoint is in S3"},
    {.name = "leat.memory", .kind = OPTION_BYTES, .initial = "1g", .min = 32 << 20, .max = (int64_t)1 << 44,
     .offset = AT(memory_bytes), .help = "ceiling of what grows with the data, bytes"},
    {.name = "leat.threads", .kind = OPTION_INT, .initial = "0", .min = 0, .max = 64, .offset = AT(threads),
     .help = "worker threads; 0 = one per core"},
    {.name = "leat.on_error", .kind = OPTION_ENUM, .initial = "quarantine", .choices = "quarantine|fail",
     .offset = AT(on_error), .help = "what a row does whose expression fails (bad cast, overflow, 1/0)"},
    {.name = "leat.quarantine", .kind = OPTION_STRING, .offset = SIZE_MAX,
     .help = "folder beside the tables for rows that failed, of tables that name none; default _quarantine"},
    {.name = "leat.quarantine.topic", .kind = OPTION_STRING, .offset = SIZE_MAX,
     .help = "Kafka topic for rows that failed, of tables that name no quarantine: instead of the folder, or beside it when "
             "leat.quarantine is set as well"},
    {.name = "leat.quarantine.kafka.*", .kind = OPTION_STRING, .offset = SIZE_MAX,
     .help = "options of Java's client for these topics, such as leat.quarantine.kafka.bootstrap.servers; default: the cluster "
             "and security of the first Kafka source"},
    {.name = "leat.quarantine.format", .kind = OPTION_ENUM, .initial = "parquet", .choices = "parquet|json",
     .offset = AT(quarantine_format),
     .help = "of quarantine folders; json: lines, with what is no UTF-8 in base64 columns of its own"},
    {.name = "leat.quarantine.max_value", .kind = OPTION_BYTES, .initial = "1m", .min = 16, .max = (int64_t)1 << 30,
     .offset = AT(quarantine_value_max),
     .help = "most bytes that a quarantine keeps of a key and of a value; what is cut is told by key_bytes and value_bytes"},
    {.name = "leat.epoch.max_records", .kind = OPTION_INT, .initial = "500000", .min = 0, .max = INT64_MAX,
     .offset = AT(epoch_records_max), .help = "most records of an epoch when maxOffsetsPerTrigger is not set; 0 = no limit"},
    {.name = "leat.files.max_staleness", .kind = OPTION_DURATION, .initial = "10 seconds", .min = 1000,
     .max = (int64_t)86400 * 1000000, .offset = AT(max_staleness_us),
     .help = "continuous trigger: the longest a record waits before its epoch is committed"},
    {.name = "leat.batch.rows", .kind = OPTION_INT, .initial = "8192", .min = 1, .max = 8192, .offset = AT(batch_rows),
     .help = "most rows that a source puts into one batch: fewer need less memory, more run faster"},
    {.name = "leat.source.buffer", .kind = OPTION_BYTES, .initial = "64m", .min = 1 << 20, .max = (int64_t)1 << 34,
     .offset = AT(buffer_bytes), .help = "most bytes prefetched from a source"},
    {.name = "leat.retry.limit", .kind = OPTION_STRING, .offset = AT(retry_limit),
     .help = "give up, with exit 1, when a broker or a disk has failed for so long: a duration, or never. Default: never; "
             "2 minutes with trigger once"},
    {.name = "leat.retry.attempts", .kind = OPTION_INT, .initial = "0", .min = 0, .max = INT32_MAX, .offset = AT(retry_attempts),
     .help = "give up after so many failed attempts in a row; 0 = any number"},
    {.name = "leat.retry.initial", .kind = OPTION_DURATION, .initial = "200 ms", .min = 1000, .max = (int64_t)3600 * 1000000,
     .offset = AT(retry_initial_us),
     .help = "the wait after a first failure is a random time below this; the ceiling doubles with each further one"},
    {.name = "leat.retry.max", .kind = OPTION_DURATION, .initial = "5 seconds", .min = 1000, .max = (int64_t)3600 * 1000000,
     .offset = AT(retry_max_us), .help = "where that ceiling stops to grow"},
    {.name = "leat.circuit.failures", .kind = OPTION_INT, .initial = "5", .min = 1, .max = 1000000,
     .offset = AT(circuit_failures),
     .help = "so many failures in a row open the circuit: from then on only cheap single questions are asked"},
    {.name = "leat.circuit.open", .kind = OPTION_DURATION, .initial = "5 seconds", .min = 1000, .max = (int64_t)3600 * 1000000,
     .offset = AT(circuit_open_us), .help = "while the circuit is open: the longest time between two questions"},
    {.name = "leat.stop.timeout", .kind = OPTION_DURATION, .initial = "20 seconds", .min = 0,
     .max = (int64_t)86400 * 1000000, .offset = AT(stop_timeout_us),
     .help = "SIGTERM and Ctrl-C end the open epoch and commit it; when that takes longer leat leaves without, exit 4; "
             "0 = no limit"},
    {.name = "leat.watermark.max_future", .kind = OPTION_DURATION, .initial = "1 hour", .min = 0,
     .max = (int64_t)100000 * 86400 * 1000000, .offset = AT(max_future_us),
     .help = "a row whose event time is further ahead of its record's timestamp goes to the quarantine and moves no "
             "watermark; 0 seconds = off, as on Spark"},
    {.name = "leat.snapshot.epochs", .kind = OPTION_INT, .initial = "20", .min = 1, .max = 100000,
     .offset = AT(snapshot_epochs), .help = "each shard of state is written whole at least every so many epochs"},
    {.name = "leat.preview", .kind = OPTION_BOOLEAN, .initial = "false", .offset = AT(preview),
     .help = "print a few rows of every table after each commit"},
    /* Defaults for every table; the tables' own TBLPROPERTIES win. Their kinds are the sinks' (sink/). */
    {.name = "leat.files.max_records", .kind = OPTION_STRING, .offset = SIZE_MAX, .help = "most rows of a file"},
    {.name = "leat.files.per_partition", .kind = OPTION_STRING, .offset = SIZE_MAX,
     .help = "files per partition folder and epoch"},
    {.name = "leat.files.target_size", .kind = OPTION_STRING, .offset = SIZE_MAX,
     .help = "a file is finished when it is so large; small ones are merged up to it"},
    {.name = "leat.compact", .kind = OPTION_STRING, .offset = SIZE_MAX,
     .help = "merge small files into large ones while leat runs"},
    {.name = "leat.files.keep", .kind = OPTION_STRING, .offset = SIZE_MAX, .help = "keep only the newest N files of a table"},
    {.name = NULL},
};
// clang-format on

/* file:///a/b and /a/b are the folder /a/b; the text is kept as it is when it is neither. */
static const char *folder_of(struct arena *arena, const struct pipeline *pipeline, const char *url, const char *below)
{
    if (strncmp(url, "file://", 7) == 0)
        url += 7;
    if (url[0] != '/' && strstr(url, "://") == NULL)
        url = arena_printf(arena, "%s/%s", pipeline->directory, url);
    return below == NULL ? url : arena_printf(arena, "%s/%s", url, below);
}

static enum code trigger_read(struct run_settings *out, struct error *err)
{
    out->interval_us = 0;
    if (strcasecmp(out->trigger, "continuous") == 0) {
        out->trigger_kind = TRIGGER_CONTINUOUS;
        return E_OK;
    }
    if (strcasecmp(out->trigger, "once") == 0 || strcasecmp(out->trigger, "availableNow") == 0) {
        out->trigger_kind = TRIGGER_ONCE;
        return E_OK;
    }
    out->trigger_kind = TRIGGER_INTERVAL;
    if (parse_duration(out->trigger, &out->interval_us, err) != E_OK)
        return fail(err, E_SPEC, "leat.trigger is '%s'; it takes continuous, once, or an interval such as 30 seconds",
                    out->trigger);
    return E_OK;
}

static enum code retry_limit_read(struct run_settings *out, struct error *err)
{
    out->retry_limit_us = out->trigger_kind == TRIGGER_ONCE ? RETRY_LIMIT_ONCE_US : 0;
    if (out->retry_limit == NULL)
        return E_OK;
    if (strcasecmp(out->retry_limit, "never") == 0) {
        out->retry_limit_us = 0;
        return E_OK;
    }
    if (parse_duration(out->retry_limit, &out->retry_limit_us, err) != E_OK)
        return fail(err, E_SPEC, "leat.retry.limit is '%s'; it takes a duration such as 10 minutes, or never",
                    out->retry_limit);
    return E_OK;
}

/* err is about the setting `name`: say where it stands, unless it came with --set. */
static enum code setting_fails(const struct pipeline *pipeline, const char *name, struct error *err)
{
    struct position at = {0};
    for (int32_t i = 0; i < pipeline->setting_count; i++)
        if (strcmp(pipeline->settings[i].name, name) == 0)
            at = pipeline->settings[i].at;
    return at.line > 0 ? error_note(err, "%s:%d:%d", at.file, at.line, at.column) : err->code;
}

enum code settings_read(struct arena *arena, const struct pipeline *pipeline, struct run_settings *out,
                        struct error *err)
{
    struct run_settings settings = {0};
    for (const struct option *option = leat_settings; option->name != NULL; option++) {
        if (option->offset == SIZE_MAX)
            continue;
        const char *value = pipeline_setting(pipeline, option->name);
        if (value == NULL || value[0] == '\0')
            value = option->initial;
        if (value != NULL)
            TRY(option_set(leat_settings, &settings, option->name, value, arena, err));
    }
    const char *storage = pipeline->storage != NULL ? pipeline->storage : pipeline->directory;
    settings.tables_path = settings.tables_path != NULL ? folder_of(arena, pipeline, settings.tables_path, NULL)
                                                        : folder_of(arena, pipeline, storage, "tables");
    settings.checkpoint = settings.checkpoint != NULL ? folder_of(arena, pipeline, settings.checkpoint, NULL)
                                                      : folder_of(arena, pipeline, storage, "checkpoint");
    if (settings.spill_path != NULL)
        settings.spill_path = folder_of(arena, pipeline, settings.spill_path, NULL);
    const char *buffer = pipeline_setting(pipeline, "leat.source.buffer");
    if ((buffer == NULL || buffer[0] == '\0') && settings.buffer_bytes > settings.memory_bytes / 4)
        settings.buffer_bytes = settings.memory_bytes / 4; // a small budget must not be eaten by the prefetch
    if (trigger_read(&settings, err) != E_OK)
        return setting_fails(pipeline, "leat.trigger", err);
    if (retry_limit_read(&settings, err) != E_OK)
        return setting_fails(pipeline, "leat.retry.limit", err);
    *out = settings;
    return E_OK;
}
