#include "kit.h"
#include "query_kit.h"

/* Values that Spark 4.2 gives, found by tests/fuzzsql. */

TEST(an_aggregate_computes_its_argument_where_the_filter_is_true)
{
    CHECK_ANSWER("SELECT sum(1 / i) FILTER (WHERE i <> 0), sum(1 / (i - 1)) FILTER (WHERE i = 0) "
                 "FROM VALUES (0), (1) AS t(i)",
                 "1.0, -1.0");
    CHECK_ANSWER("SELECT every(s) FILTER (WHERE false) FROM VALUES (''), ('true') AS t(s)", "NULL");
    CHECK_ANSWER("SELECT sum(1 / i) FILTER (WHERE i >= 0) FROM VALUES (0), (1) AS t(i)", "[DIVIDE_BY_ZERO]");
    CHECK_ANSWER("SELECT sum(1 / i) FILTER (WHERE i <> 0), sum(1 / i) FROM VALUES (0), (1) AS t(i)",
                 "[DIVIDE_BY_ZERO]");
}

TEST(an_empty_match_is_none)
{
    CHECK_ANSWER("SELECT regexp_substr('abc', 'x?'), regexp_substr('abc', '(a)?'), regexp_substr('b', 'a')",
                 "NULL, a, NULL");
}

TEST(variants_are_printed_in_utc_and_cast_as_ansi_casts)
{
    CHECK_ANSWER("SET TIME ZONE 'Asia/Kolkata'; SELECT CAST(TIMESTAMP'2020-01-01 00:00:00' AS VARIANT), "
                 "CAST(CAST(TIMESTAMP'2020-01-01 00:00:00' AS VARIANT) AS STRING), "
                 "CAST(array(TIMESTAMP'2020-01-01 00:00:00')::VARIANT AS STRING)",
                 "\"2019-12-31 18:30:00+00:00\", 2020-01-01 00:00:00, [\"2020-01-01 00:00:00+05:30\"]");
    CHECK_ANSWER("SET TIME ZONE 'Asia/Kolkata'; SELECT CAST(TIMESTAMP'1582-10-04 00:00:00'::VARIANT AS TIMESTAMP) = "
                 "TIMESTAMP'1582-10-04 00:00:00'",
                 "true");
    CHECK_ANSWER("SELECT CAST(1.5::VARIANT AS TIMESTAMP), CAST((-1)::VARIANT AS TIMESTAMP)",
                 "1970-01-01 00:00:01.5, 1969-12-31 23:59:59");
    CHECK_ANSWER("SELECT CAST(TIMESTAMP'1969-12-31 23:59:59.5'::VARIANT AS BIGINT), "
                 "CAST(TIMESTAMP'1969-12-31 23:59:59.5'::VARIANT AS DECIMAL(4, 1))",
                 "-1, -0.5");
    CHECK_ANSWER("SELECT try_cast(2020::VARIANT AS DATE), try_cast(true::VARIANT AS TIMESTAMP)", "NULL, NULL");
    CHECK_ANSWER("SELECT CAST('a'::VARIANT AS BINARY), hex(CAST(X'FF00'::VARIANT AS BINARY)), "
                 "try_cast(1::VARIANT AS BINARY)",
                 "a, FF00, NULL");
    CHECK_ANSWER("SELECT CAST(1.5::VARIANT AS BINARY)", "[INVALID_VARIANT_CAST]");
}

TEST(local_times_in_records_follow_a_pattern)
{
    CHECK_ANSWER("SELECT from_json('{\"a\":\"2020-01-01 00:00\"}', 'a TIMESTAMP_NTZ', "
                 "map('timestampFormat', 'yyyy-MM-dd HH:mm'))",
                 "{\"a\":2020-01-01 00:00:00}");
}

TEST(a_zone_that_nobody_knows_is_an_error_of_tries_too)
{
    CHECK_ANSWER("SELECT try_make_timestamp_ltz(DATE'2020-01-01', TIME'10:00:00', z) FROM VALUES ('x') AS t(z)",
                 "[INVALID_TIMEZONE]");
    CHECK_ANSWER("SELECT try_make_timestamp(2020, 1, 1, 1, 1, 1, z) FROM VALUES ('x') AS t(z)", "NULL");
}

TEST(keys_have_one_zero_and_one_nan)
{
    CHECK_ANSWER("SELECT d, count(*) FROM VALUES (-0.0D), (0.0D) AS t(d) GROUP BY d", "0.0, 2");
    CHECK_ANSWER("SELECT d, count(*) FROM VALUES (double('NaN')), (-double('NaN')) AS t(d) GROUP BY d", "NaN, 2");
    CHECK_ANSWER("SELECT count(*) FROM VALUES (-0.0D) AS a(d) JOIN VALUES (0.0D) AS b(d) ON a.d = b.d", "1");
}

TEST(rows_that_come_once_have_one_zero)
{
    CHECK_ANSWER("SELECT DISTINCT d FROM VALUES (-0.0D), (0.0D) AS t(d)", "0.0");
    CHECK_ANSWER("SELECT DISTINCT a FROM VALUES (array(-0.0D)) AS t(a)", "[0.0]");
    CHECK_ANSWER("SELECT -0.0D AS d INTERSECT SELECT 0.0D", "0.0");
    CHECK_ANSWER("SELECT -0.0D AS d EXCEPT ALL SELECT 1.0D", "-0.0");
}

TEST(times_and_intervals_have_sparks_hashes)
{
    CHECK_ANSWER("SELECT hash(TIME'12:00:00'), hash(make_interval(1, 2, 3))", "-1984942870, 1098958672");
}

