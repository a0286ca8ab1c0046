/* parquet_internal.h - Parquet as leat writes it: the bytes, and what the files parquet_*.c share.
 *
 * Bytes    file        "PAR1"  row group*  footer  u32 size of the footer  "PAR1"
 *          row group   one column chunk per leaf, in schema order
 *          chunk       [dictionary page]  data page*
 *          page        PageHeader (Thrift compact), then the body, compressed by the chunk's codec
 *          data page   version 1, cut between rows; its body:
 *                        [u32 size, repetition levels]  RLE, when some field above repeats
 *                        [u32 size, definition levels]  RLE, when some field above may be absent
 *                        values that are present, in one of three encodings:
 *                          PLAIN           BOOLEAN in bits; BYTE_ARRAY u32 size, bytes; FIXED big endian
 *                          RLE_DICTIONARY  u8 bit width, RLE indexes into the dictionary page
 *                          DELTA           DELTA_BINARY_PACKED, INT64 only
 *          dictionary  PLAIN values, in the order they were first seen
 *          footer      FileMetaData (Thrift compact)
 *          all integers little endian
 * Flow     lane_add -> per leaf chunk_add: levels (parquet_level.c) and dense values (parquet_slice.c) go
 *          into the page being filled; a full page is encoded and compressed at once (parquet_page.c).
 *          lane_take puts the chunks one behind the other and remembers where they start; the file adds its
 *          own offset to that
 * Memory   of a lane: the compressed row group (twice while a piece is put together), one page a leaf, and a
 *          dictionary of at most 3 MiB a leaf, its hash table included
 * Nulls    every field is written optional but a map's key, whatever the schema says, as Spark does for files
 * Spec     github.com/apache/parquet-format: README, Encodings.md, LogicalTypes.md, parquet.thrift
 */
#ifndef FORMAT_PARQUET_INTERNAL_H
#define FORMAT_PARQUET_INTERNAL_H

#include "data/data.h"
#include "format/compress.h"
#include "format/format.h"
#include "format/thrift_write.h"

enum {
    PARQUET_ROW_GROUP_ROWS_MAX = 1 << 20,
    PARQUET_PAGE_ROWS_MAX = 20000,
    PARQUET_PAGE_HEADROOM = 4096,            /* in front of a page's values: short levels join without a copy */
    PARQUET_DICTIONARY_BYTES_MAX = 1 << 20,
    PARQUET_DICTIONARY_COUNT_MAX = 1 << 16,
    PARQUET_BOUND_BYTES_MAX = 64,            /* longer minima and maxima are cut */
    PARQUET_NESTING_MAX = 64,
};

/* Numbers of parquet.thrift, Type. */
enum parquet_physical {
    PARQUET_BOOLEAN = 0,
    PARQUET_INT32 = 1,
    PARQUET_INT64 = 2,
    PARQUET_FLOAT = 4,
    PARQUET_DOUBLE = 5,
    PARQUET_BYTE_ARRAY = 6,
    PARQUET_FIXED = 7    /* FIXED_LEN_BYTE_ARRAY: DECIMAL of more than 18 digits */
};
/* Numbers of parquet.thrift, Encoding. */
enum parquet_encoding {
    PARQUET_PLAIN = 0,
    PARQUET_PLAIN_DICTIONARY = 2, /* only read, as those below */
    PARQUET_RLE = 3,
    PARQUET_DELTA = 5,
    PARQUET_DELTA_LENGTH = 6,
    PARQUET_DELTA_BYTES = 7,
    PARQUET_RLE_DICTIONARY = 8,
    PARQUET_BYTE_STREAM_SPLIT = 9
};

struct parquet_options {
    int codec;                /* index into the choices of the option table */
    int64_t row_group_bytes, page_bytes, zstd_level;
    bool dictionary, delta;
};

/* ---- schema: parquet_schema.c ---- */

/* How to come from a top-level column down to a leaf, and what each step does to the levels. */
enum parquet_step_kind {
    STEP_OPTIONAL,   /* present: definition + 1; NULL: the slot ends here */
    STEP_REQUIRED,   /* a map's key: NULL is an error */
    STEP_REPEATED,   /* into child `child` of a list: one slot per element, definition + 1 */
    STEP_FIELD       /* into child `child` of a struct */
};
struct parquet_step {
    enum parquet_step_kind kind;
    int32_t child;
};
struct parquet_leaf {
    const struct type *type;
    enum parquet_physical physical;
    int32_t width;            /* bytes of a PLAIN value; 0 for BOOLEAN and BYTE_ARRAY */
    int32_t column;           /* index of the top-level column */
    uint8_t definition_max, repetition_max;
    int32_t step_count, path_count;
    const struct parquet_step *steps;
    const char *const *path;
};
struct parquet_schema {
    const struct type *type;
    struct parquet_leaf *leaves;
    int32_t leaf_count;
};
/* E_UNSUPPORTED names the column that Parquet cannot hold. */
MUST_CHECK enum code parquet_schema_init(struct parquet_schema *schema, const struct type *type,
                                         struct arena *arena, struct error *err);
