/* Functions that SQL defines; what Spark 4.2 answers to the same statements, but where a test says otherwise. */
#include "kit.h"

#include <stdio.h>
#include "query_kit.h"

#define T1 "CREATE TEMPORARY VIEW t1 AS SELECT * FROM VALUES (1, 'a'), (2, 'b'), (3, 'c') AS t1(id, name);"
#define T2 "CREATE TEMPORARY VIEW t2 AS SELECT * FROM VALUES (1, 100), (1, 150), (2, 200) AS t2(id, amount);"
#define SQ "CREATE TEMPORARY FUNCTION sq(x INT) RETURNS INT RETURN x * x;"

TEST(functions_are_their_bodies)
{
    CHECK_ANSWER(SQ "SELECT sq(3), sq('4'), sq(NULL)", "9, 16, NULL");
    CHECK_ANSWER(
        "CREATE TEMPORARY FUNCTION f() RETURNS STRING COMMENT 'x' LANGUAGE SQL DETERMINISTIC RETURN 'k'; SELECT f()",
        "k");
    CHECK_ANSWER("CREATE TEMPORARY FUNCTION f(x INT) RETURN x + 1.5; SELECT typeof(f(2)), f(2)", "decimal(12,1), 3.5");
    CHECK_ANSWER(SQ "CREATE TEMPORARY FUNCTION f(x INT) RETURNS INT RETURN sq(sq(f.x)) + 1; SELECT f(2)", "17");
    CHECK_ANSWER("CREATE TEMPORARY FUNCTION f(s STRUCT<a: INT>) RETURNS INT RETURN s.a + f.s.a; SELECT f(struct(4))",
                 "8");
    CHECK_ANSWER(SQ T1 "SELECT sum(sq(id)), sq(sum(id)) FROM t1", "14, 36");
    CHECK_ANSWER(SQ T1
                 "SELECT sq(id), count(*) FROM t1 WHERE sq(id) < 5 GROUP BY sq(id) HAVING sq(count(*)) = 1 ORDER BY 1",
                 "1, 1\n4, 1");
}

TEST(arguments_have_places_names_and_defaults)
{
#define F "CREATE TEMPORARY FUNCTION f(x INT, y INT DEFAULT 10) RETURNS INT RETURN x - y;"
    CHECK_ANSWER(F "SELECT f(1), f(1, 2), f(y => 3, x => 4)", "-9, -1, 1");
    CHECK_ANSWER(F "SELECT f()", "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION]");
    CHECK_ANSWER(F "SELECT f(1, 2, 3)", "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION]");
    CHECK_ANSWER(F "SELECT f(1, x => 2)", "[DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.BOTH_POSITIONAL_AND_NAMED]");
    CHECK_ANSWER(F "SELECT f(y => 2)", "[REQUIRED_PARAMETER_NOT_FOUND]");
    CHECK_ANSWER(F "SELECT f(x => 1, z => 2)", "[UNRECOGNIZED_PARAMETER_NAME]");
    CHECK_ANSWER(F "SELECT f(x => 1, 2)", "[UNEXPECTED_POSITIONAL_ARGUMENT]");
#undef F
}

TEST(bodies_see_nothing_of_their_callers)
{
    CHECK_ANSWER("CREATE TEMPORARY FUNCTION f(x INT) RETURNS INT RETURN y", "[UNRESOLVED_COLUMN.WITH_SUGGESTION]");
    CHECK_ANSWER("DECLARE v = 5; CREATE TEMPORARY FUNCTION f() RETURNS INT RETURN v; SELECT 1 AS v, f()", "1, 5");
    CHECK_ANSWER(T2 "CREATE TEMPORARY FUNCTION f() RETURNS BIGINT RETURN (SELECT count(*) FROM t2); "
                    "WITH t2 AS (SELECT 1) SELECT f(), (SELECT count(*) FROM t2)",
                 "3, 1");
}

