/* command_vacuum.c - `leat vacuum`: files in the folders of Delta tables that no version within reach needs. */
#include "cli/project_flags.h"
#include "cli/quantity.h"
#include "runtime/runtime.h"

#include <stdio.h>
#include <strings.h>

struct vacuum_flags {
    struct project_flags project;
    bool dry_run;
    const char *keep, *table;
    int64_t keep_us; /* -1: --keep was not given */
};
static const struct option vacuum_options[] = {
    {.name = "dry-run",
     .kind = OPTION_BOOLEAN,
     .help = "say what would be removed, file by file",
     .offset = offsetof(struct vacuum_flags, dry_run)},
    {.name = "keep",
     .kind = OPTION_STRING,
     .help =
         "'2 days': files younger than this stay, and those that were in the table until then; at least 1 hour. Without it "
         "what the table says, delta.deletedFileRetentionDuration, or 7 days",
     .offset = offsetof(struct vacuum_flags, keep)},
    PROJECT_FLAGS(struct vacuum_flags, project),
    {0},
};
static const int64_t KEEP_LEAST_US = (int64_t)3600 * 1000000;

static void file_print(const char *path, int64_t size_bytes)
{
    char size[QUANTITY_TEXT_MAX];
    printf("  %12s  %s\n", quantity_size(size_bytes, size), path);
}

static enum code table_vacuum(const struct project *project, const struct pipeline_table *table,
                              const struct vacuum_flags *flags, struct error *err)
{
    const struct vacuum_request request = {
        .dry_run = flags->dry_run, .keep_us = flags->keep_us, .each = flags->dry_run ? file_print : NULL};
    struct vacuum_report report;
    char files[QUANTITY_TEXT_MAX], bytes[QUANTITY_TEXT_MAX];
    enum code code = pipeline_vacuum(project->pipeline, table, &request, &report, err);
    if (code == E_ABSENT) {
        error_clear(err);
        printf("%-20s is not there yet\n", table->name);
        return E_OK;
    }
    TRY(code);
    printf("%-20s %s file%s of %s %s\n", table->name, quantity_count(report.files, files), report.files == 1 ? "" : "s",
           quantity_size(report.bytes, bytes), flags->dry_run ? "would go" : "removed");
    return E_OK;
}

static enum code keep_parse(struct vacuum_flags *flags, struct error *err)
{
    flags->keep_us = -1;
    if (flags->keep == NULL)
        return E_OK;
    if (parse_duration(flags->keep, &flags->keep_us, err) != E_OK)
        return error_note(err, "--keep");
    if (flags->keep_us < KEEP_LEAST_US)
        return fail(err, E_USAGE,
                    "--keep: at least 1 hour, for younger files may be those of somebody who is about to commit them");
    return E_OK;
}

/* The one asked for, or all Delta tables. */
static enum code tables_vacuum(const struct project *project, const struct vacuum_flags *flags, struct error *err)
{
    const struct pipeline *pipeline = project->pipeline;
    int32_t found = 0;
    for (int32_t i = 0; i < pipeline->table_count; i++) {
        const struct pipeline_table *table = pipeline->tables[i];
        bool delta = strcasecmp(table->format, "delta") == 0;
        bool asked = flags->table != NULL && strcasecmp(table->name, flags->table) == 0;
        if (asked && !delta)
            return fail(err, E_USAGE, "table %s is no Delta table, but %s: it has no files that are out of use",
                        table->name, table->format);
        if (!delta || (flags->table != NULL && !asked))
            continue;
        found++;
        TRY(table_vacuum(project, table, flags, err));
    }
    if (found == 0 && flags->table != NULL)
        return fail(err, E_USAGE, "the project has no table %s", flags->table);
    if (found == 0)
        printf("the project has no Delta tables\n");
    return E_OK;
}

static int project_vacuum(const struct project *project, const void *settings)
{
    struct vacuum_flags flags = *(const struct vacuum_flags *)settings;
    struct error err = {0};
    enum code code = keep_parse(&flags, &err);
    if (code == E_OK)
        code = tables_vacuum(project, &flags, &err);
    return code == E_OK ? EXIT_OK : report(&err);
}

static int vacuum_run(const struct command_line *line)
{
    struct vacuum_flags flags = *(const struct vacuum_flags *)line->settings;
    flags.table = line->argument_count > 1 ? line->arguments[1] : NULL;
    return project_with(line, &flags.project, &flags, project_vacuum);
}

const struct command vacuum_command = {
    .name = "vacuum",
    .arguments = "[DIR] [TABLE]",
    .help = "remove files of Delta tables that no version needs any more",
    .examples = "  leat vacuum shop --dry-run                 # which files, and how much?\n"
                "  leat vacuum shop gold --keep '2 days'\n",
    .notes =
        "Also beside a leat or a Spark at work: what is in the newest version stays, what the project's last epoch has written,\n"
        "and every file that is young, or was removed from the table a short while ago. Older versions of the table cannot be read afterwards.\n",
    .options = vacuum_options,
    .size = sizeof(struct vacuum_flags),
    .arguments_max = 2,
    .run = vacuum_run,
};
