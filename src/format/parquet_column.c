#include "format/delta_pack.h"
#include "format/parquet_internal.h"
#include "format/rle.h"

/* One leaf's column chunk while rows arrive: which encoding, when a page is full, what the chunk amounts to.
 *
 * Choice   a chunk begins with a dictionary. After SAMPLE values the number of different ones is estimated
 *          from how many repeat (of n values drawn from D, about n^2 / 2D do); many different ones, or INT64
 *          whose differences pack better than indexes, and the sample is taken out of the dictionary again.
 *          So unique texts cost SAMPLE look-ups a chunk. Later, at each page, the dictionary must still be
 *          smaller than PLAIN
 * Ranges   while a dictionary is in use only its entries are looked at, when the chunk ends or leaves it */

enum {
    SAMPLE = 2048,
    ESTIMATE_MAX = 80000, /* most different values, give or take, for which a dictionary is begun */
    SLICE_ROWS = 2048, /* rows taken at once, so that what is read is still in L1 or L2 when it is written */
    NESTED_SLOTS = 4096, /* the same for the elements of lists, on average */
};

/* Is there a choice? The sample for DELTA goes through a dictionary, too. */
static bool has_choice(const struct parquet_leaf *leaf, const struct parquet_options *options)
{
    if (leaf->physical == PARQUET_BOOLEAN || leaf->physical == PARQUET_FIXED)
        return false;
    return options->dictionary || (options->delta && leaf->physical == PARQUET_INT64);
}

static void begin(struct parquet_chunk *chunk, const struct parquet_scratch *scratch)
{
    chunk->settled = !has_choice(chunk->leaf, scratch->options);
    chunk->encoding = chunk->settled ? PARQUET_PLAIN : PARQUET_RLE_DICTIONARY;
    chunk->codec = scratch->compressor.codec;
    chunk->range = (struct parquet_range){0};
    chunk->slots = chunk->values = chunk->plain_bytes = chunk->uncompressed_bytes = 0;
    chunk->dictionary_pages = chunk->plain_pages = chunk->delta_pages = 0;
    parquet_page_clear(&chunk->page);
    parquet_dictionary_clear(&chunk->dictionary);
    text_clear(&chunk->bytes);
}

void parquet_chunk_init(struct parquet_chunk *chunk, const struct parquet_leaf *leaf,
                        struct parquet_scratch *scratch)
{
    *chunk = (struct parquet_chunk){.leaf = leaf};
    begin(chunk, scratch);
}

void parquet_chunk_close(struct parquet_chunk *chunk)
{
    parquet_dictionary_close(&chunk->dictionary);
    text_free(&chunk->page.data);
    text_free(&chunk->page.definition);
    text_free(&chunk->page.repetition);
    text_free(&chunk->bytes);
    *chunk = (struct parquet_chunk){0};
}

/* ---- the choice of the encoding ---- */

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

/* Does the dictionary promise to stay small and to save something? */
static bool dictionary_pays(const struct parquet_chunk *chunk)
{
    if (chunk->settled || chunk->values < SAMPLE)
        return dictionary_cost(chunk) < chunk->plain_bytes;
    double distinct = estimate_distinct(chunk->values, chunk->dictionary.count);
    double entry_bytes = (double)chunk->dictionary.plain.size / (double)(chunk->dictionary.count + 1);
    return distinct <= ESTIMATE_MAX && distinct * entry_bytes <= PARQUET_DICTIONARY_BYTES_MAX;
}

/* The values of the page, which holds indexes, behind the headroom. */
static struct text unpack_page(const struct parquet_chunk *chunk)
{
    const struct parquet_page *page = &chunk->page;
    const void *indexes = page->data.data + PARQUET_PAGE_HEADROOM;
    struct text plain = {0};
    text_reserve(&plain, PARQUET_PAGE_HEADROOM);
    plain.size = PARQUET_PAGE_HEADROOM;
    parquet_dictionary_unpack(&chunk->dictionary, chunk->leaf, indexes, page->values, &plain);
    return plain;
}

/* Bytes of an unpacked page as DELTA; INT64_MAX when that is not for this leaf. */
static int64_t delta_cost(const struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                          const struct text *plain)
{
    if (chunk->leaf->physical != PARQUET_INT64 || !scratch->options->delta)
        return INT64_MAX;
    const void *values = plain->data + PARQUET_PAGE_HEADROOM;
    text_clear(&scratch->body);
    delta_encode(values, (size_t)chunk->page.values, &scratch->body);
    return (int64_t)scratch->body.size;
}

