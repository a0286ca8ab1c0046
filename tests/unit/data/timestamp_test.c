#include "data/timestamp.h"

#include "kit.h"

struct golden {
    const char *text, *value; /* NULL: not a value */
};

/* Read by Spark 4.2.0 with spark.sql.session.timeZone=UTC. */
static const struct golden timestamps[] = {
    {"2026-11-21T10:00:00.123456+00:00", "2026-11-21 10:00:00.123456"},
    {"2026-11-21T10:00:00Z", "2026-11-21 10:00:00"},
    {"2026-11-21 10:00:00", "2026-11-21 10:00:00"},
    {"2026-11-21", "2026-11-21 00:00:00"},
    {"2026", "2026-01-01 00:00:00"},
    {"2026-11", "2026-11-01 00:00:00"},
    {"2026-1-2 3:4:5", "2026-01-02 03:04:05"},
    {"2026-1-2 3:4", "2026-01-02 03:04:00"},
    {"2026-1-2 3", "2026-01-02 03:00:00"},
    {"2026-01-02T", NULL},
    {"2026-01-02 03:04:05.", "2026-01-02 03:04:05"},
    {"2026-01-02 03:04:05.Z", "2026-01-02 03:04:05"},
    {"2026-01-02 03:04:05.1", "2026-01-02 03:04:05.1"},
    {"2026-01-02 03:04:05.1234567", "2026-01-02 03:04:05.123456"},
    {"2026-01-02 03:04:05.123456789", "2026-01-02 03:04:05.123456"},
    {"2026-01-02 03:04:05.1234567890", "2026-01-02 03:04:05.123456"},
    {"2026-01-02 03:04:05 UTC", "2026-01-02 03:04:05"},
    {"2026-01-02 03:04:05 Europe/Berlin", "2026-01-02 02:04:05"},
    {"2026-01-02 03:04:05Europe/Berlin", "2026-01-02 02:04:05"},
    {"2026-07-02 03:04:05 Europe/Berlin", "2026-07-02 01:04:05"},
    {"2026-01-02 03:04:05+1", "2026-01-02 02:04:05"},
    {"2026-01-02 03:04:05+01", "2026-01-02 02:04:05"},
    {"2026-01-02 03:04:05+0100", "2026-01-02 02:04:05"},
    {"2026-01-02 03:04:05+1:00", "2026-01-02 02:04:05"},
    {"2026-01-02 03:04:05+01:0", "2026-01-02 02:04:05"},
    {"2026-01-02 03:04:05+01:00:30", "2026-01-02 02:03:35"},
    {"2026-01-02 03:04:05+010030", "2026-01-02 02:03:35"},
    {"2026-01-02 03:04:05+18:00", "2026-01-01 09:04:05"},
    {"2026-01-02 03:04:05+18:01", NULL},
    {"2026-01-02 03:04:05-19:00", NULL},
    {"2026-01-02 03:04:05 +01:00", "2026-01-02 02:04:05"},
    {"2026-01-02 03:04:05UTC+1", "2026-01-02 02:04:05"},
    {"2026-01-02 03:04:05 GMT-01:30", "2026-01-02 04:34:05"},
    {"2026-01-02 03:04:05 PST", "2026-01-02 11:04:05"},
    {"2026-01-02 03:04:05 EST", "2026-01-02 08:04:05"},
    {"2026-01-02 03:04:05 CET", "2026-01-02 02:04:05"},
    {"2026-01-02 03:04:05 europe/berlin", NULL},
    {"2026-01-02 03:04:05 z", NULL},
    {"2026-01-02 03:04:05z", NULL},
    {"2026-01-02 24:00:00", NULL},
    {"2026-01-02 23:59:60", NULL},
    {"2026-02-30", NULL},
    {"2026-02-29", NULL},
    {"2024-02-29", "2024-02-29 00:00:00"},
    {"2026-13-01", NULL},
    {"2026-00-01", NULL},
    {"2026-01-00", NULL},
    {"2026-01-32", NULL},
    {"  2026-01-02  ", "2026-01-02 00:00:00"},
    {"2026-01-02 03:04:05 ", "2026-01-02 03:04:05"},
    {"\t2026-01-02\n", "2026-01-02 00:00:00"},
    {"202-01-01", NULL},
    {"20260102", NULL},
    {"12026-01-01", "+12026-01-01 00:00:00"},
    {"999999-01-01", NULL},
    {"294247-01-10 04:00:54.775807", "+294247-01-10 04:00:54.775807"},
    {"294247-01-10 04:00:54.775808", NULL},
    {"-0001-01-01", "-0001-01-01 00:00:00"},
    {"+2026-01-01", "2026-01-01 00:00:00"},
    {"0000-01-01", "0000-01-01 00:00:00"},
    {"-290308-12-21 19:59:05.224192", "-290308-12-21 19:59:05.224192"},
    {"2026-01-02x", NULL},
    {"2026/01/02", NULL},
    {"2026-01-02 03:04:05.123x", NULL},
    {"2026-01-02 03:04:05+", NULL},
    {"2026-01-02 03-04-05", NULL},
    {"2026-01-02 003:04:05", NULL},
    {"2026-001-02", NULL},
    {"2026-01-02  03:04:05", NULL},
    {"2026-01-02T03:04:05 [Europe/Berlin]", NULL},
    {"2026-01-02T03:04:05+01:00[Europe/Berlin]", NULL},
    {"2026-01-02 03:04+01:00", NULL},
    {"2026-01-02 3Z", NULL},
    {"1883-11-18 12:00:00 America/New_York", "1883-11-18 16:56:02"},
    {"2037-07-01 00:00:00 Europe/Berlin", "2037-06-30 22:00:00"},
    {"2100-07-01 00:00:00 Europe/Berlin", "2100-06-30 22:00:00"},
    {"2500-07-01 00:00:00 America/New_York", "2500-07-01 04:00:00"},
    {"9999-07-01 00:00:00 Australia/Sydney", "9999-06-30 14:00:00"},
    {"2026-03-29 02:30:00 Europe/Berlin", "2026-03-29 01:30:00"},
    {"2026-10-25 02:30:00 Europe/Berlin", "2026-10-25 00:30:00"},
    {"1800-01-01 00:00:00 Europe/Berlin", "1799-12-31 23:06:32"},
    {"2026-01-02 03:04:05 Etc/GMT+5", "2026-01-02 08:04:05"},
    {"2026-01-02 03:04:05 GMT0", "2026-01-02 03:04:05"},
    {"2026-01-02 03:04:05 UT", "2026-01-02 03:04:05"},
    {"2026-01-02 03:04:05 GMT+5", "2026-01-01 22:04:05"},
    {"2026-01-02 03:04:05 UTC+05:30", "2026-01-01 21:34:05"},
    {"2026-01-02 03:04:05 UTC+5:30", "2026-01-01 21:34:05"},
    {"2026-01-02 03:04:05 US/Pacific", "2026-01-02 11:04:05"},
    {"2026-01-02 03:04:05 MST", "2026-01-02 10:04:05"},
    {"2026-01-02 03:04:05 IST", "2026-01-01 21:34:05"},
    {"2026-01-02 03:04:05+00:00Z", NULL},
    {"2026-01-02 03:04:05 -01:00", "2026-01-02 04:04:05"},
    {"2026-01-02 03:04:05-1", "2026-01-02 04:04:05"},
    {"2026-01-02 03:04:05+1:3", "2026-01-02 02:01:05"},
    {"2026-01-02 03:04:05+99", NULL},
    {"2026-01-02 03:04:05+00:60", NULL},
    {"2026-07-01 00:00:00 Europe/Dublin", "2026-06-30 23:00:00"},
    {"2050-07-01 00:00:00 Europe/Dublin", "2050-06-30 23:00:00"},
    {"2050-07-01 00:00:00 Africa/Casablanca", "2050-06-30 23:00:00"},
    {"2050-01-01 00:00:00 America/Nuuk", "2050-01-01 02:00:00"},
    {"2026-01-02 03:04:05 GMT+", NULL},
    {"2026-01-02 03:04:05 UTC+0530", "2026-01-01 21:34:05"},
    {"1970-01-01 00:00:00.000001", "1970-01-01 00:00:00.000001"},
    {"1969-12-31 23:59:59.999999", "1969-12-31 23:59:59.999999"},
    {"1582-10-10", "1582-10-10 00:00:00"},
    {"0001-01-01", "0001-01-01 00:00:00"},
    {"2026-01-02t03:04:05", NULL},
    {"2026-01-02 03:04:05 America/Argentina/Buenos_Aires", "2026-01-02 06:04:05"},
    {"epoch", NULL},
    {"now", NULL},
    {"today", NULL},
    {"2026-1-2T3:4:5.6z", NULL},
    {"2026-01-02 03:04:5", "2026-01-02 03:04:05"},
    {"2026-01-02 03:4:05", "2026-01-02 03:04:05"},
    {"1", NULL},
    {"-1", NULL},
    {"2026-", NULL},
    {"2026-01-", NULL},
    {"2026-01-02 03:", NULL},
    {"2026-01-02 03:04:", NULL},
};
static const struct golden dates[] = {
    {"2026-01-02", "2026-01-02"},
    {"2026-1-2", "2026-01-02"},
    {"2026", "2026-01-01"},
    {"2026-01", "2026-01-01"},
    {"2026-01-02T10:00", "2026-01-02"},
    {"2026-01-02 abc", "2026-01-02"},
    {"2026-01-02x", NULL},
    {"20260102", NULL},
    {" 2026-01-02 ", "2026-01-02"},
    {"2026-02-30", NULL},
    {"18000", "+18000-01-01"},
    {"-5", NULL},
    {"+5", NULL},
    {"999999-01-01", "+999999-01-01"},
    {"9999999-01-01", NULL},
    {"-0001-01-01", "-0001-01-01"},
    {"1582-10-10", "1582-10-10"},
    {"2026-01-02T", "2026-01-02"},
    {"2026-01-02T10:00:00Z", "2026-01-02"},
    {"0", NULL},
    {"1", NULL},
    {"12345678901", NULL},
    {"100000", "+100000-01-01"},
    {"2026-01-02 10:00:00+14:00", "2026-01-02"},
    {"0000-01-01", "0000-01-01"},
    {"-999999-01-01", "-999999-01-01"},
    {"10000-01-01", "+10000-01-01"},
    {"2026-13-01", NULL},
    {"26-01-01", NULL},
    {"2026-01-02 ", "2026-01-02"},
    {"1500", "1500-01-01"},
    {"-719162", "-719162-01-01"},
    {"2026-1", "2026-01-01"},
    {"x", NULL},
};

