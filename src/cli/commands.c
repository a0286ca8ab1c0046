/* commands.c - the list of commands, their help, and the way from argv to one of them. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/os.h"

const struct command *const commands[] = {
    &init_command,   &check_command,      &plan_command,  &run_command,   &sql_command,
    &state_command,  &quarantine_command, &drift_command, &audit_command, &compact_command,
    &vacuum_command, &produce_command,    &docs_command,  NULL,
};

int report(const struct error *err)
{
    fprintf(stderr, "leat: %s\n", err->text);
    if (error_class(err->code) == CLASS_user)
        return EXIT_USER;
    return error_class(err->code) == CLASS_data ? EXIT_DATA : EXIT_FAILED;
}

/* ---- help: examples first, for that is what one looks for ---- */

void command_help(const struct command *command, struct text *out)
{
    text_printf(out, "leat %s %s\n  %s\n\nExamples\n%s\n", command->name, command->arguments, command->help,
                command->examples);
    if (command->options != NULL && command->options[0].name != NULL) {
        text_add_string(out, "Flags (also LEAT_NAME in the environment, in capitals, _ for -)\n");
        options_print(command->options, out);
    }
    if (command->notes != NULL)
        text_printf(out, "\n%s", command->notes);
}

void general_help(struct text *out)
{
    text_add_string(
        out, "leat runs Spark Declarative Pipelines from Kafka to files, exactly once, on one machine.\n\n"
             "Start here\n"
             "  leat init shop                                        a project with sources, SQL and settings\n"
             "  leat check shop                                       is it right? what does it read and write?\n"
             "  leat produce transactions --topic transactions --count 1000000\n"
             "  leat run shop --once                                  work off what is there, then stop\n"
             "  leat run shop                                         run until Ctrl-C\n"
             "  leat plan shop                                        the SQL changed: what of the checkpoint stays?\n"
             "  leat audit shop                                       is it all there, once?\n"
             "  leat quarantine shop                                  what failed, and why? bring it back\n"
             "  leat drift shop                                       what does the input have that no schema names?\n"
             "  leat sql -c \"SELECT explode(sequence(1, 3)) AS n\"      ask something\n\n"
             "Commands\n");
    for (const struct command *const *command = commands; *command != NULL; command++)
        text_printf(out, "  %-8s %-6s %s\n", (*command)->name, (*command)->arguments, (*command)->help);
    text_add_string(
        out, "  help     COMMAND  examples and flags of a command\n\n"
             "Exit codes: 0 ok, 1 failed, 2 usage or user error, 3 data problem, or findings of an audit,\n"
             "            4 stopped as asked, but the open epoch is not committed: the next start reads it again.\n"
             "LEAT_LOG=error|warn|info|debug says how much is logged.\n");
}

static int print_help(const struct command *command)
{
    struct text text = {0};
    if (command == NULL)
        general_help(&text);
    else
        command_help(command, &text);
    fputs(text.data, stdout);
    text_free(&text);
    return EXIT_OK;
}

/* ---- dispatch ---- */

static const struct command *command_find(const char *name)
{
    for (const struct command *const *command = commands; *command != NULL; command++)
        if (strcmp((*command)->name, name) == 0)
            return *command;
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[sizeof commands / sizeof commands[0]];
    size_t count = 0;
    for (; commands[count] != NULL; count++)
        names[count] = commands[count]->name;
    const char *near = nearest_word(name, names, count);
    struct error err = {0};
    error_set(&err, E_USAGE, 0, ERROR_HERE, "there is no command \"%s\"%s%s%s; see leat --help", name,
              near == NULL ? "" : "; did you mean ", near == NULL ? "" : near, near == NULL ? "" : "?");
    return report(&err);
}

static bool is_word(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

static int command_run(const struct command *command, int argc, char **argv)
{
    struct arena arena = {0};
    struct command_line line = {0};
    struct error err = {0};
    bool help = false;
    int status;
    if (command_parse(command, argc, argv, &arena, &line, &help, &err) != E_OK)
        status = report(&err);
    else
        status = help ? print_help(command) : command->run(&line);
    arena_free(&arena);
    return status;
}

/* False: it says what no level is. */
static bool log_level_read(void)
{
    static const char *const names[] = {"error", "warn", "info", "debug"}; // ORDER log_level
    const char *wanted = os_env("LEAT_LOG");
    if (wanted == NULL || wanted[0] == '\0')
        return true;
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
        if (strcmp(names[i], wanted) == 0) {
            log_set_level((enum log_level)i);
            return true;
        }
    fprintf(stderr, "leat: LEAT_LOG=%s: it may be error, warn, info or debug\n", wanted);
    return false;
}

int command_main(int argc, char **argv)
{
    if (!log_level_read())
        return EXIT_USER;
    if (argc < 2) {
        (void)print_help(NULL);
        return EXIT_USER;
    }
    if (is_word(argv[1], "--version", "version")) {
        puts("leat " LEAT_VERSION);
        return EXIT_OK;
    }
    if (is_word(argv[1], "--help", "-h") || (strcmp(argv[1], "help") == 0 && argc == 2))
        return print_help(NULL);
    const char *name = strcmp(argv[1], "help") == 0 ? argv[2] : argv[1];
    const struct command *command = command_find(name);
    if (command == NULL)
        return unknown_command(name);
    return name == argv[1] ? command_run(command, argc - 2, argv + 2) : print_help(command);
}
