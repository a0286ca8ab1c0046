/* Streaming: how far event time reaches, watermark groups, windows, rows that come once, what is refused,
 * identities. */
#include "kit.h"
#include "sql_kit.h"

#define TIMED "FROM STREAM a WATERMARK at DELAY OF INTERVAL 10 SECONDS"
#define MINUTE "GROUP BY window(at, '1 minute')"

/* Everything behind the first file:line:column of the message. */
static void check_refused(const char *file, int line, const char *sql, const char *said)
{
    struct fixture fixture;
    fixture_open(&fixture);
    if (fixture_analyse(&fixture, sql) == E_OK)
        kit_fail(file, line, "accepted: %s", sql);
    else if (strstr(fixture.err.text, said) == NULL)
        kit_fail(file, line, "%s\n got %s\nwant %s", sql, fixture.err.text, said);
    fixture_close(&fixture);
}
#define CHECK_REFUSED(sql, said) check_refused(__FILE__, __LINE__, (sql), (said))
#define CHECK_UNTIMED(sql) CHECK_REFUSED(sql, "[STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION]")

/* The graph has this line, blanks in front aside. */
static void check_line(const char *file, int line, const char *sql, const char *want)
{
    struct fixture fixture;
    fixture_open(&fixture);
    const char *got = fixture_graph(&fixture, sql);
    if (strstr(got, want) == NULL)
        kit_fail(file, line, "the graph of\n%s\nis\n%s\nwithout\n%s", sql, got, want);
    fixture_close(&fixture);
}
#define CHECK_LINE(sql, want) check_line(__FILE__, __LINE__, (sql), (want))

static void check_warned(const char *file, int line, const char *sql, const char *said)
{
    struct fixture fixture;
    bool found = false;
    fixture_open(&fixture);
    if (fixture_analyse(&fixture, sql) != E_OK)
        kit_fail(file, line, "%s\n%s", sql, fixture.err.text);
    else
        for (int32_t i = 0; i < fixture.pipeline->warning_count; i++)
            found = found || strstr(fixture.pipeline->warnings[i], said) != NULL;
    if (!found)
        kit_fail(file, line, "%s\nno warning: %s", sql, said);
    fixture_close(&fixture);
}
#define CHECK_WARNED(sql, said) check_warned(__FILE__, __LINE__, (sql), (said))

/* ---- event time ---- */

TEST(event_time_is_a_column_and_its_windows)
{
    CHECK_LINE("CREATE STREAMING TABLE t AS SELECT u, count(*) AS n FROM (SELECT at AS u " TIMED ") GROUP BY u",
               "aggregate #3 by u: count(1)");
    CHECK_UNTIMED("CREATE STREAMING TABLE t AS SELECT count(*) AS n " TIMED
                  " GROUP BY window(at + INTERVAL 1 SECOND, '1 minute')");
    CHECK_UNTIMED("CREATE STREAMING TABLE t AS SELECT count(*) AS n " TIMED " GROUP BY date_trunc('minute', at)");
    CHECK_UNTIMED("CREATE STREAMING TABLE t AS SELECT count(*) AS n " TIMED " GROUP BY CAST(at AS TIMESTAMP_NTZ)");
    CHECK_UNTIMED(
        "CREATE STREAMING TABLE t AS SELECT e, sum(n) AS s FROM (SELECT window.end AS e, k, count(*) AS n " TIMED
        " GROUP BY window(at, '1 minute'), k) GROUP BY e");
    CHECK_UNTIMED("CREATE STREAMING TABLE t AS SELECT count(*) AS n " TIMED);
    CHECK_REFUSED("CREATE STREAMING TABLE t AS SELECT window, at, count(*) AS n " TIMED " " MINUTE ", at",
                  "More than one event time columns");
    // the first side of a union says it, as on Spark
    CHECK_UNTIMED("CREATE STREAMING TABLE t AS SELECT at, count(*) AS n FROM"
                  " (SELECT at FROM STREAM b UNION ALL SELECT at " TIMED ") GROUP BY at");
}

