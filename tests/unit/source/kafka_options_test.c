/* Java's and Spark's options: mapped, ignored, refused; secrets never shown; offsets in JSON. */
#include "mock_broker.h"

#include "kit.h"

struct result {
    enum code code;
    struct error err;
    struct arena arena;
    struct kafka_client_facts facts;
    rd_kafka_conf_t *conf;
};

/* names and values alternate; bootstrap.servers is always there. */
static struct result apply(const char *const *pairs, int32_t count)
{
    struct result result = {.conf = rd_kafka_conf_new()};
    const char *names[16] = {"kafka.bootstrap.servers"}, *values[16] = {"localhost:9092"};
    for (int32_t i = 0; i < count; i++) {
        names[i + 1] = pairs[2 * i];
        values[i + 1] = pairs[2 * i + 1];
    }
    const struct kafka_client_options options = {names, values, count + 1};
    result.code =
        kafka_client_conf(result.conf, &options, &result.arena, &result.facts, &result.err);
    return result;
}
#define APPLY(...)                            \
    apply((const char *const[]){__VA_ARGS__}, \
          (int32_t)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *) / 2))

static void release(struct result *result)
{
    rd_kafka_conf_destroy(result->conf);
    arena_free(&result->arena);
}

static void check_conf(const struct result *result, const char *name, const char *expected)
{
    char value[256] = "";
    size_t size = sizeof value;
    CHECK(result->code == E_OK);
    CHECK(rd_kafka_conf_get(result->conf, name, value, &size) == RD_KAFKA_CONF_OK);
    CHECK_STR(value, expected);
}

TEST(kafka_client_maps_java_names)
{
    struct result result = APPLY("kafka.Fetch.Max.Wait.Ms", "77", "kafka.receive.buffer.bytes",
                                 "65536", "kafka.security.protocol", "SASL_SSL",
                                 "kafka.sasl.mechanism", "SCRAM-SHA-256", "kafka.client.id", "me");
    check_conf(&result, "bootstrap.servers", "localhost:9092");
    check_conf(&result, "fetch.wait.max.ms", "77");
    check_conf(&result, "socket.receive.buffer.bytes", "65536");
    check_conf(&result, "security.protocol", "sasl_ssl");
    check_conf(&result, "client.id", "me");
    check_conf(&result, "ssl.endpoint.identification.algorithm", "https");
    release(&result);
}

TEST(kafka_client_reads_jaas)
{
    struct result result =
        APPLY("kafka.sasl.jaas.config",
              "org.apache.kafka.common.security.scram.ScramLoginModule required\n"
              " username=\"ann\" password='p\\'w;=\"x';");
    check_conf(&result, "sasl.username", "ann");
    CHECK_STR(result.facts.username, "ann");
    CHECK_STR(result.facts.password, "p'w;=\"x");
    release(&result);
}

TEST(kafka_client_jaas_broken_shows_no_secret)
{
    static const char *const texts[] = {
        "",
        "x",
        "PlainLoginModule required username=\"ann\" password=\"hunter2",
        "PlainLoginModule required password hunter2;",
        "PlainLoginModule required password=\"hunter2\"",
        "com.example.Mine required password=\"hunter2\";",
        "\"",
        "a b =",
        "a b c=\"d\"e",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct result result = APPLY("kafka.sasl.jaas.config", texts[i]);
        CHECK((result.code == E_OK) == (texts[i][0] == '\0')); // empty = not set
        CHECK(strstr(result.err.text, "hunter2") == NULL);
        release(&result);
    }
}

TEST(kafka_client_stores)
{
    struct result result = APPLY("kafka.ssl.truststore.location", "/x/trust.jks",
                                 "kafka.ssl.truststore.password", "hunter2");
    CHECK(result.code == E_UNSUPPORTED);
    CHECK(strstr(result.err.text, "PEM") != NULL && strstr(result.err.text, "hunter2") == NULL);
    release(&result);
    result =
        APPLY("kafka.ssl.truststore.location", "/x/ca.pem", "kafka.ssl.truststore.type", "PEM");
    check_conf(&result, "ssl.ca.location", "/x/ca.pem");
    release(&result);
    result = APPLY("kafka.ssl.keystore.location", "/x/me.p12", "kafka.ssl.keystore.type", "pkcs12",
                   "kafka.ssl.endpoint.identification.algorithm", "");
    check_conf(&result, "ssl.keystore.location", "/x/me.p12");
    release(&result);
}

