/* source.h - deliver raw records with partition and offset; seek where the chain says.
 *
 * Kinds    kafka; json, csv and text: the lines of files, which something else decodes (files.h); parquet and delta: files
 *          that have columns already (columns.h)
 * Shape    a batch has Kafka's seven columns: key BINARY, value BINARY, topic STRING, partition
 *          INT, offset BIGINT, timestamp TIMESTAMP, timestampType INT; columns nobody needs are
 *          zeroed (type NULL pointer)
 * Ranges   half open [from, to) per partition. `to` is the NEXT offset, never a count: gaps of
 *          compaction and transactions are passed over (exactly-once.md, rule 10)
 * Epoch    source_plan's caller decides `to`; the source delivers all records of every range, then
 *          says done. What was prefetched beyond `to` is kept for the next epoch, never delivered
 *          early
 * Owns     delivered batches are moved to the caller
 * Fails    E_BROKER transient; E_LOST when offsets are gone (retention, topic re-created) and
 *          failOnDataLoss, or when a file was rewritten or removed before it was read
 * Thread   fetch: one thread. latest, lag, stop: any
 * Faults   assign
 * Spec     Spark's Kafka source options; broker.md section 10 for librdkafka 2.0.2's facts
 */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "base/options.h"
#include "data/data.h"
#include "store/store.h"

/* Behind the columns of a source that has its own, when it is a stream: where each row comes from. */
enum source_place { PLACE_TOPIC, PLACE_PARTITION, PLACE_OFFSET, PLACE_TIMESTAMP, PLACE_COUNT };

enum source_column {
    SOURCE_KEY,
    SOURCE_VALUE,
    SOURCE_TOPIC,
    SOURCE_PARTITION,
    SOURCE_OFFSET,
    SOURCE_TIMESTAMP,
    SOURCE_TIMESTAMP_TYPE,
    SOURCE_HEADERS,
    SOURCE_COLUMN_COUNT
};

/* One partition's place. Strings are owned by the positions object. */
struct source_range {
    const char *topic;
    char topic_id[40]; /* broker's id when known, else "": a topic made anew has another */
    int32_t partition;
    int64_t from, to; /* to = -1: not planned */
    int64_t latest;   /* end when last asked (last stable offset for read_committed) */
    int64_t earliest; /* first offset still there */
    int64_t lost; /* offsets that were passed over because their records were gone (failOnDataLoss=false); only grows */
};
struct source_ranges {
    struct source_range *items;
    int32_t count, capacity;
};
void source_ranges_free(struct source_ranges *ranges);
/* A new range at the end: topic copied, to = -1, the rest zero. The pointer holds until the next
 * add. */
struct source_range *source_ranges_add(struct source_ranges *ranges, const char *topic, int32_t partition);
/* A second list with its own strings; what `out` held before is freed. */
void source_ranges_copy(struct source_ranges *out, const struct source_ranges *ranges);
struct source_range *source_ranges_find(const struct source_ranges *ranges, const char *topic, int32_t partition);

struct source_spec {
    const char *name;
    const char *const *option_names, *const *option_values; /* Spark's reader options, `kafka.*` included */
    int32_t option_count;
    bool needed[SOURCE_COLUMN_COUNT];
    const struct type
        *schema; /* the columns to give, for a type that has columns of its own; lives as long as batches do */
    bool stream; /* of a type with columns: read in epochs; batches have PLACE_COUNT columns more */
    const struct zone *zone; /* session zone, for times in names of folders */
    bool may_lack;           /* the path need not exist yet: no files then */
    const struct row_test
        *tests;           /* of a source that is read whole: files in which no row can meet all of them may be */
    int32_t test_count;   /* passed over. Borrowed */
    bool partitioned;     /* files of lines: folders name=value below the path are entered */
    bool tells_file;      /* columns of `schema` may be SOURCE_FILE_COLUMN, or fields of it */
    const char *group_id; /* for the offset mirror; "leat-<Q8>" unless kafka.group.id says */
    int64_t buffer_bytes; /* most bytes prefetched */
    struct budget *budget;
    int32_t batch_rows;              /* most rows of a batch; 0 = BATCH_ROWS_MAX */
    struct store *store;             /* the checkpoint's, for what a source must remember beside its offsets; NULL: */
    const char *folder;              /* nothing is remembered. `folder` is the source's own folder there */
    bool (*stopping)(void *context); /* asked now and then while discover waits for an answer: true = */
    void *stopping_context;          /* E_STOPPED; or NULL */
};

/* What there is to read, as far as it is known before it is read. Types and strings live in the arena that was given, or as
 * long as the source. */
struct source_shape {
    const struct type *columns;      /* of a type with columns; else NULL */
    const struct type *path_columns; /* what folders name=value give; among `columns` too */
    int64_t files, size_bytes;
};

/* A file whose rows are given. */
struct source_file {
    const char *path;
    int64_t size_bytes, modified_us;
    const int64_t *row_numbers; /* where its rows stand in it, or NULL */
};

