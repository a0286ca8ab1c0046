/* parquet_read.h - what the parts of the Parquet reader share; private to format/.
 *
 * Parts    parquet_meta.c      the footer: schema elements, and where each column chunk lies
 *          parquet_tree.c      schema elements as a tree of leat's types, with the levels of each node
 *          parquet_convert.c   a file's values as those of the type that is asked for
 *          parquet_pages.c     the pages of a column chunk, one after the other
 *          parquet_values.c    the values of a page, in every encoding
 *          parquet_assemble.c  levels and dense values as columns
 *          parquet_reader.c    files: open, select columns, next rows
 * Levels   a slot is a value or a gap of a leaf. A node of the tree has one entry for every slot of a
 *          leaf below it with repetition <= node.repetition and definition >= node.list_definition; the
 *          entry is NULL when its definition is below node.definition. Lists and maps count the entries
 *          of their children
 * Memory   of a leaf: a page as stored and as decompressed, a dictionary, a batch's values; all but the
 *          last are charged to the budget. Nothing of a size that the file promises is allocated before
 *          the file is known to have it
 * Spec     github.com/apache/parquet-format
 */
#ifndef FORMAT_PARQUET_READ_H
#define FORMAT_PARQUET_READ_H

#include "format/decompress.h"
#include "format/format.h"
#include "format/parquet_internal.h"
#include "format/rle_read.h"

enum {
    PARQUET_MAGIC_SIZE = 4,
    PARQUET_TAIL_SIZE = 8,         /* size of the footer, magic */
    PARQUET_FOOTER_MAX = 64 << 20, /* bytes */
    PARQUET_PAGE_MAX = 512 << 20,  /* bytes of a page, as stored and decompressed */
    PARQUET_HEADER_MAX = 1 << 20,  /* bytes of a page's header */
    PARQUET_WINDOW = 256 << 10,    /* bytes read at once, of a chunk */
    PARQUET_SLOTS_MAX = 64 << 20,  /* of a leaf in a batch */
    PARQUET_SLOTS_AIM = 1 << 20,
    PARQUET_BATCH_BYTES_AIM = 64 << 20, /* of a column of texts in a batch */
    PARQUET_BATCH_BYTES_MAX = 1 << 30,
};

/* ---- the footer ---- */

enum { PARQUET_INT96 = 3 }; /* Type: nanoseconds of a day, then its Julian number; never written */

/* Members of the union LogicalType that matter here; older ConvertedTypes are turned into them. */
enum parquet_logical {
    LOGICAL_NONE = 0,
    LOGICAL_STRING = 1,
    LOGICAL_MAP = 2,
    LOGICAL_LIST = 3,
    LOGICAL_ENUM = 4,
    LOGICAL_DECIMAL = 5,
    LOGICAL_DATE = 6,
    LOGICAL_TIME = 7,
    LOGICAL_TIMESTAMP = 8,
    LOGICAL_INTEGER = 10,
    LOGICAL_UNKNOWN = 11, /* nothing but NULLs */
    LOGICAL_JSON = 12,
    LOGICAL_VARIANT = 16,
    LOGICAL_OTHER = 99 /* a logical type that leat has no type for */
};
enum parquet_unit { UNIT_MILLIS = 1, UNIT_MICROS = 2, UNIT_NANOS = 3 };
enum parquet_repetition { FIELD_REQUIRED = 0, FIELD_OPTIONAL = 1, FIELD_REPEATED = 2 };

struct parquet_element {
    const char *name;
    int physical; /* -1: a group */
    int32_t width, children, scale, precision;
    int32_t field_id; /* 0: none, or 0 */
    enum parquet_repetition repetition;
    enum parquet_logical logical;
    int bits; /* INTEGER */
    bool is_signed, utc;
    enum parquet_unit unit;
};
struct parquet_place {
    int codec, physical;
    int64_t values, offset, size_bytes, uncompressed_bytes;
    struct bytes min, max; /* as stored; data NULL: not known */
    int64_t null_count;    /* -1: not known */
};
struct parquet_row_group {
    int64_t rows;
    struct parquet_place *chunks; /* one per leaf, in schema order */
};
struct parquet_meta {
    struct parquet_element *elements;
    int32_t element_count, leaf_count, group_count;
    struct parquet_row_group *groups;
    int64_t rows;
};
MUST_CHECK enum code parquet_meta_read(struct bytes footer, int64_t file_bytes, struct arena *arena,
                                       struct parquet_meta *out, struct error *err);