/* Go on without the dictionary, beginning with the page being filled: `plain` becomes its values. Pages
 * before this one keep the dictionary. */
static void leave_dictionary(struct parquet_chunk *chunk, struct text *plain, int64_t delta)
{
    int64_t size = (int64_t)plain->size - PARQUET_PAGE_HEADROOM;
    if (chunk->dictionary_pages == 0) {
        parquet_dictionary_range(&chunk->dictionary, chunk->leaf, &chunk->range);
        parquet_dictionary_clear(&chunk->dictionary);
    }
    chunk->encoding = delta < size - size / 4 ? PARQUET_DELTA : PARQUET_PLAIN;
    chunk->settled = true;
    text_free(&chunk->page.data);
    chunk->page.data = *plain;
}

/* On the sample, or on the first page when it ends before: keep the dictionary? */
static void settle(struct parquet_chunk *chunk, struct parquet_scratch *scratch)
{
    bool pays = scratch->options->dictionary && dictionary_pays(chunk);
    chunk->settled = true;
    if (pays && (chunk->leaf->physical != PARQUET_INT64 || chunk->dictionary.count <= 1))
        return;
    struct text plain = unpack_page(chunk);
    int64_t delta = delta_cost(chunk, scratch, &plain);
    double distinct = estimate_distinct(chunk->values, chunk->dictionary.count);
    int64_t indexes = chunk->page.values * rle_bit_width((uint32_t)distinct) / 8;
    bool delta_wins = delta < indexes || (delta < 2 * indexes && delta < dictionary_cost(chunk));
    if (pays && !delta_wins)
        text_free(&plain);
    else
        leave_dictionary(chunk, &plain, delta);
}

static void leave_now(struct parquet_chunk *chunk, struct parquet_scratch *scratch)
{
    struct text plain = unpack_page(chunk);
    leave_dictionary(chunk, &plain, delta_cost(chunk, scratch, &plain));
}

static enum code flush(struct parquet_chunk *chunk, struct parquet_scratch *scratch, struct error *err)
{
    if (!chunk->settled)
        settle(chunk, scratch);
    else if (chunk->encoding == PARQUET_RLE_DICTIONARY && !dictionary_pays(chunk))
        leave_now(chunk, scratch);
    return parquet_page_flush(chunk, scratch, err);
}

/* ---- values into the page ---- */

static int64_t plain_bytes(const struct parquet_leaf *leaf, const struct parquet_slice *slice)
{
    if (leaf->physical == PARQUET_BYTE_ARRAY)
        return slice->offsets[slice->count] - slice->offsets[0] + slice->count * 4;
    return slice->count * leaf->width;
}

static void count_values(struct parquet_chunk *chunk, const struct parquet_slice *slice)
{
    chunk->page.values += slice->count;
    chunk->values += slice->count;
    chunk->plain_bytes += plain_bytes(chunk->leaf, slice);
}

/* Indexes for the slice as far as the dictionary takes it; what is left remains in the slice. */
static void add_indexes(struct parquet_chunk *chunk, struct parquet_slice *slice)
{
    struct text *data = &chunk->page.data;
    uint32_t *indexes = (uint32_t *)(void *)text_reserve(data, (size_t)slice->count * sizeof *indexes);
    int64_t taken = parquet_dictionary_add(&chunk->dictionary, chunk->leaf, slice, indexes);
    data->size += (size_t)taken * sizeof *indexes;
    struct parquet_slice done = *slice;
    parquet_slice_cut(chunk->leaf, &done, 0, taken);
    count_values(chunk, &done);
    parquet_slice_cut(chunk->leaf, slice, taken, slice->count);
}

static void add_plain(struct parquet_chunk *chunk, const struct parquet_slice *slice)
{
    if (chunk->leaf->physical == PARQUET_BOOLEAN)
        parquet_bits_append(slice, chunk->page.values, PARQUET_PAGE_HEADROOM, &chunk->page.data);
    else
        parquet_plain_append(chunk->leaf, slice, &chunk->page.data);
    parquet_range_add(&chunk->range, chunk->leaf, slice);
    count_values(chunk, slice);
}

static void add_values(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                       struct parquet_slice *slice)
{
    if (chunk->encoding == PARQUET_RLE_DICTIONARY) {
        add_indexes(chunk, slice);
        if (!chunk->settled && chunk->values >= SAMPLE)
            settle(chunk, scratch);
        if (slice->count > 0 && chunk->encoding == PARQUET_RLE_DICTIONARY)
            leave_now(chunk, scratch); /* it is full */
    }
    if (slice->count > 0)
        add_plain(chunk, slice);
}

