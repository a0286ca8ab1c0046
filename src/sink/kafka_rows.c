#include "sink/kafka_rows.h"

#include <string.h>

#include "sink/kafka_producer.h"

/* ---- columns ---- */

/* Spark finds columns of a record by their exact names. */
static int32_t column_find(const struct type *schema, const char *name)
{
    return type_field_index(schema, name, false);
}

static bool is_text(const struct type *type) { return type_is_varlen(type); }

static bool is_integer(const struct type *type) { return type->id == TYPE_INT32; }

static bool is_timestamp(const struct type *type) { return type->id == TYPE_TIMESTAMP; }

static bool is_string(const struct type *type) { return type->id == TYPE_STRING; }

static bool is_headers(const struct type *type)
{
    const struct type *element = type->id == TYPE_ARRAY ? type->fields[0].type : NULL;
    return element != NULL && element->id == TYPE_STRUCT && element->field_count == 2 &&
           strcmp(element->fields[0].name, "key") == 0 && element->fields[0].type->id == TYPE_STRING &&
           strcmp(element->fields[1].name, "value") == 0 && element->fields[1].type->id == TYPE_BINARY;
}

enum code kafka_columns_find(const struct type *schema, bool topic_given, struct kafka_columns *out, struct error *err)
{
    const struct {
        const char *name;
        int32_t *place;
        bool (*fits)(const struct type *);
        const char *wanted;
    } columns[] = {
        {"topic", &out->topic, is_string, "string"},
        {"key", &out->key, is_text, "string or binary"},
        {"value", &out->value, is_text, "string or binary"},
        {"headers", &out->headers, is_headers, "array<struct<key:string,value:binary>>"},
        {"partition", &out->partition, is_integer, "int"},
        {"timestamp", &out->timestamp, is_timestamp, "timestamp"},
    };
    enum code code = E_OK;
    for (size_t i = 0; code == E_OK && i < sizeof columns / sizeof *columns; i++) {
        int32_t at = *columns[i].place = column_find(schema, columns[i].name);
        if (at < 0 || columns[i].fits(schema->fields[at].type) || (i == 0 && topic_given))
            continue;
        struct text type = {0};
        type_print(schema->fields[at].type, &type);
        code = fail(err, E_SPEC, "%s attribute unsupported type %s. %s must be a(n) %s", columns[i].name, type.data,
                    columns[i].name, columns[i].wanted);
        text_free(&type);
    }
    TRY(code);
    if (out->value < 0)
        return fail(err, E_SPEC, "Required attribute 'value' not found. to_json(struct(..)) AS value makes one");
    if (out->topic < 0 && !topic_given)
        return fail(err, E_SPEC,
                    "topic option required when no 'topic' attribute is present. Use the topic option for "
                    "setting a topic.");
    return E_OK;
}

/* ---- rows ---- */

void kafka_cursor_close(struct kafka_cursor *self)
{
    mem_free(self->headers);
    text_free(&self->names);
    *self = (struct kafka_cursor){0};
}

/* Where the terminated copy begins; names move when they grow, so places are kept until all are there. */
static size_t name_add(struct kafka_cursor *self, struct bytes name)
{
    size_t at = self->names.size;
    text_add(&self->names, name.data, name.size);
    text_add_char(&self->names, '\0');
    return at;
}

/* Names of headers end at their first NUL byte, in Kafka as in C; so none may hold one. */
static bool headers_read(struct kafka_cursor *self, const struct column *list, int64_t row, int32_t extra,
                         int32_t *count)
{
    const int32_t *offsets = column_offsets(list);
    const struct column *keys = &list->children[0].children[0], *values = &list->children[0].children[1];
    int32_t first = offsets[row];
    *count = offsets[row + 1] - first;
    if (*count > KAFKA_HEADERS_MAX)
        return false;
    mem_grow(self->headers, self->header_capacity, *count + extra);
    for (int32_t i = 0; i < *count; i++) {
        if (!column_valid_at(&list->children[0], first + i) || !column_valid_at(keys, first + i))
            return false;
        struct bytes key = column_bytes_at(keys, first + i);
        if (key.size > 0 && memchr(key.data, '\0', key.size) != NULL)
            return false;
        bool is_null = !column_valid_at(values, first + i);
        self->headers[i] = (struct transaction_header){
            .name = (const char *)(uintptr_t)name_add(self, key),
            .value = is_null ? (struct bytes){0} : column_bytes_at(values, first + i),
            .is_null = is_null,
        };
    }
    for (int32_t i = 0; i < *count; i++)
        self->headers[i].name = self->names.data + (uintptr_t)self->headers[i].name;
    return true;
}

static struct bytes cell(const struct batch *batch, int32_t column, int64_t row, bool *is_null)
{
    *is_null = column < 0 || !column_valid_at(&batch->columns[column], row);
    return *is_null ? (struct bytes){0} : column_bytes_at(&batch->columns[column], row);
}

enum kafka_row kafka_row_read(struct kafka_cursor *self, const struct kafka_columns *columns, const char *topic,
                              const struct batch *batch, int64_t row, int32_t extra, struct transaction_message *out)
{
    struct transaction_message message = {.topic = topic, .partition = -1};
    size_t topic_at = 0;
    text_clear(&self->names);
    message.key = cell(batch, columns->key, row, &message.key_null);
    message.value = cell(batch, columns->value, row, &message.value_null);
    if (topic == NULL) {
        bool is_null;
        struct bytes name = cell(batch, columns->topic, row, &is_null);
        if (is_null || (name.size > 0 && memchr(name.data, '\0', name.size) != NULL))
            return KAFKA_ROW_NO_TOPIC;
        topic_at = name_add(self, name);
    }
    if (columns->headers >= 0 && column_valid_at(&batch->columns[columns->headers], row)) {
        if (!headers_read(self, &batch->columns[columns->headers], row, extra, &message.header_count))
            return KAFKA_ROW_BAD_HEADER;
    } else if (extra > 0) {
        mem_grow(self->headers, self->header_capacity, extra);
    }
    message.headers = self->headers;
    if (topic == NULL)
        message.topic = self->names.data + topic_at;
    if (columns->partition >= 0 && column_valid_at(&batch->columns[columns->partition], row))
        message.partition = column_values(&batch->columns[columns->partition], int32_t)[row];
    if (columns->timestamp >= 0 && column_valid_at(&batch->columns[columns->timestamp], row)) {
        message.timestamp_given = true;
        message.timestamp_us = column_values(&batch->columns[columns->timestamp], int64_t)[row];
    }
    *out = message;
    return KAFKA_ROW_FINE;
}

int64_t kafka_timestamp_ms(const struct transaction_message *message)
{
    return message->timestamp_us / 1000 - (message->timestamp_us % 1000 < 0);
}

/* Lengths are zigzag numbers of 7 bits a byte. */
static int64_t length_bytes(size_t size)
{
    int64_t bytes = 1;
    for (uint64_t rest = (uint64_t)size >> 6; rest > 0; rest >>= 7)
        bytes++;
    return bytes;
}

int64_t kafka_header_bytes(size_t name_size, size_t value_size)
{
    return length_bytes(name_size) + (int64_t)name_size + length_bytes(value_size) + (int64_t)value_size;
}

int64_t kafka_message_bytes(const struct transaction_message *message)
{
    int64_t size = (int64_t)(message->key.size + message->value.size) + SINK_RECORD_FRAME;
    for (int32_t i = 0; i < message->header_count; i++)
        size += kafka_header_bytes(strlen(message->headers[i].name), message->headers[i].value.size);
    return size;
}
