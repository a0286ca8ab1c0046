/* Lines of CSV into columns. What is expected was seen on Spark 4.2.0 (spark.read.csv), case by
 * case. */
#include "format/format.h"
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>

struct setup {
    const char *schema;
    const char *options; /* "name=value;name=value" */
    enum decode_mode mode;
    const char *needed; /* a 0 or 1 per field; NULL = all */
};

struct outcome {
    struct text rows; /* fields between ~, a line a row */
    int32_t rejected;
    enum code code;
    struct error err;
};

enum { OPTIONS_MAX = 8, FIELDS_MAX = 16 };

static int32_t options_split(char *text, const char **names, const char **values)
{
    int32_t count = 0;
    for (char *at = text; at != NULL && *at != '\0'; count++) {
        char *equals = strchr(at, '='), *next = strchr(equals + 1, ';');
        if (next == equals + 1) // sep=;
            next = strchr(next + 1, ';');
        if (next != NULL)
            *next++ = '\0';
        *equals = '\0';
        names[count] = at;
        values[count] = equals + 1;
        at = next;
    }
    return count;
}

static void payload_fill(struct column *out, const char *lines)
{
    struct builder builder;
    builder_init(&builder, type_of(TYPE_BINARY));
    for (const char *at = lines;;) {
        size_t size = strcspn(at, "\n");
        if (size == 4 && memcmp(at, "NULL", 4) == 0)
            builder_null(&builder);
        else
            builder_bytes(&builder, bytes_of(at, size));
        if (at[size] == '\0')
            break;
        at += size + 1;
    }
    builder_finish(&builder, out);
    builder_release(&builder);
}

static void rows_print(const struct column *decoded, struct text *out)
{
    for (int64_t row = 0; row < decoded->rows; row++) {
        for (int32_t i = 0; i < decoded->child_count; i++) {
            text_add_string(out, i > 0 ? "~" : "");
            column_print(&decoded->children[i], row, out);
        }
        text_add_char(out, '\n');
    }
}

static void decode(const struct setup *setup, const char *lines, struct outcome *out)
{
    struct arena arena = {0};
    size_t at;
    const char *names[OPTIONS_MAX], *values[OPTIONS_MAX];
    bool needed[FIELDS_MAX];
    struct decoder_spec spec = {
        .mode = setup->mode, .corrupt_column = "_corrupt_record", .option_names = names, .option_values = values};
    const struct decoder_type *type = decoder_find("csv");
    void *decoder = mem_zero(type->size);
    struct column payload = {0}, decoded = {0};
    struct rejects rejects = {0};
    *out = (struct outcome){0};
    text_add_string(&out->rows, "");
    CHECK_INT(type_parse_ddl(&arena, bytes_of_string(setup->schema), &spec.schema, &at, &out->err), E_OK);
    spec.option_count = options_split(arena_strdup(&arena, setup->options), names, values);
    for (int32_t i = 0; setup->needed != NULL && i < spec.schema->field_count; i++)
        needed[i] = setup->needed[i] == '1';
    spec.needed = setup->needed != NULL ? needed : NULL;
    out->code = type->open(decoder, &spec, &out->err);
    if (out->code == E_OK) {
        payload_fill(&payload, lines);
        out->code = type->decode(decoder, &payload, &decoded, &rejects, &out->err);
        column_check(&decoded);
        rows_print(&decoded, &out->rows);
        out->rejected = rejects.count;
        type->close(decoder);
    }
    mem_free(decoder);
    column_release(&payload);
    column_release(&decoded);
    rejects_free(&rejects);
    arena_free(&arena);
}

static void check(int line, const struct setup *setup, const char *lines, const char *expected)
{
    struct outcome outcome;
    decode(setup, lines, &outcome);
    if (outcome.code != E_OK)
        kit_fail(__FILE__, line, "%s", outcome.err.text);
    else if (strcmp(outcome.rows.data, expected) != 0)
        kit_fail(__FILE__, line, "of\n%s\ncomes\n%sexpected\n%s", lines, outcome.rows.data, expected);
    text_free(&outcome.rows);
}
#define CHECK_LINES(lines, expected, ...) check(__LINE__, &(const struct setup){__VA_ARGS__}, lines, expected)

