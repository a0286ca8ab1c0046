#include "kit.h"

#include "base/memory.h"
#include "sink/sink.h"

TEST(names_of_files_say_query_epoch_and_number)
{
    struct sink_part_name name;
    CHECK(sink_part_parse("part-0a1b2c3d-0-0000000012-00003.snappy.parquet", &name));
    CHECK_STR(name.query8, "0a1b2c3d");
    CHECK_INT(name.epoch, 12);
    CHECK_INT(name.number, 3);
    CHECK(!name.staged);
    CHECK(sink_part_parse("day=2026-01-01/hour=part-/part-0a1b2c3d-0-0000000007-00000.csv", &name));
    CHECK_INT(name.epoch, 7);
    CHECK(sink_part_parse("_staging/0a1b2c3d-41-2-00c0ffee.staged", &name));
    CHECK_INT(name.epoch, 41);
    CHECK_INT(name.number, 2);
    CHECK(name.staged);
}

TEST(other_names_are_others)
{
    static const char *const others[] = {
        "",
        "part-",
        "part-00000-5f0c8e1e-c000.snappy.parquet",
        "part-0a1b2c3d-0-0000000012-00003",
        "part-0a1b2c3d-0-0000000012.parquet",
        "part-0a1b2c3d-0--00003.parquet",
        "part-0A1B2C3D-0-0000000012-00003.parquet",
        "part-0a1b2c3d-0-0000000012-99999999999.parquet",
        "copy-of-part-0a1b2c3d-0-0000000012-00003.parquet",
        "_staging/part-0a1b2c3d-0-0000000012-00003.parquet",
        "_staging/0a1b2c3d-41-2-00c0ffee",
        "_staging/0a1b2c3d-41-2-00c0ffee.staged.csv",
        "_staging/0a1b2c3d.lock",
    };
    struct sink_part_name name;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        CHECK(!sink_part_parse(others[i], &name));
}

TEST(only_tokens_of_files_are_known)
{
    static const char token[] =
        "{\"files\":[{\"staged\":\"_staging/x\",\"final\":\"p=1/y\",\"size\":5,\"rows\":2,\"checksum\":\"00000000000000ff\"}],"
        "\"replace\":true}";
    struct arena arena = {0};
    struct error err = {0};
    struct sink_files files;
    CHECK_INT(sink_token_files(bytes_of_string(token), &arena, &files, &err), E_OK);
    CHECK(files.known && files.replace);
    CHECK_INT(files.count, 1);
    CHECK_STR(files.items[0].final, "p=1/y");
    CHECK_INT(files.items[0].rows, 2);
    CHECK_INT((int64_t)files.items[0].checksum, 255);
    CHECK_INT(sink_token_files(bytes_of_string("{\"records\":5}"), &arena, &files, &err), E_OK);
    CHECK(!files.known && files.count == 0);
    CHECK_INT(files.records, 5);
    CHECK_INT(sink_token_files(bytes_of_string("{\"files\":[5]}"), &arena, &files, &err), E_CORRUPT);
    arena_free(&arena);
}

TEST(folders_name_the_columns)
{
    static const char *const cases[][2] = {
        {"part-0a1b2c3d-0-0000000012-00003.csv", ""},
        {"day=mon/part-0a1b2c3d-0-0000000012-00003.csv", "day"},
        {"day=a%3Db/_b=__HIVE_DEFAULT_PARTITION__/part-0a1b2c3d-0-0000000012-00003.csv", "day, _b"},
        {"a%2Fb=1/part-0a1b2c3d-0-0000000012-00003.csv", "a/b"},
        {"folder/part-0a1b2c3d-0-0000000012-00003.csv", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text columns = {0};
        sink_part_columns(cases[i][0], &columns);
        CHECK_STR(columns.size > 0 ? columns.data : "", cases[i][1]);
        text_free(&columns);
    }
}
