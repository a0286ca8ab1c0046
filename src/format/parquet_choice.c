#include <math.h>

#include "format/parquet_internal.h"
#include "format/rle.h"

/* Which encoding a chunk gets.
 *
 * Dictionary  a chunk begins with one. After a sample the number of different values is estimated from how many
 *             repeat (of n values drawn from D, about n^2 / 2D do), and from it what the whole chunk would take: the
 *             entries once, the indexes of the sample again and again. If that is more than without a dictionary,
 *             the sample is taken out of it again; so unique texts cost the sample's look-ups a chunk. Later, at
 *             each page, the dictionary must still be smaller than PLAIN
 * Without     each encoding that readers know for the type is tried on the sample. PLAIN is the one that every reader
 *             reads fast, so another must take clearly less; DELTA_BYTES, whose values can only be read one after
 *             the other, even less
 * Cost        bytes, compression included. Those that need no compressor count less: they are written and read
 *             without one
 * Memory      a lane's chunks are much alike, so a choice holds for some */

enum {
    SAMPLE = 2048,
    CHOICE_CHUNKS = 8,       /* that one choice holds for */
    SHRINK_BYTES = 64 << 10, /* of a dictionary that are tried */
};
#define COMPRESSED_WEIGHT 1.05
#define GAIN 0.95
#define GAIN_DELTA_BYTES 0.92

bool parquet_has_choice(const struct parquet_leaf *leaf, const struct parquet_options *options)
{
    switch (leaf->physical) {
    case PARQUET_BOOLEAN: return false;
    case PARQUET_FIXED: return options->dictionary;
    case PARQUET_FLOAT:
    case PARQUET_DOUBLE: return options->dictionary || options->split;
    default: return options->dictionary || options->delta;
    }
}

bool parquet_has_sample(const struct parquet_chunk *chunk) { return chunk->values >= SAMPLE; }

/* ---- what bytes cost ---- */

static size_t compressed_size(const struct parquet_chunk *chunk, struct parquet_scratch *scratch, struct bytes in)
{
    struct compressor *compressor = parquet_compressor(scratch, chunk->codec, chunk->options);
    struct error err = {0};
    size_t size = in.size;
    text_clear(&scratch->trial);
    uint8_t *out = (uint8_t *)text_reserve(&scratch->trial, compress_bound(compressor, in.size));
    if (chunk->codec == CODEC_NONE || compress_block(compressor, in, out, &size, &err) != E_OK)
        return in.size; // too large to be tried: the page will say so
    return size;
}

/* Of what is in scratch->body. */
static double cost_of_body(const struct parquet_chunk *chunk, struct parquet_scratch *scratch)
{
    size_t plain = scratch->body.size, size = compressed_size(chunk, scratch, text_view(&scratch->body));
    bool shrinks = size < plain - plain / 16; // as data_page_write asks, ORDER SHRINKS
    return shrinks ? (double)size * COMPRESSED_WEIGHT : (double)plain;
}

double parquet_dictionary_shrinks_to(const struct parquet_chunk *chunk, struct parquet_scratch *scratch)
{
    struct bytes entries = text_view(&chunk->dictionary.plain);
    if (entries.size == 0)
        return 1;
    entries.size = entries.size < SHRINK_BYTES ? entries.size : SHRINK_BYTES;
    double size = (double)compressed_size(chunk, scratch, entries);
    return size < (double)entries.size ? size / (double)entries.size : 1;
}

/* ---- without a dictionary ---- */

/* The encodings beside PLAIN that may be used; PLAIN ends the list. */
static const enum parquet_encoding *others(const struct parquet_chunk *chunk)
{
    static const enum parquet_encoding nothing[] = {PARQUET_PLAIN}, integers[] = {PARQUET_DELTA, PARQUET_PLAIN},
                                       texts[] = {PARQUET_DELTA_LENGTH, PARQUET_DELTA_BYTES, PARQUET_PLAIN},
                                       floats[] = {PARQUET_BYTE_STREAM_SPLIT, PARQUET_PLAIN};
    switch (chunk->leaf->physical) {
    case PARQUET_FLOAT:
    case PARQUET_DOUBLE: return chunk->options->split ? floats : nothing;
    case PARQUET_BYTE_ARRAY: return chunk->options->delta ? texts : nothing;
    case PARQUET_FIXED: return nothing;
    default: return chunk->options->delta ? integers : nothing;
    }
}

