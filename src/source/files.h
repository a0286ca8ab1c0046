/* files.h - what the parts of the file sources share; private to source/.
 *
 * Parts    files.c          the source_types json, csv and text: open, discover, plan, fetch
 *          files_options.c  Spark's reader options
 *          files_list.c     which files lie there now; files_objects.c: which objects
 *          files_place.c    one of them, opened and read
 *          files_log.c      which files were ever found, in one order for good
 *          files_lines.c    the lines of one file
 *          files_columns.c  lines into columns
 * Offsets  the files, in the order of the log, are one endless text; a file of n bytes takes n + 1
 *          offsets, so that an empty file has a place too. A range may end after any line. There is
 *          one partition, 0. A file with columns takes as many offsets as it has rows (columns_stream.c)
 * Order    files found together: by the time of their last change, then by path; later finds come
 *          after
 * Files    appear whole (rename them into the folder) and stay as they are until they were read:
 *          one that was changed or removed before is E_LOST. Afterwards they may go
 * Columns  value: the line without its end; topic: the file's path; partition 0; offset: where the
 *          line begins, as in ranges, so that it orders the lines of all files; timestamp: when the
 *          file was last changed; key and timestampType are NULL
 * Thread   one, but for stop()
 * Spec     Spark's FileStreamSource; Hadoop's LineReader for what ends a line: \n, \r\n or \r
 */
#ifndef SOURCE_FILES_H
#define SOURCE_FILES_H

#include <stdatomic.h>

#include "source/source.h"

enum {
    FILES_MAX = 1000000,        /* remembered at once; see maxFileAge */
    FILE_LINE_MAX = 64 << 20,   /* bytes of a line */
    FILE_BLOCK = 1 << 20,       /* bytes read at once */
    FILE_BATCH_BYTES = 4 << 20, /* a batch ends with the line that passes so many */
    FILE_FOLDERS_MAX = 10000,   /* that a pattern may match */
    FILE_SEGMENTS_MAX = 50,     /* of the log, before they become one */
};

/* ---- options ---- */
struct files_settings {
    const char *path, *schema, *name_filter, *encoding, *line_end, *comment;
    const char *version, *time; /* versionAsOf, timestampAsOf */
    const char *start;          /* startingVersion */
    int ignore_changes, change_feed;
    bool skip_changes, ignore_deletes;
    int latest_first, clean, recursive, multi_line, whole_text, name_only, ignore_missing, ignore_corrupt,
        enforce_schema;
    int64_t files_max, bytes_max; /* of an epoch; 0 = all */
    int64_t age_us;               /* maxFileAge */
    bool header, merge_schema;
    bool partitioned; /* folders name=value are entered; else they are refused */
    bool may_lack;    /* a path that is not there has no files */
};
extern const struct option json_files_options[], csv_files_options[], text_files_options[], parquet_files_options[],
    delta_options[];
/* E_SPEC, E_UNSUPPORTED. */
MUST_CHECK enum code files_settings_read(const struct option *options, const struct source_spec *spec,
                                         struct arena *arena, struct files_settings *out, struct error *err);

/* ---- what lies there ---- */
struct found_file {
    char *name; /* absolute path, owned */
    int64_t size_bytes, modified_us;
    int64_t rows; /* of a file with columns; -1: of lines */
    char *add;    /* the action that added it to a Delta table, owned; or NULL */
};
struct found_files {
    struct found_file *items;
    int32_t count, capacity;
};
void found_files_free(struct found_files *found);
struct files_log;
/* Files that match `path` (a folder, a file, or a pattern with * ? [..]) and that the log does not
 * know, in order. */
/* A name that begins with _ or . is unfinished, or no data. */
bool files_hidden(const char *name);
/* What such a folder says of `root`, which has it: the files are a Delta table's, and some may have left it. E_SPEC. */
#define FILES_DELTA_LOG "_delta_log"
MUST_CHECK enum code files_refuse_delta(const struct files_settings *settings, const char *root, struct error *err);
/* Unless the log knows it, it is too old, or the name's filter leaves it out. E_UNSUPPORTED: compressed, or one too many. */
MUST_CHECK enum code found_files_add(struct found_files *found, const struct files_settings *settings,
                                     const struct files_log *log, const char *path, int64_t size_bytes,
                                     int64_t modified_us, struct error *err);
MUST_CHECK enum code files_find(const struct files_settings *settings, const struct files_log *log,
                                struct found_files *out, struct error *err);

