#include "format/parquet_internal.h"

/* Least and greatest value of a chunk, in the order that the specification calls TypeDefinedOrder: numbers as
 * numbers, bytes and texts as unsigned bytes.
 *
 * Bytes  Most values lie strictly between the bounds, and most texts of a column begin alike. So bounds are
 *        kept as words in big endian, and a value is done at the first word that differs from both bounds
 * Floats A chunk with a NaN has no bounds: engines disagree on where NaN sorts. Zeros are written as -0
 *        (min) and +0 (max), whichever was seen, since they are equal */

enum { WORDS = PARQUET_BOUND_BYTES_MAX / 8 };

/* Bytes [8k, 8k + 8) of the value, 0 behind its end. Reads up to 8 bytes behind the value. */
static inline uint64_t word_at(const uint8_t *data, size_t size, size_t k)
{
    if (k * 8 >= size)
        return 0;
    uint64_t word;
    memcpy(&word, data + k * 8, sizeof word);
    word = __builtin_bswap64(word);
    size_t rest = size - k * 8;
    return rest >= 8 ? word : word & ~(uint64_t)0 << (64 - rest * 8);
}

static void bound_set(struct parquet_bound *bound, const uint8_t *data, size_t size)
{
    for (size_t k = 0; k < WORDS; k++)
        bound->words[k] = word_at(data, size, k);
    bound->exact = size <= PARQUET_BOUND_BYTES_MAX;
    bound->size = (uint32_t)(bound->exact ? size : PARQUET_BOUND_BYTES_MAX);
}

static int bound_compare(const struct parquet_bound *a, const struct parquet_bound *b)
{
    for (size_t k = 0; k < WORDS; k++) {
        if (a->words[k] != b->words[k])
            return a->words[k] < b->words[k] ? -1 : 1;
    }
    return a->size < b->size ? -1 : a->size > b->size;
}

static inline bool lies_between(const struct parquet_range *range, const uint8_t *data, size_t size)
{
    for (size_t k = 0; k < WORDS; k++) {
        uint64_t word = word_at(data, size, k);
        if (word == range->min.words[k] && word == range->max.words[k])
            continue;
        return word > range->min.words[k] && word < range->max.words[k];
    }
    return false;
}

/* What was cut off makes no difference to a minimum, but a maximum is then a prefix of something greater. */
static void stretch(struct parquet_range *range, const struct parquet_bound *low, const struct parquet_bound *high)
{
    int to_min = range->any ? bound_compare(low, &range->min) : -1;
    int to_max = range->any ? bound_compare(high, &range->max) : 1;
    if (to_min < 0)
        range->min = *low;
    else if (to_min == 0)
        range->min.exact |= low->exact;
    if (to_max > 0)
        range->max = *high;
    else if (to_max == 0)
        range->max.exact &= high->exact;
    range->any = true;
}

void parquet_range_add_bytes(struct parquet_range *range, const uint8_t *data, size_t size)
{
    if (range->any && lies_between(range, data, size))
        return;
    struct parquet_bound bound;
    bound_set(&bound, data, size);
    stretch(range, &bound, &bound);
}

#define EXTREMES(type, field)                                                                     \
    do {                                                                                          \
        const type *values_ = (const type *)(const void *)slice->values;                          \
        type min_ = values_[0], max_ = values_[0];                                                \
        for (int64_t i = 1; i < slice->count; i++) {                                              \
            min_ = values_[i] < min_ ? values_[i] : min_;                                         \
            max_ = values_[i] > max_ ? values_[i] : max_;                                         \
        }                                                                                         \
        range->field##_min = range->any && range->field##_min < min_ ? range->field##_min : min_; \
        range->field##_max = range->any && range->field##_max > max_ ? range->field##_max : max_; \
    } while (0)

#define LOOK_FOR_NAN(type)                                               \
    do {                                                                 \
        const type *values_ = (const type *)(const void *)slice->values; \
        int nan_ = 0;                                                    \
        for (int64_t i = 0; i < slice->count; i++)                       \
            nan_ |= values_[i] != values_[i];                            \
        range->nan |= nan_ != 0;                                         \
    } while (0)

