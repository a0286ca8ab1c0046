#include "base/options.h"

#include "kit.h"

/* ---- durations and sizes ---- */

static void check_duration(const char *text, int64_t want_us)
{
    struct error err = {0};
    int64_t us = -1;
    if (parse_duration(text, &us, &err) != E_OK || us != want_us)
        kit_fail(__FILE__, __LINE__, "\"%s\" is %" PRId64 " us (%s), expected %" PRId64, text, us, err.text, want_us);
}

static void check_size(const char *text, int64_t want_bytes)
{
    struct error err = {0};
    int64_t size = -1;
    if (parse_size(text, &size, &err) != E_OK || size != want_bytes)
        kit_fail(__FILE__, __LINE__, "\"%s\" is %" PRId64 " (%s), expected %" PRId64, text, size, err.text, want_bytes);
}

TEST(durations_as_spark_writes_them)
{
    check_duration("30 seconds", 30000000);
    check_duration("5 minutes", 300000000);
    check_duration("100 ms", 100000);
    check_duration("100ms", 100000);
    check_duration("1 hour", INT64_C(3600000000));
    check_duration("1 HOUR", INT64_C(3600000000));
    check_duration("0 seconds", 0);
    check_duration("0", 0);
    check_duration("interval 2 days", INT64_C(172800000000));
    check_duration("1 minute 30 seconds", 90000000);
    check_duration("1.5 seconds", 1500000);
    check_duration("  2 weeks  ", INT64_C(1209600000000));
    check_duration("7 microseconds", 7);
}

TEST(durations_that_are_none)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "30",
                                      "seconds",
                                      "-1 second",
                                      "1 month",
                                      "1 year",
                                      "1 fortnight",
                                      "1.0000001 s",
                                      "0.5 us",
                                      "99999999999999 weeks",
                                      "1 second extra",
                                      "1..5 s",
                                      "99999999999999999999 s",
                                      "interval",
                                      "1 second;"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};
        int64_t us = 77;
        if (parse_duration(bad[i], &us, &err) != E_SPEC || us != 77)
            kit_fail(__FILE__, __LINE__, "\"%s\" was accepted", bad[i]);
    }
}

TEST(sizes_as_spark_writes_them)
{
    check_size("0", 0);
    check_size("1024", 1024);
    check_size("64k", 65536);
    check_size("128MB", INT64_C(128) << 20);
    check_size("1g", INT64_C(1) << 30);
    check_size("1 GiB", INT64_C(1) << 30);
    check_size("1.5m", 3 << 19);
    check_size("2t", INT64_C(2) << 40);
    check_size("12b", 12);
}

TEST(sizes_that_are_none)
{
    static const char *const bad[] = {"", "k", "-1", "1x", "1.3", "9999999999999t", "1 g b", "1e3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};
        int64_t size = 77;
        if (parse_size(bad[i], &size, &err) != E_SPEC || size != 77)
            kit_fail(__FILE__, __LINE__, "\"%s\" was accepted", bad[i]);
    }
}

/* ---- the table ---- */

struct settings {
    const char *topic, *password;
    bool header;
    int64_t rows, size, wait_us;
    int codec;
};
static const struct option table[] = {
    {"topic", OPTION_STRING, "events", NULL, 0, 0, "what to read", offsetof(struct settings, topic), false},
    {"password", OPTION_STRING, "hunter2", NULL, 0, 0, "for the broker", offsetof(struct settings, password), true},
    {"header", OPTION_BOOLEAN, "true", NULL, 0, 0, "a first line", offsetof(struct settings, header), false},
    {"maxRows", OPTION_INT, "100", NULL, 1, 1000, "rows in a batch", offsetof(struct settings, rows), false},
    {"size", OPTION_BYTES, NULL, NULL, 0, 0, "bytes of a file", offsetof(struct settings, size), false},
    {"wait", OPTION_DURATION, "2 seconds", NULL, 0, 0, "longest wait", offsetof(struct settings, wait_us), false},
    {"codec", OPTION_ENUM, "snappy", "none|snappy|zstd", 0, 0, "compression", offsetof(struct settings, codec), false},
    {0},
};

