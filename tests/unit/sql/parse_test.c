/* What the parser takes, what it refuses, and where it points. */
#include "kit.h"
#include "sql/lex.h"
#include "sql/parse.h"

#include <stdio.h>
#include <stdlib.h>

static enum code parse_one(struct arena *arena, const char *sql, bool script, struct error *err)
{
    struct sql_file file = {"t.sql", bytes_of_string(sql)};
    struct notes notes = {.arena = arena, .files = &file, .file_count = 1};
    struct ast_script statements;
    struct ast_query *query;
    *err = (struct error){0};
    return script ? parse_script(arena, &file, &notes, &statements, err)
                  : parse_query_text(arena, &file, &notes, &query, err);
}

static void check_taken(const char *sql, bool script)
{
    struct arena arena = {0};
    struct error err;
    if (parse_one(&arena, sql, script, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s\n%s", sql, err.text);
    arena_free(&arena);
}

TEST(parse_takes_queries)
{
    static const char *const queries[] = {
        "SELECT 1",
        "SELECT 1;",
        "-- a comment\nSELECT /* one /* nested */ two */ /*+ BROADCAST(t) */ 1",
        "WITH a AS (SELECT 1 AS x), b (y) AS (SELECT x FROM a) SELECT * FROM a JOIN b ON a.x = b.y",
        "SELECT a.*, t.* EXCEPT (b, c) FROM a LEFT OUTER JOIN t USING (id) NATURAL JOIN u CROSS "
        "JOIN v",
        "SELECT * FROM a, LATERAL (SELECT a.x) s, b LEFT SEMI JOIN c ON b.i = c.i LEFT ANTI JOIN "
        "d ON true",
        "SELECT * FROM t LATERAL VIEW OUTER explode(m) e AS k, v LATERAL VIEW posexplode(a) p AS "
        "i, x WHERE k IS NOT NULL",
        "SELECT k, sum(v) FILTER (WHERE v > 0), count(DISTINCT x, y) FROM t GROUP BY ROLLUP (k, "
        "(a, b)), GROUPING SETS ((), (c))",
        "SELECT k FROM t GROUP BY k WITH CUBE HAVING count(*) > 1 ORDER BY k DESC NULLS LAST "
        "LIMIT 10 OFFSET 5",
        "SELECT k, rank() OVER (PARTITION BY k ORDER BY v ROWS BETWEEN 1 PRECEDING AND CURRENT "
        "ROW) FROM t QUALIFY 1 = 1",
        "SELECT sum(v) OVER w FROM t WINDOW w AS (PARTITION BY k), w2 AS (w), w3 AS (ORDER BY v)",
        "SELECT 1 UNION ALL SELECT 2 INTERSECT SELECT 3 EXCEPT DISTINCT (SELECT 4) UNION ALL BY "
        "NAME SELECT 5",
        "(SELECT 1) UNION (SELECT 2) ORDER BY 1",
        "VALUES (1, 'a'), (2, 'b') AS t(x, y)",
        "TABLE t",
        "FROM t",
        "FROM t SELECT a WHERE b",
        "FROM t |> WHERE a > 1 |> EXTEND a + 1 AS b |> SELECT a, b |> LIMIT 3",
        "FROM t |> AGGREGATE sum(x) AS s GROUP BY k |> SET s = s + 1 |> DROP k |> AS u |> ORDER "
        "BY s |> UNION ALL TABLE v",
        "SELECT CASE WHEN a THEN b ELSE c END, CASE x WHEN 1 THEN 2 END, CAST(a AS DECIMAL(12, "
        "2)), TRY_CAST(b AS ARRAY<MAP<STRING, INT>>)",
        "SELECT a::int::string, m['k'].b[0], s.f, v:a.b[0].c, x -> x + 1, (x, y) -> x + y, f(name "
        "=> 1)",
        "SELECT DATE '2024-01-01', TIMESTAMP'2024-01-01 00:00:00', X'1F', r'\\d', 'it''s' "
        "\"joined\", 1L, 2S, 3Y, 4D, 5F, 6BD, 1e3, .5, 1.",
        "SELECT INTERVAL 5 MINUTES, INTERVAL '1' DAY, INTERVAL '1-2' YEAR TO MONTH, INTERVAL '5 "
        "minutes', INTERVAL 1 DAY 2 HOURS",
        "SELECT a BETWEEN 1 AND 2 AND NOT b IN (1, 2) OR c LIKE 'x%' ESCAPE '!' OR d LIKE ANY "
        "('a', 'b') OR e RLIKE 'y' OR f IS NOT DISTINCT FROM g",
        "SELECT EXTRACT(YEAR FROM d), TRIM(BOTH 'x' FROM y), SUBSTRING(s FROM 1 FOR 2), "
        "POSITION('a' IN b), OVERLAY(a PLACING b FROM 1)",
        "SELECT a FROM t WHERE x IN (SELECT y FROM u) AND EXISTS (SELECT 1) AND z = (SELECT "
        "max(w) FROM u)",
        "SELECT key, value, topic, partition, offset, timestamp FROM STREAM transactions",
        "SELECT * FROM STREAM(t) WITH ('startingOffsets' = 'latest') IDENTIFIED BY n WATERMARK ts "
        "DELAY OF INTERVAL 5 MINUTES AS s",
        "SELECT * FROM (SELECT 1 AS a) WATERMARK a AS b DELAY OF INTERVAL '5' MINUTE u, t "
        "WATERMARK x DELAY OF INTERVAL 1 HOUR",
        "SELECT stream, watermark, delay, flow, cdc, window, streaming, materialized FROM stream",
        "SELECT window.start AS window_start, date, `quoted ``name` FROM t AS window",
        "SELECT first(x) IGNORE NULLS, any_value(y IGNORE NULLS), percentile(z, 0.5) WITHIN GROUP "
        "(ORDER BY z) FROM t",
        "SELECT * FROM range(10) TABLESAMPLE (10 PERCENT) AS r, explode(array(1)) AS e(x)",
        "SELECT 1st, t.order FROM `a b`.c t",
        "SELECT a !> b, a <=> b, a <> b, a != b, ~a, -a, a || b, a & b | c ^ d, a << 1 >> 2 >>> "
        "3, a DIV b, a % b",
    };
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        check_taken(queries[i], false);
}

TEST(parse_takes_statements)
{
    static const char *const scripts[] = {
        "",
        ";;",
        "SET spark.sql.shuffle.partitions = 4; USE CATALOG c; USE d",
        "CREATE STREAMING TABLE IF NOT EXISTS t (a INT NOT NULL COMMENT 'x', b STRING) USING "
        "parquet PARTITIONED BY (b) CLUSTER BY (a) COMMENT 'c' TBLPROPERTIES ('leat.format' = "
        "'csv', keep = 3) AS SELECT 1",
        "CREATE STREAMING TABLE t",
        "CREATE VIEW v (a, b COMMENT 'x') COMMENT 'c' AS SELECT 1, 2",
        "CREATE TEMPORARY VIEW v AS SELECT 1; CREATE TEMP VIEW w AS SELECT 2;",
        "CREATE MATERIALIZED VIEW m PARTITIONED BY (a STRING) AS SELECT 1",
        "CREATE FLOW f COMMENT 'c' AS INSERT INTO t BY NAME SELECT * FROM STREAM s",
        "CREATE FLOW f AS AUTO CDC INTO t FROM STREAM s KEYS (id) SEQUENCE BY ts STORED AS SCD "
        "TYPE 1",
        "CREATE OR REFRESH STREAMING TABLE t (a INT, CONSTRAINT ok EXPECT (a > 0) ON VIOLATION "
        "DROP ROW) AS SELECT 1",
        "CREATE SINK s USING kafka OPTIONS ('topic' = 't')",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
        check_taken(scripts[i], true);
}

struct refusal {
    const char *sql, *message;
};

static void check_refused(const struct refusal *refusal, bool script)
{
    struct arena arena = {0};
    struct error err;
    if (parse_one(&arena, refusal->sql, script, &err) == E_OK)
        kit_fail(__FILE__, __LINE__, "accepted: %s", refusal->sql);
    else
        CHECK_STR(err.text, refusal->message);
    arena_free(&arena);
}

TEST(parse_points_at_errors)
{
    static const struct refusal queries[] = {
        {"SELECT a FORM t WHERE x", "t.sql:1:15: [PARSE_SYNTAX_ERROR] Syntax error at or near 't'\n"
                                    "   1 | SELECT a FORM t WHERE x\n"
                                    "     |               ^\n"
                                    "hint: did you mean FROM instead of FORM?"},
        {"SELECT a\nFROM t\n\tWHER x = 1", "t.sql:3:7: [PARSE_SYNTAX_ERROR] Syntax error at or near 'x'\n"
                                           "   3 | \tWHER x = 1\n"
                                           "     | \t     ^\n"
                                           "hint: did you mean WHERE instead of WHER?"},
        {"SELECT (1 + 2", "t.sql:1:14: [PARSE_SYNTAX_ERROR] Syntax error at or near end of input\n"
                          "   1 | SELECT (1 + 2\n"
                          "     |              ^\n"
                          "hint: expected ')' here"},
        {"optimize t", "t.sql:1:1: [PARSE_SYNTAX_ERROR] Syntax error at or near 'optimize'\n"
                       "   1 | optimize t\n"
                       "     | ^^^^^^^^\n"
                       "hint: leat.compact merges small files while leat runs"},
        {"SELECT '\xc3\xa9t\xc3\xa9', , 1", "t.sql:1:15: [PARSE_SYNTAX_ERROR] Syntax error at or near ','\n"
                                            "   1 | SELECT '\xc3\xa9t\xc3\xa9', , 1\n"
                                            "     |               ^"},
        {"SELECT 'abc", "t.sql:1:8: [PARSE_SYNTAX_ERROR] Syntax error at or near ''': the string has no end\n"
                        "   1 | SELECT 'abc\n"
                        "     |        ^"},
        {"SELECT 1 /* x",
         "t.sql:1:10: [UNCLOSED_BRACKETED_COMMENT] Found an unclosed bracketed comment; append */ at the end of the comment\n"
         "   1 | SELECT 1 /* x\n"
         "     |          ^^"},
        {"SELECT CAST(a AS DECMAL(1,2))", "t.sql:1:18: [UNSUPPORTED_DATATYPE] Unsupported data type \"DECMAL(1,2)\"\n"
                                          "   1 | SELECT CAST(a AS DECMAL(1,2))\n"
                                          "     |                  ^^^^^^^^^^^"},
        {"SELECT * FROM STREAM t WATERMARK ts DELAY OF INTERVAL '5 minutes'",
         "t.sql:1:55: [PARSE_SYNTAX_ERROR] Syntax error at or near the delay: write the unit outside of the string, as in INTERVAL '5' MINUTES\n"
         "   1 | SELECT * FROM STREAM t WATERMARK ts DELAY OF INTERVAL '5 minutes'\n"
         "     |                                                       ^^^^^^^^^^^"},
    };
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        check_refused(&queries[i], false);
    static const struct refusal scripts[] = {
        {"CREATE TABLE t AS SELECT 1", "t.sql:1:8: [PARSE_SYNTAX_ERROR] Syntax error at or near 'TABLE'\n"
                                       "   1 | CREATE TABLE t AS SELECT 1\n"
                                       "     |        ^^^^^\n"
                                       "hint: a pipeline has CREATE STREAMING TABLE and CREATE MATERIALIZED VIEW"},
        {"CREAT STREAMING TABLE t AS SELECT 1", "t.sql:1:1: [PARSE_SYNTAX_ERROR] Syntax error at or near 'CREAT'\n"
                                                "   1 | CREAT STREAMING TABLE t AS SELECT 1\n"
                                                "     | ^^^^^\n"
                                                "hint: did you mean CREATE?"},
        {"DROP TABLE t", "t.sql:1:1: [PARSE_SYNTAX_ERROR] Syntax error at or near 'DROP'\n"
                         "   1 | DROP TABLE t\n"
                         "     | ^^^^\n"
                         "hint: leave its CREATE out: leat writes it no longer, and its files stay where they are"},
        {"TRUNCATE TABLE t",
         "t.sql:1:1: [PARSE_SYNTAX_ERROR] Syntax error at or near 'TRUNCATE'\n"
         "   1 | TRUNCATE TABLE t\n"
         "     | ^^^^^^^^\n"
         "hint: a pipeline file has CREATE STREAMING TABLE, CREATE MATERIALIZED VIEW, CREATE [TEMPORARY] VIEW, CREATE FLOW, SET and USE"},
    };
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
        check_refused(&scripts[i], true);
}

TEST(parse_collects_one_error_a_statement)
{
    struct arena arena = {0};
    struct error err = {0};
    struct problems problems = {0};
    struct sql_file file = {"t.sql",
                            bytes_of_string("CREATE VIEW v AS SELEC 1;\nSET a = b;\nCREATE VIEW w AS SELECT 1 +;")};
    struct notes notes = {.arena = &arena, .files = &file, .file_count = 1, .problems = &problems};
    struct ast_script script;
    CHECK(parse_script(&arena, &file, &notes, &script, &err) == E_SQL);
    CHECK_INT(script.count, 1);
    CHECK_INT(problems.count, 2);
    CHECK_STR(problems.texts[0], err.text);
    CHECK(strncmp(problems.texts[1], "t.sql:3:28: ", 12) == 0);
    mem_free(problems.texts);
    arena_free(&arena);
}

static void check_deep(const char *open, const char *middle, const char *close, int levels)
{
    struct arena arena = {0};
    struct error err;
    struct text sql = {0};
    text_add_string(&sql, "SELECT ");
    for (int i = 0; i < levels; i++)
        text_add_string(&sql, open);
    text_add_string(&sql, middle);
    for (int i = 0; i < levels; i++)
        text_add_string(&sql, close);
    CHECK(parse_one(&arena, sql.data, false, &err) == E_SQL);
    CHECK(strstr(err.text, "SQL_NESTING_MAX") != NULL || strstr(err.text, "SQL_HEIGHT_MAX") != NULL);
    text_free(&sql);
    arena_free(&arena);
}

TEST(parse_survives_deep_nesting)
{
    check_deep("(", "1", ")", 100000);
    check_deep("- ", "x", "", 100000);
    check_deep("NOT ", "x", "", 100000);
    check_deep("(SELECT ", "1", ")", 100000);
    check_deep("f(", "1", ")", 100000);
    check_deep("", "1", " + 1", 100000);
    check_deep("x -> ", "1", "", 100000);
    check_deep("CASE WHEN ", "1", " THEN 1 END", 100000);
    check_deep("", "x", "[1]", 100000);
}

TEST(parse_takes_a_thousand_conditions)
{
    struct arena arena = {0};
    struct error err;
    struct text sql = {0};
    text_add_string(&sql, "SELECT * FROM t WHERE x = 0");
    for (int i = 1; i < 5000; i++)
        text_printf(&sql, " OR x = %d", i);
    CHECK(parse_one(&arena, sql.data, false, &err) == E_OK);
    text_free(&sql);
    arena_free(&arena);
}

TEST(keywords_are_sorted)
{
    for (int i = 2; i < KW_COUNT; i++)
        if (strcmp(keyword_text((enum keyword)(i - 1)), keyword_text((enum keyword)i)) >= 0)
            kit_fail(__FILE__, __LINE__, "%s must come before %s", keyword_text((enum keyword)i),
                     keyword_text((enum keyword)(i - 1)));
}

TEST(lex_string_escapes)
{
    static const struct {
        const char *written, *value;
    } strings[] = {
        {"'a\\tb'", "a\tb"},
        {"'it''s'", "it's"},
        {"\"x\"\"y\"", "x\"y"},
        {"'\\%\\_'", "\\%\\_"},
        {"'\\u00e9'", "\xc3\xa9"},
        {"'\\101'", "A"},
        {"r'\\d'", "\\d"},
        {"'\\q'", "q"},
        {"'\\U0001F600'", "\xf0\x9f\x98\x80"},
    };
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        struct arena arena = {0};
        struct error err = {0};
        struct token *tokens;
        int32_t count;
        struct position at;
        struct bytes text = bytes_of_string(strings[i].written);
        CHECK(lex_text(&arena, "t", text, &tokens, &count, &at, &err) == E_OK);
        CHECK_INT(count, 2);
        struct bytes value = lex_string_value(&arena, text, &tokens[0]);
        CHECK_STR((const char *)value.data, strings[i].value);
        arena_free(&arena);
    }
}
