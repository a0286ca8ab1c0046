/* Schemas that grow, features of new tables, paths, actions as text, deletion vectors. */
#include <stdio.h>

#include "delta/delta_internal.h"
#include "kit.h"

#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type ",\"nullable\":true,\"metadata\":{}}"
#define STRUCT(fields) "{\"type\":\"struct\",\"fields\":[" fields "]}"

static struct arena arena;

static enum code widen(const char *have, const char *want, const char **out, bool *changed, struct error *err)
{
    const struct delta_protocol protocol = {.reader = 1, .writer = 2};
    const struct delta_metadata table = {.id = "x", .schema = have};
    const struct delta_wanted wanted = {.schema = want};
    struct delta_metadata grown = {0};
    enum code code = delta_widen(&protocol, &table, &wanted, &arena, &grown, changed, err);
    *out = grown.schema;
    return code;
}

TEST(columns_that_a_table_lacks_come_last)
{
    struct error err = {0};
    bool changed = true;
    const char *schema;
    const char *have = STRUCT(FIELD("id", "\"long\"") "," FIELD("s", STRUCT(FIELD("a", "\"string\""))));
    CHECK_INT(widen(have, have, &schema, &changed, &err), E_OK);
    CHECK(!changed);
    CHECK_INT(widen(have, STRUCT(FIELD("id", "\"long\"")), &schema, &changed, &err), E_OK); // one is NULL
    CHECK(!changed);
    CHECK_INT(widen(have, STRUCT(FIELD("n", "\"double\"") "," FIELD("s", STRUCT(FIELD("b", "\"date\"")))), &schema,
                    &changed, &err),
              E_OK);
    CHECK(changed);
    CHECK_STR(schema,
              STRUCT(FIELD("id", "\"long\"") "," FIELD(
                  "s", STRUCT(FIELD("a", "\"string\"") "," FIELD("b", "\"date\""))) "," FIELD("n", "\"double\"")));
    arena_free(&arena);
}

static enum code reshape(const struct delta_protocol *protocol, const struct delta_metadata *table, const char *want,
                         struct delta_reshaped *out, struct error *err)
{
    const char *parts[] = {"id"};
    const struct delta_wanted wanted = {.schema = want, .partition_columns = {parts, 1}};
    return delta_reshape(protocol, table, &wanted, &arena, out, err);
}

TEST(a_replaced_table_gets_what_does_not_fit)
{
    struct error err = {0};
    const char *parts[] = {"id"}, *clustering[] = {"clustering"};
    const struct delta_protocol old = {.reader = 1, .writer = 3}, clustered = {3, 7, {0}, {clustering, 1}};
    const char *have = STRUCT(FIELD("id", "\"long\"") "," FIELD("n", "\"long\""));
    struct delta_metadata table = {.id = "x", .name = "kept", .schema = have, .partition_columns = {parts, 1}};
    struct delta_reshaped shape;
    CHECK_INT(reshape(&old, &table, have, &shape, &err), E_OK);
    CHECK(!shape.changed && !shape.raised);
    const char *wider = STRUCT(FIELD("id", "\"long\"") "," FIELD("n", "\"long\"") "," FIELD("m", "\"date\""));
    CHECK_INT(reshape(&old, &table, wider, &shape, &err), E_OK);
    CHECK(shape.changed && !shape.raised);
    CHECK_STR(shape.metadata.schema, wider);
    const char *others[] = {STRUCT(FIELD("id", "\"long\"")),
                            STRUCT(FIELD("id", "\"string\"") "," FIELD("n", "\"long\"")),
                            STRUCT(FIELD("id", "\"long\"") "," FIELD("N", "\"long\""))};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        CHECK_INT(reshape(&old, &table, others[i], &shape, &err), E_OK);
        CHECK(shape.changed);
        CHECK_STR(shape.metadata.schema, others[i]);
        CHECK_STR(shape.metadata.name, "kept");
        CHECK_INT(reshape(&clustered, &table, others[i], &shape, &err), E_UNSUPPORTED);
    }
    table.partition_columns.count = 0;
    CHECK_INT(reshape(&old, &table, have, &shape, &err), E_OK);
    CHECK(shape.changed);
    CHECK_INT(shape.metadata.partition_columns.count, 1);
    arena_free(&arena);
}

