/* tables_check.h - what a table's folder is, against what the chain says it has become: before anything is written.
 *
 * Refuses  E_SPEC: the chain's files of the table are of another format (Delta or plain; parquet, csv or json), or the folder
 *          is a Delta table's and the table plain, or the other way round. Read together, rows would be hidden or double
 *          E_SPEC: files of a plain table were written with another PARTITIONED BY. Of a Delta table its sink sees to that;
 *          a materialized view's files are replaced
 *          E_LOST: a Delta log that is gone, or lacks an epoch before the head (restored, or its end is lost); or one that
 *          has an epoch above the head: then the checkpoint is an older one
 *          E_FENCED: another leat has gone on with the chain meanwhile
 * Passes   the head's epoch is not in the log: recovery commits it
 * Folder   another than the record's: the table has moved, or starts anew; then only the folder is looked at
 * Cost     records are read back, once for all tables, to the newest that wrote files of each (of Delta: before the head)
 * Thread   one; writes nothing
 */
#ifndef RUNTIME_TABLES_CHECK_H
#define RUNTIME_TABLES_CHECK_H

#include "runtime/chain.h"

/* All tables of the pipeline that have a folder. */
MUST_CHECK enum code tables_check(const struct pipeline *pipeline, const struct chain *chain, const char *checkpoint,
                                  const char *tables_path, struct error *err);

#endif
