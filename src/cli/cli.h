/* cli.h - a command is a row: name, help, options, run. main() only looks it up.
 *
 * Arguments  command [positional...] [--flag value | --flag=value | --flag]; flags may stand
 *            anywhere; "--" ends them
 * Flags      an option table (base/options.h) over the command's own settings struct. A STRING
 *            whose choices are "*" may be given several times: its place holds a struct strings
 * Default    a flag that is not given is looked up as LEAT_NAME in the environment (--bad-ratio:
 *            LEAT_BAD_RATIO)
 * Output     stdout is data, stderr is progress and errors
 * Exit       0 ok, 1 failed, 2 usage or user error, 3 data problem, 4 stopped as asked, but the open epoch is not committed,
 *            130 a query was interrupted (128 + SIGINT, as shells say it)
 * Add one    a struct command in command_<name>.c and its row in commands.c
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/options.h"

enum exit_code { EXIT_OK, EXIT_FAILED, EXIT_USER, EXIT_DATA, EXIT_UNFINISHED, EXIT_INTERRUPTED = 130 };

struct strings {
    const char **items;
    int32_t count, capacity;
};
struct command_line {
    const struct command *command;
    void *settings;               /* of the command's own type */
    const char *const *arguments; /* positional ones */
    int32_t argument_count;
    struct arena *arena; /* lives as long as the command runs */
};
struct command {
    const char *name;
    const char *arguments; /* "DIR", "KIND" or "" */
    const char *help;      /* one line */
    const char *examples;  /* shown first by --help */
    const char *notes;     /* shown last; or NULL */
    const struct option *options;
    size_t size; /* of the settings struct */
    int32_t arguments_min, arguments_max;
    int (*run)(const struct command_line *line);
};
extern const struct command audit_command, drift_command, compact_command, vacuum_command, check_command, plan_command,
    docs_command, init_command, produce_command, run_command, sql_command, quarantine_command, state_command;
extern const struct command *const commands[]; /* ends with NULL */

/* Parse the words behind the command's name. E_USAGE, or *help when --help is among them. */
MUST_CHECK enum code command_parse(const struct command *command, int argc, char **argv, struct arena *arena,
                                   struct command_line *out, bool *help, struct error *err);
/* Look up and run; the exit code. */
int command_main(int argc, char **argv);
void command_help(const struct command *command, struct text *out);
void general_help(struct text *out);
/* Print "leat: text" on stderr; the exit code of the error's class. */
int report(const struct error *err);

#endif
