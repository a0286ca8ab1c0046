/* command_plan.c - `leat plan`: what a changed project would do to its checkpoint. */
#include "cli/project_flags.h"
#include "runtime/runtime.h"

#include <stdio.h>

struct plan_settings {
    struct project_flags project;
};
static const struct option plan_options[] = {
    PROJECT_FLAGS(struct plan_settings, project),
    {0},
};

static int plan_project(const struct project *project, const void *settings)
{
    (void)settings;
    struct error err = {0};
    struct text out = {0};
    int32_t lost = 0;
    enum code code = pipeline_plan(project->pipeline, &out, &lost, &err);
    if (code == E_OK)
        fputs(out.data, stdout);
    if (code == E_OK && lost > 0)
        fprintf(stderr, "\n`leat run` refuses to lose %s; `leat run --accept` goes on without %s.\n",
                lost == 1 ? "this" : "these", lost == 1 ? "it" : "them");
    text_free(&out);
    if (code != E_OK)
        return report(&err);
    return lost > 0 ? EXIT_USER : EXIT_OK;
}

static int plan_run(const struct command_line *line)
{
    const struct plan_settings *settings = line->settings;
    return project_with(line, &settings->project, settings, plan_project);
}

const struct command plan_command = {
    .name = "plan",
    .arguments = "[DIR]",
    .help = "say what a changed project keeps, rebuilds and loses of its checkpoint, before anything runs",
    .examples = "  leat plan examples/transactions\n"
                "  leat plan shop --set leat.checkpoint=/data/shop/checkpoint\n",
    .notes = "kept      goes on as if nothing had changed\n"
             "rebuilt   has nothing in the checkpoint: starts empty, with the next record\n"
             "reset     remembers something else than it did: what was open is lost, and it starts empty\n"
             "lost      is in the checkpoint and nothing takes it up\n"
             "`leat run` refuses what is reset or lost, unless --accept.\n"
             "Exit 0, or 2 when something would be lost. Reads only, also beside a leat at work.\n",
    .options = plan_options,
    .size = sizeof(struct plan_settings),
    .arguments_max = 1,
    .run = plan_run,
};
