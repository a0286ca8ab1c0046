#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"
#include "format/format.h"
#include "format/json_encode.h"
#include "kit.h"

/* ---- helpers of this file ---- */

static struct column payload_of(const struct bytes *rows, int64_t count)
{
    struct builder builder;
    struct column col;
    builder_init(&builder, type_of(TYPE_BINARY));
    for (int64_t i = 0; i < count; i++)
        if (rows[i].data == NULL)
            builder_null(&builder);
        else
            builder_bytes(&builder, rows[i]);
    builder_finish(&builder, &col);
    builder_release(&builder);
    return col;
}

static const struct type *schema_of(struct arena *arena, const char *ddl)
{
    const struct type *type = NULL;
    size_t position;
    struct error err = {0};
    if (type_parse_ddl(arena, bytes_of_string(ddl), &type, &position, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s: %s", ddl, err.text);
    return type;
}

static void decode(const struct decoder_spec *spec, const struct column *payload, struct column *out,
                   struct rejects *rejects)
{
    const struct decoder_type *type = decoder_find("json");
    struct error err = {0};
    void *decoder = mem_zero(type->size);
    if (type->open(decoder, spec, &err) != E_OK || type->decode(decoder, payload, out, rejects, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s", err.text);
    type->close(decoder);
    mem_free(decoder);
    column_check(out);
}

/* Decode rows and show row `row` as JSON with its NULL fields; the caller frees. */
static char *decoded_row(const char *ddl, const struct bytes *rows, int64_t count, int64_t row, int simd)
{
    struct arena arena = {0};
    struct rejects rejects = {0};
    struct decoder_spec spec = {
        .schema = schema_of(&arena, ddl), .corrupt_column = "_corrupt_record", .zone = zone_utc(), .simd = simd};
    struct column payload = payload_of(rows, count), out;
    decode(&spec, &payload, &out, &rejects);
    struct json_writer writer;
    struct text shown = {0};
    json_writer_init(&writer, NULL, true);
    json_write(&writer, &out, row, &shown);
    column_release(&payload);
    column_release(&out);
    rejects_free(&rejects);
    arena_free(&arena);
    return text_take(&shown);
}

static void check_row(const char *ddl, struct bytes payload, const char *want)
{
    for (int simd = -1; simd <= 0; simd++) {
        char *got = decoded_row(ddl, &payload, 1, 0, simd);
        if (strcmp(got, want) != 0)
            kit_fail(__FILE__, __LINE__, "%s\n  from %.*s\n  is   %s\n  not  %s (simd %d)", ddl,
                     (int)(payload.size < 300 ? payload.size : 300), (const char *)payload.data, got, want, simd);
        mem_free(got);
    }
}

#define CHECK_JSON(ddl, payload, want) check_row(ddl, bytes_of_string(payload), want)

/* ---- what Spark answers ---- */

static size_t unescape(char *text)
{
    char *to = text;
    for (char *p = text; *p != 0; to++) {
        if (*p != '\\') {
            *to = *p++;
        } else if (p[1] == 'x') {
            char hex[3] = {p[2], p[3], 0};
            *to = (char)strtol(hex, NULL, 16);
            p += 4;
        } else {
            *to = p[1];
            p += 2;
        }
    }
    *to = 0;
    return (size_t)(to - text);
}

TEST(from_json_answers_as_spark_does)
{
    FILE *file = fopen("tests/unit/format/from_json.golden", "r");
    static char line[1 << 16], schema[1 << 12], payload[1 << 16];
    size_t payload_size = 0;
    int count = 0;
    CHECK(file != NULL);
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "schema ", 7) == 0) {
            memcpy(schema, line + 7, strlen(line + 7) + 1);
        } else if (strncmp(line, "in  ", 4) == 0) {
            payload_size = unescape(line + 4);
            memcpy(payload, line + 4, payload_size);
        } else if (strncmp(line, "out ", 4) == 0) {
            unescape(line + 4);
            check_row(schema, bytes_of(payload, payload_size), line + 4);
            count++;
        }
    }
    if (file != NULL)
        fclose(file);
    CHECK(count > 500);
}

/* ---- modes and columns nobody needs ---- */

TEST(failfast_rejects_and_dropmalformed_drops)
{
    struct bytes rows[] = {bytes_of_string("{\"a\":1}"), bytes_of_string("{\"a\":\"x\"}"),
                           bytes_of_string("{"),         {NULL, 0},
                           bytes_of_string(" "),         bytes_of_string("{\"a\":2}")};
    struct arena arena = {0};
    for (int mode = DECODE_FAILFAST; mode <= DECODE_DROPMALFORMED; mode++) {
        struct rejects rejects = {0};
        struct decoder_spec spec = {
            .schema = schema_of(&arena, "a INT, b STRING"), .mode = (enum decode_mode)mode, .simd = -1};
        struct column payload = payload_of(rows, 6), out;
        decode(&spec, &payload, &out, &rejects);
        for (int row = 0; row < 6; row++)
            CHECK_INT(column_is_null(&out, row), row >= 1 && row <= 4);
        CHECK_INT(column_values(&out.children[0], int32_t)[5], 2);
        CHECK_INT(rejects.count, mode == DECODE_FAILFAST ? 2 : 0);
        if (rejects.count == 2) {
            CHECK_INT(rejects.items[0].row, 1);
            CHECK_INT(rejects.items[1].row, 2);
            CHECK_INT(rejects.items[1].code, REJECT_MALFORMED);
        }
        column_release(&payload);
        column_release(&out);
        rejects_free(&rejects);
    }
    arena_free(&arena);
}

TEST(a_field_nobody_needs_is_null_but_still_makes_a_record_corrupt)
{
    struct bytes rows[] = {bytes_of_string("{\"a\":\"bad\",\"b\":7}"), bytes_of_string("{\"a\":1,\"b\":8}")};
    struct arena arena = {0};
    struct rejects rejects = {0};
    const bool needed[] = {false, true, true}, without_corrupt[] = {false, true, false};
    struct decoder_spec spec = {.schema = schema_of(&arena, "a INT, b INT, _corrupt_record STRING"),
                                .needed = needed,
                                .corrupt_column = "_corrupt_record",
                                .simd = -1};
    struct column payload = payload_of(rows, 2), out;
    decode(&spec, &payload, &out, &rejects);
    CHECK_INT(column_nulls(&out.children[0]), 2);
    CHECK_INT(column_values(&out.children[1], int32_t)[0], 7);
    CHECK(bytes_equal(column_bytes_at(&out.children[2], 0), rows[0]));
    CHECK(column_is_null(&out.children[2], 1));
    column_release(&out);
    spec.needed = without_corrupt;
    decode(&spec, &payload, &out, &rejects);
    CHECK_INT(column_nulls(&out.children[0]), 2);
    CHECK_INT(column_nulls(&out.children[2]), 2);
    CHECK_INT(column_values(&out.children[1], int32_t)[1], 8);
    column_release(&out);
    column_release(&payload);
    arena_free(&arena);
}

TEST(a_decoder_is_used_for_many_batches)
{
    struct arena arena = {0};
    struct rejects rejects = {0};
    struct error err = {0};
    const struct decoder_type *type = decoder_find("json");
    struct decoder_spec spec = {.schema = schema_of(&arena, "s STRING, r ARRAY<STRUCT<x INT>>"), .simd = -1};
    void *decoder = mem_zero(type->size);
    CHECK_INT(type->open(decoder, &spec, &err), E_OK);
    for (int batch = 0; batch < 5; batch++) {
        struct bytes rows[] = {
            bytes_of_string("{\"s\":\"long enough to need more than one block of bytes\",\"r\":[{\"x\":1},null]}"),
            bytes_of_string("{\"r\":[{\"x\":2}],\"s\":null}"), bytes_of_string("{}")};
        int64_t count = batch % 4;
        struct column payload = payload_of(rows, count), out;
        CHECK_INT(type->decode(decoder, &payload, &out, &rejects, &err), E_OK);
        column_check(&out);
        CHECK_INT(out.rows, count);
        if (count > 1)
            CHECK_INT(column_values(&out.children[1].children[0].children[0], int32_t)[2], 2);
        column_release(&payload);
        column_release(&out);
    }
    type->close(decoder);
    mem_free(decoder);
    arena_free(&arena);
}

/* ---- names that are guessed ---- */

TEST(names_may_change_their_order_at_any_record)
{
    static const char *const texts[] = {
        "{\"a\":1,\"b\":\"x\",\"c\":2.5}",
        "{\"a\":2,\"b\":\"y\",\"c\":3.5}",
        "{\"c\":4.5,\"b\":\"z\",\"a\":3}",
        "{\"a\":4,\"other\":[1,2],\"b\":\"w\"}",
        "{ \"a\" : 5 , \"b\" : \"v\" , \"c\" : 5.5 }",
        "{\"a\":6,\"b\":\"u\",\"c\":6.5}",
        "{\"a\":7,\"other\":{},\"b\":\"t\",\"c\":7.5}",
        "{\"a\":8,\"a_name_longer_than_any_gap_that_is_remembered\":1,\"b\":\"s\"}",
        "{\"a\":9,\"b\":\"r\",\"c\":9.5,\"d\":0}",
        "{\"a\": 10,\"b\":\n\"q\",\"c\":\t10.5,\"d\": 0}",
        "{\"a\": 11,\"b\":\n\"p\",\"c\":\t11.5,\"d\": 0 }",
    };
    enum { COUNT = sizeof texts / sizeof *texts };
    struct bytes rows[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        rows[i] = bytes_of_string(texts[i]);
    for (int64_t row = 0; row < COUNT; row++) {
        char *together = decoded_row("a INT, b STRING, c DOUBLE", rows, COUNT, row, -1);
        char *alone = decoded_row("a INT, b STRING, c DOUBLE", &rows[row], 1, 0, 0);
        CHECK_STR(together, alone);
        mem_free(together);
        mem_free(alone);
    }
}

/* ---- size and depth ---- */

/* `open` n times, `middle`, `close` n times. */
static struct text nested(const char *open, const char *middle, const char *close, int n)
{
    struct text text = {0};
    for (int i = 0; i < n; i++)
        text_add_string(&text, open);
    text_add_string(&text, middle);
    for (int i = 0; i < n; i++)
        text_add_string(&text, close);
    return text;
}

static void check_nested(const char *head, const char *open, const char *middle, const char *close, int n,
                         const char *want)
{
    struct text inner = nested(open, middle, close, n), all = {0};
    text_add_string(&all, head);
    text_add(&all, inner.data, inner.size);
    text_add_string(&all, ",\"a\":1}");
    check_row("a INT, s STRUCT<x INT>", text_view(&all), want);
    text_free(&inner);
    text_free(&all);
}

TEST(a_thousand_levels_and_no_more)
{
    check_nested("{\"b\":", "[", "", "]", 999, "{\"a\":1,\"s\":null}");
    check_nested("{\"b\":", "[", "", "]", 1000, "{\"a\":null,\"s\":null}");
    check_nested("{\"b\":", "{\"x\":", "1", "}", 999, "{\"a\":1,\"s\":null}");
    check_nested("{\"b\":", "{\"x\":", "1", "}", 1000, "{\"a\":null,\"s\":null}");
    check_nested("{\"b\":", "[", "", "]", 100000, "{\"a\":null,\"s\":null}");
    check_nested("{\"s\":", "{\"y\":", "1", "}", 999, "{\"a\":1,\"s\":{\"x\":null}}");
    check_nested("{\"s\":", "{\"y\":", "1", "}", 1000, "{\"a\":null,\"s\":null}");
    check_nested("{\"b\":", "[", "", "", 100000, "{\"a\":null,\"s\":null}");
    check_nested("", "{\"s\":", "1", "}", 100000, "{\"a\":null,\"s\":null}");
}

TEST(numbers_of_a_thousand_digits_and_no_more)
{
    struct text text = nested("1", "", "", 1000), row = {0};
    text_printf(&row, "{\"b\":%s,\"a\":1}", text.data);
    CHECK_JSON("a INT", row.data, "{\"a\":1}");
    text_clear(&row);
    text_printf(&row, "{\"b\":1%s,\"a\":1}", text.data);
    CHECK_JSON("a INT", row.data, "{\"a\":null}");
    text_clear(&row);
    text_printf(&row, "{\"a\":1,\"b\":-1.%s}", text.data + 1);
    CHECK_JSON("a INT", row.data, "{\"a\":1}");
    text_free(&row);
    text_free(&text);
}

TEST(a_string_of_ten_megabytes)
{
    struct text text = {0};
    text_add_string(&text, "{\"s\":\"");
    size_t size = 10 << 20;
    memset(text_reserve(&text, size), 'x', size);
    text.size += size;
    text_add_string(&text, "\"}");
    struct bytes rows[] = {text_view(&text), bytes_of(text.data, text.size - 2)};
    for (int simd = -1; simd <= 0; simd++) {
        char *row = decoded_row("s STRING", rows, 2, 0, simd);
        CHECK_INT(strlen(row), size + strlen("{\"s\":\"\"}"));
        mem_free(row);
        row = decoded_row("s STRING", rows, 2, 1, simd);
        CHECK_STR(row, "{\"s\":null}");
        mem_free(row);
    }
    text_free(&text);
}

/* ---- the two readers, and damage ---- */

static struct text random_record(void)
{
    static const char *const strings[] = {"Berlin",
                                          "",
                                          "a\\\"b\\\\c",
                                          "M\xc3\xbcnchen",
                                          "\\u00e9\\ud83d\\ude00\\ud800",
                                          "\xff\xfe",
                                          "a text that is longer than one block of thirty-two bytes",
                                          "tab\\t",
                                          "\xe2\x82\xac \xf0\x9f\x98\x80"};
    static const char *const numbers[] = {"0",
                                          "-0",
                                          "12",
                                          "-1.5",
                                          "52.520008",
                                          "1e3",
                                          "123456789012345678",
                                          "1.10",
                                          "99999999999999999999",
                                          "-13.404954",
                                          "0.1",
                                          "12345678",
                                          "123456789.123456789",
                                          "NaN"};
    static const char *const others[] = {"null",
                                         "true",
                                         "[1,2,3]",
                                         "{\"x\":1,\"y\":\"z\"}",
                                         "[]",
                                         "[{\"x\":5},null,{}]",
                                         "false",
                                         "{\"k\":1,\"l\":2}",
                                         "\"2026-11-21T10:00:00.123456+00:00\"",
                                         "\"2026-11-21\"",
                                         "\"AQID\""};
    static const char *const names[] = {"s", "i", "l", "d", "p", "t", "r", "g", "m", "z", "x", "b", "unknown"};
    struct text text = {0};
    int count = (int)(kit_random() % 14);
    text_add_char(&text, '{');
    for (int i = 0; i < count; i++) {
        uint64_t pick = kit_random() % 4;
        text_printf(&text, "%s\"%s\":",
                    i == 0                   ? ""
                    : kit_random() % 16 == 0 ? " , "
                                             : ",",
                    names[kit_random() % 8 == 0 ? kit_random() % 13 : (uint64_t)i % 13]);
        if (pick == 0)
            text_printf(&text, "\"%s\"", strings[kit_random() % (sizeof strings / sizeof *strings)]);
        else if (pick == 1)
            text_add_string(&text, numbers[kit_random() % (sizeof numbers / sizeof *numbers)]);
        else
            text_add_string(&text, others[kit_random() % (sizeof others / sizeof *others)]);
    }
    text_add_char(&text, '}');
    return text;
}

static void damage(struct text *text)
{
    static const char marks[] = "\"\\{}[]:,0e.-\n\x01\xff't";
    for (uint64_t hits = kit_random() % 3; hits > 0 && text->size > 0; hits--) {
        size_t at = kit_random() % text->size;
        if (kit_random() % 4 == 0)
            text->size = at;
        else
            text->data[at] = marks[kit_random() % (sizeof marks - 1)];
    }
}

TEST(both_readers_agree_on_records_whole_and_damaged)
{
    static const char ddl[] =
        "s STRING, i INT, l BIGINT, d DOUBLE, p DECIMAL(10,2), t TIMESTAMP, r ARRAY<INT>, "
        "g STRUCT<x INT, y STRING>, m MAP<STRING,INT>, z ARRAY<STRUCT<x INT>>, x BINARY, b BOOLEAN, "
        "_corrupt_record STRING";
    enum { COUNT = 200 };
    struct arena arena = {0};
    struct decoder_spec spec = {.schema = schema_of(&arena, ddl), .corrupt_column = "_corrupt_record"};
    for (int round = 0; round < 20; round++) {
        struct text texts[COUNT];
        struct bytes rows[COUNT];
        for (int i = 0; i < COUNT; i++) {
            texts[i] = random_record();
            damage(&texts[i]);
            rows[i] = text_view(&texts[i]);
        }
        struct column payload = payload_of(rows, COUNT), wide, word;
        struct rejects rejects = {0};
        spec.simd = -1;
        decode(&spec, &payload, &wide, &rejects);
        spec.simd = 0;
        decode(&spec, &payload, &word, &rejects);
        for (int64_t row = 0; row < COUNT; row++) {
            if (column_equal_at(&wide, row, &word, row))
                continue;
            kit_fail(__FILE__, __LINE__, "the readers differ on %.*s", (int)rows[row].size,
                     (const char *)rows[row].data);
        }
        for (int i = 0; i < COUNT; i++)
            text_free(&texts[i]);
        column_release(&payload);
        column_release(&wide);
        column_release(&word);
    }
    arena_free(&arena);
}

/* A record decodes alone as it does in the middle of others: nothing of a neighbour leaks in. */
TEST(damaged_records_leave_their_neighbours_alone)
{
    static const char ddl[] =
        "s STRING, i INT, d DOUBLE, r ARRAY<INT>, g STRUCT<x INT, y STRING>, t TIMESTAMP, _corrupt_record STRING";
    enum { COUNT = 100 };
    struct text texts[COUNT];
    struct bytes rows[COUNT];
    for (int i = 0; i < COUNT; i++) {
        texts[i] = random_record();
        damage(&texts[i]);
        rows[i] = text_view(&texts[i]);
    }
    for (int64_t row = 0; row < COUNT; row++) {
        char *together = decoded_row(ddl, rows, COUNT, row, -1), *alone = decoded_row(ddl, &rows[row], 1, 0, -1);
        CHECK_STR(together, alone);
        mem_free(together);
        mem_free(alone);
    }
    for (int i = 0; i < COUNT; i++)
        text_free(&texts[i]);
}

/* ---- JSONTestSuite ---- */

/* Texts that RFC 8259 forbids and Spark accepts: its words for numbers and its single quotes. */
static bool spark_accepts(const char *name)
{
    static const char *const lenient[] = {
        "n_number_NaN.json",          "n_number_infinity.json",     "n_number_minus_infinity.json",
        "n_string_single_quote.json", "n_object_single_quote.json", NULL};
    for (size_t i = 0; lenient[i] != NULL; i++)
        if (strcmp(name, lenient[i]) == 0)
            return true;
    return false;
}

static int suite_files;

/* The text as the value of a field, so that nothing may stand behind it. */
static void check_suite_file(void *context, const char *name, bool is_dir)
{
    (void)context;
    if (is_dir || strchr("yni", name[0]) == NULL)
        return;
    char path[512];
    struct text file = {0}, record = {0};
    struct error err = {0};
    snprintf(path, sizeof path, "JSONTestSuite/test_parsing/%s", name);
    CHECK_INT(os_read_file(kit_conformance(path), 1 << 20, &file, &err), E_OK);
    text_add_string(&record, "{\"v\":");
    text_add(&record, file.data, file.size);
    text_add_string(&record, ",\"ok\":true}");
    struct bytes rows[] = {text_view(&record), text_view(&file)};
    for (int simd = -1; simd <= 0; simd++) {
        char *row = decoded_row("v STRING, ok BOOLEAN", rows, 2, 0, simd);
        bool accepted = strstr(row, "\"ok\":true") != NULL;
        if (name[0] == 'y' && !accepted)
            kit_fail(__FILE__, __LINE__, "%s is refused", name);
        if (name[0] == 'n' && accepted != spark_accepts(name))
            kit_fail(__FILE__, __LINE__, "%s is %s", name, accepted ? "accepted" : "refused");
        mem_free(row);
    }
    suite_files++;
    text_free(&file);
    text_free(&record);
}

/* As Spark reads files: a value that is no string becomes a STRING as it stands. */
TEST(json_exact_texts)
{
    static const char *const values[] = {"7.10",         "1e2", "{\"c\": [1, 2]}", "[ 1 ,\t2 ]", "true",
                                         "\"a\\u0041\"", "-0.0"};
    static const char *const expected[] = {"7.10", "1e2", "{\"c\": [1, 2]}", "[ 1 ,\t2 ]", "true", "aA", "-0.0"};
    struct arena arena = {0};
    struct decoder_spec spec = {
        .schema = schema_of(&arena, "b STRING, l ARRAY<STRING>"), .simd = -1, .exact_texts = true};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct rejects rejects = {0};
        char *line = arena_printf(&arena, "{\"b\": %s , \"l\": [%s]}", values[i], values[i]);
        struct bytes rows[] = {bytes_of_string(line)};
        struct column payload = payload_of(rows, 1), out;
        decode(&spec, &payload, &out, &rejects);
        CHECK(bytes_equal_string(column_bytes_at(&out.children[0], 0), expected[i]));
        CHECK(bytes_equal_string(column_bytes_at(&out.children[1].children[0], 0), expected[i]));
        column_release(&payload);
        column_release(&out);
    }
    arena_free(&arena);
}

TEST(conformance_json_test_suite)
{
    struct error err = {0};
    const char *folder = kit_conformance("JSONTestSuite/test_parsing");
    if (folder == NULL)
        return;
    suite_files = 0;
    CHECK_INT(os->list(folder, check_suite_file, NULL, &err), E_OK);
    CHECK(suite_files > 300);
}
