/* The graph of small projects: what is shared, pushed, merged and pruned. */
#include "kit.h"
#include "sql_kit.h"

TEST(columns_nobody_reads_are_not_read)
{
    CHECK_GRAPH("CREATE STREAMING TABLE t AS SELECT offset + 1 AS o FROM STREAM src",
                "t: streaming table, parquet\n"
                "  project #1 o = (offset + 1)\n"
                "    source #0 src (kafka): offset\n");
    CHECK_GRAPH("CREATE TEMPORARY VIEW v AS SELECT *, upper(topic) AS u FROM STREAM src;"
                "CREATE STREAMING TABLE t AS SELECT partition FROM STREAM v",
                "t: streaming table, parquet\n"
                "  project #1 partition\n"
                "    source #0 src (kafka): partition\n");
}

TEST(only_read_fields_are_decoded)
{
    CHECK_GRAPH("CREATE STREAMING TABLE t AS SELECT j.a, j.c FROM (SELECT from_json(CAST(value AS "
                "STRING), 'a INT, b STRING, c STRUCT<d: INT>') AS j FROM STREAM src)",
                "t: streaming table, parquet\n"
                "  project #2 a = from_json7.a, c = from_json7.c\n"
                "    decode #1 CAST(value AS STRING) as json: a c\n"
                "      source #0 src (kafka): value\n");
}

TEST(null_test_of_a_struct_needs_no_field)
{
    CHECK_GRAPH("CREATE STREAMING TABLE t AS SELECT j IS NULL AS bad FROM"
                " (SELECT from_json(CAST(value AS STRING), 'a INT, b STRING') AS j FROM STREAM src)",
                "t: streaming table, parquet\n"
                "  project #2 bad = (from_json7 IS NULL)\n"
                "    decode #1 CAST(value AS STRING) as json:\n"
                "      source #0 src (kafka): value\n");
}

TEST(equal_calls_decode_once)
{
    CHECK_GRAPH("CREATE STREAMING TABLE t AS SELECT from_json(CAST(value AS STRING), 'a INT').a AS x FROM "
                "STREAM src WHERE from_json(CAST(value AS STRING), 'a INT').a > 0",
                "t: streaming table, parquet\n"
                "  project #4 x = a\n"
                "    filter #3 (a > 0)\n"
                "      project #2 a = from_json7.a\n"
                "        decode #1 CAST(value AS STRING) as json: a\n"
                "          source #0 src (kafka): value\n");
}

TEST(a_view_with_two_readers_is_computed_once)
{
    CHECK_GRAPH("CREATE TEMPORARY VIEW v AS SELECT k, v, upper(k) AS u, v > 0 AS ok FROM STREAM a;"
                "CREATE STREAMING TABLE good AS SELECT k, u FROM STREAM v WHERE ok;"
                "CREATE STREAMING TABLE bad AS SELECT v, u FROM STREAM v WHERE NOT ok",
                "good: streaming table, parquet\n"
                "  project #4 k, u\n"
                "    filter #3 ok\n"
                "      project #2 k, u, filter = ok\n"
                "        project #1 k, v, u = upper(k), ok = (v > 0)\n"
                "          source #0 a (parquet): k, v\n"
                "bad: streaming table, parquet\n"
                "  project #7 v, u\n"
                "    filter #6 (NOT ok)\n"
                "      project #5 v, u, filter = (NOT ok)\n"
                "        #1 project (above)\n");
}

TEST(filters_go_below_what_they_do_not_need)
{
    CHECK_GRAPH("CREATE TEMPORARY VIEW v AS SELECT k AS name, from_json(k, 'x INT') AS j FROM STREAM a;"
                "CREATE STREAMING TABLE t AS SELECT j.x FROM STREAM v WHERE name <> ''",
                "t: streaming table, parquet\n"
                "  project #3 x = from_json3.x\n"
                "    decode #2 k as json: x\n"
                "      filter #1 (k != )\n"
                "        source #0 a (parquet): k\n");
}

TEST(filters_go_below_watermarks_unless_about_the_time)
{
    CHECK_GRAPH("CREATE STREAMING TABLE t AS SELECT k, count(*) AS n FROM STREAM a WATERMARK at DELAY OF "
                "INTERVAL 1 MINUTE WHERE v > 0 AND at IS NOT NULL GROUP BY k, window(at, '10 seconds')",
                "t: streaming table, parquet\n"
                "  project #7 k, n = count(1)\n"
                "    aggregate #6 by k, window(at, 10 seconds): count(1)\n"
                "      filter #5 (at IS NOT NULL)\n"
                "        project #4 k, at\n"
                "          watermark #3 at, delay 1 minute\n"
                "            filter #2 (v > 0)\n"
                "              project #1 k, at, filter = (v > 0)\n"
                "                source #0 a (parquet): k, v, at\n");
}

