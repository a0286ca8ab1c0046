#include "cli/sql_shell.h"

#include <ctype.h>
#include <strings.h>
#include <unistd.h>

#include "base/os.h"
#include "base/text_number.h"
#include "cli/cli.h"
#include "cli/line_editor.h"
#include "cli/quantity.h"

/* ---- one statement ---- */

/* Whoever writes CREATE TABLE .. USING delta may look for its files. */
static void tell_memory(struct sql_shell *self)
{
    if (!self->run->made_table || self->told_memory)
        return;
    self->told_memory = true;
    fputs("note: tables of CREATE TABLE are held in memory and end with leat sql: nothing is written to disk. Tables "
          "on disk are written by a project's pipeline (leat run)\n",
          stderr);
}

static enum code statement_print(struct sql_shell *self, struct bytes statement, struct error *err)
{
    char count[QUANTITY_TEXT_MAX], size[QUANTITY_TEXT_MAX];
    struct printer printer = {.format = self->format, .width = self->talks ? os_terminal_columns() : 0};
    const struct sql_sink sink = printer_sink(&printer);
    int64_t spilled_bytes = self->run->spill.written_bytes;
    progress_begin(&self->progress);
    enum code code = sql_run_statement(self->run, statement, &sink, err);
    int64_t took_us = progress_end(&self->progress);
    bool rows = printer.schema != NULL;
    printer_finish(&printer, code == E_OK);
    fflush(stdout);
    tell_memory(self);
    if (self->timing && code == E_OK) {
        fprintf(stderr, "Time taken: %.3f seconds", (double)took_us / 1e6);
        if (rows)
            fprintf(stderr, ", fetched %s row%s", quantity_count(printer.rows, count), printer.rows == 1 ? "" : "s");
        if (self->run->spill.written_bytes > spilled_bytes)
            fprintf(stderr, ", %s went to disk", quantity_size(self->run->spill.written_bytes - spilled_bytes, size));
        fputc('\n', stderr);
    }
    return code;
}

int shell_script(struct sql_shell *self, struct bytes script)
{
    struct bytes statement;
    struct error err = {0};
    while (sql_statement_next(&script, &statement))
        if (statement_print(self, statement, &err) != E_OK) {
            int status = report(&err);
            return err.code == E_STOPPED ? EXIT_INTERRUPTED : status;
        }
    return EXIT_OK;
}

/* ---- at a terminal ---- */

static const char help[] =
    ".help                    this\n"
    ".mode table|json|csv     how rows are printed\n"
    ".quit                    leave; so do quit, exit and Ctrl-D\n"
    ".tables                  tables and views that statements can read\n"
    ".timer on|off            tell how long each statement takes\n"
    "Statements end with `;`, on one line or several. Ctrl-C ends a statement, or drops the lines.\n"
    "Arrows edit and recall lines, Ctrl-R searches them; ~/.leat_history keeps them.\n";

static void name_print(void *context, const char *name)
{
    (void)context;
    printf("%s\n", name);
}

static bool word_take(const char **at, const char *word)
{
    size_t size = strlen(word);
    if (strncasecmp(*at, word, size) != 0 || (isgraph((unsigned char)(*at)[size]) != 0))
        return false;
    *at += size;
    while (isspace((unsigned char)**at))
        (*at)++;
    return true;
}

/* The whole line is this word, as other shells know it: without a dot, with `;` or without. */
static bool is_plain(const char *line, const char *word)
{
    size_t size = strlen(word);
    return strncasecmp(line, word, size) == 0 && line[size + strspn(line + size, "; \t\r")] == '\0';
}

static bool is_own_word(const char *line)
{
    return line[0] == '.' || is_plain(line, "quit") || is_plain(line, "exit") || is_plain(line, "help");
}

/* False: leave. */
static bool own_word(struct sql_shell *self, const char *line)
{
    if (word_take(&line, ".quit") || word_take(&line, ".exit") || is_plain(line, "quit") || is_plain(line, "exit"))
        return false;
    if (word_take(&line, ".tables"))
        sql_session_names(self->run->session, name_print, NULL);
    else if (word_take(&line, ".timer"))
        self->timing = word_take(&line, "on");
    else if (word_take(&line, ".mode"))
        self->format = word_take(&line, "json") ? SHOW_JSON : word_take(&line, "csv") ? SHOW_CSV : SHOW_TABLE;
    else if (word_take(&line, ".help") || is_plain(line, "help"))
        fputs(help, stdout);
    else
        fprintf(stderr, "%.*s is no command: .help tells which there are\n", (int)strcspn(line, "; \t\r"), line);
    return true;
}

/* Such a line behind the first ones of a statement is part of it, which its typist may not have meant. */
static void tell_open(const struct sql_shell *self, const char *line)
{
    line += strspn(line, " \t");
    if (self->talks && is_own_word(line))
        fprintf(stderr, "note: a statement is open, and this was taken as part of it: `;` ends it, Ctrl-C drops it\n");
}

static bool is_complete(const struct text *typed)
{
    size_t size = typed->size;
    while (size > 0 && isspace((unsigned char)typed->data[size - 1]))
        size--;
    return size > 0 && typed->data[size - 1] == ';';
}

static bool is_blank(const struct text *text)
{
    for (size_t i = 0; i < text->size; i++)
        if (!isspace((unsigned char)text->data[i]))
            return false;
    return true;
}

int shell_talk(struct sql_shell *self, FILE *in)
{
    struct text typed = {.limit = SQL_TEXT_MAX + 1}, line = {.limit = SQL_TEXT_MAX + 1};
    struct line_editor *editor = line_editor_new(in);
    bool on = true;
    self->talks = isatty(STDOUT_FILENO) == 1;
    puts("leat sql: .help for help, Ctrl-D to leave");
    while (on) {
        text_clear(&line);
        enum heard heard = line_editor_read(editor, is_blank(&typed) ? "leat> " : "    > ", &line);
        if (heard == HEARD_END)
            break;
        if (heard == HEARD_INTERRUPT) {
            text_clear(&typed);
            putchar('\n');
        } else if (is_blank(&typed) && line.size > 0 && is_own_word(line.data)) {
            line_editor_remember(editor, line.data);
            on = own_word(self, line.data);
        } else {
            if (!is_blank(&typed) && line.size > 0)
                tell_open(self, line.data);
            text_add(&typed, line.data != NULL ? line.data : "", line.size);
            text_add_char(&typed, '\n');
        }
        if (is_complete(&typed)) {
            line_editor_remember(editor, typed.data);
            (void)shell_script(self, text_view(&typed)); // the error was told
            text_clear(&typed);
        }
    }
    putchar('\n');
    line_editor_free(editor);
    text_free(&typed);
    text_free(&line);
    return EXIT_OK;
}
