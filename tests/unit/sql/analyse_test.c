/* Names, types and messages of analysed queries and pipelines; Spark 4.2 is the oracle. */
#include "kit.h"
#include "sql_kit.h"

#include <stdlib.h>

/* ---- queries without tables ---- */

TEST(query_schemas)
{
    static const struct {
        const char *sql, *schema;
    } queries[] = {
        {"SELECT 1, 2L, 3S, 4Y, 1.10, 1e2, 5D, 'x', true, NULL, X'1f', 9999999999, .5, 0.01",
         "struct<1:int,2:bigint,3:smallint,4:tinyint,1.10:decimal(3,2),100.0:double,5.0:double,x:string,true:boolean,NULL:void,"
         "X'1F':binary,9999999999:bigint,0.5:decimal(1,1),0.01:decimal(2,2)>"},
        {"SELECT -1, - 1, -(1), -9223372036854775808", "struct<-1:int,-1:int,(- 1):int,-9223372036854775808:bigint>"},
        {"SELECT 5 / 2, 5 div 2, -7 % 3, '1' = 1, 1 + 1.5",
         "struct<(5 / 2):double,(5 div 2):bigint,(-7 % 3):int,(1 = 1):boolean,(1 + 1.5):decimal(3,1)>"},
        {"SELECT CAST('1' AS DECIMAL(12,2)) AS a, TRY_CAST('x' AS INT), '1' :: int",
         "struct<a:decimal(12,2),TRY_CAST(x AS INT):int,CAST(1 AS INT):int>"},
        {"SELECT CASE WHEN true THEN 1 ELSE 2L END, CASE 1 WHEN 1 THEN 'a' END",
         "struct<CASE WHEN true THEN 1 ELSE 2 END:bigint,CASE WHEN (1 = 1) THEN a END:string>"},
        {"SELECT 'a' || 'b', 1 IS NULL, NOT true, 1 BETWEEN 0 AND 2, 1 IN (1, 2), 'a' LIKE 'b', 1 <> 2",
         "struct<concat(a, b):string,(1 IS NULL):boolean,(NOT true):boolean,between(1, 0, "
         "2):boolean,(1 IN (1, 2)):boolean,"
         "a LIKE b:boolean,(NOT (1 = 2)):boolean>"},
        {"SELECT a.x, a.s.f, s.f AS g FROM VALUES (1, named_struct('f', 2)) AS a(x, s)", "struct<x:int,f:int,g:int>"},
        {"SELECT X, y + x FROM VALUES (1, 2L) t(x, y)", "struct<X:int,(y + x):bigint>"},
        {"SELECT * FROM VALUES (1, 'a'), (2.5, NULL)", "struct<col1:decimal(11,1),col2:string>"},
        {"SELECT * EXCEPT (b) FROM VALUES (1, 2, 3) t(a, b, c)", "struct<a:int,c:int>"},
        {"SELECT s.* FROM VALUES (named_struct('p', 1, 'q', 'x')) t(s)", "struct<p:int,q:string>"},
        {"SELECT 1 AS a, a + 1 AS b, b * 2L AS c", "struct<a:int,b:int,c:bigint>"},
        {"SELECT count(*), count(1), sum(x), avg(x), max(x) + 1 FROM VALUES (1) t(x)",
         "struct<count(1):bigint,count(1):bigint,sum(x):bigint,avg(x):double,(max(x) + 1):int>"},
        {"SELECT x % 2 AS k, sum(y) / count(*) + 1 AS r FROM VALUES (1, 2) t(x, y) GROUP BY k HAVING r > 0",
         "struct<k:int,r:double>"},
        {"SELECT x, sum(y) FROM VALUES (1, 2) t(x, y) GROUP BY 1", "struct<x:int,sum(y):bigint>"},
        {"SELECT x, y, sum(z) FROM VALUES (1, 2, 3) t(x, y, z) GROUP BY ALL", "struct<x:int,y:int,sum(z):bigint>"},
        {"SELECT explode(array(1, 2)), 'x' AS y", "struct<col:int,y:string>"},
        {"SELECT explode(map('a', 1)) AS (k, v)", "struct<k:string,v:int>"},
        {"SELECT t.a, e.c FROM VALUES (array(1)) t(a) LATERAL VIEW explode(a) e AS c", "struct<a:array<int>,c:int>"},
        {"SELECT p, c FROM VALUES (array('x')) t(a) LATERAL VIEW OUTER posexplode(a) e AS p, c",
         "struct<p:int,c:string>"},
        {"SELECT inline(array(named_struct('a', 1, 'b', 'x')))", "struct<a:int,b:string>"},
        {"SELECT stack(2, 1, 'a', 2, 'b')", "struct<col0:int,col1:string>"},
        {"SELECT 1 AS a UNION ALL SELECT 2L", "struct<a:bigint>"},
        {"SELECT 1 AS a, 'x' AS b UNION ALL BY NAME SELECT 'y' AS b, 2 AS a", "struct<a:int,b:string>"},
        {"SELECT from_json('{}', 'a INT, b ARRAY<STRING>') AS j", "struct<j:struct<a:int,b:array<string>>>"},
        {"SELECT from_json(max(x), 'a INT') FROM VALUES ('{}') t(x)", "struct<from_json(max(x)):struct<a:int>>"},
        {"SELECT from_json('[1]', 'ARRAY<INT>')[0]", "struct<from_json([1])[0]:int>"},
        {"SELECT l.a, r.b FROM VALUES (1, 2) l(i, a) LEFT JOIN VALUES (1, 3) r(i, b) USING (i)", "struct<a:int,b:int>"},
        {"SELECT * FROM VALUES (1, 2) l(i, a) JOIN VALUES (1, 3) r(i, b) USING (i)", "struct<i:int,a:int,b:int>"},
        {"SELECT rank() OVER (PARTITION BY x ORDER BY y) AS r, sum(y) OVER (PARTITION BY x) AS s FROM VALUES (1, 2) t(x, y)",
         "struct<r:int,s:bigint>"},
        {"SELECT (SELECT max(x) FROM VALUES (1) t(x)) AS m, EXISTS (SELECT 1) AS e, 1 IN (SELECT 2) AS i",
         "struct<m:int,e:boolean,i:boolean>"},
        {"WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT * FROM a, b", "struct<x:int,y:int>"},
        {"FROM VALUES (1, 2) t(a, b) |> WHERE t.a > 0 |> EXTEND a + b AS c |> SET b = 'x' |> DROP a",
         "struct<b:string,c:int>"},
        {"FROM VALUES (1, 2) t(a, b) |> AGGREGATE sum(b) AS s GROUP BY a", "struct<a:int,s:bigint>"},
        {"SELECT INTERVAL 5 MINUTES AS a, INTERVAL '1-2' YEAR TO MONTH AS b",
         "struct<a:interval minute,b:interval year to month>"},
        {"SELECT s.f + 1, t.x + 1, t.s.f, (1, 2), current_date FROM VALUES (1, named_struct('f', 2)) t(x, s)",
         "struct<(s.f + 1):int,(x + 1):int,f:int,named_struct(col1, 1, col2, 2):struct<col1:int,col2:int>,current_date():date>"},
        {"SELECT struct(1 AS a, 'x') AS s, (1, 2) AS r",
         "struct<s:struct<a:int,col2:string>,r:struct<col1:int,col2:int>>"},
    };
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct fixture fixture;
        fixture_open(&fixture);
        const char *got = query_schema(&fixture, queries[i].sql);
        if (strcmp(got, queries[i].schema) != 0)
            kit_fail(__FILE__, __LINE__, "%s\n got %s\nwant %s", queries[i].sql, got, queries[i].schema);
        fixture_close(&fixture);
    }
}