TEST(windows_of_windows)
{
    const char *inner = "(SELECT window AS w, k, count(*) AS n " TIMED " GROUP BY window(at, '1 minute'), k)";
    struct text sql = {0};
    text_printf(&sql, "CREATE STREAMING TABLE t AS SELECT w, sum(n) AS s FROM %s GROUP BY w", inner);
    CHECK_LINE(sql.data, "aggregate #4 by w: sum(n)");
    text_clear(&sql);
    text_printf(&sql, "CREATE STREAMING TABLE t AS SELECT sum(n) AS s FROM %s GROUP BY window(w, '1 hour')", inner);
    CHECK_LINE(sql.data, "aggregate #4 by window(window_time(w), 1 hour): sum(n)");
    text_clear(&sql);
    text_printf(&sql,
                "CREATE STREAMING TABLE t AS SELECT k, sum(n) AS s FROM %s GROUP BY session_window(w, '1 hour'), k",
                inner);
    CHECK_LINE(sql.data, "aggregate #4 by session_window(window_time(w), 1 hour), k: sum(n)");
    text_free(&sql);
}

TEST(a_table_ends_event_time)
{
    const char *table = "CREATE STREAMING TABLE t AS SELECT k, at " TIMED ";";
    struct text sql = {0};
    text_printf(&sql, "%sCREATE STREAMING TABLE u AS SELECT window, count(*) AS n FROM STREAM t " MINUTE, table);
    CHECK_REFUSED(sql.data, "that of the table's own query ends there");
    text_clear(&sql);
    text_printf(&sql,
                "%sCREATE STREAMING TABLE u AS SELECT window, count(*) AS n FROM STREAM t"
                " WATERMARK at DELAY OF INTERVAL 1 MINUTE " MINUTE,
                table);
    CHECK_LINE(sql.data, "table #3 t");
    text_clear(&sql);
    text_printf(&sql,
                "%sCREATE TEMPORARY VIEW v AS SELECT * FROM STREAM t;"
                "CREATE STREAMING TABLE u AS SELECT * FROM STREAM v",
                table);
    CHECK_LINE(sql.data, "table #3 t");
    text_free(&sql);
}

/* Without event time or state below there is nothing to end: the graph is as if the table were a view. */
TEST(plain_tables_cost_nothing)
{
    CHECK_LINE("CREATE STREAMING TABLE t AS SELECT upper(k) AS u, v FROM STREAM a;"
               "CREATE STREAMING TABLE s AS SELECT u FROM STREAM t",
               "s: streaming table, parquet\n"
               "  project #2 u\n"
               "    #1 project (above)\n");
}

/* ---- groups ---- */

static const struct plan *stateful(const struct pipeline *pipeline, int32_t table, int32_t nth)
{
    const struct plan *node = pipeline->tables[table]->flows[0];
    for (;;) {
        bool keeps = node->streaming &&
                     (node->kind == PLAN_AGGREGATE || node->kind == PLAN_DEDUPLICATE || node->kind == PLAN_JOIN);
        if (keeps && nth-- == 0)
            return node;
        if (node->input_count == 0)
            return NULL;
        node = plan_input(node, 0);
    }
}

TEST(flows_with_the_same_watermarks_are_one_group)
{
    struct fixture fixture;
    fixture_open(&fixture);
    fixture_graph(&fixture,
                  "CREATE TEMPORARY VIEW w AS SELECT * " TIMED ";"
                  "CREATE STREAMING TABLE t AS SELECT count(*) AS n FROM STREAM w " MINUTE ";"
                  "CREATE STREAMING TABLE u AS SELECT sum(v) AS s FROM STREAM w GROUP BY window(at, '1 hour');"
                  "CREATE STREAMING TABLE x AS SELECT k FROM STREAM w");
    const struct pipeline *pipeline = fixture.pipeline;
    CHECK(pipeline->group_count == 1 && pipeline->watermark_count == 1);
    CHECK(pipeline->groups[0].count == 1 && pipeline->groups[0].nodes[0] == 0);
    CHECK(stateful(pipeline, 0, 0)->group == 0 && stateful(pipeline, 1, 0)->group == 0);
    for (int32_t i = 0; i < pipeline->node_count; i++)
        CHECK((pipeline->nodes[i]->group == 0) == (pipeline->nodes[i]->kind == PLAN_AGGREGATE));
    fixture_close(&fixture);
}

