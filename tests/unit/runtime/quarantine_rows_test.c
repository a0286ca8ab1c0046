#include "kit.h"

#include "runtime/quarantine_rows.h"

static struct column texts(enum type_id type, const char *const *values, int count)
{
    struct builder builder;
    struct column col;
    builder_init(&builder, type_of(type));
    for (int i = 0; i < count; i++)
        if (values[i] != NULL)
            builder_bytes(&builder, bytes_of_string(values[i]));
        else
            builder_null(&builder);
    builder_finish(&builder, &col);
    builder_release(&builder);
    return col;
}

static struct column numbers(enum type_id type, const int64_t *values, int count)
{
    struct builder builder;
    struct column col;
    builder_init(&builder, type_of(type));
    for (int i = 0; i < count; i++)
        builder_int(&builder, values[i]);
    builder_finish(&builder, &col);
    builder_release(&builder);
    return col;
}

/* Two rows without columns, from records 1 and 0 of a fetched batch; or born in leat. */
static struct batch rows_of(struct arena *arena, bool fetched)
{
    const int32_t rows[] = {1, 0};
    struct batch records, picked;
    batch_init(&records, type_struct(arena, NULL, 0), 2);
    if (fetched) {
        struct origin *origin = mem_new(struct origin);
        atomic_store(&origin->count, 1);
        origin->name = "input";
        origin->key = texts(TYPE_BINARY, (const char *[]){"a key that is long", NULL}, 2);
        origin->value = texts(TYPE_BINARY, (const char *[]){"{\"a\": {\"b\": 12x}}", "caf\xe9"}, 2);
        origin->topic = texts(TYPE_STRING, (const char *[]){"t", "t"}, 2);
        origin->partition = numbers(TYPE_INT32, (const int64_t[]){0, 0}, 2);
        origin->offset = numbers(TYPE_INT64, (const int64_t[]){70, 71}, 2);
        origin->attempts = numbers(TYPE_INT32, (const int64_t[]){0, 2}, 2);
        records.source = origin;
    }
    batch_gather(&picked, &records, rows, 2);
    batch_release(&records);
    return picked;
}

static void check_row(const struct batch *rows, int64_t row, const char *expected)
{
    struct text text = {0};
    for (int32_t c = 0; c < rows->column_count; c++) {
        if (c > 0)
            text_add_char(&text, '|');
        if (column_is_null(&rows->columns[c], row))
            text_add_char(&text, '-');
        else
            column_print(&rows->columns[c], row, &text);
    }
    CHECK_STR(text.data, expected);
    text_free(&text);
}

static struct position nowhere(const void *stage, int32_t step)
{
    (void)stage;
    return step < 0 ? (struct position){0} : (struct position){"a.sql", 3, step, 0};
}

static void two_times(const void *stage, const struct batch *in, const struct reject *reject, struct text *out)
{
    (void)in;
    text_printf(out, "row %d of %s", reject->row, (const char *)stage);
}

static const char *const lost[] = {"gold", "silver"};
static const struct plan node = {.kind = PLAN_SOURCE};
static const struct rejection about = {
    .plan = &node, .tables = lost, .table_count = 2, .schema_version = "v", .node = "0000000000000abc"};
static const struct rejecter plain = {nowhere, NULL, NULL, &node, NULL},
                             detailed = {nowhere, two_times, "them", &node, NULL};

static struct quarantine_style style_of(struct arena *arena, bool text, int64_t value_max)
{
    return (struct quarantine_style){quarantine_schema(arena, text), text, value_max, 9, 1000000};
}

TEST(a_rejected_row_takes_its_record_along)
{
    struct arena arena = {0};
    struct batch in = rows_of(&arena, true), rows;
    struct rejects rejects = {0};
    struct quarantine_style style = style_of(&arena, false, 100);
    rejects_add(&rejects, 0, 7, REJECT_CAST);
    rejects_add(&rejects, 1, -1, REJECT_MALFORMED);
    rejects_add(&rejects, 0, 8, REJECT_DIVIDE_BY_ZERO); // the row is lost once
    quarantine_rows(&style, &about, &in, &rejects, &plain, &rows);
    CHECK_INT(rows.rows, 2);
    check_row(
        &rows, 0,
        "CAST_INVALID_INPUT|the text is not a value of the type|a.sql:3:7|[\"gold\",\"silver\"]|-|-|-|input|t|0|71|-|-|"
        "caf\xe9|-|4|v|0000000000000abc|3|9|1970-01-01 00:00:01");
    check_row(
        &rows, 1,
        "MALFORMED_RECORD_IN_PARSING|the payload is not what the schema says: x}}|-|[\"gold\",\"silver\"]|a.b|14|-|"
        "input|t|0|70|-|a key that is long|{\"a\": {\"b\": 12x}}|18|17|v|0000000000000abc|1|9|1970-01-01 "
        "00:00:01");
    batch_release(&rows);
    quarantine_rows(&style, &about, &in, &rejects, &detailed, &rows);
    check_row(&rows, 0,
              "CAST_INVALID_INPUT|row 0 of them|a.sql:3:7|[\"gold\",\"silver\"]|-|-|-|input|t|0|71|-|-|caf\xe9|-|4|v|"
              "0000000000000abc|3|9|1970-01-01 00:00:01");
    batch_release(&rows);
    struct error err = {0};
    CHECK_INT(reject_fail(&about, &in, &rejects, &detailed, &err), E_DATA);
    CHECK_STR(
        err.text,
        "[CAST_INVALID_INPUT] row 0 of them, in topic t partition 0 offset 71 (a.sql:3:7). leat.on_error is fail: with "
        "leat.on_error: quarantine such rows are set aside, and the others go on");
    rejects_free(&rejects);
    batch_release(&in);
    arena_free(&arena);
}

