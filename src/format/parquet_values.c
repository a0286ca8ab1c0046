/* parquet_values.c - the values of a page, in every encoding, as dense values of the type that is asked
 * for.
 *
 * A dictionary is converted once, when it is loaded; its indexes then only copy. Values of fixed width
 * that are stored
 * PLAIN are converted from where they lie.
 */
#include "format/parquet_read.h"

enum { SLICE = 1024 /* values converted at once, where they need a place in between */ };

/* ---- dense values ---- */

void parquet_values_release(struct parquet_values *values)
{
    buffer_release(values->fixed);
    buffer_release(values->offsets);
    buffer_release(values->bytes);
    *values = (struct parquet_values){0};
}

static bool is_bytes(const struct parquet_convert *convert) { return convert->step == VALUE_BYTES; }

/* Buffers grow by doubling; their size says what to keep. */
static void reserve(struct buffer **buffer, size_t used, size_t more)
{
    size_t need = used + more, capacity = *buffer != NULL ? (*buffer)->capacity : 0;
    if (*buffer != NULL && need <= capacity)
        return;
    if (*buffer != NULL)
        (*buffer)->size = used;
    buffer_grow(buffer, need > capacity * 2 ? need : capacity * 2);
}

void parquet_values_reserve(struct parquet_values *values, const struct parquet_convert *convert, int64_t more)
{
    size_t count = (size_t)values->count, add = (size_t)more;
    if (is_bytes(convert)) {
        bool fresh = values->offsets == NULL;
        reserve(&values->offsets, fresh ? 0 : (count + 1) * sizeof(int32_t), (add + 1) * sizeof(int32_t));
        if (values->count == 0)
            *(int32_t *)(void *)values->offsets->data = 0;
    } else {
        size_t width = (size_t)convert->out_width;
        reserve(&values->fixed, count * width, add * width);
    }
}

static inline int32_t *offsets_end(struct parquet_values *values)
{
    return (int32_t *)(void *)values->offsets->data + values->count;
}

static enum code bytes_reserve(struct parquet_values *values, size_t more, struct error *err)
{
    size_t used = (size_t)*offsets_end(values);
    if (more > PARQUET_BATCH_BYTES_MAX - used)
        return fail(err, E_UNSUPPORTED, "texts of more than %d bytes in a few rows", PARQUET_BATCH_BYTES_MAX);
    reserve(&values->bytes, used, more);
    return E_OK;
}

static enum code bytes_add(struct parquet_values *values, const uint8_t *data, size_t size, struct error *err)
{
    int32_t *offset = offsets_end(values);
    if (values->bytes == NULL || size > values->bytes->capacity - (size_t)*offset)
        TRY(bytes_reserve(values, size, err));
    if (size > 0)
        memcpy(values->bytes->data + *offset, data, size);
    offset[1] = *offset + (int32_t)size;
    values->count++;
    return E_OK;
}

static enum code short_page(struct error *err) { return fail(err, E_CORRUPT, "a page has fewer values than it says"); }

static enum code does_not_fit(struct error *err)
{
    return fail(err, E_CORRUPT, "a value that the column's type does not hold");
}

/* ---- values of fixed width, as stored ---- */

static enum code fixed_add(struct parquet_leaf_read *leaf, struct parquet_values *out, const uint8_t *in, int64_t count,
                           struct error *err)
{
    const struct parquet_convert *c = &leaf->convert;
    if (is_bytes(c)) {
        for (int64_t i = 0; i < count; i++)
            TRY(bytes_add(out, in + i * c->in_width, (size_t)c->in_width, err));
        return E_OK;
    }
    if (!parquet_convert_run(c, in, count, out->fixed->data + out->count * c->out_width))
        return does_not_fit(err);
    out->count += count;
    return E_OK;
}

static enum code text_add_value(struct parquet_leaf_read *leaf, struct parquet_values *out, struct bytes value,
                                struct error *err)
{
    if (is_bytes(&leaf->convert))
        return bytes_add(out, value.data, value.size, err);
    if (!parquet_convert_bytes(&leaf->convert, value, out->fixed->data + out->count * leaf->convert.out_width))
        return does_not_fit(err);
    out->count++;
    return E_OK;
}

