#include <lz4.h>
#include <math.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include "format/delta_pack.h"
#include "format/formats_internal.h"
#include "format/parquet_internal.h"
#include "format/rle.h"
#include "kit.h"

static void check_hex(const struct text *text, const char *want)
{
    struct text hex = {0};
    for (size_t i = 0; i < text->size; i++)
        text_printf(&hex, "%02x", (unsigned)(uint8_t)text->data[i]);
    CHECK_STR(hex.data == NULL ? "" : hex.data, want);
    text_free(&hex);
}

static const struct type *type_of_ddl(struct arena *query, const char *ddl)
{
    const struct type *type = NULL;
    struct error err = {0};
    size_t position;
    CHECK_INT(type_parse_ddl(query, bytes_of_string(ddl), &type, &position, &err), E_OK);
    return type;
}

/* ---- Thrift ---- */

TEST(thrift_writes_short_and_long_fields)
{
    struct text out = {0};
    struct thrift thrift;
    thrift_begin(&thrift, &out);
    thrift_i32(&thrift, 1, -3); /* delta 1, i32; zigzag 5 */
    thrift_bool(&thrift, 2, true);
    thrift_binary(&thrift, 20, bytes_of_string("ab")); /* delta 18 needs the long form: id zigzag 40 */
    thrift_struct(&thrift, 21);
    thrift_i64(&thrift, 1, 300); /* zigzag 600 = d8 04 */
    thrift_i8(&thrift, 2, 16);
    thrift_end(&thrift);
    thrift_end(&thrift);
    check_hex(&out, "1505"
                    "11"
                    "08"
                    "28"
                    "026162"
                    "1c"
                    "16d804"
                    "1310"
                    "00"
                    "00");
    text_free(&out);
}

TEST(thrift_writes_short_and_long_lists)
{
    struct text out = {0};
    struct thrift thrift;
    thrift_begin(&thrift, &out);
    thrift_list(&thrift, 1, THRIFT_I32, 2);
    thrift_item_i32(&thrift, 0);
    thrift_item_i32(&thrift, 8);
    thrift_list(&thrift, 2, THRIFT_STRUCT, 20);
    check_hex(&out, "1925"
                    "0010"
                    "19fc14");
    text_free(&out);
}

/* ---- RLE ---- */

static uint64_t read_varint(const uint8_t **at)
{
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        uint8_t byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
}

static uint64_t read_bits(const uint8_t *bits, size_t from, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value |= (uint64_t)(bits[(from + (size_t)i) / 8] >> ((from + (size_t)i) % 8) & 1) << i;
    return value;
}

/* Decodes and compares; returns the bytes used. */
static size_t rle_check(const struct text *encoded, const uint32_t *want, size_t count, int bit_width)
{
    const uint8_t *at = (const uint8_t *)encoded->data;
    size_t done = 0;
    while (done < count) {
        uint64_t header = read_varint(&at);
        if (header & 1) {
            for (size_t i = 0; i < (header >> 1) * 8 && done < count; i++, done++)
                CHECK_INT(read_bits(at, i * (size_t)bit_width, bit_width), want[done]);
            at += (header >> 1) * (uint64_t)bit_width;
        } else {
            uint32_t value = *at++;
            if (bit_width > 8)
                value |= (uint32_t)*at++ << 8;
            for (uint64_t i = 0; i < header >> 1; i++, done++)
                CHECK_INT(value, want[done]);
        }
    }
    CHECK_INT(done, count);
    return (size_t)(at - (const uint8_t *)encoded->data);
}

TEST(rle_decodes_to_what_was_encoded)
{
    enum { COUNT = 3000 };
    uint32_t values[COUNT];
    for (int bit_width = 1; bit_width <= RLE_BIT_WIDTH_MAX; bit_width++)
        for (int round = 0; round < 12; round++) {
            struct text out = {0};
            size_t count = kit_random() % COUNT;
            uint32_t value = 0;
            for (size_t i = 0; i < count; i++) {
                if (kit_random() % (uint64_t)(1 + round * 7) == 0)
                    value = (uint32_t)kit_random() & ((1u << bit_width) - 1);
                values[i] = value;
            }
            rle_encode(values, count, bit_width, &out);
            CHECK_INT(rle_check(&out, values, count, bit_width), out.size);
            text_free(&out);
        }
}

