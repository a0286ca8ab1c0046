/* Columns that folders name=value give: their types were seen on Spark 4.2.0. */
#include "kit.h"
#include "source/source.h"

static char *columns_of(const char *pattern, const char *const *paths, int32_t count, char *out, size_t size)
{
    struct arena arena = {0};
    struct error err = {0};
    struct text text = {0};
    const struct type *type;
    if (source_path_columns(&arena, pattern, paths, count, &type, &err) == E_OK)
        type_print(type, &text);
    else
        text_add(&text, err.text, strcspn(err.text, "]") + 1);
    size_t length = text.size < size ? text.size : size - 1;
    memcpy(out, text.data, length);
    out[length] = '\0';
    text_free(&text);
    arena_free(&arena);
    return out;
}

TEST(path_columns_are_sparks)
{
    static const struct {
        const char *pattern, *paths[2], *want;
    } cases[] = {
        {"/t", {"/t/k=1/f", "/t/k=2/f"}, "struct<k:int>"},
        {"/t", {"/t/k=1/f", "/t/k=3000000000/f"}, "struct<k:bigint>"},
        {"/t", {"/t/k=1/f", "/t/k=1.5/f"}, "struct<k:double>"},
        {"/t/", {"/t/k=2024-01-01/f", "/t/k=2024-02-01/f"}, "struct<k:date>"},
        {"/t", {"/t/k=2024-01-01 00%3A00%3A00/f", "/t/k=2024-01-01/f"}, "struct<k:timestamp>"},
        {"/t", {"/t/k=a/f", "/t/k=1/f"}, "struct<k:string>"},
        {"/t", {"/t/k=__HIVE_DEFAULT_PARTITION__/f", "/t/k=1/f"}, "struct<k:int>"},
        {"/t", {"/t/k=01/f", "/t/k=02/f"}, "struct<k:int>"},
        {"/t", {"/t/k=2024-01/f", "/t/k=2024-01/g"}, "struct<k:string>"},
        {"/t", {"/t/k=99999999999999999999/f", "/t/k=1/f"}, "struct<k:decimal(20,0)>"},
        {"/t", {"/t/k=true/f", "/t/k=true/g"}, "struct<k:string>"},
        {"/t", {"/t/y=1/m=2/f", "/t/y=1/m=x/f"}, "struct<y:int,m:string>"},
        {"/t/y=1", {"/t/y=1/m=2/f", "/t/y=1/m=3/f"}, "struct<m:int>"},
        {"/t/*", {"/t/y=1/m=2/f", "/t/y=1/m=3/f"}, "struct<m:int>"},
        {"/t/*/*", {"/t/y=1/f", "/t/y=2/f"}, "struct<>"},
        {"/t", {"/t/f", "/t/g"}, "struct<>"},
        {"/t", {"/t/y=1/f", "/t/z=1/f"}, "[CONFLICTING_PARTITION_COLUMN_NAMES]"},
        {"/t", {"/t/y=1/f", "/t/y=1/z=1/f"}, "[CONFLICTING_PARTITION_COLUMN_NAMES]"},
    };
    char got[256];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(columns_of(cases[i].pattern, cases[i].paths, 2, got, sizeof got), cases[i].want);
}

TEST(path_columns_have_their_file_s_value)
{
    const struct field field = {"K", type_of(TYPE_STRING), true};
    struct column col = {0};
    struct error err = {0};
    CHECK_INT(source_path_column("/t", "/t/k=a%20b/f", &field, zone_utc(), 3, &col, &err), E_OK);
    CHECK_INT(col.rows, 3);
    struct bytes last = column_bytes_at(&col, 2);
    CHECK(bytes_equal_string(last, "a b"));
    column_release(&col);
    const struct field number = {"k", type_of(TYPE_INT32), true};
    CHECK_INT(source_path_column("/t", "/t/k=x/f", &number, zone_utc(), 3, &col, &err), E_DATA);
}
