#include <math.h>

#include "base/hash.h"
#include "format/parquet_internal.h"

/* Split block Bloom filters: a value sets one bit in each of the eight words of one block of 32 bytes.
 *
 *   block   upper half of the value's XXH64 (seed 0), times the number of blocks, over 2^32
 *   bit     in word i: the upper five bits of (lower half * salts[i])
 *   bytes   a BloomFilterHeader (Thrift compact), then the blocks, little endian
 *
 * Size     nobody knows beforehand how many different values come, unless the table says so. A filter begins as
 *          large as it may be; at the end blocks 2i and 2i + 1 become one, again and again, as long as few enough
 *          absent values would be found. That gives the same bits as a filter that began smaller, since its block
 *          is the larger one's, halved
 * Zeros    0.0 and -0.0 are equal, but not as bytes: either is put in as both
 * Spec     parquet-format/BloomFilter.md */

enum { BLOCK_WORDS = 8, BLOCK_BYTES = BLOCK_WORDS * 4 };
enum { HEADER_BYTES = 1, HEADER_ALGORITHM = 2, HEADER_HASH = 3, HEADER_COMPRESSION = 4 };

static const uint32_t salts[BLOCK_WORDS] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                            0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

void parquet_bloom_close(struct parquet_bloom *bloom)
{
    mem_free(bloom->words);
    *bloom = (struct parquet_bloom){0};
}

static size_t power_of_two_below(size_t size)
{
    size_t power = BLOCK_BYTES;
    while (power <= size / 2)
        power *= 2;
    return power;
}

/* Bytes for so many values: -8 n / ln(1 - fpp^(1/8)) bits, but a power of two. */
static size_t size_for(double values, double fpp)
{
    double bits = -8 * values / log(1 - pow(fpp, 1.0 / 8));
    size_t power = BLOCK_BYTES;
    while ((double)power * 8 < bits && power < (size_t)1 << 30)
        power *= 2;
    return power;
}

static void begin(struct parquet_bloom *bloom, const struct parquet_options *options)
{
    size_t most = power_of_two_below((size_t)options->bloom_bytes);
    size_t wanted = options->bloom_ndv > 0 ? size_for((double)options->bloom_ndv, options->bloom_fpp) : most;
    bloom->size_bytes = wanted < most ? wanted : most;
    bloom->words = mem_array(uint32_t, bloom->size_bytes / sizeof *bloom->words);
}

/* ---- values ---- */

static inline void put(struct parquet_bloom *bloom, uint64_t hash)
{
    uint64_t blocks = bloom->size_bytes / BLOCK_BYTES;
    uint32_t *block = bloom->words + (((hash >> 32) * blocks) >> 32) * BLOCK_WORDS;
    for (int i = 0; i < BLOCK_WORDS; i++)
        block[i] |= 1u << (((uint32_t)hash * salts[i]) >> 27);
}

static inline void put_bytes(struct parquet_bloom *bloom, const void *data, size_t size)
{
    put(bloom, XXH64(data, size, 0));
}

static void put_wide(struct parquet_bloom *bloom, const struct parquet_leaf *leaf, const struct parquet_slice *slice)
{
    const __int128 *values = (const __int128 *)(const void *)slice->values;
    for (int64_t i = 0; i < slice->count; i++) {
        uint8_t big_endian[sizeof(__int128)];
        for (int32_t k = 0; k < leaf->width; k++)
            big_endian[leaf->width - 1 - k] = (uint8_t)(values[i] >> (8 * k));
        put_bytes(bloom, big_endian, (size_t)leaf->width);
    }
}

static bool is_zero(const struct parquet_leaf *leaf, const uint8_t *value)
{
    uint64_t word = 0;
    memcpy(&word, value, (size_t)leaf->width);
    return (word << (64 - leaf->width * 8 + 1)) == 0; // whatever its sign
}

static void put_zeros(struct parquet_bloom *bloom, const struct parquet_leaf *leaf)
{
    uint64_t zero = 0, minus = (uint64_t)1 << (leaf->width * 8 - 1);
    put_bytes(bloom, &zero, (size_t)leaf->width);
    put_bytes(bloom, &minus, (size_t)leaf->width);
}

static void put_fixed(struct parquet_bloom *bloom, const struct parquet_leaf *leaf, const struct parquet_slice *slice)
{
    size_t width = (size_t)leaf->width;
    bool floating = leaf->physical == PARQUET_FLOAT || leaf->physical == PARQUET_DOUBLE;
    for (int64_t i = 0; i < slice->count; i++) {
        const uint8_t *value = slice->values + (size_t)i * width;
        if (floating && is_zero(leaf, value))
            put_zeros(bloom, leaf);
        else
            put_bytes(bloom, value, width);
    }
}

void parquet_bloom_add(struct parquet_bloom *bloom, const struct parquet_options *options,
                       const struct parquet_leaf *leaf, const struct parquet_slice *slice)
{
    if (bloom->words == NULL)
        begin(bloom, options);
    if (leaf->physical == PARQUET_FIXED)
        put_wide(bloom, leaf, slice);
    else if (leaf->physical != PARQUET_BYTE_ARRAY)
        put_fixed(bloom, leaf, slice);
    for (int64_t i = 0; leaf->physical == PARQUET_BYTE_ARRAY && i < slice->count; i++)
        put_bytes(bloom, slice->values + slice->offsets[i], (size_t)(slice->offsets[i + 1] - slice->offsets[i]));
}

/* ---- the finished filter ---- */

/* Share of absent values that would be found if every two blocks were one: all eight of their bits are set. */
static double folded_fpp(const struct parquet_bloom *bloom)
{
    size_t pairs = bloom->size_bytes / BLOCK_BYTES / 2;
    double sum = 0;
    for (size_t p = 0; p < pairs; p++) {
        const uint32_t *block = bloom->words + p * 2 * BLOCK_WORDS;
        double all = 1;
        for (int i = 0; i < BLOCK_WORDS; i++)
            all *= __builtin_popcount(block[i] | block[BLOCK_WORDS + i]) / 32.0;
        sum += all;
    }
    return sum / (double)pairs;
}

static void fold(struct parquet_bloom *bloom)
{
    bloom->size_bytes /= 2;
    for (size_t to = 0; to < bloom->size_bytes / sizeof *bloom->words; to++) {
        size_t from = to / BLOCK_WORDS * 2 * BLOCK_WORDS + to % BLOCK_WORDS;
        bloom->words[to] = bloom->words[from] | bloom->words[from + BLOCK_WORDS];
    }
}

/* A union's member without fields. */
static void choose(struct thrift *thrift, int16_t id)
{
    enum { THE_ONLY_ONE = 1 };
    thrift_struct(thrift, id);
    thrift_struct(thrift, THE_ONLY_ONE);
    thrift_end(thrift);
    thrift_end(thrift);
}

void parquet_bloom_finish(struct parquet_bloom *bloom, const struct parquet_options *options, struct text *out)
{
    struct thrift thrift;
    if (bloom->words == NULL)
        begin(bloom, options);
    while (options->bloom_ndv == 0 && bloom->size_bytes > BLOCK_BYTES && folded_fpp(bloom) <= options->bloom_fpp)
        fold(bloom);
    thrift_begin(&thrift, out);
    thrift_i32(&thrift, HEADER_BYTES, (int32_t)bloom->size_bytes);
    choose(&thrift, HEADER_ALGORITHM);
    choose(&thrift, HEADER_HASH);
    choose(&thrift, HEADER_COMPRESSION);
    thrift_end(&thrift);
    text_add(out, bloom->words, bloom->size_bytes);
    parquet_bloom_close(bloom);
}