enum { STATISTIC_MAX = 256 }; /* bytes of a bound that are kept */

/* ---- the tree ---- */

struct parquet_node {
    const char *name, *path;          /* path: from the top, with dots */
    enum type_id kind;                /* STRUCT, ARRAY, MAP; NULL: a leaf */
    const struct type *type;          /* leat's; NULL: it has none, and `element` or a child says why */
    const struct type *variant_group; /* of a group that a VARIANT may lie in: as what it is read; or NULL */
    const struct parquet_element *element;
    uint8_t definition;      /* at least so much: the entry is there */
    uint8_t list_definition; /* at least so much: the lists above have an element here */
    uint8_t repetition;
    int32_t leaf;                  /* the first below it, or itself */
    struct parquet_node *children; /* STRUCT: fields, ARRAY: element, MAP: key and value */
    int32_t child_count;
};
/* The child of that name, or with the field id of a name PARQUET_BY_ID..; NULL: none. */
const struct parquet_node *parquet_node_find(const struct parquet_node *node, const char *name);
MUST_CHECK enum code parquet_tree_build(const struct parquet_meta *meta, struct arena *arena, struct parquet_node *root,
                                        struct error *err);

/* parquet_variant.c: as what a group is read that a VARIANT lies in; NULL: none can. `group`: its type as a STRUCT, or NULL. */
const struct type *parquet_variant_of(const struct parquet_node *node, const struct type *group);
/* Such a group becomes a VARIANT column; it is consumed. E_CORRUPT. */
MUST_CHECK enum code parquet_variant_join(struct column *group, struct column *out, struct error *err);
/* parquet_shredded.c: the same of values that are in columns of their own. */
bool parquet_shredded_fits(const struct type *group);
MUST_CHECK enum code parquet_shredded_join(const struct column *group, struct builder *out, struct error *err);

/* parquet_prune.c: can a row of the group meet all tests? */
bool parquet_group_may_meet(const struct parquet_meta *meta, const struct parquet_node *root, int32_t group,
                            const struct row_test *tests, int32_t test_count);

/* ---- values of a type ---- */

/* What becomes of a stored value. */
enum parquet_step_of_value {
    VALUE_COPY,
    VALUE_BOOLEAN,
    VALUE_INT, /* between widths; unsigned ones were widened */
    VALUE_INT_TO_DOUBLE,
    VALUE_FLOAT_TO_DOUBLE,
    VALUE_TIME, /* times of another unit: `factor` up, `divisor` down */
    VALUE_INT96,
    VALUE_DECIMAL, /* of INT32, INT64, big-endian FIXED or BYTE_ARRAY; times `factor` */
    VALUE_BYTES
};
struct parquet_convert {
    enum parquet_step_of_value step;
    int in_width, out_width; /* bytes; BOOLEAN comes out as a byte; BYTES: 0 */
    bool in_unsigned, big_endian;
    int64_t min, max; /* INT: of the type asked for */
    int64_t factor, divisor;
    __int128 wide_factor, bound; /* DECIMAL: |value| < bound, before it is scaled */
};
/* E_UNSUPPORTED names both types. */
MUST_CHECK enum code parquet_convert_plan(const struct parquet_node *leaf, const struct type *type,
                                          struct parquet_convert *out, struct error *err);
MUST_CHECK enum code parquet_convert_refuse(const struct parquet_node *node, const struct type *type,
                                            struct error *err);
/* `count` values, one behind the other; false: one does not fit into the type. Not for BYTES. */
MUST_CHECK bool parquet_convert_run(const struct parquet_convert *convert, const uint8_t *in, int64_t count,
                                    uint8_t *out);
/* One BYTE_ARRAY as a DECIMAL. */
MUST_CHECK bool parquet_convert_bytes(const struct parquet_convert *convert, struct bytes in, uint8_t *out);

/* ---- leaves ---- */

