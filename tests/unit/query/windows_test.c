#include "kit.h"
#include "query_kit.h"

#define EVENTS                                                                                                                       \
    "CREATE TEMPORARY VIEW e AS SELECT * FROM VALUES (timestamp'2024-01-01 00:00:10', 'a'), (timestamp'2024-01-01 00:00:50', 'a'), " \
    "(timestamp'2024-01-01 00:02:50', 'a'), (timestamp'2024-01-01 00:00:20', 'b'), (NULL, 'b') AS e(t, k);"

TEST(windows_are_keys)
{
    CHECK_ANSWER(EVENTS "SELECT window.start, count(*) FROM e GROUP BY window(t, '1 minute') ORDER BY 1",
                 "2024-01-01 00:00:00, 3\n2024-01-01 00:02:00, 1");
    CHECK_ANSWER(
        EVENTS "SELECT k, window.end AS till, count(*) FROM e GROUP BY window(t, '2 minutes', '1 minute'), k "
               "HAVING k = 'a' ORDER BY till",
        "a, 2024-01-01 00:01:00, 2\na, 2024-01-01 00:02:00, 2\na, 2024-01-01 00:03:00, 1\na, 2024-01-01 00:04:00, 1");
}

TEST(sessions_are_merged)
{
    CHECK_ANSWER(
        EVENTS
        "SELECT session_window.start, session_window.end, k, count(*) FROM e GROUP BY k, session_window(t, '1 minute') "
        "ORDER BY k, 1",
        "2024-01-01 00:00:10, 2024-01-01 00:01:50, a, 2\n2024-01-01 00:02:50, 2024-01-01 00:03:50, a, 1\n"
        "2024-01-01 00:00:20, 2024-01-01 00:01:20, b, 1");
    CHECK_ANSWER(EVENTS "SELECT count(*) FROM e GROUP BY session_window(t, '40 seconds') ORDER BY 1", "1\n3");
}
