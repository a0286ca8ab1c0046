/* format.h - payload bytes to columns, and columns to the bytes of files.
 *
 * Decoder  one payload column in (STRING or BINARY), one STRUCT column out, schema-directed: only the fields that
 *          some consumer needs are materialised. Never fails on data: PERMISSIVE gives NULLs and _corrupt_record,
 *          FAILFAST appends a reject
 * Encoder  batches in, bytes of one file out. Several lanes (one per worker) encode at once; what a lane has
 *          finished is a piece (a Parquet row group, a block of CSV lines); pieces are put into the file one
 *          after the other, in any order, by whoever holds the file
 * Owns     instances own their memory; a piece's bytes are moved out
 * Thread   an instance belongs to one thread at a time; the file functions: one thread at a time
 * Add one  a file, and a line in format/formats.c; the contract test round-trips every type
 */
#ifndef FORMAT_FORMAT_H
#define FORMAT_FORMAT_H

#include "base/options.h"
#include "data/data.h"
#include "format/infer.h"
#include "format/json_extract.h"
#include "format/variant_json.h"

/* ---- decoding ---- */

enum decode_mode { DECODE_PERMISSIVE, DECODE_FAILFAST, DECODE_DROPMALFORMED };

struct decoder_spec {
    const struct type *schema; /* STRUCT, what the user wrote (with _corrupt_record when he asked for it) */
    const bool *needed;        /* per top-level field; NULL = all. A field not needed becomes a column of NULLs */
                               /* but is still checked when _corrupt_record is needed */
    enum decode_mode mode;
    const char *corrupt_column;                             /* "_corrupt_record" */
    const struct zone *zone;                                /* session zone for texts without one */
    int simd;                                               /* -1: the best the machine has; 0: portable path (tests) */
    const char *const *option_names, *const *option_values; /* those that the decoder does not know are another's */
    int32_t option_count;
    bool exact_texts; /* JSON: what is no string goes into a STRING as it stands: 1.10, {"a": 1} */
};
struct decoder_type {
    const char *name, *help;
    const struct option *options; /* mode, columnNameOfCorruptRecord, timestampFormat, ... */
    size_t size;
    enum code (*open)(void *self, const struct decoder_spec *spec, struct error *err) MUST_CHECK;
    /* out: STRUCT column of payload->rows rows. Rejects get {row, -1, REJECT_MALFORMED} in FAILFAST. */
    enum code (*decode)(void *self, const struct column *payload, struct column *out, struct rejects *rejects,
                        struct error *err) MUST_CHECK;
    /* Fields that payloads have had and spec->schema has not, at any depth: how many different ones, which only grows, and how
     * often each was met. A path is a.b; the elements of an array have no part of it. Names too long or too many to be told
     * apart are one, "*". NULL: the format does not tell. */
    int32_t (*stranger_count)(const void *self);
    void (*strangers)(const void *self, void (*each)(void *context, const char *path, int64_t met), void *context);
    void (*close)(void *self);
};
extern const struct decoder_type *const decoder_types[]; /* ends with NULL */
const struct decoder_type *decoder_find(const char *name);

/* ---- encoding ---- */