/* ---- PLAIN ---- */

static enum code plain_texts(struct parquet_leaf_read *leaf, struct parquet_values *out, const uint8_t **from,
                             const uint8_t *end, int64_t count, struct error *err)
{
    const uint8_t *at = *from;
    for (int64_t i = 0; i < count; i++) {
        uint32_t size;
        if ((size_t)(end - at) < sizeof size)
            return short_page(err);
        memcpy(&size, at, sizeof size);
        at += sizeof size;
        if (size > (size_t)(end - at))
            return short_page(err);
        TRY(text_add_value(leaf, out, bytes_of(at, size), err));
        at += size;
    }
    *from = at;
    return E_OK;
}

static enum code plain_booleans(struct parquet_leaf_read *leaf, int64_t count, struct error *err)
{
    struct parquet_page_read *page = &leaf->page;
    uint8_t *out = leaf->values.fixed->data + leaf->values.count;
    if ((uint64_t)page->bit + (uint64_t)count > (uint64_t)(page->end - page->at) * 8)
        return short_page(err);
    for (int64_t i = 0; i < count; i++)
        out[i] = (uint8_t)bit_get(page->at, (int64_t)page->bit + i);
    page->bit += (uint32_t)count;
    leaf->values.count += count;
    return E_OK;
}

static enum code plain_values(struct parquet_leaf_read *leaf, struct parquet_values *out, const uint8_t **at,
                              const uint8_t *end, int64_t count, struct error *err)
{
    int physical = leaf->node->element->physical;
    if (physical == PARQUET_BYTE_ARRAY)
        return plain_texts(leaf, out, at, end, count, err);
    size_t width = (size_t)leaf->convert.in_width;
    if (width > 0 && (size_t)count > (size_t)(end - *at) / width)
        return short_page(err);
    TRY(fixed_add(leaf, out, *at, count, err));
    *at += (size_t)count * width;
    return E_OK;
}

/* ---- dictionaries ---- */

enum code parquet_dictionary_load(struct parquet_leaf_read *leaf, struct bytes body, int64_t count, struct error *err)
{
    struct parquet_dictionary_read *dictionary = &leaf->dictionary;
    const struct parquet_convert *c = &leaf->convert;
    int physical = leaf->node->element->physical;
    size_t least = physical == PARQUET_BYTE_ARRAY ? sizeof(uint32_t) : (size_t)c->in_width; // bytes of an entry
    if (physical == PARQUET_BOOLEAN || least == 0 || (size_t)count > body.size / least)
        return fail(err, E_CORRUPT, "a dictionary of %lld values in %zu bytes", (long long)count, body.size);
    size_t per_value = is_bytes(c) ? sizeof(int32_t) : (size_t)c->out_width;
    size_t charge = ((size_t)count + 1) * per_value + (is_bytes(c) ? body.size * 2 : 0);
    TRY(budget_take(leaf->budget, charge, "a dictionary of a Parquet file", err));
    dictionary->charged = charge;
    parquet_values_reserve(&dictionary->values, c, count);
    TRY(plain_values(leaf, &dictionary->values, &body.data, body.data + body.size, count, err));
    const int32_t *offsets = is_bytes(c) ? (const int32_t *)(const void *)dictionary->values.offsets->data : NULL;
    for (int64_t i = 0; offsets != NULL && i < count; i++)
        if (offsets[i + 1] - offsets[i] > dictionary->longest)
            dictionary->longest = offsets[i + 1] - offsets[i];
    return E_OK;
}

static void copy_narrow(uint8_t *restrict out, const uint8_t *restrict in, const uint32_t *indexes, int64_t count,
                        int width)
{
    switch (width) {
    case 4:
        for (int64_t i = 0; i < count; i++)
            memcpy(out + i * 4, in + (size_t)indexes[i] * 4, 4);
        break;
    case 8:
        for (int64_t i = 0; i < count; i++)
            memcpy(out + i * 8, in + (size_t)indexes[i] * 8, 8);
        break;
    default:
        for (int64_t i = 0; i < count; i++)
            memcpy(out + i * width, in + (size_t)indexes[i] * (size_t)width, (size_t)width);
    }
}

