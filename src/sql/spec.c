/* spec.c - the YAML of spark-pipeline.yml to struct spec: keys, types, ${env:..}, with a position for
 * everything. */
#include "sql/spec.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <yaml.h>

/* ---- problems ---- */

void spec_problem(struct spec_reader *reader, struct position at, const char *hint, const char *format, ...)
{
    struct error err = {0};
    char said[sizeof err.text / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(said, sizeof said, format, args);
    va_end(args);
    fail(&err, E_SPEC, "%s", said);
    message_at(reader->notes, at, hint, &err);
    notes_problem(reader->notes, &err);
    if (reader->first.code == E_OK)
        reader->first = err;
}

const char *spec_suggestion(struct arena *arena, const char *nearest)
{
    return nearest == NULL ? NULL : arena_printf(arena, "did you mean %s?", nearest);
}

/* ---- YAML nodes ---- */

struct yaml_spec {
    struct spec_reader *reader;
    yaml_document_t *document;
    const struct sql_file *file;
    const struct dotenv *dotenv;
    const struct setting *sets;
    int32_t set_count;
    struct spec *out;
};

static yaml_node_t *node_at(const struct yaml_spec *self, int index)
{
    return yaml_document_get_node(self->document, index);
}

static struct position position_of(const struct yaml_spec *self, const yaml_node_t *node)
{
    struct position at = {self->file->name, (int32_t)node->start_mark.line + 1, (int32_t)node->start_mark.column + 1,
                          1};
    if (node->end_mark.line == node->start_mark.line && node->end_mark.column > node->start_mark.column)
        at.length = (int32_t)(node->end_mark.column - node->start_mark.column);
    return at;
}

static const char *kind_of(const yaml_node_t *node)
{
    return node->type == YAML_MAPPING_NODE ? "a mapping" : node->type == YAML_SEQUENCE_NODE ? "a list" : "a text";
}

static bool is_plain(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static bool is_word(const char *value, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcasecmp(value, *words) == 0)
            return true;
    return false;
}

static bool is_null(const yaml_node_t *node)
{
    static const char *const words[] = {"", "~", "null", NULL};
    return is_plain(node) && is_word((const char *)node->data.scalar.value, words);
}

/* What YAML 1.1, and so Spark's reader, takes for a boolean or a number when it stands without quotes. */
static bool is_no_string(const yaml_node_t *node)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off", NULL};
    if (!is_plain(node))
        return false;
    const char *value = (const char *)node->data.scalar.value;
    size_t size = strlen(value);
    return is_word(value, words) ||
           (size > 0 && strspn(value, "+-.0123456789eE_") == size && strpbrk(value, "0123456789"));
}

/* A scalar's text; NULL after a problem. */
static const char *scalar_text(struct yaml_spec *self, const yaml_node_t *node, const char *what)
{
    if (node->type != YAML_SCALAR_NODE) {
        spec_problem(self->reader, position_of(self, node), NULL, "%s must be a text, not %s", what, kind_of(node));
        return NULL;
    }
    if (node->data.scalar.length > SPEC_VALUE_MAX ||
        strlen((const char *)node->data.scalar.value) != node->data.scalar.length) {
        spec_problem(self->reader, position_of(self, node), NULL, "%s %s", what,
                     node->data.scalar.length > SPEC_VALUE_MAX ? "is longer than 64 KiB" : "has a NUL character in it");
        return NULL;
    }
    return arena_strndup(self->reader->arena, (const char *)node->data.scalar.value, node->data.scalar.length);
}

/* ---- values with ${env:..} ---- */

struct value_place {
    const struct yaml_spec *self;
    const yaml_node_t *node;
    const char *value;
};

/* The place of value[offset]: found again in the file as the same occurrence of "${", since quotes and
 * folding may have moved it. */