struct source_type {
    const char *name, *help;
    const struct option *options;
    /* What the table of options cannot say of a value: E_SPEC. NULL: nothing. */
    enum code (*check)(const char *name, const char *value, struct error *err) MUST_CHECK;
    size_t size;
    bool offsets_in_bytes; /* from, to and latest count bytes, not records */
    bool columns;          /* batches have the columns of source_spec.schema */
    bool still;            /* it can only be read whole */
    bool ends;             /* it can also be read whole, from 0 to `latest`. Without a store
                            * discover then gives a topic_id that changes with what is there */
    enum code (*open)(void *self, const struct source_spec *spec, struct error *err) MUST_CHECK;
    /* All partitions now there, with earliest and latest. New partitions start at 0 (E_LOST when
     * that is gone and failOnDataLoss); at the very first start `from` is what startingOffsets
     * says. `known` holds the chain's offsets (from = next offset to read), empty at the first
     * start. One attempt: after E_BROKER, E_IO and E_ABSENT (a topic that is not there) the caller
     * waits and asks again (base/retry.h). */
    enum code (*discover)(void *self, const struct source_ranges *known, struct source_ranges *out, struct error *err)
        MUST_CHECK;
    /* After discover. NULL: a type that has no end. */
    enum code (*describe)(void *self, struct arena *arena, struct source_shape *out, struct error *err) MUST_CHECK;
    /* The file that a line's topic names; false: not known. NULL: a type with columns. */
    bool (*file_of)(const void *self, const char *path, struct source_file *out);
    /* Bytes of what describe counted that are read; NULL: offsets_in_bytes, and `from` of the ranges tells. */
    int64_t (*read_bytes)(const void *self);
    /* Bound the next epoch by the source's own limits (maxFilesPerTrigger), open epochs too: sets
     * `to` of each range, never beyond `latest`. NULL: source_plan(), and no bounds in an open
     * epoch. */
    void (*plan)(void *self, struct source_ranges *ranges);
    /* Start delivering from `from` of each range (assign and seek; everything prefetched is
     * dropped). */
    enum code (*seek)(void *self, const struct source_ranges *ranges, struct error *err) MUST_CHECK;
    /* The next batch of records inside the planned ranges, at most BATCH_ROWS_MAX rows; waits at
     * most wait_us. ranges[i].to >= 0 bounds partition i; to = -1 means no bound: then take what
     * comes (continuous trigger). *done: every bounded range is delivered. E_OK with out->rows =
     * 0: nothing came in time. Raises ranges[i].from to the next offset not yet delivered. */
    enum code (*fetch)(void *self, struct source_ranges *ranges, int64_t wait_us, struct batch *out, bool *done,
                       struct error *err) MUST_CHECK;
    /* Mirror the committed next offsets (`from`) to the broker's group, for lag tools; failure is
     * only a warning (fault group_commit). */
    enum code (*mirror)(void *self, const struct source_ranges *committed, struct error *err) MUST_CHECK;
    /* Interrupt a waiting call from another thread (a signal's watcher). From then on discover,
     * seek and fetch answer E_STOPPED; mirror and close still work. */
    void (*stop)(void *self);
    void (*close)(void *self);
    /* Who answers, as the user is told: "kafka 127.0.0.1:9092". NULL: nobody but its own files. */
    const char *(*dependency)(const void *self);
};
extern const struct source_type *const source_types[]; /* ends with NULL */
const struct source_type *source_find(const char *name);
/* For tests: takes the place of the type of the same name. NULL: back to the real one. */
void source_install(const struct source_type *fake);

/* Split a limit over partitions in proportion to what each still has, as Spark's
 * maxOffsetsPerTrigger does; sets `to`. */
void source_plan(struct source_ranges *ranges, int64_t rows_max);

/* ---- columns that folders name=value give ---- */

/* Between what the pattern, or folder, names and the files: a STRUCT in `arena`, typed by the values. E_DATA: the files do not
 * agree. */
MUST_CHECK enum code source_path_columns(struct arena *arena, const char *pattern, const char *const *paths,
                                         int32_t count, const struct type **out, struct error *err);
/* They take the place of columns of the same name, or come last: a folder's value counts. */
const struct type *source_with_path(struct arena *arena, const struct type *columns, const struct type *path);
/* The value that one file has in such a column, `rows` times. */
MUST_CHECK enum code source_path_column(const char *pattern, const char *path, const struct field *field,
                                        const struct zone *zone, int64_t rows, struct column *out, struct error *err);

/* False: the folders around the file say that no row of it meets all tests. */
bool source_path_may_meet(const char *pattern, const char *path, const struct zone *zone, const struct row_test *tests,
                          int32_t test_count);

/* ---- the hidden column of files: file_column.c ---- */

#define SOURCE_FILE_COLUMN "_metadata"
bool source_is_file_column(const struct field *field);
/* Whether a column of them is told where its row stands in the file. */
bool source_asks_row(const struct type *schema);
void source_file_column(const struct source_file *file, const struct field *field, int64_t rows, struct column *out);
/* A column of lines, file by file: `topics` names them, and each() gives the rows of one, which lie together. */
MUST_CHECK enum code source_each_file(const struct column *topics, int64_t rows,
                                      enum code (*each)(void *context, const char *path, int64_t rows,
                                                        struct column *out, struct error *err),
                                      void *context, struct column *out, struct error *err);

/* ---- the generator: plausible, deterministic payloads (leat produce) ---- */
struct generator_spec {
    const char *kind; /* transactions, events, invoices */
    uint64_t seed;
    int64_t keys; /* distinct cards, sources, customers */
    double bad_ratio, late_ratio;
    int64_t start_us;         /* event time of record 0 */
    double events_per_second; /* of event time: how fast event time runs per record */
    int64_t late_max_us;      /* how late a late record is at most */
};
struct generator;
MUST_CHECK enum code generator_new(const struct generator_spec *spec, struct generator **out, struct error *err);
/* Record `index`, appended to key and value. Depends on (spec, index) alone: same seed, same
 * bytes, in any order. */
void generator_record(struct generator *generator, int64_t index, struct text *key, struct text *value);
/* "malformed", "missing_txn_id", .. when record `index` is a bad one, else NULL: for tests and the
 * producer's summary. */
const char *generator_defect(struct generator *generator, int64_t index);
void generator_free(struct generator *generator);

#endif
