/* variables.c - ${env:NAME} in the spec's values, ${key} in SQL. */
#include <ctype.h>

#include "base/os.h"
#include "sql/spec.h"

/* The `}` that closes the `${` at `open`, those of inner ${..} skipped; NULL when there is none. */
static const char *closing_brace(const char *open, const char *end)
{
    int depth = 0;
    for (const char *at = open; at < end; at++) {
        if (at + 1 < end && at[0] == '$' && at[1] == '{') {
            depth++;
            at++;
        } else if (*at == '}' && --depth == 0) {
            return at;
        }
    }
    return NULL;
}

/* ---- ${env:NAME} ---- */

struct env_pass {
    struct spec_reader *reader;
    const struct dotenv *dotenv;
    const struct variable_place *place;
    size_t offset; /* in the value as written, of what is being replaced */
    struct text out;
    bool failed;
};

static void env_problem(struct env_pass *pass, size_t size, const char *hint, const char *text)
{
    struct position at = pass->place->at(pass->place->context, pass->offset, size);
    spec_problem(pass->reader, at, hint, "%s", text);
    pass->failed = true;
}

static void env_text(struct env_pass *pass, const char *at, const char *end, int depth);

/* "NAME" or "NAME:-default"; `size` is that of the whole ${..}. */
static void env_variable(struct env_pass *pass, const char *at, const char *end, size_t size, int depth)
{
    const char *name_end = at;
    while (name_end < end && (isalnum((unsigned char)*name_end) || *name_end == '_'))
        name_end++;
    bool has_default = end - name_end >= 2 && name_end[0] == ':' && name_end[1] == '-';
    if (name_end == at || (name_end != end && !has_default)) {
        env_problem(pass, size, NULL, "a variable is ${env:NAME} or ${env:NAME:-default}");
        return;
    }
    const char *name = arena_strndup(pass->reader->arena, at, (size_t)(name_end - at));
    const char *value = os_env(name);
    if (value == NULL)
        value = dotenv_find(pass->dotenv, name);
    if (value != NULL && (value[0] != '\0' || !has_default)) {
        text_add_string(&pass->out, value);
    } else if (has_default) {
        env_text(pass, name_end + 2, end, depth + 1);
    } else {
        const char *file = pass->dotenv->file != NULL ? pass->dotenv->file : ".env beside the spec";
        env_problem(pass, size,
                    arena_printf(pass->reader->arena,
                                 "export %s=.., or write %s=.. into %s, or ${env:%s:-default} here", name, name, file,
                                 name),
                    arena_printf(pass->reader->arena, "the environment variable %s is not set", name));
    }
}

static void env_text(struct env_pass *pass, const char *at, const char *end, int depth)
{
    static const char open[] = "${env:";
    size_t open_size = sizeof open - 1;
    while (at < end && !pass->failed) {
        if ((size_t)(end - at) < open_size || memcmp(at, open, open_size) != 0) {
            text_add_char(&pass->out, *at++);
            pass->offset += depth == 0;
            continue;
        }
        const char *close = closing_brace(at, end);
        if (close == NULL || depth >= SPEC_VARIABLE_DEPTH_MAX) {
            env_problem(pass, open_size, NULL,
                        close == NULL ? "this ${env:.. has no closing }" : "too many ${env:..} inside one another");
            return;
        }
        size_t size = (size_t)(close + 1 - at);
        env_variable(pass, at + open_size, close, size, depth);
        pass->offset += depth == 0 ? size : 0;
        at = close + 1;
    }
}

bool env_replace(struct spec_reader *reader, const struct dotenv *dotenv, const char *value,
                 const struct variable_place *place, const char **out)
{
    if (strstr(value, "${env:") == NULL) {
        *out = value;
        return true;
    }
    struct env_pass pass = {reader, dotenv, place, 0, {.limit = SPEC_VALUE_MAX}, false};
    env_text(&pass, value, value + strlen(value), 0);
    if (!pass.failed && pass.out.overflow)
        env_problem(&pass, 1, NULL, "the value is longer than 64 KiB");
    if (!pass.failed)
        *out = arena_strndup(reader->arena, pass.out.data == NULL ? "" : pass.out.data, pass.out.size);
    text_free(&pass.out);
    return !pass.failed;
}

/* ---- ${key} in SQL ---- */

struct sql_pass {
    struct spec_reader *reader;
    const struct spec *spec;
    const struct sql_file *file;
    const uint8_t *at, *end;
    struct position here;
    struct text out;
    bool failed;
};

