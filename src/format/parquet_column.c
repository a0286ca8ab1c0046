#include "format/parquet_internal.h"
#include "format/rle.h"

/* One leaf's column chunk while rows arrive: when a page is full, when the dictionary is left, what the chunk
 * amounts to. Which encoding it gets: parquet_choice.c.
 *
 * Ranges   a page has one; while a dictionary is in use, only those of its entries are looked at that the page uses */

enum {
    EXPECTED_VALUES = 300000, /* in a chunk, before one was seen */
    TEXT_PADDING = 64,        /* so that 8 bytes behind the last text may be read */
    SLICE_ROWS = 2048,        /* rows taken at once, so that what is read is still in L1 or L2 when it is written */
    NESTED_SLOTS = 4096,      /* the same for the elements of lists, on average */
};

static enum parquet_encoding first_encoding(const struct parquet_chunk *chunk)
{
    if (!chunk->settled)
        return PARQUET_RLE_DICTIONARY;
    bool runs = chunk->leaf->physical == PARQUET_BOOLEAN && chunk->options->version == PARQUET_VERSION_2;
    return runs ? PARQUET_RLE : PARQUET_PLAIN;
}

static void begin(struct parquet_chunk *chunk)
{
    chunk->choice.chunks_left -= chunk->choice.chunks_left > 0;
    chunk->settled = !parquet_has_choice(chunk->leaf, chunk->options);
    chunk->encoding = first_encoding(chunk);
    chunk->codec = chunk->options->codec;
    chunk->range = (struct parquet_range){0};
    chunk->rows = chunk->slots = chunk->values = chunk->plain_bytes = chunk->uncompressed_bytes = 0;
    memset(chunk->pages, 0, sizeof chunk->pages);
    parquet_page_clear(&chunk->page);
    parquet_dictionary_clear(&chunk->dictionary);
    parquet_page_index_clear(&chunk->index);
    text_clear(&chunk->bytes);
}

void parquet_chunk_init(struct parquet_chunk *chunk, const struct parquet_leaf *leaf,
                        const struct parquet_options *options)
{
    *chunk = (struct parquet_chunk){.leaf = leaf, .options = options, .expected = EXPECTED_VALUES};
    chunk->dictionary.bytes_max = (size_t)options->dictionary_bytes;
    begin(chunk);
}

void parquet_chunk_close(struct parquet_chunk *chunk)
{
    parquet_dictionary_close(&chunk->dictionary);
    parquet_page_index_close(&chunk->index);
    parquet_bloom_close(&chunk->bloom);
    text_free(&chunk->page.data);
    text_free(&chunk->page.offsets);
    text_free(&chunk->page.definition);
    text_free(&chunk->page.repetition);
    text_free(&chunk->bytes);
    *chunk = (struct parquet_chunk){0};
}

void parquet_chunk_shrink(struct parquet_chunk *chunk)
{
    const struct parquet_leaf *leaf = chunk->leaf;
    const struct parquet_options *options = chunk->options;
    struct parquet_choice choice = chunk->choice;
    int64_t expected = chunk->expected;
    parquet_chunk_close(chunk);
    parquet_chunk_init(chunk, leaf, options);
    chunk->choice = choice;
    chunk->expected = expected;
}

/* ---- out of the dictionary ---- */

static void add_values_plain(struct parquet_chunk *chunk, const struct parquet_slice *slice);

/* Go on without the dictionary, beginning with the page being filled. Pages before this one keep it. */
static void leave_dictionary(struct parquet_chunk *chunk, struct parquet_scratch *scratch)
{
    struct parquet_page *page = &chunk->page;
    struct parquet_slice slice;
    const void *indexes = page->data.data + PARQUET_PAGE_HEADROOM;
    parquet_dictionary_unpack(&chunk->dictionary, chunk->leaf, indexes, page->values, &scratch->unpacked, &slice);
    if (chunk->pages[PARQUET_RLE_DICTIONARY] == 0)
        parquet_dictionary_clear(&chunk->dictionary);
    chunk->encoding = parquet_choose(chunk, scratch, &slice);
    chunk->settled = true;
    page->data.size = PARQUET_PAGE_HEADROOM;
    add_values_plain(chunk, &slice);
}

/* On the sample, or on the first page when it ends before: keep the dictionary? */
static void settle(struct parquet_chunk *chunk, struct parquet_scratch *scratch)
{
    if (!parquet_keeps_dictionary(chunk, scratch))
        leave_dictionary(chunk, scratch);
    chunk->settled = true;
}

/* Nothing to decide by yet. */
static enum code flush_nulls(struct parquet_chunk *chunk, struct parquet_scratch *scratch, struct error *err)
{
    chunk->encoding = PARQUET_PLAIN;
    enum code code = parquet_page_flush(chunk, scratch, err);
    chunk->encoding = first_encoding(chunk);
    return code;
}