/* What versions stand for stays asked for when they become lists. */
TEST(a_replaced_table_gets_the_features_of_new_types)
{
    static const char *const listed[] = {"appendOnly", "invariants", "checkConstraints", "timestampNtz"};
    struct error err = {0};
    struct delta_reshaped shape;
    const struct delta_protocol old = {.reader = 1, .writer = 3};
    const char *parts[] = {"id"};
    const struct delta_metadata table = {
        .id = "x", .schema = STRUCT(FIELD("id", "\"long\"")), .partition_columns = {parts, 1}};
    const char *want = STRUCT(FIELD("id", "\"long\"") "," FIELD("t", "\"timestamp_ntz\""));
    CHECK_INT(reshape(&old, &table, want, &shape, &err), E_OK);
    CHECK(shape.raised && shape.changed);
    CHECK_INT(shape.protocol.reader, 3);
    CHECK_INT(shape.protocol.writer, 7);
    CHECK_INT(shape.protocol.reader_features.count, 1);
    CHECK_INT(shape.protocol.writer_features.count, 4);
    for (int i = 0; i < 4; i++)
        CHECK(delta_names_have(&shape.protocol.writer_features, listed[i]));
    CHECK_INT(reshape(&shape.protocol, &shape.metadata, want, &shape, &err), E_OK);
    CHECK(!shape.raised && !shape.changed);
    arena_free(&arena);
}

TEST(other_changes_of_shape_are_refused)
{
    static const struct {
        const char *have, *want, *said;
    } cases[] = {
        {STRUCT(FIELD("id", "\"integer\"")), STRUCT(FIELD("id", "\"long\"")), "column id is \"integer\" in the table"},
        {STRUCT(FIELD("id", "\"long\"")), STRUCT(FIELD("id", "\"integer\"")), "column id is"},
        {STRUCT(FIELD("Id", "\"long\"")), STRUCT(FIELD("id", "\"long\"")), "spelled Id"},
        {STRUCT(FIELD("s", STRUCT(FIELD("a", "\"long\"")))), STRUCT(FIELD("s", STRUCT(FIELD("a", "\"string\"")))),
         "column s.a is"},
        {STRUCT(FIELD("s", "\"long\"")), STRUCT(FIELD("s", STRUCT(FIELD("a", "\"long\"")))), "column s is"},
        {STRUCT(FIELD("id", "\"long\"")), STRUCT(FIELD("t", "\"timestamp_ntz\"")), "timestampNtz"},
        {STRUCT(FIELD("id", "\"long\"")), STRUCT(FIELD("t", "\"interval day to second\"")), "no type interval"},
        {STRUCT("{\"name\":\"id\",\"type\":\"long\",\"nullable\":false,\"metadata\":{}}"),
         STRUCT(FIELD("other", "\"long\"")), "does not give it"},
        {STRUCT(FIELD("s", STRUCT("{\"name\":\"a\",\"type\":\"long\",\"nullable\":false,\"metadata\":{}}"))),
         STRUCT(FIELD("s", STRUCT(FIELD("a", "\"long\"")))), "NOT NULL"},
        {STRUCT(
             "{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{\"delta.generationExpression\":\"1\"}}"),
         STRUCT(FIELD("id", "\"long\"")), "delta.generationExpression"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        bool changed;
        const char *schema;
        enum code code = widen(cases[i].have, cases[i].want, &schema, &changed, &err);
        if (code == E_OK || strstr(err.text, cases[i].said) == NULL)
            kit_fail(__FILE__, __LINE__, "case %zu: %s is not said: %s", i, cases[i].said, err.text);
    }
    arena_free(&arena);
}

TEST(a_new_table_has_the_features_that_it_needs)
{
    struct delta_pair properties[] = {{"delta.enableChangeDataFeed", "true"}, {"delta.checkpointPolicy", "v2"}};
    struct delta_wanted wanted = {.schema = STRUCT(FIELD("id", "\"long\""))};
    struct delta_protocol protocol;
    struct delta_metadata metadata;
    struct error err = {0};
    CHECK_INT(delta_create(&wanted, &arena, &protocol, &metadata, &err), E_OK);
    CHECK_INT(protocol.reader, 1);
    CHECK_INT(protocol.writer, 2);
    wanted.schema = STRUCT(FIELD("at", "{\"type\":\"array\",\"elementType\":\"timestamp_ntz\",\"containsNull\":true}"));
    wanted.properties = (struct delta_map){properties, 2};
    CHECK_INT(delta_create(&wanted, &arena, &protocol, &metadata, &err), E_OK);
    CHECK_INT(protocol.reader, 3);
    CHECK_INT(protocol.writer, 7);
    CHECK(delta_names_have(&protocol.reader_features, "timestampNtz"));
    CHECK(delta_names_have(&protocol.reader_features, "v2Checkpoint"));
    CHECK(delta_names_have(&protocol.writer_features, "timestampNtz"));
    CHECK(delta_names_have(&protocol.writer_features, "changeDataFeed"));
    CHECK_INT(delta_writable(&protocol, &metadata, &err), E_OK);
    properties[0] = (struct delta_pair){"delta.columnMapping.mode", "name"};
    CHECK_INT(delta_wanted_check(&wanted, &err), E_UNSUPPORTED);
    arena_free(&arena);
}

TEST(paths_are_decoded_and_encoded)
{
    static const struct {
        const char *uri, *path;
    } good[] = {{"a.parquet", "a.parquet"},
                {"x=a%20b/f%25", "x=a b/f%"},
                {"file:///t/root/x/y", "x/y"},
                {"file:/other/y", "/other/y"},
                {"s3://b/t/z", NULL},
                {"%00", NULL},
                {"a%zz", "a%zz"}};
    char path[DELTA_PATH_SIZE];
    struct error err = {0};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        enum code code = delta_path(good[i].uri, "/t/root", path, &err);
        CHECK_INT(code == E_OK, good[i].path != NULL);
        if (code == E_OK)
            CHECK_STR(path, good[i].path);
    }
    CHECK_INT(delta_path("s3://b/t/z", "s3://b/t", path, &err), E_OK);
    CHECK_STR(path, "z");
    struct text uri = {0};
    delta_uri("x=a b/%41?#é:", &uri);
    CHECK_STR(uri.data, "x=a%20b/%2541%3F%23%C3%A9%3A");
    CHECK_INT(delta_path(uri.data, "/t", path, &err), E_OK);
    CHECK_STR(path, "x=a b/%41?#é:");
    text_free(&uri);
}

