/* parquet_read_test.c - Parquet files of other writers, as leat reads them.
 *
 * With LEAT_PARQUET_IN=<folder>, every NAME.parquet there gets a NAME.read beside it: the schema as leat
 * types it, then a line per row (parquet_rows.h), or `error: ` and what is wrong. Then
 * tests/interop/parquet_read_test.py, which made the files with PyArrow, compares. With CONFORMANCE_DIR the
 * files of parquet-testing are read too: good ones must be, or be refused by name; bad ones must not crash.
 */
#include <stdio.h>

#include "base/os.h"
#include "parquet_rows.h"

enum { FILE_MAX = 512 << 20 };

struct names {
    const char *folder, *suffix;
    int32_t count, capacity;
    char **paths;
};

static void name_add(void *context, const char *name, bool is_dir)
{
    struct names *names = context;
    size_t size = strlen(name), tail = strlen(names->suffix);
    struct text path = {0};
    if (is_dir || size < tail || strcmp(name + size - tail, names->suffix) != 0)
        return;
    text_printf(&path, "%s/%s", names->folder, name);
    mem_grow(names->paths, names->capacity, names->count + 1);
    names->paths[names->count++] = text_take(&path);
}

static void names_free(struct names *names)
{
    for (int32_t i = 0; i < names->count; i++)
        mem_free(names->paths[i]);
    mem_free(names->paths);
}

static void schema_line(struct bytes file, struct text *out)
{
    struct parquet_input input = {"file", (int64_t)file.size, &file, memory_read};
    struct budget budget = {0};
    struct parquet_reader *reader;
    struct error err = {0};
    if (parquet_reader_new(&input, &budget, &reader, &err) == E_OK) {
        type_print(parquet_reader_schema(reader), out);
        parquet_reader_free(reader);
    }
    text_add_char(out, '\n');
}

static enum code file_read(const char *path, struct text *out, struct error *err)
{
    struct text file = {0};
    CHECK_INT(os_read_file(path, FILE_MAX, &file, err), E_OK);
    schema_line(text_view(&file), out);
    enum code code = parquet_lines(path, text_view(&file), NULL, out, err);
    text_free(&file);
    return code;
}

TEST(files_of_others)
{
    struct names names = {.folder = os_env("LEAT_PARQUET_IN"), .suffix = ".parquet"};
    struct error err = {0};
    if (names.folder == NULL)
        return;
    CHECK_INT(os->list(names.folder, name_add, &names, &err), E_OK);
    for (int32_t i = 0; i < names.count; i++) {
        struct text out = {0}, path = {0};
        error_clear(&err);
        if (file_read(names.paths[i], &out, &err) != E_OK)
            text_printf(&out, "error: %s\n", err.text);
        text_printf(&path, "%.*s.read", (int)(strlen(names.paths[i]) - strlen(".parquet")), names.paths[i]);
        CHECK_INT(os_replace_file(path.data, text_view(&out), &err), E_OK);
        text_free(&out);
        text_free(&path);
    }
    names_free(&names);
}

/* A file that is good is read, or what leat cannot do is said by name. */
static void conformance(const char *folder, bool good)
{
    const char *root = os_env("CONFORMANCE_DIR");
    struct text path = {0};
    if (root == NULL) {
        printf("skipped: no CONFORMANCE_DIR for %s\n", folder);
        return;
    }
    text_printf(&path, "%s/parquet-testing/%s", root, folder);
    struct names names = {.folder = path.data, .suffix = ".parquet"};
    struct error err = {0};
    CHECK_INT(os->list(names.folder, name_add, &names, &err), E_OK);
    int32_t read = 0, refused = 0;
    for (int32_t i = 0; i < names.count; i++) {
        struct text out = {0};
        error_clear(&err);
        enum code code = file_read(names.paths[i], &out, &err);
        bool damaged = strstr(names.paths[i], "-corrupt-") != NULL || strstr(names.paths[i], "-malformed") != NULL;
        if (code != E_OK)
            printf("%s: %s\n", code_name(code), err.text);
        CHECK(code == E_OK || code == E_UNSUPPORTED || code == E_CORRUPT);
        CHECK(!good || damaged || code != E_CORRUPT);
        read += code == E_OK;
        refused += code != E_OK;
        text_free(&out);
    }
    printf("%s: %d read, %d refused\n", folder, read, refused);
    names_free(&names);
    text_free(&path);
}

TEST(good_files_of_parquet_testing) { conformance("data", true); }
TEST(bad_files_of_parquet_testing) { conformance("bad_data", false); }