TEST(rle_turns_equal_values_into_one_run)
{
    struct text out = {0};
    uint32_t values[100];
    for (int i = 0; i < 100; i++)
        values[i] = 5;
    rle_encode(values, 100, 3, &out);
    check_hex(&out, "c80105");
    text_free(&out);
}

TEST(rle_bit_width_is_at_least_one)
{
    CHECK_INT(rle_bit_width(0), 1);
    CHECK_INT(rle_bit_width(1), 1);
    CHECK_INT(rle_bit_width(2), 2);
    CHECK_INT(rle_bit_width(65535), 16);
}

/* ---- DELTA_BINARY_PACKED ---- */

static void delta_check(const struct text *encoded, const int64_t *want, size_t count)
{
    const uint8_t *at = (const uint8_t *)encoded->data;
    CHECK_INT(read_varint(&at), 128);
    CHECK_INT(read_varint(&at), 4);
    CHECK_INT(read_varint(&at), count);
    uint64_t first = read_varint(&at), value = first >> 1 ^ (0 - (first & 1));
    for (size_t i = 0; i < count;) {
        if (i == 0) {
            CHECK_INT(value, want[i++]);
            continue;
        }
        uint64_t least = read_varint(&at);
        least = least >> 1 ^ (0 - (least & 1));
        const uint8_t *widths = at;
        at += 4;
        for (int m = 0; m < 4; m++) {
            for (size_t k = 0; k < 32 && i < count; k++, i++) {
                value += least + read_bits(at, k * widths[m], widths[m]);
                CHECK_INT(value, want[i]);
            }
            at += widths[m] * 4;
        }
    }
    CHECK_INT((size_t)(at - (const uint8_t *)encoded->data), encoded->size);
}

TEST(delta_decodes_to_what_was_encoded)
{
    enum { COUNT = 1000 };
    int64_t values[COUNT];
    for (int bits = 0; bits <= 64; bits++) {
        struct text out = {0};
        size_t count = bits == 0 ? 0 : kit_random() % COUNT;
        for (size_t i = 0; i < count; i++)
            values[i] = (int64_t)(kit_random() >> (64 - bits)) * (kit_random() % 2 ? 1 : -1);
        delta_encode(values, count, &out);
        delta_check(&out, values, count);
        text_free(&out);
    }
}

TEST(delta_of_int32_never_takes_33_bits)
{
    const int32_t values[] = {INT32_MIN, INT32_MAX, INT32_MIN, 0, INT32_MAX, -1, INT32_MIN, 7};
    enum { COUNT = sizeof values / sizeof *values };
    struct text out = {0};
    delta_encode_32(values, COUNT, &out);
    const uint8_t *at = (const uint8_t *)out.data + 4; // behind 128, 4 and the count
    uint64_t first = read_varint(&at), least = read_varint(&at);
    uint32_t value = (uint32_t)(first >> 1 ^ (0 - (first & 1)));
    least = least >> 1 ^ (0 - (least & 1));
    const uint8_t *widths = at;
    CHECK(widths[0] <= 32);
    at += 4;
    CHECK_INT((int32_t)value, values[0]);
    for (size_t i = 1; i < COUNT; i++) {
        value += (uint32_t)least + (uint32_t)read_bits(at, (i - 1) * widths[0], widths[0]);
        CHECK_INT((int32_t)value, values[i]);
    }
    CHECK_INT((size_t)(at + widths[0] * 4 - (const uint8_t *)out.data), out.size);
    text_free(&out);
}