/* Sizes first, so that bytes are reserved once. */
static enum code copy_texts(struct parquet_values *out, const struct parquet_values *from, const uint32_t *indexes,
                            int64_t count, struct error *err)
{
    const int32_t *offsets = (const int32_t *)(const void *)from->offsets->data;
    int32_t *ends = offsets_end(out);
    size_t total = 0;
    for (int64_t i = 0; i < count; i++)
        total += (size_t)(offsets[indexes[i] + 1] - offsets[indexes[i]]);
    TRY(bytes_reserve(out, total + 8, err));
    uint8_t *at = out->bytes->data + ends[0];
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *text = from->bytes->data + offsets[indexes[i]];
        int32_t size = offsets[indexes[i] + 1] - offsets[indexes[i]];
        if (size <= 8)
            memcpy(at, text, 8); // buffers may be read beyond their end, and 8 were reserved here
        else
            memcpy(at, text, (size_t)size);
        at += size;
        ends[i + 1] = ends[i] + size;
    }
    out->count += count;
    return E_OK;
}

static enum code dictionary_values(struct parquet_leaf_read *leaf, int64_t count, struct error *err)
{
    const struct parquet_values *from = &leaf->dictionary.values;
    uint32_t indexes[SLICE], most = 0;
    while (count > 0) {
        int64_t take = count < SLICE ? count : SLICE;
        if (!rle_read(&leaf->page.indexes, indexes, take))
            return short_page(err);
        for (int64_t i = 0; i < take; i++)
            most = indexes[i] > most ? indexes[i] : most;
        if ((int64_t)most >= from->count)
            return fail(err, E_CORRUPT, "entry %u of a dictionary that has %lld", most, (long long)from->count);
        if (is_bytes(&leaf->convert)) {
            TRY(copy_texts(&leaf->values, from, indexes, take, err));
        } else {
            int width = leaf->convert.out_width;
            copy_narrow(leaf->values.fixed->data + leaf->values.count * width, from->fixed->data, indexes, take, width);
            leaf->values.count += take;
        }
        count -= take;
    }
    return E_OK;
}

/* ---- the others ---- */

static enum code rle_booleans(struct parquet_leaf_read *leaf, int64_t count, struct error *err)
{
    int64_t ignored;
    if (!rle_read_bytes(&leaf->page.indexes, leaf->values.fixed->data + leaf->values.count, count, 1, &ignored))
        return short_page(err);
    leaf->values.count += count;
    return E_OK;
}

static enum code delta_values(struct parquet_leaf_read *leaf, int64_t count, struct error *err)
{
    int64_t wide[SLICE];
    int32_t narrow[SLICE];
    bool is_narrow = leaf->convert.in_width == sizeof(int32_t);
    while (count > 0) {
        int64_t take = count < SLICE ? count : SLICE;
        if (!delta_read(&leaf->page.delta, wide, take))
            return short_page(err);
        for (int64_t i = 0; is_narrow && i < take; i++)
            narrow[i] = (int32_t)wide[i];
        TRY(fixed_add(leaf, &leaf->values, is_narrow ? (const uint8_t *)narrow : (const uint8_t *)wide, take, err));
        count -= take;
    }
    return E_OK;
}

/* All lengths of a page stand in front of its texts. */
static enum code lengths_read(struct parquet_leaf_read *leaf, struct bytes *body, int32_t **out, struct error *err)
{
    struct delta_reader delta;
    int64_t wide[SLICE];
    if (!delta_reader_open(&delta, *body) || delta.left > leaf->page.values_left)
        return fail(err, E_CORRUPT, "a page's lengths of texts make no sense");
    int64_t count = delta.left;
    size_t size = (size_t)count * sizeof **out;
    TRY(budget_take(leaf->budget, size, "lengths of texts of a Parquet file", err));
    leaf->lengths_charged += size;
    mem_free(*out);
    *out = mem_array(int32_t, (size_t)count + 1);
    for (int64_t i = 0; i < count; i += SLICE) {
        int64_t take = count - i < SLICE ? count - i : SLICE;
        if (!delta_read(&delta, wide, take))
            return short_page(err);
        for (int64_t j = 0; j < take; j++) {
            if (wide[j] < 0 || wide[j] > INT32_MAX)
                return fail(err, E_CORRUPT, "a text of %lld bytes", (long long)wide[j]);
            (*out)[i + j] = (int32_t)wide[j];
        }
    }
    const uint8_t *end = delta_reader_end(&delta);
    *body = bytes_of(end, (size_t)(body->data + body->size - end));
    leaf->page.values_left = count;
    return E_OK;
}

