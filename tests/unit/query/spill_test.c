/* Rows that go to disk come back as they were: answers do not depend on the memory. */
#include <stdio.h>

#include "kit.h"
#include "query_kit.h"

enum { TINY_BYTES = 256 * 1024, FEW_BYTES = 2 * 1024 * 1024 };

TEST(a_sort_goes_to_disk)
{
    CHECK_SPILLS(TINY_BYTES, "SELECT * FROM (SELECT id * 7919 % 20000 AS k, repeat(cast(id AS string), id % 9) AS s, "
                             "IF(id % 3 = 0, NULL, id) AS n FROM range(20000)) ORDER BY n DESC, s, k");
    CHECK_SPILLS(TINY_BYTES, "SELECT id % 10 AS k, id FROM range(30000) ORDER BY k"); // equal keys keep their order
    CHECK_SPILLS(TINY_BYTES, "SELECT id, array(id, NULL), struct(id AS a, 'x' AS b), map(id, id % 2 = 0) FROM "
                             "range(9000) ORDER BY id % 100, id LIMIT 6000 OFFSET 1000");
}

TEST(groups_go_to_disk)
{
    CHECK_SPILLS(TINY_BYTES,
                 "SELECT count(*), sum(n), sum(s), min(a), max(z), sum(k) FROM (SELECT id % 15000 AS k, "
                 "count(*) AS n, sum(id) AS s, min(id) AS a, max(cast(id AS string)) AS z FROM range(60000) "
                 "GROUP BY 1)");
    CHECK_SPILLS(TINY_BYTES,
                 "SELECT k, n, s, f, l FROM (SELECT id * 31 % 9000 AS k, count(*) FILTER (WHERE id % 2 = 0) "
                 "AS n, avg(id) AS s, first(id) AS f, last(id) AS l FROM range(40000) GROUP BY 1) ORDER BY k");
    // groups that grow out of memory
    CHECK_SPILLS(FEW_BYTES, "SELECT k, sha2(concat_ws(',', l), 256), n FROM (SELECT id % 300 AS k, "
                            "collect_list(cast(id AS string)) AS l, count(DISTINCT id % 77) AS n FROM range(200000) "
                            "GROUP BY 1) ORDER BY k");
    CHECK_SPILLS(TINY_BYTES, "SELECT * FROM (SELECT id % 9000 AS k, id % 2 = 0 AS b, count(*) AS n FROM range(20000) "
                             "GROUP BY ROLLUP (k, b)) ORDER BY ALL");
}

TEST(distinct_rows_and_sets_go_to_disk)
{
    CHECK_SPILLS(TINY_BYTES, "SELECT count(*), sum(k), sum(m) FROM (SELECT DISTINCT id % 20000 AS k, id % 7 AS m FROM "
                             "range(50000))");
    CHECK_SPILLS(TINY_BYTES, "SELECT * FROM (SELECT id FROM range(20000) INTERSECT SELECT id * 3 FROM range(20000)) "
                             "ORDER BY id");
    CHECK_SPILLS(TINY_BYTES, "SELECT count(*), sum(k) FROM (SELECT id % 9000 AS k FROM range(30000) EXCEPT ALL SELECT "
                             "id % 11000 FROM range(20000))");
    CHECK_SPILLS(TINY_BYTES, "SELECT count(*), sum(k) FROM (SELECT id % 9000 AS k FROM range(30000) INTERSECT ALL "
                             "SELECT id % 11000 FROM range(20000))");
    CHECK_SPILLS(TINY_BYTES, "SELECT count(*), sum(k) FROM (SELECT id % 9000 AS k FROM range(30000) EXCEPT SELECT "
                             "id % 8000 FROM range(20000))");
}