#define THREE "a STRING, b STRING, c STRING, _corrupt_record STRING"

TEST(csv_fields_are_told_apart)
{
    CHECK_LINES("x,y,z\n\"x\",\"y\",\"z\"\n\"x,1\",y,z\n\"a\\\"b\",y,z\na\"b,y,z\n\"ab\" ,y,z\n \"ab\",y,z",
                "x~y~z~NULL\nx~y~z~NULL\nx,1~y~z~NULL\na\"b~y~z~NULL\na\"b~y~z~NULL\nab~y~z~NULL\n \"ab\"~y~z~NULL\n",
                THREE, "", 0, NULL);
    CHECK_LINES("x,\"\",z\nx,,z\nx, ,z\n x , y , z ", "x~NULL~z~NULL\nx~NULL~z~NULL\nx~ ~z~NULL\n x ~ y ~ z ~NULL\n",
                THREE, "", 0, NULL);
    CHECK_LINES("\"a\\\\\",y,z\n\"a\\nb\",y,z\n\"a\\,b\",y,z\n\\\"x,y,z\na\\,b,y",
                "a\\~y~z~NULL\na\\nb~y~z~NULL\na\\,b~y~z~NULL\n\\\"x~y~z~NULL\na\\~b~y~NULL\n", THREE, "", 0, NULL);
}

TEST(csv_odd_quotes)
{
    CHECK_LINES("\"a\"\"b\",y,z\n\"ab\"cd,y,z\nx,\"y\"z\"w,q\nx,\"y\"\"\",z\n\"\"\"x\"\"\",y,z\nx,\"a\"b,c\"d\"",
                "\"a\"\"b\"~y~z~NULL\n\"ab\"cd~y~z~NULL\nx~\"y\"z\"w~q~NULL\nx~y\"\"~z~NULL\n\"\"\"x\"\"\"~y~z~NULL\n"
                "x~\"a\"b~c\"d\"~NULL\n",
                THREE, "", 0, NULL);
    CHECK_LINES("\"ab,y,z\n\"\"\n\"", "ab,y,z~NULL~NULL~\"ab,y,z\nNULL~NULL~NULL~\"\"\nNULL~NULL~NULL~\"\n", THREE, "",
                0, NULL);
    CHECK_LINES("\"a\"\"b\",y,z\n\"a\\\"b\",y,z\nx,\"y\"\"\",z\n\"\"\"x\"\"\",y,z\n\"\",y,z\n\"a\"b\",y,z\na\"\"b,y,z",
                "a\"b~y~z~NULL\n\"a\\\"b\"~y~z~NULL\nx~y\"~z~NULL\n\"x\"~y~z~NULL\nNULL~y~z~NULL\n\"a\"b\"~y~z~NULL\n"
                "a\"\"b~y~z~NULL\n",
                THREE, "escape=\"", 0, NULL);
}

TEST(csv_lines_of_another_length_are_bad)
{
    CHECK_LINES("x,y\nx\nx,y,z,w\nx,y,z,\n,,\n",
                "x~y~NULL~x,y\nx~NULL~NULL~x\nx~y~z~x,y,z,w\nx~y~z~x,y,z,\n"
                "NULL~NULL~NULL~NULL\nNULL~NULL~NULL~\n",
                THREE, "", 0, NULL);
    CHECK_LINES("x,1\n1,2\n3,y\n5\n6,7,8", "NULL~1~NULL\nNULL~2~NULL\nNULL~NULL~3,y\nNULL~NULL~NULL\nNULL~7~NULL\n",
                "a INT, b INT, _corrupt_record STRING", "", 0, "011");
    CHECK_LINES("1,2\nx,3\n1,2,3\nNULL", "NULL~1~2\nx,3~NULL~3\n1,2,3~1~2\nNULL~NULL~NULL\n",
                "_corrupt_record STRING, a INT, b INT", "", 0, NULL);
}

