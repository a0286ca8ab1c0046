/* sql_progress.h - how far a query has come: a line on stderr, when it is a terminal and the query takes more than a second.
 *
 * Use      progress_open sets itself as what sql_run asks between batches; progress_begin and progress_end around each
 *          statement
 * Ctrl-C   ends the statement: of a shell that talks this one, of a script this and all that follow
 * Thread   one; the signal only sets a flag
 */
#ifndef CLI_SQL_PROGRESS_H
#define CLI_SQL_PROGRESS_H

#include "cli/sql_run.h"

struct progress {
    const struct sql_run *run;
    bool terminal, shown, talks;
    int64_t begun_us, next_us;
};
void progress_open(struct progress *self, struct sql_run *run, bool talks);
void progress_begin(struct progress *self);
/* The line goes away. Returns how long the statement took. */
int64_t progress_end(struct progress *self);

#endif
