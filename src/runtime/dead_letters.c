#include "runtime/dead_letters.h"

#include <strings.h>

#include "runtime/quarantine_rows.h"

enum {
    DEAD_LETTER_BYTES_MAX = 1048576, /* what a producer takes when it is not told otherwise */
    HEADER_MAX = 256 * 1024,         /* of a header's value; halved until all of them fit, */
    HEADER_MIN = 32,                 /* or not even so much of each does */
};

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

static int64_t header_size(const char *name, size_t value)
{
    return SINK_HEADER_FRAME + (int64_t)(strlen(name) + value);
}

/* Into `list`, cut to `most` bytes; its size. NULL: only its size is wanted. */
static int64_t header_put(struct builder *list, const char *name, struct bytes value, size_t most)
{
    value.size = value.size < most ? value.size : most;
    if (list != NULL) {
        struct builder *header = &list->children[0];
        builder_bytes(&header->children[0], bytes_of_string(name));
        builder_bytes(&header->children[1], value);
        builder_close_struct(header);
    }
    return header_size(name, value.size);
}

static int64_t headers_put(struct builder *list, const char *pipeline, const struct batch *rows, int64_t row,
                           size_t most)
{
    struct text cell = {0};
    int64_t size = header_put(list, "__connect.errors.connector.name", bytes_of_string(pipeline), most) +
                   header_put(list, "__connect.errors.task.id", bytes_of_string("0"), most);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        const struct column *col = &rows->columns[headers[i].column];
        if (column_is_null(col, row))
            continue;
        text_clear(&cell);
        if (type_is_varlen(col->type)) {
            size += header_put(list, headers[i].header, column_bytes_at(col, row), most);
        } else {
            column_print(col, row, &cell); // times in UTC
            size += header_put(list, headers[i].header, text_view(&cell), most);
        }
    }
    text_free(&cell);
    return size;
}

/* Only why it was refused; nothing where not even that has room. */
static int64_t reason_put(struct builder *list, const struct batch *rows, int64_t row, int64_t room)
{
    static const char name[] = "__connect.errors.exception.class.name";
    const struct column *col = &rows->columns[QUARANTINE_REASON];
    if (column_is_null(col, row) || header_size(name, column_bytes_at(col, row).size) > room)
        return 0;
    return header_put(list, name, column_bytes_at(col, row), SIZE_MAX);
}

/* The headers, the longest of them cut, in at most half of the room; what they take. */
static int64_t headers_fit(struct builder *list, const char *pipeline, const struct batch *rows, int64_t row,
                           int64_t room)
{
    size_t most = HEADER_MAX;
    while (most >= HEADER_MIN && headers_put(NULL, pipeline, rows, row, most) > room / 2)
        most /= 2;
    int64_t size =
        most >= HEADER_MIN ? headers_put(list, pipeline, rows, row, most) : reason_put(list, rows, row, room);
    builder_close_list(list);
    return size;
}

/* ---- letters ---- */

/* At most `most` bytes of the cell; how many there are. */
static int64_t bytes_put(struct builder *into, const struct column *from, int64_t row, int64_t most, bool never_null)
{
    if (column_is_null(from, row)) {
        if (never_null)
            builder_bytes(into, bytes_of_string(""));
        else
            builder_null(into);
        return 0;
    }
    struct bytes value = column_bytes_at(from, row);
    if ((int64_t)value.size > most)
        value.size = (size_t)most;
    builder_bytes(into, value);
    return (int64_t)value.size;
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static void letter_make(struct builder *columns, const char *pipeline, const struct sink_record_limits *limits,
                        const struct batch *rows, int64_t row)
{
    int64_t room = (limits->bytes_max > 0 ? limits->bytes_max : DEAD_LETTER_BYTES_MAX) - SINK_RECORD_FRAME;
    room = room > 0 ? room : 0;
    room -= headers_fit(&columns[LETTER_HEADERS], pipeline, rows, row, room);
    room -= bytes_put(&columns[LETTER_KEY], &rows->columns[QUARANTINE_KEY], row, smaller(room / 2, DEAD_LETTER_KEY_MAX),
                      limits->needs_key);
    bytes_put(&columns[LETTER_VALUE], &rows->columns[QUARANTINE_VALUE], row, smaller(room, DEAD_LETTER_VALUE_MAX),
              false);
}

void dead_letters_make(const struct type *schema, const char *pipeline, const struct sink_record_limits *limits,
                       const struct batch *rows, struct batch *out)
{
    struct builder columns[LETTER_COLUMNS];
    for (int i = 0; i < LETTER_COLUMNS; i++)
        builder_init(&columns[i], schema->fields[i].type);
    for (int64_t row = 0; row < rows->rows; row++)
        letter_make(columns, pipeline, limits, rows, row);
    batch_init(out, schema, rows->rows);
    for (int i = 0; i < LETTER_COLUMNS; i++) {
        builder_finish(&columns[i], &out->columns[i]);
        builder_release(&columns[i]);
    }
}

/* ---- the cluster ---- */

static const char own_prefix[] = "leat.quarantine.kafka.", servers[] = "kafka.bootstrap.servers";

static bool starts_with(const char *text, const char *prefix) { return strncasecmp(text, prefix, strlen(prefix)) == 0; }

static void option_add(struct sink_spec *spec, const char **names, const char **values, const char *name,
                       const char *value)
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

enum code dead_letter_spec(struct arena *arena, const struct pipeline *pipeline, const char *topic,
                           struct sink_spec *out, struct error *err)
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
            option_add(out, names, values, arena_printf(arena, "kafka.%s", setting->name + strlen(own_prefix)),
                       setting->value);
    }
    bool own = transaction_option(names, values, out->option_count, servers) != NULL;
    for (int32_t i = 0; !own && source != NULL && i < source->option_count; i++) {
        const struct setting *option = &source->options[i];
        if (is_of_connection(option->name) && option->value[0] != '\0' &&
            transaction_option(names, values, out->option_count, option->name) == NULL)
            option_add(out, names, values, option->name, option->value);
    }
    if (transaction_option(names, values, out->option_count, servers) == NULL)
        return fail(err, E_SPEC,
                    "leat.quarantine.topic = %s: no source reads Kafka, so the setting "
                    "leat.quarantine.kafka.bootstrap.servers must say which cluster the topic is on",
                    topic);
    return E_OK;
}
