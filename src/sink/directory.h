/* directory.h - what the files of the plain directory sink share. Private to sink/.
 *
 *   batch -> partition.c: rows by folder -> directory.c: an encoder per lane and folder -> part_files.c:
 *   pieces appended to staged files -> token.c: what the commit record keeps of them
 */
#ifndef SINK_DIRECTORY_H
#define SINK_DIRECTORY_H

#include "base/thread.h"
#include "data/data.h"
#include "format/format.h"
#include "sink/sink.h"
#include "store/store.h"

/* ---- partition.c: which folder a row belongs to ---- */

struct partitioner {
    const struct type *schema;      /* of the table */
    const struct type *file_schema; /* without the partition columns */
    int32_t *file_columns;          /* index in the table's schema, per column of file_schema */
    int32_t *key_columns;           /* index in the table's schema, per partition column, in the order given */
    int32_t key_count;
    const struct zone *zone;
};
/* E_SPEC names the column that is not there or cannot be a folder. Memory is the arena's. */
MUST_CHECK enum code partitioner_init(struct partitioner *self, const struct sink_spec *spec, struct arena *arena,
                                      struct error *err);

/* The rows of one batch, by folder. */
struct row_groups {
    int32_t *rows;     /* all rows of the batch, those of one group together and in order */
    int32_t *group_of; /* per row */
    uint64_t *hashes;  /* per row, of the partition values */
    int64_t row_capacity;
    int32_t *first_row; /* per group: a row of it */
    int32_t *ends;      /* per group: end of its range in rows */
    int32_t count, capacity;
    int32_t *slots; /* hash table: group + 1, or 0 */
    uint32_t slot_count;
};
void partitioner_split(const struct partitioner *self, const struct batch *batch, struct row_groups *groups);
void row_groups_free(struct row_groups *groups);
/* `col=value/col=value` of a row, Hive's escapes; E_DATA when a part is too long to be a name. */
MUST_CHECK enum code partitioner_folder(const struct partitioner *self, const struct batch *batch, int64_t row,
                                        struct text *out, struct error *err);
/* Rejects the rows whose values make a name that no file system takes, in order. */
void partitioner_check(const struct partitioner *self, const struct batch *batch, struct rejects *rejects);
/* What is wrong with one of them, appended. */
void partitioner_check_detail(const struct partitioner *self, const struct batch *batch, int64_t row, struct text *out);
/* The columns of the file; `out` borrows them from batch and has no rows of its own to release. */
void partitioner_project(const struct partitioner *self, const struct batch *batch, struct column *columns,
                         struct batch *out);

/* ---- token.c: the files of an epoch as JSON ---- */

struct part {
    char *staged, *final; /* paths in the store */
    char *handle;         /* what the store needs to publish it beside them; NULL: nothing */
    int64_t size_bytes, rows;
    uint64_t checksum; /* XXH64 of the file */
    char *summary;     /* encoder_type.file_summary, or NULL */
};
struct parts {
    struct part *items;
    int32_t count, capacity;
    bool replace; /* they take the place of all files that the table had */
};
void parts_add(struct parts *parts, const struct part *part); /* takes its strings */
void parts_free(struct parts *parts);
struct staged part_staged(const struct part *part); /* as the store wants it; borrows the strings */
/* {"files":[{"staged","final","size","rows","checksum","handle","summary"}, ...], "replace":true}; the handle only where
 * the store gave one, the summary where it was asked for, the latter only when files are not just added. E_UNSUPPORTED when
 * longer than SINK_TOKEN_MAX. */
MUST_CHECK enum code token_print(const struct parts *parts, struct text *out, struct error *err);
/* Paths are checked: staged below _staging/, final not. An empty text has no files. E_CORRUPT. */
MUST_CHECK enum code token_parse(struct bytes token, struct parts *out, struct error *err);

/* ---- publish.c: an epoch's files get their final names ---- */

/* E_CORRUPT: a file has not the bytes that its record says. One that is not there is passed over. */
MUST_CHECK enum code parts_check(struct store *store, const struct parts *parts, struct error *err);
/* Idempotent and durable. `check`: who staged them is gone, so their bytes are read first. E_LOST, E_CORRUPT. */
MUST_CHECK enum code parts_publish(struct store *store, const struct parts *parts, bool check, struct error *err);
bool parts_have(const struct parts *parts, const char *final);

/* ---- directory.c ---- */

struct merge_table;
/* A sink around the directory: its files are merged by this (merge.h). */
void directory_merge_by(void *instance, const struct merge_table *table);

/* ---- part_files.c: the staged files of one epoch ---- */

struct part_file;
struct part_folder {
    char *path;               /* "" or col=value/... */
    struct part_file **files; /* per slot; NULL = none open */
};
/* Shared by all lanes of a table. */
struct part_files {
    const struct encoder_type *encoder;
    const struct encoder_spec *encoder_spec;
    struct store *store;
    char query8[9];
    const char *suffix;      /* ".snappy.parquet" */
    int64_t records_max;     /* per file; 0 = no limit */
    int64_t target_bytes;    /* a file is finished once it is so large; 0 = no limit */
    int32_t slots;           /* files that grow at once in one folder */
    int32_t summary_columns; /* of a part's summary; 0 = none */
    int32_t open_max;        /* files that are open at once */
    struct budget *budget;   /* open files are charged to; or NULL */

    struct lock lock; /* guards all below */
    int64_t epoch;
    uint32_t attempt; /* random, new for each epoch begun: staged names are never used twice */
    int32_t next;     /* number of the epoch's next file */
    struct part_folder *folders;
    int32_t folder_count, folder_capacity;
    int32_t *folder_slots; /* hash table over folders: index + 1, or 0 */
    uint32_t folder_slot_count;
    int32_t open_count;
    int64_t block_bytes; /* of open files, that may wait in memory */
    size_t charged_bytes;
    struct parts done; /* finished and synced */
    bool failed;       /* rows of the epoch were lost to an error: it must not be prepared */
};
/* What was charged becomes `size`. False: the budget has no room for it, and nothing has changed. */
bool part_files_charge(struct budget *budget, size_t *charged_bytes, size_t size);
void part_files_init(struct part_files *self);
void part_files_limit(struct part_files *self); /* once its store is known */
void part_files_begin(struct part_files *self, int64_t epoch);
/* Index of the folder, made known when it is new. */
int32_t part_files_folder(struct part_files *self, const char *path);
/* Append a piece to a file of the folder; takes the piece, whatever the outcome. */
MUST_CHECK enum code part_files_append(struct part_files *self, int32_t folder, int32_t lane, struct piece *piece,
                                       struct error *err);
/* The epoch has lost rows: part_files_finish will refuse. */
void part_files_fail(struct part_files *self);
/* Finish every open file: afterwards `done` is durable and complete. */
MUST_CHECK enum code part_files_finish(struct part_files *self, struct error *err);
/* Drop the open files. `done` files are kept, or removed when `all`. Ready for part_files_begin. */
void part_files_drop(struct part_files *self, bool all);
void part_files_close(struct part_files *self); /* done files stay: a record may name them */
/* True when `path` is a staged file of this query; *epoch and *attempt from its name. */
bool part_files_staged_name(const struct part_files *self, const char *path, int64_t *epoch, uint32_t *attempt);

#endif
