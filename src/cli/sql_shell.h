/* sql_shell.h - statements printed one after the other, of a script or typed at a terminal.
 *
 * Typed    a statement ends with `;` at the end of a line; words that begin with a dot are the shell's own (.help)
 * Fails    a script ends with its first error; at a terminal the next statement may be better
 */
#ifndef CLI_SQL_SHELL_H
#define CLI_SQL_SHELL_H

#include <stdio.h>

#include "cli/sql_print.h"
#include "cli/sql_progress.h"

struct sql_shell {
    struct sql_run *run;
    struct progress progress;
    enum sql_format format;
    bool timing;
    bool talks;       /* at a terminal */
    bool told_memory; /* that tables are not written; once */
};
/* The exit code. */
int shell_script(struct sql_shell *self, struct bytes script);
int shell_talk(struct sql_shell *self, FILE *in);

#endif
