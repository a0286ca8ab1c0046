/* sink.h - make rows durable: stage on prepare, publish on commit.
 *
 * One epoch    write()*  ->  prepare() gives a token  ->  [the chain record with all tokens]  ->  commit()
 *              or         ->  abort() when the epoch fails before its record
 * The law      the token goes into the chain record before commit is called; after a crash every token of the head
 *              record is committed again. So commit is idempotent, and needs only the token:
 *
 *              crash here                      recovery does
 *              during write, before prepare    nothing is named by a record: garbage, collected later
 *              after prepare, before record    the same; the range is read again
 *              after the record, in commit     commit(token) again: files already in place are skipped
 *              staged and final both missing   stop with E_LOST: someone deleted them
 *
 * Shape        a token is one JSON object (text), at most SINK_TOKEN_MAX bytes
 * Thread       write: one thread per lane, lanes in parallel. All else: one thread, no write under way
 * Add one      copy sink/console.c, add a line to sink/sinks.c; the contract test kills it between prepare and commit
 */
#ifndef SINK_SINK_H
#define SINK_SINK_H

#include "base/options.h"
#include "data/data.h"
#include "sink/transaction.h"

enum { SINK_TOKEN_MAX = 16 * 1024 * 1024, SINK_LANES_MAX = 64 };

struct sink_spec {
    const char *name;     /* table or sink name, for messages */
    const char *path;     /* folder, for file sinks; absolute */
    const char *query_id; /* Q; its first 8 characters go into file names */
    const struct type *schema;
    const char *const *partition_columns;
    int32_t partition_count;
    bool replaced; /* each epoch that writes takes the place of all rows before: a materialized view's */
    const char *const *option_names, *const *option_values; /* table properties or sink options */
    int32_t option_count;
    const struct zone *zone;
    int32_t lanes;
    int32_t summary_columns; /* of file sinks: the token tells what so many columns of a file hold; 0 = nothing */
    struct budget *budget;
    /* ---- for sinks that write to a broker; NULL and 0 for the others ---- */
    const struct transaction *transaction; /* of the query's first cluster, or NULL */
    const char *task;                      /* T */
    int64_t timeout_us;                    /* one attempt waits so long for a broker */
    bool (*stopping)(void);
};
struct sink_totals {
    int64_t rows, files, bytes; /* of the epoch, filled by prepare */
};
enum { SINK_RECORD_FRAME = 36, SINK_HEADER_FRAME = 10 }; /* most bytes around a record's parts, around a header's */
struct sink_merge {                                      /* what to merge */
    bool all;                                            /* every small file, as by hand; else only what is worth it */
    int64_t oldest_epoch;                                /* nobody asks for what older ones wrote */
};
struct sink_merged {
    int64_t inputs, files; /* so many files became so many */
    int64_t bytes_before, bytes;
};
struct sink_record_limits { /* of one record; what is not known is 0 */
    int64_t bytes_max;      /* of key, value, names and values of headers, with their frames */
    bool needs_key;
};
struct sink_type {
    const char *name, *help;
    bool folderless;              /* writes no files: sink_spec.path means nothing to it */
    bool client_options;          /* takes kafka.*, the client's own; `validate` judges them */
    const struct option *options; /* leat.files.max_records, parquet.compression, ... */
    size_t size;
    /* What `open` would refuse, without asking anybody: schema and options. NULL: open says it. */
    enum code (*validate)(const struct sink_spec *spec, struct error *err) MUST_CHECK;
    enum code (*open)(void *self, const struct sink_spec *spec, struct error *err) MUST_CHECK;
    /* The rows that can never be written, appended to `rejects`; the others are then written. Lanes in parallel. NULL: it
     * takes all. */
    enum code (*check)(void *self, int32_t lane, const struct batch *batch, struct rejects *rejects, struct error *err)
        MUST_CHECK;
    /* What every record must keep to, for who can make its rows smaller. NULL: nothing is known. */
    void (*record_limits)(const void *self, struct sink_record_limits *out);
    /* What is wrong with a rejected row, appended. */
    void (*check_detail)(const void *self, const struct batch *batch, const struct reject *reject, struct text *out);
    enum code (*write)(void *self, int32_t lane, int64_t epoch, const struct batch *batch, struct error *err)
        MUST_CHECK;
    /* The rows that this epoch will write take the place of all rows of before; called before them. NULL: it cannot. */
    void (*replace)(void *self, int64_t epoch);
    /* Everything written so far is durable and invisible; token is appended to. */
    enum code (*prepare)(void *self, int64_t epoch, struct text *token, struct sink_totals *totals, struct error *err)
        MUST_CHECK;
    enum code (*commit)(void *self, int64_t epoch, struct bytes token, struct error *err) MUST_CHECK;
    void (*abort)(void *self, int64_t epoch);
    /* Remove what failed attempts at committed epochs have staged, and (keep) old files. Nothing of an epoch that this
     * instance has not committed: its record may still come. After recovery and commits. */
    enum code (*collect)(void *self, struct error *err) MUST_CHECK;
    /* A little of merging small files into large ones. Beside writes, one thread. *more: there is more to do now. NULL: its
     * files are not merged. */
    enum code (*merge_work)(void *self, const struct sink_merge *request, bool *more, struct error *err) MUST_CHECK;
    /* What was merged, if it is ready, takes the place of what it was made of. */
    enum code (*merge_commit)(void *self, struct sink_merged *out, struct error *err) MUST_CHECK;
    void (*close)(void *self);
};
extern const struct sink_type *const sink_types[]; /* ends with NULL */

