#include "format/page_crc.h"
#include "format/parquet_internal.h"
#include "format/rle.h"

/* From a page being filled to finished bytes behind the chunk: levels, values, compression, checksum, header. */

enum page_kind { PAGE_DATA = 0, PAGE_DICTIONARY = 2, PAGE_DATA_V2 = 3 };
enum { PAGE_KEEP_BYTES = 32 << 20 }; /* a larger buffer is given back when its page is done */
/* Field ids of PageHeader, and of the structs in it. */
enum {
    HEADER_TYPE = 1,
    HEADER_UNCOMPRESSED = 2,
    HEADER_COMPRESSED = 3,
    HEADER_CRC = 4,
    HEADER_DATA = 5,
    HEADER_DICTIONARY = 7,
    HEADER_DATA_V2 = 8
};
enum { DATA_COUNT = 1, DATA_ENCODING = 2, DATA_DEFINITION_ENCODING = 3, DATA_REPETITION_ENCODING = 4 };
enum {
    V2_COUNT = 1,
    V2_NULLS = 2,
    V2_ROWS = 3,
    V2_ENCODING = 4,
    V2_DEFINITION_BYTES = 5,
    V2_REPETITION_BYTES = 6,
    V2_COMPRESSED = 7
};

struct page_header {
    enum page_kind kind;
    enum parquet_encoding encoding;
    int64_t count;       /* slots, or dictionary entries */
    int64_t nulls, rows; /* version 2, and the sizes of the levels */
    size_t definition_bytes, repetition_bytes;
    bool compressed, has_crc;
    uint32_t crc;
};
/* What follows the header: levels that are not compressed, and the rest. */
struct page_body {
    struct bytes levels, rest;
};

struct compressor *parquet_compressor(struct parquet_scratch *scratch, enum codec codec,
                                      const struct parquet_options *options)
{
    struct compressor *compressor = &scratch->compressors[codec];
    if (compressor->context == NULL)
        compressor_init(compressor, codec, (int)(codec == CODEC_ZSTD ? options->zstd_level : 0));
    return compressor;
}

void parquet_scratch_close(struct parquet_scratch *scratch)
{
    for (size_t i = 0; i < CODEC_COUNT; i++)
        if (scratch->compressors[i].context != NULL)
            compressor_close(&scratch->compressors[i]);
    parquet_shredder_close(&scratch->shredder);
    parquet_slicer_close(&scratch->slicer);
    parquet_slicer_close(&scratch->unpacked);
    parquet_packer_close(&scratch->packer);
    struct text *texts[] = {&scratch->picks, &scratch->header, &scratch->levels, &scratch->wide,
                            &scratch->body,  &scratch->joined, &scratch->trial};
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
    page->range = (struct parquet_range){0};
    if (page->data.capacity > PAGE_KEEP_BYTES) /* one long value must not be paid for ever after */
        text_free(&page->data);
    leave_headroom(&page->data);
    text_clear(&page->offsets);
    text_clear(&page->definition);
    text_clear(&page->repetition);
}

struct parquet_slice parquet_page_slice(const struct parquet_page *page)
{
    return (struct parquet_slice){
        .count = page->values,
        .values = (const uint8_t *)page->data.data + PARQUET_PAGE_HEADROOM,
        .offsets = (const int32_t *)(const void *)page->offsets.data,
    };
}

/* ---- levels ---- */

/* Appends the levels; returns their size. */
static size_t add_levels(struct parquet_scratch *scratch, const struct text *levels, int64_t slots, uint8_t max)
{
    struct text *out = &scratch->levels;
    int bit_width = rle_bit_width(max);
    size_t start = out->size;
    if (levels->size == 0) {
        rle_encode_run(max, (size_t)slots, bit_width, out);
    } else {
        text_clear(&scratch->wide);
        uint32_t *wide = (uint32_t *)(void *)text_reserve(&scratch->wide, (size_t)slots * sizeof *wide);
        for (int64_t i = 0; i < slots; i++)
            wide[i] = (uint8_t)levels->data[i];
        rle_encode(wide, (size_t)slots, bit_width, out);
    }
    return out->size - start;
}

