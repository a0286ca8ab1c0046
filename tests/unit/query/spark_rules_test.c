#include "kit.h"
#include "query_kit.h"

/* What Spark 4.2 answers, found by tests/conformance/variations.py. */

TEST(null_beside_a_decimal_is_one_of_its_kind)
{
    CHECK_ANSWER("SELECT typeof(1.10BD - NULL), typeof(NULL % 0BD), typeof(try_multiply(NULL, 3.33BD))",
                 "decimal(4,2), decimal(1,0), decimal(7,4)");
    CHECK_ANSWER("SELECT typeof(NULL / 1.5)", "double");
    CHECK_ANSWER("SELECT NULL - '2.5'", "[DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE]");
    CHECK_ANSWER("SET spark.sql.ansi.enabled=false; SELECT NULL - '2.5'", "NULL");
}

TEST(edges_with_digits_are_decimals)
{
    CHECK_ANSWER("SELECT floor(0.5D, 2), typeof(floor(0.5D, 2)), floor('3', -3)", "0.50, decimal(18,2), 0");
    CHECK_ANSWER("SELECT floor(2.5, 'a')", "[NON_FOLDABLE_ARGUMENT]");
    CHECK_ANSWER("SELECT ceil(1, NULL)", "[NON_FOLDABLE_ARGUMENT]");
}

