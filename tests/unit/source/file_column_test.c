/* What a file is called, as a column of its rows. */
#include "source/source.h"

#include "kit.h"

static struct source_file file(const char *path)
{
    return (struct source_file){.path = path, .size_bytes = 34, .modified_us = 1700000000123456};
}

static void check_told(const struct source_file *of, const struct field *field, const char *want)
{
    struct column told;
    struct text text = {0};
    source_file_column(of, field, 3, &told);
    CHECK_INT(told.rows, 3);
    column_print(&told, 2, &text);
    CHECK_STR(text.data, want);
    text_free(&text);
    column_release(&told);
}

TEST(paths_are_told_as_urls)
{
    const struct field path = {SOURCE_FILE_COLUMN ".file_path", type_of(TYPE_STRING), false};
    const struct field name = {SOURCE_FILE_COLUMN ".file_name", type_of(TYPE_STRING), false};
    struct source_file local = file("/data/k=1/a b%[1]#.json"), remote = file("s3://lake/in/a b.csv");
    check_told(&local, &path, "file:/data/k=1/a%20b%25%5B1%5D%23.json");
    check_told(&local, &name, "a%20b%25%5B1%5D%23.json");
    check_told(&remote, &path, "s3://lake/in/a%20b.csv");
    check_told(&remote, &name, "a%20b.csv");
}

TEST(a_file_is_one_block)
{
    const struct type *number = type_of(TYPE_INT64);
    const int64_t rows[] = {5, 7, 9};
    struct source_file of = file("/data/a");
    of.row_numbers = rows;
    check_told(&of, &(struct field){SOURCE_FILE_COLUMN ".file_size", number, false}, "34");
    check_told(&of, &(struct field){SOURCE_FILE_COLUMN ".file_block_start", number, false}, "0");
    check_told(&of, &(struct field){SOURCE_FILE_COLUMN ".file_block_length", number, false}, "34");
    check_told(&of, &(struct field){SOURCE_FILE_COLUMN ".row_index", number, false}, "9");
}

TEST(the_struct_has_the_fields_that_are_asked_for)
{
    const struct field fields[] = {{"row_index", type_of(TYPE_INT64), false},
                                   {"file_name", type_of(TYPE_STRING), false}};
    struct arena arena = {0};
    const struct field whole = {SOURCE_FILE_COLUMN, type_struct(&arena, fields, 2), false};
    const struct field alone = {SOURCE_FILE_COLUMN ".file_name", type_of(TYPE_STRING), false};
    const int64_t rows[] = {0, 1, 2};
    struct source_file of = file("/data/a");
    of.row_numbers = rows;
    check_told(&of, &whole, "{\"row_index\":2,\"file_name\":\"a\"}");
    CHECK(source_asks_row(type_struct(&arena, &whole, 1)));
    CHECK(!source_asks_row(type_struct(&arena, &alone, 1)));
    CHECK(source_is_file_column(&whole) && source_is_file_column(&alone));
    CHECK(!source_is_file_column(&fields[1]));
    arena_free(&arena);
}
