/* What compares the elements of long lists hashes them: with each other they would be 10^10 comparisons. */
#include "kit.h"
#include "query_kit.h"

TEST(sets_of_long_lists)
{
    CHECK_ANSWER("SELECT size(array_distinct(transform(sequence(1, 200000), x -> x % 1000)))", "1000");
    CHECK_ANSWER("SELECT size(array_union(sequence(1, 100000), sequence(50001, 150000)))", "150000");
    CHECK_ANSWER("SELECT size(array_intersect(sequence(1, 100000), sequence(50001, 150000)))", "50000");
    CHECK_ANSWER("SELECT size(array_except(sequence(1, 100000), sequence(50001, 150000)))", "50000");
    CHECK_ANSWER("SELECT arrays_overlap(sequence(1, 100000), sequence(100001, 200000)), arrays_overlap(sequence(1, "
                 "100000), sequence(100000, 200000))",
                 "false, true");
}

/* The same of short ones, where elements are compared, and of these with others behind them. */
TEST(long_lists_are_as_short_ones)
{
    CHECK_ANSWER("SELECT slice(array_distinct(concat(array(2, NULL, 1, 2, NULL), sequence(1, 50))), 1, 5), "
                 "array_distinct(array(2, NULL, 1, 2, NULL, 3, 4))",
                 "[2,null,1,3,4], [2,null,1,3,4]");
    CHECK_ANSWER(
        "SELECT array_distinct(concat(array(double('NaN'), -0.0D, double('NaN'), 0.0D), array_repeat(1.0D, 60)))",
        "[NaN,-0.0,1.0]");
    CHECK_ANSWER("SELECT array_except(concat(array('a', NULL), array_repeat('b', 50)), array('b')), array_intersect("
                 "array_repeat(NULL, 40), array(NULL, 1))",
                 "[\"a\",null], [null]");
    CHECK_ANSWER("SELECT arrays_overlap(concat(sequence(1, 50), array(NULL)), array(51)), arrays_overlap(array(NULL), "
                 "sequence(1, 50))",
                 "NULL, NULL");
}
