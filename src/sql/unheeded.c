/* unheeded.c - options that nothing reads: Spark passes them over without a word, and a slip of the pen is found too late. They
 * are told with their place and the name that was meant.
 *
 * Doors    WITH (..) and OPTIONS (..) of files in a session; map(..) of from_json, to_csv and the like. What a project says of
 *          its sources and tables is checked by the engine, which knows them
 */
#include "sql/catalog.h"

static void unheeded_tell(struct analyser *self, const char *name, const struct option *const *tables,
                          const char *whose, struct position at)
{
    if (options_have(tables, name))
        return;
    const char *near = options_nearest(tables, name);
    notes_warn(self->notes, at, "option %s has no effect on %s%s%s%s", name, whose,
               near != NULL ? "; did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
}

void unheeded_of_files(struct analyser *self, const char *format, const struct ast_option *options, int32_t count)
{
    const struct sql_files *files = self->catalog->files;
    const struct option *tables[SQL_FILES_TABLES_MAX];
    if (files == NULL || files->options == NULL)
        return;
    files->options(format, tables);
    for (int32_t i = 0; i < count; i++)
        unheeded_tell(self, options[i].name, tables, arena_printf(self->arena, "files of format %s", format),
                      options[i].at);
}

void unheeded_of_call(struct analyser *self, const struct ast *call)
{
    struct function_options known;
    if (!function_options(call->text, &known) || call->arg_count <= known.place)
        return;
    const struct ast *map = call->args[known.place];
    if (map->kind != AST_CALL || !same_name(map->text, "map"))
        return;
    for (int32_t i = 0; i + 1 < map->arg_count; i += 2) {
        const struct ast *name = map->args[i];
        if (name->kind == AST_STRING)
            unheeded_tell(self, arena_strndup(self->arena, (const char *)name->bytes.data, name->bytes.size),
                          known.tables, call->text, name->at);
    }
}
