/* command_compact.c - `leat compact`: small files of tables become large ones. */
#include "base/fault.h"
#include "cli/project_flags.h"
#include "cli/quantity.h"
#include "runtime/runtime.h"

#include <stdio.h>

struct compact_flags {
    struct project_flags project;
    const char *table;
    bool dry_run;
};
static const struct option compact_options[] = {
    {.name = "dry-run",
     .kind = OPTION_BOOLEAN,
     .help = "say what would be merged; also beside a leat at work",
     .offset = offsetof(struct compact_flags, dry_run)},
    PROJECT_FLAGS(struct compact_flags, project),
    {0},
};

static void table_print(const struct compact_table *table, bool dry)
{
    char inputs[QUANTITY_TEXT_MAX], files[QUANTITY_TEXT_MAX], before[QUANTITY_TEXT_MAX], after[QUANTITY_TEXT_MAX];
    if (table->inputs == 0)
        printf("%-20s nothing to merge\n", table->name);
    else if (dry)
        printf("%-20s %s files of %s would become %s\n", table->name, quantity_count(table->inputs, inputs),
               quantity_size(table->bytes_before, before), quantity_count(table->files, files));
    else
        printf("%-20s %s files of %s became %s of %s\n", table->name, quantity_count(table->inputs, inputs),
               quantity_size(table->bytes_before, before), quantity_count(table->files, files),
               quantity_size(table->bytes, after));
}

static int compact_project(const struct project *project, const void *settings)
{
    const struct compact_flags *flags = settings;
    const struct compact_request request = {.table = flags->table, .dry_run = flags->dry_run};
    struct arena arena = {0};
    struct compact_report done = {0};
    struct error err = {0};
    enum code code = fault_init(&err);
    if (code == E_OK)
        code = pipeline_compact(project->pipeline, &request, &arena, &done, &err);
    for (int32_t i = 0; i < done.count; i++)
        table_print(&done.tables[i], flags->dry_run);
    arena_free(&arena);
    return code == E_OK ? EXIT_OK : report(&err);
}

static int compact_run(const struct command_line *line)
{
    struct compact_flags flags = *(const struct compact_flags *)line->settings;
    flags.table = line->argument_count > 1 ? line->arguments[1] : NULL;
    return project_with(line, &flags.project, &flags, compact_project);
}

const struct command compact_command = {
    .name = "compact",
    .arguments = "[DIR] [TABLE]",
    .help = "merge the small files of tables into large ones",
    .examples = "  leat compact shop --dry-run                # how many files would become how many?\n"
                "  leat compact shop\n"
                "  leat compact shop gold --set leat.files.target_size=1g\n",
    .notes =
        "Files smaller than three quarters of leat.files.target_size become files of about that size; a crash loses\n"
        "nothing and doubles nothing. Who lists a folder finds the small files or the large one, never both; who has\n"
        "listed it before finds the small ones gone. A leat at work holds the checkpoint: set leat.compact, and it\n"
        "merges by itself. docs/files.md says more.\n",
    .options = compact_options,
    .size = sizeof(struct compact_flags),
    .arguments_max = 2,
    .run = compact_run,
};
