/* texts_repair.h - STRING columns go into files as valid UTF-8.
 *
 * Why      one broken byte makes readers refuse a whole file (DuckDB: CSV and Parquet). A STRING made of a payload that is
 *          not UTF-8 gets U+FFFD for each broken sequence, as many as Java makes; who needs the bytes keeps BINARY
 * Shape    out: the batch with the same buffers wherever rows [from, to) were valid; only top-level columns, since nested
 *          ones come from decoders, which repair
 * Owns     out is the caller's to release
 */
#ifndef FORMAT_TEXTS_REPAIR_H
#define FORMAT_TEXTS_REPAIR_H

#include "data/data.h"

void texts_repair(struct batch *out, const struct batch *batch, int64_t from, int64_t to);

#endif