/* ---- what was found ---- */
struct file_entry {
    char *name;
    int64_t start; /* its first offset */
    int64_t size_bytes, modified_us;
    int64_t rows; /* of a file with columns; -1: of lines */
    char *add;    /* the action that added it to a Delta table; or NULL */
};
static inline int64_t file_entry_end(const struct file_entry *entry)
{
    return entry->start + (entry->rows >= 0 ? entry->rows : entry->size_bytes + 1);
}
struct files_log {
    struct store *store; /* NULL: kept in memory only */
    const char *folder;
    struct file_entry *entries; /* by start */
    int32_t count, capacity;
    int32_t *slots; /* index + 1 by name, 0 = free */
    int32_t slot_count;
    int64_t end;      /* offset behind the last file */
    int64_t version;  /* of a Delta table: all up to it is in the log; -1: nothing is, or no such table */
    int64_t aged_us;  /* files changed before it were forgotten, and are not looked at again */
    int64_t segment;  /* number of the next one */
    int32_t segments; /* since the last whole one, which included */
};
MUST_CHECK enum code files_log_open(struct files_log *log, struct store *store, const char *folder, struct error *err);
void files_log_close(struct files_log *log);
bool files_log_knows(const struct files_log *log, const char *name);
/* NULL: not known. */
const struct file_entry *files_log_find(const struct files_log *log, const char *name);
/* The end of an epoch that begins at range->from: after the files that the options allow, at least one. */
int64_t files_log_epoch(const struct files_log *log, const struct files_settings *settings,
                        const struct source_range *range);
/* Adds to `out` what the log has behind `known`, as the range *range of `path`. E_CORRUPT: the commit records of source `name`
 * stand behind the end of the log. */
MUST_CHECK enum code files_log_range(const struct files_log *log, const char *name, const char *path,
                                     const struct source_ranges *known, struct source_ranges *out,
                                     struct source_range **range, struct error *err);
/* Durable when it returns; the names are moved. `version`: what log->version is then. */
MUST_CHECK enum code files_log_append(struct files_log *log, struct found_files *found, int64_t version,
                                      struct error *err);
/* The file that has this offset, or NULL. */
const struct file_entry *files_log_at(const struct files_log *log, int64_t offset);
/* Make one segment of many, without files below `committed` that are older than age_us. */
MUST_CHECK enum code files_log_compact(struct files_log *log, int64_t committed, int64_t age_us, struct error *err);

/* ---- one file: files_place.h ---- */
struct place {
    bool open;
    int handle;                  /* of a local one */
    struct store *store;         /* its bucket */
    struct store_reader *reader; /* NULL: it is local */
    int64_t size_bytes;
};

/* ---- lines ---- */
struct lines {
    const char *path; /* borrowed; NULL: no file is open */
    struct place place;
    int64_t size_bytes, modified_us; /* as promised */
    int64_t read_bytes;              /* of the file, so far */
    char *block;
    size_t capacity, first, last; /* [first, last) of the block is not delivered yet */
    struct budget *budget;
};
/* Open `entry` at a byte that begins a line. E_LOST when it is not the file that was found. */
MUST_CHECK enum code lines_open(struct lines *lines, const struct file_entry *entry, int64_t from, struct error *err);
/* The byte of the file where the next line begins. */
static inline int64_t lines_at(const struct lines *lines)
{
    return lines->read_bytes - (int64_t)(lines->last - lines->first);
}
/* A view until the next call. *more = false: the file ended. */
MUST_CHECK enum code lines_next(struct lines *lines, struct bytes *line, bool *more, struct error *err);
void lines_shut(struct lines *lines); /* the file; the block stays */
void lines_close(struct lines *lines);

/* ---- columns ---- */
struct line_columns {
    const struct type *schema;
    bool needed[SOURCE_COLUMN_COUNT];
    int64_t rows_max;
    struct batch batch;
    size_t value_bytes, value_expected;
};
void line_columns_begin(struct line_columns *self);
void line_columns_add(struct line_columns *self, struct bytes line, const struct file_entry *entry, int64_t offset);
static inline bool line_columns_full(const struct line_columns *self)
{
    return self->batch.rows >= self->rows_max || self->value_bytes >= FILE_BATCH_BYTES;
}
void line_columns_finish(struct line_columns *self, struct batch *out);

/* ---- the source ---- */
struct files_source {
    struct arena arena;
    const char *name;
    struct files_settings settings;
    bool skip_blank;      /* lines of blanks are no records */
    struct store *bucket; /* of a path in S3: kept, so that its connections are */
    const struct zone *zone;
    const struct row_test *tests; /* of what is read whole */
    int32_t test_count;
    struct files_log log;
    struct lines lines;
    struct file_entry reading; /* what `lines` is open on; its name is the log's */
    struct line_columns columns;
    struct budget *budget;
    atomic_bool stopped;
};
extern const struct source_type json_source_type, csv_source_type, text_source_type;
extern const struct source_type parquet_source_type, delta_source_type; /* columns.c */

#endif
