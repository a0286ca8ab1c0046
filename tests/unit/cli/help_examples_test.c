/* What the examples of every command's help say is what its command line takes. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "kit.h"

enum { WORDS_MAX = 32, WORD_BYTES = 512 };

struct words {
    char *items[WORDS_MAX];
    int count;
};

/* The words of one command as a shell would make them: up to a pipe, a `;`, a `>`, a comment, or the two blanks before what the help
 * says of it. A line that ends with a backslash goes on. */
static struct words words_of(struct arena *arena, const char *at)
{
    struct words words = {0};
    char word[WORD_BYTES];
    size_t size = 0;
    bool begun = false;
    char quote = '\0';
    for (;; at++) {
        bool more = *at == '\\' && at[1] == '\n';
        if (more) {
            at += 1 + strspn(at + 1, "\n ");
            at--;
            continue;
        }
        bool end =
            *at == '\0' || (quote == '\0' && (*at == '\n' || *at == '|' || *at == ';' || *at == '>' || *at == '#'));
        if (end || (quote == '\0' && *at == ' ')) {
            if (begun && words.count < WORDS_MAX)
                words.items[words.count++] = arena_strndup(arena, word, size);
            begun = false;
            size = 0;
            if (end || at[1] == ' ')
                return words;
        } else if (*at == quote || (quote == '\0' && (*at == '\'' || *at == '"'))) {
            quote = quote == '\0' ? *at : '\0';
            begun = true;
        } else if (size < sizeof word) {
            size_t escaped = quote == '"' && *at == '\\';
            at += escaped;
            word[size++] = *at;
            begun = true;
        }
    }
}

static const struct command *command_named(const char *name)
{
    for (const struct command *const *command = commands; *command != NULL; command++)
        if (strcmp((*command)->name, name) == 0)
            return *command;
    return NULL;
}

/* Every `leat COMMAND ..` that begins a line, or stands behind "| " or "do ". */
static int examples_check(const char *text)
{
    int count = 0;
    for (const char *at = strstr(text, "leat "); at != NULL; at = strstr(at + 1, "leat ")) {
        bool begins = at - text >= 2 &&
                      (strncmp(at - 2, "  ", 2) == 0 || strncmp(at - 2, "| ", 2) == 0 || strncmp(at - 2, "o ", 2) == 0);
        if (!begins)
            continue;
        struct arena arena = {0};
        struct words words = words_of(&arena, at + strlen("leat "));
        const struct command *command = words.count > 0 ? command_named(words.items[0]) : NULL;
        struct command_line line;
        struct error err = {0};
        bool help = false;
        CHECK(command != NULL);
        if (command != NULL &&
            command_parse(command, words.count - 1, words.items + 1, &arena, &line, &help, &err) != E_OK) {
            printf("%.*s\n", (int)strcspn(at, "\n"), at);
            CHECK_STR(err.text, "");
        }
        count++;
        arena_free(&arena);
    }
    return count;
}

TEST(help_examples_are_command_lines)
{
    for (const struct command *const *command = commands; *command != NULL; command++)
        CHECK(examples_check((*command)->examples) > 0);
}

TEST(general_help_examples_are_command_lines)
{
    struct text text = {0};
    general_help(&text);
    *strstr(text.data, "Commands\n") = '\0';
    CHECK(examples_check(text.data) == 10);
    text_free(&text);
}
