#include "cli/line_editor.h"

#include <ctype.h>
#include <errno.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/os.h"

#if defined(LEAT_EDITLINE)
#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#endif

enum { REMEMBERED_LINES = 1000, PATH_BYTES = 4096 };

struct line_editor {
    FILE *in;
    const char *prompt;
#if defined(LEAT_EDITLINE)
    EditLine *editor; /* NULL: lines as they come */
    History *history;
    char path[PATH_BYTES]; /* "": nothing is kept */
#endif
};

/* ---- with libedit ---- */

#if defined(LEAT_EDITLINE)

static char *prompt_of(EditLine *editor)
{
    struct line_editor *self;
    el_get(editor, EL_CLIENTDATA, &self);
    return (char *)(uintptr_t)self->prompt; // libedit only prints it
}

static void path_find(struct line_editor *self)
{
    const char *given = os_env("LEAT_HISTORY"), *home = os_env("HOME");
    int size = 0;
    if (given != NULL)
        size = snprintf(self->path, sizeof self->path, "%s", given);
    else if (home != NULL && home[0] == '/')
        size = snprintf(self->path, sizeof self->path, "%s/.leat_history", home);
    if (size < 0 || (size_t)size >= sizeof self->path)
        self->path[0] = '\0';
}

static bool is_utf8(void) { return strcmp(nl_langinfo(CODESET), "UTF-8") == 0; }

/* libedit drops the characters that the locale cannot spell, and SQL is UTF-8. Only LC_CTYPE: numbers and times are read and
 * printed as ever. */
static void characters_open(void)
{
    setlocale(LC_CTYPE, "");
    if (!is_utf8() && setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        setlocale(LC_CTYPE, "C"); // bytes of another character set are no letters of ours
}

static void editor_open(struct line_editor *self)
{
    HistEvent event;
    const char *terminal = os_env("TERM");
    if (terminal == NULL || strcmp(terminal, "dumb") == 0 || isatty(fileno(self->in)) != 1)
        return;
    path_find(self);
    characters_open();
    self->editor = el_init("leat", self->in, stdout, stderr);
    self->history = history_init();
    if (self->editor == NULL || self->history == NULL)
        return;
    history(self->history, &event, H_SETSIZE, REMEMBERED_LINES);
    history(self->history, &event, H_SETUNIQUE, 1);
    if (self->path[0] != '\0')
        history(self->history, &event, H_LOAD, self->path);
    el_set(self->editor, EL_CLIENTDATA, self);
    el_set(self->editor, EL_PROMPT, prompt_of);
    el_set(self->editor, EL_EDITOR, "emacs");
    el_set(self->editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_set(self->editor, EL_HIST, history, self->history);
}

static void editor_close(struct line_editor *self)
{
    if (self->history != NULL)
        history_end(self->history);
    if (self->editor != NULL)
        el_end(self->editor);
}

static bool is_edited(const struct line_editor *self) { return self->editor != NULL && self->history != NULL; }

static enum heard edited_read(struct line_editor *self, struct text *line)
{
    int count = 0;
    errno = 0;
    const char *typed = el_gets(self->editor, &count);
    if (typed == NULL || count <= 0)
        return errno == EINTR ? HEARD_INTERRUPT : HEARD_END;
    text_add(line, typed, (size_t)count - (typed[count - 1] == '\n'));
    return HEARD_LINE;
}

/* Kept at once: a terminal that is closed, or a kill, gives no other chance. */
static void edited_remember(struct line_editor *self, const char *typed)
{
    HistEvent event;
    history(self->history, &event, H_ENTER, typed);
    if (self->path[0] != '\0')
        history(self->history, &event, H_SAVE, self->path);
}

#else

static void editor_open(struct line_editor *self) { (void)self; }
static void editor_close(struct line_editor *self) { (void)self; }
static bool is_edited(const struct line_editor *self)
{
    (void)self;
    return false;
}
static enum heard edited_read(struct line_editor *self, struct text *line)
{
    (void)self, (void)line;
    return HEARD_END;
}
static void edited_remember(struct line_editor *self, const char *typed) { (void)self, (void)typed; }

#endif

/* ---- as they come ---- */

static enum heard plain_read(struct line_editor *self, struct text *line)
{
    int c;
    fputs(self->prompt, stdout);
    fflush(stdout);
    errno = 0;
    while ((c = fgetc(self->in)) != EOF && c != '\n')
        text_add_char(line, (char)c);
    if (c != EOF || line->size > 0)
        return HEARD_LINE;
    if (errno != EINTR)
        return HEARD_END;
    clearerr(self->in);
    return HEARD_INTERRUPT;
}

/* ---- both ---- */

struct line_editor *line_editor_new(FILE *in)
{
    struct line_editor *self = mem_new(struct line_editor);
    self->in = in;
    editor_open(self);
    return self;
}

enum heard line_editor_read(struct line_editor *self, const char *prompt, struct text *line)
{
    self->prompt = prompt;
    return is_edited(self) ? edited_read(self, line) : plain_read(self, line);
}

void line_editor_remember(struct line_editor *self, const char *typed)
{
    struct text line = {0};
    if (!is_edited(self))
        return;
    for (const char *at = typed; *at != '\0'; at++)
        text_add_char(&line, *at == '\n' ? ' ' : *at);
    while (line.size > 0 && isspace((unsigned char)line.data[line.size - 1]))
        line.data[--line.size] = '\0';
    if (line.size > 0)
        edited_remember(self, line.data);
    text_free(&line);
}

void line_editor_free(struct line_editor *self)
{
    editor_close(self);
    mem_free(self);
}
