/* One cluster or two, by the text of their servers; rows as records. */
#include "sink/transaction.h"

#include "kafka_kit.h"
#include "sink/kafka_producer.h"
#include "sink/kafka_rows.h"
#include "sink/sinks.h"

TEST(same_cluster_when_a_server_is_common)
{
    CHECK(transaction_same_cluster("a:1", "a:1"));
    CHECK(transaction_same_cluster("a:1,b:2", " b:2 , c:3"));
    CHECK(transaction_same_cluster("Host:9092", "host:9092"));
    CHECK(!transaction_same_cluster("a:1", "a:12"));
    CHECK(!transaction_same_cluster("a:1", "b:1"));
    CHECK(!transaction_same_cluster("", ""));
    CHECK(!transaction_same_cluster(",,", ","));
}

TEST(topic_names)
{
    char longest[251];
    memset(longest, 'a', sizeof longest);
    longest[249] = '\0';
    CHECK(kafka_is_topic_name("a.B-c_9") && kafka_is_topic_name(longest));
    longest[249] = 'a', longest[250] = '\0';
    CHECK(!kafka_is_topic_name(longest));
    static const char *const bad[] = {"", ".", "..", "a b", "a/b", "\xc3\xa9", "a\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!kafka_is_topic_name(bad[i]));
}

/* ---- columns ---- */

static enum code find(const char *ddl, bool topic_given, struct kafka_columns *columns, struct error *err)
{
    static struct arena arena;
    const struct type *schema;
    size_t position;
    arena_reset(&arena);
    CHECK(type_parse_ddl(&arena, bytes_of_string(ddl), &schema, &position, err) == E_OK);
    return kafka_columns_find(schema, topic_given, columns, err);
}

TEST(columns_as_spark_wants_them)
{
    struct kafka_columns c;
    struct error err = {0};
    CHECK(find("other INT, value BINARY, key STRING, topic STRING, partition INT, timestamp TIMESTAMP, "
               "headers ARRAY<STRUCT<key: STRING, value: BINARY>>",
               false, &c, &err) == E_OK);
    CHECK(c.value == 1 && c.key == 2 && c.topic == 3 && c.partition == 4 && c.timestamp == 5 && c.headers == 6);
    CHECK(find("value STRING", true, &c, &err) == E_OK);
    CHECK(c.value == 0 && c.key < 0 && c.topic < 0 && c.partition < 0 && c.timestamp < 0 && c.headers < 0);
    CHECK(find("value STRING, topic INT", true, &c, &err) == E_OK); // the option wins, as in Spark
    static const char *const bad[][2] = {
        {"key STRING, topic STRING", "Required attribute 'value' not found"},
        {"Value STRING, topic STRING", "Required attribute 'value' not found"},
        {"value STRING", "topic option required when no 'topic' attribute is present"},
        {"value DOUBLE, topic STRING", "value attribute unsupported type double. value must be a(n) string or binary"},
        {"value STRING, topic STRING, partition BIGINT", "partition must be a(n) int"},
        {"value STRING, topic STRING, headers ARRAY<STRUCT<key: STRING, value: STRING>>",
         "headers attribute unsupported type"},
        {"value STRING, topic STRING, headers MAP<STRING, BINARY>", "headers attribute unsupported type map"},
        {"value STRING, topic BINARY", "topic must be a(n) string"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(find(bad[i][0], false, &c, &err) == E_SPEC);
        CHECK(strstr(err.text, bad[i][1]) != NULL);
    }
}

/* ---- rows ---- */

static void put(struct builder *builder, const char *text)
{
    if (text == NULL)
        builder_null(builder);
    else
        builder_bytes(builder, bytes_of_string(text));
}

TEST(rows_become_messages)
{
    struct arena arena = {0};
    const struct type *schema;
    size_t position;
    struct error err = {0};
    struct kafka_columns columns;
    struct batch batch;
    struct kafka_cursor cursor = {0};
    struct transaction_message m;
    CHECK(type_parse_ddl(&arena,
                         bytes_of_string("topic STRING, key BINARY, value STRING, partition INT, "
                                         "headers ARRAY<STRUCT<key: STRING, value: BINARY>>"),
                         &schema, &position, &err) == E_OK);
    CHECK(kafka_columns_find(schema, false, &columns, &err) == E_OK);
    batch_init(&batch, schema, 4);
    static const char *const cells[4][3] = {{"t", "k", "v"}, {"u", NULL, NULL}, {NULL, "k", "v"}, {"w", "", ""}};
    for (int32_t c = 0; c < schema->field_count; c++) {
        struct builder b;
        builder_init(&b, schema->fields[c].type);
        for (int row = 0; row < 4; row++) {
            if (c < 3) {
                put(&b, cells[row][c]);
            } else if (c == 3 && row == 0) {
                builder_int(&b, 2);
            } else if (c == 4 && row != 1) {
                put(&b.children[0].children[0], row == 3 ? NULL : "h1");
                put(&b.children[0].children[1], "x");
                builder_close_struct(&b.children[0]);
                put(&b.children[0].children[0], "h2");
                put(&b.children[0].children[1], NULL);
                builder_close_struct(&b.children[0]);
                builder_close_list(&b);
            } else {
                builder_null(&b);
            }
        }
        builder_finish(&b, &batch.columns[c]);
        builder_release(&b);
    }
    CHECK(kafka_row_read(&cursor, &columns, NULL, &batch, 0, 2, &m) == KAFKA_ROW_FINE);
    CHECK_STR(m.topic, "t");
    CHECK(m.partition == 2 && bytes_equal_string(m.key, "k") && bytes_equal_string(m.value, "v") && !m.key_null);
    CHECK_INT(m.header_count, 2);
    CHECK_STR(m.headers[0].name, "h1");
    CHECK(bytes_equal_string(m.headers[0].value, "x") && !m.headers[0].is_null && m.headers[1].is_null);
    CHECK_INT(kafka_message_bytes(&m), 36 + 2 + 2 + 2 + 1 + 4);
    CHECK(kafka_row_read(&cursor, &columns, NULL, &batch, 1, 0, &m) == KAFKA_ROW_FINE);
    CHECK(m.key_null && m.value_null && m.partition == -1 && m.header_count == 0);
    CHECK(kafka_row_read(&cursor, &columns, NULL, &batch, 2, 0, &m) == KAFKA_ROW_NO_TOPIC);
    CHECK(kafka_row_read(&cursor, &columns, "given", &batch, 2, 0, &m) == KAFKA_ROW_FINE);
    CHECK_STR(m.topic, "given");
    CHECK(kafka_row_read(&cursor, &columns, NULL, &batch, 3, 0, &m) == KAFKA_ROW_BAD_HEADER);
    kafka_cursor_close(&cursor);
    batch_release(&batch);
    arena_free(&arena);
}

/* ---- the largest record ---- */

/* What kafka_message_bytes lets through, librdkafka takes; one byte more, it refuses. No broker is asked. */
KAFKA_TEST(largest_record_as_librdkafka_counts)
{
    enum { MOST = 20000 };
    static const char *const names[] = {"kafka.bootstrap.servers", "kafka.max.request.size"};
    static const char *const values[] = {"127.0.0.1:1", "20000"};
    static const size_t header_sizes[] = {0, 1, 63, 64, 8191, 8192};
    static uint8_t data[MOST + 1];
    const struct kafka_producer_spec spec = {.option_names = names, .option_values = values, .option_count = 2};
    struct kafka_producer producer;
    struct error err = {0};
    CHECK(kafka_producer_open(&producer, &spec, &err) == E_OK);
    CHECK_INT(producer.message_max, MOST);
    for (int32_t headers = 0; headers <= 2; headers++) {
        for (size_t i = 0; i < sizeof header_sizes / sizeof *header_sizes; i++) {
            const struct transaction_header own[] = {{"name", bytes_of(data, header_sizes[i]), false},
                                                     {"none", {0}, true}};
            struct transaction_message m = {
                .topic = "t", .partition = -1, .key = bytes_of(data, 5), .headers = own, .header_count = headers};
            m.value = bytes_of(data, (size_t)(MOST - kafka_message_bytes(&m)));
            CHECK_INT(kafka_message_bytes(&m), MOST);
            error_clear(&err);
            CHECK(kafka_producer_send(&producer, &m, &err) == E_OK);
            m.value.size++;
            CHECK(kafka_producer_send(&producer, &m, &err) == E_SPEC);
        }
    }
    kafka_producer_close(&producer);
}

/* ---- a row's own headers ---- */

static void origin_column(struct column *out, enum type_id id, const char *text, int64_t number)
{
    struct builder b;
    builder_init(&b, type_of(id));
    if (text != NULL)
        put(&b, text);
    else
        builder_int(&b, number);
    builder_finish(&b, out);
    builder_release(&b);
}

/* A file's path may be longer than any topic: nothing is cut short of it, and nothing past it is read (ASan). */
KAFKA_TEST(origin_with_a_long_path)
{
    static const char *const names[] = {"kafka.bootstrap.servers", "kafka.max.request.size"};
    static const char *const values[] = {"127.0.0.1:1", "2000"};
    static char path[6000];
    struct arena arena = {0};
    const struct type *schema;
    size_t position;
    struct error err = {0};
    memset(path, 'p', sizeof path - 1);
    CHECK(type_parse_ddl(&arena, bytes_of_string("topic STRING, value STRING"), &schema, &position, &err) == E_OK);
    const struct sink_spec spec = {.name = "t",
                                   .query_id = "0123456789abcdef",
                                   .schema = schema,
                                   .zone = zone_utc(),
                                   .lanes = 1,
                                   .option_names = names,
                                   .option_values = values,
                                   .option_count = 2};
    void *sink = mem_zero(kafka_sink.size);
    CHECK(kafka_sink.open(sink, &spec, &err) == E_OK);
    for (size_t size = 100; size < sizeof path; size += 1400) {
        struct batch batch;
        struct origin *origin = mem_new(struct origin);
        batch_init(&batch, schema, 1);
        atomic_store(&origin->count, 1);
        origin_column(&origin->topic, TYPE_STRING, path + sizeof path - 1 - size, 0);
        origin_column(&origin->partition, TYPE_INT32, NULL, 3);
        origin_column(&origin->offset, TYPE_INT64, NULL, 7);
        batch.source = origin;
        origin_column(&batch.columns[0], TYPE_STRING, "t", 0);
        origin_column(&batch.columns[1], TYPE_STRING, "v", 0);
        error_clear(&err);
        enum code code = kafka_sink.write(sink, 0, 1, &batch, &err);
        CHECK(code == (size <= 1500 ? E_OK : E_SPEC)); // of what the check lets through, nothing is too large
        batch_release(&batch);
    }
    kafka_sink.close(sink);
    mem_free(sink);
    arena_free(&arena);
}

/* ---- timestamps near 1970 ---- */

/* Each is refused, or written as it is: never silently "now". */
TEST(timestamps_that_cannot_be_written)
{
    static const struct {
        int64_t us, ms;
        bool fine;
    } cases[] = {{0, 0, false},   {999, 0, false},    {1000, 1, true},    {1999, 1, true},
                 {-1, -1, false}, {-1000, -1, false}, {-1001, -2, false}, {1700000000000999, 1700000000000, true}};
    static const char *const names[] = {"kafka.bootstrap.servers"}, *const values[] = {"127.0.0.1:1"};
    enum { COUNT = sizeof cases / sizeof *cases };
    struct transaction_type type = kafka_transaction;
    type.topic = NULL, type.record_max = NULL; // takes everything
    const struct transaction transaction = {&type, NULL, "127.0.0.1:1"};
    struct arena arena = {0};
    struct rejects rejects = {0};
    struct error err = {0};
    const struct type *schema;
    struct batch batch;
    size_t position;
    CHECK(type_parse_ddl(&arena, bytes_of_string("topic STRING, value STRING, timestamp TIMESTAMP"), &schema, &position,
                         &err) == E_OK);
    const struct sink_spec spec = {.name = "t",
                                   .query_id = "0123456789abcdef",
                                   .schema = schema,
                                   .zone = zone_utc(),
                                   .lanes = 1,
                                   .option_names = names,
                                   .option_values = values,
                                   .option_count = 1,
                                   .transaction = &transaction};
    void *sink = mem_zero(kafka_sink.size);
    CHECK(kafka_sink.open(sink, &spec, &err) == E_OK);
    batch_init(&batch, schema, COUNT + 1);
    for (int32_t c = 0; c < 3; c++) {
        struct builder b;
        builder_init(&b, schema->fields[c].type);
        for (int row = 0; row <= COUNT; row++)
            if (c < 2)
                put(&b, "t");
            else if (row < COUNT)
                builder_int(&b, cases[row].us);
            else
                builder_null(&b);
        builder_finish(&b, &batch.columns[c]);
        builder_release(&b);
    }
    CHECK(kafka_sink.check(sink, 0, &batch, &rejects, &err) == E_OK);
    int32_t next = 0;
    for (int row = 0; row < COUNT; row++) {
        const struct transaction_message m = {.timestamp_given = true, .timestamp_us = cases[row].us};
        CHECK_INT(kafka_timestamp_ms(&m), cases[row].ms);
        bool refused = next < rejects.count && rejects.items[next].row == row;
        CHECK(refused == !cases[row].fine && (!refused || rejects.items[next].code == REJECT_TIMESTAMP));
        next += refused;
    }
    CHECK_INT(next, rejects.count);
    rejects_free(&rejects);
    batch_release(&batch);
    kafka_sink.close(sink);
    mem_free(sink);
    arena_free(&arena);
}