/* Version 1: the size in front. */
static void add_sized_levels(struct parquet_scratch *scratch, const struct text *levels, int64_t slots, uint8_t max)
{
    size_t start = scratch->levels.size;
    text_add(&scratch->levels, (const uint32_t[1]){0}, sizeof(uint32_t));
    uint32_t size = (uint32_t)add_levels(scratch, levels, slots, max);
    memcpy(scratch->levels.data + start, &size, sizeof size);
}

static void encode_levels(const struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                          struct page_header *header)
{
    const struct parquet_page *page = &chunk->page;
    const struct parquet_leaf *leaf = chunk->leaf;
    text_clear(&scratch->levels);
    if (header->kind == PAGE_DATA_V2) {
        if (leaf->repetition_max > 0)
            header->repetition_bytes = add_levels(scratch, &page->repetition, page->slots, leaf->repetition_max);
        if (leaf->definition_max > 0)
            header->definition_bytes = add_levels(scratch, &page->definition, page->slots, leaf->definition_max);
        return;
    }
    if (leaf->repetition_max > 0)
        add_sized_levels(scratch, &page->repetition, page->slots, leaf->repetition_max);
    if (leaf->definition_max > 0)
        add_sized_levels(scratch, &page->definition, page->slots, leaf->definition_max);
}

/* ---- values ---- */

static void encode_indexes(const struct parquet_chunk *chunk, struct text *out)
{
    const void *indexes = chunk->page.data.data + PARQUET_PAGE_HEADROOM;
    uint32_t count = chunk->dictionary.count;
    int bit_width = rle_bit_width(count > 0 ? count - 1 : 0);
    text_add_char(out, (char)bit_width);
    rle_encode(indexes, (size_t)chunk->page.values, bit_width, out);
}

/* The values behind PARQUET_PAGE_HEADROOM bytes. The lengths of texts go behind the levels, so that the texts may
 * stay where they are. */
static struct text *encode_values(struct parquet_chunk *chunk, struct parquet_scratch *scratch, struct text *in_front)
{
    struct parquet_page *page = &chunk->page;
    struct parquet_slice slice = parquet_page_slice(page);
    if (chunk->encoding == PARQUET_PLAIN)
        return &page->data;
    if (chunk->encoding == PARQUET_DELTA_LENGTH) {
        parquet_pack_lengths(&scratch->packer, &slice, in_front);
        return &page->data;
    }
    leave_headroom(&scratch->body);
    if (chunk->encoding == PARQUET_RLE_DICTIONARY)
        encode_indexes(chunk, &scratch->body);
    else
        parquet_pack(&scratch->packer, chunk->leaf, chunk->encoding, &slice, &scratch->body);
    return &scratch->body;
}

/* Put what is in front before the values. */
static struct bytes join(struct parquet_scratch *scratch, struct bytes in_front, struct text *body)
{
    size_t size = body->size - PARQUET_PAGE_HEADROOM;
    if (in_front.size <= PARQUET_PAGE_HEADROOM) {
        char *start = body->data + PARQUET_PAGE_HEADROOM - in_front.size;
        if (in_front.size > 0)
            memcpy(start, in_front.data, in_front.size);
        return bytes_of(start, in_front.size + size);
    }
    text_clear(&scratch->joined);
    text_add(&scratch->joined, in_front.data, in_front.size);
    text_add(&scratch->joined, body->data + PARQUET_PAGE_HEADROOM, size);
    return text_view(&scratch->joined);
}

/* Version 2 keeps the levels out of what is compressed. */
static struct page_body body_of(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                                const struct page_header *header)
{
    size_t levels = header->definition_bytes + header->repetition_bytes;
    struct text *values = encode_values(chunk, scratch, &scratch->levels);
    struct bytes in_front = text_view(&scratch->levels);
    in_front = bytes_of(in_front.data + levels, in_front.size - levels);
    return (struct page_body){bytes_of(scratch->levels.data, levels), join(scratch, in_front, values)};
}

/* ---- the page ---- */

