/* command_vacuum.c - `leat vacuum`: files in the folders of Delta tables that no version within reach needs. */
#include "cli/project_flags.h"
#include "cli/quantity.h"
#include "delta/delta.h"

#include <stdio.h>
#include <strings.h>

struct vacuum_flags {
    struct project_flags project;
    int64_t keep_us;
    bool dry_run;
    const char *table;
};
static const struct option vacuum_options[] = {
    {.name = "dry-run",
     .kind = OPTION_BOOLEAN,
     .help = "say what would be removed, file by file",
     .offset = offsetof(struct vacuum_flags, dry_run)},
    {.name = "keep",
     .kind = OPTION_DURATION,
     .initial = "0 seconds",
     .help = "files younger than this stay, and those that were in the table until then; at least 1 hour. Without it what the "
             "table says, delta.deletedFileRetentionDuration, or 7 days",
     .offset = offsetof(struct vacuum_flags, keep_us)},
    PROJECT_FLAGS(struct vacuum_flags, project),
    {0},
};
static const int64_t KEEP_LEAST_US = (int64_t)3600 * 1000000;

static void file_print(void *context, const char *path, int64_t size_bytes)
{
    char size[QUANTITY_TEXT_MAX];
    (void)context;
    printf("  %12s  %s\n", quantity_size(size_bytes, size), path);
}

static enum code table_vacuum(const struct project *project, const struct pipeline_table *table,
                              const struct vacuum_flags *flags, struct error *err)
{
    struct arena arena = {0};
    struct store *store = NULL;
    struct budget budget = {.limit_bytes = (size_t)project->settings.memory_bytes};
    struct delta_vacuum vacuum = {.dry_run = flags->dry_run,
                                  .keep_us = flags->keep_us > 0 ? flags->keep_us : -1,
                                  .each = flags->dry_run ? file_print : NULL};
    char files[QUANTITY_TEXT_MAX], bytes[QUANTITY_TEXT_MAX];
    const char *path =
        table->path != NULL ? table->path : arena_printf(&arena, "%s/%s", project->settings.tables_path, table->name);
    enum code code = store_look(path, &store, err);
    if (code == E_OK)
        code = delta_vacuum(store, &vacuum, &budget, err);
    store_close(store);
    arena_free(&arena);
    if (code == E_ABSENT) {
        error_clear(err);
        printf("%-20s is not there yet\n", table->name);
        return E_OK;
    }
    TRY(code);
    printf("%-20s %s file%s of %s %s\n", table->name, quantity_count(vacuum.files, files), vacuum.files == 1 ? "" : "s",
           quantity_size(vacuum.bytes, bytes), flags->dry_run ? "would go" : "removed");
    return E_OK;
}

/* The one asked for, or all Delta tables. */
static enum code tables_vacuum(const struct project *project, const struct vacuum_flags *flags, struct error *err)
{
    const struct pipeline *pipeline = project->pipeline;
    int32_t found = 0;
    if (flags->keep_us > 0 && flags->keep_us < KEEP_LEAST_US)
        return fail(err, E_USAGE,
                    "--keep: at least 1 hour, for younger files may be those of somebody who is about to commit them");
    for (int32_t i = 0; i < pipeline->table_count; i++) {
        const struct pipeline_table *table = pipeline->tables[i];
        bool delta = strcasecmp(table->format, "delta") == 0;
        bool asked = flags->table != NULL && strcasecmp(table->name, flags->table) == 0;
        if (asked && !delta)
            return fail(err, E_USAGE, "table %s is no Delta table, but %s: it has no files that are out of use", table->name,
                        table->format);
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
    struct error err = {0};
    return tables_vacuum(project, settings, &err) == E_OK ? EXIT_OK : report(&err);
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
        "Also beside a leat or a Spark at work: what is in the newest version stays, and so does every file that is young, or\n"
        "was removed from the table a short while ago. Older versions of the table cannot be read afterwards.\n",
    .options = vacuum_options,
    .size = sizeof(struct vacuum_flags),
    .arguments_max = 2,
    .run = vacuum_run,
};
