#include "kit.h"
#include "query_kit.h"

enum { LITTLE_BYTES = 4 * 1024 * 1024 };

TEST(what_is_too_large_is_told)
{
    CHECK_ANSWER_WITHIN(LITTLE_BYTES, "SELECT count(*) FROM (SELECT id FROM range(2000000) ORDER BY id % 7)",
                        "[UNABLE_TO_ACQUIRE_MEMORY]");
    CHECK_ANSWER_WITHIN(LITTLE_BYTES, "SELECT count(*) FROM (SELECT id FROM range(2000000) GROUP BY id)",
                        "[UNABLE_TO_ACQUIRE_MEMORY]");
    CHECK_ANSWER_WITHIN(LITTLE_BYTES, "SELECT count(*) FROM range(9) a JOIN range(2000000) b ON a.id = b.id % 9",
                        "[UNABLE_TO_ACQUIRE_MEMORY]");
    CHECK_ANSWER_WITHIN(LITTLE_BYTES, "SELECT count(DISTINCT id) FROM range(2000000)", "[UNABLE_TO_ACQUIRE_MEMORY]");
}

TEST(a_limit_keeps_a_sort_small)
{
    CHECK_ANSWER_WITHIN(LITTLE_BYTES,
                        "SELECT id, id % 1000 AS k FROM range(1000000) ORDER BY k DESC, id LIMIT 2 OFFSET 1",
                        "1999, 999\n2999, 999");
    CHECK_ANSWER_WITHIN(LITTLE_BYTES,
                        "SELECT max(id) FROM (SELECT id FROM range(1000000) ORDER BY id DESC LIMIT 70000)", "999999");
}
