#include "runtime/dead_letters.h"

#include <strings.h>

#include "runtime/quarantine_rows.h"

/* ---- shape ---- */

enum { LETTER_KEY, LETTER_VALUE, LETTER_HEADERS, LETTER_COLUMNS };

const struct type *dead_letter_schema(struct arena *arena)
{
    const struct field header[] = {{"key", type_of(TYPE_STRING), true}, {"value", type_of(TYPE_BINARY), true}};
    const struct field fields[LETTER_COLUMNS] = {
        [LETTER_KEY] = {"key", type_of(TYPE_BINARY), true},
        [LETTER_VALUE] = {"value", type_of(TYPE_BINARY), true},
        [LETTER_HEADERS] = {"headers", type_array(arena, type_struct(arena, header, 2), true), true},
    };
    return type_struct(arena, fields, LETTER_COLUMNS);
}

/* ---- headers ---- */

static const struct {
    enum quarantine_column column;
    const char *header;
} headers[] = {
    {QUARANTINE_TOPIC, "__connect.errors.topic"},
    {QUARANTINE_PARTITION, "__connect.errors.partition"},
    {QUARANTINE_OFFSET, "__connect.errors.offset"},
    {QUARANTINE_REASON, "__connect.errors.exception.class.name"},
    {QUARANTINE_DETAIL, "__connect.errors.exception.message"},
    {QUARANTINE_AT, "leat.at"},
    {QUARANTINE_TABLES, "leat.tables"},
    {QUARANTINE_FIELD, "leat.field"},
    {QUARANTINE_BYTE, "leat.byte"},
    {QUARANTINE_ROW, "leat.row"},
    {QUARANTINE_SOURCE, "leat.source"},
    {QUARANTINE_TIMESTAMP, "leat.timestamp"},
    {QUARANTINE_KEY_BYTES, "leat.key_bytes"},
    {QUARANTINE_VALUE_BYTES, "leat.value_bytes"},
    {QUARANTINE_SCHEMA_VERSION, "leat.schema_version"},
    {QUARANTINE_NODE, "leat.node"},
    {QUARANTINE_ATTEMPTS, "leat.attempts"},
    {QUARANTINE_EPOCH, "leat.epoch"},
    {QUARANTINE_REJECTED_AT, "leat.rejected_at"},
};

static void header_put(struct builder *list, const char *name, struct bytes value)
{
    struct builder *header = &list->children[0];
    builder_bytes(&header->children[0], bytes_of_string(name));
    builder_bytes(&header->children[1], value);
    builder_close_struct(header);
}

static void headers_put(struct builder *list, const char *pipeline, const struct batch *rows, int64_t row)
{
    struct text cell = {0};
    header_put(list, "__connect.errors.connector.name", bytes_of_string(pipeline));
    header_put(list, "__connect.errors.task.id", bytes_of_string("0"));
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        const struct column *col = &rows->columns[headers[i].column];
        if (column_is_null(col, row))
            continue;
        text_clear(&cell);
        if (type_is_varlen(col->type))
            header_put(list, headers[i].header, column_bytes_at(col, row));
        else {
            column_print(col, row, &cell);   // times in UTC
            header_put(list, headers[i].header, text_view(&cell));
        }
    }
    builder_close_list(list);
    text_free(&cell);
}

static void bytes_put(struct builder *into, const struct column *from, int64_t row, size_t most)
{
    if (column_is_null(from, row)) {
        builder_null(into);
        return;
    }
    struct bytes value = column_bytes_at(from, row);
    builder_bytes(into, bytes_of(value.data, value.size < most ? value.size : most));
}

void dead_letters_make(const struct type *schema, const char *pipeline, const struct batch *rows, struct batch *out)
{
    struct builder columns[LETTER_COLUMNS];
    for (int i = 0; i < LETTER_COLUMNS; i++)
        builder_init(&columns[i], schema->fields[i].type);
    for (int64_t row = 0; row < rows->rows; row++) {
        bytes_put(&columns[LETTER_KEY], &rows->columns[QUARANTINE_KEY], row, DEAD_LETTER_KEY_MAX);
        bytes_put(&columns[LETTER_VALUE], &rows->columns[QUARANTINE_VALUE], row, DEAD_LETTER_VALUE_MAX);
        headers_put(&columns[LETTER_HEADERS], pipeline, rows, row);
    }
    batch_init(out, schema, rows->rows);
    for (int i = 0; i < LETTER_COLUMNS; i++) {
        builder_finish(&columns[i], &out->columns[i]);
        builder_release(&columns[i]);
    }
}

/* ---- the cluster ---- */

static const char own_prefix[] = "leat.quarantine.kafka.", servers[] = "kafka.bootstrap.servers";

static bool starts_with(const char *text, const char *prefix) { return strncasecmp(text, prefix, strlen(prefix)) == 0; }

static void option_add(struct sink_spec *spec, const char **names, const char **values, const char *name, const char *value)
{
    names[spec->option_count] = name;
    values[spec->option_count++] = value;
}

/* What a client needs to be let in; a source's other options are a consumer's. */
static bool is_of_connection(const char *name)
{
    static const char *const prefixes[] = {servers, "kafka.security.", "kafka.sasl.", "kafka.ssl."};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (starts_with(name, prefixes[i]))
            return true;
    return false;
}

static const struct pipeline_source *kafka_source(const struct pipeline *pipeline)
{
    for (int32_t i = 0; i < pipeline->source_count; i++)
        if (strcasecmp(pipeline->sources[i]->format, "kafka") == 0)
            return pipeline->sources[i];
    return NULL;
}

enum code dead_letter_spec(struct arena *arena, const struct pipeline *pipeline, const char *topic, struct sink_spec *out,
                           struct error *err)
{
    const struct pipeline_source *source = kafka_source(pipeline);
    size_t most = (size_t)pipeline->setting_count + (size_t)(source != NULL ? source->option_count : 0) + 1;
    const char **names = arena_array(arena, const char *, most), **values = arena_array(arena, const char *, most);
    *out = (struct sink_spec){
        .name = topic, .schema = dead_letter_schema(arena), .option_names = names, .option_values = values};
    option_add(out, names, values, "topic", topic);
    for (int32_t i = 0; i < pipeline->setting_count; i++) {
        const struct setting *setting = &pipeline->settings[i];
        if (starts_with(setting->name, own_prefix) && setting->value[0] != '\0')
            option_add(out, names, values, arena_printf(arena, "kafka.%s", setting->name + strlen(own_prefix)), setting->value);
    }
    bool own = transaction_option(names, values, out->option_count, servers) != NULL;
    for (int32_t i = 0; !own && source != NULL && i < source->option_count; i++) {
        const struct setting *option = &source->options[i];
        if (is_of_connection(option->name) && option->value[0] != '\0' &&
            transaction_option(names, values, out->option_count, option->name) == NULL)
            option_add(out, names, values, option->name, option->value);
    }
    if (transaction_option(names, values, out->option_count, servers) == NULL)
        return fail(err, E_SPEC, "leat.quarantine.topic = %s: no source reads Kafka, so the setting "
                    "leat.quarantine.kafka.bootstrap.servers must say which cluster the topic is on", topic);
    return E_OK;
}
