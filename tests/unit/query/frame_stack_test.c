/* Frames that slide give what frames computed anew give. */
#include <stdio.h>

#include "kit.h"
#include "query_kit.h"

#define SLIDING "ROWS BETWEEN %d PRECEDING AND %d FOLLOWING"

/* The sum over a join of each row with the rows of its frame. */
static void check_frame(int before, int after)
{
    char script[1024];
    snprintf(
        script, sizeof script,
        "CREATE TEMPORARY VIEW t AS SELECT id, id %% 7 AS g, IF(id %% 5 = 0, NULL, id * 37 %% 101) AS v FROM "
        "range(700); CREATE TEMPORARY VIEW n AS SELECT *, row_number() OVER (PARTITION BY g ORDER BY id) AS r FROM t; "
        "SELECT count(*) FROM (SELECT id, sum(v) OVER w AS s, count(v) OVER w AS c, min(v) OVER w AS a, max(v) FILTER "
        "(WHERE v %% 2 = 0) OVER w AS z FROM t WINDOW w AS (PARTITION BY g ORDER BY id " SLIDING
        ")) l JOIN (SELECT x.id, "
        "sum(y.v) AS s, count(y.v) AS c, min(y.v) AS a, max(y.v) FILTER (WHERE y.v %% 2 = 0) AS z FROM n x LEFT JOIN n y "
        "ON x.g = y.g AND y.r BETWEEN x.r - %d AND x.r + %d GROUP BY x.id) r USING (id) WHERE "
        "l.s <=> r.s AND l.c = r.c AND l.a <=> r.a AND l.z <=> r.z",
        before, after, before, after);
    CHECK_ANSWER(script, "700");
}

TEST(sliding_frames_count_as_joined_rows_do)
{
    check_frame(0, 0);
    check_frame(1, 0);
    check_frame(3, 2);
    check_frame(50, 0);
    check_frame(0, 60);
    check_frame(200, 200);
}

TEST(sliding_frames_over_many_rows_take_no_time)
{
    CHECK_ANSWER(
        "SELECT sum(s), max(m), sum(n) FROM (SELECT sum(id) OVER w AS s, max(id) OVER w AS m, count(*) OVER w AS n "
        "FROM range(60000) WINDOW w AS (ORDER BY id ROWS BETWEEN 20000 PRECEDING AND 20000 FOLLOWING))",
        "60000199980000, 59999, 2000040000");
}