TEST(kafka_client_refuses)
{
    struct result result = APPLY("kafka.fetch.min.byte", "1");
    CHECK(result.code == E_SPEC);
    CHECK_STR(result.err.text,
              "unknown option kafka.fetch.min.byte; did you mean kafka.fetch.min.bytes");
    release(&result);
    result = APPLY("kafka.auto.offset.reset", "latest");
    CHECK(result.code == E_SPEC && strstr(result.err.text, "startingOffsets") != NULL);
    release(&result);
    result = APPLY("kafka.plugin.library.paths", "/tmp/evil.so");
    CHECK(result.code == E_UNSUPPORTED);
    release(&result);
    result = APPLY("kafka.fetch.min.bytes", "many");
    CHECK(result.code == E_SPEC && strstr(result.err.text, "kafka.fetch.min.bytes") != NULL);
    release(&result);
    result = APPLY("kafka.max.poll.records", "500", "kafka.fetch.min.bytes", "");
    CHECK(result.code == E_OK);
    release(&result);
}

/* ---- Spark's options ---- */

static enum code open_with(const char *const *names, const char *const *values, int32_t count,
                           struct error *err)
{
    void *source = mem_zero(kafka_source_type.size);
    const struct source_spec spec = {.name = "s",
                                     .option_names = names,
                                     .option_values = values,
                                     .option_count = count,
                                     .buffer_bytes = 1 << 20,
                                     .retry_limit_us = 1};
    enum code code = kafka_source_type.open(source, &spec, err);
    kafka_source_type.close(source);
    mem_free(source);
    return code;
}
#define OPEN(names, values, err) \
    open_with(names, values, (int32_t)(sizeof(names) / sizeof(names)[0]), err)

KAFKA_TEST(kafka_open_checks_options)
{
    struct error err = {0};
    const char *none[] = {"kafka.bootstrap.servers"}, *none_values[] = {"h:1"};
    CHECK(OPEN(none, none_values, &err) == E_SPEC);
    CHECK(strstr(err.text, "exactly one of subscribe") != NULL);

    const char *typo[] = {"kafka.bootstrap.servers", "subscribe", "startingOffset"},
               *typo_values[] = {"h:1", "t", "earliest"};
    CHECK(OPEN(typo, typo_values, &err) == E_SPEC);
    CHECK(strstr(err.text, "did you mean startingOffsets") != NULL);

    const char *end[] = {"kafka.bootstrap.servers", "subscribe", "endingOffsets"},
               *end_values[] = {"h:1", "t", "latest"};
    CHECK(OPEN(end, end_values, &err) == E_SPEC);

    const char *json[] = {"kafka.bootstrap.servers", "subscribe", "startingOffsets"},
               *json_values[] = {"h:1", "t", "{\"t\":{\"0\":-3}}"};
    CHECK(OPEN(json, json_values, &err) == E_SPEC);
    CHECK(strstr(err.text, "-1 means latest") != NULL);

    const char *missing[] = {"subscribe"}, *missing_values[] = {"t"};
    CHECK(OPEN(missing, missing_values, &err) == E_SPEC);
    CHECK(strstr(err.text, "kafka.bootstrap.servers is missing") != NULL);

    const char *good[] = {"format",         "Kafka.Bootstrap.Servers",
                          "SUBSCRIBE",      "maxOffsetsPerTrigger",
                          "failondataloss", "minPartitions"};
    const char *good_values[] = {"kafka", "127.0.0.1:1", "t", "", "false", "8"};
    CHECK(OPEN(good, good_values, &err) == E_OK);
}