TEST(query_errors)
{
    static const struct {
        const char *sql, *start;
    } queries[] = {
        {"SELECT x FROM VALUES (1) t(abc)",
         "1:8: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name `x` cannot be resolved. Did you mean one of the following? [`abc`]."},
        {"SELECT x", "1:8: [UNRESOLVED_COLUMN.WITHOUT_SUGGESTION]"},
        {"SELECT a FROM VALUES (1) t(a), VALUES (2) u(a)",
         "1:8: [AMBIGUOUS_REFERENCE] Reference `a` is ambiguous, could be: [`t`.`a`, `u`.`a`]."},
        {"SELECT s.g FROM VALUES (named_struct('f', 1)) t(s)", "1:8: [FIELD_NOT_FOUND]"},
        {"SELECT * FROM nowhere", "1:15: [TABLE_OR_VIEW_NOT_FOUND]"},
        {"SELECT nosuch(1)", "1:8: [UNRESOLVED_ROUTINE]"},
        {"SELECT x, count(*) FROM VALUES (1) t(x)", "1:8: [MISSING_GROUP_BY]"},
        {"SELECT x, y, count(*) FROM VALUES (1, 2) t(x, y) GROUP BY x", "1:11: [MISSING_AGGREGATION]"},
        {"SELECT sum(sum(x)) FROM VALUES (1) t(x)", "1:12: [NESTED_AGGREGATE_FUNCTION]"},
        {"SELECT x FROM VALUES (1) t(x) WHERE sum(x) > 1", "1:37: [INVALID_WHERE_CONDITION]"},
        {"SELECT x FROM VALUES (1) t(x) WHERE x", "1:37: [DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN]"},
        {"SELECT x FROM VALUES (1) t(x) GROUP BY 2", "1:40: [GROUP_BY_POS_OUT_OF_RANGE]"},
        {"SELECT x FROM VALUES (1) t(x) GROUP BY sum(x)", "1:40: [GROUP_BY_AGGREGATE]"},
        {"SELECT x FROM VALUES (1) t(x) ORDER BY 3", "1:40: [ORDER_BY_POS_OUT_OF_RANGE]"},
        {"SELECT 1 UNION SELECT 1, 2", "1:10: [NUM_COLUMNS_MISMATCH]"},
        {"SELECT array(1) UNION SELECT 1", "1:17: [INCOMPATIBLE_COLUMN_TYPE]"},
        {"VALUES (1), (1, 2)", "1:13: [INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH]"},
        {"SELECT 128Y", "1:8: [INVALID_NUMERIC_LITERAL_RANGE]"},
        {"SELECT DATE '2024-13-01'", "1:8: [INVALID_TYPED_LITERAL]"},
        {"SELECT explode(1)", "1:16: [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]"},
        {"SELECT explode(array(1)), explode(array(2)), count(*)", "1:27: [UNSUPPORTED_GENERATOR.MULTI_GENERATOR]"},
        {"SELECT 1 + explode(array(1))", "1:12: [UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS]"},
        {"SELECT 1 WHERE explode(array(1)) = 1", "1:16: [UNSUPPORTED_GENERATOR.OUTSIDE_SELECT]"},
        {"SELECT from_json(1, 'a INT')", "1:18: [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]"},
        {"SELECT from_json('', 'a INT', map('mode', 'DROPMALFORMED'))", "1:31: [PARSE_MODE_UNSUPPORTED]"},
        {"SELECT from_json('', 'a INT, _corrupt_record INT')", "1:8: [INVALID_CORRUPT_RECORD_TYPE]"},
        {"SELECT * FROM VALUES (1) t(a) LIMIT -1", "1:37: [INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE]"},
        {"SELECT CAST(array(1) AS INT)", "1:8: [DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION]"},
        {"SELECT nope.* FROM VALUES (1) t(a)", "1:8: [CANNOT_RESOLVE_STAR_EXPAND]"},
        {"SELECT upper(DISTINCT 'a')", "1:8: [INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX]"},
    };
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct fixture fixture;
        fixture_open(&fixture);
        const char *got = query_schema(&fixture, queries[i].sql);
        if (strncmp(got, queries[i].start, strlen(queries[i].start)) != 0)
            kit_fail(__FILE__, __LINE__, "%s\n got %s\nwant %s", queries[i].sql, got, queries[i].start);
        fixture_close(&fixture);
    }
}

