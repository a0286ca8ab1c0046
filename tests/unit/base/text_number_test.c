#include "base/text_number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "kit.h"

static const char *shown(double value)
{
    static char text[DOUBLE_TEXT_MAX + 1];
    text[print_double(value, text)] = 0;
    return text;
}

static const char *shown_float(float value)
{
    static char text[DOUBLE_TEXT_MAX + 1];
    text[print_float(value, text)] = 0;
    return text;
}

static double parsed(const char *text)
{
    double value = -12345;
    const char *end = text + strlen(text);
    CHECK(parse_double(text, end, &value) == end);
    return value;
}

TEST(numbers_are_printed_as_java_prints_them)
{
    CHECK_STR(shown(0), "0.0");
    CHECK_STR(shown(-0.0), "-0.0");
    CHECK_STR(shown(1), "1.0");
    CHECK_STR(shown(-123.45), "-123.45");
    CHECK_STR(shown(1e7), "1.0E7");
    CHECK_STR(shown(9999999), "9999999.0");
    CHECK_STR(shown(1234567.125), "1234567.125");
    CHECK_STR(shown(0.001), "0.001");
    CHECK_STR(shown(0.01), "0.01");
    CHECK_STR(shown(0.00099), "9.9E-4");
    CHECK_STR(shown(1e23), "1.0E23");
    CHECK_STR(shown(2e-323), "2.0E-323");
    CHECK_STR(shown(4.9e-324), "4.9E-324");
    CHECK_STR(shown(1e-323), "9.9E-324");
    CHECK_STR(shown(1.7976931348623157e308), "1.7976931348623157E308");
    CHECK_STR(shown(2.2250738585072014e-308), "2.2250738585072014E-308");
    CHECK_STR(shown(5.684341886080802e-14), "5.684341886080802E-14");
    CHECK_STR(shown((double)NAN), "NaN");
    CHECK_STR(shown((double)-INFINITY), "-Infinity");
    CHECK_STR(shown_float(3.4028235e38f), "3.4028235E38");
    CHECK_STR(shown_float(1.4e-45f), "1.4E-45");
    CHECK_STR(shown_float(0.1f), "0.1");
    CHECK_STR(shown_float(16777216.0f), "1.6777216E7");
}

TEST(integers_are_printed)
{
    char text[INT64_TEXT_MAX + 1];
    text[print_int64(INT64_MIN, text)] = 0;
    CHECK_STR(text, "-9223372036854775808");
    text[print_int64(0, text)] = 0;
    CHECK_STR(text, "0");
    text[print_int64(INT64_MAX, text)] = 0;
    CHECK_STR(text, "9223372036854775807");
}

