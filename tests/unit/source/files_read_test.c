/* The file source: which files, in which order, which lines, and the same again after a restart. */
#include "source/files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"
#include "kit.h"

struct fixture {
    char folder[400], checkpoint[400];
    struct store *store;
    const struct source_type *type;
    void *self;
    struct source_ranges ranges;
    struct error err;
    struct text read; /* "value|" of each record since it was last cleared */
    const char *names[8], *values[8];
    int32_t option_count;
    int32_t batch_rows;
    int64_t last_offset;
};

static void put(struct fixture *f, const char *name, const char *content, int64_t at_s)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    CHECK_INT(os_replace_file(path, bytes_of_string(content), &f->err), E_OK);
    const struct timespec times[2] = {{at_s, 0}, {at_s, 0}};
    CHECK_INT(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void option_add(struct fixture *f, const char *name, const char *value)
{
    f->names[f->option_count] = name;
    f->values[f->option_count++] = value;
}

static enum code source_start(struct fixture *f)
{
    const struct source_spec spec = {
        .name = "in",
        .option_names = f->names,
        .option_values = f->values,
        .option_count = f->option_count,
        .needed = {[SOURCE_VALUE] = true, [SOURCE_TOPIC] = true, [SOURCE_OFFSET] = true, [SOURCE_TIMESTAMP] = true},
        .batch_rows = f->batch_rows,
        .store = f->store,
        .folder = "sources/in",
    };
    f->self = mem_zero(f->type->size);
    return f->type->open(f->self, &spec, &f->err);
}

static void fixture_open(struct fixture *f, const char *format)
{
    *f = (struct fixture){.type = source_find(format), .last_offset = -1};
    snprintf(f->folder, sizeof f->folder, "%s/in", kit_tmpdir());
    snprintf(f->checkpoint, sizeof f->checkpoint, "%s", kit_tmpdir());
    CHECK_INT(os->dir_make(f->folder, &f->err), E_OK);
    CHECK_INT(store_open(f->checkpoint, &f->store, &f->err), E_OK);
    option_add(f, "path", f->folder);
}

static void source_end(struct fixture *f)
{
    f->type->close(f->self);
    mem_free(f->self);
    f->self = NULL;
}

static void fixture_close(struct fixture *f)
{
    source_end(f);
    store_close(f->store);
    source_ranges_free(&f->ranges);
    text_free(&f->read);
}

/* As after a crash: a new instance that knows `from` and the log. */
static void source_restart(struct fixture *f)
{
    source_end(f);
    CHECK_INT(source_start(f), E_OK);
}

static enum code discover(struct fixture *f)
{
    struct source_ranges found = {0};
    TRY(f->type->discover(f->self, &f->ranges, &found, &f->err));
    source_ranges_free(&f->ranges);
    f->ranges = found;
    return f->type->seek(f->self, &f->ranges, &f->err);
}

static void batch_note(struct fixture *f, struct batch *batch)
{
    batch->column_count = SOURCE_HEADERS;
    for (int64_t row = 0; row < batch->rows; row++) {
        struct bytes value = column_bytes_at(&batch->columns[SOURCE_VALUE], row);
        text_add(&f->read, value.data, value.size);
        text_add_char(&f->read, '|');
        int64_t offset = column_values(&batch->columns[SOURCE_OFFSET], int64_t)[row];
        CHECK(offset > f->last_offset); // one order for all lines of all files
        f->last_offset = offset;
    }
}

/* One epoch of at most `batches` batches. */
static enum code epoch(struct fixture *f, int batches)
{
    bool done = false;
    text_clear(&f->read);
    text_add_string(&f->read, "");
    if (f->ranges.count == 0)
        return E_BUG;
    f->type->plan(f->self, &f->ranges);
    for (int i = 0; !done && i < batches; i++) {
        struct batch batch = {0};
        TRY(f->type->fetch(f->self, &f->ranges, 0, &batch, &done, &f->err));
        batch_note(f, &batch);
        batch_release(&batch);
    }
    return E_OK;
}

#define CHECK_EPOCH(f, expected)             \
    do {                                     \
        CHECK_INT(discover(f), E_OK);        \
        CHECK_INT(epoch((f), 100), E_OK);    \
        CHECK_STR((f)->read.data, expected); \
    } while (0)

TEST(files_come_by_age_and_then_by_name)
{
    struct fixture f;
    fixture_open(&f, "text");
    CHECK_INT(source_start(&f), E_OK);
    put(&f, "a", "3\n", 30);
    put(&f, "c", "2\n", 20);
    put(&f, "b", "1\n", 20);
    put(&f, "_hidden", "x\n", 10);
    put(&f, ".hidden", "x\n", 10);
    put(&f, "d._COPYING_", "x\n", 10);
    CHECK_EPOCH(&f, "1|2|3|");
    CHECK_EPOCH(&f, "");
    put(&f, "e", "4\n", 5); // older, but found later
    put(&f, "f", "5", 6);
    CHECK_EPOCH(&f, "4|5|");
    fixture_close(&f);
}

TEST(lines_end_in_three_ways)
{
    struct fixture f;
    fixture_open(&f, "text");
    for (f.batch_rows = 1; f.batch_rows <= 3; f.batch_rows++) {
        CHECK_INT(source_start(&f), E_OK);
        char name[16];
        snprintf(name, sizeof name, "f%d", f.batch_rows);
        put(&f, name, "\xef\xbb\xbfone\r\ntwo\rthree\n\n  \n\r\nlast", 10);
        CHECK_EPOCH(&f, "one|two|three||  ||last|");
        source_end(&f);
    }
    CHECK_INT(source_start(&f), E_OK);
    put(&f, "g", "a\r", 11);
    put(&f, "h", "", 12);
    put(&f, "i", "\n", 13);
    CHECK_EPOCH(&f, "a||");
    fixture_close(&f);
}

TEST(blank_lines_are_no_records_of_json_and_csv)
{
    struct fixture f;
    fixture_open(&f, "json");
    CHECK_INT(source_start(&f), E_OK);
    put(&f, "a", "\n{}\n \t\n[]\n\r\n", 10);
    CHECK_EPOCH(&f, "{}|[]|");
    fixture_close(&f);
    fixture_open(&f, "csv");
    option_add(&f, "header", "true");
    option_add(&f, "comment", "#");
    f.batch_rows = 1;
    CHECK_INT(source_start(&f), E_OK);
    put(&f, "a", "# note\n\nk,v\n1,2\n#3\n 3,4\n", 10);
    put(&f, "b", "k,v\n", 20);
    put(&f, "c", "k,v\n5,6", 30);
    CHECK_EPOCH(&f, "1,2| 3,4|5,6|");
    fixture_close(&f);
}

/* However an epoch was cut, the next one goes on with the next line, in this process or another. */
TEST(a_range_may_end_after_any_line)
{
    for (int restart = 0; restart < 2; restart++)
        for (int rows = 1; rows <= 8; rows++) {
            struct fixture f;
            struct text all = {0};
            fixture_open(&f, "csv");
            option_add(&f, "header", "true");
            f.batch_rows = rows;
            CHECK_INT(source_start(&f), E_OK);
            put(&f, "a", "h\n1\n2\r\n3\n", 10);
            put(&f, "b", "h\n4\n\n5", 20);
            put(&f, "c", "", 30);
            put(&f, "d", "h\r\n6\r\n", 40);
            for (int i = 0; i < 20; i++) {
                CHECK_INT(discover(&f), E_OK);
                CHECK_INT(epoch(&f, 1), E_OK);
                text_add(&all, f.read.data, f.read.size);
                if (restart != 0)
                    source_restart(&f);
            }
            CHECK_STR(all.data, "1|2|3|4|5|6|");
            CHECK_INT(f.ranges.items[0].from, f.ranges.items[0].latest);
            text_free(&all);
            fixture_close(&f);
        }
}

TEST(a_range_read_again_gives_the_same_files)
{
    struct fixture f;
    fixture_open(&f, "text");
    CHECK_INT(source_start(&f), E_OK);
    put(&f, "b", "1\n", 20);
    put(&f, "c", "2\n", 30);
    CHECK_EPOCH(&f, "1|2|");
    put(&f, "a", "0\n", 10); // would be first, had it been there
    f.ranges.items[0].from = 0;
    f.last_offset = -1;
    source_restart(&f);
    CHECK_EPOCH(&f, "1|2|0|");
    fixture_close(&f);
}

TEST(an_epoch_has_as_many_files_as_allowed)
{
    struct fixture f;
    fixture_open(&f, "text");
    option_add(&f, "maxFilesPerTrigger", "2");
    CHECK_INT(source_start(&f), E_OK);
    put(&f, "a", "1\n", 10);
    put(&f, "b", "", 20);
    put(&f, "c", "2\n", 30);
    CHECK_EPOCH(&f, "1|");
    CHECK_EPOCH(&f, "2|");
    CHECK_INT(f.ranges.items[0].to, f.ranges.items[0].latest);
    fixture_close(&f);
    fixture_open(&f, "text");
    option_add(&f, "maxBytesPerTrigger", "3");
    CHECK_INT(source_start(&f), E_OK);
    put(&f, "a", "12345\n", 10);
    put(&f, "b", "1", 20);
    put(&f, "c", "22", 30);
    put(&f, "d", "3", 40);
    CHECK_EPOCH(&f, "12345|");
    CHECK_EPOCH(&f, "1|22|");
    CHECK_EPOCH(&f, "3|");
    fixture_close(&f);
}

TEST(a_stop_is_heard)
{
    struct fixture f;
    fixture_open(&f, "text");
    CHECK_INT(source_start(&f), E_OK);
    put(&f, "a", "1\n", 10);
    CHECK_INT(discover(&f), E_OK);
    f.type->stop(f.self);
    CHECK_INT(epoch(&f, 1), E_STOPPED);
    CHECK_INT(discover(&f), E_STOPPED);
    fixture_close(&f);
}

TEST(files_that_changed_before_they_were_read_stop_the_source)
{
    struct fixture f;
    fixture_open(&f, "text");
    CHECK_INT(source_start(&f), E_OK);
    put(&f, "a", "1\n", 10);
    CHECK_INT(discover(&f), E_OK);
    put(&f, "a", "1\n2\n", 10);
    CHECK_INT(epoch(&f, 10), E_LOST);
    CHECK(strstr(f.err.text, "/in/a was changed") != NULL);
    put(&f, "a", "2\n", 11);
    CHECK_INT(epoch(&f, 10), E_LOST);
    char path[600];
    snprintf(path, sizeof path, "%s/a", f.folder);
    CHECK_INT(os->remove(path, &f.err), E_OK);
    CHECK_INT(epoch(&f, 10), E_LOST);
    CHECK(strstr(f.err.text, "/in/a was removed") != NULL);
    put(&f, "a", "1\n", 10); // restored
    CHECK_INT(epoch(&f, 10), E_OK);
    CHECK_STR(f.read.data, "1|");
    CHECK_INT(os->remove(path, &f.err), E_OK); // what was read may go
    source_restart(&f);
    CHECK_EPOCH(&f, "");
    fixture_close(&f);
}

TEST(paths_may_be_patterns)
{
    struct fixture f;
    char pattern[600];
    fixture_open(&f, "text");
    for (int i = 1; i <= 3; i++) {
        char folder[600], name[64];
        snprintf(folder, sizeof folder, "%s/day%d", f.folder, i);
        CHECK_INT(os->dir_make(folder, &f.err), E_OK);
        snprintf(name, sizeof name, "day%d/x.json", i);
        put(&f, name, "x\n", 10 * i);
        snprintf(name, sizeof name, "day%d/y.csv", i);
        put(&f, name, "y\n", 10 * i);
    }
    put(&f, "z.json", "z\n", 5);
    static const struct {
        const char *path, *filter, *expected;
    } cases[] = {
        {"", NULL, "z|"},
        {"/*", NULL, "z|x|y|x|y|x|y|"},
        {"/day[12]", NULL, "x|y|x|y|"},
        {"/*.json", NULL, "z|"},
        {"/day?/*.csv", NULL, "y|y|y|"},
        {"/*/x.json", NULL, "x|x|x|"},
        {"/day*", "*.csv", "y|y|y|"},
        {"/none*/x", NULL, ""},
        {"/day1/x.json", NULL, "x|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct store *store = f.store;
        f.store = NULL; // nothing remembered
        f.option_count = 0;
        snprintf(pattern, sizeof pattern, "file://%s%s", f.folder, cases[i].path);
        option_add(&f, "path", pattern);
        if (cases[i].filter != NULL)
            option_add(&f, "pathGlobFilter", cases[i].filter);
        source_ranges_free(&f.ranges);
        f.last_offset = -1;
        CHECK_INT(source_start(&f), E_OK);
        CHECK_EPOCH(&f, cases[i].expected);
        source_end(&f);
        f.store = store;
    }
    CHECK_INT(source_start(&f), E_OK);
    fixture_close(&f);
}

TEST(what_files_are_refused)
{
    struct fixture f;
    fixture_open(&f, "text");
    CHECK_INT(source_start(&f), E_OK);
    put(&f, "a.gz", "1\n", 10);
    CHECK_INT(discover(&f), E_UNSUPPORTED);
    char path[600];
    snprintf(path, sizeof path, "%s/a.gz", f.folder);
    CHECK_INT(os->remove(path, &f.err), E_OK);
    snprintf(path, sizeof path, "%s/day=1", f.folder);
    CHECK_INT(os->dir_make(path, &f.err), E_OK);
    CHECK_INT(discover(&f), E_UNSUPPORTED);
    CHECK(strstr(f.err.text, "partition folders") != NULL);
    fixture_close(&f);
}

TEST(options_of_files_are_checked)
{
    static const struct {
        const char *name, *value, *says;
    } cases[] = {
        {"latestFirst", "true", "latestFirst"},
        {"multiLine", "true", "multiLine"},
        {"path", "relative/in", "absolute"},
        {"path", "hdfs://host/in", "from local disks"},
        {"path", "/in/{a,b}", "pattern"},
        {"encoding", "latin1", "UTF-8"},
        {"lineSep", "|", "lineSep"},
        {"comment", "//", "one character"},
        {"maxFilesPerTrigger", "0", "maxFilesPerTrigger"},
        {"enforceSchema", "false", "enforceSchema"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        fixture_open(&f, "csv");
        option_add(&f, cases[i].name, cases[i].value);
        CHECK(source_start(&f) != E_OK);
        if (strstr(f.err.text, cases[i].says) == NULL)
            kit_fail(__FILE__, __LINE__, "%s: %s", cases[i].name, f.err.text);
        fixture_close(&f);
    }
}

TEST(a_folder_must_exist)
{
    struct fixture f;
    fixture_open(&f, "text");
    f.values[0] = "/no/such/folder";
    CHECK_INT(source_start(&f), E_OK);
    CHECK_INT(discover(&f), E_ABSENT);
    CHECK(strstr(f.err.text, "/no") != NULL);
    fixture_close(&f);
}

TEST(the_log_of_files_is_made_one_of_many)
{
    struct fixture f;
    struct text expected = {0};
    fixture_open(&f, "text");
    CHECK_INT(source_start(&f), E_OK);
    for (int i = 0; i < 2 * FILE_SEGMENTS_MAX + 5; i++) {
        char name[16], line[16];
        snprintf(name, sizeof name, "f%d", i);
        snprintf(line, sizeof line, "%d|", i);
        put(&f, name, name + 1, i);
        CHECK_EPOCH(&f, line);
        text_add_string(&expected, line);
        CHECK_INT(f.type->mirror(f.self, &f.ranges, &f.err), E_OK);
        if (i % 7 == 0)
            source_restart(&f);
    }
    struct store_list list = {0};
    CHECK_INT(store_list(f.store, "sources/in", false, &list, &f.err), E_OK);
    CHECK(list.count < FILE_SEGMENTS_MAX);
    store_list_free(&list);
    source_restart(&f);
    CHECK_EPOCH(&f, "");
    f.ranges.items[0].from = 0;
    f.last_offset = -1;
    CHECK_EPOCH(&f, expected.data);
    text_free(&expected);
    fixture_close(&f);
}

TEST(a_damaged_log_is_refused)
{
    struct fixture f;
    fixture_open(&f, "text");
    CHECK_INT(source_start(&f), E_OK);
    put(&f, "a", "1\n", 10);
    CHECK_EPOCH(&f, "1|");
    put(&f, "b", "1\n", 20);
    CHECK_EPOCH(&f, "1|");
    struct text bytes = {0};
    const char *first = "sources/in/0000000000000000.json";
    CHECK_INT(store_get(f.store, first, 1 << 20, &bytes, &f.err), E_OK);
    source_end(&f);
    bytes.data[30] ^= 1;
    CHECK_INT(store_put_over(f.store, first, text_view(&bytes), &f.err), E_OK);
    CHECK_INT(source_start(&f), E_CORRUPT);
    source_end(&f);
    CHECK_INT(store_remove(f.store, first, &f.err), E_OK);
    CHECK_INT(source_start(&f), E_CORRUPT);
    text_free(&bytes);
    fixture_close(&f);
}

TEST(a_long_line_is_read_and_a_giant_is_refused)
{
    struct fixture f;
    fixture_open(&f, "text");
    CHECK_INT(source_start(&f), E_OK);
    size_t size = 3 * FILE_BLOCK + 17;
    char *content = mem_alloc(size + 3);
    memset(content, 'x', size);
    memcpy(content + size, "\ny", 3);
    put(&f, "a", content, 10);
    CHECK_INT(discover(&f), E_OK);
    CHECK_INT(epoch(&f, 100), E_OK);
    CHECK_INT(f.read.size, size + 1 + 2);
    mem_free(content);
    char path[600];
    snprintf(path, sizeof path, "%s/b", f.folder);
    int handle;
    CHECK_INT(os->file_open(path, OS_WRITE, &handle, &f.err), E_OK);
    CHECK_INT(os->file_close(handle, &f.err), E_OK);
    CHECK_INT(truncate(path, (off_t)FILE_LINE_MAX + 10), 0); // a hole: zeros without an end of line
    CHECK_INT(discover(&f), E_OK);
    CHECK_INT(epoch(&f, 100), E_UNSUPPORTED);
    CHECK(strstr(f.err.text, "a line of more than") != NULL);
    fixture_close(&f);
}
