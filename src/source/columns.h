/* columns.h - files that have columns already: Parquet files, and the Parquet files of a Delta table.
 * Private to source/.
 *
 * Parts    columns.c            the source_types parquet and delta: open, discover, fetch; read whole
 *          columns_stream.c     the same as a stream, epoch by epoch; delta_stream.c: which files commits add
 *          columns_partition.c  values that the name of a folder, or the log of a Delta table, gives to
 *                               all rows of a file
 *          delta_files.c        which files a Delta table has, and what their columns are called there
 * Shape    batches have the columns of source_spec.schema, in its order; found in a file by name,
 *          ignoring case
 * Ranges   one. Read whole it is [0, 1), and topic_id is another when the files, or the version of the table, are;
 *          as a stream it counts rows
 * Files    are read as listed: one that is gone or has another size by then is E_LOST, and the reader of
 *          relations lists again
 * Thread   one, but for stop()
 */
#ifndef SOURCE_COLUMNS_H
#define SOURCE_COLUMNS_H

#include <limits.h>

#include "delta/delta.h"
#include "format/format.h"
#include "source/files.h"

/* What all rows of a file have in a column. */
struct fixed_value {
    bool given;
    bool of_file;     /* SOURCE_FILE_COLUMN, or a field of it */
    const char *text; /* NULL: the value is NULL */
};
struct column_file {
    const char *name;                /* absolute path */
    int64_t size_bytes;              /* as listed; -1: not known */
    int64_t modified_us;             /* as listed */
    struct fixed_value *fixed;       /* per field of the schema */
    const struct delta_vector *gone; /* its rows that are deleted; NULL: none */
};
struct column_files {
    struct arena arena;
    const struct type *schema;
    const struct type *stored; /* the same columns as the files name them; NULL: just so */
    bool tells_file;           /* some may be SOURCE_FILE_COLUMN, or fields of it */
    struct column_file *items;
    int32_t count, capacity;
};
/* A new last file, its name copied, without fixed values but what tells the file. */
struct column_file *column_files_add(struct column_files *files, const char *name, int64_t size_bytes,
                                     int64_t modified_us);
static inline struct source_file column_file_source(const struct column_file *file)
{
    return (struct source_file){file->name, file->size_bytes, file->modified_us, NULL};
}
void column_files_clear(struct column_files *files);

/* ---- columns_partition.c ---- */

/* The folders name=value between what the pattern, or folder, names and the file; value NULL: no value. Ends at the first
 * failure of each(), and gives it. */
MUST_CHECK enum code partition_walk(const char *pattern, const char *path,
                                    enum code (*each)(void *context, const char *name, const char *value),
                                    void *context);
/* Their values. */
void partition_of_path(struct column_files *files, struct column_file *file, const char *pattern);
/* `file` has this value in the column of that name, if that is among those to read. */
void partition_set(struct column_files *files, struct column_file *file, const char *name, const char *value);
/* The fields without a fixed value, as the file names them. */
const struct type *partition_rest(struct arena *arena, const struct column_files *files,
                                  const struct column_file *file);
/* A column of `rows` times the value. E_DATA: the text is no such value; E_UNSUPPORTED: nested types,
 * BINARY. */
MUST_CHECK enum code partition_column(const struct field *field, const struct fixed_value *value,
                                      const struct zone *zone, int64_t rows, struct column *out, struct error *err);

/* ---- delta_files.c ---- */

/* The newest version of the table at settings.path and a number that changes with it; -1: none, where it may lack. */
MUST_CHECK enum code delta_look(const struct files_settings *settings, int64_t *version, uint64_t *stamp,
                                struct error *err);
/* The files of that version, or of the one that the settings ask for; `out` as it was cleared. E_UNSUPPORTED names the
 * feature of the table that leat does not read. */
MUST_CHECK enum code delta_files(const struct files_settings *settings, int64_t version, struct budget *budget,
                                 struct column_files *out, struct error *err);
MUST_CHECK enum code delta_shape(const struct files_settings *settings, int64_t version, struct budget *budget,
                                 struct arena *arena, struct source_shape *out, struct error *err);
/* That version; the store is the caller's to close. */
MUST_CHECK enum code delta_table_look(const struct files_settings *settings, int64_t version, struct budget *budget,
                                      struct store **store, struct delta_snapshot **snapshot, struct error *err);