static enum code length_texts(struct parquet_leaf_read *leaf, int64_t count, struct error *err)
{
    struct parquet_page_read *page = &leaf->page;
    for (int64_t i = 0; i < count; i++) {
        size_t size = (size_t)page->lengths[page->next];
        if (size > (size_t)(page->end - page->at))
            return short_page(err);
        TRY(text_add_value(leaf, &leaf->values, bytes_of(page->at, size), err));
        page->at += size;
        page->next++;
    }
    return E_OK;
}

/* DELTA_BYTE_ARRAY: a text begins with some bytes of the one before. Of FIXED values too. */
static enum code prefix_texts(struct parquet_leaf_read *leaf, int64_t count, struct error *err)
{
    struct parquet_page_read *page = &leaf->page;
    struct text *previous = &page->previous;
    bool fixed = leaf->node->element->physical == PARQUET_FIXED;
    for (int64_t i = 0; i < count; i++) {
        size_t prefix = (size_t)page->prefixes[page->next], size = (size_t)page->lengths[page->next];
        if (prefix > previous->size || size > (size_t)(page->end - page->at))
            return short_page(err);
        previous->size = prefix;
        text_add(previous, page->at, size);
        page->at += size;
        page->next++;
        if (previous->size > PARQUET_PAGE_MAX || (fixed && previous->size != (size_t)leaf->convert.in_width))
            return short_page(err);
        TRY(text_add_value(leaf, &leaf->values, text_view(previous), err));
    }
    return E_OK;
}

/* Byte k of all values stands together. */
static enum code split_values(struct parquet_leaf_read *leaf, int64_t count, struct error *err)
{
    struct parquet_page_read *page = &leaf->page;
    size_t width = (size_t)leaf->convert.in_width;
    uint8_t *joined = mem_alloc(width * SLICE + READ_PADDING);
    enum code code = E_OK;
    if (count > page->stride - page->next)
        code = short_page(err);
    while (code == E_OK && count > 0) {
        int64_t take = count < SLICE ? count : SLICE;
        for (size_t k = 0; k < width; k++) {
            const uint8_t *from = page->at + (size_t)page->stride * k + (size_t)page->next;
            for (int64_t i = 0; i < take; i++)
                joined[(size_t)i * width + k] = from[i];
        }
        page->next += take;
        code = fixed_add(leaf, &leaf->values, joined, take, err);
        count -= take;
    }
    mem_free(joined);
    return code;
}

/* ---- pages ---- */

static enum code refuse_encoding(enum parquet_encoding encoding, struct error *err)
{
    return fail(err, E_CORRUPT, "the encoding %d does not go with the column's type", (int)encoding);
}

static enum code dictionary_page_begin(struct parquet_leaf_read *leaf, struct bytes body, struct error *err)
{
    if (!leaf->has_dictionary)
        return fail(err, E_CORRUPT, "a page of indexes, without a dictionary");
    int width = body.size > 0 ? body.data[0] : 0;
    if (width > 32)
        return fail(err, E_CORRUPT, "indexes of %d bits", width);
    leaf->page.indexes = rle_reader_of(body.size > 0 ? bytes_of(body.data + 1, body.size - 1) : body, width);
    return E_OK;
}

static enum code rle_page_begin(struct parquet_leaf_read *leaf, struct bytes body, struct error *err)
{
    uint32_t size;
    if (leaf->node->element->physical != PARQUET_BOOLEAN)
        return refuse_encoding(PARQUET_RLE, err);
    if (body.size == 0) { // nothing but NULLs
        leaf->page.indexes = rle_reader_of(body, 1);
        return E_OK;
    }
    if (body.size < sizeof size)
        return short_page(err);
    memcpy(&size, body.data, sizeof size);
    if (size > body.size - sizeof size)
        return short_page(err);
    leaf->page.indexes = rle_reader_of(bytes_of(body.data + sizeof size, size), 1);
    return E_OK;
}

