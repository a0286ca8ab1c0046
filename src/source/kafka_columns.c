/* kafka_columns.c - messages into columns: each byte is copied once, from librdkafka's answer
 * buffer to the column.
 *
 * Speed    a chunk of messages is walked once per needed column; all branches but NULL keys and
 *          values are outside the loops
 * Types    Kafka's milliseconds become microseconds; timestampType as in Java: -1 none, 0 create
 *          time, 1 append time
 */
#include "source/kafka.h"

/* ORDER SOURCE_COLUMN: the same order as enum source_column. */
const struct type *kafka_schema(struct arena *arena, bool headers)
{
    struct field header[] = {
        {"key", type_of(TYPE_STRING), true},
        {"value", type_of(TYPE_BINARY), true},
    };
    struct field fields[] = {
        {"key", type_of(TYPE_BINARY), true},
        {"value", type_of(TYPE_BINARY), true},
        {"topic", type_of(TYPE_STRING), true},
        {"partition", type_of(TYPE_INT32), true},
        {"offset", type_of(TYPE_INT64), true},
        {"timestamp", type_of(TYPE_TIMESTAMP), true},
        {"timestampType", type_of(TYPE_INT32), true},
        {"headers", type_array(arena, type_struct(arena, header, 2), true), true},
    };
    return type_struct(arena, fields, headers ? SOURCE_COLUMN_COUNT : SOURCE_HEADERS);
}

/* ---- variable length ---- */

/* `expected`: what the batch before needed, so that no copy is made while growing. */
static void varlen_begin(struct column *col, size_t expected)
{
    col->offsets = buffer_new((BATCH_ROWS_MAX + 1) * sizeof(int32_t));
    *(int32_t *)(void *)col->offsets->data = 0;
    col->values = buffer_new(expected);
    col->values->size = 0;
}

/* Room for `more` bytes. */
static uint8_t *varlen_reserve(struct column *col, size_t more)
{
    size_t size = col->values->size;
    if (size + more > col->values->capacity)
        buffer_grow(&col->values, size + more > 2 * size ? size + more : 2 * size);
    return col->values->data + size;
}

static void null_put(struct column *col, int64_t row)
{
    if (col->valid == NULL) {
        col->valid = buffer_new(bit_bytes(BATCH_ROWS_MAX));
        bit_fill(col->valid->data, BATCH_ROWS_MAX, 1);
    }
    bit_clear(col->valid->data, row);
    col->nulls++;
}

static void values_append(struct column *col, rd_kafka_message_t *const *messages, int64_t count)
{
    int32_t *offsets = (int32_t *)(void *)col->offsets->data + col->rows;
    size_t total = 0;
    for (int64_t i = 0; i < count; i++)
        total += messages[i]->len;
    uint8_t *at = varlen_reserve(col, total);
    for (int64_t i = 0; i < count; i++) {
        const rd_kafka_message_t *message = messages[i];
        if (__builtin_expect(message->payload == NULL, 0))
            null_put(col, col->rows + i);
        else
            memcpy(at, message->payload, message->len);
        at += message->len;
        offsets[i + 1] = offsets[i] + (int32_t)message->len;
    }
    col->values->size += total;
    col->rows += count;
}

static void keys_append(struct column *col, rd_kafka_message_t *const *messages, int64_t count)
{
    int32_t *offsets = (int32_t *)(void *)col->offsets->data + col->rows;
    size_t total = 0;
    for (int64_t i = 0; i < count; i++)
        total += messages[i]->key_len;
    uint8_t *at = varlen_reserve(col, total);
    for (int64_t i = 0; i < count; i++) {
        const rd_kafka_message_t *message = messages[i];
        if (__builtin_expect(message->key == NULL, 0))
            null_put(col, col->rows + i);
        else
            memcpy(at, message->key, message->key_len);
        at += message->key_len;
        offsets[i + 1] = offsets[i] + (int32_t)message->key_len;
    }
    col->values->size += total;
    col->rows += count;
}

