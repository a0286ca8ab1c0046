/* rle_read_test.c - bit-packed values and Thrift, read: what was written, and what nobody should have
 * written. */
#include "format/delta_pack.h"
#include "format/rle.h"
#include "format/rle_read.h"
#include "format/thrift_read.h"
#include "kit.h"

enum { VALUES = 3000 };

/* A copy with just the padding that readers are promised. */
static struct bytes padded(const struct text *text, size_t size)
{
    uint8_t *copy = mem_zero(size + READ_PADDING);
    if (size > 0)
        memcpy(copy, text->data, size);
    return bytes_of(copy, size);
}

static uint64_t draw(int bits) { return bits == 0 ? 0 : kit_random() >> (64 - bits); }

TEST(rle_reads_what_was_encoded)
{
    for (int width = 1; width <= RLE_BIT_WIDTH_MAX; width++) {
        uint32_t values[VALUES], seen[VALUES];
        struct text text = {0};
        for (int i = 0, run = 0; i < VALUES; i++, run--) {
            values[i] = run > 0 ? values[i - 1] : (uint32_t)draw(width);
            run = run <= 0 && draw(4) == 0 ? (int)draw(6) : run;
        }
        rle_encode(values, VALUES, width, &text);
        struct bytes bytes = padded(&text, text.size);
        struct rle_reader reader = rle_reader_of(bytes, width);
        for (int64_t at = 0; at < VALUES;) {
            int64_t take = (int64_t)draw(8) < VALUES - at ? (int64_t)draw(8) : VALUES - at;
            take = take < VALUES - at ? take : VALUES - at;
            CHECK(rle_read(&reader, seen + at, take));
            at += take;
        }
        CHECK(memcmp(values, seen, sizeof values) == 0);
        mem_free((void *)(uintptr_t)bytes.data);
        text_free(&text);
    }
}

TEST(delta_reads_differences_of_every_width)
{
    for (int width = 0; width <= 64; width++) {
        int64_t values[VALUES], seen[VALUES];
        struct text text = {0};
        for (int i = 0; i < VALUES; i++)
            values[i] = (int64_t)draw(width);
        delta_encode(values, VALUES, &text);
        struct bytes bytes = padded(&text, text.size);
        struct delta_reader reader;
        CHECK(delta_reader_open(&reader, bytes));
        CHECK_INT(reader.left, VALUES);
        CHECK(delta_read(&reader, seen, 1000));
        CHECK(delta_read(&reader, seen + 1000, VALUES - 1000));
        CHECK(memcmp(values, seen, sizeof values) == 0);
        CHECK(delta_reader_end(&reader) == bytes.data + bytes.size);
        CHECK(!delta_read(&reader, seen, 1));
        mem_free((void *)(uintptr_t)bytes.data);
        text_free(&text);
    }
}

TEST(delta_cut_short_fails)
{
    int64_t values[200], seen[200];
    struct text text = {0};
    for (int i = 0; i < 200; i++)
        values[i] = (int64_t)draw(40);
    delta_encode(values, 200, &text);
    for (size_t size = 0; size < text.size; size++) {
        struct bytes bytes = padded(&text, size);
        struct delta_reader reader;
        CHECK(!(delta_reader_open(&reader, bytes) && delta_read(&reader, seen, 200)));
        mem_free((void *)(uintptr_t)bytes.data);
    }
    text_free(&text);
}

static bool rle_good(const char *hex, size_t size, int width, int64_t count)
{
    uint32_t seen[64];
    struct text text = {0};
    text_add(&text, hex, size);
    struct bytes bytes = padded(&text, size);
    struct rle_reader reader = rle_reader_of(bytes, width);
    bool good = rle_read(&reader, seen, count);
    mem_free((void *)(uintptr_t)bytes.data);
    text_free(&text);
    return good;
}

TEST(rle_refuses_nonsense)
{
    CHECK(rle_good("\x03\x88", 2, 1, 8));
    CHECK(!rle_good("\x03", 1, 1, 1));     // a packed run without bytes
    CHECK(!rle_good("\x03\x88", 2, 1, 9)); // fewer than asked for
    CHECK(!rle_good("\x02\x02", 2, 1, 1)); // a value of more bits than the width
    CHECK(!rle_good("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11, 1,
                    1));                           // a varint without end
    CHECK(!rle_good("\x00\x00\x00\x00", 4, 1, 1)); // runs of nothing
    CHECK(rle_good("\x05", 1, 0, 16));             // no bits: all 0
}

TEST(thrift_reads_what_was_written)
{
    struct text text = {0};
    struct thrift out;
    thrift_begin(&out, &text);
    thrift_i32(&out, 1, -7);
    thrift_bool(&out, 3, true);
    thrift_binary(&out, 40, bytes_of_string("text"));
    thrift_list(&out, 41, THRIFT_STRUCT, 1);
    thrift_item_struct(&out);
    thrift_i64(&out, 2, INT64_MIN);
    thrift_end(&out);
    thrift_end(&out);
    struct thrift_reader in = thrift_reader_of(text_view(&text));
    struct thrift_fields fields = thrift_struct_begin(), inner = thrift_struct_begin();
    CHECK(thrift_field(&in, &fields) && fields.id == 1);
    CHECK_INT(thrift_int(&in, &fields, -7, 7), -7);
    CHECK(thrift_field(&in, &fields) && fields.id == 3 && thrift_flag(&in, &fields));
    CHECK(thrift_field(&in, &fields) && fields.id == 40);
    CHECK(bytes_equal_string(thrift_bytes(&in, &fields), "text"));
    CHECK(thrift_field(&in, &fields) && fields.id == 41);
    CHECK_INT(thrift_items(&in, &fields, THRIFT_STRUCT), 1);
    CHECK(thrift_field(&in, &inner) && thrift_int(&in, &inner, INT64_MIN, 0) == INT64_MIN);
    CHECK(!thrift_field(&in, &inner) && !thrift_field(&in, &fields) && !in.bad);
    text_free(&text);
}

/* Structs in structs, deeper than the reader's own stack should go. */
TEST(thrift_refuses_depth_and_promises)
{
    char deep[1000];
    memset(deep, 0x1c, sizeof deep);
    struct thrift_reader in = thrift_reader_of(bytes_of(deep, sizeof deep));
    thrift_skip(&in, THRIFT_STRUCT);
    CHECK(in.bad);
    in = thrift_reader_of(bytes_of_string("\xf5\xff\xff\xff\xff\x0f")); // a list of 4 G integers in 6 bytes
    thrift_skip(&in, THRIFT_LIST);
    CHECK(in.bad);
}
