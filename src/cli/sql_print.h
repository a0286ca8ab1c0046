/* sql_print.h - the rows of a statement on stdout: as Spark's show, as JSON objects, as CSV with a header.
 *
 * Use      printer_sink for sql_run_statement, then printer_finish, whatever the outcome
 * Limits   a table shows SHOWN_ROWS rows and says how many there are; JSON and CSV are printed as they come. At a terminal
 *          a table's lines end where the terminal does, which is said below
 */
#ifndef CLI_SQL_PRINT_H
#define CLI_SQL_PRINT_H

#include "cli/sql_run.h"

enum { SHOWN_ROWS = 1000 };
enum sql_format { SHOW_TABLE, SHOW_JSON, SHOW_CSV };
struct printer {
    struct arena arena; /* of the schema, which outlives its statement */
    enum sql_format format;
    int32_t width;             /* columns of the terminal; 0: lines are whole */
    const struct type *schema; /* NULL: the statement has no rows to show */
    const struct zone *zone;
    struct show show;
    struct text out;
    int64_t rows;
};
struct sql_sink printer_sink(struct printer *self);
void printer_finish(struct printer *self, bool complete);

#endif