TEST(delta_wraps_around_at_the_ends_of_int64)
{
    const int64_t values[] = {INT64_MIN, INT64_MAX, INT64_MIN, 0, INT64_MAX, -1, INT64_MIN};
    struct text out = {0};
    delta_encode(values, 7, &out);
    delta_check(&out, values, 7);
    text_free(&out);
}

TEST(delta_of_consecutive_offsets_takes_no_bits)
{
    struct text out = {0};
    int64_t values[1281];
    for (int i = 0; i < 1281; i++)
        values[i] = 7000000 + i;
    delta_encode(values, 1281, &out);
    CHECK_INT(out.size, 2 + 1 + 2 + 4 + 10 * 5);
    text_free(&out);
}

/* ---- compression ---- */

static size_t decompress(enum codec codec, const uint8_t *in, size_t size, char *out, size_t room)
{
    z_stream stream = {.next_in = (z_const Bytef *)(uintptr_t)in,
                       .avail_in = (uInt)size,
                       .next_out = (Bytef *)out,
                       .avail_out = (uInt)room};
    switch (codec) {
    case CODEC_SNAPPY: CHECK_INT(snappy_uncompress((const char *)in, size, out, &room), SNAPPY_OK); return room;
    case CODEC_ZSTD: return ZSTD_decompress(out, room, in, size);
    case CODEC_GZIP:
        CHECK_INT(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
        CHECK_INT(inflate(&stream, Z_FINISH), Z_STREAM_END);
        CHECK_INT(inflateEnd(&stream), Z_OK);
        return stream.total_out;
    case CODEC_LZ4_RAW: return (size_t)LZ4_decompress_safe((const char *)in, out, (int)size, (int)room);
    case CODEC_NONE: break;
    }
    memcpy(out, in, size);
    return size;
}

TEST(every_codec_gives_back_its_input)
{
    static const char *const names[] = {"none", "SNAPPY", "zstd", "gzip", "lz4"};
    enum { SIZE = 100000 };
    static char input[SIZE], back[SIZE];
    for (size_t i = 0; i < SIZE; i++)
        input[i] = (char)("abcdefgh"[kit_random() % (1 + i % 8)]);
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        enum codec codec = CODEC_NONE;
        struct compressor compressor;
        struct error err = {0};
        CHECK(codec_find(names[n], &codec));
        compressor_init(&compressor, codec, 0);
        for (size_t size = 0; size <= SIZE; size = size * 3 + 1) {
            size_t packed = 0;
            uint8_t *out = mem_alloc(compress_bound(&compressor, size) + 1);
            CHECK_INT(compress_block(&compressor, bytes_of(input, size), out, &packed, &err), E_OK);
            CHECK_INT(decompress(codec, out, packed, back, SIZE), size);
            CHECK(memcmp(input, back, size) == 0);
            mem_free(out);
        }
        compressor_close(&compressor);
    }
    CHECK(!codec_find("brotli", &(enum codec){CODEC_NONE}));
}

/* ---- schema and levels ---- */

static void check_levels(const struct parquet_slots *slots, const char *want)
{
    struct text got = {0};
    for (int64_t i = 0; i < slots->count; i++)
        text_printf(&got, "%d/%d:%d ", slots->repetition[i], slots->definition[i], slots->index[i]);
    CHECK_STR(got.data, want);
    text_free(&got);
}

