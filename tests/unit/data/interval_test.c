/* The text of intervals. */
#include "data/data.h"
#include "kit.h"

static bool parses(const char *text, int64_t want_months, int64_t want_us)
{
    int64_t months = 0, us = 0;
    return interval_parse(bytes_of_string(text), false, &months, &us) && months == want_months && us == want_us;
}

static bool fails(const char *text)
{
    int64_t months = 0, us = 0;
    return !interval_parse(bytes_of_string(text), false, &months, &us);
}

TEST(intervals)
{
    CHECK(parses("5 seconds", 0, 5000000));
    CHECK(parses("  1 minute 30 SECOND ", 0, 90000000));
    CHECK(parses("interval 1 day -2 hours", 0, INT64_C(22) * 3600000000));
    CHECK(parses("0.25 seconds", 0, 250000));
    CHECK(parses("-1.5 second", 0, -1500000));
    CHECK(parses(".5 seconds", 0, 500000));
    CHECK(parses("0.1234567 seconds", 0, 123456));
    CHECK(parses("1 year 2 quarters 3 months 1 week", 21, 604800000000));
    CHECK(parses("10 microseconds 2 milliseconds", 0, 2010));
    int64_t months = 1, us = 7;
    CHECK(interval_parse(bytes_of_string("1 month 7 microseconds"), true, &months, &us) && months == 0 && us == 0);
}

TEST(no_intervals)
{
    CHECK(fails("") && fails(" ") && fails("interval") && fails("soon") && fails("5") && fails("seconds"));
    CHECK(fails("5 sec") && fails("5 seconds 3") && fails("1.5 minutes") && fails("5x seconds"));
    CHECK(fails("9223372036854775807 seconds") && fails("99999999999999999999 microseconds"));
    CHECK(fails("9223372036854775807 microseconds 1 microsecond"));
}
