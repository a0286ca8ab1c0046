/* CSV and JSON as text: what Spark 4.2.0 wrote for the same values. */
#include "format/format.h"
#include "format/json_encode.h"
#include "kit.h"

/* ---- helpers of this file ---- */

struct table {
    struct arena arena;
    struct batch batch;
};

/* A batch from JSON lines: the decoder is tested elsewhere. */
static struct table table_of(const char *ddl, const char *const *lines, int64_t count)
{
    struct table table = {0};
    const struct type *schema = NULL;
    size_t position;
    struct error err = {0};
    if (type_parse_ddl(&table.arena, bytes_of_string(ddl), &schema, &position, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s: %s", ddl, err.text);
    struct builder builder;
    struct column payload, rows;
    builder_init(&builder, type_of(TYPE_STRING));
    for (int64_t i = 0; i < count; i++)
        builder_bytes(&builder, bytes_of_string(lines[i]));
    builder_finish(&builder, &payload);
    builder_release(&builder);
    const struct decoder_type *type = decoder_find("json");
    struct decoder_spec spec = {.schema = schema, .simd = -1};
    struct rejects rejects = {0};
    void *decoder = mem_zero(type->size);
    CHECK_INT(type->open(decoder, &spec, &err), E_OK);
    CHECK_INT(type->decode(decoder, &payload, &rows, &rejects, &err), E_OK);
    type->close(decoder);
    mem_free(decoder);
    column_release(&payload);
    batch_init(&table.batch, schema, count);
    for (int32_t i = 0; i < schema->field_count; i++)
        table.batch.columns[i] = column_take(&rows.children[i]);
    column_release(&rows);
    return table;
}

static void table_close(struct table *table)
{
    batch_release(&table->batch);
    arena_free(&table->arena);
}

/* A whole file: header, one piece, footer. `options` are name, value, ... NULL. */
static char *encoded(const char *format, const struct batch *batch, const struct zone *zone, const char *const *options)
{
    const struct encoder_type *type = encoder_find(format);
    const char *names[16], *values[16];
    struct encoder_spec spec = {.schema = batch->schema, .zone = zone, .option_names = names, .option_values = values};
    for (; options != NULL && options[0] != NULL; options += 2, spec.option_count++) {
        names[spec.option_count] = options[0];
        values[spec.option_count] = options[1];
    }
    struct error err = {0};
    struct text file_text = {0};
    struct piece piece = {0};
    void *lane = mem_zero(type->lane_size), *file = mem_zero(type->file_size);
    if (type->lane_open(lane, &spec, &err) != E_OK || type->file_open(file, &spec, &file_text, &err) != E_OK ||
        type->lane_add(lane, batch, 0, batch->rows, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s", err.text);
    CHECK_INT(type->lane_rows(lane), batch->rows);
    CHECK_INT(type->lane_take(lane, &piece, &err), E_OK);
    CHECK_INT(piece.rows, batch->rows);
    CHECK_INT(type->file_add(file, &piece, (int64_t)file_text.size, &err), E_OK);
    text_add(&file_text, piece.bytes.data, piece.bytes.size);
    CHECK_INT(type->file_finish(file, &file_text, &err), E_OK);
    type->piece_close(&piece);
    type->file_close(file);
    type->lane_close(lane);
    mem_free(lane);
    mem_free(file);
    return text_take(&file_text);
}

static void check_encoded(const char *format, const char *ddl, const char *const *lines, int64_t count,
                          const char *const *options, const char *want)
{
    struct table table = table_of(ddl, lines, count);
    char *got = encoded(format, &table.batch, zone_utc(), options);
    CHECK_STR(got, want);
    mem_free(got);
    table_close(&table);
}

/* ---- CSV ---- */

static const char *const texts[] = {
    "{\"i\":1,\"s\":\"x\"}",
    "{\"i\":2}",
    "{\"i\":3,\"s\":\"\"}",
    "{\"i\":4,\"s\":\"a,b\"}",
    "{\"i\":5,\"s\":\"a\\\"b\"}",
    "{\"i\":6,\"s\":\"a\\nb\"}",
    "{\"i\":7,\"s\":\" lead\"}",
    "{\"i\":8,\"s\":\"trail \"}",
    "{\"i\":9,\"s\":\"back\\\\slash\"}",
    "{\"i\":10,\"s\":\"\\\\\"}",
    "{\"i\":11,\"s\":\"a\\\\\\\"b\"}",
    "{\"i\":12,\"s\":\"a\\rb\"}",
    "{\"i\":13,\"s\":\"#c\"}",
    "{\"i\":14,\"s\":\"\\ttab\"}",
    "{\"i\":15,\"s\":\"'q\"}",
    "{\"i\":18,\"s\":\"\\\"\"}",
    "{\"i\":19,\"s\":\"\\\"\\\"\"}",
    "{\"i\":20,\"s\":\"a\\\\,b\"}",
    "{\"i\":21,\"s\":\"  \"}",
    "{\"i\":25,\"s\":\"a;b\"}",
    "{\"i\":26,\"s\":\"{\\\"k\\\": \\\"v\\\\\\\"\\\"}\"}",
    "{\"i\":29,\"s\":\"null\"}",
};
enum { TEXTS = sizeof texts / sizeof *texts };
#define CHECK_CSV(want, ...) \
    check_encoded("csv", "i INT, s STRING", texts, TEXTS, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL}, want)

TEST(csv_texts_as_spark_writes_them)
{
    CHECK_CSV(
        "1,x\n2,\n3,\"\"\n4,\"a,b\"\n5,\"a\\\"b\"\n6,\"a\nb\"\n7,lead\n8,trail\n9,back\\slash\n10,\\\n11,\"a\\\\\\\"b\"\n"
        "12,\"a\rb\"\n13,#c\n14,tab\n15,'q\n18,\"\\\"\"\n19,\"\\\"\\\"\"\n20,\"a\\\\,b\"\n21,\"\"\n25,a;b\n"
        "26,\"{\\\"k\\\": \\\"v\\\\\\\"\\\"}\"\n29,null\n");
}

TEST(csv_options_as_spark_takes_them)
{
    CHECK_CSV(
        "i;s\n1;x\n2;\n3;\"\"\n4;a,b\n5;\"a\\\"b\"\n6;\"a\nb\"\n7;lead\n8;trail\n9;back\\slash\n10;\\\n11;\"a\\\\\\\"b\"\n"
        "12;\"a\rb\"\n13;#c\n14;tab\n15;'q\n18;\"\\\"\"\n19;\"\\\"\\\"\"\n20;a\\,b\n21;\"\"\n25;\"a;b\"\n"
        "26;\"{\\\"k\\\": \\\"v\\\\\\\"\\\"}\"\n29;null\n",
        "sep", ";", "header", "true");
    CHECK_CSV(
        "\"1\",\"x\"\n\"2\",\"\"\n\"3\",\"\"\n\"4\",\"a,b\"\n\"5\",\"a\\\"b\"\n\"6\",\"a\nb\"\n\"7\",\"lead\"\n\"8\",\"trail\"\n"
        "\"9\",\"back\\\\slash\"\n\"10\",\"\\\\\"\n\"11\",\"a\\\\\\\"b\"\n\"12\",\"a\rb\"\n\"13\",\"#c\"\n\"14\",\"tab\"\n"
        "\"15\",\"'q\"\n\"18\",\"\\\"\"\n\"19\",\"\\\"\\\"\"\n\"20\",\"a\\\\,b\"\n\"21\",\"\"\n\"25\",\"a;b\"\n"
        "\"26\",\"{\\\"k\\\": \\\"v\\\\\\\"\\\"}\"\n\"29\",\"null\"\n",
        "quoteAll", "true");
    CHECK_CSV(
        "1||x\n2||N\n3||\n4||a,b\n5||\"a\"\"b\"\n6||\"a\nb\"\n7|| lead\n8||trail \n9||back\\slash\n10||\\\n11||\"a\\\"\"b\"\n"
        "12||\"a\rb\"\n13||#c\n14||\ttab\n15||'q\n18||\"\"\"\"\n19||\"\"\"\"\"\"\n20||a\\,b\n21||  \n25||a;b\n"
        "26||\"{\"\"k\"\": \"\"v\\\"\"\"\"}\"\n29||null\n",
        "delimiter", "||", "escape", "\"", "nullValue", "N", "emptyValue", "", "ignoreLeadingWhiteSpace", "false",
        "ignoreTrailingWhiteSpace", "false");
}

TEST(csv_first_column_and_names)
{
    static const char *const lines[] = {"{\"a\":\"x\"}", "{}", "{\"a\":\"\"}", "{\"a\":\"#c\"}", "{\"a\":\" b\"}"};
    check_encoded("csv", "a STRING", lines, 5, NULL, "x\n\"\"\n\"#c\"\nb\n"); /* the row of a single NULL is left out */
    static const char *const header[] = {"header", "true", NULL};
    check_encoded("csv", "`#h` STRING, `a,b` STRING, ` c ` STRING", lines, 0, header, "\"#h\",\"a,b\",c\n");
}

TEST(csv_numbers_and_times_as_spark_writes_them)
{
    static const char *const lines[] = {
        "{\"t\":\"2026-01-02 03:04:05.123456\",\"d\":\"2026-01-02\",\"n\":\"2026-01-02 03:04:05\",\"f\":0.1,\"g\":1e10,\"p\":1.10,"
        "\"q\":1e-9,\"b\":true,\"y\":5,\"l\":-7,\"x\":\"QUI=\",\"i\":\"1 02:03:04.5\",\"j\":\"1-2\"}",
        "{\"t\":\"1969-12-31 23:59:59.999999\",\"g\":NaN,\"q\":0,\"f\":-0.0,\"i\":\"-0 00:00:01\",\"j\":\"-0-1\"}",
    };
    check_encoded(
        "csv",
        "t TIMESTAMP, d DATE, n TIMESTAMP_NTZ, f FLOAT, g DOUBLE, p DECIMAL(10,3), q DECIMAL(20,10), b BOOLEAN, y TINYINT, "
        "l BIGINT, x BINARY, i INTERVAL DAY TO SECOND, j INTERVAL YEAR TO MONTH",
        lines, 2, NULL,
        "2026-01-02T03:04:05.123Z,2026-01-02,2026-01-02T03:04:05.000,0.1,1.0E10,1.100,1.0E-9,true,5,-7,[41 42],"
        "INTERVAL '1 02:03:04.5' DAY TO SECOND,INTERVAL '1-2' YEAR TO MONTH\n"
        "1969-12-31T23:59:59.999Z,,,-0.0,NaN,,0E-10,,,,,INTERVAL '-0 00:00:01' DAY TO SECOND,INTERVAL '-0-1' YEAR TO MONTH\n");
}

TEST(csv_refuses_what_it_cannot_write)
{
    struct arena arena = {0};
    const struct type *schema;
    size_t position;
    struct error err = {0};
    void *lane = mem_zero(encoder_find("csv")->lane_size);
    CHECK_INT(type_parse_ddl(&arena, bytes_of_string("a ARRAY<INT>"), &schema, &position, &err), E_OK);
    struct encoder_spec spec = {.schema = schema};
    CHECK_INT(encoder_find("csv")->lane_open(lane, &spec, &err), E_UNSUPPORTED);
    encoder_find("csv")->lane_close(lane);
    CHECK_INT(type_parse_ddl(&arena, bytes_of_string("a INT"), &schema, &position, &err), E_OK);
    const char *name = "quote", *value = "<>";
    spec = (struct encoder_spec){.schema = schema, .option_names = &name, .option_values = &value, .option_count = 1};
    CHECK_INT(encoder_find("csv")->lane_open(lane, &spec, &err), E_SPEC);
    encoder_find("csv")->lane_close(lane);
    mem_free(lane);
    arena_free(&arena);
}

TEST(both_forms_of_the_byte_loops_agree)
{
    struct quoter wide, word;
    quoter_init(&wide, ',', '"', '\\', -1);
    quoter_init(&word, ',', '"', '\\', 0);
    for (int round = 0; round < 3000; round++) {
        static const char alphabet[] = "abc\"\\,\n\r\xff ";
        uint8_t text[200 + 32];
        char a[2 * sizeof text], b[2 * sizeof text];
        size_t size = kit_random() % 200, quiet = kit_random() % 3;
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (uint8_t)alphabet[kit_random() % (quiet == 0 ? 3 : sizeof alphabet - 1)];
        CHECK_INT(wide.needs_quotes(&wide, text, size), word.needs_quotes(&word, text, size));
        CHECK_INT(wide.is_plain(text, size), word.is_plain(text, size));
        size_t a_size = (size_t)(wide.copy_escaped(&wide, text, size, a) - a),
               b_size = (size_t)(word.copy_escaped(&word, text, size, b) - b);
        CHECK(a_size == b_size && memcmp(a, b, a_size) == 0);
    }
}

/* ---- JSON ---- */

static void check_json(const char *ddl, const char *line, const char *want)
{
    struct table table = table_of(ddl, &line, 1);
    char *got = encoded("json", &table.batch, zone_utc(), NULL);
    CHECK_STR(got, want);
    mem_free(got);
    table_close(&table);
}

TEST(json_lines_as_spark_writes_them)
{
    check_json("a INT, b INT, c STRING", "{\"a\":1,\"c\":\"x\"}", "{\"a\":1,\"c\":\"x\"}\n");
    check_json("a INT", "{}", "{}\n");
    check_json(
        "a DOUBLE, f FLOAT, d DECIMAL(10,3), n DOUBLE, i DOUBLE, e DOUBLE, z DOUBLE, s DOUBLE",
        "{\"a\":1.5,\"f\":0.1,\"d\":1.10,\"n\":NaN,\"i\":-Infinity,\"e\":1e10,\"z\":-0.0,\"s\":1e-5}",
        "{\"a\":1.5,\"f\":0.1,\"d\":1.100,\"n\":\"NaN\",\"i\":\"-Infinity\",\"e\":1.0E10,\"z\":-0.0,\"s\":1.0E-5}\n");
    check_json("d DECIMAL(20,10), e DECIMAL(20,10), f DECIMAL(38,0), g DECIMAL(38,7)",
               "{\"d\":0.0000001,\"e\":0,\"f\":123,\"g\":1e-7}", "{\"d\":1.000E-7,\"e\":0E-10,\"f\":123,\"g\":1E-7}\n");
    check_json(
        "s STRING",
        "{\"s\":\"a\\\"b\\\\c\\/d\\be\\ff\\ng\\rh\\ti\\u0001\\u001f\\u007f\\u2028\\ud83d\\ude00</script>\"}",
        "{\"s\":\"a\\\"b\\\\c/d\\be\\ff\\ng\\rh\\ti\\u0001\\u001F\x7f\xe2\x80\xa8\xf0\x9f\x98\x80</script>\"}\n");
    check_json(
        "t TIMESTAMP, d DATE, n TIMESTAMP_NTZ, x BINARY, e BINARY",
        "{\"t\":\"2026-01-02 03:04:05.123456\",\"d\":\"2026-01-02\",\"n\":\"2026-01-02 03:04:05.5\",\"x\":\"AQL/\",\"e\":\"\"}",
        "{\"t\":\"2026-01-02T03:04:05.123Z\",\"d\":\"2026-01-02\",\"n\":\"2026-01-02T03:04:05.500\",\"x\":\"AQL/\",\"e\":\"\"}\n");
    check_json(
        "a ARRAY<INT>, s ARRAY<STRUCT<x: INT, y: INT>>, e ARRAY<INT>, n ARRAY<INT>, m MAP<STRING, INT>, g STRUCT<z: INT>, b BOOLEAN",
        "{\"a\":[1,null,3],\"s\":[{\"x\":1},null],\"e\":[],\"m\":{\"k\":1,\"j\":null},\"g\":{},\"b\":true}",
        "{\"a\":[1,null,3],\"s\":[{\"x\":1},null],\"e\":[],\"m\":{\"k\":1,\"j\":null},\"g\":{},\"b\":true}\n");
    check_json("i INTERVAL DAY TO SECOND, y INTERVAL YEAR TO MONTH", "{\"i\":\"1 02:03:04.5\",\"y\":\"1-2\"}",
               "{\"i\":\"INTERVAL '1 02:03:04.5' DAY TO SECOND\",\"y\":\"INTERVAL '1-2' YEAR TO MONTH\"}\n");
    check_json("`k\"ey` INT, `\xc3\xa9` INT", "{\"k\\\"ey\":1,\"\xc3\xa9\":2}", "{\"k\\\"ey\":1,\"\xc3\xa9\":2}\n");
}

TEST(json_times_in_the_session_zone)
{
    const struct zone *berlin = NULL;
    struct error err = {0};
    const char *line =
        "{\"t\":\"2026-01-02 03:04:05.123456\",\"u\":\"2026-07-02 03:04:05\",\"n\":\"2026-07-02 03:04:05\",\"o\":\"1850-01-01\"}";
    CHECK_INT(zone_find(bytes_of_string("Europe/Berlin"), &berlin, &err), E_OK);
    struct table table = table_of("t TIMESTAMP, u TIMESTAMP, n TIMESTAMP_NTZ, o TIMESTAMP", &line, 1);
    char *got = encoded("json", &table.batch, berlin, NULL);
    CHECK_STR(got, "{\"t\":\"2026-01-02T04:04:05.123+01:00\",\"u\":\"2026-07-02T05:04:05.000+02:00\","
                   "\"n\":\"2026-07-02T03:04:05.000\",\"o\":\"1850-01-01T00:53:28.000+00:53:28\"}\n");
    mem_free(got);
    table_close(&table);
}

TEST(json_map_keys_are_written_as_spark_holds_them)
{
    struct arena arena = {0};
    struct builder builder;
    struct column col;
    struct text text = {0};
    builder_init(&builder, type_map(&arena, type_of(TYPE_DATE), type_of(TYPE_INT32), true));
    builder_int(&builder.children[0], 20454);
    builder_int(&builder.children[1], 1);
    builder_close_list(&builder);
    builder_finish(&builder, &col);
    json_write_value(&col, 0, zone_utc(), &text);
    CHECK_STR(text.data, "{\"20454\":1}");
    text_free(&text);
    column_release(&col);
    builder_release(&builder);
    arena_free(&arena);
}

TEST(broken_utf8_is_repaired_on_the_way_out)
{
    struct builder builder;
    struct column col;
    struct text text = {0};
    builder_init(&builder, type_of(TYPE_STRING));
    builder_bytes(&builder, bytes_of_string("A\xff"
                                            "B"));
    builder_finish(&builder, &col);
    json_write_value(&col, 0, NULL, &text);
    CHECK_STR(text.data, "\"A\xef\xbf\xbd"
                         "B\"");
    text_free(&text);
    column_release(&col);
    builder_release(&builder);
}

TEST(what_is_encoded_decodes_to_the_same)
{
    static const char ddl[] =
        "s STRING, i INT, d DOUBLE, p DECIMAL(30,5), t TIMESTAMP, day DATE, x BINARY, b BOOLEAN, r ARRAY<STRING>, "
        "g STRUCT<x: INT, y: DOUBLE>, m MAP<STRING, BIGINT>";
    static const char *const lines[] = {
        "{\"s\":\"a\\\"\\\\\\u0000\\n\xf0\x9f\x98\x80\",\"i\":-2147483648,\"d\":4.9e-324,\"p\":1234567890123456789012345.12345,"
        "\"t\":\"2026-01-02 03:04:05.123\",\"day\":\"0001-01-01\",\"x\":\"AQIDBA==\",\"b\":false,\"r\":[\"\",\"x\",null],"
        "\"g\":{\"x\":1,\"y\":1e300},\"m\":{\"k\":9223372036854775807,\"\":null}}",
        "{}",
        "{\"r\":[],\"g\":{},\"m\":{},\"s\":\"\",\"x\":\"\",\"d\":-0.0}",
    };
    struct table first = table_of(ddl, lines, 3);
    char *text = encoded("json", &first.batch, zone_utc(), NULL), *rest = text;
    const char *again[3];
    for (int i = 0; i < 3; i++) {
        again[i] = rest;
        rest = strchr(rest, '\n');
        *rest++ = 0;
    }
    struct table second = table_of(ddl, again, 3);
    for (int32_t c = 0; c < first.batch.column_count; c++)
        for (int64_t row = 0; row < 3; row++)
            if (!column_equal_at(&first.batch.columns[c], row, &second.batch.columns[c], row))
                kit_fail(__FILE__, __LINE__, "column %d of row %d: %s", (int)c, (int)row, again[row]);
    mem_free(text);
    table_close(&first);
    table_close(&second);
}
