/* parquet_pages.c - the pages of a column chunk, one after the other, and the rows of their levels.
 *
 *   window   bytes of the chunk as stored, read PARQUET_WINDOW at a time; a page larger than that makes
 *   it grow
 *   page     decompressed into page_bytes, or left where it is when it is not compressed
 */
#include <zlib.h>

#include "format/parquet_read.h"
#include "format/thrift_read.h"

enum page_kind { PAGE_DATA = 0, PAGE_INDEX = 1, PAGE_DICTIONARY = 2, PAGE_DATA_V2 = 3 };

struct page_header {
    int kind;
    int64_t plain_bytes, stored_bytes;
    bool has_crc;
    uint32_t crc;
    int64_t values;
    int encoding, definition_encoding, repetition_encoding;
    int64_t definition_bytes, repetition_bytes; /* version 2 */
    bool compressed;
};

/* ---- memory ---- */

enum code parquet_room_reserve(struct parquet_leaf_read *leaf, struct parquet_room *room, size_t size,
                               struct error *err)
{
    size_t need = size + READ_PADDING;
    if (need <= room->capacity)
        return E_OK;
    size_t capacity = need > room->capacity * 2 ? need : room->capacity * 2;
    TRY(budget_take(leaf->budget, capacity - room->capacity, "pages of a Parquet file", err));
    room->data = mem_resize(room->data, capacity);
    memset(room->data + room->capacity, 0, capacity - room->capacity); // padding may be read
    room->capacity = capacity;
    return E_OK;
}

static void room_free(struct parquet_leaf_read *leaf, struct parquet_room *room)
{
    budget_give(leaf->budget, room->capacity);
    mem_free(room->data);
    *room = (struct parquet_room){0};
}

static void lengths_free(struct parquet_leaf_read *leaf)
{
    budget_give(leaf->budget, leaf->lengths_charged);
    leaf->lengths_charged = 0;
    mem_free(leaf->page.lengths);
    mem_free(leaf->page.prefixes);
    leaf->page.lengths = leaf->page.prefixes = NULL;
}

static void dictionary_drop(struct parquet_leaf_read *leaf)
{
    budget_give(leaf->budget, leaf->dictionary.charged);
    parquet_values_release(&leaf->dictionary.values);
    leaf->dictionary = (struct parquet_dictionary_read){0};
    leaf->has_dictionary = false;
}

void parquet_leaf_close(struct parquet_leaf_read *leaf)
{
    if (leaf->budget == NULL)
        return;
    room_free(leaf, &leaf->window);
    room_free(leaf, &leaf->page_bytes);
    lengths_free(leaf);
    dictionary_drop(leaf);
    text_free(&leaf->page.previous);
    parquet_values_release(&leaf->values);
    mem_free(leaf->definitions);
    mem_free(leaf->repetitions);
    *leaf = (struct parquet_leaf_read){0};
}

/* ---- the window ---- */

/* Have at least `need` bytes of the chunk in the window, or all that are left: *got says. */
static enum code window_fill(struct parquet_leaf_read *leaf, size_t need, size_t *got, struct error *err)
{
    size_t have = leaf->last - leaf->first;
    if (have < need && leaf->left > 0) {
        size_t want = need - have > PARQUET_WINDOW ? need - have : PARQUET_WINDOW;
        size_t more = (int64_t)want < leaf->left ? want : (size_t)leaf->left;
        if (have > 0)
            memmove(leaf->window.data, leaf->window.data + leaf->first, have);
        leaf->first = 0;
        leaf->last = have;
        TRY(parquet_room_reserve(leaf, &leaf->window, have + more, err));
        TRY(leaf->input->read(leaf->input->context, leaf->offset, leaf->window.data + have, more, err));
        leaf->offset += (int64_t)more;
        leaf->left -= (int64_t)more;
        leaf->last = have + more;
    }
    *got = leaf->last - leaf->first;
    return E_OK;
}