static enum code delta_page_begin(struct parquet_leaf_read *leaf, struct bytes body, struct error *err)
{
    int physical = leaf->node->element->physical;
    if (physical != PARQUET_INT32 && physical != PARQUET_INT64)
        return refuse_encoding(PARQUET_DELTA, err);
    if (body.size == 0) {
        leaf->page.delta = (struct delta_reader){0};
        return E_OK;
    }
    return delta_reader_open(&leaf->page.delta, body) ? E_OK : short_page(err);
}

static enum code texts_page_begin(struct parquet_leaf_read *leaf, struct bytes body, enum parquet_encoding encoding,
                                  struct error *err)
{
    int physical = leaf->node->element->physical;
    struct parquet_page_read *page = &leaf->page;
    if (physical != PARQUET_BYTE_ARRAY && !(physical == PARQUET_FIXED && encoding == PARQUET_DELTA_BYTES))
        return refuse_encoding(encoding, err);
    text_clear(&page->previous);
    if (body.size == 0) {
        page->values_left = 0;
        return E_OK;
    }
    if (encoding == PARQUET_DELTA_BYTES)
        TRY(lengths_read(leaf, &body, &page->prefixes, err));
    int64_t prefixes = page->values_left;
    TRY(lengths_read(leaf, &body, &page->lengths, err));
    if (encoding == PARQUET_DELTA_BYTES && page->values_left != prefixes)
        return short_page(err);
    page->at = body.data;
    page->end = body.data + body.size;
    return E_OK;
}

enum code parquet_values_begin(struct parquet_leaf_read *leaf, struct bytes body, enum parquet_encoding encoding,
                               struct error *err)
{
    struct parquet_page_read *page = &leaf->page;
    int physical = leaf->node->element->physical;
    page->encoding = encoding;
    page->at = body.data;
    page->end = body.data + body.size;
    page->bit = 0;
    page->next = 0;
    switch (encoding) {
    case PARQUET_PLAIN: return E_OK;
    case PARQUET_PLAIN_DICTIONARY:
    case PARQUET_RLE_DICTIONARY: return dictionary_page_begin(leaf, body, err);
    case PARQUET_RLE: return rle_page_begin(leaf, body, err);
    case PARQUET_DELTA: return delta_page_begin(leaf, body, err);
    case PARQUET_DELTA_LENGTH:
    case PARQUET_DELTA_BYTES: return texts_page_begin(leaf, body, encoding, err);
    case PARQUET_BYTE_STREAM_SPLIT:
        if (physical == PARQUET_BOOLEAN || physical == PARQUET_BYTE_ARRAY || leaf->convert.in_width == 0)
            return refuse_encoding(encoding, err);
        page->stride = (int64_t)(body.size / (size_t)leaf->convert.in_width);
        return E_OK;
    }
    return fail(err, E_UNSUPPORTED, "the encoding %d is not known", (int)encoding);
}

enum code parquet_values_next(struct parquet_leaf_read *leaf, int64_t count, struct error *err)
{
    struct parquet_page_read *page = &leaf->page;
    parquet_values_reserve(&leaf->values, &leaf->convert, count);
    if (count == 0)
        return E_OK;
    if (count > page->values_left)
        return short_page(err);
    page->values_left -= count;
    switch (page->encoding) {
    case PARQUET_PLAIN:
        if (leaf->node->element->physical == PARQUET_BOOLEAN)
            return plain_booleans(leaf, count, err);
        return plain_values(leaf, &leaf->values, &page->at, page->end, count, err);
    case PARQUET_RLE: return rle_booleans(leaf, count, err);
    case PARQUET_DELTA: return delta_values(leaf, count, err);
    case PARQUET_DELTA_LENGTH: return length_texts(leaf, count, err);
    case PARQUET_DELTA_BYTES: return prefix_texts(leaf, count, err);
    case PARQUET_BYTE_STREAM_SPLIT: return split_values(leaf, count, err);
    default: return dictionary_values(leaf, count, err);
    }
}