TEST(a_stateful_node_is_there_once_for_each_group)
{
    struct fixture fixture;
    fixture_open(&fixture);
    fixture_graph(
        &fixture,
        "CREATE TEMPORARY VIEW g AS SELECT window, k, count(*) AS n " TIMED " GROUP BY window(at, '1 minute'), k;"
        "CREATE STREAMING TABLE t AS SELECT * FROM STREAM g;"
        "CREATE STREAMING TABLE u AS SELECT window, sum(n) AS s FROM (SELECT window, n FROM STREAM g UNION ALL"
        " SELECT window(at, '1 minute') AS window, 1 AS n FROM STREAM b WATERMARK at DELAY OF INTERVAL 1 MINUTE)"
        " GROUP BY window;"
        "CREATE STREAMING TABLE x AS SELECT k FROM STREAM t");
    const struct pipeline *pipeline = fixture.pipeline;
    const struct plan *alone = stateful(pipeline, 0, 0), *upper = stateful(pipeline, 1, 0),
                      *lower = stateful(pipeline, 1, 1), *through = stateful(pipeline, 2, 0);
    CHECK(pipeline->group_count == 2 && pipeline->watermark_count == 2);
    CHECK(pipeline->groups[0].count == 1 && pipeline->groups[1].count == 2);
    CHECK(pipeline->groups[1].nodes[0] == 0 && pipeline->groups[1].nodes[1] == 1);
    CHECK(alone->group == 0 && upper->group == 1 && lower->group == 1);
    CHECK(alone != lower && alone->inputs[0] == lower->inputs[0]); // the watermark is shared
    CHECK(through == alone);                                       // what t's flow writes
    CHECK(alone->identity != 0 && alone->identity != lower->identity);
    fixture_close(&fixture);
}

/* A table that reads the copy is below the flow's own version, whichever group came first. */
TEST(tables_stand_over_their_own_version)
{
    struct fixture fixture;
    fixture_open(&fixture);
    fixture_graph(
        &fixture,
        "CREATE TEMPORARY VIEW g AS SELECT window, count(*) AS n " TIMED " " MINUTE ";"
        "CREATE STREAMING TABLE u AS SELECT window, n FROM STREAM g UNION ALL SELECT window, count(*) AS n FROM STREAM b"
        " WATERMARK at DELAY OF INTERVAL 1 MINUTE " MINUTE ";"
        "CREATE STREAMING TABLE t AS SELECT * FROM STREAM g WHERE n > 1;"
        "CREATE STREAMING TABLE x AS SELECT n FROM STREAM t WHERE n > 2;"
        "CREATE STREAMING TABLE y AS SELECT n FROM STREAM u");
    const struct pipeline *pipeline = fixture.pipeline;
    CHECK(stateful(pipeline, 0, 0)->group == 0 && stateful(pipeline, 1, 0)->group == 1);
    CHECK(stateful(pipeline, 2, 0) == stateful(pipeline, 1, 0));
    CHECK(stateful(pipeline, 3, 0) == stateful(pipeline, 0, 0));
    fixture_close(&fixture);
}

TEST(several_flows_are_read_each_for_itself)
{
    struct fixture fixture;
    fixture_open(&fixture);
    fixture_graph(
        &fixture,
        "CREATE STREAMING TABLE t;"
        "CREATE FLOW f AS INSERT INTO t BY NAME SELECT window.start AS s, count(*) AS n " TIMED " " MINUTE ";"
        "CREATE FLOW g AS INSERT INTO t BY NAME SELECT window.start AS s, count(*) AS n FROM STREAM b WATERMARK"
        " at DELAY OF INTERVAL 1 SECOND " MINUTE ";"
        "CREATE STREAMING TABLE u AS SELECT s FROM STREAM t");
    const struct plan *node = fixture.pipeline->tables[1]->flows[0];
    while (node->kind != PLAN_UNION)
        node = node->inputs[0];
    CHECK(fixture.pipeline->group_count == 2 && node->input_count == 2);
    fixture_close(&fixture);
}

/* ---- sessions and windows as values ---- */

