/* source_schema.c - the columns that a source gives: fixed for Kafka and rate, the `schema` option for files, what its log
 * says for a Delta table without that option. */
#include "sql/source_schema.h"

#include "sql/catalog.h"

#include <strings.h>

const char *source_option(const struct pipeline_source *source, const char *name)
{
    for (int32_t i = 0; i < source->option_count; i++)
        if (same_name(source->options[i].name, name))
            return source->options[i].value;
    return NULL;
}

static const struct type *kafka_columns(struct arena *arena, bool headers)
{
    const struct field header[2] = {{"key", type_of(TYPE_STRING), true}, {"value", type_of(TYPE_BINARY), true}};
    const struct type *pairs = type_array(arena, type_struct(arena, header, 2), true);
    const struct field fields[8] = {
        {"key", type_of(TYPE_BINARY), true},          {"value", type_of(TYPE_BINARY), true},
        {"topic", type_of(TYPE_STRING), true},        {"partition", type_of(TYPE_INT32), true},
        {"offset", type_of(TYPE_INT64), true},        {"timestamp", type_of(TYPE_TIMESTAMP), true},
        {"timestampType", type_of(TYPE_INT32), true}, {"headers", pairs, true},
    };
    return type_struct(arena, fields, headers ? 8 : 7);
}

/* Spark's sources that the language can name, executable here or not. */
static const char *const formats[] = {"kafka", "json", "csv",   "parquet", "orc",
                                      "text",  "avro", "delta", "rate",    "rate-micro-batch"};
enum { FORMATS = sizeof formats / sizeof *formats };

bool source_has_end(const struct pipeline_source *source)
{
    static const char *const files[] = {"json", "csv", "parquet", "orc", "text", "avro", "delta"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcasecmp(source->format, files[i]) == 0)
            return true;
    return false;
}

static enum code format_known(struct analyser *self, const struct pipeline_source *source)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (strcasecmp(source->format, formats[i]) == 0)
            return E_OK;
    const char *near = nearest_word(source->format, formats, FORMATS);
    return sql_error(self, source->at, near != NULL ? arena_printf(self->arena, "did you mean `%s`?", near) : NULL,
                     "[DATA_SOURCE_NOT_FOUND] Failed to find the data source: %s.", source->format);
}

static enum code table_columns(struct analyser *self, const struct pipeline_source *source, const struct type **out)
{
    const struct sql_files *tables = self->catalog->tables;
    struct pipeline_source asked = *source;
    struct error why = {0};
    asked.format = "delta";
    if (tables->columns(tables->context, self->arena, self->expr.session, &asked, &why) != E_OK) {
        *self->err = why;
        return message_at(self->notes, source->at,
                          "say which columns it has, and the table is asked when it is read: schema: \"id BIGINT, ..\"",
                          self->err);
    }
    *out = asked.schema;
    return E_OK;
}

static enum code declared_columns(struct analyser *self, const struct pipeline_source *source, const struct type **out)
{
    const char *ddl = source_option(source, "schema");
    size_t at = 0;
    TRY(format_known(self, source));
    if (ddl == NULL && same_name(source->format, "delta") && self->catalog != NULL && self->catalog->tables != NULL)
        return table_columns(self, source, out);
    if (ddl == NULL)
        return sql_error(
            self, source->at, arena_printf(self->arena, "source.%s.schema: \"id BIGINT, name STRING\"", source->name),
            "[UNABLE_TO_INFER_SCHEMA] the source `%s` of format %s needs a schema.", source->name, source->format);
    if (type_parse_ddl(self->arena, bytes_of_string(ddl), out, &at, self->err) != E_OK) {
        error_note(self->err, "source.%s.schema, character %zu", source->name, at + 1);
        return message_at(self->notes, source->at, NULL, self->err);
    }
    if ((*out)->id != TYPE_STRUCT)
        return sql_error(self, source->at, NULL,
                         "source.%s.schema: names and types are expected: \"id BIGINT, name STRING\"", source->name);
    return E_OK;
}

enum code source_columns(struct analyser *self, const struct pipeline_source *source, const struct type **out)
{
    const char *headers = source_option(source, "includeHeaders");
    if (source->schema != NULL) {
        *out = source->schema;
        return E_OK;
    }
    if (same_name(source->format, "kafka")) {
        *out = kafka_columns(self->arena, headers != NULL && same_name(headers, "true"));
        return E_OK;
    }
    if (same_name(source->format, "rate")) {
        const struct field fields[2] = {{"timestamp", type_of(TYPE_TIMESTAMP), true},
                                        {"value", type_of(TYPE_INT64), true}};
        *out = type_struct(self->arena, fields, 2);
        return E_OK;
    }
    if (same_name(source->format, "text")) {
        const struct field field = {"value", type_of(TYPE_STRING), true};
        *out = type_struct(self->arena, &field, 1);
        return E_OK;
    }
    return declared_columns(self, source, out);
}