/* Aliases that double: the tree would have 2^40 nodes. */
TEST(aliases_do_not_explode)
{
    struct fixture fixture;
    struct text sql = {0};
    fixture_open(&fixture);
    text_add_string(&sql, "SELECT x AS a0");
    for (int i = 0; i < 40; i++)
        text_printf(&sql, ", a%d + a%d AS a%d", i, i, i + 1);
    text_add_string(&sql, " FROM VALUES (1) t(x)");
    CHECK(strstr(query_schema(&fixture, sql.data), "SQL_WEIGHT_MAX") != NULL);
    text_free(&sql);
    fixture_close(&fixture);
}

/* A chain of aliases is one deep expression. */
TEST(aliases_do_not_pile_up)
{
    struct fixture fixture;
    struct text sql = {0};
    fixture_open(&fixture);
    text_add_string(&sql, "SELECT x AS a0");
    for (int i = 0; i < 3900; i++)
        text_printf(&sql, ", a%d + 1 + 1 + 1 + 1 AS a%d", i, i + 1);
    text_add_string(&sql, " FROM VALUES (1) t(x)");
    CHECK(strstr(query_schema(&fixture, sql.data), "levels once its aliases") != NULL);
    text_free(&sql);
    fixture_close(&fixture);
}

/* The same through views: merging them stops in time. */
TEST(views_do_not_explode)
{
    struct fixture fixture;
    struct text sql = {0};
    fixture_open(&fixture);
    text_add_string(&sql, "CREATE TEMPORARY VIEW v0 AS SELECT v FROM STREAM a;");
    for (int i = 0; i < 60; i++)
        text_printf(&sql, "CREATE TEMPORARY VIEW v%d AS SELECT v * 0 + v * 0 AS v FROM STREAM v%d;", i + 1, i);
    text_add_string(&sql, "CREATE STREAMING TABLE t AS SELECT v FROM STREAM v60");
    CHECK(strlen(fixture_graph(&fixture, sql.data)) > 100);
    text_free(&sql);
    fixture_close(&fixture);
}