static const struct zone *zone(const char *name)
{
    const struct zone *found = zone_utc();
    struct error err = {0};
    CHECK_INT(zone_find(bytes_of_string(name), &found, &err), E_OK);
    return found;
}

static const char *shown(int64_t us, const struct zone *session)
{
    static char text[TIMESTAMP_TEXT_MAX + 1];
    text[timestamp_print(us, session, text)] = 0;
    return text;
}

static int64_t instant(const char *text)
{
    int64_t us = -1;
    CHECK(timestamp_parse(bytes_of_string(text), zone_utc(), &us));
    return us;
}

TEST(timestamps_are_read_as_spark_reads_them)
{
    for (size_t i = 0; i < sizeof timestamps / sizeof *timestamps; i++) {
        int64_t us;
        bool good = timestamp_parse(bytes_of_string(timestamps[i].text), zone_utc(), &us);
        if (timestamps[i].value == NULL ? good : !good)
            kit_fail(__FILE__, __LINE__, "\"%s\" %s", timestamps[i].text, good ? "is no timestamp" : "is a timestamp");
        else if (good)
            CHECK_STR(shown(us, zone_utc()), timestamps[i].value);
    }
}

TEST(dates_are_read_as_spark_reads_them)
{
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        int32_t days;
        char text[TIMESTAMP_TEXT_MAX + 1];
        bool good = date_parse(bytes_of_string(dates[i].text), &days);
        if (dates[i].value == NULL ? good : !good)
            kit_fail(__FILE__, __LINE__, "\"%s\" %s", dates[i].text, good ? "is no date" : "is a date");
        else if (good)
            CHECK_STR((text[date_print(days, text)] = 0, text), dates[i].value);
    }
    int32_t days = 0;
    CHECK(date_parse(bytes_of_string("5881580-07-11"), &days));
    CHECK_INT(days, INT32_MAX);
    CHECK(!date_parse(bytes_of_string("5881580-07-12"), &days));
    CHECK(date_parse(bytes_of_string("-5877641-06-23"), &days));
    CHECK_INT(days, INT32_MIN);
    CHECK(!date_parse(bytes_of_string("-5877641-06-22"), &days));
}

