/* Joins over literal rows: ON, USING, WHERE and subqueries taken apart, and then optimised, give the rows of Spark. */
#include "plan_runner.h"

/* What Spark 4.2 gives for the same query. */
TEST(joins_have_the_rows_of_spark)
{
    static const char with[] =
        "WITH l AS (SELECT * FROM VALUES (1, 'a', 10), (2, 'b', 20), (2, 'c', 21), (NULL, 'd', 30),"
        " (4, NULL, 40) AS l(i, k, v)),"
        " r AS (SELECT * FROM VALUES (1, 'x', 11), (2, 'y', 19), (2, 'z', 22), (NULL, 'n', 30),"
        " (5, 'q', NULL) AS r(i, k, w)) ";
    static const struct {
        const char *sql, *rows;
    } queries[] = {
        {"SELECT l.k, r.k FROM l JOIN r ON l.i = r.i", "a\tx\nb\ty\nb\tz\nc\ty\nc\tz\n"},
        {"SELECT l.k, r.k FROM l, r WHERE l.i = r.i AND v < w AND l.k > 'a'", "b\tz\nc\tz\n"},
        {"SELECT l.k, r.k FROM l CROSS JOIN r WHERE w > 20",
         "NULL\tn\nNULL\tz\na\tn\na\tz\nb\tn\nb\tz\nc\tn\nc\tz\nd\tn\nd\tz\n"},
        {"SELECT l.k, r.k FROM l LEFT JOIN r ON l.i = r.i AND l.v > 10",
         "NULL\tNULL\na\tNULL\nb\ty\nb\tz\nc\ty\nc\tz\nd\tNULL\n"},
        {"SELECT l.k, r.k FROM l LEFT JOIN r ON l.i = r.i AND r.w > 20", "NULL\tNULL\na\tNULL\nb\tz\nc\tz\nd\tNULL\n"},
        {"SELECT l.k, r.k FROM l LEFT JOIN r ON l.i = r.i WHERE r.w > 15", "b\ty\nb\tz\nc\ty\nc\tz\n"},
        {"SELECT l.k, r.k FROM l LEFT JOIN r ON l.i = r.i WHERE r.w IS NULL", "NULL\tNULL\nd\tNULL\n"},
        {"SELECT l.k, r.k FROM l LEFT JOIN r ON l.i = r.i AND l.i = 2 WHERE l.v > 10",
         "NULL\tNULL\nb\ty\nb\tz\nc\ty\nc\tz\nd\tNULL\n"},
        {"SELECT l.k, r.k FROM l LEFT JOIN r ON l.i = r.i WHERE l.i = 2", "b\ty\nb\tz\nc\ty\nc\tz\n"},
        {"SELECT l.k, r.k FROM l RIGHT JOIN r ON l.i = r.i AND l.v > 20 AND r.w > 20",
         "NULL\tn\nNULL\tq\nNULL\tx\nNULL\ty\nc\tz\n"},
        {"SELECT l.k, r.k FROM l RIGHT JOIN r ON l.i = r.i WHERE l.v > 10", "b\ty\nb\tz\nc\ty\nc\tz\n"},
        {"SELECT l.k, r.k FROM l FULL JOIN r ON l.i = r.i AND l.v > 10 AND r.w > 15",
         "NULL\tNULL\nNULL\tn\nNULL\tq\nNULL\tx\na\tNULL\nb\ty\nb\tz\nc\ty\nc\tz\nd\tNULL\n"},
        {"SELECT l.k, r.k FROM l FULL JOIN r ON l.i = r.i WHERE l.v > 10",
         "NULL\tNULL\nb\ty\nb\tz\nc\ty\nc\tz\nd\tNULL\n"},
        {"SELECT l.k, r.k FROM l FULL JOIN r ON l.i = r.i WHERE r.w > 10", "NULL\tn\na\tx\nb\ty\nb\tz\nc\ty\nc\tz\n"},
        {"SELECT l.k, r.k FROM l FULL JOIN r ON l.i = r.i WHERE l.v > 10 AND r.w > 10", "b\ty\nb\tz\nc\ty\nc\tz\n"},
        {"SELECT l.k, r.k FROM l FULL JOIN r ON l.i = r.i WHERE coalesce(l.v, r.w) > 20",
         "NULL\tNULL\nNULL\tn\nc\ty\nc\tz\nd\tNULL\n"},
        {"SELECT i, l.k, r.k AS s FROM l FULL JOIN r USING (i)",
         "1\ta\tx\n2\tb\ty\n2\tb\tz\n2\tc\ty\n2\tc\tz\n4\tNULL\tNULL\n5\tNULL\tq\nNULL\tNULL\tn\nNULL\td\tNULL\n"},
        {"SELECT i, l.k, r.k AS s FROM l RIGHT JOIN r USING (i)",
         "1\ta\tx\n2\tb\ty\n2\tb\tz\n2\tc\ty\n2\tc\tz\n5\tNULL\tq\nNULL\tNULL\tn\n"},
        {"SELECT i, l.k, r.k AS s FROM l JOIN r USING (i)", "1\ta\tx\n2\tb\ty\n2\tb\tz\n2\tc\ty\n2\tc\tz\n"},
        {"SELECT i, k FROM l LEFT SEMI JOIN r USING (i)", "1\ta\n2\tb\n2\tc\n"},
        {"SELECT * FROM (SELECT i, v FROM l) NATURAL JOIN (SELECT i, w FROM r)",
         "1\t10\t11\n2\t20\t19\n2\t20\t22\n2\t21\t19\n2\t21\t22\n"},
        {"SELECT l.k, r.k FROM l JOIN r ON l.i <=> r.i", "a\tx\nb\ty\nb\tz\nc\ty\nc\tz\nd\tn\n"},
        {"SELECT l.k, r.k FROM l LEFT JOIN r ON l.i <=> r.i AND l.v = r.w",
         "NULL\tNULL\na\tNULL\nb\tNULL\nc\tNULL\nd\tn\n"},
        {"SELECT l.k FROM l LEFT SEMI JOIN r ON l.i = r.i AND l.v < r.w", "a\nb\nc\n"},
        {"SELECT l.k FROM l LEFT ANTI JOIN r ON l.i = r.i AND l.v < r.w", "NULL\nd\n"},
        {"SELECT l.k, r.k FROM l JOIN r ON l.i = r.i OR l.v = r.w", "a\tx\nb\ty\nb\tz\nc\ty\nc\tz\nd\tn\n"},
        {"SELECT l.k, r.k FROM l JOIN r ON l.i + 1 = r.i * 1L AND true", "NULL\tq\na\ty\na\tz\n"},
        {"SELECT l.k, r.k FROM l JOIN r ON CAST(l.i AS STRING) = r.i", "a\tx\nb\ty\nb\tz\nc\ty\nc\tz\n"},
        {"SELECT l.k FROM l LEFT JOIN r ON false", "NULL\na\nb\nc\nd\n"},
        {"SELECT l.k, r.k FROM l LEFT JOIN r ON l.v > 20",
         "NULL\tn\nNULL\tq\nNULL\tx\nNULL\ty\nNULL\tz\na\tNULL\nb\tNULL\nc\tn\nc\tq\nc\tx\nc\ty\nc\tz\nd\tn\nd\tq\nd\tx\nd\ty\nd\tz\n"},
        {"SELECT v FROM l WHERE i IN (SELECT i FROM r)", "10\n20\n21\n"},
        {"SELECT v FROM l WHERE i NOT IN (SELECT i FROM r)", ""},
        {"SELECT v FROM l WHERE i NOT IN (SELECT i FROM r WHERE i IS NOT NULL)", "40\n"},
        {"SELECT v FROM l WHERE i NOT IN (SELECT i FROM r WHERE w > 100)", "10\n20\n21\n30\n40\n"},
        {"SELECT v FROM l WHERE NOT i IN (SELECT i FROM r WHERE i > 1) AND v > 10", "40\n"},
        {"SELECT v FROM l WHERE (i, v) IN (SELECT i, w - 1 FROM r)", "10\n21\n"},
        {"SELECT v FROM l WHERE (i, v) NOT IN (SELECT i, w FROM r WHERE w IS NOT NULL)", "10\n20\n21\n40\n"},
        {"SELECT v FROM l WHERE EXISTS (SELECT 1 FROM r WHERE r.i = l.i AND r.w > l.v)", "10\n20\n21\n"},
        {"SELECT v FROM l WHERE NOT EXISTS (SELECT * FROM r WHERE r.i = l.i AND w > 20)", "10\n30\n40\n"},
        {"SELECT v FROM l WHERE EXISTS (SELECT 1 FROM r WHERE w > 100)", ""},
        {"SELECT v FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE w > 100)", "10\n20\n21\n30\n40\n"},
        {"SELECT v FROM l WHERE v NOT IN (SELECT w FROM r WHERE r.i = l.i)", "10\n20\n21\n30\n40\n"},
        {"SELECT l.k, x.k AS xk, r.k AS rk FROM l JOIN l x ON l.i = x.i JOIN r ON r.i = x.i AND r.w > l.v",
         "a\ta\tx\nb\tb\tz\nb\tc\tz\nc\tb\tz\nc\tc\tz\n"},
        {"SELECT l.k, x.k AS xk, r.k AS rk FROM l CROSS JOIN l x LEFT JOIN r ON r.i = x.i WHERE l.i = x.i AND l.v < x.v",
         "b\tc\ty\nb\tc\tz\n"},
        {"SELECT l.k FROM l JOIN r ON l.i = r.i AND l.k IN ('a', 'b') WHERE r.k LIKE 'y%'", "b\n"},
        {"SELECT v FROM l WHERE v > (SELECT 20)", "21\n30\n40\n"},
        {"SELECT l.k, (SELECT 7) AS s FROM l WHERE i = 1", "a\t7\n"},
    };
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct runner runner = {.session = {.zone = zone_utc(), .ansi = true}};
        struct expr_context ctx = {&runner.arena, &runner.session};
        struct plan_list nodes;
        struct group_list groups;
        char *sql = arena_printf(&runner.arena, "%s%s", with, queries[i].sql);
        char *before = rows_of(&runner, analysed(&runner, sql));
        struct plan *plan = analysed(&runner, sql);
        optimise(&ctx, &plan, 1, &nodes, &groups);
        char *after = rows_of(&runner, plan);
        if (strcmp(before, queries[i].rows) != 0 || strcmp(after, queries[i].rows) != 0)
            kit_fail(__FILE__, __LINE__, "%s\nwant:\n%sanalysed:\n%soptimised:\n%s", queries[i].sql, queries[i].rows,
                     before, after);
        arena_free(&runner.arena);
    }
}