TEST(session_windows)
{
    CHECK_LINE("CREATE STREAMING TABLE t AS SELECT session_window.end AS e, k, count(*) AS n " TIMED
               " GROUP BY session_window(at, '5 seconds'), k",
               "aggregate #2 by session_window(at, 5 seconds), k: count(1)");
    CHECK_LINE(
        "CREATE STREAMING TABLE t AS SELECT session_window(at, CASE WHEN v > 1 THEN '1 minute' ELSE '5 seconds' END)"
        ", k, count(*) AS n " TIMED
        " GROUP BY session_window(at, CASE WHEN v > 1 THEN '1 minute' ELSE '5 seconds' END), k",
        "by session_window(at, window:gap(CASE WHEN (v > 1) THEN 1 minute ELSE 5 seconds END)), k: count(1)");
    CHECK_LINE("CREATE STREAMING TABLE t AS SELECT w, k, count(*) AS n FROM"
               " (SELECT session_window(at, '5 seconds') AS w, k " TIMED ") GROUP BY w, k",
               "by session_window(w.start, (w.end - w.start)), k: count(1)");
    CHECK_REFUSED("CREATE STREAMING TABLE t AS SELECT count(*) AS n " TIMED " GROUP BY session_window(at, '5 seconds')",
                  "Global aggregation with session window");
    CHECK_REFUSED("CREATE STREAMING TABLE t AS SELECT k " TIMED " GROUP BY session_window(at, '0 seconds'), k",
                  "must be an interval above 0");
    CHECK_REFUSED("CREATE STREAMING TABLE t AS SELECT k " TIMED " GROUP BY session_window(at, 'soon'), k",
                  "must be an interval above 0");
    CHECK_REFUSED("CREATE STREAMING TABLE t AS SELECT k " TIMED " GROUP BY session_window(at, v), k",
                  "but got \"INT\"");
    CHECK_REFUSED("CREATE STREAMING TABLE t AS SELECT k " TIMED
                  " GROUP BY session_window(at, '1 second'), window(at, '1 minute'), k",
                  "MULTIPLE_TIME_WINDOWS");
    CHECK_WARNED("CREATE STREAMING TABLE t AS SELECT k " TIMED " GROUP BY session_window(at, INTERVAL 5 SECONDS), k",
                 "takes its gap as text");
}

TEST(windows_as_values)
{
    CHECK_LINE("CREATE STREAMING TABLE t AS SELECT window(at, '1 minute').end AS e FROM STREAM a",
               "project #2 e = window:tumbling(at, 60000000, 0).end\n    filter #1 (at IS NOT NULL)");
    CHECK_LINE("CREATE STREAMING TABLE t AS SELECT window(at, '2 minutes', '1 minute'), k FROM STREAM a",
               "generate #2 explode(window:sliding(at, 120000000, 60000000, 0)) -> window");
    CHECK_LINE("CREATE STREAMING TABLE t AS SELECT w, count(*) AS n FROM"
               " (SELECT window(at, '2 minutes', '1 minute') AS w " TIMED ") GROUP BY w",
               "by w: count(1)");
    CHECK_LINE("CREATE STREAMING TABLE t AS SELECT at, max(window(at, '1 minute').end) AS m " TIMED " GROUP BY at",
               "aggregate #4 by at: max(window(at, 1 minute).end)");
    CHECK_REFUSED(
        "CREATE STREAMING TABLE t AS SELECT window(at, '1 minute'), window(at, '2 minutes') AS b FROM STREAM a",
        "MULTIPLE_TIME_WINDOWS");
    CHECK_REFUSED("CREATE STREAMING TABLE t AS SELECT a.k FROM STREAM a JOIN STREAM b"
                  " ON window(a.at, '1 minute') = window(b.at, '1 minute')",
                  "in the SELECT list or in WHERE, not in ON");
}

/* ---- rows that come once ---- */

TEST(distinct_over_a_stream_is_a_group)
{
    CHECK_LINE("CREATE STREAMING TABLE t AS SELECT DISTINCT k, at " TIMED, "aggregate #3 by k, at\n");
    CHECK_LINE("CREATE STREAMING TABLE t AS SELECT k, at " TIMED " UNION SELECT k, at FROM STREAM b", "by k, at\n");
    CHECK_UNTIMED("CREATE STREAMING TABLE t AS SELECT DISTINCT k " TIMED);
    CHECK_UNTIMED("CREATE STREAMING TABLE t AS SELECT k FROM STREAM a UNION SELECT k FROM STREAM b");
    CHECK_REFUSED("CREATE STREAMING TABLE t AS SELECT DISTINCT map('k', k), at " TIMED, "SET_OPERATION_ON_MAP_TYPE");
}

#define DEDUP(properties, query) "CREATE STREAMING TABLE t TBLPROPERTIES (" properties ") AS " query