TEST(joins_go_to_disk)
{
    static const char *const kinds[] = {"INNER", "LEFT", "RIGHT", "FULL"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char script[512];
        snprintf(
            script, sizeof script,
            "SELECT count(*), sum(a.k), sum(b.k), sum(a.v * b.v), count(a.k), count(b.k) FROM (SELECT id %% 5000 AS "
            "k, id AS v FROM range(12000)) a %s JOIN (SELECT IF(id %% 50 = 0, NULL, id) AS k, id AS v FROM "
            "range(2000, 15000)) b ON a.k = b.k AND b.v %% 3 < 2",
            kinds[i]);
        CHECK_SPILLS(TINY_BYTES, script);
    }
    CHECK_SPILLS(TINY_BYTES, "SELECT count(*), sum(id) FROM range(20000) a LEFT SEMI JOIN (SELECT id * 2 AS id FROM "
                             "range(20000)) b USING (id)");
    CHECK_SPILLS(TINY_BYTES, "SELECT count(*), sum(id) FROM range(20000) a LEFT ANTI JOIN (SELECT id * 2 AS id FROM "
                             "range(20000)) b USING (id)");
    CHECK_SPILLS(TINY_BYTES,
                 "SELECT count(*), sum(a.id) FROM range(20000) a JOIN range(20000) b ON a.id % 500 = b.id % "
                 "700 JOIN range(9) c ON c.id = b.id % 9");
}

TEST(stages_that_spill_stand_on_one_another)
{
    CHECK_SPILLS(FEW_BYTES,
                 "SELECT k, n, m FROM (SELECT a.id % 7000 AS k, count(*) AS n, max(b.id) AS m FROM range(50000) a "
                 "JOIN range(60000) b ON a.id = b.id GROUP BY 1) ORDER BY n, k DESC");
}

TEST(windows_go_to_disk_by_what_they_are_parted_by)
{
    CHECK_SPILLS(TINY_BYTES,
                 "SELECT * FROM (SELECT id, row_number() OVER (PARTITION BY id % 500 ORDER BY id DESC) AS r, "
                 "sum(id) OVER (PARTITION BY id % 500 ORDER BY id ROWS 2 PRECEDING) AS s, lag(id) OVER "
                 "(PARTITION BY id % 500 ORDER BY id) AS l FROM range(20000)) ORDER BY id");
    // what all have in common is enough, NULL is a key, and a text beside the numbers comes along
    CHECK_SPILLS(TINY_BYTES,
                 "SELECT * FROM (SELECT id, repeat('x', k % 7) AS t, count(*) OVER (PARTITION BY k) AS n, rank() OVER "
                 "(PARTITION BY k, id % 3 ORDER BY id % 5) AS r, max(id) OVER (PARTITION BY id % 2, k) AS m FROM "
                 "(SELECT id, IF(id % 100 = 0, NULL, id % 300) AS k FROM range(15000))) ORDER BY id");
    // what has nothing in common goes one after the other, and the columns stay where they were
    CHECK_SPILLS(TINY_BYTES,
                 "SELECT * FROM (SELECT count(*) OVER (PARTITION BY k) AS n, id, sum(id) OVER (PARTITION BY m ORDER BY "
                 "id) AS s, lag(t) OVER (PARTITION BY k, t ORDER BY id) AS l, first(k) OVER (PARTITION BY t, m ORDER "
                 "BY id) AS f FROM (SELECT id, id % 300 AS k, id % 77 AS m, concat('t', id % 50) AS t FROM "
                 "range(15000))) ORDER BY id");
    CHECK_ANSWER_WITHIN(TINY_BYTES,
                        "SELECT sum(r) FROM (SELECT row_number() OVER (ORDER BY id) AS r FROM range(20000))",
                        "[UNABLE_TO_ACQUIRE_MEMORY]");
    CHECK_ANSWER_WITHIN(TINY_BYTES,
                        "SELECT sum(r) FROM (SELECT row_number() OVER (PARTITION BY id < 0 ORDER BY id) AS r FROM "
                        "range(20000))",
                        "[UNABLE_TO_ACQUIRE_MEMORY]");
}

TEST(what_is_read_twice_goes_to_disk)
{
    CHECK_SPILLS(TINY_BYTES, "WITH t AS (SELECT id, id * 7919 % 30000 AS k FROM range(30000) WHERE id % 10 < 9) SELECT "
                             "count(*), sum(k), sum(id) FROM (SELECT * FROM t UNION ALL SELECT * FROM t)");
}

TEST(levels_of_a_recursion_go_to_disk)
{
    CHECK_SPILLS(TINY_BYTES, "WITH RECURSIVE r(n, k) AS (SELECT id, 0 FROM range(20000) UNION ALL SELECT n + 1, k + 1 "
                             "FROM r WHERE k < 3) SELECT k, count(*), sum(n), min(n), max(n) FROM r GROUP BY k ORDER "
                             "BY k");
}