static void data_header_write(const struct page_header *header, struct thrift *thrift)
{
    thrift_struct(thrift, header->kind == PAGE_DATA ? HEADER_DATA : HEADER_DICTIONARY);
    thrift_i32(thrift, DATA_COUNT, (int32_t)header->count);
    thrift_i32(thrift, DATA_ENCODING, (int32_t)header->encoding);
    if (header->kind == PAGE_DATA) {
        thrift_i32(thrift, DATA_DEFINITION_ENCODING, PARQUET_RLE);
        thrift_i32(thrift, DATA_REPETITION_ENCODING, PARQUET_RLE);
    }
    thrift_end(thrift);
}

static void data_header_v2_write(const struct page_header *header, struct thrift *thrift)
{
    thrift_struct(thrift, HEADER_DATA_V2);
    thrift_i32(thrift, V2_COUNT, (int32_t)header->count);
    thrift_i32(thrift, V2_NULLS, (int32_t)header->nulls);
    thrift_i32(thrift, V2_ROWS, (int32_t)header->rows);
    thrift_i32(thrift, V2_ENCODING, (int32_t)header->encoding);
    thrift_i32(thrift, V2_DEFINITION_BYTES, (int32_t)header->definition_bytes);
    thrift_i32(thrift, V2_REPETITION_BYTES, (int32_t)header->repetition_bytes);
    thrift_bool(thrift, V2_COMPRESSED, header->compressed);
    thrift_end(thrift);
}

static void header_write(const struct page_header *header, size_t size, size_t stored_size, struct text *out)
{
    struct thrift thrift;
    text_clear(out);
    thrift_begin(&thrift, out);
    thrift_i32(&thrift, HEADER_TYPE, (int32_t)header->kind);
    thrift_i32(&thrift, HEADER_UNCOMPRESSED, (int32_t)size);
    thrift_i32(&thrift, HEADER_COMPRESSED, (int32_t)stored_size);
    if (header->has_crc)
        thrift_i32(&thrift, HEADER_CRC, (int32_t)header->crc);
    if (header->kind == PAGE_DATA_V2)
        data_header_v2_write(header, &thrift);
    else
        data_header_write(header, &thrift);
    thrift_end(&thrift);
}

/* Compresses what is worth it, to `out`; returns the bytes there. */
static enum code rest_write(struct compressor *compressor, struct page_header *header, struct bytes rest, uint8_t *out,
                            size_t *stored, struct error *err)
{
    TRY(compress_block(compressor, rest, out, stored, err));
    header->compressed = compressor->codec != CODEC_NONE;
    if (header->kind == PAGE_DATA_V2 && header->compressed && *stored >= rest.size) {
        if (rest.size > 0)
            memcpy(out, rest.data, rest.size);
        *stored = rest.size;
        header->compressed = false;
    }
    return E_OK;
}

/* Compresses to where the body will stand if the header is as long as guessed, which it nearly always is. */
static enum code page_write(struct parquet_scratch *scratch, struct compressor *compressor, struct page_header *header,
                            const struct page_body *body, struct text *out, size_t *stored, struct error *err)
{
    size_t levels = body->levels.size, size = levels + body->rest.size;
    size_t bound = levels + compress_bound(compressor, body->rest.size), rest = 0;
    if (bound > INT32_MAX || header->count > INT32_MAX)
        return fail(err, E_UNSUPPORTED, "parquet: %zu bytes in one page: a value or a row is too large", size);
    header->crc = INT32_MAX;
    header_write(header, size, size / 2, &scratch->header);
    size_t guess = scratch->header.size;
    uint8_t *start = (uint8_t *)text_reserve(out, guess + 2 * VARINT_MAX + bound), *at = start + guess;
    if (levels > 0)
        memcpy(at, body->levels.data, levels);
    TRY(rest_write(compressor, header, body->rest, at + levels, &rest, err));
    *stored = levels + rest;
    header->crc = header->has_crc ? page_crc(bytes_of(at, *stored)) : 0;
    header_write(header, size, *stored, &scratch->header);
    if (scratch->header.size != guess)
        memmove(start + scratch->header.size, at, *stored);
    memcpy(start, scratch->header.data, scratch->header.size);
    out->size += scratch->header.size + *stored;
    return E_OK;
}