static double cost_of(const struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                      enum parquet_encoding encoding, const struct parquet_slice *slice)
{
    text_clear(&scratch->body);
    parquet_pack(&scratch->packer, chunk->leaf, encoding, slice, &scratch->body);
    return cost_of_body(chunk, scratch);
}

enum parquet_encoding parquet_choose(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                                     const struct parquet_slice *slice)
{
    struct parquet_choice *choice = &chunk->choice;
    if (choice->chunks_left > 0)
        return choice->encoding;
    struct parquet_slice some = *slice;
    parquet_slice_cut(chunk->leaf, &some, 0, slice->count < SAMPLE ? slice->count : SAMPLE);
    enum parquet_encoding best = PARQUET_PLAIN;
    double least = cost_of(chunk, scratch, PARQUET_PLAIN, &some);
    for (const enum parquet_encoding *other = others(chunk); *other != PARQUET_PLAIN; other++) {
        double cost = cost_of(chunk, scratch, *other, &some);
        if (cost < least * (*other == PARQUET_DELTA_BYTES ? GAIN_DELTA_BYTES : GAIN)) {
            least = cost;
            best = *other;
        }
    }
    int32_t holds = some.count == SAMPLE ? CHOICE_CHUNKS : 0;
    *choice = (struct parquet_choice){best, some.count > 0 ? least / (double)some.count : 0, holds};
    return best;
}

/* ---- with one ---- */

static double estimate_distinct(int64_t values, int64_t distinct)
{
    int64_t repeats = values - distinct;
    if (repeats > values / 2)
        return (double)distinct;
    return (double)values * (double)values / (2 * (double)repeats + 1);
}

bool parquet_dictionary_pays(const struct parquet_chunk *chunk)
{
    int bit_width = rle_bit_width(chunk->dictionary.count);
    int64_t cost = (int64_t)chunk->dictionary.plain.size + chunk->values * bit_width / 8;
    return cost < chunk->plain_bytes;
}

/* Bytes a value that the chunk would take with a dictionary; INFINITY when it would get too large. */
static double dictionary_cost(const struct parquet_chunk *chunk, struct parquet_scratch *scratch)
{
    double values = chunk->expected > chunk->values ? (double)chunk->expected : (double)chunk->values;
    double all = estimate_distinct(chunk->values, chunk->dictionary.count), distinct = all * (1 - exp(-values / all));
    double entry_bytes = (double)chunk->dictionary.plain.size / (double)(chunk->dictionary.count + 1);
    if (distinct > PARQUET_DICTIONARY_COUNT_MAX || distinct * entry_bytes > (double)chunk->options->dictionary_bytes)
        return INFINITY;
    const void *indexes = chunk->page.data.data + PARQUET_PAGE_HEADROOM;
    int known = rle_bit_width(chunk->dictionary.count), bit_width = rle_bit_width((uint32_t)distinct);
    text_clear(&scratch->body);
    rle_encode(indexes, (size_t)chunk->page.values, known, &scratch->body);
    double index_bytes = cost_of_body(chunk, scratch) / (double)chunk->page.values * bit_width / known;
    entry_bytes *= parquet_dictionary_shrinks_to(chunk, scratch);
    return index_bytes + distinct * entry_bytes / values;
}

bool parquet_keeps_dictionary(struct parquet_chunk *chunk, struct parquet_scratch *scratch)
{
    if (!chunk->options->dictionary || !parquet_dictionary_pays(chunk))
        return false;
    if (chunk->dictionary.count <= 1 || !parquet_has_sample(chunk))
        return true;
    double cost = dictionary_cost(chunk, scratch);
    if (isinf(cost))
        return false;
    const void *indexes = chunk->page.data.data + PARQUET_PAGE_HEADROOM;
    struct parquet_slice slice;
    parquet_dictionary_unpack(&chunk->dictionary, chunk->leaf, indexes, chunk->page.values, &scratch->unpacked, &slice);
    parquet_choose(chunk, scratch, &slice);
    return cost <= chunk->choice.value_bytes;
}
