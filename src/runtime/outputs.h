/* outputs.h - the tables of a pipeline as sinks, and what goes no further: quarantines, and late rows.
 *
 * Quarantine  rows whose expressions fail (ANSI errors) go once into each quarantine that a table below the rejecting node
 *             names (quarantines.h), in the shape of quarantine_rows.h. leat.on_error = fail stops the pipeline instead.
 *             A quarantine that cannot be written fails the epoch like any table: no row is ever dropped
 * Late        rows that came too late for a table with 'leat.late' = 'table' go to `<table>_late`, beside it
 *             (set_aside.h has both shapes)
 * Token       outputs_prepare gives one token per sink, in a fixed order, by name: what the chain record holds
 * Owns        the sinks; borrows the pipeline
 * Thread      outputs_write with different lanes in parallel; outputs_prepare_one for different sinks in parallel; all
 *             else one thread
 */
#ifndef RUNTIME_OUTPUTS_H
#define RUNTIME_OUTPUTS_H

#include "runtime/runtime.h"
#include "base/thread.h"
#include "runtime/quarantine_rows.h"
#include "runtime/set_aside.h"
#include "sink/sink.h"

enum { OUTPUTS_PREVIEW_ROWS = 5 };

struct outputs;
struct outputs_spec {
    const struct pipeline *pipeline;
    const char *tables_path, *query_id;
    const struct zone *zone;
    struct budget *budget;
    int32_t lanes;
    bool preview;                          /* keep a few rows of each epoch as text (leat.preview) */
    bool fail_on_error;                    /* leat.on_error = fail */
    bool quarantine_as_lines;              /* leat.quarantine.format = json; else Parquet */
    int64_t quarantine_value_max;          /* bytes */
    const struct transaction *transaction; /* that sinks send with, or NULL */
    const char *task;
    int64_t timeout_us; /* one attempt waits so long for a broker */
    bool files_only;    /* sinks that write no files are not opened: nothing may be asked of them */
};
MUST_CHECK enum code outputs_open(const struct outputs_spec *spec, struct outputs **out, struct error *err);
void outputs_close(struct outputs *outputs);
int32_t outputs_count(const struct outputs *outputs); /* tables, quarantines, tables of late rows */
const char *outputs_name(const struct outputs *outputs, int32_t i);
const char *outputs_path(const struct outputs *outputs, int32_t i); /* NULL: no files */
/* -1 when absent: a table that the pipeline no longer has. */
int32_t outputs_find(const struct outputs *outputs, const char *name);

void outputs_begin(struct outputs *outputs, int64_t epoch, int64_t batch_time_us);
MUST_CHECK enum code outputs_write(struct outputs *outputs, int32_t lane, int32_t table, const struct batch *batch,
                                   struct error *err);
/* The rows that the table's sink can never take go to the table's quarantines (or stop the run, leat.on_error = fail), and
 * `taken`, the caller's to release, gets the others. It stays empty (rows 0, no columns) when all can be taken. */
MUST_CHECK enum code outputs_refuse(struct outputs *outputs, int32_t lane, int32_t table, const struct batch *batch,
                                    struct batch *taken, struct error *err);
int64_t outputs_refused(const struct outputs *outputs, int32_t i); /* rows, in this epoch */
/* What this epoch writes into the table is all of it; what it has written there so far is forgotten. */
void outputs_replace(struct outputs *outputs, int32_t table);
/* The table stays as it is: what this epoch has written into it is forgotten. */
void outputs_keep(struct outputs *outputs, int32_t table);
/* The rows of `in` named by `rejects`. */
MUST_CHECK enum code outputs_reject(struct outputs *outputs, int32_t lane, const struct batch *in,
                                    const struct rejects *rejects, const struct rejecter *by, struct error *err);
/* Only for a table that keeps them. */
MUST_CHECK enum code outputs_late(struct outputs *outputs, int32_t lane, int32_t table, const struct late_rows *late,
                                  struct error *err);
bool table_keeps_late(const struct pipeline_table *table);
MUST_CHECK enum code outputs_prepare_one(struct outputs *outputs, int32_t i, struct text *token, struct error *err);
MUST_CHECK enum code outputs_commit_one(struct outputs *outputs, int32_t i, int64_t epoch, struct bytes token,
                                        struct error *err);
void outputs_abort(struct outputs *outputs);
MUST_CHECK enum code outputs_collect(struct outputs *outputs, struct error *err);
/* Of sinks that merge small files (sink.h); nothing of the others. */
MUST_CHECK enum code outputs_merge_work(struct outputs *outputs, int32_t i, const struct sink_merge *request,
                                        bool *more, struct error *err);
MUST_CHECK enum code outputs_merge_commit(struct outputs *outputs, int32_t i, struct sink_merged *out,
                                          struct error *err);
struct sink_totals outputs_totals(const struct outputs *outputs, int32_t i); /* of the epoch, after prepare */
const char *outputs_preview(const struct outputs *outputs, int32_t i);       /* "" when off or empty */

#endif
