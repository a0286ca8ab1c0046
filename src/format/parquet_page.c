#include "format/delta_pack.h"
#include "format/parquet_internal.h"
#include "format/rle.h"

/* From a page being filled to finished bytes behind the chunk: levels, values, compression, header. */

enum { PAGE_DATA = 0, PAGE_DICTIONARY = 2 };
enum { PAGE_KEEP_BYTES = 32 << 20 }; /* a larger buffer is given back when its page is done */
/* Field ids of PageHeader, and of the two structs in it. */
enum {
    HEADER_TYPE = 1,
    HEADER_UNCOMPRESSED = 2,
    HEADER_COMPRESSED = 3,
    HEADER_DATA = 5,
    HEADER_DICTIONARY = 7
};
enum { DATA_COUNT = 1, DATA_ENCODING = 2, DATA_DEFINITION_ENCODING = 3, DATA_REPETITION_ENCODING = 4 };

struct page_header {
    int32_t type;
    enum parquet_encoding encoding;
    int64_t count; /* slots, or dictionary entries */
};

void parquet_scratch_init(struct parquet_scratch *scratch, const struct parquet_options *options,
                          enum codec codec)
{
    *scratch = (struct parquet_scratch){.options = options};
    compressor_init(&scratch->compressor, codec, (int)(codec == CODEC_ZSTD ? options->zstd_level : 0));
    compressor_init(&scratch->stored, CODEC_NONE, 0);
}

void parquet_scratch_close(struct parquet_scratch *scratch)
{
    compressor_close(&scratch->compressor);
    parquet_shredder_close(&scratch->shredder);
    parquet_slicer_close(&scratch->slicer);
    struct text *texts[] = {&scratch->picks, &scratch->header, &scratch->levels,
                            &scratch->wide,  &scratch->body,   &scratch->joined};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        text_free(texts[i]);
    *scratch = (struct parquet_scratch){0};
}

static void leave_headroom(struct text *text)
{
    text_clear(text);
    text_reserve(text, PARQUET_PAGE_HEADROOM);
    text->size = PARQUET_PAGE_HEADROOM;
}

void parquet_page_clear(struct parquet_page *page)
{
    page->rows = page->slots = page->values = 0;
    if (page->data.capacity > PAGE_KEEP_BYTES) /* one long value must not be paid for ever after */
        text_free(&page->data);
    leave_headroom(&page->data);
    text_clear(&page->definition);
    text_clear(&page->repetition);
}

/* ---- levels ---- */

static void add_levels(struct parquet_scratch *scratch, const struct text *levels, int64_t slots, uint8_t max)
{
    struct text *out = &scratch->levels;
    int bit_width = rle_bit_width(max);
    size_t start = out->size;
    text_add(out, (const uint32_t[1]){0}, sizeof(uint32_t));
    if (levels->size == 0) {
        rle_encode_run(max, (size_t)slots, bit_width, out);
    } else {
        text_clear(&scratch->wide);
        uint32_t *wide = (uint32_t *)(void *)text_reserve(&scratch->wide, (size_t)slots * sizeof *wide);
        for (int64_t i = 0; i < slots; i++)
            wide[i] = (uint8_t)levels->data[i];
        rle_encode(wide, (size_t)slots, bit_width, out);
    }
    uint32_t size = (uint32_t)(out->size - start - sizeof size);
    memcpy(out->data + start, &size, sizeof size);
}

static void encode_levels(const struct parquet_chunk *chunk, struct parquet_scratch *scratch)
{
    const struct parquet_page *page = &chunk->page;
    text_clear(&scratch->levels);
    if (chunk->leaf->repetition_max > 0)
        add_levels(scratch, &page->repetition, page->slots, chunk->leaf->repetition_max);
    if (chunk->leaf->definition_max > 0)
        add_levels(scratch, &page->definition, page->slots, chunk->leaf->definition_max);
}

/* ---- values ---- */

/* The values behind PARQUET_PAGE_HEADROOM bytes. */
static struct text *encode_values(struct parquet_chunk *chunk, struct parquet_scratch *scratch)
{
    struct parquet_page *page = &chunk->page;
    const void *values = page->data.data + PARQUET_PAGE_HEADROOM;
    if (chunk->encoding == PARQUET_PLAIN)
        return &page->data;
    leave_headroom(&scratch->body);
    if (chunk->encoding == PARQUET_DELTA) {
        delta_encode(values, (size_t)page->values, &scratch->body);
    } else {
        uint32_t count = chunk->dictionary.count;
        int bit_width = rle_bit_width(count > 0 ? count - 1 : 0);
        text_add_char(&scratch->body, (char)bit_width);
        rle_encode(values, (size_t)page->values, bit_width, &scratch->body);
    }
    return &scratch->body;
}