/* ---- pipelines ---- */

static void check_refused(const char *file, int line, const char *sql, const char *message)
{
    struct fixture fixture;
    fixture_open(&fixture);
    if (fixture_analyse(&fixture, sql) == E_OK)
        kit_fail(file, line, "accepted: %s", sql);
    else if (strcmp(fixture.err.text, message) != 0)
        kit_fail(file, line, "%s\n got %s\nwant %s", sql, fixture.err.text, message);
    fixture_close(&fixture);
}
#define CHECK_REFUSED(sql, message) check_refused(__FILE__, __LINE__, (sql), (message))

TEST(streaming_rules)
{
    CHECK_REFUSED(
        "CREATE STREAMING TABLE t AS SELECT k, count(*) FROM STREAM a GROUP BY k",
        "t.sql:1:29: [STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION] Invalid streaming output mode: append. This output mode is "
        "not supported for streaming aggregations without watermark: a group would never be complete.\n"
        "   1 | CREATE STREAMING TABLE t AS SELECT k, count(*) FROM STREAM a GROUP BY k\n"
        "     |                             ^^^^^^\n"
        "hint: put WATERMARK time DELAY OF INTERVAL 5 MINUTES behind the stream and group by window(time, '1 minute')");
    CHECK_REFUSED("CREATE STREAMING TABLE t AS SELECT k FROM STREAM a ORDER BY k",
                  "t.sql:1:52: [STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION] ORDER BY is not supported on a stream.\n"
                  "   1 | CREATE STREAMING TABLE t AS SELECT k FROM STREAM a ORDER BY k\n"
                  "     |                                                    ^^^^^^^^\n"
                  "hint: a stream has no end to sort at: sort where the table is read");
    CHECK_REFUSED(
        "CREATE STREAMING TABLE t AS SELECT a.k FROM STREAM a LEFT JOIN STREAM b ON a.k = b.k",
        "t.sql:1:54: [_LEGACY_ERROR_TEMP_3102] Stream-stream LeftOuter join between two streaming DataFrame/Datasets is not "
        "supported without a watermark in the join keys, or a watermark on the nullable side and an appropriate range "
        "condition: it would never be known that no match comes.\n"
        "   1 | CREATE STREAMING TABLE t AS SELECT a.k FROM STREAM a LEFT JOIN STREAM b ON a.k = b.k\n"
        "     |                                                      ^^^^^^^^^\n"
        "hint: put WATERMARK time DELAY OF INTERVAL .. behind both streams and bound the time in ON");
    CHECK_REFUSED(
        "CREATE STREAMING TABLE t AS SELECT DISTINCT k FROM STREAM a",
        "t.sql:1:29: [STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION] Invalid streaming output mode: append. This output mode is "
        "not supported for streaming aggregations without watermark: every row would be remembered for ever.\n"
        "   1 | CREATE STREAMING TABLE t AS SELECT DISTINCT k FROM STREAM a\n"
        "     |                             ^^^^^^\n"
        "hint: put WATERMARK time DELAY OF INTERVAL .. behind the stream and keep the time in the list");
    CHECK_REFUSED(
        "CREATE STREAMING TABLE t AS SELECT topic FROM src",
        "t.sql:1:47: [INCOMPATIBLE_STREAMING_VIEW_READ] View `src` is a streaming view and must be referenced as a stream.\n"
        "   1 | CREATE STREAMING TABLE t AS SELECT topic FROM src\n"
        "     |                                               ^^^\n"
        "hint: write STREAM in front of it");
    CHECK_REFUSED(
        "CREATE STREAMING TABLE t AS SELECT 1 AS x",
        "t.sql:1:29: [INVALID_FLOW_QUERY_TYPE.BATCH_RELATION_FOR_STREAMING_TABLE] Flow `t` returns an invalid relation type. "
        "Streaming tables may only be defined by streaming relations.\n"
        "   1 | CREATE STREAMING TABLE t AS SELECT 1 AS x\n"
        "     |                             ^^^^^^\n"
        "hint: read its input with STREAM");
    CHECK_REFUSED(
        "CREATE STREAMING TABLE t AS SELECT * FROM STREAM a WATERMARK k DELAY OF INTERVAL 1 MINUTE",
        "t.sql:1:62: [EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE] The event time `k` has the invalid type \"STRING\", but expected "
        "\"TIMESTAMP\".\n"
        "   1 | CREATE STREAMING TABLE t AS SELECT * FROM STREAM a WATERMARK k DELAY OF INTERVAL 1 MINUTE\n"
        "     |                                                              ^\n"
        "hint: cast it: WATERMARK try_cast(x AS TIMESTAMP) AS at DELAY OF ..");
}

