#include <zlib.h>

#include "format/delta_pack.h"
#include "format/formats_internal.h"
#include "format/page_crc.h"
#include "format/parquet_internal.h"
#include "kit.h"

/* ---- checksums ---- */

TEST(page_crc_is_zlibs)
{
    enum { SIZE = 5000 };
    static uint8_t data[SIZE];
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (uint8_t)kit_random();
    for (size_t size = 0; size < 600; size++)
        CHECK_INT(page_crc(bytes_of(data + size % 9, size)), (uint32_t)crc32(0, data + size % 9, (uInt)size));
    CHECK_INT(page_crc(bytes_of(data, SIZE)), (uint32_t)crc32(0, data, SIZE));
    CHECK_INT(page_crc(bytes_of("123456789", 9)), 0xcbf43926);
}

/* ---- options ---- */

static enum code lane_code(const char *name, const char *value, struct error *err)
{
    struct arena query = {0};
    const struct field inner[] = {{"x", type_of(TYPE_INT64), true}, {"y", type_of(TYPE_STRING), true}};
    const struct field fields[] = {{"a", type_of(TYPE_INT32), true}, {"st", type_struct(&query, inner, 2), true}};
    struct encoder_spec spec = {
        .schema = type_struct(&query, fields, 2), .option_names = &name, .option_values = &value, .option_count = 1};
    void *lane = mem_zero(parquet_encoder.lane_size);
    *err = (struct error){0};
    enum code code = parquet_encoder.lane_open(lane, &spec, err);
    if (code == E_OK)
        parquet_encoder.lane_close(lane);
    mem_free(lane);
    arena_free(&query);
    return code;
}

TEST(options_of_columns_name_a_column)
{
    struct error err;
    CHECK_INT(lane_code("parquet.bloom.filter.enabled#a", "true", &err), E_OK);
    CHECK_INT(lane_code("parquet.bloom.filter.enabled#ST.x", "true", &err), E_OK);
    CHECK_INT(lane_code("Parquet.Bloom.Filter.Enabled#st", "true", &err), E_OK);
    CHECK_INT(lane_code("parquet.bloom.filter.enabled#st.z", "true", &err), E_SPEC);
    CHECK_STR(err.text, "option parquet.bloom.filter.enabled#st.z: the files have no column st.z");
    CHECK_INT(lane_code("parquet.bloom.filter.enabled#", "true", &err), E_SPEC);
    CHECK_INT(lane_code("parquet.block.size#a", "64MB", &err), E_SPEC);
    CHECK_INT(lane_code("parquet.enable.dictionary#a", "yes", &err), E_SPEC);
}

TEST(false_positives_are_a_share)
{
    struct error err;
    CHECK_INT(lane_code("parquet.bloom.filter.fpp#a", "0.05", &err), E_OK);
    CHECK_INT(lane_code("parquet.bloom.filter.fpp", "1", &err), E_SPEC);
    CHECK_INT(lane_code("parquet.bloom.filter.fpp", "0", &err), E_SPEC);
    CHECK_INT(lane_code("parquet.bloom.filter.fpp", "nan", &err), E_SPEC);
    CHECK_INT(lane_code("parquet.bloom.filter.fpp", "1%", &err), E_SPEC);
    CHECK_STR(err.text, "option parquet.bloom.filter.fpp = 1% must be a number from 1e-9 to below 1");
}

TEST(sorting_columns_are_read_as_in_order_by)
{
    struct error err;
    CHECK_INT(lane_code("parquet.sorting.columns", "", &err), E_OK);
    CHECK_INT(lane_code("parquet.sorting.columns", " a desc nulls first ", &err), E_OK);
    CHECK_INT(lane_code("parquet.sorting.columns", "a, b", &err), E_SPEC);
    CHECK_STR(err.text, "option parquet.sorting.columns: the files have no column b that rows can be sorted by");
    CHECK_INT(lane_code("parquet.sorting.columns", "st", &err), E_SPEC);
    CHECK_INT(lane_code("parquet.sorting.columns", "a,", &err), E_SPEC);
    CHECK_INT(lane_code("parquet.sorting.columns", ",a", &err), E_SPEC);
    CHECK_INT(lane_code("parquet.sorting.columns", "a up", &err), E_SPEC);
    CHECK_STR(err.text, "option parquet.sorting.columns: \"up\" instead of ASC, DESC, NULLS FIRST or NULLS LAST");
    CHECK_INT(lane_code("parquet.sorting.columns", "a NULLS", &err), E_SPEC);
}

