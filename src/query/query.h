/* query.h - run a plan whose inputs end: the batch engine behind `leat sql`.
 *
 * In       a plan without streaming nodes (sql/), which lives longer than the query
 * Out      batches of plan->schema, pulled one after the other; in the plan's order when it sorts
 * Shape    one stage a plan node, a stage pulls from the ones below. A node with several users is computed once and
 *          kept. Sorting, grouping, windows, the hashed side of a join and shared nodes hold their rows
 * Owns     what it holds, charged to the budget; a batch handed out is the caller's to release
 * Spills   sorts, groups, distinct rows, joins by equality, windows with PARTITION BY and what is kept of shared nodes and
 *          of a recursion go to disk when three quarters of the budget are full.
 *          Each of them is sure of a part of half of the budget, so that no stage starves behind another
 * Fails    E_DATA when an expression fails for a row, with Spark's condition and the expression's position (ANSI);
 *          E_UNSUPPORTED for nodes it cannot run; E_MEMORY over budget when nothing can go to disk, or the disk is full
 *          too; E_SQL for what only shows while it runs
 *          (a scalar subquery of several rows)
 * Thread   one query, one thread
 * Limits   QUERY_STAGES_MAX, QUERY_ROWS_MAX
 * Spec     Spark 4.2
 */
#ifndef QUERY_QUERY_H
#define QUERY_QUERY_H

#include "data/data.h"
#include "expr/expr.h"
#include "sql/sql.h"

enum { QUERY_STAGES_MAX = 20000 };
#define QUERY_ROWS_MAX ((int64_t)INT32_MAX - 1) /* rows held in one place: a sort, a group, the hashed side of a join */

struct query;
/* Of sources that a project names. */
struct query_project {
    /* Where the files of a table lie (pipeline_source.of_table). */
    const char *(*table_path)(void *context, const char *name);
    void *context;
};
/* The disk of queries: where rows go that memory has no room for, and how many bytes lie there. Zeroed: under $TMPDIR, else
 * /tmp. Counts go on from query to query. */
struct query_spill {
    const char *folder;  /* made when absent; NULL: $TMPDIR, else /tmp */
    int64_t limit_bytes; /* at once; 0 = QUERY_SPILL_MAX */
    int64_t held_bytes, written_bytes;
};
#define QUERY_SPILL_MAX ((int64_t)256 << 30)
struct query_spec {
    struct plan *plan;
    const struct session *session;
    struct budget *budget;
    struct query_spill *spill;           /* NULL: one of its own */
    const struct query_project *project; /* NULL: sources name their paths; an option that is empty is set */
    /* Asked before each batch and by what takes long: true ends the query with E_STOPPED. May be NULL. */
    bool (*stopped)(void *context);
    void *stopped_context;
};
MUST_CHECK enum code query_open(const struct query_spec *spec, struct query **out, struct error *err);
/* The next batch; out->rows 0 = there are no more. On failure *at says where in the SQL (line 0: nowhere). */
MUST_CHECK enum code query_next(struct query *query, struct batch *out, struct position *at, struct error *err);
/* Several plans as one query, which computes what they share once: spec.plan is a UNION of them, of any schemas, and each
 * input is asked for its own rows, to the end, before the next. One that failed leaves the others as they are, but for
 * those that need what it could not compute. */
MUST_CHECK enum code query_next_of(struct query *query, int32_t input, struct batch *out, struct position *at,
                                   struct error *err);
/* False: there is no stage for such a node, over rows that stand still. */
bool query_can_run(const struct plan *plan);
void query_close(struct query *query);
/* Of the files that the query reads: bytes in all, and so far. */
struct query_progress {
    int64_t size_bytes, read_bytes;
};
void query_progress(const struct query *query, struct query_progress *out);

/* ---- files ---- */

/* What sql_session_files wants: the columns of files, over the types of source/. Reads footers, and for json, and csv with
 * inferSchema, all lines. At its place for good once initialised. */
struct query_files {
    struct budget *budget;
    struct sql_files files;
};
void query_files_init(struct query_files *self, struct budget *budget);

/* ---- rows that are held ---- */

/* The rows of a table of a session. */
struct stored_rows {
    struct batch *batches;
    int32_t count, capacity;
    int64_t rows;
    size_t charged_bytes;
    struct rows_overflow *overflow; /* rows behind those, on disk: only of what a query keeps for itself */
};
/* Takes the batch over. E_MEMORY over budget (the batch is released then). */
MUST_CHECK enum code stored_rows_add(struct stored_rows *self, struct batch *batch, struct budget *budget,
                                     struct error *err);
/* The rows as ones of `schema`, which is equal to theirs and lives longer. */
void batch_retype(struct batch *batch, const struct type *schema);
/* The same for a batch whose size_bytes the budget has given already. */
MUST_CHECK enum code stored_rows_put(struct stored_rows *self, struct batch *batch, size_t size_bytes,
                                     struct budget *budget, struct error *err);
void stored_rows_free(struct stored_rows *self, struct budget *budget);

#endif
