/* nested_values_test.c - casts within lists, maps and structs, at any depth: an element that fails fails its row with ANSI on; it is
 * NULL, or its low bits, without; TRY_CAST makes that element NULL. As Spark 4.2 does. */
#include "kit.h"
#include "query_kit.h"

TEST(an_element_that_is_no_value_fails_its_row)
{
    CHECK_ANSWER("SELECT CAST(array('a', '1') AS array<int>)", "[CAST_INVALID_INPUT]");
    CHECK_ANSWER("SELECT CAST(array(array('a', '1')) AS array<array<int>>)", "[CAST_INVALID_INPUT]");
    CHECK_ANSWER("SELECT CAST(named_struct('x', array('a')) AS struct<x: array<int>>)", "[CAST_INVALID_INPUT]");
    CHECK_ANSWER("SELECT CAST(map('k', array('a')) AS map<string, array<int>>)", "[CAST_INVALID_INPUT]");
    CHECK_ANSWER("SELECT CAST(array(array(300)) AS array<array<tinyint>>)", "[CAST_OVERFLOW]");
}

TEST(without_ansi_an_element_is_null_or_wraps)
{
    CHECK_ANSWER("SET spark.sql.ansi.enabled=false; SELECT CAST(array('a', '1') AS array<int>)", "[null,1]");
    CHECK_ANSWER("SET spark.sql.ansi.enabled=false; SELECT CAST(map('k', array('a')) AS map<string, array<int>>)",
                 "{\"k\":[null]}");
    CHECK_ANSWER("SET spark.sql.ansi.enabled=false; SELECT CAST(array(array(300)) AS array<array<tinyint>>)", "[[44]]");
}

TEST(try_cast_loses_the_element_alone)
{
    CHECK_ANSWER("SELECT TRY_CAST(array(array('a', '1')) AS array<array<int>>)", "[[null,1]]");
    CHECK_ANSWER("SELECT TRY_CAST(array(300) AS array<tinyint>)", "[null]");
    CHECK_ANSWER(
        "SELECT TRY_CAST(c AS array<array<int>>) FROM VALUES (array(array('1'))), (NULL), (array(NULL)) AS t(c)",
        "[[1]]\nNULL\n[null]");
}

/* The kit checks each batch: a NULL list or text has nothing below. */
TEST(a_sum_over_no_list_is_null_and_empty)
{
    CHECK_ANSWER("SELECT aggregate(c, 'abc', (s, x) -> s) FROM VALUES (array(1)), (NULL) AS t(c)", "abc\nNULL");
    CHECK_ANSWER("SELECT aggregate(c, array('abc'), (s, x) -> s) FROM VALUES (NULL), (array(1)) AS t(c)",
                 "NULL\n[\"abc\"]");
}
