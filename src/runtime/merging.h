/* merging.h - small files of the outputs become large ones while the pipeline runs. Private to runtime/.
 *
 *   reading  ->  merging_offer: a slice of work for a free worker, as a job like any other
 *   the epoch is committed, workers are quiet  ->  merging_commit: what is ready takes the place of the small files
 *
 * Slices   of MERGING_SLICE_US, one at a time: records never wait longer than that for a worker
 * Fails    never the epoch: what cannot be merged stays as it is, is told, and is tried again after MERGING_RETRY_US
 * Thread   the runtime's; the slice runs on a worker
 */
#ifndef RUNTIME_MERGING_H
#define RUNTIME_MERGING_H

#include <stdatomic.h>

#include "runtime/outputs.h"
#include "runtime/workers.h"

enum { MERGING_SLICE_US = 10 * 1000, MERGING_RETRY_US = 60 * 1000 * 1000 };

struct merging {
    struct job job;
    struct outputs *outputs;
    struct workers *workers;
    struct sink_merge request;
    struct merging_output *each; /* per output */
    int32_t count, at;
    atomic_bool busy; /* a slice waits or runs */
    bool more;        /* the last one left something to do; else the next commit may */
};
void merging_init(struct merging *self, struct outputs *outputs, struct workers *workers);
void merging_close(struct merging *self);
/* Nobody waits for it. `oldest`: the chain's oldest epoch. */
void merging_offer(struct merging *self, int64_t oldest);
/* Workers are quiet. */
void merging_commit(struct merging *self);
/* All that is worth it now, to the end; gives up when asked to stop. Workers are quiet. */
void merging_finish(struct merging *self, int64_t oldest);

#endif
