/* project_flags.h - the flags that check and run share. */
#ifndef CLI_PROJECT_FLAGS_H
#define CLI_PROJECT_FLAGS_H

#include "cli/cli.h"
#include "cli/project.h"

struct project_flags {
    const char *env_file;
    struct strings sets;
};
#define PROJECT_FLAGS(type, member)                                        \
    {.name = "env-file",                                                   \
     .kind = OPTION_STRING,                                                \
     .help = "file of NAME=VALUE lines for ${env:NAME}; default DIR/.env", \
     .offset = offsetof(type, member.env_file)},                           \
    {                                                                      \
        .name = "set", .kind = OPTION_STRING, .choices = "*",              \
        .help = "KEY=VALUE over the spec's configuration; repeatable",     \
        .offset = offsetof(type, member.sets)                              \
    }

/* The request of project_open. E_USAGE when a --set has no '='. */
MUST_CHECK enum code project_request_of(const struct command_line *line,
                                        const struct project_flags *flags,
                                        struct project_request *out, struct error *err);

#endif