/* [[1, NULL], []], NULL, [], [NULL, [2]] */
TEST(levels_of_nested_lists)
{
    struct arena query = {0};
    struct error err = {0};
    struct parquet_schema schema;
    struct parquet_shredder shredder = {0};
    struct builder builder;
    struct column col;
    CHECK_INT(parquet_schema_init(&schema, type_of_ddl(&query, "a ARRAY<ARRAY<INT>>"), &query, &err), E_OK);
    CHECK_INT(schema.leaf_count, 1);
    CHECK_INT(schema.leaves[0].definition_max, 5);
    CHECK_INT(schema.leaves[0].repetition_max, 2);

    builder_init(&builder, schema.type->fields[0].type);
    struct builder *inner = &builder.children[0];
    builder_int(&inner->children[0], 1);
    builder_null(&inner->children[0]);
    builder_close_list(inner);
    builder_close_list(inner);
    builder_close_list(&builder);
    builder_null(&builder);
    builder_close_list(&builder);
    builder_null(inner);
    builder_int(&inner->children[0], 2);
    builder_close_list(inner);
    builder_close_list(&builder);
    builder_finish(&builder, &col);

    CHECK_INT(parquet_shred(&shredder, &schema.leaves[0], &col, 0, 4, &err), E_OK);
    check_levels(&shredder.slots, "0/5:0 2/4:-1 1/3:-1 0/0:-1 0/1:-1 0/2:-1 1/5:2 ");
    CHECK_INT(parquet_shred(&shredder, &schema.leaves[0], &col, 3, 4, &err), E_OK);
    check_levels(&shredder.slots, "0/2:-1 1/5:2 ");

    parquet_shredder_close(&shredder);
    column_release(&col);
    builder_release(&builder);
    arena_free(&query);
}

TEST(null_as_a_map_key_is_refused)
{
    struct arena query = {0};
    struct error err = {0};
    struct parquet_schema schema;
    struct parquet_shredder shredder = {0};
    struct builder builder;
    struct column col;
    CHECK_INT(parquet_schema_init(&schema, type_of_ddl(&query, "m MAP<STRING, INT>"), &query, &err), E_OK);
    builder_init(&builder, schema.type->fields[0].type);
    builder_null(&builder.children[0]);
    builder_int(&builder.children[1], 1);
    builder_close_list(&builder);
    builder_finish(&builder, &col);
    CHECK_INT(parquet_shred(&shredder, &schema.leaves[0], &col, 0, 1, &err), E_DATA);
    CHECK_STR(err.text, "parquet: NULL as the key of a map in column m");
    parquet_shredder_close(&shredder);
    column_release(&col);
    builder_release(&builder);
    arena_free(&query);
}

static void check_refused(const struct field *fields, int32_t count, const char *want)
{
    struct arena query = {0};
    struct error err = {0};
    struct parquet_schema schema;
    CHECK_INT(parquet_schema_init(&schema, type_struct(&query, fields, count), &query, &err), E_UNSUPPORTED);
    CHECK_STR(err.text, want);
    arena_free(&query);
}

TEST(types_without_a_place_are_refused_by_name)
{
    struct arena query = {0};
    struct field inner[] = {{"ok", type_of(TYPE_INT32), true}, {"nothing", type_of(TYPE_NULL), true}};
    struct field outer[] = {{"s", type_struct(&query, inner, 2), true}};
    struct field hollow[] = {{"e", type_struct(&query, NULL, 0), true}};
    check_refused(outer, 1, "parquet: column s.nothing: void has no place in a Parquet file");
    check_refused(hollow, 1, "parquet: column e: a struct without fields has no place in a Parquet file");
    check_refused(NULL, 0, "parquet: a file needs at least one column");
    const struct type *deep = type_of(TYPE_INT32);
    for (int i = 0; i < 100; i++)
        deep = type_array(&query, deep, true);
    struct error err = {0};
    struct parquet_schema schema;
    struct field field = {"deep", deep, true};
    CHECK_INT(parquet_schema_init(&schema, type_struct(&query, &field, 1), &query, &err), E_UNSUPPORTED);
    CHECK(strstr(err.text, "deeper nesting") != NULL);
    arena_free(&query);
}

TEST(decimals_take_the_least_width)
{
    static const struct {
        const char *ddl;
        enum parquet_physical physical;
        int32_t width;
    } cases[] = {{"d DECIMAL(9,2)", PARQUET_INT32, 4},   {"d DECIMAL(10,2)", PARQUET_INT64, 8},
                 {"d DECIMAL(18,0)", PARQUET_INT64, 8},  {"d DECIMAL(19,0)", PARQUET_FIXED, 9},
                 {"d DECIMAL(28,0)", PARQUET_FIXED, 12}, {"d DECIMAL(38,0)", PARQUET_FIXED, 16}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena query = {0};
        struct error err = {0};
        struct parquet_schema schema;
        CHECK_INT(parquet_schema_init(&schema, type_of_ddl(&query, cases[i].ddl), &query, &err), E_OK);
        CHECK_INT(schema.leaves[0].physical, cases[i].physical);
        CHECK_INT(schema.leaves[0].width, cases[i].width);
        arena_free(&query);
    }
}