/* ---- headers ---- */

static void data_header(struct thrift_reader *in, struct page_header *out)
{
    struct thrift_fields fields = thrift_struct_begin();
    while (thrift_field(in, &fields)) {
        switch (fields.id) {
        case 1: out->values = thrift_int(in, &fields, 0, INT32_MAX); break;
        case 2: out->encoding = (int)thrift_int(in, &fields, 0, INT32_MAX); break;
        case 3: out->definition_encoding = (int)thrift_int(in, &fields, 0, INT32_MAX); break;
        case 4: out->repetition_encoding = (int)thrift_int(in, &fields, 0, INT32_MAX); break;
        default: thrift_skip(in, fields.kind); break;
        }
    }
}

static void dictionary_header(struct thrift_reader *in, struct page_header *out)
{
    struct thrift_fields fields = thrift_struct_begin();
    while (thrift_field(in, &fields)) {
        if (fields.id == 1)
            out->values = thrift_int(in, &fields, 0, INT32_MAX);
        else
            thrift_skip(in, fields.kind);
    }
}

static void data_header_v2(struct thrift_reader *in, struct page_header *out)
{
    struct thrift_fields fields = thrift_struct_begin();
    while (thrift_field(in, &fields)) {
        switch (fields.id) {
        case 1: out->values = thrift_int(in, &fields, 0, INT32_MAX); break;
        case 4: out->encoding = (int)thrift_int(in, &fields, 0, INT32_MAX); break;
        case 5: out->definition_bytes = thrift_int(in, &fields, 0, INT32_MAX); break;
        case 6: out->repetition_bytes = thrift_int(in, &fields, 0, INT32_MAX); break;
        case 7: out->compressed = thrift_flag(in, &fields); break;
        default: thrift_skip(in, fields.kind); break;
        }
    }
}

static bool header_parse(struct bytes bytes, struct page_header *out, size_t *size)
{
    struct thrift_reader in = thrift_reader_of(bytes);
    struct thrift_fields fields = thrift_struct_begin();
    *out = (struct page_header){.kind = -1,
                                .compressed = true,
                                .definition_encoding = PARQUET_RLE,
                                .repetition_encoding = PARQUET_RLE,
                                .values = -1};
    while (thrift_field(&in, &fields)) {
        if (fields.id == 1)
            out->kind = (int)thrift_int(&in, &fields, 0, INT32_MAX);
        else if (fields.id == 2)
            out->plain_bytes = thrift_int(&in, &fields, 0, INT32_MAX);
        else if (fields.id == 3)
            out->stored_bytes = thrift_int(&in, &fields, 0, INT32_MAX);
        else if (fields.id == 4)
            out->crc = (uint32_t)thrift_int(&in, &fields, INT32_MIN, INT32_MAX);
        else if (fields.id != 5 && fields.id != 7 && fields.id != 8)
            thrift_skip(&in, fields.kind);
        else if (thrift_enter(&in, &fields))
            (fields.id == 5 ? data_header : fields.id == 7 ? dictionary_header : data_header_v2)(&in, out);
        out->has_crc |= fields.id == 4;
    }
    *size = (size_t)(in.at - bytes.data);
    return !in.bad && out->kind >= 0;
}

/* How large a header is only its end tells. */
static enum code header_next(struct parquet_leaf_read *leaf, struct page_header *out, struct error *err)
{
    size_t need = 256, got, size;
    for (;;) {
        TRY(window_fill(leaf, need, &got, err));
        if (got > 0 && header_parse(bytes_of(leaf->window.data + leaf->first, got), out, &size))
            break;
        if (got < need || need >= PARQUET_HEADER_MAX)
            return got == 0 ? fail(err, E_CORRUPT, "the column ends before its rows do")
                            : fail(err, E_CORRUPT, "a page's header makes no sense");
        need *= 8;
    }
    leaf->first += size;
    if (out->stored_bytes > PARQUET_PAGE_MAX || out->plain_bytes > PARQUET_PAGE_MAX)
        return fail(err, E_UNSUPPORTED, "a page of more than %d bytes", PARQUET_PAGE_MAX);
    return E_OK;
}