TEST(graph_errors)
{
    CHECK_REFUSED(
        "CREATE VIEW v AS SELECT * FROM STREAM w; CREATE VIEW w AS SELECT * FROM STREAM v; CREATE "
        "STREAMING TABLE t AS SELECT * FROM STREAM v",
        "t.sql:1:73: [PIPELINE_GRAPH_NOT_TOPOLOGICALLY_SORTED] There is a cycle: `v` reads itself, at least through others.\n"
        "   1 | CREATE VIEW v AS SELECT * FROM STREAM w; CREATE VIEW w AS SELECT * FROM STREAM v; CREATE STREAMING TABLE t AS SELECT * FROM STREAM v\n"
        "     |                                                                         ^^^^^^^^");
    CHECK_REFUSED(
        "CREATE STREAMING TABLE t AS SELECT * FROM STREAM scr",
        "t.sql:1:43: [TABLE_OR_VIEW_NOT_FOUND] The table or view `scr` cannot be found. Verify the spelling and correctness of "
        "the schema and catalog.\n"
        "   1 | CREATE STREAMING TABLE t AS SELECT * FROM STREAM scr\n"
        "     |                                           ^^^^^^^^^^\n"
        "hint: did you mean `src`?");
    CHECK_REFUSED(
        "CREATE STREAMING TABLE t AS SELECT k, k FROM STREAM a",
        "t.sql:1:29: [COLUMN_ALREADY_EXISTS] The column `k` already exists. Choose another name or rename the existing column.\n"
        "   1 | CREATE STREAMING TABLE t AS SELECT k, k FROM STREAM a\n"
        "     |                             ^^^^^^\n"
        "hint: give one of them another name with AS");
    CHECK_REFUSED(
        "CREATE STREAMING TABLE t (k INT) AS SELECT k FROM STREAM a",
        "t.sql:1:37: [INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST] Cannot write incompatible data for the table `t`: Cannot "
        "safely cast `k` \"STRING\" to \"INT\".\n"
        "   1 | CREATE STREAMING TABLE t (k INT) AS SELECT k FROM STREAM a\n"
        "     |                                     ^^^^^^\n"
        "hint: cast `k` in the query");
    CHECK_REFUSED(
        "CREATE STREAMING TABLE src AS SELECT k FROM STREAM a",
        "t.sql:1:24: [PIPELINE_DUPLICATE_IDENTIFIERS.OUTPUT] A duplicate identifier was found: `src` is a source already.\n"
        "   1 | CREATE STREAMING TABLE src AS SELECT k FROM STREAM a\n"
        "     |                        ^^^");
    CHECK_REFUSED("CREATE STREAMING TABLE t",
                  "t.sql:1:24: [PIPELINE_DATASET_WITHOUT_FLOW] Pipeline dataset `t` does not have any defined flows.\n"
                  "   1 | CREATE STREAMING TABLE t\n"
                  "     |                        ^\n"
                  "hint: write AS SELECT .., or CREATE FLOW f AS INSERT INTO ..");
    CHECK_REFUSED(
        "CREATE STREAMING TABLE t; CREATE FLOW f AS AUTO CDC INTO t FROM STREAM a KEYS (k) "
        "SEQUENCE BY at",
        "t.sql:1:27: [UNSUPPORTED_FEATURE] leat cannot do this yet: AUTO CDC flows\n"
        "   1 | CREATE STREAMING TABLE t; CREATE FLOW f AS AUTO CDC INTO t FROM STREAM a KEYS (k) SEQUENCE BY at\n"
        "     |                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^");
    CHECK_REFUSED("SET a = b",
                  "[RUN_EMPTY_PIPELINE] Pipelines are expected to have at least one non-temporary dataset defined.\n"
                  "hint: write CREATE STREAMING TABLE name AS SELECT .. into transformations/*.sql");
}

