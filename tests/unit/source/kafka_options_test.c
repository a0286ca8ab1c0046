/* Spark's options of a Kafka stream, offsets in JSON, the split of a limit. */
#include "mock_broker.h"

#include "kit.h"

/* ---- Spark's options ---- */

static enum code open_with(const char *const *names, const char *const *values, int32_t count, struct error *err)
{
    void *source = mem_zero(kafka_source_type.size);
    const struct source_spec spec = {
        .name = "s", .option_names = names, .option_values = values, .option_count = count, .buffer_bytes = 1 << 20};
    enum code code = kafka_source_type.open(source, &spec, err);
    kafka_source_type.close(source);
    mem_free(source);
    return code;
}
#define OPEN(names, values, err) open_with(names, values, (int32_t)(sizeof(names) / sizeof(names)[0]), err)

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

    const char *word[] = {"kafka.bootstrap.servers", "subscribe", "startingOffsets"},
               *word_values[] = {"h:1", "t", "erliest"};
    CHECK(OPEN(word, word_values, &err) == E_SPEC);
    CHECK(strstr(err.text, "did you mean earliest") != NULL);

    const char *missing[] = {"subscribe"}, *missing_values[] = {"t"};
    CHECK(OPEN(missing, missing_values, &err) == E_SPEC);
    CHECK(strstr(err.text, "kafka.bootstrap.servers is missing") != NULL);

    const char *good[] = {
        "format", "Kafka.Bootstrap.Servers", "SUBSCRIBE", "maxOffsetsPerTrigger", "failondataloss", "minPartitions"};
    const char *good_values[] = {"kafka", "127.0.0.1:1", "t", "", "false", "8"};
    CHECK(OPEN(good, good_values, &err) == E_OK);
}

TEST(kafka_offsets_json)
{
    struct source_ranges ranges = {0};
    struct error err = {0};
    CHECK(kafka_offsets_parse("startingOffsets", "{\"t\":{\"0\":23,\"1\":-1,\"2\":-2},\"u\":{\"7\":9007199254740993}}",
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