/* ---- the page index ---- */

static void page_add(struct parquet_page_index *index, const struct parquet_leaf *leaf, int64_t min, int64_t max)
{
    struct parquet_range range = {.any = true, .int_min = min, .int_max = max};
    parquet_page_index_add(index, leaf, (struct parquet_page_place){0}, &range, 64, 1, 0);
}

TEST(the_order_of_pages_is_told)
{
    const struct parquet_leaf leaf = {.type = type_of(TYPE_INT64), .physical = PARQUET_INT64, .width = 8};
    struct parquet_page_index index = {0};
    parquet_page_index_clear(&index);
    page_add(&index, &leaf, -5, 3);
    parquet_page_index_add(&index, &leaf, (struct parquet_page_place){0}, &(struct parquet_range){0}, 64, 0, 7);
    page_add(&index, &leaf, -5, 4);
    CHECK(index.rises && !index.falls && !index.unbounded);
    page_add(&index, &leaf, -6, 5);
    CHECK(!index.rises && !index.falls);
    CHECK_INT(index.count, 4);
    parquet_page_index_close(&index);
}

TEST(a_page_without_bounds_leaves_no_column_index)
{
    const struct parquet_leaf leaf = {.type = type_of(TYPE_DOUBLE), .physical = PARQUET_DOUBLE, .width = 8};
    struct parquet_page_index index = {0};
    struct parquet_range nan = {.any = true, .nan = true};
    struct text out = {0};
    parquet_page_index_clear(&index);
    parquet_page_index_add(&index, &leaf, (struct parquet_page_place){0}, &nan, 64, 1, 0);
    parquet_column_index_write(&index, &out);
    CHECK_INT(out.size, 0);
    parquet_page_index_close(&index);
}

TEST(bounds_of_decimals_are_signed)
{
    const struct parquet_leaf leaf = {.physical = PARQUET_FIXED, .width = 2};
    CHECK(parquet_bound_order(&leaf, bytes_of("\xff\xff", 2), bytes_of("\x00\x01", 2)) < 0);
    CHECK(parquet_bound_order(&leaf, bytes_of("\x80\x00", 2), bytes_of("\xff\xff", 2)) < 0);
    CHECK(parquet_bound_order(&leaf, bytes_of("\x01\x02", 2), bytes_of("\x01\x01", 2)) > 0);
}

/* ---- Bloom filters ---- */

TEST(a_filter_is_as_small_as_its_false_positives_allow)
{
    enum { COUNT = 5000 };
    const struct parquet_leaf leaf = {.type = type_of(TYPE_INT64), .physical = PARQUET_INT64, .width = 8};
    const struct parquet_options options = {.bloom_bytes = 1 << 20, .bloom_fpp = 0.01};
    struct parquet_bloom bloom = {0};
    struct text out = {0};
    static int64_t values[COUNT];
    for (int64_t i = 0; i < COUNT; i++)
        values[i] = i * 7919;
    struct parquet_slice slice = {.count = COUNT, .values = (const uint8_t *)values};
    parquet_bloom_add(&bloom, &options, &leaf, &slice);
    parquet_bloom_finish(&bloom, &options, &out);
    size_t header = out.size % 32;
    CHECK_INT(out.size - header, 8192); // 13 bits a value
    text_free(&out);
}

TEST(zeros_are_equal_in_a_filter)
{
    const struct parquet_leaf leaf = {.type = type_of(TYPE_DOUBLE), .physical = PARQUET_DOUBLE, .width = 8};
    const struct parquet_options options = {.bloom_bytes = 1024, .bloom_fpp = 0.01};
    const double minus = -0.0, plus = 0.0;
    struct text filters[2] = {0};
    for (int i = 0; i < 2; i++) {
        struct parquet_bloom bloom = {0};
        struct parquet_slice slice = {.count = 1, .values = (const uint8_t *)(i == 0 ? &minus : &plus)};
        parquet_bloom_add(&bloom, &options, &leaf, &slice);
        parquet_bloom_finish(&bloom, &options, &filters[i]);
    }
    CHECK(bytes_equal(text_view(&filters[0]), text_view(&filters[1])));
    text_free(&filters[0]);
    text_free(&filters[1]);
}
