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
#include "sql/sql_function.h"

struct relation {
    struct arena arena;
    const char *name;
    const struct ast_statement *view;     /* NULL: a table, or */
    const struct pipeline_source *source; /* files; else NULL */
    const struct type *schema;
    struct stored_rows *rows;
    bool temporary;
};
struct variable {
    struct arena arena; /* the variable itself lies in it */
    const char *name;
    const struct type *type;
    const struct expr *value, *initial; /* literals */
};
struct sql_session {
    struct session settings;
    const struct zone *own_zone; /* SET TIME ZONE LOCAL goes back to it */
    struct dialect dialect;
    const struct sql_files *files;  /* or NULL */
    const struct pipeline *project; /* or NULL */
    struct relation **relations;    /* heap */
    int32_t relation_count, relation_capacity;
    struct variable **variables; /* heap */
    int32_t variable_count, variable_capacity;
    struct sql_function **functions; /* heap */
    int32_t function_count, function_capacity;
    struct arena parameter_arena;
    struct parameter *parameters; /* of all statements */
    int32_t parameter_count;
};

enum session_statement_kind {
    DO_QUERY,
    DO_CREATE_VIEW,
    DO_CREATE_TABLE,
    DO_INSERT,
    DO_DROP,
    DO_SET,
    DO_TRUNCATE,
    DO_DECLARE,
    DO_SET_VARIABLE,
    DO_DROP_VARIABLE,
    DO_EXECUTE,
    DO_CREATE_FUNCTION,
    DO_DROP_FUNCTION,
    DO_DESCRIBE_FUNCTION,
    DO_DESCRIBE_RELATION,
    DO_DESCRIBE_QUERY,
    DO_SHOW_FUNCTIONS,
    DO_SHOW_TABLES,
    DO_SHOW_VIEWS,
    DO_SHOW_COLUMNS,
    DO_SHOW_SCHEMAS,
    DO_SHOW_CATALOGS,
    DO_EXPLAIN,
    DO_IGNORE, /* USE, CACHE TABLE, CREATE SCHEMA, ..: no effect on rows */
};
struct session_statement {
    enum session_statement_kind kind;
    struct ast_statement *statement; /* name, columns, query, value */
    bool or_replace, if_exists, overwrite;
    const char *const *columns; /* INSERT INTO t (a, b) */
    int32_t column_count;
    struct ast_relation *rows; /* INSERT .. VALUES without a query around it */
    /* DECLARE, SET VARIABLE, EXECUTE IMMEDIATE */
    struct ast **targets; /* names of variables */
    int32_t target_count;
    struct ast **values;      /* of the variables; of EXECUTE's parameters */
    const char *const *names; /* USING x AS name; NULL: by place */
    int32_t value_count;
    struct ast *text;              /* EXECUTE */
    struct sql_function *function; /* CREATE FUNCTION */
    const struct type *type;
    const char *type_text;
    /* DESCRIBE, SHOW */
    const char *pattern;
    bool extended, user_only;
};
MUST_CHECK enum code parse_session_statement(struct arena *arena, const struct sql_file *file, struct notes *notes,
                                             const struct identifier_reader *identifiers, struct session_statement *out,
                                             struct error *err);

/* ---- one statement at work ---- */

struct step {
    struct sql_session *session;
    struct analyser analyser;
    struct notes notes;
    struct sql_file file;
    struct identifier_reader identifiers;
    struct catalog catalog;
    struct session_statement statement;
    struct stored_rows *(*rows_new)(void);
    struct session_step *out;
};
MUST_CHECK enum code step_parse(struct step *self);
MUST_CHECK enum code step_do(struct step *self);
MUST_CHECK enum code step_analyse(struct step *self, const struct ast_query *query, struct plan **out);
MUST_CHECK enum code step_optimise(struct step *self, struct plan **plan);

/* session_variables.c */
MUST_CHECK enum code session_declare(struct step *self);
MUST_CHECK enum code session_set_variable(struct step *self);
MUST_CHECK enum code session_drop_variable(struct step *self);
MUST_CHECK enum code session_execute(struct step *self);
void session_variables_free(struct sql_session *self);
/* A constant, folded; of the type when it is not NULL. */
MUST_CHECK enum code session_constant(struct analyser *self, const struct ast *ast, const struct type *type,
                                      const struct expr **out);
MUST_CHECK enum code session_text(struct analyser *self, const struct ast *ast, const char **out);

/* session_functions.c */
MUST_CHECK enum code session_create_function(struct step *self);
MUST_CHECK enum code session_drop_function(struct step *self);
void session_functions_free(struct sql_session *self);

/* session_show.c */
MUST_CHECK enum code session_show_functions(struct step *self);
MUST_CHECK enum code session_show_relations(struct step *self);
MUST_CHECK enum code session_show_columns(struct step *self);
MUST_CHECK enum code session_show_schemas(struct step *self);
MUST_CHECK enum code session_describe_function(struct step *self);
MUST_CHECK enum code session_describe_relation(struct step *self);
MUST_CHECK enum code session_describe_query(struct step *self);
MUST_CHECK enum code session_explain(struct step *self);

#endif
