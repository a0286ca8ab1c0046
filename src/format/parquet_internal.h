/* parquet_internal.h - Parquet as leat writes it: the bytes, and what the files parquet_*.c share.
 *
 * Bytes    file        "PAR1"  row group*  page index  footer  u32 size of the footer  "PAR1"
 *          row group   one column chunk per leaf, in schema order; then a Bloom filter per leaf that has one
 *          chunk       [dictionary page]  data page*
 *          page        PageHeader (Thrift compact, with a CRC-32), then the body, compressed by the chunk's codec
 *          data page   version 1, cut between rows; its body:
 *                        [u32 size, repetition levels]  RLE, when some field above repeats
 *                        [u32 size, definition levels]  RLE, when some field above may be absent
 *                        values that are present, in one encoding (parquet_pack.c)
 *                      version 2: the levels without their sizes stand in front of what is compressed
 *          dictionary  PLAIN values, in the order they were first seen
 *          page index  behind all row groups: a ColumnIndex per chunk, then an OffsetIndex per chunk
 *          footer      FileMetaData (Thrift compact)
 *          all integers little endian
 * Flow     lane_add -> per leaf chunk_add: levels (parquet_level.c) and dense values (parquet_slice.c) go
 *          into the page being filled; a full page is encoded and compressed at once (parquet_page.c).
 *          lane_take puts the chunks one behind the other and remembers where they start; the file adds its
 *          own offset to that
 * Memory   of a lane: the compressed row group (twice while a piece is put together), one page a leaf, a
 *          dictionary of at most 3 MiB a leaf, its hash table included, and a Bloom filter where one is asked for.
 *          Tables of many columns get smaller pages and dictionaries, and their row group ends when all of it
 *          together passes twice parquet.block.size (parquet_options.c)
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
    PARQUET_PAGE_HEADROOM = 4096, /* in front of a page's values: short levels join without a copy */
    PARQUET_DICTIONARY_COUNT_MAX = 1 << 16,
    PARQUET_BOUND_BYTES_MAX = 64, /* longer minima and maxima are cut */
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
    PARQUET_FIXED = 7 /* FIXED_LEN_BYTE_ARRAY: DECIMAL of more than 18 digits */
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
enum { PARQUET_ENCODING_COUNT = PARQUET_BYTE_STREAM_SPLIT + 1 };

/* ---- options: parquet_options.c ---- */

enum parquet_version { PARQUET_VERSION_ANY, PARQUET_VERSION_1, PARQUET_VERSION_2 };
struct parquet_options {
    int codec_choice, version_choice; /* indexes into the choices of the option table */
    enum codec codec;
    enum parquet_version version;
    int64_t row_group_bytes, row_group_rows, page_bytes, page_rows, dictionary_bytes;
    int64_t statistics_cut, index_cut; /* most bytes of a bound */
    int64_t zstd_level;
    int64_t bloom_ndv, bloom_bytes; /* different values expected, 0 = unknown; most bytes of a filter */
    double bloom_fpp;               /* share of absent values that a filter may take for present */
    bool dictionary, delta, split, checksum, bloom;
    const char *bloom_fpp_text, *sorting;
};
extern const struct option parquet_option_table[];
struct parquet_schema;
struct encoder_spec;
/* What the spec says: of the lane, and of each leaf. E_SPEC: a bad value, or a column that the file does not have. */
MUST_CHECK enum code parquet_options_read(const struct encoder_spec *spec, const struct parquet_schema *schema,
                                          struct arena *arena, struct parquet_options *lane,
                                          struct parquet_options **leaves, struct error *err);

/* ---- schema: parquet_schema.c ---- */

