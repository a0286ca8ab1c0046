/* files_options.c - Spark's options of a stream of files, read and checked. What the columns of a
 * line are is the decoder's: its options (format/) stand beside these in the spec and are passed
 * over here. */
#include "source/files_place.h"

#include <stddef.h>
#include <strings.h>

#define AT(field) offsetof(struct files_settings, field)

/* An option of Spark's that has one value here. */
#define ONLY(name_, field, value, help_)                                                                           \
    {                                                                                                              \
        .name = name_, .kind = OPTION_ENUM, .initial = value, .choices = value, .offset = AT(field), .help = help_ \
    }

/* clang-format off */
/* Which files, and how many of them in an epoch. */
#define EPOCH_OPTIONS                                                                              \
    {.name = "maxFilesPerTrigger", .kind = OPTION_INT, .min = 1, .max = INT64_MAX,                 \
     .offset = AT(files_max), .help = "most files of an epoch; without it all that are there"},    \
    {.name = "maxBytesPerTrigger", .kind = OPTION_BYTES, .min = 1, .max = INT64_MAX,               \
     .offset = AT(bytes_max), .help = "an epoch ends with the file that passes so many bytes"},    \
    {.name = "maxFileAge", .kind = OPTION_DURATION, .initial = "7 days", .offset = AT(age_us),     \
     .help = "of very many files, those changed so long before the newest are forgotten once read, " \
             "and ignored when found later"},                                                      \
    ONLY("latestFirst", latest_first, "false", "leat reads the oldest file first, always"),        \
    ONLY("cleanSource", clean, "off", "leat leaves files that were read where they are"),          \
    ONLY("fileNameOnly", name_only, "false", "a file is known by its whole path")
#define FILES_OPTIONS                                                                              \
    {.name = "path", .kind = OPTION_STRING, .offset = AT(path),                                    \
     .help = "folder, file, or pattern with * ? [..]: file:///data/in, file:///data/*.json, s3://bucket/in; absolute"}, \
    {.name = "schema", .kind = OPTION_STRING, .offset = AT(schema),                                \
     .help = "columns: id BIGINT, at TIMESTAMP"},                                                  \
    EPOCH_OPTIONS,                                                                                 \
    {.name = "pathGlobFilter", .kind = OPTION_STRING, .offset = AT(name_filter),                   \
     .help = "only files whose name matches this pattern, such as *.json"},                        \
    ONLY("recursiveFileLookup", recursive, "false",                                                \
         "only files of the folder itself; write a pattern such as /in/*/*.json"),                 \
    ONLY("ignoreMissingFiles", ignore_missing, "false",                                            \
         "a file that is gone before it was read stops the pipeline"),                             \
    ONLY("ignoreCorruptFiles", ignore_corrupt, "false",                                            \
         "a file that cannot be read stops the pipeline"),                                         \
    {.name = "encoding", .kind = OPTION_STRING, .initial = "UTF-8", .offset = AT(encoding),        \
     .help = "UTF-8"},                                                                             \
    {.name = "lineSep", .kind = OPTION_STRING, .offset = AT(line_end),                             \
     .help = "a line ends with \\n, \\r\\n or \\r; nothing else may be set"}
/* clang-format on */

const struct option json_files_options[] = {
    FILES_OPTIONS,
    ONLY("multiLine", multi_line, "false", "a record is a line"),
    {0},
};
const struct option csv_files_options[] = {
    FILES_OPTIONS,
    {.name = "header",
     .kind = OPTION_BOOLEAN,
     .initial = "false",
     .offset = AT(header),
     .help = "the first line of each file names its columns and is passed over; the schema's names count"},
    ONLY("enforceSchema", enforce_schema, "true", "columns are found by their place, not by the header's names"),
    {.name = "comment",
     .kind = OPTION_STRING,
     .offset = AT(comment),
     .help = "lines that begin with this character are passed over"},
    ONLY("multiLine", multi_line, "false", "a record is a line, also where the end of the line is quoted"),
    {0},
};
const struct option text_files_options[] = {
    FILES_OPTIONS,
    ONLY("wholetext", whole_text, "false", "a record is a line"),
    {0},
};

const struct option parquet_files_options[] = {
    {.name = "path",
     .kind = OPTION_STRING,
     .offset = AT(path),
     .help =
         "folder (name=value folders below it are columns), file, or pattern with * ? [..]: file:///data/in, s3://bucket/in; absolute"},
    {.name = "schema",
     .kind = OPTION_STRING,
     .offset = AT(schema),
     .help = "columns to read, found by name: id BIGINT, at TIMESTAMP; one that a file lacks is NULL"},
    EPOCH_OPTIONS,
    {.name = "pathGlobFilter",
     .kind = OPTION_STRING,
     .offset = AT(name_filter),
     .help = "only files whose name matches this pattern, such as *.parquet"},
    {.name = "mergeSchema",
     .kind = OPTION_BOOLEAN,
     .initial = "false",
     .offset = AT(merge_schema),
     .help = "accepted: the schema option says what the columns are"},
    {.name = "recursiveFileLookup",
     .kind = OPTION_ENUM,
     .initial = "false",
     .choices = "false",
     .offset = AT(recursive),
     .help = "only the folder itself, and name=value folders"},
    {.name = "ignoreMissingFiles",
     .kind = OPTION_ENUM,
     .initial = "false",
     .choices = "false",
     .offset = AT(ignore_missing),
     .help = "a file that is gone before it was read is looked for again; a stream stops"},
    {.name = "ignoreCorruptFiles",
     .kind = OPTION_ENUM,
     .initial = "false",
     .choices = "false",
     .offset = AT(ignore_corrupt),
     .help = "a file that cannot be read stops the pipeline"},
    {0},
};