TEST(files_of_lines_are_decoded_as_far_as_they_are_read)
{
    CHECK_GRAPH("CREATE STREAMING TABLE t AS SELECT b FROM STREAM read_files('/in', format => 'json', "
                "schema => 'a INT, b STRING')",
                "t: streaming table, parquet\n"
                "  project #2 b = record.b\n"
                "    decode #1 value as json: b\n"
                "      source #0 read_files_in (json): value\n");
    CHECK_GRAPH("CREATE STREAMING TABLE t AS SELECT at FROM STREAM read_files('/in', format => 'csv', "
                "schema => 'a INT, at TIMESTAMP', timestampFormat => 'dd/MM/yyyy', mode => 'DROPMALFORMED')",
                "t: streaming table, parquet\n"
                "  project #4 at = try_to_timestamp(at, dd/MM/yyyy)\n"
                "    filter #3 (record._corrupt_record IS NULL)\n"
                "      project #2 at = record.at, filter = (record._corrupt_record IS NULL)\n"
                "        decode #1 value as csv: at _corrupt_record\n"
                "          source #0 read_files_in (csv): value\n");
    CHECK_GRAPH("CREATE STREAMING TABLE t AS SELECT upper(value) AS v FROM STREAM read_files('/in', format => 'text')",
                "t: streaming table, parquet\n"
                "  project #1 v = upper(CAST(value AS STRING))\n"
                "    source #0 read_files_in (text): value\n");
}

/* In Spark each of them is a query whose watermark sees only the rows that its filter lets pass. */
TEST(filters_go_below_a_watermark_that_others_use)
{
    CHECK_GRAPH(
        "CREATE TEMPORARY VIEW w AS SELECT k, v, at FROM STREAM a WATERMARK at DELAY OF INTERVAL 1 MINUTE;"
        "CREATE STREAMING TABLE t AS SELECT k, count(*) AS n FROM STREAM w WHERE v > 0 GROUP BY k, window(at, '1 minute');"
        "CREATE STREAMING TABLE u AS SELECT k, count(*) AS n FROM STREAM w GROUP BY k, window(at, '1 minute')",
        "t: streaming table, parquet\n"
        "  project #6 k, n = count(1)\n"
        "    aggregate #5 by k, window(at, 1 minute): count(1)\n"
        "      project #4 k, at\n"
        "        watermark #3 at, delay 1 minute\n"
        "          filter #2 (v > 0)\n"
        "            project #1 k, at, filter = (v > 0)\n"
        "              source #0 a (parquet): k, v, at\n"
        "u: streaming table, parquet\n"
        "  project #10 k, n = count(1)\n"
        "    aggregate #9 by k, window(at, 1 minute): count(1)\n"
        "      project #8 k, at\n"
        "        watermark #7 at, delay 1 minute\n"
        "          #0 source (above)\n");
}

TEST(filters_about_group_keys_go_below_the_groups)
{
    CHECK_GRAPH(
        "CREATE STREAMING TABLE t AS SELECT k, n FROM (SELECT upper(k) AS k, v, window(at, '1 minute') AS w, count(*) AS n "
        "FROM STREAM a WATERMARK at DELAY OF INTERVAL 1 MINUTE GROUP BY ALL) WHERE k = 'X' AND n > 2 AND v IS NOT NULL",
        "t: streaming table, parquet\n"
        "  project #6 k = upper(k), n = count(1)\n"
        "    filter #5 (count(1) > 2)\n"
        "      project #4 upper(k), count(1)\n"
        "        aggregate #3 by upper(k), v, window(at, 1 minute): count(1)\n"
        "          watermark #2 at, delay 1 minute\n"
        "            filter #1 ((upper(k) = X) AND (v IS NOT NULL))\n"
        "              source #0 a (parquet): k, v, at\n");
}

