/* trouble_lines.h - what does not work now, as people and machines read it.
 *
 * Terminal  kafka 127.0.0.1:9092: no answer for 12 s, next attempt in 2.1 s (attempt 6)
 * JSON      {"phase":"retrying","epoch":7,..,"troubles":[{"name":"kafka
 *           127.0.0.1:9092","circuit":"open","attempt":6,
 *           "failing_ms":12040,"next_attempt_ms":2100,"error":".."}]}: a line at each change of state, and
 *           one every TROUBLE_LINE_US while it lasts; the last one has no troubles
 */
#ifndef CLI_TROUBLE_LINES_H
#define CLI_TROUBLE_LINES_H

#include "runtime/runtime.h"

enum { TROUBLE_LINE_US = 5 * 1000 * 1000 };

/* For one row of a terminal: the first one, and how many more there are. */
void trouble_words(const struct run_status *status, struct text *out);

struct trouble_lines {
    uint64_t said; /* state of the last line; 0 = no troubles */
    int64_t said_us;
};
/* Writes the line to stderr when it is due. */
void trouble_line(struct trouble_lines *self, const struct run_status *status);

#endif
