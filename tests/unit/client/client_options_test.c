/* Java's client options: mapped, ignored, refused; secrets never shown. */
#include <string.h>

#include "client/client.h"
#include "kit.h"

struct result {
    enum code code;
    struct error err;
    struct arena arena;
    struct kafka_client_facts facts;
    rd_kafka_conf_t *conf;
};

/* names and values alternate; bootstrap.servers is always there. */
static struct result apply(enum kafka_role role, const char *const *pairs, int32_t count)
{
    struct result result = {.conf = rd_kafka_conf_new()};
    const char *names[16] = {"kafka.bootstrap.servers"}, *values[16] = {"localhost:9092"};
    for (int32_t i = 0; i < count; i++) {
        names[i + 1] = pairs[2 * i];
        values[i + 1] = pairs[2 * i + 1];
    }
    const struct kafka_client_options options = {names, values, count + 1};
    result.code = kafka_client_conf(result.conf, role, &options, &result.arena, &result.facts, &result.err);
    return result;
}
#define APPLY_AS(role, ...)                         \
    apply(role, (const char *const[]){__VA_ARGS__}, \
          (int32_t)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *) / 2))
#define APPLY(...) APPLY_AS(KAFKA_CONSUMER, __VA_ARGS__)
#define PRODUCE(...) APPLY_AS(KAFKA_PRODUCER, __VA_ARGS__)

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
    struct result result =
        APPLY("kafka.Fetch.Max.Wait.Ms", "77", "kafka.receive.buffer.bytes", "65536", "kafka.security.protocol",
              "SASL_SSL", "kafka.sasl.mechanism", "SCRAM-SHA-256", "kafka.client.id", "me");
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
        APPLY("kafka.sasl.jaas.config", "org.apache.kafka.common.security.scram.ScramLoginModule required\n"
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
    struct result result =
        APPLY("kafka.ssl.truststore.location", "/x/trust.jks", "kafka.ssl.truststore.password", "hunter2");
    CHECK(result.code == E_UNSUPPORTED);
    CHECK(strstr(result.err.text, "PEM") != NULL && strstr(result.err.text, "hunter2") == NULL);
    release(&result);
    result = APPLY("kafka.ssl.truststore.location", "/x/ca.pem", "kafka.ssl.truststore.type", "PEM");
    check_conf(&result, "ssl.ca.location", "/x/ca.pem");
    release(&result);
    result = APPLY("kafka.ssl.keystore.location", "/x/me.p12", "kafka.ssl.keystore.type", "pkcs12",
                   "kafka.ssl.endpoint.identification.algorithm", "");
    check_conf(&result, "ssl.keystore.location", "/x/me.p12");
    release(&result);
}

TEST(an_option_is_judged_by_itself)
{
    struct error err = {0};
    CHECK_INT(kafka_client_check(KAFKA_CONSUMER, "kafka.bootstrap.servers", "b:9092", &err), E_OK);
    CHECK_INT(kafka_client_check(KAFKA_CONSUMER, "kafka.ssl.keystore.location", "/x/me.p12", &err), E_OK);
    CHECK_INT(kafka_client_check(KAFKA_CONSUMER, "kafka.max.poll.records", "500", &err), E_OK);
    CHECK_INT(kafka_client_check(KAFKA_CONSUMER, "kafka.acks", "1", &err), E_OK); // a producer's
    CHECK_INT(kafka_client_check(KAFKA_CONSUMER, "subscribe", "t", &err), E_OK);
    CHECK_INT(kafka_client_check(KAFKA_CONSUMER, "kafka.security.protocol", "SASL_PLAINTXT", &err), E_SPEC);
    CHECK_INT(kafka_client_check(KAFKA_CONSUMER, "kafka.auto.offset.reset", "latest", &err), E_SPEC);
    CHECK_INT(kafka_client_check(KAFKA_CONSUMER, "kafka.sasl.jass.config", "hunter2", &err), E_SPEC);
    CHECK_STR(err.text, "unknown option kafka.sasl.jass.config; did you mean kafka.sasl.jaas.config?");
}

TEST(a_complaint_keeps_what_says_most)
{
    char kept[64] = "";
    kafka_client_complaint(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down", kept, sizeof kept);
    CHECK_STR(kept, "1/1 brokers are down");
    kafka_client_complaint(RD_KAFKA_RESP_ERR__TRANSPORT, "b:9: Connection refused (after 0ms in state CONNECT)", kept,
                           sizeof kept);
    CHECK_STR(kept, "b:9: Connection refused");
    kafka_client_complaint(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down", kept, sizeof kept);
    CHECK_STR(kept, "b:9: Connection refused");
}

TEST(kafka_client_refuses)
{
    struct result result = APPLY("kafka.fetch.min.byte", "1");
    CHECK(result.code == E_SPEC);
    CHECK_STR(result.err.text, "unknown option kafka.fetch.min.byte; did you mean kafka.fetch.min.bytes?");
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

TEST(kafka_client_maps_a_producer)
{
    struct result result = PRODUCE("kafka.acks", "all", "kafka.linger.ms", "3", "kafka.buffer.memory", "33554432",
                                   "kafka.max.request.size", "2000000", "kafka.compression.type", "zstd",
                                   "kafka.delivery.timeout.ms", "9000", "kafka.Transaction.Timeout.Ms", "70000",
                                   "kafka.enable.idempotence", "TRUE", "kafka.max.block.ms", "1");
    check_conf(&result, "linger.ms", "3");
    check_conf(&result, "queue.buffering.max.kbytes", "32768");
    check_conf(&result, "message.max.bytes", "2000000");
    check_conf(&result, "compression.codec", "zstd");
    check_conf(&result, "transaction.timeout.ms", "70000");
    release(&result);
    result = PRODUCE("kafka.buffer.memory", "5", "kafka.compression.zstd.level", "7");
    check_conf(&result, "queue.buffering.max.kbytes", "1");
    release(&result);
}

TEST(kafka_client_refuses_what_loses_or_doubles)
{
    static const char *const pairs[][3] = {
        {"kafka.acks", "1", "needs all"},
        {"kafka.enable.idempotence", "false", "must be true"},
        {"kafka.transactional.id", "mine", "leat makes it"},
        {"kafka.partitioner.class", "com.example.Mine", "column `partition`"},
        {"kafka.value.serializer", "x", "to_json"},
        {"kafka.buffer.memory", "32m", "number of bytes"},
        {"kafka.linger.m", "1", "did you mean kafka.linger.ms"},
        {"kafka.compression.type", "rar", "kafka.compression.type"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct result result = PRODUCE(pairs[i][0], pairs[i][1]);
        CHECK(result.code == E_SPEC);
        CHECK(strstr(result.err.text, pairs[i][2]) != NULL);
        release(&result);
    }
}

TEST(kafka_client_passes_over_options_of_the_other_kind)
{
    struct result result = APPLY("kafka.linger.ms", "77", "kafka.acks", "0");
    CHECK(result.code == E_OK);
    release(&result);
    result = PRODUCE("kafka.fetch.max.wait.ms", "77", "kafka.auto.offset.reset", "latest");
    CHECK(result.code == E_OK);
    release(&result);
}