/* A file's row has no bytes of its own: `value`, a column like any, is none either. */
TEST(a_row_that_came_as_columns_is_kept_as_json)
{
    struct arena arena = {0};
    struct batch in, rows;
    struct rejects rejects = {0};
    struct quarantine_style style = style_of(&arena, false, 100);
    const struct field fields[] = {{"id", type_of(TYPE_INT64), true},
                                   {"at", type_of(TYPE_TIMESTAMP), true},
                                   {"value", type_of(TYPE_STRING), true}};
    struct origin *origin = mem_new(struct origin);
    atomic_store(&origin->count, 1);
    origin->topic = texts(TYPE_STRING, (const char *[]){"a.parquet", "a.parquet"}, 2);
    origin->offset = numbers(TYPE_INT64, (const int64_t[]){4, 5}, 2);
    origin->row = (struct column){.type = type_struct(&arena, fields, 3), .rows = 2, .child_count = 3};
    origin->row.children = mem_array(struct column, 3);
    origin->row.children[0] = numbers(TYPE_INT64, (const int64_t[]){7, 8}, 2);
    origin->row.children[1] = numbers(TYPE_TIMESTAMP, (const int64_t[]){1000001, 2000000}, 2);
    origin->row.children[2] = texts(TYPE_STRING, (const char *[]){"x", NULL}, 2);
    batch_init(&in, type_struct(&arena, NULL, 0), 2);
    in.source = origin;
    rejects_add(&rejects, 0, -1, REJECT_CAST);
    rejects_add(&rejects, 1, -1, REJECT_CAST);
    quarantine_rows(&style, &about, &in, &rejects, &plain, &rows);
    check_row(
        &rows, 0,
        "CAST_INVALID_INPUT|the text is not a value of the type|-|[\"gold\",\"silver\"]|-|-|-|-|a.parquet|-|4|-|-|"
        "{\"id\":7,\"at\":\"1970-01-01T00:00:01.000001Z\",\"value\":\"x\"}|-|55|v|0000000000000abc|1|9|"
        "1970-01-01 00:00:01");
    check_row(
        &rows, 1,
        "CAST_INVALID_INPUT|the text is not a value of the type|-|[\"gold\",\"silver\"]|-|-|-|-|a.parquet|-|5|-|-|"
        "{\"id\":8,\"at\":\"1970-01-01T00:00:02.000Z\"}|-|40|v|0000000000000abc|1|9|1970-01-01 00:00:01");
    batch_release(&rows);
    rejects_free(&rejects);
    batch_release(&in);
    arena_free(&arena);
}

TEST(what_is_too_long_is_cut_and_says_so)
{
    struct arena arena = {0};
    struct batch in = rows_of(&arena, true), rows;
    struct rejects rejects = {0};
    struct quarantine_style style = style_of(&arena, false, 5);
    rejects_add(&rejects, 1, -1, REJECT_TOO_BIG);
    quarantine_rows(&style, &about, &in, &rejects, &plain, &rows);
    check_row(
        &rows, 0,
        "RECORD_TOO_BIG|the record is larger than a limit|-|[\"gold\",\"silver\"]|-|-|-|input|t|0|70|-|a key|{\"a\":|18|17|"
        "v|0000000000000abc|1|9|1970-01-01 00:00:01");
    batch_release(&rows);
    rejects_free(&rejects);
    batch_release(&in);
    arena_free(&arena);
}

TEST(lines_keep_what_is_no_text_as_bytes)
{
    struct arena arena = {0};
    struct batch in = rows_of(&arena, true), rows;
    struct rejects rejects = {0};
    struct quarantine_style style = style_of(&arena, true, 100);
    rejects_add(&rejects, 0, -1, REJECT_TOO_BIG);
    rejects_add(&rejects, 1, -1, REJECT_TOO_BIG);
    quarantine_rows(&style, &about, &in, &rejects, &plain, &rows);
    CHECK(column_is_null(&rows.columns[QUARANTINE_VALUE], 0));
    CHECK(bytes_equal_string(column_bytes_at(&rows.columns[QUARANTINE_VALUE_BASE64], 0), "caf\xe9"));
    CHECK(bytes_equal_string(column_bytes_at(&rows.columns[QUARANTINE_VALUE], 1), "{\"a\": {\"b\": 12x}}"));
    CHECK(column_is_null(&rows.columns[QUARANTINE_VALUE_BASE64], 1));
    batch_release(&rows);
    rejects_free(&rejects);
    batch_release(&in);
    arena_free(&arena);
}

TEST(a_rejected_row_born_in_leat_has_no_record)
{
    struct arena arena = {0};
    struct batch in = rows_of(&arena, false), rows;
    struct rejects rejects = {0};
    struct quarantine_style style = style_of(&arena, false, 100);
    rejects_add(&rejects, 0, -1, REJECT_ARITHMETIC_OVERFLOW);
    quarantine_rows(&style, &about, &in, &rejects, &plain, &rows);
    check_row(&rows, 0,
              "ARITHMETIC_OVERFLOW|the result does not fit the type|-|[\"gold\",\"silver\"]|-|-|-|-|-|-|-|-|-|-|-|-|v|"
              "0000000000000abc|1|9|1970-01-01 00:00:01");
    batch_release(&rows);
    rejects_free(&rejects);
    batch_release(&in);
    arena_free(&arena);
}
