/* Windows of time as values: what Spark 4.2 gives for the same times. */
#include "kit.h"
#include "trees.h"

static const char *value(const char *call)
{
    const struct expr *expr = tree(call);
    return expr != NULL ? tree_value(expr) : tree_error();
}
#define NTZ(text) "(cast TIMESTAMP_NTZ '" text "')"

static void check_value(const char *file, int line, const char *call, const char *want)
{
    trees_open();
    const char *got = value(call);
    if (strcmp(got, want) != 0)
        kit_fail(file, line, "%s is %s, not %s", call, got, want);
    trees_close();
}
#define CHECK_VALUE(call, want) check_value(__FILE__, __LINE__, (call), (want))

TEST(tumbling_windows)
{
    CHECK_VALUE("(window:tumbling " NTZ("2026-01-01 00:00:30") " 60000000L 0L)",
                "{2026-01-01 00:00:00, 2026-01-01 00:01:00}");
    CHECK_VALUE("(window:tumbling " NTZ("2026-01-01 00:01:00") " 60000000L 0L)",
                "{2026-01-01 00:01:00, 2026-01-01 00:02:00}");
    CHECK_VALUE("(window:tumbling " NTZ("1969-12-31 23:59:59") " 60000000L 10000000L)",
                "{1969-12-31 23:59:10, 1970-01-01 00:00:10}");
    CHECK_VALUE("(window:tumbling " NTZ("2026-01-01 00:00:30") " 0L 0L)", "!INVALID_PARAMETER_VALUE");
}

TEST(sliding_windows)
{
    CHECK_VALUE("(window:sliding " NTZ("2026-01-01 00:00:35") " 60000000L 30000000L 10000000L)",
                "[{2026-01-01 00:00:10, 2026-01-01 00:01:10}, {2025-12-31 23:59:40, 2026-01-01 00:00:40}]");
    CHECK_VALUE("(window:sliding " NTZ("1969-12-31 23:59:59") " 60000000L 30000000L 10000000L)",
                "[{1969-12-31 23:59:40, 1970-01-01 00:00:40}, {1969-12-31 23:59:10, 1970-01-01 00:00:10}]");
    // 12:05 lies in 3 windows of 12 minutes every 5, or in 2, by the offset
    CHECK_VALUE("(size (window:sliding " NTZ("2026-01-01 12:05:00") " 720000000L 300000000L 0L))", "3");
    CHECK_VALUE("(size (window:sliding " NTZ("2026-01-01 12:05:00") " 720000000L 300000000L 120000000L))", "2");
    CHECK_VALUE("(window:sliding " NTZ("2026-01-01 12:05:00") " 1001L 1L 0L)", "!INVALID_PARAMETER_VALUE");
}

TEST(sessions_of_one_row)
{
    CHECK_VALUE("(window:session " NTZ("2026-01-01 00:00:10") " (window:gap '5 seconds'))",
                "{2026-01-01 00:00:10, 2026-01-01 00:00:15}");
    CHECK_VALUE("(window:gap 'soon')", "NULL");
    CHECK_VALUE("(window:gap '1 month')", "!INVALID_PARAMETER_VALUE");
}

TEST(window_time)
{
    CHECK_VALUE("(window_time (window:tumbling " NTZ("2026-01-01 00:00:30") " 60000000L 0L))",
                "2026-01-01 00:00:59.999999");
    trees_open();
    CHECK(strstr(value("(window_time (named_struct 'a' 1))"), "takes a window") != NULL);
    trees_close();
}
