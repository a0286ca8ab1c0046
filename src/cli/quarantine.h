/* quarantine.h - `leat quarantine`, in parts: which rows are meant, and what is done with them.
 *
 * Rows     batches of quarantine_read (runtime.h); each part takes them as they come
 * Owns     each part its own, until close
 * Thread   one
 */
#ifndef CLI_QUARANTINE_H
#define CLI_QUARANTINE_H

#include "cli/cli.h"
#include "cli/project.h"
#include "runtime/runtime.h"

enum quarantine_output { QUARANTINE_AS_TABLE, QUARANTINE_AS_JSON, QUARANTINE_AS_CSV };
struct quarantine_flags {
    const char *where, *table, *reason, *with;
    int64_t limit;
    int format; /* enum quarantine_output */
    bool dry_run;
};

/* ---- quarantine_filter.c: the rows that --where, --table and --reason leave ---- */

struct quarantine_filter {
    struct arena arena;
    const struct quarantine_flags *flags;
    const struct session *session;
    struct evaluator *evaluator; /* of --where, or NULL */
};
MUST_CHECK enum code quarantine_filter_open(struct quarantine_filter *self, const struct quarantine_flags *flags,
                                            const struct session *session, struct error *err);
void quarantine_filter_close(struct quarantine_filter *self);
/* wanted[row] for all rows of the batch. */
MUST_CHECK enum code quarantine_filter_rows(struct quarantine_filter *self, const struct batch *batch, bool *wanted,
                                            struct error *err);
/* Every batch of every quarantine, row by row or as a whole with the flags of the wanted rows. */
struct quarantine_visitor {
    enum code (*row)(void *context, const struct batch *batch, int64_t row,
                     struct error *err); /* wanted ones; or NULL */
    enum code (*batch)(void *context, const struct batch *batch, const bool *wanted, struct error *err); /* or NULL */
    void *context;
};
MUST_CHECK enum code quarantine_visit(const struct project *project, const struct quarantine_flags *flags,
                                      const struct quarantine_visitor *visitor, struct error *err);

/* E_USAGE with the nearest name: the project has no table of --table. */
MUST_CHECK enum code quarantine_table_check(const struct project *project, const struct quarantine_flags *flags,
                                            struct error *err);
/* After "no rows": a line for rows that go to topics, which are neither listed nor replayed. */
void quarantine_topics_print(const struct project *project, const struct quarantine_flags *flags, struct text *out);

/* ---- what is done with them ---- */
MUST_CHECK enum code quarantine_list(const struct project *project, const struct quarantine_flags *flags,
                                     struct error *err);
MUST_CHECK enum code quarantine_show(const struct project *project, const struct quarantine_flags *flags,
                                     struct error *err);
MUST_CHECK enum code quarantine_replay(const struct project *project, const struct quarantine_flags *flags,
                                       struct error *err);

/* ---- cells ---- */
struct bytes quarantine_bytes(const struct batch *batch, enum quarantine_column column, int64_t row); /* empty: NULL */
int64_t quarantine_number(const struct batch *batch, enum quarantine_column column, int64_t row);     /* -1: NULL */
/* "a, b" */
void quarantine_tables(const struct batch *batch, int64_t row, struct text *out);

#endif
