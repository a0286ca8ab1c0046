/* sql_session.h - inside sql/: what a session remembers, and the statements that only it has.
 *
 * Shape    names are relations (temporary views, views, tables), found without regard to case; a view keeps its syntax
 *          tree, a table its schema and rows
 * Owns     each relation its own arena, so that DROP gives everything back
 */
#ifndef SQL_SQL_SESSION_H
#define SQL_SQL_SESSION_H

#include "sql/analyser.h"
#include "sql/catalog.h"
#include "sql/parse.h"

struct relation {
    struct arena arena;
    const char *name;
    const struct ast_statement *view; /* NULL: a table, or */
    const struct pipeline_source *source; /* files; else NULL */
    const struct type *schema;
    struct stored_rows *rows;
    bool temporary;
};
struct sql_session {
    struct session settings;
    const struct zone *own_zone; /* SET TIME ZONE LOCAL goes back to it */
    struct dialect dialect;
    const struct sql_files *files; /* or NULL */
    struct relation **relations; /* heap */
    int32_t relation_count, relation_capacity;
};

enum session_statement_kind {
    DO_QUERY,
    DO_CREATE_VIEW,
    DO_CREATE_TABLE,
    DO_INSERT,
    DO_DROP,
    DO_SET,
    DO_IGNORE, /* USE, CACHE TABLE, CREATE SCHEMA, ..: no effect on rows */
};
struct session_statement {
    enum session_statement_kind kind;
    struct ast_statement *statement; /* name, columns, query, value */
    bool or_replace, if_exists, overwrite;
    const char *const *columns; /* INSERT INTO t (a, b) */
    int32_t column_count;
    struct ast_relation *rows; /* INSERT .. VALUES without a query around it */
};
MUST_CHECK enum code parse_session_statement(struct arena *arena, const struct sql_file *file, struct notes *notes,
                                             struct session_statement *out, struct error *err);

#endif