TEST(dedup_property)
{
    struct fixture fixture;
    fixture_open(&fixture);
    fixture_graph(&fixture, DEDUP("'leat.dedup' = ' `at` , k'", "SELECT v, k, at " TIMED));
    const struct plan_deduplicate *keys = &fixture.pipeline->tables[0]->flows[0]->deduplicate;
    CHECK(keys->column_count == 2 && keys->columns[0] == 2 && keys->columns[1] == 1);
    CHECK(keys->time_column == 2 && keys->time_is_key && !keys->within_watermark);
    fixture_close(&fixture);
    CHECK_LINE(DEDUP("'leat.dedup' = '*'", "SELECT k, at " TIMED), "distinct #3 by k, at\n");
    CHECK_LINE(DEDUP("'leat.dedup' = 'k', 'leat.dedup.within_watermark' = 'true'", "SELECT k, at " TIMED),
               "distinct #3 by k within 10 seconds\n");
    CHECK_WARNED(DEDUP("'leat.dedup' = 'k'", "SELECT k FROM STREAM a"), "remembers every key for ever");
    CHECK_WARNED(DEDUP("'leat.dedup' = 'k'", "SELECT k, at " TIMED), "name `at` too");
    CHECK_REFUSED(DEDUP("'leat.dedup' = 'kk'", "SELECT k FROM STREAM a"), "did you mean `k`?");
    CHECK_REFUSED(DEDUP("'leat.dedup' = ' , '", "SELECT k FROM STREAM a"), "names no column");
    CHECK_REFUSED(DEDUP("'leat.dedup.within_watermark' = 'true'", "SELECT k FROM STREAM a"), "needs leat.dedup");
    CHECK_REFUSED(DEDUP("'leat.dedup' = 'k', 'leat.dedup.within_watermark' = 'yes'", "SELECT k, at " TIMED),
                  "is 'true' or 'false', not 'yes'");
    CHECK_REFUSED(DEDUP("'leat.dedup' = 'k', 'leat.dedup.within_watermark' = 'true'", "SELECT k " TIMED),
                  "dropDuplicatesWithinWatermark is not supported");
}

/* ---- refused, as Spark refuses it ---- */

TEST(more_streaming_rules)
{
    CHECK_REFUSED("CREATE STREAMING TABLE t AS SELECT k FROM (SELECT * " TIMED
                  ") WATERMARK at DELAY OF INTERVAL 1 SECOND",
                  "Redefining watermark is disallowed");
    CHECK_REFUSED("CREATE STREAMING TABLE t AS SELECT k FROM STREAM a LIMIT 3", "LIMIT on a stream");
    CHECK_REFUSED("CREATE STREAMING TABLE t AS SELECT k FROM STREAM a LIMIT 3 OFFSET 1", "Offset is not supported");
    CHECK_REFUSED("CREATE STREAMING TABLE t AS SELECT k FROM STREAM a EXCEPT SELECT k FROM STREAM b",
                  "Except on a streaming DataFrame/Dataset on the right");
    CHECK_REFUSED("CREATE STREAMING TABLE t AS SELECT k FROM STREAM a INTERSECT SELECT k FROM STREAM b",
                  "Intersect of streaming");
    CHECK_WARNED("CREATE STREAMING TABLE t AS SELECT count(DISTINCT k) AS n " TIMED " " MINUTE,
                 "Spark refuses DISTINCT");
    CHECK_LINE("CREATE STREAMING TABLE t AS SELECT k FROM STREAM a WATERMARK at DELAY OF INTERVAL 1 MONTH",
               "watermark #1 at, delay 31 days");
}

/* ---- identities ---- */

static uint64_t identity_of(const char *sql)
{
    struct fixture fixture;
    fixture_open(&fixture);
    fixture_graph(&fixture, sql);
    const struct plan *node = fixture.pipeline != NULL ? stateful(fixture.pipeline, 0, 0) : NULL;
    uint64_t identity = node != NULL ? node->identity : 0;
    CHECK(identity != 0);
    fixture_close(&fixture);
    return identity;
}

#define JSON(schema) "(SELECT from_json(CAST(value AS STRING), '" schema "') AS j FROM STREAM src)"
#define COUNT(where) \
    "CREATE STREAMING TABLE t AS SELECT k, count(*) AS n, sum(v) AS s " TIMED " " where " " MINUTE ", k"