TEST(csv_blanks_and_separators)
{
    CHECK_LINES(" x , y , z \n \"x\" ,y,z\n\" x \",y,z\n  ,y,z\n\"  \",y,z",
                "x~y~z~NULL\nx~y~z~NULL\n x ~y~z~NULL\nNULL~y~z~NULL\n  ~y~z~NULL\n", THREE,
                "ignoreLeadingWhiteSpace=true;ignoreTrailingWhiteSpace=true", 0, NULL);
    CHECK_LINES(" x , y , z \n  ,y,z", "x ~y ~z ~NULL\nNULL~y~z~NULL\n", THREE, "ignoreLeadingWhiteSpace=true", 0,
                NULL);
    CHECK_LINES("x|y|z\n\"a|b\"|c|d", "x~y~z~NULL\na|b~c~d~NULL\n", THREE, "sep=|", 0, NULL);
    CHECK_LINES("x\ty\tz\n\"x\"\t \tz", "x~y~z~NULL\nx~ ~z~NULL\n", THREE, "sep=\\t", 0, NULL);
    CHECK_LINES("x||y||z\nx|y||||", "x~y~z~NULL\nx|y~NULL~NULL~NULL\n", THREE, "delimiter=||", 0, NULL);
    CHECK_LINES("x;y;z", "x~y~z~NULL\n", THREE, "sep=;", 0, NULL);
    CHECK_LINES("\"x\",y,z", "\"x\"~y~z~NULL\n", THREE, "quote=", 0, NULL);
    CHECK_LINES("'x,1',y,z", "x,1~y~z~NULL\n", THREE, "quote='", 0, NULL);
}

TEST(csv_nulls_and_empty_texts)
{
    CHECK_LINES("NA,,\"\"\n\"NA\",NA,x\nna,  ,NA ", "NULL~NULL~~NULL\nNULL~NULL~x~NULL\nna~  ~NA ~NULL\n", THREE,
                "nullValue=NA", 0, NULL);
    CHECK_LINES("NA,,\"\"\n\"NA\",NA,x", "NA~NULL~EMPTY~NULL\nNA~NA~x~NULL\n", THREE, "emptyValue=EMPTY", 0, NULL);
}