static void copy(struct sql_pass *pass, size_t count)
{
    for (; count > 0 && pass->at < pass->end; count--, pass->at++) {
        text_add_char(&pass->out, (char)*pass->at);
        if (*pass->at == '\n') {
            pass->here.line++;
            pass->here.column = 1;
        } else if ((*pass->at & 0xc0) != 0x80) {
            pass->here.column++;
        }
    }
}

static bool looking_at(const struct sql_pass *pass, const char *text)
{
    size_t size = strlen(text);
    return (size_t)(pass->end - pass->at) >= size && memcmp(pass->at, text, size) == 0;
}

static const char *setting_value(const struct spec *spec, const char *name)
{
    for (int32_t i = spec->setting_count - 1; i >= 0; i--)
        if (strcmp(spec->settings[i].name, name) == 0)
            return spec->settings[i].value;
    return NULL;
}

static const char *unknown_hint(const struct sql_pass *pass, const char *key)
{
    struct arena *arena = pass->reader->arena;
    if (strncmp(key, "env:", 4) == 0)
        return "SQL sees only `configuration`: write key: \"${env:NAME}\" there and ${key} here";
    const char **names = arena_array(arena, const char *, (size_t)pass->spec->setting_count);
    for (int32_t i = 0; i < pass->spec->setting_count; i++)
        names[i] = pass->spec->settings[i].name;
    const char *nearest = nearest_word(key, names, (size_t)pass->spec->setting_count);
    return nearest != NULL ? spec_suggestion(arena, nearest) : "add it to `configuration` of the spec, or pass --set";
}

static void replace_key(struct sql_pass *pass)
{
    const char *open = (const char *)pass->at, *close = memchr(open, '}', (size_t)(pass->end - pass->at));
    const char *newline = memchr(open, '\n', (size_t)(pass->end - pass->at));
    struct position at = pass->here;
    if (close == NULL || (newline != NULL && newline < close)) {
        at.length = 2;
        spec_problem(pass->reader, at, NULL, "this ${ has no closing } on its line");
        pass->failed = true;
        copy(pass, 2);
        return;
    }
    size_t size = (size_t)(close + 1 - open);
    const char *key = arena_strndup(pass->reader->arena, open + 2, size - 3);
    const char *value = setting_value(pass->spec, key);
    if (value == NULL) {
        at.length = (int32_t)size;
        spec_problem(pass->reader, at, unknown_hint(pass, key), "'%s' is not in `configuration`", key);
        pass->failed = true;
    } else {
        text_add_string(&pass->out, value);
    }
    pass->at += size;
    for (size_t i = 0; i < size; i++)
        pass->here.column += (open[i] & 0xc0) != 0x80;
}

static void copy_until(struct sql_pass *pass, const char *close)
{
    while (pass->at < pass->end && !looking_at(pass, close))
        copy(pass, 1);
    copy(pass, strlen(close));
}

bool sql_replace(struct spec_reader *reader, const struct spec *spec, struct sql_file *file)
{
    if (memmem(file->text.data, file->text.size, "${", 2) == NULL)
        return true;
    struct sql_pass pass = {.reader = reader,
                            .spec = spec,
                            .file = file,
                            .at = file->text.data,
                            .end = file->text.data + file->text.size,
                            .here = {file->name, 1, 1, 1},
                            .out = {.limit = SQL_TEXT_MAX}};
    uint8_t quote = 0;
    while (pass.at < pass.end) {
        uint8_t byte = *pass.at;
        if (looking_at(&pass, "${")) {
            replace_key(&pass);
        } else if (quote == 0 && looking_at(&pass, "--")) {
            copy_until(&pass, "\n");
        } else if (quote == 0 && looking_at(&pass, "/*")) {
            copy_until(&pass, "*/");
        } else {
            if (quote != 0 && byte == '\\' && quote != '`')
                copy(&pass, 1);
            else if (quote == byte)
                quote = 0;
            else if (quote == 0 && (byte == '\'' || byte == '"' || byte == '`'))
                quote = byte;
            copy(&pass, 1);
        }
    }
    if (pass.out.overflow) {
        spec_problem(reader, (struct position){file->name, 1, 1, 1}, NULL, "with ${..} replaced the file passes 4 MiB");
        pass.failed = true;
    }
    file->text = bytes_of(arena_strndup(reader->arena, pass.out.data == NULL ? "" : pass.out.data, pass.out.size),
                          pass.out.size);
    text_free(&pass.out);
    return !pass.failed;
}
