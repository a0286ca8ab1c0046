/* few_files.h - is the wish for few, large and fresh files one that the input allows? Private to runtime/.
 *
 * Wishes   leat.files.target_size, leat.files.per_partition, and how long a record may wait (leat.trigger,
 *          leat.files.max_staleness). With so many bytes a second they may not hold together: then it is said, once a table,
 *          with the numbers, and what would help. With leat.compact they do: small files are merged later
 * Thread   one
 */
#ifndef RUNTIME_FEW_FILES_H
#define RUNTIME_FEW_FILES_H

#include "runtime/runtime.h"

/* What the table says, or the pipeline, or the sink's default. NULL: its sink has no such option. */
const char *table_option(const struct pipeline *pipeline, const struct pipeline_table *table, const char *name);
/* leat.files.target_size, bytes. */
int64_t table_target_bytes(const struct pipeline *pipeline, const struct pipeline_table *table);

struct few_files { /* of a table, zeroed */
    bool told;
};
/* So many files of together so many bytes have been written in this run, which has lasted so long. */
void few_files_look(struct few_files *self, const struct pipeline *pipeline, const struct pipeline_table *table,
                    int64_t files, int64_t bytes, int64_t run_us);

#endif
