#include "kit.h"

#include "runtime/set_aside.h"

static struct column texts(const char *const *values, int count)
{
    struct builder builder;
    struct column col;
    builder_init(&builder, type_of(TYPE_STRING));
    for (int i = 0; i < count; i++)
        builder_bytes(&builder, bytes_of_string(values[i]));
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

/* Two rows with a time, from records 1 and 0 of a fetched batch; or born in leat. */
static struct batch rows_of(struct arena *arena, bool fetched)
{
    const struct field field = {"at", type_of(TYPE_TIMESTAMP), true};
    const int64_t times[] = {1000000, 2000000};
    const int32_t rows[] = {1, 0};
    struct batch records, picked;
    batch_init(&records, type_struct(arena, &field, 1), 2);
    records.columns[0] = numbers(TYPE_TIMESTAMP, times, 2);
    if (fetched) {
        struct origin *origin = mem_new(struct origin);
        atomic_store(&origin->count, 1);
        origin->value = texts((const char *[]){"first", "second"}, 2);
        origin->topic = texts((const char *[]){"t", "t"}, 2);
        origin->partition = numbers(TYPE_INT32, (const int64_t[]){0, 0}, 2);
        origin->offset = numbers(TYPE_INT64, (const int64_t[]){70, 71}, 2);
        records.source = origin;
    }
    batch_gather(&picked, &records, rows, 2);
    batch_release(&records);
    return picked;
}

static void check_line(const struct batch *lines, int64_t row, const char *expected)
{
    struct text text = {0};
    for (int32_t c = 0; c < lines->column_count; c++) {
        if (c > 0)
            text_add_char(&text, '|');
        if (column_is_null(&lines->columns[c], row))
            text_add_char(&text, '-');
        else
            column_print(&lines->columns[c], row, &text);
    }
    CHECK_STR(text.data, expected);
    text_free(&text);
}

TEST(a_late_row_says_by_what)
{
    struct arena arena = {0};
    struct batch in = rows_of(&arena, true), lines;
    const struct type *schema = late_schema(&arena);
    struct late_rows late = {&in, (const int32_t[]){1}, 1, 5000000, 0};
    late_rows_print(schema, &late, &lines);
    CHECK_INT(lines.rows, 1);
    check_line(&lines, 0, "LATE|1970-01-01 00:00:05|1970-01-01 00:00:01|t|0|70|-|-|first");
    batch_release(&lines);
    late.time_column = -1;
    late_rows_print(schema, &late, &lines);
    check_line(&lines, 0, "LATE|1970-01-01 00:00:05|-|t|0|70|-|-|first");
    batch_release(&lines);
    batch_release(&in);
    arena_free(&arena);
}

TEST(a_row_born_in_leat_has_no_record)
{
    struct arena arena = {0};
    struct batch in = rows_of(&arena, false), lines;
    const struct late_rows late = {&in, (const int32_t[]){0, 1}, 2, 0, 0};
    late_rows_print(late_schema(&arena), &late, &lines);
    check_line(&lines, 0, "LATE|1970-01-01 00:00:00|1970-01-01 00:00:02|-|-|-|-|-|-");
    batch_release(&lines);
    batch_release(&in);
    arena_free(&arena);
}
