/* What variants are made of, byte by byte, and bytes that are none. */
#include <stdio.h>

#include "data/data.h"
#include "data/variant_build.h"
#include "kit.h"

/* {"a": 1, "b": [true, null, "x"]}, as Spark's parse_json stores it. */
static const uint8_t object[] = {
    0x01, 2, 0, 1, 2, 'a', 'b',                   // metadata: two names
    0x02, 2, 0, 1, 0, 2,   12,                    // object: ids 0 1, offsets 0 2, all 12
    0x0c, 1,                                      // int8 1
    0x03, 3, 0, 1, 2, 4,   0x04, 0x00, 0x05, 'x', // array: true, null, short string
};

static const char *printed(const void *data, size_t size, struct text *out)
{
    text_clear(out);
    return variant_print(bytes_of(data, size), zone_utc(), out) ? out->data : NULL;
}

TEST(variant_object)
{
    struct variant self, part;
    struct text out = {0};
    CHECK(variant_open_whole(bytes_of(object, sizeof object), &self));
    CHECK_INT(self.kind, VARIANT_OBJECT);
    CHECK_INT(self.count, 2);
    CHECK(variant_member(&self, bytes_of_string("b"), &part));
    CHECK_INT(part.kind, VARIANT_ARRAY);
    CHECK(!variant_member(&self, bytes_of_string("c"), &part));
    CHECK_STR(printed(object, sizeof object, &out), "{\"a\":1,\"b\":[true,null,\"x\"]}");
    text_free(&out);
}

static void build_numbered(struct variant_builder *builder, int64_t members)
{
    struct variant_mark mark = variant_open_list(builder);
    for (int64_t i = 0; i < members; i++) {
        char name[32];
        snprintf(name, sizeof name, "name %d", (int)i);
        variant_field(builder, bytes_of_string(name));
        variant_put_integer(builder, i);
    }
    CHECK(variant_close_object(builder, mark));
}

/* A time that grows with the square of the names would be minutes here. */
TEST(variant_of_many_names)
{
    enum { MEMBERS = 300000 };
    struct variant_builder builder = {0};
    struct text out = {0};
    struct variant self, part;
    variant_builder_clear(&builder);
    struct variant_mark mark = variant_open_list(&builder);
    variant_item(&builder);
    build_numbered(&builder, MEMBERS);
    variant_item(&builder);
    build_numbered(&builder, 20);
    variant_close_array(&builder, mark);
    CHECK_INT(builder.name_count, MEMBERS);
    variant_builder_take(&builder, &out);
    CHECK(variant_open_whole(text_view(&out), &self));
    CHECK(variant_element(&self, 1, &part) && variant_member(&part, bytes_of_string("name 17"), &part));
    CHECK_INT(part.integer, 17);
    CHECK(variant_element(&self, 0, &part) && variant_member(&part, bytes_of_string("name 299999"), &part));
    CHECK_INT(part.integer, MEMBERS - 1);
    variant_builder_clear(&builder);
    mark = variant_open_list(&builder);
    for (int i = 0; i < 2; i++) {
        variant_field(&builder, bytes_of_string("twice"));
        variant_put_null(&builder);
    }
    CHECK(!variant_close_object(&builder, mark));
    variant_builder_free(&builder);
    text_free(&out);
}

#define EMPTY_METADATA 0x01, 0, 0

TEST(variant_primitives)
{
    struct text out = {0};
    static const struct {
        const char *json;
        size_t size;
        uint8_t bytes[24];
    } all[] = {
        {"-2", 5, {EMPTY_METADATA, 0x0c, 0xfe}},
        {"-2", 6, {EMPTY_METADATA, 0x10, 0xfe, 0xff}},
        {"1.5", 9, {EMPTY_METADATA, 0x20, 2, 150, 0, 0, 0}},
        {"1.5", 12, {EMPTY_METADATA, 0x1c, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f}},
        {"\"1970-01-02\"", 8, {EMPTY_METADATA, 0x2c, 1, 0, 0, 0}},
        {"\"1970-01-01 00:00:01+00:00\"", 12, {EMPTY_METADATA, 0x30, 0x40, 0x42, 0x0f}},
        {"\"1970-01-01 00:00:01\"", 12, {EMPTY_METADATA, 0x34, 0x40, 0x42, 0x0f}},
        {"\"AQI=\"", 10, {EMPTY_METADATA, 0x3c, 2, 0, 0, 0, 1, 2}},
        {"\"a\\n\\u0001\\\"\"", 8, {EMPTY_METADATA, 0x11, 'a', '\n', 1, '"'}},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        CHECK_STR(printed(all[i].bytes, all[i].size, &out), all[i].json);
    text_free(&out);
}

/* Every cut of a good variant, and every byte of it changed, ends; nothing is read past the end (asan). */
TEST(variant_broken)
{
    struct text out = {0};
    for (size_t size = 0; size < sizeof object; size++) {
        uint8_t *cut = mem_array(uint8_t, size);
        memcpy(cut, object, size);
        CHECK(printed(cut, size, &out) == NULL);
        mem_free(cut);
    }
    for (size_t at = 0; at < sizeof object; at++)
        for (int byte = 0; byte < 256; byte++) {
            uint8_t *bad = mem_array(uint8_t, sizeof object);
            memcpy(bad, object, sizeof object);
            bad[at] = (uint8_t)byte;
            printed(bad, sizeof object, &out);
            mem_free(bad);
        }
    text_free(&out);
}

/* Arrays whose elements all are the same bytes would be 2^n values. */
TEST(variant_shared_bytes_do_not_multiply)
{
    enum { LEVELS = 40, HEAD = 5 };
    struct text bomb = {0}, out = {0};
    text_add(&bomb, "\1\0\0", 3);
    for (int behind = HEAD * (LEVELS - 1) + 1; behind > 0; behind -= HEAD) {
        const uint8_t two[HEAD] = {0x03, 2, 0, 0, (uint8_t)behind}; // both begin at 0
        text_add(&bomb, two, sizeof two);
    }
    text_add_char(&bomb, 0);
    CHECK(printed(bomb.data, bomb.size, &out) == NULL);
    CHECK(out.size < 4096);
    text_free(&bomb);
    text_free(&out);
}

TEST(variant_type)
{
    struct arena arena = {0};
    const struct type *type;
    size_t position;
    struct error err = {0};
    struct text out = {0};
    CHECK_INT(type_parse_ddl(&arena, bytes_of_string("v VARIANT, a ARRAY<VARIANT>"), &type, &position, &err), E_OK);
    type_print(type, &out);
    CHECK_STR(out.data, "struct<v:variant,a:array<variant>>");
    text_free(&out);
    arena_free(&arena);
}