TEST(kafka_offsets_json)
{
    struct source_ranges ranges = {0};
    struct error err = {0};
    CHECK(kafka_offsets_parse("startingOffsets",
                              "{\"t\":{\"0\":23,\"1\":-1,\"2\":-2},\"u\":{\"7\":9007199254740993}}",
                              &ranges, &err) == E_OK);
    CHECK_INT(ranges.count, 4);
    CHECK_INT(source_ranges_find(&ranges, "t", 1)->from, -1);
    CHECK_INT(source_ranges_find(&ranges, "u", 7)->from, 9007199254740993);
    CHECK(source_ranges_find(&ranges, "u", 0) == NULL);
    source_ranges_free(&ranges);
    static const char *const bad[] = {
        "",
        "[]",
        "{",
        "{\"t\":3}",
        "{\"t\":{\"x\":1}}",
        "{\"t\":{\"0\":\"1\"}}",
        "{\"t\":{\"0\":1.5}}",
        "{\"t\":{\"-1\":1}}",
        "{\"t\":{\"99999999999\":1}}",
        "{\"t\":{\"\":1}}",
        "{\"t\":{\"0\":1},\"t\":{\"1\":1}}",
        "{\"t\":{\"0\":99999999999999999999}}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(kafka_offsets_parse("startingOffsets", bad[i], &ranges, &err) == E_SPEC);
        CHECK(strstr(err.text, "startingOffsets") != NULL);
        source_ranges_free(&ranges);
    }
    CHECK(kafka_assign_parse("{\"t\":[0,2,2],\"u\":[]}", &ranges, &err) == E_OK);
    CHECK_INT(ranges.count, 2);
    source_ranges_free(&ranges);
    CHECK(kafka_assign_parse("{\"t\":[-1]}", &ranges, &err) == E_SPEC);
    CHECK(kafka_assign_parse("{\"t\":0}", &ranges, &err) == E_SPEC);
    source_ranges_free(&ranges);
}

/* ---- the split of a limit ---- */

static void range_add(struct source_ranges *ranges, int32_t partition, int64_t from, int64_t latest)
{
    struct source_range *range = source_ranges_add(ranges, "t", partition);
    range->from = from;
    range->latest = latest;
}

TEST(source_plan_splits_as_spark)
{
    struct source_ranges ranges = {0};
    range_add(&ranges, 0, 100, 1100); /* 1000 of 1310 */
    range_add(&ranges, 1, 0, 300);
    range_add(&ranges, 2, 5, 5); /* nothing there */
    range_add(&ranges, 3, 0, 10);
    source_plan(&ranges, 100);
    CHECK_INT(ranges.items[0].to, 100 + 76); /* floor(76.3) */
    CHECK_INT(ranges.items[1].to, 22);       /* floor(22.9) */
    CHECK_INT(ranges.items[2].to, 5);
    CHECK_INT(ranges.items[3].to, 1); /* 0.76: at least one */
    source_plan(&ranges, 0);
    CHECK_INT(ranges.items[0].to, 1100);
    CHECK_INT(ranges.items[3].to, 10);
    source_plan(&ranges, INT64_MAX);
    CHECK_INT(ranges.items[0].to, 1100);
    ranges.items[0].latest = 50; /* behind `from`: nothing, and never backwards */
    source_plan(&ranges, 10);
    CHECK_INT(ranges.items[0].to, 100);
    source_ranges_free(&ranges);
}

TEST(source_ranges_copy_owns_its_names)
{
    struct source_ranges ranges = {0}, copy = {0};
    range_add(&ranges, 3, 1, 9);
    source_ranges_copy(&copy, &ranges);
    source_ranges_free(&ranges);
    CHECK_INT(copy.count, 1);
    CHECK_STR(copy.items[0].topic, "t");
    CHECK_INT(copy.items[0].latest, 9);
    source_ranges_free(&copy);
    source_ranges_free(&copy);
    CHECK(source_find("KAFKA") == &kafka_source_type && source_find("kafk") == NULL);
}