void parquet_range_add(struct parquet_range *range, const struct parquet_leaf *leaf, const struct parquet_slice *slice)
{
    if (slice->count == 0)
        return;
    switch (leaf->physical) {
    case PARQUET_BOOLEAN: EXTREMES(uint8_t, int); break;
    case PARQUET_INT32: EXTREMES(int32_t, int); break;
    case PARQUET_INT64: EXTREMES(int64_t, int); break;
    case PARQUET_FLOAT:
        LOOK_FOR_NAN(float);
        EXTREMES(float, double);
        break;
    case PARQUET_DOUBLE:
        LOOK_FOR_NAN(double);
        EXTREMES(double, double);
        break;
    case PARQUET_FIXED: EXTREMES(__int128, wide); break;
    case PARQUET_BYTE_ARRAY:
        for (int64_t i = 0; i < slice->count; i++)
            parquet_range_add_bytes(range, slice->values + slice->offsets[i],
                                    (size_t)(slice->offsets[i + 1] - slice->offsets[i]));
        break;
    }
    range->any = true;
}

#define MERGE(field)                                                                                            \
    do {                                                                                                        \
        range->field##_min = range->field##_min < other->field##_min ? range->field##_min : other->field##_min; \
        range->field##_max = range->field##_max > other->field##_max ? range->field##_max : other->field##_max; \
    } while (0)

void parquet_range_merge(struct parquet_range *range, const struct parquet_leaf *leaf,
                         const struct parquet_range *other)
{
    bool nan = range->nan || other->nan;
    if (other->any && !range->any) {
        *range = *other;
    } else if (other->any) {
        switch (leaf->physical) {
        case PARQUET_FLOAT:
        case PARQUET_DOUBLE: MERGE(double); break;
        case PARQUET_FIXED: MERGE(wide); break;
        case PARQUET_BYTE_ARRAY: stretch(range, &other->min, &other->max); break;
        default: MERGE(int); break;
        }
    }
    range->nan = nan;
}

/* ---- the footer's form ---- */

/* At most `cut` bytes of the bound; *exact: nothing is missing. */
static uint8_t bound_bytes(const struct parquet_bound *bound, int64_t cut, uint8_t *out, bool *exact)
{
    for (size_t k = 0; k < WORDS; k++) {
        uint64_t word = __builtin_bswap64(bound->words[k]);
        memcpy(out + k * 8, &word, sizeof word);
    }
    *exact = bound->exact && bound->size <= cut;
    return (uint8_t)(bound->size <= cut ? bound->size : cut);
}

/* Start of the last character in data[0, size): the last byte that does not continue one. */
static size_t last_character(const uint8_t *data, size_t size)
{
    size_t at = size - 1;
    while (at > 0 && size - at < 4 && (data[at] & 0xc0) == 0x80)
        at--;
    return at;
}

static size_t character_size(uint8_t first) { return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4; }

/* Drop a character that the cut went through. */
static size_t whole_characters(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t at = last_character(data, size);
    return at + character_size(data[at]) > size ? at : size;
}

/* The least bytes that are greater than everything that begins with data[0, size); 0 when there are none. */
static size_t bytes_after(uint8_t *data, size_t size)
{
    while (size > 0 && data[size - 1] == 0xff)
        size--;
    if (size > 0)
        data[size - 1]++;
    return size;
}

/* The same for UTF-8. The byte of a character that can go up without leaving its range goes up; characters
 * for which none can (0x7f, the last ones of each length) are dropped and the one before is tried. */
static size_t text_after(uint8_t *data, size_t size)
{
    while (size > 0) {
        size_t at = last_character(data, size), count = size - at;
        uint8_t *last = &data[size - 1];
        if (count == 1 && *last < 0x7f) {
            ++*last;
            return size;
        }
        if (count > 1 && *last < 0xbf) {
            ++*last;
            return size;
        }
        size = at;
    }
    return 0;
}

static void finish_bytes(const struct parquet_range *range, const struct parquet_leaf *leaf, int64_t cut,
                         struct parquet_statistics *out)
{
    bool text = leaf->type->id == TYPE_STRING;
    out->min_size = bound_bytes(&range->min, cut, out->min, &out->min_exact);
    out->max_size = bound_bytes(&range->max, cut, out->max, &out->max_exact);
    if (text && !out->min_exact)
        out->min_size = (uint8_t)whole_characters(out->min, out->min_size);
    if (!out->max_exact) {
        size_t size = text ? text_after(out->max, whole_characters(out->max, out->max_size))
                           : bytes_after(out->max, out->max_size);
        out->max_size = (uint8_t)size;
        out->present = size > 0;
    }
}

