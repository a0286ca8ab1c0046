/* sql_kit.h - what the tests of sql/ share: a project of texts in memory, and its graph as text. */
#ifndef SQL_KIT_H
#define SQL_KIT_H

#include "sql/analyse.h"
#include "sql/sql.h"

struct fixture {
    struct arena arena;
    struct error err;
    struct problems problems;
    struct notes notes;
    struct session session;
    const struct pipeline *pipeline;
    struct text shown;
};
void fixture_open(struct fixture *self);
void fixture_close(struct fixture *self);
/* One file `t.sql` over the Kafka source `src`, and sources a, b of the schema "k STRING, v INT, at
 * TIMESTAMP". */
enum code fixture_analyse(struct fixture *self, const char *sql);
/* The graph of a text that must be right; "" and a failed check otherwise. */
const char *fixture_graph(struct fixture *self, const char *sql);
void check_graph(const char *file, int line, const char *sql, const char *want);
#define CHECK_GRAPH(sql, want) check_graph(__FILE__, __LINE__, (sql), (want))
/* Schema of a query without tables, as Spark's simple string, or the error. */
const char *query_schema(struct fixture *self, const char *sql);

#endif