/* Put the levels in front of the values. */
static struct bytes join(struct parquet_scratch *scratch, struct text *body)
{
    const struct text *levels = &scratch->levels;
    size_t size = body->size - PARQUET_PAGE_HEADROOM;
    if (levels->size <= PARQUET_PAGE_HEADROOM) {
        char *start = body->data + PARQUET_PAGE_HEADROOM - levels->size;
        if (levels->size > 0)
            memcpy(start, levels->data, levels->size);
        return bytes_of(start, levels->size + size);
    }
    text_clear(&scratch->joined);
    text_add(&scratch->joined, levels->data, levels->size);
    text_add(&scratch->joined, body->data + PARQUET_PAGE_HEADROOM, size);
    return text_view(&scratch->joined);
}

/* ---- the page ---- */

static void header_write(const struct page_header *header, size_t size, size_t compressed_size,
                         struct text *out)
{
    struct thrift thrift;
    text_clear(out);
    thrift_begin(&thrift, out);
    thrift_i32(&thrift, HEADER_TYPE, header->type);
    thrift_i32(&thrift, HEADER_UNCOMPRESSED, (int32_t)size);
    thrift_i32(&thrift, HEADER_COMPRESSED, (int32_t)compressed_size);
    thrift_struct(&thrift, header->type == PAGE_DATA ? HEADER_DATA : HEADER_DICTIONARY);
    thrift_i32(&thrift, DATA_COUNT, (int32_t)header->count);
    thrift_i32(&thrift, DATA_ENCODING, (int32_t)header->encoding);
    if (header->type == PAGE_DATA) {
        thrift_i32(&thrift, DATA_DEFINITION_ENCODING, PARQUET_RLE);
        thrift_i32(&thrift, DATA_REPETITION_ENCODING, PARQUET_RLE);
    }
    thrift_end(&thrift);
    thrift_end(&thrift);
}

/* Compresses to where the body will stand if the header is as long as guessed, which it nearly always is. */
static enum code page_write(struct parquet_scratch *scratch, struct compressor *compressor,
                            const struct page_header *header, struct bytes body, struct text *out,
                            size_t *compressed, struct error *err)
{
    size_t bound = compress_bound(compressor, body.size);
    if (bound > INT32_MAX || header->count > INT32_MAX)
        return fail(err, E_UNSUPPORTED, "parquet: %zu bytes in one page: a value or a row is too large",
                    body.size);
    header_write(header, body.size, body.size / 2, &scratch->header);
    size_t guess = scratch->header.size;
    uint8_t *start = (uint8_t *)text_reserve(out, guess + VARINT_MAX + bound);
    TRY(compress_block(compressor, body, start + guess, compressed, err));
    header_write(header, body.size, *compressed, &scratch->header);
    if (scratch->header.size != guess)
        memmove(start + scratch->header.size, start + guess, *compressed);
    memcpy(start, scratch->header.data, scratch->header.size);
    out->size += scratch->header.size + *compressed;
    return E_OK;
}

static struct compressor *compressor_of(const struct parquet_chunk *chunk, struct parquet_scratch *scratch)
{
    return chunk->codec == CODEC_NONE ? &scratch->stored : &scratch->compressor;
}

enum code parquet_page_flush(struct parquet_chunk *chunk, struct parquet_scratch *scratch, struct error *err)
{
    struct parquet_page *page = &chunk->page;
    if (page->slots == 0)
        return E_OK;
    encode_levels(chunk, scratch);
    struct bytes body = join(scratch, encode_values(chunk, scratch));
    struct page_header header = {PAGE_DATA, chunk->encoding, page->slots};
    size_t compressed = 0;
    bool first = chunk->bytes.size == 0;
    TRY(page_write(scratch, compressor_of(chunk, scratch), &header, body, &chunk->bytes, &compressed, err));
    /* A chunk has one codec. If its first page does not shrink, as with bit-packed data, go without. */
    if (first && chunk->codec != CODEC_NONE && compressed > body.size - body.size / 16) {
        chunk->codec = CODEC_NONE;
        text_clear(&chunk->bytes);
        TRY(page_write(scratch, &scratch->stored, &header, body, &chunk->bytes, &compressed, err));
    }
    chunk->uncompressed_bytes += (int64_t)(scratch->header.size + body.size);
    chunk->dictionary_pages += chunk->encoding == PARQUET_RLE_DICTIONARY;
    chunk->plain_pages += chunk->encoding == PARQUET_PLAIN;
    chunk->delta_pages += chunk->encoding == PARQUET_DELTA;
    parquet_page_clear(page);
    return E_OK;
}

enum code parquet_page_dictionary(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                                  struct text *out, struct error *err)
{
    struct page_header header = {PAGE_DICTIONARY, PARQUET_PLAIN, chunk->dictionary.count};
    struct bytes body = text_view(&chunk->dictionary.plain);
    size_t compressed = 0;
    TRY(page_write(scratch, compressor_of(chunk, scratch), &header, body, out, &compressed, err));
    chunk->uncompressed_bytes += (int64_t)(scratch->header.size + body.size);
    return E_OK;
}
