#include "kit.h"
#include "query_kit.h"

/* What Spark 4.2 computes of a query, and so what can fail in it: found by tests/fuzzsql. */

#define LONG_MAX "VALUES (9223372036854775807L) AS b(y)"

TEST(nothing_else_is_computed_of_a_condition_that_is_never_true)
{
    CHECK_ANSWER("SELECT * FROM VALUES (1) AS a(x) JOIN " LONG_MAX " ON timestamp_millis(y) IS NULL AND 1 > 2", "");
    CHECK_ANSWER("SELECT x FROM VALUES (1) AS a(x) FULL JOIN " LONG_MAX " ON x = timestamp_millis(y) AND x = NULL",
                 "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]");
    CHECK_ANSWER("SELECT x, y FROM VALUES (1) AS a(x) RIGHT JOIN " LONG_MAX
                 " ON TIMESTAMP'2000-01-01 00:00:00' = timestamp_millis(y) AND (4S <=> CAST(NULL AS SMALLINT))",
                 "NULL, 9223372036854775807");
    CHECK_ANSWER("SELECT x FROM VALUES (1) AS a(x) LEFT ANTI JOIN " LONG_MAX " ON y + x > 5 AND x = NULL", "1");
    CHECK_ANSWER("SELECT x FROM VALUES (1) AS a(x) LEFT SEMI JOIN " LONG_MAX " ON y + x > 5 AND x = NULL", "");
    CHECK_ANSWER("SELECT * FROM VALUES (1) AS a(x) JOIN VALUES (0) AS b(y) ON x = CAST('x' AS INT) AND false",
                 "[CAST_INVALID_INPUT]"); // a constant that fails does so all the same
}

TEST(the_time_of_the_batch_may_stand_in_ON)
{
    CHECK_ANSWER(
        "SELECT x, y FROM VALUES (1) AS a(x) JOIN VALUES (2) AS b(y) ON x < y AND now() < TIMESTAMP'9999-01-01 00:00:00'",
        "1, 2");
    CHECK_ANSWER("SELECT x, y FROM VALUES (1) AS a(x) LEFT JOIN VALUES (2) AS b(y) ON unix_timestamp() < -x",
                 "1, NULL");
    CHECK_ANSWER("SELECT x FROM VALUES (1) AS a(x) JOIN VALUES (2) AS b(y) ON rand(1) < y",
                 "[INVALID_NON_DETERMINISTIC_EXPRESSIONS]");
}

TEST(a_filter_stays_above_a_join_without_matches)
{
    CHECK_ANSWER("SELECT * FROM VALUES (1) AS a(x) LEFT JOIN VALUES (0) AS b(y) ON false "
                 "WHERE try_element_at(array(1.5D), y) <=> 2.5D",
                 "");
    CHECK_ANSWER("SELECT * FROM VALUES (1) AS a(x) LEFT JOIN VALUES (0) AS b(y) ON false WHERE y IS NULL", "1, NULL");
}

TEST(columns_below_a_subquery_that_nobody_reads)
{
    CHECK_ANSWER("SELECT id FROM (SELECT id, CAST('x' || id AS INT) AS bad FROM range(3)) WHERE id > (SELECT min(1L))",
                 "2");
    CHECK_ANSWER("SELECT count(*) FROM (SELECT CAST('x' || id AS INT) AS bad FROM range(3)) WHERE EXISTS (SELECT 1)",
                 "3");
    CHECK_ANSWER("SELECT id + (SELECT max(id) FROM range(3)) AS a FROM (SELECT id, CAST('x' || id AS INT) AS bad FROM "
                 "range(2))",
                 "2\n3");
    CHECK_ANSWER("SELECT id, (SELECT s.id + 1) AS a FROM (SELECT id, id * 2 AS other FROM range(2)) s", "0, 1\n1, 2");
}

TEST(arguments_are_asked_for_in_order)
{
    CHECK_ANSWER("SELECT map_concat(map(1, element_at(array(1), id)), CAST(NULL AS map<int, int>)) FROM "
                 "VALUES (0) AS t(id)",
                 "[INVALID_INDEX_OF_ZERO]");
    CHECK_ANSWER("SELECT concat(element_at(array('a'), id), CAST(NULL AS STRING)) FROM VALUES (0) AS t(id)",
                 "[INVALID_INDEX_OF_ZERO]");
    CHECK_ANSWER("SELECT concat(CAST(NULL AS STRING), element_at(array('a'), id)) FROM VALUES (0) AS t(id)", "NULL");
    CHECK_ANSWER("SELECT elt(-1, 'a') FROM VALUES (0) AS t(id) WHERE id > 1", "");
}

TEST(characters_of_numbers)
{
    CHECK_ANSWER("SELECT printf('%c%C|%3c', 97Y, 98, 128512)", "aB|  \xf0\x9f\x98\x80");
    CHECK_ANSWER("SELECT printf('%c', INTERVAL '5-5' YEAR TO MONTH), printf('%c', DATE'1970-03-01')", "A, ;");
    CHECK_ANSWER("SELECT printf('%c', 55296), printf('%x', -1), printf('%x', -1L)", "?, ffffffff, ffffffffffffffff");
    CHECK_ANSWER("SELECT printf('%c', 65L)", "[INVALID_PARAMETER_VALUE]");
    CHECK_ANSWER("SELECT printf('%c', -65)", "[INVALID_PARAMETER_VALUE]");
}

TEST(decimals_within_others_without_ansi)
{
    CHECK_ANSWER("SET spark.sql.ansi.enabled=false; SELECT CAST(array(0.000000001BD, 1.500000000BD) AS STRING)",
                 "[1E-9, 1.500000000]");
    CHECK_ANSWER("SELECT CAST(array(0.000000001BD) AS STRING), to_csv(struct(array(0.000000001BD)))",
                 "[0.000000001], [1E-9]");
    CHECK_ANSWER("SET spark.sql.ansi.enabled=false; SELECT TRY_CAST(CAST(repeat('9', 1) || '.' || repeat('9', 35) AS "
                 "DECIMAL(38,35)) AS INT), CAST(CAST('9.99999999999999999999' AS DECIMAL(38,35)) AS INT)",
                 "10, 9");
}

TEST(words_as_java_breaks_them)
{
    CHECK_ANSWER("SELECT sentences('1& 5.5%5 a& $5 #5 a.5 5.a a-b a--b 1-2 a\"b 1\"2 a_b _a 5_5 5a% $a')",
                 "[[\"1&\",\"5.5%\",\"5\",\"a\",\"a\",\"5\",\"a\",\"a-b\",\"a\",\"b\",\"1\",\"2\",\"a\"b\",\"1\"2\","
                 "\"a_b\",\"a\",\"5\",\"5\",\"5a\",\"a\"]]");
}
