/* relations.h - sources that stand still: read whole, and again when they have changed.
 *
 * In       PLAN_SOURCE nodes that are no streams: files of a folder
 * Out      what lookups search, and the rows of materialized views, computed by the graph (graph_still.c)
 * When     before an epoch whose listing of files (names, sizes, times) differs from the last one; all relations are
 *          read then, not only the one that changed. So a lookup sees a file as it was when the epoch began
 * Views    materialized views are written, whole, when the signature of all relations and of the queries is not the one in
 *          the head of the chain: at the first start, and when something changed, also between two runs; not before
 *          leat.materialized_view.trigger has passed since they were written last, unless what runs ends by itself
 * Failing  a view that fails (graph.h) is tried again when something that stands still has changed, and by the next start; for
 *          lack of memory ever more rarely, unless what runs ends by itself
 * Fails    E_LOST when files change faster than they can be read
 * Thread   one, lanes quiet
 */
#ifndef RUNTIME_RELATIONS_H
#define RUNTIME_RELATIONS_H

#include "runtime/feed.h"
#include "runtime/graph.h"

struct relations {
    const struct pipeline *pipeline;
    const struct run_settings *settings;
    struct budget *budget;
    const struct plan **nodes;
    uint64_t *signatures; /* per node: of what was read last */
    int32_t count;
    bool computed;
    uint64_t views;          /* what materialized views were last written from; 0 = there are none */
    int64_t views_us;        /* when this process wrote them last (monotonic clock); 0 = not yet */
    struct view_wait *waits; /* per table */
    bool once;               /* the run ends with what is there now */
    bool renewed;            /* in this epoch they are written: it must be committed */
    struct error failure;    /* of the first view that could not be computed when they were last; E_OK: all could */
};
MUST_CHECK enum code relations_open(struct relations *self, const struct pipeline *pipeline,
                                    const struct run_settings *settings, struct budget *budget, struct error *err);
void relations_close(struct relations *self);
/* Computes what stands still when it is not yet, or no longer, right. */
MUST_CHECK enum code relations_refresh(struct relations *self, struct graph *graph, struct error *err);
/* For the epoch's record: what the views were computed from; 0 when they are to be computed again by the next start. */
uint64_t relations_views(const struct relations *self);
/* At the end of a run that ends by itself: the failure of a view. */
MUST_CHECK enum code relations_verdict(const struct relations *self, struct error *err);

#endif