/* ---- levels into the page ---- */

/* From "all present" to a byte per slot. */
static void spell_out_definition(struct parquet_chunk *chunk)
{
    struct parquet_page *page = &chunk->page;
    if (page->definition.size > 0 || page->slots == 0)
        return;
    memset(text_reserve(&page->definition, (size_t)page->slots), chunk->leaf->definition_max,
           (size_t)page->slots);
    page->definition.size = (size_t)page->slots;
}

static void count_slots(struct parquet_chunk *chunk, int64_t rows, int64_t slots)
{
    chunk->page.rows += rows;
    chunk->page.slots += slots;
    chunk->slots += slots;
}

/* Rows of a top-level column without NULLs: no level is written before the page ends. */
static void add_present(struct parquet_chunk *chunk, int64_t rows)
{
    if (chunk->page.definition.size > 0) {
        memset(text_reserve(&chunk->page.definition, (size_t)rows), 1, (size_t)rows);
        chunk->page.definition.size += (size_t)rows;
    }
    count_slots(chunk, rows, rows);
}

/* Rows of a top-level column with NULLs: a level a row, and which rows to pick. Returns how many. */
static int64_t add_validity(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                            const struct column *col, int64_t from, int64_t rows)
{
    spell_out_definition(chunk);
    uint8_t *definition = (uint8_t *)text_reserve(&chunk->page.definition, (size_t)rows);
    int32_t *picks = (int32_t *)(void *)text_reserve(&scratch->picks, (size_t)rows * sizeof *picks);
    int64_t count = 0;
    for (int64_t i = 0; i < rows; i++) {
        int present = bit_get(col->valid->data, from + i);
        definition[i] = (uint8_t)present;
        picks[count] = (int32_t)(from + i);
        count += present;
    }
    chunk->page.definition.size += (size_t)rows;
    count_slots(chunk, rows, rows);
    return count;
}

/* Slots of a nested column; the picked rows are those of the leaf's own column. */
static int64_t add_slots(struct parquet_chunk *chunk, struct parquet_scratch *scratch, int64_t rows)
{
    const struct parquet_slots *slots = &scratch->shredder.slots;
    spell_out_definition(chunk);
    text_add(&chunk->page.definition, slots->definition, (size_t)slots->count);
    if (chunk->leaf->repetition_max > 0)
        text_add(&chunk->page.repetition, slots->repetition, (size_t)slots->count);
    int32_t *picks = (int32_t *)(void *)text_reserve(&scratch->picks, (size_t)slots->count * sizeof *picks);
    int64_t count = 0;
    for (int64_t i = 0; i < slots->count; i++) {
        picks[count] = slots->index[i];
        count += slots->index[i] >= 0;
    }
    count_slots(chunk, rows, slots->count);
    return count;
}

/* ---- rows ---- */

static bool page_is_full(const struct parquet_chunk *chunk, const struct parquet_scratch *scratch)
{
    return chunk->page.rows >= PARQUET_PAGE_ROWS_MAX ||
           (int64_t)chunk->page.data.size - PARQUET_PAGE_HEADROOM >= scratch->options->page_bytes;
}

/* How many of the next rows go into the page at once, at least one. */
static int64_t rows_to_take(const struct parquet_chunk *chunk, const struct parquet_scratch *scratch,
                            const struct column *col, int64_t from, int64_t rows)
{
    int64_t room = PARQUET_PAGE_ROWS_MAX - chunk->page.rows;
    rows = rows < room ? rows : room;
    rows = rows < SLICE_ROWS ? rows : SLICE_ROWS;
    if (chunk->leaf->physical != PARQUET_BYTE_ARRAY)
        return rows;
    int64_t bytes = scratch->options->page_bytes - ((int64_t)chunk->page.data.size - PARQUET_PAGE_HEADROOM);
    const int32_t *offsets = column_offsets(col);
    while (rows > 1 && offsets[from + rows] - offsets[from] + rows * 4 > bytes)
        rows = (rows + 1) / 2;
    return rows;
}

static void add_flat(struct parquet_chunk *chunk, struct parquet_scratch *scratch, const struct column *col,
                     int64_t from, int64_t rows)
{
    struct parquet_slice slice;
    if (col->valid == NULL) {
        add_present(chunk, rows);
        parquet_slice_range(&scratch->slicer, chunk->leaf, col, from, rows, &slice);
    } else {
        int64_t count = add_validity(chunk, scratch, col, from, rows);
        const int32_t *picks = (const int32_t *)(const void *)scratch->picks.data;
        parquet_slice_pick(&scratch->slicer, chunk->leaf, col, picks, count, &slice);
    }
    add_values(chunk, scratch, &slice);
}