TEST(identity_changes_with_what_is_remembered)
{
    uint64_t identity = identity_of(COUNT(""));
    CHECK(identity != identity_of(COUNT("WHERE v > 1")));
    CHECK(identity_of(COUNT("WHERE v > 1")) != identity_of(COUNT("WHERE v > 2")));
    CHECK(identity_of(COUNT("WHERE v > 1")) != identity_of(COUNT("WHERE v >= 1")));
    CHECK(identity != identity_of("CREATE STREAMING TABLE t AS SELECT k, count(*) AS n " TIMED " " MINUTE ", k"));
    CHECK(identity !=
          identity_of("CREATE STREAMING TABLE t AS SELECT k, count(*) AS n, max(v) AS s " TIMED " " MINUTE ", k"));
    CHECK(identity != identity_of("CREATE STREAMING TABLE t AS SELECT k, count(*) AS n, sum(v) AS s " TIMED
                                  " GROUP BY window(at, '2 minutes'), k"));
    CHECK(identity != identity_of("CREATE STREAMING TABLE t AS SELECT k, count(*) AS n, sum(v) AS s FROM STREAM b"
                                  " WATERMARK at DELAY OF INTERVAL 10 SECONDS " MINUTE ", k"));
    CHECK(identity_of(DEDUP("'leat.dedup' = 'k'", "SELECT k, v FROM STREAM a")) !=
          identity_of(DEDUP("'leat.dedup' = 'k, v'", "SELECT k, v FROM STREAM a")));
    CHECK(identity_of("CREATE STREAMING TABLE t AS SELECT a.k FROM STREAM a JOIN STREAM b ON a.k = b.k") !=
          identity_of("CREATE STREAMING TABLE t AS SELECT a.k FROM STREAM a JOIN STREAM b ON a.k = b.k AND a.v < b.v"));
    CHECK(identity_of("CREATE STREAMING TABLE t AS SELECT a.k FROM STREAM a JOIN STREAM b ON a.k = b.k") !=
          identity_of("CREATE STREAMING TABLE t AS SELECT a.k, b.v FROM STREAM a JOIN STREAM b ON a.k = b.k"));
}

#define COUNT_FILES(options)                                                                     \
    "CREATE STREAMING TABLE t AS SELECT k, count(*) AS n FROM STREAM read_files('/in', " options \
    ") WATERMARK at DELAY OF INTERVAL 1 SECOND " MINUTE ", k"

/* Other files, more of them at once, columns that nobody reads: what was made of the lines so far stays. */
TEST(identity_of_files_is_what_their_lines_mean)
{
    uint64_t identity = identity_of(COUNT_FILES("format => 'json', schema => 'k STRING, at TIMESTAMP'"));
    CHECK(identity == identity_of(COUNT_FILES("format => 'json', schema => 'x INT, at TIMESTAMP, k STRING'")));
    CHECK(identity == identity_of(COUNT_FILES("format => 'json', schema => 'k STRING, at TIMESTAMP',"
                                              " maxFilesPerTrigger => 7, pathGlobFilter => '*.json'")));
    CHECK(identity != identity_of(COUNT_FILES("format => 'json', schema => 'k STRING, at TIMESTAMP',"
                                              " allowComments => true")));
    CHECK(identity != identity_of(COUNT_FILES("format => 'json', schema => 'k STRING, at TIMESTAMP_NTZ'")));
}