TEST(the_calendar_agrees_with_itself_over_millennia)
{
    int32_t expected = days_from_civil(-1000, 1, 1);
    for (int64_t year = -1000; year < 4000; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; civil_valid(year, month, day); day++, expected++) {
                int64_t y;
                int m, d;
                civil_from_days(expected, &y, &m, &d);
                if (days_from_civil(year, month, day) != expected || y != year || m != month || d != day)
                    kit_fail(__FILE__, __LINE__, "%" PRId64 "-%d-%d", year, month, day);
            }
    CHECK_INT(days_from_civil(1970, 1, 1), 0);
    CHECK(civil_valid(2000, 2, 29) && !civil_valid(1900, 2, 29) && !civil_valid(2026, 4, 31) &&
          !civil_valid(2026, 0, 1));
}

TEST(the_fast_shape_and_the_slow_one_give_the_same)
{
    static const char *const fractions[] = {"", ".1", ".12", ".123", ".123456", ".12345678", ".1234567", ".000001"};
    static const char *const zones[] = {"", "Z", "+00:00"};
    for (size_t f = 0; f < sizeof fractions / sizeof *fractions; f++)
        for (size_t z = 0; z < sizeof zones / sizeof *zones; z++) {
            char fast[64] = "2026-11-21T10:00:59", slow[64] = " 2026-11-21T10:0:59"; /* one digit: never fast */
            strncat(strncat(fast, fractions[f], 16), zones[z], 8);
            strncat(strncat(slow, fractions[f], 16), zones[z], 8);
            CHECK_INT(instant(fast), instant(slow));
        }
}

