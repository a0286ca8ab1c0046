#include "format/parquet_internal.h"

#include "base/hash.h"
#include "base/os.h"

/* Value -> index, by open addressing. Slots hold index + 1; the values stand in `plain`, ready to be the
 * dictionary page. Bytes of at most 16, and wide decimals, are compared as two words without looking there.
 *
 * Full     when the page or the count reaches its ceiling, or when a probe gets long: the chunk then goes on
 *          in another encoding, so nothing here ever degrades */

enum {
    SLOTS_START = 1024,
    PROBE_MAX = 128,    /* chance alone makes about 60 */
    PLAIN_PADDING = 64, /* so that parquet_range_add_bytes may read behind the last value */
};
#define NOT_FOUND UINT32_MAX

void parquet_dictionary_clear(struct parquet_dictionary *dictionary)
{
    if (dictionary->count > 0)
        memset(dictionary->slots, 0, dictionary->slot_count * sizeof *dictionary->slots);
    dictionary->count = 0;
    text_clear(&dictionary->plain);
}

int64_t parquet_dictionary_held(const struct parquet_dictionary *dictionary)
{
    return (int64_t)(dictionary->plain.size + dictionary->slot_count * sizeof *dictionary->slots +
                     (size_t)dictionary->entry_capacity * sizeof *dictionary->entries);
}

void parquet_dictionary_close(struct parquet_dictionary *dictionary)
{
    mem_free(dictionary->slots);
    mem_free(dictionary->entries);
    text_free(&dictionary->plain);
    *dictionary = (struct parquet_dictionary){0};
}