TEST(identity_stays_with_everything_else)
{
    uint64_t identity = identity_of(COUNT("WHERE v > 1 AND k <> 'x'"));
    CHECK(identity == identity_of(COUNT("WHERE k <> 'x' AND v > 1")));
    // other names, a view in between, the filters apart, another delay, another table before and after
    CHECK(identity ==
          identity_of("CREATE TEMPORARY VIEW w AS SELECT k AS name, v AS amount, at AS time FROM STREAM a"
                      " WATERMARK at DELAY OF INTERVAL 3 MINUTES WHERE k <> 'x';"
                      "CREATE STREAMING TABLE u AS SELECT name, count(*) AS c, sum(amount) AS total FROM STREAM w"
                      " WHERE amount > 1 GROUP BY window(time, '60 seconds'), name;"
                      "CREATE STREAMING TABLE x AS SELECT upper(name) AS n FROM STREAM w"));
    // another table wants one more aggregate of the groups: the node below changes, the one above does not
    const char *below =
        "CREATE TEMPORARY VIEW g AS SELECT window AS w, count(*) AS n, max(v) AS m " TIMED " " MINUTE ";";
    const char *above = "CREATE STREAMING TABLE t AS SELECT w, sum(n) AS s FROM STREAM g GROUP BY w;";
    char *alone = NULL, *with = NULL;
    struct arena arena = {0};
    alone = arena_printf(&arena, "%s%s", below, above);
    with = arena_printf(&arena, "%s%sCREATE STREAMING TABLE u AS SELECT m FROM STREAM g", below, above);
    CHECK(identity_of(alone) == identity_of(with));
    arena_free(&arena);
    // a field more in the payload
    CHECK(identity_of("CREATE STREAMING TABLE t TBLPROPERTIES ('leat.dedup' = 'k') AS SELECT j.k FROM " JSON(
              "k STRING") " WHERE j IS NOT NULL") ==
          identity_of("CREATE STREAMING TABLE t TBLPROPERTIES ('leat.dedup' = 'k') AS SELECT j.k FROM " JSON(
              "a INT, k STRING") " WHERE j IS NOT NULL"));
}

#define WITH_AT(schema) JSON("at TIMESTAMP, " schema)
#define OF_MINUTE(schema, keys, calls)                                                            \
    "CREATE STREAMING TABLE t AS SELECT " calls " AS x FROM (SELECT j.at AS at, j FROM " WITH_AT( \
        schema) ") WATERMARK at DELAY OF INTERVAL 10 SECONDS GROUP BY window(at, '1 minute')" keys
#define CITY "c STRUCT<city: STRING>"
#define LOYALTY "c STRUCT<loyalty: STRING, city: STRING>"
#define NUMBER "c STRUCT<city: INT>"

#define CHECK_SAME(a, b) CHECK(identity_of(a) == identity_of(b))
#define CHECK_OTHER(a, b) CHECK(identity_of(a) != identity_of(b))

/* A field of a struct is its path and its own type; the fields around it are others' business. */
TEST(identity_of_a_field_is_its_path)
{
    // as a key, an argument, in a filter of rows and of an aggregate
    CHECK_SAME(OF_MINUTE(CITY, ", j.c.city", "count(*)"), OF_MINUTE(LOYALTY, ", j.c.city", "count(*)"));
    CHECK_SAME(OF_MINUTE(CITY, "", "max(j.c.city)"), OF_MINUTE(LOYALTY, "", "max(j.c.city)"));
    CHECK_SAME(OF_MINUTE(CITY, "", "count(*) FILTER (WHERE j.c.city > 'a')"),
               OF_MINUTE(LOYALTY, "", "count(*) FILTER (WHERE j.c.city > 'a')"));
    CHECK_OTHER(OF_MINUTE(CITY, ", j.c.city", "count(*)"), OF_MINUTE(NUMBER, ", j.c.city", "count(*)"));
    CHECK_OTHER(OF_MINUTE(CITY, "", "max(j.c.city)"), OF_MINUTE(NUMBER, "", "max(j.c.city)"));
    CHECK_OTHER(OF_MINUTE(LOYALTY, ", j.c.city", "count(*)"), OF_MINUTE(LOYALTY, ", j.c.loyalty", "count(*)"));
    // deeper, and through lists
    CHECK_SAME(OF_MINUTE("o STRUCT<c: STRUCT<city: STRING>>", ", j.o.c.city", "count(*)"),
               OF_MINUTE("o STRUCT<x: INT, c: STRUCT<city: STRING, y: INT>>", ", j.o.c.city", "count(*)"));
    CHECK_SAME(OF_MINUTE("l ARRAY<STRUCT<a: STRING>>", ", j.l.a", "count(*)"),
               OF_MINUTE("l ARRAY<STRUCT<b: INT, a: STRING>>", ", j.l.a", "count(*)"));
    CHECK_OTHER(OF_MINUTE("l ARRAY<STRUCT<a: STRING>>", ", j.l.a", "count(*)"),
                OF_MINUTE("l ARRAY<STRUCT<a: INT>>", ", j.l.a", "count(*)"));
    CHECK_SAME(OF_MINUTE("l ARRAY<STRUCT<a: STRING>>", ", j.l[0].a", "count(*)"),
               OF_MINUTE("l ARRAY<STRUCT<b: INT, a: STRING>>", ", j.l[0].a", "count(*)"));
    CHECK_OTHER(OF_MINUTE("l ARRAY<STRUCT<a: STRING>>", ", j.l[0].a", "count(*)"),
                OF_MINUTE("l ARRAY<STRUCT<a: STRING>>", ", j.l[1].a", "count(*)"));
    CHECK_OTHER(OF_MINUTE("l ARRAY<STRUCT<a: STRING>>", ", j.l[0]", "count(*)"),
                OF_MINUTE("l ARRAY<STRUCT<b: INT, a: STRING>>", ", j.l[0]", "count(*)"));
    // a struct that is kept as a whole is all its fields
    CHECK_OTHER(OF_MINUTE(CITY, ", j.c", "count(*)"), OF_MINUTE(LOYALTY, ", j.c", "count(*)"));
    CHECK_OTHER(OF_MINUTE(CITY, "", "max(j.c)"), OF_MINUTE(LOYALTY, "", "max(j.c)"));
    CHECK_OTHER(OF_MINUTE(CITY, "", "max(j)"), OF_MINUTE(LOYALTY, "", "max(j)"));
}