static struct position variable_position(const void *context, size_t offset, size_t size)
{
    const struct value_place *place = context;
    struct position at = position_of(place->self, place->node);
    int occurrence = 0;
    for (const char *v = strstr(place->value, "${"); v != NULL && v < place->value + offset; v = strstr(v + 2, "${"))
        occurrence++;
    struct bytes text = place->self->file->text;
    int32_t row = 1, column = 1;
    for (size_t i = 0; i + 1 < text.size; i++) {
        bool reached = row > at.line || (row == at.line && column >= at.column);
        if (reached && text.data[i] == '$' && text.data[i + 1] == '{' && occurrence-- == 0)
            return (struct position){at.file, row, column, (int32_t)size};
        if (row > (int32_t)place->node->end_mark.line + 1)
            break;
        if (text.data[i] == '\n') {
            row++;
            column = 1;
        } else if ((text.data[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    return at;
}

static bool replaced(struct yaml_spec *self, const yaml_node_t *node, const char *value, const char **out)
{
    struct value_place context = {self, node, value};
    struct variable_place place = {variable_position, &context};
    return env_replace(self->reader, self->dotenv, value, &place, out);
}

/* The replaced text of a scalar; "" for null; NULL after a problem. */
static const char *value_text(struct yaml_spec *self, const yaml_node_t *node, const char *what)
{
    const char *text = scalar_text(self, node, what), *out;
    if (text == NULL || is_null(node))
        return text == NULL ? NULL : "";
    return replaced(self, node, text, &out) ? out : NULL;
}

/* ---- configuration ---- */

static const struct setting *overriding(const struct yaml_spec *self, const char *name)
{
    for (int32_t i = self->set_count - 1; i >= 0; i--)
        if (strcmp(self->sets[i].name, name) == 0)
            return &self->sets[i];
    return NULL;
}

static bool repeated(const struct setting *settings, int32_t count, const char *name)
{
    for (int32_t i = 0; i < count; i++)
        if (strcmp(settings[i].name, name) == 0)
            return true;
    return false;
}

/* From the key to the end of its value, when that is on the same line. */
static struct position pair_position(const struct yaml_spec *self, const yaml_node_t *key, const yaml_node_t *value)
{
    struct position at = position_of(self, key);
    if (value->end_mark.line == key->start_mark.line)
        at.length = (int32_t)(value->end_mark.column - key->start_mark.column);
    return at;
}

/* One pair of `configuration`. A value that --set overrides is not looked at: its variables need not exist. */
static void read_setting(struct yaml_spec *self, const yaml_node_pair_t *pair, struct setting *settings, int32_t *count)
{
    const yaml_node_t *key = node_at(self, pair->key), *value = node_at(self, pair->value);
    const char *name = scalar_text(self, key, "a key of configuration");
    if (name == NULL)
        return;
    if (repeated(settings, *count, name)) {
        spec_problem(self->reader, position_of(self, key), NULL, "'%s' is there twice", name);
        return;
    }
    if (overriding(self, name) != NULL)
        return;
    const char *text = value_text(self, value, name);
    if (text == NULL)
        return;
    if (is_no_string(value))
        notes_warn(self->reader->notes, position_of(self, value),
                   "[PIPELINE_SPEC_DICT_VALUE_NOT_STRING] Spark takes only texts here: write \"%s\"", text);
    settings[(*count)++] = (struct setting){name, text, pair_position(self, key, value)};
}

static void read_configuration(struct yaml_spec *self, const yaml_node_t *node)
{
    int32_t count = 0;
    ptrdiff_t pairs = 0;
    if (node != NULL && node->type != YAML_MAPPING_NODE && !is_null(node))
        spec_problem(self->reader, position_of(self, node), "write key: value lines below it, indented",
                     "[PIPELINE_SPEC_FIELD_NOT_DICT] 'configuration' must be a mapping, not %s", kind_of(node));
    else if (node != NULL && node->type == YAML_MAPPING_NODE)
        pairs = node->data.mapping.pairs.top - node->data.mapping.pairs.start;
    if (pairs > SPEC_SETTINGS_MAX) {
        spec_problem(self->reader, position_of(self, node), NULL, "more than %d settings", SPEC_SETTINGS_MAX);
        pairs = 0;
    }
    struct setting *settings = arena_array(self->reader->arena, struct setting, (size_t)(pairs + self->set_count));
    for (ptrdiff_t i = 0; i < pairs; i++)
        read_setting(self, &node->data.mapping.pairs.start[i], settings, &count);
    for (int32_t i = 0; i < self->set_count; i++)
        if (overriding(self, self->sets[i].name) == &self->sets[i])
            settings[count++] = self->sets[i];
    self->out->settings = settings;
    self->out->setting_count = count;
}

/* ---- libraries: [{glob: {include: PATTERN}}] ---- */

/* The only value of a mapping with the only key `name`; NULL after a problem. */
static yaml_node_t *only_value(struct yaml_spec *self, const yaml_node_t *node, const char *name)
{
    const yaml_node_pair_t *pair = node->type == YAML_MAPPING_NODE ? node->data.mapping.pairs.start : NULL;
    if (pair == NULL || node->data.mapping.pairs.top - pair != 1) {
        spec_problem(self->reader, position_of(self, node), NULL,
                     "an entry of libraries is  - glob: {include: transformations/**}");
        return NULL;
    }
    const char *key = scalar_text(self, node_at(self, pair->key), "a key");
    if (key == NULL)
        return NULL;
    if (strcmp(key, name) != 0) {
        spec_problem(self->reader, position_of(self, node_at(self, pair->key)),
                     spec_suggestion(self->reader->arena, nearest_word(key, &name, 1)),
                     "'%s' is not known here, only %s is", key, name);
        return NULL;
    }
    return node_at(self, pair->value);
}

static bool pattern_allowed(const char *pattern)
{
    bool above = strncmp(pattern, "../", 3) == 0 || strcmp(pattern, "..") == 0 || strstr(pattern, "/../") != NULL;
    size_t size = strlen(pattern);
    return size > 0 && pattern[0] != '/' && !above && !(size > 2 && strcmp(pattern + size - 3, "/..") == 0);
}

/* Spark knows two forms: a file, and a folder with all below it. */
static bool pattern_portable(const char *pattern)
{
    size_t fixed = strcspn(pattern, "*?[");
    return pattern[fixed] == '\0' || (fixed > 0 && pattern[fixed - 1] == '/' && strcmp(pattern + fixed, "**") == 0);
}

static void read_library(struct yaml_spec *self, const yaml_node_t *node)
{
    yaml_node_t *glob = only_value(self, node, "glob");
    yaml_node_t *include = glob == NULL ? NULL : only_value(self, glob, "include");
    const char *pattern = include == NULL ? NULL : value_text(self, include, "include");
    if (pattern == NULL)
        return;
    struct position at = position_of(self, include);
    if (!pattern_allowed(pattern)) {
        spec_problem(self->reader, at, "transformations/** names all files below that folder",
                     "[PIPELINE_SPEC_INVALID_GLOB_PATTERN] '%s' is not a path inside the project's folder", pattern);
        return;
    }
    if (!pattern_portable(pattern))
        notes_warn(self->reader->notes, at,
                   "[PIPELINE_SPEC_INVALID_GLOB_PATTERN] Spark takes only a file or FOLDER/** here, not '%s'", pattern);
    struct spec_glob *globs = (struct spec_glob *)self->out->globs;
    globs[self->out->glob_count++] = (struct spec_glob){pattern, at};
}

static void read_libraries(struct yaml_spec *self, const yaml_node_t *node)
{
    if (node == NULL || node->type != YAML_SEQUENCE_NODE ||
        node->data.sequence.items.top == node->data.sequence.items.start) {
        struct position at = node == NULL ? self->out->at : position_of(self, node);
        spec_problem(self->reader, at, "libraries: [{glob: {include: transformations/**}}]",
                     node == NULL
                         ? "[PIPELINE_SPEC_MISSING_REQUIRED_FIELD] the spec has no 'libraries': it names no SQL"
                         : "'libraries' must be a list that names the SQL files");
        return;
    }
    const yaml_node_item_t *item = node->data.sequence.items.start, *end = node->data.sequence.items.top;
    self->out->globs = arena_array(self->reader->arena, struct spec_glob, (size_t)(end - item));
    for (; item < end; item++)
        read_library(self, node_at(self, *item));
}

/* ---- the top level ---- */

static const char *const SPEC_KEYS[] = {"name",   "storage",       "catalog",  "database",
                                        "schema", "configuration", "libraries"};
enum { SPEC_KEY_COUNT = sizeof SPEC_KEYS / sizeof *SPEC_KEYS };

/* Values by the order of SPEC_KEYS; NULL where absent. */
static void read_keys(struct yaml_spec *self, const yaml_node_t *root, yaml_node_t **values)
{
    const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
    for (; pair < root->data.mapping.pairs.top; pair++) {
        const yaml_node_t *node = node_at(self, pair->key);
        const char *key = scalar_text(self, node, "a key");
        if (key == NULL)
            continue;
        int at = 0;
        while (at < SPEC_KEY_COUNT && strcmp(key, SPEC_KEYS[at]) != 0)
            at++;
        if (at == SPEC_KEY_COUNT)
            spec_problem(self->reader, position_of(self, node),
                         spec_suggestion(self->reader->arena, nearest_word(key, SPEC_KEYS, SPEC_KEY_COUNT)),
                         "[PIPELINE_SPEC_UNEXPECTED_FIELD] '%s' is not a key of the spec", key);
        else if (values[at] != NULL)
            spec_problem(self->reader, position_of(self, node), NULL, "'%s' is there twice", key);
        else
            values[at] = node_at(self, pair->value);
    }
}

static const char *read_name(struct yaml_spec *self, yaml_node_t *node, const char *key, const char *hint)
{
    bool absent = node == NULL || is_null(node);
    const char *text = absent ? "" : value_text(self, node, key);
    if (text != NULL && text[0] == '\0' && hint != NULL) {
        spec_problem(self->reader, absent ? self->out->at : position_of(self, node), hint,
                     "[PIPELINE_SPEC_MISSING_REQUIRED_FIELD] the spec has no '%s'", key);
        return NULL;
    }
    return text == NULL || text[0] == '\0' ? NULL : text;
}

static void check_storage(struct yaml_spec *self, const yaml_node_t *node)
{
    const char *storage = self->out->storage;
    if (storage != NULL)
        self->out->storage_at = position_of(self, node);
    if (storage == NULL || strstr(storage, "://") != NULL)
        return;
    if (storage[0] != '/')
        spec_problem(self->reader, position_of(self, node), "storage: file:///absolute/folder",
                     "storage must be an absolute URI, not '%s'", storage);
    else
        notes_warn(self->reader->notes, position_of(self, node), "Spark takes only a URI here: write file://%s",
                   storage);
}

static void read_root(struct yaml_spec *self, const yaml_node_t *root)
{
    yaml_node_t *values[SPEC_KEY_COUNT] = {0};
    read_keys(self, root, values);
    struct spec *out = self->out;
    out->name = read_name(self, values[0], "name", "name: my_pipeline");
    out->storage = read_name(self, values[1], "storage", "storage: file:///absolute/folder for the checkpoints");
    check_storage(self, values[1]);
    out->catalog = read_name(self, values[2], "catalog", NULL);
    out->database = read_name(self, values[3] != NULL ? values[3] : values[4], "database", NULL);
    read_configuration(self, values[5]);
    read_libraries(self, values[6]);
}

/* ---- libyaml ---- */

static void yaml_problem(struct spec_reader *reader, const struct sql_file *file, const yaml_parser_t *parser)
{
    struct position at = {file->name, (int32_t)parser->problem_mark.line + 1, (int32_t)parser->problem_mark.column + 1,
                          1};
    if (parser->error == YAML_READER_ERROR) // such as bytes that are no UTF-8; libyaml knows no line here
        at.line = at.column = 1;
    const char *problem = parser->problem != NULL ? parser->problem : "cannot be read";
    spec_problem(reader, at, NULL, "this is no YAML: %s%s%s", problem, parser->context != NULL ? " " : "",
                 parser->context != NULL ? parser->context : "");
}

/* What stands in texts and comments is counted as well: no spec has so many brackets that nothing closes, or anchors. */
static bool takes_too_long(struct spec_reader *reader, const struct sql_file *file)
{
    struct position at = {file->name, 1, 0, 1};
    int32_t open = 0, anchors = 0;
    for (size_t i = 0; i < file->text.size; i++) {
        uint8_t c = file->text.data[i];
        at.column++;
        if (c == '\n')
            at = (struct position){file->name, at.line + 1, 0, 1};
        open += c == '[' || c == '{';
        open -= (c == ']' || c == '}') && open > 0;
        anchors += c == '&';
        if (open > SPEC_BRACKETS_MAX || anchors > SPEC_ANCHORS_MAX) {
            spec_problem(reader, at, NULL, "more than %d %s here",
                         open > SPEC_BRACKETS_MAX ? SPEC_BRACKETS_MAX : SPEC_ANCHORS_MAX,
                         open > SPEC_BRACKETS_MAX ? "brackets are open" : "anchors are named up to");
            return true;
        }
    }
    return false;
}

/* The document after the first one: there may be none. */
static void check_end(struct spec_reader *reader, const struct sql_file *file, yaml_parser_t *parser)
{
    yaml_document_t document;
    if (!yaml_parser_load(parser, &document)) {
        yaml_problem(reader, file, parser);
        return;
    }
    const yaml_node_t *root = yaml_document_get_root_node(&document);
    if (root != NULL)
        spec_problem(reader, (struct position){file->name, (int32_t)document.start_mark.line + 1, 1, 1}, NULL,
                     "a second document: the spec is one");
    yaml_document_delete(&document);
}

static void read_document(struct yaml_spec *self, yaml_parser_t *parser)
{
    yaml_document_t document;
    if (!yaml_parser_load(parser, &document)) {
        yaml_problem(self->reader, self->file, parser);
        return;
    }
    self->document = &document;
    const yaml_node_t *root = yaml_document_get_root_node(&document);
    self->out->at = (struct position){self->file->name, 1, 1, 1};
    if (root == NULL || root->type != YAML_MAPPING_NODE)
        spec_problem(self->reader, root == NULL ? self->out->at : position_of(self, root), "name: my_pipeline",
                     root == NULL ? "the spec is empty" : "the spec must be a mapping of keys to values");
    else
        read_root(self, root);
    yaml_document_delete(&document);
    if (root != NULL)
        check_end(self->reader, self->file, parser);
}

enum code spec_parse(struct arena *arena, const struct sql_file *file, const struct dotenv *dotenv,
                     const struct setting *sets, int32_t set_count, struct notes *notes, struct spec *out,
                     struct error *err)
{
    struct spec_reader reader = {.arena = arena, .notes = notes};
    struct spec spec = {0};
    struct yaml_spec self = {&reader, NULL, file, dotenv, sets, set_count, &spec};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return fail(err, E_MEMORY, "%s: no memory for its parser", file->name);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, file->text.data, file->text.size);
    if (!takes_too_long(&reader, file))
        read_document(&self, &parser);
    yaml_parser_delete(&parser);
    settings_group(&reader, &spec);
    if (reader.first.code != E_OK) {
        *err = reader.first;
        return err->code;
    }
    *out = spec;
    return E_OK;
}