/* What they read is computed twice, or the payload decoded first: the watermark must not see rows that go away. */
TEST(filters_go_below_watermarks_through_what_they_read)
{
    CHECK_GRAPH("CREATE STREAMING TABLE t AS SELECT u, count(*) AS n FROM (SELECT upper(k) AS u, at FROM STREAM a "
                "WATERMARK at DELAY OF INTERVAL 1 MINUTE) WHERE u > 'B' GROUP BY u, window(at, '1 minute')",
                "t: streaming table, parquet\n"
                "  project #5 u, n = count(1)\n"
                "    aggregate #4 by u, window(at, 1 minute): count(1)\n"
                "      project #3 u = upper(k), at\n"
                "        watermark #2 at, delay 1 minute\n"
                "          filter #1 (upper(k) > B)\n"
                "            source #0 a (parquet): k, at\n");
    CHECK_GRAPH(
        "CREATE STREAMING TABLE t AS SELECT i, count(*) AS n FROM (SELECT v, explode(array(v, v + 1)) AS i, at FROM "
        "STREAM a WATERMARK at DELAY OF INTERVAL 1 MINUTE) WHERE v > 0 AND i > 1 GROUP BY i, window(at, '1 minute')",
        "t: streaming table, parquet\n"
        "  project #8 i, n = count(1)\n"
        "    aggregate #7 by i, window(at, 1 minute): count(1)\n"
        "      project #6 i, at\n"
        "        filter #5 (i > 1)\n"
        "          project #4 at, i\n"
        "            generate #3 explode(array(v, (v + 1))) -> i\n"
        "              watermark #2 at, delay 1 minute\n"
        "                filter #1 (v > 0)\n"
        "                  source #0 a (parquet): v, at\n");
    CHECK_GRAPH(
        "CREATE STREAMING TABLE t AS SELECT j.v, count(*) AS n FROM (SELECT from_json(k, 'v INT') AS j, at FROM STREAM a "
        "WATERMARK at DELAY OF INTERVAL 1 MINUTE) WHERE j.v > 0 GROUP BY j.v, window(at, '1 minute')",
        "t: streaming table, parquet\n"
        "  project #7 v, n = count(1)\n"
        "    aggregate #6 by v, window(at, 1 minute): count(1)\n"
        "      project #5 v, at\n"
        "        watermark #4 at, delay 1 minute\n"
        "          filter #3 (v > 0)\n"
        "            project #2 at, v = from_json3.v\n"
        "              decode #1 k as json: v\n"
        "                source #0 a (parquet): k, at\n");
}

TEST(filters_get_groups_of_their_own_below_which_a_watermark_stands)
{
    CHECK_GRAPH(
        "CREATE TEMPORARY VIEW g AS SELECT k, window(at, '1 minute') AS w, count(*) AS n FROM STREAM a WATERMARK at DELAY "
        "OF INTERVAL 1 MINUTE GROUP BY k, window(at, '1 minute');"
        "CREATE STREAMING TABLE t AS SELECT k, n FROM STREAM g WHERE k > 'b' AND n > 1;"
        "CREATE STREAMING TABLE u AS SELECT k, n FROM STREAM g",
        "t: streaming table, parquet\n"
        "  project #6 k, n = count(1)\n"
        "    filter #5 (count(1) > 1)\n"
        "      project #4 k, count(1)\n"
        "        aggregate #3 by k, window(at, 1 minute): count(1)\n"
        "          watermark #2 at, delay 1 minute\n"
        "            filter #1 (k > b)\n"
        "              source #0 a (parquet): k, at\n"
        "u: streaming table, parquet\n"
        "  project #9 k, n = count(1)\n"
        "    aggregate #8 by k, window(at, 1 minute): count(1)\n"
        "      watermark #7 at, delay 1 minute\n"
        "        #0 source (above)\n");
}

TEST(filters_go_into_unions)
{
    CHECK_GRAPH("CREATE STREAMING TABLE t AS SELECT k FROM (SELECT k, v FROM STREAM a UNION ALL SELECT k, v + 1 FROM "
                "STREAM b) WHERE k > 'x'",
                "t: streaming table, parquet\n"
                "  project #7 k\n"
                "    union #6\n"
                "      project #2 k\n"
                "        filter #1 (k > x)\n"
                "          source #0 a (parquet): k\n"
                "      project #5 k\n"
                "        filter #4 (k > x)\n"
                "          source #3 b (parquet): k\n");
}

TEST(constants_are_folded)
{
    CHECK_GRAPH("CREATE STREAMING TABLE t AS SELECT v + (1 + 2) AS x, 1 / 0 AS y FROM STREAM a",
                "t: streaming table, parquet\n"
                "  project #1 x = (v + 3), y = (1 / 0)\n"
                "    source #0 a (parquet): v\n");
}

TEST(flows_of_a_table_are_one_stream)
{
    CHECK_GRAPH("CREATE STREAMING TABLE t;"
                "CREATE FLOW f AS INSERT INTO t BY NAME SELECT k, v FROM STREAM a;"
                "CREATE FLOW g AS INSERT INTO t BY NAME SELECT v + 1L AS v, k FROM STREAM b;"
                "CREATE STREAMING TABLE u AS SELECT k FROM STREAM t",
                "t: streaming table, parquet\n"
                "  flow f\n"
                "    project #1 k, v = CAST(v AS BIGINT)\n"
                "      source #0 a (parquet): k, v\n"
                "  flow g\n"
                "    project #3 k, v = (v + 1)\n"
                "      source #2 b (parquet): k, v\n"
                "u: streaming table, parquet\n"
                "  project #7 k\n"
                "    union #6\n"
                "      project #4 k\n"
                "        #0 source (above)\n"
                "      project #5 k\n"
                "        #2 source (above)\n");
}
