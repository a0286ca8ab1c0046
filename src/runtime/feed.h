/* feed.h - one source at work: its ranges, and its records as batches for the graph.
 *
 * Shape    a feed delivers batches with the columns of its source node's schema, and an origin (data/batch.h) so that a
 *          reject can show the record
 * Epoch    feed_plan bounds the ranges; feed_fetch until done; feed_cut ends the epoch early where delivery stands
 * Slots    a record's slot (data/batch.h) is first_slot + the place of its range in `ranges`. Ranges stay in place while an
 *          epoch runs
 * Lost     records that were gone before they could be read, where the user accepts that: range.lost, until feed_recorded;
 *          `begun` starts before them, so that the chain has no hole. anew: the topic was made anew or cut, and is read
 *          from its beginning
 * Owns     the source instance and the ranges
 * Thread   one
 */
#ifndef RUNTIME_FEED_H
#define RUNTIME_FEED_H

#include "runtime/runtime.h"
#include "source/source.h"

/* Kafka's columns, and of a source of lines what its file is called, field by field. */
enum { FEED_FILE_COLUMN = -1, FEED_COLUMNS_MAX = SOURCE_COLUMN_COUNT + 8 };

struct feed {
    const struct pipeline_source *source;
    const struct source_type *type;
    void *self;
    int32_t node; /* plan id of its PLAN_SOURCE */
    const struct type *schema;
    const struct type *own;            /* the columns that the source itself gives, or NULL: Kafka's */
    int32_t places;                    /* of its columns: where those that tell a row's place begin; -1: none */
    int32_t columns[FEED_COLUMNS_MAX]; /* schema column -> enum source_column; FEED_FILE_COLUMN: of the file */
    struct source_ranges ranges;       /* from: next offset to deliver; to: end of the epoch, -1 = open */
    struct source_ranges begun;        /* `from` of each range when the epoch began */
    struct source_ranges target;       /* trigger once: the ends fixed at start */
    struct feed_progress {
        int64_t from; /* scratch: of the range before a fetch */
        int64_t rows; /* delivered in this epoch */
        bool anew;
    } * progress; /* per range, since feed_discover */
    int32_t progress_count;
    int32_t first_slot;
    int64_t rows_max; /* of an epoch; 0 = no limit */
    bool done;
};

struct feed_spec {
    const struct pipeline *pipeline;
    const struct plan *node; /* PLAN_SOURCE */
    const struct run_settings *settings;
    const char *query_id;
    struct budget *budget;
    struct store *store;             /* of the checkpoint: what a source remembers lies in sources/NAME */
    bool (*stopping)(void *context); /* see source_spec */
    void *context;
};
/* Where a table of the pipeline lies. */
const char *table_folder(const struct pipeline *pipeline, const char *tables_path, const char *name,
                         struct arena *arena);
MUST_CHECK enum code feed_open(struct feed *feed, const struct feed_spec *spec, struct error *err);
void feed_close(struct feed *feed);
/* Continue a partition where the chain left it; before the first feed_discover. */
void feed_resume(struct feed *feed, const char *topic, const char *topic_id, int32_t partition, int64_t next);
/* Who delivers: "kafka 127.0.0.1:9092"; NULL: the source's own files. */
const char *feed_dependency(const struct feed *feed);
/* Ask the source for its partitions and ends; seeks when partitions are new. One attempt (source.h). */
MUST_CHECK enum code feed_discover(struct feed *feed, struct error *err);
void feed_fix_target(struct feed *feed); /* trigger once: never read past what is there now */
/* Bound the epoch; returns the number of offsets in it. open: no bounds, take what comes (but a source that ends by
 * itself, such as a folder of files, is bounded by what it has). */
int64_t feed_plan(struct feed *feed, bool open);
/* After feed_plan: only that share of what was planned, in proportion over the partitions, at least a record of each; returns
 * the offsets left. A feed whose source plans by itself keeps its plan. */
int64_t feed_narrow(struct feed *feed, double share);
bool feed_bounded(const struct feed *feed); /* its source plans by itself: it has an end in open epochs, too */
/* A column FEED_FILE_COLUMN of records whose topics name files. */
MUST_CHECK enum code feed_file_column(const struct feed *feed, const struct column *topics, int64_t rows,
                                      const struct field *field, struct column *out, struct error *err);
/* At most one batch. out->rows = 0: nothing within wait_us. */
MUST_CHECK enum code feed_fetch(struct feed *feed, int64_t wait_us, struct batch *out, struct error *err);
void feed_cut(struct feed *feed);
/* What the epoch read, and lost, is in the chain. */
void feed_recorded(struct feed *feed);
int64_t feed_lag(const struct feed *feed); /* records behind `latest` as last asked; -1: some, not known how many */
MUST_CHECK enum code feed_mirror(struct feed *feed, struct error *err);

#endif
