#include "kit.h"
#include "query_kit.h"

/* What ./dev fuzz-sql found, as Spark 4.2 answers it. */

TEST(what_is_not_asked_for_cannot_fail)
{
    CHECK_ANSWER("SELECT CAST(NULL AS SMALLINT) % (- (-32768S))", "NULL");
    CHECK_ANSWER("SELECT a + CAST(b AS INT) FROM VALUES (CAST(NULL AS INT), 'x') AS t(a, b)", "NULL");
    CHECK_ANSWER("SELECT a + CAST(b AS INT) FROM VALUES (1, 'x') AS t(a, b)", "[CAST_INVALID_INPUT]");
    CHECK_ANSWER("SELECT timestamp_millis(-9223372036854775808L) IS NOT NULL", "true");
    CHECK_ANSWER("SELECT CAST('a' AS INT) IS NULL", "[CAST_INVALID_INPUT]");
}

TEST(try_swallows_errors_of_arguments)
{
    CHECK_ANSWER("SELECT try_add(INTERVAL '1 02:03:04.5' DAY TO SECOND, '1 02:03:04')", "NULL");
    CHECK_ANSWER("SELECT try_add(rint(1D), 'x')", "NULL");
    CHECK_ANSWER("SELECT try_to_time(CAST(CAST('x' AS INT) AS STRING))", "NULL");
}

TEST(errors_have_sparks_conditions)
{
    CHECK_ANSWER("SELECT slice(array(1), 0, -1)", "[INVALID_PARAMETER_VALUE.START]");
    CHECK_ANSWER("SELECT slice(array(1), 1, -1)", "[INVALID_PARAMETER_VALUE.LENGTH]");
    CHECK_ANSWER("SELECT corr(x, x) FROM VALUES (1D), (1D) AS t(x)", "[DIVIDE_BY_ZERO]");
    CHECK_ANSWER("SELECT to_time(' 7 ')", "[CANNOT_PARSE_TIME]");
    CHECK_ANSWER("SELECT hash(map(1, 2))", "[DATATYPE_MISMATCH.HASH_MAP_TYPE]");
    CHECK_ANSWER("SELECT from_json('{}', 'MAP<INT, INT>')", "[DATATYPE_MISMATCH.INVALID_JSON_MAP_KEY_TYPE]");
    CHECK_ANSWER("SELECT yearofweek(DATE'2024-01-01')", "[UNRESOLVED_ROUTINE]");
}

TEST(values_are_sparks)
{
    CHECK_ANSWER("SELECT pmod(-1L, -9223372036854775808L)", "9223372036854775807");
    CHECK_ANSWER("SELECT to_date(1.5)", "[CAST_INVALID_INPUT]");
    CHECK_ANSWER("SELECT regexp_extract('b', 'a', 2)", "");
    CHECK_ANSWER("SELECT CAST('1' AS INT) :: bigint < 2", "true");
    CHECK_ANSWER("SELECT double('-0.0'), double('0.0')", "-0.0, 0.0");
    CHECK_ANSWER("SELECT parse_json('{\"b\":\"x\"}'):b::string", "x");
    CHECK_ANSWER("SELECT to_csv(named_struct('a', INTERVAL '-5' YEAR))", "INTERVAL '-5' YEAR");
    CHECK_ANSWER("SELECT typeof(if(true, CAST(0 AS DECIMAL(38,38)), 1))", "decimal(38,28)");
}

TEST(lambdas_see_nulls_from_outside)
{
    CHECK_ANSWER("SELECT transform(array(1, 2), x -> c) FROM VALUES (CAST(NULL AS INT)) AS t(c)", "[null,null]");
    CHECK_ANSWER("SELECT filter(array(1, 2), x -> c <= c) FROM VALUES (CAST(NULL AS INT)) AS t(c)", "[]");
}

TEST(decimals_meet_beyond_38_digits)
{
    CHECK_ANSWER(
        "SELECT CAST('-919.59' AS DECIMAL(5,2)) + CAST('0.00000000000003412611081440957309012110' AS DECIMAL(38,38))",
        "-919.5899999999999658738891855904269099");
    CHECK_ANSWER("SELECT -3103BD % CAST('0.00000000000007323241716711932831413852' AS DECIMAL(38,38))",
                 "-0.00000000000002239367540277580466779076");
    CHECK_ANSWER("SELECT CAST(CAST('0.99999999999999999999999999999999999999' AS DECIMAL(38,38)) AS SMALLINT)", "1");
}