TEST(spark_schema_is_sparks_json)
{
    struct arena query = {0};
    struct text out = {0};
    spark_schema_write(type_of_ddl(&query, "a BIGINT NOT NULL, b ARRAY<DECIMAL(5,1)>, `q\"` MAP<STRING, TINYINT>"),
                       false, &out);
    CHECK_STR(
        out.data,
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",\"nullable\":false,\"metadata\":{}},"
        "{\"name\":\"b\",\"type\":{\"type\":\"array\",\"elementType\":\"decimal(5,1)\",\"containsNull\":true},"
        "\"nullable\":true,\"metadata\":{}},{\"name\":\"q\\\"\",\"type\":{\"type\":\"map\",\"keyType\":\"string\","
        "\"valueType\":\"byte\",\"valueContainsNull\":true},\"nullable\":true,\"metadata\":{}}]}");
    text_free(&out);
    arena_free(&query);
}

/* ---- statistics ---- */

static void range_of(const struct parquet_leaf *leaf, const char *const *values, struct parquet_statistics *out)
{
    struct parquet_range range = {0};
    for (; *values != NULL; values++) {
        uint8_t padded[256] = {0};
        memcpy(padded, *values, strlen(*values));
        parquet_range_add_bytes(&range, padded, strlen(*values));
    }
    parquet_range_finish(&range, leaf, PARQUET_BOUND_BYTES_MAX, out);
}

#define TEN "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

TEST(bounds_of_texts)
{
    const struct parquet_leaf text = {.type = type_of(TYPE_STRING), .physical = PARQUET_BYTE_ARRAY};
    struct parquet_statistics s;
    range_of(&text, (const char *const[]){"b", "", "ab", NULL}, &s);
    CHECK(s.present && s.min_exact && s.max_exact);
    CHECK_INT(s.min_size, 0);
    CHECK(bytes_equal_string(bytes_of(s.max, s.max_size), "b"));

    range_of(&text, (const char *const[]){SIXTY "abcdef", SIXTY "abcdez", NULL}, &s);
    CHECK(s.present && !s.min_exact && !s.max_exact);
    CHECK(bytes_equal_string(bytes_of(s.min, s.min_size), SIXTY "abcd"));
    CHECK(bytes_equal_string(bytes_of(s.max, s.max_size), SIXTY "abce"));

    /* The cut goes through a character; the one before cannot go up in its last byte. */
    range_of(&text, (const char *const[]){SIXTY "a\xc2\xbf\xe2\x82\xac", NULL}, &s);
    CHECK(bytes_equal_string(bytes_of(s.min, s.min_size), SIXTY "a\xc2\xbf"));
    CHECK(bytes_equal_string(bytes_of(s.max, s.max_size), SIXTY "b"));
}

TEST(bounds_of_bytes_that_cannot_go_up)
{
    const struct parquet_leaf binary = {.type = type_of(TYPE_BINARY), .physical = PARQUET_BYTE_ARRAY};
    struct parquet_statistics s;
    char all[100] = {0};
    memset(all, 0xff, 99);
    range_of(&binary, (const char *const[]){all, "a", NULL}, &s);
    CHECK(!s.present);
    memcpy(all, "a", 1);
    range_of(&binary, (const char *const[]){all, NULL}, &s);
    CHECK(s.present && !s.max_exact);
    CHECK(bytes_equal_string(bytes_of(s.max, s.max_size), "b"));
}