TEST(every_problem_is_told_once)
{
    struct fixture fixture;
    fixture_open(&fixture);
    CHECK(fixture_analyse(&fixture, "CREATE VIEW v AS SELECT nope FROM STREAM a;\n"
                                    "CREATE STREAMING TABLE t AS SELECT * FROM STREAM v;\n"
                                    "CREATE STREAMING TABLE u AS SELECT * FROM STREAM v;\n"
                                    "CREATE STREAMING TABLE w AS SELECT nix FROM STREAM a") == E_SQL);
    CHECK_INT(fixture.problems.count, 2);
    CHECK(strncmp(fixture.problems.texts[0], "t.sql:1:25: [UNRESOLVED_COLUMN", 30) == 0);
    CHECK(strncmp(fixture.problems.texts[1], "t.sql:4:36: [UNRESOLVED_COLUMN", 30) == 0);
    CHECK_STR(fixture.problems.texts[0], fixture.err.text);
    fixture_close(&fixture);
}

TEST(table_properties)
{
    struct fixture fixture;
    fixture_open(&fixture);
    fixture_graph(&fixture, "CREATE STREAMING TABLE t (v BIGINT, k STRING COMMENT 'key') PARTITIONED BY (K) COMMENT "
                            "'c' TBLPROPERTIES ('leat.format' = 'csv', 'leat.path' = '/x', 'n' = 3) AS SELECT k, v "
                            "FROM STREAM a");
    const struct pipeline_table *table = fixture.pipeline->tables[0];
    CHECK_STR(table->format, "csv");
    CHECK_STR(table->path, "/x");
    CHECK_STR(table->comment, "c");
    CHECK_STR(table_property(table, "N"), "3");
    CHECK_INT(table->partition_count, 1);
    CHECK_STR(table->partition_columns[0], "k");
    struct text shown = {0};
    type_print(table->schema, &shown);
    CHECK_STR(shown.data, "struct<v:bigint,k:string>");
    CHECK(type_equal(table->flows[0]->schema, table->schema));
    text_free(&shown);
    fixture_close(&fixture);
}

