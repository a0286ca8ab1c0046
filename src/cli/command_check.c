/* command_check.c - `leat check`: everything that can be known without running. */
#include "cli/project_flags.h"

#include <stdio.h>

struct check_settings {
    struct project_flags project;
};
static const struct option check_options[] = {
    PROJECT_FLAGS(struct check_settings, project),
    {0},
};

static int graph_show(const struct project *project, const void *settings)
{
    struct text graph = {0};
    (void)settings;
    project_warn(project);
    pipeline_print(project->pipeline, &graph);
    if (graph.data != NULL)
        fputs(graph.data, stdout);
    text_free(&graph);
    return EXIT_OK;
}

static int check_run(const struct command_line *line)
{
    const struct check_settings *settings = line->settings;
    return project_with(line, &settings->project, settings, graph_show);
}

const struct command check_command = {
    .name = "check",
    .arguments = "[DIR]",
    .help = "read a project, check types and streaming rules, print what feeds what; touches no broker",
    .examples = "  leat check examples/transactions\n"
                "  leat check shop --set source.orders.subscribe=orders-test\n",
    .notes =
        "The graph goes to stdout; problems, with file, line and caret, to stderr. Exit 0, or 2 when something is wrong.\n",
    .options = check_options,
    .size = sizeof(struct check_settings),
    .arguments_max = 1,
    .run = check_run,
};