/* A finished part of a file. Moved with piece_take; `detail` belongs to the encoder that made it. */
struct piece {
    struct text bytes; /* what goes into the file */
    int64_t rows;
    void *detail; /* Parquet: row-group metadata with offsets relative to the piece; or NULL */
};
struct encoder_spec {
    const struct type *schema; /* STRUCT of the columns of the file, in order */
    const char *compression;   /* none, snappy, zstd, gzip, lz4; NULL = the format's default */
    int64_t row_group_bytes;   /* aim for the encoded size of a piece, bytes; 0 = default */
    const struct zone *zone;   /* session zone, for text formats */
    const char *created_by;    /* "leat version 0.1.0" */
    const char *const *option_names, *const *option_values; /* further options of the table, already checked */
    int32_t option_count;
};
struct encoder_type {
    const char *name, *help; /* parquet, csv, json */
    const char *suffix;      /* ".parquet", ".csv", ".json" */
    const struct option *options;
    /* A lane: one worker's builder of pieces. */
    size_t lane_size;
    enum code (*lane_open)(void *lane, const struct encoder_spec *spec, struct error *err) MUST_CHECK;
    /* Add rows [from, to). */
    enum code (*lane_add)(void *lane, const struct batch *batch, int64_t from, int64_t to, struct error *err)
        MUST_CHECK;
    int64_t (*lane_rows)(const void *lane);  /* rows not yet taken */
    int64_t (*lane_bytes)(const void *lane); /* about what take would give, encoded bytes */
    /* Finish what was added into one piece; the lane is empty and ready afterwards. No rows: an empty piece. */
    enum code (*lane_take)(void *lane, struct piece *out, struct error *err) MUST_CHECK;
    void (*lane_close)(void *lane);
    /* A file: header bytes, then pieces at the offsets where they land, then the footer. Texts are appended to. */
    size_t file_size;
    enum code (*file_open)(void *file, const struct encoder_spec *spec, struct text *header, struct error *err)
        MUST_CHECK;
    /* The piece's bytes are about to be written at `offset`; takes over piece->detail. */
    enum code (*file_add)(void *file, struct piece *piece, int64_t offset, struct error *err) MUST_CHECK;
    enum code (*file_finish)(void *file, struct text *footer, struct error *err) MUST_CHECK;
    /* After file_finish: count of rows, bounds and NULLs of the first `columns_max` columns, as Delta's log has them;
     * appended. NULL: a format that does not know. */
    void (*file_summary)(const void *file, int32_t columns_max, struct text *out);
    void (*file_close)(void *file);
    void (*piece_close)(struct piece *piece); /* frees bytes and detail */
};
extern const struct encoder_type *const encoder_types[]; /* ends with NULL */
const struct encoder_type *encoder_find(const char *name);

/* ---- reading files of columns ---- */

/* A file to read: `name` for messages; read gives exactly `size` bytes or fails. All borrowed until the reader is gone. */
struct parquet_input {
    const char *name;
    int64_t size_bytes;
    void *context;
    enum code (*read)(void *context, int64_t offset, void *out, size_t size, struct error *err);
};
/* Parquet, of any writer: parquet_read.h says how.
 * Fails    E_CORRUPT: bytes that are no Parquet file; E_UNSUPPORTED: encryption, LZO, BROTLI, a type that leat does not
 *          have. The text names the file, the column and the row group
 * Limits   what it holds is charged to the budget; a column's page may have 512 MiB */
/* In front of a number, in place of a column's or field's name: the one with that field_id in the file's schema. */
#define PARQUET_BY_ID "\002"
struct parquet_reader;
MUST_CHECK enum code parquet_reader_new(const struct parquet_input *input, struct budget *budget,
                                        struct parquet_reader **out, struct error *err);
void parquet_reader_free(struct parquet_reader *reader);
/* The columns that leat has a type for, as Spark types them; lives as long as the reader. */
const struct type *parquet_reader_schema(const struct parquet_reader *reader);
int64_t parquet_reader_rows(const struct parquet_reader *reader);
/* Read these columns, found by name ignoring case; those that the file lacks are NULL. `schema` is borrowed. E_UNSUPPORTED
 * when a column has another type, that the one asked for does not hold. Before the first parquet_reader_next. */
MUST_CHECK enum code parquet_reader_select(struct parquet_reader *reader, const struct type *schema, struct error *err);
/* Pass over row groups of which the footer says that no row meets all tests; borrowed. Before the first parquet_reader_next. */
void parquet_reader_filter(struct parquet_reader *reader, const struct row_test *tests, int32_t count);
/* Pass over row groups from the first on, as long as they lie within the first `rows`; gives the rows of those. Before the
 * first parquet_reader_next. */
int64_t parquet_reader_skip(struct parquet_reader *reader, int64_t rows);
/* For inputs that come by a network: `expect` is told, with the input's context, which parts will be read until it is told again:
 * the selected columns of a row group, and of the next ones where they are small. Before the first parquet_reader_next. */
struct parquet_span {
    int64_t offset, size_bytes;
};
void parquet_reader_announce(struct parquet_reader *reader,
                             enum code (*expect)(void *context, const struct parquet_span *spans, int32_t count,
                                                 struct error *err));