/* How to come from a top-level column down to a leaf, and what each step does to the levels. */
enum parquet_step_kind {
    STEP_OPTIONAL, /* present: definition + 1; NULL: the slot ends here */
    STEP_REQUIRED, /* a map's key: NULL is an error */
    STEP_REPEATED, /* into child `child` of a list: one slot per element, definition + 1 */
    STEP_FIELD     /* into child `child` of a struct */
};
struct parquet_step {
    enum parquet_step_kind kind;
    int32_t child;
};
struct parquet_leaf {
    const struct type *type;
    enum parquet_physical physical;
    int32_t width;  /* bytes of a PLAIN value; 0 for BOOLEAN and BYTE_ARRAY */
    int32_t column; /* index of the top-level column */
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
MUST_CHECK enum code parquet_schema_init(struct parquet_schema *schema, const struct type *type, struct arena *arena,
                                         struct error *err);
/* FileMetaData.schema, as field `id` of the open struct. */
void parquet_schema_write(const struct parquet_schema *schema, struct thrift *thrift, int16_t id);

/* ---- variants: parquet_variant.c ---- */

const struct type *parquet_variant_group(void); /* STRUCT<value: BINARY, metadata: BINARY>, static */
bool parquet_has_variants(const struct type *schema);
/* The batch with every VARIANT column as its two columns; `out` is valid, or in part, also on failure. E_DATA. */
MUST_CHECK enum code parquet_variants_apart(const struct batch *in, struct batch *out, struct error *err);

/* ---- levels: parquet_level.c ---- */

/* One slot per value or gap of a leaf. index: row of the leaf's column, or -1 when nothing is there. */
struct parquet_slots {
    uint8_t *definition, *repetition;
    int32_t *index;
    int64_t count, capacity;
};
struct parquet_shredder {
    struct parquet_slots slots, next; /* the result, and the working copy */
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
    struct text values, offsets; /* storage of slices that had to be converted */
};
void parquet_slicer_close(struct parquet_slicer *slicer);
/* Rows [from, from + count) of the leaf's column, all present. */
void parquet_slice_range(struct parquet_slicer *slicer, const struct parquet_leaf *leaf, const struct column *col,
                         int64_t from, int64_t count, struct parquet_slice *out);
/* The picked rows of the leaf's column; ascending, and no bytes between those of neighbours. */
void parquet_slice_pick(struct parquet_slicer *slicer, const struct parquet_leaf *leaf, const struct column *col,
                        const int32_t *rows, int64_t count, struct parquet_slice *out);
/* All values the same? */
bool parquet_slice_is_constant(const struct parquet_leaf *leaf, const struct parquet_slice *slice);
void parquet_slice_cut(const struct parquet_leaf *leaf, struct parquet_slice *slice, int64_t from, int64_t to);
/* Append as PLAIN; not BOOLEAN. */
void parquet_plain_append(const struct parquet_leaf *leaf, const struct parquet_slice *slice, struct text *out);
/* Append BOOLEAN as bits; `bits` are there already. */
void parquet_bits_append(const struct parquet_slice *slice, int64_t bits, size_t start, struct text *out);

/* ---- statistics: parquet_statistics.c ---- */

/* The first bytes of a value as big-endian words, filled up with 0: words compare as the bytes would. */
struct parquet_bound {
    uint64_t words[PARQUET_BOUND_BYTES_MAX / 8];
    uint32_t size; /* bytes kept */
    bool exact;    /* nothing was cut */
};
/* Least and greatest value seen; which pair is in use follows from the leaf. */
struct parquet_range {
    bool any, nan;
    int64_t int_min, int_max;
    double double_min, double_max;
    __int128 wide_min, wide_max;
    struct parquet_bound min, max;
};
void parquet_range_add(struct parquet_range *range, const struct parquet_leaf *leaf, const struct parquet_slice *slice);
void parquet_range_add_bytes(struct parquet_range *range, const uint8_t *data, size_t size);
/* Make `range` hold what `other` holds, too. */
void parquet_range_merge(struct parquet_range *range, const struct parquet_leaf *leaf,
                         const struct parquet_range *other);

/* What goes into the footer. size 0 with `present` is the empty string. */
struct parquet_statistics {
    bool present, min_exact, max_exact;
    uint8_t min_size, max_size;
    uint8_t min[PARQUET_BOUND_BYTES_MAX + 4], max[PARQUET_BOUND_BYTES_MAX + 4];
};
/* Bounds of texts and bytes have at most `cut` bytes. */
void parquet_range_finish(const struct parquet_range *range, const struct parquet_leaf *leaf, int64_t cut,
                          struct parquet_statistics *out);
/* Two bounds in the form of the footer, in the order of the leaf's values: < 0, 0, > 0. */
int parquet_bound_order(const struct parquet_leaf *leaf, struct bytes a, struct bytes b);

/* ---- the page index: parquet_page_index.c ---- */

struct parquet_page_place {
    int64_t start;      /* of the page's header; of what: as the chunk's */
    int32_t size_bytes; /* header included */
    int64_t first_row;  /* in the row group */
};
/* Of a chunk: where its pages are, and what they hold. */
struct parquet_page_index {
    struct parquet_page_place *places;
    int32_t count, capacity;
    bool unbounded;                       /* a page has no bounds, so no ColumnIndex can be written */
    bool rises, falls;                    /* so far: the bounds from page to page */
    struct parquet_statistics last;       /* bounds of the last page that has values */
    struct text empty, mins, maxs, nulls; /* items of the ColumnIndex's lists, as Thrift writes them */
};
void parquet_page_index_clear(struct parquet_page_index *index);
void parquet_page_index_close(struct parquet_page_index *index);
/* values: those present in the page. */
void parquet_page_index_add(struct parquet_page_index *index, const struct parquet_leaf *leaf,
                            struct parquet_page_place place, const struct parquet_range *range, int64_t cut,
                            int64_t values, int64_t nulls);
/* Append a ColumnIndex; nothing when it cannot be written. */
void parquet_column_index_write(const struct parquet_page_index *index, struct text *out);
void parquet_offset_index_write(const struct parquet_page_place *places, int32_t count, struct text *out);

/* ---- Bloom filters: parquet_bloom.c ---- */

/* Split blocks of 32 bytes. Zeroed = empty, nothing allocated. */
struct parquet_bloom {
    uint32_t *words;
    size_t size_bytes; /* a power of two */
};
void parquet_bloom_close(struct parquet_bloom *bloom);
void parquet_bloom_add(struct parquet_bloom *bloom, const struct parquet_options *options,
                       const struct parquet_leaf *leaf, const struct parquet_slice *slice);
/* Append header and bits, as small as the options' false positives allow, and forget the values. */
void parquet_bloom_finish(struct parquet_bloom *bloom, const struct parquet_options *options, struct text *out);

/* ---- dictionary: parquet_dictionary.c ---- */

struct parquet_entry {
    uint64_t low, high;    /* first and last 8 bytes; all of the value when it has at most 16 */
    uint32_t size, offset; /* of the value in plain */
};
struct parquet_dictionary {
    uint32_t count;
    uint32_t slot_count;           /* power of two, at least twice count */
    uint32_t *slots;               /* index + 1, or 0 */
    struct parquet_entry *entries; /* BYTE_ARRAY, and FIXED: all of the value, whatever its size */
    uint32_t entry_capacity;
    struct text plain; /* the dictionary page's body */
    size_t bytes_max;  /* of it */
    uint64_t seed;     /* random: nobody can prepare values that collide */
};
void parquet_dictionary_clear(struct parquet_dictionary *dictionary);
int64_t parquet_dictionary_held(const struct parquet_dictionary *dictionary); /* bytes of memory */
void parquet_dictionary_close(struct parquet_dictionary *dictionary);
/* Indexes of the first values of the slice; returns how many, fewer than all when the dictionary is full. */
int64_t parquet_dictionary_add(struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                               const struct parquet_slice *slice, uint32_t *indexes);
/* The values of the indexes, in the slicer's storage. */
void parquet_dictionary_unpack(const struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                               const uint32_t *indexes, int64_t count, struct parquet_slicer *slicer,
                               struct parquet_slice *out);
/* Add the entries of the indexes to the range. */
void parquet_dictionary_range(const struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                              const uint32_t *indexes, int64_t count, struct parquet_slicer *slicer,
                              struct parquet_range *range);
/* All entries, in the slicer's storage. */
void parquet_dictionary_entries(const struct parquet_dictionary *dictionary, const struct parquet_leaf *leaf,
                                struct parquet_slicer *slicer, struct parquet_slice *out);

/* ---- values to bytes: parquet_pack.c ---- */

/* Rooms of a lane's chunks for values on their way. */
struct parquet_packer {
    struct text lengths, prefixes, wide;
};
void parquet_packer_close(struct parquet_packer *packer);
/* Append the values; not for RLE_DICTIONARY, and of BOOLEAN only RLE. */
void parquet_pack(struct parquet_packer *packer, const struct parquet_leaf *leaf, enum parquet_encoding encoding,
                  const struct parquet_slice *slice, struct text *out);
/* The part of DELTA_LENGTH in front of the texts. */
void parquet_pack_lengths(struct parquet_packer *packer, const struct parquet_slice *slice, struct text *out);

/* ---- pages and chunks: parquet_page.c, parquet_column.c ---- */

/* A data page being filled. */
struct parquet_page {
    int64_t rows, slots, values;        /* values: present ones */
    struct text data;                   /* PARQUET_PAGE_HEADROOM, then PLAIN, uint32 indexes, or texts without sizes */
    struct text offsets;                /* DELTA_LENGTH, DELTA_BYTES: int32 start of each text, and the end */
    struct text definition, repetition; /* a byte per slot; definition: none while all values are present */
    struct parquet_range range;         /* of the values that are no indexes */
};
/* How values go into a chunk without a dictionary, and what that takes. */
struct parquet_choice {
    enum parquet_encoding encoding;
    double value_bytes;
    int32_t chunks_left; /* for which it holds */
};
struct parquet_chunk {
    const struct parquet_leaf *leaf;
    const struct parquet_options *options;
    enum parquet_encoding encoding; /* of the page being filled */
    enum codec codec;
    bool settled;     /* whether a dictionary pays was decided on a sample */
    int64_t expected; /* values, as the chunk before had */
    struct parquet_choice choice;
    struct parquet_page page;
    struct parquet_dictionary dictionary;
    struct parquet_range range; /* of finished pages */
    struct parquet_page_index index;
    struct parquet_bloom bloom;            /* of values outside the dictionary */
    struct text bytes;                     /* finished data pages */
    int64_t rows;                          /* in finished pages */
    int64_t slots, values;                 /* of the whole chunk, the page being filled included */
    int64_t plain_bytes;                   /* what PLAIN would have taken for the values so far */
    int64_t uncompressed_bytes;            /* of finished pages, headers included */
    int32_t pages[PARQUET_ENCODING_COUNT]; /* finished data pages */
};
/* What the chunks of a lane share. */
struct parquet_scratch {
    struct compressor compressors[CODEC_COUNT];
    struct parquet_shredder shredder;
    struct parquet_slicer slicer, unpacked; /* unpacked: of what is taken out of a dictionary */
    struct parquet_packer packer;
    struct text picks; /* int32 row indexes */
    struct text header, levels, wide, body, joined;
    struct text trial; /* compressed, to see what it takes */
};
struct parquet_chunk_meta {
    enum codec codec;
    enum parquet_version version;
    int64_t slots, nulls, uncompressed_bytes, compressed_bytes;
    int64_t start;       /* of the chunk: its dictionary page if it has one */
    int64_t data_start;  /* of its first data page */
    int64_t bloom_start; /* 0: none */
    int32_t bloom_bytes;
    bool dictionary;
    int32_t pages[PARQUET_ENCODING_COUNT];
    struct parquet_statistics statistics;
    struct parquet_page_place *places;
    int32_t place_count;
    struct text column_index; /* as Thrift writes it; empty: none */
    struct text bloom;        /* the filter, until it stands behind the chunks */
};
void parquet_chunk_meta_close(struct parquet_chunk_meta *meta);

void parquet_scratch_close(struct parquet_scratch *scratch);
/* The compressor of a chunk with these options, ready to use. */
struct compressor *parquet_compressor(struct parquet_scratch *scratch, enum codec codec,
                                      const struct parquet_options *options);
void parquet_page_clear(struct parquet_page *page);
/* The values of a page that holds no indexes and no bits. */
struct parquet_slice parquet_page_slice(const struct parquet_page *page);
/* Encode, compress and append the page to the chunk, and clear it. */
MUST_CHECK enum code parquet_page_flush(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                                        struct error *err);
/* Append the dictionary page to out. */
MUST_CHECK enum code parquet_page_dictionary(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                                             struct text *out, struct error *err);

void parquet_chunk_init(struct parquet_chunk *chunk, const struct parquet_leaf *leaf,
                        const struct parquet_options *options);
void parquet_chunk_close(struct parquet_chunk *chunk);
/* Give the memory of an empty chunk back. */
void parquet_chunk_shrink(struct parquet_chunk *chunk);
/* Rows [from, to) of the top-level column the leaf is in. */
MUST_CHECK enum code parquet_chunk_add(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                                       const struct column *col, int64_t from, int64_t to, struct error *err);
/* About the bytes that parquet_chunk_finish would append. */
int64_t parquet_chunk_bytes(const struct parquet_chunk *chunk);
/* Bytes of memory that the chunk's values take now. */
int64_t parquet_chunk_held(const struct parquet_chunk *chunk);
/* Append the whole chunk to out, describe it, and begin the next one. */
MUST_CHECK enum code parquet_chunk_finish(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                                          struct text *out, struct parquet_chunk_meta *meta, struct error *err);

/* ---- the choice of the encoding: parquet_choice.c ---- */

/* Is there a choice for this leaf, so that a chunk begins with a dictionary? */
bool parquet_has_choice(const struct parquet_leaf *leaf, const struct parquet_options *options);
/* Are there values enough to decide by? */
bool parquet_has_sample(const struct parquet_chunk *chunk);
/* Does the dictionary promise to stay small and to save something? */
bool parquet_dictionary_pays(const struct parquet_chunk *chunk);
/* The same, against all other encodings; while the first page is being filled. */
bool parquet_keeps_dictionary(struct parquet_chunk *chunk, struct parquet_scratch *scratch);
/* What the dictionary would take once compressed, as a share of what it takes now. */
double parquet_dictionary_shrinks_to(const struct parquet_chunk *chunk, struct parquet_scratch *scratch);
/* The encoding for these values without a dictionary; the slice may not be in the rooms of the scratch that
 * parquet_pack uses. */
enum parquet_encoding parquet_choose(struct parquet_chunk *chunk, struct parquet_scratch *scratch,
                                     const struct parquet_slice *slice);

/* ---- sorted row groups: parquet_sort.c ---- */

/* A column by which the rows of each row group are sorted: SortingColumn of parquet.thrift. */
struct parquet_sorting {
    int32_t leaf;
    bool descending, nulls_first;
};
struct parquet_sortings {
    struct parquet_sorting *items;
    int32_t count;
};
/* "a, b DESC NULLS LAST". E_SPEC names what is no column, or no word. */
MUST_CHECK enum code parquet_sortings_parse(const struct parquet_schema *schema, const char *text, struct arena *arena,
                                            struct parquet_sortings *out, struct error *err);
struct parquet_sort_row {
    uint64_t word;
    int32_t row, rank;
};
struct parquet_sorter {
    const struct parquet_schema *schema;
    const struct parquet_sortings *sortings; /* at least one */
    struct column *columns;                  /* what was added, as it came */
    struct parquet_sort_row *order;          /* once sorted */
    int64_t rows, bytes;                     /* bytes of the columns */
};
void parquet_sorter_init(struct parquet_sorter *sorter, const struct parquet_schema *schema,
                         const struct parquet_sortings *sortings);
void parquet_sorter_close(struct parquet_sorter *sorter);
void parquet_sorter_add(struct parquet_sorter *sorter, const struct batch *batch, int64_t from, int64_t to);
void parquet_sorter_sort(struct parquet_sorter *sorter);
/* Rows [from, to) in their order; `out` is the caller's to release. */
void parquet_sorter_rows(const struct parquet_sorter *sorter, int64_t from, int64_t to, struct batch *out);
void parquet_sorter_clear(struct parquet_sorter *sorter);

/* ---- files: parquet_footer.c ---- */

struct parquet_group {
    int64_t rows;
    struct parquet_chunk_meta *chunks; /* one per leaf */
    int32_t leaf_count;
};
/* Row groups with their places, relative to a piece or, in a file, to the file. */
struct parquet_groups {
    struct parquet_group *items;
    int32_t count, capacity;
};
void parquet_groups_free(struct parquet_groups *groups);
/* parquet_summary.c: Delta's statistics of a whole file, of its first `columns_max` leaves; appended. */
void parquet_summary_print(const struct parquet_schema *schema, const struct parquet_groups *groups,
                           int32_t columns_max, struct text *out);
/* What a file's footer says. */
struct parquet_file {
    const struct parquet_schema *schema;
    const struct parquet_groups *groups;
    struct parquet_sortings sortings;
    const char *created_by;
};
/* The page index, FileMetaData, its size and the closing magic; `offset`: where this will stand in the file. */
void parquet_footer_write(const struct parquet_file *file, int64_t offset, struct text *out);

#endif