TEST(bodies_may_have_subqueries)
{
#define F "CREATE TEMPORARY FUNCTION f(i INT) RETURNS BIGINT RETURN (SELECT sum(amount) FROM t2 WHERE t2.id = i);"
    CHECK_ANSWER(T1 T2 F "SELECT id, f(id) FROM t1 ORDER BY id", "1, 250\n2, 200\n3, NULL");
    CHECK_ANSWER(T1 T2 F "SELECT id FROM t1 WHERE f(id) > 200", "1");
    CHECK_ANSWER(T1 T2 F "SELECT f(max(id) - 2) FROM t1", "250");
    CHECK_ANSWER(T1 T2 F "SELECT (SELECT max(f(t1.id)) FROM t2) FROM t1 WHERE id = 2", "200");
    CHECK_ANSWER(T1 T2 F "SELECT transform(array(1), x -> f(x))", "[UNSUPPORTED_FEATURE.LAMBDA_FUNCTION_WITH_SQL_UDF]");
#undef F
}

TEST(table_functions_are_relations)
{
#define F                                                                         \
    "CREATE TEMPORARY FUNCTION f(lo INT, hi INT) RETURNS TABLE(a INT, b STRING) " \
    "RETURN SELECT id, name FROM t1 WHERE id BETWEEN lo AND hi;"
    CHECK_ANSWER(T1 F "SELECT * FROM f(2, 3) ORDER BY a", "2, b\n3, c");
    CHECK_ANSWER(T1 T2 F "SELECT amount, b FROM t2, LATERAL f(t2.id, t2.id) ORDER BY amount", "100, a\n150, a\n200, b");
    CHECK_ANSWER(T1 F "SELECT t.a FROM f(hi => 1, lo => 0) AS t", "1");
    CHECK_ANSWER(T1 F "SELECT (SELECT count(*) FROM f(1, t1.id)) FROM t1 ORDER BY id", "1\n2\n3");
    CHECK_ANSWER(T1 F "SELECT f(1, 2)", "[NOT_A_SCALAR_FUNCTION]");
    CHECK_ANSWER(SQ "SELECT * FROM sq(2)", "[NOT_A_TABLE_FUNCTION]");
    CHECK_ANSWER("CREATE TEMPORARY FUNCTION f() RETURNS TABLE RETURN SELECT 1 AS a, 'x' AS b; SELECT b, a FROM f()",
                 "x, 1");
    CHECK_ANSWER("CREATE TEMPORARY FUNCTION f() RETURNS TABLE(a INT) RETURN SELECT 1, 2",
                 "[USER_DEFINED_FUNCTIONS.RETURN_COLUMN_COUNT_MISMATCH]");
#undef F
}

TEST(functions_come_and_go)
{
    CHECK_ANSWER(SQ SQ, "[ROUTINE_ALREADY_EXISTS]");
    CHECK_ANSWER(SQ "CREATE OR REPLACE TEMPORARY FUNCTION sq(x INT) RETURNS INT RETURN 1; SELECT sq(5)", "1");
    CHECK_ANSWER("CREATE FUNCTION f() RETURN 1; CREATE FUNCTION IF NOT EXISTS f() RETURN 2; SELECT f()", "1");
    CHECK_ANSWER(SQ "DROP TEMPORARY FUNCTION sq; SELECT sq(3)", "[UNRESOLVED_ROUTINE]");
    CHECK_ANSWER("DROP TEMPORARY FUNCTION sq", "[ROUTINE_NOT_FOUND]");
    CHECK_ANSWER("DROP TEMPORARY FUNCTION IF EXISTS sq", "");
    CHECK_ANSWER("CREATE TEMPORARY FUNCTION IF NOT EXISTS f() RETURN 1",
                 "[INVALID_SQL_SYNTAX.CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS]");
    CHECK_ANSWER("CREATE TEMPORARY FUNCTION f(x INT, X INT) RETURN x", "[DUPLICATE_ROUTINE_PARAMETER_NAMES]");
    CHECK_ANSWER("CREATE TEMPORARY FUNCTION f(x INT) RETURN sum(x)",
                 "[USER_DEFINED_FUNCTIONS.CANNOT_CONTAIN_COMPLEX_FUNCTIONS]");
    CHECK_ANSWER("CREATE TEMPORARY FUNCTION abs(x INT) RETURNS INT RETURN 77; SELECT abs(-3)", "3");
    CHECK_ANSWER(SQ "DESCRIBE FUNCTION sq", "Function: sq\nType:     SCALAR\nInput:    x INT\nReturns:  INT");
    CHECK_ANSWER(SQ "SHOW USER FUNCTIONS", "sq");
}