TEST(options_have_defaults)
{
    struct arena arena = {0};
    struct settings s;
    memset(&s, 0x55, sizeof s);
    options_defaults(table, &s, &arena);
    CHECK_STR(s.topic, "events");
    CHECK(s.header);
    CHECK_INT(s.rows, 100);
    CHECK_INT(s.size, 0);
    CHECK_INT(s.wait_us, 2000000);
    CHECK_INT(s.codec, 1);
    arena_free(&arena);
}

TEST(options_are_set_by_name_in_any_case)
{
    struct arena arena = {0};
    struct error err = {0};
    struct settings s = {0};
    CHECK_INT(option_set(table, &s, "MAXROWS", " 7 ", &arena, &err), E_OK);
    CHECK_INT(option_set(table, &s, "Header", "FALSE", &arena, &err), E_OK);
    CHECK_INT(option_set(table, &s, "codec", "ZSTD", &arena, &err), E_OK);
    CHECK_INT(option_set(table, &s, "size", "4k", &arena, &err), E_OK);
    CHECK_INT(s.rows, 7);
    CHECK(!s.header);
    CHECK_INT(s.codec, 2);
    CHECK_INT(s.size, 4096);
    arena_free(&arena);
}

static void check_refused(const char *name, const char *value, const char *text)
{
    struct arena arena = {0};
    struct error err = {0};
    struct settings s = {.rows = 5};
    CHECK_INT(option_set(table, &s, name, value, &arena, &err), E_SPEC);
    CHECK(strstr(err.text, text) != NULL);
    CHECK(strstr(err.text, "hunter2") == NULL);
    if (strstr(err.text, text) == NULL)
        kit_fail(__FILE__, __LINE__, "%s", err.text);
    CHECK_INT(s.rows, 5);
    arena_free(&arena);
}

TEST(a_wrong_option_says_what_is_right)
{
    check_refused("maxRow", "7", "did you mean maxRows");
    check_refused("tpoic", "x", "did you mean topic");
    check_refused("maxRows", "0", "from 1 to 1000");
    check_refused("maxRows", "1001", "from 1 to 1000");
    check_refused("maxRows", "7.0", "whole number");
    check_refused("maxRows", "", "whole number");
    check_refused("header", "yes", "true or false");
    check_refused("codec", "lzo", "none|snappy|zstd");
    check_refused("codec", "", "none|snappy|zstd");
    check_refused("wait", "2", "unit");
}

TEST(options_print_a_line_each_and_no_secret)
{
    struct text out = {0};
    options_print(table, &out);
    CHECK(strstr(out.data, "  --maxRows") != NULL);
    CHECK(strstr(out.data, "none|snappy|zstd") != NULL);
    CHECK(strstr(out.data, "hunter2") == NULL);
    text_free(&out);
}

TEST(several_tables_are_one_set_of_names)
{
    static const struct option more[] = {{.name = "ignoreCase"}, {0}};
    const struct option *const tables[] = {table, more, NULL};
    CHECK(options_have(tables, "MAXROWS"));
    CHECK(options_have(tables, "ignorecase"));
    CHECK(!options_have(tables, "ignoreCases"));
    CHECK_STR(options_nearest(tables, "ignoreCases"), "ignoreCase");
    CHECK_STR(options_nearest(tables, "maxRwos"), "maxRows");
    CHECK(options_nearest(tables, "nothing like it") == NULL);
}

TEST(sizes_are_printed_as_they_are_read)
{
    char text[SIZE_TEXT_MAX];
    CHECK_STR(print_size(0, text), "0 bytes");
    CHECK_STR(print_size(1023, text), "1023 bytes");
    CHECK_STR(print_size(1024, text), "1k");
    CHECK_STR(print_size(33554432, text), "32m");
    CHECK_STR(print_size(33554432 + 524288, text), "32.5m");
    CHECK_STR(print_size((size_t)5 << 40, text), "5120g");
}
