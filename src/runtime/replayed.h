/* replayed.h - which rows of quarantines were asked back, and how far that is: what all requests say.
 *
 * State    NULL: never asked for; "waiting": in a request that no committed epoch has taken; "done"
 * Owns     the ids
 * Thread   one
 */
#ifndef RUNTIME_REPLAYED_H
#define RUNTIME_REPLAYED_H

#include "runtime/replay_request.h"

enum { REPLAYED_ID_TEXT = 17 };
struct replayed {
    struct replayed_id {
        uint64_t id;
        int64_t request;
    } * ids; /* ascending */
    int64_t count, capacity;
    int64_t next;    /* the number of the next request: above all that were taken, or are there */
    int64_t missing; /* the first request below that somebody has removed, or -1 */
    int64_t taken;   /* requests below are in the chain */
};
/* No checkpoint: nothing was asked for. */
MUST_CHECK enum code replayed_read(struct replayed *self, const char *checkpoint, struct error *err);
const char *replayed_state(const struct replayed *self, uint64_t id);
void replayed_close(struct replayed *self);

#endif
