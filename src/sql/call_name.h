/* call_name.h - how Spark shows calls in the names of columns, where that is not what was written. */
#ifndef SQL_CALL_NAME_H
#define SQL_CALL_NAME_H

#include <stdint.h>

enum { CALL_DEFAULTS_MAX = 7 };
struct call_name {
    const char *name, *shown;                /* shown NULL: the name */
    int32_t least;                           /* arguments that are always there; what follows is filled in: */
    const char *defaults[CALL_DEFAULTS_MAX]; /* for argument least, least + 1, .. */
    int32_t most;                            /* further ones are not shown; 0 = all are */
};
/* NULL: as written. */
const struct call_name *call_name_find(const char *name, int32_t arg_count);

#endif
