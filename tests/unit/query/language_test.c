/* What holds across clauses: names of keys and aliases, sets that repeat, settings that change what a text means. */
#include "kit.h"
#include "query_kit.h"

TEST(having_prefers_keys_to_aliases)
{
    CHECK_ANSWER("SELECT sum(a) AS b FROM VALUES (1, 10), (2, 20) AS t(a, b) GROUP BY b HAVING b > 10", "2");
    CHECK_ANSWER("SELECT sum(a) AS c FROM VALUES (1, 10), (2, 20) AS t(a, b) GROUP BY b HAVING c > 1", "2");
}

TEST(grouping_sets_that_repeat)
{
    CHECK_ANSWER(
        "SELECT a, sum(b), grouping_id() FROM VALUES (1, 2), (1, 3) AS t(a, b) GROUP BY GROUPING SETS ((a), (a))",
        "1, 5, 0\n1, 5, 0");
    CHECK_ANSWER("SELECT count(*) FROM VALUES (1) AS t(a) WHERE a > 5 GROUP BY GROUPING SETS (())", "0");
}

TEST(nearest_rows)
{
    CHECK_ANSWER(
        "SELECT a, b FROM VALUES (1), (5) AS l(a) JOIN VALUES (2), (9), (4) AS r(b) APPROX NEAREST 2 BY DISTANCE abs(a - b) "
        "ORDER BY a, b",
        "1, 2\n1, 4\n5, 2\n5, 4");
    CHECK_ANSWER(
        "SELECT a, b FROM VALUES (1) AS l(a) LEFT JOIN (SELECT 1 AS b WHERE false) r EXACT NEAREST BY SIMILARITY b",
        "1, NULL");
    CHECK_ANSWER("SELECT * FROM VALUES (1) AS l(a) JOIN VALUES (2) AS r(b) APPROX NEAREST 0 BY DISTANCE b",
                 "[NEAREST_BY_JOIN.NUM_RESULTS_OUT_OF_RANGE]");
}

TEST(arguments_by_name)
{
    CHECK_ANSWER("SELECT explode(collection => array(1, 2))", "1\n2");
    CHECK_ANSWER("SELECT mask(lowerChar => 'q', str => 'Ab')", "Xq");
    CHECK_ANSWER("SELECT mask(lowerChar => 'q')", "[REQUIRED_PARAMETER_NOT_FOUND]");
    CHECK_ANSWER("SELECT abs(expr => 1)", "[NAMED_PARAMETERS_NOT_SUPPORTED]");
}

TEST(settings_of_the_language)
{
    CHECK_ANSWER("SET spark.sql.ansi.doubleQuotedIdentifiers=true; SELECT \"a\" FROM VALUES (1) AS \"t\"(\"a\")", "1");
    CHECK_ANSWER(
        "SET spark.sql.legacy.ctePrecedencePolicy=EXCEPTION; WITH t AS (SELECT 1) SELECT (WITH t AS (SELECT 2) SELECT * FROM t)",
        "[AMBIGUOUS_ALIAS_IN_NESTED_CTE]");
    CHECK_ANSWER("SET spark.sql.orderByOrdinal=false; SELECT a FROM VALUES (2), (1) AS t(a) ORDER BY 1", "2\n1");
}

TEST(with_in_front_of_insert)
{
    CHECK_ANSWER("CREATE TABLE t (a INT); WITH r AS (SELECT 7 AS a) INSERT INTO t SELECT a FROM r; SELECT * FROM t",
                 "7");
    CHECK_ANSWER("CREATE TABLE t (a INT); INSERT INTO t VALUES (1); TRUNCATE TABLE t; SELECT count(*) FROM t", "0");
}

TEST(generators_over_groups)
{
    CHECK_ANSWER(
        "SELECT k, explode(collect_list(v)) AS e, count(*) FROM VALUES (1, 'a'), (1, 'b'), (2, 'c') AS t(k, v) GROUP BY k "
        "ORDER BY k, e",
        "1, a, 2\n1, b, 2\n2, c, 1");
    CHECK_ANSWER("SELECT explode(collect_list(v)) AS e FROM VALUES ('a'), ('b') AS t(v) HAVING e = 'b'", "b");
    CHECK_ANSWER(
        "SELECT explode(arr) AS e, sum(v) FROM VALUES (array(1, 2), 5), (array(1, 2), 6) AS t(arr, v) GROUP BY ALL ORDER BY e",
        "1, 11\n2, 11");
    CHECK_ANSWER("SELECT k, explode(array(1, 2)) AS e FROM VALUES (1) AS t(k) GROUP BY k, e",
                 "[UNRESOLVED_COLUMN.WITH_SUGGESTION]");
}

TEST(several_generators)
{
    CHECK_ANSWER("SELECT explode(array(1, 2)) AS a, explode(array(a, 9)) AS b", "1, 1\n1, 9\n2, 2\n2, 9");
    CHECK_ANSWER("SELECT explode(array(1)), explode(array(2)), count(*)", "[UNSUPPORTED_GENERATOR.MULTI_GENERATOR]");
}