static void finish_float(const struct parquet_range *range, struct parquet_statistics *out)
{
    float min = range->double_min == 0 ? -0.0f : (float)range->double_min;
    float max = range->double_max == 0 ? 0.0f : (float)range->double_max;
    memcpy(out->min, &min, sizeof min);
    memcpy(out->max, &max, sizeof max);
}

static void finish_double(const struct parquet_range *range, struct parquet_statistics *out)
{
    double min = range->double_min == 0 ? -0.0 : range->double_min;
    double max = range->double_max == 0 ? 0.0 : range->double_max;
    memcpy(out->min, &min, sizeof min);
    memcpy(out->max, &max, sizeof max);
}

static void finish_fixed(const struct parquet_range *range, const struct parquet_leaf *leaf,
                         struct parquet_statistics *out)
{
    for (int32_t k = 0; k < leaf->width; k++) {
        out->min[leaf->width - 1 - k] = (uint8_t)(range->wide_min >> (8 * k));
        out->max[leaf->width - 1 - k] = (uint8_t)(range->wide_max >> (8 * k));
    }
}

void parquet_range_finish(const struct parquet_range *range, const struct parquet_leaf *leaf, int64_t cut,
                          struct parquet_statistics *out)
{
    *out = (struct parquet_statistics){.present = range->any && !range->nan, .min_exact = true, .max_exact = true};
    if (!out->present)
        return;
    out->min_size = out->max_size = (uint8_t)(leaf->physical == PARQUET_BOOLEAN ? 1 : leaf->width);
    switch (leaf->physical) {
    case PARQUET_FLOAT: finish_float(range, out); break;
    case PARQUET_DOUBLE: finish_double(range, out); break;
    case PARQUET_FIXED: finish_fixed(range, leaf, out); break;
    case PARQUET_BYTE_ARRAY: finish_bytes(range, leaf, cut, out); break;
    default:
        memcpy(out->min, &range->int_min, sizeof range->int_min); /* little endian: the low bytes come first */
        memcpy(out->max, &range->int_max, sizeof range->int_max);
        break;
    }
}

/* ---- the order of bounds ---- */

static int compare_bytes(struct bytes a, struct bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size > 0 ? memcmp(a.data, b.data, size) : 0;
    return order != 0 ? order : a.size < b.size ? -1 : a.size > b.size;
}

/* Big endian and signed: as bytes, but for the first bit. */
static int compare_fixed(struct bytes a, struct bytes b)
{
    int8_t left = (int8_t)a.data[0], right = (int8_t)b.data[0];
    if (left != right)
        return left < right ? -1 : 1;
    return compare_bytes(a, b);
}

static double double_of(const struct parquet_leaf *leaf, struct bytes bound)
{
    float narrow = 0;
    double wide = 0;
    if (leaf->physical == PARQUET_DOUBLE) {
        memcpy(&wide, bound.data, sizeof wide);
        return wide;
    }
    memcpy(&narrow, bound.data, sizeof narrow);
    return (double)narrow;
}

static int64_t int_of(struct bytes bound)
{
    uint64_t value = 0;
    memcpy(&value, bound.data, bound.size);
    int spare = 64 - (int)bound.size * 8;
    return (int64_t)(value << spare) >> spare;
}

int parquet_bound_order(const struct parquet_leaf *leaf, struct bytes a, struct bytes b)
{
    switch (leaf->physical) {
    case PARQUET_BYTE_ARRAY: return compare_bytes(a, b);
    case PARQUET_FIXED: return compare_fixed(a, b);
    case PARQUET_FLOAT:
    case PARQUET_DOUBLE: {
        double left = double_of(leaf, a), right = double_of(leaf, b);
        return left < right ? -1 : left > right;
    }
    default: {
        int64_t left = int_of(a), right = int_of(b);
        return left < right ? -1 : left > right;
    }
    }
}
