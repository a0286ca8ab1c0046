/* sightings.h - fields that a lane met in payloads and that the schema of their decoder does not name: each once, with where it
 * was met first.
 *
 * In       a batch in which the decoder says that it met a new one: only then payloads are looked at again
 * Owns     its texts
 * Thread   the lane's
 * Limits   SIGHTINGS_MAX fields of a decoder, EXAMPLE_MAX bytes of a value; what is more is only counted (drift.h)
 */
#ifndef RUNTIME_SIGHTINGS_H
#define RUNTIME_SIGHTINGS_H

#include "sql/sql.h"

enum { SIGHTINGS_MAX = 1000, EXAMPLE_MAX = 100 };

struct sighting {
    const char *path, *source, *topic, *type, *example; /* type: as SQL has it; topic: of files, their path */
    int32_t partition;
    int64_t offset;
};
struct sightings {
    struct arena arena;
    struct sighting *items; /* heap */
    int32_t count, capacity;
    int32_t told; /* so many of them drift.c has taken over */
};
/* `payload` is what the DECODE node `plan` reads, row by row as `in`. */
void sightings_look(struct sightings *self, const struct plan *plan, const struct batch *in,
                    const struct column *payload);
void sightings_close(struct sightings *self);

#endif
