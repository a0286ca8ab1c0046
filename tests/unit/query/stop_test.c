/* Whatever a query does for long, it hears soon that it is to stop. */
#include "kit.h"
#include "query_kit.h"

TEST(a_sort_stops)
{
    CHECK_STOPS("SELECT id FROM range(8000000) ORDER BY id * 7919 % 1000003 LIMIT 7999999");
    CHECK_STOPS("SELECT s FROM (SELECT concat('customer of the shop number ', id * 7919 % 1000003) AS s FROM "
                "range(3000000)) ORDER BY s");
}

TEST(a_join_stops)
{
    CHECK_STOPS("SELECT count(*) FROM range(100000) a JOIN range(100000) b ON a.id < b.id"); // 5 * 10^9 pairs
    CHECK_STOPS("SELECT count(*) FROM range(30000000) a JOIN range(6000000) b ON a.id * 31 = b.id * 7");
    CHECK_STOPS("SELECT count(*) FROM range(100000) a LEFT ANTI JOIN range(100000) b ON a.id > b.id + 99999");
}

TEST(a_window_stops)
{
    CHECK_STOPS("SELECT sum(r) FROM (SELECT rank() OVER (PARTITION BY id % 7 ORDER BY id * 7919 % 1000003) AS r FROM "
                "range(4000000))");
    CHECK_STOPS("SELECT sum(r) FROM (SELECT max(id) OVER (ORDER BY id ROWS BETWEEN 50000 PRECEDING AND 50000 "
                "FOLLOWING) AS r FROM range(400000))");
    CHECK_STOPS("SELECT max(size(r)) FROM (SELECT collect_list(id) OVER (ORDER BY id ROWS 1000 PRECEDING) AS r FROM "
                "range(400000))");
}

TEST(groups_stop)
{
    CHECK_STOPS("SELECT count(*) FROM (SELECT id % 5000000 AS k, percentile(id, 0.5) AS p FROM range(20000000) GROUP "
                "BY 1)");
    CHECK_STOPS("SELECT percentile(id * 7919 % 10000019, 0.5) FROM range(30000000)");
    CHECK_STOPS("SELECT count(*) FROM (SELECT DISTINCT id FROM range(30000000))");
}

TEST(a_subquery_stops)
{
    CHECK_STOPS("SELECT count(*) FROM range(200000) a WHERE a.id + 1 IN (SELECT b.id * 2 FROM range(300000) b WHERE "
                "b.id > a.id % 2) OR a.id < 0");
    CHECK_STOPS("SELECT sum((SELECT max(b.id) FROM range(1000) b WHERE b.id < a.id)) FROM range(300000) a");
}

TEST(functions_of_long_values_stop)
{
    CHECK_STOPS("SELECT array_sort(sequence(1, id + 300000), (x, y) -> CAST(y % 1009 - x % 1009 AS INT))[0] FROM "
                "range(3)");
    CHECK_STOPS("SELECT sort_array(transform(sequence(1, id + 1000000), x -> x * 7919 % 1000003))[0] FROM range(99)");
    CHECK_STOPS("SELECT array_sort(transform(sequence(1, id + 1000000), x -> concat('a', x * 7919 % 1000003)))[0] FROM "
                "range(99)");
    CHECK_STOPS("SELECT sum(aggregate(sequence(1, id + 500000), 0L, (a, x) -> a + x)) FROM range(9)");
    CHECK_STOPS("SELECT sum(levenshtein(repeat(cast(id AS string), 8000), repeat('leat', 4000))) FROM range(99)");
    CHECK_STOPS("SELECT count_if(repeat(concat('a', id), 12000) RLIKE '(a|b|ab)*c$') FROM range(9999)");
}
