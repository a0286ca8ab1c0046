/* drift.h - fields of the input that no schema names: each told once, counted, and remembered in the checkpoint.
 *
 * Field    a path in the payloads of a source (a.b) that no from_json over that source, and no schema of its files, has. One
 *          that is in a schema and that nobody reads is none
 * Counts   values met, since the checkpoint began: records that are read again after a failure count again
 * Durable  the file `drift` of the checkpoint, a JSON object a line; written when a field is new, else at most once in
 *          DRIFT_WRITE_US, and at the end. It is no part of the chain: losing it loses no row
 * Owns     its fields
 * Thread   lanes quiet
 */
#ifndef RUNTIME_DRIFT_H
#define RUNTIME_DRIFT_H

#include "runtime/graph.h"
#include "store/store.h"

enum { DRIFT_FIELDS_MAX = 10000, DRIFT_WRITE_US = 10 * 1000 * 1000 };

struct drift_entry {
    struct drift_field field;
    int64_t before; /* of field.count: met before this graph was opened */
};
struct drift {
    struct arena arena;
    struct drift_entry *entries; /* heap */
    int32_t count, capacity;
    bool loaded, dirty;
    int64_t written_us;
};
/* What the lanes have met, after a commit. A store that cannot be written is only warned of. */
void drift_collect(struct drift *self, const struct pipeline *pipeline, struct graph *graph, struct store *store);
/* Of all fields, as last collected. */
int64_t drift_values(const struct drift *self);
/* Before the graph closes. `store` NULL: nothing is written. */
void drift_close(struct drift *self, struct store *store);
/* The file's fields; none when there is no file. */
MUST_CHECK enum code drift_load(struct drift *self, struct store *store, struct error *err);
/* Whether some decoder over the source of that name has the field. */
bool drift_is_known(const struct pipeline *pipeline, const char *source, const char *path);

#endif