/* ---- bodies ---- */

static enum code body_next(struct parquet_leaf_read *leaf, const struct page_header *header, struct bytes *out,
                           struct error *err)
{
    size_t size = (size_t)header->stored_bytes, got;
    TRY(window_fill(leaf, size, &got, err));
    if (got < size)
        return fail(err, E_CORRUPT, "a page of %zu bytes, of which the column has %zu", size, got);
    *out = bytes_of(leaf->window.data + leaf->first, size);
    leaf->first += size;
    if (header->has_crc && (uint32_t)crc32(0, out->data, (uInt)size) != header->crc)
        return fail(err, E_CORRUPT, "a page's checksum is wrong");
    return E_OK;
}

/* `in` follows `kept` bytes that are not compressed. */
static enum code body_inflate(struct parquet_leaf_read *leaf, struct bytes stored, size_t kept, size_t plain,
                              bool compressed, struct bytes *out, struct error *err)
{
    if (!compressed || leaf->place->codec == PARQUET_UNCOMPRESSED) {
        *out = stored; // READ_PADDING behind it is in the window
        return E_OK;
    }
    if (kept > stored.size || kept > plain)
        return fail(err, E_CORRUPT, "a page's levels are longer than the page");
    TRY(parquet_room_reserve(leaf, &leaf->page_bytes, plain, err));
    if (kept > 0)
        memcpy(leaf->page_bytes.data, stored.data, kept);
    *out = bytes_of(leaf->page_bytes.data, plain);
    if (stored.size == kept && plain == kept)
        return E_OK; // nothing is nothing, whatever the codec
    return decompress_block(leaf->decompressor, leaf->place->codec, bytes_of(stored.data + kept, stored.size - kept),
                            leaf->page_bytes.data + kept, plain - kept, err);
}

static int bit_width_of(uint32_t max) { return max == 0 ? 0 : 32 - __builtin_clz(max); }

static bool levels_take(struct bytes *body, size_t size, uint8_t max, struct rle_reader *out)
{
    if (size > body->size)
        return false;
    *out = rle_reader_of(bytes_of(body->data, size), bit_width_of(max));
    *body = bytes_of(body->data + size, body->size - size);
    return true;
}

/* Version 1: a size in front. */
static bool levels_take_sized(struct bytes *body, uint8_t max, struct rle_reader *out)
{
    uint32_t size;
    if (max == 0)
        return true;
    if (body->size < sizeof size)
        return false;
    memcpy(&size, body->data, sizeof size);
    *body = bytes_of(body->data + sizeof size, body->size - sizeof size);
    return levels_take(body, size, max, out);
}

static enum code data_begin(struct parquet_leaf_read *leaf, const struct page_header *header, struct bytes stored,
                            struct error *err)
{
    const struct parquet_node *node = leaf->node;
    bool v2 = header->kind == PAGE_DATA_V2, good;
    size_t kept = v2 ? (size_t)(header->definition_bytes + header->repetition_bytes) : 0;
    struct bytes body;
    lengths_free(leaf);
    TRY(body_inflate(leaf, stored, kept, (size_t)header->plain_bytes, header->compressed, &body, err));
    if (!v2 && ((node->definition > 0 && header->definition_encoding != PARQUET_RLE) ||
                (node->repetition > 0 && header->repetition_encoding != PARQUET_RLE)))
        return fail(err, E_UNSUPPORTED, "levels in the encoding BIT_PACKED, which went out of use in 2013");
    if (v2)
        good = levels_take(&body, (size_t)header->repetition_bytes, node->repetition, &leaf->page.repetition) &&
               levels_take(&body, (size_t)header->definition_bytes, node->definition, &leaf->page.definition);
    else
        good = levels_take_sized(&body, node->repetition, &leaf->page.repetition) &&
               levels_take_sized(&body, node->definition, &leaf->page.definition);
    if (!good)
        return fail(err, E_CORRUPT, "a page's levels are longer than the page");
    leaf->page.slots_left = leaf->page.values_left = header->values;
    leaf->ahead_at = leaf->ahead_count = 0;
    return parquet_values_begin(leaf, body, (enum parquet_encoding)header->encoding, err);
}