const struct option delta_options[] = {
    {.name = "path",
     .kind = OPTION_STRING,
     .offset = AT(path),
     .help = "folder of the table, that _delta_log lies in: file:///data/table, s3://bucket/table; absolute"},
    {.name = "schema",
     .kind = OPTION_STRING,
     .offset = AT(schema),
     .help =
         "columns to read, found by name: id BIGINT, at TIMESTAMP; the table must have them. Default: those it has"},
    {.name = "versionAsOf",
     .kind = OPTION_STRING,
     .offset = AT(version),
     .help = "read this version of the table, not the newest"},
    {.name = "timestampAsOf",
     .kind = OPTION_STRING,
     .offset = AT(time),
     .help = "read the table as it was then: 2026-01-02 03:04:05, in UTC unless it says another zone"},
    {.name = "maxFilesPerTrigger",
     .kind = OPTION_INT,
     .min = 1,
     .max = INT64_MAX,
     .offset = AT(files_max),
     .help = "of a stream: most files of an epoch; without it all that are there"},
    {.name = "maxBytesPerTrigger",
     .kind = OPTION_BYTES,
     .min = 1,
     .max = INT64_MAX,
     .offset = AT(bytes_max),
     .help = "of a stream: an epoch ends with the file that passes so many bytes"},
    {.name = "startingVersion",
     .kind = OPTION_STRING,
     .offset = AT(start),
     .help =
         "of a stream: begin with the changes of this version, not with the whole table; latest: with what comes from now on"},
    {.name = "skipChangeCommits",
     .kind = OPTION_BOOLEAN,
     .initial = "false",
     .offset = AT(skip_changes),
     .help = "of a stream: pass over commits that remove rows, with what they add; else they stop the pipeline"},
    {.name = "ignoreDeletes",
     .kind = OPTION_BOOLEAN,
     .initial = "false",
     .offset = AT(ignore_deletes),
     .help = "of a stream: pass over commits that remove rows and add none"},
    {.name = "ignoreChanges",
     .kind = OPTION_ENUM,
     .initial = "false",
     .choices = "false",
     .offset = AT(ignore_changes),
     .help = "rows that were rewritten would come again; see skipChangeCommits"},
    {.name = "readChangeFeed",
     .kind = OPTION_ENUM,
     .initial = "false",
     .choices = "false",
     .offset = AT(change_feed),
     .help = "a stream gives the rows that were added"},
    {0},
};

static const char *path_in_s3(const char *place, struct arena *arena)
{
    size_t size = strlen(place);
    while (size > 0 && place[size - 1] == '/')
        size--;
    char *path = arena_alloc(arena, size + sizeof "s3://");
    memcpy(path, "s3://", 5);
    memcpy(path + 5, place, size);
    path[5 + size] = '\0';
    return path;
}

/* /a/b of file:///a/b, file:/a/b and /a/b; s3://bucket/a of s3a://bucket/a/. */
static enum code path_read(struct files_settings *settings, struct arena *arena, struct error *err)
{
    const char *path = settings->path;
    if (path == NULL)
        return fail(err, E_SPEC, "option path is missing: the folder to read, such as file:///data/in");
    if (strncmp(path, "file://", 7) == 0)
        path += 7;
    else if (strncmp(path, "file:", 5) == 0)
        path += 5;
    else if (strncmp(path, "s3a://", 6) == 0 || strncmp(path, "s3://", 5) == 0)
        path = path_in_s3(strstr(path, "://") + 3, arena);
    else if (strstr(path, "://") != NULL)
        return fail(err, E_UNSUPPORTED, "path %s: files are read from local disks (file:///..) and from S3 (s3://..)",
                    path);
    if (path[0] != '/' && !place_is_remote(path))
        return fail(err, E_SPEC, "path %s must be absolute: file:///data/in", settings->path);
    if (place_is_remote(path))
        TRY(store_check(path, err));
    if (strchr(path, '{') != NULL)
        return fail(err, E_UNSUPPORTED, "path %s: a pattern may have * ? and [..], but not {..}", path);
    settings->path = path;
    return E_OK;
}

enum code files_settings_read(const struct option *options, const struct source_spec *spec, struct arena *arena,
                              struct files_settings *out, struct error *err)
{
    struct files_settings settings = {0};
    options_defaults(options, &settings, arena);
    for (int32_t i = 0; i < spec->option_count; i++)
        if (spec->option_values[i][0] != '\0' && option_find(options, spec->option_names[i]) != NULL)
            TRY(option_set(options, &settings, spec->option_names[i], arena_strdup(arena, spec->option_values[i]),
                           arena, err));
    TRY(path_read(&settings, arena, err));
    if (settings.encoding != NULL && strcasecmp(settings.encoding, "UTF-8") != 0 &&
        strcasecmp(settings.encoding, "utf8") != 0)
        return fail(err, E_UNSUPPORTED, "encoding %s: this version reads UTF-8 only", settings.encoding);
    if (settings.line_end != NULL && strcmp(settings.line_end, "\n") != 0 && strcmp(settings.line_end, "\\n") != 0)
        return fail(err, E_UNSUPPORTED, "lineSep: lines end with \\n, \\r\\n or \\r");
    if (settings.comment != NULL && strlen(settings.comment) != 1)
        return fail(err, E_SPEC, "comment must be one character");
    *out = settings;
    return E_OK;
}
