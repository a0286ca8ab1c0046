#include "cli/sql_project.h"

#include <string.h>

#include "runtime/runtime.h"

static const char *const formats[] = {"parquet", "delta", "csv", "json", "text"};

static bool is_of_files(const char *format)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i], format) == 0)
            return true;
    return false;
}

/* What lies at the path, in the words that readers take: properties of a table say how it was written. */
static void relation_add(struct sql_session *session, struct arena *arena, const struct pipeline_source *as,
                         const char *path)
{
    struct pipeline_source *source = arena_new(arena, struct pipeline_source);
    struct setting *options = arena_array(arena, struct setting, (size_t)as->option_count + 1);
    int32_t count = 0;
    for (int32_t i = 0; i < as->option_count; i++)
        if (strcmp(as->options[i].name, "path") != 0)
            options[count++] = as->options[i];
    options[count++] = (struct setting){"path", path, as->at};
    *source = *as;
    source->options = options;
    source->option_count = count;
    source->at = (struct position){0};
    sql_session_relation(session, source);
}

static void table_add(struct sql_session *session, struct arena *arena, const struct project *project,
                      const struct pipeline_table *table)
{
    const char *path = table->path;
    if (path == NULL)
        path = arena_printf(arena, "%s/%s", project->settings.tables_path, table->name);
    const struct pipeline_source as = {
        .name = table->name,
        .format = table->format,
        .of_table = true,
        .options = table->properties,
        .option_count = table->property_count,
        .schema = table->schema,
    };
    if (is_of_files(table->format))
        relation_add(session, arena, &as, path);
}

void sql_project_relations(struct sql_session *session, struct arena *arena, const struct project *project)
{
    const struct pipeline *pipeline = project->pipeline;
    struct set_aside_folder *folders;
    sql_session_project(session, pipeline);
    for (int32_t t = 0; t < pipeline->table_count; t++)
        table_add(session, arena, project, pipeline->tables[t]);
    int32_t count = pipeline_set_aside(arena, pipeline, &project->settings, &folders);
    for (int32_t i = 0; i < count; i++) {
        const struct pipeline_source as = {
            .name = folders[i].name, .format = folders[i].format, .of_table = true, .schema = folders[i].schema};
        relation_add(session, arena, &as, folders[i].path);
    }
    for (int32_t s = 0; s < pipeline->source_count; s++)
        if (is_of_files(pipeline->sources[s]->format))
            sql_session_relation(session, pipeline->sources[s]);
}