TEST(databricks_sources)
{
    struct fixture fixture;
    fixture_open(&fixture);
    fixture_graph(&fixture, "CREATE OR REFRESH STREAMING TABLE t AS SELECT CAST(value AS STRING) AS v FROM STREAM "
                            "read_kafka(bootstrapServers => 'h:9092', subscribe => 'x', maxOffsetsPerTrigger => "
                            "10);CREATE STREAMING TABLE u AS SELECT offset FROM STREAM read_kafka(bootstrapServers "
                            "=> 'h:9092', subscribe => 'x', maxOffsetsPerTrigger => 10) AS k;CREATE STREAMING TABLE "
                            "w AS SELECT i FROM STREAM read_files('/in', format => 'json', schema => 'i INT')");
    CHECK_INT(fixture.pipeline->source_count, 2);
    const struct pipeline_source *source = fixture.pipeline->sources[0];
    CHECK_STR(source->name, "read_kafka_x");
    CHECK_STR(source->options[0].name, "kafka.bootstrap.servers");
    CHECK_STR(source->options[2].value, "10");
    CHECK_STR(fixture.pipeline->sources[1]->format, "json");
    CHECK_INT(fixture.pipeline->warning_count,
              4 + 3 + 2); // sources of the fixture are not read; no zone, no startingOffsets
    fixture_close(&fixture);
}

#define READ_KAFKA "SELECT offset FROM STREAM read_kafka(bootstrapServers => 'h:1', subscribe => "

/* Their names are what the checkpoint knows: not their places in the text. */
TEST(databricks_sources_are_named_by_what_they_read)
{
    static const char *const names[] = {"read_kafka_orders_eu_1", "read_kafka_x", "read_kafka_x_2"};
    struct fixture fixture;
    fixture_open(&fixture);
    fixture_graph(&fixture, "CREATE STREAMING TABLE t AS " READ_KAFKA "'orders-eu.1');"
                            "CREATE STREAMING TABLE u AS " READ_KAFKA "'x');"
                            "CREATE STREAMING TABLE v AS " READ_KAFKA "'x', maxOffsetsPerTrigger => 1)");
    CHECK_INT(fixture.pipeline->source_count, 3);
    for (int32_t i = 0; i < 3; i++)
        CHECK_STR(fixture.pipeline->sources[i]->name, names[i]);
    fixture_close(&fixture);
}

