#include "cli/project_flags.h"

static enum code request_of(const struct command_line *line, const struct project_flags *flags,
                            struct project_request *out, struct error *err)
{
    struct setting *sets = arena_array(line->arena, struct setting, (size_t)flags->sets.count + 1);
    for (int32_t i = 0; i < flags->sets.count; i++) {
        const char *text = flags->sets.items[i], *equals = strchr(text, '=');
        if (equals == NULL || equals == text)
            return fail(err, E_USAGE, "--set %.*s: write KEY=VALUE", (int)strcspn(text, ":"),
                        text); // behind: a secret?
        sets[i].name = arena_strndup(line->arena, text, (size_t)(equals - text));
        sets[i].value = arena_strdup(line->arena, equals + 1);
    }
    *out = (struct project_request){
        .directory = line->argument_count > 0 ? line->arguments[0] : ".",
        .env_file = flags->env_file,
        .sets = sets,
        .set_count = flags->sets.count,
    };
    return E_OK;
}

int project_with(const struct command_line *line, const struct project_flags *flags, const void *settings,
                 int (*work)(const struct project *project, const void *settings))
{
    struct project_request request;
    struct project project;
    struct error err = {0};
    if (request_of(line, flags, &request, &err) != E_OK)
        return report(&err);
    int status = project_open(&project, &request);
    if (status != EXIT_OK)
        return status;
    status = work(&project, settings);
    project_close(&project);
    return status;
}
