/* trouble.h - private to runtime/: what fails for now. Who is to blame, how long to wait, what the user is
 * told meanwhile, and when to give up (base/retry.h has the rules).
 *
 * Blame    err->about: a dependency's name as it is; a folder is a disk (disks.h). Nobody said: the
 *          checkpoint's disk, or memory
 * Waiting  nothing is fetched meanwhile. Where a failed epoch was dropped no engine is open; a source that is
 *          asked for its offsets is waited for with the engine open, so that state need not be loaded again
 * Probe    a disk is tried with a small file before an engine is opened; the question to a broker is its own
 *          probe
 * Over     when an epoch was committed, or nothing failed for PROVED_US while there was nothing to do. A
 *          source that merely answers again is no proof when epochs failed because of it
 * Told     every failure until the circuit opens, then once in TOLD_EVERY_US; status at any time
 *          (run_status.troubles)
 * Thread   one
 */
#ifndef RUNTIME_TROUBLE_H
#define RUNTIME_TROUBLE_H

#include "runtime/engine.h"

void trouble_init(struct progress *progress, const struct run_settings *settings, const struct run_options *options);
/* `err` is what failed. E_OK: the wait is over, try again. Else do not: E_STOPPED, or `err` with for how
 * long, how often and what to do. `engine` is NULL while none is open. */
MUST_CHECK enum code trouble_wait(struct progress *progress, struct engine *engine, struct error *err);
/* How long an engine that opens may wait for a broker's answer: what leat.retry.limit leaves, within reason. */
int64_t trouble_wait_us(const struct progress *progress);
/* An epoch came to its end; `ran`: it was committed. */
void trouble_passed(struct progress *progress, bool ran);
/* For status: those that do not work now. */
void trouble_list(const struct progress *progress, int64_t now_us, struct run_trouble *out, int32_t *count);

#endif