TEST(integers_are_parsed_and_overflow_is_seen)
{
    static const struct {
        const char *text;
        int64_t value;
        bool overflow;
    } cases[] = {
        {"0", 0, false},
        {"-17", -17, false},
        {"+5", 5, false},
        {"9223372036854775807", INT64_MAX, false},
        {"-9223372036854775808", INT64_MIN, false},
        {"9223372036854775808", 0, true},
        {"-9223372036854775809", 0, true},
        {"99999999999999999999999", 0, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t value = 0;
        bool overflow = false;
        const char *end = cases[i].text + strlen(cases[i].text);
        CHECK(parse_int64(cases[i].text, end, &value, &overflow) == end);
        CHECK_INT(overflow, cases[i].overflow);
        if (!overflow)
            CHECK_INT(value, cases[i].value);
    }
    int64_t value;
    bool overflow;
    CHECK(parse_int64("", "", &value, &overflow) == NULL);
    CHECK(parse_int64("-", strchr("-", 0), &value, &overflow) == NULL);
}

TEST(a_number_ends_where_it_stops_making_sense)
{
    static const struct {
        const char *text;
        int used; /* -1: no number */
    } cases[] = {{"1e", 1},
                 {"1e+", 1},
                 {"1.", 2},
                 {".5", 2},
                 {".", -1},
                 {"-", -1},
                 {"", -1},
                 {"e5", -1},
                 {"12x", 2},
                 {"1.5.5", 3},
                 {"123456789012.5e1 ", 16}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value;
        const char *text = cases[i].text, *stop = parse_double(text, text + strlen(text), &value);
        CHECK_INT(stop == NULL ? -1 : stop - text, cases[i].used);
    }
}

TEST(hard_numbers_are_rounded_to_the_nearest_even)
{
    CHECK(parsed("9007199254740993") == 9007199254740992.0);
    CHECK(parsed("9007199254740993.0000000000000000000000000000000000000000000000001") == 9007199254740994.0);
    CHECK(parsed("2.4703282292062327e-324") == 0);
    CHECK(parsed("2.4703282292062328e-324") == 4.9e-324);
    CHECK(parsed("1e400") == (double)INFINITY);
    CHECK(parsed("1e-400") == 0);
    CHECK(parsed("0e99999999999999999999") == 0);
    CHECK(parsed("1e99999999999999999999") == (double)INFINITY);
    CHECK(parsed("52.520008") == 52.520008);
}

/* A text of many digits beside the C library, which reads them exactly too. */
TEST(many_digits_agree_with_the_c_library)
{
    char text[1300];
    for (int round = 0; round < 3000; round++) {
        int digits = 1 + (int)(kit_random() % (round % 50 == 0 ? 1100 : 40)), point = (int)(kit_random() % 30), n = 0;
        for (int i = 0; i < digits; i++) {
            if (i == point && i > 0)
                text[n++] = '.';
            text[n++] = (char)('0' + kit_random() % 10);
        }
        n += snprintf(text + n, 16, "e%d", (int)(kit_random() % 700) - 350);
        double value = parsed(text), want = strtod(text, NULL);
        if (memcmp(&value, &want, sizeof value) != 0)
            kit_fail(__FILE__, __LINE__, "%s is %a, expected %a", text, value, want);
        float narrow = 0, narrow_want = strtof(text, NULL);
        CHECK(parse_float(text, text + n, &narrow) == text + n);
        if (memcmp(&narrow, &narrow_want, sizeof narrow) != 0)
            kit_fail(__FILE__, __LINE__, "%s is %a, expected %a", text, (double)narrow, (double)narrow_want);
    }
}

TEST(halfway_points_between_doubles_are_decided_exactly)
{
    char text[1200];
    for (int round = 0; round < 500; round++) {
        uint64_t bits = kit_random() & INT64_MAX;
        if (round % 4 == 0)
            bits >>= 12; /* subnormal */
        double low;
        memcpy(&low, &bits, sizeof low);
        double high = nextafter(low, (double)INFINITY);
        if (!isfinite(high))
            continue;
        /* The middle has one bit more than a double: exact in the long double of x86. */
        snprintf(text, sizeof text, "%.1100Lg", ((long double)low + (long double)high) / 2);
        double value = parsed(text), want = strtod(text, NULL);
        if (memcmp(&value, &want, sizeof value) != 0)
            kit_fail(__FILE__, __LINE__, "%s is %a, expected %a", text, value, want);
    }
}

TEST(printed_numbers_read_back_and_are_no_longer_than_needed)
{
    for (int round = 0; round < 20000; round++) {
        uint64_t bits = kit_random();
        double value, back;
        if (round % 3 == 0) { /* prices and the like */
            value = (double)(int64_t)(bits % 100000000) / 100;
        } else {
            memcpy(&value, &bits, sizeof value);
            if (!isfinite(value))
                continue;
        }
        char text[DOUBLE_TEXT_MAX + 1], peer[40];
        size_t size = print_double(value, text);
        text[size] = 0;
        CHECK(parse_double(text, text + size, &back) == text + size);
        if (memcmp(&back, &value, sizeof value) != 0)
            kit_fail(__FILE__, __LINE__, "%s does not read back as %a", text, value);
        int digits = 0, precision = 1;
        for (size_t i = 0; i < size && text[i] != 'E'; i++)
            digits += text[i] >= '0' && text[i] <= '9';
        do
            snprintf(peer, sizeof peer, "%.*e", precision++, value);
        while (strtod(peer, NULL) != value);
        if (strchr(text, 'E') != NULL && digits > precision)
            kit_fail(__FILE__, __LINE__, "%s has more digits than %s", text, peer);
    }
}

/* github.com/nigeltao/parse-number-fxx-test-data: "half float double text", bits in hex. */
TEST(conformance_parse_number_fxx)
{
    static const char *const files[] = {"parse-number/lemire-fast-float.txt", "parse-number/more-test-cases.txt"};
    int count = 0;
    for (size_t f = 0; f < 2; f++) {
        const char *path = kit_conformance(files[f]);
        FILE *file = path == NULL ? NULL : fopen(path, "r");
        if (file == NULL)
            return;
        static char line[1 << 16];
        while (fgets(line, sizeof line, file) != NULL) {
            line[strcspn(line, "\n")] = 0;
            const char *text = line + 31, *end = text + strlen(text);
            uint32_t want_float = (uint32_t)strtoul(line + 5, NULL, 16), got_float = 1;
            uint64_t want = strtoull(line + 14, NULL, 16), got = 1;
            double value = -1;
            float narrow = -1;
            if (parse_double(text, end, &value) != end || parse_float(text, end, &narrow) != end)
                kit_fail(__FILE__, __LINE__, "not read to its end: %s", text);
            memcpy(&got, &value, sizeof got);
            memcpy(&got_float, &narrow, sizeof got_float);
            if (got != want || got_float != want_float)
                kit_fail(__FILE__, __LINE__, "%s is %016" PRIx64 " and %08" PRIx32, text, got, got_float);
            count++;
        }
        fclose(file);
    }
    CHECK(count > 3000);
}
