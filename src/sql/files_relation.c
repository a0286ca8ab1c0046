/* files_relation.c - files that a statement of a session names: FROM parquet.`/data/in`, CREATE VIEW v USING csv OPTIONS (..).
 *
 * What columns they have is asked of the session's files (struct sql_files); the plan is that of a source of the project, read
 * as it lies there.
 */
#include "sql/catalog.h"

#include "sql/source_schema.h"

static const char *const readable[] = {"parquet", "delta", "csv", "json", "text"};
/* What Spark reads by its path, and leat does not. */
static const char *const unreadable[] = {"orc", "avro", "xml", "binaryFile"};
/* Formats without a path. */
static const char *const pathless[] = {"kafka", "rate", "rate-micro-batch", "socket", "jdbc"};

static const char *among(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (same_name(names[i], name))
            return names[i];
    return NULL;
}
#define AMONG(names, name) among(names, sizeof(names) / sizeof *(names), name)

bool is_files_format(const char *name)
{
    return AMONG(readable, name) != NULL || AMONG(unreadable, name) != NULL || AMONG(pathless, name) != NULL;
}

static enum code format_check(struct analyser *self, const char *name, struct position at, const char **out)
{
    *out = AMONG(readable, name);
    if (*out != NULL)
        return E_OK;
    if (AMONG(unreadable, name) != NULL)
        return not_yet(self, at, arena_printf(self->arena, "reading files of format %s", name));
    if (AMONG(pathless, name) != NULL)
        return sql_error(self, at, NULL,
                         "[UNSUPPORTED_DATASOURCE_FOR_DIRECT_QUERY] Unsupported data source type for direct query on "
                         "files: %s",
                         name);
    const char *near = nearest_word(name, readable, sizeof readable / sizeof *readable);
    return sql_error(self, at, near != NULL ? arena_printf(self->arena, "did you mean %s?", near) : NULL,
                     "[DATA_SOURCE_NOT_FOUND] Failed to find the data source: %s.", name);
}

static void option_add(struct setting *settings, int32_t *count, const char *name, const char *value,
                       struct position at)
{
    settings[(*count)++] = (struct setting){name, value, at};
}

/* The source with its columns, as a plan. */
static enum code files_read(struct analyser *self, struct pipeline_source *source, bool tells_file, struct plan **out)
{
    const struct sql_files *files = self->catalog->files;
    struct error why = {0};
    if (files == NULL)
        return not_yet(self, source->at, "reading files here");
    if (files->columns(files->context, self->arena, self->expr.session, source, &why) != E_OK) {
        *self->err = why;
        return message_at(self->notes, source->at, NULL, self->err);
    }
    self->catalog->reads_files = true;
    source->tells_file = tells_file && type_field_index(source->schema, FILE_COLUMN, true) < 0;
    return source_relation(self, source, false, out);
}

enum code files_relation(struct analyser *self, const struct ast_relation *relation, struct plan **out)
{
    struct pipeline_source *source = arena_new(self->arena, struct pipeline_source);
    struct setting *options = arena_array(self->arena, struct setting, (size_t)relation->option_count + 1);
    const char *path = relation->parts[1];
    *source = (struct pipeline_source){.name = path, .options = options, .at = relation->at};
    TRY(format_check(self, relation->parts[0], relation->at, &source->format));
    if (path[0] == '\0')
        return sql_error(self, relation->at, NULL,
                         "[INVALID_EMPTY_LOCATION] The location name cannot be empty string, but `` was given.");
    option_add(options, &source->option_count, "path", path, relation->at);
    for (int32_t i = 0; i < relation->option_count; i++)
        option_add(options, &source->option_count, relation->options[i].name, relation->options[i].value,
                   relation->options[i].at);
    unheeded_of_files(self, source->format, relation->options, relation->option_count);
    return files_read(self, source, relation->tells_file, out);
}

static enum code declared_columns(struct analyser *self, const struct ast_statement *statement, const struct type **out)
{
    struct field *fields = arena_array(self->arena, struct field, (size_t)statement->column_count);
    for (int32_t i = 0; i < statement->column_count; i++) {
        const struct ast_column *column = &statement->columns[i];
        if (column->type == NULL)
            return sql_error(self, column->at, NULL, "[PARSE_SYNTAX_ERROR] The column `%s` needs a type.",
                             column->name);
        fields[i] = (struct field){column->name, column->type, true};
    }
    *out = type_struct(self->arena, fields, statement->column_count);
    return E_OK;
}

enum code files_statement(struct analyser *self, const struct ast_statement *statement, bool tells_file,
                          struct plan **out)
{
    struct pipeline_source *source = arena_new(self->arena, struct pipeline_source);
    struct setting *options = arena_array(self->arena, struct setting, (size_t)statement->property_count + 1);
    *source = (struct pipeline_source){.name = statement->name, .options = options, .at = statement->name_at};
    TRY(format_check(self, statement->format, statement->name_at, &source->format));
    for (int32_t i = 0; i < statement->property_count; i++)
        option_add(options, &source->option_count, statement->properties[i].name, statement->properties[i].value,
                   statement->properties[i].at);
    if (source_option(source, "path") == NULL)
        return sql_error(self, statement->name_at, "OPTIONS (path '/data/in')",
                         "[UNABLE_TO_INFER_SCHEMA] Unable to infer schema for %s. It must be specified manually.",
                         source->format);
    if (statement->column_count > 0)
        TRY(declared_columns(self, statement, &source->schema));
    return files_read(self, source, tells_file, out);
}

enum code files_source(struct analyser *self, const struct pipeline_source *files, bool tells_file, struct plan **out)
{
    struct pipeline_source *source = arena_new(self->arena, struct pipeline_source);
    *source = *files;
    TRY(format_check(self, files->format, files->at, &source->format));
    return files_read(self, source, tells_file, out);
}
