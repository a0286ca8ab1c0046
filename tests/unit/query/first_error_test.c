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
    CHECK_ANSWER("SELECT abs(array(1)), date_part('xx', DATE'2020-01-01')", "[INVALID_EXTRACT_FIELD]");
    CHECK_ANSWER("SELECT abs(array(1)), CAST(1 AS DATE)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
}

TEST(constants_fail_without_rows)
{
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