/* Memory that is charged, with READ_PADDING bytes behind it. */
struct parquet_room {
    uint8_t *data;
    size_t capacity;
};
/* Values of the type that was asked for, dense. */
struct parquet_values {
    int64_t count, capacity; /* values */
    struct buffer *fixed;    /* out_width bytes each, or: */
    struct buffer *offsets, *bytes;
};
struct parquet_dictionary_read {
    struct parquet_values values;
    int64_t longest; /* bytes */
    size_t charged;
};
struct parquet_page_read {
    int64_t slots_left, values_left; /* values_left: at most so many are stored */
    struct rle_reader repetition, definition;
    enum parquet_encoding encoding;
    const uint8_t *at, *end;   /* values not yet read */
    struct rle_reader indexes; /* and of booleans */
    uint32_t bit;              /* PLAIN booleans: of *at */
    struct delta_reader delta;
    int64_t stride, next;        /* BYTE_STREAM_SPLIT: values of the page; the next one */
    int32_t *lengths, *prefixes; /* DELTA_LENGTH, DELTA_BYTES: of all values of the page */
    struct text previous;        /* DELTA_BYTES */
};
struct parquet_leaf_read {
    const struct parquet_input *input;
    struct budget *budget;
    struct decompressor *decompressor;
    const struct parquet_node *node;
    struct parquet_convert convert;
    /* the chunk */
    const struct parquet_place *place;
    int64_t offset, left; /* of what is not in the window yet */
    int64_t chunk_slots;  /* not yet read */
    struct parquet_room window, page_bytes;
    size_t first, last; /* [first, last) of the window is not used yet */
    struct parquet_dictionary_read dictionary;
    bool has_dictionary;
    struct parquet_page_read page;
    size_t lengths_charged;
    uint8_t ahead[1024]; /* repetition levels of the page's next slots */
    int32_t ahead_at, ahead_count;
    /* a batch */
    struct parquet_values values;
    uint8_t *definitions, *repetitions;
    int64_t slots, definition_capacity, repetition_capacity;
};
void parquet_leaf_close(struct parquet_leaf_read *leaf);
MUST_CHECK enum code parquet_leaf_begin(struct parquet_leaf_read *leaf, const struct parquet_place *place,
                                        struct error *err);
/* Rows of a batch that this leaf has room for. */
int64_t parquet_leaf_rows(const struct parquet_leaf_read *leaf, int64_t group_rows);
/* The slots of the next `rows` rows; what the batch before has left is gone. */
MUST_CHECK enum code parquet_leaf_next(struct parquet_leaf_read *leaf, int64_t rows, struct error *err);
/* Be at a page that has slots left; E_CORRUPT when the chunk has none. */
MUST_CHECK enum code parquet_page_next(struct parquet_leaf_read *leaf, struct error *err);
/* A page's body, levels passed: be ready to read its values. */
MUST_CHECK enum code parquet_values_begin(struct parquet_leaf_read *leaf, struct bytes body,
                                          enum parquet_encoding encoding, struct error *err);
/* The next `count` values behind leaf->values. */
MUST_CHECK enum code parquet_values_next(struct parquet_leaf_read *leaf, int64_t count, struct error *err);
MUST_CHECK enum code parquet_dictionary_load(struct parquet_leaf_read *leaf, struct bytes body, int64_t count,
                                             struct error *err);
void parquet_values_release(struct parquet_values *values);
void parquet_values_reserve(struct parquet_values *values, const struct parquet_convert *convert, int64_t more);
/* Charged before it is there. */
MUST_CHECK enum code parquet_room_reserve(struct parquet_leaf_read *leaf, struct parquet_room *room, size_t size,
                                          struct error *err);

/* ---- columns ---- */

/* What is asked for, over the tree of the file. */
struct parquet_pick {
    const struct type *type;
    const struct parquet_node *node; /* NULL: the file has no such column */
    int32_t leaf;                    /* of the reader's leaves: the one whose levels count */
    struct parquet_pick *children;
};
/* Consumes the values of the leaves. `rows`: entries that the parent has. `out` is valid, or empty, also
 * on failure. */
MUST_CHECK enum code parquet_assemble(const struct parquet_pick *pick, struct parquet_leaf_read *leaves, int64_t rows,
                                      struct column *out, struct error *err);

#endif
