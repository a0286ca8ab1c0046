#include "data/decimal.h"

#include <math.h>

#include "kit.h"

static const char *shown(__int128 value, int scale)
{
    static char text[DECIMAL_TEXT_MAX + 1];
    text[decimal_print(value, scale, text)] = 0;
    return text;
}

/* "-" when the text is no decimal(precision, scale). */
static const char *parsed(const char *text, int precision, int scale)
{
    __int128 value;
    return decimal_parse(bytes_of_string(text), precision, scale, &value) ? shown(value, scale) : "-";
}

static __int128 number(const char *text, int scale)
{
    __int128 value = 0;
    CHECK(decimal_parse(bytes_of_string(text), 38, scale, &value));
    return value;
}

TEST(decimals_are_parsed_half_up)
{
    CHECK_STR(parsed("1", 5, 2), "1.00");
    CHECK_STR(parsed("1.005", 5, 2), "1.01");
    CHECK_STR(parsed("1.0049999", 5, 2), "1.00");
    CHECK_STR(parsed("-1.005", 5, 2), "-1.01");
    CHECK_STR(parsed("999.99", 5, 2), "999.99");
    CHECK_STR(parsed("999.995", 5, 2), "-");
    CHECK_STR(parsed("1000", 5, 2), "-");
    CHECK_STR(parsed(".5", 5, 2), "0.50");
    CHECK_STR(parsed("5.", 5, 2), "5.00");
    CHECK_STR(parsed("+7", 5, 0), "7");
    CHECK_STR(parsed("1e2", 5, 2), "100.00");
    CHECK_STR(parsed("1E-2", 5, 2), "0.01");
    CHECK_STR(parsed("0.005", 5, 2), "0.01");
    CHECK_STR(parsed("0.0049", 5, 2), "0.00");
    CHECK_STR(parsed("1e-1000", 5, 2), "0.00");
    CHECK_STR(parsed("0e1000", 5, 2), "0.00");
    CHECK_STR(parsed("1e1000", 38, 2), "-");
    CHECK_STR(parsed("1e99999999999999999999", 38, 2), "-");
    CHECK_STR(parsed("00000000000000000000000000000000000000000000001.5", 5, 2), "1.50");
    CHECK_STR(parsed("12345678901234567890123456789012345678", 38, 0), "12345678901234567890123456789012345678");
    CHECK_STR(parsed("99999999999999999999999999999999999999", 38, 0), "99999999999999999999999999999999999999");
    CHECK_STR(parsed("99999999999999999999999999999999999999.5", 38, 0), "-");
    CHECK_STR(parsed("0.12345678901234567890123456789012345678", 38, 38), "0.12345678901234567890123456789012345678");
    static const char *const none[] = {"",   "-",   ".",  "1.2.3", "x",   "1x",  "e1",
                                       "1e", "1e+", "1 ", " 1",    "NaN", "--1", "1,0"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        CHECK_STR(parsed(none[i], 10, 2), "-");
}

TEST(decimals_are_rescaled)
{
    __int128 out = 0;
    CHECK(decimal_rescale(12345, 3, 10, 2, &out) && out == 1235);
    CHECK(decimal_rescale(-12345, 3, 10, 2, &out) && out == -1235);
    CHECK(decimal_rescale(5, 0, 10, 4, &out) && out == 50000);
    CHECK(!decimal_rescale(12345, 0, 5, 2, &out));
    CHECK(decimal_rescale(decimal_power10(37), 38, 38, 0, &out) && out == 0);
    CHECK(!decimal_rescale(decimal_power10(37), 0, 38, 2, &out));
}

TEST(decimals_are_multiplied_and_divided_past_128_bits)
{
    __int128 out = 0;
    CHECK(decimal_multiply(150, 250, 4, 10, 4, &out) && out == 37500);
    CHECK(decimal_multiply(-150, 251, 4, 10, 2, &out) && out == -377);
    __int128 a = number("1234567890123456789.0123456789", 10), b = number("9876543.2109876543", 10);
    CHECK(decimal_multiply(a, b, 20, 38, 10, &out));
    CHECK_STR(shown(out, 10), "12193263113702179496570644.9496448712");
    CHECK(!decimal_multiply(decimal_power10(37), decimal_power10(37), 0, 38, 0, &out));
    CHECK(decimal_multiply(decimal_power10(37), decimal_power10(37), 74, 38, 6, &out) && out == 1000000);
    CHECK(decimal_divide(1, 0, 3, 0, 38, 37, &out));
    CHECK_STR(shown(out, 37), "0.3333333333333333333333333333333333333");
    CHECK(decimal_divide(-2, 0, 3, 0, 10, 6, &out) && out == -666667);
    CHECK(decimal_divide(number("98765432109876543210987654321098765432", 0), 0, number("12345678.9", 1), 1, 38, 6,
                         &out));
    CHECK_STR(shown(out, 6), "8000000073700000670760006103925.055546");
    CHECK(decimal_divide(12345, 4, 1, 0, 10, 2, &out) && out == 123);
    CHECK(!decimal_divide(1, 0, 0, 0, 38, 6, &out));
    CHECK(!decimal_divide(decimal_power10(37), 0, 1, 30, 38, 6, &out));
}

TEST(decimals_and_doubles)
{
    __int128 out = 0;
    CHECK(decimal_from_double(0.1, 10, 2, &out) && out == 10);
    CHECK(decimal_from_double(1.005, 10, 2, &out) && out == 101); /* through the text "1.005" */
    CHECK(decimal_from_double(-1e20, 38, 2, &out) && out == -decimal_power10(22));
    CHECK(!decimal_from_double((double)NAN, 10, 2, &out));
    CHECK(!decimal_from_double((double)INFINITY, 10, 2, &out));
    CHECK(decimal_to_double(12345, 2) == 123.45);
    CHECK(decimal_to_double(-number("12345678901234567890.12345", 5), 5) == -12345678901234567890.12345);
}

TEST(decimals_are_printed_with_their_scale)
{
    CHECK_STR(shown(0, 0), "0");
    CHECK_STR(shown(0, 3), "0.000");
    CHECK_STR(shown(-5, 2), "-0.05");
    CHECK_STR(shown(-12345, 2), "-123.45");
    CHECK_STR(shown(-(decimal_power10(38) - 1), 38), "-0.99999999999999999999999999999999999999");
    CHECK_STR(shown(decimal_power10(19), 0), "10000000000000000000");
}

TEST(decimal_text_round_trips)
{
    for (int round = 0; round < 2000; round++) {
        int precision = 1 + (int)(kit_random() % 38), scale = (int)(kit_random() % (uint64_t)(precision + 1));
        __int128 value = (__int128)((unsigned __int128)kit_random() << 64 | kit_random()) % decimal_power10(precision);
        __int128 back = 1;
        char text[DECIMAL_TEXT_MAX];
        size_t size = decimal_print(value, scale, text);
        CHECK(decimal_parse(bytes_of(text, size), precision, scale, &back));
        CHECK(back == value);
    }
}