static enum code flush(struct parquet_chunk *chunk, struct parquet_scratch *scratch, struct error *err)
{
    if (!chunk->settled && chunk->values == 0)
        return flush_nulls(chunk, scratch, err);
    if (!chunk->settled)
        settle(chunk, scratch);
    else if (chunk->encoding == PARQUET_RLE_DICTIONARY && !parquet_dictionary_pays(chunk))
        leave_dictionary(chunk, scratch);
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

static void add_texts(struct parquet_page *page, const struct parquet_slice *slice)
{
    size_t size = (size_t)(slice->offsets[slice->count] - slice->offsets[0]);
    int32_t start = (int32_t)(page->data.size - PARQUET_PAGE_HEADROOM) - slice->offsets[0];
    bool first = page->offsets.size == 0;
    size_t count = (size_t)slice->count + first;
    int32_t *offsets = (int32_t *)(void *)text_reserve(&page->offsets, count * sizeof *offsets);
    for (int64_t i = first ? 0 : 1; i <= slice->count; i++)
        *offsets++ = start + slice->offsets[i];
    page->offsets.size += count * sizeof *offsets;
    text_reserve(&page->data, size + TEXT_PADDING);
    text_add(&page->data, slice->values + slice->offsets[0], size);
}

/* The values in the form that the page's encoding wants. BOOLEAN, which has no dictionary, is not counted yet. */
static void add_values_plain(struct parquet_chunk *chunk, const struct parquet_slice *slice)
{
    struct parquet_page *page = &chunk->page;
    if (slice->count == 0)
        return;
    if (chunk->encoding == PARQUET_DELTA_LENGTH || chunk->encoding == PARQUET_DELTA_BYTES)
        add_texts(page, slice);
    else if (chunk->encoding == PARQUET_RLE)
        text_add(&page->data, slice->values, (size_t)slice->count);
    else if (chunk->leaf->physical == PARQUET_BOOLEAN)
        parquet_bits_append(slice, page->values, PARQUET_PAGE_HEADROOM, &page->data);
    else
        parquet_plain_append(chunk->leaf, slice, &page->data);
    parquet_range_add(&page->range, chunk->leaf, slice);
    if (chunk->options->bloom)
        parquet_bloom_add(&chunk->bloom, chunk->options, chunk->leaf, slice);
}

static void add_values(struct parquet_chunk *chunk, struct parquet_scratch *scratch, struct parquet_slice *slice)
{
    if (chunk->encoding == PARQUET_RLE_DICTIONARY) {
        add_indexes(chunk, slice);
        if (!chunk->settled && parquet_has_sample(chunk))
            settle(chunk, scratch);
        if (slice->count > 0 && chunk->encoding == PARQUET_RLE_DICTIONARY)
            leave_dictionary(chunk, scratch); /* it is full */
    }
    if (slice->count > 0) {
        add_values_plain(chunk, slice);
        count_values(chunk, slice);
    }
}

/* ---- levels into the page ---- */

/* From "all present" to a byte per slot. */
static void spell_out_definition(struct parquet_chunk *chunk)
{
    struct parquet_page *page = &chunk->page;
    if (page->definition.size > 0 || page->slots == 0)
        return;
    memset(text_reserve(&page->definition, (size_t)page->slots), chunk->leaf->definition_max, (size_t)page->slots);
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
static int64_t add_validity(struct parquet_chunk *chunk, struct parquet_scratch *scratch, const struct column *col,
                            int64_t from, int64_t rows)
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

static bool page_is_full(const struct parquet_chunk *chunk)
{
    return chunk->page.rows >= chunk->options->page_rows ||
           (int64_t)chunk->page.data.size - PARQUET_PAGE_HEADROOM >= chunk->options->page_bytes;
}

/* How many of the next rows go into the page at once, at least one. */
static int64_t rows_to_take(const struct parquet_chunk *chunk, const struct column *col, int64_t from, int64_t rows)
{
    int64_t room = chunk->options->page_rows - chunk->page.rows;
    rows = rows < room ? rows : room;
    rows = rows < SLICE_ROWS ? rows : SLICE_ROWS;
    if (chunk->leaf->physical != PARQUET_BYTE_ARRAY)
        return rows;
    int64_t bytes = chunk->options->page_bytes - ((int64_t)chunk->page.data.size - PARQUET_PAGE_HEADROOM);
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

static enum code add_nested(struct parquet_chunk *chunk, struct parquet_scratch *scratch, const struct column *col,
                            int64_t from, int64_t rows, struct error *err)
{
    struct parquet_slice slice;
    TRY(parquet_shred(&scratch->shredder, chunk->leaf, col, from, from + rows, err));
    int64_t count = add_slots(chunk, scratch, rows);
    const int32_t *picks = (const int32_t *)(const void *)scratch->picks.data;
    parquet_slice_pick(&scratch->slicer, chunk->leaf, parquet_leaf_column(chunk->leaf, col), picks, count, &slice);
    add_values(chunk, scratch, &slice);
    return E_OK;
}

/* Rows of a nested column that make about NESTED_SLOTS elements and fit a page, judged by the average. */
static int64_t nested_rows(const struct parquet_chunk *chunk, const struct column *col)
{
    const struct column *leaf = parquet_leaf_column(chunk->leaf, col);
    int64_t rows = col->rows > 0 ? col->rows : 1;
    int64_t elements = leaf->rows / rows + 1, bytes = elements * 8;
    if (chunk->leaf->physical == PARQUET_BYTE_ARRAY && leaf->rows > 0)
        bytes += column_offsets(leaf)[leaf->rows] / rows;
    int64_t by_elements = NESTED_SLOTS / elements, by_bytes = chunk->options->page_bytes / bytes;
    int64_t take = by_elements < by_bytes ? by_elements : by_bytes;
    take = take < chunk->options->page_rows ? take : chunk->options->page_rows;
    return take > 0 ? take : 1;
}

enum code parquet_chunk_add(struct parquet_chunk *chunk, struct parquet_scratch *scratch, const struct column *col,
                            int64_t from, int64_t to, struct error *err)
{
    bool flat = chunk->leaf->step_count == 1;
    int64_t nested = flat ? 0 : nested_rows(chunk, col);
    while (from < to) {
        int64_t rows;
        if (flat) {
            rows = rows_to_take(chunk, col, from, to - from);
            add_flat(chunk, scratch, col, from, rows);
        } else {
            int64_t room = chunk->options->page_rows - chunk->page.rows;
            rows = nested < to - from ? nested : to - from;
            rows = rows < room ? rows : room;
            TRY(add_nested(chunk, scratch, col, from, rows, err));
        }
        from += rows;
        if (page_is_full(chunk))
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

int64_t parquet_chunk_held(const struct parquet_chunk *chunk)
{
    const struct parquet_page *page = &chunk->page;
    return (int64_t)(page->data.size + page->offsets.size + page->definition.size + page->repetition.size +
                     chunk->bytes.size + chunk->bloom.size_bytes) +
           parquet_dictionary_held(&chunk->dictionary);
}

static void bloom_finish(struct parquet_chunk *chunk, struct parquet_scratch *scratch, struct text *out)
{
    struct parquet_slice entries;
    if (!chunk->options->bloom)
        return;
    parquet_dictionary_entries(&chunk->dictionary, chunk->leaf, &scratch->slicer, &entries);
    parquet_bloom_add(&chunk->bloom, chunk->options, chunk->leaf, &entries);
    parquet_bloom_finish(&chunk->bloom, chunk->options, out);
}

/* What readers skip by. */
static void index_finish(struct parquet_chunk *chunk, struct parquet_chunk_meta *meta)
{
    struct parquet_page_index *index = &chunk->index;
    parquet_column_index_write(index, &meta->column_index);
    meta->place_count = index->count;
    meta->places = mem_array(struct parquet_page_place, (size_t)index->count);
    for (int32_t i = 0; i < index->count; i++) {
        meta->places[i] = index->places[i];
        meta->places[i].start += meta->data_start;
    }
    parquet_range_finish(&chunk->range, chunk->leaf, chunk->options->statistics_cut, &meta->statistics);
}

enum code parquet_chunk_finish(struct parquet_chunk *chunk, struct parquet_scratch *scratch, struct text *out,
                               struct parquet_chunk_meta *meta, struct error *err)
{
    TRY(flush(chunk, scratch, err));
    *meta = (struct parquet_chunk_meta){
        .codec = chunk->codec,
        .version = chunk->options->version,
        .slots = chunk->slots,
        .nulls = chunk->slots - chunk->values,
        .start = (int64_t)out->size,
        .dictionary = chunk->pages[PARQUET_RLE_DICTIONARY] > 0,
    };
    memcpy(meta->pages, chunk->pages, sizeof meta->pages);
    if (meta->dictionary)
        TRY(parquet_page_dictionary(chunk, scratch, out, err));
    meta->data_start = (int64_t)out->size;
    text_add(out, chunk->bytes.data, chunk->bytes.size);
    meta->uncompressed_bytes = chunk->uncompressed_bytes;
    meta->compressed_bytes = (int64_t)out->size - meta->start;
    index_finish(chunk, meta);
    bloom_finish(chunk, scratch, &meta->bloom);
    chunk->expected = chunk->values;
    begin(chunk);
    return E_OK;
}
