/* project_load.c - a folder to a pipeline: spec, .env, SQL files, analysis. */
#include <strings.h>

#include "base/os.h"
#include "sql/analyse.h"
#include "sql/spec.h"

struct loader {
    struct arena *arena;
    const char *directory;
    const struct project_environment *environment;
    struct sql_file *shown; /* the spec: files whose lines a message may show */
    struct notes notes;
};

static const char *path_in(const struct loader *self, const char *name)
{
    return strcmp(self->directory, ".") == 0 ? name : arena_printf(self->arena, "%s/%s", self->directory, name);
}

static bool is_there(const char *path)
{
    struct os_stat stat;
    struct error ignored = {0};
    return os->stat(path, &stat, &ignored) == E_OK && !stat.is_dir;
}

static enum code read_text(struct loader *self, const char *path, size_t limit, struct sql_file *out, struct error *err)
{
    struct text text = {0};
    TRY(os_read_file(path, limit, &text, err));
    *out = (struct sql_file){
        path, bytes_of(arena_strndup(self->arena, text.data == NULL ? "" : text.data, text.size), text.size)};
    text_free(&text);
    return E_OK;
}

static enum code read_shown(struct loader *self, const char *path, size_t limit, struct sql_file *out,
                            struct error *err)
{
    TRY(read_text(self, path, limit, out, err));
    self->shown[self->notes.file_count++] = *out;
    return E_OK;
}

/* Spark takes both names, but not both at once. */
static enum code find_spec(const struct loader *self, const char **out, struct error *err)
{
    const char *yml = path_in(self, "spark-pipeline.yml"), *yaml = path_in(self, "spark-pipeline.yaml");
    bool has_yml = is_there(yml), has_yaml = is_there(yaml);
    if (has_yml && has_yaml)
        return fail(err, E_SPEC, "[MULTIPLE_PIPELINE_SPEC_FILES_FOUND] %s and %s: remove one", yml, yaml);
    if (!has_yml && !has_yaml)
        return fail(err, E_SPEC,
                    "[PIPELINE_SPEC_FILE_NOT_FOUND] there is no spark-pipeline.yml in %s\n"
                    "hint: leat init NAME makes a project; leat run DIR takes the folder that holds the spec",
                    self->directory);
    *out = has_yml ? yml : yaml;
    return E_OK;
}

static enum code read_dotenv(struct loader *self, struct dotenv *out, struct error *err)
{
    const char *named = self->environment->env_file, *path = named != NULL ? named : path_in(self, ".env");
    struct sql_file file;
    if (!is_there(path))
        return named == NULL ? E_OK : fail(err, E_USAGE, "--env-file %s: there is no such file", path);
    TRY(read_text(self, path, SPEC_TEXT_MAX, &file, err)); // not shown: its values are secrets
    return dotenv_parse(self->arena, &file, &self->notes, out, err);
}

static const char *setting_of(const struct spec *spec, const char *name)
{
    for (int32_t i = 0; i < spec->setting_count; i++)
        if (strcmp(spec->settings[i].name, name) == 0)
            return spec->settings[i].value;
    return NULL;
}

static enum code session_of(const struct loader *self, const struct spec *spec, struct session *out, struct error *err)
{
    *out = self->environment->session != NULL ? *self->environment->session
                                              : (struct session){.zone = zone_utc(), .ansi = true};
    const char *zone = setting_of(spec, "spark.sql.session.timeZone"),
               *ansi = setting_of(spec, "spark.sql.ansi.enabled");
    if (zone != NULL)
        TRY(zone_find(bytes_of_string(zone), &out->zone, err));
    if (ansi != NULL)
        out->ansi = strcasecmp(ansi, "true") == 0;
    return E_OK;
}

static enum code read_spec(struct loader *self, struct spec *out, struct error *err)
{
    const char *path;
    struct sql_file file;
    struct dotenv dotenv = {0};
    TRY(find_spec(self, &path, err));
    TRY(read_shown(self, path, SPEC_TEXT_MAX, &file, err));
    TRY(read_dotenv(self, &dotenv, err));
    return spec_parse(self->arena, &file, &dotenv, self->environment->sets, self->environment->set_count, &self->notes,
                      out, err);
}

static enum code load(struct loader *self, const struct pipeline **out, struct error *err)
{
    struct spec spec;
    TRY(read_spec(self, &spec, err));
    struct project_text text = {.name = spec.name,
                                .directory = self->directory,
                                .storage = spec.storage,
                                .storage_at = spec.storage_at,
                                .sources = spec.sources,
                                .source_count = spec.source_count,
                                .sinks = spec.sinks,
                                .sink_count = spec.sink_count,
                                .settings = spec.settings,
                                .setting_count = spec.setting_count,
                                .tables = self->environment->tables,
                                .notes = &self->notes};
    TRY(session_of(self, &spec, &text.session, err));
    if (self->environment->settle != NULL)
        self->environment->settle(spec.settings, spec.setting_count);
    TRY(spec_files(self->arena, self->directory, &spec, &self->notes, &text.files, &text.file_count, err));
    return project_analyse(self->arena, &text, out, err);
}

enum code project_load(struct arena *arena, const char *directory, const struct project_environment *environment,
                       const struct pipeline **out, struct problems *problems, struct error *err)
{
    size_t size = strlen(directory);
    while (size > 1 && directory[size - 1] == '/') // paths in messages are put together with one
        size--;
    struct loader self = {
        .arena = arena, .directory = arena_strndup(arena, directory, size), .environment = environment};
    self.shown = arena_array(arena, struct sql_file, 2);
    self.notes = (struct notes){.arena = arena, .files = self.shown, .problems = problems};
    int32_t before = problems == NULL ? 0 : problems->count;
    enum code code = load(&self, out, err);
    if (code != E_OK && problems != NULL && problems->count == before) // such as a file that cannot be read
        notes_problem(&self.notes, err);
    return code;
}