static void topics_append(struct column *col, const char *topic, int64_t count)
{
    int32_t *offsets = (int32_t *)(void *)col->offsets->data + col->rows;
    size_t size = strlen(topic);
    uint8_t *at = varlen_reserve(col, size * (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        memcpy(at, topic, size);
        at += size;
        offsets[i + 1] = offsets[i] + (int32_t)size;
    }
    col->values->size += size * (size_t)count;
    col->rows += count;
}

/* ---- fixed width ---- */

static void fixed_begin(struct column *col)
{
    col->values = buffer_new((size_t)BATCH_ROWS_MAX * (size_t)type_width(col->type));
}

static void partitions_append(struct column *col, int32_t partition, int64_t count)
{
    int32_t *at = column_values(col, int32_t) + col->rows;
    for (int64_t i = 0; i < count; i++)
        at[i] = partition;
    col->rows += count;
}

static void offsets_append(struct column *col, rd_kafka_message_t *const *messages, int64_t count)
{
    int64_t *at = column_values(col, int64_t) + col->rows;
    for (int64_t i = 0; i < count; i++)
        at[i] = messages[i]->offset;
    col->rows += count;
}

static void timestamps_append(struct column *col, rd_kafka_message_t *const *messages, int64_t count)
{
    int64_t *at = column_values(col, int64_t) + col->rows;
    for (int64_t i = 0; i < count; i++) {
        rd_kafka_timestamp_type_t kind;
        int64_t us;
        int64_t ms = rd_kafka_message_timestamp(messages[i], &kind);
        at[i] = __builtin_mul_overflow(ms, (int64_t)1000, &us) ? INT64_MAX : us; // a producer may send any number
    }
    col->rows += count;
}

static void timestamp_types_append(struct column *col, rd_kafka_message_t *const *messages, int64_t count)
{
    int32_t *at = column_values(col, int32_t) + col->rows;
    for (int64_t i = 0; i < count; i++) {
        rd_kafka_timestamp_type_t kind;
        (void)rd_kafka_message_timestamp(messages[i], &kind);
        at[i] = (int32_t)kind - 1;
    }
    col->rows += count;
}

/* ---- headers ---- */

static void headers_put(struct builder *builder, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t size;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_cnt(headers) == 0) {
        builder_null(builder); // as Spark: no header, no array
        return;
    }
    struct builder *header = &builder->children[0];
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        builder_bytes(&header->children[0], bytes_of_string(name));
        if (value == NULL)
            builder_null(&header->children[1]);
        else
            builder_bytes(&header->children[1], bytes_of(value, size));
        builder_close_struct(header);
    }
    builder_close_list(builder);
}

/* ---- a batch ---- */

static bool is_varlen(int column) { return column == SOURCE_KEY || column == SOURCE_VALUE || column == SOURCE_TOPIC; }

void kafka_columns_begin(struct kafka_source *self)
{
    batch_init(&self->filling, self->schema, 0);
    self->filling_bytes = 0;
    for (int i = 0; i < self->schema->field_count; i++) {
        struct column *col = &self->filling.columns[i];
        if (!self->needed[i])
            continue;
        col->type = self->schema->fields[i].type;
        if (is_varlen(i))
            varlen_begin(col, self->varlen_bytes[i]);
        else if (i != SOURCE_HEADERS)
            fixed_begin(col);
    }
}

static size_t sizes(rd_kafka_message_t *const *messages, int64_t count)
{
    size_t total = 0;
    for (int64_t i = 0; i < count; i++)
        total += messages[i]->len + messages[i]->key_len;
    return total;
}

void kafka_columns_append(struct kafka_source *self, const struct kafka_partition *partition,
                          rd_kafka_message_t *const *messages, int64_t count)
{
    struct column *cols = self->filling.columns;
    const bool *needed = self->needed;
    dassert(self->filling.rows + count <= BATCH_ROWS_MAX);
    if (needed[SOURCE_KEY])
        keys_append(&cols[SOURCE_KEY], messages, count);
    if (needed[SOURCE_VALUE])
        values_append(&cols[SOURCE_VALUE], messages, count);
    if (needed[SOURCE_TOPIC])
        topics_append(&cols[SOURCE_TOPIC], partition->topic, count);
    if (needed[SOURCE_PARTITION])
        partitions_append(&cols[SOURCE_PARTITION], partition->partition, count);
    if (needed[SOURCE_OFFSET])
        offsets_append(&cols[SOURCE_OFFSET], messages, count);
    if (needed[SOURCE_TIMESTAMP])
        timestamps_append(&cols[SOURCE_TIMESTAMP], messages, count);
    if (needed[SOURCE_TIMESTAMP_TYPE])
        timestamp_types_append(&cols[SOURCE_TIMESTAMP_TYPE], messages, count);
    for (int64_t i = 0; needed[SOURCE_HEADERS] && i < count; i++)
        headers_put(&self->headers, messages[i]);
    self->filling.rows += count;
    self->filling_bytes += sizes(messages, count);
}

static void column_close(struct kafka_source *self, int column)
{
    struct column *col = &self->filling.columns[column];
    if (column == SOURCE_HEADERS) {
        builder_finish(&self->headers, col);
        return;
    }
    if (is_varlen(column)) {
        col->offsets->size = (size_t)(col->rows + 1) * sizeof(int32_t);
        if (col->rows > BATCH_ROWS_MAX / 2)
            self->varlen_bytes[column] = col->values->size + col->values->size / 16;
    } else {
        col->values->size = (size_t)col->rows * (size_t)type_width(col->type);
    }
    if (col->valid != NULL) {
        col->valid->size = bit_bytes(col->rows);
        if (col->rows % 8 != 0) // the bits behind the last row are zero
            col->valid->data[col->rows / 8] &= (uint8_t)((1u << (col->rows % 8)) - 1);
    }
}

void kafka_columns_finish(struct kafka_source *self, struct batch *out)
{
    for (int i = 0; i < self->schema->field_count; i++)
        if (self->needed[i])
            column_close(self, i);
    *out = batch_take(&self->filling);
}
