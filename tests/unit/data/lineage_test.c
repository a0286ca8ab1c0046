#include "kit.h"

#include "data/data.h"

static void check_text(int64_t row, const char *expected)
{
    struct text text = {0};
    int64_t back = -7;
    text_reserve(&text, 1)[0] = '\0';
    lineage_print(row, &text);
    CHECK_STR(text.data, expected);
    CHECK(lineage_parse(text_view(&text), &back));
    CHECK_INT(back, row);
    text_free(&text);
}

TEST(lineage_is_read_as_it_is_written)
{
    int64_t third = lineage_position(0, 3);
    check_text(0, "");
    check_text(lineage_position(0, 0), "0");
    check_text(third, "3");
    check_text(lineage_position(0, 63), "63");
    check_text(lineage_position(0, 64), "64");
    check_text(lineage_position(lineage_position(0, LINEAGE_POSITIONS_MAX - 1), 0), "1048575.0");
    check_text(lineage_match(lineage_position(third, 12), 2), "3.12.m2");
    check_text(lineage_position(lineage_branch(0, 1), 7), "u1.7");
    check_text(lineage_match(third, 0), "3.m0");
    check_text(lineage_branch(third, 0), "3.u0");
}

TEST(lineage_has_limits)
{
    int64_t star = lineage_position(0, 1);
    for (int i = 0; i < 18; i++)
        star = lineage_match(star, 0);
    CHECK(star > 0);
    CHECK_INT(lineage_position(star, 0), LINEAGE_UNKNOWN);
    CHECK_INT(lineage_position(0, LINEAGE_POSITIONS_MAX), LINEAGE_UNKNOWN);
    CHECK_INT(lineage_match(0, LINEAGE_MATCHES_MAX), LINEAGE_UNKNOWN);
    CHECK_INT(lineage_branch(0, LINEAGE_BRANCHES_MAX), LINEAGE_UNKNOWN);
    CHECK_INT(lineage_position(LINEAGE_UNKNOWN, 0), LINEAGE_UNKNOWN);
    CHECK(!lineage_is_of(LINEAGE_UNKNOWN, LINEAGE_UNKNOWN));
    CHECK(!lineage_is_of(LINEAGE_UNKNOWN, 0));
}

TEST(lineage_knows_what_came_of_what)
{
    int64_t third = lineage_position(0, 3), below = lineage_position(third, 100), match = lineage_match(third, 1);
    CHECK(lineage_is_of(third, third));
    CHECK(lineage_is_of(third, 0));
    CHECK(lineage_is_of(below, third));
    CHECK(lineage_is_of(below, 0));
    CHECK(!lineage_is_of(third, below));
    CHECK(!lineage_is_of(lineage_position(0, 2), third));
    CHECK(!lineage_is_of(lineage_position(0, 4), third));
    CHECK(lineage_is_of(match, third));
    CHECK(!lineage_is_of(match, lineage_match(third, 0)));
    CHECK(lineage_is_of(lineage_position(match, 0), match));
}

TEST(lineage_refuses_other_texts)
{
    static const char *const texts[] = {
        ".", "1.", ".1", "a", "m", "1.x", "1..2", "-1", "1 ", "99999999999", "?", "m4096", "100.100.100.100"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t row = 5;
        CHECK(!lineage_parse(bytes_of_string(texts[i]), &row));
        CHECK_INT(row, 5);
    }
}
