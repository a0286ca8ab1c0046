#include "kit.h"
#include "query_kit.h"

enum { LITTLE_BYTES = 4 * 1024 * 1024 };

TEST(what_is_too_large_is_told)
{
    CHECK_ANSWER_WITHIN(LITTLE_BYTES, "SELECT count(*) FROM range(2000000) a JOIN range(9) b ON a.id < b.id - 9", "0");
    CHECK_ANSWER_WITHIN(LITTLE_BYTES, "SELECT count(*) FROM range(9) a JOIN range(2000000) b ON a.id > b.id",
                        "[UNABLE_TO_ACQUIRE_MEMORY]");
    CHECK_ANSWER_WITHIN(LITTLE_BYTES, "SELECT count(DISTINCT id) FROM range(2000000)", "[UNABLE_TO_ACQUIRE_MEMORY]");
    CHECK_ANSWER_WITHIN(LITTLE_BYTES, "SELECT size(collect_list(id)) FROM range(2000000)",
                        "[UNABLE_TO_ACQUIRE_MEMORY]");
}

/* What a function makes of a batch is more than memory, or than one column can hold; of a few rows it is not. */
TEST(large_values_are_made_of_few_rows_at_a_time)
{
    CHECK_ANSWER_WITHIN(LITTLE_BYTES, "SELECT sum(length(repeat('x', 1000000))) FROM range(100)", "100000000");
    CHECK_ANSWER_WITHIN(LITTLE_BYTES, "SELECT sum(length(repeat('x', id * 100))) FROM range(1000)", "49950000");
    CHECK_ANSWER_WITHIN(LITTLE_BYTES, "SELECT sum(size(sequence(1, id))) FROM range(1, 10000)", "49995000");
    CHECK_ANSWER_WITHIN(LITTLE_BYTES,
                        "SELECT sum(size(array_repeat(repeat('x', 100), CAST(id AS INT)))) FROM range(1, 1000)",
                        "499500");
    CHECK_ANSWER_WITHIN(LITTLE_BYTES,
                        "SELECT count(*), sum(x) FROM (SELECT explode(sequence(1, 10000)) AS x "
                        "FROM range(100))",
                        "1000000, 5000500000");
    CHECK_ANSWER_WITHIN(LITTLE_BYTES,
                        "SELECT count(*), max(length(s)) FROM (SELECT explode(array_repeat(repeat('w', 10000), 100)) "
                        "AS s FROM range(10)) WHERE s LIKE 'w%'",
                        "1000, 10000");
    CHECK_ANSWER_WITHIN(LITTLE_BYTES, "SELECT sum(length(repeat('x', 10000000))) FROM range(2)",
                        "[UNABLE_TO_ACQUIRE_MEMORY]");
    CHECK_ANSWER_WITHIN(LITTLE_BYTES,
                        "SELECT sum(length(s)) FROM (SELECT id % 100 AS g, string_agg(repeat('x', 1000), '') AS s FROM "
                        "range(10000) GROUP BY 1)",
                        "10000000");
    CHECK_ANSWER_WITHIN(LITTLE_BYTES, "SELECT count(*) FROM range(10000) a CROSS JOIN range(1000) b", "10000000");
}

TEST(a_limit_keeps_a_sort_small)
{
    CHECK_ANSWER_WITHIN(LITTLE_BYTES,
                        "SELECT id, id % 1000 AS k FROM range(1000000) ORDER BY k DESC, id LIMIT 2 OFFSET 1",
                        "1999, 999\n2999, 999");
    CHECK_ANSWER_WITHIN(LITTLE_BYTES,
                        "SELECT max(id) FROM (SELECT id FROM range(1000000) ORDER BY id DESC LIMIT 70000)", "999999");
}
