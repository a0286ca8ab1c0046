/* parquet_write_test.c - Parquet files of every type, for readers that are not ours.
 *
 * Each test encodes random rows (LEAT_SEED) through several lanes and puts their pieces into one file. With
 * LEAT_PARQUET_OUT=<folder> it leaves NAME.parquet and NAME.jsonl there: a line with the DDL, then a line
 * per row, an array of its values. tests/interop/parquet_test.py lets PyArrow and DuckDB read the one and
 * compares with the other.
 * leat's own reader must see the same rows.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"
#include "data/data.h"
#include "format/format.h"
#include "kit.h"
#include "parquet_rows.h"

enum { LANES = 3 };

enum { OPTIONS_MAX = 6 };

/* How the rows of one file are made. */
struct recipe {
    const char *name, *ddl;
    int64_t rows, batch_rows;
    int null_percent;
    int distinct;          /* most different values of a column; 0 = as many as come */
    int64_t distinct_rows; /* from this row of a lane on, no ceiling; 0 = never */
    int text_max;          /* bytes */
    bool ascending;        /* integers and times grow from row to row */
    bool extremes;         /* the ends of ranges, NaN, zeros */
    int64_t row_group_bytes;
    const char *compression;
    const char *option_names[OPTIONS_MAX + 1], *option_values[OPTIONS_MAX + 1];
    bool sorted; /* row groups are: rows come back in another order */
};

static uint64_t draw(uint64_t below) { return below == 0 ? 0 : kit_random() % below; }

/* ---- random values ---- */

/* A number to make a value from: the same ones again when the recipe wants few. */
static uint64_t pick(const struct recipe *recipe, int64_t row)
{
    bool few = recipe->distinct > 0 && (recipe->distinct_rows == 0 || row < recipe->distinct_rows);
    uint64_t number = few ? draw((uint64_t)recipe->distinct) : kit_random();
    number ^= number >> 31;
    return number * 0x9e3779b97f4a7c15u;
}

static void put_text(struct builder *builder, const struct recipe *recipe, uint64_t number)
{
    static const char *const characters[] = {"a",
                                             "Z",
                                             "7",
                                             "\"",
                                             "\\",
                                             "\n",
                                             "\xc3\xa4",
                                             "\xe2\x82\xac",
                                             "\xf0\x9f\x98\x80",
                                             "\x7f",
                                             "\xed\x9f\xbf",
                                             "\xf4\x8f\xbf\xbf"};
    struct text text = {0};
    size_t size = recipe->text_max > 0 ? number % (uint64_t)(recipe->text_max + 1) : 0;
    uint64_t state = number;
    if (recipe->extremes && number % 3 == 0) /* a prefix longer than any bound, of characters that cannot go up */
        for (int i = 0; i < 20; i++)
            text_add_string(&text, number % 2 ? "\xf4\x8f\xbf\xbf" : "\x7f");
    while (text.size < size) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        text_add_string(&text, characters[(state >> 33) % (recipe->extremes ? 12 : 9)]);
    }
    builder_bytes(builder, text_view(&text));
    text_free(&text);
}

static void put_binary(struct builder *builder, const struct recipe *recipe, uint64_t number)
{
    struct text text = {0};
    size_t size = recipe->text_max > 0 ? number % (uint64_t)(recipe->text_max + 1) : 0;
    while (text.size < size) {
        number = number * 6364136223846793005u + 1442695040888963407u;
        text_add_char(&text, recipe->extremes && size > 70 ? (char)0xff : (char)(number >> 56));
    }
    builder_bytes(builder, text_view(&text));
    text_free(&text);
}

static void put_decimal(struct builder *builder, const struct recipe *recipe, uint64_t number)
{
    __int128 limit = decimal_power10(builder->type->precision) - 1, value = (__int128)number * (__int128)(number >> 7);
    value = value < 0 ? -value : value;
    if (recipe->extremes && number % 4 == 0)
        value = limit;
    value %= limit + 1;
    builder_int128(builder, number % 2 == 0 ? value : -value);
}