TEST(windows_carry_event_time)
{
    struct fixture fixture;
    fixture_open(&fixture);
    fixture_graph(&fixture, "CREATE TEMPORARY VIEW m AS SELECT window AS w, window.end AS e, sum(v) AS s FROM STREAM "
                            "a WATERMARK at DELAY OF INTERVAL 10 SECONDS GROUP BY window(at, '1 minute');CREATE "
                            "STREAMING TABLE h AS SELECT window.start, sum(s) AS s FROM STREAM m GROUP BY window(w, "
                            "'1 hour');CREATE STREAMING TABLE d AS SELECT at, count(*) AS n FROM STREAM a WATERMARK "
                            "at DELAY OF INTERVAL 1 DAY GROUP BY at");
    CHECK_INT(fixture.pipeline->watermark_count, 2);
    fixture_close(&fixture);
}

static uint64_t fingerprint_of(struct fixture *fixture, const char *view, const char *group, const char *other)
{
    struct text sql = {0};
    text_printf(&sql,
                "%s; CREATE TEMPORARY VIEW v AS SELECT %s FROM STREAM a WHERE v > 0;"
                "CREATE STREAMING TABLE t AS SELECT key, count(*) AS n FROM STREAM v WATERMARK at %s",
                other, view, group);
    fixture_graph(fixture, sql.data);
    text_free(&sql);
    return fixture->pipeline == NULL ? 0 : fixture->pipeline->fingerprint;
}

TEST(the_fingerprint_follows_state)
{
    static const char group[] = "DELAY OF INTERVAL 1 MINUTE GROUP BY key, window(at, '10 seconds')";
    static const char later[] = "DELAY OF INTERVAL 2 MINUTES GROUP BY key, window(at, '10 seconds')";
    static const char wider[] = "DELAY OF INTERVAL 1 MINUTE GROUP BY key, window(at, '20 seconds')";
    struct fixture fixture;
    fixture_open(&fixture);
    uint64_t first = fingerprint_of(&fixture, "k AS key, at", group, "");
    CHECK(first == fingerprint_of(&fixture, "k AS key, at", group, ""));
    // other tables, other columns, another order of columns: the state is the same
    CHECK(first ==
          fingerprint_of(&fixture, "k AS key, at", group, "CREATE STREAMING TABLE u AS SELECT v FROM STREAM b"));
    CHECK(first ==
          fingerprint_of(&fixture, "k AS key, at", group, "CREATE STREAMING TABLE u AS SELECT * FROM STREAM v"));
    CHECK(first == fingerprint_of(&fixture, "at, v + 1 AS w, k AS key", group,
                                  "CREATE STREAMING TABLE u AS SELECT w FROM STREAM v"));
    CHECK(first != fingerprint_of(&fixture, "upper(k) AS key, at", group, ""));
    CHECK(first != fingerprint_of(&fixture, "k AS key, at", later, ""));
    CHECK(first != fingerprint_of(&fixture, "k AS key, at", wider, ""));
    fixture_close(&fixture);
}

TEST(expressions_over_a_schema)
{
    struct fixture fixture;
    fixture_open(&fixture);
    const struct field fields[2] = {{"a", type_of(TYPE_INT32), true}, {"b", type_of(TYPE_STRING), true}};
    const struct type *schema = type_struct(&fixture.arena, fields, 2);
    const struct expr *expr;
    CHECK(sql_expression(&fixture.arena, bytes_of_string("a + 1 > 2 AND b IS NOT NULL"), schema, &fixture.session,
                         &expr, &fixture.err) == E_OK);
    CHECK_INT(expr->type->id, TYPE_BOOLEAN);
    CHECK(sql_expression(&fixture.arena, bytes_of_string("c"), schema, &fixture.session, &expr, &fixture.err) == E_SQL);
    fixture_close(&fixture);
}