/* OR REPLACE is how functions come to call each other. */
TEST(calls_end)
{
    CHECK_ANSWER("CREATE FUNCTION f(x INT) RETURNS INT RETURN x; CREATE FUNCTION g(x INT) RETURNS INT RETURN f(x);"
                 "CREATE OR REPLACE FUNCTION f(x INT) RETURNS INT RETURN g(x); SELECT f(1)",
                 "[CYCLIC_FUNCTION_REFERENCE]");
    CHECK_ANSWER("CREATE FUNCTION a(x INT) RETURNS INT RETURN x + x; CREATE FUNCTION b(x INT) RETURNS INT RETURN "
                 "a(a(a(a(x)))); CREATE FUNCTION c(x INT) RETURNS INT RETURN b(b(b(b(b(x)))))",
                 "[UNSUPPORTED_FEATURE]");
}

TEST(functions_that_cannot_be)
{
    CHECK_ANSWER("CREATE FUNCTION f(x INT NOT NULL) RETURNS INT RETURN 1",
                 "[USER_DEFINED_FUNCTIONS.NOT_NULL_ON_FUNCTION_PARAMETERS]");
    CHECK_ANSWER("CREATE FUNCTION f() RETURNS TABLE(a INT) RETURN 1",
                 "[USER_DEFINED_FUNCTIONS.SQL_TABLE_UDF_BODY_MUST_BE_A_QUERY]");
    CHECK_ANSWER("CREATE FUNCTION f(a INT DEFAULT (SELECT 1)) RETURN a",
                 "[USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_EXPRESSION]");
    CHECK_ANSWER("CREATE FUNCTION f(a INT DEFAULT 1, b INT) RETURN a",
                 "[USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_PARAMETER_POSITION]");
    CHECK_ANSWER("CREATE FUNCTION f AS 'com.example.F'", "[UNSUPPORTED_FEATURE]");
}

TEST(arguments_are_computed_once)
{
    CHECK_ANSWER(
        "CREATE FUNCTION f(x INT, y DOUBLE) RETURNS INT RETURN x + y; SELECT f(sum(id), rand(0) * 0) FROM range(3)",
        "3");
    CHECK_ANSWER("CREATE FUNCTION f(x DOUBLE) RETURNS BOOLEAN RETURN x = x; SELECT f(rand()) FROM range(2)",
                 "true\ntrue");
}

TEST(maps_are_keys_of_groups)
{
    CHECK_ANSWER("SELECT count(*), m FROM VALUES (map(1, 2, 3, 4)), (map(3, 4, 1, 2)), (map(1, 2)), (NULL) AS t(m) "
                 "GROUP BY m ORDER BY 1 DESC, size(m)",
                 "2, {1:2,3:4}\n1, NULL\n1, {1:2}");
    CHECK_ANSWER(
        "SELECT count(*) FROM VALUES (array(map('b', 1, 'a', 2))), (array(map('a', 2, 'b', 1))) AS t(a) GROUP BY a",
        "2");
    CHECK_ANSWER(
        "SELECT m['a'], count(*), grouping(m) FROM VALUES (map('b', 1, 'a', 2)), (map('a', 2, 'b', 1)) AS t(m) "
        "GROUP BY ROLLUP(m) ORDER BY 3",
        "2, 2, 0\nNULL, 2, 1");
    CHECK_ANSWER("SELECT v FROM (SELECT parse_json('1') AS v) GROUP BY v", "[GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE]");
    CHECK_ANSWER("SELECT map(1, 2) INTERSECT SELECT map(1, 2)", "[UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE]");
    CHECK_ANSWER("SELECT DISTINCT parse_json('1')", "[UNSUPPORTED_FEATURE.SET_OPERATION_ON_VARIANT_TYPE]");
    CHECK_ANSWER("SELECT map(1, 2) AS m ORDER BY m", "[DATATYPE_MISMATCH.INVALID_ORDERING_TYPE]");
}

