/* run_summary.h - the end of a run as people read it: where every record went, and where the files lie.
 *
 * Out     1,000,000 records in 1 epoch, 2.1 s, 476,190 records/s, peak memory 171.2 MB
 *
 *           table          in      out  failed  files     size
 *           silver  1,000,000  999,998       2      1  30.1 MB
 *
 *         2 failed; see why: leat quarantine shop
 * Limits  not wider than `columns` (0: any) as long as a table's name has a few letters left: columns in which all is 0 are
 *         left out; then counts are shortened, then names
 */
#ifndef CLI_RUN_SUMMARY_H
#define CLI_RUN_SUMMARY_H

#include "runtime/runtime.h"

struct run_end {
    int64_t records, epochs, took_us, rss_peak_bytes;
    const struct table_commit *tables;
    int32_t table_count;
    const char *directory; /* of the project, as it was named */
};
/* Appends to `out`. */
void run_summary(const struct run_end *end, int32_t columns, struct text *out);

#endif
