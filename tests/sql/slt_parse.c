#include "slt.h"

#include "base/os.h"

static enum code complain(const struct slt_file *file, int32_t line, const char *what, struct error *err)
{
    return fail(err, E_SPEC, "%s:%d: %s", file->path, line + 1, what);
}

/* ---- lines ---- */

static enum code lines_read(struct slt_file *file, struct error *err)
{
    struct text text = {0};
    TRY(os_read_file(file->path, 1 << 20, &text, err));
    for (char *at = text.data; at != NULL && *at != '\0';) {
        size_t size = strcspn(at, "\n");
        mem_grow(file->lines, file->line_capacity, file->line_count + 1);
        file->lines[file->line_count++] = arena_strndup(&file->arena, at, size);
        at += size + (at[size] == '\n');
    }
    text_free(&text);
    return E_OK;
}

static bool is_blank(const char *line) { return line[strspn(line, " \t\r")] == '\0'; }

static char *word(struct slt_file *file, const char **at)
{
    *at += strspn(*at, " ");
    size_t size = strcspn(*at, " ");
    char *copy = arena_strndup(&file->arena, *at, size);
    *at += size + strspn(*at + size, " ");
    return copy;
}

/* The lines up to the next blank one. */
static void block(const struct slt_file *file, int32_t line, int32_t *first, int32_t *count)
{
    int32_t end = line + 1;
    while (end < file->line_count && !is_blank(file->lines[end]))
        end++;
    *first = line + 1;
    *count = end - line - 1;
}

/* ---- declarations ---- */

/* `, watermark at - 5 seconds` at the end of the columns. */
static void watermark_split(struct slt_file *file, struct slt_stream *stream)
{
    char *columns = (char *)(uintptr_t)stream->columns, *at = strstr(columns, ", watermark ");
    if (at == NULL)
        return;
    const char *rest = at + strlen(", watermark ");
    *at = '\0';
    stream->watermark = word(file, &rest);
    stream->delay = rest + strspn(rest, "- ");
}

static const char *closing_bracket(const char *at)
{
    int depth = 0;
    for (; *at != '\0'; at++) {
        depth += (*at == '(') - (*at == ')');
        if (depth == 0)
            return at;
    }
    return NULL;
}

/* NAME (COLUMNS) [FORMAT] [OPTION=VALUE ..] */
static enum code stream_parse(struct slt_file *file, int32_t line, const char *at, bool stands, struct error *err)
{
    if (file->stream_count == SLT_STREAMS_MAX)
        return complain(file, line, "too many streams", err);
    struct slt_stream *stream = &file->streams[file->stream_count++];
    stream->name = word(file, &at);
    stream->stands = stands;
    stream->format = "json";
    const char *end = *at == '(' ? closing_bracket(at) : NULL;
    if (end == NULL)
        return complain(file, line, "stream NAME (COLUMNS)", err);
    stream->columns = arena_strndup(&file->arena, at + 1, (size_t)(end - at - 1));
    watermark_split(file, stream);
    for (at = end + 1; !is_blank(at);) {
        char *part = word(file, &at), *equals = strchr(part, '=');
        if (equals == NULL) {
            stream->format = part;
            continue;
        }
        *equals = '\0';
        stream->options[stream->option_count] = part;
        stream->values[stream->option_count++] = equals + 1;
    }
    if (stands)
        block(file, line, &stream->first, &stream->count);
    size_t place;
    return type_parse_ddl(&file->arena, bytes_of_string(stream->columns), &stream->schema, &place, err);
}

static void sql_add(struct slt_file *file, int32_t first, int32_t count)
{
    for (int32_t i = first; i < first + count; i++)
        text_printf(&file->sql, "%s\n", file->lines[i]);
}

/* query NAME: a streaming table of that name. */
static enum code query_parse(struct slt_file *file, int32_t line, const char *at, struct error *err)
{
    int32_t first, count;
    block(file, line, &first, &count);
    if (is_blank(at) || count == 0)
        return complain(file, line, "query TABLE, and a SELECT below it", err);
    text_printf(&file->sql, "CREATE STREAMING TABLE %s AS\n", at);
    sql_add(file, first, count);
    text_add_string(&file->sql, ";\n");
    return E_OK;
}

static enum code setting_parse(struct slt_file *file, int32_t line, const char *at, struct error *err)
{
    if (file->setting_count == SLT_SETTINGS_MAX)
        return complain(file, line, "too many settings", err);
    const char *name = word(file, &at);
    file->settings[file->setting_count++] = (struct setting){.name = name, .value = at};
    return E_OK;
}

/* ---- steps ---- */

static const struct {
    const char *word;
    enum slt_kind kind;
    bool block, name, argument;
} steps[] = {
    {"feed", SLT_FEED, true, true, false},           {"expect", SLT_EXPECT, true, true, false},
    {"watermark", SLT_WATERMARK, false, true, true}, {"late", SLT_LATE, false, true, true},
    {"crash", SLT_CRASH, false, false, false},       {"error", SLT_ERROR, true, false, false},
};

static enum code step_parse(struct slt_file *file, int32_t line, const char *verb, const char *at, struct error *err)
{
    bool backlog = strcmp(verb, "then") == 0;
    if (backlog)
        verb = word(file, &at);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (strcmp(verb, steps[i].word) != 0 || (backlog && steps[i].kind != SLT_FEED))
            continue;
        if (file->step_count == SLT_STEPS_MAX)
            return complain(file, line, "too many steps", err);
        struct slt_step *step = &file->steps[file->step_count++];
        *step = (struct slt_step){.kind = steps[i].kind, .line = line, .first = line + 1, .backlog = backlog};
        step->name = steps[i].name ? word(file, &at) : at;
        step->argument = steps[i].argument ? at : "";
        if (steps[i].block)
            block(file, line, &step->first, &step->count);
        return E_OK;
    }
    return complain(file, line,
                    "stream, table, set, sql, query, feed, then feed, expect, watermark, late, crash or error", err);
}

static enum code line_parse(struct slt_file *file, int32_t *line, struct error *err)
{
    const char *at = file->lines[*line];
    int32_t from = *line, first, count;
    if (is_blank(at) || at[0] == '#')
        return E_OK;
    const char *verb = word(file, &at);
    block(file, from, &first, &count);
    if (strcmp(verb, "stream") == 0)
        return stream_parse(file, from, at, false, err);
    if (strcmp(verb, "set") == 0)
        return setting_parse(file, from, at, err);
    bool blocks = strcmp(verb, "watermark") != 0 && strcmp(verb, "late") != 0 && strcmp(verb, "crash") != 0;
    if (blocks)
        *line = from + count;
    if (strcmp(verb, "table") == 0)
        return stream_parse(file, from, at, true, err);
    if (strcmp(verb, "query") == 0)
        return query_parse(file, from, at, err);
    if (strcmp(verb, "sql") == 0) {
        sql_add(file, first, count);
        return E_OK;
    }
    return step_parse(file, from, verb, at, err);
}

enum code slt_load(struct slt_file *file, const char *path, struct error *err)
{
    *file = (struct slt_file){.path = path};
    TRY(lines_read(file, err));
    for (int32_t line = 0; line < file->line_count; line++)
        TRY(line_parse(file, &line, err));
    return E_OK;
}

void slt_close(struct slt_file *file)
{
    text_free(&file->sql);
    mem_free(file->lines);
    arena_free(&file->arena);
}
