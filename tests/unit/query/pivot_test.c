#include "kit.h"
#include "query_kit.h"

#define SALES                                                                                                       \
    "CREATE TEMPORARY VIEW sales AS SELECT * FROM VALUES ('net', 2012, 10), ('java', 2012, 20), ('net', 2013, 48) " \
    "AS s(course, year, earned);"

TEST(pivot_groups_by_what_it_does_not_name)
{
    CHECK_ANSWER(SALES "SELECT * FROM sales PIVOT (sum(earned) FOR course IN ('net', 'java')) ORDER BY year",
                 "2012, 10, 20\n2013, 48, NULL");
    CHECK_ANSWER(SALES "SELECT a_s, b_s, a_m FROM sales PIVOT (sum(earned) AS s, max(earned) AS m FOR (course, year) "
                       "IN (('net', 2012) AS a, ('java', 2013) AS b))",
                 "10, NULL, 10");
}

TEST(pivot_counts_nothing_as_null)
{
    CHECK_ANSWER(SALES "SELECT * FROM sales PIVOT (count(earned) FOR course IN ('net', 'java')) WHERE year = 2013",
                 "2013, 1, NULL");
}

TEST(pivot_wants_aggregates_and_constants)
{
    CHECK_ANSWER(SALES "SELECT * FROM sales PIVOT (abs(earned) FOR year IN (2012))", "[_LEGACY_ERROR_TEMP_1006]");
    CHECK_ANSWER(SALES "SELECT * FROM sales PIVOT (sum(earned) FOR year IN (course))", "[NON_LITERAL_PIVOT_VALUES]");
    CHECK_ANSWER(SALES "SELECT * FROM sales PIVOT (sum(earned) FOR (course, year) IN ('net'))",
                 "[PIVOT_VALUE_DATA_TYPE_MISMATCH]");
}

TEST(unpivot_makes_rows_of_columns)
{
    CHECK_ANSWER("SELECT * FROM VALUES (1, 2, CAST(NULL AS INT)) AS t(id, a, b) UNPIVOT (v FOR n IN (a, b AS bee))",
                 "1, a, 2");
    CHECK_ANSWER(
        "SELECT * FROM VALUES (1, 2, CAST(NULL AS INT)) AS t(id, a, b) UNPIVOT INCLUDE NULLS (v FOR n IN (a, b))",
        "1, a, 2\n1, b, NULL");
    CHECK_ANSWER(
        "SELECT * FROM VALUES (1, 2, 3, 4) AS t(a, b, c, d) UNPIVOT ((x, y) FOR n IN ((a, b), (c, d) AS last))",
        "a_b, 1, 2\nlast, 3, 4");
    CHECK_ANSWER("SELECT * FROM VALUES (1, date'2020-01-01') AS t(a, b) UNPIVOT (v FOR n IN (a, b))",
                 "[UNPIVOT_VALUE_DATA_TYPE_MISMATCH]");
}

TEST(samples_of_all_none_and_first_rows)
{
    CHECK_ANSWER("SELECT count(*) FROM range(100) TABLESAMPLE (100 PERCENT)", "100");
    CHECK_ANSWER("SELECT count(*) FROM range(100) TABLESAMPLE (7 ROWS)", "7");
    CHECK_ANSWER("SELECT count(*) FROM range(100) TABLESAMPLE (BUCKET 4 OUT OF 2)", "[_LEGACY_ERROR_TEMP_0064]");
}