TEST(csv_values_of_each_type)
{
    static const char schema[] = "i INT, l BIGINT, d DOUBLE, m DECIMAL(6,2), b BOOLEAN, dt DATE, ts TIMESTAMP";
    CHECK_LINES("1,2,3.5,1.25,true,2024-01-02,2024-01-02 03:04:05\n"
                "+1,-2,1e3,1.255,TRUE,2024-1-2,2024-01-02T03:04:05.123456Z\n"
                " 1,2 , 3.5 , 1.25 , true , 2024-01-02 , 2024-01-02 03:04:05 \n"
                "1.0,2.0,3,\"1,234.56\",yes,02/01/2024,2024-01-02\n"
                "99999999999,99999999999999999999,NaN,12345.678,1,2024-02-30,24:00:00\n"
                "0x10,1_0,Inf,1e2,t,2024-01-02T00:00:00,1704164645\n"
                "1,1,-Inf,.5,f,2024,2024-01-02 03:04:05 Europe/Berlin\n"
                "1,1,Infinity,-0.005,F,20240102,2024-01-02 03:04\n"
                "1,1,1d,0.005,False,2024-01,2024\n"
                "-0,00012,.5,-,\"true\",,\n"
                "1,1,1.,+1.5,true,+2024-01-02,2024-01-02 3:4:5\n"
                "1,1,nan,1.5E1,true,2024-01-02 05:06:07,2024-01-02 03:04:05+02:00\n"
                "1,1,1f,1.5E-5,true,2024-01-02,2024-01-02",
                "1~2~3.5~1.25~true~2024-01-02~2024-01-02 03:04:05\n"
                "1~-2~1000.0~1.26~true~2024-01-02~2024-01-02 03:04:05.123456\n"
                "NULL~NULL~3.5~NULL~NULL~2024-01-02~2024-01-02 03:04:05\n"
                "NULL~NULL~3.0~1234.56~NULL~NULL~2024-01-02 00:00:00\n"
                "NULL~NULL~NaN~NULL~NULL~NULL~NULL\n"
                "NULL~NULL~Infinity~100.00~NULL~2024-01-02~NULL\n"
                "1~1~-Infinity~0.50~NULL~2024-01-01~2024-01-02 02:04:05\n"
                "1~1~Infinity~-0.01~NULL~NULL~2024-01-02 03:04:00\n"
                "1~1~1.0~0.01~false~2024-01-01~2024-01-01 00:00:00\n"
                "0~12~0.5~NULL~true~NULL~NULL\n"
                "1~1~1.0~1.50~true~2024-01-02~2024-01-02 03:04:05\n"
                "1~1~NULL~15.00~true~2024-01-02~2024-01-02 01:04:05\n"
                "1~1~1.0~0.00~true~2024-01-02~2024-01-02 00:00:00\n",
                schema, "", 0, NULL);
    CHECK_LINES("127,32767,1.5,AQID,2024-01-02 03:04:05\n128,32768,1e40,\"!!\",2024-01-02 03:04:05Z\n"
                "-129,-40000,NaN,\"\",2024-01-02\n1,1,1e-50,xyz,2024-01-02T03:04:05.9999999",
                "127~32767~1.5~AQID~2024-01-02 03:04:05\nNULL~NULL~Infinity~!!~NULL\n"
                "NULL~NULL~NaN~NULL~2024-01-02 00:00:00\n1~1~0.0~xyz~2024-01-02 03:04:05.999999\n",
                "a TINYINT, b SMALLINT, f FLOAT, bin BINARY, n TIMESTAMP_NTZ", "", 0, NULL);
    CHECK_LINES("NA,oo,-oo,NaN,", "NaN~Infinity~-Infinity~NULL~NULL\n",
                "a DOUBLE, b DOUBLE, c DOUBLE, d DOUBLE, e FLOAT", "nanValue=NA;positiveInf=oo;negativeInf=-oo", 0,
                NULL);
    CHECK_LINES("a\xff"
                "b,\xc3,z",
                "a\xef\xbf\xbd"
                "b~\xef\xbf\xbd~z~NULL\n",
                THREE, "", 0, NULL);
}

TEST(csv_failfast_rejects)
{
    struct outcome outcome;
    const struct setup setup = {"a INT, b INT", "", DECODE_FAILFAST, NULL};
    decode(&setup, "1,2\nx,2\n1\n1,2", &outcome);
    CHECK_INT(outcome.rejected, 2);
    text_free(&outcome.rows);
}

TEST(csv_options_are_checked)
{
    static const struct setup setups[] = {
        {"a INT", "sep=", 0, NULL},    {"a INT", "quote=ab", 0, NULL},    {"a INT", "escape=ab", 0, NULL},
        {"a ARRAY<INT>", "", 0, NULL}, {"a STRUCT<b: INT>", "", 0, NULL}, {"a INT", "sep=123456789", 0, NULL},
    };
    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) {
        struct outcome outcome;
        decode(&setups[i], "1", &outcome);
        CHECK(outcome.code != E_OK);
        text_free(&outcome.rows);
    }
}

/* Whatever the bytes: every line is a row, and nothing is read outside of it. */
TEST(csv_any_bytes)
{
    static const char letters[] = "\"\"\"\\\\,,, ab1\t.";
    const struct setup setup = {THREE, "", 0, NULL};
    for (int i = 0; i < 3000; i++) {
        char line[24];
        int size = (int)(kit_random() % sizeof line);
        for (int k = 0; k < size; k++)
            line[k] = letters[kit_random() % (sizeof letters - 1)];
        line[size < (int)sizeof line ? size : (int)sizeof line - 1] = '\0';
        struct outcome outcome;
        decode(&setup, line, &outcome);
        CHECK_INT(outcome.code, E_OK);
        text_free(&outcome.rows);
    }
}
