#include "runtime/outputs.h"
#include "runtime/quarantine_rows.h"
#include "runtime/quarantines.h"
#include "runtime/set_aside.h"

int32_t pipeline_set_aside(struct arena *arena, const struct pipeline *pipeline, const struct run_settings *settings,
                           struct set_aside_folder **out)
{
    bool lines = settings->quarantine_format == QUARANTINE_JSON;
    struct quarantines quarantines;
    quarantines_find(arena, pipeline, &quarantines);
    struct set_aside_folder *folders =
        arena_array(arena, struct set_aside_folder, (size_t)(quarantines.folder_count + pipeline->table_count) + 1);
    int32_t count = 0;
    for (int32_t q = 0; q < quarantines.folder_count; q++) {
        const char *name = quarantines.items[q].name;
        folders[count++] = (struct set_aside_folder){
            .name = name,
            .path = arena_printf(arena, "%s/%s", settings->tables_path, name),
            .format = lines ? "json" : "parquet",
            .schema = quarantine_schema(arena, lines),
        };
    }
    for (int32_t t = 0; t < pipeline->table_count; t++) {
        const struct pipeline_table *table = pipeline->tables[t];
        if (!table_keeps_late(table))
            continue;
        const char *path = table->path;
        if (path == NULL)
            path = arena_printf(arena, "%s/%s", settings->tables_path, table->name);
        folders[count++] = (struct set_aside_folder){
            .name = arena_printf(arena, "%s_late", table->name),
            .path = arena_printf(arena, "%s_late", path),
            .format = "json",
            .schema = late_schema(arena),
        };
    }
    *out = folders;
    return count;
}
