#include "kit.h"
#include "query_kit.h"

#define ROWS \
    "CREATE TEMPORARY VIEW v AS SELECT * FROM VALUES (1, 2, named_struct('f', 3, 'g', named_struct('h', 4, 'i', 5))) AS t(a, b, s);"

TEST(except_drops_columns_and_fields)
{
    CHECK_ANSWER(ROWS "SELECT * EXCEPT (v.a, s.g.h) FROM v", "2, {\"f\":3,\"g\":{\"i\":5}}");
    CHECK_ANSWER(ROWS "SELECT s.* EXCEPT (g) FROM v", "3");
    CHECK_ANSWER(ROWS "SELECT * EXCEPT (s, s.f) FROM v", "[EXCEPT_OVERLAPPING_COLUMNS]");
    CHECK_ANSWER(ROWS "SELECT * EXCEPT (x) FROM v", "[UNRESOLVED_COLUMN.WITH_SUGGESTION]");
}

TEST(stars_among_arguments)
{
    CHECK_ANSWER(
        ROWS "SELECT greatest(* EXCEPT (s)), array(v.* EXCEPT (s)), 2 IN (* EXCEPT (s)), count(*) FROM v GROUP BY ALL",
        "2, [1,2], true, 1");
    CHECK_ANSWER("SELECT count(t.*) FROM VALUES (1, NULL) AS t(a, b)",
                 "[INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT]");
    CHECK_ANSWER("SELECT count(DISTINCT t.*) FROM VALUES (1, NULL), (2, 3) AS t(a, b)", "1");
}

TEST(stars_where_there_is_nothing_to_stand_for)
{
    CHECK_ANSWER("SELECT date_part('minute', (*) > 0)", "[INVALID_USAGE_OF_STAR_OR_REGEX]");
    CHECK_ANSWER("SELECT 1 IN (*)", "false");
    CHECK_ANSWER("VALUES (1), ((SELECT 2))", "[INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE]");
    CHECK_ANSWER("DECLARE v", "[PARSE_SYNTAX_ERROR]");
}

TEST(stars_of_the_query_around)
{
    CHECK_ANSWER(ROWS "SELECT l.* FROM v, LATERAL (SELECT v.* EXCEPT (s)) AS l", "1, 2");
}

TEST(pipes_set_in_turn_drop_and_extend)
{
    CHECK_ANSWER("SELECT 1 AS x, 2 AS y |> SET x = x + 1, y = x * 10 |> EXTEND x + y AS z", "2, 20, 22");
    CHECK_ANSWER(ROWS "TABLE v |> DROP a, s.g", "2, {\"f\":3}");
    CHECK_ANSWER("SELECT 1 AS x |> SET z = 1", "[UNRESOLVED_COLUMN.WITH_SUGGESTION]");
    CHECK_ANSWER("SELECT 1 AS x |> EXTEND sum(x)", "[PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION]");
}

TEST(pipes_aggregate_by_place_of_the_input)
{
    CHECK_ANSWER("VALUES (1, 2), (1, 3) AS t(x, y) |> AGGREGATE sum(y) GROUP BY 1", "1, 5");
    CHECK_ANSWER("VALUES (1, 2), (1, 3) AS t(x, y) |> SELECT x, sum(y) OVER w WINDOW w AS (PARTITION BY x) |> LIMIT 1",
                 "1, 5");
    CHECK_ANSWER("VALUES (1, 2), (1, 3) AS t(x, y) |> SELECT x, sum(y) GROUP BY x", "1, 5");
    CHECK_ANSWER("VALUES (1, 2) AS t(x, y) |> AGGREGATE x GROUP BY y",
                 "[PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION]");
}