/* Commit a token of files into the folder that it was staged in, without a sink. E_ABSENT: the folder is gone, and files
 * should be in it; E_LOST, E_CORRUPT as a sink's commit. */
MUST_CHECK enum code sink_publish(const char *folder, const char *query_id, int64_t epoch, struct bytes token,
                                  struct error *err);

/* ---- what tokens and names of files say, for who checks them ---- */

struct sink_file {
    const char *staged, *final; /* in the table's folder */
    const char *handle;         /* what its store needs to publish it beside them; NULL: nothing */
    int64_t size_bytes, rows;
    uint64_t checksum; /* XXH64 */
};
struct sink_files {
    struct sink_file *items; /* in the arena */
    int32_t count;
    bool known;      /* the token is one of files */
    bool delta;      /* they are of a Delta table */
    bool replace;    /* they took the place of all files of before */
    int64_t records; /* of a token of a topic */
};
/* E_CORRUPT: a token of files that cannot be read. */
MUST_CHECK enum code sink_token_files(struct bytes token, struct arena *arena, struct sink_files *out,
                                      struct error *err);
/* What merging all small files of a table would do, after an epoch with this token. E_ABSENT: no folder. */
MUST_CHECK enum code sink_merge_look(const char *format, const char *folder, const char *query_id, int64_t target_bytes,
                                     struct bytes token, struct sink_merged *out, struct error *err);
struct sink_part_name {
    char query8[9]; /* the query that wrote it */
    int64_t epoch;
    int64_t first_epoch; /* the same, but of a merged file */
    int32_t number;
    bool staged, merged;
};
/* Whether `path`, in a table's folder, is a name that a sink of files gives. */
bool sink_part_parse(const char *path, struct sink_part_name *out);
/* The columns that its folders name, appended: "day, region". */
void sink_part_columns(const char *path, struct text *out);

/* What a merged file was made of: in the list beside it, a path that sink_merge_is_list knows. */
struct sink_merge_list {
    struct sink_file file; /* rows -1: not known; no staged name */
    struct sink_file *inputs;
    int32_t input_count;
};
bool sink_merge_is_list(const char *path);
/* E_CORRUPT. */
MUST_CHECK enum code sink_merge_parse(struct bytes text, struct arena *arena, struct sink_merge_list *out,
                                      struct error *err);

const struct sink_type *sink_find(const char *name); /* parquet, csv, json, delta, console, kafka */
struct encoder_type;
/* Of the files that a table of this format has; NULL: it has none. */
const struct encoder_type *sink_encoder(const char *format);

#endif