static void put_double(struct builder *builder, const struct recipe *recipe, uint64_t number)
{
    static const double extremes[] = {0.0, -0.0, 1e308 * 10, -1e308 * 10, 5e-324, 0x1p-149, -1.5};
    double value = (double)(int64_t)number / 1024;
    if (recipe->extremes)
        value = extremes[number % 7];
    if (recipe->extremes && strstr(recipe->name, "nan") != NULL && number % 5 == 0)
        value = __builtin_nan("");
    builder_double(builder, value);
}

static void put_int(struct builder *builder, const struct recipe *recipe, uint64_t number, int64_t row)
{
    static const int64_t day_us = INT64_C(86400) * 1000000;
    int64_t value = (int64_t)number;
    enum type_id id = builder->type->id;
    int bits = type_width(builder->type) * 8;
    bool time = id == TYPE_TIMESTAMP || id == TYPE_TIMESTAMP_NTZ;
    if (recipe->ascending)
        value = row * 1000 + (int64_t)(number % 900) + (time ? 20000 * day_us : 0);
    else if (recipe->extremes && !time && id != TYPE_DATE)
        value = number % 3 == 0 ? INT64_MIN >> (64 - bits) : number % 3 == 1 ? INT64_MAX >> (64 - bits) : value;
    if (time && !recipe->ascending)
        value = (int64_t)(number % 40000) * day_us + (int64_t)(number >> 40);
    if (id == TYPE_DATE)
        value = (int64_t)(number % 40000) - 10000;
    builder_int(builder,
                bits < 64 && id != TYPE_DATE ? (int64_t)((uint64_t)value << (64 - bits)) >> (64 - bits) : value);
}

static void put(struct builder *builder, const struct recipe *recipe, int64_t row, bool required);

static void put_list(struct builder *builder, const struct recipe *recipe, int64_t row)
{
    int count = draw(8) == 0 ? (int)draw(40) : (int)draw(4);
    bool map = builder->type->id == TYPE_MAP;
    for (int i = 0; i < count; i++) {
        if (map && type_is_varlen(builder->type->fields[0].type)) {
            char key[32];
            snprintf(key, sizeof key, "k%d-%d", i, (int)draw(9));
            builder_bytes(&builder->children[0], bytes_of_string(key));
        } else if (map) {
            builder_int(&builder->children[0], i * 10 + (int64_t)draw(10));
        } else {
            put(&builder->children[0], recipe, row, false);
        }
        if (map)
            put(&builder->children[1], recipe, row, false);
    }
    builder_close_list(builder);
}

static void put_struct(struct builder *builder, const struct recipe *recipe, int64_t row)
{
    for (int32_t i = 0; i < builder->child_count; i++)
        put(&builder->children[i], recipe, row, false);
    builder_close_struct(builder);
}

static void put(struct builder *builder, const struct recipe *recipe, int64_t row, bool required)
{
    if (!required && (int)draw(100) < recipe->null_percent) {
        builder_null(builder);
        return;
    }
    uint64_t number = pick(recipe, row);
    switch (builder->type->id) {
    case TYPE_BOOLEAN: builder_boolean(builder, number >> 63); break;
    case TYPE_FLOAT:
    case TYPE_DOUBLE: put_double(builder, recipe, number); break;
    case TYPE_DECIMAL: put_decimal(builder, recipe, number); break;
    case TYPE_STRING: put_text(builder, recipe, number); break;
    case TYPE_BINARY: put_binary(builder, recipe, number); break;
    case TYPE_STRUCT: put_struct(builder, recipe, row); break;
    case TYPE_ARRAY:
    case TYPE_MAP: put_list(builder, recipe, row); break;
    default: put_int(builder, recipe, number, row); break;
    }
}

/* ---- files ---- */

static void batch_make(struct batch *batch, const struct recipe *recipe, const struct type *schema, int64_t first,
                       int64_t rows)
{
    batch_init(batch, schema, rows);
    for (int32_t i = 0; i < schema->field_count; i++) {
        struct builder builder;
        builder_init(&builder, schema->fields[i].type);
        for (int64_t row = 0; row < rows; row++)
            put(&builder, recipe, first + row, recipe->null_percent == 0);
        builder_finish(&builder, &batch->columns[i]);
        builder_release(&builder);
    }
    batch_check(batch);
}

