#include <snappy-c.h>

#include "base/bytes.h"
#include "format/snappy_encode.h"
#include "kit.h"

/* Encode, let libsnappy decode, compare; the size of the output. Both buffers are exact, for the sanitizers.
 * */
static size_t check_round(const char *data, size_t size)
{
    static struct snappy_table table;
    uint8_t *in = mem_alloc(size), *out = mem_alloc(snappy_bound(size));
    size_t got = size;
    if (size > 0)
        memcpy(in, data, size);
    size_t packed = snappy_encode(&table, in, size, out);
    char *back = mem_alloc(size);
    CHECK(packed <= snappy_bound(size));
    CHECK_INT(snappy_uncompress((const char *)out, packed, back, &got), SNAPPY_OK);
    CHECK_INT(got, size);
    CHECK(size == 0 || memcmp(back, in, size) == 0);
    mem_free(in);
    mem_free(out);
    mem_free(back);
    return packed;
}

/* Rows as in a column of JSON texts: same keys, some values drawn anew, lengths that differ. */
static void rows_make(struct text *out, int rows)
{
    for (int i = 0; i < rows; i++)
        text_printf(out, "{\"id\":\"%016" PRIx64 "\",\"city\":\"city-%d\",\"amount\":%d.%02d,\"ok\":%s}",
                    kit_random(), (int)(kit_random() % 30), (int)(kit_random() % 2000),
                    (int)(kit_random() % 100), kit_random() % 3 ? "true" : "false");
}

TEST(snappy_of_rows)
{
    struct text text = {0};
    rows_make(&text, 3000);
    size_t packed = check_round(text.data, text.size);
    CHECK(packed < text.size * 6 / 10); /* 16 of some 70 bytes are random digits */
    text_free(&text);
}

TEST(snappy_of_every_small_size)
{
    struct text text = {0};
    rows_make(&text, 10);
    for (size_t size = 0; size <= 300; size++) {
        check_round(text.data, size);
        check_round(text.data + size, 300);
    }
    text_free(&text);
}

TEST(snappy_of_random_bytes_hardly_grows)
{
    enum { SIZE = 300000 };
    char *data = mem_alloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (char)kit_random();
    CHECK(check_round(data, SIZE) <= SIZE + 64);
    mem_free(data);
}

TEST(snappy_of_one_byte_repeated)
{
    enum { SIZE = 1 << 20 };
    char *data = mem_zero(SIZE);
    CHECK(check_round(data, SIZE) < SIZE / 20);
    mem_free(data);
}

/* Distances around 64 KiB, the most that a two-byte distance can say, and copies of every length around 64.
 * */
TEST(snappy_of_far_and_long_copies)
{
    enum { SIZE = 140000 };
    char *data = mem_alloc(SIZE);
    for (size_t distance = 65500; distance <= 65580; distance += 5) {
        for (size_t i = 0; i < SIZE; i++)
            data[i] = i < distance ? (char)kit_random() : data[i - distance];
        for (size_t at = distance; at < SIZE; at += 60 + kit_random() % 16)
            data[at] = (char)kit_random();
        check_round(data, SIZE);
    }
    mem_free(data);
}

TEST(snappy_of_few_letters)
{
    enum { SIZE = 50000 };
    char data[SIZE];
    for (int letters = 2; letters < 20; letters++) {
        for (size_t i = 0; i < SIZE; i++)
            data[i] = (char)('a' + kit_random() % (uint64_t)letters);
        check_round(data, SIZE);
    }
}