TEST(keys_and_elements_are_not_cast_to_each_other)
{
    CHECK_ANSWER("SELECT map('a', 1)[1], map(1, 'x')['1']", "NULL, x");
    CHECK_ANSWER("SELECT element_at(map('a', 1), 1)", "[DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES]");
    CHECK_ANSWER("SELECT map_contains_key(map(1, 'x'), '1')", "[DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES]");
    CHECK_ANSWER("SELECT 'x'[10]", "[INVALID_EXTRACT_BASE_FIELD_TYPE]");
    CHECK_ANSWER("SELECT array_size(NULL), size(NULL), arrays_zip(array(1), NULL)", "NULL, NULL, NULL");
    CHECK_ANSWER("SET spark.sql.ansi.enabled=false; SELECT size(NULL)", "-1");
    CHECK_ANSWER("SELECT transform_keys(map('a', 1), (k, v) -> map(k, v))", "[DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE]");
    CHECK_ANSWER("SELECT try_to_binary('abc', 'x')", "NULL");
    CHECK_ANSWER("SELECT get(NULL, 0)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT sort_array(array('b'), '1')", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT concat(1, interval 1 day)", "1INTERVAL '1' DAY");
    CHECK_ANSWER("SELECT concat('x', array(1))", "[DATATYPE_MISMATCH.DATA_DIFF_TYPES]");
}

TEST(times_take_no_texts_where_spark_does_not)
{
    CHECK_ANSWER("SELECT unix_date('2020-01-01')", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT unix_date(NULL), unix_date(DATE'1970-01-02')", "NULL, 1");
    CHECK_ANSWER("SELECT unix_millis(TIMESTAMP_NTZ'2020-01-01 00:00:00')", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT extract(DAY FROM interval '5' hour)", "[INVALID_EXTRACT_FIELD]");
    CHECK_ANSWER("SELECT date_format(DATE'-0044-03-15', 'yyyy-MM'), date_format(DATE'-0044-03-15', 'G yyyy')",
                 "-0044-03, BC 0045");
    CHECK_ANSWER("SELECT dateadd(CENTURY, 3, DATE'2020-01-01')", "[UNRESOLVED_COLUMN.WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT nanvl(1.0D, 1/0)", "1.0");
}

TEST(intervals_come_out_of_json_and_csv)
{
    CHECK_ANSWER("SELECT from_json('{\"a\":\"1\"}', 'a interval day'), from_csv('1, 1 day', 'a INT, b interval')",
                 "{\"a\":1 00:00:00.000000000}, {\"a\":1,\"b\":1 days}");
    CHECK_ANSWER("SELECT from_json('{\"a\":[\"1\",\"x\"]}', 'a array<interval day>').a[1]", "NULL");
    CHECK_ANSWER("SELECT to_json(array(struct(DATE'2020-01-02' AS d)), map('dateFormat', 'd.M.yy'))",
                 "[{\"d\":\"2.1.20\"}]");
    CHECK_ANSWER("SELECT to_json(struct(TIME'14:30:45' AS t), map('timeFormat', 'HH-mm'))", "{\"t\":\"14-30\"}");
}

TEST(charsets_of_old)
{
    CHECK_ANSWER("SELECT encode('a', 'windows-1252')", "[INVALID_PARAMETER_VALUE.CHARSET]");
    CHECK_ANSWER(
        "SET spark.sql.legacy.javaCharsets=true; SELECT hex(encode('a€', 'windows-1252')), decode(X'80', 'windows-1252')",
        "6180, €");
    CHECK_ANSWER(
        "SET spark.sql.legacy.codingErrorAction=true; SELECT encode('aé', 'US-ASCII'), decode(X'61FF', 'US-ASCII')",
        "a?, a\xef\xbf\xbd");
}

TEST(clauses_name_what_they_refuse)
{
    CHECK_ANSWER("SELECT id FROM range(3) WHERE row_number() OVER (ORDER BY id) = 1",
                 "[WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE]");
    CHECK_ANSWER("SELECT count(*) FROM range(3) GROUP BY 1", "[GROUP_BY_POS_AGGREGATE]");
    CHECK_ANSWER("SELECT id + count(*) FROM range(3) GROUP BY ALL", "[UNRESOLVED_ALL_IN_GROUP_BY]");
    CHECK_ANSWER("SELECT id, id + count(*) FROM range(2) GROUP BY ALL ORDER BY id", "0, 1\n1, 2");
    CHECK_ANSWER("SELECT stack(2, 1, 'x')", "[DATATYPE_MISMATCH.STACK_COLUMN_DIFF_TYPES]");
    CHECK_ANSWER("SELECT * FROM VALUES ('a') AS t(x, y)", "[INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH]");
    CHECK_ANSWER("SELECT 1 AS a, 2 AS a, a + 1", "[AMBIGUOUS_LATERAL_COLUMN_ALIAS]");
    CHECK_ANSWER("SELECT 1 AS a, 2 AS a FROM range(2) GROUP BY a HAVING a > 1", "[AMBIGUOUS_REFERENCE]");
    CHECK_ANSWER("SELECT 'x' AS c FROM VALUES (struct(1)) AS t(c) GROUP BY c ORDER BY c.col1", "x");
    CHECK_ANSWER("SELECT lead(id) OVER () FROM range(2)", "[WINDOW_FUNCTION_FRAME_NOT_ORDERED]");
}

TEST(arguments_are_refused_before_they_are_cast)
{
    CHECK_ANSWER("SELECT concat(map('a', 1), 'x')", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT concat(NULL, struct(1))", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT element_at(array('b'), NULL)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT element_at(array(1), 2L)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT array()['a']", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT array_position(NULL, 0)", "[DATATYPE_MISMATCH.NULL_TYPE]");
    CHECK_ANSWER("SELECT array_position('x', 1)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT array_remove(NULL, 'a')", "[DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES]");
    CHECK_ANSWER("SELECT array_insert(array(1, 2), 'a', 5)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT array_insert(array('b'), 1, 5)", "[DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES]");
    CHECK_ANSWER("SELECT array_append(array('b'), -1)", "[DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES]");
    CHECK_ANSWER("SELECT array_repeat(1, '2')", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT map_contains_key(map(1, 'x'), NULL)", "[DATATYPE_MISMATCH.NULL_TYPE]");
    CHECK_ANSWER("SELECT map_contains_key(NULL, 1)", "[DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES]");
    CHECK_ANSWER("SELECT format_number('2', 2)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT timestamp_micros('1')", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT date_format(TIME'13:14:15', 'HH')", "[DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT overlay(X'616263', '_', 2)", "[DATATYPE_MISMATCH.DATA_DIFF_TYPES]");
    CHECK_ANSWER("SELECT exists(NULL, x -> x > 1)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT greatest(NULL, map('a', 1))", "[DATATYPE_MISMATCH.INVALID_ORDERING_TYPE]");
    CHECK_ANSWER("SELECT max(map(k, 1)) FROM VALUES (1) AS t(k)", "[DATATYPE_MISMATCH.INVALID_ORDERING_TYPE]");
    CHECK_ANSWER("SELECT DATE'2020-01-01' + 1L", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT 0.1 div 1.5D", "[DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE]");
    CHECK_ANSWER("SELECT 0.1 div true", "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]");
}

TEST(interval_literals_say_what_is_wrong)
{
    CHECK_ANSWER("SELECT interval '1-12' year to month", "[INVALID_INTERVAL_FORMAT.INTERVAL_PARSING]");
    CHECK_ANSWER("SELECT interval '1.1234567891' second", "[INVALID_INTERVAL_FORMAT.INVALID_PRECISION]");
    CHECK_ANSWER("SELECT interval '' day", "[INVALID_INTERVAL_FORMAT.UNRECOGNIZED_NUMBER]");
    CHECK_ANSWER("SELECT interval '999999999999' day", "[INVALID_INTERVAL_FORMAT.ARITHMETIC_EXCEPTION]");
    CHECK_ANSWER("SELECT interval '2147483648' month", "[INVALID_INTERVAL_FORMAT.ARITHMETIC_EXCEPTION]");
    CHECK_ANSWER("SELECT sum(i) FROM VALUES (interval '106751991' day), (interval '106751991' day) AS t(i)",
                 "[INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION]");
}

TEST(the_list_is_checked_before_having)
{
    CHECK_ANSWER("SELECT k FROM VALUES (1) AS t(k) HAVING k > 1", "[MISSING_GROUP_BY]");
    CHECK_ANSWER("SELECT upper(s) FROM VALUES (1, 'a') AS t(k, s) GROUP BY k HAVING s = 'a'", "[MISSING_AGGREGATION]");
    CHECK_ANSWER("SELECT count() FROM VALUES (1) AS t(k)", "[WRONG_NUM_ARGS.WITH_SUGGESTION]");
    CHECK_ANSWER("SELECT k FROM VALUES (1) AS t(k) GROUP BY k, explode(array(1))", "[UNSUPPORTED_EXPR_FOR_OPERATOR]");
    CHECK_ANSWER("SELECT 1 + range(3)", "[NOT_A_SCALAR_FUNCTION]");
    CHECK_ANSWER("SELECT typeof(c) FROM (SELECT 'x' AS c UNION ALL SELECT 1)", "bigint\nbigint");
}

TEST(null_is_formatted_as_java_does)
{
    CHECK_ANSWER("SELECT format_string('%05d|%X|%10.2e|%(d|%S', NULL, NULL, NULL, -5L, 5)",
                 " null|NULL|        nu|(5)|5");
    CHECK_ANSWER("SELECT unix_timestamp(TIMESTAMP_NTZ'1970-01-01 00:00:01')", "1");
    CHECK_ANSWER("SELECT try_cast('1:02 PM' AS timestamp), radians(1.5) = 0.026179938779914945D", "NULL, true");
}

TEST(fields_of_json_are_variants)
{
    CHECK_ANSWER("SELECT from_json('{\"a\":{\"b\":[1,\"1\"]},\"c\":2}', 'a VARIANT, c INT')",
                 "{\"a\":{\"b\":[1,\"1\"]},\"c\":2}");
    CHECK_ANSWER("SELECT from_json('{\"a\":1', 'a VARIANT'), from_json('true', 'a VARIANT')",
                 "{\"a\":null}, {\"a\":null}");
    CHECK_ANSWER("SELECT from_json('{}', 'a ARRAY<VARIANT>')", "[UNSUPPORTED_FEATURE]");
}

TEST(words_for_days_are_dates_and_times)
{
    CHECK_ANSWER(
        "SELECT CAST('epoch' AS DATE), try_cast(' Epoch ' AS TIMESTAMP_NTZ), CAST('today' AS DATE) = current_date()",
        "1970-01-01, 1970-01-01 00:00:00, true");
    CHECK_ANSWER("SELECT CAST('now' AS TIMESTAMP) = now(), datediff(CAST('tomorrow' AS DATE), 'yesterday')", "true, 2");
    CHECK_ANSWER("SELECT CAST(x AS DATE) FROM VALUES ('today') AS t(x)", "[CAST_INVALID_INPUT]");
}

TEST(sums_at_their_edges)
{
    CHECK_ANSWER("SELECT 12345678901234567890123456789012345678BD div 100", "-1518767018816521536");
    CHECK_ANSWER("SELECT typeof(1.5 / NULL), typeof(NULL / 1.5), typeof(1e-10BD / NULL)",
                 "decimal(8,6), double, decimal(31,21)");
    CHECK_ANSWER("SELECT timestamp_seconds(1e20), timestamp_seconds(double('nan'))",
                 "+294247-01-10 04:00:54.775807, NULL");
    CHECK_ANSWER("SELECT make_interval(1, 2) * double('nan')", "0 seconds");
    CHECK_ANSWER("SELECT trunc('bad', 'bad'), date_trunc('', 'bad')", "NULL, NULL");
    CHECK_ANSWER("SET spark.sql.ansi.enabled=false; SELECT add_months(DATE'2020-01-01', 2147483647)",
                 "[ARITHMETIC_OVERFLOW]");
}

TEST(floats_stay_beside_integers_without_ansi)
{
    CHECK_ANSWER("SELECT typeof(1.5F + 1)", "double");
    CHECK_ANSWER("SET spark.sql.ansi.enabled=false; SELECT typeof(1.5F + 1), typeof(greatest(1.5F, 1L))",
                 "float, float");
}

TEST(a_row_is_one_key_of_a_group)
{
    CHECK_ANSWER("SELECT count(*) FROM VALUES (1, 2), (1, 3), (1, 2) AS t(k, s) GROUP BY (k, s) ORDER BY 1", "1\n2");
    CHECK_ANSWER("SELECT k FROM VALUES (1, 2) AS t(k, s) GROUP BY (k, s)", "[MISSING_AGGREGATION]");
    CHECK_ANSWER("SELECT k FROM VALUES (1, 2) AS t(k, s) GROUP BY GROUPING SETS ((k, s))", "1");
}

TEST(what_is_in_arrays_is_not_cast_to_be_compared)
{
    CHECK_ANSWER("SELECT array('1') = array(1)", "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]");
    CHECK_ANSWER("SELECT array(1.5) = array(1)", "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]");
    CHECK_ANSWER("SELECT array(1) = array(1L), array(1) IN (array('1'))", "true, true");
    CHECK_ANSWER("SELECT array_append(array(1.5), 2.25)", "[DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES]");
    CHECK_ANSWER("SELECT array_position(array(1), NULL), unbase64('aXb')", "NULL, iv");
    CHECK_ANSWER("SELECT unbase64('ab=')", "[CONVERSION_INVALID_INPUT]");
    CHECK_ANSWER("SELECT extract(YEAR FROM interval '-3' month)", "[INVALID_EXTRACT_FIELD]");
    CHECK_ANSWER("SELECT array_contains(array(1), NULL)", "[DATATYPE_MISMATCH.NULL_TYPE]");
    CHECK_ANSWER("SELECT array_repeat('x', 2L)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT sort_array(map('a', 1))", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT NULL['z'], NULL[2.0D]", "NULL, NULL");
    CHECK_ANSWER("SELECT map()['a']", "[DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT map_from_arrays(array(1), array())", "[_LEGACY_ERROR_TEMP_2128]");
}

TEST(sums_of_lambdas_keep_their_type)
{
    CHECK_ANSWER("SELECT aggregate(array(1, 2), 0, (s, x) -> s + x * 1L)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
    CHECK_ANSWER("SELECT aggregate(array(1, 2), 0L, (s, x) -> s + x)", "3");
    CHECK_ANSWER("SELECT aggregate(array(1, 2), struct(0 AS a), (s, x) -> struct(s.a + x))", "{\"a\":3}");
    CHECK_ANSWER("SELECT typeof(transform_values(map(), (k, v) -> v))", "map<void,void>");
}

TEST(tries_want_the_types_of_operators)
{
    CHECK_ANSWER("SELECT try_add('3', 'x')", "[DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE]");
    CHECK_ANSWER("SELECT try_divide('3', NULL)", "[DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE]");
    CHECK_ANSWER("SELECT NULL div '2.5'", "[DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE]");
    CHECK_ANSWER("SELECT 0.5D div 'x'", "[DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE]");
    CHECK_ANSWER("SELECT 1.5F div 1.5", "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]");
}

TEST(csv_and_json_of_times_and_bytes)
{
    CHECK_ANSWER("SELECT to_csv(struct(X'3132' AS a, 1 AS b)), to_csv(struct(X''))", "12,1, \"\"");
    CHECK_ANSWER("SET spark.sql.binaryOutputStyle=HEX; SELECT to_csv(struct(X'C328'))", "C328");
    CHECK_ANSWER("SET spark.sql.binaryOutputStyle=BASE64; SELECT to_csv(struct(X'31'))", "MQ");
    CHECK_ANSWER("SELECT to_json(struct(TIMESTAMP_NTZ'2020-01-01 00:00:00' AS t), map('timestampFormat', 'dd'))",
                 "{\"t\":\"2020-01-01T00:00:00.000\"}");
    CHECK_ANSWER("SELECT from_json('{\"t\":\"02/2020\"}', 't TIMESTAMP_NTZ', map('timestampNTZFormat', 'MM/yyyy')).t",
                 "2020-02-01 00:00:00");
    CHECK_ANSWER("SELECT schema_of_csv('14:30:45,a:b')", "STRUCT<_c0: TIMESTAMP, _c1: STRING>");
}

/* ---- found by tests/fuzzsql ---- */

TEST(seconds_of_a_day_are_exact)
{
    CHECK_ANSWER("SELECT time_from_seconds(1.0000009BD), time_from_seconds(86399.9999999D), time_from_seconds(7)",
                 "00:00:01, 23:59:59.999999, 00:00:07");
    CHECK_ANSWER("SELECT time_from_seconds(1.0000000001BD)", "[DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT time_from_seconds(double('NaN'))", "[DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT time_from_seconds(9223372036854775807L)", "[DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SET spark.sql.ansi.enabled=false; SELECT make_time(5, 5, 100)",
                 "[DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION]");
}

#define NINES "CAST('99999999999999999999999999999999999999' AS decimal(38,0))"
TEST(means_and_sums_that_do_not_fit_are_told_apart)
{
    CHECK_ANSWER("SELECT avg(x) FROM VALUES (" NINES ") t(x)", "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION]");
    CHECK_ANSWER("SELECT avg(x) FROM VALUES (" NINES "), (" NINES ") t(x)", "[ARITHMETIC_OVERFLOW]");
    CHECK_ANSWER("SELECT sum(x) OVER () FROM VALUES (" NINES "), (" NINES ") t(x)",
                 "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION]");
    CHECK_ANSWER("SELECT sum(x) FROM VALUES (" NINES "), (1BD), (-1BD) t(x)", "[ARITHMETIC_OVERFLOW]");
}

TEST(sentences_may_be_of_no_words)
{
    CHECK_ANSWER("SELECT sentences('a. . b'), sentences('Hi. . Bye'), sentences('!!! a'), sentences('a! ? b')",
                 "[[\"a\",\"b\"]], [[\"Hi\"],[\"Bye\"]], [[],[\"a\"]], [[\"a\"],[],[\"b\"]]");
    CHECK_ANSWER("SELECT sentences('? ! A'), sentences('A. - B'), sentences('a.  '), sentences('')",
                 "[[],[],[\"A\"]], [[\"A\",\"B\"]], [[\"a\"]], []");
}

TEST(a_text_that_is_no_json_fails_when_its_schema_is_asked_for)
{
    CHECK_ANSWER("SELECT schema_of_json('{bad')", "[MALFORMED_RECORD_IN_PARSING]");
    CHECK_ANSWER("SELECT schema_of_json('{bad') LIMIT 0", "");
    CHECK_ANSWER("SELECT from_json('1', schema_of_json('{bad'))", "[MALFORMED_RECORD_IN_PARSING]");
    CHECK_ANSWER("SELECT sentences('a 😀x')", "[[\"a\",\"x\"]]");
}

TEST(a_null_within_a_value_of_a_csv_line_is_the_lines)
{
    CHECK_ANSWER("SELECT to_csv(named_struct('a', array(1, NULL, 2), 'b', named_struct('c', NULL, 'd', 1)))",
                 "\"[1,, 2]\",\"{, 1}\"");
    CHECK_ANSWER("SELECT to_csv(named_struct('a', array(NULL, 1), 'b', map('k', NULL)), map('nullValue', 'N'))",
                 "\"[ N, 1]\",{k -> N}");
}

TEST(a_pattern_leaves_a_time_its_microseconds)
{
    CHECK_ANSWER(
        "SET spark.sql.session.timeZone=Australia/Lord_Howe; "
        "SELECT to_timestamp_ntz(DATE'2000-02-29', 'O'), string(to_timestamp(TIMESTAMP_NTZ'2000-02-29 01:00:00', 'yyyy')), "
        "to_date(TIMESTAMP_NTZ'2000-02-29 23:00:00', 'yyyy'), unix_timestamp(DATE'2000-02-29', 'yyyy')",
        "2000-02-28 13:00:00, 2000-02-29 12:00:00, 2000-03-01, 951742800");
}

TEST(what_is_never_null_is_not_computed_to_be_counted)
{
    CHECK_ANSWER("SELECT count(make_date(2024, 13, 1)), count(make_date(2024, 13, x)) FILTER (WHERE x > 1) "
                 "FROM VALUES (1), (2) t(x)",
                 "2, 1");
    CHECK_ANSWER("SELECT count(DISTINCT make_date(2024, 13, x)) FROM VALUES (1) t(x)",
                 "[DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION]");
    CHECK_ANSWER("SELECT count(CAST(x AS INT)) FROM VALUES ('a') t(x)", "[CAST_INVALID_INPUT]");
    CHECK_ANSWER("SELECT x FROM VALUES (0) t(x) WHERE pmod(x, x) IS NULL", "[REMAINDER_BY_ZERO]");
}

TEST(columns_below_window_functions_are_left_out)
{
    CHECK_ANSWER("SELECT n FROM (SELECT row_number() OVER (ORDER BY x) AS n, sum(bad) OVER (ORDER BY x) AS s "
                 "FROM (SELECT x, CAST('a' || x AS INT) AS bad FROM VALUES (2), (1) t(x))) ORDER BY 1",
                 "1\n2");
    CHECK_ANSWER("SELECT count(*) FROM (SELECT count(*) OVER (PARTITION BY y) AS n FROM VALUES (1, 2), (3, 4) t(x, y))",
                 "2");
    CHECK_ANSWER(
        "SELECT x FROM (SELECT x, max(y) OVER (ORDER BY x) AS m FROM VALUES (2, 1), (1, 5) t(x, y)) WHERE m > 1 ORDER BY 1",
        "1\n2");
    CHECK_ANSWER("SELECT count(*) OVER () FROM VALUES (1), (2) t(x)", "2\n2");
}

TEST(an_intersection_with_nothing_computes_nothing)
{
    CHECK_ANSWER("SELECT int(x) FROM VALUES ('a') t(x) INTERSECT SELECT y FROM VALUES (1) u(y) WHERE y > 1", "");
}

TEST(sets_of_what_has_no_order_are_refused)
{
    CHECK_ANSWER("SELECT array_except(array(make_interval(1)), array(CAST(NULL AS interval)))",
                 "[DATATYPE_MISMATCH.INVALID_ORDERING_TYPE]");
    CHECK_ANSWER("SELECT array_distinct(array(make_interval(1)))", "[DATATYPE_MISMATCH.INVALID_ORDERING_TYPE]");
    CHECK_ANSWER("SELECT array_except(array(make_interval(1)), array(1))",
                 "[DATATYPE_MISMATCH.BINARY_ARRAY_DIFF_TYPES]");
    CHECK_ANSWER("SELECT try_add(make_interval(0, 1), TIMESTAMP_NTZ'2024-01-31 00:00:00')", "2024-02-29 00:00:00");
}

TEST(numbers_at_their_edges)
{
    CHECK_ANSWER("SELECT overlay('ab', 'x', 2147483647), overlay('abc', 'x', 2)", "abxab, axc");
    CHECK_ANSWER(
        "SELECT unix_timestamp(TIMESTAMP'1969-12-31 23:59:58.5'), unix_seconds(TIMESTAMP'1969-12-31 23:59:58.5'), "
        "unix_timestamp(TIMESTAMP_NTZ'1969-12-31 23:59:58.5')",
        "-1, -2, -1");
    CHECK_ANSWER("SELECT CAST(0.99999999999999999999BD AS INT)", "1");
    CHECK_ANSWER("SET spark.sql.ansi.enabled=false; SELECT CAST(0.99999999999999999999BD AS INT)", "0");
    CHECK_ANSWER(
        "SELECT atanh(1e-5D), approx_percentile(x, 0.5) FROM VALUES (float('NaN')), (0F), (float('-0.0')) t(x)",
        "1.0000000000333334E-5, 0.0");
    CHECK_ANSWER("SELECT CAST(timestamp_seconds(9.007199254740993e15D) AS date)", "+294247-01-10");
}

TEST(frames_take_offsets_as_the_key_they_are_added_to)
{
    CHECK_ANSWER(
        "SELECT sum(x) OVER (ORDER BY d RANGE BETWEEN 1 PRECEDING AND 1.05 FOLLOWING) FROM VALUES (1, 1.25BD), "
        "(2, 2.25BD), (3, 3.30BD) AS t(x, d)",
        "3\n6\n3");
    CHECK_ANSWER(
        "SELECT sum(x) OVER (ORDER BY d RANGE BETWEEN '1' PRECEDING AND 1.5 FOLLOWING) FROM VALUES (1, 1), (2, 2) "
        "AS t(x, d)",
        "3\n3");
    CHECK_ANSWER("SELECT sum(id) OVER (ORDER BY id RANGE BETWEEN 2 FOLLOWING AND 1.5 FOLLOWING) FROM range(2)",
                 "[DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON]");
    CHECK_ANSWER("SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 2 PRECEDING) FROM range(2)",
                 "[DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON]");
    CHECK_ANSWER("SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN 1L PRECEDING AND 2L FOLLOWING) FROM range(2)",
                 "[DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE]");
    CHECK_ANSWER("SELECT sum(id) OVER (ORDER BY d RANGE BETWEEN 1 PRECEDING AND 1L FOLLOWING) FROM (SELECT id, "
                 "DATE'2020-01-01' AS d FROM range(2))",
                 "[DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_DIFF_TYPES]");
}

TEST(rows_are_counted_where_the_call_is_never_null)
{
    CHECK_ANSWER("SELECT count(format_string('%5d|', CAST(concat('x', id) AS INT))), count(array(1 div id)), "
                 "count(coalesce(1 div id, 1)), count(CAST(concat('x', id) AS INT) IS NULL) FROM range(3)",
                 "3, 3, 3, 3");
    CHECK_ANSWER("SELECT count(format_string(concat('%', 1 div id), 5)) FROM range(3)", "[DIVIDE_BY_ZERO]");
}

TEST(instants_and_numbers)
{
    CHECK_ANSWER("SELECT atan2(-0.0D, -0.0D), atan2(0.0D, -1.0D)", "0.0, 3.141592653589793");
    CHECK_ANSWER("SELECT try_to_timestamp(float(1e38)), try_to_timestamp(double('NaN'))",
                 "+294247-01-10 04:00:54.775807, NULL");
    CHECK_ANSWER("SELECT CAST(timestamp_micros(9007199254740993) AS DECIMAL(20,6))", "9007199254.740993");
    CHECK_ANSWER("SELECT try_parse_json('{\\'a\\':1}'), try_parse_json('{\"a\":1}')", "NULL, {\"a\":1}");
    CHECK_ANSWER("SELECT from_json('{\\'a\\':{\\'b\\':\\'x\\'}}', 'a VARIANT')", "{\"a\":{\"b\":\"x\"}}");
}
