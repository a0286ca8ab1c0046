/* Paths into JSON texts, and what they lead to: answers observed on Spark 4.2.0. */
#include "format/format.h"
#include "kit.h"

static void check(const char *json, const char *path_text, const char *expected)
{
    struct arena arena = {0};
    struct text out = {0};
    const struct json_path *path = json_path_parse(&arena, bytes_of_string(path_text));
    bool found = path != NULL && json_path_get(path, bytes_of_string(json), &out);
    text_add(&out, NULL, 0);
    if (found != (expected != NULL) || (found && strcmp(out.data, expected) != 0))
        kit_fail(__FILE__, __LINE__, "%s in %s is %s, not %s", path_text, json, found ? out.data : "nothing",
                 expected != NULL ? expected : "nothing");
    text_free(&out);
    arena_free(&arena);
}

TEST(paths_lead_where_sparks_do)
{
    check("{\"a\":{\"b\":[1,2,{\"c\":null}]}}", "$.a.b[2]", "{\"c\":null}");
    check("{\"a\":1.10}", "$.a", "1.1");
    check("{\"a\":\"x\\\"y\"}", "$.a", "x\"y");
    check("[{\"a\":\"b\"},{\"a\":\"c\"}]", "$[*].a", "[\"b\",\"c\"]");
    check("[{\"a\":\"b\"}]", "$[*].a", "\"b\"");
    check("[[1,2],[3]]", "$[*][*]", "[1,2,3]");
    check("[[1,2],[3]]", "$[*][0]", "[1,3]");
    check("{\"a\":[{\"b\":[1,2]},{\"b\":[3]}]}", "$.a[*].b[*]", "[[1,2],[3]]");
    check("{\"a\":[{\"b\":[1,2]},{\"b\":[3]}]}", "$.a[*].b", "[[1,2],[3]]");
    check("{\"a\":[[1,2],[3]]}", "$.a[0][*]", "[1,2]");
    check("{\"a b\":1}", "$['a b']", "1");
    check("{\"a\":null,\"a\":2}", "$.a", "2");
    check("[1]", "$[*]", "1");
    check("[]", "$[*]", NULL);
    check("{\"a\":1}", "$.*", NULL);
    check("{\"a\":1", "$.a", NULL);
    check("{\"a\":1}x", "$.a", "1");
    check("{\"a\":01}", "$.a", NULL);
    check("{\"a\":NaN}", "$.a", NULL);
    check("", "$", NULL);
    check("null", "$", "null");
    check("{\"a\":1}", "a", NULL);
    check("{\"a\":[1]}", "$.a[99999999999999999999]", NULL);
}

TEST(deep_json_is_no_json_and_no_crash)
{
    enum { LEVELS = 200000 };
    struct text deep = {0};
    struct variant_builder builder = {0};
    const struct type *type;
    struct arena arena = {0};
    struct error err;
    for (int i = 0; i < LEVELS; i++)
        text_add_char(&deep, '[');
    check(deep.data, "$[0][0]", NULL);
    CHECK_INT(json_array_count(text_view(&deep)), -1);
    variant_builder_clear(&builder);
    CHECK(variant_from_json(text_view(&deep), false, &builder) == VARIANT_TOO_BIG);
    CHECK(json_infer(&arena, text_view(&deep), &(struct infer_options){0}, &type, &err) != E_OK);
    variant_builder_free(&builder);
    arena_free(&arena);
    text_free(&deep);
}

TEST(members_are_found_by_name)
{
    const struct bytes names[] = {bytes_of_string("a"), bytes_of_string("c"), {0}};
    struct text values[3] = {{0}};
    bool found[3] = {false};
    CHECK(json_members_get(bytes_of_string("{\"a\":1,\"b\":2,\"a\":[3, 4],\"c\":null}"), names, 3, values, found));
    CHECK(found[0] && !found[1] && !found[2]);
    CHECK_STR(values[0].data, "[3,4]");
    CHECK(!json_members_get(bytes_of_string("[1]"), names, 3, values, found));
    for (int i = 0; i < 3; i++)
        text_free(&values[i]);
}
