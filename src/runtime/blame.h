/* blame.h - which field of a payload it is that a decoder refuses: FAILFAST says only that the record is malformed.
 *
 * How      each field of the schema is decoded alone; the first that is refused is to blame. Slow, for rejects only
 * Owns     a decoder per field, made when the first is asked for. Zeroed = empty
 * Thread   one
 */
#ifndef RUNTIME_BLAME_H
#define RUNTIME_BLAME_H

#include "format/format.h"
#include "sql/sql.h"

struct blame {
    const struct plan *plan; /* PLAN_DECODE */
    struct arena arena;
    void **decoders; /* per field */
    int32_t count;
};
/* NULL: none alone, or the format is another than JSON. */
const char *blame_field(struct blame *self, const struct plan *plan, struct bytes payload);
void blame_close(struct blame *self);

#endif
