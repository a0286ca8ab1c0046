/* project_flags.h - the flags of commands that work on a project, and the way from a command line to it. */
#ifndef CLI_PROJECT_FLAGS_H
#define CLI_PROJECT_FLAGS_H

#include "cli/cli.h"
#include "cli/project.h"

struct project_flags {
    const char *env_file;
    struct strings sets;
};
#define PROJECT_FLAGS(type, member)                                                                          \
    {.name = "env-file",                                                                                     \
     .kind = OPTION_STRING,                                                                                  \
     .help = "file of NAME=VALUE lines for ${env:NAME}; default DIR/.env",                                   \
     .offset = offsetof(type, member.env_file)},                                                             \
    {                                                                                                        \
        .name = "set", .kind = OPTION_STRING, .choices = "*",                                                \
        .help = "KEY=VALUE over the spec's configuration; repeatable", .offset = offsetof(type, member.sets) \
    }

/* Open the project that the line names, do `work` with it, close it. `settings` are the command's own, for `work`. The exit
 * code is that of `work`; or that of a --set without '=' or of a project that cannot be read, both told on stderr. */
int project_with(const struct command_line *line, const struct project_flags *flags, const void *settings,
                 int (*work)(const struct project *project, const void *settings));

#endif
