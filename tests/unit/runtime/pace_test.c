#include "runtime/pace.h"

#include "kit.h"

enum { MIB = 1 << 20 };

TEST(nothing_limits_an_epoch_without_a_budget)
{
    struct pace pace = {0};
    struct budget budget = {.used_bytes = 100 * MIB, .limit_bytes = 1};
    CHECK(pace_records(&pace) == 0);
    CHECK(!pace_full(&pace, &budget, 0));
    pace_learn(&pace, &budget, 0, 10);
    CHECK(pace_records(&pace) == 0);
}

/* Read ahead for two sources takes half of a small budget: it was counted as what the lanes took, and every epoch was cut
 * after its first batch. */
TEST(what_was_taken_before_is_not_what_the_lanes_took)
{
    struct pace pace = {0};
    struct budget budget = {.used_bytes = 16 * MIB + 5 * MIB, .limit_bytes = 32 * MIB};
    pace_begin(&pace, &budget, 5 * MIB);
    CHECK(!pace_full(&pace, &budget, 5 * MIB));
    budget.used_bytes += 8 * MIB;
    CHECK(!pace_full(&pace, &budget, 5 * MIB));
    budget.used_bytes += 1;
    CHECK(pace_full(&pace, &budget, 5 * MIB));
    CHECK(!pace_full(&pace, &budget, 6 * MIB)); // more of it is state
}

TEST(an_epoch_takes_what_the_last_ones_needed)
{
    struct pace pace = {0};
    struct budget budget = {.limit_bytes = 32 * MIB};
    pace_begin(&pace, &budget, 0);
    int64_t guessed = pace_records(&pace);
    CHECK(guessed > 1000 && guessed * 4096 <= 16 * MIB);
    budget.used_bytes = 1000 * 1000;
    pace_learn(&pace, &budget, 0, 1000); // 1,000 bytes each
    int64_t measured = pace_records(&pace);
    CHECK(measured > guessed && measured * 1000 <= 16 * MIB && measured * 1000 > 12 * MIB);
    budget.used_bytes = 8 * MIB;
    pace_learn(&pace, &budget, 0, 1000); // eight times as large
    CHECK(pace_records(&pace) < measured / 7);
    budget.used_bytes = 0;
    int64_t before = pace_records(&pace);
    for (int i = 0; i < 3; i++)
        pace_learn(&pace, &budget, 0, 1000);
    CHECK(pace_records(&pace) > before && pace_records(&pace) < measured); // forgotten slowly
    before = pace_records(&pace);
    pace_learn(&pace, &budget, 0, 0); // an epoch without records says nothing
    CHECK(pace_records(&pace) == before);
}

TEST(a_budget_that_is_used_up_still_lets_records_in)
{
    struct pace pace = {0};
    struct budget budget = {.used_bytes = 64 * MIB, .limit_bytes = 32 * MIB};
    pace_begin(&pace, &budget, 0);
    CHECK(!pace_full(&pace, &budget, 0));
    budget.used_bytes += 8 * MIB;
    pace_learn(&pace, &budget, 0, 1); // one record of 8 MiB
    CHECK(pace_records(&pace) == 1);
}
