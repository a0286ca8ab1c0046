#include "sql/message.h"

#include <stdarg.h>
#include <stdio.h>

enum { SHOWN_LINE_MAX = 160 }; // bytes of a source line; longer ones are cut around the caret

static const struct sql_file *file_of(const struct notes *notes, const char *name)
{
    for (int32_t i = 0; i < notes->file_count; i++)
        if (notes->files[i].name == name)
            return &notes->files[i];
    return NULL;
}

static struct bytes line_of(struct bytes text, int32_t line)
{
    size_t start = 0;
    for (int32_t i = 1; i < line && start < text.size; i++) {
        const uint8_t *newline = memchr(text.data + start, '\n', text.size - start);
        start = newline == NULL ? text.size : (size_t)(newline - text.data) + 1;
    }
    size_t end = start;
    while (end < text.size && text.data[end] != '\n' && text.data[end] != '\r')
        end++;
    return bytes_of(text.data + start, end - start);
}

static bool starts_character(uint8_t byte)
{
    return (byte & 0xc0) != 0x80;
}

/* Bytes of the first `characters` characters. */
static size_t prefix_bytes(struct bytes line, int32_t characters)
{
    size_t i = 0;
    for (int32_t seen = 0; i < line.size; i++)
        if (starts_character(line.data[i]) && seen++ == characters)
            break;
    return i;
}

/* The line and below it a caret under the place; tabs stay tabs so that the columns agree. */
static void add_caret(struct text *out, struct bytes line, struct position at)
{
    size_t start = prefix_bytes(line, at.column - 1), from = 0;
    if (start > SHOWN_LINE_MAX / 2)
        for (from = start - SHOWN_LINE_MAX / 2; from < start && !starts_character(line.data[from]);
             from++)
            ;
    size_t to = line.size - from > SHOWN_LINE_MAX ? from + SHOWN_LINE_MAX : line.size;
    while (to < line.size && !starts_character(line.data[to]))
        to++;
    text_printf(out, "\n%4d | %.*s\n     | ", at.line, (int)(to - from),
                (const char *)line.data + from);
    for (size_t i = from; i < start; i++)
        if (line.data[i] == '\t')
            text_add_char(out, '\t');
        else if (starts_character(line.data[i]))
            text_add_char(out, ' ');
    text_add_char(out, '^');
    int32_t left = 0;
    for (size_t i = start; i < to; i++)
        left += starts_character(line.data[i]);
    for (int32_t i = 1; i < at.length && i < left; i++)
        text_add_char(out, '^');
}

static void compose(const struct notes *notes, struct position at, const char *text,
                    struct text *out)
{
    const struct sql_file *file = file_of(notes, at.file);
    if (at.line == 0) {
        text_add_string(out, text);
        return;
    }
    text_printf(out, "%s%s%d:%d: %s", at.file ? at.file : "", at.file ? ":" : "", at.line,
                at.column, text);
    if (file != NULL)
        add_caret(out, line_of(file->text, at.line), at);
}

enum code message_at(const struct notes *notes, struct position at, const char *hint,
                     struct error *err)
{
    struct text out = {.limit = sizeof err->text - 1};
    compose(notes, at, err->text, &out);
    if (hint != NULL)
        text_printf(&out, "\nhint: %s", hint);
    snprintf(err->text, sizeof err->text, "%s", out.data);
    text_free(&out);
    return err->code;
}

void notes_problem(struct notes *notes, const struct error *err)
{
    struct problems *problems = notes->problems;
    notes->problem_count++;
    if (problems == NULL || problems->count >= SQL_PROBLEMS_MAX)
        return;
    mem_grow(problems->texts, problems->capacity, problems->count + 1);
    problems->texts[problems->count++] = arena_strdup(notes->arena, err->text);
}

void notes_warn(struct notes *notes, struct position at, const char *format, ...)
{
    if (notes->warnings.count >= SQL_WARNINGS_MAX)
        return;
    struct text out = {0};
    char said[512];
    va_list args;
    va_start(args, format);
    vsnprintf(said, sizeof said, format, args);
    va_end(args);
    compose(notes, at, said, &out);
    list_add(notes->arena, &notes->warnings, arena_strdup(notes->arena, out.data));
    text_free(&out);
}

struct bytes sql_condition(const struct error *err)
{
    const char *open = strchr(err->text, '['), *close = open != NULL ? strchr(open, ']') : NULL;
    if (close == NULL || close == open + 1)
        return (struct bytes){0};
    size_t size = (size_t)(close - open - 1);
    if (strspn(open + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.") < size)
        return (struct bytes){0};
    return bytes_of(open + 1, size);
}
