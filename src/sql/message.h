/* message.h - what the user reads: place, text, the source line with a caret, a hint; and the lists
 * of problems, warnings.
 *
 * Shape    file:line:column: [CONDITION] text
 *             3 | SELECT a FORM t
 *               |          ^^^^
 *             hint: did you mean FROM?
 * Secret   the value behind a name with password, secret, token, .. in it is shown as ***
 * Fails    message_at returns err->code, so that `return message_at(..)` works
 * Thread   one
 */
#ifndef SQL_MESSAGE_H
#define SQL_MESSAGE_H

#include "sql/list.h"
#include "sql/sql.h"

struct sql_file {
    const char *name; /* positions point to this very string */
    struct bytes text;
};

enum { SQL_PROBLEMS_MAX = 50, SQL_WARNINGS_MAX = 200 };

/* Collected while a project is read. */
struct notes {
    struct arena *arena;
    const struct sql_file *files;
    int32_t file_count;
    struct problems *problems; /* NULL: only the first error is wanted */
    int32_t problem_count;     /* noted so far, kept or not */
    struct list warnings;      /* of char * */
};

/* err holds "[CONDITION] text": put the place in front, line, caret and hint (may be NULL)
 * behind. */
enum code message_at(const struct notes *notes, struct position at, const char *hint, struct error *err);
/* Remember the message that err holds. */
void notes_problem(struct notes *notes, const struct error *err);
void notes_warn(struct notes *notes, struct position at, const char *format, ...) PRINTF(3, 4);

#endif