static inline uint64_t mix(uint64_t low, uint64_t high)
{
    unsigned __int128 product = (unsigned __int128)low * high;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_words(const struct parquet_dictionary *dictionary, uint64_t low, uint64_t high)
{
    return mix(mix(low ^ dictionary->seed, 0x9e3779b97f4a7c15u) ^ high, 0xbf58476d1ce4e5b9u);
}

static inline uint64_t hash_word(const struct parquet_dictionary *dictionary, uint64_t word)
{
    return hash_words(dictionary, word, 0);
}

static inline uint64_t hash_value(const struct parquet_dictionary *dictionary, const struct parquet_entry *value,
                                  const uint8_t *data)
{
    if (value->size > 16)
        return XXH3_64bits_withSeed(data, value->size, dictionary->seed);
    return hash_words(dictionary, value->low, value->high + value->size);
}

static inline uint64_t load(const uint8_t *data)
{
    uint64_t word;
    memcpy(&word, data, sizeof word);
    return word;
}

/* May read 8 bytes behind the value. */
static inline struct parquet_entry entry_of(const uint8_t *data, uint32_t size)
{
    if (size >= 8)
        return (struct parquet_entry){.low = load(data), .high = load(data + size - 8), .size = size};
    uint64_t word = size == 0 ? 0 : load(data) & ~(uint64_t)0 >> (64 - size * 8);
    return (struct parquet_entry){.low = word, .high = word, .size = size};
}

static inline bool entry_is(const struct parquet_dictionary *dictionary, const struct parquet_entry *entry,
                            const struct parquet_entry *value, const uint8_t *data)
{
    if (entry->low != value->low || entry->high != value->high || entry->size != value->size)
        return false;
    return value->size <= 16 || memcmp(dictionary->plain.data + entry->offset, data, value->size) == 0;
}

/* Values that are more than a word have an entry. */
static inline bool has_entries(const struct parquet_leaf *leaf)
{
    return leaf->physical == PARQUET_BYTE_ARRAY || leaf->physical == PARQUET_FIXED;
}

static inline uint64_t fixed_at(const uint8_t *values, size_t width, int64_t i)
{
    uint64_t word = 0;
    memcpy(&word, values + (size_t)i * width, width);
    return word;
}

static void slots_put(struct parquet_dictionary *dictionary, uint64_t hash, uint32_t index)
{
    uint32_t mask = dictionary->slot_count - 1, at = (uint32_t)hash & mask;
    while (dictionary->slots[at] != 0)
        at = (at + 1) & mask;
    dictionary->slots[at] = index + 1;
}

static uint64_t hash_of_entry(const struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf, uint32_t i)
{
    const uint8_t *plain = (const uint8_t *)dictionary->plain.data;
    if (has_entries(leaf))
        return hash_value(dictionary, &dictionary->entries[i], plain + dictionary->entries[i].offset);
    return hash_word(dictionary, fixed_at(plain, (size_t)leaf->width, i));
}

static void slots_grow(struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf)
{
    if (dictionary->count == 0)
        dictionary->seed = os_random();
    mem_free(dictionary->slots);
    dictionary->slot_count = dictionary->slot_count == 0 ? SLOTS_START : dictionary->slot_count * 2;
    dictionary->slots = mem_array(uint32_t, dictionary->slot_count);
    for (uint32_t i = 0; i < dictionary->count; i++)
        slots_put(dictionary, hash_of_entry(dictionary, leaf, i), i);
}

/* Room for one value more of `size` PLAIN bytes? */
static bool make_room(struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf, size_t size)
{
    if (dictionary->count == PARQUET_DICTIONARY_COUNT_MAX || dictionary->plain.size + size > dictionary->bytes_max)
        return false;
    if (has_entries(leaf))
        mem_grow(dictionary->entries, dictionary->entry_capacity, dictionary->count + 1);
    text_reserve(&dictionary->plain, size + PLAIN_PADDING);
    if ((dictionary->count + 1) * 2 > dictionary->slot_count)
        slots_grow(dictionary, leaf);
    return true;
}

static uint32_t insert_fixed(struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf, uint64_t word)
{
    if (!make_room(dictionary, leaf, (size_t)leaf->width))
        return NOT_FOUND;
    slots_put(dictionary, hash_word(dictionary, word), dictionary->count);
    text_add(&dictionary->plain, &word, (size_t)leaf->width);
    return dictionary->count++;
}

static uint32_t insert_bytes(struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                             struct parquet_entry value, const uint8_t *data)
{
    if (!make_room(dictionary, leaf, sizeof value.size + value.size))
        return NOT_FOUND;
    slots_put(dictionary, hash_value(dictionary, &value, data), dictionary->count);
    text_add(&dictionary->plain, &value.size, sizeof value.size);
    value.offset = (uint32_t)dictionary->plain.size;
    text_add(&dictionary->plain, data, value.size);
    dictionary->entries[dictionary->count] = value;
    return dictionary->count++;
}

/* The entry of a wide decimal, whose PLAIN form has no size in front. */
static uint32_t insert_wide(struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                            struct parquet_entry value, uint64_t hash)
{
    unsigned __int128 number = (unsigned __int128)value.high << 64 | value.low;
    if (!make_room(dictionary, leaf, value.size))
        return NOT_FOUND;
    slots_put(dictionary, hash, dictionary->count);
    value.offset = (uint32_t)dictionary->plain.size;
    for (uint32_t k = value.size; k-- > 0;)
        text_add_char(&dictionary->plain, (char)(number >> (8 * k)));
    dictionary->entries[dictionary->count] = value;
    return dictionary->count++;
}

static uint32_t index_wide(struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                           unsigned __int128 number)
{
    struct parquet_entry value = {(uint64_t)number, (uint64_t)(number >> 64), (uint32_t)leaf->width, 0};
    uint64_t hash = hash_words(dictionary, value.low, value.high + value.size); // as hash_value of 16 bytes
    uint32_t mask = dictionary->slot_count - 1, at = (uint32_t)hash & mask;
    for (int probe = 0; probe < PROBE_MAX; probe++, at = (at + 1) & mask) {
        uint32_t slot = dictionary->slots[at];
        if (slot == 0)
            return insert_wide(dictionary, leaf, value, hash);
        const struct parquet_entry *entry = &dictionary->entries[slot - 1];
        if (entry->low == value.low && entry->high == value.high)
            return slot - 1;
    }
    return NOT_FOUND;
}

static inline uint32_t index_fixed(struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf, size_t width,
                                   uint64_t word)
{
    const uint8_t *plain = (const uint8_t *)dictionary->plain.data;
    uint32_t mask = dictionary->slot_count - 1, at = (uint32_t)hash_word(dictionary, word) & mask;
    for (int probe = 0; probe < PROBE_MAX; probe++, at = (at + 1) & mask) {
        uint32_t slot = dictionary->slots[at];
        if (slot == 0)
            return insert_fixed(dictionary, leaf, word);
        if (fixed_at(plain, width, slot - 1) == word)
            return slot - 1;
    }
    return NOT_FOUND;
}

static inline uint32_t index_bytes(struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                                   const uint8_t *data, uint32_t size)
{
    struct parquet_entry value = entry_of(data, size);
    uint32_t mask = dictionary->slot_count - 1, at = (uint32_t)hash_value(dictionary, &value, data) & mask;
    for (int probe = 0; probe < PROBE_MAX; probe++, at = (at + 1) & mask) {
        uint32_t slot = dictionary->slots[at];
        if (slot == 0)
            return insert_bytes(dictionary, leaf, value, data);
        if (entry_is(dictionary, &dictionary->entries[slot - 1], &value, data))
            return slot - 1;
    }
    return NOT_FOUND;
}

static inline int64_t add_fixed(struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf, size_t width,
                                const struct parquet_slice *slice, uint32_t *indexes)
{
    for (int64_t i = 0; i < slice->count; i++) {
        indexes[i] = index_fixed(dictionary, leaf, width, fixed_at(slice->values, width, i));
        if (indexes[i] == NOT_FOUND)
            return i;
    }
    return slice->count;
}

static int64_t add_bytes(struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                         const struct parquet_slice *slice, uint32_t *indexes)
{
    for (int64_t i = 0; i < slice->count; i++) {
        uint32_t size = (uint32_t)(slice->offsets[i + 1] - slice->offsets[i]);
        indexes[i] = index_bytes(dictionary, leaf, slice->values + slice->offsets[i], size);
        if (indexes[i] == NOT_FOUND)
            return i;
    }
    return slice->count;
}

static int64_t add_wide(struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                        const struct parquet_slice *slice, uint32_t *indexes)
{
    const unsigned __int128 *values = (const unsigned __int128 *)(const void *)slice->values;
    for (int64_t i = 0; i < slice->count; i++) {
        indexes[i] = index_wide(dictionary, leaf, values[i]);
        if (indexes[i] == NOT_FOUND)
            return i;
    }
    return slice->count;
}

static int64_t add(struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                   const struct parquet_slice *slice, uint32_t *indexes)
{
    if (leaf->physical == PARQUET_BYTE_ARRAY)
        return add_bytes(dictionary, leaf, slice, indexes);
    if (leaf->physical == PARQUET_FIXED)
        return add_wide(dictionary, leaf, slice, indexes);
    if (leaf->width == 4)
        return add_fixed(dictionary, leaf, 4, slice, indexes); /* constants: the copies become loads */
    return add_fixed(dictionary, leaf, 8, slice, indexes);
}

int64_t parquet_dictionary_add(struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                               const struct parquet_slice *slice, uint32_t *indexes)
{
    if (dictionary->slot_count == 0)
        slots_grow(dictionary, leaf);
    if (slice->count < 2 || !parquet_slice_is_constant(leaf, slice))
        return add(dictionary, leaf, slice, indexes);
    struct parquet_slice first = *slice;
    parquet_slice_cut(leaf, &first, 0, 1);
    if (add(dictionary, leaf, &first, indexes) == 0)
        return 0;
    for (int64_t i = 1; i < slice->count; i++)
        indexes[i] = indexes[0];
    return slice->count;
}

/* ---- back to values ---- */

static void *room_for(struct text *text, size_t size)
{
    text_clear(text);
    return text_reserve(text, size + PLAIN_PADDING);
}

/* Which entry is value i: picked, or counted. */
static inline uint32_t entry_at(const uint32_t *indexes, int64_t i)
{
    return indexes != NULL ? indexes[i] : (uint32_t)i;
}

static void unpack_bytes(const struct parquet_dictionary *dictionary, const uint32_t *indexes,
                         struct parquet_slicer *slicer, struct parquet_slice *out)
{
    int32_t *offsets = room_for(&slicer->offsets, (size_t)(out->count + 1) * sizeof *offsets);
    int32_t end = 0;
    for (int64_t i = 0; i < out->count; i++) {
        offsets[i] = end;
        end += (int32_t)dictionary->entries[entry_at(indexes, i)].size;
    }
    offsets[out->count] = end;
    uint8_t *values = room_for(&slicer->values, (size_t)end);
    for (int64_t i = 0; i < out->count; i++) {
        const struct parquet_entry *entry = &dictionary->entries[entry_at(indexes, i)];
        memcpy(values + offsets[i], dictionary->plain.data + entry->offset, entry->size);
    }
    out->values = values;
    out->offsets = offsets;
}

static void unpack_wide(const struct parquet_dictionary *dictionary, const uint32_t *indexes,
                        struct parquet_slicer *slicer, struct parquet_slice *out)
{
    unsigned __int128 *values = room_for(&slicer->values, (size_t)out->count * sizeof *values);
    for (int64_t i = 0; i < out->count; i++) {
        const struct parquet_entry *entry = &dictionary->entries[entry_at(indexes, i)];
        values[i] = (unsigned __int128)entry->high << 64 | entry->low;
    }
    out->values = (const uint8_t *)values;
}

static inline void unpack_fixed(const struct parquet_dictionary *dictionary, const uint32_t *indexes, size_t width,
                                struct parquet_slicer *slicer, struct parquet_slice *out)
{
    uint8_t *values = room_for(&slicer->values, (size_t)out->count * width);
    const char *plain = dictionary->plain.data;
    for (int64_t i = 0; i < out->count; i++)
        memcpy(values + (size_t)i * width, plain + entry_at(indexes, i) * width, width);
    out->values = values;
}

static void unpack(const struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                   const uint32_t *indexes, struct parquet_slicer *slicer, struct parquet_slice *out)
{
    if (leaf->physical == PARQUET_BYTE_ARRAY)
        unpack_bytes(dictionary, indexes, slicer, out);
    else if (leaf->physical == PARQUET_FIXED)
        unpack_wide(dictionary, indexes, slicer, out);
    else if (leaf->width == 4)
        unpack_fixed(dictionary, indexes, 4, slicer, out); /* constants: the copies become loads */
    else
        unpack_fixed(dictionary, indexes, 8, slicer, out);
}

void parquet_dictionary_unpack(const struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                               const uint32_t *indexes, int64_t count, struct parquet_slicer *slicer,
                               struct parquet_slice *out)
{
    *out = (struct parquet_slice){.count = count};
    unpack(dictionary, leaf, indexes, slicer, out);
}

void parquet_dictionary_entries(const struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                                struct parquet_slicer *slicer, struct parquet_slice *out)
{
    *out = (struct parquet_slice){.count = dictionary->count};
    unpack(dictionary, leaf, NULL, slicer, out);
}

/* ---- ranges ---- */

/* Each entry once, however often the page uses it. */
static void range_bytes(const struct parquet_dictionary *dictionary, const uint32_t *indexes, int64_t count,
                        struct parquet_slicer *slicer, struct parquet_range *range)
{
    const uint8_t *plain = (const uint8_t *)dictionary->plain.data;
    uint8_t *used = room_for(&slicer->values, dictionary->count);
    memset(used, 0, dictionary->count);
    for (int64_t i = 0; i < count; i++)
        used[indexes[i]] = 1;
    for (uint32_t i = 0; i < dictionary->count; i++)
        if (used[i])
            parquet_range_add_bytes(range, plain + dictionary->entries[i].offset, dictionary->entries[i].size);
}

void parquet_dictionary_range(const struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                              const uint32_t *indexes, int64_t count, struct parquet_slicer *slicer,
                              struct parquet_range *range)
{
    struct parquet_slice values;
    if (leaf->physical == PARQUET_BYTE_ARRAY) {
        range_bytes(dictionary, indexes, count, slicer, range);
        return;
    }
    parquet_dictionary_unpack(dictionary, leaf, indexes, count, slicer, &values);
    parquet_range_add(range, leaf, &values);
}
