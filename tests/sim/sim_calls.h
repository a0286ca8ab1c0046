/* sim_calls.h - fail every single call: for k = 1, 2, 3, .. the k-th call of one scenario fails, in every way that it can.
 *
 * Scenario   a start on an empty disk, epochs with tables, state and quarantine, tidying up, a second start
 * Checks     no process ends but well or with a transient error (a call whose failure is ignored must be one that changes
 *            nothing), the next start without trouble finishes, and the witness finds nothing wrong
 * Out        a table: call x what it was for, how often each failed; and those of the scenario that never did
 * Thread     one
 */
#ifndef SIM_CALLS_H
#define SIM_CALLS_H

#include "base/bytes.h"
#include "sim_os.h"

struct calls_report {
    int64_t runs, failures; /* failures: calls that were made to fail */
    int64_t failed[SIM_CALL_COUNT][SIM_PLACE_COUNT][SIM_FAILURE_COUNT];
    int64_t wrong;
    struct text text; /* what is wrong */
};
void calls_run(struct calls_report *report);
void calls_print(const struct calls_report *report);

#endif
