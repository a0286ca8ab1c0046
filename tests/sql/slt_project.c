#include "slt.h"

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/os.h"

enum { FEED_START_S = 1767312000 }; /* 2026-01-02: when the first file was last changed; each next one a second later */

/* ---- folders ---- */

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *place)
{
    (void)stat, (void)flag, (void)place;
    return remove(path);
}

void slt_folder_remove(const char *folder) { (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

static enum code put(const char *folder, const char *name, const struct text *content, struct error *err)
{
    char path[512];
    int handle;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    TRY(os->file_open(path, OS_WRITE | OS_CREATE_NEW, &handle, err));
    enum code code = os->file_write(handle, content->data, content->size, err);
    struct error ignored = {0};
    return os->file_close(handle, &ignored) == E_OK ? code : ignored.code;
}

/* ---- the spec ---- */

/* With a watermark the stream's name is a view's, and the source has another. */
static void source_name(const struct slt_stream *stream, char *out, size_t size)
{
    snprintf(out, size, "%s%s", stream->name, stream->watermark != NULL ? "_files" : "");
}

/* '..' of YAML: a quote inside is two. */
static void setting_print(const char *prefix, const char *name, const char *value, struct text *out)
{
    text_printf(out, "  %s%s: '", prefix, name);
    for (; *value != '\0'; value++) {
        if (*value == '\'')
            text_add_char(out, '\'');
        text_add_char(out, *value);
    }
    text_add_string(out, "'\n");
}

static void source_print(const struct slt_project *project, const struct slt_stream *stream, struct text *out)
{
    char name[128], prefix[160], path[512];
    source_name(stream, name, sizeof name);
    snprintf(prefix, sizeof prefix, "source.%s.", name);
    snprintf(path, sizeof path, "file://%s/feed/%s", project->folder, stream->name);
    setting_print(prefix, "format", stream->format, out);
    setting_print(prefix, "path", path, out);
    setting_print(prefix, "schema", stream->columns, out);
    bool limited = stream->stands;
    for (int32_t i = 0; i < stream->option_count; i++) {
        setting_print(prefix, stream->options[i], stream->values[i], out);
        limited |= strcmp(stream->options[i], "maxFilesPerTrigger") == 0;
    }
    if (!limited)
        setting_print(prefix, "maxFilesPerTrigger", "1", out);
}

static bool is_set(const struct slt_file *file, const char *name)
{
    for (int32_t i = 0; i < file->setting_count; i++)
        if (strcmp(file->settings[i].name, name) == 0)
            return true;
    return false;
}

static void spec_print(const struct slt_project *project, const struct slt_file *file, struct text *out)
{
    static const struct setting usual[] = {
        {"spark.sql.session.timeZone", "UTC", {0}}, {"spark.sql.sources.default", "json", {0}},
        {"leat.quarantine.format", "json", {0}},    {"leat.watermark.max_future", "0 seconds", {0}}, /* as on Spark */
        {"leat.snapshot.epochs", "3", {0}}, /* so that deltas and whole states are both read */
    };
    text_printf(out, "name: golden\nstorage: file://%s\n", project->folder);
    text_add_string(out, "libraries: [{glob: {include: transformations/**}}]\nconfiguration:\n");
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (!is_set(file, usual[i].name))
            setting_print("", usual[i].name, usual[i].value, out);
    for (int32_t i = 0; i < file->setting_count; i++)
        setting_print("", file->settings[i].name, file->settings[i].value, out);
    for (int32_t i = 0; i < file->stream_count; i++)
        source_print(project, &file->streams[i], out);
}

static void views_print(const struct slt_file *file, struct text *out)
{
    for (int32_t i = 0; i < file->stream_count; i++) {
        const struct slt_stream *stream = &file->streams[i];
        if (stream->watermark != NULL)
            text_printf(out,
                        "CREATE TEMPORARY VIEW %s AS SELECT * FROM STREAM %s_files "
                        "WATERMARK %s DELAY OF INTERVAL %s;\n",
                        stream->name, stream->name, stream->watermark, stream->delay);
    }
}

static enum code folder_make(const struct slt_project *project, const char *name, struct error *err)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", project->folder, name);
    return os->dir_make(path, err);
}

enum code slt_project_make(struct slt_project *project, const struct slt_file *file, const struct text *sql,
                           const char *folder, struct error *err)
{
    *project = (struct slt_project){0};
    snprintf(project->folder, sizeof project->folder, "%s", folder);
    struct text spec = {0}, statements = {0};
    spec_print(project, file, &spec);
    views_print(file, &statements);
    text_add(&statements, sql->data, sql->size);
    enum code code = folder_make(project, "transformations", err);
    if (code == E_OK)
        code = put(folder, "spark-pipeline.yml", &spec, err);
    if (code == E_OK)
        code = put(folder, "transformations/pipeline.sql", &statements, err);
    text_free(&spec);
    text_free(&statements);
    for (int32_t i = 0; code == E_OK && i < file->stream_count; i++) {
        const struct slt_stream *stream = &file->streams[i];
        char name[256];
        snprintf(name, sizeof name, "feed/%s", stream->name);
        code = folder_make(project, name, err);
        if (code == E_OK && stream->stands)
            code = slt_project_feed(project, file, stream, stream->first, stream->count, err);
    }
    return code;
}

/* ---- feeding ---- */

enum code slt_project_feed(struct slt_project *project, const struct slt_file *file, const struct slt_stream *stream,
                           int32_t first, int32_t count, struct error *err)
{
    struct text content = {0};
    char folder[512], name[64], path[1024];
    enum code code = E_OK;
    for (int32_t i = first; code == E_OK && i < first + count; i++)
        if (file->lines[i][0] != '#')
            code = slt_row_feed(stream, file->lines[i], &content, err);
    int32_t number = project->files++;
    snprintf(folder, sizeof folder, "%s/feed/%s", project->folder, stream->name);
    snprintf(name, sizeof name, "%06d.%s", number, stream->format);
    if (code == E_OK)
        code = put(folder, name, &content, err);
    text_free(&content);
    TRY(code);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    const struct timespec times[2] = {{FEED_START_S + number, 0}, {FEED_START_S + number, 0}};
    return utimensat(AT_FDCWD, path, times, 0) == 0 ? E_OK : fail(err, E_IO, "%s: no time can be set", path);
}