struct output {
    const struct encoder_type *type;
    void *file, *lanes[LANES];
    struct text expected_of_lane[LANES], expected, content;
};

static void take(struct output *output, int lane)
{
    struct error err = {0};
    struct piece piece = {0};
    int64_t rows = output->type->lane_rows(output->lanes[lane]);
    CHECK_INT(output->type->lane_take(output->lanes[lane], &piece, &err), E_OK);
    CHECK_STR(err.text, "");
    CHECK_INT(piece.rows, rows);
    CHECK_INT(output->type->lane_rows(output->lanes[lane]), 0);
    CHECK_INT(output->type->file_add(output->file, &piece, (int64_t)output->content.size, &err), E_OK);
    text_add(&output->content, piece.bytes.data, piece.bytes.size);
    text_add(&output->expected, output->expected_of_lane[lane].data, output->expected_of_lane[lane].size);
    text_clear(&output->expected_of_lane[lane]);
    output->type->piece_close(&piece);
}

/* ---- what a reader sees ---- */

static int compare_lines(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The lines in the order of their bytes. */
static void lines_sort(struct text *lines)
{
    char **starts = NULL, *copy = mem_strdup(lines->data != NULL ? lines->data : ""), *rest;
    int32_t count = 0, capacity = 0;
    for (char *line = strtok_r(copy, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        mem_grow(starts, capacity, count + 1);
        starts[count++] = line;
    }
    if (count > 0)
        qsort(starts, (size_t)count, sizeof *starts, compare_lines);
    text_clear(lines);
    for (int32_t i = 0; i < count; i++)
        text_printf(lines, "%s\n", starts[i]);
    mem_free(starts);
    mem_free(copy);
}

static void leave(const struct recipe *recipe, const struct output *output)
{
    struct error err = {0};
    struct text path = {0};
    const char *dir = os_env("LEAT_PARQUET_OUT");
    if (dir == NULL)
        return;
    text_printf(&path, "%s/%s.parquet", dir, recipe->name);
    CHECK_INT(os_replace_file(path.data, text_view(&output->content), &err), E_OK);
    text_clear(&path);
    text_printf(&path, "%s/%s.jsonl", dir, recipe->name);
    CHECK_INT(os_replace_file(path.data, text_view(&output->expected), &err), E_OK);
    CHECK_STR(err.text, "");
    text_free(&path);
}

/* Sorted rows are left in the order they are read in, once they are known to be the same. */
static void sorted_back(struct output *output, const struct text *seen)
{
    struct text rows = {0}, expected = {0};
    const char *first = strchr(output->expected.data, '\n') + 1;
    size_t head = (size_t)(first - output->expected.data);
    text_add_string(&expected, first);
    text_add(&rows, seen->data, seen->size);
    lines_sort(&rows);
    lines_sort(&expected);
    CHECK_STR(rows.data, expected.data);
    output->expected.size = head;
    text_add(&output->expected, seen->data, seen->size);
    text_free(&rows);
    text_free(&expected);
}

static void read_back(const struct recipe *recipe, const struct type *schema, struct output *output)
{
    struct error err = {0};
    struct text seen = {0};
    CHECK_INT(parquet_lines(recipe->name, text_view(&output->content), schema, &seen, &err), E_OK);
    CHECK_STR(err.text, "");
    if (recipe->sorted)
        sorted_back(output, &seen);
    const char *wanted = strchr(output->expected.data, '\n') + 1;
    if (strcmp(wanted, seen.data != NULL ? seen.data : "") != 0) {
        size_t at = 0;
        while (seen.data != NULL && seen.data[at] != '\0' && seen.data[at] == wanted[at])
            at++;
        size_t from = at > 100 ? at - 100 : 0;
        printf("%s: byte %zu: wrote %.200s\nread %.200s\n", recipe->name, at, wanted + from,
               seen.data != NULL ? seen.data + from : "nothing");
        CHECK(false);
    }
    text_free(&seen);
}

/* Batches go round the lanes; a lane is taken at random moments, and at the end. */
static void feed(struct output *output, const struct recipe *recipe, const struct type *schema)
{
    struct error err = {0};
    for (int64_t first = 0, n = 0; first < recipe->rows; first += recipe->batch_rows, n++) {
        struct batch batch;
        int64_t left = recipe->rows - first, rows = left < recipe->batch_rows ? left : recipe->batch_rows;
        int64_t from = (int64_t)draw((uint64_t)rows / 4), to = rows - (int64_t)draw((uint64_t)rows / 4);
        int lane = (int)(n % LANES);
        batch_make(&batch, recipe, schema, first, rows);
        batch_render(&batch, from, to, &output->expected_of_lane[lane]);
        CHECK_INT(output->type->lane_add(output->lanes[lane], &batch, from, to, &err), E_OK);
        CHECK_STR(err.text, "");
        batch_release(&batch);
        if (draw(20) == 0)
            take(output, lane);
    }
    for (int lane = LANES - 1; lane >= 0; lane--)
        take(output, lane);
}

static void file_make(const struct recipe *recipe)
{
    struct error err = {0};
    struct arena query = {0};
    struct output output = {.type = encoder_find("parquet")};
    struct encoder_spec spec = {.compression = recipe->compression,
                                .row_group_bytes = recipe->row_group_bytes,
                                .created_by = "leat version 0.1.0",
                                .option_names = recipe->option_names,
                                .option_values = recipe->option_values};
    size_t position;
    while (recipe->option_names[spec.option_count] != NULL)
        spec.option_count++;
    CHECK_INT(type_parse_ddl(&query, bytes_of_string(recipe->ddl), &spec.schema, &position, &err), E_OK);
    output.file = mem_zero(output.type->file_size);
    CHECK_INT(output.type->file_open(output.file, &spec, &output.content, &err), E_OK);
    for (int i = 0; i < LANES; i++) {
        output.lanes[i] = mem_zero(output.type->lane_size);
        CHECK_INT(output.type->lane_open(output.lanes[i], &spec, &err), E_OK);
    }
    render_text(bytes_of_string(recipe->ddl), &output.expected);
    text_add_char(&output.expected, '\n');
    feed(&output, recipe, spec.schema);
    CHECK_INT(output.type->file_finish(output.file, &output.content, &err), E_OK);
    CHECK(memcmp(output.content.data, "PAR1", 4) == 0);
    CHECK(memcmp(output.content.data + output.content.size - 4, "PAR1", 4) == 0);
    read_back(recipe, spec.schema, &output);
    leave(recipe, &output);

    output.type->file_close(output.file);
    mem_free(output.file);
    for (int i = 0; i < LANES; i++) {
        output.type->lane_close(output.lanes[i]);
        mem_free(output.lanes[i]);
        text_free(&output.expected_of_lane[i]);
    }
    text_free(&output.expected);
    text_free(&output.content);
    arena_free(&query);
}

#define FLAT                                                                                                      \
    "b BOOLEAN, i8 TINYINT, i16 SMALLINT, i32 INT, i64 BIGINT, f FLOAT, d DOUBLE, s STRING, x BINARY, day DATE, " \
    "t TIMESTAMP, local TIMESTAMP_NTZ, d4 DECIMAL(4,1), d9 DECIMAL(9,2), d10 DECIMAL(10,0), d18 DECIMAL(18,18), " \
    "d19 DECIMAL(19,4), d38 DECIMAL(38,10)"
#define NESTED                                                                                                   \
    "a ARRAY<INT>, s ARRAY<STRING>, st STRUCT<x: INT, y: STRING, z: STRUCT<w: DOUBLE, v: BOOLEAN>>, "            \
    "m MAP<STRING, BIGINT>, aa ARRAY<ARRAY<DECIMAL(20,3)>>, ast ARRAY<STRUCT<k: STRING, l: ARRAY<TIMESTAMP>>>, " \
    "ms MAP<INT, STRUCT<p: STRING, q: MAP<STRING, ARRAY<INT>>>>, id BIGINT"

TEST(flat)
{
    file_make(&(struct recipe){.name = "flat", .ddl = FLAT, .rows = 9000, .batch_rows = 700, .text_max = 30});
}
TEST(flat_with_nulls)
{
    file_make(&(struct recipe){.name = "flat_nulls",
                               .ddl = FLAT,
                               .rows = 9000,
                               .batch_rows = 900,
                               .null_percent = 30,
                               .text_max = 30,
                               .compression = "zstd"});
}
TEST(flat_all_null)
{
    file_make(
        &(struct recipe){.name = "flat_all_null", .ddl = FLAT, .rows = 500, .batch_rows = 100, .null_percent = 100});
}
TEST(flat_few_values)
{
    file_make(&(struct recipe){.name = "flat_few",
                               .ddl = FLAT,
                               .rows = 30000,
                               .batch_rows = 4000,
                               .null_percent = 1,
                               .distinct = 40,
                               .text_max = 20,
                               .compression = "gzip"});
}
TEST(flat_one_value)
{
    file_make(&(struct recipe){.name = "flat_constant",
                               .ddl = FLAT,
                               .rows = 30000,
                               .batch_rows = 4000,
                               .distinct = 1,
                               .text_max = 20,
                               .compression = "none"});
}
TEST(flat_extremes)
{
    file_make(&(struct recipe){.name = "flat_extremes",
                               .ddl = FLAT,
                               .rows = 6000,
                               .batch_rows = 512,
                               .null_percent = 5,
                               .text_max = 100,
                               .extremes = true,
                               .compression = "lz4"});
}
TEST(flat_extremes_with_nan)
{
    file_make(&(struct recipe){
        .name = "flat_extremes_nan", .ddl = FLAT, .rows = 2000, .batch_rows = 512, .text_max = 100, .extremes = true});
}
TEST(dictionary_given_up_late)
{
    file_make(&(struct recipe){.name = "late_fallback",
                               .ddl = "s STRING, i BIGINT, k INT, d DOUBLE",
                               .rows = 200000,
                               .batch_rows = 8192,
                               .null_percent = 2,
                               .distinct = 60,
                               .distinct_rows = 60000,
                               .text_max = 60});
}
TEST(ascending)
{
    file_make(&(struct recipe){.name = "ascending",
                               .ddl = "o BIGINT, t TIMESTAMP, n TIMESTAMP_NTZ, p DECIMAL(18,2), i INT",
                               .rows = 60000,
                               .batch_rows = 8192,
                               .null_percent = 1,
                               .ascending = true});
}
TEST(long_values_and_many_row_groups)
{
    file_make(&(struct recipe){.name = "long_values",
                               .ddl = "s STRING, x BINARY, id BIGINT",
                               .rows = 600,
                               .batch_rows = 20,
                               .null_percent = 5,
                               .text_max = 60000,
                               .row_group_bytes = 1 << 20});
}
TEST(nested)
{
    file_make(&(struct recipe){
        .name = "nested", .ddl = NESTED, .rows = 4000, .batch_rows = 300, .null_percent = 15, .text_max = 12});
}
TEST(nested_without_nulls)
{
    file_make(&(struct recipe){
        .name = "nested_full", .ddl = NESTED, .rows = 2000, .batch_rows = 300, .text_max = 12, .distinct = 20});
}
TEST(nested_many_pages)
{
    file_make(&(struct recipe){.name = "nested_pages",
                               .ddl = NESTED,
                               .rows = 20000,
                               .batch_rows = 5000,
                               .null_percent = 10,
                               .text_max = 20,
                               .option_names = {"parquet.page.size"},
                               .option_values = {"4kB"}});
}
TEST(without_dictionary_and_delta)
{
    file_make(&(struct recipe){.name = "plain",
                               .ddl = FLAT,
                               .rows = 9000,
                               .batch_rows = 900,
                               .null_percent = 10,
                               .distinct = 40,
                               .text_max = 30,
                               .option_names = {"parquet.enable.dictionary", "parquet.enable.delta"},
                               .option_values = {"false", "false"}});
}
TEST(version_1)
{
    file_make(&(struct recipe){.name = "version_1",
                               .ddl = FLAT,
                               .rows = 9000,
                               .batch_rows = 900,
                               .null_percent = 10,
                               .text_max = 30,
                               .option_names = {"parquet.writer.version", "parquet.page.write-checksum.enabled"},
                               .option_values = {"v1", "false"}});
}
TEST(version_2)
{
    file_make(&(struct recipe){.name = "version_2",
                               .ddl = FLAT,
                               .rows = 9000,
                               .batch_rows = 900,
                               .null_percent = 10,
                               .text_max = 30,
                               .option_names = {"parquet.writer.version", "parquet.page.size"},
                               .option_values = {"PARQUET_2_0", "16kB"}});
}
TEST(version_2_nested)
{
    file_make(&(struct recipe){.name = "version_2_nested",
                               .ddl = NESTED,
                               .rows = 4000,
                               .batch_rows = 300,
                               .null_percent = 15,
                               .text_max = 30,
                               .compression = "zstd",
                               .option_names = {"parquet.writer.version", "parquet.page.size"},
                               .option_values = {"v2", "4kB"}});
}
TEST(streams_of_bytes)
{
    file_make(&(struct recipe){.name = "byte_streams",
                               .ddl = "f FLOAT, d DOUBLE, l ARRAY<DOUBLE>, s STRING",
                               .rows = 30000,
                               .batch_rows = 4000,
                               .null_percent = 3,
                               .text_max = 10,
                               .compression = "zstd",
                               .option_names = {"parquet.enable.bytestreamsplit", "parquet.enable.dictionary",
                                                "parquet.compression.codec.zstd.level"},
                               .option_values = {"true", "false", "19"}});
}
TEST(bloom_filters)
{
    file_make(&(struct recipe){.name = "bloom",
                               .ddl = FLAT,
                               .rows = 9000,
                               .batch_rows = 900,
                               .null_percent = 10,
                               .text_max = 30,
                               .option_names = {"parquet.bloom.filter.enabled", "parquet.bloom.filter.fpp",
                                                "parquet.bloom.filter.max.bytes", "parquet.bloom.filter.expected.ndv#s",
                                                "parquet.enable.dictionary#i64"},
                               .option_values = {"true", "0.001", "256kB", "20000", "false"}});
}
TEST(options_of_columns)
{
    file_make(&(struct recipe){
        .name = "columns",
        .ddl = NESTED,
        .rows = 3000,
        .batch_rows = 300,
        .null_percent = 5,
        .text_max = 30,
        .option_names = {"parquet.compression#s", "parquet.compression#id", "parquet.enable.dictionary#st",
                         "parquet.bloom.filter.enabled#m.key_value.key", "parquet.enable.delta#ID"},
        .option_values = {"zstd", "none", "false", "true", "false"}});
}
TEST(short_bounds_and_short_pages)
{
    file_make(
        &(struct recipe){.name = "short_bounds",
                         .ddl = "s STRING, x BINARY, i BIGINT, n INT",
                         .rows = 6000,
                         .batch_rows = 500,
                         .null_percent = 20,
                         .text_max = 40,
                         .extremes = true,
                         .option_names = {"parquet.columnindex.truncate.length", "parquet.statistics.truncate.length",
                                          "parquet.page.row.count.limit", "parquet.block.row.count.limit"},
                         .option_values = {"3", "5", "37", "1000"}});
}
TEST(a_row_a_row_group)
{
    file_make(&(struct recipe){.name = "single_rows",
                               .ddl = FLAT,
                               .rows = 60,
                               .batch_rows = 20,
                               .null_percent = 20,
                               .text_max = 20,
                               .option_names = {"parquet.block.row.count.limit"},
                               .option_values = {"1"}});
}
TEST(mostly_null)
{
    file_make(&(struct recipe){.name = "mostly_null",
                               .ddl = FLAT ", l ARRAY<STRING>",
                               .rows = 5000,
                               .batch_rows = 500,
                               .null_percent = 99,
                               .text_max = 20,
                               .option_names = {"parquet.page.row.count.limit"},
                               .option_values = {"50"}});
}
TEST(texts_alike)
{
    file_make(&(struct recipe){.name = "texts_alike",
                               .ddl = "d10 DECIMAL(10,0), s STRING, x BINARY, a ARRAY<STRING>",
                               .rows = 20000,
                               .batch_rows = 2000,
                               .null_percent = 2,
                               .text_max = 3,
                               .option_names = {"parquet.enable.dictionary"},
                               .option_values = {"false"}});
}
TEST(sorted)
{
    file_make(&(struct recipe){.name = "sorted",
                               .ddl = FLAT,
                               .rows = 9000,
                               .batch_rows = 900,
                               .null_percent = 10,
                               .distinct = 300,
                               .text_max = 12,
                               .sorted = true,
                               .option_names = {"parquet.sorting.columns", "parquet.block.row.count.limit"},
                               .option_values = {"s DESC, i16 ASC NULLS LAST, d38", "2500"}});
}
TEST(sorted_by_numbers)
{
    file_make(&(struct recipe){.name = "sorted_numbers",
                               .ddl = "d DOUBLE, t TIMESTAMP, a ARRAY<INT>, b BOOLEAN, d38 DECIMAL(38,10), i INT",
                               .rows = 9000,
                               .batch_rows = 900,
                               .null_percent = 10,
                               .distinct = 5000,
                               .sorted = true,
                               .option_names = {"parquet.sorting.columns"},
                               .option_values = {"d NULLS LAST, b DESC NULLS FIRST, i"}});
}

/* ---- random schemas ---- */

static void type_draw(int depth, struct text *ddl);

static void fields_draw(int depth, struct text *ddl)
{
    int count = 1 + (int)draw(4);
    text_add_string(ddl, "STRUCT<");
    for (int i = 0; i < count; i++) {
        text_printf(ddl, "%sf%d: ", i > 0 ? ", " : "", i);
        type_draw(depth, ddl);
    }
    text_add_char(ddl, '>');
}

static void type_draw(int depth, struct text *ddl)
{
    static const char *const simple[] = {"BOOLEAN", "TINYINT",   "SMALLINT",      "INT",  "BIGINT",
                                         "FLOAT",   "DOUBLE",    "STRING",        "DATE", "BINARY",
                                         "STRING",  "TIMESTAMP", "TIMESTAMP_NTZ", "INT",  "DECIMAL(38,10)"};
    static const char *const keys[] = {"STRING", "INT", "BIGINT"};
    int kind = (int)draw(depth > 0 ? 8 : 4);
    if (kind == 0) {
        int precision = 1 + (int)draw(38);
        text_printf(ddl, "DECIMAL(%d,%d)", precision, (int)draw((uint64_t)precision + 1));
    } else if (kind < 5) {
        text_add_string(ddl, simple[draw(sizeof simple / sizeof *simple)]);
    } else if (kind == 5) {
        text_add_string(ddl, "ARRAY<");
        type_draw(depth - 1, ddl);
        text_add_char(ddl, '>');
    } else if (kind == 6) {
        text_printf(ddl, "MAP<%s, ", keys[draw(3)]);
        type_draw(depth - 1, ddl);
        text_add_char(ddl, '>');
    } else {
        fields_draw(depth - 1, ddl);
    }
}

static void options_draw(struct recipe *recipe)
{
    static const char *const options[][4] = {
        {"parquet.page.size", "1kB", "20kB", "256kB"},
        {"parquet.writer.version", "v1", "v2", "auto"},
        {"parquet.page.row.count.limit", "100", "1000", "20000"},
        {"parquet.enable.dictionary", "true", "false", "true"},
        {"parquet.enable.bytestreamsplit", "true", "false", "true"},
        {"parquet.dictionary.page.size", "1kB", "4kB", "1MB"},
    };
    for (int i = 0; i < OPTIONS_MAX; i++) {
        recipe->option_names[i] = options[i][0];
        recipe->option_values[i] = options[i][1 + draw(3)];
    }
}

TEST(random_schemas)
{
    static const char *const codecs[] = {"none", "snappy", "zstd", "gzip", "lz4"};
    enum { FILES = 16 };
    for (int n = 0; n < FILES; n++) {
        struct text ddl = {0};
        char name[32];
        int columns = 1 + (int)draw(9);
        for (int i = 0; i < columns; i++) {
            text_printf(&ddl, "%sc%d ", i > 0 ? ", " : "", i);
            type_draw(3, &ddl);
        }
        snprintf(name, sizeof name, "random_%02d", n);
        struct recipe recipe = {.name = name,
                                .ddl = ddl.data,
                                .rows = (int64_t)draw(2000),
                                .batch_rows = 1 + (int64_t)draw(700),
                                .null_percent = (int)(draw(4) * 12),
                                .distinct = draw(2) == 0 ? 0 : 1 + (int)draw(500),
                                .text_max = (int)draw(100),
                                .ascending = draw(3) == 0,
                                .extremes = draw(3) == 0,
                                .row_group_bytes = draw(2) == 0 ? 64 << 10 : 0,
                                .compression = codecs[draw(5)]};
        options_draw(&recipe);
        file_make(&recipe);
        text_free(&ddl);
    }
}

/* ---- wide tables ---- */

static int64_t resident_bytes(void)
{
    long pages = 0;
    struct text statm = {0};
    struct error err = {0};
    CHECK_INT(os_read_file("/proc/self/statm", 1 << 12, &statm, &err), E_OK);
    CHECK_INT(sscanf(statm.data, "%*d %ld", &pages), 1);
    text_free(&statm);
    return pages * 4096;
}

/* 1,000 columns of texts that no dictionary holds, far more than a row group: memory stays near its size. */
TEST(a_thousand_columns)
{
    enum { COLUMNS = 1000, BATCH = 500, BATCHES = 20, BLOCK = 16 << 20 };
    struct arena query = {0};
    struct error err = {0};
    const struct encoder_type *type = encoder_find("parquet");
    struct field *fields = arena_array(&query, struct field, COLUMNS);
    for (int i = 0; i < COLUMNS; i++)
        fields[i] = (struct field){arena_printf(&query, "c%d", i), type_of(i % 2 ? TYPE_INT64 : TYPE_STRING), true};
    struct recipe recipe = {.name = "wide", .null_percent = 5, .text_max = 40};
    struct encoder_spec spec = {.schema = type_struct(&query, fields, COLUMNS), .row_group_bytes = BLOCK};
    void *lane = mem_zero(type->lane_size);
    struct batch batch;
    CHECK_INT(type->lane_open(lane, &spec, &err), E_OK);
    int64_t before = resident_bytes(), most = 0, bytes = 0;
    for (int i = 0; i < BATCHES; i++) {
        struct piece piece = {0};
        batch_make(&batch, &recipe, spec.schema, (int64_t)i * BATCH, BATCH);
        CHECK_INT(type->lane_add(lane, &batch, 0, BATCH, &err), E_OK);
        batch_release(&batch);
        int64_t now = resident_bytes() - before;
        most = now > most ? now : most;
        if (type->lane_bytes(lane) < BLOCK && i + 1 < BATCHES)
            continue;
        CHECK_INT(type->lane_take(lane, &piece, &err), E_OK);
        bytes += (int64_t)piece.bytes.size;
        type->piece_close(&piece);
    }
    CHECK(bytes > 3 * (int64_t)BLOCK);
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ // which give memory back later
    CHECK(most < 6 * (int64_t)BLOCK);
#endif
    CHECK(most > 0);
    type->lane_close(lane);
    mem_free(lane);
    arena_free(&query);
}
TEST(no_rows) { file_make(&(struct recipe){.name = "empty", .ddl = FLAT, .batch_rows = 1}); }
