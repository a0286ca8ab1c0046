/* Which error of a query is named, and constants that fail without rows. The answers are Spark 4.2's. */
#include "kit.h"
#include "query_kit.h"

TEST(functions_are_looked_up_first)
{
    CHECK_ANSWER("SELECT abs(array(1)), strange(1)", "[UNRESOLVED_ROUTINE]");
    CHECK_ANSWER("SELECT strange(1) FROM nosuchtable", "[UNRESOLVED_ROUTINE]");
    CHECK_ANSWER("SELECT abs(array(1)), nosuch FROM (SELECT 1 AS a)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
}

TEST(calls_without_columns_are_made_next)
{
    CHECK_ANSWER("SELECT abs(1, 2) FROM nosuchtable", "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT abs(1, 2) FROM (SELECT 1 AS a) WHERE abs(array(1)) = 1",
                 "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT abs(1, 2), strange(1)", "[UNRESOLVED_ROUTINE]");
    CHECK_ANSWER("SELECT abs(array(1)), percentile_cont(5S, 1, false)", "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT abs(array(1)), to_csv(2, 1.5)", "[INVALID_OPTIONS.NON_MAP_FUNCTION]");
    CHECK_ANSWER(
        "SELECT count(abs(array(id))) OVER (ORDER BY id RANGE BETWEEN 1 PRECEDING AND 1L FOLLOWING) FROM range(1)",
        "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT abs(array(1)), date_part('xx', DATE'2020-01-01')", "[INVALID_EXTRACT_FIELD]");
    CHECK_ANSWER("SELECT abs(array(1)), CAST(1 AS DATE)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
}

TEST(calls_that_read_columns_are_made_where_these_are_known)
{
    CHECK_ANSWER("SELECT abs(array(a)), percentile_disc(a, a, false) FROM (SELECT 1 AS a)",
                 "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT abs(a, a) FROM (SELECT 1 AS a) GROUP BY abs(array(a))", "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT a FROM (SELECT 1 AS a) WHERE abs(array(a)) = 1 AND abs(a, a) = 1",
                 "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT abs(a, a) FROM (SELECT 1 AS a) WHERE abs(array(a)) = 1",
                 "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT abs(array(1)) UNION ALL SELECT abs(a, a) FROM (SELECT 1 AS a)",
                 "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT percentile_cont(5S, 1, false) FILTER (WHERE a > 1) FROM (SELECT abs(array(1)) AS a)",
                 "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT percentile_disc(1, 2, true) OVER (ORDER BY a) FROM (SELECT abs(array(1)) AS a)",
                 "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION]");
}

TEST(texts_that_become_times_are_computed_first)
{
    CHECK_ANSWER("SELECT CAST('true' + CAST(NULL AS INTERVAL) AS DATE) FROM range(0)", "[CAST_INVALID_INPUT]");
    CHECK_ANSWER("SELECT 'true' + CAST(NULL AS INTERVAL)", "NULL");
    CHECK_ANSWER("SELECT CAST(try_add(make_interval(0, -1), 'a') AS DATE)", "NULL");
    CHECK_ANSWER("SELECT CAST(CAST(id AS STRING) AS DATE) FROM range(0)", "");
}

TEST(constants_fail_without_rows)
{
    CHECK_ANSWER("SELECT id FROM range(0) WHERE NULL <=> 1 / 0", "[DIVIDE_BY_ZERO]");
    CHECK_ANSWER("SELECT id FROM range(0) WHERE NULL AND NOT (NULL <=> 1 / 0)", "[DIVIDE_BY_ZERO]");
    CHECK_ANSWER("SELECT make_date(1, array_max(CAST(array() AS array<int>)), id + int('x')) FROM range(1)",
                 "[CAST_INVALID_INPUT]");
    CHECK_ANSWER("SELECT make_timestamp_ntz(NULL, 1, 1, id, CAST(1e9BD AS DECIMAL(5,2)), 1) FROM range(1)", "NULL");
    CHECK_ANSWER("SELECT 1/0 FROM range(0)", "[DIVIDE_BY_ZERO]");
    CHECK_ANSWER("SELECT id FROM range(0) WHERE id > 5 AND 1/0 > 1", "[DIVIDE_BY_ZERO]");
    CHECK_ANSWER("SELECT struct(id, 1/0) FROM range(0)", "[DIVIDE_BY_ZERO]");
    CHECK_ANSWER("SELECT count(1/0) FROM range(0)", "[DIVIDE_BY_ZERO]");
    CHECK_ANSWER("SELECT 1 UNION ALL SELECT 1/0 FROM range(0)", "[DIVIDE_BY_ZERO]");
}

TEST(constants_wait_in_branches)
{
    CHECK_ANSWER("SELECT CASE WHEN id > 5 THEN 1/0 ELSE 1 END FROM range(1)", "1.0");
    CHECK_ANSWER("SELECT if(id > 5, 1/0, 1) FROM range(1)", "1.0");
    CHECK_ANSWER("SELECT coalesce(id, 1/0) FROM range(1)", "0.0");
    CHECK_ANSWER("SELECT id FROM (SELECT id, 1/0 AS x FROM range(1))", "0");
    CHECK_ANSWER("SELECT 1/0 FROM range(1) LIMIT 0", "");
    CHECK_ANSWER("SELECT false AND 1/0 > 1 FROM range(1)", "false");
    CHECK_ANSWER("SELECT raise_error('x') FROM range(0)", "");
    CHECK_ANSWER("SELECT typeof(1/0)", "double");
}

TEST(types_are_refused_as_by_spark)
{
    CHECK_ANSWER("SELECT width_bucket(1D, 2D, DATE'2020-01-01', 4)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT width_bucket(1D, 2D, INTERVAL '1' DAY, true)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT width_bucket(1D, 2D, INTERVAL '1' DAY, 4)", "[DATATYPE_MISMATCH.DATA_DIFF_TYPES]");
    CHECK_ANSWER("SELECT element_at(map(0.5D, 1), 1BD)", "[DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES]");
    CHECK_ANSWER("SELECT time_from_seconds('1')", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT time_from_millis(1D)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT make_timestamp(DATE'2024-03-10', TIME'01:30:00', 5)",
                 "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT to_csv(named_struct('a', 1), str_to_map('sep:|'))", "[INVALID_OPTIONS.NON_MAP_FUNCTION]");
    CHECK_ANSWER("SELECT time_to_millis(to_time('x', CAST(NULL AS STRING)))",
                 "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT upper(INTERVAL '1' DAY), length(INTERVAL '1' DAY)", "INTERVAL '1' DAY, 16");
    CHECK_ANSWER("SELECT sum(TIMESTAMP'1970-01-01 00:00:01')", "1.0");
    CHECK_ANSWER("SELECT mask(12)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT map(map(1, 2), 3)", "[DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE]");
    CHECK_ANSWER("SELECT map_from_arrays(array(parse_json('1')), array(3))",
                 "[DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE]");
    CHECK_ANSWER("SELECT array_sort(array(map(1, 2)))", "[DATATYPE_MISMATCH.INVALID_ORDERING_TYPE]");
    CHECK_ANSWER("SELECT year(TIME'12:00:00')", "[DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT date_part('year', TIME'12:00:00')", "[INVALID_EXTRACT_FIELD]");
    CHECK_ANSWER("SELECT CASE WHEN DATE'2020-01-01' THEN map(1, 2) ELSE 3 END", "[DATATYPE_MISMATCH.DATA_DIFF_TYPES]");
    CHECK_ANSWER("SELECT CAST(array(DATE'2020-01-01') AS array<int>)", "[DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION]");
    CHECK_ANSWER("SELECT TRY_CAST(array(DATE'2020-01-01') AS array<int>)", "[null]");
}

TEST(what_spark_replaces_is_no_constant_before)
{
    CHECK_ANSWER("SELECT mask('abc', nullif('AB', 'c'))", "[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT]");
    CHECK_ANSWER("SELECT mask('abc', 'Y', array_max(transform(array('a'), x -> x)))",
                 "[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT]");
    CHECK_ANSWER("SELECT mask('aBc', CASE WHEN true THEN 'Y' ELSE 'Z' END)", "xYx");
    CHECK_ANSWER("SELECT percentile(id, nvl(0.5D, 1D)) FROM range(3)", "[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT]");
    CHECK_ANSWER("SELECT ceil(1.2BD, nvl(1, 1))", "[NON_FOLDABLE_ARGUMENT]");
    CHECK_ANSWER("SELECT to_json(named_struct('a', 1), map('ignoreNullFields', nvl('true', 'x')))", "{\"a\":1}");
}

TEST(divisions_may_be_null_sums_not)
{
    CHECK_ANSWER("SELECT pmod(id, id) IS NULL FROM range(1)", "[REMAINDER_BY_ZERO]");
    CHECK_ANSWER("SELECT id / id IS NOT NULL FROM range(1)", "[DIVIDE_BY_ZERO]");
    CHECK_ANSWER("SELECT (9223372036854775807L - id + 1) IS NOT NULL FROM range(1)", "true");
}

TEST(words_of_types_are_counted_as_open_brackets)
{
    CHECK_ANSWER("SELECT array(8)[0] >> 1", "[PARSE_SYNTAX_ERROR]");
    CHECK_ANSWER("SELECT CAST(array(array(1)) AS array<array<int>>), 8 >> 2", "[PARSE_SYNTAX_ERROR]");
    CHECK_ANSWER("SELECT CAST(NULL AS array<array<int>>), 8 > 2", "NULL, true");
    CHECK_ANSWER("SELECT 8 >> 1, 8 >>> 2", "4, 2");
}

TEST(keys_of_maps_are_looked_at_one_after_the_other)
{
    CHECK_ANSWER("SELECT map_from_arrays(array('a', 'a', NULL), array(1, 2, 3))", "[DUPLICATED_MAP_KEY]");
    CHECK_ANSWER("SELECT map_from_arrays(array('a', NULL, 'a'), array(1, 2, 3))", "[NULL_MAP_KEY]");
}

TEST(sums_that_do_not_fit)
{
    CHECK_ANSWER("SELECT round(CAST('99999999999999999999999999999999999999' AS DECIMAL(38,0)), -2)",
                 "[NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT CAST('1E38' AS DECIMAL(38,0))", "[NUMERIC_OUT_OF_SUPPORTED_RANGE]");
    CHECK_ANSWER("SELECT CAST('1E37' AS DECIMAL(38,10))", "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION]");
    CHECK_ANSWER("SELECT TIME'12:00:00' + INTERVAL '106752' DAY", "[ARITHMETIC_OVERFLOW]");
    CHECK_ANSWER("SELECT TIME'12:00:00' + INTERVAL '2' DAY", "[DATETIME_OVERFLOW]");
    CHECK_ANSWER("SELECT try_subtract(DATE'2020-01-01', TIMESTAMP_NTZ'2020-01-02 01:00:00')", "-1 01:00:00.000000000");
}

TEST(variants_as_nested_values)
{
    CHECK_ANSWER("SELECT CAST(parse_json('[1, 2.5, true, \"3\", null]') AS array<int>)", "[1,2,1,3,null]");
    CHECK_ANSWER("SELECT CAST(parse_json('[1, \"x\"]') AS array<int>)", "[INVALID_VARIANT_CAST]");
    CHECK_ANSWER("SELECT TRY_CAST(parse_json('[1, \"x\", [1]]') AS array<int>)", "[1,null,null]");
    CHECK_ANSWER("SELECT CAST(parse_json('{\"a\": 1, \"b\": \"x\"}') AS struct<b: string, c: int>)",
                 "{\"b\":\"x\",\"c\":null}");
    CHECK_ANSWER("SELECT CAST(parse_json('{\"a\": 1, \"b\": \"x\"}') AS map<string, string>)",
                 "{\"a\":\"1\",\"b\":\"x\"}");
    CHECK_ANSWER("SELECT CAST(parse_json('{\"a\": 1}') AS map<int, int>)",
                 "[DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT CAST(parse_json('[1]') AS struct<a: int>)", "[INVALID_VARIANT_CAST]");
    CHECK_ANSWER("SELECT TRY_CAST(parse_json('[1]') AS struct<a: int>)", "NULL");
    CHECK_ANSWER("SELECT CAST(parse_json('null') AS struct<a: int>)", "NULL");
    CHECK_ANSWER("SELECT try_variant_get(parse_json('{\"a\": [1, \"x\"]}'), '$.a', 'array<int>')", "[1,null]");
}