TEST(a_text_without_zone_is_in_the_session_zone)
{
    const struct zone *berlin = zone("Europe/Berlin");
    int64_t us = 0;
    CHECK(timestamp_parse(bytes_of_string("2026-07-01 12:00:00"), berlin, &us));
    CHECK_INT(us, instant("2026-07-01 10:00:00"));
    CHECK(timestamp_parse(bytes_of_string("2026-07-01 12:00:00Z"), berlin, &us));
    CHECK_INT(us, instant("2026-07-01 12:00:00"));
    CHECK_STR(shown(us, berlin), "2026-07-01 14:00:00");
    char text[TIMESTAMP_TEXT_MAX + 1];
    text[timestamp_print_iso(us, berlin, text)] = 0;
    CHECK_STR(text, "2026-07-01T14:00:00.000+02:00");
    text[timestamp_print_iso(us + 678901, zone_utc(), text)] = 0;
    CHECK_STR(text, "2026-07-01T12:00:00.678Z");
    text[timestamp_print_iso(us, zone("-03:30"), text)] = 0;
    CHECK_STR(text, "2026-07-01T08:30:00.000-03:30");
}

TEST(gaps_move_forward_and_overlaps_take_the_earlier_offset)
{
    const struct zone *berlin = zone("Europe/Berlin");
    CHECK_INT(zone_local_to_utc(berlin, instant("2026-03-29 02:30:00")), instant("2026-03-29 01:30:00"));
    CHECK_INT(zone_local_to_utc(berlin, instant("2026-10-25 02:30:00")), instant("2026-10-25 00:30:00"));
    CHECK_INT(zone_local_to_utc(berlin, instant("2026-10-25 03:00:00")), instant("2026-10-25 02:00:00"));
    CHECK_INT(zone_offset_us(berlin, instant("2026-10-25 00:59:59")), INT64_C(7200000000));
    CHECK_INT(zone_offset_us(berlin, instant("2026-10-25 01:00:00")), INT64_C(3600000000));
    /* Past the unrolled years the calendar repeats. */
    CHECK_INT(zone_offset_us(berlin, instant("9999-07-01 00:00:00")), INT64_C(7200000000));
    CHECK_INT(zone_offset_us(berlin, instant("9999-12-01 00:00:00")), INT64_C(3600000000));
    CHECK_INT(zone_offset_us(berlin, INT64_MAX), zone_offset_us(berlin, instant("2247-01-10 04:00:54.775807")));
    CHECK_INT(zone_offset_us(zone("America/Sao_Paulo"), instant("2600-01-01 00:00:00")), INT64_C(-10800000000));
}