/* FileMetaData.schema, as field `id` of the open struct. */
void parquet_schema_write(const struct parquet_schema *schema, struct thrift *thrift, int16_t id);

/* ---- levels: parquet_level.c ---- */

/* One slot per value or gap of a leaf. index: row of the leaf's column, or -1 when nothing is there. */
struct parquet_slots {
    uint8_t *definition, *repetition;
    int32_t *index;
    int64_t count, capacity;
};
struct parquet_shredder {
    struct parquet_slots slots, next;   /* the result, and the working copy */
};
void parquet_shredder_close(struct parquet_shredder *shredder);
/* Slots of rows [from, to) of a top-level column. */
MUST_CHECK enum code parquet_shred(struct parquet_shredder *shredder, const struct parquet_leaf *leaf,
                                   const struct column *col, int64_t from, int64_t to, struct error *err);
/* The column at the end of the leaf's steps. */
const struct column *parquet_leaf_column(const struct parquet_leaf *leaf, const struct column *col);

/* ---- values: parquet_slice.c ---- */

/* Present values of a leaf, dense. INT32, FLOAT: 4 bytes; INT64, DOUBLE: 8; BOOLEAN: a byte of 0 or 1 each;
 * FIXED: __int128; BYTE_ARRAY: value i is values[offsets[i] .. offsets[i + 1]), and 64 bytes behind
 * may be read. */
struct parquet_slice {
    int64_t count;
    const uint8_t *values;
    const int32_t *offsets;
};
struct parquet_slicer {
    struct text values, offsets;  /* storage of slices that had to be converted */
};
void parquet_slicer_close(struct parquet_slicer *slicer);
/* Rows [from, from + count) of the leaf's column, all present. */
void parquet_slice_range(struct parquet_slicer *slicer, const struct parquet_leaf *leaf,
                         const struct column *col, int64_t from, int64_t count, struct parquet_slice *out);
/* The picked rows of the leaf's column; ascending, and no bytes between those of neighbours. */
void parquet_slice_pick(struct parquet_slicer *slicer, const struct parquet_leaf *leaf,
                        const struct column *col, const int32_t *rows, int64_t count,
                        struct parquet_slice *out);
/* All values the same? */
bool parquet_slice_is_constant(const struct parquet_leaf *leaf, const struct parquet_slice *slice);
void parquet_slice_cut(const struct parquet_leaf *leaf, struct parquet_slice *slice, int64_t from,
                       int64_t to);
/* Append as PLAIN; not BOOLEAN. */
void parquet_plain_append(const struct parquet_leaf *leaf, const struct parquet_slice *slice,
                          struct text *out);
/* Append BOOLEAN as bits; `bits` are there already. */
void parquet_bits_append(const struct parquet_slice *slice, int64_t bits, size_t start, struct text *out);

/* ---- statistics: parquet_statistics.c ---- */

/* The first bytes of a value as big-endian words, filled up with 0: words compare as the bytes would. */
struct parquet_bound {
    uint64_t words[PARQUET_BOUND_BYTES_MAX / 8];
    uint32_t size;       /* bytes kept */
    bool exact;          /* nothing was cut */
};
/* Least and greatest value seen; which pair is in use follows from the leaf. */
struct parquet_range {
    bool any, nan;
    int64_t int_min, int_max;
    double double_min, double_max;
    __int128 wide_min, wide_max;
    struct parquet_bound min, max;
};
void parquet_range_add(struct parquet_range *range, const struct parquet_leaf *leaf,
                       const struct parquet_slice *slice);
void parquet_range_add_bytes(struct parquet_range *range, const uint8_t *data, size_t size);

/* What goes into the footer. size 0 with `present` is the empty string. */
struct parquet_statistics {
    bool present, min_exact, max_exact;
    uint8_t min_size, max_size;
    uint8_t min[PARQUET_BOUND_BYTES_MAX + 4], max[PARQUET_BOUND_BYTES_MAX + 4];
};
void parquet_range_finish(const struct parquet_range *range, const struct parquet_leaf *leaf,
                          struct parquet_statistics *out);

/* ---- dictionary: parquet_dictionary.c ---- */