TEST(what_stands_behind_a_json_value_is_not_read)
{
    CHECK_ANSWER("SELECT parse_json('[1] x'), from_json(' [1,2] x', 'array<int>'), "
                 "from_json('{\"a\":1} x', 'map<string,int>'), from_json(' {\"a\":1} x', 'array<struct<a:int>>')",
                 "[1], [1,2], {\"a\":1}, [{\"a\":1}]");
    CHECK_ANSWER("SELECT from_json('[1', 'array<int>'), try_parse_json('[1')", "NULL, NULL");
}

TEST(fields_of_an_interval_out_of_range_are_told_apart)
{
    CHECK_ANSWER("SELECT CAST('1-12' AS INTERVAL YEAR TO MONTH)", "[INVALID_INTERVAL_FORMAT.INTERVAL_PARSING]");
    CHECK_ANSWER("SELECT CAST('99999999999' AS INTERVAL YEAR)", "[INVALID_INTERVAL_FORMAT.INTERVAL_PARSING]");
    CHECK_ANSWER("SELECT CAST('1-' AS INTERVAL YEAR TO MONTH)", "[INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING]");
    CHECK_ANSWER("SELECT CAST('1-2' AS INTERVAL YEAR)", "[INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING]");
    CHECK_ANSWER("SELECT INTERVAL '1' YEAR div INTERVAL '0' YEAR", "[DIVIDE_BY_ZERO]");
}

TEST(divisors_are_asked_for_first_in_tries_too)
{
    CHECK_ANSWER("SELECT try_mod(y, CAST(x AS INT)) FROM VALUES ('x', CAST(NULL AS INT)) AS t(x, y)",
                 "[CAST_INVALID_INPUT]");
    CHECK_ANSWER(
        "SELECT try_divide(y, CAST(x AS DECIMAL(9, 1))) FROM VALUES ('x', CAST(NULL AS DECIMAL(9, 0))) AS t(x, y)",
        "[CAST_INVALID_INPUT]");
}

TEST(without_ansi_a_boolean_equals_one_or_zero)
{
    CHECK_ANSWER("SET spark.sql.ansi.enabled=false; SELECT 1Y <> false, 1Y = true, 2Y <=> true, 1.5 = true, true = 1D",
                 "true, true, false, false, true");
    CHECK_ANSWER("SET spark.sql.ansi.enabled=false; SELECT x < true FROM VALUES (2Y) AS t(x)",
                 "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]");
    CHECK_ANSWER("SELECT 1Y = true", "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]");
}

TEST(places_are_not_counted_in_a_list_with_a_star)
{
    CHECK_ANSWER("SELECT * FROM VALUES (1, 2) AS t(a, b) GROUP BY 1", "[STAR_GROUP_BY_POS]");
    CHECK_ANSWER("SELECT count(*), a FROM VALUES (1, 2) AS t(a, b) GROUP BY 2", "1, 1");
}

TEST(letters_may_become_several)
{
    CHECK_ANSWER("SELECT upper('ß ﬁ ŉ ᾳ'), initcap('ßa ﬁx ŉx ǆ ᾳ')", "SS FI ʼN ΑΙ, Ssa Fix ʼNx ǅ ᾼ");
    CHECK_ANSWER("SELECT hex(upper('\u0390'))", "CE99CC88CC81");
    CHECK_ANSWER("SELECT lower('ΑΣ Σ ΑΣΑ ΑΣ''Α ΑΣ.'), initcap('ΟΔΟΣ ΣΑΣ')", "ας σ ασα ασ'α ας., Οδος Σας");
    CHECK_ANSWER("SELECT lower('İ'), hex(lower('İ'))", "i̇, 69CC87");
}

TEST(times_are_times_whatever_the_pattern)
{
    CHECK_ANSWER(
        "SELECT to_timestamp(TIMESTAMP_NTZ'2026-01-02 03:04:05.6', 'zzz'), to_timestamp(DATE'2026-01-01', 'yy'), "
        "to_date(DATE'2026-01-01', 'MM'), try_to_timestamp(TIMESTAMP'2026-01-02 03:04:05', 'yyyy')",
        "2026-01-02 03:04:05.6, 2026-01-01 00:00:00, 2026-01-01, 2026-01-02 03:04:05");
    CHECK_ANSWER("SELECT to_timestamp_ntz(TIMESTAMP_NTZ'2026-01-02 03:04:05', 'z'), to_timestamp('2026', 'yyyy')",
                 "2026-01-02 03:04:05, 2026-01-01 00:00:00");
}

TEST(what_a_replacement_cannot_name_is_its_own_error)
{
    CHECK_ANSWER("SELECT regexp_replace('a', '(a)', '$2')", "[INVALID_REGEXP_REPLACE]");
    CHECK_ANSWER("SELECT regexp_replace('b', '(a)', '$2')", "b");
    CHECK_ANSWER("SELECT try_make_interval()", "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT parse_json('1') = 'a'", "[DATATYPE_MISMATCH.INVALID_ORDERING_TYPE]");
    CHECK_ANSWER("SELECT parse_json('1') = 1", "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]");
}

TEST(bounds_of_a_range_may_have_a_digit_more)
{
    CHECK_ANSWER("SELECT count(*) OVER (ORDER BY d RANGE BETWEEN 5 PRECEDING AND 5 FOLLOWING) "
                 "FROM VALUES (9999999999BD), (9999999995BD), (9999999990BD) AS t(d) ORDER BY d",
                 "2\n3\n2");
}
