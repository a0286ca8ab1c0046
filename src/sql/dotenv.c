#include <ctype.h>

#include "sql/spec.h"

struct line {
    struct bytes rest;
    struct position at;
};

static bool at_end(const struct line *line) { return line->rest.size == 0; }
static uint8_t here(const struct line *line) { return at_end(line) ? 0 : line->rest.data[0]; }
static void skip(struct line *line, size_t count)
{
    line->rest = bytes_of(line->rest.data + count, line->rest.size - count);
    line->at.column += (int32_t)count;
}

static void skip_blanks(struct line *line)
{
    while (here(line) == ' ' || here(line) == '\t')
        skip(line, 1);
}

static bool name_byte(uint8_t byte, bool first) { return isalpha(byte) || byte == '_' || (!first && isdigit(byte)); }

static size_t name_size(struct bytes text)
{
    size_t size = 0;
    while (size < text.size && name_byte(text.data[size], size == 0))
        size++;
    return size;
}

static void skip_export(struct line *line)
{
    static const char word[] = "export";
    size_t size = sizeof word - 1;
    if (line->rest.size > size && memcmp(line->rest.data, word, size) == 0 && isblank(line->rest.data[size])) {
        skip(line, size);
        skip_blanks(line);
    }
}

static const char *bare_value(struct arena *arena, struct line *line)
{
    size_t size = 0;
    while (size < line->rest.size && !(line->rest.data[size] == '#' && size > 0 && isblank(line->rest.data[size - 1])))
        size++;
    if (here(line) == '#')
        size = 0;
    while (size > 0 && isspace(line->rest.data[size - 1]))
        size--;
    return arena_strndup(arena, (const char *)line->rest.data, size);
}

static char escaped(uint8_t byte) { return byte == 'n' ? '\n' : byte == 't' ? '\t' : byte == 'r' ? '\r' : (char)byte; }

/* NULL when the quote is not closed on the line. */
static const char *quoted_value(struct arena *arena, struct line *line, uint8_t quote)
{
    struct text value = {0};
    const uint8_t *data = line->rest.data;
    for (size_t i = 1; i < line->rest.size; i++) {
        if (data[i] == quote) {
            const char *out = arena_strndup(arena, value.data == NULL ? "" : value.data, value.size);
            text_free(&value);
            skip(line, i + 1);
            return out;
        }
        if (quote == '"' && data[i] == '\\' && i + 1 < line->rest.size && strchr("nrt\"\\$", data[i + 1]) != NULL)
            text_add_char(&value, escaped(data[++i]));
        else
            text_add_char(&value, (char)data[i]);
    }
    text_free(&value);
    return NULL;
}

static void line_parse(struct spec_reader *reader, struct line *line, struct setting *out)
{
    skip_blanks(line);
    if (at_end(line) || here(line) == '#')
        return;
    skip_export(line);
    struct position at = line->at;
    size_t size = name_size(line->rest);
    const char *name = arena_strndup(reader->arena, (const char *)line->rest.data, size);
    skip(line, size);
    skip_blanks(line);
    if (size == 0 || here(line) != '=') {
        spec_problem(reader, size == 0 ? at : line->at, NULL, "a line here is NAME=value");
        return;
    }
    skip(line, 1);
    skip_blanks(line);
    uint8_t quote = here(line);
    const char *value;
    if (quote != '"' && quote != '\'') {
        value = bare_value(reader->arena, line);
    } else {
        struct position start = line->at;
        value = quoted_value(reader->arena, line, quote);
        if (value == NULL) {
            spec_problem(reader, start, NULL, "the quote is not closed on this line");
            return;
        }
        skip_blanks(line);
        if (!at_end(line) && here(line) != '#') {
            spec_problem(reader, line->at, NULL, "nothing but a # comment may follow the closing quote");
            return;
        }
    }
    at.length = (int32_t)size;
    *out = (struct setting){name, value, at};
}

enum code dotenv_parse(struct arena *arena, const struct sql_file *file, struct notes *notes, struct dotenv *out,
                       struct error *err)
{
    struct spec_reader reader = {.arena = arena, .notes = notes};
    struct setting *names = NULL;
    size_t capacity = 0;
    int32_t count = 0;
    struct bytes rest = file->text;
    for (int32_t number = 1; rest.size > 0; number++) {
        const uint8_t *newline = memchr(rest.data, '\n', rest.size);
        size_t size = newline == NULL ? rest.size : (size_t)(newline - rest.data);
        struct line line = {bytes_of(rest.data, size), {file->name, number, 1, 1}};
        if (size > 0 && rest.data[size - 1] == '\r')
            line.rest.size--;
        struct setting setting = {0};
        line_parse(&reader, &line, &setting);
        if (setting.name != NULL) {
            mem_grow(names, capacity, (size_t)count + 1);
            names[count++] = setting;
        }
        size += newline != NULL;
        rest = bytes_of(rest.data + size, rest.size - size);
    }
    struct setting *kept = arena_array(arena, struct setting, (size_t)count);
    if (count > 0)
        memcpy(kept, names, (size_t)count * sizeof *kept);
    mem_free(names);
    if (reader.first.code != E_OK) {
        *err = reader.first;
        return err->code;
    }
    *out = (struct dotenv){file->name, kept, count};
    return E_OK;
}

const char *dotenv_find(const struct dotenv *dotenv, const char *name)
{
    for (int32_t i = dotenv->count - 1; i >= 0; i--) // the last one wins, as in a shell
        if (strcmp(dotenv->names[i].name, name) == 0)
            return dotenv->names[i].value;
    return NULL;
}