struct parquet_entry {
    uint64_t low, high;       /* first and last 8 bytes; all of the value when it has at most 16 */
    uint32_t size, offset;    /* of the value in plain */
};
struct parquet_dictionary {
    uint32_t count;
    uint32_t slot_count;      /* power of two, at least twice count */
    uint32_t *slots;          /* index + 1, or 0 */
    struct parquet_entry *entries;  /* BYTE_ARRAY only */
    uint32_t entry_capacity;
    struct text plain;        /* the dictionary page's body */
    uint64_t seed;            /* random: nobody can prepare values that collide */
};
void parquet_dictionary_clear(struct parquet_dictionary *dictionary);
void parquet_dictionary_close(struct parquet_dictionary *dictionary);
/* Indexes of the first values of the slice; returns how many, fewer than all when the dictionary is full. */
int64_t parquet_dictionary_add(struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                               const struct parquet_slice *slice, uint32_t *indexes);
/* Append the values of the indexes as PLAIN. */
void parquet_dictionary_unpack(const struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                               const uint32_t *indexes, int64_t count, struct text *out);
/* Add all entries to the range. */
void parquet_dictionary_range(const struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                              struct parquet_range *range);

/* ---- pages and chunks: parquet_page.c, parquet_column.c ---- */

/* A data page being filled. */
struct parquet_page {
    int64_t rows, slots, values;     /* values: present ones */
    struct text data;                /* PARQUET_PAGE_HEADROOM, then PLAIN, uint32 indexes, or int64 values */
    struct text definition, repetition;  /* a byte per slot; definition: none while all values are present */
};
struct parquet_chunk {
    const struct parquet_leaf *leaf;
    enum parquet_encoding encoding;  /* of the page being filled */
    enum codec codec;
    bool settled;                    /* whether a dictionary pays was decided on a sample */
    struct parquet_page page;
    struct parquet_dictionary dictionary;
    struct parquet_range range;      /* without what is in the dictionary, until the chunk ends */
    struct text bytes;               /* finished data pages */
    int64_t slots, values;           /* of the whole chunk, the page being filled included */
    int64_t plain_bytes;             /* what PLAIN would have taken for the values so far */
    int64_t uncompressed_bytes;      /* of finished pages, headers included */
    int32_t dictionary_pages, plain_pages, delta_pages;
};
/* What the chunks of a lane share. */
struct parquet_scratch {
    const struct parquet_options *options;
    struct compressor compressor;
    struct compressor stored;        /* for chunks whose pages do not shrink */
    struct parquet_shredder shredder;
    struct parquet_slicer slicer;
    struct text picks;               /* int32 row indexes */
    struct text header, levels, wide, body, joined;
};
struct parquet_chunk_meta {
    enum codec codec;
    int64_t slots, nulls, uncompressed_bytes, compressed_bytes;
    int64_t start;                   /* of the chunk: its dictionary page if it has one */
    int64_t data_start;              /* of its first data page */
    bool dictionary;
    int32_t dictionary_pages, plain_pages, delta_pages;
    struct parquet_statistics statistics;
};

void parquet_scratch_init(struct parquet_scratch *scratch, const struct parquet_options *options,
                          enum codec codec);
void parquet_scratch_close(struct parquet_scratch *scratch);
void parquet_page_clear(struct parquet_page *page);
/* Encode, compress and append the page to the chunk, and clear it. */
MUST_CHECK enum code parquet_page_flush(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                                        struct error *err);
/* Append the dictionary page to out. */
MUST_CHECK enum code parquet_page_dictionary(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                                             struct text *out, struct error *err);

void parquet_chunk_init(struct parquet_chunk *chunk, const struct parquet_leaf *leaf,
                        struct parquet_scratch *scratch);
void parquet_chunk_close(struct parquet_chunk *chunk);
/* Rows [from, to) of the top-level column the leaf is in. */
MUST_CHECK enum code parquet_chunk_add(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                                       const struct column *col, int64_t from, int64_t to, struct error *err);
/* About the bytes that parquet_chunk_finish would append. */
int64_t parquet_chunk_bytes(const struct parquet_chunk *chunk);
/* Append the whole chunk to out, describe it, and begin the next one. */
MUST_CHECK enum code parquet_chunk_finish(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                                          struct text *out, struct parquet_chunk_meta *meta,
                                          struct error *err);

/* ---- files: parquet_footer.c ---- */

struct parquet_group {
    int64_t rows;
    struct parquet_chunk_meta *chunks;   /* one per leaf */
};
/* Row groups with their places, relative to a piece or, in a file, to the file. */
struct parquet_groups {
    struct parquet_group *items;
    int32_t count, capacity;
};
void parquet_groups_free(struct parquet_groups *groups);
/* FileMetaData, its size and the closing magic. */
void parquet_footer_write(const struct parquet_schema *schema, const struct parquet_groups *groups,
                          const char *created_by, struct text *out);

#endif
