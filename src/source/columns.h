/* columns.h - files that have columns already: Parquet files, and the Parquet files of a Delta table.
 * Private to source/.
 *
 * Parts    columns.c            the source_types parquet and delta: open, discover, fetch
 *          columns_partition.c  values that the name of a folder, or the log of a Delta table, gives to
 *                               all rows of a file
 *          delta_log.c          which files a Delta table has
 * Shape    batches have the columns of source_spec.schema, in its order; found in a file by name,
 *          ignoring case
 * Ranges   one, [0, 1): all of it. topic_id is another when the files, or the version of the table, are
 * Files    are read as listed: one that is gone or has another size by then is E_LOST, and the reader of
 *          relations lists again
 * Thread   one, but for stop()
 */
#ifndef SOURCE_COLUMNS_H
#define SOURCE_COLUMNS_H

#include "format/format.h"
#include "source/files.h"

/* What all rows of a file have in a column. */
struct fixed_value {
    bool given;
    const char *text; /* NULL: the value is NULL */
};
struct column_file {
    const char *name;          /* absolute path */
    int64_t size_bytes;        /* as listed; -1: not known */
    struct fixed_value *fixed; /* per field of the schema */
};
struct column_files {
    struct arena arena;
    const struct type *schema;
    struct column_file *items;
    int32_t count, capacity;
};
/* A new last file, its name copied, without fixed values. */
struct column_file *column_files_add(struct column_files *files, const char *name,
                                     int64_t size_bytes);
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
void partition_set(struct column_files *files, struct column_file *file, const char *name,
                   const char *value);
/* The fields without a fixed value. */
const struct type *partition_rest(struct arena *arena, const struct type *schema,
                                  const struct column_file *file);
/* A column of `rows` times the value. E_DATA: the text is no such value; E_UNSUPPORTED: nested types,
 * BINARY. */
MUST_CHECK enum code partition_column(const struct field *field, const struct fixed_value *value,
                                      const struct zone *zone, int64_t rows, struct column *out,
                                      struct error *err);

/* ---- delta_log.c ---- */

struct delta_version {
    int64_t newest, checkpoint;      /* checkpoint: -1 = none */
    int64_t size_bytes, modified_us; /* of the newest commit */
};
/* E_ABSENT: there is no table. */
MUST_CHECK enum code delta_version_find(const char *path, struct delta_version *out,
                                        struct error *err);
/* The files of that version. E_UNSUPPORTED names the feature of the table that leat does not read. */
MUST_CHECK enum code delta_files(const char *path, const struct delta_version *version,
                                 struct budget *budget, struct column_files *out,
                                 struct error *err);

#endif