#define ONE_A_CITY(schema, select, keys) \
    "CREATE STREAMING TABLE t TBLPROPERTIES ('leat.dedup' = '" keys "') AS SELECT " select " FROM " JSON(schema)
#define JOINED(schema, select)                                  \
    "CREATE STREAMING TABLE t AS SELECT " select                \
    " FROM (SELECT s.j.c AS c FROM " JSON(schema) " AS s) AS l" \
                                                  " JOIN STREAM b ON l.c.city = b.k"
#define SESSIONS(schema, key)                                                                    \
    "CREATE STREAMING TABLE t AS SELECT count(*) AS x FROM (SELECT j.at AS at, j FROM " WITH_AT( \
        schema) ") WATERMARK at DELAY OF INTERVAL 10 SECONDS GROUP BY session_window(at, '1 minute'), " key
#define EXPLODED(schema, key)                                                                  \
    "CREATE STREAMING TABLE t TBLPROPERTIES ('leat.dedup' = 'x') AS SELECT " key " AS x FROM " \
    "(SELECT explode(j.l) AS e FROM " JSON(schema) ")"

TEST(identity_of_a_field_in_every_kind_of_state)
{
    CHECK_SAME(SESSIONS(CITY, "j.c.city"), SESSIONS(LOYALTY, "j.c.city"));
    CHECK_OTHER(SESSIONS(CITY, "j.c"), SESSIONS(LOYALTY, "j.c"));
    CHECK_SAME(ONE_A_CITY(CITY, "j.c.city AS city", "city"), ONE_A_CITY(LOYALTY, "j.c.city AS city", "city"));
    CHECK_OTHER(ONE_A_CITY(CITY, "j.c AS c", "c"), ONE_A_CITY(LOYALTY, "j.c AS c", "c"));
    // a join keeps the columns that are read above it: of a struct, all fields
    CHECK_OTHER(JOINED(CITY, "l.c, b.v"), JOINED(LOYALTY, "l.c, b.v"));
    CHECK_SAME(JOINED(CITY, "b.v"), JOINED(LOYALTY, "b.v"));
    CHECK_SAME(JOINED(CITY, "l.c.city, b.v"), JOINED(LOYALTY, "l.c.city, b.v"));
    // out of a list
    CHECK_SAME(EXPLODED("l ARRAY<STRUCT<a: STRING>>", "e.a"), EXPLODED("l ARRAY<STRUCT<b: INT, a: STRING>>", "e.a"));
    CHECK_OTHER(EXPLODED("l ARRAY<STRUCT<a: STRING>>", "e.a"), EXPLODED("l ARRAY<STRUCT<a: INT>>", "e.a"));
    CHECK_OTHER(EXPLODED("l ARRAY<STRUCT<a: STRING>>", "e"), EXPLODED("l ARRAY<STRUCT<b: INT, a: STRING>>", "e"));
    CHECK_OTHER(EXPLODED("l ARRAY<STRING>", "e"), EXPLODED("l ARRAY<INT>", "e"));
}