TEST(actions_are_printed_as_they_were_read)
{
    static const char *const lines[] = {
        "{\"add\":{\"path\":\"a\",\"modificationTime\":3,\"dataChange\":true,\"partitionValues\":{\"p\":null,\"q\":\"x\\\"\"},\"size\":5,"
        "\"stats\":\"{\\\"numRecords\\\":1}\",\"tags\":{\"t\":\"1\"},\"deletionVector\":{\"storageType\":\"u\",\"pathOrInlineDv\":\"ab\","
        "\"offset\":4,\"sizeInBytes\":40,\"cardinality\":6},\"baseRowId\":7,\"defaultRowCommitVersion\":8,\"clusteringProvider\":\"l\"}}",
        "{\"remove\":{\"path\":\"a\",\"deletionTimestamp\":3,\"dataChange\":false,\"extendedFileMetadata\":true,\"partitionValues\":{},"
        "\"size\":5}}",
        "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"a\"],\"writerFeatures\":[\"a\",\"b\"]}}",
        "{\"txn\":{\"appId\":\"q\",\"version\":4,\"lastUpdated\":5}}",
        "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"{}\",\"removed\":false}}",
        "{\"metaData\":{\"id\":\"i\",\"name\":\"n\",\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":\"s\","
        "\"partitionColumns\":[\"p\"],\"configuration\":{\"k\":\"v\"},\"createdTime\":9}}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct delta_action action;
        struct error err = {0};
        struct text text = {0};
        CHECK_INT(delta_action_parse(bytes_of_string(lines[i]), &arena, &action, &err), E_OK);
        delta_action_print(&action, &text);
        CHECK_STR(text.data, lines[i]);
        text_free(&text);
    }
    arena_free(&arena);
}

/* The protocol's own example. */
TEST(an_inline_deletion_vector_is_read)
{
    static const int64_t want[] = {3, 4, 7, 11, 18, 29};
    struct delta_vector vector = {.storage = 'i',
                                  .text = "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L",
                                  .offset = -1,
                                  .size_bytes = 40,
                                  .cardinality = 6};
    struct budget budget = {.limit_bytes = 1 << 20};
    struct error err = {0};
    int64_t *rows = NULL, count = 0;
    CHECK_INT(delta_vector_read(&vector, NULL, &budget, &rows, &count, &err), E_OK);
    CHECK_INT(count, 6);
    for (int i = 0; i < 6 && count == 6; i++)
        CHECK_INT(rows[i], want[i]);
    mem_free(rows);
    vector.cardinality = 7;
    CHECK_INT(delta_vector_read(&vector, NULL, &budget, &rows, &count, &err), E_CORRUPT);
    vector.text = "wi5b=000010000siXQKl0rr91000f";
    CHECK_INT(delta_vector_read(&vector, NULL, &budget, &rows, &count, &err), E_CORRUPT);
    CHECK_INT(budget.used_bytes, 0);
}
