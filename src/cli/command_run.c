/* command_run.c - `leat run`: the flags of a run; run.c does it. */
#include "base/fault.h"
#include "cli/project_flags.h"
#include "cli/run.h"

struct run_flags {
    struct project_flags project;
    bool once, accept, list_faults;
};
static const struct option run_options[] = {
    {.name = "once",
     .kind = OPTION_BOOLEAN,
     .help = "work off what is there now, then stop (Spark's available-now)",
     .offset = offsetof(struct run_flags, once)},
    PROJECT_FLAGS(struct run_flags, project),
    {.name = "accept",
     .kind = OPTION_BOOLEAN,
     .help = "lose what `leat plan` calls lost, and go on",
     .offset = offsetof(struct run_flags, accept)},
    {.name = "list-faults",
     .kind = OPTION_BOOLEAN,
     .help = "print the named fail points of LEAT_FAIL and leave",
     .offset = offsetof(struct run_flags, list_faults)},
    {0},
};

static int project_run(const struct project *project, const void *settings)
{
    const struct run_flags *flags = settings;
    project_warn(project);
    return run_project(project, flags->once, flags->accept);
}

static int run_run(const struct command_line *line)
{
    const struct run_flags *flags = line->settings;
    if (flags->list_faults) {
        fault_list();
        return EXIT_OK;
    }
    return project_with(line, &flags->project, flags, project_run);
}

const struct command run_command = {
    .name = "run",
    .arguments = "[DIR]",
    .help = "run a project: read its sources, write its tables, each record exactly once",
    .examples = "  leat run examples/transactions                 until Ctrl-C\n"
                "  leat run examples/transactions --once          what is in the topic now, then stop\n"
                "  leat run shop --set leat.trigger='30 seconds' --set leat.tables.path=/data/shop\n",
    .notes =
        "Progress goes to stderr: a line that refreshes itself on a terminal, else one JSON line a commit.\n"
        "What is down, a broker or a full disk, is waited for: leat.retry.limit says how long.\n"
        "Ctrl-C and SIGTERM end the open epoch and commit it; a second one leaves at once, which loses nothing either.\n",
    .options = run_options,
    .size = sizeof(struct run_flags),
    .arguments_max = 1,
    .run = run_run,
};
