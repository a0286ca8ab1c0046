/* catalog.h - what the project's names mean, resolved on demand so that files may come in any
 * order. */
#ifndef SQL_CATALOG_H
#define SQL_CATALOG_H

#include "sql/analyse.h"
#include "sql/analyser.h"

enum element_kind { ELEMENT_SOURCE, ELEMENT_VIEW, ELEMENT_TABLE, ELEMENT_SINK };
enum element_state { ELEMENT_NEW, ELEMENT_VISITING, ELEMENT_DONE, ELEMENT_FAILED };

struct flow {
    const char *name;
    const struct ast_query *query; /* NULL: a sink's `from` */
    const char *from;
    struct position at;
    struct plan *plan;
};
struct element {
    enum element_kind kind;
    enum element_state state;
    const char *name;
    struct position at;
    const struct pipeline_source *source;
    const struct ast_statement *statement; /* VIEW, TABLE, and a SINK that was created */
    const struct sink_text *sink;
    struct list flows;  /* struct flow * */
    struct plan *plan;  /* what a reader reads; NULL for sinks */
    struct plan *still; /* SOURCE, TABLE: the same read without STREAM; NULL while nobody does */
    const struct type *schema;
    bool used;
};
struct catalog {
    struct list elements;           /* struct element *, in the order of the text */
    const char *default_format;     /* spark.sql.sources.default, or NULL */
    const struct sql_files *files;  /* of a session; NULL: statements cannot name files */
    const struct sql_files *tables; /* of a project: asked for the columns of Delta tables; or NULL */
    const struct pipeline *project; /* of a session; or NULL */
    bool reads_files;               /* some relation is one */
    bool incomplete; /* of a project: a statement has a syntax error, so what is missing may be what it makes */
    bool asks_file;  /* of a project: some text asks for FILE_COLUMN; then its sources of files have it */
};

struct element *catalog_find(const struct catalog *catalog, const char *name);
/* For a name that is not there: "did you mean `silver`?", or which there are; NULL when there is none. */
const char *catalog_hint(const struct catalog *catalog, struct arena *arena, const char *name);
/* parquet, csv, ..: 'leat.format', USING, or what is set for all tables. */
const char *table_format(const struct catalog *catalog, const struct ast_statement *table);
/* The rows of a source of files as they lie there; E_SQL for sources that have no end. */
MUST_CHECK enum code catalog_still(struct analyser *self, struct element *source, struct position at,
                                   struct plan **out);
/* files_relation.c: format.`path`, and what CREATE .. USING format OPTIONS (path ..) names. */
bool is_files_format(const char *name);
MUST_CHECK enum code files_relation(struct analyser *self, const struct ast_relation *relation, struct plan **out);
/* What a session's relation of files has; `tells_file`: and FILE_COLUMN, unless a column has its name. */
MUST_CHECK enum code files_source(struct analyser *self, const struct pipeline_source *files, bool tells_file,
                                  struct plan **out);
MUST_CHECK enum code files_statement(struct analyser *self, const struct ast_statement *statement, bool tells_file,
                                     struct plan **out);
/* unheeded.c: options that no reader looks at become warnings. */
void unheeded_of_files(struct analyser *self, const char *format, const struct ast_option *options, int32_t count);
/* The rows of a source, as the relation reads them: with FILE_COLUMN, if it is there, only where the relation's text asks. */
MUST_CHECK enum code catalog_source(struct analyser *self, struct element *source, const struct ast_relation *relation,
                                    struct plan **out);
/* Whether the relation is a session's files themselves, or a project's source of files: they can have FILE_COLUMN. */
bool catalog_is_files(const struct analyser *self, const struct ast_relation *relation);
/* Whether the plan, of such a relation, ends with FILE_COLUMN. */
bool plan_tells_file(const struct plan *plan);
/* The last column of such a relation is not seen by a star. */
void rowset_hide_file(struct rowset *rows);
/* read_function.c: STREAM read_kafka(..); and in a project [STREAM] delta.`/data/in`. */
bool is_read_function(const struct ast *call);
bool is_table_path(const struct analyser *self, const struct ast_relation *relation);
MUST_CHECK enum code catalog_table_path(struct analyser *self, const struct ast_relation *relation, struct plan **out);
MUST_CHECK enum code catalog_read_function(struct analyser *self, const struct ast_relation *relation,
                                           struct plan **out);
/* Analyse the element and all it reads; an error is noted where it is found, once. */
MUST_CHECK enum code element_resolve(struct analyser *self, struct element *element);
/* analyse_distinct.c: leat.dedup of the table, over the rows of its flow. */
MUST_CHECK enum code flow_deduplicate(struct analyser *self, const struct element *table, struct flow *flow);
/* A flow's rows as the table's columns: by name or place, cast. */
MUST_CHECK enum code flow_assign(struct analyser *self, const struct element *table, struct flow *flow,
                                 const struct type *schema);
/* Columns of a table: as declared, or what its flows give. */
MUST_CHECK enum code table_schema(struct analyser *self, const struct element *table, const struct type **out);

#endif