/* The next rows, at most rows_max; out->rows = 0: the file has ended. */
MUST_CHECK enum code parquet_reader_next(struct parquet_reader *reader, int64_t rows_max, struct batch *out,
                                         struct error *err);

/* Values as JSON text, as Spark's to_json writes them; keep_nulls: fields of structs that are NULL are written, too.
 * One thread at a time. */
struct json_printer;
struct json_printer *json_printer_new(const struct zone *zone, bool keep_nulls);
void json_printer_free(struct json_printer *printer);
void json_print(struct json_printer *printer, const struct column *col, int64_t row, struct text *out);
/* One value, NULL fields left out. */
void json_write_value(const struct column *col, int64_t row, const struct zone *zone, struct text *out);
/* The same in UTC, with microseconds, where Spark's writer has milliseconds, and dates and times as keys of MAPs as they are
 * elsewhere: from_json makes the value of it again. */
void json_write_exact(const struct column *col, int64_t row, struct text *out);

bool utf8_valid(const uint8_t *p, size_t size);

/* Looking into one payload of JSON, for messages. Paths are `a.b[3].c`, with names as they stand there. */
/* The value at `path`, as it stands there. The first one when a name is there twice. False: absent, or it is no JSON. */
bool json_path_find(struct bytes json, const char *path, struct bytes *value);
/* Where it stops being JSON as the decoder reads it: `rest` is what begins there, `path` (appended to) the member that is
 * open. False: the first value is whole. */
bool json_fault_find(struct bytes json, struct text *path, struct bytes *rest);

/* ---- what files of lines look like: the schemas that Spark infers ---- */

/* Records of JSON together: fields by name, BIGINT, DOUBLE, BOOLEAN, STRING, DECIMAL(p,0) for integers that BIGINT does not
 * hold, ARRAY, STRUCT. */
struct json_shape;
struct json_shape *json_shape_new(void);
void json_shape_free(struct json_shape *shape);
/* An object, or an array of objects: several records. What is neither is remembered as corrupt; blanks are nothing. */
void json_shape_add(struct json_shape *shape, struct bytes json);
/* A STRUCT in `arena`, with a field `corrupt_column` STRING where a payload was corrupt. E_SQL: a record has two fields of
 * one name; E_UNSUPPORTED: too many fields. */
MUST_CHECK enum code json_shape_type(struct json_shape *shape, const char *corrupt_column, struct arena *arena,
                                     const struct type **out, struct error *err);

/* Lines of separated values. The first line tells how many columns there are, and their names where the option `header` is
 * true (else _c0, _c1, ..); all are STRING, or with `inferSchema` INT, BIGINT, DECIMAL(p,0), DOUBLE, DATE, TIMESTAMP,
 * BOOLEAN where each value is one. Options as those of the decoder; others are passed over. */
struct csv_shape;
MUST_CHECK enum code csv_shape_new(const char *const *option_names, const char *const *option_values,
                                   int32_t option_count, const struct zone *zone, struct csv_shape **out,
                                   struct error *err);
void csv_shape_free(struct csv_shape *shape);
/* The first line of all (header or not), then every other one that is a record. False: more lines change nothing. */
bool csv_shape_add(struct csv_shape *shape, struct bytes line);
/* NULL in *out: there was no line. */
void csv_shape_type(struct csv_shape *shape, struct arena *arena, const struct type **out);

/* Calls each for every member of `json` that `schema`, a STRUCT, does not name, at any depth: its path as decoder_type.strangers
 * has it, and the value as it stands there. Nothing, when the payload is broken. */
void json_strangers_find(struct bytes json, const struct type *schema,
                         void (*each)(void *context, const char *path, struct bytes value), void *context);
/* What Spark would infer a field of this value to be. */
const struct type *json_value_type(struct bytes value, struct arena *arena);

/* A type as Spark's JSON (DataType.json), for Parquet's row metadata and Delta's schemaString. all_nullable: every
 * field is said to be nullable, as Spark does for files. */
void spark_schema_write(const struct type *type, bool all_nullable, struct text *out);

#endif