static enum code dictionary_begin(struct parquet_leaf_read *leaf, const struct page_header *header, struct bytes stored,
                                  struct error *err)
{
    struct bytes body;
    if (leaf->has_dictionary)
        return fail(err, E_CORRUPT, "a second dictionary");
    TRY(body_inflate(leaf, stored, 0, (size_t)header->plain_bytes, true, &body, err));
    leaf->has_dictionary = true;
    return parquet_dictionary_load(leaf, body, header->values, err);
}

enum code parquet_page_next(struct parquet_leaf_read *leaf, struct error *err)
{
    struct page_header header;
    struct bytes stored;
    while (leaf->page.slots_left == 0) {
        TRY(header_next(leaf, &header, err));
        TRY(body_next(leaf, &header, &stored, err));
        bool has_values = header.kind == PAGE_DATA || header.kind == PAGE_DATA_V2 || header.kind == PAGE_DICTIONARY;
        if (!has_values)
            continue; // an index, or what a later version invents
        if (header.values < 0)
            return fail(err, E_CORRUPT, "a page does not say how many values it has");
        if (header.kind == PAGE_DICTIONARY)
            TRY(dictionary_begin(leaf, &header, stored, err));
        else
            TRY(data_begin(leaf, &header, stored, err));
    }
    return E_OK;
}

/* ---- chunks ---- */

enum code parquet_leaf_begin(struct parquet_leaf_read *leaf, const struct parquet_place *place, struct error *err)
{
    if (place->physical != leaf->node->element->physical)
        return fail(err, E_CORRUPT, "its values are of another type than the schema says");
    TRY(decompress_check(place->codec, err));
    dictionary_drop(leaf);
    leaf->place = place;
    leaf->offset = place->offset;
    leaf->left = place->size_bytes;
    leaf->first = leaf->last = 0;
    leaf->chunk_slots = place->values;
    leaf->page.slots_left = 0;
    leaf->ahead_at = leaf->ahead_count = 0;
    return place->values > 0 ? parquet_page_next(leaf, err) : E_OK;
}

int64_t parquet_leaf_rows(const struct parquet_leaf_read *leaf, int64_t group_rows)
{
    const struct parquet_place *place = leaf->place;
    int64_t rows = group_rows, per_row = place->values / group_rows, bytes_per_row = 0;
    if (leaf->convert.step == VALUE_BYTES)
        bytes_per_row = place->uncompressed_bytes / group_rows + leaf->dictionary.longest;
    if (per_row > 0 && PARQUET_SLOTS_AIM / per_row < rows)
        rows = PARQUET_SLOTS_AIM / per_row;
    if (bytes_per_row > 0 && PARQUET_BATCH_BYTES_AIM / bytes_per_row < rows)
        rows = PARQUET_BATCH_BYTES_AIM / bytes_per_row;
    return rows > 0 ? rows : 1;
}

/* ---- rows ---- */

static uint8_t *levels_reserve(uint8_t **levels, int64_t *capacity, int64_t count, int64_t more)
{
    mem_grow(*levels, *capacity, count + more);
    return *levels + count;
}

