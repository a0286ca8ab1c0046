/* What files of lines look like together, and what of a record has no place. The schemas were seen on Spark 4.2.0 (json.`path`,
 * csv with inferSchema), case by case. */
#include "format/format.h"
#include "kit.h"

#include <stdio.h>

/* ---- JSON ---- */

static char *json_schema(const char *lines, char *out, size_t size)
{
    struct json_shape *shape = json_shape_new();
    struct arena arena = {0};
    struct error err = {0};
    struct text text = {0};
    const struct type *type;
    for (const char *at = lines; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        json_shape_add(shape, bytes_of(at, length));
        at += length + (at[length] == '\n');
    }
    if (json_shape_type(shape, "_corrupt_record", &arena, &type, &err) == E_OK)
        type_print(type, &text);
    else
        text_add_string(&text, err.text);
    snprintf(out, size, "%s", text.data);
    text_free(&text);
    arena_free(&arena);
    json_shape_free(shape);
    return out;
}

TEST(json_shapes_are_sparks)
{
    static const struct {
        const char *lines, *want;
    } cases[] = {
        {"{\"b\":1,\"a\":\"x\"}\n{\"a\":2,\"c\":null}", "struct<a:string,b:bigint,c:string>"},
        {"{\"a\":1}\n{\"a\":1.5}", "struct<a:double>"},
        {"{\"a\":1}\n{\"a\":99999999999999999999}", "struct<a:decimal(20,0)>"},
        {"{\"a\":9223372036854775807}\n{\"a\":9223372036854775808}", "struct<a:decimal(20,0)>"},
        {"{\"a\":9223372036854775808}\n{\"a\":1.5}", "struct<a:double>"},
        {"{\"a\":1}\n{\"a\":true}", "struct<a:string>"},
        {"{\"a\":[]}\n{\"b\":{}}", "struct<a:array<string>>"},
        {"{\"a\":[1,2.5,null]}", "struct<a:array<double>>"},
        {"{\"a\":[1,\"x\"]}", "struct<a:array<string>>"},
        {"{\"a\":{\"y\":1}}\n{\"a\":{\"x\":\"q\",\"y\":2.5}}", "struct<a:struct<x:string,y:double>>"},
        {"{\"a\":{\"y\":1}}\n{\"a\":5}", "struct<a:string>"},
        {"{\"a\":1}\nbroken\n\n{\"a\":2}", "struct<_corrupt_record:string,a:bigint>"},
        {"[{\"a\":1},{\"a\":2}]\n{\"a\":3}", "struct<a:bigint>"},
        {"{\"a\":[{\"x\":1},{\"y\":2}]}", "struct<a:array<struct<x:bigint,y:bigint>>>"},
        {"5\n\"x\"", "struct<_corrupt_record:string>"},
        {"{\"a\":[[1],[2.5]]}", "struct<a:array<array<double>>>"},
        {"", "struct<>"},
        {"{}", "struct<>"},
        {"{\"a\":1e400}", "struct<a:double>"},
        {"{\"a\":NaN}", "struct<a:double>"},
        {"{\"x.y\":1, \"z w\":2}", "struct<x.y:bigint,z w:bigint>"},
        {"{\"a\":[null]}", "struct<a:array<string>>"},
        {"{\"a\":[{}]}", "struct<>"},
        {"{\"a\":1} trailing", "struct<a:bigint>"},
        {"{\"a\":{\"b\":null}}", "struct<a:struct<b:string>>"},
        {"{\"\\u0061\":1}\n{'a':2.5}", "struct<a:double>"},
        {"{\"a\":1,\"A\":2}",
         "[COLUMN_ALREADY_EXISTS] The column `a` already exists. Choose another name or rename the existing "
         "column."},
    };
    char got[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(json_schema(cases[i].lines, got, sizeof got), cases[i].want);
}

TEST(json_shape_has_a_ceiling)
{
    struct json_shape *shape = json_shape_new();
    struct arena arena = {0};
    struct error err = {0};
    const struct type *type;
    char record[64];
    for (int i = 0; i < 10100; i++) {
        int size = snprintf(record, sizeof record, "{\"f%d\":1}", i);
        json_shape_add(shape, bytes_of(record, (size_t)size));
    }
    CHECK_INT(json_shape_type(shape, "c", &arena, &type, &err), E_UNSUPPORTED);
    json_shape_free(shape);
    arena_free(&arena);
}

/* ---- CSV ---- */

static char *csv_schema(const char *lines, bool header, char *out, size_t size)
{
    const char *names[] = {"header", "inferSchema"}, *values[] = {header ? "true" : "false", "true"};
    struct csv_shape *shape;
    struct arena arena = {0};
    struct error err = {0};
    struct text text = {0};
    const struct type *type;
    CHECK_INT(csv_shape_new(names, values, 2, zone_utc(), &shape, &err), E_OK);
    for (const char *at = lines; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        csv_shape_add(shape, bytes_of(at, length));
        at += length + (at[length] == '\n');
    }
    csv_shape_type(shape, &arena, &type);
    if (type != NULL)
        type_print(type, &text);
    snprintf(out, size, "%s", type != NULL ? text.data : "nothing");
    text_free(&text);
    arena_free(&arena);
    csv_shape_free(shape);
    return out;
}

TEST(csv_shapes_are_sparks)
{
    static const struct {
        const char *lines, *want;
        bool header;
    } cases[] = {
        {"1\n2", "struct<_c0:int>", false},
        {"1\n3000000000", "struct<_c0:bigint>", false},
        {"1\n1.5", "struct<_c0:double>", false},
        {"99999999999999999999\n1", "struct<_c0:decimal(20,0)>", false},
        {"1e3\n2", "struct<_c0:double>", false},
        {"true\nFALSE", "struct<_c0:boolean>", false},
        {"2024-01-02\n2024-01-02 03:04:05", "struct<_c0:timestamp>", false},
        {"2024-01-02", "struct<_c0:date>", false},
        {"1\ntrue", "struct<_c0:string>", false},
        {"1.5\n2024-01-01", "struct<_c0:string>", false},
        {"NaN\n1", "struct<_c0:double>", false},
        {" 1\n2", "struct<_c0:double>", false},
        {"+1\n-2", "struct<_c0:int>", false},
        {"01", "struct<_c0:int>", false},
        {"0x10", "struct<_c0:string>", false},
        {"1.0\n99999999999999999999999999999999999999999", "struct<_c0:double>", false},
        {"1f\n2d", "struct<_c0:double>", false},
        {"Inf\n-Inf", "struct<_c0:double>", false},
        {"x,,1", "struct<_c0:string,_c1:string,_c2:int>", false},
        {"a,A,a,,b\n1,2,3,4,5", "struct<a0:int,A1:int,a2:int,_c3:int,b:int>", true},
        {"a,b", "struct<a:string,b:string>", true},
        {"", "nothing", true},
    };
    char got[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(csv_schema(cases[i].lines, cases[i].header, got, sizeof got), cases[i].want);
}

/* ---- what has no place ---- */

static void stranger_print(void *context, const char *path, struct bytes value)
{
    struct text *out = context;
    text_printf(out, "%s=%.*s;", path, (int)value.size, (const char *)value.data);
}

TEST(strangers_are_found_at_any_depth)
{
    struct arena arena = {0};
    struct error err = {0};
    struct text out = {0};
    const struct type *schema;
    size_t at;
    const char *ddl = "a INT, n STRUCT<x: INT>, l ARRAY<STRUCT<y: INT>>, m MAP<STRING, STRUCT<z: INT>>";
    CHECK_INT(type_parse_ddl(&arena, bytes_of_string(ddl), &schema, &at, &err), E_OK);
    const char *json = "{\"a\":{\"q\":1},\"A\":2,\"n\":{\"x\":1,\"w\":[1, 2]},\"l\":[{\"y\":1},{\"v\":\"}\"}],"
                       "\"m\":{\"k\":{\"z\":1,\"u\":null}},\"new\":\"\\u0041\"} rest";
    json_strangers_find(bytes_of_string(json), schema, stranger_print, &out);
    CHECK_STR(out.data, "A=2;n.w=[1, 2];l.v=\"}\";m.u=null;new=\"\\u0041\";");
    text_clear(&out);
    json_strangers_find(bytes_of_string("{\"z\":1"), schema, stranger_print, &out);
    json_strangers_find(bytes_of_string("[1]"), schema, stranger_print, &out);
    CHECK_INT(out.size, 0);
    text_free(&out);
    arena_free(&arena);
}

struct met {
    struct text text;
};

static void met_print(void *context, const char *path, int64_t met)
{
    text_printf(&((struct met *)context)->text, "%s:%lld;", path, (long long)met);
}

/* Fields of the schema that nobody reads are no strangers, however many there are. */
TEST(decoder_counts_strangers)
{
    struct arena arena = {0};
    struct error err = {0};
    struct rejects rejects = {0};
    struct builder builder;
    struct column payload, decoded;
    struct met met = {{0}};
    struct text ddl = {0}, record = {0};
    const struct type *schema;
    size_t at;
    for (int i = 0; i < 100; i++)
        text_printf(&ddl, "%sf%d INT", i > 0 ? ", " : "", i);
    CHECK_INT(type_parse_ddl(&arena, text_view(&ddl), &schema, &at, &err), E_OK);
    bool needed[100] = {[7] = true};
    const struct decoder_type *type = decoder_find("json");
    const struct decoder_spec spec = {.schema = schema, .needed = needed, .simd = -1};
    void *decoder = mem_zero(type->size);
    CHECK_INT(type->open(decoder, &spec, &err), E_OK);
    text_add_char(&record, '{');
    for (int i = 0; i < 100; i++)
        text_printf(&record, "\"f%d\":%d,", i, i);
    text_printf(&record, "\"new\":1}");
    builder_init(&builder, type_of(TYPE_STRING));
    for (int i = 0; i < 3; i++)
        builder_bytes(&builder, text_view(&record));
    builder_bytes(&builder, bytes_of_string("{\"other\":1,\"new\":2}"));
    builder_finish(&builder, &payload);
    CHECK_INT(type->stranger_count(decoder), 0);
    CHECK_INT(type->decode(decoder, &payload, &decoded, &rejects, &err), E_OK);
    CHECK_INT(type->stranger_count(decoder), 2);
    type->strangers(decoder, met_print, &met);
    CHECK_STR(met.text.data, "new:4;other:1;");
    CHECK_INT(column_values(&decoded.children[7], int32_t)[2], 7);
    text_free(&met.text);
    text_free(&ddl);
    text_free(&record);
    column_release(&payload);
    column_release(&decoded);
    builder_release(&builder);
    type->close(decoder);
    mem_free(decoder);
    rejects_free(&rejects);
    arena_free(&arena);
}
