#include "data/type.h"

#include "kit.h"

static void check_ddl(const char *ddl, const char *want)
{
    struct arena arena = {0};
    struct error err = {0};
    struct text got = {0};
    const struct type *type;
    size_t position = 0;
    if (type_parse_ddl(&arena, bytes_of_string(ddl), &type, &position, &err) != E_OK) {
        kit_fail(__FILE__, __LINE__, "%s: %s", ddl, err.text);
    } else {
        type_print(type, &got);
        CHECK_STR(got.data, want);
        CHECK(type_equal(type, type_copy(&arena, type)));
    }
    text_free(&got);
    arena_free(&arena);
}

static void check_bad(const char *ddl, size_t want_position)
{
    struct arena arena = {0};
    struct error err = {0};
    const struct type *type = NULL;
    size_t position = 999;
    if (type_parse_ddl(&arena, bytes_of_string(ddl), &type, &position, &err) != E_SQL)
        kit_fail(__FILE__, __LINE__, "%s was accepted", ddl);
    else if (position != want_position)
        kit_fail(__FILE__, __LINE__, "%s: position %zu, expected %zu: %s", ddl, position, want_position, err.text);
    CHECK(type == NULL);
    arena_free(&arena);
}

TEST(schemas_are_structs)
{
    check_ddl("a INT", "struct<a:int>");
    check_ddl("a INT, b STRUCT<c: STRING> NOT NULL", "struct<a:int,b:struct<c:string>>");
    check_ddl("txn_id STRING, amount DECIMAL(12,2), lat DOUBLE, _corrupt_record STRING",
              "struct<txn_id:string,amount:decimal(12,2),lat:double,_corrupt_record:string>");
    check_ddl("`a b` int, `c``d` long", "struct<a b:int,c`d:bigint>");
    check_ddl("a: int COMMENT 'it''s, so \\' b', b date not null comment \"x\"", "struct<a:int,b:date>");
    check_ddl("date date, timestamp timestamp", "struct<date:date,timestamp:timestamp>");
    check_ddl("items ARRAY<STRUCT<sku: STRING, qty: INT>>", "struct<items:array<struct<sku:string,qty:int>>>");
    check_ddl("1a INT", "struct<1a:int>");
}

TEST(one_type_is_that_type)
{
    check_ddl("INT", "int");
    check_ddl(" array<map<string,array<int>>> ", "array<map<string,array<int>>>");
    check_ddl("STRUCT<a INT, b: STRING>", "struct<a:int,b:string>");
    check_ddl("STRUCT<>", "struct<>");
    check_ddl("DECIMAL", "decimal(10,0)");
    check_ddl("numeric(5)", "decimal(5,0)");
    check_ddl("VARCHAR(20)", "string");
    check_ddl("INTERVAL DAY TO SECOND", "interval day to second");
    check_ddl("INTERVAL MONTH", "interval month");
    check_ddl("timestamp_ntz", "timestamp_ntz");
    check_ddl("void", "void");
}

TEST(errors_have_a_position)
{
    check_bad("", 0);
    check_bad("a", 1);
    check_bad("a INTEGR", 2);
    check_bad("a INT,", 6);
    check_bad("a INT b", 6);
    check_bad("a ARRAY<INT", 11);
    check_bad("a DECIMAL(39,2)", 10);
    check_bad("a DECIMAL(5,6)", 12);
    check_bad("a INT NOT", 9);
    check_bad("a INT COMMENT 'x", 16);
    check_bad("a MAP<INT>", 9);
    check_bad("`a INT", 6);
    check_bad("`a``", 4);
    check_bad("`` INT", 2);
    check_bad("a INT COMMENT 'x\\", 17);
    check_bad("a INTERVAL DAY TO MONTH", 18);
}

TEST(deep_nesting_is_refused)
{
    char ddl[4000] = "";
    size_t size = 0;
    for (int i = 0; i < 500; i++)
        size += (size_t)(memcpy(ddl + size, "ARRAY<", 6) != NULL) * 6;
    struct arena arena = {0};
    struct error err = {0};
    const struct type *type;
    size_t position;
    CHECK_INT(type_parse_ddl(&arena, bytes_of(ddl, size), &type, &position, &err), E_SQL);
    CHECK(strstr(err.text, "nested deeper than") != NULL);
    arena_free(&arena);
}

TEST(fields_are_found_by_name)
{
    struct arena arena = {0};
    struct error err = {0};
    const struct type *type;
    size_t position;
    CHECK_INT(type_parse_ddl(&arena, bytes_of_string("id INT, Name STRING"), &type, &position, &err), E_OK);
    CHECK_INT(type_field_index(type, "Name", false), 1);
    CHECK_INT(type_field_index(type, "name", false), -1);
    CHECK_INT(type_field_index(type, "NAME", true), 1);
    CHECK_INT(type_field_index(type, "none", true), -1);
    CHECK(!type_equal(type, type->fields[0].type));
    arena_free(&arena);
}
