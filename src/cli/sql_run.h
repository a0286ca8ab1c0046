/* sql_run.h - statements one after the other over one session, rows handed out as they come.
 *
 * In       the text of one statement
 * Out      schema() once, when the statement has rows, then rows() for each batch
 * Owns     the session, its tables, and the budget that tables and queries are charged to
 * Fails    with the complete message (place, caret, hint); the session goes on with the next statement
 * Thread   one
 */
#ifndef CLI_SQL_RUN_H
#define CLI_SQL_RUN_H

#include <stdio.h>

#include "query/query.h"
#include "sql/sql.h"

/* What it is given lives as long as the statement. */
struct sql_sink {
    void (*schema)(void *context, const struct type *schema, const struct zone *zone);
    void (*rows)(void *context, const struct batch *batch);
    void (*warning)(void *context, const char *text); /* of the statement, before it runs or fails; may be NULL */
    void *context;
};
struct sql_run {
    struct sql_session *session;
    struct budget budget;
    struct query_spill spill;       /* the disk of its queries */
    struct query_files files;       /* what FROM parquet.`..` means */
    bool made_table;                /* a statement created one: it ends with the session */
    struct query *running;          /* NULL between statements */
    bool (*stopped)(void *context); /* see query_spec; may be NULL */
    void *stopped_context;
};
void sql_run_open(struct sql_run *self, const struct session *settings, size_t memory_bytes);
MUST_CHECK enum code sql_run_statement(struct sql_run *self, struct bytes text, const struct sql_sink *sink,
                                       struct error *err);
void sql_run_close(struct sql_run *self);
/* Statements as lines of JSON, to the end of `in`; the exit code. */
int sql_lines_run(struct sql_run *self, FILE *in);
/* The same of lines that are all there. */
void sql_lines_script(struct sql_run *self, struct bytes text);

#endif
