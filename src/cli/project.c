#include "cli/project.h"

#include <stdio.h>

#include "query/query.h"
#include "runtime/runtime.h"
#include "store/store.h"

static void problems_print(const struct project *project, const struct error *err)
{
    for (int32_t i = 0; i < project->problems.count; i++)
        fprintf(stderr, "%s\n", project->problems.texts[i]);
    if (project->problems.count == 0)
        fprintf(stderr, "leat: %s\n", err->text);
}

/* Before anything is opened, and before what they say is checked. */
static void stores_tell(const struct setting *settings, int32_t count)
{
    struct store_option *options = mem_array(struct store_option, (size_t)count);
    for (int32_t i = 0; i < count; i++)
        options[i] = (struct store_option){settings[i].name, settings[i].value};
    store_configure(options, count);
    mem_free(options);
}

int project_open(struct project *project, const struct project_request *request)
{
    *project = (struct project){.session = {.zone = zone_utc(), .ansi = true}};
    struct query_files tables;
    struct budget unbound = {0};
    query_files_init(&tables, &unbound);
    const struct project_environment environment = {
        .env_file = request->env_file,
        .sets = request->sets,
        .set_count = request->set_count,
        .session = &project->session,
        .tables = &tables.files,
        .settle = stores_tell,
    };
    struct error err = {0};
    enum code code =
        project_load(&project->arena, request->directory, &environment, &project->pipeline, &project->problems, &err);
    if (code == E_OK) {
        project->session = project->pipeline->session;
        stores_tell(project->pipeline->settings, project->pipeline->setting_count); // with those that SQL has set
    }
    if (code == E_OK)
        code = runtime_check(&project->arena, project->pipeline, &project->problems, &err);
    if (code == E_OK)
        code = settings_read(&project->arena, project->pipeline, &project->settings, &err);
    if (code == E_OK)
        return 0;
    problems_print(project, &err);
    project_close(project);
    return error_class(code) == CLASS_user ? 2 : 1;
}

void project_warn(const struct project *project)
{
    const struct pipeline *pipeline = project->pipeline;
    struct problems slips = {0};
    struct arena arena = {0};
    for (int32_t i = 0; i < pipeline->warning_count; i++)
        fprintf(stderr, "warning: %s\n", pipeline->warnings[i]);
    runtime_property_slips(&arena, pipeline, &slips);
    for (int32_t i = 0; i < slips.count; i++)
        fprintf(stderr, "warning: %s\n", slips.texts[i]);
    mem_free(slips.texts);
    arena_free(&arena);
}

void project_close(struct project *project)
{
    mem_free(project->problems.texts);
    arena_free(&project->arena);
    *project = (struct project){0};
}
