#include "kit.h"

#include "format/format.h"

static void check_value(const char *json, const char *path, const char *expected)
{
    struct bytes value;
    bool found = json_path_find(bytes_of_string(json), path, &value);
    CHECK(found == (expected != NULL));
    if (found)
        CHECK(bytes_equal_string(value, expected));
}

TEST(json_path_finds_a_value)
{
    static const char json[] =
        " {\"a\": 1, \"b\" : {\"c\": [10, {\"d\": \"x\"}, []], 'e':null}, \"a\": 2, \"z\":{}} rest";
    check_value(json, "a", "1");
    check_value(json, "b.c", "[10, {\"d\": \"x\"}, []]");
    check_value(json, "b.c[0]", "10");
    check_value(json, "b.c[1].d", "\"x\"");
    check_value(json, "b.c[2]", "[]");
    check_value(json, "b.e", "null");
    check_value(json, "z", "{}");
    check_value(json, "q", NULL);
    check_value(json, "b.c[3]", NULL);
    check_value("{\"a\":tru}", "a", NULL);
    check_value("", "a", NULL);
}

static void check_fault(const char *json, int64_t at, const char *path)
{
    struct text where = {0};
    struct bytes rest;
    text_reserve(&where, 1)[0] = '\0';
    bool broken = json_fault_find(bytes_of_string(json), &where, &rest);
    CHECK(broken == (at >= 0));
    if (broken) {
        CHECK_INT((int64_t)strlen(json) - (int64_t)rest.size, at);
        CHECK_STR(where.data, path);
    }
    text_free(&where);
}

TEST(json_fault_is_where_it_stops_being_json)
{
    check_fault("{\"a\": 1}", -1, "");
    check_fault("[1, [], {}]", -1, "");
    check_fault("{\"a\": 1} x", -1, "");
    check_fault("{\"a\": 1", 7, "a");
    check_fault("{\"a\": 1, \"b\": [1, 2x]}", 19, "b[1]");
    check_fault("{\"a\": {\"b\": tru}}", 12, "a.b");
    check_fault("{\"a\": \"text", 6, "a");
    check_fault("{\"a\" 1}", 1, "");
    check_fault("hello", 0, "");
    check_fault("   ", 3, "");
    check_fault("", 0, "");
}

TEST(json_of_any_depth_is_no_danger)
{
    struct text deep = {0}, path = {0};
    struct bytes rest;
    for (int i = 0; i < 100000; i++)
        text_add_char(&deep, '[');
    CHECK(json_fault_find(text_view(&deep), &path, &rest));
    CHECK(rest.size > 0 && rest.size < deep.size);
    text_free(&deep);
    text_free(&path);
}
