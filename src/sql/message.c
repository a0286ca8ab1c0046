#include "sql/message.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

enum {
    SHOWN_LINE_MAX = 160, // bytes of a source line; longer ones are cut around the caret
    SAID_MAX = 640        // bytes of the message itself; the line and the caret need the rest
};

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

/* ---- what no log may show ---- */

/* Names of settings whose values are kept secret, in lower case. */
static const char *const secret_words[] = {"password", "passwd", "passphrase", "secret",
                                           "jaas",     "token",  "credential", ".key"};

static bool name_byte(uint8_t byte) { return isalnum(byte) || byte == '.' || byte == '_'; }

/* Where the name ends that holds the first secret word at or after `from`; 0: there is none. */
static size_t secret_name_end(struct bytes line, size_t from)
{
    for (size_t i = from; i < line.size; i++)
        for (size_t w = 0; w < sizeof secret_words / sizeof *secret_words; w++) {
            size_t size = strlen(secret_words[w]);
            if (size > line.size - i || strncasecmp((const char *)line.data + i, secret_words[w], size) != 0)
                continue;
            for (i += size; i < line.size && name_byte(line.data[i]);)
                i++;
            return i;
        }
    return 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), tail = strlen(end);
    return size >= tail && strcasecmp(text + size - tail, end) == 0;
}

static bool is_yaml(const struct sql_file *file)
{
    return file->name != NULL && (ends_with(file->name, ".yml") || ends_with(file->name, ".yaml"));
}

static size_t indent_of(struct bytes line)
{
    size_t i = 0;
    while (i < line.size && isspace(line.data[i]))
        i++;
    return i;
}

/* SQL has columns of such names; settings stand in quotes, or behind SET. */
static size_t sql_secret_end(struct bytes line)
{
    size_t start = indent_of(line);
    if (line.size - start > 4 && strncasecmp((const char *)line.data + start, "set ", 4) == 0)
        return secret_name_end(line, start);
    for (size_t i = start; i < line.size; i++) {
        if (strchr("'\"`", line.data[i]) == NULL || line.data[i] == '\0')
            continue;
        const uint8_t *close = memchr(line.data + i + 1, line.data[i], line.size - i - 1);
        size_t end = close == NULL ? line.size : (size_t)(close - line.data);
        size_t found = secret_name_end(bytes_of(line.data, end), i + 1);
        if (found > 0)
            return found;
        i = end;
    }
    return 0;
}

/* s3://name:password@bucket */
static size_t url_secret_end(struct bytes line)
{
    static const char mark[] = "://";
    const uint8_t *end = line.data + line.size;
    for (const uint8_t *at = line.data; (at = memmem(at, (size_t)(end - at), mark, sizeof mark - 1)) != NULL;) {
        at += sizeof mark - 1;
        size_t host = 0;
        while (at + host < end && at[host] != '\0' && strchr("/'\"` \t", at[host]) == NULL)
            host++;
        if (memchr(at, '@', host) != NULL)
            return (size_t)(at - line.data);
    }
    return 0;
}

/* A value may begin, or go on, below its name: deeper than the name, or behind a line that is not complete. */
static bool secret_goes_on(const struct sql_file *file, struct bytes text)
{
    size_t indent = indent_of(text);
    bool next = true, item = indent < text.size && text.data[indent] == '-';
    size_t stop = (size_t)(text.data - file->text.data);
    while (stop-- > 0) {
        const uint8_t *newline = memrchr(file->text.data, '\n', stop);
        size_t start = newline == NULL ? 0 : (size_t)(newline - file->text.data) + 1;
        struct bytes above = bytes_of(file->text.data + start, stop - start);
        stop = start;
        size_t at = indent_of(above);
        if (at == above.size)
            continue;
        size_t end = above.size;
        while (isspace(above.data[end - 1]))
            end--;
        bool open = strchr(":=|>[{(", above.data[end - 1]) != NULL;
        size_t found = is_yaml(file) ? secret_name_end(above, at) : sql_secret_end(above);
        if (found > 0 && ((next && open) || (is_yaml(file) && (at < indent || (item && at == indent)))))
            return true;
        if (!is_yaml(file))
            return false;
        next = false;
        if (at < indent)
            indent = at, item = above.data[at] == '-';
        if (indent == 0 && !item)
            return false;
    }
    return false;
}

/* The line as it may be shown. */
static void line_mask(const struct sql_file *file, int32_t number, struct text *out)
{
    static const char mask[] = "***";
    struct bytes line = line_of(file->text, number);
    size_t end = is_yaml(file) ? secret_name_end(line, 0) : sql_secret_end(line);
    end = end == 0 ? url_secret_end(line) : end;
    if (end == 0 && secret_goes_on(file, line))
        end = indent_of(line);
    else if (end == 0)
        end = line.size;
    while (end < line.size && strchr("'\"` \t:=,>)}]", line.data[end]) != NULL && line.data[end] != '\0')
        end++;
    text_add(out, line.data, end);
    if (end < line.size)
        text_add_string(out, mask);
}

/* ---- the line and the caret ---- */

static bool starts_character(uint8_t byte) { return (byte & 0xc0) != 0x80; }

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
        for (from = start - SHOWN_LINE_MAX / 2; from < start && !starts_character(line.data[from]); from++)
            ;
    size_t to = line.size - from > SHOWN_LINE_MAX ? from + SHOWN_LINE_MAX : line.size;
    while (to < line.size && !starts_character(line.data[to]))
        to++;
    text_printf(out, "\n%4d | %.*s\n     | ", at.line, (int)(to - from), (const char *)line.data + from);
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

/* What is said may be an expression of any length. */
static int said_size(const char *text)
{
    size_t size = strlen(text);
    if (size <= SAID_MAX)
        return (int)size;
    for (size = SAID_MAX; size > 0 && !starts_character((uint8_t)text[size]); size--)
        ;
    return (int)size;
}

static void compose(const struct notes *notes, struct position at, const char *text, struct text *out)
{
    const struct sql_file *file = file_of(notes, at.file);
    if (at.line == 0) {
        text_add_string(out, text);
        return;
    }
    text_printf(out, "%s%s%d:%d: %.*s", at.file ? at.file : "", at.file ? ":" : "", at.line, at.column, said_size(text),
                text);
    if (file != NULL) {
        struct text line = {0};
        line_mask(file, at.line, &line);
        add_caret(out, bytes_of(line.data, line.size), at);
        text_free(&line);
    }
}

enum code message_at(const struct notes *notes, struct position at, const char *hint, struct error *err)
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

/* What is analysed twice is told once. */
static bool is_told(const struct list *warnings, const char *text)
{
    for (int32_t i = 0; i < warnings->count; i++)
        if (strcmp(warnings->items[i], text) == 0)
            return true;
    return false;
}

void notes_warn(struct notes *notes, struct position at, const char *format, ...)
{
    bool elsewhere = at.line > 0 && file_of(notes, at.file) == NULL; // in a view: told when it was created
    if (elsewhere || notes->warnings.count >= SQL_WARNINGS_MAX)
        return;
    struct text out = {0};
    char said[512];
    va_list args;
    va_start(args, format);
    vsnprintf(said, sizeof said, format, args);
    va_end(args);
    compose(notes, at, said, &out);
    if (!is_told(&notes->warnings, out.data))
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
