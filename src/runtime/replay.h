/* replay.h - take up requests for a replay: rows out of a quarantine as an input like any other, exactly once.
 *
 * Input    the requests replay/0, replay/1, .. of the checkpoint (replay_request.h): one partition whose offsets are their
 *          numbers. The chain record has its range under the source `_replay`, so a crash repeats or skips a request with
 *          its epoch, and a request is taken once
 * When     one request an epoch, before the epoch reads its sources: also in a pipeline that is running already
 * Gone     a row that finds no way any more, since the query was changed, goes to the quarantine again with the reason
 *          REPLAY_TARGET_GONE; nothing is dropped
 * Late     the rows meet the watermark like any others: what comes too late for its window is counted as late
 * Thread   one, lanes quiet
 */
#ifndef RUNTIME_REPLAY_H
#define RUNTIME_REPLAY_H

#include "runtime/chain.h"
#include "runtime/feed.h"
#include "runtime/graph.h"
#include "runtime/outputs.h"
#include "runtime/replay_request.h"

struct replay {
    const struct pipeline *pipeline;
    struct store *store;
    struct graph *graph;
    struct outputs *outputs;
    const struct feed *feeds;
    int32_t feed_count;
    struct budget *budget;
    int64_t next;  /* the first request that no committed epoch has taken */
    int32_t slot;  /* of this epoch's rows (data/batch.h); -1: no request waits */
    int64_t taken; /* requests in this epoch */
    int64_t rows;  /* in them */
    bool looked;   /* for a hole in the numbers */
};
/* Whether a request waits. From here on `slot` is known for the epoch. The first time it is also told when the next request is
 * missing and there are later ones: somebody has removed it, and they wait for it. */
bool replay_begin(struct replay *self, int32_t slot);
/* The request's rows through the graph; nothing when none waited. */
MUST_CHECK enum code replay_take(struct replay *self, struct error *err);
/* The epoch's range for the chain record; false: there was never a request. It stands at the place `slot`, the last one. */
bool replay_range(const struct replay *self, struct chain_range *out);
/* Continue where the record says. */
void replay_resume(struct replay *self, const struct chain_record *head);
/* The epoch is in the chain. */
void replay_recorded(struct replay *self);

#endif