/* Would the chunk be clearly smaller if only its dictionary shrinks? Judged by the first page of indexes. */
static bool dictionary_shrinks(const struct parquet_chunk *chunk, struct parquet_scratch *scratch)
{
    if (chunk->encoding != PARQUET_RLE_DICTIONARY)
        return false;
    double entries = (double)chunk->dictionary.plain.size, pages = (double)chunk->expected / (double)chunk->values;
    double indexes = (double)(scratch->body.size - PARQUET_PAGE_HEADROOM) * (pages > 1 ? pages : 1);
    return entries * (1 - parquet_dictionary_shrinks_to(chunk, scratch)) > (entries + indexes) / 16;
}

/* A chunk has one codec. If neither its first page nor its dictionary shrinks, as with bit-packed data, go without. (Pages of
 * version 2 say for themselves whether they are compressed.) ORDER SHRINKS */
static enum code data_page_write(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                                 struct page_header *header, const struct page_body *body, struct error *err)
{
    struct compressor *compressor = parquet_compressor(scratch, chunk->codec, chunk->options);
    struct text *out = &chunk->bytes;
    bool first = out->size == 0;
    size_t stored = 0;
    TRY(page_write(scratch, compressor, header, body, out, &stored, err));
    if (!first || header->kind == PAGE_DATA_V2 || chunk->codec == CODEC_NONE ||
        stored <= body->rest.size - body->rest.size / 16 || dictionary_shrinks(chunk, scratch))
        return E_OK;
    chunk->codec = CODEC_NONE;
    text_clear(out);
    compressor = parquet_compressor(scratch, CODEC_NONE, chunk->options);
    return page_write(scratch, compressor, header, body, out, &stored, err);
}

/* What the page holds goes into the page index and the chunk's statistics. */
static void page_describe(struct parquet_chunk *chunk, struct parquet_scratch *scratch, struct parquet_page_place place)
{
    struct parquet_page *page = &chunk->page;
    if (chunk->encoding == PARQUET_RLE_DICTIONARY) {
        const void *indexes = page->data.data + PARQUET_PAGE_HEADROOM;
        parquet_dictionary_range(&chunk->dictionary, chunk->leaf, indexes, page->values, &scratch->unpacked,
                                 &page->range);
    }
    parquet_range_merge(&chunk->range, chunk->leaf, &page->range);
    parquet_page_index_add(&chunk->index, chunk->leaf, place, &page->range, chunk->options->index_cut, page->values,
                           page->slots - page->values);
}

enum code parquet_page_flush(struct parquet_chunk *chunk, struct parquet_scratch *scratch, struct error *err)
{
    struct parquet_page *page = &chunk->page;
    if (page->slots == 0)
        return E_OK;
    struct page_header header = {
        .kind = chunk->options->version == PARQUET_VERSION_2 ? PAGE_DATA_V2 : PAGE_DATA,
        .encoding = chunk->encoding,
        .count = page->slots,
        .nulls = page->slots - page->values,
        .rows = page->rows,
        .has_crc = chunk->options->checksum,
    };
    int64_t start = (int64_t)chunk->bytes.size;
    encode_levels(chunk, scratch, &header);
    struct page_body body = body_of(chunk, scratch, &header);
    TRY(data_page_write(chunk, scratch, &header, &body, err));
    struct parquet_page_place place = {start, (int32_t)((int64_t)chunk->bytes.size - start), chunk->rows};
    page_describe(chunk, scratch, place);
    chunk->uncompressed_bytes += (int64_t)(scratch->header.size + body.levels.size + body.rest.size);
    chunk->pages[chunk->encoding]++;
    chunk->rows += page->rows;
    parquet_page_clear(page);
    return E_OK;
}

enum code parquet_page_dictionary(struct parquet_chunk *chunk, struct parquet_scratch *scratch, struct text *out,
                                  struct error *err)
{
    struct page_header header = {.kind = PAGE_DICTIONARY,
                                 .encoding = PARQUET_PLAIN,
                                 .count = chunk->dictionary.count,
                                 .has_crc = chunk->options->checksum};
    struct page_body body = {.rest = text_view(&chunk->dictionary.plain)};
    struct compressor *compressor = parquet_compressor(scratch, chunk->codec, chunk->options);
    size_t stored = 0;
    TRY(page_write(scratch, compressor, &header, &body, out, &stored, err));
    chunk->uncompressed_bytes += (int64_t)(scratch->header.size + body.rest.size);
    return E_OK;
}