/* Spark's IN (SELECT ..) as a value is a join that looks for a match: it has no third answer. */
TEST(in_a_subquery_is_never_in_doubt)
{
    CHECK_ANSWER("SELECT a IN (SELECT * FROM VALUES (1), (NULL)), a NOT IN (SELECT * FROM VALUES (1), (NULL)) "
                 "FROM VALUES (1), (2), (NULL) AS t(a) ORDER BY a",
                 "false, false\ntrue, false\nfalse, false");
    CHECK_ANSWER("SELECT count(*) FROM VALUES (1), (2) AS t(a) WHERE (a IN (SELECT CAST(NULL AS INT))) IS NULL", "0");
    CHECK_ANSWER("SELECT NULL IN (SELECT 1)", "NULL");
}

TEST(times_have_buckets)
{
#define LA "SET TIME ZONE 'America/Los_Angeles';"
    CHECK_ANSWER("SELECT time_bucket(INTERVAL '15' MINUTE, TIMESTAMP'2024-01-01 10:37:00'), "
                 "time_bucket(INTERVAL '7' HOUR, TIMESTAMP_NTZ'1969-03-10 04:30:00')",
                 "2024-01-01 10:30:00, 1969-03-10 02:00:00");
    CHECK_ANSWER(LA "SELECT time_bucket(INTERVAL '3' HOUR, TIMESTAMP'2024-07-01 10:37:00'), "
                    "time_bucket(INTERVAL '36' HOUR, TIMESTAMP'2024-07-01 10:37:00'), "
                    "time_bucket(INTERVAL '1 02:00:00' DAY TO SECOND, TIMESTAMP'2024-07-01 10:37:00')",
                 "2024-07-01 17:00:00, 2024-07-01 07:00:00, 2024-07-01 11:00:00");
    CHECK_ANSWER(
        "SELECT time_bucket(INTERVAL '5' MONTH, TIMESTAMP'1969-04-11 01:00:00', TIMESTAMP'2020-01-31 05:00:00'), "
        "time_bucket(INTERVAL '1' MONTH, TIMESTAMP'2024-07-15 08:30:00', TIMESTAMP'2024-01-31 09:00:00')",
        "1969-03-31 05:00:00, 2024-06-30 09:00:00");
    CHECK_ANSWER(
        "SELECT time_bucket(CAST(NULL AS INTERVAL DAY), current_timestamp()), time_bucket(INTERVAL '1' DAY, NULL)",
        "NULL, NULL");
    CHECK_ANSWER("SELECT time_bucket(INTERVAL '0' DAY, current_timestamp())", "[DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE]");
    CHECK_ANSWER("SELECT time_bucket(INTERVAL '1' DAY, current_date())", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
#undef LA
}

TEST(functions_spelled_as_words)
{
    CHECK_ANSWER("SELECT when(false, 1, true, 2, 3), when(false, 1), `when`(false, 1, 3)", "2, NULL, 3");
    CHECK_ANSWER("SELECT count(when(c > 1, c)) FROM VALUES (1), (2) AS t(c)", "1");
    CHECK_ANSWER("SELECT in(1, 1, 2), between(1, 0, 2), and(true, false), or(true, false), div(7, 2)",
                 "true, true, false, true, 3");
    CHECK_ANSWER("SELECT `!`(true), `%`(5, 3), `<=>`(1, null), `>>`(4, 1)", "false, 2, false, 2");
    CHECK_ANSWER("SELECT CASE WHEN (1 = 1) THEN 2 END, CASE 1 WHEN (1) THEN 3 END", "2, 3");
    CHECK_ANSWER("SELECT 1 IN (1, 2) AND (3 BETWEEN (1) AND (4)) OR (false)", "true");
}

/* What Spark 4.2 says of the same. */
TEST(schemas_of_variants)
{
    static const struct {
        const char *json, *schema;
    } cases[] = {
        {"null", "VOID"},
        {"1", "BIGINT"},
        {"true", "BOOLEAN"},
        {"\"a\"", "STRING"},
        {"1.50", "DECIMAL(2,1)"},
        {"100.00", "DECIMAL(3,0)"},
        {"0.0", "DECIMAL(1,0)"},
        {"-0.001", "DECIMAL(3,3)"},
        {"1e10", "DOUBLE"},
        {"12345678901234567890", "DECIMAL(20,0)"},
        {"[]", "ARRAY<VOID>"},
        {"{}", "OBJECT<>"},
        {"[null, 1]", "ARRAY<BIGINT>"},
        {"[1, 1.5]", "ARRAY<DECIMAL(21,1)>"},
        {"[1, 1.0]", "ARRAY<DECIMAL(20,0)>"},
        {"[1, 1e5]", "ARRAY<DOUBLE>"},
        {"[1.25, 100.5]", "ARRAY<DECIMAL(5,2)>"},
        {"[12345678901234567890123456789012345678, 0.5]", "ARRAY<DOUBLE>"},
        {"[1, true]", "ARRAY<VARIANT>"},
        {"[[1], 2]", "ARRAY<VARIANT>"},
        {"[[], [1]]", "ARRAY<ARRAY<BIGINT>>"},
        {"[{\"a\": 1}, null]", "ARRAY<OBJECT<a: BIGINT>>"},
        {"[{\"b\": 1, \"a\": 2}, {\"c\": \"x\", \"a\": 1.5}]", "ARRAY<OBJECT<a: DECIMAL(21,1), b: BIGINT, c: STRING>>"},
        {"{\"a b\": 1, \"x`y\": 2, \"1a\": 3, \"_1\": 4, \"\": null}",
         "OBJECT<``: VOID, `1a`: BIGINT, _1: BIGINT, `a b`: BIGINT, `x``y`: BIGINT>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char sql[512];
        snprintf(sql, sizeof sql, "SELECT schema_of_variant(parse_json('%s'))", cases[i].json);
        CHECK_ANSWER(sql, cases[i].schema);
    }
    CHECK_ANSWER("SELECT schema_of_variant(1.5F::variant), schema_of_variant(X'41'::variant), "
                 "schema_of_variant(CAST(NULL AS VARIANT))",
                 "FLOAT, BINARY, NULL");
}

TEST(schemas_of_groups_of_variants)
{
    CHECK_ANSWER(
        "SELECT k, schema_of_variant_agg(parse_json(j)) FROM VALUES (1, '{\"a\": [1]}'), (1, '{\"a\": [\"x\"]}'), "
        "(2, '[1]'), (2, null), (2, 'null'), (2, '[1.5]'), (3, null) AS t(k, j) GROUP BY k ORDER BY k",
        "1, OBJECT<a: ARRAY<VARIANT>>\n2, ARRAY<DECIMAL(21,1)>\n3, VOID");
    CHECK_ANSWER("SELECT schema_of_variant_agg(v) FROM VALUES (DATE'2020-01-01'::variant), "
                 "(TIMESTAMP_NTZ'2020-01-01 00:00:00'::variant) AS t(v)",
                 "TIMESTAMP_NTZ");
    CHECK_ANSWER("SELECT schema_of_variant_agg(v) FROM VALUES (1.5F::variant), (1::variant) AS t(v)", "FLOAT");
    CHECK_ANSWER("SELECT schema_of_variant_agg(v) FROM VALUES (1.5F::variant), (1.5BD::variant) AS t(v)", "DOUBLE");
    // many members, which come in every order
    CHECK_ANSWER(
        "SELECT length(schema_of_variant_agg(parse_json('{\"k' || id * 7919 % 1000 || '\":1}'))) FROM range(3000)",
        "13896");
    CHECK_ANSWER("SELECT schema_of_variant_agg('a')", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]");
}
