/* What a range of values says of a test. */
#include "data/data.h"
#include "kit.h"

static struct column ints(int64_t value)
{
    struct builder builder;
    struct column out;
    builder_init(&builder, type_of(TYPE_INT64));
    builder_int(&builder, value);
    builder_finish(&builder, &out);
    builder_release(&builder);
    return out;
}

static struct column reals(double value)
{
    struct builder builder;
    struct column out;
    builder_init(&builder, type_of(TYPE_DOUBLE));
    builder_double(&builder, value);
    builder_finish(&builder, &out);
    builder_release(&builder);
    return out;
}

static bool may(enum row_test_kind kind, int64_t bound, int64_t min, int64_t max)
{
    struct column value = ints(bound), low = ints(min), high = ints(max);
    const struct row_test test = {"a", kind, &value};
    bool result = row_test_range(&test, &low, &high);
    column_release(&value);
    column_release(&low);
    column_release(&high);
    return result;
}

/* Against every value of the range. */
TEST(ranges_agree_with_their_values)
{
    for (int64_t min = -2; min <= 2; min++)
        for (int64_t max = min; max <= 2; max++)
            for (int64_t bound = -3; bound <= 3; bound++)
                for (int kind = ROW_EQUAL; kind <= ROW_GREATER_EQUAL; kind++) {
                    bool any = false;
                    for (int64_t v = min; v <= max; v++) {
                        struct column value = ints(bound), one = ints(v);
                        const struct row_test test = {"a", (enum row_test_kind)kind, &value};
                        any = any || row_test_value(&test, &one, 0);
                        column_release(&value);
                        column_release(&one);
                    }
                    CHECK_INT(may((enum row_test_kind)kind, bound, min, max), any);
                }
}

TEST(doubts_are_yes)
{
    struct column number = ints(5), real = reals(5), nan = reals(__builtin_nan("")), low = reals(1), high = reals(2);
    const struct row_test other = {"a", ROW_EQUAL, &number}, greater = {"a", ROW_GREATER, &real},
                          less = {"a", ROW_LESS, &nan}, equal = {"a", ROW_EQUAL, &real};
    CHECK(row_test_range(&other, &low, &high));   // another type
    CHECK(row_test_range(&greater, &low, &high)); // a NaN is greater, and in no range
    CHECK(row_test_range(&less, &low, &high));
    CHECK(!row_test_range(&equal, &low, &high));
    column_release(&number);
    column_release(&real);
    column_release(&nan);
    column_release(&low);
    column_release(&high);
}
