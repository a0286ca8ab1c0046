/* Words of a command line into settings; the way to a command; the new project. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"
#include "kit.h"

struct flags {
    const char *name;
    int64_t count;
    bool fast;
    struct strings sets;
};
static const struct option options[] = {
    {.name = "name", .kind = OPTION_STRING, .initial = "x", .help = "h", .offset = offsetof(struct flags, name)},
    {.name = "max-count",
     .kind = OPTION_INT,
     .initial = "7",
     .max = 100,
     .help = "h",
     .offset = offsetof(struct flags, count)},
    {.name = "fast", .kind = OPTION_BOOLEAN, .help = "h", .offset = offsetof(struct flags, fast)},
    {.name = "set", .kind = OPTION_STRING, .choices = "*", .help = "h", .offset = offsetof(struct flags, sets)},
    {0},
};
static const struct command command = {.name = "try",
                                       .arguments = "A [B]",
                                       .help = "h",
                                       .examples = "  leat try a\n",
                                       .options = options,
                                       .size = sizeof(struct flags),
                                       .arguments_min = 1,
                                       .arguments_max = 2};

struct parsed {
    struct arena arena;
    struct command_line line;
    struct error err;
    enum code code;
    bool help;
};
static struct parsed parse(const char *const *words, int count)
{
    struct parsed parsed = {0};
    char *argv[16];
    for (int i = 0; i < count; i++)
        argv[i] = arena_strdup(&parsed.arena, words[i]);
    parsed.code = command_parse(&command, count, argv, &parsed.arena, &parsed.line, &parsed.help, &parsed.err);
    return parsed;
}
#define PARSE(...) \
    parse((const char *const[]){__VA_ARGS__}, (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))

TEST(args_flags_stand_anywhere)
{
    struct parsed parsed = PARSE("--set", "a=1", "first", "--max-count=9", "--fast", "--set=b=2", "--", "--name");
    const struct flags *flags = parsed.line.settings;
    CHECK(parsed.code == E_OK);
    CHECK_INT(flags->count, 9);
    CHECK(flags->fast);
    CHECK_STR(flags->name, "x");
    CHECK_INT(flags->sets.count, 2);
    CHECK_STR(flags->sets.items[0], "a=1");
    CHECK_STR(flags->sets.items[1], "b=2");
    CHECK_INT(parsed.line.argument_count, 2);
    CHECK_STR(parsed.line.arguments[0], "first");
    CHECK_STR(parsed.line.arguments[1], "--name");
    arena_free(&parsed.arena);
}

TEST(args_environment_gives_defaults)
{
    setenv("LEAT_MAX_COUNT", "42", 1);
    struct parsed parsed = PARSE("a"), given = PARSE("a", "--max-count", "3");
    CHECK_INT(((const struct flags *)parsed.line.settings)->count, 42);
    CHECK_INT(((const struct flags *)given.line.settings)->count, 3);
    setenv("LEAT_MAX_COUNT", "many", 1);
    struct parsed wrong = PARSE("a");
    CHECK(wrong.code == E_USAGE && strstr(wrong.err.text, "LEAT_MAX_COUNT") != NULL);
    unsetenv("LEAT_MAX_COUNT");
    arena_free(&parsed.arena), arena_free(&given.arena), arena_free(&wrong.arena);
}

TEST(args_errors_are_usage)
{
    static const struct {
        const char *words[3];
        int count;
        const char *text;
    } cases[] = {
        {{"a", "--max-cuont", "3"}, 3, "did you mean --max-count"},
        {{"a", "--max-count"}, 2, "--max-count needs a value"},
        {{"a", "--max-count", "101"}, 3, "from 0 to 100"},
        {{"a", "--max-count", "many"}, 3, "max-count"},
        {{"a", "-n"}, 2, "two dashes"},
        {{"a", "b", "c"}, 3, "usage: leat try A [B]"},
        {{"--fast"}, 1, "usage: leat try A [B]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed parsed = parse(cases[i].words, cases[i].count);
        CHECK(parsed.code == E_USAGE);
        CHECK(strstr(parsed.err.text, cases[i].text) != NULL);
        arena_free(&parsed.arena);
    }
    struct parsed parsed = PARSE("--max-count", "nonsense", "--help");
    CHECK(parsed.code == E_OK && parsed.help); // help comes before all errors
    arena_free(&parsed.arena);
}

TEST(every_command_has_help_with_examples)
{
    struct text text = {0};
    for (const struct command *const *each = commands; *each != NULL; each++) {
        text_clear(&text);
        command_help(*each, &text);
        CHECK((*each)->run != NULL && (*each)->arguments_min <= (*each)->arguments_max);
        CHECK(strstr(text.data, "Examples") != NULL && strstr(text.data, (*each)->help) != NULL);
    }
    text_free(&text);
}

static int run_words(const char *a, const char *b, const char *c)
{
    char words[3][300];
    char *argv[] = {words[0], words[1], words[2], NULL};
    snprintf(words[0], sizeof words[0], "%s", a);
    snprintf(words[1], sizeof words[1], "%s", b == NULL ? "" : b);
    snprintf(words[2], sizeof words[2], "%s", c == NULL ? "" : c);
    return command_main(1 + (b != NULL) + (c != NULL), argv);
}

TEST(init_writes_a_project_that_checks_and_never_overwrites)
{
    char directory[256], path[300];
    struct text before = {0}, after = {0};
    struct error err = {0};
    snprintf(directory, sizeof directory, "%s/shop", kit_tmpdir());
    CHECK_INT(run_words("leat", "init", directory), EXIT_OK);
    CHECK_INT(run_words("leat", "check", directory), EXIT_OK);
    snprintf(path, sizeof path, "%s/spark-pipeline.yml", directory);
    CHECK(os_replace_file(path, bytes_of_string("mine\n"), &err) == E_OK);
    CHECK(os_read_file(path, 1 << 20, &before, &err) == E_OK);
    CHECK_INT(run_words("leat", "init", directory), EXIT_USER);
    CHECK(os_read_file(path, 1 << 20, &after, &err) == E_OK);
    CHECK(bytes_equal(text_view(&before), text_view(&after)));
    text_free(&before), text_free(&after);
}

TEST(unknown_command_is_a_usage_error)
{
    CHECK_INT(run_words("leat", "producee", NULL), EXIT_USER);
    CHECK_INT(run_words("leat", NULL, NULL), EXIT_USER);
    CHECK_INT(run_words("leat", "--version", NULL), EXIT_OK);
    CHECK_INT(run_words("leat", "help", "nothing"), EXIT_USER);
    CHECK_INT(run_words("leat", "produce", "nothing"), EXIT_USER);
}
