#include "kit.h"
#include "query_kit.h"

TEST(counts_up_level_by_level)
{
    CHECK_ANSWER("WITH RECURSIVE r(n) AS (VALUES 1 UNION ALL SELECT n + 1 FROM r WHERE n < 4) SELECT * FROM r",
                 "1\n2\n3\n4");
}

TEST(walks_a_tree_with_its_paths)
{
    CHECK_ANSWER("CREATE TEMPORARY VIEW edge AS SELECT * FROM VALUES ('a', 'b'), ('a', 'c'), ('b', 'd') AS e(up, down);"
                 "WITH RECURSIVE t AS (SELECT 'a' AS node, 'a' AS path UNION ALL "
                 "SELECT down, concat(path, '>', down) FROM edge JOIN t ON up = node) SELECT path FROM t ORDER BY path",
                 "a\na>b\na>b>d\na>c");
}

TEST(reads_itself_twice)
{
    CHECK_ANSWER("WITH RECURSIVE r(n) AS (VALUES 0 UNION ALL SELECT a.n + 1 FROM r AS a JOIN r AS b ON a.n = b.n "
                 "WHERE a.n < 3) SELECT count(*), max(n) FROM r",
                 "4, 3");
}

TEST(a_limit_ends_what_has_no_end)
{
    CHECK_ANSWER("WITH RECURSIVE r(n) AS (VALUES 0 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r LIMIT 3", "0\n1\n2");
    CHECK_ANSWER(
        "WITH RECURSIVE r(n) AS (VALUES 0 UNION ALL SELECT n + 1 FROM r) "
        "SELECT (SELECT sum(n) FROM (SELECT * FROM r LIMIT 5)), (SELECT sum(n) FROM (SELECT * FROM r LIMIT 3))",
        "10, 3");
}

TEST(levels_and_rows_have_limits)
{
    CHECK_ANSWER("WITH RECURSIVE r(n) AS (VALUES 0 UNION ALL SELECT n + 1 FROM r) SELECT * FROM r",
                 "[RECURSION_LEVEL_LIMIT_EXCEEDED]");
    CHECK_ANSWER(
        "WITH RECURSIVE r(n) MAX RECURSION LEVEL 200 AS (VALUES 0 UNION ALL SELECT n + 1 FROM r WHERE n < 150) "
        "SELECT count(*) FROM r",
        "151");
    CHECK_ANSWER(
        "SET spark.sql.cteRecursionRowLimit=50;"
        "WITH RECURSIVE r(n) AS (VALUES 0 UNION ALL SELECT n + 1 FROM r CROSS JOIN VALUES 1, 2) SELECT * FROM r",
        "[RECURSION_ROW_LIMIT_EXCEEDED]");
}

TEST(within_a_recursion_another)
{
    CHECK_ANSWER(
        "WITH RECURSIVE o AS (WITH RECURSIVE i AS (SELECT 0 AS a UNION ALL SELECT a + 1 FROM i WHERE a < 1) "
        "SELECT 0 AS l, a FROM i UNION ALL SELECT l + 1, a FROM o WHERE l < 1) SELECT l, a FROM o ORDER BY 1, 2",
        "0, 0\n0, 1\n1, 0\n1, 1");
}

TEST(the_anchors_types_rule)
{
    CHECK_ANSWER(
        "WITH RECURSIVE r(n, m) AS (SELECT 1, 1L UNION ALL SELECT n + 1, n FROM r WHERE n < 2) SELECT m FROM r",
        "1\n1");
    CHECK_ANSWER("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1L FROM r WHERE n < 2) SELECT * FROM r",
                 "[CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE]");
}

TEST(some_places_see_no_rows_of_the_level_before)
{
    CHECK_ANSWER("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT max(n) + 1 FROM r) SELECT * FROM r",
                 "[INVALID_RECURSIVE_REFERENCE.PLACE]");
    CHECK_ANSWER(
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT t.n FROM (SELECT 1 AS n) t LEFT JOIN r ON r.n = t.n) "
        "SELECT * FROM r",
        "[INVALID_RECURSIVE_REFERENCE.PLACE]");
    CHECK_ANSWER("WITH RECURSIVE r(n) AS (SELECT n FROM r UNION ALL SELECT 1) SELECT * FROM r",
                 "[INVALID_RECURSIVE_CTE]");
    CHECK_ANSWER("WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT n FROM r) SELECT * FROM r",
                 "[UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE]");
}
