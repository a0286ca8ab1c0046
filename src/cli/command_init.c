/* command_init.c - `leat init`: the files of a new project. Nothing that exists is touched. */
#include "cli/cli.h"

#include <stdio.h>

#include "base/os.h"
#include "cli/template.h"

static enum code all_absent(const struct command_line *line, struct error *err)
{
    for (const struct template_file *file = template_files; file->path != NULL; file++) {
        struct os_stat stat;
        struct error absent = {0};
        const char *path = arena_printf(line->arena, "%s/%s", line->arguments[0], file->path);
        if (os->stat(path, &stat, &absent) != E_ABSENT)
            return fail(err, E_USAGE, "%s is already there; leat init writes only into a new project", path);
    }
    return E_OK;
}

static enum code file_write(const char *path, const char *content, struct error *err)
{
    int handle;
    TRY(os->file_open(path, OS_WRITE | OS_CREATE_NEW, &handle, err));
    enum code code = os->file_write(handle, content, strlen(content), err);
    struct error ignored = {0};
    enum code closed = os->file_close(handle, code == E_OK ? err : &ignored);
    return code != E_OK ? code : closed;
}

/* The project is named after its folder. */
static const char *project_name(const struct command_line *line)
{
    const char *end = line->arguments[0] + strlen(line->arguments[0]);
    while (end > line->arguments[0] && end[-1] == '/')
        end--;
    const char *start = end;
    while (start > line->arguments[0] && start[-1] != '/')
        start--;
    bool usable = end > start && start[0] != '.';
    return usable ? arena_strndup(line->arena, start, (size_t)(end - start)) : "pipeline";
}

/* Every @NAME@ becomes the project's name. */
static char *rendered(const struct command_line *line, const char *text)
{
    static const char mark[] = "@NAME@";
    struct text out = {0};
    const char *name = project_name(line), *at;
    for (; (at = strstr(text, mark)) != NULL; text = at + sizeof mark - 1) {
        text_add(&out, text, (size_t)(at - text));
        text_add_string(&out, name);
    }
    text_add_string(&out, text);
    char *copy = arena_strdup(line->arena, out.data);
    text_free(&out);
    return copy;
}

static enum code project_write(const struct command_line *line, struct error *err)
{
    TRY(all_absent(line, err));
    TRY(os->dir_make(arena_printf(line->arena, "%s/transformations", line->arguments[0]), err));
    for (const struct template_file *file = template_files; file->path != NULL; file++)
        TRY(file_write(arena_printf(line->arena, "%s/%s", line->arguments[0], file->path),
                       rendered(line, file->content), err));
    return E_OK;
}

static int init_run(const struct command_line *line)
{
    struct error err = {0};
    const char *directory = line->arguments[0];
    if (project_write(line, &err) != E_OK)
        return report(&err);
    for (const struct template_file *file = template_files; file->path != NULL; file++)
        printf("%s/%-32s %s\n", directory, file->path, file->help);
    fprintf(
        stderr,
        "\nNext\n  leat check %s\n  leat produce transactions --topic transactions --count 100000\n  leat run %s --once\n",
        directory, directory);
    return EXIT_OK;
}

static const struct option no_options[] = {{0}};

const struct command init_command = {
    .name = "init",
    .arguments = "DIR",
    .help = "write a new project: a Kafka source, bronze, silver, quarantine and windowed tables",
    .examples = "  leat init shop\n",
    .notes =
        "The same folder runs on Apache Spark 4.1 or later: spark-pipelines run, with bridge.py for the sources.\n",
    .options = no_options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = init_run,
};