/* What the columns of out->schema are called in the table's files: out->stored. */
MUST_CHECK enum code delta_columns_match(const struct delta_schema *schema, bool may_lack, struct column_files *out,
                                         struct error *err);
/* Where a file of the log lies. */
MUST_CHECK enum code delta_file_path(const struct files_settings *settings, const char *uri, char out[PATH_MAX],
                                     struct error *err);
MUST_CHECK enum code delta_file_add(const struct files_settings *settings, const struct delta_names *partitions,
                                    const struct delta_schema *schema, const struct delta_file *file,
                                    struct column_files *out, struct error *err);
/* The deleted rows of a file, ascending; the caller frees them. */
MUST_CHECK enum code delta_gone_rows(const struct files_settings *settings, const struct column_file *file,
                                     struct budget *budget, int64_t **rows, int64_t *count, struct error *err);

/* ---- the source: columns.c ---- */

struct columns_source {
    struct arena arena;
    const char *name;
    struct files_settings settings;
    const struct type *schema;
    const struct zone *zone;
    const struct row_test *tests;
    int32_t test_count;
    struct row_test *file_tests; /* of the open file: on columns that are in it */
    struct budget *budget;
    int64_t rows_max;
    bool delta;
    int64_t version; /* of the Delta table, as it was looked at */
    bool listed;     /* `files` is what discover has seen */
    struct column_files files;
    int32_t next;       /* file */
    int64_t read_bytes; /* of the files before the open one */
    int64_t read_rows;  /* of the open one */
    bool asks_row;      /* where a row stands in its file */
    int64_t *numbers;   /* of the last rows that were read; rows_max of them, or NULL */
    struct place place;
    struct store *bucket;                 /* of a path in S3: kept, so that its connections are */
    struct parquet_reader *reader;        /* of the file before `next`, or NULL */
    int64_t *gone, gone_count, gone_next; /* its deleted rows */
    struct arena file_arena;
    bool stream;              /* columns_stream.c: `files` is the file that is being read, alone */
    struct files_log log;     /* of a stream */
    struct arena table_arena; /* of a stream of a Delta table: its newest columns */
    struct delta_schema table;
    struct delta_names partitions;
    bool table_known;
    int64_t seen;              /* version up to which its commits were looked at; -1: none */
    int64_t offset;            /* of the open file's next row */
    const struct type *placed; /* `schema`, and PLACE_COUNT columns */
    atomic_bool stopped;
};
MUST_CHECK enum code columns_check_stop(const struct columns_source *self, struct error *err);
/* The file stays open as long as its reader, which columns_file_shut frees. E_LOST: it is not what was listed. */
MUST_CHECK enum code columns_reader_open(struct columns_source *self, const struct column_file *file,
                                         struct parquet_reader **out, struct error *err);
/* Be in the next of `files`, or past it when nothing of it can be wanted. */
MUST_CHECK enum code columns_file_enter(struct columns_source *self, struct error *err);
void columns_file_shut(struct columns_source *self);
/* Rows of the open file, without those that are deleted; *passed: of how many of it they are, 0: it has ended. */
MUST_CHECK enum code columns_read(struct columns_source *self, int64_t rows_max, struct batch *out, int64_t *passed,
                                  struct error *err);

/* ---- delta_stream.c ---- */

/* The files that commits have added since the last one that was looked at, in order; at first all that the table has. *version:
 * what there is up to it is found. E_UNSUPPORTED: a commit took rows away. */
MUST_CHECK enum code delta_stream_find(struct columns_source *self, struct found_files *out, int64_t *version,
                                       struct error *err);
/* self->files is the entry, with what its commit and the table say of its columns. */
MUST_CHECK enum code delta_stream_file(struct columns_source *self, const struct file_entry *entry, struct error *err);

/* ---- columns_stream.c ---- */

MUST_CHECK enum code columns_stream_open(struct columns_source *self, const struct source_spec *spec,
                                         struct error *err);
MUST_CHECK enum code columns_stream_discover(struct columns_source *self, const struct source_ranges *known,
                                             struct source_ranges *out, struct error *err);
MUST_CHECK enum code columns_stream_fetch(struct columns_source *self, struct source_range *range, struct batch *out,
                                          bool *done, struct error *err);

#endif
