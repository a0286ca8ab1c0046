/* args.c - words of a command line into a settings struct. */
#include "cli/cli.h"

#include <ctype.h>
#include <stdio.h>

#include "base/os.h"

enum { ENV_NAME_MAX = 80, FLAGS_MAX = 64 };

static bool is_repeated(const struct option *option)
{
    return option->kind == OPTION_STRING && option->choices != NULL && strcmp(option->choices, "*") == 0;
}

static const char *nearest_flag(const struct option *options, const char *name)
{
    const char *names[FLAGS_MAX];
    size_t count = 0;
    for (; options != NULL && options->name != NULL && count < FLAGS_MAX; options++)
        names[count++] = options->name;
    return nearest_word(name, names, count);
}

static enum code unknown(const struct command *command, const char *name, struct error *err)
{
    const char *near = nearest_flag(command->options, name);
    if (near != NULL)
        return fail(err, E_USAGE, "leat %s has no --%s; did you mean --%s?", command->name, name, near);
    return fail(err, E_USAGE, "leat %s has no --%s; see leat %s --help", command->name, name, command->name);
}

static enum code flag_set(const struct command_line *line, const struct option *option, const char *value,
                          struct error *err)
{
    if (is_repeated(option)) {
        struct strings *strings = (void *)((char *)line->settings + option->offset);
        const char **items = arena_array(line->arena, const char *, (size_t)strings->count + 1);
        if (strings->count > 0)
            memcpy(items, strings->items, sizeof *items * (size_t)strings->count);
        items[strings->count++] = arena_strdup(line->arena, value);
        strings->items = items;
        return E_OK;
    }
    if (option_set(line->command->options, line->settings, option->name, value, line->arena, err) == E_OK)
        return E_OK;
    err->code = E_USAGE;
    return E_USAGE;
}

/* Flags of the environment come first, so that the command line wins. */
static enum code environment_apply(const struct command_line *line, struct error *err)
{
    for (const struct option *option = line->command->options; option != NULL && option->name != NULL; option++) {
        char name[ENV_NAME_MAX];
        int size = snprintf(name, sizeof name, "LEAT_%s", option->name);
        for (int i = 0; i < size && name[i] != '\0'; i++)
            name[i] = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
        const char *value = os_env(name);
        if (value != NULL && value[0] != '\0' && flag_set(line, option, value, err) != E_OK)
            return error_note(err, "environment variable %s", name);
    }
    return E_OK;
}

/* -c: a flag whose name is one letter. */
static bool is_letter_flag(const struct command *command, const char *word)
{
    return word[0] == '-' && word[1] != '\0' && word[1] != '-' && word[2] == '\0' &&
           option_find(command->options, word + 1) != NULL;
}

/* One flag at argv[*at]; moves past its value. */
static enum code flag_parse(const struct command_line *line, int argc, char **argv, int *at, struct error *err)
{
    const char *word = argv[*at] + (argv[*at][1] == '-' ? 2 : 1), *equals = strchr(word, '=');
    const char *name = equals == NULL ? word : arena_strndup(line->arena, word, (size_t)(equals - word));
    const struct option *option = option_find(line->command->options, name);
    if (option == NULL)
        return unknown(line->command, name, err);
    const char *value = equals == NULL ? NULL : equals + 1;
    if (value == NULL && option->kind == OPTION_BOOLEAN)
        value = "true";
    if (value == NULL && *at + 1 < argc)
        value = argv[++*at];
    if (value == NULL)
        return fail(err, E_USAGE, "--%s needs a value", option->name);
    return flag_set(line, option, value, err);
}

static enum code count_check(const struct command_line *line, struct error *err)
{
    const struct command *command = line->command;
    if (line->argument_count >= command->arguments_min && line->argument_count <= command->arguments_max)
        return E_OK;
    return fail(err, E_USAGE, "usage: leat %s %s; see leat %s --help", command->name, command->arguments,
                command->name);
}

enum code command_parse(const struct command *command, int argc, char **argv, struct arena *arena,
                        struct command_line *out, bool *help, struct error *err)
{
    const char **arguments = arena_array(arena, const char *, (size_t)argc + 1);
    struct command_line line = {
        .command = command, .settings = arena_alloc(arena, command->size + 1), .arguments = arguments, .arena = arena};
    bool flags = true;
    options_defaults(command->options, line.settings, arena);
    *help = false;
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            *help = true;
            return E_OK;
        }
    TRY(environment_apply(&line, err));
    for (int i = 0; i < argc; i++) {
        if (flags && strcmp(argv[i], "--") == 0)
            flags = false;
        else if (flags && (strncmp(argv[i], "--", 2) == 0 || is_letter_flag(command, argv[i])))
            TRY(flag_parse(&line, argc, argv, &i, err));
        else if (flags && argv[i][0] == '-' && argv[i][1] != '\0')
            return fail(err, E_USAGE, "%s: flags have two dashes; see leat %s --help", argv[i], command->name);
        else
            arguments[line.argument_count++] = argv[i];
    }
    TRY(count_check(&line, err));
    *out = line;
    return E_OK;
}