static void range_of_doubles(const double *values, int64_t count, struct parquet_statistics *out)
{
    const struct parquet_leaf leaf = {.type = type_of(TYPE_DOUBLE), .physical = PARQUET_DOUBLE, .width = 8};
    struct parquet_slice slice = {.count = count, .values = (const uint8_t *)values};
    struct parquet_range range = {0};
    parquet_range_add(&range, &leaf, &slice);
    parquet_range_finish(&range, &leaf, PARQUET_BOUND_BYTES_MAX, out);
}

TEST(bounds_of_floats)
{
    struct parquet_statistics s;
    double min, max;
    range_of_doubles((const double[]){0.0, 0.0}, 2, &s);
    memcpy(&min, s.min, 8);
    CHECK(s.present && min == 0 && signbit(min));
    range_of_doubles((const double[]){-0.0, -2}, 2, &s);
    memcpy(&max, s.max, 8);
    CHECK(s.present && max == 0 && !signbit(max));
    range_of_doubles((const double[]){1, NAN, 2}, 3, &s);
    CHECK(!s.present);
}

/* ---- dictionary ---- */

TEST(dictionary_gives_indexes_until_it_is_full)
{
    const struct parquet_leaf leaf = {.type = type_of(TYPE_INT64), .physical = PARQUET_INT64, .width = 8};
    struct parquet_dictionary dictionary = {.bytes_max = 1 << 20};
    enum { COUNT = PARQUET_DICTIONARY_COUNT_MAX + 2000 };
    static int64_t values[COUNT];
    static uint32_t indexes[COUNT];
    for (int64_t i = 0; i < COUNT; i++)
        values[i] = i < 1000 ? i % 7 : i;
    struct parquet_slice slice = {.count = COUNT, .values = (const uint8_t *)values};
    int64_t taken = parquet_dictionary_add(&dictionary, &leaf, &slice, indexes);
    CHECK_INT(taken, 1000 + PARQUET_DICTIONARY_COUNT_MAX - 7);
    CHECK_INT(indexes[999], 999 % 7);
    CHECK_INT(indexes[1000], 7);
    struct parquet_slicer room = {0};
    struct parquet_slice back;
    parquet_dictionary_unpack(&dictionary, &leaf, indexes, taken, &room, &back);
    CHECK_INT(back.count, taken);
    CHECK(memcmp(back.values, values, (size_t)taken * 8) == 0);
    parquet_slicer_close(&room);
    parquet_dictionary_close(&dictionary);
}

TEST(dictionary_tells_texts_apart)
{
    const struct parquet_leaf leaf = {.type = type_of(TYPE_STRING), .physical = PARQUET_BYTE_ARRAY};
    /* Same first and last eight bytes, different middles; prefixes; NUL bytes that padding could hide. */
    static const uint8_t bytes[64 + 64] = "aaaaaaaaXbbbbbbbb"
                                          "aaaaaaaaYbbbbbbbb"
                                          "aaaaaaaa"
                                          "a\0"
                                          "a"
                                          "";
    const int32_t offsets[] = {0, 17, 34, 42, 44, 45, 45};
    struct parquet_slice slice = {.count = 6, .values = bytes, .offsets = offsets};
    struct parquet_dictionary dictionary = {.bytes_max = 1 << 20};
    uint32_t indexes[6];
    for (int round = 0; round < 2; round++) {
        CHECK_INT(parquet_dictionary_add(&dictionary, &leaf, &slice, indexes), 6);
        for (uint32_t i = 0; i < 6; i++)
            CHECK_INT(indexes[i], i);
    }
    parquet_dictionary_close(&dictionary);
}

/* ---- options ---- */

TEST(unknown_codec_is_a_spec_error)
{
    struct arena query = {0};
    struct error err = {0};
    struct encoder_spec spec = {.schema = type_of_ddl(&query, "a INT"), .compression = "brotli"};
    void *lane = mem_zero(parquet_encoder.lane_size);
    CHECK_INT(parquet_encoder.lane_open(lane, &spec, &err), E_SPEC);
    CHECK(strstr(err.text, "brotli") != NULL);
    mem_free(lane);
    arena_free(&query);
}