static enum code add_nested(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                            const struct column *col, int64_t from, int64_t rows, struct error *err)
{
    struct parquet_slice slice;
    TRY(parquet_shred(&scratch->shredder, chunk->leaf, col, from, from + rows, err));
    int64_t count = add_slots(chunk, scratch, rows);
    const int32_t *picks = (const int32_t *)(const void *)scratch->picks.data;
    parquet_slice_pick(&scratch->slicer, chunk->leaf, parquet_leaf_column(chunk->leaf, col), picks, count,
                       &slice);
    add_values(chunk, scratch, &slice);
    return E_OK;
}

/* Rows of a nested column that make about NESTED_SLOTS elements and fit a page, judged by the average. */
static int64_t nested_rows(const struct parquet_chunk *chunk, const struct parquet_scratch *scratch,
                           const struct column *col)
{
    const struct column *leaf = parquet_leaf_column(chunk->leaf, col);
    int64_t rows = col->rows > 0 ? col->rows : 1;
    int64_t elements = leaf->rows / rows + 1, bytes = elements * 8;
    if (chunk->leaf->physical == PARQUET_BYTE_ARRAY && leaf->rows > 0)
        bytes += column_offsets(leaf)[leaf->rows] / rows;
    int64_t by_elements = NESTED_SLOTS / elements, by_bytes = scratch->options->page_bytes / bytes;
    int64_t take = by_elements < by_bytes ? by_elements : by_bytes;
    return take > 0 ? take : 1;
}

enum code parquet_chunk_add(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                            const struct column *col, int64_t from, int64_t to, struct error *err)
{
    bool flat = chunk->leaf->step_count == 1;
    int64_t nested = flat ? 0 : nested_rows(chunk, scratch, col);
    while (from < to) {
        int64_t rows;
        if (flat) {
            rows = rows_to_take(chunk, scratch, col, from, to - from);
            add_flat(chunk, scratch, col, from, rows);
        } else {
            rows = nested < to - from ? nested : to - from;
            TRY(add_nested(chunk, scratch, col, from, rows, err));
        }
        from += rows;
        if (page_is_full(chunk, scratch))
            TRY(flush(chunk, scratch, err));
    }
    return E_OK;
}

/* ---- the finished chunk ---- */

/* An unfinished page counts as what it would take if it shrinks like the pages before. */
int64_t parquet_chunk_bytes(const struct parquet_chunk *chunk)
{
    int64_t page = (int64_t)chunk->page.data.size - PARQUET_PAGE_HEADROOM;
    if (chunk->encoding == PARQUET_RLE_DICTIONARY)
        page = page / (int64_t)sizeof(uint32_t) * rle_bit_width(chunk->dictionary.count) / 8;
    if (chunk->uncompressed_bytes > 0)
        page = (int64_t)((double)page * (double)chunk->bytes.size / (double)chunk->uncompressed_bytes);
    return (int64_t)chunk->bytes.size + (int64_t)chunk->dictionary.plain.size + page;
}

enum code parquet_chunk_finish(struct parquet_chunk *chunk, struct parquet_scratch *scratch, struct text *out,
                               struct parquet_chunk_meta *meta, struct error *err)
{
    TRY(flush(chunk, scratch, err));
    *meta = (struct parquet_chunk_meta){
        .codec = chunk->codec,
        .slots = chunk->slots,
        .nulls = chunk->slots - chunk->values,
        .start = (int64_t)out->size,
        .dictionary = chunk->dictionary_pages > 0,
        .dictionary_pages = chunk->dictionary_pages,
        .plain_pages = chunk->plain_pages,
        .delta_pages = chunk->delta_pages,
    };
    if (meta->dictionary)
        TRY(parquet_page_dictionary(chunk, scratch, out, err));
    meta->data_start = (int64_t)out->size;
    text_add(out, chunk->bytes.data, chunk->bytes.size);
    meta->uncompressed_bytes = chunk->uncompressed_bytes;
    meta->compressed_bytes = (int64_t)out->size - meta->start;
    if (chunk->dictionary.count > 0)
        parquet_dictionary_range(&chunk->dictionary, chunk->leaf, &chunk->range);
    parquet_range_finish(&chunk->range, chunk->leaf, &meta->statistics);
    begin(chunk, scratch);
    return E_OK;
}