/* `count` slots of the current page. */
static enum code slots_take(struct parquet_leaf_read *leaf, int64_t count, struct error *err)
{
    int64_t present = count;
    uint8_t most = leaf->node->definition;
    if (leaf->slots + count > PARQUET_SLOTS_MAX)
        return fail(err, E_UNSUPPORTED, "lists with more than %d elements in one row", PARQUET_SLOTS_MAX);
    if (most > 0) {
        uint8_t *levels = levels_reserve(&leaf->definitions, &leaf->definition_capacity, leaf->slots, count);
        if (!rle_read_bytes(&leaf->page.definition, levels, count, most, &present))
            return fail(err, E_CORRUPT, "a page has fewer definition levels than values");
        uint8_t highest = 0;
        for (int64_t i = 0; i < count; i++)
            highest = levels[i] > highest ? levels[i] : highest;
        if (highest > most)
            return fail(err, E_CORRUPT, "a definition level of %d, where %d is the highest", highest, most);
    }
    TRY(parquet_values_next(leaf, present, err));
    leaf->slots += count;
    leaf->page.slots_left -= count;
    leaf->chunk_slots -= count;
    return E_OK;
}

static enum code page_ready(struct parquet_leaf_read *leaf, struct error *err)
{
    TRY(parquet_page_next(leaf, err));
    if (leaf->page.slots_left > leaf->chunk_slots)
        return fail(err, E_CORRUPT, "its pages have more values than the footer says");
    return E_OK;
}

static enum code flat_rows(struct parquet_leaf_read *leaf, int64_t rows, struct error *err)
{
    while (rows > 0) {
        TRY(page_ready(leaf, err));
        int64_t take = leaf->page.slots_left < rows ? leaf->page.slots_left : rows;
        TRY(slots_take(leaf, take, err));
        rows -= take;
    }
    return E_OK;
}

static enum code ahead_fill(struct parquet_leaf_read *leaf, struct error *err)
{
    int64_t ignored, size = (int64_t)sizeof leaf->ahead;
    int64_t count = leaf->page.slots_left < size ? leaf->page.slots_left : size;
    if (!rle_read_bytes(&leaf->page.repetition, leaf->ahead, count, 0, &ignored))
        return fail(err, E_CORRUPT, "a page has fewer repetition levels than values");
    for (int64_t i = 0; i < count; i++)
        if (leaf->ahead[i] > leaf->node->repetition)
            return fail(err, E_CORRUPT, "a repetition level of %d, where %d is the highest", leaf->ahead[i],
                        leaf->node->repetition);
    leaf->ahead_at = 0;
    leaf->ahead_count = (int32_t)count;
    return E_OK;
}

/* A row goes on, through pages too, until a slot with repetition 0 begins the next one. */
static enum code list_rows(struct parquet_leaf_read *leaf, int64_t rows, struct error *err)
{
    int64_t begun = 0;
    while (leaf->chunk_slots > 0) {
        TRY(page_ready(leaf, err));
        if (leaf->ahead_at == leaf->ahead_count)
            TRY(ahead_fill(leaf, err));
        const uint8_t *levels = leaf->ahead + leaf->ahead_at;
        int32_t most = leaf->ahead_count - leaf->ahead_at, take = 0;
        while (take < most && begun + (levels[take] == 0) <= rows)
            begun += levels[take++] == 0;
        if (begun == 0 && take > 0)
            return fail(err, E_CORRUPT, "the first row begins in the middle");
        if (take > 0)
            memcpy(levels_reserve(&leaf->repetitions, &leaf->repetition_capacity, leaf->slots, take), levels,
                   (size_t)take);
        TRY(slots_take(leaf, take, err));
        leaf->ahead_at += take;
        if (take < most)
            return E_OK;
    }
    return begun == rows ? E_OK : fail(err, E_CORRUPT, "the column ends before its rows do");
}

enum code parquet_leaf_next(struct parquet_leaf_read *leaf, int64_t rows, struct error *err)
{
    leaf->slots = 0;
    leaf->values.count = 0;
    return leaf->node->repetition > 0 ? list_rows(leaf, rows, err) : flat_rows(leaf, rows, err);
}