TEST(zones_have_names_or_offsets)
{
    CHECK(zone("UTC") == zone_utc());
    CHECK(zone("Europe/Berlin") == zone("Europe/Berlin"));
    CHECK_STR(zone_name(zone("Europe/Berlin")), "Europe/Berlin");
    CHECK_INT(zone_offset_us(zone("+5:30"), 0), INT64_C(19800000000));
    CHECK_INT(zone_offset_us(zone("GMT-1"), 0), INT64_C(-3600000000));
    static const char *const unknown[] = {
        "",     "Mars/Olympus", "../etc/passwd",           "/etc/passwd", "Europe",      "+19:00", "+1:",
        "UTC+", "utc",          "Europe/../Europe/Berlin", "tzdata.zi",   "+00:00:00:00"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        const struct zone *found;
        struct error err = {0};
        if (zone_find(bytes_of_string(unknown[i]), &found, &err) != E_SPEC)
            kit_fail(__FILE__, __LINE__, "\"%s\" is a zone", unknown[i]);
    }
}

TEST(local_timestamps_tell_whether_a_zone_was_named)
{
    int64_t us = 0;
    bool had_zone = true;
    CHECK(timestamp_ntz_parse(bytes_of_string("2026-01-02T03:04:05"), &us, &had_zone) && !had_zone);
    CHECK(timestamp_ntz_parse(bytes_of_string("2026-01-02T03:04:05Z"), &us, &had_zone) && had_zone);
    CHECK(timestamp_ntz_parse(bytes_of_string("2026-01-02T03:04:05 Europe/Berlin"), &us, &had_zone) && had_zone);
    CHECK_STR(shown(us, zone_utc()), "2026-01-02 03:04:05");
    CHECK(!timestamp_ntz_parse(bytes_of_string("2026-01-02T03:04:05 Mars"), &us, &had_zone));
}

TEST(random_instants_round_trip)
{
    const struct zone *const zones[] = {zone_utc(), zone("+02:00"), zone("America/New_York"), zone("Asia/Kathmandu")};
    for (int round = 0; round < 4000; round++) {
        int64_t us = (int64_t)(kit_random() % (UINT64_C(8000) * 366 * 86400 * 1000000)), back = 0;
        const struct zone *session = zones[round % 4];
        const char *text = shown(us, session);
        CHECK(timestamp_parse(bytes_of_string(text), session, &back));
        /* The second pass of an autumn hour prints like the first. */
        if (back != us && us - back != INT64_C(3600000000))
            kit_fail(__FILE__, __LINE__, "%s in %s", text, zone_name(session));
    }
}
