#include "format/parquet_internal.h"
#include "format/rle.h"

/* Which encoding a chunk gets.
 *
 * Dictionary  a chunk begins with one. After a sample the number of different values is estimated from how many
 *             repeat (of n values drawn from D, about n^2 / 2D do); many different ones, or integers whose
 *             differences pack better than indexes, and the sample is taken out of the dictionary again. So unique
 *             texts cost the sample's look-ups a chunk. Later, at each page, the dictionary must still be smaller
 *             than PLAIN
 * Without     each encoding that readers know for the type is tried on some of the values, compression included.
 *             PLAIN is the one that every reader reads fast, so another must take clearly less; DELTA_BYTES, whose
 *             values can only be read one after the other, even less. Bytes that need no compressor count less:
 *             they are written and read without one */

enum {
    SAMPLE = 2048,
    ESTIMATE_MAX = 80000, /* most different values, give or take, for which a dictionary is begun */
};
#define COMPRESSED_WEIGHT 1.05

bool parquet_has_choice(const struct parquet_leaf *leaf, const struct parquet_options *options)
{
    switch (leaf->physical) {
    case PARQUET_BOOLEAN:
    case PARQUET_FIXED: return false;
    case PARQUET_FLOAT:
    case PARQUET_DOUBLE: return options->dictionary || options->split;
    default: return options->dictionary || options->delta;
    }
}

/* ---- with a dictionary ---- */

static double estimate_distinct(int64_t values, int64_t distinct)
{
    int64_t repeats = values - distinct;
    if (repeats > values / 2)
        return (double)distinct;
    return (double)values * (double)values / (2 * (double)repeats + 1);
}

/* Bytes of the dictionary and of the indexes so far. */
static int64_t dictionary_cost(const struct parquet_chunk *chunk)
{
    int bit_width = rle_bit_width(chunk->dictionary.count);
    return (int64_t)chunk->dictionary.plain.size + chunk->values * bit_width / 8;
}

bool parquet_dictionary_pays(const struct parquet_chunk *chunk)
{
    if (chunk->settled || chunk->values < SAMPLE)
        return dictionary_cost(chunk) < chunk->plain_bytes;
    double distinct = estimate_distinct(chunk->values, chunk->dictionary.count);
    double entry_bytes = (double)chunk->dictionary.plain.size / (double)(chunk->dictionary.count + 1);
    return distinct <= ESTIMATE_MAX && distinct * entry_bytes <= (double)chunk->options->dictionary_bytes;
}

/* Do integers take less space as differences than the indexes would? */
static bool delta_wins(const struct parquet_chunk *chunk, struct parquet_scratch *scratch)
{
    bool integers = chunk->leaf->physical == PARQUET_INT32 || chunk->leaf->physical == PARQUET_INT64;
    if (!integers || !chunk->options->delta || chunk->dictionary.count <= 1)
        return false;
    const void *indexes = chunk->page.data.data + PARQUET_PAGE_HEADROOM;
    struct parquet_slice slice;
    parquet_dictionary_unpack(&chunk->dictionary, chunk->leaf, indexes, chunk->page.values, &scratch->slicer, &slice);
    text_clear(&scratch->body);
    parquet_pack(&scratch->packer, chunk->leaf, PARQUET_DELTA, &slice, &scratch->body);
    double distinct = estimate_distinct(chunk->values, chunk->dictionary.count);
    int64_t delta = (int64_t)scratch->body.size;
    int64_t by_index = chunk->page.values * rle_bit_width((uint32_t)distinct) / 8;
    return delta < by_index || (delta < 2 * by_index && delta < dictionary_cost(chunk));
}

bool parquet_keeps_dictionary(struct parquet_chunk *chunk, struct parquet_scratch *scratch)
{
    return chunk->options->dictionary && parquet_dictionary_pays(chunk) && !delta_wins(chunk, scratch);
}

/* ---- without one ---- */

/* Bytes of the values in this encoding, compressed as the chunk is. */
static double cost_of(const struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                      enum parquet_encoding encoding, const struct parquet_slice *slice)
{
    struct compressor *compressor = parquet_compressor(scratch, chunk->codec, chunk->options);
    struct error err = {0};
    text_clear(&scratch->body);
    parquet_pack(&scratch->packer, chunk->leaf, encoding, slice, &scratch->body);
    size_t size = scratch->body.size;
    text_clear(&scratch->joined);
    uint8_t *out = (uint8_t *)text_reserve(&scratch->joined, compress_bound(compressor, size));
    if (compress_block(compressor, text_view(&scratch->body), out, &size, &err) != E_OK)
        return (double)scratch->body.size; // too large to be tried: the page will say so
    bool shrinks = size < scratch->body.size - scratch->body.size / 16; // as data_page_write asks, ORDER SHRINKS
    return shrinks ? (double)size * COMPRESSED_WEIGHT : (double)scratch->body.size;
}

enum parquet_encoding parquet_choose(const struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                                     const struct parquet_slice *slice)
{
    static const enum parquet_encoding integers[] = {PARQUET_DELTA, PARQUET_PLAIN},
                                       texts[] = {PARQUET_DELTA_LENGTH, PARQUET_DELTA_BYTES, PARQUET_PLAIN},
                                       floats[] = {PARQUET_BYTE_STREAM_SPLIT, PARQUET_PLAIN};
    bool floating = chunk->leaf->physical == PARQUET_FLOAT || chunk->leaf->physical == PARQUET_DOUBLE;
    const enum parquet_encoding *others = chunk->leaf->physical == PARQUET_BYTE_ARRAY ? texts
                                          : floating                                  ? floats
                                                                                      : integers;
    if (floating ? !chunk->options->split : !chunk->options->delta)
        return PARQUET_PLAIN;
    struct parquet_slice some = *slice;
    parquet_slice_cut(chunk->leaf, &some, 0, slice->count < SAMPLE ? slice->count : SAMPLE);
    enum parquet_encoding best = PARQUET_PLAIN;
    double least = cost_of(chunk, scratch, PARQUET_PLAIN, &some);
    for (; *others != PARQUET_PLAIN; others++) {
        double cost = cost_of(chunk, scratch, *others, &some);
        if (cost < least * (*others == PARQUET_DELTA_BYTES ? 0.92 : 0.95)) {
            least = cost;
            best = *others;
        }
    }
    return best;
}

bool parquet_has_sample(const struct parquet_chunk *chunk)
{
    return chunk->values >= SAMPLE;
}
